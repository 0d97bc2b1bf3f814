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

#endif
