/* gradient.c - the backward kernels of pools and LRN against the reference. The outer product has
 * outer.c, what meets every element once update.c. */
#include "kernels/families.h"
#include "reference/reference_gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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
    dp_reference_window window;
    dp_reference_dims in, out; /* the channels of one block */
    bool average, count_padding;
    bool sum, relu; /* max: added to another gradient; with the gradient of a ReLU */
    int gap;        /* pixels between the rows of every tensor */
} pool_case;

typedef struct pool_subject {
    void (*kernel)(const dp_pooling_gradient *pooling);
    dp_pooling_gradient pooling;
} pool_subject;

static void call_pool(const void *operands) {
    const pool_subject *s = operands;
    s->kernel(&s->pooling);
}

/* The gradient, and the sum of the magnitudes of its terms. base: the other gradient, zeros where
 * there is none. */
static void compare_pool(kernel_test *t, const pool_case *c, const double *got, const double *in,
                         const double *gradient, const double *base) {
    const size_t count = dp_reference_count(c->in);
    double *want = kernel_doubles(t, count), *magnitude = kernel_doubles(t, count);
    const double *absolute = kernel_absolute(t, gradient, dp_reference_count(c->out));
    for (int pass = 0; pass < 2; pass++) {
        double *result = pass ? magnitude : want;
        const double *of = pass ? absolute : gradient;
        if (c->average)
            dp_reference_average_pool_gradient(result, of, c->out, c->in, c->window,
                                               c->count_padding);
        else
            dp_reference_max_pool_gradient(result, of, c->out, in, c->in, c->window);
    }
    for (size_t i = 0; i < count; i++) {
        const bool stopped = c->relu && in[i] <= 0;
        want[i] = stopped ? 0 : want[i] + base[i];
        magnitude[i] = stopped ? 0 : magnitude[i] + fabs(base[i]);
    }
    /* A pixel adds up a part from each window that it is in, height * width at most; a part of an
     * average is a rounded quotient. */
    kernel_agree(t, got, want, magnitude, count,
                 (c->window.height * c->window.width + 1) * kernel_roundoff);
}

static pool_subject pool_subject_of(const kernel_test *t, const pool_case *c,
                                    const kernel_image *in, const kernel_image *forward,
                                    const kernel_image *gradient, const kernel_image *base,
                                    const kernel_image *out) {
    return (pool_subject){ c->average ? t->gradient->average_pool : t->gradient->max_pool,
                           { .forward = { .in = in->data,
                                          .in_row_stride = in->row_stride,
                                          .in_height = c->in.height,
                                          .in_width = c->in.width,
                                          .out = forward->data,
                                          .out_row_stride = forward->row_stride,
                                          .out_width = c->out.width,
                                          .row_end = c->out.height,
                                          .height = c->window.height,
                                          .width = c->window.width,
                                          .stride_y = c->window.stride_y,
                                          .stride_x = c->window.stride_x,
                                          .pad_top = c->window.pad_top,
                                          .pad_left = c->window.pad_left,
                                          .pad_bottom = c->window.pad_bottom,
                                          .pad_right = c->window.pad_right,
                                          .count_padding = c->count_padding },
                             .gradient = gradient->data,
                             .gradient_row_stride = gradient->row_stride,
                             .out = out->data,
                             .out_row_stride = out->row_stride,
                             .base = c->sum ? base->data : NULL,
                             .base_row_stride = base->row_stride,
                             .relu = c->relu } };
}

static void check_pool(kernel_test *t, const pool_case *c) {
    const dp_reference_window w = c->window;
    kernel_case(t, "%s pool%s%s %dx%d stride %dx%d, %dx%d", c->average ? "average" : "max",
                c->sum ? " + base" : "", c->relu ? " + ReLU" : "", w.height, w.width, w.stride_y,
                w.stride_x, c->in.height, c->in.width);
    const size_t in_count = dp_reference_count(c->in), out_count = dp_reference_count(c->out);
    double *in_values = kernel_widened(t, kernel_random(t, in_count, 0, 6), in_count);
    for (size_t i = 0; i < in_count; i++)
        /* few values, mostly negative: many equal maxima, and none is a zero from outside */
        in_values[i] = floor(in_values[i]) - 4.5;
    const double *gradients = kernel_widened(t, kernel_random(t, out_count, -1, 1), out_count),
                 *bases = c->sum ? kernel_widened(t, kernel_random(t, in_count, -1, 1), in_count)
                                 : kernel_doubles(t, in_count);
    double *maxima = kernel_doubles(t, out_count);
    dp_reference_max_pool(maxima, c->out, in_values, c->in, w);
    const kernel_image in = kernel_image_spaced(t, c->in, t->lanes, c->gap, 0),
                       forward = kernel_image_spaced(t, c->out, t->lanes, c->gap, 0),
                       gradient = kernel_image_spaced(t, c->out, t->lanes, c->gap, 0),
                       base = kernel_image_spaced(t, c->in, t->lanes, c->gap, 0),
                       out = kernel_image_spaced(t, c->in, t->lanes, c->gap, 0);
    kernel_image_put(&in, in_values);
    kernel_image_put(&forward, maxima);
    kernel_image_put(&gradient, gradients);
    kernel_image_put(&base, bases);
    const pool_subject s = pool_subject_of(t, c, &in, &forward, &gradient, &base, &out);
    call_pool(&s);
    compare_pool(t, c, kernel_image_get(t, &out), in_values, gradients, bases);
    if (c->in.height >= 7 && c->gap == 0 && !c->sum)
        kernel_time(t, "backward", call_pool, &s, (double)in_count, KERNEL_FLOATS);
}

/* flags: average, count_padding, sum and relu of a pool_case. */
static void check_pools(kernel_test *t, pool_case flags) {
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        for (int gap = 0; gap <= 2; gap += 2) {
            const dp_reference_window w = pools[i].window;
            pool_case c = flags;
            c.window = w;
            c.in = (dp_reference_dims){ 1, t->lanes, pools[i].height, pools[i].width };
            c.out = (dp_reference_dims){
                1, t->lanes,
                kernel_output_size(pools[i].height, w.height, w.stride_y, w.pad_top + w.pad_bottom)
                    + pools[i].more,
                kernel_output_size(pools[i].width, w.width, w.stride_x, w.pad_left + w.pad_right)
                    + pools[i].more
            };
            c.gap = gap;
            check_pool(t, &c);
        }
}

static void max_pools_give_to_the_first_maximum(kernel_test *t) {
    check_pools(t, (pool_case){ .average = false });
}

static void max_pools_add_to_another_gradient(kernel_test *t) {
    check_pools(t, (pool_case){ .sum = true });
}

static void max_pools_stop_at_a_relu(kernel_test *t) {
    check_pools(t, (pool_case){ .relu = true });
    check_pools(t, (pool_case){ .relu = true, .sum = true });
}

static void average_pools_spread_over_the_pixels_inside(kernel_test *t) {
    check_pools(t, (pool_case){ .average = true });
}

static void average_pools_spread_over_the_padded_window(kernel_test *t) {
    check_pools(t, (pool_case){ .average = true, .count_padding = true });
}

/* ------------------------------------------------------------------------------------------ LRN */

typedef struct lrn_case {
    int channels, pixels, size, gap; /* gap: pixels between channel blocks */
    float alpha, beta, k;
    bool in_place; /* the result over the gradient */
    bool relu;     /* with the gradient of a ReLU */
} lrn_case;

typedef struct lrn_subject {
    const dp_gradient_kernels *kernels;
    dp_normalise_gradient normalise;
} lrn_subject;

static void call_lrn(const void *operands) {
    const lrn_subject *s = operands;
    s->kernels->lrn(&s->normalise);
}

/* Pixels first..first + pixels - 1, into `out`. */
static void call_pixels(lrn_subject s, float *out, int first, int pixels) {
    const ptrdiff_t offset = (ptrdiff_t)first * s.kernels->lanes;
    s.normalise.forward.in += offset;
    s.normalise.forward.out = out + offset;
    s.normalise.forward.pixels = pixels;
    s.normalise.gradient += offset;
    call_lrn(&s);
}

/* The gradient, and the sum of the magnitudes of its terms: with |g| and |x| the gradient is A - B,
 * with A = |g| * s^-beta = |g| * lrn(x) / x, so A + B = 2 A - (A - B). */
static void compare_lrn(kernel_test *t, const lrn_case *c, const double *got, const double *x,
                        const double *g) {
    const dp_reference_dims dims = { 1, c->channels, 1, c->pixels };
    const size_t count = dp_reference_count(dims);
    const double alpha = (double)c->alpha, beta = (double)c->beta, k = (double)c->k;
    double *want = kernel_doubles(t, count), *magnitude = kernel_doubles(t, count),
           *forward = kernel_doubles(t, count);
    dp_reference_lrn_gradient(want, g, x, dims, c->size, alpha, beta, k);
    const double *abs_x = kernel_absolute(t, x, count), *abs_g = kernel_absolute(t, g, count);
    dp_reference_lrn(forward, abs_x, dims, c->size, alpha, beta, k);
    dp_reference_lrn_gradient(magnitude, abs_g, abs_x, dims, c->size, alpha, beta, k);
    for (size_t i = 0; i < count; i++) {
        const bool stopped = c->relu && x[i] <= 0;
        want[i] = stopped ? 0 : want[i];
        magnitude[i] = stopped ? 0 : 2 * abs_g[i] * forward[i] / abs_x[i] - magnitude[i];
    }
    /* s: the squares, their sum, the factor and the fma, all of one sign: size + 3 roundings.
     * s^-beta: beta times that and 2.5 (roots and quotient; powf: 2); a term of the second sum:
     * that, once more s, and 4 products and quotients; the sum: size; the factor: 3, its product
     * and the last fma: 2. */
    kernel_agree(t, got, want, magnitude, count,
                 ((1 + beta) * (c->size + 3) + c->size + 12) * kernel_roundoff);
}

/* Values of either sign and never 0: see compare_lrn. */
static double *random_nonzero(kernel_test *t, size_t count) {
    double *values = kernel_widened(t, kernel_random(t, count, -3, 3), count);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(float)(values[i] + (values[i] < 0 ? -0.01 : 0.01));
    return values;
}

static void check_lrn(kernel_test *t, const lrn_case *c) {
    kernel_case(t, "%d channels, %d pixels, size %d, beta %g%s", c->channels, c->pixels, c->size,
                (double)c->beta, c->relu ? " + ReLU" : "");
    const dp_reference_dims dims = { 1, c->channels, 1, c->pixels };
    const size_t count = dp_reference_count(dims);
    const double *in = random_nonzero(t, count),
                 *gradients = kernel_widened(t, kernel_random(t, count, -1, 1), count);
    const kernel_image x = kernel_image_spaced(t, dims, t->lanes, 0, c->gap),
                       g = kernel_image_spaced(t, dims, t->lanes, 0, c->gap),
                       y = kernel_image_spaced(t, dims, t->lanes, 0, c->gap),
                       split = kernel_image_spaced(t, dims, t->lanes, 0, c->gap);
    kernel_image_put(&x, in);
    kernel_image_put(&g, gradients);
    lrn_subject s = { t->gradient,
                      { .forward = { .in = x.data,
                                     .out = c->in_place ? g.data : y.data,
                                     .in_block_stride = x.block_stride,
                                     .out_block_stride = y.block_stride,
                                     .blocks = x.blocks,
                                     .pixels = c->pixels,
                                     .size = c->size,
                                     .alpha = c->alpha,
                                     .beta = c->beta,
                                     .k = c->k,
                                     .scratch =
                                         kernel_floats(t, t->gradient->lrn_scratch(x.blocks)) },
                        .gradient = g.data,
                        .gradient_block_stride = g.block_stride,
                        .relu = c->relu } };
    const int cut = c->pixels / 3;
    call_pixels(s, split.data, 0, cut);
    call_pixels(s, split.data, cut, c->pixels - cut);
    call_lrn(&s);
    const double *got = kernel_image_get(t, c->in_place ? &g : &y);
    assert_memory_equal(got, kernel_image_get(t, &split), count * sizeof *got);
    compare_lrn(t, c, got, in, gradients);
    if (c->pixels == 17 && !c->in_place)
        kernel_time(t, "backward lrn", call_lrn, &s, (double)count, KERNEL_FLOATS);
}

static void lrn_agrees_with_the_reference(kernel_test *t) {
    static const struct {
        int channels, pixels, size;
    } shapes[] = {
        { 1, 1, 5 },  { 3, 2, 3 },   { 16, 7, 5 },  { 17, 8, 5 },
        { 40, 9, 1 }, { 64, 17, 5 }, { 33, 25, 9 },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int variant = 0; variant < 4; variant++)
            check_lrn(t, &(lrn_case){ .channels = shapes[i].channels,
                                      .pixels = shapes[i].pixels,
                                      .size = shapes[i].size,
                                      .gap = variant,
                                      .alpha = variant & 1 ? 0.9f : 1e-4f,
                                      .beta = variant & 2 ? 0.6f : 0.75f,
                                      .k = variant & 1 ? 2 : 1,
                                      .in_place = variant & 2,
                                      .relu = variant == 1 || variant == 2 });
}

static const kernel_check checks[] = {
    KERNEL_CHECK(max_pools_give_to_the_first_maximum),
    KERNEL_CHECK(max_pools_add_to_another_gradient),
    KERNEL_CHECK(max_pools_stop_at_a_relu),
    KERNEL_CHECK(average_pools_spread_over_the_pixels_inside),
    KERNEL_CHECK(average_pools_spread_over_the_padded_window),
    KERNEL_CHECK(lrn_agrees_with_the_reference),
};

const kernel_family kernel_gradient = { "gradient", checks, sizeof checks / sizeof *checks };
