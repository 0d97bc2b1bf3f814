#include <string.h>

#include "auth/auth.h"
#include "auth/known.h"
#include "auth/manage.h"
#include "auth/people.h"
#include "base/ctx.h"
#include "base/str.h"
#include "db/db.h"
#include "lang/words.h"
#include "names_sql.h"

static const struct {
    const struct sql *find, *load;
} kinds[KNOWN_KINDS] = {
    [KNOWN_PERSON] = {SQL_names_find_person, SQL_names_person},
    [KNOWN_GROUP] = {SQL_names_find_group, SQL_names_group},
    [KNOWN_ORGANISATION] = {SQL_names_find_organisation, SQL_names_organisation},
};

static const struct col who_cols[] = {
    INT_COL(struct who, id),     INT_COL(struct who, org_id),    TEXT_COL(struct who, name),
    TEXT_COL(struct who, login), TEXT_COL(struct who, language), {0},
};

struct id_row {
    int64_t id;
};
static const struct col id_cols[] = {
    INT_COL(struct id_row, id),
    {0},
};

static enum rc load_who(struct ctx *cx, struct known *k, enum known_kind kind, int64_t id,
                        struct who *ret)
{
    const struct who *kept = known_who(k, kind, id);
    if (kept) {
        *ret = *kept;
        return OK;
    }
    if (!id)
        return E_NOT_FOUND;
    TRY(db_one(cx, kinds[kind].load, ARGS(INT("id", id)), who_cols, ret));
    known_keep_who(k, kind, ret);
    return OK;
}

/* A failing database shows as "?" too: a name is never worth the page. */
static struct who who(struct ctx *cx, enum known_kind kind, int64_t id)
{
    const struct ctx before = *cx;
    struct who w;
    if (load_who(cx, known_latest(cx), kind, id, &w) != OK) {
        w = (struct who){.name = "?"};
        cx->err = before.err;
    }
    return w;
}

static bool is_seen(struct ctx *cx, enum known_kind kind, const struct who *w)
{
    return (kind == KNOWN_PERSON && manage_is_self(cx, w->id)) ||
           manage_sight(cx, w->org_id) != SIGHT_NONE;
}

static enum rc find_id(struct ctx *cx, struct known *k, enum known_kind kind, const char *name,
                       int64_t *ret)
{
    if (name[strspn(name, "0123456789")] == '\0')
        return str_to_int(name, ret) ? OK : E_NOT_FOUND;
    const char *folded = words_fold(cx->arena, name);
    int64_t id = known_id(k, kind, folded);
    if (!id) {
        struct id_row row;
        TRY(db_one(cx, kinds[kind].find, ARGS(TEXT("name", folded)), id_cols, &row));
        id = row.id;
        known_keep_id(k, kind, folded, id);
    }
    *ret = id;
    return OK;
}

static enum rc find(struct ctx *cx, enum known_kind kind, const char *name, int64_t *ret)
{
    struct known *k = known_latest(cx);
    int64_t id = 0;
    TRY(find_id(cx, k, kind, name, &id));
    struct who w;
    TRY(load_who(cx, k, kind, id, &w));
    if (!is_seen(cx, kind, &w))
        return E_NOT_FOUND;
    *ret = id;
    return OK;
}

enum rc person_find(struct ctx *cx, const char *name, int64_t *ret)
{
    return find(cx, KNOWN_PERSON, name, ret);
}

enum rc group_find(struct ctx *cx, const char *name, int64_t *ret)
{
    return find(cx, KNOWN_GROUP, name, ret);
}

enum rc organisation_find(struct ctx *cx, const char *name, int64_t *ret)
{
    return find(cx, KNOWN_ORGANISATION, name, ret);
}

struct who person_who(struct ctx *cx, int64_t id)
{
    return who(cx, KNOWN_PERSON, id);
}

struct who group_who(struct ctx *cx, int64_t id)
{
    return who(cx, KNOWN_GROUP, id);
}

struct who organisation_who(struct ctx *cx, int64_t id)
{
    return who(cx, KNOWN_ORGANISATION, id);
}
