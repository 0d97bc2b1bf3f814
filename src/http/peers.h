/* peers.h - who is connected, and how often; for the limit per peer. Any thread.
 *
 * An IPv6 peer is its /64: a single customer has that many addresses.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

struct peer_key {
    uint64_t high, low;
};

enum { PEER_BUCKETS = 1024 };

struct peers {
    pthread_mutex_t lock;
    struct peer *buckets[PEER_BUCKETS];
};

void peers_init(struct peers *p);
void peers_done(struct peers *p);

struct peer_key peer_key(const struct sockaddr *address);
bool peers_enter(struct peers *p, struct peer_key key, int limit); /* false: too many already */
void peers_leave(struct peers *p, struct peer_key key);

#endif
