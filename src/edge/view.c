#include "edge/view.h"

#include <string.h>

#include "auth/people.h"
#include "base/str.h"
#include "flow/flow.h"
#include "lang/process.h"

/* ---- ids and what is shown for them --------------------------------------------------------- */

void view_id(struct json *j, int64_t id)
{
    char digits[24];
    char *at = digits + sizeof(digits);

    if (!id) {
        json_none(j);
        return;
    }
    *--at = '\0';
    for (uint64_t n = (uint64_t)id; n; n /= 10)
        *--at = (char)('0' + n % 10);
    json_text(j, at);
}

void view_member_id(struct json *j, const char *name, int64_t id)
{
    json_key(j, name);
    view_id(j, id);
}

void view_member_instant(struct json *j, const char *name, int64_t at)
{
    json_key(j, name);
    if (at)
        json_instant(j, at);
    else
        json_none(j);
}

void view_member_text(struct json *j, const char *name, const char *s)
{
    json_key(j, name);
    json_text(j, s);
}

static void write_who(struct json *j, int64_t id, struct who who)
{
    json_open(j, '{');
    view_member_id(j, "id", id);
    json_member_text(j, "name", who.name);
    json_member_text(j, "login", who.login);
    json_close(j, '}');
}

void view_person(struct ctx *cx, struct json *j, int64_t id)
{
    if (id)
        write_who(j, id, person_who(cx, id));
    else
        json_none(j);
}

void view_group(struct ctx *cx, struct json *j, int64_t id)
{
    if (id)
        write_who(j, id, group_who(cx, id));
    else
        json_none(j);
}

void view_organisation(struct ctx *cx, struct json *j, int64_t id)
{
    if (id)
        write_who(j, id, organisation_who(cx, id));
    else
        json_none(j);
}

static void write_linked(struct json *j, const struct rec *r)
{
    json_open(j, '{');
    json_member_text(j, "number", r->number);
    json_member_text(j, "process", r->process->name);
    json_member_text(j, "title", r->slots[FIELD_TITLE].text);
    json_close(j, '}');
}

/* One that may not be seen is null; one that cannot be read is a failure that dispatch finds. */
void view_linked(struct ctx *cx, struct json *j, int64_t record_id)
{
    const struct ctx before = *cx;
    struct rec r;
    const enum rc rc = record_id ? rec_load_id(cx, record_id, &r) : E_NOT_FOUND;

    if (rc != E_FAIL && rc != E_BUSY)
        cx->err = before.err;
    if (rc == OK)
        write_linked(j, &r);
    else
        json_none(j);
}

/* ---- values of fields ----------------------------------------------------------------------- */

typedef void (*write_fn)(struct ctx *cx, struct json *j, int64_t id);

static const write_fn writers[TYPE_COUNT] = {
    [TYPE_PERSON] = view_person, [TYPE_PEOPLE] = view_person,
    [TYPE_GROUP] = view_group,   [TYPE_ORGANISATION] = view_organisation,
    [TYPE_LINK] = view_linked,   [TYPE_LINKS] = view_linked,
};

void view_value(struct ctx *cx, struct json *j, const struct field *f, struct val v)
{
    const write_fn write = writers[f->type];

    if (val_is_null(v)) {
        json_none(j);
    } else if (!write) {
        field_write(j, f, v);
    } else if (v.kind == VAL_INT) {
        write(cx, j, v.i);
    } else {
        json_open(j, '[');
        for (int i = 0; v.kind == VAL_LIST && i < v.count; i++)
            write(cx, j, v.items[i].i);
        json_close(j, ']');
    }
}

/* ---- records -------------------------------------------------------------------------------- */

static bool is_listed(const char *names, const char *name)
{
    const size_t len = strlen(name);

    for (const char *s = names; *s;) {
        const size_t n = strcspn(s, ",");
        if (n == len && memcmp(s, name, n) == 0)
            return true;
        s += n + (s[n] == ',');
    }
    return false;
}

/* Watchers have an address of their own and are not read with the record; number and process are
 * written first. */
static bool is_written(const struct rec *r, const struct field *f, const char *only)
{
    if (f->slot == FIELD_WATCHERS || f->slot == FIELD_NUMBER || f->slot == FIELD_PROCESS)
        return false;
    return (!only || is_listed(only, f->name)) && rec_shows(r, f);
}

static void write_overrides(struct json *j, const struct rec *r, const char *only)
{
    if (!r->overrides)
        return;
    json_key(j, "overrides");
    json_open(j, '{');
    for (int i = 0; i < r->process->field_count; i++) {
        if (r->overrides[i] && is_written(r, &r->process->fields[i], only))
            json_member_text(j, r->process->fields[i].name, r->overrides[i]);
    }
    json_close(j, '}');
}

void view_record_members(struct ctx *cx, struct json *j, const struct rec *r, const char *only)
{
    json_member_text(j, "number", r->number);
    json_member_text(j, "process", r->process->name);
    json_member_int(j, "version", r->process->version);
    json_member_int(j, "revision", r->revision);
    for (int i = 0; i < r->process->field_count; i++) {
        const struct field *f = &r->process->fields[i];
        if (!is_written(r, f, only))
            continue;
        json_key(j, f->name);
        view_value(cx, j, f, r->slots[i]);
    }
    write_overrides(j, r, only);
}

void view_record(struct ctx *cx, struct json *j, const struct rec *r, const char *only)
{
    json_open(j, '{');
    view_record_members(cx, j, r, only);
    json_close(j, '}');
}

/* ---- offers --------------------------------------------------------------------------------- */

static const char *asked_name(const struct process *p, const struct asked *a)
{
    return a->slot == ASK_COMMENT ? "comment"
           : a->slot == ASK_NOTE  ? "note"
                                  : p->fields[a->slot].name;
}

static void write_asked(struct json *j, const struct process *p, const struct action *a)
{
    json_key(j, "asks");
    json_open(j, '[');
    for (int i = 0; i < a->ask_count; i++) {
        json_open(j, '{');
        json_member_text(j, "field", asked_name(p, &a->ask[i]));
        json_key(j, "required");
        json_flag(j, !a->ask[i].is_optional);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void view_offers(struct ctx *cx, struct json *j, const struct rec *r, const struct list *offers)
{
    const struct offer *o = offers->at;

    json_open(j, '[');
    for (int i = 0; i < offers->count; i++) {
        const struct action *a = o[i].action;
        json_open(j, '{');
        json_member_text(j, "name", a->name);
        json_member_text(j, "label", label_for(a->label, cx->language, a->name));
        if (a->help)
            json_member_text(j, "help", label_for(a->help, cx->language, ""));
        if (a->to >= 0)
            json_member_text(j, "to", r->process->states[a->to].name);
        write_asked(j, r->process, a);
        json_member_text(j, "blocked", o[i].blocked);
        json_member_text(j, "why", o[i].text);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* ---- what happened -------------------------------------------------------------------------- */

static void write_changes(struct ctx *cx, struct json *j, const struct process *p,
                          const struct val *changes)
{
    json_key(j, "changes");
    json_open(j, '[');
    for (int i = 0; i < changes->count; i++) {
        const struct member *m = &changes->members[i];
        const struct field *f = process_field(p, m->name);
        if (!f || m->val.kind != VAL_LIST || m->val.count != 2)
            continue;
        json_open(j, '{');
        json_member_text(j, "field", f->name);
        json_key(j, "before");
        view_value(cx, j, f, m->val.items[0]);
        json_key(j, "after");
        view_value(cx, j, f, m->val.items[1]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* Members of an event's body that are not texts. */
static void write_body(struct ctx *cx, struct json *j, const struct entry *e)
{
    static const char *const texts[] = {
        "text", "note", "override_reason", "attached", "removed", "attachment", "kind", NULL};

    for (int i = 0; e->body.kind == VAL_MAP && i < e->body.count; i++) {
        const struct member *m = &e->body.members[i];
        if (str_equal(m->name, "changes") && e->process)
            write_changes(cx, j, e->version, &m->val);
        else if (str_in(m->name, texts) && m->val.kind == VAL_TEXT)
            json_member_text(j, str_equal(m->name, "kind") ? "link" : m->name, m->val.text);
        else if (str_equal(m->name, "person") && m->val.kind == VAL_INT)
            json_key(j, "person"), view_person(cx, j, m->val.i);
        else if (str_equal(m->name, "record") && m->val.kind == VAL_INT)
            json_key(j, "other"), view_linked(cx, j, m->val.i);
    }
}

void view_entry(struct ctx *cx, struct json *j, const struct entry *e)
{
    json_open(j, '{');
    view_member_id(j, "id", e->id);
    if (e->process) {
        json_member_text(j, "number", e->number);
        json_member_text(j, "process", e->process);
    }
    json_member_text(j, "kind", e->kind);
    json_member_text(j, "action", e->action);
    json_key(j, "actor");
    view_person(cx, j, e->actor_id);
    json_member_text(j, "via", via_name(e->via));
    json_member_text(j, "request_id", e->request_id);
    view_member_instant(j, "occurred", e->occurred_at);
    view_member_instant(j, "recorded", e->recorded_at);
    if (e->revision)
        json_member_int(j, "revision", e->revision);
    json_member_text(j, "from_state", e->from_state);
    json_member_text(j, "to_state", e->to_state);
    json_key(j, "internal");
    json_flag(j, e->is_internal);
    json_member_text(j, "deviation", e->deviation);
    write_body(cx, j, e);
    json_close(j, '}');
}

/* ---- pages ---------------------------------------------------------------------------------- */

void view_data_begin(struct call *c)
{
    json_open(&c->json, '{');
    json_key(&c->json, "data");
    json_open(&c->json, '[');
}

void view_data_end(struct call *c)
{
    json_close(&c->json, ']');
    json_close(&c->json, '}');
}

static void percent(struct buf *b, const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~,";

    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (strchr(plain, *s)) {
            buf_putc(b, *s);
        } else {
            buf_putc(b, '%');
            buf_putc(b, hex[c >> 4]);
            buf_putc(b, hex[c & 15]);
        }
    }
}

/* The same question, from there on (RFC 8288). */
static void add_link(struct ctx *cx, struct call *c, const char *cursor)
{
    const struct http_pair *q = c->request->query.at;
    struct buf b = {.arena = cx->arena};

    buf_printf(&b, "<%s?", c->request->path);
    for (int i = 0; i < c->request->query.count; i++) {
        if (str_equal(q[i].name, "cursor"))
            continue;
        buf_printf(&b, "%s=", q[i].name);
        percent(&b, q[i].value);
        buf_putc(&b, '&');
    }
    buf_puts(&b, "cursor=");
    percent(&b, cursor);
    buf_puts(&b, ">; rel=\"next\"");
    response_header(c->response, cx->arena, "Link", buf_text(&b));
}

void view_page_end_counted(struct ctx *cx, struct call *c, const char *next_cursor, int64_t count,
                           int64_t count_to)
{
    struct json *j = &c->json;

    json_close(j, ']');
    json_key(j, "page");
    json_open(j, '{');
    json_key(j, "next_cursor");
    json_text(j, next_cursor);
    json_key(j, "has_more");
    json_flag(j, next_cursor != NULL);
    json_close(j, '}');
    if (count >= 0) {
        json_member_int(j, "count", count > count_to ? count_to : count);
        json_key(j, "count_is_capped");
        json_flag(j, count > count_to);
    }
    json_close(j, '}');
    if (next_cursor)
        add_link(cx, c, next_cursor);
}

void view_page_end(struct ctx *cx, struct call *c, const char *next_cursor)
{
    view_page_end_counted(cx, c, next_cursor, -1, 0);
}

/* ---- shapes --------------------------------------------------------------------------------- */

const struct shape view_person_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"name", SHAPE_TEXT, .is_required = true},
    {"login", SHAPE_TEXT},
    {0},
};

const struct shape view_group_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"name", SHAPE_TEXT, .is_required = true},
    {0},
};

const struct shape view_linked_shape[] = {
    {"number", SHAPE_TEXT, .is_required = true},
    {"process", SHAPE_TEXT, .is_required = true},
    {"title", SHAPE_TEXT},
    {0},
};

const struct shape view_page_shape[] = {
    {"next_cursor", SHAPE_TEXT, .is_required = true, .is_nullable = true,
     .help = "Send it as cursor to get the next page; null on the last one"},
    {"has_more", SHAPE_FLAG, .is_required = true},
    {0},
};

static const struct shape asked_shape[] = {
    {"field", SHAPE_TEXT, .is_required = true, .help = "A field, or comment or note"},
    {"required", SHAPE_FLAG, .is_required = true},
    {0},
};

const struct shape view_offer_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"help", SHAPE_TEXT},
    {"to", SHAPE_TEXT, .help = "The state it leads to"},
    {"asks", SHAPE_OBJECT, .is_list = true, .of = asked_shape, .is_required = true},
    {"blocked", SHAPE_TEXT, .choices = "too_late guard",
     .help = "Why it would be refused just now; absent when it would not"},
    {"why", SHAPE_TEXT},
    {0},
};

static const struct shape change_shape[] = {
    {"field", SHAPE_TEXT, .is_required = true},
    {"before", SHAPE_ANY, .is_required = true},
    {"after", SHAPE_ANY, .is_required = true},
    {0},
};

const struct shape view_entry_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"number", SHAPE_TEXT, .help = "Of the record; absent when it is about the system"},
    {"process", SHAPE_TEXT},
    {"kind", SHAPE_TEXT, .is_required = true},
    {"action", SHAPE_TEXT},
    {"actor", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person", .is_required = true,
     .is_nullable = true, .help = "null: the system"},
    {"via", SHAPE_TEXT, .choices = "api console mail timer rule import command",
     .is_required = true},
    {"request_id", SHAPE_TEXT},
    {"occurred", SHAPE_INSTANT, .is_required = true},
    {"recorded", SHAPE_INSTANT, .is_required = true},
    {"revision", SHAPE_INT},
    {"from_state", SHAPE_TEXT},
    {"to_state", SHAPE_TEXT},
    {"internal", SHAPE_FLAG, .is_required = true},
    {"deviation", SHAPE_TEXT},
    {"text", SHAPE_TEXT, .help = "What was written to everybody"},
    {"note", SHAPE_TEXT, .help = "What was written for those who see internals"},
    {"override_reason", SHAPE_TEXT},
    {"changes", SHAPE_OBJECT, .is_list = true, .of = change_shape},
    {"attached", SHAPE_TEXT, .help = "Name of the file"},
    {"removed", SHAPE_TEXT, .help = "Name of the file"},
    {"attachment", SHAPE_TEXT, .help = "Id of the attachment"},
    {"person", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person"},
    {"link", SHAPE_TEXT, .help = "Kind of the link"},
    {"other", SHAPE_OBJECT, .of = view_linked_shape, .schema = "Linked", .is_nullable = true},
    {0},
};
