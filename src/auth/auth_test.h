/* auth_test.h - the bed of this module's tests: every test that needs a database on both engines,
 * with a small world of people in it.
 *
 *   organisations   Alpha, below it Alpha North; Beta
 *   roles           administrator *, agent people.view, manager people.view people.manage, auditor
 *                   event.view_all system.view
 *   people          ada: administrator everywhere       (Alpha)
 *                   ann: agent in Alpha                  (Alpha)
 *                   nor: agent as a member of Desk North (Alpha North)
 *                   max: manager in Alpha                (Alpha)
 *                   cal: no role                         (Alpha)
 *                   bea: agent in Beta                   (Beta)
 *   groups          Desk (Alpha), Desk North (Alpha North): agent in Alpha North; Desk Beta (Beta)
 */
#ifndef AUTH_AUTH_TEST_H
#define AUTH_AUTH_TEST_H

#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/people.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/test.h"
#include "base/time.h"
#include "db/db.h"
#include "db/scratch.h"

#define MAYBE __attribute__((unused)) /* by a test that does without */
#define NAMES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

#define PASSWORD "twelve green bottles"

/* The code that a call must return; prints what it said when it does not. */
#define assert_rc(cx, call, want)                                                                  \
    do {                                                                                           \
        const enum rc rc_is = (call);                                                              \
        if (rc_is != (want))                                                                       \
            print_message("# %s: %s (%s)\n", (cx)->err.field ? (cx)->err.field : "-",              \
                          (cx)->err.text, (cx)->err.detail);                                       \
        assert_string_equal(rc_name(rc_is), rc_name(want));                                        \
    } while (0)

/* ---- definitions ----------------------------------------------------------------------------- */

static inline const struct defs *make_defs(struct arena *a)
{
    static const char *const all[] = {"*", NULL};
    static const char *const none[] = {NULL};
    static const char *const view[] = {"people.view", NULL};
    static const char *const manage[] = {"people.view", "people.manage", NULL};
    static const char *const audit[] = {"event.view_all", "system.view", NULL};
    static const struct role roles[] = {
        {.name = "administrator", .rights = all}, {.name = "agent", .rights = view},
        {.name = "manager", .rights = manage},    {.name = "auditor", .rights = audit},
        {.name = "plain", .rights = none},
    };
    static const char *const views[] = {"agent",   "caller", "opened_by",    "assignee",
                                        "watcher", "group",  "organisation", NULL};
    static const char *const agents[] = {"agent", NULL};
    static const char *const anyone[] = {"anyone", NULL};
    static const char *const own[] = {"caller", NULL};
    struct process *p = arena_array(a, 2, sizeof(*p));
    for (int i = 0; i < 2; i++) {
        for (int r = 0; r < RIGHT_COUNT; r++)
            p[i].rights[r] = agents;
        p[i].rights[RIGHT_CREATE] = anyone;
        p[i].rights[RIGHT_REPLY] = own;
    }
    p[0].name = "incident";
    p[0].rights[RIGHT_VIEW] = views;
    p[1].name = "problem";
    struct defs *d = arena_alloc(a, sizeof(*d));
    *d = (struct defs){
        .processes = p, .process_count = 2, .roles = roles, .role_count = ARRAY_LEN(roles)};
    return d;
}

/* ---- the world ------------------------------------------------------------------------------- */

struct world {
    int64_t alpha, north, beta;
    int64_t ada, ann, nor, max, cal, bea;
    int64_t desk, desk_north, desk_beta;
};

struct bed {
    struct ctx cx;
    struct world w;
};

static inline int64_t make_org(struct ctx *cx, const char *name, int64_t parent)
{
    int64_t id = 0;
    assert_rc(
        cx, organisation_create(cx, &(struct organisation){.name = name, .parent_id = parent}, &id),
        OK);
    return id;
}

static inline int64_t make_person(struct ctx *cx, const char *login, const char *name, int64_t org)
{
    int64_t id = 0;
    const char *email = arena_printf(cx->arena, "%s@example.org", login);
    const struct person p = {.login = login, .name = name, .email = email, .org_id = org};
    assert_rc(cx, person_create(cx, &p, NULL, &id), OK);
    return id;
}

static inline int64_t make_group(struct ctx *cx, const char *name, int64_t org)
{
    int64_t id = 0;
    assert_rc(cx, group_create(cx, &(struct group){.name = name, .org_id = org}, &id), OK);
    return id;
}

static inline int64_t give(struct ctx *cx, const char *role, int64_t person, int64_t group,
                           int64_t org)
{
    int64_t id = 0;
    const struct role_grant g = {
        .role = role, .person_id = person, .group_id = group, .org_id = org};
    assert_rc(cx, role_give(cx, &g, &id), OK);
    return id;
}

static inline void make_world(struct ctx *cx, struct world *w)
{
    w->alpha = make_org(cx, "Alpha", 0);
    w->north = make_org(cx, "Alpha North", w->alpha);
    w->beta = make_org(cx, "Beta", 0);
    w->ada = make_person(cx, "ada", "Ada Admin", w->alpha);
    w->ann = make_person(cx, "ann", "Ann Agent", w->alpha);
    w->nor = make_person(cx, "nor", "Nor North", w->north);
    w->max = make_person(cx, "max", "Max Manager", w->alpha);
    w->cal = make_person(cx, "cal", "Cal Caller", w->alpha);
    w->bea = make_person(cx, "bea", "Bea Beta", w->beta);
    w->desk = make_group(cx, "Desk", w->alpha);
    w->desk_north = make_group(cx, "Desk North", w->north);
    w->desk_beta = make_group(cx, "Desk Beta", w->beta);
    give(cx, "administrator", w->ada, 0, 0);
    give(cx, "agent", w->ann, 0, w->alpha);
    give(cx, "manager", w->max, 0, w->alpha);
    give(cx, "agent", w->bea, 0, w->beta);
    give(cx, "agent", 0, w->desk_north, w->north);
    assert_rc(cx, group_join(cx, w->desk_north, w->nor), OK);
}

static inline int set_up(void **state, enum db_engine engine)
{
    struct bed *b = calloc(1, sizeof(*b));
    *state = b;
    b->cx.arena = arena_create();
    b->cx.now = 1700000000 * US_PER_S;
    b->cx.defs = make_defs(b->cx.arena);
    b->cx.db = scratch_open(&b->cx, engine, &(struct db_config){0});
    if (!b->cx.db)
        return 0;
    int applied;
    assert_rc(&b->cx, db_migrate(&b->cx, &applied), OK);
    make_world(&b->cx, &b->w);
    return 0;
}

MAYBE static int on_sqlite(void **state)
{
    return set_up(state, DB_SQLITE);
}

MAYBE static int on_postgres(void **state)
{
    return set_up(state, DB_POSTGRES);
}

MAYBE static int tear_down(void **state)
{
    struct bed *b = *state;
    if (b->cx.db)
        scratch_close(&b->cx, b->cx.db);
    arena_destroy(b->cx.arena);
    free(b);
    return 0;
}

MAYBE static struct bed *bed_of(void **state)
{
    struct bed *b = *state;
    if (!b->cx.db)
        skip(); /* TEST_POSTGRES is not set */
    return b;
}

/* From now on this person acts. */
MAYBE static void become(struct ctx *cx, int64_t person)
{
    assert_rc(cx, auth_by_person(cx, person), OK);
}

MAYBE static const struct secret *secret_of(struct ctx *cx, const char *text)
{
    return secret_create(cx->arena, text, strlen(text));
}

#define ON_BOTH(test)                                                                              \
    {#test " (sqlite)", test, on_sqlite, tear_down, NULL},                                         \
    {                                                                                              \
#test " (postgres)", test, on_postgres, tear_down, NULL                                    \
    }

#endif
