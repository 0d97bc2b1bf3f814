#include "lang/process.h"

#include <string.h>

#include "base/str.h"
#include "lang/calendar.h"

static const char *const status_names[STATUS_COUNT] = {
    [STATUS_NEW] = "new",           [STATUS_OPEN] = "open",     [STATUS_PENDING] = "pending",
    [STATUS_RESOLVED] = "resolved", [STATUS_CLOSED] = "closed", [STATUS_CANCELLED] = "cancelled",
};

static const char *const type_names[TYPE_COUNT] = {
    [TYPE_TEXT] = "text",
    [TYPE_LONG_TEXT] = "long_text",
    [TYPE_NUMBER] = "number",
    [TYPE_MONEY] = "money",
    [TYPE_FLAG] = "flag",
    [TYPE_CHOICE] = "choice",
    [TYPE_TREE] = "tree",
    [TYPE_DATE] = "date",
    [TYPE_INSTANT] = "instant",
    [TYPE_DURATION] = "duration",
    [TYPE_PERSON] = "person",
    [TYPE_GROUP] = "group",
    [TYPE_ORGANISATION] = "organisation",
    [TYPE_LINK] = "link",
    [TYPE_LINKS] = "links",
    [TYPE_PEOPLE] = "people",
};

static const char *const right_names[RIGHT_COUNT] = {
    [RIGHT_VIEW] = "view",         [RIGHT_INTERNAL] = "internal", [RIGHT_CREATE] = "create",
    [RIGHT_EDIT] = "edit",         [RIGHT_REPLY] = "reply",       [RIGHT_NOTE] = "note",
    [RIGHT_ATTACH] = "attach",     [RIGHT_LINK] = "link",         [RIGHT_WATCH] = "watch",
    [RIGHT_OVERRIDE] = "override", [RIGHT_IMPORT] = "import",
};

const char *const relation_words[] = {
    "anyone", "caller", "opened_by", "assignee", "group", "watcher", "organisation", "system", NULL,
};

const char *const message_words[] = {
    "url", "actor", "comment", "process_label", "recipient", NULL,
};

const char *status_name(enum status s)
{
    return status_names[s];
}

const char *type_name(enum field_type t)
{
    return type_names[t];
}

const char *right_name(enum right r)
{
    return right_names[r];
}

static const char *label_in(labels l, const char *language)
{
    for (; l && l->language; l++) {
        if (strcmp(l->language, language) == 0)
            return l->text;
    }
    return NULL;
}

bool label_has(labels l, const char *language)
{
    return label_in(l, language) != NULL;
}

const char *label_for(labels l, const char *language, const char *name)
{
    if (!l || !l->language)
        return name;
    const char *text = language ? label_in(l, language) : NULL;
    if (!text)
        text = label_in(l, "en");
    return text ? text : l->text;
}

/* Everything that has a name has it as its first member. */
static const void *named(const void *at, int count, size_t size, const char *name)
{
    for (int i = 0; i < count; i++) {
        const void *one = (const char *)at + (size_t)i * size;
        if (str_equal(*(const char *const *)one, name))
            return one;
    }
    return NULL;
}

struct process *defs_process(const struct defs *d, const char *name)
{
    for (int i = 0; i < d->process_count; i++) {
        if (str_equal(d->processes[i].name, name))
            return &d->processes[i];
    }
    return NULL;
}

const struct role *defs_role(const struct defs *d, const char *name)
{
    return named(d->roles, d->role_count, sizeof(*d->roles), name);
}

const struct link_kind *defs_link(const struct defs *d, const char *name)
{
    return named(d->links, d->link_count, sizeof(*d->links), name);
}

const struct link_kind *defs_link_either(const struct defs *d, const char *name,
                                         bool *ret_is_inverse)
{
    for (int i = 0; i < d->link_count; i++) {
        *ret_is_inverse = str_equal(d->links[i].inverse, name);
        if (*ret_is_inverse || str_equal(d->links[i].name, name))
            return &d->links[i];
    }
    return NULL;
}

const struct calendar *defs_calendar(const struct defs *d, const char *name)
{
    for (int i = 0; i < d->calendar_count; i++) {
        if (str_equal(calendar_name(d->calendars[i]), name))
            return d->calendars[i];
    }
    return NULL;
}

const struct message *defs_message(const struct defs *d, const char *name)
{
    return named(d->messages, d->message_count, sizeof(*d->messages), name);
}

const struct field *process_field(const struct process *p, const char *name)
{
    return named(p->fields, p->field_count, sizeof(*p->fields), name);
}

/* A record that was read names its state by the definition's own text: then nothing is compared. */
const struct state *process_state(const struct process *p, const char *name)
{
    for (int i = 0; i < p->state_count; i++) {
        if (p->states[i].name == name)
            return &p->states[i];
    }
    return named(p->states, p->state_count, sizeof(*p->states), name);
}

const struct action *process_action(const struct process *p, const char *name)
{
    return named(p->actions, p->action_count, sizeof(*p->actions), name);
}
