/* server.h - the running program: settings, database, definitions, jobs and HTTP, put together.
 *
 *   server_open()      folders and database; enough for migrations
 *   server_prepare()   migrates, puts the process files in force; enough for edge_call()
 *   server_start()     jobs, live updates, HTTP
 *   server_run()       until SIGTERM or SIGINT
 *   server_close()     whatever was opened, in the reverse order
 *
 * Commands that work without a running server stop after the second step and call the same routes
 * in their own process.
 */
#ifndef EDGE_SERVER_H
#define EDGE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/settings.h"
#include "http/http.h"
#include "job/job.h"

struct hub;
struct metrics;
struct openapi;

struct server {
    struct arena *arena; /* of the server itself */
    const struct settings *settings;
    const char *data, *blobs, *spool; /* folders */
    const char *_Atomic base_url;     /* without a slash at the end; settled when HTTP runs */
    const char *cookie;               /* name of the session's */
    bool is_secure;                   /* cookies over HTTPS only */
    int64_t rate_limit;               /* requests a minute */
    int64_t started_at;
    int64_t clock_shift_us; /* by tests */
    const char *nonce;      /* begins the ids of requests */
    _Atomic uint64_t calls; /* without a socket */
    struct db *db;
    struct types *types;
    struct metrics *metrics;
    struct openapi *openapi;
    struct hub *hub;                  /* NULL before server_start() */
    struct job_runner *jobs;          /* NULL before server_start() */
    struct http_server *_Atomic http; /* NULL before server_start() */
    struct job_config job_config;
};

/* cx gets the database. The settings must live as long as the server. */
enum rc server_open(struct ctx *cx, const struct settings *settings, struct server **ret);
enum rc server_prepare(struct ctx *cx, struct server *s);

/* Read the process files of the folder again and put them in force; findings are logged. */
enum rc server_load_processes(struct ctx *cx, struct server *s);

/* Put these files (struct process_file) in force; E_INVALID with an error among the findings. */
enum rc server_activate(struct ctx *cx, struct server *s, const struct list *files,
                        struct list *ret_findings);

/* What lang cannot know: rights that do not exist, names that the API needs for itself. Adds
 * findings; E_INVALID when there are some. */
enum rc server_check_processes(struct ctx *cx, const struct defs *defs, struct list *findings);

/* The link for the first administrator, when nobody can administer yet; NULL otherwise. */
enum rc server_first_link(struct ctx *cx, struct server *s, const char **ret);

enum rc server_start(struct ctx *cx, struct server *s);
enum rc server_run(struct ctx *cx, struct server *s);
void server_close(struct server *s); /* NULL is fine */

/* A context for work on this server: database, definitions, clock. */
void server_context(struct server *s, struct arena *arena, struct ctx *ret);

uint64_t server_next_id(struct server *s);

/* ---- calls without a socket ----------------------------------------------------------------- */

struct edge_ask {
    enum http_method method;
    const char *target;              /* "/api/v1/incident?limit=5" */
    const struct http_pair *headers; /* lower-case names, name NULL at the end; NULL: none */
    const char *body;                /* JSON; NULL: none */
};

/* The same dispatch as over HTTP, by the operator unless a header says who. Answers always; look at
 * ret->status. What it holds lives in the arena. */
void edge_call(struct server *s, struct arena *arena, const struct edge_ask *ask,
               struct response *ret);

#endif
