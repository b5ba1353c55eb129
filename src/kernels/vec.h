/* vec.h - the small vector vocabulary that every kernel is written in: one type, `vec`, of
 * DP_VEC_LANES floats. Why here: a vec_*.c file is compiled once per instruction set with
 * DP_VEC_PORTABLE, DP_VEC_AVX2, DP_VEC_AVX512 or DP_VEC_NEON defined, and this header alone knows
 * what that means. AVX-512, AVX2 + FMA and NEON are intrinsics; portable is the compilers' vector
 * extension on four floats, without fused multiply-add. What only one family needs is not here.
 *
 * DP_VEC_REGISTERS: vector registers to plan with. DP_VEC_NAME(x): dp_x_<isa>, the name of an
 * external function of this build. vec_fma(a, b, c) = a * b + c: one rounding, but two on portable.
 * Approximate reciprocals are left out on purpose: their bits differ between makers of one
 * instruction set. vec_max(a, b): the larger, vec_min(a, b): the smaller; a NaN in b is kept, one
 * in a alone may be lost. So max(low, x) keeps the NaNs of x. */
#ifndef DP_KERNELS_VEC_H
#define DP_KERNELS_VEC_H

#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

#define DP_VEC_INLINE static inline __attribute__((always_inline))

/* Before a loop of at most 32 passes with a constant end: its arrays of vectors become
 * registers. */
#if defined(__clang__)
#define DP_VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DP_VEC_UNROLL _Pragma("GCC unroll 32")
#endif

#if DP_VEC_AVX512

#include <immintrin.h>
enum { DP_VEC_LANES = 16, DP_VEC_REGISTERS = 32 };
#define DP_VEC_ISA DP_ISA_AVX512
#define DP_VEC_NAME(x) dp_##x##_avx512
typedef __m512 vec;

DP_VEC_INLINE vec vec_set(float x) {
    return _mm512_set1_ps(x);
}
DP_VEC_INLINE vec vec_load(const float *p) {
    return _mm512_load_ps(p);
}
DP_VEC_INLINE vec vec_load_unaligned(const float *p) {
    return _mm512_loadu_ps(p);
}
DP_VEC_INLINE void vec_store(float *p, vec a) {
    _mm512_store_ps(p, a);
}
DP_VEC_INLINE vec vec_add(vec a, vec b) {
    return _mm512_add_ps(a, b);
}
DP_VEC_INLINE vec vec_sub(vec a, vec b) {
    return _mm512_sub_ps(a, b);
}
DP_VEC_INLINE vec vec_mul(vec a, vec b) {
    return _mm512_mul_ps(a, b);
}
DP_VEC_INLINE vec vec_div(vec a, vec b) {
    return _mm512_div_ps(a, b);
}
DP_VEC_INLINE vec vec_fma(vec a, vec b, vec c) {
    return _mm512_fmadd_ps(a, b, c);
}
DP_VEC_INLINE vec vec_max(vec a, vec b) {
    return _mm512_max_ps(a, b);
}
DP_VEC_INLINE vec vec_min(vec a, vec b) {
    return _mm512_min_ps(a, b);
}
DP_VEC_INLINE vec vec_sqrt(vec a) {
    return _mm512_sqrt_ps(a);
}

#elif DP_VEC_AVX2

#include <immintrin.h>
enum { DP_VEC_LANES = 8, DP_VEC_REGISTERS = 16 };
#define DP_VEC_ISA DP_ISA_AVX2
#define DP_VEC_NAME(x) dp_##x##_avx2
typedef __m256 vec;

DP_VEC_INLINE vec vec_set(float x) {
    return _mm256_set1_ps(x);
}
DP_VEC_INLINE vec vec_load(const float *p) {
    return _mm256_load_ps(p);
}
DP_VEC_INLINE vec vec_load_unaligned(const float *p) {
    return _mm256_loadu_ps(p);
}
DP_VEC_INLINE void vec_store(float *p, vec a) {
    _mm256_store_ps(p, a);
}
DP_VEC_INLINE vec vec_add(vec a, vec b) {
    return _mm256_add_ps(a, b);
}
DP_VEC_INLINE vec vec_sub(vec a, vec b) {
    return _mm256_sub_ps(a, b);
}
DP_VEC_INLINE vec vec_mul(vec a, vec b) {
    return _mm256_mul_ps(a, b);
}
DP_VEC_INLINE vec vec_div(vec a, vec b) {
    return _mm256_div_ps(a, b);
}
DP_VEC_INLINE vec vec_fma(vec a, vec b, vec c) {
    return _mm256_fmadd_ps(a, b, c);
}
DP_VEC_INLINE vec vec_max(vec a, vec b) {
    return _mm256_max_ps(a, b);
}
DP_VEC_INLINE vec vec_min(vec a, vec b) {
    return _mm256_min_ps(a, b);
}
DP_VEC_INLINE vec vec_sqrt(vec a) {
    return _mm256_sqrt_ps(a);
}

#elif DP_VEC_NEON

#include <arm_neon.h>
enum { DP_VEC_LANES = 4, DP_VEC_REGISTERS = 32 };
#define DP_VEC_ISA DP_ISA_NEON
#define DP_VEC_NAME(x) dp_##x##_neon
typedef float32x4_t vec;

DP_VEC_INLINE vec vec_set(float x) {
    return vdupq_n_f32(x);
}
DP_VEC_INLINE vec vec_load(const float *p) {
    return vld1q_f32(p);
}
DP_VEC_INLINE vec vec_load_unaligned(const float *p) {
    return vld1q_f32(p);
}
DP_VEC_INLINE void vec_store(float *p, vec a) {
    vst1q_f32(p, a);
}
DP_VEC_INLINE vec vec_add(vec a, vec b) {
    return vaddq_f32(a, b);
}
DP_VEC_INLINE vec vec_sub(vec a, vec b) {
    return vsubq_f32(a, b);
}
DP_VEC_INLINE vec vec_mul(vec a, vec b) {
    return vmulq_f32(a, b);
}
DP_VEC_INLINE vec vec_div(vec a, vec b) {
    return vdivq_f32(a, b);
}
DP_VEC_INLINE vec vec_fma(vec a, vec b, vec c) {
    return vfmaq_f32(c, a, b);
}
DP_VEC_INLINE vec vec_max(vec a, vec b) {
    return vmaxq_f32(a, b);
}
DP_VEC_INLINE vec vec_min(vec a, vec b) {
    return vminq_f32(a, b);
}
DP_VEC_INLINE vec vec_sqrt(vec a) {
    return vsqrtq_f32(a);
}

#elif DP_VEC_PORTABLE

/* 16 registers: what the weakest machine has that has vectors of four floats at all (SSE2). */
enum { DP_VEC_LANES = 4, DP_VEC_REGISTERS = 16 };
#define DP_VEC_ISA DP_ISA_PORTABLE
#define DP_VEC_NAME(x) dp_##x##_portable
typedef float vec __attribute__((vector_size(16)));
typedef int vec_mask __attribute__((vector_size(16)));

DP_VEC_INLINE vec vec_set(float x) {
    return (vec){ x, x, x, x };
}
DP_VEC_INLINE vec vec_load(const float *p) {
    return *(const vec *)p;
}
DP_VEC_INLINE vec vec_load_unaligned(const float *p) {
    vec a;
    memcpy(&a, p, sizeof a);
    return a;
}
DP_VEC_INLINE void vec_store(float *p, vec a) {
    *(vec *)p = a;
}
DP_VEC_INLINE vec vec_add(vec a, vec b) {
    return a + b;
}
DP_VEC_INLINE vec vec_sub(vec a, vec b) {
    return a - b;
}
DP_VEC_INLINE vec vec_mul(vec a, vec b) {
    return a * b;
}
DP_VEC_INLINE vec vec_div(vec a, vec b) {
    return a / b;
}
DP_VEC_INLINE vec vec_fma(vec a, vec b, vec c) {
    return a * b + c;
}
DP_VEC_INLINE vec vec_max(vec a, vec b) {
    vec_mask larger = a > b;
    return (vec)((larger & (vec_mask)a) | (~larger & (vec_mask)b));
}
DP_VEC_INLINE vec vec_min(vec a, vec b) {
    vec_mask smaller = a < b;
    return (vec)((smaller & (vec_mask)a) | (~smaller & (vec_mask)b));
}
DP_VEC_INLINE vec vec_sqrt(vec a) {
    return (vec){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) };
}

#else
#error "compile with -DDP_VEC_PORTABLE=1, -DDP_VEC_AVX2=1, -DDP_VEC_AVX512=1 or -DDP_VEC_NEON=1"
#endif

#endif
