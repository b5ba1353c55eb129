/* vec_lrn.h - what local response normalisation and its gradient share: scratch lines, window sums, powers. A line holds the
 * channels of one pixel one after another, with a block of zeros at both ends. */
#ifndef DP_KERNELS_VEC_LRN_H
#define DP_KERNELS_VEC_LRN_H

#include "kernels/vec.h"

static inline size_t lrn_line_floats(int blocks) {
    return ((size_t)blocks + 2) * DP_VEC_LANES;
}

/* Zeros at both ends of `lines` lines. */
static inline void lrn_clear_ends(float *scratch, int lines, int blocks) {
    const size_t line = lrn_line_floats(blocks);
    for (int i = 0; i < lines; i++) {
        vec_store(scratch + (size_t)i * line, vec_set(0));
        vec_store(scratch + (size_t)(i + 1) * line - DP_VEC_LANES, vec_set(0));
    }
}

/* The sum around one vector of a line: channel c - half .. c + half of each lane's c. */
DP_VEC_INLINE vec lrn_window_sum(const float *place, int half) {
    vec sum = vec_load_unaligned(place - half);
    for (int d = 1 - half; d <= half; d++)
        sum = vec_add(sum, vec_load_unaligned(place + d));
    return sum;
}

/* s^-3/4 = s^1/4 / s within 2.5 roundings (1.5e-7): true roots and division, so the same bits on every CPU. */
DP_VEC_INLINE vec lrn_power_three_quarters(vec s) {
    return vec_div(vec_sqrt(vec_sqrt(s)), s);
}

static inline vec lrn_power_any(vec s, float exponent) {
    float lanes[DP_VEC_LANES] __attribute__((aligned(sizeof(vec))));
    vec_store(lanes, s);
    for (int l = 0; l < DP_VEC_LANES; l++)
        lanes[l] = powf(lanes[l], exponent);
    return vec_load(lanes);
}

#endif
