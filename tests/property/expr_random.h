/* expr_random.h - records and expressions at random, from one seed. */
#ifndef PROPERTY_EXPR_RANDOM_H
#define PROPERTY_EXPR_RANDOM_H

#include "base/val.h"
#include "lang/expr.h"
#include "lang/process.h"

struct arena;

#define RANDOM_NOW INT64_C(1773151200000000) /* 2026-03-10T14:00:00Z */

struct rng {
    uint64_t state;
};
int rng_below(struct rng *r, int n); /* 0 to n - 1 */
bool rng_one_in(struct rng *r, int n);

/* Names that both know: index 0 has id 1. NULL at the end. */
extern const char *const person_names[], *const group_names[], *const organisation_names[];
extern const char *const process_names[];

/* The values of one record, some missing, some outside of what their field allows now. Links are
 * to ids 1 to record_count. */
void random_record(struct rng *r, struct arena *a, const struct field *fields, int field_count,
                   int record_count, struct val *slots);

/* The text of a condition over these fields; nearly always valid. */
const char *random_condition(struct rng *r, struct arena *a, const struct expr_scope *scope,
                             int record_count);

#endif
