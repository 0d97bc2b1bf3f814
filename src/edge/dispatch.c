#include "edge/dispatch.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "edge/idempotency.h"
#include "edge/identify.h"
#include "edge/metrics.h"
#include "edge/problem.h"
#include "edge/server.h"
#include "edge/shape.h"
#include "http/target.h"

/* ---- what may come in ----------------------------------------------------------------------- */

struct http_admission dispatch_admit(enum http_method method, const char *path, void *arg)
{
    const struct server *s = arg;
    const struct route *r = route_find(method, path);
    const int flags = r ? r->flags : 0;

    return (struct http_admission){
        .max_body =
            settings_int(s->settings, flags & ROUTE_UPLOAD ? SETTING_MAX_UPLOAD : SETTING_MAX_BODY),
        .spool = flags & ROUTE_UPLOAD,
        .is_urgent = flags & ROUTE_URGENT,
    };
}

/* ---- preconditions -------------------------------------------------------------------------- */

/* "7" or *: the revision that the sender saw. Weak tags never match (RFC 9110, 13.1.1). */
static enum rc read_if_match(struct ctx *cx, struct call *c)
{
    const char *s = request_header(c->request, "if-match");
    int64_t n;

    if (!s && c->route->flags & ROUTE_IF_MATCH)
        return fail(cx, E_REQUIRED, NULL,
                    "send If-Match with the ETag that you saw, or * to do it in any case");
    if (!s || str_equal(s, "*"))
        return OK;
    const size_t len = strlen(s);
    if (len > 2 && s[0] == '"' && s[len - 1] == '"' &&
        str_to_int(arena_strndup(cx->arena, s + 1, len - 2), &n) && n > 0) {
        c->if_match = n;
        return OK;
    }
    return fail(cx, E_STALE, NULL, "%s is not an ETag of this server", s);
}

/* ---- the body ------------------------------------------------------------------------------- */

static bool is_media_type(const char *type, const char *wanted)
{
    const size_t len = strlen(wanted);
    return type && strncasecmp(type, wanted, len) == 0 &&
           (!type[len] || type[len] == ';' || type[len] == ' ');
}

static enum rc check_media_type(struct ctx *cx, struct call *c)
{
    const char *type = request_header(c->request, "content-type");

    if (is_media_type(type, "application/json") ||
        (c->request->method == HTTP_PATCH_ && is_media_type(type, "application/merge-patch+json")))
        return OK;
    fail(cx, E_INVALID, NULL, "the body must be application/json");
    cx->err.code = "media_type";
    return E_INVALID;
}

/* No body at all is an empty object: the members that are needed are then missing by name. */
static enum rc read_body(struct ctx *cx, struct call *c)
{
    const struct request *rq = c->request;

    if (c->route->flags & ROUTE_UPLOAD)
        return OK;
    if (!c->route->input)
        return rq->body_len ? fail(cx, E_MALFORMED, NULL, "this takes no body") : OK;
    if (rq->body_len) {
        TRY(check_media_type(cx, c));
        TRY(json_parse(cx, rq->body, rq->body_len, &c->body));
    } else {
        c->body = (struct val){.kind = VAL_MAP};
    }
    return shape_check(cx, c->route->input, &c->body);
}

/* ---- the reply ------------------------------------------------------------------------------ */

static void add_headers(struct ctx *cx, struct call *c)
{
    static const struct http_pair always[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Frame-Options", "DENY"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
        {"Cache-Control", "no-store"},
    };
    struct response *rs = c->response;

    response_header(rs, cx->arena, "X-Request-Id", cx->request_id);
    response_header(rs, cx->arena, "Content-Security-Policy",
                    c->csp ? c->csp : "default-src 'none'; frame-ancestors 'none'");
    for (int i = 0; i < ARRAY_LEN(always); i++)
        response_header(rs, cx->arena, always[i].name, always[i].value);
    if (str_starts(c->server->base_url, "https:"))
        response_header(rs, cx->arena, "Strict-Transport-Security",
                        "max-age=63072000; includeSubDomains");
}

static void finish(struct call *c)
{
    struct response *rs = c->response;
    const bool has_body = rs->body.len || rs->static_body || rs->file || rs->stream;

    if (!rs->status)
        rs->status = c->route->status ? c->route->status : has_body ? 200 : 204;
    if (!rs->type && rs->body.len)
        rs->type = "application/json";
}

static enum log_level importance(int status)
{
    return status >= 500 ? LOG_ERROR : status >= 400 ? LOG_INFO : LOG_DEBUG;
}

/* Figures, and one line; who it was and what it said are not the log's business. */
static void note(struct ctx *cx, struct call *c, int64_t started)
{
    const int status = c->response->status;
    const int64_t us = clock_monotonic() - started;

    metrics_count(c->server->metrics, c->route, status, us);
    log_write(importance(status), "request", LOG_TEXT("id", cx->request_id),
              LOG_TEXT("method", http_method_name(c->request->method)),
              LOG_TEXT("route", c->route ? c->route->path : "none"), LOG_NUM("status", status),
              LOG_NUM("us", us), LOG_TEXT("code", status >= 400 ? rc_name(cx->err.rc) : ""),
              LOG_TEXT("text", status >= 500 ? cx->err.text : ""),
              LOG_TEXT("detail", status >= 500 ? cx->err.detail : ""));
}

/* ---- one request ---------------------------------------------------------------------------- */

static enum rc answer_options(struct ctx *cx, struct call *c)
{
    const char *methods = route_methods(cx->arena, c->request->path);

    if (!methods)
        return fail(cx, E_NOT_FOUND, NULL, "there is nothing at this address");
    response_header(c->response, cx->arena, "Allow", methods);
    c->response->status = 204;
    return OK;
}

static enum rc run(struct ctx *cx, struct call *c)
{
    const char *key = request_header(c->request, "idempotency-key");

    if (key && c->route->flags & ROUTE_IDEMPOTENT)
        return idempotency_run(cx, c, key);
    if (c->route->flags & ROUTE_WHOLE)
        return idempotency_run(cx, c, NULL);
    return c->route->handle(cx, c);
}

/* An answer of which a part could not be read is none (see view.h); but what is done is done. */
static enum rc handle(struct ctx *cx, struct call *c)
{
    TRY(run(cx, c));
    const bool is_partial = cx->err.rc == E_FAIL || cx->err.rc == E_BUSY;
    return is_partial && method_is_safe(c->request->method) ? cx->err.rc : OK;
}

/* A wrong proof counts like any other request, against the peer. */
static enum rc admit(struct ctx *cx, struct call *c)
{
    const enum rc rc = identify(cx, c);
    const char *code = cx->err.code, *text = cx->err.text;

    TRY(identify_check_rate(cx, c));
    cx->err.rc = rc;
    cx->err.code = code;
    cx->err.text = text;
    TRY(rc);
    TRY(identify_check_origin(cx, c));
    return auth_may_use(cx, c->route->allow, !method_is_safe(c->request->method));
}

static enum rc serve(struct ctx *cx, struct call *c)
{
    if (c->request->method == HTTP_OPTIONS_)
        return answer_options(cx, c);
    TRY(route_match(cx, c->request, &c->route));
    TRY(admit(cx, c));
    cx->language = identify_language(cx, c->request);
    TRY(shape_check_query(cx, c->route->query, c->request));
    TRY(read_if_match(cx, c));
    TRY(read_body(cx, c));
    TRY(handle(cx, c));
    finish(c);
    return OK;
}

static bool is_request_id(const char *s)
{
    const size_t len = s ? strlen(s) : 0;
    return len >= 8 && len <= 64 &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

/* The sender's own id when it has a harmless one, so that a proxy's log and ours meet. */
static const char *request_id(struct server *s, struct request *rq)
{
    const char *theirs = request_header(rq, "x-request-id");

    if (is_request_id(theirs))
        return theirs;
    return arena_printf(rq->arena, "%s-%llx", s->nonce, (unsigned long long)rq->id);
}

void dispatch(struct request *rq, struct response *rs, void *arg)
{
    struct server *s = arg;
    struct call c = {.server = s, .request = rq, .response = rs, .json = {.out = &rs->body}};
    const int64_t started = clock_monotonic();
    struct ctx cx;

    server_context(s, rq->arena, &cx);
    cx.request_id = request_id(s, rq);
    const enum rc rc = serve(&cx, &c);
    if (rc != OK)
        problem_write(&cx, &c, rc);
    add_headers(&cx, &c);
    note(&cx, &c, started);
}

/* ---- without a socket ----------------------------------------------------------------------- */

static void fill_request(struct server *s, struct arena *a, const struct edge_ask *ask,
                         struct request *ret)
{
    *ret = (struct request){
        .arena = a,
        .method = ask->method,
        .target = ask->target,
        .path = "",
        .body = ask->body ? ask->body : "",
        .body_len = ask->body ? strlen(ask->body) : 0,
        .received_at = clock_now(),
        .peer = "unix",
        .peer_uid = (int64_t)geteuid(),
        .id = server_next_id(s),
    };
    for (const struct http_pair *h = ask->headers; h && h->name; h++)
        *(struct http_pair *)list_add(a, &ret->headers, sizeof(*h)) = *h;
    if (ask->body && !request_header(ret, "content-type"))
        *(struct http_pair *)list_add(a, &ret->headers, sizeof(struct http_pair)) =
            (struct http_pair){"content-type", "application/json"};
}

void edge_call(struct server *s, struct arena *arena, const struct edge_ask *ask,
               struct response *ret)
{
    struct request rq;

    *ret = (struct response){.body = {.arena = arena}};
    fill_request(s, arena, ask, &rq);
    const int status = target_parse(&rq, "localhost");
    const struct route *r = status ? NULL : route_find(rq.method, rq.path);
    if (status || (r && r->flags & (ROUTE_STREAM | ROUTE_UPLOAD))) {
        ret->status = status ? status : 501;
        return;
    }
    dispatch(&rq, ret, s);
}
