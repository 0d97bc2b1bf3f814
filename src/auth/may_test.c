/* Who may: tables over users, records and rights, without a database. */
#include <stdio.h>

#include "auth/auth_test.h"

/* Organisations 1 > 2 > 3, and 9 apart. */
static const int64_t all_below_1[] = {1, 2, 3};
static const int64_t all_below_2[] = {2, 3};
static const int64_t below_9[] = {9};

#define HELD(r, o, below)                                                                          \
    {                                                                                              \
        .role = (r), .org_id = (o), .orgs = (below), .org_count = ARRAY_LEN(below)                 \
    }

static const struct held_role agent_1[] = {HELD("agent", 1, all_below_1)};
static const struct held_role agent_2[] = {HELD("agent", 2, all_below_2)};
static const struct held_role agent_9[] = {HELD("agent", 9, below_9)};
static const struct held_role agent_2_and_9[] = {HELD("agent", 9, below_9),
                                                 HELD("agent", 2, all_below_2)};
static const struct held_role agent_all[] = {{.role = "agent"}};
static const struct held_role administrator_2[] = {HELD("administrator", 2, all_below_2)};
static const struct held_role manager_2[] = {HELD("manager", 2, all_below_2)};
static const struct held_role auditor_all[] = {{.role = "auditor"}};
static const int64_t groups_7[] = {7};

#define PERSON(i, org, held)                                                                       \
    {                                                                                              \
        .kind = USER_PERSON, .id = (i), .org_id = (org), .roles = (held),                          \
        .role_count = ARRAY_LEN(held), .name = "Someone"                                           \
    }

static const struct user root_agent = PERSON(11, 1, agent_1);
static const struct user middle_agent = PERSON(12, 1, agent_2);
static const struct user foreign_agent = PERSON(13, 9, agent_9);
static const struct user double_agent = PERSON(14, 1, agent_2_and_9);
static const struct user agent_everywhere = PERSON(15, 1, agent_all);
static const struct user scoped_administrator = PERSON(16, 2, administrator_2);
static const struct user scoped_manager = PERSON(17, 2, manager_2);
static const struct user auditor = PERSON(18, 1, auditor_all);
static const struct user nobodys_role = {
    .kind = USER_PERSON, .id = 20, .org_id = 2, .name = "Someone"};
static const struct user foreigner = {
    .kind = USER_PERSON, .id = 21, .org_id = 9, .name = "Someone"};
static const struct user member_of_7 = {.kind = USER_PERSON,
                                        .id = 22,
                                        .org_id = 9,
                                        .groups = groups_7,
                                        .group_count = 1,
                                        .name = "Someone"};
static const struct user nobody = {.kind = USER_NOBODY};
static const struct user root = {.kind = USER_OPERATOR, .login = "operator", .name = "operator"};

static struct ctx *start(void **state)
{
    static struct ctx cx;
    cx = (struct ctx){.arena = arena_create()};
    cx.defs = make_defs(cx.arena);
    *state = cx.arena;
    return &cx;
}

static int end(void **state)
{
    arena_destroy(*state);
    return 0;
}

/* ---- one record ------------------------------------------------------------------------------ */

static const struct {
    const struct user *user;
    struct subject s;
    enum right right;
    bool may;
} cases[] = {
    /* A role reaches the organisation it is held in, those below, and no others. */
    {&root_agent, {.org_id = 1}, RIGHT_EDIT, true},
    {&root_agent, {.org_id = 3}, RIGHT_EDIT, true},
    {&root_agent, {.org_id = 9}, RIGHT_EDIT, false},
    {&middle_agent, {.org_id = 2}, RIGHT_EDIT, true},
    {&middle_agent, {.org_id = 3}, RIGHT_EDIT, true},
    {&middle_agent, {.org_id = 1}, RIGHT_EDIT, false},
    {&foreign_agent, {.org_id = 1}, RIGHT_EDIT, false},
    {&foreign_agent, {.org_id = 1}, RIGHT_VIEW, false},
    {&double_agent, {.org_id = 3}, RIGHT_EDIT, true},
    {&double_agent, {.org_id = 9}, RIGHT_EDIT, true},
    {&double_agent, {.org_id = 1}, RIGHT_EDIT, false},
    {&agent_everywhere, {.org_id = 9}, RIGHT_EDIT, true},
    /* All rights beyond records are not a right to records. */
    {&scoped_administrator, {.org_id = 2, .caller_id = 99}, RIGHT_EDIT, false},
    /* Relations. */
    {&foreigner, {.org_id = 1, .caller_id = 21}, RIGHT_VIEW, true},
    {&foreigner, {.org_id = 1, .caller_id = 22}, RIGHT_VIEW, false},
    {&foreigner, {.org_id = 1, .opened_by_id = 21}, RIGHT_VIEW, true},
    {&foreigner, {.org_id = 1, .assignee_id = 21}, RIGHT_VIEW, true},
    {&foreigner, {.org_id = 1, .is_watched = true}, RIGHT_VIEW, true},
    {&foreigner, {.org_id = 9}, RIGHT_VIEW, true},
    {&foreigner, {.org_id = 1, .caller_id = 21}, RIGHT_REPLY, true},
    {&foreigner, {.org_id = 1, .caller_id = 21}, RIGHT_EDIT, false},
    {&nobodys_role, {.org_id = 2}, RIGHT_VIEW, true},
    {&nobodys_role, {.org_id = 3}, RIGHT_VIEW, false}, /* the own organisation, not those below */
    {&member_of_7, {.org_id = 1, .group_id = 7}, RIGHT_VIEW, true},
    {&member_of_7, {.org_id = 1, .group_id = 8}, RIGHT_VIEW, false},
    {&member_of_7, {.org_id = 1, .group_id = 0}, RIGHT_VIEW, false},
    /* Anyone is anyone who is signed in. */
    {&foreigner, {.org_id = 9}, RIGHT_CREATE, true},
    {&nobody, {.org_id = 9}, RIGHT_CREATE, false},
    /* Nobody and the operator have no id, so records without a caller are not theirs. */
    {&nobody, {.org_id = 1}, RIGHT_VIEW, false},
    {&nobody, {.org_id = 1, .is_watched = true}, RIGHT_VIEW, false},
    {&root, {.org_id = 1}, RIGHT_VIEW, true},
    {&root, {.org_id = 9}, RIGHT_EDIT, true},
    {&root, {.org_id = 9}, RIGHT_REPLY, false},
    /* The system sees everything. */
    {NULL, {.org_id = 9}, RIGHT_VIEW, true},
    {NULL, {.org_id = 9}, RIGHT_EDIT, true},
};

/* One record asked, all records asked, and the words for flow: three ways to one answer. */
static void test_records(void **state)
{
    struct ctx *cx = start(state);
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct subject s = cases[i].s;
        s.process = defs_process(cx->defs, "incident");
        s.record_id = 5;
        cx->user = cases[i].user;
        const bool may = auth_holds(cx, &s, cases[i].right);
        if (may != cases[i].may)
            print_message("# case %d\n", i);
        assert_int_equal(may, cases[i].may);
        const struct reach reach = auth_reach(cx, s.process, cases[i].right);
        assert_int_equal(reach_covers(cx, &reach, &s), may);
        if (may)
            assert_false(reach_is_empty(&reach));
        if (cx->user)
            assert_int_equal(auth_allows(s.process->rights[cases[i].right], auth_words(cx, &s)),
                             may);
    }
}

static void test_failures(void **state)
{
    struct ctx *cx = start(state);
    struct subject s = {.process = defs_process(cx->defs, "incident"), .record_id = 5, .org_id = 1};
    cx->user = &foreign_agent;
    assert_int_equal(auth_check(cx, &s, RIGHT_EDIT), E_NOT_FOUND);
    assert_string_equal(cx->err.text, "there is no such incident");
    s.caller_id = foreign_agent.id;
    assert_int_equal(auth_check(cx, &s, RIGHT_EDIT), E_DENIED);
    assert_string_equal(cx->err.text, "to edit this incident is for: agent");
    s = (struct subject){.process = s.process, .org_id = 1};
    assert_int_equal(auth_check(cx, &s, RIGHT_EDIT), E_DENIED); /* there is nothing to hide yet */
    cx->user = &root_agent;
    assert_int_equal(auth_check(cx, &s, RIGHT_EDIT), OK);
}

static void test_words(void **state)
{
    struct ctx *cx = start(state);
    const struct subject s = {
        .process = defs_process(cx->defs, "incident"), .org_id = 3, .caller_id = double_agent.id};
    cx->user = &double_agent;
    const char *const *words = auth_words(cx, &s);
    assert_true(str_in("anyone", words));
    assert_true(str_in("caller", words));
    assert_true(str_in("agent", words));
    assert_false(str_in("system", words));
    assert_false(str_in("assignee", words));
    cx->user = NULL;
    words = auth_words(cx, &s);
    assert_string_equal(words[0], "system");
    assert_null(words[1]);
    cx->user = &nobody;
    assert_null(auth_words(cx, &s)[0]);
    cx->user = &root;
    words = auth_words(cx, &s);
    assert_true(str_in("administrator", words));
    assert_false(str_in("system", words));
}

/* ---- many records ---------------------------------------------------------------------------- */

static void test_reach(void **state)
{
    struct ctx *cx = start(state);
    const struct process *p = defs_process(cx->defs, "incident");
    cx->user = &double_agent;
    struct reach r = auth_reach(cx, p, RIGHT_EDIT);
    assert_false(r.is_all);
    assert_int_equal(r.org_count, 3);
    assert_int_equal(r.orgs[0], 2);
    assert_int_equal(r.orgs[1], 3);
    assert_int_equal(r.orgs[2], 9);
    assert_false(r.as_caller);

    r = auth_reach(cx, p, RIGHT_VIEW); /* the own organisation 1 as well */
    assert_int_equal(r.org_count, 4);
    assert_int_equal(r.orgs[0], 1);
    assert_true(r.as_caller && r.as_opened_by && r.as_assignee && r.as_watcher);
    assert_false(r.as_group); /* member of none */

    cx->user = &agent_everywhere;
    r = auth_reach(cx, p, RIGHT_VIEW);
    assert_true(r.is_all);
    assert_false(r.as_caller);
    cx->user = &nobody;
    r = auth_reach(cx, p, RIGHT_CREATE);
    assert_true(reach_is_empty(&r));
    cx->user = &foreigner;
    r = auth_reach(cx, p, RIGHT_EDIT);
    assert_true(reach_is_empty(&r));
}

/* ---- rights beyond records ------------------------------------------------------------------- */

static const struct {
    const struct user *user;
    const char *right;
    bool holds;
} right_cases[] = {
    {&root_agent, "people.view", true},
    {&root_agent, "people.manage", false},
    {&scoped_manager, "people.manage", true}, /* in organisation 2 */
    {&scoped_administrator, "people.manage", true},
    /* Held in one organisation, the whole server is not theirs. */
    {&scoped_administrator, "process.activate", false},
    {&scoped_administrator, "system.view", false},
    {&scoped_administrator, "no.such.right", false},
    {&auditor, "system.view", true},
    {&auditor, "system.manage", false},
    {&nobodys_role, "people.view", false},
    {&nobody, "people.view", false},
    {&root, "system.manage", true},
    {NULL, "system.manage", true},
};

static void test_rights(void **state)
{
    struct ctx *cx = start(state);
    for (int i = 0; i < ARRAY_LEN(right_cases); i++) {
        cx->user = right_cases[i].user;
        assert_int_equal(auth_has_right(cx, right_cases[i].right), right_cases[i].holds);
        if (cx->user != &nobody)
            assert_int_equal(auth_may_use(cx, right_cases[i].right, false),
                             right_cases[i].holds ? OK : E_DENIED);
    }
    cx->user = &scoped_manager;
    const struct reach r = auth_right_reach(cx, "people.manage");
    assert_true(reach_has_org(&r, 2) && reach_has_org(&r, 3));
    assert_false(reach_has_org(&r, 1) || reach_has_org(&r, 9) || reach_has_org(&r, 0));
}

static void test_routes(void **state)
{
    struct ctx *cx = start(state);
    cx->user = &nobody;
    assert_int_equal(auth_may_use(cx, ALLOW_PUBLIC, true), OK);
    assert_int_equal(auth_may_use(cx, ALLOW_USER, false), E_UNAUTHENTICATED);
    assert_int_equal(auth_may_use(cx, "people.view", false), E_UNAUTHENTICATED);
    cx->user = &foreigner;
    assert_int_equal(auth_may_use(cx, ALLOW_USER, true), OK);
    assert_int_equal(auth_may_use(cx, "people.view", false), E_DENIED);
    assert_string_equal(cx->err.text, "this needs the right people.view");
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static const struct {
    const char *scopes;
    bool user_read, user_write, right_read,
        right_write; /* routes: any user, people.view, .manage */
    bool incident_view, incident_edit, problem_view, problem_edit;
} scope_cases[] = {
    {NULL, 1, 1, 1, 1, 1, 1, 1, 1},
    {"write", 1, 1, 1, 1, 1, 1, 1, 1},
    {"read", 1, 0, 1, 0, 1, 0, 1, 0},
    {"incident:read", 1, 0, 0, 0, 1, 0, 0, 0},
    {"incident:write", 1, 1, 0, 0, 1, 1, 0, 0},
    {"incident:write problem:read", 1, 1, 0, 0, 1, 1, 1, 0},
    {"read incident:write", 1, 1, 1, 0, 1, 1, 1, 0},
    {"", 0, 0, 0, 0, 0, 0, 0, 0},
    {"incident", 0, 0, 0, 0, 0, 0, 0, 0},
    {":write", 0, 0, 0, 0, 0, 0, 0, 0},
    {"writes", 0, 0, 0, 0, 0, 0, 0, 0},
};

static void test_scopes(void **state)
{
    struct ctx *cx = start(state);
    static const struct held_role roles[] = {{.role = "administrator"}, {.role = "agent"}};
    const struct subject incident = {.process = defs_process(cx->defs, "incident"), .org_id = 1};
    const struct subject problem = {.process = defs_process(cx->defs, "problem"), .org_id = 1};
    for (int i = 0; i < ARRAY_LEN(scope_cases); i++) {
        const struct user u = {.kind = USER_PERSON,
                               .id = 30,
                               .org_id = 1,
                               .roles = roles,
                               .role_count = 2,
                               .token_id = 1,
                               .scopes = scope_cases[i].scopes};
        cx->user = &u;
        assert_int_equal(auth_may_use(cx, ALLOW_USER, false) == OK, scope_cases[i].user_read);
        assert_int_equal(auth_may_use(cx, ALLOW_USER, true) == OK, scope_cases[i].user_write);
        assert_int_equal(auth_may_use(cx, "people.view", false) == OK, scope_cases[i].right_read);
        assert_int_equal(auth_may_use(cx, "people.manage", true) == OK, scope_cases[i].right_write);
        assert_int_equal(auth_holds(cx, &incident, RIGHT_VIEW), scope_cases[i].incident_view);
        assert_int_equal(auth_holds(cx, &incident, RIGHT_EDIT), scope_cases[i].incident_edit);
        assert_int_equal(auth_holds(cx, &problem, RIGHT_VIEW), scope_cases[i].problem_view);
        assert_int_equal(auth_holds(cx, &problem, RIGHT_EDIT), scope_cases[i].problem_edit);
        assert_int_equal(auth_words(cx, &problem)[0] != NULL, scope_cases[i].problem_edit);
        const struct reach r = auth_reach(cx, problem.process, RIGHT_VIEW);
        assert_int_equal(!reach_is_empty(&r), scope_cases[i].problem_view);
    }
}

/* ---- the manual ------------------------------------------------------------------------------ */

/* doc/permission.md names every right there is, with the same words. */
static void test_manual(void **state)
{
    (void)state;
    static char text[64 << 10];
    char path[1024];
    const char *source = getenv("TEST_SOURCE");
    if (!source)
        skip();
    snprintf(path, sizeof(path), "%s/doc/permission.md", source);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    for (const struct right_info *r = auth_rights; r->name; r++) {
        char row[512];
        snprintf(row, sizeof(row), "| `%s` | %s | %s |", r->name, r->help,
                 r->is_scoped ? "yes" : "no");
        if (!strstr(text, row))
            print_message("# missing: %s\n", row);
        assert_non_null(strstr(text, row));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_records, end), cmocka_unit_test_teardown(test_failures, end),
        cmocka_unit_test_teardown(test_words, end),   cmocka_unit_test_teardown(test_reach, end),
        cmocka_unit_test_teardown(test_rights, end),  cmocka_unit_test_teardown(test_routes, end),
        cmocka_unit_test_teardown(test_scopes, end),  cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests_name("may", tests, NULL, NULL);
}
