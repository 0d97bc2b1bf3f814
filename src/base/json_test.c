#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/test.h"

static void test_read_and_written_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want; /* NULL: the same */
    } cases[] = {
        {"null", NULL},
        {"true", NULL},
        {"false", NULL},
        {"0", NULL},
        {"-0", "0"},
        {"9223372036854775807", NULL},
        {"-9223372036854775808", NULL},
        {"1.5", NULL},
        {"0.1", NULL},
        {"1e2", "100.0"},
        {"1e300", "1e+300"},
        {"-0.0", "-0.0"},
        {"5e-324", "4.94065645841247e-324"},
        {"0.30000000000000004", NULL},
        {"\"\"", NULL},
        {" [ 1 , 2 ]\n", "[1,2]"},
        {"[]", NULL},
        {"{}", NULL},
        {"[[],{},[[]]]", NULL},
        {"{\"b\":1,\"a\":{\"c\":[null,true]},\"\":2}", NULL}, /* order stays */
        {"\"caf\\u00e9 \\ud83d\\udd25 \\/\"", "\"caf\xc3\xa9 \xf0\x9f\x94\xa5 /\""},
        {"\"\\b\\t\\n\\f\\r\\\"\\\\\\u0001\\u001f\x7f\"", NULL},
        {"\"\xe2\x80\xa8<&>\"", NULL},
    };
    struct ctx cx = {.arena = arena_create()};
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct val v;
        assert_int_equal(json_parse(&cx, cases[i].text, strlen(cases[i].text), &v), OK);
        const char *want = cases[i].want ? cases[i].want : cases[i].text;
        if (strcmp(json_from_val(&cx, v), want))
            printf("%s != %s\n", json_from_val(&cx, v), want);
    }
    arena_destroy(cx.arena);
}

static void test_values(void **state)
{
    (void)state;
    static const char text[] = "{\"n\":7,\"r\":7.0,\"t\":\"x\",\"l\":[1,\"2\"],\"f\":false}";
    struct ctx cx = {.arena = arena_create()};
    struct val v;
    assert_int_equal(json_parse(&cx, text, strlen(text), &v), OK);
    assert_int_equal(v.kind, VAL_MAP);
    assert_int_equal(v.count, 5);
    assert_int_equal(val_get(&v, "n")->kind, VAL_INT);
    assert_int_equal(val_get(&v, "r")->kind, VAL_REAL);
    assert_string_equal(val_get_text(&v, "t"), "x");
    assert_string_equal(val_get(&v, "l")->items[1].text, "2");
    assert_false(val_get(&v, "f")->flag);
    arena_destroy(cx.arena);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len; /* 0: to the NUL */
        const char *want;
    } cases[] = {
        {"", 0, "line 1 column 0: "},
        {" ", 0, "line 1 column 1: "},
        {"{\"a\":1,}", 0, "line 1 column 8: string or '}' expected"},
        {"[1,2", 0, "line 1 column 4: ']' expected"},
        {"{\n\"a\":tru}", 0, "line 2 column 7: invalid token"},
        {"{\"a\":1,\"a\":2}", 0, "line 1 column 10: duplicate object key"},
        {"{\"a\":1,\"\\u0061\":2}", 0, "line 1 column 15: duplicate object key"},
        {"{} x", 0, "line 1 column 4: end of file expected"},
        {"// no\n1", 0, "line 1 column 1: invalid token"},
        {"'a'", 0, "line 1 column 1: invalid token"},
        {"NaN", 0, "line 1 column 3: invalid token"},
        {"Infinity", 0, "line 1 column 8: invalid token"},
        {"01", 0, "line 1 column 1: invalid token"},
        {"+1", 0, "line 1 column 1: invalid token"},
        {".5", 0, "line 1 column 1: invalid token"},
        {"1.", 0, "line 1 column 2: invalid token"},
        {"0x10", 0, "line 1 column 2: end of file expected"},
        {"9223372036854775808", 0, "line 1 column 19: too big integer"},
        {"-9223372036854775809", 0, "line 1 column 20: too big negative integer"},
        {"1e400", 0, "line 1 column 5: real number overflow"},
        {"\"a\\u0000b\"", 0, "line 1 column 10: the character NUL is not allowed"},
        {"{\"a\\u0000b\":1}", 0, "line 1 column 11: the character NUL is not allowed"},
        {"\"a\0b\"", 5, "line 1 column 3: the character NUL is not allowed"},
        {"1\0", 2, "line 1 column 2: the character NUL is not allowed"},
        {"\"a\nb\"", 0, "line 1 column 2: "},
        {"\"\\x\"", 0, "line 1 column 3: invalid escape"},
        {"\"\xff\"", 0, "line 1 column 1: unable to decode byte 0xff"},
        {"\"\xc0\x80\"", 0, "line 1 column 1: unable to decode byte 0xc0"},
        {"\"\xed\xa0\x80\"", 0, "line 1 column 1: unable to decode byte 0xed"},
        {"\"\\ud800\"", 0, "line 1 column "},
        {"\"\\udc00\"", 0, "line 1 column "},
        {"\xef\xbb\xbf{}", 0, "line 1 column "}, /* a byte order mark */
    };
    struct ctx cx = {.arena = arena_create()};
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct val v = val_int(42);
        const size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
        assert_int_equal(json_parse(&cx, cases[i].text, len, &v), E_MALFORMED);
        assert_int_equal(v.i, 42);
        assert_null(strstr(cx.err.text, "near"));
        char begins[200];
        snprintf(begins, sizeof(begins), "%.*s", (int)strlen(cases[i].want), cx.err.text);
        if (strcmp(begins, cases[i].want))
            printf("%d %s\n", i, cx.err.text);
    }
    arena_destroy(cx.arena);
}

static enum rc parse_nested(struct ctx *cx, int depth, const char *before)
{
    struct buf b = {.arena = cx->arena};
    struct val v;
    buf_puts(&b, before);
    for (int i = 0; i < depth; i++)
        buf_putc(&b, '[');
    for (int i = 0; i < depth; i++)
        buf_putc(&b, ']');
    return json_parse(cx, buf_text(&b), b.len, &v);
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    assert_int_equal(parse_nested(&cx, 64, ""), OK);
    assert_int_equal(parse_nested(&cx, 65, "\n "), E_MALFORMED);
    assert_string_equal(cx.err.text, "line 2 column 66: nested deeper than 64 levels");
    assert_int_equal(parse_nested(&cx, 500000, ""), E_MALFORMED);
    struct buf brackets = {.arena = cx.arena}; /* those in texts do not count */
    buf_puts(&brackets, "\"\\\"");
    for (int i = 0; i < 100; i++)
        buf_puts(&brackets, "[{");
    buf_puts(&brackets, "\"");
    struct val v;
    assert_int_equal(json_parse(&cx, buf_text(&brackets), brackets.len, &v), OK);
    arena_destroy(cx.arena);
}

static void test_writer(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct buf b = {.arena = a};
    struct json j = {.out = &b};
    json_open(&j, '{');
    json_member_text(&j, "number", "INC-1");
    json_member_text(&j, "left out", NULL);
    json_member_int(&j, "revision", 3);
    json_key(&j, "none");
    json_text(&j, NULL);
    json_key(&j, "at");
    json_instant(&j, 1500000);
    json_key(&j, "tags");
    json_open(&j, '[');
    json_flag(&j, true);
    json_raw(&j, "{\"x\":1}");
    json_open(&j, '{');
    json_close(&j, '}');
    json_none(&j);
    json_val(&j, (struct val){.kind = VAL_REAL, .real = (double)NAN});
    json_close(&j, ']');
    json_key(&j, "last");
    json_int(&j, -1);
    json_close(&j, '}');
    assert_string_equal(buf_text(&b), "{\"number\":\"INC-1\",\"revision\":3,\"none\":null,"
                                      "\"at\":\"1970-01-01T00:00:01.500000Z\","
                                      "\"tags\":[true,{\"x\":1},{},null,null],\"last\":-1}");
    arena_destroy(a);
}

/* Every byte that needs it is escaped, wherever in a run of eight it stands. */
static void test_escapes_at_every_place(void **state)
{
    (void)state;
    static const char special[] = "\"\\\n\x01\x1f";
    struct ctx cx = {.arena = arena_create()};
    for (int len = 1; len < 20; len++) {
        for (int at = 0; at < len; at++) {
            for (const char *c = special; *c; c++) {
                char *text = arena_alloc(cx.arena, (size_t)len + 1);
                memset(text, '\xc3', (size_t)len); /* high bits must not hide or fake a hit */
                for (int i = 1; i < len; i += 2)
                    text[i] = '\xa9';
                text[at] = *c;
                const char *json = json_from_val(&cx, val_text(text));
                assert_int_equal(json[0], '"');
                assert_int_equal(json[1 + at], '\\');
                assert_memory_equal(json + 1, text, (size_t)at);
                assert_int_equal(json[strlen(json) - 1], '"');
                assert_int_equal(strcspn(json, "\n\x01\x1f"), strlen(json));
            }
        }
    }
    arena_destroy(cx.arena);
}

/* ---- what was stored ------------------------------------------------------------------------- */

static const char *random_text(struct ctx *cx, uint64_t *chance)
{
    static const char *const parts[] = {"a", "\"",   "\\", "\n", "\t",     "\x01",
                                        "/", "\x1f", "é",  "漢", "\b\f\r", "longer words"};
    struct buf b = {.arena = cx->arena};

    for (uint32_t n = next_random(chance) % 6; n; n--)
        buf_puts(&b, parts[next_random(chance) % ARRAY_LEN(parts)]);
    return buf_text(&b);
}

static struct val random_val(struct ctx *cx, uint64_t *chance, int depth)
{
    const uint32_t kind = next_random(chance) % (depth ? 7 : 5);
    const int count = (int)(next_random(chance) % 4);
    struct val *items = arena_array(cx->arena, 4, sizeof(*items));
    struct val_map map = {0};

    for (int i = 0; kind >= 5 && i < count; i++) {
        items[i] = random_val(cx, chance, depth - 1);
        val_map_set(cx->arena, &map, arena_printf(cx->arena, "%d%s", i, random_text(cx, chance)),
                    items[i]);
    }
    const struct val all[] = {
        val_null(),
        val_flag(count & 1),
        val_int((int64_t)next_random(chance) << (next_random(chance) % 32)),
        val_int(-(int64_t)next_random(chance)),
        val_text(random_text(cx, chance)),
        {.kind = VAL_LIST, .count = count, .items = items},
        val_from_map(&map),
    };
    return all[kind];
}

static void test_stored_is_what_was_written(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    uint64_t chance = 7;

    for (int i = 0; i < 20000; i++) {
        const struct val v = random_val(&cx, &chance, 4);
        struct val back;
        assert_int_equal(json_parse_stored(&cx, json_from_val(&cx, v), &back), OK);
        assert_true(val_equal(v, back));
        if (i % 100 == 0)
            arena_reset(cx.arena);
    }
    arena_destroy(cx.arena);
}

/* PostgreSQL's own spacing and everything unusual read as json_parse() reads them. */
static void test_stored_reads_as_any(void **state)
{
    static const char *const texts[] = {
        "{\"a\": 1, \"b\": [1, 2, {}], \"c\": null}",
        " [ true , false ] ",
        "1.5",
        "-0.25e3",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"\\/\"",
        "\"\\u001f\"",
        "[]",
        "",
        "{",
        "{\"a\"",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1",
        "\"open",
        "\"open\\",
        "nul",
        "1 2",
        "\"\\u0000\"",
        "\"\\x\"",
        "-",
        "[1]]",
    };
    (void)state;
    struct ctx cx = {.arena = arena_create()};

    for (int i = 0; i < ARRAY_LEN(texts); i++) {
        struct val want = {0}, is = {0};
        const enum rc rc = json_parse(&cx, texts[i], strlen(texts[i]), &want);
        assert_int_equal(json_parse_stored(&cx, texts[i], &is), rc);
        assert_true(rc != OK ||
                    (want.kind == VAL_REAL ? is.kind == VAL_REAL : val_equal(want, is)));
    }
    arena_destroy(cx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_and_written_back),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_escapes_at_every_place),
        cmocka_unit_test(test_stored_is_what_was_written),
        cmocka_unit_test(test_stored_reads_as_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
