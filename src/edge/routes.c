/* The only list of modules that answer over HTTP. */
#include "edge/route.h"

extern const struct route session_routes[], people_routes[], group_routes[], record_routes[],
    act_routes[], around_routes[], attachment_routes[], event_routes[], notice_routes[],
    process_routes[], job_routes[], system_routes[];

/* clang-format off */
const struct route *const route_tables[] = {
    session_routes,
    people_routes,
    group_routes,
    record_routes,
    act_routes,
    around_routes,
    attachment_routes,
    event_routes,
    notice_routes,
    process_routes,
    job_routes,
    system_routes,
    NULL,
};
/* clang-format on */
