#include "rec/type.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "type_sql.h"

#include "auth/auth.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/yaml.h"
#include "db/db.h"
#include "job/event.h"

/* Definitions loaded from one set of files. */
struct snapshot {
    atomic_int references;
    struct arena *arena;
    const struct defs *defs;
    int64_t epoch;
};

/* A version that is no longer current, kept for the records pinned to it. */
struct pinned {
    int64_t version_id;
    const struct process *process;
    struct snapshot *snapshot;
    struct pinned *next;
};

struct types {
    pthread_mutex_t lock;
    struct snapshot *current; /* NULL before the first activation */
    struct pinned *pinned;
};

struct version_row {
    int64_t id, version, activated_at, process_id, set_id;
    const char *process, *hash;
};
static const struct col version_cols[] = {
    INT_COL(struct version_row, id),           INT_COL(struct version_row, version),
    INT_COL(struct version_row, activated_at), INT_COL(struct version_row, process_id),
    INT_COL(struct version_row, set_id),       TEXT_COL(struct version_row, process),
    TEXT_COL(struct version_row, hash),        {0},
};
static const struct col id_cols[] = {{.kind = COL_INT, .offset = 0, .name = "id"}, {0}};

/* ---- snapshots ------------------------------------------------------------------------------ */

struct types *types_create(void)
{
    struct types *t = calloc(1, sizeof(*t));
    if (!t)
        BUG("out of memory");
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

static void snapshot_release(void *arg)
{
    struct snapshot *s = arg;
    if (s && atomic_fetch_sub(&s->references, 1) == 1)
        arena_destroy(s->arena);
}

void types_destroy(struct types *t)
{
    if (!t)
        return;
    snapshot_release(t->current);
    for (struct pinned *p = t->pinned, *next; p; p = next) {
        next = p->next;
        snapshot_release(p->snapshot);
        free(p);
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void type_take(struct ctx *cx, struct types *t)
{
    pthread_mutex_lock(&t->lock);
    struct snapshot *s = t->current;
    if (s)
        atomic_fetch_add(&s->references, 1);
    pthread_mutex_unlock(&t->lock);

    cx->types = t;
    cx->defs = s ? s->defs : NULL;
    if (s)
        arena_defer(cx->arena, snapshot_release, s);
}

static void swap(struct types *t, struct snapshot *s)
{
    pthread_mutex_lock(&t->lock);
    struct snapshot *old = t->current;
    t->current = s;
    pthread_mutex_unlock(&t->lock);
    snapshot_release(old);
}

static const char *const *right_names(struct arena *a)
{
    int count = 0;

    while (auth_rights[count].name)
        count++;
    const char **names = arena_array(a, (size_t)count + 1, sizeof(*names));
    for (int i = 0; i < count; i++)
        names[i] = auth_rights[i].name;
    return names;
}

/* Definitions in an arena of their own. A failure's findings live as long as the arena of cx. */
static enum rc snapshot_load(struct ctx *cx, const struct process_file *files, int count,
                             struct snapshot **ret, struct list *ret_findings)
{
    struct arena *arena = arena_create();
    struct ctx inner = {.arena = arena};
    const struct defs *defs = NULL;
    struct snapshot *s = arena_alloc(arena, sizeof(*s));

    enum rc rc = process_load(&inner, files, count, &defs, ret_findings);
    if (rc == OK) {
        const int before = ret_findings->count;
        process_check_rights(&inner, defs, right_names(arena), ret_findings);
        rc = ret_findings->count > before ? E_INVALID : OK;
    }
    if (rc != OK) {
        arena_defer(cx->arena, (void (*)(void *))arena_destroy, arena);
        return fail(cx, rc, NULL, "%s",
                    inner.err.text ? inner.err.text : "the process files have errors");
    }
    *s = (struct snapshot){.references = 1, .arena = arena, .defs = defs};
    *ret = s;
    return OK;
}

/* ---- files ---------------------------------------------------------------------------------- */

#define MAX_FILE (1 << 20)

static enum rc read_one(struct ctx *cx, const char *folder, const char *name, struct list *to)
{
    const char *path = arena_printf(cx->arena, "%s/%s", folder, name);
    struct process_file f = {.name = name};
    char *text;

    TRY(file_read(cx, path, MAX_FILE, &text, &f.len));
    f.text = text;
    struct process_file *added = list_add(cx->arena, to, sizeof(*added));
    *added = f;
    return OK;
}

enum rc type_read_folder(struct ctx *cx, const char *folder, struct list *ret)
{
    struct list names;

    *ret = (struct list){0};
    TRY(folder_list(cx, folder, ".yaml", &names));
    if (!names.count)
        return fail(cx, E_NOT_FOUND, NULL, "there are no process files (*.yaml) in %s", folder);
    for (int i = 0; i < names.count; i++) {
        const char *name = ((const char **)names.at)[i];
        if (!str_ends(name, ".mapping.yaml"))
            TRY(read_one(cx, folder, name, ret));
    }
    return OK;
}

static const char *files_json(struct ctx *cx, const struct process_file *files, int count)
{
    struct buf b = {.arena = cx->arena};
    struct json j = {.out = &b};

    json_open(&j, '{');
    for (int i = 0; i < count; i++)
        json_member_text(&j, files[i].name, files[i].text);
    json_close(&j, '}');
    return buf_text(&b);
}

static enum rc set_files(struct ctx *cx, int64_t set_id, struct list *ret)
{
    static const struct col cols[] = {{.kind = COL_TEXT, .offset = 0, .name = "files"}, {0}};
    const char *json;
    struct val map;

    *ret = (struct list){0};
    TRY(db_one(cx, SQL_type_files, ARGS(INT("id", set_id)), cols, &json));
    TRY(json_parse(cx, json, strlen(json), &map));
    for (int i = 0; i < map.count; i++) {
        const struct member *m = &map.members[i];
        struct process_file *f = list_add(cx->arena, ret, sizeof(*f));
        *f = (struct process_file){m->name, m->val.text, strlen(m->val.text)};
    }
    return OK;
}

enum rc type_files(struct ctx *cx, int64_t version_id, struct list *ret)
{
    struct version_row v;
    const enum rc rc = db_one(cx, SQL_type_version, ARGS(INT("id", version_id)), version_cols, &v);

    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such version of a process");
    TRY(rc);
    return set_files(cx, v.set_id, ret);
}

/* ---- what is in force ----------------------------------------------------------------------- */

static bool defines_process(const struct defs *d, const char *file)
{
    for (int i = 0; i < d->process_count; i++) {
        if (str_equal(d->processes[i].file, file))
            return true;
    }
    return false;
}

/* A process is what its own file and the shared ones say. */
static void process_hash(struct ctx *cx, const struct process *p, const struct process_file *files,
                         int count, char ret[static SHA256_HEX])
{
    struct sha256 *h = sha256_create(cx->arena);

    for (int i = 0; i < count; i++) {
        const bool is_own = str_equal(files[i].name, p->file);
        if (!is_own && defines_process(p->defs, files[i].name))
            continue;
        sha256_add(h, files[i].name, strlen(files[i].name) + 1);
        sha256_add(h, files[i].text, files[i].len);
    }
    sha256_finish(h, ret);
}

struct activation {
    const struct process_file *files;
    int count;
    const struct defs *defs;
    bool is_new; /* something changed */
};

static const struct version_row *find_current(const struct list *currents, const char *name)
{
    const struct version_row *v = currents->at;

    for (int i = 0; i < currents->count; i++) {
        if (str_equal(v[i].process, name))
            return &v[i];
    }
    return NULL;
}

static enum rc store_version(struct ctx *cx, struct process *p, int64_t set_id, const char *hash)
{
    int64_t id;
    struct version_row v;

    TRY(db_one(cx, SQL_type_put_process, ARGS(TEXT("name", p->name)), id_cols, &p->process_id));
    TRY(db_one(cx, SQL_type_put_version,
               ARGS(INT("process_id", p->process_id), INT("set_id", set_id), TEXT("hash", hash),
                    INT("now", cx->now)),
               id_cols, &id));
    TRY(db_exec(cx, SQL_type_make_current, ARGS(INT("process_id", p->process_id), INT("id", id)),
                NULL));
    TRY(db_one(cx, SQL_type_version, ARGS(INT("id", id)), version_cols, &v));
    p->version_id = id;
    p->version = (int)v.version;

    struct val_map body = {0};
    val_map_set(cx->arena, &body, "process", val_text(p->name));
    val_map_set(cx->arena, &body, "version", val_int(v.version));
    const struct event e = {
        .kind = "definition", .action = "activate", .process_id = p->process_id};
    return event_append(cx, &e, val_from_map(&body), NULL);
}

static enum rc store_set(struct ctx *cx, const struct activation *a, int64_t *ret)
{
    const char *json = files_json(cx, a->files, a->count);
    char hash[SHA256_HEX];

    sha256_hex(json, strlen(json), hash);
    return db_one(cx, SQL_type_put_set,
                  ARGS(TEXT("hash", hash), TEXT("files", json), INT("now", cx->now)), id_cols, ret);
}

/* ---- what has no file any more -------------------------------------------------------------- */

static const struct process_file *find_file(const struct list *files, const char *name)
{
    const struct process_file *f = files->at;

    for (int i = 0; i < files->count; i++) {
        if (str_equal(f[i].name, name))
            return &f[i];
    }
    return NULL;
}

/* The file that says "process: NAME", without loading any of them. NULL: none does. */
static const struct process_file *file_of(struct ctx *cx, const struct list *files,
                                          const char *process)
{
    const struct process_file *f = files->at;

    for (int i = 0; i < files->count; i++) {
        struct ctx quiet = {.arena = cx->arena};
        const struct yaml *root;
        if (yaml_parse(&quiet, f[i].name, f[i].text, f[i].len, &root) != OK)
            continue;
        const struct yaml *name = yaml_get(root, "process");
        if (name && name->kind == YAML_SCALAR && str_equal(name->text, process))
            return &f[i];
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct process_file *)a)->name, ((const struct process_file *)b)->name);
}

/* These files, and those of processes that are in force and that none of these defines: a file that
 * is gone does not take the records of its process with it. In the order of names, so that the same
 * files are always the same set. */
static enum rc with_kept(struct ctx *cx, const struct process_file *files, int count,
                         struct list *ret)
{
    struct list currents, kept_files;

    *ret = (struct list){0};
    for (int i = 0; i < count; i++)
        *(struct process_file *)list_add(cx->arena, ret, sizeof(*files)) = files[i];
    TRY(db_all(cx, SQL_type_currents, NULL, version_cols, sizeof(struct version_row), &currents));
    const struct version_row *v = currents.at;
    for (int i = 0; i < currents.count; i++) {
        if (file_of(cx, ret, v[i].process))
            continue;
        TRY(set_files(cx, v[i].set_id, &kept_files));
        const struct process_file *kept = file_of(cx, &kept_files, v[i].process);
        if (kept && !find_file(ret, kept->name))
            *(struct process_file *)list_add(cx->arena, ret, sizeof(*kept)) = *kept;
    }
    qsort(ret->at, (size_t)ret->count, sizeof(struct process_file), by_name);
    return OK;
}

enum rc type_find_set(struct ctx *cx, const struct process_file *files, int count,
                      enum type_set *ret)
{
    struct list all;
    char hash[SHA256_HEX];
    int64_t id, newest;

    TRY(with_kept(cx, files, count, &all));
    const char *json = files_json(cx, all.at, all.count);
    sha256_hex(json, strlen(json), hash);
    const enum rc rc = db_one(cx, SQL_type_set_by_hash, ARGS(TEXT("hash", hash)), id_cols, &id);
    if (rc == E_NOT_FOUND) {
        *ret = TYPE_SET_NEW;
        return OK;
    }
    TRY(rc);
    TRY(db_one(cx, SQL_type_newest_set, NULL, id_cols, &newest));
    *ret = id == newest ? TYPE_SET_CURRENT : TYPE_SET_OLD;
    return OK;
}

static enum rc store_definitions(struct ctx *cx, void *arg)
{
    struct activation *a = arg;
    struct list currents;
    int64_t set_id = 0;

    a->is_new = false;
    TRY(db_all(cx, SQL_type_currents, NULL, version_cols, sizeof(struct version_row), &currents));
    for (int i = 0; i < a->defs->process_count; i++) {
        struct process *p = &a->defs->processes[i];
        const struct version_row *v = find_current(&currents, p->name);
        char hash[SHA256_HEX];
        process_hash(cx, p, a->files, a->count, hash);
        if (v && str_equal(v->hash, hash)) {
            p->process_id = v->process_id;
            p->version_id = v->id;
            p->version = (int)v->version;
            continue;
        }
        if (!set_id)
            TRY(store_set(cx, a, &set_id));
        TRY(store_version(cx, p, set_id, hash));
        a->is_new = true;
    }
    return a->is_new ? db_exec(cx, SQL_type_move_epoch, NULL, NULL) : OK;
}

static enum rc read_epoch(struct ctx *cx, int64_t *ret)
{
    return db_one(cx, SQL_type_epoch, NULL, id_cols, ret);
}

/* With what is kept, unless that does not fit to the files any more. */
static enum rc load_all(struct ctx *cx, const struct process_file *files, int count,
                        struct list *ret_files, struct snapshot **ret, struct list *ret_findings)
{
    struct list findings = {0};

    TRY(with_kept(cx, files, count, ret_files));
    if (ret_files->count > count &&
        snapshot_load(cx, ret_files->at, ret_files->count, ret, &findings) == OK) {
        *ret_findings = findings;
        return OK;
    }
    fail_clear(cx);
    *ret_files = (struct list){0};
    for (int i = 0; i < count; i++)
        *(struct process_file *)list_add(cx->arena, ret_files, sizeof(*files)) = files[i];
    return snapshot_load(cx, files, count, ret, ret_findings);
}

enum rc type_activate(struct ctx *cx, struct types *t, const struct process_file *files, int count,
                      struct list *ret_findings)
{
    struct snapshot *s;
    struct list all;

    TRY(load_all(cx, files, count, &all, &s, ret_findings));
    struct activation a = {.files = all.at, .count = all.count, .defs = s->defs};
    enum rc rc = db_tx(cx, store_definitions, &a);
    if (rc == OK)
        rc = read_epoch(cx, &s->epoch);
    if (rc != OK) {
        snapshot_release(s);
        return rc;
    }
    swap(t, s);
    return OK;
}

static void name_versions(const struct defs *d, const struct list *currents)
{
    for (int i = 0; i < d->process_count; i++) {
        struct process *p = &d->processes[i];
        const struct version_row *v = find_current(currents, p->name);
        if (!v)
            continue;
        p->process_id = v->process_id;
        p->version_id = v->id;
        p->version = (int)v->version;
    }
}

static enum rc load_newest(struct ctx *cx, struct snapshot **ret)
{
    struct list files, findings = {0}, currents;
    int64_t set_id;

    TRY(db_one(cx, SQL_type_newest_set, NULL, id_cols, &set_id));
    TRY(set_files(cx, set_id, &files));
    TRY(db_all(cx, SQL_type_currents, NULL, version_cols, sizeof(struct version_row), &currents));
    TRY(snapshot_load(cx, files.at, files.count, ret, &findings));
    name_versions((*ret)->defs, &currents);
    return OK;
}

enum rc type_refresh(struct ctx *cx, struct types *t)
{
    struct snapshot *s;
    int64_t epoch;

    TRY(read_epoch(cx, &epoch));
    pthread_mutex_lock(&t->lock);
    const bool is_current = t->current && t->current->epoch == epoch;
    pthread_mutex_unlock(&t->lock);
    if (is_current)
        return OK;
    TRY(load_newest(cx, &s));
    s->epoch = epoch;
    swap(t, s);
    return OK;
}

/* ---- older versions ------------------------------------------------------------------------- */

static const struct process *find_pinned(struct types *t, int64_t version_id)
{
    const struct process *found = NULL;

    pthread_mutex_lock(&t->lock);
    for (const struct pinned *p = t->pinned; p && !found; p = p->next) {
        if (p->version_id == version_id)
            found = p->process;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static void keep_pinned(struct types *t, int64_t version_id, struct snapshot *s,
                        const struct process *process)
{
    struct pinned *p = calloc(1, sizeof(*p));
    if (!p)
        BUG("out of memory");
    *p = (struct pinned){.version_id = version_id, .process = process, .snapshot = s};
    pthread_mutex_lock(&t->lock);
    p->next = t->pinned;
    t->pinned = p;
    pthread_mutex_unlock(&t->lock);
}

static enum rc load_pinned(struct ctx *cx, int64_t version_id, const struct process **ret)
{
    struct version_row v;
    struct list files, findings = {0};
    struct snapshot *s;

    TRY(db_one(cx, SQL_type_version, ARGS(INT("id", version_id)), version_cols, &v));
    TRY(set_files(cx, v.set_id, &files));
    TRY(snapshot_load(cx, files.at, files.count, &s, &findings));
    struct process *p = defs_process(s->defs, v.process);
    if (!p) {
        snapshot_release(s);
        return fail(cx, E_FAIL, NULL, "version %lld of process %s is damaged", (long long)v.version,
                    v.process);
    }
    p->process_id = v.process_id;
    p->version_id = v.id;
    p->version = (int)v.version;
    keep_pinned(cx->types, version_id, s, p);
    *ret = p;
    return OK;
}

enum rc type_version(struct ctx *cx, int64_t version_id, const struct process **ret)
{
    for (int i = 0; cx->defs && i < cx->defs->process_count; i++) {
        if (cx->defs->processes[i].version_id == version_id) {
            *ret = &cx->defs->processes[i];
            return OK;
        }
    }
    const struct process *p = find_pinned(cx->types, version_id);
    if (!p)
        return load_pinned(cx, version_id, ret);
    *ret = p;
    return OK;
}

enum rc type_versions(struct ctx *cx, const char *process, struct list *ret)
{
    struct list rows;

    *ret = (struct list){0};
    TRY(db_all(cx, SQL_type_versions, ARGS(TEXT("process", process)), version_cols,
               sizeof(struct version_row), &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct version_row *row = (const struct version_row *)rows.at + i;
        struct type_version *v = list_add(cx->arena, ret, sizeof(*v));
        *v = (struct type_version){
            .id = row->id,
            .version = row->version,
            .activated_at = row->activated_at,
            .process = row->process,
            .hash = row->hash,
        };
    }
    return OK;
}
