/* words.h - text into the tokens that are searched.
 *
 * Both engines index what this module makes, so both find the same. Text is normalised (NFKC), cut
 * at Unicode word boundaries, case-folded and stripped of accents; CJK text is cut into pairs of
 * characters. Host names, mail addresses, serial numbers, IP addresses and record numbers stay one
 * token (and their parts are indexed at the same places too). Each word is indexed as it is and, at
 * the same position, as its stem in the text's language with a '~' before it, so that single words
 * are found in every form and phrases are found exactly.
 */
#ifndef LANG_WORDS_H
#define LANG_WORDS_H

#include <stddef.h>

struct arena;
struct buf;

/* Append the tokens of text: positions separated by single spaces, tokens at one position by '|'. A
 * token holds letters, digits, and . - _ @ : only. Languages: "en", "fr"; others are not stemmed.
 * max_tokens bounds what one text can cost. */
void words_index(struct buf *out, const char *text, const char *language, int max_tokens);

/* The same normalising for a query's word or phrase: exact tokens in order, without stems. */
int words_of(struct arena *a, const char *text, const char ***ret);
/* The stems of one folded word in each supported language, without '~'; NULL at the end. */
const char *const *words_stems(struct arena *a, const char *folded);

/* Fold one text for `contains`, sorting and comparing: case-folded, accents stripped, NFKC. */
char *words_fold(struct arena *a, const char *text);

#endif
