#include "base/test.h"
#include "connect/source_test.h"

static enum rc read_csv(struct ctx *cx, const char *text, size_t len, size_t cut, struct buf *out)
{
    struct csv *c = csv_create(cx, ',', note_row, out);

    for (size_t i = 0; cut == EVERY_BYTE && i < len; i++)
        TRY(csv_add(c, text + i, 1));
    if (cut != EVERY_BYTE) {
        TRY(csv_add(c, text, cut));
        TRY(csv_add(c, text + cut, len - cut));
    }
    return csv_finish(c);
}

static const struct {
    const char *text, *want;
} cases[] = {
    {"", ""},
    {"a,b\n", ""},
    {"a,b\n1,2\n", "2: a=1 b=2\n"},
    {"a,b\r\n1,2\r\n3,4", "2: a=1 b=2\n3: a=3 b=4\n"},
    {"\xef\xbb\xbf"
     "a,b\n1,\n",
     "2: a=1 b=\n"},
    {"a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "2: a=x,y b=say \"hi\"\n"},
    {"a,b\n\"one\ntwo\",3\n4,5\n", "2: a=one\ntwo b=3\n4: a=4 b=5\n"},
    {"a\n\n1\n\n", "3: a=1\n"},
    {"a,b\n\"\",\"\"\n", "2: a= b=\n"},
    {"a,b\n1\n", "! line 2: 1 columns where the first row has 2\n"},
    {"a,b\n1,2,3\n", "! line 2: 3 columns where the first row has 2\n"},
    {"a\n1\n\"x", "2: a=1\n! line 3: the file ends inside quotes\n"},
    {"a\n\"x\"y\n", "! line 2: something follows a closing quote\n"},
    {"a\nx\"y\n", "2: a=x\"y\n"},
    {"a\n\xff\n", "! line 2: not UTF-8\n"},
};

static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx cx = {.arena = arena_create()};
        const size_t len = strlen(cases[i].text);
        assert_string_equal(rows_of(&cx, read_csv, cases[i].text, len, EVERY_BYTE), cases[i].want);
        for (size_t cut = 0; cut <= len; cut++)
            assert_string_equal(rows_of(&cx, read_csv, cases[i].text, len, cut), cases[i].want);
        arena_destroy(cx.arena);
    }
}

static void test_nul(void **state)
{
    struct ctx cx = {.arena = arena_create()};

    (void)state;
    assert_string_equal(rows_of(&cx, read_csv, "a\nx\0y\n", 6, 0), "! line 2: a NUL character\n");
    assert_string_equal(rows_of(&cx, read_csv, "a\n\"\0\"\n", 6, 3), "! line 2: a NUL character\n");
    arena_destroy(cx.arena);
}

static void test_limits(void **state)
{
    struct ctx cx = {.arena = arena_create()};
    struct buf wide = {.arena = cx.arena}, long_cell = {.arena = cx.arena};

    (void)state;
    for (int i = 0; i < 501; i++)
        buf_puts(&wide, "x,");
    for (int i = 0; i < 65537; i++)
        buf_puts(&long_cell, "x");
    assert_string_equal(rows_of(&cx, read_csv, wide.at, wide.len, 0),
                        "! line 1: too many columns\n");
    assert_string_equal(rows_of(&cx, read_csv, long_cell.at, long_cell.len, 0),
                        "! line 1: a cell is too long\n");
    arena_destroy(cx.arena);
}

static enum rc stop_at_once(struct ctx *cx, const struct source_row *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
    return fail(cx, E_CONFLICT, NULL, "enough");
}

static void test_stopped(void **state)
{
    struct ctx cx = {.arena = arena_create()};
    int rows = 0;
    struct csv *c = csv_create(&cx, ',', stop_at_once, &rows);

    (void)state;
    assert_int_equal(csv_add(c, "a\n1\n2\n3\n", 8), E_CONFLICT);
    assert_int_equal(rows, 1);
    arena_destroy(cx.arena);
}

static void test_get(void **state)
{
    struct attribute attributes[] = {{"a", "1"}, {"b", ""}};
    const struct source_row row = {.attributes = {attributes, 2, 2}};

    (void)state;
    assert_string_equal(row_get(&row, "a"), "1");
    assert_string_equal(row_get(&row, "b"), "");
    assert_null(row_get(&row, "c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_nul), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_stopped), cmocka_unit_test(test_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
