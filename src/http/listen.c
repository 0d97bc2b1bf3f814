#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/str.h"

enum { BACKLOG = 1024 };

static enum rc fail_listen(struct ctx *cx, const char *where, const char *step)
{
    const int error = errno;
    fail(cx, E_FAIL, NULL, "cannot listen on %s: %s", where, strerror(error));
    return fail_detail(cx, E_FAIL, "%s: errno %d", step, error);
}

/* ---- local sockets -------------------------------------------------------------------------- */

static bool somebody_listens(const struct sockaddr_un *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    const int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    const bool is_refused = rc < 0 && (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return !is_refused;
}

/* What a crash left behind is removed; what is in use, or not a socket, is not. */
static bool make_way(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode) || somebody_listens(address)) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(address->sun_path) == 0;
}

/* The mode goes to the socket before it has a name, so it is never open to others. */
static bool bind_local(int fd, const struct sockaddr_un *address)
{
    return fchmod(fd, 0600) == 0 &&
           bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
           listen(fd, BACKLOG) == 0;
}

static enum rc open_local(struct ctx *cx, const char *where, struct listener *ret)
{
    const char *path = where + strlen("unix:");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof(address.sun_path))
        return fail(cx, E_INVALID, NULL, "%s: the path is empty or too long for a socket", where);
    memcpy(address.sun_path, path, len + 1);
    if (!make_way(&address))
        return fail_listen(cx, where, "unlink");
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail_listen(cx, where, "socket");
    if (!bind_local(fd, &address)) {
        const int error = errno;
        close(fd);
        errno = error;
        return fail_listen(cx, where, "bind");
    }
    *ret = (struct listener){.fd = fd, .socket_path = path};
    return OK;
}

/* ---- TCP ------------------------------------------------------------------------------------ */

/* Host and port of "host:port", "[v6]:port" or "*:port". */
static bool split(struct arena *a, const char *where, const char **ret_host, const char **ret_port)
{
    const char *colon = strrchr(where, ':');
    if (!colon || colon == where || !colon[1] || strspn(colon + 1, "0123456789") > 5)
        return false;
    const char *host = where;
    size_t len = (size_t)(colon - where);
    if (host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    *ret_host = len == 1 && *host == '*' ? NULL : arena_strndup(a, host, len);
    *ret_port = colon + 1;
    return true;
}

/* Connections inherit these from the listener: replies go out at once, and a peer that vanished
 * from an open stream is found within minutes. */
static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1},    {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},    {IPPROTO_TCP, TCP_KEEPIDLE, 60},
        {IPPROTO_TCP, TCP_KEEPINTVL, 20}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
    };
    for (int i = 0; i < ARRAY_LEN(options); i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static int bind_tcp(const struct addrinfo *ai)
{
    const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    set_options(fd);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        const int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_in6 address;
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.sin6_port); /* at the same place as sin_port */
}

static enum rc open_tcp(struct ctx *cx, const char *where, struct listener *ret)
{
    const char *host, *port;
    if (!split(cx->arena, where, &host, &port))
        return fail(cx, E_INVALID, NULL, "%s is not an address to listen on, as host:port", where);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    const int error = getaddrinfo(host, port, &hints, &found);
    if (error)
        return fail(cx, E_FAIL, NULL, "cannot listen on %s: %s", where, gai_strerror(error));
    const int fd = bind_tcp(found);
    freeaddrinfo(found);
    if (fd < 0)
        return fail_listen(cx, where, "bind");
    *ret = (struct listener){.fd = fd, .port = port_of(fd)};
    return OK;
}

enum rc listener_open(struct ctx *cx, const char *where, struct listener *ret)
{
    return str_starts(where, "unix:") ? open_local(cx, where, ret) : open_tcp(cx, where, ret);
}

void listener_close(struct listener *l)
{
    close(l->fd);
    if (l->socket_path)
        unlink(l->socket_path);
}

/* ---- connections ---------------------------------------------------------------------------- */

static void know_local(int fd, struct origin *o)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    memcpy(o->peer, "unix", sizeof("unix"));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
        o->uid = cred.uid;
}

static void know_tcp(const struct sockaddr *address, struct origin *o)
{
    const struct sockaddr_in *in = (const void *)address;
    const struct sockaddr_in6 *in6 = (const void *)address;
    o->key = peer_key(address);
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &in->sin_addr, o->peer, sizeof(o->peer));
    else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, o->peer, sizeof(o->peer));
    else
        inet_ntop(AF_INET6, &in6->sin6_addr, o->peer, sizeof(o->peer));
}

int listener_accept(struct listener *l, struct origin *ret)
{
    union {
        struct sockaddr any;
        struct sockaddr_in6 in6;
    } address;
    socklen_t len = sizeof(address);
    const int fd = accept4(l->fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    *ret = (struct origin){.uid = -1};
    if (l->socket_path)
        know_local(fd, ret);
    else
        know_tcp(&address.any, ret);
    return fd;
}
