#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"

/* What a pipe takes in one piece, so that lines of several processes never mix. */
#define LINE_MAX_BYTES PIPE_BUF
#define CLOSING 8 /* kept free for the mark of a cut text, quotes and the end of the line */

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static enum log_level least_level = LOG_INFO;
static bool is_json;

struct line {
    size_t len;
    char at[LINE_MAX_BYTES];
};

/* Characters that a terminal or viewer obeys instead of showing: controls, line separators, and
 * those that turn the direction of text or take no room. */
static const struct {
    uint32_t first, last;
} obeyed[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
};

static bool is_obeyed(uint32_t c)
{
    for (int i = 0; i < ARRAY_LEN(obeyed); i++) {
        if (c >= obeyed[i].first && c <= obeyed[i].last)
            return true;
    }
    return false;
}

static void add(struct line *l, const char *bytes, size_t len)
{
    if (len > sizeof(l->at) - l->len)
        return; /* cannot happen while CLOSING is kept */
    memcpy(l->at + l->len, bytes, len);
    l->len += len;
}

static void add_text(struct line *l, const char *s)
{
    add(l, s, strlen(s));
}

static bool has_room(const struct line *l, size_t len)
{
    return l->len + len + CLOSING <= sizeof(l->at);
}

/* One character at s as it may stand in a line; returns how many bytes of s it was. */
static int escape_char(const char *s, size_t len, char ret[static 8])
{
    uint32_t c;
    const int bytes = str_utf8_char(s, len, &c);
    if (!bytes)
        snprintf(ret, 8, is_json ? "\\ufffd" : "\\x%02x", (unsigned char)*s);
    else if (c == '\n')
        snprintf(ret, 8, "\\n");
    else if (c == '"' || c == '\\')
        snprintf(ret, 8, "\\%c", (char)c);
    else if (is_obeyed(c))
        snprintf(ret, 8, "\\u%04x", (unsigned)c);
    else
        snprintf(ret, 8, "%.*s", bytes, s);
    return bytes ? bytes : 1;
}

/* How many bytes at s stand for themselves in any line, and there is room for. */
static size_t plain_run(const struct line *l, const char *s)
{
    const size_t most = sizeof(l->at) - CLOSING - l->len;
    size_t n = 0;
    while (n < most && s[n] >= ' ' && s[n] <= '~' && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

static void add_escaped(struct line *l, const char *s)
{
    size_t left = strlen(s);
    while (left) {
        const size_t plain = plain_run(l, s);
        add(l, s, plain);
        s += plain;
        left -= plain;
        if (!left)
            break;
        char shown[8];
        const int bytes = escape_char(s, left, shown);
        if (!has_room(l, strlen(shown))) {
            add_text(l, "...");
            break;
        }
        add_text(l, shown);
        s += bytes;
        left -= (size_t)bytes;
    }
}

static void add_quoted(struct line *l, const char *s)
{
    add_text(l, "\"");
    add_escaped(l, s);
    add_text(l, "\"");
}

static bool needs_quotes(const char *s)
{
    return !*s || s[strcspn(s, " \"\\=\n\t")];
}

static void add_value(struct line *l, const struct log_value *v)
{
    if (!v->text) {
        char number[24];
        snprintf(number, sizeof(number), "%lld", (long long)v->num);
        add_text(l, number);
    } else if (is_json || needs_quotes(v->text)) {
        add_quoted(l, v->text);
    } else {
        add_escaped(l, v->text);
    }
}

/* Room for a name, a number and what stands around them; a value left out is better than half. */
static bool fits(const struct line *l, const struct log_value *v)
{
    return has_room(l, strlen(v->name) + 32);
}

static void write_text(struct line *l, const char *ts, enum log_level level, const char *message,
                       const struct log_value *values)
{
    add_text(l, ts);
    add_text(l, " ");
    add_text(l, level_names[level]);
    add_text(l, " ");
    add_escaped(l, message);
    for (const struct log_value *v = values; v->name && fits(l, v); v++) {
        add_text(l, " ");
        add_text(l, v->name);
        add_text(l, "=");
        add_value(l, v);
    }
    add_text(l, "\n");
}

static void write_json(struct line *l, const char *ts, enum log_level level, const char *message,
                       const struct log_value *values)
{
    add_text(l, "{\"ts\":\"");
    add_text(l, ts);
    add_text(l, "\",\"level\":\"");
    add_text(l, level_names[level]);
    add_text(l, "\",\"msg\":");
    add_quoted(l, message);
    for (const struct log_value *v = values; v->name && fits(l, v); v++) {
        add_text(l, ",");
        add_quoted(l, v->name);
        add_text(l, ":");
        add_value(l, v);
    }
    add_text(l, "}\n");
}

void log_setup(enum log_level least, bool as_json)
{
    least_level = least;
    is_json = as_json;
}

bool log_level_from_name(const char *name, enum log_level *ret)
{
    for (int i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_equal(name, level_names[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_line(enum log_level level, const char *message, const struct log_value *values)
{
    if (level > least_level)
        return;
    char ts[32 + 1] = {0};
    time_write_instant(clock_now(), ts);
    struct line l;
    l.len = 0;
    (is_json ? write_json : write_text)(&l, ts, level, message, values);

    ssize_t n;
    do
        n = write(STDERR_FILENO, l.at, l.len);
    while (n < 0 && errno == EINTR);
}
