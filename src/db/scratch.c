#include "db/scratch.h"

#include <stdio.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/str.h"
#include "db/inside.h"

/* One at a time in a program: tests are programs of one thread here. */
static char url[1024], folder[256], schema[64];

static struct db *must_open(struct ctx *cx, const char *at, const struct db_config *config)
{
    struct db_config c = *config;
    struct db *db = NULL;
    c.url = secret_create(cx->arena, at, strlen(at));
    if (db_open(cx, &c, &db) != OK)
        BUG(arena_printf(cx->arena, "%s (%s)", cx->err.text, cx->err.detail));
    return db;
}

static enum rc run_text(struct ctx *cx, void *arg)
{
    (void)cx;
    return seat.db->driver.once(cx, seat.conn, arg);
}

/* A statement on the database that schemas are made in. */
static void on_base(struct ctx *cx, const char *base, char *text)
{
    struct ctx base_cx = {.arena = cx->arena};
    base_cx.db = must_open(&base_cx, base, &(struct db_config){0});
    if (db_tx(&base_cx, run_text, text) != OK)
        BUG(arena_printf(cx->arena, "%s: %s", text, base_cx.err.detail));
    db_close(base_cx.db);
}

static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/fettle-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        BUG("no folder for a test's database");
    snprintf(url, sizeof(url), "sqlite:%s/test.db", folder);
}

static void make_schema(struct ctx *cx, const char *base)
{
    snprintf(schema, sizeof(schema), "t_%s",
             str_lower_ascii(cx->arena, random_token(cx->arena, 9)));
    for (char *c = schema; *c; c++)
        *c = *c == '-' ? '_' : *c;
    on_base(cx, base, arena_printf(cx->arena, "CREATE SCHEMA %s", schema));
    snprintf(url, sizeof(url), "%s%coptions=-csearch_path%%3D%s&application_name=%s", base,
             strchr(base, '?') ? '&' : '?', schema, schema);
}

struct db *scratch_open(struct ctx *cx, enum db_engine engine, const struct db_config *config)
{
    const char *base = getenv("TEST_POSTGRES");
    if (engine == DB_POSTGRES && str_is_empty(base))
        return NULL;
    if (engine == DB_POSTGRES)
        make_schema(cx, base);
    else
        make_folder();
    return must_open(cx, url, config);
}

struct db *scratch_again(struct ctx *cx, const struct db_config *config)
{
    return must_open(cx, url, config);
}

const struct secret *scratch_url(struct ctx *cx)
{
    return secret_create(cx->arena, url, strlen(url));
}

void scratch_close(struct ctx *cx, struct db *db)
{
    static const char *const files[] = {"test.db", "test.db-wal", "test.db-shm", "test.db.lock"};
    const enum db_engine engine = db_engine(db);
    db_close(db);
    if (engine == DB_POSTGRES) {
        on_base(cx, getenv("TEST_POSTGRES"),
                arena_printf(cx->arena, "DROP SCHEMA %s CASCADE", schema));
        return;
    }
    for (int i = 0; i < ARRAY_LEN(files); i++)
        unlink(arena_printf(cx->arena, "%s/%s", folder, files[i]));
    rmdir(folder);
}
