#include "rec/around.h"

#include "around_sql.h"
#include "rec_sql.h"

#include "base/str.h"
#include "db/db.h"
#include "rec/row.h"

static const struct col id_cols[] = {{.kind = COL_INT, .offset = 0, .name = "id"}, {0}};

/* ---- watchers ------------------------------------------------------------------------------- */

enum rc rec_watchers(struct ctx *cx, const struct rec *r, struct list *ret)
{
    return db_all(cx, SQL_rec_watchers, ARGS(INT("id", r->id)), id_cols, sizeof(int64_t), ret);
}

enum rc around_load_watchers(struct ctx *cx, struct rec *r)
{
    struct list ids;
    TRY(rec_watchers(cx, r, &ids));
    if (!ids.count)
        return OK;

    struct val *slots =
        arena_copy(cx->arena, r->slots, (size_t)r->process->field_count * sizeof(*slots));
    struct val *people = arena_array(cx->arena, (size_t)ids.count, sizeof(*people));
    for (int i = 0; i < ids.count; i++)
        people[i] = val_int(((const int64_t *)ids.at)[i]);
    slots[FIELD_WATCHERS] = (struct val){.kind = VAL_LIST, .count = ids.count, .items = people};
    r->slots = slots;
    return OK;
}

/* ---- parent --------------------------------------------------------------------------------- */

static enum rc same_tree(struct ctx *cx, int64_t a, int64_t b, bool *ret)
{
    int64_t root_a = a, root_b = b;

    if (a != b) {
        TRY(db_one(cx, SQL_rec_root_of, ARGS(INT("org", a)), id_cols, &root_a));
        TRY(db_one(cx, SQL_rec_root_of, ARGS(INT("org", b)), id_cols, &root_b));
    }
    *ret = root_a == root_b;
    return OK;
}

/* A link crosses no wall between tenants. */
static enum rc check_tenants(struct ctx *cx, int64_t a, int64_t b, const char *field)
{
    bool is_same;

    TRY(same_tree(cx, a, b, &is_same));
    if (is_same)
        return OK;
    return fail(cx, E_INVALID, field, "records of different organisations cannot be linked");
}

enum rc around_check_parent(struct ctx *cx, const struct rec *r, const struct flow_plan *plan)
{
    const int64_t parent = slot_int(plan->after, FIELD_PARENT);
    const int64_t before = r->slots ? slot_int(r->slots, FIELD_PARENT) : 0;
    struct rec other;
    int64_t n;

    if (!parent || parent == before)
        return OK;
    if (!r->id)
        return OK;
    if (parent == r->id)
        return fail(cx, E_INVALID, "parent", "a record cannot be its own parent");
    TRY(rec_find(cx, NULL, parent, &other));
    TRY(db_one(cx, SQL_rec_is_below, ARGS(INT("top", r->id), INT("id", parent)), id_cols, &n));
    return n ? fail(cx, E_INVALID, "parent", "%s is below %s already", other.number, r->number)
             : OK;
}

/* ---- tenants -------------------------------------------------------------------------------- */

struct link_row {
    const char *kind;
    int64_t other_id;
    bool is_inverse;
};
static const struct col link_cols[] = {
    TEXT_COL(struct link_row, kind),
    INT_COL(struct link_row, other_id),
    FLAG_COL(struct link_row, is_inverse),
    {0},
};

static enum rc check_other(struct ctx *cx, int64_t org, int64_t other_id, const char *field)
{
    struct rec other;

    TRY(rec_find(cx, NULL, other_id, &other));
    return check_tenants(cx, org, other.subject.org_id, field);
}

static enum rc check_value(struct ctx *cx, int64_t org, struct val v, const char *field)
{
    if (v.kind == VAL_INT)
        return check_other(cx, org, v.i, field);
    for (int i = 0; v.kind == VAL_LIST && i < v.count; i++)
        TRY(check_other(cx, org, v.items[i].i, field));
    return OK;
}

static bool is_link(const struct field *f)
{
    return f->type == TYPE_LINK || f->type == TYPE_LINKS;
}

/* Everything that hangs on a record, when the record itself goes to another tenant. */
static enum rc check_bonds(struct ctx *cx, const struct rec *r, const struct flow_plan *plan,
                           int64_t org)
{
    struct list children, links;

    for (int i = 0; i < r->process->field_count; i++) {
        if (is_link(&r->process->fields[i]))
            TRY(check_value(cx, org, plan->after[i], "organisation"));
    }
    TRY(db_all(cx, SQL_rec_children, ARGS(INT("id", r->id)), id_cols, sizeof(int64_t), &children));
    for (int i = 0; i < children.count; i++)
        TRY(check_other(cx, org, ((const int64_t *)children.at)[i], "organisation"));
    TRY(db_all(cx, SQL_rec_links, ARGS(INT("id", r->id)), link_cols, sizeof(struct link_row),
               &links));
    for (int i = 0; i < links.count; i++) {
        const struct link_row *l = (const struct link_row *)links.at + i;
        TRY(check_other(cx, org, l->other_id, "organisation"));
    }
    return OK;
}

enum rc around_check_tenants(struct ctx *cx, const struct rec *r, const struct flow_plan *plan)
{
    const int64_t org = slot_int(plan->after, FIELD_ORGANISATION);
    const int64_t before = r->slots ? slot_int(r->slots, FIELD_ORGANISATION) : org;
    const struct flow_change *c = plan->changes.at;
    bool is_same;

    if (!org) {
        problem(cx, "organisation", "required", "say whose record it is");
        return problems_rc(cx);
    }
    for (int i = 0; i < plan->changes.count; i++) {
        if (is_link(c[i].field))
            TRY(check_value(cx, org, c[i].after, c[i].field->name));
    }
    TRY(same_tree(cx, before, org, &is_same));
    return is_same ? OK : check_bonds(cx, r, plan, org);
}

/* ---- links ---------------------------------------------------------------------------------- */

/* The link kind that is meant, and whether it was named from its other end. */
static const struct link_kind *find_kind(struct ctx *cx, const char *name, bool *ret_is_inverse)
{
    const struct link_kind *k = defs_link(cx->defs, name);

    *ret_is_inverse = false;
    for (int i = 0; !k && i < cx->defs->link_count; i++) {
        if (str_equal(cx->defs->links[i].inverse, name)) {
            k = &cx->defs->links[i];
            *ret_is_inverse = true;
        }
    }
    return k;
}

static enum rc set_link(struct ctx *cx, const struct link_kind *k, int64_t from, int64_t to,
                        bool is_link, int *ret_changed)
{
    if (!is_link)
        return db_exec(cx, SQL_rec_unlink,
                       ARGS(TEXT("kind", k->name), INT("from_id", from), INT("to_id", to)),
                       ret_changed);
    return db_exec(
        cx, SQL_rec_link,
        ARGS(TEXT("kind", k->name), INT("from_id", from), INT("to_id", to), INT("now", cx->now)),
        ret_changed);
}

enum rc around_link(struct ctx *cx, struct rec *r, const struct change *c, struct val_map *body,
                    bool *ret_is_nothing)
{
    const bool is_link = c->kind == CHANGE_LINK;
    bool is_inverse;
    struct rec other;
    int changed;

    const struct link_kind *k = find_kind(cx, c->link ? c->link : "", &is_inverse);
    if (!k)
        return fail(cx, E_INVALID, "kind", "there is no link kind %s", c->link ? c->link : "");
    if (k->is_tree)
        return fail(cx, E_INVALID, "kind", "a parent is set by the field parent of its child");
    TRY(rec_load_id(cx, c->other_id, &other));
    if (other.id == r->id)
        return fail(cx, E_INVALID, "record", "a record cannot be linked with itself");
    TRY(check_tenants(cx, r->subject.org_id, other.subject.org_id, "record"));
    TRY(set_link(cx, k, is_inverse ? other.id : r->id, is_inverse ? r->id : other.id, is_link,
                 &changed));
    *ret_is_nothing = !changed;
    val_map_set(cx->arena, body, "kind", val_text(c->link));
    val_map_set(cx->arena, body, "record", val_int(other.id));
    return OK;
}

enum rc around_link_made(struct ctx *cx, int64_t from_id, int64_t to_id, const char *kind,
                         int64_t at)
{
    bool is_inverse;
    const struct link_kind *k = find_kind(cx, kind, &is_inverse);

    if (!k || k->is_tree)
        return OK;
    return db_exec(cx, SQL_rec_link,
                   ARGS(TEXT("kind", k->name), INT("from_id", is_inverse ? to_id : from_id),
                        INT("to_id", is_inverse ? from_id : to_id), INT("now", at)),
                   NULL);
}

/* Add the other record when the user may see it; what may not be seen is not there. */
static enum rc add_linked(struct ctx *cx, const char *kind, int64_t id, struct list *to)
{
    struct linked l = {.kind = kind};
    const enum rc rc = rec_load_id(cx, id, &l.rec);

    if (rc == E_NOT_FOUND) {
        fail_clear(cx);
        return OK;
    }
    TRY(rc);
    struct linked *added = list_add(cx->arena, to, sizeof(*added));
    *added = l;
    return OK;
}

static const char *seen_kind(struct ctx *cx, const struct link_row *l)
{
    const struct link_kind *k = defs_link(cx->defs, l->kind);
    return l->is_inverse && k ? k->inverse : l->kind;
}

enum rc rec_links(struct ctx *cx, const struct rec *r, struct list *ret)
{
    struct list rows, children;

    *ret = (struct list){0};
    if (slot_int(r->slots, FIELD_PARENT))
        TRY(add_linked(cx, "parent", slot_int(r->slots, FIELD_PARENT), ret));
    TRY(db_all(cx, SQL_rec_children, ARGS(INT("id", r->id)), id_cols, sizeof(int64_t), &children));
    for (int i = 0; i < children.count; i++)
        TRY(add_linked(cx, "child", ((const int64_t *)children.at)[i], ret));
    TRY(db_all(cx, SQL_rec_links, ARGS(INT("id", r->id)), link_cols, sizeof(struct link_row),
               &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct link_row *l = (const struct link_row *)rows.at + i;
        TRY(add_linked(cx, seen_kind(cx, l), l->other_id, ret));
    }
    return OK;
}

struct val around_inherit(struct ctx *cx, struct val input, const struct val *slots, int64_t id,
                          const char *link)
{
    struct val_map map = {0};

    if (!val_is_null(slots[FIELD_ORGANISATION]))
        val_map_set(cx->arena, &map, "organisation", slots[FIELD_ORGANISATION]);
    if (!val_is_null(slots[FIELD_CALLER]))
        val_map_set(cx->arena, &map, "caller", slots[FIELD_CALLER]);
    if (str_equal(link, "child"))
        val_map_set(cx->arena, &map, "parent", val_int(id));
    for (int i = 0; i < input.count; i++)
        val_map_set(cx->arena, &map, input.members[i].name, input.members[i].val);
    return val_from_map(&map);
}

/* ---- attachments ---------------------------------------------------------------------------- */

static const struct col attachment_cols[] = {
    INT_COL(struct attachment, id),          INT_COL(struct attachment, record_id),
    INT_COL(struct attachment, event_id),    INT_COL(struct attachment, size),
    INT_COL(struct attachment, attached_by), TEXT_COL(struct attachment, public_id),
    TEXT_COL(struct attachment, sha256),     TEXT_COL(struct attachment, name),
    TEXT_COL(struct attachment, type),       FLAG_COL(struct attachment, is_internal),
    FLAG_COL(struct attachment, is_removed), {0},
};

enum rc around_attach(struct ctx *cx, const struct attachment *a, int64_t record_id,
                      int64_t event_id)
{
    if (a->is_removed)
        return db_exec(cx, SQL_around_detach,
                       ARGS(TEXT("public_id", a->public_id), INT("now", cx->now)), NULL);
    return db_exec(cx, SQL_around_attach,
                   ARGS(INT("record_id", record_id), INT("event_id", event_id),
                        TEXT("public_id", a->public_id), TEXT("sha256", a->sha256),
                        INT("size", a->size), TEXT("name", a->name), TEXT("type", a->type),
                        INT("is_internal", a->is_internal)),
                   NULL);
}

enum rc rec_attachments(struct ctx *cx, const struct rec *r, struct list *ret)
{
    struct list all;

    *ret = (struct list){0};
    TRY(db_all(cx, SQL_around_attachments, ARGS(INT("record_id", r->id)), attachment_cols,
               sizeof(struct attachment), &all));
    for (int i = 0; i < all.count; i++) {
        const struct attachment *a = (const struct attachment *)all.at + i;
        if (a->is_internal && !r->sees_internal)
            continue;
        struct attachment *shown = list_add(cx->arena, ret, sizeof(*shown));
        *shown = *a;
    }
    return OK;
}

/* One that is not there, one of a record out of sight, one out of sight: all answer alike. */
enum rc rec_attachment(struct ctx *cx, const char *public_id, struct attachment *ret,
                       struct rec *ret_rec)
{
    struct attachment a;
    enum rc rc =
        db_one(cx, SQL_around_attachment, ARGS(TEXT("public_id", public_id)), attachment_cols, &a);

    if (rc == OK)
        rc = rec_load_id(cx, a.record_id, ret_rec);
    if (rc == OK && (a.is_removed || (a.is_internal && !ret_rec->sees_internal)))
        rc = E_NOT_FOUND;
    if (rc == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, NULL, "there is no such attachment");
    TRY(rc);
    *ret = a;
    return OK;
}

/* ---- messages ------------------------------------------------------------------------------- */

/* What one event says to whom. */
struct telling {
    const struct flow_plan *plan;
    int64_t record_id, event_id;
    struct list told; /* of int64_t: people; nobody hears of the same event twice */
};

static bool was_told(const struct telling *t, int64_t person)
{
    for (int i = 0; i < t->told.count; i++) {
        if (((const int64_t *)t->told.at)[i] == person)
            return true;
    }
    return false;
}

static enum rc notify(struct ctx *cx, struct telling *t, int64_t person, const char *message)
{
    if ((cx->user && person == cx->user->id) || was_told(t, person))
        return OK;
    *(int64_t *)list_add(cx->arena, &t->told, sizeof(person)) = person;
    return db_exec(cx, SQL_rec_notify,
                   ARGS(INT("person", person), INT("id", t->record_id),
                        INT("event_id", t->event_id), TEXT("message", message),
                        INT("now", cx->now)),
                   NULL);
}

static enum rc notify_group(struct ctx *cx, struct telling *t, int64_t group, const char *message)
{
    struct list people;

    TRY(db_all(cx, SQL_rec_group_people, ARGS(INT("group", group)), id_cols, sizeof(int64_t),
               &people));
    for (int i = 0; i < people.count; i++)
        TRY(notify(cx, t, ((const int64_t *)people.at)[i], message));
    return OK;
}

static enum rc tell(struct ctx *cx, struct telling *t, const struct effect *e)
{
    const struct val to = t->plan->after[e->slot];

    if (e->slot == FIELD_GROUP && to.kind == VAL_INT)
        return notify_group(cx, t, to.i, e->name);
    if (to.kind == VAL_INT)
        return notify(cx, t, to.i, e->name);
    for (int i = 0; to.kind == VAL_LIST && i < to.count; i++)
        TRY(notify(cx, t, to.items[i].i, e->name));
    return OK;
}

enum rc around_tell(struct ctx *cx, const struct flow_plan *plan, int64_t record_id,
                    int64_t event_id)
{
    struct telling t = {.plan = plan, .record_id = record_id, .event_id = event_id};
    const struct effect *const *tells = plan->tells.at;

    for (int i = 0; i < plan->tells.count; i++)
        TRY(tell(cx, &t, tells[i]));
    return OK;
}
