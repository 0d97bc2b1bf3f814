/* event.h - the log of everything that happened: one row for each passage through the gate.
 *
 * History, audit, notices, live updates, webhooks and statistics are all read from this log. An
 * event is written in the transaction of what it tells about; its id is the next number, so the log
 * is in the order of the commits and has no gaps (write transactions run one after the other, see
 * db.h). Nothing in the row itself names a person by more than an id or repeats what one wrote:
 * that is the body, which lives apart under a salt of its own. The row holds SHA-256(salt + body),
 * so that a body can be erased later and the log still proves itself.
 *
 * It stands below auth and rec, which both write events (doc/adr/0004-event-log-below-auth.md).
 */
#ifndef JOB_EVENT_H
#define JOB_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "base/val.h"

struct ctx;

struct event {
    const char *kind;    /* create, action, edit, reply, ...; beyond records: person, group, ... */
    int64_t record_id;   /* 0: about the system (people, definitions) */
    int64_t process_id;  /* 0: none */
    const char *action;  /* of the process; beyond records: create, update, ...; or NULL */
    int64_t actor_id;    /* 0: the system, or the operator on the server itself */
    int64_t occurred_at; /* 0: now; earlier for imports, late mail, phone calls */
    int64_t revision;    /* of the record after it; 0: none */
    const char *from_state, *to_state; /* NULL: none; then the status beside it does not count */
    int from_status, to_status;        /* enum status */
    int64_t group_id, priority;        /* after it; 0: none */
    bool is_internal;                  /* only for those who see internal notes */
    const char *deviation; /* imported: what the process would not have allowed, codes by space */
};

/* Inside a transaction only. body is a map (VAL_NULL: empty) of what is personal or free text:
 * {"text":
 * ..., "changes": {field: [before, after]}, ...}. When, through which door and under which request
 * comes from cx. ret_id may be NULL. */
enum rc event_append(struct ctx *cx, const struct event *e, struct val body, int64_t *ret_id);

#endif
