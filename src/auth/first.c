#include <string.h>

#include "auth/auth.h"
#include "auth/hashing.h"
#include "auth/manage.h"
#include "auth/people.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "first_sql.h"

enum { SECRET_BYTES = 32, LONGEST_SECRET = 128 };

static const int64_t good_for_us = US_PER_DAY;

static enum rc check_nobody_administers(struct ctx *cx)
{
    bool has = false;
    TRY(manage_has_administrator(cx, &has));
    return has ? fail(cx, E_CONFLICT, NULL, "there is an administrator already") : OK;
}

static enum rc add_in_tx(struct ctx *cx, void *arg)
{
    const char *hash = arg;
    TRY(check_nobody_administers(cx));
    TRY(db_exec(cx, SQL_first_forget, ARGS(), NULL));
    return db_exec(cx, SQL_first_add,
                   ARGS(TEXT("hash", hash), INT("expires_at", cx->now + good_for_us)), NULL);
}

enum rc auth_first_secret(struct ctx *cx, struct secret **ret)
{
    const char *secret = random_token(cx->arena, SECRET_BYTES);
    char hash[SHA256_HEX];
    sha256_hex(secret, strlen(secret), hash);
    TRY(db_tx(cx, add_in_tx, hash));
    *ret = secret_create(cx->arena, secret, strlen(secret));
    return OK;
}

struct redemption {
    const char *hash; /* of the link's secret */
    const char *password_hash;
    const struct first_admin *who;
    int64_t person_id;
};

/* Demo data or an import may have made the organisation already. */
static enum rc find_or_create_organisation(struct ctx *cx, const struct first_admin *who,
                                           int64_t *ret)
{
    const struct organisation o = {.name = who->organisation, .language = who->language};
    const enum rc rc = organisation_find(cx, who->organisation, ret);
    return rc == E_NOT_FOUND ? organisation_create(cx, &o, ret) : rc;
}

static enum rc create_all(struct ctx *cx, struct redemption *r)
{
    const struct first_admin *who = r->who;
    struct person p = {
        .login = who->login, .name = who->name, .email = who->email, .language = who->language};
    int64_t grant_id = 0;
    TRY(find_or_create_organisation(cx, who, &p.org_id));
    TRY(person_create(cx, &p, NULL, &p.id));
    TRY(db_exec(cx, SQL_first_set_password, ARGS(INT("id", p.id), TEXT("hash", r->password_hash)),
                NULL));
    TRY(role_give(cx, &(struct role_grant){.role = ROLE_ADMINISTRATOR, .person_id = p.id},
                  &grant_id));
    r->person_id = p.id;
    return OK;
}

/* As the system: nobody else can, yet. */
static enum rc redeem_in_tx(struct ctx *cx, void *arg)
{
    struct redemption *r = arg;
    int changed = 0;
    TRY(db_exec(cx, SQL_first_redeem, ARGS(TEXT("hash", r->hash), INT("now", cx->now)), &changed));
    if (!changed)
        return fail(cx, E_NOT_FOUND, NULL, "this link was used already, or it is over");
    TRY(check_nobody_administers(cx));
    const struct user *before = cx->user;
    cx->user = NULL;
    const enum rc rc = create_all(cx, r);
    cx->user = before;
    return rc;
}

enum rc auth_first_redeem(struct ctx *cx, const char *secret, const struct first_admin *who,
                          int64_t *ret_person)
{
    if (strnlen(secret, LONGEST_SECRET) == LONGEST_SECRET)
        return fail(cx, E_NOT_FOUND, NULL, "this link was used already, or it is over");
    if (str_is_empty(who->organisation))
        return fail(cx, E_INVALID, "organisation", "must not be empty");
    char hash[SHA256_HEX];
    sha256_hex(secret, strlen(secret), hash);
    struct redemption r = {.hash = hash, .who = who};
    TRY(hashing_make_checked(cx, who->password, who->login, who->name, &r.password_hash));
    TRY(db_tx(cx, redeem_in_tx, &r));
    *ret_person = r.person_id;
    return OK;
}
