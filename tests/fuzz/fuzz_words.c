/* fuzz_words.c - any text folds to something that folds to itself, is cut into well-formed tokens,
 * and is found by what it is asked for. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"
#include "base/str.h"
#include "lang/fold.h"
#include "lang/words.h"

static void check_token(const char *p, const char *end)
{
    if (p == end || end - p > 65)
        BUG("a token is empty or too long");
    if (*p == '~')
        p++;
    for (int n; p < end; p += n) {
        const uint32_t c = char_at(p, end, &n);
        if (char_kind(c) == CHAR_OTHER && (c >= 0x80 || !c || !strchr("-_.:@", (int)c)))
            BUG("a token holds what it must not");
    }
}

static void check_index(const char *indexed)
{
    for (const char *p = indexed; *p;) {
        const char *end = p + strcspn(p, " |");
        check_token(p, end);
        p = *end ? end + 1 : end;
    }
}

static bool holds(const char *indexed, const char *token)
{
    const size_t len = strlen(token);
    for (const char *p = indexed; (p = strstr(p, token)); p++)
        if ((p == indexed || p[-1] == ' ' || p[-1] == '|') && strchr(" |", p[len]))
            return true;
    return false;
}

static void check_text(struct arena *a, const char *text)
{
    const char *folded = words_fold(a, text);
    if (!str_is_utf8(folded, strlen(folded)))
        BUG("folding makes text that is not UTF-8");
    if (!str_equal(words_fold(a, folded), folded))
        BUG("folding twice is not folding once");

    struct buf indexed = {.arena = a};
    words_index(&indexed, text, "fr", 1 << 20);
    check_index(buf_text(&indexed));
    const char **tokens;
    for (int i = words_of(a, text, &tokens) - 1; i >= 0; i--) {
        if (!holds(buf_text(&indexed), tokens[i]))
            BUG("a text is not found by itself");
        words_stems(a, tokens[i]);
    }
    words_of_prefix(a, text, &tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create();
    check_text(a, arena_strndup(a, (const char *)data, size));
    arena_destroy(a);
    return 0;
}
