#include "http/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "http/memory.h"

enum { KEPT_ROOM = 64 << 10, SMALL_ROOM = 4 << 10, FILE_PART = 256 << 10 };

/* extra: what a problem of that status has to carry. */
static const struct status {
    int code;
    const char *title, *extra;
} statuses[] = {
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {207, "Multi-Status", ""},
    {301, "Moved Permanently", ""},
    {302, "Found", ""},
    {303, "See Other", ""},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", ""},
    {308, "Permanent Redirect", ""},
    {400, "Bad Request", ""},
    {401, "Unauthorized", ""},
    {403, "Forbidden", ""},
    {404, "Not Found", ""},
    {405, "Method Not Allowed", "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"},
    {406, "Not Acceptable", ""},
    {408, "Request Timeout", ""},
    {409, "Conflict", ""},
    {410, "Gone", ""},
    {412, "Precondition Failed", ""},
    {413, "Content Too Large", ""},
    {414, "URI Too Long", ""},
    {415, "Unsupported Media Type", ""},
    {416, "Range Not Satisfiable", ""},
    {417, "Expectation Failed", ""},
    {422, "Unprocessable Content", ""},
    {428, "Precondition Required", ""},
    {429, "Too Many Requests", ""},
    {431, "Request Header Fields Too Large", ""},
    {500, "Internal Server Error", ""},
    {501, "Not Implemented", ""},
    {502, "Bad Gateway", ""},
    {503, "Service Unavailable", "Retry-After: 1\r\n"},
    {504, "Gateway Timeout", ""},
    {505, "HTTP Version Not Supported", ""},
    {507, "Insufficient Storage", ""},
};

static const struct status *status_of(int code)
{
    static const struct status other = {0, "Other", ""};
    for (int i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].code == code)
            return &statuses[i];
    return &other;
}

/* ---- memory --------------------------------------------------------------------------------- */

void reply_init(struct reply *r)
{
    *r = (struct reply){.fd = -1};
}

void reply_clear(struct reply *r)
{
    if (r->fd >= 0)
        close(r->fd);
    char *text = r->text;
    size_t room = r->room;
    if (room > KEPT_ROOM) {
        free(text);
        text = NULL;
        room = 0;
    }
    *r = (struct reply){.text = text, .room = room, .fd = -1};
}

void reply_done(struct reply *r)
{
    reply_clear(r);
    free(r->text);
    reply_init(r);
}

static void make_room(struct reply *r, size_t len)
{
    if (r->room - r->len >= len)
        return;
    size_t room = r->len + len;
    if (room < SMALL_ROOM)
        room = SMALL_ROOM;
    r->text = memory_grow(r->text, room);
    r->room = room;
}

static void put_bytes(struct reply *r, const char *bytes, size_t len)
{
    make_room(r, len);
    if (len)
        memcpy(r->text + r->len, bytes, len);
    r->len += len;
}

static void put(struct reply *r, const char *s)
{
    put_bytes(r, s, strlen(s));
}

static void put_number(struct reply *r, int64_t n)
{
    char digits[20];
    char *at = digits + sizeof(digits);
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put_bytes(r, at, (size_t)(digits + sizeof(digits) - at));
}

/* ---- head ----------------------------------------------------------------------------------- */

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void two_digits(char *at, int n)
{
    at[0] = (char)('0' + n / 10);
    at[1] = (char)('0' + n % 10);
}

enum { DATE_LEN = 37 };

/* RFC 9110, 5.6.7; the names are English whatever the locale says. */
static void write_date(char ret[static DATE_LEN + 1], time_t now)
{
    struct tm tm;
    gmtime_r(&now, &tm);
    memcpy(ret, "Date: Sun, 00 Jan 0000 00:00:00 GMT\r\n", DATE_LEN + 1);
    memcpy(ret + 6, day_names[tm.tm_wday], 3);
    two_digits(ret + 11, tm.tm_mday);
    memcpy(ret + 14, month_names[tm.tm_mon], 3);
    two_digits(ret + 18, (tm.tm_year + 1900) / 100);
    two_digits(ret + 20, tm.tm_year % 100);
    two_digits(ret + 23, tm.tm_hour);
    two_digits(ret + 26, tm.tm_min);
    two_digits(ret + 29, tm.tm_sec);
}

/* Written once a second per thread. */
static void put_date(struct reply *r)
{
    static _Thread_local time_t second = -1;
    static _Thread_local char text[DATE_LEN + 1];
    const time_t now = (time_t)(clock_now() / US_PER_S);
    if (now != second) {
        write_date(text, now);
        second = now;
    }
    put_bytes(r, text, DATE_LEN);
}

static void put_status(struct reply *r, int status)
{
    put(r, "HTTP/1.1 ");
    put_number(r, status);
    put(r, " ");
    put(r, status_of(status)->title);
    put(r, "\r\n");
    put_date(r);
}

static void put_field(struct reply *r, const char *name, const char *value)
{
    put(r, name);
    put(r, ": ");
    put(r, value);
    put(r, "\r\n");
}

static void put_end(struct reply *r, enum reply_end end)
{
    static const char *const lines[] = {
        [REPLY_KEEP] = "\r\n",
        [REPLY_KEEP_HTTP10] = "Connection: keep-alive\r\n\r\n",
        [REPLY_CLOSE] = "Connection: close\r\n\r\n",
    };
    put(r, lines[end]);
    r->end = end;
}

/* ---- responses ------------------------------------------------------------------------------ */

static bool is_visible(const char *s)
{
    for (; *s; s++)
        if ((*s >= 0 && *s < 0x20 && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

/* Those are for this module to say. */
static bool is_ours(const char *name)
{
    static const char *const ours[] = {"connection", "content-length", "transfer-encoding", "date"};
    for (int i = 0; i < ARRAY_LEN(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

void response_header(struct response *rs, struct arena *a, const char *name, const char *value)
{
    if (!*name || strpbrk(name, " \t:()<>@,;\\\"/[]?={}") || !is_visible(name) || is_ours(name))
        BUG("a response header with a name that is not allowed");
    if (!is_visible(value))
        BUG("a response header with a control character in its value");
    struct http_pair *header = list_add(a, &rs->headers, sizeof(*header));
    header->name = arena_strdup(a, name);
    header->value = arena_strdup(a, value);
}

/* Opens the file and takes its length; false when it is not there to be read. */
static bool open_file(struct reply *r, const char *path)
{
    struct stat st;
    r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (r->fd < 0 || fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    r->file_end = st.st_size;
    posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    posix_fadvise(r->fd, 0, FILE_PART, POSIX_FADV_WILLNEED);
    return true;
}

static size_t body_len(const struct reply *r, const struct response *rs)
{
    if (r->fd >= 0)
        return (size_t)r->file_end;
    return rs->static_body ? rs->static_len : rs->body.len;
}

static int status_with(const struct response *rs, size_t len)
{
    if (rs->status)
        return rs->status;
    return len > 0 || rs->type || rs->stream ? 200 : 204;
}

/* Neither may announce a length or have a body (RFC 9110, 8.6). */
static bool is_bodiless(int status)
{
    return status == 204 || status == 304;
}

static void put_length(struct reply *r, const struct response *rs, int status, size_t len)
{
    if (rs->stream && r->end != REPLY_CLOSE) {
        put(r, "Transfer-Encoding: chunked\r\n");
        return;
    }
    if (rs->stream || is_bodiless(status))
        return;
    put(r, "Content-Length: ");
    put_number(r, (int64_t)len);
    put(r, "\r\n");
}

static void drop_file(struct reply *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->file_end = 0;
}

static void put_body(struct reply *r, const struct response *rs, size_t len)
{
    if (r->fd >= 0)
        return;
    if (rs->static_body) {
        r->fixed = rs->static_body;
        r->fixed_len = len;
    } else {
        put_bytes(r, buf_text(&rs->body), len);
    }
}

void reply_write(struct reply *r, const struct request *rq, const struct response *rs,
                 enum reply_end end)
{
    reply_clear(r);
    if (rs->file && !open_file(r, rs->file)) {
        reply_problem(r, rq->method, 500, end);
        return;
    }
    const size_t len = body_len(r, rs);
    const int status = status_with(rs, len);
    make_room(r, 512 + (rs->static_body ? 0 : rs->body.len));
    r->end = end;
    put_status(r, status);
    if (rs->type && !is_bodiless(status))
        put_field(r, "Content-Type", rs->type);
    put_length(r, rs, status, len);
    const struct http_pair *header = rs->headers.at;
    for (int i = 0; i < rs->headers.count; i++)
        put_field(r, header[i].name, header[i].value);
    put_end(r, end);
    if (rq->method == HTTP_HEAD_ || is_bodiless(status) || rs->stream)
        drop_file(r);
    else
        put_body(r, rs, len);
}

void reply_problem(struct reply *r, enum http_method method, int status, enum reply_end end)
{
    const struct status *s = status_of(status);
    reply_clear(r);
    put_status(r, status);
    put_field(r, "Content-Type", "application/problem+json");
    put(r, s->extra);
    /* {"type":"about:blank","title":"","status":400} without the title. */
    put(r, "Content-Length: ");
    put_number(r, (int64_t)strlen(s->title) + 46);
    put(r, "\r\n");
    put_end(r, end);
    if (method == HTTP_HEAD_)
        return;
    put(r, "{\"type\":\"about:blank\",\"title\":\"");
    put(r, s->title);
    put(r, "\",\"status\":");
    put_number(r, status);
    put(r, "}");
}

/* ---- sending -------------------------------------------------------------------------------- */

static enum sent send_result(ssize_t n)
{
    if (n >= 0)
        return SENT_ALL;
    return errno == EAGAIN || errno == EINTR ? SENT_PART : SENT_NEVER;
}

/* `sent` counts through the text and what follows it. */
static enum sent send_memory(struct reply *r, int fd, size_t *ret_bytes)
{
    while (r->sent < r->len + r->fixed_len) {
        const size_t text_left = r->sent < r->len ? r->len - r->sent : 0;
        const size_t fixed_at = r->sent > r->len ? r->sent - r->len : 0;
        struct iovec parts[2] = {
            {r->text + (text_left ? r->sent : 0), text_left},
            {(void *)(uintptr_t)(r->fixed_len ? r->fixed + fixed_at : r->text),
             r->fixed_len - fixed_at},
        };
        const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        const int more = r->file_end > 0 ? MSG_MORE : 0;
        const ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
        if (n < 0)
            return send_result(n);
        r->sent += (size_t)n;
        *ret_bytes += (size_t)n;
    }
    return SENT_ALL;
}

/* A part only, so that one large file does not keep the loop from the others. A file that became
 * shorter meanwhile cannot be finished as announced: the connection is cut. */
static enum sent send_file(struct reply *r, int fd, size_t *ret_bytes)
{
    const int64_t left = r->file_end - r->file_at;
    if (left == 0)
        return SENT_ALL;
    off_t at = r->file_at;
    const ssize_t n = sendfile(fd, r->fd, &at, left < FILE_PART ? (size_t)left : FILE_PART);
    if (n <= 0)
        return n == 0 ? SENT_NEVER : send_result(n);
    r->file_at += n;
    *ret_bytes += (size_t)n;
    return r->file_at == r->file_end ? SENT_ALL : SENT_PART;
}

enum sent reply_send(struct reply *r, int fd, size_t *ret_bytes)
{
    *ret_bytes = 0;
    const enum sent sent = send_memory(r, fd, ret_bytes);
    return sent == SENT_ALL && r->fd >= 0 ? send_file(r, fd, ret_bytes) : sent;
}
