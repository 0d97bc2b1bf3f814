#include <stdatomic.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/cache.h"
#include "db/db_test.h"

/* ---- values ---------------------------------------------------------------------------------- */

static void test_values_come_back(void **state)
{
    struct ctx *cx = cx_of(state);
    struct thing t = {0};
    int three = 3;
    fill(cx, three);
    assert_rc(cx, db_one(cx, &thing_get, ARGS(INT("id", 2)), thing_cols, &t), OK);
    assert_int_equal(t.id, 2);
    assert_string_equal(t.name, "thing 2");
    assert_int_equal(t.n, 20);
    t.id = 77;
    assert_int_equal(db_one(cx, &thing_get, ARGS(INT("id", 9)), thing_cols, &t), E_NOT_FOUND);
    assert_int_equal(t.id, 77);
    assert_null(cx->err.text);

    struct list all = {0};
    assert_rc(cx, db_all(cx, &thing_list, ARGS(), thing_cols, sizeof(t), &all), OK);
    assert_int_equal(all.count, 3);
    assert_string_equal(((struct thing *)all.at)[2].name, "thing 3");
}

static enum rc add_odd_values(struct ctx *cx, void *arg)
{
    (void)arg;
    TRY(db_exec(cx, &thing_add, ARGS(INT("id", INT64_MIN), TEXT("name", NULL), NONE("n")), NULL));
    TRY(add(cx, INT64_MAX, "\xc3\xa9\xf0\x9f\x98\x80 '\"\\{}, $1 ?1 :x", -1));
    TRY(db_exec(cx, &lump_add, ARGS(INT("id", 1), BLOB("bytes", "a\0b\xff", 4)), NULL));
    TRY(db_exec(cx, &lump_add, ARGS(INT("id", 2), BLOB("bytes", "", 0)), NULL));
    return db_exec(cx, &lump_add, ARGS(INT("id", 3), BLOB("bytes", NULL, 0)), NULL);
}

struct lump {
    int64_t id;
    struct blob bytes;
    bool is_null;
};
static const struct col lump_cols[] = {
    INT_COL(struct lump, id),
    BLOB_COL(struct lump, bytes),
    FLAG_COL(struct lump, is_null),
    {0},
};

static void test_odd_values_come_back(void **state)
{
    struct ctx *cx = cx_of(state);
    struct list all = {0};
    assert_rc(cx, db_tx(cx, add_odd_values, NULL), OK);
    assert_rc(cx, db_all(cx, &thing_list, ARGS(), thing_cols, sizeof(struct thing), &all), OK);
    const struct thing *t = all.at;
    assert_true(t[0].id == INT64_MIN && !t[0].name && t[0].n == 0);
    assert_true(t[1].id == INT64_MAX && t[1].n == -1);
    assert_string_equal(t[1].name, "\xc3\xa9\xf0\x9f\x98\x80 '\"\\{}, $1 ?1 :x");

    assert_rc(cx, db_all(cx, &lump_list, ARGS(), lump_cols, sizeof(struct lump), &all), OK);
    const struct lump *l = all.at;
    assert_int_equal(l[0].bytes.len, 4);
    assert_memory_equal(l[0].bytes.at, "a\0b\xff", 4);
    assert_true(l[1].bytes.at && l[1].bytes.len == 0 && !l[1].is_null);
    assert_true(!l[2].bytes.at && l[2].bytes.len == 0 && l[2].is_null);
}

static int64_t count_in(struct ctx *cx, const char *text, struct arg arg)
{
    struct number ret = {-1};
    assert_rc(cx, db_one(cx, db_dynamic(cx, "set", text), ARGS(arg), number_cols, &ret), OK);
    return ret.n;
}

static void test_sets_are_one_argument(void **state)
{
    struct ctx *cx = cx_of(state);
    fill(cx, 5);
    const char *by_id = "SELECT count(*) FROM thing WHERE id IN {ids :ids}";
    assert_int_equal(count_in(cx, by_id, IDS("ids", ((int64_t[]){2, 4, 9}), 3)), 2);
    assert_int_equal(count_in(cx, by_id, IDS("ids", NULL, 0)), 0);
    assert_rc(cx, db_tx(cx, add_odd_values, NULL), OK);
    const char *by_name = "SELECT count(*) FROM thing WHERE name IN {texts :names}";
    const char *const names[] = {"thing 1", "\xc3\xa9\xf0\x9f\x98\x80 '\"\\{}, $1 ?1 :x", "", "\n"};
    assert_int_equal(count_in(cx, by_name, TEXTS("names", names, 4)), 2);
    assert_int_equal(count_in(cx, by_name, TEXTS("names", NULL, 0)), 0);
}

/* ---- walking --------------------------------------------------------------------------------- */

struct walk_state {
    int rows, stop_at;
    const char *names[3];
};

static enum rc see(struct ctx *cx, void *row, void *arg)
{
    struct walk_state *w = arg;
    const struct thing *t = row;
    struct thing again = {0};
    if (w->rows < 3)
        w->names[w->rows] = arena_strdup(cx->arena, t->name);
    w->rows++;
    TRY(db_one(cx, &thing_get, ARGS(INT("id", t->id)), thing_cols, &again));
    assert_string_equal(again.name, t->name);
    return w->rows == w->stop_at ? E_LIMIT : OK;
}

static enum rc walk(struct ctx *cx, void *arg)
{
    return db_each(cx, &thing_list, ARGS(), thing_cols, sizeof(struct thing), see, arg);
}

static void test_each_row_may_ask_more(void **state)
{
    struct ctx *cx = cx_of(state);
    struct walk_state w = {0};
    fill(cx, 700); /* more than are fetched at once */
    assert_rc(cx, walk(cx, &w), OK);
    assert_int_equal(w.rows, 700);
    assert_string_equal(w.names[2], "thing 3");

    w = (struct walk_state){.stop_at = 300};
    assert_rc(cx, walk(cx, &w), E_LIMIT);
    assert_int_equal(w.rows, 300);
    w = (struct walk_state){0};
    assert_rc(cx, db_tx(cx, walk, &w), OK);
    assert_int_equal(w.rows, 700);
    w = (struct walk_state){.stop_at = 1};
    assert_rc(cx, db_snapshot(cx, walk, &w), E_LIMIT);
    assert_int_equal(count(cx), 700);
}

static enum rc double_it(struct ctx *cx, void *row, void *arg)
{
    const struct thing *t = row;
    (void)arg;
    return add(cx, t->id + 1000, t->name ? arena_printf(cx->arena, "%s'", t->name) : NULL, t->n);
}

static enum rc double_all(struct ctx *cx, void *arg)
{
    return db_each(cx, &thing_list, ARGS(), thing_cols, sizeof(struct thing), double_it, arg);
}

static void test_a_walk_does_not_see_its_own_changes(void **state)
{
    struct ctx *cx = cx_of(state);
    fill(cx, 300);
    assert_rc(cx, db_tx(cx, double_all, NULL), OK);
    assert_int_equal(count(cx), 600);
}

static enum rc recurse(struct ctx *cx, void *row, void *arg)
{
    int *depth = arg;
    (void)row;
    if (++*depth % 4 == 0)
        return OK;
    return db_each(cx, &thing_list, ARGS(), thing_cols, sizeof(struct thing), recurse, arg);
}

static void test_a_statement_may_run_within_itself(void **state)
{
    struct ctx *cx = cx_of(state);
    int depth = 0;
    fill(cx, 1);
    assert_rc(cx,
              db_each(cx, &thing_list, ARGS(), thing_cols, sizeof(struct thing), recurse, &depth),
              OK);
    assert_int_equal(depth, 4);
}

static enum rc count_twice(struct ctx *cx, void *arg)
{
    struct ctx *other = arg;
    int n = 4;
    assert_int_equal(count(cx), 0);
    assert_rc(other, db_tx(other, add_some, &n), OK);
    assert_int_equal(count(cx), 0);
    return E_STALE;
}

static void test_snapshot_sees_one_state(void **state)
{
    struct ctx *cx = cx_of(state);
    struct ctx other = {.arena = cx->arena, .db = cx->db};
    assert_rc(cx, db_snapshot(cx, count_twice, &other), E_STALE);
    assert_int_equal(count(cx), 4);
}

/* ---- failures -------------------------------------------------------------------------------- */

static enum rc add_twice(struct ctx *cx, void *arg)
{
    (void)arg;
    TRY(add(cx, 1, "one", 1));
    TRY(add(cx, 1, "one again", 1));
    return db_one(cx, &thing_count, ARGS(), number_cols, &(struct number){0});
}

static enum rc add_orphan(struct ctx *cx, void *arg)
{
    (void)arg;
    return db_exec(cx, &part_add, ARGS(INT("id", 1), INT("thing_id", 99), INT("size", 1)), NULL);
}

static enum rc add_flat(struct ctx *cx, void *arg)
{
    (void)arg;
    TRY(add(cx, 1, "one", 1));
    return db_exec(cx, &part_add, ARGS(INT("id", 1), INT("thing_id", 1), INT("size", 0)), NULL);
}

static enum rc add_homeless(struct ctx *cx, void *arg)
{
    (void)arg;
    return db_exec(cx, &part_add, ARGS(INT("id", 1), NONE("thing_id"), INT("size", 1)), NULL);
}

static void test_broken_constraints_conflict(void **state)
{
    struct ctx *cx = cx_of(state);
    const struct {
        db_tx_fn fn;
        enum rc want;
        const char *detail;
    } cases[] = {
        {add_twice, E_CONFLICT, "thing"},
        {add_orphan, E_CONFLICT, ""},
        {add_flat, E_CONFLICT, "size"},
        {add_homeless, E_FAIL, "thing_id"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        fail_clear(cx);
        assert_rc(cx, db_tx(cx, cases[i].fn, NULL), cases[i].want);
        assert_non_null(cx->err.text);
        assert_non_null(strstr(cx->err.detail, cases[i].detail));
        assert_int_equal(count(cx), 0);
    }
}

static enum rc ignore_failure(struct ctx *cx, void *arg)
{
    (void)arg;
    TRY(add(cx, 1, "one", 1));
    int changed = 0;
    const struct arg again[] = {INT("id", 1), TEXT("name", "x"), INT("n", 1), {0}};
    const enum rc rc = db_exec(cx, &thing_add, again, &changed);
    assert_int_equal(rc, E_CONFLICT);
    assert_int_equal(add(cx, 2, "two", 2), E_CONFLICT);
    return OK;
}

static void test_a_failed_statement_dooms(void **state)
{
    struct ctx *cx = cx_of(state);
    assert_rc(cx, db_tx(cx, ignore_failure, NULL), E_CONFLICT);
    assert_int_equal(count(cx), 0);
}

/* What could not be read looks to a careless function as if it were not there. */
static enum rc take_for_missing(struct ctx *cx, void *arg)
{
    struct number n;
    if (db_one(cx, &thing_count, ARGS(), number_cols, &n) != OK)
        return fail(cx, E_INVALID, "thing", "there is no such thing");
    return arg ? OK : fail(cx, E_INVALID, "thing", "it is there");
}

static void test_trouble_stays_trouble(void **state)
{
    struct ctx *cx = cx_of(state);
    assert_int_equal(db_tx(cx, take_for_missing, NULL), E_INVALID);
    db_fail_at(cx->db, 2, E_FAIL); /* behind BEGIN */
    assert_int_equal(db_tx(cx, take_for_missing, NULL), E_FAIL);
    assert_string_equal(cx->err.text, "the database failed");
    assert_null(cx->err.field);
    db_fail_at(cx->db, 2, E_BUSY);
    fail_clear(cx);
    assert_rc(cx, db_tx(cx, take_for_missing, cx), OK);
    db_fail_at(cx->db, 0, OK);
}

static void test_bad_statement_fails(void **state)
{
    struct ctx *cx = cx_of(state);
    struct number n;
    const struct sql *bad = db_dynamic(cx, "bad", "SELECT n FROM nowhere");
    assert_rc(cx, db_one(cx, bad, ARGS(), number_cols, &n), E_FAIL);
    assert_non_null(strstr(cx->err.detail, "nowhere"));
    assert_int_equal(count(cx), 0);
}

/* ---- dynamic statements ---------------------------------------------------------------------- */

static void test_dynamic_text_is_translated(void **state)
{
    struct ctx *cx = cx_of(state);
    const bool is_lite = db_engine(cx->db) == DB_SQLITE;
    const struct sql *s =
        db_dynamic(cx, "d",
                   "SELECT ':a', :b, CAST(:a AS INTEGER), {json r.fields.x}, :b {sqlite: L :c}"
                   "{postgres: P :c} WHERE x IN {ids :i}");
    assert_string_equal(
        s->text[db_engine(cx->db)],
        is_lite ? "SELECT ':a', ?1, CAST(?2 AS INTEGER), (r.fields ->> 'x'), ?1 L ?3 WHERE x IN "
                  "(SELECT value FROM json_each(?4))"
                : "SELECT ':a', $1, CAST($2 AS BIGINT), (r.fields ->> 'x'), $1 P $3 WHERE x IN "
                  "(SELECT unnest(CAST($4 AS bigint[])))");
    assert_string_equal(s->params[0], "b");
    assert_string_equal(s->params[1], "a");
    assert_string_equal(s->params[3], "i");
    assert_null(s->params[4]);
}

static void test_many_dynamic_statements(void **state)
{
    struct ctx *cx = cx_of(state);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3 * CACHE_DYNAMIC; i++) {
            struct number n = {-1};
            const char *text = arena_printf(cx->arena, "SELECT CAST(:a AS INTEGER) + %d", i);
            assert_rc(cx,
                      db_one(cx, db_dynamic(cx, "many", text), ARGS(INT("a", 5)), number_cols, &n),
                      OK);
            assert_int_equal(n.n, i + 5);
        }
    }
}

/* ---- faults ---------------------------------------------------------------------------------- */

static enum rc add_ten(struct ctx *cx, void *arg)
{
    struct number n = {0};
    for (int i = 1; i <= 10; i++)
        TRY(add(cx, 100 + i, NULL, i));
    TRY(db_one(cx, &thing_count, ARGS(), number_cols, &n));
    *(int64_t *)arg = n.n;
    return OK;
}

static void test_any_statement_may_fail(void **state)
{
    struct ctx *cx = cx_of(state);
    int64_t seen = 0;
    int faults = 0;
    fill(cx, 2);
    db_fail_at(cx->db, 0, OK);
    assert_rc(cx, db_tx(cx, add_ten, &seen), OK);
    assert_int_equal(seen, 12);
    const int total = db_statement_count(cx->db);
    assert_int_equal(total, 13); /* begin, 10, count, commit */
    assert_rc(cx, db_tx(cx, add_ten, &seen), E_CONFLICT);
    for (int n = 1; n <= total; n++) {
        db_fail_at(cx->db, n, E_FAIL);
        faults += db_tx(cx, add_ten, &seen) != OK;
        db_fail_at(cx->db, 0, OK);
        assert_int_equal(count(cx), 12);
    }
    assert_int_equal(faults, total);
}

static void test_a_passing_fault_is_retried(void **state)
{
    struct ctx *cx = cx_of(state);
    int64_t seen = 0;
    const int64_t retries = db_figures(cx->db).retries;
    db_fail_at(cx->db, 5, E_BUSY);
    assert_rc(cx, db_tx(cx, add_ten, &seen), OK);
    assert_int_equal(seen, 10);
    assert_int_equal(count(cx), 10);
    assert_int_equal(db_figures(cx->db).retries, retries + 1);
    assert_null(cx->err.text);
    db_fail_at(cx->db, 1, E_FAIL);
    assert_int_equal(db_one(cx, &thing_count, ARGS(), number_cols, &(struct number){0}), E_FAIL);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static int on_sqlite_in_haste(void **state)
{
    return set_up(state, DB_SQLITE, &(struct db_config){.read_limit_us = 200000});
}

static int on_postgres_in_haste(void **state)
{
    return set_up(state, DB_POSTGRES, &(struct db_config){.read_limit_us = 200000});
}

static void test_questions_without_end_are_cut(void **state)
{
    struct ctx *cx = cx_of(state);
    const int64_t start = clock_monotonic();
    struct number n;
    const struct sql *sql = db_dynamic(
        cx, "endless",
        "WITH RECURSIVE t (n) AS (SELECT CAST(1 AS INTEGER) UNION ALL SELECT n + 1 FROM t) "
        "SELECT max(n) FROM t");
    assert_rc(cx, db_one(cx, sql, ARGS(), number_cols, &n), E_BUSY);
    assert_non_null(strstr(cx->err.text, "too long"));
    assert_true(clock_monotonic() - start < 2 * US_PER_S);
    assert_int_equal(count(cx), 0);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void test_an_unknown_url_is_refused(void **state)
{
    struct ctx *cx = cx_of(state);
    struct db *db = NULL;
    const struct db_config config = {.url = secret_create(cx->arena, "mysql://x", 9)};
    assert_int_equal(db_open(cx, &config, &db), E_INVALID);
    assert_null(db);
}

static void test_a_second_process_is_kept_out_of_sqlite(void **state)
{
    struct ctx *cx = cx_of(state);
    struct db *db = NULL;
    const enum rc want = db_engine(cx->db) == DB_SQLITE ? E_CONFLICT : OK;
    assert_rc(cx, db_open(cx, &(struct db_config){.url = scratch_url(cx)}, &db), want);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_values_come_back),
        ON_BOTH(test_odd_values_come_back),
        ON_BOTH(test_sets_are_one_argument),
        ON_BOTH(test_each_row_may_ask_more),
        ON_BOTH(test_a_walk_does_not_see_its_own_changes),
        ON_BOTH(test_a_statement_may_run_within_itself),
        ON_BOTH(test_snapshot_sees_one_state),
        ON_BOTH(test_broken_constraints_conflict),
        ON_BOTH(test_a_failed_statement_dooms),
        ON_BOTH(test_trouble_stays_trouble),
        ON_BOTH(test_bad_statement_fails),
        ON_BOTH(test_dynamic_text_is_translated),
        ON_BOTH(test_many_dynamic_statements),
        ON_BOTH(test_any_statement_may_fail),
        ON_BOTH(test_a_passing_fault_is_retried),
        {"test_questions_without_end_are_cut (sqlite)", test_questions_without_end_are_cut,
         on_sqlite_in_haste, tear_down, NULL},
        {"test_questions_without_end_are_cut (postgres)", test_questions_without_end_are_cut,
         on_postgres_in_haste, tear_down, NULL},
        ON_BOTH(test_an_unknown_url_is_refused),
        ON_BOTH(test_a_second_process_is_kept_out_of_sqlite),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
