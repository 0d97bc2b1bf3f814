/* The server itself: health, figures, settings, and the page at the root. */
#include <poll.h>

#include "auth/auth.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "edge/metrics.h"
#include "edge/server.h"
#include "edge/shape.h"

/* ---- health --------------------------------------------------------------------------------- */

static const struct shape health_output[] = {
    {"status", SHAPE_TEXT, .choices = "ok", .is_required = true},
    {0},
};

static void write_ok(struct call *c)
{
    json_open(&c->json, '{');
    json_member_text(&c->json, "status", "ok");
    json_close(&c->json, '}');
}

static enum rc live(struct ctx *cx, struct call *c)
{
    (void)cx;
    write_ok(c);
    return OK;
}

/* Whoever asks from outside learns whether, not why; the reason is in the log. */
static enum rc ready(struct ctx *cx, struct call *c)
{
    if (db_check(cx) != OK || !cx->defs) {
        cx->err.code = NULL;
        return cx->err.rc = E_BUSY;
    }
    write_ok(c);
    return OK;
}

static enum rc metrics(struct ctx *cx, struct call *c)
{
    (void)cx;
    metrics_write(c->server->metrics, c->server, &c->response->body);
    c->response->type = "text/plain; version=0.0.4; charset=utf-8";
    return OK;
}

/* ---- what tests may move -------------------------------------------------------------------- */

static const struct shape clock_input[] = {
    {"by_seconds", SHAPE_INT, .help = "Move the clock so far from where it is"},
    {"to", SHAPE_INSTANT, .help = "Set it to this instant"},
    {0},
};

static const struct shape clock_output[] = {
    {"now", SHAPE_INSTANT, .is_required = true},
    {"ran", SHAPE_INT, .is_required = true, .help = "Jobs that were due and ran"},
    {0},
};

/* Run what is due here, and wait for what a worker took before. */
static enum rc run_due(struct ctx *cx, struct server *s, int *ret_ran)
{
    struct list running = {0};
    const char *next;

    TRY(job_run_due(cx, &s->job_config, ret_ran));
    for (int i = 0; i < 1000; i++) {
        TRY(job_list(cx, "running", NULL, 1, &running, &next));
        if (!running.count)
            break;
        poll(NULL, 0, 2);
    }
    return OK;
}

/* Moves the clock of the whole process, and runs what became due, so that when the answer comes
 * everything has happened. */
static enum rc move_clock(struct ctx *cx, struct call *c)
{
    struct server *s = c->server;
    const int64_t to = body_has(c, "to") ? body_instant(c, "to")
                                         : clock_now() + body_int(c, "by_seconds") * US_PER_S;
    int ran = 0;

    if (!settings_int(s->settings, SETTING_TEST_CLOCK))
        return fail(cx, E_NOT_FOUND, NULL, "there is nothing at this address");
    s->clock_shift_us += to - clock_now();
    clock_shift(s->clock_shift_us);
    cx->now = clock_now();
    if (s->jobs)
        TRY(run_due(cx, s, &ran));
    json_open(&c->json, '{');
    json_key(&c->json, "now");
    json_instant(&c->json, cx->now);
    json_member_int(&c->json, "ran", ran);
    json_close(&c->json, '}');
    return OK;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static const char home_page[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>fettle</title></head>\n"
    "<body><h1>fettle</h1>\n"
    "<p>IT service management. This server answers to programs; its API is described in\n"
    "<a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a> (OpenAPI 3.1).</p>\n"
    "<p>You came with a link for the first administrator? Send what stands behind\n"
    "<code>#setup=</code> to the server:</p>\n"
    "<pre>curl -H 'Content-Type: application/json' -d '{\"secret\": \"...\",\n"
    "  \"organisation\": \"...\", \"name\": \"...\", \"login\": \"...\", \"password\": \"...\"}' "
    "\\\n"
    "  http://.../api/v1/setup</pre>\n"
    "</body></html>\n";

static enum rc home(struct ctx *cx, struct call *c)
{
    (void)cx;
    c->response->static_body = home_page;
    c->response->static_len = sizeof(home_page) - 1;
    c->response->type = "text/html; charset=utf-8";
    return OK;
}

static const char robots[] = "User-agent: *\nDisallow: /\n";

static enum rc send_robots(struct ctx *cx, struct call *c)
{
    (void)cx;
    c->response->static_body = robots;
    c->response->static_len = sizeof(robots) - 1;
    c->response->type = "text/plain; charset=utf-8";
    return OK;
}

const struct route system_routes[] = {
    {HTTP_GET_, "/healthz", ALLOW_PUBLIC, live, "readHealth", "The server runs", NULL, NULL,
     health_output, .flags = ROUTE_URGENT | ROUTE_NO_LIMIT, .tag = "System"},
    {HTTP_GET_, "/readyz", ALLOW_PUBLIC, ready, "readReadiness",
     "The server can read and write its database", NULL, NULL, health_output,
     .flags = ROUTE_URGENT | ROUTE_NO_LIMIT},
    {HTTP_GET_, "/metrics", "system.view", metrics, "readMetrics", "Figures for Prometheus",
     .flags = ROUTE_URGENT | ROUTE_NO_LIMIT | ROUTE_FILE},
    {HTTP_POST_, "/api/v1/test/clock", ALLOW_PUBLIC, move_clock, "moveClock",
     "Move the clock; only where the setting test.clock is on", NULL, clock_input, clock_output,
     .flags = ROUTE_HIDDEN | ROUTE_NO_LIMIT},
    {HTTP_GET_, "/", ALLOW_PUBLIC, home, "home", "Where the description of the API is",
     .flags = ROUTE_HIDDEN | ROUTE_FILE},
    {HTTP_GET_, "/robots.txt", ALLOW_PUBLIC, send_robots, "robots", "Nothing here is to be indexed",
     .flags = ROUTE_HIDDEN | ROUTE_FILE},
    {0},
};
