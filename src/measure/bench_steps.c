/* bench_steps.c - where the time of a run goes, a step of its plan at a time. */
#include "measure/bench.h"

#include <math.h>

enum { TEXT_LIMIT = 1 << 16 }; /* bytes of one algorithm's description */

/* Completes a step that took `ms`, and tells. */
static void tell(const dp_timed *timed, deeper_bench_step *step, double ms,
                 const deeper_benchmark *result) {
    double flops = 2.0 * (double)step->multiply_adds * timed->batch;
    step->ms = ms;
    step->share = ms / result->min_ms;
    step->gflops = ms > 0 ? flops / ms * 1e-6 : 0;
    step->ratio_to_floor = step->gflops > 0 ? result->peak_gflops / step->gflops : 0;
    timed->listener->step(timed->listener->context, step);
}

deeper_status dp_tell_steps(const dp_timed *timed, const dp_profile *fastest,
                            const deeper_benchmark *result, deeper_error *error) {
    const dp_plan *plan = fastest->plan;
    double planned = 0;
    dp_buffer text;
    dp_buffer_init(&text, timed->allocator, TEXT_LIMIT);
    for (int i = 0; i < dp_plan_steps(plan) && !text.failed; i++) {
        dp_plan_step info = dp_plan_step_at(plan, i);
        text.size = 0;
        dp_plan_describe_step(plan, i, &text);
        deeper_bench_step step = { .layer = info.name,
                                   .operation = info.kind,
                                   .algorithm = text.size ? text.data : "",
                                   .phase = info.phase,
                                   .waiting_ms = fastest->waiting[i] * 1e3,
                                   .multiply_adds = info.multiply_adds };
        tell(timed, &step, fastest->seconds[i] * 1e3, result);
        planned += step.ms;
    }
    bool failed = text.failed;
    dp_buffer_free(&text);
    if (failed)
        return dp_fail_memory(error, "the names of the steps");
    tell(timed, &(deeper_bench_step){ .layer = "", .operation = timed->rest, .algorithm = "" },
         fmax(result->min_ms - planned, 0), result);
    return DEEPER_OK;
}
