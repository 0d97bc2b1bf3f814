/* cache.h - the prepared statements of one connection.
 *
 * A generated statement is found by its address and stays; a dynamic one is found by its text, and
 * of those only the latest used are kept. What is prepared is the driver's business: it sees it as
 * a pointer, and gives a function that lets go of one.
 */
#ifndef DB_CACHE_H
#define DB_CACHE_H

#include "db/db.h"

#define CACHE_DYNAMIC 48 /* dynamic statements kept by a connection */

struct slot {
    const struct sql *sql; /* of a constant; NULL: dynamic */
    uint64_t hash;         /* of a dynamic text; 0: constant or free */
    char *text;
    uint64_t used_at; /* in uses of the cache */
    void *prepared;   /* NULL: nothing yet */
    bool is_busy;     /* under way; not dropped meanwhile */
};

struct cache {
    struct slot **constants; /* open addressing by address */
    int count, room;
    struct slot dynamic[CACHE_DYNAMIC];
    uint64_t uses;
};

/* The slot of this statement, new and empty when it was not there. drop(owner, prepared) is called
 * for what has to leave. NULL when every dynamic slot is busy. */
struct slot *cache_slot(struct cache *c, const struct sql *sql,
                        void (*drop)(void *owner, void *prepared), void *owner);

void cache_done(struct cache *c, void (*drop)(void *owner, void *prepared), void *owner);

#endif
