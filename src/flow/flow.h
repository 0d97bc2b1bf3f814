/* flow.h - what would this action do? The rules of a process, applied to one record, without side
 * effects: no clock, no database, no memory but the arena of cx.
 *
 * Whatever comes in - by API, mail, import, timer - is the same question: this record, this action,
 * this input, by someone for whom these words hold, at this instant. The answer is a plan: what
 * every field holds afterwards, and what else has to happen. rec/ carries it out in one
 * transaction.
 *
 * A plan that is refused says why, completely: every missing and every wrong field (problem()), and
 * one of the codes below, which programs may rely on.
 *
 *   unknown_action   the process has no such action                        E_NOT_FOUND
 *   not_offered      not in this state; the message lists what is          E_CONFLICT
 *   not_allowed      not by this person                                    E_DENIED
 *   too_late         its `within` has passed                               E_CONFLICT
 *   guard            its `when` does not hold                              E_CONFLICT
 *   required, not_asked, read_only, hidden, ...  about one field           E_INVALID
 *
 * RECORDED. What happened elsewhere is not asked for permission: with FLOW_RECORDED nothing is
 * refused for these reasons; each is noted as a deviation in the plan instead, by its code.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "lang/expr.h"
#include "lang/process.h"

enum flow_mode { FLOW_STRICT, FLOW_RECORDED };

/* A value for a field, already read and resolved to ids. */
struct given {
    int slot;
    struct val val;
};

struct flow_in {
    const struct process *process;
    const struct val *slots;      /* the record before, by slot; NULL: it is being created */
    const struct val *start;      /* creation: what is known besides the input, by slot; or NULL */
    const char *const *overrides; /* by slot: why a computed value was set by hand; NULL: none */
    const char *const *words;     /* that hold for who acts (auth_words) */
    const struct given *given;
    int given_count;
    const char *comment, *note;  /* texts that came along, or NULL */
    const char *override_reason; /* allows computed fields among the given ones, or NULL */
    const char *to_state;        /* recorded only: the state it went to, whatever the action says */
    enum flow_mode mode;
    int64_t at; /* when it happened */
    int64_t me; /* who acts; 0: the system */
    const int64_t *my_groups;
    int my_group_count;
    int64_t (*id_of)(void *arg, enum field_type type, const char *name); /* for expressions */
    void *arg;
};

struct flow_change {
    const struct field *field;
    struct val before, after;
};

struct flow_timer {
    const char *name;
    int64_t run_at; /* 0: stop it */
};

struct flow_create {
    const char *process, *link;
    struct val input; /* a map by field name, values as stored */
};

/* The other records are found and asked later, in slices, so the values are taken now. */
struct flow_cascade {
    const struct effect *effect;
    struct val input; /* for their action, a map by field name, values as stored */
};

struct flow_plan {
    const struct action *action; /* NULL: an edit, a creation without an action of its own */
    const struct state *from;    /* NULL: created */
    const struct state *to;
    struct val *after;      /* by slot */
    const char **overrides; /* by slot, after it */
    struct list changes;    /* of struct flow_change, by slot */
    struct list timers;     /* of struct flow_timer */
    struct list tells;      /* of const struct effect * */
    struct list watches;    /* of int64_t: persons */
    struct list creates;    /* of struct flow_create */
    struct list cascades;   /* of struct flow_cascade */
    bool ends_timers;       /* all timers of the record end before `timers` begin */
    struct list deviations; /* of const char * codes; recorded only */
    const char *comment, *note;
};

/* The record's creation: initial values, required fields, computed fields; and the effects and
 * questions of the process's action `create`, if it has one. */
enum rc flow_create(struct ctx *cx, const struct flow_in *in, struct flow_plan *ret);

/* A record of another process becomes one of in->process: `start` holds what is carried over, and
 * in->to_state the state it enters. Like a creation, without its effects. E_INVALID at field
 * "state" when it names none. */
enum rc flow_convert(struct ctx *cx, const struct flow_in *in, struct flow_plan *ret);

/* action NULL: recorded, and to_state says where it led. */
enum rc flow_act(struct ctx *cx, const struct flow_in *in, const char *action,
                 struct flow_plan *ret);

/* Fields changed by hand, within the rules of the state. */
enum rc flow_edit(struct ctx *cx, const struct flow_in *in, struct flow_plan *ret);

/* What is offered now, to this person: for buttons and for the API's list of actions. */
struct offer {
    const struct action *action;
    const char *blocked; /* NULL, or the code of why it would be refused now: too_late, guard */
    const char *text;    /* the sentence for it */
};
enum rc flow_offers(struct ctx *cx, const struct flow_in *in,
                    struct list *ret); /* of struct offer */

/* An environment for expressions over these values. */
struct expr_env flow_env(struct ctx *cx, const struct flow_in *in, const struct val *slots);

#endif
