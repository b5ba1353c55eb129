/* commands.h - the commands, one a file command_NAME.c, and the table that main.c makes of them. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const cli_command cli_command_classify, cli_command_eval, cli_command_summary,
    cli_command_train, cli_command_bench, cli_command_compare, cli_command_convert,
    cli_command_detect, cli_command_verify, cli_command_features, cli_command_tune,
    cli_command_pull, cli_command_info, cli_command_help;

/* The commands in the order in which help shows them; NULL past the last. */
const cli_command *cli_command_at(size_t index);
const cli_command *cli_command_find(const char *name);

/* "deeper: no command 'X'; did you mean ...?" on stderr; returns CLI_USAGE. */
int cli_command_unknown(const char *name);

/* help.c: texts on stdout. */
void cli_help_short(void); /* what one can do, in three lines and a list */
void cli_help_command(const cli_command *command);

void cli_help_json(const cli_command *command); /* NULL: of all */

/* The vocabulary of JSON: as the table of docs/JSON.md, or as JSON. */
void cli_help_keys(void);

#endif
