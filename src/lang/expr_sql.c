/* Translation to SQL. What an expression means in memory (expr_eval.c) is the law; here it is said
 * in the dialect that both engines speak, in a form that their indexes can serve:
 *
 *   - what needs no record is worked out now and becomes a parameter: created > now - 2 days is
 *     r.created_at > :p1;
 *   - missing values are NULL, which makes a comparison neither true nor false. Under AND and OR
 *     that ends the same as false; under NOT it does not, so a negation is (...) IS NOT TRUE;
 *   - no operand is written twice where it could hold another expression, for nesting would double
 *     the text each time.
 *
 * The columns are those of the record table; what a process adds is in its JSON column `fields`,
 * texts folded for matching in `folds`.
 */
#include "lang/expr_node.h"

#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"

enum { ENGINE_POSTGRES = 1 }; /* of enum db_engine */

#define MOST_GROUP_PARAMS 32

/* How a choice is written: by name, by its place from 1, or as its own column has it. */
enum form { AS_TEXT, AS_RANK, AS_COLUMN };

struct out {
    struct ctx *cx;
    const struct expr *e; /* NULL: only a field is written */
    struct expr_sql *sql;
    struct buf *b;
    struct expr_env env;
    const char *groups[MOST_GROUP_PARAMS]; /* parameters of my groups, once they are needed */
};

static void write_value(struct out *o, const struct node *n, enum form form);
static void write_condition(struct out *o, const struct node *n);

/* ---- pieces --------------------------------------------------------------------------------- */

static bool is_postgres(const struct out *o)
{
    return o->sql->engine == ENGINE_POSTGRES;
}

static struct sql_param *add_param(struct out *o)
{
    struct sql_param *p = list_add(o->cx->arena, &o->sql->params, sizeof(*p));
    p->name = arena_printf(o->cx->arena, "p%d", o->sql->params.count);
    return p;
}

static const char *add_int(struct out *o, int64_t i)
{
    struct sql_param *p = add_param(o);
    p->i = i;
    return p->name;
}

static const char *add_text(struct out *o, const char *text)
{
    struct sql_param *p = add_param(o);
    p->is_text = true;
    p->text = text;
    return p->name;
}

/* With its type, because PostgreSQL would guess one from what stands beside it. */
static void write_int(struct out *o, int64_t i)
{
    buf_printf(o->b, "CAST(:%s AS BIGINT)", add_int(o, i));
}

static void write_text(struct out *o, const char *text)
{
    buf_printf(o->b, "CAST(:%s AS TEXT)", add_text(o, text));
}

/* A name of the definitions as a literal. */
static void write_literal(struct out *o, const char *s)
{
    buf_putc(o->b, '\'');
    for (; *s; s++)
        buf_printf(o->b, *s == '\'' ? "''" : "%c", *s);
    buf_putc(o->b, '\'');
}

/* A member of a JSON column: (r.fields ->> 'name') */
static void write_member(struct out *o, const char *column, const char *arrow, const char *name)
{
    buf_printf(o->b, "(%s.%s %s ", o->sql->record, column, arrow);
    write_literal(o, name);
    buf_putc(o->b, ')');
}

static bool is_of(const struct node *n, enum field_type type)
{
    return n->like && n->like->type == type;
}

static bool is_text_type(enum field_type type)
{
    return type == TYPE_TEXT || type == TYPE_LONG_TEXT || type == TYPE_CHOICE || type == TYPE_TREE;
}

static void write_missing(struct out *o, bool is_text)
{
    buf_puts(o->b, is_text ? "CAST(NULL AS TEXT)" : "CAST(NULL AS BIGINT)");
}

/* ---- fields --------------------------------------------------------------------------------- */

static const char *const columns[FIELD_BUILTINS] = {
    [FIELD_NUMBER] = "number",
    [FIELD_TITLE] = "title",
    [FIELD_DESCRIPTION] = "description",
    [FIELD_ORGANISATION] = "org_id",
    [FIELD_CALLER] = "caller_id",
    [FIELD_OPENED_BY] = "opened_by_id",
    [FIELD_ASSIGNEE] = "assignee_id",
    [FIELD_GROUP] = "group_id",
    [FIELD_PRIORITY] = "priority",
    [FIELD_STATE] = "state",
    [FIELD_STATUS] = "status",
    [FIELD_ACTIVE] = "active",
    [FIELD_PARENT] = "parent_id",
    [FIELD_OPEN_TASKS] = "open_tasks",
    [FIELD_OPEN_CHILDREN] = "open_children",
    [FIELD_REASSIGNMENTS] = "reassignments",
    [FIELD_REOPENS] = "reopens",
    [FIELD_CREATED] = "created_at",
    [FIELD_UPDATED] = "updated_at",
    [FIELD_RESOLVED] = "resolved_at",
    [FIELD_CLOSED] = "closed_at",
    [FIELD_ENTERED] = "entered_at",
};

static bool is_builtin(const struct field *f)
{
    return f->slot >= 0 && f->slot < FIELD_BUILTINS;
}

/* Choices whose column holds a number: a rank from 1, an enum status from 0. */
static bool is_ranked(const struct field *f)
{
    return f->slot == FIELD_PRIORITY || f->slot == FIELD_STATUS;
}

static int64_t ranked_column(const struct field *f, int rank)
{
    return f->slot == FIELD_STATUS ? rank - 1 : rank;
}

static bool is_hidden(const struct out *o, const struct field *f)
{
    return f->is_internal && !o->sql->may_see_internal;
}

static void write_column(struct out *o, const struct field *f)
{
    const char *r = o->sql->record;
    if (is_hidden(o, f))
        write_missing(o, is_text_type(f->type) && !is_ranked(f));
    else if (f->slot == FIELD_PROCESS)
        buf_printf(o->b, "(SELECT name FROM process WHERE id = %s.process_id)", r);
    else if (is_builtin(f))
        buf_printf(o->b, "%s.%s", r, columns[f->slot]);
    else if (is_text_type(f->type))
        write_member(o, "fields", "->>", f->name);
    else {
        buf_puts(o->b, "CAST(");
        write_member(o, "fields", "->>", f->name);
        buf_puts(o->b, " AS BIGINT)");
    }
}

/* WHEN 'high' THEN 2 ..., WHEN 2 THEN 'high' ..., for what stands behind CASE. */
static void write_cases(struct out *o, const struct field *f, bool from_column, bool to_text)
{
    for (int i = 0; f->choices && f->choices[i].name; i++) {
        buf_puts(o->b, " WHEN ");
        if (from_column && is_ranked(f))
            buf_int(o->b, ranked_column(f, i + 1));
        else
            write_literal(o, f->choices[i].name);
        buf_puts(o->b, " THEN ");
        if (to_text)
            write_literal(o, f->choices[i].name);
        else
            buf_int(o->b, i + 1);
    }
    buf_puts(o->b, " END");
}

static bool has_choices(const struct field *f)
{
    return f->choices && f->choices[0].name;
}

static void write_field(struct out *o, const struct field *f, enum form form)
{
    const bool is_own_form = form == AS_COLUMN || (form == AS_TEXT && !is_ranked(f));
    if (f->type != TYPE_CHOICE || is_own_form)
        write_column(o, f);
    else if (is_hidden(o, f) || !has_choices(f))
        write_missing(o, form == AS_TEXT);
    else {
        buf_puts(o->b, "CASE ");
        write_column(o, f);
        write_cases(o, f, true, form == AS_TEXT);
    }
}

/* ---- values --------------------------------------------------------------------------------- */

/* What needs no record, as a parameter. */
static void write_fixed(struct out *o, const struct node *n, enum form form)
{
    struct val v = node_value(o->e, n, &o->env);
    const bool is_rank = is_of(n, TYPE_CHOICE) && form != AS_TEXT;
    if (v.kind == VAL_TEXT && is_rank) {
        const int rank = choice_rank(n->like, v.text);
        v = val_int(form == AS_COLUMN ? ranked_column(n->like, rank) : rank);
    }

    if (v.kind == VAL_TEXT)
        write_text(o, v.text);
    else if (v.kind == VAL_INT)
        write_int(o, v.i);
    else if (v.kind == VAL_FLAG)
        write_int(o, v.flag);
    else
        write_missing(o, n->like && is_text_type(n->like->type) && !is_rank);
}

static const struct {
    const char *table, *column;
    bool is_folded;
} names[TYPE_COUNT] = {
    [TYPE_PERSON] = {"person", "login", true},
    [TYPE_GROUP] = {"team", "name_folded", true},
    [TYPE_ORGANISATION] = {"organisation", "name_folded", true},
    [TYPE_LINK] = {"record", "number", false},
};

static void write_named(struct out *o, const struct node *n)
{
    const enum field_type type = n->like->type;
    const char *name = names[type].is_folded ? n->folded : n->text;
    if (type == TYPE_LINK)
        buf_puts(o->b, "COALESCE(");
    const char *param = add_text(o, name);
    buf_printf(o->b, "(SELECT id FROM %s WHERE %s = CAST(:%s AS TEXT))", names[type].table,
               names[type].column, param);
    if (type == TYPE_LINK)
        buf_printf(o->b, ", (SELECT record_id FROM record_alias WHERE number = CAST(:%s AS TEXT)))",
                   param);
}

typedef void (*write_fn)(struct out *o, const struct node *n, enum form form);

static void write_branches(struct out *o, const struct node *n, enum form form, write_fn of)
{
    if (n->kind == NODE_COALESCE) {
        for (int i = 0; i < n->count; i++) {
            buf_puts(o->b, i == 0 ? "COALESCE(" : ", ");
            of(o, n->kids[i], form);
        }
        buf_putc(o->b, ')');
        return;
    }
    buf_puts(o->b, "CASE WHEN ");
    write_condition(o, n->kids[0]);
    buf_puts(o->b, " THEN ");
    of(o, n->kids[1], form);
    buf_puts(o->b, " ELSE ");
    of(o, n->kids[2], form);
    buf_puts(o->b, " END");
}

/* A value that something is calculated from, within the bounds it is said to have. */
static void write_operand(struct out *o, const struct node *n, enum form form)
{
    if (!n->is_fixed && (n->kind == NODE_IF || n->kind == NODE_COALESCE)) {
        write_branches(o, n, form, write_operand);
        return;
    }
    if (!node_is_guarded(n)) {
        write_value(o, n, form);
        return;
    }
    buf_puts(o->b, "CASE WHEN ");
    write_value(o, n, form);
    buf_printf(o->b, " BETWEEN %lld AND %lld THEN ", (long long)n->lo, (long long)n->hi);
    write_value(o, n, form);
    buf_puts(o->b, " END");
}

static void write_calculation(struct out *o, const struct node *n)
{
    static const char *const symbols[] = {
        [NODE_ADD] = " + ", [NODE_SUB] = " - ", [NODE_MUL] = " * ", [NODE_DIV] = " / NULLIF("};
    buf_putc(o->b, '(');
    write_operand(o, n->kids[0], AS_COLUMN);
    buf_puts(o->b, symbols[n->kind]);
    write_operand(o, n->kids[1], AS_COLUMN);
    buf_puts(o->b, n->kind == NODE_DIV ? ", 0))" : ")");
}

/* Both engines divide towards zero, so an instant is moved past it first by whole days. */
static void write_day(struct out *o, const struct node *n)
{
    const int64_t lo = n->kids[0]->lo;
    const int64_t shift = lo < 0 ? -lo / US_PER_DAY + 1 : 0;
    buf_puts(o->b, "((");
    write_operand(o, n->kids[0], AS_COLUMN);
    buf_printf(o->b, " + %lld) / %lld - %lld)", (long long)(shift * US_PER_DAY),
               (long long)US_PER_DAY, (long long)shift);
}

/* Within if() and coalesce() only names and ranks are common to different columns. */
static void write_value(struct out *o, const struct node *n, enum form form)
{
    if (n->is_fixed) {
        write_fixed(o, n, form);
        return;
    }
    switch (n->kind) {
    case NODE_FIELD:
        write_field(o, n->like, form);
        break;
    case NODE_NAMED:
        write_named(o, n);
        break;
    case NODE_ADD:
    case NODE_SUB:
    case NODE_MUL:
    case NODE_DIV:
        write_calculation(o, n);
        break;
    case NODE_DAY:
        write_day(o, n);
        break;
    case NODE_IF:
    case NODE_COALESCE:
        if (is_of(n, TYPE_CHOICE) && form != AS_TEXT) {
            /* A name that has left the list is a value all the same, without a place in it. */
            buf_puts(o->b, "CASE ");
            write_branches(o, n, AS_TEXT, write_value);
            write_cases(o, n->like, false, false);
            break;
        }
        write_branches(o, n, form, write_value);
        break;
    default:
        buf_puts(o->b, "CASE WHEN ");
        write_condition(o, n);
        buf_puts(o->b, " THEN 1 ELSE 0 END");
    }
}

/* ---- comparisons ---------------------------------------------------------------------------- */

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

static bool is_several(const struct node *n)
{
    return is_of(n, TYPE_LINKS) || is_of(n, TYPE_PEOPLE);
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

/* = or IN over the ids of one field. */
static void write_any_of(struct out *o, const struct node *n)
{
    const char *r = o->sql->record;
    const struct field *f = n->kids[0]->like;
    if (is_hidden(o, f)) {
        write_false(o);
        return;
    }
    if (f->slot != FIELD_WATCHERS && is_postgres(o)) {
        for (int i = 1; i < n->count; i++) {
            buf_puts(o->b, i == 1 ? "(" : " OR ");
            write_member(o, "fields", "->", f->name);
            buf_puts(o->b, " @> to_jsonb(");
            write_value(o, n->kids[i], AS_COLUMN);
            buf_putc(o->b, ')');
        }
        buf_putc(o->b, ')');
        return;
    }

    if (f->slot == FIELD_WATCHERS)
        buf_printf(o->b,
                   "EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = %s.id AND w.person_id IN (",
                   r);
    else {
        const char *path = arena_printf(o->cx->arena, "$.\"%s\"", f->name);
        buf_printf(o->b, "EXISTS (SELECT 1 FROM json_each(%s.fields, ", r);
        write_literal(o, path);
        buf_puts(o->b, ") j WHERE j.value IN (");
    }
    write_items(o, n, AS_COLUMN);
    buf_puts(o->b, "))");
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

static void write_comparison(struct out *o, const struct node *n)
{
    const bool is_order = n->kind != NODE_EQ;
    if (is_several(n->kids[0])) {
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

static void write_in(struct out *o, const struct node *n)
{
    if (is_several(n->kids[0])) {
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

static void write_empty(struct out *o, const struct node *n, bool is_not)
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

static void write_match(struct out *o, const struct node *n)
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
static void write_under(struct out *o, const struct node *n)
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

/* ---- free words ----------------------------------------------------------------------------- */

static void write_search(struct out *o, const struct node *n)
{
    bool is_not;
    const char *text =
        words_search(o->cx->arena, n, is_postgres(o), o->sql->may_see_internal, &is_not);
    buf_printf(o->b, "%s.id %sIN (SELECT %s FROM record_text WHERE ", o->sql->record,
               is_not ? "NOT " : "", is_postgres(o) ? "record_id" : "rowid");
    buf_printf(o->b, is_postgres(o) ? "words @@ CAST(:%s AS tsquery))" : "record_text MATCH :%s)",
               add_text(o, text));
}

/* ---- joining -------------------------------------------------------------------------------- */

/* So many side by side; more are halved, because SQLite bounds the depth of an expression and
 * counts each AND in a row as one level. */
#define MOST_IN_A_ROW 8

/* In brackets where an AND or OR beside it would tear it apart. */
static void write_bracketed(struct out *o, const struct node *n)
{
    const bool is_joined = n->kind == NODE_OR || n->kind == NODE_AND;
    if (is_joined)
        buf_putc(o->b, '(');
    write_condition(o, n);
    if (is_joined)
        buf_putc(o->b, ')');
}

static void write_chain(struct out *o, const struct node *const *all, int count, bool is_and)
{
    const char *joint = is_and ? " AND " : " OR ";
    if (count > MOST_IN_A_ROW) {
        buf_putc(o->b, '(');
        write_chain(o, all, count / 2, is_and);
        buf_printf(o->b, ")%s(", joint);
        write_chain(o, all + count / 2, count - count / 2, is_and);
        buf_putc(o->b, ')');
        return;
    }
    for (int i = 0; i < count; i++) {
        if (i > 0)
            buf_puts(o->b, joint);
        write_bracketed(o, all[i]);
    }
}

/* The free words among the kids of an AND or OR, as one search. */
static const struct node *words_among(struct arena *a, const struct node *n)
{
    struct node *words = arena_copy(a, n, sizeof(*n));
    const struct node **kids = arena_array(a, (size_t)n->count, sizeof(*kids));
    words->count = 0;
    words->kids = kids;
    for (int i = 0; i < n->count; i++) {
        if (n->kids[i]->is_words)
            kids[words->count++] = n->kids[i];
    }
    words->is_words = true;
    words->is_fixed = false;
    return words->count > 0 ? words : NULL;
}

static void write_joined(struct out *o, const struct node *n, const struct node *left_out)
{
    const struct node *words = words_among(o->cx->arena, n);
    const struct node **all = arena_array(o->cx->arena, (size_t)n->count + 1, sizeof(*all));
    int count = 0;
    for (int i = 0; i < n->count; i++) {
        if (!n->kids[i]->is_words)
            all[count++] = n->kids[i];
    }
    if (words && !left_out)
        all[count++] = words;
    write_chain(o, all, count, n->kind == NODE_AND);
}

/* Everything else is NULL where the comparison is about something missing. */
static void write_not(struct out *o, const struct node *n)
{
    const struct node *a = n->kids[0];
    if (a->kind == NODE_NOT) {
        write_bracketed(o, a->kids[0]);
        return;
    }
    if (a->kind == NODE_EMPTY) {
        write_empty(o, a, true);
        return;
    }
    buf_putc(o->b, '(');
    write_condition(o, a);
    buf_puts(o->b, ") IS NOT TRUE");
}

static void write_condition(struct out *o, const struct node *n)
{
    if (n->is_fixed) {
        buf_puts(o->b, node_holds(o->e, n, &o->env) ? "1 = 1" : "1 = 0");
        return;
    }
    if (n->is_words) {
        write_search(o, n);
        return;
    }
    switch (n->kind) {
    case NODE_AND:
    case NODE_OR:
        write_joined(o, n, NULL);
        break;
    case NODE_NOT:
        write_not(o, n);
        break;
    case NODE_IN:
        write_in(o, n);
        break;
    case NODE_EMPTY:
        write_empty(o, n, false);
        break;
    case NODE_CONTAINS:
    case NODE_STARTS:
        write_match(o, n);
        break;
    case NODE_UNDER:
        write_under(o, n);
        break;
    default:
        if (node_is_condition(n)) {
            write_comparison(o, n);
            break;
        }
        write_value(o, n, AS_COLUMN);
        buf_puts(o->b, " = 1");
    }
}

/* ---- the doors ------------------------------------------------------------------------------ */

static struct out begin(struct ctx *cx, const struct expr *e, struct expr_sql *sql)
{
    return (struct out){
        .cx = cx,
        .e = e,
        .sql = sql,
        .b = sql->out,
        .env = {.now = sql->now,
                .me = sql->me,
                .my_groups = sql->my_groups,
                .my_group_count = sql->my_group_count,
                .arena = cx->arena},
    };
}

/* The words that every result has, where they say more than what it must not have. */
static const struct node *required_words(struct out *o, const char **ret_text)
{
    const struct node *root = o->e->root;
    const struct node *words = root->is_words           ? root
                               : root->kind == NODE_AND ? words_among(o->cx->arena, root)
                                                        : NULL;
    bool is_not = true;
    if (words)
        *ret_text =
            words_search(o->cx->arena, words, is_postgres(o), o->sql->may_see_internal, &is_not);
    return is_not ? NULL : words;
}

void expr_to_sql(struct ctx *cx, const struct expr *e, struct expr_sql *sql)
{
    struct out o = begin(cx, e, sql);
    const char *text;
    const struct node *words = sql->words_are_joined ? required_words(&o, &text) : NULL;

    if (words && e->root->is_words)
        buf_puts(o.b, "1 = 1");
    else if (words)
        write_joined(&o, e->root, words);
    else
        write_bracketed(&o, e->root);
}

const char *expr_words_query(struct ctx *cx, const struct expr *e, struct expr_sql *sql)
{
    struct out o = begin(cx, e, sql);
    const char *text = NULL;
    return required_words(&o, &text) ? text : NULL;
}

/* What a person sees in place of an id. */
static const struct {
    const char *table, *column;
} shown[TYPE_COUNT] = {
    [TYPE_PERSON] = {"person", "name_folded"},
    [TYPE_GROUP] = {"team", "name_folded"},
    [TYPE_ORGANISATION] = {"organisation", "name_folded"},
};

void expr_order_sql(struct ctx *cx, const struct field *f, struct expr_sql *sql)
{
    struct out o = begin(cx, NULL, sql);
    const bool is_folded = f->type == TYPE_TEXT && f->slot != FIELD_PROCESS;
    if (f->slot == FIELD_NUMBER) /* numbers were given in this order */
        buf_printf(o.b, "%s.id", sql->record);
    else if (f->slot == FIELD_PRIORITY) /* as it is indexed; none comes last */
        buf_printf(o.b, "coalesce(%s.priority, 99)", sql->record);
    else if (is_hidden(&o, f))
        write_missing(&o, false);
    else if (is_folded)
        write_member(&o, "folds", "->>", f->name);
    else if (shown[f->type].table) {
        buf_printf(o.b, "(SELECT x.%s FROM %s x WHERE x.id = ", shown[f->type].column,
                   shown[f->type].table);
        write_column(&o, f);
        buf_putc(o.b, ')');
    } else
        write_field(&o, f, f->slot == FIELD_STATUS ? AS_COLUMN : AS_RANK);
}
