/* command_train.c - trains a network, from scratch or from a model file: the options of a run,
 * signals, and what is said at its end. What happens in between is shown by train_progress.c; all
 * of the training is the library's. */
#include "commands.h"
#include "models.h"
#include "output.h"
#include "paths.h"
#include "stop.h"
#include "train_progress.h"
#include "train_rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREVIEW_PICTURES = 16 };

static const cli_option options[] = {
    CLI_ROW_FILE("data", 'd', "SRC", "pictures: " CLI_A_SET),
    CLI_OPTION_ROOT(0),
    CLI_OPTION_VAL,
    CLI_ROW_REAL("val-fraction", 0, "X", "0.1", 0.001, 0.9,
                 "that share, chosen by --seed, a class at a time"),
    CLI_ROW_FILE("out", 'o', "RUN", "the run's folder, new or empty"),
    CLI_ROW_FLAG(
        "resume", 0,
        "go on from the newest sound checkpoint in RUN, with the options it was started with"),
    CLI_ROW_TEXT("arch", 0, "ARCH", NULL,
                 "from scratch: an architecture with its options, \"googlenet:norm=bn\"; with "
                 "auxiliary heads unless aux=0 (default: "
                 "googlenet)"),
    CLI_ROW_FILE("init", 'i', "MODEL",
                 "fine-tune this model: a file, a run's folder or a pulled one; its last layer is "
                 "replaced where the classes differ"),
    CLI_ROW_WHOLE("size", 0, "N", NULL, 28, 320,
                  "side of the network's input in pixels (default: 224, or that of --init)"),
    CLI_ROW_WHOLE("epochs", 'e', "N", "30", 1, 10000, "times that every picture is seen"),
    CLI_ROW_REAL("minutes", 0, "X", NULL, 0, 1e6,
                 "fit the schedule to this time by the speed measured (default: no limit)"),
    CLI_ROW_WHOLE("batch", 'b', "N", "32", 1, 4096, "pictures a step"),
    CLI_ROW_WHOLE("accumulate", 0, "N", "1", 1, 4096,
                  "batches whose gradients are added up before an update"),
    CLI_ROW_REAL("rate", 'r', "X", NULL, 0, 100,
                 "learning rate (default: 0.01 from scratch, 0.002 fine-tuning, at batch 32, in "
                 "proportion to it)"),
    CLI_ROW_CHOICE("schedule", 0, "cosine|poly|step|constant", "cosine",
                   "how the rate falls; step: the paper's x0.96 every 8 epochs"),
    CLI_ROW_REAL("warmup", 0, "X", "1", 0, 1000, "epochs over which the rate grows from 0"),
    CLI_ROW_REAL("momentum", 0, "X", "0.9", 0, 0.9999, "of the updates"),
    CLI_ROW_REAL("decay", 0, "X", "2e-4", 0, 1, "of weights, not of biases"),
    CLI_ROW_REAL("clip", 0, "X", "5", 0, 1e6,
                 "gradients of a larger norm are scaled down to it; 0: not"),
    CLI_ROW_REAL("smoothing", 0, "X", "0", 0, 0.9, "of labels"),
    CLI_ROW_REAL("aux-weight", 0, "X", "0.3", 0, 10, "of the auxiliary heads' losses"),
    CLI_ROW_CHOICE("initial", 0, "he|xavier|bvlc|gaussian", "he",
                   "first weights from scratch; bvlc: xavier with biases of 0.2"),
    CLI_ROW_CHOICE("average", 0, "ema|polyak|none", "ema",
                   "weights that are evaluated and saved: averages over the steps, or the last"),
    CLI_ROW_TEXT(
        "augment", 0, "paper|none|LIST", NULL,
        "LIST: some of area,crop,mirror,photometric,lighting,interpolation (default: paper)"),
    CLI_ROW_TEXT("freeze", 0, "LIST", NULL,
                 "layers that stay as they are, by the beginnings of their names: "
                 "\"conv1,conv2,inception_3\""),
    CLI_ROW_TEXT("rates", 0, "LIST", NULL,
                 "factors on the rate of layers: \"loss3=10\" (default: the new layer x10 when "
                 "fine-tuning)"),
    CLI_ROW_CHOICE("class-weights", 0, "none|auto", "none",
                   "auto: in inverse proportion to the pictures of a class"),
    CLI_ROW_WHOLE("patience", 0, "N", "0", 0, 10000,
                  "stop after this many epochs without a better validation; 0: never"),
    CLI_ROW_WHOLE("seed", 's', "N", "1", 0, 9007199254740992.0, "of everything that is random"),
    CLI_ROW_WHOLE("ensemble", 0, "N", NULL, 2, 64,
                  "train N members in RUN/member1 ..., from the same first weights, with other "
                  "orders and crops"),
    CLI_ROW_WHOLE("member", 0, "N", NULL, 1, 64,
                  "train only member N of an ensemble with this --seed, on a machine of its own"),
    CLI_ROW_WHOLE("keep", 0, "N", "2", 1, 1000, "checkpoints to keep"),
    CLI_ROW_REAL("checkpoint-minutes", 0, "X", "5", 0.01, 1e6,
                 "between checkpoints inside an epoch; there is one after every epoch"),
    CLI_OPTION_THREADS,
    CLI_ROW_WHOLE("readers", 0, "N", NULL, 1, 256,
                  "threads that decode (default: as many as threads)"),
    CLI_ROW_REAL("max-unreadable", 0, "X", "0.1", 0, 1,
                 "stop if more than this share of an epoch's pictures cannot be read"),
    CLI_ROW_FILE("preview", 0, "FILE.png",
                 "write a sheet of what the network would see, and stop there"),
    CLI_ROW_FLAG("lr-find", 0,
                 "try rates from 1e-5 to 10 in a run of 100 steps, print their losses, suggest "
                 "one, and stop there"),
    CLI_ROW_FILE("curve", 0, "FILE.html", "with --lr-find: write the losses as a page, too"),
};

/* Where the value of an option goes. Its kind tells the type: TEXT, FILE and CHOICE are const char
 * *, INTEGER is int, REAL is double. */
static const struct {
    const char *option;
    size_t offset;
} fields[] = {
#define FIELD(option, member)                                                                      \
    { option, offsetof(deeper_train_options, member) }
    FIELD("data", data),
    FIELD("root", data_root),
    FIELD("val", val),
    FIELD("val-fraction", val_fraction),
    FIELD("out", out),
    FIELD("size", image_size),
    FIELD("epochs", epochs),
    FIELD("minutes", minutes),
    FIELD("batch", batch),
    FIELD("accumulate", accumulate),
    FIELD("rate", rate),
    FIELD("schedule", schedule),
    FIELD("warmup", warmup_epochs),
    FIELD("momentum", momentum),
    FIELD("decay", decay),
    FIELD("clip", clip),
    FIELD("smoothing", smoothing),
    FIELD("aux-weight", aux_weight),
    FIELD("average", average),
    FIELD("augment", augment),
    FIELD("freeze", freeze),
    FIELD("rates", rates),
    FIELD("class-weights", class_weights),
    FIELD("patience", patience),
    FIELD("ensemble", ensemble),
    FIELD("member", member),
    FIELD("keep", keep),
    FIELD("checkpoint-minutes", checkpoint_minutes),
    FIELD("threads", threads),
    FIELD("readers", readers),
    FIELD("max-unreadable", max_unreadable),
    FIELD("initial", initial),
#undef FIELD
};

static void fill_fields(const cli_args *args, deeper_train_options *train) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *name = fields[i].option;
        char *field = (char *)train + fields[i].offset;
        if (!cli_text(args, name))
            continue;
        switch (cli_kind_of(args, name)) {
        case CLI_INTEGER:
            *(int *)(void *)field = cli_integer(args, name);
            break;
        case CLI_REAL:
            *(double *)(void *)field = cli_real(args, name);
            break;
        default:
            *(const char **)(void *)field = cli_text(args, name);
            break;
        }
    }
    train->resume = cli_flag(args, "resume");
    train->seed = strtoull(cli_text(args, "seed"), NULL, 10);
}

/* -------------------------------------------------------------------------------------- results */

static void print_json(const deeper_train_options *train, const deeper_train_result *result,
                       bool stopped) {
    cli_print_json(json_pack(
        "{s:o, s:b, s:i, s:i, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "run", cli_json_text(train->out),
        "stopped", stopped, "epochs", result->epochs, "best_epoch", result->best_epoch, "steps",
        (json_int_t)result->steps, "images", (json_int_t)result->images, "unreadable",
        (json_int_t)result->unreadable, "best_top1", cli_json_real(result->best_top1), "best_top5",
        cli_json_real(result->best_top5), "best_loss", cli_json_real(result->best_loss), "seconds",
        cli_json_real(result->seconds)));
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
    printf(
        "best      epoch %d: top-1 %.2f %%, top-5 %.2f %%, loss %.4f on the validation pictures\n",
        result->best_epoch, 100 * result->best_top1, 100 * result->best_top5, result->best_loss);
    printf("model     %s/model.safetensors\n", train->out);
    printf("report    %s/report.html (figures: log.csv, TensorBoard: events.out.tfevents.deeper)\n",
           train->out);
    print_next(train, false);
}

static int train_run(const deeper_train_options *train) {
    deeper_train_result result = { 0 };
    deeper_error error = { 0 };
    cli_train_progress progress;
    cli_train_progress_begin(&progress);
    deeper_train_calls calls = { .event = cli_train_progress_event,
                                 .control = cli_stop_control,
                                 .context = &progress };
    cli_stop_catch();
    deeper_status status = deeper_train(train, &calls, &result, &error);
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
        cli_note("%llu pictures could not be read", (unsigned long long)result.unreadable);
    return result.unreadable ? CLI_UNREADABLE : CLI_DONE;
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
    deeper_status status = deeper_train_find_rate(train, page, &calls, &search, &error);
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
        cli_print_json(json_pack("{s:o}", "preview", cli_json_text(path)));
    else
        printf("preview   %s\n", path);
    return CLI_DONE;
}

/* -------------------------------------------------------------------------------------- command */

/* With --resume the run's own options hold; only those that change no bit of the result may be
 * given. */
static int check_resume(const cli_args *args) {
    static const char *const free_ones[] = {
        "resume", "out", "threads", "readers", "json", "quiet"
    };
    const cli_option *option;
    for (size_t i = 0; (option = cli_option_at(args->command, i)) != NULL; i++) {
        bool free_one = false;
        for (size_t k = 0; k < sizeof free_ones / sizeof *free_ones; k++)
            free_one = free_one || !strcmp(option->name, free_ones[k]);
        if (!free_one && cli_given(args, option->name))
            return cli_usage(args->command,
                             "--%s: a resumed run keeps the options it was started with",
                             option->name);
    }
    return CLI_DONE;
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
    fill_fields(args, &train);
    if (cli_given(args, "init")) {
        init = cli_model_path(cli_text(args, "init"));
        if (!init)
            return CLI_FAILED;
        train.init = init;
    } else if (!train.resume) {
        train.architecture = cli_given(args, "arch") ? cli_text(args, "arch") : "googlenet";
    }
    if (cli_given(args, "preview"))
        code = preview(&train, cli_text(args, "preview"));
    else if (cli_flag(args, "lr-find"))
        code = find_rate(&train, cli_text(args, "init"), cli_text(args, "curve"));
    else
        code = train_run(&train);
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
                   "checkpoint and goes on.",
    .examples = "deeper train --data photos/ --init bvlc_googlenet --out run\n"
                "deeper train --data photos/ --init bvlc_googlenet --preview sheet.png\n"
                "deeper train --data photos/ --init bvlc_googlenet --lr-find --curve rates.html\n"
                "deeper train --resume --out run\n"
                "deeper train --data train.tar --val val.tar --arch googlenet:norm=bn --size 128 "
                "--minutes 60 --out run\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
