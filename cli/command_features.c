/* command_features.c - what layers say of pictures, into an npz: embeddings for search, clustering,
 * other classifiers. */
#include "app/json.h"
#include "app/sources.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 64, MAX_NAME = 256, BATCH = 8 };

static const cli_option options[] = {
    CLI_OPTION_MODEL,
    CLI_ROW_FILE("out", 'o', "FILE.npz", "the file to write"),
    CLI_ROW_TEXT("layer", 'L', "LIST", NULL,
                 "layers whose output is written, with commas between; the beginning of a name up "
                 "to a slash will do where only "
                 "one layer has it (default: what the classifier reads, pool5 of GoogLeNet)"),
    CLI_ROW_FILE("data", 'd', "SET", "pictures with labels in place of operands: " CLI_A_SET),
    CLI_OPTION_ROOT('r'),
    CLI_OPTION_PART,
    CLI_OPTION_MEMORY,
    CLI_OPTION_THREADS,
    CLI_OPTION_MAX_PIXELS,
    CLI_OPTION_MAX_MEMORY,
    CLI_OPTION_PREPROCESS,
    CLI_OPTION_ANSWER,
    CLI_OPTION_NULL,
};

typedef struct layers {
    const char *names[MAX_LAYERS]; /* the model's */
    size_t count;
} layers;

/* ------------------------------------------------------------------------------- layers by name */

static bool starts(const char *name, const char *part) {
    size_t length = strlen(part);
    return !strncmp(name, part, length) && (name[length] == '/' || !name[length]);
}

/* The layer's full name: the same, or the only one that begins so, or PART/output. NULL after a
 * line on stderr. */
static const char *full_name(const cli_args *args, const deeper_model *model, const char *part) {
    const char *only = NULL;
    size_t count = 0;
    deeper_layer layer;
    for (size_t i = 0; i < deeper_model_layers(model); i++) {
        if (deeper_model_layer(model, i, &layer, sizeof layer, NULL) || !starts(layer.name, part)
            || !strcmp(layer.operation, "dropout") || !strcmp(layer.operation, "flatten"))
            continue;
        if (!strcmp(layer.name, part) || !strcmp(layer.name + strlen(part), "/output"))
            return layer.name;
        only = layer.name;
        count++;
    }
    if (count == 1)
        return only;
    if (count)
        cli_usage(
            args->command,
            "--layer %s: %zu layers begin so, %s among them ('deeper summary --layers' lists all)",
            part, count, only);
    else
        cli_usage(args->command, "--layer %s: no such layer; 'deeper summary --layers' lists them",
                  part);
    return NULL;
}

static int find_layers(layers *of, const cli_args *args, const deeper_model *model) {
    const char *given = cli_text(args, "layer"), *own = deeper_model_text(model, "features");
    if (!given && !own)
        return cli_usage(args->command, "--layer LIST is missing: the model has no classifier");
    if (!given) {
        of->names[of->count++] = own;
        return CLI_DONE;
    }
    for (size_t length; *given; given += length + (given[length] == ',')) {
        char part[MAX_NAME + 1];
        length = strcspn(given, ",");
        snprintf(part, sizeof part, "%.*s", (int)(length < MAX_NAME ? length : MAX_NAME), given);
        const char *name = full_name(args, model, part);
        if (!name)
            return CLI_USAGE;
        if (of->count == MAX_LAYERS)
            return cli_usage(args->command, "--layer: more than %d layers", MAX_LAYERS);
        of->names[of->count++] = name;
    }
    return of->count ? CLI_DONE : cli_usage(args->command, "--layer: names no layer");
}

/* -------------------------------------------------------------------------------------- writing */

static void print_result(const cli_args *args, const layers *of, const deeper_dataset *dataset,
                         const deeper_features_result *result) {
    double rate = result->seconds > 0 ? (double)result->images / result->seconds : 0;
    json_t *names = json_array();
    if (cli_json()) {
        for (size_t i = 0; i < of->count; i++)
            json_array_append_new(names, app_json_text(of->names[i]));
        cli_print_json(APP_OBJECT(
            app_text(KEY_output, cli_text(args, "out")), app_value(KEY_layer_names, names),
            app_value(KEY_data,
                      dataset ? app_json_text(deeper_dataset_path(dataset)) : json_null()),
            app_whole(KEY_images, result->images), app_whole(KEY_unreadable, result->unreadable),
            app_real(KEY_seconds, result->seconds), app_real(KEY_images_per_second, rate)));
        return;
    }
    json_decref(names);
    cli_print_text(cli_text(args, "out"));
    printf(": %llu picture%s, ", (unsigned long long)result->images,
           result->images == 1 ? "" : "s");
    for (size_t i = 0; i < of->count; i++) {
        fputs(i ? ", " : "", stdout);
        cli_print_text(of->names[i]);
    }
    if (result->unreadable)
        printf(" (and %llu that could not be read)", (unsigned long long)result->unreadable);
    printf(", %.1f images/s\n", rate);
}

static int write_features(const cli_args *args, const layers *of, deeper_session *session,
                          const deeper_dataset *dataset) {
    deeper_features_options with = DEEPER_FEATURES_OPTIONS_INIT;
    deeper_features_result result = { 0 };
    deeper_error error = { 0 };
    with.max_pixels = cli_count(args, "max-pixels");
    with.max_memory = cli_count(args, "max-memory");
    cli_progress progress;
    /* As in command_classify.c: a thread of the library may outlive a stream that was stopped. */
    static app_sources *sources;
    sources = dataset ? NULL
                      : app_sources_open(args->operands, args->operand_count,
                                         cli_flag(args, "null"), &cli_sources_calls);
    if (!dataset && !sources)
        return cli_error("out of memory");
    const deeper_source source = { app_sources_next, sources };
    with.readers = cli_integer(args, "threads");
    with.progress = cli_on_progress;
    with.problem = cli_on_problem;
    with.context = &progress;
    cli_progress_begin(&progress, "pictures", 0);
    deeper_status status =
        deeper_features(session, dataset ? NULL : &source, dataset, cli_text(args, "out"), &with,
                        &result, sizeof result, &error);
    cli_progress_end();
    if (status)
        return cli_failure(&error);
    app_sources_close(sources);
    print_result(args, of, dataset, &result);
    return cli_problems() ? CLI_UNREADABLE : CLI_DONE;
}

static int with_model(const cli_args *args, const deeper_model *model) {
    deeper_session_options session_options = cli_session_options(args);
    deeper_session *session = NULL;
    deeper_dataset *dataset = NULL;
    deeper_error error = { 0 };
    layers of = { 0 };
    int code = find_layers(&of, args, model);
    session_options.outputs = of.names;
    session_options.output_count = of.count;
    session_options.max_batch = BATCH;
    if (code == CLI_DONE)
        code = cli_set_open(&dataset, args);
    if (code == CLI_DONE && deeper_session_create(&session, model, &session_options, &error))
        code = cli_failure(&error);
    if (code == CLI_DONE)
        code = write_features(args, &of, session, dataset);
    deeper_session_free(session);
    deeper_dataset_close(dataset);
    return code;
}

static int run(const cli_args *args) {
    const char *out = cli_text(args, "out"), *dot = out ? strrchr(out, '.') : NULL;
    deeper_model *model = NULL;
    if (!out)
        return cli_usage(args->command, "--out FILE.npz is missing");
    if (!dot || strcmp(dot, ".npz"))
        return cli_usage(args->command, "%s: features are written as .npz", out);
    if (!cli_given(args, "data") == !args->operand_count)
        return cli_usage(args->command, cli_given(args, "data")
                                            ? "--data and pictures exclude each other"
                                            : "name pictures, or a set with --data");
    int code = cli_model_open(&model, cli_text(args, "model"), args, NULL);
    if (code)
        return code;
    code = with_model(args, model);
    deeper_model_close(model);
    return code;
}

const cli_command cli_command_features = {
    .name = "features",
    .summary = "write what layers say of pictures, as embeddings",
    .operands = "IMAGE|FOLDER|GLOB|-|@LIST ...",
    .description = "Writes the output of layers for the centre crop of each picture to an npz "
                   "file, one row a picture, for search, clustering "
                   "or "
                   "a classifier of another kind. In Python: f = numpy.load(\"f.npz\"); "
                   "f[\"features\"], f[\"names\"], and with --data "
                   "f[\"labels\"] and f[\"classes\"]. Of several layers each has an array under "
                   "its own name. A picture that cannot be read "
                   "is "
                   "reported and left out (exit code 3). FILE appears only when it is complete.",
    .examples = "deeper features --model googlenet.safetensors --out photos.npz photos/\n"
                "deeper features --data flowers.tar:flowers/train --out flowers.npz\n"
                "deeper features --layer pool5,inception_4e --out f.npz cat.jpg\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .min_operands = 0,
    .max_operands = SIZE_MAX,
    .operand = CLI_FILE,
    .run = run,
};
