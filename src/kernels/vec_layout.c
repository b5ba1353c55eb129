/* vec_layout.c - rows of pixels between planar and blocked, a square of L x L values at a time:
 * what comes in and goes out passes here, and in training all weights and their gradients. A square
 * is turned by log2(L) rounds in which each vector is interleaved with the one half the square
 * away. Contract: kernels.h. */
#include "kernels/vec_families.h"

enum { LANES = DP_VEC_LANES };

DP_VEC_INLINE vec low_halves(vec a, vec b) {
#if DP_VEC_AVX512
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif DP_VEC_AVX2
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}

DP_VEC_INLINE vec high_halves(vec a, vec b) {
#if DP_VEC_AVX512
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
#elif DP_VEC_AVX2
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

DP_VEC_INLINE void turn(vec *square) {
    DP_VEC_UNROLL
    for (int round = 1; round < LANES; round *= 2) {
        vec mixed[LANES];
        DP_VEC_UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            mixed[2 * i] = low_halves(square[i], square[i + LANES / 2]);
            mixed[2 * i + 1] = high_halves(square[i], square[i + LANES / 2]);
        }
        DP_VEC_UNROLL
        for (int i = 0; i < LANES; i++)
            square[i] = mixed[i];
    }
}

/* `count` floats, then zeros. */
static inline vec load_some(const float *p, int count) {
    float lanes[LANES] __attribute__((aligned(sizeof(vec)))) = { 0 };
    for (int i = 0; i < count; i++)
        lanes[i] = p[i];
    return vec_load(lanes);
}

static inline void store_some(float *p, vec a, int count) {
    float lanes[LANES] __attribute__((aligned(sizeof(vec))));
    vec_store(lanes, a);
    for (int i = 0; i < count; i++)
        p[i] = lanes[i];
}

static inline int smaller(ptrdiff_t a, int b) {
    return a < b ? (int)a : b;
}

/* Channels one float apart are a vector as they lie. A row may be read past its end into the next
 * one, but not past the last. */
void DP_VEC_NAME(block_row)(float *blocked, const float *planar, ptrdiff_t plane_stride,
                            int channels, int width) {
    if (plane_stride == 1) {
        for (int x = 0; x < width; x++)
            vec_store(blocked + (ptrdiff_t)x * LANES, channels == LANES
                                                          ? vec_load_unaligned(planar + x)
                                                          : load_some(planar + x, channels));
        return;
    }
    const float *end = planar + (channels - 1) * plane_stride + width;
    for (int x = 0; x < width; x += LANES) {
        vec square[LANES];
        DP_VEC_UNROLL
        for (int c = 0; c < LANES; c++) {
            const float *row = planar + (c < channels ? c : 0) * plane_stride + x;
            square[c] = c >= channels        ? vec_set(0)
                        : end - row >= LANES ? vec_load_unaligned(row)
                                             : load_some(row, smaller(end - row, width - x));
        }
        turn(square);
        if (width - x >= LANES) {
            DP_VEC_UNROLL
            for (int i = 0; i < LANES; i++)
                vec_store(blocked + (ptrdiff_t)(x + i) * LANES, square[i]);
        } else {
            DP_VEC_UNROLL
            for (int i = 0; i < LANES; i++)
                if (i < width - x)
                    vec_store(blocked + (ptrdiff_t)(x + i) * LANES, square[i]);
        }
    }
}

void DP_VEC_NAME(unblock_row)(float *planar, ptrdiff_t plane_stride, const float *blocked,
                              int channels, int width) {
    for (int x = 0; x < width; x += LANES) {
        vec square[LANES];
        DP_VEC_UNROLL
        for (int i = 0; i < LANES; i++)
            square[i] = i < width - x ? vec_load(blocked + (ptrdiff_t)(x + i) * LANES) : vec_set(0);
        turn(square);
        DP_VEC_UNROLL
        for (int c = 0; c < LANES; c++) {
            if (c >= channels)
                continue;
            float *row = planar + c * plane_stride + x;
            if (width - x >= LANES)
                memcpy(row, &square[c], sizeof square[c]);
            else
                store_some(row, square[c], width - x);
        }
    }
}
