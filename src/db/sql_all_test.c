/* Every statement of the program, prepared on both engines after all migrations. */
#include "db/sql_all.h"
#include "db/db_test.h"

struct attempt {
    const struct sql *sql;
};

static enum rc prepare_one(struct ctx *cx, void *arg)
{
    const struct attempt *a = arg;
    return seat.db->driver.prepare(cx, seat.conn, a->sql);
}

static void test_every_statement_is_understood(void **state)
{
    struct ctx *cx = cx_of(state);
    int applied, failed = 0;
    assert_rc(cx, db_migrate(cx, &applied), OK);
    for (int i = 0; i < sql_all_count; i++) {
        struct attempt a = {sql_all[i]};
        if (!a.sql->text[db_engine(cx->db)])
            continue;
        fail_clear(cx);
        if (db_tx(cx, prepare_one, &a) == OK)
            continue;
        print_message("# %s: %s %s\n", a.sql->name, cx->err.text,
                      cx->err.detail ? cx->err.detail : "");
        failed++;
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ON_BOTH(test_every_statement_is_understood)};
    return cmocka_run_group_tests_name("sql_all", tests, NULL, NULL);
}
