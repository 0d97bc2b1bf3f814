#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/test.h"

static void test_adding(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct buf b = {.arena = a};
    assert_string_equal(buf_text(&b), "");
    buf_clear(&b);
    buf_puts(&b, "");
    buf_puts(&b, "one");
    buf_putc(&b, ' ');
    buf_add(&b, "two!", 3);
    buf_printf(&b, " %d %s", 3, "four");
    assert_string_equal(buf_text(&b), "one two 3 four");
    assert_int_equal(b.len, 14);
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    buf_puts(&b, "again");
    assert_string_equal(buf_text(&b), "again");
    arena_destroy(a);
}

static void test_two_buffers_grow_side_by_side(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct buf odd = {.arena = a};
    struct buf even = {.arena = a};
    for (int i = 0; i < 20000; i++)
        buf_printf(i % 2 ? &odd : &even, "%d,", i);
    const char *p = buf_text(&odd);
    for (int i = 1; i < 20000; i += 2) {
        char want[16];
        const int len = snprintf(want, sizeof(want), "%d,", i);
        assert_memory_equal(p, want, (size_t)len);
        p += len;
    }
    assert_int_equal(*p, 0);
    arena_destroy(a);
}

static void test_printf_fits_exactly(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    for (int len = 0; len < 200; len++) {
        struct buf b = {.arena = a};
        buf_putc(&b, '<');
        buf_printf(&b, "%*s", len, "");
        buf_putc(&b, '>');
        assert_int_equal(strlen(buf_text(&b)), b.len);
        assert_int_equal(b.len, len + 2);
    }
    arena_destroy(a);
}

static void test_reserve(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct buf b = {.arena = a};
    for (int i = 0; i < 100; i++) {
        memcpy(buf_reserve(&b, 10), "0123456789", 11);
        b.len += 10;
    }
    assert_int_equal(strlen(buf_text(&b)), 1000);
    arena_destroy(a);
}

static void test_int(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *want;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {-1, "-1"},
        {1234567890123, "1234567890123"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    struct arena *a = arena_create();
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {.arena = a};
        buf_int(&b, cases[i].n);
        assert_string_equal(buf_text(&b), cases[i].want);
    }
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_two_buffers_grow_side_by_side),
        cmocka_unit_test(test_printf_fits_exactly),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_int),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
