/* The only list of modules that answer over HTTP. */
#include "edge/route.h"

extern const struct route system_routes[], session_routes[], record_routes[];

const struct route *const route_tables[] = {
    session_routes,
    record_routes,
    system_routes,
    NULL,
};
