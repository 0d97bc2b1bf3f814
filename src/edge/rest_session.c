/* Signing in and out, and the first administrator. */
#include <string.h>

#include "auth/auth.h"
#include "base/secret.h"
#include "base/str.h"
#include "edge/server.h"
#include "edge/shape.h"
#include "edge/view.h"

static const struct secret *body_secret(struct ctx *cx, const struct call *c, const char *name)
{
    const char *s = body_text(c, name);
    return secret_create(cx->arena, s, strlen(s));
}

/* ---- who is signed in ----------------------------------------------------------------------- */

static const struct shape role_shape[] = {
    {"role", SHAPE_TEXT, .is_required = true},
    {"organisation", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true,
     .is_nullable = true, .help = "Held there and below; null: everywhere"},
    {0},
};

static const struct shape me_shape[] = {
    {"id", SHAPE_ID, .is_required = true, .is_nullable = true, .help = "null: the operator"},
    {"name", SHAPE_TEXT, .is_required = true},
    {"login", SHAPE_TEXT},
    {"organisation", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true,
     .is_nullable = true},
    {"groups", SHAPE_OBJECT, .is_list = true, .of = view_group_shape, .schema = "Group",
     .is_required = true},
    {"roles", SHAPE_OBJECT, .is_list = true, .of = role_shape, .is_required = true},
    {"rights", SHAPE_TEXT, .is_list = true, .is_required = true,
     .help = "Rights beyond records that one holds everywhere or in some organisation"},
    {"language", SHAPE_TEXT, .is_required = true, .is_nullable = true},
    {"time_zone", SHAPE_TEXT, .is_required = true, .is_nullable = true},
    {"scopes", SHAPE_TEXT, .help = "Of the token that was shown"},
    {"csrf_token", SHAPE_TEXT, .help = "Of the session: to be sent as X-CSRF-Token"},
    {0},
};

static void write_roles(struct ctx *cx, struct json *j, const struct user *u)
{
    json_key(j, "roles");
    json_open(j, '[');
    for (int i = 0; i < u->role_count; i++) {
        json_open(j, '{');
        json_member_text(j, "role", u->roles[i].role);
        json_key(j, "organisation");
        view_organisation(cx, j, u->roles[i].org_id);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_rights(struct ctx *cx, struct json *j)
{
    json_key(j, "rights");
    json_open(j, '[');
    for (const struct right_info *r = auth_rights; r->name; r++) {
        if (auth_has_right(cx, r->name))
            json_text(j, r->name);
    }
    json_close(j, ']');
}

static void write_me(struct ctx *cx, struct json *j)
{
    const struct user *u = cx->user;

    json_open(j, '{');
    view_member_id(j, "id", u->id);
    json_member_text(j, "name", u->name ? u->name : "operator");
    json_member_text(j, "login", u->login);
    json_key(j, "organisation");
    view_organisation(cx, j, u->org_id);
    json_key(j, "groups");
    json_open(j, '[');
    for (int i = 0; i < u->group_count; i++)
        view_group(cx, j, u->groups[i]);
    json_close(j, ']');
    write_roles(cx, j, u);
    write_rights(cx, j);
    json_key(j, "language"), json_text(j, u->language);
    json_key(j, "time_zone"), json_text(j, u->time_zone);
    json_member_text(j, "scopes", u->scopes);
    json_member_text(j, "csrf_token", u->csrf);
    json_close(j, '}');
}

static enum rc read_me(struct ctx *cx, struct call *c)
{
    write_me(cx, &c->json);
    return OK;
}

/* ---- in and out ----------------------------------------------------------------------------- */

static void set_cookie(struct ctx *cx, struct call *c, const char *value, const char *more)
{
    response_header(c->response, cx->arena, "Set-Cookie",
                    arena_printf(cx->arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
                                 c->server->cookie, value, c->server->is_secure ? "; Secure" : "",
                                 more));
}

static const struct shape login_input[] = {
    {"login", SHAPE_TEXT, .most = 320, .is_required = true, .help = "Login or e-mail address"},
    {"password", SHAPE_SECRET, .most = 1024, .is_required = true},
    {0},
};

/* The cookie that was shown before, if any, is no use to anybody from now on. */
static enum rc login(struct ctx *cx, struct call *c)
{
    const int64_t before = cx->user->session_id;
    const struct user *user;
    struct session session;

    TRY(auth_login(cx, body_text(c, "login"), body_secret(cx, c, "password"), c->request->peer,
                   request_header(c->request, "user-agent"), &session, &user));
    if (before && auth_logout(cx, before) != OK)
        fail_clear(cx);
    set_cookie(cx, c, secret_reveal(session.secret), "");
    write_me(cx, &c->json);
    return OK;
}

static enum rc logout(struct ctx *cx, struct call *c)
{
    if (cx->user->session_id)
        TRY(auth_logout(cx, cx->user->session_id));
    set_cookie(cx, c, "", "; Max-Age=0");
    response_header(c->response, cx->arena, "Clear-Site-Data",
                    "\"cache\", \"cookies\", \"storage\"");
    return OK;
}

/* ---- the first administrator ---------------------------------------------------------------- */

static const struct shape setup_input[] = {
    {"secret", SHAPE_SECRET, .most = 256, .is_required = true,
     .help = "Out of the link that the server printed at its first start"},
    {"organisation", SHAPE_TEXT, .most = 200, .is_required = true},
    {"name", SHAPE_TEXT, .most = 200, .is_required = true},
    {"login", SHAPE_TEXT, .most = 200, .is_required = true},
    {"email", SHAPE_TEXT, .most = 320},
    {"password", SHAPE_SECRET, .most = 1024, .is_required = true},
    {"language", SHAPE_TEXT, .most = 35},
    {0},
};

static const struct shape setup_output[] = {
    {"person", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person", .is_required = true},
    {0},
};

static enum rc setup(struct ctx *cx, struct call *c)
{
    const struct first_admin who = {
        .organisation = body_text(c, "organisation"),
        .name = body_text(c, "name"),
        .login = body_text(c, "login"),
        .email = body_text(c, "email"),
        .language = body_text(c, "language"),
        .password = body_secret(cx, c, "password"),
    };
    int64_t id;

    TRY(auth_first_redeem(cx, body_text(c, "secret"), &who, &id));
    json_open(&c->json, '{');
    json_key(&c->json, "person");
    view_person(cx, &c->json, id);
    json_close(&c->json, '}');
    return OK;
}

const struct route session_routes[] = {
    {HTTP_POST_, "/api/v1/session", ALLOW_PUBLIC, login, "signIn",
     "Sign in with login and password; sets the cookie of a new session", NULL, login_input,
     me_shape, 200, .tag = "Session"},
    {HTTP_DELETE_, "/api/v1/session", ALLOW_USER, logout, "signOut", "End this session"},
    {HTTP_GET_, "/api/v1/me", ALLOW_USER, read_me, "readMe", "Who is signed in, and may what", NULL,
     NULL, me_shape},
    {HTTP_POST_, "/api/v1/setup", ALLOW_PUBLIC, setup, "setUp",
     "Make the first administrator, with the secret that the server printed", NULL, setup_input,
     setup_output, 201},
    {0},
};
