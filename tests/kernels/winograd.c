/* winograd.c - Winograd's transforms: for every window and every largest tile, covers of mixed
 * tiles against the convolution written as a loop in double precision. A transform works lane by
 * lane, so each lane is a convolution of its own, and the product of frequencies is one
 * multiplication. Letters: L lanes, N points, r taps, m outputs of a tile. */
#include "kernels/families.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The error grows with the size of the tile, for its transforms add numbers larger than their sum.
 * In roundings of the sum of the absolute products; the largest seen on portable, AVX2 and AVX-512
 * were 4, 14, 56, 92 and 156 for 4 to 8 points. */
static const double TOLERANCE[DP_WINOGRAD_POINTS + 1] = {
    [4] = 12, [5] = 40, [6] = 150, [7] = 250, [8] = 400
};

/* Runs of one, two and three sizes of tile: N; N and N - 1; N, N - 1 and the smallest, r points for
 * one output. */
static dp_winograd_side side_of(int points, int taps, int runs) {
    dp_winograd_side side = { 0 };
    dp_winograd_add_run(&side, points, points, 2);
    if (runs > 1 && points - 1 >= taps)
        dp_winograd_add_run(&side, points, points - 1, 1);
    if (runs > 2 && points - 2 >= taps)
        dp_winograd_add_run(&side, points, taps, 2);
    return side;
}

static int length_of(const dp_winograd_side *side, int taps) {
    int length = 0;
    for (int k = 0; k < side->run_count; k++)
        length += side->runs[k].tiles * (side->runs[k].points - taps + 1);
    return length;
}

typedef struct subject {
    const dp_kernels *kernels;
    int points, taps, height, width; /* of the outputs */
    dp_winograd_side down, across;
    float *in, *weights, *bias, *frequencies, *filter, *scratch, *out;
    size_t tiles; /* room of a frequency */
    float low;
} subject;

static subject open_subject(kernel_test *t, int points, int taps, int runs) {
    subject s = { .kernels = t->kernels, .points = points, .taps = taps };
    const size_t lanes = (size_t)t->lanes, square = (size_t)(points * points);
    s.down = side_of(points, taps, runs);
    s.across = side_of(points, taps, 4 - runs);
    s.height = length_of(&s.down, taps);
    s.width = length_of(&s.across, taps);
    s.tiles = (size_t)(s.down.tiles * s.across.tiles);
    s.in = kernel_random(t, (size_t)((s.height + taps - 1) * (s.width + taps - 1)) * lanes, -1, 1);
    s.weights = kernel_random(t, (size_t)(taps * taps) * lanes, -1, 1);
    s.bias = kernel_random(t, lanes, -1, 1);
    s.frequencies = kernel_floats(t, square * s.tiles * lanes);
    s.filter = kernel_floats(t, square * lanes);
    s.scratch = kernel_floats(t, (size_t)(points * (s.width + taps - 1)) * lanes);
    s.out = kernel_floats(t, (size_t)(s.height * s.width) * lanes);
    float matrix[DP_WINOGRAD_POINTS * DP_WINOGRAD_TAPS_MAX];
    dp_winograd_matrix(matrix, points, taps);
    s.kernels->winograd_weights(s.filter, t->lanes, s.weights, matrix, points, taps);
    return s;
}

/* All rows of tiles through the input transform, or the output transform. */
static void transform_rows(const subject *s, bool output) {
    const ptrdiff_t lanes = s->kernels->lanes, in_row_stride = (s->width + s->taps - 1) * lanes,
                    out_row_stride = s->width * lanes;
    int y = 0, top = 0;
    for (int k = 0; k < s->down.run_count; k++)
        for (int i = 0; i < s->down.runs[k].tiles;
             i++, y++, top += s->down.runs[k].points - s->taps + 1) {
            dp_winograd_tiles tiles = { .points = s->points,
                                        .taps = s->taps,
                                        .across = &s->across,
                                        .down = &s->down.runs[k],
                                        .frequencies = s->frequencies,
                                        .frequency_stride = (ptrdiff_t)s->tiles * lanes,
                                        .tile_stride = lanes,
                                        .scratch = s->scratch };
            for (int f = 0; f < s->down.runs[k].points; f++)
                tiles.before[f] = y;
            if (output)
                s->kernels->winograd_output(&tiles, s->bias, s->low, s->out + top * out_row_stride,
                                            out_row_stride);
            else
                s->kernels->winograd_input(&tiles, s->in + top * in_row_stride, in_row_stride);
        }
}

static void call_input(const void *operands) {
    transform_rows(operands, false);
}

static void call_output(const void *operands) {
    transform_rows(operands, true);
}

/* Only the tiles that have a frequency are multiplied: the others are never written and still
 * NaN. */
static void multiply(const subject *s, bool whole) {
    const size_t lanes = (size_t)s->kernels->lanes;
    for (int f = 0; f < s->points * s->points; f++) {
        size_t having = (size_t)(s->down.having[f / s->points] * s->across.having[f % s->points]);
        float *at = s->frequencies + (size_t)f * s->tiles * lanes;
        for (size_t i = 0; i < s->tiles * lanes; i++) {
            assert_true(!whole || isnan(at[i]) == (i >= having * lanes));
            at[i] *= s->filter[(size_t)f * lanes + i % lanes];
        }
    }
}

static void compare(kernel_test *t, const subject *s) {
    const int in_width = s->width + s->taps - 1, count = s->height * s->width * t->lanes;
    double *want = kernel_doubles(t, (size_t)count), *magnitude = kernel_doubles(t, (size_t)count);
    for (int i = 0; i < count; i++) {
        const int lane = i % t->lanes, x = i / t->lanes % s->width, y = i / t->lanes / s->width;
        double sum = (double)s->bias[lane];
        magnitude[i] = fabs(sum);
        for (int r = 0; r < s->taps; r++)
            for (int c = 0; c < s->taps; c++) {
                double product = (double)s->in[((y + r) * in_width + x + c) * t->lanes + lane]
                                 * (double)s->weights[(r * s->taps + c) * t->lanes + lane];
                sum += product;
                magnitude[i] += fabs(product);
            }
        want[i] = fmax((double)s->low, sum);
    }
    kernel_agree(t, kernel_widened(t, s->out, (size_t)count), want, magnitude, (size_t)count,
                 TOLERANCE[s->points] * kernel_roundoff);
}

static void check_cover(kernel_test *t, int points, int taps, int runs) {
    kernel_case(t, "%d points, %d taps, tiles of %d sizes", points, taps, runs);
    subject s = open_subject(t, points, taps, runs);
    call_input(&s);
    multiply(&s, true);
    const float lows[] = { -INFINITY, 0 };
    for (int i = 0; i < 2; i++) {
        s.low = lows[i];
        call_output(&s);
        compare(t, &s);
    }
    if (taps == 3 && runs == 1) {
        const double outputs = (double)(s.height * s.width * t->lanes);
        kernel_time(t, "input", call_input, &s, outputs, KERNEL_FLOATS);
        kernel_time(t, "output", call_output, &s, outputs, KERNEL_FLOATS);
    }
}

static void mixed_tiles_give_the_convolution(kernel_test *t) {
    for (int taps = DP_WINOGRAD_TAPS_MIN; taps <= DP_WINOGRAD_TAPS_MAX; taps++)
        for (int points = taps + 1; points <= DP_WINOGRAD_POINTS; points++)
            for (int runs = 1; runs <= DP_WINOGRAD_RUNS; runs++)
                check_cover(t, points, taps, runs);
}

/* A NaN in the picture must reach the outputs whose windows hold it, ReLU or not: it is how a
 * diverged run is found. */
static void a_nan_is_kept(kernel_test *t) {
    kernel_case(t, "a NaN");
    const subject s = open_subject(t, 6, 3, 1);
    s.in[(2 * (s.width + 2) + 2) * t->lanes] = NAN;
    call_input(&s);
    multiply(&s, false);
    call_output(&s);
    assert_true(isnan(s.out[(1 * s.width + 1) * t->lanes]));
}

static const kernel_check checks[] = {
    KERNEL_CHECK(mixed_tiles_give_the_convolution),
    KERNEL_CHECK(a_nan_is_kept),
};

const kernel_family kernel_winograd = { "winograd", checks, sizeof checks / sizeof *checks };
