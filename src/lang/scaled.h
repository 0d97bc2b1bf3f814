/* scaled.h - decimal numbers as whole ones: "12.50" with two decimals is 1250. */
#ifndef LANG_SCALED_H
#define LANG_SCALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The greatest that JSON's readers keep exactly: 2^53 - 1. */
#define SCALED_MOST INT64_C(9007199254740991)

/* Optional '-', digits, and at most so many decimals; false for anything else and past
 * SCALED_MOST. */
bool scaled_parse(const char *text, int decimals, int64_t *ret);

/* A number that came with a fraction or exponent; false when it does not have the scale exactly. */
bool scaled_from_real(double real, int decimals, int64_t *ret);
bool scaled_from_int(int64_t n, int decimals, int64_t *ret);

/* "12.50": all decimals. Returns the length, and terminates. */
size_t scaled_write(int64_t n, int decimals, char ret[static 32]);

/* Minor units of a currency (ISO 4217): 2 for most; -1 when it is not three capitals. */
int currency_decimals(const char *currency);

#endif
