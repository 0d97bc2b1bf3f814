#include "rec/reach.h"

#include "lang/process.h"

void query_init(struct ctx *cx, struct query *q)
{
    *q = (struct query){.sql.arena = cx->arena};
}

void query_arg(struct ctx *cx, struct query *q, struct arg a)
{
    struct arg *added = list_add(cx->arena, &q->args, sizeof(*added));
    *added = a;
}

const char *query_name(struct ctx *cx, struct query *q)
{
    return arena_printf(cx->arena, "a%d", ++q->named);
}

const struct arg *query_args(struct ctx *cx, struct query *q)
{
    struct list l = q->args;
    list_add(cx->arena, &l, sizeof(struct arg)); /* zeroed: the end */
    return l.at;
}

static void add_or(struct query *q, int *parts)
{
    if ((*parts)++)
        buf_puts(&q->sql, " OR ");
}

static void add_ids(struct ctx *cx, struct query *q, const char *column, const int64_t *ids,
                    int count)
{
    const char *name = query_name(cx, q);

    if (count == 1) { /* an index is walked in its order for one value, not for a set */
        buf_printf(&q->sql, "r.%s = :%s", column, name);
        query_arg(cx, q, INT(name, ids[0]));
        return;
    }
    buf_printf(&q->sql, "r.%s IN {ids :%s}", column, name);
    query_arg(cx, q, IDS(name, ids, count));
}

static void add_me(struct ctx *cx, struct query *q, const char *fmt)
{
    const int64_t me = cx->user ? cx->user->id : 0;
    const char *name = query_name(cx, q);

    buf_puts(&q->sql, fmt);
    buf_printf(&q->sql, " = :%s", name);
    query_arg(cx, q, INT(name, me));
}

void reach_sql(struct ctx *cx, struct query *q, const struct reach *reach)
{
    const struct {
        bool holds;
        const char *column;
    } mine[] = {
        {reach->as_caller, "r.caller_id"},
        {reach->as_opened_by, "r.opened_by_id"},
        {reach->as_assignee, "r.assignee_id"},
    };
    int parts = 0;

    if (reach->is_all) {
        buf_puts(&q->sql, "TRUE");
        return;
    }
    buf_putc(&q->sql, '(');
    if (reach->org_count) {
        add_or(q, &parts);
        add_ids(cx, q, "org_id", reach->orgs, reach->org_count);
    }
    for (int i = 0; i < ARRAY_LEN(mine); i++) {
        if (!mine[i].holds)
            continue;
        add_or(q, &parts);
        add_me(cx, q, mine[i].column);
    }
    if (reach->as_group && cx->user && cx->user->group_count) {
        add_or(q, &parts);
        add_ids(cx, q, "group_id", cx->user->groups, cx->user->group_count);
    }
    if (reach->as_watcher) {
        add_or(q, &parts);
        add_me(cx, q, "EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = r.id AND w.person_id");
        buf_putc(&q->sql, ')');
    }
    buf_puts(&q->sql, parts ? ")" : "FALSE)");
}

static void add_process(struct ctx *cx, struct query *q, const struct process *p)
{
    const char *name = query_name(cx, q);

    buf_printf(&q->sql, "r.process_id = :%s", name);
    query_arg(cx, q, INT(name, p->process_id));
}

void reach_processes(struct ctx *cx, struct query *q, const struct process *const *processes,
                     int count, enum right right)
{
    int parts = 0;

    buf_putc(&q->sql, '(');
    for (int i = 0; i < count; i++) {
        const struct reach reach = auth_reach(cx, processes[i], right);
        if (reach_is_empty(&reach))
            continue;
        add_or(q, &parts);
        buf_putc(&q->sql, '(');
        add_process(cx, q, processes[i]);
        if (!reach.is_all) {
            buf_puts(&q->sql, " AND ");
            reach_sql(cx, q, &reach);
        }
        buf_putc(&q->sql, ')');
    }
    buf_puts(&q->sql, parts ? ")" : "FALSE)");
}

bool reach_is_whole(struct ctx *cx, const struct process *const *processes, int count,
                    enum right right)
{
    for (int i = 0; i < count; i++) {
        if (!auth_reach(cx, processes[i], right).is_all)
            return false;
    }
    return true;
}
