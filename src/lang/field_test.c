#include "lang/process.h"

#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/test.h"
#include "base/time.h"
#include "lang/scaled.h"

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

static const struct choice colours[] = {{"red"}, {"green"}, {"puce", NULL, true}, {0}};
static const struct tree_node nodes[] = {{"a"}, {"a/b"}, {"old", NULL, true}};
static const struct tree places = {"places", nodes, ARRAY_LEN(nodes)};

enum known {
    LINE,
    SHORT,
    PROSE,
    COUNT,
    SIZE,
    SHARE,
    COST,
    YEN,
    SURE,
    COLOUR,
    PLACE,
    DAY,
    MOMENT,
    LENGTH,
    WHO,
    WHICH,
    MANY
};
static const struct field fields[] = {
    [LINE] = {.name = "line", .type = TYPE_TEXT, .most = 500},
    [SHORT] = {.name = "short", .type = TYPE_TEXT, .most = 5},
    [PROSE] = {.name = "prose", .type = TYPE_LONG_TEXT, .most = 1 << 20},
    [COUNT] = {.name = "count", .type = TYPE_NUMBER, .least = -SCALED_MOST, .most = SCALED_MOST},
    [SIZE] = {.name = "size", .type = TYPE_NUMBER, .decimals = 2, .least = 0, .most = 1000},
    [SHARE] =
        {.name = "share", .type = TYPE_NUMBER, .decimals = 6, .least = 0, .most = SCALED_MOST},
    [COST] = {.name = "cost",
              .type = TYPE_MONEY,
              .decimals = 2,
              .currency = "EUR",
              .least = -SCALED_MOST,
              .most = SCALED_MOST},
    [YEN] = {.name = "yen", .type = TYPE_MONEY, .currency = "JPY", .least = 0, .most = SCALED_MOST},
    [SURE] = {.name = "sure", .type = TYPE_FLAG},
    [COLOUR] = {.name = "colour", .type = TYPE_CHOICE, .choices = colours},
    [PLACE] = {.name = "place", .type = TYPE_TREE, .tree = &places},
    [DAY] = {.name = "day", .type = TYPE_DATE},
    [MOMENT] = {.name = "moment", .type = TYPE_INSTANT},
    [LENGTH] = {.name = "length", .type = TYPE_DURATION},
    [WHO] = {.name = "who", .type = TYPE_PERSON},
    [WHICH] = {.name = "which", .type = TYPE_LINK},
    [MANY] = {.name = "many", .type = TYPE_LINKS},
};

/* What comes in as JSON, and either what goes out again or "code: what is wrong". */
static const struct {
    enum known field;
    const char *in, *out;
} cases[] = {
    {LINE, "null", "null"},
    {LINE, "\"a b\"", "\"a b\""},
    {LINE, "\" a \"", "\" a \""},
    {LINE, "\"\"", "null"},
    {LINE, "\"  \"", "null"},
    {LINE, "\"a\\nb\"", "format: must be one line"},
    {LINE, "\"a\\tb\"", "format: must not contain control characters"},
    {LINE, "\"a\\u0085b\"", "format: must not contain control characters"},
    {LINE, "\"\\u00a0\"", "\"\u00a0\""},
    {LINE, "7", "type: must be a text"},
    {SHORT, "\"12345\"", "\"12345\""},
    {SHORT, "\"12345\\u00e9\"", "too_long: must not be longer than 5 bytes"},
    {PROSE, "\"a\\nb\\tc\"", "\"a\\nb\\tc\""},
    {PROSE, "\"a\\r\\nb\\r\\n\"", "\"a\\nb\\n\""},
    {PROSE, "\"a\\rb\"", "format: must not contain control characters"},
    {PROSE, "\"a\\u001bb\"", "format: must not contain control characters"},
    {COUNT, "12", "12"},
    {COUNT, "-12", "-12"},
    {COUNT, "\"12\"", "12"},
    {COUNT, "1e3", "1000"},
    {COUNT, "1.5", "format: must be a whole number"},
    {COUNT, "\"1.5\"", "format: must be a whole number"},
    {COUNT, "\" 1\"", "format: must be a whole number"},
    {COUNT, "\"\"", "format: must be a whole number"},
    {COUNT, "9007199254740991", "9007199254740991"},
    {COUNT, "9007199254740992", "format: must be a whole number"},
    {COUNT, "1e300", "format: must be a whole number"},
    {COUNT, "true", "type: must be a number"},
    {SIZE, "0.1", "0.10"},
    {SIZE, "\"7\"", "7.00"},
    {SIZE, "2.675", "format: must be a number with at most 2 decimals"},
    {SIZE, "10.01", "range: must be between 0.00 and 10.00"},
    {SIZE, "-0.01", "range: must be between 0.00 and 10.00"},
    {SHARE, "0.000001", "0.000001"},
    {SHARE, "0.0000001", "format: must be a number with at most 6 decimals"},
    {SHARE, "-1", "range: must be at least 0.000000"},
    {COST, "{\"amount\": \"12.50\", \"currency\": \"EUR\"}",
     "{\"amount\":\"12.50\",\"currency\":\"EUR\"}"},
    {COST, "{\"amount\": -3}", "{\"amount\":\"-3.00\",\"currency\":\"EUR\"}"},
    {COST, "\"0.05\"", "{\"amount\":\"0.05\",\"currency\":\"EUR\"}"},
    {COST, "12.5", "{\"amount\":\"12.50\",\"currency\":\"EUR\"}"},
    {COST, "\"12.505\"", "format: must be a number with at most 2 decimals"},
    {COST, "{\"amount\": 1, \"currency\": \"USD\"}", "currency: must be in EUR"},
    {COST, "{\"currency\": \"EUR\"}", "required: has no amount"},
    {COST, "{\"sum\": 1}", "format: has amount and currency, not 'sum'"},
    {YEN, "1200", "{\"amount\":\"1200\",\"currency\":\"JPY\"}"},
    {SURE, "true", "true"},
    {SURE, "\"true\"", "type: must be true or false"},
    {COLOUR, "\"red\"", "\"red\""},
    {COLOUR, "\"puce\"", "retired: 'puce' cannot be chosen any more"},
    {COLOUR, "\"gren\"", "choice: has no choice 'gren'; did you mean 'green'?"},
    {COLOUR, "\"\"", "choice: has no choice ''"},
    {COLOUR, "1", "type: must be one of its choices, as a text"},
    {PLACE, "\"a/b\"", "\"a/b\""},
    {PLACE, "\"a/c\"", "choice: has no 'a/c'"},
    {PLACE, "\"old\"", "retired: 'old' cannot be chosen any more"},
    {DAY, "\"2024-02-29\"", "\"2024-02-29\""},
    {DAY, "\"2023-02-29\"", "format: must be a date such as 2026-01-31"},
    {MOMENT, "\"2026-01-31T10:30:00+01:00\"", "\"2026-01-31T09:30:00Z\""},
    {MOMENT, "1769851800", "format: must be an instant such as 2026-01-31T09:30:00Z"},
    {LENGTH, "\"PT90M\"", "\"PT1H30M\""},
    {LENGTH, "5400", "\"PT1H30M\""},
    {LENGTH, "-1", "format: must be a duration such as PT1H30M, or seconds"},
    {LENGTH, "99999999999", "format: must be a duration such as PT1H30M, or seconds"},
    {LENGTH, "\"P1M\"", "format: must be a duration such as PT1H30M, or seconds"},
    {WHO, "\"anna\"", "\"anna\""},
    {WHO, "17", "17"},
    {WHO, "\"\"", "null"},
    {WHO, "0", "type: must be a name or an id"},
    {WHO, "\"a\\u0000b\"", NULL}, /* not JSON for us */
    {WHICH, "\"INC-7\"", "\"INC-7\""},
    {MANY, "[\"INC-7\", 8]", "[\"INC-7\",8]"},
    {MANY, "[]", "[]"},
    {MANY, "[null]", "type: must be a list of names or ids"},
    {MANY, "\"INC-7\"", "type: must be a list of names or ids"},
};

static const char *outcome(const struct field *f, struct val in)
{
    struct val v;
    struct buf out = {.arena = cx.arena};
    struct json j = {.out = &out};
    if (field_read(&cx, f, in, &v) == OK) {
        field_write(&j, f, v);
        return buf_text(&out);
    }
    assert_int_equal(cx.err.problems.count, 1);
    const struct problem *p = cx.err.problems.at;
    assert_string_equal(p->field, f->name);
    const char *text = arena_printf(cx.arena, "%s: %s", p->code, p->text);
    fail_clear(&cx);
    return text;
}

static void test_values_in_and_out(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct val in;
        if (json_parse(&cx, cases[i].in, strlen(cases[i].in), &in) != OK) {
            assert_null(cases[i].out);
            fail_clear(&cx);
            continue;
        }
        assert_non_null(cases[i].out);
        assert_string_equal(outcome(&fields[cases[i].field], in), cases[i].out);
    }
}

/* What was written is read as the same again. */
static void test_what_is_written_can_be_read(void **state)
{
    (void)state;
    static const struct {
        enum known field;
        int64_t n;
    } values[] = {
        {COUNT, 0},        {COUNT, -7}, {SIZE, 5},           {SIZE, 1000}, {SHARE, 1},
        {SHARE, 12345678}, {COST, -5},  {COST, SCALED_MOST}, {YEN, 3},     {DAY, -1},
        {DAY, 20000},      {MOMENT, 1}, {MOMENT, 0},         {LENGTH, 0},  {LENGTH, US_PER_DAY},
    };
    for (int i = 0; i < ARRAY_LEN(values); i++) {
        const struct field *f = &fields[values[i].field];
        struct buf out = {.arena = cx.arena};
        struct json j = {.out = &out};
        struct val read, back;
        field_write(&j, f, val_int(values[i].n));
        assert_int_equal(json_parse(&cx, buf_text(&out), out.len, &read), OK);
        assert_int_equal(field_read(&cx, f, read, &back), OK);
        assert_true(val_equal(back, val_int(values[i].n)));
    }
}

static void test_scaled_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int decimals;
        bool is_good;
        int64_t n;
    } numbers[] = {
        {"0", 0, true, 0},
        {"-0", 2, true, 0},
        {"007", 0, true, 7},
        {"1.", 2, false, 0},
        {".5", 2, false, 0},
        {"1.50", 2, true, 150},
        {"1.500", 2, false, 0},
        {"+1", 2, false, 0},
        {"1e3", 2, false, 0},
        {"", 0, false, 0},
        {"-", 0, false, 0},
        {"1 ", 0, false, 0},
        {"-1.5", 1, true, -15},
        {"0x10", 0, false, 0},
        {"90071992547409.91", 2, true, SCALED_MOST},
        {"90071992547409.92", 2, false, 0},
        {"99999999999999999999999", 0, false, 0},
    };
    for (int i = 0; i < ARRAY_LEN(numbers); i++) {
        int64_t n = 0;
        assert_int_equal(scaled_parse(numbers[i].text, numbers[i].decimals, &n),
                         numbers[i].is_good);
        assert_int_equal(n, numbers[i].n);
    }
}

static void test_scaled_numbers_from_reals(void **state)
{
    (void)state;
    int64_t n;
    for (int64_t i = 0; i < 100000; i++) {
        const double real = (double)i / 100;
        assert_true(scaled_from_real(real, 2, &n));
        assert_int_equal(n, i);
    }
    assert_false(scaled_from_real(0.125, 2, &n));
    assert_false(scaled_from_real(1e308 * 10, 2, &n)); /* infinity */
    assert_false(scaled_from_real(0.0 / 0.0, 2, &n));
}

static void test_currencies(void **state)
{
    (void)state;
    assert_int_equal(currency_decimals("EUR"), 2);
    assert_int_equal(currency_decimals("JPY"), 0);
    assert_int_equal(currency_decimals("KWD"), 3);
    assert_int_equal(currency_decimals("eur"), -1);
    assert_int_equal(currency_decimals("EURO"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_in_and_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_written_can_be_read, setup, teardown),
        cmocka_unit_test(test_scaled_numbers),
        cmocka_unit_test(test_scaled_numbers_from_reals),
        cmocka_unit_test(test_currencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
