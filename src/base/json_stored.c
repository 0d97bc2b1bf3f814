/* Reading what our own writer wrote. A document in the database was checked on its way in, so here
 * nothing is asked of it but its values; what looks unusual is left to the parser that checks. */
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/json.h"

#define MAX_DEPTH 64
#define MAX_DIGITS 18 /* of an integer that surely fits */

struct reader {
    struct arena *arena;
    const char *at;
    int depth;
    bool is_unusual; /* nothing of what was read counts */
};

static struct val give_up(struct reader *r)
{
    r->is_unusual = true;
    return val_null();
}

/* PostgreSQL writes a space after colons and commas. */
static void skip_space(struct reader *r)
{
    while (*r->at == ' ')
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

/* ---- texts ---------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What \u00XX stands for; 0: not one of those that control characters are written as. */
static char read_unicode(const char *s)
{
    const int high = s[0] == '0' && s[1] == '0' ? hex_digit(s[2]) : -1;
    const int low = high >= 0 ? hex_digit(s[3]) : -1;
    return low >= 0 && high < 8 ? (char)(high << 4 | low) : 0;
}

/* The character behind a backslash at *at, which moves past it; 0: unusual. */
static char read_escape(const char **at)
{
    static const char meant[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    const unsigned char c = (unsigned char)*(*at)++;
    if (c != 'u')
        return c < sizeof(meant) ? meant[c] : 0;
    const char unicode = read_unicode(*at);
    *at += unicode ? 4 : 0;
    return unicode;
}

/* From behind the opening quote up to `end`, the closing one, with escapes in it. */
static const char *unescape(struct reader *r, const char *end)
{
    char *text = arena_alloc(r->arena, (size_t)(end - r->at) + 1);
    char *to = text;
    for (const char *s = r->at; s < end;) {
        const char c = *s++;
        *to = c == '\\' ? read_escape(&s) : c;
        r->is_unusual |= !*to++;
    }
    return text;
}

static const char *read_text(struct reader *r)
{
    const char *end = r->at;
    bool has_escapes = false;
    for (; *end != '"' && *end; end++) {
        if (*end != '\\' || !end[1])
            continue;
        has_escapes = true;
        end++;
    }
    if (*end != '"') {
        r->is_unusual = true;
        return "";
    }
    const char *text =
        has_escapes ? unescape(r, end) : arena_strndup(r->arena, r->at, (size_t)(end - r->at));
    r->at = end + 1;
    return text;
}

/* ---- values --------------------------------------------------------------------------------- */

static struct val read_int(struct reader *r)
{
    const bool is_negative = *r->at == '-';
    const char *s = r->at + is_negative;
    int64_t n = 0;
    int digits = 0;
    for (; s[digits] >= '0' && s[digits] <= '9' && digits <= MAX_DIGITS; digits++)
        n = 10 * n + (s[digits] - '0');
    r->at = s + digits;
    if (digits == 0 || digits > MAX_DIGITS || *r->at == '.' || *r->at == 'e' || *r->at == 'E')
        return give_up(r);
    return val_int(is_negative ? -n : n);
}

static struct val read_word(struct reader *r)
{
    static const struct {
        const char *text;
        size_t len;
        struct val val;
    } words[] = {
        {"null", 4, {.kind = VAL_NULL}},
        {"true", 4, {.kind = VAL_FLAG, .flag = true}},
        {"false", 5, {.kind = VAL_FLAG, .flag = false}},
    };
    for (int i = 0; i < ARRAY_LEN(words); i++) {
        if (strncmp(r->at, words[i].text, words[i].len) == 0) {
            r->at += words[i].len;
            return words[i].val;
        }
    }
    return give_up(r);
}

static struct val read_value(struct reader *r);

static struct val read_list(struct reader *r)
{
    struct list items = {0};
    if (!take(r, ']')) {
        do {
            const struct val v = read_value(r);
            *(struct val *)list_add(r->arena, &items, sizeof(v)) = v;
        } while (!r->is_unusual && take(r, ','));
        r->is_unusual |= !take(r, ']');
    }
    return (struct val){.kind = VAL_LIST, .count = items.count, .items = items.at};
}

static void read_member(struct reader *r, struct list *to)
{
    if (!take(r, '"')) {
        r->is_unusual = true;
        return;
    }
    const char *name = read_text(r);
    r->is_unusual |= !take(r, ':');
    const struct val v = read_value(r);
    *(struct member *)list_add(r->arena, to, sizeof(struct member)) = (struct member){name, v};
}

static struct val read_map(struct reader *r)
{
    struct list members = {0};
    if (!take(r, '}')) {
        do
            read_member(r, &members);
        while (!r->is_unusual && take(r, ','));
        r->is_unusual |= !take(r, '}');
    }
    return (struct val){.kind = VAL_MAP, .count = members.count, .members = members.at};
}

static struct val read_nested(struct reader *r, struct val (*read)(struct reader *r))
{
    if (r->depth == MAX_DEPTH)
        return give_up(r);
    r->depth++;
    const struct val v = read(r);
    r->depth--;
    return v;
}

static struct val read_value(struct reader *r)
{
    if (r->is_unusual)
        return val_null();
    if (take(r, '"'))
        return val_text(read_text(r));
    if (take(r, '{'))
        return read_nested(r, read_map);
    if (take(r, '['))
        return read_nested(r, read_list);
    return *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? read_int(r) : read_word(r);
}

enum rc json_parse_stored(struct ctx *cx, const char *text, struct val *ret)
{
    struct reader r = {.arena = cx->arena, .at = text};
    const struct val v = read_value(&r);

    skip_space(&r);
    if (r.is_unusual || *r.at)
        return json_parse(cx, text, strlen(text), ret);
    *ret = v;
    return OK;
}
