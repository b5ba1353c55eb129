/* timing.c - see bench.h. */
#include "measure/bench.h"

#include "base/statistics.h"

#include <math.h>

enum {
    LEAST_RUNS = 10,
    WARM_RUNS = 2,     /* touch all memory, bring the clock up */
    PEAK_WINDOWS = 20, /* of about PEAK_SECONDS each: short, so that one of them is undisturbed */
    MOST_SECONDS = 86400
};
static const double PEAK_SECONDS = 0.01;

typedef struct peak {
    const dp_kernels *kernels;
    int rounds;
    float kept[DP_THREADS_MAX]; /* one a task: the work must have a reader */
} peak;

static void peak_task(void *context, int task, int worker) {
    peak *it = context;
    it->kept[task] = it->kernels->peak(it->rounds);
}

/* Seconds of one loop in which every thread does `rounds`. */
static double peak_seconds(dp_pool *pool, peak *it) {
    double begin = dp_now();
    dp_pool_run(pool, dp_pool_threads(pool), peak_task, it);
    return dp_now() - begin;
}

/* Floating-point operations a second of all threads together, the best of some windows: in 1e9. */
static double peak_gflops(const dp_timed *timed) {
    peak it = { .kernels = timed->kernels, .rounds = 1 };
    double seconds = peak_seconds(timed->pool, &it), best = 0;
    while (seconds < PEAK_SECONDS && it.rounds < 1 << 24) {
        it.rounds *= 2;
        seconds = peak_seconds(timed->pool, &it);
    }
    for (int i = 0; i < PEAK_WINDOWS; i++)
        best = fmax(best, it.rounds / peak_seconds(timed->pool, &it));
    return best * it.kernels->peak_flops * dp_pool_threads(timed->pool) * 1e-9;
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
static deeper_status run_all(const dp_timed *timed, double seconds, times *it, dp_profile *fastest,
                             deeper_error *error) {
    for (int i = 0; i < WARM_RUNS; i++)
        run_once(timed);
    double begin = dp_now(), least = INFINITY;
    while (it->count < LEAST_RUNS || dp_now() - begin < seconds) {
        void *grown = it->seconds;
        bool room =
            dp_reserve(timed->allocator, &grown, &it->capacity, it->count + 1, sizeof *it->seconds);
        it->seconds = grown;
        if (!room)
            return dp_fail_memory(error, "the times of the runs");
        if (timed->profile)
            dp_profile_clear(timed->profile);
        double took = it->seconds[it->count++] = run_once(timed);
        if (timed->profile && took < least)
            dp_profile_copy(fastest, timed->profile);
        least = fmin(least, took);
    }
    return DEEPER_OK;
}

static void report(const dp_timed *timed, const times *it, double gflops,
                   deeper_benchmark *result) {
    size_t n = it->count;
    double median = dp_median(it->seconds, n); /* they are in order from here on */
    double floor_seconds = 2.0 * (double)timed->multiply_adds * timed->batch / (gflops * 1e9);
    *result = (deeper_benchmark){
        .runs = (int)n,
        .median_ms = median * 1e3,
        .min_ms = it->seconds[0] * 1e3,
        .p90_ms = it->seconds[(n * 9 + 9) / 10 - 1]
                  * 1e3, /* the least time that 90 % of the runs do not exceed */
        .peak_gflops = gflops,
        .direct_floor_ms = floor_seconds * 1e3,
        .ratio_to_floor = median / floor_seconds,
        .images_per_second = timed->batch / median,
        .multiply_adds = timed->multiply_adds,
    };
}

deeper_status dp_check_seconds(double seconds, deeper_error *error) {
    if (!(seconds >= 0 && seconds <= MOST_SECONDS))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "seconds is %g; 0 to %d are possible", seconds,
                       MOST_SECONDS);
    return DEEPER_OK;
}

deeper_status dp_time(const dp_timed *timed, double seconds, deeper_benchmark *result,
                      deeper_error *error) {
    DP_TRY(dp_check_seconds(seconds, error));
    times it = { 0 };
    dp_profile *fastest = NULL;
    double before = peak_gflops(timed);
    deeper_status status =
        timed->profile ? dp_profile_create(&fastest, timed->profile->plan, error) : DEEPER_OK;
    if (status == DEEPER_OK)
        status = run_all(timed, seconds, &it, fastest, error);
    if (status == DEEPER_OK) {
        report(timed, &it, fmax(before, peak_gflops(timed)), result);
        if (fastest)
            status = dp_tell_steps(timed, fastest, result, error);
    }
    dp_profile_free(fastest);
    dp_free(timed->allocator, it.seconds);
    return status;
}
