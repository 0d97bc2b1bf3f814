#include "edge/cli_out.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "base/time.h"

#define MAX_COLUMN 60 /* cells on the screen; the last column is not cut */

/* ---- text for terminals --------------------------------------------------------------------- */

struct range {
    uint32_t first, last;
};

static bool is_within(uint32_t c, const struct range *ranges, int count)
{
    for (int i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

/* What moves the cursor, changes the terminal or turns the direction of what follows. */
static bool is_unsafe(uint32_t c)
{
    static const struct range ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x2069}, {0xfeff, 0xfeff},
    };
    return is_within(c, ranges, ARRAY_LEN(ranges));
}

const char *out_safe(struct arena *a, const char *text)
{
    struct buf b = {.arena = a};
    uint32_t c;

    for (size_t left = strlen(text); left;) {
        const int n = str_utf8_char(text, left, &c);
        const size_t step = n > 0 ? (size_t)n : 1;
        if (n <= 0)
            buf_puts(&b, "?");
        else if (c == '\n' && left > 1)
            buf_puts(&b, " ");
        else if (is_unsafe(c) && c != '\n')
            buf_printf(&b, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        else if (c != '\n')
            buf_add(&b, text, step);
        text += step;
        left -= step;
    }
    return buf_text(&b);
}

/* The blocks that terminals draw two cells wide, and the marks that take none. */
int out_width(const char *text)
{
    static const struct range wide[] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    static const struct range none[] = {
        {0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
    int width = 0;
    uint32_t c;

    for (size_t left = strlen(text); left;) {
        const int n = str_utf8_char(text, left, &c);
        const size_t step = n > 0 ? (size_t)n : 1;
        if (!is_within(c, none, ARRAY_LEN(none)))
            width += is_within(c, wide, ARRAY_LEN(wide)) ? 2 : 1;
        text += step;
        left -= step;
    }
    return width;
}

/* At most so many cells, with three dots where something is missing. */
static const char *cut(struct arena *a, const char *text, int most)
{
    const char *s = text;
    uint32_t c;

    if (out_width(text) <= most)
        return text;
    for (int width = 0; *s && width < most - 4;) {
        const int n = str_utf8_char(s, strlen(s), &c);
        s += n > 0 ? n : 1;
        width = out_width(arena_strndup(a, text, (size_t)(s - text)));
    }
    return arena_printf(a, "%.*s...", (int)(s - text), text);
}

/* ---- cells ---------------------------------------------------------------------------------- */

static const char *list_cell(struct arena *a, const struct val *v)
{
    struct buf b = {.arena = a};

    for (int i = 0; i < v->count; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", out_cell(a, &v->items[i]));
    return buf_text(&b);
}

/* A thing with a name of its own shows by it; anything else as JSON. */
static const char *map_cell(struct arena *a, const struct val *v)
{
    static const char *const names[] = {"name", "number", "login", "label", "text"};
    struct buf b = {.arena = a};

    for (int i = 0; i < ARRAY_LEN(names); i++) {
        if (val_get_text(v, names[i]))
            return val_get_text(v, names[i]);
    }
    json_val(&(struct json){.out = &b}, *v);
    return buf_text(&b);
}

const char *out_cell(struct arena *a, const struct val *v)
{
    switch (v ? v->kind : VAL_NULL) {
    case VAL_NULL:
        return "";
    case VAL_FLAG:
        return v->flag ? "yes" : "no";
    case VAL_INT:
        return arena_printf(a, "%lld", (long long)v->i);
    case VAL_REAL:
        return arena_printf(a, "%.15g", v->real);
    case VAL_TEXT:
        return v->text;
    case VAL_LIST:
        return list_cell(a, v);
    case VAL_MAP:
        return map_cell(a, v);
    }
    return "";
}

/* "group.name": the member of a member. */
static const struct val *find(struct arena *a, const struct val *v, const char *path)
{
    const char *dot = strchr(path, '.');
    const struct val *whole = val_get(v, path);

    if (whole || !dot)
        return whole;
    const struct val *inner = val_get(v, arena_strndup(a, path, (size_t)(dot - path)));
    return inner ? find(a, inner, dot + 1) : NULL;
}

/* ---- a grid of texts ------------------------------------------------------------------------ */

struct grid {
    const struct column *columns;
    int width, height;
    const char **cells; /* without headings */
};

static int column_count(const struct column *columns)
{
    int n = 0;
    while (columns[n].heading)
        n++;
    return n;
}

static struct grid make_grid(struct arena *a, const struct column *columns, struct val rows)
{
    struct grid g = {columns, column_count(columns), rows.count, NULL};

    g.cells = arena_array(a, (size_t)g.width * (size_t)g.height + 1, sizeof(*g.cells));
    for (int y = 0; y < g.height; y++) {
        for (int x = 0; x < g.width; x++)
            g.cells[y * g.width + x] = out_cell(a, find(a, &rows.items[y], columns[x].member));
    }
    return g;
}

static void pad(struct buf *out, int count)
{
    while (count-- > 0)
        buf_putc(out, ' ');
}

static void put_cell(struct buf *out, const char *text, int width, bool is_number, bool is_last)
{
    const int missing = width - out_width(text);

    pad(out, is_number ? missing : 0);
    buf_puts(out, text);
    pad(out, is_number || is_last ? 0 : missing);
    buf_puts(out, is_last ? "\n" : "  ");
}

static void measure(struct arena *a, struct out *o, const struct grid *g)
{
    o->widths = arena_array(a, (size_t)g->width + 1, sizeof(*o->widths));
    for (int x = 0; x < g->width; x++)
        o->widths[x] = out_width(g->columns[x].heading);
    for (int i = 0; i < g->width * g->height; i++) {
        const int width = out_width(g->cells[i]), x = i % g->width;
        o->widths[x] = width > o->widths[x] ? width : o->widths[x];
    }
}

static void print_headings(struct out *o, const struct grid *g)
{
    struct cli *c = o->c;

    buf_puts(&c->out, c->has_colour ? "\x1b[1m" : "");
    for (int x = 0; x < g->width; x++)
        put_cell(&c->out, g->columns[x].heading, o->widths[x], g->columns[x].is_number,
                 x == g->width - 1);
    buf_puts(&c->out, c->has_colour ? "\x1b[0m" : "");
}

/* Fractions of seconds are for programs. */
static const char *without_fraction(struct arena *a, const char *text)
{
    int64_t at;
    const bool is_instant =
        strlen(text) > 20 && text[10] == 'T' && text[19] == '.' && time_parse_instant(text, &at);
    return is_instant ? arena_printf(a, "%.19sZ", text) : text;
}

static void print_table(struct out *o, struct arena *scratch, struct grid *g)
{
    for (int i = 0; i < g->width * g->height; i++) {
        const bool is_last = i % g->width == g->width - 1;
        g->cells[i] = out_safe(scratch, without_fraction(scratch, g->cells[i]));
        g->cells[i] = is_last ? g->cells[i] : cut(scratch, g->cells[i], MAX_COLUMN);
    }
    if (!o->widths) {
        measure(o->c->out.arena, o, g);
        print_headings(o, g);
    }
    for (int i = 0; i < g->width * g->height; i++) {
        const int x = i % g->width;
        put_cell(&o->c->out, g->cells[i], o->widths[x], g->columns[x].is_number, x == g->width - 1);
    }
}

/* ---- CSV ------------------------------------------------------------------------------------ */

static bool is_plain_number(const char *s)
{
    s += *s == '-';
    const size_t digits = strspn(s, "0123456789");
    const size_t rest = s[digits] == '.' ? 1 + strspn(s + digits + 1, "0123456789") : 0;
    return digits && !s[digits + rest];
}

/* What a spreadsheet takes for a formula (CWE-1236), unless it is just a number. */
static bool is_formula(const char *s)
{
    return *s && strchr("=+-@\t\r", *s) && !is_plain_number(s);
}

void out_csv(struct buf *out, const char *const *cells, int count)
{
    for (int i = 0; i < count; i++) {
        const char *guard = is_formula(cells[i]) ? "'" : "";
        const bool is_quoted = strpbrk(cells[i], "\",\r\n") || *guard;
        buf_puts(out, i ? "," : "");
        buf_puts(out, is_quoted ? "\"" : "");
        buf_puts(out, guard);
        for (const char *s = cells[i]; *s; s++) {
            buf_puts(out, *s == '"' ? "\"" : "");
            buf_putc(out, *s);
        }
        buf_puts(out, is_quoted ? "\"" : "");
    }
    buf_puts(out, "\r\n");
}

static void print_csv(struct out *o, struct arena *scratch, const struct grid *g)
{
    const char **headings = arena_array(scratch, (size_t)g->width + 1, sizeof(*headings));

    for (int x = 0; x < g->width; x++)
        headings[x] = g->columns[x].member;
    if (!o->widths)
        out_csv(&o->c->out, headings, g->width);
    o->widths = arena_alloc(o->c->out.arena, sizeof(*o->widths)); /* the headings are written */
    for (int y = 0; y < g->height; y++)
        out_csv(&o->c->out, g->cells + y * g->width, g->width);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void print_json(struct out *o, struct val rows)
{
    struct buf *b = &o->c->out;

    for (int i = 0; i < rows.count; i++) {
        buf_puts(b, o->count + i ? ",\n " : "[");
        json_val(&(struct json){.out = b}, rows.items[i]);
    }
}

/* ---- what commands call --------------------------------------------------------------------- */

const char *out_format(const struct cli *c)
{
    const char *format = cli_text(c, "output");
    return format ? format : "table";
}

struct out out_begin(struct cli *c, const struct column *columns)
{
    return (struct out){.c = c, .columns = columns};
}

void out_rows(struct out *o, struct arena *scratch, struct val rows)
{
    const char *format = out_format(o->c);

    if (str_equal(format, "json")) {
        print_json(o, rows);
    } else {
        struct grid g = make_grid(scratch, o->columns, rows);
        if (str_equal(format, "csv"))
            print_csv(o, scratch, &g);
        else
            print_table(o, scratch, &g);
    }
    o->count += rows.count;
}

void out_end(struct out *o)
{
    if (!str_equal(out_format(o->c), "json"))
        return;
    buf_puts(&o->c->out, o->count ? "]\n" : "[]\n");
}

void out_list(struct cli *c, const struct column *columns, struct val rows)
{
    struct out o = out_begin(c, columns);

    out_rows(&o, c->out.arena, rows);
    out_end(&o);
}

static const char *heading_of(struct arena *a, const char *name)
{
    char *heading = arena_strdup(a, name);

    for (char *s = heading; *s; s++) {
        if (*s == '_' || *s == '.')
            *s = ' ';
        else if (*s >= 'a' && *s <= 'z')
            *s = (char)(*s - 'a' + 'A');
    }
    return heading;
}

const struct column *out_columns(struct arena *a, const char *names)
{
    struct list columns = {0};

    while (*names) {
        const size_t len = strcspn(names, ",");
        const char *name = str_trim(a, arena_strndup(a, names, len));
        if (*name)
            *(struct column *)list_add(a, &columns, sizeof(struct column)) =
                (struct column){heading_of(a, name), name, false};
        names += len + (names[len] == ',');
    }
    list_add(a, &columns, sizeof(struct column));
    return columns.at;
}

static void add_row(struct arena *a, struct list *rows, const char *name, struct val v)
{
    struct val_map row = {0};

    val_map_set(a, &row, "name", val_text(name));
    val_map_set(a, &row, "value", v);
    *(struct val *)list_add(a, rows, sizeof(struct val)) = val_from_map(&row);
}

/* A map in a map becomes dotted names, unless it has a name to show. */
static void flatten(struct arena *a, const char *prefix, const struct val *v, struct list *rows)
{
    for (int i = 0; v->kind == VAL_MAP && i < v->count; i++) {
        const struct member *m = &v->members[i];
        const char *name = arena_printf(a, "%s%s", prefix, m->name);
        const bool is_nested = m->val.kind == VAL_MAP && m->val.count &&
                               !val_get(&m->val, "name") && !val_get(&m->val, "number");
        if (is_nested)
            flatten(a, arena_printf(a, "%s.", name), &m->val, rows);
        else
            add_row(a, rows, name, m->val);
    }
}

void out_one(struct cli *c, struct val thing)
{
    static const struct column columns[] = {
        {"NAME", "name", false}, {"VALUE", "value", false}, {0}};
    struct list rows = {0};

    if (str_equal(out_format(c), "json")) {
        json_val(&(struct json){.out = &c->out}, thing);
        buf_puts(&c->out, "\n");
        return;
    }
    flatten(c->out.arena, "", &thing, &rows);
    out_list(c, columns, (struct val){.kind = VAL_LIST, .count = rows.count, .items = rows.at});
}
