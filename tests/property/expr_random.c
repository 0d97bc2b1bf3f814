#include "expr_random.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

const char *const person_names[] = {"anna", "bob", "claire.d", "ümit", "o'neil", NULL};
const char *const group_names[] = {"Network", "Service Desk", "Équipe réseau", "x\"y", NULL};
const char *const organisation_names[] = {"Ours", "Printers Ltd", NULL};
const char *const process_names[] = {"incident", "problem", "request", NULL};

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t next(struct rng *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int rng_below(struct rng *r, int n)
{
    return (int)(next(r) % (uint64_t)n);
}

bool rng_one_in(struct rng *r, int n)
{
    return rng_below(r, n) == 0;
}

static int count_of(const char *const *names)
{
    int n = 0;
    while (names[n])
        n++;
    return n;
}

static const char *pick(struct rng *r, const char *const *names)
{
    return names[rng_below(r, count_of(names))];
}

/* ---- texts ---------------------------------------------------------------------------------- */

static const char *const vocabulary[] = {"printer",
                                         "printers",
                                         "Printing",
                                         "jam",
                                         "jams",
                                         "jammed",
                                         "paper",
                                         "Paper,",
                                         "running",
                                         "runs",
                                         "run",
                                         "floor",
                                         "2nd",
                                         "not",
                                         "and",
                                         "or",
                                         "imprimante",
                                         "imprimantes",
                                         "réseau",
                                         "RESEAU",
                                         "Zürich",
                                         "zurich",
                                         "naïve",
                                         "Straße",
                                         "STRASSE",
                                         "日本語",
                                         "本",
                                         "o'neil",
                                         "don't",
                                         "x-ray",
                                         "follow-up",
                                         "\"quoted\"",
                                         "back\\slash",
                                         "100%",
                                         "a_b",
                                         "srv-01.example.org",
                                         "anna@example.org",
                                         "10.0.0.1",
                                         "INC-000003",
                                         "KB5031356",
                                         "ﬁle",
                                         "É",
                                         "e\xcc\x81t\xc3\xa9",
                                         "😀",
                                         "{curly}",
                                         ":p1",
                                         "?1",
                                         "$1",
                                         NULL};

static const char *random_text(struct rng *r, struct arena *a, int most)
{
    struct buf b = {.arena = a};
    const int count = rng_below(r, most + 1);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            buf_putc(&b, ' ');
        buf_puts(&b, pick(r, vocabulary));
    }
    return buf_text(&b);
}

/* ---- records -------------------------------------------------------------------------------- */

static int choice_count(const struct field *f)
{
    int n = 0;
    while (f->choices[n].name)
        n++;
    return n;
}

static struct val random_ids(struct rng *r, struct arena *a, int most_id)
{
    struct val *items = arena_array(a, 3, sizeof(*items));
    const int count = rng_below(r, 4);
    int n = 0;
    for (int i = 0; i < count; i++) {
        const int64_t id = 1 + rng_below(r, most_id);
        bool is_new = true;
        for (int k = 0; k < n; k++)
            is_new &= items[k].i != id;
        if (is_new)
            items[n++] = val_int(id);
    }
    if (n == 0)
        return val_null();
    return (struct val){.kind = VAL_LIST, .count = n, .items = items};
}

static int64_t random_number(struct rng *r)
{
    static const int64_t odd[] = {0, -1, 999999999999, -999999999999, 9007199254740991};
    if (rng_one_in(r, 12))
        return odd[rng_below(r, ARRAY_LEN(odd))];
    return rng_below(r, 400) - 100;
}

/* Whole hours around now, now and then at the very edge of a day, before 1970, or far away. */
static int64_t random_instant(struct rng *r)
{
    const int64_t today = RANDOM_NOW / US_PER_DAY * US_PER_DAY;
    if (rng_one_in(r, 10))
        return today + (rng_below(r, 5) - 2) * US_PER_DAY - rng_below(r, 2);
    if (rng_one_in(r, 30))
        return -US_PER_DAY * rng_below(r, 700000) - rng_below(r, 2);
    return today + (rng_below(r, 240) - 120) * US_PER_HOUR;
}

static struct val random_choice(struct rng *r, const struct field *f)
{
    /* A choice that has left the list since; the built-in ones are numbers and cannot be so. */
    if (f->slot >= FIELD_BUILTINS && rng_one_in(r, 15))
        return val_text("abandoned");
    return val_text(f->choices[rng_below(r, choice_count(f))].name);
}

static struct val random_value(struct rng *r, struct arena *a, const struct field *f,
                               int record_count)
{
    switch (f->type) {
    case TYPE_TEXT:
        return val_text(random_text(r, a, 5));
    case TYPE_LONG_TEXT:
        return val_text(random_text(r, a, 12));
    case TYPE_NUMBER:
    case TYPE_MONEY:
        return val_int(f->slot < FIELD_BUILTINS ? rng_below(r, 4) : random_number(r));
    case TYPE_FLAG:
        return val_flag(rng_one_in(r, 2));
    case TYPE_CHOICE:
        return random_choice(r, f);
    case TYPE_TREE:
        return val_text(rng_one_in(r, 15) ? "hardware/gone"
                                          : f->tree->nodes[rng_below(r, f->tree->count)].path);
    case TYPE_DATE:
        return val_int(RANDOM_NOW / US_PER_DAY + rng_below(r, 12) - 6);
    case TYPE_INSTANT:
        return val_int(random_instant(r));
    case TYPE_DURATION:
        return val_int((rng_below(r, 300) - 20) * (30 * US_PER_MIN) / 2);
    case TYPE_PERSON:
        return val_int(1 + rng_below(r, count_of(person_names)));
    case TYPE_GROUP:
        return val_int(1 + rng_below(r, count_of(group_names)));
    case TYPE_ORGANISATION:
        return val_int(1 + rng_below(r, count_of(organisation_names)));
    case TYPE_LINK:
        return val_int(1 + rng_below(r, record_count));
    case TYPE_LINKS:
        return random_ids(r, a, record_count);
    case TYPE_PEOPLE:
        return random_ids(r, a, count_of(person_names));
    default:
        return val_null();
    }
}

static bool is_always_there(int slot)
{
    return slot == FIELD_NUMBER || slot == FIELD_TITLE || slot == FIELD_ORGANISATION ||
           slot == FIELD_STATE || slot == FIELD_STATUS || slot == FIELD_ACTIVE ||
           (slot >= FIELD_OPEN_TASKS && slot <= FIELD_UPDATED) || slot == FIELD_ENTERED ||
           slot == FIELD_PROCESS;
}

void random_record(struct rng *r, struct arena *a, const struct field *fields, int field_count,
                   int record_count, struct val *slots)
{
    for (int i = 0; i < field_count; i++) {
        const bool is_missing = !is_always_there(i) && rng_one_in(r, 3);
        slots[i] = is_missing ? val_null() : random_value(r, a, &fields[i], record_count);
    }
    slots[FIELD_PROCESS] = val_text(pick(r, process_names));
}

/* ---- expressions ---------------------------------------------------------------------------- */

struct gen {
    struct rng *r;
    struct arena *a;
    const struct expr_scope *scope;
    int record_count;
    int depth;
    int branches; /* of if() and coalesce() around, which do not mix dates and instants */
    struct buf b;
};

static void value(struct gen *g, const struct field *like);
static void condition(struct gen *g);

static void put(struct gen *g, const char *s)
{
    buf_puts(&g->b, s);
}

static void quoted(struct gen *g, const char *s)
{
    put(g, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            put(g, "\\");
        buf_putc(&g->b, *s);
    }
    put(g, "\"");
}

static const struct field *any_field(struct gen *g)
{
    return g->scope->fields[rng_below(g->r, g->scope->count)];
}

/* A field of that type, or NULL when a few tries did not find one. */
static const struct field *field_of(struct gen *g, enum field_type type)
{
    for (int i = 0; i < 30; i++) {
        const struct field *f = any_field(g);
        if (f->type == type)
            return f;
    }
    return NULL;
}

static void name_of(struct gen *g, const char *const *names)
{
    if (rng_one_in(g->r, 8))
        quoted(g, "nobody");
    else
        quoted(g, pick(g->r, names));
}

static void number(struct gen *g)
{
    buf_printf(&g->b, "%d", rng_below(g->r, 60));
    if (rng_one_in(g->r, 4))
        buf_printf(&g->b, ".%d", rng_below(g->r, 100));
}

static void duration(struct gen *g)
{
    static const char *const units[] = {"h", "min", "days", "s", "hours", "d", NULL};
    buf_printf(&g->b, "%d %s", rng_below(g->r, 90), pick(g->r, units));
}

static void instant(struct gen *g)
{
    switch (g->branches > 0 ? 3 : rng_below(g->r, 6)) {
    case 0:
        put(g, "now");
        break;
    case 1:
        put(g, "today");
        break;
    case 2:
        buf_printf(&g->b, "2026-03-%02d", 5 + rng_below(g->r, 10));
        break;
    case 3:
        buf_printf(&g->b, "2026-03-%02dT%02d:00Z", 5 + rng_below(g->r, 10), rng_below(g->r, 24));
        break;
    default:
        put(g, "now - ");
        duration(g);
    }
}

static void date(struct gen *g)
{
    if (rng_one_in(g->r, 2))
        buf_printf(&g->b, "2026-03-%02d", 5 + rng_below(g->r, 10));
    else
        buf_printf(&g->b, "today %c %d days", "+-"[rng_below(g->r, 2)], rng_below(g->r, 6));
}

static void literal(struct gen *g, const struct field *like)
{
    switch (like->type) {
    case TYPE_TEXT:
    case TYPE_LONG_TEXT:
        quoted(g, random_text(g->r, g->a, 1));
        break;
    case TYPE_NUMBER:
    case TYPE_MONEY:
        number(g);
        break;
    case TYPE_FLAG:
        put(g, rng_one_in(g->r, 2) ? "true" : "false");
        break;
    case TYPE_CHOICE:
        put(g, like->choices[rng_below(g->r, choice_count(like))].name);
        break;
    case TYPE_TREE:
        put(g, like->tree->nodes[rng_below(g->r, like->tree->count)].path);
        break;
    case TYPE_DATE:
        date(g);
        break;
    case TYPE_INSTANT:
        instant(g);
        break;
    case TYPE_DURATION:
        duration(g);
        break;
    case TYPE_PERSON:
    case TYPE_PEOPLE:
        if (rng_one_in(g->r, 3))
            put(g, "me");
        else
            name_of(g, person_names);
        break;
    case TYPE_GROUP:
        name_of(g, group_names);
        break;
    case TYPE_ORGANISATION:
        name_of(g, organisation_names);
        break;
    default:
        buf_printf(&g->b, "%s-%d", rng_one_in(g->r, 5) ? "OLD" : "INC",
                   1 + rng_below(g->r, g->record_count + 2));
    }
}

/* Sums and products that have a meaning. */
static void calculation(struct gen *g, const struct field *like)
{
    static const struct field a_number = {.type = TYPE_NUMBER}, an_instant = {.type = TYPE_INSTANT},
                              a_duration = {.type = TYPE_DURATION};
    const int how = rng_below(g->r, 4);
    put(g, "(");
    switch (like->type) {
    case TYPE_NUMBER:
        if (how == 0) {
            value(g, &a_duration);
            put(g, " / ");
            duration(g);
            break;
        }
        value(g, &a_number);
        put(g, (const char *[]){" + ", " - ", " * ", " / "}[how]);
        if (how < 2)
            value(g, &a_number);
        else
            number(g);
        break;
    case TYPE_MONEY:
        value(g, like);
        put(g, how < 2 ? " * " : " / ");
        number(g);
        break;
    case TYPE_DURATION:
        value(g, how < 2 ? &an_instant : &a_duration);
        put(g, how == 3 ? " * " : " - ");
        if (how == 3)
            number(g);
        else
            value(g, how < 2 ? &an_instant : &a_duration);
        break;
    case TYPE_INSTANT:
        value(g, &an_instant);
        put(g, how < 2 ? " + " : " - ");
        value(g, &a_duration);
        break;
    default:
        value(g, like);
        put(g, " - 1 day");
    }
    put(g, ")");
}

static bool calculates(enum field_type type)
{
    return type == TYPE_NUMBER || type == TYPE_MONEY || type == TYPE_DURATION ||
           type == TYPE_INSTANT || type == TYPE_DATE;
}

static void branches(struct gen *g, const struct field *like)
{
    g->branches++;
    if (rng_one_in(g->r, 2)) {
        struct expr_scope scope = *g->scope;
        const struct expr_scope *outer = g->scope;
        scope.is_query = false; /* no free words in there */
        put(g, "if(");
        g->scope = &scope;
        condition(g);
        g->scope = outer;
        put(g, ", ");
    } else {
        put(g, "coalesce(");
    }
    value(g, like);
    put(g, ", ");
    value(g, like);
    put(g, ")");
    g->branches--;
}

static void value(struct gen *g, const struct field *like)
{
    const struct field *f = field_of(g, like->type);
    const int how = rng_below(g->r, 10);
    if (++g->depth < 6 && how == 0 && calculates(like->type))
        calculation(g, like);
    else if (g->depth < 6 && how == 1 && like->type != TYPE_PEOPLE && like->type != TYPE_LINKS)
        branches(g, like);
    else if (f && how < 6 && like->type != TYPE_PEOPLE && like->type != TYPE_LINKS &&
             (like->type != TYPE_CHOICE || f->choices == like->choices))
        put(g, f->name);
    else
        literal(g, like);
    g->depth--;
}

static void list(struct gen *g, const struct field *f)
{
    const int count = 1 + rng_below(g->r, 4);
    if (f->type == TYPE_GROUP && rng_one_in(g->r, 3)) {
        put(g, "my groups");
        return;
    }
    put(g, "(");
    for (int i = 0; i < count; i++) {
        if (i > 0)
            put(g, ", ");
        value(g, f);
    }
    put(g, ")");
}

/* What the field is compared by, mostly the field itself. */
static void left(struct gen *g, const struct field *f)
{
    const bool is_several = f->type == TYPE_LINKS || f->type == TYPE_PEOPLE;
    if (!is_several && rng_one_in(g->r, 6) && (calculates(f->type) || f->type == TYPE_PERSON)) {
        if (calculates(f->type))
            calculation(g, f);
        else
            branches(g, f);
    } else
        put(g, f->name);
}

static void comparison(struct gen *g)
{
    static const char *const equals[] = {" = ", " != ", NULL};
    static const char *const orders[] = {" < ", " <= ", " > ", " >= ", " = ", " != ", NULL};
    const struct field *f = any_field(g);
    const bool has_order = calculates(f->type) || f->type == TYPE_CHOICE;
    const int how = rng_below(g->r, 12);

    if (how == 0) {
        put(g, f->name);
        put(g, rng_one_in(g->r, 2) ? " is empty" : " is not empty");
    } else if (how == 1 && f->type == TYPE_TREE) {
        put(g, f->name);
        put(g, rng_one_in(g->r, 3) ? " not under " : " under ");
        literal(g, f);
    } else if (how <= 6 && f->type == TYPE_TEXT && f->slot != FIELD_PROCESS) {
        static const char *const verbs[] = {" contains ", " starts with ", " not contains ", NULL};
        put(g, f->name);
        put(g, pick(g->r, verbs));
        quoted(g, rng_one_in(g->r, 5) ? "INC-1" : pick(g->r, vocabulary));
    } else if (how <= 3) {
        left(g, f);
        put(g, rng_one_in(g->r, 3) ? " not in " : " in ");
        list(g, f);
    } else if (how == 4 && has_order) {
        left(g, f);
        put(g, rng_one_in(g->r, 3) ? " not between " : " between ");
        value(g, f);
        put(g, " and ");
        value(g, f);
    } else if (f->type == TYPE_FLAG && how < 8) {
        put(g, g->scope->is_query ? arena_printf(g->a, "(%s)", f->name) : f->name);
    } else {
        left(g, f);
        put(g, pick(g->r, has_order ? orders : equals));
        value(g, f);
    }
}

static void words(struct gen *g)
{
    const char *word = pick(g->r, vocabulary);
    const int how = rng_below(g->r, 8);
    if (how == 0)
        put(g, rng_one_in(g->r, 2) ? "-" : "NOT ");
    if (how < 5) {
        put(g, strchr(word, '"') ? "plain" : word);
        return;
    }
    if (how == 5) {
        static const char *const beginnings[] = {"pri", "j",        "imprim", "r",
                                                 "zur", "inc-0000", NULL};
        put(g, pick(g->r, beginnings));
        put(g, "*");
        return;
    }
    quoted(g, random_text(g->r, g->a, 2));
}

static void joined(struct gen *g)
{
    const int count = 2 + rng_below(g->r, rng_one_in(g->r, 10) ? 14 : 2);
    const bool is_and = rng_one_in(g->r, 2);
    put(g, "(");
    for (int i = 0; i < count; i++) {
        if (i > 0)
            put(g, !is_and ? " or " : g->scope->is_query && rng_one_in(g->r, 2) ? " " : " and ");
        condition(g);
    }
    put(g, ")");
}

static void condition(struct gen *g)
{
    const int how = rng_below(g->r, 10);
    if (++g->depth < 5 && how < 4)
        joined(g);
    else if (g->depth < 5 && how == 4) {
        put(g, "not (");
        condition(g);
        put(g, ")");
    } else if (g->scope->is_query && how < 7)
        words(g);
    else
        comparison(g);
    g->depth--;
}

const char *random_condition(struct rng *r, struct arena *a, const struct expr_scope *scope,
                             int record_count)
{
    struct gen g = {
        .r = r, .a = a, .scope = scope, .record_count = record_count, .b = {.arena = a}};
    condition(&g);
    return buf_text(&g.b);
}
