#include "db/db_test.h"

#define SQL2(...)                                                                                  \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__, NULL}, (const char *const[])                            \
        {                                                                                          \
            __VA_ARGS__, NULL                                                                      \
        }                                                                                          \
    }

static const struct migration first = {
    1, "one", "aa", SQL2("CREATE TABLE box (id BIGINT PRIMARY KEY)", "INSERT INTO box VALUES (1)")};
static const struct migration second = {2, "two", "bb", SQL2("INSERT INTO box VALUES (2)")};
static const struct migration edited = {1, "one", "ac", SQL2("CREATE TABLE box (id BIGINT)")};
static const struct migration broken = {
    2, "broken", "bc", SQL2("INSERT INTO box VALUES (3)", "INSERT INTO nowhere VALUES (1)")};

static int64_t boxes(struct ctx *cx)
{
    struct number n = {-1};
    const struct sql *sql = db_dynamic(cx, "boxes", "SELECT count(*) FROM box");
    assert_rc(cx, db_one(cx, sql, ARGS(), number_cols, &n), OK);
    return n.n;
}

static void test_each_is_applied_once(void **state)
{
    struct ctx *cx = cx_of(state);
    int applied = -1;
    cx->now = 1234567;
    assert_rc(cx, migrate(cx, (struct migration[]){first, {0}}, &applied), OK);
    assert_int_equal(applied, 1);
    assert_rc(cx, migrate(cx, (struct migration[]){first, second, {0}}, &applied), OK);
    assert_int_equal(applied, 1);
    assert_rc(cx, migrate(cx, (struct migration[]){first, second, {0}}, &applied), OK);
    assert_int_equal(applied, 0);
    assert_int_equal(boxes(cx), 2);
    struct list all = {0};
    assert_rc(cx, db_migrations(cx, &all), OK);
    const struct migration_state *m = all.at;
    assert_true(all.count >= 2 && m[1].version == 2 && m[1].applied_at == 1234567);
    assert_string_equal(m[0].name, "one");
}

static void test_edited_and_newer_are_refused(void **state)
{
    struct ctx *cx = cx_of(state);
    int applied = -1;
    assert_rc(cx, migrate(cx, (struct migration[]){first, second, {0}}, &applied), OK);
    applied = -1;
    assert_rc(cx, migrate(cx, (struct migration[]){edited, second, {0}}, &applied), E_CONFLICT);
    assert_non_null(strstr(cx->err.text, "0001_one"));
    assert_rc(cx, migrate(cx, (struct migration[]){first, {0}}, &applied), E_CONFLICT);
    assert_non_null(strstr(cx->err.text, "newer"));
    assert_int_equal(applied, -1);
}

static void test_a_broken_one_leaves_nothing(void **state)
{
    struct ctx *cx = cx_of(state);
    int applied = -1;
    assert_rc(cx, migrate(cx, (struct migration[]){first, broken, {0}}, &applied), E_FAIL);
    assert_string_equal(cx->err.text, "migration 0002_broken failed");
    assert_non_null(strstr(cx->err.detail, "nowhere"));
    assert_int_equal(boxes(cx), 1);
    assert_rc(cx, migrate(cx, (struct migration[]){first, second, {0}}, &applied), OK);
    assert_int_equal(boxes(cx), 2);
}

static void test_every_step_may_fail(void **state)
{
    struct ctx *cx = cx_of(state);
    const struct migration both[] = {first, second, {0}};
    int applied = 0, n = 0;
    do {
        db_fail_at(cx->db, ++n, E_FAIL);
    } while (migrate(cx, both, &applied) != OK);
    assert_true(n > 8);
    db_fail_at(cx->db, 0, OK);
    assert_int_equal(boxes(cx), 2);
}

struct migrator {
    struct db *db;
    enum rc rc;
    int applied;
};

static void *migrate_in_thread(void *arg)
{
    struct migrator *m = arg;
    struct ctx cx = {.arena = arena_create(), .db = m->db};
    m->rc = migrate(&cx, (struct migration[]){first, second, {0}}, &m->applied);
    arena_destroy(cx.arena);
    return NULL;
}

static void test_two_at_once_share_the_work(void **state)
{
    struct ctx *cx = cx_of(state);
    const bool is_lite = db_engine(cx->db) == DB_SQLITE;
    struct migrator m[2] = {{.db = cx->db}, {.db = cx->db}};
    pthread_t threads[2];
    if (!is_lite)
        m[1].db = scratch_again(cx, &(struct db_config){0});
    for (int i = 0; i < 2; i++)
        thread_begin(&threads[i], migrate_in_thread, &m[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(m[0].rc, OK);
    assert_int_equal(m[1].rc, OK);
    assert_int_equal(m[0].applied + m[1].applied, 2);
    assert_int_equal(boxes(cx), 2);
    if (!is_lite)
        db_close(m[1].db);
}

static void test_the_schema_of_the_program(void **state)
{
    struct ctx *cx = cx_of(state);
    int applied = 0;
    if (migrations_count > 0)
        assert_rc(cx, db_schema_is_current(cx), E_CONFLICT);
    fail_clear(cx);
    assert_rc(cx, db_migrate(cx, &applied), OK);
    assert_int_equal(applied, migrations_count);
    assert_rc(cx, db_schema_is_current(cx), OK);
    if (migrations_count > 0)
        assert_rc(cx, db_check(cx), OK);
    assert_null(cx->err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_each_is_applied_once),        ON_BOTH(test_edited_and_newer_are_refused),
        ON_BOTH(test_a_broken_one_leaves_nothing), ON_BOTH(test_every_step_may_fail),
        ON_BOTH(test_two_at_once_share_the_work),  ON_BOTH(test_the_schema_of_the_program),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
