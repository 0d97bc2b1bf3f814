/* stem.h - the stem of a word (Snowball). Safe from any thread. */
#ifndef LANG_STEM_H
#define LANG_STEM_H

#include <stddef.h>

enum stem_language { STEM_NONE = -1, STEM_ENGLISH, STEM_FRENCH, STEM_LANGUAGES };

/* By tag: "en", "fr", "fr-CA"; NULL and all others: STEM_NONE. */
enum stem_language stem_language(const char *tag);

enum { STEM_MAX = 64 }; /* longest word that is stemmed, in bytes */

/* The stem of a folded word, which consists of letters only. The result is not terminated; a word
 * that is longer than STEM_MAX is its own stem. The address is good until the thread's next call.
 */
const char *stem_word(enum stem_language language, const char *word, size_t len, size_t *ret_len);

#endif
