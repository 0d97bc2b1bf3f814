/* db_test.h - the bed of this module's tests: every test on both engines, with a small schema.
 *
 * The state of a cmocka test is a struct bed; cx_of() gives its context, or skips the test where
 * there is no PostgreSQL.
 */
#ifndef DB_DB_TEST_H
#define DB_DB_TEST_H

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "db/inside.h"
#include "db/scratch.h"

#define MAYBE __attribute__((unused)) /* by a test that does without */

struct bed {
    struct ctx cx;
    enum db_engine engine;
};

/* ---- a small schema and its statements ------------------------------------------------------- */

static const char *const tables[] = {
    "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT UNIQUE, n BIGINT)",
    "CREATE TABLE part (id BIGINT PRIMARY KEY, thing_id BIGINT NOT NULL REFERENCES thing (id), "
    "size BIGINT CHECK (size > 0))",
    "CREATE TABLE debt (id BIGINT, thing_id BIGINT REFERENCES thing (id) DEFERRABLE INITIALLY "
    "DEFERRED)",
    NULL,
};
static const char *const blob_table[DB_ENGINES] = {"CREATE TABLE lump (id BIGINT, bytes BLOB)",
                                                   "CREATE TABLE lump (id BIGINT, bytes BYTEA)"};

/* One text does for both engines: SQLite numbers $1, $2 in the order of their appearance. */
#define STATEMENT(id, writes, words, ...)                                                          \
    static const char *const id##_params[] = {__VA_ARGS__ __VA_OPT__(, ) NULL};                    \
    MAYBE static const struct sql id = {                                                           \
        .name = #id, .text = {(words), (words)}, .params = id##_params, .is_write = (writes)}

STATEMENT(thing_add, true, "INSERT INTO thing (id, name, n) VALUES ($1, $2, $3)", "id", "name",
          "n");
STATEMENT(thing_get, false, "SELECT id, name, n FROM thing WHERE id = $1", "id");
STATEMENT(thing_list, false, "SELECT id, name, n FROM thing ORDER BY id");
STATEMENT(thing_count, false, "SELECT count(*) FROM thing");
STATEMENT(thing_bump, true, "UPDATE thing SET n = n + 1 WHERE id = $1 RETURNING id, name, n", "id");
STATEMENT(thing_set_all, true, "UPDATE thing SET n = $1", "n");
STATEMENT(part_add, true, "INSERT INTO part (id, thing_id, size) VALUES ($1, $2, $3)", "id",
          "thing_id", "size");
STATEMENT(debt_add, true, "INSERT INTO debt (id, thing_id) VALUES ($1, $2)", "id", "thing_id");
STATEMENT(lump_add, true, "INSERT INTO lump (id, bytes) VALUES ($1, $2)", "id", "bytes");
STATEMENT(lump_list, false, "SELECT id, bytes, bytes IS NULL FROM lump ORDER BY id");

struct thing {
    int64_t id;
    const char *name;
    int64_t n;
};
MAYBE static const struct col thing_cols[] = {
    INT_COL(struct thing, id),
    TEXT_COL(struct thing, name),
    INT_COL(struct thing, n),
    {0},
};

struct number {
    int64_t n;
};
MAYBE static const struct col number_cols[] = {INT_COL(struct number, n), {0}};

static inline enum rc create(struct ctx *cx, void *arg)
{
    struct bed *b = arg;
    for (int i = 0; tables[i]; i++)
        TRY(seat.db->driver.once(cx, seat.conn, tables[i]));
    return seat.db->driver.once(cx, seat.conn, blob_table[b->engine]);
}

static inline int set_up(void **state, enum db_engine engine, const struct db_config *config)
{
    struct bed *b = calloc(1, sizeof(*b));
    *state = b;
    b->engine = engine;
    b->cx.arena = arena_create();
    b->cx.db = scratch_open(&b->cx, engine, config);
    if (b->cx.db && db_tx(&b->cx, create, b) != OK)
        _fail(b->cx.err.detail, 0);
    return 0;
}

static inline int on_sqlite(void **state)
{
    return set_up(state, DB_SQLITE, &(struct db_config){.readers = 3});
}

static inline int on_postgres(void **state)
{
    return set_up(state, DB_POSTGRES, &(struct db_config){.readers = 3});
}

static inline int tear_down(void **state)
{
    struct bed *b = *state;
    if (b->cx.db)
        scratch_close(&b->cx, b->cx.db);
    arena_destroy(b->cx.arena);
    free(b);
    return 0;
}

static inline struct ctx *cx_of(void **state)
{
    struct bed *b = *state;
    if (!b->cx.db)
        skip(); /* TEST_POSTGRES is not set */
    return &b->cx;
}

/* The code that a call must return; prints what it said when it does not. */
#define assert_rc(cx, call, want)                                                                  \
    do {                                                                                           \
        const enum rc rc_is = (call);                                                              \
        if (rc_is != (want))                                                                       \
            print_message("# %s: %s\n", (cx)->err.text, (cx)->err.detail);                         \
        assert_string_equal(rc_name(rc_is), rc_name(want));                                        \
    } while (0)

static inline enum rc add(struct ctx *cx, int64_t id, const char *name, int64_t n)
{
    return db_exec(cx, &thing_add, ARGS(TEXT("name", name), INT("n", n), INT("id", id)), NULL);
}

static inline int64_t count(struct ctx *cx)
{
    struct number ret = {-1};
    assert_rc(cx, db_one(cx, &thing_count, ARGS(), number_cols, &ret), OK);
    return ret.n;
}

/* Adds things 1 to *arg. */
static inline enum rc add_some(struct ctx *cx, void *arg)
{
    for (int64_t i = 1; i <= *(int *)arg; i++)
        TRY(add(cx, i, arena_printf(cx->arena, "thing %d", (int)i), 10 * i));
    return OK;
}

static inline void fill(struct ctx *cx, int n)
{
    assert_rc(cx, db_tx(cx, add_some, &n), OK);
}

#define ON_BOTH(test)                                                                              \
    {#test " (sqlite)", test, on_sqlite, tear_down, NULL},                                         \
    {                                                                                              \
#test " (postgres)", test, on_postgres, tear_down, NULL                                    \
    }

#endif
