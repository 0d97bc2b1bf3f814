#include "flow/flow.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/test.h"
#include "base/time.h"

#define MONDAY (INT64_C(1767603600) * US_PER_S) /* 2026-01-05 09:00 UTC */

/* A process small enough to be read beside the tables below. */
static const char text[] =
    "languages: [en]\n"
    "roles:\n"
    "  agent: {label: Agent, rights: []}\n"
    "  chief: {label: Chief, rights: []}\n"
    "calendars:\n"
    "  office: {zone: UTC, hours: {mon-fri: [\"09:00-17:00\"]}}\n"
    "messages:\n"
    "  hello: {subject: Hello, body: Hello}\n"
    "tables:\n"
    "  priority:\n"
    "    from: {impact: [big, small]}\n"
    "    gives: {high: High, low: Low}\n"
    "    rows: {big: high, small: low}\n"
    "process: job\n"
    "label: Job\n"
    "plural: Jobs\n"
    "number: J-{n}\n"
    "calendar: office\n"
    "rights:\n"
    "  view: [agent, chief, caller]\n"
    "  create: [anyone]\n"
    "  edit: [agent, chief]\n"
    "  internal: [agent, chief]\n"
    "  override: [chief]\n"
    "fields:\n"
    "  impact: {is: choice, label: Impact, required: true, of: {big: Big, small: Small}}\n"
    "  priority: {is: matrix, from: [impact], table: priority}\n"
    "  cost: {is: number, label: Cost, least: 0, initial: 1}\n"
    "  double: {is: number, label: Double, computed: cost * 2}\n"
    "  reason: {is: text, label: Reason}\n"
    "  secret: {is: text, label: Secret, internal: true}\n"
    "states:\n"
    "  new: {category: new, label: New, fields: {reason: hidden}}\n"
    "  open: {category: open, label: Open}\n"
    "  done: {category: resolved, label: Done, fields: {reason: required, cost: read-only}}\n"
    "  closed: {category: closed, label: Closed}\n"
    "actions:\n"
    "  take: {label: Take, from: new, to: open, allow: agent, set: {assignee: me}}\n"
    "  finish:\n"
    "    label: Finish\n"
    "    from: open\n"
    "    to: done\n"
    "    allow: [agent, assignee]\n"
    "    ask: [reason, cost?]\n"
    "    when: cost < 100\n"
    "    unless: It costs too much\n"
    "    timer: {close: 2 working days}\n"
    "    tell: {caller: hello}\n"
    "  back: {label: Back, from: done, to: open, allow: [caller, agent], ask: comment,\n"
    "         within: 1 working day, stop: close}\n"
    "  close: {label: Close, from: done, to: closed, allow: [system, agent]}\n"
    "  drop: {label: Drop, from: [new, open], to: closed, allow: agent, ask: note}\n";

struct bed {
    struct ctx cx;
    const struct process *process;
};

static int set_up(void **state)
{
    struct bed *b = test_calloc(1, sizeof(*b));
    const struct process_file file = {"job.yaml", text, sizeof(text) - 1};
    const struct defs *defs = NULL;
    struct list findings = {0};

    b->cx = (struct ctx){.arena = arena_create(), .now = MONDAY};
    const enum rc rc = process_load(&b->cx, &file, 1, &defs, &findings);
    for (int i = 0; rc != OK && i < findings.count; i++)
        print_error("%d: %s\n", ((struct finding *)findings.at)[i].line,
                    ((struct finding *)findings.at)[i].text);
    assert_int_equal(rc, OK);
    b->process = defs_process(defs, "job");
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bed *b = *state;
    arena_destroy(b->cx.arena);
    test_free(b);
    return 0;
}

static int slot(const struct bed *b, const char *field)
{
    return process_field(b->process, field)->slot;
}

/* A record in that state, with impact small and cost 1. */
static struct val *record(struct bed *b, const char *state)
{
    struct val *slots =
        arena_array(b->cx.arena, (size_t)b->process->field_count, sizeof(struct val));

    slots[FIELD_STATE] = val_text(state);
    slots[FIELD_TITLE] = val_text("A job");
    slots[FIELD_ORGANISATION] = val_int(1);
    slots[FIELD_CALLER] = val_int(7);
    slots[FIELD_ENTERED] = val_int(MONDAY);
    slots[FIELD_CREATED] = val_int(MONDAY);
    slots[slot(b, "impact")] = val_text("small");
    slots[slot(b, "cost")] = val_int(1);
    if (str_equal(state, "done"))
        slots[slot(b, "reason")] = val_text("ready");
    return slots;
}

static struct flow_in question(struct bed *b, const char *state, const char *word)
{
    const char **words = arena_array(b->cx.arena, 3, sizeof(*words));

    words[0] = "anyone";
    words[1] = word;
    fail_clear(&b->cx);
    return (struct flow_in){
        .process = b->process,
        .slots = state ? record(b, state) : NULL,
        .words = words,
        .at = MONDAY,
        .me = 5,
    };
}

static const struct {
    const char *state, *action, *word, *comment;
    int64_t after_us;
    enum rc want;
    const char *code, *to;
} cases[] = {
    {"new", "take", "agent", NULL, 0, OK, NULL, "open"},
    {"new", "take", "caller", NULL, 0, E_DENIED, "not_allowed", NULL},
    {"open", "take", "agent", NULL, 0, E_CONFLICT, "not_offered", NULL},
    {"new", "tke", "agent", NULL, 0, E_NOT_FOUND, "unknown_action", NULL},
    {"open", "finish", "agent", NULL, 0, E_INVALID, NULL, NULL}, /* reason is asked */
    {"done", "back", "caller", NULL, 0, E_INVALID, NULL, NULL},  /* comment is asked */
    {"done", "back", "caller", "No", 0, OK, NULL, "open"},
    {"done", "back", "caller", "No", 25 * US_PER_HOUR, E_CONFLICT, "too_late", NULL},
    {"done", "back", "caller", "No", 24 * US_PER_HOUR, OK, NULL, "open"},
    {"done", "close", "system", NULL, 0, OK, NULL, "closed"},
};

static void test_actions(void **state)
{
    struct bed *b = *state;

    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct flow_plan plan;
        struct flow_in in = question(b, cases[i].state, cases[i].word);
        in.comment = cases[i].comment;
        in.at += cases[i].after_us;
        const enum rc rc = flow_act(&b->cx, &in, cases[i].action, &plan);
        if (rc != cases[i].want)
            print_error("case %d: %s\n", i, b->cx.err.text ? b->cx.err.text : "");
        assert_int_equal(rc, cases[i].want);
        if (cases[i].code)
            assert_string_equal(b->cx.err.code, cases[i].code);
        if (cases[i].to)
            assert_string_equal(plan.to->name, cases[i].to);
    }
}

static void test_effects(void **state)
{
    struct bed *b = *state;
    struct flow_plan plan;
    struct flow_in in = question(b, "open", "agent");
    const struct given reason = {slot(b, "reason"), val_text("it works")};

    in.given = &reason;
    in.given_count = 1;
    assert_int_equal(flow_act(&b->cx, &in, "finish", &plan), OK);
    assert_string_equal(plan.after[FIELD_STATUS].text, "resolved");
    assert_int_equal(plan.after[FIELD_RESOLVED].i, MONDAY);
    assert_false(plan.after[FIELD_ACTIVE].flag);
    const struct flow_timer *t = plan.timers.at;
    assert_int_equal(plan.timers.count, 1);
    assert_string_equal(t->name, "close");
    assert_int_equal(t->run_at, MONDAY + 2 * US_PER_DAY);
    assert_int_equal(plan.tells.count, 1);
    assert_string_equal((*(const struct effect *const *)plan.tells.at)->name, "hello");
}

static void test_guard(void **state)
{
    struct bed *b = *state;
    struct flow_plan plan;
    struct flow_in in = question(b, "open", "agent");
    const struct given given[] = {{slot(b, "reason"), val_text("r")},
                                  {slot(b, "cost"), val_int(100)}};

    in.given = given;
    in.given_count = 2;
    assert_int_equal(flow_act(&b->cx, &in, "finish", &plan), E_CONFLICT);
    assert_string_equal(b->cx.err.code, "guard");
    assert_string_equal(b->cx.err.text, "It costs too much");
}

static void test_creation(void **state)
{
    struct bed *b = *state;
    struct flow_plan plan;
    struct flow_in in = question(b, NULL, "caller");
    const struct given given[] = {{FIELD_TITLE, val_text("Build it")},
                                  {slot(b, "impact"), val_text("big")}};

    in.given = given;
    in.given_count = 1;
    assert_int_equal(flow_create(&b->cx, &in, &plan), E_INVALID); /* impact is required */
    in.given_count = 2;
    struct val *start =
        arena_array(b->cx.arena, (size_t)b->process->field_count, sizeof(struct val));
    start[FIELD_ORGANISATION] = val_int(1);
    in.start = start;
    fail_clear(&b->cx);
    assert_int_equal(flow_create(&b->cx, &in, &plan), OK);
    assert_string_equal(plan.to->name, "new");
    assert_string_equal(plan.after[FIELD_PRIORITY].text, "high");
    assert_int_equal(plan.after[slot(b, "cost")].i, 1);
    assert_int_equal(plan.after[slot(b, "double")].i, 2);
}

/* Which fields may be changed by hand, in which state, by whom. */
static const struct {
    const char *state, *word, *field;
    struct val to;
    const char *why; /* override reason */
    enum rc want;
    const char *code;
} edits[] = {
    {"open", "agent", "cost", {.kind = VAL_INT, .i = 5}, NULL, OK, NULL},
    {"done", "agent", "cost", {.kind = VAL_INT, .i = 5}, NULL, E_INVALID, "read_only"},
    {"new", "agent", "reason", {.kind = VAL_TEXT, .text = "r"}, NULL, E_INVALID, "hidden"},
    {"open", "agent", "state", {.kind = VAL_TEXT, .text = "done"}, NULL, E_INVALID, "read_only"},
    {"open", "agent", "impact", {.kind = VAL_NULL}, NULL, E_INVALID, "required"},
    {"open", "agent", "priority", {.kind = VAL_TEXT, .text = "high"}, "vip", E_INVALID, "computed"},
    {"open", "chief", "priority", {.kind = VAL_TEXT, .text = "high"}, NULL, E_INVALID, "computed"},
    {"open", "chief", "priority", {.kind = VAL_TEXT, .text = "high"}, "vip", OK, NULL},
    {"open", "caller", "secret", {.kind = VAL_TEXT, .text = "s"}, NULL, E_INVALID, "unknown_field"},
    {"open", "agent", "double", {.kind = VAL_INT, .i = 9}, NULL, E_INVALID, "computed"},
};

static void test_edits(void **state)
{
    struct bed *b = *state;

    for (int i = 0; i < ARRAY_LEN(edits); i++) {
        struct flow_plan plan;
        struct flow_in in = question(b, edits[i].state, edits[i].word);
        const struct given given = {slot(b, edits[i].field), edits[i].to};
        in.given = &given;
        in.given_count = 1;
        in.override_reason = edits[i].why;
        const enum rc rc = flow_edit(&b->cx, &in, &plan);
        if (rc != edits[i].want)
            print_error("edit %d: %s\n", i, b->cx.err.text ? b->cx.err.text : "");
        assert_int_equal(rc, edits[i].want);
        if (edits[i].code)
            assert_string_equal(((struct problem *)b->cx.err.problems.at)->code, edits[i].code);
    }
}

static void test_recorded(void **state)
{
    struct bed *b = *state;
    struct flow_plan plan;
    struct flow_in in = question(b, "new", "caller");

    in.mode = FLOW_RECORDED;
    in.to_state = "done";
    assert_int_equal(flow_act(&b->cx, &in, NULL, &plan), OK);
    assert_string_equal(plan.to->name, "done");
    const char *const *codes = plan.deviations.at;
    assert_int_equal(plan.deviations.count, 2);
    assert_string_equal(codes[0], "no_action");
    assert_string_equal(codes[1], "required");

    in = question(b, "new", "caller");
    in.mode = FLOW_RECORDED;
    in.to_state = "open";
    assert_int_equal(flow_act(&b->cx, &in, NULL, &plan), OK);
    assert_string_equal(plan.action->name, "take");
    assert_string_equal(*(const char *const *)plan.deviations.at, "not_allowed");
}

static void test_offers(void **state)
{
    struct bed *b = *state;
    struct list offers;
    struct flow_in in = question(b, "open", "agent");
    struct val *slots = record(b, "open");

    slots[slot(b, "cost")] = val_int(500);
    in.slots = slots;
    assert_int_equal(flow_offers(&b->cx, &in, &offers), OK);
    const struct offer *o = offers.at;
    assert_int_equal(offers.count, 2);
    assert_string_equal(o[0].action->name, "finish");
    assert_string_equal(o[0].blocked, "guard");
    assert_string_equal(o[1].action->name, "drop");
    assert_null(o[1].blocked);
}

#define WITH_BED(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BED(test_actions),  WITH_BED(test_effects), WITH_BED(test_guard),
        WITH_BED(test_creation), WITH_BED(test_edits),   WITH_BED(test_recorded),
        WITH_BED(test_offers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
