/* command_tune.c - measures once how this machine computes a network's convolutions fastest, for
 * all later runs. */
#include "app/json.h"
#include "app/paths.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "stop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_OPTION_ARCH,
    CLI_OPTION_MODEL,
    CLI_OPTION_SIZE,
    CLI_OPTION_THREADS,
    CLI_OPTION_BATCH,
    CLI_ROW_FILE(
        "out", 'o', "FILE",
        "write this file (default: tuning.json in the cache folder); DEEPER_TUNING=FILE uses it"),
};

typedef struct work {
    cli_progress progress;
    json_t *layers; /* NULL: printed as a table */
    bool headed;
} work;

static void show_progress(void *context, uint64_t done, uint64_t total) {
    work *w = context;
    cli_progress_show(&w->progress, done, total);
    if (done == total)
        cli_progress_end();
}

static void take_layer(void *context, const deeper_tuned_layer *layer) {
    work *w = context;
    if (w->layers) {
        json_array_append_new(
            w->layers,
            APP_OBJECT(
                app_text(KEY_layer, layer->layer), app_whole(KEY_alike, layer->layers),
                app_whole(KEY_channels, layer->channels), app_whole(KEY_outputs, layer->outputs),
                app_whole(KEY_height, layer->height), app_whole(KEY_width, layer->width),
                app_value(KEY_window, app_json_wholes((int[]){ layer->window, layer->window }, 2)),
                app_text(KEY_built_in, layer->model), app_text(KEY_tuned, layer->tuned),
                app_truth(KEY_changed, layer->changed), app_real(KEY_built_in_ms, layer->model_ms),
                app_real(KEY_tuned_ms, layer->tuned_ms)));
        return;
    }
    if (!w->headed)
        printf("%-26s %6s %-44s %7s  %-44s %7s\n", "layer", "of it", "the model's choice", "ms",
               "the fastest", "ms");
    w->headed = true;
    printf("%-26s %6d %-44s %7.3f  %-44s %7.3f\n", layer->layer, layer->layers, layer->model,
           layer->model_ms, layer->changed ? layer->tuned : "the same", layer->tuned_ms);
}

static void print_result(const work *w, const deeper_tuning_result *r, const char *path,
                         int batch) {
    if (w->layers) {
        cli_print_json(APP_OBJECT(
            app_text(KEY_tuning, r->kinds ? path : NULL), app_text(KEY_isa, r->isa),
            app_whole(KEY_threads, r->threads), app_whole(KEY_batch, batch),
            app_whole(KEY_kinds, r->kinds), app_whole(KEY_changes, r->changed),
            app_truth(KEY_taken_back, r->slower), app_real(KEY_built_in_ms, r->model_ms),
            app_real(KEY_tuned_ms, r->tuned_ms), app_real(KEY_built_in_one_ms, r->model_one_ms),
            app_real(KEY_tuned_one_ms, r->tuned_one_ms),
            app_value(KEY_layers, json_incref(w->layers))));
        return;
    }
    if (!r->kinds) {
        puts("no convolution of this network has a choice: nothing to tune");
        return;
    }
    printf(
        "%s, %d thread%s, batch %d: %d of %d kinds of convolutions are computed in another way\n",
        r->isa, r->threads, r->threads == 1 ? "" : "s", batch, r->changed, r->kinds);
    printf("whole network  %.3f ms before, %.3f ms after", r->model_ms, r->tuned_ms);
    if (r->threads > 1)
        printf("; with one thread %.3f and %.3f ms", r->model_one_ms, r->tuned_one_ms);
    puts(r->slower ? "; all together were no faster, so none was kept" : "");
    fputs("written        ", stdout);
    cli_print_text(path);
    putchar('\n');
}

static int tune(const cli_args *args, const deeper_model *model, const char *path) {
    deeper_tune_options with = DEEPER_TUNE_OPTIONS_INIT;
    deeper_tuning_result result = { 0 };
    deeper_error error = { 0 };
    work w = { .layers = cli_json() ? json_array() : NULL };
    with.batch = cli_integer(args, "batch");
    with.threads = cli_integer(args, "threads");
    with.progress = show_progress;
    with.control = cli_stop_control;
    with.context = &w;
    cli_progress_begin(&w.progress, "measurements", 0);
    cli_stop_catch();
    int code = CLI_DONE;
    deeper_status status =
        deeper_tune(model, path, &with, take_layer, &w, &result, sizeof result, &error);
    if (status == DEEPER_ERROR_STOPPED && cli_stop_signal()) {
        cli_progress_end();
        cli_note("%s", error.message);
        code = 128 + cli_stop_signal();
    } else if (status)
        code = cli_failure(&error);
    else
        print_result(&w, &result, path, with.batch);
    json_decref(w.layers);
    return code;
}

static int run(const cli_args *args) {
    deeper_model *model = NULL;
    int code = cli_network(&model, args);
    if (code)
        return code;
    deeper_error error = { .message = "out of memory" };
    const char *given = cli_text(args, "out");
    char *path = given ? strdup(given) : app_cache_path("tuning.json", &error);
    if (!path)
        code = cli_error("%s", error.message);
    else if (!given && !app_folders_make(path))
        code = cli_error("%s: cannot make its folder: %s; --out FILE writes elsewhere", path,
                         strerror(errno));
    else
        code = tune(args, model, path);
    free(path);
    deeper_model_close(model);
    return code;
}

const cli_command cli_command_tune = {
    .name = "tune",
    .summary = "measure once which way of computing each layer is the fastest here",
    .operands = "[NETWORK]",
    .description = "NETWORK is an architecture or a model, as --arch and --model name one.\n"
                   "Every convolution with a 3x3 to 5x5 window (and a first layer with stride 2) "
                   "can be computed in several ways: directly, "
                   "or by Winograd's algorithm with tiles of several sizes. A model of the time "
                   "chooses; this command measures the ways "
                   "within whole runs of the network, alternating, with all threads and with one, "
                   "and keeps another one where it is clearly "
                   "faster, by 3 % at least. It writes tuning.json in $XDG_CACHE_HOME/deeper "
                   "(~/.cache/deeper), which classify, eval, "
                   "features, verify and bench then "
                   "use for every network with such layers; what is there of other networks and "
                   "instruction sets stays. Results differ in "
                   "the last digits from those without it, and are the same for any number of "
                   "threads. Training does not use it. "
                   "DEEPER_TUNING=FILE uses another file, DEEPER_TUNING=none uses none. Takes "
                   "about a minute for GoogLeNet; other programs "
                   "should be quiet.",
    .examples = "deeper tune\n"
                "deeper tune --model googlenet.safetensors --batch 8\n"
                "DEEPER_ISA=avx2 deeper tune --json\n"
                "DEEPER_TUNING=none deeper bench\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .operand = CLI_NETWORK,
    .run = run,
};
