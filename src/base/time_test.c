#include "base/time.h"

#include <string.h>

#include "base/arena.h"
#include "base/test.h"

static void test_instants(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
        {"2026-02-28T23:30:00-01:00", "2026-03-01T00:30:00Z"},
        {"2024-02-29t12:00:00z", "2024-02-29T12:00:00Z"},
        {"2024-02-29 12:00:00+14:00", "2024-02-28T22:00:00Z"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"},
        {"2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"},
        {"2026-01-01T00:00:00.000000999Z", "2026-01-01T00:00:00Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        {"2016-12-31T18:59:60.25-05:00", "2017-01-01T00:00:00.250000Z"},
        {"2016-12-31T23:58:60Z", NULL}, /* no leap second there */
        {"2016-12-31T22:59:60Z", NULL},
        {"2016-12-31T23:59:61Z", NULL},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
        {"0001-01-01T00:00:00+00:01", NULL}, /* the year 0 */
        {"9999-12-31T23:59:59-00:01", NULL}, /* the year 10000 */
        {"0000-01-01T00:00:00Z", NULL},
        {"2025-02-29T00:00:00Z", NULL},
        {"1900-02-29T00:00:00Z", NULL},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"},
        {"2026-13-01T00:00:00Z", NULL},
        {"2026-00-01T00:00:00Z", NULL},
        {"2026-04-31T00:00:00Z", NULL},
        {"2026-01-00T00:00:00Z", NULL},
        {"2026-01-01T24:00:00Z", NULL},
        {"2026-01-01T00:60:00Z", NULL},
        {"2026-01-01T00:00:00", NULL}, /* without an offset it is no instant */
        {"2026-01-01T00:00Z", NULL},
        {"2026-01-01T00:00:00.Z", NULL},
        {"2026-01-01T00:00:00.1234567890Z", NULL},
        {"2026-01-01T00:00:00+24:00", NULL},
        {"2026-01-01T00:00:00+01:60", NULL},
        {"2026-01-01T00:00:00+0100", NULL},
        {"2026-01-01T00:00:00Z ", NULL},
        {" 2026-01-01T00:00:00Z", NULL},
        {"2026-1-1T00:00:00Z", NULL},
        {"+026-01-01T00:00:00Z", NULL},
        {"2026-01-01", NULL},
        {"", NULL},
    };
    struct arena *a = arena_create();
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t at = 42;
        assert_int_equal(time_parse_instant(cases[i].s, &at), cases[i].want != NULL);
        if (cases[i].want)
            assert_string_equal(time_format_instant(a, at), cases[i].want);
        else
            assert_int_equal(at, 42);
    }
    arena_destroy(a);
}

static void test_instants_fit_their_room(void **state)
{
    (void)state;
    char text[32];
    const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
    for (int i = 0; i < ARRAY_LEN(extremes); i++)
        assert_in_range(time_write_instant(extremes[i], text), 20, 32);
}

/* Every day of 800 years, one after the other, as a calendar on paper would go on. */
static void test_every_day(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = time_days_from_civil(1600, 1, 1);
    assert_int_equal(days, -135140);
    for (int year = 1600; year < 2400; year++) {
        const int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= lengths[month - 1] + (month == 2 ? leap : 0); day++, days++) {
                int64_t y;
                int m, d;
                time_civil_from_days(days, &y, &m, &d);
                assert_true(y == year && m == month && d == day);
                assert_true(time_days_from_civil(year, month, day) == days);
            }
        }
    }
}

static void test_dates(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    int64_t days = 42;
    assert_true(time_parse_date("1970-01-02", &days));
    assert_int_equal(days, 1);
    assert_true(time_parse_date("0001-01-01", &days));
    assert_string_equal(time_format_date(a, days), "0001-01-01");
    assert_true(time_parse_date("9999-12-31", &days));
    assert_string_equal(time_format_date(a, days), "9999-12-31");
    static const char *const refused[] = {"2026-02-29", "2026-1-01", "20260101",   "2026-01-01T",
                                          "0000-01-01", "",          "2026/01/01", "2026-01-32"};
    for (int i = 0; i < ARRAY_LEN(refused); i++)
        assert_false(time_parse_date(refused[i], &days));
    arena_destroy(a);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        int64_t us;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"PT0S", 0, "PT0S"},
        {"PT1H30M", 90 * US_PER_MIN, "PT1H30M"},
        {"PT90M", 90 * US_PER_MIN, "PT1H30M"},
        {"P2DT12H", 60 * US_PER_HOUR, "P2DT12H"},
        {"P1W", 7 * US_PER_DAY, "P7D"},
        {"P1W2D", 9 * US_PER_DAY, "P9D"},
        {"PT0.25S", 250000, "PT0.250000S"},
        {"PT1.0000019S", 1000001, "PT1.000001S"},
        {"-PT5M", -5 * US_PER_MIN, "-PT5M"},
        {"P1Y", 0, NULL},
        {"P1M", 0, NULL}, /* a month, not a minute */
        {"PT1D", 0, NULL},
        {"P1H", 0, NULL},
        {"PT1M1H", 0, NULL},
        {"PT1HT1M", 0, NULL},
        {"PT1H1H", 0, NULL},
        {"P", 0, NULL},
        {"PT", 0, NULL},
        {"P1DT", 0, NULL},
        {"PT1.5H", 0, NULL},
        {"PT1.S", 0, NULL},
        {"PT-1H", 0, NULL},
        {"P1", 0, NULL},
        {"1H", 0, NULL},
        {"PT1H ", 0, NULL},
        {"P99999999999999D", 0, NULL},
        {"P106751991DT23H", 0, NULL}, /* the sum is too large */
        {"", 0, NULL},
    };
    struct arena *a = arena_create();
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 42;
        assert_int_equal(time_parse_duration(cases[i].s, &us), cases[i].want != NULL);
        assert_int_equal(us, cases[i].want ? cases[i].us : 42);
        if (cases[i].want)
            assert_string_equal(time_format_duration(a, us), cases[i].want);
    }
    assert_string_equal(time_format_duration(a, INT64_MIN), "-P106751991DT4H54.775808S");
    arena_destroy(a);
}

static void test_spans(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"10 s", 10 * US_PER_S},
        {"30 min", 30 * US_PER_MIN},
        {"8 h", 8 * US_PER_HOUR},
        {"2 days", 2 * US_PER_DAY},
        {"1 day", US_PER_DAY},
        {"1 week", 7 * US_PER_DAY},
        {"500ms", 500000},
        {"0 s", 0},
        {"10", -1},
        {"s", -1},
        {"-1 s", -1},
        {"1.5 h", -1},
        {"1 month", -1},
        {"1  s", -1},
        {"1 s ", -1},
        {"9999999999999 d", -1},
        {"", -1},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;
        assert_int_equal(time_parse_span(cases[i].s, &us), cases[i].want >= 0);
        assert_int_equal(us, cases[i].want);
    }
}

static void test_clock(void **state)
{
    (void)state;
    const int64_t before = clock_now();
    assert_true(before > INT64_C(1700000000) * US_PER_S);
    clock_shift(5 * US_PER_DAY);
    assert_true(clock_now() - before >= 5 * US_PER_DAY);
    clock_shift(0);
    assert_true(clock_now() - before < US_PER_DAY);
    const int64_t start = clock_monotonic();
    assert_true(clock_monotonic() >= start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instants),  cmocka_unit_test(test_instants_fit_their_room),
        cmocka_unit_test(test_every_day), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_durations), cmocka_unit_test(test_spans),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
