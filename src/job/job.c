#include "job/job.h"

#include <assert.h>

#include "job_sql.h"

#include "base/ctx.h"
#include "base/json.h"
#include "base/str.h"
#include "db/db.h"
#include "job/inside.h"

const struct col job_cols[] = {
    INT_COL(struct job, id),          TEXT_COL(struct job, kind),
    TEXT_COL(struct job, state),      INT_COL(struct job, run_at),
    INT_COL(struct job, lease_until), INT_COL(struct job, fence),
    INT_COL(struct job, attempt),     INT_COL(struct job, created_at),
    INT_COL(struct job, record_id),   TEXT_COL(struct job, name),
    TEXT_COL(struct job, input),      TEXT_COL(struct job, progress),
    TEXT_COL(struct job, error),      {0},
};

struct added {
    int64_t id;
};
static const struct col added_cols[] = {
    INT_COL(struct added, id),
    {0},
};

static const char *json_or_empty(struct ctx *cx, struct val v)
{
    return val_is_null(v) ? "{}" : json_from_val(cx, v);
}

enum rc job_add(struct ctx *cx, const char *kind, int64_t run_at, struct val input, int64_t *ret_id)
{
    assert(db_in_tx(cx));
    struct added added;
    TRY(db_one(cx, SQL_job_add,
               ARGS(TEXT("kind", kind), INT("run_at", run_at),
                    TEXT("input", json_or_empty(cx, input)), INT("now", cx->now)),
               added_cols, &added));
    if (ret_id)
        *ret_id = added.id;
    return OK;
}

struct ensured {
    const char *kind;
    int64_t run_at;
};

static enum rc ensure_in_tx(struct ctx *cx, void *arg)
{
    const struct ensured *e = arg;
    return db_exec(cx, SQL_job_ensure,
                   ARGS(TEXT("kind", e->kind), INT("run_at", e->run_at), INT("now", cx->now)),
                   NULL);
}

enum rc job_ensure(struct ctx *cx, const char *kind, int64_t run_at)
{
    return db_tx(cx, ensure_in_tx, &(struct ensured){kind, run_at});
}

/* ---- timers ----------------------------------------------------------------------------------
 */

enum rc timer_start(struct ctx *cx, int64_t record_id, const char *name, int64_t run_at)
{
    assert(db_in_tx(cx));
    return db_exec(cx, SQL_job_timer_start,
                   ARGS(INT("record_id", record_id), TEXT("name", name), INT("run_at", run_at),
                        INT("now", cx->now)),
                   NULL);
}

enum rc timer_stop(struct ctx *cx, int64_t record_id, const char *name)
{
    assert(db_in_tx(cx));
    return db_exec(cx, SQL_job_timer_stop, ARGS(INT("record_id", record_id), TEXT("name", name)),
                   NULL);
}

enum rc timer_stop_all(struct ctx *cx, int64_t record_id)
{
    assert(db_in_tx(cx));
    return db_exec(cx, SQL_job_timer_stop_all, ARGS(INT("record_id", record_id)), NULL);
}

enum rc timer_list(struct ctx *cx, int64_t record_id, struct list *ret)
{
    return db_all(cx, SQL_job_timer_list, ARGS(INT("record_id", record_id)), job_cols,
                  sizeof(struct job), ret);
}

/* ---- the end of a job, from within ------------------------------------------------------------
 */

static enum rc still_held(struct ctx *cx, const struct job *job, int changed)
{
    if (changed == 0)
        return fail(cx, E_CONFLICT, NULL, "job %lld was taken over by another worker",
                    (long long)job->id);
    return OK;
}

enum rc job_finish(struct ctx *cx, const struct job *job)
{
    assert(db_in_tx(cx));
    int changed;
    TRY(db_exec(cx, SQL_job_finish, ARGS(INT("id", job->id), INT("fence", job->fence)), &changed));
    return still_held(cx, job, changed);
}

enum rc job_continue_at(struct ctx *cx, const struct job *job, int64_t run_at, struct val progress)
{
    assert(db_in_tx(cx));
    int changed;
    TRY(db_exec(cx, SQL_job_go_on,
                ARGS(INT("id", job->id), INT("fence", job->fence), INT("run_at", run_at),
                     TEXT("progress", json_or_empty(cx, progress))),
                &changed));
    return still_held(cx, job, changed);
}

enum rc job_continue(struct ctx *cx, const struct job *job, struct val progress)
{
    return job_continue_at(cx, job, cx->now, progress);
}

/* ---- for operators ----------------------------------------------------------------------------
 */

enum rc job_load(struct ctx *cx, int64_t id, struct job *ret)
{
    const enum rc rc = db_one(cx, SQL_job_load, ARGS(INT("id", id)), job_cols, ret);
    return rc == E_NOT_FOUND ? fail(cx, rc, NULL, "there is no job %lld", (long long)id) : rc;
}

enum rc job_list(struct ctx *cx, const char *state, const char *cursor, int limit, struct list *ret,
                 const char **ret_next)
{
    static const char *const states[] = {"ready", "running", "parked", NULL};
    int64_t before = INT64_MAX;
    if (state && !str_in(state, states))
        return fail(cx, E_INVALID, "state", "must be ready, running or parked");
    if (cursor && !str_to_int(cursor, &before))
        return fail(cx, E_INVALID, "cursor", "is not one of ours");
    struct list jobs = {0};
    TRY(db_all(cx, SQL_job_list,
               ARGS(TEXT("state", state), INT("before", before), INT("limit", limit + 1)), job_cols,
               sizeof(struct job), &jobs));
    const bool has_more = jobs.count > limit;
    if (has_more)
        jobs.count = limit;
    const struct job *last = jobs.count ? (struct job *)jobs.at + jobs.count - 1 : NULL;
    *ret_next = has_more ? arena_printf(cx->arena, "%lld", (long long)last->id) : NULL;
    *ret = jobs;
    return OK;
}

struct parked {
    int64_t id;
    const struct sql *sql;
    const struct arg *args;
};

/* What is done to a parked job, and to no other. */
static enum rc parked_in_tx(struct ctx *cx, void *arg)
{
    const struct parked *p = arg;
    struct job job;
    TRY(job_load(cx, p->id, &job));
    int changed;
    TRY(db_exec(cx, p->sql, p->args, &changed));
    return changed ? OK : fail(cx, E_CONFLICT, NULL, "the job is %s, not parked", job.state);
}

enum rc job_retry(struct ctx *cx, int64_t id)
{
    const struct arg *args = ARGS(INT("id", id), INT("now", cx->now));
    return db_tx(cx, parked_in_tx, &(struct parked){id, SQL_job_retry, args});
}

enum rc job_drop(struct ctx *cx, int64_t id)
{
    return db_tx(cx, parked_in_tx, &(struct parked){id, SQL_job_drop, ARGS(INT("id", id))});
}
