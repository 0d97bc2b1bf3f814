#include <stdio.h>

#include "auth/auth_test.h"

static void test_bucket(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create(), .now = 1700000000 * US_PER_S};
    struct rate r;
    for (int i = 0; i < 60; i++) {
        assert_true(auth_rate(&cx, "one", 60, &r));
        assert_int_equal(r.left, 59 - i);
        assert_int_equal(r.limit, 60);
    }
    assert_false(auth_rate(&cx, "one", 60, &r));
    assert_int_equal(r.left, 0);
    assert_int_equal(r.reset_us, US_PER_S);
    assert_true(auth_rate(&cx, "two", 60, &r)); /* each has an own one */
    assert_true(auth_rate(&cx, "one", 30, &r)); /* for each limit */

    cx.now += US_PER_S - 1;
    assert_false(auth_rate(&cx, "one", 60, &r));
    assert_int_equal(r.reset_us, 1);
    cx.now += 1;
    assert_true(auth_rate(&cx, "one", 60, &r));
    assert_false(auth_rate(&cx, "one", 60, &r));

    cx.now -= US_PER_HOUR; /* the clock is set back: nobody is shut out for an hour */
    assert_false(auth_rate(&cx, "one", 60, &r));
    cx.now += US_PER_S;
    assert_true(auth_rate(&cx, "one", 60, &r));

    cx.now += US_PER_DAY; /* never more than a minute's worth */
    for (int i = 0; i < 60; i++)
        assert_true(auth_rate(&cx, "one", 60, &r));
    assert_false(auth_rate(&cx, "one", 60, &r));
    arena_destroy(cx.arena);
}

/* Many names make it forget full buckets, not those that are being limited. */
static void test_is_bounded(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create(), .now = 1800000000 * US_PER_S};
    struct rate r;
    while (auth_rate(&cx, "hot", 600, &r))
        continue;
    char name[32];
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof(name), "peer %d", i);
        assert_true(auth_rate(&cx, name, 600, &r));
        if (i % 1000 == 0)
            assert_false(auth_rate(&cx, "hot", 600, &r));
    }
    assert_false(auth_rate(&cx, "hot", 600, &r));
    arena_destroy(cx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket),
        cmocka_unit_test(test_is_bounded),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
