/* expr_parse.h - the grammar of expressions; between the files of the parser only.
 *
 * expr_ahead.c tells what stands ahead, expr_value.c reads values, expr_parse.c what joins them.
 */
#ifndef LANG_EXPR_PARSE_H
#define LANG_EXPR_PARSE_H

#include "lang/expr_node.h"

/* Parse the whole text. like: what a value should be like, or NULL. On E_INVALID p->fault is set.
 */
enum rc expr_parse_text(struct parser *p, const struct field *like, struct node **ret,
                        struct list *ret_orders);

/* ---- expr_ahead.c --------------------------------------------------------------------------- */

/* What may follow a value. */
struct relation {
    int symbol;
    const char *words[3]; /* instead of a symbol */
    enum node_kind kind;
    bool is_not;
};

/* The one that stands here, gone past; NULL: none. */
const struct relation *find_relation(struct lexer *l);
bool is_comparison_symbol(struct lexer l);

/* Words that are values wherever a value may stand. */
struct keyword {
    const char *name;
    enum node_kind kind;
    enum field_type type; /* TYPE_COUNT: of none */
    bool is_true;
};
const struct keyword *find_keyword(const struct token *t);

bool is_call(const struct lexer *l); /* if(, coalesce( */
bool is_my_groups(struct lexer l);
/* Whether a calculation goes on after left. */
bool calculates(const struct lexer *l, bool is_query, const struct node *left);
bool order_begins(struct parser *p, struct lexer l);
bool ends_term(struct parser *p, struct lexer l);
/* Whether a term of a query is a condition; everything else is searched for. */
bool begins_condition(struct parser *p);

/* ---- expr_value.c --------------------------------------------------------------------------- */

enum rc parse_sum(struct parser *p, const struct field *like, struct node **ret);
/* The same beside an operator or a comma: no free words in there, even in a query. */
enum rc parse_operand(struct parser *p, const struct field *like, struct node **ret);
struct node *parse_my_groups(struct parser *p);

/* ---- expr_parse.c --------------------------------------------------------------------------- */

enum rc parse_or(struct parser *p, const struct field *like, struct node **ret);

enum rc unexpected(struct parser *p, const char *wanted);
enum rc expect(struct parser *p, int symbol, const char *wanted); /* and go past it */
bool accept_word(struct parser *p, const char *keyword);
enum rc enter(struct parser *p); /* one level deeper; the way back is p->depth-- */

#endif
