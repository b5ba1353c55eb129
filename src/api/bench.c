/* bench.c - deeper_bench: the network timed against the arithmetic peak of the same threads.
 * The ratio says how far a run is from one that did nothing but the multiply-adds of direct convolution at the peak of this
 * machine, so it can be compared between machines and over time. No file and no picture takes part. */
#include "api/handles.h"

#include <math.h>
#include <stdlib.h>

enum {
    LEAST_RUNS = 10,
    WARM_RUNS = 2,     /* touch all memory, bring the clock up */
    PEAK_WINDOWS = 20, /* of about PEAK_SECONDS each: short, so that one of them is undisturbed */
    MOST_SECONDS = 86400
};
static const double PEAK_SECONDS = 0.01;

/* ---------------------------------------------------------------------------------------------------------------- peak */

typedef struct peak {
    const dp_kernels *kernels;
    int rounds;
    float kept[DP_THREADS_MAX]; /* one a task: the work must have a reader */
} peak;

static void peak_task(void *context, int task, int worker) {
    peak *it = context;
    it->kept[task] = it->kernels->peak(it->rounds);
}

/* Seconds of one loop in which every thread does `rounds`. */
static double peak_seconds(dp_session *session, peak *it) {
    double begin = dp_now();
    dp_pool_run(session->pool, session->threads, peak_task, it);
    return dp_now() - begin;
}

/* Floating-point operations a second of all threads of the session together, the best of some windows: in 1e9. */
static double peak_gflops(dp_session *session) {
    peak it = { .kernels = session->kernels, .rounds = 1 };
    double seconds = peak_seconds(session, &it), best = 0;
    while (seconds < PEAK_SECONDS && it.rounds < 1 << 24) {
        it.rounds *= 2;
        seconds = peak_seconds(session, &it);
    }
    for (int i = 0; i < PEAK_WINDOWS; i++)
        best = fmax(best, it.rounds / peak_seconds(session, &it));
    return best * it.kernels->peak_flops * session->threads * 1e-9;
}

/* --------------------------------------------------------------------------------------------------------------- runs */

/* The fixed input: x[i] = (h(i) / 2^31 - 1) * 64 for the number i of a float, h a 32-bit hash. Its range is about that of a photo
 * less its mean. */
static void fill_input(float *input, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t h = (uint32_t)i * 2654435761u;
        h = (h ^ h >> 16) * 2246822519u;
        h ^= h >> 13;
        input[i] = ((float)(h >> 8) * 0x1p-23f - 1) * 64;
    }
}

typedef struct bench {
    const deeper_model *model;
    dp_session *session;
    float *input, *logits, *probabilities;
    size_t logit_count; /* an image */
    double *times;      /* seconds a run */
    size_t runs, capacity;
} bench;

static void bench_end(bench *it) {
    const deeper_allocator *allocator = it->model->owner.allocator;
    dp_free(allocator, it->input);
    dp_free(allocator, it->logits);
    dp_free(allocator, it->probabilities);
    dp_free(allocator, it->times);
    dp_session_free(it->session);
}

/* Batch x shape floats, or NULL. */
static float *take_batch(const bench *it, dp_shape shape) {
    size_t count = 0;
    if (!dp_size_mul(dp_shape_floats(shape), (size_t)it->session->max_batch, &count))
        return NULL;
    return dp_alloc(it->model->owner.allocator, count, sizeof(float));
}

static deeper_status bench_begin(bench *it, const deeper_session_options *options, deeper_error *error) {
    const dp_model *inner = it->model->model;
    const dp_node *softmax = &inner->graph->nodes[it->model->prob];
    if (softmax->op != DP_OP_SOFTMAX)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: its layer \"prob\" is no softmax, so it has no logits",
                       inner->architecture);
    const int nodes[] = { softmax->inputs[0], it->model->prob };
    const dp_session_options mine = {
        .max_batch = options->max_batch,
        .threads = options->threads,
        .outputs = nodes,
        .output_count = 2,
    };
    DP_TRY(dp_session_create(&it->session, inner, it->model->packs, &mine, error));
    const dp_shape input = inner->graph->nodes[it->model->input].shape;
    it->logit_count = dp_shape_floats(dp_session_output(it->session, 0));
    it->input = take_batch(it, input);
    it->logits = take_batch(it, dp_session_output(it->session, 0));
    it->probabilities = take_batch(it, dp_session_output(it->session, 1));
    if (!it->input || !it->logits || !it->probabilities)
        return dp_fail_memory(error, "the benchmark's input and outputs; a smaller max_batch needs less");
    fill_input(it->input, dp_shape_floats(input) * (size_t)it->session->max_batch);
    return DEEPER_OK;
}

/* Seconds of one run of a whole batch. */
static double run(bench *it) {
    float *const outputs[] = { it->logits, it->probabilities };
    double begin = dp_now();
    dp_session_run(it->session, it->input, it->session->max_batch, outputs);
    return dp_now() - begin;
}

static deeper_status run_all(bench *it, double seconds, deeper_error *error) {
    for (int i = 0; i < WARM_RUNS; i++)
        run(it);
    double begin = dp_now();
    while (it->runs < LEAST_RUNS || dp_now() - begin < seconds) {
        if (!dp_reserve(it->model->owner.allocator, (void **)&it->times, &it->capacity, it->runs + 1, sizeof *it->times))
            return dp_fail_memory(error, "the times of the runs");
        it->times[it->runs++] = run(it);
    }
    return DEEPER_OK;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(bench *it, double gflops, deeper_benchmark *result) {
    size_t n = it->runs;
    int batch = it->session->max_batch;
    qsort(it->times, n, sizeof *it->times, compare);
    double checksum = 0, median = (it->times[(n - 1) / 2] + it->times[n / 2]) / 2;
    for (size_t i = 0; i < it->logit_count; i++)
        checksum += (double)it->logits[i];
    uint64_t multiply_adds = deeper_model_multiply_adds(it->model, 0);
    double floor_seconds = 2.0 * (double)multiply_adds * batch / (gflops * 1e9);
    *result = (deeper_benchmark){
        .runs = (int)n,
        .median_ms = median * 1e3,
        .min_ms = it->times[0] * 1e3,
        .p90_ms = it->times[(n * 9 + 9) / 10 - 1] * 1e3, /* the least time that 90 % of the runs do not exceed */
        .peak_gflops = gflops,
        .direct_floor_ms = floor_seconds * 1e3,
        .ratio_to_floor = median / floor_seconds,
        .images_per_second = batch / median,
        .logit_checksum = checksum,
        .multiply_adds = multiply_adds,
    };
}

deeper_status deeper_bench(const deeper_model *model, const deeper_session_options *options, double seconds,
                           deeper_benchmark *result, deeper_error *error) {
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(result, "result", error));
    if (!(seconds >= 0 && seconds <= MOST_SECONDS))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "seconds is %g; 0 to %d are", seconds, MOST_SECONDS);
    deeper_session_options mine = DEEPER_SESSION_OPTIONS_INIT;
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_session_options", error));
    bench it = { .model = model };
    deeper_status status = bench_begin(&it, &mine, error);
    if (status == DEEPER_OK) {
        double before = peak_gflops(it.session);
        status = run_all(&it, seconds, error);
        if (status == DEEPER_OK)
            report(&it, fmax(before, peak_gflops(it.session)), result);
    }
    bench_end(&it);
    return status;
}
