/* around.h - what stands around a record: its parent and links, watchers, attachments, and who is
 * told. Inside the gate's transaction. Only rec/ includes it. */
#ifndef REC_AROUND_H
#define REC_AROUND_H

#include "flow/flow.h"
#include "rec/rec.h"

/* Any record, whoever asks: by number, or by id when number is NULL. */
enum rc rec_find(struct ctx *cx, const char *number, int64_t id, struct rec *ret);

/* Put the watchers into the record's values, for guards that ask for them. */
enum rc around_load_watchers(struct ctx *cx, struct rec *r);

/* A plan that sets a parent: no circle. */
enum rc around_check_parent(struct ctx *cx, const struct rec *r, const struct flow_plan *plan);

/* A plan that links by its fields, or moves the record to another organisation: no bond of the
 * record leads to another tenant afterwards. */
enum rc around_check_tenants(struct ctx *cx, const struct rec *r, const struct flow_plan *plan);

/* Set or remove a link as the change says; what it was goes into the event's body. */
enum rc around_link(struct ctx *cx, struct rec *r, const struct change *c, struct val_map *body,
                    bool *ret_is_nothing);
enum rc around_link_made(struct ctx *cx, int64_t from_id, int64_t to_id, const char *kind,
                         int64_t at);

/* The input of a record that an effect creates: what the file says, and from the record that acts
 * its organisation, caller and (for a child) itself as parent. */
struct val around_inherit(struct ctx *cx, struct val input, const struct val *slots, int64_t id,
                          const char *link);

enum rc around_attach(struct ctx *cx, const struct attachment *a, int64_t record_id,
                      int64_t event_id);

/* A notice for everybody whom the plan's messages are for, except who acted; one for each person,
 * of the first message in the file that is for them. */
enum rc around_tell(struct ctx *cx, const struct flow_plan *plan, int64_t record_id,
                    int64_t event_id);

#endif
