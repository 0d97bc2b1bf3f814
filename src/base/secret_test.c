#include "base/secret.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/test.h"

static void test_secret(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    const struct secret *s = secret_create(a, "hunter2 and more", 7);
    assert_string_equal(secret_reveal(s), "hunter2");
    assert_int_equal(secret_len(s), 7);
    assert_true(secret_equal(s, secret_create(a, "hunter2", 7)));
    assert_false(secret_equal(s, secret_create(a, "hunter3", 7)));
    assert_false(secret_equal(s, secret_create(a, "hunter", 6)));
    assert_true(secret_equal(secret_create(a, "", 0), secret_create(a, "", 0)));
    arena_destroy(a);
}

static const char *watched;
static char seen[8];

/* Registered before the secret, so it runs after the wiping and before the memory goes. */
static void look(void *arg)
{
    (void)arg;
    memcpy(seen, watched, sizeof(seen) - 1);
}

static void test_wiped_at_reset(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    arena_defer(a, look, NULL);
    watched = secret_reveal(secret_create(a, "hunter2", 7));
    memcpy(seen, "before", 7);
    arena_reset(a);
    assert_memory_equal(seen, "\0\0\0\0\0\0\0", 7);
    arena_destroy(a);
}

static void test_random(void **state)
{
    (void)state;
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct arena *a = arena_create();
    const char *token = random_token(a, 32);
    assert_int_equal(strlen(token), 43);
    assert_int_equal(strspn(token, allowed), 43);
    assert_string_not_equal(token, random_token(a, 32));
    unsigned char bytes[16] = {0};
    random_bytes(bytes, sizeof(bytes));
    assert_memory_not_equal(bytes, (unsigned char[16]){0}, sizeof(bytes));
    arena_destroy(a);
}

static void test_sha256(void **state)
{
    (void)state;
    static const struct { /* FIPS 180-2, appendix B, and the empty text */
        const char *text, *want;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct arena *a = arena_create();
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        char hex[SHA256_HEX];
        const size_t len = strlen(cases[i].text);
        sha256_hex(cases[i].text, len, hex);
        assert_string_equal(hex, cases[i].want);

        struct sha256 *h = sha256_create(a);
        sha256_add(h, cases[i].text, len / 2);
        sha256_add(h, cases[i].text + len / 2, len - len / 2);
        sha256_finish(h, hex);
        assert_string_equal(hex, cases[i].want);
    }
    arena_destroy(a);
}

static void test_password(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    const struct secret *right = secret_create(a, "correct horse battery", 21);
    const struct secret *wrong = secret_create(a, "correct horse batterx", 21);
    const char *hash = password_hash(a, right);
    assert_non_null(strstr(hash, "$argon2id$v=19$m=65536,t=2,p=1$"));
    assert_string_not_equal(hash, password_hash(a, right));
    assert_true(password_verify(hash, right));
    assert_false(password_verify(hash, wrong));
    assert_false(password_verify("", right));
    assert_false(password_is_outdated(hash));
    assert_true(password_is_outdated("$argon2id$v=19$m=19456,t=2,p=1$"
                                     "c29tZXNhbHRzb21lc2FsdA$"
                                     "nwV0lG9xL6C0x4xJ9K1mYyOEGZrVd8J8mUoX0s9R3cI"));
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret),   cmocka_unit_test(test_wiped_at_reset),
        cmocka_unit_test(test_random),   cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
