/* fuzz_zone.c - any bytes are a zone whose answers agree with each other, or are refused. */
#include "fuzz.h"

#include <assert.h>

#include "base/ctx.h"
#include "base/time.h"
#include "lang/zone.h"

static void check_at(const struct zone *z, int64_t at)
{
    const int64_t wall = zone_wall(z, at);
    assert(zone_begin(z, wall) <= at);
    assert(zone_begin(z, wall) <= zone_begin(z, wall + 1));
    assert(zone_end(z, wall) <= zone_end(z, wall + 1));
    assert(zone_wall(z, zone_begin(z, wall)) >= wall);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx cx = {.arena = arena_create()};
    const struct zone *z = NULL;
    if (zone_read(&cx, "Fuzz/Zone", data, size, &z) == OK) {
        for (int64_t day = -30000; day < 70000; day += 91)
            check_at(z, day * US_PER_DAY + US_PER_HOUR);
    } else {
        assert(!z && cx.err.text);
    }
    arena_destroy(cx.arena);
    return 0;
}
