/* bench.c - inference timed on a fixed input. No file and no picture takes part. */
#include "measure/bench.h"

#include "session/input.h"
#include "session/open.h"

typedef struct bench {
    dp_session *session;
    dp_profile *profile;
    float *input, *logits, *probabilities;
    size_t logit_count; /* an image */
} bench;

static void bench_end(bench *state, const deeper_allocator *allocator) {
    dp_free(allocator, state->input);
    dp_free(allocator, state->logits);
    dp_free(allocator, state->probabilities);
    dp_profile_free(state->profile);
    dp_session_free(state->session);
}

/* Batch x shape floats, or NULL. */
static float *take_batch(const bench *state, dp_shape shape) {
    size_t count = 0;
    if (!dp_size_mul(dp_shape_floats(shape), (size_t)state->session->max_batch, &count))
        return NULL;
    return dp_alloc(state->session->allocator, count, sizeof(float));
}

static deeper_status bench_begin(bench *state, const dp_model *model, dp_packs *packs,
                                 const deeper_session_options *options, bool profiled,
                                 deeper_error *error) {
    const int nodes[] = { model->graph->nodes[model->prob].inputs[0], model->prob };
    DP_TRY(dp_session_open_nodes(&state->session, model, packs, options, nodes, 2, error));
    if (profiled)
        DP_TRY(dp_profile_create(&state->profile, state->session->plan, error));
    state->session->profile = state->profile;
    const dp_shape input = dp_model_input(model);
    state->logit_count = dp_shape_floats(dp_session_output(state->session, 0));
    state->input = take_batch(state, input);
    state->logits = take_batch(state, dp_session_output(state->session, 0));
    state->probabilities = take_batch(state, dp_session_output(state->session, 1));
    if (!state->input || !state->logits || !state->probabilities)
        return dp_fail_memory(error,
                              "the benchmark's input and outputs; a smaller max_batch needs less");
    dp_fixed_input(state->input, dp_shape_floats(input) * (size_t)state->session->max_batch);
    return DEEPER_OK;
}

static void run_session(void *context) {
    bench *state = context;
    float *const outputs[] = { state->logits, state->probabilities };
    dp_session_run(state->session, state->input, state->session->max_batch, outputs);
}

/* Sum of the logits of image 0. */
static double checksum(const bench *state) {
    double sum = 0;
    for (size_t i = 0; i < state->logit_count; i++)
        sum += (double)state->logits[i];
    return sum;
}

deeper_status dp_bench(const dp_model *model, dp_packs *packs,
                       const deeper_session_options *options, double seconds,
                       const dp_step_listener *listener, deeper_benchmark *result,
                       deeper_error *error) {
    bench state = { 0 };
    deeper_status status = bench_begin(&state, model, packs, options, listener != NULL, error);
    if (status == DEEPER_OK) {
        const dp_timed timed = { .model = model,
                                 .allocator = model->allocator,
                                 .kernels = state.session->kernels,
                                 .pool = state.session->pool,
                                 .batch = state.session->max_batch,
                                 .multiply_adds = dp_model_cost(model, false).multiply_adds,
                                 .run = run_session,
                                 .context = &state,
                                 .profile = state.profile,
                                 .rest = "rest",
                                 .listener = listener };
        status = dp_time(&timed, seconds, result, error);
        if (status == DEEPER_OK)
            result->logit_checksum = checksum(&state);
    }
    bench_end(&state, model->allocator);
    return status;
}
