#include "base/str.h"
#include "base/test.h"
#include "connect/source_test.h"

static enum rc read_xes(struct ctx *cx, const char *text, size_t len, size_t cut, struct buf *out)
{
    struct xes *x = xes_create(cx, note_row, out);

    for (size_t i = 0; cut == EVERY_BYTE && i < len; i++)
        TRY(xes_add(x, text + i, 1));
    if (cut != EVERY_BYTE) {
        TRY(xes_add(x, text, cut));
        TRY(xes_add(x, text + cut, len - cut));
    }
    return xes_finish(x);
}

#define EVENT(inside)                                                                              \
    "<log><trace><string key=\"n\" value=\"1\"/><event>" inside "</event></trace></log>"

static const struct {
    const char *text, *want;
} cases[] = {
    {"<log></log>", ""},
    {"<log><trace/></log>", ""},
    {EVENT(""), "1: case:n=1\n"},
    {EVENT("<string key='a' value='&lt;x&gt; &#x41;'/><date key='t' value='now'/>"),
     "1: a=<x> A t=now case:n=1\n"},
    {"<log>\n<trace>\n<event>\n<int key='a' value='1'/>\n</event>\n<event>\n"
     "<float key='b' value='2.5'/>\n</event>\n</trace>\n</log>",
     "3: a=1\n6: b=2.5\n"},
    /* what belongs to one trace does not go over to the next */
    {"<log><trace><id key='n' value='1'/><event/></trace><trace><event/></trace></log>",
     "1: case:n=1\n1:\n"},
    /* attributes of attributes, lists and what the log says of itself are passed over */
    {"<log><string key='n' value='log'/><global scope='event'><string key='g' value='x'/></global>"
     "<trace><event><string key='a' value='1'><string key='inner' value='2'/></string>"
     "<list key='l'><values><string key='v' value='3'/></values></list></event></trace></log>",
     "1: a=1\n"},
    /* an event outside of a trace is none */
    {"<log><event><string key='a' value='1'/></event></log>", ""},
    {EVENT("<boolean key='a'/>"), "! line 1: an attribute without key or value\n"},
    {"<!DOCTYPE log><log/>", "! line 1: a document type is not accepted\n"},
    {"<log><trace></log>", "! line 1: mismatched tag\n"},
    {"<log>", "! line 1: no element found\n"},
    {"", "! line 1: no element found\n"},
    {"<log>&nbsp;</log>", "! line 1: undefined entity\n"},
    {"<log/><log/>", "! line 1: junk after document element\n"},
    {EVENT("") "\n<x>", "1: case:n=1\n! line 2: junk after document element\n"},
};

static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx cx = {.arena = arena_create()};
        const size_t len = strlen(cases[i].text);
        assert_string_equal(rows_of(&cx, read_xes, cases[i].text, len, EVERY_BYTE), cases[i].want);
        for (size_t cut = 0; cut <= len; cut++)
            assert_string_equal(rows_of(&cx, read_xes, cases[i].text, len, cut), cases[i].want);
        arena_destroy(cx.arena);
    }
}

static void test_limits(void **state)
{
    struct ctx cx = {.arena = arena_create()};
    struct buf deep = {.arena = cx.arena}, many = {.arena = cx.arena}, wide = {.arena = cx.arena};

    (void)state;
    for (int i = 0; i < 33; i++)
        buf_puts(&deep, "<a>");
    assert_string_equal(rows_of(&cx, read_xes, deep.at, deep.len, 0),
                        "! line 1: nested too deep\n");
    buf_puts(&many, "<log><trace><event>");
    for (int i = 0; i < 501; i++)
        buf_puts(&many, "<int key='a' value='1'/>");
    assert_string_equal(rows_of(&cx, read_xes, many.at, many.len, 0),
                        "! line 1: too many or too long attributes\n");
    buf_puts(&wide, "<log><trace><event><string key='a' value='");
    for (int i = 0; i < 65537; i++)
        buf_puts(&wide, "x");
    buf_puts(&wide, "'/>");
    struct buf open = {.arena = cx.arena};
    buf_puts(&open, "<log>\n<!-- ");
    for (int i = 0; i < 1 << 20; i++)
        buf_puts(&open, "x");
    assert_string_equal(rows_of(&cx, read_xes, open.at, open.len, 0),
                        "! line 2: a tag without an end\n");
    assert_string_equal(rows_of(&cx, read_xes, wide.at, wide.len, 0),
                        "! line 1: too many or too long attributes\n");
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
    static const char text[] = "<log><trace><event/><event/><event/></trace></log>";
    struct ctx cx = {.arena = arena_create()};
    int rows = 0;
    struct xes *x = xes_create(&cx, stop_at_once, &rows);

    (void)state;
    assert_int_equal(xes_add(x, text, strlen(text)), E_CONFLICT);
    assert_int_equal(rows, 1);
    assert_string_equal(cx.err.text, "enough");
    arena_destroy(cx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
