/* vec_lrn.h - what local response normalisation and its gradient share: scratch lines, window sums,
 * powers. A line holds the channels of one pixel one after another, with a block of zeros at both
 * ends. */
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

/* The float whose bits are 0x6f150000 - 3/4 of those of s: s^-3/4 within 4.5 % for any s > 0, since
 * bits grow like a logarithm. */
DP_VEC_INLINE vec lrn_guess(vec s) {
#if DP_VEC_AVX512
    __m512i bits = _mm512_castps_si512(s);
    return _mm512_castsi512_ps(_mm512_add_epi32(
        _mm512_sub_epi32(_mm512_set1_epi32(0x6f150000), bits), _mm512_srli_epi32(bits, 2)));
#elif DP_VEC_AVX2
    __m256i bits = _mm256_castps_si256(s);
    return _mm256_castsi256_ps(_mm256_add_epi32(
        _mm256_sub_epi32(_mm256_set1_epi32(0x6f150000), bits), _mm256_srli_epi32(bits, 2)));
#elif DP_VEC_NEON
    int32x4_t bits = vreinterpretq_s32_f32(s);
    return vreinterpretq_f32_s32(
        vaddq_s32(vsubq_s32(vdupq_n_s32(0x6f150000), bits), vshrq_n_s32(bits, 2)));
#else
    vec_mask bits = (vec_mask)s;
    return (vec)(0x6f150000 - bits + (bits >> 2));
#endif
}

/* s^-3/4 within two and a half roundings (1.5e-7), for s from 1e-12 to 1e24, `count` vectors side
 * by side, which hides that each step waits for the one before: two of Halley's steps on s^3 y^4 =
 * 1, y + y * (e / 4 + 5 / 32 e^2) with e = 1 - s^3 y^4. Only sums and products, so the same bits on
 * every CPU of an instruction set; true roots and a division take longer. */
DP_VEC_INLINE void lrn_power_three_quarters(vec *y, const vec *s, const int count) {
    DP_VEC_UNROLL
    for (int i = 0; i < count; i++)
        y[i] = lrn_guess(s[i]);
    for (int step = 0; step < 2; step++) {
        vec e[DP_VEC_REGISTERS];
        DP_VEC_UNROLL
        for (int i = 0; i < count; i++)
            e[i] = vec_mul(vec_mul(y[i], y[i]), s[i]);
        DP_VEC_UNROLL
        for (int i = 0; i < count; i++)
            e[i] = vec_sub(vec_set(1), vec_mul(vec_mul(e[i], e[i]), s[i]));
        DP_VEC_UNROLL
        for (int i = 0; i < count; i++)
            y[i] = vec_fma(vec_mul(y[i], e[i]), vec_fma(e[i], vec_set(0.15625F), vec_set(0.25F)),
                           y[i]);
    }
}

static inline vec lrn_power_any(vec s, float exponent) {
    float lanes[DP_VEC_LANES] __attribute__((aligned(sizeof(vec))));
    vec_store(lanes, s);
    for (int l = 0; l < DP_VEC_LANES; l++)
        lanes[l] = powf(lanes[l], exponent);
    return vec_load(lanes);
}

#endif
