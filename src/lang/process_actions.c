#include <string.h>

#include "base/str.h"
#include "lang/calendar.h"
#include "lang/process_read.h"

struct action_source {
    const struct yaml *label, *help, *from, *to, *allow, *ask, *when, *unless, *within, *upon;
};

#define NODE(member) #member, key_node, offsetof(struct action_source, member)
static const struct key action_keys[] = {
    {NODE(label)},
    {NODE(help)},
    {NODE(from)},
    {NODE(to)},
    {NODE(allow)},
    {NODE(ask)},
    {NODE(when)},
    {NODE(unless)},
    {NODE(within)},
    {NODE(upon)},
    /* effects, which process_effects.c reads */
    {"set"},
    {"timer"},
    {"stop"},
    {"create"},
    {"tell"},
    {"watch"},
    {"cascade"},
    {0},
};

/* ---- names ---------------------------------------------------------------------------------- */

void read_action_names(struct reading *r, struct draft *d)
{
    if (!d->action_map || !is_map(r, d->action_map, "actions"))
        return;
    const int count = d->action_map->count;
    d->actions = arena_array(r->arena, (size_t)count + 1, sizeof(*d->actions));
    d->action_sources = arena_array(r->arena, (size_t)count + 1, sizeof(*d->action_sources));
    int n = 0;
    for (int i = 0; i < count && n < MAX_ACTIONS; i++) {
        const struct yaml_pair *pair = &d->action_map->pairs[i];
        const char *name = read_name(r, &pair->key);
        if (!name)
            continue;
        d->actions[n] = (struct action){
            .name = name, .to = -1, .line = pair->key.line, .column = pair->key.column};
        d->action_sources[n++] = pair;
    }
    if (count > MAX_ACTIONS)
        find_error(r, d->action_map, "too-many", "a process has at most %d actions", MAX_ACTIONS);
    d->p->actions = d->actions;
    d->p->action_count = n;
}

/* ---- from and to ---------------------------------------------------------------------------- */

static uint64_t states_that(const struct process *p, bool (*is)(enum status s))
{
    uint64_t bits = 0;
    for (int i = 0; i < p->state_count; i++) {
        if (is(p->states[i].status))
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

static bool is_any(enum status s)
{
    (void)s;
    return true;
}

static const struct state *read_state_name(struct reading *r, const struct process *p,
                                           const struct yaml *node)
{
    return read_known(r, node, "state", p->states, p->state_count, sizeof(*p->states));
}

static uint64_t read_from_one(struct reading *r, const struct process *p, const struct yaml *node)
{
    if (str_equal(node->text, "any"))
        return states_that(p, is_any);
    if (str_equal(node->text, "active"))
        return states_that(p, status_is_active);
    const struct state *s = read_state_name(r, p, node);
    return s ? UINT64_C(1) << s->index : 0;
}

static uint64_t read_from(struct reading *r, const struct process *p, const struct yaml *node)
{
    const struct items items = read_items(r, node);
    uint64_t bits = 0;
    for (int i = 0; i < items.count; i++)
        bits |= read_from_one(r, p, &items.at[i]);
    return bits;
}

static int read_to(struct reading *r, const struct process *p, const struct yaml *node)
{
    const struct state *s = read_state_name(r, p, node);
    if (!s)
        return -1;
    if (s->is_retired)
        find_error(r, node, "retired-state", "state '%s' is retired: nothing may lead there",
                   s->name);
    return s->index;
}

/* ---- what is asked -------------------------------------------------------------------------- */

static const char *const *names_to_ask(struct reading *r, const struct process *p)
{
    const char **names = arena_array(r->arena, (size_t)p->field_count + 3, sizeof(*names));
    int n = 0;
    for (int i = 0; i < p->field_count; i++) {
        if (!p->fields[i].is_system)
            names[n++] = p->fields[i].name;
    }
    names[n++] = "comment";
    names[n++] = "note";
    return names;
}

static bool slot_to_ask(struct reading *r, const struct process *p, const struct yaml *at,
                        const char *name, int *ret)
{
    const struct field *f = process_field(p, name);
    if (str_equal(name, "comment") || str_equal(name, "note")) {
        *ret = *name == 'c' ? ASK_COMMENT : ASK_NOTE;
        return true;
    }
    if (!f) {
        find_error(r, at, "unknown-field", "there is no field '%s' to ask for%s", name,
                   hint(r, name, names_to_ask(r, p)));
        return false;
    }
    if (f->is_system || f->computed || f->matrix) {
        find_error(r, at, "not-settable", "'%s' is %s and cannot be asked for", name,
                   f->is_system ? "kept by the engine" : "computed");
        return false;
    }
    *ret = f->slot;
    return true;
}

static bool read_asked(struct reading *r, const struct process *p, const struct yaml *node,
                       struct asked *ret)
{
    const char *text = read_text(r, node);
    if (!text)
        return false;
    const size_t len = strlen(text);
    const bool is_optional = text[len - 1] == '?';
    const char *name = arena_strndup(r->arena, text, len - is_optional);
    ret->is_optional = is_optional;
    return slot_to_ask(r, p, node, name, &ret->slot);
}

static void read_ask(struct reading *r, const struct process *p, const struct yaml *node,
                     struct action *a)
{
    const struct items items = read_items(r, node);
    struct asked *ask = arena_array(r->arena, (size_t)items.count + 1, sizeof(*ask));
    int n = 0;
    for (int i = 0; i < items.count; i++) {
        if (!read_asked(r, p, &items.at[i], &ask[n]))
            continue;
        bool is_double = false;
        for (int k = 0; k < n; k++)
            is_double |= ask[k].slot == ask[n].slot;
        if (is_double)
            find_error(r, &items.at[i], "defined-twice", "'%s' is asked for twice",
                       items.at[i].text);
        else
            n++;
    }
    a->ask = ask;
    a->ask_count = n;
}

/* ---- one action ----------------------------------------------------------------------------- */

static void read_within(struct reading *r, const struct yaml *node, struct action *a)
{
    const char *text = read_text(r, node);
    if (text && (!span_parse(text, &a->within) || a->within.n <= 0)) {
        find_error(r, node, "bad-span",
                   "'%s' is not a length of time such as 5 working days, 4 working hours, 30 min",
                   text);
        a->within = (struct span){0};
    }
}

/* What makes the system do it: that the caller replies. The system must be allowed to. */
static void read_upon(struct reading *r, const struct yaml *node, struct action *a)
{
    const char *text = read_text(r, node);
    if (text && strcmp(text, "caller_reply") != 0)
        find_error(r, node, "unknown-word", "upon is caller_reply, not '%s'", text);
    else if (text && !str_in("system", a->allow))
        find_error(r, node, "not-allowed", "action '%s' is done by the system: allow it", a->name);
    else
        a->is_upon_reply = text != NULL;
}

/* Creating is an action without a button: it begins nowhere and leads to the first state. */
static void place_creation(struct reading *r, struct draft *d, const struct action_source *s,
                           struct action *a)
{
    const struct yaml *wrong = s->from ? s->from : s->to ? s->to : s->allow ? s->allow : s->when;
    if (wrong)
        find_error(r, wrong, "wrong-key",
                   "create has no from, to, allow or when: it leads to the first state, and who "
                   "may is the right 'create'");
    a->to = d->p->state_count ? 0 : -1;
    a->allow = d->p->rights[RIGHT_CREATE];
}

static void place_action(struct reading *r, struct draft *d, const struct action_source *s,
                         const struct yaml *key, struct action *a)
{
    static const char *const nobody[] = {NULL};
    if (!s->from)
        find_error(r, key, "missing-key", "action '%s': 'from' is missing", a->name);
    else
        a->from = read_from(r, d->p, s->from);
    if (s->to)
        a->to = read_to(r, d->p, s->to);
    a->allow = s->allow ? read_allow(r, s->allow) : nobody;
    if (!s->allow)
        find_error(r, key, "missing-key", "action '%s': 'allow' is missing", a->name);
    else if (s->allow->kind == YAML_LIST && s->allow->count == 0)
        find_error(r, s->allow, "empty", "action '%s' is allowed to nobody", a->name);
}

static void read_action_labels(struct reading *r, const struct action_source *s,
                               const struct yaml *key, struct action *a)
{
    a->label = s->label ? read_labels(r, s->label) : NULL;
    a->help = s->help ? read_labels(r, s->help) : NULL;
    a->unless = s->unless ? read_labels(r, s->unless) : NULL;
    if (strcmp(a->name, "create") != 0 || a->label)
        want_labels(r, key, a->label, "action '%s'", a->name);
    if (a->help)
        want_labels(r, s->help, a->help, "the help of action '%s'", a->name);
    if (a->unless)
        want_labels(r, s->unless, a->unless, "'unless' of action '%s'", a->name);
    if (s->unless && !s->when)
        find_error(r, s->unless, "wrong-key",
                   "'unless' says what to tell when 'when' does not "
                   "hold, and there is no 'when'");
}

static void read_action(struct reading *r, struct draft *d, const struct yaml_pair *pair,
                        struct action *a)
{
    struct action_source s = {0};
    static const char *const nobody[] = {NULL};
    a->allow = nobody;
    read_keys(r, &pair->value, &pair->key, arena_printf(r->arena, "action '%s'", a->name),
              action_keys, &s);
    if (pair->value.kind != YAML_MAP)
        return;
    read_action_labels(r, &s, &pair->key, a);
    if (strcmp(a->name, "create") == 0)
        place_creation(r, d, &s, a);
    else
        place_action(r, d, &s, &pair->key, a);
    if (s.ask)
        read_ask(r, d->p, s.ask, a);
    if (s.when)
        a->when = read_expr(r, &d->scope, s.when, WANT_CONDITION, NULL);
    if (s.within)
        read_within(r, s.within, a);
    if (s.upon)
        read_upon(r, s.upon, a);
    read_effects(r, d, a, &pair->value);
}

void read_actions(struct reading *r, struct draft *d)
{
    for (int i = 0; i < d->p->action_count; i++)
        read_action(r, d, d->action_sources[i], &d->actions[i]);
}

/* ---- rights --------------------------------------------------------------------------------- */

static const char *const *right_words(struct reading *r)
{
    const char **words = arena_array(r->arena, RIGHT_COUNT + 1, sizeof(*words));
    for (int i = 0; i < RIGHT_COUNT; i++)
        words[i] = right_name((enum right)i);
    return words;
}

static void want_right(struct reading *r, const struct draft *d, enum right right)
{
    if (!d->p->rights[right][0])
        find_warning(r, d->rights ? d->rights : d->at, "missing-right", "nobody may %s %s",
                     right_name(right), d->p->name);
}

void read_rights(struct reading *r, struct draft *d)
{
    static const char *const nobody[] = {NULL};
    for (int i = 0; i < RIGHT_COUNT; i++)
        d->p->rights[i] = nobody;
    const bool is_there = d->rights && is_map(r, d->rights, "rights");
    for (int i = 0; is_there && i < d->rights->count; i++) {
        const struct yaml_pair *pair = &d->rights->pairs[i];
        const int right = read_word(r, &pair->key, "right", right_words(r));
        const char *const *allow = read_allow(r, &pair->value);
        if (right >= 0)
            d->p->rights[right] = allow;
    }
    want_right(r, d, RIGHT_VIEW);
    want_right(r, d, RIGHT_CREATE);
    want_right(r, d, RIGHT_EDIT);
}

/* ---- activities ----------------------------------------------------------------------------- */

struct activity_source {
    const struct yaml *label, *phase, *does, *raci;
};

#undef NODE
#define NODE(member) #member, key_node, offsetof(struct activity_source, member)
static const struct key activity_keys[] = {
    {NODE(label)}, {NODE(phase)}, {NODE(does)}, {NODE(raci)}, {0},
};
static const char *const raci_words[] = {"R", "A", "C", "I", NULL};

static const char *const *read_does(struct reading *r, const struct process *p,
                                    const struct yaml *node)
{
    const struct items items = read_items(r, node);
    const char **does = arena_array(r->arena, (size_t)items.count + 1, sizeof(*does));
    int n = 0;
    for (int i = 0; i < items.count; i++) {
        const struct action *a = NULL;
        if (str_equal(items.at[i].text, "create"))
            does[n++] = "create";
        else
            a = read_known(r, &items.at[i], "action", p->actions, p->action_count,
                           sizeof(*p->actions));
        if (a)
            does[n++] = a->name;
    }
    return does;
}

/* One answers for it and at least one does it: what a RACI matrix is for. */
static void check_raci(struct reading *r, const struct yaml *at, const struct activity *a)
{
    if (!a->raci[0][0])
        find_warning(r, at, "raci", "activity '%s': nobody is responsible (R)", a->name);
    if (!a->raci[1][0] || a->raci[1][1])
        find_warning(r, at, "raci", "activity '%s': exactly one is accountable (A)", a->name);
}

static void read_raci(struct reading *r, const struct yaml *node, const struct yaml *at,
                      struct activity *a)
{
    static const char *const nobody[] = {NULL};
    for (int i = 0; i < ARRAY_LEN(a->raci); i++)
        a->raci[i] = nobody;
    const bool is_there = node && is_map(r, node, "raci");
    for (int i = 0; is_there && i < node->count; i++) {
        const int letter = read_word(r, &node->pairs[i].key, "letter of RACI", raci_words);
        const char *const *who = read_allow(r, &node->pairs[i].value);
        if (letter >= 0)
            a->raci[letter] = who;
    }
    check_raci(r, at, a);
}

static struct activity read_activity(struct reading *r, const struct draft *d,
                                     const struct yaml_pair *pair)
{
    static const char *const nothing[] = {NULL};
    const struct process *p = d->p;
    struct activity a = {.name = read_name(r, &pair->key), .does = nothing};
    if (!a.name)
        return a;
    struct activity_source s = {0};
    read_keys(r, &pair->value, &pair->key, arena_printf(r->arena, "activity '%s'", a.name),
              activity_keys, &s);
    a.label = s.label ? read_labels(r, s.label) : NULL;
    want_labels(r, &pair->key, a.label, "activity '%s'", a.name);
    if (s.phase) {
        const struct phase *phase =
            read_known(r, s.phase, "phase", p->phases, p->phase_count, sizeof(*p->phases));
        a.phase = phase ? phase->name : NULL;
    }
    if (s.does)
        a.does = read_does(r, p, s.does);
    read_raci(r, s.raci, &pair->key, &a);
    return a;
}

void read_activities(struct reading *r, struct draft *d)
{
    if (!d->activities || !is_map(r, d->activities, "activities"))
        return;
    const int count = d->activities->count;
    struct activity *all = arena_array(r->arena, (size_t)count + 1, sizeof(*all));
    int n = 0;
    for (int i = 0; i < count; i++) {
        all[n] = read_activity(r, d, &d->activities->pairs[i]);
        n += all[n].name != NULL;
    }
    d->p->activities = all;
    d->p->activity_count = n;
}
