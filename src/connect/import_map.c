#include "connect/import_map.h"

#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"
#include "base/time.h"
#include "base/yaml.h"
#include "lang/zone.h"

/* ---- using a mapping ------------------------------------------------------------------------ */

const char *pair_to(const struct list *pairs, const char *from)
{
    const struct map_pair *p = pairs->at;

    for (int i = 0; i < pairs->count; i++) {
        if (str_equal(p[i].from, from))
            return p[i].to;
    }
    return NULL;
}

const char *mapping_value(const struct mapping *m, const struct source_row *row, const char *name)
{
    const char *value = name ? row_get(row, name) : NULL;
    const char *const *missing = m->missing.at;

    for (int i = 0; value && i < m->missing.count; i++) {
        if (str_equal(value, missing[i]))
            return NULL;
    }
    return str_is_empty(value) ? NULL : value;
}

const char *mapping_state_key(struct arena *a, const struct mapping *m,
                              const struct source_row *row)
{
    struct buf b = {.arena = a};
    const char *const *from = m->state_from.at;

    for (int i = 0; i < m->state_from.count; i++) {
        const char *value = row_get(row, from[i]);
        buf_printf(&b, "%s%s", i ? "/" : "", value ? value : "");
    }
    return buf_text(&b);
}

/* ---- times ---------------------------------------------------------------------------------- */

/* The next piece of a format, as in CLDR: a run of one letter, or a character that stands for
 * itself, in quotes or not. False at the end. */
struct piece {
    char letter; /* 0: `plain` stands for itself */
    char plain;
    int count;
};

static bool next_piece(const char **format, bool *is_quoted, struct piece *ret)
{
    while (**format == '\'') {
        *is_quoted = !*is_quoted;
        ++*format;
    }
    const char c = **format;
    const bool is_letter = !*is_quoted && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    *ret = (struct piece){.letter = is_letter ? c : 0, .plain = c, .count = 1};
    while (is_letter && (*format)[ret->count] == c)
        ret->count++;
    *format += c ? ret->count : 0;
    return c;
}

/* A single letter takes one digit or two, a run of them exactly so many. */
static bool digits(const char **s, int count, int64_t *ret)
{
    const char *start = *s;
    const int most = count == 1 ? 2 : count;

    *ret = 0;
    for (; *s - start < most && **s >= '0' && **s <= '9'; (*s)++)
        *ret = *ret * 10 + (**s - '0');
    return *s - start >= count;
}

/* 31 February is a day's number too, but not this date's. */
static bool is_date(int64_t days, int64_t year, int64_t month, int64_t day)
{
    int64_t y;
    int m, d;

    time_civil_from_days(days, &y, &m, &d);
    return year >= 1 && year <= 9999 && y == year && m == month && d == day;
}

static bool parse_format(const char *format, const char *s, int64_t *ret_wall)
{
    int64_t part[128] = {['M'] = 1, ['d'] = 1};
    bool is_quoted = false;
    struct piece p;

    while (next_piece(&format, &is_quoted, &p)) {
        if (p.letter && !digits(&s, p.count, &part[(int)p.letter]))
            return false;
        if (!p.letter && *s++ != p.plain)
            return false;
    }
    const int64_t days = time_days_from_civil(part['y'], (int)part['M'], (int)part['d']);
    if (*s || part['H'] > 23 || part['m'] > 59 || part['s'] > 59 ||
        !is_date(days, part['y'], part['M'], part['d']))
        return false;
    *ret_wall =
        days * US_PER_DAY + part['H'] * US_PER_HOUR + part['m'] * US_PER_MIN + part['s'] * US_PER_S;
    return true;
}

bool mapping_at(const struct mapping *m, const struct source_row *row, int64_t *ret)
{
    const char *value = mapping_value(m, row, m->at);
    int64_t wall;

    if (!value)
        return false;
    if (!m->at_format)
        return time_parse_instant(value, ret);
    if (!parse_format(m->at_format, value, &wall))
        return false;
    *ret = m->zone ? zone_begin(m->zone, wall) : wall;
    return true;
}

/* Which letters a time can be written with, and how often each. */
static enum rc check_format(struct ctx *cx, const struct yaml *node, const char *format)
{
    bool is_quoted = false, has_year = false;
    struct piece p;

    for (const char *s = format; next_piece(&s, &is_quoted, &p);) {
        if (p.letter && !strchr("yMdHms", p.letter))
            return yaml_fail(
                cx, E_INVALID, node,
                "%c is no part of a time; use y M d H m s, and quotes for other letters", p.letter);
        if (p.letter && (p.letter == 'y' ? p.count != 4 : p.count > 2))
            return yaml_fail(cx, E_INVALID, node, "write yyyy, and other parts with two letters");
        has_year |= p.letter == 'y';
    }
    return has_year ? OK : yaml_fail(cx, E_INVALID, node, "a time needs its year: yyyy");
}

/* ---- reading it ----------------------------------------------------------------------------- */

static const char *text_of(const struct yaml *node)
{
    return node && node->kind == YAML_SCALAR && *node->text ? node->text : NULL;
}

static enum rc need_text(struct ctx *cx, const struct yaml *map, const char *key, const char **ret)
{
    const struct yaml *node = yaml_get(map, key);

    if (!text_of(node))
        return yaml_fail(cx, E_INVALID, node ? node : map, "%s is missing", key);
    *ret = text_of(node);
    return OK;
}

static void read_texts(struct ctx *cx, const struct yaml *node, struct list *to)
{
    if (text_of(node)) {
        const char **one = list_add(cx->arena, to, sizeof(*one));
        *one = node->text;
    }
    for (int i = 0; node && node->kind == YAML_LIST && i < node->count; i++)
        read_texts(cx, &node->items[i], to);
}

static void read_pairs(struct ctx *cx, const struct yaml *node, struct list *to)
{
    for (int i = 0; node && node->kind == YAML_MAP && i < node->count; i++) {
        struct map_pair *p = list_add(cx->arena, to, sizeof(*p));
        *p = (struct map_pair){node->pairs[i].key.text, text_of(&node->pairs[i].value)};
    }
}

static enum rc check_states(struct ctx *cx, const struct yaml *map, struct mapping *m)
{
    const struct yaml *node = yaml_get(map, "map");

    for (int i = 0; node && node->kind == YAML_MAP && i < node->count; i++) {
        const char *state = text_of(&node->pairs[i].value);
        if (!state || !process_state(m->process, state))
            return yaml_fail(cx, E_INVALID, &node->pairs[i].value, "%s has no state %s",
                             m->process->name, state ? state : "");
    }
    read_pairs(cx, node, &m->state_pairs);
    return OK;
}

static enum rc read_state(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    read_texts(cx, yaml_get(node, "from"), &m->state_from);
    if (!m->state_from.count)
        return yaml_fail(cx, E_INVALID, node, "say in from which attributes make the state");
    return check_states(cx, node, m);
}

static enum rc read_field(struct ctx *cx, const struct yaml_pair *pair, struct mapping *m)
{
    const struct field *f = process_field(m->process, pair->key.text);
    const bool is_map = pair->value.kind == YAML_MAP;

    if (!f || f->is_system)
        return yaml_fail(cx, E_INVALID, &pair->key, "%s has no field %s that can be set",
                         m->process->name, pair->key.text);
    struct map_field *field = list_add(cx->arena, &m->fields, sizeof(*field));
    *field = (struct map_field){.field = f, .from = text_of(&pair->value)};
    if (is_map)
        TRY(need_text(cx, &pair->value, "from", &field->from));
    read_pairs(cx, yaml_get(&pair->value, "map"), &field->pairs);
    return field->from ? OK : yaml_fail(cx, E_INVALID, &pair->value, "say which attribute it is");
}

static enum rc read_fields(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    for (int i = 0; node->kind == YAML_MAP && i < node->count; i++)
        TRY(read_field(cx, &node->pairs[i], m));
    return OK;
}

static enum rc read_process(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    m->process = text_of(node) ? defs_process(cx->defs, node->text) : NULL;
    if (!m->process)
        return yaml_fail(cx, E_INVALID, node, "there is no process %s", node->text);
    return OK;
}

static enum rc read_format(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    m->is_csv = str_equal(text_of(node), "csv");
    if (!m->is_csv && !str_equal(text_of(node), "xes"))
        return yaml_fail(cx, E_INVALID, node, "format is xes or csv");
    return OK;
}

static enum rc read_delimiter(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    if (!text_of(node) || strlen(node->text) != 1)
        return yaml_fail(cx, E_INVALID, node, "delimiter is one character");
    m->delimiter = *node->text;
    return OK;
}

static enum rc read_at(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    const char *zone = text_of(yaml_get(node, "zone"));

    m->at = text_of(node);
    m->at_format = text_of(yaml_get(node, "format"));
    if (node->kind == YAML_MAP)
        TRY(need_text(cx, node, "from", &m->at));
    if (m->at_format)
        TRY(check_format(cx, yaml_get(node, "format"), m->at_format));
    if (zone && zone_load(cx, zone, &m->zone) != OK)
        return yaml_fail(cx, E_INVALID, node, "there is no time zone %s", zone);
    return OK;
}

static enum rc read_actor(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    m->actor = text_of(node);
    m->actor_role = text_of(yaml_get(node, "role"));
    if (node->kind == YAML_MAP)
        TRY(need_text(cx, node, "from", &m->actor));
    if (m->actor_role && !defs_role(cx->defs, m->actor_role))
        return yaml_fail(cx, E_INVALID, node, "there is no role %s", m->actor_role);
    return OK;
}

static enum rc read_missing(struct ctx *cx, const struct yaml *node, struct mapping *m)
{
    read_texts(cx, node, &m->missing);
    return OK;
}

/* Keys in the order they are read: the process first, for the others are checked against it. */
static const struct {
    const char *name;
    enum rc (*read)(struct ctx *cx, const struct yaml *node, struct mapping *m);
    size_t text; /* where a plain text goes, when there is no reader */
    bool is_required;
} keys[] = {
    {"process", read_process, 0, true},
    {"format", read_format, 0, true},
    {"delimiter", read_delimiter, 0, false},
    {"source", NULL, offsetof(struct mapping, source), true},
    {"number", NULL, offsetof(struct mapping, number), true},
    {"title", NULL, offsetof(struct mapping, title), true},
    {"organisation", NULL, offsetof(struct mapping, organisation), true},
    {"at", read_at, 0, true},
    {"actor", read_actor, 0, false},
    {"state", read_state, 0, true},
    {"fields", read_fields, 0, false},
    {"missing", read_missing, 0, false},
};

static enum rc check_keys(struct ctx *cx, const struct yaml *map)
{
    const char *names[ARRAY_LEN(keys) + 1] = {NULL};

    for (int i = 0; i < ARRAY_LEN(keys); i++)
        names[i] = keys[i].name;
    for (int i = 0; map->kind == YAML_MAP && i < map->count; i++) {
        const char *key = map->pairs[i].key.text;
        const char *near = str_nearest(key, names);
        if (!str_in(key, names))
            return yaml_fail(cx, E_INVALID, &map->pairs[i].key, "unknown key %s%s%s", key,
                             near ? "; did you mean " : "", near ? near : "");
    }
    return OK;
}

enum rc mapping_read(struct ctx *cx, const char *file, const char *text, size_t len,
                     const struct mapping **ret)
{
    const struct yaml *root;
    struct mapping *m = arena_alloc(cx->arena, sizeof(*m));

    *m = (struct mapping){.name = arena_strdup(cx->arena, file), .delimiter = ','};
    TRY(yaml_parse(cx, m->name, text, len, &root));
    const struct yaml *map = yaml_get(root, "import");
    if (!map || map->kind != YAML_MAP)
        return yaml_fail(cx, E_INVALID, root, "a mapping file has the key import");
    TRY(check_keys(cx, map));
    for (int i = 0; i < ARRAY_LEN(keys); i++) {
        const struct yaml *node = yaml_get(map, keys[i].name);
        if (!node && keys[i].is_required)
            return yaml_fail(cx, E_INVALID, map, "%s is missing", keys[i].name);
        if (!node)
            continue;
        if (keys[i].read)
            TRY(keys[i].read(cx, node, m));
        else
            TRY(need_text(cx, map, keys[i].name, (const char **)((char *)m + keys[i].text)));
    }
    *ret = m;
    return OK;
}
