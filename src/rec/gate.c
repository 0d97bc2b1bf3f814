/* The gate: one transaction in which a record and everything that hangs on it moves from one state
 * to the next, and one event says so. */

#include "rec_sql.h"

#include "base/json.h"
#include "base/str.h"
#include "db/db.h"
#include "job/event.h"
#include "rec/around.h"
#include "rec/passage.h"
#include "rec/row.h"

/* ---- who acts ------------------------------------------------------------------------------- */

static enum rc find_actor(struct ctx *cx, struct passage *g)
{
    g->actor = cx->user;
    if (!is_recorded(g))
        return OK;

    struct ctx as = *cx;
    as.user = NULL;
    if (g->c->recorded->actor_id)
        TRY(auth_by_person(&as, g->c->recorded->actor_id));
    g->actor = as.user;
    return OK;
}

void passage_words(struct ctx *cx, struct passage *g)
{
    struct ctx as = *cx;
    as.user = g->actor;
    g->words = auth_words(&as, &g->rec.subject);
}

static enum rc refuse_right(struct ctx *cx, enum right right)
{
    fail(cx, E_DENIED, NULL, "you need the right %s for this", right_name(right));
    cx->err.code = "not_allowed";
    return E_DENIED;
}

enum rc passage_check(struct ctx *cx, struct passage *g, enum right right)
{
    struct rec asked = g->rec;

    if (is_recorded(g))
        right = RIGHT_IMPORT;
    row_relate(cx, &asked);
    if (g->rec.id && !row_has_right(cx, &asked, RIGHT_VIEW))
        return fail(cx, E_NOT_FOUND, NULL, "there is no such record");
    return row_has_right(cx, &asked, right) ? OK : refuse_right(cx, right);
}

/* ---- what changed meanwhile ----------------------------------------------------------------- */

struct since {
    const char *from_state, *to_state, *body;
};
static const struct col since_cols[] = {
    TEXT_COL(struct since, from_state),
    TEXT_COL(struct since, to_state),
    TEXT_COL(struct since, body),
    {0},
};

struct clash {
    struct passage *g;
    struct rec seen; /* as the writer may see it */
    bool has_moved;  /* to another state */
};

static bool is_given(const struct passage *g, const char *field)
{
    return g->c->input.kind == VAL_MAP && val_get(&g->c->input, field);
}

static enum rc note_clash(struct ctx *cx, void *row, void *arg)
{
    const struct since *s = row;
    struct clash *clash = arg;
    struct val body;

    clash->has_moved |= s->to_state && !str_equal(s->from_state, s->to_state);
    TRY(json_parse_stored(cx, s->body, &body));
    const struct val *changes = val_get(&body, "changes");
    for (int i = 0; changes && i < changes->count; i++) {
        const char *name = changes->members[i].name;
        const struct field *f = process_field(clash->seen.process, name);
        if (f && rec_shows(&clash->seen, f) && is_given(clash->g, name))
            problem(cx, name, "changed_meanwhile", "%s was changed meanwhile", name);
    }
    return OK;
}

/* The writer saw an older revision. That is fine as long as nobody touched what the writer touches;
 * a state that moved on makes an action another question than the one that was answered. */
static enum rc check_revision(struct ctx *cx, struct passage *g)
{
    struct clash clash = {.g = g, .seen = g->rec};
    const bool is_edit = g->c->kind == CHANGE_EDIT;

    if (!g->c->revision || g->c->revision == g->rec.revision)
        return OK;
    if (g->c->revision > g->rec.revision)
        return fail(cx, E_STALE, NULL, "the record never had revision %lld",
                    (long long)g->c->revision);
    row_relate(cx, &clash.seen);
    TRY(db_each(cx, SQL_rec_changed_since,
                ARGS(INT("id", g->rec.id), INT("revision", g->c->revision)), since_cols,
                sizeof(struct since), note_clash, &clash));
    if (clash.has_moved && !is_edit)
        return fail(cx, E_STALE, NULL, "the record is now in state %s",
                    slot_text(g->rec.slots, FIELD_STATE));
    if (cx->err.problems.count)
        return fail(cx, E_STALE, NULL, "somebody else changed the same fields");
    return OK;
}

/* ---- the event ------------------------------------------------------------------------------ */

/* Follows from the event's own columns or from counters; not repeated in its body. */
static bool is_derived(const struct field *f)
{
    static const bool derived[FIELD_BUILTINS] = {
        [FIELD_NUMBER] = true,        [FIELD_STATE] = true,   [FIELD_STATUS] = true,
        [FIELD_ACTIVE] = true,        [FIELD_ENTERED] = true, [FIELD_CREATED] = true,
        [FIELD_UPDATED] = true,       [FIELD_PROCESS] = true, [FIELD_OPEN_TASKS] = true,
        [FIELD_OPEN_CHILDREN] = true,
    };
    return f->slot < FIELD_BUILTINS && derived[f->slot];
}

static struct val changes_body(struct ctx *cx, const struct flow_plan *plan)
{
    struct val_map map = {0};
    const struct flow_change *c = plan->changes.at;

    for (int i = 0; i < plan->changes.count; i++) {
        if (is_derived(c[i].field))
            continue;
        struct val *pair = arena_array(cx->arena, 2, sizeof(*pair));
        pair[0] = c[i].before;
        pair[1] = c[i].after;
        val_map_set(cx->arena, &map, c[i].field->name,
                    (struct val){.kind = VAL_LIST, .count = 2, .items = pair});
    }
    return val_from_map(&map);
}

static void plan_body(struct ctx *cx, struct passage *g)
{
    const struct flow_plan *plan = &g->plan;

    if (plan->changes.count)
        val_map_set(cx->arena, &g->body, "changes", changes_body(cx, plan));
    if (plan->comment)
        val_map_set(cx->arena, &g->body, "text", val_text(plan->comment));
    if (plan->note)
        val_map_set(cx->arena, &g->body, "note", val_text(plan->note));
    if (g->input.override_reason)
        val_map_set(cx->arena, &g->body, "override_reason", val_text(g->input.override_reason));
}

static const char *deviation(struct ctx *cx, const struct passage *g)
{
    const char *const *codes = g->plan.deviations.at;
    const char *all = g->c->recorded ? g->c->recorded->deviations : NULL;

    for (int i = 0; i < g->plan.deviations.count; i++)
        all = arena_printf(cx->arena, "%s%s%s", all ? all : "", all ? " " : "", codes[i]);
    return all;
}

static enum rc write_event(struct ctx *cx, struct passage *g)
{
    const struct process *p = g->rec.process;
    const struct val *slots = g->has_plan ? g->plan.after : g->rec.slots;
    const struct state *now = g->has_plan ? g->plan.to : NULL;
    const struct state *was = g->was ? g->was : g->has_plan ? g->plan.from : NULL;

    if (g->has_plan)
        plan_body(cx, g);
    g->ret->deviation = deviation(cx, g);
    const struct event e = {
        .kind = change_name(g->c->kind),
        .record_id = g->record_id,
        .process_id = p->process_id,
        .action = g->has_plan && g->plan.action ? g->plan.action->name : NULL,
        .actor_id = g->actor ? g->actor->id : 0,
        .occurred_at = g->at,
        .revision = g->rec.revision + 1,
        .from_state = was ? was->name : NULL,
        .to_state = now ? now->name : NULL,
        .from_status = was ? (int)was->status : 0,
        .to_status = now ? (int)now->status : 0,
        .group_id = slot_int(slots, FIELD_GROUP),
        .priority = row_priority(p, slots),
        .is_internal = g->is_internal,
        .deviation = g->ret->deviation,
    };
    return event_append(cx, &e, val_from_map(&g->body), &g->event_id);
}

/* ---- the transaction ------------------------------------------------------------------------ */

static enum rc was_imported(struct ctx *cx, struct passage *g, bool *ret)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "event_id"}, {0}};
    const struct recorded *r = g->c->recorded;
    int64_t event_id;

    *ret = false;
    if (!r || !r->key)
        return OK;
    const enum rc rc =
        db_one(cx, SQL_rec_is_imported, ARGS(TEXT("source", r->source), TEXT("key", r->key)), cols,
               &event_id);
    *ret = rc == OK;
    return rc == E_NOT_FOUND ? OK : rc;
}

static enum rc note_import(struct ctx *cx, struct passage *g)
{
    const struct recorded *r = g->c->recorded;

    if (!r || !r->key)
        return OK;
    return db_exec(
        cx, SQL_rec_note_import,
        ARGS(TEXT("source", r->source), TEXT("key", r->key), INT("event_id", g->event_id)), NULL);
}

static enum rc load_before(struct ctx *cx, struct passage *g)
{
    TRY(rec_find(cx, g->c->number, g->c->id, &g->rec));
    TRY(around_load_watchers(cx, &g->rec));
    g->record_id = g->rec.id;
    passage_words(cx, g);
    TRY(passage_check(cx, g, change_right(g)));
    return check_revision(cx, g);
}

static void after_plan(struct passage *g, struct rec *ret)
{
    *ret = g->rec;
    ret->id = g->record_id;
    ret->slots = g->plan.after;
    ret->overrides = g->plan.overrides;
    ret->number = slot_text(g->plan.after, FIELD_NUMBER);
    row_subject(g->rec.process, g->record_id, g->plan.after, &ret->subject);
    ret->subject.is_watched = g->rec.subject.is_watched;
}

/* How the record is now, for the reply; a caller who may no longer see it still learns that it
 * went. */
static void show_outcome(struct ctx *cx, struct passage *g)
{
    struct rec *r = &g->ret->rec;

    *r = g->rec;
    if (g->has_plan)
        after_plan(g, r);
    r->revision += !g->is_nothing;
    row_relate(cx, r);
    g->ret->event_id = g->event_id;
}

static enum rc pass(struct ctx *cx, void *arg)
{
    const struct passage *request = arg;
    struct passage g = {.c = request->c, .ret = request->ret};
    bool is_known;

    fail_clear(cx);
    TRY(was_imported(cx, &g, &is_known));
    if (is_known)
        return OK;
    g.at = g.c->recorded ? g.c->recorded->at : cx->now;
    TRY(find_actor(cx, &g));
    if (g.c->kind != CHANGE_CREATE)
        TRY(load_before(cx, &g));
    TRY(change_apply(cx, &g));
    if (!g.is_nothing) {
        TRY(write_event(cx, &g));
        if (g.c->kind == CHANGE_ATTACH)
            TRY(around_attach(cx, g.c->attachment, g.record_id, g.event_id));
        TRY(note_import(cx, &g));
        if (g.has_plan)
            TRY(follow(cx, &g));
        if (g.c->kind == CHANGE_REPLY)
            TRY(follow_reply(cx, &g));
    }
    show_outcome(cx, &g);
    return OK;
}

enum rc rec_do(struct ctx *cx, const struct change *c, struct outcome *ret)
{
    struct passage g = {.c = c, .ret = ret};

    *ret = (struct outcome){0};
    return db_tx(cx, pass, &g);
}
