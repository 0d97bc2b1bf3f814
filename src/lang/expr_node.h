/* expr_node.h - the checked tree of an expression; between the expr_*.c files only.
 *
 * Every node knows its type as a field it is like: a literal is like a field of its type, a choice
 * like the field whose choice it is. Whole-number arithmetic is what all of numbers, money,
 * durations, instants and dates come down to; scaling by decimals is made explicit when the tree is
 * built, and each node carries the bounds of what it can yield, so that nothing can overflow.
 */
#ifndef LANG_EXPR_NODE_H
#define LANG_EXPR_NODE_H

#include "base/arena.h"
#include "base/time.h"
#include "base/val.h"
#include "lang/expr.h"
#include "lang/expr_lex.h"
#include "lang/process.h"

/* The two days that dates and instants lie between: 0001-01-01 and 9999-12-31. */
#define FIRST_DAY INT64_C(-719162)
#define LAST_DAY INT64_C(2932896)

#define MOST_DEPTH 32       /* of nesting as written, and of the tree */
#define MOST_WORDS_DEPTH 12 /* of free words alone: what FTS5's parser has room for */

enum node_kind {
    /* Values */
    NODE_CONST, /* val */
    NODE_FIELD, /* like */
    NODE_NAMED, /* the id behind a name: text, folded */
    NODE_NOW,
    NODE_TODAY,
    NODE_ME,
    NODE_MY_GROUPS, /* only among the kids of NODE_IN */
    NODE_ADD,       /* integers: two kids */
    NODE_SUB,
    NODE_MUL,
    NODE_DIV,      /* towards zero; by zero is missing */
    NODE_DAY,      /* the date of an instant */
    NODE_IF,       /* condition, value, value */
    NODE_COALESCE, /* the first that is not missing */
    NODE_SET,      /* several ids */
    /* Conditions */
    NODE_TRUE, /* nothing to search for */
    NODE_AND,  /* two kids or more */
    NODE_OR,
    NODE_NOT,
    NODE_EQ, /* two kids; the first may hold several ids and then equals each of them */
    NODE_LT,
    NODE_LE,
    NODE_GT,
    NODE_GE,
    NODE_IN,      /* the first among the others */
    NODE_BETWEEN, /* three kids */
    NODE_EMPTY,
    NODE_CONTAINS, /* text field, folded needle */
    NODE_STARTS,
    NODE_UNDER, /* tree field, text path */
    NODE_WORDS, /* words */
    NODE_KINDS
};

/* One term of the full-text search. */
struct words {
    const char *const *tokens; /* count of them, one after the other */
    int count;
    bool is_prefix;           /* the last token is only the beginning of a word */
    const char *const *stems; /* of a single word, NULL at the end; NULL: exactly as written */
};

struct node {
    enum node_kind kind;
    int at, len;              /* of the text */
    const struct field *like; /* NULL: `empty`, conditions */
    int decimals;
    int64_t lo, hi; /* integers: what it can yield */
    int height;
    bool is_fixed; /* needs neither record nor database: now, me, constants */
    bool is_words; /* nothing but free words */
    const struct node **kids;
    int count;
    struct val val;
    const char *text, *folded;
    const struct words *words;
};

/* What fields say is checked when it is written, but their bounds may have been narrowed since. A
 * value outside of them must not get into a calculation whose bounds were worked out from them, so
 * there it counts as missing. What the engine itself keeps is within its bounds. */
static inline bool node_is_guarded(const struct node *n)
{
    return n->kind == NODE_FIELD && (n->like->slot < 0 || n->like->slot >= FIELD_BUILTINS);
}

static inline bool node_is_condition(const struct node *n)
{
    return n->kind >= NODE_TRUE;
}

static inline bool node_is_several(const struct node *n)
{
    return n->like && (n->like->type == TYPE_LINKS || n->like->type == TYPE_PEOPLE);
}

struct expr {
    const char *source;
    const struct node *root;
    const struct expr_order *orders;
    int order_count;
    const struct field *want;         /* of WANT_VALUE, or NULL */
    int64_t want_divisor;             /* the result has more decimals than wanted; 1: it has not */
    const struct field *const *texts; /* the fields that free words look at, NULL at the end */
};

/* The parser's state; shared with the checks in expr_type.c, which report faults through it. */
struct parser {
    struct ctx *cx;
    struct arena *arena;
    const struct expr_scope *scope;
    struct lexer lex;
    int depth;
    int values;     /* operands around: how many */
    bool is_joined; /* the term at hand follows another one without an operator */
    struct expr_fault fault;
};

enum rc expr_fault_at(struct parser *p, int at, int len, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- expr_type.c ---------------------------------------------------------------------------- */

extern const struct field *const type_like[TYPE_COUNT]; /* a field of each type, for literals */

const char *type_noun(const struct node *n);     /* "a number", for messages */
bool type_is_integer(const struct node *n);      /* what can be ordered and calculated with */
bool type_takes_names(const struct field *like); /* written without quotes where it is expected */
int choice_rank(const struct field *f, const char *name); /* from 1; 0: none */

struct node *node_create(struct parser *p, enum node_kind kind, const struct field *like, int at,
                         int len);
struct node *node_const(struct parser *p, const struct field *like, struct val v, int at, int len);
struct node *node_int(struct parser *p, enum field_type type, int64_t i, int decimals, int at,
                      int len);
void node_adopt(struct parser *p, struct node *n, const struct node *const *kids, int count);
/* Over kids, from where the first begins to where the last ends. */
struct node *node_over(struct parser *p, enum node_kind kind, const struct field *like,
                       struct node *const *kids, int count);

/* Each checks the types of its operands and gives the node. */
enum rc type_field(struct parser *p, const struct field *f, int at, int len, struct node **ret);
enum rc type_compare(struct parser *p, enum node_kind kind, struct node *a, struct node *b,
                     struct node **ret);
enum rc type_in(struct parser *p, struct node *const *all, int count, struct node **ret);
enum rc type_between(struct parser *p, struct node *const *three, struct node **ret);
enum rc type_empty(struct parser *p, struct node *a, struct node **ret);
/* Whether the left can be matched, before the right is read with it in mind. */
enum rc type_matched(struct parser *p, enum node_kind kind, const struct node *a);
enum rc type_match(struct parser *p, enum node_kind kind, struct node *a, struct node *needle,
                   struct node **ret);
enum rc type_branches(struct parser *p, struct node *n, struct node **all, int count, int first);
enum rc type_condition(struct parser *p, struct node **n);
enum rc type_join(struct parser *p, enum node_kind kind, struct node *const *all, int count,
                  struct node **ret);
struct node *type_not(struct parser *p, struct node *a);
enum rc type_want(struct parser *p, struct node **n, const struct field *want,
                  int64_t *ret_divisor);

/* ---- expr_calc.c ---------------------------------------------------------------------------- */

enum rc type_calculate(struct parser *p, int symbol, struct node *a, struct node *b,
                       struct node **ret);
enum rc type_times(struct parser *p, struct node **n, int64_t factor, const struct field *like,
                   int decimals);
enum rc type_scale(struct parser *p, struct node **n, int decimals); /* to more decimals */
struct node *type_day(struct parser *p, struct node *instant);
int64_t power_of_ten(int n);

/* ---- expr_name.c ---------------------------------------------------------------------------- */

const struct field *scope_field(const struct expr_scope *s, const char *name);
bool name_is_nearly_field(struct parser *p, const char *name);
enum rc name_unknown_field(struct parser *p, const char *name, int at, int len);
/* What the text stands for where something like that field is expected. */
enum rc name_value(struct parser *p, const struct field *like, const char *text, int at, int len,
                   struct node **ret);

/* ---- expr_eval.c ---------------------------------------------------------------------------- */

struct expr_env;
bool node_holds(const struct expr *e, const struct node *n, const struct expr_env *env);
struct val node_value(const struct expr *e, const struct node *n, const struct expr_env *env);
/* a symbol b; false where it has no result: division by zero, or beyond 64 bits. */
bool calculate(enum node_kind kind, int64_t a, int64_t b, int64_t *ret);

/* ---- expr_words.c --------------------------------------------------------------------------- */

/* NODE_TRUE where the text holds nothing that is indexed. */
struct node *words_node(struct parser *p, const char *text, bool is_exact, int at, int len);

/* The record's texts as tokens, made when the first word asks. */
struct word_texts {
    const char **at; /* NULL at the end; NULL itself: not made yet */
};
bool words_hold(const struct expr *e, const struct words *w, const struct expr_env *env,
                struct word_texts *texts);

/* The search in the engine's own syntax for a node that is_words; *ret_is_not: what is wanted is
 * every record that it does not find. */
const char *words_search(struct arena *a, const struct node *n, bool is_postgres, bool is_internal,
                         bool *ret_is_not);

#endif
