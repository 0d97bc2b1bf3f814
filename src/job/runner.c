/* runner.c - takes jobs out of the queue and runs them.
 *
 * Workers are threads. At any time at most one idle worker is the scout: it looks into the queue
 * when woken or when the next job falls due, and takes one. Before it runs it, it hands the place
 * of the scout to another idle worker. So a wake-up costs one look, however many workers wait, and
 * all of them work when there is much to do.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "job/job.h"
#include "runner_sql.h"

#include "base/ctx.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "job/inside.h"

enum { DEFAULT_THREADS = 2, DEFAULT_ATTEMPTS = 12 };
#define DEFAULT_LEASE (60 * US_PER_S)
/* Clocks may be set, and a listener may have missed something: look again after a while. */
#define LONGEST_SLEEP (10 * US_PER_S)
#define SLEEP_AFTER_FAILURE US_PER_S

/* ---- one job ----------------------------------------------------------------------------------
 */

static const struct job_kind *kind_of(const struct job_config *config, const char *name)
{
    for (int table = 0; config->kinds[table]; table++)
        for (const struct job_kind *k = config->kinds[table]; k->name; k++)
            if (str_equal(k->name, name))
                return k;
    return NULL;
}

/* 15 s, 45 s, 2 min, ... and from the eighth on 4 h; up to a fifth more or less, so that what
 * failed together is not tried together. Twelve attempts span about 20 hours. */
static int64_t pause_after(int64_t attempt)
{
    int64_t pause = 15 * US_PER_S;
    while (--attempt > 0 && pause < 4 * US_PER_HOUR)
        pause *= 3;
    if (pause > 4 * US_PER_HOUR)
        pause = 4 * US_PER_HOUR;
    uint32_t random;
    random_bytes(&random, sizeof(random));
    return pause - pause / 5 + (int64_t)(random % 1000) * (2 * pause / 5) / 1000;
}

struct claim {
    int64_t lease_us;
    struct job *ret;
};

static enum rc claim_in_tx(struct ctx *cx, void *arg)
{
    const struct claim *c = arg;
    return db_one(cx, SQL_runner_claim,
                  ARGS(INT("now", cx->now), INT("lease_until", cx->now + c->lease_us)), job_cols,
                  c->ret);
}

/* E_NOT_FOUND: nothing is due. */
static enum rc claim(struct ctx *cx, const struct job_config *config, struct job *ret)
{
    const int64_t lease_us = config->lease_us ? config->lease_us : DEFAULT_LEASE;
    return db_tx(cx, claim_in_tx, &(struct claim){lease_us, ret});
}

struct end {
    const struct job *job;
    const char *state; /* NULL: done */
    int64_t run_at;
    const char *error;
};

/* Nothing changes when the job ended itself, went on, or was taken over: all as it should be. */
static enum rc end_in_tx(struct ctx *cx, void *arg)
{
    const struct end *e = arg;
    if (!e->state)
        return db_exec(cx, SQL_runner_done,
                       ARGS(INT("id", e->job->id), INT("fence", e->job->fence)), NULL);
    return db_exec(cx, SQL_runner_put_back,
                   ARGS(INT("id", e->job->id), INT("fence", e->job->fence), TEXT("state", e->state),
                        INT("run_at", e->run_at), TEXT("error", e->error)),
                   NULL);
}

static bool is_hopeless(enum rc rc)
{
    return rc == E_INVALID || rc == E_NOT_FOUND || rc == E_DENIED;
}

static const char *describe(struct ctx *cx, enum rc rc)
{
    const char *text = cx->err.text ? cx->err.text : rc_name(rc);
    return cx->err.detail ? arena_printf(cx->arena, "%s (%s)", text, cx->err.detail) : text;
}

static struct end end_of(struct ctx *cx, const struct job *job, const struct job_kind *kind,
                         enum rc rc)
{
    if (rc == OK)
        return (struct end){.job = job};
    const int most = kind && kind->max_attempts ? kind->max_attempts : DEFAULT_ATTEMPTS;
    const bool is_parked = !kind || is_hopeless(rc) || job->attempt >= most;
    const struct end end = {
        .job = job,
        .state = is_parked ? "parked" : "ready",
        .run_at = is_parked ? job->run_at : cx->now + pause_after(job->attempt),
        .error = describe(cx, rc),
    };
    log_write(is_parked ? LOG_ERROR : LOG_WARNING, is_parked ? "job parked" : "job failed",
              LOG_NUM("job", job->id), LOG_TEXT("kind", job->kind),
              LOG_NUM("attempt", job->attempt), LOG_TEXT("error", end.error));
    return end;
}

/* A job that was claimed more often than it may be tried took its workers with it each time. */
static enum rc run_claimed(struct ctx *cx, const struct job *job, const struct job_kind *kind)
{
    if (!kind)
        return fail(cx, E_INVALID, NULL, "nothing here knows jobs of kind %s", job->kind);
    if (job->attempt > (kind->max_attempts ? kind->max_attempts : DEFAULT_ATTEMPTS))
        return fail(cx, E_INVALID, NULL, "the program ended while it ran, %lld times",
                    (long long)job->attempt - 1);
    return kind->run(cx, job);
}

static enum rc run(struct ctx *cx, const struct job_config *config, const struct job *job)
{
    const struct job_kind *kind = kind_of(config, job->kind);
    cx->request_id = arena_printf(cx->arena, "job-%lld", (long long)job->id);
    if (config->prepare)
        config->prepare(cx, config->arg);
    const enum rc rc = run_claimed(cx, job, kind);
    struct end end = end_of(cx, job, kind, rc);
    fail_clear(cx);
    cx->user = NULL;
    return db_tx(cx, end_in_tx, &end);
}

static struct ctx context(struct arena *a, struct db *db, int64_t now)
{
    return (struct ctx){.arena = a, .db = db, .now = now, .via = VIA_TIMER};
}

enum rc job_run_due(struct ctx *cx, const struct job_config *config, int *ret_ran)
{
    int ran = 0;
    enum rc rc = OK;
    struct arena *a = arena_create();
    while (rc == OK) {
        arena_reset(a);
        struct ctx own = context(a, config->db, cx->now);
        struct job job;
        rc = claim(&own, config, &job);
        if (rc == OK) {
            ran++;
            rc = run(&own, config, &job);
        }
        if (rc != OK && rc != E_NOT_FOUND)
            fail(cx, rc, NULL, "%s", describe(&own, rc));
    }
    arena_destroy(a);
    *ret_ran = ran;
    return rc == E_NOT_FOUND ? OK : rc;
}

/* ---- workers ----------------------------------------------------------------------------------
 */

struct job_runner {
    struct job_config config;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* counts monotonic time */
    bool is_stopping, is_woken, has_scout;
    int64_t look_at; /* by clock_now(): when the scout looks again unwoken */
    int thread_count;
    pthread_t threads[];
};

struct due {
    int64_t ready_at, lease_until; /* 0: none */
};
static const struct col due_cols[] = {
    INT_COL(struct due, ready_at),
    INT_COL(struct due, lease_until),
    {0},
};

/* Takes a job that is due, or says when to look again. */
static bool look(struct job_runner *r, struct ctx *cx, struct job *ret, int64_t *ret_look_at)
{
    struct due due;
    enum rc rc = db_one(cx, SQL_runner_due, ARGS(), due_cols, &due);
    int64_t at = cx->now + LONGEST_SLEEP;
    if (rc == OK && due.ready_at && due.ready_at < at)
        at = due.ready_at;
    if (rc == OK && due.lease_until && due.lease_until < at)
        at = due.lease_until;
    if (rc == OK && at <= cx->now) {
        rc = claim(cx, &r->config, ret);
        if (rc == OK)
            return true;
        at = cx->now; /* another process was faster; is there more? */
    }
    if (rc != OK && rc != E_NOT_FOUND) {
        log_write(LOG_ERROR, "cannot look for jobs", LOG_TEXT("error", describe(cx, rc)));
        at = cx->now + SLEEP_AFTER_FAILURE;
    }
    *ret_look_at = at;
    return false;
}

static void sleep_until(struct job_runner *r, int64_t at)
{
    int64_t us = at - clock_now();
    if (us > LONGEST_SLEEP)
        us = LONGEST_SLEEP;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t ns = until.tv_nsec + (us > 0 ? us : 0) * 1000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&r->changed, &r->lock, &until);
}

/* Waits, as the scout if there is none, until it has a job; false when the runner stops. Called and
 * returns with the lock held. */
static bool next_job(struct job_runner *r, struct ctx *cx, struct job *ret)
{
    while (!r->is_stopping && r->has_scout)
        pthread_cond_wait(&r->changed, &r->lock);
    r->has_scout = true;
    bool is_taken = false;
    while (!r->is_stopping && !is_taken) {
        if (!r->is_woken && clock_now() < r->look_at) {
            sleep_until(r, r->look_at);
            continue;
        }
        r->is_woken = false;
        pthread_mutex_unlock(&r->lock);
        int64_t look_at = 0;
        arena_reset(cx->arena);
        *cx = context(cx->arena, r->config.db, clock_now());
        is_taken = look(r, cx, ret, &look_at);
        pthread_mutex_lock(&r->lock);
        r->look_at = look_at; /* 0 after taking one: the next scout looks at once */
    }
    r->has_scout = false;
    pthread_cond_broadcast(&r->changed);
    return is_taken;
}

static void *work(void *arg)
{
    struct job_runner *r = arg;
    struct ctx cx = {.arena = arena_create()};
    struct job job;
    pthread_mutex_lock(&r->lock);
    while (next_job(r, &cx, &job)) {
        pthread_mutex_unlock(&r->lock);
        const enum rc rc = run(&cx, &r->config, &job);
        if (rc != OK)
            log_write(LOG_ERROR, "cannot end a job", LOG_NUM("job", job.id),
                      LOG_TEXT("error", describe(&cx, rc)));
        arena_reset(cx.arena); /* idle, it holds on to no definitions */
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    arena_destroy(cx.arena);
    return NULL;
}

void job_wake(struct job_runner *r)
{
    pthread_mutex_lock(&r->lock);
    if (!r->is_woken) {
        r->is_woken = true;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
}

void job_stop(struct job_runner *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->is_stopping = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    for (int i = 0; i < r->thread_count; i++)
        pthread_join(r->threads[i], NULL);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void init(struct job_runner *r, const struct job_config *config)
{
    r->config = *config;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&r->lock, NULL);
}

enum rc job_start(struct ctx *cx, const struct job_config *config, struct job_runner **ret)
{
    const int threads = config->threads > 0 ? config->threads : DEFAULT_THREADS;
    struct job_runner *r = calloc(1, sizeof(*r) + (size_t)threads * sizeof(pthread_t));
    if (!r)
        BUG("out of memory");
    init(r, config);
    for (; r->thread_count < threads; r->thread_count++)
        if (pthread_create(&r->threads[r->thread_count], NULL, work, r) != 0)
            break;
    if (r->thread_count == 0) {
        job_stop(r);
        return fail(cx, E_FAIL, NULL, "no thread for jobs can be started");
    }
    *ret = r;
    return OK;
}
