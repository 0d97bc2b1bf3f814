#include "base/arena.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

static void test_alloc_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 10000; size += size / 3 + 1) {
            unsigned char *p = arena_alloc(a, size);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, size);
        }
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_destroy(a);
}

static void test_allocations_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct arena *a = arena_create();
    unsigned char *at[COUNT];
    for (int i = 0; i < COUNT; i++) {
        at[i] = arena_alloc(a, (size_t)(i * 7 % 301));
        memset(at[i], i % 251, (size_t)(i * 7 % 301));
    }
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < i * 7 % 301; j++)
            assert_int_equal(at[i][j], i % 251);
    }
    arena_destroy(a);
}

static void test_copies(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    assert_null(arena_strdup(a, NULL));
    assert_string_equal(arena_strdup(a, "word"), "word");
    assert_string_equal(arena_strndup(a, "word", 2), "wo");
    assert_string_equal(arena_strndup(a, NULL, 0), "");
    assert_memory_equal(arena_copy(a, "a\0b", 3), "a\0b", 3);
    assert_non_null(arena_copy(a, NULL, 0));
    assert_string_equal(arena_printf(a, "%s-%d", "INC", 7), "INC-7");
    const char *wide = arena_printf(a, "%1000d|", 5);
    assert_int_equal(strlen(wide), 1001);
    assert_string_equal(wide + 999, "5|");
    arena_destroy(a);
}

static void test_grow(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    char *p = arena_grow(a, NULL, 0, 10);
    memcpy(p, "123456789", 10);
    assert_ptr_equal(arena_grow(a, p, 10, 100), p); /* the newest: grows where it lies */
    assert_ptr_equal(arena_grow(a, p, 100, 50), p);
    arena_alloc(a, 1);
    char *moved = arena_grow(a, p, 100, 200);
    assert_ptr_not_equal(moved, p);
    for (size_t size = 200; size < 3000000; size *= 2) {
        moved = arena_grow(a, moved, size, size * 2);
        assert_string_equal(moved, "123456789");
        memset(moved + size, 'x', size);
        if (size % 3)
            arena_alloc(a, 5);
    }
    arena_destroy(a);
}

struct trace {
    int order[4];
    int count;
};

struct traced {
    struct trace *trace;
    int id;
};

static void note(void *arg)
{
    const struct traced *t = arg;
    t->trace->order[t->trace->count++] = t->id;
}

static void test_deferred_run_newest_first_and_once(void **state)
{
    (void)state;
    struct trace trace = {0};
    struct arena *a = arena_create();
    for (int i = 0; i < 3; i++) {
        struct traced *t = arena_alloc(a, sizeof(*t)); /* what fn reads may lie in the arena */
        *t = (struct traced){&trace, i};
        arena_defer(a, note, t);
    }
    arena_reset(a);
    arena_reset(a);
    assert_int_equal(trace.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(trace.order[i], 2 - i);
    struct traced last = {&trace, 9};
    arena_defer(a, note, &last);
    arena_destroy(a);
    assert_int_equal(trace.order[3], 9);
    arena_destroy(NULL);
}

static void test_list_grows(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct list l = {0};
    for (int i = 0; i < 1000; i++) {
        int *n = list_add(a, &l, sizeof(*n));
        assert_int_equal(*n, 0);
        *n = i;
    }
    assert_int_equal(l.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(((int *)l.at)[i], i);
    arena_destroy(a);
}

static void past_the_limit(struct arena *a)
{
    arena_limit(a, 100000);
    for (int i = 0; i < 1000; i++)
        arena_alloc(a, 1000);
}

static void overflowing_array(struct arena *a)
{
    arena_array(a, SIZE_MAX / 2, 3);
}

static void senseless_size(struct arena *a)
{
    arena_alloc(a, SIZE_MAX - 3);
}

static bool ends_the_process(void (*fn)(struct arena *))
{
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        fn(arena_create());
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_what_cannot_be_given_ends_the_process(void **state)
{
    (void)state;
    assert_true(ends_the_process(past_the_limit));
    assert_true(ends_the_process(overflowing_array));
    assert_true(ends_the_process(senseless_size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_is_zeroed_and_aligned),
        cmocka_unit_test(test_allocations_do_not_overlap),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_deferred_run_newest_first_and_once),
        cmocka_unit_test(test_list_grows),
        cmocka_unit_test(test_what_cannot_be_given_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
