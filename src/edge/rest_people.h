/* rest_people.h - what the handlers about people, groups and organisations share. */
#ifndef EDGE_REST_PEOPLE_H
#define EDGE_REST_PEOPLE_H

#include "auth/people.h"
#include "edge/route.h"

extern const struct shape people_query_shape[], people_output_of_people[];
struct people_query people_query_of(const struct request *rq);

/* A member of the body overwrites what is there; one that was not sent leaves it. */
void people_take_text(const struct call *c, const char *name, const char **to);
void people_take_id(const struct call *c, const char *name, int64_t *to);

/* E_STALE unless If-Match names this revision, or any. */
enum rc people_check_revision(struct ctx *cx, const struct call *c, int64_t revision);
void people_etag(struct ctx *cx, struct call *c, int64_t revision);

void people_write_person(struct ctx *cx, struct json *j, const struct person *p);

#endif
