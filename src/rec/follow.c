/* What comes of a change: timers start and end, people watch and are told, other records are made.
 */
#include "rec_sql.h"

#include "base/str.h"
#include "db/db.h"
#include "job/job.h"
#include "rec/around.h"
#include "rec/passage.h"
#include "rec/row.h"

static enum rc run_timers(struct ctx *cx, struct passage *g)
{
    const struct flow_timer *t = g->plan.timers.at;

    if (g->plan.ends_timers)
        TRY(timer_stop_all(cx, g->record_id));
    for (int i = 0; i < g->plan.timers.count; i++) {
        if (t[i].run_at)
            TRY(timer_start(cx, g->record_id, t[i].name, t[i].run_at));
        else
            TRY(timer_stop(cx, g->record_id, t[i].name));
    }
    return OK;
}

static enum rc run_watches(struct ctx *cx, struct passage *g)
{
    const int64_t *person = g->plan.watches.at;

    for (int i = 0; i < g->plan.watches.count; i++)
        TRY(db_exec(cx, SQL_rec_watch, ARGS(INT("id", g->record_id), INT("person", person[i])),
                    NULL));
    return OK;
}

/* The process does it, whoever pressed the button. In this very context: what the transaction is to
 * do at its end holds on to it. */
static enum rc do_as_system(struct ctx *cx, const struct change *c, struct outcome *ret)
{
    const struct user *user = cx->user;
    cx->user = NULL;
    const enum rc rc = rec_do(cx, c, ret);
    cx->user = user;
    return rc;
}

static enum rc run_creates(struct ctx *cx, struct passage *g)
{
    const struct flow_create *made = g->plan.creates.at;

    for (int i = 0; i < g->plan.creates.count; i++) {
        struct outcome out;
        const struct change create = {
            .kind = CHANGE_CREATE,
            .process = made[i].process,
            .input = around_inherit(cx, made[i].input, g->plan.after, g->record_id, made[i].link),
            .is_stored = true,
        };
        TRY(do_as_system(cx, &create, &out));
        if (!str_equal(made[i].link, "child"))
            TRY(around_link_made(cx, g->record_id, out.rec.id, made[i].link, g->at));
    }
    return OK;
}

/* Most records have nothing below them, and that is counted already. */
static bool reaches_any(struct ctx *cx, const struct passage *g, const struct effect *e)
{
    const struct link_kind *k = defs_link(cx->defs, e->link);
    const struct val *slots = g->plan.after;

    return !k || !k->is_tree || slot_int(slots, FIELD_OPEN_CHILDREN) > 0 ||
           slot_int(slots, FIELD_OPEN_TASKS) > 0;
}

static enum rc run_cascades(struct ctx *cx, struct passage *g)
{
    const struct flow_cascade *c = g->plan.cascades.at;

    for (int i = 0; i < g->plan.cascades.count; i++) {
        struct val_map job = {0};
        if (!reaches_any(cx, g, c[i].effect))
            continue;
        val_map_set(cx->arena, &job, "record", val_int(g->record_id));
        val_map_set(cx->arena, &job, "event", val_int(g->event_id));
        val_map_set(cx->arena, &job, "version", val_int(g->rec.process->version_id));
        val_map_set(cx->arena, &job, "by", val_text(g->plan.action->name));
        val_map_set(cx->arena, &job, "action", val_text(c[i].effect->name));
        val_map_set(cx->arena, &job, "link", val_text(c[i].effect->link));
        val_map_set(cx->arena, &job, "input", c[i].input);
        TRY(job_add(cx, "cascade", cx->now, val_from_map(&job), NULL));
    }
    return OK;
}

enum rc follow(struct ctx *cx, struct passage *g)
{
    TRY(run_timers(cx, g));
    if (is_recorded(g)) /* what it led to is in the log it comes from */
        return OK;
    TRY(run_watches(cx, g));
    TRY(around_tell(cx, &g->plan, g->record_id, g->event_id));
    TRY(run_creates(cx, g));
    return run_cascades(cx, g);
}

static const struct action *awaited(const struct passage *g)
{
    const struct process *p = g->rec.process;
    const struct state *s = process_state(p, g->rec.slots[FIELD_STATE].text);

    for (int i = 0; s && i < p->action_count; i++) {
        const struct action *a = &p->actions[i];
        if (a->is_upon_reply && a->from & (UINT64_C(1) << s->index))
            return a;
    }
    return NULL;
}

/* The caller, or who reported it for them; not the agent who wrote it down on the phone. */
static bool is_from_caller(const struct passage *g)
{
    static const char *const caller[] = {"caller", NULL};
    static const char *const opened_by[] = {"opened_by", NULL};

    return auth_allows(caller, g->words) ||
           (auth_allows(opened_by, g->words) &&
            !auth_allows(g->rec.process->rights[RIGHT_EDIT], g->words));
}

enum rc follow_reply(struct ctx *cx, struct passage *g)
{
    const struct action *a = awaited(g);
    struct outcome out;

    if (!a || is_recorded(g) || !is_from_caller(g))
        return OK;
    const struct change c = {.kind = CHANGE_ACTION, .id = g->rec.id, .action = a->name};
    const enum rc rc = do_as_system(cx, &c, &out);
    if (rc == E_CONFLICT) { /* its guard does not hold: the reply stands by itself */
        fail_clear(cx);
        return OK;
    }
    TRY(rc);
    g->rec = out.rec;
    g->rec.revision--; /* show_outcome() counts this passage's own */
    return OK;
}
