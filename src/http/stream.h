/* stream.h - the loop's side of open replies; http.h has the handler's. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"
#include "http/reply.h"

bool stream_is_chunked(const struct http_stream *s); /* else the connection's end is its end */

/* On the loop's thread. */
bool stream_is_cut(const struct http_stream *s);  /* its listener does not read */
bool stream_is_over(const struct http_stream *s); /* ended, and all of it is sent */
bool stream_is_waiting(const struct http_stream *s);
enum sent stream_flush(struct http_stream *s, int fd, size_t *ret_bytes);
void stream_detach(struct http_stream *s); /* the connection is gone, or has done with it */

#endif
