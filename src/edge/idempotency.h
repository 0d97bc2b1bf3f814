/* idempotency.h - the same request twice is done once.
 *
 * With an Idempotency-Key the handler runs inside a transaction that also keeps its answer, so the
 * two exist together or not at all, also across a crash. Another request with the same key and the
 * same content gets the kept answer; with other content it is refused. Write transactions run one
 * after the other, so a request never meets its twin half done. Failures are not kept: what failed
 * may be tried again.
 */
#ifndef EDGE_IDEMPOTENCY_H
#define EDGE_IDEMPOTENCY_H

#include "edge/route.h"

/* How long answers are kept. */
#define IDEMPOTENCY_KEEP_US (48 * INT64_C(3600000000))

/* Run the route's handler in a transaction, once for each key of this principal; key NULL: each
 * time. */
enum rc idempotency_run(struct ctx *cx, struct call *c, const char *key);

/* Forget answers that are older than that. */
enum rc idempotency_sweep(struct ctx *cx);

#endif
