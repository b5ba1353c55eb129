/* main.c - the program: the table of commands, and the way from argv to one of them. See
 * commands.h. */
#include "app/models.h"
#include "commands.h"
#include "models.h"
#include "output.h"

#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = {
    &cli_command_classify, &cli_command_eval,    &cli_command_train,  &cli_command_summary,
    &cli_command_bench,    &cli_command_compare, &cli_command_detect, &cli_command_features,
    &cli_command_convert,  &cli_command_tune,    &cli_command_verify, &cli_command_pull,
    &cli_command_info,     &cli_command_help,
};

const cli_command *cli_command_at(size_t index) {
    return index < sizeof commands / sizeof *commands ? commands[index] : NULL;
}

const cli_command *cli_command_find(const char *name) {
    const cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        if (!strcmp(command->name, name))
            return command;
    return NULL;
}

/* What a word that is no command stands for, where it can be told: the command that takes it. */
static const char *command_for(const char *word) {
    if (cli_is_architecture(word))
        return "summary";
    if (app_published_find(word))
        return "info";
    return access(word, F_OK) == 0 ? "classify" : NULL;
}

int cli_command_unknown(const char *name) {
    dp_nearest nearest = dp_nearest_to(name, strlen(name));
    const char *meant = command_for(name);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        dp_nearest_offer(&nearest, commands[i]->name, strlen(commands[i]->name));
    if (meant)
        cli_error("no command '%s'; did you mean 'deeper %s %s'? ('deeper --help' lists the "
                  "commands)",
                  name, meant, name);
    else if (nearest.name)
        cli_error("no command '%s'; did you mean '%s'? ('deeper --help' lists them)", name,
                  nearest.name);
    else
        cli_error("no command '%s' ('deeper --help' lists them)", name);
    return CLI_USAGE;
}

/* A descriptor 0-2 that the caller closed would be given to the next file opened, and results would
 * be written into a model. The stand-in cannot be written to, so that lost output is still
 * noticed. */
static void keep_standard_files(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0
            && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(CLI_FAILED);
}

/* A model's file is mapped (deeper_model_options.mapped): one that another program shortens while
 * it is read is an error like any other. */
static void on_shortened(int number) {
    static const char line[] = "deeper: a file that is being read was shortened; run it again\n";
    ssize_t unused = write(STDERR_FILENO, line, sizeof line - 1);
    (void)unused;
    _exit(CLI_FAILED);
}

/* Whether --json is among the words, for help, which is shown before the rest is looked at. */
static bool wants_json(int count, char **words) {
    for (int i = 1; i < count; i++)
        if (!strcmp(words[i], "--json") || !strcmp(words[i], "-j"))
            return true;
    return false;
}

static void show_help(const cli_command *command, bool json) {
    cli_output_begin(json, false);
    if (json)
        cli_help_json(command);
    else if (command)
        cli_help_command(command);
    else
        cli_help_short();
}

int main(int count, char **words) {
    keep_standard_files();
    signal(SIGPIPE,
           SIG_DFL); /* `deeper ... | head` ends quietly even if our parent ignores the signal */
    signal(SIGBUS, on_shortened);
    cli_output_begin(false, false);
    if (count < 2 || !strcmp(words[1], "--help") || !strcmp(words[1], "-h")) {
        show_help(NULL, wants_json(count, words));
        return cli_output_end(CLI_DONE);
    }
    if (!strcmp(words[1], "--version") || !strcmp(words[1], "-V")) {
        printf("deeper %s\n", deeper_version());
        return cli_output_end(CLI_DONE);
    }
    const cli_command *command = cli_command_find(words[1]);
    if (!command)
        return cli_output_end(cli_command_unknown(words[1]));
    cli_args args;
    switch (cli_parse(&args, command, count - 2, words + 2)) {
    case CLI_PARSED_BAD:
        return cli_output_end(CLI_USAGE);
    case CLI_PARSED_HELP:
        show_help(command, wants_json(count, words));
        return cli_output_end(CLI_DONE);
    case CLI_PARSED:
        break;
    }
    cli_output_begin(cli_flag(&args, "json"), cli_flag(&args, "quiet"));
    return cli_output_end(command->run(&args));
}
