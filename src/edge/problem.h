/* problem.h - a failure as the caller sees it: application/problem+json (RFC 9457).
 *
 * Made in one place from what fail() and problem() left in the context. What is our own fault says
 * nothing but the id of the request, under which the log has the details.
 */
#ifndef EDGE_PROBLEM_H
#define EDGE_PROBLEM_H

#include "edge/route.h"

/* HTTP status of the failure in cx. */
int problem_status(const struct ctx *cx, enum rc rc);

/* Replaces whatever the response held. c->route may be NULL. */
void problem_write(struct ctx *cx, struct call *c, enum rc rc);

#endif
