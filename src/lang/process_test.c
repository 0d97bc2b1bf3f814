#include "lang/process.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/file.h"
#include "base/str.h"
#include "base/test.h"
#include "base/time.h"
#include "lang/calendar.h"
#include "lang/expr.h"

static struct ctx cx;

static int setup(void **state)
{
    (void)state;
    cx = (struct ctx){.arena = arena_create()};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(cx.arena);
    return 0;
}

/* ---- loading -------------------------------------------------------------------------------- */

static void add_file(struct list *files, const char *name, const char *text)
{
    struct process_file *f = list_add(cx.arena, files, sizeof(*f));
    *f = (struct process_file){name, text, strlen(text)};
}

/* "3:7 error unknown-key: what is wrong", a line each. */
static const char *written(const struct list *findings)
{
    struct buf b = {.arena = cx.arena};
    const struct finding *f = findings->at;
    for (int i = 0; i < findings->count; i++)
        buf_printf(&b, "%s%d:%d %s %s: %s", i ? "\n" : "", f[i].line, f[i].column,
                   f[i].level == FINDING_ERROR ? "error" : "warning", f[i].rule, f[i].text);
    return buf_text(&b);
}

static const struct defs *load(const char *text, const char **ret_findings)
{
    struct list files = {0};
    struct list findings = {0};
    const struct defs *defs = NULL;
    add_file(&files, "f.yaml", text);
    process_load(&cx, files.at, files.count, &defs, &findings);
    *ret_findings = written(&findings);
    fail_clear(&cx);
    return defs;
}

static const struct defs *load_good(const char *text)
{
    const char *findings;
    const struct defs *defs = load(text, &findings);
    assert_string_equal(findings, "");
    assert_non_null(defs);
    return defs;
}

static void add_folder(struct list *files, const char *folder)
{
    const char *root = getenv("TEST_SOURCE");
    const char *path = arena_printf(cx.arena, "%s/%s", root ? root : ".", folder);
    struct list names = {0};
    assert_int_equal(folder_list(&cx, path, ".yaml", &names), OK);
    for (int i = 0; i < names.count; i++) {
        const char *name = ((const char *const *)names.at)[i];
        char *text;
        assert_int_equal(
            file_read(&cx, arena_printf(cx.arena, "%s/%s", path, name), 1 << 20, &text, NULL), OK);
        add_file(files, arena_printf(cx.arena, "%s/%s", folder, name), text);
    }
    assert_true(names.count > 0);
}

static const struct defs *load_folders(const char *first, const char *second)
{
    struct list files = {0};
    struct list findings = {0};
    const struct defs *defs = NULL;
    add_folder(&files, first);
    if (second)
        add_folder(&files, second);
    const enum rc rc = process_load(&cx, files.at, files.count, &defs, &findings);
    assert_string_equal(written(&findings), "");
    assert_int_equal(rc, OK);
    return defs;
}

/* ---- the files that are shipped ------------------------------------------------------------- */

static void test_shipped_files_have_no_findings(void **state)
{
    (void)state;
    const struct defs *d = load_folders("process", NULL);
    assert_non_null(defs_process(d, "incident"));
    assert_non_null(defs_process(d, "problem"));
    assert_non_null(defs_process(d, "request"));
    assert_non_null(defs_process(d, "task"));
    assert_null(defs_process(d, "vinst_incident"));
}

static void test_import_files_have_no_findings(void **state)
{
    (void)state;
    const struct defs *d = load_folders("process", "process/import");
    assert_non_null(defs_process(d, "vinst_incident"));
    assert_non_null(defs_process(d, "servicenow_incident"));
}

static const struct effect *effect_of(const struct action *a, enum effect_kind kind,
                                      const char *name)
{
    for (int i = 0; i < a->effect_count; i++) {
        if (a->effects[i].kind == kind && str_equal(a->effects[i].name, name))
            return &a->effects[i];
    }
    return NULL;
}

static void test_incident_is_what_its_file_says(void **state)
{
    (void)state;
    const struct defs *d = load_folders("process", NULL);
    const struct process *p = defs_process(d, "incident");
    assert_string_equal(p->number_prefix, "INC-");
    assert_string_equal(p->series, "incident");
    assert_string_equal(calendar_name(p->calendar), "office");
    assert_string_equal(p->states[p->initial_state].name, "new");
    assert_int_equal(process_state(p, "awaiting_user")->status, STATUS_PENDING);
    assert_string_equal(process_state(p, "awaiting_user")->court, "caller");
    assert_string_equal(process_state(p, "resolved")->phase, "recovery");
    assert_int_equal(process_state(p, "resolved")->rules[process_field(p, "resolution")->slot],
                     RULE_REQUIRED);

    const struct action *resolve = process_action(p, "resolve");
    assert_int_equal(resolve->to, process_state(p, "resolved")->index);
    assert_true(resolve->from >> process_state(p, "awaiting_user")->index & 1);
    assert_false(resolve->from >> process_state(p, "closed")->index & 1);
    assert_string_equal(expr_source(resolve->when), "open_tasks = 0");
    assert_string_equal(label_for(resolve->label, "fr", resolve->name), "Résoudre");
    const struct effect *close = effect_of(resolve, EFFECT_TIMER, "close");
    assert_int_equal(close->span.unit, SPAN_WORKING_DAYS);
    assert_int_equal(close->span.n, 5);
    assert_int_equal(effect_of(resolve, EFFECT_TELL, "incident-resolved")->slot, FIELD_CALLER);
    const struct effect *cascade = effect_of(resolve, EFFECT_CASCADE, "resolve_with_parent");
    assert_string_equal(cascade->link, "child");
    assert_string_equal(cascade->process, "incident");
    assert_string_equal(cascade->sets[0].field, "resolution");
    assert_null(cascade->sets[1].field);
    assert_true(str_in("caller", p->rights[RIGHT_VIEW]));
    assert_false(str_in("caller", p->rights[RIGHT_INTERNAL]));
}

static void test_priority_is_looked_up(void **state)
{
    (void)state;
    static const struct {
        const char *impact, *urgency, *priority;
    } cases[] = {
        {"extensive", "critical", "critical"},
        {"extensive", "low", "moderate"},
        {"moderate", "medium", "moderate"},
        {"minor", "low", "low"},
        {"significant", "high", "high"},
        {NULL, "low", NULL},
        {"minor", NULL, NULL},
        {"minor", "unheard", NULL},
    };
    const struct process *p = defs_process(load_folders("process", NULL), "incident");
    const struct field *priority = &p->fields[FIELD_PRIORITY];
    struct val *slots = arena_array(cx.arena, (size_t)p->field_count, sizeof(*slots));
    for (int i = 0; i < ARRAY_LEN(cases); i++) {
        slots[process_field(p, "impact")->slot] = val_text(cases[i].impact);
        slots[process_field(p, "urgency")->slot] = val_text(cases[i].urgency);
        assert_true(val_equal(matrix_value(priority, slots), val_text(cases[i].priority)));
    }
}

/* ---- the example of the manual -------------------------------------------------------------- */

static void test_the_manual_s_first_process_loads(void **state)
{
    (void)state;
    const char *root = getenv("TEST_SOURCE");
    char *text;
    assert_int_equal(
        file_read(&cx, arena_printf(cx.arena, "%s/doc/processes/README.md", root ? root : "."),
                  1 << 20, &text, NULL),
        OK);
    char *begin = strstr(text, "```yaml\nprocess:");
    assert_non_null(begin);
    begin += strlen("```yaml\n");
    char *end = strstr(begin, "```");
    assert_non_null(end);
    *end = '\0';
    const struct defs *d = load_good(begin);
    assert_non_null(defs_process(d, "visit"));
}

/* ---- small files and what is found in them -------------------------------------------------- */

#define VISIT                                                                                      \
    "process: visit\n"                                                                             \
    "number: VIS-{n}\n"                                                                            \
    "rights: {view: [anyone], create: [anyone], edit: [anyone]}\n"
#define STATES "states: {waiting: {category: new}, done: {category: closed}}\n"
#define FINISH "actions: {finish: {from: waiting, to: done, allow: anyone}}\n"
/* Lines 6 and on. */
#define GOOD VISIT STATES FINISH

struct found_case {
    const char *text, *findings;
};

static const struct found_case cases[] = {
    {GOOD, ""},
    /* keys and shapes */
    {GOOD "feilds: {}\n",
     "6:1 error unknown-key: process: unknown key 'feilds'; did you mean 'fields'?"},
    {"- a\n", "1:1 error wrong-shape: a process file: a map (name: value) is expected here"},
    {"states: {}\n", "1:1 error no-process: 'states' belongs to a process, and this file does not "
                     "say which: write process: and its name"},
    {"rolls: {}\n", "1:1 error unknown-key: file: unknown key 'rolls'; did you mean 'roles'?"},
    {"process: visit\nactions: {}\nstates: {a: {category: new}}\nrights: {view: anyone, create: "
     "anyone, edit: anyone}\n",
     "1:10 error missing-key: process: 'number' is missing"},
    {"a: [1\n", "2:1 error yaml: did not find expected ',' or ']' (while parsing a flow sequence "
                "from line 1)"},
    {GOOD "process: x\n", "6:1 error yaml: 'process' is here twice, first in line 1"},
    /* words that YAML takes for something else */
    {VISIT "states: {on: {category: new}, done: {category: closed}}\n"
           "actions: {finish: {from: done, to: done, allow: anyone}}\n",
     "4:10 error yaml-word: on without quotes is not a text in YAML; write \"on\" or choose "
     "another word\n"
     "4:31 error bad-initial-state: records begin in the first state, so 'done' cannot be closed"},
    {GOOD "fields: {sure: {is: choice, of: [yes, No, maybe]}}\n",
     "6:34 error yaml-word: yes without quotes is not a text in YAML; write \"yes\" or choose "
     "another word\n"
     "6:39 error yaml-word: No without quotes is not a text in YAML; write \"No\" or choose "
     "another word"},
    {GOOD "fields: {sure: {is: choice, of: {\"yes\": \"Yes\", \"no\": No}}}\n",
     "6:54 error yaml-word: No without quotes is not a text in YAML; write \"No\" or choose "
     "another word"},
    {GOOD "fields: {sure: {is: flag, required: yes}}\n",
     "6:37 error not-a-flag: write true or false here, not yes"},
    {GOOD "label: {en: Visit, no: Besøk}\n",
     "6:20 error yaml-word: no without quotes is not a text in YAML; write \"no\" or choose "
     "another word"},
    /* names */
    {GOOD "fields: {Size: text}\n", "6:10 error bad-name: 'Size' is not a name: use a-z, 0-9 and "
                                    "_, a letter first, at most 60"},
    {GOOD "fields: {today: text}\n",
     "6:10 error bad-name: 'today' is a word with a meaning of its own; a field needs another "
     "name"},
    {"process: visit\nnumber: 7{n}\nrights: {view: anyone, create: anyone, edit: anyone}\n" STATES
         FINISH,
     "2:9 error bad-number: '7{n}' is not a number such as INC-{n} or INC-{n:5}: capitals first, "
     "and {n} at the end"},
    {GOOD "roles: {caller: {}}\n",
     "6:9 error bad-name: 'caller' says how a person relates to a record; a role needs another "
     "name"},
    /* fields */
    {GOOD "fields: {size: {is: chioce}}\n",
     "6:21 error unknown-word: there is no field type 'chioce'; did you mean 'choice'?"},
    {GOOD "fields: {size: {label: Size}}\n",
     "6:10 error missing-key: field 'size': 'is' is missing"},
    {GOOD "fields: {size: {is: choice}}\n",
     "6:10 error missing-key: field 'size' is a choice: say of what"},
    {GOOD "fields: {size: {is: choice, of: [a, b, a]}}\n",
     "6:40 error defined-twice: choice of size 'a' is in the list twice"},
    {GOOD "fields: {size: {is: text, decimals: 2}}\n",
     "6:37 error wrong-key: 'decimals' means nothing for a field that is text"},
    {GOOD "fields: {size: {is: number, least: 0.5, most: 9}}\n",
     "6:36 error not-a-number: a number with at most 0 decimals is expected here"},
    {GOOD "fields: {cost: {is: money, currency: euro}}\n",
     "6:38 error unknown-word: 'euro' is not a currency: write three capitals such as EUR"},
    {GOOD "fields: {place: {is: tree, of: places}}\n",
     "6:32 error unknown-tree: there is no tree 'places'"},
    {GOOD "fields: {visit: {is: link, to: visits}}\n",
     "6:32 error unknown-process: there is no process 'visits'; did you mean 'visit'?"},
    {GOOD "fields: {title: {is: number}}\n", "6:22 error wrong-type: 'title' is built in, as text"},
    {GOOD "fields: {state: {initial: done}}\n",
     "6:10 error wrong-key: 'state' is set by the engine: only its label and help can be changed"},
    {GOOD "fields: {a: {is: number, initial: 2 +}}\n",
     "6:38 error expression: a value is missing at the end"},
    {GOOD "fields:\n  a:\n    is: number\n    initial: >\n      1 +\n      titel\n",
     "11:7 error expression: there is no field \"titel\"; did you mean \"title\"?"},
    {GOOD "fields: {a: {is: number, computed: 'if(title = \"it''s\", 1, tuo)'}}\n",
     "6:60 error expression: there is no field \"tuo\""},
    {GOOD "fields:\n"
          "  a: {is: number, computed: b + 1}\n"
          "  b: {is: number, computed: c + 1}\n"
          "  c: number\n"
          "  d: {is: number, computed: d + b}\n",
     "7:3 error computed-late: 'a' is computed from 'b', which is computed after it\n"
     "10:3 error computed-late: 'd' is computed from itself"},
    /* matrices */
    {GOOD "fields: {size: {is: choice, of: [s, m]}, price: {is: matrix, from: size, table: t}}\n"
          "tables: {t: {from: {size: [s, l]}, gives: [low, high], rows: {s: low, l: high}}}\n",
     "6:68 error wrong-table: table 't' has 'l', which size cannot be\n"
     "6:68 error wrong-table: table 't' has nothing for size 'm'"},
    {GOOD "tables: {t: {from: {a: [x, z]}, gives: [one, two, six], rows: {x: one, y: two}}}\n",
     "6:40 warning unreachable-level: table 't' never gives 'six'\n"
     "6:40 warning unreachable-level: table 't' never gives 'two'\n"
     "6:63 error missing-cell: table 't' says nothing for z; write none if that is meant\n"
     "6:72 error unknown-word: there is no a 'y' in this table; there are x and z"},
    /* references of actions */
    {VISIT STATES "actions: {finish: {from: waitng, to: doen, allow: [anyone, agnet]}}\n"
                  "roles: {agent: {}}\n",
     "5:26 error unknown-state: there is no state 'waitng'; did you mean 'waiting'?\n"
     "5:38 error unknown-state: there is no state 'doen'; did you mean 'done'?\n"
     "5:60 error unknown-role: 'agnet' is neither a role nor a relation; did you mean 'agent'?"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, ask: [reslt, "
                  "number]}\nfields: {result: text}\n",
     "6:58 error unknown-field: there is no field 'reslt' to ask for; did you mean 'result'?\n"
     "6:65 error not-settable: 'number' is kept by the engine and cannot be asked for"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, when: titel = 1}\n",
     "6:58 error expression: there is no field \"titel\"; did you mean \"title\"?"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: []}\n",
     "6:44 error empty: action 'finish' is allowed to nobody"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, timer: {clse: 1 "
                  "h, finish: 1 hour ago}}\n",
     "6:60 error unknown-action: there is no action 'clse'; there is only finish\n"
     "6:79 error bad-span: '1 hour ago' is not a length of time such as 5 working days, 4 working "
     "hours, 30 min"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, tell: {caller: "
                  "m, title: m}}\nmessages: {m: {subject: Hi, body: 'Dear {{recipient}}, "
                  "{{numbr}}'}}\n",
     "6:67 error unknown-place: message 'm' names {{numbr}}, which visit has not; did you mean "
     "'number'?\n"
     "6:70 error wrong-type: 'title' is nobody who can be told"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, create: {process: "
                  "visit, link: chlid}}\n",
     "6:83 error unknown-link: there is no link 'chlid'; did you mean 'child'?"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, create: {process: "
                  "visit}}\n",
     "6:60 error create-incomplete: visit needs 'title' at creation, which is not set here"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, set: {state: "
                  "done}}\n",
     "6:58 error not-settable: 'state' is kept by the engine and cannot be set"},
    {VISIT STATES "actions:\n  finish: {from: waiting, to: done, allow: anyone, unless: Not yet}\n",
     "6:60 error wrong-key: 'unless' says what to tell when 'when' does not hold, and there is no "
     "'when'"},
    {GOOD "calendar: ofice\ncalendars: {office: {zone: UTC, hours: {mon-fri: ['09:00-17:00']}}}\n",
     "6:11 error unknown-calendar: there is no calendar 'ofice'; did you mean 'office'?"},
    {GOOD "activities: {a: {does: [finsh], raci: {R: anyone}}}\n",
     "6:14 warning raci: activity 'a': exactly one is accountable (A)\n"
     "6:25 error unknown-action: there is no action 'finsh'; did you mean 'finish'?"},
    /* rights, labels */
    {"process: visit\nnumber: VIS-{n}\nrights: {vew: anyone, edit: anyone}\n" STATES FINISH,
     "3:9 warning missing-right: nobody may create visit\n"
     "3:9 warning missing-right: nobody may view visit\n"
     "3:10 error unknown-word: there is no right 'vew'; did you mean 'view'?"},
    {"languages: [en, fr]\nroles: {agent: {label: Agent}}\n",
     "2:9 warning missing-label: role 'agent' has no text in fr"},
    {"languages: [en, fr]\nroles: {agent: {label: {en: Agent, de: Agent}}}\n",
     "2:9 warning missing-label: role 'agent' has no text in fr\n"
     "2:36 error unknown-language: there is no language 'de'; there are en and fr"},
    {"trees: {t: {a: {sub: {b: B, b-c: C}}}}\n",
     "1:29 error bad-name: 'b-c' is not a name: use a-z, 0-9 and _, a letter first, at most 60"},
    {"links: {causes: {}}\n", "1:9 error missing-key: link: 'inverse' is missing"},
    {"messages: {m: {subject: Hi, body: 'Dear {{ name }}'}}\n",
     "1:12 error bad-place: message 'm' has {{ in its en text that is not a place such as "
     "{{number}}"},
};

/* All that differ, before failing once. */
static void expect_findings(const struct found_case *all, int count)
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        const char *findings;
        load(all[i].text, &findings);
        if (strcmp(findings, all[i].findings) == 0)
            continue;
        print_error("case %d:\n%s--- found:\n%s\n--- wanted:\n%s\n", i, all[i].text, findings,
                    all[i].findings);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_findings(void **state)
{
    (void)state;
    expect_findings(cases, ARRAY_LEN(cases));
}

/* ---- the graph ------------------------------------------------------------------------------ */

#define TICKET                                                                                     \
    "process: ticket\n"                                                                            \
    "number: T-{n}\n"                                                                              \
    "rights: {view: anyone, create: anyone, edit: anyone}\n"                                       \
    "states:\n"

static const struct found_case graphs[] = {
    {TICKET "  new: {category: new}\n"
            "  lost: {category: open}\n"
            "  stuck: {category: pending}\n"
            "  round: {category: open}\n"
            "  about: {category: open}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  stop: {from: new, to: stuck, allow: anyone}\n"
            "  turn: {from: [new, about], to: round, allow: anyone}\n"
            "  back: {from: round, to: about, allow: anyone}\n"
            "  end: {from: [new, lost], to: done, allow: anyone}\n",
     "6:3 error unreachable-state: no sequence of actions leads to state 'lost'\n"
     "7:3 error dead-end: no action leads out of state 'stuck', which is pending\n"
     "8:3 error no-end: from state 'round' a record can never be closed or cancelled\n"
     "9:3 error no-end: from state 'about' a record can never be closed or cancelled"},
    {TICKET "  new: {category: new}\n"
            "  done: {category: resolved}\n"
            "actions: {end: {from: new, to: done, allow: anyone}}\n",
     "1:1 error no-end: process 'ticket' has no state of category closed or cancelled: nothing "
     "ever ends"},
    /* A retired state needs no way in, but a way out; and nothing may lead there. */
    {TICKET "  new: {category: new}\n"
            "  old: {category: open, retired: true}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  end: {from: active, to: done, allow: anyone}\n",
     ""},
    {TICKET "  new: {category: new}\n"
            "  old: {category: open, retired: true}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  age: {from: new, to: old, allow: anyone}\n"
            "  end: {from: active, to: done, allow: anyone}\n",
     "9:24 error retired-state: state 'old' is retired: nothing may lead there"},
    /* A timer that is not stopped on one of the ways. */
    {TICKET "  new: {category: new}\n"
            "  resolved: {category: resolved}\n"
            "  closed: {category: closed}\n"
            "actions:\n"
            "  resolve: {from: new, to: resolved, allow: anyone, timer: {close: 5 days}}\n"
            "  reopen: {from: resolved, to: new, allow: anyone}\n"
            "  close: {from: resolved, to: closed, allow: [system]}\n",
     "9:61 error timer-not-offered: timer 'close' can be due in new (by reopen), where 'close' is "
     "not offered; stop it on the way, or offer it there"},
    {TICKET "  new: {category: new}\n"
            "  resolved: {category: resolved}\n"
            "  closed: {category: closed}\n"
            "actions:\n"
            "  resolve: {from: new, to: resolved, allow: anyone, timer: {close: 5 days}}\n"
            "  reopen: {from: resolved, to: new, allow: anyone, stop: close}\n"
            "  close: {from: resolved, to: closed, allow: [system]}\n",
     ""},
    /* Restarted on the way; ends when the record does; its own action ends it. */
    {TICKET "  new: {category: new}\n"
            "  asked: {category: pending}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  ask: {from: [new, asked], to: asked, allow: anyone, timer: {remind: 1 day}}\n"
            "  remind: {from: asked, allow: system}\n"
            "  end: {from: active, to: done, allow: anyone}\n",
     ""},
    {TICKET "  new: {category: new}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  create: {timer: {end: 1 day}}\n"
            "  end: {from: new, to: done, allow: anyone, ask: comment}\n"
            "  poke: {from: new, allow: anyone, stop: poke}\n"
            "  dream: {from: new, allow: system}\n",
     "8:20 error asks-nobody: the timer runs 'end', which asks for comment, and nobody is there to "
     "answer\n"
     "10:42 warning idle-stop: no action starts the timer 'poke'\n"
     "11:3 warning idle-action: action 'dream' is for the system alone, and no timer or cascade "
     "runs it"},
    /* Fields. */
    {TICKET "  new: {category: new, fields: {secret: hidden, code: hidden}}\n"
            "  done: {category: closed, fields: {secret: hidden, answer: required, kind: hidden}}\n"
            "actions:\n"
            "  end: {from: new, to: done, allow: anyone, ask: [kind, code]}\n"
            "fields:\n"
            "  secret: text\n"
            "  code: text\n"
            "  kind: text\n"
            "  answer: text\n",
     "8:3 error asked-hidden: action 'end' asks for kind, which is hidden in done\n"
     "8:3 warning required-not-asked: action 'end' leads to 'done', which requires answer, and "
     "does not ask for it\n"
     "10:3 warning unused-field: field 'secret' is hidden in every state"},
    /* Cascades. */
    {TICKET "  new: {category: new}\n"
            "  open: {category: open}\n"
            "  held: {category: pending}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  open: {from: [new, held], to: open, allow: anyone}\n"
            "  hold: {from: open, to: held, allow: anyone}\n"
            "  end: {from: [new, open], to: done, allow: anyone, cascade: {action: end}}\n"
            "  cut: {from: active, to: done, allow: anyone,\n"
            "    cascade: {action: end, when: state != held and active = true}}\n",
     "12:71 warning cascade-not-offered: the cascade can reach ticket in held, where 'end' is not "
     "offered"},
    {TICKET "  new: {category: new}\n"
            "  done: {category: closed}\n"
            "actions:\n"
            "  end: {from: new, to: done, allow: caller, ask: [answer, note],\n"
            "    cascade: {action: end, set: {title: title, answer: answer}}}\n"
            "fields: {answer: text}\n",
     "9:23 error not-asked: the cascade gives title, which 'end' of ticket does not ask for\n"
     "9:23 error not-by-system: the cascade runs 'end' as the system, which 'end' does not allow\n"
     "9:23 error asks-nobody: the cascade runs 'end', which asks for note, and nobody is there to "
     "answer"},
};

static void test_graphs(void **state)
{
    (void)state;
    expect_findings(graphs, ARRAY_LEN(graphs));
}

/* The life cycle of a user request as iTop ships it, with the two faults that its users met: what
 * the clocks do is not offered where they run (and a parent's resolution passes a child in
 * escalated_tto over in silence), and a breach that is a state is forgotten on the way through
 * pending. */
static const char itop[] =
    "process: user_request\n"
    "number: R-{n}\n"
    "rights: {view: anyone, create: anyone, edit: anyone}\n"
    "states:\n"
    "  new: {category: new}\n"
    "  escalated_tto: {category: new}\n"
    "  assigned: {category: open}\n"
    "  escalated_ttr: {category: open}\n"
    "  pending: {category: pending}\n"
    "  resolved: {category: resolved}\n"
    "  closed: {category: closed}\n"
    "actions:\n"
    "  create: {timer: {tto_passed: 1 working hour, ttr_passed: 8 working hours}}\n"
    "  tto_passed: {from: new, to: escalated_tto, allow: system}\n"
    "  ttr_passed: {from: assigned, to: escalated_ttr, allow: system}\n"
    "  assign: {from: [new, escalated_tto, pending], to: assigned, allow: anyone, stop: "
    "tto_passed}\n"
    "  reassign: {from: [assigned, escalated_ttr], allow: anyone}\n"
    "  wait: {from: [assigned, escalated_ttr], to: pending, allow: anyone}\n"
    "  resolve: {from: [assigned, escalated_ttr], to: resolved, allow: anyone,\n"
    "    stop: ttr_passed, cascade: {action: autoresolve}}\n"
    "  autoresolve: {from: [new, assigned, escalated_ttr, pending], to: resolved, allow: system,\n"
    "    stop: [tto_passed, ttr_passed]}\n"
    "  reopen: {from: resolved, to: assigned, allow: anyone}\n"
    "  close: {from: resolved, to: closed, allow: anyone}\n";

static void test_the_faults_of_itop_are_found(void **state)
{
    (void)state;
    const char *findings;
    load(itop, &findings);
    assert_string_equal(
        findings,
        "8:3 warning lost-escalation: state 'escalated_ttr' says that the time of 'ttr_passed' has "
        "passed, and wait, assign brings the record back to 'assigned', where nothing says so; "
        "keep it in a field, not in a state\n"
        "13:48 error timer-not-offered: timer 'ttr_passed' can be due in new, escalated_tto (by "
        "tto_passed), pending (by assign, wait), where 'ttr_passed' is not offered; stop it on the "
        "way, or offer it there\n"
        "20:41 warning cascade-not-offered: the cascade can reach user_request in escalated_tto, "
        "where 'autoresolve' is not offered");
}

/* ---- several files -------------------------------------------------------------------------- */

static void test_files_speak_of_each_other(void **state)
{
    (void)state;
    struct list files = {0};
    struct list findings = {0};
    const struct defs *d = NULL;
    add_file(&files, "a.yaml",
             GOOD "fields: {size: {is: choice, of: [s, l]}, next: {is: link, to: order}}\n"
                  "owner: boss\n");
    add_file(&files, "b.yaml",
             "process: order\nnumber: O-{n:5}\nrights: {view: boss, create: boss, edit: boss}\n"
             "states: {open: {category: new}, shut: {category: cancelled}}\n"
             "actions: {shut: {from: open, to: shut, allow: boss, cascade: {process: visit, "
             "action: finish}}}\n");
    add_file(&files, "c.yaml", "roles: {boss: {rights: [process.view]}}\n");
    assert_int_equal(process_load(&cx, files.at, files.count, &d, &findings), OK);
    assert_string_equal(written(&findings), "");
    assert_int_equal(d->process_count, 2);
    const struct process *order = defs_process(d, "order");
    assert_int_equal(order->number_width, 5);
    assert_string_equal(order->file, "b.yaml");
    assert_string_equal(process_field(defs_process(d, "visit"), "next")->to, "order");
    assert_ptr_equal(order->defs, d);

    static const char *const known[] = {"process.view", "people.view", NULL};
    static const char *const others[] = {"process.vieww", NULL};
    struct list rights = {0};
    process_check_rights(&cx, d, known, &rights);
    assert_int_equal(rights.count, 0);
    process_check_rights(&cx, d, others, &rights);
    assert_string_equal(written(&rights), "1:1 error unknown-right: there is no right "
                                          "'process.view'; did you mean 'process.vieww'?");
}

static void test_what_is_defined_twice(void **state)
{
    (void)state;
    struct list files = {0};
    struct list findings = {0};
    const struct defs *d = NULL;
    add_file(&files, "a.yaml", GOOD "roles: {boss: {}}\n");
    add_file(&files, "b.yaml", GOOD "roles: {boss: {}}\n");
    assert_int_equal(process_load(&cx, files.at, files.count, &d, &findings), E_INVALID);
    assert_null(d);
    assert_string_equal(written(&findings),
                        "1:10 error defined-twice: process 'visit' is already defined in a.yaml:1\n"
                        "6:9 error defined-twice: role 'boss' is already defined in a.yaml:6");
    assert_string_equal(cx.err.text, "the process files have 2 errors, the first in b.yaml:1:10: "
                                     "process 'visit' is already defined in a.yaml:1");
}

/* ---- limits --------------------------------------------------------------------------------- */

static const char *many(const char *format, int count)
{
    struct buf b = {.arena = cx.arena};
    for (int i = 0; i < count; i++)
        buf_printf(&b, "%s%s%d%s", i ? ", " : "", "x", i, format);
    return buf_text(&b);
}

static void expect_first(const char *text, const char *wanted)
{
    const char *findings;
    load(text, &findings);
    if (!str_starts(findings, wanted))
        assert_string_equal(findings, wanted);
}

static void test_limits(void **state)
{
    (void)state;
    struct arena *a = cx.arena;
    load_good(arena_printf(a, GOOD "fields: {%s}\n", many(": text", 200)));
    expect_first(arena_printf(a, GOOD "fields: {%s}\n", many(": text", 201)),
                 "6:9 error too-many: a process has at most 200 fields of its own");
    load_good(arena_printf(a,
                           VISIT "states: {%s, done: {category: closed}}\n"
                                 "actions: {end: {from: any, to: done, allow: anyone},\n"
                                 "  go: {from: any, to: x1, allow: anyone}}\n",
                           many(": {category: new}", 2)));
    expect_first(arena_printf(a, VISIT "states: {%s}\n" FINISH, many(": {category: new}", 65)),
                 "4:9 error too-many: a process has at most 64 states");
    expect_first(arena_printf(a, VISIT STATES "actions: {%s}\n",
                              many(": {from: waiting, to: done, allow: anyone}", 101)),
                 "5:10 error too-many: a process has at most 100 actions");
    load_good(arena_printf(a, "trees: {t: {%s}}\n", many(": A", 5000)));
    expect_first(arena_printf(a, "trees: {t: {%s}}\n", many(": A", 5001)),
                 "1:9 error too-many: a tree has at most 5000 nodes");
}

static void test_too_many_processes(void **state)
{
    (void)state;
    struct list files = {0};
    struct list findings = {0};
    const struct defs *d = NULL;
    for (int i = 0; i < 65; i++)
        add_file(&files, arena_printf(cx.arena, "%02d.yaml", i),
                 arena_printf(cx.arena,
                              "process: p%d\nnumber: P%d-{n}\nrights: {view: anyone, create: "
                              "anyone, edit: anyone}\n" STATES FINISH,
                              i, i));
    assert_int_equal(process_load(&cx, files.at, files.count, &d, &findings), E_INVALID);
    assert_string_equal(written(&findings), "1:10 error too-many: there are at most 64 processes");
}

/* ---- words ---------------------------------------------------------------------------------- */

static void test_labels_fall_back(void **state)
{
    (void)state;
    static const struct label both[] = {{"fr", "Oui"}, {"en", "Yes"}, {0}};
    static const struct label french[] = {{"fr", "Oui"}, {0}};
    assert_string_equal(label_for(both, "fr", "x"), "Oui");
    assert_string_equal(label_for(both, "de", "x"), "Yes");
    assert_string_equal(label_for(both, NULL, "x"), "Yes");
    assert_string_equal(label_for(french, "de", "x"), "Oui");
    assert_string_equal(label_for(NULL, "de", "x"), "x");
    assert_true(label_has(both, "fr"));
    assert_false(label_has(both, "de"));
}

static void test_trees_are_flattened(void **state)
{
    (void)state;
    const struct defs *d = load_good("trees:\n"
                                     "  kinds:\n"
                                     "    hard: {label: Hard, sub: {a: A, b: {retired: true, sub: "
                                     "{c: }}}}\n"
                                     "    soft: {en: Soft, fr: Doux}\n");
    static const char *const paths[] = {"hard", "hard/a", "hard/b", "hard/b/c", "soft"};
    const struct tree *t = &d->trees[0];
    assert_int_equal(t->count, ARRAY_LEN(paths));
    for (int i = 0; i < t->count; i++)
        assert_string_equal(t->nodes[i].path, paths[i]);
    assert_true(t->nodes[2].is_retired);
    assert_string_equal(label_for(t->nodes[4].label, "fr", ""), "Doux");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shipped_files_have_no_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_import_files_have_no_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incident_is_what_its_file_says, setup, teardown),
        cmocka_unit_test_setup_teardown(test_priority_is_looked_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_manual_s_first_process_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_graphs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_faults_of_itop_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_speak_of_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_defined_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_processes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_labels_fall_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trees_are_flattened, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
