/* rec.h - one record: read it, and pass the gate.
 *
 * rec_do() is the gate: whatever changes a record - API, import, timer, cascade, mail - goes
 * through it and nothing else writes the record table. It loads the record, asks flow for a plan
 * and writes record, timers, counters, full text and exactly one event in one transaction. When it
 * returns OK the change is durable.
 *
 * Every read is scoped: a record that the user may not view does not exist (E_NOT_FOUND).
 */
#ifndef REC_REC_H
#define REC_REC_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "base/ctx.h"
#include "lang/process.h"

struct rec {
    int64_t id, revision;
    const char *number;
    const char *language;          /* of its words, for search; NULL: the server's */
    const struct process *process; /* of the version it is pinned to */
    const struct val *slots;       /* by slot of that process */
    const char *const *overrides; /* by slot: why a computed value was set by hand; NULL: none is */
    struct subject subject;
    const char *const *words; /* that hold for cx->user */
    bool sees_internal;       /* right `internal` */
};

/* By number or any other number it answers to; case does not matter, nor do leading zeros. */
enum rc rec_load(struct ctx *cx, const char *number, struct rec *ret);
enum rc rec_load_id(struct ctx *cx, int64_t id, struct rec *ret);

/* E_NOT_FOUND or E_DENIED unless the user has the right on this record. */
enum rc rec_check(struct ctx *cx, const struct rec *r, enum right right);

/* Whether the user may see this field of the record now (internal fields, rule `hidden`). */
bool rec_shows(const struct rec *r, const struct field *f);

/* ---- the gate ------------------------------------------------------------------------------- */

enum change_kind {
    CHANGE_CREATE,
    CHANGE_ACTION,
    CHANGE_EDIT,
    CHANGE_REPLY,  /* public text */
    CHANGE_NOTE,   /* internal text */
    CHANGE_ATTACH, /* an attachment, or its removal */
    CHANGE_LINK,
    CHANGE_UNLINK,
    CHANGE_WATCH,
    CHANGE_UNWATCH,
    CHANGE_CONVERT, /* to another process; the old number answers for ever */
    CHANGE_KINDS
};
const char *change_name(enum change_kind k); /* "create", ...: event.kind */

struct recorded; /* below */

struct change {
    enum change_kind kind;
    const char *process; /* create, convert: which */
    const char *number;  /* otherwise: whose; or id */
    int64_t id;
    const char *action; /* action: name */
    const char
        *to_state;    /* convert: state of the other process; NULL asks for it when it matters */
    struct val input; /* a map of fields by name, as it came in; `comment` and `note` are texts */
    bool is_stored;   /* its values are as they are stored, not as JSON has them */
    int64_t revision; /* that the writer saw; 0: none stated */
    const char *text; /* reply, note */
    const struct attachment *attachment; /* attach */
    const char *link;                    /* link, unlink: kind or inverse of it */
    int64_t other_id;                    /* link, unlink: the other record */
    int64_t person_id;                   /* watch, unwatch */
    const struct recorded *recorded;     /* NULL: it happens now and by cx->user */
};

/* What happened elsewhere, at its own time, by its own actor: needs the right `import`. What the
 * process would not have allowed is done all the same and kept in the event as a deviation. */
struct recorded {
    int64_t at;
    int64_t actor_id;         /* 0: nobody known */
    const char *number;       /* create: the number it had there, kept as it is; NULL: a new one */
    const char *to_state;     /* the state it went to; NULL: what the action says */
    const char *source, *key; /* names this row of its source; seen before: nothing happens, OK */
    const char *deviations;   /* more codes, found by the importer; NULL: none */
};

struct outcome {
    struct rec rec;        /* as it is now */
    int64_t event_id;      /* 0: nothing changed, so nothing happened */
    const char *deviation; /* codes by space, or NULL */
};

/* One passage. A stale revision is not refused when what changed since and what this changes do not
 * touch: else E_STALE with a problem for each field that does. */
enum rc rec_do(struct ctx *cx, const struct change *c, struct outcome *ret);

/* What the user could do with the record now: struct offer (flow/flow.h). */
enum rc rec_offers(struct ctx *cx, const struct rec *r, struct list *ret);

/* ---- what happened -------------------------------------------------------------------------- */

/* One entry of a record's history or of the feed, cut to what the user may see. */
struct entry {
    int64_t id, record_id;
    const char *number;            /* of the record */
    const char *process;           /* its name; NULL: about the system */
    const struct process *version; /* for reading the changes in body */
    const char *kind, *action;
    int64_t actor_id;
    enum via via;
    const char *request_id;
    int64_t occurred_at, recorded_at, revision;
    const char *from_state, *to_state;
    bool is_internal;
    const char *deviation;
    struct val body; /* {"text": ..., "changes": {field: [before, after]}, ...} as stored */
};

/* Of one record, oldest first, after that event; at most limit. */
enum rc rec_history(struct ctx *cx, const struct rec *r, int64_t after, int limit,
                    struct list *ret);

/* The record's values as they were after that event; E_NOT_FOUND when it is not one of the record.
 */
enum rc rec_as_of(struct ctx *cx, const struct rec *r, int64_t event_id, struct rec *ret);

/* The feed: all events after that one that the user may see, in the order of the commits. *ret_last
 * is how far it looked, to go on from even when nothing was visible. */
enum rc rec_feed(struct ctx *cx, int64_t after, int limit, struct list *ret, int64_t *ret_last);

/* The same for many readers at once: read the events once, as the system, then for each user what
 * of them may be seen. */
struct feed;
enum rc rec_feed_read(struct ctx *cx, int64_t after, int limit, const struct feed **ret,
                      int64_t *ret_last);
enum rc rec_feed_cut(struct ctx *cx, const struct feed *f, struct list *ret);

enum rc rec_last_event(struct ctx *cx, int64_t *ret);

/* ---- around a record ------------------------------------------------------------------------ */

struct linked {
    const char *kind; /* as seen from this record: name or inverse */
    struct rec rec;
};
enum rc rec_links(struct ctx *cx, const struct rec *r,
                  struct list *ret); /* only what may be seen */
enum rc rec_watchers(struct ctx *cx, const struct rec *r, struct list *ret); /* of int64_t */

struct attachment {
    int64_t id, record_id, event_id, size;
    int64_t attached_by; /* a person; 0: the system, or not loaded */
    const char *public_id, *sha256, *name, *type;
    bool is_internal, is_removed;
};
enum rc rec_attachments(struct ctx *cx, const struct rec *r, struct list *ret);
enum rc rec_attachment(struct ctx *cx, const char *public_id, struct attachment *ret,
                       struct rec *ret_rec);

#endif
