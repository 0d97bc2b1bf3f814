#include "lang/process_check.h"

#include <stdarg.h>
#include <string.h>

#include "base/str.h"

void found(struct check *c, enum finding_level level, struct spot at, const char *rule,
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
