/* bench_training.c - one whole training step timed on a fixed input: weights packed, forward with
 * every head, backward, the norm of the gradients, the update with momentum and average. The
 * network is one of the model's architecture with its heads and values of its own, so that the
 * caller's model stays as it is. */
#include "measure/bench.h"

#include "base/float_mode.h"

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

static void bench_end(bench *state, const deeper_allocator *allocator) {
    dp_optimiser_free(state->optimiser);
    dp_profile_free(state->profile);
    dp_learner_free(state->learner);
    dp_model_free(state->model);
    dp_free(allocator, state->segments);
    dp_free(allocator, state->input);
    dp_free(allocator, state->labels);
}

/* The architecture of `from` with its auxiliary heads, where it has such an option. */
static deeper_status make_model(bench *state, const dp_model *from, int image_size,
                                const deeper_allocator *allocator, deeper_error *error) {
    char spec[1200];
    snprintf(spec, sizeof spec, "%s:%s", from->architecture, from->options);
    char *aux = strstr(spec, "aux=0");
    if (aux)
        aux[4] = '1';
    DP_TRY(dp_model_create(&state->model, spec, from->classes, image_size, allocator, error));
    DP_TRY(dp_model_allocate(state->model, error));
    dp_initialize(state->model, NULL, DP_INIT_HE, 1);
    return DEEPER_OK;
}

/* Every parameter but the running statistics learns. */
static deeper_status make_optimiser(bench *state, const deeper_allocator *allocator,
                                    deeper_error *error) {
    size_t count = (size_t)state->model->graph->parameters, begin = 0;
    state->segments = dp_alloc(allocator, count, sizeof *state->segments);
    if (!state->segments)
        return dp_fail_memory(error, "the segments of the parameters");
    for (size_t p = 0; p < count; p++) {
        size_t floats = dp_shape_floats(dp_model_parameter(state->model, (int)p)->shape);
        state->segments[p] =
            (dp_segment){ begin, floats, 1.0F, 1.0F, state->learner->nodes.gradients[p] >= 0 };
        begin += floats;
    }
    const dp_optimiser_options options = { .kernels = dp_gradient_kernels_for(state->learner->isa),
                                           .pool = state->learner->pool,
                                           .value = state->model->arena,
                                           .gradient = state->learner->gradients,
                                           .floats = state->learner->floats,
                                           .segments = state->segments,
                                           .segment_count = count,
                                           .averaged = true,
                                           .momentum = 0.9F,
                                           .decay = 2e-4F,
                                           .clip = 5 };
    return dp_optimiser_create(&state->optimiser, &options, allocator, error);
}

static deeper_status bench_begin(bench *state, const dp_model *model,
                                 const deeper_session_options *options, bool profiled,
                                 deeper_error *error) {
    const deeper_allocator *allocator = model->allocator;
    dp_shape input = dp_model_input(model);
    state->batch = options->max_batch ? options->max_batch : 1;
    DP_TRY(make_model(state, model, input.h, allocator, error));
    const dp_learner_options learner_options = { .aux_weight = 0.3F,
                                                 .max_batch = state->batch,
                                                 .threads = options->threads,
                                                 .direct = options->direct != 0 };
    DP_TRY(dp_learner_create(&state->learner, state->model, &learner_options, allocator, error));
    if (profiled)
        DP_TRY(dp_profile_create(&state->profile, state->learner->plan, error));
    state->learner->profile = state->profile;
    DP_TRY(make_optimiser(state, allocator, error));
    size_t floats;
    if (dp_size_mul(dp_shape_floats(input), (size_t)state->batch, &floats))
        state->input = dp_alloc(allocator, floats, sizeof(float));
    state->labels = dp_alloc(allocator, (size_t)state->batch, 2 * sizeof(float));
    if (!state->input || !state->labels)
        return dp_fail_memory(error, "the benchmark's input; a smaller max_batch needs less");
    dp_fixed_input(state->input, floats);
    for (int n = 0; n < state->batch; n++) {
        state->labels[2 * n] = (float)(n % model->classes);
        state->labels[2 * n + 1] = 1.0F;
    }
    return DEEPER_OK;
}

static void run_step(void *context) {
    bench *state = context;
    uint64_t mode = dp_float_mode_enter();
    dp_learner_run(state->learner, state->input, state->labels, state->batch, true, state->steps++);
    double norm = dp_optimiser_norm(state->optimiser, 1.0 / state->batch);
    dp_optimiser_step(state->optimiser, 1.0 / state->batch, norm, RATE, BLEND);
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
    bench state = { 0 };
    deeper_status status = bench_begin(&state, model, options, listener != NULL, error);
    if (status == DEEPER_OK) {
        const dp_timed timed = { .model = state.model,
                                 .allocator = model->allocator,
                                 .kernels = dp_kernels_for(state.learner->isa),
                                 .pool = state.learner->pool,
                                 .batch = state.batch,
                                 .multiply_adds = multiply_adds(state.learner->training),
                                 .run = run_step,
                                 .context = &state,
                                 .profile = state.profile,
                                 .rest = "update",
                                 .listener = listener };
        status = dp_time(&timed, seconds, result, error);
        for (int c = 0; status == DEEPER_OK && c < state.model->classes; c++)
            result->logit_checksum += (double)state.learner->logits[c];
    }
    bench_end(&state, model->allocator);
    return status;
}
