/* The driver of PostgreSQL.
 *
 * Connections are in libpq's pipeline mode: what is sent waits in a queue, together with what
 * follows it, until an answer is needed; then settle() asks for all of them in one round trip. A
 * failure makes the server skip the rest of the queue, so the first one is what is reported.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/cache.h"
#include "db/driver.h"
#include "db/inside.h"

#define QUEUE 64      /* things sent and not answered; then they are waited for */
#define WALK_ROWS 256 /* fetched at a time when all must not be held */
#define OLDEST_SERVER 150000
#define NOTICE_CHANNEL "fettle"

struct engine {
    char *url;
    int64_t read_limit_us;
};

struct prepared {
    char name[24]; /* on the server */
    bool is_there;
};

struct sent {
    const char *name;       /* of the statement, for messages */
    struct prepared *parse; /* it is the making of this one; else NULL */
};

struct pg_conn {
    struct conn head;
    PGconn *pg;
    struct cache cache;
    struct sent queue[QUEUE];
    int queued;
    bool was_answered; /* since the transaction's begin */
    bool is_reading;   /* within begin_read() */
    int walks;         /* cursors open */
    uint64_t names;    /* given to prepared statements so far */
};

struct rows {
    struct pg_conn *conn;
    const struct sql *sql;
    PGresult *result;
    int at;
    int cursor; /* its number; 0: the result is all there is */
    bool owns_read;
};

static struct pg_conn *of(struct conn *c)
{
    return (struct pg_conn *)c;
}

/* ---- failures ------------------------------------------------------------------------------- */

enum after { STAYS, RECONNECT };

static const struct {
    const char *state; /* SQLSTATE or the beginning of some; the first match counts */
    enum rc rc;
    enum after after;
    const char *text;
} failures[] = {
    {"23505", E_CONFLICT, STAYS, "it is there already"},
    {"23P01", E_CONFLICT, STAYS, "it is there already"},
    {"23503", E_CONFLICT, STAYS,
     "it refers to something that does not exist, or is itself referred to"},
    {"23514", E_CONFLICT, STAYS, "it breaks a rule of the database"},
    {"40", E_BUSY, STAYS, "the database is busy; try again"},
    {"55P03", E_BUSY, STAYS, "the database is busy; try again"},
    {"55006", E_BUSY, STAYS, "the database is busy; try again"},
    {"57014", E_BUSY, STAYS, "the question takes the database too long; ask for less"},
    {"57P", E_BUSY, RECONNECT, "the database is restarting; try again"},
    {"08", E_BUSY, RECONNECT, "the connection to the database was lost; try again"},
    {"25006", E_BUSY, RECONNECT, "the database is only a copy at the moment; try again"},
    {"25P03", E_BUSY, RECONNECT, "the transaction took too long; try again"},
    {"26000", E_BUSY, RECONNECT, "the connection to the database was changed; try again"},
    {"0A000", E_BUSY, RECONNECT, "the schema of the database was changed; try again"},
    {"5330", E_BUSY, STAYS, "the database has too many connections; try again"},
    {"53100", E_FAIL, STAYS, "the disk of the database is full"},
    {"58", E_FAIL, STAYS, "the disk of the database fails"},
    {"XX001", E_FAIL, STAYS, "the database is damaged"},
    {"XX002", E_FAIL, STAYS, "the database is damaged"},
    {"", E_FAIL, STAYS, "the database failed"},
};

static enum rc describe_loss(struct ctx *cx, struct pg_conn *c)
{
    c->head.is_lost = true;
    fail(cx, E_BUSY, NULL, "the connection to the database was lost; try again");
    return fail_detail(cx, E_BUSY, "postgres: %s", PQerrorMessage(c->pg));
}

static enum rc describe(struct ctx *cx, struct pg_conn *c, const PGresult *r, const char *name)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (!state)
        return describe_loss(cx, c);
    int i = 0;
    while (!str_starts(state, failures[i].state))
        i++;
    if (failures[i].after == RECONNECT)
        c->head.is_lost = true;
    const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
    fail(cx, failures[i].rc, NULL, "%s", failures[i].text);
    return fail_detail(cx, failures[i].rc, "postgres %s: %s %s (%s)", state,
                       PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), constraint ? constraint : "",
                       name);
}

/* ---- sending and waiting --------------------------------------------------------------------- */

static bool is_good(const PGresult *r)
{
    const ExecStatusType s = PQresultStatus(r);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

/* The answer to one thing sent; NULL when the connection broke. */
static PGresult *answer(struct pg_conn *c)
{
    PGresult *last = NULL;
    for (PGresult *r; (r = PQgetResult(c->pg));) {
        PQclear(last);
        last = r;
    }
    return last;
}

/* One answer after the other: notes the first failure in *rc, hands the last answer out. */
static PGresult *collect(struct ctx *cx, struct pg_conn *c, enum rc *rc)
{
    PGresult *last = NULL;
    for (int i = 0; i < c->queued; i++) {
        PQclear(last);
        last = c->head.is_lost ? NULL : answer(c);
        const bool is_ok = last && is_good(last);
        if (c->queue[i].parse)
            c->queue[i].parse->is_there = is_ok;
        if (!is_ok && *rc == OK)
            *rc = last ? describe(cx, c, last, c->queue[i].name) : describe_loss(cx, c);
    }
    return last;
}

/* Waits for the answers to everything sent. ret may be NULL: the last of them. */
static enum rc settle(struct ctx *cx, struct pg_conn *c, PGresult **ret)
{
    if (c->head.is_lost || !PQpipelineSync(c->pg)) {
        c->queued = 0;
        return describe_loss(cx, c);
    }
    enum rc rc = OK;
    PGresult *last = collect(cx, c, &rc);
    c->queued = 0;
    if (!c->head.is_lost)
        PQclear(PQgetResult(c->pg)); /* the end of the pipeline */
    if (PQstatus(c->pg) == CONNECTION_BAD)
        c->head.is_lost = true;
    c->was_answered = rc == OK;
    if (rc == OK && ret)
        *ret = last;
    else
        PQclear(last);
    return rc;
}

static void push(struct pg_conn *c, const char *name, struct prepared *parse)
{
    c->queue[c->queued++] = (struct sent){name, parse};
}

/* Room for a statement and its parsing. */
static enum rc make_room(struct ctx *cx, struct pg_conn *c)
{
    if (c->head.is_lost)
        return describe_loss(cx, c);
    return c->queued + 4 > QUEUE ? settle(cx, c, NULL) : OK;
}

static enum rc send_text(struct ctx *cx, struct pg_conn *c, const char *text)
{
    TRY(make_room(cx, c));
    if (!PQsendQueryParams(c->pg, text, 0, NULL, NULL, NULL, NULL, 0))
        return describe_loss(cx, c);
    push(c, text, NULL);
    return OK;
}

static enum rc run_text(struct ctx *cx, struct pg_conn *c, const char *text)
{
    TRY(send_text(cx, c, text));
    return settle(cx, c, NULL);
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* Arguments as libpq wants them. */
struct values {
    const char *at[MAX_PARAMS];
    int lengths[MAX_PARAMS];
    int formats[MAX_PARAMS]; /* 1: binary */
    char digits[MAX_PARAMS][24];
    int count;
};

static const char *ids_as_array(struct ctx *cx, const struct arg *a)
{
    struct buf b = {.arena = cx->arena};
    const int64_t *ids = a->at;
    buf_putc(&b, '{');
    for (int64_t i = 0; i < a->i; i++) {
        if (i)
            buf_putc(&b, ',');
        buf_int(&b, ids[i]);
    }
    buf_putc(&b, '}');
    return buf_text(&b);
}

static void add_array_text(struct buf *b, const char *s)
{
    buf_putc(b, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_putc(b, '\\');
        buf_putc(b, *s);
    }
    buf_putc(b, '"');
}

static const char *texts_as_array(struct ctx *cx, const struct arg *a)
{
    struct buf b = {.arena = cx->arena};
    const char *const *texts = a->at;
    buf_putc(&b, '{');
    for (int64_t i = 0; i < a->i; i++) {
        if (i)
            buf_putc(&b, ',');
        add_array_text(&b, texts[i]);
    }
    buf_putc(&b, '}');
    return buf_text(&b);
}

static void set_value(struct ctx *cx, struct values *v, int n, const struct arg *a)
{
    v->at[n] = NULL;
    v->lengths[n] = 0;
    v->formats[n] = 0;
    switch (a->kind) {
    case ARG_INT:
        snprintf(v->digits[n], sizeof(v->digits[n]), "%lld", (long long)a->i);
        v->at[n] = v->digits[n];
        break;
    case ARG_TEXT:
        v->at[n] = a->at;
        break;
    case ARG_BLOB:
        v->at[n] = a->at;
        v->lengths[n] = (int)a->i;
        v->formats[n] = 1;
        break;
    case ARG_IDS:
        v->at[n] = ids_as_array(cx, a);
        break;
    case ARG_TEXTS:
        v->at[n] = texts_as_array(cx, a);
        break;
    case ARG_NULL:
    case ARG_END:
        break;
    }
}

static void set_values(struct ctx *cx, const struct sql *sql, const struct arg *const *values,
                       struct values *ret)
{
    ret->count = 0;
    for (; sql->params[ret->count]; ret->count++)
        set_value(cx, ret, ret->count, values[ret->count]);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void drop_prepared(void *owner, void *prepared)
{
    struct pg_conn *c = owner;
    struct prepared *p = prepared;
    char text[64];
    snprintf(text, sizeof(text), "DEALLOCATE %s", p->name);
    for (int i = 0; i < c->queued; i++)
        if (c->queue[i].parse == p)
            c->queue[i].parse = NULL;
    if (c->pg && !c->head.is_lost && p->is_there &&
        PQsendQueryParams(c->pg, text, 0, NULL, NULL, NULL, NULL, 0))
        push(c, "deallocate", NULL);
    free(p);
}

static struct prepared *prepared_create(struct pg_conn *c)
{
    struct prepared *p = must_alloc(1, sizeof(*p));
    snprintf(p->name, sizeof(p->name), "f%llu", (unsigned long long)++c->names);
    return p;
}

/* The statement's name on the server, sent there if it is not known yet. */
static enum rc get_ready(struct ctx *cx, struct pg_conn *c, const struct sql *sql,
                         struct prepared **ret)
{
    if (!sql->text[DB_POSTGRES])
        BUG("a statement of SQLite alone was given to PostgreSQL");
    TRY(make_room(cx, c));
    /* Nothing is busy here, since a statement is sent whole: there always is a slot. */
    struct slot *slot = cache_slot(&c->cache, sql, drop_prepared, c);
    if (!slot->prepared)
        slot->prepared = prepared_create(c);
    struct prepared *p = slot->prepared;
    if (!p->is_there) {
        if (!PQsendPrepare(c->pg, p->name, sql->text[DB_POSTGRES], 0, NULL))
            return describe_loss(cx, c);
        push(c, sql->name, p);
        p->is_there = true;
    }
    *ret = p;
    return OK;
}

static enum rc send(struct ctx *cx, struct pg_conn *c, const struct sql *sql,
                    const struct arg *const *values)
{
    struct prepared *p = NULL;
    TRY(get_ready(cx, c, sql, &p));
    struct values v;
    set_values(cx, sql, values, &v);
    if (!PQsendQueryPrepared(c->pg, p->name, v.count, v.at, v.lengths, v.formats, 0))
        return describe_loss(cx, c);
    push(c, sql->name, NULL);
    return OK;
}

static const char *const no_params[] = {NULL};

#define CONTROL(id, words)                                                                         \
    static const struct sql control_##id = {                                                       \
        .name = #id, .text = {[DB_POSTGRES] = (words)}, .params = no_params}

CONTROL(begin, "BEGIN");
/* Serialises the writers of all processes; the number spells "fettle". */
CONTROL(lock, "SELECT pg_advisory_xact_lock(112585931517029)");
CONTROL(notify, "NOTIFY " NOTICE_CHANNEL);
CONTROL(commit, "COMMIT");
CONTROL(rollback, "ROLLBACK");
CONTROL(mark, "SAVEPOINT mark");
CONTROL(unmark, "RELEASE mark");
CONTROL(back, "ROLLBACK TO mark");
CONTROL(begin_read, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

static enum rc pg_exec(struct ctx *cx, struct conn *head, const struct sql *sql,
                       const struct arg *const *values, int *ret_changed)
{
    struct pg_conn *c = of(head);
    TRY(send(cx, c, sql, values));
    if (!ret_changed)
        return OK;
    PGresult *r = NULL;
    TRY(settle(cx, c, &r));
    *ret_changed = (int)strtol(PQcmdTuples(r), NULL, 10);
    PQclear(r);
    return OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static enum rc begin_read_if_needed(struct ctx *cx, struct rows *r)
{
    struct pg_conn *c = r->conn;
    if (c->is_reading)
        return OK;
    TRY(send(cx, c, &control_begin_read, NULL));
    c->is_reading = r->owns_read = true;
    return OK;
}

static enum rc fetch(struct ctx *cx, struct rows *r)
{
    TRY(send_text(cx, r->conn,
                  arena_printf(cx->arena, "FETCH %d FROM walk%d", WALK_ROWS, r->cursor)));
    PGresult *result = NULL;
    TRY(settle(cx, r->conn, &result));
    PQclear(r->result);
    r->result = result;
    r->at = -1;
    return OK;
}

static enum rc open_walk(struct ctx *cx, struct rows *r, const struct arg *const *values)
{
    struct pg_conn *c = r->conn;
    TRY(make_room(cx, c));
    TRY(begin_read_if_needed(cx, r));
    const int cursor = ++c->walks;
    const char *text = arena_printf(cx->arena, "DECLARE walk%d NO SCROLL CURSOR FOR %s", cursor,
                                    r->sql->text[DB_POSTGRES]);
    struct values v;
    set_values(cx, r->sql, values, &v);
    if (!PQsendQueryParams(c->pg, text, v.count, NULL, v.at, v.lengths, v.formats, 0))
        return describe_loss(cx, c);
    push(c, r->sql->name, NULL);
    r->cursor = cursor;
    return fetch(cx, r);
}

static void close_read(struct rows *r, const char *how)
{
    struct ctx quiet = {.arena = arena_create()};
    if (run_text(&quiet, r->conn, how) != OK)
        r->conn->head.is_lost = true;
    r->conn->is_reading = false;
    arena_destroy(quiet.arena);
}

static enum rc pg_finish(struct ctx *cx, struct rows *r)
{
    struct pg_conn *c = r->conn;
    enum rc rc = OK;
    PQclear(r->result);
    if (r->cursor && !r->owns_read && PQtransactionStatus(c->pg) == PQTRANS_INTRANS)
        rc = run_text(cx, c, arena_printf(cx->arena, "CLOSE walk%d", r->cursor));
    if (r->cursor)
        c->walks--;
    if (r->owns_read)
        close_read(r, "ROLLBACK");
    return rc;
}

static enum rc pg_start(struct ctx *cx, struct conn *head, const struct sql *sql,
                        const struct arg *const *values, enum walk walk, struct rows **ret)
{
    struct rows *r = arena_alloc(cx->arena, sizeof(*r));
    *r = (struct rows){.conn = of(head), .sql = sql, .at = -1};
    enum rc rc;
    if (walk == WALK_LONG) {
        rc = open_walk(cx, r, values);
    } else {
        rc = send(cx, r->conn, sql, values);
        if (rc == OK)
            rc = settle(cx, r->conn, &r->result);
    }
    if (rc == OK)
        *ret = r;
    else
        pg_finish(cx, r);
    return rc;
}

static enum rc pg_next(struct ctx *cx, struct rows *r, bool *ret_has_row)
{
    const int count = PQntuples(r->result);
    if (r->cursor && r->at + 1 == count && count == WALK_ROWS)
        TRY(fetch(cx, r));
    *ret_has_row = ++r->at < PQntuples(r->result);
    return OK;
}

/* Numbers; and booleans, which SQLite shows as numbers. */
static int64_t as_int(const char *s)
{
    return *s == 't' ? 1 : strtoll(s, NULL, 10);
}

static struct blob as_blob(struct ctx *cx, const char *hex, int len)
{
    struct blob b = {.len = (size_t)(len - 2) / 2};
    void *bytes = arena_alloc(cx->arena, b.len + 1);
    if (!str_starts(hex, "\\x") || !str_unhex(hex + 2, bytes, b.len))
        BUG("a blob column is not of bytes");
    b.at = bytes;
    return b;
}

static void pg_store(struct ctx *cx, struct rows *r, const struct col *cols, void *row)
{
    int n = 0;
    for (; cols[n].kind != COL_END; n++) {
        void *at = (char *)row + cols[n].offset;
        const bool is_null = PQgetisnull(r->result, r->at, n);
        const char *text = PQgetvalue(r->result, r->at, n);
        const int len = PQgetlength(r->result, r->at, n);
        if (cols[n].kind == COL_INT)
            *(int64_t *)at = is_null ? 0 : as_int(text);
        else if (cols[n].kind == COL_TEXT)
            *(const char **)at = is_null ? NULL : arena_strndup(cx->arena, text, (size_t)len);
        else if (cols[n].kind == COL_BLOB)
            *(struct blob *)at = is_null ? (struct blob){0} : as_blob(cx, text, len);
        else
            *(bool *)at = !is_null && as_int(text) != 0;
    }
    check_columns(r->sql, n, PQnfields(r->result));
}

static enum rc pg_once(struct ctx *cx, struct conn *c, const char *text)
{
    return run_text(cx, of(c), text);
}

/* A number is sent as text and takes the type PostgreSQL infers; next to a small literal that is
 * 32 bits, which an instant overflows, one day and in production. So it is refused here. */
static enum rc check_param_types(struct ctx *cx, const struct sql *sql, const PGresult *r)
{
    enum { INT2 = 21, INT4 = 23 };
    for (int i = 0; i < PQnparams(r); i++)
        if (PQparamtype(r, i) == INT2 || PQparamtype(r, i) == INT4)
            return fail(cx, E_INVALID, NULL,
                        "%s: PostgreSQL takes :%s for 32 bits; write CAST(:%s AS INTEGER)",
                        sql->name, sql->params[i], sql->params[i]);
    return OK;
}

static enum rc pg_prepare(struct ctx *cx, struct conn *head, const struct sql *sql)
{
    struct pg_conn *c = of(head);
    struct prepared *p = NULL;
    TRY(get_ready(cx, c, sql, &p));
    if (!PQsendDescribePrepared(c->pg, p->name))
        return describe_loss(cx, c);
    push(c, sql->name, NULL);
    PGresult *r = NULL;
    TRY(settle(cx, c, &r));
    const enum rc rc = check_param_types(cx, sql, r);
    PQclear(r);
    return rc;
}

/* ---- transactions ---------------------------------------------------------------------------- */

static enum rc pg_begin(struct ctx *cx, struct conn *c)
{
    TRY(send(cx, of(c), &control_begin, NULL));
    TRY(send(cx, of(c), &control_lock, NULL));
    of(c)->was_answered = false;
    return OK;
}

static enum rc pg_settle(struct ctx *cx, struct conn *c)
{
    return of(c)->queued ? settle(cx, of(c), NULL) : OK;
}

/* When the connection breaks between COMMIT and its answer nobody knows whether it took place. So
 * that this is not said of connections that were dead all along, COMMIT is only sent over one that
 * has answered within the transaction. */
static enum rc pg_commit(struct ctx *cx, struct conn *head)
{
    struct pg_conn *c = of(head);
    if (!c->was_answered)
        TRY(pg_settle(cx, head));
    TRY(send(cx, c, &control_notify, NULL));
    TRY(send(cx, c, &control_commit, NULL));
    PGresult *r = NULL;
    const enum rc rc = settle(cx, c, &r);
    const bool is_undone = rc == OK && str_equal(PQcmdStatus(r), "ROLLBACK");
    PQclear(r);
    if (is_undone)
        return fail(cx, E_FAIL, NULL, "the database undid the transaction");
    if (!head->is_lost)
        return rc;
    const char *detail = cx->err.detail;
    fail(cx, E_FAIL, NULL,
         "the connection to the database broke while the change was being stored; look whether it "
         "was before trying again");
    return fail_detail(cx, E_FAIL, "%s", detail ? detail : "");
}

static enum rc pg_mark(struct ctx *cx, struct conn *c)
{
    return send(cx, of(c), &control_mark, NULL);
}

static enum rc pg_unmark(struct ctx *cx, struct conn *c)
{
    return send(cx, of(c), &control_unmark, NULL);
}

/* What is still queued may fail, and would take the undoing with it. */
static void settle_quietly(struct conn *c)
{
    struct ctx quiet = {.arena = arena_create()};
    pg_settle(&quiet, c);
    arena_destroy(quiet.arena);
}

static enum rc pg_back(struct ctx *cx, struct conn *c)
{
    settle_quietly(c);
    TRY(send(cx, of(c), &control_back, NULL));
    return send(cx, of(c), &control_unmark, NULL);
}

static void pg_rollback(struct conn *head)
{
    struct pg_conn *c = of(head);
    struct ctx quiet = {.arena = arena_create()};
    settle_quietly(head);
    if (!head->is_lost &&
        (send(&quiet, c, &control_rollback, NULL) != OK || settle(&quiet, c, NULL) != OK))
        head->is_lost = true;
    c->is_reading = false;
    arena_destroy(quiet.arena);
}

static bool pg_has_tx(struct conn *c)
{
    return !c->is_lost && PQtransactionStatus(of(c)->pg) != PQTRANS_IDLE;
}

static enum rc pg_begin_read(struct ctx *cx, struct conn *c)
{
    TRY(send(cx, of(c), &control_begin_read, NULL));
    of(c)->is_reading = true;
    return OK;
}

static void pg_tend(struct conn *c, enum tend when)
{
    (void)c, (void)when;
}

/* ---- connections ----------------------------------------------------------------------------- */

static const char setup_all[] = "SET lock_timeout = '10s';"
                                "SET idle_in_transaction_session_timeout = '60s';"
                                "SET timezone = 'UTC';"
                                "SET default_transaction_isolation = 'read committed';"
                                "SET client_min_messages = error;"
                                "SET cursor_tuple_fraction = 1;"
                                "SET jit = off;";
/* No limit of time for writers: it would also cut a COMMIT's wait for the standby short, which
 * PostgreSQL then reports as done. */
static const char setup_writer[] = "SET statement_timeout = 0;";
static const char setup_reader[] = "SET default_transaction_read_only = on;";

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg, (void)r;
}

static enum rc describe_open(struct ctx *cx, struct pg_conn *c)
{
    fail(cx, E_BUSY, NULL, "the database cannot be reached");
    return fail_detail(cx, E_BUSY, "postgres: %s", PQerrorMessage(c->pg));
}

/* What is named before the URL can be overridden there, what comes after it cannot. */
static enum rc dial(struct ctx *cx, struct pg_conn *c, const char *url)
{
    static const char *const names[] = {"connect_timeout",
                                        "tcp_user_timeout",
                                        "application_name",
                                        "target_session_attrs",
                                        "dbname",
                                        "client_encoding",
                                        NULL};
    const char *const values[] = {"5", "15000", "fettle", "read-write", url, "UTF8", NULL};
    c->pg = PQconnectdbParams(names, values, 1);
    if (PQstatus(c->pg) != CONNECTION_OK)
        return describe_open(cx, c);
    PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
    return OK;
}

static enum rc plain(struct ctx *cx, struct pg_conn *c, const char *text)
{
    PGresult *r = PQexec(c->pg, text);
    const enum rc rc = is_good(r) ? OK : describe(cx, c, r, text);
    PQclear(r);
    return rc;
}

static enum rc check_facts(struct ctx *cx, const PGresult *r)
{
    const char *encoding = PQgetvalue(r, 0, 1), *collation = PQgetvalue(r, 0, 2),
               *sync = PQgetvalue(r, 0, 3);
    if (strtol(PQgetvalue(r, 0, 0), NULL, 10) < OLDEST_SERVER)
        return fail(cx, E_FAIL, NULL, "PostgreSQL 15 or newer is needed");
    if (!str_equal(encoding, "UTF8"))
        return fail(cx, E_FAIL, NULL, "the database's encoding is %s, it must be UTF8", encoding);
    if (!str_in(collation, (const char *const[]){"C", "POSIX", "C.UTF-8", "C.utf8", NULL}))
        return fail(cx, E_FAIL, NULL,
                    "the database's collation is %s; make it with LC_COLLATE 'C' TEMPLATE "
                    "template0",
                    collation);
    if (str_in(sync, (const char *const[]){"off", "local", NULL}))
        return fail(cx, E_FAIL, NULL,
                    "synchronous_commit is %s: acknowledged changes could be lost", sync);
    return OK;
}

static enum rc check_server(struct ctx *cx, struct pg_conn *c)
{
    PGresult *r = PQexec(c->pg, "SELECT current_setting('server_version_num'), "
                                "pg_encoding_to_char(encoding), datcollate, "
                                "current_setting('synchronous_commit') "
                                "FROM pg_database WHERE datname = current_database()");
    const enum rc rc = is_good(r) ? check_facts(cx, r) : describe(cx, c, r, "check");
    PQclear(r);
    return rc;
}

static enum rc limit_time(struct ctx *cx, struct pg_conn *c, int64_t us)
{
    return plain(cx, c,
                 arena_printf(cx->arena, "SET statement_timeout = %lld", (long long)us / 1000));
}

static enum rc set_up(struct ctx *cx, struct pg_conn *c, const struct engine *e,
                      enum conn_role role)
{
    TRY(plain(cx, c, setup_all));
    if (role == CONN_LISTENER)
        return plain(cx, c, "LISTEN " NOTICE_CHANNEL);
    if (role == CONN_WRITER)
        TRY(check_server(cx, c));
    else
        TRY(limit_time(cx, c, e->read_limit_us));
    TRY(plain(cx, c, role == CONN_WRITER ? setup_writer : setup_reader));
    return PQenterPipelineMode(c->pg) ? OK : describe_loss(cx, c);
}

static void pg_disconnect(struct conn *head)
{
    struct pg_conn *c = of(head);
    PQfinish(c->pg);
    c->pg = NULL;
    cache_done(&c->cache, drop_prepared, c);
    free(c);
}

static enum rc pg_connect(struct ctx *cx, struct engine *e, enum conn_role role, struct conn **ret)
{
    struct pg_conn *c = must_alloc(1, sizeof(*c));
    enum rc rc = dial(cx, c, e->url);
    if (rc == OK)
        rc = set_up(cx, c, e, role);
    if (rc != OK) {
        pg_disconnect(&c->head);
        return rc;
    }
    *ret = &c->head;
    return OK;
}

static enum rc pg_open(struct ctx *cx, const char *url, int64_t read_limit_us, struct engine **ret)
{
    (void)cx;
    struct engine *e = must_alloc(1, sizeof(*e));
    e->url = must_strdup(url);
    e->read_limit_us = read_limit_us;
    *ret = e;
    return OK;
}

static void pg_close(struct engine *e)
{
    explicit_bzero(e->url, strlen(e->url)); /* a password may be in it */
    free(e->url);
    free(e);
}

static bool pg_listen(struct conn *head, int wake_fd, int timeout_ms)
{
    struct pg_conn *c = of(head);
    struct pollfd fds[] = {{.fd = PQsocket(c->pg), .events = POLLIN},
                           {.fd = wake_fd, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
        head->is_lost = true;
    if (!PQconsumeInput(c->pg))
        head->is_lost = true;
    bool is_changed = false;
    for (PGnotify *n; (n = PQnotifies(c->pg)); PQfreemem(n))
        is_changed = true;
    return is_changed;
}

static const char *pg_version(struct arena *a)
{
    return arena_printf(a, "libpq %d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
}

const struct driver postgres_driver = {
    .engine = DB_POSTGRES,
    .version = pg_version,
    .max_batch = 60, /* more savepoints in a transaction slow every reader down */
    .min_readers = 16,
    .open = pg_open,
    .close = pg_close,
    .connect = pg_connect,
    .disconnect = pg_disconnect,
    .exec = pg_exec,
    .start = pg_start,
    .next = pg_next,
    .store = pg_store,
    .finish = pg_finish,
    .once = pg_once,
    .prepare = pg_prepare,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .mark = pg_mark,
    .unmark = pg_unmark,
    .back = pg_back,
    .settle = pg_settle,
    .has_tx = pg_has_tx,
    .begin_read = pg_begin_read,
    .end_read = pg_rollback,
    .tend = pg_tend,
    .listen = pg_listen,
};
