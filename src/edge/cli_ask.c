#include "edge/cli_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/settings.h"
#include "base/str.h"
#include "edge/cli_out.h"

#define PAGE 500
#define MOST_WAIT_S 60

/* ---- which door ----------------------------------------------------------------------------- */

static const char *flag_or_variable(const struct cli *c, const char *flag, const char *variable)
{
    const char *text = cli_text(c, flag) ? cli_text(c, flag) : getenv(variable);
    return str_is_empty(text) ? NULL : text;
}

static enum rc read_token(struct ctx *cx, const struct cli *c, const char **ret)
{
    const char *file = cli_text(c, "token-file");

    *ret = file ? NULL : flag_or_variable(c, "token", "FETTLE_TOKEN");
    if (!file)
        return OK;
    TRY(cli_read(cx, file, ret));
    *ret = str_trim(cx->arena, *ret);
    return OK;
}

/* Whether somebody accepts there; a socket that a killed server left behind refuses. */
static bool is_listening(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);

    if (len >= sizeof(address.sun_path))
        return false;
    memcpy(address.sun_path, path, len + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const bool is_there = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_there;
}

static enum rc choose_door(struct ctx *cx, struct cli *c, struct door **ret)
{
    const char *url = flag_or_variable(c, "url", "FETTLE_URL");
    const char *socket = flag_or_variable(c, "socket", "FETTLE_SOCKET");
    const char *own =
        arena_printf(cx->arena, "%s/fettle.sock", settings_text(c->settings, SETTING_DATA));
    const char *token;

    TRY(read_token(cx, c, &token));
    if (url)
        return door_http(cx, url, NULL, token, cli_text(c, "ca-file"), ret);
    if (socket || is_listening(own))
        return door_http(cx, "http://localhost", socket ? socket : own, token, NULL, ret);
    return door_inside(cx, c, ret);
}

/* Once; it lives as long as the first context that asked. */
enum rc ask_open(struct ctx *cx, struct cli *c)
{
    return c->door ? OK : choose_door(cx, c, &c->door);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* 308: the thing is there, under another address. */
static const struct {
    int status;
    enum rc rc;
} codes[] = {
    {308, E_NOT_FOUND}, {400, E_MALFORMED}, {401, E_UNAUTHENTICATED},
    {403, E_DENIED},    {404, E_NOT_FOUND}, {409, E_CONFLICT},
    {412, E_STALE},     {413, E_TOO_LARGE}, {415, E_INVALID},
    {422, E_INVALID},   {428, E_REQUIRED},  {429, E_LIMIT},
    {502, E_BUSY},      {503, E_BUSY},      {504, E_BUSY},
};

static enum rc code_of(int status)
{
    for (int i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i].status == status)
            return codes[i].rc;
    }
    return E_FAIL;
}

/* RFC 9457: what went wrong, and with which members of the input. */
static enum rc take_problem(struct ctx *cx, const struct door *d, const struct answer *a)
{
    const enum rc rc = code_of(a->status);
    const char *detail = val_get_text(&a->body, "detail");
    const char *title = val_get_text(&a->body, "title");
    const struct val *errors = val_get(&a->body, "errors");

    fail(cx, rc, NULL, "%s", detail ? detail : title ? title : "");
    if (!detail && !title)
        fail(cx, rc, NULL, "%s answered with status %d", d->name, a->status);
    for (int i = 0; errors && errors->kind == VAL_LIST && i < errors->count; i++) {
        const struct val *e = &errors->items[i];
        const char *pointer = val_get_text(e, "pointer"), *text = val_get_text(e, "detail");
        struct problem *p = list_add(cx->arena, &cx->err.problems, sizeof(*p));
        *p = (struct problem){
            .field = pointer ? pointer + strspn(pointer, "#/") : NULL,
            .code = val_get_text(e, "code"),
            .text = text ? text : "",
        };
    }
    return rc;
}

static enum rc parse(struct ctx *cx, const struct door *d, const struct received *r,
                     struct answer *ret)
{
    const bool is_good = r->status >= 200 && r->status < 300;

    *ret = (struct answer){r->status, val_null(), r->location, r->etag, r->retry_after};
    if (r->len && json_parse(cx, r->text, r->len, &ret->body) != OK) {
        if (is_good)
            return fail(cx, E_FAIL, NULL, "%s does not answer as fettle does", d->name);
        fail_clear(cx);
    }
    return is_good ? OK : take_problem(cx, d, ret);
}

/* "Too often" says how long to wait; reading again does no harm. */
static bool shall_wait(const struct sending *s, const struct received *r, int64_t *waited_s)
{
    int64_t seconds;

    if (s->method != HTTP_GET_ || r->status != 429 || !str_to_int(r->retry_after, &seconds))
        return false;
    *waited_s += seconds > 0 ? seconds : 1;
    if (*waited_s > MOST_WAIT_S)
        return false;
    sleep(seconds > 0 ? (unsigned)seconds : 1);
    return true;
}

enum rc ask(struct ctx *cx, struct cli *c, enum http_method method, const char *path,
            const struct val *body, const char *if_match, struct answer *ret)
{
    struct sending s = {.method = method, .path = path, .if_match = if_match};
    struct received r = {0};
    int64_t waited_s = 0;

    TRY(ask_open(cx, c));
    s.body = body ? json_from_val(cx, *body) : NULL;
    do
        TRY(c->door->send(cx, c->door, &s, &r));
    while (shall_wait(&s, &r, &waited_s));
    return parse(cx, c->door, &r, ret);
}

enum rc ask_get(struct ctx *cx, struct cli *c, const char *path, struct answer *ret)
{
    return ask(cx, c, HTTP_GET_, path, NULL, NULL, ret);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static int page_size(int64_t most, int64_t have)
{
    return most && most - have < PAGE ? (int)(most - have) : PAGE;
}

static enum rc ask_page(struct ctx *page, struct cli *c, const char *path, int size,
                        const char *cursor, struct val *ret_rows, const char **ret_cursor)
{
    const char *from = cursor ? ask_encoded(page->arena, cursor) : NULL;
    struct answer a;

    TRY(ask_get(page, c,
                arena_printf(page->arena, "%s%climit=%d%s%s", path, strchr(path, '?') ? '&' : '?',
                             size, from ? "&cursor=" : "", from ? from : ""),
                &a));
    const struct val *data = val_get(&a.body, "data");
    if (!data || data->kind != VAL_LIST)
        return fail(page, E_FAIL, NULL, "%s does not answer as fettle does", c->door->name);
    *ret_rows = *data;
    *ret_cursor = val_get_text(val_get(&a.body, "page"), "next_cursor");
    return OK;
}

/* What a page's arena holds of a failure is kept. */
static void keep_failure(struct ctx *cx, const struct ctx *page)
{
    const struct problem *p = page->err.problems.at;

    cx->err = page->err;
    cx->err.text = arena_strdup(cx->arena, page->err.text);
    cx->err.detail = arena_strdup(cx->arena, page->err.detail);
    cx->err.problems = (struct list){0};
    for (int i = 0; i < page->err.problems.count; i++)
        *(struct problem *)list_add(cx->arena, &cx->err.problems, sizeof(*p)) = (struct problem){
            .field = arena_strdup(cx->arena, p[i].field),
            .text = arena_strdup(cx->arena, p[i].text),
        };
}

struct walk {
    struct cli *c;
    const char *path;
    int64_t most, have;
    page_fn fn;
    void *arg;
    char *cursor;
};

static enum rc walk_pages(struct ctx *cx, struct ctx *page, struct walk *w)
{
    do {
        struct val rows;
        const char *next;
        TRY(ask_page(page, w->c, w->path, page_size(w->most, w->have), w->cursor, &rows, &next));
        TRY(w->fn(page, w->c, rows, w->arg));
        w->have += rows.count;
        w->cursor = arena_strdup(cx->arena, next);
        arena_reset(page->arena);
    } while (w->cursor && (!w->most || w->have < w->most));
    return OK;
}

enum rc ask_pages(struct ctx *cx, struct cli *c, const char *path, int64_t most, page_fn fn,
                  void *arg, bool *ret_more)
{
    struct walk w = {c, path, most, 0, fn, arg, NULL};
    struct ctx page = *cx;

    TRY(ask_open(cx, c));
    page.arena = arena_create();
    const enum rc rc = walk_pages(cx, &page, &w);
    if (rc != OK)
        keep_failure(cx, &page);
    else if (ret_more)
        *ret_more = w.cursor;
    arena_destroy(page.arena);
    return rc;
}

struct gathering {
    struct arena *arena;
    struct list all;
};

static enum rc gather(struct ctx *page, struct cli *c, struct val rows, void *arg)
{
    struct gathering *g = arg;

    (void)page, (void)c;
    for (int i = 0; i < rows.count; i++)
        *(struct val *)list_add(g->arena, &g->all, sizeof(struct val)) =
            val_copy(g->arena, rows.items[i]);
    return OK;
}

enum rc ask_all(struct ctx *cx, struct cli *c, const char *path, struct val *ret)
{
    struct gathering g = {.arena = cx->arena};

    TRY(ask_pages(cx, c, path, 0, gather, &g, NULL));
    *ret = (struct val){.kind = VAL_LIST, .count = g.all.count, .items = g.all.at};
    return OK;
}

static enum rc print_page(struct ctx *page, struct cli *c, struct val rows, void *arg)
{
    out_rows(arg, page->arena, rows);
    return cli_flush(page, c);
}

enum rc ask_print(struct ctx *cx, struct cli *c, const char *path, int64_t most,
                  const struct column *columns, bool *ret_more)
{
    struct out o = out_begin(c, columns);

    TRY(ask_pages(cx, c, path, most, print_page, &o, ret_more));
    out_end(&o);
    return OK;
}

const char *ask_encoded(struct arena *a, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct buf b = {.arena = a};

    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_putc(&b, *text);
        else
            buf_printf(&b, "%%%02X", (unsigned char)*text);
    }
    return buf_text(&b);
}
