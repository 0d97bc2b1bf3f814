/* The kinds of change: what each does to the record, and what of it the event tells. */
#include <string.h>

#include "rec_sql.h"

#include "auth/people.h"
#include "base/str.h"
#include "db/db.h"
#include "rec/around.h"
#include "rec/passage.h"
#include "rec/row.h"
#include "rec/store.h"

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
    passage_words(cx, g);
    TRY(passage_check(cx, g, RIGHT_CREATE));
    if (!g->rec.subject.org_id)
        problem(cx, "organisation", "required", "say whose record it is");

    struct flow_in in = question(cx, g);
    in.start = known;
    TRY(flow_create(cx, &in, &g->plan));
    g->has_plan = true;
    TRY(around_check_tenants(cx, &g->rec, &g->plan));
    return store_create(cx, p, &g->plan, g->c->recorded ? g->c->recorded->number : NULL,
                        &g->record_id);
}

static enum rc store_plan(struct ctx *cx, struct passage *g)
{
    g->has_plan = true;
    TRY(around_check_tenants(cx, &g->rec, &g->plan));
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
    passage_words(cx, g);
    TRY(passage_check(cx, g, RIGHT_CREATE));

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
    TRY(around_check_tenants(cx, &g->rec, &g->plan));
    TRY(around_check_parent(cx, &g->rec, &g->plan));
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

/* Somebody else's file is taken away by who may edit the record; everybody may take away the own.
 */
static bool removes_foreign(const struct passage *g)
{
    const struct attachment *a = g->c->attachment;

    return g->c->kind == CHANGE_ATTACH && a->is_removed && g->actor &&
           g->actor->id != a->attached_by;
}

/* Watching oneself needs no more than seeing the record. */
enum right change_right(const struct passage *g)
{
    const bool is_watching = g->c->kind == CHANGE_WATCH || g->c->kind == CHANGE_UNWATCH;

    if (is_watching && g->actor && g->actor->id == g->c->person_id)
        return RIGHT_VIEW;
    if (removes_foreign(g))
        return RIGHT_EDIT;
    return kinds[g->c->kind].right;
}

enum rc change_apply(struct ctx *cx, struct passage *g)
{
    return kinds[g->c->kind].apply(cx, g);
}
