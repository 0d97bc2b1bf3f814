#include "rec/cursor.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

void cursor_order(struct query *q, const struct sort_key *keys, int count)
{
    buf_puts(&q->sql, " ORDER BY ");
    for (int i = 0; i < count; i++) {
        if (keys[i].is_nullable)
            buf_printf(&q->sql, "%s%s IS NULL", i ? ", " : "", keys[i].sql);
        buf_printf(&q->sql, "%s%s%s", i || keys[i].is_nullable ? ", " : "", keys[i].sql,
                   keys[i].is_descending ? " DESC" : "");
    }
}

/* What ties a cursor to its order, so that one of another list is refused instead of misread. */
static uint64_t signature(const struct sort_key *keys, int count)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a: the same in every process */

    for (int i = 0; i < count; i++) {
        for (const char *s = keys[i].sql; *s; s++)
            h = (h ^ (unsigned char)*s) * 1099511628211u;
        h = (h ^ keys[i].is_descending) * 1099511628211u;
    }
    return h & 0x7fffffff;
}

const char *cursor_write(struct ctx *cx, const struct sort_key *keys, int count,
                         const char *const *values)
{
    struct buf b = {.arena = cx->arena};
    struct json j = {.out = &b};

    json_open(&j, '[');
    json_int(&j, (int64_t)signature(keys, count));
    for (int i = 0; i < count; i++)
        json_text(&j, values[i]);
    json_close(&j, ']');
    return str_hex(cx->arena, buf_text(&b), b.len);
}

static enum rc refuse(struct ctx *cx)
{
    return fail(cx, E_INVALID, "cursor", "the cursor does not belong to this list");
}

static enum rc read_cursor(struct ctx *cx, const struct sort_key *keys, int count,
                           const char *cursor, struct val *ret)
{
    const size_t len = strlen(cursor) / 2;
    char *text = arena_alloc(cx->arena, len + 1);

    if (strlen(cursor) > 8192 || !str_unhex(cursor, text, len))
        return refuse(cx);
    if (json_parse(cx, text, len, ret) != OK)
        return refuse(cx);
    if (ret->kind != VAL_LIST || ret->count != count + 1 || ret->items[0].kind != VAL_INT ||
        (uint64_t)ret->items[0].i != signature(keys, count))
        return refuse(cx);
    return OK;
}

static const char *bind(struct ctx *cx, struct query *q, const struct sort_key *key,
                        const char *text, bool *ret_ok)
{
    const char *name = query_name(cx, q);
    int64_t n = 0;

    if (!key->is_text && !str_to_int(text, &n))
        *ret_ok = false;
    query_arg(cx, q, key->is_text ? TEXT(name, text) : INT(name, n));
    return name;
}

/* Behind the cursor in one key: greater (or smaller), or missing, for what is missing comes last.
 */
static void add_beyond(struct query *q, const struct sort_key *key, const char *name)
{
    if (!name) {
        buf_puts(&q->sql, "FALSE");
        return;
    }
    buf_printf(&q->sql, "%s %s :%s", key->sql, key->is_descending ? "<" : ">", name);
    if (key->is_nullable)
        buf_printf(&q->sql, " OR %s IS NULL", key->sql);
}

static void add_equal(struct query *q, const struct sort_key *key, const char *name)
{
    if (name)
        buf_printf(&q->sql, "%s = :%s", key->sql, name);
    else
        buf_printf(&q->sql, "%s IS NULL", key->sql);
}

enum rc cursor_after(struct ctx *cx, struct query *q, const struct sort_key *keys, int count,
                     const char *cursor)
{
    struct val at;
    const char *names[16] = {NULL};
    bool ok = count <= ARRAY_LEN(names);

    TRY(read_cursor(cx, keys, count, cursor, &at));
    for (int i = 0; ok && i < count; i++) {
        if (at.items[i + 1].kind == VAL_TEXT)
            names[i] = bind(cx, q, &keys[i], at.items[i + 1].text, &ok);
        else
            ok = keys[i].is_nullable && val_is_null(at.items[i + 1]);
    }
    if (!ok)
        return refuse(cx);

    buf_puts(&q->sql, " AND ");
    if (names[0] && !keys[0].is_nullable) /* lets the index begin at the page, not before it */
        buf_printf(&q->sql, "%s %s :%s AND ", keys[0].sql,
                   keys[0].is_descending ? "<=" : ">=", names[0]);
    for (int i = 0; i < count; i++) {
        buf_putc(&q->sql, '(');
        add_beyond(q, &keys[i], names[i]);
        if (i + 1 == count)
            break;
        buf_puts(&q->sql, " OR (");
        add_equal(q, &keys[i], names[i]);
        buf_puts(&q->sql, " AND ");
    }
    buf_putc(&q->sql, ')');
    for (int i = 0; i + 1 < count; i++)
        buf_puts(&q->sql, "))");
    return OK;
}
