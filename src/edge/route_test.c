#include "edge/route.h"

#include "base/str.h"
#include "base/test.h"

#define wrong(fmt, ...)                                                                            \
    do {                                                                                           \
        print_error(fmt "\n", __VA_ARGS__);                                                        \
        assert_true(false);                                                                        \
    } while (0)

struct fixture {
    struct ctx cx;
    struct request rq;
};

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.cx.arena = arena_create()};
    f.rq.arena = f.cx.arena;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_destroy(f->cx.arena);
    return 0;
}

static const struct {
    enum http_method method;
    const char *path, *name; /* name NULL: there is none */
} paths[] = {
    {HTTP_GET_, "/", "home"},
    {HTTP_GET_, "/healthz", "readHealth"},
    {HTTP_HEAD_, "/healthz", "readHealth"},
    {HTTP_GET_, "/healthz/", NULL},
    {HTTP_GET_, "/api/v1", NULL},
    {HTTP_GET_, "/api/v1/", NULL},
    {HTTP_GET_, "/api/v1/people", "listPeople"}, /* a fixed name before a process */
    {HTTP_GET_, "/api/v1/peopl", "listRecords"},
    {HTTP_GET_, "/api/v1/incident", "listRecords"},
    {HTTP_POST_, "/api/v1/incident", "createRecord"},
    {HTTP_GET_, "/api/v1/incident/INC-1", "readRecord"},
    {HTTP_POST_, "/api/v1/incident/INC-1/actions/take", "runAction"},
    {HTTP_GET_, "/api/v1/incident/INC-1/actions/take", NULL},
    {HTTP_GET_, "/api/v1/incident//actions", NULL},
    {HTTP_GET_, "/api/v1/people/7/tokens", "listTokens"},
    {HTTP_POST_, "/api/v1/me/notices/read", "readNotices"},
    {HTTP_POST_, "/api/v1/me/notices/7/read", "readNotice"},
    {HTTP_DELETE_, "/api/v1/session", "signOut"},
    {HTTP_PUT_, "/api/v1/session", NULL},
};

static void finds_the_row(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(paths); i++) {
        const struct route *r = route_find(paths[i].method, paths[i].path);
        if (!str_equal(r ? r->name : NULL, paths[i].name))
            wrong("%s %s gives %s", http_method_name(paths[i].method), paths[i].path,
                  r ? r->name : "nothing");
    }
}

static void takes_what_the_names_matched(void **state)
{
    struct fixture *f = *state;
    const struct route *r;

    f->rq.method = HTTP_DELETE_;
    f->rq.path = "/api/v1/incident/INC-1/links/causes/PRB-2";
    assert_int_equal(route_match(&f->cx, &f->rq, &r), OK);
    assert_string_equal(r->name, "removeLink");
    assert_string_equal(request_param(&f->rq, "process"), "incident");
    assert_string_equal(request_param(&f->rq, "number"), "INC-1");
    assert_string_equal(request_param(&f->rq, "kind"), "causes");
    assert_string_equal(request_param(&f->rq, "other"), "PRB-2");
}

static void says_which_methods(void **state)
{
    struct fixture *f = *state;
    const struct route *r;

    f->rq.method = HTTP_PATCH_;
    f->rq.path = "/api/v1/incident";
    assert_int_equal(route_match(&f->cx, &f->rq, &r), E_INVALID);
    assert_string_equal(f->cx.err.code, "method");
    assert_string_equal(route_methods(f->cx.arena, f->rq.path), "GET, HEAD, POST, OPTIONS");
    assert_null(route_methods(f->cx.arena, "/nowhere"));
    f->rq.path = "/nowhere";
    assert_int_equal(route_match(&f->cx, &f->rq, &r), E_NOT_FOUND);
}

static void knows_names_of_its_own(void **state)
{
    (void)state;
    assert_true(route_is_reserved("people"));
    assert_true(route_is_reserved("openapi.json"));
    assert_false(route_is_reserved("incident"));
    assert_false(route_is_reserved("peopl"));
}

/* What dispatch and the document rely on. */
static void every_row_is_whole(void **state)
{
    int count;
    const struct route *const *all = route_all(&count);

    (void)state;
    for (int i = 0; i < count; i++) {
        const struct route *r = all[i];
        const bool is_safe = r->method == HTTP_GET_;
        assert_true(r->path[0] == '/' && *r->help && *r->name);
        if (is_safe && (r->input || r->flags & (ROUTE_UPLOAD | ROUTE_IF_MATCH | ROUTE_IDEMPOTENT)))
            wrong("%s is a GET that changes something", r->path);
        if (r->status == 201 && !r->output)
            wrong("%s %s creates something and does not say what", http_method_name(r->method),
                  r->path);
        for (int k = 0; k < i; k++) {
            if (str_equal(all[k]->name, r->name))
                wrong("two rows are called %s", r->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_the_row, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_what_the_names_matched, setup, teardown),
        cmocka_unit_test_setup_teardown(says_which_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_names_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(every_row_is_whole, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
