/* cli_run.c - the server, and what prepares its database. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/settings.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "edge/cli.h"
#include "edge/cli_out.h"
#include "edge/cli_progress.h"
#include "edge/cli_run.h"
#include "edge/demo.h"
#include "edge/server.h"

#define DEMO_RECORDS 200

/* ---- opening -------------------------------------------------------------------------------- */

static void close_server(void *arg)
{
    server_close(arg);
}

enum rc run_open(struct ctx *cx, struct cli *c, struct server **ret)
{
    const enum rc rc = server_open(cx, c->settings, ret);

    if (rc == E_CONFLICT)
        return fail(cx, rc, NULL,
                    "a running fettle has the database in %s open: stop it first, or use "
                    "PostgreSQL, which several may use at once",
                    settings_text(c->settings, SETTING_DATA));
    TRY(rc);
    arena_defer(cx->arena, close_server, *ret);
    return OK;
}

enum rc run_prepare(struct ctx *cx, struct cli *c, struct server **ret)
{
    TRY(run_open(cx, c, ret));
    return server_prepare(cx, *ret);
}

/* ---- demo data ------------------------------------------------------------------------------ */

static void show_demo(int64_t done, int64_t of, void *arg)
{
    progress_show(arg, done, of, done);
}

static enum rc load_demo(struct ctx *cx, struct cli *c, struct demo_result *ret)
{
    struct progress p = progress_begin(c, "records");
    const struct demo_options o = {
        .records = cli_int(c, "records", DEMO_RECORDS),
        .progress = show_demo,
        .arg = &p,
    };
    const enum rc rc = demo_load(cx, &o, ret);

    progress_end(&p);
    cx->via = VIA_COMMAND;
    return rc;
}

static void tell_demo(struct cli *c, const struct demo_result *d)
{
    buf_printf(&c->out,
               "Demo data: %lld records, %lld events.\n"
               "Sign in as desk1 (an agent), incidents (their manager), processes (process owner)\n"
               "or caller1 (somebody who needs help), each with the password %s\n",
               (long long)d->records, (long long)d->events, d->password);
}

static enum rc run_demo(struct ctx *cx, struct cli *c)
{
    struct server *s;
    struct demo_result demo;

    TRY(run_prepare(cx, c, &s));
    TRY(load_demo(cx, c, &demo));
    tell_demo(c, &demo);
    return OK;
}

/* ---- serve ---------------------------------------------------------------------------------- */

static enum rc add_demo(struct ctx *cx, struct cli *c)
{
    struct demo_result demo;
    const enum rc rc = load_demo(cx, c, &demo);

    if (rc == E_CONFLICT) { /* it was loaded before, or there are real people */
        fail_clear(cx);
        return OK;
    }
    TRY(rc);
    tell_demo(c, &demo);
    return OK;
}

static enum rc tell_link(struct ctx *cx, struct cli *c, struct server *s)
{
    const char *link;

    TRY(server_first_link(cx, s, &link));
    if (link)
        buf_printf(&c->out, "The first administrator, once and within 24 hours:\n    %s\n", link);
    return OK;
}

static void setup_log(const struct settings *settings)
{
    enum log_level level = LOG_INFO;

    log_level_from_name(settings_text(settings, SETTING_LOG_LEVEL), &level);
    log_setup(level, str_equal(settings_text(settings, SETTING_LOG_FORMAT), "json"));
}

static enum rc run_serve(struct ctx *cx, struct cli *c)
{
    struct server *s;

    if (cli_is(c, "records") && !cli_is(c, "demo"))
        return cli_usage(cx, "--records says how large the demo is; it wants --demo");
    setup_log(c->settings);
    TRY(run_prepare(cx, c, &s));
    if (cli_is(c, "demo"))
        TRY(add_demo(cx, c));
    TRY(server_start(cx, s));
    TRY(tell_link(cx, c, s));
    buf_printf(&c->out, "fettle answers on %s\n", s->base_url);
    TRY(cli_flush(cx, c));
    return server_run(cx, s);
}

/* ---- init ----------------------------------------------------------------------------------- */

/* Whether a setting was given on the command line, and what; the data folder is where the file
 * lies, so it is not said again. */
static const char *given_setting(const struct cli *c, const char *name)
{
    const char *const *flags = c->setting_flags.at;
    const size_t len = strlen(name);

    for (; flags && *flags && !str_equal(name, "data"); flags++) {
        if (str_starts(*flags + 2, name) && (*flags)[2 + len] == '=')
            return *flags + 3 + len;
    }
    return NULL;
}

static const char *skeleton(struct ctx *cx, const struct cli *c)
{
    const struct setting *s = settings_table();
    struct buf b = {.arena = cx->arena};

    buf_puts(&b,
             "# The settings of fettle. What is behind a # is the default; `fettle config manual`\n"
             "# says more, `fettle config show --all` what is in force.\n");
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *given = given_setting(c, s[i].name);
        if (str_starts(s[i].name, "test."))
            continue;
        buf_printf(&b, "\n# %s\n", s[i].help);
        if (given) {
            buf_printf(&b, "%s: ", s[i].name);
            json_text(&(struct json){.out = &b}, given);
            buf_putc(&b, '\n');
        } else {
            buf_printf(&b, "# %s: %s\n", s[i].name, s[i].initial);
        }
    }
    return buf_text(&b);
}

static enum rc write_settings(struct ctx *cx, struct cli *c)
{
    const char *data = settings_text(c->settings, SETTING_DATA);
    const char *path = arena_printf(cx->arena, "%s/fettle.yaml", data);
    const char *text = skeleton(cx, c);

    if (c->settings_file) {
        cli_tell("settings: %s, as it was", c->settings_file);
        return OK;
    }
    TRY(folder_make(cx, data));
    TRY(file_write(cx, path, text, strlen(text)));
    cli_tell("settings: %s", path);
    return OK;
}

static enum rc run_init(struct ctx *cx, struct cli *c)
{
    struct server *s;

    TRY(run_prepare(cx, c, &s));
    TRY(write_settings(cx, c));
    cli_tell("data:     %s", s->data);
    TRY(tell_link(cx, c, s));
    if (!c->out.len)
        cli_tell("there is an administrator already");
    return OK;
}

/* ---- migrate -------------------------------------------------------------------------------- */

static struct val step_row(struct arena *a, const struct migration_state *m)
{
    struct val_map row = {0};

    val_map_set(a, &row, "version", val_int(m->version));
    val_map_set(a, &row, "name", val_text(m->name));
    val_map_set(a, &row, "applied_at",
                val_text(m->applied_at ? time_format_instant(a, m->applied_at) : NULL));
    return val_from_map(&row);
}

static enum rc show_plan(struct ctx *cx, struct cli *c)
{
    static const struct column columns[] = {{"VERSION", "version", true},
                                            {"NAME", "name", false},
                                            {"APPLIED", "applied_at", false},
                                            {0}};
    struct list steps, rows = {0};

    TRY(db_migrations(cx, &steps));
    const struct migration_state *m = steps.at;
    for (int i = 0; i < steps.count; i++)
        *(struct val *)list_add(cx->arena, &rows, sizeof(struct val)) = step_row(cx->arena, &m[i]);
    out_list(c, columns, (struct val){.kind = VAL_LIST, .count = rows.count, .items = rows.at});
    return OK;
}

static enum rc run_migrate(struct ctx *cx, struct cli *c)
{
    struct server *s;
    int applied;

    TRY(run_open(cx, c, &s));
    if (cli_is(c, "plan"))
        return show_plan(cx, c);
    TRY(db_migrate(cx, &applied));
    cli_tell(applied ? "%d steps applied" : "nothing to do: the database is current", applied);
    return OK;
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag serve_flags[] = {
    {"demo", FLAG_SWITCH, 0, NULL, NULL, "put demo data into an empty database first"},
    {"records", FLAG_INT, 0, "N", NULL, "size of the demo; 200 unless said otherwise"},
    {0},
};

static const struct flag demo_flags[] = {
    {"records", FLAG_INT, 0, "N", NULL, "how many; 200 unless said otherwise"},
    {0},
};

static const struct flag migrate_flags[] = {
    {"plan", FLAG_SWITCH, 0, NULL, NULL, "say what would be done, and do nothing"},
    {0},
};

const struct command run_commands[] = {
    {
        .words = "serve",
        .help = "Run the server",
        .more = "Makes the data folder and the database if they are missing, applies pending\n"
                "migrations, reads the process files and answers until SIGTERM. SIGHUP reads the\n"
                "process files again.",
        .examples = "fettle serve --demo\n"
                    "fettle serve --data /var/lib/fettle --http.listen 127.0.0.1:8080\n"
                    "FETTLE_DATABASE=postgresql://fettle@db/fettle fettle serve",
        .flags = serve_flags,
        .use = USE_SETTINGS,
        .run = run_serve,
    },
    {
        .words = "init",
        .help = "Make data folder, database and a settings file to start from",
        .more = "Prints the link with which the first administrator signs in. Settings given as\n"
                "flags are written into the file. What is there already stays as it is.",
        .examples = "fettle init --data /var/lib/fettle\n"
                    "fettle init --database postgresql://fettle@db/fettle",
        .use = USE_SETTINGS,
        .run = run_init,
    },
    {
        .words = "migrate",
        .help = "Bring the database to the form that this version needs",
        .more = "`fettle serve` does the same when it starts.",
        .examples = "fettle migrate --plan\n"
                    "fettle migrate",
        .flags = migrate_flags,
        .use = USE_SETTINGS | USE_OUTPUT,
        .run = run_migrate,
    },
    {
        .words = "demo",
        .help = "Fill an empty database with people and records to look at",
        .more = "The same every time for the same size. The password is made at random.",
        .examples = "fettle demo --records 10000",
        .flags = demo_flags,
        .use = USE_SETTINGS,
        .run = run_demo,
    },
    {0},
};
