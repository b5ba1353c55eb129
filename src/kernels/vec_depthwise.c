/* vec_depthwise.c - depthwise convolutions over blocked pixels: each lane is a channel with a
 * window of its own, so a tap is one multiply-add of a pixel by a vector of weights. Up to PIXELS
 * outputs of a row keep their sums in registers over the whole window; a load of weights serves
 * them all, and each of their inputs comes from the nearest cache, where the rows of a window stay.
 * What a pixel gets does not depend on how a row is cut. Contract: dp_depthwise in kernels.h. */
#include "kernels/vec_families.h"

#include "base/arithmetic.h"

#if DP_VEC_NEON && !defined(__clang__)
/* As in vec_panel.c: gcc would move loads so far ahead that the sums leave the registers. */
#pragma GCC optimize("no-schedule-insns")
#endif

enum { PIXELS = 8 };

/* `count` outputs side by side whose windows begin `stride` floats apart. */
DP_VEC_INLINE void pixels(const dp_depthwise *d, const float *in, float *out, const int count,
                          const ptrdiff_t stride) {
    vec sum[PIXELS];
    const float *weights = d->weights;
    DP_VEC_UNROLL
    for (int n = 0; n < count; n++)
        sum[n] = vec_load(d->bias);
    for (int r = 0; r < d->height; r++) {
        const float *tap = in + r * d->in_row_stride;
        for (int s = 0; s < d->width; s++, tap += DP_VEC_LANES, weights += DP_VEC_LANES) {
            const vec w = vec_load(weights);
            DP_VEC_UNROLL
            for (int n = 0; n < count; n++)
                sum[n] = vec_fma(vec_load(tap + n * stride), w, sum[n]);
        }
    }
    const vec low = vec_set(d->low);
    DP_VEC_UNROLL
    for (int n = 0; n < count; n++)
        vec_store(out + n * DP_VEC_LANES, vec_max(low, sum[n]));
}

#define CASE(count)                                                                                \
    case count:                                                                                    \
        pixels(d, in, out, count, stride);                                                         \
        break;

/* A row in pieces as even as can be. */
DP_VEC_INLINE void rows(const dp_depthwise *d, const ptrdiff_t stride) {
    const int pieces = dp_ceil_div(d->out_width, PIXELS), even = d->out_width / pieces,
              larger = d->out_width % pieces;
    for (int y = d->row_begin; y < d->row_end; y++) {
        const float *in = d->in + (ptrdiff_t)y * d->stride_y * d->in_row_stride;
        float *out = d->out + y * d->out_row_stride;
        for (int piece = 0; piece < pieces; piece++) {
            const int count = even + (piece < larger);
            switch (count) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
            in += count * stride;
            out += count * DP_VEC_LANES;
        }
    }
}

void DP_VEC_NAME(depthwise)(const dp_depthwise *depthwise) {
    if (depthwise->stride_x == 1)
        rows(depthwise, DP_VEC_LANES);
    else if (depthwise->stride_x == 2)
        rows(depthwise, 2 * DP_VEC_LANES);
    else
        rows(depthwise, (ptrdiff_t)depthwise->stride_x * DP_VEC_LANES);
}
