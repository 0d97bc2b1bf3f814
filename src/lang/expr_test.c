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

/* ---- searches ------------------------------------------------------------------------------- */

static void test_searches(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"", true},
        {"   ", true},
        {"???", true}, /* nothing to search for */
        {"-???", true},
        {"??? OR scanner", false},
        {"printer", true},
        {"PRINTERS", true}, /* another form */
        {"toner", false},
        {"-toner", true},
        {"-printer", false},
        {"NOT printer", false},
        {"-\"paper jam\"", false},
        {"-(toner scanner)", true},
        {"-status:open", false},
        {"-active", true}, /* joined by its sign, so a word */
        {"printer -toner (scanner OR jam)", true},
        {"\"2nd floor\"", true},
        {"\"printer floor\"", false},
        {"inc-42", true},
        {"INC-000042", true},
        {"prn-02", true},
        {"example.org", true},
        {"spare", true}, /* internal, and the environment hides nothing */
        {"a/7", true},
        {"status", false},
        {"active directory", false},
        {"active", true},
        {"(active)", true},
        {"printer and active", true},
        {"group in trouble", false},
        {"title is missing", false},
        {"order by phone", false},
        {"reassignments -2", false}, /* -2 calculates, and then nothing compares */
        {"reassignments - 2 = 0", true},
        {"reassignments-2 = 0", true},
        {"created > now -2 days", true},
        {"created > now - 2 days -toner", true},
        {"priority:high,", true},
        {"title:nothing", false},
        {"process:incident printer", true},
        {"http://prn-02.example.org", false}, /* http is no word of it */
        {"note: jam", false},
        {"jam , paper", true},
        {"if-then", false},
        {"if(is_vip, 1, 2) = 1 printer", true},
        {"updated - created > 4 h printer", true},
        {"(updated - created) > 4 h printer", true},
        {"caller.name", false},
        {"true", false},
        {"now", false},
        {"printer ORDER BY relevance, created desc, title asc", true},
        {"ORDER BY created", true},
        {"order by created", true},
    };
    struct fixture *f = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *e;
        struct expr_fault fault = {0};
        const enum rc rc = parse(f, cases[i].text, true, &e, &fault);
        if (rc != OK && cases[i].want)
            wrong("%s: %s (at %d)", cases[i].text, fault.text, fault.at);
        if (rc == OK && expr_holds(e, &f->sample.env) != cases[i].want)
            wrong("%s is not %d", cases[i].text, cases[i].want);
    }
}

static void test_words_and_who_asks(void **state)
{
    struct fixture *f = *state;
    const struct expr *e;
    assert_int_equal(parse(f, "spare", true, &e, NULL), OK);
    assert_true(expr_has_words(e));
    assert_true(expr_holds(e, &f->sample.env));
    f->sample.env.hides_internal = true;
    assert_false(expr_holds(e, &f->sample.env));

    assert_int_equal(parse(f, "assignee = me", false, &e, NULL), OK);
    assert_false(expr_has_words(e));
    assert_true(expr_holds(e, &f->sample.env));
    f->sample.env.me = 0; /* the system is nobody */
    f->sample.slots[FIELD_ASSIGNEE] = val_int(0);
    assert_false(expr_holds(e, &f->sample.env));
}

static void test_order(void **state)
{
    struct fixture *f = *state;
    const struct expr *e;
    int count;
    assert_int_equal(parse(f, "jam ORDER BY relevance, priority DESC, created asc", true, &e, NULL),
                     OK);
    const struct expr_order *orders = expr_orders(e, &count);
    assert_int_equal(count, 3);
    assert_null(orders[0].field);
    assert_string_equal(orders[1].field->name, "priority");
    assert_true(orders[1].is_descending);
    assert_string_equal(orders[2].field->name, "created");
    assert_false(orders[2].is_descending);
    assert_string_equal(expr_source(e), "jam ORDER BY relevance, priority DESC, created asc");
}

static void test_reads(void **state)
{
    struct fixture *f = *state;
    const struct expr *e;
    assert_int_equal(parse(f, "if(is_vip, cost, 1) > 3 or not state = new", false, &e, NULL), OK);
    assert_true(expr_reads(e, SAMPLE_IS_VIP));
    assert_true(expr_reads(e, SAMPLE_COST));
    assert_true(expr_reads(e, FIELD_STATE));
    assert_false(expr_reads(e, FIELD_TITLE));
    assert_int_equal(parse(f, "jam", true, &e, NULL), OK);
    assert_true(expr_reads(e, FIELD_TITLE));
    assert_true(expr_reads(e, SAMPLE_WORKAROUND));
    assert_false(expr_reads(e, FIELD_STATE));
}

/* ---- faults --------------------------------------------------------------------------------- */

static void test_faults(void **state)
{
    static const struct {
        const char *text;
        bool is_query;
        int at, len;
        const char *fault;
    } cases[] = {
        {"", false, 0, 0, "a value is missing at the end"},
        {"priorty = high", false, 0, 7,
         "there is no field \"priorty\"; did you mean \"priority\"?"},
        {"priorty:high", true, 0, 7, "there is no field \"priorty\"; did you mean \"priority\"?"},
        {"nonsense = 1", true, 0, 8, "there is no field \"nonsense\""},
        {"impact = hihg", false, 9, 4,
         "impact has no choice \"hihg\"; it has \"extensive\", \"significant\", ..."},
        {"impact = minr", false, 9, 4, "impact has no choice \"minr\"; did you mean \"minor\"?"},
        {"priority = 5", false, 11, 1, "priority has 4 choices, so its places are 1 to 4"},
        {"category = hardware/printr", false, 11, 15,
         "category has no choice \"hardware/printr\"; did you mean \"hardware/printer\"?"},
        {"status", false, 0, 6,
         "this is a choice, and a condition is needed; compare it with "
         "something"},
        {"1 + 2", false, 0, 5, "this is a number, and a condition is needed"},
        {"active and seats", false, 11, 5,
         "this is a number, and a condition is needed; compare it with something"},
        {"title = ", false, 8, 0, "a value is missing at the end"},
        {"title = \"x", false, 8, 2, "the quote is not closed"},
        {"\"x", true, 0, 2, "the quote is not closed"},
        {"(active", false, 7, 0, "a closing bracket is missing at the end"},
        {"active)", false, 6, 1, "an operator or the end is needed here, not )"},
        {"printer)", true, 7, 1, "an operator or the end is needed here, not )"},
        {"active active", false, 7, 6, "an operator or the end is needed here, not active"},
        {"active && is_vip", false, 7, 2, "there is no &&; write and"},
        {"!active", false, 0, 1, "there is no !; write not"},
        {"title = 'x'", false, 8, 1, "there is no '; write \""},
        {"status <> open", false, 7, 2, "there is no <>; write !="},
        {"seats % 2 = 0", false, 6, 1, "an operator or the end is needed here, not %"},
        {"status:open", false, 6, 1, "\":\" is for searches; write ="},
        {"= 3", true, 0, 1, "a comparison begins with a field"},
        {"printer and", true, 11, 0, "something to search for is missing at the end"},
        {"title + 1 = 2", false, 0, 9, "a text + a number has no meaning"},
        {"created + due > now", false, 0, 13, "an instant + a date has no meaning"},
        {"due + 1 h = due", false, 6, 3, "a date moves by whole days, as in 3 days"},
        {"downtime = 2", false, 11, 1,
         "a duration cannot be compared with a number; a duration has a unit, as in 2 h"},
        {"downtime > 2 working days", false, 13, 7,
         "working days depend on a calendar; an expression counts plain days"},
        {"created > \"yesterday\"", false, 10, 11,
         "an instant is written 2026-01-31 or 2026-01-31T13:45:00Z"},
        {"created > 2026-02-30", false, 10, 10, "there is no such date"},
        {"created > 2026-02-10T25:00", false, 10, 16,
         "there is no such instant; write 2026-01-31T13:45:00Z"},
        {"seats > 12345678901234567", false, 8, 16,
         "a number has at most 15 digits, 6 of them decimals"},
        {"cost / 0 > 1", false, 0, 8, "this divides by zero"},
        {"title contains other", false, 15, 5,
         "there is no field \"other\"; a text is written in quotes"},
        {"title contains number", false, 15, 6, "contains needs a text in quotes after it"},
        {"title contains \"\xcc\x81\"", false, 15, 4, "contains needs a letter or digit"},
        {"impact contains \"x\"", false, 0, 6,
         "contains needs a field with one line of text before it"},
        {"title under \"x\"", false, 0, 5, "under needs a field with a tree of choices before it"},
        {"caller = watchers", false, 9, 8,
         "several people can only stand on the left of a comparison"},
        {"caller in (me, empty)", false, 15, 5, "nothing compares with empty; write `is empty`"},
        {"caller in me", false, 10, 2, "a list in brackets is needed here, not me"},
        {"caller < me", false, 0, 6, "a person has no order; use = or !="},
        {"impact < state", false, 9, 5,
         "these choices are of different lists and have no common order"},
        {"seats between 1", false, 15, 0, "\"and\" and an upper bound is missing at the end"},
        {"if(active, 1)", false, 0, 13, "if takes three values: if(condition, then, otherwise)"},
        {"coalesce(seats) = 1", false, 0, 15, "coalesce takes two values or more"},
        {"if(active, 1, now) = 1", false, 14, 3, "a number cannot be compared with an instant"},
        {"is_vip = maybe", false, 9, 5, "a flag is true or false, not maybe"},
        {"active ORDER BY created", false, 7, 5,
         "an operator or the end is needed here, not ORDER"},
        {"jam ORDER BY nothing", true, 13, 7, "there is no field \"nothing\""},
        {"jam ORDER BY description", true, 13, 11, "nothing can be ordered by description"},
        {"jam ORDER BY created printer", true, 21, 7,
         "an operator or the end is needed here, not printer"},
        {"status = open = open", false, 14, 1, "comparisons cannot be chained; join two with and"},
        {"seats * seats * seats > 1", false, 0, 13,
         "this could overflow; fields with bounds (least, most) calculate further"},
    };
    struct fixture *f = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *e;
        struct expr_fault fault = {0};
        if (parse(f, cases[i].text, cases[i].is_query, &e, &fault) != E_INVALID)
            wrong("%s is accepted", cases[i].text);
        if (!str_equal(fault.text, cases[i].fault) || fault.at != cases[i].at ||
            fault.len != cases[i].len)
            wrong("%s: %d+%d %s", cases[i].text, fault.at, fault.len, fault.text);
    }
}

static const char *repeated(struct fixture *f, const char *before, const char *core,
                            const char *after, int count)
{
    struct buf b = {.arena = f->cx.arena};
    for (int i = 0; i < count; i++)
        buf_puts(&b, before);
    buf_puts(&b, core);
    for (int i = 0; i < count; i++)
        buf_puts(&b, after);
    return buf_text(&b);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    const struct expr *e;
    assert_int_equal(parse(f, repeated(f, "(", "active", ")", 32), false, &e, NULL), OK);
    assert_int_equal(parse(f, repeated(f, "(", "active", ")", 33), false, &e, NULL), E_INVALID);
    assert_int_equal(parse(f, repeated(f, "not ", "active", "", 32), false, &e, NULL), OK);
    assert_int_equal(parse(f, repeated(f, "not ", "active", "", 33), false, &e, NULL), E_INVALID);
    assert_int_equal(parse(f, repeated(f, "1 + ", "1", "", 33), false, &e, NULL), E_INVALID);
    assert_int_equal(parse(f, repeated(f, "is_vip or ", "active", "", 400), false, &e, NULL), OK);
    assert_int_equal(parse(f, repeated(f, "is_vip or ", "active", "", 410), false, &e, NULL),
                     E_INVALID); /* more than 4096 bytes */
    assert_int_equal(parse(f, repeated(f, "seats = 1 or ", "active", "", 150), false, &e, NULL),
                     OK);
    assert_int_equal(parse(f, repeated(f, "seats = 1 or ", "active", "", 151), false, &e, NULL),
                     E_INVALID);
    assert_int_equal(parse(f, "title = \"\xff\"", false, &e, NULL), E_INVALID);
}

/* ---- SQL ------------------------------------------------------------------------------------ */

/* The text, and behind it the parameters: ... | 3, "x" */
static const char *sql_of(struct fixture *f, const struct expr *e, int engine, bool is_joined)
{
    struct buf b = {.arena = f->cx.arena};
    struct expr_sql sql = {
        .out = &b,
        .record = "r",
        .engine = engine,
        .now = f->sample.env.now,
        .me = f->sample.env.me,
        .my_groups = f->sample.env.my_groups,
        .my_group_count = f->sample.env.my_group_count,
        .words_are_joined = is_joined,
    };
    expr_to_sql(&f->cx, e, &sql);
    const struct sql_param *p = sql.params.at;
    for (int i = 0; i < sql.params.count; i++) {
        buf_puts(&b, i ? ", " : " | ");
        if (p[i].is_text)
            buf_printf(&b, "\"%s\"", p[i].text);
        else
            buf_int(&b, p[i].i);
    }
    return buf_text(&b);
}

static void test_sql(void **state)
{
    static const struct {
        const char *text;
        int engine;
        const char *want;
    } cases[] = {
        {"status = open and active", 0, "r.status = CAST(:p1 AS BIGINT) AND r.active = 1 | 1"},
        {"priority <= high", 0, "r.priority <= CAST(:p1 AS BIGINT) | 2"},
        {"impact = minor", 0, "(r.fields ->> 'impact') = :p1 | \"minor\""},
        {"impact <= significant", 0, "(r.fields ->> 'impact') IN ('extensive', 'significant')"},
        {"assignee = me", 0, "r.assignee_id = CAST(:p1 AS BIGINT) | 12"},
        {"assignee = Bob", 0,
         "r.assignee_id = (SELECT id FROM person WHERE login = :p1) | \"bob\""},
        {"assignee != me", 0, "(r.assignee_id = CAST(:p1 AS BIGINT)) IS NOT TRUE | 12"},
        {"assignee is not empty", 0, "r.assignee_id IS NOT NULL"},
        {"group in my groups", 0,
         "r.group_id IN (CAST(:p1 AS BIGINT), CAST(:p2 AS BIGINT)) | 21, 22"},
        {"process = incident", 0,
         "r.process_id IN (SELECT id FROM process WHERE name IN (:p1)) | "
         "\"incident\""},
        {"created > now - 6 h", 0, "r.created_at > CAST(:p1 AS BIGINT) | 1773129600000000"},
        {"created = today", 0,
         "r.created_at BETWEEN CAST(:p1 AS BIGINT) AND CAST(:p2 AS BIGINT) | "
         "1773100800000000, 1773187199999999"},
        {"created > today", 0, "r.created_at >= CAST(:p1 AS BIGINT) | 1773187200000000"},
        {"now > today - 1 day", 0, "1 = 1"},
        {"title contains \"J\xc3\x84M\"", 0, "instr((r.folds ->> 'title'), :p1) > 0 | \"jam\""},
        {"title contains \"jam\"", 1,
         "strpos((r.folds ->> 'title'), CAST(:p1 AS TEXT)) > 0 | \"jam\""},
        {"watchers = me", 0,
         "r.id IN (SELECT w.record_id FROM watcher w WHERE w.person_id IN "
         "(CAST(:p1 AS BIGINT))) | 12"},
        {"active or is_vip", 0, "(r.active = 1 OR CAST((r.fields ->> 'is_vip') AS BIGINT) = 1)"},
        {"secret = \"x\"", 0, "CAST(NULL AS TEXT) = :p1 | \"x\""},
        {"seats + 1 > 2", 0,
         "(CASE WHEN CAST((r.fields ->> 'seats') AS BIGINT) BETWEEN -100000000000000 AND "
         "100000000000000 THEN CAST((r.fields ->> 'seats') AS BIGINT) END + CAST(:p1 AS BIGINT)) "
         "> CAST(:p2 AS BIGINT) | 1, 2"},
    };
    struct fixture *f = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *e;
        assert_int_equal(parse(f, cases[i].text, false, &e, NULL), OK);
        const char *is = sql_of(f, e, cases[i].engine, false);
        if (!str_equal(is, cases[i].want))
            wrong("%s\n  is  %s\n  not %s", cases[i].text, is, cases[i].want);
    }
}

static void test_full_text(void **state)
{
    static const struct {
        const char *text;
        const char *sqlite, *postgres; /* NULL: nothing that all results have */
    } cases[] = {
        {"\"paper jam\"", "{title body talk} : (\"paper jam\")", "('paper':ABC <-> 'jam':ABC)"},
        {"\"a\" \"b\" -\"c\"", "{title body talk} : (((\"a\") AND (\"b\")) NOT ((\"c\")))",
         "(('a':ABC)) & (('b':ABC))"},
        {"pap*", "{title body talk} : (\"pap\" *)", "('pap':*ABC)"},
        {"\"a\" OR \"b\"", "{title body talk} : ((\"a\") OR (\"b\"))", NULL},
        {"-\"a\"", NULL, NULL},
        {"\"a\" OR active", NULL, NULL},
        {"\"a\" OR -\"b\"", NULL, NULL},
        {"active and \"a\"", "{title body talk} : ((\"a\"))", NULL},
    };
    struct fixture *f = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *e;
        struct expr_sql sql = {.record = "r"};
        assert_int_equal(parse(f, cases[i].text, true, &e, NULL), OK);
        const char *is = expr_words_query(&f->cx, e, &sql);
        if (!str_equal(is, cases[i].sqlite))
            wrong("%s\n  is  %s\n  not %s", cases[i].text, is, cases[i].sqlite);
    }
    const struct expr *e;
    assert_int_equal(
        parse(f, "\"a\" and active and (priority = high or state = new)", true, &e, NULL), OK);
    assert_string_equal(sql_of(f, e, 0, true),
                        "r.active = 1 AND (r.priority = CAST(:p1 AS BIGINT) OR "
                        "r.state = :p2) | 2, \"new\"");
}

static void test_order_sql(void **state)
{
    static const struct {
        int slot;
        const char *want;
    } cases[] = {
        {FIELD_NUMBER, "r.id"},
        {FIELD_PRIORITY, "coalesce(r.priority, 99)"},
        {FIELD_CREATED, "r.created_at"},
        {FIELD_STATUS, "r.status"},
        {FIELD_TITLE, "(r.folds ->> 'title')"},
        {FIELD_ASSIGNEE, "(SELECT x.name_folded FROM person x WHERE x.id = r.assignee_id)"},
        {SAMPLE_COST, "CAST((r.fields ->> 'cost') AS BIGINT)"},
        {SAMPLE_IMPACT, "CASE (r.fields ->> 'impact') WHEN 'extensive' THEN 1 WHEN 'significant' "
                        "THEN 2 WHEN 'moderate' THEN 3 WHEN 'minor' THEN 4 END"},
        {SAMPLE_SECRET, "CAST(NULL AS TEXT)"},
    };
    struct fixture *f = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {.arena = f->cx.arena};
        struct expr_sql sql = {.out = &b, .record = "r"};
        expr_order_sql(&f->cx, &f->sample.fields[cases[i].slot], &sql);
        assert_string_equal(buf_text(&b), cases[i].want);
    }
}

/* ---- scope ---------------------------------------------------------------------------------- */

static void test_scope(void **state)
{
    static const struct choice few[] = {{.name = "new"}, {.name = "done"}, {0}};
    static const struct field a_fields[] = {
        {.name = "title", .slot = 0, .type = TYPE_TEXT},
        {.name = "state", .slot = 1, .type = TYPE_CHOICE, .choices = sample_states},
        {.name = "cost", .slot = 2, .type = TYPE_NUMBER, .most = 9},
        {.name = "due", .slot = 3, .type = TYPE_DATE},
        {.name = "only_here", .slot = 4, .type = TYPE_FLAG},
    };
    static const struct field b_fields[] = {
        {.name = "title", .slot = 0, .type = TYPE_TEXT},
        {.name = "state", .slot = 1, .type = TYPE_CHOICE, .choices = few},
        {.name = "due", .slot = 2, .type = TYPE_INSTANT},
        {.name = "cost", .slot = 3, .type = TYPE_NUMBER, .least = -5, .most = 5},
    };
    const struct process a = {.fields = a_fields, .field_count = ARRAY_LEN(a_fields)};
    const struct process b = {.fields = b_fields, .field_count = ARRAY_LEN(b_fields)};
    struct fixture *f = *state;
    struct expr_scope scope;

    expr_scope_of(f->cx.arena, (const struct process *[]){&a}, 1, &scope);
    assert_int_equal(scope.count, 5);
    assert_ptr_equal(scope.fields[1], &a_fields[1]);

    expr_scope_of(f->cx.arena, (const struct process *[]){&a, &b}, 2, &scope);
    assert_int_equal(scope.count, 3);
    assert_ptr_equal(scope.fields[0], &a_fields[0]);
    assert_string_equal(scope.fields[1]->choices[5].name, "done");
    assert_null(scope.fields[1]->choices[6].name);
    assert_string_equal(scope.fields[2]->name, "cost");
    assert_int_equal(scope.fields[2]->slot, -1); /* not at one place in all of them */
    assert_int_equal(scope.fields[2]->least, -5);
    assert_int_equal(scope.fields[2]->most, 9);
}

/* A priority is a place in its process's list, so only names at the same place are common. */
static void test_scope_of_priorities(void **state)
{
    static const struct choice few[] = {{.name = "critical"}, {.name = "low"}, {0}};
    const struct field a_field = {.name = "priority",
                                  .slot = FIELD_PRIORITY,
                                  .type = TYPE_CHOICE,
                                  .choices = sample_priorities};
    const struct field b_field = {
        .name = "priority", .slot = FIELD_PRIORITY, .type = TYPE_CHOICE, .choices = few};
    const struct process a = {.fields = &a_field, .field_count = 1};
    const struct process b = {.fields = &b_field, .field_count = 1};
    struct fixture *f = *state;
    const struct expr *e;

    expr_scope_of(f->cx.arena, (const struct process *[]){&a, &b}, 2, &f->sample.scope);
    assert_int_equal(parse(f, "priority = critical", false, &e, NULL), OK);
    assert_string_equal(sql_of(f, e, 0, false), "r.priority = CAST(:p1 AS BIGINT) | 1");
    assert_int_equal(parse(f, "priority = low", false, &e, NULL), E_INVALID);
    assert_int_equal(parse(f, "priority >= 3", false, &e, NULL), OK);
    assert_string_equal(sql_of(f, e, 0, false), "r.priority >= CAST(:p1 AS BIGINT) | 3");
}

/* ---- completion ----------------------------------------------------------------------------- */

static void test_complete(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* the candidates, at most four of them */
        int from;
    } cases[] = {
        {"", "number title description organisation", 0},
        {"prio", "priority", 0},
        {"priority ", "= != in not in", 9},
        {"priority <", "critical high medium low", 10},
        {"priority = ", "critical high medium low", 11},
        {"priority:h", "high", 9},
        {"category under hardware/p", "hardware/printer hardware/printer/laser", 15},
        {"assignee = m", "me", 11},
        {"assignee is ", "empty not empty", 12},
        {"group in ", "my groups", 9},
        {"priority in (high, ", "critical high medium low", 19},
        {"status = open ", "and or ORDER BY", 14},
        {"status = open and reo", "reopens", 18},
        {"seats between 1 and ", "open_tasks open_children reassignments reopens", 20},
        {"printer ORDER BY cre", "created", 17},
        {"printer ORDER BY created ", "asc desc", 25},
        {"title contains \"pri", "", 0},
        {"created > n", "now", 10},
    };
    struct fixture *f = *state;
    f->sample.scope.is_query = true;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct list all = {0};
        struct buf b = {.arena = f->cx.arena};
        expr_complete(&f->cx, &f->sample.scope, cases[i].text, (int)strlen(cases[i].text), &all);
        const struct candidate *c = all.at;
        for (int k = 0; k < all.count && k < 4; k++) {
            buf_printf(&b, "%s%s", k ? " " : "", c[k].text);
            assert_int_equal(c[k].from, cases[i].from);
        }
        if (!str_equal(buf_text(&b), cases[i].want))
            wrong("%s: %s", cases[i].text, buf_text(&b));
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
        cmocka_unit_test_setup_teardown(test_searches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words_and_who_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sql, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order_sql, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scope_of_priorities, setup, teardown),
        cmocka_unit_test_setup_teardown(test_complete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_manual, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
