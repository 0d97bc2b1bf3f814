#include <string.h>

#include "auth/attrs.h"
#include "auth/auth.h"
#include "auth/hashing.h"
#include "auth/manage.h"
#include "auth/page.h"
#include "auth/people.h"
#include "auth/scope.h"
#include "auth/session.h"
#include "auth/user.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "db/db.h"
#include "lang/words.h"
#include "person_sql.h"

static const struct attr attrs[] = {
    {ATTR_INT, "organisation", offsetof(struct person, org_id), .is_required = true},
    {ATTR_TEXT, "login", offsetof(struct person, login), 100, true, attr_login_fault},
    {ATTR_TEXT, "name", offsetof(struct person, name), 200, true, NULL},
    {ATTR_TEXT, "email", offsetof(struct person, email), 254, false, attr_email_fault},
    {ATTR_TEXT, "phone", offsetof(struct person, phone), 50, false, NULL},
    {ATTR_TEXT, "language", offsetof(struct person, language), 35, false, attr_language_fault},
    {ATTR_TEXT, "time_zone", offsetof(struct person, time_zone), 64, false, attr_time_zone_fault},
    {ATTR_FLAG, "is_service", offsetof(struct person, is_service)},
    {0},
};

/* What everybody may change of oneself. */
static const char *const own_attrs[] = {"phone", "language", "time_zone", NULL};

static const struct col cols[] = {
    INT_COL(struct person, id),
    INT_COL(struct person, org_id),
    TEXT_COL(struct person, login),
    TEXT_COL(struct person, name),
    TEXT_COL(struct person, email),
    TEXT_COL(struct person, phone),
    TEXT_COL(struct person, language),
    TEXT_COL(struct person, time_zone),
    FLAG_COL(struct person, is_service),
    INT_COL(struct person, created_at),
    INT_COL(struct person, disabled_at),
    INT_COL(struct person, revision),
    {0},
};

/* ---- reading
 * -----------------------------------------------------------------------------------*/

static enum rc no_person(struct ctx *cx)
{
    return fail(cx, E_NOT_FOUND, NULL, "there is no such person");
}

static enum rc load(struct ctx *cx, int64_t id, struct person *ret)
{
    const enum rc rc = db_one(cx, SQL_person_load, ARGS(INT("id", id)), cols, ret);
    return rc == E_NOT_FOUND ? no_person(cx) : rc;
}

static struct person only_name(const struct person *p)
{
    return (struct person){.id = p->id, .org_id = p->org_id, .name = p->name};
}

enum rc person_load(struct ctx *cx, int64_t id, struct person *ret)
{
    struct person p;
    TRY(load(cx, id, &p));
    const enum sight sight = manage_is_self(cx, id) ? SIGHT_ALL : manage_sight(cx, p.org_id);
    if (sight == SIGHT_NONE)
        return no_person(cx);
    *ret = sight == SIGHT_ALL ? p : only_name(&p);
    return OK;
}

struct listed {
    struct person person;
    const char *folded;
};
static const struct col listed_cols[] = {
    INT_COL(struct listed, person.id),
    INT_COL(struct listed, person.org_id),
    TEXT_COL(struct listed, person.login),
    TEXT_COL(struct listed, person.name),
    TEXT_COL(struct listed, person.email),
    TEXT_COL(struct listed, person.phone),
    TEXT_COL(struct listed, person.language),
    TEXT_COL(struct listed, person.time_zone),
    FLAG_COL(struct listed, person.is_service),
    INT_COL(struct listed, person.created_at),
    INT_COL(struct listed, person.disabled_at),
    INT_COL(struct listed, person.revision),
    TEXT_COL(struct listed, folded),
    {0},
};

enum rc person_list(struct ctx *cx, const struct people_query *q, struct list *ret,
                    const char **ret_next)
{
    struct page page;
    TRY(page_begin(cx, q, &page));
    struct list rows = {0};
    TRY(db_all(cx, SQL_person_list, PAGE_ARGS(&page), listed_cols, sizeof(struct listed), &rows));
    const struct listed *row = rows.at;
    struct list people = {0};
    for (int i = 0; i < rows.count && i < page.limit; i++) {
        const struct person *p = &row[i].person;
        const bool is_full = reach_has_org(&page.detailed, p->org_id) || manage_is_self(cx, p->id);
        *(struct person *)list_add(cx->arena, &people, sizeof(*p)) = is_full ? *p : only_name(p);
    }
    *ret = people;
    *ret_next = rows.count > page.limit
                    ? page_cursor(cx, row[page.limit - 1].person.id, row[page.limit - 1].folded)
                    : NULL;
    return OK;
}

enum rc group_members(struct ctx *cx, int64_t group_id, struct list *ret)
{
    struct group group;
    TRY(group_load(cx, group_id, &group));
    struct list rows = {0};
    TRY(db_all(cx, SQL_person_of_group, ARGS(INT("id", group_id)), cols, sizeof(struct person),
               &rows));
    const struct person *row = rows.at;
    struct list people = {0};
    for (int i = 0; i < rows.count; i++) {
        const enum sight sight = manage_sight(cx, row[i].org_id);
        if (sight != SIGHT_NONE)
            *(struct person *)list_add(cx->arena, &people, sizeof(*row)) =
                sight == SIGHT_ALL ? row[i] : only_name(&row[i]);
    }
    *ret = people;
    return OK;
}

/* ---- creating and changing
 * ---------------------------------------------------------------------*/

/* The login is kept folded: it is one, however it is typed. */
static enum rc clean(struct ctx *cx, const struct person *p, struct person *ret)
{
    struct person c = *p;
    c.login = p->login ? words_fold(cx->arena, p->login) : NULL;
    TRY(attrs_clean(cx, attrs, &c));
    *ret = c;
    return attr_check_zone(cx, c.time_zone);
}

static const char *folded(struct ctx *cx, const char *s)
{
    return s ? words_fold(cx->arena, s) : NULL;
}

struct number {
    int64_t n;
};
static const struct col number_cols[] = {
    INT_COL(struct number, n),
    {0},
};

static enum rc check_free(struct ctx *cx, const struct person *p)
{
    struct number taken;
    const enum rc rc =
        db_one(cx, SQL_person_taken,
               ARGS(INT("id", p->id), TEXT("login", p->login), TEXT("email", folded(cx, p->email))),
               number_cols, &taken);
    if (rc == E_NOT_FOUND)
        return OK;
    TRY(rc);
    return manage_taken(cx, taken.n == 1 ? "login" : "email", "somebody else's");
}

struct change {
    struct person person;
    const char *hash; /* of the password; NULL: none */
    int64_t id;
};

static enum rc create_in_tx(struct ctx *cx, void *arg)
{
    struct change *c = arg;
    const struct person *p = &c->person;
    TRY(manage_org_of(cx, p->org_id, "organisation"));
    TRY(check_free(cx, p));
    struct number id;
    TRY(db_one(cx, SQL_person_create,
               ARGS(INT("org_id", p->org_id), TEXT("login", p->login), TEXT("name", p->name),
                    TEXT("name_folded", folded(cx, p->name)), TEXT("email", p->email),
                    TEXT("email_folded", folded(cx, p->email)), TEXT("phone", p->phone),
                    TEXT("language", p->language), TEXT("time_zone", p->time_zone),
                    INT("is_service", p->is_service), TEXT("password_hash", c->hash),
                    INT("now", cx->now)),
               number_cols, &id));
    c->id = id.n;
    return manage_changed(cx, "person", "create", id.n, attrs_changes(cx, attrs, NULL, p));
}

enum rc person_create(struct ctx *cx, const struct person *p, const struct secret *password,
                      int64_t *ret)
{
    struct change c = {0};
    TRY(clean(cx, p, &c.person));
    c.person.id = 0;
    if (password)
        TRY(hashing_make_checked(cx, password, c.person.login, c.person.name, &c.hash));
    TRY(db_tx(cx, create_in_tx, &c));
    *ret = c.id;
    return OK;
}

static enum rc is_stale(struct ctx *cx)
{
    return fail(cx, E_STALE, NULL, "somebody else changed this person meanwhile");
}

static bool are_own(struct val changes)
{
    for (int i = 0; i < changes.count; i++)
        if (!str_in(changes.members[i].name, own_attrs))
            return false;
    return true;
}

static enum rc check_update(struct ctx *cx, const struct person *p, struct val changes)
{
    if (manage_is_self(cx, p->id) && are_own(changes) &&
        scope_allows(cx->user->scopes, NULL, SCOPE_WRITE))
        return OK;
    TRY(manage_person(cx, p->id));
    TRY(manage_org_of(cx, p->org_id, "organisation"));
    return check_free(cx, p);
}

static enum rc update_in_tx(struct ctx *cx, void *arg)
{
    const struct person *p = arg;
    struct person before;
    TRY(load(cx, p->id, &before));
    const struct val changes = attrs_changes(cx, attrs, &before, p);
    TRY(check_update(cx, p, changes));
    if (before.revision != p->revision)
        return is_stale(cx);
    if (val_is_null(changes))
        return OK;
    bool had = false;
    TRY(manage_has_administrator(cx, &had));
    int changed = 0;
    TRY(db_exec(cx, SQL_person_update,
                ARGS(INT("id", p->id), INT("revision", p->revision), INT("org_id", p->org_id),
                     TEXT("login", p->login), TEXT("name", p->name),
                     TEXT("name_folded", folded(cx, p->name)), TEXT("email", p->email),
                     TEXT("email_folded", folded(cx, p->email)), TEXT("phone", p->phone),
                     TEXT("language", p->language), TEXT("time_zone", p->time_zone),
                     INT("is_service", p->is_service)),
                &changed));
    if (!changed)
        return is_stale(cx);
    TRY(manage_keeps_administrator(cx, had));
    return manage_changed(cx, "person", "update", p->id, changes);
}

enum rc person_update(struct ctx *cx, const struct person *p)
{
    struct person c;
    TRY(clean(cx, p, &c));
    return db_tx(cx, update_in_tx, &c);
}

/* ---- passwords
 * ---------------------------------------------------------------------------------*/

static enum rc may_set_password(struct ctx *cx, int64_t id)
{
    if (cx->user && cx->user->token_id)
        return fail(cx, E_DENIED, NULL, "a token cannot set passwords; sign in for that");
    return manage_is_self(cx, id) ? OK : manage_person(cx, id);
}

static enum rc set_password_in_tx(struct ctx *cx, void *arg)
{
    const struct change *c = arg;
    TRY(may_set_password(cx, c->id));
    TRY(db_exec(cx, SQL_person_set_password, ARGS(INT("id", c->id), TEXT("hash", c->hash)), NULL));
    TRY(session_end_all(cx, c->id, manage_is_self(cx, c->id) ? cx->user->session_id : 0));
    return manage_changed(cx, "person", "password", c->id, val_null());
}

enum rc person_set_password(struct ctx *cx, int64_t id, const struct secret *password)
{
    struct change c = {.id = id};
    TRY(may_set_password(cx, id));
    TRY(load(cx, id, &c.person));
    TRY(hashing_make_checked(cx, password, c.person.login, c.person.name, &c.hash));
    return db_tx(cx, set_password_in_tx, &c);
}

/* ---- disabling
 * ---------------------------------------------------------------------------------*/

struct ability {
    int64_t id, revision;
    int64_t disabled_at; /* 0: able */
};

static enum rc set_disabled_in_tx(struct ctx *cx, void *arg)
{
    const struct ability *a = arg;
    struct person before;
    bool had = false;
    TRY(load(cx, a->id, &before));
    TRY(manage_person(cx, a->id));
    if (before.revision != a->revision)
        return is_stale(cx);
    if (!before.disabled_at == !a->disabled_at)
        return OK;
    TRY(manage_has_administrator(cx, &had));
    TRY(db_exec(cx, SQL_person_set_disabled,
                ARGS(INT("id", a->id), INT("revision", a->revision),
                     INT_OR_NONE("disabled_at", a->disabled_at)),
                NULL));
    TRY(manage_keeps_administrator(cx, had));
    if (a->disabled_at)
        TRY(session_end_all(cx, a->id, 0));
    return manage_changed(cx, "person", a->disabled_at ? "disable" : "enable", a->id, val_null());
}

enum rc person_disable(struct ctx *cx, int64_t id, int64_t revision)
{
    return db_tx(cx, set_disabled_in_tx, &(struct ability){id, revision, cx->now});
}

enum rc person_enable(struct ctx *cx, int64_t id, int64_t revision)
{
    return db_tx(cx, set_disabled_in_tx, &(struct ability){id, revision, 0});
}
