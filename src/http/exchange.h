/* exchange.h - one request and its reply, from the last byte of its head to the last sent.
 *
 * It belongs to its loop's thread, except between workers_push() and its letter's arrival: then it
 * is the worker's. Exchanges are used again, with their arena and reply memory; an idle connection
 * has none.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/http.h"
#include "http/loop.h"
#include "http/parse.h"
#include "http/reply.h"

struct exchange {
    struct letter letter;  /* brings it back from the worker */
    struct exchange *next; /* in a queue, or among the spare ones */
    struct conn *conn;
    struct arena *arena;
    struct request rq;
    struct response rs;
    struct parse parse;
    struct http_admission admission;
    struct buf body;
    struct spool *spool; /* NULL unless the body goes to disk */
    struct reply reply;
    struct http_stream *stream; /* that the handler opened, until the connection has it */
};

struct exchange *exchange_create(void);
void exchange_clear(struct exchange *ex); /* ready for another request */
void exchange_destroy(struct exchange *ex);

#endif
