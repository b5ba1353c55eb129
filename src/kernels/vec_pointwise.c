/* vec_pointwise.c - kernels that meet every element once: clamp (ReLU, clip, copy), add, multiply,
 * affine (batch norm that was not folded). `out` may be an input. A NaN goes through, ReLU
 * included. Contract: kernels.h. */
#include "kernels/vec_families.h"

void DP_VEC_NAME(clamp)(float *out, const float *in, int pixels, float low, float high) {
    const vec lower = vec_set(low);
    const vec upper = vec_set(high);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES)
        vec_store(out + i, vec_min(upper, vec_max(lower, vec_load(in + i))));
}

void DP_VEC_NAME(add)(float *out, const float *a, const float *b, int pixels, float low) {
    const vec lower = vec_set(low);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES)
        vec_store(out + i, vec_max(lower, vec_add(vec_load(a + i), vec_load(b + i))));
}

void DP_VEC_NAME(multiply)(float *out, const float *a, const float *b, ptrdiff_t b_stride,
                           int pixels) {
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES, b += b_stride)
        vec_store(out + i, vec_mul(vec_load(a + i), vec_load(b)));
}

void DP_VEC_NAME(affine)(float *out, const float *in, int pixels, const float *scale,
                         const float *shift, float low) {
    const vec lower = vec_set(low);
    const vec factor = vec_load(scale);
    const vec term = vec_load(shift);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES)
        vec_store(out + i, vec_max(lower, vec_fma(vec_load(in + i), factor, term)));
}
