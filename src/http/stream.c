#include "http/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/conn.h"
#include "http/exchange.h"
#include "http/memory.h"
#include "http/server.h"

enum { MOST_WAITING = 64 << 10, MOST_PARTS = 32 };
enum what { DATA, LAST, CUT };

/* Bytes on their way from a sender's thread to the socket. */
struct block {
    struct letter letter;
    struct http_stream *stream;
    struct block *next;
    enum what what;
    size_t len;
    char bytes[];
};

struct http_stream {
    atomic_int holders; /* the caller, the connection, each block under way */
    struct loop *loop;
    bool is_chunked;

    pthread_mutex_t lock; /* of these two; held while posting, so none is posted after the end */
    bool is_open;
    size_t waiting; /* bytes given and not yet taken by the socket */

    /* the loop's */
    struct conn *conn; /* NULL: gone */
    struct block *first, **last;
    size_t sent; /* of the first */
    bool is_cut, is_ended;
};

static void drop(struct http_stream *s)
{
    if (atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) > 1)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- the loop's side ------------------------------------------------------------------------ */

static void free_block(struct block *b)
{
    struct http_stream *s = b->stream;
    free(b);
    drop(s);
}

static void on_block(struct letter *letter)
{
    struct block *b = (struct block *)(void *)letter;
    struct http_stream *s = b->stream;
    if (!s->conn) {
        free_block(b);
        return;
    }
    s->is_ended |= b->what == LAST;
    s->is_cut |= b->what == CUT;
    *s->last = b;
    s->last = &b->next;
    conn_wrote(s->conn);
}

bool stream_is_chunked(const struct http_stream *s)
{
    return s->is_chunked;
}

bool stream_is_cut(const struct http_stream *s)
{
    return s->is_cut;
}

bool stream_is_over(const struct http_stream *s)
{
    return s->is_ended && !s->first;
}

bool stream_is_waiting(const struct http_stream *s)
{
    return s->first;
}

static void forget_first(struct http_stream *s)
{
    struct block *b = s->first;
    s->first = b->next;
    if (!s->first)
        s->last = &s->first;
    s->sent = 0;
    free_block(b);
}

static void forget_sent(struct http_stream *s, size_t n)
{
    pthread_mutex_lock(&s->lock);
    s->waiting -= n;
    pthread_mutex_unlock(&s->lock);
    while (s->first && s->sent + n >= s->first->len) {
        n -= s->first->len - s->sent;
        forget_first(s);
    }
    s->sent += n;
}

static int collect(const struct http_stream *s, struct iovec *parts)
{
    int count = 0;
    size_t skip = s->sent;
    for (struct block *b = s->first; b && count < MOST_PARTS; b = b->next) {
        parts[count++] = (struct iovec){b->bytes + skip, b->len - skip};
        skip = 0;
    }
    return count;
}

enum sent stream_flush(struct http_stream *s, int fd, size_t *ret_bytes)
{
    *ret_bytes = 0;
    while (s->first) {
        struct iovec parts[MOST_PARTS];
        const struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)collect(s, parts)};
        const ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN ? SENT_PART : SENT_NEVER;
        *ret_bytes += (size_t)n;
        forget_sent(s, (size_t)n);
    }
    return SENT_ALL;
}

void stream_detach(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_open = false;
    pthread_mutex_unlock(&s->lock);
    s->conn = NULL;
    while (s->first)
        forget_first(s);
    drop(s);
}

/* ---- the sender's side ---------------------------------------------------------------------- */

struct http_stream *http_stream_open(struct request *rq, struct response *rs)
{
    struct exchange *ex = (void *)((char *)rq - offsetof(struct exchange, rq));
    if (ex->stream || rs != &ex->rs)
        BUG("a stream opened twice, or for another request's response");
    struct http_stream *s = memory_get(sizeof(*s));
    atomic_init(&s->holders, 2);
    pthread_mutex_init(&s->lock, NULL);
    s->loop = conn_shard(ex->conn)->loop;
    s->is_chunked = ex->parse.keeps_alive && !ex->parse.is_http10;
    s->is_open = true;
    s->conn = ex->conn;
    s->last = &s->first;
    ex->stream = rs->stream = s;
    return s;
}

/* With the lock held, while the stream is open. */
static void post(struct http_stream *s, struct block *b)
{
    b->letter.read = on_block;
    b->stream = s;
    atomic_fetch_add_explicit(&s->holders, 1, memory_order_relaxed);
    s->waiting += b->len;
    loop_post(s->loop, &b->letter);
}

static struct block *block_of(enum what what, const char *head, const char *bytes, size_t len,
                              const char *tail)
{
    const size_t head_len = strlen(head), tail_len = strlen(tail);
    struct block *b = memory_get(sizeof(*b) + head_len + len + tail_len);
    b->what = what;
    b->len = head_len + len + tail_len;
    memcpy(b->bytes, head, head_len);
    if (len)
        memcpy(b->bytes + head_len, bytes, len);
    memcpy(b->bytes + head_len + len, tail, tail_len);
    return b;
}

bool http_stream_send(struct http_stream *s, const char *bytes, size_t len)
{
    if (len == 0)
        return http_stream_is_open(s);
    char size[24] = "";
    if (s->is_chunked)
        snprintf(size, sizeof(size), "%zx\r\n", len);

    pthread_mutex_lock(&s->lock);
    const bool is_too_much = s->is_open && s->waiting + len > MOST_WAITING;
    if (is_too_much)
        post(s, block_of(CUT, "", NULL, 0, ""));
    else if (s->is_open)
        post(s, block_of(DATA, size, bytes, len, s->is_chunked ? "\r\n" : ""));
    s->is_open &= !is_too_much;
    const bool is_sent = s->is_open;
    pthread_mutex_unlock(&s->lock);
    return is_sent;
}

size_t http_stream_waiting(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    const size_t waiting = s->waiting;
    pthread_mutex_unlock(&s->lock);
    return waiting;
}

bool http_stream_is_open(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    const bool is_open = s->is_open;
    pthread_mutex_unlock(&s->lock);
    return is_open;
}

void http_stream_close(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->is_open)
        post(s, block_of(LAST, s->is_chunked ? "0\r\n\r\n" : "", NULL, 0, ""));
    s->is_open = false;
    pthread_mutex_unlock(&s->lock);
}

void http_stream_release(struct http_stream *s)
{
    drop(s);
}
