#include "job/event.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/secret.h"
#include "db/db.h"
#include "event_sql.h"

enum { SALT_BYTES = 16, SALT_HEX = 2 * SALT_BYTES };

/* Asking the system for 16 bytes costs as much as hashing a body, so it is asked for many salts at
 * once. A salt is wiped where it was taken from. */
static void salt_take(char ret[static SALT_HEX])
{
    static _Thread_local struct {
        uint8_t bytes[64 * SALT_BYTES];
        size_t left;
    } pool;
    if (pool.left == 0) {
        random_bytes(pool.bytes, sizeof(pool.bytes));
        pool.left = sizeof(pool.bytes);
    }
    pool.left -= SALT_BYTES;
    uint8_t *salt = pool.bytes + pool.left;
    for (int i = 0; i < SALT_BYTES; i++) {
        ret[2 * i] = "0123456789abcdef"[salt[i] >> 4];
        ret[2 * i + 1] = "0123456789abcdef"[salt[i] & 15];
    }
    memset(salt, 0, SALT_BYTES);
}

/* Salt and body as one text, which is what the digest is over. */
static const char *salted_body(struct ctx *cx, struct val body, size_t *ret_len)
{
    char salt[SALT_HEX];
    salt_take(salt);
    struct buf b = {.arena = cx->arena};
    buf_add(&b, salt, SALT_HEX);
    if (val_is_null(body))
        buf_puts(&b, "{}");
    else
        json_val(&(struct json){.out = &b}, body);
    *ret_len = b.len;
    return buf_text(&b);
}

struct appended {
    int64_t id;
};
static const struct col appended_cols[] = {
    INT_COL(struct appended, id),
    {0},
};

enum rc event_append(struct ctx *cx, const struct event *e, struct val body, int64_t *ret_id)
{
    assert(db_in_tx(cx));
    size_t len;
    const char *salted = salted_body(cx, body, &len);
    char digest[SHA256_HEX];
    sha256_hex(salted, len, digest);

    struct appended appended;
    TRY(db_one(cx, SQL_event_append,
               ARGS(TEXT("kind", e->kind), INT_OR_NONE("record_id", e->record_id),
                    INT_OR_NONE("process_id", e->process_id), TEXT("action", e->action),
                    INT_OR_NONE("actor_id", e->actor_id), INT("via", cx->via),
                    TEXT("request_id", cx->request_id),
                    INT("occurred_at", e->occurred_at ? e->occurred_at : cx->now),
                    INT("recorded_at", cx->now), INT_OR_NONE("revision", e->revision),
                    TEXT("from_state", e->from_state), TEXT("to_state", e->to_state),
                    e->from_state ? INT("from_status", e->from_status) : NONE("from_status"),
                    e->to_state ? INT("to_status", e->to_status) : NONE("to_status"),
                    INT_OR_NONE("group_id", e->group_id), INT_OR_NONE("priority", e->priority),
                    INT("is_internal", e->is_internal), TEXT("deviation", e->deviation),
                    TEXT("digest", digest)),
               appended_cols, &appended));

    const char *salt = arena_strndup(cx->arena, salted, SALT_HEX);
    TRY(db_exec(
        cx, SQL_event_append_private,
        ARGS(INT("event_id", appended.id), TEXT("salt", salt), TEXT("body", salted + SALT_HEX)),
        NULL));
    if (ret_id)
        *ret_id = appended.id;
    return OK;
}
