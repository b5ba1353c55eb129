/* pointwise.c - LRN, clamp, add, affine, product, sigmoid, softmax and the layouts against the
 * reference or their formula. Letters: L lanes, u the unit roundoff. */
#include "kernels/families.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ------------------------------------------------------------------------------------------ LRN */

typedef struct normalisation {
    const dp_kernels *kernels;
    dp_normalise settings;
} normalisation;

static void call_lrn(const void *operands) {
    const normalisation *n = operands;
    n->kernels->lrn(&n->settings);
}

/* settings: size, alpha, beta, k. */
static void check_lrn(kernel_test *t, int channels, int pixels, dp_normalise settings) {
    kernel_case(t, "%d channels, %d pixels, size %d, beta %g", channels, pixels, settings.size,
                (double)settings.beta);
    const dp_reference_dims dims = { 1, channels, 1, pixels };
    const size_t count = dp_reference_count(dims);
    const kernel_image in = kernel_image_spaced(t, dims, t->lanes, 0, 2),
                       out = kernel_image_spaced(t, dims, t->lanes, 0, 1);
    const double *values = kernel_widened(t, kernel_random(t, count, -20, 20), count);
    kernel_image_put(&in, values);
    normalisation n = { t->kernels, settings };
    n.settings.in = in.data;
    n.settings.out = out.data;
    n.settings.in_block_stride = in.block_stride;
    n.settings.out_block_stride = out.block_stride;
    n.settings.blocks = in.blocks;
    n.settings.pixels = pixels;
    n.settings.scratch = kernel_floats(t, t->kernels->lrn_scratch(in.blocks));
    call_lrn(&n);
    double *want = kernel_doubles(t, count);
    dp_reference_lrn(want, values, dims, settings.size, (double)settings.alpha,
                     (double)settings.beta, (double)settings.k);
    /* The base has size + 4 roundings (squares, sum, alpha / size, product, k) and keeps them to
     * the power of beta; the power itself has 2.5 (powf: 2), the product one. */
    kernel_agree(t, kernel_image_get(t, &out), want, NULL, count,
                 ((double)settings.beta * (settings.size + 4) + 3.5) * kernel_roundoff * 1.01);
    if (channels == 64 && pixels == 33)
        kernel_time(t, "lrn", call_lrn, &n, (double)count, KERNEL_FLOATS);
}

static void lrn_agrees_with_the_reference(kernel_test *t) {
    static const int channels[] = { 1, 3, 4, 15, 16, 17, 64, 70 },
                     pixels[] = { 1, 2, 15, 16, 17, 33 }, sizes[] = { 1, 3, 5, 9 };
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (size_t p = 0; p < sizeof pixels / sizeof *pixels; p++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                check_lrn(
                    t, channels[c], pixels[p],
                    (dp_normalise){ .size = sizes[s], .alpha = 1e-4f, .beta = 0.75f, .k = 1 });
    const dp_normalise odd[] = {
        { .size = 2 * t->lanes + 1, .alpha = 0.5f, .beta = 0.75f, .k = 2 },
        { .size = 5, .alpha = 0.5f, .beta = 0.5f, .k = 1 },
        { .size = 5, .alpha = 2, .beta = 1, .k = 0.25f },
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        check_lrn(t, 40, 5, odd[i]);
}

/* With alpha 0 the result is in * k^-3/4: the power by itself is within 2e-7, over all sizes of
 * k. */
static void the_power_of_lrn_is_exact_to_2e_7(kernel_test *t) {
    kernel_case(t, "alpha 0");
    const size_t lanes = (size_t)t->lanes;
    float *in = kernel_floats(t, lanes), *out = kernel_floats(t, lanes),
          *scratch = kernel_floats(t, t->kernels->lrn_scratch(1));
    for (size_t l = 0; l < lanes; l++)
        in[l] = 1;
    for (float k = 1e-6f; k < 1e9f; k *= 1.0137f) {
        t->kernels->lrn(&(dp_normalise){ .in = in,
                                         .out = out,
                                         .blocks = 1,
                                         .pixels = 1,
                                         .size = 5,
                                         .beta = 0.75f,
                                         .k = k,
                                         .scratch = scratch });
        const double want = pow((double)k, -0.75);
        for (size_t l = 0; l < lanes; l++)
            assert_true(fabs((double)out[l] - want) <= 2e-7 * want);
    }
}

/* ------------------------------------------------------------------------------------ pointwise */

/* Operands of a kernel that meets every element once; what a kernel does not take is not looked
 * at. */
typedef struct elements {
    const dp_kernels *kernels;
    float *a, *b, *scale, *shift, *out;
    int pixels, channels;
    float low, high;
} elements;

static void call_clamp(const void *operands) {
    const elements *e = operands;
    e->kernels->clamp(e->out, e->a, e->pixels, e->low, e->high);
}

static void call_add(const void *operands) {
    const elements *e = operands;
    e->kernels->add(e->out, e->a, e->b, e->pixels, e->low);
}

static void call_affine(const void *operands) {
    const elements *e = operands;
    e->kernels->affine(e->out, e->a, e->pixels, e->scale, e->shift, e->low);
}

static void call_multiply(const void *operands) {
    const elements *e = operands;
    e->kernels->multiply(e->out, e->a, e->b, e->kernels->lanes, e->pixels);
}

static void call_sigmoid(const void *operands) {
    const elements *e = operands;
    e->kernels->sigmoid(e->out, e->a, e->pixels, e->channels);
}

static float clamped(float x, float low) {
    return x > low || isnan(x) ? x : low;
}

static float clipped(float x, float low, float high) {
    x = clamped(x, low);
    return x < high || isnan(x) ? x : high;
}

static void check_elements(kernel_test *t, int pixels, float low, float high) {
    kernel_case(t, "%d pixels, %g to %g", pixels, (double)low, (double)high);
    const size_t count = (size_t)(pixels * t->lanes), lanes = (size_t)t->lanes;
    elements e = { .kernels = t->kernels,
                   .a = kernel_random(t, count, -1, 1),
                   .b = kernel_random(t, count, -1, 1),
                   .scale = kernel_random(t, lanes, -2, 2),
                   .shift = kernel_random(t, lanes, -1, 1),
                   .pixels = pixels,
                   .low = low,
                   .high = high };
    float *clamp = kernel_floats(t, count), *add = kernel_floats(t, count),
          *affine = kernel_floats(t, count);
    if (pixels > 1)
        e.a[1] = NAN; /* goes through all of them */
    e.out = clamp;
    call_clamp(&e);
    e.out = add;
    call_add(&e);
    e.out = affine;
    call_affine(&e);
    for (size_t n = 0; n < count; n++) {
        const float line = kernel_multiply_add(t, e.a[n], e.scale[n % lanes], e.shift[n % lanes]);
        assert_true(kernel_same(clamp[n], clipped(e.a[n], low, high)));
        assert_true(kernel_same(add[n], clamped(e.a[n] + e.b[n], low)));
        assert_true(kernel_same(affine[n], clamped(line, low)));
    }
    if (pixels == 49 && low == 0) {
        kernel_time(t, "clamp", call_clamp, &e, (double)count, KERNEL_FLOATS);
        kernel_time(t, "add", call_add, &e, (double)count, KERNEL_FLOATS);
        kernel_time(t, "affine", call_affine, &e, (double)count, KERNEL_FLOATS);
    }
    t->kernels->clamp(e.a, e.a, pixels, low, high); /* in place */
    t->kernels->add(e.b, e.b, e.b, pixels, -INFINITY);
    for (size_t n = 0; n < count; n++)
        assert_true(kernel_same(e.a[n], clamp[n]));
}

static void clamp_add_and_affine_are_exact(kernel_test *t) {
    static const int counts[] = { 0, 1, 2, 5, 49 };
    static const float lows[] = { 0, -INFINITY }, highs[] = { INFINITY, 0.5F };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int variant = 0; variant < 4; variant++)
            check_elements(t, counts[i], lows[variant % 2], highs[variant / 2]);
}

/* -------------------------------------------------------------------------- product and sigmoid */

static void products_are_exact(kernel_test *t) {
    const size_t lanes = (size_t)t->lanes, count = 5 * lanes;
    kernel_case(t, "5 pixels");
    elements e = { .kernels = t->kernels,
                   .a = kernel_random(t, count, -3, 3),
                   .b = kernel_random(t, count, -3, 3),
                   .out = kernel_floats(t, count),
                   .pixels = 5 };
    float *one = kernel_random(t, lanes, -3, 3), *by_one = kernel_floats(t, count);
    e.a[1] = NAN;
    call_multiply(&e);
    t->kernels->multiply(by_one, e.a, one, 0, 5);
    for (size_t n = 0; n < count; n++) {
        assert_true(kernel_same(e.out[n], e.a[n] * e.b[n]));
        assert_true(kernel_same(by_one[n], e.a[n] * one[n % lanes]));
    }
    kernel_time(t, "multiply", call_multiply, &e, (double)count, KERNEL_FLOATS);
}

/* e^-x has 3 u: of r, which is rounded to u / 2 where its largest part is, of the last step of the
 * sum, and what it leaves out; the denominator and the quotient have one each. Portable rounds each
 * product of the sum too, one u more. */
static void sigmoids_are_exact_to_six_roundings(kernel_test *t) {
    enum { PIXELS = 3000 };
    const size_t count = (size_t)(PIXELS * t->lanes);
    for (int channels = 1; channels <= t->lanes; channels += t->lanes - 1) {
        kernel_case(t, "%d pixels, %s channels", PIXELS, channels == 1 ? "1" : "all");
        const elements e = { .kernels = t->kernels,
                             .a = kernel_floats(t, count),
                             .out = kernel_floats(t, count),
                             .pixels = PIXELS,
                             .channels = channels };
        for (size_t n = 0; n < count; n++)
            e.a[n] = -90 + 180 * (float)n / (float)count;
        const float special[] = { NAN, INFINITY, -INFINITY, 0 };
        for (int n = 0; n < 4; n++)
            e.a[n * t->lanes] = special[n];
        call_sigmoid(&e);
        for (size_t n = 0; n < count; n++) {
            const double x = fmin(fmax((double)e.a[n], -87), 87), want = 1 / (1 + exp(-x));
            if ((int)n % t->lanes >= channels)
                assert_true(e.out[n] == 0);
            else if (isnan(e.a[n]))
                assert_true(isnan(e.out[n]));
            else if (!(fabs((double)e.out[n] - want) <= 6 * kernel_roundoff * want))
                kernel_fail(t, "sigmoid(%.9g) is %.9g, not %.9g", (double)e.a[n], (double)e.out[n],
                            want);
        }
        if (channels > 1)
            kernel_time(t, "sigmoid", call_sigmoid, &e, (double)count, KERNEL_FLOATS);
    }
}

/* -------------------------------------------------------------------------------------- softmax */

typedef struct distribution {
    const dp_kernels *kernels;
    kernel_image in, out;
} distribution;

static void call_softmax(const void *operands) {
    const distribution *d = operands;
    d->kernels->softmax(d->out.data, d->out.block_stride, d->in.data, d->in.block_stride,
                        d->in.dims.channels);
}

static void check_softmax(kernel_test *t, int channels, double spread) {
    kernel_case(t, "%d channels, spread %g", channels, spread);
    const dp_reference_dims dims = { 1, channels, 1, 1 };
    const size_t count = (size_t)channels;
    const distribution d = { t->kernels, kernel_image_spaced(t, dims, t->lanes, 0, 1),
                             kernel_image_spaced(t, dims, t->lanes, 0, 2) };
    const double *in = kernel_widened(t, kernel_random(t, count, -spread - 200, spread - 200),
                                      count); /* e^-200 is no float */
    double *want = kernel_doubles(t, count);
    kernel_image_put(&d.in, in);
    call_softmax(&d);
    dp_reference_softmax(want, in, dims);
    /* The difference to the maximum, at most 2 * spread, is rounded once, which its exponential
     * keeps as that many u; the exponential has two, and so has their sum; its inverse and the last
     * product one each. Below 1e-37 nothing is promised. */
    const double tolerance = (2 * 2 * spread + 6) * kernel_roundoff;
    double *magnitude = kernel_doubles(t, count);
    for (size_t c = 0; c < count; c++)
        magnitude[c] = want[c] + 1e-37 / tolerance;
    kernel_agree(t, kernel_image_get(t, &d.out), want, magnitude, count, tolerance);
    if (channels == 1000)
        kernel_time(t, "softmax", call_softmax, &d, channels, KERNEL_FLOATS);
}

static void softmax_agrees_with_the_reference(kernel_test *t) {
    static const int sizes[] = { 1, 2, 3, 4, 5, 8, 15, 16, 17, 1000 };
    static const double spreads[] = { 0.1, 10, 60 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++)
            check_softmax(t, sizes[i], spreads[s]);
}

/* -------------------------------------------------------------------------------------- layouts */

typedef struct row {
    const dp_kernels *kernels;
    float *planar, *blocked, *back;
    ptrdiff_t plane;
    int channels, width;
} row;

static void call_block(const void *operands) {
    const row *r = operands;
    r->kernels->block_row(r->blocked, r->planar, r->plane, r->channels, r->width);
}

static void call_unblock(const void *operands) {
    const row *r = operands;
    r->kernels->unblock_row(r->back, r->plane, r->blocked, r->channels, r->width);
}

static void check_layouts(kernel_test *t, int channels, int width) {
    kernel_case(t, "%s channels, width %d", channels == t->lanes ? "all" : "some", width);
    const ptrdiff_t plane = width + 3;
    const size_t count = (size_t)((channels - 1) * plane + width);
    const row r = { .kernels = t->kernels,
                    .planar = kernel_random(t, count, -1, 1),
                    .blocked = kernel_floats(t, (size_t)(width * t->lanes)),
                    .back = kernel_floats(t, count),
                    .plane = plane,
                    .channels = channels,
                    .width = width };
    call_block(&r);
    for (int x = 0; x < width; x++)
        for (int l = 0; l < t->lanes; l++)
            assert_true(r.blocked[x * t->lanes + l]
                        == (l < channels ? r.planar[l * plane + x] : 0));
    call_unblock(&r);
    for (size_t i = 0; i < count; i++)
        assert_true((int)i % plane < width ? r.back[i] == r.planar[i] : isnan(r.back[i]));
    if (channels == t->lanes && width == 56) {
        kernel_time(t, "block", call_block, &r, width * t->lanes, KERNEL_FLOATS);
        kernel_time(t, "unblock", call_unblock, &r, width * t->lanes, KERNEL_FLOATS);
    }
}

static void layouts_go_there_and_back(kernel_test *t) {
    static const int widths[] = { 1, 2, 7, 16, 17, 56 };
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int channels = 1; channels <= t->lanes; channels++)
            check_layouts(t, channels, widths[w]);
}

static const kernel_check checks[] = {
    KERNEL_CHECK(lrn_agrees_with_the_reference),
    KERNEL_CHECK(the_power_of_lrn_is_exact_to_2e_7),
    KERNEL_CHECK(clamp_add_and_affine_are_exact),
    KERNEL_CHECK(products_are_exact),
    KERNEL_CHECK(sigmoids_are_exact_to_six_roundings),
    KERNEL_CHECK(softmax_agrees_with_the_reference),
    KERNEL_CHECK(layouts_go_there_and_back),
};

const kernel_family kernel_pointwise = { "pointwise", checks, sizeof checks / sizeof *checks };
