#include "base/rc.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[RC_COUNT] = {
    [OK] = "ok",
    [E_MALFORMED] = "malformed",
    [E_UNAUTHENTICATED] = "unauthenticated",
    [E_DENIED] = "denied",
    [E_NOT_FOUND] = "not_found",
    [E_CONFLICT] = "conflict",
    [E_STALE] = "stale",
    [E_TOO_LARGE] = "too_large",
    [E_INVALID] = "invalid",
    [E_REQUIRED] = "precondition_required",
    [E_LIMIT] = "rate_limited",
    [E_BUSY] = "busy",
    [E_FAIL] = "internal",
};

const char *rc_name(enum rc rc)
{
    return (unsigned)rc < RC_COUNT ? names[rc] : "internal";
}

void bug_at(const char *file, int line, const char *text)
{
    dprintf(STDERR_FILENO, "fettle: bug at %s:%d: %s\n", file, line, text);
    abort();
}
