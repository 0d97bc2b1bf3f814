/* Statements put together while the program runs: what tools/sqlgen.py does to .sql files when it
 * is built, for one engine. */
#include "base/buf.h"
#include "base/str.h"
#include "db/inside.h"

struct dynamic {
    struct ctx *cx;
    enum db_engine engine;
    const char *name;
    struct buf out;
    struct list params; /* of const char * */
};

static void expand(struct dynamic *d, const char *at, const char *end);

static _Noreturn void bug_at_token(const struct dynamic *d, const char *at)
{
    BUG(arena_printf(d->cx->arena, "%s: not understood: %.40s", d->name, at));
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *name_end(const char *at, const char *end)
{
    while (at < end && is_name(*at))
        at++;
    return at;
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    return at;
}

/* ?1 or $1; the same name has the same number. */
static void add_param(struct dynamic *d, const char *name, size_t len)
{
    int n = 0;
    const char **known = d->params.at;
    while (n < d->params.count && !(strlen(known[n]) == len && !strncmp(known[n], name, len)))
        n++;
    if (n == d->params.count)
        *(const char **)list_add(d->cx->arena, &d->params, sizeof(char *)) =
            arena_strndup(d->cx->arena, name, len);
    buf_printf(&d->out, "%c%d", d->engine == DB_SQLITE ? '?' : '$', n + 1);
}

static const struct {
    const char *token;
    const char *before[DB_ENGINES], *after[DB_ENGINES];
} sets[] = {
    {"ids", {"(SELECT value FROM json_each(", "(SELECT unnest(CAST("}, {"))", " AS bigint[])))"}},
    {"texts", {"(SELECT value FROM json_each(", "(SELECT unnest(CAST("}, {"))", " AS text[])))"}},
};

static bool add_set(struct dynamic *d, const char *token, const char *at, const char *end)
{
    for (int i = 0; i < ARRAY_LEN(sets); i++) {
        if (!str_equal(token, sets[i].token) || at == end || *at != ':')
            continue;
        const char *stop = name_end(at + 1, end);
        buf_puts(&d->out, sets[i].before[d->engine]);
        add_param(d, at + 1, (size_t)(stop - at - 1));
        buf_puts(&d->out, sets[i].after[d->engine]);
        return true;
    }
    return false;
}

/* {json r.fields.impact}: the last part is the member. */
static bool add_json(struct dynamic *d, const char *token, const char *at, const char *end)
{
    const char *dot = end;
    while (dot > at && *dot != '.')
        dot--;
    const char *stop = name_end(dot + 1, end);
    if (!str_equal(token, "json") || dot == at)
        return false;
    buf_printf(&d->out, "(%.*s ->> '%.*s')", (int)(dot - at), at, (int)(stop - dot - 1), dot + 1);
    return true;
}

static bool add_piece(struct dynamic *d, const char *token, const char *at, const char *end)
{
    static const char *const engines[DB_ENGINES] = {"sqlite", "postgres"};
    for (int i = 0; i < DB_ENGINES; i++) {
        if (!str_equal(token, engines[i]) || at == end || *at != ':')
            continue;
        if (i == (int)d->engine)
            expand(d, skip_spaces(at + 1, end), end);
        return true;
    }
    return false;
}

/* at is behind the opening brace, end at the closing one. */
static void add_token(struct dynamic *d, const char *at, const char *end)
{
    const char *stop = name_end(at, end);
    const char *token = arena_strndup(d->cx->arena, at, (size_t)(stop - at));
    if (!add_piece(d, token, stop, end)) {
        stop = skip_spaces(stop, end);
        if (!add_set(d, token, stop, end) && !add_json(d, token, stop, end))
            bug_at_token(d, at);
    }
}

static void add_word(struct dynamic *d, const char *at, size_t len)
{
    const bool is_integer = len == 7 && strncmp(at, "INTEGER", len) == 0;
    const bool is_real = len == 4 && strncmp(at, "REAL", len) == 0;
    if (d->engine == DB_POSTGRES && is_integer)
        buf_puts(&d->out, "BIGINT");
    else if (d->engine == DB_POSTGRES && is_real)
        buf_puts(&d->out, "DOUBLE PRECISION");
    else
        buf_add(&d->out, at, len);
}

static const char *closing(const struct dynamic *d, const char *at, const char *end, char what)
{
    const char *stop = at + 1;
    while (stop < end && *stop != what)
        stop++;
    if (stop >= end)
        bug_at_token(d, at);
    return stop;
}

/* One piece of the text; returns where the next begins. */
static const char *expand_one(struct dynamic *d, const char *at, const char *end)
{
    const char *stop = at + 1;
    if (*at == '\'' || *at == '"') {
        stop = closing(d, at, end, *at) + 1;
        buf_add(&d->out, at, (size_t)(stop - at));
    } else if (*at == '{') {
        stop = closing(d, at, end, '}');
        add_token(d, at + 1, stop);
        stop++;
    } else if (*at == ':' && stop < end && is_name(*stop)) {
        stop = name_end(stop, end);
        add_param(d, at + 1, (size_t)(stop - at - 1));
    } else if (is_name(*at)) {
        stop = name_end(at, end);
        add_word(d, at, (size_t)(stop - at));
    } else {
        buf_putc(&d->out, *at);
    }
    return stop;
}

static void expand(struct dynamic *d, const char *at, const char *end)
{
    while (at < end)
        at = expand_one(d, at, end);
}

static bool is_writing(const char *text)
{
    static const char *const words[] = {"INSERT ", "UPDATE ", "DELETE ", NULL};
    for (int i = 0; words[i]; i++)
        if (str_starts(text, words[i]))
            return true;
    return false;
}

const struct sql *db_dynamic(struct ctx *cx, const char *name, const char *text)
{
    struct dynamic d = {
        .cx = cx, .engine = db_engine(cx->db), .name = name, .out = {.arena = cx->arena}};
    expand(&d, text, text + strlen(text));
    list_add(cx->arena, &d.params, sizeof(char *)); /* the NULL at the end */
    struct sql *sql = arena_alloc(cx->arena, sizeof(*sql));
    *sql = (struct sql){
        .name = name,
        .params = d.params.at,
        .is_write = is_writing(text),
        .dynamic = str_hash(buf_text(&d.out)) | 1,
    };
    sql->text[d.engine] = buf_text(&d.out);
    return sql;
}
