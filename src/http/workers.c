#include "http/workers.h"

#include <semaphore.h>
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
    sem_t bell; /* rung for it alone when it is taken from the idle */
    struct worker *next_idle;
};

struct workers {
    pthread_mutex_t lock;
    struct exchange *first, **last;
    atomic_int waiting;
    struct worker *idle; /* who fell asleep last is woken first: its memory is still at hand */
    bool is_waking;      /* somebody was rung and is not here yet */
    bool is_over;        /* go home when nothing waits */
    work_fn *fn;
    void *arg;
    int count;
    struct worker at[];
};

/* With the lock held; whoever is taken is rung when it is given back, or waking would mean waiting
 * for it. */
static struct worker *take_idle(struct workers *w)
{
    struct worker *idle = w->idle;
    if (idle)
        w->idle = idle->next_idle;
    return idle;
}

/* One at a time: the next is rung by whoever comes, if there is still more to do than who is awake
 * gets done meanwhile. */
static struct worker *take_helper(struct workers *w)
{
    struct worker *idle = w->is_waking ? NULL : take_idle(w);
    w->is_waking |= idle != NULL;
    return idle;
}

static void ring(struct worker *idle)
{
    if (idle)
        sem_post(&idle->bell);
}

void workers_push(struct workers *w, struct exchange *chain, int count)
{
    pthread_mutex_lock(&w->lock);
    *w->last = chain;
    for (; chain; chain = chain->next)
        w->last = &chain->next;
    atomic_fetch_add_explicit(&w->waiting, count, memory_order_relaxed);
    struct worker *helper = take_helper(w);
    pthread_mutex_unlock(&w->lock);
    ring(helper);
}

/* With the lock held, which is given away meanwhile. */
static void sleep_for_work(struct workers *w, struct worker *me)
{
    me->next_idle = w->idle;
    w->idle = me;
    pthread_mutex_unlock(&w->lock);
    while (sem_wait(&me->bell) != 0)
        ; /* a signal came between */
    pthread_mutex_lock(&w->lock);
    w->is_waking = false;
}

/* The oldest, or NULL when it is time to go. */
static struct exchange *take(struct workers *w, struct worker *me)
{
    struct worker *helper = NULL;
    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->is_over)
        sleep_for_work(w, me);
    struct exchange *ex = w->first;
    if (ex) {
        w->first = ex->next;
        ex->next = NULL;
        if (!w->first)
            w->last = &w->first;
        else
            helper = take_helper(w);
        atomic_fetch_sub_explicit(&w->waiting, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&w->lock);
    ring(helper);
    return ex;
}

static void *run(void *arg)
{
    struct worker *me = arg;
    for (struct exchange *ex; (ex = take(me->crew, me));)
        me->crew->fn(ex, me->index, me->crew->arg);
    return NULL;
}

struct workers *workers_start(const char *name, int first, int count, work_fn *fn, void *arg)
{
    struct workers *w = memory_get(sizeof(*w) + (size_t)count * sizeof(w->at[0]));
    pthread_mutex_init(&w->lock, NULL);
    w->last = &w->first;
    w->fn = fn;
    w->arg = arg;
    w->count = count;
    for (int i = 0; i < count; i++) {
        char thread_name[16];
        snprintf(thread_name, sizeof(thread_name), "%.9s-%d", name, first + i);
        w->at[i] = (struct worker){.crew = w, .index = first + i};
        sem_init(&w->at[i].bell, 0, 0);
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
    for (struct worker *idle; (idle = take_idle(w));)
        ring(idle);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->count; i++)
        pthread_join(w->at[i].thread, NULL);
    for (int i = 0; i < w->count; i++)
        sem_destroy(&w->at[i].bell);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
