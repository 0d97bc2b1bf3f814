#include "edge/openapi.h"

#include <pthread.h>
#include <string.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/str.h"
#include "edge/identify.h"
#include "edge/openapi_schema.h"
#include "lang/process.h"

/* ---- parameters ----------------------------------------------------------------------------- */

static void path_parameter(struct document *d, const char *name, size_t len)
{
    struct json *j = d->j;
    const bool is_action = len == strlen("action") && memcmp(name, "action", len) == 0;

    json_open(j, '{');
    json_key(j, "name"), json_text(j, arena_strndup(d->cx->arena, name, len));
    json_member_text(j, "in", "path");
    json_key(j, "required"), json_flag(j, true);
    json_key(j, "schema");
    json_open(j, '{');
    json_member_text(j, "type", "string");
    if (is_action && d->process) {
        json_key(j, "enum");
        json_open(j, '[');
        for (int i = 0; i < d->process->action_count; i++) {
            if (d->process->actions[i].from)
                json_text(j, d->process->actions[i].name);
        }
        json_close(j, ']');
    }
    json_close(j, '}');
    json_close(j, '}');
}

static void path_parameters(struct document *d, const char *path)
{
    for (const char *s = strchr(path, '{'); s; s = strchr(s + 1, '{')) {
        const size_t len = strcspn(s + 1, "}");
        if (len != strlen("process") || memcmp(s + 1, "process", len) != 0)
            path_parameter(d, s + 1, len);
    }
}

static void query_parameter(struct document *d, const struct shape *s)
{
    struct json *j = d->j;

    json_open(j, '{');
    json_member_text(j, "name", s->name);
    json_member_text(j, "in", "query");
    json_member_text(j, "description", s->help);
    json_key(j, "required"), json_flag(j, s->is_required);
    if (s->is_list) {
        json_member_text(j, "style", "form");
        json_key(j, "explode"), json_flag(j, false);
    }
    json_key(j, "schema");
    schema_shape(d, s);
    json_close(j, '}');
}

static void header_parameter(struct json *j, const char *name, const char *help, bool is_required)
{
    json_open(j, '{');
    json_member_text(j, "name", name);
    json_member_text(j, "in", "header");
    json_member_text(j, "description", help);
    json_key(j, "required"), json_flag(j, is_required);
    json_key(j, "schema"), json_raw(j, "{\"type\":\"string\"}");
    json_close(j, '}');
}

static const struct {
    int flag;
    const char *name, *help;
    bool is_required;
} headers[] = {
    {ROUTE_IF_MATCH, "If-Match",
     "The ETag that one saw, or * ; when it is stale and the same field changed, the answer is 412",
     true},
    {ROUTE_IDEMPOTENT, "Idempotency-Key",
     "A request with the same key and content is done once, and answered alike, for 48 hours",
     false},
    {ROUTE_STREAM, "Last-Event-ID", "Go on after this event", false},
    {ROUTE_UPLOAD, "Content-Disposition", "filename of the file, unless the parameter name says it",
     false},
};

static void parameters(struct document *d, const struct route *r)
{
    struct json *j = d->j;

    json_key(j, "parameters");
    json_open(j, '[');
    path_parameters(d, r->path);
    for (const struct shape *s = r->query; s && s->kind; s++)
        query_parameter(d, s);
    for (int i = 0; i < ARRAY_LEN(headers); i++) {
        if (r->flags & headers[i].flag)
            header_parameter(j, headers[i].name, headers[i].help, headers[i].is_required);
    }
    json_close(j, ']');
}

/* ---- bodies --------------------------------------------------------------------------------- */

static void json_content(struct document *d, const char *media_type, const struct shape *table)
{
    struct json *j = d->j;

    json_key(j, "content");
    json_open(j, '{');
    json_key(j, media_type);
    json_open(j, '{');
    json_key(j, "schema");
    schema_table(d, table);
    json_close(j, '}');
    json_close(j, '}');
}

static void request_body(struct document *d, const struct route *r)
{
    struct json *j = d->j;

    if (!r->input && !(r->flags & ROUTE_UPLOAD))
        return;
    json_key(j, "requestBody");
    json_open(j, '{');
    json_key(j, "required"), json_flag(j, true);
    if (r->input)
        json_content(d, "application/json", r->input);
    else
        json_key(j, "content"), json_raw(j, "{\"*/*\":{\"schema\":{}}}");
    json_close(j, '}');
}

static int success(const struct route *r)
{
    return r->status ? r->status : r->output || r->flags & (ROUTE_FILE | ROUTE_STREAM) ? 200 : 204;
}

static void answer(struct document *d, const struct route *r)
{
    struct json *j = d->j;

    json_key(j, arena_printf(d->cx->arena, "%d", success(r)));
    json_open(j, '{');
    json_member_text(j, "description", success(r) == 204 ? "Done" : r->help);
    if (r->output)
        json_content(d, "application/json", r->output);
    else if (r->flags & ROUTE_STREAM)
        json_key(j, "content"),
            json_raw(j, "{\"text/event-stream\":{\"schema\":{\"type\":\"string\"}}}");
    else if (r->flags & ROUTE_FILE)
        json_key(j, "content"), json_raw(j, "{\"*/*\":{\"schema\":{}}}");
    json_close(j, '}');
}

static void responses(struct document *d, const struct route *r)
{
    struct json *j = d->j;

    json_key(j, "responses");
    json_open(j, '{');
    answer(d, r);
    if (d->process && strstr(r->path, "{number}"))
        json_key(j, "308"), json_raw(j, "{\"$ref\":\"#/components/responses/Moved\"}");
    json_key(j, "4XX"), json_raw(j, "{\"$ref\":\"#/components/responses/Problem\"}");
    json_key(j, "5XX"), json_raw(j, "{\"$ref\":\"#/components/responses/Problem\"}");
    json_close(j, '}');
}

/* ---- operations ----------------------------------------------------------------------------- */

static void operation(struct document *d, const struct route *r, const char *tag)
{
    struct json *j = d->j;
    struct arena *a = d->cx->arena;
    const struct process *p = d->process;

    json_key(j, str_lower_ascii(a, http_method_name(r->method)));
    json_open(j, '{');
    json_key(j, "operationId");
    json_text(j, p ? arena_printf(a, "%s_%s", r->name, p->name) : r->name);
    json_member_text(j, "summary", r->help);
    json_key(j, "tags");
    json_open(j, '['), json_text(j, p ? p->name : tag), json_close(j, ']');
    if (str_equal(r->allow, ALLOW_PUBLIC))
        json_key(j, "security"), json_raw(j, "[]");
    else if (!str_equal(r->allow, ALLOW_USER))
        json_member_text(j, "description", arena_printf(a, "Needs the right `%s`.", r->allow));
    parameters(d, r);
    request_body(d, r);
    responses(d, r);
    json_close(j, '}');
}

static const char *tag_of(const struct route *const *routes, int i)
{
    while (i > 0 && !routes[i]->tag)
        i--;
    return routes[i]->tag;
}

static bool is_shown(const struct route *r)
{
    return !(r->flags & ROUTE_HIDDEN);
}

/* All methods of the path of row i, unless an earlier row wrote them already. */
static void path_item(struct document *d, const struct route *const *routes, int count, int i,
                      const char *path)
{
    for (int before = 0; before < i; before++) {
        if (is_shown(routes[before]) && str_equal(routes[before]->path, routes[i]->path))
            return;
    }
    json_key(d->j, path);
    json_open(d->j, '{');
    for (int k = i; k < count; k++) {
        if (is_shown(routes[k]) && str_equal(routes[k]->path, routes[i]->path))
            operation(d, routes[k], tag_of(routes, k));
    }
    json_close(d->j, '}');
}

static bool is_of_process(const char *path)
{
    return strstr(path, "{process}") != NULL;
}

static const char *path_for(struct arena *a, const char *path, const struct process *p)
{
    const char *at = strstr(path, "{process}");
    return arena_printf(a, "%.*s%s%s", (int)(at - path), path, p->name, at + strlen("{process}"));
}

static void paths(struct document *d)
{
    int count;
    const struct route *const *routes = route_all(&count);
    const struct defs *defs = d->cx->defs;

    json_key(d->j, "paths");
    json_open(d->j, '{');
    for (int i = 0; i < count; i++) {
        if (is_shown(routes[i]) && !is_of_process(routes[i]->path))
            path_item(d, routes, count, i, routes[i]->path);
    }
    for (int p = 0; p < defs->process_count; p++) {
        d->process = &defs->processes[p];
        for (int i = 0; i < count; i++) {
            if (is_shown(routes[i]) && is_of_process(routes[i]->path))
                path_item(d, routes, count, i, path_for(d->cx->arena, routes[i]->path, d->process));
        }
    }
    d->process = NULL;
    json_close(d->j, '}');
}

/* ---- the document --------------------------------------------------------------------------- */

static const char description[] =
    "Whatever the console does, this API does, with the same checks.\n\n"
    "Ids are texts. Instants are RFC 3339 in UTC. In a change, a member that is absent stays as it "
    "is and null empties it; members that are not known are refused. Changes of records need "
    "`If-Match`. Failures are `application/problem+json` (RFC 9457) with a stable `code`. Lists go "
    "on with `cursor`. A browser sends its session's cookie and, with whatever changes something, "
    "the header `X-CSRF-Token`.";

static const char problem_schema[] =
    "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\"],\"properties\":{"
    "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},"
    "\"code\":{\"type\":\"string\",\"description\":\"Stable; programs may rely on it. Absent "
    "when the request did not get as far as the API\"},"
    "\"detail\":{\"type\":\"string\"},\"request_id\":{\"type\":\"string\"},"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"code\"],"
    "\"properties\":{"
    "\"pointer\":{\"type\":\"string\",\"description\":\"JSON pointer into the body\"},"
    "\"parameter\":{\"type\":\"string\",\"description\":\"Or the query parameter at fault\"},"
    "\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"},"
    "\"current\":{\"description\":\"Of a stale change: what the field is now\"},"
    "\"yours\":{\"description\":\"Of a stale change: what was to be put there\"}}}}}}";

static const char problem_response[] =
    "{\"description\":\"It was not done\",\"content\":{\"application/problem+json\":"
    "{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}";

static const char moved_response[] =
    "{\"description\":\"The record has another process, so another address\",\"headers\":"
    "{\"Location\":{\"schema\":{\"type\":\"string\"}}},\"content\":{\"application/problem+json\":"
    "{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}";

static void info(struct json *j)
{
    json_key(j, "info");
    json_open(j, '{');
    json_member_text(j, "title", "fettle");
    json_member_text(j, "version", FETTLE_VERSION);
    json_member_text(j, "summary", "IT service management");
    json_member_text(j, "description", description);
    json_key(j, "license");
    json_raw(j, "{\"name\":\"Apache 2.0\",\"identifier\":\"Apache-2.0\"}");
    json_close(j, '}');
}

static void tag(struct json *j, const char *name, const char *help)
{
    json_open(j, '{');
    json_member_text(j, "name", name);
    json_member_text(j, "description", help);
    json_close(j, '}');
}

static void tags(struct ctx *cx, struct json *j)
{
    json_key(j, "tags");
    json_open(j, '[');
    tag(j, "Session", "Who is signed in");
    tag(j, "People", "People, groups, organisations, roles, tokens");
    tag(j, "Records", "Records of all processes");
    tag(j, "Events", "What happened");
    tag(j, "Processes", "Definitions");
    tag(j, "System", "The server itself");
    for (int i = 0; i < cx->defs->process_count; i++) {
        const struct process *p = &cx->defs->processes[i];
        tag(j, p->name, label_for(p->purpose, NULL, p->name));
    }
    json_close(j, ']');
}

static void components(struct document *d)
{
    struct json *j = d->j;

    json_key(j, "components");
    json_open(j, '{');
    json_key(j, "securitySchemes");
    json_raw(j, "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\","
                "\"name\":\"__Host-fettle_session\"}}");
    json_key(j, "responses");
    json_open(j, '{');
    json_key(j, "Problem"), json_raw(j, problem_response);
    json_key(j, "Moved"), json_raw(j, moved_response);
    json_close(j, '}');
    json_key(j, "schemas");
    json_open(j, '{');
    json_key(j, "Problem"), json_raw(j, problem_schema);
    schema_components(d);
    json_close(j, '}');
    json_close(j, '}');
}

static void make(struct ctx *cx, const char *base_url, struct buf *out)
{
    struct json j = {.out = out};
    struct document d = {.cx = cx, .j = &j};

    json_open(&j, '{');
    json_member_text(&j, "openapi", "3.1.0");
    info(&j);
    json_key(&j, "servers");
    json_open(&j, '['), json_open(&j, '{');
    json_member_text(&j, "url", base_url);
    json_close(&j, '}'), json_close(&j, ']');
    json_key(&j, "security"), json_raw(&j, "[{\"token\":[]},{\"session\":[]}]");
    tags(cx, &j);
    paths(&d);
    components(&d);
    json_close(&j, '}');
}

/* ---- kept until the definitions change ------------------------------------------------------ */

struct openapi {
    pthread_mutex_t lock;
    struct arena *arena; /* of key and text */
    const char *key;     /* the versions that it was made for; NULL: not made yet */
    struct buf text;
};

struct openapi *openapi_create(struct arena *a)
{
    struct openapi *o = arena_alloc(a, sizeof(*o));

    pthread_mutex_init(&o->lock, NULL);
    o->arena = arena_create();
    return o;
}

void openapi_destroy(struct openapi *o)
{
    if (!o)
        return;
    arena_destroy(o->arena);
    pthread_mutex_destroy(&o->lock);
}

static const char *versions(struct ctx *cx)
{
    struct buf b = {.arena = cx->arena};

    for (int i = 0; i < cx->defs->process_count; i++)
        buf_printf(&b, "%lld ", (long long)cx->defs->processes[i].version_id);
    return buf_text(&b);
}

static void remember(struct openapi *o, const char *key, const struct buf *text)
{
    arena_reset(o->arena);
    o->key = arena_strdup(o->arena, key);
    o->text = (struct buf){.arena = o->arena};
    buf_add(&o->text, text->at, text->len);
}

void openapi_write(struct ctx *cx, struct openapi *o, const char *base_url, struct buf *out)
{
    const char *key = versions(cx);

    pthread_mutex_lock(&o->lock);
    if (!o->key || !str_equal(o->key, key)) {
        struct buf text = {.arena = cx->arena};
        make(cx, base_url, &text);
        remember(o, key, &text);
    }
    buf_add(out, o->text.at, o->text.len);
    pthread_mutex_unlock(&o->lock);
}
