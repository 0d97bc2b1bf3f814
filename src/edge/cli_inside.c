/* cli_inside.c - a door that leads to this process: no server runs, so we are one for a moment. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/settings.h"
#include "base/str.h"
#include "db/db.h"
#include "edge/cli_ask.h"
#include "edge/cli_run.h"
#include "edge/server.h"
#include "rec/type.h"

struct inside_door {
    struct door door;
    struct server *server;
};

static const char *find_header(const struct response *rs, const char *name)
{
    const struct http_pair *h = rs->headers.at;

    for (int i = 0; i < rs->headers.count; i++) {
        if (strcasecmp(h[i].name, name) == 0)
            return h[i].value;
    }
    return NULL;
}

static enum rc send_inside(struct ctx *cx, struct door *door, const struct sending *s,
                           struct received *ret)
{
    struct inside_door *d = (struct inside_door *)door;
    const struct http_pair headers[] = {{s->if_match ? "if-match" : NULL, s->if_match}, {0}};
    const struct edge_ask e = {s->method, s->path, headers, s->body};
    struct response *rs = arena_alloc(cx->arena, sizeof(*rs));

    edge_call(d->server, cx->arena, &e, rs);
    *ret = (struct received){
        .status = rs->status,
        .text = buf_text(&rs->body),
        .len = rs->body.len,
        .location = find_header(rs, "Location"),
        .etag = find_header(rs, "ETag"),
        .retry_after = find_header(rs, "Retry-After"),
    };
    return OK;
}

/* Asking something is no reason to make a database where somebody happens to stand. */
static enum rc check_there(struct ctx *cx, struct cli *c)
{
    const char *url = secret_reveal(settings_secret(c->settings, SETTING_DATABASE));
    const char *path = str_starts(url, "sqlite:") ? url + strlen("sqlite:") : NULL;

    if (!path || access(path, F_OK) == 0)
        return OK;
    return fail(cx, E_NOT_FOUND, NULL,
                "no server was named, none listens in %s, and there is no database either: start "
                "one with 'fettle serve', or say --url or --data",
                settings_text(c->settings, SETTING_DATA));
}

/* What the database has in force, whatever the process files here may say. */
static enum rc take_definitions(struct ctx *cx, struct server *s)
{
    const enum rc rc = type_refresh(cx, s->types);

    if (rc != OK)
        return fail(cx, rc, NULL, "the database holds no processes yet; 'fettle init' reads them");
    type_take(cx, s->types);
    return OK;
}

enum rc door_inside(struct ctx *cx, struct cli *c, struct door **ret)
{
    struct inside_door *d = arena_alloc(cx->arena, sizeof(*d));

    *d = (struct inside_door){.door = {send_inside, "the database"}};
    TRY(check_there(cx, c));
    const enum rc rc = run_open(cx, c, &d->server);
    if (rc == E_CONFLICT)
        return fail(cx, E_BUSY, NULL,
                    "a running fettle has the database in %s open, but its socket does not answer",
                    settings_text(c->settings, SETTING_DATA));
    TRY(rc);
    TRY(db_schema_is_current(cx));
    TRY(take_definitions(cx, d->server));
    *ret = &d->door;
    return OK;
}
