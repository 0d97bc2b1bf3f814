/* Sessions and tokens: what opens the door, and what closes it at once. */
#include "auth/session.h"

#include <pthread.h>
#include <stdatomic.h>

#include "auth/auth_test.h"

struct opening {
    int64_t person_id;
    struct session session;
};

static enum rc open_in_tx(struct ctx *cx, void *arg)
{
    struct opening *o = arg;
    return session_create(cx, o->person_id, "192.0.2.1", "a browser", &o->session);
}

static struct session open_session(struct ctx *cx, int64_t person)
{
    struct opening o = {.person_id = person};
    assert_rc(cx, db_tx(cx, open_in_tx, &o), OK);
    return o.session;
}

static enum rc by_session(struct ctx *cx, const struct session *s)
{
    auth_as_nobody(cx);
    return auth_by_session(cx, secret_reveal(s->secret));
}

static int64_t role_grant_of(struct ctx *cx, int64_t person)
{
    struct list grants = {0};
    cx->user = NULL;
    assert_rc(cx, role_list(cx, person, 0, &grants), OK);
    assert_int_equal(grants.count, 1);
    return ((struct role_grant *)grants.at)->id;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void test_session(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session s = open_session(cx, b->w.ann);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_int_equal(cx->user->id, b->w.ann);
    assert_int_equal(cx->user->kind, USER_PERSON);
    assert_int_equal(cx->user->session_id, s.id);
    assert_int_equal(cx->user->token_id, 0);
    assert_string_equal(cx->user->csrf, s.csrf);
    assert_null(cx->user->scopes);
    assert_string_equal(cx->user->name, "Ann Agent");
    assert_int_equal(cx->user->role_count, 1);
    assert_string_equal(cx->user->roles[0].role, "agent");

    static const char *const bad[] = {"", "x", "' OR 1=1 --",
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\xff\xfe"};
    for (int i = 0; i < ARRAY_LEN(bad); i++) {
        auth_as_nobody(cx);
        assert_int_equal(auth_by_session(cx, bad[i]), E_UNAUTHENTICATED);
        assert_int_equal(cx->user->kind, USER_NOBODY);
    }
    char *longest = arena_alloc(cx->arena, 100000);
    memset(longest, 'A', 99999);
    assert_int_equal(auth_by_session(cx, longest), E_UNAUTHENTICATED);
}

static void test_session_limits(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session s = open_session(cx, b->w.ann);
    const int64_t start = cx->now;
    cx->now = start + 30 * US_PER_MIN - 1; /* idle */
    assert_rc(cx, by_session(cx, &s), OK);
    cx->now += 30 * US_PER_MIN - 1; /* counted from its use */
    assert_rc(cx, by_session(cx, &s), OK);
    cx->now += 30 * US_PER_MIN;
    assert_int_equal(by_session(cx, &s), E_UNAUTHENTICATED);

    const struct session t = open_session(cx, b->w.ann);
    const int64_t second = cx->now;
    for (int i = 1; i <= 35; i++) { /* absolute: 12 hours, however busy */
        cx->now = second + i * 20 * US_PER_MIN;
        assert_rc(cx, by_session(cx, &t), OK);
    }
    cx->now = second + 12 * US_PER_HOUR - 1;
    assert_rc(cx, by_session(cx, &t), OK);
    cx->now = second + 12 * US_PER_HOUR;
    assert_int_equal(by_session(cx, &t), E_UNAUTHENTICATED);
}

/* Reading does not write, but once a minute. */
static void test_session_touch(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session s = open_session(cx, b->w.ann);
    const int64_t before = db_figures(cx->db).transactions;
    for (int i = 0; i < 10; i++) {
        cx->now += 5 * US_PER_S;
        assert_rc(cx, by_session(cx, &s), OK);
    }
    assert_int_equal(db_figures(cx->db).transactions, before);
    cx->now += 10 * US_PER_S;
    assert_rc(cx, by_session(cx, &s), OK);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_int_equal(db_figures(cx->db).transactions, before + 1);
}

/* A disk that takes no more is no reason to sign people out. */
static void test_session_without_touch(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session s = open_session(cx, b->w.ann);
    become(cx, b->w.ann); /* so that the user is known, and the second statement is the write */
    cx->now += 2 * US_PER_MIN;
    db_fail_at(cx->db, 2, E_FAIL);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_null(cx->err.text);
    db_fail_at(cx->db, 0, OK);
}

static void test_logout(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session one = open_session(cx, b->w.ann);
    const struct session two = open_session(cx, b->w.ann);
    const struct session other = open_session(cx, b->w.bea);
    assert_rc(cx, by_session(cx, &one), OK);
    struct list sessions = {0};
    assert_rc(cx, auth_sessions(cx, b->w.ann, &sessions), OK);
    assert_int_equal(sessions.count, 2);
    assert_null(((struct session *)sessions.at)->secret);
    assert_string_equal(((struct session *)sessions.at)->agent, "a browser");
    assert_int_equal(auth_logout(cx, other.id), E_NOT_FOUND);
    assert_int_equal(auth_logout(cx, 999999), E_NOT_FOUND);
    assert_int_equal(auth_sessions(cx, b->w.bea, &sessions), E_NOT_FOUND);
    assert_int_equal(auth_sessions(cx, b->w.cal, &sessions), E_DENIED);
    assert_rc(cx, auth_logout(cx, two.id), OK);
    assert_int_equal(by_session(cx, &two), E_UNAUTHENTICATED);
    assert_rc(cx, by_session(cx, &one), OK);
    assert_rc(cx, auth_logout(cx, one.id), OK);
    assert_int_equal(by_session(cx, &one), E_UNAUTHENTICATED);
    become(cx, b->w.max); /* a manager of Alpha ends sessions there */
    const struct session three = open_session(cx, b->w.ann);
    assert_rc(cx, auth_logout(cx, three.id), OK);
    assert_int_equal(auth_logout(cx, other.id), E_NOT_FOUND);
}

static void test_sweep(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session old = open_session(cx, b->w.ann);
    cx->now += US_PER_HOUR;
    const struct session new = open_session(cx, b->w.ann);
    assert_rc(cx, auth_sweep(cx), OK);
    assert_rc(cx, by_session(cx, &new), OK);
    cx->user = NULL;
    assert_int_equal(auth_logout(cx, old.id), E_NOT_FOUND);
}

/* ---- a change counts from the next request on ------------------------------------------------ */

static void test_disabled_at_once(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session s = open_session(cx, b->w.ann);
    struct token t;
    struct secret *secret;
    become(cx, b->w.ann);
    assert_rc(cx, token_create(cx, b->w.ann, "script", "write", 0, &t, &secret), OK);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_rc(cx, auth_by_token(cx, secret_reveal(secret)), OK);
    cx->user = NULL;
    assert_rc(cx, person_disable(cx, b->w.ann, 1), OK);
    assert_int_equal(by_session(cx, &s), E_UNAUTHENTICATED);
    assert_int_equal(auth_by_token(cx, secret_reveal(secret)), E_UNAUTHENTICATED);
    assert_int_equal(auth_by_person(cx, b->w.ann), E_UNAUTHENTICATED);
    assert_int_equal(auth_by_person(cx, 999999), E_UNAUTHENTICATED);
    cx->user = NULL;
    assert_rc(cx, person_enable(cx, b->w.ann, 2), OK);
    assert_int_equal(by_session(cx, &s), E_UNAUTHENTICATED); /* it was ended, not paused */
    assert_rc(cx, auth_by_token(cx, secret_reveal(secret)), OK);
}

static void test_roles_at_once(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct session s = open_session(cx, b->w.ann);
    assert_rc(cx, by_session(cx, &s), OK);
    const struct user *before = cx->user;
    assert_int_equal(before->role_count, 1);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_ptr_equal(cx->user->roles, before->roles); /* shared, not read again */

    assert_rc(cx, role_take(cx, role_grant_of(cx, b->w.ann)), OK);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_int_equal(cx->user->role_count, 0);
    assert_int_equal(before->role_count, 1); /* who is at work keeps what was true when it began */
    assert_string_equal(before->roles[0].role, "agent");

    cx->user = NULL;
    assert_rc(cx, group_join(cx, b->w.desk_north, b->w.ann), OK);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_int_equal(cx->user->role_count, 1);
    assert_int_equal(cx->user->roles[0].group_id, b->w.desk_north);
    assert_int_equal(cx->user->roles[0].org_count, 1);
    assert_int_equal(cx->user->group_count, 1);
    assert_int_equal(cx->user->groups[0], b->w.desk_north);

    struct group g;
    cx->user = NULL;
    assert_rc(cx, group_load(cx, b->w.desk_north, &g), OK);
    g.retired_at = cx->now;
    assert_rc(cx, group_update(cx, &g), OK);
    assert_rc(cx, by_session(cx, &s), OK);
    assert_int_equal(cx->user->role_count, 0);
    assert_int_equal(cx->user->group_count, 0);
}

/* A new organisation below one where a role is held is reached at once. */
static void test_tree_at_once(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    become(cx, b->w.ann);
    assert_int_equal(cx->user->roles[0].org_count, 2);
    cx->user = NULL;
    const int64_t deeper = make_org(cx, "Alpha North Harbour", b->w.north);
    become(cx, b->w.ann);
    assert_int_equal(cx->user->roles[0].org_count, 3);
    const struct subject s = {.process = defs_process(cx->defs, "incident"), .org_id = deeper};
    assert_true(auth_holds(cx, &s, RIGHT_EDIT));
    become(cx, b->w.nor);
    assert_true(auth_holds(cx, &s, RIGHT_EDIT));
    become(cx, b->w.bea);
    assert_false(auth_holds(cx, &s, RIGHT_VIEW));
}

static enum rc change_and_fail(struct ctx *cx, void *arg)
{
    struct bed *b = arg;
    int64_t id;
    cx->user = NULL;
    TRY(role_give(cx, &(struct role_grant){.role = "auditor", .person_id = b->w.ann, .org_id = 0},
                  &id));
    TRY(auth_by_person(cx, b->w.ann));
    assert_int_equal(cx->user->role_count, 2); /* the transaction sees itself */
    assert_string_equal(person_who(cx, b->w.ann).name, "Ann Agent");
    return E_CONFLICT;
}

/* What was rolled back was never known. */
static void test_rolled_back(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    become(cx, b->w.ann);
    assert_int_equal(db_tx(cx, change_and_fail, b), E_CONFLICT);
    become(cx, b->w.ann);
    assert_int_equal(cx->user->role_count, 1);
    cx->user = NULL;
    give(cx, "plain", b->w.ann, 0, b->w.beta); /* the next change comes to the same epoch */
    become(cx, b->w.ann);
    assert_int_equal(cx->user->role_count, 2);
    assert_string_equal(cx->user->roles[1].role, "plain");
}

/* ---- many at once ---------------------------------------------------------------------------- */

struct reader {
    pthread_t thread;
    struct ctx cx;
    const struct session *session;
    const struct world *world;
    atomic_int *phase; /* odd while a change is under way; else see roles_in() */
    atomic_bool *is_over;
    int requests, wrong;
};

static int roles_in(int phase)
{
    return phase % 4 == 0 ? 1 : 2;
}

/* Requests, each with an arena of its own, as a worker does them. */
static void *read_on(void *arg)
{
    struct reader *r = arg;
    while (!atomic_load(r->is_over)) {
        const int phase = atomic_load(r->phase);
        const bool is_good = by_session(&r->cx, r->session) == OK;
        const bool is_settled = phase % 2 == 0 && phase == atomic_load(r->phase);
        const int roles = r->cx.user->role_count;
        r->wrong += !is_good || (is_settled && roles != roles_in(phase));
        for (int i = 0; i < roles; i++)
            r->wrong += strlen(r->cx.user->roles[i].role) != 5;
        r->wrong += !str_equal(person_who(&r->cx, r->world->cal).name, "Cal Caller");
        r->requests++;
        arena_reset(r->cx.arena);
    }
    return NULL;
}

/* Whoever begins after a change has returned sees it; nobody sees what is not there yet. */
static void test_readers_and_changes(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    enum { READERS = 4, CHANGES = 40 };
    const struct session s = open_session(cx, b->w.ann);
    atomic_int phase = 0;
    atomic_bool is_over = false;
    static struct reader r[READERS];
    for (int i = 0; i < READERS; i++) {
        r[i] = (struct reader){
            .cx = *cx, .session = &s, .world = &b->w, .phase = &phase, .is_over = &is_over};
        r[i].cx.arena = arena_create();
        assert_int_equal(pthread_create(&r[i].thread, NULL, read_on, &r[i]), 0);
    }
    for (int i = 0; i < CHANGES; i++) {
        cx->user = NULL;
        atomic_fetch_add(&phase, 1);
        const int64_t id = give(cx, "plain", b->w.ann, 0, b->w.alpha);
        atomic_fetch_add(&phase, 1);
        person_who(cx, b->w.cal);
        atomic_fetch_add(&phase, 1);
        assert_rc(cx, role_take(cx, id), OK);
        atomic_fetch_add(&phase, 1);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(r[i].thread, NULL);
        assert_int_equal(r[i].wrong, 0);
        assert_true(r[i].requests > 0);
        arena_destroy(r[i].cx.arena);
    }
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void test_token(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct token t;
    struct secret *secret;
    become(cx, b->w.ann);
    assert_rc(cx,
              token_create(cx, b->w.ann, " script ", "incident:write read", cx->now + US_PER_DAY,
                           &t, &secret),
              OK);
    assert_string_equal(t.name, "script");
    const char *text = secret_reveal(secret);
    assert_true(str_starts(text, arena_printf(cx->arena, "fettle_pat_%d_", (int)t.id)));
    auth_as_nobody(cx);
    assert_rc(cx, auth_by_token(cx, text), OK);
    assert_int_equal(cx->user->id, b->w.ann);
    assert_int_equal(cx->user->token_id, t.id);
    assert_string_equal(cx->user->scopes, "incident:write read");

    struct token u;
    struct secret *another;
    assert_int_equal(token_create(cx, b->w.ann, "x", "read", 0, &u, &another), E_DENIED);
    assert_int_equal(token_revoke(cx, b->w.ann, t.id), E_DENIED);
    assert_int_equal(person_set_password(cx, b->w.ann, secret_of(cx, PASSWORD)), E_DENIED);

    cx->now += US_PER_DAY - 1;
    assert_rc(cx, auth_by_token(cx, text), OK);
    cx->now += 1;
    auth_as_nobody(cx);
    assert_int_equal(auth_by_token(cx, text), E_UNAUTHENTICATED);
    assert_int_equal(cx->user->kind, USER_NOBODY);
}

static void test_token_owner(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct token t;
    struct secret *secret;
    struct list tokens = {0};
    become(cx, b->w.ann);
    assert_rc(cx, token_create(cx, b->w.ann, "script", "read", 0, &t, &secret), OK);
    assert_int_equal(token_create(cx, b->w.cal, "script", "read", 0, &t, &secret), E_DENIED);
    assert_int_equal(token_create(cx, b->w.bea, "script", "read", 0, &t, &secret), E_NOT_FOUND);
    become(cx, b->w.max);
    assert_rc(cx, token_list(cx, b->w.ann, &tokens), OK);
    assert_int_equal(tokens.count, 1);
    assert_int_equal(((struct token *)tokens.at)->expires_at, 0);
    assert_int_equal(token_create(cx, b->w.ada, "script", "write", 0, &t, &secret), E_DENIED);
    t = *(struct token *)tokens.at;
    assert_int_equal(token_revoke(cx, b->w.cal, t.id),
                     E_NOT_FOUND); /* not a token of this person */
    assert_rc(cx, token_revoke(cx, b->w.ann, t.id), OK);
    assert_int_equal(token_revoke(cx, b->w.ann, t.id), E_NOT_FOUND);
    assert_int_equal(auth_by_token(cx, secret_reveal(secret)), E_UNAUTHENTICATED);
}

static void test_token_input(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    static const struct {
        const char *name, *scopes;
        int64_t expires_in;
        const char *field; /* at fault; NULL: good */
    } cases[] = {
        {"a", "read", 0, NULL},
        {"a", "  write   read ", 1, NULL},
        {"a", "incident:read problem:write", 1, NULL},
        {"", "read", 0, "name"},
        {"   ", "read", 0, "name"},
        {NULL, "read", 0, "name"},
        {"a", "", 0, "scopes"},
        {"a", NULL, 0, "scopes"},
        {"a", "admin", 0, "scopes"},
        {"a", "read,write", 0, "scopes"},
        {"a", "nosuch:read", 0, "scopes"},
        {"a", "incident:delete", 0, "scopes"},
        {"a", ":read", 0, "scopes"},
        {"a", "read", -1, "expires"},
    };
    become(cx, b->w.ann);
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct token t;
        struct secret *secret;
        const int64_t expires_at = cases[i].expires_in ? cx->now + cases[i].expires_in : 0;
        const enum rc rc =
            token_create(cx, b->w.ann, cases[i].name, cases[i].scopes, expires_at, &t, &secret);
        assert_int_equal(rc, cases[i].field ? E_INVALID : OK);
        if (cases[i].field)
            assert_string_equal(cx->err.field, cases[i].field);
    }
}

/* Every other way to write a token is not a token. */
static void test_forged_tokens(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct token t;
    struct secret *secret;
    become(cx, b->w.ann);
    assert_rc(cx, token_create(cx, b->w.ann, "script", "write", 0, &t, &secret), OK);
    const char *good = secret_reveal(secret);
    auth_as_nobody(cx);
    const size_t len = strlen(good);
    for (size_t i = 0; i < len; i++) {
        char *bad = arena_strdup(cx->arena, good);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        assert_int_equal(auth_by_token(cx, bad), E_UNAUTHENTICATED);
        bad = arena_strndup(cx->arena, good, i);
        assert_int_equal(auth_by_token(cx, bad), E_UNAUTHENTICATED);
    }
    static const char *const garbage[] = {
        "",
        "fettle_pat_",
        "fettle_pat_1",
        "fettle_pat_1_",
        "fettle_pat__",
        "Bearer x",
        "\xff",
        "fettle_pat_99999999999999999999999_0000000000000000000000000000000000000000000000000",
        "fettle_pat_-1_0000000000000000000000000000000000000000000000000"};
    for (int i = 0; i < ARRAY_LEN(garbage); i++)
        assert_int_equal(auth_by_token(cx, garbage[i]), E_UNAUTHENTICATED);
    assert_int_equal(auth_by_token(cx, arena_printf(cx->arena, "%s0", good)), E_UNAUTHENTICATED);
    assert_int_equal(cx->user->kind, USER_NOBODY);
    /* A good secret under another's id. */
    const char *under =
        arena_printf(cx->arena, "fettle_pat_%d_%s", (int)t.id + 1, strrchr(good, '_') + 1);
    assert_int_equal(auth_by_token(cx, under), E_UNAUTHENTICATED);
    assert_rc(cx, auth_by_token(cx, good), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_session),
        ON_BOTH(test_session_limits),
        ON_BOTH(test_session_touch),
        ON_BOTH(test_session_without_touch),
        ON_BOTH(test_logout),
        ON_BOTH(test_sweep),
        ON_BOTH(test_disabled_at_once),
        ON_BOTH(test_roles_at_once),
        ON_BOTH(test_tree_at_once),
        ON_BOTH(test_rolled_back),
        ON_BOTH(test_readers_and_changes),
        ON_BOTH(test_token),
        ON_BOTH(test_token_owner),
        ON_BOTH(test_token_input),
        ON_BOTH(test_forged_tokens),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
