/* shard.h - what connections ask of their shard. */
#ifndef HTTP_SHARD_H
#define HTTP_SHARD_H

#include <stdbool.h>

struct conn;
struct exchange;
struct http_server;
struct origin;
struct shard;

void shard_init(struct shard *s, struct http_server *server);
void shard_start(struct shard *s, int index);
void shard_join(struct shard *s); /* after it was drained */
void shard_done(struct shard *s);

/* On the shard's thread. */
struct exchange *shard_take(struct shard *s, struct conn *c);
void shard_give(struct shard *s, struct exchange *ex);
bool shard_hand_over(struct shard *s, struct exchange *ex); /* to a worker; false: too many wait */
void shard_drain(struct shard *s);

/* On a worker's thread: the handler, the reply, the end of what the handler deferred; then back. */
void shard_serve(struct exchange *ex, int worker, void *server);

#endif
