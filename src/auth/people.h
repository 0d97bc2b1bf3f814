/* people.h - organisations, people, groups and who holds which role.
 *
 * Every change runs in its own transaction, moves the epoch of people, and leaves an event (kind
 * "person", "group", "organisation", "role") without a record. Updates compare revisions: E_STALE.
 * A signed-in user without the right people.view sees people of the own organisation only, and of
 * them name and id. Who holds people.view or people.manage in some organisations sees and manages
 * those, and nobody gives a role, a password or a group that carries a right one does not hold
 * oneself. The route table asks whether the right is held at all; where it counts is decided in
 * here.
 *
 * Logins, e-mail addresses and names are unique as they are folded (case, accents).
 */
#ifndef AUTH_PEOPLE_H
#define AUTH_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"

struct ctx;
struct secret;

struct organisation {
    int64_t id, parent_id; /* 0: none */
    const char *name, *language, *time_zone;
    int64_t retired_at, revision;
};

struct person {
    int64_t id, org_id;
    const char *login, *name, *email, *phone, *language, *time_zone;
    bool is_service;
    int64_t created_at, disabled_at, revision;
};

struct group {
    int64_t id, org_id;
    const char *name, *email;
    int64_t tier, manager_id; /* 0: none */
    int64_t retired_at, revision;
};

struct role_grant {
    int64_t id, person_id, group_id, org_id; /* 0: none; org_id 0: everywhere */
    const char *role;
};

/* A page of people, groups or organisations in the order of their folded names. */
struct people_query {
    const char *words;  /* beginning of name, login or e-mail; NULL: all */
    int64_t org_id;     /* 0: all that the user may see */
    const char *cursor; /* NULL: from the start */
    int limit;          /* 1-500 */
};

enum rc organisation_create(struct ctx *cx, const struct organisation *o, int64_t *ret);
enum rc organisation_update(struct ctx *cx, const struct organisation *o); /* id, revision: which */
enum rc organisation_load(struct ctx *cx, int64_t id, struct organisation *ret);
enum rc organisation_list(struct ctx *cx, const struct people_query *q, struct list *ret,
                          const char **ret_next);

/* password NULL: cannot sign in by one. */
enum rc person_create(struct ctx *cx, const struct person *p, const struct secret *password,
                      int64_t *ret);
enum rc person_update(struct ctx *cx, const struct person *p);
/* At least 12 characters, at most 1024 bytes, not made of the login, the name or a common one;
 * nothing else is asked. Ends the person's other sessions. */
enum rc person_set_password(struct ctx *cx, int64_t id, const struct secret *password);
/* A disabled person cannot sign in; sessions end at once, tokens are refused. */
enum rc person_disable(struct ctx *cx, int64_t id, int64_t revision);
enum rc person_enable(struct ctx *cx, int64_t id, int64_t revision);
enum rc person_load(struct ctx *cx, int64_t id, struct person *ret);
enum rc person_list(struct ctx *cx, const struct people_query *q, struct list *ret,
                    const char **ret_next);

enum rc group_create(struct ctx *cx, const struct group *g, int64_t *ret);
enum rc group_update(struct ctx *cx, const struct group *g);
enum rc group_load(struct ctx *cx, int64_t id, struct group *ret);
enum rc group_list(struct ctx *cx, const struct people_query *q, struct list *ret,
                   const char **ret_next);
enum rc group_members(struct ctx *cx, int64_t group_id, struct list *ret); /* of struct person */
enum rc group_join(struct ctx *cx, int64_t group_id, int64_t person_id);
enum rc group_leave(struct ctx *cx, int64_t group_id, int64_t person_id);

/* The last administrator keeps the role: E_CONFLICT, also for disabling, leaving and retiring.
 * Giving what is held already gives its id. */
enum rc role_give(struct ctx *cx, const struct role_grant *g, int64_t *ret);
enum rc role_take(struct ctx *cx, int64_t grant_id);
enum rc role_list(struct ctx *cx, int64_t person_id, int64_t group_id, struct list *ret);

/* Ids behind names, for input and expressions: a person by login or e-mail, a group or organisation
 * by name; a number in text form is an id. Only what the user may see. E_NOT_FOUND without
 * description. Cached; a change is seen at once on this server, within a second on others. */
enum rc person_find(struct ctx *cx, const char *name, int64_t *ret);
enum rc group_find(struct ctx *cx, const char *name, int64_t *ret);
enum rc organisation_find(struct ctx *cx, const char *name, int64_t *ret);

/* What is shown instead of an id, wherever the id itself may be shown; "?" for unknown. Cached as
 * above. */
struct who {
    int64_t id, org_id;
    const char *name, *login; /* login: NULL for groups and organisations */
    const char *language;     /* of a person or organisation; NULL: none stated */
};
struct who person_who(struct ctx *cx, int64_t id);
struct who group_who(struct ctx *cx, int64_t id);
struct who organisation_who(struct ctx *cx, int64_t id);

#endif
