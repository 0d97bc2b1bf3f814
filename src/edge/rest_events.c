/* What happens: the feed, by pages and live. */
#include "auth/auth.h"
#include "base/str.h"
#include "edge/hub.h"
#include "edge/server.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "rec/rec.h"

static const struct shape feed_query[] = {
    {"after", SHAPE_INT, .least = 0, .most = INT64_MAX, .help = "Id of the last event one knows"},
    {"limit", SHAPE_INT, .least = 1, .most = 500},
    {0},
};

static const struct shape feed_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = view_entry_shape, .schema = "Event",
     .is_required = true},
    {"after", SHAPE_TEXT, .is_required = true,
     .help = "Go on from here, even when data is empty: what lies before may not be seen"},
    {"has_more", SHAPE_FLAG, .is_required = true},
    {0},
};

static enum rc read_feed(struct ctx *cx, struct call *c)
{
    const int limit = (int)query_int(c->request, "limit", 100);
    const int64_t after = query_int(c->request, "after", 0);
    struct list entries;
    int64_t last, newest;

    TRY(rec_last_event(cx, &newest));
    TRY(rec_feed(cx, after, limit, &entries, &last));
    json_open(&c->json, '{');
    json_key(&c->json, "data");
    json_open(&c->json, '[');
    for (int i = 0; i < entries.count; i++)
        view_entry(cx, &c->json, (const struct entry *)entries.at + i);
    json_close(&c->json, ']');
    json_key(&c->json, "after");
    json_text(&c->json, arena_printf(cx->arena, "%lld", (long long)last));
    json_key(&c->json, "has_more");
    json_flag(&c->json, last < newest);
    json_close(&c->json, '}');
    return OK;
}

static const struct shape stream_query[] = {
    {"after", SHAPE_INT, .least = 0, .most = INT64_MAX,
     .help = "Id of the last event one knows; the header Last-Event-ID says the same"},
    {0},
};

/* From the event that the listener names, else from now on. */
static enum rc stream(struct ctx *cx, struct call *c)
{
    const char *named = request_header(c->request, "last-event-id");
    int64_t after = query_int(c->request, "after", -1), newest;

    if (named && (!str_to_int(named, &after) || after < 0))
        return fail(cx, E_INVALID, "Last-Event-ID", "Last-Event-ID is no id of an event");
    TRY(rec_last_event(cx, &newest));
    if (after < 0 || after > newest)
        after = newest;
    response_header(c->response, cx->arena, "X-Accel-Buffering", "no");
    return hub_listen(cx, c, after);
}

const struct route event_routes[] = {
    {HTTP_GET_, "/api/v1/events", ALLOW_USER, read_feed, "listEvents",
     "Everything that happened and that one may see, in the order of the commits", feed_query, NULL,
     feed_output, .tag = "Events"},
    {HTTP_GET_, "/api/v1/events/stream", ALLOW_USER, stream, "streamEvents",
     "The same, live, as server-sent events", stream_query, .flags = ROUTE_STREAM},
    {0},
};
