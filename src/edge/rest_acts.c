/* What is done with records: actions, replies, notes; and the same for many at once. */
#include <string.h>

#include "auth/auth.h"
#include "base/str.h"
#include "db/db.h"
#include "edge/problem.h"
#include "edge/rest.h"
#include "edge/shape.h"
#include "edge/view.h"

/* ---- actions -------------------------------------------------------------------------------- */

static const struct shape offers_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = view_offer_shape, .schema = "Offer",
     .is_required = true},
    {0},
};

static enum rc list_actions(struct ctx *cx, struct call *c)
{
    struct rec r;
    struct list offers;

    TRY(rest_record(cx, c, &r));
    TRY(rec_offers(cx, &r, &offers));
    json_open(&c->json, '{');
    json_key(&c->json, "data");
    view_offers(cx, &c->json, &r, &offers);
    json_close(&c->json, '}');
    return OK;
}

static const struct shape act_input[] = {{.kind = SHAPE_INPUT}, {0}};

static enum rc act(struct ctx *cx, struct call *c)
{
    struct change change = {
        .kind = CHANGE_ACTION,
        .action = request_param(c->request, "action"),
        .input = c->body,
    };
    struct outcome out;

    TRY(rest_change(cx, c, &change, &out));
    rest_reply(cx, c, &out.rec);
    return OK;
}

/* ---- replies and notes ---------------------------------------------------------------------- */

static const struct shape text_input[] = {
    {"text", SHAPE_TEXT, .most = 65536, .is_required = true, .help = "Markdown"},
    {0},
};

static enum rc write_text(struct ctx *cx, struct call *c, enum change_kind kind)
{
    struct change change = {.kind = kind, .text = body_text(c, "text")};
    struct outcome out;

    TRY(rest_change(cx, c, &change, &out));
    rest_reply(cx, c, &out.rec);
    return OK;
}

static enum rc reply(struct ctx *cx, struct call *c)
{
    return write_text(cx, c, CHANGE_REPLY);
}

static enum rc note(struct ctx *cx, struct call *c)
{
    return write_text(cx, c, CHANGE_NOTE);
}

/* ---- conversion ----------------------------------------------------------------------------- */

static const struct shape convert_input[] = {
    {"process", SHAPE_TEXT, .most = 100, .is_required = true, .help = "What it really is"},
    {"state", SHAPE_TEXT, .most = 100, .is_nullable = true,
     .help = "State of that process; needed when somebody worked on the record already"},
    {"input", SHAPE_INPUT, .help = "Fields of that process, beside those that both have"},
    {0},
};

/* The fields lie one level down in the body. */
static void point_into_input(struct ctx *cx)
{
    struct problem *problems = cx->err.problems.at;

    for (int i = 0; i < cx->err.problems.count; i++)
        problems[i].field = arena_printf(cx->arena, "input.%s", problems[i].field);
}

static enum rc convert(struct ctx *cx, struct call *c)
{
    const struct val *input = val_get(&c->body, "input");
    struct change change = {
        .kind = CHANGE_CONVERT,
        .process = body_text(c, "process"),
        .to_state = body_text(c, "state"),
        .input = input ? *input : val_null(),
    };
    struct outcome out;
    const enum rc rc = rest_change(cx, c, &change, &out);

    if (rc != OK) {
        point_into_input(cx);
        return rc;
    }
    response_header(c->response, cx->arena, "Location", rest_address(cx, &out.rec));
    rest_reply(cx, c, &out.rec);
    return OK;
}

/* ---- many at once --------------------------------------------------------------------------- */

#define MAX_BULK 500

static const struct shape bulk_input[] = {
    {"process", SHAPE_TEXT, .most = 100, .is_required = true},
    {"numbers", SHAPE_TEXT, .is_list = true, .most = MAX_BULK, .help = "These records, or"},
    {"q", SHAPE_TEXT, .most = 4096, .help = "those that match; more than 500 are refused"},
    {"action", SHAPE_TEXT, .most = 100, .is_nullable = true,
     .help = "What to do; without it the fields of input are changed"},
    {"input", SHAPE_INPUT, .help = "Fields, as for the action or a change of one record"},
    {"atomic", SHAPE_FLAG, .help = "All or none"},
    {0},
};

static const struct shape bulk_item[] = {
    {"number", SHAPE_TEXT, .is_required = true},
    {"status", SHAPE_INT, .is_required = true, .help = "As if it had been asked alone"},
    {"revision", SHAPE_INT},
    {"code", SHAPE_TEXT},
    {"detail", SHAPE_TEXT},
    {0},
};

static const struct shape bulk_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = bulk_item, .is_required = true},
    {"succeeded", SHAPE_INT, .is_required = true},
    {"failed", SHAPE_INT, .is_required = true},
    {0},
};

struct item {
    const char *number;
    int status; /* 200, or of the problem */
    int64_t revision;
    const char *code, *detail;
};

struct bulk {
    struct call *c;
    const char *process;
    struct change change; /* but whose */
    struct list items;    /* of struct item */
    int failed;
};

static void add_item(struct ctx *cx, struct bulk *b, const char *number)
{
    struct item *item = list_add(cx->arena, &b->items, sizeof(*item));
    item->number = number;
}

static enum rc take_matches(struct ctx *cx, struct bulk *b)
{
    const struct list_query q = {
        .process = b->process, .filter = body_text(b->c, "q"), .limit = MAX_BULK};
    struct list_page page;

    TRY(rec_list(cx, &q, &page));
    if (page.next_cursor)
        return fail(cx, E_INVALID, "q", "more than %d records match; narrow it down", MAX_BULK);
    for (int i = 0; i < page.records.count; i++)
        add_item(cx, b, ((const struct rec *)page.records.at)[i].number);
    return OK;
}

static enum rc take_items(struct ctx *cx, struct bulk *b)
{
    const struct val *numbers = val_get(&b->c->body, "numbers");

    if (!numbers == !body_text(b->c, "q")) {
        problem(cx, "numbers", "required", "say either numbers or q");
        return problems_rc(cx);
    }
    for (int i = 0; numbers && i < numbers->count; i++)
        add_item(cx, b, numbers->items[i].text);
    return numbers ? OK : take_matches(cx, b);
}

static enum rc do_one(struct ctx *cx, struct bulk *b, struct item *item)
{
    struct change change = b->change;
    struct outcome out;
    struct rec r;

    TRY(rec_load(cx, item->number, &r));
    if (!str_equal(r.process->name, b->process))
        return fail(cx, E_NOT_FOUND, NULL, "%s is no %s", item->number, b->process);
    change.id = r.id;
    TRY(rec_do(cx, &change, &out));
    *item = (struct item){.number = out.rec.number, .status = 200, .revision = out.rec.revision};
    return OK;
}

/* What goes wrong with one is said of that one; what is wrong with the server ends it all. */
static enum rc do_all(struct ctx *cx, void *arg)
{
    struct bulk *b = arg;

    b->failed = 0;
    for (int i = 0; i < b->items.count; i++) {
        struct item *item = (struct item *)b->items.at + i;
        const enum rc rc = do_one(cx, b, item);
        if (rc == E_BUSY || rc == E_FAIL)
            return rc;
        if (rc == OK)
            continue;
        item->status = problem_status(cx, rc);
        item->code = cx->err.code ? cx->err.code : rc_name(rc);
        item->detail = cx->err.text;
        b->failed++;
        fail_clear(cx);
    }
    return OK;
}

static enum rc do_atomic(struct ctx *cx, void *arg)
{
    struct bulk *b = arg;

    TRY(do_all(cx, b));
    if (!b->failed)
        return OK;
    for (int i = 0; i < b->items.count; i++) {
        const struct item *item = (const struct item *)b->items.at + i;
        if (item->status != 200)
            problem(cx, arena_printf(cx->arena, "numbers.%d", i), item->code, "%s: %s",
                    item->number, item->detail);
    }
    return fail(cx, E_CONFLICT, NULL, "nothing was changed, for %d of %d could not be", b->failed,
                b->items.count);
}

static void write_item(struct json *j, const struct item *item)
{
    json_open(j, '{');
    json_member_text(j, "number", item->number);
    json_member_int(j, "status", item->status);
    if (item->revision)
        json_member_int(j, "revision", item->revision);
    json_member_text(j, "code", item->code);
    json_member_text(j, "detail", item->detail);
    json_close(j, '}');
}

static void write_bulk(struct call *c, const struct bulk *b)
{
    json_open(&c->json, '{');
    json_key(&c->json, "data");
    json_open(&c->json, '[');
    for (int i = 0; i < b->items.count; i++)
        write_item(&c->json, (const struct item *)b->items.at + i);
    json_close(&c->json, ']');
    json_member_int(&c->json, "succeeded", b->items.count - b->failed);
    json_member_int(&c->json, "failed", b->failed);
    json_close(&c->json, '}');
}

static enum rc bulk(struct ctx *cx, struct call *c)
{
    const char *action = body_text(c, "action");
    const struct val *input = val_get(&c->body, "input");
    struct bulk b = {
        .c = c,
        .process = body_text(c, "process"),
        .change = {.kind = action ? CHANGE_ACTION : CHANGE_EDIT,
                   .action = action,
                   .input = input ? *input : val_null()},
    };

    TRY(take_items(cx, &b));
    TRY(body_flag(c, "atomic") ? db_tx(cx, do_atomic, &b) : do_all(cx, &b));
    write_bulk(c, &b);
    return OK;
}

static const struct shape converted_output[] = {{.kind = SHAPE_ANY_RECORD}, {0}};

const struct route act_routes[] = {
    {HTTP_GET_, "/api/v1/{process}/{number}/actions", ALLOW_USER, list_actions, "listActions",
     "What one could do with the record now, and what that asks", NULL, NULL, offers_output,
     .tag = "Records"},
    {HTTP_POST_, "/api/v1/{process}/{number}/actions/{action}", ALLOW_USER, act, "runAction",
     "Run an action", NULL, act_input, rest_record_output, 200, ROUTE_IF_MATCH | ROUTE_IDEMPOTENT},
    {HTTP_POST_, "/api/v1/{process}/{number}/replies", ALLOW_USER, reply, "reply",
     "Write to everybody who can see the record", NULL, text_input, rest_record_output, 201,
     ROUTE_IDEMPOTENT},
    {HTTP_POST_, "/api/v1/{process}/{number}/notes", ALLOW_USER, note, "addNote",
     "Write to those who see internals", NULL, text_input, rest_record_output, 201,
     ROUTE_IDEMPOTENT},
    {HTTP_POST_, "/api/v1/{process}/{number}/convert", ALLOW_USER, convert, "convertRecord",
     "Make it a record of another process; the number it had goes on answering", NULL,
     convert_input, converted_output, 200, ROUTE_IF_MATCH | ROUTE_IDEMPOTENT},
    {HTTP_POST_, "/api/v1/bulk", ALLOW_USER, bulk, "bulk",
     "The same action or change for up to 500 records, each with its own result", NULL, bulk_input,
     bulk_output},
    {0},
};
