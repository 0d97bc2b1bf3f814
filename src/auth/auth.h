/* auth.h - who somebody is, and what they may do. The only place that says yes or no.
 *
 * Everyone who acts is a struct user: found by session, by token or by the local socket, always
 * through the same functions and with the same checks (not disabled, not expired). What a user may
 * do comes from
 *   - roles, held in an organisation and those below it or everywhere, directly or by a group;
 *   - relations to the record at hand: caller, assignee, member of its group, watcher, same
 * organisation. An `allow` list of a process file names roles and relations; nobody else may. NULL
 * as user is the system itself (timers, cascades): it has the word `system` and sees everything.
 *
 * A user is immutable and shared: it is read once and kept until the epoch of people moves, which
 * every change to people, groups, roles does in its transaction. Sessions and tokens are looked up
 * each time.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"
#include "lang/process.h"

struct ctx;
struct secret;
struct settings;

/* ---- users ---------------------------------------------------------------------------------- */

struct held_role {
    const char *role;
    int64_t org_id; /* with all below it; 0: everywhere */
};

struct user {
    int64_t id;
    int64_t org_id;
    const char *login, *name;
    const char *language, *time_zone; /* NULL: the server's */
    const struct held_role *roles;
    int role_count;
    const int64_t *groups;
    int group_count;
    bool is_service;
    /* How this request was authenticated. */
    int64_t session_id; /* 0: not by session */
    int64_t token_id;   /* 0: not by token */
    const char *csrf;   /* of the session, or NULL */
    const char *scopes; /* of the token, or NULL: all */
};

/* Rights beyond records, given by roles (roles.yaml): "people.view", "people.manage",
 * "process.view", "process.activate", "job.manage", "system.view", "event.view_all", ... A row of
 * the route table names one of them, or one of: */
#define ALLOW_PUBLIC "public" /* no sign-in */
#define ALLOW_USER "user"     /* any signed-in user; the record door decides the rest */

/* E_UNAUTHENTICATED, or E_DENIED naming the right. Honours a token's scopes (is_write). */
enum rc auth_may_use(struct ctx *cx, const char *allow, bool is_write);
bool auth_has_right(const struct ctx *cx, const char *right);
extern const char
    *const auth_rights[]; /* all that exist, NULL at the end; files are checked for them */

/* ---- records -------------------------------------------------------------------------------- */

/* What of a record decides who may do what with it. */
struct subject {
    const struct process *process;
    int64_t record_id; /* 0: about to be created */
    int64_t org_id, caller_id, opened_by_id, assignee_id, group_id;
    bool is_watched; /* by cx->user; filled by whoever loads the record */
};

/* The words of `allow` lists that hold for cx->user and this record, NULL at the end. */
const char *const *auth_words(struct ctx *cx, const struct subject *s);
bool auth_allows(const char *const *allow, const char *const *words);

/* E_NOT_FOUND when the user may not even view the record, else E_DENIED. */
enum rc auth_check(struct ctx *cx, const struct subject *s, enum right right);

/* Which records of a process a right reaches, as one shape for lists, counts, feeds and search: SQL
 * is made from it in rec_list.c, and reach_covers() says the same of one record in memory. */
struct reach {
    bool is_all;
    const int64_t *orgs; /* in these organisations (already with those below) */
    int org_count;
    bool as_caller, as_opened_by, as_assignee, as_watcher;
    bool as_group; /* records of the user's groups */
};
struct reach auth_reach(struct ctx *cx, const struct process *p, enum right right);
bool reach_is_empty(const struct reach *r);
bool reach_covers(const struct ctx *cx, const struct reach *r, const struct subject *s);

/* Why: one sentence per word that holds or does not, for "why may they". */
enum rc auth_explain(struct ctx *cx, const struct user *who, const struct subject *s,
                     const char *const *allow, struct list *ret); /* of const char * */

/* ---- signing in ----------------------------------------------------------------------------- */

struct session {
    int64_t id;
    struct secret *secret; /* for the cookie; only from auth_login */
    const char *csrf;
    int64_t created_at, used_at, expires_at;
    const char *peer, *agent;
};

/* Local sign-in. Counts the attempt before it verifies, so parallel guesses cannot beat the limit:
 * after 5 failures in 15 minutes a name waits longer each time, and a peer may try 30 times a
 * minute; then E_LIMIT. Unknown names cost the same work. At most 4 hashes at once; more wait, or
 * E_BUSY. */
enum rc auth_login(struct ctx *cx, const char *login, const struct secret *password,
                   const char *peer, const char *agent, struct session *ret,
                   const struct user **ret_user);
enum rc auth_logout(struct ctx *cx, int64_t session_id);
enum rc auth_sessions(struct ctx *cx, int64_t person_id, struct list *ret); /* of struct session */

/* cx->user from what the request shows; E_UNAUTHENTICATED when it is not good (any more). */
enum rc auth_by_session(struct ctx *cx, const char *cookie);
enum rc auth_by_token(struct ctx *cx, const char *token);
enum rc auth_by_person(struct ctx *cx, int64_t person_id); /* jobs on behalf; no session */
/* The operator on the local socket: a user with every right, person id 0, name "operator". */
void auth_as_operator(struct ctx *cx);

/* API tokens: fettle_pat_<id>_<secret><crc>; only the hash is kept. */
struct token {
    int64_t id, person_id;
    const char *name, *scopes;
    int64_t created_at, expires_at, used_at, revoked_at; /* 0: never */
};
enum rc token_create(struct ctx *cx, int64_t person_id, const char *name, const char *scopes,
                     int64_t expires_at, struct token *ret, struct secret **ret_secret);
enum rc token_list(struct ctx *cx, int64_t person_id, struct list *ret); /* of struct token */
enum rc token_revoke(struct ctx *cx, int64_t person_id, int64_t token_id);

/* The first administrator: a one-time secret made when nobody can administer, good for 24 hours;
 * E_CONFLICT when there is an administrator. Redeeming creates the person and grants the role. */
enum rc auth_first_secret(struct ctx *cx, struct secret **ret);
struct first_admin {
    const char *organisation, *name, *login, *email, *language;
    const struct secret *password;
};
enum rc auth_first_redeem(struct ctx *cx, const char *secret, const struct first_admin *who,
                          int64_t *ret_person);

/* ---- requests a minute ---------------------------------------------------------------------- */

/* A token bucket per principal, in memory. False: refuse, and say when to come back. */
struct rate {
    int64_t limit, left, reset_us;
};
bool auth_rate(struct ctx *cx, const char *principal, int64_t per_minute, struct rate *ret);

#endif
