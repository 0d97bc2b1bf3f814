/* import.h - what happened elsewhere, as records and events here.
 *
 * A mapping file (doc/importing.md) says which attribute of a log's rows is the record's number,
 * its state, the time, the actor, the group and the fields. Each row passes the gate once: the
 * first of a number creates the record, every later one is the action that leads from the state
 * before to the state it names - at its own time, by its own actor. What the process would not have
 * allowed is recorded all the same, marked as a deviation. A row read twice happens once. People
 * and groups that are not known yet are made.
 */
#ifndef CONNECT_IMPORT_H
#define CONNECT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"

struct buf;
struct ctx;
struct mapping;

/* From the text of a mapping file; checked against cx->defs. E_INVALID names file, line and column.
 */
enum rc mapping_read(struct ctx *cx, const char *file, const char *text, size_t len,
                     const struct mapping **ret);

struct import_report {
    int64_t rows, records, events; /* read; created; written */
    int64_t known;                 /* rows that were here already */
    int64_t failed;                /* rows that could not be understood: see the report's lines */
    int64_t deviating;             /* events with at least one deviation */
    int64_t people, groups;        /* made */
    struct list deviations;        /* of struct import_count, by name */
};

struct import_count {
    const char *name;
    int64_t n;
};

struct import_options {
    const char *path;
    const struct mapping *mapping;
    bool is_dry; /* do everything, keep nothing */
    /* Told now and then how far it is: bytes read, of how many, rows. May be NULL. */
    void (*progress)(int64_t read, int64_t size, int64_t rows, void *arg);
    /* Told about every row: its line, number, what became of it ("event", "known", "failed") and
     * why or which deviations. May be NULL. */
    void (*row)(int64_t line, const char *number, const char *became, const char *text, void *arg);
    void *arg;
};
enum rc import_run(struct ctx *cx, const struct import_options *o, struct import_report *ret);

/* What is in the database of this source, counted from the events themselves: records, events, and
 * for each attribute that makes the state how often it had which value. */
struct import_state_count {
    const char *attribute;
    struct list counts; /* of struct import_count, most first */
};
struct import_totals {
    int64_t records, events;
    struct list states; /* of struct import_state_count */
};
enum rc import_verify(struct ctx *cx, const struct mapping *m, struct import_totals *ret);

#endif
