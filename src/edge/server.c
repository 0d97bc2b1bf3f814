#include "edge/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "auth/auth.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "edge/dispatch.h"
#include "edge/hub.h"
#include "edge/idempotency.h"
#include "edge/metrics.h"
#include "edge/openapi.h"
#include "edge/route.h"
#include "rec/later.h"
#include "rec/type.h"

#define MAX_SOCKET_PATH 107 /* bytes that a Unix socket's address has room for */

/* ---- housekeeping --------------------------------------------------------------------------- */

static enum rc sweep(struct ctx *cx, void *arg)
{
    TRY(auth_sweep(cx));
    TRY(idempotency_sweep(cx));
    return job_continue_at(cx, arg, cx->now + US_PER_HOUR, val_null());
}

static enum rc keep_house(struct ctx *cx, const struct job *job)
{
    struct job own = *job;
    return db_tx(cx, sweep, &own);
}

static const struct job_kind house_kinds[] = {
    {.name = "housekeeping",
     .run = keep_house,
     .help = "Forgets expired sessions, attempts and kept answers"},
    {0},
};

static const struct job_kind *const job_kinds[] = {rec_job_kinds, house_kinds, NULL};

static void prepare_job(struct ctx *cx, void *arg)
{
    struct server *s = arg;

    cx->language = settings_text(s->settings, SETTING_LANGUAGE);
    type_take(cx, s->types);
}

/* ---- opening -------------------------------------------------------------------------------- */

void server_context(struct server *s, struct arena *arena, struct ctx *ret)
{
    *ret = (struct ctx){
        .arena = arena,
        .db = s->db,
        .now = clock_now(),
        .via = VIA_API,
        .language = settings_text(s->settings, SETTING_LANGUAGE),
    };
    type_take(ret, s->types);
}

uint64_t server_next_id(struct server *s)
{
    return atomic_fetch_add(&s->calls, 1) | UINT64_C(1) << 62;
}

static enum rc make_folders(struct ctx *cx, struct server *s)
{
    s->data = settings_text(s->settings, SETTING_DATA);
    s->blobs = arena_printf(s->arena, "%s/blobs", s->data);
    s->spool = arena_printf(s->arena, "%s/spool", s->data);
    TRY(folder_make(cx, s->data));
    TRY(folder_make(cx, s->blobs));
    return folder_make(cx, s->spool);
}

static void read_settings(struct server *s)
{
    unsigned char nonce[4];

    random_bytes(nonce, sizeof(nonce));
    s->nonce = str_hex(s->arena, nonce, sizeof(nonce));
    s->base_url = settings_text(s->settings, SETTING_BASE_URL);
    s->is_secure = settings_int(s->settings, SETTING_SECURE_COOKIES);
    s->cookie = s->is_secure ? "__Host-fettle_session" : "fettle_session";
    s->rate_limit = settings_int(s->settings, SETTING_RATE_LIMIT);
    s->started_at = clock_now();
    auth_setup(s->settings);
}

static enum rc open_database(struct ctx *cx, struct server *s)
{
    const struct db_config config = {
        .url = settings_secret(s->settings, SETTING_DATABASE),
        .readers = (int)settings_int(s->settings, SETTING_WORKERS),
    };
    TRY(db_open(cx, &config, &s->db));
    cx->db = s->db;
    return OK;
}

enum rc server_open(struct ctx *cx, const struct settings *settings, struct server **ret)
{
    struct arena *arena = arena_create();
    struct server *s = arena_alloc(arena, sizeof(*s));

    *s = (struct server){.arena = arena, .settings = settings};
    read_settings(s);
    enum rc rc = make_folders(cx, s);
    if (rc == OK)
        rc = open_database(cx, s);
    if (rc != OK) {
        arena_destroy(arena);
        return rc;
    }
    s->types = types_create();
    s->metrics = metrics_create(s->arena);
    s->openapi = openapi_create(s->arena);
    *ret = s;
    return OK;
}

/* ---- definitions ---------------------------------------------------------------------------- */

static void log_findings(const struct list *findings)
{
    const struct finding *f = findings->at;

    for (int i = 0; i < findings->count; i++)
        log_write(f[i].level == FINDING_ERROR ? LOG_ERROR : LOG_WARNING, "process file",
                  LOG_TEXT("file", f[i].file), LOG_NUM("line", f[i].line),
                  LOG_NUM("column", f[i].column), LOG_TEXT("text", f[i].text));
}

static void reserve(struct ctx *cx, struct list *findings, const struct process *p,
                    const char *name, int line, int column)
{
    struct finding *f = list_add(cx->arena, findings, sizeof(*f));

    *f = (struct finding){
        .level = FINDING_ERROR,
        .rule = "reserved-name",
        .file = p->file,
        .line = line,
        .column = column,
        .text = arena_printf(cx->arena, "'%s' has a meaning of its own in the API", name),
    };
}

/* Members of a record that are no fields, and of what is sent along with an action. */
static const char *const reserved_fields[] = {
    "version", "revision", "overrides", "actions", "comment", "note", "override_reason", NULL,
};

static const char *const *known_rights(struct arena *a)
{
    int count = 0;

    while (auth_rights[count].name)
        count++;
    const char **names = arena_array(a, (size_t)count + 1, sizeof(*names));
    for (int i = 0; i < count; i++)
        names[i] = auth_rights[i].name;
    return names;
}

enum rc server_check_processes(struct ctx *cx, const struct defs *defs, struct list *findings)
{
    const int before = findings->count;

    process_check_rights(cx, defs, known_rights(cx->arena), findings);
    for (int i = 0; i < defs->process_count; i++) {
        const struct process *p = &defs->processes[i];
        if (route_is_reserved(p->name))
            reserve(cx, findings, p, p->name, p->line, 1);
        for (int f = FIELD_BUILTINS; f < p->field_count; f++) {
            if (str_in(p->fields[f].name, reserved_fields))
                reserve(cx, findings, p, p->fields[f].name, p->fields[f].line, p->fields[f].column);
        }
    }
    return findings->count > before ? E_INVALID : OK;
}

enum rc server_activate(struct ctx *cx, struct server *s, const struct list *files,
                        struct list *ret_findings)
{
    const struct defs *defs;

    TRY(process_load(cx, files->at, files->count, &defs, ret_findings));
    if (server_check_processes(cx, defs, ret_findings) != OK)
        return fail(cx, E_INVALID, NULL, "the process files have errors");
    *ret_findings = (struct list){0};
    return type_activate(cx, s->types, files->at, files->count, ret_findings);
}

enum rc server_load_processes(struct ctx *cx, struct server *s)
{
    struct list files, findings = {0};

    TRY(type_read_folder(cx, settings_text(s->settings, SETTING_PROCESSES), &files));
    const enum rc rc = server_activate(cx, s, &files, &findings);
    log_findings(&findings);
    return rc;
}

/* What is in force when the server starts: the folder's files, unless these were in force before
 * and others came after them through the API. Without files, what the database holds. */
static enum rc choose_processes(struct ctx *cx, struct server *s)
{
    const char *folder = settings_text(s->settings, SETTING_PROCESSES);
    struct list files, findings = {0};
    enum type_set set;

    const enum rc rc = type_read_folder(cx, folder, &files);
    if (rc == E_NOT_FOUND && type_refresh(cx, s->types) == OK)
        return OK;
    TRY(rc);
    TRY(type_find_set(cx, files.at, files.count, &set));
    if (set == TYPE_SET_OLD) {
        log_write(LOG_WARNING, "newer process files are in force than those of the folder",
                  LOG_TEXT("folder", folder));
        return type_refresh(cx, s->types);
    }
    const enum rc activated = server_activate(cx, s, &files, &findings);
    log_findings(&findings);
    return activated;
}

enum rc server_prepare(struct ctx *cx, struct server *s)
{
    int applied;

    TRY(db_migrate(cx, &applied));
    if (applied)
        log_write(LOG_INFO, "database migrated", LOG_NUM("steps", applied));
    TRY(choose_processes(cx, s));
    type_take(cx, s->types);
    cx->language = settings_text(s->settings, SETTING_LANGUAGE);
    return OK;
}

enum rc server_first_link(struct ctx *cx, struct server *s, const char **ret)
{
    struct secret *secret;
    const enum rc rc = auth_first_secret(cx, &secret);

    *ret = NULL;
    if (rc == E_CONFLICT) {
        fail_clear(cx);
        return OK;
    }
    TRY(rc);
    *ret = arena_printf(cx->arena, "%s/#setup=%s", s->base_url, secret_reveal(secret));
    return OK;
}

/* ---- running -------------------------------------------------------------------------------- */

static struct http_config http_settings(struct ctx *cx, struct server *s)
{
    const char *socket = arena_printf(cx->arena, "unix:%s/fettle.sock", s->data);
    struct http_config config = {
        .listen = {settings_text(s->settings, SETTING_LISTEN)},
        .spool_dir = s->spool,
        .loops = (int)settings_int(s->settings, SETTING_LOOPS),
        .workers = (int)settings_int(s->settings, SETTING_WORKERS),
        .max_queue = 1000,
        .header_timeout_us = settings_int(s->settings, SETTING_HEADER_TIMEOUT),
        .body_timeout_us = settings_int(s->settings, SETTING_BODY_TIMEOUT),
        .idle_timeout_us = settings_int(s->settings, SETTING_IDLE_TIMEOUT),
        .drain_timeout_us = settings_int(s->settings, SETTING_DRAIN_TIMEOUT),
        .admit = dispatch_admit,
        .handle = dispatch,
        .arg = s,
    };

    if (strlen(socket) - strlen("unix:") <= MAX_SOCKET_PATH)
        config.listen[1] = socket;
    else
        log_write(LOG_WARNING, "no local socket: the path of the data folder is too long");
    return config;
}

/* With port 0 the address is known only now. */
static void settle_base_url(struct server *s)
{
    const char *listen = settings_text(s->settings, SETTING_LISTEN);

    if (str_ends(s->base_url, ":0") && str_ends(listen, ":0"))
        s->base_url = arena_printf(s->arena, "%.*s:%d", (int)strlen(s->base_url) - 2, s->base_url,
                                   http_port(s->http, 0));
}

static enum rc start_jobs(struct ctx *cx, struct server *s)
{
    s->job_config = (struct job_config){
        .db = s->db,
        .kinds = job_kinds,
        .threads = 2,
        .prepare = prepare_job,
        .arg = s,
    };
    TRY(job_ensure(cx, "housekeeping", cx->now));
    return job_start(cx, &s->job_config, &s->jobs);
}

static void on_change(void *arg)
{
    struct server *s = arg;

    job_wake(s->jobs);
    hub_wake(s->hub);
}

/* Signals are taken by server_run() alone, so every thread that is started here blocks them. */
static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
}

enum rc server_start(struct ctx *cx, struct server *s)
{
    struct http_server *http;
    sigset_t signals;

    block_signals(&signals);
    route_init();
    TRY(start_jobs(cx, s));
    s->hub = hub_create(s);
    db_on_change(s->db, on_change, s);
    const struct http_config config = http_settings(cx, s);
    TRY(http_start(cx, &config, &http));
    s->http = http;
    settle_base_url(s);
    return OK;
}

static void reload(struct server *s)
{
    struct arena *arena = arena_create();
    struct ctx cx;

    server_context(s, arena, &cx);
    const enum rc rc = server_load_processes(&cx, s);
    if (rc == OK)
        log_write(LOG_INFO, "process files read");
    else
        log_write(LOG_ERROR, "process files not read", LOG_TEXT("text", cx.err.text));
    arena_destroy(arena);
}

enum rc server_run(struct ctx *cx, struct server *s)
{
    sigset_t signals;
    int which = 0;

    block_signals(&signals);
    for (;;) {
        if (sigwait(&signals, &which) != 0)
            return fail(cx, E_FAIL, NULL, "cannot wait for signals");
        if (which != SIGHUP)
            break;
        reload(s);
    }
    log_write(LOG_INFO, "stopping");
    http_stop(s->http);
    return OK;
}

void server_close(struct server *s)
{
    if (!s)
        return;
    if (s->hub)
        db_on_change(s->db, NULL, NULL);
    hub_stop(s->hub);
    http_destroy(s->http);
    job_stop(s->jobs);
    db_close(s->db);
    hub_destroy(s->hub);
    types_destroy(s->types);
    openapi_destroy(s->openapi);
    arena_destroy(s->arena);
}
