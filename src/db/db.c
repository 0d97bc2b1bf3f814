#include "db/db.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/inside.h"

#define READ_LIMIT_US (30 * US_PER_S)

_Thread_local struct seat seat;

/* ---- arguments ------------------------------------------------------------------------------- */

static _Noreturn void bug_in(const struct ctx *cx, const struct sql *sql, const char *what,
                             const char *name)
{
    BUG(arena_printf(cx->arena, "%s: %s %s", sql->name, what, name));
}

/* The arguments in the order of the statement's parameters. Callers mostly give them in just that
 * order, so the search begins where the last one was found. */
static void match_args(const struct ctx *cx, const struct sql *sql, const struct arg *args,
                       const struct arg *values[static MAX_PARAMS])
{
    int count = 0, at = 0, n = 0;
    while (args && args[count].kind != ARG_END)
        count++;
    for (; sql->params[n]; n++) {
        int tries = 0;
        for (; tries < count && strcmp(args[at].name, sql->params[n]) != 0; tries++)
            at = at + 1 < count ? at + 1 : 0;
        if (tries == count || n == MAX_PARAMS)
            bug_in(cx, sql, "no argument for the parameter", sql->params[n]);
        values[n] = &args[at];
        at = at + 1 < count ? at + 1 : 0;
    }
    if (n != count)
        bug_in(cx, sql, "more arguments than parameters", "");
}

void check_columns(const struct sql *sql, int wanted, int there)
{
    struct ctx cx = {.arena = NULL};
    if (wanted == there)
        return;
    cx.arena = arena_create();
    bug_in(&cx, sql, "has not as many columns as its caller expects", "");
}

/* ---- where a statement runs ------------------------------------------------------------------ */

/* One statement of a caller: its connection, and whether that goes back to the pool. */
struct visit {
    struct ctx *cx;
    struct db *db;
    struct conn *conn;
    bool is_borrowed;
};

static struct db *db_of(const struct ctx *cx)
{
    if (!cx->db)
        BUG("a statement without a database");
    return cx->db;
}

static bool is_seated(const struct ctx *cx)
{
    return seat.db && seat.db == cx->db;
}

bool db_in_tx(const struct ctx *cx)
{
    return is_seated(cx) && seat.level;
}

static enum rc visit_begin(struct ctx *cx, struct visit *ret)
{
    *ret = (struct visit){.cx = cx, .db = db_of(cx)};
    if (is_seated(cx)) {
        ret->conn = seat.conn;
        return seat.level ? seat.level->failed : OK;
    }
    ret->is_borrowed = true;
    return pool_take(cx, ret->db, &ret->conn);
}

/* Who failed may have an arena that ends sooner. */
void level_doom(struct level *level, const struct ctx *cx, enum rc rc)
{
    level->failed = rc;
    level->text = arena_strdup(level->arena, cx->err.text);
    level->detail = arena_strdup(level->arena, cx->err.detail);
}

/* Gives the outcome back; a failure within a transaction dooms it. */
static enum rc visit_end(struct visit *v, enum rc rc)
{
    if (v->is_borrowed)
        pool_give(v->db, v->conn);
    else if (rc != OK && seat.level && seat.level->failed == OK)
        level_doom(seat.level, v->cx, rc);
    return rc;
}

static enum rc visit_for(struct ctx *cx, const struct sql *sql, struct visit *ret)
{
    if (sql->is_write && !db_in_tx(cx))
        bug_in(cx, sql, "writes outside of a transaction", "");
    return visit_begin(cx, ret);
}

/* A connection may have died while it lay idle. Nothing was seen of the statement yet, so it is
 * begun once more, on a new one. */
static enum rc start(struct visit *v, const struct sql *sql, const struct arg *const *values,
                     enum walk walk, struct rows **ret)
{
    const enum rc rc = v->db->driver.start(v->cx, v->conn, sql, values, walk, ret);
    if (rc == OK || !v->is_borrowed || !v->conn->is_lost)
        return rc;
    pool_give(v->db, v->conn);
    v->is_borrowed = false;
    TRY(pool_take(v->cx, v->db, &v->conn));
    v->is_borrowed = true;
    return v->db->driver.start(v->cx, v->conn, sql, values, walk, ret);
}

/* ---- statements ------------------------------------------------------------------------------ */

enum rc db_exec(struct ctx *cx, const struct sql *sql, const struct arg *args, int *ret_changed)
{
    const struct arg *values[MAX_PARAMS];
    struct visit v;
    match_args(cx, sql, args, values);
    TRY(visit_for(cx, sql, &v));
    int changed = 0;
    /* Only a transaction has an end at which an unanswered statement would show its failure. */
    int *wanted = ret_changed || v.is_borrowed ? &changed : NULL;
    const enum rc rc = v.db->driver.exec(cx, v.conn, sql, values, wanted);
    if (rc == OK && ret_changed)
        *ret_changed = changed;
    return visit_end(&v, rc);
}

/* Ends a walk over rows; the first failure counts. */
static enum rc finish(struct visit *v, struct rows *rows, enum rc rc)
{
    const enum rc finish_rc = v->db->driver.finish(v->cx, rows);
    return visit_end(v, rc == OK ? finish_rc : rc);
}

enum rc db_one(struct ctx *cx, const struct sql *sql, const struct arg *args,
               const struct col *cols, void *ret)
{
    const struct arg *values[MAX_PARAMS];
    struct visit v;
    match_args(cx, sql, args, values);
    TRY(visit_for(cx, sql, &v));
    struct rows *rows = NULL;
    enum rc rc = start(&v, sql, values, WALK_SHORT, &rows);
    if (rc != OK)
        return visit_end(&v, rc);
    bool has_row = false;
    rc = v.db->driver.next(cx, rows, &has_row);
    if (has_row)
        v.db->driver.store(cx, rows, cols, ret);
    TRY(finish(&v, rows, rc));
    return has_row ? OK : E_NOT_FOUND;
}

enum rc db_all(struct ctx *cx, const struct sql *sql, const struct arg *args,
               const struct col *cols, size_t size, struct list *ret)
{
    const struct arg *values[MAX_PARAMS];
    struct visit v;
    match_args(cx, sql, args, values);
    TRY(visit_for(cx, sql, &v));
    struct rows *rows = NULL;
    enum rc rc = start(&v, sql, values, WALK_SHORT, &rows);
    if (rc != OK)
        return visit_end(&v, rc);
    struct list all = {0};
    bool has_row = true;
    while ((rc = v.db->driver.next(cx, rows, &has_row)) == OK && has_row)
        v.db->driver.store(cx, rows, cols, list_add(cx->arena, &all, size));
    TRY(finish(&v, rows, rc));
    *ret = all;
    return OK;
}

struct each {
    const struct col *cols;
    size_t size;
    enum rc (*fn)(struct ctx *cx, void *row, void *arg);
    void *arg;
};

/* The strings of a row live as long as the row: in an arena that is emptied before the next. What
 * the function returns is kept apart from what the database does. */
static enum rc each_row(struct visit *v, struct rows *rows, const struct each *each,
                        enum rc *ret_rc)
{
    struct arena *arena = arena_create();
    struct ctx row_cx = *v->cx;
    row_cx.arena = arena;
    bool has_row = false;
    enum rc rc;
    while ((rc = v->db->driver.next(v->cx, rows, &has_row)) == OK && has_row && *ret_rc == OK) {
        void *row = arena_alloc(arena, each->size);
        v->db->driver.store(&row_cx, rows, each->cols, row);
        *ret_rc = each->fn(v->cx, row, each->arg);
        arena_reset(arena);
        if (*ret_rc != OK)
            break;
    }
    arena_destroy(arena);
    return rc;
}

/* Engines differ in what a walk sees of changes made on the way, so there are none. */
static enum rc each_of_all(struct ctx *cx, const struct sql *sql, const struct arg *args,
                           const struct each *each)
{
    struct list all = {0};
    TRY(db_all(cx, sql, args, each->cols, each->size, &all));
    for (int i = 0; i < all.count; i++)
        TRY(each->fn(cx, (char *)all.at + (size_t)i * each->size, each->arg));
    return OK;
}

enum rc db_each(struct ctx *cx, const struct sql *sql, const struct arg *args,
                const struct col *cols, size_t size,
                enum rc (*fn)(struct ctx *cx, void *row, void *arg), void *arg)
{
    const struct arg *values[MAX_PARAMS];
    struct visit v;
    if (db_in_tx(cx))
        return each_of_all(cx, sql, args, &(struct each){cols, size, fn, arg});
    match_args(cx, sql, args, values);
    TRY(visit_for(cx, sql, &v));
    struct rows *rows = NULL;
    enum rc rc = start(&v, sql, values, WALK_LONG, &rows);
    if (rc != OK)
        return visit_end(&v, rc);
    const struct seat outer = seat;
    if (v.is_borrowed)
        seat = (struct seat){v.db, v.conn, NULL};
    enum rc fn_rc = OK;
    rc = each_row(&v, rows, &(struct each){cols, size, fn, arg}, &fn_rc);
    seat = outer;
    TRY(finish(&v, rows, rc));
    return fn_rc;
}

enum rc db_snapshot(struct ctx *cx, db_tx_fn fn, void *arg)
{
    if (is_seated(cx))
        return fn(cx, arg);
    struct db *db = db_of(cx);
    struct conn *c = NULL;
    TRY(pool_take(cx, db, &c));
    const struct seat outer = seat;
    seat = (struct seat){db, c, NULL};
    enum rc rc = db->driver.begin_read(cx, c);
    if (rc == OK)
        rc = fn(cx, arg);
    db->driver.end_read(c);
    seat = outer;
    pool_give(db, c);
    return rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

void thread_begin(pthread_t *ret, void *(*fn)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(ret, NULL, fn, arg) != 0)
        BUG("a thread cannot be started");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static const struct {
    const char *scheme;
    const struct driver *driver;
} drivers[] = {
    {"sqlite:", &sqlite_driver},
    {"postgresql:", &postgres_driver},
    {"postgres:", &postgres_driver},
};

static const struct driver *driver_for(const char *url)
{
    for (int i = 0; i < ARRAY_LEN(drivers); i++)
        if (str_starts(url, drivers[i].scheme))
            return drivers[i].driver;
    return NULL;
}

static int usual_readers(const struct driver *driver)
{
    const int for_cores = (int)(2 * sysconf(_SC_NPROCESSORS_ONLN));
    return for_cores > driver->min_readers ? for_cores : driver->min_readers;
}

/* The safety of the engine is checked by the writer's connection, which is opened at once; so is
 * one reader, so that a database that cannot be read does not look open. */
static enum rc open_connections(struct ctx *cx, struct db *db, int max_batch)
{
    TRY(writer_start(cx, db, max_batch));
    struct conn *c = NULL;
    TRY(pool_take(cx, db, &c));
    pool_give(db, c);
    return OK;
}

static int64_t next_serial(void)
{
    static atomic_int_fast64_t last;
    return atomic_fetch_add(&last, 1) + 1;
}

int64_t db_serial(const struct db *db)
{
    return db->serial;
}

enum rc db_open(struct ctx *cx, const struct db_config *config, struct db **ret)
{
    const char *url = secret_reveal(config->url);
    const struct driver *driver = driver_for(url);
    if (!driver)
        return fail(cx, E_INVALID, NULL, "the database is sqlite:PATH or postgresql://...");
    struct engine *engine = NULL;
    TRY(driver->open(cx, url, config->read_limit_us ? config->read_limit_us : READ_LIMIT_US,
                     &engine));
    struct db *db = must_alloc(1, sizeof(*db));
    db->serial = next_serial();
    db->driver = fault_wrap(driver);
    db->fault.real = driver;
    db->engine = engine;
    pool_init(&db->pool, config->readers ? config->readers : usual_readers(driver));
    pthread_mutex_init(&db->change_lock, NULL);
    fault_set(&db->fault, config->fail_at, E_FAIL);
    const enum rc rc =
        open_connections(cx, db, config->max_batch ? config->max_batch : driver->max_batch);
    if (rc == OK)
        *ret = db;
    else
        db_close(db);
    return rc;
}

/* The writer's connection goes last: on SQLite that one folds the log into the database. */
void db_close(struct db *db)
{
    if (!db)
        return;
    change_stop(db);
    writer_stop(db);
    pool_done(db);
    writer_done(db);
    db->driver.close(db->engine);
    pthread_mutex_destroy(&db->change_lock);
    free(db);
}

const char *db_version(struct arena *a, enum db_engine engine)
{
    return (engine == DB_SQLITE ? &sqlite_driver : &postgres_driver)->version(a);
}

enum db_engine db_engine(const struct db *db)
{
    return db->driver.engine;
}

void db_fail_at(struct db *db, int n, enum rc rc)
{
    fault_set(&db->fault, n, rc);
}

int db_statement_count(const struct db *db)
{
    return (int)(atomic_load(&db->fault.count) - atomic_load(&db->fault.since));
}

struct db_figures db_figures(const struct db *db)
{
    struct db_figures f = {.statements = atomic_load(&db->fault.count)};
    writer_figures(db, &f);
    return f;
}
