/* timing.c - see bench.h. */
#include "measure/bench.h"

#include "base/statistics.h"

#include <math.h>
#include <stdio.h>

enum {
    MIN_RUNS = 10,
    WARM_RUNS = 2,     /* touch all memory, bring the clock up */
    PEAK_WINDOWS = 20, /* of about PEAK_SECONDS each: short, so that one of them is undisturbed */
    MAX_SECONDS = 86400
};
static const double PEAK_SECONDS = 0.01;

typedef struct peak {
    const dp_kernels *kernels;
    int rounds;
    float kept[DP_THREADS_MAX]; /* one per task: the work must have a reader */
} peak;

static void peak_task(void *context, int task, int worker) {
    peak *state = context;
    state->kept[task] = state->kernels->peak(state->rounds);
}

/* Seconds of one loop in which every thread does `rounds`. */
static double peak_seconds(dp_pool *pool, peak *state) {
    double begin = dp_now();
    dp_pool_run(pool, dp_pool_threads(pool), peak_task, state);
    return dp_now() - begin;
}

/* Floating-point operations a second of all threads together, the best of some windows: in 1e9. */
static double peak_gflops(const dp_timed *timed) {
    peak state = { .kernels = timed->kernels, .rounds = 1 };
    double seconds = peak_seconds(timed->pool, &state), best = 0;
    while (seconds < PEAK_SECONDS && state.rounds < 1 << 24) {
        state.rounds *= 2;
        seconds = peak_seconds(timed->pool, &state);
    }
    for (int i = 0; i < PEAK_WINDOWS; i++)
        best = fmax(best, state.rounds / peak_seconds(timed->pool, &state));
    return best * state.kernels->peak_flops * dp_pool_threads(timed->pool) * 1e-9;
}

/* Seconds of each run. */
typedef struct times {
    double *seconds;
    size_t count, capacity;
} times;

static double run_once(const dp_timed *timed) {
    double begin = dp_now();
    timed->run(timed->context);
    return dp_now() - begin;
}

/* fastest: receives the profile of the fastest run; NULL without one. */
static deeper_status run_all(const dp_timed *timed, double seconds, times *timings,
                             dp_profile *fastest, deeper_error *error) {
    for (int i = 0; i < WARM_RUNS; i++)
        run_once(timed);
    double begin = dp_now(), min_seconds = INFINITY;
    while (timings->count < MIN_RUNS || dp_now() - begin < seconds) {
        void *grown = timings->seconds;
        bool room = dp_reserve(timed->allocator, &grown, &timings->capacity, timings->count + 1,
                               sizeof *timings->seconds);
        timings->seconds = grown;
        if (!room)
            return dp_fail_memory(error, "the times of the runs");
        if (timed->profile)
            dp_profile_clear(timed->profile);
        double took = timings->seconds[timings->count++] = run_once(timed);
        if (timed->profile && took < min_seconds)
            dp_profile_copy(fastest, timed->profile);
        min_seconds = fmin(min_seconds, took);
    }
    return DEEPER_OK;
}

static void report(const dp_timed *timed, const times *timings, double gflops,
                   deeper_benchmark *result) {
    size_t n = timings->count;
    double median = dp_median(timings->seconds, n); /* they are in order from here on */
    double floor_seconds = 2.0 * (double)timed->multiply_adds * timed->batch / (gflops * 1e9);
    *result = (deeper_benchmark){
        .runs = (int)n,
        .median_ms = median * 1e3,
        .min_ms = timings->seconds[0] * 1e3,
        .p90_ms = timings->seconds[(n * 9 + 9) / 10 - 1]
                  * 1e3, /* the least time that 90 % of the runs do not exceed */
        .peak_gflops = gflops,
        .direct_floor_ms = floor_seconds * 1e3,
        .ratio_to_floor = median / floor_seconds,
        .images_per_second = timed->batch / median,
        .multiply_adds = timed->multiply_adds,
    };
}

deeper_status dp_check_seconds(double seconds, deeper_error *error) {
    if (!(seconds >= 0 && seconds <= MAX_SECONDS))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "seconds is %g; 0 to %d are possible", seconds,
                       MAX_SECONDS);
    return DEEPER_OK;
}

deeper_status dp_time(const dp_timed *timed, double seconds, deeper_benchmark *result,
                      deeper_error *error) {
    DP_TRY(dp_check_seconds(seconds, error));
    times timings = { 0 };
    dp_profile *fastest = NULL;
    double before = peak_gflops(timed);
    deeper_status status =
        timed->profile ? dp_profile_create(&fastest, timed->profile->plan, error) : DEEPER_OK;
    if (status == DEEPER_OK)
        status = run_all(timed, seconds, &timings, fastest, error);
    if (status == DEEPER_OK) {
        report(timed, &timings, fmax(before, peak_gflops(timed)), result);
        snprintf(result->network, sizeof result->network, "%s%s%s", timed->model->architecture,
                 *timed->model->options ? ":" : "", timed->model->options);
        if (fastest)
            status = dp_tell_steps(timed, fastest, result, error);
    }
    dp_profile_free(fastest);
    dp_free(timed->allocator, timings.seconds);
    return status;
}
