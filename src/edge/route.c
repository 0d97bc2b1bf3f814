#include "edge/route.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define MAX_ROUTES 256
#define API "/api/v1/"

/* One segment of the paths; a tree over all rows. */
struct node {
    const char *segment; /* NULL: matches anything, a {name} */
    size_t len;
    struct node *children, *next;
    const struct route *routes[HTTP_METHODS];
    bool is_path; /* some row ends here */
};

static struct {
    pthread_once_t once;
    struct arena *arena;
    struct node root;
    const struct route *all[MAX_ROUTES];
    int count;
} index_of_routes = {.once = PTHREAD_ONCE_INIT};

/* ---- building the index --------------------------------------------------------------------- */

static bool is_known_right(const char *allow)
{
    if (str_equal(allow, ALLOW_PUBLIC) || str_equal(allow, ALLOW_USER))
        return true;
    for (const struct right_info *r = auth_rights; r->name; r++) {
        if (str_equal(r->name, allow))
            return true;
    }
    return false;
}

static void check_row(const struct route *r)
{
    if (!r->allow || !is_known_right(r->allow))
        BUG("a route without a known right");
    if (!r->handle || !r->name || !r->help)
        BUG("a route that lacks handler, name or help");
    if (index_of_routes.count == MAX_ROUTES)
        BUG("more routes than there is room for");
}

static struct node *child_for(struct node *parent, const char *segment, size_t len)
{
    const bool is_any = segment[0] == '{';
    struct node **at = &parent->children;

    /* What matches anything stands last, so that a fixed segment is tried first. */
    for (; *at; at = &(*at)->next) {
        if (is_any ? !(*at)->segment
                   : !(*at)->segment ||
                         ((*at)->len == len && memcmp((*at)->segment, segment, len) == 0))
            break;
    }
    if (*at && (is_any || (*at)->segment))
        return *at;
    struct node *n = arena_alloc(index_of_routes.arena, sizeof(*n));
    *n = (struct node){.segment = is_any ? NULL : segment, .len = len, .next = *at};
    *at = n;
    return n;
}

static void add_row(const struct route *r)
{
    struct node *n = &index_of_routes.root;

    check_row(r);
    for (const char *s = r->path + 1; *s;) {
        const size_t len = strcspn(s, "/");
        n = child_for(n, s, len);
        s += len + (s[len] == '/');
    }
    if (n->routes[r->method])
        BUG("two routes with the same method and path");
    n->routes[r->method] = r;
    n->is_path = true;
    index_of_routes.all[index_of_routes.count++] = r;
}

static void build(void)
{
    index_of_routes.arena = arena_create();
    for (const struct route *const *table = route_tables; *table; table++) {
        for (const struct route *r = *table; r->path; r++)
            add_row(r);
    }
}

void route_init(void)
{
    pthread_once(&index_of_routes.once, build);
}

const struct route *const *route_all(int *ret_count)
{
    route_init();
    *ret_count = index_of_routes.count;
    return index_of_routes.all;
}

int route_index(const struct route *r)
{
    for (int i = 0; i < index_of_routes.count; i++) {
        if (index_of_routes.all[i] == r)
            return i;
    }
    return -1;
}

/* ---- asking it ------------------------------------------------------------------------------ */

static const struct node *find(const struct node *n, const char *path)
{
    if (!*path)
        return n->is_path ? n : NULL;

    const size_t len = strcspn(path, "/");
    const char *rest = path + len + (path[len] == '/');
    for (const struct node *c = n->children; c; c = c->next) {
        if (c->segment && (c->len != len || memcmp(c->segment, path, len) != 0))
            continue;
        const struct node *found = len ? find(c, rest) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static const struct node *find_path(const char *path)
{
    route_init();
    if (path[0] != '/' || (path[1] && str_ends(path, "/")))
        return NULL;
    return find(&index_of_routes.root, path + 1);
}

static const struct route *of_method(const struct node *n, enum http_method method)
{
    return n->routes[method == HTTP_HEAD_ ? HTTP_GET_ : method];
}

const struct route *route_find(enum http_method method, const char *path)
{
    const struct node *n = find_path(path);
    return n ? of_method(n, method) : NULL;
}

static void take_params(struct request *rq, const struct route *r)
{
    const char *is = rq->path + 1;

    for (const char *s = r->path + 1; *s;) {
        const size_t len = strcspn(s, "/"), is_len = strcspn(is, "/");
        if (s[0] == '{') {
            struct http_pair *p = list_add(rq->arena, &rq->params, sizeof(*p));
            p->name = arena_strndup(rq->arena, s + 1, len - 2);
            p->value = arena_strndup(rq->arena, is, is_len);
        }
        s += len + (s[len] == '/');
        is += is_len + (is[is_len] == '/');
    }
}

enum rc route_match(struct ctx *cx, struct request *rq, const struct route **ret)
{
    const struct node *n = find_path(rq->path);
    if (!n)
        return fail(cx, E_NOT_FOUND, NULL, "there is nothing at this address");

    const struct route *r = of_method(n, rq->method);
    if (!r) {
        fail(cx, E_INVALID, NULL, "this address does not know the method %s",
             http_method_name(rq->method));
        cx->err.code = "method";
        return E_INVALID;
    }
    take_params(rq, r);
    *ret = r;
    return OK;
}

const char *route_methods(struct arena *a, const char *path)
{
    const struct node *n = find_path(path);
    struct buf b = {.arena = a};

    if (!n)
        return NULL;
    for (int m = 0; m < HTTP_METHODS; m++) {
        if (of_method(n, (enum http_method)m))
            buf_printf(&b, "%s, ", http_method_name((enum http_method)m));
    }
    buf_puts(&b, "OPTIONS");
    return buf_text(&b);
}

bool route_is_reserved(const char *segment)
{
    route_init();
    for (int i = 0; i < index_of_routes.count; i++) {
        const char *path = index_of_routes.all[i]->path;
        const char *s = path + strlen(API);
        if (str_starts(path, API) && strlen(segment) == strcspn(s, "/") &&
            strncmp(s, segment, strlen(segment)) == 0)
            return true;
    }
    return false;
}
