/* target.h - what a request asks for: the request target, taken apart. Pure.
 *
 * One path has one spelling: a target that would need to be normalised (dot segments, empty
 * segments, an encoded slash) is refused, never repaired, so that no rule about paths can be passed
 * by writing the path differently.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/http.h"

/* Fills path and query of rq from rq->target. host is the Host field; an absolute target must name
 * the same. 0, or the status of the refusal. "OPTIONS *" gives the path "*". */
int target_parse(struct request *rq, const char *host);

/* Is it a host and an optional port, as in Host and in absolute targets? */
bool target_is_authority(const char *s);

#endif
