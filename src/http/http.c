#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/time.h"
#include "http/conn.h"
#include "http/memory.h"
#include "http/server.h"
#include "http/shard.h"
#include "http/spool.h"
#include "http/workers.h"

/* ---- connections that come in --------------------------------------------------------------- */

enum { ACCEPT_BATCH = 64 };

/* Dealt to a shard of another thread. */
struct arrival {
    struct letter letter;
    struct shard *shard;
    struct origin origin;
    int fd;
};

static void on_arrival(struct letter *letter)
{
    struct arrival *a = (struct arrival *)(void *)letter;
    conn_open(a->shard, a->fd, &a->origin);
    free(a);
}

static void deal(struct http_server *s, int fd, const struct origin *origin)
{
    struct shard *shard = &s->shards[s->next_shard++ % s->shard_count];
    atomic_fetch_add(&s->connections, 1);
    if (shard == &s->shards[0]) {
        conn_open(shard, fd, origin);
        return;
    }
    struct arrival *a = memory_get(sizeof(*a));
    *a = (struct arrival){.letter.read = on_arrival, .shard = shard, .origin = *origin, .fd = fd};
    loop_post(shard->loop, &a->letter);
}

/* More than we serve: said once, without a look at the request. */
static void turn_away(struct http_server *s, int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Type: application/problem+json\r\n"
                               "Retry-After: 1\r\n"
                               "Content-Length: 65\r\n"
                               "Connection: close\r\n\r\n"
                               "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
                               "\"status\":503}";
    send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    close(fd);
    atomic_fetch_add(&s->refused, 1);
}

static void welcome(struct http_server *s, int fd, struct origin *origin)
{
    const int limit = s->config.max_per_peer;
    if (atomic_load(&s->connections) >= s->max_connections) {
        turn_away(s, fd);
        return;
    }
    if (limit > 0 && origin->uid < 0) {
        if (!peers_enter(&s->peers, origin->key, limit)) {
            turn_away(s, fd);
            return;
        }
        origin->is_counted = true;
    }
    deal(s, fd, origin);
}

/* Out of descriptors, nothing could be accepted and the listener would stay ready for ever: the
 * one in reserve is spent on accepting and closing. */
static void shed(struct http_server *s, struct listener *l)
{
    struct origin origin;
    close(s->reserve_fd);
    const int fd = listener_accept(l, &origin);
    if (fd >= 0)
        close(fd);
    s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    atomic_fetch_add(&s->refused, 1);
}

/* false: nobody waits. */
static bool accept_one(struct listener *l)
{
    struct origin origin;
    const int fd = listener_accept(l, &origin);
    if (fd >= 0) {
        welcome(l->server, fd, &origin);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE) {
        shed(l->server, l);
        return true;
    }
    return errno == ECONNABORTED || errno == EINTR;
}

static void on_connections(void *arg, int ready)
{
    (void)ready;
    for (int i = 0; i < ACCEPT_BATCH && accept_one(arg); i++)
        continue;
}

/* ---- start ---------------------------------------------------------------------------------- */

static void close_listeners(struct http_server *s)
{
    for (int i = 0; i < s->listener_count; i++)
        listener_close(&s->listeners[i]);
    s->listener_count = 0;
}

static enum rc open_listeners(struct ctx *cx, struct http_server *s)
{
    while (s->listener_count < MAX_LISTENERS && s->config.listen[s->listener_count]) {
        struct listener *l = &s->listeners[s->listener_count];
        const enum rc rc = listener_open(cx, s->config.listen[s->listener_count], l);
        if (rc != OK) {
            close_listeners(s);
            return rc;
        }
        l->server = s;
        s->listener_count++;
    }
    return OK;
}

/* As many open files as the system lets us; what is not for connections stays free. */
static int connections_possible(void)
{
    enum { NOT_FOR_CONNECTIONS = 128 };
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur > 1000000)
        return 1000000;
    return limit.rlim_cur < 2 * NOT_FOR_CONNECTIONS ? NOT_FOR_CONNECTIONS
                                                    : (int)limit.rlim_cur - NOT_FOR_CONNECTIONS;
}

static void set_default(int64_t *value, int64_t otherwise)
{
    if (*value <= 0)
        *value = otherwise;
}

static void copy_config(struct http_server *s, const struct http_config *config)
{
    s->config = *config;
    for (int i = 0; i < MAX_LISTENERS; i++)
        s->config.listen[i] = arena_strdup(s->arena, config->listen[i]);
    s->config.spool_dir = arena_strdup(s->arena, config->spool_dir);
    set_default(&s->config.header_timeout_us, 10 * US_PER_S);
    set_default(&s->config.body_timeout_us, 10 * US_PER_S);
    set_default(&s->config.idle_timeout_us, 75 * US_PER_S);
    set_default(&s->config.drain_timeout_us, 20 * US_PER_S);
    set_default(&s->config.max_bodies, INT64_C(256) << 20);
    if (s->config.max_queue <= 0)
        s->config.max_queue = 1024;
}

static int at_least_one(int n)
{
    return n > 0 ? n : 1;
}

static void start_threads(struct http_server *s)
{
    const int workers = at_least_one(s->config.workers);
    s->shard_count = at_least_one(s->config.loops);
    s->shards = memory_get((size_t)s->shard_count * sizeof(s->shards[0]));
    s->crews[NORMAL] = workers_start("http-work", 0, workers, shard_serve, s);
    s->crews[URGENT] = workers_start("http-urge", workers, 1, shard_serve, s);
    s->spooler = s->config.spool_dir ? spooler_start(s->config.spool_dir) : NULL;
    for (int i = 0; i < s->shard_count; i++)
        shard_init(&s->shards[i], s);
    for (int i = 0; i < s->listener_count; i++) {
        struct listener *l = &s->listeners[i];
        l->watch = watch_begin(s->shards[0].loop, l->fd, on_connections, l);
        watch_want(l->watch, LOOP_READ);
    }
    for (int i = 0; i < s->shard_count; i++)
        shard_start(&s->shards[i], i);
}

enum rc http_start(struct ctx *cx, const struct http_config *config, struct http_server **ret)
{
    struct http_server *s = memory_get(sizeof(*s));
    s->arena = arena_create();
    copy_config(s, config);
    const int possible = connections_possible();
    s->max_connections = config->max_connections > 0 && config->max_connections < possible
                             ? config->max_connections
                             : possible;
    const enum rc rc = open_listeners(cx, s);
    if (rc != OK) {
        arena_destroy(s->arena);
        free(s);
        return rc;
    }
    s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    peers_init(&s->peers);
    start_threads(s);
    *ret = s;
    return OK;
}

int http_port(const struct http_server *s, int index)
{
    return s->listeners[index].port;
}

/* ---- stop ----------------------------------------------------------------------------------- */

static void on_drain(struct letter *letter)
{
    struct shard *shard = (struct shard *)(void *)((char *)letter - offsetof(struct shard, drain));
    shard_drain(shard);
}

/* The first shard has the listeners. Who waits there already is still served; a shard is told only
 * after the last connection was dealt to it. */
static void on_stop(struct letter *letter)
{
    struct shard *first = (struct shard *)(void *)((char *)letter - offsetof(struct shard, drain));
    struct http_server *s = first->server;
    for (int i = 0; i < s->listener_count; i++) {
        while (accept_one(&s->listeners[i]))
            continue;
        watch_end(s->listeners[i].watch);
    }
    close_listeners(s);
    for (int i = 1; i < s->shard_count; i++) {
        s->shards[i].drain.read = on_drain;
        loop_post(s->shards[i].loop, &s->shards[i].drain);
    }
    shard_drain(first);
}

void http_stop(struct http_server *s)
{
    if (atomic_exchange(&s->is_draining, true))
        return;
    s->shards[0].drain.read = on_stop;
    loop_post(s->shards[0].loop, &s->shards[0].drain);
    for (int i = 0; i < s->shard_count; i++)
        shard_join(&s->shards[i]);
    for (int i = 0; i < CREWS; i++) {
        workers_stop(s->crews[i]);
        s->crews[i] = NULL;
    }
    spooler_stop(s->spooler);
}

void http_destroy(struct http_server *s)
{
    if (!s)
        return;
    http_stop(s);
    for (int i = 0; i < s->shard_count; i++)
        shard_done(&s->shards[i]);
    free(s->shards);
    peers_done(&s->peers);
    close(s->reserve_fd);
    arena_destroy(s->arena);
    free(s);
}

struct http_figures http_figures(const struct http_server *s)
{
    struct http_figures f = {
        .connections = atomic_load(&s->connections),
        .requests = (int64_t)atomic_load(&s->next_id),
        .streams = atomic_load(&s->streams),
        .refused = atomic_load(&s->refused),
    };
    for (int i = 0; i < CREWS; i++)
        f.queue += s->crews[i] ? workers_waiting(s->crews[i]) : 0;
    return f;
}
