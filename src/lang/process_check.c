#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"
#include "lang/expr.h"
#include "lang/process.h"

struct check {
    struct ctx *cx;
    const struct process *p;
    struct list *findings;
};

/* Where something stands in the file. */
struct spot {
    int line, column;
};
#define SPOT(x) ((struct spot){(x)->line, (x)->column})

static void found(struct check *c, enum finding_level level, struct spot at, const char *rule,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void found(struct check *c, enum finding_level level, struct spot at, const char *rule,
                  const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    *(struct finding *)list_add(c->cx->arena, c->findings, sizeof(struct finding)) =
        (struct finding){
            .level = level,
            .rule = rule,
            .file = c->p->file,
            .line = at.line,
            .column = at.column,
            .text = arena_vprintf(c->cx->arena, fmt, args),
        };
    va_end(args);
}

/* ---- the graph ------------------------------------------------------------------------------ */

#define MAX_STATES 64

static uint64_t bit(int i)
{
    return UINT64_C(1) << i;
}

static bool has_bit(uint64_t bits, int i)
{
    return bits >> i & 1;
}

static bool is_end(const struct state *s)
{
    return s->status == STATUS_CLOSED || s->status == STATUS_CANCELLED;
}

static int leads_to(const struct action *a, int from)
{
    return a->to < 0 ? from : a->to;
}

/* States that were found one after the other, and by which action from where. */
struct walk {
    const struct process *p;
    uint64_t seen;
    int order[MAX_STATES], count;
    int from[MAX_STATES]; /* -1: begun there */
    const struct action *by[MAX_STATES];
    /* Whether this step is to be gone; NULL: all are. */
    bool (*may_go)(const struct walk *w, const struct action *a, int from, int to);
    const char *timer; /* for may_go */
};

static void walk_begin(struct walk *w, int state)
{
    if (has_bit(w->seen, state))
        return;
    w->seen |= bit(state);
    w->from[state] = -1;
    w->order[w->count++] = state;
}

static void walk_step(struct walk *w, const struct action *a, int from)
{
    const int to = leads_to(a, from);
    if (!has_bit(a->from, from) || has_bit(w->seen, to))
        return;
    if (w->may_go && !w->may_go(w, a, from, to))
        return;
    w->seen |= bit(to);
    w->from[to] = from;
    w->by[to] = a;
    w->order[w->count++] = to;
}

/* Breadth first, so that the way to each state is a shortest one. */
static void walk_on(struct walk *w)
{
    for (int next = 0; next < w->count; next++) {
        for (int i = 0; i < w->p->action_count; i++)
            walk_step(w, &w->p->actions[i], w->order[next]);
    }
}

/* "wait, resume": the actions on the way to a state. */
static const char *way_to(const struct check *c, const struct walk *w, int state)
{
    const char *way = "";
    for (; w->from[state] >= 0; state = w->from[state])
        way = arena_printf(c->cx->arena, "%s%s%s", w->by[state]->name, *way ? ", " : "", way);
    return way;
}

static const char *state_names(const struct check *c, const struct process *p, uint64_t bits)
{
    struct buf b = {.arena = c->cx->arena};
    for (int i = 0; i < p->state_count; i++) {
        if (has_bit(bits, i))
            buf_printf(&b, "%s%s", b.len ? ", " : "", p->states[i].name);
    }
    return buf_text(&b);
}

/* ---- states --------------------------------------------------------------------------------- */

static void check_reachable(struct check *c)
{
    struct walk w = {.p = c->p};
    walk_begin(&w, c->p->initial_state);
    walk_on(&w);
    for (int i = 0; i < c->p->state_count; i++) {
        const struct state *s = &c->p->states[i];
        if (!has_bit(w.seen, i) && !s->is_retired)
            found(c, FINDING_ERROR, SPOT(s), "unreachable-state",
                  "no sequence of actions leads to state '%s'", s->name);
    }
}

static bool has_exit(const struct process *p, int state)
{
    for (int i = 0; i < p->action_count; i++) {
        const struct action *a = &p->actions[i];
        if (has_bit(a->from, state) && leads_to(a, state) != state)
            return true;
    }
    return false;
}

/* The states from which a record can be ended, itself ends included: backwards from the ends. */
static uint64_t states_with_end(const struct process *p)
{
    uint64_t ends = 0;
    uint64_t before = 1;
    for (int i = 0; i < p->state_count; i++)
        ends |= is_end(&p->states[i]) ? bit(i) : 0;
    while (ends != before) {
        before = ends;
        for (int i = 0; i < p->action_count; i++) {
            const struct action *a = &p->actions[i];
            if (a->to >= 0 && has_bit(ends, a->to))
                ends |= a->from;
        }
    }
    return ends;
}

static void check_exits(struct check *c)
{
    const struct process *p = c->p;
    const uint64_t ending = states_with_end(p);
    if (!ending) {
        found(c, FINDING_ERROR, (struct spot){p->line, 1}, "no-end",
              "process '%s' has no state of category closed or cancelled: nothing ever ends",
              p->name);
        return;
    }
    for (int i = 0; i < p->state_count; i++) {
        const struct state *s = &p->states[i];
        if (is_end(s) || has_bit(ending, i))
            continue;
        if (!has_exit(p, i))
            found(c, FINDING_ERROR, SPOT(s), "dead-end",
                  "no action leads out of state '%s', which is %s", s->name,
                  status_name(s->status));
        else
            found(c, FINDING_ERROR, SPOT(s), "no-end",
                  "from state '%s' a record can never be closed or cancelled", s->name);
    }
}

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

static bool is_timer(const struct process *p, const char *action)
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

/* Whether an action that leads from this state finds the field filled without asking for it. */
static bool is_sure(const struct process *p, const struct action *a, const struct field *f)
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

static const char *asked_name(const struct process *p, const struct asked *ask)
{
    if (ask->slot == ASK_COMMENT)
        return "comment";
    return ask->slot == ASK_NOTE ? "note" : p->fields[ask->slot].name;
}

static bool gives(const struct set_pair *sets, const char *name)
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

static void check_timers(struct check *c, const struct action *a, const struct effect *e)
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
static void check_lost(struct check *c, const struct action *timed)
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

static void check_cascades(struct check *c, const struct action *a, const struct effect *e)
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

/* ---- actions -------------------------------------------------------------------------------- */

static bool is_hidden(const struct state *s, int slot)
{
    return s->rules && s->rules[slot] & RULE_HIDDEN;
}

/* What is asked for is seen in the state that the action leads to, or not at all. */
static void check_asked(struct check *c, const struct action *a)
{
    const struct process *p = c->p;
    for (int i = 0; i < a->ask_count; i++) {
        const struct asked *ask = &a->ask[i];
        if (ask->slot < 0 || ask->is_optional)
            continue;
        uint64_t hidden = 0;
        for (int s = 0; s < p->state_count; s++) {
            const bool leads_there = a->to == s || (a->to < 0 && has_bit(a->from, s));
            hidden |= leads_there && is_hidden(&p->states[s], ask->slot) ? bit(s) : 0;
        }
        if (hidden)
            found(c, FINDING_ERROR, SPOT(a), "asked-hidden",
                  "action '%s' asks for %s, which is hidden in %s", a->name,
                  p->fields[ask->slot].name, state_names(c, p, hidden));
    }
}

static bool sets_slot(const struct action *a, int slot)
{
    for (int i = 0; i < a->effect_count; i++) {
        if (a->effects[i].kind == EFFECT_SET && a->effects[i].slot == slot)
            return true;
    }
    for (int i = 0; i < a->ask_count; i++) {
        if (a->ask[i].slot == slot)
            return true;
    }
    return false;
}

/* A field that the next state requires, and that the action neither asks for nor finds. */
static void check_required(struct check *c, const struct action *a)
{
    const struct process *p = c->p;
    const struct state *to = a->to >= 0 ? &p->states[a->to] : NULL;
    for (int slot = 0; to && to->rules && slot < p->field_count; slot++) {
        const struct field *f = &p->fields[slot];
        if (!(to->rules[slot] & RULE_REQUIRED) || sets_slot(a, slot) || is_sure(p, a, f))
            continue;
        found(c, FINDING_WARNING, SPOT(a), "required-not-asked",
              "action '%s' leads to '%s', which requires %s, and does not ask for it", a->name,
              to->name, f->name);
    }
}

static bool is_for_system_alone(const struct action *a)
{
    return str_equal(a->allow[0], "system") && !a->allow[1];
}

static bool is_cascaded(const struct defs *d, const struct process *to, const char *action)
{
    for (int i = 0; i < d->process_count; i++) {
        const struct process *p = &d->processes[i];
        for (int n = 0; n < p->action_count; n++) {
            for (int k = 0; k < p->actions[n].effect_count; k++) {
                const struct effect *e = &p->actions[n].effects[k];
                if (e->kind == EFFECT_CASCADE && str_equal(e->process, to->name) &&
                    str_equal(e->name, action))
                    return true;
            }
        }
    }
    return false;
}

static void check_run(struct check *c, const struct action *a)
{
    if (is_for_system_alone(a) && !is_timer(c->p, a->name) &&
        !is_cascaded(c->p->defs, c->p, a->name))
        found(c, FINDING_WARNING, SPOT(a), "idle-action",
              "action '%s' is for the system alone, and no timer or cascade runs it", a->name);
}

/* ---- fields --------------------------------------------------------------------------------- */

static bool is_set_by_actions(const struct process *p, int slot)
{
    for (int i = 0; i < p->action_count; i++) {
        if (sets_slot(&p->actions[i], slot))
            return true;
    }
    return false;
}

static bool is_set_from_elsewhere(const struct process *p, const struct field *f)
{
    const struct defs *d = p->defs;
    for (int i = 0; i < d->process_count; i++) {
        const struct process *other = &d->processes[i];
        for (int n = 0; n < other->action_count; n++) {
            for (int k = 0; k < other->actions[n].effect_count; k++) {
                const struct effect *e = &other->actions[n].effects[k];
                if (e->sets && str_equal(e->process, p->name) && gives(e->sets, f->name))
                    return true;
            }
        }
    }
    return false;
}

static bool can_have_value(const struct process *p, const struct field *f)
{
    return f->initial || f->computed || f->matrix || p->rights[RIGHT_CREATE][0] ||
           p->rights[RIGHT_EDIT][0] || is_set_by_actions(p, f->slot) || is_set_from_elsewhere(p, f);
}

static void check_fields(struct check *c)
{
    const struct process *p = c->p;
    for (int slot = FIELD_BUILTINS; slot < p->field_count; slot++) {
        const struct field *f = &p->fields[slot];
        int hidden = 0;
        for (int i = 0; i < p->state_count; i++)
            hidden += is_hidden(&p->states[i], slot);
        if (hidden == p->state_count)
            found(c, FINDING_WARNING, SPOT(f), "unused-field",
                  "field '%s' is hidden in every state", f->name);
        else if (!can_have_value(p, f))
            found(c, FINDING_WARNING, SPOT(f), "unused-field",
                  "field '%s' never gets a value: no action asks for it or sets it, and nobody "
                  "may edit",
                  f->name);
        if (f->is_required && is_hidden(&p->states[p->initial_state], slot))
            found(c, FINDING_ERROR, SPOT(f), "asked-hidden",
                  "field '%s' is required at creation and hidden in '%s'", f->name,
                  p->states[p->initial_state].name);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static void (*const of_process[])(struct check *c) = {check_reachable, check_exits, check_fields};
static void (*const of_action[])(struct check *c, const struct action *a) = {
    check_lost, check_asked, check_required, check_run};
static void (*const of_effect[])(struct check *c, const struct action *a,
                                 const struct effect *e) = {check_timers, check_cascades};

static void check_action(struct check *c, const struct action *a)
{
    for (int i = 0; i < ARRAY_LEN(of_action); i++)
        of_action[i](c, a);
    for (int n = 0; n < a->effect_count; n++) {
        for (int i = 0; i < ARRAY_LEN(of_effect); i++)
            of_effect[i](c, a, &a->effects[n]);
    }
}

void process_check(struct ctx *cx, const struct process *p, struct list *findings)
{
    struct check c = {cx, p, findings};
    for (int i = 0; i < ARRAY_LEN(of_process); i++)
        of_process[i](&c);
    for (int i = 0; i < p->action_count; i++)
        check_action(&c, &p->actions[i]);
}

void process_check_rights(struct ctx *cx, const struct defs *d, const char *const *known,
                          struct list *findings)
{
    for (int i = 0; i < d->role_count; i++) {
        const struct role *role = &d->roles[i];
        for (const char *const *right = role->rights; *right; right++) {
            if (strcmp(*right, "*") == 0 || str_in(*right, known))
                continue;
            const char *nearest = str_nearest(*right, known);
            const char *text = arena_printf(cx->arena, "there is no right '%s'", *right);
            if (nearest)
                text = arena_printf(cx->arena, "%s; did you mean '%s'?", text, nearest);
            *(struct finding *)list_add(cx->arena, findings, sizeof(struct finding)) =
                (struct finding){FINDING_ERROR, "unknown-right", role->file, role->line, 1, text};
        }
    }
}
