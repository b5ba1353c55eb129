/* bench_steps.c - deeper_bench_steps: where the time of a run goes, a step of its plan at a time. */
#include "api/bench.h"
#include "api/handles.h"

enum { TEXT_LIMIT = 1 << 16 }; /* bytes of one algorithm's description */

/* Completes a step that took `seconds` of all runs' `total`, and tells. */
static void tell(const dp_timed *timed, deeper_bench_step *step, int runs, double seconds, double total, double peak_gflops) {
    double flops = 2.0 * (double)step->multiply_adds * timed->batch;
    step->ms = seconds * 1e3 / runs;
    step->share = total > 0 ? seconds / total : 0;
    step->gflops = seconds > 0 ? flops * runs / seconds * 1e-9 : 0;
    step->ratio_to_floor = step->gflops > 0 ? peak_gflops / step->gflops : 0;
    timed->listener->step(timed->listener->context, step);
}

deeper_status dp_tell_steps(const dp_timed *timed, int runs, double seconds, double peak_gflops, deeper_error *error) {
    const dp_profile *profile = timed->profile;
    dp_buffer text;
    dp_buffer_init(&text, timed->allocator, TEXT_LIMIT);
    double planned = 0;
    for (int i = 0; i < dp_plan_steps(profile->plan); i++)
        planned += profile->seconds[i];
    double total = timed->rest && seconds > planned ? seconds : planned;
    for (int i = 0; i < dp_plan_steps(profile->plan) && !text.failed; i++) {
        dp_plan_step it = dp_plan_step_at(profile->plan, i);
        text.size = 0;
        dp_buffer_append(&text, "", 0);
        dp_plan_describe_step(profile->plan, i, &text);
        deeper_bench_step step = { .layer = it.name,
                                   .operation = it.kind,
                                   .algorithm = text.size ? text.data : "",
                                   .phase = it.phase,
                                   .waiting_ms = profile->waiting[i] * 1e3 / runs,
                                   .multiply_adds = it.multiply_adds };
        tell(timed, &step, runs, profile->seconds[i], total, peak_gflops);
    }
    if (timed->rest && !text.failed)
        tell(timed, &(deeper_bench_step){ .layer = "", .operation = timed->rest, .algorithm = "" }, runs, total - planned, total,
             peak_gflops);
    bool failed = text.failed;
    dp_buffer_free(&text);
    return failed ? dp_fail_memory(error, "the names of the steps") : DEEPER_OK;
}

deeper_status deeper_bench_steps(const deeper_model *model, const deeper_session_options *options, int training, double seconds,
                                 void (*step)(void *context, const deeper_bench_step *step), void *context,
                                 deeper_benchmark *result, deeper_error *error) {
    if (!step)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "step is NULL");
    const dp_step_listener listener = { step, context };
    return (training ? dp_bench_training : dp_bench_inference)(model, options, seconds, &listener, result, error);
}
