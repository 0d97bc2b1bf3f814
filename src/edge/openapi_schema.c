#include "edge/openapi_schema.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "edge/view.h"

/* ---- small pieces --------------------------------------------------------------------------- */

static void type(struct json *j, const char *name, bool is_nullable)
{
    json_key(j, "type");
    if (!is_nullable) {
        json_text(j, name);
        return;
    }
    json_open(j, '[');
    json_text(j, name);
    json_text(j, "null");
    json_close(j, ']');
}

static void ref(struct json *j, const char *name)
{
    json_open(j, '{');
    json_key(j, "$ref");
    json_text(j, arena_printf(j->out->arena, "#/components/schemas/%s", name));
    json_close(j, '}');
}

static void ref_or_null(struct json *j, const char *name)
{
    json_open(j, '{');
    json_key(j, "anyOf");
    json_open(j, '[');
    ref(j, name);
    json_open(j, '{');
    type(j, "null", false);
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
}

static void closed(struct json *j)
{
    json_key(j, "additionalProperties");
    json_flag(j, false);
}

static void note_shape(struct document *d, const struct shape *s)
{
    const struct shape *const *noted = d->noted.at;

    for (int i = 0; i < d->noted.count; i++) {
        if (!str_equal(noted[i]->schema, s->schema))
            continue;
        if (noted[i]->of != s->of)
            BUG("two shapes with the same name of a schema");
        return;
    }
    *(const struct shape **)list_add(d->cx->arena, &d->noted, sizeof(s)) = s;
}

static void enum_words(struct json *j, const char *words, bool is_nullable)
{
    json_key(j, "enum");
    json_open(j, '[');
    for (const char *s = words; *s;) {
        const size_t n = strcspn(s, " ");
        json_text(j, arena_strndup(j->out->arena, s, n));
        s += n + (s[n] == ' ');
    }
    if (is_nullable)
        json_none(j);
    json_close(j, ']');
}

/* ---- shapes --------------------------------------------------------------------------------- */

static const struct {
    const char *type, *format, *pattern;
} plain[] = {
    [SHAPE_TEXT] = {"string", NULL, NULL},           [SHAPE_SECRET] = {"string", "password", NULL},
    [SHAPE_INT] = {"integer", NULL, NULL},           [SHAPE_FLAG] = {"boolean", NULL, NULL},
    [SHAPE_INSTANT] = {"string", "date-time", NULL}, [SHAPE_ID] = {"string", NULL, "^[0-9]+$"},
};

static void members(struct document *d, const struct shape *table)
{
    struct json *j = d->j;

    type(j, "object", false);
    closed(j);
    json_key(j, "properties");
    json_open(j, '{');
    for (const struct shape *s = table; s->kind; s++) {
        json_key(j, s->name);
        schema_shape(d, s);
    }
    json_close(j, '}');
    json_key(j, "required");
    json_open(j, '[');
    for (const struct shape *s = table; s->kind; s++) {
        if (s->is_required)
            json_text(j, s->name);
    }
    json_close(j, ']');
}

static void write_plain(struct json *j, const struct shape *s)
{
    type(j, plain[s->kind].type, s->is_nullable);
    json_member_text(j, "format", plain[s->kind].format);
    json_member_text(j, "pattern", plain[s->kind].pattern);
    if (s->choices)
        enum_words(j, s->choices, s->is_nullable);
    if (s->kind == SHAPE_INT && (s->least || s->most)) {
        json_member_int(j, "minimum", s->least);
        json_member_int(j, "maximum", s->most);
    }
    if (s->kind == SHAPE_TEXT && s->most && !s->is_list)
        json_member_int(j, "maxLength", s->most);
}

static void write_map(struct document *d, const struct shape *s)
{
    type(d->j, "object", s->is_nullable);
    json_key(d->j, "additionalProperties");
    json_open(d->j, '{');
    if (s->of)
        members(d, s->of);
    else
        type(d->j, "string", false);
    json_close(d->j, '}');
}

static void record_ref(struct document *d, const char *what)
{
    ref(d->j, d->process ? schema_name(d->cx->arena, d->process, what)
                         : arena_printf(d->cx->arena, "Any%s", what));
}

/* One of them, not the list. */
static void write_item(struct document *d, const struct shape *s)
{
    struct json *j = d->j;

    if (s->kind == SHAPE_OBJECT && s->schema) {
        note_shape(d, s);
        if (s->is_nullable)
            ref_or_null(j, s->schema);
        else
            ref(j, s->schema);
        return;
    }
    if (s->kind == SHAPE_ANY_RECORD) {
        ref(j, "AnyRecord");
        return;
    }
    if (s->kind == SHAPE_RECORD || s->kind == SHAPE_CREATE || s->kind == SHAPE_INPUT) {
        record_ref(d, s->kind == SHAPE_RECORD   ? "Record"
                      : s->kind == SHAPE_CREATE ? "Create"
                                                : "Input");
        return;
    }
    json_open(j, '{');
    json_member_text(j, "description", s->is_list ? NULL : s->help);
    if (s->kind == SHAPE_OBJECT)
        members(d, s->of);
    else if (s->kind == SHAPE_MAP)
        write_map(d, s);
    else if (s->kind != SHAPE_ANY)
        write_plain(j, s);
    json_close(j, '}');
}

void schema_shape(struct document *d, const struct shape *s)
{
    if (!s->is_list) {
        write_item(d, s);
        return;
    }
    json_open(d->j, '{');
    json_member_text(d->j, "description", s->help);
    type(d->j, "array", false);
    json_key(d->j, "items");
    write_item(d, s);
    if (s->most)
        json_member_int(d->j, "maxItems", s->most);
    json_close(d->j, '}');
}

void schema_table(struct document *d, const struct shape *table)
{
    if (!table->name) {
        schema_shape(d, table);
        return;
    }
    json_open(d->j, '{');
    members(d, table);
    json_close(d->j, '}');
}

/* ---- fields of processes -------------------------------------------------------------------- */

const char *schema_name(struct arena *a, const struct process *p, const char *what)
{
    struct buf b = {.arena = a};
    bool is_start = true;

    for (const char *s = p->name; *s; s++) {
        if (*s == '_' || *s == '-') {
            is_start = true;
            continue;
        }
        buf_putc(&b, is_start ? (char)toupper((unsigned char)*s) : *s);
        is_start = false;
    }
    buf_puts(&b, what);
    return buf_text(&b);
}

static void choices(struct json *j, const struct field *f, bool is_input)
{
    json_key(j, "enum");
    json_open(j, '[');
    for (const struct choice *c = f->choices; c && c->name; c++) {
        if (!is_input || !c->is_retired)
            json_text(j, c->name);
    }
    json_none(j);
    json_close(j, ']');
}

static const struct {
    const char *type, *format;
} types[TYPE_COUNT] = {
    [TYPE_TEXT] = {"string", NULL},           [TYPE_LONG_TEXT] = {"string", NULL},
    [TYPE_NUMBER] = {"number", NULL},         [TYPE_MONEY] = {"object", NULL},
    [TYPE_FLAG] = {"boolean", NULL},          [TYPE_CHOICE] = {"string", NULL},
    [TYPE_TREE] = {"string", NULL},           [TYPE_DATE] = {"string", "date"},
    [TYPE_INSTANT] = {"string", "date-time"}, [TYPE_DURATION] = {"string", "duration"},
    [TYPE_PERSON] = {"string", NULL},         [TYPE_GROUP] = {"string", NULL},
    [TYPE_ORGANISATION] = {"string", NULL},   [TYPE_LINK] = {"string", NULL},
    [TYPE_LINKS] = {"array", NULL},           [TYPE_PEOPLE] = {"array", NULL},
};

/* Shapes of what stands for an id in an answer. */
static const struct shape references[TYPE_COUNT] = {
    [TYPE_PERSON] = {"", SHAPE_OBJECT, .of = view_person_shape, .schema = "Person",
                     .is_nullable = true},
    [TYPE_GROUP] = {"", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group",
                    .is_nullable = true},
    [TYPE_ORGANISATION] = {"", SHAPE_OBJECT, .of = view_group_shape, .schema = "Group",
                           .is_nullable = true},
    [TYPE_LINK] = {"", SHAPE_OBJECT, .of = view_linked_shape, .schema = "Linked",
                   .is_nullable = true},
    [TYPE_LINKS] = {"", SHAPE_OBJECT, .of = view_linked_shape, .schema = "Linked",
                    .is_nullable = true},
};

static void money(struct json *j, const struct field *f)
{
    closed(j);
    json_key(j, "required");
    json_raw(j, "[\"amount\",\"currency\"]");
    json_key(j, "properties");
    json_open(j, '{');
    json_key(j, "amount");
    json_raw(j, "{\"type\":\"string\",\"pattern\":\"^-?[0-9]+([.][0-9]+)?$\"}");
    json_key(j, "currency");
    json_open(j, '{');
    json_key(j, "const"), json_text(j, f->currency);
    json_close(j, '}');
    json_close(j, '}');
}

static void describe_field(struct document *d, const struct field *f)
{
    const char *label = label_for(f->label, NULL, f->name);
    const char *help = f->help ? label_for(f->help, NULL, "") : NULL;

    json_member_text(d->j, "description",
                     help ? arena_printf(d->cx->arena, "%s: %s", label, help) : label);
}

static void items_of_text(struct json *j)
{
    json_key(j, "items");
    json_open(j, '{');
    type(j, "string", false);
    json_close(j, '}');
}

static void field_schema(struct document *d, const struct field *f, bool is_input)
{
    struct json *j = d->j;
    const bool is_whole = f->type == TYPE_NUMBER && !f->decimals;

    json_open(j, '{');
    describe_field(d, f);
    type(j, is_whole ? "integer" : types[f->type].type, true);
    json_member_text(j, "format", types[f->type].format);
    if (f->type == TYPE_CHOICE && f->choices && f->slot != FIELD_STATE)
        choices(j, f, is_input);
    if (f->type == TYPE_MONEY)
        money(j, f);
    if (f->type == TYPE_LINKS || f->type == TYPE_PEOPLE)
        items_of_text(j);
    json_close(j, '}');
}

static void reference_schema(struct document *d, const struct field *f)
{
    const struct shape *s = &references[f->type];

    if (f->type != TYPE_LINKS) {
        note_shape(d, s);
        json_open(d->j, '{');
        describe_field(d, f);
        json_key(d->j, "anyOf");
        json_open(d->j, '[');
        ref(d->j, s->schema);
        json_raw(d->j, "{\"type\":\"null\"}");
        json_close(d->j, ']');
        json_close(d->j, '}');
        return;
    }
    json_open(d->j, '{');
    describe_field(d, f);
    type(d->j, "array", true);
    json_key(d->j, "items");
    schema_shape(d, s);
    json_close(d->j, '}');
}

/* A record of a newer version may be asked for with an older document at hand, and old records keep
 * fields that went: fields that one does not know are to be expected in answers. */
static void record_schema(struct document *d, const struct process *p)
{
    static const struct shape offers = {"actions", SHAPE_OBJECT, .is_list = true,
                                        .of = view_offer_shape, .schema = "Offer"};
    struct json *j = d->j;

    json_open(j, '{');
    json_member_text(j, "description", label_for(p->purpose, NULL, p->name));
    type(j, "object", false);
    json_key(j, "required");
    json_raw(j, "[\"number\",\"process\"]");
    json_key(j, "properties");
    json_open(j, '{');
    json_key(j, "number"), json_raw(j, "{\"type\":\"string\"}");
    json_key(j, "process");
    json_open(j, '{'), json_key(j, "const"), json_text(j, p->name), json_close(j, '}');
    json_key(j, "version"), json_raw(j, "{\"type\":\"integer\"}");
    json_key(j, "revision"), json_raw(j, "{\"type\":\"integer\"}");
    for (int i = 0; i < p->field_count; i++) {
        const struct field *f = &p->fields[i];
        if (i == FIELD_NUMBER || i == FIELD_PROCESS || i == FIELD_WATCHERS)
            continue;
        json_key(j, f->name);
        if (references[f->type].kind)
            reference_schema(d, f);
        else
            field_schema(d, f, false);
    }
    json_key(j, "overrides");
    json_raw(j, "{\"description\":\"Computed fields that were set by hand, and why\","
                "\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}");
    json_key(j, "actions");
    schema_shape(d, &offers);
    json_close(j, '}');
    json_close(j, '}');
}

static bool is_given(const struct field *f)
{
    return !f->is_system && f->slot != FIELD_WATCHERS && f->slot != FIELD_PROCESS;
}

static void text_members(struct json *j)
{
    static const struct {
        const char *name, *help;
    } texts[] = {
        {"comment", "Written to everybody who sees the record"},
        {"note", "Written to those who see internals"},
        {"override_reason", "Why computed fields are set by hand"},
    };

    for (int i = 0; i < ARRAY_LEN(texts); i++) {
        json_key(j, texts[i].name);
        json_open(j, '{');
        json_member_text(j, "description", texts[i].help);
        type(j, "string", true);
        json_close(j, '}');
    }
}

static void input_schema(struct document *d, const struct process *p, bool is_create)
{
    struct json *j = d->j;

    json_open(j, '{');
    type(j, "object", false);
    closed(j);
    json_key(j, "properties");
    json_open(j, '{');
    for (int i = 0; i < p->field_count; i++) {
        if (!is_given(&p->fields[i]))
            continue;
        json_key(j, p->fields[i].name);
        field_schema(d, &p->fields[i], true);
    }
    text_members(j);
    json_close(j, '}');
    json_key(j, "required");
    json_open(j, '[');
    for (int i = 0; is_create && i < p->field_count; i++) {
        const struct field *f = &p->fields[i];
        if (is_given(f) && f->is_required && !f->initial && !f->computed && !f->matrix)
            json_text(j, f->name);
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void any_schema(struct document *d, const char *what)
{
    struct json *j = d->j;

    json_key(j, arena_printf(d->cx->arena, "Any%s", what));
    json_open(j, '{');
    json_key(j, "anyOf");
    json_open(j, '[');
    for (int i = 0; i < d->cx->defs->process_count; i++)
        ref(j, schema_name(d->cx->arena, &d->cx->defs->processes[i], what));
    json_close(j, ']');
    json_close(j, '}');
}

void schema_components(struct document *d)
{
    struct json *j = d->j;

    for (int i = 0; i < d->cx->defs->process_count; i++) {
        const struct process *p = &d->cx->defs->processes[i];
        json_key(j, schema_name(d->cx->arena, p, "Record"));
        record_schema(d, p);
        json_key(j, schema_name(d->cx->arena, p, "Create"));
        input_schema(d, p, true);
        json_key(j, schema_name(d->cx->arena, p, "Input"));
        input_schema(d, p, false);
    }
    any_schema(d, "Record");
    any_schema(d, "Input");
    for (int i = 0; i < d->noted.count; i++) { /* which grows on the way */
        const struct shape *s = ((const struct shape *const *)d->noted.at)[i];
        json_key(j, s->schema);
        json_open(j, '{');
        members(d, s->of);
        json_close(j, '}');
    }
}
