/* fuzz_json.c - any text is a value, which written and read again is the same, or a refusal that
 * names a place. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/ctx.h"
#include "base/json.h"
#include "base/str.h"

static void check_value(const struct val *v, int depth)
{
    assert(depth <= 64);
    assert(v->count >= 0);
    if (v->kind == VAL_TEXT)
        assert(str_is_utf8(v->text, strlen(v->text)));
    for (int i = 0; v->kind == VAL_LIST && i < v->count; i++)
        check_value(&v->items[i], depth + 1);
    for (int i = 0; v->kind == VAL_MAP && i < v->count; i++) {
        assert(str_is_utf8(v->members[i].name, strlen(v->members[i].name)));
        check_value(&v->members[i].val, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx cx = {.arena = arena_create()};
    struct val v;
    if (json_parse(&cx, (const char *)data, size, &v) == OK) {
        check_value(&v, 0);
        const char *written = json_from_val(&cx, v);
        struct val again;
        enum rc rc = json_parse(&cx, written, strlen(written), &again);
        assert(rc == OK);
        assert(val_equal(v, again));
        assert(val_equal(v, val_copy(cx.arena, again)));
    } else {
        assert(cx.err.rc == E_MALFORMED && str_starts(cx.err.text, "line "));
        assert(str_is_utf8(cx.err.text, strlen(cx.err.text)));
    }
    arena_destroy(cx.arena);
    return 0;
}
