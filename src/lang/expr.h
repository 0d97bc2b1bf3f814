/* expr.h - the expression language: guards, rules, filters, the search box, reports.
 *
 * One grammar, checked against field types when it is parsed, evaluated in memory over a record's
 * values and translated to SQL, with the same meaning. It has no loops, no assignment and no I/O,
 * and it always ends. doc/language/ is its manual.
 *
 *   status = open and priority <= high
 *   group in my groups and assignee is empty and created > now - 2 days
 *   title contains "print" and not (category under hardware/printer)
 *   printer "out of paper" -toner jam*  ORDER BY priority, created desc
 *
 * MEANING. An expression as a condition is true or false, never unknown. A comparison with a
 * missing value is false, except != (true) and `is empty`. `not x` is true exactly when x is false,
 * a != b exactly when a = b is. Choices compare in the order of their list. Words that are no
 * field, operator or keyword search the full text: all must occur; "a b" is a phrase, a OR b
 * either, -a or NOT a none, a* a beginning. Names are case-sensitive except keywords.
 */
#ifndef LANG_EXPR_H
#define LANG_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"
#include "base/val.h"
#include "lang/process.h"

struct buf;
struct ctx;
struct expr;

/* Where names in an expression come from: the fields of one process, or those common to several (a
 * list over all processes knows the built-in ones and fields of the same name and type in all). */
struct expr_scope {
    const struct field *const *fields;
    int count;
    bool is_query; /* allows free words and ORDER BY */
};
/* Sets is_query to false. Where processes differ, a field has the choices of all and the widest
 * bounds, and is internal when it is so in one. */
void expr_scope_of(struct arena *a, const struct process *const *processes, int count,
                   struct expr_scope *ret);

/* Where an expression is wrong: offsets in bytes into the text. */
struct expr_fault {
    int at, len;
    const char *text; /* one sentence, with a suggestion where there is one */
};

enum expr_want { WANT_CONDITION, WANT_VALUE };

/* Parse and check. On E_INVALID *ret_fault (may be NULL) says where, and the failure is described.
 * want_type matters for WANT_VALUE only: the field that the value is set into, NULL for any.
 * Bounded: 4 KB of text, depth 32, 150 values. The text is copied. */
enum rc expr_parse(struct ctx *cx, const struct expr_scope *scope, const char *text,
                   enum expr_want want, const struct field *want_type, const struct expr **ret,
                   struct expr_fault *ret_fault);

const char *expr_source(const struct expr *e); /* as written */

/* The order that follows ORDER BY; empty when none was written. */
struct expr_order {
    const struct field *field; /* NULL: relevance of the free words */
    bool is_descending;
};
const struct expr_order *expr_orders(const struct expr *e, int *ret_count);
bool expr_has_words(const struct expr *e);

/* Slots that an expression reads; for "which fields does this depend on". Free words read the
 * searched texts that are not internal. */
bool expr_reads(const struct expr *e, int slot);

/* ---- while it is typed ------------------------------------------------------------------------
 */

enum candidate_kind { CANDIDATE_FIELD, CANDIDATE_OPERATOR, CANDIDATE_CHOICE, CANDIDATE_KEYWORD };
struct candidate {
    enum candidate_kind kind;
    const char *text; /* as it is to be written, quoted where it needs to be */
    int from;         /* it replaces the text from this byte to the cursor */
};

/* What could stand at the cursor (a byte of the text) and begins with what is typed there: at most
 * 100, in the order of their definition. What only the database knows (people, groups, records) is
 * not among them. */
void expr_complete(struct ctx *cx, const struct expr_scope *scope, const char *text, int cursor,
                   struct list *ret); /* of struct candidate */

/* ---- in memory --------------------------------------------------------------------------------
 */

struct expr_env {
    const struct val *slots; /* of the record, by slot */
    int64_t now;
    int64_t me; /* person id; 0: the system, which equals nobody */
    const int64_t *my_groups;
    int my_group_count;
    /* The id behind a name written in the expression: a person's login, a group's or organisation's
     * name, a record's number; 0 when there is none. */
    int64_t (*id_of)(void *arg, enum field_type type, const char *name);
    void *arg;
    bool hides_internal;  /* free words do not look at internal fields */
    const char *language; /* of the record's texts, for stems; NULL: any */
    struct arena *arena;
};

bool expr_holds(const struct expr *e, const struct expr_env *env);
struct val expr_value(const struct expr *e, const struct expr_env *env);

/* ---- as SQL -----------------------------------------------------------------------------------
 */

struct sql_param {
    const char *name; /* "p1", ... as used in the text with a colon */
    bool is_text;
    int64_t i;
    const char *text;
};

struct expr_sql {
    struct buf *out;    /* the condition is appended here */
    struct list params; /* of struct sql_param, added to */
    const char *record; /* alias of the record table in the statement: "r" */
    int engine;         /* enum db_engine as number: lang does not know db */
    int64_t now, me;
    const int64_t *my_groups;
    int my_group_count;
    bool may_see_internal; /* else internal fields are missing and internal notes not searched */
    bool words_are_joined; /* the statement joins the full text itself, with expr_words_query(): the
                            * condition then leaves out the words that query stands for */
};

/* Append the condition (without ORDER BY) as SQL over the columns named in expr_sql.c, in brackets
 * where it needs them beside an AND. Values are always parameters. The result is true or not true
 * (false, NULL). */
void expr_to_sql(struct ctx *cx, const struct expr *e, struct expr_sql *sql);

/* The SQL that sorts by a field: "r.created_at", "r.id" for the number, a CASE for choices, a CAST
 * of a JSON member. Texts, trees, and the names of people, groups and organisations are texts, all
 * else is an integer. The priority is "coalesce(r.priority, 99)", as the indexes have it: "none"
 * sorts last. What can be missing otherwise is NULL. */
void expr_order_sql(struct ctx *cx, const struct field *f, struct expr_sql *sql);

/* The full-text query, in the engine's own syntax, of the free words that must all hold: those at
 * the top of the expression, not below `or` or `not`. NULL when there are none. A list walks the
 * full text, newest first, with it. */
const char *expr_words_query(struct ctx *cx, const struct expr *e, struct expr_sql *sql);

#endif
