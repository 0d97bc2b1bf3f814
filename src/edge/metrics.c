#include "edge/metrics.h"

#include <stdatomic.h>

#include "base/buf.h"
#include "base/time.h"
#include "db/db.h"
#include "edge/server.h"

/* Upper bounds of the buckets, in microseconds. */
static const int64_t bounds[] = {500,   1000,   2500,   5000,    10000,  25000,
                                 50000, 100000, 250000, 1000000, 5000000};
#define BUCKETS (ARRAY_LEN(bounds) + 1)
#define CLASSES 6 /* of status: 1xx to 5xx, by the first digit */

struct row {
    atomic_int_least64_t classes[CLASSES];
    atomic_int_least64_t buckets[BUCKETS];
    atomic_int_least64_t us;
};

struct metrics {
    int count; /* of routes; one row more for what matched none */
    struct row *rows;
};

struct metrics *metrics_create(struct arena *a)
{
    struct metrics *m = arena_alloc(a, sizeof(*m));

    route_all(&m->count);
    m->rows = arena_array(a, (size_t)m->count + 1, sizeof(*m->rows));
    return m;
}

static void add(atomic_int_least64_t *to, int64_t n)
{
    atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

void metrics_count(struct metrics *m, const struct route *r, int status, int64_t us)
{
    struct row *row = &m->rows[r ? route_index(r) : m->count];
    int bucket = 0;

    while (bucket < ARRAY_LEN(bounds) && us > bounds[bucket])
        bucket++;
    add(&row->classes[status / 100 % CLASSES], 1);
    add(&row->buckets[bucket], 1);
    add(&row->us, us);
}

/* ---- as text -------------------------------------------------------------------------------- */

static void seconds(struct buf *out, int64_t us)
{
    buf_printf(out, "%lld.%06lld", (long long)(us / US_PER_S), (long long)(us % US_PER_S));
}

static void write_classes(const struct row *row, const char *route, struct buf *out)
{
    for (int i = 1; i < CLASSES; i++) {
        const int64_t n = atomic_load_explicit(&row->classes[i], memory_order_relaxed);
        if (n)
            buf_printf(out, "fettle_http_requests_total{route=\"%s\",status=\"%dxx\"} %lld\n",
                       route, i, (long long)n);
    }
}

static void write_durations(const struct row *row, const char *route, struct buf *out)
{
    int64_t sum = 0;

    for (int i = 0; i < BUCKETS; i++) {
        sum += atomic_load_explicit(&row->buckets[i], memory_order_relaxed);
        buf_printf(out, "fettle_http_request_seconds_bucket{route=\"%s\",le=\"", route);
        if (i < ARRAY_LEN(bounds))
            seconds(out, bounds[i]);
        else
            buf_puts(out, "+Inf");
        buf_printf(out, "\"} %lld\n", (long long)sum);
    }
    buf_printf(out, "fettle_http_request_seconds_sum{route=\"%s\"} ", route);
    seconds(out, atomic_load_explicit(&row->us, memory_order_relaxed));
    buf_printf(out, "\nfettle_http_request_seconds_count{route=\"%s\"} %lld\n", route,
               (long long)sum);
}

static bool is_used(const struct row *row)
{
    for (int i = 0; i < BUCKETS; i++) {
        if (atomic_load_explicit(&row->buckets[i], memory_order_relaxed))
            return true;
    }
    return false;
}

static void write_routes(const struct metrics *m, struct buf *out,
                         void (*write)(const struct row *row, const char *route, struct buf *out))
{
    const struct route *const *routes = route_all(&(int){0});

    for (int i = 0; i <= m->count; i++) {
        const char *name = i == m->count
                               ? "none"
                               : arena_printf(out->arena, "%s %s",
                                              http_method_name(routes[i]->method), routes[i]->path);
        if (is_used(&m->rows[i]))
            write(&m->rows[i], name, out);
    }
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void figure(struct buf *out, const char *name, const char *type, const char *help, int64_t n)
{
    head(out, name, type, help);
    buf_printf(out, "%s %lld\n", name, (long long)n);
}

static void write_figures(const struct server *s, struct buf *out)
{
    const struct db_figures d = db_figures(s->db);
    const struct http_figures h = s->http ? http_figures(s->http) : (struct http_figures){0};
    const struct {
        const char *name, *type, *help;
        int64_t n;
    } figures[] = {
        {"fettle_start_time_seconds", "gauge", "When the server started.",
         s->started_at / US_PER_S},
        {"fettle_http_connections", "gauge", "Open connections.", h.connections},
        {"fettle_http_streams", "gauge", "Open streams of events.", h.streams},
        {"fettle_http_queue", "gauge", "Requests waiting for a worker.", h.queue},
        {"fettle_http_refused_total", "counter", "Requests refused for overload.", h.refused},
        {"fettle_db_commits_total", "counter", "Commits.", d.commits},
        {"fettle_db_transactions_total", "counter", "Transactions, several to a commit.",
         d.transactions},
        {"fettle_db_retries_total", "counter", "Transactions run again.", d.retries},
        {"fettle_db_statements_total", "counter", "Statements.", d.statements},
        {"fettle_db_writer_queue", "gauge", "Transactions waiting for the writer.", d.writer_queue},
    };

    for (int i = 0; i < ARRAY_LEN(figures); i++)
        figure(out, figures[i].name, figures[i].type, figures[i].help, figures[i].n);
}

void metrics_write(const struct metrics *m, const struct server *s, struct buf *out)
{
    head(out, "fettle_http_requests_total", "counter", "Replies by route and class of status.");
    write_routes(m, out, write_classes);
    head(out, "fettle_http_request_seconds", "histogram", "Time from the first byte to the reply.");
    write_routes(m, out, write_durations);
    write_figures(s, out);
}
