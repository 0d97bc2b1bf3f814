/* memory.h - blocks that live as long as a connection, a server or a message between threads.
 *
 * What belongs to one request lives in its arena. The few things here that outlive a request are
 * taken and given back by hand; running out of memory ends the process, as with arenas.
 */
#ifndef HTTP_MEMORY_H
#define HTTP_MEMORY_H

#include <stdlib.h>

#include "base/rc.h"

/* Zeroed. */
static inline void *memory_get(size_t size)
{
    void *at = calloc(1, size);
    if (!at)
        BUG("out of memory");
    return at;
}

/* As realloc(): what is new is not zeroed. */
static inline void *memory_grow(void *at, size_t size)
{
    void *grown = realloc(at, size);
    if (!grown)
        BUG("out of memory");
    return grown;
}

#endif
