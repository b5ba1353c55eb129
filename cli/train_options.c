/* train_options.c - see train_options.h. */
#include "train_options.h"

#include <string.h>

static cli_kind kind_of(deeper_option_kind kind) {
    switch (kind) {
    case DEEPER_OPTION_INT:
    case DEEPER_OPTION_COUNT:
        return CLI_INTEGER;
    case DEEPER_OPTION_NUMBER:
        return CLI_REAL;
    case DEEPER_OPTION_FLAG:
        return CLI_FLAG;
    case DEEPER_OPTION_PATH:
        return CLI_FILE;
    case DEEPER_OPTION_CHOICE:
        return CLI_CHOICE;
    case DEEPER_OPTION_TEXT:
    case DEEPER_OPTION_LIST:
        break;
    }
    return CLI_TEXT;
}

const cli_option *cli_train_option(cli_option *option, const deeper_option *row,
                                   const cli_train_row *own) {
    *option = (cli_option){ .name = row->word,
                            .letter = own ? own->letter : 0,
                            .kind = own && own->kind ? own->kind : kind_of(row->kind),
                            .value = row->value,
                            .fallback = own && own->fallback ? own->fallback : row->fallback,
                            .min = row->min,
                            .max = row->max,
                            .help = own && own->help ? own->help : row->help };
    return option;
}

const deeper_option *cli_train_find(const char *word) {
    const deeper_option *row;
    for (size_t i = 0; (row = deeper_train_option(i)) != NULL; i++)
        if (!strcmp(row->word, word))
            break;
    return row;
}

bool cli_train_fill(const cli_args *args, deeper_train_options *train) {
    const deeper_option *row;
    for (size_t i = 0; (row = deeper_train_option(i)) != NULL; i++) {
        deeper_error error = { 0 };
        if (!cli_has(args, row->word) || !cli_text(args, row->word))
            continue;
        if (deeper_train_set(train, row->name, cli_text(args, row->word), &error)) {
            cli_usage(args->command, "%s", error.message);
            return false;
        }
    }
    return true;
}
