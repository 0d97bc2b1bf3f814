#include "lang/stem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <libstemmer.h>

#include "base/rc.h"

/* Texts of one kind use few words again and again, and a stemmer takes longer for one than all the
 * rest of indexing it: remember the stems of short words. Direct-mapped; a word pushes out another
 * of the same hash. */
enum { CACHE_SIZE = 2048, CACHE_WORD = 22 };

struct cached {
    uint32_t hash;
    int8_t language; /* + 1, so that zeroed memory holds nothing */
    uint8_t len, stem_len;
    char word[CACHE_WORD], stem[CACHE_WORD];
};

/* One per thread: a Snowball stemmer keeps its result inside itself. */
struct stemmers {
    struct sb_stemmer *of[STEM_LANGUAGES];
    struct cached cache[CACHE_SIZE];
};

static const struct {
    const char *tag, *name;
} languages[STEM_LANGUAGES] = {
    [STEM_ENGLISH] = {"en", "english"},
    [STEM_FRENCH] = {"fr", "french"},
};

static tss_t stemmers_key;
static once_flag stemmers_once = ONCE_FLAG_INIT;

static void destroy_stemmers(void *arg)
{
    struct stemmers *s = arg;
    for (int i = 0; i < STEM_LANGUAGES; i++)
        sb_stemmer_delete(s->of[i]);
    free(s);
}

static void create_key(void)
{
    if (tss_create(&stemmers_key, destroy_stemmers) != thrd_success)
        BUG("no more thread-specific keys");
}

static struct stemmers *stemmers(void)
{
    call_once(&stemmers_once, create_key);
    struct stemmers *s = tss_get(stemmers_key);
    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    for (int i = 0; s && i < STEM_LANGUAGES; i++)
        s->of[i] = sb_stemmer_new(languages[i].name, NULL);
    if (!s || !s->of[STEM_ENGLISH] || !s->of[STEM_FRENCH])
        BUG("out of memory");
    tss_set(stemmers_key, s);
    return s;
}

enum stem_language stem_language(const char *tag)
{
    for (int i = 0; tag && i < STEM_LANGUAGES; i++)
        if (!strncmp(tag, languages[i].tag, 2) && (!tag[2] || tag[2] == '-'))
            return (enum stem_language)i;
    return STEM_NONE;
}

/* Snowball's French rules look for é, which folding has taken away: arrêtée comes as arretee. They
 * do know what to do with a last e. */
static size_t without_feminine(const char *word, size_t len)
{
    if (len > 4 && !memcmp(word + len - 3, "ees", 3))
        return len - 2;
    if (len > 3 && !memcmp(word + len - 2, "ee", 2))
        return len - 1;
    return len;
}

static const char *compute(struct sb_stemmer *s, enum stem_language language, const char *word,
                           size_t len, size_t *ret_len)
{
    if (language == STEM_FRENCH)
        len = without_feminine(word, len);
    const sb_symbol *stem = sb_stemmer_stem(s, (const sb_symbol *)word, (int)len);
    if (!stem)
        BUG("out of memory");
    *ret_len = (size_t)sb_stemmer_length(s);
    return (const char *)stem;
}

static uint32_t hash_of(const char *word, size_t len, enum stem_language language)
{
    uint32_t h = 2166136261u + (uint32_t)language;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)word[i]) * 16777619u;
    return h ^ h >> 15;
}

const char *stem_word(enum stem_language language, const char *word, size_t len, size_t *ret_len)
{
    *ret_len = len;
    if (language == STEM_NONE || len > STEM_MAX)
        return word;
    struct stemmers *s = stemmers();
    if (len > CACHE_WORD)
        return compute(s->of[language], language, word, len, ret_len);

    const uint32_t hash = hash_of(word, len, language);
    struct cached *c = &s->cache[hash % CACHE_SIZE];
    if (c->hash != hash || c->language != language + 1 || c->len != len ||
        memcmp(c->word, word, len) != 0) {
        size_t stem_len;
        const char *stem = compute(s->of[language], language, word, len, &stem_len);
        if (stem_len > CACHE_WORD) {
            *ret_len = stem_len;
            return stem;
        }
        *c = (struct cached){.hash = hash,
                             .language = (int8_t)(language + 1),
                             .len = (uint8_t)len,
                             .stem_len = (uint8_t)stem_len};
        memcpy(c->word, word, len);
        memcpy(c->stem, stem, stem_len);
    }
    *ret_len = c->stem_len;
    return c->stem;
}
