/* The driver of SQLite. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "db/cache.h"
#include "db/driver.h"
#include "db/inside.h"

#define SAFE_VERSION 3051003 /* the first without the WAL-reset corruption */
#define OPS_PER_CHECK 20000  /* of SQLite's virtual machine between looks at the clock */
#define WRITE_LIMIT_US (30 * US_PER_S)
#define BUSY_MS 250            /* somebody else's tool holds the lock */
#define IDLE_PAGES 1000        /* of the log: folded into the database when there is time */
#define CHECKPOINT_PAGES 16000 /* ... and now; so seldom that few wait for it */
#define RESTART_PAGES (4 * CHECKPOINT_PAGES) /* readers kept the log from starting over */
#define LOG_KEPT_BYTES "67108864"

struct engine {
    char *path;
    int lock_fd;
    int64_t read_limit_us;
};

struct sqlite_conn {
    struct conn head;
    sqlite3 *db;
    struct cache cache;
    bool is_writer;
    int64_t limit_us;   /* for one step of a statement; 0: none */
    int64_t started_at; /* of the step under way; 0: the clock was not read yet */
    int log_pages;
    int tend_at; /* pages at which the next checkpoint is due */
};

struct rows {
    struct sqlite_conn *conn;
    sqlite3_stmt *stmt;
    struct slot *slot; /* NULL: prepared for this run only */
    const struct sql *sql;
    bool is_done;
};

static struct sqlite_conn *of(struct conn *c)
{
    return (struct sqlite_conn *)c;
}

/* ---- failures ------------------------------------------------------------------------------- */

static const struct {
    int code; /* primary or extended; the first match counts */
    enum rc rc;
    const char *text;
} failures[] = {
    {SQLITE_CONSTRAINT_UNIQUE, E_CONFLICT, "it is there already"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, E_CONFLICT, "it is there already"},
    {SQLITE_CONSTRAINT_ROWID, E_CONFLICT, "it is there already"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, E_CONFLICT,
     "it refers to something that does not exist, or is itself referred to"},
    {SQLITE_CONSTRAINT_CHECK, E_CONFLICT, "it breaks a rule of the database"},
    {SQLITE_BUSY, E_BUSY, "the database is busy; try again"},
    {SQLITE_LOCKED, E_BUSY, "the database is busy; try again"},
    {SQLITE_FULL, E_FAIL, "the disk of the database is full"},
    {SQLITE_READONLY, E_FAIL, "the database cannot be written"},
    {SQLITE_CANTOPEN, E_FAIL, "the database cannot be opened"},
    {SQLITE_IOERR, E_FAIL, "the disk of the database fails"},
    {SQLITE_CORRUPT, E_FAIL, "the database is damaged"},
    {SQLITE_NOTADB, E_FAIL, "the database is damaged, or not one"},
    {SQLITE_TOOBIG, E_FAIL, "a value is too large for the database"},
    {SQLITE_OK, E_FAIL, "the database failed"},
};

/* The outcome of a write that failed here is unknown to the operating system too, so trying again
 * on the same files would only hide a loss. */
static bool is_breaking(int code)
{
    const int primary = code & 0xff;
    return primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

static enum rc describe(struct ctx *cx, struct sqlite_conn *c, const char *name)
{
    const int code = sqlite3_extended_errcode(c->db);
    int i = 0;
    while (failures[i].code != code && failures[i].code != (code & 0xff) && failures[i].code)
        i++;
    enum rc rc = failures[i].rc;
    const char *text = failures[i].text;
    if ((code & 0xff) == SQLITE_INTERRUPT) {
        rc = c->is_writer ? E_FAIL : E_BUSY;
        text = "the question takes the database too long; ask for less";
    }
    if (is_breaking(code))
        c->head.is_broken = true;
    fail(cx, rc, NULL, "%s", text);
    return fail_detail(cx, rc, "sqlite %d: %s (%s)", code, sqlite3_errmsg(c->db), name);
}

static int on_progress(void *arg)
{
    struct sqlite_conn *c = arg;
    const int64_t now = clock_monotonic();
    if (!c->started_at)
        c->started_at = now;
    return c->limit_us && now - c->started_at > c->limit_us;
}

/* ---- full text ------------------------------------------------------------------------------- */

/* Words come folded and stemmed (lang/words.h), so that both engines index the same: the tokenizer
 * only splits at single spaces, and puts the parts of "a|b" at one place, as forms of one word. */
static int split_word(void *arg, const char *text, int begin, int end,
                      int (*token)(void *, int, const char *, int, int, int))
{
    int flags = 0;
    for (int from = begin; from < end;) {
        int to = from;
        while (to < end && text[to] != '|')
            to++;
        if (to > from) {
            const int rc = token(arg, flags, text + from, to - from, begin, end);
            if (rc != SQLITE_OK)
                return rc;
            flags = FTS5_TOKEN_COLOCATED;
        }
        from = to + 1;
    }
    return SQLITE_OK;
}

static int tokenize(Fts5Tokenizer *t, void *arg, int flags, const char *text, int len,
                    int (*token)(void *, int, const char *, int, int, int))
{
    (void)t, (void)flags;
    for (int from = 0; from < len;) {
        int to = from;
        while (to < len && text[to] != ' ')
            to++;
        const int rc = split_word(arg, text, from, to, token);
        if (rc != SQLITE_OK)
            return rc;
        from = to + 1;
    }
    return SQLITE_OK;
}

static int tokenizer_create(void *arg, const char **args, int count, Fts5Tokenizer **ret)
{
    (void)args, (void)count;
    *ret = arg; /* it has no state; any pointer but NULL */
    return SQLITE_OK;
}

static void tokenizer_delete(Fts5Tokenizer *t)
{
    (void)t;
}

#define RANK_CELLS 256      /* terms times columns; more share cells, which only blurs the rank */
#define RANK_SATURATION 1.2 /* as k1 and b of BM25 */
#define RANK_LENGTH 0.75
#define RANK_USUAL_WORDS 100.0 /* a column of this many words is neither short nor long */

struct rank {
    const Fts5ExtensionApi *api;
    Fts5Context *fts;
    sqlite3_value **weights;
    int weight_count, columns;
    double hits[RANK_CELLS];
};

/* How often each term is in each column of the row; the highest cell used. */
static int rank_count(struct rank *r, int *ret_last)
{
    int count = 0;
    int rc = r->api->xInstCount(r->fts, &count);
    *ret_last = -1;
    for (int i = 0; i < count && rc == SQLITE_OK; i++) {
        int phrase, column, offset;
        rc = r->api->xInst(r->fts, i, &phrase, &column, &offset);
        const int cell = (phrase * r->columns + column) % RANK_CELLS;
        if (rc == SQLITE_OK)
            r->hits[cell]++;
        if (cell > *ret_last)
            *ret_last = cell;
    }
    return rc;
}

static double rank_weight(const struct rank *r, int column)
{
    return column < r->weight_count ? sqlite3_value_double(r->weights[column]) : 1.0;
}

/* fettle_rank(table, weight of column 0, ...): higher is better. As BM25, but without document
 * frequencies and mean lengths: those read every hit of every term before the first row. */
static void rank(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *result, int count,
                 sqlite3_value **weights)
{
    struct rank r = {api, fts, weights, count, api->xColumnCount(fts), {0}};
    int last;
    int rc = rank_count(&r, &last);
    double score = 0;
    for (int cell = 0; cell <= last && rc == SQLITE_OK; cell++) {
        if (r.hits[cell] == 0)
            continue;
        int words = 0;
        rc = api->xColumnSize(fts, cell % r.columns, &words);
        const double length = 1 - RANK_LENGTH + RANK_LENGTH * words / RANK_USUAL_WORDS;
        score += rank_weight(&r, cell % r.columns) * r.hits[cell] * (RANK_SATURATION + 1) /
                 (r.hits[cell] + RANK_SATURATION * length);
    }
    if (rc == SQLITE_OK)
        sqlite3_result_double(result, score);
    else
        sqlite3_result_error_code(result, rc);
}

static int add_full_text(sqlite3 *db)
{
    static fts5_tokenizer tokenizer = {tokenizer_create, tokenizer_delete, tokenize};
    fts5_api *api = NULL;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_pointer(s, 1, &api, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK)
        sqlite3_step(s);
    sqlite3_finalize(s);
    if (rc == SQLITE_OK && !api)
        rc = SQLITE_ERROR;
    if (rc == SQLITE_OK)
        rc = api->xCreateTokenizer(api, "fettle", &tokenizer, &tokenizer, NULL);
    if (rc == SQLITE_OK)
        rc = api->xCreateFunction(api, "fettle_rank", NULL, rank, NULL);
    return rc;
}

/* ---- the database ---------------------------------------------------------------------------- */

static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

static enum rc check_library(struct ctx *cx)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    if (sqlite3_libversion_number() < SAFE_VERSION)
        return fail(cx, E_FAIL, NULL, "SQLite %s can corrupt a database; 3.51.3 or newer is needed",
                    sqlite3_libversion());
    if (!sqlite3_threadsafe())
        return fail(cx, E_FAIL, NULL, "SQLite was built without threads");
    if (!sqlite3_compileoption_used("ENABLE_FTS5"))
        return fail(cx, E_FAIL, NULL, "SQLite was built without full text search (FTS5)");
    return OK;
}

/* The lock lives as long as the descriptor, so it goes with the process, however that ends. */
static enum rc lock_database(struct ctx *cx, const char *path, int *ret_fd)
{
    const char *name = arena_printf(cx->arena, "%s.lock", path);
    const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(cx, E_FAIL, NULL, "cannot open the lock file %s", name);
        return fail_detail(cx, E_FAIL, "%s", strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return fail(cx, E_CONFLICT, NULL, "another process uses the database %s", path);
    }
    *ret_fd = fd;
    return OK;
}

/* SQLite gives its log the mode of the database, so that it is made with the right one. */
static enum rc make_private(struct ctx *cx, const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(cx, E_FAIL, NULL, "cannot open the database %s", path);
        return fail_detail(cx, E_FAIL, "%s", strerror(errno));
    }
    close(fd);
    return OK;
}

static enum rc sqlite_open(struct ctx *cx, const char *url, int64_t read_limit_us,
                           struct engine **ret)
{
    TRY(check_library(cx));
    const char *path = url + strlen("sqlite:");
    int fd = -1;
    TRY(lock_database(cx, path, &fd));
    const enum rc rc = make_private(cx, path);
    if (rc != OK) {
        close(fd);
        return rc;
    }
    struct engine *e = must_alloc(1, sizeof(*e));
    e->path = must_strdup(path);
    e->lock_fd = fd;
    e->read_limit_us = read_limit_us;
    *ret = e;
    return OK;
}

static void sqlite_close_engine(struct engine *e)
{
    close(e->lock_fd);
    free(e->path);
    free(e);
}

/* ---- a connection ---------------------------------------------------------------------------- */

static const char writer_setup[] = "PRAGMA locking_mode=NORMAL;"
                                   "PRAGMA journal_mode=WAL;"
                                   "PRAGMA synchronous=FULL;"
                                   "PRAGMA foreign_keys=ON;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cache_size=-8000;"
                                   "PRAGMA journal_size_limit=" LOG_KEPT_BYTES ";";

static const char reader_setup[] = "PRAGMA query_only=ON;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cache_size=-2000;";

static const struct {
    const char *pragma, *want;
} demanded[] = {
    {"PRAGMA journal_mode", "wal"}, {"PRAGMA synchronous", "2"},    {"PRAGMA foreign_keys", "1"},
    {"PRAGMA mmap_size", "0"},      {"PRAGMA trusted_schema", "0"},
};

static const struct {
    int id, max;
} limits[] = {
    {SQLITE_LIMIT_ATTACHED, 0},         {SQLITE_LIMIT_TRIGGER_DEPTH, 16},
    {SQLITE_LIMIT_COMPOUND_SELECT, 50}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
    {SQLITE_LIMIT_WORKER_THREADS, 0},   {SQLITE_LIMIT_VARIABLE_NUMBER, MAX_PARAMS},
};

static int on_log(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_conn *c = arg;
    (void)db, (void)name;
    if (pages < c->log_pages) /* it started over */
        c->tend_at = CHECKPOINT_PAGES;
    c->log_pages = pages;
    return SQLITE_OK;
}

static bool answers(sqlite3 *db, const char *pragma, const char *want)
{
    sqlite3_stmt *s = NULL;
    bool is_so = false;
    if (sqlite3_prepare_v2(db, pragma, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        is_so = text && strcmp(text, want) == 0;
    } else {
        is_so = strcmp(pragma, "PRAGMA mmap_size") == 0; /* built without it */
    }
    sqlite3_finalize(s);
    return is_so;
}

static enum rc check_demanded(struct ctx *cx, struct sqlite_conn *c)
{
    for (int i = 0; i < ARRAY_LEN(demanded); i++)
        if (!answers(c->db, demanded[i].pragma, demanded[i].want))
            return fail(cx, E_FAIL, NULL, "SQLite refuses a safe setting: %s=%s",
                        demanded[i].pragma, demanded[i].want);
    return OK;
}

static enum rc set_up(struct ctx *cx, struct sqlite_conn *c)
{
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, BUSY_MS);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Else statements are prepared again when they are bound to other values. */
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !c->is_writer, NULL);
    for (int i = 0; i < ARRAY_LEN(limits); i++)
        sqlite3_limit(c->db, limits[i].id, limits[i].max);
    sqlite3_progress_handler(c->db, OPS_PER_CHECK, on_progress, c);
    if (sqlite3_exec(c->db, c->is_writer ? writer_setup : reader_setup, NULL, NULL, NULL) !=
            SQLITE_OK ||
        add_full_text(c->db) != SQLITE_OK)
        return describe(cx, c, "open");
    /* Its own hook in place of SQLite's, which would check-point within a commit. */
    sqlite3_wal_hook(c->db, on_log, c);
    return c->is_writer ? check_demanded(cx, c) : OK;
}

static void drop_rows(void *owner, void *prepared)
{
    (void)owner;
    sqlite3_finalize(((struct rows *)prepared)->stmt);
    free(prepared);
}

static void sqlite_disconnect(struct conn *head)
{
    struct sqlite_conn *c = of(head);
    cache_done(&c->cache, drop_rows, c);
    sqlite3_close_v2(c->db);
    free(c);
}

static enum rc sqlite_connect(struct ctx *cx, struct engine *e, enum conn_role role,
                              struct conn **ret)
{
    struct sqlite_conn *c = must_alloc(1, sizeof(*c));
    c->is_writer = role == CONN_WRITER;
    c->limit_us = c->is_writer ? WRITE_LIMIT_US : e->read_limit_us;
    c->tend_at = CHECKPOINT_PAGES;
    const int flags = (c->is_writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    enum rc rc = OK;
    if (sqlite3_open_v2(e->path, &c->db, flags, NULL) != SQLITE_OK)
        rc = describe(cx, c, "open");
    if (rc == OK)
        rc = set_up(cx, c);
    if (rc != OK) {
        sqlite_disconnect(&c->head);
        return rc;
    }
    *ret = &c->head;
    return OK;
}

/* ---- statements ------------------------------------------------------------------------------ */

static const char *ids_as_json(struct ctx *cx, const struct arg *a)
{
    struct buf b = {.arena = cx->arena};
    const int64_t *ids = a->at;
    for (int64_t i = 0; i < a->i; i++) {
        buf_putc(&b, i ? ',' : '[');
        buf_int(&b, ids[i]);
    }
    buf_puts(&b, a->i ? "]" : "[]");
    return buf_text(&b);
}

static void add_json_text(struct buf *b, const char *s)
{
    buf_putc(b, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_putc(b, '\\');
        if ((unsigned char)*s < 0x20)
            buf_printf(b, "\\u%04x", (unsigned char)*s);
        else
            buf_putc(b, *s);
    }
    buf_putc(b, '"');
}

static const char *texts_as_json(struct ctx *cx, const struct arg *a)
{
    struct buf b = {.arena = cx->arena};
    const char *const *texts = a->at;
    for (int64_t i = 0; i < a->i; i++) {
        buf_putc(&b, i ? ',' : '[');
        add_json_text(&b, texts[i]);
    }
    buf_puts(&b, a->i ? "]" : "[]");
    return buf_text(&b);
}

/* What is bound outlives the statement's run, so nothing is copied. */
static int bind(struct ctx *cx, sqlite3_stmt *s, int n, const struct arg *a)
{
    switch (a->kind) {
    case ARG_INT:
        return sqlite3_bind_int64(s, n, a->i);
    case ARG_TEXT:
        return sqlite3_bind_text(s, n, a->at, -1, SQLITE_STATIC);
    case ARG_BLOB:
        return a->at && a->i == 0
                   ? sqlite3_bind_zeroblob(s, n, 0)
                   : sqlite3_bind_blob64(s, n, a->at, (sqlite3_uint64)a->i, SQLITE_STATIC);
    case ARG_IDS:
        return sqlite3_bind_text(s, n, ids_as_json(cx, a), -1, SQLITE_STATIC);
    case ARG_TEXTS:
        return sqlite3_bind_text(s, n, texts_as_json(cx, a), -1, SQLITE_STATIC);
    case ARG_NULL:
    case ARG_END:
        break;
    }
    return sqlite3_bind_null(s, n);
}

static enum rc prepare(struct ctx *cx, struct sqlite_conn *c, const struct sql *sql,
                       struct slot *slot, struct rows **ret)
{
    if (!sql->text[DB_SQLITE])
        BUG("a statement of PostgreSQL alone was given to SQLite");
    sqlite3_stmt *stmt = NULL;
    const unsigned flags = slot ? SQLITE_PREPARE_PERSISTENT : 0;
    if (sqlite3_prepare_v3(c->db, sql->text[DB_SQLITE], -1, flags, &stmt, NULL) != SQLITE_OK)
        return describe(cx, c, sql->name);
    struct rows *r = must_alloc(1, sizeof(*r));
    *r = (struct rows){.conn = c, .stmt = stmt, .slot = slot};
    if (slot)
        slot->prepared = r;
    *ret = r;
    return OK;
}

/* The statement, ready to be bound. One that is under way already, further up the stack, is
 * prepared a second time for this run alone. */
static enum rc get_ready(struct ctx *cx, struct sqlite_conn *c, const struct sql *sql,
                         struct rows **ret)
{
    struct slot *slot = cache_slot(&c->cache, sql, drop_rows, c);
    if (slot && slot->is_busy)
        slot = NULL;
    if (slot && slot->prepared)
        *ret = slot->prepared;
    else
        TRY(prepare(cx, c, sql, slot, ret));
    if (slot)
        slot->is_busy = true;
    (*ret)->is_done = false;
    (*ret)->sql = sql;
    return OK;
}

static void put_away(struct rows *r)
{
    if (r->slot) {
        sqlite3_reset(r->stmt);
        r->slot->is_busy = false;
        return;
    }
    drop_rows(r->conn, r);
}

static enum rc sqlite_start(struct ctx *cx, struct conn *c, const struct sql *sql,
                            const struct arg *const *values, enum walk walk, struct rows **ret)
{
    (void)walk;
    struct rows *r = NULL;
    TRY(get_ready(cx, of(c), sql, &r));
    for (int i = 0; sql->params[i]; i++) {
        if (bind(cx, r->stmt, i + 1, values[i]) != SQLITE_OK) {
            const enum rc rc = describe(cx, of(c), sql->name);
            put_away(r);
            return rc;
        }
    }
    *ret = r;
    return OK;
}

static enum rc sqlite_next(struct ctx *cx, struct rows *r, bool *ret_has_row)
{
    r->conn->started_at = 0;
    const int step = sqlite3_step(r->stmt);
    r->is_done = step != SQLITE_ROW;
    *ret_has_row = step == SQLITE_ROW;
    return step == SQLITE_ROW || step == SQLITE_DONE ? OK : describe(cx, r->conn, r->sql->name);
}

static void store_text(struct ctx *cx, sqlite3_stmt *s, int n, const char **ret)
{
    const char *text = (const char *)sqlite3_column_text(s, n);
    *ret = text ? arena_strndup(cx->arena, text, (size_t)sqlite3_column_bytes(s, n)) : NULL;
}

static void store_blob(struct ctx *cx, sqlite3_stmt *s, int n, struct blob *ret)
{
    const void *bytes = sqlite3_column_blob(s, n);
    const size_t len = (size_t)sqlite3_column_bytes(s, n);
    const bool is_null = sqlite3_column_type(s, n) == SQLITE_NULL;
    *ret = (struct blob){is_null ? NULL : arena_copy(cx->arena, bytes ? bytes : "", len), len};
}

static void sqlite_store(struct ctx *cx, struct rows *r, const struct col *cols, void *row)
{
    int n = 0;
    for (; cols[n].kind != COL_END; n++) {
        void *at = (char *)row + cols[n].offset;
        if (cols[n].kind == COL_INT)
            *(int64_t *)at = sqlite3_column_int64(r->stmt, n);
        else if (cols[n].kind == COL_TEXT)
            store_text(cx, r->stmt, n, at);
        else if (cols[n].kind == COL_BLOB)
            store_blob(cx, r->stmt, n, at);
        else
            *(bool *)at = sqlite3_column_int64(r->stmt, n) != 0;
    }
    check_columns(r->sql, n, sqlite3_column_count(r->stmt));
}

/* A writing statement is run to its end even when its first row was all that was asked for: only
 * there the last constraints are checked. */
static enum rc sqlite_finish(struct ctx *cx, struct rows *r)
{
    enum rc rc = OK;
    bool has_row = true;
    while (r->sql->is_write && !r->is_done && rc == OK)
        rc = sqlite_next(cx, r, &has_row);
    put_away(r);
    return rc;
}

static enum rc sqlite_exec(struct ctx *cx, struct conn *c, const struct sql *sql,
                           const struct arg *const *values, int *ret_changed)
{
    struct rows *r = NULL;
    TRY(sqlite_start(cx, c, sql, values, WALK_SHORT, &r));
    enum rc rc = OK;
    while (rc == OK && !r->is_done)
        rc = sqlite_next(cx, r, &(bool){false});
    if (rc == OK && ret_changed)
        *ret_changed = sqlite3_changes(of(c)->db);
    put_away(r);
    return rc;
}

static enum rc sqlite_once(struct ctx *cx, struct conn *head, const char *text)
{
    struct sqlite_conn *c = of(head);
    c->limit_us = 0;
    const int result = sqlite3_exec(c->db, text, NULL, NULL, NULL);
    c->limit_us = WRITE_LIMIT_US;
    return result == SQLITE_OK ? OK : describe(cx, c, "migration");
}

static enum rc sqlite_prepare(struct ctx *cx, struct conn *c, const struct sql *sql)
{
    struct rows *r = NULL;
    TRY(get_ready(cx, of(c), sql, &r));
    const bool is_reading = sqlite3_stmt_readonly(r->stmt);
    put_away(r);
    return is_reading || sql->is_write
               ? OK
               : fail(cx, E_INVALID, NULL, "%s writes, but is marked as reading", sql->name);
}

/* ---- transactions ---------------------------------------------------------------------------- */

static const char *const no_params[] = {NULL};

#define CONTROL(id, words)                                                                         \
    static const struct sql control_##id = {                                                       \
        .name = #id, .text = {[DB_SQLITE] = (words)}, .params = no_params}

CONTROL(begin, "BEGIN IMMEDIATE");
CONTROL(commit, "COMMIT");
CONTROL(rollback, "ROLLBACK");
CONTROL(mark, "SAVEPOINT mark");
CONTROL(unmark, "RELEASE mark");
CONTROL(back, "ROLLBACK TO mark");
CONTROL(begin_read, "BEGIN");

static enum rc control(struct ctx *cx, struct conn *c, const struct sql *sql)
{
    return sqlite_exec(cx, c, sql, NULL, NULL);
}

static enum rc sqlite_begin(struct ctx *cx, struct conn *c)
{
    return control(cx, c, &control_begin);
}

static enum rc sqlite_commit(struct ctx *cx, struct conn *c)
{
    return control(cx, c, &control_commit);
}

static enum rc sqlite_mark(struct ctx *cx, struct conn *c)
{
    return control(cx, c, &control_mark);
}

static enum rc sqlite_unmark(struct ctx *cx, struct conn *c)
{
    return control(cx, c, &control_unmark);
}

static enum rc sqlite_back(struct ctx *cx, struct conn *c)
{
    TRY(control(cx, c, &control_back));
    return control(cx, c, &control_unmark);
}

static enum rc sqlite_settle(struct ctx *cx, struct conn *c)
{
    (void)cx, (void)c;
    return OK;
}

static bool sqlite_has_tx(struct conn *c)
{
    return !sqlite3_get_autocommit(of(c)->db);
}

/* Every error that could be met here has rolled back already, so none is of interest. */
static void sqlite_rollback(struct conn *c)
{
    if (sqlite_has_tx(c))
        sqlite3_exec(of(c)->db, control_rollback.text[DB_SQLITE], NULL, NULL, NULL);
}

static enum rc sqlite_begin_read(struct ctx *cx, struct conn *c)
{
    return control(cx, c, &control_begin_read);
}

/* Folds the log into the database, here and nowhere else, so that no reader and no second process
 * ever does. What is folded costs a second time while readers sit on it, so the next attempt waits
 * for as many pages more; when the log grew far, so does the attempt, a moment, for the readers. */
static void sqlite_tend(struct conn *head, enum tend when)
{
    struct sqlite_conn *c = of(head);
    const int due = c->tend_at - (when == TEND_IDLE ? CHECKPOINT_PAGES - IDLE_PAGES : 0);
    if (c->log_pages < due || c->head.is_broken)
        return;
    const int how =
        c->log_pages < RESTART_PAGES ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    const int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, how, NULL, NULL);
    c->tend_at = c->log_pages + CHECKPOINT_PAGES;
    if (is_breaking(rc))
        c->head.is_broken = true;
}

static const char *sqlite_version(struct arena *a)
{
    return arena_printf(a, "SQLite %s", sqlite3_libversion());
}

const struct driver sqlite_driver = {
    .engine = DB_SQLITE,
    .version = sqlite_version,
    .max_batch = 128,
    .min_readers = 8,
    .open = sqlite_open,
    .close = sqlite_close_engine,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .exec = sqlite_exec,
    .start = sqlite_start,
    .next = sqlite_next,
    .store = sqlite_store,
    .finish = sqlite_finish,
    .once = sqlite_once,
    .prepare = sqlite_prepare,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .mark = sqlite_mark,
    .unmark = sqlite_unmark,
    .back = sqlite_back,
    .settle = sqlite_settle,
    .has_tx = sqlite_has_tx,
    .begin_read = sqlite_begin_read,
    .end_read = sqlite_rollback,
    .tend = sqlite_tend,
};
