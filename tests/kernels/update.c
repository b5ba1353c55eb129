/* update.c - the backward kernels that meet every element once, the sums over many values, and the
 * optimiser's pass, against their formulas. L: lanes. */
#include "kernels/families.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int pixel_counts[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 64 };
enum { PIXEL_COUNTS = sizeof pixel_counts / sizeof *pixel_counts, PIXELS_TIMED = 64 };

/* Operands of a kernel that meets every element once; what a kernel does not take is not looked
 * at. */
typedef struct elements {
    const dp_gradient_kernels *kernels;
    float *a, *b, *out;
    int pixels;
    const float *p, *q, *r;
    double *sums, *products;
} elements;

/* -------------------------------------------------------------------------------- every element */

static void call_relu(const void *operands) {
    const elements *e = operands;
    e->kernels->relu(e->out, e->a, e->b, e->pixels);
}

static void call_blend(const void *operands) {
    const elements *e = operands;
    e->kernels->blend(e->out, e->a, e->b, e->pixels, e->p, e->q, e->r);
}

static elements open_elements(kernel_test *t, int pixels) {
    kernel_case(t, "%d pixels", pixels);
    const size_t count = (size_t)(pixels * t->lanes);
    return (elements){ .kernels = t->gradient,
                       .a = kernel_random(t, count, -1, 1),
                       .b = kernel_random(t, count, -1, 1),
                       .out = kernel_floats(t, count),
                       .pixels = pixels };
}

static void check_relu(kernel_test *t, int pixels) {
    const elements e = open_elements(t, pixels);
    const size_t count = (size_t)(pixels * t->lanes);
    static const float special[] = { 0.0f, -0.0f, NAN, INFINITY, -INFINITY, 1e-45f, 1e-38f };
    for (size_t i = 0; i < count; i += 3)
        e.b[i] = special[i / 3 % (sizeof special / sizeof *special)];
    call_relu(&e);
    for (size_t i = 0; i < count; i++) {
        const float want = e.b[i] > 0 ? e.a[i] : 0;
        assert_memory_equal(&e.out[i], &want, sizeof want);
    }
    if (pixels == PIXELS_TIMED)
        kernel_time(t, "backward relu", call_relu, &e, (double)count, KERNEL_FLOATS);
    t->gradient->relu(e.a, e.a, e.b, pixels);
    assert_memory_equal(e.a, e.out, count * sizeof(float));
}

static void relu_passes_gradients_of_positive_values_only(kernel_test *t) {
    for (int i = 0; i < PIXEL_COUNTS; i++)
        check_relu(t, pixel_counts[i]);
}

static void check_blend(kernel_test *t, int pixels) {
    elements e = open_elements(t, pixels);
    const size_t count = (size_t)(pixels * t->lanes), lanes = (size_t)t->lanes;
    e.p = kernel_random(t, lanes, -1, 1);
    e.q = kernel_random(t, lanes, -1, 1);
    e.r = kernel_random(t, lanes, -1, 1);
    call_blend(&e);
    double *want = kernel_doubles(t, count), *magnitude = kernel_doubles(t, count);
    for (size_t i = 0; i < count; i++) {
        const double first = (double)e.a[i] * (double)e.p[i % lanes];
        const double second = (double)e.b[i] * (double)e.q[i % lanes];
        const double third = (double)e.r[i % lanes];
        want[i] = first + second + third;
        magnitude[i] = fabs(first) + fabs(second) + fabs(third);
    }
    /* Two products and two sums: a term is rounded three times at most. */
    kernel_agree(t, kernel_widened(t, e.out, count), want, magnitude, count, 3 * kernel_roundoff);
    if (pixels == PIXELS_TIMED)
        kernel_time(t, "blend", call_blend, &e, (double)count, KERNEL_FLOATS);
    t->gradient->blend(e.b, e.a, e.b, pixels, e.p, e.q, e.r);
    assert_memory_equal(e.b, e.out, count * sizeof(float));
}

static void blends_agree_with_their_formula(kernel_test *t) {
    for (int i = 0; i < PIXEL_COUNTS; i++)
        check_blend(t, pixel_counts[i]);
}

/* ----------------------------------------------------------------------------------------- sums */

static void call_sums(const void *operands) {
    const elements *e = operands;
    e->kernels->sums(e->sums, e->products, e->a, e->b, e->pixels);
}

static void check_sums(kernel_test *t, int pixels) {
    elements e = open_elements(t, pixels);
    const int lanes = t->lanes;
    double sums[KERNEL_LANES_MAX], products[KERNEL_LANES_MAX], alone[KERNEL_LANES_MAX];
    for (int l = 0; l < lanes; l++) {
        sums[l] = alone[l] = l; /* what is there is added to */
        products[l] = -l;
    }
    e.sums = sums;
    e.products = products;
    call_sums(&e);
    t->gradient->sums(alone, NULL, e.a, NULL, pixels);
    assert_memory_equal(sums, alone, (size_t)lanes * sizeof *sums);
    for (int l = 0; l < lanes; l++)
        alone[l] = -l;
    t->gradient->sums(NULL, alone, e.a, e.b, pixels);
    assert_memory_equal(products, alone, (size_t)lanes * sizeof *sums);
    for (int l = 0; l < lanes; l++) {
        long double sum = l, product = -l, sum_magnitude = l, product_magnitude = l;
        for (int i = l; i < pixels * lanes; i += lanes) {
            const long double a = (long double)e.a[i], b = (long double)e.b[i];
            sum += a;
            product += a * b;
            sum_magnitude += fabsl(a);
            product_magnitude += fabsl(a * b);
        }
        /* Each term takes part in `pixels` additions at most; products are exact. */
        const double tolerance = (pixels + 1) * kernel_double_roundoff;
        assert_true(fabsl(sums[l] - sum) <= tolerance * sum_magnitude);
        assert_true(fabsl(products[l] - product) <= tolerance * product_magnitude);
    }
    if (pixels == PIXELS_TIMED)
        kernel_time(t, "sums", call_sums, &e, pixels * lanes, KERNEL_FLOATS);
}

static void sums_and_products_add_up_in_double(kernel_test *t) {
    for (int i = 0; i < PIXEL_COUNTS; i++)
        check_sums(t, pixel_counts[i]);
    if (t->side == KERNEL_GUARD_AFTER)
        check_sums(t, 100000);
}

typedef struct squares {
    const dp_gradient_kernels *kernels;
    float *values;
    size_t count;
    double *sum;
} squares;

static void call_square_sum(const void *operands) {
    const squares *s = operands;
    *s->sum = s->kernels->square_sum(s->values, s->count);
}

static void check_square_sum(kernel_test *t, size_t count) {
    kernel_case(t, "%zu values", count);
    double got = 0;
    const squares s = { t->gradient, kernel_random(t, count, -1, 1), count, &got };
    long double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (long double)s.values[i] * (long double)s.values[i];
    call_square_sum(&s);
    /* All terms of one sign. */
    assert_true(fabsl(got - sum) <= (long double)count * kernel_double_roundoff * sum);
    for (size_t i = 0; i < count; i++) {
        const float kept = s.values[i];
        s.values[i] = NAN;
        call_square_sum(&s);
        assert_true(isnan(got));
        s.values[i] = -INFINITY;
        call_square_sum(&s);
        assert_true(got == (double)INFINITY);
        s.values[i] = 1e30f; /* its square is no float */
        call_square_sum(&s);
        assert_true(isfinite(got));
        s.values[i] = kept;
    }
    if (count == 128)
        kernel_time(t, "square sum", call_square_sum, &s, (double)count, KERNEL_FLOATS);
}

static void square_sums_hold_for_any_length_and_show_a_nan(kernel_test *t) {
    for (size_t count = 0; count < 140; count++)
        check_square_sum(t, count);
}

/* -------------------------------------------------------------------------------- the optimiser */

static const dp_update settings[] = {
    { .scale = 1.0f / 32, .decay = 2e-4f, .momentum = 0.9f, .rate = 0.01f, .blend = 0.1f },
    { .scale = 1, .decay = 0, .momentum = 0, .rate = 1, .blend = 1 },
    { .scale = -3, .decay = 0.5f, .momentum = 0.5f, .rate = 2, .blend = 0.001f },
};

typedef struct step {
    const dp_gradient_kernels *kernels;
    dp_update update;
} step;

static void call_update(const void *operands) {
    const step *s = operands;
    s->kernels->update(&s->update);
}

/* A step whose parameters are a copy of those of `from`. */
static step copy_step(kernel_test *t, const step *from) {
    step copy = *from;
    const size_t count = from->update.count;
    copy.update.value = kernel_copy(t, from->update.value, count);
    copy.update.velocity = kernel_copy(t, from->update.velocity, count);
    copy.update.average = kernel_copy(t, from->update.average, count);
    return copy;
}

/* Values first..first + count - 1, with or without their average. */
static void call_part(step s, size_t first, size_t count, bool averaged) {
    s.update.value += first;
    s.update.velocity += first;
    s.update.average = averaged ? s.update.average + first : NULL;
    s.update.gradient += first;
    s.update.count = count;
    call_update(&s);
}

/* after: what a step from `before` gave. A term is rounded at most once as it is made and once a
 * sum. */
static void compare_update(const dp_update *before, const dp_update *after, bool averaged) {
    for (size_t i = 0; i < before->count; i++) {
        const double old = (double)before->value[i];
        const double push = (double)before->gradient[i] * (double)before->scale,
                     pull = (double)before->decay * old;
        const double kept = (double)before->momentum * (double)before->velocity[i];
        const double velocity = kept + (double)before->rate * (push + pull);
        const double value = old - velocity;
        const double velocity_error =
            4 * kernel_roundoff
            * (fabs(kept) + fabs((double)before->rate) * (fabs(push) + fabs(pull)));
        const double value_error =
            velocity_error + kernel_roundoff * (fabs(value) + velocity_error);
        assert_true(fabs((double)after->velocity[i] - velocity) <= velocity_error);
        assert_true(fabs((double)after->value[i] - value) <= value_error);
        const double mean = (double)before->average[i], blend = (double)before->blend;
        const double average = averaged ? mean + (value - mean) * blend : mean;
        const double average_error =
            blend * value_error
            + 4 * kernel_roundoff * (fabs(mean) + blend * (fabs(value) + fabs(mean)));
        assert_true(fabs((double)after->average[i] - average) <= (averaged ? average_error : 0));
    }
}

static void check_update(kernel_test *t, const dp_update *setting, size_t count, bool averaged) {
    kernel_case(t, "%zu values, momentum %g%s", count, (double)setting->momentum,
                averaged ? ", averaged" : "");
    step before = { t->gradient, *setting };
    before.update.count = count;
    before.update.value = kernel_random(t, count, -1, 1);
    before.update.velocity = kernel_random(t, count, -1, 1);
    before.update.average = kernel_random(t, count, -1, 1);
    before.update.gradient = kernel_random(t, count, -1, 1);
    const step after = copy_step(t, &before), split = copy_step(t, &before);
    call_part(after, 0, count, averaged);
    compare_update(&before.update, &after.update, averaged);
    const size_t cut = count * 3 / 7; /* wherever the parameters are cut, the bits are the same */
    call_part(split, 0, cut, averaged);
    call_part(split, cut, count - cut, averaged);
    assert_memory_equal(split.update.value, after.update.value, count * sizeof(float));
    assert_memory_equal(split.update.velocity, after.update.velocity, count * sizeof(float));
    assert_memory_equal(split.update.average, after.update.average, count * sizeof(float));
    if (count == 64 && averaged)
        kernel_time(t, "update", call_update, &after, (double)count, KERNEL_FLOATS);
}

static void updates_agree_with_their_formula(kernel_test *t) {
    for (size_t count = 0; count < 70; count++)
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
            for (int averaged = 0; averaged < 2; averaged++)
                check_update(t, &settings[i], count, averaged);
}

static const kernel_check checks[] = {
    KERNEL_CHECK(relu_passes_gradients_of_positive_values_only),
    KERNEL_CHECK(blends_agree_with_their_formula),
    KERNEL_CHECK(sums_and_products_add_up_in_double),
    KERNEL_CHECK(square_sums_hold_for_any_length_and_show_a_nan),
    KERNEL_CHECK(updates_agree_with_their_formula),
};

const kernel_family kernel_update = { "update", checks, sizeof checks / sizeof *checks };
