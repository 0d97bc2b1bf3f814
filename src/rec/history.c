/* What happened: the entries of one record, the record as it was, and the feed over all. */

#include "history_sql.h"

#include "base/json.h"
#include "base/str.h"
#include "db/db.h"
#include "rec/rec.h"
#include "rec/row.h"
#include "rec/type.h"

/* An event as it is stored, with what decides about its visibility. */
struct event_row {
    int64_t id, record_id, actor_id, via, occurred_at, recorded_at, revision;
    const char *kind, *action, *request_id, *from_state, *to_state, *deviation, *body;
    bool is_internal;
    const char *number, *state; /* from here on: only the feed; the record's state now */
    int64_t version_id, org_id, caller_id, opened_by_id, assignee_id, group_id;
    bool watched;
};

#define EVENT_COLS                                                                                 \
    INT_COL(struct event_row, id), INT_COL(struct event_row, record_id),                           \
        TEXT_COL(struct event_row, kind), TEXT_COL(struct event_row, action),                      \
        INT_COL(struct event_row, actor_id), INT_COL(struct event_row, via),                       \
        TEXT_COL(struct event_row, request_id), INT_COL(struct event_row, occurred_at),            \
        INT_COL(struct event_row, recorded_at), INT_COL(struct event_row, revision),               \
        TEXT_COL(struct event_row, from_state), TEXT_COL(struct event_row, to_state),              \
        FLAG_COL(struct event_row, is_internal), TEXT_COL(struct event_row, deviation),            \
        TEXT_COL(struct event_row, body)

static const struct col event_cols[] = {EVENT_COLS, {0}};
static const struct col feed_cols[] = {
    EVENT_COLS,
    TEXT_COL(struct event_row, number),
    TEXT_COL(struct event_row, state),
    INT_COL(struct event_row, version_id),
    INT_COL(struct event_row, org_id),
    INT_COL(struct event_row, caller_id),
    INT_COL(struct event_row, opened_by_id),
    INT_COL(struct event_row, assignee_id),
    INT_COL(struct event_row, group_id),
    FLAG_COL(struct event_row, watched),
    {0},
};

/* ---- cutting an entry to what may be seen --------------------------------------------------- */

static struct val visible_changes(struct ctx *cx, const struct rec *r, const struct val *changes)
{
    struct val_map map = {0};

    for (int i = 0; i < changes->count; i++) {
        const struct field *f = process_field(r->process, changes->members[i].name);
        if (f && rec_shows(r, f))
            val_map_set(cx->arena, &map, f->name, changes->members[i].val);
    }
    return val_from_map(&map);
}

static enum rc visible_body(struct ctx *cx, const struct rec *r, const char *json, struct val *ret)
{
    struct val body;
    struct val_map map = {0};

    TRY(json_parse_stored(cx, json, &body));
    for (int i = 0; body.kind == VAL_MAP && i < body.count; i++) {
        const struct member *m = &body.members[i];
        if (str_equal(m->name, "changes") && r->process->field_count)
            val_map_set(cx->arena, &map, m->name, visible_changes(cx, r, &m->val));
        else if (r->sees_internal ||
                 str_in(m->name, (const char *const[]){"text", "attached", "removed", "attachment",
                                                       "person", NULL}))
            val_map_set(cx->arena, &map, m->name, m->val);
    }
    *ret = val_from_map(&map);
    return OK;
}

static enum rc add_entry(struct ctx *cx, const struct rec *r, const struct event_row *row,
                         struct list *to)
{
    struct val body;

    if (row->is_internal && !r->sees_internal)
        return OK;
    TRY(visible_body(cx, r, row->body, &body));
    struct entry *e = list_add(cx->arena, to, sizeof(*e));
    *e = (struct entry){
        .id = row->id,
        .record_id = row->record_id,
        .number = r->number,
        .process = r->process->name,
        .version = r->process,
        .kind = row->kind,
        .action = row->action,
        .actor_id = row->actor_id,
        .via = (enum via)row->via,
        .request_id = row->request_id,
        .occurred_at = row->occurred_at,
        .recorded_at = row->recorded_at,
        .revision = row->revision,
        .from_state = row->from_state,
        .to_state = row->to_state,
        .is_internal = row->is_internal,
        .deviation = r->sees_internal ? row->deviation : NULL,
        .body = body,
    };
    return OK;
}

enum rc rec_history(struct ctx *cx, const struct rec *r, int64_t after, int limit, struct list *ret)
{
    struct list rows;

    *ret = (struct list){0};
    TRY(db_all(cx, SQL_history_of_record,
               ARGS(INT("record_id", r->id), INT("after", after), INT("limit", limit),
                    INT("internal", r->sees_internal)),
               event_cols, sizeof(struct event_row), &rows));
    for (int i = 0; i < rows.count; i++)
        TRY(add_entry(cx, r, (const struct event_row *)rows.at + i, ret));
    return OK;
}

/* ---- as it was ------------------------------------------------------------------------------ */

static enum rc undo(struct ctx *cx, const struct process *p, const char *json, struct val *slots)
{
    struct val body;

    TRY(json_parse_stored(cx, json, &body));
    const struct val *changes = val_get(&body, "changes");
    for (int i = 0; changes && i < changes->count; i++) {
        const struct member *m = &changes->members[i];
        const struct field *f = process_field(p, m->name);
        if (f && m->val.kind == VAL_LIST && m->val.count == 2)
            slots[f->slot] = m->val.items[0];
    }
    return OK;
}

static enum rc set_state(struct ctx *cx, const struct rec *r, int64_t event_id, struct val *slots)
{
    struct event_row moved;
    static const struct col cols[] = {
        INT_COL(struct event_row, id),
        TEXT_COL(struct event_row, to_state),
        INT_COL(struct event_row, occurred_at),
        {0},
    };

    TRY(db_one(cx, SQL_history_up_to, ARGS(INT("record_id", r->id), INT("event_id", event_id)),
               cols, &moved));
    const struct state *s = process_state(r->process, moved.to_state);
    slots[FIELD_STATE] = val_text(moved.to_state);
    slots[FIELD_ENTERED] = val_int(moved.occurred_at);
    if (s) {
        slots[FIELD_STATUS] = val_text(status_name(s->status));
        slots[FIELD_ACTIVE] = val_flag(status_is_active(s->status));
    }
    return OK;
}

enum rc rec_as_of(struct ctx *cx, const struct rec *r, int64_t event_id, struct rec *ret)
{
    struct event_row then;
    struct list later;
    const enum rc rc =
        db_one(cx, SQL_history_one, ARGS(INT("record_id", r->id), INT("event_id", event_id)),
               event_cols, &then);

    if (rc == E_NOT_FOUND || (rc == OK && then.is_internal && !r->sees_internal))
        return fail(cx, E_NOT_FOUND, NULL, "the record has no such event");
    TRY(rc);
    struct val *slots =
        arena_copy(cx->arena, r->slots, (size_t)r->process->field_count * sizeof(*slots));
    TRY(db_all(cx, SQL_history_back_to, ARGS(INT("record_id", r->id), INT("after", event_id)),
               event_cols, sizeof(struct event_row), &later));
    for (int i = 0; i < later.count; i++)
        TRY(undo(cx, r->process, ((const struct event_row *)later.at)[i].body, slots));
    TRY(set_state(cx, r, event_id, slots));
    slots[FIELD_UPDATED] = val_int(then.occurred_at);

    *ret = *r;
    ret->slots = slots;
    ret->revision = then.revision;
    return OK;
}

/* ---- the feed ------------------------------------------------------------------------------- */

/* The record of an event, as far as the feed needs it: who may see it, and what of it. */
static enum rc feed_record(struct ctx *cx, const struct event_row *row, struct rec *ret)
{
    const struct process *p;

    TRY(type_version(cx, row->version_id, &p));
    struct val *slots = arena_array(cx->arena, (size_t)p->field_count, sizeof(*slots));
    slots[FIELD_STATE] = val_text(row->state); /* it says which fields are hidden */
    *ret = (struct rec){
        .id = row->record_id,
        .number = row->number,
        .process = p,
        .slots = slots,
        .subject = {.process = p,
                    .record_id = row->record_id,
                    .org_id = row->org_id,
                    .caller_id = row->caller_id,
                    .opened_by_id = row->opened_by_id,
                    .assignee_id = row->assignee_id,
                    .group_id = row->group_id,
                    .is_watched = row->watched},
    };
    return row_admit(cx, ret);
}

/* Events about people and definitions: for those who may see all. */
static enum rc add_system_entry(struct ctx *cx, const struct event_row *row, struct list *to)
{
    static const struct process none = {.name = NULL};
    const struct rec r = {.process = &none, .sees_internal = true};

    if (cx->user && !auth_has_right(cx, "event.view_all"))
        return OK;
    return add_entry(cx, &r, row, to);
}

static enum rc add_feed_entry(struct ctx *cx, const struct event_row *row, struct list *to)
{
    struct rec r;

    if (!row->record_id)
        return add_system_entry(cx, row, to);
    const enum rc rc = feed_record(cx, row, &r);
    if (rc == OK)
        return add_entry(cx, &r, row, to);
    if (rc == E_NOT_FOUND)
        fail_clear(cx);
    return rc == E_NOT_FOUND ? OK : rc;
}

static enum rc feed_rows(struct ctx *cx, int64_t after, int limit, struct list *ret,
                         int64_t *ret_last)
{
    TRY(db_all(
        cx, SQL_history_feed,
        ARGS(INT("after", after), INT("limit", limit), INT("me", cx->user ? cx->user->id : 0)),
        feed_cols, sizeof(struct event_row), ret));
    *ret_last = ret->count ? ((const struct event_row *)ret->at)[ret->count - 1].id : after;
    return OK;
}

enum rc rec_feed(struct ctx *cx, int64_t after, int limit, struct list *ret, int64_t *ret_last)
{
    struct list rows;

    *ret = (struct list){0};
    TRY(feed_rows(cx, after, limit, &rows, ret_last));
    for (int i = 0; i < rows.count; i++)
        TRY(add_feed_entry(cx, (const struct event_row *)rows.at + i, ret));
    return OK;
}

struct feed {
    struct list rows;      /* of struct event_row; watched means nothing */
    struct list *watchers; /* of int64_t, one list a row */
};

enum rc rec_feed_read(struct ctx *cx, int64_t after, int limit, const struct feed **ret,
                      int64_t *ret_last)
{
    struct feed *f = arena_alloc(cx->arena, sizeof(*f));

    TRY(feed_rows(cx, after, limit, &f->rows, ret_last));
    f->watchers = arena_array(cx->arena, (size_t)f->rows.count, sizeof(*f->watchers));
    for (int i = 0; i < f->rows.count; i++) {
        const struct rec r = {.id = ((const struct event_row *)f->rows.at)[i].record_id};
        if (r.id)
            TRY(rec_watchers(cx, &r, &f->watchers[i]));
    }
    *ret = f;
    return OK;
}

static bool has_id(const struct list *ids, int64_t id)
{
    for (int i = 0; i < ids->count; i++) {
        if (((const int64_t *)ids->at)[i] == id)
            return true;
    }
    return false;
}

enum rc rec_feed_cut(struct ctx *cx, const struct feed *f, struct list *ret)
{
    *ret = (struct list){0};
    for (int i = 0; i < f->rows.count; i++) {
        struct event_row row = ((const struct event_row *)f->rows.at)[i];
        row.watched = cx->user && has_id(&f->watchers[i], cx->user->id);
        TRY(add_feed_entry(cx, &row, ret));
    }
    return OK;
}

enum rc rec_last_event(struct ctx *cx, int64_t *ret)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "id"}, {0}};
    return db_one(cx, SQL_history_last, NULL, cols, ret);
}
