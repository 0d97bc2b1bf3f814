#include "base/arena.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#endif

/* Under the address sanitizer a block is forbidden ground but for what was handed out, and a gap
 * follows each allocation, so that writing past one is caught as if it had come from malloc. */
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define FORBID(at, size) ASAN_POISON_MEMORY_REGION((at), (size))
#define PERMIT(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#define GAP 16
#else
#define FORBID(at, size) ((void)(at), (void)(size))
#define PERMIT(at, size) ((void)(at), (void)(size))
#define GAP 0
#endif

#define ALIGNMENT _Alignof(max_align_t)
#define FIRST_BLOCK ((size_t)16 << 10)
#define LARGEST_BLOCK ((size_t)1 << 20)
#define KEPT_AT_RESET ((size_t)64 << 10)
#define OWN_BLOCK ((size_t)4 << 10) /* larger allocations get a block of their own */
#define DEFAULT_LIMIT ((size_t)256 << 20)

struct block {
    struct block *next;
    size_t size; /* of at */
    _Alignas(max_align_t) char at[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    char *at; /* the next free byte of current; both NULL before the first allocation */
    char *end;
    struct block *first; /* of the blocks that are shared out, in the order of their use */
    struct block *current;
    struct block *own; /* allocations with a block of their own, newest first */
    struct deferred *deferred;
    size_t used;
    size_t held; /* taken from the system, all blocks together */
    size_t limit;
};

static size_t rounded(size_t size)
{
    if (size > SIZE_MAX / 4)
        BUG("an allocation of a senseless size");
    return (size + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void hold(struct arena *a, size_t size)
{
    a->held += size;
    if (a->held > a->limit)
        BUG("an arena grew past its limit");
}

static struct block *block_create(struct arena *a, size_t size)
{
    hold(a, size);
    struct block *b = malloc(sizeof(*b) + size);
    if (!b)
        BUG("out of memory");
    b->next = NULL;
    b->size = size;
    return b;
}

static void *take_own(struct arena *a, size_t size)
{
    struct block *b = block_create(a, size);
    b->next = a->own;
    a->own = b;
    return b->at;
}

static void enter(struct arena *a, struct block *b)
{
    a->current = b;
    a->at = b->at;
    a->end = b->at + b->size;
    FORBID(b->at, b->size);
}

/* Goes on to a block that a reset kept, or to a new one of twice the size. */
static void enter_next(struct arena *a)
{
    struct block **next = a->current ? &a->current->next : &a->first;
    if (!*next) {
        const size_t size = a->current ? a->current->size * 2 : FIRST_BLOCK;
        *next = block_create(a, size < LARGEST_BLOCK ? size : LARGEST_BLOCK);
    }
    enter(a, *next);
}

static void *take(struct arena *a, size_t size)
{
    const size_t room = rounded(size);
    a->used += size;
    if (room > (size_t)(a->end - a->at)) {
        if (room > OWN_BLOCK)
            return take_own(a, room);
        enter_next(a);
    }
    void *p = a->at;
    a->at += room;
    PERMIT(p, size);
    return p;
}

struct arena *arena_create(void)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (!a)
        BUG("out of memory");
    a->limit = DEFAULT_LIMIT;
    return a;
}

void arena_limit(struct arena *a, size_t bytes)
{
    a->limit = bytes;
}

static void free_blocks(struct arena *a, struct block **list)
{
    while (*list) {
        struct block *b = *list;
        *list = b->next;
        a->held -= b->size;
        free(b);
    }
}

static void run_deferred(struct arena *a)
{
    while (a->deferred) {
        const struct deferred d = *a->deferred;
        a->deferred = d.next;
        d.fn(d.arg);
    }
}

void arena_reset(struct arena *a)
{
    run_deferred(a);
    free_blocks(a, &a->own);

    struct block **rest = &a->first;
    for (size_t kept = 0; *rest && kept + (*rest)->size <= KEPT_AT_RESET; rest = &(*rest)->next) {
        kept += (*rest)->size;
        FORBID((*rest)->at, (*rest)->size);
    }
    free_blocks(a, rest);

    a->current = NULL;
    a->at = a->end = NULL;
    a->used = 0;
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    run_deferred(a);
    free_blocks(a, &a->own);
    free_blocks(a, &a->first);
    free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(take(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        BUG("an array of a senseless size");
    return arena_alloc(a, bytes);
}

void *arena_copy(struct arena *a, const void *bytes, size_t size)
{
    void *copy = take(a, size);
    return size ? memcpy(copy, bytes, size) : copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_copy(a, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = take(a, len + 1);
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    char brief[256];
    va_list again;
    va_copy(again, args);
    const int len = vsnprintf(brief, sizeof(brief), fmt, args);
    if (len < 0)
        BUG("a format that cannot be written");

    char *text = take(a, (size_t)len + 1);
    if ((size_t)len < sizeof(brief))
        memcpy(text, brief, (size_t)len + 1);
    else
        vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = arena_vprintf(a, fmt, args);
    va_end(args);
    return text;
}

/* The newest block of its own grows with realloc, which for large ones moves no bytes. */
static void *grow_own(struct arena *a, size_t size)
{
    const size_t room = rounded(size);
    hold(a, room - a->own->size);
    struct block *b = realloc(a->own, sizeof(*b) + room);
    if (!b)
        BUG("out of memory");
    b->size = room;
    a->own = b;
    return b->at;
}

void *arena_grow(struct arena *a, void *at, size_t old_size, size_t size)
{
    char *old = at;
    if (!old)
        return take(a, size);
    if (size <= old_size)
        return old;
    if (a->own && a->own->at == old) {
        a->used += size - old_size;
        return grow_own(a, size);
    }
    if (old + rounded(old_size) == a->at && rounded(size) <= (size_t)(a->end - old)) {
        a->used += size - old_size;
        a->at = old + rounded(size);
        PERMIT(old, size);
        return old;
    }
    return memcpy(take(a, size), old, old_size);
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
    struct deferred *d = take(a, sizeof(*d));
    *d = (struct deferred){.next = a->deferred, .fn = fn, .arg = arg};
    a->deferred = d;
}

void *list_add(struct arena *a, struct list *l, size_t size)
{
    if (l->count == l->room) {
        const int room = l->room ? l->room * 2 : 8;
        if (l->room > INT_MAX / 2)
            BUG("a list of a senseless length");
        l->at = arena_grow(a, l->at, (size_t)l->room * size, (size_t)room * size);
        l->room = room;
    }
    return memset((char *)l->at + (size_t)l->count++ * size, 0, size);
}
