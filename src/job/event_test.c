#include "job/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/test.h"
#include "base/time.h"
#include "db/db.h"
#include "db/scratch.h"

#define assert_rc(cx, call, want)                                                                  \
    do {                                                                                           \
        const enum rc rc_is = (call);                                                              \
        if (rc_is != (want))                                                                       \
            print_message("# %s (%s)\n", (cx)->err.text, (cx)->err.detail);                        \
        assert_string_equal(rc_name(rc_is), rc_name(want));                                        \
    } while (0)

static struct ctx the_cx;

static int set_up(void **state, enum db_engine engine)
{
    (void)state;
    int applied;
    the_cx = (struct ctx){.arena = arena_create(), .now = 1700000000 * US_PER_S, .via = VIA_MAIL};
    the_cx.db = scratch_open(&the_cx, engine, &(struct db_config){0});
    if (the_cx.db)
        assert_rc(&the_cx, db_migrate(&the_cx, &applied), OK);
    return 0;
}

static int on_sqlite(void **state)
{
    return set_up(state, DB_SQLITE);
}

static int on_postgres(void **state)
{
    return set_up(state, DB_POSTGRES);
}

static int tear_down(void **state)
{
    (void)state;
    if (the_cx.db)
        scratch_close(&the_cx, the_cx.db);
    arena_destroy(the_cx.arena);
    return 0;
}

static struct ctx *start(void)
{
    if (!the_cx.db)
        skip(); /* TEST_POSTGRES is not set */
    return &the_cx;
}

/* ---- what is in the log ---------------------------------------------------------------------- */

static const char *const no_params[] = {NULL};
#define LIST                                                                                       \
    "SELECT e.id, e.record_id, e.kind, e.action, e.actor_id, e.via, e.request_id, e.occurred_at, " \
    "e.recorded_at, e.from_state, e.to_state, e.from_status, e.to_status, e.is_internal, "         \
    "e.deviation, e.digest, p.salt, p.body, e.to_status IS NULL "                                  \
    "FROM event e JOIN event_private p ON p.event_id = e.id ORDER BY e.id"
static const struct sql list = {.name = "list", .text = {LIST, LIST}, .params = no_params};

struct row {
    int64_t id, record_id, actor_id, via, occurred_at, recorded_at, from_status, to_status;
    const char *kind, *action, *request_id, *from_state, *to_state, *deviation, *digest, *salt;
    const char *body;
    bool is_internal, has_no_status;
};
static const struct col row_cols[] = {
    INT_COL(struct row, id),
    INT_COL(struct row, record_id),
    TEXT_COL(struct row, kind),
    TEXT_COL(struct row, action),
    INT_COL(struct row, actor_id),
    INT_COL(struct row, via),
    TEXT_COL(struct row, request_id),
    INT_COL(struct row, occurred_at),
    INT_COL(struct row, recorded_at),
    TEXT_COL(struct row, from_state),
    TEXT_COL(struct row, to_state),
    INT_COL(struct row, from_status),
    INT_COL(struct row, to_status),
    FLAG_COL(struct row, is_internal),
    TEXT_COL(struct row, deviation),
    TEXT_COL(struct row, digest),
    TEXT_COL(struct row, salt),
    TEXT_COL(struct row, body),
    FLAG_COL(struct row, has_no_status),
    {0},
};

static const struct row *all(struct ctx *cx, int *ret_count)
{
    struct list rows = {0};
    assert_rc(cx, db_all(cx, &list, ARGS(), row_cols, sizeof(struct row), &rows), OK);
    *ret_count = rows.count;
    return rows.at;
}

struct wanted {
    struct event event;
    struct val body;
    int times;
    enum rc rc;
    int64_t id; /* of the last one */
};

static enum rc append_in_tx(struct ctx *cx, void *arg)
{
    struct wanted *w = arg;
    for (int i = 0; i < w->times; i++)
        TRY(event_append(cx, &w->event, w->body, &w->id));
    return w->rc;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_append(void **state)
{
    (void)state;
    struct ctx *cx = start();
    struct val_map body = {0};
    val_map_set(cx->arena, &body, "text",
                val_text("Dr\xc3\xbc"
                         "cker \"brennt\""));
    struct wanted w = {.times = 1,
                       .body = val_from_map(&body),
                       .event = {.kind = "action",
                                 .action = "resolve",
                                 .actor_id = 7,
                                 .occurred_at = cx->now - US_PER_DAY,
                                 .from_state = "new",
                                 .to_state = "done",
                                 .from_status = 0,
                                 .to_status = 3,
                                 .is_internal = true,
                                 .deviation = "not-offered"}};
    cx->request_id = "r-1";
    assert_rc(cx, db_tx(cx, append_in_tx, &w), OK);
    cx->request_id = NULL;
    assert_rc(cx, db_tx(cx, append_in_tx, &(struct wanted){.times = 1, .event = {.kind = "x"}}),
              OK);

    int count;
    const struct row *row = all(cx, &count);
    assert_int_equal(count, 2);
    assert_int_equal(row->id, w.id);
    assert_int_equal(row->record_id, 0);
    assert_string_equal(row->kind, "action");
    assert_string_equal(row->action, "resolve");
    assert_int_equal(row->actor_id, 7);
    assert_int_equal(row->via, VIA_MAIL);
    assert_string_equal(row->request_id, "r-1");
    assert_int_equal(row->occurred_at, cx->now - US_PER_DAY);
    assert_int_equal(row->recorded_at, cx->now);
    assert_string_equal(row->from_state, "new");
    assert_string_equal(row->to_state, "done");
    assert_int_equal(row->to_status, 3);
    assert_true(row->is_internal);
    assert_string_equal(row->deviation, "not-offered");
    assert_string_equal(row->body, "{\"text\":\"Dr\xc3\xbc"
                                   "cker \\\"brennt\\\"\"}");

    assert_int_equal(row[1].occurred_at, cx->now);
    assert_null(row[1].to_state);
    assert_true(row[1].has_no_status);
    assert_false(row[1].is_internal);
    assert_string_equal(row[1].body, "{}");
}

/* Numbers in the order of the commits, without gaps, whatever is rolled back in between. */
static void test_no_gaps(void **state)
{
    (void)state;
    struct ctx *cx = start();
    struct wanted good = {.times = 3, .event = {.kind = "x"}};
    struct wanted bad = {.times = 5, .event = {.kind = "y"}, .rc = E_CONFLICT};
    for (int i = 0; i < 4; i++) {
        assert_rc(cx, db_tx(cx, append_in_tx, &good), OK);
        assert_rc(cx, db_tx(cx, append_in_tx, &bad), E_CONFLICT);
    }
    int count;
    const struct row *row = all(cx, &count);
    assert_int_equal(count, 12);
    for (int i = 0; i < count; i++) {
        assert_int_equal(row[i].id, i + 1);
        assert_string_equal(row[i].kind, "x");
    }
    assert_int_equal(good.id, 12);
}

/* The digest proves the body, and the salt keeps short bodies from being guessed. */
static void test_digest(void **state)
{
    (void)state;
    struct ctx *cx = start();
    struct wanted w = {.times = 200, .event = {.kind = "x"}};
    assert_rc(cx, db_tx(cx, append_in_tx, &w), OK);
    int count;
    const struct row *row = all(cx, &count);
    for (int i = 0; i < count; i++) {
        char digest[SHA256_HEX];
        const char *text = arena_printf(cx->arena, "%s%s", row[i].salt, row[i].body);
        sha256_hex(text, strlen(text), digest);
        assert_string_equal(digest, row[i].digest);
        assert_int_equal(strlen(row[i].salt), 32);
        for (int n = 0; n < i; n++)
            assert_string_not_equal(row[n].salt, row[i].salt);
    }
}

#define ON_BOTH(test)                                                                              \
    {#test " (sqlite)", test, on_sqlite, tear_down, NULL},                                         \
    {                                                                                              \
#test " (postgres)", test, on_postgres, tear_down, NULL                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_append),
        ON_BOTH(test_no_gaps),
        ON_BOTH(test_digest),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
