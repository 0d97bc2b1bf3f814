/* load.c - a load generator for the loopback: keep-alive connections on one epoll loop.
 *
 *   load HOST:PORT TOKENS WHAT CONNECTIONS COUNT SECONDS [RECORDS]
 *
 *   create   incidents with titles of their own
 *   read     one incident, at random among RECORDS
 *   list     50 open incidents of a group by priority
 *   search   words, the most relevant first
 *   tally    counts by state, group and priority
 *   plain    GET / for servers that know nothing else
 *
 * TOKENS is a file of API tokens, a line each; connections take them in turn. Each connection sends
 * its next request when the last reply is complete. It ends after COUNT replies or so many SECONDS,
 * whatever comes first, and prints one line of JSON as the other programs do, with errors (replies
 * other than 2xx, broken connections) beside.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "desk.h"

#define MOST_CONNECTIONS 1000
#define MOST_TOKENS 64
#define MOST_REQUEST 2048
#define MOST_HEAD 8192

struct load;

struct connection {
    int fd;
    const char *token;
    int64_t began;
    char request[MOST_REQUEST];
    size_t request_len, sent;
    char head[MOST_HEAD]; /* of the reply, and what of the body came with it */
    size_t head_len;
    bool has_head;
    size_t body_left;
};

struct load {
    char host[64], tokens[MOST_TOKENS][200];
    int token_count;
    void (*write)(struct load *l, struct connection *c);
    int64_t most, until, sent, records, errors;
    uint64_t chance;
    int open, poll;
    struct sockaddr_in address;
    struct meter times;
    struct connection connections[MOST_CONNECTIONS];
};

/* ---- requests ------------------------------------------------------------------------------- */

/* xorshift64* */
static int64_t below(struct load *l, int64_t n)
{
    l->chance ^= l->chance >> 12;
    l->chance ^= l->chance << 25;
    l->chance ^= l->chance >> 27;
    return (int64_t)((l->chance * UINT64_C(0x2545f4914f6cdd1d) >> 33) % (uint64_t)n);
}

static void set_request(struct load *l, struct connection *c, const char *method,
                        const char *target, const char *body)
{
    const int n =
        snprintf(c->request, sizeof(c->request),
                 "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s", method, target,
                 l->host, c->token, body ? "Content-Type: application/json\r\n" : "");
    const int m = body ? snprintf(c->request + n, sizeof(c->request) - (size_t)n,
                                  "Content-Length: %zu\r\n\r\n%s", strlen(body), body)
                       : snprintf(c->request + n, sizeof(c->request) - (size_t)n, "\r\n");
    c->request_len = (size_t)(n + m);
}

static void write_create(struct load *l, struct connection *c)
{
    char body[512];

    snprintf(body, sizeof(body),
             "{\"title\":\"Printer %lld jams on the second floor\",\"description\":\"Every third "
             "page is crumpled. Cleaning did not help.\",\"impact\":\"moderate\",\"urgency\":"
             "\"medium\",\"channel\":\"phone\"}",
             (long long)l->sent);
    set_request(l, c, "POST", "/api/v1/incident", body);
}

static void write_read(struct load *l, struct connection *c)
{
    char target[64];

    snprintf(target, sizeof(target), "/api/v1/incident/INC-%lld",
             (long long)below(l, l->records) + 1);
    set_request(l, c, "GET", target, NULL);
}

static void write_list(struct load *l, struct connection *c)
{
    static const char *const groups[] = {"Workplace", "Network", "Applications", "Servers",
                                         "Database"};
    char target[128];

    snprintf(target, sizeof(target),
             "/api/v1/incident?q=active%%20AND%%20group=%%22%s%%22&sort=priority&limit=50",
             groups[below(l, ARRAY_LEN(groups))]);
    set_request(l, c, "GET", target, NULL);
}

static void write_search(struct load *l, struct connection *c)
{
    static const char *const words[] = {"printer",
                                        "password%20expired",
                                        "vpn%20drops",
                                        "mail%20outside",
                                        "%22second%20screen%22",
                                        "sales%20report",
                                        "certificate",
                                        "error%20503"};
    char target[128];

    snprintf(target, sizeof(target), "/api/v1/search?q=%s&process=incident&limit=50",
             words[below(l, ARRAY_LEN(words))]);
    set_request(l, c, "GET", target, NULL);
}

static void write_tally(struct load *l, struct connection *c)
{
    set_request(l, c, "GET", "/api/v1/tally?process=incident", NULL);
}

static void write_plain(struct load *l, struct connection *c)
{
    set_request(l, c, "GET", "/", NULL);
}

static const struct {
    const char *name;
    void (*write)(struct load *l, struct connection *c);
} kinds[] = {
    {"create", write_create}, {"read", write_read},   {"list", write_list},
    {"search", write_search}, {"tally", write_tally}, {"plain", write_plain},
};

/* ---- connections ---------------------------------------------------------------------------- */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void drop(struct load *l, struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    l->open--;
}

static void connect_one(struct load *l, struct connection *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    const int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&l->address, sizeof(l->address)) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(l->poll, EPOLL_CTL_ADD, c->fd, &e) != 0)
        die("epoll_ctl");
    l->open++;
}

/* Requests are small: they go out whole, or the connection is not worth keeping. */
static void send_next(struct load *l, struct connection *c)
{
    if (l->sent >= l->most || meter_now() >= l->until) {
        drop(l, c);
        return;
    }
    l->write(l, c);
    l->sent++;
    c->head_len = c->body_left = 0;
    c->has_head = false;
    c->began = meter_now();
    if (send(c->fd, c->request, c->request_len, MSG_NOSIGNAL) == (ssize_t)c->request_len)
        return;
    l->errors++;
    drop(l, c);
}

static void finish(struct load *l, struct connection *c)
{
    const bool is_good = c->head[9] == '2'; /* HTTP/1.1 2xx */

    if (is_good) {
        meter_add(&l->times, meter_now() - c->began);
    } else if (l->errors++ == 0) {
        fprintf(stderr, "%.*s\n", (int)c->head_len, c->head);
    }
    send_next(l, c);
}

static size_t content_length(const char *head)
{
    static const char name[] = "\ncontent-length:";

    for (const char *s = head; *s; s++) {
        if (*s == '\n' && strncasecmp(s, name, sizeof(name) - 1) == 0)
            return strtoul(s + sizeof(name) - 1, NULL, 10);
    }
    return 0;
}

static void take_head(struct connection *c)
{
    const char *end = strstr(c->head, "\r\n\r\n");

    if (!end)
        return;
    const size_t came = c->head_len - (size_t)(end + 4 - c->head);
    const size_t length = content_length(c->head);
    c->has_head = true;
    c->body_left = length > came ? length - came : 0;
}

static ssize_t receive(struct connection *c)
{
    static char body[1 << 16];

    if (c->has_head) {
        const ssize_t n = recv(c->fd, body, sizeof(body), MSG_DONTWAIT);
        if (n > 0)
            c->body_left -= (size_t)n < c->body_left ? (size_t)n : c->body_left;
        return n;
    }
    const ssize_t n =
        recv(c->fd, c->head + c->head_len, sizeof(c->head) - 1 - c->head_len, MSG_DONTWAIT);
    if (n > 0) {
        c->head_len += (size_t)n;
        c->head[c->head_len] = '\0';
        take_head(c);
    }
    return n;
}

static void on_readable(struct load *l, struct connection *c)
{
    const ssize_t n = receive(c);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        l->errors++;
        drop(l, c);
        return;
    }
    if (c->has_head && !c->body_left)
        finish(l, c);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void run(struct load *l, int connections)
{
    struct epoll_event events[64];

    l->poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < connections; i++)
        connect_one(l, &l->connections[i]);
    for (int i = 0; i < connections; i++)
        send_next(l, &l->connections[i]);
    while (l->open) {
        const int n = epoll_wait(l->poll, events, ARRAY_LEN(events), 60000);
        if (n == 0) {
            fprintf(stderr, "no reply for a minute\n");
            exit(1);
        }
        for (int i = 0; i < n; i++)
            on_readable(l, events[i].data.ptr);
    }
    close(l->poll);
}

static void read_tokens(struct load *l, const char *path)
{
    FILE *f = fopen(path, "re");

    if (!f)
        die(path);
    while (l->token_count < MOST_TOKENS &&
           fgets(l->tokens[l->token_count], sizeof(l->tokens[0]), f)) {
        char *token = l->tokens[l->token_count++];
        token[strcspn(token, "\n")] = '\0';
    }
    fclose(f);
    for (int i = 0; i < MOST_CONNECTIONS; i++)
        l->connections[i].token = l->tokens[l->token_count ? i % l->token_count : 0];
}

static void read_address(struct load *l, const char *text)
{
    const size_t len = strcspn(text, ":");

    snprintf(l->host, sizeof(l->host), "%s", text);
    char host[64];
    snprintf(host, sizeof(host), "%.*s", (int)len, text);
    l->address = (struct sockaddr_in){.sin_family = AF_INET};
    if (text[len] != ':' || inet_pton(AF_INET, host, &l->address.sin_addr) != 1) {
        fprintf(stderr, "%s is not an address as 127.0.0.1:8080\n", text);
        exit(2);
    }
    l->address.sin_port = htons((uint16_t)must_int(text + len + 1));
}

int main(int argc, char **argv)
{
    static struct load l = {.chance = 42};

    for (int i = 0; i < ARRAY_LEN(kinds) && argc >= 7; i++) {
        if (str_equal(argv[3], kinds[i].name))
            l.write = kinds[i].write;
    }
    const int connections = argc >= 7 ? (int)must_int(argv[4]) : 0;
    if (!l.write || connections < 1 || connections > MOST_CONNECTIONS) {
        fprintf(stderr, "usage: load HOST:PORT TOKENS create|read|list|search|tally|plain "
                        "CONNECTIONS COUNT SECONDS [RECORDS]\n");
        return 2;
    }
    read_address(&l, argv[1]);
    read_tokens(&l, argv[2]);
    l.most = must_int(argv[5]);
    l.records = argc > 7 ? must_int(argv[7]) : 1;
    const int64_t began = meter_now();
    l.until = began + must_int(argv[6]) * INT64_C(1000000000);
    run(&l, connections);
    meter_print(&l.times, argv[3], meter_now() - began, meter_cpu());
    meter_done(&l.times);
    if (l.errors)
        fprintf(stderr, "%lld errors\n", (long long)l.errors);
    return l.errors > 0;
}
