/* People, groups, organisations, roles: what one may change, and what it leaves behind. */
#include "auth/people.h"

#include "auth/auth_test.h"

static enum rc create_person(struct ctx *cx, const char *login, const char *name, int64_t org)
{
    int64_t id;
    return person_create(cx, &(struct person){.login = login, .name = name, .org_id = org}, NULL,
                         &id);
}

/* ---- input ----------------------------------------------------------------------------------- */

static void test_person_input(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct {
        struct person p;
        const char *field; /* at fault; NULL: good */
    } cases[] = {
        {{.login = "new", .name = "New Person", .org_id = b->w.alpha}, NULL},
        {{.login = "J\xc3\xb6rg.M+x@example.net", .name = "J", .org_id = b->w.alpha}, NULL},
        {{.login = "", .name = "X", .org_id = b->w.alpha}, "login"},
        {{.login = NULL, .name = "X", .org_id = b->w.alpha}, "login"},
        {{.login = "a b", .name = "X", .org_id = b->w.alpha}, "login"},
        {{.login = "a\nb", .name = "X", .org_id = b->w.alpha}, "login"},
        {{.login = "4711", .name = "X", .org_id = b->w.alpha}, "login"}, /* is an id elsewhere */
        {{.login = "x1", .name = " ", .org_id = b->w.alpha}, "name"},
        {{.login = "x2", .name = "X\r\nBcc: all", .org_id = b->w.alpha}, "name"},
        {{.login = "x3", .name = "X"}, "organisation"},
        {{.login = "x4", .name = "X", .org_id = 999999}, "organisation"},
        {{.login = "x5", .name = "X", .org_id = b->w.alpha, .email = "nobody"}, "email"},
        {{.login = "x6", .name = "X", .org_id = b->w.alpha, .email = "a@b, c@d"}, "email"},
        {{.login = "x7", .name = "X", .org_id = b->w.alpha, .language = "?"}, "language"},
        {{.login = "x8", .name = "X", .org_id = b->w.alpha, .time_zone = "a b"}, "time_zone"},
        {{.login = "xa", .name = "X", .org_id = b->w.alpha, .time_zone = "Mars/Base"}, "time_zone"},
        /* Somebody else's already, however it is written. */
        {{.login = "ANN", .name = "X", .org_id = b->w.beta}, "login"},
        {{.login = "ann@example.org", .name = "X", .org_id = b->w.beta}, "login"},
        {{.login = "x9", .name = "X", .org_id = b->w.beta, .email = "Ann@Example.org"}, "email"},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t id = 0;
        fail_clear(cx);
        const enum rc rc = person_create(cx, &cases[i].p, NULL, &id);
        if (rc != (cases[i].field ? E_INVALID : OK))
            print_message("# case %d: %s %s\n", i, cx->err.field, cx->err.text);
        assert_int_equal(rc, cases[i].field ? E_INVALID : OK);
        if (cases[i].field)
            assert_string_equal(cx->err.field, cases[i].field);
    }
    int64_t id;
    fail_clear(cx);
    assert_int_equal(person_create(cx, &(struct person){.email = "x"}, NULL, &id), E_INVALID);
    assert_int_equal(cx->err.problems.count, 4); /* all faults at once */
}

static void test_person_update(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct person p, q;
    assert_rc(cx, person_load(cx, b->w.cal, &p), OK);
    p.name = "Cal Changed";
    p.email = NULL;
    assert_rc(cx, person_update(cx, &p), OK);
    assert_int_equal(person_update(cx, &p), E_STALE);
    assert_rc(cx, person_load(cx, b->w.cal, &q), OK);
    assert_string_equal(q.name, "Cal Changed");
    assert_null(q.email);
    assert_int_equal(q.revision, p.revision + 1);
    assert_rc(cx, person_update(cx, &q), OK); /* nothing changes, nothing is counted */
    assert_rc(cx, person_load(cx, b->w.cal, &p), OK);
    assert_int_equal(p.revision, q.revision);
    p.login = "ann";
    assert_int_equal(person_update(cx, &p), E_INVALID);
    p.id = 999999;
    assert_int_equal(person_update(cx, &p), E_NOT_FOUND);
}

static void test_organisation_tree(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct organisation o;
    int64_t id;
    assert_rc(cx, organisation_load(cx, b->w.alpha, &o), OK);
    o.parent_id = b->w.north;
    assert_int_equal(organisation_update(cx, &o), E_INVALID);
    assert_string_equal(cx->err.field, "parent");
    o.parent_id = b->w.alpha;
    assert_int_equal(organisation_update(cx, &o), E_INVALID);
    o.parent_id = 999999;
    assert_int_equal(organisation_update(cx, &o), E_INVALID);
    o.parent_id = b->w.beta;
    assert_rc(cx, organisation_update(cx, &o), OK);
    become(cx, b->w.bea); /* an agent of Beta, which Alpha is below now */
    assert_int_equal(cx->user->roles[0].org_count, 3);
    cx->user = NULL;
    assert_int_equal(organisation_create(cx, &(struct organisation){.name = "ALPHA"}, &id),
                     E_INVALID);
    assert_int_equal(organisation_create(cx, &(struct organisation){.name = "12"}, &id), E_INVALID);
}

/* ---- who may see ----------------------------------------------------------------------------- */

static void test_sight(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct person p;
    struct group g;
    struct organisation o;
    become(cx, b->w.cal);
    assert_rc(cx, person_load(cx, b->w.ann, &p), OK); /* a colleague: by name */
    assert_string_equal(p.name, "Ann Agent");
    assert_null(p.email);
    assert_null(p.login);
    assert_rc(cx, person_load(cx, b->w.cal, &p), OK); /* oneself */
    assert_string_equal(p.email, "cal@example.org");
    assert_int_equal(person_load(cx, b->w.bea, &p), E_NOT_FOUND);
    assert_int_equal(person_load(cx, b->w.nor, &p), E_NOT_FOUND);
    assert_int_equal(person_load(cx, 999999, &p), E_NOT_FOUND);
    assert_int_equal(group_load(cx, b->w.desk_beta, &g), E_NOT_FOUND);
    assert_rc(cx, group_load(cx, b->w.desk, &g), OK);
    assert_int_equal(organisation_load(cx, b->w.beta, &o), E_NOT_FOUND);
    become(cx, b->w.ann); /* sees Alpha and what is below */
    assert_rc(cx, person_load(cx, b->w.nor, &p), OK);
    assert_string_equal(p.login, "nor");
    assert_int_equal(person_load(cx, b->w.bea, &p), E_NOT_FOUND);
    assert_rc(cx, organisation_load(cx, b->w.north, &o), OK);
    assert_int_equal(o.parent_id, b->w.alpha);
    become(cx, b->w.ada);
    assert_rc(cx, person_load(cx, b->w.bea, &p), OK);
    auth_as_nobody(cx);
    assert_int_equal(person_load(cx, b->w.ann, &p), E_NOT_FOUND);
}

/* The names of a list, joined. */
static const char *listed(struct ctx *cx, const char *words, int64_t org)
{
    struct list people = {0};
    const char *next;
    const struct people_query q = {.words = words, .org_id = org, .limit = 100};
    assert_rc(cx, person_list(cx, &q, &people, &next), OK);
    assert_null(next);
    const struct person *p = people.at;
    const char *all = "";
    for (int i = 0; i < people.count; i++)
        all = arena_printf(cx->arena, "%s%s%s", all, i ? ", " : "", p[i].name);
    return all;
}

static void test_list(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    assert_string_equal(listed(cx, NULL, 0),
                        "Ada Admin, Ann Agent, Bea Beta, Cal Caller, Max Manager, Nor North");
    assert_string_equal(listed(cx, "a", 0), "Ada Admin, Ann Agent");
    assert_string_equal(listed(cx, "AGE", 0), "Ann Agent"); /* the second word */
    assert_string_equal(listed(cx, "max@exam", 0), "Max Manager");
    assert_string_equal(listed(cx, "nor", 0), "Nor North");
    assert_string_equal(listed(cx, "ort", 0), "");
    assert_string_equal(listed(cx, "%", 0), "");
    assert_string_equal(listed(cx, NULL, b->w.beta), "Bea Beta");
    become(cx, b->w.cal);
    assert_string_equal(listed(cx, NULL, 0), "Ada Admin, Ann Agent, Cal Caller, Max Manager");
    assert_string_equal(listed(cx, "max@exam", 0), ""); /* one does not see it, nor find by it */
    assert_string_equal(listed(cx, NULL, b->w.beta), "");
    become(cx, b->w.bea);
    assert_string_equal(listed(cx, NULL, 0), "Bea Beta");
    auth_as_nobody(cx);
    assert_string_equal(listed(cx, NULL, 0), "");
}

static void test_pages(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    for (int i = 0; i < 7; i++) /* namesakes: the id decides */
        assert_rc(cx,
                  create_person(cx, arena_printf(cx->arena, "same%d", i), "Cal Caller", b->w.alpha),
                  OK);
    const char *cursor = NULL;
    int64_t last = 0;
    int count = 0;
    do {
        struct list people = {0};
        const char *next;
        assert_rc(
            cx,
            person_list(cx, &(struct people_query){.cursor = cursor, .limit = 2}, &people, &next),
            OK);
        const struct person *p = people.at;
        for (int i = 0; i < people.count; i++, count++) {
            if (str_equal(p[i].name, "Cal Caller")) {
                assert_true(p[i].id > last);
                last = p[i].id;
            }
        }
        cursor = next;
    } while (cursor);
    assert_int_equal(count, 13);
    static const char *const bad[] = {"", "x", "1", "1.zz", ".", "1.f", "99999999999999999999.61"};
    for (int i = 0; i < ARRAY_LEN(bad); i++) {
        struct list people = {0};
        const char *next;
        const struct people_query q = {.cursor = bad[i], .limit = 2};
        assert_int_equal(person_list(cx, &q, &people, &next), E_INVALID);
    }
    struct list rows = {0};
    const char *next;
    assert_int_equal(group_list(cx, &(struct people_query){.limit = 0}, &rows, &next), E_INVALID);
    assert_rc(cx, group_list(cx, &(struct people_query){.limit = 2}, &rows, &next), OK);
    assert_int_equal(rows.count, 2);
    assert_non_null(next);
    assert_rc(
        cx,
        organisation_list(cx, &(struct people_query){.limit = 10, .words = "north"}, &rows, &next),
        OK);
    assert_int_equal(rows.count, 1);
    assert_null(next);
}

/* ---- who may change -------------------------------------------------------------------------- */

static void test_manager_stays_inside(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    int64_t id;
    struct person p;
    become(cx, b->w.max);
    assert_rc(cx, create_person(cx, "a1", "In Alpha", b->w.alpha), OK);
    assert_rc(cx, create_person(cx, "a2", "In North", b->w.north), OK);
    assert_int_equal(create_person(cx, "a3", "In Beta", b->w.beta), E_INVALID); /* no such one */
    assert_int_equal(person_disable(cx, b->w.bea, 1), E_NOT_FOUND);
    assert_int_equal(group_join(cx, b->w.desk_beta, b->w.cal), E_NOT_FOUND);
    assert_int_equal(group_join(cx, b->w.desk, b->w.bea), E_NOT_FOUND);
    assert_rc(cx, group_join(cx, b->w.desk, b->w.cal), OK);
    assert_rc(cx, group_join(cx, b->w.desk, b->w.cal), OK); /* twice is once */
    assert_int_equal(organisation_create(cx, &(struct organisation){.name = "Gamma"}, &id),
                     E_DENIED);
    const struct organisation below = {.name = "Alpha South", .parent_id = b->w.alpha};
    assert_rc(cx, organisation_create(cx, &below, &id), OK);

    /* What one does not hold, one does not give: not as a role, not by a password, not by a group.
     */
    const struct role_grant grants[] = {
        {.role = "administrator", .person_id = b->w.max, .org_id = b->w.alpha},
        {.role = "auditor", .person_id = b->w.max, .org_id = b->w.alpha},
        {.role = "agent", .person_id = b->w.max},   /* everywhere */
        {.role = "manager", .person_id = b->w.max}, /* everywhere */
    };
    for (int i = 0; i < ARRAY_LEN(grants); i++)
        assert_int_equal(role_give(cx, &grants[i], &id), E_DENIED);
    assert_int_equal(
        role_give(cx,
                  &(struct role_grant){.role = "agent", .person_id = b->w.cal, .org_id = b->w.beta},
                  &id),
        E_NOT_FOUND);
    assert_int_equal(person_set_password(cx, b->w.ada, secret_of(cx, PASSWORD)), E_DENIED);
    assert_int_equal(person_disable(cx, b->w.ada, 1), E_DENIED);
    assert_rc(cx, person_load(cx, b->w.ada, &p), OK);
    p.email = "max@example.com";
    assert_int_equal(person_update(cx, &p), E_DENIED);
    assert_rc(
        cx,
        role_give(
            cx, &(struct role_grant){.role = "agent", .person_id = b->w.cal, .org_id = b->w.north},
            &id),
        OK);
    assert_rc(cx, role_take(cx, id), OK);

    cx->user = NULL;
    give(cx, "administrator", 0, b->w.desk, 0);
    become(cx, b->w.max);
    assert_int_equal(group_join(cx, b->w.desk, b->w.max), E_DENIED);
    struct group g;
    assert_rc(cx, group_load(cx, b->w.desk, &g), OK);
    g.retired_at = cx->now;
    assert_int_equal(group_update(cx, &g), E_DENIED);
}

static void test_oneself(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct person p;
    become(cx, b->w.cal);
    assert_rc(cx, person_load(cx, b->w.cal, &p), OK);
    p.phone = "+33 1 23 45 67 89";
    p.language = "fr";
    p.time_zone = "Europe/Paris";
    assert_rc(cx, person_update(cx, &p), OK);
    become(cx, b->w.cal);
    assert_string_equal(cx->user->language, "fr");
    assert_rc(cx, person_load(cx, b->w.cal, &p), OK);
    p.org_id = b->w.beta;
    assert_int_equal(person_update(cx, &p), E_DENIED);
    assert_rc(cx, person_load(cx, b->w.cal, &p), OK);
    p.email = "boss@example.org";
    assert_int_equal(person_update(cx, &p), E_DENIED);
    assert_rc(cx, person_set_password(cx, b->w.cal, secret_of(cx, PASSWORD)), OK);
    assert_int_equal(person_set_password(cx, b->w.cal, secret_of(cx, "short")), E_INVALID);
    assert_int_equal(person_set_password(cx, b->w.ann, secret_of(cx, PASSWORD)), E_DENIED);
    assert_int_equal(person_set_password(cx, b->w.bea, secret_of(cx, PASSWORD)), E_NOT_FOUND);
}

/* ---- the last administrator ------------------------------------------------------------------ */

static int64_t grant_of(struct ctx *cx, int64_t person, int64_t group)
{
    struct list grants = {0};
    assert_rc(cx, role_list(cx, person, group, &grants), OK);
    assert_int_equal(grants.count, 1);
    return ((struct role_grant *)grants.at)->id;
}

static void test_last_administrator(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct person p;
    struct group g;
    const int64_t grant = grant_of(cx, b->w.ada, 0);
    become(cx, b->w.ada);
    assert_int_equal(role_take(cx, grant), E_CONFLICT);
    assert_int_equal(person_disable(cx, b->w.ada, 1), E_CONFLICT);
    assert_rc(cx, person_load(cx, b->w.ada, &p), OK);
    p.is_service = true; /* a service does not sign in */
    assert_int_equal(person_update(cx, &p), E_CONFLICT);
    give(cx, "administrator", b->w.ann, 0, b->w.alpha); /* not everywhere: does not count */
    assert_int_equal(role_take(cx, grant), E_CONFLICT);

    give(cx, "administrator", 0, b->w.desk, 0);
    assert_int_equal(role_take(cx, grant), E_CONFLICT); /* a group without members */
    assert_rc(cx, group_join(cx, b->w.desk, b->w.cal), OK);
    assert_rc(cx, role_take(cx, grant), OK);
    assert_int_equal(role_take(cx, grant), E_NOT_FOUND);

    cx->user = NULL; /* now Cal is the last one, by the group */
    assert_int_equal(group_leave(cx, b->w.desk, b->w.cal), E_CONFLICT);
    assert_int_equal(person_disable(cx, b->w.cal, 1), E_CONFLICT);
    assert_int_equal(role_take(cx, grant_of(cx, 0, b->w.desk)), E_CONFLICT);
    assert_rc(cx, group_load(cx, b->w.desk, &g), OK);
    g.retired_at = cx->now;
    assert_int_equal(group_update(cx, &g), E_CONFLICT);
    give(cx, "administrator", b->w.ada, 0, 0);
    assert_rc(cx, group_leave(cx, b->w.desk, b->w.cal), OK);
    assert_rc(cx, group_leave(cx, b->w.desk, b->w.cal), OK); /* twice is once */
}

static void test_roles(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    int64_t id, again;
    const struct role_grant g = {.role = "agent", .person_id = b->w.cal, .org_id = b->w.beta};
    assert_rc(cx, role_give(cx, &g, &id), OK);
    assert_rc(cx, role_give(cx, &g, &again), OK);
    assert_int_equal(id, again);
    const struct {
        struct role_grant g;
        const char *field;
    } bad[] = {
        {{.role = "agnet", .person_id = b->w.cal}, "role"},
        {{.role = NULL, .person_id = b->w.cal}, "role"},
        {{.role = "agent"}, "person"},
        {{.role = "agent", .person_id = b->w.cal, .group_id = b->w.desk}, "person"},
        {{.role = "agent", .person_id = 999999}, "person"},
        {{.role = "agent", .group_id = 999999}, "group"},
        {{.role = "agent", .person_id = b->w.cal, .org_id = 999999}, "organisation"},
    };
    for (int i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(role_give(cx, &bad[i].g, &id), E_INVALID);
        assert_string_equal(cx->err.field, bad[i].field);
    }
    role_give(cx, &bad[0].g, &id);
    assert_string_equal(cx->err.text, "there is no role agnet; is it agent?");

    struct list grants = {0};
    become(cx, b->w.max); /* sees what is held in Alpha */
    assert_rc(cx, role_list(cx, 0, 0, &grants), OK);
    assert_int_equal(grants.count, 3);
    assert_rc(cx, role_list(cx, b->w.bea, 0, &grants), OK);
    assert_int_equal(grants.count, 0);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    int64_t id = 0;
    const char *number = arena_printf(cx->arena, "%d", (int)b->w.ann);
    const char *const names[] = {"ann", "ANN", "ann@example.org", number};
    for (int round = 0; round < 2; round++) /* from the database, then from memory */
        for (int i = 0; i < ARRAY_LEN(names); i++) {
            assert_rc(cx, person_find(cx, names[i], &id), OK);
            assert_int_equal(id, b->w.ann);
        }
    fail_clear(cx);
    assert_int_equal(person_find(cx, "nobody", &id), E_NOT_FOUND);
    assert_int_equal(person_find(cx, "999999", &id), E_NOT_FOUND);
    assert_int_equal(person_find(cx, "", &id), E_NOT_FOUND);
    assert_null(cx->err.text);
    assert_rc(cx, group_find(cx, "desk north", &id), OK);
    assert_int_equal(id, b->w.desk_north);
    assert_rc(cx, organisation_find(cx, "beta", &id), OK);
    assert_int_equal(id, b->w.beta);
    assert_string_equal(person_who(cx, b->w.ann).name, "Ann Agent");
    assert_string_equal(person_who(cx, b->w.ann).login, "ann");
    assert_string_equal(group_who(cx, b->w.desk).name, "Desk");
    assert_null(group_who(cx, b->w.desk).login);
    assert_string_equal(organisation_who(cx, b->w.beta).name, "Beta");
    assert_string_equal(person_who(cx, 999999).name, "?");
    assert_string_equal(person_who(cx, 0).name, "?");

    become(cx, b->w.cal); /* what one does not see, one does not find */
    assert_rc(cx, person_find(cx, "ann", &id), OK);
    assert_int_equal(person_find(cx, "bea", &id), E_NOT_FOUND);
    assert_int_equal(group_find(cx, "desk beta", &id), E_NOT_FOUND);
    assert_int_equal(organisation_find(cx, "beta", &id), E_NOT_FOUND);
    assert_int_equal(organisation_find(cx, arena_printf(cx->arena, "%d", (int)b->w.beta), &id),
                     E_NOT_FOUND);
    assert_string_equal(person_who(cx, b->w.bea).name, "Bea Beta"); /* of a record one does see */
}

static void test_names_are_kept(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    int64_t id;
    struct person p;
    person_who(cx, b->w.ann);
    assert_rc(cx, person_find(cx, "ann", &id), OK);
    const int64_t before = db_figures(cx->db).statements;
    for (int i = 0; i < 100; i++) {
        assert_string_equal(person_who(cx, b->w.ann).name, "Ann Agent");
        assert_rc(cx, person_find(cx, "ann", &id), OK);
    }
    assert_in_range(db_figures(cx->db).statements, before, before + 2); /* a second may pass */

    assert_rc(cx, person_load(cx, b->w.ann, &p), OK);
    p.name = "Ann Married";
    p.login = "anne";
    assert_rc(cx, person_update(cx, &p), OK);
    assert_string_equal(person_who(cx, b->w.ann).name, "Ann Married");
    assert_int_equal(person_find(cx, "ann", &id), E_NOT_FOUND);
    assert_rc(cx, person_find(cx, "anne", &id), OK);
}

/* ---- the first administrator ----------------------------------------------------------------- */

static int on_empty(void **state, enum db_engine engine)
{
    struct bed *b = calloc(1, sizeof(*b));
    *state = b;
    b->cx = (struct ctx){.arena = arena_create(), .now = 1700000000 * US_PER_S};
    b->cx.defs = make_defs(b->cx.arena);
    b->cx.db = scratch_open(&b->cx, engine, &(struct db_config){0});
    int applied;
    if (b->cx.db)
        assert_rc(&b->cx, db_migrate(&b->cx, &applied), OK);
    return 0;
}

static int on_empty_sqlite(void **state)
{
    return on_empty(state, DB_SQLITE);
}

static int on_empty_postgres(void **state)
{
    return on_empty(state, DB_POSTGRES);
}

static void test_first_on_empty(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    struct secret *first, *second;
    int64_t id = 0;
    struct first_admin who = {.organisation = "Alpha",
                              .name = "First One",
                              .login = "First",
                              .email = "first@example.org",
                              .password = secret_of(cx, PASSWORD)};
    auth_as_nobody(cx);
    assert_rc(cx, auth_first_secret(cx, &first), OK);
    assert_rc(cx, auth_first_secret(cx, &second), OK);
    assert_int_equal(auth_first_redeem(cx, secret_reveal(first), &who, &id), E_NOT_FOUND);
    cx->now += US_PER_DAY;
    assert_int_equal(auth_first_redeem(cx, secret_reveal(second), &who, &id), E_NOT_FOUND);
    assert_rc(cx, auth_first_secret(cx, &second), OK);
    who.email = "nothing";
    assert_int_equal(auth_first_redeem(cx, secret_reveal(second), &who, &id), E_INVALID);
    who.email = "first@example.org";
    who.password = secret_of(cx, "first of all things"); /* holds the login */
    assert_int_equal(auth_first_redeem(cx, secret_reveal(second), &who, &id), E_INVALID);
    who.password = secret_of(cx, PASSWORD);
    assert_rc(cx, auth_first_redeem(cx, secret_reveal(second), &who, &id), OK);
    assert_int_equal(cx->user->kind, USER_NOBODY);
    assert_int_equal(auth_first_redeem(cx, secret_reveal(second), &who, &id), E_NOT_FOUND);
    assert_int_equal(auth_first_secret(cx, &first), E_CONFLICT);

    struct session s;
    const struct user *u;
    assert_rc(cx, auth_login(cx, "first", secret_of(cx, PASSWORD), "203.0.113.1", NULL, &s, &u),
              OK);
    assert_int_equal(u->id, id);
    assert_true(auth_has_right(cx, "system.manage"));
}

/* ---- explaining ------------------------------------------------------------------------------ */

static void test_explain(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    const struct subject s = {.process = defs_process(cx->defs, "incident"),
                              .record_id = 1,
                              .org_id = b->w.north,
                              .caller_id = b->w.ann};
    static const char *const allow[] = {"agent", "caller", "assignee", "system", NULL};
    const struct {
        int64_t person;
        const char *want[4];
    } cases[] = {
        {b->w.ann,
         {"agent: yes, Ann Agent holds this role in Alpha, which is above Alpha North",
          "caller: yes, Ann Agent is the caller", "assignee: no, Ann Agent is not the assignee",
          "system: no, Ann Agent is not the system itself"}},
        {b->w.nor,
         {"agent: yes, Nor North holds this role in Alpha North as a member of Desk North",
          "caller: no, Nor North is not the caller", "assignee: no, Nor North is not the assignee",
          "system: no, Nor North is not the system itself"}},
        {b->w.bea,
         {"agent: no, Bea Beta does not hold this role in Alpha North",
          "caller: no, Bea Beta is not the caller", "assignee: no, Bea Beta is not the assignee",
          "system: no, Bea Beta is not the system itself"}},
        {0,
         {"agent: no, the system is not a person", "caller: no, the system is not a person",
          "assignee: no, the system is not a person", "system: yes, this is the system itself"}},
    };
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        struct list why = {0};
        if (cases[i].person)
            become(cx, cases[i].person);
        const struct user *who = cases[i].person ? cx->user : NULL;
        assert_rc(cx, auth_explain(cx, who, &s, allow, &why), OK);
        assert_int_equal(why.count, 4);
        for (int n = 0; n < 4; n++)
            assert_string_equal(((const char **)why.at)[n], cases[i].want[n]);
    }
}

/* ---- faults ---------------------------------------------------------------------------------- */

static enum rc do_create(struct bed *b)
{
    return create_person(&b->cx, "new", "New Person", b->w.alpha);
}

static enum rc do_update(struct bed *b)
{
    struct person p;
    TRY(person_load(&b->cx, b->w.cal, &p));
    p.name = "Cal Changed";
    return person_update(&b->cx, &p);
}

static enum rc do_disable(struct bed *b)
{
    struct person p;
    TRY(person_load(&b->cx, b->w.max, &p));
    return person_disable(&b->cx, b->w.max, p.revision);
}

static enum rc do_join(struct bed *b)
{
    return group_join(&b->cx, b->w.desk, b->w.cal);
}

static enum rc do_give(struct bed *b)
{
    int64_t id;
    return role_give(&b->cx, &(struct role_grant){.role = "agent", .person_id = b->w.cal}, &id);
}

static enum rc do_organisation(struct bed *b)
{
    int64_t id;
    return organisation_create(&b->cx, &(struct organisation){.name = "Gamma"}, &id);
}

static const char *const no_params[] = {NULL};
#define TOTALS                                                                                     \
    "SELECT (SELECT count(*) FROM event) AS events, (SELECT n FROM epoch WHERE name = 'people') "  \
    "AS epoch, (SELECT count(*) FROM person) + (SELECT count(*) FROM organisation) + "             \
    "(SELECT count(*) FROM team_member) + (SELECT count(*) FROM role_grant) + "                    \
    "(SELECT sum(revision) FROM person) AS rows"
static const struct sql totals_sql = {
    .name = "totals", .text = {TOTALS, TOTALS}, .params = no_params};

struct totals {
    int64_t events, epoch, rows;
};
static const struct col totals_cols[] = {
    INT_COL(struct totals, events),
    INT_COL(struct totals, epoch),
    INT_COL(struct totals, rows),
    {0},
};

static struct totals totals_of(struct ctx *cx)
{
    struct totals s;
    assert_rc(cx, db_one(cx, &totals_sql, ARGS(), totals_cols, &s), OK);
    return s;
}

/* Whichever statement fails: a change, its epoch and its event are there together or not at all. */
static void test_faults(void **state)
{
    struct bed *b = bed_of(state);
    struct ctx *cx = &b->cx;
    static enum rc (*const changes[])(struct bed *) = {do_create, do_update, do_disable,
                                                       do_join,   do_give,   do_organisation};
    for (int i = 0; i < ARRAY_LEN(changes); i++) {
        const struct totals before = totals_of(cx);
        int n = 1;
        for (;; n++) {
            db_fail_at(cx->db, n, E_FAIL);
            const enum rc rc = changes[i](b);
            db_fail_at(cx->db, 0, OK);
            assert_true(rc == OK || rc == E_FAIL);
            fail_clear(cx);
            if (rc == OK)
                break;
            const struct totals after = totals_of(cx);
            assert_memory_equal(&before, &after, sizeof(before));
            assert_true(n < 100);
        }
        assert_true(n > 3);
        const struct totals after = totals_of(cx);
        assert_int_equal(after.events, before.events + 1);
        assert_int_equal(after.epoch, before.epoch + 1);
        assert_true(after.rows > before.rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_person_input),
        ON_BOTH(test_person_update),
        ON_BOTH(test_organisation_tree),
        ON_BOTH(test_sight),
        ON_BOTH(test_list),
        ON_BOTH(test_pages),
        ON_BOTH(test_manager_stays_inside),
        ON_BOTH(test_oneself),
        ON_BOTH(test_last_administrator),
        ON_BOTH(test_roles),
        ON_BOTH(test_names),
        ON_BOTH(test_names_are_kept),
        {"test_first_on_empty (sqlite)", test_first_on_empty, on_empty_sqlite, tear_down, NULL},
        {"test_first_on_empty (postgres)", test_first_on_empty, on_empty_postgres, tear_down, NULL},
        ON_BOTH(test_explain),
        ON_BOTH(test_faults),
    };
    return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
