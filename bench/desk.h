/* desk.h - what the measuring programs share: a database with the shipped processes in force, and a
 * meter that keeps every single time.
 *
 * A program ends with a message when something fails: half a measurement is none.
 */
#ifndef BENCH_DESK_H
#define BENCH_DESK_H

#include <stdint.h>

#include "base/ctx.h"

struct desk {
    struct ctx cx;
    struct types *types;
};

/* Opens, migrates, and puts the processes of that folder in force. */
void desk_open(struct desk *d, const char *url, const char *processes);
void desk_close(struct desk *d);

/* A context for another thread or unit of work, with an arena of its own. */
void desk_ctx(const struct desk *d, struct ctx *ret);
void desk_ctx_done(struct ctx *cx);

/* Ends the program unless rc is OK. */
void must(struct ctx *cx, enum rc rc, const char *what);

/* A number of the command line. */
int64_t must_int(const char *text);

/* Times of single operations, in nanoseconds. Not for several threads at once: give each its own
 * and merge. */
struct meter {
    int64_t *ns;
    int64_t count, room;
};
int64_t meter_now(void); /* nanoseconds, monotonic */
int64_t meter_cpu(void); /* nanoseconds this process has computed */
void meter_add(struct meter *m, int64_t ns);
void meter_merge(struct meter *to, const struct meter *from);
void meter_done(struct meter *m);

/* One line of JSON: what, ops, seconds, per_second, p50_us, p99_us, max_us, cpu_us (of one
 * operation). */
void meter_print(struct meter *m, const char *what, int64_t wall_ns, int64_t cpu_ns);

#endif
