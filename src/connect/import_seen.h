/* import_seen.h - which of several equal rows is this one? Only the importer includes it.
 *
 * A table of what was seen grows with the log, so it holds 16 bytes a row and no texts. Two
 * different rows of the same hash only make one of them the second of its kind; as that happens at
 * every reading alike, the row is still known again.
 */
#ifndef CONNECT_IMPORT_SEEN_H
#define CONNECT_IMPORT_SEEN_H

#include <stdint.h>

struct arena;
struct seen;

struct seen *seen_create(struct arena *a); /* gone with the arena */

/* 1 for the first of this hash, 2 for the second. */
int64_t seen_count(struct seen *s, uint64_t hash);

#endif
