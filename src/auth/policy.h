/* policy.h - which passwords are refused; inside auth only.
 *
 * Length is what makes a password strong; rules of composition make people write it down (NIST SP
 * 800-63B, OWASP ASVS 5.0 6.2). So: at least 12 characters, at most 1024 bytes, any characters, and
 * not the login, the name, the product or one that everybody uses.
 */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include "base/rc.h"

struct ctx;
struct secret;

#define PASSWORD_MOST_BYTES 1024

/* E_INVALID with the field password. login, name may be NULL. */
enum rc policy_check(struct ctx *cx, const struct secret *password, const char *login,
                     const char *name);

#endif
