#include "edge/idempotency.h"

#include <string.h>

#include "idempotency_sql.h"

#include "auth/auth.h"
#include "base/secret.h"
#include "base/str.h"
#include "db/db.h"

#define MAX_KEY 255

struct kept {
    const char *hash, *body;
    int64_t status;
};
static const struct col kept_cols[] = {
    TEXT_COL(struct kept, hash),
    INT_COL(struct kept, status),
    TEXT_COL(struct kept, body),
    {0},
};

struct attempt {
    struct call *c;
    const char *principal, *key;
    char hash[SHA256_HEX];
    int first_header; /* how many the response had before the handler ran */
};

/* ---- the answer as a text ------------------------------------------------------------------- */

/* Header lines, an empty line, the body. */
static const char *pack(struct ctx *cx, const struct attempt *a)
{
    const struct response *rs = a->c->response;
    const struct http_pair *headers = rs->headers.at;
    struct buf b = {.arena = cx->arena};

    for (int i = a->first_header; i < rs->headers.count; i++)
        buf_printf(&b, "%s: %s\n", headers[i].name, headers[i].value);
    if (rs->type)
        buf_printf(&b, "Content-Type: %s\n", rs->type);
    buf_putc(&b, '\n');
    buf_puts(&b, buf_text(&rs->body));
    return buf_text(&b);
}

static void unpack_header(struct ctx *cx, struct response *rs, const char *line, size_t len)
{
    const size_t name = strcspn(line, ":");
    const char *value = arena_strndup(cx->arena, line + name + 2, len - name - 2);

    if (strncmp(line, "Content-Type", name) == 0)
        rs->type = value;
    else
        response_header(rs, cx->arena, arena_strndup(cx->arena, line, name), value);
}

static void replay(struct ctx *cx, const struct attempt *a, const struct kept *kept)
{
    struct response *rs = a->c->response;
    const char *s = kept->body;

    while (*s && *s != '\n') {
        const size_t len = strcspn(s, "\n");
        unpack_header(cx, rs, s, len);
        s += len + 1;
    }
    rs->status = (int)kept->status;
    response_header(rs, cx->arena, "Idempotency-Replayed", "true");
    buf_puts(&rs->body, s + (*s == '\n'));
}

/* ---- the transaction ------------------------------------------------------------------------ */

static enum rc refuse(struct ctx *cx)
{
    fail(cx, E_INVALID, NULL, "this Idempotency-Key was used for another request");
    cx->err.code = "idempotency_key_reused";
    return E_INVALID;
}

static void start_anew(struct attempt *a)
{
    struct response *rs = a->c->response;

    buf_clear(&rs->body);
    rs->status = 0;
    rs->type = NULL;
    rs->headers.count = a->first_header;
    a->c->json = (struct json){.out = &rs->body};
}

/* May run more than once (see db_tx); the response begins anew each time. */
static enum rc run_once(struct ctx *cx, void *arg)
{
    struct attempt *a = arg;
    struct kept kept;

    start_anew(a);
    if (!a->key)
        return a->c->route->handle(cx, a->c);
    const enum rc rc =
        db_one(cx, SQL_idempotency_find, ARGS(TEXT("principal", a->principal), TEXT("key", a->key)),
               kept_cols, &kept);
    if (rc == OK && !str_equal(kept.hash, a->hash))
        return refuse(cx);
    if (rc == OK) {
        replay(cx, a, &kept);
        return OK;
    }
    if (rc != E_NOT_FOUND)
        return rc;
    TRY(a->c->route->handle(cx, a->c));
    const int status = a->c->response->status ? a->c->response->status : a->c->route->status;
    return db_exec(cx, SQL_idempotency_keep,
                   ARGS(TEXT("principal", a->principal), TEXT("key", a->key), TEXT("hash", a->hash),
                        INT("status", status), TEXT("body", pack(cx, a)), INT("now", cx->now)),
                   NULL);
}

static void hash_request(struct ctx *cx, const struct request *rq, char ret[static SHA256_HEX])
{
    struct sha256 *h = sha256_create(cx->arena);
    const char *method = http_method_name(rq->method);
    const char *match = request_header(rq, "if-match");

    sha256_add(h, method, strlen(method) + 1);
    sha256_add(h, rq->target, strlen(rq->target) + 1);
    if (match)
        sha256_add(h, match, strlen(match));
    sha256_add(h, "", 1);
    sha256_add(h, rq->body, rq->body_len);
    sha256_finish(h, ret);
}

static bool is_key(const char *key)
{
    const size_t len = strlen(key);
    for (const char *s = key; *s; s++) {
        if (*s < '!' || *s > '~')
            return false;
    }
    return len > 0 && len <= MAX_KEY;
}

enum rc idempotency_run(struct ctx *cx, struct call *c, const char *key)
{
    struct attempt a = {.c = c, .key = key, .first_header = c->response->headers.count};

    if (!key)
        return db_tx(cx, run_once, &a);
    if (!is_key(key))
        return fail(cx, E_MALFORMED, NULL,
                    "Idempotency-Key is 1 to %d visible characters without spaces", MAX_KEY);
    a.principal = cx->user->token_id
                      ? arena_printf(cx->arena, "token %lld", (long long)cx->user->token_id)
                      : arena_printf(cx->arena, "person %lld", (long long)cx->user->id);
    hash_request(cx, c->request, a.hash);
    return db_tx(cx, run_once, &a);
}

enum rc idempotency_sweep(struct ctx *cx)
{
    return db_exec(cx, SQL_idempotency_sweep, ARGS(INT("before", cx->now - IDEMPOTENCY_KEEP_US)),
                   NULL);
}
