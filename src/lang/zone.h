/* zone.h - the rules of one time zone: instants to wall clock and back.
 *
 * Read once from the system's zone data (TZif, RFC 8536, /usr/share/zoneinfo), so an update of the
 * package tzdata reaches us without a new program; the process's own zone (TZ) is never looked at.
 * Rules for the far future are spelt out to the year 2150. A zone is immutable and lives in the
 * arena it was read into.
 *
 * Wall-clock time is microseconds since 1970-01-01 00:00 on the wall of that zone. Some of it never
 * happens (clocks go forward), some happens twice (clocks go back).
 */
#ifndef LANG_ZONE_H
#define LANG_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

struct arena;
struct ctx;
struct zone;

/* By IANA name: "Europe/Paris", "UTC". E_INVALID when the system does not know it. */
enum rc zone_load(struct ctx *cx, const char *name, const struct zone **ret);

/* The same from the bytes of a zone file. E_MALFORMED. */
enum rc zone_read(struct ctx *cx, const char *name, const void *bytes, size_t len,
                  const struct zone **ret);

const char *zone_name(const struct zone *z);

/* The release of the zone data, "2025b"; "" when it does not say. */
enum rc zone_release(struct ctx *cx, const char **ret);

/* What the wall clock shows. */
int64_t zone_wall(const struct zone *z, int64_t at);

/* When something that begins at that wall-clock time begins: the first time it is so late; when it
 * never is, the first instant after the gap. */
int64_t zone_begin(const struct zone *z, int64_t wall);

/* When something that ends at that wall-clock time ends: the last time it has become so late; when
 * it never is, the first instant after the gap. */
int64_t zone_end(const struct zone *z, int64_t wall);

#endif
