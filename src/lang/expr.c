#include "lang/expr.h"

#include <string.h>

#include "base/ctx.h"
#include "base/str.h"
#include "lang/expr_node.h"
#include "lang/expr_parse.h"

#define MOST_TEXT 4096
#define MOST_VALUES 150 /* that become parameters of one statement */

/* ---- scope ---------------------------------------------------------------------------------- */

static bool is_same_list(const struct choice *a, const struct choice *b)
{
    if (!a || !b)
        return a == b;
    while (a->name && str_equal(a->name, b->name))
        a++, b++;
    return !a->name && !b->name;
}

static bool has_choice(const struct list *choices, const char *name)
{
    const struct choice *c = choices->at;
    for (int i = 0; i < choices->count; i++) {
        if (str_equal(c[i].name, name))
            return true;
    }
    return false;
}

static void add_choices(struct arena *a, struct list *all, const struct choice *of)
{
    for (; of && of->name; of++) {
        if (has_choice(all, of->name))
            continue;
        struct choice *added = list_add(a, all, sizeof(*added));
        *added = *of;
    }
}

static const struct choice *all_choices(struct arena *a, const struct field *f,
                                        const struct field *g)
{
    struct list choices = {0};
    add_choices(a, &choices, f->choices);
    add_choices(a, &choices, g->choices);
    list_add(a, &choices, sizeof(struct choice)); /* the end */
    return choices.at;
}

/* A record holds its priority as a place in the list of its process. Where lists differ, places
 * that have no common name are called by their number. */
static const struct choice *common_places(struct arena *a, const struct choice *f,
                                          const struct choice *g)
{
    struct list places = {0};
    while ((f && f->name) || (g && g->name)) {
        const char *one = f && f->name ? (f++)->name : NULL;
        const char *other = g && g->name ? (g++)->name : NULL;
        struct choice *added = list_add(a, &places, sizeof(*added));
        added->name = str_equal(one, other) ? one : arena_printf(a, "%d", places.count);
    }
    list_add(a, &places, sizeof(struct choice)); /* the end */
    return places.at;
}

/* One field for several processes: the choices of all, the widest bounds. */
static const struct field *merge(struct arena *a, const struct field *f, const struct field *g)
{
    const bool is_same = is_same_list(f->choices, g->choices) && f->least == g->least &&
                         f->most == g->most && f->slot == g->slot && f->tree == g->tree &&
                         f->is_internal == g->is_internal;
    if (is_same)
        return f;

    struct field *both = arena_copy(a, f, sizeof(*f));
    both->choices = f->slot == FIELD_PRIORITY && g->slot == FIELD_PRIORITY
                        ? common_places(a, f->choices, g->choices)
                        : all_choices(a, f, g);
    both->least = f->least < g->least ? f->least : g->least;
    both->most = f->most > g->most ? f->most : g->most;
    both->slot = f->slot == g->slot ? f->slot : -1;
    both->tree = f->tree == g->tree ? f->tree : NULL;
    both->is_internal = f->is_internal || g->is_internal;
    return both;
}

static bool is_alike(const struct field *f, const struct field *g)
{
    return g && f->type == g->type && f->decimals == g->decimals &&
           str_equal(f->currency, g->currency);
}

/* The field of the first process as all processes have it; NULL: one has not. */
static const struct field *common(struct arena *a, const struct field *f,
                                  const struct process *const *processes, int count)
{
    for (int i = 1; i < count && f; i++) {
        const struct process *p = processes[i];
        const struct field *g = NULL;
        for (int k = 0; k < p->field_count && !g; k++) {
            if (str_equal(p->fields[k].name, f->name))
                g = &p->fields[k];
        }
        f = is_alike(f, g) ? merge(a, f, g) : NULL;
    }
    return f;
}

void expr_scope_of(struct arena *a, const struct process *const *processes, int count,
                   struct expr_scope *ret)
{
    struct list fields = {0};
    for (int i = 0; count > 0 && i < processes[0]->field_count; i++) {
        const struct field *f = common(a, &processes[0]->fields[i], processes, count);
        if (!f)
            continue;
        const struct field **added = list_add(a, &fields, sizeof(*added));
        *added = f;
    }
    *ret = (struct expr_scope){.fields = fields.at, .count = fields.count};
}

/* ---- parsing -------------------------------------------------------------------------------- */

static bool is_text_for_words(const struct field *f)
{
    if (f->slot < 0)
        return false;
    if (f->slot == FIELD_NUMBER || f->slot == FIELD_TITLE)
        return true;
    const bool is_text = f->type == TYPE_TEXT || f->type == TYPE_LONG_TEXT;
    return is_text && f->is_searched && f->slot != FIELD_PROCESS;
}

static const struct field *const *texts_for_words(struct arena *a, const struct expr_scope *s)
{
    const struct field **texts = arena_array(a, (size_t)s->count + 1, sizeof(struct field *));
    int n = 0;
    for (int i = 0; i < s->count; i++) {
        if (is_text_for_words(s->fields[i]))
            texts[n++] = s->fields[i];
    }
    return texts;
}

static enum rc check_text(struct parser *p, const char *text)
{
    const size_t len = strlen(text);
    if (len > MOST_TEXT)
        return expr_fault_at(p, MOST_TEXT, 0, "this is longer than %d bytes", MOST_TEXT);
    if (!str_is_utf8(text, len))
        return expr_fault_at(p, 0, (int)len, "this is not UTF-8");
    return OK;
}

/* At most so many parameters its translation has, beside those of my groups. */
static int count_values(const struct node *n)
{
    if (n->is_words)
        return 1;
    if (n->is_fixed)
        return node_is_condition(n) ? 0 : 1;

    int count = n->kind == NODE_NAMED;
    bool has_words = false;
    for (int i = 0; i < n->count; i++) {
        has_words |= n->kids[i]->is_words;
        /* An instant on one day is an instant between two. */
        count += n->kids[i]->kind == NODE_DAY;
        count += n->kids[i]->is_words ? 0 : count_values(n->kids[i]);
    }
    return count + has_words + (n->kind == NODE_UNDER ? 2 : 0);
}

static enum rc parse(struct parser *p, struct expr *e, enum expr_want want)
{
    struct list orders = {0};
    struct node *root;

    TRY(check_text(p, e->source));
    lex_init(&p->lex, p->arena, e->source);
    TRY(expr_parse_text(p, e->want, &root, &orders));
    if (want == WANT_CONDITION)
        TRY(type_condition(p, &root));
    else if (e->want)
        TRY(type_want(p, &root, e->want, &e->want_divisor));
    if (p->fault.text) /* too deep */
        return E_INVALID;
    if (count_values(root) > MOST_VALUES)
        return expr_fault_at(p, 0, (int)strlen(e->source), "this has more than %d values",
                             MOST_VALUES);
    e->root = root;
    e->orders = orders.at;
    e->order_count = orders.count;
    return OK;
}

enum rc expr_parse(struct ctx *cx, const struct expr_scope *scope, const char *text,
                   enum expr_want want, const struct field *want_type, const struct expr **ret,
                   struct expr_fault *ret_fault)
{
    struct parser p = {.cx = cx, .arena = cx->arena, .scope = scope};
    struct expr *e = arena_alloc(cx->arena, sizeof(*e));
    e->source = arena_strdup(cx->arena, text);
    e->want = want == WANT_VALUE ? want_type : NULL;
    e->texts = texts_for_words(cx->arena, scope);

    const enum rc rc = parse(&p, e, want);
    if (rc == OK) {
        *ret = e;
        return OK;
    }
    if (ret_fault)
        *ret_fault = p.fault;
    return fail(cx, rc, NULL, "%s (at character %d)", p.fault.text, p.fault.at + 1);
}

/* ---- questions ------------------------------------------------------------------------------ */

const char *expr_source(const struct expr *e)
{
    return e->source;
}

const struct expr_order *expr_orders(const struct expr *e, int *ret_count)
{
    *ret_count = e->order_count;
    return e->orders;
}

static bool any_node(const struct node *n, bool (*is)(const struct node *n, const void *arg),
                     const void *arg)
{
    if (is(n, arg))
        return true;
    for (int i = 0; i < n->count; i++) {
        if (any_node(n->kids[i], is, arg))
            return true;
    }
    return false;
}

static bool is_words(const struct node *n, const void *arg)
{
    (void)arg;
    return n->kind == NODE_WORDS;
}

static bool is_slot(const struct node *n, const void *arg)
{
    const int *slot = arg;
    return n->kind == NODE_FIELD && n->like->slot == *slot;
}

bool expr_has_words(const struct expr *e)
{
    return any_node(e->root, is_words, NULL);
}

static bool is_searched(const struct expr *e, int slot)
{
    for (const struct field *const *f = e->texts; *f; f++) {
        if ((*f)->slot == slot)
            return !(*f)->is_internal;
    }
    return false;
}

bool expr_reads(const struct expr *e, int slot)
{
    return any_node(e->root, is_slot, &slot) || (expr_has_words(e) && is_searched(e, slot));
}

bool expr_holds(const struct expr *e, const struct expr_env *env)
{
    return node_holds(e, e->root, env);
}

/* To the decimals wanted, halves away from zero. */
static int64_t rounded(int64_t i, int64_t divisor)
{
    const int64_t half = divisor / 2;
    const int64_t rest = i % divisor;
    return i / divisor + (rest >= half && rest > 0) - (-rest >= half && rest < 0);
}

struct val expr_value(const struct expr *e, const struct expr_env *env)
{
    struct val v = node_value(e, e->root, env);
    if (v.kind != VAL_INT || !e->want)
        return v;

    if (e->want_divisor > 1)
        v.i = rounded(v.i, e->want_divisor);
    /* Beyond the calendar there is nothing that could be written or read again. */
    const int64_t unit = e->want->type == TYPE_DATE ? 1 : US_PER_DAY;
    const bool is_day = e->want->type == TYPE_DATE || e->want->type == TYPE_INSTANT;
    if (is_day && (v.i < FIRST_DAY * unit || v.i >= (LAST_DAY + 1) * unit))
        return val_null();
    return v;
}
