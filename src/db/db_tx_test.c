#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/time.h"
#include "db/db_test.h"

/* ---- one transaction ------------------------------------------------------------------------- */

static enum rc add_and_fail(struct ctx *cx, void *arg)
{
    TRY(add(cx, 1, "one", 1));
    return fail(cx, *(enum rc *)arg, "field", "no");
}

static void test_a_failure_rolls_back(void **state)
{
    struct ctx *cx = cx_of(state);
    enum rc codes[] = {E_INVALID, E_NOT_FOUND, E_FAIL};
    for (int i = 0; i < ARRAY_LEN(codes); i++) {
        assert_rc(cx, db_tx(cx, add_and_fail, &codes[i]), codes[i]);
        assert_string_equal(cx->err.text, "no");
        assert_string_equal(cx->err.field, "field");
        assert_int_equal(count(cx), 0);
    }
    assert_false(db_in_tx(cx));
}

static enum rc bump(struct ctx *cx, void *arg)
{
    struct thing t = {0};
    TRY(db_one(cx, &thing_bump, ARGS(INT("id", 1)), thing_cols, &t));
    *(int64_t *)arg = db_in_tx(cx) ? t.n : -1;
    return OK;
}

static enum rc set_all(struct ctx *cx, void *arg)
{
    return db_exec(cx, &thing_set_all, ARGS(INT("n", 5)), arg);
}

static void test_a_committed_change_is_seen_at_once(void **state)
{
    struct ctx *cx = cx_of(state);
    int64_t n = 0;
    int changed = 0;
    fill(cx, 3);
    for (int i = 1; i <= 50; i++) {
        struct thing t = {0};
        assert_rc(cx, db_tx(cx, bump, &n), OK);
        assert_int_equal(n, 10 + i);
        assert_rc(cx, db_one(cx, &thing_get, ARGS(INT("id", 1)), thing_cols, &t), OK);
        assert_int_equal(t.n, n);
    }
    assert_rc(cx, db_tx(cx, set_all, &changed), OK);
    assert_int_equal(changed, 3);
}

static enum rc busy_twice(struct ctx *cx, void *arg)
{
    int *calls = arg;
    problem(cx, "x", "y", "call %d", *calls);
    TRY(add(cx, 1, "one", 1));
    return ++*calls < 3 ? fail(cx, E_BUSY, NULL, "busy") : OK;
}

static void test_busy_is_retried(void **state)
{
    struct ctx *cx = cx_of(state);
    int calls = 0;
    problem(cx, "before", "z", "stays");
    assert_rc(cx, db_tx(cx, busy_twice, &calls), OK);
    assert_int_equal(calls, 3);
    assert_int_equal(count(cx), 1);
    assert_int_equal(cx->err.problems.count, 2);
}

/* ---- parts ----------------------------------------------------------------------------------- */

struct part {
    int64_t id;
    enum rc rc;
};

static enum rc add_part(struct ctx *cx, void *arg)
{
    const struct part *p = arg;
    TRY(add(cx, p->id, NULL, 1));
    return p->rc;
}

static enum rc add_parts(struct ctx *cx, void *arg)
{
    struct part *p = arg;
    TRY(add(cx, 100, NULL, 1));
    for (; p->id; p++)
        if (db_tx(cx, add_part, p) != p->rc && p->rc != OK)
            return E_FAIL;
    return add(cx, 101, NULL, 1);
}

static void test_a_part_is_undone_alone(void **state)
{
    struct ctx *cx = cx_of(state);
    struct part parts[] = {
        {1, OK}, {2, E_INVALID}, {2, OK}, {2, OK}, {100, OK}, {3, E_DENIED}, {4, OK}, {0, OK},
    };
    assert_rc(cx, db_tx(cx, add_parts, parts), OK);
    struct list all = {0};
    assert_rc(cx, db_all(cx, &thing_list, ARGS(), thing_cols, sizeof(struct thing), &all), OK);
    const int64_t want[] = {1, 2, 4, 100, 101};
    assert_int_equal(all.count, ARRAY_LEN(want));
    for (int i = 0; i < all.count; i++)
        assert_int_equal(((struct thing *)all.at)[i].id, want[i]);
}

static enum rc busy_part(struct ctx *cx, void *arg)
{
    if (++*(int *)arg < 3)
        return fail(cx, E_BUSY, NULL, "busy");
    return OK;
}

static enum rc with_busy_part(struct ctx *cx, void *arg)
{
    db_tx(cx, busy_part, arg);
    return add(cx, *(int *)arg, NULL, 1);
}

static void test_a_busy_part_repeats_the_whole(void **state)
{
    struct ctx *cx = cx_of(state);
    int calls = 0;
    assert_rc(cx, db_tx(cx, with_busy_part, &calls), OK);
    assert_int_equal(calls, 3);
    assert_int_equal(count(cx), 1);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

struct trace {
    char text[64];
    enum rc before_rc, rc;
    int64_t id;
};

static void note(struct trace *t, const char *what)
{
    const size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof(t->text) - len, "%s", what);
}

static enum rc before_a(struct ctx *cx, void *arg)
{
    struct trace *t = arg;
    note(t, "a");
    TRY(add(cx, t->id + 1, NULL, 1));
    return t->before_rc;
}

static enum rc before_b(struct ctx *cx, void *arg)
{
    (void)cx;
    note(arg, "b");
    return OK;
}

static void after_c(void *arg)
{
    note(arg, "c");
}

static enum rc hook(struct ctx *cx, void *arg)
{
    struct trace *t = arg;
    db_after_commit(cx, after_c, t);
    db_before_commit(cx, 0, before_a, t);
    db_before_commit(cx, 0, before_b, t);
    TRY(add(cx, t->id, NULL, 1));
    note(t, "t");
    return t->rc;
}

static enum rc hook_in_part(struct ctx *cx, void *arg)
{
    struct trace *t = arg;
    t->rc = E_INVALID;
    if (db_tx(cx, hook, t) == E_INVALID)
        note(t, "!");
    t->rc = OK;
    return db_tx(cx, hook, t);
}

struct keyed {
    int64_t key;
    const char *name;
    struct trace *trace;
};

static enum rc before_named(struct ctx *cx, void *arg)
{
    const struct keyed *k = arg;
    (void)cx;
    note(k->trace, k->name);
    return OK;
}

static enum rc hook_by_key(struct ctx *cx, void *arg)
{
    for (struct keyed *k = arg; k->name; k++)
        db_before_commit(cx, k->key, before_named, k);
    return OK;
}

static void test_hooks_run_by_key(void **state)
{
    struct ctx *cx = cx_of(state);
    struct trace t = {.id = 1};
    struct keyed all[] = {{7, "x", &t}, {3, "y", &t}, {7, "z", &t},  {0, "m", &t},
                          {0, "n", &t}, {5, "o", &t}, {-1, "p", &t}, {0}};
    assert_rc(cx, db_tx(cx, hook_by_key, all), OK);
    assert_string_equal(t.text, "pmnyoz");
}

static void test_hooks_run_in_order(void **state)
{
    struct ctx *cx = cx_of(state);
    struct trace t = {.id = 1};
    assert_rc(cx, db_tx(cx, hook, &t), OK);
    assert_string_equal(t.text, "tabc");
    assert_int_equal(count(cx), 2);

    t = (struct trace){.id = 11, .rc = E_INVALID};
    assert_rc(cx, db_tx(cx, hook, &t), E_INVALID);
    assert_string_equal(t.text, "t");

    t = (struct trace){.id = 11};
    assert_rc(cx, db_tx(cx, hook_in_part, &t), OK);
    assert_string_equal(t.text, "t!tabc");
    assert_int_equal(count(cx), 4);

    t = (struct trace){.id = 21, .before_rc = E_DENIED};
    assert_rc(cx, db_tx(cx, hook, &t), E_DENIED);
    assert_string_equal(t.text, "ta");
    assert_int_equal(count(cx), 4);
}

/* ---- many at once ---------------------------------------------------------------------------- */

struct crowd {
    struct db *db;
    db_tx_fn fn;
    int rounds;
    atomic_int next, failed, commits_seen;
};

static void *member(void *arg)
{
    struct crowd *c = arg;
    struct ctx cx = {.arena = arena_create(), .db = c->db};
    for (int i = 0; i < c->rounds; i++) {
        int64_t n = atomic_fetch_add(&c->next, 1);
        if (db_tx(&cx, c->fn, &n) != OK)
            atomic_fetch_add(&c->failed, 1);
        arena_reset(cx.arena);
        cx = (struct ctx){.arena = cx.arena, .db = c->db};
    }
    arena_destroy(cx.arena);
    return NULL;
}

#define CROWD 64

static void run_crowd(struct crowd *c)
{
    pthread_t threads[CROWD];
    for (int i = 0; i < CROWD; i++)
        thread_begin(&threads[i], member, c);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
}

static int64_t value_of(struct ctx *cx, int64_t id)
{
    struct thing t = {0};
    assert_rc(cx, db_one(cx, &thing_get, ARGS(INT("id", id)), thing_cols, &t), OK);
    return t.n;
}

static void test_no_update_is_lost(void **state)
{
    struct ctx *cx = cx_of(state);
    fill(cx, 1);
    const struct db_figures before = db_figures(cx->db);
    struct crowd c = {.db = cx->db, .fn = bump, .rounds = 40};
    run_crowd(&c);
    const struct db_figures after = db_figures(cx->db);
    assert_int_equal(c.failed, 0);
    assert_int_equal(value_of(cx, 1), 10 + 40 * CROWD);
    assert_int_equal(after.transactions - before.transactions, 40 * CROWD);
    assert_true(after.commits - before.commits < 20 * CROWD);
    assert_int_equal(after.writer_queue, 0);
}

/* Some fail by themselves, some by a statement, some at the end of the batch, some say busy. */
static enum rc quarrel(struct ctx *cx, void *arg)
{
    const int64_t n = *(int64_t *)arg;
    int64_t ignored;
    TRY(bump(cx, &ignored));
    TRY(add(cx, 1000 + n, NULL, n));
    if (n % 7 == 0)
        return E_INVALID;
    if (n % 11 == 0)
        TRY(add(cx, 1, "there already", 1));
    if (n % 13 == 0) {
        struct trace *t = arena_alloc(cx->arena, sizeof(*t));
        *t = (struct trace){.before_rc = E_DENIED, .id = 100000 + n};
        db_before_commit(cx, 0, before_a, t);
    }
    return OK;
}

static void test_one_bad_member_does_not_fail_others(void **state)
{
    struct ctx *cx = cx_of(state);
    enum { TOTAL = 10 * CROWD };
    fill(cx, 1);
    struct crowd c = {.db = cx->db, .fn = quarrel, .rounds = 10};
    run_crowd(&c);
    int want = 0;
    for (int n = 0; n < TOTAL; n++)
        want += n % 7 != 0 && n % 11 != 0 && n % 13 != 0;
    assert_int_equal(c.failed, TOTAL - want);
    assert_int_equal(value_of(cx, 1), 10 + want);
    assert_int_equal(count(cx), 1 + want);
}

static enum rc owe(struct ctx *cx, void *arg)
{
    const int64_t n = *(int64_t *)arg;
    int64_t ignored;
    TRY(bump(cx, &ignored));
    return db_exec(cx, &debt_add, ARGS(INT("id", n), INT("thing_id", n % 10 == 0 ? 99 : 1)), NULL);
}

/* Constraints that are only checked by the commit: the batch is taken apart to find the culprit. */
static void test_a_commit_may_conflict(void **state)
{
    struct ctx *cx = cx_of(state);
    fill(cx, 1);
    struct crowd c = {.db = cx->db, .fn = owe, .rounds = 5};
    run_crowd(&c);
    assert_int_equal(c.failed, 5 * CROWD / 10);
    assert_int_equal(value_of(cx, 1), 10 + 5 * CROWD - 5 * CROWD / 10);
    int64_t n = 1000;
    assert_rc(cx, db_tx(cx, owe, &n), E_CONFLICT);
}

static int on_sqlite_alone(void **state)
{
    return set_up(state, DB_SQLITE, &(struct db_config){.max_batch = 1});
}

static int on_postgres_alone(void **state)
{
    return set_up(state, DB_POSTGRES, &(struct db_config){.max_batch = 1});
}

static void test_grouping_can_be_switched_off(void **state)
{
    struct ctx *cx = cx_of(state);
    fill(cx, 1);
    const struct db_figures before = db_figures(cx->db);
    struct crowd c = {.db = cx->db, .fn = bump, .rounds = 2};
    run_crowd(&c);
    const struct db_figures after = db_figures(cx->db);
    assert_int_equal(value_of(cx, 1), 10 + 2 * CROWD);
    assert_int_equal(after.commits - before.commits, 2 * CROWD);
}

/* ---- several processes ----------------------------------------------------------------------- */

static void test_two_processes_take_turns(void **state)
{
    struct ctx *cx = cx_of(state);
    if (db_engine(cx->db) == DB_SQLITE)
        skip();
    fill(cx, 1);
    struct crowd a = {.db = cx->db, .fn = bump, .rounds = 5};
    struct crowd b = {.db = scratch_again(cx, &(struct db_config){0}), .fn = bump, .rounds = 5};
    pthread_t threads[2 * CROWD];
    for (int i = 0; i < 2 * CROWD; i++)
        thread_begin(&threads[i], member, i % 2 ? &a : &b);
    for (int i = 0; i < 2 * CROWD; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(a.failed + b.failed, 0);
    assert_int_equal(value_of(cx, 1), 10 + 10 * CROWD);
    db_close(b.db);
}

static void count_change(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static bool reaches(atomic_int *at, int want)
{
    for (int i = 0; i < 500 && atomic_load(at) < want; i++)
        usleep(10000);
    return atomic_load(at) >= want;
}

static void test_changes_are_heard(void **state)
{
    struct ctx *cx = cx_of(state);
    atomic_int changes = 0;
    const bool is_lite = db_engine(cx->db) == DB_SQLITE;
    struct db *writing = is_lite ? cx->db : scratch_again(cx, &(struct db_config){0});
    db_on_change(cx->db, count_change, &changes);
    assert_true(is_lite || reaches(&changes, 1));
    const int so_far = atomic_load(&changes);
    struct ctx other = {.arena = cx->arena, .db = writing};
    const int64_t start = clock_monotonic();
    fill(&other, 1);
    assert_true(reaches(&changes, so_far + 1));
    assert_true(clock_monotonic() - start < US_PER_S);
    db_on_change(cx->db, NULL, NULL);
    if (!is_lite)
        db_close(writing);
}

/* ---- lost connections ------------------------------------------------------------------------ */

/* Of this test's database alone: others run on the same server. */
static const char kill_others[] =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND application_name = current_setting('application_name')";

static int64_t kill_all(struct ctx *cx)
{
    struct number n = {-1};
    struct ctx other = {.arena = cx->arena, .db = scratch_again(cx, &(struct db_config){0})};
    assert_rc(&other,
              db_one(&other, db_dynamic(&other, "kill", kill_others), ARGS(), number_cols, &n), OK);
    db_close(other.db);
    return n.n;
}

static void test_lost_connections_are_made_anew(void **state)
{
    struct ctx *cx = cx_of(state);
    if (db_engine(cx->db) == DB_SQLITE)
        skip();
    int64_t n = 0;
    fill(cx, 1);
    for (int round = 1; round <= 3; round++) {
        assert_true(kill_all(cx) >= 2);
        usleep(50000);
        assert_int_equal(count(cx), 1);
        assert_rc(cx, db_tx(cx, bump, &n), OK);
        assert_int_equal(n, 10 + round);
        assert_int_equal(value_of(cx, 1), n);
    }
    assert_rc(cx, db_check(cx), E_FAIL); /* no schema here */
}

static enum rc bump_slowly(struct ctx *cx, void *arg)
{
    TRY(bump(cx, arg));
    atomic_int *calls = cx->db->on_change_arg;
    if (atomic_fetch_add(calls, 1) == 0)
        usleep(500000);
    return bump(cx, arg);
}

static void *kill_soon(void *arg)
{
    usleep(200000);
    kill_all(arg);
    return NULL;
}

static void test_a_connection_lost_in_between_is_retried(void **state)
{
    struct ctx *cx = cx_of(state);
    if (db_engine(cx->db) == DB_SQLITE)
        skip();
    pthread_t killer;
    int64_t n = 0;
    atomic_int calls = 0;
    fill(cx, 1);
    cx->db->on_change_arg = &calls;
    struct ctx other = {.arena = arena_create(), .db = cx->db};
    thread_begin(&killer, kill_soon, &other);
    assert_rc(cx, db_tx(cx, bump_slowly, &n), OK);
    pthread_join(killer, NULL);
    arena_destroy(other.arena);
    assert_int_equal(calls, 2);
    assert_int_equal(n, 12);
    assert_int_equal(value_of(cx, 1), 12);
}

/* ---- sudden ends ----------------------------------------------------------------------------- */

struct writer_process {
    struct db *db;
    int fd; /* hears the number of each thing whose transaction came back */
    atomic_llong next;
};

static enum rc add_number(struct ctx *cx, void *arg)
{
    const int64_t n = *(int64_t *)arg;
    TRY(add(cx, n, NULL, n));
    return db_exec(cx, &part_add, ARGS(INT("id", n), INT("thing_id", n), INT("size", 1)), NULL);
}

static void *add_numbers(void *arg)
{
    struct writer_process *w = arg;
    struct ctx cx = {.arena = arena_create(), .db = w->db};
    for (;;) {
        int64_t n = atomic_fetch_add(&w->next, 1);
        if (db_tx(&cx, add_number, &n) != OK || write(w->fd, &n, sizeof(n)) != sizeof(n))
            _exit(1);
        arena_reset(cx.arena);
    }
}

static _Noreturn void write_until_killed(int fd, int64_t first)
{
    struct ctx cx = {.arena = arena_create()};
    struct writer_process w = {.fd = fd, .next = first};
    pthread_t threads[8];
    w.db = scratch_again(&cx, &(struct db_config){0});
    for (int i = 0; i < ARRAY_LEN(threads); i++)
        thread_begin(&threads[i], add_numbers, &w);
    for (;;)
        pause();
}

/* Starts a process that writes, ends it in the middle; gives the numbers it was answered. */
static void kill_a_writer(struct ctx *cx, int64_t first, struct list *answered)
{
    int fds[2];
    int64_t n;
    assert_int_equal(pipe(fds), 0);
    const pid_t pid = fork();
    if (pid == 0)
        write_until_killed(fds[1], first);
    close(fds[1]);
    for (int i = 0; read(fds[0], &n, sizeof(n)) == sizeof(n); i++) {
        *(int64_t *)list_add(cx->arena, answered, sizeof(n)) = n;
        if (i == 200)
            kill(pid, SIGKILL);
    }
    close(fds[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static void test_what_was_answered_survives(void **state)
{
    struct ctx *cx = cx_of(state);
    struct list answered = {0};
    for (int round = 1; round <= 4; round++) {
        db_close(cx->db);
        kill_a_writer(cx, 1000000 * round, &answered);
        cx->db = scratch_again(cx, &(struct db_config){0});
        struct number parts = {0};
        const struct sql *sql = db_dynamic(cx, "parts", "SELECT count(*) FROM part");
        assert_rc(cx, db_one(cx, sql, ARGS(), number_cols, &parts), OK);
        assert_int_equal(parts.n, count(cx)); /* both or none */
        assert_true(parts.n >= answered.count);
    }
    const int64_t *n = answered.at;
    assert_true(answered.count > 4 * 200);
    for (int i = 0; i < answered.count; i++)
        assert_int_equal(value_of(cx, n[i]), n[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_a_failure_rolls_back),
        ON_BOTH(test_a_committed_change_is_seen_at_once),
        ON_BOTH(test_busy_is_retried),
        ON_BOTH(test_a_part_is_undone_alone),
        ON_BOTH(test_a_busy_part_repeats_the_whole),
        ON_BOTH(test_hooks_run_in_order),
        ON_BOTH(test_hooks_run_by_key),
        ON_BOTH(test_no_update_is_lost),
        ON_BOTH(test_one_bad_member_does_not_fail_others),
        ON_BOTH(test_a_commit_may_conflict),
        {"test_grouping_can_be_switched_off (sqlite)", test_grouping_can_be_switched_off,
         on_sqlite_alone, tear_down, NULL},
        {"test_grouping_can_be_switched_off (postgres)", test_grouping_can_be_switched_off,
         on_postgres_alone, tear_down, NULL},
        ON_BOTH(test_changes_are_heard),
        ON_BOTH(test_what_was_answered_survives),
        {"test_two_processes_take_turns", test_two_processes_take_turns, on_postgres, tear_down,
         NULL},
        {"test_lost_connections_are_made_anew", test_lost_connections_are_made_anew, on_postgres,
         tear_down, NULL},
        {"test_a_connection_lost_in_between_is_retried",
         test_a_connection_lost_in_between_is_retried, on_postgres, tear_down, NULL},
    };
    return cmocka_run_group_tests_name("db_tx", tests, NULL, NULL);
}
