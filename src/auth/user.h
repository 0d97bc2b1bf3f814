/* user.h - users from the database; inside auth only. */
#ifndef AUTH_USER_H
#define AUTH_USER_H

#include <stdint.h>

#include "base/rc.h"

struct ctx;
struct list;
struct user;

/* The person of that id as a user, in the arena of cx and the caller's to complete (session,
 * token). epoch: of people, from the statement that found the id. E_UNAUTHENTICATED when there is
 * none or it is disabled. */
enum rc user_load(struct ctx *cx, int64_t id, int64_t epoch, struct user **ret);

/* What a person holds, disabled or not: struct held_role without orgs. */
enum rc user_roles(struct ctx *cx, int64_t id, struct list *ret);

/* Whose id events carry: of cx->user; 0 for the system and the operator. */
int64_t user_id(const struct ctx *cx);

#endif
