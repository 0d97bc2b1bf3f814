/* notice.h - what people are told about records, in their own words.
 *
 * An action's `tell` leaves a row for each person. What it says is written when it is read: the
 * message of the record's version, in the reader's language, with the record as it was after the
 * event, cut to what the reader may see. So nothing is told twice in two ways, and a notice about a
 * record that one may no longer see says nothing any more.
 */
#ifndef REC_NOTICE_H
#define REC_NOTICE_H

#include "rec/rec.h"

struct notice {
    int64_t id, person_id, record_id, event_id, created_at, read_at; /* read_at 0: not yet */
    const char *message;
};

/* Those of cx->user, newest first, below the id `before` (0: from the newest). */
enum rc notice_list(struct ctx *cx, int64_t before, int limit, bool only_unread, struct list *ret);
enum rc notice_count_unread(struct ctx *cx, int64_t *ret);
enum rc notice_load(struct ctx *cx, int64_t id, struct notice *ret); /* one's own */

/* Mark as read: one, or all up to that one. */
enum rc notice_read(struct ctx *cx, int64_t id);
enum rc notice_read_up_to(struct ctx *cx, int64_t id);

struct notice_style {
    const char *base_url;  /* links begin with it */
    const char *time_zone; /* IANA name that instants are written in */
};

struct notice_text {
    struct rec rec;
    const char *subject, *body; /* one line; Markdown */
};

/* As cx->user reads it in cx->language. E_NOT_FOUND when it may not see the record. */
enum rc notice_render(struct ctx *cx, const struct notice *n, const struct notice_style *style,
                      struct notice_text *ret);

#endif
