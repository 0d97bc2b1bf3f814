#include "edge/shape.h"

#include <string.h>

#include "auth/auth.h"
#include "base/str.h"
#include "base/time.h"

/* ---- names ---------------------------------------------------------------------------------- */

static const struct shape *find(const struct shape *shapes, const char *name)
{
    for (const struct shape *s = shapes; s && s->kind; s++) {
        if (str_equal(s->name, name))
            return s;
    }
    return NULL;
}

static void unknown(struct ctx *cx, const struct shape *shapes, const char *field, const char *code,
                    const char *name)
{
    const char *names[64] = {0};
    int count = 0;

    for (const struct shape *s = shapes; s && s->kind && count < ARRAY_LEN(names) - 1; s++)
        names[count++] = s->name;
    const char *near = str_nearest(name, names);
    if (near)
        problem(cx, field, code, "%s is not known here; did you mean %s?", name, near);
    else
        problem(cx, field, code, "%s is not known here", name);
}

static bool is_word_of(const char *words, const char *word)
{
    const size_t len = strlen(word);

    for (const char *s = words; *s;) {
        const size_t n = strcspn(s, " ");
        if (n == len && memcmp(s, word, n) == 0)
            return true;
        s += n + (s[n] == ' ');
    }
    return false;
}

/* ---- one value ------------------------------------------------------------------------------ */

static void check_text(struct ctx *cx, const struct shape *s, const char *field, const char *text)
{
    if (s->choices && !is_word_of(s->choices, text))
        problem(cx, field, "unknown_choice", "%s must be one of: %s", field, s->choices);
    else if (s->most && strlen(text) > (size_t)s->most)
        problem(cx, field, "too_long", "%s may have at most %lld bytes", field, (long long)s->most);
    else if (s->is_required && !*text)
        problem(cx, field, "required", "%s must not be empty", field);
}

static void check_int(struct ctx *cx, const struct shape *s, const char *field, int64_t n)
{
    if ((s->least || s->most) && (n < s->least || n > s->most))
        problem(cx, field, "out_of_range", "%s must be from %lld to %lld", field,
                (long long)s->least, (long long)s->most);
}

/* What is sent as text: an id, an instant. */
static bool reads_as(enum shape_kind kind, const char *text)
{
    int64_t n;
    return kind == SHAPE_ID ? str_to_int(text, &n) && n > 0 : time_parse_instant(text, &n);
}

static const struct {
    enum val_kind val;
    const char *what;
} kinds[] = {
    [SHAPE_TEXT] = {VAL_TEXT, "a text"},
    [SHAPE_SECRET] = {VAL_TEXT, "a text"},
    [SHAPE_INT] = {VAL_INT, "a whole number"},
    [SHAPE_FLAG] = {VAL_FLAG, "true or false"},
    [SHAPE_INSTANT] = {VAL_TEXT, "an instant such as 2026-03-01T08:00:00Z"},
    [SHAPE_ID] = {VAL_TEXT, "an id, a text of digits"},
    [SHAPE_MAP] = {VAL_MAP, "an object"},
    [SHAPE_OBJECT] = {VAL_MAP, "an object"},
    [SHAPE_CREATE] = {VAL_MAP, "an object of fields"},
    [SHAPE_INPUT] = {VAL_MAP, "an object of fields"},
};

static void check_members(struct ctx *cx, const struct shape *shapes, const struct val *map,
                          const char *prefix);

static void check_one(struct ctx *cx, const struct shape *s, const struct val *v, const char *field)
{
    if (val_is_null(*v) && s->is_nullable)
        return;
    if (s->kind == SHAPE_ANY)
        return;
    if (v->kind != kinds[s->kind].val) {
        problem(cx, field, "wrong_type", "%s must be %s", field, kinds[s->kind].what);
        return;
    }
    if (s->kind == SHAPE_TEXT || s->kind == SHAPE_SECRET)
        check_text(cx, s, field, v->text);
    else if (s->kind == SHAPE_INT)
        check_int(cx, s, field, v->i);
    else if (s->kind == SHAPE_OBJECT)
        check_members(cx, s->of, v, field);
    else if ((s->kind == SHAPE_ID || s->kind == SHAPE_INSTANT) && !reads_as(s->kind, v->text))
        problem(cx, field, "wrong_type", "%s must be %s", field, kinds[s->kind].what);
}

static void check_list(struct ctx *cx, const struct shape *s, const struct val *v,
                       const char *field)
{
    if (v->kind != VAL_LIST) {
        problem(cx, field, "wrong_type", "%s must be a list", field);
        return;
    }
    if (s->most && v->count > s->most)
        problem(cx, field, "too_long", "%s may have at most %lld items", field, (long long)s->most);
    struct shape item = *s;
    item.most = s->kind == SHAPE_TEXT ? 0 : s->most;
    for (int i = 0; i < v->count; i++)
        check_one(cx, &item, &v->items[i], arena_printf(cx->arena, "%s.%d", field, i));
}

static const char *dotted(struct ctx *cx, const char *prefix, const char *name)
{
    return prefix ? arena_printf(cx->arena, "%s.%s", prefix, name) : name;
}

static void check_members(struct ctx *cx, const struct shape *shapes, const struct val *map,
                          const char *prefix)
{
    for (int i = 0; i < map->count; i++) {
        const struct member *m = &map->members[i];
        const struct shape *s = find(shapes, m->name);
        const char *field = dotted(cx, prefix, m->name);
        if (!s)
            unknown(cx, shapes, field, "unknown_field", m->name);
        else if (s->is_list)
            check_list(cx, s, &m->val, field);
        else
            check_one(cx, s, &m->val, field);
    }
    for (const struct shape *s = shapes; s->kind; s++) {
        if (s->is_required && !val_get(map, s->name))
            problem(cx, dotted(cx, prefix, s->name), "required", "%s is needed",
                    dotted(cx, prefix, s->name));
    }
}

enum rc shape_check(struct ctx *cx, const struct shape *shapes, const struct val *body)
{
    if (body->kind != VAL_MAP)
        return fail(cx, E_INVALID, NULL, "the body must be a JSON object");
    if (shapes->name)
        check_members(cx, shapes, body, NULL);
    return problems_rc(cx);
}

/* ---- query parameters ----------------------------------------------------------------------- */

static void check_param(struct ctx *cx, const struct shape *s, const struct http_pair *p)
{
    struct val v = val_text(p->value);
    int64_t n;

    if (s->is_list) /* words with commas between; their reader knows them */
        return;
    if (s->kind == SHAPE_INT && str_to_int(p->value, &n))
        v = val_int(n);
    if (s->kind == SHAPE_FLAG && str_in(p->value, (const char *const[]){"true", "false", NULL}))
        v = val_flag(p->value[0] == 't');
    check_one(cx, s, &v, p->name);
}

enum rc shape_check_query(struct ctx *cx, const struct shape *shapes, const struct request *rq)
{
    const struct http_pair *pairs = rq->query.at;

    for (int i = 0; i < rq->query.count; i++) {
        const struct shape *s = find(shapes, pairs[i].name);
        if (!s)
            unknown(cx, shapes, pairs[i].name, "unknown_parameter", pairs[i].name);
        else if (request_query(rq, pairs[i].name) != pairs[i].value)
            problem(cx, s->name, "repeated", "%s may be given once", s->name);
        else
            check_param(cx, s, &pairs[i]);
    }
    for (const struct shape *s = shapes; s && s->kind; s++) {
        if (s->is_required && !request_query(rq, s->name))
            problem(cx, s->name, "required", "%s is needed", s->name);
    }
    return problems_rc(cx);
}

int64_t query_int(const struct request *rq, const char *name, int64_t otherwise)
{
    const char *s = request_query(rq, name);
    int64_t n;
    return s && str_to_int(s, &n) ? n : otherwise;
}

bool query_flag(const struct request *rq, const char *name)
{
    return str_equal(request_query(rq, name), "true");
}

bool query_has(const struct request *rq, const char *name, const char *word)
{
    const char *s = request_query(rq, name);
    const size_t len = strlen(word);

    while (s && *s) {
        const size_t n = strcspn(s, ",");
        if (n == len && memcmp(s, word, n) == 0)
            return true;
        s += n + (s[n] == ',');
    }
    return false;
}

/* ---- members of the body -------------------------------------------------------------------- */

const char *body_text(const struct call *c, const char *name)
{
    return val_get_text(&c->body, name);
}

int64_t body_id(const struct call *c, const char *name)
{
    const char *s = body_text(c, name);
    int64_t n = 0;
    return s && str_to_int(s, &n) ? n : 0;
}

int64_t body_int(const struct call *c, const char *name)
{
    const struct val *v = val_get(&c->body, name);
    return v && v->kind == VAL_INT ? v->i : 0;
}

bool body_flag(const struct call *c, const char *name)
{
    const struct val *v = val_get(&c->body, name);
    return v && v->kind == VAL_FLAG && v->flag;
}

int64_t body_instant(const struct call *c, const char *name)
{
    const char *s = body_text(c, name);
    int64_t at = 0;
    return s && time_parse_instant(s, &at) ? at : 0;
}

bool body_has(const struct call *c, const char *name)
{
    return val_get(&c->body, name);
}

enum rc path_id(struct ctx *cx, const struct call *c, const char *name, int64_t *ret)
{
    const char *s = request_param(c->request, name);
    int64_t n;

    if (str_equal(s, "me") && cx->user && cx->user->id) {
        *ret = cx->user->id;
        return OK;
    }
    if (!str_to_int(s, &n) || n <= 0)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such thing");
    *ret = n;
    return OK;
}
