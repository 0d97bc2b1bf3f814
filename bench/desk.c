#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "lang/process.h"
#include "rec/type.h"

void must(struct ctx *cx, enum rc rc, const char *what)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s: %s: %s (%s)\n", what, rc_name(rc), cx->err.text ? cx->err.text : "",
            cx->err.detail ? cx->err.detail : "");
    exit(1);
}

int64_t must_int(const char *text)
{
    int64_t n;

    if (!str_to_int(text, &n)) {
        fprintf(stderr, "%s is not a number\n", text);
        exit(2);
    }
    return n;
}

void desk_open(struct desk *d, const char *url, const char *processes)
{
    struct ctx *cx = &d->cx;
    struct list files, findings;
    int applied;

    *cx = (struct ctx){.arena = arena_create(), .now = clock_now(), .via = VIA_API};
    const struct db_config config = {.url = secret_create(cx->arena, url, strlen(url))};
    must(cx, db_open(cx, &config, &cx->db), "open");
    must(cx, db_migrate(cx, &applied), "migrate");
    d->types = types_create();
    cx->types = d->types;
    must(cx, type_read_folder(cx, processes, &files), "read processes");
    must(cx, type_activate(cx, d->types, files.at, files.count, &findings), "activate processes");
    type_take(cx, d->types);
}

void desk_close(struct desk *d)
{
    struct db *db = d->cx.db;

    arena_destroy(d->cx.arena);
    types_destroy(d->types);
    db_close(db);
}

void desk_ctx(const struct desk *d, struct ctx *ret)
{
    *ret = d->cx;
    ret->arena = arena_create();
    ret->user = NULL;
}

void desk_ctx_done(struct ctx *cx)
{
    arena_destroy(cx->arena);
}

/* ---- the meter ------------------------------------------------------------------------------ */

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t meter_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t meter_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void meter_add(struct meter *m, int64_t ns)
{
    if (m->count == m->room) {
        m->room = m->room ? 2 * m->room : 1024;
        m->ns = realloc(m->ns, (size_t)m->room * sizeof(*m->ns));
        if (!m->ns)
            abort();
    }
    m->ns[m->count++] = ns;
}

void meter_merge(struct meter *to, const struct meter *from)
{
    for (int64_t i = 0; i < from->count; i++)
        meter_add(to, from->ns[i]);
}

void meter_done(struct meter *m)
{
    free(m->ns);
    *m = (struct meter){0};
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(const struct meter *m, double share)
{
    if (!m->count)
        return 0;
    const int64_t at = (int64_t)(share * (double)m->count);
    return (double)m->ns[at < m->count ? at : m->count - 1] / 1000;
}

void meter_print(struct meter *m, const char *what, int64_t wall_ns, int64_t cpu_ns)
{
    const double ops = m->count ? (double)m->count : 1;

    qsort(m->ns, (size_t)m->count, sizeof(*m->ns), by_size);
    printf("{\"what\": \"%s\", \"ops\": %lld, \"seconds\": %.3f, \"per_second\": %.1f, "
           "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"cpu_us\": %.2f}\n",
           what, (long long)m->count, (double)wall_ns / 1e9, ops / ((double)wall_ns / 1e9),
           percentile_us(m, 0.5), percentile_us(m, 0.99), percentile_us(m, 1),
           (double)cpu_ns / ops / 1000);
    fflush(stdout);
}
