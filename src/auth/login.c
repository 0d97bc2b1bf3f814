#include "auth/login.h"

#include <stdbool.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/hashing.h"
#include "auth/policy.h"
#include "auth/session.h"
#include "auth/user.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "db/db.h"
#include "lang/words.h"
#include "login_sql.h"

enum { FREE_FAILURES = 5, LONGEST_NAME = 200, PEER_PER_MINUTE = 30 };

int64_t login_pause_us(int64_t failed)
{
    if (failed < FREE_FAILURES)
        return 0;
    const int64_t doublings = failed - FREE_FAILURES;
    return doublings >= 6 ? LOGIN_WINDOW_US : (15 * US_PER_S) << doublings;
}

/* ---- counting, before anything is verified
 * -----------------------------------------------------*/

struct account {
    int64_t id; /* 0: nobody's name */
    const char *login, *hash;
    int64_t disabled_at;
};
static const struct col account_cols[] = {
    INT_COL(struct account, id),
    TEXT_COL(struct account, login),
    TEXT_COL(struct account, hash),
    INT_COL(struct account, disabled_at),
    {0},
};

struct attempts {
    int64_t failed, failed_at;
};
static const struct col attempts_cols[] = {
    INT_COL(struct attempts, failed),
    INT_COL(struct attempts, failed_at),
    {0},
};

struct login {
    const char *name; /* as folded; NULL: person_id says who */
    int64_t person_id;
    const struct secret *password;
    const char *peer, *agent;
    struct account account;
    char key[SHA256_HEX]; /* of the counter */
    const char *new_hash; /* when the parameters have changed; or NULL */
    struct session session;
    int64_t epoch;
    struct user *user;
};

static enum rc find_account(struct ctx *cx, struct login *l)
{
    struct account found = {0};
    const enum rc rc =
        l->name ? db_one(cx, SQL_login_find, ARGS(TEXT("name", l->name)), account_cols, &found)
                : db_one(cx, SQL_login_person, ARGS(INT("id", l->person_id)), account_cols, &found);
    if (rc != OK && rc != E_NOT_FOUND)
        return rc;
    l->account = rc == OK ? found : (struct account){0};
    const char *key = l->account.id
                          ? arena_printf(cx->arena, "person %lld", (long long)l->account.id)
                          : arena_printf(cx->arena, "name %s", l->name ? l->name : "");
    sha256_hex(key, strlen(key), l->key);
    return OK;
}

/* Two that count at once do so one after the other, as write transactions do; the second sees what
 * the first one wrote. Nothing is verified that was not counted. */
static enum rc count_in_tx(struct ctx *cx, void *arg)
{
    struct login *l = arg;
    TRY(find_account(cx, l));
    struct attempts a = {0};
    const enum rc rc = db_one(cx, SQL_login_attempts, ARGS(TEXT("key", l->key)), attempts_cols, &a);
    if (rc != OK && rc != E_NOT_FOUND)
        return rc;

    const int64_t wait_us = a.failed_at + login_pause_us(a.failed) - cx->now;
    if (rc == OK && wait_us > 0)
        return fail(cx, E_LIMIT, NULL, "too many failed attempts; try again in %lld seconds",
                    (long long)((wait_us + US_PER_S - 1) / US_PER_S));
    const bool is_fresh = rc == OK && cx->now - a.failed_at < LOGIN_WINDOW_US;
    int changed = 0;
    TRY(db_exec(cx, SQL_login_count,
                ARGS(TEXT("key", l->key), INT("before", a.failed),
                     INT("failed", is_fresh ? a.failed + 1 : 1), INT("now", cx->now)),
                &changed));
    return changed ? OK : E_BUSY;
}

/* ---- verifying
 * ---------------------------------------------------------------------------------*/

static enum rc is_wrong(struct ctx *cx)
{
    fail(cx, E_UNAUTHENTICATED, NULL, "the name or the password is wrong");
    cx->err.code = "credentials";
    return E_UNAUTHENTICATED;
}

static enum rc verify(struct ctx *cx, struct login *l)
{
    const struct account *a = &l->account;
    const bool is_right = hashing_verify(a->hash, l->password);
    if (!is_right || a->disabled_at)
        return is_wrong(cx);
    if (password_is_outdated(a->hash))
        TRY(hashing_make(cx, l->password, &l->new_hash));
    return OK;
}

static enum rc count_and_verify(struct ctx *cx, struct login *l)
{
    TRY(hashing_enter(cx));
    enum rc rc = db_tx(cx, count_in_tx, l);
    if (rc == OK)
        rc = verify(cx, l);
    hashing_leave();
    return rc;
}

struct still {
    int64_t id, epoch;
};
static const struct col still_cols[] = {
    INT_COL(struct still, id),
    INT_COL(struct still, epoch),
    {0},
};

/* Between verifying and this the person may have been disabled, or got another password. */
static enum rc settle_in_tx(struct ctx *cx, void *arg)
{
    struct login *l = arg;
    struct still still;
    const enum rc rc =
        db_one(cx, SQL_login_still, ARGS(INT("id", l->account.id), TEXT("hash", l->account.hash)),
               still_cols, &still);
    if (rc == E_NOT_FOUND)
        return is_wrong(cx);
    TRY(rc);
    l->epoch = still.epoch;
    TRY(db_exec(cx, SQL_login_forget, ARGS(TEXT("key", l->key)), NULL));
    if (l->new_hash)
        TRY(db_exec(cx, SQL_login_rehash, ARGS(INT("id", l->account.id), TEXT("hash", l->new_hash)),
                    NULL));
    return OK;
}

/* Who it is, is read in here too, so that nobody is signed in who hears of a failure. */
static enum rc sign_in_in_tx(struct ctx *cx, void *arg)
{
    struct login *l = arg;
    TRY(settle_in_tx(cx, l));
    TRY(user_load(cx, l->account.id, l->epoch, &l->user));
    return session_create(cx, l->account.id, l->peer, l->agent, &l->session);
}

/* Behind a proxy on a socket nobody's address is known; one bucket for all would lock all out. */
static enum rc check_peer(struct ctx *cx, const char *peer)
{
    struct rate rate;
    if (str_is_empty(peer))
        return OK;
    const char *principal = arena_printf(cx->arena, "sign-in %s", peer);
    if (auth_rate(cx, principal, PEER_PER_MINUTE, &rate))
        return OK;
    return fail(cx, E_LIMIT, NULL, "too many attempts from your address; wait a minute");
}

enum rc auth_login(struct ctx *cx, const char *login, const struct secret *password,
                   const char *peer, const char *agent, struct session *ret,
                   const struct user **ret_user)
{
    TRY(check_peer(cx, peer));
    if (strnlen(login, LONGEST_NAME) == LONGEST_NAME || secret_len(password) > PASSWORD_MOST_BYTES)
        return is_wrong(cx);

    struct login l = {
        .name = words_fold(cx->arena, login), .password = password, .peer = peer, .agent = agent};
    TRY(count_and_verify(cx, &l));
    TRY(db_tx(cx, sign_in_in_tx, &l));
    l.user->session_id = l.session.id;
    l.user->csrf = l.session.csrf;
    cx->user = l.user;
    *ret = l.session;
    *ret_user = l.user;
    return OK;
}

enum rc auth_confirm(struct ctx *cx, const struct secret *password)
{
    if (!user_id(cx))
        return fail(cx, E_UNAUTHENTICATED, NULL, "sign in first");
    if (secret_len(password) > PASSWORD_MOST_BYTES)
        return fail(cx, E_DENIED, "password", "is not the present password");
    struct login l = {.person_id = cx->user->id, .password = password};
    const enum rc rc = count_and_verify(cx, &l);
    if (rc == E_UNAUTHENTICATED)
        return fail(cx, E_DENIED, "password", "is not the present password");
    TRY(rc);
    return db_tx(cx, settle_in_tx, &l);
}
