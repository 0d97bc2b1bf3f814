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
#include "lang/expr_sql.h"

#include "base/ctx.h"

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

void write_condition(struct out *o, const struct node *n)
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
    else if (e->root->kind == NODE_AND)
        write_condition(&o, e->root);
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
    const char *table = shown[f->type].table;
    if (f->slot == FIELD_NUMBER) /* numbers were given in this order */
        buf_printf(o.b, "%s.id", sql->record);
    else if (f->slot == FIELD_PRIORITY) /* as it is indexed; none comes last */
        buf_printf(o.b, "coalesce(%s.priority, 99)", sql->record);
    else if (is_hidden(&o, f))
        write_missing(&o, is_folded || table || f->type == TYPE_TREE);
    else if (is_folded)
        write_member(&o, "folds", "->>", f->name);
    else if (table) {
        buf_printf(o.b, "(SELECT x.%s FROM %s x WHERE x.id = ", shown[f->type].column, table);
        write_column(&o, f);
        buf_putc(o.b, ')');
    } else
        write_field(&o, f, f->slot == FIELD_STATUS ? AS_COLUMN : AS_RANK);
}
