/* The connections for reading: opened when first needed, at most so many. */
#include <errno.h>
#include <time.h>

#include "db/inside.h"

#define WAIT_S 10 /* for one to be given back */

enum rc driver_connect(struct ctx *cx, struct db *db, enum conn_role role, struct conn **ret)
{
    TRY(db->driver.connect(cx, db->engine, role, ret));
    (*ret)->fault = &db->fault;
    return OK;
}

void cond_init(pthread_cond_t *ret)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(ret, &attr);
    pthread_condattr_destroy(&attr);
}

void pool_init(struct pool *p, int max)
{
    cond_init(&p->given_back);
    pthread_mutex_init(&p->lock, NULL);
    p->max = max;
}

/* With the lock held: an idle connection, or NULL and the right to open one. False: neither came
 * free in time. */
static bool wait_for_one(struct pool *p, struct conn **ret)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    while (!p->idle && p->open >= p->max)
        if (pthread_cond_timedwait(&p->given_back, &p->lock, &until) == ETIMEDOUT)
            return false;
    *ret = p->idle;
    if (p->idle)
        p->idle = p->idle->next;
    else
        p->open++;
    return true;
}

static void forget(struct pool *p, int count)
{
    pthread_mutex_lock(&p->lock);
    p->open -= count;
    pthread_cond_broadcast(&p->given_back);
    pthread_mutex_unlock(&p->lock);
}

enum rc pool_take(struct ctx *cx, struct db *db, struct conn **ret)
{
    struct conn *c = NULL;
    pthread_mutex_lock(&db->pool.lock);
    const bool is_ours = wait_for_one(&db->pool, &c);
    pthread_mutex_unlock(&db->pool.lock);
    if (!is_ours)
        return fail(cx, E_BUSY, NULL, "the database has too much to do; try again");
    if (!c) {
        const enum rc rc = driver_connect(cx, db, CONN_READER, &c);
        if (rc != OK) {
            forget(&db->pool, 1);
            return rc;
        }
    }
    *ret = c;
    return OK;
}

static int disconnect_all(struct db *db, struct conn *c)
{
    int count = 0;
    while (c) {
        struct conn *next = c->next;
        db->driver.disconnect(c);
        c = next;
        count++;
    }
    return count;
}

/* When one connection broke, those that lie idle most likely did too. */
void pool_give(struct db *db, struct conn *c)
{
    struct pool *p = &db->pool;
    struct conn *dead = NULL;
    pthread_mutex_lock(&p->lock);
    c->next = p->idle;
    if (c->is_lost) {
        dead = c;
        p->idle = NULL;
    } else {
        p->idle = c;
        pthread_cond_signal(&p->given_back);
    }
    pthread_mutex_unlock(&p->lock);
    if (dead)
        forget(p, disconnect_all(db, dead));
}

void pool_done(struct db *db)
{
    disconnect_all(db, db->pool.idle);
    pthread_mutex_destroy(&db->pool.lock);
    pthread_cond_destroy(&db->pool.given_back);
}
