/* command_bench.c - times a network here and sets the time against what the machine's arithmetic
 * allows. */
#include "app/json.h"
#include "bench_steps.h"
#include "commands.h"
#include "load.h"
#include "models.h"
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const cli_option options[] = {
    CLI_OPTION_ARCH,
    CLI_OPTION_MODEL,
    CLI_OPTION_THREADS,
    CLI_OPTION_BATCH,
    CLI_OPTION_MEMORY,
    CLI_ROW_REAL("seconds", 's', "S", "3", 0, 3600, "how long to measure, at least ten runs"),
    CLI_OPTION_SIZE,
    CLI_ROW_FLAG("train", 0, "time training steps: forward with auxiliary heads, backward, update"),
    CLI_ROW_FLAG("layers", 0, "show what each step takes, and each kind of step together"),
};

/* --plan, whose choices are the library's. */
static const cli_option *plan_option(size_t index) {
    static cli_option option = CLI_ROW_FLAG_OR(
        "plan", 0, NULL, "show the steps of the plan too, or what one pass of the planner decided");
    option.value = deeper_plan_passes();
    return index == 0 ? &option : NULL;
}

/* What is timed. Memory is that of an inference session; training tells its peak only. */
typedef struct setting {
    bool train;
    const char *tuning; /* that chose some of the convolutions; NULL: none did */
    size_t arena_bytes, packed_bytes;
    int threads;
    char isa[16];
    double others; /* processors that other programs kept busy; NAN: not known */
} setting;

static uint64_t peak_rss_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage)
               ? 0
               : (uint64_t)usage.ru_maxrss * 1024; /* Linux counts in KiB */
}

static void print_json(const cli_args *args, const deeper_model *model, const setting *s,
                       const deeper_benchmark *b, const char *plan, json_t *layers) {
    const char *chosen = strchr(b->network, ':');
    json_t *object = APP_OBJECT(
        app_text(KEY_architecture, deeper_model_text(model, "architecture")),
        app_text(KEY_options, chosen ? chosen + 1 : ""),
        app_whole(KEY_image_size, deeper_model_image_size(model)), app_truth(KEY_train, s->train),
        app_text(KEY_precision, "fp32"), app_text(KEY_isa, s->isa),
        app_whole(KEY_threads, s->threads), app_whole(KEY_batch, cli_integer(args, "batch")),
        app_whole(KEY_runs, b->runs), app_real(KEY_median_ms, b->median_ms),
        app_real(KEY_min_ms, b->min_ms), app_real(KEY_p90_ms, b->p90_ms),
        app_real(KEY_images_per_second, b->images_per_second),
        app_real(KEY_peak_gflops, b->peak_gflops),
        app_real(KEY_direct_floor_ms, b->direct_floor_ms),
        app_real(KEY_ratio_to_floor, b->ratio_to_floor),
        app_whole(s->train ? KEY_training_multiply_adds : KEY_multiply_adds,
                  (json_int_t)b->multiply_adds),
        app_real(KEY_logit_checksum, b->logit_checksum),
        app_whole(KEY_peak_rss_bytes, peak_rss_bytes()), app_text(KEY_tuning, s->tuning),
        app_real(KEY_other_load, s->others));
    if (!s->train) {
        app_put(object, app_whole(KEY_arena_bytes, s->arena_bytes));
        app_put(object, app_whole(KEY_packed_bytes, s->packed_bytes));
    }
    if (plan)
        app_put(object, app_text(KEY_plan, plan));
    if (layers)
        app_put(object, app_value(KEY_layers, json_incref(layers)));
    cli_print_json(object);
}

static void print_text(const cli_args *args, const deeper_model *model, const setting *s,
                       const deeper_benchmark *b, const char *plan, const cli_steps *steps) {
    char text[CLI_NUMBER_SIZE], more[CLI_NUMBER_SIZE];
    if (steps->step_count)
        cli_steps_end(steps);
    if (plan)
        cli_print_names("%s\n", plan);
    printf("network        %s, %s multiply-adds an image%s\n",
           deeper_model_text(model, "architecture"), cli_grouped(b->multiply_adds, text),
           s->train ? ", forward and backward" : "");
    printf("run            %sfp32, %s, %d thread%s, batch %d, %d runs\n",
           s->train ? "training steps, " : "", s->isa, s->threads, s->threads == 1 ? "" : "s",
           cli_integer(args, "batch"), b->runs);
    fputs("tuning         ", stdout);
    cli_print_text(s->tuning ? s->tuning : "built-in model");
    printf("\ntime           median %.2f ms, least %.2f ms, 90 %% below %.2f ms\n", b->median_ms,
           b->min_ms, b->p90_ms);
    printf("speed          %.1f images/s\n", b->images_per_second);
    printf("peak           %.1f GFLOP/s fp32, measured with the same threads\n", b->peak_gflops);
    printf("direct floor   %.2f ms: all multiply-adds at that peak\n", b->direct_floor_ms);
    printf("ratio to floor %.3f%s\n", b->ratio_to_floor,
           b->ratio_to_floor < 1 ? ", below 1 by algorithms that multiply less" : "");
    fputs("memory         ", stdout);
    if (!s->train)
        printf("%s activations, %s packed weights, ", cli_bytes(s->arena_bytes, text),
               cli_bytes(s->packed_bytes, more));
    printf("%s resident at most\n", cli_bytes(peak_rss_bytes(), text));
    printf("logit checksum %.9g\n", b->logit_checksum);
}

static deeper_status measure(const cli_args *args, const deeper_model *model,
                             const deeper_session_options *session_options, cli_steps *steps,
                             deeper_benchmark *result, deeper_error *error) {
    double seconds = cli_real(args, "seconds");
    bool train = cli_flag(args, "train");
    if (cli_flag(args, "layers"))
        return deeper_bench_steps(model, session_options, train, seconds, cli_steps_take, steps,
                                  result, sizeof *result, error);
    return (train ? deeper_bench_training : deeper_bench)(model, session_options, seconds, result,
                                                          sizeof *result, error);
}

static int bench(const cli_args *args, const deeper_model *model) {
    deeper_session_options session_options = cli_session_options(args);
    deeper_session *session = NULL;
    deeper_benchmark result = { 0 };
    deeper_error error = { 0 };
    setting s = { .train = cli_flag(args, "train") };
    session_options.max_batch = s.train ? 1 : cli_integer(args, "batch");
    if (cli_flag(args, "plan") && *cli_text(args, "plan"))
        session_options.plan_pass = cli_text(args, "plan");
    if (s.train)
        session_options.tuning = NULL;
    if (deeper_session_create(&session, model, &session_options, &error))
        return cli_failure(&error);
    s.threads = deeper_session_threads(session);
    snprintf(s.isa, sizeof s.isa, "%s", deeper_session_isa(session));
    s.tuning = deeper_session_tuned(session) ? session_options.tuning : NULL;
    deeper_session_memory(session, &s.arena_bytes, &s.packed_bytes);
    if (s.train) { /* it told threads and instruction set; its memory must not count in the peak */
        deeper_session_free(session);
        session = NULL;
    }
    session_options.max_batch = cli_integer(args, "batch");
    cli_load before = cli_load_now();
    cli_steps steps = { .rows = cli_json() && cli_flag(args, "layers") ? json_array() : NULL };
    const char *plan = cli_flag(args, "plan") ? deeper_session_plan(session) : NULL;
    int code = measure(args, model, &session_options, &steps, &result, &error) ? cli_failure(&error)
                                                                               : CLI_DONE;
    if (code == CLI_DONE) {
        s.others = cli_load_warn(&before);
        if (cli_json())
            print_json(args, model, &s, &result, plan, steps.rows);
        else
            print_text(args, model, &s, &result, plan, &steps);
    }
    json_decref(steps.rows);
    deeper_session_free(session);
    return code;
}

static int run(const cli_args *args) {
    deeper_model *model = NULL;
    if (cli_flag(args, "train") && cli_flag(args, "plan"))
        return cli_usage(args->command, "--plan shows the plan of inference; not with --train");
    int code = cli_network(&model, args);
    if (code)
        return code;
    code = bench(args, model);
    deeper_model_close(model);
    return code;
}

const cli_command cli_command_bench = {
    .name = "bench",
    .summary = "measure the speed of a network on this machine",
    .operands = "[NETWORK]",
    .description = "NETWORK is an architecture or a model, as --arch and --model name one.\n"
                   "Runs the network on a fixed input and gives the median time, and its ratio to "
                   "the direct floor: the time that its "
                   "multiply-adds would take at the fp32 peak of the same threads, measured in the "
                   "same run. Below 1 means that fewer "
                   "multiplications were needed. With --train a run is one training step of a "
                   "batch, and the floor is that of forward and "
                   "backward. --layers adds a table of what each step of the plan took in the "
                   "fastest run, as a part of the wall time of its "
                   "phase (the steps "
                   "that run at the same time); waiting is the part of it in which threads had "
                   "nothing left to do, GFLOP/s and ratio count "
                   "the multiply-adds of direct convolution. DEEPER_ISA=portable|avx2|avx512|neon "
                   "forces an instruction set.",
    .examples = "deeper bench --threads 1\n"
                "deeper bench --model googlenet.safetensors --batch 8 --json\n"
                "deeper bench --train --batch 32 --json\n"
                "deeper bench --layers --threads 1\n"
                "DEEPER_ISA=avx2 deeper bench --plan\n"
                "deeper bench --plan=choose --seconds 0\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .operand = CLI_NETWORK,
    .more = plan_option,
    .run = run,
};
