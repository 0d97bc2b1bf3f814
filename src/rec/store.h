/* store.h - writing a record, inside the gate's transaction. Only rec/ includes it. */
#ifndef REC_STORE_H
#define REC_STORE_H

#include "flow/flow.h"
#include "rec/rec.h"

/* A new record from a plan. number NULL: the next of its series, which is put into plan->after. */
enum rc store_create(struct ctx *cx, const struct process *p, struct flow_plan *plan,
                     const char *number, int64_t *ret_id);

/* The record after a plan; E_STALE when its revision is not the one seen. */
enum rc store_update(struct ctx *cx, const struct rec *before, const struct flow_plan *plan);

/* The record goes on in process p, as planned: a new number, and the old one stays good. */
enum rc store_convert(struct ctx *cx, const struct rec *before, const struct process *p,
                      struct flow_plan *plan);

/* A new revision without a change of fields. */
enum rc store_touch(struct ctx *cx, const struct rec *r, int64_t at);

/* Make the record findable by its texts at the end of the batch (title, texts, replies, notes). */
void store_text(struct ctx *cx, const struct process *p, int64_t id, const struct val *slots,
                const char *language);

#endif
