/* bench.c - deeper_bench, deeper_bench_training and deeper_bench_steps. */
#include "measure/bench.h"
#include "api/handles.h"

static deeper_status bench(const deeper_model *model, const deeper_session_options *options,
                           bool training, double seconds, const dp_step_listener *listener,
                           deeper_benchmark *result, size_t size, deeper_error *error) {
    deeper_benchmark timed;
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need_result(result, size, "result", error));
    deeper_session_options taken = DEEPER_SESSION_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_session_options", error));
    if (training)
        DP_TRY(dp_bench_training(model->model, &taken, seconds, listener, &timed, error));
    else
        DP_TRY(dp_bench(model->model, model->packs, &taken, seconds, listener, &timed, error));
    dp_result_give(result, size, &timed, sizeof timed);
    return DEEPER_OK;
}

deeper_status deeper_bench(const deeper_model *model, const deeper_session_options *options,
                           double seconds, deeper_benchmark *result, size_t size,
                           deeper_error *error) {
    DP_ENTRY;
    return bench(model, options, false, seconds, NULL, result, size, error);
}

deeper_status deeper_bench_training(const deeper_model *model,
                                    const deeper_session_options *options, double seconds,
                                    deeper_benchmark *result, size_t size, deeper_error *error) {
    DP_ENTRY;
    return bench(model, options, true, seconds, NULL, result, size, error);
}

deeper_status deeper_bench_steps(const deeper_model *model, const deeper_session_options *options,
                                 int training, double seconds,
                                 void (*step)(void *context, const deeper_bench_step *step),
                                 void *context, deeper_benchmark *result, size_t size,
                                 deeper_error *error) {
    DP_ENTRY;
    if (!step)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "step is NULL");
    const dp_step_listener listener = { step, context };
    return bench(model, options, training != 0, seconds, &listener, result, size, error);
}
