/* Values as SQL: columns, parameters, calculations. */
#include "lang/expr_sql.h"

#include "base/ctx.h"
#include "base/str.h"

enum { ENGINE_POSTGRES = 1 }; /* of enum db_engine */

bool is_postgres(const struct out *o)
{
    return o->sql->engine == ENGINE_POSTGRES;
}

static struct sql_param *add_param(struct out *o)
{
    struct sql_param *p = list_add(o->cx->arena, &o->sql->params, sizeof(*p));
    p->name = arena_printf(o->cx->arena, "p%d", o->sql->params.count);
    return p;
}

const char *add_int(struct out *o, int64_t i)
{
    struct sql_param *p = add_param(o);
    p->i = i;
    return p->name;
}

const char *add_text(struct out *o, const char *text)
{
    struct sql_param *p = add_param(o);
    p->is_text = true;
    p->text = text;
    return p->name;
}

/* With its type, because PostgreSQL would guess one from what stands beside it. */
void write_int(struct out *o, int64_t i)
{
    buf_printf(o->b, "CAST(:%s AS BIGINT)", add_int(o, i));
}

/* SQLite would not look into an index on a JSON member for anything that has a type. */
void write_text_param(struct out *o, const char *name)
{
    buf_printf(o->b, is_postgres(o) ? "CAST(:%s AS TEXT)" : ":%s", name);
}

void write_text(struct out *o, const char *text)
{
    write_text_param(o, add_text(o, text));
}

/* A name of the definitions as a literal. */
void write_literal(struct out *o, const char *s)
{
    buf_putc(o->b, '\'');
    for (; *s; s++)
        buf_printf(o->b, *s == '\'' ? "''" : "%c", *s);
    buf_putc(o->b, '\'');
}

/* A member of a JSON column: (r.fields ->> 'name') */
void write_member(struct out *o, const char *column, const char *arrow, const char *name)
{
    buf_printf(o->b, "(%s.%s %s ", o->sql->record, column, arrow);
    write_literal(o, name);
    buf_putc(o->b, ')');
}

bool is_of(const struct node *n, enum field_type type)
{
    return n->like && n->like->type == type;
}

static bool is_text_type(enum field_type type)
{
    return type == TYPE_TEXT || type == TYPE_LONG_TEXT || type == TYPE_CHOICE || type == TYPE_TREE;
}

void write_missing(struct out *o, bool is_text)
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
bool is_ranked(const struct field *f)
{
    return f->slot == FIELD_PRIORITY || f->slot == FIELD_STATUS;
}

static int64_t ranked_column(const struct field *f, int rank)
{
    return f->slot == FIELD_STATUS ? rank - 1 : rank;
}

bool is_hidden(const struct out *o, const struct field *f)
{
    return f->is_internal && !o->sql->may_see_internal;
}

void write_column(struct out *o, const struct field *f)
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

void write_field(struct out *o, const struct field *f, enum form form)
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
    buf_printf(o->b, "(SELECT id FROM %s WHERE %s = ", names[type].table, names[type].column);
    write_text_param(o, param);
    buf_putc(o->b, ')');
    if (type == TYPE_LINK) {
        buf_puts(o->b, ", (SELECT record_id FROM record_alias WHERE number = ");
        write_text_param(o, param);
        buf_puts(o->b, "))");
    }
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
void write_operand(struct out *o, const struct node *n, enum form form)
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
void write_value(struct out *o, const struct node *n, enum form form)
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
