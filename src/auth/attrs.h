/* attrs.h - what people, groups and organisations are made of, as tables; inside auth only.
 *
 * A table says of each attribute where it stands in its struct, what it may be, and under which
 * name forms, problems and events know it. Checking and comparing need nothing else.
 */
#ifndef AUTH_ATTRS_H
#define AUTH_ATTRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"
#include "base/val.h"

struct ctx;

enum attr_kind { ATTR_END, ATTR_TEXT, ATTR_INT, ATTR_FLAG };

struct attr {
    enum attr_kind kind;
    const char *name;
    size_t offset;
    size_t most_bytes;                  /* of a text */
    bool is_required;                   /* a text must be there, a number must not be 0 */
    const char *(*fault)(const char *); /* of a text that is there: what is wrong, or NULL */
};

/* Texts without white space around them, empty ones as NULL; E_INVALID with a problem for each
 * fault. row is the caller's own copy. */
enum rc attrs_clean(struct ctx *cx, const struct attr *attrs, void *row);

/* {name: [before, after]} of what differs, VAL_NULL when nothing does. before NULL: from nothing.
 */
struct val attrs_changes(struct ctx *cx, const struct attr *attrs, const void *before,
                         const void *after);

/* Does the server know this zone? NULL is fine. E_INVALID with the field time_zone. */
enum rc attr_check_zone(struct ctx *cx, const char *name);

const char *attr_login_fault(const char *s);
const char *attr_email_fault(const char *s);
const char *attr_language_fault(const char *s);
const char *attr_time_zone_fault(const char *s);
const char *attr_name_fault(const char *s); /* of what is found by name: not a number */

#endif
