/* conn.h - one connection: a state, and a function for each state that takes the next step.
 *
 * One request at a time: what a sender pipelines waits as bytes until the reply before it is sent,
 * so replies leave strictly in order. A connection costs some 500 bytes; a buffer only while part
 * of a request waits for the rest, an exchange only from the end of a head to the end of its reply.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "http/listen.h"
#include "http/parse.h"
#include "http/wheel.h"

struct conn;
struct exchange;
struct http_stream;
struct shard;

/* Takes the descriptor; on the shard's thread, as all of these. */
void conn_open(struct shard *shard, int fd, const struct origin *origin);
void conn_close(struct conn *c);       /* at once, whatever is under way */
void conn_drain(struct conn *c);       /* the server stops: end soon, but end well */
void conn_return(struct exchange *ex); /* the worker is done */
void conn_wrote(struct conn *c);       /* its stream has something new, or ends */
void conn_send_stream(struct conn *c); /* what conn_wrote() put off to the end of the round */
struct conn *conn_next(const struct conn *c); /* of its shard */
struct conn *conn_next_unsent(const struct conn *c);
void conn_free_dead(struct shard *shard);

/* The shard that an exchange's connection belongs to; from any thread. */
struct shard *conn_shard(const struct conn *c);

#endif
