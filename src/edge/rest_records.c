/* Records: list, create, read, edit. */
#include <string.h>
#include <strings.h>

#include "auth/auth.h"
#include "base/str.h"
#include "edge/rest.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "lang/process.h"

/* ---- what the handlers about records share -------------------------------------------------- */

const char *rest_address(struct ctx *cx, const struct rec *r)
{
    return arena_printf(cx->arena, "/api/v1/%s/%s", r->process->name, r->number);
}

static enum rc moved(struct ctx *cx, struct call *c, const struct rec *r)
{
    const char *path = c->request->path + strlen("/api/v1/");

    path += strcspn(path, "/") + 1;
    path += strcspn(path, "/");
    response_header(c->response, cx->arena, "Location",
                    arena_printf(cx->arena, "%s%s", rest_address(cx, r), path));
    fail(cx, E_NOT_FOUND, NULL, "this is %s %s", r->process->name, r->number);
    cx->err.code = "moved";
    return E_NOT_FOUND;
}

enum rc rest_record(struct ctx *cx, struct call *c, struct rec *ret)
{
    const char *number = request_param(c->request, "number");
    struct rec r;

    TRY(rec_load(cx, number, &r));
    if (!str_equal(request_param(c->request, "process"), r.process->name))
        return moved(cx, c, &r);
    if (strcasecmp(number, r.number) != 0)
        response_header(c->response, cx->arena, "Content-Location", rest_address(cx, &r));
    *ret = r;
    return OK;
}

static enum rc show_current(struct ctx *cx, struct call *c, int64_t id, enum rc rc)
{
    struct ctx reader = *cx;
    struct rec *r = arena_alloc(cx->arena, sizeof(*r));

    if (rc == E_STALE && rec_load_id(&reader, id, r) == OK)
        c->current = r;
    return rc;
}

enum rc rest_change(struct ctx *cx, struct call *c, struct change *change, struct outcome *ret)
{
    struct rec before;

    TRY(rest_record(cx, c, &before));
    change->id = before.id;
    change->revision = c->if_match;
    const enum rc rc = rec_do(cx, change, ret);
    return show_current(cx, c, before.id, rc);
}

static void add_etag(struct ctx *cx, struct call *c, const struct rec *r)
{
    response_header(c->response, cx->arena, "ETag",
                    arena_printf(cx->arena, "\"%lld\"", (long long)r->revision));
}

/* What one changed may be out of one's sight now; the number is known to who did it. */
static void write_number(struct call *c, const struct rec *r)
{
    json_open(&c->json, '{');
    json_member_text(&c->json, "number", r->number);
    json_member_text(&c->json, "process", r->process->name);
    json_close(&c->json, '}');
}

void rest_reply(struct ctx *cx, struct call *c, const struct rec *r)
{
    if (!auth_holds(cx, &r->subject, RIGHT_VIEW)) {
        write_number(c, r);
        return;
    }
    add_etag(cx, c, r);
    view_record(cx, &c->json, r, request_query(c->request, "fields"));
}

/* ---- lists ---------------------------------------------------------------------------------- */

const struct shape rest_list_query[] = {
    {"q", SHAPE_TEXT, .most = 4096, .help = "Filter in the expression language, or words to find"},
    {"sort", SHAPE_TEXT, .help = "Fields by comma, a minus sign before descending ones"},
    {"limit", SHAPE_INT, .least = 1, .most = 500, .help = "Records on a page; 50 unless given"},
    {"cursor", SHAPE_TEXT, .help = "next_cursor of the page before"},
    {"count", SHAPE_TEXT, .choices = "none capped",
     .help = "capped: count matches, up to 10000; costs time"},
    {"fields", SHAPE_TEXT, .is_list = true, .help = "Only these fields"},
    {0},
};

const struct shape rest_list_output[] = {
    {"data", SHAPE_RECORD, .is_list = true, .is_required = true},
    {"page", SHAPE_OBJECT, .of = view_page_shape, .schema = "Page", .is_required = true},
    {"count", SHAPE_INT},
    {"count_is_capped", SHAPE_FLAG, .help = "There are more than were counted"},
    {0},
};

enum rc rest_list(struct ctx *cx, struct call *c, const char *process, const char *sort)
{
    const struct request *rq = c->request;
    const struct list_query q = {
        .process = process,
        .filter = request_query(rq, "q"),
        .sort = sort,
        .cursor = request_query(rq, "cursor"),
        .limit = (int)query_int(rq, "limit", 50),
        .count_to = query_has(rq, "count", "capped") ? COUNT_TO : 0,
    };
    struct list_page page;

    TRY(rec_list(cx, &q, &page));
    view_data_begin(c);
    for (int i = 0; i < page.records.count; i++)
        view_record(cx, &c->json, (const struct rec *)page.records.at + i,
                    request_query(rq, "fields"));
    view_page_end_counted(cx, c, page.next_cursor, page.count, COUNT_TO);
    return OK;
}

static enum rc list_records(struct ctx *cx, struct call *c)
{
    return rest_list(cx, c, request_param(c->request, "process"),
                     request_query(c->request, "sort"));
}

static enum rc list_all(struct ctx *cx, struct call *c)
{
    return rest_list(cx, c, NULL, request_query(c->request, "sort"));
}

static const struct shape search_query[] = {
    {"q", SHAPE_TEXT, .most = 4096, .is_required = true, .help = "Words to find, and conditions"},
    {"process", SHAPE_TEXT, .help = "Only records of this process"},
    {"limit", SHAPE_INT, .least = 1, .most = 100},
    {"cursor", SHAPE_TEXT},
    {"fields", SHAPE_TEXT, .is_list = true, .help = "Only these fields"},
    {0},
};

static enum rc search(struct ctx *cx, struct call *c)
{
    return rest_list(cx, c, request_query(c->request, "process"), "relevance");
}

/* ---- one record ----------------------------------------------------------------------------- */

const struct shape rest_record_output[] = {{.kind = SHAPE_RECORD}, {0}};
static const struct shape create_input[] = {{.kind = SHAPE_CREATE}, {0}};
static const struct shape edit_input[] = {{.kind = SHAPE_INPUT}, {0}};

static enum rc create_record(struct ctx *cx, struct call *c)
{
    const struct change change = {
        .kind = CHANGE_CREATE,
        .process = request_param(c->request, "process"),
        .input = c->body,
    };
    struct outcome out;

    TRY(rec_do(cx, &change, &out));
    response_header(c->response, cx->arena, "Location", rest_address(cx, &out.rec));
    rest_reply(cx, c, &out.rec);
    return OK;
}

static const struct shape read_query[] = {
    {"fields", SHAPE_TEXT, .is_list = true, .help = "Only these fields"},
    {"include", SHAPE_TEXT, .is_list = true, .help = "actions: what can be done with it now"},
    {"as_of", SHAPE_ID, .help = "Id of one of its events: the record as it was after that"},
    {0},
};

static enum rc write_actions(struct ctx *cx, struct call *c, const struct rec *r)
{
    struct list offers;

    TRY(rec_offers(cx, r, &offers));
    json_key(&c->json, "actions");
    view_offers(cx, &c->json, r, &offers);
    return OK;
}

static enum rc read_record(struct ctx *cx, struct call *c)
{
    const int64_t as_of = query_int(c->request, "as_of", 0);
    struct rec r, then;

    TRY(rest_record(cx, c, &r));
    if (as_of) {
        TRY(rec_as_of(cx, &r, as_of, &then));
        view_record(cx, &c->json, &then, request_query(c->request, "fields"));
        return OK;
    }
    add_etag(cx, c, &r);
    json_open(&c->json, '{');
    view_record_members(cx, &c->json, &r, request_query(c->request, "fields"));
    if (query_has(c->request, "include", "actions"))
        TRY(write_actions(cx, c, &r));
    json_close(&c->json, '}');
    return OK;
}

/* RFC 7396: what is not named stays, null empties. */
static enum rc edit_record(struct ctx *cx, struct call *c)
{
    struct change change = {.kind = CHANGE_EDIT, .input = c->body};
    struct outcome out;

    TRY(rest_change(cx, c, &change, &out));
    rest_reply(cx, c, &out.rec);
    return OK;
}

/* ---- counts --------------------------------------------------------------------------------- */

static const struct shape tally_query[] = {
    {"process", SHAPE_TEXT, .is_required = true},
    {0},
};

static const struct shape tally_shape[] = {
    {"state", SHAPE_TEXT, .is_required = true},
    {"status", SHAPE_TEXT, .choices = "new open pending resolved closed cancelled",
     .is_required = true},
    {"group", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true,
     .is_nullable = true},
    {"priority", SHAPE_TEXT, .is_required = true, .is_nullable = true},
    {"count", SHAPE_INT, .is_required = true},
    {0},
};

static const struct shape tally_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = tally_shape, .is_required = true},
    {0},
};

static const char *priority_name(const struct process *p, int64_t rank)
{
    const struct choice *choice = p ? p->fields[FIELD_PRIORITY].choices : NULL;

    for (int64_t i = 1; choice && choice->name; choice++, i++) {
        if (i == rank)
            return choice->name;
    }
    return NULL;
}

static void write_tally(struct ctx *cx, struct json *j, const struct tally *t)
{
    json_open(j, '{');
    json_member_text(j, "state", t->state);
    json_member_text(j, "status", status_name(t->status));
    json_key(j, "group");
    view_group(cx, j, t->group_id);
    json_key(j, "priority");
    json_text(j, priority_name(defs_process(cx->defs, t->process), t->priority));
    json_member_int(j, "count", t->n);
    json_close(j, '}');
}

static enum rc tally(struct ctx *cx, struct call *c)
{
    struct list tallies;

    TRY(rec_tally(cx, request_query(c->request, "process"), &tallies));
    view_data_begin(c);
    for (int i = 0; i < tallies.count; i++)
        write_tally(cx, &c->json, (const struct tally *)tallies.at + i);
    view_data_end(c);
    return OK;
}

const struct route record_routes[] = {
    {HTTP_GET_, "/api/v1/records", ALLOW_USER, list_all, "listAllRecords",
     "Records of all processes that one may see", rest_list_query, NULL, rest_list_output,
     .tag = "Records"},
    {HTTP_GET_, "/api/v1/search", ALLOW_USER, search, "search",
     "The most relevant of the newest records that match", search_query, NULL, rest_list_output},
    {HTTP_GET_, "/api/v1/tally", ALLOW_USER, tally, "tally",
     "How many records there are by state, group and priority", tally_query, NULL, tally_output},
    {HTTP_GET_, "/api/v1/{process}", ALLOW_USER, list_records, "listRecords",
     "Records of this process that one may see", rest_list_query, NULL, rest_list_output},
    {HTTP_POST_, "/api/v1/{process}", ALLOW_USER, create_record, "createRecord", "A new record",
     NULL, create_input, rest_record_output, 201, ROUTE_IDEMPOTENT},
    {HTTP_GET_, "/api/v1/{process}/{number}", ALLOW_USER, read_record, "readRecord",
     "A record by its number, or any number that it had elsewhere or before", read_query, NULL,
     rest_record_output},
    {HTTP_PATCH_, "/api/v1/{process}/{number}", ALLOW_USER, edit_record, "editRecord",
     "Change fields within the rules of the record's state (JSON merge patch)", NULL, edit_input,
     rest_record_output, 200, ROUTE_IF_MATCH | ROUTE_IDEMPOTENT},
    {0},
};
