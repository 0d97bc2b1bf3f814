#include "flow/flow.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "lang/calendar.h"

/* One decision under way. */
struct work {
    struct ctx *cx;
    const struct flow_in *in;
    struct flow_plan *plan;
    const struct action *action; /* NULL: create, edit, recorded without an action */
};

static bool is_recorded(const struct work *w)
{
    return w->in->mode == FLOW_RECORDED;
}

/* Note what the process would not have allowed, once for each code. */
static void deviate(struct work *w, const char *code)
{
    const char *const *codes = w->plan->deviations.at;
    for (int i = 0; i < w->plan->deviations.count; i++) {
        if (str_equal(codes[i], code))
            return;
    }
    const char **added = list_add(w->cx->arena, &w->plan->deviations, sizeof(*added));
    *added = code;
}

/* The whole action is wrong here: refused, or, when it already happened elsewhere, noted. */
static enum rc __attribute__((format(printf, 4, 5)))
refuse(struct work *w, enum rc rc, const char *code, const char *fmt, ...)
{
    if (is_recorded(w)) {
        deviate(w, code);
        return OK;
    }

    va_list args;
    va_start(args, fmt);
    const char *text = arena_vprintf(w->cx->arena, fmt, args);
    va_end(args);
    fail(w->cx, rc, NULL, "%s", text);
    w->cx->err.code = code;
    return rc;
}

static bool has_fault(const struct work *w, const char *field)
{
    const struct problem *problems = w->cx->err.problems.at;
    for (int i = 0; i < w->cx->err.problems.count; i++) {
        if (str_equal(problems[i].field, field))
            return true;
    }
    return false;
}

/* One field is wrong; all faults are collected before the action is refused. The first one of a
 * field is the cause of others, as being empty after a value that could not be read. */
static void __attribute__((format(printf, 4, 5)))
fault(struct work *w, const char *field, const char *code, const char *fmt, ...)
{
    if (is_recorded(w)) {
        deviate(w, code);
        return;
    }
    if (has_fault(w, field))
        return;

    va_list args;
    va_start(args, fmt);
    problem(w->cx, field, code, "%s", arena_vprintf(w->cx->arena, fmt, args));
    va_end(args);
}

static bool allows(const char *const *allow, const char *const *words)
{
    for (; *words; words++) {
        if (str_in(*words, allow))
            return true;
    }
    return false;
}

static bool has_right(const struct work *w, enum right right)
{
    return str_in("system", w->in->words) || allows(w->in->process->rights[right], w->in->words);
}

struct expr_env flow_env(struct ctx *cx, const struct flow_in *in, const struct val *slots)
{
    return (struct expr_env){
        .slots = slots,
        .now = in->at,
        .me = in->me,
        .my_groups = in->my_groups,
        .my_group_count = in->my_group_count,
        .id_of = in->id_of,
        .arg = in->arg,
        .arena = cx->arena,
    };
}

static struct val value_of(struct work *w, const struct expr *e)
{
    const struct expr_env env = flow_env(w->cx, w->in, w->plan->after);
    return expr_value(e, &env);
}

static bool holds(struct work *w, const struct expr *e)
{
    const struct expr_env env = flow_env(w->cx, w->in, w->plan->after);
    return expr_holds(e, &env);
}

/* ---- input ---------------------------------------------------------------------------------- */

static int rule_of(const struct state *s, int slot)
{
    return s && s->rules ? s->rules[slot] : RULE_NONE;
}

static bool is_computed(const struct field *f)
{
    return f->matrix || f->computed;
}

static bool is_asked(const struct action *a, int slot)
{
    for (int i = 0; i < a->ask_count; i++) {
        if (a->ask[i].slot == slot)
            return true;
    }
    return false;
}

/* Who only reports says what is wrong, not where it goes or how it is handled: what is needed and
 * what the process asks of a new record. Everything else needs the right to edit. */
static bool may_report(const struct work *w, const struct field *f)
{
    return f->slot == FIELD_TITLE || f->slot == FIELD_DESCRIPTION || f->is_required ||
           (w->action && is_asked(w->action, f->slot));
}

/* Why this field may not be given now: a code, or NULL when it may. Ordered by what tells most. */
static const char *obstacle(const struct work *w, const struct field *f)
{
    const int rule = rule_of(w->plan->from, f->slot);

    if (f->is_system)
        return "read_only";
    if (f->is_internal && !has_right(w, RIGHT_INTERNAL))
        return "unknown_field"; /* who may not see it need not know that there is one */
    if (is_computed(f))
        return has_right(w, RIGHT_OVERRIDE) && w->in->override_reason ? NULL : "computed";
    if (w->action && w->plan->from)
        return is_asked(w->action, f->slot) ? NULL : "not_asked";
    if (!w->plan->from && !has_right(w, RIGHT_EDIT))
        return may_report(w, f) ? NULL : "not_asked";
    if (rule & RULE_HIDDEN)
        return "hidden";
    return rule & RULE_READ_ONLY ? "read_only" : NULL;
}

static const char *obstacle_text(const char *code)
{
    static const struct {
        const char *code, *text;
    } texts[] = {
        {"read_only", "cannot be changed here"},
        {"unknown_field", "is not a field of this process"},
        {"computed", "is computed; setting it by hand needs the right to override and a reason"},
        {"not_asked", "is not asked for by this action"},
        {"hidden", "is not used in this state"},
    };

    for (int i = 0; i < ARRAY_LEN(texts); i++) {
        if (str_equal(texts[i].code, code))
            return texts[i].text;
    }
    return "cannot be given";
}

static void override(struct work *w, const struct field *f, struct val v)
{
    if (!w->plan->overrides) {
        const int count = w->in->process->field_count;
        w->plan->overrides = arena_array(w->cx->arena, (size_t)count, sizeof(char *));
    }
    w->plan->overrides[f->slot] = val_is_null(v) ? NULL : w->in->override_reason;
}

static void take_input(struct work *w)
{
    for (int i = 0; i < w->in->given_count; i++) {
        const struct given *g = &w->in->given[i];
        const struct field *f = &w->in->process->fields[g->slot];
        const bool is_same = val_equal(w->plan->after[g->slot], g->val);
        const char *code = is_same && !is_computed(f) ? NULL : obstacle(w, f);
        if (code)
            fault(w, f->name, code, "%s %s", f->name, obstacle_text(code));
        if (code && !is_recorded(w))
            continue;
        w->plan->after[g->slot] = g->val;
        if (is_computed(f))
            override(w, f, g->val);
    }
    w->plan->comment = w->in->comment;
    w->plan->note = w->in->note;
}

static bool is_answered(const struct work *w, int slot)
{
    if (slot == ASK_COMMENT)
        return !str_is_empty(w->plan->comment);
    if (slot == ASK_NOTE)
        return !str_is_empty(w->plan->note);
    return !val_is_null(w->plan->after[slot]);
}

static const char *asked_name(const struct work *w, int slot)
{
    if (slot == ASK_COMMENT)
        return "comment";
    return slot == ASK_NOTE ? "note" : w->in->process->fields[slot].name;
}

static void check_asked(struct work *w)
{
    for (int i = 0; w->action && i < w->action->ask_count; i++) {
        const struct asked *a = &w->action->ask[i];
        if (a->is_optional || is_answered(w, a->slot))
            continue;
        const char *name = asked_name(w, a->slot);
        fault(w, name, "required", "%s is required for this action", name);
    }
}

/* ---- what follows from it ------------------------------------------------------------------- */

static void compute(struct work *w)
{
    const struct process *p = w->in->process;

    for (int i = 0; i < p->field_count; i++) {
        const struct field *f = &p->fields[i];
        if (!is_computed(f) || (w->plan->overrides && w->plan->overrides[i]))
            continue;
        w->plan->after[i] = f->matrix ? matrix_value(f, w->plan->after) : value_of(w, f->computed);
    }
}

static void count_up(struct work *w, enum builtin slot)
{
    struct val *v = &w->plan->after[slot];
    *v = val_int(val_is_null(*v) ? 1 : v->i + 1);
}

static void enter_state(struct work *w)
{
    const struct state *from = w->plan->from;
    const struct state *to = w->plan->to;
    struct val *after = w->plan->after;
    const bool was_active = !from || status_is_active(from->status);

    if (from == to)
        return;
    after[FIELD_STATE] = val_text(to->name);
    after[FIELD_STATUS] = val_text(status_name(to->status));
    after[FIELD_ACTIVE] = val_flag(status_is_active(to->status));
    after[FIELD_ENTERED] = val_int(w->in->at);

    if (status_is_active(to->status) && !was_active) {
        count_up(w, FIELD_REOPENS);
        after[FIELD_RESOLVED] = val_null();
    }
    if (status_is_active(to->status))
        after[FIELD_CLOSED] = val_null();
    if (to->status == STATUS_RESOLVED || (to->status == STATUS_CLOSED && was_active))
        after[FIELD_RESOLVED] = val_int(w->in->at);
    if (to->status >= STATUS_CLOSED && (!from || from->status < STATUS_CLOSED))
        after[FIELD_CLOSED] = val_int(w->in->at);
}

static bool is_given(const struct work *w, int slot)
{
    for (int i = 0; i < w->in->given_count; i++) {
        if (w->in->given[i].slot == slot)
            return true;
    }
    return false;
}

/* Another group begins without somebody of the one before. */
static void keep_assignee(struct work *w)
{
    const struct val *before = w->in->slots;
    struct val *after = w->plan->after;

    if (!before || is_recorded(w) || is_given(w, FIELD_ASSIGNEE))
        return;
    if (!val_is_null(before[FIELD_GROUP]) && !val_equal(before[FIELD_GROUP], after[FIELD_GROUP]))
        after[FIELD_ASSIGNEE] = val_null();
}

static void keep_books(struct work *w)
{
    const struct val *before = w->in->slots;
    struct val *after = w->plan->after;

    after[FIELD_UPDATED] = val_int(w->in->at);
    if (before && !val_is_null(before[FIELD_GROUP]) &&
        !val_equal(before[FIELD_GROUP], after[FIELD_GROUP]))
        count_up(w, FIELD_REASSIGNMENTS);
}

static void check_required(struct work *w)
{
    const struct process *p = w->in->process;

    for (int i = 0; i < p->field_count; i++) {
        const struct field *f = &p->fields[i];
        const bool is_needed = f->is_required || (rule_of(w->plan->to, i) & RULE_REQUIRED);
        const bool is_new =
            w->plan->from != w->plan->to || is_computed(f) || !val_is_null(w->in->slots[i]);
        if (is_needed && is_new && val_is_null(w->plan->after[i]))
            fault(w, f->name, "required", "%s must not be empty", f->name);
    }
}

static void list_changes(struct work *w)
{
    const struct process *p = w->in->process;

    for (int i = 0; i < p->field_count; i++) {
        const struct val before = w->in->slots ? w->in->slots[i] : val_null();
        if (i == FIELD_UPDATED || val_equal(before, w->plan->after[i]))
            continue;
        struct flow_change *c = list_add(w->cx->arena, &w->plan->changes, sizeof(*c));
        *c = (struct flow_change){&p->fields[i], before, w->plan->after[i]};
    }
}

/* ---- effects -------------------------------------------------------------------------------- */

static void run_timer(struct work *w, const char *name, int64_t run_at)
{
    struct flow_timer *t = list_add(w->cx->arena, &w->plan->timers, sizeof(*t));
    *t = (struct flow_timer){name, run_at};
}

static void effect_set(struct work *w, const struct effect *e)
{
    w->plan->after[e->slot] = value_of(w, e->value);
}

static void effect_timer(struct work *w, const struct effect *e)
{
    run_timer(w, e->name, span_end(w->in->process->calendar, e->span, w->in->at));
}

static void effect_stop(struct work *w, const struct effect *e)
{
    run_timer(w, e->name, 0);
}

static void effect_tell(struct work *w, const struct effect *e)
{
    const struct effect **tell = list_add(w->cx->arena, &w->plan->tells, sizeof(*tell));
    *tell = e;
}

static void effect_watch(struct work *w, const struct effect *e)
{
    const struct val person = w->plan->after[e->slot];
    if (person.kind != VAL_INT)
        return;
    int64_t *id = list_add(w->cx->arena, &w->plan->watches, sizeof(*id));
    *id = person.i;
}

static void effect_create(struct work *w, const struct effect *e)
{
    struct val_map input = {0};

    for (const struct set_pair *s = e->sets; s && s->field; s++)
        val_map_set(w->cx->arena, &input, s->field, value_of(w, s->value));
    struct flow_create *c = list_add(w->cx->arena, &w->plan->creates, sizeof(*c));
    *c = (struct flow_create){e->process, e->link, val_from_map(&input)};
}

static void effect_cascade(struct work *w, const struct effect *e)
{
    struct flow_cascade *c = list_add(w->cx->arena, &w->plan->cascades, sizeof(*c));
    struct val_map input = {0};

    for (const struct set_pair *s = e->sets; s && s->field; s++)
        val_map_set(w->cx->arena, &input, s->field, value_of(w, s->value));
    *c = (struct flow_cascade){e, val_from_map(&input)};
}

typedef void (*effect_fn)(struct work *w, const struct effect *e);

static const effect_fn effect_fns[EFFECT_KINDS] = {
    [EFFECT_SET] = effect_set,         [EFFECT_TIMER] = effect_timer, [EFFECT_STOP] = effect_stop,
    [EFFECT_CREATE] = effect_create,   [EFFECT_TELL] = effect_tell,   [EFFECT_WATCH] = effect_watch,
    [EFFECT_CASCADE] = effect_cascade,
};

/* Values first, so that what is created, told and passed on sees them; in the file's order. */
static void run_effects(struct work *w, const struct effect *effects, int count, bool sets)
{
    for (int i = 0; i < count; i++) {
        if ((effects[i].kind == EFFECT_SET) == sets)
            effect_fns[effects[i].kind](w, &effects[i]);
    }
}

static bool is_timer(const struct process *p, const char *name)
{
    for (int a = 0; a < p->action_count; a++) {
        for (int e = 0; e < p->actions[a].effect_count; e++) {
            const struct effect *effect = &p->actions[a].effects[e];
            if (effect->kind == EFFECT_TIMER && str_equal(effect->name, name))
                return true;
        }
    }
    return false;
}

/* Timers that end by themselves come first, so that an effect can start them again. */
static void end_timers(struct work *w)
{
    w->plan->ends_timers |=
        w->plan->from && w->plan->from != w->plan->to && w->plan->to->status >= STATUS_CLOSED;
    if (w->action && !w->plan->ends_timers && is_timer(w->in->process, w->action->name))
        run_timer(w, w->action->name, 0);
}

/* ---- the three questions -------------------------------------------------------------------- */

static struct work begin(struct ctx *cx, const struct flow_in *in, struct flow_plan *plan)
{
    const struct process *p = in->process;
    const size_t count = (size_t)p->field_count;

    *plan = (struct flow_plan){.after = arena_array(cx->arena, count, sizeof(struct val))};
    if (in->slots || in->start)
        memcpy(plan->after, in->slots ? in->slots : in->start, count * sizeof(struct val));
    if (in->overrides)
        plan->overrides = arena_copy(cx->arena, in->overrides, count * sizeof(char *));
    if (in->slots && in->slots[FIELD_STATE].kind == VAL_TEXT)
        plan->from = process_state(p, in->slots[FIELD_STATE].text);
    plan->to = plan->from;
    return (struct work){.cx = cx, .in = in, .plan = plan};
}

static enum rc finish(struct work *w)
{
    const struct effect *effects = w->action ? w->action->effects : NULL;
    const int count = w->action ? w->action->effect_count : 0;

    enter_state(w);
    keep_books(w);
    keep_assignee(w);
    run_effects(w, effects, count, true);
    compute(w);
    check_required(w);
    TRY(problems_rc(w->cx));

    end_timers(w);
    run_effects(w, effects, count, false);
    list_changes(w);
    return OK;
}

static void set_initial(struct work *w)
{
    const struct process *p = w->in->process;
    struct val *after = w->plan->after;

    for (int i = 0; i < p->field_count; i++) {
        if (p->fields[i].initial && val_is_null(after[i]))
            after[i] = value_of(w, p->fields[i].initial);
    }
}

static void set_counts(struct work *w)
{
    static const enum builtin counts[] = {FIELD_OPEN_TASKS, FIELD_OPEN_CHILDREN,
                                          FIELD_REASSIGNMENTS, FIELD_REOPENS};

    for (int i = 0; i < ARRAY_LEN(counts); i++)
        w->plan->after[counts[i]] = val_int(0);
    w->plan->after[FIELD_CREATED] = val_int(w->in->at);
    w->plan->after[FIELD_PROCESS] = val_text(w->in->process->name);
}

/* The state that was recorded, or the one the rules lead to. */
static const struct state *target(struct work *w, const struct state *by_rule)
{
    const char *recorded = w->in->to_state;
    if (!recorded)
        return by_rule;
    const struct state *s = process_state(w->in->process, recorded);
    return s ? s : by_rule;
}

enum rc flow_create(struct ctx *cx, const struct flow_in *in, struct flow_plan *ret)
{
    struct work w = begin(cx, in, ret);
    const struct process *p = in->process;
    const struct state *initial = &p->states[p->initial_state];

    w.action = ret->action = process_action(p, "create");
    set_counts(&w);
    take_input(&w);
    set_initial(&w);
    check_asked(&w);
    ret->to = target(&w, initial);
    if (ret->to != initial)
        deviate(&w, "not_initial");
    return finish(&w);
}

enum rc flow_convert(struct ctx *cx, const struct flow_in *in, struct flow_plan *ret)
{
    struct work w = begin(cx, in, ret);

    ret->to = process_state(in->process, in->to_state);
    if (!ret->to)
        return fail(cx, E_INVALID, "state", "%s has no state %s", in->process->name, in->to_state);
    ret->from = NULL;
    ret->ends_timers = true;
    take_input(&w);
    set_initial(&w);
    ret->after[FIELD_PROCESS] = val_text(in->process->name);
    return finish(&w);
}

enum rc flow_edit(struct ctx *cx, const struct flow_in *in, struct flow_plan *ret)
{
    struct work w = begin(cx, in, ret);

    take_input(&w);
    return finish(&w);
}

static bool is_offered(const struct action *a, const struct state *s)
{
    return a->from & (UINT64_C(1) << s->index);
}

static const char *offered_names(struct work *w)
{
    struct buf b = {.arena = w->cx->arena};
    const struct process *p = w->in->process;

    for (int i = 0; i < p->action_count; i++) {
        if (!is_offered(&p->actions[i], w->plan->from))
            continue;
        buf_printf(&b, "%s%s", b.len ? ", " : "", p->actions[i].name);
    }
    return b.len ? buf_text(&b) : "nothing";
}

static bool is_too_late(const struct work *w, const struct action *a)
{
    const struct val entered = w->in->slots[FIELD_ENTERED];

    if (a->within.n == 0 || entered.kind != VAL_INT)
        return false;
    return w->in->at > span_end(w->in->process->calendar, a->within, entered.i);
}

static enum rc check_action(struct work *w, const char *name)
{
    const struct state *from = w->plan->from;
    const struct action *a = w->action;

    if (!is_offered(a, from))
        TRY(refuse(w, E_CONFLICT, "not_offered", "%s is not possible in state %s; possible: %s",
                   name, from->name, offered_names(w)));
    if (!allows(a->allow, w->in->words))
        TRY(refuse(w, E_DENIED, "not_allowed", "you may not do %s with this record", name));
    if (is_too_late(w, a))
        TRY(refuse(w, E_CONFLICT, "too_late", "the time in which %s is possible has passed", name));
    return OK;
}

static enum rc check_guard(struct work *w)
{
    if (!w->action || !w->action->when || holds(w, w->action->when))
        return OK;
    const char *text =
        arena_printf(w->cx->arena, "%s needs %s", w->action->name, expr_source(w->action->when));
    return refuse(w, E_CONFLICT, "guard", "%s",
                  label_for(w->action->unless, w->cx->language, text));
}

/* What was recorded names the state it led to: the action is the one that leads there. */
static const struct action *action_between(const struct process *p, int from, int to)
{
    for (int i = 0; i < p->action_count; i++) {
        const struct action *a = &p->actions[i];
        if (a->to == to && is_offered(a, &p->states[from]))
            return a;
    }
    return NULL;
}

static const struct action *find_action(const struct work *w, const char *name)
{
    const struct process *p = w->in->process;
    const struct state *to = w->in->to_state ? process_state(p, w->in->to_state) : NULL;

    if (name)
        return process_action(p, name);
    return to ? action_between(p, w->plan->from->index, to->index) : NULL;
}

enum rc flow_act(struct ctx *cx, const struct flow_in *in, const char *action,
                 struct flow_plan *ret)
{
    struct work w = begin(cx, in, ret);
    const struct process *p = in->process;

    if (!ret->from)
        return fail(cx, E_FAIL, NULL, "the record is in a state its process does not have");
    w.action = find_action(&w, action);
    if (!w.action)
        TRY(refuse(&w, E_NOT_FOUND, action ? "unknown_action" : "no_action", "%s has no action %s",
                   p->name, action ? action : ""));
    else
        TRY(check_action(&w, w.action->name));

    const bool moves = w.action && w.action->to >= 0;
    ret->action = w.action;
    ret->to = target(&w, moves ? &p->states[w.action->to] : ret->from);
    take_input(&w);
    check_asked(&w);
    TRY(problems_rc(cx));
    TRY(check_guard(&w));
    return finish(&w);
}

enum rc flow_offers(struct ctx *cx, const struct flow_in *in, struct list *ret)
{
    struct flow_plan plan;
    struct work w = begin(cx, in, &plan);
    const struct process *p = in->process;

    *ret = (struct list){0};
    for (int i = 0; plan.from && i < p->action_count; i++) {
        const struct action *a = &p->actions[i];
        if (!is_offered(a, plan.from) || !allows(a->allow, in->words))
            continue;
        struct offer *o = list_add(cx->arena, ret, sizeof(*o));
        *o = (struct offer){.action = a};
        w.action = a;
        if (is_too_late(&w, a))
            *o = (struct offer){a, "too_late", "the time for it has passed"};
        else if (a->when && !holds(&w, a->when))
            *o = (struct offer){a, "guard",
                                label_for(a->unless, cx->language, expr_source(a->when))};
    }
    return OK;
}
