#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lang/calendar.h"
#include "lang/process_read.h"

/* ---- the file of a process ------------------------------------------------------------------ */

/* What is filled while the top of a file is looked over. */
struct top {
    struct draft draft;
    struct process process;
};

#define LATER(key, member)                                                                         \
    {                                                                                              \
        key, key_node, offsetof(struct top, draft.member)                                          \
    }
static const struct key process_keys[] = {
    {"process"}, /* the name, read before everything else */
    {"label", key_labels, offsetof(struct top, process.label)},
    {"plural", key_labels, offsetof(struct top, process.plural)},
    {"purpose", key_labels, offsetof(struct top, process.purpose)},
    {"scope", key_labels, offsetof(struct top, process.scope)},
    {"series", key_text, offsetof(struct top, process.series)},
    {"number", key_node, offsetof(struct top, draft.number), true},
    LATER("owner", owner),
    LATER("calendar", calendar),
    LATER("rights", rights),
    LATER("fields", field_map),
    LATER("phases", phases),
    {"states", key_node, offsetof(struct top, draft.state_map), true},
    {"actions", key_node, offsetof(struct top, draft.action_map), true},
    LATER("activities", activities),
    /* a file may hold what is shared, too */
    {"languages"},
    {"roles"},
    {"links"},
    {"calendars"},
    {"messages"},
    {"trees"},
    {"tables"},
    {"import"}, /* how a log is read, see doc/importing.md: not ours */
    {0},
};

static void read_top(struct reading *r, struct draft *d)
{
    struct top top = {.draft = *d, .process = *d->p};
    read_keys(r, d->root, d->at, "process", process_keys, &top);
    *d = top.draft;
    *d->p = top.process;
    want_labels(r, d->at, d->p->label, "process '%s'", d->p->name);
    want_labels(r, d->at, d->p->plural, "the plural of process '%s'", d->p->name);
    if (d->p->purpose)
        want_labels(r, d->at, d->p->purpose, "the purpose of process '%s'", d->p->name);
    if (d->p->scope)
        want_labels(r, d->at, d->p->scope, "the scope of process '%s'", d->p->name);
    if (!d->p->series)
        d->p->series = d->p->name;
}

/* A file without a process holds shared things only. */
static void check_shared_file(struct reading *r, const struct yaml *root)
{
    for (int i = 0; i < root->count; i++) {
        const char *key = root->pairs[i].key.text;
        const struct key *known = shared_keys;
        while (known->name && strcmp(known->name, key) != 0)
            known++;
        const struct key *of_process = process_keys;
        while (of_process->name && strcmp(of_process->name, key) != 0)
            of_process++;
        if (known->name)
            continue;
        if (of_process->name)
            find_error(r, &root->pairs[i].key, "no-process",
                       "'%s' belongs to a process, and this file does not say which: write "
                       "process: and its name",
                       key);
        else
            read_keys(r, root, root, "file", shared_keys, NULL);
        if (!of_process->name)
            return; /* read_keys() has named them all */
    }
}

/* ---- number, owner, calendar ---------------------------------------------------------------- */

/* INC-{n}, or INC-{n:5} for five digits at least. */
static bool parse_number(struct reading *r, const char *text, struct process *p)
{
    const char *place = strchr(text, '{');
    if (!place || place == text || strlen(place) < 3 || strncmp(place, "{n", 2) != 0)
        return false;
    const size_t len = (size_t)(place - text);
    if (len > 16 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != len ||
        (text[len - 1] >= '0' && text[len - 1] <= '9') || text[0] < 'A' || text[0] > 'Z')
        return false;
    p->number_prefix = arena_strndup(r->arena, text, len);
    if (strcmp(place, "{n}") == 0)
        return true;
    int64_t width;
    const size_t rest = strlen(place);
    if (place[2] != ':' || place[rest - 1] != '}' ||
        !str_to_int(arena_strndup(r->arena, place + 3, rest - 4), &width) || width < 1 ||
        width > 12)
        return false;
    p->number_width = (int)width;
    return true;
}

static void check_prefix(struct reading *r, const struct draft *d)
{
    for (int i = 0; i < r->draft_count; i++) {
        const struct process *other = r->drafts[i].p;
        if (other == d->p)
            return;
        if (str_equal(other->number_prefix, d->p->number_prefix) &&
            !str_equal(other->series, d->p->series))
            find_error(r, d->number, "defined-twice",
                       "%s has numbers that begin with %s too; give both the same series, or "
                       "another beginning",
                       other->name, other->number_prefix);
    }
}

static void read_number(struct reading *r, struct draft *d)
{
    const char *text = d->number ? read_text(r, d->number) : NULL;
    d->p->number_prefix = "";
    if (!text)
        return;
    if (parse_number(r, text, d->p))
        check_prefix(r, d);
    else
        find_error(r, d->number, "bad-number",
                   "'%s' is not a number such as INC-{n} or INC-{n:5}: capitals first, and {n} at "
                   "the end",
                   text);
}

static void read_owner(struct reading *r, struct draft *d)
{
    if (!d->owner)
        return;
    const struct role *role = read_known(r, d->owner, "role", r->defs->roles, r->defs->role_count,
                                         sizeof(*r->defs->roles));
    d->p->owner = role ? role->name : NULL;
}

static void read_calendar(struct reading *r, struct draft *d)
{
    const char *name = d->calendar ? read_text(r, d->calendar) : NULL;
    d->p->calendar = defs_calendar(r->defs, name ? name : "always");
    if (d->p->calendar)
        return;
    const char **names = arena_array(r->arena, (size_t)r->defs->calendar_count + 1, sizeof(*names));
    for (int i = 0; i < r->defs->calendar_count; i++)
        names[i] = calendar_name(r->defs->calendars[i]);
    find_error(r, d->calendar, "unknown-calendar", "there is no calendar '%s'%s", name,
               hint(r, name, names));
    d->p->calendar = defs_calendar(r->defs, "always");
}

/* ---- the rounds ----------------------------------------------------------------------------- */

/* "file:3:7: what" into its parts: how yaml_parse() says where. */
static void parse_failed(struct reading *r, const struct process_file *file)
{
    const char *text = r->cx->err.text ? r->cx->err.text : "cannot be read";
    struct yaml at = {.file = arena_strdup(r->arena, file->name), .line = 1, .column = 1};
    const size_t len = strlen(file->name);
    if (strncmp(text, file->name, len) == 0 && text[len] == ':') {
        char *end;
        const long line = strtol(text + len + 1, &end, 10);
        const long column = *end == ':' && line > 0 ? strtol(end + 1, &end, 10) : 0;
        if (column > 0) {
            at.line = (int)line;
            at.column = (int)column;
            text = end + (*end == ':');
        } else {
            text += len + 1;
        }
    }
    find_error(r, &at, "yaml", "%s", str_trim(r->arena, text));
    fail_clear(r->cx);
}

/* The trees of the files, without those that are none. */
static int parse_files(struct reading *r, const struct yaml **roots)
{
    int count = 0;
    for (int i = 0; i < r->file_count; i++) {
        const struct process_file *f = &r->files[i];
        const struct yaml *root = NULL;
        if (yaml_parse(r->cx, f->name, f->text, f->len, &root) != OK)
            parse_failed(r, f);
        else if (is_map(r, root, "a process file"))
            roots[count++] = root;
    }
    return count;
}

static bool is_second(struct reading *r, const char *name, const struct yaml *at)
{
    const struct process *first = defs_process(r->defs, name);
    if (first)
        find_error(r, at, "defined-twice", "process '%s' is already defined in %s:%d", name,
                   first->file, first->line);
    return first != NULL;
}

static void name_process(struct reading *r, const struct yaml *root, const struct yaml *at)
{
    const char *name = read_name(r, at);
    if (!name || is_second(r, name, at))
        return;
    if (r->draft_count == MAX_PROCESSES) {
        find_error(r, at, "too-many", "there are at most %d processes", MAX_PROCESSES);
        return;
    }
    struct process *p = &r->defs->processes[r->draft_count];
    *p = (struct process){.name = name, .file = at->file, .line = at->line, .defs = r->defs};
    r->drafts[r->draft_count] = (struct draft){.p = p, .root = root, .at = at};
    r->defs->process_count = ++r->draft_count;
}

static void name_processes(struct reading *r, const struct yaml *const *roots, int count)
{
    r->defs->processes = arena_array(r->arena, MAX_PROCESSES, sizeof(*r->defs->processes));
    r->drafts = arena_array(r->arena, MAX_PROCESSES, sizeof(*r->drafts));
    for (int i = 0; i < count; i++) {
        const struct yaml *at = yaml_get(roots[i], "process");
        if (at)
            name_process(r, roots[i], at);
        else
            check_shared_file(r, roots[i]);
    }
}

/* What a process has, before anything names it. */
static void read_parts(struct reading *r, struct draft *d)
{
    read_number(r, d);
    read_owner(r, d);
    read_calendar(r, d);
    read_phases(r, d);
    read_states(r, d);
    read_fields(r, d);
    read_state_rules(r, d);
    read_action_names(r, d);
}

static void read_values(struct reading *r, struct draft *d)
{
    const struct process *p = d->p;
    expr_scope_of(r->arena, &p, 1, &d->scope);
    read_field_values(r, d);
    read_rights(r, d);
}

static void read_behaviour(struct reading *r, struct draft *d)
{
    read_actions(r, d);
    read_activities(r, d);
}

static void each_draft(struct reading *r, void (*fn)(struct reading *r, struct draft *d))
{
    for (int i = 0; i < r->draft_count; i++)
        fn(r, &r->drafts[i]);
}

static bool has_errors_in(const struct list *findings, const char *file)
{
    const struct finding *f = findings->at;
    for (int i = 0; i < findings->count; i++) {
        if (f[i].level == FINDING_ERROR && strcmp(f[i].file, file) == 0)
            return true;
    }
    return false;
}

/* A table that could not be read would only give findings that are none. */
static void check_all(struct reading *r)
{
    for (int i = 0; i < r->draft_count; i++) {
        if (!has_errors_in(r->findings, r->drafts[i].p->file))
            process_check(r->cx, r->drafts[i].p, r->findings);
    }
}

/* ---- the list of findings ------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    const int file = strcmp(a->file, b->file);
    if (file)
        return file;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp(a->text, b->text);
}

static enum rc conclude(struct ctx *cx, const struct list *findings)
{
    const struct finding *all = findings->at;
    const struct finding *first = NULL;
    int errors = 0;
    for (int i = 0; i < findings->count; i++) {
        errors += all[i].level == FINDING_ERROR;
        if (!first && all[i].level == FINDING_ERROR)
            first = &all[i];
    }
    if (!first)
        return OK;
    return fail(cx, E_INVALID, NULL, "the process files have %d error%s, the first in %s:%d:%d: %s",
                errors, errors == 1 ? "" : "s", first->file, first->line, first->column,
                first->text);
}

enum rc process_load(struct ctx *cx, const struct process_file *files, int count,
                     const struct defs **ret, struct list *ret_findings)
{
    struct list findings = {0};
    struct defs *defs = arena_alloc(cx->arena, sizeof(*defs));
    struct reading r = {
        .cx = cx,
        .arena = cx->arena,
        .files = files,
        .file_count = count,
        .findings = &findings,
        .defs = defs,
    };
    const struct yaml **roots = arena_array(r.arena, (size_t)count + 1, sizeof(*roots));
    const int root_count = parse_files(&r, roots);
    read_languages(&r, roots, root_count);
    name_processes(&r, roots, root_count);
    read_shared(&r, roots, root_count);
    each_draft(&r, read_top);
    each_draft(&r, read_parts);
    each_draft(&r, read_values);
    each_draft(&r, read_behaviour);
    check_all(&r);

    if (findings.count)
        qsort(findings.at, (size_t)findings.count, sizeof(struct finding), compare);
    *ret_findings = findings;
    TRY(conclude(cx, &findings));
    *ret = defs;
    return OK;
}
