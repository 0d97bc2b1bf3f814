/* cli_files.h - process files named on the command line. */
#ifndef EDGE_CLI_FILES_H
#define EDGE_CLI_FILES_H

#include "edge/cli.h"

/* The files and folders in c->args ("-" is standard input), or the folder of the setting
 * `processes` without any; a list of struct process_file. Mappings of logs (*.mapping.yaml) in a
 * folder are passed over. */
enum rc files_read(struct ctx *cx, const struct cli *c, struct list *ret);

#endif
