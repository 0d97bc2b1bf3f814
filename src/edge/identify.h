/* identify.h - who sends this request, and may this page of the browser send it? */
#ifndef EDGE_IDENTIFY_H
#define EDGE_IDENTIFY_H

#include "edge/route.h"

/* cx->user from a token, a session's cookie or the local socket, in this order. On public routes a
 * bad proof counts as none. */
enum rc identify(struct ctx *cx, struct call *c);

/* Requests that change something and carry a cookie must come from our own pages. */
enum rc identify_check_origin(struct ctx *cx, struct call *c);

/* Count the request; E_LIMIT when there were too many. Adds the RateLimit fields. */
enum rc identify_check_rate(struct ctx *cx, struct call *c);

/* The language to answer in, out of those that the definitions know; else what cx has. */
const char *identify_language(struct ctx *cx, const struct request *rq);

bool method_is_safe(enum http_method m);

#endif
