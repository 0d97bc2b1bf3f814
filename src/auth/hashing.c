#include "auth/hashing.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "auth/policy.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"

enum { MOST_AT_WORK = 4, MOST_WAITING = 64 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t is_free;
    int inside;  /* at work, waiting, or between two hashes */
    int at_work; /* hashing now */
    int verified;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_free = PTHREAD_COND_INITIALIZER};

enum rc hashing_enter(struct ctx *cx)
{
    pthread_mutex_lock(&queue.lock);
    const bool may = queue.inside < MOST_AT_WORK + MOST_WAITING;
    queue.inside += may;
    pthread_mutex_unlock(&queue.lock);
    return may ? OK : fail(cx, E_BUSY, NULL, "too many people sign in just now");
}

void hashing_leave(void)
{
    pthread_mutex_lock(&queue.lock);
    queue.inside--;
    pthread_mutex_unlock(&queue.lock);
}

static void work_begin(void)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.at_work >= MOST_AT_WORK)
        pthread_cond_wait(&queue.is_free, &queue.lock);
    queue.at_work++;
    pthread_mutex_unlock(&queue.lock);
}

static void work_end(void)
{
    pthread_mutex_lock(&queue.lock);
    queue.at_work--;
    pthread_cond_signal(&queue.is_free);
    pthread_mutex_unlock(&queue.lock);
}

/* The hash of a password that nobody has, for names that nobody has. Its parameters are those of
 * all others, so it is made and not written down. */
static char nobodys_hash[256]; /* "": there was no memory to make it */

static void make_nobodys_hash(void)
{
    struct arena *a = arena_create();
    const char *token = random_token(a, 32);
    const char *hash = password_hash(a, secret_create(a, token, strlen(token)));
    if (hash && strlen(hash) < sizeof(nobodys_hash))
        memcpy(nobodys_hash, hash, strlen(hash) + 1);
    arena_destroy(a);
}

bool hashing_verify(const char *hash, const struct secret *password)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_nobodys_hash);
    work_begin();
    const bool is_right = password_verify(hash ? hash : nobodys_hash, password);
    work_end();

    pthread_mutex_lock(&queue.lock);
    queue.verified++;
    pthread_mutex_unlock(&queue.lock);
    return is_right && hash;
}

enum rc hashing_make(struct ctx *cx, const struct secret *password, const char **ret)
{
    work_begin();
    const char *hash = password_hash(cx->arena, password);
    work_end();
    if (!hash)
        return fail(cx, E_BUSY, NULL, "there is no memory to hash a password just now");
    *ret = hash;
    return OK;
}

enum rc hashing_make_checked(struct ctx *cx, const struct secret *password, const char *login,
                             const char *name, const char **ret)
{
    TRY(policy_check(cx, password, login, name));
    TRY(hashing_enter(cx));
    const enum rc rc = hashing_make(cx, password, ret);
    hashing_leave();
    return rc;
}

int hashing_verified(void)
{
    pthread_mutex_lock(&queue.lock);
    const int n = queue.verified;
    pthread_mutex_unlock(&queue.lock);
    return n;
}
