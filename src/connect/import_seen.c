#include "connect/import_seen.h"

#include <stddef.h>

#include "base/arena.h"

#define FIRST_ROOM 1024 /* a power of two */

struct slot {
    uint64_t hash;
    int64_t n; /* 0: free */
};

struct seen {
    struct arena *arena; /* of the slots; another one each time they grow */
    struct slot *slots;
    size_t room, count;
};

static void destroy(void *arg)
{
    struct seen *s = arg;
    arena_destroy(s->arena);
}

static void make_slots(struct seen *s, size_t room)
{
    s->arena = arena_create();
    arena_limit(s->arena, SIZE_MAX);
    s->slots = arena_array(s->arena, room, sizeof(*s->slots));
    s->room = room;
}

struct seen *seen_create(struct arena *a)
{
    struct seen *s = arena_alloc(a, sizeof(*s));

    make_slots(s, FIRST_ROOM);
    arena_defer(a, destroy, s);
    return s;
}

/* Where the hash is, or the free place where it belongs. */
static struct slot *find(const struct seen *s, uint64_t hash)
{
    size_t i = hash & (s->room - 1);

    while (s->slots[i].n && s->slots[i].hash != hash)
        i = (i + 1) & (s->room - 1);
    return &s->slots[i];
}

static void grow(struct seen *s)
{
    struct arena *old_arena = s->arena;
    const struct slot *old = s->slots;
    const size_t room = s->room;

    make_slots(s, room * 2);
    for (size_t i = 0; i < room; i++) {
        if (old[i].n)
            *find(s, old[i].hash) = old[i];
    }
    arena_destroy(old_arena);
}

int64_t seen_count(struct seen *s, uint64_t hash)
{
    if (s->count * 4 >= s->room * 3)
        grow(s);
    struct slot *slot = find(s, hash);
    s->count += !slot->n;
    slot->hash = hash;
    return ++slot->n;
}
