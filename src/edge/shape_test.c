#include "edge/shape.h"

#include <string.h>

#include "base/str.h"
#include "base/test.h"

#define wrong(fmt, ...)                                                                            \
    do {                                                                                           \
        print_error(fmt "\n", __VA_ARGS__);                                                        \
        assert_true(false);                                                                        \
    } while (0)

static struct ctx cx;

static int setup(void **state)
{
    (void)state;
    cx = (struct ctx){.arena = arena_create()};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(cx.arena);
    return 0;
}

static const struct shape inner[] = {
    {"email", SHAPE_TEXT, .most = 5, .is_required = true},
    {0},
};

static const struct shape table[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"note", SHAPE_TEXT, .is_nullable = true},
    {"kind", SHAPE_TEXT, .choices = "one two"},
    {"size", SHAPE_INT, .least = 1, .most = 9},
    {"on", SHAPE_FLAG},
    {"at", SHAPE_INSTANT},
    {"id", SHAPE_ID},
    {"any", SHAPE_ANY},
    {"who", SHAPE_OBJECT, .of = inner},
    {"words", SHAPE_TEXT, .is_list = true, .most = 2},
    {"people", SHAPE_OBJECT, .is_list = true, .of = inner},
    {0},
};

/* fault: "field code" of the first problem, or NULL. */
static const struct {
    const char *json, *fault;
} bodies[] = {
    {"{\"name\":\"x\"}", NULL},
    {"{\"name\":\"x\",\"note\":null,\"kind\":\"two\",\"size\":9,\"on\":true,\"id\":\"7\"}", NULL},
    {"{\"name\":\"x\",\"any\":[1,{\"a\":null}],\"at\":\"2026-01-01T00:00:00Z\"}", NULL},
    {"{\"name\":\"x\",\"who\":{\"email\":\"a@b\"},\"words\":[\"a\",\"b\"]}", NULL},
    {"{}", "name required"},
    {"{\"name\":\"\"}", "name required"},
    {"{\"name\":null}", "name wrong_type"},
    {"{\"name\":\"x\",\"nam\":1}", "nam unknown_field"},
    {"{\"name\":\"x\",\"kind\":\"tw\"}", "kind unknown_choice"},
    {"{\"name\":\"x\",\"kind\":\"one two\"}", "kind unknown_choice"},
    {"{\"name\":\"x\",\"size\":0}", "size out_of_range"},
    {"{\"name\":\"x\",\"size\":1.5}", "size wrong_type"},
    {"{\"name\":\"x\",\"size\":\"1\"}", "size wrong_type"},
    {"{\"name\":\"x\",\"on\":1}", "on wrong_type"},
    {"{\"name\":\"x\",\"id\":7}", "id wrong_type"},
    {"{\"name\":\"x\",\"id\":\"-7\"}", "id wrong_type"},
    {"{\"name\":\"x\",\"id\":\"99999999999999999999\"}", "id wrong_type"},
    {"{\"name\":\"x\",\"at\":\"yesterday\"}", "at wrong_type"},
    {"{\"name\":\"x\",\"who\":{}}", "who.email required"},
    {"{\"name\":\"x\",\"who\":{\"email\":\"longer\"}}", "who.email too_long"},
    {"{\"name\":\"x\",\"who\":[]}", "who wrong_type"},
    {"{\"name\":\"x\",\"words\":\"a\"}", "words wrong_type"},
    {"{\"name\":\"x\",\"words\":[\"a\",1]}", "words.1 wrong_type"},
    {"{\"name\":\"x\",\"words\":[\"a\",\"b\",\"c\"]}", "words too_long"},
    {"{\"name\":\"x\",\"people\":[{\"email\":\"a\"},{\"mail\":\"a\"}]}",
     "people.1.mail unknown_field"},
};

static const char *first_fault(void)
{
    const struct problem *p = cx.err.problems.at;

    return cx.err.problems.count ? arena_printf(cx.arena, "%s %s", p->field, p->code) : NULL;
}

static void bodies_are_checked(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(bodies); i++) {
        struct val body;
        fail_clear(&cx);
        assert_int_equal(json_parse(&cx, bodies[i].json, strlen(bodies[i].json), &body), OK);
        const enum rc rc = shape_check(&cx, table, &body);
        if (!str_equal(first_fault(), bodies[i].fault) || (rc == OK) != !bodies[i].fault)
            wrong("%s: %s", bodies[i].json, first_fault() ? first_fault() : "no fault");
    }
}

static void something_near_is_suggested(void **state)
{
    static const char json[] = "{\"name\":\"x\",\"nane\":1}";
    struct val body;

    (void)state;
    assert_int_equal(json_parse(&cx, json, strlen(json), &body), OK);
    assert_int_equal(shape_check(&cx, table, &body), E_INVALID);
    const struct problem *p = cx.err.problems.at;
    assert_non_null(strstr(p->text, "did you mean name?"));
}

static const struct shape query[] = {
    {"limit", SHAPE_INT, .least = 1, .most = 500},
    {"all", SHAPE_FLAG},
    {"fields", SHAPE_TEXT, .is_list = true},
    {0},
};

static const struct {
    struct http_pair pairs[2];
    const char *fault;
} queries[] = {
    {{{"limit", "5"}, {"all", "true"}}, NULL},
    {{{"fields", "a,b"}}, NULL},
    {{{"limit", "0"}}, "limit out_of_range"},
    {{{"limit", "five"}}, "limit wrong_type"},
    {{{"all", "yes"}}, "all wrong_type"},
    {{{"limits", "5"}}, "limits unknown_parameter"},
    {{{"limit", "5"}, {"limit", "6"}}, "limit repeated"},
};

static void parameters_are_checked(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(queries); i++) {
        struct http_pair pairs[2] = {queries[i].pairs[0], queries[i].pairs[1]};
        const struct request rq = {.query = {.at = pairs, .count = pairs[1].name ? 2 : 1}};
        fail_clear(&cx);
        const enum rc rc = shape_check_query(&cx, query, &rq);
        if (!str_equal(first_fault(), queries[i].fault) || (rc == OK) != !queries[i].fault)
            wrong("%d: %s", i, first_fault() ? first_fault() : "no fault");
    }
}

static void words_of_a_list_are_found(void **state)
{
    struct http_pair pair = {"include", "actions,links"};
    const struct request rq = {.query = {.at = &pair, .count = 1}};

    (void)state;
    assert_true(query_has(&rq, "include", "actions"));
    assert_true(query_has(&rq, "include", "links"));
    assert_false(query_has(&rq, "include", "link"));
    assert_false(query_has(&rq, "other", "links"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bodies_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(something_near_is_suggested, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(words_of_a_list_are_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
