/* fold.h - what lang knows of Unicode.
 *
 * Folding makes texts that a person calls equal equal: compatibility forms are replaced (NFKC),
 * case is folded, accents, points and vowel signs that a reader leaves out are dropped, letters
 * that a plain keyboard lacks are spelt out (ß ss, œ oe, ø o), digits of every script become ASCII,
 * Arabic letters with two common forms become one. Folding a folded text changes nothing. Marks
 * that carry meaning (Devanagari vowels, Thai tones, Japanese voicing) stay.
 *
 * Text that is not UTF-8 does not break anything: what cannot be read becomes U+FFFD.
 */
#ifndef LANG_FOLD_H
#define LANG_FOLD_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

/* Append the folded form of text. */
void fold_add(struct buf *out, const char *text, size_t len);

/* The same always through ICU; fold_add() answers most of a text from a table. For tests. */
void fold_add_slowly(struct buf *out, const char *text, size_t len);

/* What a character of folded text is to who cuts it into words. */
enum char_kind {
    CHAR_OTHER,
    CHAR_LETTER,
    CHAR_DIGIT,
    CHAR_MARK,    /* belongs to the letter before it */
    CHAR_PAIRED,  /* Chinese, Japanese, Korean: searched by pairs of characters */
    CHAR_COMPLEX, /* Thai, Lao, Khmer, Burmese: words without spaces, cut by dictionary */
};
enum char_kind char_kind(uint32_t c);

/* Decode the character at s (which is not at its end); *ret_len is at least 1. Text that is not
 * UTF-8 gives U+FFFD. */
uint32_t char_at(const char *s, const char *end, int *ret_len);

/* Cut a text of CHAR_COMPLEX into words: the offset in bytes where each ends, ascending, the last
 * being len. The number of them is returned. */
int fold_cut(struct arena *a, const char *text, size_t len, size_t **ret_ends);

#endif
