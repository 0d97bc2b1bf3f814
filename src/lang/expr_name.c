/* Names in an expression: fields of the scope, choices, paths of trees, and what only the database
 * knows. A name that is none of them is a fault that says which one is near. */
#include "lang/expr_node.h"

#include "base/ctx.h"
#include "base/str.h"
#include "lang/words.h"

const struct field *scope_field(const struct expr_scope *s, const char *name)
{
    for (int i = 0; i < s->count; i++) {
        if (str_equal(s->fields[i]->name, name))
            return s->fields[i];
    }
    return NULL;
}

static const char *nearest_field(struct parser *p, const char *name)
{
    const struct expr_scope *s = p->scope;
    const char **names = arena_array(p->arena, (size_t)s->count + 1, sizeof(*names));
    for (int i = 0; i < s->count; i++)
        names[i] = s->fields[i]->name;
    return str_nearest(name, names);
}

bool name_is_nearly_field(struct parser *p, const char *name)
{
    return nearest_field(p, name) != NULL;
}

enum rc name_unknown_field(struct parser *p, const char *name, int at, int len)
{
    const char *near = nearest_field(p, name);
    if (near)
        return expr_fault_at(p, at, len, "there is no field \"%s\"; did you mean \"%s\"?", name,
                             near);
    return expr_fault_at(p, at, len, "there is no field \"%s\"", name);
}

/* ---- choices -------------------------------------------------------------------------------- */

static enum rc unknown_choice(struct parser *p, const struct field *f, const char *text, int at,
                              int len, const char *const *names)
{
    const char *near = str_nearest(text, names);
    if (near)
        return expr_fault_at(p, at, len, "%s has no choice \"%s\"; did you mean \"%s\"?", f->name,
                             text, near);
    if (names[0] && names[1])
        return expr_fault_at(p, at, len, "%s has no choice \"%s\"; it has \"%s\", \"%s\"%s",
                             f->name, text, names[0], names[1], names[2] ? ", ..." : "");
    return expr_fault_at(p, at, len, "%s has no choice \"%s\"", f->name, text);
}

static int count_choices(const struct field *f)
{
    int n = 0;
    while (f->choices && f->choices[n].name)
        n++;
    return n;
}

/* A choice by its name, or by its place in the list: priority <= 2. */
static enum rc choice_value(struct parser *p, const struct field *f, const char *text, int at,
                            int len, struct node **ret)
{
    const int count = count_choices(f);
    int64_t place;
    int rank = choice_rank(f, text);
    if (!rank && str_to_int(text, &place)) {
        if (place < 1 || place > count)
            return expr_fault_at(p, at, len, "%s has %d choices, so its places are 1 to %d",
                                 f->name, count, count);
        rank = (int)place;
    }
    if (rank) {
        *ret = node_const(p, f, val_text(f->choices[rank - 1].name), at, len);
        return OK;
    }

    const char **names = arena_array(p->arena, (size_t)count + 1, sizeof(*names));
    for (int i = 0; i < count; i++)
        names[i] = f->choices[i].name;
    return unknown_choice(p, f, text, at, len, names);
}

static enum rc tree_value(struct parser *p, const struct field *f, const char *text, int at,
                          int len, struct node **ret)
{
    const int count = f->tree ? f->tree->count : 0;
    const char **paths = arena_array(p->arena, (size_t)count + 1, sizeof(*paths));
    for (int i = 0; i < count; i++) {
        paths[i] = f->tree->nodes[i].path;
        if (str_equal(paths[i], text)) {
            *ret = node_const(p, f, val_text(paths[i]), at, len);
            return OK;
        }
    }
    return unknown_choice(p, f, text, at, len, paths);
}

/* ---- everything else ------------------------------------------------------------------------ */

static const enum field_type single_types[TYPE_COUNT] = {
    [TYPE_PERSON] = TYPE_PERSON, [TYPE_PEOPLE] = TYPE_PERSON,
    [TYPE_GROUP] = TYPE_GROUP,   [TYPE_ORGANISATION] = TYPE_ORGANISATION,
    [TYPE_LINK] = TYPE_LINK,     [TYPE_LINKS] = TYPE_LINK,
};

static enum rc instant_value(struct parser *p, enum field_type type, const char *text, int at,
                             int len, struct node **ret)
{
    struct lexer l;
    lex_init(&l, p->arena, text);
    const struct token t = l.token;
    lex_next(&l);
    if (l.token.kind != TOKEN_END || (t.kind != TOKEN_DATE && t.kind != TOKEN_INSTANT))
        return expr_fault_at(p, at, len, "%s is written 2026-01-31%s",
                             type_noun(&(struct node){.like = type_like[type]}),
                             type == TYPE_INSTANT ? " or 2026-01-31T13:45:00Z" : "");
    *ret = node_int(p, t.kind == TOKEN_DATE ? TYPE_DATE : TYPE_INSTANT, t.n, 0, at, len);
    return OK;
}

enum rc name_value(struct parser *p, const struct field *like, const char *text, int at, int len,
                   struct node **ret)
{
    switch (like->type) {
    case TYPE_CHOICE:
        return choice_value(p, like, text, at, len, ret);
    case TYPE_TREE:
        return tree_value(p, like, text, at, len, ret);
    case TYPE_DATE:
    case TYPE_INSTANT:
        return instant_value(p, like->type, text, at, len, ret);
    case TYPE_PERSON:
    case TYPE_PEOPLE:
    case TYPE_GROUP:
    case TYPE_ORGANISATION:
    case TYPE_LINK:
    case TYPE_LINKS:
        *ret = node_create(p, NODE_NAMED, type_like[single_types[like->type]], at, len);
        (*ret)->text = text;
        (*ret)->folded = words_fold(p->arena, text);
        return OK;
    default:
        *ret = node_const(p, type_like[TYPE_TEXT], val_text(text), at, len);
        return OK;
    }
}
