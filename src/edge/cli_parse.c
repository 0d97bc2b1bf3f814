#include "edge/cli_parse.h"

#include <string.h>

#include "base/settings.h"
#include "base/str.h"

struct cli_given {
    const struct flag *flag;
    const char *text;
    int64_t n;
};

/* ---- what was given ------------------------------------------------------------------------- */

static const struct cli_given *find_given(const struct cli *c, const char *flag)
{
    const struct cli_given *g = c->given.at;

    for (int i = c->given.count; i > 0; i--) {
        if (str_equal(g[i - 1].flag->name, flag))
            return &g[i - 1];
    }
    return NULL;
}

const char *cli_text(const struct cli *c, const char *flag)
{
    const struct cli_given *g = find_given(c, flag);
    return g ? g->text : NULL;
}

int64_t cli_int(const struct cli *c, const char *flag, int64_t otherwise)
{
    const struct cli_given *g = find_given(c, flag);
    return g ? g->n : otherwise;
}

bool cli_is(const struct cli *c, const char *flag)
{
    return find_given(c, flag);
}

/* ---- the command's words -------------------------------------------------------------------- */

const struct command *const *command_all(struct arena *a, int *ret_count)
{
    struct list all = {0};

    for (int t = 0; command_tables[t]; t++) {
        for (const struct command *m = command_tables[t]; m->words; m++) {
            const struct command **row = list_add(a, &all, sizeof(*row));
            *row = m;
        }
    }
    *ret_count = all.count;
    return all.at;
}

const struct command *command_find(const char *words)
{
    for (int t = 0; command_tables[t]; t++) {
        for (const struct command *m = command_tables[t]; m->words; m++) {
            if (str_equal(m->words, words))
                return m;
        }
    }
    return NULL;
}

static bool begins_group(const char *word)
{
    const size_t len = strlen(word);

    for (int t = 0; command_tables[t]; t++) {
        for (const struct command *m = command_tables[t]; m->words; m++) {
            if (str_starts(m->words, word) && m->words[len] == ' ')
                return true;
        }
    }
    return false;
}

/* Every command, and every first word, for "did you mean". */
static const char *const *known_words(struct arena *a)
{
    int count;
    const struct command *const *all = command_all(a, &count);
    const char **names = arena_array(a, (size_t)count * 2 + 1, sizeof(*names));
    int n = 0;

    for (int i = 0; i < count; i++) {
        names[n++] = all[i]->words;
        names[n++] = arena_strndup(a, all[i]->words, strcspn(all[i]->words, " "));
    }
    return names;
}

static enum rc unknown_command(struct ctx *cx, const char *typed)
{
    const char *near = str_nearest(typed, known_words(cx->arena));

    if (near)
        return cli_usage(cx, "there is no command '%s'; did you mean '%s'?", typed, near);
    return cli_usage(cx, "there is no command '%s'; 'fettle help' lists them", typed);
}

/* How many words the command has: 0, 1 or 2. */
static enum rc find_command(struct ctx *cx, const char *const *args, struct wish *ret,
                            int *ret_words)
{
    const char *first = args[0], *second = first ? args[1] : NULL;
    const bool is_two = second && *second != '-';
    const char *both = is_two ? arena_printf(cx->arena, "%s %s", first, second) : first;

    *ret_words = 0;
    if (!first || *first == '-')
        return OK;
    ret->command = command_find(both);
    *ret_words = is_two ? 2 : 1;
    if (ret->command)
        return OK;
    if (!begins_group(first)) {
        *ret_words = 1;
        ret->command = command_find(first);
        return ret->command ? OK : unknown_command(cx, first);
    }
    ret->group = first;
    return is_two ? unknown_command(cx, both) : OK;
}

/* ---- flags ---------------------------------------------------------------------------------- */

struct parsing {
    struct cli *c;
    struct wish *wish;
    const struct flag *sets[5]; /* tables that the command takes, NULL at the end */
};

static void find_sets(struct parsing *p)
{
    const struct command *m = p->wish->command;
    int n = 0;

    if (m && m->flags)
        p->sets[n++] = m->flags;
    if (m && m->use & USE_OUTPUT)
        p->sets[n++] = cli_output_flags;
    if (m && m->use & USE_SERVER)
        p->sets[n++] = cli_server_flags;
    p->sets[n] = cli_common_flags;
}

static const struct flag *find_flag(const struct parsing *p, const char *name, char letter)
{
    for (int i = 0; p->sets[i]; i++) {
        for (const struct flag *f = p->sets[i]; f->name; f++) {
            if (name ? str_equal(f->name, name) : f->letter == letter)
                return f;
        }
    }
    return NULL;
}

static const struct setting *find_setting(const struct parsing *p, const char *name)
{
    const struct setting *s = settings_table();
    const struct command *m = p->wish->command;

    for (int i = 0; m && m->use & (USE_SETTINGS | USE_SERVER) && i < SETTING_COUNT; i++) {
        if (str_equal(s[i].name, name))
            return &s[i];
    }
    return NULL;
}

static enum rc unknown_flag(struct ctx *cx, const struct parsing *p, const char *typed)
{
    const struct command *m = p->wish->command;
    struct list names = {0};

    for (int i = 0; p->sets[i]; i++) {
        for (const struct flag *f = p->sets[i]; f->name; f++)
            *(const char **)list_add(cx->arena, &names, sizeof(char *)) = f->name;
    }
    for (int i = 0; m && m->use & (USE_SETTINGS | USE_SERVER) && i < SETTING_COUNT; i++)
        *(const char **)list_add(cx->arena, &names, sizeof(char *)) = settings_table()[i].name;
    list_add(cx->arena, &names, sizeof(char *));
    const char *name = typed + strspn(typed, "-");
    const char *near = str_nearest(arena_strndup(cx->arena, name, strcspn(name, "=")), names.at);
    if (near)
        return cli_usage(cx, "there is no flag '%s'; did you mean '--%s'?", typed, near);
    return cli_usage(cx, "there is no flag '%s' here%s%s%s", typed, m ? "; see 'fettle " : "",
                     m ? m->words : "", m ? " --help'" : "");
}

static bool is_choice(const char *choices, const char *text)
{
    const char *found = *text ? strstr(choices, text) : NULL;
    const size_t len = strlen(text);

    while (found) {
        const bool begins = found == choices || found[-1] == ' ';
        if (begins && (found[len] == ' ' || !found[len]))
            return true;
        found = strstr(found + 1, text);
    }
    return false;
}

static enum rc keep_flag(struct ctx *cx, struct parsing *p, const struct flag *f, const char *text)
{
    struct cli_given g = {.flag = f, .text = text};

    if (f->kind == FLAG_INT && (!str_to_int(text, &g.n) || g.n < 0))
        return cli_usage(cx, "--%s wants a whole number, not '%s'", f->name, text);
    if (f->choices && !is_choice(f->choices, text))
        return cli_usage(cx, "--%s is one of: %s", f->name, f->choices);
    *(struct cli_given *)list_add(cx->arena, &p->c->given, sizeof(g)) = g;
    p->wish->wants_help |= str_equal(f->name, "help");
    return OK;
}

/* Behind '=', or the next argument, which is then used up. */
static enum rc take_value(struct ctx *cx, const char *typed, const char *inside,
                          const char *const **args, const char **ret)
{
    if (!inside && !(*args)[1])
        return cli_usage(cx, "%s wants a value", typed);
    *ret = inside ? inside : *++*args;
    return OK;
}

static enum rc parse_setting(struct ctx *cx, struct parsing *p, const struct setting *s,
                             const char *inside, const char *const **args)
{
    const char *value = "true";

    if (inside || s->kind != SET_FLAG)
        TRY(take_value(cx, **args, inside, args, &value));
    *(const char **)list_add(cx->arena, &p->c->setting_flags, sizeof(char *)) =
        arena_printf(cx->arena, "--%s=%s", s->name, value);
    return OK;
}

static enum rc parse_long(struct ctx *cx, struct parsing *p, const char *const **args)
{
    const char *typed = **args, *equals = strchr(typed, '=');
    const char *inside = equals ? equals + 1 : NULL;
    const char *name = arena_strndup(cx->arena, typed + 2, strcspn(typed + 2, "="));
    const struct flag *f = find_flag(p, name, 0);
    const struct setting *s = f ? NULL : find_setting(p, name);
    const char *value = NULL;

    if (s)
        return parse_setting(cx, p, s, inside, args);
    if (!f)
        return unknown_flag(cx, p, typed);
    if (f->kind == FLAG_SWITCH && inside)
        return cli_usage(cx, "--%s takes no value", name);
    if (f->kind != FLAG_SWITCH)
        TRY(take_value(cx, typed, inside, args, &value));
    return keep_flag(cx, p, f, value);
}

/* -n, -o json, -ojson; letters are not joined. */
static enum rc parse_letter(struct ctx *cx, struct parsing *p, const char *const **args)
{
    const char *typed = **args;
    const struct flag *f = find_flag(p, NULL, typed[1]);
    const char *value = NULL;

    if (!f || (f->kind == FLAG_SWITCH && typed[2]))
        return unknown_flag(cx, p, typed);
    if (f->kind != FLAG_SWITCH)
        TRY(take_value(cx, typed, typed[2] ? typed + 2 : NULL, args, &value));
    return keep_flag(cx, p, f, value);
}

static enum rc parse_arguments(struct ctx *cx, struct parsing *p, const char *const *args)
{
    struct list plain = {0};
    bool are_flags = true;

    for (; *args; args++) {
        const bool is_flag = are_flags && (*args)[0] == '-' && (*args)[1];
        if (are_flags && str_equal(*args, "--"))
            are_flags = false;
        else if (!is_flag)
            *(const char **)list_add(cx->arena, &plain, sizeof(char *)) = *args;
        else if ((*args)[1] == '-')
            TRY(parse_long(cx, p, &args));
        else
            TRY(parse_letter(cx, p, &args));
    }
    p->c->arg_count = plain.count;
    list_add(cx->arena, &plain, sizeof(char *));
    p->c->args = plain.at;
    list_add(cx->arena, &p->c->setting_flags, sizeof(char *)); /* ends with NULL */
    return OK;
}

static enum rc check_count(struct ctx *cx, const struct cli *c)
{
    const struct command *m = c->command;

    if (c->arg_count < m->least)
        return cli_usage(cx, "fettle %s wants %s", m->words, m->arguments);
    if (m->most >= 0 && c->arg_count > m->most)
        return cli_usage(cx, "fettle %s does not take '%s'", m->words, c->args[m->most]);
    return OK;
}

/* Everything is text for us from here on; the rest of the program relies on UTF-8. */
static enum rc check_text(struct ctx *cx, const char *const *args)
{
    for (; *args; args++) {
        if (!str_is_utf8(*args, strlen(*args)))
            return cli_usage(cx, "arguments must be UTF-8");
    }
    return OK;
}

enum rc cli_parse(struct ctx *cx, const char *const *args, struct cli *c, struct wish *ret)
{
    struct parsing p = {.c = c, .wish = ret};
    int words;

    *ret = (struct wish){0};
    TRY(check_text(cx, args));
    TRY(find_command(cx, args, ret, &words));
    c->command = ret->command;
    find_sets(&p);
    TRY(parse_arguments(cx, &p, args + words));
    if (!ret->command || ret->wants_help)
        return OK;
    return check_count(cx, c);
}
