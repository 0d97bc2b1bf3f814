/* expr_property.c - an expression means the same in memory, on SQLite and on PostgreSQL.
 *
 * Random records are kept in the real schema on both engines; each of many random expressions is
 * evaluated over them in memory and asked of both as SQL, and all must agree on every record.
 *
 *   expr_property [ROUNDS [SEED]]      expressions to try; where to begin
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/str.h"
#include "db/scratch.h"
#include "expr_random.h"
#include "lang/expr_sample.h"
#include "lang/words.h"

#define RECORDS 120
#define ROUNDS 5000
#define SEED 1
#define GAP "zzgap" /* between texts, so that no phrase crosses from one into the next */

struct bed {
    struct ctx cx; /* memory as long as the test */
    struct sample sample;
    struct val slots[RECORDS][SAMPLE_FIELDS];
    const char *languages[RECORDS];
    struct db *db[DB_ENGINES];
    struct rng rng;
};

static void must(struct ctx *cx, enum rc rc, const char *what)
{
    if (rc == OK)
        return;
    printf("not ok 1 - %s\n# %s: %s\n", what, cx->err.text, cx->err.detail ? cx->err.detail : "");
    exit(1);
}

/* ---- records -------------------------------------------------------------------------------- */

static void make_records(struct bed *b)
{
    static const char *const languages[] = {"en", "fr", "de"};
    for (int i = 0; i < RECORDS; i++) {
        random_record(&b->rng, b->cx.arena, b->sample.fields, SAMPLE_FIELDS, RECORDS, b->slots[i]);
        b->slots[i][FIELD_NUMBER] = val_text(arena_printf(b->cx.arena, "INC-%d", i + 1));
        b->languages[i] = languages[rng_below(&b->rng, 3)];
    }
}

static const char *fields_json(struct ctx *cx, const struct bed *b, const struct val *slots)
{
    struct buf out = {.arena = cx->arena};
    struct json j = {.out = &out};
    json_open(&j, '{');
    for (int i = FIELD_BUILTINS; i < SAMPLE_FIELDS; i++) {
        if (val_is_null(slots[i]))
            continue;
        json_key(&j, b->sample.fields[i].name);
        json_val(&j, slots[i].kind == VAL_FLAG ? val_int(slots[i].flag) : slots[i]);
    }
    json_close(&j, '}');
    return buf_text(&out);
}

static const char *folds_json(struct ctx *cx, const struct bed *b, const struct val *slots)
{
    struct buf out = {.arena = cx->arena};
    struct json j = {.out = &out};
    json_open(&j, '{');
    for (int i = 0; i < SAMPLE_FIELDS; i++) {
        const bool is_folded = i == FIELD_TITLE || i >= FIELD_BUILTINS;
        if (is_folded && b->sample.fields[i].type == TYPE_TEXT && slots[i].kind == VAL_TEXT)
            json_member_text(&j, b->sample.fields[i].name, words_fold(cx->arena, slots[i].text));
    }
    json_close(&j, '}');
    return buf_text(&out);
}

/* ---- the same records in a database --------------------------------------------------------- */

struct query {
    struct buf sql;
    struct list args;
};

static void add_arg(struct ctx *cx, struct query *q, struct arg arg)
{
    struct arg *added = list_add(cx->arena, &q->args, sizeof(*added));
    *added = arg;
}

static struct arg column_arg(const char *name, struct val v)
{
    if (v.kind == VAL_TEXT)
        return TEXT(name, v.text);
    if (v.kind == VAL_FLAG)
        return INT(name, v.flag);
    return v.kind == VAL_INT ? INT(name, v.i) : NONE(name);
}

static const struct {
    int slot;
    const char *name;
} plain_columns[] = {
    {FIELD_NUMBER, "number"},
    {FIELD_TITLE, "title"},
    {FIELD_DESCRIPTION, "description"},
    {FIELD_ORGANISATION, "org_id"},
    {FIELD_CALLER, "caller_id"},
    {FIELD_OPENED_BY, "opened_by_id"},
    {FIELD_ASSIGNEE, "assignee_id"},
    {FIELD_GROUP, "group_id"},
    {FIELD_STATE, "state"},
    {FIELD_ACTIVE, "active"},
    {FIELD_OPEN_TASKS, "open_tasks"},
    {FIELD_OPEN_CHILDREN, "open_children"},
    {FIELD_REASSIGNMENTS, "reassignments"},
    {FIELD_REOPENS, "reopens"},
    {FIELD_CREATED, "created_at"},
    {FIELD_UPDATED, "updated_at"},
    {FIELD_RESOLVED, "resolved_at"},
    {FIELD_CLOSED, "closed_at"},
    {FIELD_ENTERED, "entered_at"},
};

static int rank_of(const struct choice *choices, struct val v)
{
    for (int i = 0; v.kind == VAL_TEXT && choices[i].name; i++) {
        if (str_equal(choices[i].name, v.text))
            return i + 1;
    }
    return 0;
}

static enum rc insert(struct ctx *cx, const char *table, const struct query *q)
{
    struct buf sql = {.arena = cx->arena};
    struct list args = q->args;
    struct arg *end = list_add(cx->arena, &args, sizeof(*end));
    *end = (struct arg){0};
    const struct arg *a = args.at;
    buf_printf(&sql, "INSERT INTO %s (", table);
    for (int i = 0; i < q->args.count; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "", a[i].name);
    buf_puts(&sql, ") VALUES (");
    for (int i = 0; i < q->args.count; i++)
        buf_printf(&sql, "%s:%s", i ? ", " : "", a[i].name);
    buf_puts(&sql, ")");
    return db_exec(cx, db_dynamic(cx, table, buf_text(&sql)), a, NULL);
}

#define ROW(cx, table, ...) insert_row(cx, table, ARGS(__VA_ARGS__))
static enum rc insert_row(struct ctx *cx, const char *table, const struct arg *args)
{
    struct query q = {0};
    for (; args->name; args++)
        add_arg(cx, &q, *args);
    return insert(cx, table, &q);
}

static enum rc put_people(struct ctx *cx)
{
    for (int i = 0; organisation_names[i]; i++)
        TRY(ROW(cx, "organisation", INT("id", i + 1), TEXT("name", organisation_names[i]),
                TEXT("name_folded", words_fold(cx->arena, organisation_names[i])),
                INT("created_at", 0)));
    for (int i = 0; person_names[i]; i++)
        TRY(ROW(cx, "person", INT("id", i + 1), INT("org_id", 1),
                TEXT("login", words_fold(cx->arena, person_names[i])),
                TEXT("name", person_names[i]), TEXT("name_folded", person_names[i]),
                INT("created_at", 0)));
    for (int i = 0; group_names[i]; i++)
        TRY(ROW(cx, "team", INT("id", i + 1), INT("org_id", 1), TEXT("name", group_names[i]),
                TEXT("name_folded", words_fold(cx->arena, group_names[i])), INT("created_at", 0)));
    return OK;
}

static enum rc put_processes(struct ctx *cx)
{
    TRY(ROW(cx, "definition_set", INT("id", 1), TEXT("hash", "x"), TEXT("files", "{}"),
            INT("created_at", 0)));
    for (int i = 0; process_names[i]; i++) {
        TRY(ROW(cx, "process", INT("id", i + 1), TEXT("name", process_names[i])));
        TRY(ROW(cx, "process_version", INT("id", i + 1), INT("process_id", i + 1),
                INT("version", 1), INT("set_id", 1), TEXT("hash", "x"), INT("activated_at", 0)));
    }
    return OK;
}

static int64_t process_id(struct val name)
{
    for (int i = 0; process_names[i]; i++) {
        if (str_equal(process_names[i], name.text))
            return i + 1;
    }
    return 0;
}

static enum rc put_record(struct ctx *cx, const struct bed *b, int i)
{
    const struct val *slots = b->slots[i];
    const int64_t process = process_id(slots[FIELD_PROCESS]);
    struct query q = {0};

    add_arg(cx, &q, INT("id", i + 1));
    add_arg(cx, &q, INT("process_id", process));
    add_arg(cx, &q, INT("version_id", process));
    add_arg(cx, &q, INT("revision", 1));
    for (int k = 0; k < ARRAY_LEN(plain_columns); k++)
        add_arg(cx, &q, column_arg(plain_columns[k].name, slots[plain_columns[k].slot]));
    add_arg(cx, &q, INT_OR_NONE("priority", rank_of(sample_priorities, slots[FIELD_PRIORITY])));
    add_arg(cx, &q, INT("status", rank_of(sample_statuses, slots[FIELD_STATUS]) - 1));
    add_arg(cx, &q, TEXT("fields", fields_json(cx, b, slots)));
    add_arg(cx, &q, TEXT("folds", folds_json(cx, b, slots)));
    return insert(cx, "record", &q);
}

/* Links need both ends, so they follow when all records are there. */
static enum rc put_links(struct ctx *cx, const struct bed *b, int i)
{
    const struct val *slots = b->slots[i];
    if (!val_is_null(slots[FIELD_PARENT]))
        TRY(db_exec(cx, db_dynamic(cx, "parent", "UPDATE record SET parent_id = :p WHERE id = :id"),
                    ARGS(INT("p", slots[FIELD_PARENT].i), INT("id", i + 1)), NULL));
    for (int k = 0; k < slots[FIELD_WATCHERS].count && !val_is_null(slots[FIELD_WATCHERS]); k++)
        TRY(ROW(cx, "watcher", INT("record_id", i + 1),
                INT("person_id", slots[FIELD_WATCHERS].items[k].i)));
    if (i % 3 == 0)
        TRY(ROW(cx, "record_alias", TEXT("number", arena_printf(cx->arena, "OLD-%d", i + 1)),
                INT("record_id", i + 1)));
    return OK;
}

static void add_tokens(struct buf *b, struct val v, const char *language)
{
    if (v.kind == VAL_TEXT)
        words_index(b, v.text, language, 4000);
    buf_puts(b, b->len ? " " GAP " " : "");
}

/* 'a':1 '~b':1 'c':2 */
static const char *vector(struct ctx *cx, const char *tokens)
{
    struct buf b = {.arena = cx->arena};
    int place = 2;
    for (const char *s = tokens; *s;) {
        const size_t len = strcspn(s, "| ");
        if (len)
            buf_printf(&b, "'%.*s':%d ", (int)len, s, place);
        s += len;
        place += *s == ' ';
        s += *s != '\0';
    }
    return buf_text(&b);
}

static enum rc put_text(struct ctx *cx, const struct bed *b, int i)
{
    const struct val *slots = b->slots[i];
    const char *language = b->languages[i];
    struct buf title = {.arena = cx->arena}, body = title, notes = title;
    add_tokens(&title, slots[FIELD_NUMBER], language);
    add_tokens(&title, slots[FIELD_TITLE], language);
    add_tokens(&body, slots[FIELD_DESCRIPTION], language);
    add_tokens(&body, slots[SAMPLE_REFERENCE], language);
    add_tokens(&body, slots[SAMPLE_WORKAROUND], language);
    add_tokens(&notes, slots[SAMPLE_SECRET], language);

    if (db_engine(cx->db) == DB_SQLITE)
        return ROW(cx, "record_text", INT("rowid", i + 1), TEXT("title", buf_text(&title)),
                   TEXT("body", buf_text(&body)), TEXT("talk", ""), TEXT("notes", buf_text(&notes)),
                   TEXT("keys", ""));
    return db_exec(cx,
                   db_dynamic(cx, "put_text",
                              "INSERT INTO record_text (record_id, words) VALUES (:id, "
                              "setweight(CAST(:title AS tsvector), 'A') || "
                              "setweight(CAST(:body AS tsvector), 'B') || "
                              "setweight(CAST(:notes AS tsvector), 'D'))"),
                   ARGS(INT("id", i + 1), TEXT("title", vector(cx, buf_text(&title))),
                        TEXT("body", vector(cx, buf_text(&body))),
                        TEXT("notes", vector(cx, buf_text(&notes)))),
                   NULL);
}

static enum rc put_all(struct ctx *cx, void *arg)
{
    const struct bed *b = arg;
    TRY(put_people(cx));
    TRY(put_processes(cx));
    for (int i = 0; i < RECORDS; i++)
        TRY(put_record(cx, b, i));
    for (int i = 0; i < RECORDS; i++)
        TRY(put_links(cx, b, i));
    for (int i = 0; i < RECORDS; i++)
        TRY(put_text(cx, b, i));
    return OK;
}

/* ---- the same question three times ---------------------------------------------------------- */

struct question {
    struct ctx cx; /* memory of this one */
    const char *text;
    const struct expr *e;
    int64_t me;
    int64_t groups[2];
    int group_count;
    bool may_see_internal;
    bool words_are_joined;
    uint64_t seed;
};

static int64_t index_of(struct arena *a, const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (str_equal(words_fold(a, names[i]), words_fold(a, name)))
            return i + 1;
    }
    return 0;
}

static int64_t id_of(void *arg, enum field_type type, const char *name)
{
    int64_t n = 0;
    if (type == TYPE_PERSON)
        return index_of(arg, person_names, name);
    if (type == TYPE_GROUP)
        return index_of(arg, group_names, name);
    if (type == TYPE_ORGANISATION)
        return index_of(arg, organisation_names, name);
    if (strlen(name) < 5 || !str_to_int(name + 4, &n) || n < 1 || n > RECORDS)
        return 0;
    return str_starts(name, "INC-") || n % 3 == 1 ? n : 0;
}

/* Internal fields are missing to who may not see them; in memory that is the caller's part. */
static void hide(const struct bed *b, struct val *slots)
{
    for (int i = 0; i < SAMPLE_FIELDS; i++) {
        if (b->sample.fields[i].is_internal)
            slots[i] = val_null();
    }
}

static void ask_memory(const struct bed *b, struct question *q, bool *ret)
{
    for (int i = 0; i < RECORDS; i++) {
        struct val slots[SAMPLE_FIELDS];
        memcpy(slots, b->slots[i], sizeof(slots));
        if (!q->may_see_internal)
            hide(b, slots);
        const struct expr_env env = {
            .slots = slots,
            .now = RANDOM_NOW,
            .me = q->me,
            .my_groups = q->groups,
            .my_group_count = q->group_count,
            .id_of = id_of,
            .arg = q->cx.arena,
            .hides_internal = !q->may_see_internal,
            .language = b->languages[i],
            .arena = q->cx.arena,
        };
        ret[i] = expr_holds(q->e, &env);
    }
}

struct found {
    int64_t id;
};
static const struct col found_cols[] = {INT_COL(struct found, id), {0}};

static enum rc mark(struct ctx *cx, void *row, void *arg)
{
    const struct found *f = row;
    bool *found = arg;
    (void)cx;
    found[f->id - 1] = true;
    return OK;
}

static void add_words(struct question *q, struct buf *sql, struct list *args)
{
    struct expr_sql out = {
        .record = "r", .engine = (int)db_engine(q->cx.db), .may_see_internal = q->may_see_internal};
    const char *words = q->words_are_joined ? expr_words_query(&q->cx, q->e, &out) : NULL;
    if (!words)
        return;
    buf_puts(sql, out.engine == DB_SQLITE
                      ? " AND r.id IN (SELECT rowid FROM record_text WHERE record_text MATCH :w)"
                      : " AND r.id IN (SELECT record_id FROM record_text "
                        "WHERE words @@ CAST(:w AS tsquery))");
    struct arg *added = list_add(q->cx.arena, args, sizeof(*added));
    *added = TEXT("w", words);
}

static const char *statement(struct question *q, struct list *args)
{
    struct buf sql = {.arena = q->cx.arena};
    struct expr_sql out = {
        .out = &sql,
        .record = "r",
        .engine = (int)db_engine(q->cx.db),
        .now = RANDOM_NOW,
        .me = q->me,
        .my_groups = q->groups,
        .my_group_count = q->group_count,
        .may_see_internal = q->may_see_internal,
        .words_are_joined = q->words_are_joined,
    };
    buf_puts(&sql, "SELECT r.id FROM record r WHERE r.id > 0 AND ");
    expr_to_sql(&q->cx, q->e, &out);
    const struct sql_param *p = out.params.at;
    for (int i = 0; i < out.params.count; i++) {
        struct arg *added = list_add(q->cx.arena, args, sizeof(*added));
        *added = p[i].is_text ? TEXT(p[i].name, p[i].text) : INT(p[i].name, p[i].i);
    }
    add_words(q, &sql, args);
    list_add(q->cx.arena, args, sizeof(struct arg));
    return buf_text(&sql);
}

static const char *ask_engine(const struct bed *b, struct question *q, enum db_engine engine,
                              bool *ret)
{
    struct list args = {0};
    q->cx.db = b->db[engine];
    const char *sql = statement(q, &args);
    const enum rc rc = db_each(&q->cx, db_dynamic(&q->cx, "property", sql), args.at, found_cols,
                               sizeof(struct found), mark, ret);
    if (rc != OK) {
        printf("# seed %llu\n# %s\n# %s\n", (unsigned long long)q->seed, q->text, sql);
        must(&q->cx, rc, "every expression is valid SQL");
    }
    return sql;
}

static void show_record(struct bed *b, struct ctx *cx, int i)
{
    struct buf out = {.arena = cx->arena};
    struct json j = {.out = &out};
    json_open(&j, '{');
    for (int k = 0; k < SAMPLE_FIELDS; k++) {
        if (val_is_null(b->slots[i][k]))
            continue;
        json_key(&j, b->sample.fields[k].name);
        json_val(&j, b->slots[i][k]);
    }
    json_close(&j, '}');
    printf("# record %s (%s)\n", buf_text(&out), b->languages[i]);
}

static void compare(struct bed *b, struct question *q)
{
    static const char *const engine_names[] = {"SQLite", "PostgreSQL"};
    bool want[RECORDS] = {0};
    ask_memory(b, q, want);
    for (int engine = 0; engine < DB_ENGINES; engine++) {
        bool is[RECORDS] = {0};
        if (!b->db[engine])
            continue;
        const char *sql = ask_engine(b, q, engine, is);
        for (int i = 0; i < RECORDS; i++) {
            if (is[i] == want[i])
                continue;
            printf("not ok 1 - memory and SQL agree\n# seed %llu: in memory %d, %s %d\n# %s\n",
                   (unsigned long long)q->seed, want[i], engine_names[engine], is[i], q->text);
            printf("# me %d, %d groups, internal %d, joined %d\n# %s\n", (int)q->me, q->group_count,
                   q->may_see_internal, q->words_are_joined, sql);
            show_record(b, &q->cx, i);
            exit(1);
        }
    }
}

/* False where the text happens to be no valid expression. */
static bool try_one(struct bed *b, uint64_t seed)
{
    struct rng r = {.state = seed * 1000003};
    struct question q = {
        .cx.arena = arena_create(),
        .seed = seed,
        .me = rng_one_in(&r, 6) ? 0 : 1 + rng_below(&r, 3),
        .groups = {1 + rng_below(&r, 4), 1 + rng_below(&r, 4)},
        .group_count = rng_below(&r, 3),
        .may_see_internal = rng_one_in(&r, 2),
        .words_are_joined = rng_one_in(&r, 2),
    };
    struct expr_scope scope = b->sample.scope;
    scope.is_query = rng_one_in(&r, 2);
    q.text = random_condition(&r, q.cx.arena, &scope, RECORDS);
    struct expr_fault fault;
    const bool is_valid =
        expr_parse(&q.cx, &scope, q.text, WANT_CONDITION, NULL, &q.e, &fault) == OK;
    if (is_valid)
        compare(b, &q);
    else if (getenv("EXPR_SHOW_INVALID"))
        printf("# %s\n#   %.*s: %s\n", q.text, fault.len, q.text + fault.at, fault.text);
    arena_destroy(q.cx.arena);
    return is_valid;
}

/* ---- as deep and as wide as the parser lets it -------------------------------------------------
 */

/* before and after around a core, as often as the parser allows. */
static const struct {
    const char *before, *core, *after;
    bool is_query;
} shapes[] = {
    {"not (is_vip or ", "active", ")", false},
    {"(active and (is_vip or ", "active", "))", false},
    {"not (active and not (is_vip or ", "active", "))", false},
    {"(seats + ", "seats", ")", false},
    {"(seats - (1 - ", "seats", "))", false},
    {"if(", "active", ", is_vip, is_major)", false},
    {"if(is_vip, ", "active", ", is_major)", false},
    {"if(not ", "active", " = is_vip, is_vip, is_major)", false},
    {"coalesce(is_vip, ", "active", ")", false},
    {"coalesce(if(not (is_vip and ", "active", "), is_vip, is_major), is_vip)", false},
    {"(-(-(", "seats", ")))", false},
    {"(printer OR (jam ", "paper", "))", true},
    {"NOT (printer OR -(jam ", "paper", "))", true},
    {"-(printer ", "paper", ")", true},
    {"active and ", "active", "", false},
    {"active or ", "active", "", false},
    {"a ", "b", "", true},
    {"-a ", "b", "", true},
    {"a OR ", "b", "", true},
    {"a and (active) and ", "b", "", true},
    {"impact <= minor or ", "active", "", false},
    {"watchers = me or ", "active", "", false},
    {"related in (INC-1, parent) or ", "active", "", false},
    {"category under hardware or ", "active", "", false},
    {"assignee in (anna, bob) and ", "active", "", false},
};

static const char *nested(struct arena *a, int shape, int depth)
{
    struct buf b = {.arena = a};
    for (int i = 0; i < depth; i++)
        buf_puts(&b, shapes[shape].before);
    buf_puts(&b, shapes[shape].core);
    for (int i = 0; i < depth; i++)
        buf_puts(&b, shapes[shape].after);
    return buf_text(&b);
}

/* The value shapes need a comparison around them. */
static bool parses(struct question *q, const struct bed *b, int shape, int depth)
{
    struct expr_scope scope = b->sample.scope;
    scope.is_query = shapes[shape].is_query;
    q->text = nested(q->cx.arena, shape, depth);
    if (strstr(shapes[shape].core, "seats"))
        q->text = arena_printf(q->cx.arena, "%s > 0", q->text);
    return expr_parse(&q->cx, &scope, q->text, WANT_CONDITION, NULL, &q->e, NULL) == OK;
}

static int deepest(const struct bed *b, int shape)
{
    int lo = 0, hi = 5000;
    while (hi - lo > 1) {
        struct question q = {.cx.arena = arena_create()};
        const int depth = (lo + hi) / 2;
        *(parses(&q, b, shape, depth) ? &lo : &hi) = depth;
        arena_destroy(q.cx.arena);
    }
    return lo;
}

static void try_shapes(struct bed *b)
{
    for (int shape = 0; shape < ARRAY_LEN(shapes); shape++) {
        struct question q = {.cx.arena = arena_create(), .me = 1, .may_see_internal = true};
        const int depth = deepest(b, shape);
        if (depth < 2 || !parses(&q, b, shape, depth)) {
            printf("not ok 1 - this has a meaning\n# %s...\n", shapes[shape].before);
            exit(1);
        }
        compare(b, &q);
        arena_destroy(q.cx.arena);
    }
}

int main(int argc, char **argv)
{
    static struct bed b;
    const int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : SEED;
    int valid = 0;
    int applied;

    b.cx.arena = arena_create();
    b.rng.state = (uint64_t)seed;
    sample_init(&b.sample, b.cx.arena);
    make_records(&b);
    for (int engine = 0; engine < DB_ENGINES; engine++) {
        b.cx.db = b.db[engine] = scratch_open(&b.cx, engine, &(struct db_config){.readers = 1});
        if (!b.cx.db)
            continue;
        must(&b.cx, db_migrate(&b.cx, &applied), "the schema");
        must(&b.cx, db_tx(&b.cx, put_all, &b), "records are stored");
    }
    try_shapes(&b);
    for (int64_t i = 0; i < rounds; i++)
        valid += try_one(&b, (uint64_t)(seed + i));
    for (int engine = 0; engine < DB_ENGINES; engine++) {
        if (b.db[engine])
            scratch_close(&b.cx, b.db[engine]);
    }
    printf("%s 1 - memory and SQL agree on %d records and %d expressions (%d were invalid)\n",
           valid * 10 > rounds * 8 ? "ok" : "not ok", RECORDS, valid, (int)rounds - valid);
    printf("%s 2 - PostgreSQL agrees%s\n", "ok",
           b.db[DB_POSTGRES] ? "" : " # SKIP TEST_POSTGRES is not set");
    arena_destroy(b.cx.arena);
    return valid * 10 > rounds * 8 ? 0 : 1;
}
