/* Calculations: all come down to integers, whose bounds are worked out here so that neither memory
 * nor an engine can overflow. */
#include "lang/expr_node.h"

#include "base/str.h"

#define INSTANT_MOST (INT64_MAX / 2) /* so that its day can be told in 64 bits */
#define QUOTIENT_DECIMALS 4
#define MOST_POWER 18 /* of ten, in 64 bits */

static int max_of(int a, int b)
{
    return a > b ? a : b;
}

int64_t power_of_ten(int n)
{
    int64_t power = 1;
    while (n-- > 0)
        power *= 10;
    return power;
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* The bounds of a result from those of the operands. */
static void bound(enum node_kind kind, const struct node *a, const struct node *b, __int128 *ret_lo,
                  __int128 *ret_hi)
{
    if (kind == NODE_ADD || kind == NODE_SUB) {
        const bool is_add = kind == NODE_ADD;
        *ret_lo = (__int128)a->lo + (is_add ? b->lo : -(__int128)b->hi);
        *ret_hi = (__int128)a->hi + (is_add ? b->hi : -(__int128)b->lo);
        return;
    }

    const __int128 ends[2] = {a->lo, a->hi};
    const __int128 others[2] = {b->lo, b->hi};
    *ret_lo = *ret_hi = 0;
    for (int i = 0; i < 4; i++) {
        /* A divisor is 1 at least, so a quotient is never beyond the dividend on either side. */
        const __int128 end =
            kind == NODE_MUL ? ends[i & 1] * others[i >> 1] : (i >> 1 ? ends[i & 1] : -ends[i & 1]);
        if (i == 0 || end < *ret_lo)
            *ret_lo = end;
        if (i == 0 || end > *ret_hi)
            *ret_hi = end;
    }
}

static enum rc make_integer(struct parser *p, enum node_kind kind, const struct field *like,
                            int decimals, struct node *a, struct node *b, struct node **ret)
{
    __int128 lo, hi;
    struct node *n = node_over(p, kind, like, (struct node *[]){a, b}, 2);
    if (n->len < a->len) { /* scaled by a constant that is written nowhere */
        n->at = a->at;
        n->len = a->len;
    }

    bound(kind, a, b, &lo, &hi);
    const int64_t most = like->type == TYPE_INSTANT ? INSTANT_MOST
                         : like->type == TYPE_DATE  ? INSTANT_MOST / US_PER_DAY
                                                    : INT64_MAX;
    if (lo <= -most || hi >= most)
        return expr_fault_at(p, n->at, n->len,
                             "this could overflow; fields with bounds (least, most) calculate "
                             "further");
    n->decimals = decimals;
    n->lo = (int64_t)lo;
    n->hi = (int64_t)hi;
    if (a->kind == NODE_CONST && b->kind == NODE_CONST) {
        int64_t i;
        if (!calculate(kind, a->val.i, b->val.i, &i))
            return expr_fault_at(p, n->at, n->len, "this divides by zero");
        struct node *folded = node_int(p, like->type, i, decimals, n->at, n->len);
        folded->like = like;
        n = folded;
    }
    *ret = n;
    return OK;
}

enum rc type_times(struct parser *p, struct node **n, int64_t factor, const struct field *like,
                   int decimals)
{
    struct node *by = node_int(p, TYPE_NUMBER, factor, 0, (*n)->at, 0);
    return make_integer(p, NODE_MUL, like, decimals, *n, by, n);
}

enum rc type_scale(struct parser *p, struct node **n, int decimals)
{
    if ((*n)->decimals == decimals)
        return OK;
    const int64_t factor = power_of_ten(decimals - (*n)->decimals);
    return type_times(p, n, factor, (*n)->like, decimals);
}

struct node *type_day(struct parser *p, struct node *instant)
{
    struct node *n = node_over(p, NODE_DAY, type_like[TYPE_DATE], &instant, 1);
    n->lo = instant->lo / US_PER_DAY - 1;
    n->hi = instant->hi / US_PER_DAY;
    return n;
}

/* a / b with the decimals of the finer and at least four. A constant divisor shares its factors
 * with the scale, so that durations divided by units stay far from the bounds. */
static enum rc make_quotient(struct parser *p, const struct field *like, int decimals,
                             int64_t factor, struct node *a, struct node *b, struct node **ret)
{
    if (b->kind == NODE_CONST && b->val.i != 0) {
        const int64_t shared = greatest_divisor(factor, b->val.i);
        factor /= shared;
        b = node_int(p, TYPE_NUMBER, b->val.i / shared, 0, b->at, b->len);
    }
    if (factor != 1)
        TRY(type_times(p, &a, factor, a->like, a->decimals));
    return make_integer(p, NODE_DIV, like, decimals, a, b, ret);
}

/* ---- calculating ---------------------------------------------------------------------------- */

enum how {
    HOW_SAME,    /* both with the same decimals */
    HOW_TIMES,   /* decimals add up */
    HOW_RATIO,   /* a number */
    HOW_LENGTH,  /* a duration times or by a number: microseconds without decimals */
    HOW_BETWEEN, /* days between dates, as microseconds */
    HOW_SHIFT,   /* a date by whole days */
    HOW_INSTANT  /* a date is its midnight */
};

static const struct {
    char symbol;
    enum field_type a, b, result;
    enum how how;
} calculations[] = {
    {'+', TYPE_NUMBER, TYPE_NUMBER, TYPE_NUMBER, HOW_SAME},
    {'+', TYPE_MONEY, TYPE_MONEY, TYPE_MONEY, HOW_SAME},
    {'+', TYPE_DURATION, TYPE_DURATION, TYPE_DURATION, HOW_SAME},
    {'+', TYPE_INSTANT, TYPE_DURATION, TYPE_INSTANT, HOW_SAME},
    {'+', TYPE_DURATION, TYPE_INSTANT, TYPE_INSTANT, HOW_SAME},
    {'+', TYPE_DATE, TYPE_DURATION, TYPE_DATE, HOW_SHIFT},
    {'-', TYPE_NUMBER, TYPE_NUMBER, TYPE_NUMBER, HOW_SAME},
    {'-', TYPE_MONEY, TYPE_MONEY, TYPE_MONEY, HOW_SAME},
    {'-', TYPE_DURATION, TYPE_DURATION, TYPE_DURATION, HOW_SAME},
    {'-', TYPE_INSTANT, TYPE_DURATION, TYPE_INSTANT, HOW_SAME},
    {'-', TYPE_INSTANT, TYPE_INSTANT, TYPE_DURATION, HOW_SAME},
    {'-', TYPE_INSTANT, TYPE_DATE, TYPE_DURATION, HOW_INSTANT},
    {'-', TYPE_DATE, TYPE_INSTANT, TYPE_DURATION, HOW_INSTANT},
    {'-', TYPE_DATE, TYPE_DATE, TYPE_DURATION, HOW_BETWEEN},
    {'-', TYPE_DATE, TYPE_DURATION, TYPE_DATE, HOW_SHIFT},
    {'*', TYPE_NUMBER, TYPE_NUMBER, TYPE_NUMBER, HOW_TIMES},
    {'*', TYPE_MONEY, TYPE_NUMBER, TYPE_MONEY, HOW_TIMES},
    {'*', TYPE_NUMBER, TYPE_MONEY, TYPE_MONEY, HOW_TIMES},
    {'*', TYPE_DURATION, TYPE_NUMBER, TYPE_DURATION, HOW_LENGTH},
    {'*', TYPE_NUMBER, TYPE_DURATION, TYPE_DURATION, HOW_LENGTH},
    {'/', TYPE_NUMBER, TYPE_NUMBER, TYPE_NUMBER, HOW_RATIO},
    {'/', TYPE_MONEY, TYPE_NUMBER, TYPE_MONEY, HOW_RATIO},
    {'/', TYPE_MONEY, TYPE_MONEY, TYPE_NUMBER, HOW_RATIO},
    {'/', TYPE_DURATION, TYPE_NUMBER, TYPE_DURATION, HOW_LENGTH},
    {'/', TYPE_DURATION, TYPE_DURATION, TYPE_NUMBER, HOW_RATIO},
};

static enum node_kind kind_of_symbol(int symbol)
{
    switch (symbol) {
    case '+':
        return NODE_ADD;
    case '-':
        return NODE_SUB;
    case '*':
        return NODE_MUL;
    default:
        return NODE_DIV;
    }
}

static enum rc make_same(struct parser *p, enum node_kind kind, const struct field *like,
                         struct node *a, struct node *b, struct node **ret)
{
    const int decimals = max_of(a->decimals, b->decimals);
    TRY(type_scale(p, &a, decimals));
    TRY(type_scale(p, &b, decimals));
    return make_integer(p, kind, like, decimals, a, b, ret);
}

static enum rc make_length(struct parser *p, enum node_kind kind, struct node *a, struct node *b,
                           struct node **ret)
{
    const struct field *like = type_like[TYPE_DURATION];
    struct node *number = a->like->type == TYPE_NUMBER ? a : b;
    const int64_t factor = power_of_ten(number->decimals);
    if (kind == NODE_DIV)
        return make_quotient(p, like, 0, factor, a, b, ret);
    TRY(make_integer(p, NODE_MUL, like, 0, a, b, ret));
    if (factor == 1)
        return OK;
    struct node *by = node_int(p, TYPE_NUMBER, factor, 0, (*ret)->at, 0);
    return make_integer(p, NODE_DIV, like, 0, *ret, by, ret);
}

static enum rc make_shift(struct parser *p, enum node_kind kind, struct node *a, struct node *b,
                          struct node **ret)
{
    if (b->kind != NODE_CONST || b->val.i % US_PER_DAY != 0)
        return expr_fault_at(p, b->at, b->len, "a date moves by whole days, as in 3 days");
    b = node_int(p, TYPE_NUMBER, b->val.i / US_PER_DAY, 0, b->at, b->len);
    return make_integer(p, kind, type_like[TYPE_DATE], 0, a, b, ret);
}

static enum rc make(struct parser *p, enum how how, enum node_kind kind, const struct field *like,
                    struct node *a, struct node *b, struct node **ret)
{
    const struct field *instant = type_like[TYPE_INSTANT];
    switch (how) {
    case HOW_SAME:
        return make_same(p, kind, like, a, b, ret);
    case HOW_TIMES:
        return make_integer(p, kind, like, a->decimals + b->decimals, a, b, ret);
    case HOW_LENGTH:
        return make_length(p, kind, a, b, ret);
    case HOW_SHIFT:
        return make_shift(p, kind, a, b, ret);
    case HOW_INSTANT:
        TRY(type_times(p, a->like->type == TYPE_DATE ? &a : &b, US_PER_DAY, instant, 0));
        return make_same(p, kind, like, a, b, ret);
    case HOW_BETWEEN:
        TRY(make_integer(p, kind, like, 0, a, b, ret));
        return type_times(p, ret, US_PER_DAY, like, 0);
    case HOW_RATIO:
        break;
    }
    const int decimals = max_of(max_of(a->decimals, b->decimals), QUOTIENT_DECIMALS);
    const int power = decimals + b->decimals - a->decimals;
    if (power > MOST_POWER)
        return expr_fault_at(p, a->at, b->at + b->len - a->at, "this has too many decimals");
    const int64_t factor = power_of_ten(power);
    return make_quotient(p, like, decimals, factor, a, b, ret);
}

static enum rc cannot_calculate(struct parser *p, int symbol, const struct node *a,
                                const struct node *b)
{
    return expr_fault_at(p, a->at, b->at + b->len - a->at, "%s %c %s has no meaning", type_noun(a),
                         symbol, type_noun(b));
}

enum rc type_calculate(struct parser *p, int symbol, struct node *a, struct node *b,
                       struct node **ret)
{
    if (!type_is_integer(a) || !type_is_integer(b))
        return cannot_calculate(p, symbol, a, b);
    if (symbol == '*' && a->decimals + b->decimals > 12)
        return expr_fault_at(p, a->at, b->at + b->len - a->at, "this has too many decimals");

    if (symbol == '/' && b->kind == NODE_CONST && b->val.i == 0)
        return expr_fault_at(p, a->at, b->at + b->len - a->at, "this divides by zero");

    for (int i = 0; i < ARRAY_LEN(calculations); i++) {
        if (calculations[i].symbol != symbol || calculations[i].a != a->like->type ||
            calculations[i].b != b->like->type)
            continue;
        const enum field_type result = calculations[i].result;
        const struct field *like = result == a->like->type   ? a->like
                                   : result == b->like->type ? b->like
                                                             : type_like[result];
        if (a->like->type == TYPE_MONEY && b->like->type == TYPE_MONEY &&
            !str_equal(a->like->currency, b->like->currency))
            break;
        return make(p, calculations[i].how, kind_of_symbol(symbol), like, a, b, ret);
    }
    return cannot_calculate(p, symbol, a, b);
}
