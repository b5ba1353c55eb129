/* bench.c - deeper_bench: inference timed on a fixed input. No file and no picture takes part. */
#include "api/bench.h"
#include "api/handles.h"
#include "session/open.h"

typedef struct bench {
    const deeper_model *model;
    dp_session *session;
    dp_profile *profile;
    float *input, *logits, *probabilities;
    size_t logit_count; /* an image */
} bench;

static void bench_end(bench *it) {
    const deeper_allocator *allocator = it->model->owner.allocator;
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
    return dp_alloc(it->model->owner.allocator, count, sizeof(float));
}

static deeper_status bench_begin(bench *it, const deeper_session_options *options, bool profiled,
                                 deeper_error *error) {
    const dp_model *inner = it->model->model;
    const dp_node *softmax = &inner->graph->nodes[it->model->model->prob];
    if (softmax->op != DP_OP_SOFTMAX)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: its layer \"prob\" is no softmax, so it has no logits",
                       inner->architecture);
    const int nodes[] = { softmax->inputs[0], it->model->model->prob };
    DP_TRY(dp_session_open_nodes(&it->session, inner, it->model->packs, options, nodes, 2, error));
    if (profiled)
        DP_TRY(dp_profile_create(&it->profile, it->session->plan, error));
    it->session->profile = it->profile;
    const dp_shape input = dp_model_input(inner);
    it->logit_count = dp_shape_floats(dp_session_output(it->session, 0));
    it->input = take_batch(it, input);
    it->logits = take_batch(it, dp_session_output(it->session, 0));
    it->probabilities = take_batch(it, dp_session_output(it->session, 1));
    if (!it->input || !it->logits || !it->probabilities)
        return dp_fail_memory(error,
                              "the benchmark's input and outputs; a smaller max_batch needs less");
    dp_time_input(it->input, dp_shape_floats(input) * (size_t)it->session->max_batch);
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

deeper_status dp_bench_inference(const deeper_model *model, const deeper_session_options *options,
                                 double seconds, const dp_step_listener *listener,
                                 deeper_benchmark *result, deeper_error *error) {
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(result, "result", error));
    deeper_session_options mine = DEEPER_SESSION_OPTIONS_INIT;
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_session_options", error));
    bench it = { .model = model };
    deeper_status status = bench_begin(&it, &mine, listener != NULL, error);
    if (status == DEEPER_OK) {
        const dp_timed timed = { .allocator = model->owner.allocator,
                                 .kernels = it.session->kernels,
                                 .pool = it.session->pool,
                                 .batch = it.session->max_batch,
                                 .multiply_adds = deeper_model_multiply_adds(model, 0),
                                 .run = run_session,
                                 .context = &it,
                                 .profile = it.profile,
                                 .rest = "rest",
                                 .listener = listener };
        status = dp_time(&timed, seconds, result, error);
        if (status == DEEPER_OK)
            result->logit_checksum = checksum(&it);
    }
    bench_end(&it);
    return status;
}

deeper_status deeper_bench(const deeper_model *model, const deeper_session_options *options,
                           double seconds, deeper_benchmark *result, deeper_error *error) {
    return dp_bench_inference(model, options, seconds, NULL, result, error);
}
