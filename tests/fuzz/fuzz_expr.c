/* fuzz_expr.c - any text is an expression or has a fault within it; an expression can be evaluated
 * and becomes SQL whose brackets match and whose parameters are all there. */
#include "fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "lang/expr_sample.h"

#define MOST_PARAMS 200

static void check_fault(const char *text, const struct expr_fault *fault)
{
    const int len = (int)strlen(text);
    if (!fault->text || fault->at < 0 || fault->len < 0 || fault->at + fault->len > len)
        BUG("a fault lies outside of the text");
}

static void check_sql(const struct expr_sql *sql)
{
    int depth = 0;
    bool is_quoted = false;
    for (const char *c = buf_text(sql->out); *c; c++) {
        is_quoted ^= *c == '\'';
        depth += is_quoted ? 0 : (*c == '(') - (*c == ')');
        if (depth < 0)
            BUG("a bracket is closed that was not opened");
    }
    if (depth || is_quoted || sql->out->len == 0)
        BUG("SQL is not complete");
    if (sql->params.count > MOST_PARAMS)
        BUG("too many parameters");
    const struct sql_param *p = sql->params.at;
    for (int i = 0; i < sql->params.count; i++) {
        if (p[i].is_text && !p[i].text)
            BUG("a parameter without a value");
    }
}

static void translate(struct ctx *cx, const struct sample *s, const struct expr *e, int engine)
{
    struct buf out = {.arena = cx->arena};
    struct expr_sql sql = {
        .out = &out,
        .record = "r",
        .engine = engine,
        .now = s->env.now,
        .me = s->env.me,
        .my_groups = s->env.my_groups,
        .my_group_count = s->env.my_group_count,
        .may_see_internal = engine == 0,
    };
    expr_to_sql(cx, e, &sql);
    check_sql(&sql);

    sql.words_are_joined = true;
    if (expr_words_query(cx, e, &sql))
        expr_to_sql(cx, e, &sql);
    int count;
    const struct expr_order *orders = expr_orders(e, &count);
    for (int i = 0; i < count; i++) {
        if (orders[i].field)
            expr_order_sql(cx, orders[i].field, &sql);
    }
}

/* With every value there, and with none. */
static void evaluate(struct sample *s, const struct expr *e, enum expr_want want)
{
    static const struct val nothing[SAMPLE_FIELDS];
    for (int i = 0; i < 2; i++) {
        if (want == WANT_CONDITION)
            expr_holds(e, &s->env);
        else
            expr_value(e, &s->env);
        s->env.slots = nothing;
    }
    expr_has_words(e);
    expr_reads(e, FIELD_TITLE);
}

/* What is complete so far must not be told apart from what is not. */
static void complete(struct ctx *cx, const struct sample *s, const char *text)
{
    struct list candidates = {0};
    expr_complete(cx, &s->scope, text, (int)strlen(text) / 2, &candidates);
    expr_complete(cx, &s->scope, text, (int)strlen(text), &candidates);
}

static void run(struct ctx *cx, const char *text, int mode)
{
    struct sample s;
    struct expr_fault fault = {0};
    const struct expr *e;
    const enum expr_want want = mode & 2 ? WANT_VALUE : WANT_CONDITION;

    sample_init(&s, cx->arena);
    s.scope.is_query = mode & 1;
    complete(cx, &s, text);
    if (expr_parse(cx, &s.scope, text, want, s.all[(mode >> 2) % SAMPLE_FIELDS], &e, &fault) !=
        OK) {
        check_fault(text, &fault);
        return;
    }
    if (want == WANT_CONDITION) {
        translate(cx, &s, e, 0);
        translate(cx, &s, e, 1);
    }
    evaluate(&s, e, want);
}

/* The first byte says what is wanted, the others are the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct ctx cx = {.arena = arena_create()};
    run(&cx, arena_strndup(cx.arena, (const char *)data + 1, size - 1), data[0]);
    arena_destroy(cx.arena);
    return 0;
}
