/* cli_access.c - groups, roles and tokens: what people may do. */
#include "base/str.h"
#include "base/time.h"
#include "edge/cli_out.h"
#include "edge/cli_people.h"

/* ---- groups --------------------------------------------------------------------------------- */

static const struct column group_columns[] = {
    {"ID", "id", true},
    {"NAME", "name", false},
    {"ORGANISATION", "organisation", false},
    {"TIER", "tier", true},
    {"MANAGER", "manager", false},
    {"RETIRED", "retired", false},
    {0},
};

static const struct column member_columns[] = {
    {"ID", "id", true}, {"LOGIN", "login", false}, {"NAME", "name", false}, {0}};

static enum rc run_group_list(struct ctx *cx, struct cli *c)
{
    const char *path = "/api/v1/groups";

    if (c->arg_count)
        path = arena_printf(cx->arena, "%s?words=%s", path, ask_encoded(cx->arena, c->args[0]));
    return ask_print(cx, c, path, 0, group_columns, NULL);
}

static enum rc run_group_members(struct ctx *cx, struct cli *c)
{
    const char *id;
    struct answer a;

    TRY(people_find(cx, c, NAMED_GROUP, c->args[0], &id));
    TRY(ask_get(cx, c, arena_printf(cx->arena, "/api/v1/groups/%s/members", id), &a));
    const struct val *data = val_get(&a.body, "data");
    out_list(c, member_columns, data ? *data : val_null());
    return OK;
}

static enum rc run_group_add(struct ctx *cx, struct cli *c)
{
    struct val_map map = {0};
    struct answer a;

    if (!cli_text(c, "organisation"))
        return cli_usage(cx, "--organisation says whose group it is");
    val_map_set(cx->arena, &map, "name", val_text(c->args[0]));
    TRY(people_put(cx, c, NAMED_ORGANISATION, cli_text(c, "organisation"), &map, "organisation"));
    TRY(people_put(cx, c, NAMED_PERSON, cli_text(c, "manager"), &map, "manager"));
    people_put_flag(cx, c, "email", &map, "email");
    if (cli_is(c, "tier"))
        val_map_set(cx->arena, &map, "tier", val_int(cli_int(c, "tier", 0)));
    const struct val body = val_from_map(&map);
    TRY(ask(cx, c, HTTP_POST_, "/api/v1/groups", &body, NULL, &a));
    out_one(c, a.body);
    return OK;
}

static enum rc change_members(struct ctx *cx, struct cli *c, enum http_method method)
{
    const char *group, *person;
    struct answer a;

    TRY(people_find(cx, c, NAMED_GROUP, c->args[0], &group));
    for (int i = 1; i < c->arg_count; i++) {
        TRY(people_find(cx, c, NAMED_PERSON, c->args[i], &person));
        TRY(ask(cx, c, method,
                arena_printf(cx->arena, "/api/v1/groups/%s/members/%s", group, person), NULL, NULL,
                &a));
    }
    return OK;
}

static enum rc run_group_join(struct ctx *cx, struct cli *c)
{
    return change_members(cx, c, HTTP_PUT_);
}

static enum rc run_group_leave(struct ctx *cx, struct cli *c)
{
    return change_members(cx, c, HTTP_DELETE_);
}

/* ---- roles ---------------------------------------------------------------------------------- */

static const struct column role_columns[] = {
    {"NAME", "name", false}, {"LABEL", "label", false}, {"RIGHTS", "rights", false}, {0}};

static const struct column grant_columns[] = {
    {"ID", "id", true},        {"ROLE", "role", false},       {"PERSON", "person", false},
    {"GROUP", "group", false}, {"IN", "organisation", false}, {0},
};

/* To whom: a person as argument, or --group. */
static enum rc put_holder(struct ctx *cx, struct cli *c, const char *person, struct val_map *to)
{
    if (!person == !cli_text(c, "group"))
        return cli_usage(cx, "name one person, or a group with --group");
    TRY(people_put(cx, c, NAMED_PERSON, person, to, "person"));
    return people_put(cx, c, NAMED_GROUP, cli_text(c, "group"), to, "group");
}

static enum rc holder_query(struct ctx *cx, struct cli *c, const char *person, const char **ret)
{
    struct val_map map = {0};

    TRY(put_holder(cx, c, person, &map));
    *ret = arena_printf(cx->arena, "/api/v1/role-grants?%s=%s", map.at[0].name, map.at[0].val.text);
    return OK;
}

static enum rc run_role_list(struct ctx *cx, struct cli *c)
{
    const bool is_of = c->arg_count || cli_text(c, "group");
    const char *path = "/api/v1/roles";
    struct answer a;

    if (is_of)
        TRY(holder_query(cx, c, c->args[0], &path));
    TRY(ask_get(cx, c, path, &a));
    const struct val *data = val_get(&a.body, "data");
    out_list(c, is_of ? grant_columns : role_columns, data ? *data : val_null());
    return OK;
}

static enum rc run_role_give(struct ctx *cx, struct cli *c)
{
    struct val_map map = {0};
    struct answer a;

    val_map_set(cx->arena, &map, "role", val_text(c->args[0]));
    TRY(put_holder(cx, c, c->args[1], &map));
    TRY(people_put(cx, c, NAMED_ORGANISATION, cli_text(c, "in"), &map, "organisation"));
    const struct val body = val_from_map(&map);
    TRY(ask(cx, c, HTTP_POST_, "/api/v1/role-grants", &body, NULL, &a));
    out_one(c, a.body);
    return OK;
}

/* Held in that organisation; with no organisation named, everywhere. */
static bool is_grant(const struct val *grant, const char *role, const char *organisation)
{
    const struct val *in = val_get(grant, "organisation");

    return str_equal(val_get_text(grant, "role"), role) &&
           str_equal(val_get_text(in, "id"), organisation);
}

static enum rc run_role_take(struct ctx *cx, struct cli *c)
{
    const char *path, *in = NULL;
    struct answer a;

    TRY(holder_query(cx, c, c->args[1], &path));
    if (cli_text(c, "in"))
        TRY(people_find(cx, c, NAMED_ORGANISATION, cli_text(c, "in"), &in));
    TRY(ask_get(cx, c, path, &a));
    const struct val *data = val_get(&a.body, "data");
    for (int i = 0; data && i < data->count; i++) {
        struct answer gone;
        if (is_grant(&data->items[i], c->args[0], in))
            return ask(cx, c, HTTP_DELETE_,
                       arena_printf(cx->arena, "/api/v1/role-grants/%s",
                                    val_get_text(&data->items[i], "id")),
                       NULL, NULL, &gone);
    }
    return fail(cx, E_NOT_FOUND, NULL, "the role %s is not held %s", c->args[0],
                in ? "there" : "everywhere; --in names an organisation");
}

/* ---- tokens --------------------------------------------------------------------------------- */

static const struct column token_columns[] = {
    {"ID", "id", true},
    {"NAME", "name", false},
    {"SCOPES", "scopes", false},
    {"CREATED", "created", false},
    {"EXPIRES", "expires", false},
    {"USED", "used", false},
    {"REVOKED", "revoked", false},
    {0},
};

/* "90 days" from now, an instant, or never. */
static enum rc put_expiry(struct ctx *cx, const struct cli *c, struct val_map *to)
{
    const char *text = cli_text(c, "expires") ? cli_text(c, "expires") : "365 days";
    int64_t at;

    if (str_equal(text, "never")) {
        val_map_set(cx->arena, to, "expires", val_null());
        return OK;
    }
    if (time_parse_span(text, &at) && at > 0 && at < 36500 * US_PER_DAY)
        at += cx->now;
    else if (!time_parse_instant(text, &at))
        return cli_usage(cx, "--expires wants a span such as '90 days', an instant, or never");
    val_map_set(cx->arena, to, "expires", val_text(time_format_instant(cx->arena, at)));
    return OK;
}

static enum rc run_token_create(struct ctx *cx, struct cli *c)
{
    const char *id, *scopes = cli_text(c, "scopes"), *name = cli_text(c, "name");
    struct val_map map = {0};
    struct answer a;

    val_map_set(cx->arena, &map, "name", val_text(name ? name : "command line"));
    val_map_set(cx->arena, &map, "scopes", val_text(scopes ? scopes : "read"));
    TRY(put_expiry(cx, c, &map));
    TRY(people_find(cx, c, NAMED_PERSON, c->args[0], &id));
    const struct val body = val_from_map(&map);
    TRY(ask(cx, c, HTTP_POST_, arena_printf(cx->arena, "/api/v1/people/%s/tokens", id), &body, NULL,
            &a));
    if (!str_equal(out_format(c), "table")) {
        out_one(c, a.body);
        return OK;
    }
    buf_printf(&c->out, "%s\n", val_get_text(&a.body, "token"));
    cli_tell("this is shown only once");
    return OK;
}

static enum rc run_token_list(struct ctx *cx, struct cli *c)
{
    const char *id;
    struct answer a;

    TRY(people_find(cx, c, NAMED_PERSON, c->args[0], &id));
    TRY(ask_get(cx, c, arena_printf(cx->arena, "/api/v1/people/%s/tokens", id), &a));
    const struct val *data = val_get(&a.body, "data");
    out_list(c, token_columns, data ? *data : val_null());
    return OK;
}

static enum rc run_token_revoke(struct ctx *cx, struct cli *c)
{
    const char *id;
    struct answer a;

    TRY(people_find(cx, c, NAMED_PERSON, c->args[0], &id));
    return ask(cx, c, HTTP_DELETE_,
               arena_printf(cx->arena, "/api/v1/people/%s/tokens/%s", id,
                            ask_encoded(cx->arena, c->args[1])),
               NULL, NULL, &a);
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag group_flags[] = {
    {"organisation", FLAG_TEXT, 0, "NAME", NULL, "whose group it is; needed"},
    {"tier", FLAG_INT, 0, "N", NULL, "support line: 1 is the first"},
    {"manager", FLAG_TEXT, 0, "LOGIN", NULL, "who answers for it"},
    {"email", FLAG_TEXT, 0, "ADDRESS", NULL, "for messages to all of it"},
    {0},
};

static const struct flag holder_flags[] = {
    {"group", FLAG_TEXT, 0, "NAME", NULL, "all members of a group instead of a person"},
    {0},
};

static const struct flag grant_flags[] = {
    {"group", FLAG_TEXT, 0, "NAME", NULL, "all members of a group instead of a person"},
    {"in", FLAG_TEXT, 0, "ORGANISATION", NULL, "there and below it; else everywhere"},
    {0},
};

static const struct flag token_flags[] = {
    {"name", FLAG_TEXT, 0, "NAME", NULL, "what it is for"},
    {"scopes", FLAG_TEXT, 0, "SCOPES", NULL,
     "by space: read, write, PROCESS:read, PROCESS:write; read unless said otherwise"},
    {"expires", FLAG_TEXT, 0, "WHEN", NULL,
     "'90 days', an instant, or never; 365 days unless said"},
    {0},
};

#define ASKS (USE_SERVER | USE_OUTPUT)

const struct command access_commands[] = {
    {
        .words = "group list",
        .arguments = "[WORDS]",
        .most = 1,
        .help = "Groups, by name",
        .examples = "fettle group list",
        .use = ASKS,
        .run = run_group_list,
    },
    {
        .words = "group members",
        .arguments = "GROUP",
        .least = 1,
        .most = 1,
        .help = "The members of a group",
        .examples = "fettle group members 'Service Desk'",
        .use = ASKS,
        .run = run_group_members,
    },
    {
        .words = "group add",
        .arguments = "NAME",
        .least = 1,
        .most = 1,
        .help = "A new group",
        .examples = "fettle group add 'Service Desk' --organisation Example --tier 1",
        .flags = group_flags,
        .use = ASKS,
        .run = run_group_add,
    },
    {
        .words = "group join",
        .arguments = "GROUP LOGIN...",
        .least = 2,
        .most = -1,
        .help = "Make people members",
        .examples = "fettle group join 'Service Desk' desk1 desk2",
        .use = USE_SERVER,
        .run = run_group_join,
    },
    {
        .words = "group leave",
        .arguments = "GROUP LOGIN...",
        .least = 2,
        .most = -1,
        .help = "People are members no more",
        .examples = "fettle group leave 'Service Desk' desk2",
        .use = USE_SERVER,
        .run = run_group_leave,
    },
    {
        .words = "role list",
        .arguments = "[LOGIN]",
        .most = 1,
        .help = "The roles that there are, or those that somebody holds",
        .examples = "fettle role list\n"
                    "fettle role list desk1\n"
                    "fettle role list --group 'Service Desk'",
        .flags = holder_flags,
        .use = ASKS,
        .run = run_role_list,
    },
    {
        .words = "role give",
        .arguments = "ROLE [LOGIN]",
        .least = 1,
        .most = 2,
        .help = "Give a role to a person or a group",
        .examples = "fettle role give agent desk1\n"
                    "fettle role give agent --group 'Service Desk' --in Example",
        .flags = grant_flags,
        .use = ASKS,
        .run = run_role_give,
    },
    {
        .words = "role take",
        .arguments = "ROLE [LOGIN]",
        .least = 1,
        .most = 2,
        .help = "Take a role back",
        .examples = "fettle role take agent desk1",
        .flags = grant_flags,
        .use = USE_SERVER,
        .run = run_role_take,
    },
    {
        .words = "token create",
        .arguments = "LOGIN",
        .least = 1,
        .most = 1,
        .help = "A new API token of a person, printed once",
        .examples = "fettle token create desk1 --name monitoring --scopes 'incident:write' "
                    "--expires '90 days'",
        .flags = token_flags,
        .use = ASKS,
        .run = run_token_create,
    },
    {
        .words = "token list",
        .arguments = "LOGIN",
        .least = 1,
        .most = 1,
        .help = "The tokens of a person, without their secrets",
        .examples = "fettle token list desk1",
        .use = ASKS,
        .run = run_token_list,
    },
    {
        .words = "token revoke",
        .arguments = "LOGIN ID",
        .least = 2,
        .most = 2,
        .help = "A token is refused from now on",
        .examples = "fettle token revoke desk1 3",
        .use = USE_SERVER,
        .run = run_token_revoke,
    },
    {0},
};
