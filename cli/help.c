/* help.c - help texts, manual pages and shell completions, all from the command tables. The help
 * command prints the latter two for whoever packages the program. */
#include "app/models.h"
#include "commands.h"
#include "output.h"

#include <deeper/deeper.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const cli_option options[] = {
    CLI_ROW_FLAG("man", 0, "print the manual page of COMMAND, or of deeper, in roff"),
    CLI_ROW_CHOICE("completion", 0, "bash|zsh|fish", NULL, "print the completions for a shell"),
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

/* ---------------------------------------------------------------------------------- completions */

static void print_choices(const char *choices) {
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

/* Whether the operands of a command are names, not files: of commands or of published models. Then
 * they are printed, a blank between them. */
static bool print_operands(const cli_command *operands_of, bool print) {
    const cli_command *command;
    const app_published *entry;
    bool commands = !strcmp(operands_of->name, "help"),
         published = !strcmp(operands_of->name, "pull");
    for (size_t i = 0; commands && print && (command = cli_command_at(i)) != NULL; i++)
        printf("%s%s", i ? " " : "", command->name);
    for (size_t i = 0; published && print && (entry = app_published_at(i)) != NULL; i++)
        printf("%s%s", i ? " " : "", entry->name);
    return commands || published;
}

static void complete_bash(void) {
    const cli_command *command;
    const cli_option *option;
    puts("# bash completion for deeper; made by 'deeper help --completion bash'\n_deeper() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n    "
         "COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        COMPREPLY=($(compgen -W \"", stdout);
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("%s ", command->name);
    puts("--help --version\" -- \"$word\"))\n        return\n    fi\n    case "
         "${COMP_WORDS[1]}:$before in");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++) {
            if (option->kind != CLI_CHOICE)
                continue;
            printf("    %s:--%s) COMPREPLY=($(compgen -W \"", command->name, option->name);
            print_choices(option->value);
            puts("\" -- \"$word\")); return ;;");
        }
    puts("    esac\n    if [[ $word == -* ]]; then\n        case ${COMP_WORDS[1]} in");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("        %s) COMPREPLY=($(compgen -W \"", command->name);
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++)
            printf("--%s ", option->name);
        puts("\" -- \"$word\")) ;;");
    }
    puts("        esac\n        return\n    fi\n    case ${COMP_WORDS[1]}:$before in");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        if (!print_operands(command, false))
            continue;
        printf("    %s:%s) COMPREPLY=($(compgen -W \"", command->name, command->name);
        print_operands(command, true);
        puts("\" -- \"$word\")) ;;");
    }
    puts("    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\ncomplete -o filenames -F "
         "_deeper "
         "deeper");
}

/* Text inside zsh's [brackets] and 'quotes'. */
static void zsh_text(const char *text) {
    for (; *text; text++) {
        if (strchr("[]:\\", *text))
            putchar('\\');
        fputs(*text == '\'' ? "'\\''" : (char[2]){ *text, 0 }, stdout);
    }
}

static void complete_zsh(void) {
    const cli_command *command;
    const cli_option *option;
    puts("#compdef deeper\n# zsh completion for deeper; made by 'deeper help --completion "
         "zsh'\n_deeper() {\n    local -a "
         "commands=(");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("        '%s:", command->name);
        zsh_text(command->summary);
        puts("'");
    }
    puts("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        "
         "return\n    fi\n    local "
         "command=${words[2]}\n"
         "    shift words\n    (( CURRENT-- ))\n    case $command in");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("    %s) _arguments", command->name);
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++) {
            printf(" \\\n        '--%s[", option->name);
            zsh_text(option->help);
            putchar(']');
            if (option->kind == CLI_CHOICE) {
                printf(":%s:(", option->name);
                print_choices(option->value);
                putchar(')');
            } else if (option->kind != CLI_FLAG) {
                printf(":%s:%s", option->name, option->kind == CLI_FILE ? "_files" : "");
            }
            putchar('\'');
        }
        bool names = print_operands(command, false);
        fputs(names ? " \\\n        '1:name:(" : " \\\n        '*:file:_files' ;;\n", stdout);
        print_operands(command, true);
        fputs(names ? ")' ;;\n" : "", stdout);
    }
    puts("    esac\n}\n_deeper \"$@\"");
}

static void fish_text(const char *text) {
    for (; *text; text++) {
        if (strchr("'\\", *text))
            putchar('\\');
        putchar(*text);
    }
}

static void complete_fish(void) {
    const cli_command *command;
    const cli_option *option;
    puts("# fish completion for deeper; made by 'deeper help --completion fish'");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("complete -c deeper -f -n __fish_use_subcommand -a %s -d '", command->name);
        fish_text(command->summary);
        puts("'");
        if (print_operands(command, false)) {
            printf("complete -c deeper -f -n '__fish_seen_subcommand_from %s' -a '", command->name);
            print_operands(command, true);
            puts("'");
        }
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++) {
            printf("complete -c deeper -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                   option->name);
            if (option->letter)
                printf(" -s %c", option->letter);
            if (option->kind == CLI_CHOICE) {
                fputs(" -x -a '", stdout);
                print_choices(option->value);
                putchar('\'');
            } else if (option->kind != CLI_FLAG) {
                fputs(option->kind == CLI_FILE ? " -r" : " -x", stdout);
            }
            fputs(" -d '", stdout);
            fish_text(option->help);
            puts("'");
        }
    }
}

static int run(const cli_args *args) {
    const char *shell = cli_text(args, "completion"),
               *name = args->operand_count ? args->operands[0] : NULL;
    const cli_command *command = name ? cli_command_find(name) : NULL;
    if (shell && (name || cli_flag(args, "man")))
        return cli_usage(args->command, "--completion stands alone");
    if (shell)
        (strcmp(shell, "bash") ? strcmp(shell, "zsh") ? complete_fish : complete_zsh
                               : complete_bash)();
    else if (command)
        (cli_flag(args, "man") ? man_command : cli_help_command)(command);
    else if (name && strcmp(name, "deeper"))
        return cli_command_unknown(name);
    else
        (cli_flag(args, "man") ? man_program : cli_help_short)();
    return CLI_DONE;
}

const cli_command cli_command_help = {
    .name = "help",
    .summary = "show help, manual pages and shell completions",
    .operands = "[COMMAND|deeper]",
    .description = "Shows the options of a command; with --man its manual page, with --completion "
                   "a file for a shell.",
    .examples =
        "deeper help classify\n"
        "deeper help --man classify | man -l -\n"
        "deeper help --completion bash > ~/.local/share/bash-completion/completions/deeper\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .run = run,
};
