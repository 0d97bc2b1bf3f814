/* sql_all.h - every statement of the program, for the check that prepares each on both engines.
 *
 * A statement that only one engine has (full text) leaves the other's text NULL.
 */
#ifndef DB_SQL_ALL_H
#define DB_SQL_ALL_H

#include "db/db.h"

extern const struct sql *const sql_all[]; /* NULL at the end */
extern const int sql_all_count;

#endif
