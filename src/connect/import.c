#include "connect/import.h"

#include <stdlib.h>
#include <string.h>

#include "import_sql.h"

#include "auth/people.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/map.h"
#include "base/secret.h"
#include "base/str.h"
#include "connect/import_map.h"
#include "connect/import_seen.h"
#include "db/db.h"
#include "lang/words.h"
#include "rec/rec.h"

/* A row kept until its batch is written; the transaction may run twice, reading may not. */
struct pending {
    struct source_row row;
    const char *key;    /* of the row in its source */
    const char *became; /* what the transaction found */
    const char *number, *text;
    bool is_first;    /* it created the record */
    bool is_known;    /* it was imported before */
    bool is_nameless; /* whom it names could not be made */
};

/* Somebody or a group that a batch names first: known for good only when that is committed. */
struct met {
    struct map *known;
    const char *name;
    int64_t id;
    bool is_made; /* was not there before */
};

/* The record of the row before, as the batch under way left it. */
struct last {
    const char *number, *state; /* NULL: none */
    int64_t id;
};

struct importer {
    struct ctx *cx; /* whose arena lives as long as the import */
    const struct import_options *o;
    const struct mapping *m;
    struct import_report *report;
    struct ctx batch; /* whose arena lives as long as one batch */
    struct list rows; /* of struct pending */
    struct seen *seen;
    struct map people, groups; /* names to ids; in the arena of cx */
    struct list met;           /* of struct met; in the arena of the batch */
    int64_t org_id;
    struct last last;
    bool is_done; /* of a dry run */
    struct source_progress progress;
};

/* ---- people and groups ---------------------------------------------------------------------- */

/* A login for somebody of whom only a name is known: folded, other characters become dashes. */
static const char *make_login(struct ctx *cx, const char *source, const char *name)
{
    char *login = arena_printf(cx->arena, "%s-%s", source, words_fold(cx->arena, name));

    for (char *s = login; *s; s++) {
        const bool is_plain = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-';
        if (!is_plain)
            *s = '-';
    }
    return login;
}

static void remember(struct importer *im, struct map *map, const char *name, int64_t id)
{
    int64_t *kept = arena_alloc(im->cx->arena, sizeof(*kept));
    *kept = id;
    map_put(map, arena_strdup(im->cx->arena, name), kept);
}

/* Different names can make the same login: "J. Doe" and "J-Doe", or any two in letters that logins
 * do not have. The later one then gets a hash of its name behind it. */
static enum rc find_person(struct importer *im, struct ctx *cx, const char *name,
                           const char **ret_login, int64_t *ret)
{
    const char *folded = words_fold(cx->arena, name);
    char hex[SHA256_HEX];

    *ret_login = make_login(cx, im->m->source, name);
    const enum rc rc = person_find(cx, *ret_login, ret);
    if (rc != OK || str_equal(words_fold(cx->arena, person_who(cx, *ret).name), folded))
        return rc;
    sha256_hex(folded, strlen(folded), hex);
    *ret_login = arena_printf(cx->arena, "%s-%.8s", *ret_login, hex);
    return person_find(cx, *ret_login, ret);
}

static enum rc meet_person(struct importer *im, struct ctx *cx, struct met *who)
{
    const char *login;
    const enum rc rc = find_person(im, cx, who->name, &login, &who->id);

    if (rc != E_NOT_FOUND)
        return rc;
    fail_clear(cx);
    const struct person p = {.org_id = im->org_id, .login = login, .name = who->name};
    who->is_made = true;
    TRY(person_create(cx, &p, NULL, &who->id));
    if (im->m->actor_role) {
        const struct role_grant g = {.person_id = who->id, .role = im->m->actor_role};
        TRY(role_give(cx, &g, &(int64_t){0}));
    }
    return OK;
}

static enum rc meet_group(struct importer *im, struct ctx *cx, struct met *which)
{
    const enum rc rc = group_find(cx, which->name, &which->id);

    if (rc != E_NOT_FOUND)
        return rc;
    fail_clear(cx);
    const struct group g = {.org_id = im->org_id, .name = which->name};
    which->is_made = true;
    return group_create(cx, &g, &which->id);
}

static const int64_t *find_met(const struct importer *im, const struct map *known, const char *name)
{
    const struct met *m = im->met.at;

    for (int i = 0; i < im->met.count; i++) {
        if (m[i].known == known && str_equal(m[i].name, name))
            return &m[i].id;
    }
    return map_get(known, name);
}

static enum rc meet(struct importer *im, struct ctx *cx, enum field_type type, const char *name)
{
    const bool is_person = type == TYPE_PERSON;
    struct map *known = is_person ? &im->people : &im->groups;
    struct met who = {.known = known, .name = name};

    if (find_met(im, known, name))
        return OK;
    TRY(is_person ? meet_person(im, cx, &who) : meet_group(im, cx, &who));
    *(struct met *)list_add(im->batch.arena, &im->met, sizeof(who)) = who;
    return OK;
}

/* A name, a title, a short text has no line breaks; what the log has of them becomes spaces. */
static const char *one_line(struct arena *a, const char *text)
{
    char *line = arena_strdup(a, text);

    for (char *s = line; s && *s; s++) {
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            *s = ' ';
    }
    return line;
}

/* Calls fn with everybody whom the row names: its actor, people and groups in its fields. */
typedef enum rc (*name_fn)(struct importer *im, struct ctx *cx, enum field_type type,
                           const char *name);

static enum rc each_name(struct importer *im, struct ctx *cx, const struct source_row *row,
                         name_fn fn)
{
    const struct map_field *f = im->m->fields.at;
    const char *actor = mapping_value(im->m, row, im->m->actor);

    if (actor)
        TRY(fn(im, cx, TYPE_PERSON, one_line(cx->arena, actor)));
    for (int i = 0; i < im->m->fields.count; i++) {
        const enum field_type type = f[i].field->type;
        const char *name = mapping_value(im->m, row, f[i].from);
        if (name && (type == TYPE_PERSON || type == TYPE_GROUP))
            TRY(fn(im, cx, type, one_line(cx->arena, name)));
    }
    return OK;
}

static int64_t known_id(const struct importer *im, enum field_type type, const char *name)
{
    const int64_t *id = map_get(type == TYPE_PERSON ? &im->people : &im->groups, name);
    return id ? *id : 0;
}

/* E_NOT_FOUND, which is no failure, for one who is not known yet. */
static enum rc check_known(struct importer *im, struct ctx *cx, enum field_type type,
                           const char *name)
{
    (void)cx;
    return known_id(im, type, name) ? OK : E_NOT_FOUND;
}

static enum rc find_organisation(struct importer *im)
{
    struct ctx *cx = im->cx;
    const enum rc rc = organisation_find(cx, im->m->organisation, &im->org_id);

    if (rc != E_NOT_FOUND)
        return rc;
    fail_clear(cx);
    const struct organisation o = {.name = im->m->organisation};
    return organisation_create(cx, &o, &im->org_id);
}

/* ---- values --------------------------------------------------------------------------------- */

static enum rc field_value(struct importer *im, struct ctx *cx, const struct map_field *f,
                           const char *text, struct val *ret)
{
    const enum field_type type = f->field->type;

    if (type == TYPE_PERSON || type == TYPE_GROUP) {
        *ret = val_int(known_id(im, type, one_line(cx->arena, text)));
        return OK;
    }
    const char *mapped = f->pairs.count ? pair_to(&f->pairs, text) : text;
    if (!mapped) {
        problem(cx, f->field->name, "unmapped", "the mapping has no value for %s", text);
        return OK;
    }
    if (type == TYPE_TEXT)
        mapped = one_line(cx->arena, mapped);
    const enum rc rc = field_read(cx, f->field, val_text(mapped), ret);
    return rc == E_INVALID ? OK : rc; /* the problem is collected */
}

/* "urgency: the mapping has no value for C", for every field at fault. */
static enum rc values_rc(struct ctx *cx)
{
    const struct problem *p = cx->err.problems.at;
    const char *all = "";

    if (!cx->err.problems.count)
        return OK;
    for (int i = 0; i < cx->err.problems.count; i++)
        all = arena_printf(cx->arena, "%s%s%s: %s", all, i ? "; " : "", p[i].field, p[i].text);
    return fail(cx, E_INVALID, NULL, "%s", all);
}

static enum rc read_values(struct importer *im, struct ctx *cx, const struct source_row *row,
                           struct val_map *input)
{
    const struct map_field *f = im->m->fields.at;

    for (int i = 0; i < im->m->fields.count; i++) {
        const char *text = mapping_value(im->m, row, f[i].from);
        struct val v = val_null();
        if (text)
            TRY(field_value(im, cx, &f[i], text, &v));
        val_map_set(cx->arena, input, f[i].field->name, v);
    }
    return values_rc(cx);
}

/* No longer than a title may be; a character is not cut in two. */
static const char *fit(struct arena *a, const char *text, int64_t most)
{
    size_t len = strlen(text);

    if ((int64_t)len <= most)
        return text;
    len = (size_t)most;
    while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return arena_strndup(a, text, len);
}

/* "{product}: {impact}" with the row's attributes. */
static const char *make_title(struct ctx *cx, const struct mapping *m, const struct source_row *row)
{
    struct buf b = {.arena = cx->arena};

    for (const char *s = m->title; *s;) {
        const char *end = *s == '{' ? strchr(s, '}') : NULL;
        if (!end) {
            buf_putc(&b, *s++);
            continue;
        }
        const char *name = arena_strndup(cx->arena, s + 1, (size_t)(end - s - 1));
        const char *value = mapping_value(m, row, name);
        buf_puts(&b, value ? value : "-");
        s = end + 1;
    }
    return fit(cx->arena, one_line(cx->arena, buf_text(&b)), m->process->fields[FIELD_TITLE].most);
}

/* ---- one row -------------------------------------------------------------------------------- */

struct step {
    const char *number, *state;
    int64_t at, actor_id;
    struct val_map input;
};

static enum rc read_step(struct importer *im, struct ctx *cx, const struct source_row *row,
                         struct step *ret)
{
    const struct mapping *m = im->m;
    const char *key = mapping_state_key(cx->arena, m, row);
    const char *actor = mapping_value(m, row, m->actor);

    *ret = (struct step){.number = mapping_value(m, row, m->number)};
    if (!ret->number)
        return fail(cx, E_INVALID, NULL, "the row has no %s", m->number);
    if (!mapping_at(m, row, &ret->at))
        return fail(cx, E_INVALID, NULL, "%s is no time: %s", m->at,
                    row_get(row, m->at) ? row_get(row, m->at) : "missing");
    ret->state = pair_to(&m->state_pairs, key);
    if (!ret->state)
        return fail(cx, E_INVALID, NULL, "the mapping has no state for %s", key);
    if (actor)
        ret->actor_id = known_id(im, TYPE_PERSON, one_line(cx->arena, actor));
    return read_values(im, cx, row, &ret->input);
}

static struct recorded as_recorded(const struct importer *im, const struct step *s, const char *key)
{
    return (struct recorded){
        .at = s->at,
        .actor_id = s->actor_id,
        .number = s->number,
        .to_state = s->state,
        .source = im->m->source,
        .key = key,
    };
}

static enum rc create(struct importer *im, struct ctx *cx, const struct source_row *row,
                      struct step *s, const struct recorded *r, struct outcome *out)
{
    val_map_set(cx->arena, &s->input, "title", val_text(make_title(cx, im->m, row)));
    val_map_set(cx->arena, &s->input, "organisation", val_int(im->org_id));
    const struct change c = {
        .kind = CHANGE_CREATE,
        .process = im->m->process->name,
        .input = val_from_map(&s->input),
        .recorded = r,
    };
    return rec_do(cx, &c, out);
}

/* A row whose state is the one before says that something of the record changed; any other is the
 * action that leads to its state. */
static enum rc proceed(struct importer *im, struct ctx *cx, const struct step *s,
                       const struct recorded *r, struct outcome *out)
{
    const bool stays = str_equal(im->last.state, s->state);
    const struct change c = {
        .kind = stays ? CHANGE_EDIT : CHANGE_ACTION,
        .id = im->last.id,
        .input = val_from_map(&s->input),
        .recorded = r,
    };
    return rec_do(cx, &c, out);
}

static void add_count(struct ctx *cx, struct list *to, const char *name, int64_t n)
{
    struct import_count *c = to->at;

    for (int i = 0; i < to->count; i++) {
        if (str_equal(c[i].name, name)) {
            c[i].n += n;
            return;
        }
    }
    c = list_add(cx->arena, to, sizeof(*c));
    *c = (struct import_count){arena_strdup(cx->arena, name), n};
}

static void count_deviations(struct importer *im, const char *codes)
{
    char *rest, *all = arena_strdup(im->batch.arena, codes);

    im->report->deviating++;
    for (char *code = strtok_r(all, " ", &rest); code; code = strtok_r(NULL, " ", &rest))
        add_count(im->cx, &im->report->deviations, code, 1);
}

/* Rows of a record mostly stand together, so the record of the row before is kept at hand. */
static enum rc find_record(struct importer *im, struct ctx *cx, const char *number)
{
    struct rec found;

    if (str_equal(im->last.number, number))
        return OK;
    im->last = (struct last){0};
    const enum rc rc = rec_load(cx, number, &found);
    if (rc == E_NOT_FOUND)
        fail_clear(cx);
    if (rc == E_NOT_FOUND)
        return OK;
    TRY(rc);
    if (!str_equal(found.process->name, im->m->process->name))
        return fail(cx, E_INVALID, NULL, "%s is a record of process %s already", number,
                    found.process->name);
    im->last = (struct last){number, found.slots[FIELD_STATE].text, found.id};
    return OK;
}

static enum rc take_row(struct importer *im, struct ctx *cx, struct pending *p)
{
    struct step s;
    struct outcome out;

    TRY(read_step(im, cx, &p->row, &s));
    p->number = s.number;
    const struct recorded r = as_recorded(im, &s, p->key);
    TRY(find_record(im, cx, s.number));
    const bool is_first = !im->last.id;
    TRY(is_first ? create(im, cx, &p->row, &s, &r, &out) : proceed(im, cx, &s, &r, &out));
    if (out.event_id)
        im->last = (struct last){s.number, s.state, out.rec.id};
    p->is_first = is_first && out.event_id;
    p->became = out.event_id ? "event" : "known";
    p->text = out.deviation;
    return OK;
}

/* ---- batches -------------------------------------------------------------------------------- */

/* SQLite is ours alone meanwhile; PostgreSQL has others who want to write between two batches. */
static int batch_size(const struct ctx *cx)
{
    return db_engine(cx->db) == DB_SQLITE ? 500 : 50;
}

struct row_key {
    const char *key;
};

/* Which rows of the batch were imported before, in one question. */
static enum rc mark_known(struct importer *im, struct ctx *cx)
{
    static const struct col cols[] = {TEXT_COL(struct row_key, key), {0}};
    struct pending *p = im->rows.at;
    const char **keys = arena_array(cx->arena, (size_t)im->rows.count, sizeof(*keys));
    struct map known = {.arena = cx->arena};
    struct list found;

    for (int i = 0; i < im->rows.count; i++)
        keys[i] = p[i].key;
    TRY(db_all(cx, SQL_import_known,
               ARGS(TEXT("source", im->m->source), TEXTS("keys", keys, im->rows.count)), cols,
               sizeof(struct row_key), &found));
    const struct row_key *k = found.at;
    for (int i = 0; i < found.count; i++)
        map_put(&known, k[i].key, &im->rows);
    for (int i = 0; i < im->rows.count; i++) {
        p[i].is_known = map_get(&known, p[i].key);
        p[i].became = p[i].is_known ? "known" : NULL;
        p[i].number = mapping_value(im->m, &p[i].row, im->m->number);
    }
    return OK;
}

/* What is the database's fault ends the import; what is the row's is told, and the others go on. */
static enum rc blame_row(struct ctx *cx, struct pending *p, enum rc rc)
{
    if (rc == OK || rc == E_BUSY || rc == E_FAIL)
        return rc;
    p->became = "failed";
    p->text = cx->err.text;
    return OK;
}

static enum rc meet_in_tx(struct ctx *cx, void *arg)
{
    struct importer *im = arg;
    struct pending *p = im->rows.at;

    im->met = (struct list){0};
    for (int i = 0; i < im->rows.count; i++) {
        if (p[i].is_known)
            continue;
        fail_clear(cx);
        p[i].became = NULL;
        TRY(blame_row(cx, &p[i], each_name(im, cx, &p[i].row, meet)));
    }
    fail_clear(cx);
    return OK;
}

/* People are made in a transaction before that of the rows: one that changes people can trust
 * nothing that was read of them, and would read each actor anew for each row. What is kept of them
 * begins anew only outside of transactions, so somebody is looked up there. */
static enum rc meet_all(struct importer *im, struct ctx *cx)
{
    const struct pending *p = im->rows.at;
    bool is_needed = false;

    for (int i = 0; i < im->rows.count && !is_needed; i++)
        is_needed = !p[i].is_known && each_name(im, cx, &p[i].row, check_known) != OK;
    TRY(is_needed ? db_tx(cx, meet_in_tx, im) : OK);
    const struct met *m = im->met.at;
    for (int i = 0; i < im->met.count; i++) {
        remember(im, m[i].known, m[i].name, m[i].id);
        im->report->people += m[i].is_made && m[i].known == &im->people;
        im->report->groups += m[i].is_made && m[i].known == &im->groups;
    }
    if (im->met.count)
        person_who(cx, m->id);
    im->met = (struct list){0};
    return OK;
}

/* What a row at fault changed of its record is undone by the gate. */
static enum rc rows_in_tx(struct ctx *cx, void *arg)
{
    struct importer *im = arg;
    struct pending *p = im->rows.at;

    im->last = (struct last){0};
    for (int i = 0; i < im->rows.count; i++) {
        if (p[i].is_known || p[i].is_nameless)
            continue;
        fail_clear(cx);
        const enum rc rc = take_row(im, cx, &p[i]);
        if (rc != OK)
            im->last = (struct last){0};
        TRY(blame_row(cx, &p[i], rc));
    }
    fail_clear(cx);
    return OK;
}

static void report_rows(struct importer *im)
{
    struct import_report *report = im->report;
    const struct pending *p = im->rows.at;

    for (int i = 0; i < im->rows.count; i++) {
        report->rows++;
        report->events += str_equal(p[i].became, "event");
        report->records += p[i].is_first;
        report->known += str_equal(p[i].became, "known");
        report->failed += str_equal(p[i].became, "failed");
        if (str_equal(p[i].became, "event") && p[i].text)
            count_deviations(im, p[i].text);
        if (im->o->row)
            im->o->row(p[i].row.line, p[i].number, p[i].became, p[i].text, im->o->arg);
    }
    if (im->o->progress)
        im->o->progress(im->progress.read, im->progress.size, report->rows, im->o->arg);
}

static enum rc pass_batch(struct importer *im, struct ctx *cx)
{
    struct pending *p = im->rows.at;

    TRY(mark_known(im, cx));
    TRY(meet_all(im, cx));
    for (int i = 0; i < im->rows.count; i++)
        p[i].is_nameless = str_equal(p[i].became, "failed");
    return db_tx(cx, rows_in_tx, im);
}

static enum rc write_batch(struct importer *im)
{
    const enum rc rc = pass_batch(im, &im->batch);

    if (rc != OK) {
        im->cx->err = im->batch.err;
        im->cx->err.text = arena_strdup(im->cx->arena, im->batch.err.text);
        im->cx->err.detail = arena_strdup(im->cx->arena, im->batch.err.detail);
        im->cx->err.field = NULL;
        im->cx->err.problems = (struct list){0};
        return rc;
    }
    report_rows(im);
    arena_reset(im->batch.arena);
    im->rows = (struct list){0};
    return OK;
}

/* A row is known again by its content and, where the log has the same row several times, by which
 * of them it is. */
static const char *row_key(struct importer *im, const struct source_row *row)
{
    const struct attribute *a = row->attributes.at;
    struct sha256 *h = sha256_create(im->batch.arena);
    char hex[SHA256_HEX];
    uint64_t hash = 0;

    for (int i = 0; i < row->attributes.count; i++) {
        sha256_add(h, a[i].name, strlen(a[i].name) + 1);
        sha256_add(h, a[i].value, strlen(a[i].value) + 1);
    }
    sha256_finish(h, hex);
    hex[40] = '\0';
    str_unhex(arena_strndup(im->batch.arena, hex, 16), &hash, sizeof(hash));
    return arena_printf(im->batch.arena, "%s-%lld", hex, (long long)seen_count(im->seen, hash));
}

static enum rc take(struct ctx *cx, const struct source_row *row, void *arg)
{
    struct importer *im = arg;
    struct arena *arena = im->batch.arena;
    const struct attribute *from = row->attributes.at;
    struct pending *p = list_add(arena, &im->rows, sizeof(*p));

    (void)cx;
    p->row.line = row->line;
    p->key = row_key(im, row);
    for (int i = 0; i < row->attributes.count; i++) {
        struct attribute *a = list_add(arena, &p->row.attributes, sizeof(*a));
        *a = (struct attribute){arena_strdup(arena, from[i].name),
                                arena_strdup(arena, from[i].value)};
    }
    return im->rows.count < batch_size(im->cx) ? OK : write_batch(im);
}

/* ---- the whole file ------------------------------------------------------------------------- */

static enum rc read_file(struct importer *im)
{
    const struct mapping *m = im->m;

    if (m->is_csv)
        TRY(csv_read(im->cx, im->o->path, m->delimiter, take, im, &im->progress));
    else
        TRY(xes_read(im->cx, im->o->path, take, im, &im->progress));
    return OK;
}

static int by_count(const void *a, const void *b)
{
    const struct import_count *ca = a, *cb = b;
    return cb->n != ca->n ? (cb->n > ca->n ? 1 : -1) : strcmp(ca->name, cb->name);
}

/* From nothing, for a dry run may run twice. */
static enum rc import_all(struct importer *im)
{
    struct arena *a = im->cx->arena;

    *im->report = (struct import_report){0};
    im->rows = (struct list){0};
    im->seen = seen_create(a);
    im->people = im->groups = (struct map){.arena = a};
    TRY(find_organisation(im));
    TRY(read_file(im));
    TRY(im->rows.count ? write_batch(im) : OK);
    struct list *found = &im->report->deviations;
    if (found->count)
        qsort(found->at, (size_t)found->count, sizeof(struct import_count), by_count);
    return OK;
}

/* A dry run is the whole import in one transaction that fails at its end: what it would have done
 * is known, and nothing of it is kept. Others who write wait for it. */
static enum rc dry_in_tx(struct ctx *cx, void *arg)
{
    struct importer *im = arg;

    TRY(import_all(im));
    im->is_done = true;
    return fail(cx, E_CONFLICT, NULL, "a dry run is never kept");
}

static void destroy_arena(void *arg)
{
    arena_destroy(arg);
}

enum rc import_run(struct ctx *cx, const struct import_options *o, struct import_report *ret)
{
    struct importer im = {.cx = cx, .o = o, .m = o->mapping, .report = ret, .batch = *cx};

    cx->via = im.batch.via = VIA_IMPORT;
    im.batch.arena = arena_create();
    arena_defer(cx->arena, destroy_arena, im.batch.arena);
    if (!o->is_dry)
        return import_all(&im);
    const enum rc rc = db_tx(cx, dry_in_tx, &im);
    if (!im.is_done)
        return rc;
    fail_clear(cx);
    return OK;
}

/* ---- what is there -------------------------------------------------------------------------- */

static const struct col count_cols[] = {
    TEXT_COL(struct import_count, name),
    INT_COL(struct import_count, n),
    {0},
};

static const char *key_of_state(const struct mapping *m, const char *state)
{
    const struct map_pair *p = m->state_pairs.at;

    for (int i = 0; i < m->state_pairs.count; i++) {
        if (str_equal(p[i].to, state))
            return p[i].from;
    }
    return "?";
}

/* The part of "Accepted/In Progress" that attribute i stands for; the last takes the rest. */
static const char *part_of(struct ctx *cx, const struct mapping *m, const char *key, int i)
{
    for (int k = 0; k < i && strchr(key, '/'); k++)
        key = strchr(key, '/') + 1;
    const bool is_last = i + 1 == m->state_from.count;
    return is_last ? key : arena_strndup(cx->arena, key, strcspn(key, "/"));
}

enum rc import_verify(struct ctx *cx, const struct mapping *m, struct import_totals *ret)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "n"}, {0}};
    struct list states;

    *ret = (struct import_totals){0};
    TRY(db_one(cx, SQL_import_records, ARGS(TEXT("source", m->source)), cols, &ret->records));
    TRY(db_all(cx, SQL_import_states, ARGS(TEXT("source", m->source)), count_cols,
               sizeof(struct import_count), &states));
    const struct import_count *s = states.at;
    for (int i = 0; i < states.count; i++)
        ret->events += s[i].n;
    for (int a = 0; a < m->state_from.count; a++) {
        struct import_state_count *sc = list_add(cx->arena, &ret->states, sizeof(*sc));
        sc->attribute = ((const char **)m->state_from.at)[a];
        for (int i = 0; i < states.count; i++)
            add_count(cx, &sc->counts, part_of(cx, m, key_of_state(m, s[i].name), a), s[i].n);
        if (sc->counts.count)
            qsort(sc->counts.at, (size_t)sc->counts.count, sizeof(struct import_count), by_count);
    }
    return OK;
}
