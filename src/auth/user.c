#include "auth/user.h"

#include "auth/auth.h"
#include "auth/known.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "db/db.h"
#include "user_sql.h"

struct row {
    struct user user;
    int64_t disabled_at;
};
static const struct col row_cols[] = {
    INT_COL(struct row, user.id),
    INT_COL(struct row, user.org_id),
    TEXT_COL(struct row, user.login),
    TEXT_COL(struct row, user.name),
    TEXT_COL(struct row, user.language),
    TEXT_COL(struct row, user.time_zone),
    FLAG_COL(struct row, user.is_service),
    INT_COL(struct row, disabled_at),
    {0},
};

static const struct col role_cols[] = {
    TEXT_COL(struct held_role, role),
    INT_COL(struct held_role, org_id),
    INT_COL(struct held_role, group_id),
    {0},
};

struct id_row {
    int64_t id;
};
static const struct col id_cols[] = {
    INT_COL(struct id_row, id),
    {0},
};

enum rc user_roles(struct ctx *cx, int64_t id, struct list *ret)
{
    return db_all(cx, SQL_user_roles, ARGS(INT("id", id)), role_cols, sizeof(struct held_role),
                  ret);
}

static enum rc load_roles(struct ctx *cx, struct known *k, struct user *u)
{
    struct list roles = {0};
    TRY(user_roles(cx, u->id, &roles));
    struct held_role *role = roles.at;
    for (int i = 0; i < roles.count; i++)
        if (role[i].org_id)
            TRY(known_below(cx, k, role[i].org_id, &role[i].orgs, &role[i].org_count));
    u->roles = role;
    u->role_count = roles.count;
    return OK;
}

static enum rc load_groups(struct ctx *cx, struct user *u)
{
    struct list groups = {0};
    TRY(db_all(cx, SQL_user_groups, ARGS(INT("id", u->id)), id_cols, sizeof(struct id_row),
               &groups));
    u->groups = groups.at;
    u->group_count = groups.count;
    return OK;
}

static enum rc not_known(struct ctx *cx)
{
    return fail(cx, E_UNAUTHENTICATED, NULL, "this account is not in use");
}

/* Statements of one user may see a change between them. What they give is then kept under an epoch
 * that has passed, and read anew by whoever comes after the change. */
static enum rc read_user(struct ctx *cx, int64_t id, struct known *k, const struct user **ret)
{
    struct row row = {.user.kind = USER_PERSON};
    const enum rc rc = db_one(cx, SQL_user_load, ARGS(INT("id", id)), row_cols, &row);
    if (rc == E_NOT_FOUND || (rc == OK && row.disabled_at))
        return not_known(cx);
    TRY(rc);
    TRY(load_roles(cx, k, &row.user));
    TRY(load_groups(cx, &row.user));
    *ret = known_keep_user(k, arena_copy(cx->arena, &row.user, sizeof(row.user)));
    return OK;
}

enum rc user_load(struct ctx *cx, int64_t id, int64_t epoch, struct user **ret)
{
    struct known *k = known_of_epoch(cx, epoch);
    const struct user *shared = known_user(k, id);
    if (!shared)
        TRY(read_user(cx, id, k, &shared));
    *ret = arena_copy(cx->arena, shared, sizeof(*shared));
    return OK;
}

int64_t user_id(const struct ctx *cx)
{
    return cx->user ? cx->user->id : 0;
}

struct epoch_row {
    int64_t id, epoch;
};
static const struct col epoch_cols[] = {
    INT_COL(struct epoch_row, id),
    INT_COL(struct epoch_row, epoch),
    {0},
};

enum rc auth_by_person(struct ctx *cx, int64_t person_id)
{
    struct epoch_row row;
    const enum rc rc = db_one(cx, SQL_user_epoch, ARGS(INT("id", person_id)), epoch_cols, &row);
    if (rc == E_NOT_FOUND)
        return not_known(cx);
    TRY(rc);
    struct user *u;
    TRY(user_load(cx, row.id, row.epoch, &u));
    cx->user = u;
    return OK;
}

void auth_as_nobody(struct ctx *cx)
{
    static const struct user nobody = {.kind = USER_NOBODY, .login = "", .name = ""};
    cx->user = &nobody;
}

void auth_as_operator(struct ctx *cx)
{
    static const struct user operator= {
        .kind = USER_OPERATOR, .login = "operator", .name = "operator"};
    cx->user = &operator;
}
