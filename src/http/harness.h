/* harness.h - for the tests of this module: a server in the same process, and clients that send
 * bytes rather than requests.
 */
#ifndef HTTP_HARNESS_H
#define HTTP_HARNESS_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/str.h"
#include "base/test.h"
#include "base/time.h"
#include "http/http.h"

/* Sanitizers take memory of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define HAS_SANITIZER 0
#endif

/* ---- the server ----------------------------------------------------------------------------- */

enum { MOST_STREAMS = 65536 };

struct harness {
    struct arena *arena;
    struct ctx cx;
    struct http_config config;
    struct http_server *server;
    int port;
    char dir[64]; /* for sockets and uploads; removed at the end */
    atomic_int handled, canaries;
    atomic_bool is_held; /* "/hold" waits while it is */
    _Atomic(struct http_stream *) streams[MOST_STREAMS];
    atomic_int stream_count;
};

static inline void sleep_ms(int ms)
{
    poll(NULL, 0, ms);
}

static inline void reply_text(struct response *rs, const char *text)
{
    rs->type = "text/plain";
    buf_puts(&rs->body, text);
}

static inline void handle_echo(struct harness *h, struct request *rq, struct response *rs)
{
    (void)h;
    rs->type = "text/plain";
    buf_printf(&rs->body, "%s %s\n", http_method_name(rq->method), rq->path);
    buf_add(&rs->body, rq->body, rq->body_len);
}

static inline void handle_canary(struct harness *h, struct request *rq, struct response *rs)
{
    (void)rq;
    atomic_fetch_add(&h->canaries, 1);
    reply_text(rs, "canary");
}

static inline void handle_hold(struct harness *h, struct request *rq, struct response *rs)
{
    (void)rq;
    while (atomic_load(&h->is_held))
        sleep_ms(1);
    reply_text(rs, "held");
}

static inline void handle_upload(struct harness *h, struct request *rq, struct response *rs)
{
    (void)h;
    struct stat st = {0};
    if (rq->spool)
        assert_int_equal(stat(rq->spool, &st), 0);
    rs->type = "text/plain";
    buf_printf(&rs->body, "%lld %lld %s", (long long)rq->spool_len, (long long)st.st_size,
               rq->spool_sha256);
}

static inline void handle_big(struct harness *h, struct request *rq, struct response *rs)
{
    (void)h;
    int64_t n = 0;
    const char *asked = request_query(rq, "n");
    if (asked)
        str_to_int(asked, &n);
    rs->type = "application/octet-stream";
    for (; n > 0; n -= 1024) {
        static const char block[1024] = "big";
        buf_add(&rs->body, block, n < 1024 ? (size_t)n : 1024);
    }
}

static inline void handle_file(struct harness *h, struct request *rq, struct response *rs)
{
    rs->type = "application/octet-stream";
    rs->file = arena_printf(rq->arena, "%s/%s", h->dir, request_query(rq, "name"));
}

static inline void handle_stream(struct harness *h, struct request *rq, struct response *rs)
{
    rs->type = "text/event-stream";
    const int i = atomic_fetch_add(&h->stream_count, 1);
    assert_true(i < MOST_STREAMS);
    struct http_stream *s = http_stream_open(rq, rs);
    h->streams[i] = s;
    http_stream_send(s, ": hello\n\n", 9);
}

static inline void handle_none(struct harness *h, struct request *rq, struct response *rs)
{
    (void)h;
    (void)rq;
    rs->status = 204;
}

static inline void handle_peer(struct harness *h, struct request *rq, struct response *rs)
{
    (void)h;
    rs->type = "text/plain";
    buf_printf(&rs->body, "%s %d", rq->peer, (int)rq->peer_uid);
}

static const struct {
    const char *path;
    void (*handle)(struct harness *h, struct request *rq, struct response *rs);
} harness_paths[] = {
    {"/canary", handle_canary}, {"/hold", handle_hold}, {"/upload", handle_upload},
    {"/big", handle_big},       {"/file", handle_file}, {"/stream", handle_stream},
    {"/none", handle_none},     {"/peer", handle_peer},
};

static inline void harness_handle(struct request *rq, struct response *rs, void *arg)
{
    struct harness *h = arg;
    atomic_fetch_add(&h->handled, 1);
    for (int i = 0; i < ARRAY_LEN(harness_paths); i++)
        if (strcmp(rq->path, harness_paths[i].path) == 0) {
            harness_paths[i].handle(h, rq, rs);
            return;
        }
    handle_echo(h, rq, rs);
}

static inline struct http_admission harness_admit(enum http_method method, const char *path,
                                                  void *arg)
{
    (void)method;
    (void)arg;
    if (strcmp(path, "/upload") == 0)
        return (struct http_admission){.max_body = 64 << 20, .spool = true};
    return (struct http_admission){.max_body = 100000, .is_urgent = strcmp(path, "/urgent") == 0};
}

/* Call between harness_init() and harness_start() to change h->config. */
static inline void harness_init(struct harness *h)
{
    memset(h, 0, sizeof(*h));
    h->arena = arena_create();
    h->cx.arena = h->arena;
    memcpy(h->dir, "/tmp/http-test-XXXXXX", sizeof("/tmp/http-test-XXXXXX"));
    assert_non_null(mkdtemp(h->dir));
    h->config = (struct http_config){
        .listen = {"127.0.0.1:0"},
        .spool_dir = arena_printf(h->arena, "%s/spool", h->dir),
        .loops = 2,
        .workers = 4,
        .max_queue = 1000,
        .header_timeout_us = 10 * US_PER_S,
        .body_timeout_us = 10 * US_PER_S,
        .idle_timeout_us = 10 * US_PER_S,
        .drain_timeout_us = 3 * US_PER_S,
        .admit = harness_admit,
        .handle = harness_handle,
        .arg = h,
    };
}

static inline void harness_start(struct harness *h)
{
    assert_int_equal(http_start(&h->cx, &h->config, &h->server), OK);
    h->port = http_port(h->server, 0);
}

static inline void harness_done(struct harness *h)
{
    for (int i = 0; i < h->stream_count; i++)
        http_stream_release(h->streams[i]);
    http_destroy(h->server);
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", h->dir);
    assert_int_equal(system(command), 0);
    arena_destroy(h->arena);
}

/* ---- clients -------------------------------------------------------------------------------- */

static inline int dial(const struct harness *h)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)h->port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* false: the server has closed. */
static inline bool say_bytes(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool say(int fd, const char *s)
{
    return say_bytes(fd, s, strlen(s));
}

/* Everything until the server closes, or nothing comes for so long; true: it closed. */
static inline bool hear_all(int fd, char *ret, size_t room, size_t *ret_len, int quiet_ms)
{
    size_t len = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const bool is_ready = poll(&p, 1, quiet_ms) == 1;
        const ssize_t n = is_ready && len + 1 < room ? recv(fd, ret + len, room - 1 - len, 0) : -1;
        if (n > 0) {
            len += (size_t)n;
            continue;
        }
        ret[len] = '\0';
        if (ret_len)
            *ret_len = len;
        return n == 0 || (is_ready && errno == ECONNRESET);
    }
}

struct answer {
    int status; /* 0: closed without one; -1: nothing came, or not a whole answer */
    char head[4096];
    char body[4096]; /* as much as fits */
    size_t body_len; /* all of it */
};

/* Reads one reply with Content-Length or without body; byte by byte, so nothing of the next. */
static inline void hear(int fd, struct answer *ret, bool has_body)
{
    size_t len = 0;
    memset(ret, 0, sizeof(*ret));
    ret->status = -1;
    while (len < sizeof(ret->head) - 1 && !strstr(ret->head, "\r\n\r\n")) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 5000) != 1)
            return;
        if (recv(fd, ret->head + len, 1, 0) != 1) {
            ret->status = len == 0 ? 0 : -1;
            return;
        }
        len++;
    }
    const char *length = strstr(ret->head, "Content-Length: ");
    size_t left = length && has_body ? strtoul(length + 16, NULL, 10) : 0;
    while (left > 0) {
        char part[16384];
        const ssize_t n = recv(fd, part, left < sizeof(part) ? left : sizeof(part), 0);
        if (n <= 0)
            return;
        for (ssize_t i = 0; i < n && ret->body_len + (size_t)i < sizeof(ret->body) - 1; i++)
            ret->body[ret->body_len + (size_t)i] = part[i];
        ret->body_len += (size_t)n;
        left -= (size_t)n;
    }
    ret->status = (int)strtol(ret->head + 9, NULL, 10);
}

static inline int ask(int fd, const char *request, struct answer *ret)
{
    say(fd, request);
    hear(fd, ret, strncmp(request, "HEAD", 4) != 0);
    return ret->status;
}

static inline bool is_closed(int fd, int within_ms)
{
    char rest[4096];
    return hear_all(fd, rest, sizeof(rest), NULL, within_ms);
}

#endif
