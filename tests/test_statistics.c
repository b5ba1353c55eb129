/* test_statistics.c - intervals, the paired test and calibration against values that are published
 * or worked out by hand. */
#include "base/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* 10 of 100: (0.1 + 0.0192073) / 1.0384146 = 0.1147973 in the middle, 1.959964 sqrt(0.0009 +
 * 0.0000960365) / 1.0384146 = 0.0595663 beside it. 0 of 10: up to z^2 / (10 + z^2) = 3.8414588 /
 * 13.8414588. 15 of 148: E. B. Wilson's formula as Newcombe (1998, method 3) prints it for 15/148:
 * 0.0624 to 0.1605; 81 of 263: 0.2553 to 0.3662. */
static void wilson(void **state) {
    static const struct {
        uint64_t hits, trials;
        double low, high, within;
    } cases[] = {
        { 10, 100, 0.0552291, 0.1743657, 1e-6 }, { 0, 10, 0, 0.2775328, 1e-6 },
        { 10, 10, 0.7224672, 1, 1e-6 },          { 15, 148, 0.0624, 0.1605, 5e-5 },
        { 81, 263, 0.2553, 0.3662, 5e-5 },       { 0, 0, 0, 1, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double low = -1, high = -1;
        dp_wilson(cases[i].hits, cases[i].trials, &low, &high);
        if (!(fabs(low - cases[i].low) <= cases[i].within
              && fabs(high - cases[i].high) <= cases[i].within))
            fail_msg("%llu of %llu: %.7f to %.7f", (unsigned long long)cases[i].hits,
                     (unsigned long long)cases[i].trials, low, high);
    }
}

/* 2 (C(n,0) + ... + C(n,min)) / 2^n: of 1 to 9 2 x 11 / 1024; of 5 to 20 2 x 68406 / 2^25; of 0 to
 * 6 2 / 64. */
static void mcnemar(void **state) {
    static const struct {
        uint64_t first, second;
        double p;
    } cases[] = {
        { 0, 0, 1 },
        { 7, 7, 1 },
        { 1, 9, 22.0 / 1024 },
        { 9, 1, 22.0 / 1024 },
        { 5, 20, 2 * 68406.0 / 33554432 },
        { 0, 6, 1.0 / 32 },
        { 0, 1, 1 },
        { 3, 4, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(fabs(dp_mcnemar(cases[i].first, cases[i].second) - cases[i].p) < 1e-12);
    /* Far beyond where 2^-n is a number: the normal distribution's tail, z = (2600 - 2400 - 1) /
     * sqrt(5000) = 2.81428, 0.004889; the continuity correction's error is below a hundredth of
     * it. */
    assert_true(fabs(dp_mcnemar(2400, 2600) - 0.004889) < 5e-5);
    assert_true(dp_mcnemar(0, 100000) < 1e-300);
}

/* Bin 9: 0.95 right, 0.91 wrong, 1 right; bin 0: 0.05 wrong. |2 - 2.86| + |0 - 0.05| of four. */
static void calibration(void **state) {
    dp_calibration c = { 0 };
    assert_true(dp_calibration_error(&c) == 0);
    dp_calibration_add(&c, 0.95, 1);
    dp_calibration_add(&c, 0.91, 0);
    dp_calibration_add(&c, 1, 1);
    dp_calibration_add(&c, 0.05, 0);
    assert_int_equal(c.images[9], 3);
    assert_int_equal(c.right[9], 2);
    assert_int_equal(c.images[0], 1);
    assert_true(fabs(dp_calibration_error(&c) - (0.86 + 0.05) / 4) < 1e-12);
    dp_calibration_add(&c, NAN, 0); /* what is no probability falls into the lowest bin */
    assert_int_equal(c.images[0], 2);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(wilson), cmocka_unit_test(mcnemar),
                                        cmocka_unit_test(calibration) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
