#include "lang/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/test.h"
#include "lang/fold.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static void folds(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"Printer ON Fire!", "printer on fire!"},
        {"Été déjà vu", "ete deja vu"},
        {"e\xcc\x81té", "ete"}, /* decomposed: letter and mark */
        {"Straße", "strasse"},
        {"œuvre ŒUVRE æsthetik", "oeuvre oeuvre aesthetik"},
        {"İstanbul Iı DİYARBAKIR", "istanbul ii diyarbakir"}, /* dotted I */
        {"Łódź Ølstykke Đorđe", "lodz olstykke dorde"},
        {"ＡＢ１２", "ab12"},             /* full width */
        {"ﬁle", "file"},                  /* ligature fi */
        {"x² ½", "x2 1⁄2"},               /* NFKC */
        {"l’imprimante", "l'imprimante"}, /* curly quote */
        {"a–b “q”", "a-b \"q\""},
        {"co\u00adoperate", "cooperate"}, /* soft hyphen */
        {"مُحَمَّد", "محمد"},                 /* Muhammad */
        {"أحمد", "احمد"},                 /* alef hamza */
        {"שָׁלוֹם", "שלום"},                 /* shalom */
        {"١٢٣", "123"},                   /* Arabic digits */
        {"Ёжик", "ежик"},                 /* Russian yo */
        {"Σίσυφος", "σισυφοσ"},           /* final sigma */
        {"プリ ﾌﾟ", "プリ プ"},           /* kana stays pu */
        {"हिन्दी", "हिन्दी"},               /* Hindi */
        {"a\xff"
         "b",
         "a�b"}, /* not UTF-8 */
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(words_fold(arena, cases[i].text), cases[i].want);
}

static void indexes(void **state)
{
    (void)state;
    static const struct {
        const char *language, *text, *want;
    } cases[] = {
        {"en", "", ""},
        {"en", " \t... -- @ !", ""},
        {"en", "Printers jammed", "printers|~printer jammed|~jam"},
        {"en-GB", "Printers", "printers|~printer"},
        {"fr", "Imprimantes réseau", "imprimantes|~imprim reseau|~reseau"},
        {"de", "Drucker", "drucker"},
        {NULL, "Drucker", "drucker"},
        {NULL, "l'imprimante d’Anna", "l imprimante d anna"},
        {"en", "don't", "don|~don t|~t"},
        {NULL, "follow-up", "follow up"},
        {NULL, "mot-clé", "mot cle"},
        {NULL, "max_connections", "max_connections|max connections"},
        {NULL, "srv-db01.example.org",
         "srv-db01|srv-db01.example.org|srv db01 example.org|example org"},
        {NULL, "Mail anna@example.org.", "mail anna@example.org|anna example.org|example org"},
        {NULL, "anna.meier@example.org",
         "anna.meier|anna.meier@example.org|anna meier example.org|example org"},
        {NULL, "10.0.0.7", "10.0.0.7|10 0 0 7"},
        {NULL, "10.0.0.7:8080", "10.0.0.7|10.0.0.7:8080|10 0 0 7 8080"},
        {NULL, "fe80::1", "fe80::1|fe80 1"},
        {NULL, "AB-12-34", "ab-12-34|ab 12 34"},
        {NULL, "INC-000042", "inc-000042|inc-42|inc 000042|42"},
        {NULL, "INC-42", "inc-42|inc 42"},
        {NULL, "ticket:INC-000042", "ticket:inc-000042|ticket inc-000042|inc-42|inc 000042|42"},
        {NULL, "INC0010001", "inc0010001|inc10001|0010001"},
        {NULL, "KB5031356", "kb5031356|5031356"},
        {NULL, "db01", "db01"},
        {NULL, "0049 30", "0049 30"},
        {NULL, "2026-05-06", "2026-05-06|2026 05 06"},
        {NULL, "https://wiki.example.org/a?b=1",
         "https wiki.example.org|wiki example.org|example org a b 1"},
        {NULL, "a..b a--b _x_ .net", "a b a b x net"},
        {NULL, "東京都", "東京|東 京都|京|都"},
        {NULL, "東", "東"},
        {NULL, "PCで", "pc で"},
        {NULL, "ผมชอบกินข้าว", "ผม ชอบ กิน ข้าว"}, /* Thai: I like to eat rice */
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {.arena = arena};
        words_index(&b, cases[i].text, cases[i].language, 1000);
        assert_string_equal(buf_text(&b), cases[i].want);
    }
}

static const char *join(const char **tokens, int count)
{
    struct buf b = {.arena = arena};
    for (int i = 0; i < count; i++)
        buf_printf(&b, "%s%s", i ? " " : "", tokens[i]);
    assert_null(tokens[count]);
    return buf_text(&b);
}

static void asks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want, *prefix;
    } cases[] = {
        {"", "", ""},
        {"?!", "", ""},
        {"Printers", "printers", "printers"},
        {"out of paper", "out of paper", "out of paper"},
        {"INC-000042", "inc-42", "inc-000042"},
        {"INC-42", "inc-42", "inc-42"},
        {"INC0010001", "inc10001", "inc0010001"},
        {"the INC-000042 ticket", "the inc 42 ticket", "the inc 42 ticket"},
        {"see INC-0004", "see inc 4", "see inc 0004"},
        {"srv-db01.example.org", "srv-db01.example.org", "srv-db01.example.org"},
        {"on srv-db01", "on srv db01", "on srv db01"},
        {"10.0.0.7", "10.0.0.7", "10.0.0.7"},
        {"anna@example.org", "anna@example.org", "anna@example.org"},
        {"Follow-up", "follow up", "follow up"},
        {"東京都", "東京 京都", "東京 京都"},
        {"東", "東", "東"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const char **tokens;
        int count = words_of(arena, cases[i].text, &tokens);
        assert_string_equal(join(tokens, count), cases[i].want);
        count = words_of_prefix(arena, cases[i].text, &tokens);
        assert_string_equal(join(tokens, count), cases[i].prefix);
    }
}

/* Every form finds every other: they have a stem in common. */
static void stems_meet(void **state)
{
    (void)state;
    static const char *const groups[][6] = {
        {"printer", "printers"},
        {"connect", "connected", "connecting", "connection", "connections"},
        {"imprimante", "imprimantes"},
        {"connecte", "connectes", "connectee", "connectees", "connecter"},
        {"arrete", "arretee", "arretees", "arreter", "arretes"},
    };
    for (int g = 0; g < ARRAY_LEN(groups); g++) {
        for (int i = 1; i < 6 && groups[g][i]; i++) {
            const char *const *a = words_stems(arena, groups[g][0]);
            const char *const *b = words_stems(arena, groups[g][i]);
            int common = 0;
            for (int x = 0; a[x]; x++)
                for (int y = 0; b[y]; y++)
                    common += !strcmp(a[x], b[y]);
            if (!common)
                print_message("%s %s\n", groups[g][0], groups[g][i]);
            assert_true(common > 0);
        }
    }
    assert_null(words_stems(arena, "db01")[0]);
    assert_null(words_stems(arena, "a-b")[0]);
    assert_null(words_stems(arena, "")[0]);
}

/* What is asked for alone is found in the text that consists of it. */
static bool holds_token(const char *indexed, const char *token)
{
    const size_t len = strlen(token);
    for (const char *p = indexed; (p = strstr(p, token)); p++) {
        const bool starts = p == indexed || p[-1] == ' ' || p[-1] == '|';
        if (starts && (!p[len] || p[len] == ' ' || p[len] == '|'))
            return true;
    }
    return false;
}

static const char *random_text(uint64_t *seed)
{
    static const char *const pieces[] = {
        "a", "B",   "zz",        "0", "000", "42", "7", "-", ".", "_", "@",    ":",
        " ", "inc", "e\xcc\x81", "é", "東",  "京", "'", "/", "ß", "’", "0001",
    };
    struct buf b = {.arena = arena};
    for (int n = 1 + next_random(seed) % 14; n > 0; n--)
        buf_puts(&b, pieces[next_random(seed) % ARRAY_LEN(pieces)]);
    return buf_text(&b);
}

static void finds_itself(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        const char *text = random_text(&seed);
        struct buf b = {.arena = arena};
        words_index(&b, text, "en", 1000);
        const char **tokens;
        const int count = words_of(arena, text, &tokens);
        for (int t = 0; t < count; t++) {
            if (!holds_token(buf_text(&b), tokens[t]))
                print_message("%s -> %s: no %s\n", text, buf_text(&b), tokens[t]);
            assert_true(holds_token(buf_text(&b), tokens[t]));
        }
        if (i % 1000 == 0)
            arena_reset(arena);
    }
}

static void is_bounded(void **state)
{
    (void)state;
    struct buf text = {.arena = arena}, out = {.arena = arena};
    for (int i = 0; i < 100; i++)
        buf_puts(&text, "éẞж");
    words_index(&out, buf_text(&text), NULL, 10);
    assert_true(out.len <= 64 && out.len > 60);

    buf_clear(&out);
    words_index(&out, "a b c d", "en", 3);
    assert_string_equal(buf_text(&out), "a|~a b");
    words_index(&out, "e", NULL, 3); /* appended */
    assert_string_equal(buf_text(&out), "a|~a b e");
}

/* Long texts are folded in pieces, and that does not show. */
static void pieces_do_not_show(void **state)
{
    (void)state;
    static const char *const words[] = {"printer", "Été",           "INC-000042",
                                        "東京",    "a@example.org", "de\xcc\x81ja"};
    struct buf text = {.arena = arena}, want = {.arena = arena}, out = {.arena = arena};
    uint64_t seed = 3;
    for (int i = 0; i < 10000; i++) {
        const char *word = words[next_random(&seed) % ARRAY_LEN(words)];
        buf_printf(&text, "%s\n", word);
        words_index(&want, word, "en", 100);
    }
    words_index(&out, buf_text(&text), "en", 1000000);
    assert_string_equal(buf_text(&out), buf_text(&want));

    buf_clear(&out);
    buf_clear(&text);
    for (int i = 0; i < 10000; i++)
        buf_puts(&text, "é");
    words_index(&out, buf_text(&text), NULL, 10);
    assert_true(out.len > 64); /* one long word in several pieces */
}

/* The table and ICU agree, on ASCII and on all else. */
static void table_is_icu(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        size_t len = 0;
        while (len < 40) {
            static const struct {
                unsigned from, to;
            } ranges[] = {{1, 0x80}, {0x20, 0x7f}, {0x80, 0x250}, {0x2010, 0x2060}, {0x300, 0x320}};
            const int range = next_random(&seed) % (i % 2 ? 4 : ARRAY_LEN(ranges));
            const unsigned c =
                ranges[range].from + next_random(&seed) % (ranges[range].to - ranges[range].from);
            if (c < 0x80) {
                text[len++] = (char)c;
            } else if (c < 0x800) {
                text[len++] = (char)(0xc0 | c >> 6);
                text[len++] = (char)(0x80 | (c & 0x3f));
            } else {
                text[len++] = (char)(0xe0 | c >> 12);
                text[len++] = (char)(0x80 | (c >> 6 & 0x3f));
                text[len++] = (char)(0x80 | (c & 0x3f));
            }
        }
        struct buf fast = {.arena = arena}, slow = {.arena = arena}, again = {.arena = arena};
        fold_add(&fast, text, len);
        fold_add_slowly(&slow, text, len);
        fold_add(&again, fast.at, fast.len);
        assert_string_equal(buf_text(&fast), buf_text(&slow));
        assert_string_equal(buf_text(&fast), buf_text(&again));
        if (i % 1000 == 0)
            arena_reset(arena);
    }
}

static void knows_ascii(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x80; c++) {
        const char text[] = {(char)c, 0};
        struct buf b = {.arena = arena};
        words_index(&b, text, NULL, 10);
        const enum char_kind kind = char_kind(c);
        assert_int_equal(b.len > 0, kind == CHAR_LETTER || kind == CHAR_DIGIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folds, setup, teardown),
        cmocka_unit_test_setup_teardown(indexes, setup, teardown),
        cmocka_unit_test_setup_teardown(asks, setup, teardown),
        cmocka_unit_test_setup_teardown(stems_meet, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_do_not_show, setup, teardown),
        cmocka_unit_test_setup_teardown(table_is_icu, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_ascii, setup, teardown),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
