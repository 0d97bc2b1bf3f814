/* passage.h - one passage through the gate under way. Only gate.c, change.c and follow.c include
 * it.
 *
 * gate.c opens the transaction, finds who acts and what is before, has change.c do what the change
 * asks for, writes the event, and has follow.c do what comes of it.
 */
#ifndef REC_PASSAGE_H
#define REC_PASSAGE_H

#include "rec/input.h"
#include "rec/rec.h"

struct passage {
    const struct change *c;
    struct outcome *ret;
    struct rec rec; /* before; when creating only process and subject are set */
    struct input input;
    struct flow_plan plan;
    bool has_plan;
    const struct state *was;  /* convert: the state in the process it comes from */
    const struct user *actor; /* who did it: cx->user, or whom a recorded change names */
    const char *const *words; /* that hold for the actor */
    int64_t at;
    int64_t record_id, event_id;
    struct val_map body; /* of the event */
    bool is_internal;
    bool is_nothing; /* what was asked for is already so: no event */
};

static inline bool is_recorded(const struct passage *g)
{
    return g->c->recorded;
}

/* The words that hold for the actor and g->rec.subject; again when the subject changed. */
void passage_words(struct ctx *cx, struct passage *g);

/* E_NOT_FOUND or E_DENIED. Importing is a right of who imports; what the actor might have done is a
 * matter of deviations. */
enum rc passage_check(struct ctx *cx, struct passage *g, enum right right);

/* The right that a change of this kind needs, beside what its action allows. */
enum right change_right(const struct passage *g);

/* Do what the change asks for; fills plan, body, record_id. */
enum rc change_apply(struct ctx *cx, struct passage *g);

/* What else has to happen: timers, watchers, notices, other records. */
enum rc follow(struct ctx *cx, struct passage *g);

/* A reply of the caller may be what the record waits for. */
enum rc follow_reply(struct ctx *cx, struct passage *g);

#endif
