/* db.h - one SQL door, two engines.
 *
 * Statements are constants made from the .sql files that stand beside the C that uses them
 * (rec/rec.sql -> SQL_rec_load), written once in the dialect that SQLite and PostgreSQL share. The
 * few tokens that differ are in braces and are replaced when the constants are generated:
 *
 *   {identity}        a primary key that counts by itself (CREATE TABLE only)
 *   {blob}            the type of bytes
 *   {skip_locked}     claims that do not wait
 *   {ids :name}       a set of integers given as one argument:  x IN {ids :groups}
 *   {texts :name}     a set of texts given as one argument:     x IN {texts :names}
 *   {json name}       a member of the JSON column at hand, as text: {json fields.impact}
 *
 * Parameters are :names; an argument list names them in any order, and one that is missing or not
 * in the statement is a bug that ends the process.
 *
 * READING. Outside a transaction a statement runs on a read-only connection of a pool, borrowed for
 * just that statement (or for the whole of db_each() and db_snapshot()), so nobody holds one while
 * waiting for something else. It sees everything committed.
 *
 * WRITING. Only inside db_tx(). All write transactions of all fettle processes on one database run
 * one after the other, on both engines (SQLite: one writer thread; PostgreSQL: one writer thread a
 * process, which takes an advisory lock for each batch). So a transaction never sees another half
 * done, numbers and the event feed have no gaps, and nothing dead-locks. It is fast because
 * concurrent transactions share a commit: the writer runs each in a savepoint, commits them
 * together, and only then does each caller hear of it (group commit). A function given to db_tx()
 * therefore
 *   - may run more than once, so it does nothing that cannot be rolled back;
 *   - runs on the writer's thread while its caller waits: it must not block or compute for long;
 *   - keeps within some milliseconds; long work is a job in slices.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"

struct secret;
struct db; /* one open database: its writer and its pool of readers; shared by all threads */

enum db_engine { DB_SQLITE, DB_POSTGRES, DB_ENGINES };
/* "SQLite 3.53.2": the library in this program, not a server somewhere. */
const char *db_version(struct arena *a, enum db_engine engine);

/* A generated statement. text[engine] has positional parameters (?1, $1) in the order of params. */
struct sql {
    const char *name; /* "rec_load", for logs and the slow statement log */
    const char *text[DB_ENGINES];
    const char *const *params; /* names without colon, NULL at the end */
    bool is_write;
    uint64_t dynamic; /* 0: a constant; else the hash of the text, see db_dynamic() */
};

/* ---- arguments ------------------------------------------------------------------------------ */

enum arg_kind { ARG_END, ARG_NULL, ARG_INT, ARG_TEXT, ARG_BLOB, ARG_IDS, ARG_TEXTS };

struct arg {
    const char *name;
    enum arg_kind kind;
    int64_t i;      /* the integer; or the count of ids, texts; or the length of a blob */
    const void *at; /* the text, the blob, the int64_t ids, the const char *texts */
};

#define ARGS(...) ((const struct arg[]){__VA_ARGS__ __VA_OPT__(, ){0}})
#define INT(n, v) ((struct arg){.name = (n), .kind = ARG_INT, .i = (v)})
#define TEXT(n, s) ((struct arg){.name = (n), .kind = ARG_TEXT, .at = (s)}) /* NULL: SQL NULL */
#define BLOB(n, p, len)                                                                            \
    ((struct arg){.name = (n), .kind = ARG_BLOB, .at = (p), .i = (int64_t)(len)})
#define IDS(n, p, count) ((struct arg){.name = (n), .kind = ARG_IDS, .at = (p), .i = (count)})
#define TEXTS(n, p, count) ((struct arg){.name = (n), .kind = ARG_TEXTS, .at = (p), .i = (count)})
#define NONE(n) ((struct arg){.name = (n), .kind = ARG_NULL})
#define INT_OR_NONE(n, v) ((v) ? INT(n, v) : NONE(n)) /* 0 stands for SQL NULL, as ids do */

/* ---- result columns ------------------------------------------------------------------------- */

/* Where the columns of a row go, in the order of the select list. SQL NULL becomes 0 or NULL. */
enum col_kind { COL_END, COL_INT, COL_TEXT, COL_BLOB, COL_FLAG };

struct blob {
    const void *at;
    size_t len;
};

struct col {
    enum col_kind kind;
    size_t offset;
    const char *name; /* of the member, for messages */
};

#define COL_(k, type, member)                                                                      \
    {                                                                                              \
        .kind = (k), .offset = offsetof(type, member), .name = #member                             \
    }
#define INT_COL(type, member) COL_(COL_INT, type, member)   /* int64_t */
#define TEXT_COL(type, member) COL_(COL_TEXT, type, member) /* const char *, in the arena of cx */
#define BLOB_COL(type, member) COL_(COL_BLOB, type, member) /* struct blob */
#define FLAG_COL(type, member) COL_(COL_FLAG, type, member) /* bool */

/* ---- statements ----------------------------------------------------------------------------- */

/* Run a statement without rows. ret_changed (may be NULL): how many rows it changed. With NULL the
 * engine's answer is not waited for: PostgreSQL then says of a broken constraint only at a later
 * statement or at the end of the transaction, or of the nested one around it. */
enum rc db_exec(struct ctx *cx, const struct sql *sql, const struct arg *args, int *ret_changed);

/* The one row; E_NOT_FOUND (with no description) when there is none. Strings live in the arena. */
enum rc db_one(struct ctx *cx, const struct sql *sql, const struct arg *args,
               const struct col *cols, void *ret);

/* All rows as an array of structs of that size. */
enum rc db_all(struct ctx *cx, const struct sql *sql, const struct arg *args,
               const struct col *cols, size_t size, struct list *ret);

/* Each row as it comes, without holding all: a row and its strings live as long as the call of fn.
 * fn stops the walk by returning something other than OK, which is then the result; it may ask and,
 * in a transaction, change anything, for there all rows are read before the first call. Outside of
 * one the walk sees one state of the database and holds a connection: fn must not wait for others.
 */
enum rc db_each(struct ctx *cx, const struct sql *sql, const struct arg *args,
                const struct col *cols, size_t size,
                enum rc (*fn)(struct ctx *cx, void *row, void *arg), void *arg);

/* A statement put together at run time, for filters and orders that users write. Only
 * rec/rec_list.c and lang's translation make such text, from fixed pieces; values are always
 * parameters. The text is in the dialect of the .sql files, with :names and {ids :x}, {texts :x},
 * {json fields.x}, {sqlite: ...}, {postgres: ...}; INTEGER is 64 bits. The struct and its text live
 * in the arena; prepared once per connection and text, oldest dropped. */
const struct sql *db_dynamic(struct ctx *cx, const char *name, const char *text);
enum db_engine db_engine(const struct db *db);

/* ---- transactions --------------------------------------------------------------------------- */

typedef enum rc (*db_tx_fn)(struct ctx *cx, void *arg);

/* Run fn(cx, arg) in a write transaction and return when it is durable. A result other than OK
 * rolls it back; E_BUSY is retried some times first.
 *
 * A statement that fails (E_NOT_FOUND of db_one() is no failure) dooms its transaction: further
 * statements fail alike, and it is rolled back whatever fn returns; a broken rule of the database
 * (E_CONFLICT) may be told by fn in its own words, E_FAIL and E_BUSY are the result as they are.
 * What may well collide says ON CONFLICT DO NOTHING.
 *
 * Inside a transaction it is a part of the one around it: when the inner fn fails, what it did is
 * undone, the failure is returned, and the outer one may go on. */
enum rc db_tx(struct ctx *cx, db_tx_fn fn, void *arg);
bool db_in_tx(const struct ctx *cx);

/* From inside a transaction: run fn(cx, arg) once at the end of the whole batch, still before its
 * commit, in the order of the keys, then as registered. For work that is cheaper together and in
 * order, as full text. Of several with the same fn and the same key other than 0 only the last one
 * runs: it is about the same thing, and sees what all of them did. When it fails, the members of
 * the batch run once more, each alone, so that only its own transaction fails.
 * Dropped when the transaction that registered it rolls back. Both must outlive the call of
 * db_tx(): cx is the one given to fn, never a copy on the stack, and arg lives in its arena. */
void db_before_commit(struct ctx *cx, int64_t key, db_tx_fn fn, void *arg);

/* From inside a transaction: call fn(arg) once after the commit is durable, before db_tx() returns,
 * on the writer's thread: it may wake somebody, but not wait or open a transaction. */
void db_after_commit(struct ctx *cx, void (*fn)(void *arg), void *arg);

/* Several reads that must agree: fn sees one state of the database. Reads only. */
enum rc db_snapshot(struct ctx *cx, db_tx_fn fn, void *arg);

/* ---- opening -------------------------------------------------------------------------------- */

struct db_config {
    const struct secret *url; /* "sqlite:/path/to.db" or a PostgreSQL URL */
    int readers;              /* connections for reading; 0: a sensible number for this machine */
    int max_batch;            /* transactions per commit; 0: default. 1 switches grouping off */
    int64_t read_limit_us;    /* for one statement outside of transactions; 0: 30 s. Then E_BUSY */
    int fail_at; /* tests: the n-th statement from now fails; 0: none. See db_fail_at() */
};

/* Opens, checks that the engine is safe (SQLite: version without the WAL-reset bug, WAL, FULL,
 * foreign keys; PostgreSQL: version, UTF-8, synchronous_commit) and refuses anything weaker. Does
 * not migrate. For SQLite takes an exclusive lock of the folder: E_CONFLICT when another process
 * has it. */
enum rc db_open(struct ctx *cx, const struct db_config *config, struct db **ret);
void db_close(struct db *db); /* waits for transactions under way; NULL is fine */

/* 1, 2, 3, ... for each database this process opened: what caches are kept by, since a closed
 * database's address may be used again. */
int64_t db_serial(const struct db *db);

/* Faults on demand, on either engine: the n-th statement counted from now fails with rc, once. 0
 * switches off. db_statement_count() says how many ran since the last call of db_fail_at(). */
void db_fail_at(struct db *db, int n, enum rc rc);
int db_statement_count(const struct db *db);

/* ---- migrations ----------------------------------------------------------------------------- */

/* Migrations are sql/NNNN_name.sql, embedded; forward only, one transaction each, checksums kept.
 * One process migrates at a time. Refuses a database whose schema is newer than this program, or
 * whose applied migrations were edited since. */
enum rc db_migrate(struct ctx *cx, int *ret_applied);

struct migration_state {
    int64_t version;
    const char *name;
    int64_t applied_at; /* 0: pending */
};
enum rc db_migrations(struct ctx *cx, struct list *ret); /* of struct migration_state */
enum rc db_schema_is_current(struct ctx *cx);            /* E_CONFLICT says what to do */

/* ---- wake-ups between processes ------------------------------------------------------------- */

/* Call fn(arg) soon after any process on this database committed a write; from a thread of db's
 * own. PostgreSQL: LISTEN/NOTIFY; SQLite: this process's commits. May be called too often, never
 * too late by more than a second. One listener. */
void db_on_change(struct db *db, void (*fn)(void *arg), void *arg);

/* ---- figures -------------------------------------------------------------------------------- */

struct db_figures {
    int64_t commits, transactions, retries, statements;
    int64_t writer_queue; /* transactions waiting now */
};
struct db_figures db_figures(const struct db *db);

/* Readiness: can it read, can it write (a rolled-back transaction). */
enum rc db_check(struct ctx *cx);

#endif
