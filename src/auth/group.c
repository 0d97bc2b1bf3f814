#include "auth/attrs.h"
#include "auth/manage.h"
#include "auth/page.h"
#include "auth/people.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "db/db.h"
#include "group_sql.h"
#include "lang/words.h"

static const struct attr attrs[] = {
    {ATTR_INT, "organisation", offsetof(struct group, org_id), .is_required = true},
    {ATTR_TEXT, "name", offsetof(struct group, name), 200, true, attr_name_fault},
    {ATTR_TEXT, "email", offsetof(struct group, email), 254, false, attr_email_fault},
    {ATTR_INT, "tier", offsetof(struct group, tier)},
    {ATTR_INT, "manager", offsetof(struct group, manager_id)},
    {ATTR_INT, "retired", offsetof(struct group, retired_at)},
    {0},
};

static const struct col cols[] = {
    INT_COL(struct group, id),
    INT_COL(struct group, org_id),
    TEXT_COL(struct group, name),
    TEXT_COL(struct group, email),
    INT_COL(struct group, tier),
    INT_COL(struct group, manager_id),
    INT_COL(struct group, retired_at),
    INT_COL(struct group, revision),
    {0},
};

/* ---- reading
 * -----------------------------------------------------------------------------------*/

static enum rc no_group(struct ctx *cx)
{
    return fail(cx, E_NOT_FOUND, NULL, "there is no such group");
}

static enum rc load(struct ctx *cx, int64_t id, struct group *ret)
{
    const enum rc rc = db_one(cx, SQL_group_load, ARGS(INT("id", id)), cols, ret);
    return rc == E_NOT_FOUND ? no_group(cx) : rc;
}

static struct group only_name(const struct group *g)
{
    return (struct group){.id = g->id, .org_id = g->org_id, .name = g->name};
}

enum rc group_load(struct ctx *cx, int64_t id, struct group *ret)
{
    struct group g;
    TRY(load(cx, id, &g));
    const enum sight sight = manage_sight(cx, g.org_id);
    if (sight == SIGHT_NONE)
        return no_group(cx);
    *ret = sight == SIGHT_ALL ? g : only_name(&g);
    return OK;
}

struct listed {
    struct group group;
    const char *folded;
};
static const struct col listed_cols[] = {
    INT_COL(struct listed, group.id),         INT_COL(struct listed, group.org_id),
    TEXT_COL(struct listed, group.name),      TEXT_COL(struct listed, group.email),
    INT_COL(struct listed, group.tier),       INT_COL(struct listed, group.manager_id),
    INT_COL(struct listed, group.retired_at), INT_COL(struct listed, group.revision),
    TEXT_COL(struct listed, folded),          {0},
};

enum rc group_list(struct ctx *cx, const struct people_query *q, struct list *ret,
                   const char **ret_next)
{
    struct page page;
    TRY(page_begin(cx, q, &page));
    struct list rows = {0};
    TRY(db_all(cx, SQL_group_list, PAGE_ARGS(&page), listed_cols, sizeof(struct listed), &rows));
    const struct listed *row = rows.at;
    struct list groups = {0};
    for (int i = 0; i < rows.count && i < page.limit; i++) {
        const struct group *g = &row[i].group;
        *(struct group *)list_add(cx->arena, &groups, sizeof(*g)) =
            reach_has_org(&page.detailed, g->org_id) ? *g : only_name(g);
    }
    *ret = groups;
    *ret_next = rows.count > page.limit
                    ? page_cursor(cx, row[page.limit - 1].group.id, row[page.limit - 1].folded)
                    : NULL;
    return OK;
}

/* ---- creating and changing
 * ---------------------------------------------------------------------*/

struct number {
    int64_t n;
};
static const struct col number_cols[] = {
    INT_COL(struct number, n),
    {0},
};

/* Everything that must be there before the row can be written. */
static enum rc check_row(struct ctx *cx, const struct group *g)
{
    struct person manager;
    struct number other;
    TRY(manage_org_of(cx, g->org_id, "organisation"));
    if (g->manager_id)
        TRY(manage_reference(cx, person_load(cx, g->manager_id, &manager), "manager"));
    const enum rc rc =
        db_one(cx, SQL_group_taken,
               ARGS(INT("id", g->id), TEXT("name_folded", words_fold(cx->arena, g->name))),
               number_cols, &other);
    if (rc == OK)
        return manage_taken(cx, "name", "the name of another group");
    return rc == E_NOT_FOUND ? OK : rc;
}

static enum rc create_in_tx(struct ctx *cx, void *arg)
{
    struct group *g = arg;
    TRY(check_row(cx, g));
    struct number id;
    TRY(db_one(cx, SQL_group_create,
               ARGS(INT("org_id", g->org_id), TEXT("name", g->name),
                    TEXT("name_folded", words_fold(cx->arena, g->name)), TEXT("email", g->email),
                    INT_OR_NONE("tier", g->tier), INT_OR_NONE("manager_id", g->manager_id),
                    INT("now", cx->now), INT_OR_NONE("retired_at", g->retired_at)),
               number_cols, &id));
    TRY(manage_changed(cx, "group", "create", id.n, attrs_changes(cx, attrs, NULL, g)));
    g->id = id.n;
    return OK;
}

enum rc group_create(struct ctx *cx, const struct group *g, int64_t *ret)
{
    struct group c = *g;
    c.id = 0;
    TRY(attrs_clean(cx, attrs, &c));
    TRY(db_tx(cx, create_in_tx, &c));
    *ret = c.id;
    return OK;
}

static enum rc is_stale(struct ctx *cx)
{
    return fail(cx, E_STALE, NULL, "somebody else changed this group meanwhile");
}

static enum rc update_in_tx(struct ctx *cx, void *arg)
{
    const struct group *g = arg;
    struct group before;
    bool had = false;
    TRY(load(cx, g->id, &before));
    TRY(manage_group(cx, g->id));
    TRY(check_row(cx, g));
    if (before.revision != g->revision)
        return is_stale(cx);
    const struct val changes = attrs_changes(cx, attrs, &before, g);
    if (val_is_null(changes))
        return OK;
    /* What retires takes its roles from the members; what comes back gives them again. */
    if (!before.retired_at != !g->retired_at)
        TRY(manage_group_roles(cx, g->id));
    TRY(manage_has_administrator(cx, &had));
    int changed = 0;
    TRY(db_exec(cx, SQL_group_update,
                ARGS(INT("id", g->id), INT("revision", g->revision), INT("org_id", g->org_id),
                     TEXT("name", g->name), TEXT("name_folded", words_fold(cx->arena, g->name)),
                     TEXT("email", g->email), INT_OR_NONE("tier", g->tier),
                     INT_OR_NONE("manager_id", g->manager_id),
                     INT_OR_NONE("retired_at", g->retired_at)),
                &changed));
    if (!changed)
        return is_stale(cx);
    TRY(manage_keeps_administrator(cx, had));
    return manage_changed(cx, "group", "update", g->id, changes);
}

enum rc group_update(struct ctx *cx, const struct group *g)
{
    struct group c = *g;
    TRY(attrs_clean(cx, attrs, &c));
    return db_tx(cx, update_in_tx, &c);
}

/* ---- members
 * -----------------------------------------------------------------------------------*/

struct membership {
    int64_t group_id, person_id;
};

/* {"person": [null, 5]} when somebody joins, the other way round when one leaves. */
static struct val person_change(struct ctx *cx, const struct membership *m, int place)
{
    struct val *pair = arena_array(cx->arena, 2, sizeof(*pair));
    pair[place] = val_int(m->person_id);
    struct val_map changes = {0};
    val_map_set(cx->arena, &changes, "person",
                (struct val){.kind = VAL_LIST, .count = 2, .items = pair});
    return val_from_map(&changes);
}

/* Whoever adds a member gives all roles of the group. */
static enum rc check_membership(struct ctx *cx, const struct membership *m)
{
    struct person person;
    TRY(manage_group(cx, m->group_id));
    TRY(manage_group_roles(cx, m->group_id));
    return person_load(cx, m->person_id, &person);
}

static enum rc join_in_tx(struct ctx *cx, void *arg)
{
    const struct membership *m = arg;
    TRY(check_membership(cx, m));
    int changed = 0;
    TRY(db_exec(cx, SQL_group_join, ARGS(INT("id", m->group_id), INT("person_id", m->person_id)),
                &changed));
    return changed ? manage_changed(cx, "group", "join", m->group_id, person_change(cx, m, 1)) : OK;
}

enum rc group_join(struct ctx *cx, int64_t group_id, int64_t person_id)
{
    return db_tx(cx, join_in_tx, &(struct membership){group_id, person_id});
}

static enum rc leave_in_tx(struct ctx *cx, void *arg)
{
    const struct membership *m = arg;
    bool had = false;
    int changed = 0;
    TRY(check_membership(cx, m));
    TRY(manage_has_administrator(cx, &had));
    TRY(db_exec(cx, SQL_group_leave, ARGS(INT("id", m->group_id), INT("person_id", m->person_id)),
                &changed));
    TRY(manage_keeps_administrator(cx, had));
    return changed ? manage_changed(cx, "group", "leave", m->group_id, person_change(cx, m, 0))
                   : OK;
}

enum rc group_leave(struct ctx *cx, int64_t group_id, int64_t person_id)
{
    return db_tx(cx, leave_in_tx, &(struct membership){group_id, person_id});
}
