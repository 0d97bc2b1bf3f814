/* cli_out.h - lists and things as a table, JSON or CSV on standard output.
 *
 * What a server sends is text by strangers: tables show control characters instead of sending them
 * to the terminal, and CSV cells that a spreadsheet would take for a formula get an apostrophe.
 */
#ifndef EDGE_CLI_OUT_H
#define EDGE_CLI_OUT_H

#include "edge/cli.h"

struct column {
    const char *heading; /* "OPENED BY" */
    const char *member;  /* "opened_by", or "group.name" in what is nested */
    bool is_number;      /* to the right */
};

/* rows: a list of maps. JSON has all members, table and CSV these columns; ended by a row without
 * heading. */
void out_list(struct cli *c, const struct column *columns, struct val rows);

/* The same piece by piece, for lists that are too long to hold: what the first piece needs decides
 * how wide the columns of a table are. scratch is used up by each piece. */
struct out {
    struct cli *c;
    const struct column *columns;
    int *widths; /* NULL before the first piece */
    int64_t count;
};
struct out out_begin(struct cli *c, const struct column *columns);
void out_rows(struct out *o, struct arena *scratch, struct val rows);
void out_end(struct out *o);

/* Columns out of the names that a person gave: "number,title,group". */
const struct column *out_columns(struct arena *a, const char *names);

/* One thing: JSON as it is; table and CSV two columns, name and value, nested names dotted. */
void out_one(struct cli *c, struct val thing);

/* The format asked for: "table" (also without -o), "json", "csv". */
const char *out_format(const struct cli *c);

/* One cell of a value: text as it is, numbers, yes and no, lists by commas, things by their name.
 */
const char *out_cell(struct arena *a, const struct val *v);

/* The text with control and direction characters shown as \x1b or \u202e; for terminals. */
const char *out_safe(struct arena *a, const char *text);

/* Cells on the screen that the text takes. */
int out_width(const char *text);

/* One line of CSV. */
void out_csv(struct buf *out, const char *const *cells, int count);

#endif
