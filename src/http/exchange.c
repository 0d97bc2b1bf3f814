#include "http/exchange.h"

#include "http/memory.h"
#include "http/spool.h"

struct exchange *exchange_create(void)
{
    struct exchange *ex = memory_get(sizeof(*ex));
    ex->arena = arena_create();
    reply_init(&ex->reply);
    exchange_clear(ex);
    return ex;
}

void exchange_clear(struct exchange *ex)
{
    if (ex->spool)
        spool_abandon(ex->spool);
    ex->spool = NULL;
    ex->conn = NULL;
    arena_reset(ex->arena);
    reply_clear(&ex->reply);
    ex->rq = (struct request){.arena = ex->arena, .body = "", .peer_uid = -1};
    ex->rs = (struct response){.body = {.arena = ex->arena}};
    ex->admission = (struct http_admission){0};
    ex->body = (struct buf){.arena = ex->arena};
}

void exchange_destroy(struct exchange *ex)
{
    exchange_clear(ex);
    reply_done(&ex->reply);
    arena_destroy(ex->arena);
    free(ex);
}
