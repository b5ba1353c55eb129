/* vec_sigmoid.c - 1 / (1 + e^-x). e^z = 2^k e^r with k the whole number nearest to z / ln 2, so
 * that |r| <= ln 2 / 2: the powers of r up to r^7 / 7! leave 6e-9, a tenth of a rounding, and 2^k
 * is an addition to the exponent's bits. A NaN goes through. Contract: kernels.h. */
#include "kernels/vec_families.h"

#include <stdint.h>

typedef uint32_t vec_bits __attribute__((vector_size(sizeof(vec))));

/* e^z for |z| <= 87; of a NaN anything. ln 2 in two parts: k times the first one, of ten bits, is
 * exact. */
DP_VEC_INLINE vec power(vec z) {
    const vec whole =
        vec_set(0x1.8p23F); /* added, it leaves the nearest whole number in the lowest bits */
    const vec rounded = vec_fma(z, vec_set(0x1.715476p0F), whole);
    const vec k = vec_sub(rounded, whole);
    const vec r = vec_fma(k, vec_set(0x1.bd0106p-13F), vec_fma(k, vec_set(-0x1.63p-1F), z));
    static const float inverse_factorials[] = { 1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6,
                                                1.0F / 2,   1,          1 };
    vec sum = vec_set(1.0F / 5040);
    DP_VEC_UNROLL
    for (int n = 0; n < 7; n++)
        sum = vec_fma(sum, r, vec_set(inverse_factorials[n]));
    return (vec)((vec_bits)sum + ((vec_bits)rounded << 23));
}

void DP_VEC_NAME(sigmoid)(float *out, const float *in, int pixels, int channels) {
    float kept[DP_VEC_LANES] __attribute__((aligned(sizeof(vec))));
    for (int lane = 0; lane < DP_VEC_LANES; lane++)
        kept[lane] = lane < channels ? 1.0F : 0.0F;
    const vec one = vec_load(kept), upper = vec_set(87), lower = vec_set(-87);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)pixels * DP_VEC_LANES; i += DP_VEC_LANES) {
        const vec x = vec_min(upper, vec_max(lower, vec_load(in + i)));
        const vec y = vec_div(one, vec_add(vec_set(1), power(vec_sub(vec_set(0), x))));
        vec_store(out + i,
                  vec_fma(x, vec_set(0), y)); /* finite x times 0 adds nothing, a NaN itself */
    }
}
