#include "connect/gzip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "base/ctx.h"

#define PIECE 16384
#define MAX_RATIO 1000

struct reading {
    struct ctx *cx;
    const char *path;
    piece_fn fn;
    void *arg;
    FILE *file;
    z_stream z;
    bool is_gzip, is_open, has_ended; /* the inflater; the last member's end */
    int64_t out;
    int64_t *read;
};

static enum rc inflate_piece(struct reading *r, char *bytes, size_t len)
{
    char out[PIECE];

    r->z.next_in = (Bytef *)bytes;
    r->z.avail_in = (uInt)len;
    while (r->z.avail_in) {
        if (r->has_ended && inflateReset(&r->z) != Z_OK) /* members may follow each other */
            return fail(r->cx, E_FAIL, NULL, "%s cannot be inflated", r->path);
        r->z.next_out = (Bytef *)out;
        r->z.avail_out = sizeof(out);
        const int rc = inflate(&r->z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return fail(r->cx, E_MALFORMED, NULL, "%s is damaged: not valid gzip", r->path);
        r->has_ended = rc == Z_STREAM_END;
        const size_t made = sizeof(out) - r->z.avail_out;
        r->out += (int64_t)made;
        if (r->out > *r->read * MAX_RATIO)
            return fail(r->cx, E_TOO_LARGE, NULL, "%s inflates to too much", r->path);
        TRY(r->fn(r->arg, out, made));
    }
    return OK;
}

static void close_reading(void *arg)
{
    struct reading *r = arg;
    if (r->is_open)
        inflateEnd(&r->z);
    fclose(r->file);
}

static enum rc open_reading(struct reading *r, int64_t *ret_size)
{
    struct stat st;

    r->file = fopen(r->path, "rbe");
    if (!r->file)
        return fail(r->cx, errno == ENOENT ? E_NOT_FOUND : E_FAIL, NULL, "%s cannot be read: %s",
                    r->path, errno == ENOENT ? "no such file" : strerror(errno));
    *ret_size = fstat(fileno(r->file), &st) == 0 ? st.st_size : 0;
    const int first = getc(r->file), second = getc(r->file);
    rewind(r->file);
    r->is_gzip = first == 0x1f && second == 0x8b;
    r->is_open = r->is_gzip && inflateInit2(&r->z, 16 + MAX_WBITS) == Z_OK;
    if (r->is_gzip && !r->is_open) {
        fclose(r->file);
        return fail(r->cx, E_FAIL, NULL, "no memory to inflate %s", r->path);
    }
    return OK;
}

static enum rc read_pieces(struct reading *r)
{
    char bytes[PIECE];
    size_t n;

    while ((n = fread(bytes, 1, sizeof(bytes), r->file)) > 0) {
        *r->read += (int64_t)n;
        TRY(r->is_gzip ? inflate_piece(r, bytes, n) : r->fn(r->arg, bytes, n));
    }
    if (ferror(r->file))
        return fail(r->cx, E_FAIL, NULL, "%s cannot be read to its end", r->path);
    if (r->is_gzip && !r->has_ended)
        return fail(r->cx, E_MALFORMED, NULL, "%s is cut off: gzip without its end", r->path);
    return OK;
}

enum rc gzip_read(struct ctx *cx, const char *path, piece_fn fn, void *arg, int64_t *ret_read,
                  int64_t *ret_size)
{
    struct reading r = {.cx = cx, .path = path, .fn = fn, .arg = arg, .read = ret_read};

    *ret_read = 0;
    TRY(open_reading(&r, ret_size));
    const enum rc rc = read_pieces(&r);
    close_reading(&r);
    return rc;
}
