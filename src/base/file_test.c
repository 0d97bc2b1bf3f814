#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/test.h"

static struct ctx cx;
static char folder[] = "/tmp/fettle_file_XXXXXX";

static int setup(void **state)
{
    (void)state;
    cx = (struct ctx){.arena = arena_create()};
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(cx.arena);
    return rmdir(folder);
}

static const char *in_folder(const char *name)
{
    return arena_printf(cx.arena, "%s/%s", folder, name);
}

static void test_written_and_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    const char *path = in_folder("bytes");
    for (int i = 0; i < ARRAY_LEN(sizes); i++) {
        char *bytes = arena_alloc(cx.arena, sizes[i] + 1);
        memset(bytes, 'a' + i, sizes[i]);
        assert_int_equal(file_write(&cx, path, bytes, sizes[i]), OK);
        char *back;
        size_t len;
        assert_int_equal(file_read(&cx, path, sizes[i], &back, &len), OK);
        assert_int_equal(len, sizes[i]);
        assert_string_equal(back, bytes);
        if (sizes[i])
            assert_int_equal(file_read(&cx, path, sizes[i] - 1, &back, NULL), E_TOO_LARGE);
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(unlink(path), 0);
}

static void test_failures(void **state)
{
    (void)state;
    char *back;
    assert_int_equal(file_read(&cx, in_folder("none"), 10, &back, NULL), E_NOT_FOUND);
    assert_non_null(strstr(cx.err.text, "there is no /tmp/"));
    assert_int_equal(file_read(&cx, folder, 10, &back, NULL), E_FAIL);
    assert_int_equal(file_write(&cx, in_folder("no/file"), "x", 1), E_NOT_FOUND);
    struct list names;
    assert_int_equal(folder_list(&cx, in_folder("none"), "", &names), E_NOT_FOUND);
    assert_int_equal(folder_sync(&cx, in_folder("none")), E_NOT_FOUND);
    assert_int_equal(file_write(&cx, in_folder("file"), "x", 1), OK);
    assert_int_equal(folder_make(&cx, in_folder("file")), E_FAIL);
    assert_int_equal(folder_make(&cx, in_folder("file/below")), E_NOT_FOUND);
    assert_int_equal(unlink(in_folder("file")), 0);
}

/* A file without a size, as /proc has them, is read all the same. */
static void test_file_without_size(void **state)
{
    (void)state;
    char *back;
    size_t len;
    assert_int_equal(file_read(&cx, "/proc/self/status", 100000, &back, &len), OK);
    assert_true(len > 100);
    assert_int_equal(file_read(&cx, "/proc/self/status", 10, &back, &len), E_TOO_LARGE);
}

static void test_folders(void **state)
{
    (void)state;
    static const char *const files[] = {"b.yaml", "a.yaml", ".hidden.yaml", "c.txt"};
    const char *deep = in_folder("x/y");
    assert_int_equal(folder_make(&cx, deep), OK);
    assert_int_equal(folder_make(&cx, deep), OK);
    struct stat st;
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);

    for (int i = 0; i < ARRAY_LEN(files); i++) {
        const char *path = arena_printf(cx.arena, "%s/%s", deep, files[i]);
        assert_int_equal(file_write(&cx, path, "", 0), OK);
    }
    struct list names;
    assert_int_equal(folder_list(&cx, deep, ".yaml", &names), OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(((const char **)names.at)[0], "a.yaml");
    assert_string_equal(((const char **)names.at)[1], "b.yaml");
    for (int i = 0; i < ARRAY_LEN(files); i++)
        unlink(arena_printf(cx.arena, "%s/%s", deep, files[i]));
    assert_int_equal(rmdir(deep), 0); /* nothing temporary is left over */
    assert_int_equal(rmdir(in_folder("x")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_and_read),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_file_without_size),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
