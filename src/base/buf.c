#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/rc.h"

#define FIRST_ROOM 64

const char *buf_text(const struct buf *b)
{
    return b->at ? b->at : "";
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->at)
        *b->at = '\0';
}

static void grow(struct buf *b, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(b->len, more, &need) || need > SIZE_MAX / 4)
        BUG("a text of a senseless length");
    size_t room = b->room ? b->room * 2 : FIRST_ROOM;
    if (room < need + 1)
        room = need + 1;
    b->at = arena_grow(b->arena, b->at, b->room, room);
    b->room = room;
}

char *buf_reserve(struct buf *b, size_t more)
{
    if (more >= b->room - b->len)
        grow(b, more);
    return b->at + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *end = buf_reserve(b, len);
    if (len)
        memcpy(end, bytes, len);
    end[len] = '\0';
    b->len += len;
}

void buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    char *end = buf_reserve(b, 1);
    end[0] = c;
    end[1] = '\0';
    b->len++;
}

void buf_int(struct buf *b, int64_t n)
{
    char digits[20];
    char *p = digits + sizeof(digits);
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (n < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    const size_t room = b->at ? b->room - b->len : 0;
    const int len = vsnprintf(b->at ? b->at + b->len : NULL, room, fmt, args);
    if (len < 0)
        BUG("a format that cannot be written");
    if ((size_t)len >= room)
        vsnprintf(buf_reserve(b, (size_t)len), (size_t)len + 1, fmt, again);
    b->len += (size_t)len;
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}
