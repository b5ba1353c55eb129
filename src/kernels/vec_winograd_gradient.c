/* vec_winograd_gradient.c - what weight gradients add to Winograd's transforms: the gradient of a
 * tile's outputs to frequencies (A g A^T), and sums of products of frequencies back to the gradient
 * of a window (G^T S G). Both are transposes of what the convolution itself does (vec_winograd.c).
 * Between them stand outer products (vec_outer.c), one per frequency. Contracts: gradient.h,
 * winograd.h. Letters: n points, m outputs, r taps, o gradients of outputs, y their frequencies. */
#include "kernels/vec_gradient.h"
#include "kernels/vec_winograd.h"

#define LANES DP_VEC_LANES

/* y = A o: at each finite point the sum of o[j] times the point to the power j, by Horner's rule in
 * the point's square; at infinity the last. */
DP_VEC_INLINE void spread_points(const int n, const int m, const vec *o, vec *y) {
    y[0] = o[m - 1];
    y[1] = o[0];
    DP_VEC_UNROLL
    for (int i = 2; i < n; i += 2) {
        const float point = i == 2 ? 1 : i == 4 ? 2 : 0.5F;
        vec even = o[(m - 1) / 2 * 2];
        DP_VEC_UNROLL
        for (int j = (m - 1) / 2 * 2 - 2; j >= 0; j -= 2)
            even = winograd_plus(o[j], point * point, even);
        vec odd = o[m > 1 ? m / 2 * 2 - 1 : 0];
        DP_VEC_UNROLL
        for (int j = m / 2 * 2 - 3; j >= 1; j -= 2)
            odd = winograd_plus(o[j], point * point, odd);
        y[i] = m > 1 ? winograd_plus(even, point, odd) : even;
        if (i + 1 < n)
            y[i + 1] = m > 1 ? winograd_plus(even, -point, odd) : even;
    }
}

/* Down `columns` pixels: row i of the result at out + i * out_row_stride. */
typedef void spread_down(float *out, ptrdiff_t out_row_stride, const float *in,
                         ptrdiff_t in_row_stride, int columns);

#define SPREAD_DOWN(n, m)                                                                          \
    static void spread_down_##n##_##m(float *out, ptrdiff_t out_row_stride, const float *in,       \
                                      ptrdiff_t in_row_stride, int columns) {                      \
        for (int x = 0; x < columns; x++) {                                                        \
            vec o[m], y[n];                                                                        \
            DP_VEC_UNROLL                                                                          \
            for (int i = 0; i < (m); i++)                                                          \
                o[i] = vec_load(in + i * in_row_stride + (ptrdiff_t)x * LANES);                    \
            spread_points(n, m, o, y);                                                             \
            DP_VEC_UNROLL                                                                          \
            for (int i = 0; i < (n); i++)                                                          \
                vec_store(out + i * out_row_stride + (ptrdiff_t)x * LANES, y[i]);                  \
        }                                                                                          \
    }

/* Along one row of a run of tiles: frequency j of tile x at out[j] + x * tile_stride. */
typedef void spread_along(float *const *out, ptrdiff_t tile_stride, const float *in, int tiles);

#define SPREAD_ALONG(n, m)                                                                         \
    static void spread_along_##n##_##m(float *const *out, ptrdiff_t tile_stride, const float *in,  \
                                       int tiles) {                                                \
        for (int x = 0; x < tiles; x++, in += (ptrdiff_t)(m)*LANES) {                              \
            vec o[m], y[n];                                                                        \
            DP_VEC_UNROLL                                                                          \
            for (int j = 0; j < (m); j++)                                                          \
                o[j] = vec_load(in + j * LANES);                                                   \
            spread_points(n, m, o, y);                                                             \
            DP_VEC_UNROLL                                                                          \
            for (int j = 0; j < (n); j++)                                                          \
                vec_store(out[j] + x * tile_stride, y[j]);                                         \
        }                                                                                          \
    }

DP_VEC_WINOGRAD_TILES(SPREAD_DOWN)
DP_VEC_WINOGRAD_TILES(SPREAD_ALONG)

#define SPREAD_DOWN_ENTRY(n, m) [n][m] = spread_down_##n##_##m,
#define SPREAD_ALONG_ENTRY(n, m) [n][m] = spread_along_##n##_##m,

static spread_down *const spreads_down[DP_WINOGRAD_POINTS + 1][DP_WINOGRAD_POINTS] = {
    DP_VEC_WINOGRAD_TILES(SPREAD_DOWN_ENTRY)
};
static spread_along *const spreads_along[DP_WINOGRAD_POINTS + 1][DP_WINOGRAD_POINTS] = {
    DP_VEC_WINOGRAD_TILES(SPREAD_ALONG_ENTRY)
};

void DP_VEC_NAME(winograd_gradient)(const dp_winograd_tiles *t, const float *gradient,
                                    ptrdiff_t row_stride) {
    const int columns = winograd_width(t);
    const ptrdiff_t line = (ptrdiff_t)columns * LANES;
    spreads_down[t->down->points][t->down->points - t->taps + 1](t->scratch, line, gradient,
                                                                 row_stride, columns);
    for (int i = 0; i < t->down->points; i++) {
        const float *from = t->scratch + i * line;
        for (int k = 0, x = 0; k < t->across->run_count; k++) {
            const dp_winograd_run *run = &t->across->runs[k];
            const int m = run->points - t->taps + 1;
            float *to[DP_WINOGRAD_POINTS];
            winograd_frequencies(to, t, i, x, run->points);
            spreads_along[run->points][m](to, t->tile_stride, from, run->tiles);
            from += (ptrdiff_t)run->tiles * m * LANES;
            x += run->tiles;
        }
    }
}

/* -------------------------------------------------------------------------------------- weights */

DP_VEC_INLINE void fold(float *out, const float *in, ptrdiff_t stride, const float *matrix,
                        int points, const int taps) {
    vec sum[DP_WINOGRAD_TAPS_MAX * DP_WINOGRAD_TAPS_MAX];
    DP_VEC_UNROLL
    for (int t = 0; t < taps * taps; t++)
        sum[t] = vec_set(0);
    for (int j = 0; j < points; j++) {
        vec half[DP_WINOGRAD_TAPS_MAX];
        DP_VEC_UNROLL
        for (int r = 0; r < taps; r++)
            half[r] = vec_set(0);
        for (int i = 0; i < points; i++) {
            vec frequency = vec_load(in + (i * points + j) * stride);
            DP_VEC_UNROLL
            for (int r = 0; r < taps; r++)
                half[r] = vec_fma(vec_set(matrix[i * taps + r]), frequency, half[r]);
        }
        DP_VEC_UNROLL
        for (int t = 0; t < taps * taps; t++)
            sum[t] = vec_fma(vec_set(matrix[j * taps + t % taps]), half[t / taps], sum[t]);
    }
    DP_VEC_UNROLL
    for (int t = 0; t < taps * taps; t++)
        vec_store(out + t * LANES, sum[t]);
}

void DP_VEC_NAME(winograd_fold)(float *out, const float *in, ptrdiff_t stride, const float *matrix,
                                int points, int taps) {
    if (taps == 3)
        fold(out, in, stride, matrix, points, 3);
    else if (taps == 4)
        fold(out, in, stride, matrix, points, 4);
    else
        fold(out, in, stride, matrix, points, 5);
}
