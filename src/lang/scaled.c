#include "lang/scaled.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

static int64_t power_of_ten(int n)
{
    int64_t power = 1;
    while (n-- > 0)
        power *= 10;
    return power;
}

bool scaled_from_int(int64_t n, int decimals, int64_t *ret)
{
    int64_t scaled;
    if (__builtin_mul_overflow(n, power_of_ten(decimals), &scaled))
        return false;
    if (scaled > SCALED_MOST || scaled < -SCALED_MOST)
        return false;
    *ret = scaled;
    return true;
}

/* Digits of s into *n, which grows by them; how many there were, -1 past the greatest number. */
static int take_digits(const char *s, int64_t *n)
{
    int count = 0;
    for (; s[count] >= '0' && s[count] <= '9'; count++) {
        *n = *n * 10 + (s[count] - '0');
        if (*n > SCALED_MOST)
            return -1;
    }
    return count;
}

bool scaled_parse(const char *text, int decimals, int64_t *ret)
{
    const bool is_negative = *text == '-';
    const char *s = text + is_negative;
    int64_t n = 0;
    const int whole = take_digits(s, &n);
    if (whole <= 0)
        return false;
    s += whole;

    int fraction = 0;
    if (*s == '.') {
        fraction = take_digits(s + 1, &n);
        s += fraction + 1;
        if (fraction <= 0)
            return false;
    }
    if (*s || fraction > decimals)
        return false;
    return scaled_from_int(is_negative ? -n : n, decimals - fraction, ret);
}

bool scaled_from_real(double real, int decimals, int64_t *ret)
{
    const double power = (double)power_of_ten(decimals);
    const double nearest = round(real * power);
    if (!(fabs(nearest) <= (double)SCALED_MOST))
        return false;
    /* 0.1 + 0.2 is not 0.3: what divides back to the very same number was meant. */
    if (nearest / power != real) /* NOLINT: exact on purpose */
        return false;
    *ret = (int64_t)nearest;
    return true;
}

size_t scaled_write(int64_t n, int decimals, char ret[static 32])
{
    char digits[24];
    int count = 0;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    for (; rest || count <= decimals; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);

    size_t len = 0;
    if (n < 0)
        ret[len++] = '-';
    while (count > 0) {
        if (count == decimals)
            ret[len++] = '.';
        ret[len++] = digits[--count];
    }
    ret[len] = '\0';
    return len;
}

/* ISO 4217, those that do not have two. */
static const char *const without_minor[] = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
    "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF", NULL,
};
static const char *const with_thousandths[] = {
    "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND", NULL,
};

int currency_decimals(const char *currency)
{
    if (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return -1;
    if (str_in(currency, without_minor))
        return 0;
    return str_in(currency, with_thousandths) ? 3 : 2;
}
