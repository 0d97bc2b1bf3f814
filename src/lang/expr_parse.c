/* The grammar, from the loosest binding to the tightest, one function a level:
 *
 *   or       and { "or" and }
 *   and      not { ["and"] not }              without "and" only in a query
 *   not      "not" not | "-" not | comparison | free words
 *   comparison   sum [ operator sum ]
 *   sum      product { "+" product | "-" product }
 *   product  unary { "*" unary | "/" unary }
 *   unary    "-" unary | value
 *
 * Names resolve while they are read, because what they may be depends on what they are compared
 * with: each level gets the field that its value should be like, or NULL.
 */
#include "lang/expr_parse.h"

#include "base/ctx.h"
#include "base/str.h"

enum rc expr_fault_at(struct parser *p, int at, int len, const char *fmt, ...)
{
    if (p->fault.text) /* the first is the cause of the others */
        return E_INVALID;

    va_list args;
    va_start(args, fmt);
    p->fault = (struct expr_fault){
        .at = at,
        .len = len,
        .text = arena_vprintf(p->arena, fmt, args),
    };
    va_end(args);
    return E_INVALID;
}

static const char *token_text(struct parser *p)
{
    return arena_strndup(p->arena, p->lex.text + p->lex.token.at, (size_t)p->lex.token.len);
}

enum rc unexpected(struct parser *p, const char *wanted)
{
    const struct token *t = &p->lex.token;
    if (t->kind == TOKEN_END)
        return expr_fault_at(p, t->at, 0, "%s is missing at the end", wanted);
    if (t->kind == TOKEN_BAD)
        return expr_fault_at(p, t->at, t->len, "%s", t->text);
    if (token_is(t, SYMBOL_FOREIGN) && t->text)
        return expr_fault_at(p, t->at, t->len, "there is no %s; write %s", token_text(p), t->text);
    return expr_fault_at(p, t->at, t->len, "%s is needed here, not %s", wanted, token_text(p));
}

enum rc expect(struct parser *p, int symbol, const char *wanted)
{
    if (!token_is(&p->lex.token, symbol))
        return unexpected(p, wanted);
    lex_next(&p->lex);
    return OK;
}

bool accept_word(struct parser *p, const char *keyword)
{
    if (!token_says(&p->lex.token, keyword))
        return false;
    lex_next(&p->lex);
    return true;
}

enum rc enter(struct parser *p)
{
    if (++p->depth > MOST_DEPTH)
        return expr_fault_at(p, p->lex.token.at, p->lex.token.len,
                             "this is nested deeper than %d levels", MOST_DEPTH);
    return OK;
}

/* ---- comparisons ---------------------------------------------------------------------------- */

/* field:value, field:<=value and field:(a, b), as search boxes have it. */
static const struct relation *read_colon(struct parser *p)
{
    static const struct relation equals = {.kind = NODE_EQ};
    static const struct relation among = {.kind = NODE_IN};
    lex_next(&p->lex);
    if (is_comparison_symbol(p->lex))
        return find_relation(&p->lex);
    return token_is(&p->lex.token, '(') ? &among : &equals;
}

static enum rc parse_list(struct parser *p, struct node *left, struct node **ret)
{
    struct list all = {0};
    struct node **added = list_add(p->arena, &all, sizeof(*added));
    *added = left;

    if (is_my_groups(p->lex)) {
        added = list_add(p->arena, &all, sizeof(*added));
        *added = parse_my_groups(p);
        return type_in(p, all.at, all.count, ret);
    }
    TRY(enter(p));
    TRY(expect(p, '(', "a list in brackets"));
    do {
        struct node *n;
        TRY(parse_operand(p, left->like, &n));
        added = list_add(p->arena, &all, sizeof(*added));
        *added = n;
    } while (token_is(&p->lex.token, ',') && (lex_next(&p->lex), true));
    p->depth--;
    TRY(expect(p, ')', "a comma or a closing bracket"));
    return type_in(p, all.at, all.count, ret);
}

static enum rc parse_between(struct parser *p, struct node *left, struct node **ret)
{
    struct node *three[3] = {left};
    TRY(parse_operand(p, left->like, &three[1]));
    if (!accept_word(p, "and"))
        return unexpected(p, "\"and\" and an upper bound");
    TRY(parse_operand(p, left->like, &three[2]));
    return type_between(p, three, ret);
}

static enum rc parse_match(struct parser *p, enum node_kind kind, struct node *left,
                           struct node **ret)
{
    struct node *right;
    const bool is_member = kind == NODE_CONTAINS && node_is_several(left);
    if (!is_member)
        TRY(type_matched(p, kind, left));
    TRY(parse_operand(p, left->like, &right));
    return is_member ? type_compare(p, NODE_EQ, left, right, ret)
                     : type_match(p, kind, left, right, ret);
}

static enum rc parse_right(struct parser *p, const struct relation *op, struct node *left,
                           struct node **ret)
{
    struct node *right;
    switch (op->kind) {
    case NODE_EMPTY:
        return type_empty(p, left, ret);
    case NODE_IN:
        return parse_list(p, left, ret);
    case NODE_BETWEEN:
        return parse_between(p, left, ret);
    case NODE_CONTAINS:
    case NODE_STARTS:
    case NODE_UNDER:
        return parse_match(p, op->kind, left, ret);
    default:
        TRY(parse_operand(p, left->like, &right));
        return type_compare(p, op->kind, left, right, ret);
    }
}

static enum rc refuse_chain(struct parser *p)
{
    const struct token *t = &p->lex.token;
    if (!is_comparison_symbol(p->lex) && !(token_is(t, ':') && !t->is_apart))
        return OK;
    return expr_fault_at(p, p->lex.token.at, p->lex.token.len,
                         "comparisons cannot be chained; join two with and");
}

static enum rc parse_comparison(struct parser *p, const struct field *like, struct node **ret)
{
    struct node *left;
    TRY(parse_sum(p, like, &left));
    *ret = left;

    const int at = p->lex.token.at;
    const struct relation *op = NULL;
    if (token_is(&p->lex.token, ':')) {
        if (!p->scope->is_query)
            return expr_fault_at(p, at, 1, "\":\" is for searches; write =");
        op = read_colon(p);
    } else if (!p->scope->is_query || !node_is_condition(left)) {
        op = find_relation(&p->lex);
    }
    if (!op)
        return refuse_chain(p);

    TRY(parse_right(p, op, left, ret));
    if (op->is_not)
        *ret = type_not(p, *ret);
    return refuse_chain(p);
}

/* ---- joining -------------------------------------------------------------------------------- */

static enum rc parse_words(struct parser *p, struct node **ret)
{
    const struct token *t = &p->lex.token;
    if (t->kind == TOKEN_END || token_is(t, ')'))
        return unexpected(p, "something to search for");
    if (is_comparison_symbol(p->lex))
        return expr_fault_at(p, t->at, t->len, "a comparison begins with a field");
    if (t->kind == TOKEN_BAD && p->lex.text[t->at] == '"')
        return unexpected(p, "");
    const bool is_exact = t->kind == TOKEN_STRING;
    if (!is_exact)
        lex_word(&p->lex);
    *ret = words_node(p, t->text, is_exact, t->at, t->len);
    lex_next(&p->lex);
    return OK;
}

/* In a query a small `not` before a free word is a word: "printer not working". */
static bool is_negation(struct parser *p)
{
    const struct token t = p->lex.token;
    if (!p->scope->is_query)
        return token_says(&t, "not");
    if (token_is(&t, '-'))
        return t.is_adjacent;
    if (!token_says(&t, "not"))
        return false;
    if (str_equal(t.text, "NOT"))
        return true;

    const struct lexer here = p->lex;
    lex_next(&p->lex);
    const bool is_joined = p->is_joined;
    p->is_joined = false;
    const bool negates = begins_condition(p);
    p->is_joined = is_joined;
    p->lex = here;
    return negates;
}

static enum rc parse_not(struct parser *p, const struct field *like, struct node **ret)
{
    if (!is_negation(p)) {
        if (p->scope->is_query && !p->values && !begins_condition(p))
            return parse_words(p, ret);
        return parse_comparison(p, like, ret);
    }

    TRY(enter(p));
    p->is_joined = token_is(&p->lex.token, '-');
    lex_next(&p->lex);
    TRY(parse_not(p, NULL, ret));
    p->depth--;
    TRY(type_condition(p, ret));
    if ((*ret)->kind != NODE_TRUE) /* nothing to search for, so nothing to exclude */
        *ret = type_not(p, *ret);
    return OK;
}

/* Terms that hold nothing to search for drop out. */
static void add_term(struct parser *p, struct list *all, struct node *n)
{
    if (n->kind == NODE_TRUE)
        return;
    struct node **added = list_add(p->arena, all, sizeof(*added));
    *added = n;
}

static enum rc join(struct parser *p, enum node_kind kind, const struct list *all,
                    struct node **ret)
{
    *ret = node_create(p, NODE_TRUE, NULL, p->lex.token.at, 0);
    return all->count > 0 ? type_join(p, kind, all->at, all->count, ret) : OK;
}

static bool goes_on(struct parser *p)
{
    if (accept_word(p, "and")) {
        p->is_joined = false;
        return true;
    }
    p->is_joined = true;
    return p->scope->is_query && !p->values && !ends_term(p, p->lex) &&
           !(token_is(&p->lex.token, ',') && p->depth > 0);
}

static enum rc parse_and(struct parser *p, const struct field *like, struct node **ret)
{
    struct list all = {0};
    p->is_joined = false;
    do {
        struct node *n;
        TRY(parse_not(p, like, &n));
        add_term(p, &all, n);
    } while (goes_on(p));
    return join(p, NODE_AND, &all, ret);
}

enum rc parse_or(struct parser *p, const struct field *like, struct node **ret)
{
    struct list all = {0};
    do {
        struct node *n;
        TRY(parse_and(p, like, &n));
        add_term(p, &all, n);
    } while (accept_word(p, "or"));
    return join(p, NODE_OR, &all, ret);
}

/* ---- order ---------------------------------------------------------------------------------- */

static enum rc parse_order_field(struct parser *p, struct expr_order *ret)
{
    const struct token t = p->lex.token;
    if (t.kind != TOKEN_NAME)
        return unexpected(p, "a field to order by");
    const struct field *f = scope_field(p->scope, t.text);
    if (!f && !token_says(&t, "relevance"))
        return name_unknown_field(p, t.text, t.at, t.len);
    if (f && (f->type == TYPE_LONG_TEXT || f->type == TYPE_LINKS || f->type == TYPE_PEOPLE))
        return expr_fault_at(p, t.at, t.len, "nothing can be ordered by %s", f->name);
    lex_next(&p->lex);
    *ret = (struct expr_order){.field = f, .is_descending = accept_word(p, "desc")};
    if (!ret->is_descending)
        accept_word(p, "asc");
    return OK;
}

static enum rc parse_orders(struct parser *p, struct list *ret)
{
    if (!order_begins(p, p->lex))
        return OK;
    lex_next(&p->lex);
    do {
        struct expr_order order;
        lex_next(&p->lex);
        TRY(parse_order_field(p, &order));
        struct expr_order *added = list_add(p->arena, ret, sizeof(*added));
        *added = order;
    } while (token_is(&p->lex.token, ','));
    return OK;
}

enum rc expr_parse_text(struct parser *p, const struct field *like, struct node **ret,
                        struct list *ret_orders)
{
    const bool is_bare_order = order_begins(p, p->lex);
    *ret = node_create(p, NODE_TRUE, NULL, 0, 0);
    if (!is_bare_order && !(p->scope->is_query && p->lex.token.kind == TOKEN_END))
        TRY(parse_or(p, like, ret));
    TRY(parse_orders(p, ret_orders));
    if (p->lex.token.kind != TOKEN_END)
        return unexpected(p, "an operator or the end");
    return p->fault.text ? E_INVALID : OK;
}
