/* process.h - process files: read, checked, and held as an immutable definition.
 *
 * A folder of YAML files defines everything that organisations want different: processes (fields,
 * states, actions), roles, priority tables, category trees, calendars, message texts.
 * process_load() reads them all, resolves every reference and either gives one complete, immutable
 * snapshot or a list of messages with file, line, column and a suggestion. Nothing in here does I/O
 * or knows a database; the caller brings the texts of the files and keeps the snapshot for as long
 * as anybody uses it.
 *
 * The grammar of the files is described in doc/processes/; the tables in process_*.c are its only
 * source.
 */
#ifndef LANG_PROCESS_H
#define LANG_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"
#include "base/val.h"

struct calendar;
struct ctx;
struct defs;
struct expr;
struct json;

/* ---- words that are fixed ------------------------------------------------------------------- */

/* What a state means to the engine, whatever it is called: the status of a record. All logic -
 * clocks, counts, the portal - uses this and never the name of a state. */
enum status {
    STATUS_NEW,
    STATUS_OPEN,
    STATUS_PENDING,
    STATUS_RESOLVED,
    STATUS_CLOSED,
    STATUS_CANCELLED,
    STATUS_COUNT
};
const char *status_name(enum status s);
static inline bool status_is_active(enum status s)
{
    return s <= STATUS_PENDING;
}

enum field_type {
    TYPE_TEXT,      /* one line */
    TYPE_LONG_TEXT, /* Markdown */
    TYPE_NUMBER,    /* whole, or scaled by `decimals` (0-6) */
    TYPE_MONEY,     /* minor units of `currency` */
    TYPE_FLAG,
    TYPE_CHOICE, /* one of `choices`; ordered as listed */
    TYPE_TREE,   /* a path of `tree`, joined by '/' */
    TYPE_DATE,
    TYPE_INSTANT,
    TYPE_DURATION,
    TYPE_PERSON,
    TYPE_GROUP,
    TYPE_ORGANISATION,
    TYPE_LINK,   /* one record of process `to` (NULL: of any) */
    TYPE_LINKS,  /* several */
    TYPE_PEOPLE, /* several persons: only the built-in watchers */
    TYPE_COUNT
};
const char *type_name(enum field_type t); /* as written after `is:` */

/* Fields that every process has, in real columns; their slots are fixed, a process's own follow. */
enum builtin {
    FIELD_NUMBER,       /* text */
    FIELD_TITLE,        /* text, required at creation */
    FIELD_DESCRIPTION,  /* long text */
    FIELD_ORGANISATION, /* whose record it is; the tenant */
    FIELD_CALLER,       /* person who needs it */
    FIELD_OPENED_BY,    /* person who wrote it down */
    FIELD_ASSIGNEE,
    FIELD_GROUP,
    FIELD_PRIORITY,   /* choice; usually a computed matrix */
    FIELD_STATE,      /* choice of the process's states */
    FIELD_STATUS,     /* choice: new, open, pending, resolved, closed, cancelled; from the state */
    FIELD_ACTIVE,     /* flag: status is new, open or pending */
    FIELD_PARENT,     /* link to a record of any process */
    FIELD_OPEN_TASKS, /* number of active records of process task whose parent this is */
    FIELD_OPEN_CHILDREN, /* number of active other records whose parent this is */
    FIELD_REASSIGNMENTS, /* how often the group changed after it was first set */
    FIELD_REOPENS,       /* how often it went from resolved or closed back to an active state */
    FIELD_CREATED,       /* instants */
    FIELD_UPDATED,
    FIELD_RESOLVED, /* last time it became resolved; missing when reopened */
    FIELD_CLOSED,
    FIELD_ENTERED,  /* when it entered the state it is in */
    FIELD_WATCHERS, /* people */
    FIELD_PROCESS,  /* text: the process's name; for lists over several processes */
    FIELD_BUILTINS
};

/* ---- texts per language --------------------------------------------------------------------- */

struct label {
    const char *language; /* "en", "fr"; NULL ends */
    const char *text;
};

/* In the order written; a plain string in the file is English. NULL: none given. */
typedef const struct label *labels;

/* The text for a language (NULL: English), falling back to English, then the first, then `name`. */
const char *label_for(labels l, const char *language, const char *name);
bool label_has(labels l, const char *language); /* written in this very language */

/* ---- fields --------------------------------------------------------------------------------- */

struct choice {
    const char *name;
    labels label;
    bool is_retired; /* old records keep it, new values cannot be it */
};

/* A node of a category tree, flattened in the order of the file. */
struct tree_node {
    const char *path; /* "hardware/printer" */
    labels label;
    bool is_retired;
};

struct tree {
    const char *name;
    const struct tree_node *nodes;
    int count;
};

/* A computed matrix: the value of a choice from those of others (priority from impact and urgency).
 */
struct matrix {
    const char *name;
    const char *const *from;        /* names of input fields, NULL at the end; 1 to 3 */
    const char *const *const *axes; /* for each input its choice names, NULL at the end */
    const struct choice *levels;    /* what it can give, highest first; name NULL at the end */
    const int16_t *cells;           /* index of level, row-major over the axes; -1: none */
    int cell_count;
};

struct field {
    const char *name;
    int slot; /* index in a record's values: below FIELD_BUILTINS for the fields all have */
    enum field_type type;
    labels label;
    labels help;
    const struct choice *choices; /* choice; name NULL at the end */
    const struct tree *tree;
    const char *to;       /* link: name of the process, NULL: any */
    const char *currency; /* money: ISO 4217 */
    int decimals;         /* number: 0-6; money: of the currency */
    int64_t least,
        most;         /* number, money: bounds, scaled; text: 0 and the greatest length in bytes */
    bool is_required; /* at creation */
    bool is_internal; /* only who has the right `internal` sees it */
    bool is_searched; /* text: part of full text (default yes for text and long text) */
    bool is_system;   /* only the engine sets it (number, state, created, ...) */
    const struct matrix *matrix; /* computed by a table from `inputs` */
    const int *inputs;           /* slots of the matrix's inputs, in order */
    const struct expr *computed; /* computed by an expression */
    const struct expr *initial;  /* default at creation, or NULL */
    int line, column;            /* in the file, for messages and the check; 0: built in */
};

/* ---- states --------------------------------------------------------------------------------- */

#define MAX_STATES 64 /* of a process: actions hold them as bits */

enum field_rule { RULE_NONE, RULE_HIDDEN = 1, RULE_READ_ONLY = 2, RULE_REQUIRED = 4 };

struct state {
    const char *name;
    int index;
    enum status status;
    const char *phase; /* name of one of the process's phases, or NULL */
    const char *court; /* who is waited for: us, caller, vendor, another_team, nobody */
    labels label;
    const uint8_t *rules; /* per slot, bits of enum field_rule; NULL: none */
    bool is_retired;
    int line, column;
};

/* ---- actions -------------------------------------------------------------------------------- */

/* A length of time as written: "5 working days", "2 h". */
enum span_unit { SPAN_US, SPAN_WORKING_US, SPAN_WORKING_DAYS };
struct span {
    enum span_unit unit;
    int64_t n; /* microseconds, or days */
};

enum effect_kind {
    EFFECT_SET,     /* field = expression */
    EFFECT_TIMER,   /* start (or restart) the timer `name`: run action `name` after `span` */
    EFFECT_STOP,    /* stop the timer `name` */
    EFFECT_CREATE,  /* a record of process `name`, linked by `link`; values from `sets` */
    EFFECT_TELL,    /* send message `name` to the people of field `slot` */
    EFFECT_WATCH,   /* the person of field `slot` watches from now on */
    EFFECT_CASCADE, /* run action `name` on the records linked by `link`, where `when` holds there
                     */
    EFFECT_KINDS
};

struct set_pair {
    const char *field;        /* of the other record's process; NULL ends */
    const struct expr *value; /* over the record that acts */
};

/* Timers. A timer bears the name of the action it runs, as the system. It ends when it is stopped,
 * when its action is done (by hand too), and when the record becomes closed or cancelled, unless
 * the action that does so starts it. A timer whose action is not offered when it is due does
 * nothing but leave an event; the check finds files where that can happen.
 *
 * Expressions of effects see the record as the action leaves it: with what was given with the
 * action, in the state that it leads to.
 *
 * Links are followed from the record that acts: link `child` reaches its children and `parent`
 * (its inverse) its parent; `caused_by` reaches what it was caused by. */
struct effect {
    enum effect_kind kind;
    const char *name;
    int slot;                 /* set, tell, watch */
    const struct expr *value; /* set */
    struct span span;         /* timer */
    const char *audience;     /* tell: name of a field of persons or a group: caller, watchers */
    const char *process;      /* create: same as name; cascade: only records of this process */
    const char *link; /* create, cascade: name of a link kind or its inverse; "child" by default */
    const struct expr *when; /* cascade: condition on the other record, or NULL */
    const struct set_pair
        *sets; /* create: values of the new record; cascade: input of the action */
    int line, column;
};

struct asked {
    int slot;         /* ASK_COMMENT, ASK_NOTE, or a field's slot */
    bool is_optional; /* written with a question mark: assignee? */
};
enum { ASK_COMMENT = -2, ASK_NOTE = -3 }; /* a public reply, an internal note */

/* A button. What is asked and not optional must have a value when the action is done: given with
 * it, or there already (a comment or note: given with it). The rules of states bind edits; what an
 * action asks for or sets is bound only by `required` of the state it leads to.
 *
 * An action named `create` is not a button: it says what creating a record asks, tells and starts.
 * Who may create but not edit gives title, description, required fields and what it asks.
 * It has no `from`, leads to the initial state, and the right `create` is who may. */

struct action {
    const char *name;
    labels label;
    labels help;
    uint64_t from;            /* bit per state index */
    int to;                   /* state index, or -1: stays where it is */
    const char *const *allow; /* roles and relations, NULL at the end; never empty */
    const struct asked *ask;
    int ask_count;
    const struct expr *when; /* guard, or NULL */
    labels unless;           /* what to tell when the guard does not hold, or NULL */
    struct span within;      /* since the state was entered; n 0: any time */
    bool is_upon_reply;      /* the system does it when the caller replies where it is offered */
    const struct effect *effects;
    int effect_count;
    int line, column;
};

/* Words of `allow` that are not roles: how a person relates to the record, or who it is at all.
 * anyone, caller, opened_by, assignee, group, watcher, organisation, system; NULL at the end. */
extern const char *const relation_words[];

/* What one may do without an action of the file; each with an `allow` list under `rights:`. */
enum right {
    RIGHT_VIEW,
    RIGHT_INTERNAL, /* see internal notes and internal fields */
    RIGHT_CREATE,
    RIGHT_EDIT,
    RIGHT_REPLY,
    RIGHT_NOTE,
    RIGHT_ATTACH,
    RIGHT_LINK,
    RIGHT_WATCH,    /* make others watch; watching oneself needs only view */
    RIGHT_OVERRIDE, /* set a computed field by hand, with a reason */
    RIGHT_IMPORT,   /* record what happened elsewhere, at its own time, by its own actor */
    RIGHT_COUNT
};
const char *right_name(enum right r); /* "view", ... */

/* ---- links ---------------------------------------------------------------------------------- */

struct link_kind {
    const char *name;    /* from -> to: "child", "duplicates", "caused_by" */
    const char *inverse; /* to -> from: "parent", "duplicated_by", "causes" */
    labels label, inverse_label;
    bool
        is_tree; /* one parent, no cycle; the built-in kind `child`, whose parent is FIELD_PARENT */
};

/* ---- the process ---------------------------------------------------------------------------- */

struct phase {
    const char *name;
    labels label;
};

/* A step as people see it: what the swimlane diagram draws and the RACI matrix prints. */
struct activity {
    const char *name;
    labels label;
    const char *phase;          /* or NULL */
    const char *const *does;    /* names of actions, and "create"; NULL at the end */
    const char *const *raci[4]; /* responsible, accountable, consulted, informed: roles and
                                   relations, NULL at the end; never NULL itself */
};

struct process {
    const char *name; /* "incident"; also the path segment in the API */
    labels label, plural;
    labels purpose, scope;           /* or NULL */
    const char *owner;               /* role, or NULL */
    const char *number_prefix;       /* "INC-" */
    int number_width;                /* zero-filled to so many digits; 0: none */
    const char *series;              /* counter of the numbers; by default the process's name */
    const struct calendar *calendar; /* its working time is counted in; never NULL */
    const struct field *fields;      /* by slot */
    int field_count;
    const struct state *states;
    int state_count;
    int initial_state;
    const struct phase *phases;
    int phase_count;
    const struct action *actions;
    int action_count;
    const struct activity *activities;
    int activity_count;
    const char *const *rights[RIGHT_COUNT]; /* allow lists, NULL at the end; never NULL itself */
    const char *file;
    int line;
    const struct defs *defs; /* the snapshot that it is part of */
    /* Set by who stores definitions: identity of process and version in the database. */
    int64_t process_id, version_id;
    int version;
};

struct role {
    const char *name;
    labels label, help;
    const char *const *rights; /* beyond records: "people.manage", "process.activate", ...; "*" */
    const char *file;
    int line;
};

struct message {
    const char *name;
    labels subject, body; /* Markdown with {{field}} places */
};
/* What a message may name in {{...}} besides the fields of the process that sends it: url, actor,
 * comment, process_label, recipient; NULL at the end. */
extern const char *const message_words[];

/* One immutable snapshot of all definitions. */
struct defs {
    struct process *processes;
    int process_count;
    const struct role *roles;
    int role_count;
    const struct link_kind *links;
    int link_count;
    const struct tree *trees;
    int tree_count;
    const struct matrix *matrices;
    int matrix_count;
    const struct calendar *const *calendars;
    int calendar_count;
    const struct message *messages;
    int message_count;
    const char *const *languages; /* that labels are to be complete in, NULL at the end */
};

struct process *defs_process(const struct defs *d, const char *name); /* NULL: none */
const struct role *defs_role(const struct defs *d, const char *name);
const struct link_kind *defs_link(const struct defs *d, const char *name);
/* By its name or its inverse. */
const struct link_kind *defs_link_either(const struct defs *d, const char *name,
                                         bool *ret_is_inverse);
const struct calendar *defs_calendar(const struct defs *d, const char *name);
const struct message *defs_message(const struct defs *d, const char *name);
const struct field *process_field(const struct process *p, const char *name);
const struct state *process_state(const struct process *p, const char *name);
const struct action *process_action(const struct process *p, const char *name);

/* ---- loading and checking ------------------------------------------------------------------- */

struct process_file {
    const char *name; /* for messages: "process/incident.yaml" */
    const char *text;
    size_t len;
};

enum finding_level { FINDING_ERROR, FINDING_WARNING };

struct finding {
    enum finding_level level;
    const char *rule; /* stable name: "unreachable-state", "unknown-field", ... */
    const char *file;
    int line, column;
    const char *text; /* what is wrong and, where there is one, a suggestion */
};

/* Read all files into one snapshot in the arena of cx. Every finding is listed, by file and line;
 * E_INVALID when there is an error among them (then *ret is untouched). Includes process_check().
 */
enum rc process_load(struct ctx *cx, const struct process_file *files, int count,
                     const struct defs **ret, struct list *ret_findings);

/* The static checks of one transition table, part of process_load() for a process without errors:
 * unreachable states, states without exit, states from which a record can never be ended, timers
 * and cascades that run an action where it is not offered or ask where nobody answers, states that
 * keep what a clock found out and lose it, fields that cannot be seen or filled. */
void process_check(struct ctx *cx, const struct process *p, struct list *findings);

/* Rights of roles that do not exist, as errors; lang does not know which there are. */
void process_check_rights(struct ctx *cx, const struct defs *d, const char *const *known,
                          struct list *findings);

/* ---- values of fields ----------------------------------------------------------------------- */

/* A value as it comes from JSON or a form, turned into the field's own form and checked (choices
 * not retired, bounds, dates). Persons, groups, organisations and records are only checked for
 * shape here: texts and numbers are left as they are for the caller to resolve. Faults go to
 * problem(). */
enum rc field_read(struct ctx *cx, const struct field *f, struct val in, struct val *ret);

/* The reverse: a stored value as JSON - instants RFC 3339, durations ISO 8601, numbers with their
 * decimals, money {"amount": "12.50", "currency": "EUR"}. Ids (persons, groups, links, ...) are
 * written as numbers; who wants more writes them itself. */
void field_write(struct json *j, const struct field *f, struct val v);

/* Matrix lookup over a record's values; missing when an input is missing. */
struct val matrix_value(const struct field *f, const struct val *slots);

#endif
