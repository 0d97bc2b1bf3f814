#include "auth/login.h"

#include <pthread.h>

#include "auth/auth_test.h"
#include "auth/hashing.h"

static void set_password(struct bed *b, int64_t person, const char *password)
{
    assert_rc(&b->cx, person_set_password(&b->cx, person, secret_of(&b->cx, password)), OK);
}

static enum rc login(struct ctx *cx, const char *name, const char *password)
{
    static _Atomic int peers;
    struct session s;
    const struct user *u;
    const char *peer = arena_printf(cx->arena, "192.0.2.%d", peers++);
    auth_as_nobody(cx);
    return auth_login(cx, name, secret_of(cx, password), peer, "a test", &s, &u);
}

static void test_login(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    set_password(b, b->w.ann, PASSWORD);
    struct session s;
    const struct user *u = NULL;
    auth_as_nobody(cx);
    assert_rc(cx, auth_login(cx, "ANN", secret_of(cx, PASSWORD), "192.0.2.1", "a browser", &s, &u),
              OK);
    assert_int_equal(u->id, b->w.ann);
    assert_ptr_equal(cx->user, u);
    assert_int_equal(u->session_id, s.id);
    assert_string_equal(u->csrf, s.csrf);
    assert_int_equal(secret_len(s.secret), 43);

    assert_rc(cx, login(cx, "ann@example.org", PASSWORD), OK);
    assert_int_equal(login(cx, "ann", "not the password"), E_UNAUTHENTICATED);
    assert_string_equal(cx->err.text, "the name or the password is wrong");
    assert_int_equal(login(cx, "nobody", PASSWORD), E_UNAUTHENTICATED);
    assert_string_equal(cx->err.text, "the name or the password is wrong");
    assert_int_equal(login(cx, "bea", PASSWORD), E_UNAUTHENTICATED); /* has none */
    assert_int_equal(login(cx, "", ""), E_UNAUTHENTICATED);
    char *longest = arena_alloc(cx->arena, 3000);
    memset(longest, 'x', 2999);
    assert_int_equal(login(cx, longest, PASSWORD), E_UNAUTHENTICATED);
    assert_int_equal(login(cx, "ann", longest), E_UNAUTHENTICATED);
}

static void test_disabled(void **state)
{
    struct bed *b = bed_of(state);
    set_password(b, b->w.ann, PASSWORD);
    assert_rc(&b->cx, person_disable(&b->cx, b->w.ann, 1), OK);
    assert_int_equal(login(&b->cx, "ann", PASSWORD), E_UNAUTHENTICATED);
    assert_string_equal(b->cx.err.text, "the name or the password is wrong");
    b->cx.user = NULL;
    assert_rc(&b->cx, person_enable(&b->cx, b->w.ann, 2), OK);
    assert_rc(&b->cx, login(&b->cx, "ann", PASSWORD), OK);
}

/* ---- how often ------------------------------------------------------------------------------- */

static void test_pauses(void **state)
{
    (void)state;
    static const struct {
        int64_t failed, seconds;
    } cases[] = {{0, 0},   {4, 0},    {5, 15},   {6, 30},   {7, 60},    {8, 120},
                 {9, 240}, {10, 480}, {11, 900}, {12, 900}, {1000, 900}};
    for (int i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(login_pause_us(cases[i].failed), cases[i].seconds * US_PER_S);
}

/* A name that somebody has and one that nobody has are limited in the same way. */
static void check_limit(struct bed *b, const char *name)
{
    struct ctx *cx = &b->cx;
    for (int i = 0; i < 5; i++)
        assert_int_equal(login(cx, name, "not the password"), E_UNAUTHENTICATED);
    const int verified = hashing_verified();
    for (int i = 0; i < 3; i++)
        assert_int_equal(login(cx, name, PASSWORD), E_LIMIT);
    assert_string_equal(cx->err.text, "too many failed attempts; try again in 15 seconds");
    assert_int_equal(hashing_verified(), verified);

    cx->now += 15 * US_PER_S;
    assert_int_equal(login(cx, name, "not the password"), E_UNAUTHENTICATED);
    cx->now += 15 * US_PER_S;
    assert_int_equal(login(cx, name, PASSWORD), E_LIMIT);
    assert_string_equal(cx->err.text, "too many failed attempts; try again in 15 seconds");
    cx->now += LOGIN_WINDOW_US;
    for (int i = 0; i < 5; i++)
        assert_int_equal(login(cx, name, "not the password"), E_UNAUTHENTICATED);
    assert_int_equal(login(cx, name, "not the password"), E_LIMIT);
}

static void test_limit(void **state)
{
    struct bed *b = bed_of(state);
    set_password(b, b->w.ann, PASSWORD);
    check_limit(b, "ann");
    /* The other way to write a person's name is no other person. */
    assert_int_equal(login(&b->cx, "ann@example.org", PASSWORD), E_LIMIT);
    check_limit(b, "nobody");
    b->cx.now += 15 * US_PER_S;
    assert_rc(&b->cx, login(&b->cx, "ann", PASSWORD), OK);
    for (int i = 0; i < 5; i++) /* a good one forgets those before it */
        assert_int_equal(login(&b->cx, "ann", "not the password"), E_UNAUTHENTICATED);
}

static void test_peer(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct session s;
    const struct user *u;
    const struct secret *wrong = secret_of(cx, "not the password");
    struct rate r;
    for (int i = 0; i < 30; i++)
        auth_rate(cx, "sign-in 198.51.100.7", 30, &r);
    assert_int_equal(auth_login(cx, "x", wrong, "198.51.100.7", NULL, &s, &u), E_LIMIT);
    assert_int_equal(auth_login(cx, "x", wrong, "198.51.100.8", NULL, &s, &u), E_UNAUTHENTICATED);
}

/* ---- in parallel ----------------------------------------------------------------------------- */

struct guesser {
    pthread_t thread;
    struct ctx cx;
    pthread_barrier_t *start;
    enum rc rc;
};

static void *guess(void *arg)
{
    struct guesser *g = arg;
    pthread_barrier_wait(g->start);
    g->rc = login(&g->cx, "ann", "not the password");
    return NULL;
}

static void test_parallel_guesses(void **state)
{
    struct bed *b = bed_of(state);
    enum { MANY = 200 };
    set_password(b, b->w.ann, PASSWORD);
    static struct guesser g[MANY];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, MANY);
    const int verified = hashing_verified();
    for (int i = 0; i < MANY; i++) {
        g[i] = (struct guesser){.cx = b->cx, .start = &start};
        g[i].cx.arena = arena_create();
        assert_int_equal(pthread_create(&g[i].thread, NULL, guess, &g[i]), 0);
    }
    int wrong = 0;
    for (int i = 0; i < MANY; i++) {
        pthread_join(g[i].thread, NULL);
        wrong += g[i].rc == E_UNAUTHENTICATED;
        assert_true(g[i].rc == E_UNAUTHENTICATED || g[i].rc == E_LIMIT || g[i].rc == E_BUSY);
        arena_destroy(g[i].cx.arena);
    }
    assert_int_equal(wrong, 5);
    assert_int_equal(hashing_verified() - verified, 5);
    pthread_barrier_destroy(&start);
    assert_int_equal(login(&b->cx, "ann", PASSWORD), E_LIMIT);
}

/* ---- the same work ----------------------------------------------------------------------------
 */

/* Whether a name exists, has a password, or is disabled cannot be told by how long it takes: each
 * costs the one hash beside which all else vanishes. */
static void test_same_work(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    static const char *const names[] = {"ann", "nobody", "bea", "cal"};
    set_password(b, b->w.ann, PASSWORD);
    set_password(b, b->w.cal, PASSWORD);
    assert_rc(cx, person_disable(cx, b->w.cal, 1), OK);
    for (int i = 0; i < ARRAY_LEN(names); i++) {
        const int before = hashing_verified();
        assert_int_equal(login(cx, names[i], "not the password"), E_UNAUTHENTICATED);
        assert_int_equal(hashing_verified() - before, 1);
    }
}

/* ---- confirming ------------------------------------------------------------------------------ */

static void test_confirm(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    set_password(b, b->w.ann, PASSWORD);
    become(cx, b->w.ann);
    assert_rc(cx, auth_confirm(cx, secret_of(cx, PASSWORD)), OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(auth_confirm(cx, secret_of(cx, "not the password")), E_DENIED);
    assert_string_equal(cx->err.field, "password");
    assert_int_equal(auth_confirm(cx, secret_of(cx, PASSWORD)), E_LIMIT);
    assert_int_equal(login(cx, "ann", PASSWORD), E_LIMIT); /* one counter for both */
    auth_as_nobody(cx);
    assert_int_equal(auth_confirm(cx, secret_of(cx, PASSWORD)), E_UNAUTHENTICATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses), ON_BOTH(test_login),   ON_BOTH(test_disabled),
        ON_BOTH(test_limit),           ON_BOTH(test_peer),    ON_BOTH(test_parallel_guesses),
        ON_BOTH(test_same_work),       ON_BOTH(test_confirm),
    };
    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
