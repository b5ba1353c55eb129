/* test_reference_gradient.c - the reference's derivatives against central finite differences of the
 * reference itself, in double: every element of every input of every operator, for L = sum of
 * gradient * out with a random gradient. What no difference can show, which of equal maxima gets
 * the gradient, is tested by itself. */
#include "base/random.h"
#include "reference/reference_gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* (L(x + h) - L(x - h)) / 2h is off by h^2 / 6 times the third derivative, and by the rounding of L
 * divided by h. Third derivatives are below 100 with values of about 1 (none at all in convolutions
 * and averages), sums have a few hundred terms of about 1: h = 1e-4 leaves 1.7e-7 and 300 * 1.1e-16
 * / 1e-4 = 3.3e-10. */
static const double step = 1e-4;
static const double tolerance_smooth = 2e-7;
static const double tolerance_linear = 1e-9;

/* One operator on small arrays, and which of the arrays a test varies. */
typedef struct problem {
    void (*forward)(const struct problem *p, double *out);
    dp_reference_dims in_dims, out_dims;
    dp_reference_window window;
    int groups;
    bool count_padding;
    double smoothing;
    const int *labels;
    size_t in_count, weight_count, bias_count, out_count;
    double *in, *weights, *bias, *out,
        *gradient; /* batch norm: weights are the scale, bias is the shift */
    double *in_gradient, *weight_gradient, *bias_gradient;
    double tolerance;
} problem;

static double *allocate(size_t count) {
    double *values = calloc(count + 1, sizeof *values);
    assert_non_null(values);
    return values;
}

/* Distinct values at least 1/count apart from each other and from zero by half of that, in random
 * order: no maximum and no ReLU changes within a step. */
static void fill(double *values, size_t count, uint64_t stream) {
    dp_random random = dp_random_at(1, stream, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * ((double)i + 0.5) / (double)count - 1;
    for (size_t i = count; i > 1; i--) {
        const size_t j = dp_random_below(&random, (uint32_t)i);
        const double swap = values[i - 1];
        values[i - 1] = values[j];
        values[j] = swap;
    }
}

static void open_problem(problem *p, size_t weight_count, size_t bias_count) {
    p->in_count = dp_reference_count(p->in_dims);
    p->out_count = dp_reference_count(p->out_dims);
    p->weight_count = weight_count;
    p->bias_count = bias_count;
    double **arrays[] = {
        &p->in,          &p->weights,         &p->bias,         &p->out, &p->gradient,
        &p->in_gradient, &p->weight_gradient, &p->bias_gradient
    };
    const size_t counts[] = { p->in_count,  weight_count, bias_count,   p->out_count,
                              p->out_count, p->in_count,  weight_count, bias_count };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i] = allocate(counts[i]);
        fill(*arrays[i], counts[i], i);
    }
}

static void close_problem(problem *p) {
    double *arrays[] = { p->in,          p->weights,         p->bias,         p->out, p->gradient,
                         p->in_gradient, p->weight_gradient, p->bias_gradient };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static double loss(const problem *p) {
    p->forward(p, p->out);
    double sum = 0;
    for (size_t i = 0; i < p->out_count; i++)
        sum += p->gradient[i] * p->out[i];
    return sum;
}

static void check_array(const problem *p, const char *name, double *values,
                        const double *derivative, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const double kept = values[i];
        values[i] = kept + step;
        const double above = loss(p);
        values[i] = kept - step;
        const double below = loss(p);
        values[i] = kept;
        const double want = (above - below) / (2 * step);
        if (!(fabs(derivative[i] - want) <= p->tolerance))
            fail_msg("%s %zu: %.12g, by differences %.12g", name, i, derivative[i], want);
    }
}

static void check(problem *p) {
    check_array(p, "input", p->in, p->in_gradient, p->in_count);
    check_array(p, "weight", p->weights, p->weight_gradient, p->weight_count);
    check_array(p, "bias", p->bias, p->bias_gradient, p->bias_count);
    close_problem(p);
}

/* Rounded down, except for pools that are to be cut at the far edge: `more` outputs beyond that. */
static int output_size(int size, int window, int stride, int pad, int more) {
    return (size + pad - window) / stride + 1 + more;
}

static dp_reference_dims output_dims(dp_reference_dims in, int channels, dp_reference_window w,
                                     int more) {
    return (dp_reference_dims){
        in.images, channels,
        output_size(in.height, w.height, w.stride_y, w.pad_top + w.pad_bottom, more),
        output_size(in.width, w.width, w.stride_x, w.pad_left + w.pad_right, more)
    };
}

/* -------------------------------------------------------------------------- convolutions, pools */

static void conv(const problem *p, double *out) {
    dp_reference_conv(out, p->out_dims, p->in, p->in_dims, p->weights, p->bias, p->window,
                      p->groups);
}

static void check_conv(dp_reference_dims in, int outputs, dp_reference_window window, int groups) {
    problem p = { .forward = conv,
                  .in_dims = in,
                  .out_dims = output_dims(in, outputs, window, 0),
                  .window = window,
                  .groups = groups,
                  .tolerance = tolerance_linear };
    open_problem(&p, (size_t)(outputs * in.channels / groups * window.height * window.width),
                 (size_t)outputs);
    dp_reference_conv_gradient(p.in_gradient, p.weight_gradient, p.bias_gradient, p.gradient,
                               p.out_dims, p.in, p.in_dims, p.weights, window, groups);
    check(&p);
}

static void convolutions(void **state) {
    check_conv((dp_reference_dims){ 2, 3, 5, 6 }, 2,
               (dp_reference_window){ 3, 3, 1, 1, 1, 1, 1, 1 }, 1);
    check_conv((dp_reference_dims){ 2, 4, 7, 5 }, 2,
               (dp_reference_window){ 3, 2, 2, 3, 1, 0, 0, 1 }, 2);
    check_conv((dp_reference_dims){ 1, 2, 9, 8 }, 3,
               (dp_reference_window){ 7, 7, 2, 2, 3, 3, 3, 3 }, 1);
    check_conv((dp_reference_dims){ 3, 2, 1, 4 }, 4,
               (dp_reference_window){ 1, 1, 1, 1, 0, 0, 0, 0 }, 1);
}

static void fully_connected_layers_are_convolutions(void **state) {
    check_conv((dp_reference_dims){ 3, 2, 2, 3 }, 5,
               (dp_reference_window){ 2, 3, 1, 1, 0, 0, 0, 0 }, 1);
}

static void max_pool(const problem *p, double *out) {
    dp_reference_max_pool(out, p->out_dims, p->in, p->in_dims, p->window);
}

static void average_pool(const problem *p, double *out) {
    dp_reference_average_pool(out, p->out_dims, p->in, p->in_dims, p->window, p->count_padding);
}

static const struct {
    dp_reference_dims in;
    dp_reference_window window;
    int more;
} pools[] = {
    { { 2, 2, 5, 4 }, { 3, 3, 1, 1, 1, 1, 1, 1 }, 0 },
    { { 1, 2, 6, 6 }, { 3, 3, 2, 2, 0, 0, 0, 0 }, 1 },
    { { 1, 1, 7, 5 }, { 2, 3, 3, 2, 1, 1, 0, 1 }, 0 },
    { { 2, 3, 4, 3 }, { 4, 3, 1, 1, 0, 0, 0, 0 }, 0 },
    { { 1, 2, 5, 5 }, { 3, 3, 2, 2, 1, 1, 1, 1 }, 0 },
};

static void max_pools(void **state) {
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        problem p = { .forward = max_pool,
                      .in_dims = pools[i].in,
                      .window = pools[i].window,
                      .tolerance = tolerance_linear };
        p.out_dims = output_dims(p.in_dims, p.in_dims.channels, p.window, pools[i].more);
        open_problem(&p, 0, 0);
        dp_reference_max_pool_gradient(p.in_gradient, p.gradient, p.out_dims, p.in, p.in_dims,
                                       p.window);
        check(&p);
    }
}

static void average_pools(void **state) {
    for (size_t i = 0; i < 2 * sizeof pools / sizeof *pools; i++) {
        problem p = { .forward = average_pool,
                      .in_dims = pools[i / 2].in,
                      .window = pools[i / 2].window,
                      .count_padding = i % 2,
                      .tolerance = tolerance_linear };
        p.out_dims = output_dims(p.in_dims, p.in_dims.channels, p.window, pools[i / 2].more);
        open_problem(&p, 0, 0);
        dp_reference_average_pool_gradient(p.in_gradient, p.gradient, p.out_dims, p.in_dims,
                                           p.window, p.count_padding);
        check(&p);
    }
}

static void of_equal_maxima_the_first_gets_the_gradient(void **state) {
    const double in[] = { 1, 3, 3, 3, 2, 3 }; /* 2 x 3 */
    const double gradient[] = { 10, 20 };
    double out[6];
    dp_reference_max_pool_gradient(out, gradient, (dp_reference_dims){ 1, 1, 1, 2 }, in,
                                   (dp_reference_dims){ 1, 1, 2, 3 },
                                   (dp_reference_window){ 2, 2, 1, 1, 0, 0, 0, 0 });
    for (int i = 0; i < 6; i++)
        assert_true(out[i] == (i == 1 ? 30 : 0));
}

/* ------------------------------------------------------------------------ norms, ReLU, the loss */

static void lrn(const problem *p, double *out) {
    dp_reference_lrn(out, p->in, p->in_dims, p->window.height, 0.8, 0.75, 1.5);
}

static void lrns(void **state) {
    for (int size = 1; size <= 5; size += 2) {
        problem p = { .forward = lrn,
                      .in_dims = { 2, 7, 2, 3 },
                      .window = { .height = size },
                      .tolerance = tolerance_smooth };
        p.out_dims = p.in_dims;
        open_problem(&p, 0, 0);
        dp_reference_lrn_gradient(p.in_gradient, p.gradient, p.in, p.in_dims, size, 0.8, 0.75, 1.5);
        check(&p);
    }
}

static void relu(const problem *p, double *out) {
    dp_reference_relu(out, p->in, p->in_count);
}

static void relus(void **state) {
    problem p = { .forward = relu,
                  .in_dims = { 2, 3, 4, 5 },
                  .out_dims = { 2, 3, 4, 5 },
                  .tolerance = tolerance_linear };
    open_problem(&p, 0, 0);
    dp_reference_relu_gradient(p.in_gradient, p.gradient, p.in, p.in_count);
    check(&p);
}

static void batch_norm(const problem *p, double *out) {
    double mean[3], variance[3];
    dp_reference_batch_norm_training(out, mean, variance, p->in, p->in_dims, p->weights, p->bias,
                                     1e-2);
}

static void batch_norms(void **state) {
    problem p = { .forward = batch_norm,
                  .in_dims = { 3, 3, 4, 2 },
                  .out_dims = { 3, 3, 4, 2 },
                  .tolerance = tolerance_smooth };
    open_problem(&p, 3, 3);
    dp_reference_batch_norm_gradient(p.in_gradient, p.weight_gradient, p.bias_gradient, p.gradient,
                                     p.in, p.in_dims, p.weights, 1e-2);
    check(&p);
}

static void a_training_batch_norm_has_the_moments_of_its_batch(void **state) {
    const double in[] = { 1, 2, 5, 7, 3, 4, 5, 7 }; /* 2 images of 2 channels of 2 pixels */
    const double scale[] = { 2, 3 }, shift[] = { 10, 20 };
    double out[8], mean[2], variance[2];
    dp_reference_batch_norm_training(out, mean, variance, in, (dp_reference_dims){ 2, 2, 1, 2 },
                                     scale, shift, 0);
    assert_true(mean[0] == 2.5 && variance[0] == 1.25 && mean[1] == 6 && variance[1] == 1);
    assert_true(fabs(out[0] - (10 - 2 * 1.5 / sqrt(1.25))) < 1e-14 && out[2] == 17 && out[7] == 23);
}

static void softmax_loss(const problem *p, double *out) {
    dp_reference_softmax_loss(out, p->in, p->labels, p->weights, p->in_dims.images,
                              p->in_dims.channels, p->smoothing);
}

static void softmax_losses(void **state) {
    static const int labels[] = { 2, 0, 4 };
    for (int smooth = 0; smooth < 2; smooth++) {
        problem p = { .forward = softmax_loss,
                      .in_dims = { 3, 5, 1, 1 },
                      .out_dims = { 3, 1, 1, 1 },
                      .labels = labels,
                      .smoothing = smooth ? 0.1 : 0,
                      .tolerance = tolerance_smooth };
        open_problem(&p, 3, 0);
        dp_reference_softmax_loss_gradient(p.in_gradient, p.gradient, p.in, labels, p.weights, 3, 5,
                                           p.smoothing);
        p.weight_count = 0; /* the share of an image is no variable */
        check(&p);
    }
}

static void a_loss_is_what_it_says(void **state) {
    const double logits[] = { 0, 0, 0, 0, 800, 0, 0, 0 }, shares[] = { 1, 0.5 };
    double losses[2];
    dp_reference_softmax_loss(losses, logits, (const int[]){ 3, 1 }, shares, 2, 4, 0);
    assert_true(fabs(losses[0] - log(4)) < 1e-15);
    assert_true(losses[1] == 400);
    dp_reference_softmax_loss(losses, logits, (const int[]){ 3, 0 }, shares, 2, 4, 0.2);
    assert_true(fabs(losses[0] - log(4)) < 1e-15);
    assert_true(fabs(losses[1] - 0.5 * 0.15 * 800) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(fully_connected_layers_are_convolutions),
        cmocka_unit_test(max_pools),
        cmocka_unit_test(average_pools),
        cmocka_unit_test(of_equal_maxima_the_first_gets_the_gradient),
        cmocka_unit_test(lrns),
        cmocka_unit_test(relus),
        cmocka_unit_test(batch_norms),
        cmocka_unit_test(a_training_batch_norm_has_the_moments_of_its_batch),
        cmocka_unit_test(softmax_losses),
        cmocka_unit_test(a_loss_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
