/* cursor.h - where a page ends: the values it is sorted by, opaque to clients. Only rec/ includes
 * it. */
#ifndef REC_CURSOR_H
#define REC_CURSOR_H

#include "rec/reach.h"

/* One column of the order; the last is always r.id. */
struct sort_key {
    const char *sql;
    bool is_descending;
    bool is_text;
    bool is_nullable; /* missing values come last, whatever the direction */
};

/* ORDER BY ... for these keys. */
void cursor_order(struct query *q, const struct sort_key *keys, int count);

/* The condition "behind the cursor". E_INVALID at field "cursor" when it is not one of this order.
 */
enum rc cursor_after(struct ctx *cx, struct query *q, const struct sort_key *keys, int count,
                     const char *cursor);

/* From the values of the last row, as text (NULL: missing), in the order of the keys. */
const char *cursor_write(struct ctx *cx, const struct sort_key *keys, int count,
                         const char *const *values);

#endif
