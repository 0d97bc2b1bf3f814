/* cli_run.h - a database for commands that work in their own process. */
#ifndef EDGE_CLI_RUN_H
#define EDGE_CLI_RUN_H

#include "edge/cli.h"

struct server;

/* Opened, and closed with the arena of cx. With SQLite nobody else may have it open: E_CONFLICT
 * says what to do. */
enum rc run_open(struct ctx *cx, struct cli *c, struct server **ret);

/* The same with migrations applied and the process files in force (cx->defs). */
enum rc run_prepare(struct ctx *cx, struct cli *c, struct server **ret);

#endif
