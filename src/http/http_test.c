#include "http/harness.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "base/secret.h"

static struct harness h;

static int begin(void **state)
{
    (void)state;
    harness_init(&h);
    return 0;
}

static int end(void **state)
{
    (void)state;
    harness_done(&h);
    return 0;
}

/* ---- helpers -------------------------------------------------------------------------------- */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static int dial_sure(void)
{
    const int fd = dial(&h);
    assert_true(fd >= 0);
    return fd;
}

static int ask_once(const char *request, struct answer *ret)
{
    const int fd = dial_sure();
    const int status = ask(fd, request, ret);
    close(fd);
    return status;
}

static bool soon(bool (*is_so)(void))
{
    for (int i = 0; i < 500; i++) {
        if (is_so())
            return true;
        sleep_ms(10);
    }
    return false;
}

static bool is_deserted(void)
{
    return http_figures(h.server).connections == 0;
}

/* ---- requests and replies ------------------------------------------------------------------- */

static void test_keep_alive(void **state)
{
    (void)state;
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ask(fd, GET("/hello"), &a), 200);
        assert_string_equal(a.body, "GET /hello\n");
    }
    close(fd);
    assert_int_equal(http_figures(h.server).requests, 1000);
    assert_true(soon(is_deserted));
}

static void test_replies_have_the_order_of_requests(void **state)
{
    (void)state;
    harness_start(&h);
    struct buf all = {.arena = h.arena};
    enum { MANY = 200 };
    for (int i = 0; i < MANY; i++)
        buf_printf(&all, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    const int fd = dial_sure();
    say(fd, buf_text(&all));
    for (int i = 0; i < MANY; i++) {
        struct answer a;
        char want[32];
        snprintf(want, sizeof(want), "GET /%d\n", i);
        hear(fd, &a, true);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, want);
    }
    close(fd);
}

static void test_head_and_no_content(void **state)
{
    (void)state;
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    assert_int_equal(ask(fd, "HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n", &a), 200);
    assert_non_null(strstr(a.head, "Content-Length: 10\r\n"));
    assert_int_equal(ask(fd, GET("/none"), &a), 204);
    assert_null(strstr(a.head, "Content-Length"));
    assert_null(strstr(a.head, "Content-Type"));
    assert_int_equal(ask(fd, GET("/abc"), &a), 200);
    assert_non_null(strstr(a.head, "Date: "));
    assert_non_null(strstr(a.head, " GMT\r\n"));
    close(fd);
}

static void test_continue_is_sent_before_the_body(void **state)
{
    (void)state;
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    hear(fd, &a, true);
    assert_int_equal(a.status, 100);
    assert_int_equal(ask(fd, "hi", &a), 200);
    assert_string_equal(a.body, "POST /\nhi");
    close(fd);
}

static void test_half_closed_senders_are_answered(void **state)
{
    (void)state;
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    say(fd, GET("/a") GET("/b"));
    shutdown(fd, SHUT_WR);
    hear(fd, &a, true);
    assert_string_equal(a.body, "GET /a\n");
    hear(fd, &a, true);
    assert_string_equal(a.body, "GET /b\n");
    assert_true(is_closed(fd, 1000));
    close(fd);
}

static void test_senders_may_go_away_while_we_work(void **state)
{
    (void)state;
    h.is_held = true;
    harness_start(&h);
    for (int i = 0; i < 3; i++) {
        const int fd = dial_sure();
        say(fd, GET("/hold"));
        sleep_ms(20);
        close(fd);
    }
    h.is_held = false;
    struct answer a;
    assert_int_equal(ask_once(GET("/"), &a), 200);
    assert_true(soon(is_deserted));
}

static void write_file(const char *name, size_t len)
{
    FILE *f = fopen(arena_printf(h.arena, "%s/%s", h.dir, name), "w");
    for (size_t i = 0; i < len; i++)
        putc((int)('a' + i % 23), f);
    fclose(f);
}

static void test_files(void **state)
{
    (void)state;
    harness_start(&h);
    write_file("large", 3000001);
    write_file("empty", 0);
    struct answer a;
    const int fd = dial_sure();
    assert_int_equal(ask(fd, GET("/file?name=large"), &a), 200);
    assert_int_equal(a.body_len, 3000001);
    assert_memory_equal(a.body, "abcdefghijklmnopqrstuvwabc", 26);
    assert_int_equal(ask(fd, GET("/file?name=empty"), &a), 200);
    assert_int_equal(a.body_len, 0);
    assert_int_equal(ask(fd, "HEAD /file?name=large HTTP/1.1\r\nHost: x\r\n\r\n", &a), 200);
    assert_non_null(strstr(a.head, "Content-Length: 3000001\r\n"));
    assert_int_equal(ask(fd, GET("/file?name=none"), &a), 500);
    assert_int_equal(ask(fd, GET("/big?n=3000000"), &a), 200);
    assert_int_equal(a.body_len, 3000000);
    close(fd);
}

/* ---- uploads -------------------------------------------------------------------------------- */

enum { UPLOAD = 5000000 };

static const char *upload_bytes(void)
{
    char *bytes = arena_alloc(h.arena, UPLOAD + 1);
    for (int i = 0; i < UPLOAD; i++)
        bytes[i] = (char)('A' + i % 25);
    return bytes;
}

static int spooled_files(void)
{
    int n = 0;
    DIR *dir = opendir(h.config.spool_dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static bool is_spool_empty(void)
{
    return spooled_files() == 0;
}

static void expect_upload(int fd, const char *bytes)
{
    struct answer a;
    char hex[SHA256_HEX];
    sha256_hex(bytes, UPLOAD, hex);
    hear(fd, &a, true);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, arena_printf(h.arena, "%d %d %s", UPLOAD, UPLOAD, hex));
}

static void test_uploads_are_hashed_on_disk(void **state)
{
    (void)state;
    harness_start(&h);
    const char *bytes = upload_bytes();
    const int fd = dial_sure();
    say(fd, arena_printf(h.arena, "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
                         UPLOAD));
    say_bytes(fd, bytes, UPLOAD);
    expect_upload(fd, bytes);

    say(fd, "PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int at = 0; at < UPLOAD; at += 50000) {
        say(fd, "c350\r\n");
        say_bytes(fd, bytes + at, 50000);
        say(fd, "\r\n");
    }
    say(fd, "0\r\n\r\n");
    expect_upload(fd, bytes);

    struct answer a;
    ask(fd, "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", &a);
    assert_string_equal(a.body, "0 0 ");
    close(fd);
    assert_true(soon(is_spool_empty));
}

static void test_uploads_given_up_leave_nothing(void **state)
{
    (void)state;
    harness_start(&h);
    const char *bytes = upload_bytes();
    for (int i = 0; i < 5; i++) {
        const int fd = dial_sure();
        say(fd, "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n");
        say_bytes(fd, bytes, (size_t)i * 500000);
        close(fd);
    }
    assert_true(soon(is_deserted));
    assert_true(soon(is_spool_empty));
    assert_int_equal(h.handled, 0);
}

static void test_too_large_is_said_before_the_body(void **state)
{
    (void)state;
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    ask(fd, "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10737418240\r\n\r\n", &a);
    assert_int_equal(a.status, 413);
    assert_true(say(fd, "what comes still does no harm"));
    shutdown(fd, SHUT_WR);
    assert_true(is_closed(fd, 1000));
    close(fd);
    assert_int_equal(spooled_files(), 0);
    assert_int_equal(h.handled, 0);
}

static void test_uploads_need_a_disk(void **state)
{
    (void)state;
    h.config.spool_dir = "/proc/no-such-folder";
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    ask(fd, "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", &a);
    assert_int_equal(a.status, 507);
    close(fd);
}

/* ---- deadlines ------------------------------------------------------------------------------ */

/* A byte every so many milliseconds until the server closes; what it said. */
struct trickle {
    const char *begin, *then;
    int every_ms;
    struct answer answer;
    int64_t took_us;
};

static void *trickle(void *arg)
{
    struct trickle *t = arg;
    const int fd = dial_sure();
    const int64_t begin = clock_monotonic();
    say(fd, t->begin);
    for (const char *at = t->then; *at; at++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, t->every_ms) == 1)
            break;
        say_bytes(fd, at, 1);
    }
    t->took_us = clock_monotonic() - begin;
    hear(fd, &t->answer, true);
    close(fd);
    return NULL;
}

#define LONG                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxx"

static void test_who_trickles_is_cut_while_others_are_served(void **state)
{
    (void)state;
    h.config.header_timeout_us = h.config.body_timeout_us = 200 * 1000;
    harness_start(&h);
    static struct trickle slow[] = {
        {.begin = "GET / HT", .then = "TP/1.1\r\nHost: x\r\nX: " LONG, .every_ms = 10},
        {.begin = "GET / HTTP/1.1\r\nHost: x\r\nX: ", .then = LONG, .every_ms = 10},
        {.begin = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
         .then = LONG,
         .every_ms = 10},
        {.begin = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
         .then = LONG,
         .every_ms = 10},
        {.begin = "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
         .then = LONG,
         .every_ms = 10},
        {.begin = "\r", .then = "", .every_ms = 10},
    };
    pthread_t threads[ARRAY_LEN(slow)];
    for (int i = 0; i < ARRAY_LEN(slow); i++)
        pthread_create(&threads[i], NULL, trickle, &slow[i]);

    const int64_t until = clock_monotonic() + 300 * 1000;
    while (clock_monotonic() < until) {
        struct answer a;
        const int64_t before = clock_monotonic();
        assert_int_equal(ask_once(GET("/"), &a), 200);
        assert_true(clock_monotonic() - before < 150 * 1000);
    }
    for (int i = 0; i < ARRAY_LEN(slow); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(slow[i].answer.status, 408);
        assert_true(slow[i].took_us < 500 * 1000);
    }
}

static void test_a_steady_sender_is_not_cut(void **state)
{
    (void)state;
    h.config.body_timeout_us = 200 * 1000;
    harness_start(&h);
    struct answer a;
    const int fd = dial_sure();
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n");
    for (int i = 0; i < 50; i++) {
        say(fd, LONG);
        sleep_ms(10); /* 10 kB a second, for longer than the grace */
    }
    hear(fd, &a, true);
    assert_int_equal(a.status, 200);
    close(fd);
}

static void test_idle_connections_end(void **state)
{
    (void)state;
    h.config.idle_timeout_us = 200 * 1000;
    harness_start(&h);
    struct answer a;
    const int used = dial_sure(), unused = dial_sure();
    assert_int_equal(ask(used, GET("/"), &a), 200);
    hear(used, &a, true);
    assert_int_equal(a.status, 0);
    hear(unused, &a, true);
    assert_int_equal(a.status, 0);
    close(used);
    close(unused);
}

static void test_who_does_not_read_is_cut(void **state)
{
    (void)state;
    h.config.body_timeout_us = 200 * 1000;
    harness_start(&h);
    const int fd = dial_sure();
    say(fd, GET("/big?n=50000000"));
    assert_true(soon(is_deserted));
    close(fd);
}

/* ---- too much ------------------------------------------------------------------------------- */

static bool is_one_queued(void)
{
    return http_figures(h.server).queue == 2;
}

static void test_overload(void **state)
{
    (void)state;
    h.config.workers = 1;
    h.config.max_queue = 2;
    h.is_held = true;
    harness_start(&h);
    struct answer a;
    int held[3];
    for (int i = 0; i < 3; i++) {
        held[i] = dial_sure();
        say(held[i], GET("/hold"));
        sleep_ms(30);
    }
    assert_true(soon(is_one_queued));

    const int fd = dial_sure();
    assert_int_equal(ask(fd, GET("/"), &a), 503);
    assert_non_null(strstr(a.head, "Retry-After: 1\r\n"));
    assert_string_equal(
        a.body, "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503}");
    assert_int_equal(ask(fd, GET("/urgent"), &a), 200);
    assert_int_equal(http_figures(h.server).refused, 1);

    h.is_held = false;
    for (int i = 0; i < 3; i++) {
        hear(held[i], &a, true);
        assert_int_equal(a.status, 200);
        close(held[i]);
    }
    assert_int_equal(ask(fd, GET("/"), &a), 200);
    close(fd);
}

#define BODY_OF_60000 "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"

static void test_bodies_share_a_limit(void **state)
{
    (void)state;
    h.config.max_bodies = 100000;
    harness_start(&h);
    static const char bytes[60000] = "x";
    struct answer a;
    const int first = dial_sure(), second = dial_sure();
    say(first, BODY_OF_60000);
    say_bytes(first, bytes, sizeof(bytes) - 1);
    sleep_ms(50);
    say(second, BODY_OF_60000);
    say_bytes(second, bytes, sizeof(bytes) - 1);
    hear(second, &a, true);
    assert_int_equal(a.status, 503);
    close(second);
    assert_int_equal(ask(first, "x", &a), 200);
    say(first, BODY_OF_60000);
    say_bytes(first, bytes, sizeof(bytes));
    hear(first, &a, true);
    assert_int_equal(a.status, 200);
    close(first);
}

static void expect_turned_away(void)
{
    struct answer a;
    const int fd = dial_sure();
    hear(fd, &a, true);
    assert_int_equal(a.status, 503);
    close(fd);
}

static void test_limits_of_connections(void **state)
{
    (void)state;
    h.config.max_connections = 4;
    h.config.max_per_peer = 3;
    harness_start(&h);
    struct answer a;
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial_sure();
        assert_int_equal(ask(fds[i], GET("/"), &a), 200);
    }
    expect_turned_away();
    close(fds[0]);
    sleep_ms(50);
    fds[0] = dial_sure();
    assert_int_equal(ask(fds[0], GET("/"), &a), 200);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    assert_true(soon(is_deserted));
}

static void test_out_of_descriptors(void **state)
{
    (void)state;
    harness_start(&h);
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    const int first = dup(0);
    few = before;
    few.rlim_cur = (rlim_t)first + 5; /* enough for the clients, not for their other ends */
    setrlimit(RLIMIT_NOFILE, &few);
    int fds[5];
    for (int i = 0; i < 4; i++)
        fds[i] = dial(&h);
    sleep_ms(100);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    setrlimit(RLIMIT_NOFILE, &before);
    close(first);
    struct answer a;
    assert_int_equal(ask_once(GET("/"), &a), 200);
    assert_true(http_figures(h.server).refused > 0);
    assert_true(soon(is_deserted));
}

/* ---- streams -------------------------------------------------------------------------------- */

static int open_stream(void)
{
    struct answer a;
    const int fd = dial_sure();
    assert_int_equal(ask(fd, GET("/stream"), &a), 200);
    assert_non_null(strstr(a.head, "Transfer-Encoding: chunked\r\n"));
    return fd;
}

static void *send_hundred(void *arg)
{
    for (int i = 0; i < 100; i++)
        assert_true(http_stream_send(arg, "data: x\n\n", 9));
    return NULL;
}

static void test_streams_from_many_threads(void **state)
{
    (void)state;
    harness_start(&h);
    const int fd = open_stream();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, send_hundred, h.streams[0]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    http_stream_close(h.streams[0]);
    assert_false(http_stream_send(h.streams[0], "x", 1));

    struct buf want = {.arena = h.arena};
    buf_puts(&want, "9\r\n: hello\n\n\r\n");
    for (int i = 0; i < 400; i++)
        buf_puts(&want, "9\r\ndata: x\n\n\r\n");
    buf_puts(&want, "0\r\n\r\n");
    char *heard = arena_alloc(h.arena, want.len + 1);
    assert_int_equal(recv(fd, heard, want.len, MSG_WAITALL), want.len);
    assert_string_equal(heard, buf_text(&want));

    struct answer a;
    assert_int_equal(ask(fd, GET("/after"), &a), 200);
    close(fd);
}

static void test_streams_of_old_clients_end_with_the_connection(void **state)
{
    (void)state;
    harness_start(&h);
    struct answer a;
    char rest[100];
    const int fd = dial_sure();
    assert_int_equal(ask(fd, "GET /stream HTTP/1.0\r\n\r\n", &a), 200);
    assert_null(strstr(a.head, "Transfer-Encoding"));
    http_stream_send(h.streams[0], "data: x\n\n", 9);
    http_stream_close(h.streams[0]);
    assert_true(hear_all(fd, rest, sizeof(rest), NULL, 1000));
    assert_string_equal(rest, ": hello\n\ndata: x\n\n");
    close(fd);
    assert_int_equal(ask_once("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n", &a), 200);
    assert_false(http_stream_is_open(h.streams[1]));
}

static bool is_first_stream_closed(void)
{
    return !http_stream_is_open(h.streams[0]);
}

static void test_streams_notice_the_end(void **state)
{
    (void)state;
    harness_start(&h);
    close(open_stream());
    assert_true(soon(is_first_stream_closed));
    assert_true(soon(is_deserted));
    assert_int_equal(http_figures(h.server).streams, 0);
}

static void test_listeners_that_do_not_read_are_cut(void **state)
{
    (void)state;
    harness_start(&h);
    static const char block[8192] = "data";
    const int fd = open_stream();
    int sent = 0;
    while (sent < 10000 && http_stream_send(h.streams[0], block, sizeof(block)))
        sent++;
    assert_true(sent < 10000);
    assert_true(soon(is_deserted));
    close(fd);
}

static int64_t resident_bytes(void)
{
    long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
    fclose(f);
    return resident * sysconf(_SC_PAGESIZE);
}

enum { LISTENERS = 2000 };

static bool have_all_heard(void)
{
    return http_figures(h.server).streams == LISTENERS;
}

static void test_idle_streams_are_small(void **state)
{
    (void)state;
    static int fds[LISTENERS];
    harness_start(&h);
    struct answer a;
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask_once(GET("/"), &a), 200);
    const int64_t before = resident_bytes();
    for (int i = 0; i < LISTENERS; i++) {
        fds[i] = dial_sure();
        say(fds[i], GET("/stream"));
    }
    assert_true(soon(have_all_heard));
    const int64_t each = (resident_bytes() - before) / LISTENERS;
    print_message("%lld bytes a stream\n", (long long)each);
    if (!HAS_SANITIZER)
        assert_true(each < 4096);
    for (int i = 0; i < LISTENERS; i++)
        assert_true(http_stream_send(h.streams[i], "data: x\n\n", 9));
    for (int i = 0; i < LISTENERS; i++) {
        hear(fds[i], &a, true);
        assert_int_equal(a.status, 200);
        close(fds[i]);
    }
}

/* ---- local sockets -------------------------------------------------------------------------- */

static int dial_local(const char *path)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void test_local_sockets(void **state)
{
    (void)state;
    const char *path = arena_printf(h.arena, "%s/socket", h.dir);
    h.config.listen[1] = arena_printf(h.arena, "unix:%s", path);
    const int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(stale, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);
    harness_start(&h);

    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct answer a;
    const int fd = dial_local(path);
    assert_int_equal(ask(fd, GET("/peer"), &a), 200);
    assert_string_equal(a.body, arena_printf(h.arena, "unix %d", (int)getuid()));
    close(fd);
    assert_int_equal(ask_once(GET("/peer"), &a), 200);
    assert_string_equal(a.body, "127.0.0.1 -1");

    struct http_server *second;
    assert_int_equal(http_start(&h.cx, &h.config, &second), E_FAIL);
    assert_non_null(strstr(h.cx.err.text, path));
    http_stop(h.server);
    assert_int_equal(stat(path, &st), -1);
}

/* ---- stopping ------------------------------------------------------------------------------- */

static atomic_int replies, failures;

/* Requests one after another, over again on a new connection when told to; a connection that closes
 * without a word in between, or an answer that is not whole, counts as failed. */
static void *keep_asking(void *arg)
{
    (void)arg;
    for (int fd; (fd = dial(&h)) >= 0;) {
        struct answer a;
        do {
            if (ask(fd, GET("/big?n=3000"), &a) != 200 || a.body_len != 3000) {
                atomic_fetch_add(&failures, 1);
                print_error("status %d after %d bytes: %s\n", a.status, (int)a.body_len, a.head);
                close(fd);
                return NULL;
            }
            atomic_fetch_add(&replies, 1);
        } while (!strstr(a.head, "Connection: close"));
        close(fd);
    }
    return NULL;
}

static void test_stopping_fails_no_request(void **state)
{
    (void)state;
    harness_start(&h);
    replies = failures = 0;
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, keep_asking, NULL);
    sleep_ms(150);
    http_stop(h.server);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    assert_true(replies > 100);
}

static void *stop_server(void *arg)
{
    (void)arg;
    http_stop(h.server);
    return NULL;
}

static void test_stopping_waits_for_what_is_under_way(void **state)
{
    (void)state;
    h.is_held = true;
    harness_start(&h);
    struct answer a;
    const int idle = dial_sure(), stream = open_stream(), held = dial_sure();
    assert_int_equal(ask(idle, GET("/"), &a), 200);
    say(held, GET("/hold"));
    sleep_ms(50);
    pthread_t thread;
    pthread_create(&thread, NULL, stop_server, NULL);
    assert_true(is_closed(stream, 1000));
    assert_true(is_closed(idle, 1000));
    assert_int_equal(dial(&h), -1);
    h.is_held = false;
    hear(held, &a, true);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    close(held);
    close(idle);
    close(stream);
    pthread_join(thread, NULL);
    assert_false(http_stream_is_open(h.streams[0]));
}

static void test_stopping_does_not_wait_for_ever(void **state)
{
    (void)state;
    h.config.drain_timeout_us = 200 * 1000;
    harness_start(&h);
    const int fd = dial_sure();
    say(fd, GET("/big?n=50000000"));
    sleep_ms(50);
    const int64_t before = clock_monotonic();
    http_stop(h.server);
    assert_true(clock_monotonic() - before < 5 * US_PER_S);
    close(fd);
}

/* ---- everything at once --------------------------------------------------------------------- */

static atomic_bool is_stormy;

static void blow(uint32_t dice)
{
    static const char *const requests[] = {
        GET("/a") GET("/b") GET("/c"),
        GET("/stream"),
        GET("/big?n=2000000"),
        GET("/file?name=large"),
        "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" LONG LONG LONG,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost",
        "GET / HTTP/1.1\r\n\r\n",
    };
    char heard[2000];
    const int fd = dial(&h);
    if (fd < 0)
        return;
    say(fd, requests[dice % ARRAY_LEN(requests)]);
    if (dice & 256)
        hear_all(fd, heard, sizeof(heard), NULL, (int)(dice >> 9) % 8);
    if (dice & 4096)
        say(fd, GET("/d"));
    close(fd);
}

static void *storm(void *arg)
{
    uint32_t dice = *(const uint32_t *)arg;
    while (is_stormy) {
        dice = dice * 1664525 + 1013904223;
        blow(dice >> 8);
    }
    return NULL;
}

static void *tell_everyone(void *arg)
{
    (void)arg;
    while (is_stormy) {
        const int count = h.stream_count;
        for (int i = count > 20 ? count - 20 : 0; i < count; i++) {
            struct http_stream *s = h.streams[i];
            if (s && i % 7)
                http_stream_send(s, LONG, sizeof(LONG) - 1);
            else if (s)
                http_stream_close(s);
        }
        sleep_ms(1);
    }
    return NULL;
}

/* For the sanitizers more than for its own checks: senders who come and go in the middle of all
 * kinds of requests, while the server stops. */
static void test_storm(void **state)
{
    (void)state;
    static const uint32_t seeds[] = {1, 2, 3, 4};
    harness_start(&h);
    write_file("large", 1000000);
    is_stormy = true;
    pthread_t threads[5];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, storm, (void *)(uintptr_t)&seeds[i]);
    pthread_create(&threads[4], NULL, tell_everyone, NULL);
    sleep_ms(700);
    http_stop(h.server);
    is_stormy = false;
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    assert_true(h.handled > 50);
    assert_int_equal(http_figures(h.server).streams, 0);
    assert_int_equal(spooled_files(), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keep_alive),
        TEST(test_replies_have_the_order_of_requests),
        TEST(test_head_and_no_content),
        TEST(test_continue_is_sent_before_the_body),
        TEST(test_half_closed_senders_are_answered),
        TEST(test_senders_may_go_away_while_we_work),
        TEST(test_files),
        TEST(test_uploads_are_hashed_on_disk),
        TEST(test_uploads_given_up_leave_nothing),
        TEST(test_too_large_is_said_before_the_body),
        TEST(test_uploads_need_a_disk),
        TEST(test_who_trickles_is_cut_while_others_are_served),
        TEST(test_a_steady_sender_is_not_cut),
        TEST(test_idle_connections_end),
        TEST(test_who_does_not_read_is_cut),
        TEST(test_overload),
        TEST(test_bodies_share_a_limit),
        TEST(test_limits_of_connections),
        TEST(test_out_of_descriptors),
        TEST(test_streams_from_many_threads),
        TEST(test_streams_of_old_clients_end_with_the_connection),
        TEST(test_streams_notice_the_end),
        TEST(test_listeners_that_do_not_read_are_cut),
        TEST(test_idle_streams_are_small),
        TEST(test_local_sockets),
        TEST(test_stopping_fails_no_request),
        TEST(test_stopping_waits_for_what_is_under_way),
        TEST(test_stopping_does_not_wait_for_ever),
        TEST(test_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
