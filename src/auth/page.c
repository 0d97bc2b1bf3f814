#include "auth/page.h"

#include <string.h>

#include "base/ctx.h"
#include "base/str.h"
#include "lang/words.h"

enum { MOST_ROWS = 500, LONGEST_WORDS = 200 };

const char *page_cursor(struct ctx *cx, int64_t id, const char *folded_name)
{
    return arena_printf(cx->arena, "%lld.%s", (long long)id,
                        str_hex(cx->arena, folded_name, strlen(folded_name)));
}

static enum rc read_cursor(struct ctx *cx, const char *cursor, struct page *p)
{
    const char *dot = strchr(cursor, '.');
    const size_t len = dot ? strlen(dot + 1) / 2 : 0;
    char *name = arena_alloc(cx->arena, len + 1);
    if (!dot ||
        !str_to_int(arena_strndup(cx->arena, cursor, (size_t)(dot - cursor)), &p->after_id) ||
        !str_unhex(dot + 1, name, len) || !str_is_utf8(name, len))
        return fail(cx, E_INVALID, "cursor", "is not one that a list gave");
    p->after_name = name;
    return OK;
}

/* The own organisation is seen by name at least. */
static void see(struct ctx *cx, struct page *p)
{
    const struct reach reach = auth_right_reach(cx, "people.view");
    const int64_t own = cx->user ? cx->user->org_id : 0;
    p->detailed = reach;
    int64_t *seen = arena_array(cx->arena, (size_t)reach.org_count + 1, sizeof(*seen));
    if (reach.org_count)
        memcpy(seen, reach.orgs, (size_t)reach.org_count * sizeof(*seen));
    seen[reach.org_count] = own;
    p->seen = seen;
    p->seen_count = reach.org_count + (own != 0);
}

enum rc page_begin(struct ctx *cx, const struct people_query *q, struct page *ret)
{
    if (q->limit < 1 || q->limit > MOST_ROWS)
        return fail(cx, E_INVALID, "limit", "must be between 1 and %d", MOST_ROWS);
    if (q->words && strlen(q->words) > LONGEST_WORDS)
        return fail(cx, E_INVALID, "words", "must be at most %d bytes long", LONGEST_WORDS);
    struct page p = {
        .org_id = q->org_id,
        .words = q->words ? words_fold(cx->arena, q->words) : "",
        .after_name = "",
        .limit = q->limit,
    };
    if (q->cursor)
        TRY(read_cursor(cx, q->cursor, &p));
    see(cx, &p);
    *ret = p;
    return OK;
}
