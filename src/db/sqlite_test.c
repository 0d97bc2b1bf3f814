#include <sys/stat.h>
#include <unistd.h>

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

/* ---- full text ------------------------------------------------------------------------------- */

static void add_words(struct ctx *cx)
{
    run(cx, "CREATE VIRTUAL TABLE words USING fts5 (title, body, content = '', "
            "contentless_delete = 1, tokenize = 'fettle')");
    run(cx, "INSERT INTO words (rowid, title, body) VALUES "
            "(1, 'printer|print on fire', 'inc-1042 a.b@example.org 10.0.0.1'),"
            "(2, 'coffee', 'the printer|print prints|print  fire'),"
            "(3, 'fire', 'fire fire fire and a fire brigade on the way to fire'),"
            "(4, '\xc3\xa9t\xc3\xa9|ete', '|odd|| |')");
}

/* The rows that match, best first, as "1 3 2". */
static const char *search(struct ctx *cx, const char *match)
{
    struct list all = {0};
    char *found = arena_strdup(cx->arena, "");
    const struct sql *sql = db_dynamic(
        cx, "search",
        "SELECT rowid FROM words WHERE words MATCH :m ORDER BY fettle_rank(words, 8.0, 1.0) DESC");
    assert_rc(cx, db_all(cx, sql, ARGS(TEXT("m", match)), number_cols, sizeof(struct number), &all),
              OK);
    for (int i = 0; i < all.count; i++)
        found = arena_printf(cx->arena, "%s%s%d", found, i ? " " : "",
                             (int)((struct number *)all.at)[i].n);
    return found;
}

static void test_words_are_found_as_they_were_given(void **state)
{
    struct ctx *cx = cx_of(state);
    const struct {
        const char *match, *found;
    } cases[] = {
        {"printer", "1 2"},
        {"print", "1 2"},
        {"\"printer on fire\"", "1"},
        {"\"print on fire\"", "1"},
        {"\"printer prints fire\"", "2"}, /* empty words take no place */
        {"Printer", ""},
        {"\"inc-1042\"", "1"},
        {"\"inc\"", ""},
        {"\"a.b@example.org\"", "1"},
        {"\"10.0.0.1\"", "1"},
        {"\"coffee|way\"", "2 3"}, /* forms of one word */
        {"ete", "4"},
        {"\"\xc3\xa9t\xc3\xa9\"", "4"},
        {"odd", "4"},
        {"pri*", "1 2"},
        {"title : fire", "3 1"},
        {"fire", "3 1 2"}, /* the shorter and the more, title above body */
        {"printer NOT coffee", "1"},
    };
    add_words(cx);
    for (int i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(search(cx, cases[i].match), cases[i].found);
}

/* ---- the storage ----------------------------------------------------------------------------- */

static enum rc add_lump(struct ctx *cx, void *arg)
{
    (void)arg;
    static const char bytes[100000] = {1};
    for (int i = 0; i < 50; i++)
        TRY(db_exec(cx, &lump_add, ARGS(INT("id", i), BLOB("bytes", bytes, sizeof(bytes))), NULL));
    return OK;
}

static void test_a_full_disk_is_said(void **state)
{
    struct ctx *cx = cx_of(state);
    int three = 3;
    struct number pages;
    run(cx, "PRAGMA max_page_count = 100");
    for (int round = 0; round < 3; round++) {
        assert_rc(cx, db_tx(cx, add_lump, NULL), E_FAIL);
        assert_string_equal(cx->err.text, "the disk of the database is full");
        assert_int_equal(count(cx), 0);
    }
    fail_clear(cx);
    assert_rc(cx, db_tx(cx, add_some, &three), OK);
    run(cx, "PRAGMA max_page_count = 1000000");
    assert_rc(cx, db_tx(cx, add_lump, NULL), OK);
    assert_rc(cx,
              db_one(cx, db_dynamic(cx, "pages", "SELECT page_count FROM pragma_page_count"),
                     ARGS(), number_cols, &pages),
              OK);
    assert_true(pages.n > 1000);
}

static int64_t size_of(struct ctx *cx, const char *suffix)
{
    struct stat s;
    const char *path = secret_reveal(scratch_url(cx)) + strlen("sqlite:");
    return stat(arena_printf(cx->arena, "%s%s", path, suffix), &s) == 0 ? s.st_size : -1;
}

static void test_the_log_is_folded_when_idle(void **state)
{
    struct ctx *cx = cx_of(state);
    assert_rc(cx, db_tx(cx, add_lump, NULL), OK);
    for (int i = 0; i < 200 && size_of(cx, "") < 5000000; i++)
        usleep(10000);
    assert_true(size_of(cx, "") > 5000000);
    const int64_t log = size_of(cx, "-wal");
    assert_true(log > 5000000);
    assert_rc(cx, db_tx(cx, add_lump, NULL), OK);
    assert_true(size_of(cx, "-wal") < log + 1000000); /* it started over */
}

static void test_files_are_private(void **state)
{
    struct ctx *cx = cx_of(state);
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    const char *path = secret_reveal(scratch_url(cx)) + strlen("sqlite:");
    struct stat s;
    for (int i = 0; i < ARRAY_LEN(suffixes); i++) {
        assert_int_equal(stat(arena_printf(cx->arena, "%s%s", path, suffixes[i]), &s), 0);
        assert_int_equal(s.st_mode & 0777, 0600);
    }
}

/* ---- what readers may ------------------------------------------------------------------------ */

static void test_readers_cannot_write(void **state)
{
    struct ctx *cx = cx_of(state);
    static const char *const texts[] = {
        "WITH x AS (SELECT 1) INSERT INTO thing (id) SELECT 5",
        "DROP TABLE thing",
        "ATTACH ':memory:' AS x",
        "VACUUM",
        "REPLACE INTO thing (id) VALUES (1)",
    };
    for (int i = 0; i < ARRAY_LEN(texts); i++)
        assert_rc(cx, db_exec(cx, db_dynamic(cx, "trick", texts[i]), ARGS(), NULL), E_FAIL);
    assert_int_equal(count(cx), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ON_SQLITE(test) cmocka_unit_test_setup_teardown(test, on_sqlite, tear_down)
        ON_SQLITE(test_words_are_found_as_they_were_given),
        ON_SQLITE(test_a_full_disk_is_said),
        ON_SQLITE(test_the_log_is_folded_when_idle),
        ON_SQLITE(test_files_are_private),
        ON_SQLITE(test_readers_cannot_write),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
