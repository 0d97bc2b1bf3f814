/* cli_people.c - people and organisations. */
#include "edge/cli_people.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/str.h"
#include "edge/cli_out.h"
#include "lang/words.h"

/* ---- names ---------------------------------------------------------------------------------- */

static const struct {
    const char *path, *what;
    const char *keys[3]; /* members that name it, NULL at the end */
} kinds[] = {
    [NAMED_PERSON] = {"/api/v1/people", "person", {"login", "email"}},
    [NAMED_GROUP] = {"/api/v1/groups", "group", {"name"}},
    [NAMED_ORGANISATION] = {"/api/v1/organisations", "organisation", {"name"}},
};

struct finding_name {
    struct arena *arena; /* for what is found */
    enum named kind;
    const char *folded;
    const char *id;
};

static enum rc look_at_page(struct ctx *page, struct cli *c, struct val rows, void *arg)
{
    struct finding_name *f = arg;

    (void)c;
    for (int i = 0; i < rows.count; i++) {
        for (const char *const *key = kinds[f->kind].keys; *key; key++) {
            const char *name = val_get_text(&rows.items[i], *key);
            if (name && str_equal(words_fold(page->arena, name), f->folded))
                f->id = arena_strdup(f->arena, val_get_text(&rows.items[i], "id"));
        }
    }
    return OK;
}

enum rc people_find(struct ctx *cx, struct cli *c, enum named kind, const char *name,
                    const char **ret_id)
{
    struct finding_name f = {cx->arena, kind, words_fold(cx->arena, name), NULL};
    const char *path =
        arena_printf(cx->arena, "%s?words=%s", kinds[kind].path, ask_encoded(cx->arena, name));

    if (*name && !name[strspn(name, "0123456789")]) {
        *ret_id = name;
        return OK;
    }
    TRY(ask_pages(cx, c, path, 0, look_at_page, &f, NULL));
    if (!f.id)
        return fail(cx, E_NOT_FOUND, NULL, "there is no %s %s", kinds[kind].what, name);
    *ret_id = f.id;
    return OK;
}

enum rc people_put(struct ctx *cx, struct cli *c, enum named kind, const char *name,
                   struct val_map *to, const char *member)
{
    const char *id;

    if (!name)
        return OK;
    TRY(people_find(cx, c, kind, name, &id));
    val_map_set(cx->arena, to, member, val_text(id));
    return OK;
}

void people_put_flag(struct ctx *cx, const struct cli *c, const char *flag, struct val_map *to,
                     const char *member)
{
    if (cli_text(c, flag))
        val_map_set(cx->arena, to, member, val_text(cli_text(c, flag)));
}

/* ---- passwords ------------------------------------------------------------------------------ */

static enum rc read_line(struct ctx *cx, const char **ret)
{
    char line[1100];

    if (!fgets(line, sizeof(line), stdin))
        return fail(cx, E_INVALID, NULL, "there is no password on standard input");
    line[strcspn(line, "\r\n")] = '\0';
    *ret = arena_strdup(cx->arena, line);
    return OK;
}

/* Typed unseen on a terminal, else the first line of standard input; never an argument, which
 * everybody on the machine could read. */
static enum rc read_password(struct ctx *cx, const struct cli *c, const char **ret)
{
    struct termios before, silent;

    if (!isatty(STDIN_FILENO) || !c->is_watched || tcgetattr(STDIN_FILENO, &before) != 0)
        return read_line(cx, ret);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    fputs("New password: ", stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    const enum rc rc = read_line(cx, ret);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputs("\n", stderr);
    return rc;
}

/* ---- people --------------------------------------------------------------------------------- */

static const struct column person_columns[] = {
    {"ID", "id", true},
    {"LOGIN", "login", false},
    {"NAME", "name", false},
    {"ORGANISATION", "organisation", false},
    {"EMAIL", "email", false},
    {"DISABLED", "disabled", false},
    {0},
};

/* Words and organisation as a query: "?words=an&organisation=3&". */
static enum rc list_path(struct ctx *cx, struct cli *c, const char *path, const char **ret)
{
    struct buf b = {.arena = cx->arena};
    const char *id;

    buf_printf(&b, "%s?", path);
    if (c->arg_count)
        buf_printf(&b, "words=%s&", ask_encoded(cx->arena, c->args[0]));
    if (cli_text(c, "organisation")) {
        TRY(people_find(cx, c, NAMED_ORGANISATION, cli_text(c, "organisation"), &id));
        buf_printf(&b, "organisation=%s&", id);
    }
    b.at[--b.len] = '\0';
    *ret = buf_text(&b);
    return OK;
}

static enum rc run_user_list(struct ctx *cx, struct cli *c)
{
    const char *path;

    TRY(list_path(cx, c, "/api/v1/people", &path));
    return ask_print(cx, c, path, 0, person_columns, NULL);
}

static enum rc give_role(struct ctx *cx, struct cli *c, const char *person, const char *role)
{
    struct val_map map = {0};
    struct answer a;

    if (!role)
        return OK;
    val_map_set(cx->arena, &map, "role", val_text(role));
    val_map_set(cx->arena, &map, "person", val_text(person));
    const struct val body = val_from_map(&map);
    return ask(cx, c, HTTP_POST_, "/api/v1/role-grants", &body, NULL, &a);
}

static enum rc run_user_add(struct ctx *cx, struct cli *c)
{
    const char *organisation = cli_text(c, "organisation"), *password = NULL;
    struct val_map map = {0};
    struct answer a;

    if (!organisation)
        return cli_usage(cx, "--organisation says where the person belongs");
    if (cli_is(c, "password"))
        TRY(read_password(cx, c, &password));
    val_map_set(cx->arena, &map, "login", val_text(c->args[0]));
    val_map_set(cx->arena, &map, "name",
                val_text(cli_text(c, "name") ? cli_text(c, "name") : c->args[0]));
    TRY(people_put(cx, c, NAMED_ORGANISATION, organisation, &map, "organisation"));
    people_put_flag(cx, c, "email", &map, "email");
    people_put_flag(cx, c, "language", &map, "language");
    people_put_flag(cx, c, "time-zone", &map, "time_zone");
    if (cli_is(c, "service"))
        val_map_set(cx->arena, &map, "service", val_flag(true));
    if (password)
        val_map_set(cx->arena, &map, "password", val_text(password));
    const struct val body = val_from_map(&map);
    TRY(ask(cx, c, HTTP_POST_, "/api/v1/people", &body, NULL, &a));
    TRY(give_role(cx, c, val_get_text(&a.body, "id"), cli_text(c, "role")));
    out_one(c, a.body);
    return OK;
}

static enum rc run_user_password(struct ctx *cx, struct cli *c)
{
    const char *id, *password;
    struct val_map map = {0};
    struct answer a;

    TRY(people_find(cx, c, NAMED_PERSON, c->args[0], &id));
    TRY(read_password(cx, c, &password));
    val_map_set(cx->arena, &map, "password", val_text(password));
    const struct val body = val_from_map(&map);
    TRY(ask(cx, c, HTTP_PUT_, arena_printf(cx->arena, "/api/v1/people/%s/password", id), &body,
            NULL, &a));
    cli_tell("%s has a new password; sessions elsewhere have ended", c->args[0]);
    return OK;
}

static enum rc switch_user(struct ctx *cx, struct cli *c, const char *what, const char *done)
{
    const char *id;
    struct answer a;

    TRY(people_find(cx, c, NAMED_PERSON, c->args[0], &id));
    TRY(ask(cx, c, HTTP_POST_, arena_printf(cx->arena, "/api/v1/people/%s/%s", id, what), NULL,
            NULL, &a));
    cli_tell("%s %s", c->args[0], done);
    return OK;
}

static enum rc run_user_disable(struct ctx *cx, struct cli *c)
{
    return switch_user(cx, c, "disable", "cannot sign in any more");
}

static enum rc run_user_enable(struct ctx *cx, struct cli *c)
{
    return switch_user(cx, c, "enable", "may sign in again");
}

/* ---- organisations -------------------------------------------------------------------------- */

static const struct column organisation_columns[] = {
    {"ID", "id", true},
    {"NAME", "name", false},
    {"PARENT", "parent", false},
    {"LANGUAGE", "language", false},
    {"TIME ZONE", "time_zone", false},
    {"RETIRED", "retired", false},
    {0},
};

static enum rc run_organisation_list(struct ctx *cx, struct cli *c)
{
    const char *path;

    TRY(list_path(cx, c, "/api/v1/organisations", &path));
    return ask_print(cx, c, path, 0, organisation_columns, NULL);
}

static enum rc run_organisation_add(struct ctx *cx, struct cli *c)
{
    struct val_map map = {0};
    struct answer a;

    val_map_set(cx->arena, &map, "name", val_text(c->args[0]));
    TRY(people_put(cx, c, NAMED_ORGANISATION, cli_text(c, "parent"), &map, "parent"));
    people_put_flag(cx, c, "language", &map, "language");
    people_put_flag(cx, c, "time-zone", &map, "time_zone");
    const struct val body = val_from_map(&map);
    TRY(ask(cx, c, HTTP_POST_, "/api/v1/organisations", &body, NULL, &a));
    out_one(c, a.body);
    return OK;
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag list_flags[] = {
    {"organisation", FLAG_TEXT, 0, "NAME", NULL, "only of this organisation"},
    {0},
};

static const struct flag user_flags[] = {
    {"name", FLAG_TEXT, 0, "NAME", NULL, "as others see it; the login unless said otherwise"},
    {"organisation", FLAG_TEXT, 0, "NAME", NULL, "where the person belongs; needed"},
    {"email", FLAG_TEXT, 0, "ADDRESS", NULL, "for messages and for signing in"},
    {"language", FLAG_TEXT, 0, "TAG", NULL, "of messages: en, fr"},
    {"time-zone", FLAG_TEXT, 0, "ZONE", NULL, "IANA name"},
    {"role", FLAG_TEXT, 0, "ROLE", NULL, "give this role, everywhere"},
    {"service", FLAG_SWITCH, 0, NULL, NULL, "an integration, not a human being"},
    {"password", FLAG_SWITCH, 0, NULL, NULL, "ask for a password, or read it from standard input"},
    {0},
};

static const struct flag organisation_flags[] = {
    {"parent", FLAG_TEXT, 0, "NAME", NULL, "the organisation that it is part of"},
    {"language", FLAG_TEXT, 0, "TAG", NULL, "of its people, unless they have their own"},
    {"time-zone", FLAG_TEXT, 0, "ZONE", NULL, "of its people, unless they have their own"},
    {0},
};

#define ASKS (USE_SERVER | USE_OUTPUT)

const struct command people_commands[] = {
    {
        .words = "user list",
        .arguments = "[WORDS]",
        .most = 1,
        .help = "People, by name; WORDS begin a name, login or e-mail address",
        .examples = "fettle user list\n"
                    "fettle user list desk -o csv",
        .flags = list_flags,
        .use = ASKS,
        .run = run_user_list,
    },
    {
        .words = "user add",
        .arguments = "LOGIN",
        .least = 1,
        .most = 1,
        .help = "A new person",
        .examples =
            "fettle user add desk3 --name 'Desk Agent Three' --organisation Example --role agent "
            "--password",
        .flags = user_flags,
        .use = ASKS,
        .run = run_user_add,
    },
    {
        .words = "user password",
        .arguments = "LOGIN",
        .least = 1,
        .most = 1,
        .help = "Set a password: typed unseen, or the first line of standard input",
        .examples = "fettle user password desk3",
        .use = USE_SERVER,
        .run = run_user_password,
    },
    {
        .words = "user disable",
        .arguments = "LOGIN",
        .least = 1,
        .most = 1,
        .help = "The person cannot sign in any more; sessions end at once",
        .examples = "fettle user disable desk3",
        .use = USE_SERVER,
        .run = run_user_disable,
    },
    {
        .words = "user enable",
        .arguments = "LOGIN",
        .least = 1,
        .most = 1,
        .help = "The person may sign in again",
        .examples = "fettle user enable desk3",
        .use = USE_SERVER,
        .run = run_user_enable,
    },
    {
        .words = "organisation list",
        .arguments = "[WORDS]",
        .most = 1,
        .help = "Organisations, by name",
        .examples = "fettle organisation list",
        .use = ASKS,
        .run = run_organisation_list,
    },
    {
        .words = "organisation add",
        .arguments = "NAME",
        .least = 1,
        .most = 1,
        .help = "A new organisation",
        .examples = "fettle organisation add 'Example Lyon' --parent Example --language fr",
        .flags = organisation_flags,
        .use = ASKS,
        .run = run_organisation_add,
    },
    {0},
};
