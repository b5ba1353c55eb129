/* train_options.h - the library's training options as options of a command: names, ranges, defaults
 * and help come from deeper_train_option. A command says only what is its own. */
#ifndef CLI_TRAIN_OPTIONS_H
#define CLI_TRAIN_OPTIONS_H

#include "options.h"

#include <deeper/deeper.h>

/* What a command has different from the library. */
typedef struct cli_train_row {
    const char *word;     /* of the option */
    char letter;          /* of the short form, or 0 */
    const char *fallback; /* NULL: the library's */
    const char *help;     /* NULL: the library's */
    cli_kind kind;        /* CLI_FLAG: the library's */
} cli_train_row;

/* Fills *option from the library's option and what differs (may be NULL). Returns option. */
const cli_option *cli_train_option(cli_option *option, const deeper_option *row,
                                   const cli_train_row *own);

/* The library's option for that word; NULL: there is none. */
const deeper_option *cli_train_find(const char *word);

/* Sets those options of `train` that the command has to what was given, or to the command's
 * fallback. False after a usage line. */
bool cli_train_fill(const cli_args *args, deeper_train_options *train);

#endif
