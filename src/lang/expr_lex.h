/* expr_lex.h - an expression's text, token by token.
 *
 * The same characters read differently in different places: INC-42 is a subtraction between
 * values, a name where a record is expected, and a word in the search box. So tokens are read one
 * at a time, and the parser, which knows what it expects, may have the current one read again as a
 * name or as a free word. A lexer is a small struct: copy it to look ahead.
 */
#ifndef LANG_EXPR_LEX_H
#define LANG_EXPR_LEX_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,    /* letters, digits, _ and whatever is not ASCII; not beginning with a digit */
    TOKEN_NUMBER,  /* 12, 12.5 */
    TOKEN_STRING,  /* "with \" and \\ inside" */
    TOKEN_DATE,    /* 2026-01-01 */
    TOKEN_INSTANT, /* 2026-01-01T10:00, with Z or an offset or, in UTC, none */
    TOKEN_SYMBOL,  /* one of the operators, or a character that means nothing */
    TOKEN_BAD      /* text says what is wrong */
};

/* Operators of one character are that character. */
enum { SYMBOL_NE = 256, SYMBOL_LE, SYMBOL_GE, SYMBOL_FOREIGN };

struct token {
    enum token_kind kind;
    int at, len;      /* bytes of the text */
    bool is_apart;    /* white space before it, or the beginning */
    bool is_adjacent; /* no white space after it, and not the end */
    int symbol;
    int64_t n;    /* number: scaled by decimals; date: days; instant: microseconds */
    int decimals; /* at most 6, no zeros at the end */
    const char
        *text; /* name, string: what it says; bad: the fault; foreign symbol: ours, or NULL */
};

struct lexer {
    struct arena *arena;
    const char *text;
    int len;
    struct token token; /* the current one */
};

void lex_init(struct lexer *l, struct arena *a, const char *text); /* at the first token */
void lex_next(struct lexer *l);

/* The current token again, up to what cannot be part of a bare name (a login, a number of a record,
 * a path): white space, quotes, brackets, commas, comparisons. Its text is what was read. */
void lex_name(struct lexer *l);

bool lex_is_bare(char c); /* part of such a name */

/* The current token again as a free word: up to white space, quotes and brackets. */
void lex_word(struct lexer *l);

bool token_is(const struct token *t, int symbol);
bool token_says(const struct token *t, const char *keyword); /* a name, in any case */

#endif
