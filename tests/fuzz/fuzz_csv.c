/* fuzz_csv.c - any bytes are rows, the same however they are cut, or a refusal that names a line.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "connect/source.h"

struct seen {
    struct sha256 *hash;
    int columns;
    int64_t line;
};

static enum rc take_row(struct ctx *cx, const struct source_row *row, void *arg)
{
    struct seen *s = arg;
    const struct attribute *a = row->attributes.at;

    (void)cx;
    assert(!s->columns || s->columns == row->attributes.count);
    assert(row->line > s->line);
    s->columns = row->attributes.count;
    s->line = row->line;
    for (int i = 0; i < row->attributes.count; i++) {
        assert(str_is_utf8(a[i].name, strlen(a[i].name)));
        assert(str_is_utf8(a[i].value, strlen(a[i].value)));
        sha256_add(s->hash, a[i].value, strlen(a[i].value) + 1);
    }
    return OK;
}

static enum rc read_in_pieces(struct ctx *cx, const char *bytes, size_t len, size_t piece,
                              char ret_hash[static SHA256_HEX])
{
    struct seen s = {.hash = sha256_create(cx->arena)};
    struct csv *c = csv_create(cx, ',', take_row, &s);
    enum rc rc = OK;

    for (size_t at = 0; rc == OK && at < len; at += piece)
        rc = csv_add(c, bytes + at, len - at < piece ? len - at : piece);
    if (rc == OK)
        rc = csv_finish(c);
    sha256_finish(s.hash, ret_hash);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx whole = {.arena = arena_create()}, cut = {.arena = arena_create()};
    char a[SHA256_HEX], b[SHA256_HEX];
    const size_t piece = size ? 1 + data[0] % 7 : 1;

    const enum rc rc = read_in_pieces(&whole, (const char *)data, size, size ? size : 1, a);
    assert(read_in_pieces(&cut, (const char *)data, size, piece, b) == rc);
    assert(str_equal(a, b));
    assert(str_equal(whole.err.text, cut.err.text));
    assert(rc == OK || (rc == E_MALFORMED && str_starts(whole.err.text, "line ")));
    arena_destroy(whole.arena);
    arena_destroy(cut.arena);
    return 0;
}
