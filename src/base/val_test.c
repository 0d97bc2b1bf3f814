#include "base/val.h"

#include <string.h>

#include "base/arena.h"
#include "base/test.h"

static struct val list_of(struct arena *a, int64_t first, int64_t second)
{
    struct val *items = arena_array(a, 2, sizeof(*items));
    items[0] = val_int(first);
    items[1] = val_int(second);
    return (struct val){.kind = VAL_LIST, .count = 2, .items = items};
}

/* Members "m0" to "m<count - 1>", forwards or backwards. */
static struct val map_of(struct arena *a, int count, int first, int step)
{
    struct val_map m = {0};
    for (int i = 0, n = first; i < count; i++, n += step)
        val_map_set(a, &m, arena_printf(a, "m%d", n), val_int(n));
    return val_from_map(&m);
}

static void test_equal(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    const struct val kinds[] = {
        val_null(),           val_flag(true),
        val_flag(false),      val_int(1),
        val_int(0),           val_text("1"),
        val_text(""),         {.kind = VAL_REAL, .real = 1.0},
        list_of(a, 1, 2),     list_of(a, 2, 1),
        {.kind = VAL_LIST},   {.kind = VAL_MAP},
        map_of(a, 2, 0, 1),   map_of(a, 2, 1, 1),
        map_of(a, 100, 0, 1), map_of(a, 100, 1, 1),
    };
    for (int i = 0; i < ARRAY_LEN(kinds); i++) {
        for (int j = 0; j < ARRAY_LEN(kinds); j++)
            assert_int_equal(val_equal(kinds[i], kinds[j]), i == j);
        assert_true(val_equal(kinds[i], val_copy(a, kinds[i])));
    }
    assert_true(val_equal(map_of(a, 3, 0, 1), map_of(a, 3, 2, -1)));
    assert_true(val_equal(map_of(a, 300, 0, 1), map_of(a, 300, 299, -1)));
    assert_true(val_is_null(val_text(NULL)));
    arena_destroy(a);
}

static void test_copy_is_deep(void **state)
{
    (void)state;
    struct arena *brief = arena_create();
    struct arena *lasting = arena_create();
    struct val_map m = {0};
    val_map_set(brief, &m, arena_strdup(brief, "title"), val_text(arena_strdup(brief, "Printer")));
    val_map_set(brief, &m, arena_strdup(brief, "links"), list_of(brief, 4, 5));
    const struct val kept = val_copy(lasting, val_from_map(&m));
    arena_destroy(brief);
    assert_string_equal(val_get_text(&kept, "title"), "Printer");
    assert_int_equal(val_get(&kept, "links")->items[1].i, 5);
    arena_destroy(lasting);
}

static void test_map(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct val_map m = {0};
    for (int round = 0; round < 2; round++) { /* the second replaces */
        for (int i = 0; i < 500; i++)
            val_map_set(a, &m, arena_printf(a, "m%d", i), val_int(i + round));
    }
    const struct val v = val_from_map(&m);
    assert_int_equal(v.count, 500);
    for (int i = 0; i < 500; i++) {
        assert_string_equal(v.members[i].name, arena_printf(a, "m%d", i));
        assert_int_equal(v.members[i].val.i, i + 1);
    }
    assert_null(val_get(&v, "m500"));
    assert_null(val_get(NULL, "m1"));
    assert_null(val_get(&v.members[0].val, "m1"));
    assert_null(val_get_text(&v, "m1")); /* an integer */
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_copy_is_deep),
        cmocka_unit_test(test_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
