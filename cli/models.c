/* models.c - see models.h. Looks for files only; opening is the library's. */
#include "models.h"

#include "app/models.h"
#include "output.h"
#include "paths.h"

#include <stdlib.h>
#include <string.h>

char *cli_model_path(const char *name) {
    deeper_error error = { 0 };
    char *path = app_model_path(name, &error);
    if (!path)
        cli_error("%s", error.message);
    else if (!name)
        cli_note("model: %s", path);
    return path;
}

static int open_checked(deeper_model **model, const char *name, const cli_args *args, char **path,
                        bool check_values) {
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    deeper_error error = { 0 };
    options.labels = cli_has(args, "labels") ? cli_text(args, "labels") : NULL;
    options.preprocess = cli_has(args, "preprocess") ? cli_text(args, "preprocess") : NULL;
    options.answer = cli_has(args, "answer") ? cli_text(args, "answer") : NULL;
    options.check_values = check_values;
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
    return options;
}

int cli_batch(int crops) {
    return crops > 1 ? 8
                     : 1; /* the crops of a picture are there together, pictures come one by one */
}

int cli_model_or_arch(deeper_model **model, const cli_args *args, int classes, int size) {
    deeper_error error = { 0 };
    const char *arch = cli_text(args, "arch");
    if (cli_given(args, "model") && cli_given(args, "arch"))
        return cli_usage(args->command, "--arch and --model exclude each other");
    if (cli_given(args, "model"))
        return cli_model_open(model, cli_text(args, "model"), args, NULL);
    if (deeper_model_create(model, arch, classes, size, NULL, &error))
        return cli_failure(&error);
    return CLI_DONE;
}

int cli_network(deeper_model **model, const cli_args *args) {
    deeper_error error = { 0 };
    if (cli_given(args, "model") && cli_given(args, "size"))
        return cli_usage(args->command, "--size goes with --arch; a model file has its own size");
    if (cli_given(args, "model") && !cli_given(args, "arch"))
        return cli_sound_model_open(model, cli_text(args, "model"), args, NULL);
    int code = cli_model_or_arch(model, args, 1000,
                                 cli_given(args, "size") ? cli_integer(args, "size") : 224);
    if (code || !deeper_model_initialize(*model, 1, &error))
        return code;
    deeper_model_close(*model);
    *model = NULL;
    return cli_failure(&error);
}
