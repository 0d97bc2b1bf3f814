#include <string.h>

#include "http/http.h"

static const char *const method_names[HTTP_METHODS] = {
    [HTTP_GET_] = "GET",         [HTTP_HEAD_] = "HEAD",   [HTTP_POST_] = "POST",
    [HTTP_PUT_] = "PUT",         [HTTP_PATCH_] = "PATCH", [HTTP_DELETE_] = "DELETE",
    [HTTP_OPTIONS_] = "OPTIONS",
};

const char *http_method_name(enum http_method m)
{
    return method_names[m];
}

static const char *pair_value(const struct list *pairs, const char *name)
{
    const struct http_pair *pair = pairs->at;
    for (int i = 0; i < pairs->count; i++)
        if (strcmp(pair[i].name, name) == 0)
            return pair[i].value;
    return NULL;
}

const char *request_header(const struct request *rq, const char *lower_name)
{
    return pair_value(&rq->headers, lower_name);
}

const char *request_query(const struct request *rq, const char *name)
{
    return pair_value(&rq->query, name);
}

const char *request_param(const struct request *rq, const char *name)
{
    const char *value = pair_value(&rq->params, name);
    if (!value)
        BUG("the route has no such parameter");
    return value;
}

/* The value of name in "a=1; b=2" (RFC 6265, 5.4); double quotes around it are not part of it. */
static const char *cookie_in(struct arena *a, const char *s, const char *name)
{
    const size_t name_len = strlen(name);
    while (*s) {
        s += strspn(s, " ;");
        const size_t len = strcspn(s, ";");
        if (len > name_len && s[name_len] == '=' && memcmp(s, name, name_len) == 0) {
            const char *value = s + name_len + 1;
            size_t value_len = len - name_len - 1;
            if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
                value++;
                value_len -= 2;
            }
            return arena_strndup(a, value, value_len);
        }
        s += len;
    }
    return NULL;
}

const char *request_cookie(const struct request *rq, const char *name)
{
    const struct http_pair *pair = rq->headers.at;
    for (int i = 0; i < rq->headers.count; i++) {
        if (strcmp(pair[i].name, "cookie") != 0)
            continue;
        const char *value = cookie_in(rq->arena, pair[i].value, name);
        if (value)
            return value;
    }
    return NULL;
}
