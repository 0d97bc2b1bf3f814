#include "rec/rec_list.h"

#include <string.h>

#include "list_sql.h"

#include "base/str.h"
#include "lang/expr.h"
#include "rec/cursor.h"
#include "rec/row.h"

/* How many of the newest matches are ranked: bounds what a common word can cost. */
#define RANKED 1000
#define MAX_KEYS 8
#define MAX_PROCESSES 64

/* Of how many of the listed records the user sees internal notes and fields. */
enum internals { SEES_NONE, SEES_SOME, SEES_ALL };

/* A list under way. */
struct listing {
    const struct list_query *query;
    const struct process *processes[MAX_PROCESSES];
    int process_count;
    enum internals internals;
    const struct expr *filter; /* NULL: all */
    const char *words;         /* the statement walks the full text with it; NULL: it does not */
    const char
        *public_words; /* the same without internal notes, when only some internals are seen */
    bool is_ranked;
    struct sort_key keys[MAX_KEYS + 1];
    int key_count;
    struct query q;
    struct expr_sql out; /* the filter's share of the statement */
};

/* ---- what is asked -------------------------------------------------------------------------- */

static enum rc find_processes(struct ctx *cx, struct listing *l)
{
    const char *name = l->query->process;

    for (int i = 0; i < cx->defs->process_count && l->process_count < MAX_PROCESSES; i++) {
        const struct process *p = &cx->defs->processes[i];
        const struct reach reach = auth_reach(cx, p, RIGHT_VIEW);
        if ((!name || str_equal(name, p->name)) && !reach_is_empty(&reach))
            l->processes[l->process_count++] = p;
    }
    if (name && !defs_process(cx->defs, name))
        return fail(cx, E_NOT_FOUND, NULL, "there is no process %s", name);
    return OK;
}

static enum internals find_internals(struct ctx *cx, const struct listing *l)
{
    if (reach_is_whole(cx, l->processes, l->process_count, RIGHT_INTERNAL))
        return SEES_ALL;
    for (int i = 0; i < l->process_count; i++) {
        const struct reach r = auth_reach(cx, l->processes[i], RIGHT_INTERNAL);
        if (!reach_is_empty(&r))
            return SEES_SOME;
    }
    return SEES_NONE;
}

/* The fields a filter may name: internal ones only for who may see them in some record. */
static void filter_scope(struct ctx *cx, struct listing *l, struct expr_scope *ret)
{
    expr_scope_of(cx->arena, l->processes, l->process_count, ret);
    ret->is_query = true;
    if (l->internals != SEES_NONE)
        return;

    const struct field **shown = arena_array(cx->arena, (size_t)ret->count + 1, sizeof(*shown));
    int count = 0;
    for (int i = 0; i < ret->count; i++) {
        if (!ret->fields[i]->is_internal)
            shown[count++] = ret->fields[i];
    }
    ret->fields = shown;
    ret->count = count;
}

static enum rc parse_filter(struct ctx *cx, struct listing *l, const struct expr_scope *scope)
{
    struct expr_fault fault;

    if (str_is_empty(l->query->filter))
        return OK;
    const enum rc rc =
        expr_parse(cx, scope, l->query->filter, WANT_CONDITION, NULL, &l->filter, &fault);
    if (rc != E_INVALID)
        return rc;
    problem(cx, "q", "filter", "at character %d: %s", fault.at + 1, fault.text);
    return problems_rc(cx);
}

/* ---- order ---------------------------------------------------------------------------------- */

static bool is_missing_possible(const struct field *f)
{
    static const bool always[FIELD_BUILTINS] = {
        [FIELD_NUMBER] = true,        [FIELD_TITLE] = true,         [FIELD_ORGANISATION] = true,
        [FIELD_PRIORITY] = true,      [FIELD_STATUS] = true,        [FIELD_ACTIVE] = true,
        [FIELD_OPEN_TASKS] = true,    [FIELD_OPEN_CHILDREN] = true, [FIELD_REOPENS] = true,
        [FIELD_REASSIGNMENTS] = true, [FIELD_CREATED] = true,       [FIELD_UPDATED] = true,
        [FIELD_ENTERED] = true,       [FIELD_PROCESS] = true,
    };
    /* A slot below 0: the field is elsewhere in each process. */
    return f->slot < 0 || f->slot >= FIELD_BUILTINS || !always[f->slot];
}

static bool sorts_as_text(const struct field *f)
{
    static const bool as_text[TYPE_COUNT] = {
        [TYPE_TEXT] = true,   [TYPE_LONG_TEXT] = true, [TYPE_TREE] = true,
        [TYPE_PERSON] = true, [TYPE_GROUP] = true,     [TYPE_ORGANISATION] = true,
    };
    return as_text[f->type] && f->slot != FIELD_NUMBER;
}

static void add_key(struct ctx *cx, struct listing *l, const struct field *f, bool is_descending)
{
    struct buf b = {.arena = cx->arena};
    struct expr_sql out = l->out;

    out.out = &b;
    expr_order_sql(cx, f, &out);
    l->out.params = out.params;
    l->keys[l->key_count++] = (struct sort_key){
        .sql = buf_text(&b),
        .is_descending = is_descending,
        .is_text = sorts_as_text(f),
        .is_nullable = is_missing_possible(f),
    };
}

static const struct field *scope_field(const struct expr_scope *scope, const char *name)
{
    for (int i = 0; i < scope->count; i++) {
        if (str_equal(scope->fields[i]->name, name))
            return scope->fields[i];
    }
    return NULL;
}

/* "priority,-created" */
static enum rc read_sort(struct ctx *cx, struct listing *l, const struct expr_scope *scope)
{
    char *names = arena_strdup(cx->arena, l->query->sort);
    char *rest = NULL;

    for (char *s = strtok_r(names, ",", &rest); s; s = strtok_r(NULL, ",", &rest)) {
        const bool is_descending = *s == '-';
        const struct field *f = scope_field(scope, s + is_descending);
        if (str_equal(s, "relevance") && l->words) {
            l->is_ranked = true;
            return OK;
        }
        if (!f || f->type == TYPE_LINKS || f->type == TYPE_PEOPLE)
            return fail(cx, E_INVALID, "sort", "cannot sort by %s", s + is_descending);
        if (l->key_count >= MAX_KEYS)
            return fail(cx, E_INVALID, "sort", "at most %d fields can be sorted by", MAX_KEYS);
        add_key(cx, l, f, is_descending);
    }
    return OK;
}

static enum rc read_orders(struct ctx *cx, struct listing *l)
{
    int count = 0;
    const struct expr_order *orders = l->filter ? expr_orders(l->filter, &count) : NULL;

    for (int i = 0; i < count; i++) {
        if (!orders[i].field)
            l->is_ranked = l->words != NULL;
        else if (l->key_count < MAX_KEYS)
            add_key(cx, l, orders[i].field, orders[i].is_descending);
    }
    return OK;
}

/* Newest first unless something else is asked; the id always decides last. With words and no order,
 * the newest are walked in the order of ids, which needs no sorting. */
static enum rc find_order(struct ctx *cx, struct listing *l, const struct expr_scope *scope)
{
    if (str_is_empty(l->query->sort))
        TRY(read_orders(cx, l));
    else
        TRY(read_sort(cx, l, scope));
    if (l->key_count && !l->is_ranked)
        l->words = NULL;
    if (!l->key_count && !l->words)
        add_key(cx, l, &l->processes[0]->fields[FIELD_CREATED], true);

    const bool is_descending = !l->key_count || l->keys[l->key_count - 1].is_descending;
    l->keys[l->key_count++] = (struct sort_key){.sql = "r.id", .is_descending = is_descending};
    return OK;
}

/* ---- the statement -------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "r.id, r.process_id, r.version_id, r.number, r.revision, r.title, r.description, r.org_id, "   \
    "r.caller_id, r.opened_by_id, r.assignee_id, r.group_id, r.priority, r.state, r.parent_id, "   \
    "r.open_tasks, r.open_children, r.reassignments, r.reopens, r.created_at, r.updated_at, "      \
    "r.resolved_at, r.closed_at, r.entered_at, r.language, r.fields"

static void add_params(struct ctx *cx, struct listing *l)
{
    const struct sql_param *p = l->out.params.at;

    for (int i = 0; i < l->out.params.count; i++)
        query_arg(cx, &l->q, p[i].is_text ? TEXT(p[i].name, p[i].text) : INT(p[i].name, p[i].i));
}

static void add_condition(struct ctx *cx, struct listing *l, bool sees_internal)
{
    l->out.out = &l->q.sql;
    l->out.words_are_joined = l->words;
    l->out.may_see_internal = sees_internal;
    buf_putc(&l->q.sql, '(');
    expr_to_sql(cx, l->filter, &l->out);
    buf_putc(&l->q.sql, ')');
}

/* The walk found the record by all its texts; here it must also be found by the public ones. */
static void add_public_words(struct ctx *cx, struct listing *l)
{
    const char *name = query_name(cx, &l->q);

    query_arg(cx, &l->q, TEXT(name, l->public_words));
    buf_printf(&l->q.sql,
               " AND EXISTS (SELECT 1 FROM record_text x WHERE "
               "{sqlite: x.rowid = r.id AND x.record_text MATCH :%s}"
               "{postgres: x.record_id = r.id AND x.words @@ CAST(:%s AS tsquery)})",
               name, name);
}

/* Of some records the user sees the internals, of others not: each is asked what may be asked of
 * it, so that no answer depends on what may not be known. */
static void add_split(struct ctx *cx, struct listing *l)
{
    buf_puts(&l->q.sql, " AND ((");
    reach_processes(cx, &l->q, l->processes, l->process_count, RIGHT_INTERNAL);
    buf_puts(&l->q.sql, " AND ");
    add_condition(cx, l, true);
    buf_puts(&l->q.sql, ") OR (");
    reach_processes(cx, &l->q, l->processes, l->process_count, RIGHT_INTERNAL);
    buf_puts(&l->q.sql, " IS NOT TRUE AND ");
    add_condition(cx, l, false);
    if (l->words)
        add_public_words(cx, l);
    buf_puts(&l->q.sql, "))");
}

static void add_where(struct ctx *cx, struct listing *l)
{
    buf_puts(&l->q.sql, " WHERE ");
    reach_processes(cx, &l->q, l->processes, l->process_count, RIGHT_VIEW);
    if (!l->filter)
        return;
    if (l->internals == SEES_SOME) {
        add_split(cx, l);
        return;
    }
    buf_puts(&l->q.sql, " AND ");
    add_condition(cx, l, l->internals == SEES_ALL);
}

static void add_watched(struct ctx *cx, struct query *q)
{
    const char *name = query_name(cx, q);

    buf_printf(&q->sql,
               ", EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = r.id AND w.person_id = :%s)"
               " AS watched",
               name);
    query_arg(cx, q, INT(name, cx->user ? cx->user->id : 0));
}

/* Full text walks from the newest record to the oldest and stops when the page is full. */
static void add_from(struct ctx *cx, struct listing *l)
{
    if (!l->words) {
        buf_puts(&l->q.sql, " FROM record r");
        return;
    }
    const char *name = query_name(cx, &l->q);
    query_arg(cx, &l->q, TEXT(name, l->words));
    buf_printf(&l->q.sql,
               " FROM {sqlite: record_text t CROSS JOIN record r ON r.id = t.rowid"
               " AND record_text MATCH :%s}{postgres: record r JOIN record_text t"
               " ON t.record_id = r.id AND t.words @@ CAST(:%s AS tsquery)}",
               name, name);
}

static void add_keys(struct listing *l)
{
    for (int i = 0; i < l->key_count; i++)
        buf_printf(&l->q.sql, ", CAST(%s AS TEXT) AS k%d", l->keys[i].sql, i);
}

static enum rc make_statement(struct ctx *cx, struct listing *l)
{
    const bool by_rowid = l->words && l->key_count == 1;

    buf_puts(&l->q.sql, "SELECT " COLUMNS);
    add_watched(cx, &l->q);
    add_keys(l);
    add_from(cx, l);
    add_where(cx, l);
    if (by_rowid) /* the walk itself is the order; r.id is the same, but not to the planner */
        l->keys[0].sql = db_engine(cx->db) == DB_SQLITE ? "t.rowid" : "r.id";
    if (l->query->cursor)
        TRY(cursor_after(cx, &l->q, l->keys, l->key_count, l->query->cursor));
    cursor_order(&l->q, l->keys, l->key_count);
    buf_printf(&l->q.sql, " LIMIT %d", l->query->limit + 1);
    add_params(cx, l);
    return OK;
}

/* The newest matches that may be seen, the best of them first. */
static enum rc make_ranked(struct ctx *cx, struct listing *l, int offset)
{
    buf_puts(&l->q.sql, "SELECT " COLUMNS);
    add_watched(cx, &l->q);
    buf_puts(&l->q.sql,
             " FROM (SELECT r.id AS hit, {sqlite: fettle_rank(record_text, 8.0, 3.0, 2.0,"
             " 1.0, 0.0)}{postgres: ts_rank(t.words, CAST(:words AS tsquery))} AS score");
    add_from(cx, l);
    add_where(cx, l);
    buf_printf(&l->q.sql,
               " ORDER BY {sqlite: t.rowid}{postgres: r.id} DESC LIMIT %d) c"
               " JOIN record r ON r.id = c.hit ORDER BY c.score DESC, r.id DESC"
               " LIMIT %d OFFSET %d",
               RANKED, l->query->limit + 1, offset);
    if (db_engine(cx->db) == DB_POSTGRES)
        query_arg(cx, &l->q, TEXT("words", l->words));
    add_params(cx, l);
    return OK;
}

/* ---- running it ----------------------------------------------------------------------------- */

struct list_row {
    struct row row;
    const char *keys[MAX_KEYS + 1];
};

static const struct col *list_cols(struct ctx *cx, int keys)
{
    int count = 0;
    while (row_cols[count].kind != COL_END)
        count++;
    struct col *cols = arena_array(cx->arena, (size_t)(count + keys + 1), sizeof(*cols));
    memcpy(cols, row_cols, (size_t)count * sizeof(*cols));
    for (int i = 0; i < keys; i++)
        cols[count + i] = (struct col){
            .kind = COL_TEXT,
            .offset = offsetof(struct list_row, keys) + (size_t)i * sizeof(char *),
            .name = "k",
        };
    return cols;
}

static enum rc take_rows(struct ctx *cx, struct listing *l, const struct list *rows,
                         struct list_page *ret)
{
    for (int i = 0; i < rows->count && i < l->query->limit; i++) {
        const struct list_row *row = (const struct list_row *)rows->at + i;
        struct rec *r = list_add(cx->arena, &ret->records, sizeof(*r));
        TRY(row_read(cx, &row->row, r));
        row_relate(cx, r);
    }
    return OK;
}

static enum rc run(struct ctx *cx, struct listing *l, int keys, struct list *ret)
{
    const struct sql *sql = db_dynamic(cx, "rec_list", buf_text(&l->q.sql));
    return db_all(cx, sql, query_args(cx, &l->q), list_cols(cx, keys), sizeof(struct list_row),
                  ret);
}

static enum rc list_sorted(struct ctx *cx, struct listing *l, struct list_page *ret)
{
    struct list rows;

    TRY(make_statement(cx, l));
    TRY(run(cx, l, l->key_count, &rows));
    TRY(take_rows(cx, l, &rows, ret));
    if (rows.count > l->query->limit) {
        const struct list_row *last = (const struct list_row *)rows.at + l->query->limit - 1;
        ret->next_cursor = cursor_write(cx, l->keys, l->key_count, last->keys);
    }
    return OK;
}

/* Ranks change with every new record, so its pages are places in the one ranking of now. */
static enum rc list_ranked(struct ctx *cx, struct listing *l, struct list_page *ret)
{
    struct list rows;
    int64_t offset = 0;

    if (l->query->cursor &&
        (!str_to_int(l->query->cursor, &offset) || offset < 0 || offset > RANKED))
        return fail(cx, E_INVALID, "cursor", "the cursor does not belong to this list");
    TRY(make_ranked(cx, l, (int)offset));
    TRY(run(cx, l, 0, &rows));
    TRY(take_rows(cx, l, &rows, ret));
    if (rows.count > l->query->limit)
        ret->next_cursor = arena_printf(cx->arena, "%lld", (long long)offset + l->query->limit);
    return OK;
}

static enum rc count_matches(struct ctx *cx, struct listing *l, int64_t *ret)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "n"}, {0}};

    query_init(cx, &l->q);
    l->out.params = (struct list){0};
    buf_puts(&l->q.sql, "SELECT count(*) AS n FROM (SELECT 1 AS one");
    add_from(cx, l);
    add_where(cx, l);
    buf_printf(&l->q.sql, " LIMIT %d) x", l->query->count_to + 1);
    add_params(cx, l);
    return db_one(cx, db_dynamic(cx, "rec_count", buf_text(&l->q.sql)), query_args(cx, &l->q), cols,
                  ret);
}

static void find_words(struct ctx *cx, struct listing *l)
{
    struct expr_sql public = l->out;

    public.may_see_internal = false;
    l->words = expr_words_query(cx, l->filter, &l->out);
    l->public_words = expr_words_query(cx, l->filter, &public);
}

static void begin(struct ctx *cx, struct listing *l)
{
    query_init(cx, &l->q);
    l->internals = find_internals(cx, l);
    l->out = (struct expr_sql){
        .record = "r",
        .engine = (int)db_engine(cx->db),
        .now = cx->now,
        .me = cx->user ? cx->user->id : 0,
        .my_groups = cx->user ? cx->user->groups : NULL,
        .my_group_count = cx->user ? cx->user->group_count : 0,
        .may_see_internal = l->internals != SEES_NONE,
    };
}

enum rc rec_list(struct ctx *cx, const struct list_query *q, struct list_page *ret)
{
    struct listing l = {.query = q};
    struct expr_scope scope;

    *ret = (struct list_page){.count = q->count_to ? 0 : -1};
    TRY(find_processes(cx, &l));
    if (!l.process_count)
        return OK;
    begin(cx, &l);
    filter_scope(cx, &l, &scope);
    TRY(parse_filter(cx, &l, &scope));
    if (l.filter)
        find_words(cx, &l);
    TRY(find_order(cx, &l, &scope));
    TRY(l.is_ranked ? list_ranked(cx, &l, ret) : list_sorted(cx, &l, ret));
    return q->count_to ? count_matches(cx, &l, &ret->count) : OK;
}

/* ---- counts that are kept ------------------------------------------------------------------- */

struct tally_row {
    int64_t process_id, status, group_id, priority, n;
    const char *state;
};
static const struct col tally_cols[] = {
    INT_COL(struct tally_row, process_id),
    TEXT_COL(struct tally_row, state),
    INT_COL(struct tally_row, status),
    INT_COL(struct tally_row, group_id),
    INT_COL(struct tally_row, priority),
    INT_COL(struct tally_row, n),
    {0},
};

/* Who reaches records by role or organisation reads the counters; who reaches only own records has
 * few, and they are counted. */
static enum rc tally_rows(struct ctx *cx, const struct process *p, struct list *ret)
{
    const struct reach reach = auth_reach(cx, p, RIGHT_VIEW);
    struct query q;

    if (reach.is_all)
        return db_all(cx, SQL_list_tally, ARGS(INT("process_id", p->process_id)), tally_cols,
                      sizeof(struct tally_row), ret);
    query_init(cx, &q);
    buf_puts(&q.sql, "SELECT r.process_id, r.state, r.status, coalesce(r.group_id, 0) AS group_id,"
                     " coalesce(r.priority, 0) AS priority, count(*) AS n FROM record r WHERE ");
    reach_processes(cx, &q, &p, 1, RIGHT_VIEW);
    buf_puts(&q.sql, " GROUP BY r.process_id, r.state, r.status, r.group_id, r.priority"
                     " ORDER BY 2, 4, 5");
    return db_all(cx, db_dynamic(cx, "rec_tally", buf_text(&q.sql)), query_args(cx, &q), tally_cols,
                  sizeof(struct tally_row), ret);
}

static bool is_by_orgs(const struct reach *r)
{
    return r->org_count && !r->as_caller && !r->as_opened_by && !r->as_assignee && !r->as_watcher &&
           !r->as_group;
}

static enum rc tally_process(struct ctx *cx, const struct process *p, struct list *to)
{
    const struct reach reach = auth_reach(cx, p, RIGHT_VIEW);
    struct list rows;

    if (reach_is_empty(&reach))
        return OK;
    if (is_by_orgs(&reach))
        TRY(db_all(cx, SQL_list_tally_orgs,
                   ARGS(INT("process_id", p->process_id), IDS("orgs", reach.orgs, reach.org_count)),
                   tally_cols, sizeof(struct tally_row), &rows));
    else
        TRY(tally_rows(cx, p, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct tally_row *row = (const struct tally_row *)rows.at + i;
        struct tally *t = list_add(cx->arena, to, sizeof(*t));
        *t = (struct tally){
            .process = p->name,
            .state = row->state,
            .status = (enum status)row->status,
            .group_id = row->group_id,
            .priority = row->priority,
            .n = row->n,
        };
    }
    return OK;
}

enum rc rec_tally(struct ctx *cx, const char *process, struct list *ret)
{
    *ret = (struct list){0};
    if (process && !defs_process(cx->defs, process))
        return fail(cx, E_NOT_FOUND, NULL, "there is no process %s", process);
    for (int i = 0; i < cx->defs->process_count; i++) {
        const struct process *p = &cx->defs->processes[i];
        if (!process || str_equal(process, p->name))
            TRY(tally_process(cx, p, ret));
    }
    return OK;
}
