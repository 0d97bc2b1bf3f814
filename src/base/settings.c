#include "base/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "base/yaml.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MOST_FILE ((size_t)MIB)
#define MOST_SECRET ((size_t)64 * KIB)
#define PREFIX "FETTLE_"
#define DEFAULT "default"

struct value {
    const char *text;            /* as written; "" for a secret */
    int64_t num;                 /* of kinds that are numbers */
    const struct secret *secret; /* of secrets */
    const char *source;
};

struct settings {
    struct value values[SETTING_COUNT];
};

static const struct setting table[SETTING_COUNT];

const struct setting *settings_table(void)
{
    return table;
}

/* ---- what a value may be ----------------------------------------------------------------------
 */

static bool read_flag(const char *s, int64_t *ret)
{
    if (!str_equal(s, "true") && !str_equal(s, "false"))
        return false;
    *ret = *s == 't';
    return true;
}

static bool read_size(const char *s, int64_t *ret)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {
        {"", 1},      {"B", 1},     {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
        {"KiB", KIB}, {"MiB", MIB}, {"GiB", GIB},
    };
    const size_t digits = strspn(s, "0123456789");
    const char *unit = s + digits + (s[digits] == ' ');
    int64_t n = 0;
    for (const char *p = s; p < s + digits; p++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
            return false;
    }
    for (int i = 0; digits && i < ARRAY_LEN(units); i++) {
        if (str_equal(unit, units[i].name))
            return !__builtin_mul_overflow(n, units[i].bytes, ret);
    }
    return false;
}

static const struct {
    bool (*read)(const char *s, int64_t *ret); /* NULL: a text */
    const char *wants;
} kinds[] = {
    [SET_TEXT] = {NULL, NULL},
    [SET_INT] = {str_to_int, "a whole number"},
    [SET_FLAG] = {read_flag, "true or false"},
    [SET_DURATION] = {time_parse_span, "a duration such as 10 s, 30 min, 8 h or 2 days"},
    [SET_SIZE] = {read_size, "a size such as 512 KiB or 50 MiB"},
    [SET_SECRET] = {NULL, NULL},
    [SET_PATH] = {NULL, NULL},
};

/* A number in the unit that a person would write. */
static const char *show_number(struct arena *a, enum setting_kind kind, int64_t n)
{
    static const struct {
        enum setting_kind kind;
        const char *name;
        int64_t size;
    } units[] = {
        {SET_DURATION, "days", US_PER_DAY},
        {SET_DURATION, "h", US_PER_HOUR},
        {SET_DURATION, "min", US_PER_MIN},
        {SET_DURATION, "s", US_PER_S},
        {SET_SIZE, "GiB", GIB},
        {SET_SIZE, "MiB", MIB},
        {SET_SIZE, "KiB", KIB},
        {SET_SIZE, "B", 1},
    };
    for (int i = 0; i < ARRAY_LEN(units); i++) {
        if (units[i].kind == kind && n % units[i].size == 0)
            return arena_printf(a, "%lld %s", (long long)(n / units[i].size), units[i].name);
    }
    return arena_printf(a, "%lld", (long long)n);
}

const char *settings_range(struct arena *a, enum setting_id id)
{
    const struct setting *row = &table[id];
    if (row->choices)
        return arena_printf(a, "one of: %s", row->choices);
    if (row->least || row->most)
        return arena_printf(a, "from %s to %s", show_number(a, row->kind, row->least),
                            show_number(a, row->kind, row->most));
    return "";
}

static bool is_choice(const char *choices, const char *s)
{
    const size_t len = strlen(s);
    for (const char *word = choices; *word;) {
        const size_t end = strcspn(word, " ");
        if (end == len && memcmp(word, s, len) == 0)
            return true;
        word += end + (word[end] == ' ');
    }
    return false;
}

/* ---- one value --------------------------------------------------------------------------------
 */

static enum rc fail_value(struct ctx *cx, enum setting_id id, const char *wants, const char *text,
                          const char *source)
{
    return fail(cx, E_INVALID, table[id].name, "%s: %s must be %s, not '%s'", source,
                table[id].name, wants, text);
}

static bool is_within(const struct setting *row, int64_t n)
{
    return (!row->least && !row->most) || (n >= row->least && n <= row->most);
}

static enum rc set(struct ctx *cx, struct settings *s, enum setting_id id, const char *text,
                   const char *source)
{
    const struct setting *row = &table[id];
    struct value v = {.source = source, .text = ""};
    if (row->kind == SET_SECRET)
        v.secret = secret_create(cx->arena, text, strlen(text));
    else
        v.text = arena_strdup(cx->arena, text);
    if (kinds[row->kind].read && !kinds[row->kind].read(text, &v.num))
        return fail_value(cx, id, kinds[row->kind].wants, text, source);
    if (!is_within(row, v.num) || (row->choices && !is_choice(row->choices, text)))
        return fail_value(cx, id, settings_range(cx->arena, id), text, source);
    s->values[id] = v;
    return OK;
}

static bool is_default(const struct settings *s, enum setting_id id)
{
    return str_equal(s->values[id].source, DEFAULT);
}

static bool find(const char *name, enum setting_id *ret)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (str_equal(name, table[i].name)) {
            *ret = (enum setting_id)i;
            return true;
        }
    }
    return false;
}

/* names are those that could have been meant, in the spelling of the source. */
static enum rc fail_unknown(struct ctx *cx, const char *source, const char *name,
                            const char *const *names)
{
    const char *nearest = str_nearest(name, names);
    if (nearest)
        return fail(cx, E_INVALID, NULL, "%s: there is no setting '%s', perhaps '%s' is meant",
                    source, name, nearest);
    return fail(cx, E_INVALID, NULL, "%s: there is no setting '%s'", source, name);
}

static const char *const *all_names(struct arena *a)
{
    const char **names = arena_array(a, SETTING_COUNT + 1, sizeof(*names));
    for (int i = 0; i < SETTING_COUNT; i++)
        names[i] = table[i].name;
    return names;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static enum rc load_scalar(struct ctx *cx, struct settings *s, const struct yaml_pair *pair,
                           const char *name)
{
    const struct yaml *value = &pair->value;
    enum setting_id id;
    if (!find(name, &id)) {
        const char *place =
            arena_printf(cx->arena, "%s:%d:%d", pair->key.file, pair->key.line, pair->key.column);
        return fail_unknown(cx, place, name, all_names(cx->arena));
    }
    if (value->kind == YAML_LIST)
        return yaml_fail(cx, E_INVALID, value, "%s must be a single value, not a list", name);
    if (!is_default(s, id))
        return yaml_fail(cx, E_INVALID, &pair->key, "%s is here twice, first at %s", name,
                         s->values[id].source);
    if (!*value->text && !value->is_quoted)
        return yaml_fail(cx, E_INVALID, &pair->key, "%s has no value", name);
    return set(cx, s, id, value->text,
               arena_printf(cx->arena, "%s:%d:%d", value->file, value->line, value->column));
}

/* A map opens a section: "http: {listen: ...}" and "http.listen: ..." say the same. */
static enum rc load_section(struct ctx *cx, struct settings *s, const struct yaml *node,
                            const char *prefix)
{
    for (int i = 0; i < node->count; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const char *name = arena_printf(cx->arena, "%s%s", prefix, pair->key.text);
        if (pair->value.kind == YAML_MAP)
            TRY(load_section(cx, s, &pair->value, arena_printf(cx->arena, "%s.", name)));
        else
            TRY(load_scalar(cx, s, pair, name));
    }
    return OK;
}

static enum rc load_file(struct ctx *cx, struct settings *s, const char *file)
{
    char *text;
    size_t len;
    const struct yaml *root;
    TRY(file_read(cx, file, MOST_FILE, &text, &len));
    TRY(yaml_parse(cx, file, text, len, &root));
    if (root->kind != YAML_MAP)
        return yaml_fail(cx, E_INVALID, root, "settings are written as 'name: value'");
    return load_section(cx, s, root, "");
}

/* ---- the environment --------------------------------------------------------------------------
 */

const char *settings_variable(struct arena *a, enum setting_id id)
{
    struct buf b = {.arena = a};
    buf_puts(&b, PREFIX);
    for (const char *p = table[id].name; *p; p++) {
        if (*p == '.')
            buf_puts(&b, "__");
        else
            buf_putc(&b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
    }
    return buf_text(&b);
}

static const char *const *all_variables(struct arena *a)
{
    const char **names = arena_array(a, SETTING_COUNT + 1, sizeof(*names));
    for (int i = 0; i < SETTING_COUNT; i++)
        names[i] = settings_variable(a, (enum setting_id)i);
    return names;
}

static int index_of(const char *name, const char *const *names)
{
    for (int i = 0; names[i]; i++) {
        if (str_equal(name, names[i]))
            return i;
    }
    return -1;
}

static enum rc load_from_file(struct ctx *cx, struct settings *s, enum setting_id id,
                              const char *variable, const char *path)
{
    char *text;
    size_t len;
    if (file_read(cx, path, MOST_SECRET, &text, &len) != OK)
        return fail(cx, E_INVALID, table[id].name, "%s: %s", variable, cx->err.text);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    if (strlen(text) != len)
        return fail(cx, E_INVALID, table[id].name, "%s: %s holds the character NUL", variable,
                    path);
    return set(cx, s, id, text, variable);
}

/* The setting whose value is in a file, by the variable "..._FILE"; -1: there is none. */
static int index_of_file(struct arena *a, const char *variable, const char *const *variables)
{
    if (!str_ends(variable, "_FILE"))
        return -1;
    const size_t len = strlen(variable) - strlen("_FILE");
    const int id = index_of(arena_strndup(a, variable, len), variables);
    return id >= 0 && (table[id].kind == SET_SECRET || table[id].kind == SET_PATH) ? id : -1;
}

static enum rc load_variable(struct ctx *cx, struct settings *s, const char *variable,
                             const char *text, const char *const *variables)
{
    static const char *const others[] = {PREFIX "CONFIG", PREFIX "URL",    PREFIX "TOKEN",
                                         PREFIX "SOCKET", PREFIX "SOURCE", NULL};
    if (str_in(variable, others))
        return OK;
    const int id = index_of(variable, variables);
    if (id >= 0)
        return set(cx, s, (enum setting_id)id, text, variable);
    const int from_file = index_of_file(cx->arena, variable, variables);
    if (from_file < 0)
        return fail_unknown(cx, "environment", variable, variables);
    if (getenv(variables[from_file]))
        return fail(cx, E_INVALID, table[from_file].name, "%s and %s are both set", variable,
                    variables[from_file]);
    return load_from_file(cx, s, (enum setting_id)from_file, variable, text);
}

static enum rc load_environment(struct ctx *cx, struct settings *s)
{
    const char *const *variables = all_variables(cx->arena);
    for (char **entry = environ; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals || !str_starts(*entry, PREFIX))
            continue;
        const char *variable = arena_strndup(cx->arena, *entry, (size_t)(equals - *entry));
        TRY(load_variable(cx, s, variable, equals + 1, variables));
    }
    return OK;
}

/* ---- the command line -------------------------------------------------------------------------
 */

static enum rc load_flag(struct ctx *cx, struct settings *s, const char *flag)
{
    if (!str_starts(flag, "--"))
        return fail(cx, E_INVALID, NULL, "'%s' is not a setting as --name=value", flag);
    const size_t len = strcspn(flag, "=");
    const char *source = arena_strndup(cx->arena, flag, len);
    enum setting_id id;
    if (!find(source + 2, &id))
        return fail_unknown(cx, source, source + 2, all_names(cx->arena));
    if (flag[len])
        return set(cx, s, id, flag + len + 1, source);
    if (table[id].kind != SET_FLAG)
        return fail(cx, E_INVALID, table[id].name, "%s needs a value: %s=...", source, source);
    return set(cx, s, id, "true", source);
}

/* ---- all together -----------------------------------------------------------------------------
 */

/* Links are made as base URL and path, so it ends without a slash. */
static enum rc check_base_url(struct ctx *cx, struct settings *s)
{
    struct value *v = &s->values[SETTING_BASE_URL];
    if (!str_starts(v->text, "http://") && !str_starts(v->text, "https://"))
        return fail(cx, E_INVALID, table[SETTING_BASE_URL].name,
                    "%s: %s must begin with https:// or http://, not '%s'", v->source,
                    table[SETTING_BASE_URL].name, v->text);
    if (str_ends(v->text, "/"))
        v->text = arena_strndup(cx->arena, v->text, strlen(v->text) - 1);
    return OK;
}

/* Defaults that follow from other settings; the table shows them in <>. */
static enum rc derive(struct ctx *cx, struct settings *s)
{
    const char *listen = settings_text(s, SETTING_LISTEN);
    const char *data = settings_text(s, SETTING_DATA);
    if (is_default(s, SETTING_DATABASE))
        TRY(set(cx, s, SETTING_DATABASE, arena_printf(cx->arena, "sqlite:%s/fettle.db", data),
                DEFAULT));
    if (!is_default(s, SETTING_BASE_URL))
        return check_base_url(cx, s);
    if (str_starts(listen, "unix:"))
        return set(cx, s, SETTING_BASE_URL, "http://localhost", DEFAULT);
    return set(cx, s, SETTING_BASE_URL, arena_printf(cx->arena, "http://%s", listen), DEFAULT);
}

enum rc settings_load(struct ctx *cx, const char *file, const char *const *flags,
                      const struct settings **ret)
{
    struct settings *s = arena_alloc(cx->arena, sizeof(*s));
    for (int i = 0; i < SETTING_COUNT; i++)
        TRY(set(cx, s, (enum setting_id)i, table[i].initial, DEFAULT));
    if (file)
        TRY(load_file(cx, s, file));
    TRY(load_environment(cx, s));
    for (; flags && *flags; flags++)
        TRY(load_flag(cx, s, *flags));
    TRY(derive(cx, s));
    *ret = s;
    return OK;
}

const char *settings_text(const struct settings *s, enum setting_id id)
{
    if (table[id].kind == SET_SECRET)
        BUG("a secret setting asked for as text");
    return s->values[id].text;
}

int64_t settings_int(const struct settings *s, enum setting_id id)
{
    if (!kinds[table[id].kind].read)
        BUG("a setting that is no number asked for as one");
    return s->values[id].num;
}

const struct secret *settings_secret(const struct settings *s, enum setting_id id)
{
    if (table[id].kind != SET_SECRET)
        BUG("a setting that is no secret asked for as one");
    return s->values[id].secret;
}

const char *settings_source(const struct settings *s, enum setting_id id)
{
    return s->values[id].source;
}

/* Rows of one section stand together, for settings_print() opens a section once. */
static const struct setting table[SETTING_COUNT] = {
    [SETTING_DATABASE] = {"database", SET_SECRET, "<sqlite:DATA/fettle.db>", 0, 0, NULL,
                          "where records live: a postgresql:// URL, or sqlite: and a path"},
    [SETTING_DATA] = {"data", SET_PATH, "./data", 0, 0, NULL,
                      "folder of the database, attachments and the local socket; made if missing"},
    [SETTING_PROCESSES] = {"processes", SET_PATH, "./process", 0, 0, NULL,
                           "folder of the process files"},
    [SETTING_LISTEN] = {"http.listen", SET_TEXT, "127.0.0.1:8080", 0, 0, NULL,
                        "where to answer: host:port, [v6]:port or unix: and a path"},
    [SETTING_BASE_URL] = {"http.base_url", SET_TEXT, "<http://LISTEN>", 0, 0, NULL,
                          "the address that people see; links in messages are made from it"},
    [SETTING_SECURE_COOKIES] =
        {"http.secure_cookies", SET_FLAG, "true", 0, 0, NULL,
         "send cookies over HTTPS only; false is for plain HTTP on loopback"},
    [SETTING_WORKERS] = {"http.workers", SET_INT, "32", 1, 1024, NULL,
                         "threads that work on requests"},
    [SETTING_LOOPS] = {"http.loops", SET_INT, "1", 1, 16, NULL,
                       "threads that read and write the network"},
    [SETTING_MAX_BODY] = {"http.max_body", SET_SIZE, "1 MiB", KIB, 64 * MIB, NULL,
                          "largest JSON document of a request"},
    [SETTING_MAX_UPLOAD] = {"http.max_upload", SET_SIZE, "50 MiB", KIB, 16 * GIB, NULL,
                            "largest attachment"},
    [SETTING_HEADER_TIMEOUT] = {"http.header_timeout", SET_DURATION, "10 s", US_PER_S / 10,
                                US_PER_HOUR, NULL,
                                "from the first byte of a request to the end of its headers"},
    [SETTING_BODY_TIMEOUT] = {"http.body_timeout", SET_DURATION, "30 s", US_PER_S / 10, US_PER_HOUR,
                              NULL, "from the end of the headers to the end of the body"},
    [SETTING_IDLE_TIMEOUT] = {"http.idle_timeout", SET_DURATION, "60 s", US_PER_S / 10, US_PER_HOUR,
                              NULL, "how long a connection may stay open between requests"},
    [SETTING_DRAIN_TIMEOUT] = {"http.drain_timeout", SET_DURATION, "10 s", 0, US_PER_HOUR, NULL,
                               "time for running requests to end after SIGTERM"},
    [SETTING_LOG_LEVEL] = {"log.level", SET_TEXT, "info", 0, 0, "error warning info debug",
                           "the least important lines to log"},
    [SETTING_LOG_FORMAT] = {"log.format", SET_TEXT, "text", 0, 0, "text json",
                            "form of the log lines"},
    [SETTING_SESSION_IDLE] = {"session.idle", SET_DURATION, "8 h", US_PER_MIN, 30 * US_PER_DAY,
                              NULL, "a session ends after so long without a request"},
    [SETTING_SESSION_ABSOLUTE] = {"session.absolute", SET_DURATION, "12 h", US_PER_MIN,
                                  30 * US_PER_DAY, NULL,
                                  "a session ends so long after its login in any case"},
    [SETTING_RATE_LIMIT] = {"rate_limit", SET_INT, "600", 1, 1000000, NULL,
                            "API requests a minute that one person or token may send"},
    [SETTING_LANGUAGE] = {"language", SET_TEXT, "en", 0, 0, NULL,
                          "language of messages to people whose own is unknown"},
    [SETTING_TIME_ZONE] = {"time_zone", SET_TEXT, "UTC", 0, 0, NULL,
                           "IANA name of the zone of people and calendars that have none"},
    [SETTING_TEST_CLOCK] = {"test.clock", SET_FLAG, "false", 0, 0, NULL,
                            "let tests move the clock over the API; never for production"},
};
