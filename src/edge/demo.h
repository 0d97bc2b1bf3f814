/* demo.h - a desk with people and records to look at, the same every time for the same size.
 *
 * Everything goes through the gate as if it had happened: people report, agents take, ask, resolve,
 * at their own times, spread over the months before now. Records are written in batches, so a
 * million of them is a matter of minutes. A database that holds people already is left alone.
 */
#ifndef EDGE_DEMO_H
#define EDGE_DEMO_H

#include <stdint.h>

#include "base/rc.h"

struct ctx;

struct demo_options {
    int64_t records;
    void (*progress)(int64_t done, int64_t of, void *arg); /* may be NULL */
    void *arg;
};

struct demo_result {
    const char *password; /* of all who can sign in; made at random, kept nowhere but here */
    int64_t records, events;
};

/* E_CONFLICT when there are people already. */
enum rc demo_load(struct ctx *cx, const struct demo_options *o, struct demo_result *ret);

#endif
