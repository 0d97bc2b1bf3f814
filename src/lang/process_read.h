/* process_read.h - what the readers of process files share. Only process_*.c includes it.
 *
 * Files are read in rounds, because everything may name everything: first what stands for itself
 * (languages, roles, links, trees, tables, calendars, messages), then of each process its fields
 * and states, then its actions and expressions, which name those of other processes too. A reader
 * that meets a fault adds a finding and goes on with something harmless, so that all faults are
 * found in one go.
 *
 * A map with known keys is read by a table of struct key; a key's reader gets the address of the
 * member it fills.
 */
#ifndef LANG_PROCESS_READ_H
#define LANG_PROCESS_READ_H

#include "base/ctx.h"
#include "base/map.h"
#include "base/yaml.h"
#include "lang/expr.h"
#include "lang/process.h"

#define MAX_PROCESSES 64
#define MAX_FIELDS 200 /* that a process adds */
#define MAX_ACTIONS 100
#define MAX_TREE_NODES 5000

struct field_source;
struct state_source;

/* A process while it is read: what its file says, as far as it is read later, and its parts while
 * they can still be written. */
struct draft {
    struct process *p;
    const struct yaml *root;
    const struct yaml *at; /* the name of the process */
    const struct yaml *number, *owner, *calendar, *rights, *field_map, *phases, *state_map,
        *action_map, *activities;
    struct field *fields; /* by slot, as are the sources; NULL for built-in ones not refined */
    const struct field_source **field_sources;
    struct state *states;
    const struct state_source *state_sources;
    struct action *actions;
    const struct yaml_pair **action_sources;
    struct expr_scope scope;
};

struct reading {
    struct ctx *cx;
    struct arena *arena;
    const struct process_file *files;
    int file_count;
    struct list *findings;
    struct defs *defs;
    struct draft *drafts;
    int draft_count;
};

/* ---- findings ------------------------------------------------------------------------------- */

void find_error(struct reading *r, const struct yaml *at, const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void find_warning(struct reading *r, const struct yaml *at, const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void finding_add(struct arena *a, struct list *findings, const struct finding *f);

/* "; did you mean 'x'?" or, when nothing is near, "" - or the whole list when it is short. */
const char *hint(struct reading *r, const char *typed, const char *const *names);

/* The names of count things that begin with `const char *name`, NULL at the end. */
const char *const *names_of(struct reading *r, const void *at, int count, size_t size);

/* ---- scalars -------------------------------------------------------------------------------- */

/* Each NULL (or false) after a finding. A plain yes, no, on, off, true, false, null or ~ is refused
 * where a word or text is wanted. */
const char *read_text(struct reading *r, const struct yaml *node);
const char *read_name(struct reading *r, const struct yaml *node);   /* a-z, 0-9, _ */
const char *read_hyphen(struct reading *r, const struct yaml *node); /* ... and - */
bool read_flag(struct reading *r, const struct yaml *node, bool *ret);
bool read_int(struct reading *r, const struct yaml *node, int64_t least, int64_t most,
              int64_t *ret);
/* The index of the word among names (NULL at the end), or -1. what: "status", for the message. */
int read_word(struct reading *r, const struct yaml *node, const char *what,
              const char *const *names);
/* One of so many named things; NULL after a finding. rule: "unknown-field", what: "field". */
const void *read_known(struct reading *r, const struct yaml *node, const char *what, const void *at,
                       int count, size_t size);

/* ---- lists and maps ------------------------------------------------------------------------- */

/* A list, or one scalar for a list of one. */
struct items {
    const struct yaml *at;
    int count;
};
struct items read_items(struct reading *r, const struct yaml *node);

bool is_scalar(struct reading *r, const struct yaml *node);
bool is_map(struct reading *r, const struct yaml *node, const char *what);

struct key {
    const char *name;
    void (*read)(struct reading *r, const struct yaml *value, void *member); /* NULL: later */
    size_t at;                                                               /* of the member */
    bool is_required;
};
/* at: what the map belongs to, for a missing key. keys end without a name. */
void read_keys(struct reading *r, const struct yaml *map, const struct yaml *at, const char *what,
               const struct key *keys, void *into);

/* Readers for tables: const struct yaml *, const char *, labels, bool members. */
void key_node(struct reading *r, const struct yaml *value, void *member);
void key_text(struct reading *r, const struct yaml *value, void *member);
void key_labels(struct reading *r, const struct yaml *value, void *member);
void key_flag(struct reading *r, const struct yaml *value, void *member);

labels read_labels(struct reading *r, const struct yaml *node);

/* A warning for each declared language in which l has no text. what: "state 'new'". */
void want_labels(struct reading *r, const struct yaml *at, labels l, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Roles and relations; never NULL. */
const char *const *read_allow(struct reading *r, const struct yaml *node);

/* ---- expressions: process_expr.c
 * ---------------------------------------------------------------------------- */

const struct expr *read_expr(struct reading *r, const struct expr_scope *scope,
                             const struct yaml *node, enum expr_want want,
                             const struct field *want_type);

/* ---- choices, trees, tables: process_tables.c ----------------------------------------------- */

/* A list of names, or a map of names to labels; never NULL, a name NULL at the end. */
const struct choice *read_choices(struct reading *r, const struct yaml *node, const char *what);
void read_tree(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret);
void read_table(struct reading *r, const struct yaml_pair *pair, const char *name, void *ret);

/* ---- the readers ---------------------------------------------------------------------------- */

/* process_shared.c: what is not a process. */
extern const struct key shared_keys[];
void read_languages(struct reading *r, const struct yaml *const *roots, int count);
void read_shared(struct reading *r, const struct yaml *const *roots, int count);

/* process_states.c */
void read_phases(struct reading *r, struct draft *d);
void read_states(struct reading *r, struct draft *d);
void read_state_rules(struct reading *r, struct draft *d);

/* process_builtins.c: the fields that every process has, by slot. */
#define MOST_TEXT 500 /* bytes, by default */
#define MOST_LONG_TEXT ((int64_t)1 << 20)
extern const struct field builtin_fields[FIELD_BUILTINS];

/* process_fields.c */
void read_fields(struct reading *r, struct draft *d);
void read_field_values(struct reading *r, struct draft *d); /* initial, computed, matrix */

/* process_actions.c */
void read_action_names(struct reading *r, struct draft *d);
void read_actions(struct reading *r, struct draft *d);
void read_rights(struct reading *r, struct draft *d);
void read_activities(struct reading *r, struct draft *d);

/* process_effects.c */
void read_effects(struct reading *r, struct draft *d, struct action *action,
                  const struct yaml *node);

/* A field of p by name, or by the name with more around it; NULL after a finding. */
const struct field *read_field_name(struct reading *r, const struct process *p,
                                    const struct yaml *node);

#endif
