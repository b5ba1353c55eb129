/* command_eval.c - how good models are on a labelled set of pictures: computed, saved, resumed,
 * divided, merged and scored again. How figures are told is the matter of scores.c. */
#include "app/json.h"
#include "app/models.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "paths.h"
#include "scores.h"
#include "sets.h"
#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_ROW_FILE("model", 'm', "MODEL[,MODEL...]",
                 "a model file, a run's folder, or the name of a pulled one; of several, or an "
                 "ensemble's folder, the average is "
                 "measured"),
    CLI_ROW_FILE("data", 'd', "SET", CLI_A_SET),
    CLI_OPTION_ROOT('r'),
    CLI_OPTION_PART,
    CLI_OPTION_CROPS,
    CLI_OPTION_COMBINE,
    CLI_OPTION_MEMORY,
    CLI_OPTION_THREADS,
    CLI_OPTION_MAX_PIXELS,
    CLI_OPTION_MAX_MEMORY,
    CLI_OPTION_LABELS,
    CLI_OPTION_PREPROCESS,
    CLI_OPTION_ANSWER,
    CLI_ROW_FLAG("table", 0,
                 "show every model and their average with every number of crops up to --crops, as "
                 "the paper's Table 3 does"),
    CLI_ROW_FILE("csv", 0, "FILE.csv", "write that table to a file"),
    CLI_ROW_FILE("report", 0, "FILE.html",
                 "write a page: table, calibration, confusion, every class, the worst mistakes"),
    CLI_ROW_FILE("save-probs", 0, "FILE",
                 "keep the softmax of every crop, to be scored again with --probs; FILE.part until "
                 "all are there"),
    CLI_ROW_FLAG("resume", 0, "go on with what was saved when an evaluation was broken off"),
    CLI_ROW_TEXT("shard", 0, "I/N", NULL,
                 "only part I of N of the pictures, from 1; the parts' --save-probs files are put "
                 "together by --merge"),
    CLI_ROW_FILE("probs", 0, "FILE[,FILE...]",
                 "score saved answers, without --model; several files are one ensemble"),
    CLI_ROW_FILE("merge", 0, "FILE",
                 "put the saved answers of all shards, PART ..., into one file"),
    CLI_OPTION_STRICT,
    CLI_ROW_REAL("min-top1", 0, "X", NULL, 0, 1, "exit with 4 if the top-1 share is below X"),
    CLI_ROW_REAL("min-top5", 0, "X", NULL, 0, 1, "exit with 4 if the top-5 share is below X"),
};

/* -------------------------------------------------------------------------------------- results */

/* CLI_THRESHOLD after a line on stderr if a share is below what its option states. */
static int check_threshold(const cli_args *args, const char *option, uint64_t hits,
                           uint64_t images) {
    double share = (double)hits / (double)images;
    if (!cli_given(args, option) || share >= cli_real(args, option))
        return CLI_DONE;
    cli_error("--%s %s is not met: %.4f", option, cli_text(args, option), share);
    return CLI_THRESHOLD;
}

/* The pictures of a report's mistakes: of `dataset` if that is open, else of where the saved
 * answers say they were. */
static int write_report(const cli_args *args, const deeper_scores *scores,
                        const deeper_dataset *dataset, const char *path) {
    deeper_dataset *opened = NULL;
    deeper_error error = { 0 };
    const char *data =
        cli_given(args, "data") ? cli_text(args, "data") : deeper_scores_data(scores);
    if (!dataset && deeper_dataset_open(&opened, data, cli_text(args, "root"), NULL, &error)) {
        if (cli_given(args, "data"))
            return cli_failure(&error);
        cli_warning("the report is without pictures: %s", error.message);
    }
    char *command = cli_command_line(args);
    deeper_status status =
        deeper_scores_report(scores, dataset ? dataset : opened, command, path, &error);
    free(command);
    deeper_dataset_close(opened);
    return status ? cli_failure(&error) : CLI_DONE;
}

/* Tells the scores in every way that is asked for. threads: 0 where they were saved. */
static int tell(const cli_args *args, const char *what, const deeper_scores *scores,
                const deeper_dataset *dataset, int threads) {
    deeper_score last = { 0 };
    deeper_scores_row(scores, deeper_scores_rows(scores) - 1, &last, sizeof last, NULL);
    if (cli_flag(args, "table"))
        cli_scores_table(scores);
    else
        cli_scores_print(scores, what, cli_text(args, "combine"), threads);
    int code = cli_given(args, "csv") ? cli_scores_csv(scores, cli_text(args, "csv")) : CLI_DONE;
    if (code == CLI_DONE && cli_given(args, "report"))
        code = write_report(args, scores, dataset, cli_text(args, "report"));
    if (code != CLI_DONE)
        return code;
    int top1 = check_threshold(args, "min-top1", last.top1, last.images);
    int top5 = check_threshold(args, "min-top5", last.top5, last.images);
    if (top1 || top5)
        return CLI_THRESHOLD;
    return deeper_scores_unreadable(scores) && cli_flag(args, "strict") ? CLI_UNREADABLE : CLI_DONE;
}

/* ------------------------------------------------------------------------------------ computing */

static void show_progress(void *context, uint64_t done, uint64_t total) {
    cli_progress *progress = context;
    if (!progress->started) /* pictures that were saved before are told at once, and do not count
                               for the speed */
        cli_progress_begin(progress, "pictures", done > 1 ? done : 0);
    cli_progress_show(progress, done, total);
}

/* Models, a session each. */
typedef struct members {
    char **names;
    size_t count;
    deeper_model **models;
    deeper_session **sessions;
} members;

static void members_close(members *all) {
    for (size_t i = 0; i < all->count; i++) {
        deeper_session_free(all->sessions ? all->sessions[i] : NULL);
        deeper_model_close(all->models ? all->models[i] : NULL);
    }
    free(all->sessions);
    free(all->models);
    app_names_free(all->names, all->count);
}

static int members_open(members *all, const cli_args *args) {
    deeper_session_options options_of_session = cli_session_options(args);
    deeper_error error = { 0 };
    options_of_session.max_batch = cli_batch(cli_integer(args, "crops"));
    char *only = cli_given(args, "model") ? NULL : cli_model_path(NULL);
    if (!only && !cli_given(args, "model"))
        return CLI_FAILED;
    all->names = cli_names_split(only ? only : cli_text(args, "model"), &all->count);
    free(only);
    if (!all->names)
        return CLI_FAILED;
    all->models = calloc(all->count, sizeof *all->models);
    all->sessions = calloc(all->count, sizeof *all->sessions);
    if (!all->models || !all->sessions)
        return cli_error("out of memory");
    for (size_t i = 0; i < all->count; i++) {
        char *path = NULL;
        int code = cli_model_open(&all->models[i], all->names[i], args, &path);
        if (code)
            return code;
        free(all->names[i]);
        all->names[i] = path;
        if (deeper_session_create(&all->sessions[i], all->models[i], &options_of_session, &error))
            return cli_failure(&error);
    }
    return CLI_DONE;
}

/* "I/N" into the options; false after a usage line. */
static bool read_shard(const cli_args *args, deeper_evaluate_options *evaluate_options) {
    const char *text = cli_text(args, "shard");
    char end;
    if (!text)
        return true;
    if (sscanf(text, "%9d/%9d%c", &evaluate_options->shard, &evaluate_options->shards, &end) == 2
        && evaluate_options->shard >= 1 && evaluate_options->shard <= evaluate_options->shards)
        return true;
    cli_usage(args->command, "--shard %s: must be I/N, part I of N, such as 1/4", text);
    return false;
}

static int evaluate(const cli_args *args, members *all, const deeper_dataset *dataset,
                    deeper_evaluate_options *evaluate_options) {
    deeper_scores *scores = NULL;
    deeper_error error = { 0 };
    cli_progress progress = { 0 };
    const char *save = cli_text(args, "save-probs");
    evaluate_options->crops = cli_integer(args, "crops");
    evaluate_options->combine = (deeper_combine)cli_choice(args, "combine");
    evaluate_options->smaller = cli_flag(args, "table") || cli_given(args, "csv");
    evaluate_options->save = save;
    evaluate_options->resume = cli_flag(args, "resume");
    evaluate_options->names = (const char *const *)all->names;
    evaluate_options->progress = show_progress;
    evaluate_options->problem = cli_on_problem;
    evaluate_options->control = cli_stop_control;
    evaluate_options->context = &progress;
    cli_stop_catch();
    deeper_status status = deeper_evaluate_models(&scores, all->sessions, all->count, dataset,
                                                  evaluate_options, &error);
    cli_progress_end();
    if (status == DEEPER_ERROR_STOPPED && cli_stop_signal()) {
        cli_note("%s", error.message);
        if (save)
            cli_note("to go on: the same command with --resume");
        return 128 + cli_stop_signal();
    }
    if (status)
        return cli_failure(&error);
    const char *what = all->count == 1 ? all->names[0] : cli_text(args, "model");
    int code = tell(args, what, scores, dataset, deeper_session_threads(all->sessions[0]));
    deeper_scores_close(scores);
    return code;
}

static int run_models(const cli_args *args) {
    deeper_evaluate_options evaluate_options = DEEPER_EVALUATE_OPTIONS_INIT;
    deeper_dataset *dataset = NULL;
    members all = { 0 };
    evaluate_options.max_pixels = cli_count(args, "max-pixels");
    evaluate_options.max_memory = cli_count(args, "max-memory");
    if (!cli_given(args, "data"))
        return cli_usage(args->command, "--data SET is missing");
    if (cli_flag(args, "resume") && !cli_given(args, "save-probs"))
        return cli_usage(
            args->command,
            "--resume goes on with a file of saved answers: name it with --save-probs");
    if (!read_shard(args, &evaluate_options))
        return CLI_USAGE;
    int code = members_open(&all, args);
    if (code == CLI_DONE)
        code = cli_set_open(&dataset, args);
    if (code == CLI_DONE)
        code = evaluate(args, &all, dataset, &evaluate_options);
    deeper_dataset_close(dataset);
    members_close(&all);
    return code;
}

/* ---------------------------------------------------------------------------------------- saved */

static int run_saved(const cli_args *args) {
    deeper_scores *scores = NULL;
    deeper_error error = { 0 };
    size_t count = 0;
    const char *files = cli_text(args, "probs");
    char **names = cli_names_split(files, &count);
    if (!names)
        return CLI_FAILED;
    int crops = cli_given(args, "crops") ? cli_integer(args, "crops") : 0;
    int code = CLI_DONE;
    if (deeper_scores_open(&scores, (const char *const *)names, count, crops,
                           (deeper_combine)cli_choice(args, "combine"), NULL, &error))
        code = cli_failure(&error);
    else
        code = tell(args, files, scores, NULL, 0);
    deeper_scores_close(scores);
    app_names_free(names, count);
    return code;
}

static int run_merge(const cli_args *args) {
    deeper_error error = { 0 };
    const char *path = cli_text(args, "merge");
    if (args->operand_count == 0)
        return cli_usage(args->command, "--merge %s: name the parts to put together", path);
    if (deeper_scores_merge(path, (const char *const *)args->operands, args->operand_count, NULL,
                            &error))
        return cli_failure(&error);
    if (cli_json())
        cli_print_json(
            APP_OBJECT(app_text(KEY_merged, path), app_whole(KEY_parts, args->operand_count)));
    else
        printf("merged    %zu parts in %s\n", args->operand_count, path);
    return CLI_DONE;
}

/* The three kinds of work, and which options each of them takes beside its own. */
static int run(const cli_args *args) {
    static const struct {
        const char *option, *others; /* words between blanks */
        int (*run)(const cli_args *args);
    } kinds[] = {
        { "merge", " json quiet ", run_merge },
        { "probs", " data root crops combine table csv report strict min-top1 min-top5 json quiet ",
          run_saved },
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const cli_option *option;
        if (!cli_given(args, kinds[k].option))
            continue;
        for (size_t i = 0; (option = cli_option_at(args->command, i)) != NULL; i++) {
            char word[64];
            snprintf(word, sizeof word, " %s ", option->name);
            if (cli_given(args, option->name) && strcmp(option->name, kinds[k].option)
                && !strstr(kinds[k].others, word))
                return cli_usage(args->command, "--%s and --%s exclude each other", kinds[k].option,
                                 option->name);
        }
        if (k > 0 && args->operand_count)
            return cli_unexpected(args->command, args->operands[0]);
        return kinds[k].run(args);
    }
    if (args->operand_count)
        return cli_unexpected(args->command, args->operands[0]);
    if (!cli_can_write(cli_text(args, "csv")) || !cli_can_write(cli_text(args, "report")))
        return CLI_FAILED;
    return run_models(args);
}

const cli_command cli_command_eval = {
    .name = "eval",
    .summary = "measure the accuracy of models on labelled pictures",
    .operands = "[PART ...]",
    .description = "Counts how often the right class is the first (top-1) and among the first five "
                   "(top-5), over all the classes of the "
                   "model, with intervals of 95 % (Wilson), and the mean of -ln p(right class). "
                   "Class folders are matched with the model's "
                   "classes by id or by name, never by their order. A picture that cannot be read "
                   "is named, counted and left out (with --strict the exit code is 3).\n"
                   "The softmaxes of a picture's crops are combined (--combine), those of several "
                   "models averaged. --table compares models "
                   "and crops; a difference is marked as real only where a paired test says so.\n"
                   "A long evaluation is saved as it goes (--save-probs), stops in order on an "
                   "interrupt and is gone on with by --resume; "
                   "--shard divides it between machines, --merge puts the parts together, --probs "
                   "scores what was saved.",
    .examples =
        "deeper eval --model googlenet.safetensors --data ilsvrc-val\n"
        "deeper eval --data val.txt --root images/ --crops 10 --json\n"
        "deeper eval --model m.safetensors --data flowers.tar:flowers/val --report eval.html\n"
        "deeper eval --model run1,run2,run3 --data val/ --crops 144 --table --csv table3.csv\n"
        "deeper eval --data val/ --crops 144 --shard 1/2 --save-probs part1 --resume\n"
        "deeper eval --merge all part1 part2 && deeper eval --probs all --crops 10 --combine max\n"
        "deeper eval --data val/ --min-top1 0.70\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = SIZE_MAX,
    .operand = CLI_FILE,
    .run = run,
};
