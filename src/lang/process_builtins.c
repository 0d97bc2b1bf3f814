#include "lang/process_read.h"
#include "lang/scaled.h"

#define LABEL(en, fr) ((const struct label[]){{"en", en}, {"fr", fr}, {0}})

static const struct choice status_choices[STATUS_COUNT + 1] = {
    {"new", LABEL("New", "Nouveau")},
    {"open", LABEL("Open", "En cours")},
    {"pending", LABEL("Pending", "En attente")},
    {"resolved", LABEL("Resolved", "Résolu")},
    {"closed", LABEL("Closed", "Clos")},
    {"cancelled", LABEL("Cancelled", "Annulé")},
    {0},
};

static const struct choice plain_priorities[] = {
    {"critical", LABEL("Critical", "Critique")},
    {"high", LABEL("High", "Haute")},
    {"moderate", LABEL("Moderate", "Moyenne")},
    {"low", LABEL("Low", "Basse")},
    {0},
};

#define FOR_USERS 0
#define BY_ENGINE 1
#define BUILTIN(slot_, name_, type_, system_, en, fr, ...)                                         \
    [slot_] = {.name = name_,                                                                      \
               .slot = slot_,                                                                      \
               .type = type_,                                                                      \
               .is_system = system_,                                                               \
               .label = (const struct label[]){{"en", en}, {"fr", fr}, {0}},                       \
               __VA_ARGS__}
#define ONE_LINE .most = MOST_TEXT
#define COUNTED .most = SCALED_MOST

const struct field builtin_fields[FIELD_BUILTINS] = {
    BUILTIN(FIELD_NUMBER, "number", TYPE_TEXT, BY_ENGINE, "Number", "Numéro", ONE_LINE),
    BUILTIN(FIELD_TITLE, "title", TYPE_TEXT, FOR_USERS, "Title", "Titre", ONE_LINE,
            .is_required = true, .is_searched = true),
    BUILTIN(FIELD_DESCRIPTION, "description", TYPE_LONG_TEXT, FOR_USERS, "Description",
            "Description", .most = MOST_LONG_TEXT, .is_searched = true),
    BUILTIN(FIELD_ORGANISATION, "organisation", TYPE_ORGANISATION, FOR_USERS, "Organisation",
            "Organisation"),
    BUILTIN(FIELD_CALLER, "caller", TYPE_PERSON, FOR_USERS, "Caller", "Demandeur"),
    BUILTIN(FIELD_OPENED_BY, "opened_by", TYPE_PERSON, BY_ENGINE, "Opened by", "Ouvert par"),
    BUILTIN(FIELD_ASSIGNEE, "assignee", TYPE_PERSON, FOR_USERS, "Assigned to", "Affecté à"),
    BUILTIN(FIELD_GROUP, "group", TYPE_GROUP, FOR_USERS, "Group", "Groupe"),
    BUILTIN(FIELD_PRIORITY, "priority", TYPE_CHOICE, FOR_USERS, "Priority", "Priorité",
            .choices = plain_priorities),
    BUILTIN(FIELD_STATE, "state", TYPE_CHOICE, BY_ENGINE, "State", "État"),
    BUILTIN(FIELD_STATUS, "status", TYPE_CHOICE, BY_ENGINE, "Status", "Statut",
            .choices = status_choices),
    BUILTIN(FIELD_ACTIVE, "active", TYPE_FLAG, BY_ENGINE, "Active", "Actif"),
    BUILTIN(FIELD_PARENT, "parent", TYPE_LINK, FOR_USERS, "Parent", "Parent"),
    BUILTIN(FIELD_OPEN_TASKS, "open_tasks", TYPE_NUMBER, BY_ENGINE, "Open tasks", "Tâches ouvertes",
            COUNTED),
    BUILTIN(FIELD_OPEN_CHILDREN, "open_children", TYPE_NUMBER, BY_ENGINE, "Open children",
            "Enfants ouverts", COUNTED),
    BUILTIN(FIELD_REASSIGNMENTS, "reassignments", TYPE_NUMBER, BY_ENGINE, "Reassignments",
            "Réaffectations", COUNTED),
    BUILTIN(FIELD_REOPENS, "reopens", TYPE_NUMBER, BY_ENGINE, "Reopened", "Réouvertures", COUNTED),
    BUILTIN(FIELD_CREATED, "created", TYPE_INSTANT, BY_ENGINE, "Created", "Créé"),
    BUILTIN(FIELD_UPDATED, "updated", TYPE_INSTANT, BY_ENGINE, "Updated", "Modifié"),
    BUILTIN(FIELD_RESOLVED, "resolved", TYPE_INSTANT, BY_ENGINE, "Resolved at", "Résolu le"),
    BUILTIN(FIELD_CLOSED, "closed", TYPE_INSTANT, BY_ENGINE, "Closed at", "Clos le"),
    BUILTIN(FIELD_ENTERED, "entered", TYPE_INSTANT, BY_ENGINE, "In this state since",
            "Dans cet état depuis"),
    BUILTIN(FIELD_WATCHERS, "watchers", TYPE_PEOPLE, BY_ENGINE, "Watchers", "Observateurs"),
    BUILTIN(FIELD_PROCESS, "process", TYPE_TEXT, BY_ENGINE, "Process", "Processus", ONE_LINE),
};
