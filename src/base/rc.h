/* rc.h - the few ways in which a call can end.
 *
 * A function that can fail returns an enum rc and has described the failure once, where it was
 * detected, with fail() (see ctx.h). TRY() hands a failure upward; it is the only macro that hides
 * control flow, and it is safe because arenas leave nothing to undo.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

enum rc {
    OK,
    E_MALFORMED,       /* not the syntax it should be               -> 400 */
    E_UNAUTHENTICATED, /* we do not know who asks                   -> 401 */
    E_DENIED,          /* the user may not do this                  -> 403 */
    E_NOT_FOUND,       /* no such thing, or the user may not know   -> 404 */
    E_CONFLICT,        /* the state of the thing forbids it         -> 409 */
    E_STALE,           /* someone else changed it meanwhile         -> 412 */
    E_TOO_LARGE,       /* beyond a stated limit                     -> 413 */
    E_INVALID,         /* input is wrong; the user can fix it       -> 422 */
    E_REQUIRED,        /* a precondition was not sent               -> 428 */
    E_LIMIT,           /* too often                                 -> 429 */
    E_BUSY,            /* transient; the transaction is retried     -> 503 */
    E_FAIL,            /* our fault or our environment's; logged    -> 500 */
    RC_COUNT
};

/* "invalid", "not_found", ...: the stable code of a failure, as problems and logs show it. */
const char *rc_name(enum rc rc);

#define TRY(call)                                                                                  \
    do {                                                                                           \
        const enum rc try_rc = (call);                                                             \
        if (try_rc != OK)                                                                          \
            return try_rc;                                                                         \
    } while (0)

/* A state that the program's own logic excludes: says where, and ends the process. The supervisor
 * restarts it and the open transaction rolls back. */
#define BUG(text) bug_at(__FILE__, __LINE__, text)
_Noreturn void bug_at(const char *file, int line, const char *text);

#endif
