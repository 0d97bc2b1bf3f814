/* reply.h - a struct response becomes bytes on a socket.
 *
 * The worker writes the reply into memory of its own, so that the request's arena ends on the
 * worker's thread; the loop sends it, a part at a time when the reader is slow.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/http.h"

/* What becomes of the connection afterwards. */
enum reply_end { REPLY_KEEP, REPLY_KEEP_HTTP10, REPLY_CLOSE };

struct reply {
    char *text; /* head and body; kept for the next reply unless large */
    size_t len, room, sent;
    const char *fixed; /* sent after the text */
    size_t fixed_len;
    int fd; /* of the file that follows, or -1 */
    int64_t file_at, file_end;
    enum reply_end end;
};

void reply_init(struct reply *r);
void reply_clear(struct reply *r); /* closes the file, forgets the text */
void reply_done(struct reply *r);  /* gives the memory back too */

/* Reads the file's length and, where the response is open, announces chunks. */
void reply_write(struct reply *r, const struct request *rq, const struct response *rs,
                 enum reply_end end);

/* What http itself has to say: application/problem+json (RFC 9457). */
void reply_problem(struct reply *r, enum http_method method, int status, enum reply_end end);

enum sent { SENT_ALL, SENT_PART, SENT_NEVER };
enum sent reply_send(struct reply *r, int fd, size_t *ret_bytes);

#endif
