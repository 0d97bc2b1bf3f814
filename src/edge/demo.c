#include "edge/demo.h"

#include <stdlib.h>
#include <string.h>

#include "auth/people.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "rec/rec.h"

#define BATCH 100
#define SPAN_DAYS 120

/* ---- chance that repeats -------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014): the record's number is the seed, so its life is always the
 * same. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int pick(uint64_t *state, int count)
{
    return (int)(next(state) % (uint64_t)count);
}

/* ---- who there is --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int parent; /* index, or -1 */
} organisations[] = {
    {"Example Company", -1},
    {"Example Company Lyon", 0},
    {"Example Logistics", -1},
};

static const struct {
    const char *name;
    int tier;
} groups[] = {
    {"Service Desk", 1}, {"Workplace", 2}, {"Network", 2},
    {"Applications", 2}, {"Servers", 3},   {"Database", 3},
};

/* People of the desk: role, and the group they are in. Names say what they do, so nobody takes them
 * for somebody. */
static const struct {
    const char *login, *name, *role;
    int group; /* index, or -1 */
} staff[] = {
    {"desk1", "Desk Agent One", "agent", 0},
    {"desk2", "Desk Agent Two", "agent", 0},
    {"desk3", "Desk Agent Three", "agent", 0},
    {"workplace1", "Workplace Engineer One", "agent", 1},
    {"workplace2", "Workplace Engineer Two", "agent", 1},
    {"network1", "Network Engineer One", "agent", 2},
    {"network2", "Network Engineer Two", "agent", 2},
    {"apps1", "Application Engineer One", "agent", 3},
    {"apps2", "Application Engineer Two", "agent", 3},
    {"servers1", "Server Engineer", "agent", 4},
    {"database1", "Database Engineer", "agent", 5},
    {"incidents", "Incident Manager", "incident_manager", -1},
    {"problems", "Problem Manager", "problem_manager", -1},
    {"processes", "Process Owner", "process_owner", -1},
    {"audit", "Auditor", "auditor", -1},
};

static const struct {
    const char *title, *description, *category, *impact, *urgency, *resolution;
    int group; /* that solves it */
} stories[] = {
    {"Printer on the second floor jams", "Every third page is crumpled. Cleaning did not help.",
     "hardware/printer", "moderate", "medium", "Replaced the fuser and tested fifty pages.", 1},
    {"Cannot sign in after holidays", "My password has expired and I cannot choose a new one.",
     "access/password", "minor", "high", "Reset the password; the user signed in.", 0},
    {"VPN drops every few minutes", "Working from home is hardly possible since this morning.",
     "network/vpn", "significant", "high", "Updated the gateway; connections are stable.", 2},
    {"Mail arrives hours late", "Messages from outside take two to three hours.", "software/mail",
     "significant", "medium", "Removed a stuck queue on the relay.", 3},
    {"Wireless is slow in the meeting rooms", "Video calls stutter in rooms 3 and 4.",
     "network/wireless", "moderate", "low", "Moved the access point to a free channel.", 2},
    {"Laptop does not start", "The screen stays black, the fan runs.", "hardware/computer", "minor",
     "critical", "Exchanged the mainboard; data is intact.", 1},
    {"Report shows figures of last month", "The sales report was not refreshed overnight.",
     "software/business", "moderate", "medium", "Restarted the failed load and reran the report.",
     5},
    {"Shared folder is read-only", "Nobody in the team can save documents.", "access/shared_folder",
     "moderate", "high", "Corrected the group's permission.", 4},
    {"Phone has no dial tone", "The desk phone is dead since the move.", "network/telephony",
     "minor", "medium", "Patched the port in the cabinet.", 2},
    {"Second screen stays dark", "It worked yesterday.", "hardware/screen", "minor", "low",
     "Replaced the cable.", 1},
    {"Order entry is not reachable", "Error 503 for everybody in the department.",
     "software/business", "extensive", "critical",
     "Restarted the application server; cause under "
     "investigation.",
     3},
    {"Backup of the file server failed", "The nightly job ended with an error.",
     "infrastructure/backup", "moderate", "medium", "Freed space on the target and reran the job.",
     4},
    {"Browser shows a certificate warning", "It appears on the intranet pages only.",
     "software/browser", "moderate", "low", "Renewed the certificate.", 4},
    {"Database answers slowly", "Searches take more than twenty seconds.",
     "infrastructure/database", "significant", "high", "Added a missing index.", 5},
};

struct desk {
    struct ctx *cx;
    const struct demo_options *o;
    struct demo_result *result;
    int64_t orgs[ARRAY_LEN(organisations)], groups[ARRAY_LEN(groups)], staff[ARRAY_LEN(staff)];
    const struct user *users[ARRAY_LEN(staff)];
    const struct user **callers;
    int caller_count;
    int64_t now;
    int64_t done;
};

/* ---- making people -------------------------------------------------------------------------- */

static enum rc make_organisations(struct desk *d)
{
    for (int i = 0; i < ARRAY_LEN(organisations); i++) {
        const int parent = organisations[i].parent;
        const struct organisation o = {
            .name = organisations[i].name,
            .parent_id = parent < 0 ? 0 : d->orgs[parent],
            .language = i == 1 ? "fr" : "en",
        };
        TRY(organisation_create(d->cx, &o, &d->orgs[i]));
    }
    for (int i = 0; i < ARRAY_LEN(groups); i++) {
        const struct group g = {
            .name = groups[i].name, .org_id = d->orgs[0], .tier = groups[i].tier};
        TRY(group_create(d->cx, &g, &d->groups[i]));
    }
    return OK;
}

static enum rc user_of(struct desk *d, int64_t person, const struct user **ret)
{
    TRY(auth_by_person(d->cx, person));
    *ret = d->cx->user;
    d->cx->user = NULL;
    return OK;
}

static enum rc make_staff(struct desk *d, const struct secret *password)
{
    struct ctx *cx = d->cx;

    for (int i = 0; i < ARRAY_LEN(staff); i++) {
        const struct person p = {
            .org_id = d->orgs[0],
            .login = staff[i].login,
            .name = staff[i].name,
            .email = arena_printf(cx->arena, "%s@desk.example.org", staff[i].login),
            .language = "en",
        };
        TRY(person_create(cx, &p, password, &d->staff[i]));
        const struct role_grant g = {.person_id = d->staff[i], .role = staff[i].role};
        TRY(role_give(cx, &g, &(int64_t){0}));
        if (staff[i].group >= 0)
            TRY(group_join(cx, d->groups[staff[i].group], d->staff[i]));
    }
    return OK;
}

/* The first caller of each organisation can sign in, to see the desk from the other side. */
static enum rc make_callers(struct desk *d, const struct secret *password)
{
    struct ctx *cx = d->cx;
    int64_t *ids = arena_array(cx->arena, (size_t)d->caller_count, sizeof(*ids));

    for (int i = 0; i < d->caller_count; i++) {
        const int org = i % ARRAY_LEN(organisations);
        const struct person p = {
            .org_id = d->orgs[org],
            .login = arena_printf(cx->arena, "caller%d", i + 1),
            .name = arena_printf(cx->arena, "Caller %d", i + 1),
            .email = arena_printf(cx->arena, "caller%d@example.org", i + 1),
            .language = org == 1 ? "fr" : "en",
        };
        TRY(person_create(cx, &p, i < ARRAY_LEN(organisations) ? password : NULL, &ids[i]));
    }
    for (int i = 0; i < d->caller_count; i++)
        TRY(user_of(d, ids[i], &d->callers[i]));
    for (int i = 0; i < ARRAY_LEN(staff); i++)
        TRY(user_of(d, d->staff[i], &d->users[i]));
    return OK;
}

static enum rc check_empty(struct ctx *cx)
{
    const struct people_query q = {.limit = 2};
    struct list people;
    const char *more;

    TRY(organisation_list(cx, &q, &people, &more));
    return people.count
               ? fail(cx, E_CONFLICT, NULL,
                      "there are people and records already; demo data goes into an empty desk")
               : OK;
}

/* ---- one record's life ---------------------------------------------------------------------- */

struct life {
    struct desk *d;
    struct ctx *cx;
    uint64_t chance;
    int64_t id;
    int64_t at;
    bool is_over; /* the next step would be after now */
};

static bool later(struct life *l, int64_t by_us)
{
    l->at += by_us + (int64_t)(next(&l->chance) % (uint64_t)by_us);
    l->is_over |= l->at > l->d->now;
    return !l->is_over;
}

static enum rc pass(struct life *l, const struct user *who, struct change c)
{
    struct outcome out;

    l->cx->user = who;
    l->cx->now = l->at;
    if (l->id)
        c.id = l->id;
    const enum rc rc = rec_do(l->cx, &c, &out);
    l->cx->user = NULL;
    TRY(rc);
    l->id = out.rec.id;
    l->d->result->events++;
    return OK;
}

static enum rc act(struct life *l, const struct user *who, const char *action,
                   const struct member *input, int count)
{
    return pass(l, who,
                (struct change){
                    .kind = CHANGE_ACTION,
                    .action = action,
                    .input = {.kind = VAL_MAP, .count = count, .members = input},
                    .is_stored = true,
                });
}

static enum rc say(struct life *l, const struct user *who, enum change_kind kind, const char *text)
{
    return pass(l, who, (struct change){.kind = kind, .text = text});
}

#define GIVEN(...)                                                                                 \
    (const struct member[]){__VA_ARGS__}, ARRAY_LEN(((const struct member[]){__VA_ARGS__}))

static const struct user *solver(struct life *l, int group)
{
    const struct user *found = l->d->users[0];
    const int start = pick(&l->chance, ARRAY_LEN(staff));

    for (int i = 0; i < ARRAY_LEN(staff); i++) {
        const int at = (start + i) % ARRAY_LEN(staff);
        if (staff[at].group == group)
            found = l->d->users[at];
    }
    return found;
}

static enum rc report(struct life *l, int story, const struct user *caller)
{
    static const char *const channels[] = {"portal", "phone", "mail", "phone", "monitoring"};
    const bool by_agent = pick(&l->chance, 2);
    const struct member input[] = {
        {"title", val_text(stories[story].title)},
        {"description", val_text(stories[story].description)},
        {"impact", val_text(stories[story].impact)},
        {"urgency", val_text(stories[story].urgency)},
        {"channel", val_text(by_agent ? channels[pick(&l->chance, 5)] : "portal")},
        {"caller", val_int(caller->id)},
    };

    return pass(l, by_agent ? l->d->users[pick(&l->chance, 3)] : caller,
                (struct change){
                    .kind = CHANGE_CREATE,
                    .process = "incident",
                    .input = {.kind = VAL_MAP, .count = ARRAY_LEN(input), .members = input},
                    .is_stored = true,
                });
}

static enum rc resolve(struct life *l, int story, const struct user *agent,
                       const struct user *caller)
{
    TRY(act(l, agent, "resolve",
            GIVEN({"closure_code", val_text(pick(&l->chance, 5) ? "solved" : "workaround")},
                  {"resolution", val_text(stories[story].resolution)},
                  {"category", val_text(stories[story].category)})));
    if (pick(&l->chance, 12) == 0 && later(l, US_PER_HOUR)) {
        TRY(act(l, caller, "reject", GIVEN({"comment", val_text("It is still the same.")})));
        if (!later(l, 3 * US_PER_HOUR))
            return OK;
        TRY(act(l, agent, "resolve",
                GIVEN({"closure_code", val_text("solved")},
                      {"resolution", val_text(stories[story].resolution)})));
    }
    if (pick(&l->chance, 3) == 0 && later(l, 2 * US_PER_HOUR))
        return act(l, caller, "confirm", NULL, 0);
    l->at += 7 * US_PER_DAY;
    return l->at < l->d->now ? act(l, NULL, "close", NULL, 0) : OK;
}

/* From the report to as far as it came by now. */
static enum rc live_incident(struct life *l)
{
    const int story = pick(&l->chance, ARRAY_LEN(stories));
    const struct user *caller = l->d->callers[pick(&l->chance, l->d->caller_count)];
    const struct user *desk = l->d->users[pick(&l->chance, 3)];
    const struct user *agent = solver(l, stories[story].group);

    TRY(report(l, story, caller));
    if (!later(l, 10 * US_PER_MIN))
        return OK;
    TRY(act(l, desk, "assign",
            GIVEN({"group", val_int(l->d->groups[stories[story].group])},
                  {"assignee", val_int(agent->id)})));
    if (!later(l, US_PER_HOUR))
        return OK;
    TRY(act(l, agent, "start", NULL, 0));
    if (pick(&l->chance, 16) == 0) /* stays open, as some do on every desk */
        return OK;
    if (pick(&l->chance, 5) == 0 && later(l, US_PER_HOUR)) {
        TRY(act(l, agent, "ask_user", GIVEN({"comment", val_text("Since when does it happen?")})));
        if (!later(l, 4 * US_PER_HOUR))
            return OK;
        TRY(act(l, caller, "user_replied", GIVEN({"comment", val_text("Since Monday.")})));
    }
    if (pick(&l->chance, 4) == 0 && later(l, US_PER_HOUR))
        TRY(say(l, agent, CHANGE_NOTE, "Checked the log; looks like the case of last week."));
    if (!later(l, (1 + pick(&l->chance, 20)) * US_PER_HOUR))
        return OK;
    return resolve(l, story, agent, caller);
}

static enum rc live_request(struct life *l)
{
    static const char *const items[] = {"account", "hardware", "software", "information"};
    static const char *const titles[] = {"Access to the archive", "A larger screen",
                                         "Licence for the drawing program",
                                         "How to share a calendar"};
    const int what = pick(&l->chance, ARRAY_LEN(items));
    const struct user *caller = l->d->callers[pick(&l->chance, l->d->caller_count)];
    const struct member input[] = {
        {"title", val_text(titles[what])},
        {"item", val_text(items[what])},
        {"justification", val_text("Needed for the daily work.")},
    };

    return pass(l, caller,
                (struct change){
                    .kind = CHANGE_CREATE,
                    .process = "request",
                    .input = {.kind = VAL_MAP, .count = ARRAY_LEN(input), .members = input},
                    .is_stored = true,
                });
}

static enum rc live(struct desk *d, struct ctx *cx, int64_t number)
{
    struct life l = {.d = d, .cx = cx, .chance = (uint64_t)number + 1};
    const int64_t span = SPAN_DAYS * US_PER_DAY;

    l.at = d->now - span + (int64_t)((double)span * (double)number / (double)d->o->records);
    return pick(&l.chance, 12) ? live_incident(&l) : live_request(&l);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static enum rc batch_in_tx(struct ctx *cx, void *arg)
{
    struct desk *d = arg;
    const int64_t events = d->result->events;

    for (int64_t i = d->done; i < d->done + BATCH && i < d->o->records; i++) {
        const enum rc rc = live(d, cx, i);
        if (rc != OK) {
            d->result->events = events; /* the transaction may run again */
            return rc;
        }
    }
    return OK;
}

static void destroy_arena(void *arg)
{
    arena_destroy(arg);
}

static enum rc make_records(struct desk *d)
{
    struct ctx batch = *d->cx;

    batch.arena = arena_create();
    arena_defer(d->cx->arena, destroy_arena, batch.arena);
    while (d->done < d->o->records) {
        const enum rc rc = db_tx(&batch, batch_in_tx, d);
        if (rc != OK)
            return fail(d->cx, rc, NULL, "demo record %lld: %s", (long long)d->done,
                        batch.err.text ? batch.err.text : rc_name(rc));
        arena_reset(batch.arena);
        d->done = d->done + BATCH < d->o->records ? d->done + BATCH : d->o->records;
        if (d->o->progress)
            d->o->progress(d->done, d->o->records, d->o->arg);
    }
    d->result->records = d->done;
    return OK;
}

enum rc demo_load(struct ctx *cx, const struct demo_options *o, struct demo_result *ret)
{
    struct desk d = {.cx = cx, .o = o, .result = ret, .now = cx->now};
    const char *password = random_token(cx->arena, 12);
    const struct secret *secret = secret_create(cx->arena, password, strlen(password));

    *ret = (struct demo_result){.password = password};
    cx->via = VIA_COMMAND;
    TRY(check_empty(cx));
    d.caller_count = o->records < 300 ? 30 : o->records < 20000 ? (int)o->records / 10 : 2000;
    d.callers = arena_array(cx->arena, (size_t)d.caller_count, sizeof(*d.callers));
    TRY(make_organisations(&d));
    TRY(make_staff(&d, secret));
    TRY(make_callers(&d, secret));
    return make_records(&d);
}
