/* command_compare.c - networks side by side: what is compared and how, the table of it, and where a
 * long comparison stands. The comparison is the library's; runs within it are shown by
 * train_progress.c. */
#include "app/json.h"
#include "commands.h"
#include "load.h"
#include "output.h"
#include "stop.h"
#include "train_options.h"
#include "train_progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_ROW_CHOICE(
        "preset", 'p', "reduction|aux|pooling|depth-width|size|norm|dropout|crops", NULL,
        "in place of networks: an ablation of the paper ('--list' says what each compares)"),
    CLI_ROW_ARCH("base", 0, NULL, "the network that the preset varies (default: googlenet)"),
    CLI_ROW_FLAG("list", 0, "list the presets instead"),
    CLI_OPTION_PIXELS("side of the pictures of networks that do not say theirs"),
    CLI_OPTION_CLASSES("outputs of the last layer, without --data"),
    CLI_ROW_REAL("seconds", 0, "S", "1", 0, 3600,
                 "how long to measure each speed, at least ten runs; 0: no speeds"),
    CLI_OPTION_THREADS,
    CLI_ROW_FILE("out", 'o', "FOLDER",
                 "for compare.csv, compare.html and the trained networks, new or empty"),
    CLI_ROW_FLAG("resume", 0, "go on in FOLDER: networks that are trained stay as they are"),
};

/* How the networks are trained: all but the batch need --data. */
static const cli_train_row training[] = {
    { .word = "batch", .letter = 'b', .help = "pictures a training step, timed and trained" },
    { .word = "data",
      .letter = 'd',
      .help = "train every network on these pictures (as 'deeper "
              "train' takes them)" },
    { .word = "root" },
    { .word = "val" },
    { .word = "epochs",
      .letter = 'e',
      .fallback = "10",
      .help = "the budget: times that every picture is seen" },
    { .word = "minutes",
      .help = "the budget: time, whatever a network's speed (in place of --epochs)" },
    { .word = "rate", .letter = 'r' },
    { .word = "warmup", .fallback = "0.1" },
    { .word = "augment" },
    { .word = "seed" },
};
enum { TRAINING = sizeof training / sizeof *training, OF_DATA = 2 };

static const cli_option *training_option(size_t index) {
    static cli_option filled[TRAINING];
    if (index >= TRAINING)
        return NULL;
    return cli_train_option(&filled[index], cli_train_find(training[index].word), &training[index]);
}

/* Where the comparison stands. */
typedef struct state {
    cli_train_progress progress;
    bool trains;
    double minutes; /* of each member's training; 0: not limited by time */
} state;

static void begin(void *context, const char *member, size_t index, size_t count) {
    state *s = context;
    char left[32];
    cli_train_progress_begin(&s->progress);
    cli_progress_end();
    if (!s->trains)
        return;
    if (s->minutes > 0)
        cli_note("%zu of %zu: %s; about %s to the end", index + 1, count, member,
                 cli_duration(60 * s->minutes * (double)(count - index), left));
    else
        cli_note("%zu of %zu: %s", index + 1, count, member);
}

static void event(void *context, const deeper_train_event *event) {
    state *s = context;
    if (event->kind != DEEPER_TRAIN_EPOCH) /* results on stdout are the members' */
        cli_train_progress_event(&s->progress, event);
}

static void note(void *context, const char *message) {
    cli_note("%s", message);
}

/* -------------------------------------------------------------------------------------- results */

static json_t *count_or_null(uint64_t count) {
    return count ? json_integer((json_int_t)count) : json_null();
}

static void print_json(const deeper_compared *c) {
    bool trained = c->images > 0;
    cli_print_json(APP_OBJECT(
        app_text(KEY_member, c->member), app_text(KEY_architecture, c->architecture),
        app_text(KEY_options, c->options), app_whole(KEY_image_size, c->image_size),
        app_whole(KEY_crops, c->crops), app_text(KEY_error, c->status ? c->message : NULL),
        app_value(KEY_parameters, count_or_null(c->parameters)),
        app_value(KEY_multiply_adds, count_or_null(c->multiply_adds)),
        app_value(KEY_arena_bytes, count_or_null(c->activation_bytes)),
        app_real(KEY_forward_ms, c->forward_ms),
        app_real(KEY_images_per_second, c->forward_images_per_second),
        app_real(KEY_training_images_per_second, c->training_images_per_second),
        app_real(KEY_joules, c->joules), app_value(KEY_epochs, count_or_null((uint64_t)c->epochs)),
        app_value(KEY_images_seen, count_or_null(c->images_seen)),
        app_real(KEY_train_seconds, c->train_seconds),
        app_value(KEY_images, count_or_null(c->images)),
        app_real(KEY_top1, trained ? (double)c->top1 / (double)c->images : (double)NAN),
        app_real(KEY_top1_low, c->top1_low), app_real(KEY_top1_high, c->top1_high),
        app_real(KEY_top5, trained ? (double)c->top5 / (double)c->images : (double)NAN)));
}

/* "12.3 ms", or "-" for what was not measured. */
static const char *number(double value, int digits, const char *unit, char text[CLI_NUMBER_SIZE]) {
    if (isfinite(value))
        snprintf(text, CLI_NUMBER_SIZE, "%.*f%s", digits, value, unit);
    else
        snprintf(text, CLI_NUMBER_SIZE, "-");
    return text;
}

enum { NAME_WIDTH = 24 };

/* Rows come one by one, so widths are fixed: 80 columns, where joules or accuracies are none more.
 * A name that is longer has a line of its own. */
static void print_text(const deeper_compared *c, size_t index) {
    char a[CLI_NUMBER_SIZE], b[CLI_NUMBER_SIZE], memory[CLI_NUMBER_SIZE], ms[CLI_NUMBER_SIZE],
        speed[CLI_NUMBER_SIZE], joules[CLI_NUMBER_SIZE];
    const bool long_name = strlen(c->member) > NAME_WIDTH;
    if (index == 0)
        printf("%-*s params   ops   memory     image  training%s\n", NAME_WIDTH, "network",
               c->images || c->status ? "  top-1 (95 %)" : "    J/image");
    printf("%-*s%s", NAME_WIDTH, c->member, long_name && !c->status ? "\n" : "");
    if (c->status) {
        printf(" failed: ");
        cli_print_text(c->message);
        printf("\n");
        cli_flush();
        return;
    }
    printf("%*s %6s %5s %8s %9s %9s", long_name ? NAME_WIDTH : 0, "",
           cli_short_count(c->parameters, a), cli_short_count(c->multiply_adds, b),
           cli_bytes(c->activation_bytes, memory), number(c->forward_ms, 2, " ms", ms),
           number(c->training_images_per_second, 1, "/s", speed));
    if (c->images)
        printf(" %5.1f (%.0f-%.0f)", 100 * (double)c->top1 / (double)c->images, 100 * c->top1_low,
               100 * c->top1_high);
    else
        printf(" %10s", number(c->joules, 3, "", joules));
    printf("\n");
    cli_flush();
}

static void done(void *context, const deeper_compared *compared, size_t index, size_t count) {
    cli_progress_end();
    if (compared->status && compared->status != DEEPER_ERROR_STOPPED)
        cli_problem(compared->member, compared->message);
    if (cli_json())
        print_json(compared);
    else
        print_text(compared, index);
}

static int list_presets(void) {
    const char *name, *about;
    for (size_t i = 0; (name = deeper_compare_preset(i, &about)) != NULL; i++) {
        if (cli_json())
            cli_print_json(APP_OBJECT(app_text(KEY_preset, name), app_text(KEY_about, about)));
        else
            printf("%-12s %s\n", name, about);
    }
    return CLI_DONE;
}

/* -------------------------------------------------------------------------------------- command */

static int check(const cli_args *args) {
    if (!args->operand_count == !cli_given(args, "preset"))
        return cli_usage(args->command, "name the networks to compare, or a --preset");
    if (cli_given(args, "base") && !cli_given(args, "preset"))
        return cli_usage(args->command, "--base is what a --preset varies");
    for (size_t i = OF_DATA; i < TRAINING && !cli_given(args, "data"); i++)
        if (cli_given(args, training[i].word))
            return cli_usage(args->command, "--%s goes with --data", training[i].word);
    if (cli_flag(args, "resume") && !cli_given(args, "data"))
        return cli_usage(args->command, "--resume goes with --data");
    if (cli_given(args, "data") && cli_given(args, "classes"))
        return cli_usage(args->command, "--classes is for networks that are not trained; with "
                                        "--data they have the classes of it");
    if (cli_given(args, "data") && !cli_given(args, "out"))
        return cli_usage(args->command, "--data needs --out FOLDER for the trained networks");
    return CLI_DONE;
}

static int run(const cli_args *args) {
    if (cli_flag(args, "list"))
        return list_presets();
    int code = check(args);
    if (code)
        return code;
    deeper_train_options train = DEEPER_TRAIN_OPTIONS_INIT;
    deeper_compare_options compare = DEEPER_COMPARE_OPTIONS_INIT;
    if (!cli_train_fill(args, &train))
        return CLI_USAGE;
    compare.members = (const char *const *)args->operands;
    compare.member_count = args->operand_count;
    compare.preset = cli_text(args, "preset");
    compare.base = cli_text(args, "base");
    compare.image_size = cli_integer(args, "size");
    compare.classes = cli_integer(args, "classes");
    compare.seconds = cli_real(args, "seconds");
    compare.batch = cli_integer(args, "batch");
    compare.threads = cli_integer(args, "threads");
    compare.train = cli_given(args, "data") ? &train : NULL;
    compare.out = cli_text(args, "out");
    compare.resume = cli_flag(args, "resume");
    state s = { .trains = compare.train != NULL, .minutes = cli_real(args, "minutes") };
    const deeper_compare_calls calls = { begin, done, note, event, cli_stop_control, &s };
    deeper_error error = { 0 };
    size_t failed = 0;
    const cli_load before = cli_load_now();
    cli_stop_catch();
    deeper_status status = deeper_compare(&compare, &calls, &failed, &error);
    cli_progress_end();
    if (compare.seconds > 0 && !status)
        cli_load_warn(&before);
    if (status == DEEPER_ERROR_STOPPED && cli_stop_signal()) {
        cli_note("saved; to go on: the same command with --resume");
        return 128 + cli_stop_signal();
    }
    if (status)
        return cli_failure(&error);
    if (compare.out && !cli_json())
        cli_note("page: %s/compare.html, table: %s/compare.csv", compare.out, compare.out);
    return failed ? CLI_UNREADABLE : CLI_DONE;
}

const cli_command cli_command_compare = {
    .name = "compare",
    .summary = "compare networks: cost, speed and, on your pictures, accuracy",
    .operands = "ARCH[:OPTIONS][@SIZE][/CROPS] ...",
    .description = "A row a network: parameters and multiply-adds of inference, activation memory, "
                   "the time of an image and the speed of "
                   "training here, energy where the machine lets it be read. With --data every "
                   "network is trained in the same budget, and has "
                   "its top-1 "
                   "on the validation pictures with an interval of 95 %. A --preset varies one "
                   "network as a question of the paper has it. "
                   "FOLDER gets "
                   "compare.csv and compare.html, a page complete in itself. A network that fails "
                   "is named, the rest goes on (exit code 3).",
    .examples =
        "deeper compare lenet5@32 alexnet nin vgg16 googlenet\n"
        "deeper compare --preset reduction --data photos/ --size 128 --epochs 20 --out reduction\n"
        "deeper compare lenet5 nin:form=cifar alexnet:stem=small googlenet:stem=small --size 28 "
        "\\\n"
        "    --data fashion-mnist --minutes 2 --out small\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .more = training_option,
    .max_operands = 64,
    .operand = CLI_ARCH,
    .run = run,
};
