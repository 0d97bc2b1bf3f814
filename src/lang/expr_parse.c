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

#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"

static enum rc parse_or(struct parser *p, const struct field *like, struct node **ret);
static enum rc parse_sum(struct parser *p, const struct field *like, struct node **ret);

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

static enum rc unexpected(struct parser *p, const char *wanted)
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

static enum rc expect(struct parser *p, int symbol, const char *wanted)
{
    if (!token_is(&p->lex.token, symbol))
        return unexpected(p, wanted);
    lex_next(&p->lex);
    return OK;
}

static bool accept_word(struct parser *p, const char *keyword)
{
    if (!token_says(&p->lex.token, keyword))
        return false;
    lex_next(&p->lex);
    return true;
}

static enum rc enter(struct parser *p)
{
    if (++p->depth > MOST_DEPTH)
        return expr_fault_at(p, p->lex.token.at, p->lex.token.len,
                             "this is nested deeper than %d levels", MOST_DEPTH);
    return OK;
}

/* ---- values --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t us;
} units[] = {
    {"s", US_PER_S},           {"second", US_PER_S},  {"seconds", US_PER_S},
    {"min", US_PER_MIN},       {"mins", US_PER_MIN},  {"minute", US_PER_MIN},
    {"minutes", US_PER_MIN},   {"h", US_PER_HOUR},    {"hour", US_PER_HOUR},
    {"hours", US_PER_HOUR},    {"d", US_PER_DAY},     {"day", US_PER_DAY},
    {"days", US_PER_DAY},      {"w", 7 * US_PER_DAY}, {"week", 7 * US_PER_DAY},
    {"weeks", 7 * US_PER_DAY},
};

static int64_t unit_of(const struct token *t)
{
    for (int i = 0; t->kind == TOKEN_NAME && i < ARRAY_LEN(units); i++) {
        if (str_equal(units[i].name, t->text))
            return units[i].us;
    }
    return 0;
}

static enum rc no_such_unit(struct parser *p)
{
    static const char *const refused[] = {"month", "months", "year", "years", NULL};
    const struct token *t = &p->lex.token;
    if (t->kind == TOKEN_NAME && str_in(t->text, refused))
        return expr_fault_at(p, t->at, t->len, "%s differ in length; write days", t->text);
    if (token_says(t, "working"))
        return expr_fault_at(p, t->at, t->len,
                             "working days depend on a calendar; an expression counts plain days");
    return OK;
}

/* 12, 12.5, and with a unit: 2 days, 4h. */
static enum rc parse_number(struct parser *p, struct node **ret)
{
    const struct token number = p->lex.token;
    int64_t scaled = number.n;
    int64_t divisor = 1;

    lex_next(&p->lex);
    const int64_t unit = unit_of(&p->lex.token);
    if (!unit) {
        TRY(no_such_unit(p));
        *ret = node_int(p, TYPE_NUMBER, number.n, number.decimals, number.at, number.len);
        return OK;
    }

    for (int i = 0; i < number.decimals; i++)
        divisor *= 10;
    const struct token t = p->lex.token;
    if (__builtin_mul_overflow(scaled, unit, &scaled) || scaled / divisor > INT64_MAX / 100)
        return expr_fault_at(p, number.at, t.at + t.len - number.at, "this duration is too long");
    *ret = node_int(p, TYPE_DURATION, scaled / divisor, 0, number.at, t.at + t.len - number.at);
    lex_next(&p->lex);
    return OK;
}

static enum rc parse_string(struct parser *p, const struct field *like, struct node **ret)
{
    const struct token t = p->lex.token;
    lex_next(&p->lex);
    return name_value(p, like ? like : type_like[TYPE_TEXT], t.text, t.at, t.len, ret);
}

static enum rc parse_instant(struct parser *p, struct node **ret)
{
    const struct token t = p->lex.token;
    lex_next(&p->lex);
    *ret = node_int(p, t.kind == TOKEN_DATE ? TYPE_DATE : TYPE_INSTANT, t.n, 0, t.at, t.len);
    return OK;
}

/* Words that are values wherever a value may stand. */
static const struct {
    const char *name;
    enum node_kind kind;
    int type; /* -1: of none */
    bool is_true;
} constants[] = {
    {"true", NODE_CONST, TYPE_FLAG, true},  {"false", NODE_CONST, TYPE_FLAG, false},
    {"now", NODE_NOW, TYPE_INSTANT, false}, {"today", NODE_TODAY, TYPE_DATE, false},
    {"me", NODE_ME, TYPE_PERSON, false},    {"empty", NODE_CONST, -1, false},
};

static bool parse_constant(struct parser *p, struct node **ret)
{
    const struct token t = p->lex.token;
    for (int i = 0; i < ARRAY_LEN(constants); i++) {
        if (!token_says(&t, constants[i].name))
            continue;
        const struct field *like = constants[i].type < 0 ? NULL : type_like[constants[i].type];
        struct node *n = node_create(p, constants[i].kind, like, t.at, t.len);
        if (like && like->type == TYPE_FLAG)
            n->val = val_flag(constants[i].is_true);
        if (n->kind == NODE_NOW || n->kind == NODE_TODAY) {
            const int64_t unit = n->kind == NODE_NOW ? US_PER_DAY : 1;
            n->lo = FIRST_DAY * unit;
            n->hi = (LAST_DAY + 1) * unit;
        }
        lex_next(&p->lex);
        *ret = n;
        return true;
    }
    return false;
}

static bool is_call(const struct token *t)
{
    return t->is_adjacent && (token_says(t, "if") || token_says(t, "coalesce"));
}

/* A value beside an operator or a comma: no free words in there, even in a query. */
static enum rc parse_operand(struct parser *p, const struct field *like, struct node **ret)
{
    p->values++;
    TRY(parse_sum(p, like, ret));
    p->values--;
    return OK;
}

static enum rc parse_guard(struct parser *p, struct node **ret)
{
    p->values++;
    TRY(parse_or(p, NULL, ret));
    p->values--;
    return type_condition(p, ret);
}

/* if(condition, a, b) and coalesce(a, b, ...). */
static enum rc parse_call(struct parser *p, const struct field *like, struct node **ret)
{
    const struct token name = p->lex.token;
    const bool is_if = token_says(&name, "if");
    struct list all = {0};

    lex_next(&p->lex);
    TRY(enter(p));
    TRY(expect(p, '(', "an opening bracket"));
    do {
        struct node *n;
        if (is_if && all.count == 0)
            TRY(parse_guard(p, &n));
        else
            TRY(parse_operand(p, like, &n));
        struct node **added = list_add(p->arena, &all, sizeof(*added));
        *added = n;
        /* What the others should be like, if nothing else says so. */
        if (!like && n->like && !(is_if && all.count == 1))
            like = n->like;
    } while (token_is(&p->lex.token, ',') && (lex_next(&p->lex), true));
    const int end = p->lex.token.at + p->lex.token.len;
    TRY(expect(p, ')', "a comma or a closing bracket"));
    p->depth--;

    if (is_if ? all.count != 3 : all.count < 2)
        return expr_fault_at(p, name.at, end - name.at,
                             is_if ? "if takes three values: if(condition, then, otherwise)"
                                   : "coalesce takes two values or more");
    *ret = node_create(p, is_if ? NODE_IF : NODE_COALESCE, NULL, name.at, end - name.at);
    return type_branches(p, *ret, all.at, all.count, is_if ? 1 : 0);
}

static bool may_be_field(const struct field *f, const struct field *like)
{
    const bool is_text = like->type == TYPE_TEXT;
    return !is_text || f->type == TYPE_TEXT || f->type == TYPE_LONG_TEXT;
}

/* A name that is neither a choice nor something the database knows: a field. */
static enum rc parse_field(struct parser *p, const struct field *like, struct node **ret)
{
    const struct token t = p->lex.token;
    const struct field *f = scope_field(p->scope, t.text);
    if (!f && like && like->type == TYPE_TEXT)
        return expr_fault_at(p, t.at, t.len,
                             "there is no field \"%s\"; a text is written in quotes", t.text);
    if (!f && like && like->type == TYPE_FLAG)
        return expr_fault_at(p, t.at, t.len, "a flag is true or false, not %s", t.text);
    if (!f)
        return name_unknown_field(p, t.text, t.at, t.len);
    lex_next(&p->lex);
    return type_field(p, f, t.at, t.len, ret);
}

/* A name where a choice, a person, a record is expected. A choice wins over a field of the same
 * name; a field wins over what only the database knows. */
static enum rc parse_name(struct parser *p, const struct field *like, struct node **ret)
{
    const struct token plain = p->lex.token;
    lex_name(&p->lex);
    const struct token t = p->lex.token;
    const bool is_plain = plain.kind == TOKEN_NAME && plain.len == t.len;
    const struct field *f = is_plain ? scope_field(p->scope, t.text) : NULL;
    if (f && choice_rank(like, t.text) == 0 && may_be_field(f, like))
        return parse_field(p, like, ret);
    lex_next(&p->lex);
    return name_value(p, like, t.text, t.at, t.len, ret);
}

static bool is_my_groups(struct lexer l)
{
    if (!token_says(&l.token, "my"))
        return false;
    lex_next(&l);
    return token_says(&l.token, "groups");
}

static struct node *parse_my_groups(struct parser *p)
{
    const int at = p->lex.token.at;
    lex_next(&p->lex);
    const int end = p->lex.token.at + p->lex.token.len;
    lex_next(&p->lex);
    return node_create(p, NODE_MY_GROUPS, type_like[TYPE_GROUP], at, end - at);
}

/* (a, b): several records or people, to set a field to. */
static enum rc parse_rest_of_set(struct parser *p, const struct field *like, struct node *first,
                                 int at, struct node **ret)
{
    struct list all = {0};
    struct node **added = list_add(p->arena, &all, sizeof(*added));
    *added = first;
    while (token_is(&p->lex.token, ',')) {
        struct node *n;
        lex_next(&p->lex);
        TRY(parse_operand(p, like, &n));
        added = list_add(p->arena, &all, sizeof(*added));
        *added = n;
    }
    const int end = p->lex.token.at + p->lex.token.len;
    TRY(expect(p, ')', "a comma or a closing bracket"));
    *ret = node_create(p, NODE_SET, NULL, at, end - at);
    TRY(type_branches(p, *ret, all.at, all.count, 0));
    if ((*ret)->like->type != (like->type == TYPE_LINKS ? TYPE_LINK : TYPE_PERSON))
        return expr_fault_at(p, at, end - at, "%s cannot hold %s", like->name, type_noun(*ret));
    (*ret)->like = like;
    return OK;
}

static enum rc parse_brackets(struct parser *p, const struct field *like, struct node **ret)
{
    const int at = p->lex.token.at;
    const bool is_joined = p->is_joined;
    const bool is_set = like && (like->type == TYPE_LINKS || like->type == TYPE_PEOPLE);

    TRY(enter(p));
    lex_next(&p->lex);
    TRY(parse_or(p, like, ret));
    p->depth--;
    p->is_joined = is_joined;
    if (is_set && token_is(&p->lex.token, ','))
        return parse_rest_of_set(p, like, *ret, at, ret);
    return expect(p, ')', "a closing bracket");
}

static bool takes_names_here(const struct parser *p, const struct field *like)
{
    const bool is_text = like && like->type == TYPE_TEXT;
    return like && (type_takes_names(like) || (is_text && p->scope->is_query));
}

static enum rc parse_value(struct parser *p, const struct field *like, struct node **ret)
{
    const struct token *t = &p->lex.token;
    if (token_is(t, '('))
        return parse_brackets(p, like, ret);
    if (t->kind == TOKEN_STRING)
        return parse_string(p, like, ret);
    if (t->kind == TOKEN_NAME && is_call(t))
        return parse_call(p, like, ret);
    if (like && like->type == TYPE_GROUP && is_my_groups(p->lex)) {
        *ret = parse_my_groups(p);
        return OK;
    }
    if (parse_constant(p, ret))
        return OK;
    if (takes_names_here(p, like) && t->kind != TOKEN_END && t->kind != TOKEN_SYMBOL)
        return parse_name(p, like, ret);
    if (t->kind == TOKEN_NUMBER)
        return parse_number(p, ret);
    if (t->kind == TOKEN_DATE || t->kind == TOKEN_INSTANT)
        return parse_instant(p, ret);
    if (t->kind == TOKEN_NAME)
        return parse_field(p, like, ret);
    return unexpected(p, "a value");
}

static enum rc parse_unary(struct parser *p, const struct field *like, struct node **ret)
{
    if (!token_is(&p->lex.token, '-'))
        return parse_value(p, like, ret);

    const int at = p->lex.token.at;
    struct node *a;
    TRY(enter(p));
    lex_next(&p->lex);
    TRY(parse_unary(p, like, &a));
    p->depth--;
    const bool is_length = a->like && a->like->type == TYPE_DURATION;
    struct node *zero = node_int(p, is_length ? TYPE_DURATION : TYPE_NUMBER, 0, 0, at, 1);
    if (a->like && a->like->type == TYPE_MONEY)
        zero->like = a->like;
    return type_calculate(p, '-', zero, a, ret);
}

/* In a query `-word` begins a new term; `a - b`, `a-b` and `a -2` calculate. */
static bool calculates(const struct lexer *l, bool is_query, const struct node *left)
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

static bool is_calculation(const struct parser *p, const struct node *left)
{
    return calculates(&p->lex, p->scope->is_query, left);
}

static enum rc parse_product(struct parser *p, const struct field *like, struct node **ret)
{
    TRY(parse_unary(p, like, ret));
    while (is_calculation(p, *ret) &&
           (token_is(&p->lex.token, '*') || token_is(&p->lex.token, '/'))) {
        const int symbol = p->lex.token.symbol;
        struct node *b;
        lex_next(&p->lex);
        p->values++;
        TRY(parse_unary(p, NULL, &b));
        p->values--;
        TRY(type_calculate(p, symbol, *ret, b, ret));
    }
    return OK;
}

static enum rc parse_sum(struct parser *p, const struct field *like, struct node **ret)
{
    TRY(parse_product(p, like, ret));
    while (is_calculation(p, *ret)) {
        const int symbol = p->lex.token.symbol;
        struct node *b;
        lex_next(&p->lex);
        p->values++;
        TRY(parse_product(p, NULL, &b));
        p->values--;
        TRY(type_calculate(p, symbol, *ret, b, ret));
    }
    return OK;
}

/* ---- comparisons ---------------------------------------------------------------------------- */

/* What may follow a value, longest first where one begins like another. */
static const struct operator
{
    int symbol;
    const char *words[3]; /* instead of a symbol */
    enum node_kind kind;
    bool is_not;
}
operators[] = {
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

static bool read_operator(struct lexer *l, const struct operator* op)
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

static const struct operator* find_operator(struct lexer *l)
{
    for (int i = 0; i < ARRAY_LEN(operators); i++) {
        if (read_operator(l, &operators[i]))
            return &operators[i];
    }
    return NULL;
}

static bool is_comparison_symbol(struct lexer l)
{
    const struct operator* op = find_operator(&l);
    return op && op->symbol;
}

/* field:value, field:<=value and field:(a, b), as search boxes have it. */
static const struct operator* read_colon(struct parser *p)
{
    static const struct operator equals = {.kind = NODE_EQ};
    static const struct operator among = {.kind = NODE_IN};
    lex_next(&p->lex);
    if (is_comparison_symbol(p->lex))
        return find_operator(&p->lex);
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

static bool has_several(const struct node *n)
{
    return n->like && (n->like->type == TYPE_LINKS || n->like->type == TYPE_PEOPLE);
}

static enum rc parse_right(struct parser *p, const struct operator* op, struct node *left,
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
        TRY(parse_operand(p, left->like, &right));
        if (op->kind == NODE_CONTAINS && has_several(left))
            return type_compare(p, NODE_EQ, left, right, ret);
        return type_match(p, op->kind, left, right, ret);
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
    const struct operator* op = NULL;
    if (token_is(&p->lex.token, ':')) {
        if (!p->scope->is_query)
            return expr_fault_at(p, at, 1, "\":\" is for searches; write =");
        op = read_colon(p);
    } else if (!p->scope->is_query || !node_is_condition(left)) {
        op = find_operator(&p->lex);
    }
    if (!op)
        return refuse_chain(p);

    TRY(parse_right(p, op, left, ret));
    if (op->is_not)
        *ret = type_not(p, *ret);
    return refuse_chain(p);
}

/* ---- free words ----------------------------------------------------------------------------- */

static bool ends_term(struct parser *p, struct lexer l)
{
    const struct token *t = &l.token;
    return t->kind == TOKEN_END || token_is(t, ')') || token_says(t, "and") ||
           token_says(t, "or") || expr_order_begins(p, l);
}

/* Whether what follows a name makes it a comparison. The words that are operators are also words of
 * the language people search in, so they must be complete and fit the field: `group in trouble` and
 * `title is missing` are free words. */
static bool operator_follows(struct lexer l, const struct field *f)
{
    struct node left = {.kind = NODE_FIELD, .like = f};
    const struct token *t = &l.token;
    const struct operator* op;

    if (token_is(t, ':'))
        return !t->is_apart;
    if (calculates(&l, true, &left))
        return true;
    op = find_operator(&l);
    if (!op || op->symbol)
        return op != NULL;
    switch (op->kind) {
    case NODE_IN:
        return token_is(&l.token, '(') || is_my_groups(l);
    case NODE_CONTAINS:
        return f->type == TYPE_TEXT || has_several(&left);
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

static const struct field *field_like_constant(const struct token *t)
{
    for (int i = 0; i < ARRAY_LEN(constants); i++) {
        if (constants[i].type >= 0 && token_says(t, constants[i].name))
            return type_like[constants[i].type];
    }
    return NULL;
}

/* Whether a term of a query is a condition; everything else is searched for. */
static bool begins_condition(struct parser *p)
{
    struct lexer l = p->lex;
    const struct token t = l.token;
    if (t.kind != TOKEN_NAME)
        return token_is(&t, '(');
    if (is_call(&t))
        return true;

    const struct field *f = scope_field(p->scope, t.text);
    const struct field *constant = f ? NULL : field_like_constant(&t);
    lex_next(&l);
    if (f || constant) {
        const bool is_flag = f && f->type == TYPE_FLAG;
        return operator_follows(l, f ? f : constant) ||
               (is_flag && !p->is_joined && ends_term(p, l));
    }
    /* A misspelt field is told; a colon after any other word is a word's, as in http://. */
    if (token_is(&l.token, ':'))
        return !l.token.is_apart && l.token.is_adjacent && name_is_nearly_field(p, t.text);
    return is_comparison_symbol(l);
}

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

/* ---- joining -------------------------------------------------------------------------------- */

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
    const bool negates = begins_condition(p) || is_negation(p);
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

static enum rc parse_or(struct parser *p, const struct field *like, struct node **ret)
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

/* In small letters "order by" is only an order when a field follows it. */
bool expr_order_begins(struct parser *p, struct lexer l)
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
    if (!expr_order_begins(p, p->lex))
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
    const bool is_bare_order = expr_order_begins(p, p->lex);
    *ret = node_create(p, NODE_TRUE, NULL, 0, 0);
    if (!is_bare_order && !(p->scope->is_query && p->lex.token.kind == TOKEN_END))
        TRY(parse_or(p, like, ret));
    TRY(parse_orders(p, ret_orders));
    if (p->lex.token.kind != TOKEN_END)
        return unexpected(p, "an operator or the end");
    return p->fault.text ? E_INVALID : OK;
}
