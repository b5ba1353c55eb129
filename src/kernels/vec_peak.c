/* vec_peak.c - as many multiply-adds a second as this instruction set can do: independent sums in
 * registers, no memory. What speed is measured against; it computes nothing of use. Enough sums to
 * hide the latency (4 cycles x 4 units at most), few enough to fit. */
#include "kernels/vec_families.h"

float DP_VEC_NAME(peak)(int rounds) {
    /* x * a + b tends to b / (1 - a): neither overflow nor denormals, however many rounds. The
     * start depends on an argument, else a compiler could work out a sum that stands still. */
    const vec a = vec_set(0.5f);
    const vec b = vec_set(1.0f);
    vec sum[DP_VEC_PEAK_SUMS];
    DP_VEC_UNROLL
    for (int i = 0; i < DP_VEC_PEAK_SUMS; i++)
        sum[i] = vec_set((float)(rounds + i));
    for (int step = 0; step < rounds * DP_VEC_PEAK_STEPS; step++) {
        DP_VEC_UNROLL
        for (int i = 0; i < DP_VEC_PEAK_SUMS; i++)
            sum[i] = vec_fma(sum[i], a, b);
    }
    DP_VEC_UNROLL
    for (int i = 1; i < DP_VEC_PEAK_SUMS; i++)
        sum[0] = vec_add(sum[0], sum[i]);
    float lanes[DP_VEC_LANES] __attribute__((aligned(sizeof(vec))));
    vec_store(lanes, sum[0]);
    return lanes[0];
}
