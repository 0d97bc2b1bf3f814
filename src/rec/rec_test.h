/* rec_test.h - the bed of this module's tests: the shipped processes, two organisations, people of
 * each kind, on either engine. */
#ifndef REC_REC_TEST_H
#define REC_REC_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/people.h"
#include "base/ctx.h"
#include "base/str.h"
#include "base/test.h"
#include "base/time.h"
#include "db/scratch.h"
#include "rec/rec.h"
#include "rec/type.h"

#define MAYBE __attribute__((unused))
#define START (INT64_C(1767621600) * US_PER_S) /* Monday 2026-01-05 14:00 UTC */

struct bed {
    struct ctx cx;
    struct types *types;
    int64_t org, other_org, group, second_group;
    const struct user *anna, *bob, *carl, *ida; /* caller, agent, agent of second_group, manager */
    const struct user *xena, *yuri;             /* caller and agent of the other organisation */
};

#define assert_rc(cx, call, want)                                                                  \
    do {                                                                                           \
        const enum rc got_ = (call);                                                               \
        if (got_ != (want))                                                                        \
            print_error("%s: %s: %s (%s)\n", #call, rc_name(got_),                                 \
                        (cx)->err.text ? (cx)->err.text : "",                                      \
                        (cx)->err.detail ? (cx)->err.detail : "");                                 \
        assert_int_equal(got_, want);                                                              \
    } while (0)

MAYBE static struct bed *bed_of(void **state)
{
    struct bed *b = *state;
    if (!b->cx.db)
        skip();
    b->cx.user = NULL;
    fail_clear(&b->cx);
    return b;
}

/* The shipped process files; tests run in the source folder or say where it is. */
static const char *test_processes(void)
{
    const char *source = getenv("TEST_SOURCE");
    static char path[4096];

    snprintf(path, sizeof(path), "%s/process", source ? source : ".");
    return path;
}

static const struct user *make_user(struct bed *b, int64_t org, const char *login, const char *role,
                                    int64_t group)
{
    struct ctx *cx = &b->cx;
    int64_t id;
    const struct person p = {.org_id = org, .login = login, .name = login, .language = "en"};

    assert_rc(cx, person_create(cx, &p, NULL, &id), OK);
    if (role) {
        const struct role_grant g = {.person_id = id, .role = role, .org_id = org};
        assert_rc(cx, role_give(cx, &g, &(int64_t){0}), OK);
    }
    if (group)
        assert_rc(cx, group_join(cx, group, id), OK);
    return arena_copy(cx->arena, &id, sizeof(id));
}

static void load_user(struct bed *b, const struct user **u)
{
    const int64_t id = *(const int64_t *)(const void *)*u;
    assert_rc(&b->cx, auth_by_person(&b->cx, id), OK);
    *u = b->cx.user;
    b->cx.user = NULL;
}

static void make_people(struct bed *b)
{
    struct ctx *cx = &b->cx;
    const struct organisation acme = {.name = "Acme"}, globex = {.name = "Globex"};

    assert_rc(cx, organisation_create(cx, &acme, &b->org), OK);
    assert_rc(cx, organisation_create(cx, &globex, &b->other_org), OK);
    const struct group desk = {.name = "Desk", .org_id = b->org};
    const struct group second = {.name = "Network", .org_id = b->org};
    assert_rc(cx, group_create(cx, &desk, &b->group), OK);
    assert_rc(cx, group_create(cx, &second, &b->second_group), OK);
    b->anna = make_user(b, b->org, "anna", NULL, 0);
    b->bob = make_user(b, b->org, "bob", "agent", b->group);
    b->carl = make_user(b, b->org, "carl", "agent", b->second_group);
    b->ida = make_user(b, b->org, "ida", "incident_manager", 0);
    b->xena = make_user(b, b->other_org, "xena", NULL, 0);
    b->yuri = make_user(b, b->other_org, "yuri", "agent", 0);
    const struct user **users[] = {&b->anna, &b->bob, &b->carl, &b->ida, &b->xena, &b->yuri};
    for (int i = 0; i < ARRAY_LEN(users); i++)
        load_user(b, users[i]);
}

static int set_up(void **state, enum db_engine engine)
{
    struct bed *b = calloc(1, sizeof(*b));
    struct list files, findings = {0};
    int applied;

    *state = b;
    b->cx = (struct ctx){.arena = arena_create(), .now = START, .via = VIA_API};
    b->cx.db = scratch_open(&b->cx, engine, &(struct db_config){.readers = 4});
    if (!b->cx.db)
        return 0;
    b->types = types_create();
    b->cx.types = b->types;
    assert_rc(&b->cx, db_migrate(&b->cx, &applied), OK);
    assert_rc(&b->cx, type_read_folder(&b->cx, test_processes(), &files), OK);
    const enum rc rc = type_activate(&b->cx, b->types, files.at, files.count, &findings);
    const struct finding *f = findings.at;
    for (int i = 0; i < findings.count; i++)
        print_error("%s:%d: %s\n", f[i].file, f[i].line, f[i].text);
    assert_rc(&b->cx, rc, OK);
    type_take(&b->cx, b->types);
    make_people(b);
    return 0;
}

MAYBE static int set_up_sqlite(void **state)
{
    return set_up(state, DB_SQLITE);
}

MAYBE static int set_up_postgres(void **state)
{
    return set_up(state, DB_POSTGRES);
}

MAYBE static int tear_down(void **state)
{
    struct bed *b = *state;
    struct db *db = b->cx.db;

    b->cx.db = NULL;
    if (db)
        scratch_close(&b->cx, db);
    arena_destroy(b->cx.arena);
    types_destroy(b->types);
    free(b);
    return 0;
}

#define BOTH(fn)                                                                                   \
    {#fn " (sqlite)", fn, set_up_sqlite, tear_down, NULL},                                         \
    {                                                                                              \
#fn " (postgres)", fn, set_up_postgres, tear_down, NULL                                    \
    }

#define MAP(...)                                                                                   \
    ((struct val){.kind = VAL_MAP,                                                                 \
                  .count = ARRAY_LEN(((const struct member[]){__VA_ARGS__})),                      \
                  .members = (const struct member[]){__VA_ARGS__}})

/* An incident of anna's, as the system. */
MAYBE static struct rec make_incident(struct bed *b, const struct user *by, const char *title)
{
    struct ctx *cx = &b->cx;
    struct outcome out;
    const struct change c = {
        .kind = CHANGE_CREATE,
        .process = "incident",
        .input = MAP({"title", val_text(title)}, {"impact", val_text("moderate")},
                     {"urgency", val_text("high")}),
    };

    cx->user = by;
    assert_rc(cx, rec_do(cx, &c, &out), OK);
    return out.rec;
}

MAYBE static enum rc act(struct bed *b, const struct user *who, const char *number,
                         const char *action, struct val input, struct outcome *ret)
{
    const struct change c = {
        .kind = CHANGE_ACTION, .number = number, .action = action, .input = input};

    b->cx.user = who;
    return rec_do(&b->cx, &c, ret);
}

MAYBE static const char *state_of(const struct rec *r)
{
    return r->slots[FIELD_STATE].text;
}

#endif
