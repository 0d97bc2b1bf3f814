#include <string.h>

#include "lang/process_read.h"

static const struct process_file *file_of(const struct reading *r, const char *name)
{
    for (int i = 0; i < r->file_count; i++) {
        if (strcmp(r->files[i].name, name) == 0)
            return &r->files[i];
    }
    return NULL;
}

/* A place in the text of a file. Columns count characters, as everywhere. */
struct place {
    const char *at, *end;
    int line, column;
};

static void step(struct place *p)
{
    p->column += (*p->at & 0xc0) != 0x80;
    if (*p->at == '\n') {
        p->line++;
        p->column = 1;
    }
    p->at++;
}

static void go_to(struct place *p, int line, int column)
{
    while (p->at < p->end && p->line < line)
        step(p);
    while (p->at < p->end && *p->at != '\n' && p->column < column)
        step(p);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* From a scalar's beginning to the offset-th byte of its text. What stands between - quotes,
 * escapes, indentation, folded lines - is stepped over by looking for the text's next byte. */
static void go_along(struct place *p, const struct yaml *node, int offset)
{
    if (node->is_quoted && (*p->at == '|' || *p->at == '>'))
        go_to(p, p->line + 1, 1);
    else if (node->is_quoted)
        step(p);
    for (const char *c = node->text; p->at < p->end; c++, offset--) {
        if (!*c)
            return;
        while (p->at < p->end && (is_space(*c) ? !is_space(*p->at) : *p->at != *c))
            step(p);
        if (offset <= 0)
            return;
        if (p->at < p->end)
            step(p);
    }
}

static struct yaml place_in(const struct reading *r, const struct yaml *node, int offset)
{
    struct yaml at = *node;
    const struct process_file *file = file_of(r, node->file);
    if (!file)
        return at;
    struct place p = {file->text, file->text + file->len, 1, 1};
    go_to(&p, node->line, node->column);
    if (p.at < p.end)
        go_along(&p, node, offset);
    if (p.at < p.end) {
        at.line = p.line;
        at.column = p.column;
    }
    return at;
}

const struct expr *read_expr(struct reading *r, const struct expr_scope *scope,
                             const struct yaml *node, enum expr_want want,
                             const struct field *want_type)
{
    if (!is_scalar(r, node))
        return NULL;
    if (!*node->text) {
        find_error(r, node, "empty", "an expression is missing here");
        return NULL;
    }
    const struct expr *e = NULL;
    struct expr_fault fault = {0};
    if (expr_parse(r->cx, scope, node->text, want, want_type, &e, &fault) == OK)
        return e;
    fail_clear(r->cx);
    const struct yaml at = place_in(r, node, fault.at);
    find_error(r, &at, "expression", "%s", fault.text ? fault.text : "this is not an expression");
    return NULL;
}
