/* import_map.h - a mapping file, read. Only the importer includes it. */
#ifndef CONNECT_IMPORT_MAP_H
#define CONNECT_IMPORT_MAP_H

#include "connect/import.h"
#include "connect/source.h"
#include "lang/process.h"

struct zone;

/* One value of the log stands for one of ours. */
struct map_pair {
    const char *from, *to;
};

struct map_field {
    const struct field *field;
    const char *from;  /* attribute */
    struct list pairs; /* of struct map_pair; empty: values as they are */
};

struct mapping {
    const char *name; /* of the file, for messages */
    bool is_csv;      /* else XES */
    char delimiter;
    const struct process *process;
    const char *source;       /* names the log, so that a row is known again */
    const char *number;       /* attribute */
    const char *title;        /* text with {attribute} places */
    const char *at;           /* attribute */
    const char *at_format;    /* "dd-MM-yyyy HH:mm"; NULL: RFC 3339 */
    const struct zone *zone;  /* of times without offset; NULL: UTC */
    const char *actor;        /* attribute, or NULL */
    const char *actor_role;   /* given to people who are made as actors, or NULL */
    const char *organisation; /* name; whose records they are */
    struct list state_from;   /* of const char *: attributes, joined by '/' */
    struct list state_pairs;  /* of struct map_pair: "Accepted/In Progress" -> state name */
    struct list fields;       /* of struct map_field */
    struct list missing;      /* of const char *: values that stand for none */
};

/* The attribute's value, or NULL when it is missing or stands for none. */
const char *mapping_value(const struct mapping *m, const struct source_row *row, const char *name);

/* "Accepted/In Progress" */
const char *mapping_state_key(struct arena *a, const struct mapping *m,
                              const struct source_row *row);

const char *pair_to(const struct list *pairs, const char *from); /* NULL: no such pair */

/* The instant of a row; false when it is not one in the form that the mapping says. */
bool mapping_at(const struct mapping *m, const struct source_row *row, int64_t *ret);

#endif
