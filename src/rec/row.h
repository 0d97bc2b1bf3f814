/* row.h - a record between its table and its values. Only rec/ includes it. */
#ifndef REC_ROW_H
#define REC_ROW_H

#include "base/val.h"
#include "db/db.h"
#include "rec/rec.h"

/* The columns of rec_by_number, in their order. */
struct row {
    int64_t id, process_id, version_id, revision, org_id, caller_id, opened_by_id, assignee_id;
    int64_t group_id, priority, parent_id, open_tasks, open_children, reassignments, reopens;
    int64_t created_at, updated_at, resolved_at, closed_at, entered_at;
    const char *number, *title, *description, *state, *language, *fields;
    bool watched;
};
extern const struct col row_cols[];

/* The values by slot of a row, and who is related to it; does not ask whether the user may see it.
 */
enum rc row_read(struct ctx *cx, const struct row *row, struct rec *ret);

/* Fill in words and sees_internal, for cx->user. */
void row_relate(struct ctx *cx, struct rec *r);
/* The system itself has every right; a token may read and not act, so words do not tell. */
bool row_has_right(const struct ctx *cx, const struct rec *r, enum right right);
/* Relate, and E_NOT_FOUND when the user may not view it. */
enum rc row_admit(struct ctx *cx, struct rec *r);

/* The value in a slot as id or number; 0 when missing. */
int64_t slot_int(const struct val *slots, int slot);
const char *slot_text(const struct val *slots, int slot); /* NULL when missing */

/* Rank of the priority, 1 the highest; 0: none. */
int64_t row_priority(const struct process *p, const struct val *slots);

/* JSON of a process's own fields, and of the folded texts. */
const char *row_fields(struct ctx *cx, const struct process *p, const struct val *slots,
                       const char *const *overrides);
const char *row_folds(struct ctx *cx, const struct process *p, const struct val *slots);

void row_subject(const struct process *p, int64_t id, const struct val *slots, struct subject *ret);

#endif
