/* fuzz_calendar.c - any text is a calendar in which adding and counting agree, or is refused with
 * at least one fault; and any text is a span or none. */
#include "fuzz.h"

#include <assert.h>

#include "base/ctx.h"
#include "base/time.h"
#include "base/yaml.h"
#include "lang/calendar.h"
#include "lang/process.h"

static void check(const struct calendar *c, int64_t from)
{
    const int64_t working = 100 * US_PER_HOUR;
    const int64_t end = calendar_add(c, from, working);
    assert(end > from);
    if (end < INT64_MAX)
        assert(calendar_between(c, from, end) == working);
    assert(calendar_add(c, from, 0) <= end);
    assert(calendar_add_days(c, from, 3) > from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx cx = {.arena = arena_create()};
    const struct yaml *root = NULL;
    const struct calendar *c = NULL;
    if (yaml_parse(&cx, "fuzz", (const char *)data, size, &root) == OK) {
        if (calendar_read(&cx, "fuzz", root, &c) == OK)
            for (int i = 0; i < 3; i++)
                check(c, (19000 + 1234 * i) * US_PER_DAY);
        else
            assert(!c && cx.err.problems.count > 0);
    }
    struct span span;
    if (span_parse(arena_strndup(cx.arena, (const char *)data, size), &span))
        assert(span.n > 0 && span_end(NULL, (struct span){SPAN_US, 1}, 1) == 2);
    arena_destroy(cx.arena);
    return 0;
}
