/* faults.c - every statement of every kind of request fails once.
 *
 *   proof_faults fail DATA DATABASE      TAP: each request again and again, the n-th statement
 *                                        failing, for n = 1, 2, ... until none is left to fail
 *   proof_faults busy DATA DATABASE N    each request once, the N-th statement saying "busy"
 *
 * After a failure the answer must be a clear 5xx and no table may differ from before. Busy ones are
 * tried again by db, so the story must end as it does without them; who calls compares.
 *
 * The requests are a story: each builds on the ones before. $name stands for what an earlier answer
 * held.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "edge/dispatch.h"
#include "edge/problem.h"
#include "edge/server.h"
#include "http/target.h"

#define PASSWORD "correct horse battery"

struct row {
    const char *as; /* the token of "$as"; NULL: the operator; "": nobody */
    enum http_method method;
    const char *target, *body;
    const char *keep;   /* "name=member" of the answer */
    const char *header; /* "name: value" */
    bool is_file;       /* the body is a file */
    bool is_kind;       /* what is read for the answer after the commit may fail */
    bool is_paced;      /* not oftener than once an hour: failed attempts are counted */
};

#define JSON_SECRET "\"password\": \"" PASSWORD "\""
#define IF_ANY "if-match: *"

static const struct row story[] = {
    /* People. */
    {"", HTTP_POST_, "/api/v1/setup",
     "{\"secret\": \"$setup\", \"organisation\": \"Home\", \"name\": \"Ada\", \"login\": \"ada\","
     " \"email\": \"ada@example.org\", " JSON_SECRET "}",
     .is_kind = true},
    {NULL, HTTP_GET_, "/api/v1/people"},
    {NULL, HTTP_POST_, "/api/v1/organisations", "{\"name\": \"North\"}", "north=id"},
    {NULL, HTTP_PATCH_, "/api/v1/organisations/$north", "{\"name\": \"North Ltd\"}", NULL, IF_ANY},
    {NULL, HTTP_POST_, "/api/v1/groups", "{\"name\": \"Desk\", \"organisation\": \"$north\"}",
     "desk=id"},
    {NULL, HTTP_PATCH_, "/api/v1/groups/$desk", "{\"email\": \"desk@example.org\"}", NULL, IF_ANY},
    {NULL, HTTP_POST_, "/api/v1/people",
     "{\"name\": \"Anna\", \"login\": \"anna\", \"email\": \"anna@example.org\","
     " \"organisation\": \"$north\", " JSON_SECRET "}",
     "anna=id", .is_kind = true},
    {NULL, HTTP_POST_, "/api/v1/people",
     "{\"name\": \"Bob\", \"login\": \"bob\", \"organisation\": \"$north\"}", "bob=id",
     .is_kind = true},
    {NULL, HTTP_PATCH_, "/api/v1/people/$anna", "{\"phone\": \"+33 1\"}", NULL, IF_ANY},
    {NULL, HTTP_PUT_, "/api/v1/groups/$desk/members/$bob"},
    {NULL, HTTP_DELETE_, "/api/v1/groups/$desk/members/$bob"},
    {NULL, HTTP_PUT_, "/api/v1/groups/$desk/members/$bob"},
    {NULL, HTTP_POST_, "/api/v1/role-grants", "{\"role\": \"auditor\", \"group\": \"$desk\"}",
     "grant=id"},
    {NULL, HTTP_DELETE_, "/api/v1/role-grants/$grant"},
    {NULL, HTTP_POST_, "/api/v1/role-grants", "{\"role\": \"agent\", \"person\": \"$bob\"}"},
    {NULL, HTTP_POST_, "/api/v1/role-grants",
     "{\"role\": \"problem_manager\", \"person\": \"$bob\"}"},
    {NULL, HTTP_POST_, "/api/v1/people/$bob/tokens", "{\"name\": \"t\", \"scopes\": \"write\"}",
     "bob_token=token"},
    {NULL, HTTP_POST_, "/api/v1/people/$anna/tokens", "{\"name\": \"t\", \"scopes\": \"write\"}",
     "anna_token=token"},
    {NULL, HTTP_POST_, "/api/v1/people/$anna/tokens", "{\"name\": \"u\", \"scopes\": \"read\"}",
     "spare=id"},
    {NULL, HTTP_DELETE_, "/api/v1/people/$anna/tokens/$spare"},
    {NULL, HTTP_PUT_, "/api/v1/people/$anna/password", "{\"password\": \"another good one 1\"}"},
    {"", HTTP_POST_, "/api/v1/session",
     "{\"login\": \"anna\", \"password\": \"another good one 1\"}", "csrf=csrf_token",
     .is_paced = true,
     .is_kind = true}, /* a name that cannot be looked up again is the one known before */
    {NULL, HTTP_POST_, "/api/v1/people/$anna/disable"},
    {NULL, HTTP_POST_, "/api/v1/people/$anna/enable"},
    {NULL, HTTP_GET_, "/api/v1/people/$anna/sessions"},
    {NULL, HTTP_GET_, "/api/v1/people/$anna/tokens"},
    {NULL, HTTP_GET_, "/api/v1/organisations"},
    {NULL, HTTP_GET_, "/api/v1/groups/$desk/members"},
    {NULL, HTTP_GET_, "/api/v1/role-grants"},
    {"anna", HTTP_GET_, "/api/v1/me"},

    /* Records. */
    {"anna", HTTP_POST_, "/api/v1/incident",
     "{\"title\": \"Printer on fire\", \"description\": \"It **burns**\", \"impact\": \"minor\","
     " \"urgency\": \"low\"}",
     "inc=number"},
    {"bob", HTTP_POST_, "/api/v1/incident",
     "{\"title\": \"Screen is blue\", \"caller\": \"anna\", \"impact\": \"minor\","
     " \"urgency\": \"low\"}",
     "child=number", "idempotency-key: once-1"},
    {"bob", HTTP_POST_, "/api/v1/incident",
     "{\"title\": \"Screen is blue\", \"caller\": \"anna\", \"impact\": \"minor\","
     " \"urgency\": \"low\"}",
     NULL, "idempotency-key: once-1"},
    {"bob", HTTP_PATCH_, "/api/v1/incident/$inc",
     "{\"title\": \"Printer burns\", \"urgency\": \"high\", \"group\": \"Desk\"}", NULL,
     "if-match: \"1\""},
    {"bob", HTTP_PATCH_, "/api/v1/incident/$child", "{\"parent\": \"$inc\"}", NULL, IF_ANY,
     .is_kind = true},
    {"bob", HTTP_POST_, "/api/v1/task", "{\"title\": \"Fetch water\", \"parent\": \"$inc\"}",
     "task=number", .is_kind = true},
    {"anna", HTTP_POST_, "/api/v1/incident/$inc/replies", "{\"text\": \"Please be quick\"}"},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/notes", "{\"text\": \"She smokes\"}"},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/attachments?name=fire.txt", "flames and smoke",
     "file=id", .is_file = true},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/attachments"},
    {"bob", HTTP_GET_, "/api/v1/attachments/$file"},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/links",
     "{\"kind\": \"relates_to\", \"record\": \"$child\"}"},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/links"},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/watchers", "{\"person\": \"anna\"}"},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/watchers"},
    {"bob", HTTP_DELETE_, "/api/v1/incident/$inc/watchers/$anna"},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/actions/assign", "{\"group\": \"Desk\"}", NULL,
     IF_ANY},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/actions/take", "{}", NULL, IF_ANY},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/actions/open_problem", "{}", NULL, IF_ANY},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/actions/ask_user", "{\"comment\": \"Where?\"}", NULL,
     IF_ANY},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/timers"},
    {"anna", HTTP_POST_, "/api/v1/incident/$inc/actions/user_replied", "{\"comment\": \"Here\"}",
     NULL, "if-match: *"},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/actions"},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/access/$anna"},
    {"bob", HTTP_POST_, "/api/v1/task/$task/actions/start", "{}", NULL, IF_ANY, .is_kind = true},
    {"bob", HTTP_POST_, "/api/v1/task/$task/actions/finish", "{\"result\": \"Water is there\"}",
     NULL, IF_ANY, .is_kind = true},
    {"bob", HTTP_POST_, "/api/v1/bulk",
     "{\"process\": \"incident\", \"numbers\": [\"$inc\", \"$child\"], \"atomic\": true,"
     " \"input\": {\"service\": \"Printing\"}}"},
    {"bob", HTTP_POST_, "/api/v1/incident/$inc/actions/resolve",
     "{\"closure_code\": \"solved\", \"resolution\": \"Water\"}", NULL, IF_ANY},
    {"anna", HTTP_POST_, "/api/v1/incident/$inc/actions/reopen", "{\"comment\": \"Again\"}", NULL,
     IF_ANY},
    {"bob", HTTP_DELETE_, "/api/v1/incident/$inc/links/relates_to/$child"},
    {"bob", HTTP_DELETE_, "/api/v1/attachments/$file"},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc?include=actions"},
    {"bob", HTTP_GET_, "/api/v1/incident/$inc/history"},
    {"bob", HTTP_GET_, "/api/v1/incident?q=urgency%20%3D%20high&count=capped"},
    {"bob", HTTP_GET_, "/api/v1/records"},
    {"bob", HTTP_GET_, "/api/v1/search?q=printer"},
    {"bob", HTTP_GET_, "/api/v1/tally?process=incident"},
    {"bob", HTTP_GET_, "/api/v1/events?after=0"},
    {"", HTTP_GET_, "/readyz"},
    {NULL},
};

/* ---- what the answers held ------------------------------------------------------------------ */

struct bed {
    struct arena *arena; /* of the whole run */
    struct server *server;
    struct map *kept;
    const char *cookie;
    int tests, failed;
};

static const char *kept(struct bed *b, const char *name, size_t len)
{
    const char *value = map_get(b->kept, arena_strndup(b->arena, name, len));

    if (!value) {
        fprintf(stderr, "nothing is kept as %.*s\n", (int)len, name);
        exit(2);
    }
    return value;
}

static const char *filled(struct bed *b, struct arena *a, const char *text)
{
    struct buf out = {.arena = a};

    while (text && *text) {
        const size_t plain = strcspn(text, "$");
        buf_add(&out, text, plain);
        text += plain;
        if (*text != '$')
            break;
        const size_t len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");
        buf_puts(&out, kept(b, text + 1, len));
        text += len + 1;
    }
    return text ? buf_text(&out) : NULL;
}

static void keep(struct bed *b, const struct row *row, const struct response *rs)
{
    struct ctx cx = {.arena = b->arena};
    struct val body;

    if (!row->keep || rs->status > 299)
        return;
    const char *member = strchr(row->keep, '=') + 1;
    const char *name = arena_strndup(b->arena, row->keep, (size_t)(member - row->keep - 1));
    if (json_parse(&cx, rs->body.at, rs->body.len, &body) != OK || !val_get_text(&body, member)) {
        fprintf(stderr, "no %s in the answer to %s\n", member, row->target);
        exit(2);
    }
    map_put(b->kept, name, (char *)(uintptr_t)arena_strdup(b->arena, val_get_text(&body, member)));
}

/* ---- asking --------------------------------------------------------------------------------- */

static void add_header(struct request *rq, const char *name, const char *value)
{
    *(struct http_pair *)list_add(rq->arena, &rq->headers, sizeof(struct http_pair)) =
        (struct http_pair){name, value};
}

static void add_proof(struct bed *b, const struct row *row, struct request *rq)
{
    if (!row->as) {
        rq->peer_uid = (int64_t)geteuid();
    } else if (*row->as) {
        const char *name = arena_printf(rq->arena, "%s_token", row->as);
        add_header(rq, "authorization",
                   arena_printf(rq->arena, "Bearer %s", kept(b, name, strlen(name))));
    }
    if (row->header) {
        const char *colon = strchr(row->header, ':');
        add_header(rq, arena_strndup(rq->arena, row->header, (size_t)(colon - row->header)),
                   colon + 2);
    }
}

/* As http/ leaves an upload: in a file of the spool folder, hashed. */
static void add_file(struct bed *b, struct request *rq, const char *content)
{
    char sha256[SHA256_HEX];
    struct ctx cx = {.arena = rq->arena};

    rq->spool = arena_printf(rq->arena, "%s/upload-%llu", b->server->spool,
                             (unsigned long long)server_next_id(b->server));
    if (file_write(&cx, rq->spool, content, strlen(content)) != OK) {
        fprintf(stderr, "%s\n", cx.err.text);
        exit(2);
    }
    rq->spool_len = (int64_t)strlen(content);
    sha256_hex(content, strlen(content), sha256);
    memcpy(rq->spool_sha256, sha256, sizeof(sha256));
}

static void ask(struct bed *b, const struct row *row, struct arena *a, struct response *ret)
{
    const char *body = filled(b, a, row->body);
    struct request rq = {
        .arena = a,
        .method = row->method,
        .target = filled(b, a, row->target),
        .body = body && !row->is_file ? body : "",
        .received_at = clock_now(),
        .peer = "127.0.0.1",
        .peer_uid = -1,
        .id = server_next_id(b->server),
    };

    rq.body_len = strlen(rq.body);
    *ret = (struct response){.body = {.arena = a}};
    add_proof(b, row, &rq);
    if (row->is_file)
        add_file(b, &rq, body);
    else if (body)
        add_header(&rq, "content-type", "application/json");
    if (target_parse(&rq, "localhost") != 0) {
        fprintf(stderr, "no good target: %s\n", rq.target);
        exit(2);
    }
    dispatch(&rq, ret, b->server);
    if (rq.spool)
        unlink(rq.spool);
}

/* ---- everything that the tables hold -------------------------------------------------------- */

struct name {
    const char *name;
};
static const struct col name_cols[] = {TEXT_COL(struct name, name), {0}};

static const struct sql sqlite_tables = {
    .name = "tables",
    .text[DB_SQLITE] =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> "
        "'record_text' AND name NOT LIKE 'sqlite_%' AND name <> 'sign_in_attempt' ORDER BY name",
    .params = (const char *const[]){NULL},
};
static const struct sql postgres_tables = {
    .name = "tables",
    .text[DB_POSTGRES] = "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = "
                         "current_schema() AND tablename <> 'sign_in_attempt' ORDER BY tablename",
    .params = (const char *const[]){NULL},
};
static const char *const columns_text[DB_ENGINES] = {
    [DB_SQLITE] = "SELECT name FROM pragma_table_info(:table) ORDER BY name",
    [DB_POSTGRES] = "SELECT CAST(column_name AS text) FROM information_schema.columns "
                    "WHERE table_name = :table AND table_schema = current_schema() "
                    "ORDER BY column_name",
};

static void must(struct ctx *cx, enum rc rc)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s: %s (%s)\n", rc_name(rc), cx->err.text ? cx->err.text : "",
            cx->err.detail ? cx->err.detail : "");
    exit(2);
}

/* When a proof was used last is written beside the request, whatever becomes of it; and attempts to
 * sign in are counted before the password is looked at. */
static bool is_compared(const char *column)
{
    return !str_equal(column, "used_at");
}

static const char *row_text(struct ctx *cx, const struct list *columns)
{
    const bool is_sqlite = db_engine(cx->db) == DB_SQLITE;
    struct buf b = {.arena = cx->arena};

    for (int i = 0; i < columns->count; i++) {
        const char *column = ((const struct name *)columns->at)[i].name;
        if (is_compared(column))
            buf_printf(&b, is_sqlite ? "%s quote(%s)" : "%s coalesce(CAST(%s AS text), '-')",
                       b.len ? " || ',' ||" : "", column);
    }
    return b.len ? buf_text(&b) : "''";
}

/* One statement that reads every row of every table. */
static const struct sql *dump_statement(struct ctx *cx)
{
    const enum db_engine engine = db_engine(cx->db);
    struct list tables, columns;
    struct buf b = {.arena = cx->arena};

    must(cx, db_all(cx, engine == DB_SQLITE ? &sqlite_tables : &postgres_tables, ARGS(), name_cols,
                    sizeof(struct name), &tables));
    for (int i = 0; i < tables.count; i++) {
        const char *table = ((const struct name *)tables.at)[i].name;
        must(cx, db_all(cx, db_dynamic(cx, "columns", columns_text[engine]),
                        ARGS(TEXT("table", table)), name_cols, sizeof(struct name), &columns));
        buf_printf(&b, "%s SELECT '%s ' || %s AS line FROM %s", i ? " UNION ALL" : "", table,
                   row_text(cx, &columns), table);
    }
    buf_puts(&b, " ORDER BY line");
    return db_dynamic(cx, "dump", buf_text(&b));
}

static enum rc add_line(struct ctx *cx, void *row, void *arg)
{
    (void)cx;
    buf_puts(arg, ((const struct name *)row)->name);
    buf_putc(arg, '\n');
    return OK;
}

static const char *dump(struct bed *b, struct arena *a)
{
    struct ctx cx;
    struct buf all = {.arena = a};

    server_context(b->server, a, &cx);
    db_fail_at(b->server->db, 0, OK);
    must(&cx,
         db_each(&cx, dump_statement(&cx), ARGS(), name_cols, sizeof(struct name), add_line, &all));
    return buf_text(&all);
}

/* ---- judging -------------------------------------------------------------------------------- */

static void show_difference(const char *before, const char *after)
{
    while (*before && *before == *after)
        before++, after++;
    printf("# before: ...%.300s\n# after:  ...%.300s\n", before, after);
}

static const char *flat(struct arena *a, const struct response *rs)
{
    char *s = arena_strndup(a, rs->body.at ? rs->body.at : "", rs->body.len);
    for (char *c = s; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    return s;
}

static bool is_clear(const struct response *rs)
{
    return rs->status >= 500 && str_equal(rs->type, "application/problem+json") && rs->body.len;
}

struct attempt {
    bool has_failed; /* a statement did */
    bool is_done;    /* the answer is a good one */
    bool is_good;    /* as it should be */
};

/* Names of people are shown as far as they can be read. */
static bool may_succeed(const struct row *row)
{
    return row->method == HTTP_GET_ || row->is_kind;
}

static struct attempt judge(const struct row *row, int n, const char *before,
                            const struct response *rs, const char *after, bool has_failed)
{
    struct attempt t = {.has_failed = has_failed, .is_done = rs->status < 300};

    t.is_good = t.is_done ? !t.has_failed || may_succeed(row)
                          : t.has_failed && is_clear(rs) && str_equal(before, after);
    if (!t.is_good) {
        printf("# statement %d: %d %s\n", n, rs->status, flat(rs->body.arena, rs));
        show_difference(before, after);
    }
    return t;
}

/* The request with the n-th statement failing. */
static struct attempt attempt(struct bed *b, const struct row *row, int n, const char *before)
{
    struct arena *a = arena_create();
    struct response rs;

    if (row->is_paced)
        clock_shift(n * US_PER_HOUR);
    db_fail_at(b->server->db, n, E_FAIL);
    ask(b, row, a, &rs);
    const int count = db_statement_count(b->server->db);
    const char *after = dump(b, a);
    db_fail_at(b->server->db, 0, OK);
    keep(b, row, &rs);
    const struct attempt ret = judge(row, n, before, &rs, after, count >= n);
    arena_destroy(a);
    return ret;
}

/* So that the proof's own "used at" is written, which may fail without harm. */
static void warm_up(struct bed *b, const struct row *row)
{
    const struct row me = {.as = row->as, .target = "/api/v1/me"};
    struct arena *a = arena_create();
    struct response rs;

    ask(b, &me, a, &rs);
    arena_destroy(a);
}

static void test_row(struct bed *b, const struct row *row)
{
    struct arena *a = arena_create();
    struct attempt t = {.is_good = true, .has_failed = true};
    int n = 0, harmless = 0;

    warm_up(b, row);
    const char *before = dump(b, a);
    while (t.has_failed && t.is_good && !(t.is_done && row->method != HTTP_GET_)) {
        t = attempt(b, row, ++n, before);
        harmless += t.has_failed && t.is_done;
    }
    printf("%s %d - %s %s: %d statements failed, %d of them harmless\n",
           t.is_good ? "ok" : "not ok", ++b->tests, http_method_name(row->method), row->target,
           n - !t.has_failed, harmless);
    b->failed += !t.is_good;
    fflush(stdout);
    arena_destroy(a);
}

static void tell_busy(struct bed *b, const struct row *row, int n)
{
    for (int try = 0; try < 3; try++) {
        struct arena *a = arena_create();
        struct response rs;
        db_fail_at(b->server->db, try ? 0 : n, E_BUSY);
        ask(b, row, a, &rs);
        keep(b, row, &rs);
        const int status = rs.status;
        if (status != 503 && status > 299)
            printf("# %s %s: %d %s\n", http_method_name(row->method), row->target, status,
                   flat(a, &rs));
        arena_destroy(a);
        if (status < 300)
            return;
        if (status != 503)
            break;
    }
    b->failed++;
}

/* ---- the run -------------------------------------------------------------------------------- */

static void open_server(struct ctx *cx, struct bed *b, const char *data, const char *database)
{
    const char *source = getenv("TEST_SOURCE");
    const char *const flags[] = {
        arena_printf(cx->arena, "--data=%s", data),
        arena_printf(cx->arena, "--database=%s", database),
        arena_printf(cx->arena, "--processes=%s/process", source ? source : "."),
        "--rate_limit=1000000",
        NULL,
    };
    const struct settings *settings;
    const char *link;

    must(cx, settings_load(cx, NULL, flags, &settings));
    must(cx, server_open(cx, settings, &b->server));
    must(cx, server_prepare(cx, b->server));
    must(cx, server_first_link(cx, b->server, &link));
    map_put(b->kept, "setup", (char *)(uintptr_t)(strchr(link, '=') + 1));
}

int main(int argc, char **argv)
{
    int64_t busy = 0;
    if (argc < 4 || str_equal(argv[1], "busy") != (argc == 5) ||
        (argc == 5 && !str_to_int(argv[4], &busy))) {
        fprintf(stderr, "usage: %s fail|busy DATA DATABASE [N]\n", argv[0]);
        return 2;
    }
    struct ctx cx = {.arena = arena_create(), .now = clock_now()};
    struct bed b = {.arena = cx.arena, .kept = &(struct map){.arena = cx.arena}};

    log_setup(LOG_ERROR, false);
    open_server(&cx, &b, argv[2], argv[3]);
    for (const struct row *row = story; row->target; row++) {
        if (argc > 4)
            tell_busy(&b, row, (int)busy);
        else
            test_row(&b, row);
    }
    if (argc == 4)
        printf("1..%d\n", b.tests);
    server_close(b.server);
    arena_destroy(cx.arena);
    return b.failed ? 1 : 0;
}
