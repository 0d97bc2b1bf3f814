/* openapi.h - the description of the API for programs (OpenAPI 3.1), made from the route tables and
 * from the processes that are in force: a row with {process} becomes one endpoint a process, with
 * the very fields that it has. */
#ifndef EDGE_OPENAPI_H
#define EDGE_OPENAPI_H

#include "base/ctx.h"
#include "base/json.h"
#include "edge/route.h"

struct openapi;

struct openapi *openapi_create(struct arena *a);
void openapi_destroy(struct openapi *o);

/* The document for the definitions of cx, appended to out; made anew only when they changed. */
void openapi_write(struct ctx *cx, struct openapi *o, const char *base_url, struct buf *out);

#endif
