/* cli_system.c - the server as a whole: health and what happens. */
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "edge/cli_ask.h"
#include "edge/cli_out.h"

#define PAUSE_US 1000000

/* ---- health --------------------------------------------------------------------------------- */

static enum rc run_health(struct ctx *cx, struct cli *c)
{
    struct answer a;
    const enum rc rc = ask_get(cx, c, "/readyz", &a);

    if (rc == OK)
        cli_tell("ready: %s", c->door->name);
    return rc;
}

/* ---- events --------------------------------------------------------------------------------- */

static const struct column event_columns[] = {
    {"EVENT", "id", true},        {"WHEN", "occurred", false}, {"WHO", "actor", false},
    {"RECORD", "number", false},  {"KIND", "kind", false},     {"ACTION", "action", false},
    {"STATE", "to_state", false}, {"TEXT", "text", false},     {0},
};

/* One page after that event; *ret_last is how far the server looked. */
static enum rc print_events(struct ctx *cx, struct cli *c, struct out *o, int64_t *after,
                            bool *ret_more)
{
    struct answer a;
    int64_t last;

    TRY(ask_get(cx, c,
                arena_printf(cx->arena, "/api/v1/events?limit=500&after=%lld", (long long)*after),
                &a));
    const struct val *data = val_get(&a.body, "data");
    if (!data || data->kind != VAL_LIST)
        return fail(cx, E_FAIL, NULL, "%s does not answer as fettle does", c->door->name);
    if (data->count)
        out_rows(o, cx->arena, *data);
    *ret_more = val_get(&a.body, "has_more") && val_get(&a.body, "has_more")->flag;
    if (val_get_text(&a.body, "after") && str_to_int(val_get_text(&a.body, "after"), &last))
        *after = last;
    return cli_flush(cx, c);
}

static enum rc run_events(struct ctx *cx, struct cli *c)
{
    struct out o = out_begin(c, event_columns);
    struct ctx page;
    int64_t after = cli_int(c, "after", 0);
    bool has_more = true;

    TRY(ask_open(cx, c));
    page = *cx;
    page.arena = arena_create();
    arena_defer(cx->arena, (void (*)(void *))arena_destroy, page.arena);
    while (has_more || cli_is(c, "follow")) {
        const enum rc rc = print_events(&page, c, &o, &after, &has_more);
        if (rc != OK) {
            cx->err = page.err;
            return rc;
        }
        arena_reset(page.arena);
        if (!has_more && cli_is(c, "follow"))
            usleep(PAUSE_US);
    }
    out_end(&o);
    return OK;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static const struct column job_columns[] = {
    {"ID", "id", true},          {"KIND", "kind", false},
    {"ACTION", "action", false}, {"STATE", "state", false},
    {"DUE", "run_at", false},    {"ATTEMPT", "attempt", true},
    {"ERROR", "error", false},   {0},
};

static enum rc run_job_list(struct ctx *cx, struct cli *c)
{
    const char *state = cli_text(c, "state"), *path = "/api/v1/jobs";

    if (state)
        path = arena_printf(cx->arena, "%s?state=%s", path, state);
    return ask_print(cx, c, path, cli_is(c, "all") ? 0 : 50, job_columns, NULL);
}

static enum rc run_job_retry(struct ctx *cx, struct cli *c)
{
    struct answer a;

    return ask(cx, c, HTTP_POST_,
               arena_printf(cx->arena, "/api/v1/jobs/%s/retry", ask_encoded(cx->arena, c->args[0])),
               NULL, NULL, &a);
}

static enum rc run_job_drop(struct ctx *cx, struct cli *c)
{
    struct answer a;

    TRY(cli_confirm(cx, c, "Give this job up for good?"));
    return ask(cx, c, HTTP_DELETE_,
               arena_printf(cx->arena, "/api/v1/jobs/%s", ask_encoded(cx->arena, c->args[0])), NULL,
               NULL, &a);
}

/* ---- any request ---------------------------------------------------------------------------- */

static enum rc read_body(struct ctx *cx, const struct cli *c, struct val *ret)
{
    const char *text = c->args[2];

    if (str_equal(text, "-"))
        TRY(cli_read(cx, text, &text));
    if (json_parse(cx, text, strlen(text), ret) != OK)
        return cli_usage(cx, "the body is not JSON: %s", cx->err.text);
    return OK;
}

static enum rc run_api(struct ctx *cx, struct cli *c)
{
    const char *const *args = c->args;
    struct val body;
    struct answer a;
    int method = 0;

    while (method < HTTP_METHODS && !str_equal(http_method_name((enum http_method)method), args[0]))
        method++;
    if (method == HTTP_METHODS || *args[1] != '/')
        return cli_usage(cx, "say a method and a path: fettle api GET /api/v1/me");
    if (c->arg_count == 3)
        TRY(read_body(cx, c, &body));
    TRY(ask(cx, c, (enum http_method)method, args[1], c->arg_count == 3 ? &body : NULL,
            cli_text(c, "if-match"), &a));
    if (a.body.kind != VAL_NULL) {
        json_val(&(struct json){.out = &c->out}, a.body);
        buf_puts(&c->out, "\n");
    }
    return OK;
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag event_flags[] = {
    {"after", FLAG_INT, 0, "EVENT", NULL, "only what happened after this one"},
    {"follow", FLAG_SWITCH, 'f', NULL, NULL, "wait for more"},
    {0},
};

static const struct flag job_flags[] = {
    {"state", FLAG_TEXT, 0, "STATE", "ready running parked", "only those"},
    {"all", FLAG_SWITCH, 'a', NULL, NULL, "all of them, not only the newest 50"},
    {0},
};

static const struct flag drop_flags[] = {
    {"yes", FLAG_SWITCH, 'y', NULL, NULL, "do not ask"},
    {0},
};

static const struct flag api_flags[] = {
    {"if-match", FLAG_TEXT, 0, "ETAG", NULL, "what the change is based on, or *"},
    {0},
};

const struct command system_commands[] = {
    {
        .words = "api",
        .arguments = "METHOD PATH [JSON]",
        .least = 2,
        .most = 3,
        .help = "Any request of the REST API; prints what it answers",
        .more = "JSON - is standard input.",
        .examples =
            "fettle api GET /api/v1/me\n"
            "fettle api PATCH /api/v1/incident/INC-1 '{\"urgency\": \"low\"}' --if-match '*'",
        .flags = api_flags,
        .use = USE_SERVER,
        .run = run_api,
    },
    {
        .words = "job list",
        .help = "What will happen later, runs now, or was given up",
        .examples = "fettle job list --state parked",
        .flags = job_flags,
        .use = USE_SERVER | USE_OUTPUT,
        .run = run_job_list,
    },
    {
        .words = "job retry",
        .arguments = "ID",
        .least = 1,
        .most = 1,
        .help = "Try a parked job again",
        .examples = "fettle job retry 17",
        .use = USE_SERVER,
        .run = run_job_retry,
    },
    {
        .words = "job drop",
        .arguments = "ID",
        .least = 1,
        .most = 1,
        .help = "Give a parked job up",
        .examples = "fettle job drop 17 --yes",
        .flags = drop_flags,
        .use = USE_SERVER,
        .run = run_job_drop,
    },
    {
        .words = "events",
        .help = "What happened, in the order of the commits",
        .examples = "fettle events --after 4711 -o json\n"
                    "fettle events --follow",
        .flags = event_flags,
        .use = USE_SERVER | USE_OUTPUT,
        .run = run_events,
    },
    {
        .words = "health",
        .help = "Whether the server works: it can read and write",
        .more = "Ends with 75 when it is not there.",
        .examples = "fettle health --url http://127.0.0.1:8080",
        .use = USE_SERVER,
        .run = run_health,
    },
    {0},
};
