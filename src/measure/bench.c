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

static void bench_end(bench *it, const deeper_allocator *allocator) {
    dp_free(allocator, it->input);
    dp_free(allocator, it->logits);
    dp_free(allocator, it->probabilities);
    dp_profile_free(it->profile);
    dp_session_free(it->session);
}

/* Batch x shape floats, or NULL. */
static float *take_batch(const bench *it, dp_shape shape) {
    size_t count = 0;
    if (!dp_size_mul(dp_shape_floats(shape), (size_t)it->session->max_batch, &count))
        return NULL;
    return dp_alloc(it->session->allocator, count, sizeof(float));
}

static deeper_status bench_begin(bench *it, const dp_model *model, dp_packs *packs,
                                 const deeper_session_options *options, bool profiled,
                                 deeper_error *error) {
    const dp_node *softmax = &model->graph->nodes[model->prob];
    if (softmax->op != DP_OP_SOFTMAX)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: its layer \"prob\" is no softmax, so it has no logits",
                       model->architecture);
    const int nodes[] = { softmax->inputs[0], model->prob };
    DP_TRY(dp_session_open_nodes(&it->session, model, packs, options, nodes, 2, error));
    if (profiled)
        DP_TRY(dp_profile_create(&it->profile, it->session->plan, error));
    it->session->profile = it->profile;
    const dp_shape input = dp_model_input(model);
    it->logit_count = dp_shape_floats(dp_session_output(it->session, 0));
    it->input = take_batch(it, input);
    it->logits = take_batch(it, dp_session_output(it->session, 0));
    it->probabilities = take_batch(it, dp_session_output(it->session, 1));
    if (!it->input || !it->logits || !it->probabilities)
        return dp_fail_memory(error,
                              "the benchmark's input and outputs; a smaller max_batch needs less");
    dp_fixed_input(it->input, dp_shape_floats(input) * (size_t)it->session->max_batch);
    return DEEPER_OK;
}

static void run_session(void *context) {
    bench *it = context;
    float *const outputs[] = { it->logits, it->probabilities };
    dp_session_run(it->session, it->input, it->session->max_batch, outputs);
}

/* Sum of the logits of image 0. */
static double checksum(const bench *it) {
    double sum = 0;
    for (size_t i = 0; i < it->logit_count; i++)
        sum += (double)it->logits[i];
    return sum;
}

deeper_status dp_bench(const dp_model *model, dp_packs *packs,
                       const deeper_session_options *options, double seconds,
                       const dp_step_listener *listener, deeper_benchmark *result,
                       deeper_error *error) {
    bench it = { 0 };
    deeper_status status = bench_begin(&it, model, packs, options, listener != NULL, error);
    if (status == DEEPER_OK) {
        const dp_timed timed = { .allocator = model->allocator,
                                 .kernels = it.session->kernels,
                                 .pool = it.session->pool,
                                 .batch = it.session->max_batch,
                                 .multiply_adds = dp_model_cost(model, false).multiply_adds,
                                 .run = run_session,
                                 .context = &it,
                                 .profile = it.profile,
                                 .rest = "rest",
                                 .listener = listener };
        status = dp_time(&timed, seconds, result, error);
        if (status == DEEPER_OK)
            result->logit_checksum = checksum(&it);
    }
    bench_end(&it, model->allocator);
    return status;
}
