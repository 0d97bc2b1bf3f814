#include "edge/upload.h"

#include <string.h>

#include "base/test.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static const struct {
    const char *name, *want;
} names[] = {
    {"report.pdf", "report.pdf"},
    {NULL, "attachment"},
    {"", "attachment"},
    {"../../etc/passwd", "passwd"},
    {"C:\\Users\\x\\a.txt", "a.txt"},
    {"..", "attachment"},
    {".bashrc", "bashrc"},
    {" spaced ", "spaced"},
    {"a\r\nb", "ab"},
    {"x\xe2\x80\xaegpj.exe", "xgpj.exe"}, /* right-to-left override */
    {"\xef\xbb\xbf"
     "bom.txt",
     "bom.txt"},
    {"\xff\xfe.txt", "txt"}, /* no UTF-8 */
    {"a\"b*c?d", "a_b_c_d"},
    {"na\xc3\xafve", "na\xc3\xafve"},
};

static void names_become_harmless(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(upload_clean_name(arena, names[i].name), names[i].want);
}

static void long_names_end_between_characters(void **state)
{
    char name[402];

    (void)state;
    for (int i = 0; i < 400; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[400] = '\0';
    const char *clean = upload_clean_name(arena, name);
    assert_int_equal(strlen(clean), 200);
}

static const struct {
    const char *header, *want;
} dispositions[] = {
    {"attachment; filename=a.txt", "a.txt"},
    {"attachment; filename=\"a b.txt\"", "a b.txt"},
    {"attachment;filename=\"a;b.txt\"; size=3", "a;b.txt"},
    {"attachment; filename=\"a\\\"b\"", "a_b"},
    {"attachment; FILENAME=a.txt", "a.txt"},
    {"attachment; filename=\"x\"; filename*=UTF-8''%e2%82%ac.txt", "\xe2\x82\xac.txt"},
    {"attachment; filename*=iso-8859-1''x; filename=y", "y"},
    {"attachment; filename*=UTF-8''a%00b", "ab"},
    {"attachment; filename*=UTF-8''a%zz%2", "a%zz%2"},
    {"attachment; filename=\"", "attachment"},
    {"attachment; filename=\"open", "open"},
    {"attachment; filename=\"a\\", "attachment"},
    {"filename", "attachment"},
    {";;;", "attachment"},
    {"", "attachment"},
};

static void the_header_names_the_file(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(dispositions); i++) {
        struct http_pair header = {"content-disposition", dispositions[i].header};
        const struct request rq = {.arena = arena, .headers = {.at = &header, .count = 1}};
        assert_string_equal(upload_name(&rq), dispositions[i].want);
    }
}

static void a_download_says_both_names(void **state)
{
    (void)state;
    assert_string_equal(upload_disposition(arena, "a b\xc3\xa9.txt"),
                        "attachment; filename=\"a b__.txt\"; filename*=UTF-8''a%20b%C3%A9.txt");
}

static const struct {
    const char *bytes;
    size_t len;
    const char *want;
} contents[] = {
    {"\x89PNG\r\n\x1a\n....", 12, "image/png"},
    {"RIFF....WEBP", 12, "image/webp"},
    {"%PDF-1.7", 8, "application/pdf"},
    {"<!doctype html>", 15, "text/plain"},
    {"<?xml version=\"1.0\"?><svg/>", 27, "text/plain"},
    {"", 0, "application/octet-stream"},
    {"a\0b", 3, "application/octet-stream"},
    {"\xc3", 1, "application/octet-stream"},
    {"cut \xe2\x82", 6, "text/plain"},
    {"\x89PN", 3, "application/octet-stream"},
};

static void the_content_says_what_it_is(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(contents); i++)
        assert_string_equal(upload_sniff((const unsigned char *)contents[i].bytes, contents[i].len),
                            contents[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_become_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(long_names_end_between_characters, setup, teardown),
        cmocka_unit_test_setup_teardown(the_header_names_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_download_says_both_names, setup, teardown),
        cmocka_unit_test_setup_teardown(the_content_says_what_it_is, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
