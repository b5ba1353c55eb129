/* test_top.c - the order of classes: the k largest values, and the rank of one. All expected values
 * are worked out by hand. */
#include "base/top.h"

#include <deeper/deeper.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_top_k_orders_ties_by_class(void **state) {
    const float p[] = { 0.1f, 0.3f, 0.1f, 0.3f, 0.2f };
    size_t best[8] = { 99, 99, 99, 99, 99, 99, 99, 99 };
    const size_t expected[] = { 1, 3, 4, 0, 2 };
    for (size_t k = 0; k <= 5; k++) {
        assert_int_equal(dp_top_k(p, 5, k, best), k);
        assert_memory_equal(best, expected, k * sizeof *best);
        assert_int_equal(best[k], 99); /* nothing is written past k */
    }
    assert_int_equal(dp_top_k(p, 5, 8, best), 5);
    assert_int_equal(best[5], 99);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(dp_rank(p, 5, expected[i]), i);
}

static void test_what_is_no_number_comes_last(void **state) {
    const float p[] = { NAN, 0.2f, -INFINITY, NAN, 0.8f };
    size_t best[5];
    const size_t expected[] = { 4, 1, 2, 0, 3 };
    for (size_t k = 0; k <= 5; k++) {
        size_t ranked = k < 3 ? k : 3;
        assert_int_equal(dp_top_k(p, 5, k, best), ranked);
        assert_memory_equal(best, expected, ranked * sizeof *best);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(dp_rank(p, 5, expected[i]) == (i < 3 ? i : SIZE_MAX));
    assert_int_equal(dp_top_k((const float[]){ NAN, NAN }, 2, 2, best), 0);
    assert_true(dp_rank((const float[]){ NAN, NAN }, 2, 0) == SIZE_MAX);
}

/* Against qsort-free counting on many small random rows with many ties. */
static void test_top_k_agrees_with_rank(void **state) {
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        float p[12];
        size_t best[12], classes = 1 + (size_t)round % 12;
        for (size_t i = 0; i < classes; i++)
            p[i] = (float)((seed = seed * 1664525u + 1013904223u) >> 30);
        assert_int_equal(dp_top_k(p, classes, classes, best), classes);
        for (size_t i = 0; i < classes; i++)
            assert_int_equal(dp_rank(p, classes, best[i]), i);
    }
}

static void test_public_call(void **state) {
    const float p[] = { NAN, 0.25f, 4, 0.25f };
    size_t best[4] = { 9, 9, 9, 9 };
    float values[4] = { 9, 9, 9, 9 };
    assert_int_equal(deeper_top(p, 4, 2, best, values), 2);
    assert_int_equal(best[0], 2);
    assert_int_equal(best[1], 1);
    assert_true(values[0] == 4 && values[1] == 0.25f && values[2] == 9);
    assert_int_equal(deeper_top(p, 4, 4, best, NULL), 3);
    assert_int_equal(best[2], 3);
    assert_int_equal(best[3], 9);
    assert_int_equal(deeper_top(p, 1, 4, best, values), 0);
    assert_int_equal(deeper_top(NULL, 4, 4, best, values), 0);
    assert_int_equal(deeper_top(p, 4, 4, NULL, values), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_k_orders_ties_by_class),
        cmocka_unit_test(test_what_is_no_number_comes_last),
        cmocka_unit_test(test_top_k_agrees_with_rank),
        cmocka_unit_test(test_public_call),
    };
    return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
