#include <string.h>

#include "base/str.h"
#include "lang/process_read.h"
#include "lang/scaled.h"

#define LONGEST_TEXT                                                                               \
    4000 /* that a line can be allowed to have; what it has by default: MOST_TEXT */

/* ---- what a file says of a field ------------------------------------------------------------ */

struct field_source {
    const struct yaml *key;
    const struct yaml *is, *label, *help, *of, *to, *currency, *decimals, *least, *most, *required,
        *initial, *internal, *searched, *from, *table, *computed;
};

#define NODE(member) #member, key_node, offsetof(struct field_source, member)
static const struct key field_keys[] = {
    {NODE(is)},
    {NODE(label)},
    {NODE(help)},
    {NODE(of)},
    {NODE(to)},
    {NODE(currency)},
    {NODE(decimals)},
    {NODE(least)},
    {NODE(most)},
    {NODE(required)},
    {NODE(initial)},
    {NODE(internal)},
    {NODE(searched)},
    {NODE(from)},
    {NODE(table)},
    {NODE(computed)},
    {0},
};

/* After the types themselves, `is: matrix` makes a choice that a table computes. */
#define IS_MATRIX TYPE_COUNT
#define BIT(type) (1U << (type))
#define TEXTS (BIT(TYPE_TEXT) | BIT(TYPE_LONG_TEXT))
#define NUMBERS (BIT(TYPE_NUMBER) | BIT(TYPE_MONEY))
#define ANY_TYPE (BIT(IS_MATRIX + 1) - 1)

static const struct {
    const char *key;
    size_t at;
    unsigned types;
} belongs[] = {
    {"of", offsetof(struct field_source, of), BIT(TYPE_CHOICE) | BIT(TYPE_TREE)},
    {"to", offsetof(struct field_source, to), BIT(TYPE_LINK) | BIT(TYPE_LINKS)},
    {"currency", offsetof(struct field_source, currency), BIT(TYPE_MONEY)},
    {"decimals", offsetof(struct field_source, decimals), BIT(TYPE_NUMBER)},
    {"least", offsetof(struct field_source, least), NUMBERS},
    {"most", offsetof(struct field_source, most), NUMBERS | TEXTS},
    {"searched", offsetof(struct field_source, searched), TEXTS},
    {"from", offsetof(struct field_source, from), BIT(IS_MATRIX)},
    {"table", offsetof(struct field_source, table), BIT(IS_MATRIX)},
    {"computed", offsetof(struct field_source, computed),
     ANY_TYPE & ~BIT(IS_MATRIX) & ~BIT(TYPE_LINKS) & ~BIT(TYPE_PEOPLE)},
    {"initial", offsetof(struct field_source, initial), ANY_TYPE & ~BIT(IS_MATRIX)},
    {"required", offsetof(struct field_source, required), ANY_TYPE & ~BIT(IS_MATRIX)},
};

static const struct yaml *source_node(const struct field_source *s, size_t at)
{
    return *(const struct yaml *const *)((const char *)s + at);
}

static void check_belongs(struct reading *r, const struct field_source *s, unsigned type,
                          const char *type_word)
{
    for (int i = 0; i < ARRAY_LEN(belongs); i++) {
        const struct yaml *node = source_node(s, belongs[i].at);
        if (node && !(belongs[i].types & BIT(type)))
            find_error(r, node, "wrong-key", "'%s' means nothing for a field that is %s",
                       belongs[i].key, type_word);
    }
}

/* ---- per type ------------------------------------------------------------------------------- */

static const struct choice no_choices[] = {{0}};

static void complete_text(struct reading *r, const struct field_source *s, struct field *f)
{
    const int64_t longest = f->type == TYPE_TEXT ? LONGEST_TEXT : MOST_LONG_TEXT;
    if (!f->most)
        f->most = f->type == TYPE_TEXT ? MOST_TEXT : MOST_LONG_TEXT;
    if (s->most)
        read_int(r, s->most, 1, longest, &f->most);
    if (s->searched)
        read_flag(r, s->searched, &f->is_searched);
    else
        f->is_searched = true;
}

static void read_bound(struct reading *r, const struct yaml *node, const struct field *f,
                       int64_t *ret)
{
    if (!node)
        return;
    if (node->kind != YAML_SCALAR || !scaled_parse(node->text, f->decimals, ret))
        find_error(r, node, "not-a-number", "a number with at most %d decimals is expected here",
                   f->decimals);
}

static void complete_number(struct reading *r, const struct field_source *s, struct field *f)
{
    int64_t decimals = f->decimals;
    if (s->decimals && read_int(r, s->decimals, 0, 6, &decimals))
        f->decimals = (int)decimals;
    f->least = -SCALED_MOST;
    f->most = SCALED_MOST;
    read_bound(r, s->least, f, &f->least);
    read_bound(r, s->most, f, &f->most);
    if (f->least > f->most)
        find_error(r, s->most, "wrong-bounds", "'most' is below 'least'");
}

static void complete_money(struct reading *r, const struct field_source *s, struct field *f)
{
    f->currency = "EUR";
    f->decimals = 2;
    const char *currency = s->currency ? read_text(r, s->currency) : NULL;
    if (!s->currency)
        find_error(r, s->key, "missing-key", "field '%s' is money: say in which currency", f->name);
    if (currency && currency_decimals(currency) < 0) {
        find_error(r, s->currency, "unknown-word",
                   "'%s' is not a currency: write three capitals such as EUR", currency);
    } else if (currency) {
        f->currency = currency;
        f->decimals = currency_decimals(currency);
    }
    complete_number(r, s, f);
}

static void complete_choice(struct reading *r, const struct field_source *s, struct field *f)
{
    if (s->of)
        f->choices = read_choices(r, s->of, arena_printf(r->arena, "choice of %s", f->name));
    else if (!f->choices)
        find_error(r, s->key, "missing-key", "field '%s' is a choice: say of what", f->name);
    if (!f->choices)
        f->choices = no_choices;
}

static void complete_tree(struct reading *r, const struct field_source *s, struct field *f)
{
    static const struct tree no_tree = {.name = ""};
    if (s->of)
        f->tree = read_known(r, s->of, "tree", r->defs->trees, r->defs->tree_count,
                             sizeof(*r->defs->trees));
    else
        find_error(r, s->key, "missing-key", "field '%s' is a tree: say of which", f->name);
    if (!f->tree)
        f->tree = &no_tree;
}

static void complete_link(struct reading *r, const struct field_source *s, struct field *f)
{
    if (!s->to)
        return;
    const struct process *to = read_known(r, s->to, "process", r->defs->processes,
                                          r->defs->process_count, sizeof(*r->defs->processes));
    f->to = to ? to->name : NULL;
}

static void complete_matrix(struct reading *r, const struct field_source *s, struct field *f)
{
    f->type = TYPE_CHOICE;
    if (s->table)
        f->matrix = read_known(r, s->table, "table", r->defs->matrices, r->defs->matrix_count,
                               sizeof(*r->defs->matrices));
    else
        find_error(r, s->key, "missing-key", "field '%s' is a matrix: say of which table", f->name);
    if (f->matrix && f->matrix->cell_count == 0)
        f->matrix = NULL; /* has its own findings */
    f->choices = f->matrix ? f->matrix->levels : no_choices;
}

static void (*const complete[TYPE_COUNT + 1])(struct reading *r, const struct field_source *s,
                                              struct field *f) = {
    [TYPE_TEXT] = complete_text,     [TYPE_LONG_TEXT] = complete_text,
    [TYPE_NUMBER] = complete_number, [TYPE_MONEY] = complete_money,
    [TYPE_CHOICE] = complete_choice, [TYPE_TREE] = complete_tree,
    [TYPE_LINK] = complete_link,     [TYPE_LINKS] = complete_link,
    [IS_MATRIX] = complete_matrix,
};

/* ---- one field ------------------------------------------------------------------------------ */

static const char *const *type_words(struct reading *r)
{
    const char **words = arena_array(r->arena, TYPE_COUNT + 2, sizeof(*words));
    for (int i = 0; i < TYPE_COUNT; i++)
        words[i] = type_name((enum field_type)i);
    words[IS_MATRIX] = "matrix";
    return words;
}

static void read_common(struct reading *r, const struct field_source *s, struct field *f)
{
    if (s->label)
        f->label = read_labels(r, s->label);
    if (s->help)
        f->help = read_labels(r, s->help);
    if (s->required)
        read_flag(r, s->required, &f->is_required);
    if (s->internal)
        read_flag(r, s->internal, &f->is_internal);
    want_labels(r, s->key, f->label, "field '%s'", f->name);
    if (f->help)
        want_labels(r, s->help, f->help, "the help of field '%s'", f->name);
}

static void read_new(struct reading *r, const struct field_source *s, struct field *f)
{
    if (!s->is) {
        find_error(r, s->key, "missing-key", "field '%s': 'is' is missing", f->name);
        return;
    }
    const char *const *words = type_words(r);
    const int type = read_word(r, s->is, "field type", words);
    if (type < 0)
        return;
    if (type == TYPE_PEOPLE) {
        find_error(r, s->is, "wrong-type", "only the built-in watchers are people; use person");
        return;
    }
    f->type = (enum field_type)type;
    check_belongs(r, s, (unsigned)type, words[type]);
    if (complete[type])
        complete[type](r, s, f);
}

/* What a process may say of a field that all have: its words, whether it must be there, and of
 * what its priority is made. */
static void read_refined(struct reading *r, const struct field_source *s, struct field *f)
{
    const char *const *words = type_words(r);
    const int type = s->is ? read_word(r, s->is, "field type", words) : (int)f->type;
    if (type < 0)
        return;
    const bool is_priority = f->slot == FIELD_PRIORITY && type == IS_MATRIX;
    if (type != (int)f->type && !is_priority) {
        find_error(r, s->is, "wrong-type", "'%s' is built in, as %s", f->name, words[f->type]);
        return;
    }
    if (f->is_system && (s->required || s->initial || s->computed || s->of || s->most)) {
        find_error(r, s->key, "wrong-key",
                   "'%s' is set by the engine: only its label and help "
                   "can be changed",
                   f->name);
        return;
    }
    check_belongs(r, s, (unsigned)type, words[type]);
    if (complete[type] && !f->is_system)
        complete[type](r, s, f);
}

static const struct field_source *read_source(struct reading *r, const struct yaml_pair *pair)
{
    struct field_source *s = arena_alloc(r->arena, sizeof(*s));
    s->key = &pair->key;
    if (pair->value.kind == YAML_SCALAR)
        s->is = &pair->value; /* notes: long_text */
    else
        read_keys(r, &pair->value, &pair->key, arena_printf(r->arena, "field '%s'", pair->key.text),
                  field_keys, s);
    return s;
}

static struct field *add_field(struct reading *r, struct draft *d, const char *name)
{
    struct process *p = d->p;
    struct field *f = &d->fields[p->field_count];
    if (p->field_count == FIELD_BUILTINS + MAX_FIELDS) {
        find_error(r, d->field_map, "too-many", "a process has at most %d fields of its own",
                   MAX_FIELDS);
        return NULL;
    }
    *f = (struct field){.name = name, .slot = p->field_count};
    p->field_count++;
    return f;
}

/* What an expression or an `ask` would take for something else. */
static const char *const reserved[] = {
    "and",   "or",    "not", "in",       "is",      "empty", "contains", "starts", "between",
    "under", "order", "by",  "asc",      "desc",    "now",   "today",    "me",     "my",
    "true",  "false", "if",  "coalesce", "comment", "note",  NULL,
};

static void read_field(struct reading *r, struct draft *d, const struct yaml_pair *pair)
{
    const char *name = read_name(r, &pair->key);
    if (!name)
        return;
    if (str_in(name, reserved)) {
        find_error(r, &pair->key, "bad-name",
                   "'%s' is a word with a meaning of its own; a field "
                   "needs another name",
                   name);
        return;
    }
    const struct field *known = process_field(d->p, name);
    struct field *f = known ? &d->fields[known->slot] : add_field(r, d, name);
    if (!f)
        return;
    const struct field_source *s = read_source(r, pair);
    d->field_sources[f->slot] = s;
    f->line = pair->key.line;
    f->column = pair->key.column;
    read_common(r, s, f);
    if (known)
        read_refined(r, s, f);
    else
        read_new(r, s, f);
}

/* The states of this process are the choices of its field `state`. */
static const struct choice *state_choices(struct reading *r, const struct process *p)
{
    struct choice *choices = arena_array(r->arena, (size_t)p->state_count + 1, sizeof(*choices));
    for (int i = 0; i < p->state_count; i++) {
        const struct state *s = &p->states[i];
        choices[i] = (struct choice){s->name, s->label, s->is_retired};
    }
    return choices;
}

void read_fields(struct reading *r, struct draft *d)
{
    const size_t room = FIELD_BUILTINS + MAX_FIELDS;
    d->fields = arena_array(r->arena, room, sizeof(*d->fields));
    d->field_sources = arena_array(r->arena, room, sizeof(*d->field_sources));
    memcpy(d->fields, builtin_fields, FIELD_BUILTINS * sizeof(*d->fields));
    d->fields[FIELD_STATE].choices = state_choices(r, d->p);
    d->p->fields = d->fields;
    d->p->field_count = FIELD_BUILTINS;
    if (!d->field_map || !is_map(r, d->field_map, "fields"))
        return;
    for (int i = 0; i < d->field_map->count; i++)
        read_field(r, d, &d->field_map->pairs[i]);
}

const struct field *read_field_name(struct reading *r, const struct process *p,
                                    const struct yaml *node)
{
    return read_known(r, node, "field", p->fields, p->field_count, sizeof(*p->fields));
}

/* ---- values, once all fields are known ------------------------------------------------------ */

/* An input can be what the table knows, all of it and nothing else. */
static void check_axis(struct reading *r, const struct yaml *at, const struct matrix *m,
                       const char *const *axis, const struct field *input)
{
    for (const struct choice *c = input->choices; c->name; c++) {
        if (!c->is_retired && !str_in(c->name, axis))
            find_error(r, at, "wrong-table", "table '%s' has nothing for %s '%s'", m->name,
                       input->name, c->name);
    }
    for (int i = 0; axis[i]; i++) {
        const struct choice *c = input->choices;
        while (c->name && strcmp(c->name, axis[i]) != 0)
            c++;
        if (!c->name)
            find_error(r, at, "wrong-table", "table '%s' has '%s', which %s cannot be", m->name,
                       axis[i], input->name);
    }
}

static int read_input(struct reading *r, struct draft *d, const struct field *f,
                      const struct yaml *at, const char *name)
{
    const struct field *input = process_field(d->p, name);
    if (!input) {
        find_error(r, at, "unknown-field", "there is no field '%s'%s", name,
                   hint(r, name, names_of(r, d->fields, d->p->field_count, sizeof(*d->fields))));
        return -1;
    }
    if (input->type != TYPE_CHOICE || input->matrix || input == f) {
        find_error(r, at, "wrong-type", "'%s' is not a choice that a table can start from", name);
        return -1;
    }
    return input->slot;
}

static int count_names(const char *const *names)
{
    int n = 0;
    while (names[n])
        n++;
    return n;
}

static void read_inputs(struct reading *r, struct draft *d, const struct field_source *s,
                        struct field *f)
{
    const struct matrix *m = f->matrix;
    const int count = count_names(m->from);
    const struct items items = s->from ? read_items(r, s->from) : (struct items){s->key, count};
    int *inputs = arena_array(r->arena, (size_t)count + 1, sizeof(*inputs));
    bool is_good = items.count == count;
    if (!is_good)
        find_error(r, s->from, "wrong-table", "table '%s' has %d inputs, not %d", m->name, count,
                   items.count);
    for (int i = 0; i < count && is_good; i++) {
        const struct yaml *at = s->from ? &items.at[i] : s->key;
        const char *name = s->from ? read_text(r, at) : m->from[i];
        inputs[i] = name ? read_input(r, d, f, at, name) : -1;
        is_good = inputs[i] >= 0;
        if (is_good)
            check_axis(r, at, m, m->axes[i], &d->fields[inputs[i]]);
    }
    f->inputs = inputs;
    if (!is_good)
        f->matrix = NULL;
}

static bool is_computed(const struct field *f)
{
    return f->matrix || f->computed;
}

static bool starts_from(const struct field *f, int slot)
{
    if (f->computed)
        return expr_reads(f->computed, slot);
    for (int i = 0; f->matrix && f->matrix->from[i]; i++) {
        if (f->inputs[i] == slot)
            return true;
    }
    return false;
}

/* Computed values are made once, in the order of the fields, so that it always ends. */
static void check_order(struct reading *r, const struct draft *d)
{
    for (int i = 0; i < d->p->field_count; i++) {
        const struct field *f = &d->fields[i];
        for (int k = i; k < d->p->field_count && is_computed(f); k++) {
            const struct field *later = &d->fields[k];
            if (!is_computed(later) || !starts_from(f, k))
                continue;
            find_error(
                r, d->field_sources[i]->key, "computed-late", "'%s' is computed from %s", f->name,
                k == i ? "itself"
                       : arena_printf(r->arena, "'%s', which is computed after it", later->name));
        }
    }
}

void read_field_values(struct reading *r, struct draft *d)
{
    for (int i = 0; i < d->p->field_count; i++) {
        const struct field_source *s = d->field_sources[i];
        struct field *f = &d->fields[i];
        if (!s)
            continue;
        if (f->matrix)
            read_inputs(r, d, s, f);
        if (s->initial && s->computed)
            find_error(r, s->initial, "wrong-key", "a computed field has no initial value");
        else if (s->initial && !f->is_system)
            f->initial = read_expr(r, &d->scope, s->initial, WANT_VALUE, f);
        if (s->computed && !f->is_system)
            f->computed = read_expr(r, &d->scope, s->computed, WANT_VALUE, f);
    }
    check_order(r, d);
}
