/* session.h - sessions in the database; inside auth only. */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include <stdint.h>

#include "base/rc.h"

struct ctx;
struct session;

/* Inside a transaction: a new session of that person, always under a new secret. */
enum rc session_create(struct ctx *cx, int64_t person_id, const char *peer, const char *agent,
                       struct session *ret);
/* Inside a transaction: end all of a person but one (0: all). */
enum rc session_end_all(struct ctx *cx, int64_t person_id, int64_t but_id);

#endif
