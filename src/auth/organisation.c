#include "auth/attrs.h"
#include "auth/known.h"
#include "auth/manage.h"
#include "auth/page.h"
#include "auth/people.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "db/db.h"
#include "lang/words.h"
#include "organisation_sql.h"

static const struct attr attrs[] = {
    {ATTR_INT, "parent", offsetof(struct organisation, parent_id)},
    {ATTR_TEXT, "name", offsetof(struct organisation, name), 200, true, attr_name_fault},
    {ATTR_TEXT, "language", offsetof(struct organisation, language), 35, false,
     attr_language_fault},
    {ATTR_TEXT, "time_zone", offsetof(struct organisation, time_zone), 64, false,
     attr_time_zone_fault},
    {ATTR_INT, "retired", offsetof(struct organisation, retired_at)},
    {0},
};

static const struct col cols[] = {
    INT_COL(struct organisation, id),         INT_COL(struct organisation, parent_id),
    TEXT_COL(struct organisation, name),      TEXT_COL(struct organisation, language),
    TEXT_COL(struct organisation, time_zone), INT_COL(struct organisation, retired_at),
    INT_COL(struct organisation, revision),   {0},
};

/* ---- reading
 * -----------------------------------------------------------------------------------*/

static enum rc no_organisation(struct ctx *cx)
{
    return fail(cx, E_NOT_FOUND, NULL, "there is no such organisation");
}

static enum rc load(struct ctx *cx, int64_t id, struct organisation *ret)
{
    const enum rc rc = db_one(cx, SQL_organisation_load, ARGS(INT("id", id)), cols, ret);
    return rc == E_NOT_FOUND ? no_organisation(cx) : rc;
}

static struct organisation only_name(const struct organisation *o)
{
    return (struct organisation){.id = o->id, .name = o->name};
}

enum rc organisation_load(struct ctx *cx, int64_t id, struct organisation *ret)
{
    struct organisation o;
    TRY(load(cx, id, &o));
    const enum sight sight = manage_sight(cx, id);
    if (sight == SIGHT_NONE)
        return no_organisation(cx);
    *ret = sight == SIGHT_ALL ? o : only_name(&o);
    return OK;
}

struct listed {
    struct organisation organisation;
    const char *folded;
};
static const struct col listed_cols[] = {
    INT_COL(struct listed, organisation.id),
    INT_COL(struct listed, organisation.parent_id),
    TEXT_COL(struct listed, organisation.name),
    TEXT_COL(struct listed, organisation.language),
    TEXT_COL(struct listed, organisation.time_zone),
    INT_COL(struct listed, organisation.retired_at),
    INT_COL(struct listed, organisation.revision),
    TEXT_COL(struct listed, folded),
    {0},
};

enum rc organisation_list(struct ctx *cx, const struct people_query *q, struct list *ret,
                          const char **ret_next)
{
    struct page page;
    TRY(page_begin(cx, q, &page));
    struct list rows = {0};
    TRY(db_all(cx, SQL_organisation_list, PAGE_ARGS(&page), listed_cols, sizeof(struct listed),
               &rows));
    const struct listed *row = rows.at;
    struct list organisations = {0};
    for (int i = 0; i < rows.count && i < page.limit; i++) {
        const struct organisation *o = &row[i].organisation;
        *(struct organisation *)list_add(cx->arena, &organisations, sizeof(*o)) =
            reach_has_org(&page.detailed, o->id) ? *o : only_name(o);
    }
    *ret = organisations;
    *ret_next = rows.count > page.limit ? page_cursor(cx, row[page.limit - 1].organisation.id,
                                                      row[page.limit - 1].folded)
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

static enum rc check_name(struct ctx *cx, const struct organisation *o)
{
    struct number other;
    const enum rc rc =
        db_one(cx, SQL_organisation_taken,
               ARGS(INT("id", o->id), TEXT("name_folded", words_fold(cx->arena, o->name))),
               number_cols, &other);
    if (rc == OK)
        return manage_taken(cx, "name", "the name of another organisation");
    return rc == E_NOT_FOUND ? OK : rc;
}

/* Roles reach down, so what is above an organisation is a matter of those who manage both. */
static enum rc check_parent(struct ctx *cx, const struct organisation *o)
{
    if (o->parent_id)
        TRY(manage_org_of(cx, o->parent_id, "parent"));
    else
        TRY(manage_org(cx, 0));
    const int64_t *below = NULL;
    int count = 0;
    if (o->id)
        TRY(known_below(cx, NULL, o->id, &below, &count));
    for (int i = 0; i < count; i++)
        if (below[i] == o->parent_id)
            return fail(cx, E_INVALID, "parent", "is the organisation itself or below it");
    return OK;
}

static enum rc create_in_tx(struct ctx *cx, void *arg)
{
    struct organisation *o = arg;
    TRY(check_parent(cx, o));
    TRY(check_name(cx, o));
    struct number id;
    TRY(db_one(cx, SQL_organisation_create,
               ARGS(INT_OR_NONE("parent_id", o->parent_id), TEXT("name", o->name),
                    TEXT("name_folded", words_fold(cx->arena, o->name)),
                    TEXT("language", o->language), TEXT("time_zone", o->time_zone),
                    INT("now", cx->now), INT_OR_NONE("retired_at", o->retired_at)),
               number_cols, &id));
    TRY(manage_changed(cx, "organisation", "create", id.n, attrs_changes(cx, attrs, NULL, o)));
    o->id = id.n;
    return OK;
}

enum rc organisation_create(struct ctx *cx, const struct organisation *o, int64_t *ret)
{
    struct organisation c = *o;
    c.id = 0;
    TRY(attrs_clean(cx, attrs, &c));
    TRY(attr_check_zone(cx, c.time_zone));
    TRY(db_tx(cx, create_in_tx, &c));
    *ret = c.id;
    return OK;
}

static enum rc is_stale(struct ctx *cx)
{
    return fail(cx, E_STALE, NULL, "somebody else changed this organisation meanwhile");
}

static enum rc update_in_tx(struct ctx *cx, void *arg)
{
    const struct organisation *o = arg;
    struct organisation before;
    TRY(load(cx, o->id, &before));
    const enum rc rc = manage_org(cx, o->id);
    if (rc == E_NOT_FOUND)
        return no_organisation(cx);
    TRY(rc);
    if (before.parent_id != o->parent_id) {
        TRY(manage_org(cx, before.parent_id));
        TRY(check_parent(cx, o));
    }
    TRY(check_name(cx, o));
    if (before.revision != o->revision)
        return is_stale(cx);
    const struct val changes = attrs_changes(cx, attrs, &before, o);
    if (val_is_null(changes))
        return OK;
    int changed = 0;
    TRY(db_exec(cx, SQL_organisation_update,
                ARGS(INT("id", o->id), INT("revision", o->revision),
                     INT_OR_NONE("parent_id", o->parent_id), TEXT("name", o->name),
                     TEXT("name_folded", words_fold(cx->arena, o->name)),
                     TEXT("language", o->language), TEXT("time_zone", o->time_zone),
                     INT_OR_NONE("retired_at", o->retired_at)),
                &changed));
    return changed ? manage_changed(cx, "organisation", "update", o->id, changes) : is_stale(cx);
}

enum rc organisation_update(struct ctx *cx, const struct organisation *o)
{
    struct organisation c = *o;
    TRY(attrs_clean(cx, attrs, &c));
    TRY(attr_check_zone(cx, c.time_zone));
    return db_tx(cx, update_in_tx, &c);
}
