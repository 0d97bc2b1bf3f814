/* The writer: one thread that runs all write transactions of this process, several to a commit.
 *
 * db_tx() puts its caller's transaction into a queue and sleeps. The writer takes what waits: the
 * first opens the batch, each further one runs within a savepoint, so that it can be undone alone.
 * When the queue is empty or the batch is full, it commits, and wakes the callers. When the commit
 * fails, or work that the members left for the end of the batch does, nobody can say whose fault
 * that is: then each member runs once more in a batch of its own.
 */
#include <semaphore.h>
#include <time.h>

#include "base/secret.h"
#include "base/time.h"
#include "db/inside.h"

#define BATCH_US 10000 /* a batch that has worked so long takes no more members */
#define RETRIES 10     /* of a transaction that ended with E_BUSY: about three seconds */
#define FIRST_PAUSE_US 2000
#define IDLE_MS 20 /* without work: then what can wait is done */
#define LONGEST_PAUSE_US 500000

/* One call of db_tx(), on its caller's stack; the caller sleeps meanwhile. */
struct tx {
    struct tx *next;
    struct ctx *cx;
    db_tx_fn fn;
    void *arg;
    enum rc rc;
    bool is_alone; /* gets a batch of its own */
    sem_t is_done;
};

struct hook {
    struct ctx *cx; /* NULL for after_commit */
    int64_t key;    /* of before */
    int at;         /* how many were registered before it */
    db_tx_fn before;
    void (*after)(void *arg);
    void *arg;
};

struct queue {
    struct tx *first, *last;
};

struct writer {
    struct db *db;
    int max_batch;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock; /* of these */
    pthread_cond_t has_work;
    struct queue queue;
    bool is_idle, is_closing;

    /* The rest is the thread's own. */
    struct ctx cx;
    struct conn *conn;    /* NULL until it is needed again after a loss */
    struct queue members; /* of the batch, run and not undone */
    int count;            /* of the members */
    bool is_tended;       /* since the last batch */
    bool has_begun;       /* a transaction is open */
    bool is_unsettled;    /* the first member's last statements may still be unanswered */
    struct list before;   /* of struct hook */
    struct list after;

    atomic_llong commits, transactions, retries;
    atomic_int waiting;
};

static _Thread_local bool is_writer_thread;

/* ---- the queue ------------------------------------------------------------------------------- */

static void queue_add(struct queue *q, struct tx *tx)
{
    tx->next = NULL;
    if (q->first)
        q->last->next = tx;
    else
        q->first = tx;
    q->last = tx;
}

static struct tx *queue_pop(struct queue *q)
{
    struct tx *tx = q->first;
    if (tx)
        q->first = tx->next;
    return tx;
}

/* With the lock held: false when nothing came for a while. */
static bool sleep_a_while(struct writer *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += IDLE_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(&w->has_work, &w->lock, &until) == 0;
}

/* With the lock held, which is given away meanwhile. After a batch the first sleep is a short one,
 * and when nobody disturbs it, the connection is tended. */
static void sleep_for_work(struct writer *w)
{
    w->is_idle = true;
    const bool is_woken =
        w->is_tended ? pthread_cond_wait(&w->has_work, &w->lock) == 0 : sleep_a_while(w);
    w->is_idle = false;
    if (is_woken)
        return;
    pthread_mutex_unlock(&w->lock);
    if (w->conn)
        w->db->driver.tend(w->conn, TEND_IDLE);
    w->is_tended = true;
    pthread_mutex_lock(&w->lock);
}

/* The next transaction; sleeps for it. NULL when the database is being closed. */
static struct tx *wait_for_tx(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->queue.first && !w->is_closing)
        sleep_for_work(w);
    struct tx *tx = queue_pop(&w->queue);
    pthread_mutex_unlock(&w->lock);
    return tx;
}

/* One more for the batch, if one waits. */
static struct tx *take_more(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    struct tx *tx = w->queue.first && !w->queue.first->is_alone ? queue_pop(&w->queue) : NULL;
    pthread_mutex_unlock(&w->lock);
    return tx;
}

static void put_back(struct writer *w, struct queue *members)
{
    pthread_mutex_lock(&w->lock);
    if (members->first) {
        members->last->next = w->queue.first;
        if (!w->queue.first)
            w->queue.last = members->last;
        w->queue.first = members->first;
    }
    pthread_mutex_unlock(&w->lock);
}

/* tx is gone when this returns: it lies on the stack of the one who wakes. */
static void tell(struct writer *w, struct tx *tx, enum rc rc)
{
    atomic_fetch_sub_explicit(&w->waiting, 1, memory_order_relaxed);
    tx->rc = rc;
    sem_post(&tx->is_done);
}

/* ---- one transaction ------------------------------------------------------------------------- */

/* The database's own trouble, not something that a function can make sense of. */
static bool is_trouble(enum rc rc)
{
    return rc == E_FAIL || rc == E_BUSY;
}

/* What a level did is undone whenever one of its statements failed, even if nobody minded; and
 * trouble stays trouble, whatever the function took it for: what could not be read is not missing.
 */
static enum rc run_level(struct db *db, struct conn *conn, struct level *level, struct ctx *cx,
                         db_tx_fn fn, void *arg)
{
    const struct seat outer = seat;
    level->arena = cx->arena;
    seat = (struct seat){db, conn, level};
    const enum rc rc = fn(cx, arg);
    seat = outer;
    if (level->failed == OK || rc == level->failed || (rc != OK && !is_trouble(level->failed)))
        return rc;
    fail_clear(cx);
    fail(cx, level->failed, NULL, "%s",
         level->text ? level->text : "a statement of the transaction failed");
    return fail_detail(cx, level->failed, "%s", level->detail ? level->detail : "");
}

static struct level level_here(const struct writer *w)
{
    return (struct level){.before = w->before.count, .after = w->after.count};
}

static void drop_hooks(struct writer *w, const struct level *level)
{
    w->before.count = level->before;
    w->after.count = level->after;
}

/* A part of a transaction that can be undone alone. What the outer one has queued is settled first,
 * so that its failure is not taken for one of the part. */
static enum rc run_nested(struct ctx *cx, db_tx_fn fn, void *arg)
{
    const struct driver *d = &seat.db->driver;
    struct writer *w = seat.db->writer;
    struct conn *conn = seat.conn;
    struct level *outer = seat.level, inner = level_here(w);
    if (outer->failed != OK)
        return outer->failed;
    enum rc rc = d->settle(cx, conn);
    if (rc == OK)
        rc = d->mark(cx, conn);
    if (rc != OK) {
        level_doom(outer, cx, rc);
        return rc;
    }
    rc = run_level(seat.db, conn, &inner, cx, fn, arg);
    if (rc == OK)
        rc = d->unmark(cx, conn);
    if (rc == OK)
        rc = d->settle(cx, conn);
    if (rc == OK)
        return OK;
    drop_hooks(w, &inner);
    struct ctx quiet = {.arena = cx->arena};
    if (rc == E_BUSY || !d->has_tx(conn) || d->back(&quiet, conn) != OK)
        level_doom(outer, cx, rc);
    return rc;
}

/* ---- the batch ------------------------------------------------------------------------------- */

static void forget_batch(struct writer *w)
{
    w->members = (struct queue){0};
    w->count = 0;
    w->before.count = w->after.count = 0;
    w->has_begun = w->is_unsettled = false;
    if (w->conn && w->conn->is_lost) {
        w->db->driver.disconnect(w->conn);
        w->conn = NULL;
    }
}

static void describe_like(struct ctx *cx, const struct ctx *like, enum rc rc)
{
    fail(cx, rc, NULL, "%s", like->err.text ? like->err.text : "the database failed");
    fail_detail(cx, rc, "%s", like->err.detail ? like->err.detail : "");
}

/* Undoes the whole batch; its members hear rc, as cx describes it. */
static void abandon(struct writer *w, const struct ctx *cx, enum rc rc)
{
    struct queue members = w->members;
    if (w->conn && w->has_begun)
        w->db->driver.rollback(w->conn);
    forget_batch(w);
    for (struct tx *tx; (tx = queue_pop(&members));) {
        if (tx->cx != cx)
            describe_like(tx->cx, cx, rc);
        tell(w, tx, rc);
    }
}

/* Undoes the whole batch because of something that is not its members' fault. */
static void abandon_for_now(struct writer *w)
{
    fail(&w->cx, E_BUSY, NULL, "the database undid the change; try again");
    abandon(w, &w->cx, E_BUSY);
}

static enum rc begin(struct writer *w, struct ctx *cx)
{
    if (w->conn && w->conn->is_broken)
        return fail(cx, E_FAIL, NULL,
                    "the storage of the database failed; nothing is written until it was looked "
                    "at and fettle started again");
    if (!w->conn)
        TRY(driver_connect(cx, w->db, CONN_WRITER, &w->conn));
    w->has_begun = true;
    return w->db->driver.begin(cx, w->conn);
}

/* A failure of statements that the first member left unanswered is its own. */
static void settle_first(struct writer *w)
{
    struct tx *tx = w->members.first;
    if (!w->is_unsettled)
        return;
    w->is_unsettled = false;
    const enum rc rc = w->db->driver.settle(tx->cx, w->conn);
    if (rc != OK)
        abandon(w, tx->cx, rc);
}

static enum rc run_marked(struct writer *w, struct tx *tx, struct level *level)
{
    const struct driver *d = &w->db->driver;
    TRY(d->mark(tx->cx, w->conn));
    TRY(run_level(w->db, w->conn, level, tx->cx, tx->fn, tx->arg));
    TRY(d->unmark(tx->cx, w->conn));
    return d->settle(tx->cx, w->conn);
}

static enum rc run_first(struct writer *w, struct tx *tx, struct level *level)
{
    TRY(begin(w, tx->cx));
    w->is_unsettled = true;
    return run_level(w->db, w->conn, level, tx->cx, tx->fn, tx->arg);
}

static void undo(struct writer *w, const struct level *level, bool is_marked)
{
    struct ctx quiet = {.arena = w->cx.arena};
    drop_hooks(w, level);
    if (is_marked && w->db->driver.has_tx(w->conn) && w->db->driver.back(&quiet, w->conn) == OK)
        return;
    abandon_for_now(w);
}

/* The first of a batch needs no savepoint: undoing it is undoing the batch. */
static void run_member(struct writer *w, struct tx *tx)
{
    const bool is_marked = w->has_begun;
    struct level level = level_here(w);
    const enum rc rc = is_marked ? run_marked(w, tx, &level) : run_first(w, tx, &level);
    atomic_fetch_add_explicit(&w->transactions, 1, memory_order_relaxed);
    if (rc == OK) {
        queue_add(&w->members, tx);
        w->count++;
        return;
    }
    undo(w, &level, is_marked);
    tell(w, tx, rc);
}

static int by_key(const void *a, const void *b)
{
    const struct hook *x = a, *y = b;
    return x->key == y->key ? x->at - y->at : x->key < y->key ? -1 : 1;
}

/* Whether a later one does the same work for the same thing. */
static bool is_repeated(const struct hook *h, const struct hook *end)
{
    for (const struct hook *later = h + 1; h->key && later < end && later->key == h->key; later++) {
        if (later->before == h->before)
            return true;
    }
    return false;
}

static enum rc run_before(struct writer *w)
{
    struct level level = {0};
    if (w->before.count)
        qsort(w->before.at, (size_t)w->before.count, sizeof(struct hook), by_key);
    for (int i = 0; i < w->before.count; i++) {
        const struct hook *all = w->before.at;
        const struct hook h = all[i];
        if (is_repeated(all + i, all + w->before.count))
            continue;
        const enum rc rc = run_level(w->db, w->conn, &level, h.cx, h.before, h.arg);
        if (rc != OK) {
            describe_like(&w->cx, h.cx, rc);
            return rc;
        }
    }
    return OK;
}

static void run_after(struct writer *w)
{
    for (int i = 0; i < w->after.count; i++) {
        const struct hook *h = (const struct hook *)w->after.at + i;
        h->after(h->arg);
    }
}

/* Everybody once more, each alone. */
static void scatter(struct writer *w)
{
    struct queue members = w->members;
    w->db->driver.rollback(w->conn);
    forget_batch(w);
    for (struct tx *tx = members.first; tx; tx = tx->next) {
        tx->is_alone = true;
        fail_clear(tx->cx);
    }
    put_back(w, &members);
}

static void conclude(struct writer *w)
{
    struct queue members = w->members;
    atomic_fetch_add_explicit(&w->commits, 1, memory_order_relaxed);
    run_after(w);
    forget_batch(w);
    for (struct tx *tx; (tx = queue_pop(&members));)
        tell(w, tx, OK);
    change_happened(w->db);
}

static void end_batch(struct writer *w)
{
    enum rc rc = run_before(w);
    if (rc == OK)
        rc = w->db->driver.commit(&w->cx, w->conn);
    if (rc == OK)
        conclude(w);
    else if (w->count > 1 && rc != E_BUSY && !w->conn->is_lost && !w->conn->is_broken)
        scatter(w);
    else
        abandon(w, &w->cx, rc);
}

static void run_batch(struct writer *w, struct tx *tx)
{
    const int64_t until = clock_monotonic() + BATCH_US;
    const int max = tx->is_alone ? 1 : w->max_batch;
    for (int n = 1; tx; n++) {
        run_member(w, tx);
        tx = n < max && clock_monotonic() < until ? take_more(w) : NULL;
        if (tx)
            settle_first(w);
    }
    if (w->count)
        end_batch(w);
    else if (w->has_begun)
        abandon_for_now(w);
    w->is_tended = false;
    if (w->conn)
        w->db->driver.tend(w->conn, TEND_BETWEEN);
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    is_writer_thread = true;
    for (struct tx *tx; (tx = wait_for_tx(w));) {
        run_batch(w, tx);
        w->before = w->after = (struct list){0};
        fail_clear(&w->cx);
        arena_reset(w->cx.arena);
    }
    return NULL;
}

/* ---- the caller's side ----------------------------------------------------------------------- */

/* False when the database is being closed. */
static bool enqueue(struct writer *w, struct tx *tx)
{
    pthread_mutex_lock(&w->lock);
    const bool is_idle = w->is_idle, is_closing = w->is_closing;
    if (!is_closing) {
        queue_add(&w->queue, tx);
        atomic_fetch_add_explicit(&w->waiting, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&w->lock);
    if (is_idle)
        pthread_cond_signal(&w->has_work);
    return !is_closing;
}

static enum rc submit(struct writer *w, struct ctx *cx, db_tx_fn fn, void *arg)
{
    struct tx tx = {.cx = cx, .fn = fn, .arg = arg};
    sem_init(&tx.is_done, 0, 0);
    if (!enqueue(w, &tx))
        return fail(cx, E_FAIL, NULL, "the database is being closed");
    while (sem_wait(&tx.is_done) != 0)
        ; /* a signal came between */
    sem_destroy(&tx.is_done);
    return tx.rc;
}

/* Twice as long each time, and by chance up to half of that more, so that those who failed together
 * do not meet again. */
static void pause_before(int attempt)
{
    int64_t us = FIRST_PAUSE_US << attempt;
    if (us > LONGEST_PAUSE_US)
        us = LONGEST_PAUSE_US;
    uint32_t chance;
    random_bytes(&chance, sizeof(chance));
    us += chance % (us / 2);
    struct timespec t = {us / US_PER_S, us % US_PER_S * 1000};
    while (nanosleep(&t, &t) != 0)
        ;
}

enum rc db_tx(struct ctx *cx, db_tx_fn fn, void *arg)
{
    if (db_in_tx(cx))
        return run_nested(cx, fn, arg);
    if (!cx->db || is_writer_thread)
        BUG("a transaction without a database, or from a hook of another one");
    struct writer *w = cx->db->writer;
    const struct ctx before = *cx;
    for (int attempt = 0;; attempt++) {
        const enum rc rc = submit(w, cx, fn, arg);
        if (rc != E_BUSY || attempt == RETRIES)
            return rc;
        atomic_fetch_add_explicit(&w->retries, 1, memory_order_relaxed);
        pause_before(attempt);
        cx->err = before.err;
    }
}

void db_before_commit(struct ctx *cx, int64_t key, db_tx_fn fn, void *arg)
{
    if (!db_in_tx(cx))
        BUG("db_before_commit() outside of a transaction");
    struct writer *w = cx->db->writer;
    struct hook *h = list_add(w->cx.arena, &w->before, sizeof(*h));
    *h = (struct hook){.cx = cx, .key = key, .at = w->before.count, .before = fn, .arg = arg};
}

void db_after_commit(struct ctx *cx, void (*fn)(void *arg), void *arg)
{
    if (!db_in_tx(cx))
        BUG("db_after_commit() outside of a transaction");
    struct writer *w = cx->db->writer;
    struct hook *h = list_add(w->cx.arena, &w->after, sizeof(*h));
    *h = (struct hook){.after = fn, .arg = arg};
}

/* ---- its life -------------------------------------------------------------------------------- */

enum rc writer_start(struct ctx *cx, struct db *db, int max_batch)
{
    struct writer *w = must_alloc(1, sizeof(*w));
    db->writer = w;
    w->db = db;
    w->max_batch = max_batch;
    w->cx = (struct ctx){.arena = arena_create(), .db = db};
    pthread_mutex_init(&w->lock, NULL);
    cond_init(&w->has_work);
    TRY(driver_connect(cx, db, CONN_WRITER, &w->conn));
    thread_begin(&w->thread, writer_main, w);
    w->is_started = true;
    return OK;
}

void writer_stop(struct db *db)
{
    struct writer *w = db->writer;
    if (!w || !w->is_started)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_closing = true;
    pthread_cond_signal(&w->has_work);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->is_started = false;
}

void writer_done(struct db *db)
{
    struct writer *w = db->writer;
    if (!w)
        return;
    if (w->conn)
        db->driver.disconnect(w->conn);
    arena_destroy(w->cx.arena);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->has_work);
    free(w);
    db->writer = NULL;
}

void writer_figures(const struct db *db, struct db_figures *ret)
{
    struct writer *w = db->writer;
    ret->commits = atomic_load(&w->commits);
    ret->transactions = atomic_load(&w->transactions);
    ret->retries = atomic_load(&w->retries);
    ret->writer_queue = atomic_load(&w->waiting);
}
