#include "edge/hub.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "edge/route.h"
#include "edge/server.h"
#include "edge/view.h"
#include "http/http.h"
#include "rec/rec.h"
#include "rec/type.h"

#define SLICE 200                       /* events that are read at a time */
#define MOST_WAITING (32 << 10)         /* bytes that a listener may be behind before it waits */
#define PAUSE_US (10 * US_PER_S / 1000) /* between two rounds, so that a burst is one round */
#define CATCH_UP_US (50 * US_PER_S / 1000)
#define CHECK_US (3 * US_PER_S) /* between two looks at who is still signed in */
#define BUCKETS 4096
#define HEARTBEAT_US (15 * US_PER_S)

/* One open stream. */
struct listener {
    struct listener *next;
    struct http_stream *stream;
    int64_t after; /* it has everything up to this event */
};

/* Who listens, by one proof; all its listeners see the same. */
struct principal {
    struct principal *next;
    int64_t person_id;  /* 0: the operator */
    int64_t session_id; /* or */
    int64_t token_id;   /* or none: the operator */
    char *scopes;       /* of the token; NULL: all */
    struct listener *listeners;
    bool is_gone; /* signed out */
};

struct arrival {
    struct arrival *next;
    struct principal who; /* without listeners */
    struct listener *listener;
};

struct hub {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* counts monotonic time */
    bool is_woken, is_stopping;
    struct arrival *arrivals;

    /* the thread's */
    struct principal *principals[BUCKETS]; /* by proof */
    int count;
    int64_t last;              /* newest event that was handed out; 0: nobody listened yet */
    int64_t check_at, beat_at; /* monotonic */
    bool is_behind;            /* somebody did not get everything yet */
};

static void *must_calloc(size_t size)
{
    void *p = calloc(1, size);
    if (!p)
        BUG("out of memory");
    return p;
}

/* ---- who listens ---------------------------------------------------------------------------- */

static bool is_same(const struct principal *a, const struct principal *b)
{
    return a->person_id == b->person_id && a->session_id == b->session_id &&
           a->token_id == b->token_id;
}

static struct principal *principal_for(struct hub *h, const struct principal *who)
{
    const int64_t proof = who->session_id + who->token_id * 31 + who->person_id * 1009;
    struct principal **bucket = &h->principals[(uint64_t)proof % BUCKETS];

    for (struct principal *p = *bucket; p; p = p->next) {
        if (is_same(p, who))
            return p;
    }
    struct principal *p = must_calloc(sizeof(*p));
    *p = *who;
    p->next = *bucket;
    *bucket = p;
    h->count++;
    return p;
}

/* Each one in turn; NULL begins, and ends. */
static struct principal *next_principal(struct hub *h, int *bucket, struct principal *p)
{
    p = p ? p->next : h->principals[*bucket];
    while (!p && ++*bucket < BUCKETS)
        p = h->principals[*bucket];
    return p;
}

#define EACH_PRINCIPAL(h, p)                                                                       \
    int bucket = 0;                                                                                \
    for (struct principal *p = next_principal(h, &bucket, NULL); p;                                \
         p = next_principal(h, &bucket, p))

static void take_arrivals(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    struct arrival *a = h->arrivals;
    h->arrivals = NULL;
    pthread_mutex_unlock(&h->lock);

    for (struct arrival *next; a; a = next) {
        next = a->next;
        struct principal *p = principal_for(h, &a->who);
        if (p->scopes != a->who.scopes)
            free(a->who.scopes);
        a->listener->next = p->listeners;
        p->listeners = a->listener;
        h->is_behind = true;
        free(a);
    }
}

static void listener_free(struct listener *l)
{
    http_stream_close(l->stream);
    http_stream_release(l->stream);
    free(l);
}

static void drop_listeners(struct principal *p, bool also_open)
{
    for (struct listener **at = &p->listeners; *at;) {
        struct listener *l = *at;
        if (also_open || !http_stream_is_open(l->stream)) {
            *at = l->next;
            listener_free(l);
        } else {
            at = &l->next;
        }
    }
}

static void drop_from(struct hub *h, struct principal **at, bool everybody)
{
    while (*at) {
        struct principal *p = *at;
        drop_listeners(p, everybody || p->is_gone);
        if (p->listeners) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        h->count--;
        free(p->scopes);
        free(p);
    }
}

/* Who hung up, and who is signed out. */
static void drop_gone(struct hub *h, bool everybody)
{
    for (int i = 0; i < BUCKETS; i++)
        drop_from(h, &h->principals[i], everybody);
}

/* ---- what they hear ------------------------------------------------------------------------- */

static void become(struct ctx *cx, const struct principal *p, enum rc *rc)
{
    *rc = OK;
    if (!p->person_id) {
        auth_as_operator(cx);
        return;
    }
    *rc = auth_by_person(cx, p->person_id);
    if (*rc != OK)
        return;
    struct user *u = arena_copy(cx->arena, cx->user, sizeof(*u));
    u->session_id = p->session_id;
    u->token_id = p->token_id;
    u->scopes = p->scopes;
    cx->user = u;
}

static const char *as_text(struct ctx *cx, const struct entry *e, size_t *ret_len)
{
    struct buf b = {.arena = cx->arena};
    struct json j = {.out = &b};

    buf_printf(&b, "id: %lld\nevent: %s\ndata: ", (long long)e->id, e->kind);
    view_entry(cx, &j, e);
    buf_puts(&b, "\n\n");
    *ret_len = b.len;
    return buf_text(&b);
}

/* Who has much to read yet gets no more now, and the rest later from the log. */
static void send_entries(struct hub *h, struct ctx *cx, struct listener *l,
                         const struct list *entries, int64_t last)
{
    const struct entry *e = entries->at;

    for (int i = 0; i < entries->count; i++) {
        size_t len;
        if (e[i].id <= l->after)
            continue;
        if (http_stream_waiting(l->stream) > MOST_WAITING) {
            h->is_behind = true;
            return;
        }
        const char *text = as_text(cx, &e[i], &len);
        http_stream_send(l->stream, text, len);
        l->after = e[i].id;
    }
    l->after = last;
}

static void catch_up_one(struct hub *h, struct ctx *cx, struct listener *l)
{
    struct list entries;
    int64_t last;

    if (http_stream_waiting(l->stream) > MOST_WAITING / 2) {
        h->is_behind = true;
        return;
    }
    if (rec_feed(cx, l->after, SLICE, &entries, &last) != OK) {
        fail_clear(cx);
        h->is_behind = true;
        return;
    }
    send_entries(h, cx, l, &entries, last);
    h->is_behind |= l->after < h->last;
}

static void serve_principal(struct hub *h, struct ctx *cx, struct principal *p,
                            const struct feed *feed, int64_t from)
{
    struct list entries = {0};
    enum rc rc;
    bool is_cut = false;

    become(cx, p, &rc);
    p->is_gone = rc == E_UNAUTHENTICATED;
    if (rc != OK) {
        h->is_behind = true;
        return;
    }
    for (struct listener *l = p->listeners; l; l = l->next) {
        if (l->after < from) {
            catch_up_one(h, cx, l);
            continue;
        }
        if (!feed || l->after >= h->last)
            continue;
        if (!is_cut && rec_feed_cut(cx, feed, &entries) != OK) {
            h->is_behind = true;
            return;
        }
        is_cut = true;
        send_entries(h, cx, l, &entries, h->last);
    }
}

/* Read what is new once, and hand it to everybody. Who came with an older event than the newest is
 * served from the log until it has caught up. */
static void serve_all(struct hub *h, struct arena *arena)
{
    const int64_t from = h->last;
    const struct feed *feed = NULL;
    struct ctx cx;

    server_context(h->server, arena, &cx);
    if (rec_feed_read(&cx, from, SLICE, &feed, &h->last) != OK) {
        log_write(LOG_ERROR, "live updates cannot be read", LOG_TEXT("detail", cx.err.detail));
        return;
    }
    const bool has_new = h->last > from;
    struct arena *own = arena_create();
    h->is_behind = false;
    EACH_PRINCIPAL(h, p)
    {
        struct ctx as;
        server_context(h->server, own, &as);
        serve_principal(h, &as, p, has_new ? feed : NULL, from);
        arena_reset(own);
    }
    arena_destroy(own);
    h->is_behind |= has_new; /* there may be more than one slice */
}

/* ---- who is still signed in ----------------------------------------------------------------- */

static bool has_id(const struct list *ids, int64_t id)
{
    int low = 0, high = ids->count;

    while (low < high) {
        const int middle = low + (high - low) / 2;
        const int64_t found = ((const int64_t *)ids->at)[middle];
        if (found == id)
            return true;
        if (found < id)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static void mark_gone(struct hub *h, const struct list *sessions, const struct list *tokens)
{
    EACH_PRINCIPAL(h, p)
    {
        p->is_gone |= (p->session_id && !has_id(sessions, p->session_id)) ||
                      (p->token_id && !has_id(tokens, p->token_id));
    }
}

static void check_standing(struct hub *h, struct arena *arena)
{
    struct list sessions = {0}, tokens = {0}, living_sessions, living_tokens;
    struct ctx cx;

    server_context(h->server, arena, &cx);
    EACH_PRINCIPAL(h, p)
    {
        if (p->session_id)
            *(int64_t *)list_add(arena, &sessions, sizeof(int64_t)) = p->session_id;
        if (p->token_id)
            *(int64_t *)list_add(arena, &tokens, sizeof(int64_t)) = p->token_id;
    }
    if (auth_standing_sessions(&cx, sessions.at, sessions.count, &living_sessions) != OK ||
        auth_standing_tokens(&cx, tokens.at, tokens.count, &living_tokens) != OK)
        return; /* once the database answers again */
    mark_gone(h, &living_sessions, &living_tokens);
}

/* A comment, so that proxies keep the connection and a dead one is noticed. */
static void beat(struct hub *h)
{
    EACH_PRINCIPAL(h, p)
    {
        for (const struct listener *l = p->listeners; l; l = l->next)
            http_stream_send(l->stream, ":\n\n", 3);
    }
}

/* ---- the thread ----------------------------------------------------------------------------- */

static struct timespec monotonic_in(int64_t us)
{
    const int64_t at = clock_monotonic() + us;
    return (struct timespec){.tv_sec = at / US_PER_S, .tv_nsec = at % US_PER_S * 1000};
}

/* False: it is time to stop. */
static bool wait_for_change(struct hub *h)
{
    const struct timespec until = monotonic_in(h->is_behind ? CATCH_UP_US : CHECK_US);
    int timed_out = 0;

    pthread_mutex_lock(&h->lock);
    while (!h->is_woken && !h->is_stopping && !timed_out)
        timed_out = pthread_cond_timedwait(&h->changed, &h->lock, &until);
    h->is_woken = false;
    const bool is_stopping = h->is_stopping;
    pthread_mutex_unlock(&h->lock);
    return !is_stopping;
}

static bool is_due(int64_t *at, int64_t every_us)
{
    const int64_t now = clock_monotonic();
    if (now < *at)
        return false;
    *at = now + every_us;
    return true;
}

/* Definitions that another process put in force; once a change is seen, and seldom. */
static void refresh(struct hub *h, struct arena *arena)
{
    struct ctx cx;

    server_context(h->server, arena, &cx);
    if (type_refresh(&cx, h->server->types) != OK)
        log_write(LOG_ERROR, "process definitions cannot be read", LOG_TEXT("text", cx.err.text),
                  LOG_TEXT("detail", cx.err.detail));
}

/* With nobody listening nothing is read: the place in the log is found again when somebody comes.
 */
static bool find_place(struct hub *h, struct arena *arena)
{
    struct ctx cx;

    server_context(h->server, arena, &cx);
    return h->last || rec_last_event(&cx, &h->last) == OK;
}

static void go_round(struct hub *h, struct arena *arena)
{
    take_arrivals(h);
    if (is_due(&h->check_at, CHECK_US)) {
        refresh(h, arena);
        if (h->count)
            check_standing(h, arena);
    }
    if (h->count)
        drop_gone(h, false);
    if (!h->count) {
        h->last = 0;
        h->is_behind = false;
        return;
    }
    if (find_place(h, arena))
        serve_all(h, arena);
    if (is_due(&h->beat_at, HEARTBEAT_US))
        beat(h);
}

static void *run(void *arg)
{
    struct hub *h = arg;
    struct arena *arena = arena_create();

    while (wait_for_change(h)) {
        go_round(h, arena);
        arena_reset(arena);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_US * 1000}, NULL);
    }
    drop_gone(h, true);
    arena_destroy(arena);
    return NULL;
}

struct hub *hub_create(struct server *s)
{
    struct hub *h = must_calloc(sizeof(*h));
    pthread_condattr_t monotonic;

    h->server = s;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&h->thread, NULL, run, h) != 0)
        BUG("no thread");
    return h;
}

void hub_wake(struct hub *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->is_woken = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void hub_stop(struct hub *h)
{
    if (!h || h->is_stopping)
        return;
    pthread_mutex_lock(&h->lock);
    h->is_stopping = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    take_arrivals(h);
    drop_gone(h, true);
}

void hub_destroy(struct hub *h)
{
    if (!h)
        return;
    hub_stop(h);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
    free(h);
}

/* ---- coming in ------------------------------------------------------------------------------ */

enum rc hub_listen(struct ctx *cx, struct call *c, int64_t after)
{
    static const char hello[] = "retry: 2000\n\n";
    struct hub *h = c->server->hub;
    struct arrival *a = must_calloc(sizeof(*a));
    struct listener *l = must_calloc(sizeof(*l));

    a->who = (struct principal){
        .person_id = cx->user->id,
        .session_id = cx->user->session_id,
        .token_id = cx->user->token_id,
        .scopes = cx->user->scopes ? strdup(cx->user->scopes) : NULL,
    };
    a->listener = l;
    l->after = after;
    c->response->type = "text/event-stream";
    l->stream = http_stream_open(c->request, c->response);
    http_stream_send(l->stream, hello, strlen(hello));

    pthread_mutex_lock(&h->lock);
    a->next = h->arrivals;
    h->arrivals = a;
    h->is_woken = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return OK;
}
