#include "lang/fold.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <threads.h>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"

/* ---- through ICU ------------------------------------------------------------------------------
 */

/* UTF-16 on the stack while it is short, in the arena when it is not. */
enum { SHORT_UNITS = 256 };

struct units {
    struct arena *arena;
    UChar *at;
    int32_t len, room;
    UChar here[SHORT_UNITS];
};

static void units_init(struct units *u, struct arena *a)
{
    u->arena = a;
    u->at = u->here;
    u->len = 0;
    u->room = SHORT_UNITS;
}

static void units_need(struct units *u, int32_t room)
{
    if (room <= u->room)
        return;
    u->at = arena_array(u->arena, (size_t)room, sizeof(UChar));
    u->room = room;
}

static void normalize(const UNormalizer2 *how, const struct units *from, struct units *to)
{
    UErrorCode error = U_ZERO_ERROR;
    to->len = unorm2_normalize(how, from->at, from->len, to->at, to->room, &error);
    if (error == U_BUFFER_OVERFLOW_ERROR) {
        units_need(to, to->len);
        error = U_ZERO_ERROR;
        to->len = unorm2_normalize(how, from->at, from->len, to->at, to->room, &error);
    }
    if (U_FAILURE(error))
        BUG("ICU cannot normalise");
}

/* Letters without a decomposition that people type, or write, in another way. */
static const struct {
    UChar from;
    const char *to; /* ASCII, or one letter of two bytes */
} spelt[] = {
    {0x00e6, "ae"}, {0x00f0, "d"},
    {0x00f8, "o"},  {0x00fe, "th"},
    {0x0111, "d"},  {0x0127, "h"},
    {0x0131, "i"},  {0x0138, "k"},
    {0x0142, "l"},  {0x014b, "n"},
    {0x0153, "oe"}, {0x0167, "t"},
    {0x02bc, "'"},  {0x0629, "ه"},                    /* teh marbuta */
    {0x0640, ""},                                     /* tatweel */
    {0x0649, "ي"},  /* alef maksura */ {0x06a9, "ك"}, /* Persian kaf */
    {0x06cc, "ي"},  /* Persian yeh */ {0x2010, "-"},
    {0x2012, "-"},  {0x2013, "-"},
    {0x2014, "-"},  {0x2015, "-"},
    {0x2018, "'"},  {0x2019, "'"},
    {0x201c, "\""}, {0x201d, "\""},
    {0x2212, "-"},
};

static const char *spelling(UChar32 c)
{
    int low = 0, high = ARRAY_LEN(spelt);
    while (low < high) {
        const int middle = (low + high) / 2;
        if (spelt[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ARRAY_LEN(spelt) && spelt[low].from == c ? spelt[low].to : NULL;
}

/* Combining classes of marks that make another letter: nukta, kana voicing, virama. */
enum { CLASS_NUKTA = 7, CLASS_VIRAMA = 9 };

/* Whether a reader of this script would leave the mark out. */
static bool is_accent(UChar32 c)
{
    const uint32_t mask = U_GET_GC_MASK(c);
    if (!(mask & (U_GC_MN_MASK | U_GC_ME_MASK)))
        return false;
    const uint8_t class = u_getCombiningClass(c);
    if (class >= CLASS_NUKTA && class <= CLASS_VIRAMA)
        return false;
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(c, &error)) {
    case USCRIPT_INHERITED:
    case USCRIPT_COMMON:
    case USCRIPT_LATIN:
    case USCRIPT_GREEK:
    case USCRIPT_CYRILLIC:
    case USCRIPT_ARABIC:
    case USCRIPT_HEBREW:
    case USCRIPT_SYRIAC:
        return true;
    default:
        return false;
    }
}

static void put_unit(struct units *u, UChar c)
{
    assert(u->len < u->room);
    u->at[u->len++] = c;
}

/* The fold of one decomposed character; at most two units for one. */
static void put_folded(struct units *u, UChar32 c)
{
    const char *s = c < 0x80 ? NULL : spelling(c);
    if (s) {
        for (int32_t i = 0, len = (int32_t)strlen(s); i < len;) {
            UChar32 one;
            U8_NEXT(s, i, len, one);
            put_unit(u, (UChar)one);
        }
        return;
    }
    if (c >= 0x80 && u_charType(c) == U_DECIMAL_DIGIT_NUMBER)
        c = '0' + u_charDigitValue(c);
    if (c >= 0x80 && is_accent(c))
        return;
    if (U_IS_BMP(c)) {
        put_unit(u, (UChar)c);
    } else {
        put_unit(u, U16_LEAD(c));
        put_unit(u, U16_TRAIL(c));
    }
}

static void put_text(struct buf *out, const struct units *u)
{
    for (int32_t i = 0; i < u->len;) {
        UChar32 c;
        U16_NEXT(u->at, i, u->len, c);
        char bytes[U8_MAX_LENGTH];
        int32_t len = 0;
        U8_APPEND_UNSAFE(bytes, len, U_IS_SURROGATE(c) ? 0xfffd : c);
        buf_add(out, bytes, (size_t)len);
    }
}

void fold_add_slowly(struct buf *out, const char *text, size_t len)
{
    struct units one, two;
    units_init(&one, out->arena);
    units_init(&two, out->arena);
    units_need(&one, (int32_t)len);
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *casefold = unorm2_getNFKCCasefoldInstance(&error);
    const UNormalizer2 *compose = unorm2_getNFCInstance(&error);
    const UNormalizer2 *decompose = unorm2_getNFDInstance(&error);
    u_strFromUTF8WithSub(one.at, one.room, &one.len, text, (int32_t)len, 0xfffd, NULL, &error);
    if (U_FAILURE(error) && error != U_STRING_NOT_TERMINATED_WARNING)
        BUG("ICU data is missing");

    normalize(casefold, &one, &two);
    normalize(decompose, &two, &one);
    units_need(&two, one.len * 2);
    two.len = 0;
    for (int32_t i = 0; i < one.len;) {
        UChar32 c;
        U16_NEXT(one.at, i, one.len, c);
        put_folded(&two, c);
    }
    normalize(compose, &two, &one);
    put_text(out, &one);
}

/* ---- by table ---------------------------------------------------------------------------------
 */

/* Nearly all that is not ASCII in texts of western languages: each folds alone, whatever stands
 * beside it, so its fold can be looked up. Filled from ICU at first use. */
enum { WEST_FROM = 0x80, WEST_TO = 0x250, MARKS_FROM = 0x2010, MARKS_TO = 0x2060 };
struct entry {
    uint8_t len;
    char text[15];
};
static struct entry west[WEST_TO - WEST_FROM];
static struct entry marks[MARKS_TO - MARKS_FROM];
static once_flag tables_once = ONCE_FLAG_INIT;

static void fill(struct entry *entries, uint32_t from, uint32_t to)
{
    struct arena *a = arena_create();
    for (uint32_t c = from; c < to; c++) {
        char bytes[U8_MAX_LENGTH];
        int32_t len = 0;
        U8_APPEND_UNSAFE(bytes, len, c);
        struct buf folded = {.arena = a};
        fold_add_slowly(&folded, bytes, (size_t)len);
        struct entry *e = &entries[c - from];
        assert(folded.len <= sizeof(e->text));
        e->len = (uint8_t)folded.len;
        memcpy(e->text, buf_text(&folded), folded.len);
    }
    arena_destroy(a);
}

static void fill_tables(void)
{
    fill(west, WEST_FROM, WEST_TO);
    fill(marks, MARKS_FROM, MARKS_TO);
}

static const struct entry *entry_of(uint32_t c)
{
    if (c >= WEST_FROM && c < WEST_TO)
        return &west[c - WEST_FROM];
    if (c >= MARKS_FROM && c < MARKS_TO)
        return &marks[c - MARKS_FROM];
    return NULL;
}

uint32_t char_at(const char *s, const char *end, int *ret_len)
{
    const int32_t len = end - s > U8_MAX_LENGTH ? U8_MAX_LENGTH : (int32_t)(end - s);
    int32_t i = 0;
    UChar32 c;
    U8_NEXT(s, i, len, c);
    *ret_len = i;
    return c < 0 ? 0xfffd : (uint32_t)c;
}

static void add_ascii(struct buf *out, const char *s, size_t len)
{
    const size_t start = out->len;
    buf_add(out, s, len);
    for (size_t i = start; i < out->len; i++) {
        const char c = out->at[i];
        out->at[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
}

static bool is_gap(char c)
{
    return (unsigned char)c <= ' ';
}

/* What stands between white space folds without regard to what is beyond it, so a piece that the
 * table cannot answer goes through ICU as a whole and alone. */
void fold_add(struct buf *out, const char *text, size_t len)
{
    call_once(&tables_once, fill_tables);
    const char *const end = text + len;
    const char *piece = text; /* begin of the piece between white space, in the text and in out */
    size_t piece_out = out->len;

    for (const char *p = text; p < end;) {
        const char *q = p;
        for (; q < end && (signed char)*q >= 0; q++) {
            if (is_gap(*q)) {
                piece = q + 1;
                piece_out = out->len + (size_t)(piece - p);
            }
        }
        add_ascii(out, p, (size_t)(q - p));
        if (q == end)
            return;

        int n;
        const struct entry *e = entry_of(char_at(q, end, &n));
        p = q + n;
        if (e) {
            buf_add(out, e->text, e->len);
            continue;
        }
        while (p < end && !is_gap(*p))
            p++;
        out->len = piece_out;
        fold_add_slowly(out, piece, (size_t)(p - piece));
        piece = p;
        piece_out = out->len;
    }
}

/* ---- kinds of characters ----------------------------------------------------------------------
 */

static bool is_paired(UChar32 c)
{
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(c, &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_BOPOMOFO:
        return true;
    default:
        return c == 0x30fc; /* the long vowel sign, common to both kana */
    }
}

enum char_kind char_kind(uint32_t c)
{
    const uint32_t mask = U_GET_GC_MASK((UChar32)c);
    if (mask & U_GC_ND_MASK)
        return CHAR_DIGIT;
    if (!(mask & (U_GC_L_MASK | U_GC_M_MASK | U_GC_NL_MASK)))
        return CHAR_OTHER;
    if (u_getIntPropertyValue((UChar32)c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT)
        return CHAR_COMPLEX;
    if (mask & U_GC_M_MASK)
        return CHAR_MARK;
    return is_paired((UChar32)c) ? CHAR_PAIRED : CHAR_LETTER;
}

/* ---- words without spaces ---------------------------------------------------------------------
 */

/* A break iterator serves one thread at a time and is dear to open: each thread keeps its own. */
static tss_t breaker_key;
static once_flag breaker_once = ONCE_FLAG_INIT;

static void close_breaker(void *breaker)
{
    ubrk_close(breaker);
}

static void create_breaker_key(void)
{
    if (tss_create(&breaker_key, close_breaker) != thrd_success)
        BUG("no more thread-specific keys");
}

static UBreakIterator *breaker(void)
{
    call_once(&breaker_once, create_breaker_key);
    UBreakIterator *b = tss_get(breaker_key);
    if (b)
        return b;
    UErrorCode error = U_ZERO_ERROR;
    b = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
    if (U_FAILURE(error))
        BUG("ICU data is missing");
    tss_set(breaker_key, b);
    return b;
}

int fold_cut(struct arena *a, const char *text, size_t len, size_t **ret_ends)
{
    UErrorCode error = U_ZERO_ERROR;
    UText *view = utext_openUTF8(NULL, text, (int64_t)len, &error);
    UBreakIterator *b = breaker();
    ubrk_setUText(b, view, &error);
    if (U_FAILURE(error))
        BUG("ICU cannot cut");
    struct list ends = {0};
    ubrk_first(b);
    for (int32_t at = ubrk_next(b); at != UBRK_DONE; at = ubrk_next(b))
        *(size_t *)list_add(a, &ends, sizeof(size_t)) = (size_t)at;
    /* Nothing of the iterator may point at the text once this returns. */
    ubrk_setText(b, NULL, 0, &error);
    utext_close(view);
    *ret_ends = ends.at;
    return ends.count;
}
