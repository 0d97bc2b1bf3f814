#include "job/job.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ctx.h"
#include "base/json.h"
#include "base/log.h"
#include "base/test.h"
#include "base/time.h"
#include "db/db.h"
#include "db/scratch.h"

#define START (INT64_C(1767225600) * US_PER_S) /* 2026-01-01 */

/* Each test on both engines, in a database of its own with one record, whose id is 1. */
struct bed {
    struct ctx cx;
};

#define STATEMENT(id, words, ...)                                                                  \
    static const char *const id##_params[] = {__VA_ARGS__ __VA_OPT__(, ) NULL};                    \
    static const struct sql id = {                                                                 \
        .name = #id, .text = {(words), (words)}, .params = id##_params, .is_write = true}

STATEMENT(add_org, "INSERT INTO organisation (id, name, name_folded, created_at) "
                   "VALUES (1, 'o', 'o', 0)");
STATEMENT(add_process, "INSERT INTO process (id, name) VALUES (1, 'incident')");
STATEMENT(add_set, "INSERT INTO definition_set (id, hash, files, created_at) "
                   "VALUES (1, 'h', '{}', 0)");
STATEMENT(add_version, "INSERT INTO process_version (id, process_id, version, set_id, hash, "
                       "activated_at) VALUES (1, 1, 1, 1, 'h', 0)");
STATEMENT(add_record, "INSERT INTO record (id, process_id, version_id, number, revision, title, "
                      "org_id, state, status, active, created_at, updated_at, entered_at, fields, "
                      "folds) VALUES (1, 1, 1, 'INC-1', 1, 't', 1, 'new', 0, 1, 0, 0, 0, '{}', "
                      "'{}')");
/* A worker that took the job and was never seen again. */
STATEMENT(abandon,
          "UPDATE job SET state = 'running', attempt = attempt + 1, fence = fence + 1, "
          "lease_until = $1",
          "lease_until");

static enum rc fill(struct ctx *cx, void *arg)
{
    (void)arg;
    static const struct sql *const statements[] = {&add_org, &add_process, &add_set, &add_version,
                                                   &add_record};
    for (int i = 0; i < ARRAY_LEN(statements); i++)
        TRY(db_exec(cx, statements[i], ARGS(), NULL));
    return OK;
}

static int set_up(void **state, enum db_engine engine)
{
    struct bed *b = calloc(1, sizeof(*b));
    *state = b;
    b->cx = (struct ctx){.arena = arena_create(), .now = START};
    b->cx.db = scratch_open(&b->cx, engine, &(struct db_config){.readers = 6});
    int applied;
    if (b->cx.db && (db_migrate(&b->cx, &applied) != OK || db_tx(&b->cx, fill, NULL) != OK))
        _fail(b->cx.err.detail, 0);
    return 0;
}

static int on_sqlite(void **state)
{
    return set_up(state, DB_SQLITE);
}

static int on_postgres(void **state)
{
    return set_up(state, DB_POSTGRES);
}

static int tear_down(void **state)
{
    struct bed *b = *state;
    if (b->cx.db)
        scratch_close(&b->cx, b->cx.db);
    arena_destroy(b->cx.arena);
    free(b);
    return 0;
}

static struct ctx *cx_of(void **state)
{
    struct bed *b = *state;
    if (!b->cx.db)
        skip(); /* TEST_POSTGRES is not set */
    return &b->cx;
}

#define assert_rc(cx, call, want)                                                                  \
    do {                                                                                           \
        const enum rc rc_is = (call);                                                              \
        if (rc_is != (want))                                                                       \
            print_message("# %s: %s\n", (cx)->err.text, (cx)->err.detail);                         \
        assert_string_equal(rc_name(rc_is), rc_name(want));                                        \
    } while (0)

/* ---- kinds ------------------------------------------------------------------------------------
 */

static atomic_int runs;
static int last_attempt;
static char last_name[32];

static enum rc run_ok(struct ctx *cx, const struct job *job)
{
    (void)cx;
    (void)job;
    atomic_fetch_add(&runs, 1);
    return OK;
}

static enum rc run_fails(struct ctx *cx, const struct job *job)
{
    atomic_fetch_add(&runs, 1);
    last_attempt = (int)job->attempt;
    fail(cx, E_FAIL, NULL, "the other side is away");
    return fail_detail(cx, E_FAIL, "errno 1");
}

static enum rc run_hopeless(struct ctx *cx, const struct job *job)
{
    (void)job;
    return fail(cx, E_INVALID, NULL, "this can never be");
}

static enum rc slice_in_tx(struct ctx *cx, void *arg)
{
    const struct job *job = arg;
    const char c = job->progress ? job->progress[0] : '0';
    if (c == '3')
        return job_finish(cx, job);
    return job_continue(cx, job, val_int(c - '0' + 1));
}

static enum rc run_slices(struct ctx *cx, const struct job *job)
{
    atomic_fetch_add(&runs, 1);
    return db_tx(cx, slice_in_tx, (void *)(uintptr_t)job);
}

static enum rc again_in_tx(struct ctx *cx, void *arg)
{
    return job_continue_at(cx, arg, cx->now + US_PER_HOUR, val_null());
}

static enum rc run_hourly(struct ctx *cx, const struct job *job)
{
    atomic_fetch_add(&runs, 1);
    return db_tx(cx, again_in_tx, (void *)(uintptr_t)job);
}

static enum rc finish_in_tx(struct ctx *cx, void *arg)
{
    return job_finish(cx, arg);
}

static enum rc run_timer(struct ctx *cx, const struct job *job)
{
    assert_int_equal(job->record_id, 1);
    const struct job copy = *job;
    for (size_t i = 0; i < sizeof(last_name) - 1 && (i == 0 || last_name[i - 1]); i++)
        last_name[i] = job->name[i];
    atomic_fetch_add(&runs, 1);
    return db_tx(cx, finish_in_tx, (void *)(uintptr_t)&copy);
}

static enum rc abandon_in_tx(struct ctx *cx, void *arg)
{
    (void)arg;
    return db_exec(cx, &abandon, ARGS(INT("lease_until", cx->now + US_PER_MIN)), NULL);
}

/* While it works, another worker takes it over. */
static enum rc run_loses(struct ctx *cx, const struct job *job)
{
    if (atomic_fetch_add(&runs, 1) > 0)
        return OK;
    TRY(db_tx(cx, abandon_in_tx, NULL));
    const enum rc rc = db_tx(cx, finish_in_tx, (void *)(uintptr_t)job);
    assert_int_equal(rc, E_CONFLICT);
    return rc;
}

static const struct job_kind kinds[] = {
    {"ok", run_ok, 0, "does nothing"},
    {"fails", run_fails, 3, "fails"},
    {"hopeless", run_hopeless, 0, "cannot work"},
    {"slices", run_slices, 0, "in four slices"},
    {"hourly", run_hourly, 0, "again and again"},
    {"timer", run_timer, 0, "a timer"},
    {"loses", run_loses, 0, "is taken over"},
    {0},
};
static const struct job_kind *const tables[] = {kinds, NULL};

static void run_due(struct ctx *cx, int want)
{
    const struct job_config config = {.db = cx->db, .kinds = tables};
    int ran = -1;
    assert_rc(cx, job_run_due(cx, &config, &ran), OK);
    assert_int_equal(ran, want);
}

struct wanted {
    const char *kind;
    int64_t run_at, id;
};

static enum rc add_in_tx(struct ctx *cx, void *arg)
{
    struct wanted *w = arg;
    return job_add(cx, w->kind, w->run_at, val_int(7), &w->id);
}

static int64_t add(struct ctx *cx, const char *kind, int64_t run_at)
{
    struct wanted w = {kind, run_at, 0};
    assert_rc(cx, db_tx(cx, add_in_tx, &w), OK);
    return w.id;
}

static int count(struct ctx *cx, const char *state)
{
    struct list jobs;
    const char *next;
    assert_rc(cx, job_list(cx, state, NULL, 1000, &jobs, &next), OK);
    return jobs.count;
}

static struct ctx *begin(void **state)
{
    struct ctx *cx = cx_of(state);
    atomic_store(&runs, 0);
    return cx;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void runs_what_is_due(void **state)
{
    struct ctx *cx = begin(state);
    add(cx, "ok", START);
    add(cx, "ok", START - US_PER_HOUR);
    const int64_t later = add(cx, "ok", START + US_PER_HOUR);
    run_due(cx, 2);
    assert_int_equal(runs, 2);
    struct job job;
    assert_rc(cx, job_load(cx, later, &job), OK);
    assert_string_equal(job.kind, "ok");
    assert_string_equal(job.state, "ready");
    assert_string_equal(job.input, "7");
    assert_string_equal(job.name, "");
    assert_int_equal(job.run_at, START + US_PER_HOUR);
    cx->now += US_PER_HOUR;
    run_due(cx, 1);
    assert_int_equal(count(cx, NULL), 0);
    assert_rc(cx, job_load(cx, later, &job), E_NOT_FOUND);
}

static enum rc add_and_fail(struct ctx *cx, void *arg)
{
    (void)arg;
    TRY(job_add(cx, "ok", START, val_null(), NULL));
    return fail(cx, E_INVALID, NULL, "no");
}

static void exists_with_its_cause(void **state)
{
    struct ctx *cx = begin(state);
    assert_rc(cx, db_tx(cx, add_and_fail, NULL), E_INVALID);
    assert_int_equal(count(cx, NULL), 0);
}

static void tries_again(void **state)
{
    struct ctx *cx = begin(state);
    const int64_t id = add(cx, "fails", START);
    struct job job;
    int64_t pause = 0;
    for (int attempt = 1; attempt <= 3; attempt++) {
        run_due(cx, 1);
        assert_int_equal(last_attempt, attempt);
        run_due(cx, 0);
        assert_rc(cx, job_load(cx, id, &job), OK);
        assert_string_equal(job.error, "the other side is away (errno 1)");
        if (attempt < 3) {
            assert_string_equal(job.state, "ready");
            assert_true(job.run_at - cx->now > pause);
            pause = job.run_at - cx->now;
            cx->now = job.run_at;
        }
    }
    assert_string_equal(job.state, "parked");
    cx->now += 30 * US_PER_DAY;
    run_due(cx, 0);

    assert_rc(cx, job_retry(cx, id), OK);
    assert_rc(cx, job_retry(cx, id), E_CONFLICT);
    assert_rc(cx, job_drop(cx, id), E_CONFLICT);
    run_due(cx, 1);
    assert_int_equal(last_attempt, 1);
}

static void parks_the_hopeless(void **state)
{
    struct ctx *cx = begin(state);
    const int64_t hopeless = add(cx, "hopeless", START);
    const int64_t unknown = add(cx, "unknown", START);
    run_due(cx, 2);
    assert_int_equal(count(cx, "parked"), 2);
    struct job job;
    assert_rc(cx, job_load(cx, hopeless, &job), OK);
    assert_string_equal(job.error, "this can never be");
    assert_rc(cx, job_drop(cx, hopeless), OK);
    assert_rc(cx, job_drop(cx, unknown), OK);
    assert_rc(cx, job_drop(cx, unknown), E_NOT_FOUND);
    assert_int_equal(count(cx, NULL), 0);
}

static void goes_on_in_slices(void **state)
{
    struct ctx *cx = begin(state);
    add(cx, "slices", START);
    run_due(cx, 4);
    assert_int_equal(count(cx, NULL), 0);

    assert_rc(cx, job_ensure(cx, "hourly", START), OK);
    assert_rc(cx, job_ensure(cx, "hourly", START + 1), OK);
    assert_int_equal(count(cx, NULL), 1);
    run_due(cx, 1);
    assert_rc(cx, job_ensure(cx, "hourly", START), OK);
    cx->now += US_PER_HOUR;
    run_due(cx, 1);
    assert_int_equal(count(cx, "ready"), 1);
}

static void takes_over_from_the_dead(void **state)
{
    struct ctx *cx = begin(state);
    add(cx, "ok", START);
    assert_rc(cx, db_tx(cx, abandon_in_tx, NULL), OK);
    run_due(cx, 0);
    assert_int_equal(count(cx, "running"), 1);
    cx->now += US_PER_MIN;
    run_due(cx, 1);
    assert_int_equal(runs, 1);
    assert_int_equal(count(cx, NULL), 0);

    /* One that takes every worker with it is not given to more of them. */
    add(cx, "fails", START);
    for (int i = 0; i < 3; i++)
        assert_rc(cx, db_tx(cx, abandon_in_tx, NULL), OK);
    cx->now += US_PER_HOUR;
    run_due(cx, 1);
    assert_int_equal(runs, 1);
    assert_int_equal(count(cx, "parked"), 1);
}

static void cannot_finish_what_it_lost(void **state)
{
    struct ctx *cx = begin(state);
    add(cx, "loses", START);
    run_due(cx, 1);
    assert_int_equal(count(cx, "running"), 1); /* by the other */
    cx->now += 2 * US_PER_MIN;
    run_due(cx, 1);
    assert_int_equal(runs, 2);
    assert_int_equal(count(cx, NULL), 0);
}

struct timer {
    const char *name;
    int64_t run_at; /* 0: stop */
};

static enum rc timer_in_tx(struct ctx *cx, void *arg)
{
    const struct timer *t = arg;
    if (!t->name)
        return timer_stop_all(cx, 1);
    return t->run_at ? timer_start(cx, 1, t->name, t->run_at) : timer_stop(cx, 1, t->name);
}

static void timer(struct ctx *cx, const char *name, int64_t run_at)
{
    assert_rc(cx, db_tx(cx, timer_in_tx, &(struct timer){name, run_at}), OK);
}

static void moves_timers(void **state)
{
    struct ctx *cx = begin(state);
    timer(cx, "close", START + 2 * US_PER_HOUR);
    timer(cx, "remind", START + US_PER_HOUR);
    timer(cx, "close", START + 3 * US_PER_HOUR);
    struct list timers = {0};
    assert_rc(cx, timer_list(cx, 1, &timers), OK);
    assert_int_equal(timers.count, 2);
    const struct job *t = timers.at;
    assert_string_equal(t[0].name, "remind");
    assert_string_equal(t[1].name, "close");
    assert_int_equal(t[1].run_at, START + 3 * US_PER_HOUR);

    cx->now = START + 2 * US_PER_HOUR;
    run_due(cx, 1);
    assert_string_equal(last_name, "remind");
    timer(cx, "close", 0);
    timer(cx, "nothing", 0);
    cx->now = START + 4 * US_PER_HOUR;
    run_due(cx, 0);

    timer(cx, "a", START);
    timer(cx, "b", START);
    timer(cx, NULL, 0);
    run_due(cx, 0);
    assert_int_equal(count(cx, NULL), 0);
}

/* Started again while a worker runs it: the worker's hold is gone, the new one stays. */
static void restarts_a_running_timer(void **state)
{
    struct ctx *cx = begin(state);
    timer(cx, "close", START);
    assert_rc(cx, db_tx(cx, abandon_in_tx, NULL), OK);
    struct list timers = {0};
    assert_rc(cx, timer_list(cx, 1, &timers), OK);
    timer(cx, "close", START + US_PER_HOUR);
    assert_rc(cx, db_tx(cx, finish_in_tx, timers.at), E_CONFLICT);
    assert_int_equal(count(cx, "ready"), 1);
}

static void lists_in_pages(void **state)
{
    struct ctx *cx = begin(state);
    for (int i = 0; i < 5; i++)
        add(cx, "ok", START);
    struct list jobs;
    const char *next = NULL;
    int seen = 0, pages = 0;
    int64_t last = INT64_MAX;
    do {
        assert_rc(cx, job_list(cx, "ready", next, 2, &jobs, &next), OK);
        for (int i = 0; i < jobs.count; i++, seen++) {
            const struct job *job = (struct job *)jobs.at + i;
            assert_true(job->id < last);
            last = job->id;
        }
        pages++;
    } while (next);
    assert_int_equal(seen, 5);
    assert_int_equal(pages, 3);
    assert_rc(cx, job_list(cx, "done", NULL, 2, &jobs, &next), E_INVALID);
    assert_rc(cx, job_list(cx, NULL, "x", 2, &jobs, &next), E_INVALID);
}

/* ---- with workers -----------------------------------------------------------------------------
 */

static struct job_runner *_Atomic awake;

static void wake(void *arg)
{
    (void)arg;
    struct job_runner *r = atomic_load(&awake);
    if (r)
        job_wake(r);
}

static bool comes_true(int want)
{
    for (int i = 0; i < 5000 && atomic_load(&runs) < want; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return atomic_load(&runs) == want;
}

static enum rc add_many(struct ctx *cx, void *arg)
{
    for (int i = 0; i < *(int *)arg; i++)
        TRY(job_add(cx, "ok", cx->now, val_null(), NULL));
    return OK;
}

static void workers_share(void **state)
{
    struct ctx *cx = begin(state);
    cx->now = clock_now();
    db_on_change(cx->db, wake, NULL);
    const struct job_config config = {.db = cx->db, .kinds = tables, .threads = 4};
    struct job_runner *r = NULL;
    assert_rc(cx, job_start(cx, &config, &r), OK);
    atomic_store(&awake, r);

    int many = 100;
    assert_rc(cx, db_tx(cx, add_many, &many), OK);
    assert_true(comes_true(100));
    add(cx, "ok", cx->now + US_PER_HOUR);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_int_equal(runs, 100);
    clock_shift(US_PER_HOUR);
    job_wake(r);
    assert_true(comes_true(101));

    atomic_store(&awake, NULL);
    job_stop(r);
    job_stop(NULL);
    clock_shift(0);
    db_on_change(cx->db, NULL, NULL);
    assert_int_equal(count(cx, NULL), 0);
}

#define ON_BOTH(test)                                                                              \
    {#test " (sqlite)", test, on_sqlite, tear_down, NULL},                                         \
    {                                                                                              \
#test " (postgres)", test, on_postgres, tear_down, NULL                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(runs_what_is_due),
        ON_BOTH(exists_with_its_cause),
        ON_BOTH(tries_again),
        ON_BOTH(parks_the_hopeless),
        ON_BOTH(goes_on_in_slices),
        ON_BOTH(takes_over_from_the_dead),
        ON_BOTH(cannot_finish_what_it_lost),
        ON_BOTH(moves_timers),
        ON_BOTH(restarts_a_running_timer),
        ON_BOTH(lists_in_pages),
        ON_BOTH(workers_share),
    };
    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
