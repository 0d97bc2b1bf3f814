/* listen.h - addresses to listen on, and the connections that come in there. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>

#include "base/rc.h"
#include "http/peers.h"

struct ctx;

struct listener {
    int fd;
    int port;                /* 0 for a local socket */
    const char *socket_path; /* removed at the end; NULL for TCP */
    struct watch *watch;
    struct http_server *server;
};

/* Where a connection comes from. */
struct origin {
    char peer[46];   /* address text, or "unix" */
    int64_t uid;     /* -1 unless local */
    bool is_counted; /* in the server's peers, under key */
    struct peer_key key;
};

/* "host:port", "[v6]:port", "*:port" or "unix:/path"; path lives as long as the listener. */
enum rc listener_open(struct ctx *cx, const char *where, struct listener *ret);
void listener_close(struct listener *l);

/* The next connection that waits: its descriptor, or -1 with errno. */
int listener_accept(struct listener *l, struct origin *ret);

#endif
