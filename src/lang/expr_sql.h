/* expr_sql.h - pieces of the translation; between the expr_sql*.c files only. */
#ifndef LANG_EXPR_SQL_H
#define LANG_EXPR_SQL_H

#include "base/buf.h"
#include "lang/expr_node.h"

#define MOST_GROUP_PARAMS 32

/* How a choice is written: by name, by its place from 1, or as its own column has it. */
enum form { AS_TEXT, AS_RANK, AS_COLUMN };

struct out {
    struct ctx *cx;
    const struct expr *e; /* NULL: only a field is written */
    struct expr_sql *sql;
    struct buf *b;
    struct expr_env env;
    const char *groups[MOST_GROUP_PARAMS]; /* parameters of my groups, once they are needed */
};

/* ---- expr_sql_value.c ----------------------------------------------------------------------- */

bool is_postgres(const struct out *o);
bool is_of(const struct node *n, enum field_type type);
bool is_ranked(const struct field *f); /* its column holds a number for a choice */
bool is_hidden(const struct out *o, const struct field *f);

/* Add a parameter; its name. */
const char *add_int(struct out *o, int64_t i);
const char *add_text(struct out *o, const char *text);

void write_int(struct out *o, int64_t i);
void write_text(struct out *o, const char *text);
void write_text_param(struct out *o, const char *name); /* once more */
void write_literal(struct out *o, const char *s);
void write_member(struct out *o, const char *column, const char *arrow, const char *name);
void write_missing(struct out *o, bool is_text);
void write_column(struct out *o, const struct field *f);
void write_field(struct out *o, const struct field *f, enum form form);
void write_value(struct out *o, const struct node *n, enum form form);
/* The same for what something is calculated from. */
void write_operand(struct out *o, const struct node *n, enum form form);

/* ---- expr_sql_compare.c --------------------------------------------------------------------- */

void write_comparison(struct out *o, const struct node *n);
void write_in(struct out *o, const struct node *n);
void write_empty(struct out *o, const struct node *n, bool is_not);
void write_match(struct out *o, const struct node *n);
void write_under(struct out *o, const struct node *n);

/* ---- expr_sql.c ----------------------------------------------------------------------------- */

void write_condition(struct out *o, const struct node *n);

#endif
