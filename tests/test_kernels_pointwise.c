/* test_kernels_pointwise.c - normalisation, clamp, add, affine, softmax and the layouts on every
 * instruction set that this machine runs, against the reference, with operands against guard pages.
 * Letters: L lanes, u the unit roundoff. */
#include "base/random.h"
#include "helpers/guard.h"
#include "kernels/kernels.h"
#include "reference/reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double unit_roundoff = 0x1p-24;

/* Runs `check` with every table of this machine and the guard page on either side. */
static void everywhere(void (*check)(const dp_kernels *kernels, test_guard_side side)) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (int side = 0; side < TEST_GUARD_SIDES; side++)
            if (dp_isa_supported((dp_isa)isa))
                check(dp_kernels_for((dp_isa)isa), (test_guard_side)side);
}

static test_guard filled(size_t count, test_guard_side side, float low, float high,
                         uint64_t stream) {
    test_guard guard = test_guard_open(count, side);
    dp_random random = dp_random_at(2, stream, 0);
    for (size_t i = 0; i < count; i++)
        guard.data[i] = low + (high - low) * dp_random_unit(&random);
    return guard;
}

/* ------------------------------------------------------------------------------------------ LRN */

typedef struct normalisation {
    int channels, pixels, size;
    float alpha, beta, k;
} normalisation;

/* Channel c of pixel i in blocks of `block` floats. */
static size_t place(int c, int i, int lanes, size_t block) {
    return (size_t)(c / lanes) * block + (size_t)i * (size_t)lanes + (size_t)(c % lanes);
}

static void check_normalisation(const dp_kernels *kernels, const normalisation *n,
                                test_guard_side side) {
    const int lanes = kernels->lanes, blocks = (n->channels + lanes - 1) / lanes;
    const size_t pixels = (size_t)n->pixels * (size_t)lanes;
    const size_t in_block = pixels + 2 * (size_t)lanes, out_block = pixels + (size_t)lanes;
    const dp_reference_dims dims = { 1, n->channels, 1, n->pixels };
    const size_t count = dp_reference_count(dims);
    test_guard in = test_guard_open((size_t)(blocks - 1) * in_block + pixels, side);
    test_guard out = test_guard_open((size_t)(blocks - 1) * out_block + pixels, side);
    test_guard scratch = test_guard_open(kernels->lrn_scratch(blocks), side);
    test_guard values = filled(count, side, -20, 20, 1);
    double *canonical = calloc(count, sizeof *canonical), *want = calloc(count, sizeof *want);
    assert_true(canonical && want);
    for (int c = 0; c < blocks * lanes; c++)
        for (int i = 0; i < n->pixels; i++) {
            const float value = c < n->channels ? values.data[c * n->pixels + i] : 0;
            in.data[place(c, i, lanes, in_block)] = value;
            if (c < n->channels)
                canonical[c * n->pixels + i] = (double)value;
        }
    kernels->lrn(&(dp_normalise){ .in = in.data,
                                  .out = out.data,
                                  .in_block = (ptrdiff_t)in_block,
                                  .out_block = (ptrdiff_t)out_block,
                                  .blocks = blocks,
                                  .pixels = n->pixels,
                                  .size = n->size,
                                  .alpha = n->alpha,
                                  .beta = n->beta,
                                  .k = n->k,
                                  .scratch = scratch.data });
    dp_reference_lrn(want, canonical, dims, n->size, (double)n->alpha, (double)n->beta,
                     (double)n->k);
    /* The base has size + 4 roundings (squares, sum, alpha / size, product, k) and keeps them to
     * the power of beta; the power itself has 2.5 (powf: 2), the product one. */
    const double tolerance = ((double)n->beta * (n->size + 4) + 3.5) * unit_roundoff * 1.01;
    for (int c = 0; c < blocks * lanes; c++)
        for (int i = 0; i < n->pixels; i++) {
            const double got = (double)out.data[place(c, i, lanes, out_block)];
            const double expected = c < n->channels ? want[c * n->pixels + i] : 0;
            if (!(fabs(got - expected) <= tolerance * fabs(expected)))
                fail_msg("%s: %d channels, %d pixels, size %d: channel %d pixel %d: %.9g, not %.9g",
                         dp_isa_name(kernels->isa), n->channels, n->pixels, n->size, c, i, got,
                         expected);
        }
    test_guard_close(&in);
    test_guard_close(&out);
    test_guard_close(&scratch);
    test_guard_close(&values);
    free(canonical);
    free(want);
}

static void check_normalisations(const dp_kernels *kernels, test_guard_side side) {
    static const int channels[] = { 1, 3, 4, 15, 16, 17, 64, 70 },
                     pixels[] = { 1, 2, 15, 16, 17, 33 }, sizes[] = { 1, 3, 5, 9 };
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (size_t p = 0; p < sizeof pixels / sizeof *pixels; p++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                check_normalisation(
                    kernels, &(normalisation){ channels[c], pixels[p], sizes[s], 1e-4f, 0.75f, 1 },
                    side);
    check_normalisation(kernels, &(normalisation){ 40, 5, 2 * kernels->lanes + 1, 0.5f, 0.75f, 2 },
                        side);
    check_normalisation(kernels, &(normalisation){ 40, 5, 5, 0.5f, 0.5f, 1 }, side);
    check_normalisation(kernels, &(normalisation){ 40, 5, 5, 2, 1, 0.25f }, side);
}

static void lrn_agrees_with_the_reference(void **state) {
    everywhere(check_normalisations);
}

/* With alpha 0 the result is in * k^-3/4: the power by itself is within 2e-7, over all sizes of
 * k. */
static void the_power_of_lrn_is_exact_to_2e_7(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *kernels =
            dp_isa_supported((dp_isa)isa) ? dp_kernels_for((dp_isa)isa) : NULL;
        if (!kernels)
            continue;
        const size_t lanes = (size_t)kernels->lanes;
        test_guard in = test_guard_open(lanes, TEST_GUARD_AFTER),
                   out = test_guard_open(lanes, TEST_GUARD_AFTER);
        test_guard scratch = test_guard_open(kernels->lrn_scratch(1), TEST_GUARD_AFTER);
        for (size_t l = 0; l < lanes; l++)
            in.data[l] = 1;
        for (float k = 1e-6f; k < 1e9f; k *= 1.0137f) {
            kernels->lrn(&(dp_normalise){ .in = in.data,
                                          .out = out.data,
                                          .blocks = 1,
                                          .pixels = 1,
                                          .size = 5,
                                          .beta = 0.75f,
                                          .k = k,
                                          .scratch = scratch.data });
            const double want = pow((double)k, -0.75);
            for (size_t l = 0; l < lanes; l++)
                assert_true(fabs((double)out.data[l] - want) <= 2e-7 * want);
        }
        test_guard_close(&in);
        test_guard_close(&out);
        test_guard_close(&scratch);
    }
}

/* ------------------------------------------------------------------------------------ pointwise */

static float clamped(float x, float low) {
    return x > low || isnan(x) ? x : low;
}

static float clipped(float x, float low, float high) {
    x = clamped(x, low);
    return x < high || isnan(x) ? x : high;
}

static bool same(float a, float b) {
    return a == b || (isnan(a) && isnan(b));
}

static void check_pointwise(const dp_kernels *kernels, test_guard_side side) {
    static const int counts[] = { 0, 1, 2, 5, 49 };
    static const float lows[] = { 0, -INFINITY }, highs[] = { INFINITY, 0.5F };
    const int lanes = kernels->lanes;
    for (size_t i = 0; i < 2 * sizeof counts / sizeof *counts; i++) {
        const int pixels = counts[i / 2];
        const float low = lows[i % 2], high = highs[i / 2 % 2];
        const size_t count = (size_t)(pixels * lanes);
        test_guard a = filled(count, side, -1, 1, 3), b = filled(count, side, -1, 1, 4);
        test_guard scale = filled((size_t)lanes, side, -2, 2, 5),
                   shift = filled((size_t)lanes, side, -1, 1, 6);
        test_guard clamp = test_guard_open(count, side), add = test_guard_open(count, side),
                   affine = test_guard_open(count, side);
        if (pixels > 1)
            a.data[1] = NAN; /* goes through all of them */
        kernels->clamp(clamp.data, a.data, pixels, low, high);
        kernels->add(add.data, a.data, b.data, pixels, low);
        kernels->affine(affine.data, a.data, pixels, scale.data, shift.data, low);
        for (size_t n = 0; n < count; n++) {
            const float factor = scale.data[n % (size_t)lanes],
                        term = shift.data[n % (size_t)lanes];
            const float once = fmaf(a.data[n], factor, term), twice = a.data[n] * factor + term;
            assert_true(same(clamp.data[n], clipped(a.data[n], low, high)));
            assert_true(same(add.data[n], clamped(a.data[n] + b.data[n], low)));
            assert_true(
                same(affine.data[n], clamped(kernels->isa == DP_ISA_PORTABLE ? twice : once, low)));
        }
        kernels->clamp(a.data, a.data, pixels, low, high); /* in place */
        kernels->add(b.data, b.data, b.data, pixels, -INFINITY);
        for (size_t n = 0; n < count; n++)
            assert_true(same(a.data[n], clamp.data[n]));
        test_guard *const all[] = { &a, &b, &scale, &shift, &clamp, &add, &affine };
        for (size_t n = 0; n < sizeof all / sizeof *all; n++)
            test_guard_close(all[n]);
    }
}

static void clamp_add_and_affine_are_exact(void **state) {
    everywhere(check_pointwise);
}

/* -------------------------------------------------------------------------- product and sigmoid */

static void check_product(const dp_kernels *kernels, test_guard_side side) {
    const size_t lanes = (size_t)kernels->lanes, count = 5 * lanes;
    test_guard a = filled(count, side, -3, 3, 9), b = filled(count, side, -3, 3, 10),
               each = test_guard_open(count, side);
    test_guard one = filled(lanes, side, -3, 3, 11), by_one = test_guard_open(count, side);
    a.data[1] = NAN;
    kernels->multiply(each.data, a.data, b.data, kernels->lanes, 5);
    kernels->multiply(by_one.data, a.data, one.data, 0, 5);
    for (size_t n = 0; n < count; n++) {
        assert_true(same(each.data[n], a.data[n] * b.data[n]));
        assert_true(same(by_one.data[n], a.data[n] * one.data[n % lanes]));
    }
    test_guard *const all[] = { &a, &b, &each, &one, &by_one };
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        test_guard_close(all[n]);
}

/* e^-x has 3 u: of r, which is rounded to u / 2 where its largest part is, of the last step of the
 * sum, and what it leaves out; the denominator and the quotient have one each. Portable rounds each
 * product of the sum too, one u more. */
static void check_sigmoid(const dp_kernels *kernels, test_guard_side side) {
    const int lanes = kernels->lanes, pixels = 3000;
    const size_t count = (size_t)pixels * (size_t)lanes;
    for (int channels = 1; channels <= lanes; channels += lanes - 1) {
        test_guard in = test_guard_open(count, side), out = test_guard_open(count, side);
        for (size_t n = 0; n < count; n++)
            in.data[n] = -90 + 180 * (float)n / (float)count;
        const float special[] = { NAN, INFINITY, -INFINITY, 0 };
        for (int n = 0; n < 4; n++)
            in.data[n * lanes] = special[n];
        kernels->sigmoid(out.data, in.data, pixels, channels);
        for (size_t n = 0; n < count; n++) {
            const double x = fmin(fmax((double)in.data[n], -87), 87), want = 1 / (1 + exp(-x));
            if ((int)n % lanes >= channels)
                assert_true(out.data[n] == 0);
            else if (isnan(in.data[n]))
                assert_true(isnan(out.data[n]));
            else if (!(fabs((double)out.data[n] - want) <= 6 * unit_roundoff * want))
                fail_msg("%s: sigmoid(%.9g) is %.9g, not %.9g", dp_isa_name(kernels->isa),
                         (double)in.data[n], (double)out.data[n], want);
        }
        test_guard_close(&in);
        test_guard_close(&out);
    }
}

static void products_and_sigmoids(void **state) {
    everywhere(check_product);
    everywhere(check_sigmoid);
}

/* -------------------------------------------------------------------------------------- softmax */

static void check_softmax(const dp_kernels *kernels, test_guard_side side) {
    static const int sizes[] = { 1, 2, 3, 4, 5, 8, 15, 16, 17, 1000 };
    static const float spreads[] = { 0.1f, 10, 60 };
    const int lanes = kernels->lanes;
    for (size_t i = 0; i < 3 * sizeof sizes / sizeof *sizes; i++) {
        const int channels = sizes[i / 3], blocks = (channels + lanes - 1) / lanes;
        const float spread = spreads[i % 3];
        const size_t in_block = 2 * (size_t)lanes, out_block = 3 * (size_t)lanes;
        test_guard in = test_guard_open((size_t)(blocks - 1) * in_block + (size_t)lanes, side);
        test_guard out = test_guard_open((size_t)(blocks - 1) * out_block + (size_t)lanes, side);
        test_guard values =
            filled((size_t)channels, side, -spread - 200, spread - 200, 7); /* e^-200 is no float */
        double *x = calloc((size_t)channels, sizeof *x),
               *want = calloc((size_t)channels, sizeof *want);
        assert_true(x && want);
        for (int c = 0; c < blocks * lanes; c++)
            in.data[place(c, 0, lanes, in_block)] = c < channels ? values.data[c] : 0;
        for (int c = 0; c < channels; c++)
            x[c] = (double)values.data[c];
        kernels->softmax(out.data, (ptrdiff_t)out_block, in.data, (ptrdiff_t)in_block, channels);
        dp_reference_softmax(want, x, (dp_reference_dims){ 1, channels, 1, 1 });
        /* The difference to the maximum, at most 2 * spread, is rounded once, which its exponential
         * keeps as that many u; the exponential has two, and so has their sum; its inverse and the
         * last product one each. Below 1e-37 nothing is promised. */
        const double tolerance = (2 * 2 * (double)spread + 6) * unit_roundoff;
        for (int c = 0; c < blocks * lanes; c++) {
            const double got = (double)out.data[place(c, 0, lanes, out_block)];
            const double expected = c < channels ? want[c] : 0;
            assert_true(c < channels ? fabs(got - expected) <= tolerance * expected + 1e-37
                                     : got == 0);
        }
        test_guard_close(&in);
        test_guard_close(&out);
        test_guard_close(&values);
        free(x);
        free(want);
    }
}

static void softmax_agrees_with_the_reference(void **state) {
    everywhere(check_softmax);
}

/* -------------------------------------------------------------------------------------- layouts */

static void check_layouts(const dp_kernels *kernels, test_guard_side side) {
    static const int widths[] = { 1, 2, 7, 16, 17, 56 };
    const int lanes = kernels->lanes;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int channels = 1; channels <= lanes; channels++) {
            const int width = widths[w];
            const ptrdiff_t plane = width + 3;
            test_guard planar = filled((size_t)((channels - 1) * plane + width), side, -1, 1, 8);
            test_guard blocked = test_guard_open((size_t)(width * lanes), side);
            test_guard back = test_guard_open(planar.count, side);
            kernels->block_row(blocked.data, planar.data, plane, channels, width);
            for (int x = 0; x < width; x++)
                for (int l = 0; l < lanes; l++)
                    assert_true(blocked.data[x * lanes + l]
                                == (l < channels ? planar.data[l * plane + x] : 0));
            kernels->unblock_row(back.data, plane, blocked.data, channels, width);
            for (int c = 0; c < channels; c++)
                for (int x = 0; x < plane && (size_t)(c * plane + x) < back.count; x++)
                    assert_true(x < width ? back.data[c * plane + x] == planar.data[c * plane + x]
                                          : isnan(back.data[c * plane + x]));
            test_guard_close(&planar);
            test_guard_close(&blocked);
            test_guard_close(&back);
        }
}

static void layouts_go_there_and_back(void **state) {
    everywhere(check_layouts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lrn_agrees_with_the_reference),
        cmocka_unit_test(the_power_of_lrn_is_exact_to_2e_7),
        cmocka_unit_test(clamp_add_and_affine_are_exact),
        cmocka_unit_test(softmax_agrees_with_the_reference),
        cmocka_unit_test(products_and_sigmoids),
        cmocka_unit_test(layouts_go_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
