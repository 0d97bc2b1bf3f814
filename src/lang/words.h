/* words.h - text into the tokens that are searched.
 *
 * Both engines index what this module makes, so both find the same. Text is folded (fold.h), cut at
 * everything that is neither letter nor digit, and each word is indexed as it is and, at the same
 * position, as its stem in the text's language with a '~' before it: single words are found in
 * every form and phrases are found exactly. Chinese, Japanese and Korean are cut into pairs of
 * characters; Thai, Lao, Khmer and Burmese by dictionary.
 *
 * NAMES. Words joined by one of . - _ @ : are a name (host, mail address, IP address, serial,
 * record number) which is one token; its parts follow at positions of their own, and units inside
 * it (the host in host:port, the domain of an address or host) are tokens too:
 *
 *   anna@srv-db01.example.org     anna@srv-db01.example.org|anna
 *                                 srv-db01|srv-db01.example.org|srv db01 example.org|example org
 *
 * Words with hyphens (follow-up) are only their parts, so they are found however they are written.
 * A number that follows letters is indexed without the zeros that fill it up as well (INC-000042 as
 * inc-42), and is asked for without them; KB5031356 is found as 5031356, too.
 */
#ifndef LANG_WORDS_H
#define LANG_WORDS_H

#include <stddef.h>

struct arena;
struct buf;

/* Append the tokens of text: positions separated by single spaces, tokens at one position by '|'. A
 * token holds letters with their marks, digits, and . - _ @ : only, and a stem's '~'; it has at
 * most 65 bytes. Languages: "en", "fr" (and their regions); others are not stemmed. max_tokens
 * bounds what one text can cost. */
void words_index(struct buf *out, const char *text, const char *language, int max_tokens);

/* The same for a query's word or phrase: exact tokens that stand at consecutive positions, without
 * stems; NULL follows the last. A name alone is one token, within a phrase it is its parts. No
 * token (the text holds no letter or digit) is 0. */
int words_of(struct arena *a, const char *text, const char ***ret);

/* The same where the text is a beginning (jam*, INC-0004*): the last token is one. */
int words_of_prefix(struct arena *a, const char *text, const char ***ret);

/* The stems of one token in each supported language, without '~'; NULL at the end. None for what is
 * not a word: ask for the token or any of these. */
const char *const *words_stems(struct arena *a, const char *token);

/* Fold one text for `contains`, sorting and comparing: case-folded, accents stripped, NFKC. */
char *words_fold(struct arena *a, const char *text);

#endif
