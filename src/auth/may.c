/* The only place that says yes or no. */
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/people.h"
#include "auth/scope.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"

/* ---- words: roles and relations
 * ----------------------------------------------------------------*/

static bool is_signed_in(const struct user *u, const struct subject *s)
{
    (void)s;
    return u->kind != USER_NOBODY;
}

static bool is_caller(const struct user *u, const struct subject *s)
{
    return u->id && u->id == s->caller_id;
}

static bool has_opened(const struct user *u, const struct subject *s)
{
    return u->id && u->id == s->opened_by_id;
}

static bool is_assignee(const struct user *u, const struct subject *s)
{
    return u->id && u->id == s->assignee_id;
}

static bool is_in_group(const struct user *u, const struct subject *s)
{
    for (int i = 0; i < u->group_count; i++)
        if (u->groups[i] == s->group_id)
            return true;
    return false;
}

static bool is_watcher(const struct user *u, const struct subject *s)
{
    return u->id && s->is_watched;
}

static bool is_of_organisation(const struct user *u, const struct subject *s)
{
    return u->org_id && u->org_id == s->org_id;
}

static bool is_never(const struct user *u, const struct subject *s)
{
    (void)u, (void)s;
    return false;
}

/* A relation between a person and a record: how one record is asked, and which member of struct
 * reach says the same of all. */
struct relation {
    const char *word;
    bool (*holds)(const struct user *u, const struct subject *s);
    size_t reach; /* offset of a flag in struct reach; NO_FLAG: none */
    const char *yes, *no;
};
#define NO_FLAG SIZE_MAX

static const struct relation relations[] = {
    {"anyone", is_signed_in, offsetof(struct reach, is_all), "is signed in", "is not signed in"},
    {"caller", is_caller, offsetof(struct reach, as_caller), "is the caller", "is not the caller"},
    {"opened_by", has_opened, offsetof(struct reach, as_opened_by), "opened the record",
     "did not open the record"},
    {"assignee", is_assignee, offsetof(struct reach, as_assignee), "is the assignee",
     "is not the assignee"},
    {"group", is_in_group, offsetof(struct reach, as_group), "is a member of the record's group",
     "is not a member of the record's group"},
    {"watcher", is_watcher, offsetof(struct reach, as_watcher), "watches the record",
     "does not watch the record"},
    {"organisation", is_of_organisation, NO_FLAG, "belongs to the record's organisation",
     "does not belong to the record's organisation"},
    {"system", is_never, NO_FLAG, "", "is not the system itself"},
};

static const struct relation *relation_of(const char *word)
{
    for (int i = 0; i < ARRAY_LEN(relations); i++)
        if (str_equal(relations[i].word, word))
            return &relations[i];
    return NULL;
}

static bool has_id(const int64_t *ids, int count, int64_t id)
{
    int low = 0;
    while (low < count) {
        const int middle = low + (count - low) / 2;
        if (ids[middle] == id)
            return true;
        if (ids[middle] < id)
            low = middle + 1;
        else
            count = middle;
    }
    return false;
}

static bool role_covers(const struct held_role *r, int64_t org_id)
{
    return !r->org_id || has_id(r->orgs, r->org_count, org_id);
}

/* The grant by which a user holds this role for records of that organisation, or NULL. */
static const struct held_role *role_for(const struct user *u, const char *role, int64_t org_id)
{
    for (int i = 0; i < u->role_count; i++)
        if (str_equal(u->roles[i].role, role) && role_covers(&u->roles[i], org_id))
            return &u->roles[i];
    return NULL;
}

/* u is not NULL. */
static bool word_holds(const struct user *u, const struct subject *s, const char *word)
{
    const struct relation *r = relation_of(word);
    if (r)
        return r->holds(u, s);
    return u->kind == USER_OPERATOR || role_for(u, word, s->org_id);
}

static bool some_word_holds(const struct user *u, const struct subject *s, const char *const *allow)
{
    for (; *allow; allow++)
        if (word_holds(u, s, *allow))
            return true;
    return false;
}

/* ---- one record
 * --------------------------------------------------------------------------------*/

static enum scope_use use_of(enum right right)
{
    return right == RIGHT_VIEW || right == RIGHT_INTERNAL ? SCOPE_READ : SCOPE_WRITE;
}

bool auth_holds(const struct ctx *cx, const struct subject *s, enum right right)
{
    if (!cx->user)
        return true;
    return scope_allows(cx->user->scopes, s->process->name, use_of(right)) &&
           some_word_holds(cx->user, s, s->process->rights[right]);
}

static const char *joined(struct ctx *cx, const char *const *words)
{
    struct buf b = {.arena = cx->arena};
    for (; *words; words++) {
        if (b.len)
            buf_puts(&b, ", ");
        buf_puts(&b, *words);
    }
    return buf_text(&b);
}

static enum rc refuse_scope(struct ctx *cx)
{
    fail(cx, E_DENIED, NULL, "the token was not made for that: its scopes are %s",
         cx->user->scopes);
    cx->err.code = "scope";
    return E_DENIED;
}

enum rc auth_check(struct ctx *cx, const struct subject *s, enum right right)
{
    if (auth_holds(cx, s, right))
        return OK;
    const char *process = s->process->name;
    if (s->record_id && !auth_holds(cx, s, RIGHT_VIEW))
        return fail(cx, E_NOT_FOUND, NULL, "there is no such %s", process);
    if (!scope_allows(cx->user->scopes, process, use_of(right)))
        return refuse_scope(cx);
    return fail(cx, E_DENIED, NULL, "to %s this %s is for: %s", right_name(right), process,
                joined(cx, s->process->rights[right]));
}

static int add_roles(const struct ctx *cx, const struct subject *s, const char **words)
{
    const struct user *u = cx->user;
    int n = 0;
    if (u->kind == USER_OPERATOR)
        for (int i = 0; cx->defs && i < cx->defs->role_count; i++)
            words[n++] = cx->defs->roles[i].name;
    for (int i = 0; i < u->role_count; i++)
        if (role_covers(&u->roles[i], s->org_id))
            words[n++] = u->roles[i].role;
    return n;
}

const char *const *auth_words(struct ctx *cx, const struct subject *s)
{
    static const char *const system_words[] = {"system", NULL};
    static const char *const no_words[] = {NULL};
    const struct user *u = cx->user;
    if (!u)
        return system_words;
    if (!scope_allows(u->scopes, s->process->name, SCOPE_WRITE))
        return no_words;

    const int most = ARRAY_LEN(relations) + u->role_count + (cx->defs ? cx->defs->role_count : 0);
    const char **words = arena_array(cx->arena, (size_t)most + 1, sizeof(*words));
    int n = 0;
    for (int i = 0; i < ARRAY_LEN(relations); i++)
        if (relations[i].holds(u, s))
            words[n++] = relations[i].word;
    add_roles(cx, s, words + n);
    return words;
}

bool auth_allows(const char *const *allow, const char *const *words)
{
    for (; *allow; allow++)
        if (str_in(*allow, words))
            return true;
    return false;
}

/* ---- many records
 * ------------------------------------------------------------------------------*/

/* Organisations from several grants, each rising. */
struct orgs {
    struct ctx *cx;
    const int64_t *at;
    int count;
};

static int compare_ids(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One source, the usual case, is pointed to and not copied. */
static void orgs_add(struct orgs *o, const int64_t *ids, int count)
{
    if (count == 0)
        return;
    if (o->count == 0) {
        o->at = ids;
        o->count = count;
        return;
    }
    int64_t *all = arena_array(o->cx->arena, (size_t)(o->count + count), sizeof(*all));
    memcpy(all, o->at, (size_t)o->count * sizeof(*all));
    memcpy(all + o->count, ids, (size_t)count * sizeof(*all));
    qsort(all, (size_t)(o->count + count), sizeof(*all), compare_ids);
    int n = 1;
    for (int i = 1; i < o->count + count; i++)
        if (all[i] != all[n - 1])
            all[n++] = all[i];
    o->at = all;
    o->count = n;
}

static void reach_by_role(struct reach *r, struct orgs *o, const struct held_role *role)
{
    if (role->org_id)
        orgs_add(o, role->orgs, role->org_count);
    else
        r->is_all = true;
}

static void reach_by_word(struct reach *r, struct orgs *o, const struct user *u, const char *word)
{
    const struct relation *relation = relation_of(word);
    if (relation && relation->reach != NO_FLAG)
        *(bool *)((char *)r + relation->reach) = true;
    else if (relation && relation->holds == is_of_organisation)
        orgs_add(o, &u->org_id, u->org_id != 0);
    else if (!relation && u->kind == USER_OPERATOR)
        r->is_all = true;
    for (int i = 0; !relation && i < u->role_count; i++)
        if (str_equal(u->roles[i].role, word))
            reach_by_role(r, o, &u->roles[i]);
}

static struct reach reach_of(struct reach r, const struct orgs *o)
{
    if (r.is_all)
        return (struct reach){.is_all = true};
    r.orgs = o->at;
    r.org_count = o->count;
    return r;
}

struct reach auth_reach(struct ctx *cx, const struct process *p, enum right right)
{
    const struct user *u = cx->user;
    if (!u)
        return (struct reach){.is_all = true};
    if (u->kind == USER_NOBODY || !scope_allows(u->scopes, p->name, use_of(right)))
        return (struct reach){0};
    struct reach r = {0};
    struct orgs o = {.cx = cx};
    for (const char *const *word = p->rights[right]; *word; word++)
        reach_by_word(&r, &o, u, *word);
    if (!u->group_count)
        r.as_group = false;
    if (!u->id)
        r = (struct reach){.is_all = r.is_all};
    return reach_of(r, &o);
}

bool reach_is_empty(const struct reach *r)
{
    return !(r->is_all || r->org_count || r->as_caller || r->as_opened_by || r->as_assignee ||
             r->as_watcher || r->as_group);
}

bool reach_has_org(const struct reach *r, int64_t org_id)
{
    return r->is_all || (org_id && has_id(r->orgs, r->org_count, org_id));
}

bool reach_covers(const struct ctx *cx, const struct reach *r, const struct subject *s)
{
    const struct user *u = cx->user;
    return reach_has_org(r, s->org_id) ||
           (u && ((r->as_caller && is_caller(u, s)) || (r->as_opened_by && has_opened(u, s)) ||
                  (r->as_assignee && is_assignee(u, s)) || (r->as_watcher && is_watcher(u, s)) ||
                  (r->as_group && is_in_group(u, s))));
}

/* ---- rights beyond records
 * ---------------------------------------------------------------------*/

const struct right_info auth_rights[] = {
    {"people.view", true, false, "See people, groups and organisations with their details"},
    {"people.manage", true, true, "Create and change people, groups, organisations, roles"},
    {"process.view", true, false, "See process definitions"},
    {"process.activate", false, true, "Put new versions of processes into force"},
    {"event.view_all", false, false, "Follow the feed of all events"},
    {"job.view", false, false, "See what waits, runs and is parked"},
    {"job.manage", false, true, "Retry and drop parked jobs"},
    {"system.view", false, false, "See settings, figures and health in detail"},
    {"system.manage", false, true, "Change settings of the running server"},
    {0},
};

static const struct right_info *info_of(const char *right)
{
    for (const struct right_info *r = auth_rights; r->name; r++)
        if (str_equal(r->name, right))
            return r;
    /* "*", and what a newer roles file may say: as strict as can be. */
    static const struct right_info unknown = {.is_write = true};
    return &unknown;
}

static bool role_gives(const struct ctx *cx, const char *role, const char *right)
{
    const struct role *r = cx->defs ? defs_role(cx->defs, role) : NULL;
    return r && r->rights && (str_in(right, r->rights) || str_in("*", r->rights));
}

static bool token_gives(const struct user *u, const struct right_info *info)
{
    return scope_allows(u->scopes, NULL, info->is_write ? SCOPE_WRITE : SCOPE_READ);
}

struct reach auth_right_reach(struct ctx *cx, const char *right)
{
    const struct user *u = cx->user;
    if (!u || u->kind == USER_OPERATOR)
        return (struct reach){.is_all = true};
    struct reach r = {0};
    struct orgs o = {.cx = cx};
    if (token_gives(u, info_of(right)))
        for (int i = 0; i < u->role_count; i++)
            if (role_gives(cx, u->roles[i].role, right))
                reach_by_role(&r, &o, &u->roles[i]);
    return reach_of(r, &o);
}

bool auth_has_right(const struct ctx *cx, const char *right)
{
    const struct user *u = cx->user;
    if (!u || u->kind == USER_OPERATOR)
        return true;
    const struct right_info *info = info_of(right);
    if (!token_gives(u, info))
        return false;
    for (int i = 0; i < u->role_count; i++)
        if ((info->is_scoped || !u->roles[i].org_id) && role_gives(cx, u->roles[i].role, right))
            return true;
    return false;
}

enum rc auth_may_use(struct ctx *cx, const char *allow, bool is_write)
{
    const struct user *u = cx->user;
    if (str_equal(allow, ALLOW_PUBLIC) || !u)
        return OK;
    if (u->kind == USER_NOBODY)
        return fail(cx, E_UNAUTHENTICATED, NULL, "sign in first");
    const enum scope_use use = is_write ? SCOPE_WRITE : SCOPE_READ;
    const bool is_user = str_equal(allow, ALLOW_USER);
    if (is_user ? !scope_allows_some(u->scopes, use) : !scope_allows(u->scopes, NULL, use))
        return refuse_scope(cx);
    if (is_user || auth_has_right(cx, allow))
        return OK;
    return fail(cx, E_DENIED, NULL, "this needs the right %s", allow);
}

/* ---- why
 * ---------------------------------------------------------------------------------------*/

static const char *why_role(struct ctx *cx, const struct user *who, const struct subject *s,
                            const char *role)
{
    if (who->kind == USER_OPERATOR)
        return arena_printf(cx->arena, "%s: yes, the operator holds every role", role);
    const struct held_role *held = role_for(who, role, s->org_id);
    if (!held)
        return arena_printf(cx->arena, "%s: no, %s does not hold this role in %s", role, who->name,
                            organisation_who(cx, s->org_id).name);
    const char *where = "everywhere";
    if (held->org_id)
        where = arena_printf(cx->arena, "in %s", organisation_who(cx, held->org_id).name);
    if (held->org_id && held->org_id != s->org_id)
        where = arena_printf(cx->arena, "%s, which is above %s", where,
                             organisation_who(cx, s->org_id).name);
    if (!held->group_id)
        return arena_printf(cx->arena, "%s: yes, %s holds this role %s", role, who->name, where);
    return arena_printf(cx->arena, "%s: yes, %s holds this role %s as a member of %s", role,
                        who->name, where, group_who(cx, held->group_id).name);
}

static const char *why(struct ctx *cx, const struct user *who, const struct subject *s,
                       const char *word)
{
    if (!who)
        return arena_printf(cx->arena, "%s: %s", word,
                            str_equal(word, "system") ? "yes, this is the system itself"
                                                      : "no, the system is not a person");
    const struct relation *r = relation_of(word);
    if (!r)
        return why_role(cx, who, s, word);
    const bool holds = r->holds(who, s);
    return arena_printf(cx->arena, "%s: %s, %s %s", word, holds ? "yes" : "no", who->name,
                        holds ? r->yes : r->no);
}

enum rc auth_explain(struct ctx *cx, const struct user *who, const struct subject *s,
                     const char *const *allow, struct list *ret)
{
    struct list sentences = {0};
    for (; *allow; allow++)
        *(const char **)list_add(cx->arena, &sentences, sizeof(const char *)) =
            why(cx, who, s, *allow);
    *ret = sentences;
    return OK;
}
