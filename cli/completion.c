/* completion.c - see completion.h. What is completed is the kind of an option's value or of a
 * command's operands; each shell has a few functions for the kinds and a table of the rest. */
#include "completion.h"

#include "app/models.h"
#include "commands.h"

#include <deeper/deeper.h>

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- words */

static void print_choices(const char *choices) {
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

static void print_commands(void) {
    const cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("%s%s", i ? " " : "", command->name);
}

static void print_published(void) {
    const app_published *entry;
    for (size_t i = 0; (entry = app_published_at(i)) != NULL; i++)
        printf("%s%s", i ? " " : "", entry->name);
}

static void print_architectures(void) {
    const char *name;
    for (size_t i = 0; (name = deeper_architecture(i, NULL)) != NULL; i++)
        printf("%s%s", i ? " " : "", name);
}

/* "norm=lrn norm=bn width= ...", each after `before`. */
static void print_settings(size_t architecture, const char *before) {
    const char *name, *choices;
    for (size_t i = 0; (name = deeper_architecture_option(architecture, i, &choices, NULL)) != NULL;
         i++) {
        if (!choices)
            printf("%s%s= ", before, name);
        for (size_t length; choices && *choices; choices += length + (choices[length] == '|')) {
            length = strcspn(choices, "|");
            printf("%s%s=%.*s ", before, name, (int)length, choices);
        }
    }
}

/* ----------------------------------------------------------------------------------------- bash */

/* What the table of bash does for a kind, in functions that the script begins with; NULL: there is
 * nothing to complete. */
static const char *bash_function(cli_kind kind) {
    switch (kind) {
    case CLI_FILE:
        return "_deeper_files";
    case CLI_MODEL:
        return "_deeper_models; _deeper_files";
    case CLI_ARCH:
        return "_deeper_architectures";
    case CLI_NETWORK:
        return "_deeper_architectures; _deeper_models; _deeper_files";
    case CLI_PUBLISHED:
        return "_deeper_models";
    case CLI_COMMAND_NAME:
        return "_deeper_commands";
    default:
        return NULL;
    }
}

static const char bash_begin[] =
    "_deeper_words() {\n"
    "    local found\n"
    "    mapfile -t found < <(compgen -P \"$2\" -W \"$1\" -- \"$word\")\n"
    "    COMPREPLY+=(\"${found[@]}\")\n"
    "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
    "}\n"
    "_deeper_files() {\n"
    "    local found\n"
    "    mapfile -t found < <(compgen -f -- \"$word\")\n"
    "    COMPREPLY+=(\"${found[@]}\")\n"
    "    compopt -o filenames 2>/dev/null\n"
    "}\n";

static const char bash_main[] =
    "_deeper() {\n"
    "    local word before token last i cut\n"
    "    local -a words=()\n"
    "    COMPREPLY=()\n"
    "    # bash breaks words at ':' and '=', deeper does not\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        token=${COMP_WORDS[i]}\n"
    "        if ((i > 0)) && [[ $token == [:=] || $last == [:=] ]]; then\n"
    "            words[-1]+=$token\n"
    "        else\n"
    "            words+=(\"$token\")\n"
    "        fi\n"
    "        last=$token\n"
    "    done\n"
    "    word=${words[-1]} before=${words[-2]}\n"
    "    if [[ $word == --*=* ]]; then\n"
    "        before=${word%%=*}= word=${word#*=}\n"
    "    fi\n"
    "    if ((${#words[@]} == 2)); then\n"
    "        _deeper_commands\n"
    "        _deeper_words '--help --version'\n"
    "        return\n"
    "    fi\n"
    "    case ${words[1]}:$before in\n";

static const char bash_end[] =
    "    esac\n"
    "    cut=${word%\"${word##*[:=]}\"} # bash replaces what follows its own break\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
    "}\n"
    "complete -F _deeper deeper\n";

static void bash_architectures(void) {
    const char *name;
    puts("_deeper_architectures() {\n"
         "    local base=${word%\"${word##*[:,]}\"} whole=$word\n"
         "    word=${word#\"$base\"}\n"
         "    case $whole in");
    for (size_t i = 0; (name = deeper_architecture(i, NULL)) != NULL; i++) {
        printf("    %s:*) _deeper_words '", name);
        print_settings(i, "");
        puts("' \"$base\" ;;");
    }
    fputs("    *) _deeper_words '", stdout);
    print_architectures();
    puts("' ;;\n    esac\n    word=$whole\n}");
}

/* "    classify:--top|classify:--top=|classify:-k) ... ;;" for what takes a value. */
static void bash_option(const cli_command *command, const cli_option *option) {
    const char *function = bash_function(option->kind);
    if (option->kind == CLI_FLAG && !option->value)
        return;
    printf("    %s:--%s=", command->name, option->name);
    if (option->kind != CLI_FLAG)
        printf("|%s:--%s", command->name, option->name);
    if (option->kind != CLI_FLAG && option->letter)
        printf("|%s:-%c", command->name, option->letter);
    if (option->kind == CLI_FLAG || option->kind == CLI_CHOICE) {
        fputs(") _deeper_words '", stdout);
        print_choices(option->value);
        puts("' ;;");
    } else {
        printf(") %s ;;\n", function ? function : ":");
    }
}

static void complete_bash(void) {
    const cli_command *command;
    const cli_option *option;
    puts("# bash completion for deeper; made by 'deeper help --completion bash'");
    fputs(bash_begin, stdout);
    fputs("_deeper_commands() { _deeper_words '", stdout);
    print_commands();
    fputs("'; }\n_deeper_models() { _deeper_words '", stdout);
    print_published();
    puts("'; }");
    bash_architectures();
    fputs(bash_main, stdout);
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++)
            bash_option(command, option);
        printf("    %s:*)\n        if [[ $word == -* ]]; then\n            _deeper_words '",
               command->name);
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++)
            printf("%s--%s", k ? " " : "", option->name);
        const char *operands = bash_function(command->operand);
        if (operands)
            printf("'\n        else\n            %s\n        fi ;;\n", operands);
        else
            puts("'\n        fi ;;");
    }
    fputs(bash_end, stdout);
}

/* ------------------------------------------------------------------------------------------ zsh */

static const char *zsh_function(cli_kind kind) {
    switch (kind) {
    case CLI_FILE:
        return "_files";
    case CLI_MODEL:
        return "_deeper_models";
    case CLI_ARCH:
        return "_deeper_architectures";
    case CLI_NETWORK:
        return "_deeper_networks";
    case CLI_PUBLISHED:
        return "_deeper_published";
    case CLI_COMMAND_NAME:
        return "_deeper_commands";
    default:
        return "";
    }
}

/* Text inside zsh's [brackets] and 'quotes'. */
static void zsh_text(const char *text) {
    for (; *text; text++) {
        if (strchr("[]:\\", *text))
            putchar('\\');
        fputs(*text == '\'' ? "'\\''" : (char[2]){ *text, 0 }, stdout);
    }
}

static void zsh_functions(void) {
    const cli_command *command;
    const char *name;
    puts("_deeper_commands() {\n    local -a commands=(");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("        '%s:", command->name);
        zsh_text(command->summary);
        puts("'");
    }
    fputs("    )\n    _describe command commands\n}\n_deeper_published() { compadd ", stdout);
    print_published();
    fputs("; }\n_deeper_models() { _deeper_published; _files; }\n_deeper_architectures() {\n"
          "    compadd ",
          stdout);
    print_architectures();
    putchar('\n');
    for (size_t i = 0; (name = deeper_architecture(i, NULL)) != NULL; i++) {
        char before[80];
        snprintf(before, sizeof before, "%s:", name);
        fputs("    compadd ", stdout);
        print_settings(i, before);
        putchar('\n');
    }
    puts("}\n_deeper_networks() { _deeper_architectures; _deeper_models; }");
}

static void complete_zsh(void) {
    const cli_command *command;
    const cli_option *option;
    puts("#compdef deeper\n# zsh completion for deeper; made by 'deeper help --completion zsh'");
    zsh_functions();
    puts("_deeper() {\n    if (( CURRENT == 2 )); then\n        _deeper_commands\n        return\n"
         "    fi\n    local command=${words[2]}\n    shift words\n    (( CURRENT-- ))\n"
         "    case $command in");
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
                printf(":%s:%s", option->name, zsh_function(option->kind));
            }
            putchar('\'');
        }
        if (command->max_operands)
            printf(" \\\n        '*:operand:%s'", zsh_function(command->operand));
        puts(" ;;");
    }
    puts("    esac\n}\n_deeper \"$@\"");
}

/* ----------------------------------------------------------------------------------------- fish */

static void fish_text(const char *text) {
    for (; *text; text++) {
        if (strchr("'\\", *text))
            putchar('\\');
        putchar(*text);
    }
}

/* " -x -a 'words'", with files where a path may stand too. */
static void fish_values(cli_kind kind, const char *choices) {
    bool files = kind == CLI_FILE || kind == CLI_MODEL || kind == CLI_NETWORK;
    fputs(files ? " -F" : " -f", stdout);
    if (kind == CLI_TEXT || kind == CLI_INTEGER || kind == CLI_REAL || kind == CLI_FILE)
        return;
    fputs(" -a '", stdout);
    if (kind == CLI_CHOICE)
        print_choices(choices);
    if (kind == CLI_COMMAND_NAME)
        print_commands();
    if (kind == CLI_ARCH || kind == CLI_NETWORK) {
        const char *name;
        print_architectures();
        for (size_t i = 0; (name = deeper_architecture(i, NULL)) != NULL; i++) {
            char before[80];
            snprintf(before, sizeof before, "%s:", name);
            putchar(' ');
            print_settings(i, before);
        }
    }
    if (kind == CLI_NETWORK)
        putchar(' ');
    if (kind == CLI_MODEL || kind == CLI_NETWORK || kind == CLI_PUBLISHED)
        print_published();
    putchar('\'');
}

static void complete_fish(void) {
    const cli_command *command;
    const cli_option *option;
    puts("# fish completion for deeper; made by 'deeper help --completion fish'");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("complete -c deeper -f -n __fish_use_subcommand -a %s -d '", command->name);
        fish_text(command->summary);
        printf("'\ncomplete -c deeper -n '__fish_seen_subcommand_from %s'", command->name);
        fish_values(command->max_operands ? command->operand : CLI_TEXT, NULL);
        putchar('\n');
        for (size_t k = 0; (option = cli_option_at(command, k)) != NULL; k++) {
            printf("complete -c deeper -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                   option->name);
            if (option->letter)
                printf(" -s %c", option->letter);
            if (option->kind != CLI_FLAG) {
                fputs(" -r", stdout);
                fish_values(option->kind, option->value);
            }
            fputs(" -d '", stdout);
            fish_text(option->help);
            puts("'");
        }
    }
}

void cli_print_completion(int shell) {
    static void (*const print[])(void) = { complete_bash, complete_zsh, complete_fish };
    print[shell]();
}
