/* cli_import.c - logs of what happened elsewhere, through the gate. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "base/settings.h"
#include "base/str.h"
#include "connect/import.h"
#include "edge/cli.h"
#include "edge/cli_out.h"
#include "edge/cli_progress.h"
#include "edge/cli_run.h"
#include "edge/server.h"
#include "rec/type.h"

struct import_call {
    struct cli *c;
    struct progress progress;
    FILE *rows; /* of --report; NULL: not asked for */
    const char *rows_path;
    struct buf line;
};

/* ---- definitions ---------------------------------------------------------------------------- */

/* Where the mapping lies, its process does too, unless it is said where. */
static const char *extra_folder(struct ctx *cx, const struct cli *c, const char *mapping)
{
    const char *slash = strrchr(mapping, '/');

    if (cli_text(c, "with"))
        return cli_text(c, "with");
    return slash ? arena_strndup(cx->arena, mapping, (size_t)(slash - mapping)) : ".";
}

static void tell_findings(const struct list *findings)
{
    const struct finding *f = findings->at;

    for (int i = 0; i < findings->count; i++)
        cli_tell("%s:%d:%d: %s [%s]", f[i].file, f[i].line, f[i].column, f[i].text, f[i].rule);
}

/* Beside the process files of the settings, those of one more folder. */
static enum rc add_processes(struct ctx *cx, struct server *s, const char *folder)
{
    struct list files, more, findings = {0};

    TRY(type_read_folder(cx, settings_text(s->settings, SETTING_PROCESSES), &files));
    TRY(type_read_folder(cx, folder, &more));
    for (int i = 0; i < more.count; i++)
        *(struct process_file *)list_add(cx->arena, &files, sizeof(struct process_file)) =
            ((struct process_file *)more.at)[i];
    const enum rc rc = server_activate(cx, s, &files, &findings);
    if (rc != OK)
        tell_findings(&findings);
    TRY(rc);
    type_take(cx, s->types);
    return OK;
}

static enum rc read_mapping(struct ctx *cx, struct cli *c, struct server *s,
                            const struct mapping **ret)
{
    const char *path = cli_text(c, "mapping"), *text;

    TRY(cli_read(cx, path, &text));
    const char *folder = extra_folder(cx, c, path);
    const bool is_known = mapping_read(cx, path, text, strlen(text), ret) == OK;
    if (is_known && !cli_text(c, "with"))
        return OK;
    const struct ctx before = *cx;
    const enum rc rc = add_processes(cx, s, folder);
    if (rc == E_NOT_FOUND && !cli_text(c, "with"))
        cx->err = before.err; /* what the mapping lacks says more than an empty folder */
    TRY(rc);
    fail_clear(cx);
    return mapping_read(cx, path, text, strlen(text), ret);
}

/* ---- the report ----------------------------------------------------------------------------- */

static void on_progress(int64_t read, int64_t size, int64_t rows, void *arg)
{
    struct import_call *call = arg;
    progress_show(&call->progress, read, size, rows);
}

static void on_row(int64_t line, const char *number, const char *became, const char *text,
                   void *arg)
{
    struct import_call *call = arg;
    char place[24];

    if (str_equal(became, "failed") && !call->rows)
        cli_tell("line %lld: %s", (long long)line, text ? text : "");
    if (!call->rows)
        return;
    snprintf(place, sizeof(place), "%lld", (long long)line);
    buf_clear(&call->line);
    out_csv(&call->line,
            (const char *const[]){place, number ? number : "", became, text ? text : ""}, 4);
    fwrite(buf_text(&call->line), 1, call->line.len, call->rows);
}

static void add_count(struct arena *a, struct val_map *to, const char *name, int64_t n)
{
    val_map_set(a, to, name, val_int(n));
}

static struct val counts_val(struct arena *a, const struct list *counts)
{
    struct val_map map = {0};
    const struct import_count *n = counts->at;

    for (int i = 0; i < counts->count; i++)
        add_count(a, &map, n[i].name, n[i].n);
    return val_from_map(&map);
}

static struct val report_val(struct arena *a, const struct import_report *r)
{
    struct val_map map = {0};

    add_count(a, &map, "rows", r->rows);
    add_count(a, &map, "records", r->records);
    add_count(a, &map, "events", r->events);
    add_count(a, &map, "known", r->known);
    add_count(a, &map, "failed", r->failed);
    add_count(a, &map, "people", r->people);
    add_count(a, &map, "groups", r->groups);
    add_count(a, &map, "deviating", r->deviating);
    val_map_set(a, &map, "deviations", counts_val(a, &r->deviations));
    return val_from_map(&map);
}

static void close_rows(void *arg)
{
    struct import_call *call = arg;
    if (call->rows)
        fclose(call->rows);
}

static enum rc open_rows(struct ctx *cx, struct import_call *call)
{
    if (!call->rows_path)
        return OK;
    call->rows = fopen(call->rows_path, "wbe");
    if (!call->rows)
        return fail(cx, E_FAIL, NULL, "%s cannot be written: %s", call->rows_path, strerror(errno));
    arena_defer(cx->arena, close_rows, call);
    fputs("line,number,became,text\r\n", call->rows);
    return OK;
}

static enum rc finish_rows(struct ctx *cx, struct import_call *call)
{
    if (!call->rows)
        return OK;
    const bool is_bad = ferror(call->rows) | fclose(call->rows);
    call->rows = NULL;
    return is_bad
               ? fail(cx, E_FAIL, NULL, "%s is incomplete: it cannot be written", call->rows_path)
               : OK;
}

/* ---- import and verify ---------------------------------------------------------------------- */

static enum rc import_log(struct ctx *cx, struct cli *c, const struct mapping *m)
{
    struct import_call *call = arena_alloc(cx->arena, sizeof(*call));
    struct import_report report;
    const struct import_options o = {
        .path = c->args[0],
        .mapping = m,
        .is_dry = cli_is(c, "dry-run"),
        .progress = on_progress,
        .row = on_row,
        .arg = call,
    };

    *call = (struct import_call){
        .c = c, .rows_path = cli_text(c, "report"), .line = {.arena = cx->arena}};
    TRY(open_rows(cx, call));
    call->progress = progress_begin(c, "rows");
    const enum rc rc = import_run(cx, &o, &report);
    progress_end(&call->progress);
    cx->via = VIA_COMMAND;
    TRY(rc);
    TRY(finish_rows(cx, call));
    out_one(c, report_val(cx->arena, &report));
    if (o.is_dry)
        cli_tell("this was a dry run: nothing of it was kept");
    c->code = report.failed ? EXIT_FAILED : EXIT_DONE;
    return OK;
}

static enum rc verify(struct ctx *cx, struct cli *c, const struct mapping *m)
{
    struct import_totals totals;
    struct val_map map = {0};

    TRY(import_verify(cx, m, &totals));
    add_count(cx->arena, &map, "records", totals.records);
    add_count(cx->arena, &map, "events", totals.events);
    const struct import_state_count *s = totals.states.at;
    for (int i = 0; i < totals.states.count; i++)
        val_map_set(cx->arena, &map, s[i].attribute, counts_val(cx->arena, &s[i].counts));
    out_one(c, val_from_map(&map));
    return OK;
}

static enum rc run_import(struct ctx *cx, struct cli *c)
{
    const bool is_verify = cli_is(c, "verify");
    struct server *s;
    const struct mapping *m;

    if (!cli_text(c, "mapping"))
        return cli_usage(cx, "--mapping says how the log is to be read");
    if (is_verify != !c->arg_count)
        return cli_usage(cx, is_verify ? "--verify reads no log" : "fettle import wants a LOG");
    TRY(run_prepare(cx, c, &s));
    TRY(read_mapping(cx, c, s, &m));
    auth_as_operator(cx);
    return is_verify ? verify(cx, c, m) : import_log(cx, c, m);
}

static const struct flag import_flags[] = {
    {"mapping", FLAG_FILE, 'm', "FILE", NULL, "which attribute is what (doc/importing.md)"},
    {"with", FLAG_FOLDER, 0, "FOLDER", NULL,
     "more process files; else, when needed, those beside the mapping"},
    {"dry-run", FLAG_SWITCH, 'n', NULL, NULL, "do everything, keep nothing"},
    {"report", FLAG_FILE, 0, "FILE", NULL, "write what became of each row, as CSV"},
    {"verify", FLAG_SWITCH, 0, NULL, NULL, "count what was imported, from the events themselves"},
    {0},
};

const struct command import_commands[] = {
    {
        .words = "import",
        .arguments = "LOG",
        .most = 1,
        .help = "Import what happened elsewhere from an event log",
        .more =
            "LOG is IEEE XES or CSV, plain or gzip. Every row becomes the action that it was,\n"
            "at its own time and by its own actor; what the process would not have allowed is\n"
            "recorded as a deviation. A row that was imported before is known and passed over.\n"
            "With SQLite no server may run meanwhile. Ends with 1 when a row could not be\n"
            "understood; the others are imported.",
        .examples =
            "fettle import --mapping process/import/vinst.mapping.yaml --dry-run log.xes.gz\n"
            "fettle import --mapping process/import/vinst.mapping.yaml --report rows.csv "
            "log.xes.gz\n"
            "fettle import --mapping process/import/vinst.mapping.yaml --verify",
        .flags = import_flags,
        .use = USE_SETTINGS | USE_OUTPUT,
        .run = run_import,
    },
    {0},
};
