/* Process definitions, as clients need them, and as files. */
#include <string.h>

#include "auth/auth.h"
#include "base/str.h"
#include "edge/route.h"
#include "edge/server.h"
#include "edge/shape.h"
#include "edge/view.h"
#include "lang/expr.h"
#include "lang/process.h"
#include "rec/type.h"

static const char *text_of(const struct ctx *cx, labels l, const char *name)
{
    return label_for(l, cx->language, name);
}

static void write_label(const struct ctx *cx, struct json *j, const char *member, labels l)
{
    if (l)
        json_member_text(j, member, text_of(cx, l, ""));
}

static void write_names(struct json *j, const char *member, const char *const *names)
{
    json_key(j, member);
    json_open(j, '[');
    for (; names && *names; names++)
        json_text(j, *names);
    json_close(j, ']');
}

/* ---- one definition ------------------------------------------------------------------------- */

static const struct shape choice_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true, .help = "The value; of a tree its path"},
    {"label", SHAPE_TEXT, .is_required = true},
    {"retired", SHAPE_FLAG, .is_required = true, .help = "Old records keep it"},
    {0},
};

static const struct shape field_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"help", SHAPE_TEXT},
    {"type", SHAPE_TEXT, .is_required = true},
    {"choices", SHAPE_OBJECT, .is_list = true, .of = choice_shape, .schema = "Choice"},
    {"to", SHAPE_TEXT, .help = "Link: the process it leads to"},
    {"currency", SHAPE_TEXT},
    {"decimals", SHAPE_INT},
    {"required", SHAPE_FLAG, .is_required = true, .help = "At creation"},
    {"internal", SHAPE_FLAG, .is_required = true},
    {"computed", SHAPE_FLAG, .is_required = true, .help = "From other fields"},
    {"system", SHAPE_FLAG, .is_required = true, .help = "Never set from outside"},
    {0},
};

static const struct shape rule_shape[] = {
    {"field", SHAPE_TEXT, .is_required = true},
    {"hidden", SHAPE_FLAG, .is_required = true},
    {"read_only", SHAPE_FLAG, .is_required = true},
    {"required", SHAPE_FLAG, .is_required = true},
    {0},
};

static const struct shape state_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"status", SHAPE_TEXT, .choices = "new open pending resolved closed cancelled",
     .is_required = true},
    {"phase", SHAPE_TEXT},
    {"court", SHAPE_TEXT, .help = "Who is waited for"},
    {"retired", SHAPE_FLAG, .is_required = true},
    {"rules", SHAPE_OBJECT, .is_list = true, .of = rule_shape, .is_required = true},
    {0},
};

static const struct shape asked_shape[] = {
    {"field", SHAPE_TEXT, .is_required = true},
    {"required", SHAPE_FLAG, .is_required = true},
    {0},
};

static const struct shape action_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"help", SHAPE_TEXT},
    {"from", SHAPE_TEXT, .is_list = true, .is_required = true},
    {"to", SHAPE_TEXT},
    {"allow", SHAPE_TEXT, .is_list = true, .is_required = true},
    {"asks", SHAPE_OBJECT, .is_list = true, .of = asked_shape, .is_required = true},
    {"when", SHAPE_TEXT, .help = "Condition, in the expression language"},
    {0},
};

static const struct shape phase_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {0},
};

static const struct shape link_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"inverse", SHAPE_TEXT, .is_required = true},
    {"inverse_label", SHAPE_TEXT, .is_required = true},
    {"tree", SHAPE_FLAG, .is_required = true, .help = "Set by the field parent"},
    {0},
};

static const struct shape right_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"allow", SHAPE_TEXT, .is_list = true, .is_required = true},
    {"mine", SHAPE_FLAG, .is_required = true, .help = "Held for at least some records"},
    {0},
};

static const struct shape brief_shape[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"plural", SHAPE_TEXT, .is_required = true},
    {"version", SHAPE_INT, .is_required = true},
    {"number_prefix", SHAPE_TEXT, .is_required = true},
    {"may_create", SHAPE_FLAG, .is_required = true},
    {"may_view", SHAPE_FLAG, .is_required = true},
    {0},
};

static const struct shape processes_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = brief_shape, .schema = "ProcessSummary",
     .is_required = true},
    {0},
};

static const struct shape process_output[] = {
    {"name", SHAPE_TEXT, .is_required = true},
    {"label", SHAPE_TEXT, .is_required = true},
    {"plural", SHAPE_TEXT, .is_required = true},
    {"purpose", SHAPE_TEXT},
    {"scope", SHAPE_TEXT},
    {"owner", SHAPE_TEXT},
    {"version", SHAPE_INT, .is_required = true},
    {"number_prefix", SHAPE_TEXT, .is_required = true},
    {"initial_state", SHAPE_TEXT, .is_required = true},
    {"fields", SHAPE_OBJECT, .is_list = true, .of = field_shape, .schema = "Field",
     .is_required = true},
    {"states", SHAPE_OBJECT, .is_list = true, .of = state_shape, .schema = "State",
     .is_required = true},
    {"actions", SHAPE_OBJECT, .is_list = true, .of = action_shape, .schema = "Action",
     .is_required = true},
    {"phases", SHAPE_OBJECT, .is_list = true, .of = phase_shape, .is_required = true},
    {"links", SHAPE_OBJECT, .is_list = true, .of = link_shape, .schema = "LinkKind",
     .is_required = true},
    {"rights", SHAPE_OBJECT, .is_list = true, .of = right_shape, .is_required = true},
    {0},
};

static void write_choice(struct json *j, const char *name, const char *label, bool is_retired)
{
    json_open(j, '{');
    json_member_text(j, "name", name);
    json_member_text(j, "label", label);
    json_key(j, "retired"), json_flag(j, is_retired);
    json_close(j, '}');
}

static void write_choices(const struct ctx *cx, struct json *j, const struct field *f)
{
    if (!f->choices && !f->tree)
        return;
    json_key(j, "choices");
    json_open(j, '[');
    for (const struct choice *c = f->choices; c && c->name; c++)
        write_choice(j, c->name, text_of(cx, c->label, c->name), c->is_retired);
    for (int i = 0; f->tree && i < f->tree->count; i++) {
        const struct tree_node *n = &f->tree->nodes[i];
        write_choice(j, n->path, text_of(cx, n->label, n->path), n->is_retired);
    }
    json_close(j, ']');
}

static void write_field(const struct ctx *cx, struct json *j, const struct field *f)
{
    json_open(j, '{');
    json_member_text(j, "name", f->name);
    json_member_text(j, "label", text_of(cx, f->label, f->name));
    write_label(cx, j, "help", f->help);
    json_member_text(j, "type", type_name(f->type));
    write_choices(cx, j, f);
    json_member_text(j, "to", f->to);
    json_member_text(j, "currency", f->currency);
    if (f->type == TYPE_NUMBER || f->type == TYPE_MONEY)
        json_member_int(j, "decimals", f->decimals);
    json_key(j, "required"), json_flag(j, f->is_required);
    json_key(j, "internal"), json_flag(j, f->is_internal);
    json_key(j, "computed"), json_flag(j, f->matrix || f->computed);
    json_key(j, "system"), json_flag(j, f->is_system);
    json_close(j, '}');
}

static void write_rules(struct json *j, const struct process *p, const struct state *s)
{
    json_key(j, "rules");
    json_open(j, '[');
    for (int i = 0; s->rules && i < p->field_count; i++) {
        if (!s->rules[i])
            continue;
        json_open(j, '{');
        json_member_text(j, "field", p->fields[i].name);
        json_key(j, "hidden"), json_flag(j, s->rules[i] & RULE_HIDDEN);
        json_key(j, "read_only"), json_flag(j, s->rules[i] & RULE_READ_ONLY);
        json_key(j, "required"), json_flag(j, s->rules[i] & RULE_REQUIRED);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_state(const struct ctx *cx, struct json *j, const struct process *p,
                        const struct state *s)
{
    json_open(j, '{');
    json_member_text(j, "name", s->name);
    json_member_text(j, "label", text_of(cx, s->label, s->name));
    json_member_text(j, "status", status_name(s->status));
    json_member_text(j, "phase", s->phase);
    json_member_text(j, "court", s->court);
    json_key(j, "retired"), json_flag(j, s->is_retired);
    write_rules(j, p, s);
    json_close(j, '}');
}

static void write_asked(struct json *j, const struct process *p, const struct asked *a)
{
    json_open(j, '{');
    json_member_text(j, "field",
                     a->slot == ASK_COMMENT ? "comment"
                     : a->slot == ASK_NOTE  ? "note"
                                            : p->fields[a->slot].name);
    json_key(j, "required"), json_flag(j, !a->is_optional);
    json_close(j, '}');
}

static void write_action(const struct ctx *cx, struct json *j, const struct process *p,
                         const struct action *a)
{
    json_open(j, '{');
    json_member_text(j, "name", a->name);
    json_member_text(j, "label", text_of(cx, a->label, a->name));
    write_label(cx, j, "help", a->help);
    json_key(j, "from");
    json_open(j, '[');
    for (int i = 0; i < p->state_count; i++) {
        if (a->from >> i & 1)
            json_text(j, p->states[i].name);
    }
    json_close(j, ']');
    if (a->to >= 0)
        json_member_text(j, "to", p->states[a->to].name);
    write_names(j, "allow", a->allow);
    json_key(j, "asks");
    json_open(j, '[');
    for (int i = 0; i < a->ask_count; i++)
        write_asked(j, p, &a->ask[i]);
    json_close(j, ']');
    if (a->when)
        json_member_text(j, "when", expr_source(a->when));
    json_close(j, '}');
}

static void write_link(const struct ctx *cx, struct json *j, const struct link_kind *k)
{
    json_open(j, '{');
    json_member_text(j, "name", k->name);
    json_member_text(j, "label", text_of(cx, k->label, k->name));
    json_member_text(j, "inverse", k->inverse);
    json_member_text(j, "inverse_label", text_of(cx, k->inverse_label, k->inverse));
    json_key(j, "tree"), json_flag(j, k->is_tree);
    json_close(j, '}');
}

static bool holds_somewhere(struct ctx *cx, const struct process *p, enum right right)
{
    const struct reach reach = auth_reach(cx, p, right);
    return !reach_is_empty(&reach);
}

static void write_right(struct ctx *cx, struct json *j, const struct process *p, enum right right)
{
    json_open(j, '{');
    json_member_text(j, "name", right_name(right));
    write_names(j, "allow", p->rights[right]);
    json_key(j, "mine"), json_flag(j, holds_somewhere(cx, p, right));
    json_close(j, '}');
}

static void write_fields(const struct ctx *cx, struct json *j, const struct process *p)
{
    json_key(j, "fields");
    json_open(j, '[');
    for (int i = 0; i < p->field_count; i++)
        write_field(cx, j, &p->fields[i]);
    json_close(j, ']');
}

static void write_life(const struct ctx *cx, struct json *j, const struct process *p)
{
    json_key(j, "states");
    json_open(j, '[');
    for (int i = 0; i < p->state_count; i++)
        write_state(cx, j, p, &p->states[i]);
    json_close(j, ']');
    json_key(j, "actions");
    json_open(j, '[');
    for (int i = 0; i < p->action_count; i++)
        write_action(cx, j, p, &p->actions[i]);
    json_close(j, ']');
    json_key(j, "phases");
    json_open(j, '[');
    for (int i = 0; i < p->phase_count; i++) {
        json_open(j, '{');
        json_member_text(j, "name", p->phases[i].name);
        json_member_text(j, "label", text_of(cx, p->phases[i].label, p->phases[i].name));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_head(const struct ctx *cx, struct json *j, const struct process *p)
{
    json_member_text(j, "name", p->name);
    json_member_text(j, "label", text_of(cx, p->label, p->name));
    json_member_text(j, "plural", text_of(cx, p->plural, p->name));
    json_member_int(j, "version", p->version);
    json_member_text(j, "number_prefix", p->number_prefix);
}

static enum rc read_process(struct ctx *cx, struct call *c)
{
    const char *name = request_param(c->request, "name");
    const struct process *p = defs_process(cx->defs, name);
    struct json *j = &c->json;

    if (!p)
        return fail(cx, E_NOT_FOUND, NULL, "there is no process %s", name);
    json_open(j, '{');
    write_head(cx, j, p);
    write_label(cx, j, "purpose", p->purpose);
    write_label(cx, j, "scope", p->scope);
    json_member_text(j, "owner", p->owner);
    json_member_text(j, "initial_state", p->states[p->initial_state].name);
    write_fields(cx, j, p);
    write_life(cx, j, p);
    json_key(j, "links");
    json_open(j, '[');
    for (int i = 0; i < cx->defs->link_count; i++)
        write_link(cx, j, &cx->defs->links[i]);
    json_close(j, ']');
    json_key(j, "rights");
    json_open(j, '[');
    for (int i = 0; i < RIGHT_COUNT; i++)
        write_right(cx, j, p, (enum right)i);
    json_close(j, ']');
    json_close(j, '}');
    return OK;
}

static enum rc list_processes(struct ctx *cx, struct call *c)
{
    struct json *j = &c->json;

    json_open(j, '{');
    json_key(j, "data");
    json_open(j, '[');
    for (int i = 0; i < cx->defs->process_count; i++) {
        const struct process *p = &cx->defs->processes[i];
        json_open(j, '{');
        write_head(cx, j, p);
        json_key(j, "may_create"), json_flag(j, holds_somewhere(cx, p, RIGHT_CREATE));
        json_key(j, "may_view"), json_flag(j, holds_somewhere(cx, p, RIGHT_VIEW));
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
    return OK;
}

/* ---- versions and files --------------------------------------------------------------------- */

static const struct shape version_shape[] = {
    {"id", SHAPE_ID, .is_required = true},
    {"version", SHAPE_INT, .is_required = true},
    {"activated", SHAPE_INSTANT, .is_required = true},
    {"hash", SHAPE_TEXT, .is_required = true, .help = "SHA-256 of the files it is made of"},
    {0},
};

static const struct shape versions_output[] = {
    {"data", SHAPE_OBJECT, .is_list = true, .of = version_shape, .is_required = true},
    {0},
};

static enum rc list_versions(struct ctx *cx, struct call *c)
{
    const char *name = request_param(c->request, "name");
    struct list versions;

    TRY(type_versions(cx, name, &versions));
    if (!versions.count)
        return fail(cx, E_NOT_FOUND, NULL, "there is no process %s", name);
    view_data_begin(c);
    for (int i = 0; i < versions.count; i++) {
        const struct type_version *v = (const struct type_version *)versions.at + i;
        json_open(&c->json, '{');
        view_member_id(&c->json, "id", v->id);
        json_member_int(&c->json, "version", v->version);
        view_member_instant(&c->json, "activated", v->activated_at);
        json_member_text(&c->json, "hash", v->hash);
        json_close(&c->json, '}');
    }
    view_data_end(c);
    return OK;
}

static const struct shape files_output[] = {
    {"files", SHAPE_MAP, .is_required = true, .help = "Name of each file and its text"},
    {0},
};

/* The files of the set in which this version came into force: its own, and the shared ones. */
static enum rc read_files(struct ctx *cx, struct call *c)
{
    const char *name = request_param(c->request, "name");
    struct list versions, files;
    int64_t number;

    TRY(path_id(cx, c, "version", &number));
    TRY(type_versions(cx, name, &versions));
    for (int i = 0; i < versions.count; i++) {
        const struct type_version *v = (const struct type_version *)versions.at + i;
        if (v->version != number)
            continue;
        TRY(type_files(cx, v->id, &files));
        json_open(&c->json, '{');
        json_key(&c->json, "files");
        json_open(&c->json, '{');
        for (int f = 0; f < files.count; f++) {
            const struct process_file *file = (const struct process_file *)files.at + f;
            json_member_text(&c->json, file->name, file->text);
        }
        json_close(&c->json, '}');
        json_close(&c->json, '}');
        return OK;
    }
    return fail(cx, E_NOT_FOUND, NULL, "process %s has no version %lld", name, (long long)number);
}

/* ---- checking and activating ---------------------------------------------------------------- */

static const struct shape files_input[] = {
    {"files", SHAPE_MAP, .is_required = true,
     .help = "Name of each file and its text: all of them"},
    {0},
};

static const struct shape finding_shape[] = {
    {"level", SHAPE_TEXT, .choices = "error warning", .is_required = true},
    {"rule", SHAPE_TEXT, .is_required = true},
    {"file", SHAPE_TEXT},
    {"line", SHAPE_INT},
    {"column", SHAPE_INT},
    {"text", SHAPE_TEXT, .is_required = true},
    {0},
};

static const struct shape findings_output[] = {
    {"valid", SHAPE_FLAG, .is_required = true, .help = "There are no errors among the findings"},
    {"activated", SHAPE_FLAG, .is_required = true},
    {"findings", SHAPE_OBJECT, .is_list = true, .of = finding_shape, .schema = "Finding",
     .is_required = true},
    {0},
};

static enum rc take_files(struct ctx *cx, const struct call *c, struct list *ret)
{
    const struct val *files = val_get(&c->body, "files");

    *ret = (struct list){0};
    for (int i = 0; i < files->count; i++) {
        const struct member *m = &files->members[i];
        if (m->val.kind != VAL_TEXT)
            problem(cx, arena_printf(cx->arena, "files.%s", m->name), "wrong_type",
                    "the file must be a text");
        else
            *(struct process_file *)list_add(cx->arena, ret, sizeof(struct process_file)) =
                (struct process_file){m->name, m->val.text, strlen(m->val.text)};
    }
    return problems_rc(cx);
}

static void write_finding(struct json *j, const struct finding *f)
{
    json_open(j, '{');
    json_member_text(j, "level", f->level == FINDING_ERROR ? "error" : "warning");
    json_member_text(j, "rule", f->rule);
    json_member_text(j, "file", f->file);
    if (f->line) {
        json_member_int(j, "line", f->line);
        json_member_int(j, "column", f->column);
    }
    json_member_text(j, "text", f->text);
    json_close(j, '}');
}

static void write_findings(struct call *c, const struct list *findings, bool is_valid,
                           bool is_activated)
{
    json_open(&c->json, '{');
    json_key(&c->json, "valid"), json_flag(&c->json, is_valid);
    json_key(&c->json, "activated"), json_flag(&c->json, is_activated);
    json_key(&c->json, "findings");
    json_open(&c->json, '[');
    for (int i = 0; i < findings->count; i++)
        write_finding(&c->json, (const struct finding *)findings->at + i);
    json_close(&c->json, ']');
    json_close(&c->json, '}');
}

static enum rc check(struct ctx *cx, struct call *c)
{
    struct list files, findings = {0};
    const struct defs *defs;

    TRY(take_files(cx, c, &files));
    enum rc rc = process_load(cx, files.at, files.count, &defs, &findings);
    if (rc == OK)
        rc = server_check_processes(cx, defs, &findings);
    if (rc != OK && rc != E_INVALID)
        return rc;
    fail_clear(cx);
    write_findings(c, &findings, rc == OK, false);
    return OK;
}

/* What is wrong with the files is the answer to the question, not a failure of it. */
static enum rc activate(struct ctx *cx, struct call *c)
{
    struct list files, findings = {0};

    TRY(take_files(cx, c, &files));
    const enum rc rc = server_activate(cx, c->server, &files, &findings);
    if (rc != OK && (rc != E_INVALID || !findings.count))
        return rc;
    fail_clear(cx);
    write_findings(c, &findings, rc == OK, rc == OK);
    return OK;
}

const struct route process_routes[] = {
    {HTTP_GET_, "/api/v1/processes", ALLOW_USER, list_processes, "listProcesses",
     "The processes, and whether one may view and create", NULL, NULL, processes_output,
     .tag = "Processes"},
    {HTTP_GET_, "/api/v1/processes/{name}", ALLOW_USER, read_process, "readProcess",
     "A process as clients need it: fields, states, actions, rights; in the reader's language",
     NULL, NULL, process_output},
    {HTTP_GET_, "/api/v1/processes/{name}/versions", "process.view", list_versions, "listVersions",
     "The versions of a process, newest first", NULL, NULL, versions_output},
    {HTTP_GET_, "/api/v1/processes/{name}/versions/{version}/files", "process.view", read_files,
     "readProcessFiles", "The files of a version", NULL, NULL, files_output},
    {HTTP_POST_, "/api/v1/processes/check", "process.view", check, "checkProcesses",
     "Check process files without putting them into force", NULL, files_input, findings_output},
    {HTTP_POST_, "/api/v1/processes/activate", "process.activate", activate, "activateProcesses",
     "Put process files into force, unless they have errors", NULL, files_input, findings_output},
    {0},
};
