/* view.h - things as they leave the server in JSON: one writer for each, used by all handlers.
 *
 * Ids are texts. People, groups and organisations are objects with id and name, records that are
 * linked to have number, process and title when the user may see them and are null otherwise. What
 * cannot be read just now leaves its failure in cx: dispatch() then answers that, unless something
 * was changed already.
 */
#ifndef EDGE_VIEW_H
#define EDGE_VIEW_H

#include "edge/route.h"
#include "rec/rec.h"

void view_id(struct json *j, int64_t id); /* 0 writes null */
void view_member_id(struct json *j, const char *name, int64_t id);
void view_member_instant(struct json *j, const char *name, int64_t at); /* 0 writes null */
void view_member_text(struct json *j, const char *name, const char *s); /* NULL writes null */

void view_person(struct ctx *cx, struct json *j, int64_t id);
void view_group(struct ctx *cx, struct json *j, int64_t id);
void view_organisation(struct ctx *cx, struct json *j, int64_t id);
void view_linked(struct ctx *cx, struct json *j, int64_t record_id);

/* A stored value of a field. */
void view_value(struct ctx *cx, struct json *j, const struct field *f, struct val v);

/* A record, cut to what the user may see of it. only: names of fields by comma, NULL for all.
 * Writes the members alone, so that the caller opens and closes and may add to them. */
void view_record_members(struct ctx *cx, struct json *j, const struct rec *r, const char *only);
void view_record(struct ctx *cx, struct json *j, const struct rec *r, const char *only);

/* What could be done with it: offers with the fields that are asked. */
void view_offers(struct ctx *cx, struct json *j, const struct rec *r, const struct list *offers);

/* One entry of a history or of the feed. */
void view_entry(struct ctx *cx, struct json *j, const struct entry *e);

/* {"data": [...]}: begin, then one value an item, then end. */
void view_data_begin(struct call *c);
void view_data_end(struct call *c);

/* {"data": [...], "page": {...}} ends; adds the Link field. count -1: not counted. */
void view_page_end(struct ctx *cx, struct call *c, const char *next_cursor);
void view_page_end_counted(struct ctx *cx, struct call *c, const char *next_cursor, int64_t count,
                           int64_t count_to);

/* Shapes of what is written here, for outputs. */
extern const struct shape view_person_shape[], view_group_shape[], view_linked_shape[],
    view_page_shape[], view_offer_shape[], view_entry_shape[];

#endif
