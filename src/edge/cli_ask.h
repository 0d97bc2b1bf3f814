/* cli_ask.h - one request of the REST API, whichever way the server is reached.
 *
 * Three ways, tried in this order, behind one interface:
 *
 *   1. --url or FETTLE_URL: HTTP(S), with the token of FETTLE_TOKEN or --token-file
 *   2. --socket, FETTLE_SOCKET or fettle.sock in the data folder, when somebody listens there
 *   3. the same routes in this process, on the database itself
 *
 * So a command is written once, and may do what whoever calls it may do.
 */
#ifndef EDGE_CLI_ASK_H
#define EDGE_CLI_ASK_H

#include "edge/cli.h"
#include "http/http.h"

struct answer {
    int status;
    struct val body;                           /* VAL_NULL without one */
    const char *location, *etag, *retry_after; /* NULL: not sent */
};

/* path: "/api/v1/incident?limit=5", see ask_path(). body: NULL for none. if_match: NULL for none.
 * A problem of the server becomes a failure with its text and fields; E_BUSY when it is not there.
 */
enum rc ask(struct ctx *cx, struct cli *c, enum http_method method, const char *path,
            const struct val *body, const char *if_match, struct answer *ret);
/* Find the way; asking does so too, but whoever asks with arenas of its own wants it to last. */
enum rc ask_open(struct ctx *cx, struct cli *c);
enum rc ask_get(struct ctx *cx, struct cli *c, const char *path, struct answer *ret);

/* The pages of a list, up to `most` things (0: all). path may have a query. fn gets each page's
 * rows; they live in page->arena, which is reset behind it. *ret_more (may be NULL): there are more
 * than were asked for. */
typedef enum rc (*page_fn)(struct ctx *page, struct cli *c, struct val rows, void *arg);
enum rc ask_pages(struct ctx *cx, struct cli *c, const char *path, int64_t most, page_fn fn,
                  void *arg, bool *ret_more);

/* A whole list at once, for those that are short. */
enum rc ask_all(struct ctx *cx, struct cli *c, const char *path, struct val *ret);

/* Pages that are written as they come. */
struct column;
enum rc ask_print(struct ctx *cx, struct cli *c, const char *path, int64_t most,
                  const struct column *columns, bool *ret_more);

/* Text as a part of a path or query, percent-encoded. */
const char *ask_encoded(struct arena *a, const char *text);

/* ---- the three ways (cli_http.c, cli_inside.c) ---------------------------------------------- */

struct sending {
    enum http_method method;
    const char *path, *body, *if_match; /* body: JSON or NULL */
};

struct received {
    int status;
    const char *text; /* of the body */
    size_t len;
    const char *location, *etag, *retry_after;
};

struct door {
    enum rc (*send)(struct ctx *cx, struct door *d, const struct sending *s, struct received *ret);
    const char *name; /* where it leads, for messages */
};

/* socket NULL: over the network to url. token and ca_file may be NULL. */
enum rc door_http(struct ctx *cx, const char *url, const char *socket, const char *token,
                  const char *ca_file, struct door **ret);
enum rc door_inside(struct ctx *cx, struct cli *c, struct door **ret);

#endif
