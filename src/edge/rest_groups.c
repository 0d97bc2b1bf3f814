/* Organisations, groups, their members, and who holds which role. */
#include "auth/auth.h"
#include "base/str.h"
#include "edge/rest_people.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "lang/process.h"

static void location(struct ctx *cx, struct call *c, const char *folder, int64_t id)
{
    response_header(c->response, cx->arena, "Location",
                    arena_printf(cx->arena, "/api/v1/%s/%lld", folder, (long long)id));
}

/* ---- organisations -------------------------------------------------------------------------- */

static const struct shape organisation_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"name", SHAPE_TEXT, .is_required = true},
    {"parent", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true,
     .is_nullable = true},
    {"language", SHAPE_TEXT, .is_required = true, .is_nullable = true},
    {"time_zone", SHAPE_TEXT, .is_required = true, .is_nullable = true},
    {"retired", SHAPE_INSTANT, .is_required = true, .is_nullable = true},
    {"revision", SHAPE_INT, .is_required = true},
    {0},
};

static const struct shape organisations_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = organisation_shape,
     .schema = "OrganisationDetails", .is_required = true},
    {"page", SHAPE_OBJECT, .of = view_page_shape, .schema = "Page", .is_required = true},
    {0},
};

static void write_organisation(struct ctx *cx, struct json *j, const struct organisation *o)
{
    json_open(j, '{');
    view_member_id(j, "id", o->id);
    view_member_text(j, "name", o->name);
    json_key(j, "parent"), view_organisation(cx, j, o->parent_id);
    view_member_text(j, "language", o->language);
    view_member_text(j, "time_zone", o->time_zone);
    view_member_instant(j, "retired", o->retired_at);
    json_member_int(j, "revision", o->revision);
    json_close(j, '}');
}

static enum rc reply_organisation(struct ctx *cx, struct call *c, int64_t id)
{
    struct organisation o;

    TRY(organisation_load(cx, id, &o));
    people_etag(cx, c, o.revision);
    write_organisation(cx, &c->json, &o);
    return OK;
}

static enum rc list_organisations(struct ctx *cx, struct call *c)
{
    const struct people_query q = people_query_of(c->request);
    struct list all;
    const char *next;

    TRY(organisation_list(cx, &q, &all, &next));
    view_data_begin(c);
    for (int i = 0; i < all.count; i++)
        write_organisation(cx, &c->json, (const struct organisation *)all.at + i);
    view_page_end(cx, c, next);
    return OK;
}

/* Retired is an instant; callers say whether. */
static void take_retired(struct ctx *cx, const struct call *c, int64_t *to)
{
    if (body_has(c, "retired"))
        *to = body_flag(c, "retired") ? *to ? *to : cx->now : 0;
}

static void take_organisation(struct ctx *cx, const struct call *c, struct organisation *o)
{
    people_take_text(c, "name", &o->name);
    people_take_text(c, "language", &o->language);
    people_take_text(c, "time_zone", &o->time_zone);
    people_take_id(c, "parent", &o->parent_id);
    take_retired(cx, c, &o->retired_at);
}

#define ORGANISATION_MEMBERS(required)                                                             \
    {"name", SHAPE_TEXT, .most = 200, .is_required = (required)},                                  \
        {"parent", SHAPE_ID, .is_nullable = true},                                                 \
        {"language", SHAPE_TEXT, .most = 35, .is_nullable = true},                                 \
    {                                                                                              \
        "time_zone", SHAPE_TEXT, .most = 64, .is_nullable = true                                   \
    }

static const struct shape organisation_create_input[] = {ORGANISATION_MEMBERS(true), {0}};
static const struct shape organisation_edit_input[] = {
    ORGANISATION_MEMBERS(false),
    {"retired", SHAPE_FLAG},
    {0},
};

static enum rc create_organisation(struct ctx *cx, struct call *c)
{
    struct organisation o = {0};
    int64_t id;

    take_organisation(cx, c, &o);
    TRY(organisation_create(cx, &o, &id));
    location(cx, c, "organisations", id);
    return reply_organisation(cx, c, id);
}

static enum rc read_organisation(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return reply_organisation(cx, c, id);
}

static enum rc edit_organisation(struct ctx *cx, struct call *c)
{
    struct organisation o;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(organisation_load(cx, id, &o));
    TRY(people_check_revision(cx, c, o.revision));
    take_organisation(cx, c, &o);
    TRY(organisation_update(cx, &o));
    return reply_organisation(cx, c, id);
}

/* ---- groups --------------------------------------------------------------------------------- */

static const struct shape group_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"name", SHAPE_TEXT, .is_required = true},
    {"organisation", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true},
    {"email", SHAPE_TEXT, .is_required = true, .is_nullable = true},
    {"tier", SHAPE_INT, .is_required = true, .is_nullable = true, .help = "Support line"},
    {"manager", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person", .is_required = true,
     .is_nullable = true},
    {"retired", SHAPE_INSTANT, .is_required = true, .is_nullable = true},
    {"revision", SHAPE_INT, .is_required = true},
    {0},
};

static const struct shape groups_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = group_shape, .schema = "GroupDetails",
     .is_required = true},
    {"page", SHAPE_OBJECT, .of = view_page_shape, .schema = "Page", .is_required = true},
    {0},
};

static void write_group(struct ctx *cx, struct json *j, const struct group *g)
{
    json_open(j, '{');
    view_member_id(j, "id", g->id);
    view_member_text(j, "name", g->name);
    json_key(j, "organisation"), view_organisation(cx, j, g->org_id);
    view_member_text(j, "email", g->email);
    json_key(j, "tier");
    if (g->tier)
        json_int(j, g->tier);
    else
        json_none(j);
    json_key(j, "manager"), view_person(cx, j, g->manager_id);
    view_member_instant(j, "retired", g->retired_at);
    json_member_int(j, "revision", g->revision);
    json_close(j, '}');
}

static enum rc reply_group(struct ctx *cx, struct call *c, int64_t id)
{
    struct group g;

    TRY(group_load(cx, id, &g));
    people_etag(cx, c, g.revision);
    write_group(cx, &c->json, &g);
    return OK;
}

static enum rc list_groups(struct ctx *cx, struct call *c)
{
    const struct people_query q = people_query_of(c->request);
    struct list all;
    const char *next;

    TRY(group_list(cx, &q, &all, &next));
    view_data_begin(c);
    for (int i = 0; i < all.count; i++)
        write_group(cx, &c->json, (const struct group *)all.at + i);
    view_page_end(cx, c, next);
    return OK;
}

static void take_group(struct ctx *cx, const struct call *c, struct group *g)
{
    people_take_text(c, "name", &g->name);
    people_take_text(c, "email", &g->email);
    people_take_id(c, "organisation", &g->org_id);
    people_take_id(c, "manager", &g->manager_id);
    if (body_has(c, "tier"))
        g->tier = body_int(c, "tier");
    take_retired(cx, c, &g->retired_at);
}

#define GROUP_MEMBERS(required)                                                                    \
    {"name", SHAPE_TEXT, .most = 200, .is_required = (required)},                                  \
        {"organisation", SHAPE_ID, .is_required = (required)},                                     \
        {"email", SHAPE_TEXT, .most = 320, .is_nullable = true},                                   \
        {"tier", SHAPE_INT, .least = 1, .most = 9, .is_nullable = true},                           \
    {                                                                                              \
        "manager", SHAPE_ID, .is_nullable = true                                                   \
    }

static const struct shape group_create_input[] = {GROUP_MEMBERS(true), {0}};
static const struct shape group_edit_input[] = {
    GROUP_MEMBERS(false),
    {"retired", SHAPE_FLAG},
    {0},
};

static enum rc create_group(struct ctx *cx, struct call *c)
{
    struct group g = {0};
    int64_t id;

    take_group(cx, c, &g);
    TRY(group_create(cx, &g, &id));
    location(cx, c, "groups", id);
    return reply_group(cx, c, id);
}

static enum rc read_group(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return reply_group(cx, c, id);
}

static enum rc edit_group(struct ctx *cx, struct call *c)
{
    struct group g;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(group_load(cx, id, &g));
    TRY(people_check_revision(cx, c, g.revision));
    take_group(cx, c, &g);
    TRY(group_update(cx, &g));
    return reply_group(cx, c, id);
}

/* ---- members -------------------------------------------------------------------------------- */

static enum rc list_members(struct ctx *cx, struct call *c)
{
    struct list people;
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    TRY(group_members(cx, id, &people));
    view_data_begin(c);
    for (int i = 0; i < people.count; i++)
        people_write_person(cx, &c->json, (const struct person *)people.at + i);
    view_page_end(cx, c, NULL);
    return OK;
}

static enum rc change_member(struct ctx *cx, struct call *c,
                             enum rc (*change)(struct ctx *cx, int64_t group_id, int64_t person_id))
{
    int64_t id, person;

    TRY(path_id(cx, c, "id", &id));
    TRY(path_id(cx, c, "person", &person));
    return change(cx, id, person);
}

static enum rc add_member(struct ctx *cx, struct call *c)
{
    return change_member(cx, c, group_join);
}

static enum rc remove_member(struct ctx *cx, struct call *c)
{
    return change_member(cx, c, group_leave);
}

/* ---- roles ---------------------------------------------------------------------------------- */

static const struct shape role_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"help", SHAPE_TEXT},
    {"rights", SHAPE_TEXT, .is_list = true, .is_required = true,
     .help = "Beyond records; * is all of them"},
    {0},
};

static const struct shape roles_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = role_shape, .schema = "Role",
     .is_required = true},
    {0},
};

static void write_role(struct ctx *cx, struct json *j, const struct role *r)
{
    json_open(j, '{');
    json_member_text(j, "name", r->name);
    json_member_text(j, "label", label_for(r->label, cx->language, r->name));
    if (r->help)
        json_member_text(j, "help", label_for(r->help, cx->language, ""));
    json_key(j, "rights");
    json_open(j, '[');
    for (const char *const *right = r->rights; right && *right; right++)
        json_text(j, *right);
    json_close(j, ']');
    json_close(j, '}');
}

static enum rc list_roles(struct ctx *cx, struct call *c)
{
    view_data_begin(c);
    for (int i = 0; i < cx->defs->role_count; i++)
        write_role(cx, &c->json, &cx->defs->roles[i]);
    view_data_end(c);
    return OK;
}

static const struct shape grant_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"role", SHAPE_TEXT, .is_required = true},
    {"person", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person", .is_required = true,
     .is_nullable = true},
    {"group", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true,
     .is_nullable = true},
    {"organisation", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group", .is_required = true,
     .is_nullable = true, .help = "Held there and below; null: everywhere"},
    {0},
};

static const struct shape grants_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = grant_shape, .schema = "RoleGrant",
     .is_required = true},
    {0},
};

static void write_grant(struct ctx *cx, struct json *j, const struct role_grant *g)
{
    json_open(j, '{');
    view_member_id(j, "id", g->id);
    json_member_text(j, "role", g->role);
    json_key(j, "person"), view_person(cx, j, g->person_id);
    json_key(j, "group"), view_group(cx, j, g->group_id);
    json_key(j, "organisation"), view_organisation(cx, j, g->org_id);
    json_close(j, '}');
}

static const struct shape grants_query[] = {
    {"person", SHAPE_ID},
    {"group", SHAPE_ID},
    {0},
};

static enum rc list_grants(struct ctx *cx, struct call *c)
{
    struct list grants;

    TRY(role_list(cx, query_int(c->request, "person", 0), query_int(c->request, "group", 0),
                  &grants));
    view_data_begin(c);
    for (int i = 0; i < grants.count; i++)
        write_grant(cx, &c->json, (const struct role_grant *)grants.at + i);
    view_data_end(c);
    return OK;
}

static const struct shape grant_input[] = {
    {"role", SHAPE_TEXT, .most = 100, .is_required = true},
    {"person", SHAPE_ID, .is_nullable = true, .help = "A person, or"},
    {"group", SHAPE_ID, .is_nullable = true, .help = "all members of a group"},
    {"organisation", SHAPE_ID, .is_nullable = true, .help = "There and below; null: everywhere"},
    {0},
};

static enum rc give_role(struct ctx *cx, struct call *c)
{
    struct role_grant g = {
        .role = body_text(c, "role"),
        .person_id = body_id(c, "person"),
        .group_id = body_id(c, "group"),
        .org_id = body_id(c, "organisation"),
    };

    if (!g.person_id == !g.group_id) {
        problem(cx, "person", "required", "say either a person or a group");
        return problems_rc(cx);
    }
    TRY(role_give(cx, &g, &g.id));
    write_grant(cx, &c->json, &g);
    return OK;
}

static enum rc take_role(struct ctx *cx, struct call *c)
{
    int64_t id;

    TRY(path_id(cx, c, "id", &id));
    return role_take(cx, id);
}

const struct route group_routes[] = {
    {HTTP_GET_, "/api/v1/organisations", ALLOW_USER, list_organisations, "listOrganisations",
     "Organisations that one may see, by name", people_query_shape, NULL, organisations_output,
     .tag = "People"},
    {HTTP_POST_, "/api/v1/organisations", "people.manage", create_organisation,
     "createOrganisation", "A new organisation", NULL, organisation_create_input,
     organisation_shape, 201, ROUTE_WHOLE},
    {HTTP_GET_, "/api/v1/organisations/{id}", ALLOW_USER, read_organisation, "readOrganisation",
     "An organisation", NULL, NULL, organisation_shape},
    {HTTP_PATCH_, "/api/v1/organisations/{id}", "people.manage", edit_organisation,
     "editOrganisation", "Change or retire an organisation", NULL, organisation_edit_input,
     organisation_shape, 200, ROUTE_IF_MATCH | ROUTE_WHOLE},
    {HTTP_GET_, "/api/v1/groups", ALLOW_USER, list_groups, "listGroups",
     "Groups that one may see, by name", people_query_shape, NULL, groups_output},
    {HTTP_POST_, "/api/v1/groups", "people.manage", create_group, "createGroup", "A new group",
     NULL, group_create_input, group_shape, 201, ROUTE_WHOLE},
    {HTTP_GET_, "/api/v1/groups/{id}", ALLOW_USER, read_group, "readGroup", "A group", NULL, NULL,
     group_shape},
    {HTTP_PATCH_, "/api/v1/groups/{id}", "people.manage", edit_group, "editGroup",
     "Change or retire a group", NULL, group_edit_input, group_shape, 200,
     ROUTE_IF_MATCH | ROUTE_WHOLE},
    {HTTP_GET_, "/api/v1/groups/{id}/members", ALLOW_USER, list_members, "listMembers",
     "The members of a group", NULL, NULL, people_output_of_people},
    {HTTP_PUT_, "/api/v1/groups/{id}/members/{person}", "people.manage", add_member, "addMember",
     "Make a person a member"},
    {HTTP_DELETE_, "/api/v1/groups/{id}/members/{person}", "people.manage", remove_member,
     "removeMember", "A person is a member no more"},
    {HTTP_GET_, "/api/v1/roles", ALLOW_USER, list_roles, "listRoles",
     "The roles of the process files", NULL, NULL, roles_output},
    {HTTP_GET_, "/api/v1/role-grants", ALLOW_USER, list_grants, "listRoleGrants",
     "Who holds which role", grants_query, NULL, grants_output},
    {HTTP_POST_, "/api/v1/role-grants", "people.manage", give_role, "giveRole",
     "Give a role to a person or a group", NULL, grant_input, grant_shape, 201, ROUTE_WHOLE},
    {HTTP_DELETE_, "/api/v1/role-grants/{id}", "people.manage", take_role, "takeRole",
     "Take a role back"},
    {0},
};
