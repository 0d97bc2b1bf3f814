#include "base/str.h"
#include "db/inside.h"
#include "migrate_sql.h"

/* INTEGER would be 32 bits in PostgreSQL. */
static const char table[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
                            "version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
                            "sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)";

struct applied {
    int64_t version;
    const char *name;
    const char *sha256;
    int64_t applied_at;
};

static const struct col applied_cols[] = {
    INT_COL(struct applied, version),
    TEXT_COL(struct applied, name),
    TEXT_COL(struct applied, sha256),
    INT_COL(struct applied, applied_at),
    {0},
};

struct run {
    const struct migration *all; /* as far as this program knows them */
    struct list applied;         /* of struct applied */
    bool is_done;
};

static enum rc once(struct ctx *cx, const char *text)
{
    const enum rc rc = seat.db->driver.once(cx, seat.conn, text);
    if (seat.level->failed == OK)
        seat.level->failed = rc;
    return rc;
}

/* Everything that was applied is a migration of this program, unchanged. */
static enum rc check(struct ctx *cx, const struct run *run)
{
    const struct applied *applied = run->applied.at;
    for (int i = 0; i < run->applied.count; i++) {
        const struct migration *known = &run->all[i];
        if (!known->version)
            return fail(cx, E_CONFLICT, NULL,
                        "the schema of the database (%lld) is newer than this program (%d); start "
                        "the program that made it, or a later one",
                        (long long)applied[run->applied.count - 1].version, i);
        if (known->version != applied[i].version || !str_equal(known->sha256, applied[i].sha256))
            return fail(cx, E_CONFLICT, NULL,
                        "migration %04lld_%s was changed after it was applied to this database",
                        (long long)applied[i].version, applied[i].name);
    }
    return OK;
}

static enum rc load(struct ctx *cx, void *arg)
{
    struct run *run = arg;
    TRY(once(cx, table));
    return db_all(cx, SQL_migrate_applied, ARGS(), applied_cols, sizeof(struct applied),
                  &run->applied);
}

static enum rc apply(struct ctx *cx, const struct migration *m)
{
    const char *const *statement = m->statements[db_engine(cx->db)];
    for (; *statement; statement++) {
        const enum rc rc = once(cx, *statement);
        if (rc != OK) {
            const char *detail = cx->err.detail;
            fail(cx, rc, NULL, "migration %04lld_%s failed", (long long)m->version, m->name);
            return fail_detail(cx, rc, "%s", detail ? detail : "");
        }
    }
    return db_exec(cx, SQL_migrate_note,
                   ARGS(INT("version", m->version), TEXT("name", m->name),
                        TEXT("sha256", m->sha256), INT("applied_at", cx->now)),
                   NULL);
}

/* What is applied is read anew for each: another process may be at it as well, and all write
 * transactions take turns. */
static enum rc apply_next(struct ctx *cx, void *arg)
{
    struct run *run = arg;
    TRY(load(cx, run));
    TRY(check(cx, run));
    const struct migration *next = &run->all[run->applied.count];
    run->is_done = !next->version;
    return run->is_done ? OK : apply(cx, next);
}

enum rc migrate(struct ctx *cx, const struct migration *all, int *ret_applied)
{
    struct run run = {.all = all};
    int count = 0;
    for (;; count++) {
        TRY(db_tx(cx, apply_next, &run));
        if (run.is_done)
            break;
    }
    *ret_applied = count;
    return OK;
}

enum rc db_migrate(struct ctx *cx, int *ret_applied)
{
    return migrate(cx, migrations, ret_applied);
}

enum rc db_migrations(struct ctx *cx, struct list *ret)
{
    struct run run = {.all = migrations};
    struct list all = {0};
    TRY(db_tx(cx, load, &run));
    const struct applied *applied = run.applied.at;
    for (int i = 0; i < migrations_count || i < run.applied.count; i++) {
        struct migration_state *m = list_add(cx->arena, &all, sizeof(*m));
        if (i < run.applied.count)
            *m = (struct migration_state){applied[i].version, applied[i].name,
                                          applied[i].applied_at};
        else
            *m = (struct migration_state){migrations[i].version, migrations[i].name, 0};
    }
    *ret = all;
    return OK;
}

enum rc db_schema_is_current(struct ctx *cx)
{
    struct run run = {.all = migrations};
    TRY(db_tx(cx, load, &run));
    TRY(check(cx, &run));
    if (run.applied.count < migrations_count)
        return fail(cx, E_CONFLICT, NULL,
                    "the schema of the database is older than this program; run `fettle migrate`");
    return OK;
}

/* ---- readiness ------------------------------------------------------------------------------- */

static enum rc probe(struct ctx *cx, void *arg)
{
    bool *has_written = arg;
    int changed = 0;
    TRY(db_exec(cx, SQL_migrate_probe, ARGS(), &changed));
    *has_written = changed == 1;
    return E_CONFLICT; /* so that it is rolled back */
}

enum rc db_check(struct ctx *cx)
{
    struct list applied = {0};
    TRY(db_all(cx, SQL_migrate_applied, ARGS(), applied_cols, sizeof(struct applied), &applied));
    bool has_written = false;
    const enum rc rc = db_tx(cx, probe, &has_written);
    if (has_written || rc == OK)
        return OK;
    return rc == E_CONFLICT ? fail(cx, E_FAIL, NULL, "the database has no schema yet") : rc;
}
