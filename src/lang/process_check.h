/* process_check.h - what the checks of a transition table share; between process_check*.c only. */
#ifndef LANG_PROCESS_CHECK_H
#define LANG_PROCESS_CHECK_H

#include "base/ctx.h"
#include "lang/expr.h"
#include "lang/process.h"

struct check {
    struct ctx *cx;
    const struct process *p;
    struct list *findings;
};

/* Where something stands in the file. */
struct spot {
    int line, column;
};
#define SPOT(x) ((struct spot){(x)->line, (x)->column})

void found(struct check *c, enum finding_level level, struct spot at, const char *rule,
           const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* ---- the graph: process_graph.c ------------------------------------------------------------- */

static inline uint64_t bit(int i)
{
    return UINT64_C(1) << i;
}

static inline bool has_bit(uint64_t bits, int i)
{
    return bits >> i & 1;
}

bool is_end(const struct state *s); /* closed or cancelled */
int leads_to(const struct action *a, int from);
const char *state_names(const struct check *c, const struct process *p, uint64_t bits);

/* States that are found one after the other, and by which action from where. Zero it, set p and
 * what is needed of the rest, begin in one state or several, and go on. */
struct walk {
    const struct process *p;
    uint64_t seen;
    int order[MAX_STATES], count;
    int from[MAX_STATES]; /* -1: begun there */
    const struct action *by[MAX_STATES];
    /* Whether this step is to be gone; NULL: all are. */
    bool (*may_go)(const struct walk *w, const struct action *a, int from, int to);
    const char *timer; /* for may_go */
};
void walk_begin(struct walk *w, int state);
void walk_on(struct walk *w); /* breadth first: the way to each state is a shortest one */
const char *way_to(const struct check *c, const struct walk *w, int state); /* "wait, resume" */

/* ---- timers and cascades: process_timers.c -------------------------------------------------- */

bool is_timer(const struct process *p, const char *action);
const char *asked_name(const struct process *p, const struct asked *ask);
bool gives(const struct set_pair *sets, const char *name);

/* Whether the action finds the field filled without asking for it. */
bool is_sure(const struct process *p, const struct action *a, const struct field *f);

void check_timers(struct check *c, const struct action *a, const struct effect *e);
void check_cascades(struct check *c, const struct action *a, const struct effect *e);
void check_lost(struct check *c, const struct action *timed);

#endif
