#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "lang/process_check.h"

/* ---- timers --------------------------------------------------------------------------------- */

static bool touches_timer(const struct action *a, const char *timer)
{
    for (int i = 0; i < a->effect_count; i++) {
        const struct effect *e = &a->effects[i];
        if ((e->kind == EFFECT_TIMER || e->kind == EFFECT_STOP) && strcmp(e->name, timer) == 0)
            return true;
    }
    return false;
}

static bool starts_timer(const struct action *a, const char *timer)
{
    for (int i = 0; i < a->effect_count; i++) {
        const struct effect *e = &a->effects[i];
        if (e->kind == EFFECT_TIMER && strcmp(e->name, timer) == 0)
            return true;
    }
    return false;
}

bool is_timer(const struct process *p, const char *action)
{
    for (int i = 0; i < p->action_count; i++) {
        if (starts_timer(&p->actions[i], action))
            return true;
    }
    return false;
}

/* The timer goes on running through this step. */
static bool keeps_timer(const struct walk *w, const struct action *a, int from, int to)
{
    (void)from;
    return strcmp(a->name, w->timer) != 0 && !touches_timer(a, w->timer) &&
           !is_end(&w->p->states[to]);
}

static void begin_where_started(struct walk *w, const struct action *starter)
{
    if (starter->to >= 0)
        walk_begin(w, starter->to);
    for (int i = 0; i < w->p->state_count && starter->to < 0; i++) {
        if (has_bit(starter->from, i))
            walk_begin(w, i);
    }
}

static void check_timer_offered(struct check *c, const struct action *starter,
                                const struct effect *e)
{
    struct walk w = {.p = c->p, .may_go = keeps_timer, .timer = e->name};
    const struct action *timed = process_action(c->p, e->name);
    begin_where_started(&w, starter);
    walk_on(&w);
    struct buf where = {.arena = c->cx->arena};
    for (int i = 0; i < w.count; i++) {
        const int state = w.order[i];
        if (has_bit(timed->from, state))
            continue;
        const char *way = way_to(c, &w, state);
        buf_printf(&where, "%s%s", where.len ? ", " : "", c->p->states[state].name);
        if (*way)
            buf_printf(&where, " (by %s)", way);
    }
    if (where.len)
        found(c, FINDING_ERROR, SPOT(e), "timer-not-offered",
              "timer '%s' can be due in %s, where '%s' is not offered; stop it on the way, or "
              "offer it there",
              e->name, buf_text(&where), e->name);
}

bool is_sure(const struct process *p, const struct action *a, const struct field *f)
{
    if (f->is_required || f->initial || f->computed || f->matrix)
        return true;
    for (int i = 0; i < p->state_count; i++) {
        const struct state *s = &p->states[i];
        if (has_bit(a->from, i) && !(s->rules && s->rules[f->slot] & RULE_REQUIRED))
            return false;
    }
    return a->from != 0;
}

const char *asked_name(const struct process *p, const struct asked *ask)
{
    if (ask->slot == ASK_COMMENT)
        return "comment";
    return ask->slot == ASK_NOTE ? "note" : p->fields[ask->slot].name;
}

bool gives(const struct set_pair *sets, const char *name)
{
    for (; sets && sets->field; sets++) {
        if (strcmp(sets->field, name) == 0)
            return true;
    }
    return false;
}

/* What nobody is there to answer: an action that the system does, asking for it all the same. */
static void check_run_by_system(struct check *c, const struct process *p, const struct action *a,
                                const struct effect *e, const char *what)
{
    if (!str_in("system", a->allow) && !str_in("anyone", a->allow))
        found(c, FINDING_ERROR, SPOT(e), "not-by-system",
              "%s runs '%s' as the system, which '%s' does not allow", what, a->name, a->name);
    for (int i = 0; i < a->ask_count; i++) {
        const struct asked *ask = &a->ask[i];
        const char *name = asked_name(p, ask);
        if (ask->is_optional || gives(e->sets, name))
            continue;
        if (ask->slot >= 0 && is_sure(p, a, &p->fields[ask->slot]))
            continue;
        found(c, FINDING_ERROR, SPOT(e), "asks-nobody",
              "%s runs '%s', which asks for %s, and nobody is there to answer", what, a->name,
              name);
    }
}

void check_timers(struct check *c, const struct action *a, const struct effect *e)
{
    if (e->kind == EFFECT_TIMER) {
        check_timer_offered(c, a, e);
        check_run_by_system(c, c->p, process_action(c->p, e->name), e, "the timer");
    }
    if (e->kind == EFFECT_STOP && !is_timer(c->p, e->name))
        found(c, FINDING_WARNING, SPOT(e), "idle-stop", "no action starts the timer '%s'", e->name);
}

/* ---- what a clock found out, kept in a state ------------------------------------------------ */

/* Every way into the state is a timer's, except from itself. */
static bool is_entered_by_timers(const struct process *p, int state)
{
    for (int i = 0; i < p->action_count; i++) {
        const struct action *a = &p->actions[i];
        const bool enters = a->to == state && (a->from & ~bit(state));
        if (enters && !is_timer(p, a->name))
            return false;
    }
    return state != p->initial_state;
}

static bool leaves_timer_off(const struct walk *w, const struct action *a, int from, int to)
{
    (void)from;
    return !starts_timer(a, w->timer) && !is_end(&w->p->states[to]);
}

/* From the state that a timer entered, a way back to where it ran, without it running again: there
 * nothing shows any more that its time had passed. */
void check_lost(struct check *c, const struct action *timed)
{
    const struct process *p = c->p;
    if (timed->to < 0 || has_bit(timed->from, timed->to) || is_end(&p->states[timed->to]) ||
        !is_timer(p, timed->name) || !is_entered_by_timers(p, timed->to))
        return;
    struct walk w = {.p = p, .may_go = leaves_timer_off, .timer = timed->name};
    walk_begin(&w, timed->to);
    walk_on(&w);
    for (int i = 1; i < w.count; i++) {
        const int back = w.order[i];
        if (!has_bit(timed->from, back))
            continue;
        const struct state *s = &p->states[timed->to];
        found(c, FINDING_WARNING, SPOT(s), "lost-escalation",
              "state '%s' says that the time of '%s' has passed, and %s brings the record back to "
              "'%s', where nothing says so; keep it in a field, not in a state",
              s->name, timed->name, way_to(c, &w, back), p->states[back].name);
        return;
    }
}

/* ---- cascades ------------------------------------------------------------------------------- */

/* A condition on nothing but the state can be answered for each state now. */
static bool is_about_state(const struct process *p, const struct expr *when)
{
    for (int i = 0; i < p->field_count; i++) {
        const bool is_state = i == FIELD_STATE || i == FIELD_STATUS || i == FIELD_ACTIVE;
        if (!is_state && expr_reads(when, i))
            return false;
    }
    return true;
}

static int64_t no_id(void *arg, enum field_type type, const char *name)
{
    (void)arg;
    (void)type;
    (void)name;
    return 0;
}

static bool can_hold(struct check *c, const struct process *p, const struct expr *when, int state)
{
    if (!when || !is_about_state(p, when))
        return true;
    const struct state *s = &p->states[state];
    struct val *slots = arena_array(c->cx->arena, (size_t)p->field_count, sizeof(*slots));
    slots[FIELD_STATE] = val_text(s->name);
    slots[FIELD_STATUS] = val_text(status_name(s->status));
    slots[FIELD_ACTIVE] = val_flag(status_is_active(s->status));
    const struct expr_env env = {
        .slots = slots, .now = c->cx->now, .id_of = no_id, .arena = c->cx->arena};
    return expr_holds(when, &env);
}

static void check_given(struct check *c, const struct process *p, const struct action *a,
                        const struct effect *e)
{
    for (const struct set_pair *set = e->sets; set && set->field; set++) {
        bool is_asked = false;
        for (int i = 0; i < a->ask_count; i++)
            is_asked |= str_equal(asked_name(p, &a->ask[i]), set->field);
        if (!is_asked)
            found(c, FINDING_ERROR, SPOT(e), "not-asked",
                  "the cascade gives %s, which '%s' of %s does not ask for", set->field, a->name,
                  p->name);
    }
}

void check_cascades(struct check *c, const struct action *a, const struct effect *e)
{
    (void)a;
    if (e->kind != EFFECT_CASCADE)
        return;
    const struct process *p = defs_process(c->p->defs, e->process);
    const struct action *there = process_action(p, e->name);
    uint64_t missing = 0;
    for (int i = 0; i < p->state_count; i++) {
        if (status_is_active(p->states[i].status) && !has_bit(there->from, i) &&
            can_hold(c, p, e->when, i))
            missing |= bit(i);
    }
    if (missing)
        found(c, FINDING_WARNING, SPOT(e), "cascade-not-offered",
              "the cascade can reach %s in %s, where '%s' is not offered", p->name,
              state_names(c, p, missing), there->name);
    check_run_by_system(c, p, there, e, "the cascade");
    check_given(c, p, there, e);
}
