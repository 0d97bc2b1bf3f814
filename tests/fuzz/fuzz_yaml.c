/* fuzz_yaml.c - any text is a tree with places or a refusal that names one. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/ctx.h"
#include "base/yaml.h"

static void walk(const struct yaml *node, int depth)
{
    assert(depth <= 32);
    assert(node->line > 0 && node->column > 0);
    switch (node->kind) {
    case YAML_SCALAR:
        assert(node->text);
        break;
    case YAML_LIST:
        for (int i = 0; i < node->count; i++)
            walk(&node->items[i], depth + 1);
        break;
    case YAML_MAP:
        for (int i = 0; i < node->count; i++) {
            walk(&node->pairs[i].value, depth + 1);
            assert(yaml_get(node, node->pairs[i].key.text) == &node->pairs[i].value);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx cx = {.arena = arena_create()};
    const struct yaml *root = NULL;
    enum rc rc = yaml_parse(&cx, "fuzz.yaml", (const char *)data, size, &root);
    if (rc == OK)
        walk(root, 0);
    else
        assert(cx.err.text && strncmp(cx.err.text, "fuzz.yaml:", 10) == 0);
    arena_destroy(cx.arena);
    return 0;
}
