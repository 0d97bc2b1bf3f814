#include <string.h>

#include "base/str.h"
#include "lang/process_read.h"

/* ---- choices -------------------------------------------------------------------------------- */

/* {label: ..., retired: true}, as opposed to a text or one per language. */
static bool is_detailed(const struct yaml *node)
{
    return yaml_get(node, "label") || yaml_get(node, "retired") || yaml_get(node, "sub");
}

static const struct key choice_keys[] = {
    {"label", key_labels, offsetof(struct choice, label)},
    {"retired", key_flag, offsetof(struct choice, is_retired)},
    {0},
};

static struct choice read_choice(struct reading *r, const struct yaml_pair *pair, const char *what)
{
    struct choice c = {.name = read_name(r, &pair->key)};
    if (is_detailed(&pair->value))
        read_keys(r, &pair->value, &pair->key, "choice", choice_keys, &c);
    else
        c.label = read_labels(r, &pair->value);
    if (c.name)
        want_labels(r, &pair->key, c.label, "%s '%s'", what, c.name);
    return c;
}

/* A list of names gives choices without labels. */
static struct choice read_bare_choice(struct reading *r, const struct yaml *node, const char *what)
{
    struct choice c = {.name = read_name(r, node)};
    if (c.name)
        want_labels(r, node, NULL, "%s '%s'", what, c.name);
    return c;
}

static bool has_choice(const struct choice *choices, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(choices[i].name, name) == 0)
            return true;
    }
    return false;
}

const struct choice *read_choices(struct reading *r, const struct yaml *node, const char *what)
{
    const int count = node->kind == YAML_SCALAR ? 0 : node->count;
    struct choice *choices = arena_array(r->arena, (size_t)count + 1, sizeof(*choices));
    int n = 0;
    for (int i = 0; i < count; i++) {
        choices[n] = node->kind == YAML_MAP ? read_choice(r, &node->pairs[i], what)
                                            : read_bare_choice(r, &node->items[i], what);
        if (!choices[n].name)
            continue;
        if (has_choice(choices, n, choices[n].name))
            find_error(r, &node->items[i], "defined-twice", "%s '%s' is in the list twice", what,
                       choices[n].name);
        else
            n++;
    }
    choices[n] = (struct choice){0};
    if (node->kind == YAML_SCALAR || count == 0)
        find_error(r, node, "wrong-shape",
                   "a list of names, or a map of names to labels, is "
                   "expected here");
    return choices;
}

/* ---- trees ---------------------------------------------------------------------------------- */

struct growing {
    struct reading *r;
    struct list nodes; /* of struct tree_node */
    const struct yaml *at;
    bool is_full;
};

static void grow(struct growing *g, const struct yaml *map, const char *above);

struct tree_source {
    labels label;
    bool is_retired;
    const struct yaml *sub;
};

static const struct key tree_keys[] = {
    {"label", key_labels, offsetof(struct tree_source, label)},
    {"retired", key_flag, offsetof(struct tree_source, is_retired)},
    {"sub", key_node, offsetof(struct tree_source, sub)},
    {0},
};

static void grow_node(struct growing *g, const struct yaml_pair *pair, const char *above)
{
    struct reading *r = g->r;
    const char *name = read_name(r, &pair->key);
    if (!name)
        return;
    const char *path = *above ? arena_printf(r->arena, "%s/%s", above, name) : name;
    struct tree_source source = {0};
    if (is_detailed(&pair->value))
        read_keys(r, &pair->value, &pair->key, "category", tree_keys, &source);
    else if (pair->value.kind != YAML_SCALAR || *pair->value.text)
        source.label = read_labels(r, &pair->value);
    want_labels(r, &pair->key, source.label, "'%s'", path);

    struct tree_node *node = list_add(r->arena, &g->nodes, sizeof(*node));
    *node = (struct tree_node){path, source.label, source.is_retired};
    if (source.sub)
        grow(g, source.sub, path);
}

/* Parents before their children; depth is bounded by that of YAML. */
static void grow(struct growing *g, const struct yaml *map, const char *above)
{
    if (!is_map(g->r, map, "sub"))
        return;
    for (int i = 0; i < map->count && !g->is_full; i++) {
        g->is_full = g->nodes.count >= MAX_TREE_NODES;
        if (g->is_full)
            find_error(g->r, g->at, "too-many", "a tree has at most %d nodes", MAX_TREE_NODES);
        else
            grow_node(g, &map->pairs[i], above);
    }
}

void read_tree(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret)
{
    struct growing g = {.r = r, .at = &pair->key};
    grow(&g, &pair->value, "");
    *(struct tree *)ret = (struct tree){.name = name, .nodes = g.nodes.at, .count = g.nodes.count};
}

/* ---- tables --------------------------------------------------------------------------------- */

#define MAX_AXES 3
#define MAX_CELLS 10000
#define CELL_UNSET (-2)

struct table {
    struct reading *r;
    const struct yaml *from, *gives, *rows;
    const char *name;
    const char *inputs[MAX_AXES + 1];
    const char *const *axes[MAX_AXES + 1];
    int lengths[MAX_AXES];
    int axis_count;
    const struct choice *levels;
    int16_t *cells;
    int cell_count;
};

static const struct key table_keys[] = {
    {"from", key_node, offsetof(struct table, from), true},
    {"gives", key_node, offsetof(struct table, gives), true},
    {"rows", key_node, offsetof(struct table, rows), true},
    {0},
};

static void read_axis(struct table *t, const struct yaml_pair *pair)
{
    const struct items items = read_items(t->r, &pair->value);
    const char **names = arena_array(t->r->arena, (size_t)items.count + 1, sizeof(*names));
    int n = 0;
    for (int i = 0; i < items.count; i++) {
        names[n] = read_name(t->r, &items.at[i]);
        if (names[n])
            n++;
    }
    t->inputs[t->axis_count] = read_name(t->r, &pair->key);
    t->axes[t->axis_count] = names;
    t->lengths[t->axis_count++] = n;
    t->cell_count *= n;
}

static bool read_axes(struct table *t)
{
    if (!t->from || !is_map(t->r, t->from, "from"))
        return false;
    if (t->from->count < 1 || t->from->count > MAX_AXES) {
        find_error(t->r, t->from, "wrong-shape", "a table has 1 to %d inputs", MAX_AXES);
        return false;
    }
    t->cell_count = 1;
    for (int i = 0; i < t->from->count; i++)
        read_axis(t, &t->from->pairs[i]);
    if (t->cell_count < 1 || t->cell_count > MAX_CELLS) {
        find_error(t->r, t->from, "too-many", "a table has 1 to %d cells", MAX_CELLS);
        return false;
    }
    return true;
}

static int name_index(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static int count_choices(const struct choice *choices)
{
    int n = 0;
    while (choices[n].name)
        n++;
    return n;
}

static void fill_cell(struct table *t, const struct yaml *node, int cell)
{
    const int count = count_choices(t->levels);
    if (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0) {
        t->cells[cell] = -1;
        return;
    }
    const struct choice *level =
        read_known(t->r, node, "level", t->levels, count, sizeof(*t->levels));
    t->cells[cell] = level ? (int16_t)(level - t->levels) : -1;
}

static void fill(struct table *t, const struct yaml *node, int axis, int cell);

static void fill_list(struct table *t, const struct yaml *node, int axis, int cell)
{
    if (node->count != t->lengths[axis])
        find_error(t->r, node, "wrong-shape",
                   "%d values are expected here, one for each %s, "
                   "not %d",
                   t->lengths[axis], t->inputs[axis], node->count);
    for (int i = 0; i < node->count && i < t->lengths[axis]; i++)
        fill(t, &node->items[i], axis + 1, cell * t->lengths[axis] + i);
}

static void fill_map(struct table *t, const struct yaml *node, int axis, int cell)
{
    for (int i = 0; i < node->count; i++) {
        const struct yaml *key = &node->pairs[i].key;
        const int at = name_index(t->axes[axis], key->text);
        if (at < 0)
            find_error(t->r, key, "unknown-word", "there is no %s '%s' in this table%s",
                       t->inputs[axis], key->text, hint(t->r, key->text, t->axes[axis]));
        else
            fill(t, &node->pairs[i].value, axis + 1, cell * t->lengths[axis] + at);
    }
}

/* cell: the row-major index of what was chosen on the axes before. */
static void fill(struct table *t, const struct yaml *node, int axis, int cell)
{
    if (axis == t->axis_count)
        fill_cell(t, node, cell);
    else if (node->kind == YAML_LIST)
        fill_list(t, node, axis, cell);
    else if (is_map(t->r, node, "rows"))
        fill_map(t, node, axis, cell);
}

static const char *cell_name(const struct table *t, int cell)
{
    const char *name = "";
    for (int i = t->axis_count; i-- > 0; cell /= t->lengths[i])
        name = arena_printf(t->r->arena, "%s%s%s", t->axes[i][cell % t->lengths[i]],
                            *name ? ", " : "", name);
    return name;
}

static void check_cells(struct table *t)
{
    bool *is_given = arena_array(t->r->arena, (size_t)count_choices(t->levels) + 1, 1);
    for (int i = 0; i < t->cell_count; i++) {
        if (t->cells[i] == CELL_UNSET)
            find_error(t->r, t->rows, "missing-cell",
                       "table '%s' says nothing for %s; write none "
                       "if that is meant",
                       t->name, cell_name(t, i));
        if (t->cells[i] >= 0)
            is_given[t->cells[i]] = true;
        else
            t->cells[i] = -1;
    }
    for (int i = 0; t->levels[i].name; i++) {
        if (!is_given[i] && !t->levels[i].is_retired)
            find_warning(t->r, t->gives, "unreachable-level", "table '%s' never gives '%s'",
                         t->name, t->levels[i].name);
    }
}

void read_table(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret)
{
    struct table t = {.r = r, .name = name};
    read_keys(r, &pair->value, &pair->key, "table", table_keys, &t);
    static const struct choice no_levels[] = {{0}};
    t.levels = t.gives ? read_choices(r, t.gives, "level") : no_levels;
    const bool is_whole = read_axes(&t) && t.rows && t.levels[0].name;
    if (is_whole) {
        t.cells = arena_array(r->arena, (size_t)t.cell_count, sizeof(*t.cells));
        for (int i = 0; i < t.cell_count; i++)
            t.cells[i] = CELL_UNSET;
        fill(&t, t.rows, 0, 0);
        check_cells(&t);
    }
    *(struct matrix *)ret = (struct matrix){
        .name = name,
        .from = arena_copy(r->arena, t.inputs, sizeof(t.inputs)),
        .axes = arena_copy(r->arena, t.axes, sizeof(t.axes)),
        .levels = t.levels,
        .cells = t.cells,
        .cell_count = is_whole ? t.cell_count : 0,
    };
}
