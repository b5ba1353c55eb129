/* test_kernels_update.c - the backward kernels that meet every element once, the sums over many
 * values, and the optimiser's pass, on every instruction set that this machine runs, against their
 * formulas; operands against guard pages. L: lanes. */
#include "base/random.h"
#include "helpers/guard.h"
#include "kernels/gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double unit_roundoff = 0x1p-24;
static const double double_roundoff = 0x1p-53;
static const int pixel_counts[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 64 };
enum { PIXEL_COUNTS = sizeof pixel_counts / sizeof *pixel_counts };

static const dp_gradient_kernels *usable(int isa) {
    return dp_isa_supported((dp_isa)isa) ? dp_gradient_kernels_for((dp_isa)isa) : NULL;
}

static void fill(float *values, size_t count, uint64_t stream) {
    dp_random random = dp_random_at(1, stream, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * dp_random_unit(&random) - 1;
}

static test_guard open_filled(size_t count, test_guard_side side, uint64_t stream) {
    test_guard guard = test_guard_open(count, side);
    fill(guard.data, count, stream);
    return guard;
}

static bool same_bits(float a, float b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* -------------------------------------------------------------------------------- every element */

static void check_relu(const dp_gradient_kernels *k, int pixels, test_guard_side side) {
    const size_t count = (size_t)(pixels * k->lanes);
    test_guard gradient = open_filled(count, side, 1), value = open_filled(count, side, 2),
               out = test_guard_open(count, side);
    static const float special[] = { 0.0f, -0.0f, NAN, INFINITY, -INFINITY, 1e-45f, 1e-38f };
    for (size_t i = 0; i < count; i += 3)
        value.data[i] = special[i / 3 % (sizeof special / sizeof *special)];
    k->relu(out.data, gradient.data, value.data, pixels);
    for (size_t i = 0; i < count; i++)
        assert_true(same_bits(out.data[i], value.data[i] > 0 ? gradient.data[i] : 0));
    k->relu(gradient.data, gradient.data, value.data, pixels);
    assert_memory_equal(gradient.data, out.data, count * sizeof(float));
    test_guard_close(&gradient);
    test_guard_close(&value);
    test_guard_close(&out);
}

static void relu_passes_gradients_of_positive_values_only(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (int i = 0; usable(isa) && i < PIXEL_COUNTS; i++)
            for (int side = 0; side < TEST_GUARD_SIDES; side++)
                check_relu(usable(isa), pixel_counts[i], (test_guard_side)side);
}

static void check_blend(const dp_gradient_kernels *k, int pixels, test_guard_side side) {
    const size_t count = (size_t)(pixels * k->lanes), lanes = (size_t)k->lanes;
    test_guard a = open_filled(count, side, 1), b = open_filled(count, side, 2),
               out = test_guard_open(count, side);
    test_guard p = open_filled(lanes, side, 3), q = open_filled(lanes, side, 4),
               r = open_filled(lanes, side, 5);
    k->blend(out.data, a.data, b.data, pixels, p.data, q.data, r.data);
    for (size_t i = 0; i < count; i++) {
        const double first = (double)a.data[i] * (double)p.data[i % lanes];
        const double second = (double)b.data[i] * (double)q.data[i % lanes];
        const double third = (double)r.data[i % lanes];
        /* Two products and two sums: a term is rounded three times at most. */
        const double tolerance = 3 * unit_roundoff * (fabs(first) + fabs(second) + fabs(third));
        assert_true(fabs((double)out.data[i] - (first + second + third)) <= tolerance);
    }
    k->blend(b.data, a.data, b.data, pixels, p.data, q.data, r.data);
    assert_memory_equal(b.data, out.data, count * sizeof(float));
    test_guard *guards[] = { &a, &b, &out, &p, &q, &r };
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
        test_guard_close(guards[i]);
}

static void blends_agree_with_their_formula(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (int i = 0; usable(isa) && i < PIXEL_COUNTS; i++)
            for (int side = 0; side < TEST_GUARD_SIDES; side++)
                check_blend(usable(isa), pixel_counts[i], (test_guard_side)side);
}

/* ----------------------------------------------------------------------------------------- sums */

enum { LANES_MAX = 16 };

static void check_sums(const dp_gradient_kernels *k, int pixels, test_guard_side side) {
    const int lanes = k->lanes;
    test_guard a = open_filled((size_t)(pixels * lanes), side, 1),
               b = open_filled((size_t)(pixels * lanes), side, 2);
    double sums[LANES_MAX], products[LANES_MAX], alone[LANES_MAX];
    for (int l = 0; l < lanes; l++) {
        sums[l] = alone[l] = l; /* what is there is added to */
        products[l] = -l;
    }
    k->sums(sums, products, a.data, b.data, pixels);
    k->sums(alone, NULL, a.data, NULL, pixels);
    assert_memory_equal(sums, alone, (size_t)lanes * sizeof *sums);
    for (int l = 0; l < lanes; l++)
        alone[l] = -l;
    k->sums(NULL, alone, a.data, b.data, pixels);
    assert_memory_equal(products, alone, (size_t)lanes * sizeof *sums);
    for (int l = 0; l < lanes; l++) {
        long double sum = l, product = -l, sum_magnitude = l, product_magnitude = l;
        for (int i = l; i < pixels * lanes; i += lanes) {
            sum += (long double)a.data[i];
            product += (long double)a.data[i] * (long double)b.data[i];
            sum_magnitude += fabsl((long double)a.data[i]);
            product_magnitude += fabsl((long double)a.data[i] * (long double)b.data[i]);
        }
        /* Each term takes part in `pixels` additions at most; products are exact. */
        assert_true(fabsl(sums[l] - sum) <= (pixels + 1) * double_roundoff * sum_magnitude);
        assert_true(fabsl(products[l] - product)
                    <= (pixels + 1) * double_roundoff * product_magnitude);
    }
    test_guard_close(&a);
    test_guard_close(&b);
}

static void sums_and_products_add_up_in_double(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        for (int i = 0; usable(isa) && i < PIXEL_COUNTS; i++)
            for (int side = 0; side < TEST_GUARD_SIDES; side++)
                check_sums(usable(isa), pixel_counts[i], (test_guard_side)side);
        if (usable(isa))
            check_sums(usable(isa), 100000, TEST_GUARD_AFTER);
    }
}

static void check_square_sum(const dp_gradient_kernels *k, size_t count, test_guard_side side) {
    test_guard values = open_filled(count, side, 1);
    long double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (long double)values.data[i] * (long double)values.data[i];
    /* All terms of one sign. */
    assert_true(fabsl(k->square_sum(values.data, count) - sum)
                <= (long double)count * double_roundoff * sum);
    for (size_t i = 0; i < count; i++) {
        const float kept = values.data[i];
        values.data[i] = NAN;
        assert_true(isnan(k->square_sum(values.data, count)));
        values.data[i] = -INFINITY;
        assert_true(k->square_sum(values.data, count) == (double)INFINITY);
        values.data[i] = 1e30f; /* its square is no float */
        assert_true(isfinite(k->square_sum(values.data, count)));
        values.data[i] = kept;
    }
    test_guard_close(&values);
}

static void square_sums_hold_for_any_length_and_show_a_nan(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (size_t count = 0; usable(isa) && count < 140; count++)
            for (int side = 0; side < TEST_GUARD_SIDES; side++)
                check_square_sum(usable(isa), count, (test_guard_side)side);
}

/* -------------------------------------------------------------------------------- the optimiser */

typedef struct state_of {
    test_guard value, velocity, average, gradient;
} state_of;

static state_of open_state(size_t count, test_guard_side side) {
    return (state_of){ open_filled(count, side, 1), open_filled(count, side, 2),
                       open_filled(count, side, 3), open_filled(count, side, 4) };
}

static void close_state(state_of *s) {
    test_guard_close(&s->value);
    test_guard_close(&s->velocity);
    test_guard_close(&s->average);
    test_guard_close(&s->gradient);
}

static const dp_update settings[] = {
    { .scale = 1.0f / 32, .decay = 2e-4f, .momentum = 0.9f, .rate = 0.01f, .blend = 0.1f },
    { .scale = 1, .decay = 0, .momentum = 0, .rate = 1, .blend = 1 },
    { .scale = -3, .decay = 0.5f, .momentum = 0.5f, .rate = 2, .blend = 0.001f },
};

/* Values first..first + count - 1. */
static void run_update(const dp_gradient_kernels *k, const state_of *s, dp_update u, size_t first,
                       size_t count, bool averaged) {
    u.value = s->value.data + first;
    u.velocity = s->velocity.data + first;
    u.average = averaged ? s->average.data + first : NULL;
    u.gradient = s->gradient.data + first;
    u.count = count;
    k->update(&u);
}

/* after: what a step from `before` gave. A term is rounded at most once as it is made and once a
 * sum. */
static void compare_update(const dp_update *u, const state_of *before, const state_of *after,
                           bool averaged) {
    for (size_t i = 0; i < before->value.count; i++) {
        const double old = (double)before->value.data[i];
        const double push = (double)u->gradient[i] * (double)u->scale,
                     pull = (double)u->decay * old;
        const double kept = (double)u->momentum * (double)before->velocity.data[i];
        const double velocity = kept + (double)u->rate * (push + pull);
        const double value = old - velocity;
        const double velocity_error =
            4 * unit_roundoff * (fabs(kept) + fabs((double)u->rate) * (fabs(push) + fabs(pull)));
        const double value_error = velocity_error + unit_roundoff * (fabs(value) + velocity_error);
        assert_true(fabs((double)after->velocity.data[i] - velocity) <= velocity_error);
        assert_true(fabs((double)after->value.data[i] - value) <= value_error);
        const double mean = (double)before->average.data[i], blend = (double)u->blend;
        const double average = averaged ? mean + (value - mean) * blend : mean;
        const double average_error =
            blend * value_error
            + 4 * unit_roundoff * (fabs(mean) + blend * (fabs(value) + fabs(mean)));
        assert_true(fabs((double)after->average.data[i] - average)
                    <= (averaged ? average_error : 0));
    }
}

static void check_update(const dp_gradient_kernels *k, const dp_update *setting, size_t count,
                         bool averaged, test_guard_side side) {
    state_of before = open_state(count, side), after = open_state(count, side),
             split = open_state(count, side);
    run_update(k, &after, *setting, 0, count, averaged);
    dp_update u = *setting;
    u.gradient = before.gradient.data;
    compare_update(&u, &before, &after, averaged);
    const size_t cut = count * 3 / 7; /* wherever the parameters are cut, the bits are the same */
    run_update(k, &split, *setting, 0, cut, averaged);
    run_update(k, &split, *setting, cut, count - cut, averaged);
    assert_memory_equal(split.value.data, after.value.data, count * sizeof(float));
    assert_memory_equal(split.velocity.data, after.velocity.data, count * sizeof(float));
    assert_memory_equal(split.average.data, after.average.data, count * sizeof(float));
    close_state(&before);
    close_state(&after);
    close_state(&split);
}

static void updates_agree_with_their_formula(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (size_t count = 0; usable(isa) && count < 70; count++)
            for (size_t i = 0; i < 4 * sizeof settings / sizeof *settings; i++)
                check_update(usable(isa), &settings[i / 4], count, i & 1,
                             (test_guard_side)(i / 2 % 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_passes_gradients_of_positive_values_only),
        cmocka_unit_test(blends_agree_with_their_formula),
        cmocka_unit_test(sums_and_products_add_up_in_double),
        cmocka_unit_test(square_sums_hold_for_any_length_and_show_a_nan),
        cmocka_unit_test(updates_agree_with_their_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
