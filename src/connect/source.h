/* source.h - rows out of a log of what happened elsewhere: IEEE XES (XML) and CSV, plain or gzip.
 *
 * Files are streamed: memory does not grow with them. Both give the same: one row an event, with
 * its attributes by name in the order written. Attributes of a case (XES trace) are named
 * "case:NAME". What a file may cost is bounded: 64 KB an attribute, 500 attributes a row; XML has
 * no DTD, no entities, 32 levels.
 */
#ifndef CONNECT_SOURCE_H
#define CONNECT_SOURCE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"

struct ctx;

struct attribute {
    const char *name, *value;
};

struct source_row {
    int64_t line;           /* of the file, where the row begins */
    struct list attributes; /* of struct attribute */
};

/* NULL: the row has no such attribute. */
const char *row_get(const struct source_row *row, const char *name);

/* Called for each row; what it holds is good until it returns. Anything but OK stops the reading.
 */
typedef enum rc (*row_fn)(struct ctx *cx, const struct source_row *row, void *arg);

/* How far a reading came, for progress: bytes of the file as it lies on the disk. */
struct source_progress {
    int64_t read, size;
};

/* E_NOT_FOUND, E_MALFORMED with the line, E_TOO_LARGE, or what fn returned. */
enum rc xes_read(struct ctx *cx, const char *path, row_fn fn, void *arg,
                 struct source_progress *progress);
enum rc csv_read(struct ctx *cx, const char *path, char delimiter, row_fn fn, void *arg,
                 struct source_progress *progress);

/* The same from bytes in memory; what the files are read with, and what is fuzzed. */
struct csv;
struct csv *csv_create(struct ctx *cx, char delimiter, row_fn fn, void *arg);
enum rc csv_add(struct csv *c, const char *bytes, size_t len);
enum rc csv_finish(struct csv *c);
struct xes;
struct xes *xes_create(struct ctx *cx, row_fn fn, void *arg);
enum rc xes_add(struct xes *x, const char *bytes, size_t len);
enum rc xes_finish(struct xes *x);

#endif
