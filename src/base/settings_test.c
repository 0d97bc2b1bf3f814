#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/test.h"
#include "base/time.h"

static struct ctx cx;
static char folder[] = "/tmp/fettle_settings_XXXXXX";
static const char *file;

/* All but how the results of tests are printed. */
static void empty_environment(void)
{
    const char *output = getenv("CMOCKA_MESSAGE_OUTPUT");
    char *kept = output ? strdup(output) : NULL;
    clearenv();
    if (kept)
        setenv("CMOCKA_MESSAGE_OUTPUT", kept, 1);
    free(kept);
}

static int setup(void **state)
{
    (void)state;
    empty_environment();
    cx = (struct ctx){.arena = arena_create()};
    if (!mkdtemp(folder))
        return -1;
    file = arena_printf(cx.arena, "%s/f.yaml", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(file);
    arena_destroy(cx.arena);
    return rmdir(folder);
}

static enum rc load(const char *yaml, const char *const *flags, const struct settings **ret)
{
    if (yaml)
        assert_int_equal(file_write(&cx, file, yaml, strlen(yaml)), OK);
    return settings_load(&cx, yaml ? file : NULL, flags, ret);
}

static void test_defaults(void **state)
{
    (void)state;
    const struct settings *s;
    assert_int_equal(load(NULL, NULL, &s), OK);
    assert_string_equal(settings_text(s, SETTING_LISTEN), "127.0.0.1:8080");
    assert_string_equal(settings_text(s, SETTING_BASE_URL), "http://127.0.0.1:8080");
    assert_int_equal(settings_int(s, SETTING_WORKERS), 32);
    assert_int_equal(settings_int(s, SETTING_MAX_BODY), 1048576);
    assert_true(settings_int(s, SETTING_SESSION_IDLE) == 8 * US_PER_HOUR);
    assert_int_equal(settings_int(s, SETTING_SECURE_COOKIES), 1);
    assert_int_equal(settings_int(s, SETTING_TEST_CLOCK), 0);
    assert_string_equal(secret_reveal(settings_secret(s, SETTING_DATABASE)),
                        "sqlite:./data/fettle.db");
    assert_string_equal(settings_source(s, SETTING_DATABASE), "default");
}

static void test_table_is_complete(void **state)
{
    (void)state;
    const struct setting *table = settings_table();
    for (int i = 0; i < SETTING_COUNT; i++) {
        assert_non_null(table[i].name);
        assert_false(str_is_empty(table[i].help));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(table[i].name, table[j].name);
    }
}

static void test_later_sources_win(void **state)
{
    (void)state;
    static const char yaml[] = "data: /srv/f\n"
                               "http:\n"
                               "  listen: 0.0.0.0:80\n"
                               "  workers: 4\n"
                               "  idle_timeout: 2 min\n"
                               "session.idle: 2 days\n";
    static const char *const flags[] = {"--http.workers=6", "--test.clock", NULL};
    const struct settings *s;
    setenv("FETTLE_HTTP__LISTEN", "127.0.0.1:81", 1);
    setenv("FETTLE_HTTP__WORKERS", "5", 1);
    setenv("FETTLE_TOKEN", "not a setting, and not ours", 1);
    assert_int_equal(load(yaml, flags, &s), OK);
    empty_environment();
    assert_string_equal(settings_text(s, SETTING_DATA), "/srv/f");
    assert_string_equal(secret_reveal(settings_secret(s, SETTING_DATABASE)),
                        "sqlite:/srv/f/fettle.db");
    assert_string_equal(settings_text(s, SETTING_LISTEN), "127.0.0.1:81");
    assert_string_equal(settings_source(s, SETTING_LISTEN), "FETTLE_HTTP__LISTEN");
    assert_int_equal(settings_int(s, SETTING_WORKERS), 6);
    assert_string_equal(settings_source(s, SETTING_WORKERS), "--http.workers");
    assert_true(settings_int(s, SETTING_IDLE_TIMEOUT) == 2 * US_PER_MIN);
    assert_true(str_ends(settings_source(s, SETTING_IDLE_TIMEOUT), "f.yaml:5:17"));
    assert_true(settings_int(s, SETTING_SESSION_IDLE) == 2 * US_PER_DAY);
    assert_int_equal(settings_int(s, SETTING_TEST_CLOCK), 1);
}

static void test_refused_in_files(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *want; /* how the message ends */
    } cases[] = {
        {"http: {lisen: x}",
         "f.yaml:1:8: there is no setting 'http.lisen', perhaps 'http.listen' is meant"},
        {"colour: red", "f.yaml:1:1: there is no setting 'colour'"},
        {"data: [a]", "f.yaml:1:7: data must be a single value, not a list"},
        {"data:\n", "f.yaml:1:1: data has no value"},
        {"- data", "f.yaml:1:1: settings are written as 'name: value'"},
        {"http: {workers: 2}\nhttp.workers: 3",
         "f.yaml:2:1: http.workers is here twice, first at f.yaml:1:17"},
        {"http: {workers: many}", "f.yaml:1:17: http.workers must be a whole number, not 'many'"},
        {"http: {workers: 0}", "f.yaml:1:17: http.workers must be from 1 to 1024, not '0'"},
        {"http.max_body: 1 TiB",
         "http.max_body must be a size such as 512 KiB or 50 MiB, not '1 TiB'"},
        {"http.max_body: 1 GiB", "http.max_body must be from 1 KiB to 64 MiB, not '1 GiB'"},
        {"session.idle: 8", "session.idle must be a duration such as 10 s, 30 min, 8 h or 2 days, "
                            "not '8'"},
        {"session.idle: 1 s", "session.idle must be from 1 min to 30 days, not '1 s'"},
        {"test.clock: yes", "test.clock must be true or false, not 'yes'"},
        {"log.level: loud", "log.level must be one of: error warning info debug, not 'loud'"},
        {"log.level: error warning",
         "log.level must be one of: error warning info debug, not 'error warning'"},
        {"http.base_url: example.org",
         "http.base_url must begin with https:// or http://, not 'example.org'"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct settings *s = NULL;
        assert_int_equal(load(cases[i].yaml, NULL, &s), E_INVALID);
        assert_null(s);
        /* Messages carry the whole path of the file; the cases only its name. */
        struct buf text = {.arena = cx.arena};
        for (const char *p = cx.err.text; *p;) {
            const size_t len = strlen(folder) + 1;
            if (str_starts(p, folder))
                p += len;
            else
                buf_putc(&text, *p++);
        }
        assert_true(str_ends(buf_text(&text), cases[i].want));
    }
    const struct settings *s;
    assert_int_equal(load("a: [", NULL, &s), E_MALFORMED);
    assert_int_equal(settings_load(&cx, "/nonexistent/f.yaml", NULL, &s), E_NOT_FOUND);
}

static void test_refused_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *flag, *want;
    } cases[] = {
        {"FETTLE_DATABSE", NULL,
         "environment: there is no setting 'FETTLE_DATABSE', perhaps 'FETTLE_DATABASE' is meant"},
        {"FETTLE_HTTP__LISTEN_FILE", NULL,
         "environment: there is no setting 'FETTLE_HTTP__LISTEN_FILE'"},
        {"FETTLE_HTTP__LOOPS", NULL,
         "FETTLE_HTTP__LOOPS: http.loops must be a whole number, not 'x'"},
        {NULL, "--http.loops=x", "--http.loops: http.loops must be a whole number, not 'x'"},
        {NULL, "--http.lops=1",
         "--http.lops: there is no setting 'http.lops', perhaps 'http.loops' is meant"},
        {NULL, "--http.loops", "--http.loops needs a value: --http.loops=..."},
        {NULL, "serve", "'serve' is not a setting as --name=value"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const flags[] = {cases[i].flag, NULL};
        const struct settings *s;
        if (cases[i].variable)
            setenv(cases[i].variable, "x", 1);
        assert_int_equal(load(NULL, flags, &s), E_INVALID);
        assert_string_equal(cx.err.text, cases[i].want);
        empty_environment();
    }
}

static void test_secrets_in_files(void **state)
{
    (void)state;
    const struct settings *s;
    assert_int_equal(file_write(&cx, file, "postgresql://me:pw@db/f\n", 24), OK);
    setenv("FETTLE_DATABASE_FILE", file, 1);
    assert_int_equal(load(NULL, NULL, &s), OK);
    assert_string_equal(secret_reveal(settings_secret(s, SETTING_DATABASE)),
                        "postgresql://me:pw@db/f");
    assert_string_equal(settings_source(s, SETTING_DATABASE), "FETTLE_DATABASE_FILE");

    struct buf out = {.arena = cx.arena};
    settings_print(s, SETTINGS_ALL, &out);
    assert_null(strstr(buf_text(&out), "pw"));
    assert_non_null(strstr(buf_text(&out), "database: (set)  # FETTLE_DATABASE_FILE\n"));

    setenv("FETTLE_DATABASE", "sqlite:x", 1);
    assert_int_equal(load(NULL, NULL, &s), E_INVALID);
    assert_string_equal(cx.err.text, "FETTLE_DATABASE_FILE and FETTLE_DATABASE are both set");
    unsetenv("FETTLE_DATABASE");
    setenv("FETTLE_DATABASE_FILE", "/nonexistent", 1);
    assert_int_equal(load(NULL, NULL, &s), E_INVALID);
    assert_string_equal(cx.err.text, "FETTLE_DATABASE_FILE: there is no /nonexistent");
    empty_environment();
}

static void test_printed(void **state)
{
    (void)state;
    static const char *const flags[] = {"--http.loops=2", "--data=./a: b#c",
                                        "--http.base_url=https://itsm.example.org/", NULL};
    const struct settings *s;
    assert_int_equal(load(NULL, flags, &s), OK);
    struct buf out = {.arena = cx.arena};
    settings_print(s, SETTINGS_CHANGED, &out);
    assert_string_equal(buf_text(&out), "data: \"./a: b#c\"  # --data\n"
                                        "http:\n"
                                        "  base_url: https://itsm.example.org  # --http.base_url\n"
                                        "  loops: 2  # --http.loops\n");
}

/* What is printed reads back as the same settings, but for secrets. */
static void test_printed_reads_back(void **state)
{
    (void)state;
    const struct settings *s, *back;
    assert_int_equal(load(NULL, NULL, &s), OK);
    struct buf out = {.arena = cx.arena};
    settings_print(s, SETTINGS_ALL, &out);
    assert_int_equal(load(buf_text(&out), NULL, &back), OK);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (settings_table()[i].kind != SET_SECRET)
            assert_string_equal(settings_text(back, (enum setting_id)i),
                                settings_text(s, (enum setting_id)i));
    }
}

static void test_manual(void **state)
{
    (void)state;
    struct buf out = {.arena = cx.arena};
    settings_manual(&out);
    assert_non_null(strstr(buf_text(&out), "| `http.workers` | `32` | `FETTLE_HTTP__WORKERS` | "));
    assert_non_null(strstr(buf_text(&out), " (from 1 min to 30 days) |\n"));
    assert_non_null(strstr(buf_text(&out), " (one of: text json) |\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_table_is_complete),
        cmocka_unit_test(test_later_sources_win),
        cmocka_unit_test(test_refused_in_files),
        cmocka_unit_test(test_refused_elsewhere),
        cmocka_unit_test(test_secrets_in_files),
        cmocka_unit_test(test_printed),
        cmocka_unit_test(test_printed_reads_back),
        cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
