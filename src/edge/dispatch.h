/* dispatch.h - one request from the wire to its reply: route, identity, limits, permission, input,
 * handler, problem. Nothing of it is repeated in a handler. */
#ifndef EDGE_DISPATCH_H
#define EDGE_DISPATCH_H

#include "edge/route.h"

/* http_config.handle and .admit; arg is the struct server. */
void dispatch(struct request *rq, struct response *rs, void *arg);
struct http_admission dispatch_admit(enum http_method method, const char *path, void *arg);

#endif
