#include "auth/attrs.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "lang/zone.h"

static const char *const *text_of(const struct attr *attr, const void *row)
{
    return (const void *)((const char *)row + attr->offset);
}

static int64_t number_of(const struct attr *attr, const void *row)
{
    const void *at = (const char *)row + attr->offset;
    return attr->kind == ATTR_FLAG ? *(const bool *)at : *(const int64_t *)at;
}

/* Names go into mails, logs and pages as one line. */
static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static void check_text(struct ctx *cx, const struct attr *attr, const char *s)
{
    if (!s) {
        if (attr->is_required)
            problem(cx, attr->name, "required", "must not be empty");
        return;
    }
    const char *fault = has_control(s) ? "must be one line" : NULL;
    if (!fault && attr->fault)
        fault = attr->fault(s);
    if (strlen(s) > attr->most_bytes)
        problem(cx, attr->name, "too_long", "must be at most %zu bytes long", attr->most_bytes);
    else if (fault)
        problem(cx, attr->name, "invalid", "%s", fault);
}

enum rc attrs_clean(struct ctx *cx, const struct attr *attrs, void *row)
{
    const int before = cx->err.problems.count; /* of something else: not this row's fault */
    for (const struct attr *attr = attrs; attr->kind; attr++) {
        if (attr->kind == ATTR_TEXT) {
            const char **text = (const char **)((char *)row + attr->offset);
            const char *trimmed = *text ? str_trim(cx->arena, *text) : NULL;
            *text = str_is_empty(trimmed) ? NULL : trimmed;
            check_text(cx, attr, *text);
        } else if (attr->is_required && !number_of(attr, row)) {
            problem(cx, attr->name, "required", "must be given");
        }
    }
    return cx->err.problems.count > before ? problems_rc(cx) : OK;
}

static struct val value_of(const struct attr *attr, const void *row)
{
    if (!row)
        return val_null();
    if (attr->kind == ATTR_TEXT)
        return val_text(*text_of(attr, row));
    const int64_t n = number_of(attr, row);
    if (attr->kind == ATTR_FLAG)
        return val_flag(n);
    return n ? val_int(n) : val_null();
}

struct val attrs_changes(struct ctx *cx, const struct attr *attrs, const void *before,
                         const void *after)
{
    struct val_map changes = {0};
    for (const struct attr *attr = attrs; attr->kind; attr++) {
        struct val *pair = arena_array(cx->arena, 2, sizeof(*pair));
        pair[0] = value_of(attr, before);
        pair[1] = value_of(attr, after);
        if (!val_equal(pair[0], pair[1]))
            val_map_set(cx->arena, &changes, attr->name,
                        (struct val){.kind = VAL_LIST, .count = 2, .items = pair});
    }
    return changes.count ? val_from_map(&changes) : val_null();
}

enum rc attr_check_zone(struct ctx *cx, const char *name)
{
    const struct zone *zone;
    if (!name || zone_load(cx, name, &zone) == OK)
        return OK;
    return fail(cx, E_INVALID, "time_zone", "is no time zone; they are called as Europe/Paris");
}

/* ---- what a text may be
 * ------------------------------------------------------------------------*/

static bool is_made_of(const char *s, const char *others)
{
    for (; *s; s++) {
        const bool is_letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        const bool is_digit = *s >= '0' && *s <= '9';
        if (!is_letter && !is_digit && !strchr(others, *s))
            return false;
    }
    return true;
}

static bool is_number(const char *s)
{
    return s[strspn(s, "0123456789")] == '\0';
}

/* The login is folded before; what is beyond ASCII then is a letter of another script. */
const char *attr_login_fault(const char *s)
{
    for (const char *at = s; *at; at++)
        if ((unsigned char)*at < 0x80 && !is_made_of((const char[]){*at, '\0'}, ".-_@+"))
            return "may hold letters, digits, and . - _ @ +";
    return attr_name_fault(s);
}

/* As much of RFC 5321 as tells typing faults; the one proof of an address is a mail to it. */
const char *attr_email_fault(const char *s)
{
    const char *at = strchr(s, '@');
    const bool is_good = at && at != s && at[1] && !strchr(at + 1, '@') &&
                         !strpbrk(s, " ,;<>\"()") && at[1] != '.' && !str_ends(s, ".");
    return is_good ? NULL : "must be one mail address, such as anna@example.org";
}

const char *attr_language_fault(const char *s)
{
    return is_made_of(s, "-") && strlen(s) >= 2 ? NULL : "must be a language tag, such as en or fr";
}

const char *attr_time_zone_fault(const char *s)
{
    return is_made_of(s, "/_+-") ? NULL : "must be a time zone, such as Europe/Paris";
}

const char *attr_name_fault(const char *s)
{
    return is_number(s) ? "must not be a number" : NULL;
}
