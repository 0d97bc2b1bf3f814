#include "auth/scope.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "lang/process.h"

/* One word of the list: "incident:write" is a process of 8 bytes and a use. */
struct word {
    const char *at;
    size_t len;
    size_t process_len; /* 0: no process */
    enum scope_use use;
    bool is_good;
};

static bool is_text(const char *at, size_t len, const char *want)
{
    return len == strlen(want) && memcmp(at, want, len) == 0;
}

/* The next word from *at on, which moves behind it; false at the end. */
static bool next_word(const char **at, struct word *ret)
{
    const char *start = *at + strspn(*at, " ");
    const size_t len = strcspn(start, " ");
    *at = start + len;
    if (len == 0)
        return false;

    const char *colon = memchr(start, ':', len);
    const char *use = colon ? colon + 1 : start;
    const size_t use_len = (size_t)(start + len - use);
    const bool is_read = is_text(use, use_len, "read");
    *ret = (struct word){
        .at = start,
        .len = len,
        .process_len = colon ? (size_t)(colon - start) : 0,
        .use = is_read ? SCOPE_READ : SCOPE_WRITE,
        .is_good = (is_read || is_text(use, use_len, "write")) && colon != start,
    };
    return true;
}

bool scope_allows(const char *scopes, const char *process, enum scope_use use)
{
    if (!scopes)
        return true;
    struct word w;
    while (next_word(&scopes, &w)) {
        const bool is_about =
            w.process_len == 0 || (process && is_text(w.at, w.process_len, process));
        if (w.is_good && w.use >= use && is_about)
            return true;
    }
    return false;
}

bool scope_allows_some(const char *scopes, enum scope_use use)
{
    if (!scopes)
        return true;
    struct word w;
    while (next_word(&scopes, &w))
        if (w.is_good && w.use >= use)
            return true;
    return false;
}

static bool is_process(struct ctx *cx, const struct word *w)
{
    const char *name = arena_strndup(cx->arena, w->at, w->process_len);
    return !cx->defs || defs_process(cx->defs, name);
}

enum rc scope_check(struct ctx *cx, const char *scopes)
{
    const char *at = scopes ? scopes : "";
    struct word w;
    int count = 0;
    for (; next_word(&at, &w); count++) {
        if (!w.is_good)
            return fail(cx, E_INVALID, "scopes",
                        "%.*s is not a scope: they are read, write, PROCESS:read, PROCESS:write",
                        (int)w.len, w.at);
        if (w.process_len && !is_process(cx, &w))
            return fail(cx, E_INVALID, "scopes", "there is no process %.*s", (int)w.process_len,
                        w.at);
    }
    if (count == 0)
        return fail(cx, E_INVALID, "scopes", "must name at least one scope, such as read");
    return OK;
}
