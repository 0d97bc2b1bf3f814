#include "rec/store.h"

#include <string.h>

#include "rec_sql.h"
#include "text_sql.h"

#include "auth/people.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "db/db.h"
#include "lang/words.h"
#include "rec/row.h"

/* ---- counters ------------------------------------------------------------------------------- */

static enum rc tally(struct ctx *cx, const struct process *p, const struct val *slots, int64_t n)
{
    const struct state *s = process_state(p, slot_text(slots, FIELD_STATE));

    return db_exec(cx, SQL_rec_tally,
                   ARGS(INT("process_id", p->process_id),
                        INT("org_id", slot_int(slots, FIELD_ORGANISATION)), TEXT("state", s->name),
                        INT("status", s->status), INT("group_id", slot_int(slots, FIELD_GROUP)),
                        INT("priority", row_priority(p, slots)), INT("n", n)),
                   NULL);
}

static bool counts_alike(const struct val *a, const struct val *b)
{
    static const enum builtin keys[] = {FIELD_ORGANISATION, FIELD_STATE, FIELD_GROUP,
                                        FIELD_PRIORITY};

    for (int i = 0; i < ARRAY_LEN(keys); i++) {
        if (!val_equal(a[keys[i]], b[keys[i]]))
            return false;
    }
    return true;
}

/* What a parent counts of this record: 1 while it is active. */
static enum rc count_at_parent(struct ctx *cx, const struct process *p, const struct val *slots,
                               int64_t step)
{
    const int64_t parent = slot_int(slots, FIELD_PARENT);
    const bool is_task = str_equal(p->name, "task");

    if (!parent || !slots[FIELD_ACTIVE].flag)
        return OK;
    return db_exec(cx, SQL_rec_count_children,
                   ARGS(INT("id", parent), INT("tasks", is_task ? step : 0),
                        INT("children", is_task ? 0 : step)),
                   NULL);
}

/* ---- full text ------------------------------------------------------------------------------ */

/* What bounds the cost of one record's index, whatever is said in it. */
#define TITLE_TOKENS 100
#define BODY_TOKENS 4000
#define TALK_TOKENS 8000

struct text_work {
    const struct process *process;
    int64_t id;
    const struct val *slots;
    const char *language;
    bool is_silent; /* nothing was said yet: it is new */
};

struct said {
    bool is_internal;
    const char *body;
};
static const struct col said_cols[] = {
    FLAG_COL(struct said, is_internal),
    TEXT_COL(struct said, body),
    {0},
};

struct talk {
    struct buf talk, notes;
    const char *language;
};

static void add_tokens(struct buf *b, const char *text, const char *language, int most)
{
    if (str_is_empty(text))
        return;
    if (b->len)
        buf_putc(b, ' ');
    words_index(b, text, language, most);
}

static enum rc add_said(struct ctx *cx, void *row, void *arg)
{
    const struct said *s = row;
    struct talk *t = arg;
    struct val body;

    if (!strstr(s->body, "\"text\"") && !strstr(s->body, "\"note\""))
        return OK;
    TRY(json_parse_stored(cx, s->body, &body));
    struct buf *to = s->is_internal ? &t->notes : &t->talk;
    if (t->talk.len + t->notes.len < (size_t)64 * TALK_TOKENS) {
        add_tokens(to, val_get_text(&body, "text"), t->language, TALK_TOKENS);
        add_tokens(&t->notes, val_get_text(&body, "note"), t->language, TALK_TOKENS);
    }
    return OK;
}

/* Searched fields that not everybody may see go where notes go. */
static void add_fields(struct text_work *w, struct buf *body, struct buf *notes)
{
    for (int i = FIELD_DESCRIPTION; i < w->process->field_count; i++) {
        const struct field *f = &w->process->fields[i];
        const bool is_text = f->type == TYPE_TEXT || f->type == TYPE_LONG_TEXT;
        if (is_text && f->is_searched && i != FIELD_NUMBER && i != FIELD_PROCESS)
            add_tokens(f->is_internal ? notes : body, slot_text(w->slots, i), w->language,
                       BODY_TOKENS);
    }
}

/* What one position of the index looks like in the engine's own form: as it is for FTS5, a tsvector
 * literal for PostgreSQL ('a':1 '~b':1 'c':2). */
static const char *engine_text(struct ctx *cx, const char *tokens)
{
    if (db_engine(cx->db) == DB_SQLITE)
        return tokens;

    struct buf b = {.arena = cx->arena};
    int place = 2; /* a gap before it, so that no phrase crosses from one column into the next */
    for (const char *s = tokens; *s && place < 16000;) {
        const size_t len = strcspn(s, "| ");
        if (len)
            buf_printf(&b, "'%.*s':%d ", (int)len, s, place);
        s += len;
        if (*s == ' ')
            place++;
        if (*s)
            s++;
    }
    return buf_text(&b);
}

static enum rc put_text(struct ctx *cx, void *arg)
{
    struct text_work *w = arg;
    struct buf title = {.arena = cx->arena}, body = {.arena = cx->arena};
    struct talk t = {.talk.arena = cx->arena, .notes.arena = cx->arena, .language = w->language};
    /* No word holds '=', so none finds a key. */
    const char *keys =
        arena_printf(cx->arena, "p=%lld o=%lld c=%lld", (long long)w->process->process_id,
                     (long long)slot_int(w->slots, FIELD_ORGANISATION),
                     (long long)slot_int(w->slots, FIELD_CALLER));

    add_tokens(&title, slot_text(w->slots, FIELD_NUMBER), w->language, TITLE_TOKENS);
    add_tokens(&title, slot_text(w->slots, FIELD_TITLE), w->language, TITLE_TOKENS);
    add_fields(w, &body, &t.notes);
    if (!w->is_silent)
        TRY(db_each(cx, SQL_text_texts, ARGS(INT("id", w->id)), said_cols, sizeof(struct said),
                    add_said, &t));
    return db_exec(cx, SQL_text_put,
                   ARGS(INT("id", w->id), TEXT("title", engine_text(cx, buf_text(&title))),
                        TEXT("body", engine_text(cx, buf_text(&body))),
                        TEXT("talk", engine_text(cx, buf_text(&t.talk))),
                        TEXT("notes", engine_text(cx, buf_text(&t.notes))),
                        TEXT("keys", engine_text(cx, keys))),
                   NULL);
}

static void put_text_later(struct ctx *cx, struct text_work w)
{
    db_before_commit(cx, w.id, put_text, arena_copy(cx->arena, &w, sizeof(w)));
}

void store_text(struct ctx *cx, const struct process *p, int64_t id, const struct val *slots,
                const char *language)
{
    put_text_later(cx, (struct text_work){p, id, slots, language, false});
}

/* ---- the record ----------------------------------------------------------------------------- */

static struct arg id_arg(const char *name, const struct val *slots, int slot)
{
    return INT_OR_NONE(name, slot_int(slots, slot));
}

/* The arguments that inserting and updating share. */
#define ROW_ARGS(cx, p, slots, plan)                                                               \
    TEXT("title", slot_text(slots, FIELD_TITLE)),                                                  \
        TEXT("description", slot_text(slots, FIELD_DESCRIPTION)),                                  \
        id_arg("org_id", slots, FIELD_ORGANISATION), id_arg("caller_id", slots, FIELD_CALLER),     \
        id_arg("opened_by_id", slots, FIELD_OPENED_BY),                                            \
        id_arg("assignee_id", slots, FIELD_ASSIGNEE), id_arg("group_id", slots, FIELD_GROUP),      \
        INT_OR_NONE("priority", row_priority(p, slots)), TEXT("state", (plan)->to->name),          \
        INT("status", (plan)->to->status), INT("active", status_is_active((plan)->to->status)),    \
        id_arg("parent_id", slots, FIELD_PARENT),                                                  \
        INT("reassignments", slot_int(slots, FIELD_REASSIGNMENTS)),                                \
        INT("reopens", slot_int(slots, FIELD_REOPENS)),                                            \
        INT("updated_at", slot_int(slots, FIELD_UPDATED)),                                         \
        id_arg("resolved_at", slots, FIELD_RESOLVED), id_arg("closed_at", slots, FIELD_CLOSED),    \
        INT("entered_at", slot_int(slots, FIELD_ENTERED)),                                         \
        TEXT("fields", row_fields(cx, p, slots, (plan)->overrides)),                               \
        TEXT("folds", row_folds(cx, p, slots))

static enum rc next_number(struct ctx *cx, const struct process *p, const char **ret)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "n"}, {0}};
    int64_t n;

    TRY(db_one(cx, SQL_rec_next_number, ARGS(TEXT("series", p->series)), cols, &n));
    *ret = arena_printf(cx->arena, "%s%0*lld", p->number_prefix, p->number_width, (long long)n);
    return OK;
}

/* Whose words they are decides how they are stemmed: the caller, the organisation, the server. */
static const char *language_of(struct ctx *cx, const struct val *slots)
{
    const struct who caller = person_who(cx, slot_int(slots, FIELD_CALLER));
    const struct who org = organisation_who(cx, slot_int(slots, FIELD_ORGANISATION));

    if (caller.language)
        return caller.language;
    if (org.language)
        return org.language;
    return cx->language ? cx->language : "en";
}

enum rc store_create(struct ctx *cx, const struct process *p, struct flow_plan *plan,
                     const char *number, int64_t *ret_id)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "id"}, {0}};
    const struct val *slots = plan->after;
    const char *language = language_of(cx, slots);

    if (!number)
        TRY(next_number(cx, p, &number));
    plan->after[FIELD_NUMBER] = val_text(number);
    TRY(db_one(cx, SQL_rec_insert,
               ARGS(INT("process_id", p->process_id), INT("version_id", p->version_id),
                    TEXT("number", number), INT("created_at", slot_int(slots, FIELD_CREATED)),
                    TEXT("language", language), ROW_ARGS(cx, p, slots, plan)),
               cols, ret_id));
    TRY(tally(cx, p, slots, 1));
    TRY(count_at_parent(cx, p, slots, 1));
    put_text_later(cx, (struct text_work){p, *ret_id, slots, language,
                                          str_is_empty(plan->comment) && str_is_empty(plan->note)});
    return OK;
}

static bool changes_text(const struct flow_plan *plan)
{
    const struct flow_change *c = plan->changes.at;

    for (int i = 0; i < plan->changes.count; i++) {
        if (c[i].field->is_searched || c[i].field->slot == FIELD_ORGANISATION ||
            c[i].field->slot == FIELD_CALLER)
            return true;
    }
    return plan->comment || plan->note;
}

static enum rc write_row(struct ctx *cx, const struct rec *before, const struct process *p,
                         const struct flow_plan *plan)
{
    const struct val *slots = plan->after;
    int changed;

    TRY(db_exec(
        cx, SQL_rec_update,
        ARGS(INT("id", before->id), INT("seen", before->revision), ROW_ARGS(cx, p, slots, plan)),
        &changed));
    return changed ? OK : fail(cx, E_STALE, NULL, "the record was changed meanwhile");
}

enum rc store_update(struct ctx *cx, const struct rec *before, const struct flow_plan *plan)
{
    const struct process *p = before->process;
    const struct val *slots = plan->after;

    TRY(write_row(cx, before, p, plan));
    if (!counts_alike(before->slots, slots)) {
        TRY(tally(cx, p, before->slots, -1));
        TRY(tally(cx, p, slots, 1));
    }
    if (!val_equal(before->slots[FIELD_PARENT], slots[FIELD_PARENT]) ||
        before->slots[FIELD_ACTIVE].flag != slots[FIELD_ACTIVE].flag) {
        TRY(count_at_parent(cx, p, before->slots, -1));
        TRY(count_at_parent(cx, p, slots, 1));
    }
    if (changes_text(plan))
        store_text(cx, p, before->id, slots, before->language);
    return OK;
}

enum rc store_convert(struct ctx *cx, const struct rec *before, const struct process *p,
                      struct flow_plan *plan)
{
    const char *number;

    TRY(next_number(cx, p, &number));
    plan->after[FIELD_NUMBER] = val_text(number);
    TRY(write_row(cx, before, p, plan));
    TRY(db_exec(cx, SQL_rec_convert,
                ARGS(INT("id", before->id), INT("process_id", p->process_id),
                     INT("version_id", p->version_id), TEXT("number", number)),
                NULL));
    TRY(db_exec(cx, SQL_rec_alias, ARGS(TEXT("number", before->number), INT("id", before->id)),
                NULL));
    TRY(tally(cx, before->process, before->slots, -1));
    TRY(tally(cx, p, plan->after, 1));
    TRY(count_at_parent(cx, before->process, before->slots, -1));
    TRY(count_at_parent(cx, p, plan->after, 1));
    store_text(cx, p, before->id, plan->after, before->language);
    return OK;
}

enum rc store_touch(struct ctx *cx, const struct rec *r, int64_t at)
{
    int changed;

    TRY(db_exec(cx, SQL_rec_touch, ARGS(INT("id", r->id), INT("now", at), INT("seen", r->revision)),
                &changed));
    return changed ? OK : fail(cx, E_STALE, NULL, "the record was changed meanwhile");
}
