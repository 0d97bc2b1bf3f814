/* cli_commands.c - the only list of command tables, and the flags that they share. */
#include "edge/cli.h"

extern const struct command run_commands[], record_commands[], process_commands[], check_commands[],
    people_commands[], access_commands[], import_commands[], system_commands[], local_commands[];

const struct command *const command_tables[] = {
    run_commands,    record_commands, process_commands, check_commands, people_commands,
    access_commands, import_commands, system_commands,  local_commands, NULL,
};

const struct flag cli_common_flags[] = {
    {"config", FLAG_FILE, 0, "FILE", NULL,
     "settings file; else FETTLE_CONFIG, or fettle.yaml in the data folder or /etc/fettle"},
    {"help", FLAG_SWITCH, 'h', NULL, NULL, "how this is used"},
    {"version", FLAG_SWITCH, 'V', NULL, NULL, "which fettle this is"},
    {0},
};

const struct flag cli_server_flags[] = {
    {"url", FLAG_TEXT, 0, "URL", NULL, "address of the server; else FETTLE_URL"},
    {"token-file", FLAG_FILE, 0, "FILE", NULL, "file with the API token; else FETTLE_TOKEN"},
    {"ca-file", FLAG_FILE, 0, "FILE", NULL, "certificates to trust beside the system's"},
    {"socket", FLAG_FILE, 0, "PATH", NULL, "local socket of the server; else FETTLE_SOCKET"},
    {0},
};

const struct flag cli_output_flags[] = {
    {"output", FLAG_TEXT, 'o', "FORMAT", "table json csv", "how to print"},
    {0},
};
