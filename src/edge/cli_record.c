/* cli_record.c - records: list, show, create, act, reply, note. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "edge/cli_ask.h"
#include "edge/cli_out.h"

/* ---- where a record is ---------------------------------------------------------------------- */

/* Addresses name the process too. Asked under a name that none has, the server says where the
 * record is, whatever of its numbers it was asked by. */
static enum rc find_record(struct ctx *cx, struct cli *c, const char *number, const char **ret)
{
    const char *encoded = ask_encoded(cx->arena, number);
    struct answer a;
    const enum rc rc = ask_get(cx, c, arena_printf(cx->arena, "/api/v1/-/%s", encoded), &a);

    if (rc != E_NOT_FOUND)
        return rc == OK ? fail(cx, E_FAIL, NULL, "the server does not say where %s is", number)
                        : rc;
    if (!a.location || *a.location != '/')
        return fail(cx, E_NOT_FOUND, NULL, "there is no record %s", number);
    fail_clear(cx);
    *ret = a.location;
    return OK;
}

/* ---- fields --------------------------------------------------------------------------------- */

/* "field=text", "field=-" with the text on standard input, "field:=JSON". */
static enum rc take_field(struct ctx *cx, const char *arg, struct val_map *to)
{
    const char *equals = strchr(arg, '=');

    if (!equals || equals == arg)
        return cli_usage(cx, "'%s' is not a field as NAME=VALUE", arg);
    const bool is_json = equals[-1] == ':';
    const char *name = arena_strndup(cx->arena, arg, (size_t)(equals - arg) - is_json);
    const char *text = equals + 1;
    struct val v;
    if (!is_json && str_equal(text, "-"))
        TRY(cli_read(cx, "-", &text));
    if (is_json && json_parse(cx, text, strlen(text), &v) != OK)
        return cli_usage(cx, "%s: %s", name, cx->err.text);
    val_map_set(cx->arena, to, name, is_json ? v : *text ? val_text(text) : val_null());
    return OK;
}

static enum rc take_fields(struct ctx *cx, const struct cli *c, int from, struct val *ret)
{
    struct val_map map = {0};

    for (int i = from; i < c->arg_count; i++)
        TRY(take_field(cx, c->args[i], &map));
    *ret = val_from_map(&map);
    return OK;
}

/* ---- list ----------------------------------------------------------------------------------- */

#define SHOWN "number,state,priority,group,assignee,updated,title"

/* What the server is asked for: a column "caller.name" is part of the field caller. */
static const char *fields_of(struct arena *a, const char *columns)
{
    struct buf b = {.arena = a};
    bool is_inner = false;

    for (const char *s = columns; *s; s++) {
        is_inner = *s != ',' && (is_inner || *s == '.');
        if (!is_inner && *s != ' ')
            buf_putc(&b, *s);
    }
    return buf_text(&b);
}

static enum rc list_path(struct ctx *cx, const struct cli *c, const char *columns, const char **ret)
{
    const char *process = cli_text(c, "process"), *sort = cli_text(c, "sort");
    const char *q = cli_text(c, "query");
    const bool is_json = str_equal(out_format(c), "json") && !cli_text(c, "columns");
    struct buf b = {.arena = cx->arena};

    if (q && c->arg_count)
        return cli_usage(cx, "the expression is either -q or an argument");
    q = c->arg_count ? c->args[0] : q;
    buf_printf(&b, "/api/v1/%s?", process ? ask_encoded(cx->arena, process) : "records");
    if (q)
        buf_printf(&b, "q=%s&", ask_encoded(cx->arena, q));
    if (sort)
        buf_printf(&b, "sort=%s&", ask_encoded(cx->arena, sort));
    if (!is_json)
        buf_printf(&b, "fields=%s&", ask_encoded(cx->arena, fields_of(cx->arena, columns)));
    b.at[--b.len] = '\0';
    *ret = buf_text(&b);
    return OK;
}

static enum rc run_list(struct ctx *cx, struct cli *c)
{
    const char *columns = cli_text(c, "columns") ? cli_text(c, "columns") : SHOWN;
    const int64_t most = cli_is(c, "all") ? 0 : cli_int(c, "limit", 50);
    const char *path;
    bool has_more = false;

    if (cli_is(c, "limit") && cli_is(c, "all"))
        return cli_usage(cx, "--limit and --all exclude each other");
    if (cli_is(c, "limit") && !most)
        return cli_usage(cx, "--limit is at least 1");
    TRY(list_path(cx, c, columns, &path));
    TRY(ask_print(cx, c, path, most, out_columns(cx->arena, columns), &has_more));
    if (has_more && !cli_is(c, "limit"))
        cli_tell("these are the first %lld; --all shows the others too", (long long)most);
    return OK;
}

/* ---- show ----------------------------------------------------------------------------------- */

static const struct column history_columns[] = {
    {"EVENT", "id", true},
    {"WHEN", "occurred", false},
    {"WHO", "actor", false},
    {"KIND", "kind", false},
    {"ACTION", "action", false},
    {"STATE", "to_state", false},
    {"DEVIATION", "deviation", false},
    {"TEXT", "text", false},
    {0},
};

/* The history goes on behind the last event that was seen. */
static enum rc show_history(struct ctx *cx, struct cli *c, const char *path)
{
    struct out o = out_begin(c, history_columns);
    const char *after = NULL;

    for (;;) {
        struct answer a;
        TRY(ask_get(cx, c,
                    arena_printf(cx->arena, "%s/history?limit=500%s%s", path,
                                 after ? "&after=" : "", after ? after : ""),
                    &a));
        const struct val *data = val_get(&a.body, "data");
        if (!data || data->kind != VAL_LIST || !data->count)
            break;
        out_rows(&o, cx->arena, *data);
        after = val_get_text(&data->items[data->count - 1], "id");
        if (!after)
            break;
    }
    out_end(&o);
    return OK;
}

static enum rc run_show(struct ctx *cx, struct cli *c)
{
    const char *path, *event = cli_text(c, "as-of");
    struct answer a;

    TRY(find_record(cx, c, c->args[0], &path));
    if (cli_is(c, "history"))
        return show_history(cx, c, path);
    if (event)
        path = arena_printf(cx->arena, "%s?as_of=%s", path, ask_encoded(cx->arena, event));
    else if (cli_is(c, "actions"))
        path = arena_printf(cx->arena, "%s?include=actions", path);
    TRY(ask_get(cx, c, path, &a));
    out_one(c, a.body);
    return OK;
}

/* ---- what changes something ----------------------------------------------------------------- */

/* Nothing more than the number, so that a script can go on with it; the rest with -o json. */
static void tell_record(struct cli *c, const struct answer *a)
{
    const char *number = val_get_text(&a->body, "number");
    const char *state = val_get_text(&a->body, "state");

    if (!str_equal(out_format(c), "table")) {
        out_one(c, a->body);
        return;
    }
    buf_printf(&c->out, "%s\n", number ? number : "");
    if (state)
        cli_tell("%s is %s", number, state);
}

static enum rc run_create(struct ctx *cx, struct cli *c)
{
    struct val body;
    struct answer a;

    TRY(take_fields(cx, c, 1, &body));
    TRY(ask(cx, c, HTTP_POST_,
            arena_printf(cx->arena, "/api/v1/%s", ask_encoded(cx->arena, c->args[0])), &body, NULL,
            &a));
    tell_record(c, &a);
    return OK;
}

/* The revision that the caller saw, or any. */
static const char *if_match(struct arena *a, const struct cli *c)
{
    const int64_t revision = cli_int(c, "revision", 0);
    return revision ? arena_printf(a, "\"%lld\"", (long long)revision) : "*";
}

static enum rc run_act(struct ctx *cx, struct cli *c)
{
    const char *path;
    struct val body;
    struct answer a;

    TRY(take_fields(cx, c, 2, &body));
    TRY(find_record(cx, c, c->args[0], &path));
    TRY(ask(cx, c, HTTP_POST_,
            arena_printf(cx->arena, "%s/actions/%s", path, ask_encoded(cx->arena, c->args[1])),
            &body, if_match(cx->arena, c), &a));
    tell_record(c, &a);
    return OK;
}

static enum rc run_edit(struct ctx *cx, struct cli *c)
{
    const char *path;
    struct val body;
    struct answer a;

    TRY(take_fields(cx, c, 1, &body));
    TRY(find_record(cx, c, c->args[0], &path));
    TRY(ask(cx, c, HTTP_PATCH_, path, &body, if_match(cx->arena, c), &a));
    tell_record(c, &a);
    return OK;
}

static enum rc write_text(struct ctx *cx, struct cli *c, const char *what)
{
    const char *path, *text = c->args[1];
    struct val_map map = {0};
    struct answer a;

    if (str_equal(text, "-"))
        TRY(cli_read(cx, text, &text));
    val_map_set(cx->arena, &map, "text", val_text(text));
    const struct val body = val_from_map(&map);
    TRY(find_record(cx, c, c->args[0], &path));
    TRY(ask(cx, c, HTTP_POST_, arena_printf(cx->arena, "%s/%s", path, what), &body, NULL, &a));
    tell_record(c, &a);
    return OK;
}

static enum rc run_reply(struct ctx *cx, struct cli *c)
{
    return write_text(cx, c, "replies");
}

static enum rc run_note(struct ctx *cx, struct cli *c)
{
    return write_text(cx, c, "notes");
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag list_flags[] = {
    {"query", FLAG_TEXT, 'q', "EXPR", NULL, "only those that match (doc/language)"},
    {"process", FLAG_TEXT, 'p', "NAME", NULL, "only of this process"},
    {"sort", FLAG_TEXT, 's', "FIELDS", NULL,
     "by comma, - before descending ones: priority,-created"},
    {"columns", FLAG_TEXT, 0, "FIELDS", NULL, "what to show, by comma: " SHOWN},
    {"limit", FLAG_INT, 'n', "N", NULL, "at most so many; 50 unless said otherwise"},
    {"all", FLAG_SWITCH, 'a', NULL, NULL, "all of them"},
    {0},
};

static const struct flag show_flags[] = {
    {"history", FLAG_SWITCH, 0, NULL, NULL, "what happened to it instead"},
    {"as-of", FLAG_TEXT, 0, "EVENT", NULL, "as it was after that event of its history"},
    {"actions", FLAG_SWITCH, 0, NULL, NULL, "and what can be done with it now"},
    {0},
};

static const struct flag revision_flags[] = {
    {"revision", FLAG_INT, 0, "N", NULL, "only if nobody changed the same since this revision"},
    {0},
};

#define ASKS (USE_SERVER | USE_OUTPUT)
#define FIELDS                                                                                     \
    "A field is NAME=TEXT; NAME= empties it, NAME=- reads the text from standard input, and\n"     \
    "NAME:=JSON gives any value. People and groups are named by login or name."

const struct command record_commands[] = {
    {
        .words = "record list",
        .arguments = "[EXPR]",
        .most = 1,
        .help = "Records that match",
        .examples = "fettle record list 'status = open and priority = high'\n"
                    "fettle record list --process incident -q 'group = my groups' --sort priority\n"
                    "fettle record list printer -o csv --all >printers.csv",
        .flags = list_flags,
        .use = ASKS,
        .run = run_list,
    },
    {
        .words = "record show",
        .arguments = "NUMBER",
        .least = 1,
        .most = 1,
        .help = "One record, or what happened to it",
        .examples = "fettle record show INC-1\n"
                    "fettle record show INC-1 --history\n"
                    "fettle record show INC-1 --as-of 4711 -o json",
        .flags = show_flags,
        .use = ASKS,
        .run = run_show,
    },
    {
        .words = "record create",
        .arguments = "PROCESS FIELD=VALUE...",
        .least = 2,
        .most = -1,
        .help = "A new record; prints its number",
        .more = FIELDS,
        .examples =
            "fettle record create incident title='Printer on fire' impact=minor urgency=high",
        .use = ASKS,
        .run = run_create,
    },
    {
        .words = "record act",
        .arguments = "NUMBER ACTION [FIELD=VALUE...]",
        .least = 2,
        .most = -1,
        .help = "Do something with a record",
        .more = FIELDS,
        .examples = "fettle record act INC-1 assign group='Service Desk'\n"
                    "fettle record act INC-1 resolve closure_code=solved resolution=- <text",
        .flags = revision_flags,
        .use = ASKS,
        .run = run_act,
    },
    {
        .words = "record edit",
        .arguments = "NUMBER FIELD=VALUE...",
        .least = 2,
        .most = -1,
        .help = "Change fields of a record",
        .more = FIELDS,
        .examples = "fettle record edit INC-1 urgency=low",
        .flags = revision_flags,
        .use = ASKS,
        .run = run_edit,
    },
    {
        .words = "record reply",
        .arguments = "NUMBER TEXT",
        .least = 2,
        .most = 2,
        .help = "Write to everybody who can see the record; - is standard input",
        .examples = "fettle record reply INC-1 'Please try again.'",
        .use = ASKS,
        .run = run_reply,
    },
    {
        .words = "record note",
        .arguments = "NUMBER TEXT",
        .least = 2,
        .most = 2,
        .help = "Write to those who see internals; - is standard input",
        .examples = "dmesg | tail | fettle record note INC-1 -",
        .use = ASKS,
        .run = run_note,
    },
    {0},
};
