/* test_kernels_gradient.c - the backward kernels of pools and LRN, on every instruction set that
 * this machine runs, against the reference; operands against guard pages. The outer product has
 * test_kernels_outer.c, what meets every element once test_kernels_update.c. */
#include "base/random.h"
#include "helpers/guard.h"
#include "kernels/gradient.h"
#include "reference/reference_gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double unit_roundoff = 0x1p-24;

static const dp_gradient_kernels *usable(int isa) {
    return dp_isa_supported((dp_isa)isa) ? dp_gradient_kernels_for((dp_isa)isa) : NULL;
}

static double *allocate(size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static void magnitudes(double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i]);
}

/* ---------------------------------------------------------------------------------------- pools */

static const struct {
    dp_reference_window window;
    int height, width,
        more; /* more: outputs beyond those that fit, cut at the far edge (rounded up) */
} pools[] = {
    { { 3, 3, 1, 1, 1, 1, 1, 1 }, 7, 7, 0 },   { { 3, 3, 2, 2, 0, 0, 0, 0 }, 8, 10, 1 },
    { { 3, 3, 2, 2, 0, 0, 0, 0 }, 7, 5, 0 },   { { 2, 2, 2, 2, 0, 0, 0, 0 }, 6, 5, 0 },
    { { 5, 5, 3, 3, 0, 0, 0, 0 }, 14, 14, 0 }, { { 7, 7, 1, 1, 0, 0, 0, 0 }, 7, 7, 0 },
    { { 2, 3, 3, 2, 1, 1, 0, 0 }, 5, 6, 0 },   { { 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 1, 0 },
    { { 1, 1, 2, 2, 0, 0, 0, 0 }, 6, 6, 0 },   { { 3, 3, 1, 1, 1, 1, 1, 1 }, 1, 2, 0 },
    { { 4, 3, 2, 1, 1, 1, 2, 2 }, 6, 3, 0 },   { { 3, 3, 1, 1, 1, 1, 1, 1 }, 1, 9, 0 },
    { { 3, 3, 2, 2, 1, 1, 1, 1 }, 6, 9, 0 },   { { 2, 3, 1, 1, 0, 1, 0, 1 }, 4, 8, 0 },
};

typedef struct pool_case {
    const dp_gradient_kernels *kernels;
    dp_reference_window window;
    dp_reference_dims in, out; /* the channels of one block */
    bool average, count_padding;
    bool sum, relu; /* max: added to another gradient; with the gradient of a ReLU */
    int gap;        /* pixels between the rows of every tensor */
    test_guard_side side;
} pool_case;

/* Pixels of a blocked channel block with gaps between rows; the last row has none after it. */
static test_guard open_blocked(dp_reference_dims d, int gap, test_guard_side side) {
    return test_guard_open((size_t)(((d.height - 1) * (d.width + gap) + d.width) * d.channels),
                           side);
}

static float *blocked_at(const test_guard *g, dp_reference_dims d, int gap, int c, int y, int x) {
    return &g->data[(y * (d.width + gap) + x) * d.channels + c];
}

/* values (planar, of one image) into or out of a blocked array. */
static void put(const test_guard *g, dp_reference_dims d, int gap, const double *values) {
    for (int c = 0; c < d.channels; c++)
        for (int y = 0; y < d.height; y++)
            for (int x = 0; x < d.width; x++)
                *blocked_at(g, d, gap, c, y, x) = (float)values[(c * d.height + y) * d.width + x];
}

/* base: the other gradient, zeros where there is none. */
static void compare_pool(const pool_case *t, const test_guard *out, double *in, double *gradient,
                         const double *base) {
    double *want = allocate(dp_reference_count(t->in)),
           *magnitude = allocate(dp_reference_count(t->in));
    if (t->average) {
        dp_reference_average_pool_gradient(want, gradient, t->out, t->in, t->window,
                                           t->count_padding);
        magnitudes(gradient, dp_reference_count(t->out));
        dp_reference_average_pool_gradient(magnitude, gradient, t->out, t->in, t->window,
                                           t->count_padding);
    } else {
        dp_reference_max_pool_gradient(want, gradient, t->out, in, t->in, t->window);
        magnitudes(gradient, dp_reference_count(t->out));
        dp_reference_max_pool_gradient(magnitude, gradient, t->out, in, t->in, t->window);
    }
    for (size_t i = 0; i < dp_reference_count(t->in); i++) {
        bool stopped = t->relu && in[i] <= 0;
        want[i] = stopped ? 0 : want[i] + base[i];
        magnitude[i] = stopped ? 0 : magnitude[i] + fabs(base[i]);
    }
    /* A pixel adds up a part from each window that it is in, height * width at most; a part of an
     * average is a rounded quotient. */
    const double tolerance = (t->window.height * t->window.width + 1) * unit_roundoff;
    for (int c = 0; c < t->in.channels; c++)
        for (int y = 0; y < t->in.height; y++)
            for (int x = 0; x < t->in.width; x++) {
                const int place = (c * t->in.height + y) * t->in.width + x;
                const double got = (double)*blocked_at(out, t->in, t->gap, c, y, x);
                if (!(fabs(got - want[place]) <= tolerance * magnitude[place]))
                    fail_msg("%s, %s, %dx%d: window %dx%d stride %dx%d, channel %d at %d, %d: "
                             "%.9g, not %.9g",
                             dp_isa_name(t->kernels->isa), t->average ? "average" : "max",
                             t->in.height, t->in.width, t->window.height, t->window.width,
                             t->window.stride_y, t->window.stride_x, c, y, x, got, want[place]);
            }
    free(want);
    free(magnitude);
}

static void run_pool(const pool_case *t, const test_guard *in, const test_guard *forward,
                     const test_guard *gradient, const test_guard *base, const test_guard *out) {
    const int lanes = t->kernels->lanes;
    const dp_pooling_gradient pooling = {
        .forward = { .in = in->data,
                     .in_row = (ptrdiff_t)(t->in.width + t->gap) * lanes,
                     .in_height = t->in.height,
                     .in_width = t->in.width,
                     .out = forward->data,
                     .out_row = (ptrdiff_t)(t->out.width + t->gap) * lanes,
                     .out_width = t->out.width,
                     .row_end = t->out.height,
                     .height = t->window.height,
                     .width = t->window.width,
                     .stride_y = t->window.stride_y,
                     .stride_x = t->window.stride_x,
                     .pad_top = t->window.pad_top,
                     .pad_left = t->window.pad_left,
                     .pad_bottom = t->window.pad_bottom,
                     .pad_right = t->window.pad_right,
                     .count_padding = t->count_padding },
        .gradient = gradient->data,
        .gradient_row = (ptrdiff_t)(t->out.width + t->gap) * lanes,
        .out = out->data,
        .out_row = (ptrdiff_t)(t->in.width + t->gap) * lanes,
        .base = t->sum ? base->data : NULL,
        .base_row = (ptrdiff_t)(t->in.width + t->gap) * lanes,
        .relu = t->relu,
    };
    (t->average ? t->kernels->average_pool : t->kernels->max_pool)(&pooling);
}

static void check_pool(const pool_case *t) {
    const size_t in_count = dp_reference_count(t->in), out_count = dp_reference_count(t->out);
    double *in = allocate(in_count), *forward_values = allocate(out_count),
           *gradient_values = allocate(out_count);
    double *base_values = allocate(in_count);
    dp_random random = dp_random_at(1, 2, 3);
    for (size_t i = 0; i < in_count;
         i++) /* few values, mostly negative: many equal maxima, and none is a zero from outside */
        in[i] = (double)dp_random_below(&random, 6) - 4.5;
    for (size_t i = 0; i < out_count; i++)
        gradient_values[i] = (double)(2 * dp_random_unit(&random) - 1);
    for (size_t i = 0; i < in_count; i++)
        base_values[i] = t->sum ? (double)(2 * dp_random_unit(&random) - 1) : 0;
    dp_reference_max_pool(forward_values, t->out, in, t->in, t->window);
    test_guard input = open_blocked(t->in, t->gap, t->side),
               out = open_blocked(t->in, t->gap, t->side);
    test_guard base = open_blocked(t->in, t->gap, t->side);
    test_guard forward = open_blocked(t->out, t->gap, t->side),
               gradient = open_blocked(t->out, t->gap, t->side);
    put(&input, t->in, t->gap, in);
    put(&forward, t->out, t->gap, forward_values);
    put(&gradient, t->out, t->gap, gradient_values);
    put(&base, t->in, t->gap, base_values);
    run_pool(t, &input, &forward, &gradient, &base, &out);
    for (int y = 0; y + 1 < t->in.height; y++)
        for (int i = 0; i < t->gap * t->in.channels; i++)
            assert_true(isnan(*blocked_at(&out, t->in, t->gap, i, y,
                                          t->in.width))); /* between rows nothing is written */
    compare_pool(t, &out, in, gradient_values, base_values);
    test_guard_close(&input);
    test_guard_close(&base);
    test_guard_close(&out);
    test_guard_close(&forward);
    test_guard_close(&gradient);
    free(in);
    free(forward_values);
    free(gradient_values);
    free(base_values);
}

static int output_size(int size, int window, int stride, int pad, int more) {
    return (size + pad - window) / stride + 1 + more;
}

static void check_pools(bool average, bool count_padding, bool sum, bool relu) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (size_t i = 0; usable(isa) && i < sizeof pools / sizeof *pools; i++)
            for (int side = 0; side < TEST_GUARD_SIDES; side++) {
                const dp_reference_window w = pools[i].window;
                const int lanes = usable(isa)->lanes, height = pools[i].height,
                          width = pools[i].width;
                check_pool(
                    &(pool_case){ .kernels = usable(isa),
                                  .window = w,
                                  .in = { 1, lanes, height, width },
                                  .out = { 1, lanes,
                                           output_size(height, w.height, w.stride_y,
                                                       w.pad_top + w.pad_bottom, pools[i].more),
                                           output_size(width, w.width, w.stride_x,
                                                       w.pad_left + w.pad_right, pools[i].more) },
                                  .average = average,
                                  .count_padding = count_padding,
                                  .sum = sum,
                                  .relu = relu,
                                  .gap = side == TEST_GUARD_AFTER ? 2 : 0,
                                  .side = (test_guard_side)side });
            }
}

static void max_pools_give_to_the_first_maximum(void **state) {
    check_pools(false, false, false, false);
}

static void max_pools_add_to_another_gradient(void **state) {
    check_pools(false, false, true, false);
}

static void max_pools_stop_at_a_relu(void **state) {
    check_pools(false, false, false, true);
    check_pools(false, false, true, true);
}

static void average_pools_spread_over_the_pixels_inside(void **state) {
    check_pools(true, false, false, false);
}

static void average_pools_spread_over_the_padded_window(void **state) {
    check_pools(true, true, false, false);
}

/* ------------------------------------------------------------------------------------------ LRN */

typedef struct lrn_case {
    const dp_gradient_kernels *kernels;
    int channels, pixels, size, gap; /* gap: pixels between channel blocks */
    float alpha, beta, k;
    bool in_place; /* the result over the gradient */
    bool relu;     /* with the gradient of a ReLU */
    test_guard_side side;
} lrn_case;

static void run_lrn(const lrn_case *t, const float *in, const float *gradient, float *out,
                    int first, int pixels, float *scratch) {
    const ptrdiff_t block = (ptrdiff_t)(t->pixels + t->gap) * t->kernels->lanes;
    const ptrdiff_t offset = (ptrdiff_t)first * t->kernels->lanes;
    t->kernels->lrn(&(dp_normalise_gradient){
        .forward = { .in = in + offset,
                     .out = out + offset,
                     .in_block = block,
                     .out_block = block,
                     .blocks = (t->channels + t->kernels->lanes - 1) / t->kernels->lanes,
                     .pixels = pixels,
                     .size = t->size,
                     .alpha = t->alpha,
                     .beta = t->beta,
                     .k = t->k,
                     .scratch = scratch },
        .gradient = gradient + offset,
        .gradient_block = block,
        .relu = t->relu });
}

/* want, and the sum of the magnitudes of its terms: with |g| and |x| the gradient is A - B, with A
 * = |g| * s^-beta = |g| * lrn(x) / x, so A + B = 2 A - (A - B). */
static void lrn_reference(const lrn_case *t, double *in, double *gradient, double *want,
                          double *magnitude) {
    const dp_reference_dims dims = { 1, t->channels, 1, t->pixels };
    const size_t count = dp_reference_count(dims);
    const double alpha = (double)t->alpha, beta = (double)t->beta, k = (double)t->k;
    double *forward = allocate(count);
    dp_reference_lrn_gradient(want, gradient, in, dims, t->size, alpha, beta, k);
    magnitudes(in, count);
    magnitudes(gradient, count);
    dp_reference_lrn(forward, in, dims, t->size, alpha, beta, k);
    dp_reference_lrn_gradient(magnitude, gradient, in, dims, t->size, alpha, beta, k);
    for (size_t i = 0; i < count; i++)
        magnitude[i] = 2 * gradient[i] * forward[i] / in[i] - magnitude[i];
    free(forward);
}

static void compare_lrn(const lrn_case *t, const float *out, double *in, double *gradient) {
    const int lanes = t->kernels->lanes;
    const size_t count = (size_t)(t->channels * t->pixels);
    double *want = allocate(count), *magnitude = allocate(count), *x_values = allocate(count);
    memcpy(x_values, in, count * sizeof *in); /* lrn_reference leaves magnitudes there */
    lrn_reference(t, in, gradient, want, magnitude);
    /* s: the squares, their sum, the factor and the fma, all of one sign: size + 3 roundings.
     * s^-beta: beta times that and 2.5 (roots and quotient; powf: 2); a term of the second sum:
     * that, once more s, and 4 products and quotients; the sum: size; the factor: 3, its product
     * and the last fma: 2. */
    const double tolerance = ((1 + (double)t->beta) * (t->size + 3) + t->size + 12) * unit_roundoff;
    for (int c = 0; c < (t->channels + lanes - 1) / lanes * lanes; c++)
        for (int x = 0; x < t->pixels; x++) {
            const double got =
                (double)out[(c / lanes * (t->pixels + t->gap) + x) * lanes + c % lanes];
            if (c >= t->channels || (t->relu && x_values[c * t->pixels + x] <= 0))
                assert_true(got == 0);
            else if (!(fabs(got - want[c * t->pixels + x])
                       <= tolerance * magnitude[c * t->pixels + x]))
                fail_msg("%s, lrn of %d channels, size %d, beta %g, channel %d, pixel %d: %.9g, "
                         "not %.9g",
                         dp_isa_name(t->kernels->isa), t->channels, t->size, (double)t->beta, c, x,
                         got, want[c * t->pixels + x]);
        }
    free(want);
    free(magnitude);
    free(x_values);
}

static void check_lrn(const lrn_case *t) {
    const int lanes = t->kernels->lanes;
    const int blocks = (t->channels + lanes - 1) / lanes;
    const size_t floats = (size_t)(((blocks - 1) * (t->pixels + t->gap) + t->pixels) * lanes);
    test_guard x = test_guard_open(floats, t->side), g = test_guard_open(floats, t->side),
               y = test_guard_open(floats, t->side);
    test_guard split = test_guard_open(floats, t->side);
    test_guard scratch = test_guard_open(t->kernels->lrn_scratch(blocks), t->side);
    double *in = allocate((size_t)(t->channels * t->pixels)),
           *gradient = allocate((size_t)(t->channels * t->pixels));
    dp_random random = dp_random_at(3, (uint64_t)t->channels, (uint64_t)t->pixels);
    for (int c = 0; c < blocks * lanes; c++)
        for (int p = 0; p < t->pixels; p++) {
            const bool real = c < t->channels;
            const float sign = dp_random_below(&random, 2) ? -1 : 1;
            const int place = (c / lanes * (t->pixels + t->gap) + p) * lanes + c % lanes;
            x.data[place] = real ? sign * (3 * dp_random_unit(&random) + 0.01f)
                                 : 0; /* never 0: see lrn_reference */
            g.data[place] = real ? 2 * dp_random_unit(&random) - 1 : 0;
            if (real) {
                in[c * t->pixels + p] = (double)x.data[place];
                gradient[c * t->pixels + p] = (double)g.data[place];
            }
        }
    const int cut = t->pixels / 3;
    run_lrn(t, x.data, g.data, split.data, 0, cut, scratch.data);
    run_lrn(t, x.data, g.data, split.data, cut, t->pixels - cut, scratch.data);
    run_lrn(t, x.data, g.data, t->in_place ? g.data : y.data, 0, t->pixels, scratch.data);
    const float *out = t->in_place ? g.data : y.data;
    for (int b = 0; b < blocks; b++) {
        const size_t place = (size_t)(b * (t->pixels + t->gap) * lanes);
        assert_memory_equal(out + place, split.data + place,
                            (size_t)(t->pixels * lanes) * sizeof(float));
    }
    compare_lrn(t, out, in, gradient);
    test_guard *guards[] = { &x, &g, &y, &split, &scratch };
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
        test_guard_close(guards[i]);
    free(in);
    free(gradient);
}

static void lrn_agrees_with_the_reference(void **state) {
    static const struct {
        int channels, pixels, size;
    } shapes[] = {
        { 1, 1, 5 },  { 3, 2, 3 },   { 16, 7, 5 },  { 17, 8, 5 },
        { 40, 9, 1 }, { 64, 17, 5 }, { 33, 25, 9 },
    };
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (size_t i = 0; usable(isa) && i < sizeof shapes / sizeof *shapes; i++)
            for (int variant = 0; variant < 4; variant++)
                check_lrn(&(lrn_case){ .kernels = usable(isa),
                                       .channels = shapes[i].channels,
                                       .pixels = shapes[i].pixels,
                                       .size = shapes[i].size,
                                       .gap = variant,
                                       .alpha = variant & 1 ? 0.9f : 1e-4f,
                                       .beta = variant & 2 ? 0.6f : 0.75f,
                                       .k = variant & 1 ? 2 : 1,
                                       .in_place = variant & 2,
                                       .relu = variant == 1 || variant == 2,
                                       .side = (test_guard_side)(variant & 1) });
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_pools_give_to_the_first_maximum),
        cmocka_unit_test(max_pools_add_to_another_gradient),
        cmocka_unit_test(max_pools_stop_at_a_relu),
        cmocka_unit_test(average_pools_spread_over_the_pixels_inside),
        cmocka_unit_test(average_pools_spread_over_the_padded_window),
        cmocka_unit_test(lrn_agrees_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
