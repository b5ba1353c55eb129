/* models.c - see models.h. Looks for files only; opening is the library's. */
#include "models.h"

#include "app/models.h"
#include "output.h"
#include "paths.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *cli_published_near(const char *name) {
    const app_published *entry;
    dp_nearest nearest = dp_nearest_to(name, strlen(name));
    for (size_t i = 0; (entry = app_published_at(i)) != NULL; i++)
        dp_nearest_offer(&nearest, entry->name, strlen(entry->name));
    return nearest.name;
}

char *cli_model_path(const char *name) {
    deeper_error error = { 0 };
    char *path = app_model_path(name, &error);
    if (path && !name)
        cli_note("model: %s", path);
    if (path)
        return path;
    const char *near = name ? cli_published_near(name) : app_published_at(0)->name;
    if (near)
        cli_error("%s; %s 'deeper pull %s'", error.message,
                  name && strcmp(name, near) ? "did you mean" : "get it with", near);
    else
        cli_error("%s ('deeper pull --list' shows what can be had)", error.message);
    return NULL;
}

static int open_checked(deeper_model **model, const char *name, const cli_args *args, char **path,
                        bool check_values) {
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    deeper_error error = { 0 };
    options.labels = cli_has(args, "labels") ? cli_text(args, "labels") : NULL;
    options.preprocess = cli_has(args, "preprocess") ? cli_text(args, "preprocess") : NULL;
    options.answer = cli_has(args, "answer") ? cli_text(args, "answer") : NULL;
    options.check_values = check_values;
    options.mapped = 1; /* main.c says what happens to one that is shortened */
    char *file = cli_model_path(name);
    if (!file)
        return CLI_FAILED;
    int code = deeper_model_open(model, file, &options, &error) ? cli_failure(&error) : CLI_DONE;
    if (path && code == CLI_DONE)
        *path = file;
    else
        free(file);
    return code;
}

int cli_model_open(deeper_model **model, const char *name, const cli_args *args, char **path) {
    return open_checked(model, name, args, path, false);
}

int cli_sound_model_open(deeper_model **model, const char *name, const cli_args *args,
                         char **path) {
    return open_checked(model, name, args, path, true);
}

char **cli_names_split(const char *list, size_t *count) {
    deeper_error error = { 0 };
    char **names = app_names_split(list, count, &error);
    if (!names)
        cli_error("%s", error.message);
    return names;
}

deeper_session_options cli_session_options(const cli_args *args) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.threads = cli_integer(args, "threads");
    options.direct = strcmp(cli_text(args, "memory"), "low") == 0;
    options.tuning = cli_tuning();
    if (cli_has(args, "max-memory"))
        options.max_memory = cli_count(args, "max-memory");
    return options;
}

int cli_batch(int crops) {
    return crops > 1 ? 8
                     : 1; /* the crops of a picture are there together, pictures come one by one */
}

bool cli_is_architecture(const char *word) {
    const char *name;
    const size_t length = strcspn(word, ":");
    for (size_t i = 0; (name = deeper_architecture(i, NULL)) != NULL; i++)
        if (strlen(name) == length && !memcmp(name, word, length))
            return true;
    return false;
}

/* Whether a word is no architecture, and names a model or looks like a path. What else it may be
 * counts as an architecture that is misspelt. */
static bool is_model(const char *word) {
    if (cli_is_architecture(word))
        return false;
    char *path = app_model_path(word, NULL);
    bool named = path != NULL || strpbrk(word, "/.");
    free(path);
    return named;
}

cli_network_name cli_network_named(const cli_args *args) {
    const char *word = args->operand_count ? args->operands[0] : NULL;
    cli_network_name name = { .model = cli_text(args, "model") };
    if (word && is_model(word))
        name.model = word;
    if (!name.model)
        name.arch = word ? word : cli_text(args, "arch");
    return name;
}

/* At most one of the three names a network. */
static int check_one(const cli_args *args) {
    return cli_given(args, "model") + cli_given(args, "arch") + (args->operand_count > 0) > 1
               ? cli_usage(args->command, "one network: NETWORK, --arch or --model")
               : CLI_DONE;
}

int cli_model_or_arch(deeper_model **model, const cli_args *args, int classes, int size) {
    deeper_error error = { 0 };
    const cli_network_name name = cli_network_named(args);
    int code = check_one(args);
    if (code)
        return code;
    if (name.model)
        return cli_model_open(model, name.model, args, NULL);
    if (deeper_model_create(model, name.arch, classes, size, NULL, &error))
        return cli_failure(&error);
    return CLI_DONE;
}

int cli_network(deeper_model **model, const cli_args *args) {
    deeper_error error = { 0 };
    const char *file = cli_network_named(args).model;
    if (file && cli_given(args, "size"))
        return cli_usage(args->command, "--size goes with --arch; a model file has its own size");
    int code = check_one(args);
    if (code)
        return code;
    if (file)
        return cli_sound_model_open(model, file, args, NULL);
    code = cli_model_or_arch(model, args, 1000,
                             cli_given(args, "size") ? cli_integer(args, "size") : 224);
    if (code || !deeper_model_initialize(*model, 1, &error))
        return code;
    deeper_model_close(*model);
    *model = NULL;
    return cli_failure(&error);
}
