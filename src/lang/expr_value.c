/* Values: everything that binds tighter than a comparison. */
#include "lang/expr_parse.h"

#include "base/ctx.h"
#include "base/str.h"

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

static struct node *parse_keyword(struct parser *p, const struct keyword *k)
{
    const struct token *t = &p->lex.token;
    const struct field *like = k->type == TYPE_COUNT ? NULL : type_like[k->type];
    struct node *n = node_create(p, k->kind, like, t->at, t->len);
    if (k->type == TYPE_FLAG)
        n->val = val_flag(k->is_true);
    if (k->kind == NODE_NOW || k->kind == NODE_TODAY) {
        const int64_t unit = k->kind == NODE_NOW ? US_PER_DAY : 1;
        n->lo = FIRST_DAY * unit;
        n->hi = (LAST_DAY + 1) * unit;
    }
    lex_next(&p->lex);
    return n;
}

enum rc parse_operand(struct parser *p, const struct field *like, struct node **ret)
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

struct node *parse_my_groups(struct parser *p)
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
    if (is_call(&p->lex))
        return parse_call(p, like, ret);
    if (like && like->type == TYPE_GROUP && is_my_groups(p->lex)) {
        *ret = parse_my_groups(p);
        return OK;
    }
    const struct keyword *k = find_keyword(t);
    if (k) {
        *ret = parse_keyword(p, k);
        return OK;
    }
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

enum rc parse_sum(struct parser *p, const struct field *like, struct node **ret)
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
