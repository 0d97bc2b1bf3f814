/* metrics.h - figures of the server in Prometheus' text format. Counting takes no lock. */
#ifndef EDGE_METRICS_H
#define EDGE_METRICS_H

#include <stdint.h>

#include "edge/route.h"

struct metrics;

struct metrics *metrics_create(struct arena *a);

/* One reply: of this row (NULL: of none), and how long it took. */
void metrics_count(struct metrics *m, const struct route *r, int status, int64_t us);

/* Everything, with the figures of database, HTTP and jobs beside the counters. */
void metrics_write(const struct metrics *m, const struct server *s, struct buf *out);

#endif
