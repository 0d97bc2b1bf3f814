/* scratch.h - an empty database of a test's own, on either engine.
 *
 *   struct db *db = scratch_open(cx, DB_POSTGRES, &(struct db_config){0});
 *   if (!db)
 *       skip();
 *
 * SQLite: a file in a folder of its own below $TMPDIR. PostgreSQL: a schema in the database that
 * the environment variable TEST_POSTGRES names; NULL when it is not set. Anything else that goes
 * wrong ends the test. scratch_again() opens the same database once more, as another process would.
 * The config's url is not used.
 */
#ifndef DB_SCRATCH_H
#define DB_SCRATCH_H

#include "db/db.h"

struct db *scratch_open(struct ctx *cx, enum db_engine engine, const struct db_config *config);
struct db *scratch_again(struct ctx *cx, const struct db_config *config);
const struct secret *scratch_url(struct ctx *cx);
void scratch_close(struct ctx *cx, struct db *db); /* and remove */

#endif
