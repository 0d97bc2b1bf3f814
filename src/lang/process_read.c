#include "lang/process_read.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define LONGEST_NAME 60
#define SHORT_LIST 8 /* names that a message lists in full */

/* ---- findings ------------------------------------------------------------------------------- */

void finding_add(struct arena *a, struct list *findings, const struct finding *f)
{
    *(struct finding *)list_add(a, findings, sizeof(*f)) = *f;
}

__attribute__((format(printf, 5, 0))) static void find(struct reading *r, enum finding_level level,
                                                       const struct yaml *at, const char *rule,
                                                       const char *fmt, va_list args)
{
    const struct finding f = {
        .level = level,
        .rule = rule,
        .file = at->file,
        .line = at->line,
        .column = at->column,
        .text = arena_vprintf(r->arena, fmt, args),
    };
    finding_add(r->arena, r->findings, &f);
}

void find_error(struct reading *r, const struct yaml *at, const char *rule, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    find(r, FINDING_ERROR, at, rule, fmt, args);
    va_end(args);
}

void find_warning(struct reading *r, const struct yaml *at, const char *rule, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    find(r, FINDING_WARNING, at, rule, fmt, args);
    va_end(args);
}

static int count_names(const char *const *names)
{
    int n = 0;
    while (names[n])
        n++;
    return n;
}

const char *hint(struct reading *r, const char *typed, const char *const *names)
{
    const char *nearest = str_nearest(typed, names);
    if (nearest)
        return arena_printf(r->arena, "; did you mean '%s'?", nearest);
    const int count = count_names(names);
    if (count == 0 || count > SHORT_LIST)
        return "";
    struct buf b = {.arena = r->arena};
    buf_puts(&b, count == 1 ? "; there is only " : "; there are ");
    for (int i = 0; i < count; i++)
        buf_printf(&b, "%s%s", i == 0 ? "" : i == count - 1 ? " and " : ", ", names[i]);
    return buf_text(&b);
}

const char *const *names_of(struct reading *r, const void *at, int count, size_t size)
{
    const char **names = arena_array(r->arena, (size_t)count + 1, sizeof(*names));
    int n = 0;
    for (int i = 0; i < count; i++) {
        const char *name = *(const char *const *)((const char *)at + (size_t)i * size);
        if (name)
            names[n++] = name;
    }
    return names;
}

/* ---- scalars -------------------------------------------------------------------------------- */

/* What YAML 1.1 takes for something else than the word it is. */
static const char *const traps[] = {
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", NULL,
};

bool is_scalar(struct reading *r, const struct yaml *node)
{
    if (node->kind == YAML_SCALAR)
        return true;
    find_error(r, node, "wrong-shape", "a single value is expected here, not a %s",
               node->kind == YAML_MAP ? "map" : "list");
    return false;
}

const char *read_text(struct reading *r, const struct yaml *node)
{
    if (!is_scalar(r, node))
        return NULL;
    if (!node->is_quoted && str_in(str_lower_ascii(r->arena, node->text), traps)) {
        find_error(r, node, "yaml-word",
                   "%s without quotes is not a text in YAML; write \"%s\" or choose another word",
                   node->text, node->text);
        return NULL;
    }
    if (!*node->text) {
        find_error(r, node, "empty", "a text is missing here");
        return NULL;
    }
    return node->text;
}

static const char *read_identifier(struct reading *r, const struct yaml *node, const char *extra,
                                   const char *allowed)
{
    const char *text = read_text(r, node);
    if (!text)
        return NULL;
    bool is_good = *text >= 'a' && *text <= 'z' && strlen(text) <= LONGEST_NAME;
    for (const char *p = text; *p && is_good; p++)
        is_good = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || strchr(extra, *p);
    if (is_good)
        return text;
    find_error(r, node, "bad-name", "'%s' is not a name: use %s, a letter first, at most %d", text,
               allowed, LONGEST_NAME);
    return NULL;
}

const char *read_name(struct reading *r, const struct yaml *node)
{
    return read_identifier(r, node, "_", "a-z, 0-9 and _");
}

const char *read_hyphen(struct reading *r, const struct yaml *node)
{
    return read_identifier(r, node, "_-", "a-z, 0-9, _ and -");
}

bool read_flag(struct reading *r, const struct yaml *node, bool *ret)
{
    if (!is_scalar(r, node))
        return false;
    const bool is_true = strcmp(node->text, "true") == 0;
    if (node->is_quoted || (!is_true && strcmp(node->text, "false") != 0)) {
        find_error(r, node, "not-a-flag", "write true or false here, not %s%s%s",
                   node->is_quoted ? "\"" : "", node->text, node->is_quoted ? "\"" : "");
        return false;
    }
    *ret = is_true;
    return true;
}

bool read_int(struct reading *r, const struct yaml *node, int64_t least, int64_t most, int64_t *ret)
{
    if (!is_scalar(r, node))
        return false;
    int64_t n;
    if (!str_to_int(node->text, &n) || n < least || n > most) {
        find_error(r, node, "not-a-number", "a whole number from %lld to %lld is expected here",
                   (long long)least, (long long)most);
        return false;
    }
    *ret = n;
    return true;
}

int read_word(struct reading *r, const struct yaml *node, const char *what,
              const char *const *names)
{
    const char *text = read_text(r, node);
    if (!text)
        return -1;
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
    }
    find_error(r, node, "unknown-word", "there is no %s '%s'%s", what, text, hint(r, text, names));
    return -1;
}

const void *read_known(struct reading *r, const struct yaml *node, const char *what, const void *at,
                       int count, size_t size)
{
    const char *text = read_text(r, node);
    if (!text)
        return NULL;
    for (int i = 0; i < count; i++) {
        const void *one = (const char *)at + (size_t)i * size;
        if (str_equal(*(const char *const *)one, text))
            return one;
    }
    find_error(r, node, arena_printf(r->arena, "unknown-%s", what), "there is no %s '%s'%s", what,
               text, hint(r, text, names_of(r, at, count, size)));
    return NULL;
}

/* ---- lists and maps ------------------------------------------------------------------------- */

struct items read_items(struct reading *r, const struct yaml *node)
{
    if (node->kind == YAML_LIST)
        return (struct items){node->items, node->count};
    if (node->kind == YAML_SCALAR)
        return (struct items){node, 1};
    find_error(r, node, "wrong-shape", "a list is expected here, not a map");
    return (struct items){0};
}

bool is_map(struct reading *r, const struct yaml *node, const char *what)
{
    if (node->kind == YAML_MAP)
        return true;
    find_error(r, node, "wrong-shape", "%s: a map (name: value) is expected here", what);
    return false;
}

static void unknown_key(struct reading *r, const struct yaml *key, const char *what,
                        const struct key *keys)
{
    int count = 0;
    while (keys[count].name)
        count++;
    find_error(r, key, "unknown-key", "%s: unknown key '%s'%s", what, key->text,
               hint(r, key->text, names_of(r, keys, count, sizeof(*keys))));
}

void read_keys(struct reading *r, const struct yaml *map, const struct yaml *at, const char *what,
               const struct key *keys, void *into)
{
    if (!is_map(r, map, what))
        return;
    for (int i = 0; i < map->count; i++) {
        const struct yaml_pair *pair = &map->pairs[i];
        const struct key *k = keys;
        while (k->name && strcmp(k->name, pair->key.text) != 0)
            k++;
        if (!k->name)
            unknown_key(r, &pair->key, what, keys);
        else if (k->read)
            k->read(r, &pair->value, (char *)into + k->at);
    }
    for (const struct key *k = keys; k->name; k++) {
        if (k->is_required && !yaml_get(map, k->name))
            find_error(r, at, "missing-key", "%s: '%s' is missing", what, k->name);
    }
}

void key_node(struct reading *r, const struct yaml *value, void *member)
{
    (void)r;
    *(const struct yaml **)member = value;
}

void key_text(struct reading *r, const struct yaml *value, void *member)
{
    *(const char **)member = read_text(r, value);
}

void key_labels(struct reading *r, const struct yaml *value, void *member)
{
    *(labels *)member = read_labels(r, value);
}

void key_flag(struct reading *r, const struct yaml *value, void *member)
{
    read_flag(r, value, member);
}

/* ---- labels --------------------------------------------------------------------------------- */

/* A language tag as far as it is needed: "fr", "pt-BR". */
static bool is_language(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    if (n < 2 || n > 3)
        return false;
    return !s[n] || (s[n] == '-' && s[n + 1] && strlen(s) < 16);
}

static const char *read_language(struct reading *r, const struct yaml *key)
{
    const char *language = read_text(r, key);
    if (!language)
        return NULL;
    const char *const *declared = r->defs->languages;
    if (is_language(language) && (!declared[0] || str_in(language, declared)))
        return language;
    find_error(r, key, "unknown-language", "there is no language '%s'%s", language,
               hint(r, language, declared));
    return NULL;
}

labels read_labels(struct reading *r, const struct yaml *node)
{
    if (node->kind == YAML_LIST) {
        find_error(r, node, "wrong-shape", "a text, or one per language, is expected here");
        return NULL;
    }
    const int count = node->kind == YAML_MAP ? node->count : 1;
    struct label *l = arena_array(r->arena, (size_t)count + 1, sizeof(*l));
    if (node->kind == YAML_SCALAR) {
        l[0] = (struct label){"en", read_text(r, node)};
        return l[0].text ? l : NULL;
    }
    int n = 0;
    for (int i = 0; i < count; i++) {
        l[n].language = read_language(r, &node->pairs[i].key);
        l[n].text = read_text(r, &node->pairs[i].value);
        if (l[n].language && l[n].text)
            n++;
    }
    l[n] = (struct label){0};
    return n ? l : NULL;
}

void want_labels(struct reading *r, const struct yaml *at, labels l, const char *fmt, ...)
{
    struct buf missing = {.arena = r->arena};
    for (const char *const *language = r->defs->languages; *language; language++) {
        if (!label_has(l, *language))
            buf_printf(&missing, "%s%s", missing.len ? ", " : "", *language);
    }
    if (!missing.len)
        return;
    va_list args;
    va_start(args, fmt);
    const char *what = arena_vprintf(r->arena, fmt, args);
    va_end(args);
    find_warning(r, at, "missing-label", "%s has no text in %s", what, buf_text(&missing));
}

/* ---- who may -------------------------------------------------------------------------------- */

static const char *const *who_there_is(struct reading *r)
{
    const int relations = count_names(relation_words);
    const char **all =
        arena_array(r->arena, (size_t)(r->defs->role_count + relations) + 1, sizeof(*all));
    for (int i = 0; i < relations; i++)
        all[i] = relation_words[i];
    for (int i = 0; i < r->defs->role_count; i++)
        all[relations + i] = r->defs->roles[i].name;
    return all;
}

const char *const *read_allow(struct reading *r, const struct yaml *node)
{
    const struct items items = read_items(r, node);
    const char **words = arena_array(r->arena, (size_t)items.count + 1, sizeof(*words));
    int n = 0;
    for (int i = 0; i < items.count; i++) {
        const char *word = read_text(r, &items.at[i]);
        if (!word)
            continue;
        if (str_in(word, relation_words) || defs_role(r->defs, word))
            words[n++] = word;
        else
            find_error(r, &items.at[i], "unknown-role", "'%s' is neither a role nor a relation%s",
                       word, hint(r, word, who_there_is(r)));
    }
    return words;
}
