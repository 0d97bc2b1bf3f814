/* json.h - JSON in and out (RFC 8259).
 *
 * Reading is strict (no comments, no duplicate names, no NUL, valid UTF-8, depth <= 64) and gives
 * values in an arena. Writing is a stream of calls into a buffer, without an intermediate tree:
 *
 *   struct json j = {.out = &b};
 *   json_open(&j, '{');
 *   json_key(&j, "number"), json_text(&j, "INC-1");
 *   json_close(&j, '}');
 *
 * Commas are the writer's business.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"
#include "base/val.h"

struct buf;
struct ctx;

/* E_MALFORMED with line and column in the message. */
enum rc json_parse(struct ctx *cx, const char *text, size_t len, struct val *ret);

/* The same of a document that json_val() wrote once and a database kept: several times as fast, for
 * it is not checked again. Never for what comes from outside. */
enum rc json_parse_stored(struct ctx *cx, const char *text, struct val *ret);

struct json {
    struct buf *out;
    bool needs_comma;
};

void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_key(struct json *j, const char *name);
void json_text(struct json *j, const char *s); /* NULL writes null */
void json_int(struct json *j, int64_t n);
void json_flag(struct json *j, bool flag);
void json_none(struct json *j); /* null; json_null() is the name of the parser library */
void json_instant(struct json *j, int64_t at);   /* RFC 3339 with Z, microseconds only when not 0 */
void json_raw(struct json *j, const char *json); /* one complete value, already JSON */
void json_val(struct json *j, struct val v);     /* any value, ints as numbers */

/* Members whose value is NULL are left out. */
void json_member_text(struct json *j, const char *name, const char *s);
void json_member_int(struct json *j, const char *name, int64_t n);

/* The value as compact JSON text in the arena of cx. */
const char *json_from_val(struct ctx *cx, struct val v);

#endif
