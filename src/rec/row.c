#include "rec/row.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "lang/words.h"
#include "rec/type.h"

const struct col row_cols[] = {
    INT_COL(struct row, id),
    INT_COL(struct row, process_id),
    INT_COL(struct row, version_id),
    TEXT_COL(struct row, number),
    INT_COL(struct row, revision),
    TEXT_COL(struct row, title),
    TEXT_COL(struct row, description),
    INT_COL(struct row, org_id),
    INT_COL(struct row, caller_id),
    INT_COL(struct row, opened_by_id),
    INT_COL(struct row, assignee_id),
    INT_COL(struct row, group_id),
    INT_COL(struct row, priority),
    TEXT_COL(struct row, state),
    INT_COL(struct row, parent_id),
    INT_COL(struct row, open_tasks),
    INT_COL(struct row, open_children),
    INT_COL(struct row, reassignments),
    INT_COL(struct row, reopens),
    INT_COL(struct row, created_at),
    INT_COL(struct row, updated_at),
    INT_COL(struct row, resolved_at),
    INT_COL(struct row, closed_at),
    INT_COL(struct row, entered_at),
    TEXT_COL(struct row, language),
    TEXT_COL(struct row, fields),
    FLAG_COL(struct row, watched),
    {0},
};

/* Where a built-in field stands in a row: what is an id or an instant is missing when it is 0. */
static const struct {
    enum builtin slot;
    size_t offset;
    enum { PLACE_TEXT, PLACE_ID, PLACE_COUNT } kind;
} places[] = {
    {FIELD_NUMBER, offsetof(struct row, number), PLACE_TEXT},
    {FIELD_TITLE, offsetof(struct row, title), PLACE_TEXT},
    {FIELD_DESCRIPTION, offsetof(struct row, description), PLACE_TEXT},
    {FIELD_ORGANISATION, offsetof(struct row, org_id), PLACE_ID},
    {FIELD_CALLER, offsetof(struct row, caller_id), PLACE_ID},
    {FIELD_OPENED_BY, offsetof(struct row, opened_by_id), PLACE_ID},
    {FIELD_ASSIGNEE, offsetof(struct row, assignee_id), PLACE_ID},
    {FIELD_GROUP, offsetof(struct row, group_id), PLACE_ID},
    {FIELD_PARENT, offsetof(struct row, parent_id), PLACE_ID},
    {FIELD_OPEN_TASKS, offsetof(struct row, open_tasks), PLACE_COUNT},
    {FIELD_OPEN_CHILDREN, offsetof(struct row, open_children), PLACE_COUNT},
    {FIELD_REASSIGNMENTS, offsetof(struct row, reassignments), PLACE_COUNT},
    {FIELD_REOPENS, offsetof(struct row, reopens), PLACE_COUNT},
    {FIELD_CREATED, offsetof(struct row, created_at), PLACE_ID},
    {FIELD_UPDATED, offsetof(struct row, updated_at), PLACE_ID},
    {FIELD_RESOLVED, offsetof(struct row, resolved_at), PLACE_ID},
    {FIELD_CLOSED, offsetof(struct row, closed_at), PLACE_ID},
    {FIELD_ENTERED, offsetof(struct row, entered_at), PLACE_ID},
};

int64_t slot_int(const struct val *slots, int slot)
{
    return slots[slot].kind == VAL_INT ? slots[slot].i : 0;
}

const char *slot_text(const struct val *slots, int slot)
{
    return slots[slot].kind == VAL_TEXT ? slots[slot].text : NULL;
}

static void read_columns(const struct row *row, struct val *slots)
{
    for (int i = 0; i < ARRAY_LEN(places); i++) {
        const void *at = (const char *)row + places[i].offset;
        if (places[i].kind == PLACE_TEXT) {
            slots[places[i].slot] = val_text(*(const char *const *)at);
            continue;
        }
        const int64_t n = *(const int64_t *)at;
        slots[places[i].slot] = n || places[i].kind == PLACE_COUNT ? val_int(n) : val_null();
    }
}

static void read_state(const struct process *p, const struct row *row, struct val *slots)
{
    const struct state *s = process_state(p, row->state);
    const struct choice *c = p->fields[FIELD_PRIORITY].choices;

    slots[FIELD_STATE] = val_text(s ? s->name : row->state);
    slots[FIELD_PROCESS] = val_text(p->name);
    if (s) {
        slots[FIELD_STATUS] = val_text(status_name(s->status));
        slots[FIELD_ACTIVE] = val_flag(status_is_active(s->status));
    }
    for (int64_t rank = 1; c && c->name; c++, rank++) {
        if (rank == row->priority)
            slots[FIELD_PRIORITY] = val_text(c->name);
    }
}

/* Members come in the order of the slots (SQLite) or in PostgreSQL's own: look on from the last
 * one. */
static const struct field *next_field(const struct process *p, int *at, const char *name)
{
    for (int i = 0; i < p->field_count; i++) {
        *at = *at + 1 < p->field_count ? *at + 1 : 0;
        if (str_equal(p->fields[*at].name, name))
            return &p->fields[*at];
    }
    return NULL;
}

static void read_overrides(struct ctx *cx, const struct process *p, const struct val *map,
                           struct rec *ret)
{
    const char **overrides = arena_array(cx->arena, (size_t)p->field_count, sizeof(*overrides));
    int at = 0;

    for (int i = 0; i < map->count; i++) {
        const struct field *f = next_field(p, &at, map->members[i].name);
        if (f && map->members[i].val.kind == VAL_TEXT)
            overrides[f->slot] = map->members[i].val.text;
    }
    ret->overrides = overrides;
}

/* Name of the member beside the fields that says which computed values were set by hand, and why.
 * No field can have it, for names begin with a letter. */
#define OVERRIDES "!overrides"

static enum rc read_fields(struct ctx *cx, const struct process *p, const char *json,
                           struct val *slots, struct rec *ret)
{
    struct val map;
    int at = FIELD_BUILTINS - 1;

    if (str_equal(json, "{}"))
        return OK;
    TRY(json_parse_stored(cx, json, &map));
    for (int i = 0; i < map.count; i++) {
        const struct member *m = &map.members[i];
        if (str_equal(m->name, OVERRIDES)) {
            read_overrides(cx, p, &m->val, ret);
            continue;
        }
        const struct field *f = next_field(p, &at, m->name);
        if (f)
            slots[f->slot] = f->type == TYPE_FLAG ? val_flag(m->val.i != 0) : m->val;
    }
    return OK;
}

void row_subject(const struct process *p, int64_t id, const struct val *slots, struct subject *ret)
{
    *ret = (struct subject){
        .process = p,
        .record_id = id,
        .org_id = slot_int(slots, FIELD_ORGANISATION),
        .caller_id = slot_int(slots, FIELD_CALLER),
        .opened_by_id = slot_int(slots, FIELD_OPENED_BY),
        .assignee_id = slot_int(slots, FIELD_ASSIGNEE),
        .group_id = slot_int(slots, FIELD_GROUP),
    };
}

enum rc row_read(struct ctx *cx, const struct row *row, struct rec *ret)
{
    const struct process *p;
    TRY(type_version(cx, row->version_id, &p));
    struct val *slots = arena_array(cx->arena, (size_t)p->field_count, sizeof(*slots));

    *ret = (struct rec){
        .id = row->id,
        .revision = row->revision,
        .number = row->number,
        .language = row->language,
        .process = p,
        .slots = slots,
    };
    read_columns(row, slots);
    read_state(p, row, slots);
    TRY(read_fields(cx, p, row->fields, slots, ret));
    row_subject(p, row->id, slots, &ret->subject);
    ret->subject.is_watched = row->watched;
    return OK;
}

enum rc row_admit(struct ctx *cx, struct rec *r)
{
    row_relate(cx, r);
    if (!row_has_right(cx, r, RIGHT_VIEW))
        return fail(cx, E_NOT_FOUND, NULL, "there is no such record");
    return OK;
}

bool row_has_right(const struct ctx *cx, const struct rec *r, enum right right)
{
    return auth_holds(cx, &r->subject, right);
}

void row_relate(struct ctx *cx, struct rec *r)
{
    r->words = auth_words(cx, &r->subject);
    r->sees_internal = row_has_right(cx, r, RIGHT_INTERNAL);
}

int64_t row_priority(const struct process *p, const struct val *slots)
{
    const char *name = slot_text(slots, FIELD_PRIORITY);
    const struct choice *c = p->fields[FIELD_PRIORITY].choices;

    for (int64_t rank = 1; name && c && c->name; c++, rank++) {
        if (str_equal(c->name, name))
            return rank;
    }
    return 0;
}

static void write_overrides(struct json *j, const struct process *p, const char *const *overrides)
{
    bool any = false;

    for (int i = 0; overrides && i < p->field_count; i++) {
        if (!overrides[i])
            continue;
        if (!any) {
            json_key(j, OVERRIDES);
            json_open(j, '{');
        }
        any = true;
        json_member_text(j, p->fields[i].name, overrides[i]);
    }
    if (any)
        json_close(j, '}');
}

const char *row_fields(struct ctx *cx, const struct process *p, const struct val *slots,
                       const char *const *overrides)
{
    struct buf b = {.arena = cx->arena};
    struct json j = {.out = &b};

    json_open(&j, '{');
    for (int i = FIELD_BUILTINS; i < p->field_count; i++) {
        if (val_is_null(slots[i]))
            continue;
        json_key(&j, p->fields[i].name);
        if (slots[i].kind == VAL_FLAG)
            json_int(&j, slots[i].flag); /* the two engines disagree about JSON booleans */
        else
            json_val(&j, slots[i]);
    }
    write_overrides(&j, p, overrides);
    json_close(&j, '}');
    return buf_text(&b);
}

const char *row_folds(struct ctx *cx, const struct process *p, const struct val *slots)
{
    struct buf b = {.arena = cx->arena};
    struct json j = {.out = &b};

    json_open(&j, '{');
    for (int i = 0; i < p->field_count; i++) {
        const bool is_folded = i == FIELD_TITLE || i >= FIELD_BUILTINS;
        if (is_folded && p->fields[i].type == TYPE_TEXT && slots[i].kind == VAL_TEXT)
            json_member_text(&j, p->fields[i].name, words_fold(cx->arena, slots[i].text));
    }
    json_close(&j, '}');
    return buf_text(&b);
}
