/* vec_pointwise_gradient.c - backward kernels that meet every element once: relu, and blend (the
 * input gradient of a batch norm). `out` may be an input. Contract: gradient.h. */
#include "kernels/vec_gradient.h"
#include "kernels/vec_mask.h"

void DP_VEC_NAME(relu_gradient)(float *out, const float *gradient, const float *value, int pixels) {
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES)
        vec_store(out + i,
                  vec_keep(vec_greater(vec_load(value + i), vec_set(0)), vec_load(gradient + i)));
}

void DP_VEC_NAME(blend)(float *out, const float *a, const float *b, int pixels, const float *p,
                        const float *q, const float *r) {
    const vec a_factor = vec_load(p);
    const vec b_factor = vec_load(q);
    const vec term = vec_load(r);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES)
        vec_store(out + i,
                  vec_fma(vec_load(a + i), a_factor, vec_fma(vec_load(b + i), b_factor, term)));
}
