/* Token buckets in a table of fixed size: whoever comes with many names makes it forget others, but
 * never makes it grow. */
#include <pthread.h>
#include <string.h>

#include "auth/auth.h"
#include "base/ctx.h"
#include "base/str.h"
#include "base/time.h"

enum { SETS = 4096, WAYS = 4 };

/* What is left is counted in microseconds of filling: one request costs US_PER_MIN / per_minute. */
struct bucket {
    uint64_t key; /* 0: free */
    int64_t filled_at;
    int64_t left_us; /* at filled_at; a full bucket holds a minute's worth */
};

static struct {
    pthread_mutex_t lock;
    struct bucket sets[SETS][WAYS];
} buckets = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fill(struct bucket *b, int64_t now)
{
    const int64_t passed = now - b->filled_at;
    if (passed > 0)
        b->left_us = passed > US_PER_MIN - b->left_us ? US_PER_MIN : b->left_us + passed;
    b->filled_at = now; /* also when the clock was set back */
}

/* The bucket of this key; a new one takes the place of the fullest, which loses least by it. */
static struct bucket *bucket_of(uint64_t key, int64_t now)
{
    struct bucket *set = buckets.sets[key % SETS];
    struct bucket *victim = NULL;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key)
            fill(&set[i], now);
        if (!victim || !set[i].key || (victim->key && set[i].left_us > victim->left_us))
            victim = &set[i];
    }
    *victim = (struct bucket){.key = key, .filled_at = now, .left_us = US_PER_MIN};
    return victim;
}

bool auth_rate(struct ctx *cx, const char *principal, int64_t per_minute, struct rate *ret)
{
    const int64_t cost = US_PER_MIN / (per_minute > 0 ? per_minute : 1);
    /* The limit is part of the key: one principal may have several. */
    const uint64_t key = (str_hash(principal) ^ ((uint64_t)per_minute << 48)) | 1;

    pthread_mutex_lock(&buckets.lock);
    struct bucket *b = bucket_of(key, cx->now);
    fill(b, cx->now);
    const bool may = b->left_us >= cost;
    if (may)
        b->left_us -= cost;
    const int64_t left_us = b->left_us;
    pthread_mutex_unlock(&buckets.lock);

    *ret = (struct rate){
        .limit = per_minute,
        .left = left_us / cost,
        .reset_us = may ? US_PER_MIN - left_us : cost - left_us,
    };
    return may;
}
