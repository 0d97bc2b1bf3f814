/* server.h - the parts of a running server, as the files of this module share them.
 *
 * A shard is one event loop with its thread and everything only that thread touches. Connections
 * are dealt to the shards in turn and stay there.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"
#include "http/listen.h"
#include "http/loop.h"
#include "http/peers.h"
#include "http/wheel.h"

enum { READ_BUFFER = 64 << 10, MAX_LISTENERS = 4 };

/* Health is asked of a thread of its own, so that it is answered whatever the others do. */
enum crew { NORMAL, URGENT, CREWS };

struct batch {
    struct exchange *first, **last;
    int count;
};

struct shard {
    struct http_server *server;
    struct loop *loop;
    pthread_t thread;
    struct wheel wheel;
    struct conn *conns; /* all of them, newest first */
    struct conn *dead;  /* to be freed at the end of the round */
    int conn_count;
    int away_count; /* exchanges that are with a worker */

    struct batch batches[CREWS]; /* for the workers, handed over once a round */
    struct exchange *spare;
    int spare_count;
    struct conn *unsent; /* streams with something new to write */

    bool is_draining;
    struct deadline cut; /* when draining has to end */
    struct letter drain; /* tells it to */
    char *buffer;        /* what a socket had to read, shared by all connections */
};

struct http_server {
    struct http_config config; /* its texts are in arena */
    struct arena *arena;
    struct shard *shards;
    int shard_count, next_shard;
    struct workers *crews[CREWS]; /* NULL once stopped */
    struct spooler *spooler;
    struct listener listeners[MAX_LISTENERS];
    int listener_count;
    int reserve_fd; /* given up to accept one connection when there are no descriptors left */
    struct peers peers;
    int max_connections;
    atomic_bool is_draining;
    _Atomic uint64_t next_id;
    _Atomic int64_t connections, streams, refused, body_bytes;
};

#endif
