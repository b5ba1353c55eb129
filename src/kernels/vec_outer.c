/* vec_outer.c - the outer product, which does nearly all arithmetic of weight gradients: `rows`
 * inputs times `blocks` vectors of the gradient, summed over pixels, all sums in registers from the
 * first pixel to the last. One body, inlined with constant rows and blocks for every product in
 * DP_VEC_OUTERS. Each sum takes its pixels in order whatever the tile, so a second pass over more
 * rows changes no bits. Does not choose sizes or split work: the planner does. Contract: dp_outer
 * in gradient.h. */
#include "kernels/vec_gradient.h"

#if DP_VEC_NEON && !defined(__clang__)
/* gcc would move loads so far ahead on aarch64 that the sums leave the registers. */
#pragma GCC optimize("no-schedule-insns")
#endif

/* Rows are reached as base[i / 4] + (i % 4) * stride, as in vec_panel.c. */
enum { ROWS_A_BASE = 4, BASES = DP_PANEL_ROWS / ROWS_A_BASE };

/* Rows first..first + rows - 1 of the product. */
DP_VEC_INLINE void tile(const dp_outer *outer, const int first, const int rows, const int blocks) {
    float *out = outer->out + first * blocks * DP_VEC_LANES;
    const ptrdiff_t stride = outer->in_stride;
    const ptrdiff_t in_pixel_stride = outer->in_pixel_stride;
    const ptrdiff_t gradient_pixel_stride = outer->gradient_pixel_stride;
    const ptrdiff_t ahead = outer->ahead;
    vec sum[DP_VEC_REGISTERS];
    DP_VEC_UNROLL
    for (int n = 0; n < rows * blocks; n++)
        sum[n] = outer->add ? vec_load(out + n * DP_VEC_LANES) : vec_set(0);
    for (int y = 0; y < outer->height; y++) {
        const float *base[BASES];
        DP_VEC_UNROLL
        for (int b = 0; b < BASES; b++)
            base[b] = outer->in + y * outer->in_row_stride + (first + b * ROWS_A_BASE) * stride;
        const float *gradient[DP_PANEL_BLOCKS];
        DP_VEC_UNROLL
        for (int j = 0; j < blocks; j++)
            gradient[j] = outer->gradient[j] + y * outer->gradient_row_stride;
        for (int x = 0; x < outer->width; x++) {
            if (first == 0)
                __builtin_prefetch(base[0] + ahead, 0, 2);
            vec g[DP_PANEL_BLOCKS];
            DP_VEC_UNROLL
            for (int j = 0; j < blocks; j++) {
                g[j] = vec_load(gradient[j]);
                gradient[j] += gradient_pixel_stride;
            }
            DP_VEC_UNROLL
            for (int n = 0; n < rows * blocks; n++) {
                int i = n / blocks;
                vec a = vec_set(base[i / ROWS_A_BASE][i % ROWS_A_BASE * stride]);
                sum[n] = vec_fma(a, g[n % blocks], sum[n]);
            }
            DP_VEC_UNROLL
            for (int b = 0; b < BASES; b++)
                base[b] += in_pixel_stride;
        }
    }
    DP_VEC_UNROLL
    for (int n = 0; n < rows * blocks; n++)
        vec_store(out + n * DP_VEC_LANES, sum[n]);
}

#define DEFINE(rows, blocks)                                                                       \
    void DP_VEC_NAME(outer_##rows##x##blocks)(const dp_outer *outer) {                             \
        _Static_assert((rows) <= 2 * DP_VEC_OUTER_TILE(blocks), "two passes at most");             \
        if ((rows) <= DP_VEC_OUTER_TILE(blocks)) {                                                 \
            tile(outer, 0, rows, blocks);                                                          \
        } else {                                                                                   \
            tile(outer, 0, (rows) / 2, blocks);                                                    \
            tile(outer, (rows) / 2, (rows) - (rows) / 2, blocks);                                  \
        }                                                                                          \
    }
DP_VEC_OUTERS(DEFINE)
