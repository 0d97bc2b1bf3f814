/* str.h - small questions about text. Strings are NUL-terminated UTF-8. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_is_empty(const char *s);             /* NULL, "" */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_in(const char *s, const char *const *names); /* names end with NULL */

/* A whole decimal number, optional leading '-', nothing around it; false on overflow. */
bool str_to_int(const char *s, int64_t *ret);

/* RFC 3629: no surrogates, no overlongs, no NUL. */
bool str_is_utf8(const char *s, size_t len);
/* Bytes of the character at s (at most len of them are looked at) and its number; 0 when there is
 * no well-formed character. NUL is one of a single byte. */
int str_utf8_char(const char *s, size_t len, uint32_t *ret);

char *str_lower_ascii(struct arena *a, const char *s);
char *str_trim(struct arena *a, const char *s); /* without white space at both ends */

/* The name nearest to what was typed, for "did you mean": edit distance at most 2 and less than
 * half of the length; NULL when nothing is near. names end with NULL. */
const char *str_nearest(const char *typed, const char *const *names);

uint64_t str_hash(const char *s); /* keyed per process: for tables in memory, never stored */

char *str_hex(struct arena *a, const void *bytes, size_t len); /* lower case */
bool str_unhex(const char *hex, void *ret, size_t len);        /* exactly 2 * len digits */

#endif
