/* job.h - what must happen later, and survives every crash.
 *
 * A job is a row: kind, input, when. It is written in the transaction that wants it (so it exists
 * exactly when its cause does), claimed by one worker under a lease with a fence number, run, and
 * removed or rescheduled in one transaction with its effect. A job that fails is tried again with
 * growing pauses and jitter; after the last attempt it is parked where an operator sees it, retries
 * or drops it. Timers of records are jobs of kind "timer" with a record and a name: starting one
 * again moves it.
 *
 * Kinds are rows of tables that the modules hand to job_start(); a kind that nobody knows is
 * parked.
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"
#include "base/val.h"

struct ctx;
struct db;

struct job {
    int64_t id;
    const char *kind;
    const char *state; /* ready, running, parked */
    int64_t run_at, lease_until, fence, attempt, created_at;
    int64_t record_id; /* 0: none */
    const char *name;  /* of a timer; "" otherwise */
    const char *input; /* JSON */
    const char *progress;
    const char *error; /* of the last attempt, or NULL */
};

/* Runs one job, outside any transaction, as the system. It ends by returning OK: then the job is
 * done and removed. Long work does a slice, calls job_continue() inside its transaction, and
 * returns OK. A failure is retried unless it is E_INVALID, E_NOT_FOUND or E_DENIED, which park at
 * once. */
typedef enum rc (*job_fn)(struct ctx *cx, const struct job *job);

struct job_kind {
    const char *name;
    job_fn run;
    int max_attempts; /* 0: 12, which spans about a day */
    const char *help;
};

/* Inside a transaction: */
enum rc job_add(struct ctx *cx, const char *kind, int64_t run_at, struct val input,
                int64_t *ret_id);
/* A timer of a record: replaces the one of that name. */
enum rc timer_start(struct ctx *cx, int64_t record_id, const char *name, int64_t run_at);
enum rc timer_stop(struct ctx *cx, int64_t record_id, const char *name);
enum rc timer_stop_all(struct ctx *cx, int64_t record_id);
/* The effect of a job and its end in one transaction: marks it done if this worker still holds it;
 * E_CONFLICT when the lease was lost, and then the transaction must fail. */
enum rc job_finish(struct ctx *cx, const struct job *job);
/* Keep the job and run it again at once with this progress: the next slice. */
enum rc job_continue(struct ctx *cx, const struct job *job, struct val progress);

/* What waits, runs and is parked; newest first. state NULL: all. */
enum rc job_list(struct ctx *cx, const char *state, const char *cursor, int limit, struct list *ret,
                 const char **ret_next);
enum rc job_load(struct ctx *cx, int64_t id, struct job *ret);
enum rc job_retry(struct ctx *cx, int64_t id); /* parked -> ready now */
enum rc job_drop(struct ctx *cx, int64_t id);  /* parked only */

/* The timers of a record: struct job, soonest first. */
enum rc timer_list(struct ctx *cx, int64_t record_id, struct list *ret);

struct job_config {
    struct db *db;
    const struct job_kind *const
        *kinds; /* tables, each ended by a row without name; NULL at the end */
    int threads;
    int64_t lease_us; /* 0: 60 s */
    /* Prepare the context of a job: definitions, settings. May be NULL. */
    void (*prepare)(struct ctx *cx, void *arg);
    void *arg;
};

struct job_runner;
enum rc job_start(struct ctx *cx, const struct job_config *config, struct job_runner **ret);
void job_wake(struct job_runner *r); /* something may be due now; cheap, from any thread */
void job_stop(struct job_runner *r); /* waits for what runs; NULL is fine */

/* Run everything that is due at cx->now in this thread and return how many ran; for tests and for
 * commands that have no runner. */
enum rc job_run_due(struct ctx *cx, const struct job_config *config, int *ret_ran);

/* A job that runs again and again: ensures one job of that kind exists, first due at run_at. Its
 * function ends with job_continue_at(). */
enum rc job_ensure(struct ctx *cx, const char *kind, int64_t run_at);
enum rc job_continue_at(struct ctx *cx, const struct job *job, int64_t run_at, struct val progress);

#endif
