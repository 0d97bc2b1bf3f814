/* workers.h - threads that may block, and the queue before them.
 *
 * Loops push what became ready in one round as one batch. A worker that takes one and sees more
 * waiting wakes the next worker, so a batch costs one wake-up and as many workers run as are
 * needed.
 */
#ifndef HTTP_WORKERS_H
#define HTTP_WORKERS_H

struct exchange;
struct workers;

/* worker: its index, first .. first + count - 1. */
typedef void work_fn(struct exchange *ex, int worker, void *arg);

struct workers *workers_start(const char *name, int first, int count, work_fn *fn, void *arg);
void workers_push(struct workers *w, struct exchange *chain, int count); /* any thread */
int workers_waiting(const struct workers *w);                            /* any thread */
void workers_stop(struct workers *w); /* after what waits is done; the memory too */

#endif
