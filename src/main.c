/* main.c - the program; everything it can do is in edge/. */
#include <stdio.h>
#include <string.h>

#include "base/ctx.h"
#include "base/log.h"
#include "base/time.h"
#include "edge/server.h"

static int tell(const struct ctx *cx)
{
    fprintf(stderr, "fettle: %s\n", cx->err.text ? cx->err.text : rc_name(cx->err.rc));
    if (cx->err.detail)
        fprintf(stderr, "fettle: %s\n", cx->err.detail);
    return 1;
}

static enum rc start(struct ctx *cx, const struct settings *settings, struct server **ret)
{
    const char *link;

    TRY(server_open(cx, settings, ret));
    TRY(server_prepare(cx, *ret));
    TRY(server_start(cx, *ret));
    TRY(server_first_link(cx, *ret, &link));
    printf("fettle answers on %s\n", (*ret)->base_url);
    if (link)
        printf("First administrator, once and within 24 hours: %s\n", link);
    fflush(stdout);
    return OK;
}

static int serve(struct ctx *cx, const char *const *flags)
{
    const struct settings *settings;
    struct server *s = NULL;
    enum log_level level = LOG_INFO;

    if (settings_load(cx, NULL, flags, &settings) != OK)
        return tell(cx);
    log_level_from_name(settings_text(settings, SETTING_LOG_LEVEL), &level);
    log_setup(level, strcmp(settings_text(settings, SETTING_LOG_FORMAT), "json") == 0);
    enum rc rc = start(cx, settings, &s);
    if (rc == OK)
        rc = server_run(cx, s);
    const int code = rc == OK ? 0 : tell(cx);
    server_close(s);
    return code;
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_create();
    struct ctx cx = {.arena = arena, .via = VIA_COMMAND};
    int code = 2;

    cx.now = clock_now();
    if (argc >= 2 && strcmp(argv[1], "serve") == 0)
        code = serve(&cx, (const char *const *)argv + 2);
    else
        fputs("usage: fettle serve [--name=value]...\n", stderr);
    arena_destroy(arena);
    return code;
}
