#include "http/shard.h"

#include <stdio.h>

#include "base/time.h"
#include "http/conn.h"
#include "http/exchange.h"
#include "http/memory.h"
#include "http/server.h"
#include "http/thread.h"
#include "http/workers.h"

enum { MOST_SPARE = 64 };

/* ---- exchanges ------------------------------------------------------------------------------ */

struct exchange *shard_take(struct shard *s, struct conn *c)
{
    struct exchange *ex = s->spare;
    if (ex) {
        s->spare = ex->next;
        s->spare_count--;
    } else {
        ex = exchange_create();
    }
    ex->next = NULL;
    ex->conn = c;
    return ex;
}

void shard_give(struct shard *s, struct exchange *ex)
{
    if (ex->body.len > 0)
        atomic_fetch_sub(&s->server->body_bytes, (int64_t)ex->body.len);
    if (s->spare_count == MOST_SPARE) {
        exchange_destroy(ex);
        return;
    }
    exchange_clear(ex);
    ex->next = s->spare;
    s->spare = ex;
    s->spare_count++;
}

/* ---- to the workers and back ---------------------------------------------------------------- */

static enum reply_end end_of(const struct http_server *server, const struct exchange *ex)
{
    const bool is_chunked_stream = ex->stream && ex->parse.keeps_alive && !ex->parse.is_http10;
    if (is_chunked_stream)
        return REPLY_KEEP;
    if (ex->stream || !ex->parse.keeps_alive || atomic_load(&server->is_draining))
        return REPLY_CLOSE;
    return ex->parse.is_http10 ? REPLY_KEEP_HTTP10 : REPLY_KEEP;
}

static void on_return(struct letter *letter)
{
    struct exchange *ex = (struct exchange *)(void *)letter;
    conn_shard(ex->conn)->away_count--;
    conn_return(ex);
}

void shard_serve(struct exchange *ex, int worker, void *arg)
{
    const struct http_server *server = arg;
    ex->rq.worker = worker;
    server->config.handle(&ex->rq, &ex->rs, server->config.arg);
    reply_write(&ex->reply, &ex->rq, &ex->rs, end_of(server, ex));
    arena_reset(ex->arena);
    ex->letter.read = on_return;
    loop_post(conn_shard(ex->conn)->loop, &ex->letter);
}

bool shard_hand_over(struct shard *s, struct exchange *ex)
{
    const enum crew crew = ex->admission.is_urgent ? URGENT : NORMAL;
    struct batch *b = &s->batches[crew];
    if (workers_waiting(s->server->crews[crew]) + b->count >= s->server->config.max_queue)
        return false;
    *b->last = ex;
    b->last = &ex->next;
    b->count++;
    s->away_count++;
    return true;
}

static void clear_batch(struct batch *b)
{
    *b = (struct batch){.last = &b->first};
}

static void push_batches(struct shard *s)
{
    for (int i = 0; i < CREWS; i++) {
        struct batch *b = &s->batches[i];
        if (b->count == 0)
            continue;
        workers_push(s->server->crews[i], b->first, b->count);
        clear_batch(b);
    }
}

/* ---- rounds --------------------------------------------------------------------------------- */

static void send_streams(struct shard *s)
{
    while (s->unsent) {
        struct conn *c = s->unsent;
        s->unsent = conn_next_unsent(c);
        conn_send_stream(c);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Deadlines are kept to an eighth of the shortest, within 10 and 250 ms. */
static int tick_ms(const struct http_config *config)
{
    const int64_t shortest =
        least(config->header_timeout_us, least(config->body_timeout_us, config->idle_timeout_us));
    const int64_t ms = shortest / 8 / 1000;
    return ms < 10 ? 10 : (int)least(ms, 250);
}

static void on_turn(void *arg)
{
    struct shard *s = arg;
    send_streams(s);
    push_batches(s);
    conn_free_dead(s);
    loop_tick(s->loop, s->wheel.count > 0 ? tick_ms(&s->server->config) : 0);
    if (s->is_draining && s->conn_count == 0 && s->away_count == 0)
        loop_stop(s->loop);
}

static void on_tick(void *arg)
{
    struct shard *s = arg;
    wheel_turn(&s->wheel, loop_now(s->loop));
}

/* ---- stopping ------------------------------------------------------------------------------- */

static void for_all_conns(struct shard *s, void (*fn)(struct conn *c))
{
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = conn_next(c);
        fn(c);
    }
}

static void on_cut(struct deadline *d)
{
    struct shard *s = (struct shard *)(void *)((char *)d - offsetof(struct shard, cut));
    for_all_conns(s, conn_close);
}

void shard_drain(struct shard *s)
{
    s->is_draining = true;
    s->cut.fire = on_cut;
    wheel_set(&s->wheel, &s->cut, loop_now(s->loop) + s->server->config.drain_timeout_us);
    for_all_conns(s, conn_drain);
}

/* ---- life ----------------------------------------------------------------------------------- */

void shard_init(struct shard *s, struct http_server *server)
{
    const struct loop_hooks hooks = {.on_turn = on_turn, .on_tick = on_tick, .arg = s};
    *s = (struct shard){.server = server, .loop = loop_create(&hooks)};
    for (int i = 0; i < CREWS; i++)
        clear_batch(&s->batches[i]);
    s->buffer = memory_get(READ_BUFFER);
    wheel_init(&s->wheel, tick_ms(&server->config) * INT64_C(1000), loop_now(s->loop));
}

static void *run(void *arg)
{
    struct shard *s = arg;
    loop_run(s->loop);
    return NULL;
}

void shard_start(struct shard *s, int index)
{
    char name[16];
    snprintf(name, sizeof(name), "http-loop-%d", index);
    s->thread = thread_start(name, run, s);
}

void shard_join(struct shard *s)
{
    pthread_join(s->thread, NULL);
}

void shard_done(struct shard *s)
{
    loop_destroy(s->loop);
    while (s->spare) {
        struct exchange *ex = s->spare;
        s->spare = ex->next;
        exchange_destroy(ex);
    }
    free(s->buffer);
}
