/* driver.h - what an engine must be able to do for the door.
 *
 * A driver opens connections and runs one statement after the other on each; it knows neither
 * threads nor pools nor batches, and it contains no queries. A connection is used by one thread at
 * a time. There are two drivers, sqlite.c and postgres.c, and fault.h, which makes either fail on
 * demand.
 *
 * Failures are described in cx and sorted alike by both: E_CONFLICT for a broken constraint (the
 * engine's message is the detail), E_BUSY for what may go well when it is tried again, E_FAIL for
 * everything else.
 */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "db/db.h"

struct engine; /* one database as a whole; each driver's own */
struct fault;
struct rows; /* a statement under way that yields rows; each driver's own */

/* The head of each driver's own struct. */
struct conn {
    struct fault *fault;
    struct conn *next; /* in the pool */
    bool is_lost;      /* the connection broke: only good for disconnect() */
    bool is_broken;    /* the storage failed: nothing more may be written through it */
};

enum conn_role { CONN_WRITER, CONN_READER, CONN_LISTENER };

/* One row now and then, or so many that they must not be held all at once. */
enum walk { WALK_SHORT, WALK_LONG };

enum tend { TEND_BETWEEN, TEND_IDLE };

struct driver {
    enum db_engine engine;
    const char *(*version)(struct arena *a);
    int max_batch;   /* transactions per commit, unless configured */
    int min_readers; /* unless configured: enough to wait for the engine meanwhile */

    /* read_limit_us: of one statement of a reader */
    enum rc (*open)(struct ctx *cx, const char *url, int64_t read_limit_us, struct engine **ret);
    void (*close)(struct engine *e); /* after all its connections */

    enum rc (*connect)(struct ctx *cx, struct engine *e, enum conn_role role, struct conn **ret);
    void (*disconnect)(struct conn *c);

    /* values are in the order of the statement's params. A statement whose count of changes is not
     * wanted may be queued by the driver; its failure then shows at the next call that waits for
     * an answer, at the latest at settle() or commit(). */
    enum rc (*exec)(struct ctx *cx, struct conn *c, const struct sql *sql,
                    const struct arg *const *values, int *ret_changed);
    enum rc (*start)(struct ctx *cx, struct conn *c, const struct sql *sql,
                     const struct arg *const *values, enum walk walk, struct rows **ret);
    enum rc (*next)(struct ctx *cx, struct rows *r, bool *ret_has_row);
    void (*store)(struct ctx *cx, struct rows *r, const struct col *cols, void *row);
    enum rc (*finish)(struct ctx *cx, struct rows *r); /* after any outcome of next() */

    /* A text without parameters, once, without a limit of time: a step of a migration. */
    enum rc (*once)(struct ctx *cx, struct conn *c, const char *text);
    enum rc (*prepare)(struct ctx *cx, struct conn *c, const struct sql *sql);

    /* The writer's transaction. Marks are savepoints and nest; back() undoes everything since the
     * last mark and removes it. has_tx() is false when the engine rolled all of it back by
     * itself. */
    enum rc (*begin)(struct ctx *cx, struct conn *c);
    enum rc (*commit)(struct ctx *cx, struct conn *c);
    void (*rollback)(struct conn *c);
    enum rc (*mark)(struct ctx *cx, struct conn *c);
    enum rc (*unmark)(struct ctx *cx, struct conn *c);
    enum rc (*back)(struct ctx *cx, struct conn *c);
    enum rc (*settle)(struct ctx *cx, struct conn *c); /* every queued statement is answered */
    bool (*has_tx)(struct conn *c);

    /* A reader's view of one moment. */
    enum rc (*begin_read)(struct ctx *cx, struct conn *c);
    void (*end_read)(struct conn *c);

    /* The writer is between two batches, and nobody waits for this one; or it has not been needed
     * for a while. */
    void (*tend)(struct conn *c, enum tend when);

    /* Listeners: waits for a change, or until wake_fd is readable, or for timeout_ms. NULL when the
     * engine has no other processes to listen to. */
    bool (*listen)(struct conn *c, int wake_fd, int timeout_ms);
};

extern const struct driver sqlite_driver;
extern const struct driver postgres_driver;

static inline int sql_param_count(const struct sql *sql)
{
    int n = 0;
    while (sql->params[n])
        n++;
    return n;
}

#endif
