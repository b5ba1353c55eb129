/* vec_mask.h - lanes chosen by a comparison, for the backward kernels that pass a gradient on or
 * stop it: an addition to vec.h that the forward kernels do without. A comparison with a NaN is
 * false. vec_keep(m, a): a where m holds, else zero. vec_share: what is left to be given away of a
 * vector; vec_give adds it to a sum where two values are equal, and has nothing left there. */
#ifndef DP_KERNELS_VEC_MASK_H
#define DP_KERNELS_VEC_MASK_H

#include "kernels/vec.h"

#if DP_VEC_AVX512

typedef __mmask16 vec_lanes;
typedef struct vec_share {
    vec value;
    vec_lanes left;
} vec_share;

DP_VEC_INLINE vec_lanes vec_greater(vec a, vec b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
DP_VEC_INLINE vec vec_keep(vec_lanes m, vec a) {
    return _mm512_maskz_mov_ps(m, a);
}
DP_VEC_INLINE vec_share vec_share_of(vec a) {
    return (vec_share){ a, 0xFFFF };
}
DP_VEC_INLINE vec_share vec_share_where(vec_lanes m, vec a) {
    return (vec_share){ a, m };
}
DP_VEC_INLINE vec vec_give(vec sum, vec_share *share, vec a, vec b) {
    vec_lanes taken = _mm512_mask_cmp_ps_mask(share->left, a, b, _CMP_EQ_OQ);
    share->left = _kandn_mask16(taken, share->left);
    return _mm512_mask_add_ps(sum, taken, sum, share->value);
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

#if !DP_VEC_AVX512

typedef struct vec_share {
    vec value; /* zero where nothing is left */
} vec_share;

DP_VEC_INLINE vec_share vec_share_of(vec a) {
    return (vec_share){ a };
}
DP_VEC_INLINE vec_share vec_share_where(vec_lanes m, vec a) {
    return (vec_share){ vec_keep(m, a) };
}
DP_VEC_INLINE vec vec_give(vec sum, vec_share *share, vec a, vec b) {
    vec_lanes equal = vec_equal(a, b);
    vec taken = vec_keep(equal, share->value);
    share->value = vec_drop(equal, share->value);
    return vec_add(sum, taken);
}

#endif

#endif
