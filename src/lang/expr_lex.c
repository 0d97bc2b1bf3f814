#include "lang/expr_lex.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"

#define MOST_DIGITS 15 /* of a number: what every value is bounded by */
#define MOST_DECIMALS 6

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool is_name_part(char c)
{
    return is_name_start(c) || is_digit(c);
}

bool lex_is_bare(char c)
{
    return c && !is_space(c) && !strchr("\"(),:=<>!", c);
}

static bool is_word_part(char c)
{
    return c && !is_space(c) && !strchr("\"()", c);
}

static const char *take(struct lexer *l, int end)
{
    l->token.len = end - l->token.at;
    return arena_strndup(l->arena, l->text + l->token.at, (size_t)l->token.len);
}

static void read_run(struct lexer *l, enum token_kind kind, bool (*belongs)(char))
{
    int end = l->token.at;
    while (belongs(l->text[end]))
        end++;
    l->token.kind = kind;
    l->token.text = take(l, end);
}

static void bad(struct lexer *l, int end, const char *text)
{
    take(l, end);
    l->token.kind = TOKEN_BAD;
    l->token.text = text;
}

static void read_string(struct lexer *l)
{
    char *text = arena_alloc(l->arena, (size_t)(l->len - l->token.at));
    int n = 0;
    int at = l->token.at + 1;

    for (; l->text[at] != '"'; at++) {
        if (l->text[at] == '\\' && (l->text[at + 1] == '"' || l->text[at + 1] == '\\'))
            at++;
        if (!l->text[at]) {
            bad(l, l->len, "the quote is not closed");
            return;
        }
        text[n++] = l->text[at];
    }
    take(l, at + 1);
    l->token.kind = TOKEN_STRING;
    l->token.text = text;
}

/* Zeros at the end of the decimals say nothing and would only scale what is compared with them. */
static void read_number(struct lexer *l)
{
    int at = l->token.at;
    int digits = 0;
    int decimals = 0;
    int64_t n = 0;

    for (; is_digit(l->text[at]) && digits <= MOST_DIGITS; at++, digits += n > 0)
        n = n * 10 + (l->text[at] - '0');
    if (l->text[at] == '.' && is_digit(l->text[at + 1])) {
        for (at++; is_digit(l->text[at]) && digits <= MOST_DIGITS; at++, digits++, decimals++)
            n = n * 10 + (l->text[at] - '0');
    }
    for (; decimals > 0 && n % 10 == 0; decimals--)
        n /= 10;
    if (digits > MOST_DIGITS || decimals > MOST_DECIMALS) {
        bad(l, at, "a number has at most 15 digits, 6 of them decimals");
        return;
    }
    take(l, at);
    l->token.kind = TOKEN_NUMBER;
    l->token.n = n;
    l->token.decimals = decimals;
}

static bool looks_like_date(const char *s)
{
    static const char shape[] = "dddd-dd-dd";
    for (int i = 0; shape[i]; i++) {
        if (shape[i] == 'd' ? !is_digit(s[i]) : s[i] != '-')
            return false;
    }
    return !is_digit(s[10]);
}

/* Where the time of an instant ends: 10:00, 10:00:30.5, with Z or +01:00. */
static int end_of_time(const char *s, bool *ret_has_zone)
{
    int end = 0;
    while (is_digit(s[end]) || s[end] == ':' || (s[end] == '.' && is_digit(s[end + 1])))
        end++;
    *ret_has_zone = s[end] == 'Z' || s[end] == 'z' || s[end] == '+' || s[end] == '-';
    if (s[end] == 'Z' || s[end] == 'z')
        return end + 1;
    if (*ret_has_zone) {
        for (end++; is_digit(s[end]) || s[end] == ':';)
            end++;
    }
    return end;
}

static void read_instant(struct lexer *l)
{
    const int time_at = l->token.at + 11;
    bool has_zone;
    const int end = time_at + end_of_time(l->text + time_at, &has_zone);
    const char *text = take(l, end);
    const bool has_seconds = strlen(text) > 16 && text[16] == ':';

    if (!has_seconds)
        text = arena_printf(l->arena, "%.16s:00%s", text, strlen(text) > 16 ? text + 16 : "");
    if (!has_zone)
        text = arena_printf(l->arena, "%sZ", text);
    if (!time_parse_instant(text, &l->token.n)) {
        bad(l, end, "there is no such instant; write 2026-01-31T13:45:00Z");
        return;
    }
    l->token.kind = TOKEN_INSTANT;
}

static void read_date(struct lexer *l)
{
    const char after = l->text[l->token.at + 10];
    if ((after == 'T' || after == 't') && is_digit(l->text[l->token.at + 11])) {
        read_instant(l);
        return;
    }

    const char *text = take(l, l->token.at + 10);
    if (!time_parse_date(text, &l->token.n)) {
        bad(l, l->token.at + 10, "there is no such date");
        return;
    }
    l->token.kind = TOKEN_DATE;
}

/* The longer first. What other languages write is known, so that the fault can name ours. */
static const struct {
    const char *text;
    int symbol;
    const char *ours;
} symbols[] = {
    {"==", SYMBOL_FOREIGN, "="},
    {"!=", SYMBOL_NE, NULL},
    {"<>", SYMBOL_FOREIGN, "!="},
    {"<=", SYMBOL_LE, NULL},
    {">=", SYMBOL_GE, NULL},
    {"&&", SYMBOL_FOREIGN, "and"},
    {"||", SYMBOL_FOREIGN, "or"},
    {"!", SYMBOL_FOREIGN, "not"},
    {"=", '=', NULL},
    {"<", '<', NULL},
    {">", '>', NULL},
    {":", ':', NULL},
    {"(", '(', NULL},
    {")", ')', NULL},
    {",", ',', NULL},
    {"+", '+', NULL},
    {"-", '-', NULL},
    {"*", '*', NULL},
    {"/", '/', NULL},
    {"'", SYMBOL_FOREIGN, "\""},
};

static void read_symbol(struct lexer *l)
{
    l->token.kind = TOKEN_SYMBOL;
    for (int i = 0; i < ARRAY_LEN(symbols); i++) {
        if (str_starts(l->text + l->token.at, symbols[i].text)) {
            take(l, l->token.at + (int)strlen(symbols[i].text));
            l->token.symbol = symbols[i].symbol;
            l->token.text = symbols[i].ours;
            return;
        }
    }
    take(l, l->token.at + 1);
    l->token.symbol = SYMBOL_FOREIGN;
}

static void note_neighbours(struct lexer *l)
{
    const int end = l->token.at + l->token.len;
    l->token.is_adjacent = end < l->len && !is_space(l->text[end]);
}

static void read_token(struct lexer *l, int from)
{
    int at = from;
    while (is_space(l->text[at]))
        at++;
    l->token = (struct token){.at = at, .is_apart = at > from || at == 0};

    const char c = l->text[at];
    if (!c)
        l->token.kind = TOKEN_END;
    else if (c == '"')
        read_string(l);
    else if (looks_like_date(l->text + at))
        read_date(l);
    else if (is_digit(c))
        read_number(l);
    else if (is_name_start(c))
        read_run(l, TOKEN_NAME, is_name_part);
    else
        read_symbol(l);
    note_neighbours(l);
}

void lex_init(struct lexer *l, struct arena *a, const char *text)
{
    *l = (struct lexer){.arena = a, .text = text, .len = (int)strlen(text)};
    read_token(l, 0);
}

void lex_next(struct lexer *l)
{
    read_token(l, l->token.at + l->token.len);
}

void lex_name(struct lexer *l)
{
    read_run(l, TOKEN_NAME, lex_is_bare);
    note_neighbours(l);
}

void lex_word(struct lexer *l)
{
    read_run(l, TOKEN_NAME, is_word_part);
    note_neighbours(l);
}

bool token_is(const struct token *t, int symbol)
{
    return t->kind == TOKEN_SYMBOL && t->symbol == symbol;
}

bool token_says(const struct token *t, const char *keyword)
{
    return t->kind == TOKEN_NAME && strcasecmp(t->text, keyword) == 0;
}
