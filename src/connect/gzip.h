/* gzip.h - a file in pieces, inflated when it is gzip. Bounded: at most 1000 bytes out of each byte
 * in. */
#ifndef CONNECT_GZIP_H
#define CONNECT_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

struct ctx;

typedef enum rc (*piece_fn)(void *arg, const char *bytes, size_t len);

/* Hand every piece of the file to fn; ret_read follows how many bytes of the file were read. */
enum rc gzip_read(struct ctx *cx, const char *path, piece_fn fn, void *arg, int64_t *ret_read,
                  int64_t *ret_size);

#endif
