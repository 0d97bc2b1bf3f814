/* inside.h - what the files of this module share and nobody else may see.
 *
 * db.c is the door, pool.c keeps the readers, db_tx.c is the writer's thread, change.c listens to
 * other processes. A thread that runs something larger than one statement on a connection (a
 * transaction, a snapshot, a walk over rows) has taken a seat there: its further statements on the
 * same database go through the same connection.
 */
#ifndef DB_INSIDE_H
#define DB_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "db/driver.h"
#include "db/fault.h"
#include "db/migration.h"

#define MAX_PARAMS 256

/* A transaction, or a part of one that can be undone alone. */
struct level {
    enum rc failed;            /* of the first statement that failed; OK: none did */
    const char *text, *detail; /* of that failure; in this arena, of who runs the level */
    struct arena *arena;
    int before, after; /* how many hooks were registered when it began */
};

struct seat {
    struct db *db; /* NULL: the thread sits nowhere */
    struct conn *conn;
    struct level *level; /* NULL: reading, one state of the database */
};
extern _Thread_local struct seat seat;
void level_doom(struct level *level, const struct ctx *cx, enum rc rc);

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    struct conn *idle; /* the latest used first: its cache is warm */
    int open, max;
};

struct db {
    int64_t serial;
    struct driver driver; /* the engine's, made to fail on demand */
    struct fault fault;
    struct engine *engine;
    struct pool pool;
    struct writer *writer;
    pthread_mutex_t change_lock;
    void (*on_change)(void *arg);
    void *on_change_arg;
    struct listener *listener; /* NULL: the writer tells on_change itself */
};

enum rc driver_connect(struct ctx *cx, struct db *db, enum conn_role role, struct conn **ret);

void pool_init(struct pool *p, int max);
enum rc pool_take(struct ctx *cx, struct db *db, struct conn **ret);
void pool_give(struct db *db, struct conn *c); /* closes it, and all idle ones, when it is lost */
void pool_done(struct db *db);

enum rc writer_start(struct ctx *cx, struct db *db, int max_batch);
void writer_stop(struct db *db); /* after the last transaction that waits */
void writer_done(struct db *db);
void writer_figures(const struct db *db, struct db_figures *ret);

void change_happened(struct db *db); /* this process committed */
void change_stop(struct db *db);

enum rc migrate(struct ctx *cx, const struct migration *all, int *ret_applied);

void cond_init(pthread_cond_t *ret); /* waits by the monotonic clock */

/* Threads of ours leave signals to main's. */
void thread_begin(pthread_t *ret, void *(*fn)(void *), void *arg);

void check_columns(const struct sql *sql, int wanted, int there); /* a difference is a bug */

static inline void *must_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p)
        BUG("out of memory");
    return p;
}

static inline char *must_strdup(const char *s)
{
    const size_t size = strlen(s) + 1;
    return memcpy(must_alloc(1, size), s, size);
}

#endif
