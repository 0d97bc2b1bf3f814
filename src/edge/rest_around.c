/* What stands around a record: its history, links, watchers, timers, and who may do what with it.
 */
#include "auth/auth.h"
#include "auth/people.h"
#include "base/str.h"
#include "edge/rest.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "job/job.h"
#include "lang/process.h"

/* ---- history -------------------------------------------------------------------------------- */

static const struct shape history_query[] = {
    {"after", SHAPE_ID, .help = "Only what happened after this event"},
    {"limit", SHAPE_INT, .least = 1, .most = 500},
    {0},
};

static const struct shape history_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = view_entry_shape, .schema = "Event",
     .is_required = true},
    {0},
};

static enum rc read_history(struct ctx *cx, struct call *c)
{
    struct rec r;
    struct list entries;

    TRY(rest_record(cx, c, &r));
    TRY(rec_history(cx, &r, query_int(c->request, "after", 0),
                    (int)query_int(c->request, "limit", 100), &entries));
    view_data_begin(c);
    for (int i = 0; i < entries.count; i++)
        view_entry(cx, &c->json, (const struct entry *)entries.at + i);
    view_data_end(c);
    return OK;
}

/* ---- links ---------------------------------------------------------------------------------- */

static const struct shape link_shape[] = {
    {"kind", SHAPE_TEXT, .is_required = true, .help = "As seen from this record"},
    {"label", SHAPE_TEXT, .is_required = true},
    {"number", SHAPE_TEXT, .is_required = true},
    {"process", SHAPE_TEXT, .is_required = true},
    {"title", SHAPE_TEXT, .is_required = true},
    {"state", SHAPE_TEXT, .is_required = true},
    {"status", SHAPE_TEXT, .is_required = true},
    {0},
};

static const struct shape links_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = link_shape, .schema = "Link",
     .is_required = true},
    {0},
};

static const char *link_label(const struct ctx *cx, const char *name)
{
    bool is_inverse;
    const struct link_kind *k = defs_link_either(cx->defs, name, &is_inverse);

    return k ? label_for(is_inverse ? k->inverse_label : k->label, cx->language, name) : name;
}

static void write_link(struct ctx *cx, struct json *j, const struct linked *l)
{
    const struct rec *r = &l->rec;

    json_open(j, '{');
    json_member_text(j, "kind", l->kind);
    json_member_text(j, "label", link_label(cx, l->kind));
    json_member_text(j, "number", r->number);
    json_member_text(j, "process", r->process->name);
    json_member_text(j, "title", r->slots[FIELD_TITLE].text);
    json_member_text(j, "state", r->slots[FIELD_STATE].text);
    json_member_text(j, "status", r->slots[FIELD_STATUS].text);
    json_close(j, '}');
}

static enum rc list_links(struct ctx *cx, struct call *c)
{
    struct rec r;
    struct list links;

    TRY(rest_record(cx, c, &r));
    TRY(rec_links(cx, &r, &links));
    view_data_begin(c);
    for (int i = 0; i < links.count; i++)
        write_link(cx, &c->json, (const struct linked *)links.at + i);
    view_data_end(c);
    return OK;
}

static const struct shape link_input[] = {
    {"kind", SHAPE_TEXT, .most = 100, .is_required = true, .help = "Name of a link or its inverse"},
    {"record", SHAPE_TEXT, .most = 100, .is_required = true, .help = "Number of the other record"},
    {0},
};

static enum rc change_link(struct ctx *cx, struct call *c, enum change_kind kind, const char *link,
                           const char *number, const char *field)
{
    struct rec other;
    struct outcome out;

    if (rec_load(cx, number, &other) != OK) {
        if (cx->err.rc != E_NOT_FOUND || !field)
            return cx->err.rc;
        fail_clear(cx);
        problem(cx, field, "unknown_reference", "there is no record %s", number);
        return problems_rc(cx);
    }
    struct change change = {.kind = kind, .link = link, .other_id = other.id};
    TRY(rest_change(cx, c, &change, &out));
    if (kind == CHANGE_LINK)
        rest_reply(cx, c, &out.rec);
    return OK;
}

static enum rc add_link(struct ctx *cx, struct call *c)
{
    return change_link(cx, c, CHANGE_LINK, body_text(c, "kind"), body_text(c, "record"), "record");
}

static enum rc remove_link(struct ctx *cx, struct call *c)
{
    return change_link(cx, c, CHANGE_UNLINK, request_param(c->request, "kind"),
                       request_param(c->request, "other"), NULL);
}

/* ---- watchers ------------------------------------------------------------------------------- */

static const struct shape watchers_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = view_person_shape, .schema = "Person",
     .is_required = true},
    {0},
};

static enum rc list_watchers(struct ctx *cx, struct call *c)
{
    struct rec r;
    struct list people;

    TRY(rest_record(cx, c, &r));
    TRY(rec_watchers(cx, &r, &people));
    view_data_begin(c);
    for (int i = 0; i < people.count; i++)
        view_person(cx, &c->json, ((const int64_t *)people.at)[i]);
    view_data_end(c);
    return OK;
}

static const struct shape watch_input[] = {
    {"person", SHAPE_TEXT, .most = 320, .is_nullable = true,
     .help = "Id, login or e-mail address; without it who asks"},
    {0},
};

static enum rc watch(struct ctx *cx, struct call *c)
{
    struct change change = {.kind = CHANGE_WATCH, .person_id = cx->user->id};
    const char *name = body_text(c, "person");
    struct outcome out;

    if (name && person_find(cx, name, &change.person_id) != OK) {
        fail_clear(cx);
        problem(cx, "person", "unknown_reference", "there is no person %s", name);
        return problems_rc(cx);
    }
    TRY(rest_change(cx, c, &change, &out));
    rest_reply(cx, c, &out.rec);
    return OK;
}

static enum rc unwatch(struct ctx *cx, struct call *c)
{
    struct change change = {.kind = CHANGE_UNWATCH};
    struct outcome out;

    TRY(path_id(cx, c, "person", &change.person_id));
    return rest_change(cx, c, &change, &out);
}

/* ---- timers --------------------------------------------------------------------------------- */

static const struct shape timer_shape[] = {
    {"action", SHAPE_TEXT, .is_required = true, .help = "The action that will be run"},
    {"label", SHAPE_TEXT, .is_required = true},
    {"due", SHAPE_INSTANT, .is_required = true},
    {0},
};

static const struct shape timers_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = timer_shape, .schema = "Timer",
     .is_required = true},
    {0},
};

static enum rc list_timers(struct ctx *cx, struct call *c)
{
    struct rec r;
    struct list timers;

    TRY(rest_record(cx, c, &r));
    TRY(timer_list(cx, r.id, &timers));
    view_data_begin(c);
    for (int i = 0; i < timers.count; i++) {
        const struct job *t = (const struct job *)timers.at + i;
        const struct action *a = process_action(r.process, t->name);
        json_open(&c->json, '{');
        json_member_text(&c->json, "action", t->name);
        json_member_text(&c->json, "label", label_for(a ? a->label : NULL, cx->language, t->name));
        view_member_instant(&c->json, "due", t->run_at);
        json_close(&c->json, '}');
    }
    view_data_end(c);
    return OK;
}

/* ---- why ------------------------------------------------------------------------------------ */

static const struct shape reason_shape[] = {
    {"what", SHAPE_TEXT, .is_required = true, .help = "A right, or action:NAME"},
    {"allowed", SHAPE_FLAG, .is_required = true},
    {"because", SHAPE_TEXT, .is_list = true, .is_required = true,
     .help = "One sentence for each word of the list that allows it"},
    {0},
};

static const struct shape access_output[] = {
    {"person", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person", .is_required = true,
     .is_nullable = true},
    {"data", SHAPE_OBJECT, .is_list = true, .of = reason_shape, .is_required = true},
    {0},
};

static enum rc write_reason(struct ctx *cx, struct call *c, const struct user *who,
                            const struct rec *r, const char *what, const char *const *allow)
{
    struct ctx as = *cx;
    struct list reasons;

    as.user = who;
    TRY(auth_explain(cx, who, &r->subject, allow, &reasons));
    json_open(&c->json, '{');
    json_member_text(&c->json, "what", what);
    json_key(&c->json, "allowed");
    json_flag(&c->json, auth_allows(allow, auth_words(&as, &r->subject)));
    json_key(&c->json, "because");
    json_open(&c->json, '[');
    for (int i = 0; i < reasons.count; i++)
        json_text(&c->json, ((const char *const *)reasons.at)[i]);
    json_close(&c->json, ']');
    json_close(&c->json, '}');
    return OK;
}

static enum rc write_reasons(struct ctx *cx, struct call *c, const struct user *who,
                             const struct rec *r)
{
    const struct process *p = r->process;

    for (int i = 0; i < RIGHT_COUNT; i++)
        TRY(write_reason(cx, c, who, r, right_name((enum right)i), p->rights[i]));
    for (int i = 0; i < p->action_count; i++) {
        const struct action *a = &p->actions[i];
        if (a->allow && a->allow[0])
            TRY(write_reason(cx, c, who, r, arena_printf(cx->arena, "action:%s", a->name),
                             a->allow));
    }
    return OK;
}

/* What the record was loaded with is whether who asks watches it. */
static enum rc check_watched(struct ctx *cx, struct rec *r, int64_t person_id)
{
    struct list people;

    TRY(rec_watchers(cx, r, &people));
    r->subject.is_watched = false;
    for (int i = 0; i < people.count; i++)
        r->subject.is_watched |= ((const int64_t *)people.at)[i] == person_id;
    return OK;
}

static enum rc explain(struct ctx *cx, struct call *c, const struct user *who)
{
    struct rec r;

    TRY(rest_record(cx, c, &r));
    TRY(check_watched(cx, &r, who->id));
    json_open(&c->json, '{');
    json_key(&c->json, "person");
    view_person(cx, &c->json, who->id);
    json_key(&c->json, "data");
    json_open(&c->json, '[');
    TRY(write_reasons(cx, c, who, &r));
    json_close(&c->json, ']');
    json_close(&c->json, '}');
    return OK;
}

static enum rc explain_own(struct ctx *cx, struct call *c)
{
    return explain(cx, c, cx->user);
}

static enum rc explain_other(struct ctx *cx, struct call *c)
{
    struct ctx as = *cx;
    struct person p;
    int64_t id;

    TRY(path_id(cx, c, "person", &id));
    TRY(person_load(cx, id, &p));
    if (auth_by_person(&as, id) != OK) {
        cx->err = as.err;
        return cx->err.rc;
    }
    return explain(cx, c, as.user);
}

const struct route around_routes[] = {
    {HTTP_GET_, "/api/v1/{process}/{number}/history", ALLOW_USER, read_history, "readHistory",
     "What happened to the record, oldest first", history_query, NULL, history_output,
     .tag = "Records"},
    {HTTP_GET_, "/api/v1/{process}/{number}/links", ALLOW_USER, list_links, "listLinks",
     "Records that are linked with it, as far as one may see them", NULL, NULL, links_output},
    {HTTP_POST_, "/api/v1/{process}/{number}/links", ALLOW_USER, add_link, "addLink",
     "Link it with another record", NULL, link_input, rest_record_output, 201, ROUTE_IDEMPOTENT},
    {HTTP_DELETE_, "/api/v1/{process}/{number}/links/{kind}/{other}", ALLOW_USER, remove_link,
     "removeLink", "Remove a link"},
    {HTTP_GET_, "/api/v1/{process}/{number}/watchers", ALLOW_USER, list_watchers, "listWatchers",
     "Who watches the record", NULL, NULL, watchers_output},
    {HTTP_POST_, "/api/v1/{process}/{number}/watchers", ALLOW_USER, watch, "watch",
     "Watch the record, or have somebody watch it", NULL, watch_input, rest_record_output, 201,
     ROUTE_IDEMPOTENT},
    {HTTP_DELETE_, "/api/v1/{process}/{number}/watchers/{person}", ALLOW_USER, unwatch, "unwatch",
     "Watch it no more; me is who asks"},
    {HTTP_GET_, "/api/v1/{process}/{number}/timers", ALLOW_USER, list_timers, "listTimers",
     "What will happen to the record by itself, and when", NULL, NULL, timers_output},
    {HTTP_GET_, "/api/v1/{process}/{number}/access", ALLOW_USER, explain_own, "explainOwnAccess",
     "What one may do with the record, and why", NULL, NULL, access_output},
    {HTTP_GET_, "/api/v1/{process}/{number}/access/{person}", "people.view", explain_other,
     "explainAccess", "What somebody may do with the record, and why", NULL, NULL, access_output},
    {0},
};
