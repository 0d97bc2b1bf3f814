/* expr_parse.h - the grammar of expressions; between expr.c and expr_parse.c only. */
#ifndef LANG_EXPR_PARSE_H
#define LANG_EXPR_PARSE_H

#include "lang/expr_node.h"

/* Parse the whole text. like: what a value should be like, or NULL. On E_INVALID p->fault is set.
 */
enum rc expr_parse_text(struct parser *p, const struct field *like, struct node **ret,
                        struct list *ret_orders);

/* Whether an ORDER BY stands here. */
bool expr_order_begins(struct parser *p, struct lexer l);

#endif
