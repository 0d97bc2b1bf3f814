/* cli_system.c - the server as a whole: health and what happens. */
#include <unistd.h>

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

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag event_flags[] = {
    {"after", FLAG_INT, 0, "EVENT", NULL, "only what happened after this one"},
    {"follow", FLAG_SWITCH, 'f', NULL, NULL, "wait for more"},
    {0},
};

const struct command system_commands[] = {
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
