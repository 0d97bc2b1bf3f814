/* rest.h - what the handlers about records share. */
#ifndef EDGE_REST_H
#define EDGE_REST_H

#include "edge/route.h"
#include "rec/rec.h"
#include "rec/rec_list.h"

/* The record of the path. One that has another process than the path says has another address:
 * E_NOT_FOUND with code "moved" and a Location. */
enum rc rest_record(struct ctx *cx, struct call *c, struct rec *ret);

/* Pass the gate with the record of the path: id and revision are filled in, the rest is the
 * caller's. */
enum rc rest_change(struct ctx *cx, struct call *c, struct change *change, struct outcome *ret);

/* The record as the body, with its ETag. */
void rest_reply(struct ctx *cx, struct call *c, const struct rec *r);

const char *rest_address(struct ctx *cx, const struct rec *r); /* "/api/v1/incident/INC-1" */

/* Answer with a page of records; process NULL: of all. */
enum rc rest_list(struct ctx *cx, struct call *c, const char *process, const char *sort);
extern const struct shape rest_list_query[], rest_list_output[], rest_record_output[];

#define COUNT_TO 10000 /* counts go so far */

#endif
