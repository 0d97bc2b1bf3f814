/* fuzz_time.c - a text is an instant, a date or a duration that is written as one that reads the
 * same, or it is refused. */
#include "fuzz.h"

#include <assert.h>

#include "base/arena.h"
#include "base/time.h"

static void check_instant(struct arena *a, const char *text)
{
    int64_t at, again;
    if (!time_parse_instant(text, &at))
        return;
    assert(time_parse_instant(time_format_instant(a, at), &again));
    assert(again == at);
}

static void check_date(struct arena *a, const char *text)
{
    int64_t days, again;
    if (!time_parse_date(text, &days))
        return;
    assert(time_parse_date(time_format_date(a, days), &again));
    assert(again == days);
}

static void check_duration(struct arena *a, const char *text)
{
    int64_t us, again;
    if (!time_parse_duration(text, &us) && !time_parse_span(text, &us))
        return;
    assert(time_parse_duration(time_format_duration(a, us), &again));
    assert(again == us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create();
    const char *text = arena_strndup(a, (const char *)data, size);
    check_instant(a, text);
    check_date(a, text);
    check_duration(a, text);
    arena_destroy(a);
    return 0;
}
