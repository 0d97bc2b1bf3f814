#include "http/wheel.h"

#include "base/arena.h"
#include "base/test.h"

enum { TICK = 100, MANY = 2000 };

static struct wheel wheel;
static int64_t now;

struct alarm {
    struct deadline deadline;
    int64_t rang_at; /* 0: not yet */
};
static struct alarm alarms[MANY];

static void ring(struct deadline *d)
{
    ((struct alarm *)(void *)d)->rang_at = now;
}

static int begin(void **state)
{
    (void)state;
    now = 1000000;
    wheel_init(&wheel, TICK, now);
    for (int i = 0; i < MANY; i++)
        alarms[i] = (struct alarm){.deadline.fire = ring};
    return 0;
}

static void pass(int64_t us)
{
    now += us;
    wheel_turn(&wheel, now);
}

/* Deadlines from nothing to several rounds away; none early, none later than a tick. */
static void test_all_ring_in_time(void **state)
{
    (void)state;
    const int64_t from = now;
    for (int i = 0; i < MANY; i++)
        wheel_set(&wheel, &alarms[i].deadline, from + i * 37);
    while (wheel.count > 0)
        pass(TICK / 2);
    for (int i = 0; i < MANY; i++) {
        assert_true(alarms[i].rang_at > from + i * 37);
        assert_true(alarms[i].rang_at <= from + i * 37 + TICK + TICK / 2);
    }
}

static void test_moved_and_cleared(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        wheel_set(&wheel, &alarms[i].deadline, now + 250);
    wheel_set(&wheel, &alarms[1].deadline, now + 1000);
    wheel_clear(&wheel, &alarms[2].deadline);
    wheel_clear(&wheel, &alarms[2].deadline);
    pass(500);
    assert_true(alarms[0].rang_at > 0);
    assert_int_equal(alarms[1].rang_at, 0);
    pass(1000);
    assert_true(alarms[1].rang_at > 0);
    assert_int_equal(alarms[2].rang_at, 0);
    assert_int_equal(wheel.count, 0);
}

static void test_a_pause_longer_than_the_wheel(void **state)
{
    (void)state;
    const int64_t from = now;
    for (int i = 0; i < MANY; i++)
        wheel_set(&wheel, &alarms[i].deadline, now + i * 37);
    pass(MANY * 37 / 2);
    for (int i = 0; i < MANY; i++)
        if (alarms[i].rang_at == 0)
            assert_true(from + i * 37 > now - TICK);
    pass(TICK * WHEEL_SLOTS * 5);
    assert_int_equal(wheel.count, 0);
}

/* Ringing clears and sets others of the same tick. */
static void ring_and_meddle(struct deadline *d)
{
    ring(d);
    wheel_clear(&wheel, &alarms[1].deadline);
    wheel_set(&wheel, d, now);
}

static void test_deadlines_may_be_changed_while_ringing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        wheel_set(&wheel, &alarms[i].deadline, now);
    alarms[0].deadline.fire = alarms[2].deadline.fire = ring_and_meddle;
    pass(2 * TICK);
    assert_int_equal(alarms[1].rang_at, 0);
    assert_int_equal(wheel.count, 2);
    const int64_t first = alarms[0].rang_at;
    pass(2 * TICK);
    assert_true(alarms[0].rang_at > first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_ring_in_time, begin),
        cmocka_unit_test_setup(test_moved_and_cleared, begin),
        cmocka_unit_test_setup(test_a_pause_longer_than_the_wheel, begin),
        cmocka_unit_test_setup(test_deadlines_may_be_changed_while_ringing, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
