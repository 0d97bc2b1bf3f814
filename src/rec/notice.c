#include "rec/notice.h"

#include <string.h>

#include "notice_sql.h"

#include "auth/people.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "db/db.h"
#include "lang/zone.h"
#include "rec/row.h"

static const struct col notice_cols[] = {
    INT_COL(struct notice, id),        INT_COL(struct notice, person_id),
    INT_COL(struct notice, record_id), INT_COL(struct notice, event_id),
    TEXT_COL(struct notice, message),  INT_COL(struct notice, created_at),
    INT_COL(struct notice, read_at),   {0},
};

static int64_t reader(const struct ctx *cx)
{
    return cx->user ? cx->user->id : 0;
}

enum rc notice_list(struct ctx *cx, int64_t before, int limit, bool only_unread, struct list *ret)
{
    return db_all(cx, SQL_notice_list,
                  ARGS(INT("person_id", reader(cx)), INT("before", before ? before : INT64_MAX),
                       INT("all", !only_unread), INT("limit", limit)),
                  notice_cols, sizeof(struct notice), ret);
}

enum rc notice_count_unread(struct ctx *cx, int64_t *ret)
{
    static const struct col cols[] = {{.kind = COL_INT, .offset = 0, .name = "n"}, {0}};
    return db_one(cx, SQL_notice_count_unread, ARGS(INT("person_id", reader(cx))), cols, ret);
}

enum rc notice_load(struct ctx *cx, int64_t id, struct notice *ret)
{
    const enum rc rc = db_one(cx, SQL_notice_load,
                              ARGS(INT("id", id), INT("person_id", reader(cx))), notice_cols, ret);
    return rc == E_NOT_FOUND ? fail(cx, E_NOT_FOUND, NULL, "there is no such notice") : rc;
}

struct mark {
    const struct sql *sql;
    int64_t id;
};

static enum rc mark_in_tx(struct ctx *cx, void *arg)
{
    const struct mark *m = arg;
    return db_exec(cx, m->sql,
                   ARGS(INT("id", m->id), INT("person_id", reader(cx)), INT("now", cx->now)), NULL);
}

enum rc notice_read(struct ctx *cx, int64_t id)
{
    struct notice n;
    TRY(notice_load(cx, id, &n));
    return db_tx(cx, mark_in_tx, &(struct mark){SQL_notice_mark_read, id});
}

enum rc notice_read_up_to(struct ctx *cx, int64_t id)
{
    return db_tx(cx, mark_in_tx, &(struct mark){SQL_notice_mark_up_to, id});
}

/* ---- values as words ------------------------------------------------------------------------ */

struct writing {
    struct ctx *cx;
    const struct rec *rec;
    const struct notice_style *style;
    const struct zone *zone; /* NULL: not read yet */
    int64_t actor_id;
    const char *comment;
};

static const char *choice_label(const struct ctx *cx, const struct field *f, const char *name)
{
    for (const struct choice *c = f->choices; c && c->name; c++) {
        if (str_equal(c->name, name))
            return label_for(c->label, cx->language, name);
    }
    return name;
}

static const char *node_label(const struct ctx *cx, const struct field *f, const char *path)
{
    for (int i = 0; f->tree && i < f->tree->count; i++) {
        if (str_equal(f->tree->nodes[i].path, path))
            return label_for(f->tree->nodes[i].label, cx->language, path);
    }
    return path;
}

static const char *state_label(const struct writing *w, const char *name)
{
    const struct state *s = process_state(w->rec->process, name);
    return label_for(s ? s->label : NULL, w->cx->language, name);
}

/* "2026-11-20 19:24", on the reader's wall. */
static const char *instant_text(struct writing *w, int64_t at)
{
    char text[33] = {0};

    if (!w->zone && zone_load(w->cx, w->style->time_zone, &w->zone) != OK)
        fail_clear(w->cx);
    time_write_instant(w->zone ? zone_wall(w->zone, at) : at, text);
    text[10] = ' ';
    return arena_strndup(w->cx->arena, text, 16);
}

static const char *record_text(struct writing *w, int64_t id)
{
    struct rec r;

    if (rec_load_id(w->cx, id, &r) == OK)
        return arena_printf(w->cx->arena, "%s %s", r.number, slot_text(r.slots, FIELD_TITLE));
    fail_clear(w->cx);
    return "";
}

/* What field_write() makes of it, without the quotes of JSON. */
static const char *plain_text(struct writing *w, const struct field *f, struct val v)
{
    struct buf b = {.arena = w->cx->arena};
    struct json j = {.out = &b};

    field_write(&j, f, v);
    if (b.len >= 2 && b.at[0] == '"')
        return arena_strndup(w->cx->arena, b.at + 1, b.len - 2);
    return buf_text(&b);
}

static const char *number_text(struct writing *w, const struct field *f, int64_t n)
{
    switch (f->type) {
    case TYPE_PERSON:
        return person_who(w->cx, n).name;
    case TYPE_GROUP:
        return group_who(w->cx, n).name;
    case TYPE_ORGANISATION:
        return organisation_who(w->cx, n).name;
    case TYPE_LINK:
        return record_text(w, n);
    case TYPE_INSTANT:
        return instant_text(w, n);
    default:
        return plain_text(w, f, val_int(n));
    }
}

static const char *field_text(struct writing *w, const struct field *f)
{
    const struct val v = w->rec->slots[f->slot];

    if (val_is_null(v) || !rec_shows(w->rec, f))
        return "";
    if (v.kind == VAL_INT)
        return number_text(w, f, v.i);
    if (v.kind != VAL_TEXT)
        return plain_text(w, f, v);
    if (f->slot == FIELD_STATE)
        return state_label(w, v.text);
    if (f->type == TYPE_CHOICE)
        return choice_label(w->cx, f, v.text);
    return f->type == TYPE_TREE ? node_label(w->cx, f, v.text) : v.text;
}

/* ---- the words of messages that are no fields ----------------------------------------------- */

static const char *write_url(struct writing *w)
{
    return arena_printf(w->cx->arena, "%s/%s/%s", w->style->base_url, w->rec->process->name,
                        w->rec->number);
}

static const char *write_actor(struct writing *w)
{
    return w->actor_id ? person_who(w->cx, w->actor_id).name : "";
}

static const char *write_comment(struct writing *w)
{
    return w->comment ? w->comment : "";
}

static const char *write_process(struct writing *w)
{
    const struct process *p = w->rec->process;
    return label_for(p->label, w->cx->language, p->name);
}

static const char *write_recipient(struct writing *w)
{
    return w->cx->user && w->cx->user->name ? w->cx->user->name : "";
}

static const struct {
    const char *name;
    const char *(*write)(struct writing *w);
} words[] = {
    {"url", write_url},
    {"actor", write_actor},
    {"comment", write_comment},
    {"process_label", write_process},
    {"recipient", write_recipient},
};

static const char *word_text(struct writing *w, const char *name)
{
    for (int i = 0; i < ARRAY_LEN(words); i++) {
        if (str_equal(words[i].name, name))
            return words[i].write(w);
    }
    const struct field *f = process_field(w->rec->process, name);
    return f ? field_text(w, f) : "";
}

/* ---- messages ------------------------------------------------------------------------------- */

static const char *fill(struct writing *w, const char *text)
{
    struct arena *a = w->cx->arena;
    struct buf b = {.arena = a};
    const char *end;

    for (const char *open = strstr(text, "{{"); open && (end = strstr(open, "}}"));
         open = strstr(text, "{{")) {
        buf_add(&b, text, (size_t)(open - text));
        const char *name = arena_strndup(a, open + 2, (size_t)(end - open) - 2);
        buf_puts(&b, word_text(w, str_trim(a, name)));
        text = end + 2;
    }
    buf_puts(&b, text);
    return buf_text(&b);
}

struct origin {
    int64_t actor_id;
    const char *body;
};

static enum rc read_origin(struct ctx *cx, int64_t event_id, struct writing *w)
{
    static const struct col cols[] = {
        INT_COL(struct origin, actor_id), TEXT_COL(struct origin, body), {0}};
    struct origin o;
    struct val body;

    TRY(db_one(cx, SQL_notice_comment, ARGS(INT("event_id", event_id)), cols, &o));
    TRY(json_parse_stored(cx, o.body, &body));
    w->actor_id = o.actor_id;
    w->comment = val_get_text(&body, "text");
    return OK;
}

/* As the record was then; an event that was internal is told as the record is now. */
static enum rc read_record(struct ctx *cx, const struct notice *n, struct rec *ret)
{
    struct rec now;

    TRY(rec_load_id(cx, n->record_id, &now));
    *ret = now;
    const enum rc rc = rec_as_of(cx, &now, n->event_id, ret);
    if (rc != E_NOT_FOUND)
        return rc;
    fail_clear(cx);
    *ret = now;
    return OK;
}

enum rc notice_render(struct ctx *cx, const struct notice *n, const struct notice_style *style,
                      struct notice_text *ret)
{
    struct writing w = {.cx = cx, .rec = &ret->rec, .style = style};

    TRY(read_record(cx, n, &ret->rec));
    TRY(read_origin(cx, n->event_id, &w));
    const struct message *m = defs_message(ret->rec.process->defs, n->message);
    ret->subject = fill(&w, label_for(m ? m->subject : NULL, cx->language, "{{number}}"));
    ret->body = fill(&w, label_for(m ? m->body : NULL, cx->language, ""));
    return OK;
}
