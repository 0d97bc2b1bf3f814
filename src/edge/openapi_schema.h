/* openapi_schema.h - JSON schemas of shapes and of processes. Only openapi*.c includes it. */
#ifndef EDGE_OPENAPI_SCHEMA_H
#define EDGE_OPENAPI_SCHEMA_H

#include "base/ctx.h"
#include "base/json.h"
#include "edge/route.h"
#include "lang/process.h"

/* A document under way. Schemas with a name are noted where they are used and written at the end.
 */
struct document {
    struct ctx *cx;
    struct json *j;
    const struct process *process; /* whose endpoint is written; NULL: of none */
    struct list noted;             /* of const struct shape *, each name once */
};

/* The schema of one shape, list or not. */
void schema_shape(struct document *d, const struct shape *s);

/* The schema of a table of members, or of its one row without a name. */
void schema_table(struct document *d, const struct shape *table);

/* components/schemas: what was noted, and what each process has; members only. */
void schema_components(struct document *d);

/* "IncidentRecord" of process incident. */
const char *schema_name(struct arena *a, const struct process *p, const char *what);

#endif
