#include "base/ctx.h"

#include <string.h>

#include "base/test.h"

static void test_fail_describes_once(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    char field[] = "title";
    assert_int_equal(fail(&cx, E_INVALID, field, "must not be %s", "empty"), E_INVALID);
    field[0] = 'X'; /* the description keeps its own copy */
    assert_int_equal(cx.err.rc, E_INVALID);
    assert_string_equal(cx.err.field, "title");
    assert_string_equal(cx.err.text, "must not be empty");
    assert_null(cx.err.detail);

    assert_int_equal(fail_detail(&cx, E_INVALID, "errno %d", 5), E_INVALID);
    assert_string_equal(cx.err.detail, "errno 5");

    assert_int_equal(fail(&cx, E_FAIL, NULL, "the disk is full"), E_FAIL);
    assert_null(cx.err.field);
    assert_null(cx.err.detail);
    fail_clear(&cx);
    assert_int_equal(cx.err.rc, OK);
    assert_null(cx.err.text);
    arena_destroy(cx.arena);
}

static void test_problems_are_collected(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    assert_int_equal(problems_rc(&cx), OK);
    problem(&cx, "impact", "required", "must be given");
    problem(&cx, "titel", "unknown_field", "is not a field of %s", "incident");
    assert_int_equal(problems_rc(&cx), E_INVALID);
    assert_int_equal(cx.err.rc, E_INVALID);
    assert_string_equal(cx.err.field, "impact");
    assert_string_equal(cx.err.text, "must be given");
    const struct problem *p = cx.err.problems.at;
    assert_int_equal(cx.err.problems.count, 2);
    assert_string_equal(p[1].field, "titel");
    assert_string_equal(p[1].code, "unknown_field");
    assert_string_equal(p[1].text, "is not a field of incident");
    fail_clear(&cx);
    assert_int_equal(problems_rc(&cx), OK);
    arena_destroy(cx.arena);
}

static void test_names_are_distinct(void **state)
{
    (void)state;
    for (int i = 0; i < RC_COUNT; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(rc_name((enum rc)i), rc_name((enum rc)j));
    }
    enum via via;
    for (int i = 0; i < VIA_COUNT; i++) {
        assert_true(via_from_name(via_name((enum via)i), &via));
        assert_int_equal(via, i);
    }
    assert_false(via_from_name("pigeon", &via));
    assert_false(via_from_name(NULL, &via));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_describes_once),
        cmocka_unit_test(test_problems_are_collected),
        cmocka_unit_test(test_names_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
