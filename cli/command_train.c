/* command_train.c - trains a network, from scratch or from a model file: the options of a run,
 * signals, and what is said at its end. What happens in between is shown by train_progress.c; all
 * of the training is the library's. */
#include "app/json.h"
#include "commands.h"
#include "models.h"
#include "output.h"
#include "paths.h"
#include "stop.h"
#include "train_options.h"
#include "train_progress.h"
#include "train_rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREVIEW_PICTURES = 6 };

/* All training options, with letters for those that are typed most. */
static const cli_train_row letters[] = {
    { .word = "data", .letter = 'd' },
    { .word = "out", .letter = 'o' },
    { .word = "arch", .fallback = "googlenet", .kind = CLI_ARCH },
    { .word = "init",
      .letter = 'i',
      .kind = CLI_MODEL,
      .help = "fine-tune this model: a file, a run's folder or a pulled one; its last layer is "
              "replaced where the classes differ" },
    { .word = "epochs", .letter = 'e' },
    { .word = "batch", .letter = 'b' },
    { .word = "rate", .letter = 'r' },
    { .word = "seed", .letter = 's' },
    { .word = "threads", .letter = 't' },
};

/* What is not a run, and what is not the run's. */
static const cli_option looks[] = {
    CLI_ROW_FILE("preview", 0, "FILE.png",
                 "write a sheet of what the network would see, and stop there"),
    CLI_ROW_FLAG("lr-find", 0,
                 "try rates from 1e-5 to 10 in a run of 100 steps, print their losses, suggest "
                 "one, and stop there"),
    CLI_ROW_FILE("curve", 0, "FILE.html", "with --lr-find: write the losses as a page, too"),
    CLI_OPTION_STRICT,
};
enum { LOOKS = sizeof looks / sizeof *looks };

static const cli_option *option_at(size_t index) {
    static cli_option filled[CLI_MOST_OPTIONS];
    const deeper_option *row = deeper_train_option(index);
    size_t rows = 0;
    if (!row) {
        while (deeper_train_option(rows))
            rows++;
        return index - rows < LOOKS ? &looks[index - rows] : NULL;
    }
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (!strcmp(letters[i].word, row->word))
            return cli_train_option(&filled[index], row, &letters[i]);
    return cli_train_option(&filled[index], row, NULL);
}

/* -------------------------------------------------------------------------------------- results */

static void print_json(const deeper_train_options *train, const deeper_train_result *result,
                       bool stopped) {
    cli_print_json(APP_OBJECT(
        app_text(KEY_run, train->out), app_truth(KEY_stopped, stopped),
        app_whole(KEY_epochs, result->epochs), app_whole(KEY_best_epoch, result->best_epoch),
        app_whole(KEY_steps, result->steps), app_whole(KEY_images_seen, (json_int_t)result->images),
        app_whole(KEY_unreadable, result->unreadable), app_real(KEY_best_top1, result->best_top1),
        app_real(KEY_best_top5, result->best_top5), app_real(KEY_best_loss, result->best_loss),
        app_whole(KEY_probe_images, (json_int_t)result->probe_images),
        app_real(KEY_probe_top1, result->probe_images ? result->probe_top1 : (double)NAN),
        app_real(KEY_seconds, result->seconds)));
}

/* A resumed run does not say it. */
static bool is_ensemble(const deeper_train_options *train) {
    char *path = NULL;
    bool there = asprintf(&path, "%s/ensemble.json", train->out) >= 0 && !access(path, F_OK);
    free(path);
    return there;
}

/* What a user may go on with, as the shell takes it. */
static void print_next(const deeper_train_options *train, bool ensemble) {
    char *out = cli_shell_word(train->out);
    if (out && ensemble)
        printf("next      deeper eval --model %s --data SRC --table\n", out);
    else if (out)
        printf("next      deeper eval --model %s/model.safetensors --data SRC\n"
               "          deeper classify --model %s/model.safetensors PHOTO ...\n",
               out, out);
    free(out);
}

static void print_text(const deeper_train_options *train, const deeper_train_result *result) {
    char text[32], images[CLI_NUMBER_SIZE];
    printf("\ntrained   %d epoch%s, %s images in %s\n", result->epochs,
           result->epochs == 1 ? "" : "s", cli_grouped(result->images, images),
           cli_duration(result->seconds, text));
    if (is_ensemble(train)) {
        printf("best      top-1 %.2f %%, top-5 %.2f %%, loss %.4f on the validation pictures, of "
               "the best member\n",
               100 * result->best_top1, 100 * result->best_top5, result->best_loss);
        printf("models    %s/member1/model.safetensors ...\n", train->out);
        print_next(train, true);
        return;
    }
    if (result->probe_images)
        printf("probe     top-1 %.2f %% on the validation pictures, of a last layer fitted to %s "
               "pictures\n",
               100 * result->probe_top1, cli_grouped(result->probe_images, images));
    if (!result->best_epoch)
        printf("best      the probe: top-1 %.2f %%, top-5 %.2f %%, loss %.4f on the validation "
               "pictures\n",
               100 * result->best_top1, 100 * result->best_top5, result->best_loss);
    else
        printf("best      epoch %d: top-1 %.2f %%, top-5 %.2f %%, loss %.4f on the validation "
               "pictures\n",
               result->best_epoch, 100 * result->best_top1, 100 * result->best_top5,
               result->best_loss);
    printf("model     %s/model.safetensors\n", train->out);
    printf("report    %s/report.html (figures: log.csv, TensorBoard: events.out.tfevents.deeper)\n",
           train->out);
    print_next(train, false);
}

static int train_run(const deeper_train_options *train, bool strict) {
    deeper_train_result result = { 0 };
    deeper_error error = { 0 };
    cli_train_progress progress;
    cli_train_progress_begin(&progress);
    deeper_train_calls calls = { .event = cli_train_progress_event,
                                 .control = cli_stop_control,
                                 .context = &progress };
    cli_stop_catch();
    deeper_status status = deeper_train(train, &calls, &result, sizeof result, &error);
    cli_progress_end();
    if (status == DEEPER_ERROR_STOPPED && cli_stop_signal()) {
        if (cli_json())
            print_json(train, &result, true);
        char *out = cli_shell_word(train->out);
        cli_note("saved; to go on: deeper train --resume --out %s", out ? out : train->out);
        free(out);
        return 128 + cli_stop_signal();
    }
    if (status)
        return cli_failure(&error);
    if (cli_json())
        print_json(train, &result, false);
    else
        print_text(train, &result);
    if (result.unreadable)
        cli_note("%llu picture%s could not be read", (unsigned long long)result.unreadable,
                 result.unreadable == 1 ? "" : "s");
    return result.unreadable && strict ? CLI_UNREADABLE : CLI_DONE;
}

/* Signals end a search at once: there is nothing to save. */
static int find_rate(deeper_train_options *train, const char *init, const char *page) {
    deeper_rate_search search;
    deeper_error error = { 0 };
    cli_rates_progress progress;
    if (!cli_can_write(page))
        return CLI_FAILED;
    cli_rates_begin(&progress);
    deeper_train_calls calls = { .event = cli_rates_event, .context = &progress };
    deeper_status status =
        deeper_train_find_rate(train, page, &calls, &search, sizeof search, &error);
    cli_progress_end();
    if (status)
        return cli_failure(&error);
    train->init = init; /* as the user said it */
    return cli_rates_print(&search, train, page);
}

static int preview(const deeper_train_options *train, const char *path) {
    deeper_error error = { 0 };
    if (deeper_train_preview(train, path, PREVIEW_PICTURES, &error))
        return cli_failure(&error);
    if (cli_json())
        cli_print_json(APP_OBJECT(app_text(KEY_preview, path)));
    else
        printf("preview   %s: a row a picture, first as validation sees it, then as training\n",
               path);
    return CLI_DONE;
}

/* -------------------------------------------------------------------------------------- command */

/* Where things lie may be said anew (what lies there must be the same), and more epochs for a run
 * that has ended. */
static bool may_be_given_anew(const char *word) {
    static const char *const words[] = { "data", "data-root", "val", "init", "epochs" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(word, words[i]))
            return true;
    return false;
}

/* With --resume the run's own options hold: what is recorded may not be given. */
static int check_resume(const cli_args *args) {
    const deeper_option *row;
    const char *word = NULL;
    for (size_t i = 0; (row = deeper_train_option(i)) != NULL; i++)
        if (row->recorded && cli_given(args, row->word) && !may_be_given_anew(row->word))
            word = row->word;
    for (size_t i = 0; i < LOOKS; i++)
        if (cli_given(args, looks[i].name) && strcmp(looks[i].name, "strict") != 0)
            word = looks[i].name;
    return word ? cli_usage(args->command,
                            "--%s: a resumed run keeps the options it was started with", word)
                : CLI_DONE;
}

static int check(const cli_args *args) {
    bool resume = cli_flag(args, "resume");
    if (!resume && !cli_given(args, "data"))
        return cli_usage(args->command, "--data SRC is missing");
    if (cli_given(args, "curve") && !cli_flag(args, "lr-find"))
        return cli_usage(args->command, "--curve goes with --lr-find");
    if (!cli_given(args, "out") && !cli_given(args, "preview") && !cli_flag(args, "lr-find"))
        return cli_usage(args->command, "--out RUN is missing");
    if (cli_given(args, "preview") && cli_flag(args, "lr-find"))
        return cli_usage(args->command, "--preview and --lr-find exclude each other");
    if (cli_given(args, "ensemble") && (cli_given(args, "preview") || cli_given(args, "lr-find")))
        return cli_usage(args->command, "--ensemble trains; --preview and --lr-find do not");
    if (cli_given(args, "arch") && cli_given(args, "init"))
        return cli_usage(args->command,
                         "--arch and --init exclude each other: --init brings its architecture");
    return resume ? check_resume(args) : CLI_DONE;
}

static int run(const cli_args *args) {
    deeper_train_options train = DEEPER_TRAIN_OPTIONS_INIT;
    char *init = NULL;
    int code = check(args);
    if (code)
        return code;
    if (!cli_train_fill(args, &train))
        return CLI_USAGE;
    if (cli_given(args, "init")) {
        init = cli_model_path(cli_text(args, "init"));
        if (!init)
            return CLI_FAILED;
        train.init = init;
        train.architecture = NULL; /* the model brings its own */
    }
    if (cli_given(args, "preview"))
        code = preview(&train, cli_text(args, "preview"));
    else if (cli_flag(args, "lr-find"))
        code = find_rate(&train, cli_text(args, "init"), cli_text(args, "curve"));
    else
        code = train_run(&train, cli_flag(args, "strict"));
    free(init);
    return code;
}

const cli_command cli_command_train = {
    .name = "train",
    .summary = "train a network on pictures, from scratch or from a model",
    .operands = "",
    .description = "Trains GoogLeNet with its auxiliary heads (--arch), or fine-tunes a model as "
                   "it is (--init), on labelled pictures. RUN "
                   "then holds "
                   "model.safetensors (the best on the validation pictures), last.safetensors, "
                   "log.csv, report.html, a TensorBoard file and "
                   "checkpoints/. The same options, data and instruction set give the same bits, "
                   "whatever the threads and interruptions.\n"
                   "An interrupt or a termination signal saves a checkpoint and stops (exit code "
                   "130 or 143; a second one stops at once); "
                   "--resume goes on from there, also in the middle of an epoch. SIGUSR1 saves a "
                   "checkpoint and goes on. A run of epochs that has ended is extended by --resume "
                   "--epochs N, N in all.",
    .examples = "deeper train --data photos/ --init bvlc_googlenet --out run\n"
                "deeper train --data photos/ --init bvlc_googlenet --preview sheet.png\n"
                "deeper train --data photos/ --init bvlc_googlenet --lr-find --curve rates.html\n"
                "deeper train --resume --out run\n"
                "deeper train --data train.tar --val val.tar --arch googlenet:norm=bn --size 128 "
                "--minutes 60 --out run\n",
    .more = option_at,
    .run = run,
};
