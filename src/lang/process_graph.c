#include "base/buf.h"
#include "lang/process_check.h"

bool is_end(const struct state *s)
{
    return s->status == STATUS_CLOSED || s->status == STATUS_CANCELLED;
}

int leads_to(const struct action *a, int from)
{
    return a->to < 0 ? from : a->to;
}

void walk_begin(struct walk *w, int state)
{
    if (has_bit(w->seen, state))
        return;
    w->seen |= bit(state);
    w->from[state] = -1;
    w->order[w->count++] = state;
}

static void walk_step(struct walk *w, const struct action *a, int from)
{
    const int to = leads_to(a, from);
    if (!has_bit(a->from, from) || has_bit(w->seen, to))
        return;
    if (w->may_go && !w->may_go(w, a, from, to))
        return;
    w->seen |= bit(to);
    w->from[to] = from;
    w->by[to] = a;
    w->order[w->count++] = to;
}

/* Breadth first, so that the way to each state is a shortest one. */
void walk_on(struct walk *w)
{
    for (int next = 0; next < w->count; next++) {
        for (int i = 0; i < w->p->action_count; i++)
            walk_step(w, &w->p->actions[i], w->order[next]);
    }
}

/* "wait, resume": the actions on the way to a state. */
const char *way_to(const struct check *c, const struct walk *w, int state)
{
    const char *way = "";
    for (; w->from[state] >= 0; state = w->from[state])
        way = arena_printf(c->cx->arena, "%s%s%s", w->by[state]->name, *way ? ", " : "", way);
    return way;
}

const char *state_names(const struct check *c, const struct process *p, uint64_t bits)
{
    struct buf b = {.arena = c->cx->arena};
    for (int i = 0; i < p->state_count; i++) {
        if (has_bit(bits, i))
            buf_printf(&b, "%s%s", b.len ? ", " : "", p->states[i].name);
    }
    return buf_text(&b);
}
