#include "lang/expr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/test.h"
#include "lang/expr_sample.h"

#define wrong(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

struct fixture {
    struct ctx cx;
    struct sample sample;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.cx.arena = arena_create()};
    sample_init(&f.sample, f.cx.arena);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_destroy(f->cx.arena);
    return 0;
}

static enum rc parse(struct fixture *f, const char *text, bool is_query, const struct expr **ret,
                     struct expr_fault *ret_fault)
{
    f->sample.scope.is_query = is_query;
    return expr_parse(&f->cx, &f->sample.scope, text, WANT_CONDITION, NULL, ret, ret_fault);
}

/* ---- conditions ----------------------------------------------------------------------------- */

static void test_holds(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"status = open", true},
        {"status = pending", false},
        {"status != pending", true},
        {"not status = open", false},
        {"priority <= high", true},
        {"priority < high", false},
        {"priority <= 2", true},
        {"priority = 1", false},
        {"priority between critical and medium", true},
        {"priority in (low, high)", true},
        {"priority not in (low, high)", false},
        {"impact = significant and urgency = medium", true},
        {"urgency = priority", false},
        {"urgency > priority", true},
        {"state = assigned or state = new", true},
        {"active", true},
        {"not active", false},
        {"active = true", true},
        {"is_vip and active", true},
        {"is_vip = active", true},
        {"(priority = high) = is_vip", true},
        {"is_major", false}, /* missing */
        {"not is_major", true},
        {"is_major = false", false},
        {"is_major != false", true},
        {"title contains \"PAPER\"", true},
        {"title contains \"floor: pap\"", true},
        {"title contains \"paper  jam\"", false},
        {"title starts with \"printer\"", true},
        {"title starts with \"jam\"", false},
        {"title = \"Printer on 2nd floor: paper jam\"", true},
        {"title = \"printer on 2nd floor: paper jam\"", false},
        {"reference = \"Ref \\\"A/7\\\"\"", true},
        {"number = INC-42", true},
        {"number in (INC-41, \"INC-42\")", true},
        {"number starts with \"inc-\"", true},
        {"process = incident", true},
        {"process = problem", false},
        {"category = hardware/printer", true},
        {"category under hardware", true},
        {"category under hardware/printer", true},
        {"category under hardware/printer/laser", false},
        {"category under \"hardware-rental\"", false},
        {"category not under software", true},
        {"assignee = bob", true},
        {"assignee = me", true},
        {"caller = me", false},
        {"caller = assignee", false},
        {"opened_by = assignee", true},
        {"specialist = claire.d", false},
        {"specialist != claire.d", true},
        {"specialist is empty", true},
        {"specialist = empty", true},
        {"assignee is not empty", true},
        {"assignee != empty", true},
        {"assignee = nobody.known", false},
        {"assignee != nobody.known", true},
        {"group in my groups", true},
        {"group = my groups", true},
        {"group in (\"Service Desk\", my groups)", true},
        {"group in (\"Service Desk\")", false},
        {"group not in my groups", false},
        {"organisation = ours and vendor = \"Printers Ltd\"", true},
        {"watchers = anna", true},
        {"watchers = me", false},
        {"watchers contains claire.d", true},
        {"watchers in (me, anna)", true},
        {"watchers != bob", true},
        {"watchers is empty", false},
        {"related = INC-41", true},
        {"related in (INC-43, INC-41)", true},
        {"related = problem", false},
        {"problem = PRB-7", true},
        {"parent is empty", true},
        {"created > now - 6 h", true},
        {"created > now - 5 h", false},
        {"created = today", true},
        {"created = 2026-03-10", true},
        {"created <= 2026-03-10", true},
        {"created > 2026-03-10", false},
        {"created < 2026-03-10", false},
        {"created >= 2026-03-10T08:30", true},
        {"created > 2026-03-10T08:30:00Z", false},
        {"created < 2026-03-10T09:31+01:00", true},
        {"created between 2026-03-01 and 2026-03-10", true},
        {"created in (2026-03-09, 2026-03-10)", true},
        {"resolved is empty", true},
        {"resolved > created", false},
        {"not resolved > created", true},
        {"due = today + 2 days", true},
        {"due < now", false},
        {"due > now", true},
        {"due - today = 2 days", true},
        {"due = \"2026-03-12\"", true},
        {"due - now < 2 days", true},
        {"now - created > 5 h", true},
        {"(now - created) / 1 h = 5.5", true},
        {"downtime = 1.5 h", true},
        {"downtime * 2 = 3 hours", true},
        {"downtime / 2 = 45 min", true},
        {"downtime * 0.5 = 45 min", true},
        {"downtime / 1.5 = 1 h", true},
        {"downtime + 30 min = 2h", true},
        {"downtime / 30 min = 3", true},
        {"effort = 2.5", true},
        {"effort > 2", true},
        {"effort * effort = 6.25", true},
        {"effort - seats = -37.5", true},
        {"seats / 3 = 13.3333", true},
        {"seats / open_tasks = 1", false}, /* division by zero is missing */
        {"seats / open_tasks != 1", true},
        {"cost = 120.5", true},
        {"cost > 120", true},
        {"cost * 2 = 241", true},
        {"cost / seats > 3", true},
        {"reassignments + reopens >= 2", true},
        {"-reassignments < 0", true},
        {"2 + 3 * 4 = 14", true},
        {"(2 + 3) * 4 = 20", true},
        {"10 - 3 - 2 = 5", true},
        {"if(is_vip, 1, 2) = 1", true},
        {"priority = if(is_major, low, high)", true},
        {"coalesce(specialist, assignee) = bob", true},
        {"coalesce(resolved, now) = now", true},
        {"coalesce(is_major, is_vip)", true},
        {"status = open or status = new and priority = low", true},
        {"(status = open or status = new) and priority = low", false},
        {"NOT status = new AND active = TRUE", true},
    };
    struct fixture *f = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *e;
        struct expr_fault fault = {0};
        if (parse(f, cases[i].text, false, &e, &fault) != OK)
            wrong("%s: %s (at %d)", cases[i].text, fault.text, fault.at);
        if (expr_holds(e, &f->sample.env) != cases[i].want)
            wrong("%s is not %d", cases[i].text, cases[i].want);
    }
}

/* ---- the manual ------------------------------------------------------------------------------ */

static char *read_manual(struct arena *a)
{
    char *text = arena_alloc(a, 65536);
    FILE *file = fopen(arena_printf(a, "%s/doc/language/README.md", getenv("TEST_SOURCE")), "r");
    if (!file)
        return NULL;
    text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return text;
}

/* What an example yields: true, false, a value as JSON, or "fault at 3: ...". */
static const char *yield_of(struct fixture *f, const char *kind, const char *text)
{
    struct arena *a = f->cx.arena;
    const bool is_value = str_starts(kind, "value ");
    const struct field *want = NULL;
    for (int i = 0; is_value && i < SAMPLE_FIELDS; i++) {
        if (str_equal(f->sample.fields[i].name, kind + 6))
            want = &f->sample.fields[i];
    }
    const struct expr *e;
    struct expr_fault fault;
    f->sample.scope.is_query = str_equal(kind, "search");
    if (expr_parse(&f->cx, &f->sample.scope, text, is_value ? WANT_VALUE : WANT_CONDITION, want, &e,
                   &fault) != OK)
        return arena_printf(a, "fault at %d: %s", fault.at + 1, fault.text);
    if (!is_value)
        return expr_holds(e, &f->sample.env) ? "true" : "false";

    struct buf out = {.arena = a};
    struct json j = {.out = &out};
    field_write(&j, want, expr_value(e, &f->sample.env));
    return buf_text(&out);
}

static void run_example(struct fixture *f, const char *kind, char *line)
{
    char *arrow = strstr(line, " => ");
    if (!arrow)
        wrong("no => in: %s", line);
    *arrow = '\0';
    const char *text = str_trim(f->cx.arena, line);
    const char *is = yield_of(f, kind, text);
    if (!str_equal(is, arrow + 4))
        wrong("%s\n  yields %s\n  not    %s", text, is, arrow + 4);
}

static void test_manual(void **state)
{
    struct fixture *f = *state;
    const char *kind = NULL;
    int examples = 0;
    char *rest = read_manual(f->cx.arena);
    assert_non_null(rest);

    for (char *line; (line = strsep(&rest, "\n"));) {
        const bool is_fence = str_starts(line, "```");
        if (is_fence && kind)
            kind = NULL;
        else if (is_fence)
            kind = line + 3;
        else if (kind && *kind) {
            run_example(f, kind, line);
            examples++;
        }
    }
    assert_true(examples > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_manual, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
