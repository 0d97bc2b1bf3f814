/* scope.h - what an API token was made for: words separated by spaces; inside auth only.
 *
 *   read                 everything its person may see
 *   write                everything its person may do and see
 *   incident:read        records of that process alone
 *   incident:write
 */
#ifndef AUTH_SCOPE_H
#define AUTH_SCOPE_H

#include <stdbool.h>

#include "base/rc.h"

struct ctx;

enum scope_use { SCOPE_READ, SCOPE_WRITE };

/* scopes NULL (no token): always. process NULL: beyond records. */
bool scope_allows(const char *scopes, const char *process, enum scope_use use);
/* For some process at least: as far as one can tell before the record is known. */
bool scope_allows_some(const char *scopes, enum scope_use use);

/* E_INVALID when it is not made of the words above, or names a process that is not there. */
enum rc scope_check(struct ctx *cx, const char *scopes);

#endif
