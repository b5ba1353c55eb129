/* command_verify.c - does a model compute what another program recorded, or what another model file
 * computes? The worst tensor, and where the two part. */
#include "app/json.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "paths.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_ROW_FILE("against", 'a', "FILE",
                 "recorded tensors (an npz with the input and outputs of layers, or a folder of "
                 "NAME_1x3x224x224.f32 files), or "
                 "another model"),
    CLI_ROW_REAL("tolerance", 'e', "X", "1e-4", 0, 1e9,
                 "largest difference allowed, relative to the largest value of the tensor"),
    CLI_ROW_TEXT("names", 'n', "LIST", NULL,
                 "layers that bear other names in a recording: RECORDED=LAYER,..."),
    CLI_ROW_FLAG("layers", 0, "a line for every tensor that was compared"),
    CLI_OPTION_THREADS,
    CLI_OPTION_PREPROCESS,
    CLI_OPTION_ANSWER,
};

/* What of a difference outlives its callback. */
typedef struct place {
    char *name, *other;
    deeper_difference at;
} place;

typedef struct work {
    double tolerance;
    bool layers;
    size_t compared, beyond;
    char **left; /* what could not be compared */
    size_t left_count;
    place worst, first;
    cli_progress progress;
    bool failed; /* memory */
} work;

static void place_free(place *p) {
    free(p->name);
    free(p->other);
    *p = (place){ 0 };
}

static void place_take(work *w, place *p, const deeper_difference *difference) {
    place_free(p);
    *p = (place){ strdup(difference->name), strdup(difference->other), *difference };
    w->failed |= !p->name || !p->other;
}

static void leave(work *w, const char *name) {
    char **more = realloc(w->left, (w->left_count + 1) * sizeof *more);
    if (more) {
        w->left = more;
        w->left[w->left_count] = strdup(name);
    }
    w->failed |= !more || !w->left[w->left_count++];
}

static json_t *difference_json(const deeper_difference *d, const char *name, const char *other) {
    return APP_OBJECT(
        app_text(KEY_name, name), app_text(KEY_other, other),
        app_value(KEY_shape, app_json_wholes((int[]){ d->channels, d->height, d->width }, 3)),
        app_real(KEY_relative, d->relative), app_real(KEY_absolute, d->absolute),
        app_whole(KEY_image, d->image),
        app_value(KEY_at, app_json_wholes((int[]){ d->channel, d->row, d->column }, 3)),
        app_real(KEY_value, (double)d->value), app_real(KEY_reference, (double)d->reference));
}

static void print_difference(const char *title, const deeper_difference *d, const char *name,
                             const char *other) {
    printf("%-9s ", title);
    cli_print_text(name);
    if (strcmp(name, other) != 0) {
        fputs(" (", stdout);
        cli_print_text(other);
        putchar(')');
    }
    printf(": %.3g of its largest value", d->relative);
    if (d->absolute > 0)
        printf("; input %d, channel %d, row %d, column %d: %.7g and %.7g", d->image, d->channel,
               d->row, d->column, (double)d->value, (double)d->reference);
    putchar('\n');
}

static void take(void *context, const deeper_difference *d) {
    work *w = context;
    if (!d->name) {
        leave(w, d->other);
        return;
    }
    bool beyond = !(d->relative <= w->tolerance);
    if (!w->compared++ || d->relative > w->worst.at.relative)
        place_take(w, &w->worst, d);
    if (beyond && !w->beyond++)
        place_take(w, &w->first, d);
    if (w->layers && cli_json())
        cli_print_json(difference_json(d, d->name, d->other));
    else if (w->layers)
        print_difference(beyond ? "beyond" : "within", d, d->name, d->other);
}

static void print_json_result(const work *w, const char *path, const char *against, int inputs) {
    json_t *left = json_array();
    for (size_t i = 0; i < w->left_count; i++)
        json_array_append_new(left, app_json_text(w->left[i]));
    cli_print_json(APP_OBJECT(
        app_text(KEY_model, path), app_text(KEY_against, against), app_whole(KEY_inputs, inputs),
        app_whole(KEY_tensors, w->compared), app_whole(KEY_beyond, w->beyond),
        app_value(KEY_worst, difference_json(&w->worst.at, w->worst.name, w->worst.other)),
        app_value(KEY_first, w->beyond
                                 ? difference_json(&w->first.at, w->first.name, w->first.other)
                                 : json_null()),
        app_real(KEY_tolerance, w->tolerance), app_truth(KEY_agree, !w->beyond),
        app_value(KEY_not_compared, left), app_text(KEY_tuning, cli_tuning())));
}

static int print_result(const work *w, const char *path, const char *against, int inputs) {
    if (w->failed)
        return cli_error("out of memory");
    if (cli_json()) {
        print_json_result(w, path, against, inputs);
    } else {
        printf("compared  %zu tensor%s of %d input%s\n", w->compared, w->compared == 1 ? "" : "s",
               inputs, inputs == 1 ? "" : "s");
        for (size_t i = 0; i < w->left_count; i++) {
            fputs("left out  ", stdout);
            cli_print_text(w->left[i]);
            puts(": no layer of that name and size (--names tells which it is)");
        }
        print_difference("worst", &w->worst.at, w->worst.name, w->worst.other);
        if (w->beyond) {
            print_difference("part at", &w->first.at, w->first.name, w->first.other);
            printf("%zu beyond %g: not the same\n", w->beyond, w->tolerance);
        } else {
            printf("all within %g: the same\n", w->tolerance);
        }
    }
    return w->beyond ? CLI_THRESHOLD : CLI_DONE;
}

static int verify(const cli_args *args, const deeper_model *model, const char *path) {
    deeper_verify_options with = DEEPER_VERIFY_OPTIONS_INIT;
    work w = { .tolerance = cli_real(args, "tolerance"), .layers = cli_flag(args, "layers") };
    deeper_error error = { 0 };
    int inputs = 0;
    with.names = cli_text(args, "names");
    with.threads = cli_integer(args, "threads");
    with.tuning = cli_tuning();
    with.pictures = args->operand_count > 1 ? (const char *const *)args->operands + 1 : NULL;
    with.picture_count = args->operand_count - 1;
    with.progress = cli_on_progress;
    with.context = &w.progress;
    char *against = cli_model_path(cli_text(args, "against"));
    if (!against)
        return CLI_FAILED;
    cli_progress_begin(&w.progress, "inputs", 0);
    deeper_status status = deeper_verify(model, against, &with, take, &w, &inputs, &error);
    cli_progress_end();
    int code = status ? cli_failure(&error) : print_result(&w, path, against, inputs);
    for (size_t i = 0; i < w.left_count; i++)
        free(w.left[i]);
    free(w.left);
    place_free(&w.worst);
    place_free(&w.first);
    free(against);
    return code;
}

static int run(const cli_args *args) {
    deeper_model *model = NULL;
    char *path = NULL;
    if (!cli_given(args, "against"))
        return cli_usage(args->command, "--against FILE is missing");
    int code = cli_model_open(&model, args->operands[0], args, &path);
    if (code)
        return code;
    code = verify(args, model, path);
    deeper_model_close(model);
    free(path);
    return code;
}

const cli_command cli_command_verify = {
    .name = "verify",
    .summary = "compare a model's tensors with another program's, or with another model's",
    .operands = "MODEL [IMAGE ...]",
    .description = "Against recorded tensors: computes the model on the recorded input and "
                   "compares every layer that was recorded, matched by "
                   "name. Against another model file: runs both on the same inputs, the pictures "
                   "named or one fixed input, and compares every "
                   "layer, matched by name and then by structure. Prints the worst tensor and, if "
                   "one is beyond the tolerance, the first of "
                   "those in the order of computation, which is where the two part (exit code 4).",
    .examples =
        "deeper verify googlenet.safetensors --against recorded.npz\n"
        "deeper verify googlenet.safetensors --against googlenet.caffemodel cat.jpg dog.jpg\n"
        "deeper verify m.safetensors --against rec.npz --names fc=loss3/classifier --tolerance "
        "1e-5\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .operand = CLI_MODEL,
    .run = run,
};
