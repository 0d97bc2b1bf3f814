#include <string.h>

#include "base/str.h"
#include "edge/cli.h"

/* ---- pieces --------------------------------------------------------------------------------- */

struct page {
    struct buf *out;
    bool has_colour;
};

static void heading(const struct page *p, const char *text)
{
    buf_printf(p->out, "%s%s%s\n", p->has_colour ? "\x1b[1m" : "", text,
               p->has_colour ? "\x1b[0m" : "");
}

/* "-o, --output FORMAT" */
static const char *flag_form(struct arena *a, const struct flag *f)
{
    const char *letter = f->letter ? arena_printf(a, "-%c, ", f->letter) : "";
    return arena_printf(a, "%s--%s%s%s", letter, f->name, f->value ? " " : "",
                        f->value ? f->value : "");
}

static const char *flag_help(struct arena *a, const struct flag *f)
{
    return f->choices ? arena_printf(a, "%s (one of: %s)", f->help, f->choices) : f->help;
}

static void flag_lines(const struct page *p, const struct flag *flags)
{
    for (const struct flag *f = flags; f && f->name; f++)
        buf_printf(p->out, "  %-26s %s\n", flag_form(p->out->arena, f),
                   flag_help(p->out->arena, f));
}

/* Each line of a text, indented. */
static void lines(const struct page *p, const char *text)
{
    while (*text) {
        const size_t len = strcspn(text, "\n");
        buf_printf(p->out, "%s%.*s\n", len ? "  " : "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static const char *usage_line(struct arena *a, const struct command *m)
{
    return arena_printf(a, "fettle %s%s%s%s", m->words, m->arguments ? " " : "",
                        m->arguments ? m->arguments : "", m->flags || m->use ? " [FLAGS]" : "");
}

/* ---- what a person reads -------------------------------------------------------------------- */

static void command_lines(const struct page *p, const char *group)
{
    int count;
    const struct command *const *all = command_all(p->out->arena, &count);
    const size_t len = group ? strlen(group) : 0;

    for (int i = 0; i < count; i++) {
        if (group && (!str_starts(all[i]->words, group) || all[i]->words[len] != ' '))
            continue;
        buf_printf(p->out, "  %-18s %s\n", all[i]->words, all[i]->help);
    }
}

void help_overview(struct buf *out, bool has_colour)
{
    const struct page p = {out, has_colour};

    buf_puts(out, "fettle - IT service management\n\n");
    heading(&p, "Usage");
    buf_puts(out, "  fettle COMMAND [ARGUMENTS] [FLAGS]\n\n");
    heading(&p, "Commands");
    command_lines(&p, NULL);
    buf_puts(out, "\n");
    heading(&p, "Everywhere");
    flag_lines(&p, cli_common_flags);
    buf_puts(out, "\nTo look around:  fettle serve --demo\n");
}

void help_group(const char *word, struct buf *out, bool has_colour)
{
    const struct page p = {out, has_colour};

    heading(&p, "Commands");
    command_lines(&p, word);
    buf_printf(out, "\n'fettle %s COMMAND --help' says more about each.\n", word);
}

void help_command(const struct command *m, struct buf *out, bool has_colour)
{
    const struct page p = {out, has_colour};

    buf_printf(out, "%s\n\n", m->help);
    heading(&p, "Usage");
    buf_printf(out, "  %s\n", usage_line(out->arena, m));
    if (m->more) {
        buf_puts(out, "\n");
        buf_printf(out, "%s\n", m->more);
    }
    if (m->examples) {
        buf_puts(out, "\n");
        heading(&p, "Examples");
        lines(&p, m->examples);
    }
    buf_puts(out, "\n");
    heading(&p, "Flags");
    flag_lines(&p, m->flags);
    flag_lines(&p, m->use & USE_OUTPUT ? cli_output_flags : NULL);
    flag_lines(&p, m->use & USE_SERVER ? cli_server_flags : NULL);
    flag_lines(&p, cli_common_flags);
    if (m->use & (USE_SETTINGS | USE_SERVER))
        buf_puts(
            out,
            "  --SETTING VALUE            any setting, as 'fettle config manual' lists them\n");
}

/* ---- the manual ----------------------------------------------------------------------------- */

static void flag_rows(struct buf *out, const struct flag *flags)
{
    for (const struct flag *f = flags; f && f->name; f++)
        buf_printf(out, "| `%s` | %s |\n", flag_form(out->arena, f), flag_help(out->arena, f));
}

static void flag_table(struct buf *out, const struct flag *flags)
{
    if (!flags || !flags->name)
        return;
    buf_puts(out, "| flag | |\n|---|---|\n");
    flag_rows(out, flags);
    buf_puts(out, "\n");
}

static const char *also(struct arena *a, int use)
{
    const char *where = use & USE_SERVER     ? "Asks a server ([how](#reaching-a-server))."
                        : use & USE_SETTINGS ? "Takes settings as flags."
                                             : "";
    const char *how = use & USE_OUTPUT ? "Prints a table, JSON or CSV (`-o`)." : "";

    return arena_printf(a, "%s%s%s", where, *where && *how ? " " : "", how);
}

static void manual_command(struct buf *out, const struct command *m)
{
    const char *more = also(out->arena, m->use);

    buf_printf(out, "### %s\n\n%s.\n\n    %s\n\n", m->words, m->help, usage_line(out->arena, m));
    if (m->more)
        buf_printf(out, "%s\n\n", m->more);
    if (*more)
        buf_printf(out, "%s\n\n", more);
    flag_table(out, m->flags);
    if (m->examples) {
        const struct page p = {.out = out};
        buf_puts(out, "```sh\n");
        for (const char *s = m->examples; *s;) {
            const size_t len = strcspn(s, "\n");
            buf_printf(p.out, "%.*s\n", (int)len, s);
            s += len + (s[len] == '\n');
        }
        buf_puts(out, "```\n\n");
    }
}

static const char manual_head[] =
    "# The command line\n"
    "\n"
    "`fettle help` lists the commands, `fettle COMMAND --help` explains one. Flags are written\n"
    "`--flag value` or `--flag=value`. Data goes to standard output, messages to standard error.\n"
    "\n"
    "| exit | |\n"
    "|---|---|\n"
    "| 0 | done |\n"
    "| 1 | not done; standard error says why |\n"
    "| 2 | the command was not understood |\n"
    "| 75 | not now: the server is not there, or busy; try again |\n"
    "\n"
    "`NO_COLOR` switches colours off; without a terminal there are none, and nothing is ever "
    "asked.\n"
    "`fettle help --bash` prints the completion for bash.\n"
    "\n"
    "## Reaching a server\n"
    "\n"
    "Commands about records, people and events are requests of the REST API, sent\n"
    "\n"
    "1. to the address in `--url` or `FETTLE_URL`, with the token in `FETTLE_TOKEN` or a file,\n"
    "2. else to the socket in `--socket` or `FETTLE_SOCKET`, or `fettle.sock` in the data folder:\n"
    "   whoever runs the server, and root, need no token there and may do everything,\n"
    "3. else, when no server runs there, to the database itself, in the command's own process.\n"
    "\n";

void help_manual(struct buf *out)
{
    int count;
    const struct command *const *all = command_all(out->arena, &count);

    buf_puts(out, manual_head);
    flag_table(out, cli_server_flags);
    buf_puts(out, "Printing and everywhere:\n\n| flag | |\n|---|---|\n");
    flag_rows(out, cli_output_flags);
    flag_rows(out, cli_common_flags);
    buf_puts(out, "\n## Commands\n\n");
    for (int i = 0; i < count; i++)
        manual_command(out, all[i]);
    out->len--; /* one new line at the end */
    out->at[out->len] = '\0';
}

/* ---- completion ----------------------------------------------------------------------------- */

static void flag_words(struct buf *out, const struct flag *flags)
{
    for (const struct flag *f = flags; f && f->name; f++)
        buf_printf(out, " --%s", f->name);
}

static const char completion_tail[] =
    "    local command=\"$1 $2\"\n"
    "    [[ -n ${flags[$command]+x} ]] || command=$1\n"
    "    COMPREPLY=()\n"
    "    if [[ $current == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"${flags[$command]}\" -- \"$current\")\n"
    "    elif [[ $COMP_CWORD -eq 1 ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"${next[.]}\" -- \"$current\")\n"
    "    elif [[ $COMP_CWORD -eq 2 && -n ${next[$1]} ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"${next[$1]}\" -- \"$current\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "    fi\n"
    "}\n"
    "complete -o filenames -F _fettle fettle\n";

/* The words that may stand second behind this first one; "" when it stands alone. */
static const char *second_words(struct arena *a, const char *first)
{
    struct buf b = {.arena = a};
    int count;
    const struct command *const *all = command_all(a, &count);
    const size_t len = strlen(first);

    for (int i = 0; i < count; i++) {
        if (str_starts(all[i]->words, first) && all[i]->words[len] == ' ')
            buf_printf(&b, "%s%s", b.len ? " " : "", all[i]->words + len + 1);
    }
    return buf_text(&b);
}

static void completion_words(struct buf *out)
{
    int count;
    const struct command *const *all = command_all(out->arena, &count);
    struct buf first = {.arena = out->arena};
    const char *last = "";

    buf_puts(out, "    local -A next=(\n");
    for (int i = 0; i < count; i++) {
        const char *word = arena_strndup(out->arena, all[i]->words, strcspn(all[i]->words, " "));
        if (str_equal(word, last))
            continue;
        last = word;
        buf_printf(&first, "%s%s", first.len ? " " : "", word);
        buf_printf(out, "        [%s]=\"%s\"\n", word, second_words(out->arena, word));
    }
    buf_printf(out, "        [.]=\"%s\"\n    )\n", buf_text(&first));
}

void help_completion(struct buf *out)
{
    int count;
    const struct command *const *all = command_all(out->arena, &count);

    buf_puts(out, "# Completion of fettle for bash; made by: fettle help --bash\n"
                  "_fettle() {\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]}\n"
                  "    set -- \"${COMP_WORDS[@]:1}\"\n");
    completion_words(out);
    buf_puts(out, "    local -A flags=(\n");
    for (int i = 0; i < count; i++) {
        buf_printf(out, "        [%s]=\"", all[i]->words);
        flag_words(out, all[i]->flags);
        flag_words(out, all[i]->use & USE_OUTPUT ? cli_output_flags : NULL);
        flag_words(out, all[i]->use & USE_SERVER ? cli_server_flags : NULL);
        flag_words(out, cli_common_flags);
        buf_puts(out, "\"\n");
    }
    buf_puts(out, "    )\n");
    buf_puts(out, completion_tail);
}
