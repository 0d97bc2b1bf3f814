/* Evaluation over a record's values. Recursion is as deep as the tree, which the parser bounds. */
#include "lang/expr_node.h"

#include <string.h>

#include "base/str.h"
#include "lang/words.h"

struct eval {
    const struct expr *e;
    const struct expr_env *env;
    struct word_texts texts;
};

static struct val value(struct eval *ev, const struct node *n);
static bool holds(struct eval *ev, const struct node *n);

bool calculate(enum node_kind kind, int64_t a, int64_t b, int64_t *ret)
{
    switch (kind) {
    case NODE_ADD:
        return !__builtin_add_overflow(a, b, ret);
    case NODE_SUB:
        return !__builtin_sub_overflow(a, b, ret);
    case NODE_MUL:
        return !__builtin_mul_overflow(a, b, ret);
    default:
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        *ret = a / b;
        return true;
    }
}

static int64_t day_of(int64_t instant)
{
    return instant / US_PER_DAY - (instant % US_PER_DAY < 0);
}

/* ---- values --------------------------------------------------------------------------------- */

static struct val field_value(struct eval *ev, const struct node *n)
{
    return n->like->slot < 0 ? val_null() : ev->env->slots[n->like->slot];
}

typedef struct val (*value_fn)(struct eval *ev, const struct node *n);

static struct val branch(struct eval *ev, const struct node *n, value_fn of)
{
    if (n->kind == NODE_IF)
        return of(ev, n->kids[holds(ev, n->kids[0]) ? 1 : 2]);
    for (int i = 0; i < n->count; i++) {
        const struct val v = of(ev, n->kids[i]);
        if (!val_is_null(v))
            return v;
    }
    return val_null();
}

/* A value that something is calculated from, within the bounds it is said to have. */
static struct val operand(struct eval *ev, const struct node *n)
{
    if (n->kind == NODE_IF || n->kind == NODE_COALESCE)
        return branch(ev, n, operand);
    const struct val v = value(ev, n);
    if (node_is_guarded(n) && v.kind == VAL_INT && (v.i < n->lo || v.i > n->hi))
        return val_null();
    return v;
}

static struct val calculated(struct eval *ev, const struct node *n)
{
    const struct val a = operand(ev, n->kids[0]);
    const struct val b = operand(ev, n->kids[1]);
    int64_t result;
    if (a.kind != VAL_INT || b.kind != VAL_INT || !calculate(n->kind, a.i, b.i, &result))
        return val_null();
    return val_int(result);
}

static struct val day(struct eval *ev, const struct node *n)
{
    const struct val v = operand(ev, n->kids[0]);
    return v.kind == VAL_INT ? val_int(day_of(v.i)) : val_null();
}

static struct val named(struct eval *ev, const struct node *n)
{
    const struct expr_env *env = ev->env;
    const int64_t id = env->id_of ? env->id_of(env->arg, n->like->type, n->text) : 0;
    return id ? val_int(id) : val_null();
}

/* Ids without those that are missing, each once; nothing at all is missing. */
static struct val set_of(struct eval *ev, const struct node *n)
{
    struct val *items = arena_array(ev->env->arena, (size_t)n->count, sizeof(*items));
    int count = 0;
    for (int i = 0; i < n->count; i++) {
        const struct val v = value(ev, n->kids[i]);
        bool is_new = v.kind == VAL_INT;
        for (int k = 0; k < count && is_new; k++)
            is_new = items[k].i != v.i;
        if (is_new)
            items[count++] = v;
    }
    if (count == 0)
        return val_null();
    return (struct val){.kind = VAL_LIST, .count = count, .items = items};
}

static struct val value(struct eval *ev, const struct node *n)
{
    switch (n->kind) {
    case NODE_CONST:
        return n->val;
    case NODE_FIELD:
        return field_value(ev, n);
    case NODE_NAMED:
        return named(ev, n);
    case NODE_NOW:
        return val_int(ev->env->now);
    case NODE_TODAY:
        return val_int(day_of(ev->env->now));
    case NODE_ME:
        return ev->env->me ? val_int(ev->env->me) : val_null();
    case NODE_ADD:
    case NODE_SUB:
    case NODE_MUL:
    case NODE_DIV:
        return calculated(ev, n);
    case NODE_DAY:
        return day(ev, n);
    case NODE_IF:
    case NODE_COALESCE:
        return branch(ev, n, value);
    case NODE_SET:
        return set_of(ev, n);
    default:
        return node_is_condition(n) ? val_flag(holds(ev, n)) : val_null();
    }
}

/* ---- conditions ----------------------------------------------------------------------------- */

static bool contains_id(struct val list, struct val id)
{
    for (int i = 0; i < list.count; i++) {
        if (val_equal(list.items[i], id))
            return true;
    }
    return false;
}

/* Where the left holds several ids it equals each of them. */
static bool equal(struct val a, struct val b)
{
    if (val_is_null(a) || val_is_null(b))
        return false;
    if (a.kind == VAL_LIST && b.kind != VAL_LIST)
        return contains_id(a, b);
    return val_equal(a, b);
}

static bool is_my_group(const struct expr_env *env, struct val group)
{
    for (int i = 0; i < env->my_group_count; i++) {
        if (equal(group, val_int(env->my_groups[i])))
            return true;
    }
    return false;
}

static bool is_among(struct eval *ev, const struct node *n)
{
    const struct val v = value(ev, n->kids[0]);
    for (int i = 1; i < n->count; i++) {
        const struct node *item = n->kids[i];
        if (item->kind == NODE_MY_GROUPS ? is_my_group(ev->env, v) : equal(v, value(ev, item)))
            return true;
    }
    return false;
}

/* A choice by its place in the list, everything else that has an order is an integer. */
static struct val ordinal(const struct node *n, struct val v)
{
    if (v.kind != VAL_TEXT)
        return v;
    const int rank = choice_rank(n->like, v.text);
    return rank ? val_int(rank) : val_null();
}

/* Whether a compares with b as the node says. */
static bool compares(struct eval *ev, enum node_kind kind, const struct node *a,
                     const struct node *b)
{
    const struct val x = ordinal(a, value(ev, a));
    const struct val y = ordinal(b, value(ev, b));
    if (x.kind != VAL_INT || y.kind != VAL_INT)
        return false;
    switch (kind) {
    case NODE_LT:
        return x.i < y.i;
    case NODE_LE:
        return x.i <= y.i;
    case NODE_GT:
        return x.i > y.i;
    default:
        return x.i >= y.i;
    }
}

static bool is_empty(struct val v)
{
    return val_is_null(v) || (v.kind == VAL_TEXT && !*v.text) ||
           (v.kind == VAL_LIST && v.count == 0);
}

/* The number is ASCII and has no folded copy. */
static bool matches(struct eval *ev, const struct node *n)
{
    const struct val v = value(ev, n->kids[0]);
    if (v.kind != VAL_TEXT)
        return false;
    const bool is_number = n->kids[0]->like->slot == FIELD_NUMBER;
    const char *text =
        is_number ? str_lower_ascii(ev->env->arena, v.text) : words_fold(ev->env->arena, v.text);
    return n->kind == NODE_CONTAINS ? strstr(text, n->folded) != NULL : str_starts(text, n->folded);
}

static bool is_under(struct eval *ev, const struct node *n)
{
    const struct val v = value(ev, n->kids[0]);
    const size_t len = strlen(n->text);
    return v.kind == VAL_TEXT && str_starts(v.text, n->text) &&
           (v.text[len] == '\0' || v.text[len] == '/');
}

static bool all_hold(struct eval *ev, const struct node *n)
{
    for (int i = 0; i < n->count; i++) {
        if (!holds(ev, n->kids[i]))
            return false;
    }
    return true;
}

static bool any_holds(struct eval *ev, const struct node *n)
{
    for (int i = 0; i < n->count; i++) {
        if (holds(ev, n->kids[i]))
            return true;
    }
    return false;
}

static bool holds(struct eval *ev, const struct node *n)
{
    switch (n->kind) {
    case NODE_TRUE:
        return true;
    case NODE_AND:
        return all_hold(ev, n);
    case NODE_OR:
        return any_holds(ev, n);
    case NODE_NOT:
        return !holds(ev, n->kids[0]);
    case NODE_EQ:
        return equal(value(ev, n->kids[0]), value(ev, n->kids[1]));
    case NODE_LT:
    case NODE_LE:
    case NODE_GT:
    case NODE_GE:
        return compares(ev, n->kind, n->kids[0], n->kids[1]);
    case NODE_BETWEEN:
        return compares(ev, NODE_GE, n->kids[0], n->kids[1]) &&
               compares(ev, NODE_LE, n->kids[0], n->kids[2]);
    case NODE_IN:
        return is_among(ev, n);
    case NODE_EMPTY:
        return is_empty(value(ev, n->kids[0]));
    case NODE_CONTAINS:
    case NODE_STARTS:
        return matches(ev, n);
    case NODE_UNDER:
        return is_under(ev, n);
    case NODE_WORDS:
        return words_hold(ev->e, n->words, ev->env, &ev->texts);
    default: {
        const struct val v = value(ev, n);
        return v.kind == VAL_FLAG && v.flag;
    }
    }
}

bool node_holds(const struct expr *e, const struct node *n, const struct expr_env *env)
{
    struct eval ev = {.e = e, .env = env};
    return holds(&ev, n);
}

struct val node_value(const struct expr *e, const struct node *n, const struct expr_env *env)
{
    struct eval ev = {.e = e, .env = env};
    return value(&ev, n);
}
