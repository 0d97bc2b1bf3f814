/* The server itself: health, figures, settings, and the page at the root. */
#include <poll.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "edge/metrics.h"
#include "edge/openapi.h"
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
        log_write(LOG_WARNING, "not ready", LOG_TEXT("text", cx->err.text),
                  LOG_TEXT("detail", cx->err.detail));
        return fail(cx, E_BUSY, NULL, "not ready");
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

/* ---- how it is set -------------------------------------------------------------------------- */

static const struct shape setting_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"value", SHAPE_TEXT, .is_required = true, .is_nullable = true, .help = "null: a secret"},
    {"source", SHAPE_TEXT, .is_required = true, .help = "default, or the place that says so"},
    {0},
};

static const struct shape system_output[] = {
    {"version", SHAPE_TEXT, .is_required = true},
    {"engine", SHAPE_TEXT, .choices = "sqlite postgres", .is_required = true},
    {"started", SHAPE_INSTANT, .is_required = true},
    {"now", SHAPE_INSTANT, .is_required = true},
    {"base_url", SHAPE_TEXT, .is_required = true},
    {"connections", SHAPE_INT, .is_required = true},
    {"streams", SHAPE_INT, .is_required = true},
    {"settings", SHAPE_OBJECT, .is_list = true, .of = setting_shape, .schema = "Setting",
     .is_required = true},
    {0},
};

static void write_setting(struct json *j, const struct settings *settings, enum setting_id id)
{
    const struct setting *row = &settings_table()[id];

    json_open(j, '{');
    json_member_text(j, "name", row->name);
    json_key(j, "value");
    json_text(j, row->kind == SET_SECRET ? NULL : settings_text(settings, id));
    json_member_text(j, "source", settings_source(settings, id));
    json_close(j, '}');
}

static enum rc read_system(struct ctx *cx, struct call *c)
{
    const struct server *s = c->server;
    const struct http_figures figures = s->http ? http_figures(s->http) : (struct http_figures){0};
    struct json *j = &c->json;

    json_open(j, '{');
    json_member_text(j, "version", FETTLE_VERSION);
    json_member_text(j, "engine", db_engine(cx->db) == DB_SQLITE ? "sqlite" : "postgres");
    json_key(j, "started"), json_instant(j, s->started_at);
    json_key(j, "now"), json_instant(j, cx->now);
    json_member_text(j, "base_url", s->base_url);
    json_member_int(j, "connections", figures.connections);
    json_member_int(j, "streams", figures.streams);
    json_key(j, "settings");
    json_open(j, '[');
    for (int i = 0; i < SETTING_COUNT; i++)
        write_setting(j, s->settings, (enum setting_id)i);
    json_close(j, ']');
    json_close(j, '}');
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

/* Run what is due, here and by the workers, until a look found nothing running and nothing due. A
 * job may have to wait for another of its record, so the look comes first. */
static enum rc run_due(struct ctx *cx, struct server *s, int *ret_ran)
{
    const int64_t deadline = clock_monotonic() + 20 * US_PER_S;
    struct list running = {0};
    const char *next;
    int ran;

    do {
        TRY(job_list(cx, "running", NULL, 1, &running, &next));
        TRY(job_run_due(cx, &s->job_config, &ran));
        *ret_ran += ran;
        if (running.count && !ran)
            poll(NULL, 0, 2);
    } while ((ran || running.count) && clock_monotonic() < deadline);
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

static enum rc send_openapi(struct ctx *cx, struct call *c)
{
    openapi_write(cx, c->server->openapi, c->server->base_url, &c->response->body);
    c->response->type = "application/json";
    return OK;
}

/* RFC 9116: where to report a weakness of this server: to who runs it. */
static enum rc send_security(struct ctx *cx, struct call *c)
{
    const int64_t expires = cx->now - cx->now % US_PER_DAY + 180 * US_PER_DAY;

    buf_printf(&c->response->body, "Contact: %s/\nExpires: %s\nPreferred-Languages: en\n",
               c->server->base_url, time_format_instant(cx->arena, expires));
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
    {HTTP_GET_, "/api/v1/system", "system.view", read_system, "readSystem",
     "Version, figures and settings of the server, without its secrets", NULL, NULL, system_output},
    {HTTP_POST_, "/api/v1/test/clock", ALLOW_PUBLIC, move_clock, "moveClock",
     "Move the clock; only where the setting test.clock is on", NULL, clock_input, clock_output,
     .flags = ROUTE_HIDDEN | ROUTE_NO_LIMIT},
    {HTTP_GET_, "/", ALLOW_PUBLIC, home, "home", "Where the description of the API is",
     .flags = ROUTE_HIDDEN | ROUTE_FILE},
    {HTTP_GET_, "/api/v1/openapi.json", ALLOW_PUBLIC, send_openapi, "readOpenapi", "This document",
     .flags = ROUTE_FILE},
    {HTTP_GET_, "/.well-known/security.txt", ALLOW_PUBLIC, send_security, "security",
     "Where to report a weakness", .flags = ROUTE_HIDDEN | ROUTE_FILE},
    {HTTP_GET_, "/robots.txt", ALLOW_PUBLIC, send_robots, "robots", "Nothing here is to be indexed",
     .flags = ROUTE_HIDDEN | ROUTE_FILE},
    {0},
};
