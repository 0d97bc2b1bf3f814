/* bare_create.c - the rows of one created incident, written by a bare loop over SQLite.
 *
 *   bare_create DATABASE COUNT BATCH
 *
 * The database is a copy of one that bench/fill made, so tables and indexes are those of fettle and
 * as large. Per incident: the number is taken, and record, counter, event, its private part and the
 * full text are written, by statements prepared once; BATCH incidents share a commit that reaches
 * the disk (WAL, synchronous=FULL). No rules, rights, JSON, texts or clients: what is left is
 * SQLite, used as well as we know: full text last in each batch, for FTS5 writes what it holds
 * whenever another statement opens a savepoint, and temporary files in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "desk.h"

#define MUST(db, call)                                                                             \
    do {                                                                                           \
        const int must_code = (call);                                                              \
        if (must_code != SQLITE_OK && must_code != SQLITE_ROW && must_code != SQLITE_DONE) {       \
            fprintf(stderr, "%s: %s\n", #call, sqlite3_errmsg(db));                                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the tokenizer that the table names ------------------------------------------------------ */

static int split(Fts5Tokenizer *t, void *arg, int flags, const char *text, int len,
                 int (*token)(void *, int, const char *, int, int, int))
{
    int place = 0;

    (void)t, (void)flags;
    for (int from = 0, to; from < len; from = to + 1) {
        for (to = from; to < len && text[to] != ' ' && text[to] != '|';)
            to++;
        const int rc = token(arg, place, text + from, to - from, from, to);
        if (rc != SQLITE_OK)
            return rc;
        place = to < len && text[to] == '|' ? FTS5_TOKEN_COLOCATED : 0;
    }
    return SQLITE_OK;
}

static int split_create(void *arg, const char **args, int count, Fts5Tokenizer **ret)
{
    (void)args, (void)count;
    *ret = arg;
    return SQLITE_OK;
}

static void split_delete(Fts5Tokenizer *t)
{
    (void)t;
}

static void add_tokenizer(sqlite3 *db)
{
    static fts5_tokenizer tokenizer = {split_create, split_delete, split};
    fts5_api *api = NULL;
    sqlite3_stmt *s;

    MUST(db, sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &s, NULL));
    MUST(db, sqlite3_bind_pointer(s, 1, &api, "fts5_api_ptr", NULL));
    MUST(db, sqlite3_step(s));
    MUST(db, sqlite3_finalize(s));
    MUST(db, api->xCreateTokenizer(api, "fettle", &tokenizer, &tokenizer, NULL));
}

/* ---- the statements -------------------------------------------------------------------------- */

enum { BEGIN, COMMIT, NUMBER, RECORD, TALLY, EVENT, PRIVATE, TEXTS, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [NUMBER] = "INSERT INTO series (name, n) VALUES ('incident', 1)"
               " ON CONFLICT (name) DO UPDATE SET n = series.n + 1 RETURNING n",
    [RECORD] = "INSERT INTO record (process_id, version_id, number, revision, title, description,"
               " org_id, caller_id, opened_by_id, assignee_id, group_id, priority, state, status,"
               " active, parent_id, reassignments, reopens, created_at, updated_at, resolved_at,"
               " closed_at, entered_at, language, fields, folds)"
               " VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?7, NULL, NULL, 3, 'new', 0, 1, NULL, 0, 0,"
               " ?8, ?8, NULL, NULL, ?8, 'en', ?9, ?10) RETURNING id",
    [TALLY] = "INSERT INTO tally (process_id, org_id, state, status, group_id, priority, n)"
              " VALUES (?1, ?2, 'new', 0, 0, 3, 1)"
              " ON CONFLICT (process_id, org_id, state, group_id, priority)"
              " DO UPDATE SET n = tally.n + excluded.n",
    [EVENT] = "INSERT INTO event (id, record_id, process_id, kind, action, actor_id, via,"
              " request_id, occurred_at, recorded_at, revision, from_state, to_state, from_status,"
              " to_status, group_id, priority, is_internal, deviation, digest)"
              " SELECT coalesce(max(id), 0) + 1, ?1, ?2, 'create', 'create', ?3, 0, NULL, ?4, ?4,"
              " 1, NULL, 'new', NULL, 0, NULL, 3, 0, NULL, ?5 FROM event RETURNING id",
    [PRIVATE] = "INSERT INTO event_private (event_id, salt, body) VALUES (?1, ?2, ?3)",
    [TEXTS] = "INSERT INTO record_text (rowid, title, body, talk, notes, keys)"
              " VALUES (?1, ?2, ?3, '', '', ?4)",
};

static const char description[] = "Every third page is crumpled. Cleaning did not help.";
static const char description_tokens[] = "every|~everi third page is crumpled|~crumpl "
                                         "cleaning|~clean did not help";
static const char fields[] = "{\"channel\":\"phone\",\"impact\":\"moderate\",\"urgency\":"
                             "\"medium\",\"vip\":0,\"major\":0,\"tier\":1,\"first_contact\":0,"
                             "\"review\":0}";
static const char salt[] = "00f789a87e54ddfb8c7291c01f8dd8fb";
static const char digest[] = "04d4a974dad02f622877086e5d8096dddf4ba1d34623093fa3a6150f7dd83a10";

#define MOST_BATCH 1000

/* Full text that waits for the end of the batch. */
struct waiting {
    int64_t record;
    char tokens[200];
};

struct bare {
    sqlite3 *db;
    sqlite3_stmt *s[STATEMENTS];
    int64_t process, version, org, caller, now;
    struct waiting waiting[MOST_BATCH];
    int waiting_count;
};

static void bind_text(struct bare *b, sqlite3_stmt *s, int n, const char *text)
{
    MUST(b->db, sqlite3_bind_text(s, n, text, -1, SQLITE_STATIC));
}

static void bind_int(struct bare *b, sqlite3_stmt *s, int n, int64_t i)
{
    MUST(b->db, sqlite3_bind_int64(s, n, i));
}

/* To its end; what it returned, if anything. */
static int64_t run(struct bare *b, sqlite3_stmt *s)
{
    int64_t ret = 0;
    int code;

    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        ret = sqlite3_column_int64(s, 0);
    MUST(b->db, code);
    MUST(b->db, sqlite3_reset(s));
    return ret;
}

static int64_t put_record(struct bare *b, const char *number, const char *title, const char *folds)
{
    sqlite3_stmt *s = b->s[RECORD];

    bind_int(b, s, 1, b->process);
    bind_int(b, s, 2, b->version);
    bind_text(b, s, 3, number);
    bind_text(b, s, 4, title);
    bind_text(b, s, 5, description);
    bind_int(b, s, 6, b->org);
    bind_int(b, s, 7, b->caller);
    bind_int(b, s, 8, b->now);
    bind_text(b, s, 9, fields);
    bind_text(b, s, 10, folds);
    return run(b, s);
}

static void put_event(struct bare *b, int64_t record, const char *body)
{
    sqlite3_stmt *s = b->s[EVENT], *p = b->s[PRIVATE];

    bind_int(b, s, 1, record);
    bind_int(b, s, 2, b->process);
    bind_int(b, s, 3, b->caller);
    bind_int(b, s, 4, b->now);
    bind_text(b, s, 5, digest);
    bind_int(b, p, 1, run(b, s));
    bind_text(b, p, 2, salt);
    bind_text(b, p, 3, body);
    run(b, p);
}

static void put_text(struct bare *b, const struct waiting *w)
{
    sqlite3_stmt *s = b->s[TEXTS];
    char keys[100];

    snprintf(keys, sizeof(keys), "p:%lld o:%lld c:%lld", (long long)b->process, (long long)b->org,
             (long long)b->caller);
    bind_int(b, s, 1, w->record);
    bind_text(b, s, 2, w->tokens);
    bind_text(b, s, 3, description_tokens);
    bind_text(b, s, 4, keys);
    run(b, s);
}

static void put_incident(struct bare *b, int64_t i)
{
    struct waiting *w = &b->waiting[b->waiting_count++];
    char number[32], title[100], folds[150], body[1000];

    snprintf(number, sizeof(number), "INC-%lld", (long long)run(b, b->s[NUMBER]));
    snprintf(title, sizeof(title), "Printer %lld jams on the second floor", (long long)i);
    snprintf(folds, sizeof(folds), "{\"title\":\"printer %lld jams on the second floor\"}",
             (long long)i);
    snprintf(w->tokens, sizeof(w->tokens),
             "inc-%lld inc %lld printer|~printer %lld jams|~jam on the second floor", (long long)i,
             (long long)i, (long long)i);
    snprintf(body, sizeof(body),
             "{\"changes\":{\"title\":[null,\"%s\"],\"description\":[null,\"%s\"],"
             "\"organisation\":[null,2],\"caller\":[null,743],\"opened_by\":[null,743],"
             "\"priority\":[null,\"medium\"],\"reassignments\":[null,0],\"reopens\":[null,0],"
             "\"channel\":[null,\"phone\"],\"impact\":[null,\"moderate\"],"
             "\"urgency\":[null,\"medium\"],\"vip\":[null,false],\"major\":[null,false],"
             "\"tier\":[null,1],\"first_contact\":[null,false],\"review\":[null,false]}}",
             title, description);
    w->record = put_record(b, number, title, folds);
    bind_int(b, b->s[TALLY], 1, b->process);
    bind_int(b, b->s[TALLY], 2, b->org);
    run(b, b->s[TALLY]);
    put_event(b, w->record, body);
}

static int64_t ask(struct bare *b, const char *text)
{
    sqlite3_stmt *s;

    MUST(b->db, sqlite3_prepare_v2(b->db, text, -1, &s, NULL));
    const int64_t ret = run(b, s);
    MUST(b->db, sqlite3_finalize(s));
    return ret;
}

static void bare_open(struct bare *b, const char *path)
{
    MUST(b->db, sqlite3_open(path, &b->db));
    add_tokenizer(b->db);
    MUST(b->db, sqlite3_exec(b->db,
                             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                             "PRAGMA foreign_keys=ON; PRAGMA cache_size=-8000;"
                             "PRAGMA temp_store=MEMORY;"
                             "PRAGMA wal_autocheckpoint=16000",
                             NULL, NULL, NULL));
    for (int i = 0; i < STATEMENTS; i++)
        MUST(b->db,
             sqlite3_prepare_v3(b->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &b->s[i], NULL));
    b->process = ask(b, "SELECT id FROM process WHERE name = 'incident'");
    b->version = ask(b, "SELECT current_id FROM process WHERE name = 'incident'");
    b->caller = ask(b, "SELECT id FROM person WHERE login = 'caller2'");
    b->org = ask(b, "SELECT org_id FROM person WHERE login = 'caller2'");
    b->now = ask(b, "SELECT max(created_at) FROM record");
}

static void bare_close(struct bare *b)
{
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(b->s[i]);
    sqlite3_close(b->db);
}

int main(int argc, char **argv)
{
    static struct bare b;
    struct meter times = {0};

    if (argc != 4 || must_int(argv[3]) < 1 || must_int(argv[3]) > MOST_BATCH) {
        fprintf(stderr, "usage: bare_create DATABASE COUNT BATCH\n");
        return 2;
    }
    bare_open(&b, argv[1]);
    const int64_t count = must_int(argv[2]), batch = must_int(argv[3]);
    const int64_t start = meter_now(), cpu = meter_cpu();
    for (int64_t i = 0; i < count;) {
        const int64_t began = meter_now();
        run(&b, b.s[BEGIN]);
        int64_t members = 0;
        for (; members < batch && i < count; members++, i++)
            put_incident(&b, i);
        for (int n = 0; n < b.waiting_count; n++)
            put_text(&b, &b.waiting[n]);
        b.waiting_count = 0;
        run(&b, b.s[COMMIT]);
        for (; members; members--) /* each hears of it when it is durable */
            meter_add(&times, meter_now() - began);
    }
    meter_print(&times, "bare_create", meter_now() - start, meter_cpu() - cpu);
    meter_done(&times);
    bare_close(&b);
    return 0;
}
