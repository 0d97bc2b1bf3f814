#include "http/workers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "http/exchange.h"
#include "http/memory.h"
#include "http/thread.h"

struct worker {
    struct workers *crew;
    pthread_t thread;
    int index;
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct exchange *first, **last;
    atomic_int waiting;
    int idle;     /* sleeping, and not yet woken */
    bool is_over; /* go home when nothing waits */
    work_fn *fn;
    void *arg;
    int count;
    struct worker at[];
};

/* With the lock held. */
static void wake_one(struct workers *w)
{
    if (w->idle == 0)
        return;
    w->idle--;
    pthread_cond_signal(&w->work);
}

void workers_push(struct workers *w, struct exchange *chain, int count)
{
    pthread_mutex_lock(&w->lock);
    *w->last = chain;
    for (; chain; chain = chain->next)
        w->last = &chain->next;
    atomic_fetch_add_explicit(&w->waiting, count, memory_order_relaxed);
    wake_one(w);
    pthread_mutex_unlock(&w->lock);
}

/* The oldest, or NULL when it is time to go. */
static struct exchange *take(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->is_over) {
        w->idle++;
        pthread_cond_wait(&w->work, &w->lock);
    }
    struct exchange *ex = w->first;
    if (ex) {
        w->first = ex->next;
        ex->next = NULL;
        if (!w->first)
            w->last = &w->first;
        else
            wake_one(w);
        atomic_fetch_sub_explicit(&w->waiting, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&w->lock);
    return ex;
}

static void *run(void *arg)
{
    const struct worker *me = arg;
    for (struct exchange *ex; (ex = take(me->crew));)
        me->crew->fn(ex, me->index, me->crew->arg);
    return NULL;
}

struct workers *workers_start(const char *name, int first, int count, work_fn *fn, void *arg)
{
    struct workers *w = memory_get(sizeof(*w) + (size_t)count * sizeof(w->at[0]));
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    w->last = &w->first;
    w->fn = fn;
    w->arg = arg;
    w->count = count;
    for (int i = 0; i < count; i++) {
        char thread_name[16];
        snprintf(thread_name, sizeof(thread_name), "%.9s-%d", name, first + i);
        w->at[i] = (struct worker){.crew = w, .index = first + i};
        w->at[i].thread = thread_start(thread_name, run, &w->at[i]);
    }
    return w;
}

int workers_waiting(const struct workers *w)
{
    return atomic_load_explicit(&w->waiting, memory_order_relaxed);
}

void workers_stop(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->is_over = true;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->count; i++)
        pthread_join(w->at[i].thread, NULL);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
