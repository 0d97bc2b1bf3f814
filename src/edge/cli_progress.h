/* cli_progress.h - how far long work is: a bar on a terminal, a line now and then elsewhere. */
#ifndef EDGE_CLI_PROGRESS_H
#define EDGE_CLI_PROGRESS_H

#include "edge/cli.h"

struct progress {
    const struct cli *c;
    const char *what; /* "rows" */
    int64_t started_at, told_at;
    bool is_shown;
};

struct progress progress_begin(const struct cli *c, const char *what);

/* done of whole in any unit; n things so far, for the rate. Cheap: shows only now and then. */
void progress_show(struct progress *p, int64_t done, int64_t whole, int64_t n);

/* Removes the bar. */
void progress_end(struct progress *p);

#endif
