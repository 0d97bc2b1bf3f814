#include "http/peers.h"

#include <netinet/in.h>
#include <string.h>

#include "http/memory.h"

struct peer {
    struct peer *next;
    struct peer_key key;
    int count;
};

void peers_init(struct peers *p)
{
    *p = (struct peers){0};
    pthread_mutex_init(&p->lock, NULL);
}

void peers_done(struct peers *p)
{
    pthread_mutex_destroy(&p->lock);
}

struct peer_key peer_key(const struct sockaddr *address)
{
    struct peer_key key = {0};
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        key.low = in->sin_addr.s_addr;
        return key;
    }
    const struct sockaddr_in6 *in6 = (const void *)address;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        memcpy(&key.low, in6->sin6_addr.s6_addr + 12, 4);
    else
        memcpy(&key.high, in6->sin6_addr.s6_addr, 8);
    return key;
}

/* Where the peer of that key hangs, or would. */
static struct peer **find(struct peers *p, struct peer_key key)
{
    const uint64_t mixed = (key.high ^ key.low) * UINT64_C(0x9e3779b97f4a7c15);
    struct peer **at = &p->buckets[mixed >> 54];
    while (*at && ((*at)->key.high != key.high || (*at)->key.low != key.low))
        at = &(*at)->next;
    return at;
}

bool peers_enter(struct peers *p, struct peer_key key, int limit)
{
    pthread_mutex_lock(&p->lock);
    struct peer **at = find(p, key);
    if (!*at) {
        *at = memory_get(sizeof(**at));
        (*at)->key = key;
    }
    const bool may = (*at)->count < limit;
    if (may)
        (*at)->count++;
    pthread_mutex_unlock(&p->lock);
    return may;
}

void peers_leave(struct peers *p, struct peer_key key)
{
    pthread_mutex_lock(&p->lock);
    struct peer **at = find(p, key);
    struct peer *peer = *at;
    if (--peer->count == 0) {
        *at = peer->next;
        free(peer);
    }
    pthread_mutex_unlock(&p->lock);
}
