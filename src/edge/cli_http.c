/* cli_http.c - a door to a server over HTTP: the network, or a local socket. */
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/str.h"
#include "edge/cli_ask.h"

#define CONNECT_S 10L
#define WHOLE_S 120L
#define MAX_ANSWER ((size_t)64 << 20)

struct http_door {
    struct door door;
    CURL *curl;
    const char *url, *socket, *token, *ca_file;
    char why[CURL_ERROR_SIZE];
};

struct reading {
    struct arena *arena;
    struct buf body;
    struct received *to;
};

static size_t take_body(char *bytes, size_t one, size_t count, void *arg)
{
    struct reading *r = arg;
    const size_t len = one * count;

    if (r->body.len + len > MAX_ANSWER)
        return 0;
    buf_add(&r->body, bytes, len);
    return len;
}

static size_t take_header(char *bytes, size_t one, size_t count, void *arg)
{
    struct reading *r = arg;
    const struct {
        const char *name;
        const char **to;
    } wanted[] = {
        {"location:", &r->to->location},
        {"etag:", &r->to->etag},
        {"retry-after:", &r->to->retry_after},
    };
    const char *line = arena_strndup(r->arena, bytes, one * count);

    for (int i = 0; i < ARRAY_LEN(wanted); i++) {
        const size_t len = strlen(wanted[i].name);
        if (strncasecmp(line, wanted[i].name, len) == 0)
            *wanted[i].to = str_trim(r->arena, line + len);
    }
    return one * count;
}

static struct curl_slist *make_headers(struct ctx *cx, const struct http_door *d,
                                       const struct sending *s)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");

    list = curl_slist_append(list, "Expect:");
    if (s->body)
        list = curl_slist_append(list, "Content-Type: application/json");
    if (s->if_match)
        list = curl_slist_append(list, arena_printf(cx->arena, "If-Match: %s", s->if_match));
    if (d->token)
        list =
            curl_slist_append(list, arena_printf(cx->arena, "Authorization: Bearer %s", d->token));
    return list;
}

static void set_target(struct ctx *cx, const struct http_door *d, const struct sending *s)
{
    curl_easy_setopt(d->curl, CURLOPT_URL, arena_printf(cx->arena, "%s%s", d->url, s->path));
    curl_easy_setopt(d->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(d->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(d->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(d->curl, CURLOPT_TIMEOUT, WHOLE_S);
    curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(d->curl, CURLOPT_USERAGENT, "fettle/" FETTLE_VERSION);
    if (d->ca_file)
        curl_easy_setopt(d->curl, CURLOPT_CAINFO, d->ca_file);
    if (d->socket) {
        curl_easy_setopt(d->curl, CURLOPT_UNIX_SOCKET_PATH, d->socket);
        curl_easy_setopt(d->curl, CURLOPT_PROXY, "");
    }
}

static void set_body(const struct http_door *d, const struct sending *s)
{
    curl_easy_setopt(d->curl, CURLOPT_CUSTOMREQUEST, http_method_name(s->method));
    if (s->method == HTTP_GET_)
        return;
    curl_easy_setopt(d->curl, CURLOPT_POSTFIELDSIZE, (long)(s->body ? strlen(s->body) : 0));
    curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS, s->body ? s->body : "");
}

/* What cannot be reached now may be later; a certificate that is not trusted will not. */
static enum rc explain(struct ctx *cx, struct http_door *d, CURLcode code)
{
    const char *why = *d->why ? d->why : curl_easy_strerror(code);
    const bool is_final = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ||
                          code == CURLE_SSL_CACERT_BADFILE || code == CURLE_UNSUPPORTED_PROTOCOL;

    fail(cx, is_final ? E_FAIL : E_BUSY, NULL, "%s cannot be reached", d->door.name);
    return fail_detail(cx, is_final ? E_FAIL : E_BUSY, "%s", why);
}

static enum rc send_http(struct ctx *cx, struct door *door, const struct sending *s,
                         struct received *ret)
{
    struct http_door *d = (struct http_door *)door;
    struct reading r = {.arena = cx->arena, .body = {.arena = cx->arena}, .to = ret};
    long status = 0;

    *ret = (struct received){0};
    *d->why = '\0';
    curl_easy_reset(d->curl);
    set_target(cx, d, s);
    set_body(d, s);
    struct curl_slist *headers = make_headers(cx, d, s);
    curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(d->curl, CURLOPT_ERRORBUFFER, d->why);
    curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, &r);
    curl_easy_setopt(d->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(d->curl, CURLOPT_HEADERDATA, &r);
    const CURLcode code = curl_easy_perform(d->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return explain(cx, d, code);
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    ret->status = (int)status;
    ret->text = buf_text(&r.body);
    ret->len = r.body.len;
    return OK;
}

/* A token is worth a password: it does not cross a network in the clear. */
static bool is_private(const char *url)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};

    if (strncasecmp(url, "https://", 8) == 0)
        return true;
    for (int i = 0; i < ARRAY_LEN(loopback); i++) {
        const size_t len = strlen(loopback[i]);
        const char *host = url + strlen("http://");
        if (strncasecmp(host, loopback[i], len) == 0 && (!host[len] || strchr(":/", host[len])))
            return true;
    }
    return false;
}

static enum rc check_url(struct ctx *cx, const char *url, const char *token)
{
    if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
        return cli_usage(cx, "the address of a server begins with https:// or http://, not '%s'",
                         url);
    if (token && !is_private(url))
        return fail(cx, E_INVALID, NULL,
                    "%s would carry the token over the network unencrypted; use https://", url);
    if (token && token[strcspn(token, " \t\r\n")])
        return fail(cx, E_INVALID, NULL, "the token holds white space");
    return OK;
}

static void clean_up(void *arg)
{
    struct http_door *d = arg;
    curl_easy_cleanup(d->curl);
}

enum rc door_http(struct ctx *cx, const char *url, const char *socket, const char *token,
                  const char *ca_file, struct door **ret)
{
    struct http_door *d = arena_alloc(cx->arena, sizeof(*d));
    const size_t len = strlen(url);

    if (!socket)
        TRY(check_url(cx, url, token));
    *d = (struct http_door){
        .door = {send_http, socket ? socket : url},
        .url = arena_strndup(cx->arena, url, len - str_ends(url, "/")),
        .socket = socket,
        .token = token,
        .ca_file = ca_file,
        .curl = curl_easy_init(),
    };
    if (!d->curl)
        return fail(cx, E_FAIL, NULL, "libcurl cannot be used");
    arena_defer(cx->arena, clean_up, d);
    *ret = &d->door;
    return OK;
}
