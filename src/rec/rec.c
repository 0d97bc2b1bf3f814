#include "rec/rec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rec_sql.h"

#include "base/str.h"
#include "db/db.h"
#include "flow/flow.h"
#include "rec/around.h"
#include "rec/input.h"
#include "rec/row.h"

static const char *upper(struct arena *a, const char *s)
{
    char *up = arena_strdup(a, s);
    for (char *c = up; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return up;
}

/* "inc-42" as the process of that prefix writes it: "INC-00042" where it fills with zeros. */
static const char *canonical(struct ctx *cx, const char *number)
{
    const char *up = upper(cx->arena, number);
    const size_t letters = strcspn(up, "0123456789");
    int64_t n;

    for (int i = 0; cx->defs && i < cx->defs->process_count; i++) {
        const struct process *p = &cx->defs->processes[i];
        if (strlen(p->number_prefix) == letters && strncmp(p->number_prefix, up, letters) == 0 &&
            strlen(up + letters) < 19 && str_to_int(up + letters, &n))
            return arena_printf(cx->arena, "%s%0*lld", p->number_prefix, p->number_width,
                                (long long)n);
    }
    return number;
}

static enum rc load_row(struct ctx *cx, const struct sql *sql, struct arg which, struct rec *ret)
{
    struct row row;
    const enum rc rc =
        db_one(cx, sql, ARGS(which, INT("me", cx->user ? cx->user->id : 0)), row_cols, &row);

    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such record");
    TRY(rc);
    return row_read(cx, &row, ret);
}

enum rc rec_find(struct ctx *cx, const char *number, int64_t id, struct rec *ret)
{
    if (!number)
        return load_row(cx, SQL_rec_by_id, INT("id", id), ret);

    const enum rc rc = load_row(cx, SQL_rec_by_number, TEXT("number", number), ret);
    const char *other = rc == E_NOT_FOUND ? canonical(cx, number) : number;
    if (str_equal(other, number))
        return rc;
    fail_clear(cx);
    return load_row(cx, SQL_rec_by_number, TEXT("number", other), ret);
}

enum rc rec_load(struct ctx *cx, const char *number, struct rec *ret)
{
    struct rec r;
    TRY(rec_find(cx, number, 0, &r));
    TRY(row_admit(cx, &r));
    *ret = r;
    return OK;
}

enum rc rec_load_id(struct ctx *cx, int64_t id, struct rec *ret)
{
    struct rec r;
    TRY(rec_find(cx, NULL, id, &r));
    TRY(row_admit(cx, &r));
    *ret = r;
    return OK;
}

enum rc rec_check(struct ctx *cx, const struct rec *r, enum right right)
{
    return auth_check(cx, &r->subject, right);
}

bool rec_shows(const struct rec *r, const struct field *f)
{
    const char *state = slot_text(r->slots, FIELD_STATE);
    const struct state *s = state ? process_state(r->process, state) : NULL;

    if (f->is_internal && !r->sees_internal)
        return false;
    return r->sees_internal || !s || !s->rules || !(s->rules[f->slot] & RULE_HIDDEN);
}

enum rc rec_offers(struct ctx *cx, const struct rec *r, struct list *ret)
{
    struct rec full = *r;
    TRY(around_load_watchers(cx, &full));
    const struct flow_in in = {
        .process = full.process,
        .slots = full.slots,
        .words = full.words,
        .at = cx->now,
        .me = cx->user ? cx->user->id : 0,
        .my_groups = cx->user ? cx->user->groups : NULL,
        .my_group_count = cx->user ? cx->user->group_count : 0,
        .id_of = input_id_of,
        .arg = cx,
    };
    return flow_offers(cx, &in, ret);
}
