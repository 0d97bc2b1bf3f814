/* cli.h - the command line: one table of commands.
 *
 * A row says all there is to say about a command: its words, what it takes, help, examples, flags
 * and the function that runs it. Parsing, `--help`, the manual page doc/command-line.md and the
 * completion for bash are made from the rows. A function does its work, writes data to c->out and
 * returns; messages, colours and exit codes are looked after here.
 *
 *   exit 0   done
 *        1   not done; standard error says why
 *        2   the command was not understood
 *        75  not now: the server is not there, or busy (EX_TEMPFAIL of sysexits.h)
 *
 * Data goes to standard output, everything else to standard error. Nothing is asked unless both
 * standard input and standard error are terminals.
 */
#ifndef EDGE_CLI_H
#define EDGE_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/val.h"

struct door;
struct settings;

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LATER = 75 };

/* ---- the table ------------------------------------------------------------------------------ */

enum flag_kind { FLAG_SWITCH, FLAG_TEXT, FLAG_INT, FLAG_FILE, FLAG_FOLDER };

struct flag {
    const char *name; /* "limit" */
    enum flag_kind kind;
    char letter;         /* 0: only the long form */
    const char *value;   /* what help calls its value: "N"; NULL of a switch */
    const char *choices; /* by space; NULL: any */
    const char *help;
};

struct cli;
typedef enum rc (*command_fn)(struct ctx *cx, struct cli *c);

enum command_use {
    USE_SETTINGS = 1, /* takes every setting as a flag: --http.listen=... */
    USE_SERVER = 2,   /* asks a server (see cli_ask.h): --url, --socket, --token-file; implies 1 */
    USE_OUTPUT = 4,   /* -o table, json or csv */
};

struct command {
    const char *words;        /* "record list" */
    const char *arguments;    /* "NUMBER FIELD=VALUE..."; NULL: none */
    int least, most;          /* how many; most -1: any */
    const char *help;         /* one line */
    const char *more;         /* paragraphs below it; NULL: none */
    const char *examples;     /* lines: the command, two spaces, "# what it does" */
    const struct flag *flags; /* ended by a row without name; NULL: none */
    int use;
    command_fn run;
};

extern const struct command *const command_tables[]; /* each ended by a row without words */
const struct command *const *command_all(struct arena *a, int *ret_count);

/* Flags of other than the command itself: for all, for those that ask a server, that print. */
extern const struct flag cli_common_flags[], cli_server_flags[], cli_output_flags[];

/* ---- one call ------------------------------------------------------------------------------- */

struct cli {
    const struct command *command;
    const char *const *args; /* NULL at the end */
    int arg_count;
    struct list given;               /* of struct cli_given */
    struct list setting_flags;       /* of const char *: "--name=value" */
    const struct settings *settings; /* NULL unless the command uses them */
    const char *settings_file;       /* that was read; NULL: none */
    struct buf out;                  /* data; written when the command is done, or by cli_flush() */
    struct door *door;               /* to the server, once it was asked; see cli_ask.h */
    bool has_colour;                 /* standard output */
    bool tells_colour;               /* standard error */
    bool is_watched;                 /* standard error is a terminal */
    int code;                        /* of a command that worked and still says no: 0 or 1 */
};

/* A flag as given; the last one counts. */
const char *cli_text(const struct cli *c, const char *flag); /* NULL: not given */
int64_t cli_int(const struct cli *c, const char *flag, int64_t otherwise);
bool cli_is(const struct cli *c, const char *flag);

/* The command was not understood: E_INVALID that ends with exit 2. */
enum rc cli_usage(struct ctx *cx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Write what c->out holds now; E_FAIL when nobody takes it any more. */
enum rc cli_flush(struct ctx *cx, struct cli *c);

/* One line on standard error, prefixed with nothing; control characters are shown, not sent. */
void cli_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Is it really meant? Yes with --yes; asks on a terminal; else E_INVALID that names --yes. */
enum rc cli_confirm(struct ctx *cx, const struct cli *c, const char *question);

/* All of standard input, or of a file; "-" is standard input. At most 1 MiB. */
enum rc cli_read(struct ctx *cx, const char *path, const char **ret);

int cli_main(int argc, char **argv);

/* ---- help (cli_help.c) ---------------------------------------------------------------------- */

void help_overview(struct buf *out, bool has_colour);
void help_command(const struct command *m, struct buf *out, bool has_colour);
void help_group(const char *word, struct buf *out, bool has_colour); /* all that begin with it */
void help_manual(struct buf *out);                                   /* Markdown */
void help_completion(struct buf *out);                               /* for bash */

#endif
