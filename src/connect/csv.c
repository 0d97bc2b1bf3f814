/* CSV as RFC 4180 has it: quotes doubled inside quotes, line breaks inside quotes, CRLF or LF, an
 * optional byte order mark; the first row names the columns. */
#include <string.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/str.h"
#include "connect/gzip.h"
#include "connect/source.h"

#define MAX_CELL 65536
#define MAX_COLUMNS 500

enum place { CELL_START, IN_CELL, IN_QUOTES, AFTER_QUOTE };

struct csv {
    struct ctx *cx;
    char delimiter;
    row_fn fn;
    void *arg;
    struct list names;   /* of const char *, from the first row */
    struct arena *arena; /* of the row under way */
    struct list cells;   /* of const char * */
    struct buf cell;
    enum place place;
    bool was_cr;
    int64_t line, row_line;
    bool has_begun; /* something of the row was read */
    int bom;        /* bytes of a byte order mark seen; -1: none comes any more */
};

static void destroy_arena(void *arg)
{
    arena_destroy(arg);
}

struct csv *csv_create(struct ctx *cx, char delimiter, row_fn fn, void *arg)
{
    struct csv *c = arena_alloc(cx->arena, sizeof(*c));

    *c = (struct csv){.cx = cx, .delimiter = delimiter, .fn = fn, .arg = arg, .line = 1};
    c->arena = arena_create();
    arena_defer(cx->arena, destroy_arena, c->arena);
    c->cell.arena = c->arena;
    c->row_line = 1;
    return c;
}

static enum rc malformed_at(struct csv *c, int64_t line, const char *what)
{
    return fail(c->cx, E_MALFORMED, NULL, "line %lld: %s", (long long)line, what);
}

static enum rc malformed(struct csv *c, const char *what)
{
    return malformed_at(c, c->line, what);
}

static enum rc end_cell(struct csv *c)
{
    if (c->cells.count >= MAX_COLUMNS)
        return malformed_at(c, c->row_line, "too many columns");
    if (!str_is_utf8(buf_text(&c->cell), c->cell.len))
        return malformed_at(c, c->row_line, "not UTF-8");
    const char **cell = list_add(c->arena, &c->cells, sizeof(*cell));
    *cell = arena_strndup(c->arena, buf_text(&c->cell), c->cell.len);
    buf_clear(&c->cell);
    c->place = CELL_START;
    return OK;
}

static void take_names(struct csv *c)
{
    for (int i = 0; i < c->cells.count; i++) {
        const char **name = list_add(c->cx->arena, &c->names, sizeof(*name));
        *name = arena_strdup(c->cx->arena, ((const char **)c->cells.at)[i]);
    }
}

static enum rc give_row(struct csv *c)
{
    struct source_row row = {.line = c->row_line};
    const char *const *names = c->names.at;

    if (c->cells.count != c->names.count)
        return fail(c->cx, E_MALFORMED, NULL, "line %lld: %d columns where the first row has %d",
                    (long long)c->row_line, c->cells.count, c->names.count);
    for (int i = 0; i < c->cells.count; i++) {
        struct attribute *a = list_add(c->arena, &row.attributes, sizeof(*a));
        *a = (struct attribute){names[i], ((const char **)c->cells.at)[i]};
    }
    return c->fn(c->cx, &row, c->arg);
}

static enum rc end_row(struct csv *c)
{
    TRY(end_cell(c));
    const bool is_blank = c->cells.count == 1 && !*((const char **)c->cells.at)[0];
    enum rc rc = OK;

    if (!c->names.count && !is_blank)
        take_names(c);
    else if (!is_blank)
        rc = give_row(c);
    arena_reset(c->arena);
    c->cells = (struct list){0};
    c->cell = (struct buf){.arena = c->arena};
    c->has_begun = false;
    c->row_line = c->line;
    return rc;
}

static enum rc add_char(struct csv *c, char ch)
{
    if (c->cell.len >= MAX_CELL)
        return malformed(c, "a cell is too long");
    buf_putc(&c->cell, ch);
    return OK;
}

static enum rc take_plain(struct csv *c, char ch)
{
    if (ch == c->delimiter)
        return end_cell(c);
    if (ch == '\n')
        return end_row(c);
    if (ch == '\r')
        return OK;
    if (ch == '"' && c->place == CELL_START) {
        c->place = IN_QUOTES;
        return OK;
    }
    if (c->place == AFTER_QUOTE)
        return malformed(c, "something follows a closing quote");
    if (!ch)
        return malformed(c, "a NUL character");
    c->place = IN_CELL;
    return add_char(c, ch);
}

static enum rc take(struct csv *c, char ch)
{
    c->has_begun = true;
    c->line += ch == '\n';
    if (c->place == IN_QUOTES && ch == '"') {
        c->place = AFTER_QUOTE;
        return OK;
    }
    if (c->place == IN_QUOTES)
        return ch ? add_char(c, ch) : malformed(c, "a NUL character");
    if (c->place == AFTER_QUOTE && ch == '"') {
        c->place = IN_QUOTES;
        return add_char(c, ch);
    }
    return take_plain(c, ch);
}

/* Whether this byte belongs to a mark at the very beginning, which is passed over. */
static bool is_mark(struct csv *c, char ch)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (c->bom < 0 || c->bom > 2 || ch != mark[c->bom]) {
        c->bom = -1;
        return false;
    }
    c->bom++;
    return true;
}

enum rc csv_add(struct csv *c, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_mark(c, bytes[i]))
            TRY(take(c, bytes[i]));
    }
    return OK;
}

enum rc csv_finish(struct csv *c)
{
    if (c->place == IN_QUOTES)
        return malformed(c, "the file ends inside quotes");
    return c->has_begun ? end_row(c) : OK;
}

static enum rc add_piece(void *arg, const char *bytes, size_t len)
{
    return csv_add(arg, bytes, len);
}

enum rc csv_read(struct ctx *cx, const char *path, char delimiter, row_fn fn, void *arg,
                 struct source_progress *progress)
{
    struct csv *c = csv_create(cx, delimiter, fn, arg);
    TRY(gzip_read(cx, path, add_piece, c, &progress->read, &progress->size));
    return csv_finish(c);
}

const char *row_get(const struct source_row *row, const char *name)
{
    const struct attribute *a = row->attributes.at;

    for (int i = 0; i < row->attributes.count; i++) {
        if (str_equal(a[i].name, name))
            return a[i].value;
    }
    return NULL;
}
