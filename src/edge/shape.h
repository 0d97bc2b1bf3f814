/* shape.h - does the input have the form that its route says?
 *
 * Unknown names are refused with the nearest known one, so that a typing error never passes
 * silently. Faults are collected with problem(); fields are dotted paths ("who.email"). What the
 * fields of a record may hold is not checked here but in rec, by the definition of its process.
 */
#ifndef EDGE_SHAPE_H
#define EDGE_SHAPE_H

#include "edge/route.h"

/* The members of a body; E_INVALID with all faults. */
enum rc shape_check(struct ctx *cx, const struct shape *shapes, const struct val *body);

/* The query parameters of a request; each at most once. */
enum rc shape_check_query(struct ctx *cx, const struct shape *shapes, const struct request *rq);

/* A query parameter as a number; `otherwise` when it was not sent. Its row bounds it. */
int64_t query_int(const struct request *rq, const char *name, int64_t otherwise);
bool query_flag(const struct request *rq, const char *name);
/* Whether one of the words of a comma-separated parameter is this one. */
bool query_has(const struct request *rq, const char *name, const char *word);

/* A member of the checked body; what was not sent is 0, NULL or false. */
int64_t body_id(const struct call *c, const char *name);
int64_t body_int(const struct call *c, const char *name);
const char *body_text(const struct call *c, const char *name);
bool body_flag(const struct call *c, const char *name);
int64_t body_instant(const struct call *c, const char *name);
bool body_has(const struct call *c, const char *name); /* sent, even if null */

/* An {id} of the path: E_NOT_FOUND when it is not a number. "me" is who asks. */
enum rc path_id(struct ctx *cx, const struct call *c, const char *name, int64_t *ret);

#endif
