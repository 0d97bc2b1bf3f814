/* yaml.h - the part of YAML 1.1 that settings and process files are written in, as a tree.
 *
 * One document of scalars, lists and maps with scalar keys. Refused, because files that people
 * review should say what they mean in place: anchors and aliases, tags, a second document, a key
 * twice in one map, nesting past 32 levels, more than 1 MiB. Nothing is interpreted: a scalar is
 * the text as written, and whether it was quoted. What a plain "on", "5" or "~" means is the
 * reader's business, as are YAML 1.1's traps about them.
 *
 * The tree lives in the arena of the context. Every node knows its place, and yaml_fail() names it.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

struct ctx;

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_kind kind;
    bool is_quoted;   /* a scalar in quotes or a block (| or >) */
    const char *text; /* of a scalar, "" when nothing was written; NULL else */
    int count;        /* of a list's items or a map's pairs */
    union {
        const struct yaml *items;
        const struct yaml_pair *pairs; /* in the order written */
    };
    int line, column; /* where it begins, from 1 */
    const char *file; /* as it was given to yaml_parse() */
};

struct yaml_pair {
    struct yaml key; /* a scalar */
    struct yaml value;
};

/* file is the name that messages show. E_MALFORMED, "file:line:column: what is wrong", and
 * E_TOO_LARGE. A text without any document is an empty map. */
enum rc yaml_parse(struct ctx *cx, const char *file, const char *text, size_t len,
                   const struct yaml **ret);

/* The value under that key of a map, or NULL; NULL too when node is NULL or not a map. */
const struct yaml *yaml_get(const struct yaml *node, const char *key);

/* Fails as fail() does, with "file:line:column: " before the sentence. */
enum rc yaml_fail(struct ctx *cx, enum rc rc, const struct yaml *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
