#include <string.h>

#include "auth/auth.h"
#include "auth/manage.h"
#include "auth/people.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "db/db.h"
#include "role_sql.h"

static const struct col cols[] = {
    INT_COL(struct role_grant, id),       INT_COL(struct role_grant, person_id),
    INT_COL(struct role_grant, group_id), INT_COL(struct role_grant, org_id),
    TEXT_COL(struct role_grant, role),    {0},
};

/* {"role": [null, "agent"], "person": [null, 5], ...}, or the other way round. */
static struct val grant_change(struct ctx *cx, const struct role_grant *g, int place)
{
    const struct {
        const char *name;
        struct val val;
    } parts[] = {
        {"role", val_text(g->role)},
        {"person", g->person_id ? val_int(g->person_id) : val_null()},
        {"group", g->group_id ? val_int(g->group_id) : val_null()},
        {"organisation", g->org_id ? val_int(g->org_id) : val_null()},
    };
    struct val_map changes = {0};
    for (int i = 0; i < ARRAY_LEN(parts); i++) {
        if (val_is_null(parts[i].val))
            continue;
        struct val *pair = arena_array(cx->arena, 2, sizeof(*pair));
        pair[place] = parts[i].val;
        val_map_set(cx->arena, &changes, parts[i].name,
                    (struct val){.kind = VAL_LIST, .count = 2, .items = pair});
    }
    return val_from_map(&changes);
}

static enum rc check_role(struct ctx *cx, const char *role)
{
    if (str_is_empty(role))
        return fail(cx, E_INVALID, "role", "must be given");
    if (!cx->defs || defs_role(cx->defs, role))
        return OK;
    const char **names = arena_array(cx->arena, (size_t)cx->defs->role_count + 1, sizeof(*names));
    for (int i = 0; i < cx->defs->role_count; i++)
        names[i] = cx->defs->roles[i].name;
    const char *near = str_nearest(role, names);
    return near ? fail(cx, E_INVALID, "role", "there is no role %s; is it %s?", role, near)
                : fail(cx, E_INVALID, "role", "there is no role %s", role);
}

static enum rc check_holder(struct ctx *cx, const struct role_grant *g)
{
    struct person person;
    struct group group;
    if (!g->person_id == !g->group_id)
        return fail(cx, E_INVALID, "person", "a role is given to one person or one group");
    if (g->person_id)
        TRY(manage_reference(cx, person_load(cx, g->person_id, &person), "person"));
    if (g->group_id)
        TRY(manage_reference(cx, group_load(cx, g->group_id, &group), "group"));
    return g->org_id ? manage_org_of(cx, g->org_id, "organisation") : OK;
}

struct number {
    int64_t n;
};
static const struct col number_cols[] = {
    INT_COL(struct number, n),
    {0},
};

static enum rc give_in_tx(struct ctx *cx, void *arg)
{
    struct role_grant *g = arg;
    struct number id;
    TRY(manage_role(cx, g->role, g->org_id));
    TRY(check_holder(cx, g));
    const enum rc rc = db_one(cx, SQL_role_find,
                              ARGS(TEXT("role", g->role), INT("person_id", g->person_id),
                                   INT("group_id", g->group_id), INT("org_id", g->org_id)),
                              number_cols, &id);
    if (rc == OK) {
        g->id = id.n;
        return OK;
    }
    if (rc != E_NOT_FOUND)
        return rc;
    TRY(db_one(cx, SQL_role_give,
               ARGS(TEXT("role", g->role), INT_OR_NONE("person_id", g->person_id),
                    INT_OR_NONE("group_id", g->group_id), INT_OR_NONE("org_id", g->org_id)),
               number_cols, &id));
    g->id = id.n;
    return manage_changed(cx, "role", "give", g->id, grant_change(cx, g, 1));
}

enum rc role_give(struct ctx *cx, const struct role_grant *g, int64_t *ret)
{
    struct role_grant c = *g;
    TRY(check_role(cx, g->role));
    TRY(db_tx(cx, give_in_tx, &c));
    *ret = c.id;
    return OK;
}

static enum rc take_in_tx(struct ctx *cx, void *arg)
{
    const int64_t *id = arg;
    struct role_grant g;
    bool had = false;
    enum rc rc = db_one(cx, SQL_role_load, ARGS(INT("id", *id)), cols, &g);
    if (rc == OK)
        rc = manage_role(cx, g.role, g.org_id);
    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "nobody holds a role by that number");
    TRY(rc);
    TRY(manage_has_administrator(cx, &had));
    TRY(db_exec(cx, SQL_role_take, ARGS(INT("id", g.id)), NULL));
    TRY(manage_keeps_administrator(cx, had));
    return manage_changed(cx, "role", "take", g.id, grant_change(cx, &g, 0));
}

enum rc role_take(struct ctx *cx, int64_t grant_id)
{
    return db_tx(cx, take_in_tx, &grant_id);
}

/* The own ones, and those in organisations where one sees details. */
enum rc role_list(struct ctx *cx, int64_t person_id, int64_t group_id, struct list *ret)
{
    struct list rows = {0};
    TRY(db_all(cx, SQL_role_list, ARGS(INT("person_id", person_id), INT("group_id", group_id)),
               cols, sizeof(struct role_grant), &rows));
    const struct reach reach = auth_right_reach(cx, "people.view");
    const struct role_grant *row = rows.at;
    struct list grants = {0};
    for (int i = 0; i < rows.count; i++)
        if (reach_has_org(&reach, row[i].org_id) || manage_is_self(cx, row[i].person_id))
            *(struct role_grant *)list_add(cx->arena, &grants, sizeof(*row)) = row[i];
    *ret = grants;
    return OK;
}
