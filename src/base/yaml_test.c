#include "base/yaml.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/test.h"

/* The tree in one line: [items], {key: value}, "quoted", plain. */
static void show(struct buf *b, const struct yaml *n)
{
    if (n->kind == YAML_SCALAR) {
        buf_printf(b, n->is_quoted ? "\"%s\"" : "%s", n->text);
        return;
    }
    buf_putc(b, n->kind == YAML_LIST ? '[' : '{');
    for (int i = 0; i < n->count; i++) {
        if (i)
            buf_puts(b, ", ");
        if (n->kind == YAML_MAP) {
            show(b, &n->pairs[i].key);
            buf_puts(b, ": ");
        }
        show(b, n->kind == YAML_LIST ? &n->items[i] : &n->pairs[i].value);
    }
    buf_putc(b, n->kind == YAML_LIST ? ']' : '}');
}

static void test_trees(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "{}"},
        {"# nothing\n", "{}"},
        {"\xef\xbb\xbf"
         "a: b",
         "{a: b}"}, /* with a byte order mark */
        {"a: b", "{a: b}"},
        {"---\na: b\n...\n", "{a: b}"},
        {"%YAML 1.1\n---\na: b\n", "{a: b}"},
        {"a:\nb: ''\nc: ~\n", "{a: , b: \"\", c: ~}"},
        {"a: [1, 'two', {three: on}]", "{a: [1, \"two\", {three: on}]}"},
        {"- - 1\n  - 2\n- 3", "[[1, 2], 3]"},
        {"a: |\n  one\n  two\n", "{a: \"one\ntwo\n\"}"},
        {"a: one\n  two", "{a: one two}"},
        {"b: 1\na: 2\nc: 3", "{b: 1, a: 2, c: 3}"},
        {"'yes': no", "{\"yes\": no}"},
        {"caf\xc3\xa9: \"\\u20ac\"", "{caf\xc3\xa9: \"\xe2\x82\xac\"}"},
        {"plain", "plain"},
        {"a: {}\nb: []", "{a: {}, b: []}"},
        {"<<: {a: b}", "{<<: {a: b}}"}, /* a key like any other */
    };
    struct ctx cx = {.arena = arena_create()};
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct yaml *root = NULL;
        assert_int_equal(yaml_parse(&cx, "f", cases[i].text, strlen(cases[i].text), &root), OK);
        struct buf b = {.arena = cx.arena};
        show(&b, root);
        assert_string_equal(buf_text(&b), cases[i].want);
    }
    arena_destroy(cx.arena);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* how the message begins */
    } cases[] = {
        {"a: &x b", "f.yaml:1:4: anchors (&name)"},
        {"a: *x", "f.yaml:1:4: aliases (*name)"},
        {"a: !!str b", "f.yaml:1:4: tags (!name)"},
        {"a: !x [b]", "f.yaml:1:4: tags (!name)"},
        {"a: ! b", "f.yaml:1:4: tags (!name)"},
        {"a: b\n---\nc: d", "f.yaml:2:1: a second document"},
        {"a: 1\nb: 2\na: 3", "f.yaml:3:1: 'a' is here twice, first in line 1"},
        {"x: {a: 1, 'a': 2}", "f.yaml:1:11: 'a' is here twice, first in line 1"},
        {"? [a]\n: b", "f.yaml:1:3: a key must be a word"},
        {"a: \"x\\0y\"", "f.yaml:1:4: a text must not contain the character NUL"},
        {"a: [1, 2", "f.yaml:2:1: did not find expected ',' or ']' (while parsing a flow sequence"},
        {"a: b: c", "f.yaml:1:5: mapping values are not allowed"},
        {"a:\n\tb: c", "f.yaml:2:1: found character that cannot start any token"},
        {"a: 'b", "f.yaml:1:6: found unexpected end of stream"},
        {"a: \xff", "f.yaml: invalid leading UTF-8 octet at byte 3"},
        {"a: \x01", "f.yaml: control characters are not allowed at byte 3"},
        {"%YAML 2.0\n---\na: b", "f.yaml:1:1: found incompatible YAML document"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
         "f.yaml:1:33: lists and maps are nested too deep"},
    };
    struct ctx cx = {.arena = arena_create()};
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct yaml *root = NULL;
        const size_t len = strlen(cases[i].text);
        assert_int_equal(yaml_parse(&cx, "f.yaml", cases[i].text, len, &root), E_MALFORMED);
        assert_null(root);
        char begins[200];
        snprintf(begins, sizeof(begins), "%.*s", (int)strlen(cases[i].want), cx.err.text);
        assert_string_equal(begins, cases[i].want);
    }
    arena_destroy(cx.arena);
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    const struct yaml *root;
    const size_t len = ((size_t)1 << 20) + 1;
    char *text = arena_alloc(cx.arena, len);
    memset(text, ' ', len);
    assert_int_equal(yaml_parse(&cx, "f", text, len - 1, &root), OK);
    assert_int_equal(yaml_parse(&cx, "f", text, len, &root), E_TOO_LARGE);
    arena_destroy(cx.arena);
}

static void test_get_and_places(void **state)
{
    (void)state;
    static const char text[] = "process: incident\nfields:\n  title: {is: text}\n  - x\n";
    static const char right[] = "process: incident\nfields:\n  title: {is: text}\n";
    struct ctx cx = {.arena = arena_create()};
    const struct yaml *root = NULL;
    assert_int_equal(yaml_parse(&cx, "p.yaml", text, strlen(text), &root), E_MALFORMED);
    assert_int_equal(yaml_parse(&cx, "p.yaml", right, strlen(right), &root), OK);
    const struct yaml *title = yaml_get(yaml_get(root, "fields"), "title");
    assert_int_equal(title->line, 3);
    assert_int_equal(title->column, 10);
    assert_string_equal(yaml_get(title, "is")->text, "text");
    assert_null(yaml_get(title, "of"));
    assert_null(yaml_get(NULL, "of"));
    assert_null(yaml_get(yaml_get(root, "process"), "of"));
    assert_int_equal(yaml_fail(&cx, E_INVALID, title, "no type '%s'", "txt"), E_INVALID);
    assert_string_equal(cx.err.text, "p.yaml:3:10: no type 'txt'");
    arena_destroy(cx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_size_is_bounded),
        cmocka_unit_test(test_get_and_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
