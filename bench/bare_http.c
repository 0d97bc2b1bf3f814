/* bare_http.c - libuv, llhttp and SQLite on one loop: the bytes of our GET of one record, without
 * all that makes it a server for people.
 *
 *   bare_http DATABASE PORT      port 0: any free one; it is printed
 *
 * GET /api/v1/incident/NUMBER is answered by one prepared statement and a writer made for just
 * this: the record's row with the names its ids stand for, and the fields of the process in their
 * order. Any sender gets any record; there are no tokens, rights, limits, deadlines, definitions,
 * older versions, aliases, ETags of its own making, log lines or figures.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>
#include <sqlite3.h>
#include <uv.h>

#include "base/arena.h"
#include "base/time.h"
#include "desk.h"

#define MOST_BODY 65536
#define MOST_IN 16384

/* ---- the record ------------------------------------------------------------------------------ */

static const char question[] =
    "SELECT r.number, v.version, r.revision, r.title, r.description, o.id, o.name, c.id, c.name,"
    " c.login, b.id, b.name, b.login, a.id, a.name, a.login, g.id, g.name, r.priority, r.state,"
    " r.status, r.active, r.open_tasks, r.open_children, r.reassignments, r.reopens, r.created_at,"
    " r.updated_at, r.resolved_at, r.closed_at, r.entered_at, r.fields"
    " FROM record r JOIN process_version v ON v.id = r.version_id"
    " JOIN organisation o ON o.id = r.org_id"
    " LEFT JOIN person c ON c.id = r.caller_id LEFT JOIN person b ON b.id = r.opened_by_id"
    " LEFT JOIN person a ON a.id = r.assignee_id LEFT JOIN team g ON g.id = r.group_id"
    " WHERE r.number = ?1";

/* What the process adds, in its order, and which of it are flags. */
static const struct {
    const char *name;
    bool is_flag;
} added[] = {
    {"channel", false},
    {"impact", false},
    {"urgency", false},
    {"category", false},
    {"service", false},
    {"affected_users", false},
    {"vip", true},
    {"major", true},
    {"tier", false},
    {"incident_manager", false},
    {"external_reference", false},
    {"vendor", false},
    {"problem", false},
    {"change", false},
    {"workaround", false},
    {"closure_code", false},
    {"resolution", false},
    {"first_contact", true},
    {"closure", false},
    {"cancel_reason", false},
    {"review", true},
    {"review_result", false},
    {"review_notes", false},
};

struct text {
    char at[MOST_BODY];
    size_t len;
};

static void put(struct text *t, const char *s, size_t len)
{
    if (t->len + len > sizeof(t->at))
        abort();
    memcpy(t->at + t->len, s, len);
    t->len += len;
}

static void puts_(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

static void put_int(struct text *t, int64_t n)
{
    char digits[24];
    puts_(t, (snprintf(digits, sizeof(digits), "%lld", (long long)n), digits));
}

static void put_string(struct text *t, const char *s)
{
    if (!s) {
        puts_(t, "null");
        return;
    }
    puts_(t, "\"");
    for (size_t n; *s; s += n) {
        n = strcspn(s, "\"\\\n\t");
        put(t, s, n);
        if (!s[n])
            break;
        const char escaped[] = {'\\', s[n] == '\n' ? 'n' : s[n] == '\t' ? 't' : s[n]};
        put(t, escaped, 2);
        n++;
    }
    puts_(t, "\"");
}

static void put_instant(struct text *t, int64_t at)
{
    char text[32];

    if (!at) {
        puts_(t, "null");
        return;
    }
    const size_t len = time_write_instant(at, text);
    puts_(t, "\"");
    put(t, text, len);
    puts_(t, "\"");
}

static const char *column(sqlite3_stmt *s, int n)
{
    return (const char *)sqlite3_column_text(s, n);
}

/* {"id":"7","name":"...","login":"..."} from two or three columns. */
static void put_who(struct text *t, const char *key, sqlite3_stmt *s, int n, bool has_login)
{
    puts_(t, key);
    if (sqlite3_column_type(s, n) == SQLITE_NULL) {
        puts_(t, "null");
        return;
    }
    puts_(t, "{\"id\":\"");
    put_int(t, sqlite3_column_int64(s, n));
    puts_(t, "\",\"name\":");
    put_string(t, column(s, n + 1));
    if (has_login) {
        puts_(t, ",\"login\":");
        put_string(t, column(s, n + 2));
    }
    puts_(t, "}");
}

static void put_column_int(struct text *t, const char *key, sqlite3_stmt *s, int n)
{
    puts_(t, key);
    put_int(t, sqlite3_column_int64(s, n));
}

static void put_column_text(struct text *t, const char *key, sqlite3_stmt *s, int n)
{
    puts_(t, key);
    put_string(t, column(s, n));
}

static void put_column_instant(struct text *t, const char *key, sqlite3_stmt *s, int n)
{
    puts_(t, key);
    put_instant(t, sqlite3_column_int64(s, n));
}

static void put_columns(struct text *t, sqlite3_stmt *s)
{
    static const char *const priorities[] = {NULL, "critical", "high", "moderate", "low"};
    static const char *const statuses[] = {"new",      "open",   "pending",
                                           "resolved", "closed", "cancelled"};

    put_column_text(t, "{\"number\":", s, 0);
    put_column_int(t, ",\"process\":\"incident\",\"version\":", s, 1);
    put_column_int(t, ",\"revision\":", s, 2);
    put_column_text(t, ",\"title\":", s, 3);
    put_column_text(t, ",\"description\":", s, 4);
    put_who(t, ",\"organisation\":", s, 5, false);
    put_who(t, ",\"caller\":", s, 7, true);
    put_who(t, ",\"opened_by\":", s, 10, true);
    put_who(t, ",\"assignee\":", s, 13, true);
    put_who(t, ",\"group\":", s, 16, false);
    puts_(t, ",\"priority\":");
    put_string(t, priorities[sqlite3_column_int(s, 18)]);
    put_column_text(t, ",\"state\":", s, 19);
    puts_(t, ",\"status\":");
    put_string(t, statuses[sqlite3_column_int(s, 20)]);
    puts_(t, sqlite3_column_int(s, 21) ? ",\"active\":true" : ",\"active\":false");
    put_column_int(t, ",\"parent\":null,\"open_tasks\":", s, 22);
    put_column_int(t, ",\"open_children\":", s, 23);
    put_column_int(t, ",\"reassignments\":", s, 24);
    put_column_int(t, ",\"reopens\":", s, 25);
    put_column_instant(t, ",\"created\":", s, 26);
    put_column_instant(t, ",\"updated\":", s, 27);
    put_column_instant(t, ",\"resolved\":", s, 28);
    put_column_instant(t, ",\"closed\":", s, 29);
    put_column_instant(t, ",\"entered\":", s, 30);
}

/* The value of the member at *at, whose name is name; fields is flat and in the order of added. */
static bool take_member(const char **at, const char *name, const char **ret, size_t *ret_len)
{
    const size_t len = strlen(name);
    const char *s = *at;

    if (s[1] != '"' || strncmp(s + 2, name, len) != 0 || s[len + 2] != '"')
        return false;
    *ret = s + len + 4;
    const char *end = *ret;
    if (*end == '"') {
        for (end++; *end != '"'; end++)
            end += *end == '\\';
        end++;
    } else {
        end += strcspn(end, ",}");
    }
    *ret_len = (size_t)(end - *ret);
    *at = end;
    return true;
}

static void put_added(struct text *t, const char *fields)
{
    const char *value;
    size_t len;

    for (int i = 0; i < ARRAY_LEN(added); i++) {
        puts_(t, ",\"");
        puts_(t, added[i].name);
        puts_(t, "\":");
        if (!take_member(&fields, added[i].name, &value, &len))
            puts_(t, "null");
        else if (added[i].is_flag)
            puts_(t, *value == '1' ? "true" : "false");
        else
            put(t, value, len);
    }
    puts_(t, "}");
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

struct bare {
    sqlite3 *db;
    sqlite3_stmt *question;
    llhttp_settings_t settings;
    uv_loop_t loop;
    struct text head, body;
};

struct client {
    uv_tcp_t tcp;
    llhttp_t parser;
    struct bare *bare;
    char url[256];
    size_t url_len;
    char in[MOST_IN];
};

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static bool find_record(struct bare *b, const char *url, size_t len)
{
    static const char prefix[] = "/api/v1/incident/";
    sqlite3_stmt *s = b->question;

    b->body.len = 0;
    if (len < sizeof(prefix) || strncmp(url, prefix, sizeof(prefix) - 1) != 0)
        return false;
    sqlite3_bind_text(s, 1, url + sizeof(prefix) - 1, (int)(len - sizeof(prefix) + 1),
                      SQLITE_STATIC);
    const bool is_there = sqlite3_step(s) == SQLITE_ROW;
    if (is_there) {
        put_columns(&b->body, s);
        put_added(&b->body, column(s, 31));
        b->head.len = 0;
        puts_(&b->head, "HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 20:00:00 GMT\r\n"
                        "Content-Type: application/json\r\nContent-Length: ");
        put_int(&b->head, (int64_t)b->body.len);
        puts_(&b->head,
              "\r\nRateLimit-Policy: \"default\";q=1000000;w=60\r\nRateLimit: \"default\";r=999999;"
              "t=1\r\nETag: \"");
        put_int(&b->head, sqlite3_column_int64(s, 2));
        puts_(&b->head,
              "\"\r\nX-Request-Id: e0c702a6-1\r\nContent-Security-Policy: default-src 'none'; "
              "frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: "
              "no-referrer\r\nX-Frame-Options: DENY\r\nCross-Origin-Opener-Policy: same-origin\r\n"
              "Cross-Origin-Resource-Policy: same-origin\r\nPermissions-Policy: camera=(), "
              "geolocation=(), microphone=()\r\nCache-Control: no-store\r\n\r\n");
    }
    sqlite3_reset(s);
    return is_there;
}

static int on_url(llhttp_t *p, const char *at, size_t len)
{
    struct client *c = p->data;

    if (c->url_len + len > sizeof(c->url))
        return -1;
    memcpy(c->url + c->url_len, at, len);
    c->url_len += len;
    return 0;
}

/* The whole reply at once if the socket takes it, as it nearly always does. */
static int on_complete(llhttp_t *p)
{
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    struct client *c = p->data;
    struct bare *b = c->bare;
    const bool is_there = find_record(b, c->url, c->url_len);

    c->url_len = 0;
    uv_buf_t parts[] = {uv_buf_init(b->head.at, (unsigned)b->head.len),
                        uv_buf_init(b->body.at, (unsigned)b->body.len)};
    const uv_buf_t none = {.base = (char *)(uintptr_t)missing, .len = sizeof(missing) - 1};
    const size_t whole = is_there ? b->head.len + b->body.len : none.len;
    const int sent =
        uv_try_write((uv_stream_t *)&c->tcp, is_there ? parts : &none, is_there ? 2 : 1);
    if (sent < 0 || (size_t)sent == whole)
        return sent < 0 && sent != UV_EAGAIN ? -1 : 0;
    fprintf(stderr, "a reader that is too slow\n");
    return -1;
}

static void on_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *ret)
{
    struct client *c = h->data;
    (void)wanted;
    *ret = uv_buf_init(c->in, sizeof(c->in));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;

    if (n < 0 || (n > 0 && llhttp_execute(&c->parser, buf->base, (size_t)n) != HPE_OK))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct bare *b = listener->data;
    struct client *c = calloc(1, sizeof(*c));

    if (status < 0 || !c)
        abort();
    c->bare = b;
    llhttp_init(&c->parser, HTTP_REQUEST, &b->settings);
    c->parser.data = c;
    uv_tcp_init(&b->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void must_sqlite(struct bare *b, int code)
{
    if (code == SQLITE_OK)
        return;
    fprintf(stderr, "%s\n", sqlite3_errmsg(b->db));
    exit(1);
}

int main(int argc, char **argv)
{
    static struct bare b;
    struct sockaddr_in address;
    uv_tcp_t listener;

    if (argc != 3) {
        fprintf(stderr, "usage: bare_http DATABASE PORT\n");
        return 2;
    }
    must_sqlite(&b, sqlite3_open_v2(argv[1], &b.db, SQLITE_OPEN_READONLY, NULL));
    must_sqlite(
        &b, sqlite3_prepare_v3(b.db, question, -1, SQLITE_PREPARE_PERSISTENT, &b.question, NULL));
    llhttp_settings_init(&b.settings);
    b.settings.on_url = on_url;
    b.settings.on_message_complete = on_complete;
    uv_loop_init(&b.loop);
    uv_tcp_init(&b.loop, &listener);
    listener.data = &b;
    uv_ip4_addr("127.0.0.1", (int)must_int(argv[2]), &address);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 128, on_connection) != 0) {
        fprintf(stderr, "cannot listen on port %s\n", argv[2]);
        return 1;
    }
    struct sockaddr_storage bound;
    int len = sizeof(bound);
    uv_tcp_getsockname(&listener, (struct sockaddr *)&bound, &len);
    printf("ready %d\n", ntohs(((const struct sockaddr_in *)(const void *)&bound)->sin_port));
    fflush(stdout);
    return uv_run(&b.loop, UV_RUN_DEFAULT);
}
