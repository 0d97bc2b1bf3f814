#include "base/str.h"

#include <string.h>

#include "base/arena.h"
#include "base/secret.h"

#define LONGEST_NAME 64 /* for str_nearest(); nothing longer is a typing error */

bool str_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_is_empty(const char *s)
{
    return !s || !*s;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    const size_t len = strlen(s);
    const size_t end = strlen(suffix);
    return end <= len && memcmp(s + len - end, suffix, end) == 0;
}

bool str_in(const char *s, const char *const *names)
{
    for (; *names; names++) {
        if (str_equal(s, *names))
            return true;
    }
    return false;
}

bool str_to_int(const char *s, int64_t *ret)
{
    const bool is_negative = *s == '-';
    s += is_negative;
    if (!*s)
        return false;

    int64_t n = 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        const int digit = is_negative ? '0' - *s : *s - '0';
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    *ret = n;
    return true;
}

/* Well-formed sequences by their first byte: how many bytes follow, and the bounds of the second
 * (RFC 3629, section 4), which exclude overlong forms, surrogates and what lies past U+10FFFF. */
static const struct lead {
    unsigned char first, last;
    unsigned char more;
    unsigned char least, most;
} leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static const struct lead *lead_of(unsigned char c)
{
    for (int i = 0; i < ARRAY_LEN(leads); i++) {
        if (c >= leads[i].first && c <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

int str_utf8_char(const char *s, size_t len, uint32_t *ret)
{
    const unsigned char *p = (const unsigned char *)s;
    if (len && p[0] < 0x80) {
        *ret = p[0];
        return 1;
    }
    const struct lead *lead = len ? lead_of(p[0]) : NULL;
    if (!lead || len <= lead->more || p[1] < lead->least || p[1] > lead->most)
        return 0;

    uint32_t n = p[0] & (0x3fU >> lead->more);
    for (int i = 1; i <= lead->more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        n = n << 6 | (p[i] & 0x3fU);
    }
    *ret = n;
    return lead->more + 1;
}

/* How many bytes at s, in steps of eight, are plain ASCII without NUL. */
static size_t ascii_run(const char *s, size_t len)
{
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t eight;
        memcpy(&eight, s + n, 8);
        const uint64_t has_nul = eight - 0x0101010101010101U;
        if ((eight | has_nul) & 0x8080808080808080U)
            break;
    }
    return n;
}

bool str_is_utf8(const char *s, size_t len)
{
    size_t n = ascii_run(s, len);
    while (n < len) {
        uint32_t c;
        const int bytes = str_utf8_char(s + n, len - n, &c);
        if (!bytes || !c)
            return false;
        n += (size_t)bytes;
        if (bytes == 1)
            n += ascii_run(s + n, len - n);
    }
    return true;
}

char *str_lower_ascii(struct arena *a, const char *s)
{
    char *lower = arena_strdup(a, s);
    for (char *p = lower; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return lower;
}

char *str_trim(struct arena *a, const char *s)
{
    static const char white[] = " \t\r\n\v\f";
    s += strspn(s, white);
    size_t len = strlen(s);
    while (len && strchr(white, s[len - 1]))
        len--;
    return arena_strndup(a, s, len);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance in its restricted form: letters added, left out, changed, or two
 * neighbours swapped. Both at most LONGEST_NAME long. */
static int distance(const char *a, const char *b)
{
    const int wide = (int)strlen(b);
    int rows[3][LONGEST_NAME + 1];
    int *older = rows[0], *above = rows[1], *row = rows[2];
    for (int x = 0; x <= wide; x++)
        row[x] = x;
    for (int y = 1; a[y - 1]; y++) {
        int *const spare = older;
        older = above, above = row, row = spare;
        row[0] = y;
        for (int x = 1; x <= wide; x++) {
            const int change = above[x - 1] + (a[y - 1] != b[x - 1]);
            row[x] = least(change, least(above[x], row[x - 1]) + 1);
            if (y > 1 && x > 1 && a[y - 1] == b[x - 2] && a[y - 2] == b[x - 1])
                row[x] = least(row[x], older[x - 2] + 1);
        }
    }
    return row[wide];
}

const char *str_nearest(const char *typed, const char *const *names)
{
    const size_t len = strlen(typed);
    if (len > LONGEST_NAME)
        return NULL;
    const char *nearest = NULL;
    int limit = 3;
    for (; *names; names++) {
        if (strlen(*names) > LONGEST_NAME)
            continue;
        const int d = distance(typed, *names);
        if (d < limit && (size_t)d * 2 < len) {
            limit = d;
            nearest = *names;
        }
    }
    return nearest;
}

uint64_t str_hash(const char *s)
{
    return keyed_hash(s, strlen(s));
}

char *str_hex(struct arena *a, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    char *hex = arena_alloc(a, len * 2 + 1);
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[from[i] >> 4];
        hex[2 * i + 1] = digits[from[i] & 15];
    }
    return hex;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool str_unhex(const char *hex, void *ret, size_t len)
{
    if (strlen(hex) != len * 2)
        return false;
    for (size_t i = 0; i < len * 2; i++) {
        if (hex_digit(hex[i]) < 0)
            return false;
    }
    unsigned char *to = ret;
    for (size_t i = 0; i < len; i++)
        to[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return true;
}
