/* What stands ahead, for the parser to decide what it has before it: the words of the language and,
 * in a query, where a condition begins among words that are only searched for. */
#include "lang/expr_parse.h"

#include "base/str.h"

static const struct relation relations[] = {
    {.symbol = '=', .kind = NODE_EQ},
    {.symbol = SYMBOL_NE, .kind = NODE_EQ, .is_not = true},
    {.symbol = '<', .kind = NODE_LT},
    {.symbol = SYMBOL_LE, .kind = NODE_LE},
    {.symbol = '>', .kind = NODE_GT},
    {.symbol = SYMBOL_GE, .kind = NODE_GE},
    {.words = {"in"}, .kind = NODE_IN},
    {.words = {"not", "in"}, .kind = NODE_IN, .is_not = true},
    {.words = {"between"}, .kind = NODE_BETWEEN},
    {.words = {"not", "between"}, .kind = NODE_BETWEEN, .is_not = true},
    {.words = {"is", "empty"}, .kind = NODE_EMPTY},
    {.words = {"is", "not", "empty"}, .kind = NODE_EMPTY, .is_not = true},
    {.words = {"contains"}, .kind = NODE_CONTAINS},
    {.words = {"not", "contains"}, .kind = NODE_CONTAINS, .is_not = true},
    {.words = {"starts", "with"}, .kind = NODE_STARTS},
    {.words = {"not", "starts", "with"}, .kind = NODE_STARTS, .is_not = true},
    {.words = {"under"}, .kind = NODE_UNDER},
    {.words = {"not", "under"}, .kind = NODE_UNDER, .is_not = true},
};

static bool read_relation(struct lexer *l, const struct relation *op)
{
    if (op->symbol) {
        if (!token_is(&l->token, op->symbol))
            return false;
        lex_next(l);
        return true;
    }

    struct lexer ahead = *l;
    for (int i = 0; i < ARRAY_LEN(op->words) && op->words[i]; i++) {
        if (!token_says(&ahead.token, op->words[i]))
            return false;
        lex_next(&ahead);
    }
    *l = ahead;
    return true;
}

const struct relation *find_relation(struct lexer *l)
{
    for (int i = 0; i < ARRAY_LEN(relations); i++) {
        if (read_relation(l, &relations[i]))
            return &relations[i];
    }
    return NULL;
}

bool is_comparison_symbol(struct lexer l)
{
    const struct relation *op = find_relation(&l);
    return op && op->symbol;
}

static const struct keyword keywords[] = {
    {"true", NODE_CONST, TYPE_FLAG, true},  {"false", NODE_CONST, TYPE_FLAG, false},
    {"now", NODE_NOW, TYPE_INSTANT, false}, {"today", NODE_TODAY, TYPE_DATE, false},
    {"me", NODE_ME, TYPE_PERSON, false},    {"empty", NODE_CONST, TYPE_COUNT, false},
};

const struct keyword *find_keyword(const struct token *t)
{
    for (int i = 0; i < ARRAY_LEN(keywords); i++) {
        if (token_says(t, keywords[i].name))
            return &keywords[i];
    }
    return NULL;
}

bool is_call(const struct lexer *l)
{
    const struct token *t = &l->token;
    return (token_says(t, "if") || token_says(t, "coalesce")) && l->text[t->at + t->len] == '(';
}

bool is_my_groups(struct lexer l)
{
    if (!token_says(&l.token, "my"))
        return false;
    lex_next(&l);
    return token_says(&l.token, "groups");
}

/* In a query `-word` begins a new term; `a - b`, `a-b` and `a -2` calculate. */
bool calculates(const struct lexer *l, bool is_query, const struct node *left)
{
    const struct token *t = &l->token;
    if (!(token_is(t, '+') || token_is(t, '-') || token_is(t, '*') || token_is(t, '/')))
        return false;
    if (!is_query)
        return true;
    const char after = l->text[t->at + t->len];
    const bool is_term = t->is_apart && t->is_adjacent && !(after >= '0' && after <= '9');
    return type_is_integer(left) && !is_term;
}

/* In small letters "order by" is only an order when a field follows it. */
bool order_begins(struct parser *p, struct lexer l)
{
    const struct token order = l.token;
    if (!p->scope->is_query || p->depth > 0 || !token_says(&order, "order"))
        return false;
    lex_next(&l);
    if (!token_says(&l.token, "by"))
        return false;
    lex_next(&l);
    return str_equal(order.text, "ORDER") || token_says(&l.token, "relevance") ||
           (l.token.kind == TOKEN_NAME && scope_field(p->scope, l.token.text));
}

/* ---- free words ----------------------------------------------------------------------------- */

bool ends_term(struct parser *p, struct lexer l)
{
    const struct token *t = &l.token;
    return t->kind == TOKEN_END || token_is(t, ')') || token_says(t, "and") ||
           token_says(t, "or") || order_begins(p, l);
}

/* Whether what follows a name makes it a comparison. The words that are operators are also words of
 * the language people search in, so they must be complete and fit the field: `group in trouble` and
 * `title is missing` are free words. */
static bool relation_follows(struct lexer l, const struct field *f)
{
    struct node left = {.kind = NODE_FIELD, .like = f};
    const struct token *t = &l.token;
    const struct relation *op;

    if (token_is(t, ':'))
        return !t->is_apart;
    if (calculates(&l, true, &left))
        return true;
    op = find_relation(&l);
    if (!op || op->symbol)
        return op != NULL;
    switch (op->kind) {
    case NODE_IN:
        return token_is(&l.token, '(') || is_my_groups(l);
    case NODE_CONTAINS:
        return f->type == TYPE_TEXT || node_is_several(&left);
    case NODE_STARTS:
        return f->type == TYPE_TEXT;
    case NODE_UNDER:
        return f->type == TYPE_TREE;
    case NODE_BETWEEN:
        return type_is_integer(&left) || f->type == TYPE_CHOICE;
    default:
        return true;
    }
}

bool begins_condition(struct parser *p)
{
    struct lexer l = p->lex;
    const struct token t = l.token;
    if (t.kind != TOKEN_NAME)
        return token_is(&t, '(');
    if (is_call(&l))
        return true;

    const struct field *f = scope_field(p->scope, t.text);
    const struct keyword *k = find_keyword(&t);
    lex_next(&l);
    if (!k && f) {
        const bool is_flag = f->type == TYPE_FLAG && !p->is_joined && ends_term(p, l);
        return is_flag || relation_follows(l, f);
    }
    if (k)
        return k->type != TYPE_COUNT && relation_follows(l, type_like[k->type]);
    /* A misspelt field is told; a colon after any other word is a word's, as in http://. */
    if (token_is(&l.token, ':'))
        return !l.token.is_apart && l.token.is_adjacent && name_is_nearly_field(p, t.text);
    return is_comparison_symbol(l);
}
