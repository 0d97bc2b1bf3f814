#include <string.h>

#include "base/str.h"
#include "lang/calendar.h"
#include "lang/process_read.h"

/* The action whose effects are read, and where they go. */
struct effects {
    struct reading *r;
    struct draft *d;
    struct list all; /* of struct effect */
};

static struct effect *add_effect(struct effects *e, enum effect_kind kind, const struct yaml *at)
{
    struct effect *effect = list_add(e->r->arena, &e->all, sizeof(*effect));
    *effect = (struct effect){.kind = kind, .line = at->line, .column = at->column};
    return effect;
}

static const struct action *read_action_name(struct effects *e, const struct process *p,
                                             const struct yaml *node)
{
    return read_known(e->r, node, "action", p->actions, p->action_count, sizeof(*p->actions));
}

/* Whether somebody else than the engine may set it. */
static bool is_settable(struct reading *r, const struct yaml *at, const struct field *f)
{
    if (!f->is_system && !f->computed && !f->matrix)
        return true;
    find_error(r, at, "not-settable", "'%s' is %s and cannot be set", f->name,
               f->is_system ? "kept by the engine" : "computed");
    return false;
}

/* ---- set, watch, tell ----------------------------------------------------------------------- */

static void read_set(struct effects *e, const struct yaml *node)
{
    if (!is_map(e->r, node, "set"))
        return;
    for (int i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const struct field *f = read_field_name(e->r, e->d->p, &pair->key);
        if (!f || !is_settable(e->r, &pair->key, f))
            continue;
        struct effect *effect = add_effect(e, EFFECT_SET, &pair->key);
        effect->slot = f->slot;
        effect->name = f->name;
        effect->value = read_expr(e->r, &e->d->scope, &pair->value, WANT_VALUE, f);
    }
}

static void read_watch(struct effects *e, const struct yaml *node)
{
    const struct items items = read_items(e->r, node);
    for (int i = 0; i < items.count; i++) {
        const struct field *f = read_field_name(e->r, e->d->p, &items.at[i]);
        if (f && f->type != TYPE_PERSON)
            find_error(e->r, &items.at[i], "wrong-type", "'%s' is not a person", f->name);
        else if (f)
            add_effect(e, EFFECT_WATCH, &items.at[i])->slot = f->slot;
    }
}

static void check_places(struct effects *e, const struct yaml *at, const struct message *m,
                         labels texts)
{
    struct reading *r = e->r;
    const struct process *p = e->d->p;
    for (labels l = texts; l && l->language; l++) {
        const char *place = strstr(l->text, "{{");
        for (; place; place = strstr(place + 2, "{{")) {
            const size_t len = strcspn(place + 2, "{}\n ");
            const char *name = arena_strndup(r->arena, place + 2, len);
            if (!*name || str_in(name, message_words) || process_field(p, name))
                continue;
            find_error(r, at, "unknown-place", "message '%s' names {{%s}}, which %s has not%s",
                       m->name, name, p->name,
                       hint(r, name, names_of(r, p->fields, p->field_count, sizeof(*p->fields))));
        }
    }
}

static bool is_audience(const struct field *f)
{
    return f->type == TYPE_PERSON || f->type == TYPE_GROUP || f->type == TYPE_PEOPLE;
}

static void read_tell(struct effects *e, const struct yaml *node)
{
    struct reading *r = e->r;
    if (!is_map(r, node, "tell"))
        return;
    for (int i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const struct field *f = read_field_name(r, e->d->p, &pair->key);
        const struct message *m = read_known(r, &pair->value, "message", r->defs->messages,
                                             r->defs->message_count, sizeof(*r->defs->messages));
        if (f && !is_audience(f))
            find_error(r, &pair->key, "wrong-type", "'%s' is nobody who can be told", f->name);
        if (!f || !m || !is_audience(f))
            continue;
        check_places(e, &pair->value, m, m->subject);
        check_places(e, &pair->value, m, m->body);
        struct effect *effect = add_effect(e, EFFECT_TELL, &pair->key);
        effect->slot = f->slot;
        effect->audience = f->name;
        effect->name = m->name;
    }
}

/* ---- timers --------------------------------------------------------------------------------- */

static void read_timer(struct effects *e, const struct yaml *node)
{
    struct reading *r = e->r;
    if (!is_map(r, node, "timer"))
        return;
    for (int i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const struct action *action = read_action_name(e, e->d->p, &pair->key);
        const char *text = read_text(r, &pair->value);
        struct span span = {0};
        if (text && (!span_parse(text, &span) || span.n <= 0)) {
            find_error(r, &pair->value, "bad-span",
                       "'%s' is not a length of time such as 5 working days, 4 working hours, "
                       "30 min",
                       text);
            text = NULL;
        }
        if (!action || !text)
            continue;
        struct effect *effect = add_effect(e, EFFECT_TIMER, &pair->key);
        effect->name = action->name;
        effect->span = span;
    }
}

static void read_stop(struct effects *e, const struct yaml *node)
{
    const struct items items = read_items(e->r, node);
    for (int i = 0; i < items.count; i++) {
        const struct action *action = read_action_name(e, e->d->p, &items.at[i]);
        if (action)
            add_effect(e, EFFECT_STOP, &items.at[i])->name = action->name;
    }
}

/* ---- create, cascade ------------------------------------------------------------------------ */

struct other {
    const struct yaml *process, *action, *link, *when, *set;
};

#define NODE(member) #member, key_node, offsetof(struct other, member)
static const struct key create_keys[] = {{NODE(process), true}, {NODE(link)}, {NODE(set)}, {0}};
static const struct key cascade_keys[] = {
    {NODE(action), true}, {NODE(process)}, {NODE(link)}, {NODE(when)}, {NODE(set)}, {0},
};

static const char *read_link_name(struct effects *e, const struct yaml *node)
{
    struct reading *r = e->r;
    const char *name = node ? read_text(r, node) : "child";
    bool is_inverse;
    if (!name || defs_link_either(r->defs, name, &is_inverse))
        return name;
    find_error(
        r, node, "unknown-link", "there is no link '%s'%s", name,
        hint(r, name, names_of(r, r->defs->links, r->defs->link_count, sizeof(*r->defs->links))));
    return NULL;
}

static const struct process *read_process_name(struct effects *e, const struct yaml *node)
{
    const struct defs *d = e->r->defs;
    if (!node)
        return NULL;
    return read_known(e->r, node, "process", d->processes, d->process_count, sizeof(*d->processes));
}

/* A comment or a note can be given to an action of another record, too. */
static const struct field text_field = {
    .name = "comment", .type = TYPE_LONG_TEXT, .most = MOST_LONG_TEXT};

static const struct field *read_other_field(struct effects *e, const struct process *other,
                                            const struct yaml *node, enum effect_kind kind)
{
    const bool is_words = str_equal(node->text, "comment") || str_equal(node->text, "note");
    if (is_words && kind == EFFECT_CASCADE)
        return &text_field;
    const struct field *f = read_field_name(e->r, other, node);
    return f && is_settable(e->r, node, f) ? f : NULL;
}

static const struct set_pair *read_sets(struct effects *e, const struct process *other,
                                        const struct yaml *node, enum effect_kind kind)
{
    const bool is_there = node && is_map(e->r, node, "set");
    const int count = is_there ? node->count : 0;
    struct set_pair *sets = arena_array(e->r->arena, (size_t)count + 1, sizeof(*sets));
    int n = 0;
    for (int i = 0; i < count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const struct field *f = read_other_field(e, other, &pair->key, kind);
        if (!f)
            continue;
        sets[n].field = pair->key.text;
        sets[n].value = read_expr(e->r, &e->d->scope, &pair->value, WANT_VALUE, f);
        n += sets[n].value != NULL;
    }
    sets[n] = (struct set_pair){0};
    return sets;
}

static bool sets_field(const struct set_pair *sets, const char *name)
{
    for (; sets->field; sets++) {
        if (strcmp(sets->field, name) == 0)
            return true;
    }
    return false;
}

static void check_complete(struct effects *e, const struct yaml *at, const struct process *other,
                           const struct set_pair *sets)
{
    for (int i = 0; i < other->field_count; i++) {
        const struct field *f = &other->fields[i];
        if (f->is_required && !f->initial && !f->computed && !f->matrix &&
            !sets_field(sets, f->name))
            find_error(e->r, at, "create-incomplete",
                       "%s needs '%s' at creation, which is not set here", other->name, f->name);
    }
}

static void read_create(struct effects *e, const struct yaml *node)
{
    struct other s = {0};
    read_keys(e->r, node, node, "create", create_keys, &s);
    const struct process *other = read_process_name(e, s.process);
    const char *link = read_link_name(e, s.link);
    if (!other || !link)
        return;
    const struct set_pair *sets = read_sets(e, other, s.set, EFFECT_CREATE);
    check_complete(e, node, other, sets);
    struct effect *effect = add_effect(e, EFFECT_CREATE, node);
    effect->name = effect->process = other->name;
    effect->link = link;
    effect->sets = sets;
}

static void read_cascade(struct effects *e, const struct yaml *node)
{
    struct reading *r = e->r;
    struct other s = {0};
    read_keys(r, node, node, "cascade", cascade_keys, &s);
    const struct process *other = s.process ? read_process_name(e, s.process) : e->d->p;
    const char *link = read_link_name(e, s.link);
    if (!other || !link || !s.action)
        return;
    const struct action *action = read_action_name(e, other, s.action);
    const struct draft *theirs = &r->drafts[other - r->defs->processes];
    const struct expr *when =
        s.when ? read_expr(r, &theirs->scope, s.when, WANT_CONDITION, NULL) : NULL;
    const struct set_pair *sets = read_sets(e, other, s.set, EFFECT_CASCADE);
    if (!action)
        return;
    struct effect *effect = add_effect(e, EFFECT_CASCADE, s.action);
    effect->name = action->name;
    effect->process = other->name;
    effect->link = link;
    effect->when = when;
    effect->sets = sets;
}

/* ---- all ------------------------------------------------------------------------------------ */

static const struct {
    const char *key;
    void (*read)(struct effects *e, const struct yaml *node);
    bool is_repeated; /* a list of maps reads each */
} kinds[] = {
    {"set", read_set},
    {"timer", read_timer},
    {"stop", read_stop},
    {"watch", read_watch},
    {"create", read_create, true},
    {"tell", read_tell},
    {"cascade", read_cascade, true},
};

static void read_kind(struct effects *e, const struct yaml_pair *pair)
{
    for (int i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].key, pair->key.text) != 0)
            continue;
        if (!kinds[i].is_repeated || pair->value.kind != YAML_LIST) {
            kinds[i].read(e, &pair->value);
            continue;
        }
        for (int n = 0; n < pair->value.count; n++)
            kinds[i].read(e, &pair->value.items[n]);
    }
}

void read_effects(struct reading *r, struct draft *d, struct action *action,
                  const struct yaml *node)
{
    struct effects e = {.r = r, .d = d};
    for (int i = 0; i < node->count; i++)
        read_kind(&e, &node->pairs[i]);
    action->effects = e.all.at;
    action->effect_count = e.all.count;
}
