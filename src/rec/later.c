#include "rec/later.h"

#include "later_sql.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "db/db.h"
#include "flow/flow.h"
#include "rec/around.h"
#include "rec/input.h"
#include "rec/row.h"
#include "rec/type.h"

static const struct col int_cols[] = {{.kind = COL_INT, .offset = 0, .name = "n"}, {0}};

/* ---- timers --------------------------------------------------------------------------------- */

struct timer {
    const struct job *job;
    struct outcome out;
};

/* The action and the end of its timer, in one transaction. An action that is not possible any more
 * is no failure: the record moved on, so there is nothing to do. */
static enum rc fire(struct ctx *cx, void *arg)
{
    struct timer *t = arg;
    const struct change c = {
        .kind = CHANGE_ACTION,
        .id = t->job->record_id,
        .action = t->job->name,
    };

    TRY(job_finish(cx, t->job));
    const enum rc rc = rec_do(cx, &c, &t->out);
    if (rc != E_CONFLICT && rc != E_NOT_FOUND)
        return rc;
    fail_clear(cx);
    return OK;
}

static enum rc run_timer(struct ctx *cx, const struct job *job)
{
    struct timer t = {.job = job};

    cx->via = VIA_TIMER;
    return db_tx(cx, fire, &t);
}

/* ---- cascades ------------------------------------------------------------------------------- */

#define SLICE 50

/* One slice of a cascade: what the job says, and how far it came. */
struct cascade {
    const struct job *job;
    struct val input;
    struct rec parent;
    const struct effect *effect; /* of the version that started it; NULL when that is gone */
    int64_t at;                  /* when the parent acted */
    int64_t after, done;
    struct buf held; /* lines: number and reason of each that was not changed */
};

static int64_t member_int(const struct val *map, const char *name)
{
    const struct val *v = val_get(map, name);
    return v && v->kind == VAL_INT ? v->i : 0;
}

static const struct effect *find_effect(const struct process *p, const struct val *input)
{
    const char *by = val_get_text(input, "by");
    const char *action = val_get_text(input, "action");
    const struct action *a = by ? process_action(p, by) : NULL;

    for (int i = 0; a && i < a->effect_count; i++) {
        const struct effect *e = &a->effects[i];
        if (e->kind == EFFECT_CASCADE && str_equal(e->name, action) &&
            str_equal(e->link, val_get_text(input, "link")))
            return e;
    }
    return NULL;
}

static enum rc read_cascade(struct ctx *cx, struct cascade *c)
{
    struct val progress = {0};
    const struct process *p;

    TRY(json_parse_stored(cx, c->job->input, &c->input));
    if (c->job->progress)
        TRY(json_parse_stored(cx, c->job->progress, &progress));
    c->after = member_int(&progress, "after");
    c->done = member_int(&progress, "done");
    c->held = (struct buf){.arena = cx->arena};
    if (val_get_text(&progress, "held"))
        buf_puts(&c->held, val_get_text(&progress, "held"));
    TRY(rec_find(cx, NULL, member_int(&c->input, "record"), &c->parent));
    TRY(type_version(cx, member_int(&c->input, "version"), &p));
    c->effect = find_effect(p, &c->input);
    return db_one(cx, SQL_later_entered, ARGS(INT("event_id", member_int(&c->input, "event"))),
                  int_cols, &c->at);
}

/* The other records, in the order of their ids, after the last one of the slice before. */
static enum rc next_ids(struct ctx *cx, const struct cascade *c, struct list *ret)
{
    const char *link = val_get_text(&c->input, "link");
    const struct link_kind *k = defs_link(cx->defs, link ? link : "child");

    if (k && k->is_tree)
        return db_all(cx, SQL_later_children,
                      ARGS(INT("id", c->parent.id), INT("after", c->after), INT("limit", SLICE)),
                      int_cols, sizeof(int64_t), ret);
    if (str_equal(link, "parent")) {
        int64_t *id = list_add(cx->arena, ret, sizeof(*id));
        *id = slot_int(c->parent.slots, FIELD_PARENT);
        ret->count = *id > c->after;
        return OK;
    }
    const char *inverse_of = link;
    for (int i = 0; !k && i < cx->defs->link_count; i++) {
        if (str_equal(cx->defs->links[i].inverse, link))
            inverse_of = cx->defs->links[i].name;
    }
    return db_all(cx, SQL_later_linked,
                  ARGS(INT("id", c->parent.id), TEXT("kind", inverse_of), INT("forward", k != NULL),
                       INT("after", c->after), INT("limit", SLICE)),
                  int_cols, sizeof(int64_t), ret);
}

static void hold(struct cascade *c, const struct rec *r, const char *why)
{
    buf_printf(&c->held, "- %s: %s\n", r->number, why);
}

/* Whether the cascade concerns this record at all: of the right process, still active, and the
 * file's own condition. Records that are resolved or closed already are left in peace. */
static bool concerns(struct ctx *cx, const struct cascade *c, const struct rec *r)
{
    const struct flow_in in = {
        .process = r->process, .at = cx->now, .id_of = input_id_of, .arg = cx};
    const struct expr_env env = flow_env(cx, &in, r->slots);

    if (!r->slots[FIELD_ACTIVE].flag)
        return false;
    if (c->effect && c->effect->process && !str_equal(c->effect->process, r->process->name))
        return false;
    return !c->effect || !c->effect->when || expr_holds(c->effect->when, &env);
}

/* A caller who wrote after the parent acted and got no answer is not closed over the head. */
static enum rc is_unanswered(struct ctx *cx, const struct cascade *c, const struct rec *r,
                             bool *ret)
{
    int64_t n;

    TRY(db_one(cx, SQL_later_unanswered,
               ARGS(INT("id", r->id), INT("caller", r->subject.caller_id), INT("since", c->at)),
               int_cols, &n));
    *ret = n > 0;
    return OK;
}

static enum rc cascade_one(struct ctx *cx, struct cascade *c, int64_t id)
{
    struct rec r;
    struct outcome out;
    bool waits;

    TRY(rec_find(cx, NULL, id, &r));
    if (!concerns(cx, c, &r))
        return OK;
    TRY(is_unanswered(cx, c, &r, &waits));
    if (waits) {
        hold(c, &r, "the caller wrote since and has no answer yet");
        return OK;
    }
    const struct val *input = val_get(&c->input, "input");
    const struct change change = {
        .kind = CHANGE_ACTION,
        .id = id,
        .action = val_get_text(&c->input, "action"),
        .input = input ? *input : val_null(),
        .is_stored = true,
    };
    const enum rc rc = rec_do(cx, &change, &out);
    if (rc == OK)
        c->done++;
    else if (rc == E_BUSY || rc == E_FAIL)
        return rc;
    else
        hold(c, &r, cx->err.text ? cx->err.text : rc_name(rc));
    fail_clear(cx);
    return OK;
}

/* Tell who works on the parent what was not done and why; a cascade never fails silently. */
static enum rc report(struct ctx *cx, const struct cascade *c)
{
    struct outcome out;

    if (!c->held.len)
        return OK;
    const char *action = val_get_text(&c->input, "action");
    const struct change note = {
        .kind = CHANGE_NOTE,
        .id = c->parent.id,
        .text =
            arena_printf(cx->arena, "%s was done for %lld linked records, and not for these:\n\n%s",
                         action, (long long)c->done, buf_text(&c->held)),
    };
    return rec_do(cx, &note, &out);
}

static enum rc slice(struct ctx *cx, void *arg)
{
    struct cascade *c = arg;
    struct list ids = {0};
    struct val_map progress = {0};

    TRY(read_cascade(cx, c));
    TRY(next_ids(cx, c, &ids));
    for (int i = 0; i < ids.count; i++) {
        c->after = ((const int64_t *)ids.at)[i];
        TRY(cascade_one(cx, c, c->after));
    }
    if (!ids.count) {
        TRY(report(cx, c));
        return job_finish(cx, c->job);
    }
    val_map_set(cx->arena, &progress, "after", val_int(c->after));
    val_map_set(cx->arena, &progress, "done", val_int(c->done));
    val_map_set(cx->arena, &progress, "held", val_text(buf_text(&c->held)));
    return job_continue(cx, c->job, val_from_map(&progress));
}

static enum rc run_cascade(struct ctx *cx, const struct job *job)
{
    struct cascade c = {.job = job};

    cx->via = VIA_RULE;
    return db_tx(cx, slice, &c);
}

const struct job_kind rec_job_kinds[] = {
    {.name = "timer", .run = run_timer, .help = "An action of a record whose time has come"},
    {.name = "cascade", .run = run_cascade, .help = "An action carried to linked records"},
    {0},
};
