#include "base/ctx.h"

#include <stdarg.h>

#include "base/str.h"

static const char *const via_names[VIA_COUNT] = {
    [VIA_API] = "api",         [VIA_CONSOLE] = "console", [VIA_MAIL] = "mail",
    [VIA_TIMER] = "timer",     [VIA_RULE] = "rule",       [VIA_IMPORT] = "import",
    [VIA_COMMAND] = "command",
};

const char *via_name(enum via via)
{
    return (unsigned)via < VIA_COUNT ? via_names[via] : "";
}

bool via_from_name(const char *name, enum via *ret)
{
    for (int i = 0; i < VIA_COUNT; i++) {
        if (str_equal(name, via_names[i])) {
            *ret = (enum via)i;
            return true;
        }
    }
    return false;
}

enum rc fail(struct ctx *cx, enum rc rc, const char *field, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = arena_vprintf(cx->arena, fmt, args);
    va_end(args);
    cx->err.rc = rc;
    cx->err.code = NULL;
    cx->err.field = arena_strdup(cx->arena, field);
    cx->err.text = text;
    cx->err.detail = NULL;
    return rc;
}

enum rc fail_detail(struct ctx *cx, enum rc rc, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    cx->err.detail = arena_vprintf(cx->arena, fmt, args);
    va_end(args);
    return rc;
}

void problem(struct ctx *cx, const char *field, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = arena_vprintf(cx->arena, fmt, args);
    va_end(args);
    struct problem *p = list_add(cx->arena, &cx->err.problems, sizeof(*p));
    *p = (struct problem){
        .field = arena_strdup(cx->arena, field),
        .code = arena_strdup(cx->arena, code),
        .text = text,
    };
}

enum rc problems_rc(struct ctx *cx)
{
    if (!cx->err.problems.count)
        return OK;
    if (!cx->err.text) {
        const struct problem *first = cx->err.problems.at;
        cx->err.field = first->field;
        cx->err.text = first->text;
    }
    return cx->err.rc = E_INVALID;
}

void fail_clear(struct ctx *cx)
{
    cx->err.rc = OK;
    cx->err.code = cx->err.field = cx->err.text = cx->err.detail = NULL;
    cx->err.problems = (struct list){0};
}
