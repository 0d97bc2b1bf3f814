#include "auth/known.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/map.h"
#include "base/time.h"
#include "db/db.h"
#include "known_sql.h"

/* A generation holds no more entries than this: past it, things are read anew each time. About 20
 * MB at the most, and far more people than work at one moment. */
enum { MOST_ENTRIES = 100000 };

static const int64_t epoch_is_fresh_us = US_PER_S;

/* ---- ids to entries
 * ----------------------------------------------------------------------------*/

struct slot {
    int64_t id; /* 0: free */
    const void *entry;
};

struct table {
    struct slot *slots;
    int count;
    int room; /* a power of two, or 0 */
};

/* Ids are given by counting up, so their low bits spread well; multiplying mixes in the others. */
static struct slot *table_slot(const struct table *t, int64_t id)
{
    const uint64_t mixed = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);
    int i = (int)(mixed >> 32) & (t->room - 1);
    while (t->slots[i].id != 0 && t->slots[i].id != id)
        i = (i + 1) & (t->room - 1);
    return &t->slots[i];
}

static const void *table_get(const struct table *t, int64_t id)
{
    return t->room ? table_slot(t, id)->entry : NULL;
}

static void table_put(struct arena *a, struct table *t, int64_t id, const void *entry)
{
    if (2 * t->count >= t->room) {
        const struct table old = *t;
        t->room = old.room ? 2 * old.room : 64;
        t->slots = arena_array(a, (size_t)t->room, sizeof(*t->slots));
        for (int i = 0; i < old.room; i++)
            if (old.slots[i].id)
                *table_slot(t, old.slots[i].id) = old.slots[i];
    }
    *table_slot(t, id) = (struct slot){id, entry};
    t->count++;
}

/* ---- generations
 * -------------------------------------------------------------------------------*/

struct orgs {
    int64_t id;
    const int64_t *ids;
    int count;
};

struct known {
    atomic_int holders;
    int64_t db, epoch;
    pthread_mutex_t lock; /* over all below */
    struct arena *arena;
    int entries;
    struct table users, below, who[KNOWN_KINDS];
    struct map ids[KNOWN_KINDS]; /* folded name -> int64_t */
};

/* The latest generation, held by this place; and when its epoch was last compared with the
 * database's. */
static struct {
    pthread_mutex_t lock;
    struct known *known;
    int64_t compared_at; /* monotonic; 0: it moved, compare before the next use */
} latest = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The transactions of this thread have moved the epoch, and it is not known yet whether for good.
 */
static _Thread_local bool has_moved;

static struct known *known_create(int64_t db, int64_t epoch)
{
    struct arena *a = arena_create();
    struct known *k = arena_alloc(a, sizeof(*k));
    k->arena = a;
    k->db = db;
    k->epoch = epoch;
    k->holders = 1;
    pthread_mutex_init(&k->lock, NULL);
    for (int i = 0; i < KNOWN_KINDS; i++)
        k->ids[i].arena = a;
    return k;
}

static void known_let_go(void *arg)
{
    struct known *k = arg;
    if (!k || atomic_fetch_sub(&k->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&k->lock);
    arena_destroy(k->arena);
}

static struct known *known_hold(struct ctx *cx, struct known *k)
{
    atomic_fetch_add(&k->holders, 1);
    arena_defer(cx->arena, known_let_go, k);
    return k;
}

static bool is_usable(const struct known *k, int64_t db, int64_t epoch)
{
    return k && k->db == db && k->epoch >= epoch;
}

struct known *known_of_epoch(struct ctx *cx, int64_t epoch)
{
    const int64_t db = db_serial(cx->db);
    struct known *old = NULL;
    struct known *ret = NULL;

    pthread_mutex_lock(&latest.lock);
    if (!is_usable(latest.known, db, epoch) && !db_in_tx(cx)) {
        old = latest.known;
        latest.known = known_create(db, epoch);
    }
    if (is_usable(latest.known, db, epoch)) {
        latest.compared_at = clock_monotonic();
        ret = known_hold(cx, latest.known);
    }
    pthread_mutex_unlock(&latest.lock);
    known_let_go(old);
    return ret;
}

static struct known *hold_fresh(struct ctx *cx)
{
    const int64_t now = clock_monotonic();
    struct known *ret = NULL;
    pthread_mutex_lock(&latest.lock);
    if (is_usable(latest.known, db_serial(cx->db), 0) && latest.compared_at &&
        now - latest.compared_at < epoch_is_fresh_us)
        ret = known_hold(cx, latest.known);
    pthread_mutex_unlock(&latest.lock);
    return ret;
}

struct epoch {
    int64_t epoch;
};
static const struct col epoch_cols[] = {
    INT_COL(struct epoch, epoch),
    {0},
};

struct known *known_latest(struct ctx *cx)
{
    const bool must_compare = db_in_tx(cx) && has_moved;
    struct known *k = must_compare ? NULL : hold_fresh(cx);
    if (k)
        return k;
    struct epoch now;
    if (db_one(cx, SQL_known_epoch, ARGS(), epoch_cols, &now) != OK)
        return NULL;
    k = known_of_epoch(cx, now.epoch);
    if (must_compare && k)
        has_moved = false; /* what moved it was rolled back, or is committed and read since */
    return k;
}

static void compare_again(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&latest.lock);
    latest.compared_at = 0;
    pthread_mutex_unlock(&latest.lock);
}

enum rc known_move(struct ctx *cx)
{
    has_moved = true;
    db_after_commit(cx, compare_again, NULL);
    return db_exec(cx, SQL_known_move, ARGS(), NULL);
}

/* ---- entries
 * -----------------------------------------------------------------------------------*/

static const void *known_get(struct known *k, const struct table *t, int64_t id)
{
    if (!k)
        return NULL;
    pthread_mutex_lock(&k->lock);
    const void *entry = table_get(t, id);
    pthread_mutex_unlock(&k->lock);
    return entry;
}

/* Under the lock: is there room for an entry that is not there yet? */
static bool may_keep(struct known *k, bool is_there)
{
    if (is_there || k->entries >= MOST_ENTRIES)
        return false;
    k->entries++;
    return true;
}

static const struct user *copy_user(struct arena *a, const struct user *u)
{
    struct user *copy = arena_copy(a, u, sizeof(*u));
    copy->login = arena_strdup(a, u->login);
    copy->name = arena_strdup(a, u->name);
    copy->language = arena_strdup(a, u->language);
    copy->time_zone = arena_strdup(a, u->time_zone);
    copy->groups = arena_copy(a, u->groups, (size_t)u->group_count * sizeof(*u->groups));
    struct held_role *roles = arena_copy(a, u->roles, (size_t)u->role_count * sizeof(*u->roles));
    for (int i = 0; i < u->role_count; i++)
        roles[i].role = arena_strdup(a, roles[i].role); /* its orgs are the generation's already */
    copy->roles = roles;
    return copy;
}

const struct user *known_user(struct known *k, int64_t id)
{
    return k ? known_get(k, &k->users, id) : NULL;
}

const struct user *known_keep_user(struct known *k, const struct user *u)
{
    if (!k)
        return u;
    pthread_mutex_lock(&k->lock);
    const struct user *kept = table_get(&k->users, u->id);
    if (may_keep(k, kept != NULL)) {
        kept = copy_user(k->arena, u);
        table_put(k->arena, &k->users, u->id, kept);
    }
    pthread_mutex_unlock(&k->lock);
    return kept ? kept : u;
}

const struct who *known_who(struct known *k, enum known_kind kind, int64_t id)
{
    return k ? known_get(k, &k->who[kind], id) : NULL;
}

void known_keep_who(struct known *k, enum known_kind kind, const struct who *w)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    if (may_keep(k, table_get(&k->who[kind], w->id) != NULL)) {
        struct who *copy = arena_copy(k->arena, w, sizeof(*w));
        copy->name = arena_strdup(k->arena, w->name);
        copy->login = arena_strdup(k->arena, w->login);
        copy->language = arena_strdup(k->arena, w->language);
        table_put(k->arena, &k->who[kind], w->id, copy);
    }
    pthread_mutex_unlock(&k->lock);
}

int64_t known_id(struct known *k, enum known_kind kind, const char *folded)
{
    if (!k)
        return 0;
    pthread_mutex_lock(&k->lock);
    const int64_t *id = map_get(&k->ids[kind], folded);
    pthread_mutex_unlock(&k->lock);
    return id ? *id : 0;
}

void known_keep_id(struct known *k, enum known_kind kind, const char *folded, int64_t id)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    if (may_keep(k, map_get(&k->ids[kind], folded) != NULL))
        map_put(&k->ids[kind], arena_strdup(k->arena, folded),
                arena_copy(k->arena, &id, sizeof(id)));
    pthread_mutex_unlock(&k->lock);
}

/* ---- organisations and those below
 * -------------------------------------------------------------*/

struct id_row {
    int64_t id;
};
static const struct col id_cols[] = {
    INT_COL(struct id_row, id),
    {0},
};

/* Not counted among the entries: what users keep points here, so it must be kept when they are. */
static void keep_below(struct known *k, struct orgs *o)
{
    pthread_mutex_lock(&k->lock);
    const struct orgs *kept = table_get(&k->below, o->id);
    if (!kept) {
        struct orgs *copy = arena_copy(k->arena, o, sizeof(*o));
        copy->ids = arena_copy(k->arena, o->ids, (size_t)o->count * sizeof(*o->ids));
        table_put(k->arena, &k->below, o->id, copy);
        kept = copy;
    }
    *o = *kept;
    pthread_mutex_unlock(&k->lock);
}

enum rc known_below(struct ctx *cx, struct known *k, int64_t org_id, const int64_t **ret,
                    int *ret_count)
{
    const struct orgs *kept = k ? known_get(k, &k->below, org_id) : NULL;
    struct orgs below = {0};
    if (kept) {
        below = *kept;
    } else {
        struct list rows = {0};
        TRY(db_all(cx, SQL_known_below, ARGS(INT("org_id", org_id)), id_cols, sizeof(struct id_row),
                   &rows));
        below = (struct orgs){org_id, rows.at, rows.count};
        if (k)
            keep_below(k, &below);
    }
    *ret = below.ids;
    *ret_count = below.count;
    return OK;
}
