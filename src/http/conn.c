#include "http/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "http/exchange.h"
#include "http/memory.h"
#include "http/server.h"
#include "http/shard.h"
#include "http/spool.h"
#include "http/stream.h"
#include "http/workers.h"

enum state {
    IDLE,     /* between requests */
    HEAD,     /* part of a head has come */
    BODY,     /* its body is coming */
    SPOOLING, /* it has come; its end is still on the way to the disk */
    WORKING,  /* a worker has the exchange */
    REPLYING, /* the reply is being sent */
    STREAMING,
    LINGERING, /* we have sent our last; what still comes is thrown away, so that the sender gets to
                * read it instead of a reset (RFC 9112, 9.6) */
    GONE,
    STATES
};

struct conn {
    struct deadline deadline;
    struct conn *next, **link; /* among the shard's; or the next dead one */
    struct conn *next_unsent;
    bool is_unsent;
    struct shard *shard;
    struct watch *watch;
    struct exchange *exchange; /* NULL while idle, in a head, streaming */
    struct http_stream *stream;

    /* What was received and not yet used: during a step anywhere, between steps in rest. */
    const char *at;
    size_t left;
    char *rest;
    struct head_scan scan;
    int64_t received_at;

    int64_t pace_from, pace_bytes; /* of the body coming in, or the reply going out */
    struct origin origin;
    int fd;
    enum state state;
    bool has_ended;  /* the sender will send nothing more */
    bool is_blocked; /* the socket takes nothing more for now */
};

enum {
    BUSY_READ = 8 << 10,       /* of what is pipelined, read no more than this ahead */
    MOST_SPOOLING = 256 << 10, /* bytes waiting for the disk */
    LEAST_PACE = 1000,         /* bytes a second, over the time since the grace ended */
    LINGER_US = 2000000,
    DRAIN_GRACE_US = 500000,
};

static const struct http_config *config_of(const struct conn *c)
{
    return &c->shard->server->config;
}

/* ---- deadlines ------------------------------------------------------------------------------ */

static void set_deadline(struct conn *c, int64_t in_us)
{
    wheel_set(&c->shard->wheel, &c->deadline, loop_now(c->shard->loop) + in_us);
}

static void clear_deadline(struct conn *c)
{
    wheel_clear(&c->shard->wheel, &c->deadline);
}

/* A transfer may not stand still for longer than the grace, and after it has to have moved at the
 * least pace on average. */
static void keep_pace(struct conn *c, size_t bytes)
{
    const int64_t now = loop_now(c->shard->loop), grace = config_of(c)->body_timeout_us;
    c->pace_bytes += (int64_t)bytes;
    const int64_t earned = c->pace_from + c->pace_bytes * US_PER_S / LEAST_PACE;
    wheel_set(&c->shard->wheel, &c->deadline, (earned < now ? earned : now) + grace);
}

static void begin_pace(struct conn *c)
{
    c->pace_from = loop_now(c->shard->loop);
    c->pace_bytes = 0;
    keep_pace(c, 0);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void bury(struct conn *c)
{
    c->next = c->shard->dead;
    c->shard->dead = c;
}

void conn_free_dead(struct shard *shard)
{
    while (shard->dead) {
        struct conn *c = shard->dead;
        shard->dead = c->next;
        free(c);
    }
}

static void unlink_conn(struct conn *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->shard->conn_count--;
}

static void drop_stream(struct conn *c)
{
    if (!c->stream)
        return;
    atomic_fetch_sub(&c->shard->server->streams, 1);
    stream_detach(c->stream);
    c->stream = NULL;
}

/* A connection whose exchange is with a worker stays until that is back. */
void conn_close(struct conn *c)
{
    const bool is_working = c->state == WORKING;
    struct http_server *server = c->shard->server;
    c->state = GONE;
    clear_deadline(c);
    if (c->watch)
        watch_end(c->watch);
    close(c->fd);
    drop_stream(c);
    free(c->rest);
    c->rest = NULL;
    c->left = 0;
    unlink_conn(c);
    if (c->origin.is_counted)
        peers_leave(&server->peers, c->origin.key);
    atomic_fetch_sub(&server->connections, 1);
    if (is_working)
        return;
    if (c->exchange)
        shard_give(c->shard, c->exchange);
    bury(c);
}

static void linger(struct conn *c)
{
    if (c->has_ended || shutdown(c->fd, SHUT_WR) < 0) {
        conn_close(c);
        return;
    }
    c->state = LINGERING;
    set_deadline(c, LINGER_US);
}

/* ---- replies -------------------------------------------------------------------------------- */

static void begin_reply(struct conn *c)
{
    c->state = REPLYING;
    begin_pace(c);
}

/* http's own answer. A connection that broke a rule is not read from any more. */
static void answer(struct conn *c, int status, enum reply_end end)
{
    if (!c->exchange)
        c->exchange = shard_take(c->shard, c);
    atomic_fetch_add(&c->shard->server->refused, status == 503);
    reply_problem(&c->exchange->reply, c->exchange->rq.method, status, end);
    begin_reply(c);
}

static bool refuse(struct conn *c, int status)
{
    answer(c, status, REPLY_CLOSE);
    c->left = 0;
    return true;
}

static void become_idle(struct conn *c)
{
    int64_t timeout = config_of(c)->idle_timeout_us;
    if (c->shard->is_draining && timeout > DRAIN_GRACE_US)
        timeout = DRAIN_GRACE_US;
    c->state = IDLE;
    c->scan = (struct head_scan){0};
    set_deadline(c, timeout);
}

static bool step_reply(struct conn *c)
{
    size_t bytes;
    struct reply *r = &c->exchange->reply;
    const enum sent sent = reply_send(r, c->fd, &bytes);
    c->is_blocked = sent == SENT_PART;
    if (sent == SENT_NEVER)
        conn_close(c);
    if (sent == SENT_PART && bytes > 0)
        keep_pace(c, bytes);
    if (sent != SENT_ALL)
        return false;

    const bool is_last = r->end == REPLY_CLOSE || c->has_ended;
    shard_give(c->shard, c->exchange);
    c->exchange = NULL;
    if (c->stream) {
        c->state = STREAMING;
        clear_deadline(c);
        if (c->shard->is_draining)
            http_stream_close(c->stream);
    } else if (is_last) {
        linger(c);
    } else {
        become_idle(c);
    }
    return true;
}

/* ---- requests ------------------------------------------------------------------------------- */

/* After an answer that needed no worker. */
static enum reply_end end_here(const struct conn *c)
{
    const struct parse *p = &c->exchange->parse;
    return p->keeps_alive && !p->is_http10 && !c->shard->is_draining ? REPLY_KEEP : REPLY_CLOSE;
}

static bool dispatch(struct conn *c)
{
    struct exchange *ex = c->exchange;
    clear_deadline(c);
    if (!shard_hand_over(c->shard, ex)) {
        answer(c, 503, end_here(c));
        return true;
    }
    c->state = WORKING;
    return false;
}

static void skip(struct conn *c, size_t n)
{
    c->at += n;
    c->left -= n;
}

/* Sent while nothing else is on its way, so the socket has room for it. */
static bool send_continue(struct conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const ssize_t n = send(c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n == (ssize_t)sizeof(text) - 1;
}

static void on_spooled(void *arg);

static bool begin_body(struct conn *c)
{
    struct exchange *ex = c->exchange;
    struct spooler *spooler = c->shard->server->spooler;
    if (ex->parse.length > ex->admission.max_body)
        return refuse(c, 413);
    if (ex->admission.spool && !spooler)
        return refuse(c, 507);
    if (ex->parse.expects_continue && c->left == 0 && !send_continue(c)) {
        conn_close(c);
        return false;
    }
    if (ex->admission.spool)
        ex->spool = spool_begin(spooler, c->shard->loop, on_spooled, c);
    c->state = BODY;
    begin_pace(c);
    return true;
}

/* "OPTIONS *" asks about the server as a whole (RFC 9110, 9.3.7). */
static bool is_about_server(const struct exchange *ex)
{
    return ex->rq.path[0] == '*';
}

static bool answer_options(struct conn *c)
{
    struct exchange *ex = c->exchange;
    response_header(&ex->rs, ex->arena, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    reply_write(&ex->reply, &ex->rq, &ex->rs, end_here(c));
    begin_reply(c);
    return true;
}

/* All of the request is there. */
static bool serve(struct conn *c)
{
    return is_about_server(c->exchange) ? answer_options(c) : dispatch(c);
}

static void describe(struct conn *c, struct request *rq)
{
    rq->received_at = c->received_at;
    rq->peer = c->origin.peer;
    rq->peer_uid = c->origin.uid;
    rq->id = 1 + atomic_fetch_add_explicit(&c->shard->server->next_id, 1, memory_order_relaxed);
}

static bool begin_request(struct conn *c, size_t head_len)
{
    struct exchange *ex = shard_take(c->shard, c);
    c->exchange = ex;
    describe(c, &ex->rq);
    const int status = parse_head(&ex->parse, &ex->rq, c->at, head_len);
    skip(c, head_len);
    if (status)
        return refuse(c, status);
    const struct http_config *config = config_of(c);
    if (!is_about_server(ex))
        ex->admission = config->admit(ex->rq.method, ex->rq.path, config->arg);
    return ex->parse.is_complete ? serve(c) : begin_body(c);
}

static bool step_head(struct conn *c)
{
    if (c->left == 0) {
        if (c->has_ended)
            conn_close(c);
        return false;
    }
    if (c->state == IDLE) {
        c->state = HEAD;
        c->received_at = clock_now();
        set_deadline(c, config_of(c)->header_timeout_us);
    }
    const int verdict = head_scan(&c->scan, c->at, c->left);
    if (verdict == HEAD_DONE)
        return begin_request(c, c->scan.done);
    if (verdict != HEAD_MORE)
        return refuse(c, verdict);
    if (c->has_ended)
        conn_close(c);
    return false;
}

/* ---- bodies --------------------------------------------------------------------------------- */

/* 0, or the status of the refusal. */
static int keep_piece(struct conn *c, const char *piece, size_t len)
{
    struct http_server *server = c->shard->server;
    buf_add(&c->exchange->body, piece, len);
    const int64_t before = atomic_fetch_add(&server->body_bytes, (int64_t)len);
    return before + (int64_t)len > server->config.max_bodies ? 503 : 0;
}

static int take_piece(struct conn *c, const char *piece, size_t len)
{
    struct exchange *ex = c->exchange;
    const int64_t so_far = ex->spool ? ex->rq.spool_len : (int64_t)ex->body.len;
    if ((int64_t)len + ex->parse.left > ex->admission.max_body - so_far)
        return 413; /* a chunk is refused by its size, before its bytes */
    if (len == 0)
        return 0;
    if (!ex->spool)
        return keep_piece(c, piece, len);
    spool_add(ex->spool, piece, len);
    ex->rq.spool_len += (int64_t)len;
    return 0;
}

static bool end_body(struct conn *c)
{
    struct exchange *ex = c->exchange;
    if (ex->spool && ex->rq.spool_len > 0) {
        spool_finish(ex->spool);
        clear_deadline(c);
        c->state = SPOOLING;
        return true;
    }
    ex->rq.body = buf_text(&ex->body);
    ex->rq.body_len = ex->body.len;
    return serve(c);
}

static bool is_spool_full(const struct conn *c)
{
    const struct exchange *ex = c->exchange;
    return c->state == BODY && ex->spool && spool_waiting(ex->spool) > MOST_SPOOLING;
}

static bool step_body(struct conn *c)
{
    struct exchange *ex = c->exchange;
    size_t moved = 0;
    while (c->left > 0 && !ex->parse.is_complete) {
        const char *piece;
        size_t len;
        const size_t n = parse_body(&ex->parse, c->at, c->left, &piece, &len);
        if (n == PARSE_REFUSED)
            return refuse(c, 400);
        skip(c, n);
        moved += n;
        const int status = take_piece(c, piece, len);
        if (status)
            return refuse(c, status);
    }
    if (ex->parse.is_complete)
        return end_body(c);
    if (ex->spool && spool_state(ex->spool) == SPOOL_FAILED)
        return refuse(c, 507);
    if (c->has_ended)
        conn_close(c);
    else if (is_spool_full(c))
        clear_deadline(c);
    else if (moved > 0)
        keep_pace(c, moved);
    return false;
}

static void remove_spool(void *path)
{
    unlink(path);
}

static bool step_spooling(struct conn *c)
{
    struct exchange *ex = c->exchange;
    if (spool_state(ex->spool) == SPOOL_FAILED)
        return refuse(c, 507);
    if (spool_state(ex->spool) == SPOOL_OPEN)
        return false;
    char *path = spool_take(ex->spool, ex->arena, ex->rq.spool_sha256);
    ex->spool = NULL;
    ex->rq.spool = path;
    arena_defer(ex->arena, remove_spool, path);
    return dispatch(c);
}

/* ---- other states --------------------------------------------------------------------------- */

static bool step_working(struct conn *c)
{
    (void)c;
    return false;
}

static bool step_stream(struct conn *c)
{
    size_t bytes;
    if (c->has_ended || stream_is_cut(c->stream)) {
        conn_close(c);
        return false;
    }
    const enum sent sent = stream_flush(c->stream, c->fd, &bytes);
    if (sent == SENT_NEVER) {
        conn_close(c);
        return false;
    }
    if (sent == SENT_PART && !c->is_blocked)
        begin_pace(c);
    else if (sent == SENT_PART && bytes > 0)
        keep_pace(c, bytes);
    else if (sent == SENT_ALL)
        clear_deadline(c);
    c->is_blocked = sent == SENT_PART;
    if (!stream_is_over(c->stream))
        return false;
    const bool goes_on = stream_is_chunked(c->stream) && !c->shard->is_draining;
    drop_stream(c);
    if (goes_on)
        become_idle(c);
    else
        linger(c);
    return true;
}

static bool step_linger(struct conn *c)
{
    c->left = 0;
    if (c->has_ended)
        conn_close(c);
    return false;
}

/* Take the next step; false: nothing more can be done until something happens. */
static bool (*const steps[STATES])(struct conn *c) = {
    [IDLE] = step_head,         [HEAD] = step_head,        [BODY] = step_body,
    [SPOOLING] = step_spooling, [WORKING] = step_working,  [REPLYING] = step_reply,
    [STREAMING] = step_stream,  [LINGERING] = step_linger, [GONE] = step_working,
};

/* ---- running -------------------------------------------------------------------------------- */

static bool is_busy(const struct conn *c)
{
    return c->state >= SPOOLING && c->state <= STREAMING;
}

/* Bytes that no step has used yet outlive the shared buffer. */
static void keep_rest(struct conn *c)
{
    if (c->left == 0) {
        free(c->rest);
        c->rest = NULL;
    } else if (c->at != c->rest) {
        char *rest = memory_get(c->left);
        memcpy(rest, c->at, c->left);
        free(c->rest);
        c->rest = rest;
    }
    c->at = c->rest;
}

static int wanted(const struct conn *c)
{
    const bool is_full = (is_busy(c) && c->left > 0) || is_spool_full(c);
    return (c->is_blocked ? LOOP_WRITE : 0) | (c->has_ended || is_full ? 0 : LOOP_READ);
}

static void run(struct conn *c)
{
    while (steps[c->state](c))
        continue;
    if (c->state == GONE)
        return;
    keep_rest(c);
    watch_want(c->watch, wanted(c));
}

static void on_spooled(void *arg)
{
    struct conn *c = arg;
    if (c->state == BODY && !c->deadline.link)
        begin_pace(c); /* the time it waited for the disk does not count */
    run(c);
}

/* Adds what has come to what is left. */
static void add_received(struct conn *c, const char *bytes, size_t len)
{
    if (c->left == 0) {
        c->at = bytes;
        c->left = len;
        return;
    }
    c->rest = memory_grow(c->rest, c->left + len);
    memcpy(c->rest + c->left, bytes, len);
    c->at = c->rest;
    c->left += len;
}

/* false: the connection is broken. */
static bool receive(struct conn *c)
{
    char *buffer = c->shard->buffer;
    const ssize_t n = recv(c->fd, buffer, is_busy(c) ? BUSY_READ : READ_BUFFER, MSG_DONTWAIT);
    if (n > 0)
        add_received(c, buffer, (size_t)n);
    else if (n == 0)
        c->has_ended = true;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void on_ready(void *arg, int ready)
{
    struct conn *c = arg;
    if (ready & LOOP_READ && !c->has_ended && !receive(c)) {
        conn_close(c);
        return;
    }
    run(c);
}

/* ---- other events ---------------------------------------------------------------------------- */

static void on_deadline(struct deadline *d)
{
    struct conn *c = (struct conn *)(void *)d;
    if (c->state == HEAD || c->state == BODY) {
        refuse(c, 408);
        run(c);
    } else {
        conn_close(c);
    }
}

void conn_return(struct exchange *ex)
{
    struct conn *c = ex->conn;
    c->stream = ex->stream;
    ex->stream = NULL;
    if (c->stream)
        atomic_fetch_add(&c->shard->server->streams, 1);
    if ((c->state == GONE || ex->rq.method == HTTP_HEAD_))
        drop_stream(c);
    if (c->state == GONE) {
        shard_give(c->shard, ex);
        bury(c);
        return;
    }
    begin_reply(c);
    run(c);
}

/* ---- for the shard -------------------------------------------------------------------------- */

static void link_conn(struct conn *c, struct shard *shard)
{
    c->link = &shard->conns;
    c->next = shard->conns;
    if (c->next)
        c->next->link = &c->next;
    shard->conns = c;
    shard->conn_count++;
}

void conn_open(struct shard *shard, int fd, const struct origin *origin)
{
    struct conn *c = memory_get(sizeof(*c));
    c->deadline.fire = on_deadline;
    c->shard = shard;
    c->origin = *origin;
    c->fd = fd;
    c->watch = watch_begin(shard->loop, fd, on_ready, c);
    link_conn(c, shard);
    if (!c->watch) {
        conn_close(c); /* the kernel watches no more sockets */
        return;
    }
    become_idle(c);
    watch_want(c->watch, LOOP_READ);
}

void conn_drain(struct conn *c)
{
    if (c->state == IDLE)
        become_idle(c);
    else if (c->state == STREAMING)
        http_stream_close(c->stream);
}

void conn_wrote(struct conn *c)
{
    if (c->is_unsent)
        return;
    c->is_unsent = true;
    c->next_unsent = c->shard->unsent;
    c->shard->unsent = c;
}

void conn_send_stream(struct conn *c)
{
    c->is_unsent = false;
    if (c->state == STREAMING)
        run(c);
}

struct conn *conn_next(const struct conn *c)
{
    return c->next;
}

struct conn *conn_next_unsent(const struct conn *c)
{
    return c->next_unsent;
}

struct shard *conn_shard(const struct conn *c)
{
    return c->shard;
}
