/* bench.h - inference and training steps timed against the arithmetic peak of the same threads. The
 * ratio says how far a run is from one that did nothing but the multiply-adds of direct convolution
 * at the peak of this machine, so it can be compared between machines and over time. */
#ifndef DP_MEASURE_BENCH_H
#define DP_MEASURE_BENCH_H

#include "session/session.h"

/* Who is told of the steps of a run. */
typedef struct dp_step_listener {
    void (*step)(void *context, const deeper_bench_step *step);
    void *context;
} dp_step_listener;

/* What is timed: run(context) does one batch of `batch` images of `multiply_adds` each on the
 * threads of the pool. */
typedef struct dp_timed {
    const dp_model *model;
    const deeper_allocator *allocator;
    const dp_kernels *kernels;
    dp_pool *pool;
    int batch;
    uint64_t multiply_adds;
    void (*run)(void *context);
    void *context;
    dp_profile *profile;              /* that run adds to, or NULL */
    const char *rest;                 /* what run does beside the plan of the profile */
    const dp_step_listener *listener; /* with a profile */
} dp_timed;

/* Whether something may be timed for so long: 0 to a day. Errors: ARGUMENT. */
deeper_status dp_check_seconds(double seconds, deeper_error *error);

/* Measures the peak, warms up, runs for about `seconds` (at least ten times), measures the peak
 * again and fills *result but for its checksum; with a profile tells its steps. Errors: ARGUMENT
 * (seconds), MEMORY. */
deeper_status dp_time(const dp_timed *timed, double seconds, deeper_benchmark *result,
                      deeper_error *error);

/* Tells of every step of the fastest run, whose profile that is. Errors: MEMORY. */
deeper_status dp_tell_steps(const dp_timed *timed, const dp_profile *fastest,
                            const deeper_benchmark *result, deeper_error *error);

/* deeper_bench and deeper_bench_training, of checked options; listener NULL: nobody listens,
 * nothing is profiled. */
deeper_status dp_bench(const dp_model *model, dp_packs *packs,
                       const deeper_session_options *options, double seconds,
                       const dp_step_listener *listener, deeper_benchmark *result,
                       deeper_error *error);
deeper_status dp_bench_training(const dp_model *model, const deeper_session_options *options,
                                double seconds, const dp_step_listener *listener,
                                deeper_benchmark *result, deeper_error *error);

#endif
