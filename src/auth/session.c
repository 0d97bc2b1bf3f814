#include "auth/session.h"

#include <string.h>

#include "auth/auth.h"
#include "auth/login.h"
#include "auth/manage.h"
#include "auth/scope.h"
#include "auth/user.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/settings.h"
#include "base/time.h"
#include "db/db.h"
#include "session_sql.h"

enum { SECRET_BYTES = 32, CSRF_BYTES = 18, LONGEST_COOKIE = 128 };

/* Reading does not write: a session is marked as used at most this often. */
static const int64_t touch_every_us = US_PER_MIN;

static struct {
    int64_t idle_us, absolute_us;
} limits = {.idle_us = 30 * US_PER_MIN, .absolute_us = 12 * US_PER_HOUR};

void auth_setup(const struct settings *settings)
{
    limits.idle_us = settings_int(settings, SETTING_SESSION_IDLE);
    limits.absolute_us = settings_int(settings, SETTING_SESSION_ABSOLUTE);
}

/* ---- making
 * ------------------------------------------------------------------------------------*/

struct id_row {
    int64_t id;
};
static const struct col id_cols[] = {
    INT_COL(struct id_row, id),
    {0},
};

/* What a client says of itself is shown in the list of sessions; a line of it is enough. */
static const char *shortened(struct ctx *cx, const char *s)
{
    return s ? arena_strndup(cx->arena, s, strnlen(s, 200)) : NULL;
}

enum rc session_create(struct ctx *cx, int64_t person_id, const char *peer, const char *agent,
                       struct session *ret)
{
    const char *secret = random_token(cx->arena, SECRET_BYTES);
    char hash[SHA256_HEX];
    sha256_hex(secret, strlen(secret), hash);
    struct session s = {
        .secret = secret_create(cx->arena, secret, strlen(secret)),
        .csrf = random_token(cx->arena, CSRF_BYTES),
        .created_at = cx->now,
        .used_at = cx->now,
        .expires_at = cx->now + limits.absolute_us,
        .peer = shortened(cx, peer),
        .agent = shortened(cx, agent),
    };
    struct id_row row;
    TRY(db_one(cx, SQL_session_create,
               ARGS(TEXT("hash", hash), INT("person_id", person_id), TEXT("csrf", s.csrf),
                    INT("now", cx->now), INT("expires_at", s.expires_at), TEXT("peer", s.peer),
                    TEXT("agent", s.agent)),
               id_cols, &row));
    s.id = row.id;
    *ret = s;
    return OK;
}

/* ---- using
 * -------------------------------------------------------------------------------------*/

struct found {
    int64_t id, person_id, used_at, expires_at, epoch;
    const char *csrf;
};
static const struct col found_cols[] = {
    INT_COL(struct found, id),
    INT_COL(struct found, person_id),
    TEXT_COL(struct found, csrf),
    INT_COL(struct found, used_at),
    INT_COL(struct found, expires_at),
    INT_COL(struct found, epoch),
    {0},
};

static enum rc touch_in_tx(struct ctx *cx, void *arg)
{
    const struct found *s = arg;
    return db_exec(cx, SQL_session_touch, ARGS(INT("id", s->id), INT("now", cx->now)), NULL);
}

enum rc auth_by_session(struct ctx *cx, const char *cookie)
{
    if (strnlen(cookie, LONGEST_COOKIE) == LONGEST_COOKIE)
        return fail(cx, E_UNAUTHENTICATED, NULL, "sign in first");
    char hash[SHA256_HEX];
    sha256_hex(cookie, strlen(cookie), hash);
    struct found s;
    const enum rc rc = db_one(cx, SQL_session_load, ARGS(TEXT("hash", hash)), found_cols, &s);
    if (rc == E_NOT_FOUND)
        return fail(cx, E_UNAUTHENTICATED, NULL, "sign in first");
    TRY(rc);
    if (s.expires_at <= cx->now || s.used_at + limits.idle_us <= cx->now)
        return fail(cx, E_UNAUTHENTICATED, NULL, "the session has ended; sign in again");
    struct user *u;
    TRY(user_load(cx, s.person_id, s.epoch, &u));
    u->session_id = s.id;
    u->csrf = s.csrf;

    /* A full disk must not end the session: it may be read-only for a while. */
    if (cx->now - s.used_at >= touch_every_us && db_tx(cx, touch_in_tx, &s) != OK)
        fail_clear(cx);
    cx->user = u;
    return OK;
}

/* ---- ending
 * ------------------------------------------------------------------------------------*/

enum rc session_end_all(struct ctx *cx, int64_t person_id, int64_t but_id)
{
    return db_exec(cx, SQL_session_end_all,
                   ARGS(INT("person_id", person_id), INT("but_id", but_id)), NULL);
}

struct owner {
    int64_t person_id;
};
static const struct col owner_cols[] = {
    INT_COL(struct owner, person_id),
    {0},
};

static enum rc end_in_tx(struct ctx *cx, void *arg)
{
    const int64_t *id = arg;
    return db_exec(cx, SQL_session_end, ARGS(INT("id", *id)), NULL);
}

/* A token for the records of one process says nothing about its owner's sessions. */
static bool is_own(const struct ctx *cx, int64_t person_id, enum scope_use use)
{
    return manage_is_self(cx, person_id) && scope_allows(cx->user->scopes, NULL, use);
}

enum rc auth_logout(struct ctx *cx, int64_t session_id)
{
    struct owner owner;
    enum rc rc = db_one(cx, SQL_session_owner, ARGS(INT("id", session_id)), owner_cols, &owner);
    if (rc == OK && !is_own(cx, owner.person_id, SCOPE_WRITE))
        rc = manage_person(cx, owner.person_id);
    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such session");
    TRY(rc);
    return db_tx(cx, end_in_tx, &session_id);
}

static const struct col session_cols[] = {
    INT_COL(struct session, id),
    INT_COL(struct session, created_at),
    INT_COL(struct session, used_at),
    INT_COL(struct session, expires_at),
    TEXT_COL(struct session, peer),
    TEXT_COL(struct session, agent),
    {0},
};

enum rc auth_sessions(struct ctx *cx, int64_t person_id, struct list *ret)
{
    if (!is_own(cx, person_id, SCOPE_READ))
        TRY(manage_person(cx, person_id));
    return db_all(cx, SQL_session_list,
                  ARGS(INT("person_id", person_id), INT("now", cx->now),
                       INT("idle_since", cx->now - limits.idle_us)),
                  session_cols, sizeof(struct session), ret);
}

static const struct col standing_cols[] = {{.kind = COL_INT, .offset = 0, .name = "id"}, {0}};

enum rc auth_standing_sessions(struct ctx *cx, const int64_t *ids, int count, struct list *ret)
{
    return db_all(cx, SQL_session_standing,
                  ARGS(IDS("ids", ids, count), INT("now", cx->now),
                       INT("idle_since", cx->now - limits.idle_us)),
                  standing_cols, sizeof(int64_t), ret);
}

static enum rc sweep_in_tx(struct ctx *cx, void *arg)
{
    (void)arg;
    TRY(db_exec(cx, SQL_session_sweep,
                ARGS(INT("now", cx->now), INT("idle_since", cx->now - limits.idle_us)), NULL));
    TRY(db_exec(cx, SQL_session_sweep_links, ARGS(INT("now", cx->now)), NULL));
    return db_exec(cx, SQL_session_sweep_attempts, ARGS(INT("before", cx->now - LOGIN_WINDOW_US)),
                   NULL);
}

enum rc auth_sweep(struct ctx *cx)
{
    return db_tx(cx, sweep_in_tx, NULL);
}
