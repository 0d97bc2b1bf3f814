/* Tells one listener that something was written: by this process (SQLite has no other), or, where
 * the engine can say so, by any process on the same database. */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "db/inside.h"

#define RETRY_MS 1000 /* between attempts to connect */
#define WAIT_MS 30000

struct listener {
    struct db *db;
    pthread_t thread;
    int stop_fd;
    atomic_bool is_stopping;
};

static void tell(struct db *db)
{
    pthread_mutex_lock(&db->change_lock);
    if (db->on_change)
        db->on_change(db->on_change_arg);
    pthread_mutex_unlock(&db->change_lock);
}

void change_happened(struct db *db)
{
    if (!db->driver.listen)
        tell(db);
}

/* Something may have happened before the connection stood, or after it broke: so each change of
 * that counts as one. Without a connection there is a call every second. */
static struct conn *connect_listener(struct listener *l)
{
    struct ctx cx = {.arena = arena_create()};
    struct conn *c = NULL;
    if (driver_connect(&cx, l->db, CONN_LISTENER, &c) != OK)
        poll(&(struct pollfd){.fd = l->stop_fd, .events = POLLIN}, 1, RETRY_MS);
    arena_destroy(cx.arena);
    tell(l->db);
    return c;
}

static void *listener_main(void *arg)
{
    struct listener *l = arg;
    const struct driver *d = &l->db->driver;
    struct conn *c = NULL;
    while (!atomic_load(&l->is_stopping)) {
        if (!c)
            c = connect_listener(l);
        else if (d->listen(c, l->stop_fd, WAIT_MS))
            tell(l->db);
        if (c && c->is_lost) {
            d->disconnect(c);
            c = NULL;
        }
    }
    if (c)
        d->disconnect(c);
    return NULL;
}

void change_stop(struct db *db)
{
    struct listener *l = db->listener;
    if (!l)
        return;
    atomic_store(&l->is_stopping, true);
    eventfd_write(l->stop_fd, 1);
    pthread_join(l->thread, NULL);
    close(l->stop_fd);
    free(l);
    db->listener = NULL;
}

void db_on_change(struct db *db, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&db->change_lock);
    db->on_change = fn;
    db->on_change_arg = arg;
    pthread_mutex_unlock(&db->change_lock);
    if (!db->driver.listen || db->listener || !fn)
        return;
    struct listener *l = must_alloc(1, sizeof(*l));
    l->db = db;
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (l->stop_fd < 0)
        BUG("no eventfd");
    db->listener = l;
    thread_begin(&l->thread, listener_main, l);
}
