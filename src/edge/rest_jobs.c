/* What waits to be done, runs, or is parked. */
#include "auth/auth.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "job/job.h"

static const struct shape jobs_query[] = {
    {"state", SHAPE_TEXT, .choices = "ready running parked"},
    {"limit", SHAPE_INT, .least = 1, .most = 500},
    {"cursor", SHAPE_TEXT},
    {0},
};

static const struct shape job_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"kind", SHAPE_TEXT, .is_required = true},
    {"state", SHAPE_TEXT, .choices = "ready running parked", .is_required = true},
    {"run_at", SHAPE_INSTANT, .is_required = true},
    {"attempt", SHAPE_INT, .is_required = true},
    {"action", SHAPE_TEXT, .help = "Of a timer: the action it runs"},
    {"error", SHAPE_TEXT, .help = "Of the last attempt"},
    {"created", SHAPE_INSTANT, .is_required = true},
    {0},
};

static const struct shape jobs_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = job_shape, .schema = "Job", .is_required = true},
    {"page", SHAPE_OBJECT, .of = view_page_shape, .schema = "Page", .is_required = true},
    {0},
};

static void write_job(struct json *j, const struct job *job)
{
    json_open(j, '{');
    view_member_id(j, "id", job->id);
    json_member_text(j, "kind", job->kind);
    json_member_text(j, "state", job->state);
    view_member_instant(j, "run_at", job->run_at);
    json_member_int(j, "attempt", job->attempt);
    if (job->name && *job->name)
        json_member_text(j, "action", job->name);
    json_member_text(j, "error", job->error);
    view_member_instant(j, "created", job->created_at);
    json_close(j, '}');
}

static enum rc list_jobs(struct ctx *cx, struct call *c)
{
    const struct request *rq = c->request;
    struct list jobs;
    const char *next;

    TRY(job_list(cx, request_query(rq, "state"), request_query(rq, "cursor"),
                 (int)query_int(rq, "limit", 50), &jobs, &next));
    view_data_begin(c);
    for (int i = 0; i < jobs.count; i++)
        write_job(&c->json, (const struct job *)jobs.at + i);
    view_page_end(cx, c, next);
    return OK;
}

static enum rc read_job(struct ctx *cx, struct call *c)
{
    struct job job;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(job_load(cx, id, &job));
    write_job(&c->json, &job);
    return OK;
}

static enum rc retry(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return job_retry(cx, id);
}

static enum rc drop(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return job_drop(cx, id);
}

const struct route job_routes[] = {
    {HTTP_GET_, "/api/v1/jobs", "job.view", list_jobs, "listJobs",
     "What waits, runs and is parked, newest first", jobs_query, NULL, jobs_output,
     .tag = "System"},
    {HTTP_GET_, "/api/v1/jobs/{id}", "job.view", read_job, "readJob", "A job", NULL, NULL,
     job_shape},
    {HTTP_POST_, "/api/v1/jobs/{id}/retry", "job.manage", retry, "retryJob",
     "Run a parked job again"},
    {HTTP_DELETE_, "/api/v1/jobs/{id}", "job.manage", drop, "dropJob", "Give a parked job up"},
    {0},
};
