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
#include "base/json.h"
#include "base/val.h"
#include "http/http.h"

struct rec;
struct route;
struct server;

/* One call: what a handler has besides the context. */
struct call {
    struct server *server;
    struct request *request;
    struct response *response;
    const struct route *route;
    struct val body;  /* parsed JSON that passed the row's `input`; VAL_NULL without */
    struct json json; /* writes into the response; a handler that answers JSON just uses it */
    int64_t if_match; /* the revision that If-Match names; 0: it says "*", or there is none */
    const struct rec *current; /* of a record that was changed meanwhile: how it is now */
    const char *csp; /* Content-Security-Policy of the answer; NULL: nothing may be loaded */
};

typedef enum rc (*handler_fn)(struct ctx *cx, struct call *c);

/* What a member, a query parameter or an answer's part is; for checks and for OpenAPI. */
enum shape_kind {
    SHAPE_END,
    SHAPE_TEXT,
    SHAPE_SECRET, /* a text that is never shown again */
    SHAPE_INT,
    SHAPE_FLAG,
    SHAPE_INSTANT, /* RFC 3339 */
    SHAPE_ID,      /* an id as a decimal text */
    SHAPE_ANY,     /* any JSON value */
    SHAPE_MAP,    /* an object with any names; its values are of `of`, or texts when that is NULL */
    SHAPE_OBJECT, /* of `of` */
    SHAPE_RECORD, /* a record of {process}, as its definition says; of any process without */
    SHAPE_ANY_RECORD, /* of any process, though the path names one */
    SHAPE_CREATE,     /* the fields of {process} that creation may give */
    SHAPE_INPUT,      /* the fields of {process} that an edit or an action may give */
};

/* A table of members ends with {0}. One row without a name says what the whole is instead. */
struct shape {
    const char *name;
    enum shape_kind kind;
    bool is_list;           /* a list of these */
    const struct shape *of; /* object, map */
    const char *schema;     /* object: name under components/schemas; NULL: written in place */
    const char *choices;    /* text: one of these words, by space; NULL: any */
    int64_t least, most;    /* int: bounds; text: greatest length in bytes; both 0: none */
    bool is_required;       /* input: must be there; output: is always there */
    bool is_nullable;
    const char *help;
};

enum route_flag {
    ROUTE_UPLOAD = 1,     /* the body is a file, spooled to disk; not JSON */
    ROUTE_IF_MATCH = 2,   /* needs If-Match: 428 without, 412 when stale */
    ROUTE_IDEMPOTENT = 4, /* honours Idempotency-Key: the handler runs inside a transaction */
    ROUTE_URGENT = 8,     /* served even when the server is busy */
    ROUTE_STREAM = 16,    /* answers with server-sent events */
    ROUTE_NO_LIMIT = 32,  /* does not count against the rate limit */
    ROUTE_FILE = 64,      /* answers with bytes of any type */
    ROUTE_HIDDEN = 128,   /* not part of the OpenAPI document */
    ROUTE_WHOLE = 256,    /* the handler runs inside a transaction: what it reads for its answer
                           * fails together with what it writes. It must not hash passwords */
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
    int status;                 /* of success; 0: 200, or 204 without output */
    int flags;
    const char *tag; /* group in the OpenAPI document; NULL: of the row before */
};

/* All tables, each ended by a row without path; NULL at the end. The only list of modules
 * (routes.c). */
extern const struct route *const route_tables[];

/* Look through all tables once and index them. A row that lacks something is a bug: ends the
 * process, so it never starts. Also called by whoever asks first. */
void route_init(void);

/* All rows in the order of the tables, and how many. */
const struct route *const *route_all(int *ret_count);

/* The row for a method and canonical path; fills rq->params with what its {names} matched. HEAD is
 * found as GET. E_NOT_FOUND, or E_INVALID with code "method". */
enum rc route_match(struct ctx *cx, struct request *rq, const struct route **ret);

/* The same without a context or params: NULL when there is none. */
const struct route *route_find(enum http_method method, const char *path);

/* "GET, HEAD, POST": what a path knows; NULL: there is no such path. */
const char *route_methods(struct arena *a, const char *path);

/* Position among route_all(), for counters. */
int route_index(const struct route *r);

/* A first path segment of the API that no process can be named after. */
bool route_is_reserved(const char *segment);

#endif
