/* ctx.h - the surroundings of one unit of work: a request, a job, a command.
 *
 * Everything a function may want to know about "here and now" comes in the context: memory,
 * database, who acts, what time it is, which process definitions are in force. Nothing of it is
 * global, so tests move the clock and switch the user by setting a member.
 *
 * A failure is described here once. One sentence without a full stop, in the user's words, about
 * one field; a form with several faults collects them with problem() and then fails once.
 */
#ifndef BASE_CTX_H
#define BASE_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"

struct db;
struct defs;
struct types;
struct user;

/* One fault of the input. */
struct problem {
    const char *field; /* JSON member or form field at fault, dotted for nested; NULL: the whole */
    const char *code;  /* stable, machine-readable: "required", "unknown_field", ... */
    const char *text;  /* one sentence, no full stop */
};

/* Through which door the work came in; stored with each event. */
enum via {
    VIA_API,
    VIA_CONSOLE,
    VIA_MAIL,
    VIA_TIMER,
    VIA_RULE,
    VIA_IMPORT,
    VIA_COMMAND,
    VIA_COUNT
};
const char *via_name(enum via via); /* "api", "console", ... */
bool via_from_name(const char *name, enum via *ret);

struct ctx {
    struct arena *arena;
    struct db *db;           /* NULL where no database is open */
    const struct defs *defs; /* process definitions of this moment; NULL before they are loaded */
    struct types *types;     /* definitions of older versions; defs is of these the current one */
    const struct user *user; /* NULL: the system itself */
    int64_t now;             /* microseconds since 1970, UTC; tests set it */
    enum via via;
    const char *request_id; /* shown in logs, problems and events; NULL outside requests */
    const char *language;   /* BCP 47 tag for messages; NULL: English */
    struct {
        enum rc rc;
        const char *code;  /* stable, finer than rc: "not_offered"; NULL: the name of rc says it */
        const char *field; /* form field or JSON member at fault, or NULL */
        const char *text;  /* one sentence, no full stop; NULL when nothing failed */
        struct list problems; /* of struct problem; more than one fault of the same input */
        const char *detail;   /* for the log only, never for the user: errno, engine's message */
    } err;
};

/* Describe a failure and return rc. field may be NULL. A description already there is replaced. */
enum rc fail(struct ctx *cx, enum rc rc, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Add what only the log may show (an engine's message, errno) to the failure just described. */
enum rc fail_detail(struct ctx *cx, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Collect one fault of the input; problems_rc() turns a non-empty collection into E_INVALID. */
void problem(struct ctx *cx, const char *field, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
enum rc problems_rc(struct ctx *cx);

void fail_clear(struct ctx *cx);

#endif
