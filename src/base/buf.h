/* buf.h - text and bytes that grow, inside an arena.
 *
 * A buffer is zero-initialised with its arena: struct buf b = {.arena = a}. What it holds is always
 * followed by a NUL that is not counted. Growing moves the text, so keep the buffer, not `at`.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct buf {
    struct arena *arena;
    char *at; /* NULL while empty; use buf_text() */
    size_t len;
    size_t room;
};

const char *buf_text(const struct buf *b); /* "" while empty */
void buf_clear(struct buf *b);             /* keeps the memory */
/* Room for more bytes and a NUL: write there, then add to len and put the NUL. */
char *buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_int(struct buf *b, int64_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
