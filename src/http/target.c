#include "http/target.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that "%xx" at s stands for; -1 when it is none. */
static int escaped_byte(const char *s)
{
    const int high = hex_value(s[1]);
    const int low = high < 0 ? -1 : hex_value(s[2]);
    return low < 0 ? -1 : high << 4 | low;
}

/* ---- path ----------------------------------------------------------------------------------- */

/* Raw bytes of a path: RFC 3986's pchar and '/'. */
static bool is_path_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~!$&'()*+,;=:@/", c));
}

/* What an escape may not stand for: a separator that was hidden, or a control character. */
static bool is_hidden(int byte)
{
    return byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\';
}

static bool decode_path(char *ret, const char *s, size_t len)
{
    const char *end = s + len;
    while (s < end) {
        if (*s != '%') {
            if (!is_path_char(*s))
                return false;
            *ret++ = *s++;
            continue;
        }
        const int byte = end - s < 3 ? -1 : escaped_byte(s);
        if (is_hidden(byte))
            return false;
        *ret++ = (char)byte;
        s += 3;
    }
    *ret = '\0';
    return true;
}

static bool is_dots(const char *s, size_t len)
{
    return (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.');
}

/* "/" alone and a slash at the end are fine; "//", "/./" and "/../" are not. */
static bool is_canonical(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *s = path + 1; *s;) {
        const size_t len = strcspn(s, "/");
        if (len == 0 || is_dots(s, len))
            return false;
        s += len + (s[len] == '/');
    }
    return true;
}

static bool parse_path(struct request *rq, const char *s, size_t len)
{
    char *path = arena_alloc(rq->arena, len + 1);
    if (!decode_path(path, s, len) || !is_canonical(path) || !str_is_utf8(path, strlen(path)))
        return false;
    rq->path = path;
    return true;
}

/* ---- query ---------------------------------------------------------------------------------- */

/* One name or value, as forms write it; NULL when it breaks a rule. */
static const char *decode_word(struct arena *a, const char *s, size_t len)
{
    const char *end = s + len;
    char *word = arena_alloc(a, len + 1), *at = word;
    for (; s < end; s++) {
        int byte = *s == '+' ? ' ' : (unsigned char)*s;
        if (*s == '%') {
            byte = end - s < 3 ? -1 : escaped_byte(s);
            s += 2;
        }
        if (byte <= 0)
            return NULL;
        *at++ = (char)byte;
    }
    return str_is_utf8(word, (size_t)(at - word)) ? word : NULL;
}

static bool parse_pair(struct request *rq, const char *s, size_t len)
{
    const char *equals = memchr(s, '=', len);
    const size_t name_len = equals ? (size_t)(equals - s) : len;
    const size_t value_len = equals ? len - name_len - 1 : 0;
    struct http_pair *pair = list_add(rq->arena, &rq->query, sizeof(*pair));
    pair->name = decode_word(rq->arena, s, name_len);
    pair->value = value_len ? decode_word(rq->arena, equals + 1, value_len) : "";
    return pair->name && pair->value;
}

static bool parse_query(struct request *rq, const char *s)
{
    while (*s) {
        const size_t len = strcspn(s, "&");
        if (len > 0 && !parse_pair(rq, s, len))
            return false;
        s += len + (s[len] == '&');
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

/* The length of the host that s begins with: a name, an IPv4 or a bracketed IPv6 address. */
static size_t host_len(const char *s)
{
    size_t n = 0;
    if (*s != '[') {
        while (is_host_char(s[n]))
            n++;
        return n;
    }
    n = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
    return n > 2 && s[n] == ']' ? n + 1 : 0;
}

bool target_is_authority(const char *s)
{
    const size_t n = host_len(s);
    if (n == 0 || n > 255)
        return false;
    if (s[n] == '\0')
        return true;
    const size_t digits = s[n] == ':' ? strspn(s + n + 1, "0123456789") : 0;
    return digits >= 1 && digits <= 5 && s[n + 1 + digits] == '\0';
}

/* What follows "http://authority" of an absolute target; NULL when that is not so. */
static const char *after_authority(struct request *rq, const char *target, const char *host)
{
    if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0)
        return NULL;
    const char *authority = strchr(target, '/') + 2;
    const size_t len = strcspn(authority, "/?");
    const char *named = arena_strndup(rq->arena, authority, len);
    if (!target_is_authority(named) || !host || strcasecmp(named, host) != 0)
        return NULL;
    return authority + len;
}

int target_parse(struct request *rq, const char *host)
{
    const char *s = rq->target;
    if (rq->method == HTTP_OPTIONS_ && strcmp(s, "*") == 0) {
        rq->path = "*";
        return 0;
    }
    if (*s != '/') {
        s = after_authority(rq, s, host);
        if (!s)
            return 400;
    }
    const size_t path_len = strcspn(s, "?");
    const bool is_fine = path_len == 0 ? parse_path(rq, "/", 1) : parse_path(rq, s, path_len);
    if (!is_fine || (s[path_len] == '?' && !parse_query(rq, s + path_len + 1)))
        return 400;
    return 0;
}
