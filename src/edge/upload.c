#include "edge/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "edge/server.h"

#define MAX_NAME 200

/* ---- names ---------------------------------------------------------------------------------- */

/* Marks that turn the direction of text or hide in it make "gpj.exe" look like "exe.jpg". */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0) || c == 0x061c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xffff) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

static const char *last_part(const char *name)
{
    for (const char *s = name; *s; s++) {
        if (*s == '/' || *s == '\\')
            name = s + 1;
    }
    return name;
}

const char *upload_clean_name(struct arena *a, const char *name)
{
    struct buf b = {.arena = a};
    uint32_t c;
    int n;

    name = last_part(name ? name : "");
    for (size_t left = strlen(name); left; name += n, left -= (size_t)n) {
        n = str_utf8_char(name, left, &c);
        if (!n) {
            n = 1;
            continue;
        }
        if (b.len + (size_t)n > MAX_NAME)
            break;
        if (is_harmful(c) || (b.len == 0 && (c == '.' || c == ' ')))
            continue;
        if (strchr("<>:\"|?*", *name))
            buf_putc(&b, '_');
        else
            buf_add(&b, name, (size_t)n);
    }
    const char *clean = str_trim(a, buf_text(&b));
    return *clean ? clean : "attachment";
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* filename*=UTF-8''na%C3%AFve.txt (RFC 8187) */
static const char *extended(struct arena *a, const char *s, size_t len)
{
    static const char charset[] = "UTF-8''";
    struct buf b = {.arena = a};

    if (len < strlen(charset) || strncasecmp(s, charset, strlen(charset)) != 0)
        return NULL;
    for (size_t i = strlen(charset); i < len; i++) {
        if (s[i] != '%' || i + 2 >= len || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0) {
            buf_putc(&b, s[i]);
            continue;
        }
        const int c = hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]);
        if (c)
            buf_putc(&b, (char)c);
        i += 2;
    }
    return buf_text(&b);
}

static const char *unquoted(struct arena *a, const char *s, size_t len)
{
    struct buf b = {.arena = a};

    if (!len || s[0] != '"')
        return arena_strndup(a, s, len);
    for (size_t i = 1; i < len && s[i] != '"'; i++) {
        if (s[i] == '\\' && i + 1 < len)
            i++;
        buf_putc(&b, s[i]);
    }
    return buf_text(&b);
}

/* Length of the parameter at s: to the next semicolon that is not in quotes. */
static size_t parameter_len(const char *s)
{
    bool is_quoted = false;
    size_t i = 0;

    for (; s[i] && (is_quoted || s[i] != ';'); i++) {
        if (s[i] == '"')
            is_quoted = !is_quoted;
        else if (s[i] == '\\' && is_quoted && s[i + 1])
            i++;
    }
    return i;
}

static const char *disposition_name(struct arena *a, const char *s)
{
    static const char plain[] = "filename=", star[] = "filename*=";
    const char *name = NULL, *better = NULL;

    while (*s) {
        s += strspn(s, "; ");
        const size_t len = parameter_len(s);
        if (strncasecmp(s, plain, strlen(plain)) == 0)
            name = unquoted(a, s + strlen(plain), len - strlen(plain));
        else if (strncasecmp(s, star, strlen(star)) == 0)
            better = extended(a, s + strlen(star), len - strlen(star));
        s += len;
    }
    return better ? better : name;
}

const char *upload_name(const struct request *rq)
{
    const char *disposition = request_header(rq, "content-disposition");
    const char *name = request_query(rq, "name");

    if (!name && disposition)
        name = disposition_name(rq->arena, disposition);
    return upload_clean_name(rq->arena, name);
}

const char *upload_disposition(struct arena *a, const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    struct buf plain = {.arena = a}, extended_name = {.arena = a};

    for (const char *s = name; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        const bool is_ascii = c >= 0x20 && c < 0x7f;
        const bool is_safe = is_ascii && (strchr("-._~", c) || (c >= '0' && c <= '9') ||
                                          (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
        buf_putc(&plain, is_ascii && c != '"' && c != '\\' && c != '%' ? (char)c : '_');
        if (is_safe) {
            buf_putc(&extended_name, (char)c);
        } else {
            buf_putc(&extended_name, '%');
            buf_putc(&extended_name, hex[c >> 4]);
            buf_putc(&extended_name, hex[c & 15]);
        }
    }
    return arena_printf(a, "attachment; filename=\"%s\"; filename*=UTF-8''%s", buf_text(&plain),
                        buf_text(&extended_name));
}

/* ---- what it is ----------------------------------------------------------------------------- */

static const struct {
    size_t at, len;
    const char *bytes, *type;
} magics[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
    {0, 3, "\xff\xd8\xff", "image/jpeg"},
    {0, 6, "GIF87a", "image/gif"},
    {0, 6, "GIF89a", "image/gif"},
    {8, 4, "WEBP", "image/webp"},
    {0, 5, "%PDF-", "application/pdf"},
    {0, 4, "PK\x03\x04", "application/zip"},
    {0, 2, "\x1f\x8b", "application/gzip"},
    {0, 4, "\x28\xb5\x2f\xfd", "application/zstd"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
    {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
    {4, 8, "ftypmp42", "video/mp4"},
    {4, 8, "ftypisom", "video/mp4"},
    {0, 4, "OggS", "application/ogg"},
    {0, 3, "ID3", "audio/mpeg"},
};

/* Text as far as one can see: the last character may be cut. */
static bool is_text(const unsigned char *bytes, size_t len)
{
    const char *s = (const char *)bytes;
    uint32_t c;

    for (size_t i = 0; i < len;) {
        const int n = str_utf8_char(s + i, len - i, &c);
        if (!n)
            return len - i < 4 && i > 0;
        if (c == 0 || (c < 0x20 && !strchr("\t\n\r\f\x1b", (int)c)))
            return false;
        i += (size_t)n;
    }
    return len > 0;
}

const char *upload_sniff(const unsigned char *bytes, size_t len)
{
    for (int i = 0; i < ARRAY_LEN(magics); i++) {
        if (len >= magics[i].at + magics[i].len &&
            memcmp(bytes + magics[i].at, magics[i].bytes, magics[i].len) == 0)
            return magics[i].type;
    }
    return is_text(bytes, len) ? "text/plain" : "application/octet-stream";
}

enum rc upload_type(struct ctx *cx, const char *path, const char **ret)
{
    unsigned char head[4096];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));
    const int error = errno;

    if (fd >= 0)
        close(fd);
    if (n < 0) {
        fail(cx, E_FAIL, NULL, "the file that was sent cannot be read");
        return fail_detail(cx, E_FAIL, "%s: errno %d", path, error);
    }
    *ret = upload_sniff(head, (size_t)n);
    return OK;
}

/* ---- where it is kept ----------------------------------------------------------------------- */

const char *upload_path(struct arena *a, const struct server *s, const char *sha256)
{
    return arena_printf(a, "%s/%.2s/%s", s->blobs, sha256, sha256);
}

static enum rc cannot_keep(struct ctx *cx, const char *step)
{
    const int error = errno;

    fail(cx, E_FAIL, NULL, "the file cannot be kept");
    return fail_detail(cx, E_FAIL, "%s: errno %d", step, error);
}

static enum rc sync_file(struct ctx *cx, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_keep(cx, "open");
    const int rc = fdatasync(fd);
    close(fd);
    return rc < 0 ? cannot_keep(cx, "fdatasync") : OK;
}

/* One that is there already was synced by whoever put it there, or by the one before. */
static bool is_kept(const char *path, int64_t size)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size == size;
}

enum rc upload_keep(struct ctx *cx, const struct call *c)
{
    const struct request *rq = c->request;
    const char *path = upload_path(cx->arena, c->server, rq->spool_sha256);
    const char *folder = arena_printf(cx->arena, "%s/%.2s", c->server->blobs, rq->spool_sha256);

    if (is_kept(path, rq->spool_len))
        return folder_sync(cx, folder);
    TRY(folder_make(cx, folder));
    TRY(sync_file(cx, rq->spool));
    if (rename(rq->spool, path) < 0)
        return cannot_keep(cx, "rename");
    TRY(folder_sync(cx, folder));
    return folder_sync(cx, c->server->blobs);
}
