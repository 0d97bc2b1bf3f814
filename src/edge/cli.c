#include "edge/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/str.h"
#include "base/time.h"
#include "edge/cli_out.h"
#include "edge/cli_parse.h"

#define MAX_INPUT ((size_t)1 << 20)

/* ---- small services ------------------------------------------------------------------------- */

enum rc cli_usage(struct ctx *cx, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fail(cx, E_INVALID, NULL, "%s", arena_vprintf(cx->arena, fmt, args));
    va_end(args);
    cx->err.code = "usage";
    return E_INVALID;
}

void cli_tell(const char *fmt, ...)
{
    struct arena *a = arena_create();
    va_list args;

    va_start(args, fmt);
    fprintf(stderr, "%s\n", out_safe(a, arena_vprintf(a, fmt, args)));
    va_end(args);
    arena_destroy(a);
}

enum rc cli_flush(struct ctx *cx, struct cli *c)
{
    const bool is_written = fwrite(buf_text(&c->out), 1, c->out.len, stdout) == c->out.len;

    buf_clear(&c->out);
    if (!is_written || fflush(stdout) != 0)
        return fail(cx, E_FAIL, NULL, "standard output cannot be written: %s", strerror(errno));
    return OK;
}

enum rc cli_confirm(struct ctx *cx, const struct cli *c, const char *question)
{
    char answer[8];

    if (cli_is(c, "yes"))
        return OK;
    if (!isatty(STDIN_FILENO) || !c->is_watched)
        return fail(cx, E_INVALID, NULL, "%s Say --yes to mean it", question);
    fprintf(stderr, "%s [y/N] ", question);
    if (!fgets(answer, sizeof(answer), stdin) || (*answer != 'y' && *answer != 'Y'))
        return fail(cx, E_INVALID, NULL, "nothing was done");
    return OK;
}

static enum rc read_input(struct ctx *cx, const char **ret)
{
    struct buf b = {.arena = cx->arena};
    char piece[4096];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0) {
        if (b.len + n > MAX_INPUT)
            return fail(cx, E_TOO_LARGE, NULL, "standard input is longer than 1 MiB");
        buf_add(&b, piece, n);
    }
    if (ferror(stdin))
        return fail(cx, E_FAIL, NULL, "standard input cannot be read");
    *ret = buf_text(&b);
    return str_is_utf8(*ret, b.len) ? OK
                                    : fail(cx, E_INVALID, NULL, "standard input is not UTF-8 text");
}

enum rc cli_read(struct ctx *cx, const char *path, const char **ret)
{
    char *text;
    size_t len;

    if (str_equal(path, "-"))
        return read_input(cx, ret);
    TRY(file_read(cx, path, MAX_INPUT, &text, &len));
    if (!str_is_utf8(text, len))
        return fail(cx, E_INVALID, NULL, "%s is not UTF-8 text", path);
    *ret = text;
    return OK;
}

/* ---- settings ------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The data folder as far as it is known before a settings file is read. */
static const char *early_data(const struct cli *c)
{
    const char *data = getenv("FETTLE_DATA");
    const char *const *flags = c->setting_flags.at;

    for (; flags && *flags; flags++) {
        if (str_starts(*flags, "--data="))
            data = *flags + strlen("--data=");
    }
    return data ? data : settings_table()[SETTING_DATA].initial;
}

/* One that was named must be there; of the others the first that is counts. */
static const char *find_settings_file(struct ctx *cx, const struct cli *c)
{
    const char *named = cli_text(c, "config") ? cli_text(c, "config") : getenv("FETTLE_CONFIG");
    const char *const usual[] = {
        arena_printf(cx->arena, "%s/fettle.yaml", early_data(c)),
        "/etc/fettle/fettle.yaml",
        "/usr/local/etc/fettle/fettle.yaml",
    };

    if (!str_is_empty(named))
        return named;
    for (int i = 0; i < ARRAY_LEN(usual); i++) {
        if (is_file(usual[i]))
            return usual[i];
    }
    return NULL;
}

static enum rc load_settings(struct ctx *cx, struct cli *c)
{
    if (!(c->command->use & (USE_SETTINGS | USE_SERVER)))
        return OK;
    c->settings_file = find_settings_file(cx, c);
    return settings_load(cx, c->settings_file, c->setting_flags.at, &c->settings);
}

/* ---- how it ended --------------------------------------------------------------------------- */

/* With one fault its field stands before the sentence, or it says what the sentence says; several
 * follow it, a line each. */
static void tell_text(const struct ctx *cx, enum rc rc)
{
    const struct problem *p = cx->err.problems.at;
    const int count = cx->err.problems.count;
    const char *text = cx->err.text ? cx->err.text : rc_name(rc);
    const bool is_one = count == 1 && p->field && str_equal(p->text, text);

    cli_tell("%s%s%s", is_one ? p->field : "", is_one ? ": " : "", text);
    for (int i = 0; i < count && !is_one && (count > 1 || p->field); i++)
        cli_tell("  %s%s%s", p[i].field ? p[i].field : "", p[i].field ? ": " : "", p[i].text);
    if (cx->err.detail)
        cli_tell("  %s", cx->err.detail);
}

static int tell_failure(const struct ctx *cx, const struct cli *c, enum rc rc)
{
    const char *red = c->tells_colour ? "\x1b[31m" : "", *plain = c->tells_colour ? "\x1b[0m" : "";

    fprintf(stderr, "%sfettle:%s ", red, plain);
    tell_text(cx, rc);
    if (str_equal(cx->err.code, "usage"))
        return EXIT_USAGE;
    return rc == E_BUSY || rc == E_LIMIT ? EXIT_LATER : EXIT_FAILED;
}

static enum rc run(struct ctx *cx, struct cli *c)
{
    TRY(load_settings(cx, c));
    TRY(c->command->run(cx, c));
    return cli_flush(cx, c);
}

static enum rc show_help(struct ctx *cx, struct cli *c, const struct wish *wish)
{
    if (wish->command)
        help_command(wish->command, &c->out, c->has_colour);
    else if (wish->group)
        help_group(wish->group, &c->out, c->has_colour);
    else
        help_overview(&c->out, c->has_colour);
    return cli_flush(cx, c);
}

/* Without a command there is nothing to do; what there is goes where mistakes go. */
static int show_nothing(struct ctx *cx, const struct wish *wish)
{
    struct buf b = {.arena = cx->arena};

    if (wish->group)
        help_group(wish->group, &b, false);
    else
        help_overview(&b, false);
    fputs(buf_text(&b), stderr);
    return EXIT_USAGE;
}

static bool may_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && str_is_empty(no) && !str_equal(term, "dumb");
}

static int call(struct ctx *cx, const char *const *args)
{
    struct cli c = {
        .out = {.arena = cx->arena},
        .has_colour = may_colour(STDOUT_FILENO),
        .tells_colour = may_colour(STDERR_FILENO),
        .is_watched = isatty(STDERR_FILENO),
    };
    struct wish wish;
    enum rc rc = cli_parse(cx, args, &c, &wish);

    if (rc == OK && cli_is(&c, "version") && !wish.command)
        c.command = wish.command = command_find("version");
    if (rc == OK && !wish.command && !wish.wants_help)
        return show_nothing(cx, &wish);
    if (rc == OK)
        rc = wish.wants_help ? show_help(cx, &c, &wish) : run(cx, &c);
    return rc == OK ? c.code : tell_failure(cx, &c, rc);
}

int cli_main(int argc, char **argv)
{
    struct arena *arena = arena_create();
    struct ctx cx = {.arena = arena, .via = VIA_COMMAND, .now = clock_now()};

    (void)argc;
    log_setup(LOG_WARNING, false);
    const int code = call(&cx, (const char *const *)argv + (argc > 0));
    arena_destroy(arena);
    return code;
}
