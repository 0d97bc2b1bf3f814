/* fault.h - a driver that fails on demand.
 *
 * fault_wrap() gives a driver that is the real one, but counts statements, begins and commits, and
 * fails the one that is due, once. A commit that fails so has not happened.
 */
#ifndef DB_FAULT_H
#define DB_FAULT_H

#include <stdatomic.h>

#include "db/driver.h"

struct fault {
    const struct driver *real;
    atomic_llong count; /* statements so far */
    atomic_llong since; /* the count at the last fault_set() */
    atomic_llong due;   /* the number of the one that fails; 0: none */
    atomic_int rc;
};

struct driver fault_wrap(const struct driver *real);
void fault_set(struct fault *f, int n, enum rc rc);

#endif
