/* routes.c - the route table as JSON, for tests that have to know every row. */
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "edge/route.h"

int main(void)
{
    struct arena *arena = arena_create();
    struct buf out = {.arena = arena};
    struct json j = {.out = &out};
    int count;
    const struct route *const *all = route_all(&count);

    json_open(&j, '[');
    for (int i = 0; i < count; i++) {
        json_open(&j, '{');
        json_member_text(&j, "method", http_method_name(all[i]->method));
        json_member_text(&j, "path", all[i]->path);
        json_member_text(&j, "allow", all[i]->allow);
        json_member_text(&j, "name", all[i]->name);
        json_key(&j, "is_upload");
        json_flag(&j, all[i]->flags & ROUTE_UPLOAD);
        json_key(&j, "is_stream");
        json_flag(&j, all[i]->flags & ROUTE_STREAM);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    puts(buf_text(&out));
    arena_destroy(arena);
    return 0;
}
