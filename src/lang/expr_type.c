#include "lang/expr_node.h"

#include "base/ctx.h"
#include "base/str.h"
#include "lang/words.h"

/* What takes part in calculations where a field names no narrower bounds: numbers, scaled; what the
 * engine counts; and, in microseconds, how long anything may take (300 years). */
#define NUMBER_MOST INT64_C(100000000000000)
#define COUNT_MOST INT64_C(1000000000)
#define DURATION_MOST INT64_C(10000000000000000)

static const char *const nouns[TYPE_COUNT] = {
    [TYPE_TEXT] = "a text",
    [TYPE_LONG_TEXT] = "a text",
    [TYPE_NUMBER] = "a number",
    [TYPE_MONEY] = "an amount of money",
    [TYPE_FLAG] = "a flag",
    [TYPE_CHOICE] = "a choice",
    [TYPE_TREE] = "a tree choice",
    [TYPE_DATE] = "a date",
    [TYPE_INSTANT] = "an instant",
    [TYPE_DURATION] = "a duration",
    [TYPE_PERSON] = "a person",
    [TYPE_GROUP] = "a group",
    [TYPE_ORGANISATION] = "an organisation",
    [TYPE_LINK] = "a record",
    [TYPE_LINKS] = "several records",
    [TYPE_PEOPLE] = "several people",
};

#define LIKE(t)                                                                                    \
    [t] = &(const struct field)                                                                    \
    {                                                                                              \
        .name = "", .slot = -1, .type = (t)                                                        \
    }
const struct field *const type_like[TYPE_COUNT] = {
    LIKE(TYPE_TEXT),         LIKE(TYPE_LONG_TEXT), LIKE(TYPE_NUMBER), LIKE(TYPE_MONEY),
    LIKE(TYPE_FLAG),         LIKE(TYPE_CHOICE),    LIKE(TYPE_TREE),   LIKE(TYPE_DATE),
    LIKE(TYPE_INSTANT),      LIKE(TYPE_DURATION),  LIKE(TYPE_PERSON), LIKE(TYPE_GROUP),
    LIKE(TYPE_ORGANISATION), LIKE(TYPE_LINK),      LIKE(TYPE_LINKS),  LIKE(TYPE_PEOPLE),
};

static bool is_missing(const struct node *n)
{
    return n->kind == NODE_CONST && val_is_null(n->val);
}

const char *type_noun(const struct node *n)
{
    if (node_is_condition(n))
        return "a condition";
    return n->like ? nouns[n->like->type] : "empty";
}

/* What can be compared at all: one family with another of the same. */
static enum field_type family(const struct node *n)
{
    if (node_is_condition(n))
        return TYPE_FLAG;
    switch (n->like->type) {
    case TYPE_LONG_TEXT:
        return TYPE_TEXT;
    case TYPE_LINKS:
        return TYPE_LINK;
    case TYPE_PEOPLE:
        return TYPE_PERSON;
    default:
        return n->like->type;
    }
}

bool type_is_integer(const struct node *n)
{
    if (node_is_condition(n) || !n->like)
        return false;
    switch (n->like->type) {
    case TYPE_NUMBER:
    case TYPE_MONEY:
    case TYPE_DATE:
    case TYPE_INSTANT:
    case TYPE_DURATION:
        return true;
    default:
        return false;
    }
}

bool type_takes_names(const struct field *like)
{
    switch (like->type) {
    case TYPE_CHOICE:
    case TYPE_TREE:
    case TYPE_PERSON:
    case TYPE_GROUP:
    case TYPE_ORGANISATION:
    case TYPE_LINK:
    case TYPE_LINKS:
    case TYPE_PEOPLE:
        return true;
    default:
        return like->slot == FIELD_NUMBER || like->slot == FIELD_PROCESS;
    }
}

int choice_rank(const struct field *f, const char *name)
{
    for (int i = 0; f->choices && f->choices[i].name; i++) {
        if (str_equal(f->choices[i].name, name))
            return i + 1;
    }
    return 0;
}

static bool has_same_choices(const struct field *a, const struct field *b)
{
    if (a->choices == b->choices)
        return true;
    if (!a->choices || !b->choices)
        return false;
    int i = 0;
    while (a->choices[i].name && str_equal(a->choices[i].name, b->choices[i].name))
        i++;
    return !a->choices[i].name && !b->choices[i].name;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

struct node *node_create(struct parser *p, enum node_kind kind, const struct field *like, int at,
                         int len)
{
    struct node *n = arena_alloc(p->arena, sizeof(*n));
    *n = (struct node){.kind = kind, .like = like, .at = at, .len = len};
    n->is_fixed = kind == NODE_CONST || kind == NODE_NOW || kind == NODE_TODAY || kind == NODE_ME ||
                  kind == NODE_TRUE;
    n->is_words = kind == NODE_WORDS;
    return n;
}

void node_adopt(struct parser *p, struct node *n, const struct node *const *kids, int count)
{
    n->kids = arena_copy(p->arena, kids, (size_t)count * sizeof(*kids));
    n->count = count;
    n->is_fixed = n->kind != NODE_WORDS;
    n->is_words = n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_NOT;
    for (int i = 0; i < count; i++) {
        n->is_fixed &= kids[i]->is_fixed;
        n->is_words &= kids[i]->is_words;
        if (n->height <= kids[i]->height)
            n->height = kids[i]->height + 1;
    }
    /* Noted here, refused when the parser is done: nothing walks the tree before. */
    const int most = n->is_words ? MOST_WORDS_DEPTH : MOST_DEPTH;
    if (n->height > most)
        expr_fault_at(p, n->at, n->len, "this goes deeper than %d levels", most);
}

struct node *node_const(struct parser *p, const struct field *like, struct val v, int at, int len)
{
    struct node *n = node_create(p, NODE_CONST, like, at, len);
    n->val = v;
    return n;
}

struct node *node_int(struct parser *p, enum field_type type, int64_t i, int decimals, int at,
                      int len)
{
    struct node *n = node_const(p, type_like[type], val_int(i), at, len);
    n->decimals = decimals;
    n->lo = n->hi = i;
    return n;
}

/* A node over kids that stretches from the first to the last. */
struct node *node_over(struct parser *p, enum node_kind kind, const struct field *like,
                       struct node *const *kids, int count)
{
    const struct node *last = kids[count - 1];
    struct node *n = node_create(p, kind, like, kids[0]->at, last->at + last->len - kids[0]->at);
    node_adopt(p, n, (const struct node *const *)kids, count);
    return n;
}

static int max_of(int a, int b)
{
    return a > b ? a : b;
}

/* ---- fields --------------------------------------------------------------------------------- */

static int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void bounds_of_field(struct node *n, const struct field *f)
{
    const int64_t unit = f->type == TYPE_DATE ? 1 : US_PER_DAY;
    switch (f->type) {
    case TYPE_DATE:
    case TYPE_INSTANT:
        n->lo = FIRST_DAY * unit;
        n->hi = (LAST_DAY + 1) * unit - 1;
        break;
    case TYPE_DURATION:
        n->hi = DURATION_MOST;
        n->lo = -n->hi;
        break;
    default:
        n->hi = min_of(f->least < f->most ? f->most : NUMBER_MOST, NUMBER_MOST);
        n->lo = -min_of(f->least < f->most ? -f->least : NUMBER_MOST, NUMBER_MOST);
        if (f->slot >= 0 && f->slot < FIELD_BUILTINS) {
            n->lo = 0;
            n->hi = COUNT_MOST;
        }
    }
}

enum rc type_field(struct parser *p, const struct field *f, int at, int len, struct node **ret)
{
    struct node *n = node_create(p, NODE_FIELD, f, at, len);
    if (type_is_integer(n))
        bounds_of_field(n, f);
    if (f->type == TYPE_NUMBER || f->type == TYPE_MONEY)
        n->decimals = f->decimals;
    *ret = n;
    return OK;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static enum rc mismatch(struct parser *p, const struct node *a, const struct node *b)
{
    const char *hint = "";
    if (!node_is_condition(a) && !node_is_condition(b)) {
        const enum field_type ta = family(a), tb = family(b);
        if ((ta == TYPE_DURATION && tb == TYPE_NUMBER) ||
            (ta == TYPE_NUMBER && tb == TYPE_DURATION))
            hint = "; a duration has a unit, as in 2 h";
        else if ((ta == TYPE_DATE || ta == TYPE_INSTANT) && (tb == TYPE_TEXT || tb == TYPE_NUMBER))
            hint = "; a date is written 2026-01-31, without quotes";
        else if (ta == TYPE_MONEY && tb == TYPE_MONEY)
            hint = " of another currency";
        else if (ta == TYPE_TEXT && (tb == TYPE_NUMBER || tb == TYPE_DATE))
            hint = "; a text is written in quotes";
    }
    return expr_fault_at(p, b->at, b->len, "%s cannot be compared with %s%s", type_noun(a),
                         type_noun(b), hint);
}

static bool fits(const struct node *a, const struct node *b, bool mixes_dates)
{
    const enum field_type ta = family(a), tb = family(b);
    if (ta == TYPE_MONEY && tb == TYPE_MONEY)
        return str_equal(a->like->currency, b->like->currency);
    if (ta == tb)
        return true;
    if (ta == TYPE_MONEY && tb == TYPE_NUMBER)
        return b->kind == NODE_CONST;
    if (ta == TYPE_NUMBER && tb == TYPE_MONEY)
        return a->kind == NODE_CONST;
    return mixes_dates &&
           ((ta == TYPE_DATE && tb == TYPE_INSTANT) || (ta == TYPE_INSTANT && tb == TYPE_DATE));
}

/* Bring values to one form: same decimals; instants beside dates are their days. */
static enum rc align(struct parser *p, struct node **all, int count, bool mixes_dates)
{
    const struct node *first = NULL;
    int decimals = 0;
    bool has_date = false;

    for (int i = 0; i < count; i++) {
        if (is_missing(all[i]))
            continue;
        if (!first)
            first = all[i];
        if (!fits(first, all[i], mixes_dates))
            return mismatch(p, first, all[i]);
        decimals = max_of(decimals, all[i]->decimals);
        has_date |= !node_is_condition(all[i]) && all[i]->like->type == TYPE_DATE;
    }
    for (int i = 0; i < count; i++) {
        if (!type_is_integer(all[i]))
            continue;
        if (has_date && all[i]->like->type == TYPE_INSTANT)
            all[i] = type_day(p, all[i]);
        TRY(type_scale(p, &all[i], decimals));
    }
    return OK;
}

/* The sides of a comparison: only the left may be several, none may be `empty`. */
static enum rc align_sides(struct parser *p, struct node **all, int count)
{
    for (int i = 0; i < count; i++) {
        if (is_missing(all[i]))
            return expr_fault_at(p, all[i]->at, all[i]->len,
                                 "nothing compares with empty; write `is empty`");
        if (i == 0 && node_is_several(all[i]) && all[i]->kind != NODE_FIELD)
            return expr_fault_at(p, all[i]->at, all[i]->len, "only a field can be compared here");
        if (i > 0 && node_is_several(all[i]))
            return expr_fault_at(p, all[i]->at, all[i]->len,
                                 "%s can only stand on the left of a comparison",
                                 type_noun(all[i]));
    }
    return align(p, all, count, true);
}

/* Whether a < b has a meaning: integers, and choices of one list. */
static enum rc check_order(struct parser *p, struct node *const *all, int count)
{
    for (int i = 0; i < count; i++) {
        const struct node *n = all[i];
        const bool is_choice = n->like && n->like->type == TYPE_CHOICE;
        if (!type_is_integer(n) && !is_choice)
            return expr_fault_at(p, n->at, n->len, "%s has no order; use = or !=", type_noun(n));
        if (is_choice && !has_same_choices(all[0]->like, n->like))
            return expr_fault_at(p, n->at, n->len,
                                 "these choices are of different lists and have no common order");
    }
    return OK;
}

enum rc type_empty(struct parser *p, struct node *a, struct node **ret)
{
    if (node_is_condition(a))
        return expr_fault_at(p, a->at, a->len, "a condition is never empty");
    if (node_is_several(a) && a->kind != NODE_FIELD)
        return expr_fault_at(p, a->at, a->len, "only a field can be asked whether it is empty");
    *ret = node_over(p, NODE_EMPTY, NULL, &a, 1);
    return OK;
}

enum rc type_in(struct parser *p, struct node *const *all, int count, struct node **ret)
{
    struct node **sides = arena_array(p->arena, (size_t)count, sizeof(struct node *));
    for (int i = 0; i < count; i++)
        sides[i] = all[i];
    TRY(align_sides(p, sides, count));
    *ret = node_over(p, NODE_IN, NULL, sides, count);
    return OK;
}

enum rc type_compare(struct parser *p, enum node_kind kind, struct node *a, struct node *b,
                     struct node **ret)
{
    struct node *sides[] = {a, b};
    if (kind == NODE_EQ && is_missing(b))
        return type_empty(p, a, ret);
    if (kind == NODE_EQ && b->kind == NODE_MY_GROUPS)
        return type_in(p, sides, 2, ret);
    TRY(align_sides(p, sides, 2));
    if (kind != NODE_EQ)
        TRY(check_order(p, sides, 2));
    *ret = node_over(p, kind, NULL, sides, 2);
    return OK;
}

enum rc type_between(struct parser *p, struct node *const *three, struct node **ret)
{
    struct node *sides[] = {three[0], three[1], three[2]};
    TRY(align_sides(p, sides, 3));
    TRY(check_order(p, sides, 3));
    *ret = node_over(p, NODE_BETWEEN, NULL, sides, 3);
    return OK;
}

static const char *verb_of(enum node_kind kind)
{
    return kind == NODE_UNDER ? "under" : kind == NODE_CONTAINS ? "contains" : "starts with";
}

enum rc type_matched(struct parser *p, enum node_kind kind, const struct node *a)
{
    const enum field_type wanted = kind == NODE_UNDER ? TYPE_TREE : TYPE_TEXT;
    const bool is_field = a->kind == NODE_FIELD && a->like->slot != FIELD_PROCESS;
    if (is_field && a->like->type == wanted)
        return OK;
    return expr_fault_at(
        p, a->at, a->len, "%s needs a field with %s before it%s", verb_of(kind),
        kind == NODE_UNDER ? "a tree of choices" : "one line of text",
        a->like && a->like->type == TYPE_LONG_TEXT ? "; search long texts with free words" : "");
}

enum rc type_match(struct parser *p, enum node_kind kind, struct node *a, struct node *needle,
                   struct node **ret)
{
    const char *text = needle->val.text;
    if (needle->kind != NODE_CONST || needle->val.kind != VAL_TEXT || !*text)
        return expr_fault_at(p, needle->at, needle->len, "%s needs %s after it", verb_of(kind),
                             kind == NODE_UNDER ? "a path of the tree" : "a text in quotes");

    *ret = node_over(p, kind, NULL, (struct node *[]){a, needle}, 2);
    (*ret)->text = text;
    (*ret)->folded = a->like->slot == FIELD_NUMBER ? str_lower_ascii(p->arena, text)
                                                   : words_fold(p->arena, text);
    if (!*(*ret)->folded)
        return expr_fault_at(p, needle->at, needle->len, "%s needs a letter or digit",
                             verb_of(kind));
    return OK;
}

/* ---- joining -------------------------------------------------------------------------------- */

enum rc type_condition(struct parser *p, struct node **n)
{
    if (node_is_condition(*n) || ((*n)->like && (*n)->like->type == TYPE_FLAG))
        return OK;
    return expr_fault_at(p, (*n)->at, (*n)->len, "this is %s, and a condition is needed%s",
                         type_noun(*n),
                         (*n)->kind == NODE_FIELD ? "; compare it with something" : "");
}

enum rc type_join(struct parser *p, enum node_kind kind, struct node *const *all, int count,
                  struct node **ret)
{
    *ret = all[0];
    if (count == 1)
        return OK;

    struct node **kids = arena_array(p->arena, (size_t)count, sizeof(struct node *));
    for (int i = 0; i < count; i++) {
        kids[i] = all[i];
        TRY(type_condition(p, &kids[i]));
    }
    *ret = node_over(p, kind, NULL, kids, count);
    return OK;
}

struct node *type_not(struct parser *p, struct node *a)
{
    return node_over(p, NODE_NOT, NULL, &a, 1);
}

enum rc type_branches(struct parser *p, struct node *n, struct node **all, int count, int first)
{
    TRY(align(p, all + first, count - first, false));
    node_adopt(p, n, (const struct node *const *)all, count);
    for (int i = first; i < count; i++) {
        if (is_missing(all[i]))
            continue;
        const bool is_first = !n->like;
        if (is_first || (!node_is_condition(all[i]) && all[i]->like->type == TYPE_MONEY)) {
            n->like = node_is_condition(all[i]) ? type_like[TYPE_FLAG] : all[i]->like;
            n->decimals = all[i]->decimals;
        }
        if (n->like->type == TYPE_CHOICE && !has_same_choices(n->like, all[i]->like))
            return expr_fault_at(p, all[i]->at, all[i]->len, "this choice is of another list");
        if (is_first || n->lo > all[i]->lo)
            n->lo = all[i]->lo;
        if (is_first || n->hi < all[i]->hi)
            n->hi = all[i]->hi;
    }
    if (!n->like)
        return expr_fault_at(p, n->at, n->len, "this is always empty");
    return OK;
}

/* ---- a value for a field -------------------------------------------------------------------- */

static enum rc not_wanted(struct parser *p, const struct node *n, const struct field *want)
{
    return expr_fault_at(p, n->at, n->len, "%s cannot be set to %s", want->name, type_noun(n));
}

static enum rc want_integer(struct parser *p, struct node **n, const struct field *want,
                            int64_t *ret_divisor)
{
    const enum field_type type = (*n)->like->type;
    if (want->type == TYPE_DATE && type == TYPE_INSTANT)
        *n = type_day(p, *n);
    else if (want->type == TYPE_INSTANT && type == TYPE_DATE)
        TRY(type_times(p, n, US_PER_DAY, type_like[TYPE_INSTANT], 0));
    else if (type != want->type && !(want->type == TYPE_MONEY && type == TYPE_NUMBER))
        return not_wanted(p, *n, want);
    if (type == TYPE_MONEY && !str_equal((*n)->like->currency, want->currency))
        return not_wanted(p, *n, want);

    const bool has_decimals = want->type == TYPE_NUMBER || want->type == TYPE_MONEY;
    const int decimals = has_decimals ? want->decimals : 0;
    if ((*n)->decimals > decimals)
        *ret_divisor = power_of_ten((*n)->decimals - decimals);
    return (*n)->decimals < decimals ? type_scale(p, n, decimals) : OK;
}

static bool has_all_choices(const struct field *f, const struct field *of)
{
    for (int i = 0; of->choices && of->choices[i].name; i++) {
        if (!choice_rank(f, of->choices[i].name))
            return false;
    }
    return true;
}

enum rc type_want(struct parser *p, struct node **n, const struct field *want, int64_t *ret_divisor)
{
    *ret_divisor = 1;
    if (is_missing(*n))
        return OK;
    if (type_is_integer(*n))
        return want_integer(p, n, want, ret_divisor);

    const struct node as_wanted = {.kind = NODE_FIELD, .like = want};
    const bool takes_several = want->type == TYPE_LINKS || want->type == TYPE_PEOPLE;
    if (family(*n) != family(&as_wanted) || (node_is_several(*n) && !takes_several))
        return not_wanted(p, *n, want);
    if (want->type == TYPE_CHOICE && !has_all_choices(want, (*n)->like))
        return expr_fault_at(p, (*n)->at, (*n)->len, "%s does not have all choices of %s",
                             want->name, (*n)->like->name);
    return OK;
}
