/* command_eval.c - accuracy and loss of a model over a labelled set of pictures, with thresholds for scripts. */
#include "commands.h"
#include "models.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>

static const cli_option options[] = {
    CLI_OPTION_MODEL,
    { .name = "data",
      .letter = 'd',
      .kind = CLI_FILE,
      .value = "SET",
      .help = "a folder of class folders, a tar of them (or TAR:FOLDER), a file of \"PATH LABEL\" lines, LABEL a class number from "
              "0, or IDX pictures; of one with train and val parts, val" },
    { .name = "root",
      .letter = 'r',
      .kind = CLI_FILE,
      .value = "FOLDER",
      .help = "where the paths of a list start (default: the list's folder)" },
    CLI_OPTION_CROPS,
    CLI_OPTION_COMBINE,
    CLI_OPTION_THREADS,
    CLI_OPTION_LABELS,
    CLI_OPTION_PREPROCESS,
    { .name = "min-top1",
      .kind = CLI_REAL,
      .value = "X",
      .least = 0,
      .most = 1,
      .help = "exit with 4 if the top-1 share is below X" },
    { .name = "min-top5",
      .kind = CLI_REAL,
      .value = "X",
      .least = 0,
      .most = 1,
      .help = "exit with 4 if the top-5 share is below X" },
};

static void show_progress(void *context, uint64_t done, uint64_t total) {
    cli_progress_show(context, done, total);
}

static void show_problem(void *context, const char *path, const char *message) {
    cli_problem(path, message);
}

static void print_result(const cli_args *args, const char *path, const deeper_evaluation *result, int threads) {
    double images = (double)result->images;
    double top1 = (double)result->top1 / images, top5 = (double)result->top5 / images;
    double rate = result->seconds > 0 ? images / result->seconds : 0;
    if (cli_json()) {
        cli_print_json(json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:i}", "model", cli_json_text(path),
                                 "data", cli_json_text(cli_text(args, "data")), "images", (json_int_t)result->images, "unreadable",
                                 (json_int_t)result->unreadable, "top1", cli_json_real(top1), "top5", cli_json_real(top5), "loss",
                                 cli_json_real(result->loss), "seconds", cli_json_real(result->seconds), "images_per_second",
                                 cli_json_real(rate), "crops", cli_integer(args, "crops"), "combine", cli_text(args, "combine"),
                                 "threads", threads));
        return;
    }
    printf("pictures  %llu", (unsigned long long)result->images);
    if (result->unreadable)
        printf(" (and %llu that could not be read)", (unsigned long long)result->unreadable);
    printf("\ntop-1     %.2f %%\ntop-5     %.2f %%\nloss      %.4f\nspeed     %.1f pictures/s\n", 100 * top1, 100 * top5,
           result->loss, rate);
}

/* CLI_THRESHOLD after a line on stderr if a share is below what its option states. */
static int check_threshold(const cli_args *args, const char *option, uint64_t hits, uint64_t images) {
    double share = (double)hits / (double)images;
    if (!cli_given(args, option) || share >= cli_real(args, option))
        return CLI_DONE;
    cli_error("--%s %s is not met: %.4f", option, cli_text(args, option), share);
    return CLI_THRESHOLD;
}

static int evaluate(const cli_args *args, const char *path, deeper_session *session, const deeper_dataset *dataset) {
    deeper_evaluate_options evaluate_options = DEEPER_EVALUATE_OPTIONS_INIT;
    deeper_evaluation result = { 0 };
    deeper_error error = { 0 };
    cli_progress progress;
    cli_progress_begin(&progress, "pictures", 0);
    evaluate_options.crops = cli_integer(args, "crops");
    evaluate_options.combine = (deeper_combine)cli_choice(args, "combine");
    evaluate_options.progress = show_progress;
    evaluate_options.problem = show_problem;
    evaluate_options.context = &progress;
    deeper_status status = deeper_evaluate(session, dataset, &evaluate_options, &result, &error);
    cli_progress_end();
    if (status)
        return cli_failure(&error);
    if (!result.images)
        return cli_error("%s: no picture in it could be read", cli_text(args, "data"));
    print_result(args, path, &result, deeper_session_threads(session));
    int top1 = check_threshold(args, "min-top1", result.top1, result.images);
    int top5 = check_threshold(args, "min-top5", result.top5, result.images);
    if (top1 || top5)
        return CLI_THRESHOLD;
    return result.unreadable ? CLI_UNREADABLE : CLI_DONE;
}

static int run(const cli_args *args) {
    deeper_session_options session_options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_session *session = NULL;
    deeper_dataset *dataset = NULL;
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    const char *data = cli_text(args, "data");
    char *path = NULL;
    if (!data)
        return cli_usage(args->command, "--data SET is missing");
    int code = cli_model_open(&model, cli_text(args, "model"), args, &path);
    if (code)
        return code;
    session_options.threads = cli_integer(args, "threads");
    session_options.max_batch = cli_batch(cli_integer(args, "crops"));
    if (deeper_dataset_open(&dataset, data, cli_text(args, "root"), NULL, &error)
        || deeper_session_create(&session, model, &session_options, &error))
        code = cli_failure(&error);
    else
        code = evaluate(args, path, session, dataset);
    deeper_session_free(session);
    deeper_dataset_close(dataset);
    deeper_model_close(model);
    free(path);
    return code;
}

const cli_command cli_command_eval = {
    .name = "eval",
    .summary = "measure a model's accuracy on labelled pictures",
    .operands = "",
    .description =
        "Counts how often the right class is the first (top-1) and among the first five (top-5), over all the classes of the "
        "model, and the mean of -ln p(right class). Class folders are matched with the model's classes by id or by name, "
        "never by their order. A picture that cannot be read is reported and left out (exit code 3).",
    .examples = "deeper eval --model googlenet.safetensors --data ilsvrc-val\n"
                "deeper eval --data val.txt --root images/ --crops 10 --json\n"
                "deeper eval --model m.safetensors --data flowers.tar:flowers/val\n"
                "deeper eval --data val/ --min-top1 0.70\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
