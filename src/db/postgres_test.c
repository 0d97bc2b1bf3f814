#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db_test.h"

static enum rc run_text(struct ctx *cx, void *arg)
{
    return seat.db->driver.once(cx, seat.conn, arg);
}

static void run(struct ctx *cx, const char *text)
{
    assert_rc(cx, db_tx(cx, run_text, arena_strdup(cx->arena, text)), OK);
}

static enum rc open_with(struct ctx *cx, const char *url)
{
    struct db *db = NULL;
    const struct db_config config = {.url = secret_create(cx->arena, url, strlen(url))};
    const enum rc rc = db_open(cx, &config, &db);
    db_close(db);
    return rc;
}

static void test_weak_settings_are_refused(void **state)
{
    struct ctx *cx = cx_of(state);
    const char *url = secret_reveal(scratch_url(cx));
    assert_rc(cx, open_with(cx, url), OK);
    const char *base = getenv("TEST_POSTGRES");
    assert_rc(
        cx, open_with(cx, arena_printf(cx->arena, "%s?options=-csynchronous_commit%%3Doff", base)),
        E_FAIL);
    assert_non_null(strstr(cx->err.text, "synchronous_commit"));
}

static void test_an_unreachable_server_is_said(void **state)
{
    struct ctx *cx = cx_of(state);
    const int64_t start = clock_monotonic();
    assert_rc(cx, open_with(cx, "postgresql://nobody:secret@127.0.0.1:1/nothing"), E_BUSY);
    assert_string_equal(cx->err.text, "the database cannot be reached");
    assert_null(strstr(cx->err.detail, "secret"));
    assert_true(clock_monotonic() - start < 6 * US_PER_S);
}

/* A trigger that runs at the commit ends the connection there. */
static const char *const deadly[] = {
    "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; "
    "END$$",
    "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON part DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION die()",
};

static enum rc add_part(struct ctx *cx, void *arg)
{
    ++*(int *)arg;
    return db_exec(cx, &part_add, ARGS(INT("id", 1), INT("thing_id", 1), INT("size", 1)), NULL);
}

static void test_a_commit_without_answer_is_not_repeated(void **state)
{
    struct ctx *cx = cx_of(state);
    int calls = 0;
    fill(cx, 1);
    run(cx, deadly[0]);
    run(cx, deadly[1]);
    assert_rc(cx, db_tx(cx, add_part, &calls), E_FAIL);
    assert_non_null(strstr(cx->err.text, "broke while"));
    assert_int_equal(calls, 1);
    fail_clear(cx);
    run(cx, "DROP TRIGGER dies ON part");
    assert_rc(cx, db_tx(cx, add_part, &calls), OK);
}

static void test_readers_cannot_write(void **state)
{
    struct ctx *cx = cx_of(state);
    static const char *const texts[] = {
        "WITH x AS (INSERT INTO thing (id) VALUES (5) RETURNING id) SELECT id FROM x",
        "DROP TABLE thing",
    };
    for (int i = 0; i < ARRAY_LEN(texts); i++)
        assert_true(db_exec(cx, db_dynamic(cx, "trick", texts[i]), ARGS(), NULL) != OK);
    assert_int_equal(count(cx), 0);
}

static enum rc add_many(struct ctx *cx, void *arg)
{
    for (int i = 1; i <= 300; i++)
        TRY(add(cx, i, arena_printf(cx->arena, "%0*d", 20000, i), i));
    return add(cx, *(int *)arg, NULL, 0);
}

/* More is queued than either side's buffers hold. */
static void test_long_queues_do_not_stall(void **state)
{
    struct ctx *cx = cx_of(state);
    int id = 300;
    assert_rc(cx, db_tx(cx, add_many, &id), E_CONFLICT);
    assert_int_equal(count(cx), 0);
    id = 301;
    assert_rc(cx, db_tx(cx, add_many, &id), OK);
    assert_int_equal(count(cx), 301);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ON_POSTGRES(test) cmocka_unit_test_setup_teardown(test, on_postgres, tear_down)
        ON_POSTGRES(test_weak_settings_are_refused),
        ON_POSTGRES(test_an_unreachable_server_is_said),
        ON_POSTGRES(test_a_commit_without_answer_is_not_repeated),
        ON_POSTGRES(test_readers_cannot_write),
        ON_POSTGRES(test_long_queues_do_not_stall),
    };
    return cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
}
