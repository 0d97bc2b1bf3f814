#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/time.h"

#define MAX_DEPTH 64
#define TOO_DEEP "nested deeper than 64 levels"
#define NO_NUL "the character NUL is not allowed"

/* ---- reading --------------------------------------------------------------------------------- */

/* The bracket that opens one level too many, or NULL. The library would follow 2048 levels. */
static const char *too_deep(const char *text, size_t len)
{
    int depth = 0;
    bool in_string = false;
    for (const char *p = text, *end = text + len; p < end; p++) {
        if (in_string) {
            if (*p == '\\')
                p++;
            else if (*p == '"')
                in_string = false;
            continue;
        }
        if (*p == '"')
            in_string = true;
        else if (*p == ']' || *p == '}')
            depth--;
        else if ((*p == '[' || *p == '{') && ++depth > MAX_DEPTH)
            return p;
    }
    return NULL;
}

static enum rc fail_at(struct ctx *cx, const char *text, const char *at, const char *sentence)
{
    int line = 1;
    const char *start = text;
    for (const char *p = text; p < at; p++) {
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    }
    return fail(cx, E_MALFORMED, NULL, "line %d column %d: %s", line, (int)(at - start) + 1,
                sentence);
}

/* The library's sentence without the excerpt that it adds, which may end in half a character. */
static enum rc fail_syntax(struct ctx *cx, const json_error_t *e)
{
    const char *text = e->text;
    const enum json_error_code code = json_error_code(e);
    if (code == json_error_null_character || code == json_error_null_byte_in_key)
        text = NO_NUL;
    const char *near = strstr(text, " near ");
    const size_t len = near ? (size_t)(near - text) : strlen(text);
    return fail(cx, E_MALFORMED, NULL, "line %d column %d: %.*s", e->line, e->column, (int)len,
                text);
}

static struct val convert(struct arena *a, json_t *node);

static struct val convert_list(struct arena *a, json_t *node)
{
    const size_t count = json_array_size(node);
    struct val *items = arena_array(a, count, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = convert(a, json_array_get(node, i));
    return (struct val){.kind = VAL_LIST, .count = (int)count, .items = items};
}

static struct val convert_map(struct arena *a, json_t *node)
{
    const size_t count = json_object_size(node);
    struct member *members = arena_array(a, count, sizeof(*members));
    struct member *m = members;
    for (void *i = json_object_iter(node); i; i = json_object_iter_next(node, i), m++) {
        m->name = arena_strdup(a, json_object_iter_key(i));
        m->val = convert(a, json_object_iter_value(i));
    }
    return (struct val){.kind = VAL_MAP, .count = (int)count, .members = members};
}

static struct val convert(struct arena *a, json_t *node)
{
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return convert_map(a, node);
    case JSON_ARRAY:
        return convert_list(a, node);
    case JSON_STRING:
        return val_text(arena_strndup(a, json_string_value(node), json_string_length(node)));
    case JSON_INTEGER:
        return val_int(json_integer_value(node));
    case JSON_REAL:
        return (struct val){.kind = VAL_REAL, .real = json_real_value(node)};
    case JSON_TRUE:
    case JSON_FALSE:
        return val_flag(json_is_true(node));
    case JSON_NULL:
        break;
    }
    return val_null();
}

enum rc json_parse(struct ctx *cx, const char *text, size_t len, struct val *ret)
{
    const char *deep = too_deep(text, len);
    if (deep)
        return fail_at(cx, text, deep, TOO_DEEP);
    const char *nul = len ? memchr(text, '\0', len) : NULL; /* the library takes one for the end */
    if (nul)
        return fail_at(cx, text, nul, NO_NUL);
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root)
        return fail_syntax(cx, &error);
    *ret = convert(cx->arena, root);
    json_decref(root);
    return OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What stands after the backslash; 'u' for \u00XX, 0 for what needs no escape. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n', 'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

#define EACH(byte) (0x0101010101010101U * (byte))

/* Whether one of the eight bytes is below n (at most 128): the classic borrow into the high bit. */
static uint64_t has_below(uint64_t eight, uint64_t n)
{
    return (eight - EACH(n)) & ~eight & EACH(0x80U);
}

/* How many bytes at s need no escape. */
static size_t plain_run(const char *s, size_t len)
{
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t eight;
        memcpy(&eight, s + n, 8);
        if (has_below(eight, ' ') | has_below(eight ^ EACH((unsigned)'"'), 1) |
            has_below(eight ^ EACH((unsigned)'\\'), 1))
            break;
    }
    while (n < len && !escapes[(unsigned char)s[n]])
        n++;
    return n;
}

static size_t write_escape(char *to, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[6] = {'\\', escapes[c], '0', '0', digits[c >> 4], digits[c & 15]};
    const size_t len = escapes[c] == 'u' ? 6 : 2;
    memcpy(to, escape, len);
    return len;
}

/* The text in quotes. This is where replies are made, so it asks for room once and not at every
 * step: for the text as it is and one escape, and again only after each escape. */
static void write_string(struct buf *out, const char *s)
{
    size_t left = strlen(s);
    char *to = buf_reserve(out, left + 8);
    *to++ = '"';
    for (;;) {
        const size_t plain = plain_run(s, left);
        memcpy(to, s, plain);
        to += plain;
        s += plain;
        left -= plain;
        if (!left)
            break;
        to += write_escape(to, (unsigned char)*s++);
        left--;
        out->len = (size_t)(to - out->at);
        to = buf_reserve(out, left + 8);
    }
    to[0] = '"';
    to[1] = '\0';
    out->len = (size_t)(to - out->at) + 1;
}

static void begin_value(struct json *j)
{
    if (j->needs_comma)
        buf_putc(j->out, ',');
    j->needs_comma = true;
}

void json_open(struct json *j, char bracket)
{
    begin_value(j);
    buf_putc(j->out, bracket);
    j->needs_comma = false;
}

void json_close(struct json *j, char bracket)
{
    buf_putc(j->out, bracket);
    j->needs_comma = true;
}

void json_key(struct json *j, const char *name)
{
    begin_value(j);
    write_string(j->out, name);
    buf_putc(j->out, ':');
    j->needs_comma = false;
}

void json_text(struct json *j, const char *s)
{
    if (!s) {
        json_none(j);
        return;
    }
    begin_value(j);
    write_string(j->out, s);
}

void json_int(struct json *j, int64_t n)
{
    begin_value(j);
    buf_int(j->out, n);
}

void json_flag(struct json *j, bool flag)
{
    json_raw(j, flag ? "true" : "false");
}

void json_none(struct json *j)
{
    json_raw(j, "null");
}

void json_instant(struct json *j, int64_t at)
{
    char text[32];
    const size_t len = time_write_instant(at, text);
    begin_value(j);
    buf_putc(j->out, '"');
    buf_add(j->out, text, len);
    buf_putc(j->out, '"');
}

void json_raw(struct json *j, const char *json)
{
    begin_value(j);
    buf_puts(j->out, json);
}

/* The shortest of the usual forms that reads back as the same number, and as a real one. */
static void write_real(struct json *j, double real)
{
    if (!isfinite(real)) {
        json_none(j);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, real);
        const double back = strtod(text, NULL);
        if (!(back < real) && !(back > real))
            break;
    }
    json_raw(j, text);
    if (!strpbrk(text, ".e"))
        buf_puts(j->out, ".0");
}

void json_val(struct json *j, struct val v)
{
    switch (v.kind) {
    case VAL_NULL:
        json_none(j);
        break;
    case VAL_FLAG:
        json_flag(j, v.flag);
        break;
    case VAL_INT:
        json_int(j, v.i);
        break;
    case VAL_REAL:
        write_real(j, v.real);
        break;
    case VAL_TEXT:
        json_text(j, v.text);
        break;
    case VAL_LIST:
        json_open(j, '[');
        for (int i = 0; i < v.count; i++)
            json_val(j, v.items[i]);
        json_close(j, ']');
        break;
    case VAL_MAP:
        json_open(j, '{');
        for (int i = 0; i < v.count; i++) {
            json_key(j, v.members[i].name);
            json_val(j, v.members[i].val);
        }
        json_close(j, '}');
        break;
    }
}

void json_member_text(struct json *j, const char *name, const char *s)
{
    if (!s)
        return;
    json_key(j, name);
    json_text(j, s);
}

void json_member_int(struct json *j, const char *name, int64_t n)
{
    json_key(j, name);
    json_int(j, n);
}

const char *json_from_val(struct ctx *cx, struct val v)
{
    struct buf b = {.arena = cx->arena};
    struct json j = {.out = &b};
    json_val(&j, v);
    return buf_text(&b);
}
