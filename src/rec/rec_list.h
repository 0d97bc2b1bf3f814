/* rec_list.h - many records: filtered, sorted, paged, counted, searched.
 *
 * The filter is the expression language; who asks narrows it further, in the same statement. Pages
 * follow a keyset cursor, so they stay right while records come and go, and the thousandth page
 * costs what the first does.
 */
#ifndef REC_LIST_H
#define REC_LIST_H

#include "rec/rec.h"

struct list_query {
    const char *process; /* NULL: all that the user may view */
    const char *filter;  /* expression, may end with ORDER BY; NULL or "": all */
    const char *sort;    /* "priority,-created"; NULL: the filter's ORDER BY, else newest first */
    const char *cursor;  /* of the page before; NULL: first page */
    int limit;           /* 1-500 */
    int count_to;        /* count matches up to so many; 0: do not count */
};

struct list_page {
    struct list records;     /* of struct rec */
    const char *next_cursor; /* NULL: this was the last page */
    int64_t count;           /* -1: not asked for; count_to + 1: more than count_to */
};

/* E_INVALID at field "q" with position and suggestion when the filter is wrong. */
enum rc rec_list(struct ctx *cx, const struct list_query *q, struct list_page *ret);

/* The most relevant of the newest matches first; what ORDER BY relevance does. */

/* Counts from what is kept, not from the records: by state, group and priority, over all that the
 * user may view by role or organisation. Relations (own records) are counted directly. */
struct tally {
    const char *process, *state;
    enum status status;
    int64_t group_id, priority; /* 0: none */
    int64_t n;
};
enum rc rec_tally(struct ctx *cx, const char *process, struct list *ret); /* of struct tally */

#endif
