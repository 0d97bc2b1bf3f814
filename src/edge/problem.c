#include "edge/problem.h"

#include <string.h>

#include "base/str.h"
#include "edge/view.h"

/* What each kind of failure is to HTTP. */
static const struct {
    int status;
    const char *title;
} kinds[RC_COUNT] = {
    [E_MALFORMED] = {400, "The request cannot be read"},
    [E_UNAUTHENTICATED] = {401, "Sign in first"},
    [E_DENIED] = {403, "Not allowed"},
    [E_NOT_FOUND] = {404, "Not found"},
    [E_CONFLICT] = {409, "Not possible now"},
    [E_STALE] = {412, "Changed by somebody else meanwhile"},
    [E_TOO_LARGE] = {413, "Too large"},
    [E_INVALID] = {422, "The input is not valid"},
    [E_REQUIRED] = {428, "A precondition is needed"},
    [E_LIMIT] = {429, "Too many requests"},
    [E_BUSY] = {503, "Busy, try again"},
    [E_FAIL] = {500, "Something went wrong on the server"},
};

/* Codes that HTTP has a status of its own for. */
static const struct {
    const char *code;
    int status;
    const char *title;
} codes[] = {
    {"method", 405, "Method not allowed"},
    {"moved", 308, "The record has another address"},
    {"media_type", 415, "Media type not supported"},
};

static int code_row(const struct ctx *cx)
{
    for (int i = 0; cx->err.code && i < ARRAY_LEN(codes); i++) {
        if (str_equal(codes[i].code, cx->err.code))
            return i;
    }
    return -1;
}

int problem_status(const struct ctx *cx, enum rc rc)
{
    const int row = code_row(cx);
    return row >= 0 ? codes[row].status : kinds[rc].status;
}

static const char *title(const struct ctx *cx, enum rc rc)
{
    const int row = code_row(cx);
    return row >= 0 ? codes[row].title : kinds[rc].title;
}

/* "who.email" as a JSON pointer in URI form: "#/who/email". */
static const char *pointer(struct arena *a, const char *field)
{
    struct buf b = {.arena = a};

    buf_puts(&b, "#/");
    for (const char *s = field; *s; s++) {
        if (*s == '.')
            buf_putc(&b, '/');
        else if (*s == '~')
            buf_puts(&b, "~0");
        else if (*s == '/')
            buf_puts(&b, "~1");
        else
            buf_putc(&b, *s);
    }
    return buf_text(&b);
}

static bool is_parameter(const struct call *c, const char *field)
{
    for (const struct shape *s = c->route ? c->route->query : NULL; s && s->kind; s++) {
        if (str_equal(s->name, field))
            return true;
    }
    return c->route && !c->route->input;
}

/* For who merges by hand: what the field is now, and what was to be put there. */
static void write_both(struct ctx *cx, struct call *c, const char *name)
{
    const struct field *f = name && c->current ? process_field(c->current->process, name) : NULL;
    const struct val *yours = val_get(&c->body, name ? name : "");

    if (!f || !rec_shows(c->current, f))
        return;
    json_key(&c->json, "current");
    view_value(cx, &c->json, f, c->current->slots[f->slot]);
    if (yours)
        json_key(&c->json, "yours"), json_val(&c->json, *yours);
}

static void write_one(struct ctx *cx, struct call *c, const struct problem *p)
{
    json_open(&c->json, '{');
    if (p->field && is_parameter(c, p->field))
        json_member_text(&c->json, "parameter", p->field);
    else
        json_member_text(&c->json, "pointer", p->field ? pointer(cx->arena, p->field) : "#");
    json_member_text(&c->json, "code", p->code);
    json_member_text(&c->json, "detail", p->text);
    write_both(cx, c, p->field);
    json_close(&c->json, '}');
}

static void write_errors(struct ctx *cx, struct call *c, enum rc rc)
{
    const struct problem *problems = cx->err.problems.at;
    const struct problem whole = {
        .field = cx->err.field,
        .code = cx->err.code ? cx->err.code : rc_name(rc),
        .text = cx->err.text,
    };

    /* Who may not do it at all is not told what else would be wrong. */
    if (rc == E_DENIED || rc == E_NOT_FOUND || (!cx->err.problems.count && !cx->err.field))
        return;
    json_key(&c->json, "errors");
    json_open(&c->json, '[');
    for (int i = 0; i < cx->err.problems.count; i++)
        write_one(cx, c, &problems[i]);
    if (!cx->err.problems.count)
        write_one(cx, c, &whole);
    json_close(&c->json, ']');
}

static void add_headers(struct ctx *cx, struct call *c, int status)
{
    struct response *rs = c->response;

    if (status == 405)
        response_header(rs, cx->arena, "Allow", route_methods(cx->arena, c->request->path));
    if (status == 401)
        response_header(rs, cx->arena, "WWW-Authenticate", "Bearer realm=\"fettle\"");
    if (status == 503)
        response_header(rs, cx->arena, "Retry-After", "1");
}

void problem_write(struct ctx *cx, struct call *c, enum rc rc)
{
    struct response *rs = c->response;
    const int status = problem_status(cx, rc);
    const char *code = cx->err.code ? cx->err.code : rc_name(rc);

    add_headers(cx, c, status);
    rs->status = status;
    rs->type = "application/problem+json";
    rs->file = NULL;
    rs->static_body = NULL;
    buf_clear(&rs->body);
    c->json = (struct json){.out = &rs->body};

    json_open(&c->json, '{');
    json_key(&c->json, "type");
    json_text(&c->json, arena_printf(cx->arena, "urn:fettle:problem:%s", code));
    json_member_text(&c->json, "title", title(cx, rc));
    json_member_int(&c->json, "status", status);
    json_member_text(&c->json, "code", code);
    if (rc != E_FAIL) {
        json_member_text(&c->json, "detail", cx->err.text);
        write_errors(cx, c, rc);
    }
    json_member_text(&c->json, "request_id", cx->request_id);
    json_close(&c->json, '}');
}
