#include "base/yaml.h"

#include <stdarg.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/map.h"

#define MAX_DEPTH 32
#define MAX_BYTES ((size_t)1 << 20)

/* A list or map that is still open. */
struct level {
    struct yaml node;
    struct list children; /* of struct yaml, or of struct yaml_pair */
    struct map keys;      /* of a map: text to struct yaml, to find doubles */
    struct yaml key;      /* of a map: read, its value not yet */
    bool has_key;
};

struct reader {
    struct ctx *cx;
    const char *file;
    yaml_parser_t parser;
    struct level levels[MAX_DEPTH];
    int depth;
    int documents;
    bool is_done;
    struct yaml *root;
};

const struct yaml *yaml_get(const struct yaml *node, const char *key)
{
    if (!node || node->kind != YAML_MAP)
        return NULL;
    for (int i = 0; i < node->count; i++) {
        if (strcmp(node->pairs[i].key.text, key) == 0)
            return &node->pairs[i].value;
    }
    return NULL;
}

enum rc yaml_fail(struct ctx *cx, enum rc rc, const struct yaml *at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = arena_vprintf(cx->arena, fmt, args);
    va_end(args);
    return fail(cx, rc, NULL, "%s:%d:%d: %s", at->file, at->line, at->column, text);
}

static struct yaml node_at(const struct reader *r, enum yaml_kind kind, const yaml_mark_t *mark)
{
    return (struct yaml){
        .kind = kind,
        .line = (int)mark->line + 1,
        .column = (int)mark->column + 1,
        .file = r->file,
    };
}

static enum rc refuse(struct reader *r, const yaml_mark_t *mark, const char *text)
{
    const struct yaml at = node_at(r, YAML_SCALAR, mark);
    return yaml_fail(r->cx, E_MALFORMED, &at, "%s", text);
}

/* What libyaml says, which knows two places: that of the fault and that of what it is part of. */
static enum rc fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "this is not YAML";
    if (p->error == YAML_READER_ERROR)
        return fail(r->cx, E_MALFORMED, NULL, "%s: %s at byte %zu", r->file, problem,
                    p->problem_offset);
    const struct yaml at = node_at(r, YAML_SCALAR, &p->problem_mark);
    if (!p->context)
        return yaml_fail(r->cx, E_MALFORMED, &at, "%s", problem);
    return yaml_fail(r->cx, E_MALFORMED, &at, "%s (%s from line %d)", problem, p->context,
                     (int)p->context_mark.line + 1);
}

static enum rc take_key(struct reader *r, struct level *l, const struct yaml *key)
{
    if (key->kind != YAML_SCALAR)
        return yaml_fail(r->cx, E_MALFORMED, key, "a key must be a word, not a list or a map");
    l->key = *key;
    l->has_key = true;
    struct yaml *kept = arena_copy(r->cx->arena, key, sizeof(*key));
    const struct yaml *first = map_put(&l->keys, kept->text, kept);
    if (first)
        return yaml_fail(r->cx, E_MALFORMED, key, "'%s' is here twice, first in line %d", key->text,
                         first->line);
    return OK;
}

/* Puts a complete node where it belongs: the root, an item, a key or a value. */
static enum rc take_node(struct reader *r, const struct yaml *node)
{
    if (r->depth == 0) {
        r->root = arena_copy(r->cx->arena, node, sizeof(*node));
        return OK;
    }
    struct level *l = &r->levels[r->depth - 1];
    if (l->node.kind == YAML_LIST) {
        *(struct yaml *)list_add(r->cx->arena, &l->children, sizeof(*node)) = *node;
        return OK;
    }
    if (!l->has_key)
        return take_key(r, l, node);
    struct yaml_pair *pair = list_add(r->cx->arena, &l->children, sizeof(*pair));
    *pair = (struct yaml_pair){.key = l->key, .value = *node};
    l->has_key = false;
    return OK;
}

static enum rc take_scalar(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    const size_t len = e->data.scalar.length;
    if (strlen(text) != len)
        return refuse(r, &e->start_mark, "a text must not contain the character NUL");
    struct yaml node = node_at(r, YAML_SCALAR, &e->start_mark);
    node.text = arena_strndup(r->cx->arena, text, len);
    node.is_quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return take_node(r, &node);
}

static enum rc open_level(struct reader *r, enum yaml_kind kind, const yaml_event_t *e)
{
    if (r->depth == MAX_DEPTH)
        return refuse(r, &e->start_mark, "lists and maps are nested too deep");
    r->levels[r->depth++] = (struct level){
        .node = node_at(r, kind, &e->start_mark),
        .keys = {.arena = r->cx->arena},
    };
    return OK;
}

static enum rc close_level(struct reader *r)
{
    const struct level *l = &r->levels[--r->depth];
    struct yaml node = l->node;
    node.count = l->children.count;
    if (node.kind == YAML_LIST)
        node.items = l->children.at;
    else
        node.pairs = l->children.at;
    return take_node(r, &node);
}

static enum rc refuse_extras(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    if (anchor)
        return refuse(r, &e->start_mark, "anchors (&name) are not supported");
    if (tag)
        return refuse(r, &e->start_mark, "tags (!name) are not supported");
    return OK;
}

static enum rc take_event(struct reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (r->documents++)
            return refuse(r, &e->start_mark, "a second document begins here; one is allowed");
        return OK;
    case YAML_ALIAS_EVENT:
        return refuse(r, &e->start_mark, "aliases (*name) are not supported");
    case YAML_SCALAR_EVENT:
        TRY(refuse_extras(r, e, e->data.scalar.anchor, e->data.scalar.tag));
        return take_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        TRY(refuse_extras(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag));
        return open_level(r, YAML_LIST, e);
    case YAML_MAPPING_START_EVENT:
        TRY(refuse_extras(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag));
        return open_level(r, YAML_MAP, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_level(r);
    case YAML_STREAM_END_EVENT:
        r->is_done = true;
        return OK;
    default:
        return OK;
    }
}

static enum rc read_all(struct reader *r)
{
    while (!r->is_done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event))
            return fail_parser(r);
        const enum rc rc = take_event(r, &event);
        yaml_event_delete(&event);
        TRY(rc);
    }
    return OK;
}

enum rc yaml_parse(struct ctx *cx, const char *file, const char *text, size_t len,
                   const struct yaml **ret)
{
    if (len > MAX_BYTES)
        return fail(cx, E_TOO_LARGE, NULL, "%s: the file is larger than 1 MiB", file);
    struct reader *r = arena_alloc(cx->arena, sizeof(*r));
    r->cx = cx;
    r->file = arena_strdup(cx->arena, file);
    if (!yaml_parser_initialize(&r->parser))
        BUG("out of memory");
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, len);
    const enum rc rc = read_all(r);
    yaml_parser_delete(&r->parser);
    TRY(rc);

    if (!r->root) {
        const struct yaml nothing = {.kind = YAML_MAP, .line = 1, .column = 1, .file = r->file};
        r->root = arena_copy(cx->arena, &nothing, sizeof(nothing));
    }
    *ret = r->root;
    return OK;
}
