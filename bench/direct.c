/* direct.c - the gate, lists, search and counters without HTTP, in this process.
 *
 *   direct URL create THREADS COUNT     incidents through rec_do()
 *   direct URL read COUNT               one record by number, at random
 *   direct URL list COUNT               50 open incidents of a group by priority
 *   direct URL search COUNT             words, the most relevant first
 *   direct URL tally COUNT              counts by state, group and priority
 *   direct URL import LOG MAPPING       what another system's log says happened
 *
 * The database is one that bench/fill made. All but create and import ask as an agent.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/people.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "connect/import.h"
#include "db/db.h"
#include "desk.h"
#include "rec/rec.h"
#include "rec/rec_list.h"

#define MOST_THREADS 256

static const struct user *become(struct ctx *cx, const char *login)
{
    int64_t id;

    must(cx, person_find(cx, login, &id), login);
    must(cx, auth_by_person(cx, id), login);
    return cx->user;
}

/* ---- create --------------------------------------------------------------------------------- */

struct creator {
    const struct desk *desk;
    const struct user *user;
    int64_t count;
    int number; /* of the thread */
    struct meter times;
    pthread_t thread;
};

static enum rc create_one(struct ctx *cx, const char *title)
{
    const struct member input[] = {
        {"title", val_text(title)},
        {"description", val_text("Every third page is crumpled. Cleaning did not help.")},
        {"impact", val_text("moderate")},
        {"urgency", val_text("medium")},
        {"channel", val_text("phone")},
    };
    const struct change c = {
        .kind = CHANGE_CREATE,
        .process = "incident",
        .input = {.kind = VAL_MAP, .count = ARRAY_LEN(input), .members = input},
    };
    struct outcome out;

    return rec_do(cx, &c, &out);
}

static void *create_main(void *arg)
{
    struct creator *w = arg;
    struct ctx cx;

    desk_ctx(w->desk, &cx);
    for (int64_t i = 0; i < w->count; i++) {
        const int64_t began = meter_now();
        cx.user = w->user;
        cx.now = clock_now();
        must(&cx,
             create_one(&cx, arena_printf(cx.arena, "Printer %lld-%d jams on the second floor",
                                          (long long)i, w->number)),
             "create");
        meter_add(&w->times, meter_now() - began);
        arena_reset(cx.arena);
    }
    desk_ctx_done(&cx);
    return NULL;
}

static void create(struct desk *d, char **argv)
{
    static struct creator all[MOST_THREADS];
    const int threads = (int)must_int(argv[0]);
    const struct user *user = become(&d->cx, "caller2");
    struct meter times = {0};

    if (threads < 1 || threads > MOST_THREADS)
        must(&d->cx, fail(&d->cx, E_INVALID, NULL, "1 to %d threads", MOST_THREADS), "create");
    const int64_t began = meter_now(), cpu = meter_cpu();
    const struct db_figures before = db_figures(d->cx.db);
    for (int i = 0; i < threads; i++) {
        all[i] = (struct creator){d, user, must_int(argv[1]) / threads, i, {0}, 0};
        pthread_create(&all[i].thread, NULL, create_main, &all[i]);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(all[i].thread, NULL);
    const int64_t wall = meter_now() - began;
    const struct db_figures after = db_figures(d->cx.db);
    for (int i = 0; i < threads; i++) {
        meter_merge(&times, &all[i].times);
        meter_done(&all[i].times);
    }
    fprintf(stderr, "%.1f transactions a commit, %.1f statements a transaction\n",
            (double)(after.transactions - before.transactions) /
                (double)(after.commits - before.commits),
            (double)(after.statements - before.statements) /
                (double)(after.transactions - before.transactions));
    meter_print(&times, "create", wall, meter_cpu() - cpu);
    meter_done(&times);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* xorshift64*: the same records in every run. */
static int64_t below(uint64_t *state, int64_t n)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (int64_t)((*state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % (uint64_t)n);
}

struct asking {
    uint64_t chance;
    int64_t incidents; /* how many there are about */
};

static enum rc ask_read(struct ctx *cx, struct asking *a)
{
    struct rec r;
    return rec_load(
        cx, arena_printf(cx->arena, "INC-%lld", (long long)below(&a->chance, a->incidents) + 1),
        &r);
}

static enum rc ask_list(struct ctx *cx, struct asking *a)
{
    static const char *const groups[] = {"Service Desk", "Workplace", "Network",
                                         "Applications", "Servers",   "Database"};
    const struct list_query q = {
        .process = "incident",
        .filter =
            arena_printf(cx->arena, "active AND group = \"%s\"", groups[1 + below(&a->chance, 5)]),
        .sort = "priority",
        .limit = 50,
    };
    struct list_page page;

    return rec_list(cx, &q, &page);
}

static enum rc ask_search(struct ctx *cx, struct asking *a)
{
    static const char *const words[] = {"printer",      "password expired",  "vpn drops",
                                        "mail outside", "\"second screen\"", "sales report",
                                        "certificate",  "error 503"};
    const struct list_query q = {
        .process = "incident",
        .filter = words[below(&a->chance, ARRAY_LEN(words))],
        .sort = "relevance",
        .limit = 50,
    };
    struct list_page page;

    return rec_list(cx, &q, &page);
}

static enum rc ask_tally(struct ctx *cx, struct asking *a)
{
    struct list counts;

    (void)a;
    return rec_tally(cx, "incident", &counts);
}

static void ask(struct desk *d, const char *what, enum rc (*fn)(struct ctx *, struct asking *),
                int64_t count)
{
    const struct user *user = become(&d->cx, "desk1");
    struct meter times = {0};
    struct list counts;
    struct ctx cx;
    struct asking a = {.chance = 42};
    int64_t wall = 0, cpu = 0;

    must(&d->cx, rec_tally(&d->cx, "incident", &counts), "tally");
    for (int i = 0; i < counts.count; i++)
        a.incidents += ((const struct tally *)counts.at)[i].n;
    desk_ctx(d, &cx);
    for (int64_t i = -count / 10; i < count; i++) { /* some to warm up */
        if (i == 0)
            cpu = meter_cpu();
        const int64_t began = meter_now();
        cx.user = user;
        cx.now = clock_now();
        must(&cx, fn(&cx, &a), what);
        if (i >= 0)
            meter_add(&times, meter_now() - began);
        arena_reset(cx.arena);
    }
    desk_ctx_done(&cx);
    for (int64_t i = 0; i < times.count; i++)
        wall += times.ns[i];
    meter_print(&times, what, wall, meter_cpu() - cpu);
    meter_done(&times);
}

/* ---- import --------------------------------------------------------------------------------- */

static void import(struct desk *d, char **argv)
{
    struct ctx *cx = &d->cx;
    struct import_report report;
    struct meter times = {0};
    struct import_options o = {.path = argv[0]};
    char *text;
    size_t len;

    must(cx, file_read(cx, argv[1], 1 << 20, &text, &len), argv[1]);
    must(cx, mapping_read(cx, argv[1], text, len, &o.mapping), argv[1]);
    const int64_t began = meter_now(), cpu = meter_cpu();
    must(cx, import_run(cx, &o, &report), "import");
    const int64_t wall = meter_now() - began;
    meter_add(&times, wall);
    fprintf(stderr, "%lld rows, %lld records, %lld events, %lld deviating, %lld failed\n",
            (long long)report.rows, (long long)report.records, (long long)report.events,
            (long long)report.deviating, (long long)report.failed);
    meter_print(&times, "import", wall, meter_cpu() - cpu);
    meter_done(&times);
}

static void ask_named(struct desk *d, char **argv)
{
    static const struct {
        const char *name;
        enum rc (*fn)(struct ctx *cx, struct asking *a);
    } questions[] = {
        {"read", ask_read}, {"list", ask_list}, {"search", ask_search}, {"tally", ask_tally}};

    for (int i = 0; i < ARRAY_LEN(questions); i++) {
        if (str_equal(argv[-1], questions[i].name))
            ask(d, questions[i].name, questions[i].fn, must_int(argv[0]));
    }
}

static const struct {
    const char *name;
    int args;
    void (*run)(struct desk *d, char **argv);
} measures[] = {
    {"create", 2, create},    {"read", 1, ask_named},  {"list", 1, ask_named},
    {"search", 1, ask_named}, {"tally", 1, ask_named}, {"import", 2, import},
};

int main(int argc, char **argv)
{
    const char *folder = getenv("BENCH_PROCESSES");
    struct desk d;

    for (int i = 0; i < ARRAY_LEN(measures) && argc > 2; i++) {
        if (!str_equal(argv[2], measures[i].name) || argc != 3 + measures[i].args)
            continue;
        desk_open(&d, argv[1], folder ? folder : "process");
        measures[i].run(&d, argv + 3);
        desk_close(&d);
        return 0;
    }
    fprintf(stderr, "usage: direct URL create THREADS COUNT | read COUNT | list COUNT | "
                    "search COUNT | tally COUNT | import LOG MAPPING\n");
    return 2;
}
