/* bare_pg.c - the statements of our create, read, list and search through libpq alone.
 *
 *   bare_pg URL create COUNT BATCH
 *   bare_pg URL read CONNECTIONS COUNT RECORDS
 *   bare_pg URL list|search CONNECTIONS COUNT
 *
 * The database is one that bench/fill made. Everything is prepared once for each connection, and
 * sent in pipeline mode where an answer is not needed to go on: creating takes the three answers
 * that it needs (number, record, event), and BATCH creations share a commit. Asking is done by so
 * many threads with a connection each; before each question a token is looked up, as we do.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/str.h"
#include "desk.h"

#define MOST_CONNECTIONS 64
#define MOST_PARAMS 12

/* ---- one connection -------------------------------------------------------------------------- */

struct bare {
    PGconn *pg;
    int queued; /* sent, and its answer not yet read */
};

static void die(struct bare *b, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, PQerrorMessage(b->pg));
    exit(1);
}

static void bare_connect(struct bare *b, const char *url)
{
    b->pg = PQconnectdb(url);
    if (PQstatus(b->pg) != CONNECTION_OK || !PQenterPipelineMode(b->pg))
        die(b, "connect");
}

static PGresult *next_answer(struct bare *b)
{
    PGresult *r = PQgetResult(b->pg);

    PQclear(PQgetResult(b->pg)); /* NULL: the end of this one's results */
    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
        die(b, PQresultErrorMessage(r));
    b->queued--;
    return r;
}

/* Read all answers; the last one is returned. */
static PGresult *settle(struct bare *b)
{
    PGresult *last = NULL;

    if (!PQpipelineSync(b->pg))
        die(b, "sync");
    while (b->queued) {
        PQclear(last);
        last = next_answer(b);
    }
    PQclear(PQgetResult(b->pg)); /* the end of the pipeline */
    return last;
}

static void prepare(struct bare *b, const char *name, const char *text)
{
    if (!PQsendPrepare(b->pg, name, text, 0, NULL))
        die(b, name);
    b->queued++;
    PQclear(settle(b));
}

struct params {
    const char *at[MOST_PARAMS];
    int count;
};

static void send_it(struct bare *b, const char *name, const struct params *p)
{
    if (!PQsendQueryPrepared(b->pg, name, p->count, p->at, NULL, NULL, 0))
        die(b, name);
    b->queued++;
}

static void ask_text(struct bare *b, const char *name, const struct params *p, char *ret,
                     size_t room)
{
    send_it(b, name, p);
    PGresult *r = settle(b);
    snprintf(ret, room, "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "0");
    PQclear(r);
}

static void ask_int(struct bare *b, const char *name, const struct params *p, char ret[static 24])
{
    ask_text(b, name, p, ret, 24);
}

#define NONE (&(struct params){.count = 0})
#define PARAMS(...)                                                                                \
    (&(struct params){.at = {__VA_ARGS__},                                                         \
                      .count = ARRAY_LEN(((const char *const[]){__VA_ARGS__}))})

/* ---- create ---------------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
} writes[] = {
    {"begin", "BEGIN"},
    {"commit", "COMMIT"},
    {"number", "INSERT INTO series (name, n) VALUES ('incident', 1)"
               " ON CONFLICT (name) DO UPDATE SET n = series.n + 1 RETURNING n"},
    {"record", "INSERT INTO record (process_id, version_id, number, revision, title, description,"
               " org_id, caller_id, opened_by_id, assignee_id, group_id, priority, state, status,"
               " active, parent_id, reassignments, reopens, created_at, updated_at, resolved_at,"
               " closed_at, entered_at, language, fields, folds)"
               " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $7, NULL, NULL, 3, 'new', 0, 1, NULL, 0, 0,"
               " $8, $8, NULL, NULL, $8, 'en', $9, $10) RETURNING id"},
    {"tally", "INSERT INTO tally (process_id, org_id, state, status, group_id, priority, n)"
              " VALUES ($1, $2, 'new', 0, 0, 3, 1)"
              " ON CONFLICT (process_id, org_id, state, group_id, priority)"
              " DO UPDATE SET n = tally.n + excluded.n"},
    {"event", "INSERT INTO event (id, record_id, process_id, kind, action, actor_id, via,"
              " request_id, occurred_at, recorded_at, revision, from_state, to_state, from_status,"
              " to_status, group_id, priority, is_internal, deviation, digest)"
              " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM event), $1, $2, 'create', 'create',"
              " $3, 0, NULL, $4, $4, 1, NULL, 'new', NULL, 0, NULL, 3, 0, NULL, $5) RETURNING id"},
    {"private", "INSERT INTO event_private (event_id, salt, body) VALUES ($1, $2, $3)"},
    {"texts", "INSERT INTO record_text (record_id, words) VALUES ($1,"
              " setweight(CAST($2 AS tsvector), 'A') || setweight(CAST($3 AS tsvector), 'B')"
              " || setweight(CAST('' AS tsvector), 'C') || setweight(CAST('' AS tsvector), 'D')"
              " || setweight(CAST($4 AS tsvector), 'A'))"
              " ON CONFLICT (record_id) DO UPDATE SET words = excluded.words"},
    {"process", "SELECT id FROM process WHERE name = 'incident'"},
    {"version", "SELECT current_id FROM process WHERE name = 'incident'"},
    {"caller", "SELECT id FROM person WHERE login = 'caller2'"},
    {"org", "SELECT org_id FROM person WHERE login = 'caller2'"},
    {"now", "SELECT max(created_at) FROM record"},
};

static const char description[] = "Every third page is crumpled. Cleaning did not help.";
static const char description_tokens[] =
    "'every':1 '~everi':1 'third':2 'page':3 'is':4 'crumpled':5 '~crumpl':5 'cleaning':6 "
    "'~clean':6 'did':7 'not':8 'help':9";
static const char fields[] = "{\"channel\":\"phone\",\"impact\":\"moderate\",\"urgency\":"
                             "\"medium\",\"vip\":0,\"major\":0,\"tier\":1,\"first_contact\":0,"
                             "\"review\":0}";
static const char salt[] = "00f789a87e54ddfb8c7291c01f8dd8fb";
static const char digest[] = "04d4a974dad02f622877086e5d8096dddf4ba1d34623093fa3a6150f7dd83a10";

struct known {
    char process[24], version[24], caller[24], org[24], now[24];
};

static void put_incident(struct bare *b, const struct known *k, int64_t i)
{
    char n[24], number[32], title[100], tokens[200], folds[150], body[1000], keys[100];
    char record[24], event[24];

    ask_int(b, "number", NONE, n);
    snprintf(number, sizeof(number), "INC-%s", n);
    snprintf(title, sizeof(title), "Printer %lld jams on the second floor", (long long)i);
    snprintf(folds, sizeof(folds), "{\"title\":\"printer %lld jams on the second floor\"}",
             (long long)i);
    snprintf(tokens, sizeof(tokens),
             "'inc-%s':1 'inc':2 '%s':3 'printer':4 '~printer':4 '%lld':5 'jams':6 '~jam':6 'on':7 "
             "'the':8 'second':9 'floor':10",
             n, n, (long long)i);
    snprintf(keys, sizeof(keys), "'p:%s':1 'o:%s':2 'c:%s':3", k->process, k->org, k->caller);
    snprintf(body, sizeof(body),
             "{\"changes\":{\"title\":[null,\"%s\"],\"description\":[null,\"%s\"],"
             "\"organisation\":[null,2],\"caller\":[null,743],\"opened_by\":[null,743],"
             "\"priority\":[null,\"moderate\"],\"reassignments\":[null,0],\"reopens\":[null,0],"
             "\"channel\":[null,\"phone\"],\"impact\":[null,\"moderate\"],"
             "\"urgency\":[null,\"medium\"],\"vip\":[null,false],\"major\":[null,false],"
             "\"tier\":[null,1],\"first_contact\":[null,false],\"review\":[null,false]}}",
             title, description);
    ask_int(b, "record",
            PARAMS(k->process, k->version, number, title, description, k->org, k->caller, k->now,
                   fields, folds),
            record);
    send_it(b, "tally", PARAMS(k->process, k->org));
    ask_int(b, "event", PARAMS(record, k->process, k->caller, k->now, digest), event);
    send_it(b, "private", PARAMS(event, salt, body));
    send_it(b, "texts", PARAMS(record, tokens, description_tokens, keys));
}

static void create(const char *url, char **argv)
{
    const int64_t count = must_int(argv[0]), batch = must_int(argv[1]);
    struct bare b = {0};
    struct known k;
    struct meter times = {0};

    bare_connect(&b, url);
    for (int i = 0; i < ARRAY_LEN(writes); i++)
        prepare(&b, writes[i].name, writes[i].text);
    ask_int(&b, "process", NONE, k.process);
    ask_int(&b, "version", NONE, k.version);
    ask_int(&b, "caller", NONE, k.caller);
    ask_int(&b, "org", NONE, k.org);
    ask_int(&b, "now", NONE, k.now);
    const int64_t start = meter_now(), cpu = meter_cpu();
    for (int64_t i = 0; i < count;) {
        const int64_t began = meter_now();
        int64_t members = 0;
        send_it(&b, "begin", NONE);
        for (; members < batch && i < count; members++, i++)
            put_incident(&b, &k, i);
        send_it(&b, "commit", NONE);
        PQclear(settle(&b));
        for (; members; members--)
            meter_add(&times, meter_now() - began);
    }
    meter_print(&times, "bare_pg create", meter_now() - start, meter_cpu() - cpu);
    meter_done(&times);
    PQfinish(b.pg);
}

/* ---- asking ---------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "r.id, r.process_id, r.version_id, r.number, r.revision, r.title, r.description, r.org_id, "   \
    "r.caller_id, r.opened_by_id, r.assignee_id, r.group_id, r.priority, r.state, r.parent_id, "   \
    "r.open_tasks, r.open_children, r.reassignments, r.reopens, r.created_at, r.updated_at, "      \
    "r.resolved_at, r.closed_at, r.entered_at, r.language, r.fields,"                              \
    " EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = r.id AND w.person_id = 1) AS watched"

static const char tokens[] =
    "SELECT t.id AS id, t.person_id AS person_id, t.scopes AS scopes, t.expires_at AS expires_at,"
    " t.used_at AS used_at, t.revoked_at AS revoked_at, e.n AS epoch FROM token t, epoch e"
    " WHERE t.hash = $1 AND t.id = $2 AND e.name = 'people'";

static const char reads[] = "SELECT " COLUMNS " FROM record r WHERE r.id = coalesce("
                            "(SELECT id FROM record WHERE number = $1),"
                            " (SELECT record_id FROM record_alias WHERE number = $1))";

static const char lists[] =
    "SELECT " COLUMNS " FROM record r WHERE r.process_id = (SELECT id FROM process"
    " WHERE name = 'incident') AND r.active = 1 AND r.group_id = $1"
    " ORDER BY coalesce(r.priority, 99), r.id LIMIT 51";

static const char searches[] =
    "SELECT " COLUMNS " FROM (SELECT r.id AS hit, ts_rank(t.words, CAST($1 AS tsquery)) AS score"
    " FROM record r JOIN record_text t ON t.record_id = r.id AND t.words @@ CAST($1 AS tsquery)"
    " WHERE r.process_id = (SELECT id FROM process WHERE name = 'incident')"
    " ORDER BY r.id DESC LIMIT 1000) c JOIN record r ON r.id = c.hit"
    " ORDER BY c.score DESC, r.id DESC LIMIT 51";

struct asker {
    const char *url, *text;
    int64_t count, records;
    uint64_t chance;
    struct meter times;
    pthread_t thread;
};

/* xorshift64* */
static int64_t below(uint64_t *state, int64_t n)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (int64_t)((*state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % (uint64_t)n);
}

static const char *choose(struct asker *a, char ret[static 32])
{
    static const char *const words[] = {
        "'printer'|'~printer'", "'password'&'expired'", "'vpn'&'drops'", "'mail'&'outside'",
        "'second'<->'screen'",  "'sales'&'report'",     "'certificate'", "'error'&'503'"};

    if (a->text == searches)
        return words[below(&a->chance, ARRAY_LEN(words))];
    if (a->text == lists)
        snprintf(ret, 32, "%lld", (long long)below(&a->chance, 5) + 2);
    else
        snprintf(ret, 32, "INC-%lld", (long long)below(&a->chance, a->records) + 1);
    return ret;
}

static void *ask_main(void *arg)
{
    struct asker *a = arg;
    struct bare b = {0};
    char text[32], hash[80], id[24];

    bare_connect(&b, a->url);
    prepare(&b, "hash", "SELECT hash FROM token ORDER BY id LIMIT 1");
    prepare(&b, "id", "SELECT id FROM token ORDER BY id LIMIT 1");
    prepare(&b, "token", tokens);
    prepare(&b, "question", a->text);
    ask_text(&b, "hash", NONE, hash, sizeof(hash));
    ask_text(&b, "id", NONE, id, sizeof(id));
    for (int64_t i = 0; i < a->count; i++) {
        const int64_t began = meter_now();
        send_it(&b, "token", PARAMS(hash, id));
        PQclear(settle(&b));
        send_it(&b, "question", PARAMS(choose(a, text)));
        PQclear(settle(&b));
        meter_add(&a->times, meter_now() - began);
    }
    PQfinish(b.pg);
    return NULL;
}

static void ask(const char *url, char **argv, const char *text)
{
    static struct asker all[MOST_CONNECTIONS];
    const int64_t connections = must_int(argv[0]), count = must_int(argv[1]);
    struct meter times = {0};

    const int64_t began = meter_now();
    for (int i = 0; i < connections && i < MOST_CONNECTIONS; i++) {
        all[i] = (struct asker){.url = url,
                                .text = text,
                                .count = count / connections,
                                .records = text == reads ? must_int(argv[2]) : 0,
                                .chance = 42 + (uint64_t)i};
        pthread_create(&all[i].thread, NULL, ask_main, &all[i]);
    }
    for (int i = 0; i < connections && i < MOST_CONNECTIONS; i++) {
        pthread_join(all[i].thread, NULL);
        meter_merge(&times, &all[i].times);
        meter_done(&all[i].times);
    }
    meter_print(&times, "bare_pg", meter_now() - began, meter_cpu());
    meter_done(&times);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[2] : "";

    if (argc == 5 && str_equal(what, "create")) {
        create(argv[1], argv + 3);
    } else if (argc == 6 && str_equal(what, "read")) {
        ask(argv[1], argv + 3, reads);
    } else if (argc == 5 && str_equal(what, "list")) {
        ask(argv[1], argv + 3, lists);
    } else if (argc == 5 && str_equal(what, "search")) {
        ask(argv[1], argv + 3, searches);
    } else {
        fprintf(stderr, "usage: bare_pg URL create COUNT BATCH | read CONNECTIONS COUNT RECORDS | "
                        "list CONNECTIONS COUNT | search CONNECTIONS COUNT\n");
        return 2;
    }
    return 0;
}
