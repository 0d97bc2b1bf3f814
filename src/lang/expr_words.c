/* Free words: as terms of the tree, looked for in a record's own texts, and as the text of a
 * full-text query. */
#include "lang/expr_node.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "lang/words.h"

/* Of one text; as much as the full-text index takes (rec/store.c). */
#define TITLE_TOKENS 100
#define BODY_TOKENS 4000

struct node *words_node(struct parser *p, const char *text, bool is_exact, int at, int len)
{
    const size_t end = strlen(text);
    struct words *w = arena_alloc(p->arena, sizeof(*w));
    const char **tokens;

    w->is_prefix = !is_exact && end > 1 && text[end - 1] == '*';
    w->count = (w->is_prefix ? words_of_prefix : words_of)(p->arena, text, &tokens);
    w->tokens = tokens;
    if (w->count == 0)
        return node_create(p, NODE_TRUE, NULL, at, len);
    if (w->count == 1 && !is_exact && !w->is_prefix)
        w->stems = words_stems(p->arena, tokens[0]);

    struct node *n = node_create(p, NODE_WORDS, NULL, at, len);
    n->words = w;
    return n;
}

/* ---- in memory ------------------------------------------------------------------------------ */

/* Whether a token stands at this position, which reads "token|~stem|other" up to a space. */
static bool stands_at(const char *position, const char *token, bool is_prefix)
{
    const size_t len = strlen(token);
    for (const char *at = position; *at && *at != ' ';) {
        const size_t n = strcspn(at, "| ");
        if ((is_prefix ? n >= len : n == len) && memcmp(at, token, len) == 0)
            return true;
        at += n + (at[n] == '|');
    }
    return false;
}

static const char *next_position(const char *position)
{
    const char *space = strchr(position, ' ');
    return space ? space + 1 : position + strlen(position);
}

static bool phrase_stands_at(const char *position, const struct words *w)
{
    for (int i = 0; i < w->count; i++, position = next_position(position)) {
        if (!stands_at(position, w->tokens[i], w->is_prefix && i == w->count - 1))
            return false;
    }
    return true;
}

static bool stem_stands_at(struct arena *a, const char *position, const struct words *w)
{
    for (const char *const *stem = w->stems; stem && *stem; stem++) {
        if (stands_at(position, arena_printf(a, "~%s", *stem), false))
            return true;
    }
    return false;
}

static void add_text(struct list *texts, const struct field *f, const char *text,
                     const char *language, struct arena *a)
{
    struct buf b = {.arena = a};
    words_index(&b, text, language, f->slot <= FIELD_TITLE ? TITLE_TOKENS : BODY_TOKENS);
    const char **added = list_add(a, texts, sizeof(*added));
    *added = buf_text(&b);
}

static void make_texts(const struct expr *e, const struct expr_env *env, struct word_texts *ret)
{
    struct list texts = {0};
    for (const struct field *const *f = e->texts; *f; f++) {
        const struct val v = env->slots[(*f)->slot];
        if (v.kind != VAL_TEXT || ((*f)->is_internal && env->hides_internal))
            continue;
        add_text(&texts, *f, v.text, env->language ? env->language : "en", env->arena);
        if (!env->language)
            add_text(&texts, *f, v.text, "fr", env->arena);
    }
    const char **end = list_add(env->arena, &texts, sizeof(*end));
    *end = NULL;
    ret->at = texts.at;
}

bool words_hold(const struct expr *e, const struct words *w, const struct expr_env *env,
                struct word_texts *texts)
{
    if (!texts->at)
        make_texts(e, env, texts);
    for (const char **text = texts->at; *text; text++) {
        for (const char *at = *text; *at; at = next_position(at)) {
            if (phrase_stands_at(at, w) || stem_stands_at(env->arena, at, w))
                return true;
        }
    }
    return false;
}

/* ---- as a query ----------------------------------------------------------------------------- */

/* How each engine writes a search. Tokens hold no quotes (words.h), so they need no escaping. */
struct dialect {
    const char *and, * or, *and_not;
    const char *open, *close;             /* around a phrase */
    const char *before, *between, *after; /* around and between its tokens */
    const char *prefix;                   /* after a phrase whose last token is a beginning */
};
static const struct dialect fts5 = {
    .and = " AND ",
    .or = " OR ",
    .and_not = " NOT ",
    .open = "\"",
    .close = "\"",
    .before = "",
    .between = " ",
    .after = "",
    .prefix = " *",
};
static const struct dialect tsquery = {
    .and = " & ",
    .or = " | ",
    .and_not = " & !",
    .open = "(",
    .close = ")",
    .before = "'",
    .between = " <-> ",
    .after = "'",
    .prefix = "",
};

struct search {
    struct arena *arena;
    const struct dialect *dialect;
    const char *weights; /* tsquery: which parts of the text count, or "" */
};

static void write_token(struct buf *b, const struct search *s, const char *mark, const char *token,
                        bool is_beginning)
{
    const bool is_tsquery = s->dialect == &tsquery;
    buf_puts(b, s->dialect->before);
    buf_puts(b, mark);
    buf_puts(b, token);
    buf_puts(b, s->dialect->after);
    if (is_tsquery && (is_beginning || *s->weights))
        buf_printf(b, ":%s%s", is_beginning ? "*" : "", s->weights);
}

static const char *write_phrase(const struct search *s, const struct words *w)
{
    struct buf b = {.arena = s->arena};
    buf_puts(&b, s->dialect->open);
    for (int i = 0; i < w->count; i++) {
        if (i > 0)
            buf_puts(&b, s->dialect->between);
        write_token(&b, s, "", w->tokens[i], w->is_prefix && i == w->count - 1);
    }
    buf_puts(&b, s->dialect->close);
    if (w->is_prefix)
        buf_puts(&b, s->dialect->prefix);
    for (const char *const *stem = w->stems; stem && *stem; stem++) {
        buf_puts(&b, s->dialect->or);
        buf_puts(&b, s->dialect->open);
        write_token(&b, s, "~", *stem, false);
        buf_puts(&b, s->dialect->close);
    }
    return buf_text(&b);
}

static void append(struct buf *b, const char *joint, const char *term)
{
    buf_printf(b, "%s(%s)", b->len > 0 ? joint : "", term);
}

/* FTS5 knows no "not" on its own, so every term is a text and whether it is meant or its contrary:
 *   a and not b            a NOT b
 *   not a and not b        the contrary of  a OR b
 *   a or not b             the contrary of  b NOT a
 */
static const char *write_terms(const struct search *s, const struct node *n, bool *ret_is_not)
{
    *ret_is_not = false;
    if (n->kind == NODE_WORDS)
        return write_phrase(s, n->words);
    if (n->kind == NODE_NOT) {
        const char *text = write_terms(s, n->kids[0], ret_is_not);
        *ret_is_not = !*ret_is_not;
        return text;
    }

    const bool is_and = n->kind == NODE_AND;
    struct buf meant = {.arena = s->arena};
    struct buf contrary = {.arena = s->arena};
    for (int i = 0; i < n->count; i++) {
        bool is_not;
        const char *text = write_terms(s, n->kids[i], &is_not);
        append(is_not ? &contrary : &meant, is_and == is_not ? s->dialect->or : s->dialect->and,
               text);
    }
    if (contrary.len == 0)
        return buf_text(&meant);
    *ret_is_not = !is_and || meant.len == 0;
    if (meant.len == 0)
        return buf_text(&contrary);
    struct buf *first = is_and ? &meant : &contrary;
    struct buf *second = is_and ? &contrary : &meant;
    return arena_printf(s->arena, "(%s)%s(%s)", buf_text(first), s->dialect->and_not,
                        buf_text(second));
}

const char *words_search(struct arena *a, const struct node *n, bool is_postgres, bool is_internal,
                         bool *ret_is_not)
{
    struct search s = {
        .arena = a,
        .dialect = is_postgres ? &tsquery : &fts5,
        .weights = is_internal ? "" : "ABC",
    };
    const char *text = write_terms(&s, n, ret_is_not);
    if (is_postgres)
        return text;
    return arena_printf(a, "{title body talk%s} : (%s)", is_internal ? " notes" : "", text);
}
