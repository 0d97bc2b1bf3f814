#include "rec/input.h"

#include <string.h>

#include "auth/people.h"
#include "base/str.h"
#include "rec/rec.h"

/* Who or what a reference names, looked up by its kind of field. */
static enum rc find_record(struct ctx *cx, const char *name, int64_t *ret)
{
    struct rec r;
    TRY(rec_load(cx, name, &r));
    *ret = r.id;
    return OK;
}

typedef enum rc (*find_fn)(struct ctx *cx, const char *name, int64_t *ret);

static const struct {
    find_fn find;
    const char *what;
} references[TYPE_COUNT] = {
    [TYPE_PERSON] = {person_find, "person"},
    [TYPE_GROUP] = {group_find, "group"},
    [TYPE_ORGANISATION] = {organisation_find, "organisation"},
    [TYPE_LINK] = {find_record, "record"},
    [TYPE_LINKS] = {find_record, "record"},
};

int64_t input_id_of(void *arg, enum field_type type, const char *name)
{
    struct ctx *cx = arg;
    int64_t id = 0;

    if (references[type].find && references[type].find(cx, name, &id) != OK) {
        fail_clear(cx);
        return 0;
    }
    return id;
}

/* Whether the record is of the process that the field links to. */
static bool leads_there(struct ctx *cx, const struct field *f, int64_t id)
{
    struct rec r;

    return !f->to || (rec_load_id(cx, id, &r) == OK && str_equal(r.process->name, f->to));
}

/* The id of one reference, given as text (login, name, number) or as an id. */
static struct val resolve_one(struct ctx *cx, const struct field *f, struct val v)
{
    const char *name = v.kind == VAL_TEXT ? v.text : NULL;
    int64_t id = 0;

    if (val_is_null(v))
        return v;
    if (v.kind == VAL_INT)
        name = arena_printf(cx->arena, "%lld", (long long)v.i);

    const struct list problems = cx->err.problems;
    if (name && references[f->type].find(cx, name, &id) == OK) {
        if (!leads_there(cx, f, id))
            problem(cx, f->name, "wrong_process", "%s is not of process %s", name, f->to);
        return val_int(id);
    }
    fail_clear(cx);
    cx->err.problems = problems;
    problem(cx, f->name, "unknown_reference", "there is no %s %s", references[f->type].what,
            name ? name : "like this");
    return val_null();
}

static struct val resolve(struct ctx *cx, const struct field *f, struct val v)
{
    if (!references[f->type].find)
        return v;
    if (v.kind != VAL_LIST)
        return resolve_one(cx, f, v);

    struct val *items = arena_array(cx->arena, (size_t)v.count, sizeof(*items));
    for (int i = 0; i < v.count; i++)
        items[i] = resolve_one(cx, f, v.items[i]);
    return (struct val){.kind = VAL_LIST, .count = v.count, .items = items};
}

static const char *suggestion(struct ctx *cx, const struct process *p, const char *name)
{
    const char **names = arena_array(cx->arena, (size_t)p->field_count + 1, sizeof(*names));
    for (int i = 0; i < p->field_count; i++)
        names[i] = p->fields[i].name;
    const char *near = str_nearest(name, names);
    return near ? arena_printf(cx->arena, "; did you mean %s?", near) : "";
}

static void give(struct ctx *cx, struct input *in, int slot, struct val v)
{
    struct given *g = list_add(cx->arena, &in->given, sizeof(*g));
    *g = (struct given){slot, v};
}

/* Texts that go with a change and are no fields of the record. */
static bool read_text(struct ctx *cx, const struct member *m, struct input *in)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"comment", &in->comment},
        {"note", &in->note},
        {"override_reason", &in->override_reason},
    };

    for (int i = 0; i < ARRAY_LEN(texts); i++) {
        if (!str_equal(m->name, texts[i].name))
            continue;
        if (m->val.kind == VAL_TEXT && str_is_utf8(m->val.text, strlen(m->val.text)))
            *texts[i].to = str_is_empty(m->val.text) ? NULL : m->val.text;
        else if (!val_is_null(m->val))
            problem(cx, m->name, "wrong_type", "%s must be a text", m->name);
        return true;
    }
    return false;
}

static enum rc read_map(struct ctx *cx, const struct process *p, struct val in, bool is_stored,
                        struct input *ret)
{
    *ret = (struct input){0};
    if (in.kind != VAL_MAP && !val_is_null(in))
        return fail(cx, E_INVALID, NULL, "fields are given as an object of names and values");

    for (int i = 0; in.kind == VAL_MAP && i < in.count; i++) {
        const struct member *m = &in.members[i];
        const struct field *f = process_field(p, m->name);
        struct val v = m->val;
        if (read_text(cx, m, ret))
            continue;
        if (!f)
            problem(cx, m->name, "unknown_field", "%s has no field %s%s", p->name, m->name,
                    suggestion(cx, p, m->name));
        else if (is_stored || f->is_system)
            give(cx, ret, f->slot, v);
        else if (field_read(cx, f, m->val, &v) == OK)
            give(cx, ret, f->slot, resolve(cx, f, v));
    }
    return OK;
}

enum rc input_read(struct ctx *cx, const struct process *p, struct val in, struct input *ret)
{
    return read_map(cx, p, in, false, ret);
}

enum rc input_stored(struct ctx *cx, const struct process *p, struct val in, struct input *ret)
{
    return read_map(cx, p, in, true, ret);
}
