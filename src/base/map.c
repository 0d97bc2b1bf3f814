#include "base/map.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/rc.h"
#include "base/str.h"

#define FIRST_ROOM 16

struct map_slot {
    const char *key; /* NULL: free */
    uint64_t hash;
    void *value;
};

/* The slot of key, or the free one where it would go. At least one slot is always free. */
static struct map_slot *find(const struct map *m, const char *key, uint64_t hash)
{
    const uint64_t mask = (uint64_t)m->room - 1;
    for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *s = &m->slots[i];
        if (!s->key || (s->hash == hash && strcmp(s->key, key) == 0))
            return s;
    }
}

static void grow(struct map *m)
{
    if (m->room > INT_MAX / 2)
        BUG("a map of a senseless size");
    const struct map old = *m;
    m->room = old.room ? old.room * 2 : FIRST_ROOM;
    m->slots = arena_array(m->arena, (size_t)m->room, sizeof(*m->slots));
    for (int i = 0; i < old.room; i++) {
        if (old.slots[i].key)
            *find(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    }
}

void *map_get(const struct map *m, const char *key)
{
    return m->room ? find(m, key, str_hash(key))->value : NULL;
}

void *map_put(struct map *m, const char *key, void *value)
{
    if (m->count >= m->room / 4 * 3)
        grow(m);
    const uint64_t hash = str_hash(key);
    struct map_slot *s = find(m, key, hash);
    if (s->key)
        return s->value;
    *s = (struct map_slot){.key = key, .hash = hash, .value = value};
    m->count++;
    return NULL;
}
