#include "base/str.h"

#include <string.h>

#include "base/arena.h"
#include "base/test.h"

static void test_questions(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "two", NULL};
    assert_true(str_equal("a", "a"));
    assert_false(str_equal("a", "b"));
    assert_false(str_equal("a", NULL));
    assert_true(str_equal(NULL, NULL));
    assert_true(str_is_empty(NULL));
    assert_true(str_is_empty(""));
    assert_false(str_is_empty(" "));
    assert_true(str_starts("prefix", "pre"));
    assert_true(str_starts("prefix", ""));
    assert_false(str_starts("pr", "pre"));
    assert_true(str_ends("file.yaml", ".yaml"));
    assert_false(str_ends("yaml", ".yaml"));
    assert_true(str_in("two", names));
    assert_false(str_in("three", names));
    assert_false(str_in(NULL, names));
}

static void test_to_int(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool is_ok;
        int64_t want;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
        {"1e3", false, 0},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t n = 42;
        assert_int_equal(str_to_int(cases[i].s, &n), cases[i].is_ok);
        assert_int_equal(n, cases[i].is_ok ? cases[i].want : 42);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool want;
    } cases[] = {
        {"", true},
        {"plain ASCII that is longer than eight bytes", true},
        {"caf\xc3\xa9 and then more than eight plain bytes", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x94\xa5", true},
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", false}, /* past it */
        {"\xed\x9f\xbf", true},      /* just before the surrogates */
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xc0\x80", false},         /* overlong NUL */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\x80", false},             /* a continuation alone */
        {"\xc3", false},             /* cut off */
        {"\xe2\x82", false},         /* cut off */
        {"\xe2\x28\xa1", false},     /* not continued */
        {"\xf0\x9f\x94", false},     /* cut off */
        {"\xff", false},             /* never */
        {"12345678\xf5\x80\x80\x80", false},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(str_is_utf8(cases[i].s, strlen(cases[i].s)), cases[i].want);
    for (size_t at = 0; at < 20; at++) { /* NUL is refused wherever it stands */
        char text[20];
        memset(text, 'x', sizeof(text));
        text[at] = '\0';
        assert_false(str_is_utf8(text, sizeof(text)));
        text[at] = '\x80';
        assert_false(str_is_utf8(text, sizeof(text)));
    }
}

/* Every character there is, written and read back. */
static void test_utf8_char(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char s[4];
        int len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (int i = len - 1; i > 0; i--)
            s[i] = (char)(0x80 | (c >> 6 * (len - 1 - i) & 0x3f));
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        s[0] = (char)(lead[len] | c >> 6 * (len - 1));
        const bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
        uint32_t back = 0;
        assert_int_equal(str_utf8_char(s, (size_t)len, &back), is_surrogate ? 0 : len);
        assert_int_equal(back, is_surrogate ? 0 : c);
        assert_int_equal(str_utf8_char(s, (size_t)len - 1, &back), 0);
    }
}

static void test_copies(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    assert_string_equal(str_lower_ascii(a, "INC-1 \xc3\x89T\xc3\x89"), "inc-1 \xc3\x89t\xc3\x89");
    assert_string_equal(str_trim(a, " \t a b\r\n"), "a b");
    assert_string_equal(str_trim(a, "  "), "");
    assert_string_equal(str_trim(a, ""), "");
    assert_string_equal(str_hex(a, "\x00\xff\x1a", 3), "00ff1a");
    unsigned char bytes[3];
    assert_true(str_unhex("00fF1A", bytes, 3));
    assert_memory_equal(bytes, "\x00\xff\x1a", 3);
    assert_false(str_unhex("00ff1", bytes, 3));
    assert_false(str_unhex("00ff1a00", bytes, 3));
    assert_false(str_unhex("00fg1a", bytes, 3));
    arena_destroy(a);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"urgency", "impact", "title", "assignee", "to", NULL};
    static const struct {
        const char *typed, *want;
    } cases[] = {
        {"urgancy", "urgency"},    {"ipmact", "impact"},   {"titel", "title"},
        {"asignee", "assignee"},   {"asigne", "assignee"}, {"urgency", "urgency"},
        {"group", NULL},           {"tx", NULL},           {"", NULL},
        {"completely else", NULL},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = str_nearest(cases[i].typed, names);
        assert_true(str_equal(got, cases[i].want));
    }
    char endless[1000];
    memset(endless, 'a', sizeof(endless));
    endless[999] = '\0';
    assert_null(str_nearest(endless, names));
}

static void test_hash(void **state)
{
    (void)state;
    assert_true(str_hash("a") == str_hash("a"));
    assert_true(str_hash("a") != str_hash("b"));
    assert_true(str_hash("") != str_hash("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions), cmocka_unit_test(test_to_int),
        cmocka_unit_test(test_utf8),      cmocka_unit_test(test_utf8_char),
        cmocka_unit_test(test_copies),    cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
