/* help.c - help texts and manual pages from the command tables, and the help command, which prints
 * these and shell completions (completion.c) for whoever packages the program. */
#include "commands.h"
#include "completion.h"
#include "output.h"

#include <deeper/deeper.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const cli_option options[] = {
    CLI_ROW_FLAG("man", 0, "print the manual page of COMMAND, or of deeper, in roff"),
    CLI_ROW_CHOICE("completion", 0, CLI_SHELLS, NULL, "print the completions for a shell"),
};

static const char about[] = "GoogLeNet (\"Going Deeper with Convolutions\") on an ordinary CPU";

/* ----------------------------------------------------------------------------------------- help */

void cli_help_short(void) {
    const cli_command *command;
    printf("deeper %s - %s\n\n", deeper_version(), about);
    puts("  deeper pull bvlc_googlenet          fetch published weights (1000 classes, 53 MB)");
    puts("  deeper classify cat.jpg photos/     say what is in pictures");
    puts("  deeper train --data photos/ --init bvlc_googlenet --out run\n"
         "                                      make a classifier of your own classes");
    puts("  deeper summary --arch googlenet     show the network as the paper's Table 1\n");
    puts("Commands:");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("  %-10s %s\n", command->name, command->summary);
    puts("\n'deeper COMMAND --help' shows the options of one; every command takes --json. 'deeper "
         "--version' prints the version.");
}

/* Columns of a help text: what the terminal has, or COLUMNS says, but no line longer than is good
 * to read. */
static int help_width(void) {
    enum { LEAST = 50, MOST = 100 };
    const char *given = getenv("COLUMNS");
    struct winsize size = { 0 };
    long columns = given ? strtol(given, NULL, 10) : 0;
    if (columns <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    return columns <= 0 || columns > MOST ? MOST : columns < LEAST ? LEAST : (int)columns;
}

/* Prints text wrapped at `width` columns, each line after `indent` blanks; the cursor stands at the
 * start of a line, or (begun) after what takes the place of the first line's blanks. Paragraphs end
 * in '\n'. */
static void print_wrapped(const char *text, int indent, int width, bool begun) {
    int column = begun ? indent : 0;
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + length > width) {
            putchar('\n');
            column = 0;
        }
        if (column < indent)
            column += printf("%*s", indent, "");
        column += printf("%s%.*s", column > indent ? " " : "", length, text);
        text += length;
        if (*text == '\n') {
            putchar('\n');
            column = 0;
        }
        text += *text != 0;
    }
    putchar('\n');
}

/* "-k, --top N" */
static void option_title(const cli_option *option, char *text, size_t size) {
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    const bool flag = option->kind == CLI_FLAG; /* its value may follow, behind '=' */
    snprintf(text, size, "%s--%s%s%s%s", letter, option->name,
             !option->value ? ""
             : flag         ? "[="
                            : " ",
             option->value ? option->value : "", option->value && flag ? "]" : "");
}

enum { LINE_SIZE = 256, HELP_SIZE = 512 };

/* Takes one line off *rest; false at the end. */
static bool example_next(const char **rest, char line[LINE_SIZE]) {
    size_t length = strcspn(*rest, "\n");
    size_t kept = length < LINE_SIZE ? length : LINE_SIZE - 1;
    memcpy(line, *rest, kept);
    line[kept] = 0;
    *rest += length + ((*rest)[length] != 0);
    return length > 0;
}

/* "  -k, --top N             classes to show a picture (default 5)", the help on a line of its own
 * below a title that is long, and nearer to the margin on a narrow terminal. */
static void print_option(const cli_option *option, int width) {
    char title[80], text[HELP_SIZE];
    int indent = width < 80 ? 10 : 30;
    option_title(option, title, sizeof title);
    snprintf(text, sizeof text, "%s%s%s%s", option->help, option->fallback ? " (default " : "",
             option->fallback ? option->fallback : "", option->fallback ? ")" : "");
    bool fits = (int)strlen(title) <= indent - 4;
    if (fits)
        printf("  %-*s  ", indent - 4, title);
    else
        printf("  %s\n", title);
    print_wrapped(text, indent, width, fits);
}

void cli_help_command(const cli_command *command) {
    const cli_option *option;
    char line[LINE_SIZE];
    int width = help_width();
    printf("deeper %s - %s\n\nusage: deeper %s [OPTIONS]%s%s\n\n", command->name, command->summary,
           command->name, *command->operands ? " " : "", command->operands);
    print_wrapped(command->description, 0, width, false);
    puts("\noptions:");
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++)
        print_option(option, width);
    puts("\nexamples:");
    for (const char *rest = command->examples; example_next(&rest, line);)
        printf("  %s\n", line);
}

/* --------------------------------------------------------------------------------- manual pages */

static const char exit_codes[] =
    ".SH EXIT STATUS\n"
    ".TP\n0\nDone.\n.TP\n1\nThe command failed; one line on standard error says why.\n"
    ".TP\n2\nThe command line is wrong.\n.TP\n3\nSome inputs could not be read; they are named, "
    "the rest is done.\n"
    ".TP\n4\nA threshold that was stated is not met.\n"
    ".TP\n130, 143\nEnded by an interrupt or a termination signal; a training run after it has "
    "saved a checkpoint.\n";

static const char environment[] =
    ".SH ENVIRONMENT\n"
    ".TP\nDEEPER_THREADS\nThreads to use where \\-\\-threads is not given.\n"
    ".TP\nDEEPER_TUNING\nThe file of \\fBdeeper tune\\fR to use, or \\fInone\\fR.\n"
    ".TP\nDEEPER_ISA\nForces an instruction set: portable, avx2, avx512 or neon.\n"
    ".TP\nDEEPER_MIRROR\nBase address or folder that pulled files come from.\n"
    ".TP\nXDG_DATA_HOME\nPulled models are kept in its folder deeper (default: ~/.local/share).\n"
    ".TP\nXDG_CACHE_HOME\nThe tuning is kept in its folder deeper (default: ~/.cache).\n"
    ".TP\nNO_COLOR\nIf not empty, no colours.\n";

/* Roff takes '-' as a hyphen, '\' as an escape, and '.' or '\'' at the start of a line as a
 * request. */
static void roff_text(const char *text) {
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && strchr(".'", *text))
            fputs("\\&", stdout);
        if (*text == '\n')
            fputs("\n.PP\n", stdout);
        else if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
}

static void roff_head(const char *title, const char *name, const char *summary) {
    printf(".TH %s 1 \"\" \"deeper %s\"\n.SH NAME\n", title, deeper_version());
    roff_text(name);
    fputs(" \\- ", stdout);
    roff_text(summary);
    puts("\n.SH SYNOPSIS");
}

static void man_command(const cli_command *command) {
    char name[64], line[LINE_SIZE];
    const cli_option *option;
    snprintf(name, sizeof name, "deeper-%s", command->name);
    roff_head(name, name, command->summary);
    printf(".B deeper %s\n[OPTIONS] ", command->name);
    roff_text(command->operands);
    puts("\n.SH DESCRIPTION");
    roff_text(command->description);
    puts("\n.SH OPTIONS");
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        char title[80];
        option_title(option, title, sizeof title);
        fputs(".TP\n.B ", stdout);
        roff_text(title + strspn(title, " "));
        putchar('\n');
        roff_text(option->help);
        printf("%s%s%s.\n", option->fallback ? " (default " : "",
               option->fallback ? option->fallback : "", option->fallback ? ")" : "");
    }
    puts(".SH EXAMPLES\n.nf");
    for (const char *rest = command->examples; example_next(&rest, line);) {
        roff_text(line);
        putchar('\n');
    }
    puts(".fi");
    fputs(exit_codes, stdout);
    fputs(environment, stdout);
    puts(".SH SEE ALSO\n.BR deeper (1)");
}

static void man_program(void) {
    const cli_command *command;
    roff_head("deeper", "deeper", about);
    puts(".B deeper\nCOMMAND [OPTIONS] ...\n.SH DESCRIPTION");
    puts("Results go to standard output, all else to standard error. Every command takes "
         "\\-\\-json and then prints one JSON "
         "object, or one\n"
         "JSON line a result.\n.SH COMMANDS");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf(".TP\n.BR deeper\\-%s (1)\n", command->name);
        roff_text(command->summary);
        putchar('\n');
    }
    fputs(exit_codes, stdout);
    fputs(environment, stdout);
}

static int run(const cli_args *args) {
    const char *shell = cli_text(args, "completion"),
               *name = args->operand_count ? args->operands[0] : NULL;
    const cli_command *command = name ? cli_command_find(name) : NULL;
    const bool man = cli_flag(args, "man"), keys = name && !strcmp(name, "json");
    if (shell && (name || man))
        return cli_usage(args->command, "--completion stands alone");
    if (man && (keys || cli_json()))
        return cli_usage(args->command, "--man is of commands, and not JSON");
    if (name && !command && !keys && strcmp(name, "deeper") != 0)
        return cli_command_unknown(name);
    if (shell)
        cli_print_completion(cli_choice(args, "completion"));
    else if (keys)
        cli_help_keys();
    else if (cli_json())
        cli_help_json(command);
    else if (command)
        (man ? man_command : cli_help_command)(command);
    else
        (man ? man_program : cli_help_short)();
    return CLI_DONE;
}

const cli_command cli_command_help = {
    .name = "help",
    .summary = "show help, manual pages and shell completions",
    .operands = "[COMMAND|deeper|json]",
    .description =
        "Shows the options of a command; with --man its manual page, with --completion "
        "a file for a shell, with --json the same for programs. 'deeper help json' lists "
        "every key that --json prints, with unit and meaning.",
    .examples =
        "deeper help classify\n"
        "deeper help --man classify | man -l -\n"
        "deeper help json\n"
        "deeper help --completion bash > ~/.local/share/bash-completion/completions/deeper\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .operand = CLI_COMMAND_NAME,
    .run = run,
};
