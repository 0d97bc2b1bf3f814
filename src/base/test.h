/* test.h - what every unit test includes instead of cmocka's list of headers. */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Ours describes a failure (ctx.h); tests that want cmocka's call _fail(). */
#undef fail

/* Numbers that look random and are the same in every run (xorshift64*); start with any state but
 * 0. */
static inline uint32_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

#endif
