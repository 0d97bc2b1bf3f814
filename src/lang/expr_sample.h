/* expr_sample.h - the fields and the record that doc/language/ speaks of; for tests only. */
#ifndef LANG_EXPR_SAMPLE_H
#define LANG_EXPR_SAMPLE_H

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "lang/expr.h"

enum {
    SAMPLE_IMPACT = FIELD_BUILTINS,
    SAMPLE_URGENCY,
    SAMPLE_CATEGORY,
    SAMPLE_COST,
    SAMPLE_EFFORT,
    SAMPLE_SEATS,
    SAMPLE_IS_VIP,
    SAMPLE_IS_MAJOR,
    SAMPLE_DUE,
    SAMPLE_STARTED,
    SAMPLE_DOWNTIME,
    SAMPLE_SPECIALIST,
    SAMPLE_VENDOR,
    SAMPLE_PROBLEM,
    SAMPLE_RELATED,
    SAMPLE_REFERENCE,
    SAMPLE_WORKAROUND,
    SAMPLE_SECRET,
    SAMPLE_FIELDS
};

static const struct choice sample_priorities[] = {
    {.name = "critical"}, {.name = "high"}, {.name = "medium"}, {.name = "low"}, {0}};
static const struct choice sample_states[] = {{.name = "new"},           {.name = "assigned"},
                                              {.name = "awaiting_user"}, {.name = "resolved"},
                                              {.name = "closed"},        {0}};
static const struct choice sample_statuses[] = {{.name = "new"},
                                                {.name = "open"},
                                                {.name = "pending"},
                                                {.name = "resolved"},
                                                {.name = "closed"},
                                                {.name = "cancelled"},
                                                {0}};
static const struct choice sample_impacts[] = {
    {.name = "extensive"}, {.name = "significant"}, {.name = "moderate"}, {.name = "minor"}, {0}};
static const struct tree_node sample_nodes[] = {
    {.path = "hardware"},        {.path = "hardware/printer"}, {.path = "hardware/printer/laser"},
    {.path = "hardware-rental"}, {.path = "software"},         {.path = "software/mail"},
};
static const struct tree sample_tree = {
    .name = "categories", .nodes = sample_nodes, .count = ARRAY_LEN(sample_nodes)};

static const struct field sample_fields[SAMPLE_FIELDS] = {
    [FIELD_NUMBER] = {.name = "number", .type = TYPE_TEXT},
    [FIELD_TITLE] = {.name = "title", .type = TYPE_TEXT, .is_searched = true},
    [FIELD_DESCRIPTION] = {.name = "description", .type = TYPE_LONG_TEXT, .is_searched = true},
    [FIELD_ORGANISATION] = {.name = "organisation", .type = TYPE_ORGANISATION},
    [FIELD_CALLER] = {.name = "caller", .type = TYPE_PERSON},
    [FIELD_OPENED_BY] = {.name = "opened_by", .type = TYPE_PERSON},
    [FIELD_ASSIGNEE] = {.name = "assignee", .type = TYPE_PERSON},
    [FIELD_GROUP] = {.name = "group", .type = TYPE_GROUP},
    [FIELD_PRIORITY] = {.name = "priority", .type = TYPE_CHOICE, .choices = sample_priorities},
    [FIELD_STATE] = {.name = "state", .type = TYPE_CHOICE, .choices = sample_states},
    [FIELD_STATUS] = {.name = "status", .type = TYPE_CHOICE, .choices = sample_statuses},
    [FIELD_ACTIVE] = {.name = "active", .type = TYPE_FLAG},
    [FIELD_PARENT] = {.name = "parent", .type = TYPE_LINK},
    [FIELD_OPEN_TASKS] = {.name = "open_tasks", .type = TYPE_NUMBER},
    [FIELD_OPEN_CHILDREN] = {.name = "open_children", .type = TYPE_NUMBER},
    [FIELD_REASSIGNMENTS] = {.name = "reassignments", .type = TYPE_NUMBER},
    [FIELD_REOPENS] = {.name = "reopens", .type = TYPE_NUMBER},
    [FIELD_CREATED] = {.name = "created", .type = TYPE_INSTANT},
    [FIELD_UPDATED] = {.name = "updated", .type = TYPE_INSTANT},
    [FIELD_RESOLVED] = {.name = "resolved", .type = TYPE_INSTANT},
    [FIELD_CLOSED] = {.name = "closed", .type = TYPE_INSTANT},
    [FIELD_ENTERED] = {.name = "entered", .type = TYPE_INSTANT},
    [FIELD_WATCHERS] = {.name = "watchers", .type = TYPE_PEOPLE},
    [FIELD_PROCESS] = {.name = "process", .type = TYPE_TEXT},
    [SAMPLE_IMPACT] = {.name = "impact", .type = TYPE_CHOICE, .choices = sample_impacts},
    [SAMPLE_URGENCY] = {.name = "urgency", .type = TYPE_CHOICE, .choices = sample_priorities},
    [SAMPLE_CATEGORY] = {.name = "category", .type = TYPE_TREE, .tree = &sample_tree},
    [SAMPLE_COST] = {.name = "cost",
                     .type = TYPE_MONEY,
                     .currency = "EUR",
                     .decimals = 2,
                     .least = 0,
                     .most = 1000000000},
    [SAMPLE_EFFORT] =
        {.name = "effort", .type = TYPE_NUMBER, .decimals = 1, .least = -10000, .most = 10000},
    [SAMPLE_SEATS] = {.name = "seats", .type = TYPE_NUMBER},
    [SAMPLE_IS_VIP] = {.name = "is_vip", .type = TYPE_FLAG},
    [SAMPLE_IS_MAJOR] = {.name = "is_major", .type = TYPE_FLAG},
    [SAMPLE_DUE] = {.name = "due", .type = TYPE_DATE},
    [SAMPLE_STARTED] = {.name = "started", .type = TYPE_INSTANT},
    [SAMPLE_DOWNTIME] = {.name = "downtime", .type = TYPE_DURATION},
    [SAMPLE_SPECIALIST] = {.name = "specialist", .type = TYPE_PERSON},
    [SAMPLE_VENDOR] = {.name = "vendor", .type = TYPE_ORGANISATION},
    [SAMPLE_PROBLEM] = {.name = "problem", .type = TYPE_LINK, .to = "problem"},
    [SAMPLE_RELATED] = {.name = "related", .type = TYPE_LINKS},
    [SAMPLE_REFERENCE] = {.name = "reference", .type = TYPE_TEXT, .is_searched = true},
    [SAMPLE_WORKAROUND] = {.name = "workaround", .type = TYPE_LONG_TEXT, .is_searched = true},
    [SAMPLE_SECRET] = {.name = "secret",
                       .type = TYPE_TEXT,
                       .is_searched = true,
                       .is_internal = true},
};

struct sample {
    struct field fields[SAMPLE_FIELDS]; /* with their slots */
    const struct field *all[SAMPLE_FIELDS];
    struct expr_scope scope;
    struct val slots[SAMPLE_FIELDS];
    struct expr_env env;
};

enum {
    SAMPLE_ANNA = 11,
    SAMPLE_BOB,
    SAMPLE_CLAIRE,
    SAMPLE_NETWORK = 21,
    SAMPLE_DESK,
    SAMPLE_OUR_ORG = 31,
    SAMPLE_VENDOR_ORG,
    SAMPLE_INC_41 = 41,
    SAMPLE_INC_43,
    SAMPLE_PRB_7
};

static int64_t sample_id(void *arg, enum field_type type, const char *name)
{
    static const struct {
        enum field_type type;
        const char *name;
        int64_t id;
    } ids[] = {
        {TYPE_PERSON, "anna", SAMPLE_ANNA},
        {TYPE_PERSON, "bob", SAMPLE_BOB},
        {TYPE_PERSON, "claire.d", SAMPLE_CLAIRE},
        {TYPE_GROUP, "network", SAMPLE_NETWORK},
        {TYPE_GROUP, "Service Desk", SAMPLE_DESK},
        {TYPE_ORGANISATION, "ours", SAMPLE_OUR_ORG},
        {TYPE_ORGANISATION, "Printers Ltd", SAMPLE_VENDOR_ORG},
        {TYPE_LINK, "INC-41", SAMPLE_INC_41},
        {TYPE_LINK, "INC-43", SAMPLE_INC_43},
        {TYPE_LINK, "PRB-7", SAMPLE_PRB_7},
    };
    (void)arg;
    for (int i = 0; i < ARRAY_LEN(ids); i++) {
        if (ids[i].type == type && str_equal(ids[i].name, name))
            return ids[i].id;
    }
    return 0;
}

static inline int64_t sample_at(const char *instant)
{
    int64_t at = 0;
    time_parse_instant(instant, &at);
    return at;
}

static inline int64_t sample_on(const char *date)
{
    int64_t days = 0;
    time_parse_date(date, &days);
    return days;
}

/* INC-42 as it stands at 2026-03-10T14:00:00Z, seen by bob, who is in the groups network and
 * Service Desk. */
static inline void sample_record(struct val *slots)
{
    static const struct val watchers[] = {{.kind = VAL_INT, .i = SAMPLE_ANNA},
                                          {.kind = VAL_INT, .i = SAMPLE_CLAIRE}};
    static const struct val related[] = {{.kind = VAL_INT, .i = SAMPLE_INC_41}};

    slots[FIELD_NUMBER] = val_text("INC-42");
    slots[FIELD_TITLE] = val_text("Printer on 2nd floor: paper jam");
    slots[FIELD_DESCRIPTION] =
        val_text("It jams on every page since this morning, host prn-02.example.org");
    slots[FIELD_ORGANISATION] = val_int(SAMPLE_OUR_ORG);
    slots[FIELD_CALLER] = val_int(SAMPLE_ANNA);
    slots[FIELD_OPENED_BY] = val_int(SAMPLE_BOB);
    slots[FIELD_ASSIGNEE] = val_int(SAMPLE_BOB);
    slots[FIELD_GROUP] = val_int(SAMPLE_NETWORK);
    slots[FIELD_PRIORITY] = val_text("high");
    slots[FIELD_STATE] = val_text("assigned");
    slots[FIELD_STATUS] = val_text("open");
    slots[FIELD_ACTIVE] = val_flag(true);
    slots[FIELD_OPEN_TASKS] = val_int(0);
    slots[FIELD_OPEN_CHILDREN] = val_int(0);
    slots[FIELD_REASSIGNMENTS] = val_int(2);
    slots[FIELD_REOPENS] = val_int(0);
    slots[FIELD_CREATED] = val_int(sample_at("2026-03-10T08:30:00Z"));
    slots[FIELD_UPDATED] = val_int(sample_at("2026-03-10T13:00:00Z"));
    slots[FIELD_ENTERED] = val_int(sample_at("2026-03-10T09:00:00Z"));
    slots[FIELD_WATCHERS] = (struct val){.kind = VAL_LIST, .count = 2, .items = watchers};
    slots[FIELD_PROCESS] = val_text("incident");
    slots[SAMPLE_IMPACT] = val_text("significant");
    slots[SAMPLE_URGENCY] = val_text("medium");
    slots[SAMPLE_CATEGORY] = val_text("hardware/printer");
    slots[SAMPLE_COST] = val_int(12050);
    slots[SAMPLE_EFFORT] = val_int(25);
    slots[SAMPLE_SEATS] = val_int(40);
    slots[SAMPLE_IS_VIP] = val_flag(true);
    slots[SAMPLE_DUE] = val_int(sample_on("2026-03-12"));
    slots[SAMPLE_STARTED] = val_int(sample_at("2026-03-10T06:15:00Z"));
    slots[SAMPLE_DOWNTIME] = val_int(90 * US_PER_MIN);
    slots[SAMPLE_VENDOR] = val_int(SAMPLE_VENDOR_ORG);
    slots[SAMPLE_PROBLEM] = val_int(SAMPLE_PRB_7);
    slots[SAMPLE_RELATED] = (struct val){.kind = VAL_LIST, .count = 1, .items = related};
    slots[SAMPLE_REFERENCE] = val_text("Ref \"A/7\"");
    slots[SAMPLE_SECRET] = val_text("spare");
}

static inline void sample_init(struct sample *s, struct arena *a)
{
    static const int64_t groups[] = {SAMPLE_NETWORK, SAMPLE_DESK};

    *s = (struct sample){0};
    for (int i = 0; i < SAMPLE_FIELDS; i++) {
        s->fields[i] = sample_fields[i];
        s->fields[i].slot = i;
        s->all[i] = &s->fields[i];
    }
    s->scope = (struct expr_scope){.fields = s->all, .count = SAMPLE_FIELDS};
    sample_record(s->slots);
    s->env = (struct expr_env){
        .slots = s->slots,
        .now = sample_at("2026-03-10T14:00:00Z"),
        .me = SAMPLE_BOB,
        .my_groups = groups,
        .my_group_count = 2,
        .id_of = sample_id,
        .language = "en",
        .arena = a,
    };
}

#endif
