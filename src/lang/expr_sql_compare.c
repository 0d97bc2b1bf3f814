/* Comparisons as SQL. */
#include "lang/expr_sql.h"

#include <string.h>

#include "base/ctx.h"
#include "base/str.h"

static const char *symbol_of(enum node_kind kind)
{
    switch (kind) {
    case NODE_LT:
        return " < ";
    case NODE_LE:
        return " <= ";
    case NODE_GT:
        return " > ";
    case NODE_GE:
        return " >= ";
    default:
        return " = ";
    }
}

static void write_false(struct out *o)
{
    buf_puts(o->b, "1 = 0");
}

static bool is_same_column(const struct node *a, const struct node *b)
{
    const bool is_plain = b->kind == NODE_FIELD || b->kind == NODE_CONST;
    return is_plain && b->like->slot == a->like->slot;
}

/* The form in which all sides of a comparison are written. */
static enum form form_of(const struct node *n)
{
    const struct node *left = n->kids[0];
    if (!is_of(left, TYPE_CHOICE))
        return AS_COLUMN;

    bool is_column = left->kind == NODE_FIELD && is_ranked(left->like);
    for (int i = 1; i < n->count && is_column; i++)
        is_column = is_same_column(left, n->kids[i]);
    if (is_column)
        return AS_COLUMN;
    return n->kind == NODE_EQ || n->kind == NODE_IN ? AS_TEXT : AS_RANK;
}

/* The groups of who asks, the same parameters wherever they are needed. There are as many as the
 * next power of two, the last repeated, so that statements of different people are the same. */
static void write_my_groups(struct out *o)
{
    const int count = o->sql->my_group_count;
    int room = 1;
    while (room < count)
        room *= 2;
    if (room > MOST_GROUP_PARAMS) {
        for (int i = 0; i < count; i++)
            buf_printf(o->b, "%s%lld", i ? ", " : "", (long long)o->sql->my_groups[i]);
        return;
    }

    for (int i = 0; i < room; i++) {
        if (!o->groups[i])
            o->groups[i] = add_int(o, o->sql->my_groups[i < count ? i : count - 1]);
        buf_printf(o->b, "%sCAST(:%s AS BIGINT)", i ? ", " : "", o->groups[i]);
    }
}

static void write_items(struct out *o, const struct node *n, enum form form)
{
    int count = 0;
    for (int i = 1; i < n->count; i++) {
        const bool is_mine = n->kids[i]->kind == NODE_MY_GROUPS;
        if (is_mine && o->sql->my_group_count == 0)
            continue;
        if (count++ > 0)
            buf_puts(o->b, ", ");
        if (is_mine)
            write_my_groups(o);
        else
            write_value(o, n->kids[i], form);
    }
}

static bool needs_record(const struct node *n)
{
    for (int i = 1; i < n->count; i++) {
        const struct node *item = n->kids[i];
        if (!item->is_fixed && item->kind != NODE_NAMED)
            return true;
    }
    return false;
}

/* Who watches is asked from the side of the people, unless the record itself says who. */
static void write_watched_by(struct out *o, const struct node *n)
{
    const bool is_per_record = needs_record(n);
    buf_printf(
        o->b,
        is_per_record
            ? "EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = %s.id AND w.person_id IN ("
            : "%s.id IN (SELECT w.record_id FROM watcher w WHERE w.person_id IN (",
        o->sql->record);
    write_items(o, n, AS_COLUMN);
    buf_puts(o->b, "))");
}

static void write_linked_to(struct out *o, const struct node *n)
{
    const char *name = n->kids[0]->like->name;
    if (!is_postgres(o)) {
        buf_printf(o->b, "EXISTS (SELECT 1 FROM json_each(%s.fields, ", o->sql->record);
        write_literal(o, arena_printf(o->cx->arena, "$.\"%s\"", name));
        buf_puts(o->b, ") j WHERE j.value IN (");
        write_items(o, n, AS_COLUMN);
        buf_puts(o->b, "))");
        return;
    }
    for (int i = 1; i < n->count; i++) {
        buf_puts(o->b, i == 1 ? "(" : " OR ");
        write_member(o, "fields", "->", name);
        buf_puts(o->b, " @> to_jsonb(");
        write_value(o, n->kids[i], AS_COLUMN);
        buf_putc(o->b, ')');
    }
    buf_putc(o->b, ')');
}

/* = or IN over the ids of one field. */
static void write_any_of(struct out *o, const struct node *n)
{
    const struct field *f = n->kids[0]->like;
    if (is_hidden(o, f))
        write_false(o);
    else if (f->slot == FIELD_WATCHERS)
        write_watched_by(o, n);
    else
        write_linked_to(o, n);
}

/* Choices kept by name compare by their places, which no index knows; but which names are meant can
 * be said: impact <= moderate is impact IN ('extensive', 'significant', 'moderate'). */
static bool write_ordered_names(struct out *o, const struct node *n)
{
    const struct node *left = n->kids[0];
    if (left->kind != NODE_FIELD || !is_of(left, TYPE_CHOICE) || is_ranked(left->like) ||
        is_hidden(o, left->like))
        return false;
    for (int i = 1; i < n->count; i++) {
        if (n->kids[i]->kind != NODE_CONST)
            return false;
    }

    const struct field *f = left->like;
    const int a = choice_rank(f, n->kids[1]->val.text);
    const int b = n->count > 2 ? choice_rank(f, n->kids[2]->val.text) : 0;
    int count = 0;
    for (int rank = 1; f->choices[rank - 1].name; rank++) {
        const bool is_meant = n->kind == NODE_BETWEEN ? rank >= a && rank <= b
                              : n->kind == NODE_LT    ? rank < a
                              : n->kind == NODE_LE    ? rank <= a
                              : n->kind == NODE_GT    ? rank > a
                                                      : rank >= a;
        if (!is_meant)
            continue;
        if (count == 0)
            write_column(o, f);
        buf_puts(o->b, count++ == 0 ? " IN (" : ", ");
        write_literal(o, f->choices[rank - 1].name);
    }
    if (count > 0)
        buf_putc(o->b, ')');
    else
        write_false(o);
    return true;
}

static enum node_kind flipped(enum node_kind kind)
{
    switch (kind) {
    case NODE_LT:
        return NODE_GT;
    case NODE_LE:
        return NODE_GE;
    case NODE_GT:
        return NODE_LT;
    case NODE_GE:
        return NODE_LE;
    default:
        return kind;
    }
}

/* An instant's day against days known now is the instant against midnights, which an index on the
 * instant serves. */
static bool write_day_range(struct out *o, const struct node *n)
{
    const bool is_flipped = n->kids[0]->is_fixed && n->count == 2;
    const struct node *day = n->kids[is_flipped ? 1 : 0];
    const struct node *first = n->kids[is_flipped ? 0 : 1];
    const struct node *last = n->kids[n->count - 1];
    const enum node_kind kind = is_flipped ? flipped(n->kind) : n->kind;
    if (is_flipped)
        last = first;
    if (day->kind != NODE_DAY || !first->is_fixed || !last->is_fixed)
        return false;

    const struct val from = node_value(o->e, first, &o->env);
    const struct val to = node_value(o->e, last, &o->env);
    if (from.kind != VAL_INT || to.kind != VAL_INT) {
        write_false(o);
        return true;
    }
    const struct node *instant = day->kids[0];
    if (kind == NODE_EQ || kind == NODE_BETWEEN) {
        write_operand(o, instant, AS_COLUMN);
        buf_puts(o->b, " BETWEEN ");
        write_int(o, from.i * US_PER_DAY);
        buf_puts(o->b, " AND ");
        write_int(o, (to.i + 1) * US_PER_DAY - 1);
        return true;
    }
    const bool is_after = kind == NODE_LE || kind == NODE_GT; /* counts from the next midnight */
    write_operand(o, instant, AS_COLUMN);
    buf_puts(o->b, kind == NODE_LT || kind == NODE_LE ? " < " : " >= ");
    write_int(o, (from.i + is_after) * US_PER_DAY);
    return true;
}

static bool is_process_name(const struct node *n)
{
    if (n->kids[0]->kind != NODE_FIELD || n->kids[0]->like->slot != FIELD_PROCESS)
        return false;
    for (int i = 1; i < n->count; i++) {
        if (!n->kids[i]->is_fixed)
            return false;
    }
    return true;
}

static void write_process(struct out *o, const struct node *n)
{
    buf_printf(o->b, "%s.process_id IN (SELECT id FROM process WHERE name IN (", o->sql->record);
    write_items(o, n, AS_COLUMN);
    buf_puts(o->b, "))");
}

void write_comparison(struct out *o, const struct node *n)
{
    const bool is_order = n->kind != NODE_EQ;
    if (node_is_several(n->kids[0])) {
        write_any_of(o, n);
        return;
    }
    if (!is_order && is_process_name(n)) {
        write_process(o, n);
        return;
    }
    if (write_day_range(o, n) || (is_order && write_ordered_names(o, n)))
        return;

    const enum form form = form_of(n);
    write_value(o, n->kids[0], form);
    buf_puts(o->b, n->kind == NODE_BETWEEN ? " BETWEEN " : symbol_of(n->kind));
    write_value(o, n->kids[1], form);
    if (n->kind == NODE_BETWEEN) {
        buf_puts(o->b, " AND ");
        write_value(o, n->kids[2], form);
    }
}

void write_in(struct out *o, const struct node *n)
{
    if (node_is_several(n->kids[0])) {
        write_any_of(o, n);
        return;
    }
    if (is_process_name(n)) {
        write_process(o, n);
        return;
    }
    bool has_items = o->sql->my_group_count > 0;
    for (int i = 1; i < n->count; i++)
        has_items |= n->kids[i]->kind != NODE_MY_GROUPS;
    if (!has_items) {
        write_false(o);
        return;
    }
    const enum form form = form_of(n);
    write_value(o, n->kids[0], form);
    buf_puts(o->b, " IN (");
    write_items(o, n, form);
    buf_putc(o->b, ')');
}

void write_empty(struct out *o, const struct node *n, bool is_not)
{
    const struct node *a = n->kids[0];
    const char *r = o->sql->record;
    if (is_of(a, TYPE_PEOPLE)) {
        buf_printf(o->b, "%sEXISTS (SELECT 1 FROM watcher w WHERE w.record_id = %s.id)",
                   is_not ? "" : "NOT ", r);
        return;
    }
    if (is_of(a, TYPE_LINKS) && !is_hidden(o, a->like)) {
        buf_puts(o->b, "COALESCE(");
        write_member(o, "fields", "->>", a->like->name);
        buf_printf(o->b, ", '[]') %s '[]'", is_not ? "<>" : "=");
        return;
    }
    if (is_of(a, TYPE_TEXT) || is_of(a, TYPE_LONG_TEXT)) {
        buf_puts(o->b, "COALESCE(");
        write_value(o, a, AS_COLUMN);
        buf_printf(o->b, ", '') %s ''", is_not ? "<>" : "=");
        return;
    }
    write_value(o, a, a->kind == NODE_FIELD ? AS_COLUMN : AS_TEXT);
    buf_puts(o->b, is_not ? " IS NOT NULL" : " IS NULL");
}

void write_match(struct out *o, const struct node *n)
{
    const struct field *f = n->kids[0]->like;
    buf_puts(o->b, is_postgres(o) ? "strpos(" : "instr(");
    if (is_hidden(o, f))
        write_missing(o, true);
    else if (f->slot == FIELD_NUMBER)
        buf_printf(o->b, "lower(%s.number)", o->sql->record);
    else
        write_member(o, "folds", "->>", f->name);
    buf_puts(o->b, ", ");
    write_text(o, n->folded);
    buf_puts(o->b, n->kind == NODE_CONTAINS ? ") > 0" : ") = 1");
}

/* A path and what is below it, as a range: '0' follows '/'. */
void write_under(struct out *o, const struct node *n)
{
    const struct node *a = n->kids[0];
    buf_putc(o->b, '(');
    write_value(o, a, AS_TEXT);
    buf_puts(o->b, " = ");
    write_text(o, n->text);
    buf_puts(o->b, " OR (");
    write_value(o, a, AS_TEXT);
    buf_puts(o->b, " >= ");
    write_text(o, arena_printf(o->cx->arena, "%s/", n->text));
    buf_puts(o->b, " AND ");
    write_value(o, a, AS_TEXT);
    buf_puts(o->b, " < ");
    write_text(o, arena_printf(o->cx->arena, "%s0", n->text));
    buf_puts(o->b, "))");
}
