#include "edge/hub.h"

#include "base/ctx.h"

struct hub *hub_create(struct server *s)
{
    (void)s;
    return NULL;
}

void hub_wake(struct hub *h)
{
    (void)h;
}

void hub_stop(struct hub *h)
{
    (void)h;
}

void hub_destroy(struct hub *h)
{
    (void)h;
}

enum rc hub_listen(struct ctx *cx, struct call *c, int64_t after)
{
    (void)c;
    (void)after;
    return fail(cx, E_NOT_FOUND, NULL, "nobody can listen yet");
}
