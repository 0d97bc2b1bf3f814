#include "http/target.h"

#include <string.h>

#include "base/str.h"
#include "base/test.h"

static struct arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = arena_create();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static const struct {
    const char *target;
    const char *path;  /* NULL: refused */
    const char *query; /* name=value, joined by '|' */
} targets[] = {
    {"/", "/", ""},
    {"/a/b", "/a/b", ""},
    {"/a/b/", "/a/b/", ""},
    {"/%61%2Db", "/a-b", ""},
    {"/caf%C3%A9", "/caf\xc3\xa9", ""},
    {"/a%20b", "/a b", ""},
    {"/a+b", "/a+b", ""},
    {"/a%2Bb", "/a+b", ""},
    {"/a%3Fb", "/a?b", ""},
    {"/a%25b", "/a%b", ""},
    {"/a%252Fb", "/a%2Fb", ""}, /* once, not twice */
    {"/...", "/...", ""},
    {"/a.", "/a.", ""},
    {"/~u/(x);y='z',@:!$&*", "/~u/(x);y='z',@:!$&*", ""},
    {"/?", "/", ""},
    {"/?a", "/", "a="},
    {"/?a=", "/", "a="},
    {"/?a=b", "/", "a=b"},
    {"/?a=b&a=c", "/", "a=b|a=c"},
    {"/?&&a=b&&", "/", "a=b"},
    {"/?=b", "/", "=b"},
    {"/?a=b=c", "/", "a=b=c"},
    {"/?a+b=c+d", "/", "a b=c d"},
    {"/?a%2Bb=c%26d%3De", "/", "a+b=c&d=e"},
    {"/?a=/../b//c", "/", "a=/../b//c"},
    {"/?q=a?b", "/", "q=a?b"},
    {"/?q=a;b", "/", "q=a;b"},
    {"/a?q=%F0%9F%98%80", "/a", "q=\xf0\x9f\x98\x80"},
    {"http://x", "/", ""},
    {"http://x?a=b", "/", "a=b"},
    {"http://x/a", "/a", ""},
    {"HTTP://X/a", "/a", ""},
    {"https://x/a", "/a", ""},
    {"", NULL, NULL},
    {"a", NULL, NULL},
    {"*", NULL, NULL},
    {"//", NULL, NULL},
    {"/a//", NULL, NULL},
    {"/.", NULL, NULL},
    {"/..", NULL, NULL},
    {"/a/.", NULL, NULL},
    {"/a/../b", NULL, NULL},
    {"/%2E%2e/b", NULL, NULL},
    {"/a%2Fb", NULL, NULL},
    {"/a%5Cb", NULL, NULL},
    {"/a%00", NULL, NULL},
    {"/a%0A", NULL, NULL},
    {"/a%7F", NULL, NULL},
    {"/a%", NULL, NULL},
    {"/a%4", NULL, NULL},
    {"/a%4g", NULL, NULL},
    {"/a%-1", NULL, NULL},
    {"/a%FF", NULL, NULL},
    {"/a%C3", NULL, NULL},
    {"/a%ED%A0%80", NULL, NULL},
    {"/a\"b", NULL, NULL},
    {"/a[b]", NULL, NULL},
    {"/a#b", NULL, NULL},
    {"/a^b", NULL, NULL},
    {"/?a=%", NULL, NULL},
    {"/?a=%4", NULL, NULL},
    {"/?a=%zz", NULL, NULL},
    {"/?a%00=b", NULL, NULL},
    {"/?a=%C0%80", NULL, NULL},
    {"http:/x/a", NULL, NULL},
    {"http://y/a", NULL, NULL},
    {"http:///a", NULL, NULL},
    {"http://x:80/a", NULL, NULL},
    {"x:80", NULL, NULL},
};

static const char *query_text(const struct request *rq)
{
    struct buf b = {.arena = arena};
    const struct http_pair *pair = rq->query.at;
    for (int i = 0; i < rq->query.count; i++)
        buf_printf(&b, "%s%s=%s", i ? "|" : "", pair[i].name, pair[i].value);
    return buf_text(&b);
}

static void test_targets(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(targets); i++) {
        struct request rq = {.arena = arena, .target = targets[i].target};
        const int status = target_parse(&rq, "x");
        if (status != (targets[i].path ? 0 : 400))
            print_error("%s: %d\n", targets[i].target, status);
        assert_int_equal(status, targets[i].path ? 0 : 400);
        if (status)
            continue;
        assert_string_equal(rq.path, targets[i].path);
        assert_string_equal(query_text(&rq), targets[i].query);
    }
}

static const struct {
    const char *text;
    bool is_one;
} authorities[] = {
    {"x", true},        {"x.example.org", true}, {"x:80", true},  {"127.0.0.1:8080", true},
    {"[::1]", true},    {"[::1]:80", true},      {"a_b-c", true}, {"", false},
    {":80", false},     {"x:", false},           {"x:y", false},  {"x:123456", false},
    {"x y", false},     {"x/y", false},          {"u@x", false},  {"[]", false},
    {"[::1", false},    {"[::1]x", false},       {"x,y", false},  {"[v1.x]", false},
    {"x:80:80", false}, {"%41", false},
};

static void test_authorities(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(authorities); i++)
        assert_int_equal(target_is_authority(authorities[i].text), authorities[i].is_one);
}

static const struct {
    const char *header, *name, *value;
} cookies[] = {
    {"a=1", "a", "1"},         {"a=1; b=2", "b", "2"},     {"a=1;b=2", "b", "2"},
    {"a=1;  b=2 ", "b", "2 "}, {"a=\"1\"; b=2", "a", "1"}, {"a=\"", "a", "\""},
    {"a=1; a=2", "a", "1"},    {"a=b=c", "a", "b=c"},      {"a=", "a", ""},
    {"", "a", NULL},           {"a", "a", NULL},           {"aa=1", "a", NULL},
    {"A=1", "a", NULL},        {"b=a=1", "a", NULL},       {"; ; a=1", "a", "1"},
};

static void test_cookies(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(cookies); i++) {
        struct request rq = {.arena = arena};
        struct http_pair *header = list_add(arena, &rq.headers, sizeof(*header));
        *header = (struct http_pair){"cookie", cookies[i].header};
        const char *value = request_cookie(&rq, cookies[i].name);
        if (!str_equal(value, cookies[i].value))
            print_error("%s: %s\n", cookies[i].header, value ? value : "none");
        assert_true(str_equal(value, cookies[i].value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_cookies),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
