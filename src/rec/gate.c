/* The gate: one transaction in which a record and everything that hangs on it moves from one state
 * to the next, and one event says so. */
#include <string.h>

#include "rec_sql.h"

#include "auth/people.h"
#include "base/json.h"
#include "base/str.h"
#include "db/db.h"
#include "job/event.h"
#include "job/job.h"
#include "rec/around.h"
#include "rec/input.h"
#include "rec/row.h"
#include "rec/store.h"

/* One passage under way. */
struct passage {
    const struct change *c;
    struct outcome *ret;
    struct rec rec; /* before; when creating only process and subject are set */
    struct input input;
    struct flow_plan plan;
    bool has_plan;
    const struct state *was;  /* convert: the state in the process it comes from */
    const struct user *actor; /* who did it: cx->user, or whom a recorded change names */
    const char *const *words; /* that hold for the actor */
    int64_t at;
    int64_t record_id, event_id;
    struct val_map body; /* of the event */
    bool is_internal;
    bool is_nothing; /* what was asked for is already so: no event */
};

static bool is_recorded(const struct passage *g)
{
    return g->c->recorded;
}

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

static void find_words(struct ctx *cx, struct passage *g)
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

/* Importing is a right of who imports; what the actor might have done is a matter of deviations. */
static enum rc check_right(struct ctx *cx, struct passage *g, enum right right)
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
    bool has_moved; /* to another state */
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
    TRY(json_parse(cx, s->body, strlen(s->body), &body));
    const struct val *changes = val_get(&body, "changes");
    for (int i = 0; changes && i < changes->count; i++) {
        const char *name = changes->members[i].name;
        if (is_given(clash->g, name))
            problem(cx, name, "changed_meanwhile", "%s was changed meanwhile", name);
    }
    return OK;
}

/* The writer saw an older revision. That is fine as long as nobody touched what the writer touches;
 * a state that moved on makes an action another question than the one that was answered. */
static enum rc check_revision(struct ctx *cx, struct passage *g)
{
    struct clash clash = {.g = g};

    if (!g->c->revision || g->c->revision == g->rec.revision)
        return OK;
    if (g->c->revision > g->rec.revision)
        return fail(cx, E_STALE, NULL, "the record never had revision %lld",
                    (long long)g->c->revision);
    TRY(db_each(cx, SQL_rec_changed_since,
                ARGS(INT("id", g->rec.id), INT("revision", g->c->revision)), since_cols,
                sizeof(struct since), note_clash, &clash));
    if (clash.has_moved && g->c->kind == CHANGE_ACTION)
        return fail(cx, E_STALE, NULL, "the record is now in state %s",
                    slot_text(g->rec.slots, FIELD_STATE));
    if (cx->err.problems.count)
        return fail(cx, E_STALE, NULL, "somebody else changed the same fields");
    return OK;
}

/* ---- asking flow ---------------------------------------------------------------------------- */

static struct flow_in question(struct ctx *cx, struct passage *g)
{
    const struct recorded *r = g->c->recorded;

    return (struct flow_in){
        .process = g->rec.process,
        .slots = g->rec.slots,
        .overrides = g->rec.overrides,
        .words = g->words,
        .given = g->input.given.at,
        .given_count = g->input.given.count,
        .comment = g->input.comment,
        .note = g->input.note,
        .override_reason = g->input.override_reason,
        .to_state = r ? r->to_state : NULL,
        .mode = r ? FLOW_RECORDED : FLOW_STRICT,
        .at = g->at,
        .me = g->actor ? g->actor->id : 0,
        .my_groups = g->actor ? g->actor->groups : NULL,
        .my_group_count = g->actor ? g->actor->group_count : 0,
        .id_of = input_id_of,
        .arg = cx,
    };
}

static enum rc read_input(struct ctx *cx, struct passage *g)
{
    if (is_recorded(g) || g->c->is_stored)
        return input_stored(cx, g->rec.process, g->c->input, &g->input);
    return input_read(cx, g->rec.process, g->c->input, &g->input);
}

static struct val given_value(const struct passage *g, int slot)
{
    const struct given *given = g->input.given.at;

    for (int i = 0; i < g->input.given.count; i++) {
        if (given[i].slot == slot)
            return given[i].val;
    }
    return val_null();
}

/* ---- the kinds of change -------------------------------------------------------------------- */

/* Who needs it, who wrote it down and whose it is, as far as that follows from who asks. What the
 * input says about it goes through flow like any other field. */
static struct val *known_people(struct ctx *cx, const struct passage *g, const struct process *p)
{
    struct val *slots = arena_array(cx->arena, (size_t)p->field_count, sizeof(*slots));
    const struct user *me = g->actor;
    const struct val given = given_value(g, FIELD_CALLER);
    const int64_t mine = me && !me->is_service ? me->id : 0;
    const int64_t caller = given.kind == VAL_INT ? given.i : mine;
    const int64_t org = caller ? person_who(cx, caller).org_id : me ? me->org_id : 0;

    slots[FIELD_CALLER] = mine ? val_int(mine) : val_null();
    slots[FIELD_OPENED_BY] = me && me->id ? val_int(me->id) : val_null();
    slots[FIELD_ORGANISATION] = org ? val_int(org) : val_null();
    return slots;
}

/* Whose record it would be, if the input had its way: what the right to create it is asked of. */
static void intended_subject(struct passage *g, const struct val *known)
{
    const struct val org = given_value(g, FIELD_ORGANISATION);
    const struct val caller = given_value(g, FIELD_CALLER);

    row_subject(g->rec.process, 0, known, &g->rec.subject);
    if (org.kind == VAL_INT)
        g->rec.subject.org_id = org.i;
    if (caller.kind == VAL_INT)
        g->rec.subject.caller_id = caller.i;
}

static enum rc do_create(struct ctx *cx, struct passage *g)
{
    const struct process *p = defs_process(cx->defs, g->c->process);
    if (!p)
        return fail(cx, E_NOT_FOUND, NULL, "there is no process %s", g->c->process);

    g->rec.process = p;
    TRY(read_input(cx, g));
    const struct val *known = known_people(cx, g, p);
    intended_subject(g, known);
    find_words(cx, g);
    TRY(check_right(cx, g, RIGHT_CREATE));
    if (!g->rec.subject.org_id)
        problem(cx, "organisation", "required", "say whose record it is");

    struct flow_in in = question(cx, g);
    in.start = known;
    TRY(flow_create(cx, &in, &g->plan));
    g->has_plan = true;
    TRY(around_check_parent(cx, &g->rec, &g->plan));
    return store_create(cx, p, &g->plan, g->c->recorded ? g->c->recorded->number : NULL,
                        &g->record_id);
}

static enum rc store_plan(struct ctx *cx, struct passage *g)
{
    g->has_plan = true;
    TRY(around_check_parent(cx, &g->rec, &g->plan));
    return store_update(cx, &g->rec, &g->plan);
}

static enum rc do_action(struct ctx *cx, struct passage *g)
{
    TRY(read_input(cx, g));
    const struct flow_in in = question(cx, g);
    TRY(flow_act(cx, &in, g->c->action, &g->plan));
    return store_plan(cx, g);
}

static enum rc do_edit(struct ctx *cx, struct passage *g)
{
    TRY(read_input(cx, g));
    const struct flow_in in = question(cx, g);
    TRY(flow_edit(cx, &in, &g->plan));
    g->is_nothing = !is_recorded(g) && !g->plan.changes.count && !g->plan.comment && !g->plan.note;
    return g->is_nothing ? OK : store_plan(cx, g);
}

static enum rc do_text(struct ctx *cx, struct passage *g)
{
    if (str_is_empty(g->c->text)) {
        problem(cx, "text", "required", "text must not be empty");
        return problems_rc(cx);
    }
    val_map_set(cx->arena, &g->body, "text", val_text(g->c->text));
    g->is_internal = g->c->kind == CHANGE_NOTE;
    store_text(cx, g->rec.process, g->rec.id, g->rec.slots, g->rec.language);
    return store_touch(cx, &g->rec, g->at);
}

static enum rc do_attach(struct ctx *cx, struct passage *g)
{
    const struct attachment *a = g->c->attachment;

    val_map_set(cx->arena, &g->body, a->is_removed ? "removed" : "attached", val_text(a->name));
    val_map_set(cx->arena, &g->body, "attachment", val_text(a->public_id));
    g->is_internal = a->is_internal;
    return store_touch(cx, &g->rec, g->at);
}

static enum rc do_link(struct ctx *cx, struct passage *g)
{
    TRY(around_link(cx, &g->rec, g->c, &g->body, &g->is_nothing));
    return g->is_nothing ? OK : store_touch(cx, &g->rec, g->at);
}

static enum rc do_watch(struct ctx *cx, struct passage *g)
{
    const bool is_watch = g->c->kind == CHANGE_WATCH;
    int changed;

    TRY(db_exec(cx, is_watch ? SQL_rec_watch : SQL_rec_unwatch,
                ARGS(INT("id", g->rec.id), INT("person", g->c->person_id)), &changed));
    g->is_nothing = !changed;
    val_map_set(cx->arena, &g->body, "person", val_int(g->c->person_id));
    return changed ? store_touch(cx, &g->rec, g->at) : OK;
}

/* Fields that the other process has too, by name and type; what it cannot hold stays in the
 * history. */
static struct val *carried(struct ctx *cx, const struct passage *g, const struct process *to)
{
    struct val *slots = arena_array(cx->arena, (size_t)to->field_count, sizeof(*slots));

    for (int i = 0; i < to->field_count; i++) {
        const struct field *f = process_field(g->rec.process, to->fields[i].name);
        if (f && f->type == to->fields[i].type && i != FIELD_STATE && i != FIELD_PRIORITY)
            slots[i] = g->rec.slots[f->slot];
    }
    return slots;
}

/* Without a stated state only a record that nobody worked on can go over: to the other's beginning.
 */
static enum rc find_target_state(struct ctx *cx, const struct passage *g, const struct process *to,
                                 const char **ret)
{
    const char *state = slot_text(g->rec.slots, FIELD_STATE);
    const struct process *p = g->rec.process;

    *ret = g->c->to_state ? g->c->to_state : to->states[to->initial_state].name;
    if (g->c->to_state || str_equal(state, p->states[p->initial_state].name))
        return OK;
    return fail(cx, E_INVALID, "state", "say which state of %s corresponds to %s", to->name, state);
}

static enum rc do_convert(struct ctx *cx, struct passage *g)
{
    const struct rec before = g->rec;
    const struct process *to = defs_process(cx->defs, g->c->process ? g->c->process : "");
    const char *state;

    if (!to)
        return fail(cx, E_INVALID, "process", "there is no such process");
    if (to->process_id == before.process->process_id)
        return fail(cx, E_INVALID, "process", "it is of process %s already", to->name);
    TRY(find_target_state(cx, g, to, &state));
    const struct val *start = carried(cx, g, to);
    g->rec.process = to;
    TRY(read_input(cx, g));
    row_subject(to, before.id, start, &g->rec.subject);
    find_words(cx, g);
    TRY(check_right(cx, g, RIGHT_CREATE));

    struct flow_in in = question(cx, g);
    in.slots = NULL;
    in.overrides = NULL;
    in.start = start;
    in.to_state = state;
    TRY(flow_convert(cx, &in, &g->plan));
    g->has_plan = true;
    val_map_set(cx->arena, &g->body, "from_process", val_text(before.process->name));
    val_map_set(cx->arena, &g->body, "from_number", val_text(before.number));
    g->was = process_state(before.process, slot_text(before.slots, FIELD_STATE));
    return store_convert(cx, &before, to, &g->plan);
}

static const struct {
    const char *name;
    enum right right;
    enum rc (*apply)(struct ctx *cx, struct passage *g);
} kinds[CHANGE_KINDS] = {
    [CHANGE_CREATE] = {"create", RIGHT_CREATE, do_create},
    [CHANGE_ACTION] = {"action", RIGHT_VIEW, do_action}, /* and what the action itself allows */
    [CHANGE_EDIT] = {"edit", RIGHT_EDIT, do_edit},
    [CHANGE_REPLY] = {"reply", RIGHT_REPLY, do_text},
    [CHANGE_NOTE] = {"note", RIGHT_NOTE, do_text},
    [CHANGE_ATTACH] = {"attach", RIGHT_ATTACH, do_attach},
    [CHANGE_LINK] = {"link", RIGHT_LINK, do_link},
    [CHANGE_UNLINK] = {"unlink", RIGHT_LINK, do_link},
    [CHANGE_WATCH] = {"watch", RIGHT_WATCH, do_watch},
    [CHANGE_UNWATCH] = {"unwatch", RIGHT_WATCH, do_watch},
    [CHANGE_CONVERT] = {"convert", RIGHT_EDIT, do_convert},
};

const char *change_name(enum change_kind k)
{
    return kinds[k].name;
}

/* Watching oneself needs no more than seeing the record. */
static enum right right_for(const struct passage *g)
{
    const bool is_watching = g->c->kind == CHANGE_WATCH || g->c->kind == CHANGE_UNWATCH;

    if (is_watching && g->actor && g->actor->id == g->c->person_id)
        return RIGHT_VIEW;
    return kinds[g->c->kind].right;
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
        .kind = kinds[g->c->kind].name,
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

/* ---- what else has to happen ---------------------------------------------------------------- */

static enum rc run_timers(struct ctx *cx, struct passage *g)
{
    const struct flow_timer *t = g->plan.timers.at;

    if (g->plan.ends_timers)
        TRY(timer_stop_all(cx, g->record_id));
    for (int i = 0; i < g->plan.timers.count; i++) {
        if (t[i].run_at)
            TRY(timer_start(cx, g->record_id, t[i].name, t[i].run_at));
        else
            TRY(timer_stop(cx, g->record_id, t[i].name));
    }
    return OK;
}

static enum rc run_watches(struct ctx *cx, struct passage *g)
{
    const int64_t *person = g->plan.watches.at;

    for (int i = 0; i < g->plan.watches.count; i++)
        TRY(db_exec(cx, SQL_rec_watch, ARGS(INT("id", g->record_id), INT("person", person[i])),
                    NULL));
    return OK;
}

/* The process does it, whoever pressed the button. In this very context: what the transaction is to
 * do at its end holds on to it. */
static enum rc do_as_system(struct ctx *cx, const struct change *c, struct outcome *ret)
{
    const struct user *user = cx->user;
    cx->user = NULL;
    const enum rc rc = rec_do(cx, c, ret);
    cx->user = user;
    return rc;
}

static enum rc run_creates(struct ctx *cx, struct passage *g)
{
    const struct flow_create *made = g->plan.creates.at;

    for (int i = 0; i < g->plan.creates.count; i++) {
        struct outcome out;
        const struct change create = {
            .kind = CHANGE_CREATE,
            .process = made[i].process,
            .input = around_inherit(cx, made[i].input, g->plan.after, g->record_id, made[i].link),
            .is_stored = true,
        };
        TRY(do_as_system(cx, &create, &out));
        if (!str_equal(made[i].link, "child"))
            TRY(around_link_made(cx, g->record_id, out.rec.id, made[i].link, g->at));
    }
    return OK;
}

static enum rc run_cascades(struct ctx *cx, struct passage *g)
{
    const struct flow_cascade *c = g->plan.cascades.at;

    for (int i = 0; i < g->plan.cascades.count; i++) {
        struct val_map job = {0};
        val_map_set(cx->arena, &job, "record", val_int(g->record_id));
        val_map_set(cx->arena, &job, "event", val_int(g->event_id));
        val_map_set(cx->arena, &job, "version", val_int(g->rec.process->version_id));
        val_map_set(cx->arena, &job, "by", val_text(g->plan.action->name));
        val_map_set(cx->arena, &job, "action", val_text(c[i].effect->name));
        val_map_set(cx->arena, &job, "link", val_text(c[i].effect->link));
        val_map_set(cx->arena, &job, "input", c[i].input);
        TRY(job_add(cx, "cascade", cx->now, val_from_map(&job), NULL));
    }
    return OK;
}

static enum rc follow(struct ctx *cx, struct passage *g)
{
    TRY(run_timers(cx, g));
    if (is_recorded(g)) /* what it led to is in the log it comes from */
        return OK;
    TRY(run_watches(cx, g));
    TRY(around_tell(cx, &g->plan, g->record_id, g->event_id));
    TRY(run_creates(cx, g));
    return run_cascades(cx, g);
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
    find_words(cx, g);
    TRY(check_right(cx, g, right_for(g)));
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
    TRY(kinds[g.c->kind].apply(cx, &g));
    if (!g.is_nothing) {
        TRY(write_event(cx, &g));
        if (g.c->kind == CHANGE_ATTACH)
            TRY(around_attach(cx, g.c->attachment, g.record_id, g.event_id));
        TRY(note_import(cx, &g));
        if (g.has_plan)
            TRY(follow(cx, &g));
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
