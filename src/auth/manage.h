/* manage.h - who may see and change which people, and how a change is written down; inside auth
 * only.
 *
 * Two rules keep a manager of people in one organisation from becoming more than that. What one
 * manages must lie in an organisation where one holds people.manage; and one can only give, take,
 * or get hold of (by a password, a mail address, a group) rights that one holds there oneself.
 */
#ifndef AUTH_MANAGE_H
#define AUTH_MANAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "base/val.h"

struct ctx;

bool manage_is_self(const struct ctx *cx, int64_t person_id);

/* Is what belongs to this organisation shown with its details, with its name alone, or not at all?
 */
enum sight { SIGHT_NONE, SIGHT_NAME, SIGHT_ALL };
enum sight manage_sight(struct ctx *cx, int64_t org_id);

/* E_NOT_FOUND when it may not be seen, E_DENIED when it may not be changed. */
enum rc manage_org(struct ctx *cx, int64_t org_id);
enum rc manage_person(struct ctx *cx, int64_t person_id);
enum rc manage_group(struct ctx *cx, int64_t group_id);
enum rc manage_role(struct ctx *cx, const char *role, int64_t org_id); /* 0: everywhere */
/* All that a group's roles give. */
enum rc manage_group_roles(struct ctx *cx, int64_t group_id);

/* What a row refers to must be there and be seen: E_NOT_FOUND becomes E_INVALID of that field,
 * other failures stay what they are. */
enum rc manage_reference(struct ctx *cx, enum rc rc, const char *field);
/* The organisation of something new, or of something that moves: is it there, and managed? */
enum rc manage_org_of(struct ctx *cx, int64_t org_id, const char *field);

/* What must be unique is somebody else's: E_INVALID with the code "taken". */
enum rc manage_taken(struct ctx *cx, const char *field, const char *whose);

/* Inside a transaction: moves the epoch and appends the event {id, changes}. */
enum rc manage_changed(struct ctx *cx, const char *kind, const char *action, int64_t id,
                       struct val changes);

/* Inside a transaction that may cost somebody the role of administrator: is anybody left? Asked
 * before (then ret_had says whether there was one) and after. */
enum rc manage_has_administrator(struct ctx *cx, bool *ret);
enum rc manage_keeps_administrator(struct ctx *cx, bool had);

#endif
