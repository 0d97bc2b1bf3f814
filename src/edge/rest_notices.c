/* What one is told. */
#include "auth/auth.h"
#include "base/str.h"
#include "edge/server.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "rec/notice.h"

static const struct shape notices_query[] = {
    {"unread", SHAPE_FLAG, .help = "Only those not read yet"},
    {"limit", SHAPE_INT, .least = 1, .most = 100, .help = "On a page; 20 unless given"},
    {"cursor", SHAPE_ID, .help = "next_cursor of the page before"},
    {0},
};

static const struct shape notice_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"number", SHAPE_TEXT, .is_required = true},
    {"process", SHAPE_TEXT, .is_required = true},
    {"event", SHAPE_ID, .is_required = true},
    {"subject", SHAPE_TEXT, .is_required = true},
    {"body", SHAPE_TEXT, .is_required = true, .help = "Markdown"},
    {"created", SHAPE_INSTANT, .is_required = true},
    {"read", SHAPE_INSTANT, .is_required = true, .is_nullable = true},
    {0},
};

static const struct shape notices_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = notice_shape, .schema = "Notice",
     .is_required = true},
    {"page", SHAPE_OBJECT, .of = view_page_shape, .schema = "Page", .is_required = true},
    {0},
};

static void write_notice(struct json *j, const struct notice *n, const struct notice_text *text)
{
    json_open(j, '{');
    view_member_id(j, "id", n->id);
    json_member_text(j, "number", text->rec.number);
    json_member_text(j, "process", text->rec.process->name);
    view_member_id(j, "event", n->event_id);
    json_member_text(j, "subject", text->subject);
    json_member_text(j, "body", text->body);
    view_member_instant(j, "created", n->created_at);
    view_member_instant(j, "read", n->read_at);
    json_close(j, '}');
}

static struct notice_style style(struct ctx *cx, const struct server *s)
{
    return (struct notice_style){
        .base_url = s->base_url,
        .time_zone = cx->user->time_zone ? cx->user->time_zone
                                         : settings_text(s->settings, SETTING_TIME_ZONE),
    };
}

static enum rc list_notices(struct ctx *cx, struct call *c)
{
    const int limit = (int)query_int(c->request, "limit", 20);
    const struct notice_style s = style(cx, c->server);
    const char *next = NULL;
    struct list notices;

    TRY(notice_list(cx, query_int(c->request, "cursor", 0), limit + 1,
                    query_flag(c->request, "unread"), &notices));
    view_data_begin(c);
    for (int i = 0; i < notices.count && i < limit; i++) {
        const struct notice *n = (const struct notice *)notices.at + i;
        struct notice_text text;
        const enum rc rc = notice_render(cx, n, &s, &text);
        if (rc == OK)
            write_notice(&c->json, n, &text);
        else if (rc != E_NOT_FOUND)
            return rc;
        fail_clear(cx);
        next = arena_printf(cx->arena, "%lld", (long long)n->id);
    }
    view_page_end(cx, c, notices.count > limit ? next : NULL);
    return OK;
}

static const struct shape count_output[] = {
    {"unread", SHAPE_INT, .is_required = true},
    {0},
};

static enum rc count_notices(struct ctx *cx, struct call *c)
{
    int64_t n;

    TRY(notice_count_unread(cx, &n));
    json_open(&c->json, '{');
    json_member_int(&c->json, "unread", n);
    json_close(&c->json, '}');
    return OK;
}

static enum rc read_one(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return notice_read(cx, id);
}

static const struct shape read_input[] = {
    {"up_to", SHAPE_ID, .is_required = true, .help = "This one and all before it"},
    {0},
};

static enum rc read_all(struct ctx *cx, struct call *c)
{
    return notice_read_up_to(cx, body_id(c, "up_to"));
}

const struct route notice_routes[] = {
    {HTTP_GET_, "/api/v1/me/notices", ALLOW_USER, list_notices, "listNotices",
     "What one was told, newest first", notices_query, NULL, notices_output, .tag = "Session"},
    {HTTP_GET_, "/api/v1/me/notices/count", ALLOW_USER, count_notices, "countNotices",
     "How many notices one has not read", NULL, NULL, count_output},
    {HTTP_POST_, "/api/v1/me/notices/read", ALLOW_USER, read_all, "readNotices",
     "Mark notices as read", NULL, read_input},
    {HTTP_POST_, "/api/v1/me/notices/{id}/read", ALLOW_USER, read_one, "readNotice",
     "Mark one notice as read"},
    {0},
};
