/* What could come next while an expression is being typed. It walks over what stands before the
 * word at the cursor and keeps only what is expected now; it need not know whether the rest is
 * right, the parser tells that. */
#include "lang/expr.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"
#include "lang/expr_lex.h"
#include "lang/expr_node.h"

#define MOST_CANDIDATES 100

enum expects { A_TERM, AN_OPERATOR, AFTER_IS, A_VALUE, A_JOINT, AN_ORDER, A_DIRECTION };

struct typing {
    struct ctx *cx;
    const struct expr_scope *scope;
    enum expects expects;
    const struct field *field; /* that is compared */
    bool is_between;           /* an `and` still to come belongs to it */
    const char *typed;         /* the beginning of the word at the cursor */
    int from;
    struct list *ret;
};

/* ---- what is expected ----------------------------------------------------------------------- */

static bool says_any(const struct token *t, const char *const *words)
{
    for (; *words; words++) {
        if (token_says(t, *words))
            return true;
    }
    return false;
}

static enum expects after_term(struct typing *s, const struct token *t)
{
    const struct field *f = t->kind == TOKEN_NAME ? scope_field(s->scope, t->text) : NULL;
    if (f) {
        s->field = f;
        return AN_OPERATOR;
    }
    if (token_says(t, "by"))
        return AN_ORDER;
    return A_TERM;
}

static enum expects after_operator(struct typing *s, const struct token *t)
{
    static const char *const begun[] = {"not", "starts", NULL};
    static const char *const whole[] = {"in", "between", "contains", "with", "under", NULL};
    if (says_any(t, begun))
        return AN_OPERATOR;
    if (token_says(t, "is"))
        return AFTER_IS;
    if (says_any(t, whole)) {
        s->is_between = token_says(t, "between");
        return A_VALUE;
    }
    if (t->kind == TOKEN_SYMBOL && !token_is(t, ')'))
        return A_VALUE;
    return token_says(t, "and") || token_says(t, "or") ? A_TERM : after_term(s, t);
}

static enum expects after_value(struct typing *s, const struct token *t)
{
    static const char *const joints[] = {"and", "or", NULL};
    if (t->kind == TOKEN_SYMBOL)
        return token_is(t, ')') ? A_JOINT : A_VALUE;
    if (token_says(t, "and") && s->is_between) {
        s->is_between = false;
        return A_VALUE;
    }
    if (says_any(t, joints) || token_says(t, "order"))
        return A_TERM;
    return s->scope->is_query ? after_term(s, t) : A_JOINT;
}

static void advance(struct typing *s, const struct token *t)
{
    switch (s->expects) {
    case A_TERM:
        s->expects = after_term(s, t);
        break;
    case AN_OPERATOR:
        s->expects = after_operator(s, t);
        break;
    case AFTER_IS:
        s->expects = token_says(t, "not") ? AFTER_IS : A_JOINT;
        break;
    case A_VALUE:
        s->expects = t->kind == TOKEN_SYMBOL ? A_VALUE : A_JOINT;
        break;
    case A_JOINT:
        s->expects = after_value(s, t);
        break;
    case AN_ORDER:
        s->expects = A_DIRECTION;
        break;
    case A_DIRECTION:
        s->expects = token_is(t, ',') ? AN_ORDER : A_DIRECTION;
        break;
    }
}

/* Names of what is compared may hold what separates other tokens: hardware/printer. */
static bool takes_name(const struct typing *s, const struct token *t)
{
    return s->expects == A_VALUE && s->field && type_takes_names(s->field) &&
           (t->kind == TOKEN_NAME || t->kind == TOKEN_NUMBER);
}

/* ---- candidates ----------------------------------------------------------------------------- */

static bool needs_quotes(const char *text)
{
    for (; *text; text++) {
        if (!lex_is_bare(*text))
            return true;
    }
    return false;
}

static void add(struct typing *s, enum candidate_kind kind, const char *text)
{
    if (strncasecmp(text, s->typed, strlen(s->typed)) != 0 || s->ret->count >= MOST_CANDIDATES)
        return;
    struct candidate *c = list_add(s->cx->arena, s->ret, sizeof(*c));
    const bool is_quoted = kind == CANDIDATE_CHOICE && needs_quotes(text);
    *c = (struct candidate){
        .kind = kind,
        .text = is_quoted ? arena_printf(s->cx->arena, "\"%s\"", text) : text,
        .from = s->from,
    };
}

static void add_all(struct typing *s, enum candidate_kind kind, const char *const *texts)
{
    for (; *texts; texts++)
        add(s, kind, *texts);
}

static void add_fields(struct typing *s, const struct field *like)
{
    for (int i = 0; i < s->scope->count; i++) {
        const struct field *f = s->scope->fields[i];
        if (f != like && (!like || f->type == like->type))
            add(s, CANDIDATE_FIELD, f->name);
    }
}

static void add_operators(struct typing *s)
{
    static const char *const always[] = {"=",        "!=",           "in", "not in",
                                         "is empty", "is not empty", NULL};
    static const char *const orders[] = {"<", "<=", ">", ">=", "between", NULL};
    static const char *const texts[] = {"contains", "starts with", NULL};
    const struct node n = {.kind = NODE_FIELD, .like = s->field};

    add_all(s, CANDIDATE_OPERATOR, always);
    if (type_is_integer(&n) || s->field->type == TYPE_CHOICE)
        add_all(s, CANDIDATE_OPERATOR, orders);
    if (s->field->type == TYPE_TEXT)
        add_all(s, CANDIDATE_OPERATOR, texts);
    if (s->field->type == TYPE_TREE)
        add(s, CANDIDATE_OPERATOR, "under");
}

static const char *const words_of_type[TYPE_COUNT][3] = {
    [TYPE_FLAG] = {"true", "false"}, [TYPE_DATE] = {"today"}, [TYPE_INSTANT] = {"now", "today"},
    [TYPE_PERSON] = {"me"},          [TYPE_PEOPLE] = {"me"},  [TYPE_GROUP] = {"my groups"},
};

static void add_values(struct typing *s)
{
    const struct field *f = s->field;
    if (!f)
        return;
    for (int i = 0; f->choices && f->choices[i].name; i++)
        add(s, CANDIDATE_CHOICE, f->choices[i].name);
    for (int i = 0; f->tree && i < f->tree->count; i++)
        add(s, CANDIDATE_CHOICE, f->tree->nodes[i].path);
    add_all(s, CANDIDATE_KEYWORD, words_of_type[f->type]);
    add_fields(s, f);
}

static void add_candidates(struct typing *s)
{
    static const char *const joints[] = {"and", "or", NULL};
    static const char *const emptiness[] = {"empty", "not empty", NULL};
    static const char *const directions[] = {"asc", "desc", NULL};
    switch (s->expects) {
    case A_TERM:
        add_fields(s, NULL);
        add(s, CANDIDATE_KEYWORD, "not");
        break;
    case AN_OPERATOR:
        add_operators(s);
        break;
    case AFTER_IS:
        add_all(s, CANDIDATE_OPERATOR, emptiness);
        break;
    case A_VALUE:
        add_values(s);
        break;
    case A_JOINT:
        add_all(s, CANDIDATE_KEYWORD, joints);
        if (s->scope->is_query)
            add(s, CANDIDATE_KEYWORD, "ORDER BY");
        break;
    case AN_ORDER:
        add_fields(s, NULL);
        add(s, CANDIDATE_KEYWORD, "relevance");
        break;
    case A_DIRECTION:
        add_all(s, CANDIDATE_KEYWORD, directions);
        break;
    }
}

void expr_complete(struct ctx *cx, const struct expr_scope *scope, const char *text, int cursor,
                   struct list *ret)
{
    int from = cursor;
    while (from > 0 && lex_is_bare(text[from - 1]))
        from--;
    struct typing s = {
        .cx = cx,
        .scope = scope,
        .from = from,
        .typed = arena_strndup(cx->arena, text + from, (size_t)(cursor - from)),
        .ret = ret,
    };

    struct lexer l;
    for (lex_init(&l, cx->arena, arena_strndup(cx->arena, text, (size_t)from));
         l.token.kind != TOKEN_END; lex_next(&l)) {
        if (l.token.kind == TOKEN_BAD) /* inside a quoted text */
            return;
        if (takes_name(&s, &l.token))
            lex_name(&l);
        advance(&s, &l.token);
    }
    add_candidates(&s);
}
