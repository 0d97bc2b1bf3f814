/* IEEE XES (1849-2016) as a stream: traces hold attributes and events, events hold attributes. */
#include <string.h>

#include <expat.h>

#include "base/ctx.h"
#include "base/str.h"
#include "connect/gzip.h"
#include "connect/source.h"

#define MAX_DEPTH 32
#define MAX_VALUE 65536
#define MAX_ATTRIBUTES 500
#define MAX_PENDING                                                                                \
    (1 << 20) /* bytes of a tag, a comment: the parser holds them until their end                  \
               */

struct xes {
    struct ctx *cx;
    row_fn fn;
    void *arg;
    XML_Parser parser;
    int depth;
    int trace_depth, event_depth;   /* 0: not inside one */
    struct arena *trace, *event;    /* of what is under way */
    struct list of_trace, of_event; /* of struct attribute */
    int64_t line, fed;
    enum rc rc; /* why the parser was stopped */
};

static void stop(struct xes *x, enum rc rc)
{
    if (x->rc == OK)
        x->rc = rc;
    XML_StopParser(x->parser, XML_FALSE);
}

static void malformed(struct xes *x, const char *what)
{
    stop(x,
         fail(x->cx, E_MALFORMED, NULL, "line %lu: %s", XML_GetCurrentLineNumber(x->parser), what));
}

static bool is_attribute(const char *element)
{
    return str_in(element,
                  (const char *const[]){"string", "date", "int", "float", "boolean", "id", NULL});
}

static const char *find(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2) {
        if (str_equal(attributes[0], name))
            return attributes[1];
    }
    return NULL;
}

static void add_attribute(struct xes *x, struct arena *a, struct list *to, const char *prefix,
                          const char **attributes)
{
    const char *key = find(attributes, "key");
    const char *value = find(attributes, "value");

    if (!key || !value)
        return malformed(x, "an attribute without key or value");
    if (to->count >= MAX_ATTRIBUTES || strlen(value) > MAX_VALUE || strlen(key) > 200)
        return malformed(x, "too many or too long attributes");
    struct attribute *added = list_add(a, to, sizeof(*added));
    *added = (struct attribute){arena_printf(a, "%s%s", prefix, key), arena_strdup(a, value)};
}

static void on_start(void *arg, const char *element, const char **attributes)
{
    struct xes *x = arg;

    if (++x->depth > MAX_DEPTH)
        return malformed(x, "nested too deep");
    if (str_equal(element, "trace") && !x->trace_depth) {
        x->trace_depth = x->depth;
    } else if (str_equal(element, "event") && x->trace_depth && !x->event_depth) {
        x->event_depth = x->depth;
        x->line = (int64_t)XML_GetCurrentLineNumber(x->parser);
    } else if (x->event_depth && x->depth == x->event_depth + 1 && is_attribute(element)) {
        add_attribute(x, x->event, &x->of_event, "", attributes);
    } else if (x->trace_depth && x->depth == x->trace_depth + 1 && is_attribute(element)) {
        add_attribute(x, x->trace, &x->of_trace, "case:", attributes);
    }
}

static void give_row(struct xes *x)
{
    struct source_row row = {.line = x->line, .attributes = x->of_event};
    const struct attribute *of_trace = x->of_trace.at;

    for (int i = 0; i < x->of_trace.count; i++) {
        struct attribute *a = list_add(x->event, &row.attributes, sizeof(*a));
        *a = of_trace[i];
    }
    const enum rc rc = x->fn(x->cx, &row, x->arg);
    if (rc != OK)
        stop(x, rc);
    arena_reset(x->event);
    x->of_event = (struct list){0};
}

static void on_end(void *arg, const char *element)
{
    struct xes *x = arg;

    (void)element;
    if (x->event_depth == x->depth) {
        x->event_depth = 0;
        give_row(x);
    } else if (x->trace_depth == x->depth) {
        x->trace_depth = 0;
        arena_reset(x->trace);
        x->of_trace = (struct list){0};
    }
    x->depth--;
}

static void on_doctype(void *arg, const char *name, const char *system_id, const char *public_id,
                       int has_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_subset;
    malformed(arg, "a document type is not accepted");
}

static void destroy(void *arg)
{
    struct xes *x = arg;
    XML_ParserFree(x->parser);
    arena_destroy(x->trace);
    arena_destroy(x->event);
}

struct xes *xes_create(struct ctx *cx, row_fn fn, void *arg)
{
    struct xes *x = arena_alloc(cx->arena, sizeof(*x));

    *x = (struct xes){.cx = cx, .fn = fn, .arg = arg, .parser = XML_ParserCreate(NULL)};
    if (!x->parser)
        BUG("out of memory");
    x->trace = arena_create();
    x->event = arena_create();
    arena_defer(cx->arena, destroy, x);
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    return x;
}

static enum rc parse(struct xes *x, const char *bytes, size_t len, int is_last)
{
    x->fed += (int64_t)len;
    if (XML_Parse(x->parser, bytes, (int)len, is_last) == XML_STATUS_OK && x->rc == OK)
        return x->fed - XML_GetCurrentByteIndex(x->parser) < MAX_PENDING
                   ? OK
                   : fail(x->cx, E_MALFORMED, NULL, "line %lu: a tag without an end",
                          XML_GetCurrentLineNumber(x->parser));
    if (x->rc != OK)
        return x->rc;
    return fail(x->cx, E_MALFORMED, NULL, "line %lu: %s", XML_GetCurrentLineNumber(x->parser),
                XML_ErrorString(XML_GetErrorCode(x->parser)));
}

enum rc xes_add(struct xes *x, const char *bytes, size_t len)
{
    return parse(x, bytes, len, 0);
}

enum rc xes_finish(struct xes *x)
{
    return parse(x, "", 0, 1);
}

static enum rc add_piece(void *arg, const char *bytes, size_t len)
{
    return xes_add(arg, bytes, len);
}

enum rc xes_read(struct ctx *cx, const char *path, row_fn fn, void *arg,
                 struct source_progress *progress)
{
    struct xes *x = xes_create(cx, fn, arg);
    TRY(gzip_read(cx, path, add_piece, x, &progress->read, &progress->size));
    return xes_finish(x);
}
