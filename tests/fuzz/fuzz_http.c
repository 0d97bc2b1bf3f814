/* fuzz_http.c - however the bytes of a connection are cut into pieces, the same requests come out
 * of them, or the same refusal; and what comes out keeps every promise of http.h. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "http/parse.h"

enum { MAX_BODY = 100000 };

struct outcome {
    int requests, status;
    uint64_t digest; /* of all that was understood */
};

static void digest(struct outcome *o, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        o->digest = (o->digest ^ at[i]) * UINT64_C(0x100000001b3);
}

static void digest_text(struct outcome *o, const char *s)
{
    digest(o, s, strlen(s) + 1);
}

/* ---- promises ------------------------------------------------------------------------------- */

static void check_path(const char *path)
{
    assert(path[0] == '/' || strcmp(path, "*") == 0);
    assert(str_is_utf8(path, strlen(path)));
    assert(!strstr(path, "//") && !strchr(path, '\\'));
    for (const char *at = path; (at = strstr(at, "/.")); at++) {
        const size_t len = strcspn(at + 1, "/");
        assert(len != 1 && (len != 2 || at[2] != '.'));
    }
    for (const char *at = path; *at; at++)
        assert(*at < 0 || (*at >= 0x20 && *at != 0x7f));
}

static void check_pairs(const struct list *pairs, bool is_header)
{
    const struct http_pair *pair = pairs->at;
    for (int i = 0; i < pairs->count; i++) {
        assert(pair[i].name && pair[i].value);
        if (!is_header) {
            assert(str_is_utf8(pair[i].name, strlen(pair[i].name)));
            assert(str_is_utf8(pair[i].value, strlen(pair[i].value)));
            continue;
        }
        assert(*pair[i].name);
        assert(!strpbrk(pair[i].name, " \t\r\n:ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        assert(!strpbrk(pair[i].value, "\r\n"));
        const size_t len = strlen(pair[i].value);
        assert(len == 0 ||
               (!strchr(" \t", pair[i].value[0]) && !strchr(" \t", pair[i].value[len - 1])));
    }
}

static void check_request(const struct parse *p, const struct request *rq)
{
    check_path(rq->path);
    check_pairs(&rq->headers, true);
    check_pairs(&rq->query, false);
    assert(strlen(rq->target) <= HTTP_MAX_TARGET);
    assert(rq->headers.count <= HTTP_MAX_HEADERS);
    assert(p->is_http10 || request_header(rq, "host"));
    assert(p->is_chunked == (request_header(rq, "transfer-encoding") != NULL));
    assert(!p->is_chunked || !request_header(rq, "content-length"));
    assert(p->length >= 0);
    request_cookie(rq, "a");
}

/* ---- a connection --------------------------------------------------------------------------- */

struct feed {
    const char *at;
    size_t arrived, to_come, piece;
};

static bool more_arrives(struct feed *f)
{
    const size_t n = f->piece < f->to_come ? f->piece : f->to_come;
    f->arrived += n;
    f->to_come -= n;
    return n > 0;
}

static void use(struct feed *f, size_t n)
{
    assert(n <= f->arrived);
    f->at += n;
    f->arrived -= n;
}

/* false: refused, or cut off. */
static bool run_body(struct feed *f, struct parse *p, struct outcome *o)
{
    size_t total = 0;
    while (!p->is_complete) {
        if (f->arrived == 0 && !more_arrives(f))
            return false;
        const char *piece;
        size_t len;
        const size_t n = parse_body(p, f->at, f->arrived, &piece, &len);
        if (n == PARSE_REFUSED) {
            o->status = 400;
            return false;
        }
        assert(n > 0 && len <= n);
        digest(o, piece, len);
        use(f, n);
        total += len;
    }
    assert(p->is_chunked || total == (size_t)p->length);
    return true;
}

static bool run_request(struct feed *f, struct arena *a, struct outcome *o)
{
    struct head_scan scan = {0};
    int verdict;
    while ((verdict = head_scan(&scan, f->at, f->arrived)) == HEAD_MORE)
        if (!more_arrives(f))
            return false;
    struct request rq = {.arena = a, .body = ""};
    struct parse p;
    o->status = verdict == HEAD_DONE ? parse_head(&p, &rq, f->at, scan.done) : verdict;
    if (o->status)
        return false;
    use(f, scan.done);
    o->requests++;
    check_request(&p, &rq);
    digest_text(o, http_method_name(rq.method));
    digest_text(o, rq.path);
    return p.length <= MAX_BODY && run_body(f, &p, o) && p.keeps_alive;
}

static struct outcome run(const char *bytes, size_t len, size_t piece)
{
    struct outcome o = {.digest = UINT64_C(0xcbf29ce484222325)};
    struct feed f = {.at = bytes, .to_come = len, .piece = piece};
    struct arena *a = arena_create();
    while (run_request(&f, a, &o))
        arena_reset(a);
    arena_destroy(a);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 7, 1000};
    const char *bytes = (const char *)data;
    const struct outcome whole = run(bytes, size, size ? size : 1);
    for (int i = 0; i < ARRAY_LEN(pieces); i++) {
        const struct outcome parts = run(bytes, size, pieces[i]);
        assert(parts.requests == whole.requests);
        assert(parts.status == whole.status);
        assert(parts.digest == whole.digest);
    }
    return 0;
}
