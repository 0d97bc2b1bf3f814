/* cli_parse.h - what was typed becomes a command, its arguments and its flags. */
#ifndef EDGE_CLI_PARSE_H
#define EDGE_CLI_PARSE_H

#include "edge/cli.h"

/* args: behind the program's name, NULL at the end. Everything lives in the arena of cx. */
struct wish {
    const struct command *command; /* NULL: none was named */
    const char *group;             /* the first word of several commands, named alone; or NULL */
    bool wants_help;
};

/* Fills what c knows from the arguments alone. E_INVALID in the manner of cli_usage(). */
enum rc cli_parse(struct ctx *cx, const char *const *args, struct cli *c, struct wish *ret);

/* The row of these words, or NULL. */
const struct command *command_find(const char *words);

#endif
