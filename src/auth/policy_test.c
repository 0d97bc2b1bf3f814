#include "auth/policy.h"

#include "auth/auth_test.h"

static const struct {
    const char *password, *login, *name;
    const char *fault; /* a part of what it says; NULL: good */
} cases[] = {
    {"twelve green bottles", "ada", "Ada Admin", NULL},
    {"corridor-lemon-83", "ada", "Ada Admin", NULL},
    {"840275930185", "ada", "Ada Admin", NULL}, /* no rules of composition */
    {"\xc3\xa9t\xc3\xa9 \xc3\xa0 la c\xc3\xb4te", "ada", NULL, NULL},
    {"\xe7\xb4\x85\xe7\xb5\xb2\xe5\xb7\xbe\xe5\xa4\xa9\xe5\x9c\xb0\xe5\xb1\xb1"
     "\xe6\xb0\xb4\xe9\xa2\xa8\xe9\x9b\xaa\xe8\x8a\xb1\xe9\xb3\xa5\xe9\xad\x9a",
     "ada", NULL, NULL}, /* 12 characters */
    {"", "ada", NULL, "at least 12"},
    {"eleven char", "ada", NULL, "at least 12"},
    {"\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8\xc3\xa9",
     "ada", NULL, "at least 12"}, /* 11 characters of two bytes */
    {"annabelle is great", "annabelle", NULL, "login"},
    {"ANNABELLE is great", "annabelle", NULL, "login"},
    {"my name is smith!", "as", "Anna Smith", "name"},
    {"a password of anna", "as", "Anna Smith", "name"},
    {"smith@example.org", "smith@example.org", NULL, "login"},
    {"Fettle is my help", "ada", NULL, "product"},
    {"Password1234", "ada", NULL, "many people"},
    {"P@ssword2026!", "ada", NULL, "many people"},
    {"Motdepasse-2026", "ada", NULL, "many people"},
    {"passwordpassword", "ada", NULL, "many people"},
    {"Qwertyuiop123!", "ada", NULL, "many people"},
    {"!!Winter2026!!", "ada", NULL, "many people"},
    {"correct horse battery staple", "ada", NULL, "many people"},
    {"123456789012", "ada", NULL, "row"},
    {"aaaaaaaaaaaaaaaa", "ada", NULL, "row"},
    {"abcdefghijklm", "ada", NULL, "row"},
};

static void test_policy(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        fail_clear(&cx);
        const enum rc rc =
            policy_check(&cx, secret_of(&cx, cases[i].password), cases[i].login, cases[i].name);
        if (rc != (cases[i].fault ? E_INVALID : OK))
            print_message("# %s: %s\n", cases[i].password, cx.err.text);
        assert_int_equal(rc, cases[i].fault ? E_INVALID : OK);
        if (cases[i].fault) {
            assert_string_equal(cx.err.field, "password");
            assert_non_null(strstr(cx.err.text, cases[i].fault));
        }
    }
    arena_destroy(cx.arena);
}

static void test_length(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    char *text = arena_alloc(cx.arena, PASSWORD_MOST_BYTES + 2);
    for (int i = 0; i < PASSWORD_MOST_BYTES; i++)
        text[i] = "kz7-bq2 wm"[i % 10];
    assert_int_equal(policy_check(&cx, secret_of(&cx, text), "ada", NULL), OK);
    text[PASSWORD_MOST_BYTES] = 'x';
    assert_int_equal(policy_check(&cx, secret_of(&cx, text), "ada", NULL), E_INVALID);
    assert_int_equal(
        policy_check(&cx, secret_create(cx.arena, "a\0b and more of it", 18), "ada", NULL),
        E_INVALID);
    assert_int_equal(policy_check(&cx, secret_of(&cx, "not text at all \xff"), "ada", NULL),
                     E_INVALID);
    arena_destroy(cx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
