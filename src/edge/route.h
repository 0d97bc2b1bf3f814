/* route.h - the table of everything that can be asked over HTTP.
 *
 * One row says all there is to say about an endpoint: method, path, who may, what goes in, what
 * comes out, one line of help. Dispatch, permission, input checks and the OpenAPI document are made
 * from the row; the handler only does the work and never asks who or whether. A row without `allow`
 * does not start the server. A row whose path has {process} stands for one endpoint a process.
 */
#ifndef EDGE_ROUTE_H
#define EDGE_ROUTE_H

#include <stdbool.h>

#include "base/ctx.h"
#include "base/val.h"
#include "http/http.h"

struct server;

/* One call: what a handler has besides the context. */
struct call {
    struct server *server;
    struct request *request;
    struct response *response;
    struct val body; /* parsed JSON; VAL_NULL without */
};

typedef enum rc (*handler_fn)(struct ctx *cx, struct call *c);

/* What a member, a query parameter or an answer's part is; for checks and for OpenAPI. */
enum shape_kind {
    SHAPE_END,
    SHAPE_TEXT,
    SHAPE_INT,
    SHAPE_FLAG,
    SHAPE_INSTANT, /* RFC 3339 */
    SHAPE_ID,      /* an id as a decimal text */
    SHAPE_ANY,     /* any JSON value */
    SHAPE_OBJECT,  /* of `of` */
    SHAPE_LIST,    /* of objects of `of`, or of texts when `of` is NULL */
    SHAPE_RECORD,  /* a record of {process}, as its definition says */
    SHAPE_INPUT,   /* the fields of {process} that may be given */
};

struct shape {
    const char *name;
    enum shape_kind kind;
    const struct shape *of; /* object, list: its members, SHAPE_END at the end */
    const char *schema;     /* object: name under components/schemas; NULL: written in place */
    bool is_required;       /* input: must be there; output: is always there */
    bool is_nullable;
    const char *help;
};

enum route_flag {
    ROUTE_UPLOAD = 1,     /* the body is a file, spooled to disk; not JSON */
    ROUTE_IF_MATCH = 2,   /* needs If-Match: 428 without, 412 when stale */
    ROUTE_IDEMPOTENT = 4, /* honours Idempotency-Key */
    ROUTE_URGENT = 8,     /* served even when the server is busy */
    ROUTE_STREAM = 16,    /* answers with server-sent events */
    ROUTE_NO_LIMIT = 32,  /* does not count against the rate limit */
};

struct route {
    enum http_method method;
    const char *path;  /* "/api/v1/{process}/{number}" */
    const char *allow; /* a right of roles, ALLOW_USER or ALLOW_PUBLIC */
    handler_fn handle;
    const char *name;           /* operationId: "listRecords" */
    const char *help;           /* one line */
    const struct shape *query;  /* parameters; NULL: none. Others are refused. */
    const struct shape *input;  /* members of the body; NULL: no body. Others are refused. */
    const struct shape *output; /* members of the answer; NULL: no body */
    int status;                 /* of success; 0: 200 */
    int flags;
};

/* All tables, each ended by a row without path; NULL at the end. The only list of modules
 * (routes.c). */
extern const struct route *const route_tables[];

/* The row for a method and canonical path, and what its {names} matched. E_NOT_FOUND, or E_INVALID
 * with code "method" and the allowed ones in cx->err.detail. */
enum rc route_match(struct ctx *cx, struct request *rq, const struct route **ret);

#endif
