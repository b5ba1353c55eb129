/* bench.h - timing against the arithmetic peak of the same threads: what deeper_bench and deeper_bench_training share.
 * The ratio says how far a run is from one that did nothing but the multiply-adds of direct convolution at the peak of this
 * machine, so it can be compared between machines and over time. */
#ifndef DP_API_BENCH_H
#define DP_API_BENCH_H

#include "base/threads.h"
#include "kernels/kernels.h"

/* What is timed: run(context) does one batch of `batch` images of `multiply_adds` each on the threads of the pool. */
typedef struct dp_timed {
    const deeper_allocator *allocator;
    const dp_kernels *kernels;
    dp_pool *pool;
    int batch;
    uint64_t multiply_adds;
    void (*run)(void *context);
    void *context;
} dp_timed;

/* Measures the peak, warms up, runs for about `seconds` (at least ten times), measures the peak again and fills *result but for its
 * checksum. Errors: ARGUMENT (seconds), MEMORY. */
deeper_status dp_time(const dp_timed *timed, double seconds, deeper_benchmark *result, deeper_error *error);

/* The fixed input of `count` floats: x[i] = (h(i) / 2^31 - 1) * 64 for the number i of a float, h a 32-bit hash. Its range is about
 * that of a photo less its mean. */
void dp_time_input(float *input, size_t count);

#endif
