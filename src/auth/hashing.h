/* hashing.h - password hashes, a few at a time; inside auth only.
 *
 * One costs 64 MiB and some 60 ms of a core on purpose, so signing in would be the cheapest way to
 * bring a server down. At most 4 are under way at once; 64 more wait; then E_BUSY.
 */
#ifndef AUTH_HASHING_H
#define AUTH_HASHING_H

#include <stdbool.h>

#include "base/rc.h"

struct ctx;
struct secret;

/* Take a place in the queue, at once or not at all; hashing_leave() gives it back. In between, and
 * outside of any transaction, hashes may be made and verified; each waits for its turn. */
enum rc hashing_enter(struct ctx *cx);
void hashing_leave(void);

/* hash NULL: there is nothing to compare with, which takes as long and is false. */
bool hashing_verify(const char *hash, const struct secret *password);
enum rc hashing_make(struct ctx *cx, const struct secret *password, const char **ret);

/* What is done to a new password: is it good enough, and its hash. Faults name the field password.
 * login and name may be NULL. */
enum rc hashing_make_checked(struct ctx *cx, const struct secret *password, const char *login,
                             const char *name, const char **ret);

/* How many were verified since the start, for tests. */
int hashing_verified(void);

#endif
