/* cli_local.c - commands that need neither a server nor a database. */
#include <string.h>

#include "auth/auth.h"
#include "base/settings.h"
#include "base/str.h"
#include "db/db.h"
#include "edge/cli.h"
#include "edge/cli_files.h"
#include "edge/cli_parse.h"
#include "lang/process.h"

/* ---- help and version ----------------------------------------------------------------------- */

static const char *join(struct arena *a, const char *const *words)
{
    struct buf b = {.arena = a};

    for (int i = 0; words[i]; i++)
        buf_printf(&b, "%s%s", i ? " " : "", words[i]);
    return buf_text(&b);
}

static enum rc run_help(struct ctx *cx, struct cli *c)
{
    struct cli asked = {0};
    struct wish wish;

    if (cli_is(c, "markdown"))
        help_manual(&c->out);
    else if (cli_is(c, "bash"))
        help_completion(&c->out);
    else if (!c->arg_count)
        help_overview(&c->out, c->has_colour);
    else if (command_find(join(cx->arena, c->args)))
        help_command(command_find(join(cx->arena, c->args)), &c->out, c->has_colour);
    else {
        TRY(cli_parse(cx, c->args, &asked, &wish));
        help_group(c->args[0], &c->out, c->has_colour);
    }
    return OK;
}

#ifdef __SANITIZE_ADDRESS__
#define BUILT "with sanitizers"
#elif defined(__PIE__) && defined(__SSP_STRONG__) && defined(_FORTIFY_SOURCE)
#define BUILT "hardened (PIE, stack protector, fortified)"
#else
#define BUILT "without hardening"
#endif

static enum rc run_version(struct ctx *cx, struct cli *c)
{
    buf_printf(&c->out, "fettle %s\n", FETTLE_VERSION);
    for (int i = 0; i < DB_ENGINES; i++)
        buf_printf(&c->out, "%s\n", db_version(cx->arena, (enum db_engine)i));
    buf_printf(&c->out, "built %s\n", BUILT);
    return OK;
}

/* ---- settings ------------------------------------------------------------------------------- */

static enum rc run_config_show(struct ctx *cx, struct cli *c)
{
    (void)cx;
    if (c->settings_file)
        buf_printf(&c->out, "# read from %s\n", c->settings_file);
    settings_print(c->settings, cli_is(c, "all") ? SETTINGS_ALL : SETTINGS_CHANGED, &c->out);
    return OK;
}

/* They are read before any command that uses them runs; here only the good news is missing. */
static enum rc run_config_check(struct ctx *cx, struct cli *c)
{
    (void)cx;
    cli_tell("the settings are fine%s%s", c->settings_file ? ": " : "",
             c->settings_file ? c->settings_file : "; no settings file was found");
    return OK;
}

static enum rc run_config_manual(struct ctx *cx, struct cli *c)
{
    (void)cx;
    settings_manual(&c->out);
    return OK;
}

/* ---- process files -------------------------------------------------------------------------- */

static const char *const *right_names(struct arena *a)
{
    struct list names = {0};

    for (int i = 0; auth_rights[i].name; i++)
        *(const char **)list_add(a, &names, sizeof(char *)) = auth_rights[i].name;
    list_add(a, &names, sizeof(char *));
    return names.at;
}

static int print_findings(struct cli *c, const struct list *findings)
{
    const struct finding *f = findings->at;
    int errors = 0;

    for (int i = 0; i < findings->count; i++) {
        const bool is_error = f[i].level == FINDING_ERROR;
        errors += is_error;
        const char *colour = !c->has_colour ? "" : is_error ? "\x1b[31m" : "\x1b[33m";
        buf_printf(&c->out, "%s:%d:%d: %s%s%s: %s [%s]\n", f[i].file, f[i].line, f[i].column,
                   colour, is_error ? "error" : "warning", c->has_colour ? "\x1b[0m" : "",
                   f[i].text, f[i].rule);
    }
    return errors;
}

static enum rc run_process_check(struct ctx *cx, struct cli *c)
{
    struct list files, findings = {0};
    const struct defs *defs = NULL;

    TRY(files_read(cx, c, &files));
    const enum rc rc = process_load(cx, files.at, files.count, &defs, &findings);
    if (rc != OK && rc != E_INVALID)
        return rc;
    if (rc == OK)
        process_check_rights(cx, defs, right_names(cx->arena), &findings);
    const int errors = print_findings(c, &findings);
    c->code = errors ? EXIT_FAILED : EXIT_DONE;
    TRY(cli_flush(cx, c));
    cli_tell("%d files, %d processes: %d errors, %d warnings", files.count,
             defs ? defs->process_count : 0, errors, findings.count - errors);
    return OK;
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag help_flags[] = {
    {"markdown", FLAG_SWITCH, 0, NULL, NULL, "the whole manual as Markdown"},
    {"bash", FLAG_SWITCH, 0, NULL, NULL, "completion for bash"},
    {0},
};

static const struct flag show_flags[] = {
    {"all", FLAG_SWITCH, 'a', NULL, NULL, "defaults too"},
    {0},
};

const struct command check_commands[] = {
    {
        .words = "process check",
        .arguments = "[FOLDER|FILE...]",
        .most = -1,
        .help = "What is wrong with process files, without a database",
        .more =
            "Reads the files together, as a server would, and prints a line for each finding:\n"
            "file:line:column: level: text [rule]. Without arguments the folder of the setting\n"
            "'processes' is read; - is standard input. Ends with 1 when there are errors.",
        .examples = "fettle process check\n"
                    "fettle process check ./process ./process/import",
        .use = USE_SETTINGS,
        .run = run_process_check,
    },
    {0},
};

const struct command local_commands[] = {
    {
        .words = "help",
        .arguments = "[COMMAND...]",
        .most = 2,
        .help = "What there is, and how it is used",
        .examples = "fettle help record\n"
                    "fettle help --bash >/etc/bash_completion.d/fettle",
        .flags = help_flags,
        .run = run_help,
    },
    {
        .words = "version",
        .help = "The version of fettle and of the database engines in it",
        .examples = "fettle version",
        .run = run_version,
    },
    {
        .words = "config show",
        .help = "The settings in force and where each comes from",
        .more = "Passwords and other secrets show as (set).",
        .examples = "fettle config show --all\n"
                    "FETTLE_HTTP__LISTEN=127.0.0.1:9000 fettle config show",
        .flags = show_flags,
        .use = USE_SETTINGS,
        .run = run_config_show,
    },
    {
        .words = "config check",
        .help = "Whether the settings can be read",
        .examples = "fettle config check --config /etc/fettle/fettle.yaml",
        .use = USE_SETTINGS,
        .run = run_config_check,
    },
    {
        .words = "config manual",
        .help = "All settings with defaults, variables and meaning, as Markdown",
        .examples = "fettle config manual",
        .run = run_config_manual,
    },
    {0},
};
