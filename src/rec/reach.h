/* reach.h - who asks, as SQL over records: the same reach that auth decides with, in one place for
 * lists, counts and search. Only rec/ includes it. */
#ifndef REC_REACH_H
#define REC_REACH_H

#include "auth/auth.h"
#include "base/buf.h"
#include "db/db.h"

/* A statement under construction, with its arguments by name. */
struct query {
    struct buf sql;
    struct list args; /* of struct arg; args_of() ends it */
    int named;        /* arguments named so far */
};

void query_init(struct ctx *cx, struct query *q);
void query_arg(struct ctx *cx, struct query *q, struct arg a); /* a.name as used in the text */
/* A fresh name for a parameter of this statement: "a1", ... */
const char *query_name(struct ctx *cx, struct query *q);
const struct arg *query_args(struct ctx *cx, struct query *q);

/* Append the condition under which r is within reach: "TRUE" for all, "FALSE" for none. */
void reach_sql(struct ctx *cx, struct query *q, const struct reach *reach);

/* The condition over several processes, each with its own reach of that right: process and reach.
 */
void reach_processes(struct ctx *cx, struct query *q, const struct process *const *processes,
                     int count, enum right right);

/* Whether every record that the right `view` reaches is also reached by this one, by roles alone.
 */
bool reach_is_whole(struct ctx *cx, const struct process *const *processes, int count,
                    enum right right);

#endif
