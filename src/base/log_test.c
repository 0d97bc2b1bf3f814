#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/str.h"
#include "base/test.h"

static char line[10000];
static size_t line_len;
static int ends[2];
static int saved;

static void capture(void)
{
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
}

static void captured(void)
{
    dup2(saved, STDERR_FILENO);
    const ssize_t n = read(ends[0], line, sizeof(line) - 1);
    line_len = n > 0 ? (size_t)n : 0;
    line[line_len] = '\0';
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

#define LOG(...) (capture(), log_write(__VA_ARGS__), captured())

/* The line behind its time stamp. */
static const char *shown(void)
{
    const char *space = strchr(line, ' ');
    return space ? space + 1 : line;
}

static void test_text(void **state)
{
    (void)state;
    log_setup(LOG_INFO, 0);
    LOG(LOG_INFO, "request", LOG_TEXT("path", "/api"), LOG_NUM("status", 200));
    assert_string_equal(shown(), "info request path=/api status=200\n");
    assert_true(str_starts(line, "20"));
    assert_int_equal(line[10], 'T');
    LOG(LOG_ERROR, "the disk is full");
    assert_string_equal(shown(), "error the disk is full\n");
    LOG(LOG_WARNING, "x", LOG_TEXT("none", NULL), LOG_NUM("n", -1));
    assert_string_equal(shown(), "warning x none=\"\" n=-1\n");
    LOG(LOG_DEBUG, "unseen");
    assert_int_equal(line_len, 0);
    log_setup(LOG_DEBUG, 0);
    LOG(LOG_DEBUG, "seen");
    assert_string_equal(shown(), "debug seen\n");
}

static const struct {
    const char *value, *text, *json;
} hostile[] = {
    {"a b", "\"a b\"", "\"a b\""},
    {"x\n2026 info forged", "\"x\\n2026 info forged\"", "\"x\\n2026 info forged\""},
    {"a=b", "\"a=b\"", "\"a=b\""},
    {"say \"hi\" \\", "\"say \\\"hi\\\" \\\\\"", "\"say \\\"hi\\\" \\\\\""},
    {"\x1b[2J", "\\u001b[2J", "\"\\u001b[2J\""},
    {"\x7f", "\\u007f", "\"\\u007f\""},
    {"\xc2\x9b"
     "31m",
     "\\u009b31m", "\"\\u009b31m\""}, /* a control of one byte */
    {"\xe2\x80\xae"
     "cod",
     "\\u202ecod", "\"\\u202ecod\""},           /* from right to left */
    {"\xe2\x80\xa8", "\\u2028", "\"\\u2028\""}, /* a line separator */
    {"caf\xc3\xa9 ", "\"caf\xc3\xa9 \"", "\"caf\xc3\xa9 \""},
    {"\xf0\x9f\x94\xa5", "\xf0\x9f\x94\xa5", "\"\xf0\x9f\x94\xa5\""},
    {"\xff\xfe", "\\xff\\xfe", "\"\\ufffd\\ufffd\""},
    {"caf\xc3", "caf\\xc3", "\"caf\\ufffd\""},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\ufffd\\ufffd\\ufffd\""},
};

static void test_nothing_forges_a_line(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    for (int i = 0; i < ARRAY_LEN(hostile); i++) {
        log_setup(LOG_INFO, 0);
        LOG(LOG_INFO, "m", LOG_TEXT("v", hostile[i].value));
        assert_string_equal(shown(), arena_printf(a, "info m v=%s\n", hostile[i].text));
        log_setup(LOG_INFO, 1);
        LOG(LOG_INFO, "m", LOG_TEXT("v", hostile[i].value));
        const char *want =
            arena_printf(a, "\"level\":\"info\",\"msg\":\"m\",\"v\":%s}\n", hostile[i].json);
        assert_true(str_starts(line, "{\"ts\":\"20"));
        assert_true(str_ends(line, want));
    }
    arena_destroy(a);
}

/* However long the values are, a line fits into a pipe at once and is whole. */
static void test_long_values_are_cut(void **state)
{
    (void)state;
    struct ctx cx = {.arena = arena_create()};
    for (size_t len = 1000; len < 20000; len += 37) {
        char *text = arena_alloc(cx.arena, len + 1);
        memset(text, len % 2 ? '\n' : 'x', len);
        log_setup(LOG_INFO, 0);
        LOG(LOG_INFO, "long", LOG_TEXT("a", text), LOG_TEXT("b", text), LOG_NUM("c", INT64_MIN));
        assert_true(line_len <= 4096);
        assert_int_equal(strchr(line, '\n') - line, line_len - 1);

        log_setup(LOG_INFO, 1);
        LOG(LOG_INFO, text, LOG_TEXT("a", text), LOG_TEXT("b", text), LOG_NUM("c", INT64_MIN));
        assert_true(line_len <= 4096);
        assert_int_equal(strchr(line, '\n') - line, line_len - 1);
        struct val v;
        assert_int_equal(json_parse(&cx, line, line_len, &v), OK);
        arena_reset(cx.arena);
    }
    arena_destroy(cx.arena);
}

static void test_level_names(void **state)
{
    (void)state;
    enum log_level level;
    assert_true(log_level_from_name("warning", &level));
    assert_int_equal(level, LOG_WARNING);
    assert_false(log_level_from_name("loud", &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_nothing_forges_a_line),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
