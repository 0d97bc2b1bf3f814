#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "lang/process.h"
#include "lang/scaled.h"

#define LONGEST_REFERENCE 200           /* a login, a name, a number */
#define MOST_REFERENCES 1000            /* in one field */
#define LONGEST_DURATION_S 3155760000LL /* a hundred years */

/* One fault of the value that was given for f. */
#define REFUSE(code, ...) (problem(cx, f->name, code, __VA_ARGS__), E_INVALID)

/* ---- texts ---------------------------------------------------------------------------------- */

static bool is_blank(const char *s)
{
    return s[strspn(s, " \t\r\n")] == '\0';
}

/* C0, DEL and C1: no text needs them, and terminals and logs obey them. */
static bool has_control(const char *text, const char *allowed)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == 0x7f || (*p < 0x20 && !strchr(allowed, *p)))
            return true;
        if (*p == 0xc2 && p[1] < 0xa0)
            return true;
    }
    return false;
}

/* What browsers send for a new line is CR LF; one is enough. */
static const char *without_returns(struct arena *a, const char *text)
{
    if (!strchr(text, '\r'))
        return text;
    char *copy = arena_strdup(a, text);
    char *to = copy;
    for (const char *from = copy; *from; from++) {
        if (from[0] != '\r' || from[1] != '\n')
            *to++ = *from;
    }
    *to = '\0';
    return copy;
}

static enum rc read_text(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind != VAL_TEXT)
        return REFUSE("type", "must be a text");
    const char *text = f->type == TYPE_LONG_TEXT ? without_returns(cx->arena, in.text) : in.text;
    if ((int64_t)strlen(text) > f->most)
        return REFUSE("too_long", "must not be longer than %lld bytes", (long long)f->most);
    if (f->type == TYPE_TEXT && strpbrk(text, "\r\n"))
        return REFUSE("format", "must be one line");
    if (has_control(text, f->type == TYPE_LONG_TEXT ? "\t\n" : ""))
        return REFUSE("format", "must not contain control characters");
    *ret = is_blank(text) ? val_null() : val_text(text);
    return OK;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static enum rc check_range(struct ctx *cx, const struct field *f, int64_t n)
{
    if (n >= f->least && n <= f->most)
        return OK;
    char least[32], most[32];
    scaled_write(f->least, f->decimals, least);
    scaled_write(f->most, f->decimals, most);
    if (f->most >= SCALED_MOST)
        return REFUSE("range", "must be at least %s", least);
    if (f->least <= -SCALED_MOST)
        return REFUSE("range", "must be at most %s", most);
    return REFUSE("range", "must be between %s and %s", least, most);
}

static enum rc read_number(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    int64_t n = 0;
    bool is_good = false;
    if (in.kind == VAL_INT)
        is_good = scaled_from_int(in.i, f->decimals, &n);
    else if (in.kind == VAL_REAL)
        is_good = scaled_from_real(in.real, f->decimals, &n);
    else if (in.kind == VAL_TEXT)
        is_good = scaled_parse(in.text, f->decimals, &n);
    else
        return REFUSE("type", "must be a number");
    if (!is_good && f->decimals == 0)
        return REFUSE("format", "must be a whole number");
    if (!is_good)
        return REFUSE("format", "must be a number with at most %d decimals", f->decimals);
    TRY(check_range(cx, f, n));
    *ret = val_int(n);
    return OK;
}

static enum rc check_money_members(struct ctx *cx, const struct field *f, struct val in)
{
    for (int i = 0; i < in.count; i++) {
        const char *name = in.members[i].name;
        if (strcmp(name, "amount") != 0 && strcmp(name, "currency") != 0)
            return REFUSE("format", "has amount and currency, not '%s'", name);
    }
    const struct val *currency = val_get(&in, "currency");
    if (currency && (currency->kind != VAL_TEXT || strcmp(currency->text, f->currency) != 0))
        return REFUSE("currency", "must be in %s", f->currency);
    return OK;
}

static enum rc read_money(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind != VAL_MAP)
        return read_number(cx, f, in, ret);
    TRY(check_money_members(cx, f, in));
    const struct val *amount = val_get(&in, "amount");
    if (!amount || amount->kind == VAL_NULL)
        return REFUSE("required", "has no amount");
    return read_number(cx, f, *amount, ret);
}

static enum rc read_flag(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind != VAL_FLAG)
        return REFUSE("type", "must be true or false");
    *ret = in;
    return OK;
}

/* ---- one of a list -------------------------------------------------------------------------- */

static const char *nearest_choice(struct ctx *cx, const struct field *f, const char *typed)
{
    struct list names = {0};
    for (const struct choice *c = f->choices; c->name; c++) {
        if (!c->is_retired)
            *(const char **)list_add(cx->arena, &names, sizeof(char *)) = c->name;
    }
    list_add(cx->arena, &names, sizeof(char *));
    return str_nearest(typed, names.at);
}

static enum rc read_choice(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind != VAL_TEXT)
        return REFUSE("type", "must be one of its choices, as a text");
    for (const struct choice *c = f->choices; c->name; c++) {
        if (strcmp(c->name, in.text) != 0)
            continue;
        if (c->is_retired)
            return REFUSE("retired", "'%s' cannot be chosen any more", c->name);
        *ret = val_text(c->name);
        return OK;
    }
    const char *nearest = nearest_choice(cx, f, in.text);
    if (nearest)
        return REFUSE("choice", "has no choice '%s'; did you mean '%s'?", in.text, nearest);
    return REFUSE("choice", "has no choice '%s'", in.text);
}

static enum rc read_tree(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind != VAL_TEXT)
        return REFUSE("type", "must be a path, as a text");
    for (int i = 0; i < f->tree->count; i++) {
        const struct tree_node *node = &f->tree->nodes[i];
        if (strcmp(node->path, in.text) != 0)
            continue;
        if (node->is_retired)
            return REFUSE("retired", "'%s' cannot be chosen any more", node->path);
        *ret = val_text(node->path);
        return OK;
    }
    return REFUSE("choice", "has no '%s'", in.text);
}

/* ---- time ----------------------------------------------------------------------------------- */

static enum rc read_date(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    int64_t days;
    if (in.kind != VAL_TEXT || !time_parse_date(in.text, &days))
        return REFUSE("format", "must be a date such as 2026-01-31");
    *ret = val_int(days);
    return OK;
}

static enum rc read_instant(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    int64_t at;
    if (in.kind != VAL_TEXT || !time_parse_instant(in.text, &at))
        return REFUSE("format", "must be an instant such as 2026-01-31T09:30:00Z");
    *ret = val_int(at);
    return OK;
}

static enum rc read_duration(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    int64_t us;
    if (in.kind == VAL_INT && in.i >= 0 && in.i <= LONGEST_DURATION_S)
        us = in.i * US_PER_S;
    else if (in.kind != VAL_TEXT || !time_parse_duration(in.text, &us) || us < 0 ||
             us > LONGEST_DURATION_S * US_PER_S)
        return REFUSE("format", "must be a duration such as PT1H30M, or seconds");
    *ret = val_int(us);
    return OK;
}

/* ---- people and records --------------------------------------------------------------------- */

static bool is_reference(struct val v)
{
    if (v.kind == VAL_INT)
        return v.i > 0;
    return v.kind == VAL_TEXT && *v.text && strlen(v.text) <= LONGEST_REFERENCE &&
           !has_control(v.text, "");
}

static enum rc read_reference(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind == VAL_TEXT && is_blank(in.text)) {
        *ret = val_null();
        return OK;
    }
    if (!is_reference(in))
        return REFUSE("type", "must be a name or an id");
    *ret = in;
    return OK;
}

static enum rc read_references(struct ctx *cx, const struct field *f, struct val in,
                               struct val *ret)
{
    if (in.kind != VAL_LIST)
        return REFUSE("type", "must be a list of names or ids");
    if (in.count > MOST_REFERENCES)
        return REFUSE("too_long", "must not have more than %d", MOST_REFERENCES);
    for (int i = 0; i < in.count; i++) {
        if (!is_reference(in.items[i]))
            return REFUSE("type", "must be a list of names or ids");
    }
    *ret = in;
    return OK;
}

/* ---- all ------------------------------------------------------------------------------------ */

static void write_text(struct json *j, const struct field *f, struct val v)
{
    (void)f;
    json_text(j, v.text);
}

static void write_number(struct json *j, const struct field *f, struct val v)
{
    char digits[32];
    scaled_write(v.i, f->decimals, digits);
    json_raw(j, digits);
}

static void write_money(struct json *j, const struct field *f, struct val v)
{
    char digits[32];
    scaled_write(v.i, f->decimals, digits);
    json_open(j, '{');
    json_key(j, "amount"), json_text(j, digits);
    json_key(j, "currency"), json_text(j, f->currency);
    json_close(j, '}');
}

static void write_flag(struct json *j, const struct field *f, struct val v)
{
    (void)f;
    json_flag(j, v.flag);
}

static void write_date(struct json *j, const struct field *f, struct val v)
{
    (void)f;
    json_text(j, time_format_date(j->out->arena, v.i));
}

static void write_instant(struct json *j, const struct field *f, struct val v)
{
    (void)f;
    json_instant(j, v.i);
}

static void write_duration(struct json *j, const struct field *f, struct val v)
{
    (void)f;
    json_text(j, time_format_duration(j->out->arena, v.i));
}

static void write_as_it_is(struct json *j, const struct field *f, struct val v)
{
    (void)f;
    json_val(j, v);
}

static const struct {
    enum rc (*read)(struct ctx *cx, const struct field *f, struct val in, struct val *ret);
    void (*write)(struct json *j, const struct field *f, struct val v);
    enum val_kind kind; /* as stored; a text for names that are not resolved to ids yet */
} types[TYPE_COUNT] = {
    [TYPE_TEXT] = {read_text, write_text, VAL_TEXT},
    [TYPE_LONG_TEXT] = {read_text, write_text, VAL_TEXT},
    [TYPE_NUMBER] = {read_number, write_number, VAL_INT},
    [TYPE_MONEY] = {read_money, write_money, VAL_INT},
    [TYPE_FLAG] = {read_flag, write_flag, VAL_FLAG},
    [TYPE_CHOICE] = {read_choice, write_text, VAL_TEXT},
    [TYPE_TREE] = {read_tree, write_text, VAL_TEXT},
    [TYPE_DATE] = {read_date, write_date, VAL_INT},
    [TYPE_INSTANT] = {read_instant, write_instant, VAL_INT},
    [TYPE_DURATION] = {read_duration, write_duration, VAL_INT},
    [TYPE_PERSON] = {read_reference, write_as_it_is, VAL_INT},
    [TYPE_GROUP] = {read_reference, write_as_it_is, VAL_INT},
    [TYPE_ORGANISATION] = {read_reference, write_as_it_is, VAL_INT},
    [TYPE_LINK] = {read_reference, write_as_it_is, VAL_INT},
    [TYPE_LINKS] = {read_references, write_as_it_is, VAL_LIST},
    [TYPE_PEOPLE] = {read_references, write_as_it_is, VAL_LIST},
};

enum rc field_read(struct ctx *cx, const struct field *f, struct val in, struct val *ret)
{
    if (in.kind == VAL_NULL) {
        *ret = in;
        return OK;
    }
    return types[f->type].read(cx, f, in, ret);
}

void field_write(struct json *j, const struct field *f, struct val v)
{
    if (v.kind == types[f->type].kind)
        types[f->type].write(j, f, v);
    else
        write_as_it_is(j, f, v);
}

/* Where a value stands on an axis; -1: nowhere. */
static int axis_index(const char *const *axis, struct val v)
{
    if (v.kind != VAL_TEXT)
        return -1;
    for (int i = 0; axis[i]; i++) {
        if (strcmp(axis[i], v.text) == 0)
            return i;
    }
    return -1;
}

static int axis_length(const char *const *axis)
{
    int n = 0;
    while (axis[n])
        n++;
    return n;
}

struct val matrix_value(const struct field *f, const struct val *slots)
{
    const struct matrix *m = f->matrix;
    int cell = 0;
    for (int i = 0; m->from[i]; i++) {
        const int at = axis_index(m->axes[i], slots[f->inputs[i]]);
        if (at < 0)
            return val_null();
        cell = cell * axis_length(m->axes[i]) + at;
    }
    const int level = m->cells[cell];
    return level < 0 ? val_null() : val_text(m->levels[level].name);
}
