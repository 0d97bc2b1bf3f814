/* migration.h - the steps of the schema, embedded from sql/NNNN_name.sql by tools/sqlgen.py. */
#ifndef DB_MIGRATION_H
#define DB_MIGRATION_H

#include "db/db.h"

struct migration {
    int64_t version; /* 1, 2, 3, ... without a gap */
    const char *name;
    const char *sha256;                        /* of the source file, lower-case hex */
    const char *const *statements[DB_ENGINES]; /* in order, NULL at the end */
};

extern const struct migration migrations[]; /* in order of version, zeroed at the end */
extern const int migrations_count;

#endif
