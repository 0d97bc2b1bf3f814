/* loop.h - one thread's event loop: sockets that are ready, letters from other threads, a clock.
 *
 * The only place that knows libuv. Everything except loop_post() belongs to the thread that runs
 * the loop. Sockets are watched, not owned: whoever opened one reads, writes and closes it.
 */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Something another thread has for this one. Embedded in what is sent; read() runs on the loop's
 * thread, in the order of posting, and owns the letter from then on. */
struct letter {
    struct letter *next;
    void (*read)(struct letter *letter);
};

struct loop_hooks {
    void (*on_turn)(void *arg); /* after each round of events, before waiting for the next */
    void (*on_tick)(void *arg); /* while ticking is on */
    void *arg;
};

struct loop *loop_create(const struct loop_hooks *hooks);
void loop_destroy(struct loop *l); /* not running any more; letters that came too late are read */
void loop_run(struct loop *l);     /* until loop_stop() */
void loop_stop(struct loop *l);    /* from within */

void loop_post(struct loop *l, struct letter *letter); /* from any thread */
void loop_tick(struct loop *l, int every_ms);          /* 0: stop ticking */
int64_t loop_now(const struct loop *l);                /* microseconds, as of this round */

/* ---- sockets -------------------------------------------------------------------------------- */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* ready: LOOP_READ, LOOP_WRITE or both; an error or hang-up shows as both. */
typedef void watch_fn(void *arg, int ready);

struct watch;
struct watch *watch_begin(struct loop *l, int fd, watch_fn *fn, void *arg); /* NULL: too many */
void watch_want(struct watch *w, int events);                               /* 0: nothing */
void watch_end(struct watch *w); /* fn is not called any more; the fd may be closed at once */

#endif
