/* vec_mask.h - lanes chosen by a comparison, for the backward kernels that pass a gradient on or stop it: an addition to vec.h that
 * the forward kernels do without. A comparison with a NaN is false. vec_keep(m, a): a where m holds, else zero; vec_drop(m, a): the
 * other lanes of a. */
#ifndef DP_KERNELS_VEC_MASK_H
#define DP_KERNELS_VEC_MASK_H

#include "kernels/vec.h"

#if DP_VEC_AVX512

typedef __mmask16 vec_lanes;

DP_VEC_INLINE vec_lanes vec_equal(vec a, vec b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}
DP_VEC_INLINE vec_lanes vec_greater(vec a, vec b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
DP_VEC_INLINE vec vec_keep(vec_lanes m, vec a) {
    return _mm512_maskz_mov_ps(m, a);
}
DP_VEC_INLINE vec vec_drop(vec_lanes m, vec a) {
    return _mm512_mask_mov_ps(a, m, _mm512_setzero_ps());
}

#elif DP_VEC_AVX2

typedef __m256 vec_lanes;

DP_VEC_INLINE vec_lanes vec_equal(vec a, vec b) {
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}
DP_VEC_INLINE vec_lanes vec_greater(vec a, vec b) {
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
DP_VEC_INLINE vec vec_keep(vec_lanes m, vec a) {
    return _mm256_and_ps(m, a);
}
DP_VEC_INLINE vec vec_drop(vec_lanes m, vec a) {
    return _mm256_andnot_ps(m, a);
}

#elif DP_VEC_NEON

typedef uint32x4_t vec_lanes;

DP_VEC_INLINE vec_lanes vec_equal(vec a, vec b) {
    return vceqq_f32(a, b);
}
DP_VEC_INLINE vec_lanes vec_greater(vec a, vec b) {
    return vcgtq_f32(a, b);
}
DP_VEC_INLINE vec vec_keep(vec_lanes m, vec a) {
    return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(a)));
}
DP_VEC_INLINE vec vec_drop(vec_lanes m, vec a) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a), m));
}

#else

typedef int vec_lanes __attribute__((vector_size(16)));

DP_VEC_INLINE vec_lanes vec_equal(vec a, vec b) {
    return a == b;
}
DP_VEC_INLINE vec_lanes vec_greater(vec a, vec b) {
    return a > b;
}
DP_VEC_INLINE vec vec_keep(vec_lanes m, vec a) {
    return (vec)(m & (vec_lanes)a);
}
DP_VEC_INLINE vec vec_drop(vec_lanes m, vec a) {
    return (vec)(~m & (vec_lanes)a);
}

#endif

#endif
