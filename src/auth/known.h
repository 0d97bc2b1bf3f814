/* known.h - what was read of people, kept until one of them changes.
 *
 * One immutable generation per epoch: users with their roles, organisations with those below, and
 * the names behind ids. It only ever gains entries; when the epoch has moved, the next one begins
 * empty and the old one goes with its last reader. Entries are therefore good for as long as the
 * generation is held, which is until the arena of the context that took it is reset.
 *
 * What a transaction reads may yet be rolled back, so inside one that has changed people there is
 * no generation (NULL) and nothing is kept.
 *
 * Nothing is read from the database while its lock is held: two threads may read the same thing,
 * the first one to keep it wins.
 */
#ifndef AUTH_KNOWN_H
#define AUTH_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/people.h"

struct ctx;
struct known;
struct user;

enum known_kind { KNOWN_PERSON, KNOWN_GROUP, KNOWN_ORGANISATION, KNOWN_KINDS };

/* The generation of that epoch or a later one. */
struct known *known_of_epoch(struct ctx *cx, int64_t epoch);
/* The latest; the epoch itself is read at most once a second, so that a page full of names costs
 * nothing. Changes by this process are seen at once. */
struct known *known_latest(struct ctx *cx);

/* From inside a transaction that changes people: moves the epoch. */
enum rc known_move(struct ctx *cx);

/* All these take NULL for no generation. Keeping copies, and gives what is kept from then on. */
const struct user *known_user(struct known *k, int64_t id);
const struct user *known_keep_user(struct known *k, const struct user *u);

const struct who *known_who(struct known *k, enum known_kind kind, int64_t id);
void known_keep_who(struct known *k, enum known_kind kind, const struct who *w);

int64_t known_id(struct known *k, enum known_kind kind, const char *folded); /* 0: not known */
void known_keep_id(struct known *k, enum known_kind kind, const char *folded, int64_t id);

/* An organisation and all below it, rising. From the database when it is not known. */
enum rc known_below(struct ctx *cx, struct known *k, int64_t org_id, const int64_t **ret,
                    int *ret_count);

#endif
