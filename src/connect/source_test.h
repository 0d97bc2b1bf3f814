/* source_test.h - what the tests of both readers share: rows as a text, whole and in pieces. */
#ifndef CONNECT_SOURCE_TEST_H
#define CONNECT_SOURCE_TEST_H

#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "connect/source.h"

/* "2: a=1 b=two\n" for each row. */
static inline enum rc note_row(struct ctx *cx, const struct source_row *row, void *arg)
{
    struct buf *out = arg;
    const struct attribute *a = row->attributes.at;

    (void)cx;
    buf_printf(out, "%lld:", (long long)row->line);
    for (int i = 0; i < row->attributes.count; i++)
        buf_printf(out, " %s=%s", a[i].name, a[i].value);
    buf_puts(out, "\n");
    return OK;
}

/* Reads bytes [from, to); adds what came out, or the failure as "! text". */
typedef enum rc (*read_fn)(struct ctx *cx, const char *text, size_t len, size_t cut,
                           struct buf *out);

static inline const char *rows_of(struct ctx *cx, read_fn read, const char *text, size_t len,
                                  size_t cut)
{
    struct buf out = {.arena = cx->arena};

    fail_clear(cx);
    if (read(cx, text, len, cut, &out) != OK)
        buf_printf(&out, "! %s\n", cx->err.text);
    return buf_text(&out);
}

#define EVERY_BYTE ((size_t)-1)

#endif
