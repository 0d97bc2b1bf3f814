#include "lang/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/fold.h"
#include "lang/stem.h"

enum {
    TOKEN_MAX = 64,  /* bytes */
    RUN_PARTS = 16,  /* parts of one compound; a longer one is several */
    QUERY_MAX = 256, /* tokens of a query */
    PIECE = 8192,    /* bytes of text that are folded at once */
    NUMBER_MIN = 4,  /* digits from which leading zeros are padding: INC-0042, but db01 */
};

/* ---- cutting ----------------------------------------------------------------------------------
 */

/* Between two parts of a compound; the greater, the further apart they are. anna.meier@example.org
 * is anna.meier and example.org before it is anna, meier, example and org. */
enum joint { JOINT_NONE, JOINT_DASH, JOINT_DOT, JOINT_COLON, JOINT_AT, JOINT_END };

struct part {
    const char *at;
    size_t len;
    enum joint before;
    size_t letters; /* how many of its first bytes are letters and marks */
    size_t digits;  /* how many of its last bytes are digits */
};

/* What is cut out of the text in one go. */
struct run {
    enum char_kind kind; /* CHAR_LETTER: parts; CHAR_PAIRED, CHAR_COMPLEX: only the text */
    const char *at, *end;
    struct part parts[RUN_PARTS];
    int count;
};

static enum char_kind ascii_kind(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return CHAR_DIGIT;
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? CHAR_LETTER : CHAR_OTHER;
}

static enum char_kind kind_at(const char *p, const char *end, int *ret_len)
{
    *ret_len = 1;
    if ((signed char)*p >= 0)
        return ascii_kind((unsigned char)*p);
    return char_kind(char_at(p, end, ret_len));
}

static enum joint joint_at(char c)
{
    switch (c) {
    case '-':
    case '_':
        return JOINT_DASH;
    case '.':
        return JOINT_DOT;
    case ':':
        return JOINT_COLON;
    case '@':
        return JOINT_AT;
    default:
        return JOINT_NONE;
    }
}

static bool is_part_start(enum char_kind k)
{
    return k == CHAR_LETTER || k == CHAR_DIGIT;
}

/* Letters, marks and digits from p on. */
static const char *cut_part(const char *p, const char *end, struct part *ret)
{
    const char *last_other = p;
    ret->at = p;
    ret->letters = 0;
    while (p < end) {
        int n;
        const enum char_kind k = kind_at(p, end, &n);
        if (!is_part_start(k) && k != CHAR_MARK)
            break;
        if (k != CHAR_DIGIT) {
            if (ret->letters == (size_t)(p - ret->at))
                ret->letters += (size_t)n;
            last_other = p + n;
        }
        p += n;
    }
    ret->len = (size_t)(p - ret->at);
    ret->digits = (size_t)(p - last_other);
    return p;
}

static bool starts_part(const char *p, const char *end)
{
    int n;
    return p < end && is_part_start(kind_at(p, end, &n));
}

static void cut_compound(const char *p, const char *end, struct run *r)
{
    enum joint before = JOINT_END;
    for (r->count = 0; r->count < RUN_PARTS; p++) {
        struct part *part = &r->parts[r->count++];
        p = cut_part(p, end, part);
        part->before = before;
        r->end = p;
        if (p == end)
            return;
        before = joint_at(*p);
        if (before == JOINT_COLON && end - p > 1 && p[1] == ':') /* fe80::1 */
            p++;
        if (before == JOINT_NONE || !starts_part(p + 1, end))
            return;
    }
}

static void cut_same(const char *p, const char *end, struct run *r)
{
    int n;
    while (p < end && kind_at(p, end, &n) == r->kind)
        p += n;
    r->end = p;
}

/* The next run at or after p; false when there is none. */
static bool cut(const char *p, const char *end, struct run *r)
{
    for (int n; p < end; p += n) {
        const enum char_kind k = kind_at(p, end, &n);
        if (k == CHAR_OTHER || k == CHAR_MARK)
            continue;
        r->at = p;
        r->count = 0;
        r->kind = k == CHAR_DIGIT ? CHAR_LETTER : k;
        if (r->kind == CHAR_LETTER)
            cut_compound(p, end, r);
        else
            cut_same(p, end, r);
        return true;
    }
    return false;
}

/* ---- what stands for what ---------------------------------------------------------------------
 */

/* A token is cut at a character when it is too long, and ends with none of the joining signs. */
static size_t clip(const char *at, size_t len)
{
    if (len <= TOKEN_MAX)
        return len;
    len = TOKEN_MAX;
    while (len > 0 && ((unsigned char)at[len] & 0xc0) == 0x80)
        len--;
    while (len > 0 && joint_at(at[len - 1]) != JOINT_NONE)
        len--;
    return len;
}

static bool is_word(const struct part *p)
{
    return p->letters == p->len;
}

static bool is_number(const struct part *p)
{
    return p->digits == p->len;
}

/* How many zeros at the begin of its digits only fill up a number that follows letters. */
static size_t padding(const struct part *p)
{
    size_t zeros = 0;
    if (p->digits < NUMBER_MIN)
        return 0;
    while (zeros + 1 < p->digits && p->at[p->len - p->digits + zeros] == '0')
        zeros++;
    return zeros;
}

/* Parts first..last as one token: is it INC-000042? */
static size_t padding_of_span(const struct run *r, int first, int last)
{
    const struct part *p = &r->parts[last];
    if (first == last)
        return p->letters > 0 && p->letters + p->digits == p->len ? padding(p) : 0;
    if (first + 1 == last && p->before == JOINT_DASH && is_number(p) && is_word(&r->parts[first]))
        return padding(p);
    return 0;
}

/* Whether the number in part i follows a word that it counts: the 000042 of INC-000042. */
static size_t padding_in_compound(const struct run *r, int i)
{
    return i > 0 && is_number(&r->parts[i]) && is_word(&r->parts[i - 1]) &&
                   r->parts[i].before == JOINT_DASH
               ? padding(&r->parts[i])
               : 0;
}

/* Words with hyphens (follow-up, mot-clé) are nothing but their parts, so that they are found
 * however they are written. Everything else with joints is a name of its own. */
static bool is_name(const struct run *r, int first, int last)
{
    for (int i = first; i <= last; i++) {
        const bool is_hyphen = i == first || r->parts[i].at[-1] == '-';
        if (!is_word(&r->parts[i]) || !is_hyphen)
            return true;
    }
    return false;
}

static enum joint joint_after(const struct run *r, int i)
{
    return i + 1 < r->count ? r->parts[i + 1].before : JOINT_END;
}

/* Whether parts first..last, with that widest joint inside, are a unit that people ask for: the
 * host in host:port, the domain in a mail address, srv-db01 and example.org in
 * srv-db01.example.org. */
static bool is_unit(const struct run *r, int first, int last, enum joint inside)
{
    const enum joint before = r->parts[first].before, after = joint_after(r, last);
    if (inside < before && inside < after)
        return true;
    return inside == JOINT_DOT && before == JOINT_DOT && after > JOINT_DOT &&
           r->parts[first].letters > 0;
}

/* ---- the index --------------------------------------------------------------------------------
 */

struct sink {
    struct buf *out;
    int left;     /* tokens that may still be put */
    bool is_open; /* a token was put at this position */
    enum stem_language language;
};

/* One token, as two pieces of text. */
static void put(struct sink *s, const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (s->left <= 0 || a_len + b_len == 0)
        return;
    s->left--;
    if (s->is_open)
        buf_putc(s->out, '|');
    else if (s->out->len > 0)
        buf_putc(s->out, ' ');
    s->is_open = true;
    buf_add(s->out, a, a_len);
    buf_add(s->out, b, b_len);
}

/* As written, and without the zeros that fill up its number. */
static void put_padded(struct sink *s, const char *at, size_t len, size_t digits, size_t zeros)
{
    const size_t clipped = clip(at, len);
    put(s, at, clipped, "", 0);
    if (zeros > 0 && clipped == len)
        put(s, at, len - digits, at + len - digits + zeros, digits - zeros);
}

static void put_units(struct sink *s, const struct run *r, int first)
{
    const char *at = r->parts[first].at;
    enum joint inside = JOINT_NONE;
    for (int last = first + 1; last < r->count; last++) {
        const struct part *p = &r->parts[last];
        if (p->before > inside)
            inside = p->before;
        if (is_unit(r, first, last, inside) && is_name(r, first, last))
            put_padded(s, at, (size_t)(p->at + p->len - at), p->digits,
                       padding_of_span(r, first, last));
    }
}

static void put_part(struct sink *s, const struct run *r, int i)
{
    const struct part *p = &r->parts[i];
    const size_t zeros = padding_of_span(r, i, i);
    put_padded(s, p->at, p->len, p->digits, zeros + padding_in_compound(r, i));
    if (p->digits >= NUMBER_MIN && p->digits < p->len && p->digits <= TOKEN_MAX)
        put(s, p->at + p->len - p->digits, p->digits, "", 0); /* KB5031356 is 5031356, too */
    if (s->language != STEM_NONE && is_word(p)) {
        size_t len;
        const char *stem = stem_word(s->language, p->at, p->len, &len);
        put(s, "~", 1, stem, clip(stem, len));
    }
}

static void index_compound(struct sink *s, const struct run *r)
{
    for (int i = 0; i < r->count && s->left > 0; i++) {
        s->is_open = false;
        put_units(s, r, i);
        put_part(s, r, i);
    }
}

/* Each character with the next, and each alone so that it can be asked for; the last stands where
 * the last pair does. */
static void index_pairs(struct sink *s, const struct run *r)
{
    int n, next;
    s->is_open = false;
    for (const char *p = r->at; p < r->end && s->left > 0; p += n) {
        kind_at(p, r->end, &n);
        next = 0;
        if (p + n < r->end) {
            s->is_open = false;
            kind_at(p + n, r->end, &next);
            put(s, p, (size_t)(n + next), "", 0);
        }
        put(s, p, (size_t)n, "", 0);
    }
}

static void index_complex(struct sink *s, const struct run *r)
{
    size_t *ends, start = 0;
    const int count = fold_cut(s->out->arena, r->at, (size_t)(r->end - r->at), &ends);
    for (int i = 0; i < count && s->left > 0; start = ends[i++]) {
        s->is_open = false;
        put(s, r->at + start, clip(r->at + start, ends[i] - start), "", 0);
    }
}

static void index_folded(struct sink *s, const char *p, const char *end)
{
    struct run r;
    for (; s->left > 0 && cut(p, end, &r); p = r.end) {
        if (r.kind == CHAR_PAIRED)
            index_pairs(s, &r);
        else if (r.kind == CHAR_COMPLEX)
            index_complex(s, &r);
        else
            index_compound(s, &r);
    }
}

/* How much of the text to fold at once, so that no more is folded than is indexed: to the last
 * white space before PIECE, which nothing reaches over; in a text without any, to a character. */
static size_t next_piece(const char *text, size_t len)
{
    if (len <= PIECE)
        return len;
    for (size_t n = PIECE; n > 0; n--)
        if ((unsigned char)text[n - 1] <= ' ')
            return n;
    size_t n = PIECE;
    while (n > PIECE - 3 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void words_index(struct buf *out, const char *text, const char *language, int max_tokens)
{
    struct sink s = {.out = out, .left = max_tokens, .language = stem_language(language)};
    struct buf folded = {.arena = out->arena};
    size_t len = strlen(text);
    while (len > 0 && s.left > 0) {
        const size_t n = next_piece(text, len);
        buf_clear(&folded);
        fold_add(&folded, text, n);
        index_folded(&s, buf_text(&folded), buf_text(&folded) + folded.len);
        text += n;
        len -= n;
    }
}

/* ---- queries ----------------------------------------------------------------------------------
 */

struct query {
    struct arena *arena;
    struct list tokens; /* of const char * */
    bool is_prefix;
};

static void ask(struct query *q, const char *at, size_t len)
{
    if (len > 0 && q->tokens.count < QUERY_MAX)
        *(const char **)list_add(q->arena, &q->tokens, sizeof(char *)) =
            arena_strndup(q->arena, at, len);
}

/* Without the zeros that fill up its number: the index has every number without them. */
static void ask_stripped(struct query *q, const char *at, size_t len, size_t digits, size_t zeros)
{
    if (zeros == 0 || len > TOKEN_MAX) {
        ask(q, at, clip(at, len));
        return;
    }
    struct buf b = {.arena = q->arena};
    buf_add(&b, at, len - digits);
    buf_add(&b, at + len - digits + zeros, digits - zeros);
    ask(q, buf_text(&b), b.len);
}

static void ask_compound(struct query *q, const struct run *r, bool is_alone, bool is_last)
{
    const struct part *last = &r->parts[r->count - 1];
    if (is_alone && r->count > 1 && is_name(r, 0, r->count - 1)) {
        const size_t zeros = q->is_prefix ? 0 : padding_of_span(r, 0, r->count - 1);
        ask_stripped(q, r->at, (size_t)(r->end - r->at), last->digits, zeros);
        return;
    }
    for (int i = 0; i < r->count; i++) {
        const struct part *p = &r->parts[i];
        const bool is_begin = q->is_prefix && is_last && p == last;
        const size_t zeros = is_begin ? 0 : padding_of_span(r, i, i) + padding_in_compound(r, i);
        ask_stripped(q, p->at, p->len, p->digits, zeros);
    }
}

static void ask_pairs(struct query *q, const struct run *r)
{
    int n, next;
    kind_at(r->at, r->end, &n);
    if (r->at + n == r->end)
        ask(q, r->at, (size_t)n);
    for (const char *p = r->at; p + n < r->end; p += n, n = next) {
        kind_at(p + n, r->end, &next);
        ask(q, p, (size_t)(n + next));
    }
}

static void ask_complex(struct query *q, const struct run *r)
{
    size_t *ends, start = 0;
    const int count = fold_cut(q->arena, r->at, (size_t)(r->end - r->at), &ends);
    for (int i = 0; i < count; start = ends[i++])
        ask(q, r->at + start, clip(r->at + start, ends[i] - start));
}

static int ask_all(struct query *q, const char *text, const char ***ret)
{
    struct buf folded = {.arena = q->arena};
    fold_add(&folded, text, strlen(text));
    const char *p = buf_text(&folded), *end = p + folded.len;
    struct run r, next;
    for (bool is_first = true; q->tokens.count < QUERY_MAX && cut(p, end, &r); p = r.end) {
        const bool is_last = !cut(r.end, end, &next);
        if (r.kind == CHAR_PAIRED)
            ask_pairs(q, &r);
        else if (r.kind == CHAR_COMPLEX)
            ask_complex(q, &r);
        else
            ask_compound(q, &r, is_first && is_last, is_last);
        is_first = false;
    }
    const int count = q->tokens.count;
    list_add(q->arena, &q->tokens, sizeof(char *)); /* NULL at the end */
    *ret = q->tokens.at;
    return count;
}

int words_of(struct arena *a, const char *text, const char ***ret)
{
    struct query q = {.arena = a};
    return ask_all(&q, text, ret);
}

int words_of_prefix(struct arena *a, const char *text, const char ***ret)
{
    struct query q = {.arena = a, .is_prefix = true};
    return ask_all(&q, text, ret);
}

static bool is_stemmed(const char *folded)
{
    const size_t len = strlen(folded);
    struct part p;
    return starts_part(folded, folded + len) &&
           cut_part(folded, folded + len, &p) == folded + len && is_word(&p);
}

const char *const *words_stems(struct arena *a, const char *folded)
{
    const char **stems = arena_array(a, STEM_LANGUAGES + 1, sizeof(char *));
    int count = 0;
    for (int i = 0; i < STEM_LANGUAGES && is_stemmed(folded); i++) {
        size_t len;
        const char *stem = stem_word((enum stem_language)i, folded, strlen(folded), &len);
        stems[count] = arena_strndup(a, stem, clip(stem, len));
        if (count == 0 || strcmp(stems[0], stems[count]) != 0)
            count++;
    }
    stems[count] = NULL;
    return stems;
}

char *words_fold(struct arena *a, const char *text)
{
    struct buf folded = {.arena = a};
    fold_add(&folded, text, strlen(text));
    return folded.len > 0 ? folded.at : arena_strdup(a, "");
}
