/* page.h - pages of people, groups and organisations in the order of their folded names; inside
 * auth only. */
#ifndef AUTH_PAGE_H
#define AUTH_PAGE_H

#include <stdint.h>

#include "auth/auth.h"
#include "auth/people.h"
#include "base/arena.h"
#include "db/db.h"

struct ctx;

/* What the three list statements take: what the user may see (all, or these organisations), of
 * which of them with details, which page. */
struct page {
    struct reach detailed;
    const int64_t *seen; /* organisations, unless all */
    int seen_count;
    int64_t org_id;    /* 0: all */
    const char *words; /* folded; "": all */
    const char *after_name;
    int64_t after_id;
    int limit;
};

enum rc page_begin(struct ctx *cx, const struct people_query *q, struct page *ret);

#define PAGE_ARGS(p)                                                                               \
    ARGS(INT("is_all", (p)->detailed.is_all), IDS("seen", (p)->seen, (p)->seen_count),             \
         IDS("detailed", (p)->detailed.orgs, (p)->detailed.org_count), INT("org_id", (p)->org_id), \
         TEXT("words", (p)->words), TEXT("after_name", (p)->after_name),                           \
         INT("after_id", (p)->after_id), INT("limit", (p)->limit + 1))

/* Where the next page begins: behind this one. */
const char *page_cursor(struct ctx *cx, int64_t id, const char *folded_name);

#endif
