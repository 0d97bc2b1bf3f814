#include "auth/manage.h"

#include "auth/auth.h"
#include "auth/known.h"
#include "auth/user.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "db/db.h"
#include "job/event.h"
#include "manage_sql.h"

bool manage_is_self(const struct ctx *cx, int64_t person_id)
{
    return cx->user && cx->user->kind == USER_PERSON && cx->user->id == person_id;
}

enum sight manage_sight(struct ctx *cx, int64_t org_id)
{
    const struct reach reach = auth_right_reach(cx, "people.view");
    if (reach_has_org(&reach, org_id))
        return SIGHT_ALL;
    return cx->user->org_id && cx->user->org_id == org_id ? SIGHT_NAME : SIGHT_NONE;
}

enum rc manage_org(struct ctx *cx, int64_t org_id)
{
    const struct reach reach = auth_right_reach(cx, "people.manage");
    if (reach_has_org(&reach, org_id))
        return OK;
    if (org_id && manage_sight(cx, org_id) == SIGHT_NONE)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such thing");
    return fail(cx, E_DENIED, NULL, "you do not manage people %s",
                org_id ? "of that organisation" : "everywhere");
}

/* The right is a name of roles.yaml; "*" is held by who holds "*". */
static enum rc holds_right(struct ctx *cx, const char *role, const char *right, int64_t org_id)
{
    const struct reach reach = auth_right_reach(cx, right);
    if (reach_has_org(&reach, org_id))
        return OK;
    return fail(cx, E_DENIED, NULL, "the role %s carries the right %s, which you do not hold there",
                role, right);
}

enum rc manage_role(struct ctx *cx, const char *role, int64_t org_id)
{
    TRY(manage_org(cx, org_id));
    const struct role *r = cx->defs ? defs_role(cx->defs, role) : NULL;
    for (const char *const *right = r ? r->rights : NULL; right && *right; right++)
        TRY(holds_right(cx, role, *right, org_id));
    return OK;
}

static enum rc manage_roles(struct ctx *cx, const struct list *roles)
{
    const struct held_role *role = roles->at;
    for (int i = 0; i < roles->count; i++) {
        const enum rc rc = manage_role(cx, role[i].role, role[i].org_id);
        if (rc == E_NOT_FOUND)
            return fail(cx, E_DENIED, NULL, "a role is held where you do not manage people");
        TRY(rc);
    }
    return OK;
}

struct place {
    int64_t org_id;
};
static const struct col place_cols[] = {
    INT_COL(struct place, org_id),
    {0},
};

enum rc manage_person(struct ctx *cx, int64_t person_id)
{
    struct place place;
    enum rc rc = db_one(cx, SQL_manage_person, ARGS(INT("id", person_id)), place_cols, &place);
    if (rc == OK)
        rc = manage_org(cx, place.org_id);
    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such person");
    TRY(rc);
    struct list roles = {0};
    TRY(user_roles(cx, person_id, &roles));
    return manage_roles(cx, &roles);
}

enum rc manage_reference(struct ctx *cx, enum rc rc, const char *field)
{
    return rc == E_NOT_FOUND ? fail(cx, E_INVALID, field, "is not there, or not to be seen") : rc;
}

enum rc manage_org_of(struct ctx *cx, int64_t org_id, const char *field)
{
    struct place place;
    TRY(manage_reference(cx, manage_org(cx, org_id), field));
    return manage_reference(
        cx, db_one(cx, SQL_manage_organisation, ARGS(INT("id", org_id)), place_cols, &place),
        field);
}

enum rc manage_group(struct ctx *cx, int64_t group_id)
{
    struct place place;
    enum rc rc = db_one(cx, SQL_manage_group, ARGS(INT("id", group_id)), place_cols, &place);
    if (rc == OK)
        rc = manage_org(cx, place.org_id);
    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such group");
    return rc;
}

static const struct col role_cols[] = {
    TEXT_COL(struct held_role, role),
    INT_COL(struct held_role, org_id),
    {0},
};

enum rc manage_group_roles(struct ctx *cx, int64_t group_id)
{
    struct list roles = {0};
    TRY(db_all(cx, SQL_manage_group_roles, ARGS(INT("id", group_id)), role_cols,
               sizeof(struct held_role), &roles));
    return manage_roles(cx, &roles);
}

enum rc manage_taken(struct ctx *cx, const char *field, const char *whose)
{
    fail(cx, E_INVALID, field, "is %s already", whose);
    cx->err.code = "taken";
    return E_INVALID;
}

enum rc manage_changed(struct ctx *cx, const char *kind, const char *action, int64_t id,
                       struct val changes)
{
    struct val_map body = {0};
    val_map_set(cx->arena, &body, "id", val_int(id));
    if (!val_is_null(changes))
        val_map_set(cx->arena, &body, "changes", changes);
    TRY(known_move(cx));
    return event_append(cx,
                        &(struct event){.kind = kind, .action = action, .actor_id = user_id(cx)},
                        val_from_map(&body), NULL);
}

struct tally {
    int64_t n;
};
static const struct col tally_cols[] = {
    INT_COL(struct tally, n),
    {0},
};

enum rc manage_has_administrator(struct ctx *cx, bool *ret)
{
    struct tally tally;
    TRY(db_one(cx, SQL_manage_administrators, ARGS(TEXT("role", ROLE_ADMINISTRATOR)), tally_cols,
               &tally));
    *ret = tally.n > 0;
    return OK;
}

enum rc manage_keeps_administrator(struct ctx *cx, bool had)
{
    bool has = true;
    if (had)
        TRY(manage_has_administrator(cx, &has));
    if (has)
        return OK;
    fail(cx, E_CONFLICT, NULL,
         "then nobody would be administrator any more; give the role to somebody else first");
    cx->err.code = "last_administrator";
    return E_CONFLICT;
}
