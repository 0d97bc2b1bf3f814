#include "db/fault.h"

static bool is_due(struct conn *c)
{
    const long long n = atomic_fetch_add_explicit(&c->fault->count, 1, memory_order_relaxed) + 1;
    return n == atomic_load_explicit(&c->fault->due, memory_order_relaxed);
}

static enum rc failure(struct ctx *cx, struct conn *c)
{
    const enum rc rc = (enum rc)atomic_load(&c->fault->rc);
    fail(cx, rc, NULL, "the database failed");
    return fail_detail(cx, rc, "a fault that was asked for");
}

static enum rc fault_exec(struct ctx *cx, struct conn *c, const struct sql *sql,
                          const struct arg *const *values, int *ret_changed)
{
    return is_due(c) ? failure(cx, c) : c->fault->real->exec(cx, c, sql, values, ret_changed);
}

static enum rc fault_start(struct ctx *cx, struct conn *c, const struct sql *sql,
                           const struct arg *const *values, enum walk walk, struct rows **ret)
{
    return is_due(c) ? failure(cx, c) : c->fault->real->start(cx, c, sql, values, walk, ret);
}

static enum rc fault_once(struct ctx *cx, struct conn *c, const char *text)
{
    return is_due(c) ? failure(cx, c) : c->fault->real->once(cx, c, text);
}

static enum rc fault_begin(struct ctx *cx, struct conn *c)
{
    return is_due(c) ? failure(cx, c) : c->fault->real->begin(cx, c);
}

static enum rc fault_commit(struct ctx *cx, struct conn *c)
{
    return is_due(c) ? failure(cx, c) : c->fault->real->commit(cx, c);
}

struct driver fault_wrap(const struct driver *real)
{
    struct driver d = *real;
    d.exec = fault_exec;
    d.start = fault_start;
    d.once = fault_once;
    d.begin = fault_begin;
    d.commit = fault_commit;
    return d;
}

void fault_set(struct fault *f, int n, enum rc rc)
{
    const long long count = atomic_load(&f->count);
    atomic_store(&f->rc, rc);
    atomic_store(&f->since, count);
    atomic_store(&f->due, n > 0 ? count + n : 0);
}
