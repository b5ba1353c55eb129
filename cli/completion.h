/* completion.h - what a shell needs to complete a command line, from the tables of commands,
 * published models and architectures. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#define CLI_SHELLS "bash|zsh|fish"

/* Prints the file for the shell at that place of CLI_SHELLS. */
void cli_print_completion(int shell);

#endif
