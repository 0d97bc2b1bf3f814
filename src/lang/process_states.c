#include <string.h>

#include "base/str.h"
#include "lang/process_read.h"

static const char *const status_words[] = {
    "new", "open", "pending", "resolved", "closed", "cancelled", NULL,
};

/* Who is waited for. */
static const char *const court_words[] = {
    "us", "caller", "vendor", "another_team", "nobody", NULL,
};

/* Words of `from` that stand for several states. */
static const char *const reserved[] = {"any", "active", NULL};

struct state_source {
    const struct yaml *key;
    const struct yaml *category, *phase, *court, *label, *fields, *retired;
};

#define NODE(member) #member, key_node, offsetof(struct state_source, member)
static const struct key state_keys[] = {
    {NODE(category), true}, {NODE(phase)},   {NODE(court)}, {NODE(label)},
    {NODE(fields)},         {NODE(retired)}, {0},
};

void read_phases(struct reading *r, struct draft *d)
{
    if (!d->phases)
        return;
    const struct choice *choices = read_choices(r, d->phases, "phase");
    int n = 0;
    while (choices[n].name)
        n++;
    struct phase *phases = arena_array(r->arena, (size_t)n + 1, sizeof(*phases));
    for (int i = 0; i < n; i++)
        phases[i] = (struct phase){choices[i].name, choices[i].label};
    d->p->phases = phases;
    d->p->phase_count = n;
}

/* Where nothing else is said: work is ours until it is done. */
static const char *default_court(enum status status)
{
    return status_is_active(status) ? "us" : "nobody";
}

static void read_state(struct reading *r, struct draft *d, const struct yaml_pair *pair,
                       struct state_source *s, struct state *state)
{
    const struct process *p = d->p;
    s->key = &pair->key;
    read_keys(r, &pair->value, &pair->key, arena_printf(r->arena, "state '%s'", state->name),
              state_keys, s);
    const int status = s->category ? read_word(r, s->category, "category", status_words) : -1;
    state->status = status < 0 ? STATUS_OPEN : (enum status)status;
    state->court = default_court(state->status);
    const int court = s->court ? read_word(r, s->court, "court", court_words) : -1;
    if (court >= 0)
        state->court = court_words[court];
    if (s->phase) {
        const struct phase *phase =
            read_known(r, s->phase, "phase", p->phases, p->phase_count, sizeof(*p->phases));
        state->phase = phase ? phase->name : NULL;
    }
    if (s->retired)
        read_flag(r, s->retired, &state->is_retired);
    if (s->label)
        state->label = read_labels(r, s->label);
    want_labels(r, &pair->key, state->label, "state '%s'", state->name);
}

/* Records begin in the state that is written first. */
static void check_initial(struct reading *r, const struct draft *d)
{
    const struct state *first = &d->states[0];
    if (!status_is_active(first->status))
        find_error(r, d->state_sources[0].key, "bad-initial-state",
                   "records begin in the first state, so '%s' cannot be %s", first->name,
                   status_name(first->status));
    if (first->is_retired)
        find_error(r, d->state_sources[0].key, "retired-state",
                   "records begin in the first state, so '%s' cannot be retired", first->name);
}

static int room_for_states(struct reading *r, const struct draft *d)
{
    const int count = d->state_map->count;
    if (count <= MAX_STATES)
        return count;
    find_error(r, d->state_map, "too-many", "a process has at most %d states", MAX_STATES);
    return MAX_STATES;
}

void read_states(struct reading *r, struct draft *d)
{
    if (!d->state_map || !is_map(r, d->state_map, "states"))
        return;
    const int count = room_for_states(r, d);
    struct state_source *sources = arena_array(r->arena, (size_t)count + 1, sizeof(*sources));
    d->states = arena_array(r->arena, (size_t)count + 1, sizeof(*d->states));
    d->state_sources = sources;
    int n = 0;
    for (int i = 0; i < count; i++) {
        const struct yaml_pair *pair = &d->state_map->pairs[i];
        const char *name = read_name(r, &pair->key);
        if (name && str_in(name, reserved)) {
            find_error(r, &pair->key, "bad-name",
                       "'%s' stands for several states in 'from'; a "
                       "state needs another name",
                       name);
            continue;
        }
        if (!name)
            continue;
        d->states[n] = (struct state){
            .name = name, .index = n, .line = pair->key.line, .column = pair->key.column};
        read_state(r, d, pair, &sources[n], &d->states[n]);
        n++;
    }
    d->p->states = d->states;
    d->p->state_count = n;
    if (n)
        check_initial(r, d);
    else
        find_error(r, d->state_map, "empty", "a process has at least one state");
}

/* ---- rules for fields ----------------------------------------------------------------------- */

static const struct {
    const char *word;
    uint8_t rule;
} rule_words[] = {
    {"hidden", RULE_HIDDEN},
    {"read-only", RULE_READ_ONLY},
    {"required", RULE_REQUIRED},
};

static uint8_t read_rule(struct reading *r, const struct yaml *node)
{
    const char *names[ARRAY_LEN(rule_words) + 1] = {0};
    for (int i = 0; i < ARRAY_LEN(rule_words); i++)
        names[i] = rule_words[i].word;
    const int at = read_word(r, node, "rule", names);
    return at < 0 ? RULE_NONE : rule_words[at].rule;
}

static void read_field_rules(struct reading *r, const struct draft *d, const struct yaml_pair *pair,
                             uint8_t *rules)
{
    const struct field *f = read_field_name(r, d->p, &pair->key);
    const struct items items = read_items(r, &pair->value);
    uint8_t all = RULE_NONE;
    for (int i = 0; i < items.count; i++)
        all |= read_rule(r, &items.at[i]);
    if ((all & RULE_HIDDEN) && (all & RULE_REQUIRED))
        find_error(r, &pair->value, "wrong-rule", "a field cannot be hidden and required");
    if (f && f->is_system && (all & RULE_REQUIRED))
        find_error(r, &pair->value, "wrong-rule", "'%s' is set by the engine", f->name);
    if (f)
        rules[f->slot] = all;
}

void read_state_rules(struct reading *r, struct draft *d)
{
    for (int i = 0; i < d->p->state_count; i++) {
        const struct yaml *fields = d->state_sources[i].fields;
        if (!fields || !is_map(r, fields, "fields"))
            continue;
        uint8_t *rules = arena_array(r->arena, (size_t)d->p->field_count, 1);
        for (int n = 0; n < fields->count; n++)
            read_field_rules(r, d, &fields->pairs[n], rules);
        d->states[i].rules = rules;
    }
}
