/* command_classify.c - says what is in pictures, one line (JSON) or one small table a picture, as
 * soon as each is done. */
#include "app/json.h"
#include "app/sources.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOP = 100, BAR_WIDTH = 20, CLASS_NAME_SIZE = 32 };

static const cli_option options[] = {
    CLI_OPTION_MODEL,
    CLI_ROW_WHOLE("top", 'k', "N", "5", 1, MAX_TOP, "classes to show a picture"),
    CLI_OPTION_CROPS,
    CLI_OPTION_COMBINE,
    CLI_OPTION_MEMORY,
    CLI_OPTION_THREADS,
    CLI_OPTION_MAX_PIXELS,
    CLI_OPTION_MAX_MEMORY,
    CLI_OPTION_LABELS,
    CLI_OPTION_PREPROCESS,
    CLI_OPTION_ANSWER,
    CLI_OPTION_NULL,
    CLI_ROW_FILE("crop-sheet", 0, "FILE.png",
                 "draw the crops of one picture, a square's in a row, and stop there"),
};

typedef struct classify {
    const deeper_model *model;
    size_t top;
    bool show_progress;
    cli_progress progress;
    uint64_t done, numberless; /* classified; answered by what is no number */
} classify;

/* The name of a class: the model's, or its number where the model has none. */
static const char *class_name(const deeper_model *model, size_t index, char text[CLASS_NAME_SIZE]) {
    const char *id = deeper_model_class_id(model, index),
               *name = deeper_model_class_name(model, index);
    if (*id || *name)
        return name;
    snprintf(text, CLASS_NAME_SIZE, "class %zu", index);
    return text;
}

static bool print_json(const classify *work, const deeper_result *result, const size_t *chosen,
                       size_t count) {
    json_t *top = json_array();
    char number[CLASS_NAME_SIZE];
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            top, APP_OBJECT(app_whole(KEY_class, chosen[i]),
                            app_text(KEY_id, deeper_model_class_id(work->model, chosen[i])),
                            app_text(KEY_name, class_name(work->model, chosen[i], number)),
                            app_real(KEY_p, (double)result->probabilities[chosen[i]])));
    return cli_print_json(APP_OBJECT(app_text(KEY_path, result->path), app_value(KEY_top, top)));
}

static bool print_table(const classify *work, const deeper_result *result, const size_t *chosen,
                        size_t count) {
    static const char bar[BAR_WIDTH + 1] = "####################";
    const char *on = cli_colour() ? "\033[32m" : "", *off = cli_colour() ? "\033[0m" : "";
    cli_print_text(result->path);
    putchar('\n');
    for (size_t i = 0; i < count; i++) {
        float p = result->probabilities[chosen[i]];
        char number[CLASS_NAME_SIZE];
        const char *id = deeper_model_class_id(work->model, chosen[i]),
                   *name = class_name(work->model, chosen[i], number);
        int width = p > 0 ? (int)(p * BAR_WIDTH + 0.5F) : 0;
        printf("  %5.1f %%  %s%-*.*s%s  ", 100 * (double)p, on, BAR_WIDTH,
               width < BAR_WIDTH ? width : BAR_WIDTH, bar, off);
        bool both = *id && *name && strcmp(id, name) != 0; /* class folders have names only */
        cli_print_text(*id ? id : name);
        fputs(both ? "  " : "", stdout);
        cli_print_text(both ? name : "");
        putchar('\n');
    }
    return cli_flush();
}

static deeper_control sink(void *context, const deeper_result *result) {
    classify *work = context;
    size_t chosen[MAX_TOP];
    if (result->status) {
        work->numberless += result->status == DEEPER_ERROR_NUMBER;
        cli_problem(result->path, result->message);
        return cli_flush() ? DEEPER_GO_ON : DEEPER_STOP;
    }
    size_t count = deeper_top(result->probabilities, result->classes, work->top, chosen, NULL);
    bool printed = (cli_json() ? print_json : print_table)(work, result, chosen, count);
    work->done++;
    if (work->show_progress)
        cli_progress_show(&work->progress, work->done, 0);
    return printed ? DEEPER_GO_ON : DEEPER_STOP;
}

static int classify_all(const cli_args *args, classify *work, deeper_session *session) {
    deeper_stream_options stream = DEEPER_STREAM_OPTIONS_INIT;
    deeper_error error = { 0 };
    /* After a stream that was stopped a thread of the library may still wait for a pipe in
     * app_sources_next: then the sources stay until the process ends. */
    static app_sources *sources;
    sources = app_sources_open(args->operands, args->operand_count, cli_flag(args, "null"),
                               &cli_sources_calls);
    if (!sources)
        return cli_error("out of memory");
    deeper_source source = { app_sources_next, sources };
    stream.crops = cli_integer(args, "crops");
    stream.combine = (deeper_combine)cli_choice(args, "combine");
    stream.readers = cli_integer(args, "threads");
    stream.max_pixels = cli_count(args, "max-pixels");
    stream.max_memory = cli_count(args, "max-memory");
    cli_progress_begin(&work->progress, "pictures", 0);
    deeper_status status = deeper_classify_stream(session, &source, &stream, sink, work, &error);
    cli_progress_end();
    if (status == DEEPER_ERROR_STOPPED) /* the sink could not write; cli_output_end says why */
        return CLI_FAILED;
    if (status)
        return cli_failure(&error);
    size_t named = app_sources_count(sources);
    app_sources_close(sources);
    if (!named)
        return cli_error("there was no picture to classify");
    double seconds = cli_now() - work->progress.started;
    if (named > 1)
        cli_note("%llu of %zu pictures classified in %.1f s", (unsigned long long)work->done, named,
                 seconds);
    if (work->numberless && !work->done) /* not the pictures' fault */
        return CLI_FAILED;
    return cli_problems() ? CLI_UNREADABLE : CLI_DONE;
}

static int draw_crops(const cli_args *args, const deeper_model *model, const char *sheet) {
    deeper_image *image = NULL;
    deeper_image_options decode = DEEPER_IMAGE_OPTIONS_INIT;
    deeper_error error = { 0 };
    int crops = cli_integer(args, "crops");
    decode.max_pixels = cli_count(args, "max-pixels");
    decode.max_memory = cli_count(args, "max-memory");
    bool failed = deeper_image_open(&image, args->operands[0], &decode, &error)
                  || deeper_crop_sheet(model, image, crops, sheet, &error);
    deeper_image_close(image);
    if (failed)
        return cli_failure(&error);
    if (cli_json())
        cli_print_json(APP_OBJECT(app_text(KEY_crop_sheet, sheet), app_whole(KEY_crops, crops)));
    else
        printf("crops     %d in %s, in the order in which they are run%s\n", crops, sheet,
               crops == 1 ? ""
                          : ": rows are places, and scales; columns views, then their mirrors");
    return CLI_DONE;
}

static int run(const cli_args *args) {
    deeper_session_options options_of_session = cli_session_options(args);
    deeper_session *session = NULL;
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    const char *sheet = cli_text(args, "crop-sheet");
    if (sheet && args->operand_count > 1)
        return cli_usage(args->command, "--crop-sheet draws the crops of one picture, not of %zu",
                         args->operand_count);
    int code = cli_model_open(&model, cli_text(args, "model"), args, NULL);
    if (code)
        return code;
    options_of_session.max_batch = cli_batch(cli_integer(args, "crops"));
    classify work = { .model = model,
                      .top = (size_t)cli_integer(args, "top"),
                      .show_progress = !cli_stdout_terminal() };
    if (sheet)
        code = draw_crops(args, model, sheet);
    else if (deeper_session_create(&session, model, &options_of_session, &error))
        code = cli_failure(&error);
    else
        code = classify_all(args, &work, session);
    deeper_session_free(session);
    deeper_model_close(model);
    return code;
}

const cli_command cli_command_classify = {
    .name = "classify",
    .summary = "say what is in pictures",
    .operands = "IMAGE|FOLDER|GLOB|-|@LIST ...",
    .description = "Prints the most probable classes of each picture, in the order given, as soon "
                   "as each is done. A folder is walked "
                   "through, names in byte order; a pattern in quotes is matched; '-' reads paths "
                   "from standard input, '@LIST' from a "
                   "file, one a line. A picture that cannot be read is reported and the rest goes "
                   "on (exit code 3).\n"
                   "Without --model the pulled model is used (deeper pull bvlc_googlenet).",
    .examples = "deeper classify --model bvlc_googlenet cat.jpg\n"
                "deeper classify --json --top 1 photos/ > results.jsonl\n"
                "deeper classify --crops 144 --crop-sheet crops.png cat.jpg\n"
                "find . -name '*.png' -print0 | deeper classify -0 -\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .operand = CLI_FILE,
    .run = run,
};
