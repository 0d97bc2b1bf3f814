#include "base/val.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

#define SHORT 16 /* members that are quicker compared one by one than looked up */

bool val_is_null(struct val v)
{
    return v.kind == VAL_NULL;
}

const struct val *val_get(const struct val *v, const char *name)
{
    if (!v || v->kind != VAL_MAP)
        return NULL;
    for (int i = 0; i < v->count; i++) {
        if (strcmp(v->members[i].name, name) == 0)
            return &v->members[i].val;
    }
    return NULL;
}

const char *val_get_text(const struct val *v, const char *name)
{
    const struct val *member = val_get(v, name);
    return member && member->kind == VAL_TEXT ? member->text : NULL;
}

static bool lists_equal(struct val a, struct val b)
{
    for (int i = 0; i < a.count; i++) {
        if (!val_equal(a.items[i], b.items[i]))
            return false;
    }
    return true;
}

/* Places in an index count from 1, since a map does not hold NULL. */
static void index_put(struct map *index, const char *name, int place)
{
    map_put(index, name, (void *)((intptr_t)place + 1));
}

/* The place of the member of that name, or -1. */
static int index_get(const struct map *index, const char *name)
{
    return (int)(intptr_t)map_get(index, name) - 1;
}

/* Long maps may come from a client, so finding members must not cost the square of their number. */
static bool long_maps_equal(struct val a, struct val b)
{
    struct arena *arena = arena_create();
    struct map index = {.arena = arena};
    for (int i = 0; i < b.count; i++)
        index_put(&index, b.members[i].name, i);
    bool is_equal = true;
    for (int i = 0; i < a.count && is_equal; i++) {
        const int place = index_get(&index, a.members[i].name);
        is_equal = place >= 0 && val_equal(a.members[i].val, b.members[place].val);
    }
    arena_destroy(arena);
    return is_equal;
}

static bool maps_equal(struct val a, struct val b)
{
    if (a.count > SHORT)
        return long_maps_equal(a, b);
    for (int i = 0; i < a.count; i++) {
        const struct val *other = val_get(&b, a.members[i].name);
        if (!other || !val_equal(a.members[i].val, *other))
            return false;
    }
    return true;
}

bool val_equal(struct val a, struct val b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VAL_NULL:
        return true;
    case VAL_FLAG:
        return a.flag == b.flag;
    case VAL_INT:
        return a.i == b.i;
    case VAL_REAL:
        return !(a.real < b.real) && !(a.real > b.real);
    case VAL_TEXT:
        return strcmp(a.text, b.text) == 0;
    case VAL_LIST:
        return a.count == b.count && lists_equal(a, b);
    case VAL_MAP:
        return a.count == b.count && maps_equal(a, b);
    }
    return false;
}

struct val val_copy(struct arena *a, struct val v)
{
    if (v.kind == VAL_TEXT)
        v.text = arena_strdup(a, v.text);
    if (v.kind == VAL_LIST) {
        struct val *items = arena_array(a, (size_t)v.count, sizeof(*items));
        for (int i = 0; i < v.count; i++)
            items[i] = val_copy(a, v.items[i]);
        v.items = items;
    }
    if (v.kind == VAL_MAP) {
        struct member *members = arena_array(a, (size_t)v.count, sizeof(*members));
        for (int i = 0; i < v.count; i++) {
            members[i].name = arena_strdup(a, v.members[i].name);
            members[i].val = val_copy(a, v.members[i].val);
        }
        v.members = members;
    }
    return v;
}

static void begin_index(struct arena *a, struct val_map *m)
{
    m->index = arena_alloc(a, sizeof(*m->index));
    m->index->arena = a;
    for (int i = 0; i < m->count; i++)
        index_put(m->index, m->at[i].name, i);
}

/* The place of the member of that name, or -1. */
static int find(const struct val_map *m, const char *name)
{
    if (m->index)
        return index_get(m->index, name);
    for (int i = 0; i < m->count; i++) {
        if (strcmp(m->at[i].name, name) == 0)
            return i;
    }
    return -1;
}

void val_map_set(struct arena *a, struct val_map *m, const char *name, struct val v)
{
    const int place = find(m, name);
    if (place >= 0) {
        m->at[place].val = v;
        return;
    }
    struct list all = {.at = m->at, .count = m->count, .room = m->room};
    struct member *added = list_add(a, &all, sizeof(*added));
    *added = (struct member){.name = name, .val = v};
    m->at = all.at;
    m->count = all.count;
    m->room = all.room;

    if (m->index)
        index_put(m->index, name, m->count - 1);
    else if (m->count > SHORT)
        begin_index(a, m);
}

struct val val_from_map(const struct val_map *m)
{
    return (struct val){.kind = VAL_MAP, .count = m->count, .members = m->at};
}
