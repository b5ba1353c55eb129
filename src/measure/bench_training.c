/* bench_training.c - one whole training step timed on a fixed input: weights packed, forward with
 * every head, backward, the norm of the gradients, the update with momentum and average. The
 * network is one of the model's architecture with its heads and values of its own, so that the
 * caller's model stays as it is. */
#include "measure/bench.h"

#include "session/input.h"
#include "train/core/init.h"
#include "train/core/learner.h"
#include "train/core/optimiser.h"

#include <stdio.h>
#include <string.h>

/* A step that neither stands still nor runs away in the few that are timed. */
static const double RATE = 1e-4, BLEND = 1e-3;

typedef struct bench {
    dp_model *model;
    dp_learner *learner;
    dp_profile *profile;
    dp_optimiser *optimiser;
    dp_segment *segments;
    float *input, *labels;
    int batch;
    uint64_t steps;
} bench;

static void bench_end(bench *it, const deeper_allocator *allocator) {
    dp_optimiser_free(it->optimiser);
    dp_profile_free(it->profile);
    dp_learner_free(it->learner);
    dp_model_free(it->model);
    dp_free(allocator, it->segments);
    dp_free(allocator, it->input);
    dp_free(allocator, it->labels);
}

/* The architecture of `from` with its auxiliary heads, where it has such an option. */
static deeper_status make_model(bench *it, const dp_model *from, int image_size,
                                const deeper_allocator *allocator, deeper_error *error) {
    char spec[1200];
    snprintf(spec, sizeof spec, "%s:%s", from->architecture, from->options);
    char *aux = strstr(spec, "aux=0");
    if (aux)
        aux[4] = '1';
    DP_TRY(dp_model_create(&it->model, spec, from->classes, image_size, allocator, error));
    DP_TRY(dp_model_allocate(it->model, error));
    dp_initialize(it->model, NULL, DP_INIT_HE, 1);
    return DEEPER_OK;
}

/* Every parameter but the running statistics learns. */
static deeper_status make_optimiser(bench *it, const deeper_allocator *allocator,
                                    deeper_error *error) {
    size_t count = (size_t)it->model->graph->parameters, begin = 0;
    it->segments = dp_alloc(allocator, count, sizeof *it->segments);
    if (!it->segments)
        return dp_fail_memory(error, "the segments of the parameters");
    for (size_t p = 0; p < count; p++) {
        size_t floats = dp_shape_floats(dp_model_parameter(it->model, (int)p)->shape);
        it->segments[p] =
            (dp_segment){ begin, floats, 1.0F, 1.0F, it->learner->nodes.gradients[p] >= 0 };
        begin += floats;
    }
    const dp_optimiser_options options = { .kernels = dp_gradient_kernels_for(it->learner->isa),
                                           .pool = it->learner->pool,
                                           .value = it->model->arena,
                                           .gradient = it->learner->gradients,
                                           .floats = it->learner->floats,
                                           .segments = it->segments,
                                           .segment_count = count,
                                           .averaged = true,
                                           .momentum = 0.9F,
                                           .decay = 2e-4F,
                                           .clip = 5 };
    return dp_optimiser_create(&it->optimiser, &options, allocator, error);
}

static deeper_status bench_begin(bench *it, const dp_model *model,
                                 const deeper_session_options *options, bool profiled,
                                 deeper_error *error) {
    const deeper_allocator *allocator = model->allocator;
    dp_shape input = dp_model_input(model);
    it->batch = options->max_batch ? options->max_batch : 1;
    DP_TRY(make_model(it, model, input.h, allocator, error));
    const dp_learner_options mine = { .aux_weight = 0.3F,
                                      .max_batch = it->batch,
                                      .threads = options->threads,
                                      .direct = options->direct != 0 };
    DP_TRY(dp_learner_create(&it->learner, it->model, &mine, allocator, error));
    if (profiled)
        DP_TRY(dp_profile_create(&it->profile, it->learner->plan, error));
    it->learner->profile = it->profile;
    DP_TRY(make_optimiser(it, allocator, error));
    size_t floats;
    if (dp_size_mul(dp_shape_floats(input), (size_t)it->batch, &floats))
        it->input = dp_alloc(allocator, floats, sizeof(float));
    it->labels = dp_alloc(allocator, (size_t)it->batch, 2 * sizeof(float));
    if (!it->input || !it->labels)
        return dp_fail_memory(error, "the benchmark's input; a smaller max_batch needs less");
    dp_fixed_input(it->input, floats);
    for (int n = 0; n < it->batch; n++) {
        it->labels[2 * n] = (float)(n % model->classes);
        it->labels[2 * n + 1] = 1.0F;
    }
    return DEEPER_OK;
}

static void run_step(void *context) {
    bench *it = context;
    uint64_t mode = dp_float_mode_enter();
    dp_learner_run(it->learner, it->input, it->labels, it->batch, true, it->steps++);
    double norm = dp_optimiser_norm(it->optimiser, 1.0 / it->batch);
    dp_optimiser_step(it->optimiser, 1.0 / it->batch, norm, RATE, BLEND);
    dp_float_mode_leave(mode);
}

/* Products of forward and backward of one image: 3 x forward less the input gradient of the first
 * convolution. */
static uint64_t multiply_adds(const dp_graph *training) {
    uint64_t sum = 0;
    for (int i = 0; i < training->count; i++)
        sum += dp_node_cost(training, i).multiply_adds;
    return sum;
}

deeper_status dp_bench_training(const dp_model *model, const deeper_session_options *options,
                                double seconds, const dp_step_listener *listener,
                                deeper_benchmark *result, deeper_error *error) {
    bench it = { 0 };
    deeper_status status = bench_begin(&it, model, options, listener != NULL, error);
    if (status == DEEPER_OK) {
        const dp_timed timed = { .allocator = model->allocator,
                                 .kernels = dp_kernels_for(it.learner->isa),
                                 .pool = it.learner->pool,
                                 .batch = it.batch,
                                 .multiply_adds = multiply_adds(it.learner->training),
                                 .run = run_step,
                                 .context = &it,
                                 .profile = it.profile,
                                 .rest = "update",
                                 .listener = listener };
        status = dp_time(&timed, seconds, result, error);
        for (int c = 0; status == DEEPER_OK && c < it.model->classes; c++)
            result->logit_checksum += (double)it.learner->logits[c];
    }
    bench_end(&it, model->allocator);
    return status;
}
