/* auth.h - who somebody is, and what they may do. The only place that says yes or no.
 *
 * Everyone who acts is a struct user: found by session, by token or by the local socket, always
 * through the same functions and with the same checks (not disabled, not expired). What a user may
 * do comes from
 *   - roles, held in an organisation and those below it or everywhere, directly or by a group;
 *   - relations to the record at hand: caller, assignee, member of its group, watcher, same
 *     organisation. An `allow` list of a process file names roles and relations; nobody else may.
 *
 * NULL as user is the system itself (timers, cascades): it has the word `system` and sees
 * everything. So whoever works for somebody else starts with auth_as_nobody().
 *
 * A role held in one organisation says nothing about another that is not below it. What a user
 * holds is read once and kept until the epoch of people moves, which every change to people, groups
 * and roles does in its transaction; sessions and tokens are looked up each time, and the same
 * statement reads the epoch. So a change counts from the next request on, on every server.
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
    int64_t org_id;      /* with all below it; 0: everywhere */
    const int64_t *orgs; /* org_id and all below it, rising; NULL: everywhere */
    int org_count;
    int64_t group_id; /* held as its member; 0: in person */
};

enum user_kind {
    USER_NOBODY,   /* not signed in: holds nothing */
    USER_OPERATOR, /* on the server itself: every role and right; id 0 */
    USER_PERSON,
};

struct user {
    enum user_kind kind;
    int64_t id;
    int64_t org_id;
    const char *login, *name;
    const char *language, *time_zone; /* own or of the organisation; NULL: the server's */
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

/* This role is kept by at least one person, everywhere; roles.yaml gives it all rights. */
#define ROLE_ADMINISTRATOR "administrator"

/* Rights beyond records, given by roles (roles.yaml). A row of the route table names one of them,
 * or one of: */
#define ALLOW_PUBLIC "public" /* no sign-in */
#define ALLOW_USER "user"     /* any signed-in user; the record door decides the rest */

/* E_UNAUTHENTICATED, or E_DENIED naming the right. Honours a token's scopes (is_write). */
enum rc auth_may_use(struct ctx *cx, const char *allow, bool is_write);
/* Rights over people may be held in some organisations only (auth_right_reach says in which); all
 * others concern the whole server and count only when held everywhere. */
bool auth_has_right(const struct ctx *cx, const char *right);

struct right_info {
    const char *name;
    bool is_scoped; /* means something when held in one organisation */
    bool is_write;  /* a token needs the scope write */
    const char *help;
};
extern const struct right_info auth_rights[]; /* all that exist, name NULL at the end */

/* ---- records -------------------------------------------------------------------------------- */

/* What of a record decides who may do what with it. */
struct subject {
    const struct process *process;
    int64_t record_id; /* 0: about to be created */
    int64_t org_id, caller_id, opened_by_id, assignee_id, group_id;
    bool is_watched; /* by cx->user; filled by whoever loads the record */
};

/* May cx->user? For seeing as well as for doing; honours a token's scopes. */
bool auth_holds(const struct ctx *cx, const struct subject *s, enum right right);
/* The same as a failure: E_NOT_FOUND when the user may not even view the record, else E_DENIED. */
enum rc auth_check(struct ctx *cx, const struct subject *s, enum right right);

/* For actions, as flow asks: the words of `allow` lists that hold for cx->user and this record,
 * NULL at the end. None through a token that may only read this process; so for seeing ask
 * auth_holds().
 */
const char *const *auth_words(struct ctx *cx, const struct subject *s);
bool auth_allows(const char *const *allow, const char *const *words);

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
struct reach auth_right_reach(struct ctx *cx, const char *right); /* is_all and orgs alone */
bool reach_is_empty(const struct reach *r);
bool reach_covers(const struct ctx *cx, const struct reach *r, const struct subject *s);
bool reach_has_org(const struct reach *r, int64_t org_id); /* is_all or orgs alone; 0: everywhere */

/* Why: one sentence for each word of the list, whether it holds and by what. who NULL: the system.
 */
enum rc auth_explain(struct ctx *cx, const struct user *who, const struct subject *s,
                     const char *const *allow, struct list *ret); /* of const char * */

/* ---- signing in ----------------------------------------------------------------------------- */

/* Session limits, for all threads; before they start. Without it: 30 minutes idle, 12 hours. */
void auth_setup(const struct settings *settings);

struct session {
    int64_t id;
    struct secret *secret; /* for the cookie; only from auth_login, NULL else */
    const char *csrf;
    int64_t created_at, used_at, expires_at;
    const char *peer, *agent;
};

/* Local sign-in by login or e-mail. Counts the attempt before it verifies, so parallel guesses
 * cannot beat the limit: after 5 failures in 15 minutes a person waits longer each time, and a peer
 * (NULL: not known) may try 30 times a minute; then E_LIMIT. Unknown names cost the same work and
 * are limited alike. At most 4 hashes at once; more wait, or E_BUSY. Wrong: E_UNAUTHENTICATED,
 * always in the same words. Sets cx->user. */
enum rc auth_login(struct ctx *cx, const char *login, const struct secret *password,
                   const char *peer, const char *agent, struct session *ret,
                   const struct user **ret_user);
/* Is this the password of cx->user? Asked again before tokens and passwords change; counted and
 * limited as a sign-in. */
enum rc auth_confirm(struct ctx *cx, const struct secret *password);

/* The own ones, or those of people one may manage; E_NOT_FOUND otherwise. */
enum rc auth_logout(struct ctx *cx, int64_t session_id);
enum rc auth_sessions(struct ctx *cx, int64_t person_id, struct list *ret); /* of struct session */

/* cx->user from what the request shows; E_UNAUTHENTICATED when it is not good (any more). */
enum rc auth_by_session(struct ctx *cx, const char *cookie);
enum rc auth_by_token(struct ctx *cx, const char *token);
enum rc auth_by_person(struct ctx *cx, int64_t person_id); /* jobs on behalf; no session */
void auth_as_nobody(struct ctx *cx);   /* holds nothing; where every request begins */
void auth_as_operator(struct ctx *cx); /* the local socket: every role and right */

/* Which of these still stand, for who holds on to them for long, as open streams do; asking is no
 * use of them. ret: of int64_t, rising. */
enum rc auth_standing_sessions(struct ctx *cx, const int64_t *ids, int count, struct list *ret);
enum rc auth_standing_tokens(struct ctx *cx, const int64_t *ids, int count, struct list *ret);

/* Remove what is over: sessions, links, attempts. Once an hour is enough. */
enum rc auth_sweep(struct ctx *cx);

/* API tokens: fettle_pat_<id>_<secret><crc>; only the hash is kept. Scopes, by space: read, write
 * (which includes read), and for the records of one process <process>:read, <process>:write. Tokens
 * neither make tokens nor set passwords. */
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
    int64_t limit, left;
    int64_t reset_us; /* until the bucket is full again; when refused: until the next one */
};
bool auth_rate(struct ctx *cx, const char *principal, int64_t per_minute, struct rate *ret);

#endif
