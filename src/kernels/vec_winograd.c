/* vec_winograd.c - the three transforms of Winograd's convolution: input to frequencies, products
 * to outputs (with bias and ReLU), weights to frequencies. Each is separable: a transform down all
 * columns of a row of tiles into scratch that stays in the nearest cache, and one along each of its
 * rows; so columns that neighbouring tiles share are transformed down once. One body each, inlined
 * with a constant number of points. The products between them are panel products (vec_panel.c).
 * Contracts: kernels.h, winograd.h. Letters: n points, m outputs, r taps, d data, y its
 * frequencies. */
#include "kernels/vec_winograd.h"
#include "kernels/vec_families.h"

#define LANES DP_VEC_LANES

/* ------------------------------------------------------------------------- one dimension: input */

/* y = B^T d for an even number of points. Rows of a pair of points +p and -p are even part plus and
 * minus odd part. */
DP_VEC_INLINE void input_even(const int n, const vec *d, vec *y) {
    if (n == 2) {
        y[0] = d[1];
        y[1] = d[0];
    } else if (n == 4) {
        y[0] = winograd_plus(d[3], -1, d[1]);
        y[1] = winograd_plus(d[2], -1, d[0]);
        y[2] = winograd_plus(d[2], 1, d[1]);
        y[3] = winograd_plus(d[2], -1, d[1]);
    } else if (n == 6) {
        vec even1 = winograd_plus(d[4], -4, d[2]), odd1 = winograd_plus(d[3], -4, d[1]);
        vec even2 = winograd_plus(d[4], -1, d[2]), odd2 = winograd_plus(d[3], -1, d[1]);
        y[0] = winograd_plus(winograd_plus(d[5], -1, d[3]), -4, odd2);
        y[1] = winograd_plus(even2, -4, winograd_plus(d[2], -1, d[0]));
        y[2] = winograd_plus(even1, 1, odd1);
        y[3] = winograd_plus(even1, -1, odd1);
        y[4] = winograd_plus(even2, 2, odd2);
        y[5] = winograd_plus(even2, -2, odd2);
    } else {
        vec even1 = winograd_plus(winograd_plus(d[6], 1, d[2]), -4.25F, d[4]),
            odd1 = winograd_plus(winograd_plus(d[5], 1, d[1]), -4.25F, d[3]);
        vec even2 = winograd_plus(winograd_plus(d[6], -1.25F, d[4]), 0.25F, d[2]);
        vec odd2 = winograd_plus(winograd_plus(d[5], -1.25F, d[3]), 0.25F, d[1]); /* half of it */
        vec even3 = winograd_plus(winograd_plus(d[6], -5, d[4]), 4, d[2]);
        vec odd3 = winograd_plus(winograd_plus(d[5], -5, d[3]), 4, d[1]); /* twice it */
        y[0] = winograd_plus(winograd_plus(d[7], -1, d[1]), 5.25F, winograd_plus(d[3], -1, d[5]));
        y[1] = winograd_plus(winograd_plus(d[6], -1, d[0]), 5.25F, winograd_plus(d[2], -1, d[4]));
        y[2] = winograd_plus(even1, 1, odd1);
        y[3] = winograd_plus(even1, -1, odd1);
        y[4] = winograd_plus(even2, 2, odd2);
        y[5] = winograd_plus(even2, -2, odd2);
        y[6] = winograd_plus(even3, 0.5F, odd3);
        y[7] = winograd_plus(even3, -0.5F, odd3);
    }
}

/* y = B^T d. An odd number of points has one more point p without its pair: the other frequencies
 * are those of d times (x - p), and p's own is what infinity's would be without p. */
DP_VEC_INLINE void input_points(const int n, const vec *d, vec *y) {
    if (n % 2 == 0) {
        input_even(n, d, y);
        return;
    }
    const float p = n == 7 ? 0.5F : n == 5 ? 2 : 1;
    vec reduced[DP_WINOGRAD_POINTS], infinity[DP_WINOGRAD_POINTS];
    DP_VEC_UNROLL
    for (int k = 0; k < n - 1; k++)
        reduced[k] = winograd_plus(d[k + 1], -p, d[k]);
    input_even(n - 1, reduced, y);
    input_even(n - 1, d, infinity); /* only [0] is used */
    y[n - 1] = infinity[0];
}

/* ------------------------------------------------------------------------ one dimension: output */

/* o = A^T y: o[j] = sum of y at each finite point times the point to the power j; infinity's adds
 * to the last. */
DP_VEC_INLINE void output_points(const int n, const int m, const vec *y, vec *o) {
    vec sum[3], difference[3];
    DP_VEC_UNROLL
    for (int pair = 0; pair < n / 2 - 1; pair++) {
        sum[pair] = vec_add(y[2 * pair + 2], y[2 * pair + 3]);
        difference[pair] = vec_sub(y[2 * pair + 2], y[2 * pair + 3]);
    }
    const vec *single = n % 2 ? &y[n - 1] : NULL;
    float power = 1; /* 2^j */
    DP_VEC_UNROLL
    for (int j = 0; j < m; j++, power *= 2) {
        const vec *part = j % 2 ? difference : sum;
        vec x = n < 4 ? vec_set(0) : part[0];
        if (j == 0)
            x = n < 4 ? y[1] : vec_add(x, y[1]);
        if (n >= 6)
            x = winograd_plus(x, power, part[1]);
        if (n >= 8)
            x = winograd_plus(x, 1 / power, part[2]);
        if (single)
            x = winograd_plus(x, n == 7 ? 1 / power : n == 5 ? power : 1, *single);
        if (j == m - 1)
            x = vec_add(x, y[0]);
        o[j] = x;
    }
}

/* -------------------------------------------------------------------------------- rows of tiles */

/* Down `columns` pixels: row i of the result at out + i * out_row_stride. */
typedef void input_down(float *out, ptrdiff_t out_row_stride, const float *in,
                        ptrdiff_t in_row_stride, int columns);

#define INPUT_DOWN(n)                                                                              \
    static void input_down_##n(float *out, ptrdiff_t out_row_stride, const float *in,              \
                               ptrdiff_t in_row_stride, int columns) {                             \
        for (int x = 0; x < columns; x++) {                                                        \
            vec d[n], y[n];                                                                        \
            DP_VEC_UNROLL                                                                          \
            for (int i = 0; i < (n); i++)                                                          \
                d[i] = vec_load(in + i * in_row_stride + (ptrdiff_t)x * LANES);                    \
            input_points(n, d, y);                                                                 \
            DP_VEC_UNROLL                                                                          \
            for (int i = 0; i < (n); i++)                                                          \
                vec_store(out + i * out_row_stride + (ptrdiff_t)x * LANES, y[i]);                  \
        }                                                                                          \
    }

/* Along one row of a run of tiles that begin m pixels apart: frequency j of tile x at out[j] + x *
 * tile_stride. scale: NULL or a factor per frequency. */
typedef void input_along(float *const *out, ptrdiff_t tile_stride, const float *in, int tiles,
                         int m, const float *scale);

#define INPUT_ALONG(n)                                                                             \
    static void input_along_##n(float *const *out, ptrdiff_t tile_stride, const float *in,         \
                                int tiles, int m, const float *scale) {                            \
        for (int x = 0; x < tiles; x++, in += (ptrdiff_t)m * LANES) {                              \
            vec d[n], y[n];                                                                        \
            DP_VEC_UNROLL                                                                          \
            for (int j = 0; j < (n); j++)                                                          \
                d[j] = vec_load(in + j * LANES);                                                   \
            input_points(n, d, y);                                                                 \
            DP_VEC_UNROLL                                                                          \
            for (int j = 0; j < (n); j++)                                                          \
                vec_store(out[j] + x * tile_stride,                                                \
                          scale ? vec_mul(vec_set(scale[j]), y[j]) : y[j]);                        \
        }                                                                                          \
    }

/* Along one row of a run of tiles: frequency j of tile x at in[j] + x * tile_stride; the outputs
 * one after another at out. */
typedef void output_along(float *out, const float *const *in, ptrdiff_t tile_stride, int tiles);

#define OUTPUT_ALONG(n, m)                                                                         \
    static void output_along_##n##_##m(float *out, const float *const *in, ptrdiff_t tile_stride,  \
                                       int tiles) {                                                \
        for (int x = 0; x < tiles; x++, out += (ptrdiff_t)(m)*LANES) {                             \
            vec y[n], o[m];                                                                        \
            DP_VEC_UNROLL                                                                          \
            for (int j = 0; j < (n); j++)                                                          \
                y[j] = vec_load(in[j] + x * tile_stride);                                          \
            output_points(n, m, y, o);                                                             \
            DP_VEC_UNROLL                                                                          \
            for (int j = 0; j < (m); j++)                                                          \
                vec_store(out + j * LANES, o[j]);                                                  \
        }                                                                                          \
    }

/* Down `columns` pixels, to the output. */
typedef void output_down(float *out, ptrdiff_t out_row_stride, const float *in,
                         ptrdiff_t in_row_stride, int columns, const float *bias, float low);

#define OUTPUT_DOWN(n, m)                                                                          \
    static void output_down_##n##_##m(float *out, ptrdiff_t out_row_stride, const float *in,       \
                                      ptrdiff_t in_row_stride, int columns, const float *bias,     \
                                      float low) {                                                 \
        const vec shift = vec_load(bias), lower = vec_set(low);                                    \
        for (int x = 0; x < columns; x++) {                                                        \
            vec y[n], o[m];                                                                        \
            DP_VEC_UNROLL                                                                          \
            for (int i = 0; i < (n); i++)                                                          \
                y[i] = vec_load(in + i * in_row_stride + (ptrdiff_t)x * LANES);                    \
            output_points(n, m, y, o);                                                             \
            DP_VEC_UNROLL                                                                          \
            for (int i = 0; i < (m); i++)                                                          \
                vec_store(out + i * out_row_stride + (ptrdiff_t)x * LANES,                         \
                          vec_max(lower, vec_add(o[i], shift)));                                   \
        }                                                                                          \
    }

#define INPUTS(X) X(3) X(4) X(5) X(6) X(7) X(8)
INPUTS(INPUT_DOWN)
INPUTS(INPUT_ALONG)
DP_VEC_WINOGRAD_TILES(OUTPUT_ALONG)
DP_VEC_WINOGRAD_TILES(OUTPUT_DOWN)

#define INPUT_DOWN_ENTRY(n) [n] = input_down_##n,
#define INPUT_ALONG_ENTRY(n) [n] = input_along_##n,
#define OUTPUT_ALONG_ENTRY(n, m) [n][m] = output_along_##n##_##m,
#define OUTPUT_DOWN_ENTRY(n, m) [n][m] = output_down_##n##_##m,

static input_down *const inputs_down[DP_WINOGRAD_POINTS + 1] = { INPUTS(INPUT_DOWN_ENTRY) };
static input_along *const inputs_along[DP_WINOGRAD_POINTS + 1] = { INPUTS(INPUT_ALONG_ENTRY) };
static output_along *const outputs_along[DP_WINOGRAD_POINTS + 1][DP_WINOGRAD_POINTS] = {
    DP_VEC_WINOGRAD_TILES(OUTPUT_ALONG_ENTRY)
};
static output_down *const outputs_down[DP_WINOGRAD_POINTS + 1][DP_WINOGRAD_POINTS] = {
    DP_VEC_WINOGRAD_TILES(OUTPUT_DOWN_ENTRY)
};

void DP_VEC_NAME(winograd_input)(const dp_winograd_tiles *t, const float *in,
                                 ptrdiff_t in_row_stride) {
    const int columns = winograd_width(t) + t->taps - 1;
    const ptrdiff_t line = (ptrdiff_t)columns * LANES;
    inputs_down[t->down->points](t->scratch, line, in, in_row_stride, columns);
    for (int i = 0; i < t->down->points; i++) {
        const float *from = t->scratch + i * line;
        for (int k = 0, x = 0; k < t->across->run_count; k++) {
            const dp_winograd_run *run = &t->across->runs[k];
            const int m = run->points - t->taps + 1;
            float *to[DP_WINOGRAD_POINTS], scale[DP_WINOGRAD_POINTS];
            winograd_frequencies(to, t, i, x, run->points);
            for (int j = 0; j < run->points; j++)
                scale[j] = t->down->scale[i] * run->scale[j];
            bool scaled = run->scaled || t->down->scaled;
            inputs_along[run->points](to, t->tile_stride, from, run->tiles, m,
                                      scaled ? scale : NULL);
            from += (ptrdiff_t)run->tiles * m * LANES;
            x += run->tiles;
        }
    }
}

void DP_VEC_NAME(winograd_output)(const dp_winograd_tiles *t, const float *bias, float low,
                                  float *out, ptrdiff_t out_row_stride) {
    const int columns = winograd_width(t), rows = t->down->points - t->taps + 1;
    const ptrdiff_t line = (ptrdiff_t)columns * LANES;
    for (int i = 0; i < t->down->points; i++) {
        float *to = t->scratch + i * line;
        for (int k = 0, x = 0; k < t->across->run_count; k++) {
            const dp_winograd_run *run = &t->across->runs[k];
            const int m = run->points - t->taps + 1;
            float *from[DP_WINOGRAD_POINTS];
            winograd_frequencies(from, t, i, x, run->points);
            outputs_along[run->points][m](to, (const float *const *)from, t->tile_stride,
                                          run->tiles);
            to += (ptrdiff_t)run->tiles * m * LANES;
            x += run->tiles;
        }
    }
    outputs_down[t->down->points][rows](out, out_row_stride, t->scratch, line, columns, bias, low);
}

/* -------------------------------------------------------------------------------------- weights */

DP_VEC_INLINE void weights(float *out, ptrdiff_t stride, const float *in, const float *matrix,
                           int points, const int taps) {
    vec half[DP_WINOGRAD_TAPS_MAX];
    for (int i = 0; i < points; i++) {
        DP_VEC_UNROLL
        for (int s = 0; s < taps; s++) {
            half[s] = vec_mul(vec_set(matrix[i * taps]), vec_load(in + s * LANES));
            DP_VEC_UNROLL
            for (int r = 1; r < taps; r++)
                half[s] = vec_fma(vec_set(matrix[i * taps + r]),
                                  vec_load(in + (r * taps + s) * LANES), half[s]);
        }
        for (int j = 0; j < points; j++, out += stride) {
            vec sum = vec_mul(vec_set(matrix[j * taps]), half[0]);
            DP_VEC_UNROLL
            for (int s = 1; s < taps; s++)
                sum = vec_fma(vec_set(matrix[j * taps + s]), half[s], sum);
            vec_store(out, sum);
        }
    }
}

void DP_VEC_NAME(winograd_weights)(float *out, ptrdiff_t stride, const float *in,
                                   const float *matrix, int points, int taps) {
    if (taps == 3)
        weights(out, stride, in, matrix, points, 3);
    else if (taps == 4)
        weights(out, stride, in, matrix, points, 4);
    else
        weights(out, stride, in, matrix, points, 5);
}
