/* help_json.c - help for programs: commands with their options, and the vocabulary of JSON. */
#include "app/json.h"
#include "commands.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>

static const char *kind_name(cli_kind kind) {
    static const char *const names[] = {
        [CLI_FLAG] = "flag",       [CLI_TEXT] = "text",         [CLI_FILE] = "file",
        [CLI_INTEGER] = "integer", [CLI_REAL] = "number",       [CLI_CHOICE] = "choice",
        [CLI_MODEL] = "model",     [CLI_ARCH] = "architecture",
    };
    return names[kind];
}

static json_t *switch_json(const cli_option *option) {
    const char letter[] = { option->letter, 0 };
    const bool number = option->kind == CLI_INTEGER || option->kind == CLI_REAL;
    json_t *object =
        APP_OBJECT(app_text(KEY_name, option->name), app_text(KEY_letter, *letter ? letter : NULL),
                   app_text(KEY_kind, kind_name(option->kind)), app_text(KEY_takes, option->value),
                   app_text(KEY_default, option->fallback), app_text(KEY_about, option->help));
    if (number) {
        app_put(object, app_real(KEY_min, option->min));
        app_put(object, app_real(KEY_max, option->max));
    }
    return object;
}

static json_t *command_json(const cli_command *command) {
    const cli_option *option;
    json_t *switches = json_array();
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++)
        json_array_append_new(switches, switch_json(option));
    return APP_OBJECT(app_text(KEY_name, command->name), app_text(KEY_about, command->summary),
                      app_text(KEY_operands, command->operands),
                      app_text(KEY_description, command->description),
                      app_text(KEY_examples, command->examples), app_value(KEY_switches, switches));
}

void cli_help_json(const cli_command *command) {
    json_t *commands = json_array();
    if (command) {
        json_decref(commands);
        cli_print_json(command_json(command));
        return;
    }
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        json_array_append_new(commands, command_json(command));
    cli_print_json(
        APP_OBJECT(app_text(KEY_version, deeper_version()), app_value(KEY_commands, commands)));
}

void cli_help_keys(void) {
    json_t *keys = json_array();
    if (!cli_json())
        puts("| key | unit | meaning |\n|---|---|---|");
    for (app_key key = 0; key < APP_KEY_COUNT; key++)
        if (cli_json())
            json_array_append_new(keys, APP_OBJECT(app_text(KEY_name, app_key_name(key)),
                                                   app_text(KEY_unit, app_key_unit(key)),
                                                   app_text(KEY_about, app_key_about(key))));
        else
            printf("| `%s` | %s | %s |\n", app_key_name(key), app_key_unit(key),
                   app_key_about(key));
    if (cli_json())
        cli_print_json(APP_OBJECT(app_value(KEY_keys, keys)));
    else
        json_decref(keys);
}
