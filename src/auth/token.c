#include <string.h>

#include "auth/auth.h"
#include "auth/manage.h"
#include "auth/scope.h"
#include "auth/user.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "job/event.h"
#include "token_sql.h"

/* fettle_pat_42_<43 characters of base 62: 256 bits><6 of their CRC-32>. The prefix lets scanners
 * find tokens that were published by mistake, the check tells typing faults from revoked tokens
 * without asking the database. */
#define PREFIX "fettle_pat_"
enum { SECRET_CHARS = 43, CHECK_CHARS = 6, LONGEST_TOKEN = 128, LONGEST_NAME = 100 };

static const int64_t touch_every_us = US_PER_MIN;

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* ---- the written form
 * --------------------------------------------------------------------------*/

static void random_base62(char *ret, int len)
{
    for (int n = 0; n < len;) {
        unsigned char bytes[64];
        random_bytes(bytes, sizeof(bytes));
        for (int i = 0; i < (int)sizeof(bytes) && n < len; i++)
            if ((bytes[i] & 63) < 62) /* others would make some characters likelier */
                ret[n++] = base62[bytes[i] & 63];
    }
}

/* CRC-32 as of zlib and Ethernet. */
static uint32_t crc32_of(const char *s, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)s[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static void write_check(const char *secret, char ret[static CHECK_CHARS])
{
    uint32_t crc = crc32_of(secret, SECRET_CHARS);
    for (int i = CHECK_CHARS - 1; i >= 0; i--, crc /= 62)
        ret[i] = base62[crc % 62];
}

/* The id and where the secret begins, of something that has the form of a token. */
static const char *parse(struct ctx *cx, const char *token, int64_t *ret_id)
{
    if (strnlen(token, LONGEST_TOKEN) == LONGEST_TOKEN || !str_starts(token, PREFIX))
        return NULL;
    const char *digits = token + strlen(PREFIX);
    const size_t len = strspn(digits, "0123456789");
    const char *secret = digits + len + 1;
    if (digits[len] != '_' || strlen(secret) != SECRET_CHARS + CHECK_CHARS ||
        !str_to_int(arena_strndup(cx->arena, digits, len), ret_id))
        return NULL;
    char check[CHECK_CHARS];
    write_check(secret, check);
    return memcmp(secret + SECRET_CHARS, check, CHECK_CHARS) == 0 ? secret : NULL;
}

/* ---- using
 * -------------------------------------------------------------------------------------*/

struct found {
    int64_t id, person_id, expires_at, used_at, revoked_at, epoch;
    const char *scopes;
};
static const struct col found_cols[] = {
    INT_COL(struct found, id),      INT_COL(struct found, person_id),
    TEXT_COL(struct found, scopes), INT_COL(struct found, expires_at),
    INT_COL(struct found, used_at), INT_COL(struct found, revoked_at),
    INT_COL(struct found, epoch),   {0},
};

static enum rc touch_in_tx(struct ctx *cx, void *arg)
{
    const struct found *t = arg;
    return db_exec(cx, SQL_token_touch, ARGS(INT("id", t->id), INT("now", cx->now)), NULL);
}

static enum rc is_not_good(struct ctx *cx)
{
    return fail(cx, E_UNAUTHENTICATED, NULL, "the token is not good, or not any more");
}

enum rc auth_by_token(struct ctx *cx, const char *token)
{
    int64_t id = 0;
    const char *secret = parse(cx, token, &id);
    if (!secret)
        return is_not_good(cx);
    char hash[SHA256_HEX];
    sha256_hex(secret, SECRET_CHARS, hash);
    struct found t;
    const enum rc rc =
        db_one(cx, SQL_token_load, ARGS(INT("id", id), TEXT("hash", hash)), found_cols, &t);
    if (rc == E_NOT_FOUND)
        return is_not_good(cx);
    TRY(rc);
    if (t.revoked_at || (t.expires_at && t.expires_at <= cx->now))
        return is_not_good(cx);
    struct user *u;
    TRY(user_load(cx, t.person_id, t.epoch, &u));
    u->token_id = t.id;
    u->scopes = t.scopes;

    /* As with sessions: not being able to note it is no reason to refuse. */
    if (cx->now - t.used_at >= touch_every_us && db_tx(cx, touch_in_tx, &t) != OK)
        fail_clear(cx);
    cx->user = u;
    return OK;
}

/* ---- making and revoking
 * -----------------------------------------------------------------------*/

static enum rc check_owner(struct ctx *cx, int64_t person_id)
{
    if (cx->user && cx->user->token_id)
        return fail(cx, E_DENIED, NULL, "a token cannot make or revoke tokens; sign in for that");
    return manage_is_self(cx, person_id) ? OK : manage_person(cx, person_id);
}

/* Without the epoch: tokens are looked up each time. */
static enum rc note(struct ctx *cx, const char *action, int64_t person_id, int64_t token_id)
{
    struct val_map body = {0};
    val_map_set(cx->arena, &body, "id", val_int(token_id));
    val_map_set(cx->arena, &body, "person", val_int(person_id));
    return event_append(cx,
                        &(struct event){.kind = "token", .action = action, .actor_id = user_id(cx)},
                        val_from_map(&body), NULL);
}

struct id_row {
    int64_t id;
};
static const struct col id_cols[] = {
    INT_COL(struct id_row, id),
    {0},
};

struct creation {
    struct token *token;
    const char *hash;
};

static enum rc create_in_tx(struct ctx *cx, void *arg)
{
    const struct creation *c = arg;
    struct token *t = c->token;
    TRY(check_owner(cx, t->person_id));
    struct id_row row;
    TRY(db_one(cx, SQL_token_create,
               ARGS(TEXT("hash", c->hash), INT("person_id", t->person_id), TEXT("name", t->name),
                    TEXT("scopes", t->scopes), INT("now", cx->now),
                    INT_OR_NONE("expires_at", t->expires_at)),
               id_cols, &row));
    t->id = row.id;
    return note(cx, "create", t->person_id, t->id);
}

enum rc token_create(struct ctx *cx, int64_t person_id, const char *name, const char *scopes,
                     int64_t expires_at, struct token *ret, struct secret **ret_secret)
{
    const char *trimmed = str_trim(cx->arena, name ? name : "");
    if (!*trimmed || strlen(trimmed) > LONGEST_NAME)
        return fail(cx, E_INVALID, "name", "must say what the token is for, in at most 100 bytes");
    if (expires_at && expires_at <= cx->now)
        return fail(cx, E_INVALID, "expires", "must be in the future");
    TRY(scope_check(cx, scopes));

    char secret[SECRET_CHARS + CHECK_CHARS + 1] = {0};
    random_base62(secret, SECRET_CHARS);
    write_check(secret, secret + SECRET_CHARS);
    char hash[SHA256_HEX];
    sha256_hex(secret, SECRET_CHARS, hash);
    struct token t = {.person_id = person_id,
                      .name = trimmed,
                      .scopes = scopes,
                      .created_at = cx->now,
                      .expires_at = expires_at};
    TRY(db_tx(cx, create_in_tx, &(struct creation){&t, hash}));

    const char *whole = arena_printf(cx->arena, PREFIX "%lld_%s", (long long)t.id, secret);
    *ret_secret = secret_create(cx->arena, whole, strlen(whole));
    *ret = t;
    return OK;
}

static const struct col token_cols[] = {
    INT_COL(struct token, id),
    INT_COL(struct token, person_id),
    TEXT_COL(struct token, name),
    TEXT_COL(struct token, scopes),
    INT_COL(struct token, created_at),
    INT_COL(struct token, expires_at),
    INT_COL(struct token, used_at),
    INT_COL(struct token, revoked_at),
    {0},
};

enum rc token_list(struct ctx *cx, int64_t person_id, struct list *ret)
{
    if (!manage_is_self(cx, person_id) || !scope_allows(cx->user->scopes, NULL, SCOPE_READ))
        TRY(manage_person(cx, person_id));
    return db_all(cx, SQL_token_list, ARGS(INT("person_id", person_id)), token_cols,
                  sizeof(struct token), ret);
}

static enum rc revoke_in_tx(struct ctx *cx, void *arg)
{
    const struct token *t = arg;
    TRY(check_owner(cx, t->person_id));
    int changed = 0;
    TRY(db_exec(cx, SQL_token_revoke,
                ARGS(INT("id", t->id), INT("person_id", t->person_id), INT("now", cx->now)),
                &changed));
    if (!changed)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such token, or it is revoked");
    return note(cx, "revoke", t->person_id, t->id);
}

enum rc token_revoke(struct ctx *cx, int64_t person_id, int64_t token_id)
{
    return db_tx(cx, revoke_in_tx, &(struct token){.id = token_id, .person_id = person_id});
}

enum rc auth_standing_tokens(struct ctx *cx, const int64_t *ids, int count, struct list *ret)
{
    return db_all(cx, SQL_token_standing, ARGS(IDS("ids", ids, count), INT("now", cx->now)),
                  id_cols, sizeof(struct id_row), ret);
}
