#include "base/map.h"

#include "base/arena.h"
#include "base/test.h"

static void test_put_and_get(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static int values[COUNT];
    struct arena *a = arena_create();
    struct map m = {.arena = a};
    assert_null(map_get(&m, "nothing"));
    for (int i = 0; i < COUNT; i++)
        assert_null(map_put(&m, arena_printf(a, "key %d", i), &values[i]));
    assert_int_equal(m.count, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(map_get(&m, arena_printf(a, "key %d", i)), &values[i]);
    assert_null(map_get(&m, "key"));
    arena_destroy(a);
}

static void test_the_first_value_stays(void **state)
{
    (void)state;
    int first, second;
    struct arena *a = arena_create();
    struct map m = {.arena = a};
    assert_null(map_put(&m, "x", &first));
    assert_ptr_equal(map_put(&m, "x", &second), &first);
    assert_ptr_equal(map_get(&m, "x"), &first);
    assert_int_equal(m.count, 1);
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_get),
        cmocka_unit_test(test_the_first_value_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
