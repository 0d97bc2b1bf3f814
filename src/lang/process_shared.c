#include <string.h>

#include "base/str.h"
#include "lang/calendar.h"
#include "lang/process_read.h"

/* ---- sections: a map of names in any of the files ------------------------------------------- */

struct section {
    const char *key;  /* "roles" */
    const char *what; /* "role" */
    size_t size;      /* of what is read */
    const char *(*read_name)(struct reading *r, const struct yaml *node);
    void (*read)(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret);
    /* Where it goes in struct defs: the array and its count. */
    size_t at, count;
};

static bool is_new_name(struct reading *r, struct map *seen, const struct yaml *key,
                        const char *what)
{
    struct yaml *mine = arena_copy(r->arena, key, sizeof(*key));
    const struct yaml *first = map_put(seen, key->text, mine);
    if (!first)
        return true;
    find_error(r, key, "defined-twice", "%s '%s' is already defined in %s:%d", what, key->text,
               first->file, first->line);
    return false;
}

static void read_section(struct reading *r, const struct section *s,
                         const struct yaml *const *roots, int count, struct list *ret)
{
    struct map seen = {.arena = r->arena};
    for (int i = 0; i < count; i++) {
        const struct yaml *node = yaml_get(roots[i], s->key);
        if (!node || !is_map(r, node, s->key))
            continue;
        for (int n = 0; n < node->count; n++) {
            const struct yaml_pair *pair = &node->pairs[n];
            const char *name = s->read_name(r, &pair->key);
            if (name && is_new_name(r, &seen, &pair->key, s->what))
                s->read(r, pair, name, list_add(r->arena, ret, s->size));
        }
    }
}

/* ---- languages ------------------------------------------------------------------------------ */

void read_languages(struct reading *r, const struct yaml *const *roots, int count)
{
    struct list languages = {0};
    for (int i = 0; i < count; i++) {
        const struct yaml *node = yaml_get(roots[i], "languages");
        const struct items items = node ? read_items(r, node) : (struct items){0};
        for (int n = 0; n < items.count; n++) {
            const char *language = read_text(r, &items.at[n]);
            if (language)
                *(const char **)list_add(r->arena, &languages, sizeof(char *)) = language;
        }
    }
    list_add(r->arena, &languages, sizeof(char *));
    r->defs->languages = languages.at;
}

/* ---- roles ---------------------------------------------------------------------------------- */

static void key_words(struct reading *r, const struct yaml *value, void *member)
{
    const struct items items = read_items(r, value);
    const char **words = arena_array(r->arena, (size_t)items.count + 1, sizeof(*words));
    int n = 0;
    for (int i = 0; i < items.count; i++) {
        words[n] = read_text(r, &items.at[i]);
        if (words[n])
            n++;
    }
    *(const char *const **)member = words;
}

static const struct key role_keys[] = {
    {"label", key_labels, offsetof(struct role, label)},
    {"help", key_labels, offsetof(struct role, help)},
    {"rights", key_words, offsetof(struct role, rights)},
    {0},
};

static void read_role(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret)
{
    struct role *role = ret;
    static const char *const none[] = {NULL};
    *role =
        (struct role){.name = name, .rights = none, .file = pair->key.file, .line = pair->key.line};
    read_keys(r, &pair->value, &pair->key, "role", role_keys, role);
    want_labels(r, &pair->key, role->label, "role '%s'", name);
    if (role->help)
        want_labels(r, &pair->key, role->help, "the help of role '%s'", name);
    if (str_in(name, relation_words))
        find_error(r, &pair->key, "bad-name",
                   "'%s' says how a person relates to a record; a role "
                   "needs another name",
                   name);
}

/* ---- links ---------------------------------------------------------------------------------- */

static const struct label child_label[] = {{"en", "Child"}, {"fr", "Enfant"}, {0}};
static const struct label parent_label[] = {{"en", "Parent"}, {"fr", "Parent"}, {0}};
static const struct link_kind child_link = {
    .name = "child",
    .inverse = "parent",
    .label = child_label,
    .inverse_label = parent_label,
    .is_tree = true,
};

static void key_name(struct reading *r, const struct yaml *value, void *member)
{
    *(const char **)member = read_name(r, value);
}

static const struct key link_keys[] = {
    {"label", key_labels, offsetof(struct link_kind, label)},
    {"inverse", key_name, offsetof(struct link_kind, inverse), true},
    {"inverse_label", key_labels, offsetof(struct link_kind, inverse_label)},
    {0},
};

static void read_link(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret)
{
    struct link_kind *link = ret;
    *link = (struct link_kind){.name = name};
    read_keys(r, &pair->value, &pair->key, "link", link_keys, link);
    want_labels(r, &pair->key, link->label, "link '%s'", name);
    want_labels(r, &pair->key, link->inverse_label, "the inverse of link '%s'", name);
    if (link->inverse && strcmp(link->inverse, name) == 0)
        find_error(r, &pair->key, "bad-name", "link '%s' needs another name for its inverse", name);
    if (str_equal(name, "child") || str_equal(link->inverse, "child") ||
        str_equal(name, "parent") || str_equal(link->inverse, "parent"))
        find_error(r, &pair->key, "defined-twice",
                   "the link child, with its inverse parent, is "
                   "always there");
}

/* ---- calendars ------------------------------------------------------------------------------ */

/* The node that a path such as "hours.mon-fri" or "closed[2]" leads to, as far as it leads. */
static const struct yaml *node_at(struct reading *r, const struct yaml *node, const char *path)
{
    while (path && *path) {
        path += strspn(path, ".[]");
        const size_t len = strcspn(path, ".[]");
        const char *step = arena_strndup(r->arena, path, len);
        int64_t n;
        const struct yaml *next = yaml_get(node, step);
        if (!next && node->kind == YAML_LIST && str_to_int(step, &n) && n >= 0 && n < node->count)
            next = &node->items[n];
        if (!next)
            break;
        node = next;
        path += len;
    }
    return node;
}

static void calendar_faults(struct reading *r, const struct yaml *node)
{
    const struct problem *problems = r->cx->err.problems.at;
    const int count = r->cx->err.problems.count;
    for (int i = 0; i < count; i++)
        find_error(r, node_at(r, node, problems[i].field), "calendar", "%s", problems[i].text);
    if (count == 0)
        find_error(r, node, "calendar", "%s", r->cx->err.text ? r->cx->err.text : "is not good");
    fail_clear(r->cx);
}

static void read_calendar(struct reading *r, const struct yaml_pair *pair, const char *name,
                          void *ret)
{
    const struct calendar *calendar = NULL;
    if (calendar_read(r->cx, name, &pair->value, &calendar) != OK)
        calendar_faults(r, &pair->value);
    else if (strcmp(name, "always") == 0)
        find_error(r, &pair->key, "defined-twice",
                   "the calendar always, around the clock, is "
                   "always there");
    *(const struct calendar **)ret = calendar;
}

static const char always_text[] = "{zone: UTC, hours: {mon-sun: ['00:00-24:00']}}";

static const struct calendar *always_calendar(struct reading *r)
{
    const struct yaml *node;
    const struct calendar *calendar;
    if (yaml_parse(r->cx, "always", always_text, strlen(always_text), &node) != OK ||
        calendar_read(r->cx, "always", node, &calendar) != OK)
        BUG("the calendar that is always there");
    return calendar;
}

/* ---- messages ------------------------------------------------------------------------------- */

static const struct key message_keys[] = {
    {"subject", key_labels, offsetof(struct message, subject), true},
    {"body", key_labels, offsetof(struct message, body), true},
    {0},
};

static void check_braces(struct reading *r, const struct yaml *at, const struct message *m,
                         labels texts)
{
    for (labels l = texts; l && l->language; l++) {
        const char *place = strstr(l->text, "{{");
        for (; place; place = strstr(place + 2, "{{")) {
            const size_t len = strcspn(place + 2, "{}\n ");
            if (len == 0 || strncmp(place + 2 + len, "}}", 2) != 0)
                find_error(r, at, "bad-place",
                           "message '%s' has {{ in its %s text that is not a "
                           "place such as {{number}}",
                           m->name, l->language);
        }
    }
}

static void read_message(struct reading *r, const struct yaml_pair *pair, const char *name,
                         void *ret)
{
    struct message *m = ret;
    *m = (struct message){.name = name};
    read_keys(r, &pair->value, &pair->key, "message", message_keys, m);
    want_labels(r, &pair->key, m->subject, "the subject of message '%s'", name);
    want_labels(r, &pair->key, m->body, "the body of message '%s'", name);
    check_braces(r, &pair->key, m, m->subject);
    check_braces(r, &pair->key, m, m->body);
}

/* ---- all ------------------------------------------------------------------------------------ */

#define SECTION(key, what, type, name, read, array)                                                \
    {                                                                                              \
        key, what, sizeof(type), name, read, offsetof(struct defs, array##s),                      \
            offsetof(struct defs, array##_count)                                                   \
    }
static const struct section sections[] = {
    SECTION("roles", "role", struct role, read_hyphen, read_role, role),
    SECTION("links", "link", struct link_kind, read_name, read_link, link),
    SECTION("calendars", "calendar", struct calendar *, read_hyphen, read_calendar, calendar),
    SECTION("messages", "message", struct message, read_hyphen, read_message, message),
    SECTION("trees", "tree", struct tree, read_name, read_tree, tree),
    {"tables", "table", sizeof(struct matrix), read_name, read_table,
     offsetof(struct defs, matrices), offsetof(struct defs, matrix_count)},
};

const struct key shared_keys[] = {
    {"languages"}, {"roles"},  {"links"},  {"calendars"}, {"messages"},
    {"trees"},     {"tables"}, {"import"}, {0},
};

/* What is there without a file saying so. */
static void add_built_in(struct reading *r, const char *key, struct list *all)
{
    if (strcmp(key, "links") == 0)
        *(struct link_kind *)list_add(r->arena, all, sizeof(child_link)) = child_link;
    if (strcmp(key, "calendars") == 0)
        *(const struct calendar **)list_add(r->arena, all, sizeof(void *)) = always_calendar(r);
}

/* A calendar that could not be read leaves a hole; nobody else does. */
static void drop_holes(struct list *calendars)
{
    const struct calendar **at = calendars->at;
    int n = 0;
    for (int i = 0; i < calendars->count; i++) {
        if (at[i])
            at[n++] = at[i];
    }
    calendars->count = n;
}

void read_shared(struct reading *r, const struct yaml *const *roots, int count)
{
    for (int i = 0; i < ARRAY_LEN(sections); i++) {
        const struct section *s = &sections[i];
        struct list all = {0};
        add_built_in(r, s->key, &all);
        read_section(r, s, roots, count, &all);
        if (strcmp(s->key, "calendars") == 0)
            drop_holes(&all);
        *(void **)((char *)r->defs + s->at) = all.at;
        *(int *)((char *)r->defs + s->count) = all.count;
    }
}
