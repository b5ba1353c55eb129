/* test_kernels_winograd.c - Winograd's transforms on every instruction set that this machine runs:
 * for every window and every largest tile, covers of mixed tiles against the convolution written as
 * a loop in double precision. A transform works lane by lane, so each lane is a convolution of its
 * own, and the product of frequencies is one multiplication. All operands lie against guard pages
 * and begin as NaN. Letters: L lanes, N points, r taps, m outputs of a tile. */
#include "base/random.h"
#include "helpers/guard.h"
#include "kernels/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANES_MAX = 16 };

static const double unit_roundoff = 0x1p-24;

/* The error grows with the size of the tile, for its transforms add numbers larger than their sum.
 * In roundings of the sum of the absolute products; the largest seen on portable, AVX2 and AVX-512
 * were 4, 14, 56, 92 and 156 for 4 to 8 points. */
static const double TOLERANCE[DP_WINOGRAD_POINTS + 1] = {
    [4] = 12, [5] = 40, [6] = 150, [7] = 250, [8] = 400
};

static void fill(float *values, size_t count, uint64_t stream) {
    dp_random random = dp_random_at(1, stream, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * dp_random_unit(&random) - 1;
}

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
    test_guard in, weights, bias, frequencies, filter, scratch, out;
    size_t tiles; /* room of a frequency */
} subject;

static subject open_subject(const dp_kernels *k, int points, int taps, int runs,
                            test_guard_side side) {
    subject s = { .kernels = k, .points = points, .taps = taps };
    const size_t lanes = (size_t)k->lanes, square = (size_t)(points * points);
    s.down = side_of(points, taps, runs);
    s.across = side_of(points, taps, 4 - runs);
    s.height = length_of(&s.down, taps);
    s.width = length_of(&s.across, taps);
    s.tiles = (size_t)(s.down.tiles * s.across.tiles);
    s.in = test_guard_open((size_t)((s.height + taps - 1) * (s.width + taps - 1)) * lanes, side);
    s.weights = test_guard_open((size_t)(taps * taps) * lanes, side);
    s.bias = test_guard_open(lanes, side);
    s.frequencies = test_guard_open(square * s.tiles * lanes, side);
    s.filter = test_guard_open(square * lanes, side);
    s.scratch = test_guard_open((size_t)(points * (s.width + taps - 1)) * lanes, side);
    s.out = test_guard_open((size_t)(s.height * s.width) * lanes, side);
    fill(s.in.data, s.in.count, 1);
    fill(s.weights.data, s.weights.count, 2);
    fill(s.bias.data, s.bias.count, 3);
    return s;
}

static void close_subject(subject *s) {
    test_guard *guards[] = { &s->in,     &s->weights, &s->bias, &s->frequencies,
                             &s->filter, &s->scratch, &s->out };
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
        test_guard_close(guards[i]);
}

/* All rows of tiles through the input transform, or the output transform with `low`. */
static void transform_rows(subject *s, bool output, float low) {
    const ptrdiff_t lanes = s->kernels->lanes, in_row = (s->width + s->taps - 1) * lanes,
                    out_row = s->width * lanes;
    int y = 0, top = 0;
    for (int k = 0; k < s->down.run_count; k++)
        for (int i = 0; i < s->down.runs[k].tiles;
             i++, y++, top += s->down.runs[k].points - s->taps + 1) {
            dp_winograd_tiles tiles = { .points = s->points,
                                        .taps = s->taps,
                                        .across = &s->across,
                                        .down = &s->down.runs[k],
                                        .frequencies = s->frequencies.data,
                                        .frequency_stride = (ptrdiff_t)s->tiles * lanes,
                                        .tile_stride = lanes,
                                        .scratch = s->scratch.data };
            for (int f = 0; f < s->down.runs[k].points; f++)
                tiles.before[f] = y;
            if (output)
                s->kernels->winograd_output(&tiles, s->bias.data, low, s->out.data + top * out_row,
                                            out_row);
            else
                s->kernels->winograd_input(&tiles, s->in.data + top * in_row, in_row);
        }
}

/* Only the tiles that have a frequency are multiplied: the others are never written and still
 * NaN. */
static void multiply(subject *s) {
    const size_t lanes = (size_t)s->kernels->lanes;
    for (int f = 0; f < s->points * s->points; f++) {
        size_t having = (size_t)(s->down.having[f / s->points] * s->across.having[f % s->points]);
        float *at = s->frequencies.data + (size_t)f * s->tiles * lanes;
        for (size_t i = 0; i < s->tiles * lanes; i++) {
            assert_true(isnan(at[i]) == (i >= having * lanes));
            at[i] *= s->filter.data[(size_t)f * lanes + i % lanes];
        }
    }
}

static void expect(const subject *s, float low) {
    const int lanes = s->kernels->lanes, in_width = s->width + s->taps - 1;
    for (int i = 0; i < s->height * s->width * lanes; i++) {
        const int lane = i % lanes, x = i / lanes % s->width, y = i / lanes / s->width;
        double sum = (double)s->bias.data[lane], magnitude = fabs(sum);
        for (int r = 0; r < s->taps; r++)
            for (int t = 0; t < s->taps; t++) {
                double product = (double)s->in.data[((y + r) * in_width + x + t) * lanes + lane]
                                 * (double)s->weights.data[(r * s->taps + t) * lanes + lane];
                sum += product;
                magnitude += fabs(product);
            }
        const double want = fmax((double)low, sum),
                     bound = TOLERANCE[s->points] * unit_roundoff * magnitude;
        if (!(fabs((double)s->out.data[i] - want) <= bound))
            fail_msg("%s, %d points, %d taps: pixel %d,%d is %g, not %g: off by %.1f roundings",
                     dp_isa_name(s->kernels->isa), s->points, s->taps, y, x, (double)s->out.data[i],
                     want, fabs((double)s->out.data[i] - want) / magnitude / unit_roundoff);
    }
}

static void check(const dp_kernels *k, int points, int taps, int runs, test_guard_side side) {
    subject s = open_subject(k, points, taps, runs, side);
    float matrix[DP_WINOGRAD_POINTS * DP_WINOGRAD_TAPS_MAX];
    dp_winograd_matrix(matrix, points, taps);
    k->winograd_weights(s.filter.data, k->lanes, s.weights.data, matrix, points, taps);
    transform_rows(&s, false, 0);
    multiply(&s);
    const float lows[] = { -INFINITY, 0 };
    for (int i = 0; i < 2; i++) {
        transform_rows(&s, true, lows[i]);
        expect(&s, lows[i]);
    }
    close_subject(&s);
}

static void mixed_tiles_give_the_convolution(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *k = dp_isa_supported((dp_isa)isa) ? dp_kernels_for((dp_isa)isa) : NULL;
        for (int taps = DP_WINOGRAD_TAPS_MIN; k && taps <= DP_WINOGRAD_TAPS_MAX; taps++)
            for (int points = taps + 1; points <= DP_WINOGRAD_POINTS; points++)
                for (int runs = 1; runs <= DP_WINOGRAD_RUNS; runs++)
                    for (int side = 0; side < TEST_GUARD_SIDES; side++)
                        check(k, points, taps, runs, (test_guard_side)side);
    }
}

/* A NaN in the picture must reach the outputs whose windows hold it, ReLU or not: it is how a
 * diverged run is found. */
static void a_nan_is_kept(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        if (!dp_isa_supported((dp_isa)isa))
            continue;
        subject s = open_subject(dp_kernels_for((dp_isa)isa), 6, 3, 1, TEST_GUARD_AFTER);
        const int lanes = s.kernels->lanes;
        float matrix[DP_WINOGRAD_POINTS * DP_WINOGRAD_TAPS_MAX];
        dp_winograd_matrix(matrix, 6, 3);
        s.kernels->winograd_weights(s.filter.data, lanes, s.weights.data, matrix, 6, 3);
        s.in.data[(2 * (s.width + 2) + 2) * lanes] = NAN;
        transform_rows(&s, false, 0);
        for (size_t i = 0; i < s.frequencies.count; i++)
            s.frequencies.data[i] *=
                s.filter.data[i / (s.tiles * (size_t)lanes) * (size_t)lanes + i % (size_t)lanes];
        transform_rows(&s, true, 0);
        assert_true(isnan(s.out.data[(1 * s.width + 1) * lanes]));
        close_subject(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_tiles_give_the_convolution),
        cmocka_unit_test(a_nan_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
