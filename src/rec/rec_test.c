#include "rec/rec_test.h"

#include "flow/flow.h"
#include "job/job.h"
#include "rec/later.h"
#include "rec/rec_list.h"

/* ---- the gate ------------------------------------------------------------------------------- */

static void test_a_life(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    struct rec r = make_incident(b, b->anna, "Printer on fire");

    assert_string_equal(r.number, "INC-1");
    assert_string_equal(state_of(&r), "new");
    assert_string_equal(r.slots[FIELD_PRIORITY].text, "high");
    assert_int_equal(r.slots[FIELD_ORGANISATION].i, b->org);
    assert_int_equal(r.slots[FIELD_CALLER].i, b->anna->id);
    assert_rc(cx, act(b, b->bob, "INC-1", "take", val_null(), &out), OK);
    assert_string_equal(state_of(&out.rec), "in_progress");
    assert_int_equal(out.rec.slots[FIELD_ASSIGNEE].i, b->bob->id);
    assert_rc(cx,
              act(b, b->bob, "inc-01", "resolve",
                  MAP({"closure_code", val_text("solved")}, {"resolution", val_text("New fuser")}),
                  &out),
              OK);
    assert_string_equal(state_of(&out.rec), "resolved");
    assert_rc(cx,
              act(b, b->anna, "INC-1", "reject", MAP({"comment", val_text("Still burns")}), &out),
              OK);
    assert_int_equal(out.rec.slots[FIELD_REOPENS].i, 1);
    assert_true(val_is_null(out.rec.slots[FIELD_RESOLVED]));
}

static void test_refusals_say_why(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;

    make_incident(b, b->anna, "Screen is dark");
    assert_rc(cx, act(b, b->bob, "INC-1", "confirm", val_null(), &out), E_CONFLICT);
    assert_string_equal(cx->err.code, "not_offered");
    assert_rc(cx, act(b, b->anna, "INC-1", "take", val_null(), &out), E_DENIED);
    assert_string_equal(cx->err.code, "not_allowed");
    assert_rc(cx, act(b, b->bob, "INC-1", "resolve", val_null(), &out), E_INVALID);
    assert_int_equal(cx->err.problems.count >= 2, 1);
    assert_rc(cx, act(b, b->bob, "INC-1", "resolv", val_null(), &out), E_NOT_FOUND);
    assert_rc(cx, act(b, b->yuri, "INC-1", "take", val_null(), &out), E_NOT_FOUND);
    assert_rc(cx, act(b, b->bob, "INC-1", "take", MAP({"impact", val_text("minor")}), &out),
              E_INVALID);
    assert_string_equal(((struct problem *)cx->err.problems.at)->code, "not_asked");
}

static void test_a_caller_cannot_route(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    const struct val inputs[] = {
        MAP({"title", val_text("t")}, {"impact", val_text("minor")}, {"urgency", val_text("low")},
            {"caller", val_text("bob")}),
        MAP({"title", val_text("t")}, {"impact", val_text("minor")}, {"urgency", val_text("low")},
            {"organisation", val_text("Globex")}),
        MAP({"title", val_text("t")}, {"impact", val_text("minor")}, {"urgency", val_text("low")},
            {"state", val_text("closed")}),
        MAP({"title", val_text("t")}, {"impact", val_text("minor")}, {"urgency", val_text("low")},
            {"priority", val_text("critical")}),
        MAP({"title", val_text("t")}, {"impact", val_text("minor")}, {"urgency", val_text("low")},
            {"vendor", val_text("v")}),
        MAP({"title", val_text("t")}, {"impact", val_text("minor")}, {"urgency", val_text("low")},
            {"major", val_flag(true)}),
    };

    for (int i = 0; i < ARRAY_LEN(inputs); i++) {
        const struct change c = {.kind = CHANGE_CREATE, .process = "incident", .input = inputs[i]};
        cx->user = b->anna;
        assert_rc(cx, rec_do(cx, &c, &out), E_INVALID);
    }
}

static enum rc edit(struct bed *b, const struct user *who, int64_t revision, struct val input,
                    struct outcome *ret)
{
    const struct change c = {
        .kind = CHANGE_EDIT, .number = "INC-1", .revision = revision, .input = input};

    b->cx.user = who;
    return rec_do(&b->cx, &c, ret);
}

static void test_edits_merge_or_clash(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    const struct rec r = make_incident(b, b->bob, "Two edit it");

    assert_rc(cx, edit(b, b->bob, r.revision, MAP({"impact", val_text("minor")}), &out), OK);
    assert_int_equal(out.rec.revision, r.revision + 1);
    assert_string_equal(out.rec.slots[FIELD_PRIORITY].text, "moderate");
    assert_rc(cx, edit(b, b->carl, r.revision, MAP({"service", val_text("Print")}), &out), OK);
    assert_rc(cx, edit(b, b->carl, r.revision, MAP({"impact", val_text("extensive")}), &out),
              E_STALE);
    assert_string_equal(((struct problem *)cx->err.problems.at)->field, "impact");
    assert_rc(cx, edit(b, b->bob, 0, MAP({"service", val_text("Print")}), &out), OK);
    assert_int_equal(out.event_id, 0);
}

static void test_overrides_survive(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;

    make_incident(b, b->bob, "Board room");
    assert_rc(cx, edit(b, b->bob, 0, MAP({"priority", val_text("critical")}), &out), E_INVALID);
    cx->user = b->ida;
    assert_rc(cx,
              edit(b, b->ida, 0,
                   MAP({"priority", val_text("critical")}, {"override_reason", val_text("board")}),
                   &out),
              OK);
    assert_rc(cx, edit(b, b->bob, 0, MAP({"impact", val_text("minor")}), &out), OK);
    assert_string_equal(out.rec.slots[FIELD_PRIORITY].text, "critical");
    struct rec r;
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_string_equal(r.overrides[FIELD_PRIORITY], "board");
    assert_rc(cx,
              edit(b, b->ida, 0,
                   MAP({"priority", val_null()}, {"override_reason", val_text("over")}), &out),
              OK);
    assert_string_equal(out.rec.slots[FIELD_PRIORITY].text, "moderate");
}

/* ---- who sees what -------------------------------------------------------------------------- */

static void test_walls(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct rec r;
    struct list entries;
    int64_t last;
    const struct change note = {.kind = CHANGE_NOTE, .number = "INC-1", .text = "Secret"};
    const struct change reply = {.kind = CHANGE_REPLY, .number = "INC-1", .text = "Open"};
    struct outcome out;

    make_incident(b, b->anna, "Acme's own");
    cx->user = b->bob;
    assert_rc(cx, rec_do(cx, &note, &out), OK);
    assert_rc(cx, rec_do(cx, &reply, &out), OK);
    cx->user = b->yuri;
    assert_rc(cx, rec_load(cx, "INC-1", &r), E_NOT_FOUND);
    assert_rc(cx, rec_feed(cx, 0, 100, &entries, &last), OK);
    assert_int_equal(entries.count, 0);
    cx->user = b->anna;
    assert_rc(cx, rec_do(cx, &note, &out), E_DENIED);
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_rc(cx, rec_history(cx, &r, 0, 100, &entries), OK);
    assert_int_equal(entries.count, 2);
    cx->user = b->bob;
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_rc(cx, rec_history(cx, &r, 0, 100, &entries), OK);
    assert_int_equal(entries.count, 3);
}

static int count_list(struct bed *b, const struct user *who, const char *filter)
{
    struct list_page page;
    const struct list_query q = {.process = "incident", .filter = filter, .limit = 100};

    b->cx.user = who;
    assert_rc(&b->cx, rec_list(&b->cx, &q, &page), OK);
    return page.records.count;
}

static void test_lists(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    const struct change note = {.kind = CHANGE_NOTE, .number = "INC-1", .text = "Plutonium"};

    make_incident(b, b->anna, "Printer jams on Monday");
    make_incident(b, b->anna, "Screens flicker");
    make_incident(b, b->xena, "Globex printer is broken");
    assert_int_equal(count_list(b, b->bob, NULL), 2);
    assert_int_equal(count_list(b, b->yuri, NULL), 1);
    assert_int_equal(count_list(b, b->anna, ""), 2);
    assert_int_equal(count_list(b, NULL, ""), 3);
    assert_int_equal(count_list(b, b->bob, "printer"), 1);
    assert_int_equal(count_list(b, b->bob, "printers"), 1);
    assert_int_equal(count_list(b, NULL, "printer"), 2);
    assert_int_equal(count_list(b, b->bob, "\"jams on\" ORDER BY relevance"), 1);
    assert_int_equal(count_list(b, b->bob, "status = new and title contains \"SCREEN\""), 1);
    assert_int_equal(count_list(b, b->bob, "priority <= high ORDER BY priority, created desc"), 2);
    cx->user = b->bob;
    assert_rc(cx, rec_do(cx, &note, &out), OK);
    assert_int_equal(count_list(b, b->bob, "plutonium"), 1);
    assert_int_equal(count_list(b, b->anna, "plutonium"), 0);
    struct list_page page;
    const struct list_query wrong = {.process = "incident", .filter = "statis = new", .limit = 5};
    assert_rc(cx, rec_list(cx, &wrong, &page), E_INVALID);
}

static void test_pages(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    static const char *const sorts[] = {
        NULL,    "priority,-created", "-assignee", "service", "-service",
        "title", "-resolved",         "impact"};

    for (int i = 0; i < 23; i++) {
        struct outcome out;
        make_incident(b, b->bob, i % 3 ? "b" : "a");
        const char *number = arena_printf(cx->arena, "INC-%d", i + 1);
        const struct change c = {.kind = CHANGE_EDIT,
                                 .number = number,
                                 .input = MAP({"service", i % 4 ? val_text("x") : val_null()})};
        assert_rc(cx, rec_do(cx, &c, &out), OK);
        if (i % 5 == 0)
            assert_rc(cx, act(b, b->bob, number, "take", val_null(), &out), OK);
    }
    cx->user = b->bob;
    for (int s = 0; s < ARRAY_LEN(sorts); s++) {
        struct list_query q = {.process = "incident", .sort = sorts[s], .limit = 4};
        int64_t seen = 0;
        int total = 0;
        do {
            struct list_page page;
            assert_rc(cx, rec_list(cx, &q, &page), OK);
            for (int i = 0; i < page.records.count; i++) {
                const int64_t bit = INT64_C(1) << ((struct rec *)page.records.at)[i].id;
                assert_false(seen & bit);
                seen |= bit;
                total++;
            }
            q.cursor = page.next_cursor;
        } while (q.cursor);
        assert_int_equal(total, 23);
    }
}

static void test_tally(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct list rows;
    struct outcome out;

    make_incident(b, b->anna, "one");
    make_incident(b, b->anna, "two");
    make_incident(b, b->xena, "three");
    assert_rc(cx, act(b, b->bob, "INC-1", "take", val_null(), &out), OK);
    assert_rc(cx, rec_tally(cx, "incident", &rows), OK);
    assert_int_equal(rows.count, 2);
    const struct tally *t = rows.at;
    assert_true(t[0].n == 1 && t[1].n == 1);
    assert_string_equal(t[0].state, "in_progress");
    cx->user = NULL;
    assert_rc(cx, rec_tally(cx, NULL, &rows), OK);
    assert_int_equal(((const struct tally *)rows.at)[1].n, 2);
}

/* ---- links, parents, the past, later -------------------------------------------------------- */

static enum rc set_parent(struct bed *b, const char *number, const char *parent)
{
    struct outcome out;
    const struct change c = {
        .kind = CHANGE_EDIT, .number = number, .input = MAP({"parent", val_text(parent)})};

    b->cx.user = b->bob;
    return rec_do(&b->cx, &c, &out);
}

static void test_parents(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct rec r;
    struct list links;

    make_incident(b, b->anna, "one");
    make_incident(b, b->anna, "two");
    make_incident(b, b->anna, "three");
    make_incident(b, b->xena, "foreign");
    assert_rc(cx, set_parent(b, "INC-2", "INC-1"), OK);
    assert_rc(cx, set_parent(b, "INC-3", "INC-2"), OK);
    assert_rc(cx, set_parent(b, "INC-1", "INC-3"), E_INVALID);
    assert_rc(cx, set_parent(b, "INC-1", "INC-1"), E_INVALID);
    assert_rc(cx, set_parent(b, "INC-1", "INC-4"), E_INVALID);
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_int_equal(r.slots[FIELD_OPEN_CHILDREN].i, 1);
    assert_rc(cx, rec_links(cx, &r, &links), OK);
    assert_int_equal(links.count, 1);
}

static void test_as_it_was(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome first, out;
    struct rec r, then;

    make_incident(b, b->bob, "Before");
    assert_rc(cx, edit(b, b->bob, 0, MAP({"title", val_text("Between")}), &first), OK);
    assert_rc(cx, edit(b, b->bob, 0, MAP({"title", val_text("After")}), &out), OK);
    assert_rc(cx, act(b, b->bob, "INC-1", "take", val_null(), &out), OK);
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_rc(cx, rec_as_of(cx, &r, first.event_id, &then), OK);
    assert_string_equal(then.slots[FIELD_TITLE].text, "Between");
    assert_string_equal(state_of(&then), "new");
    assert_true(val_is_null(then.slots[FIELD_ASSIGNEE]));
    assert_rc(cx, rec_as_of(cx, &r, 999999, &then), E_NOT_FOUND);
}

static void prepare(struct ctx *cx, void *arg)
{
    type_take(cx, arg);
}

static void run_due(struct bed *b)
{
    static const struct job_kind *const kinds[] = {rec_job_kinds, NULL};
    const struct job_config config = {
        .db = b->cx.db, .kinds = kinds, .prepare = prepare, .arg = b->types};
    int ran;

    b->cx.user = NULL;
    do
        assert_rc(&b->cx, job_run_due(&b->cx, &config, &ran), OK);
    while (ran);
}

static void test_it_closes_by_itself(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    struct rec r;

    make_incident(b, b->anna, "Forgotten");
    assert_rc(cx,
              act(b, b->bob, "INC-1", "resolve",
                  MAP({"closure_code", val_text("solved")}, {"resolution", val_text("done")}),
                  &out),
              OK);
    cx->now += 6 * US_PER_DAY;
    run_due(b);
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_string_equal(state_of(&r), "resolved");
    cx->now += 2 * US_PER_DAY;
    run_due(b);
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_string_equal(state_of(&r), "closed");
    assert_string_equal(r.slots[process_field(r.process, "closure")->slot].text, "assumed");
}

static void test_children_follow(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    struct rec r;
    const struct change late = {.kind = CHANGE_REPLY, .number = "INC-3", .text = "Not for me"};

    make_incident(b, b->bob, "Parent");
    make_incident(b, b->anna, "Child");
    make_incident(b, b->anna, "Child with a question");
    assert_rc(cx, set_parent(b, "INC-2", "INC-1"), OK);
    assert_rc(cx, set_parent(b, "INC-3", "INC-1"), OK);
    assert_rc(cx,
              act(b, b->bob, "INC-1", "resolve",
                  MAP({"closure_code", val_text("solved")}, {"resolution", val_text("Rebooted")}),
                  &out),
              OK);
    cx->now += US_PER_MIN;
    cx->user = b->anna;
    assert_rc(cx, rec_do(cx, &late, &out), OK);
    run_due(b);
    cx->user = b->bob;
    assert_rc(cx, rec_load(cx, "INC-2", &r), OK);
    assert_string_equal(state_of(&r), "resolved");
    assert_rc(cx, rec_load(cx, "INC-3", &r), OK);
    assert_string_equal(state_of(&r), "new");
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    struct list entries;
    assert_rc(cx, rec_history(cx, &r, 0, 100, &entries), OK);
    const struct entry *last = (const struct entry *)entries.at + entries.count - 1;
    assert_string_equal(last->kind, "note");
    assert_non_null(strstr(val_get_text(&last->body, "text"), "INC-3"));
}

static int64_t count_rows(struct ctx *cx, const char *from)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "n"}, {0}};
    int64_t n = -1;

    assert_rc(cx,
              db_one(cx,
                     db_dynamic(cx, "count_rows",
                                arena_printf(cx->arena, "SELECT count(*) AS n FROM %s", from)),
                     ARGS(), cols, &n),
              OK);
    return n;
}

static void test_nothing_is_left_for_nobody(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;

    make_incident(b, b->anna, "Told once");
    assert_int_equal(count_rows(cx, "notice WHERE message = 'incident-assigned'"), 0);
    assert_rc(cx,
              act(b, b->bob, "INC-1", "assign",
                  MAP({"group", val_text("Network")}, {"assignee", val_text("carl")}), &out),
              OK);
    assert_int_equal(count_rows(cx, "notice WHERE message = 'incident-assigned'"), 1);
    assert_rc(cx,
              act(b, b->bob, "INC-1", "resolve",
                  MAP({"closure_code", val_text("solved")}, {"resolution", val_text("done")}),
                  &out),
              OK);
    assert_int_equal(count_rows(cx, "job WHERE kind = 'cascade'"), 0);
}

static void test_a_reply_is_what_it_waits_for(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    const struct change reply = {.kind = CHANGE_REPLY, .number = "INC-1", .text = "Since Monday"};

    make_incident(b, b->anna, "Slow");
    assert_rc(cx,
              act(b, b->bob, "INC-1", "ask_user", MAP({"comment", val_text("Since when?")}), &out),
              OK);
    cx->user = b->bob;
    assert_rc(cx, rec_do(cx, &reply, &out), OK);
    assert_string_equal(state_of(&out.rec), "awaiting_user");
    const int64_t before = out.rec.revision;
    cx->user = b->anna;
    assert_rc(cx, rec_do(cx, &reply, &out), OK);
    assert_string_equal(state_of(&out.rec), "in_progress");
    assert_int_equal(out.rec.revision, before + 2);
    struct rec r;
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_int_equal(r.revision, before + 2);
}

static void test_another_group_has_its_own_people(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;

    make_incident(b, b->anna, "Wrong desk");
    assert_rc(cx,
              act(b, b->bob, "INC-1", "assign",
                  MAP({"group", val_text("Desk")}, {"assignee", val_text("bob")}), &out),
              OK);
    assert_int_equal(out.rec.slots[FIELD_ASSIGNEE].i, b->bob->id);
    assert_rc(cx, act(b, b->bob, "INC-1", "assign", MAP({"group", val_text("Network")}), &out), OK);
    assert_true(val_is_null(out.rec.slots[FIELD_ASSIGNEE]));
    assert_int_equal(out.rec.slots[FIELD_REASSIGNMENTS].i, 1);
}

static void test_it_becomes_a_request(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    struct rec r;
    struct list entries;
    struct change c = {.kind = CHANGE_CONVERT,
                       .number = "INC-1",
                       .process = "request",
                       .input = MAP({"item", val_text("account")})};

    make_incident(b, b->anna, "I need access");
    cx->user = b->anna;
    assert_rc(cx, rec_do(cx, &c, &out), E_DENIED);
    assert_rc(cx, act(b, b->bob, "INC-1", "take", val_null(), &out), OK);
    assert_rc(cx, rec_do(cx, &c, &out), E_INVALID);
    assert_string_equal(cx->err.field, "state");
    c.to_state = "new";
    c.process = "incident";
    assert_rc(cx, rec_do(cx, &c, &out), E_INVALID);
    c.process = "request";
    c.to_state = cx->defs ? defs_process(cx->defs, "request")->states[0].name : NULL;
    assert_rc(cx, rec_do(cx, &c, &out), OK);
    assert_string_equal(out.rec.number, "REQ-1");
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_string_equal(r.number, "REQ-1");
    assert_string_equal(r.slots[FIELD_TITLE].text, "I need access");
    assert_rc(cx, rec_history(cx, &r, 0, 10, &entries), OK);
    assert_int_equal(entries.count, 3);
}

/* The system sees both tenants, so only the wall itself can hold. */
static void test_no_bond_crosses_the_wall(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    const struct change problem = {
        .kind = CHANGE_CREATE,
        .process = "problem",
        .input = MAP({"title", val_text("p")}, {"impact", val_text("minor")},
                     {"urgency", val_text("low")}, {"organisation", val_text("Globex")}),
    };

    make_incident(b, b->anna, "one");
    make_incident(b, b->anna, "two");
    cx->user = NULL;
    assert_rc(cx, rec_do(cx, &problem, &out), OK);
    assert_rc(cx, edit(b, NULL, 0, MAP({"problem", val_text("INC-2")}), &out), E_INVALID);
    assert_string_equal(((struct problem *)cx->err.problems.at)->code, "wrong_process");
    assert_rc(cx, edit(b, NULL, 0, MAP({"problem", val_text("PRB-1")}), &out), E_INVALID);
    assert_string_equal(cx->err.field, "problem");
    assert_rc(cx, edit(b, NULL, 0, MAP({"organisation", val_null()}), &out), E_INVALID);
    assert_rc(cx, set_parent(b, "INC-2", "INC-1"), OK);
    assert_rc(cx, edit(b, NULL, 0, MAP({"organisation", val_text("Globex")}), &out), E_INVALID);
    assert_string_equal(cx->err.field, "organisation");
}

static void test_a_hidden_field_is_hidden_in_the_feed_too(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    struct list entries;
    int64_t last;
    const struct val solved =
        MAP({"closure_code", val_text("solved")}, {"resolution", val_text("Fuser")});

    make_incident(b, b->anna, "one");
    assert_rc(cx, act(b, b->bob, "INC-1", "take", val_null(), &out), OK);
    assert_rc(cx, act(b, b->bob, "INC-1", "resolve", solved, &out), OK);
    assert_rc(cx, act(b, b->anna, "INC-1", "confirm", val_null(), &out), OK);
    const int64_t confirmed = out.event_id;
    assert_rc(cx, rec_feed(cx, confirmed - 1, 10, &entries, &last), OK);
    const struct entry *e = entries.at;
    assert_non_null(val_get(val_get(&e->body, "changes"), "closure"));
    assert_rc(cx, act(b, b->ida, "INC-1", "reopen_closed", MAP({"comment", val_text("No")}), &out),
              OK);
    cx->user = b->anna;
    assert_rc(cx, rec_feed(cx, confirmed - 1, 1, &entries, &last), OK);
    e = entries.at;
    assert_int_equal(e->id, confirmed);
    assert_null(val_get(val_get(&e->body, "changes"), "closure"));
}

static void test_notes_do_not_hide_what_follows(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct outcome out;
    struct rec r;
    struct list entries;
    struct change c = {.kind = CHANGE_NOTE, .number = "INC-1", .text = "between us"};

    make_incident(b, b->anna, "one");
    cx->user = b->bob;
    for (int i = 0; i < 3; i++)
        assert_rc(cx, rec_do(cx, &c, &out), OK);
    c.kind = CHANGE_REPLY;
    assert_rc(cx, rec_do(cx, &c, &out), OK);
    cx->user = b->anna;
    assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
    assert_rc(cx, rec_history(cx, &r, 0, 2, &entries), OK);
    assert_int_equal(entries.count, 2);
    assert_string_equal(((const struct entry *)entries.at)[1].kind, "reply");
}

static void free_types(void *types)
{
    types_destroy(types);
}

/* The shipped files, but the numbers of incidents begin like this. */
static void activate_with(struct bed *b, const char *prefix)
{
    struct ctx *cx = &b->cx;
    struct list files, findings;

    assert_rc(cx, type_read_folder(cx, test_processes(), &files), OK);
    struct process_file *f = files.at;
    for (int i = 0; i < files.count; i++) {
        const char *at = strstr(f[i].text, "number: INC-");
        if (!at)
            continue;
        f[i].text = arena_printf(cx->arena, "%.*snumber: %s%s", (int)(at - f[i].text), f[i].text,
                                 prefix, at + strlen("number: INC-"));
        f[i].len = strlen(f[i].text);
    }
    assert_rc(cx, type_activate(cx, b->types, files.at, files.count, &findings), OK);
}

/* Going back to files that were in force before: every server of the database goes back. */
static void test_a_process_is_rolled_back(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct types *other = types_create();
    const struct defs *before = cx->defs;
    struct list files;
    enum type_set set;

    activate_with(b, "NEW-");
    activate_with(b, "INC-");
    assert_rc(cx, type_read_folder(cx, test_processes(), &files), OK);
    assert_rc(cx, type_find_set(cx, files.at, files.count, &set), OK);
    assert_int_equal(set, TYPE_SET_CURRENT);
    assert_rc(cx, type_refresh(cx, other), OK);
    type_take(cx, other);
    const struct process *p = defs_process(cx->defs, "incident");
    assert_int_equal(p->version, 3);
    assert_string_equal(p->number_prefix, "INC-");
    cx->types = b->types;
    cx->defs = before;
    arena_defer(cx->arena, free_types, other);
}

static void test_every_failing_statement(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct rec r;
    int64_t before, after;

    make_incident(b, b->bob, "Torture");
    assert_rc(cx, rec_last_event(cx, &before), OK);
    for (int n = 1;; n++) {
        struct outcome out;
        cx->user = b->bob;
        db_fail_at(cx->db, n, E_FAIL);
        const enum rc rc = act(b, b->bob, "INC-1", "take", val_null(), &out);
        db_fail_at(cx->db, 0, OK);
        if (rc == OK)
            break;
        assert_int_equal(rc, E_FAIL);
        assert_rc(cx, rec_last_event(cx, &after), OK);
        assert_int_equal(after, before);
        assert_rc(cx, rec_load(cx, "INC-1", &r), OK);
        assert_string_equal(state_of(&r), "new");
        assert_in_range(n, 1, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_a_life),
        BOTH(test_refusals_say_why),
        BOTH(test_a_caller_cannot_route),
        BOTH(test_edits_merge_or_clash),
        BOTH(test_overrides_survive),
        BOTH(test_walls),
        BOTH(test_lists),
        BOTH(test_pages),
        BOTH(test_tally),
        BOTH(test_parents),
        BOTH(test_as_it_was),
        BOTH(test_it_closes_by_itself),
        BOTH(test_children_follow),
        BOTH(test_nothing_is_left_for_nobody),
        BOTH(test_a_reply_is_what_it_waits_for),
        BOTH(test_another_group_has_its_own_people),
        BOTH(test_it_becomes_a_request),
        BOTH(test_no_bond_crosses_the_wall),
        BOTH(test_a_hidden_field_is_hidden_in_the_feed_too),
        BOTH(test_notes_do_not_hide_what_follows),
        BOTH(test_a_process_is_rolled_back),
        BOTH(test_every_failing_statement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
