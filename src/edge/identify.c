#include "edge/identify.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/str.h"
#include "base/time.h"
#include "edge/server.h"
#include "lang/process.h"

bool method_is_safe(enum http_method m)
{
    return m == HTTP_GET_ || m == HTTP_HEAD_ || m == HTTP_OPTIONS_;
}

/* ---- who ------------------------------------------------------------------------------------ */

static enum rc by_header(struct ctx *cx, const char *authorization)
{
    static const char scheme[] = "Bearer ";

    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return fail(cx, E_UNAUTHENTICATED, NULL, "the only scheme of Authorization is Bearer");
    return auth_by_token(cx, authorization + strlen(scheme));
}

static bool is_local(const struct request *rq)
{
    return rq->peer_uid >= 0 && (rq->peer_uid == 0 || rq->peer_uid == (int64_t)geteuid());
}

static enum rc by_proof(struct ctx *cx, struct call *c)
{
    const char *authorization = request_header(c->request, "authorization");
    const char *cookie = authorization ? NULL : request_cookie(c->request, c->server->cookie);

    cx->via = VIA_API;
    if (authorization)
        return by_header(cx, authorization);
    if (cookie) {
        cx->via = VIA_CONSOLE;
        return auth_by_session(cx, cookie);
    }
    if (is_local(c->request)) {
        cx->via = VIA_COMMAND;
        auth_as_operator(cx);
    }
    return OK;
}

enum rc identify(struct ctx *cx, struct call *c)
{
    auth_as_nobody(cx);
    const enum rc rc = by_proof(cx, c);
    if (rc != E_UNAUTHENTICATED || !str_equal(c->route->allow, ALLOW_PUBLIC))
        return rc;
    fail_clear(cx);
    auth_as_nobody(cx);
    return OK;
}

/* ---- from where ----------------------------------------------------------------------------- */

/* "https://fettle.example" is ours when it is the address that people see, or the very host that
 * the browser asked (which an attacker's page cannot choose). */
static bool is_own_origin(const struct call *c, const char *origin)
{
    const char *host = request_header(c->request, "host");
    const char *authority = strstr(origin, "://");
    const size_t len = strlen(origin);

    if (strncmp(c->server->base_url, origin, len) == 0 &&
        (!c->server->base_url[len] || c->server->base_url[len] == '/'))
        return true;
    return authority && host && strcasecmp(authority + 3, host) == 0;
}

static enum rc check_page(struct ctx *cx, struct call *c)
{
    const char *site = request_header(c->request, "sec-fetch-site");
    const char *origin = request_header(c->request, "origin");

    if ((site && !str_equal(site, "same-origin") && !str_equal(site, "none")) ||
        (origin && !is_own_origin(c, origin))) {
        fail(cx, E_DENIED, NULL, "a page of another site may not do this");
        cx->err.code = "cross_site";
        return E_DENIED;
    }
    return OK;
}

/* In the same time wherever the first difference is. */
static bool is_same(const char *a, const char *b)
{
    const size_t len = strlen(b);
    unsigned char difference = 0;

    if (strlen(a) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

enum rc identify_check_origin(struct ctx *cx, struct call *c)
{
    const char *token = request_header(c->request, "x-csrf-token");

    if (method_is_safe(c->request->method))
        return OK;
    if (cx->user->session_id || cx->user->kind == USER_NOBODY)
        TRY(check_page(cx, c));
    if (!cx->user->session_id || (token && cx->user->csrf && is_same(token, cx->user->csrf)))
        return OK;
    fail(cx, E_DENIED, NULL, "the header X-CSRF-Token must hold the token of the session");
    cx->err.code = "csrf";
    return E_DENIED;
}

/* ---- how often ------------------------------------------------------------------------------ */

static const char *principal(struct ctx *cx, const struct request *rq)
{
    if (cx->user->token_id)
        return arena_printf(cx->arena, "token %lld", (long long)cx->user->token_id);
    if (cx->user->id)
        return arena_printf(cx->arena, "person %lld", (long long)cx->user->id);
    return arena_printf(cx->arena, "peer %s", rq->peer);
}

enum rc identify_check_rate(struct ctx *cx, struct call *c)
{
    const int64_t limit = c->server->rate_limit;
    struct response *rs = c->response;
    struct rate rate = {0};

    if (c->route->flags & ROUTE_NO_LIMIT || cx->user->kind == USER_OPERATOR)
        return OK;
    const bool is_fine = auth_rate(cx, principal(cx, c->request), limit, &rate);
    const int64_t seconds = (rate.reset_us + US_PER_S - 1) / US_PER_S;
    response_header(rs, cx->arena, "RateLimit-Policy",
                    arena_printf(cx->arena, "\"default\";q=%lld;w=60", (long long)limit));
    response_header(rs, cx->arena, "RateLimit",
                    arena_printf(cx->arena, "\"default\";r=%lld;t=%lld", (long long)rate.left,
                                 (long long)seconds));
    if (is_fine)
        return OK;
    response_header(rs, cx->arena, "Retry-After",
                    arena_printf(cx->arena, "%lld", (long long)(seconds ? seconds : 1)));
    return fail(cx, E_LIMIT, NULL, "more than %lld requests a minute", (long long)limit);
}

/* ---- in which language ---------------------------------------------------------------------- */

static const char *known_language(const struct ctx *cx, const char *tag, size_t len)
{
    const char *const *known = cx->defs ? cx->defs->languages : NULL;

    for (; known && *known; known++) {
        const size_t n = strlen(*known);
        if (n <= len && strncasecmp(*known, tag, n) == 0 && (n == len || tag[n] == '-'))
            return *known;
    }
    return NULL;
}

/* The first that we know; browsers list them by preference, so weights are not looked at. */
const char *identify_language(struct ctx *cx, const struct request *rq)
{
    const char *own = cx->user ? cx->user->language : NULL;
    const char *s = request_header(rq, "accept-language");

    if (own && known_language(cx, own, strlen(own)))
        return known_language(cx, own, strlen(own));
    while (s && *s) {
        s += strspn(s, " ,");
        const char *known = known_language(cx, s, strcspn(s, ",; "));
        if (known)
            return known;
        s += strcspn(s, ",");
    }
    return cx->language;
}
