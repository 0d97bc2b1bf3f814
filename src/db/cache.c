#include "db/cache.h"

#include <stdlib.h>
#include <string.h>

#include "db/inside.h"

static size_t home_of(const struct sql *sql, int room)
{
    const uint64_t x = (uint64_t)(uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(x >> 40) & (size_t)(room - 1);
}

static struct slot **place_of(const struct cache *c, const struct sql *sql)
{
    size_t i = home_of(sql, c->room);
    while (c->constants[i] && c->constants[i]->sql != sql)
        i = (i + 1) & (size_t)(c->room - 1);
    return &c->constants[i];
}

static void grow(struct cache *c)
{
    struct cache bigger = {.room = c->room ? 2 * c->room : 64};
    bigger.constants = must_alloc((size_t)bigger.room, sizeof(struct slot *));
    for (int i = 0; i < c->room; i++)
        if (c->constants[i])
            *place_of(&bigger, c->constants[i]->sql) = c->constants[i];
    free(c->constants);
    c->constants = bigger.constants;
    c->room = bigger.room;
}

static struct slot *constant_slot(struct cache *c, const struct sql *sql)
{
    if (2 * c->count >= c->room)
        grow(c);
    struct slot **place = place_of(c, sql);
    if (!*place) {
        *place = must_alloc(1, sizeof(struct slot));
        (*place)->sql = sql;
        c->count++;
    }
    return *place;
}

static struct slot *oldest_idle(struct cache *c)
{
    struct slot *oldest = NULL;
    for (int i = 0; i < CACHE_DYNAMIC; i++) {
        struct slot *s = &c->dynamic[i];
        if (!s->is_busy && (!oldest || s->used_at < oldest->used_at))
            oldest = s;
    }
    return oldest;
}

static struct slot *dynamic_slot(struct cache *c, const struct sql *sql,
                                 void (*drop)(void *owner, void *prepared), void *owner)
{
    const char *text = sql->text[sql->text[DB_SQLITE] ? DB_SQLITE : DB_POSTGRES];
    for (int i = 0; i < CACHE_DYNAMIC; i++) {
        struct slot *s = &c->dynamic[i];
        if (s->hash == sql->dynamic && strcmp(s->text, text) == 0)
            return s;
    }
    struct slot *s = oldest_idle(c);
    if (!s)
        return NULL;
    if (s->prepared)
        drop(owner, s->prepared);
    free(s->text);
    *s = (struct slot){.hash = sql->dynamic, .text = must_strdup(text)};
    return s;
}

struct slot *cache_slot(struct cache *c, const struct sql *sql,
                        void (*drop)(void *owner, void *prepared), void *owner)
{
    struct slot *s = sql->dynamic ? dynamic_slot(c, sql, drop, owner) : constant_slot(c, sql);
    if (s)
        s->used_at = ++c->uses;
    return s;
}

void cache_done(struct cache *c, void (*drop)(void *owner, void *prepared), void *owner)
{
    for (int i = 0; i < c->room; i++) {
        if (c->constants[i] && c->constants[i]->prepared)
            drop(owner, c->constants[i]->prepared);
        free(c->constants[i]);
    }
    free(c->constants);
    for (int i = 0; i < CACHE_DYNAMIC; i++) {
        if (c->dynamic[i].prepared)
            drop(owner, c->dynamic[i].prepared);
        free(c->dynamic[i].text);
    }
    *c = (struct cache){0};
}
