/* options.c - reads a command line by the command's table. getopt_long is not used because the
 * table must also feed help, man pages and completion, and because a wrong word deserves a hint. It
 * prints nothing but usage errors. */
#include "options.h"

#include "output.h"

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option common[] = {
    CLI_ROW_FLAG("json", 'j', "print JSON: one object, or one line a result"),
    CLI_ROW_FLAG("quiet", 'q', "no progress and no notes on standard error"),
    CLI_ROW_FLAG("help", 'h', "show this text"),
};

const cli_option *cli_option_at(const cli_command *command, size_t index) {
    if (index < command->option_count)
        return &command->options[index];
    index -= command->option_count;
    size_t more = 0;
    for (const cli_option *option; command->more && (option = command->more(more)) != NULL; more++)
        if (more == index)
            return option;
    index -= more;
    return index < sizeof common / sizeof *common ? &common[index] : NULL;
}

int cli_usage(const cli_command *command, const char *format, ...) {
    va_list list;
    fprintf(stderr, "deeper %s: ", command->name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, " (deeper %s --help)\n", command->name);
    return CLI_USAGE;
}

int cli_unexpected(const cli_command *command, const char *word) {
    return cli_usage(command, "unexpected argument '%s'; usage: deeper %s [OPTIONS]%s%s", word,
                     command->name, *command->operands ? " " : "", command->operands);
}

/* -------------------------------------------------------------------------------------- parsing */

/* Position of an option by long name (`length` bytes of it), or by the letter of the short form;
 * the option count if there is none. */
static size_t option_find(const cli_command *command, const char *name, size_t length) {
    size_t i = 0;
    for (const cli_option *option; (option = cli_option_at(command, i)) != NULL; i++)
        if (strlen(option->name) == length && !memcmp(option->name, name, length))
            return i;
    return i;
}

static size_t letter_find(const cli_command *command, char letter) {
    size_t i = 0;
    for (const cli_option *option;
         (option = cli_option_at(command, i)) != NULL && option->letter != letter;)
        i++;
    return i;
}

/* word: behind its dashes, of which `length` bytes name an option. */
static cli_parsed option_unknown(const cli_command *command, const char *dashes, const char *word,
                                 size_t length) {
    const int shown = (int)(length < 64 ? length : 64);
    dp_nearest nearest = dp_nearest_to(word, length);
    const cli_option *option;
    for (size_t i = 0; length > 1 && (option = cli_option_at(command, i)) != NULL; i++)
        dp_nearest_offer(&nearest, option->name, strlen(option->name));
    if (nearest.name)
        cli_usage(command, "no option --%.*s; did you mean --%s?", shown, word, nearest.name);
    else
        cli_usage(command, "no option %s%.*s in this version%s", dashes, shown, word,
                  dashes[1] ? "" : "; a name that begins with '-' goes after --");
    return CLI_PARSED_BAD;
}

/* Whether `text` is one of the words of "a|b|c". */
static bool choice_listed(const char *choices, const char *text) {
    size_t length = strlen(text);
    while (*choices) {
        size_t word = strcspn(choices, "|");
        if (word == length && !memcmp(choices, text, length))
            return true;
        choices += word + (choices[word] == '|');
    }
    return false;
}

static bool number_ok(const cli_option *option, const char *text) {
    char *end;
    errno = 0;
    double value = option->kind == CLI_REAL ? strtod(text, &end)
                   : *text == '-'           ? (double)strtoll(text, &end, 10)
                                            : (double)strtoull(text, &end, 10);
    return end != text && !*end && !errno && isfinite(value) && value >= option->min
           && value <= option->max;
}

/* Checks a value by its row; false after a usage line. */
static bool value_ok(const cli_command *command, const cli_option *option, const char *text) {
    dp_nearest nearest;
    char say[80];
    switch (option->kind) {
    case CLI_FLAG:
    case CLI_CHOICE:
        if (choice_listed(option->value, text))
            return true;
        nearest = dp_nearest_to(text, strlen(text));
        dp_nearest_offer_choices(&nearest, option->value);
        cli_usage(command,
                  strchr(option->value, '|') ? "--%s %s: this version takes one of %s%s"
                                             : "--%s %s: this version takes %s only%s",
                  option->name, text, option->value, dp_nearest_say(&nearest, say, sizeof say));
        return false;
    case CLI_INTEGER:
    case CLI_REAL:
        if (number_ok(option, text))
            return true;
        cli_usage(command, "--%s %s: must be a %s from %g to %g", option->name, text,
                  option->kind == CLI_INTEGER ? "whole number" : "number", option->min,
                  option->max);
        return false;
    default: /* any text, or what the command itself looks for */
        break;
    }
    return true;
}

/* Takes words[*at], "--name", "--name=value" or a run of letters "-qt4", with its value in the next
 * word if it needs one. */
static cli_parsed option_take(cli_args *args, int count, char **words, int *at) {
    const cli_command *command = args->command;
    const char *word = words[*at];
    bool is_long = word[1] == '-';
    for (const char *letter = word + (is_long ? 2 : 1);; letter++) {
        size_t length = is_long ? strcspn(letter, "=") : 1;
        size_t index =
            is_long ? option_find(command, letter, length) : letter_find(command, *letter);
        const cli_option *option = cli_option_at(command, index);
        if (!option)
            return option_unknown(command, is_long ? "--" : "-", letter, length);
        const char *rest = letter + length; /* "=value" or the letters that follow */
        if (option->kind == CLI_FLAG) {
            if (is_long && *rest && !option->value) {
                cli_usage(command, "--%s takes no value", option->name);
                return CLI_PARSED_BAD;
            }
            args->values[index] = is_long && *rest ? rest + 1 : option->value ? "" : "1";
            if (is_long && *rest)
                return value_ok(command, option, rest + 1) ? CLI_PARSED : CLI_PARSED_BAD;
            if (!strcmp(option->name, "help"))
                return CLI_PARSED_HELP;
            if (is_long || !*rest)
                return CLI_PARSED;
            continue;
        }
        const char *value = *rest ? rest + is_long : *at + 1 < count ? words[++*at] : NULL;
        if (!value || (!*rest && value[0] == '-' && value[1] == '-')) {
            cli_usage(command, "--%s needs a value: %s", option->name, option->value);
            return CLI_PARSED_BAD;
        }
        args->values[index] = value;
        return value_ok(command, option, value) ? CLI_PARSED : CLI_PARSED_BAD;
    }
}

cli_parsed cli_parse(cli_args *args, const cli_command *command, int count, char **words) {
    *args = (cli_args){ .command = command, .operands = words };
    for (int at = 0; at < count; at++) {
        char *word = words[at];
        if (!strcmp(word, "--")) {
            while (++at < count)
                args->operands[args->operand_count++] = words[at];
            break;
        }
        if (word[0] != '-' || !word[1]) {
            args->operands[args->operand_count++] = word;
            continue;
        }
        cli_parsed parsed = option_take(args, count, words, &at);
        if (parsed != CLI_PARSED)
            return parsed;
    }
    if (args->operand_count < command->min_operands) {
        cli_usage(command, "%s is missing", command->operands);
        return CLI_PARSED_BAD;
    }
    if (args->operand_count > command->max_operands) {
        cli_unexpected(command, args->operands[command->max_operands]);
        return CLI_PARSED_BAD;
    }
    return CLI_PARSED;
}

/* -------------------------------------------------------------------------------------- getters */

static size_t option_index(const cli_args *args, const char *name) {
    size_t index = option_find(args->command, name, strlen(name));
    assert(cli_option_at(args->command, index)
           && "a getter names an option that its table does not have");
    return index;
}

bool cli_has(const cli_args *args, const char *name) {
    return cli_option_at(args->command, option_find(args->command, name, strlen(name))) != NULL;
}

bool cli_given(const cli_args *args, const char *name) {
    return args->values[option_index(args, name)] != NULL;
}

bool cli_flag(const cli_args *args, const char *name) {
    return cli_given(args, name);
}

const char *cli_text(const cli_args *args, const char *name) {
    size_t index = option_index(args, name);
    return args->values[index] ? args->values[index]
                               : cli_option_at(args->command, index)->fallback;
}

int cli_choice(const cli_args *args, const char *name) {
    const char *choices = cli_option_at(args->command, option_index(args, name))->value,
               *text = cli_text(args, name);
    size_t length = strlen(text);
    int at = 0;
    for (size_t word;
         (word = strcspn(choices, "|")) != length || memcmp(choices, text, length) != 0; at++)
        choices += word + 1;
    return at;
}

int cli_integer(const cli_args *args, const char *name) {
    const char *text = cli_text(args, name);
    return text ? (int)strtol(text, NULL, 10) : 0;
}

uint64_t cli_count(const cli_args *args, const char *name) {
    const char *text = cli_text(args, name);
    return text ? strtoull(text, NULL, 10) : 0;
}

double cli_real(const cli_args *args, const char *name) {
    const char *text = cli_text(args, name);
    return text ? strtod(text, NULL) : 0;
}

char *cli_shell_word(const char *word) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    dp_put_shell_word(cli_file_sink, out, word);
    return fclose(out) ? NULL : text;
}

char *cli_command_line(const cli_args *args) {
    char *text = NULL;
    size_t size = 0;
    const cli_option *option;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "deeper %s", args->command->name);
    for (size_t i = 0; (option = cli_option_at(args->command, i)) != NULL; i++) {
        if (!args->values[i])
            continue;
        fprintf(out, " --%s", option->name);
        if (option->kind == CLI_FLAG)
            continue;
        putc(' ', out);
        dp_put_shell_word(cli_file_sink, out, args->values[i]);
    }
    for (size_t i = 0; i < args->operand_count; i++) {
        putc(' ', out);
        dp_put_shell_word(cli_file_sink, out, args->operands[i]);
    }
    return fclose(out) ? NULL : text;
}
