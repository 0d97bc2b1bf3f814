#include "http/loop.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <uv.h>

#include "http/memory.h"

struct loop {
    uv_loop_t uv;
    uv_async_t bell; /* rung by the first letter into an empty box */
    uv_check_t turn;
    uv_timer_t clock;
    struct loop_hooks hooks;
    int tick_ms;
    _Atomic(struct letter *) box; /* newest first */
};

struct watch {
    uv_poll_t poll;
    watch_fn *fn;
    void *arg;
    int events;
};

/* ---- letters -------------------------------------------------------------------------------- */

void loop_post(struct loop *l, struct letter *letter)
{
    struct letter *top = atomic_load_explicit(&l->box, memory_order_relaxed);
    do {
        letter->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&l->box, &top, letter, memory_order_acq_rel,
                                                    memory_order_relaxed));
    if (!top)
        uv_async_send(&l->bell);
}

static struct letter *reversed(struct letter *newest)
{
    struct letter *oldest = NULL;
    while (newest) {
        struct letter *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void read_letters(struct loop *l)
{
    struct letter *at = reversed(atomic_exchange_explicit(&l->box, NULL, memory_order_acq_rel));
    while (at) {
        struct letter *next = at->next;
        at->read(at);
        at = next;
    }
}

static void on_bell(uv_async_t *bell)
{
    read_letters(bell->data);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void on_turn(uv_check_t *turn)
{
    struct loop *l = turn->data;
    l->hooks.on_turn(l->hooks.arg);
}

static void on_clock(uv_timer_t *clock)
{
    struct loop *l = clock->data;
    l->hooks.on_tick(l->hooks.arg);
    l->hooks.on_turn(l->hooks.arg); /* libuv would wait for sockets first */
}

struct loop *loop_create(const struct loop_hooks *hooks)
{
    struct loop *l = memory_get(sizeof(*l));
    l->hooks = *hooks;
    l->bell.data = l->turn.data = l->clock.data = l;
    if (uv_loop_init(&l->uv) < 0 || uv_async_init(&l->uv, &l->bell, on_bell) < 0)
        BUG("no event loop: out of file descriptors or memory");
    uv_check_init(&l->uv, &l->turn);
    uv_check_start(&l->turn, on_turn);
    uv_timer_init(&l->uv, &l->clock);
    return l;
}

void loop_destroy(struct loop *l)
{
    read_letters(l);
    uv_close((uv_handle_t *)&l->bell, NULL);
    uv_close((uv_handle_t *)&l->turn, NULL);
    uv_close((uv_handle_t *)&l->clock, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&l->uv) < 0)
        BUG("an event loop ended with watches open");
    free(l);
}

void loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

void loop_tick(struct loop *l, int every_ms)
{
    if (l->tick_ms == every_ms)
        return;
    l->tick_ms = every_ms;
    if (every_ms > 0)
        uv_timer_start(&l->clock, on_clock, (uint64_t)every_ms, (uint64_t)every_ms);
    else
        uv_timer_stop(&l->clock);
}

int64_t loop_now(const struct loop *l)
{
    return (int64_t)uv_now(&l->uv) * 1000;
}

/* ---- sockets -------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int ready = 0;
    if (status < 0)
        w->events = 0; /* libuv has stopped watching; the next want begins anew */
    if (events & UV_READABLE || status < 0)
        ready |= LOOP_READ;
    if (events & UV_WRITABLE || status < 0)
        ready |= LOOP_WRITE;
    w->fn(w->arg, ready);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct watch *watch_begin(struct loop *l, int fd, watch_fn *fn, void *arg)
{
    struct watch *w = memory_get(sizeof(*w));
    w->fn = fn;
    w->arg = arg;
    w->poll.data = w;
    if (uv_poll_init(&l->uv, &w->poll, fd) < 0) {
        free(w);
        return NULL;
    }
    return w;
}

void watch_want(struct watch *w, int events)
{
    if (w->events == events)
        return;
    w->events = events;
    const int uv_events =
        (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
    uv_poll_start(&w->poll, uv_events, on_poll);
}

void watch_end(struct watch *w)
{
    uv_close((uv_handle_t *)&w->poll, on_closed);
}
