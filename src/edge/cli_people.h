/* cli_people.h - people, groups and organisations by the names that people use. */
#ifndef EDGE_CLI_PEOPLE_H
#define EDGE_CLI_PEOPLE_H

#include "edge/cli_ask.h"

enum named { NAMED_PERSON, NAMED_GROUP, NAMED_ORGANISATION };

/* The id behind a login or e-mail address (person) or a name; digits are an id already. E_NOT_FOUND
 * says what there is none of. */
enum rc people_find(struct ctx *cx, struct cli *c, enum named kind, const char *name,
                    const char **ret_id);

/* The same, as a member of a body; name NULL adds nothing. */
enum rc people_put(struct ctx *cx, struct cli *c, enum named kind, const char *name,
                   struct val_map *to, const char *member);

/* A flag's text as a member of a body; one that was not given adds nothing. */
void people_put_flag(struct ctx *cx, const struct cli *c, const char *flag, struct val_map *to,
                     const char *member);

#endif
