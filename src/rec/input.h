/* input.h - what came in by name becomes values by slot. Only rec/ includes it. */
#ifndef REC_INPUT_H
#define REC_INPUT_H

#include "base/val.h"
#include "flow/flow.h"

struct input {
    struct list given; /* of struct given */
    const char *comment, *note, *override_reason;
};

/* From JSON or a form: names are checked, values read, people, groups and records resolved to ids
 * that the user may know. All faults are collected in cx (problems_rc). */
enum rc input_read(struct ctx *cx, const struct process *p, struct val in, struct input *ret);

/* From an effect or an import: values are already as they are stored. */
enum rc input_stored(struct ctx *cx, const struct process *p, struct val in, struct input *ret);

/* The id behind a name in an expression; arg is the struct ctx. 0: none. */
int64_t input_id_of(void *arg, enum field_type type, const char *name);

#endif
