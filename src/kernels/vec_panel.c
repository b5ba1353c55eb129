/* vec_panel.c - the panel product, which does nearly all arithmetic of a network: `rows` pixels
 * times `blocks` vectors of output channels, all sums in registers from bias to store. One body,
 * inlined with constant rows and blocks for every panel in DP_VEC_PANELS. Does not choose sizes or
 * split work: the planner does. Each step of the sum prefetches what its caller named: the pixels
 * of the next tile (`next`) and, evenly over the steps, cache lines of the weights that are wanted
 * next (`ahead`). Contract: dp_panel in kernels.h. */
#include "kernels/vec_families.h"

#include <stdint.h>

#if DP_VEC_NEON && !defined(__clang__)
/* gcc would move loads so far ahead on aarch64 that the sums leave the registers. */
#pragma GCC optimize("no-schedule-insns")
#endif

/* Rows are reached as base[i / 4] + (i % 4) * stride, so that any stride costs six address
 * registers at most: x86 adds one or two times a register to a base for free, and three times has a
 * register of its own. */
enum { CACHE_LINE = 64 };

enum { ROWS_A_BASE = 4, BASES = DP_PANEL_ROWS / ROWS_A_BASE };

/* The sums are one flat array and every loop over them a single one: that is what both gcc and
 * clang keep in registers. */
DP_VEC_INLINE void product(const dp_panel *panel, const int rows, const int blocks) {
    vec sum[DP_VEC_REGISTERS];
    if (panel->bias) {
        DP_VEC_UNROLL
        for (int n = 0; n < rows * blocks; n++)
            sum[n] = vec_load(panel->bias + n % blocks * DP_VEC_LANES);
    } else {
        DP_VEC_UNROLL
        for (int n = 0; n < rows * blocks; n++)
            sum[n] = vec_set(0);
    }
    const float *weights = panel->weights;
    const ptrdiff_t stride = panel->in_stride;
    const int run = panel->run;
    uintptr_t ahead = (uintptr_t)panel->ahead;
    const uintptr_t ahead_step = (uintptr_t)panel->ahead_lines * CACHE_LINE;
    const ptrdiff_t next = panel->next;
    for (int s = 0; s < panel->segment_count; s++) {
        const float *base[BASES];
        DP_VEC_UNROLL
        for (int b = 0; b < BASES; b++)
            base[b] = panel->in + panel->segments[s] + b * ROWS_A_BASE * stride;
        DP_VEC_UNROLL
        for (int i = 0; i < rows; i++)
            __builtin_prefetch(base[i / ROWS_A_BASE] + i % ROWS_A_BASE * stride + next);
        for (int k = 0; k < run; k++) {
            vec w[DP_PANEL_BLOCKS];
            DP_VEC_UNROLL
            for (int j = 0; j < blocks; j++)
                w[j] = vec_load(weights + j * DP_VEC_LANES);
            weights += blocks * DP_VEC_LANES;
            for (const uintptr_t end = ahead + ahead_step; ahead != end; ahead += CACHE_LINE)
                __builtin_prefetch((const void *)ahead, 0, 2);
            DP_VEC_UNROLL
            for (int n = 0; n < rows * blocks; n++) {
                int i = n / blocks;
                vec x = vec_set(base[i / ROWS_A_BASE][i % ROWS_A_BASE * stride + k]);
                sum[n] = vec_fma(x, w[n % blocks], sum[n]);
            }
        }
    }
    if (panel->bias) {
        const vec low = vec_set(panel->low);
        DP_VEC_UNROLL
        for (int n = 0; n < rows * blocks; n++)
            vec_store(panel->out[n % blocks] + n / blocks * panel->out_stride,
                      vec_max(low, sum[n]));
    } else {
        DP_VEC_UNROLL
        for (int n = 0; n < rows * blocks; n++)
            vec_store(panel->out[n % blocks] + n / blocks * panel->out_stride, sum[n]);
    }
}

#define DEFINE(rows, blocks)                                                                       \
    void DP_VEC_NAME(panel_##rows##x##blocks)(const dp_panel *panel) {                             \
        product(panel, rows, blocks);                                                              \
    }
DP_VEC_PANELS(DEFINE)
