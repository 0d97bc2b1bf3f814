/* People, and what is theirs: password, sessions, tokens. */
#include <string.h>

#include "auth/auth.h"
#include "auth/people.h"
#include "base/secret.h"
#include "base/str.h"
#include "edge/rest_people.h"
#include "edge/shape.h"
#include "edge/view.h"

const struct shape people_query_shape[] = {
    {"words", SHAPE_TEXT, .most = 200, .help = "Beginning of a name, login or e-mail address"},
    {"organisation", SHAPE_ID, .help = "Only of this organisation"},
    {"limit", SHAPE_INT, .least = 1, .most = 500, .help = "On a page; 50 unless given"},
    {"cursor", SHAPE_TEXT, .help = "next_cursor of the page before"},
    {0},
};

struct people_query people_query_of(const struct request *rq)
{
    return (struct people_query){
        .words = request_query(rq, "words"),
        .org_id = query_int(rq, "organisation", 0),
        .cursor = request_query(rq, "cursor"),
        .limit = (int)query_int(rq, "limit", 50),
    };
}

void people_take_text(const struct call *c, const char *name, const char **to)
{
    if (body_has(c, name))
        *to = body_text(c, name);
}

void people_take_id(const struct call *c, const char *name, int64_t *to)
{
    if (body_has(c, name))
        *to = body_id(c, name);
}

enum rc people_check_revision(struct ctx *cx, const struct call *c, int64_t revision)
{
    if (c->if_match && c->if_match != revision)
        return fail(cx, E_STALE, NULL, "somebody else changed this meanwhile");
    return OK;
}

void people_etag(struct ctx *cx, struct call *c, int64_t revision)
{
    response_header(c->response, cx->arena, "ETag",
                    arena_printf(cx->arena, "\"%lld\"", (long long)revision));
}

/* ---- people --------------------------------------------------------------------------------- */

static const struct shape person_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"name", SHAPE_TEXT, .is_required = true},
    {"login", SHAPE_TEXT},
    {"email", SHAPE_TEXT, .is_nullable = true},
    {"phone", SHAPE_TEXT, .is_nullable = true},
    {"organisation", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_nullable = true},
    {"language", SHAPE_TEXT, .is_nullable = true},
    {"time_zone", SHAPE_TEXT, .is_nullable = true},
    {"service", SHAPE_FLAG, .help = "An integration, not a human being"},
    {"created", SHAPE_INSTANT, .is_nullable = true},
    {"disabled", SHAPE_INSTANT, .is_nullable = true, .help = "Since when; null: may sign in"},
    {"revision", SHAPE_INT},
    {0},
};

const struct shape people_output_of_people[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = person_shape, .schema = "PersonDetails",
     .is_required = true},
    {"page", SHAPE_OBJECT, .of = view_page_shape, .schema = "Page", .is_required = true},
    {0},
};

/* Of people that one only sees, there is a name and an id. */
void people_write_person(struct ctx *cx, struct json *j, const struct person *p)
{
    json_open(j, '{');
    view_member_id(j, "id", p->id);
    view_member_text(j, "name", p->name);
    if (p->login) {
        view_member_text(j, "login", p->login);
        view_member_text(j, "email", p->email);
        view_member_text(j, "phone", p->phone);
        json_key(j, "organisation"), view_organisation(cx, j, p->org_id);
        view_member_text(j, "language", p->language);
        view_member_text(j, "time_zone", p->time_zone);
        json_key(j, "service"), json_flag(j, p->is_service);
        view_member_instant(j, "created", p->created_at);
        view_member_instant(j, "disabled", p->disabled_at);
        json_member_int(j, "revision", p->revision);
    }
    json_close(j, '}');
}

static enum rc reply_person(struct ctx *cx, struct call *c, int64_t id)
{
    struct person p;

    TRY(person_load(cx, id, &p));
    if (p.login)
        people_etag(cx, c, p.revision);
    people_write_person(cx, &c->json, &p);
    return OK;
}

static enum rc list_people(struct ctx *cx, struct call *c)
{
    const struct people_query q = people_query_of(c->request);
    struct list people;
    const char *next;

    TRY(person_list(cx, &q, &people, &next));
    view_data_begin(c);
    for (int i = 0; i < people.count; i++)
        people_write_person(cx, &c->json, (const struct person *)people.at + i);
    view_page_end(cx, c, next);
    return OK;
}

static void take_person(const struct call *c, struct person *p)
{
    people_take_text(c, "login", &p->login);
    people_take_text(c, "name", &p->name);
    people_take_text(c, "email", &p->email);
    people_take_text(c, "phone", &p->phone);
    people_take_text(c, "language", &p->language);
    people_take_text(c, "time_zone", &p->time_zone);
    people_take_id(c, "organisation", &p->org_id);
    if (body_has(c, "service"))
        p->is_service = body_flag(c, "service");
}

#define PERSON_MEMBERS(required)                                                                   \
    {"login", SHAPE_TEXT, .most = 200, .is_required = (required)},                                 \
        {"name", SHAPE_TEXT, .most = 200, .is_required = (required)},                              \
        {"organisation", SHAPE_ID, .is_required = (required)},                                     \
        {"email", SHAPE_TEXT, .most = 320, .is_nullable = true},                                   \
        {"phone", SHAPE_TEXT, .most = 100, .is_nullable = true},                                   \
        {"language", SHAPE_TEXT, .most = 35, .is_nullable = true},                                 \
        {"time_zone", SHAPE_TEXT, .most = 64, .is_nullable = true},                                \
    {                                                                                              \
        "service", SHAPE_FLAG                                                                      \
    }

static const struct shape person_create_input[] = {
    PERSON_MEMBERS(true),
    {"password", SHAPE_SECRET, .most = 1024, .is_nullable = true,
     .help = "Without one the person cannot sign in by a password"},
    {0},
};
static const struct shape person_edit_input[] = {PERSON_MEMBERS(false), {0}};

static const struct secret *password_of(struct ctx *cx, const struct call *c, const char *name)
{
    const char *s = body_text(c, name);
    return s ? secret_create(cx->arena, s, strlen(s)) : NULL;
}

/* Once the person is there, the answer says so, whatever can be read of it just now. */
static enum rc create_person(struct ctx *cx, struct call *c)
{
    struct person p = {0};
    int64_t id;

    take_person(c, &p);
    TRY(person_create(cx, &p, password_of(cx, c, "password"), &id));
    response_header(c->response, cx->arena, "Location",
                    arena_printf(cx->arena, "/api/v1/people/%lld", (long long)id));
    if (reply_person(cx, c, id) != OK)
        people_write_person(cx, &c->json, &(struct person){.id = id, .name = p.name});
    return OK;
}

static enum rc read_person(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return reply_person(cx, c, id);
}

static enum rc edit_person(struct ctx *cx, struct call *c)
{
    struct person p;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(person_load(cx, id, &p));
    if (!p.login) /* who sees no more than the name cannot say what else is to stay */
        return fail(cx, E_DENIED, NULL, "you do not manage people of that organisation");
    TRY(people_check_revision(cx, c, p.revision));
    take_person(c, &p);
    TRY(person_update(cx, &p));
    return reply_person(cx, c, id);
}

static enum rc set_able(struct ctx *cx, struct call *c,
                        enum rc (*set)(struct ctx *cx, int64_t id, int64_t revision))
{
    struct person p;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(person_load(cx, id, &p));
    TRY(set(cx, id, p.revision));
    return reply_person(cx, c, id);
}

static enum rc disable(struct ctx *cx, struct call *c)
{
    return set_able(cx, c, person_disable);
}

static enum rc enable(struct ctx *cx, struct call *c)
{
    return set_able(cx, c, person_enable);
}

/* ---- password ------------------------------------------------------------------------------- */

/* Who changes a password or makes a token shows the own password once more; the operator on the
 * server has none. */
static enum rc confirm(struct ctx *cx, const struct call *c, const char *name)
{
    if (cx->user->kind == USER_OPERATOR || cx->user->token_id)
        return OK;
    if (!body_text(c, name)) {
        problem(cx, name, "required", "show your own password once more");
        return problems_rc(cx);
    }
    const enum rc rc = auth_confirm(cx, password_of(cx, c, name));
    if (rc == E_DENIED)
        cx->err.field = name;
    return rc;
}

static const struct shape password_input[] = {
    {"password", SHAPE_SECRET, .most = 1024, .is_required = true, .help = "The new one"},
    {"own_password", SHAPE_SECRET, .most = 1024,
     .help = "The present password of who asks; not needed on the local socket"},
    {0},
};

static enum rc set_password(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(confirm(cx, c, "own_password"));
    return person_set_password(cx, id, password_of(cx, c, "password"));
}

/* ---- sessions ------------------------------------------------------------------------------- */

static const struct shape session_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"created", SHAPE_INSTANT, .is_required = true},
    {"used", SHAPE_INSTANT, .is_required = true},
    {"expires", SHAPE_INSTANT, .is_required = true},
    {"peer", SHAPE_TEXT},
    {"agent", SHAPE_TEXT},
    {"current", SHAPE_FLAG, .is_required = true, .help = "The one that asks"},
    {0},
};

static const struct shape sessions_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = session_shape, .is_required = true},
    {0},
};

static void write_session(struct ctx *cx, struct json *j, const struct session *s)
{
    json_open(j, '{');
    view_member_id(j, "id", s->id);
    view_member_instant(j, "created", s->created_at);
    view_member_instant(j, "used", s->used_at);
    view_member_instant(j, "expires", s->expires_at);
    json_member_text(j, "peer", s->peer);
    json_member_text(j, "agent", s->agent);
    json_key(j, "current"), json_flag(j, s->id == cx->user->session_id);
    json_close(j, '}');
}

static enum rc list_sessions(struct ctx *cx, struct call *c)
{
    struct list sessions;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(auth_sessions(cx, id, &sessions));
    view_data_begin(c);
    for (int i = 0; i < sessions.count; i++)
        write_session(cx, &c->json, (const struct session *)sessions.at + i);
    view_data_end(c);
    return OK;
}

static enum rc end_session(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "session", &id));
    return auth_logout(cx, id);
}

/* ---- tokens --------------------------------------------------------------------------------- */

#define TOKEN_MEMBERS                                                                              \
    {"id", SHAPE_ID, .is_required = true}, {"name", SHAPE_TEXT, .is_required = true},              \
        {"scopes", SHAPE_TEXT, .is_required = true},                                               \
        {"created", SHAPE_INSTANT, .is_required = true},                                           \
        {"expires", SHAPE_INSTANT, .is_required = true, .is_nullable = true},                      \
        {"used", SHAPE_INSTANT, .is_required = true, .is_nullable = true},                         \
    {                                                                                              \
        "revoked", SHAPE_INSTANT, .is_required = true, .is_nullable = true                         \
    }

static const struct shape token_shape[] = {TOKEN_MEMBERS, {0}};
static const struct shape token_made_output[] = {
    TOKEN_MEMBERS,
    {"token", SHAPE_SECRET, .is_required = true, .help = "Shown this once"},
    {0},
};
static const struct shape tokens_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = token_shape, .schema = "Token",
     .is_required = true},
    {0},
};

static void write_token_members(struct json *j, const struct token *t)
{
    view_member_id(j, "id", t->id);
    json_member_text(j, "name", t->name);
    json_member_text(j, "scopes", t->scopes);
    view_member_instant(j, "created", t->created_at);
    view_member_instant(j, "expires", t->expires_at);
    view_member_instant(j, "used", t->used_at);
    view_member_instant(j, "revoked", t->revoked_at);
}

static enum rc list_tokens(struct ctx *cx, struct call *c)
{
    struct list tokens;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(token_list(cx, id, &tokens));
    view_data_begin(c);
    for (int i = 0; i < tokens.count; i++) {
        json_open(&c->json, '{');
        write_token_members(&c->json, (const struct token *)tokens.at + i);
        json_close(&c->json, '}');
    }
    view_data_end(c);
    return OK;
}

static const struct shape token_input[] = {
    {"name", SHAPE_TEXT, .most = 100, .is_required = true, .help = "What it is for"},
    {"scopes", SHAPE_TEXT, .most = 1000, .is_required = true,
     .help = "By space: read, write, or for the records of one process incident:read, "
             "incident:write"},
    {"expires", SHAPE_INSTANT, .is_nullable = true, .help = "null: never"},
    {"own_password", SHAPE_SECRET, .most = 1024,
     .help = "The present password of who asks; not needed on the local socket"},
    {0},
};

static enum rc create_token(struct ctx *cx, struct call *c)
{
    struct token t;
    struct secret *secret;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(confirm(cx, c, "own_password"));
    TRY(token_create(cx, id, body_text(c, "name"), body_text(c, "scopes"),
                     body_instant(c, "expires"), &t, &secret));
    json_open(&c->json, '{');
    write_token_members(&c->json, &t);
    json_member_text(&c->json, "token", secret_reveal(secret));
    json_close(&c->json, '}');
    return OK;
}

static enum rc revoke_token(struct ctx *cx, struct call *c)
{
    int64_t id, token_id;

    TRY(path_id(cx, c, "id", &id));
    TRY(path_id(cx, c, "token", &token_id));
    return token_revoke(cx, id, token_id);
}

const struct route people_routes[] = {
    {HTTP_GET_, "/api/v1/people", ALLOW_USER, list_people, "listPeople",
     "People that one may see, by name", people_query_shape, NULL, people_output_of_people,
     .tag = "People"},
    {HTTP_POST_, "/api/v1/people", "people.manage", create_person, "createPerson", "A new person",
     NULL, person_create_input, person_shape, 201},
    {HTTP_GET_, "/api/v1/people/{id}", ALLOW_USER, read_person, "readPerson",
     "A person; me is who asks", NULL, NULL, person_shape},
    {HTTP_PATCH_, "/api/v1/people/{id}", ALLOW_USER, edit_person, "editPerson",
     "Change a person, or what one may change of oneself", NULL, person_edit_input, person_shape,
     200, ROUTE_IF_MATCH | ROUTE_WHOLE},
    {HTTP_POST_, "/api/v1/people/{id}/disable", "people.manage", disable, "disablePerson",
     "The person cannot sign in any more; sessions end at once", NULL, NULL, person_shape,
     .flags = ROUTE_WHOLE},
    {HTTP_POST_, "/api/v1/people/{id}/enable", "people.manage", enable, "enablePerson",
     "The person may sign in again", NULL, NULL, person_shape, .flags = ROUTE_WHOLE},
    {HTTP_PUT_, "/api/v1/people/{id}/password", ALLOW_USER, set_password, "setPassword",
     "Set the own password, or that of people one manages; ends their other sessions", NULL,
     password_input},
    {HTTP_GET_, "/api/v1/people/{id}/sessions", ALLOW_USER, list_sessions, "listSessions",
     "Where a person is signed in", NULL, NULL, sessions_output},
    {HTTP_DELETE_, "/api/v1/people/{id}/sessions/{session}", ALLOW_USER, end_session, "endSession",
     "End a session"},
    {HTTP_GET_, "/api/v1/people/{id}/tokens", ALLOW_USER, list_tokens, "listTokens",
     "The API tokens of a person", NULL, NULL, tokens_output},
    {HTTP_POST_, "/api/v1/people/{id}/tokens", ALLOW_USER, create_token, "createToken",
     "A new API token; its secret is shown this once", NULL, token_input, token_made_output, 201},
    {HTTP_DELETE_, "/api/v1/people/{id}/tokens/{token}", ALLOW_USER, revoke_token, "revokeToken",
     "Revoke a token"},
    {0},
};
