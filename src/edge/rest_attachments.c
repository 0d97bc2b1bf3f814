/* Attachments: sent as a body of their own, kept by content, handed out only to be saved. */
#include "auth/auth.h"
#include "base/secret.h"
#include "edge/rest.h"
#include "edge/shape.h"
#include "edge/upload.h"
#include "edge/view.h"

static const struct shape attachment_shape[] = {
    {"id", SHAPE_TEXT, .is_required = true},
    {"name", SHAPE_TEXT, .is_required = true},
    {"type", SHAPE_TEXT, .is_required = true, .help = "Media type, as its content says"},
    {"size", SHAPE_INT, .is_required = true, .help = "Bytes"},
    {"sha256", SHAPE_TEXT, .is_required = true},
    {"internal", SHAPE_FLAG, .is_required = true},
    {0},
};

static const struct shape attachments_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = attachment_shape, .schema = "Attachment",
     .is_required = true},
    {0},
};

static void write_attachment(struct json *j, const struct attachment *a)
{
    json_open(j, '{');
    json_member_text(j, "id", a->public_id);
    json_member_text(j, "name", a->name);
    json_member_text(j, "type", a->type);
    json_member_int(j, "size", a->size);
    json_member_text(j, "sha256", a->sha256);
    json_key(j, "internal"), json_flag(j, a->is_internal);
    json_close(j, '}');
}

static enum rc list_attachments(struct ctx *cx, struct call *c)
{
    struct rec r;
    struct list all;

    TRY(rest_record(cx, c, &r));
    TRY(rec_attachments(cx, &r, &all));
    view_data_begin(c);
    for (int i = 0; i < all.count; i++)
        write_attachment(&c->json, (const struct attachment *)all.at + i);
    view_data_end(c);
    return OK;
}

static const struct shape attach_query[] = {
    {"name", SHAPE_TEXT, .most = 1000, .help = "Of the file; or say it in Content-Disposition"},
    {"internal", SHAPE_FLAG, .help = "Only for those who see internals"},
    {0},
};

/* The right is asked before the file is kept, and again by the gate. */
static enum rc attach(struct ctx *cx, struct call *c)
{
    const struct request *rq = c->request;
    struct attachment a = {
        .public_id = random_token(cx->arena, 16),
        .sha256 = rq->spool_sha256,
        .size = rq->spool_len,
        .is_internal = query_flag(rq, "internal"),
    };
    struct change change = {.kind = CHANGE_ATTACH, .attachment = &a};
    struct outcome out;
    struct rec r;

    if (!rq->spool)
        return fail(cx, E_INVALID, NULL, "the body must be the file, and not be empty");
    TRY(rest_record(cx, c, &r));
    TRY(rec_check(cx, &r, RIGHT_ATTACH));
    if (a.is_internal)
        TRY(rec_check(cx, &r, RIGHT_INTERNAL));
    a.name = upload_name(rq);
    TRY(upload_type(cx, rq->spool, &a.type));
    TRY(upload_keep(cx, c));
    TRY(rest_change(cx, c, &change, &out));
    response_header(c->response, cx->arena, "Location",
                    arena_printf(cx->arena, "/api/v1/attachments/%s", a.public_id));
    write_attachment(&c->json, &a);
    return OK;
}

static enum rc download(struct ctx *cx, struct call *c)
{
    struct attachment a;
    struct rec r;

    TRY(rec_attachment(cx, request_param(c->request, "id"), &a, &r));
    response_header(c->response, cx->arena, "Content-Disposition",
                    upload_disposition(cx->arena, a.name));
    c->csp = "sandbox; default-src 'none'";
    c->response->type = a.type;
    c->response->file = upload_path(cx->arena, c->server, a.sha256);
    return OK;
}

static enum rc detach(struct ctx *cx, struct call *c)
{
    struct attachment a;
    struct rec r;
    struct outcome out;

    TRY(rec_attachment(cx, request_param(c->request, "id"), &a, &r));
    a.is_removed = true;
    const struct change change = {.kind = CHANGE_ATTACH, .id = r.id, .attachment = &a};
    return rec_do(cx, &change, &out);
}

const struct route attachment_routes[] = {
    {HTTP_GET_, "/api/v1/{process}/{number}/attachments", ALLOW_USER, list_attachments,
     "listAttachments", "The files of the record", NULL, NULL, attachments_output,
     .tag = "Records"},
    {HTTP_POST_, "/api/v1/{process}/{number}/attachments", ALLOW_USER, attach, "attach",
     "Attach a file: the body is the file itself", attach_query, NULL, attachment_shape, 201,
     ROUTE_UPLOAD},
    {HTTP_GET_, "/api/v1/attachments/{id}", ALLOW_USER, download, "readAttachment",
     "The file, to be saved", .flags = ROUTE_FILE},
    {HTTP_DELETE_, "/api/v1/attachments/{id}", ALLOW_USER, detach, "removeAttachment",
     "Remove a file from its record"},
    {0},
};
