/* fuzz_process.c - any text beside the shared names is a snapshot in which everything resolves, or
 * has findings that name a place. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/ctx.h"
#include "lang/process.h"

static const char shared[] =
    "roles: {agent: {}}\n"
    "links: {causes: {inverse: caused_by}}\n"
    "messages: {hello: {subject: Hello, body: '{{number}}'}}\n"
    "trees: {kinds: {a: {sub: {b: B}}}}\n"
    "tables: {rank: {from: {size: [s, l]}, gives: [low, high], rows: [low, high]}}\n";

static void check_findings(const struct list *findings, bool *ret_has_errors)
{
    const struct finding *f = findings->at;
    for (int i = 0; i < findings->count; i++) {
        assert(f[i].line > 0 && f[i].column > 0);
        assert(f[i].file && f[i].text && *f[i].text && f[i].rule);
        *ret_has_errors |= f[i].level == FINDING_ERROR;
    }
}

static void check_action(const struct process *p, const struct action *a)
{
    assert(a->to >= -1 && a->to < p->state_count);
    assert(a->allow);
    assert(p->state_count == 64 || !(a->from >> p->state_count));
    for (int i = 0; i < a->ask_count; i++)
        assert(a->ask[i].slot < p->field_count);
    for (int i = 0; i < a->effect_count; i++) {
        const struct effect *e = &a->effects[i];
        assert(e->kind != EFFECT_SET || e->value);
        assert(e->kind != EFFECT_TIMER || process_action(p, e->name));
        assert(e->kind != EFFECT_TELL || defs_message(p->defs, e->name));
        assert(!e->process || defs_process(p->defs, e->process));
    }
}

static void check_process(const struct process *p)
{
    assert(p->state_count > 0 && p->calendar && p->series && p->number_prefix);
    for (int i = 0; i < p->field_count; i++) {
        const struct field *f = &p->fields[i];
        assert(f->slot == i && f->name);
        assert(f->type != TYPE_CHOICE || f->choices);
        assert(f->type != TYPE_TREE || f->tree);
        assert(!f->matrix || f->inputs);
    }
    for (int i = 0; i < p->action_count; i++)
        check_action(p, &p->actions[i]);
    for (int i = 0; i < RIGHT_COUNT; i++)
        assert(p->rights[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx cx = {.arena = arena_create()};
    const struct process_file files[] = {
        {"shared.yaml", shared, strlen(shared)},
        {"fuzz.yaml", (const char *)data, size},
    };
    const struct defs *d = NULL;
    struct list findings = {0};
    bool has_errors = false;
    const enum rc rc = process_load(&cx, files, 2, &d, &findings);
    check_findings(&findings, &has_errors);
    assert((rc == OK) == !has_errors);
    for (int i = 0; rc == OK && i < d->process_count; i++)
        check_process(&d->processes[i]);
    arena_destroy(cx.arena);
    return 0;
}
