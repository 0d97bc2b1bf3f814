/* http.h - HTTP/1.1 (RFC 9110, 9112) requests in, replies out.
 *
 * Event loops (libuv) read and write sockets and parse with llhttp; they never touch the database.
 * A complete request is handed to a worker thread, which calls the handler, which may block. One
 * arena per request; everything in struct request lives in it.
 *
 * Strict: one Host, one Content-Length of digits only or exactly "Transfer-Encoding: chunked",
 * never both; CRLF line ends; no obs-fold, no NUL, no bare CR or LF. Whatever breaks a rule is
 * answered 400 and the connection closed; nothing is guessed. Bounded: header bytes and count,
 * target length, body size (413 before it is read), connections (in all and per peer), requests
 * waiting for a worker (503 with Retry-After). Deadlines are absolute: a sender who trickles bytes
 * is cut at the deadline (408).
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"
#include "base/val.h"

struct ctx;

enum {
    HTTP_MAX_TARGET = 8192, /* bytes; longer ones are answered 414 */
    HTTP_MAX_HEAD = 16384,  /* bytes of request line and headers; more is answered 431 */
    HTTP_MAX_HEADERS = 100, /* more is answered 431 */
};

/* ---- request -------------------------------------------------------------------------------- */

enum http_method {
    HTTP_GET_,
    HTTP_HEAD_,
    HTTP_POST_,
    HTTP_PUT_,
    HTTP_PATCH_,
    HTTP_DELETE_,
    HTTP_OPTIONS_,
    HTTP_METHODS
};
const char *http_method_name(enum http_method m);

struct http_pair {
    const char *name;  /* headers: lower case */
    const char *value; /* headers: trimmed; query: percent-decoded */
};

struct request {
    struct arena *arena;
    enum http_method method;
    const char *target; /* as sent */
    const char
        *path; /* percent-decoded, canonical: starts with '/', no "//", "." or ".." segments */
    struct list query;   /* of struct http_pair, in the order sent */
    struct list headers; /* of struct http_pair */
    struct list
        params;       /* of struct http_pair: what the route's {names} matched; set by the router */
    const char *body; /* NUL-terminated; "" when spooled or absent */
    size_t body_len;  /* of body; 0 when spooled */
    const char *spool; /* path of the file that holds the body of an upload, or NULL (an empty body
                        * is not spooled); removed when the request ends unless renamed away */
    int64_t spool_len;
    char spool_sha256[65]; /* of the spooled body, computed while it came in; "" without spool */
    int64_t received_at;   /* instant of the first byte */
    const char *peer;      /* address text: "127.0.0.1", or "unix" */
    int64_t peer_uid;      /* of a local socket's peer; -1 otherwise */
    uint64_t id;           /* counts requests of this server; part of the request id */
    int worker;            /* index of the thread that serves it: 0 .. http_config.workers; the last
                            * of these serves only urgent requests */
};

const char *request_header(const struct request *rq, const char *lower_name); /* NULL: not sent */
const char *request_query(const struct request *rq, const char *name);        /* first, or NULL */
const char *request_param(const struct request *rq, const char *name); /* of the path, never NULL */
const char *request_cookie(const struct request *rq, const char *name); /* NULL: not sent */

/* ---- response ------------------------------------------------------------------------------- */

struct response {
    int status;          /* 0 is taken as 200, or 204 when there is no body */
    struct list headers; /* of struct http_pair */
    struct buf body;
    const char *type; /* Content-Type of the body; NULL with no body */
    const char *file; /* send this file as the body instead; opened when the handler returns */
    const char *static_body; /* bytes that live as long as the program, instead of body */
    size_t static_len;
    struct http_stream *stream; /* set by http_stream_open(): the reply stays open, body unused */
};

/* Control characters, and the headers that are http's own (Content-Length, Transfer-Encoding,
 * Connection, Date), are a bug in the caller: refused by ending the process. */
void response_header(struct response *rs, struct arena *a, const char *name, const char *value);

/* ---- open replies: server-sent events -------------------------------------------------------- */

/* A reply that goes on. Thread-safe. The stream is reference-counted: open gives the caller one
 * reference. An idle stream costs the server less than 4 KB. A listener that does not read is cut
 * when more than 64 KB wait for it. */
struct http_stream;
struct http_stream *http_stream_open(struct request *rq, struct response *rs);
bool http_stream_send(struct http_stream *s, const char *bytes, size_t len); /* false: closed */
bool http_stream_is_open(struct http_stream *s);
size_t http_stream_waiting(struct http_stream *s); /* bytes that the listener has not read yet */
void http_stream_close(struct http_stream *s);     /* end the reply */
void http_stream_release(struct http_stream *s);   /* drop the caller's reference */

/* ---- server --------------------------------------------------------------------------------- */

/* What may come in, decided from method and path alone, on the loop's thread, before the body is
 * read: no blocking, no database. */
struct http_admission {
    int64_t max_body; /* more is answered 413 */
    bool spool;       /* stream the body to a file below spool_dir, hashing it on the way */
    bool is_urgent;   /* health: served even when the queue for workers is full */
};

struct http_config {
    const char *listen[4]; /* "host:port", "[v6]:port", "*:port", "unix:/path" (mode 0600, a stale
                            * one is replaced); NULL ends. Port 0: any free one */
    const char *spool_dir; /* for uploads, made if need be; NULL: they are answered 507 */
    int loops, workers;    /* one urgent request at a time has a worker of its own besides */
    int max_connections;   /* 0: from the process's limit of open files, which is raised */
    int max_per_peer;      /* address (IPv6: /64); not for local sockets; 0: none */
    int max_queue;         /* requests waiting for a worker; 0: 1024 */
    int64_t max_bodies;    /* bytes of bodies in memory, of all requests together; more is answered
                            * 503; 0: 256 MB */

    /* 0 gives the default. A head has to be complete within header_timeout of its first byte (10
     * s). A body or a reply may stand still for body_timeout (10 s), and after that must have moved
     * at 1 kB/s on average. A connection without request ends after idle_timeout (75 s). */
    int64_t header_timeout_us, body_timeout_us, idle_timeout_us;
    int64_t drain_timeout_us; /* for http_stop() (20 s) */

    struct http_admission (*admit)(enum http_method method, const char *path, void *arg);
    void (*handle)(struct request *rq, struct response *rs, void *arg); /* on a worker thread */
    void *arg;
};

struct http_server;

/* Binds, starts loops and workers, returns when it is ready to accept. E_FAIL names the address. */
enum rc http_start(struct ctx *cx, const struct http_config *config, struct http_server **ret);
int http_port(const struct http_server *s, int index); /* of listen[index], when 0 was asked */

/* Stop accepting, let what is under way finish, at most drain_timeout; then stop. A connection in
 * use is told to close with its next reply, an idle one has half a second to be used once more,
 * streams are ended. Handlers are waited for. Callable from a signal-handling thread; waits. */
void http_stop(struct http_server *s);
void http_destroy(struct http_server *s); /* NULL is fine */

struct http_figures {
    int64_t connections, requests, streams, queue,
        refused; /* the last two: waiting now; 503s so far */
};
struct http_figures http_figures(const struct http_server *s);

#endif
