/* test_schedule.c - the rate over a run against its formulas at points that can be worked out by
 * hand, and the order of an epoch. */
#include "train/core/sampler.h"
#include "train/core/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void same(double got, double wanted) {
    if (!(fabs(got - wanted) <= 1e-12 * (1 + fabs(wanted)))) /* a handful of roundings in double */
        fail_msg("%.17g, not %.17g", got, wanted);
}

static dp_schedule named(const char *name, double warmup) {
    dp_schedule schedule = { .rate = 0.4, .epochs = 40, .warmup = warmup };
    assert_true(dp_schedule_from_name(&schedule.kind, name));
    return schedule;
}

static void test_curves(void **state) {
    dp_schedule s = named("cosine", 0);
    same(dp_schedule_rate(&s, 0), 0.4);
    same(dp_schedule_rate(&s, 20), 0.2);
    same(dp_schedule_rate(&s, 10), 0.2 * (1 + sqrt(0.5)));
    same(dp_schedule_rate(&s, 40), 0);
    s = named("poly", 0);
    same(dp_schedule_rate(&s, 0), 0.4);
    same(dp_schedule_rate(&s, 30), 0.2);
    same(dp_schedule_rate(&s, 40), 0);
    s = named("step", 0);
    same(dp_schedule_rate(&s, 7.999), 0.4);
    same(dp_schedule_rate(&s, 8), 0.4 * 0.96);
    same(dp_schedule_rate(&s, 39), 0.4 * 0.96 * 0.96 * 0.96 * 0.96);
    s = named("constant", 0);
    same(dp_schedule_rate(&s, 39.5), 0.4);
}

static void test_warmup(void **state) {
    dp_schedule s = named("constant", 2);
    same(dp_schedule_rate(&s, 0), 0);
    same(dp_schedule_rate(&s, 0.5), 0.1);
    same(dp_schedule_rate(&s, 2), 0.4);
    same(dp_schedule_rate(&s, 3), 0.4);
}

/* A moment past the end, as rounding may make, is the end. */
static void test_ends(void **state) {
    static const char *const names[] = { "cosine", "poly" };
    for (int i = 0; i < 2; i++) {
        dp_schedule s = named(names[i], 1);
        same(dp_schedule_rate(&s, 40.001), 0);
    }
    dp_schedule_kind kind;
    assert_false(dp_schedule_from_name(&kind, "cosin"));
    assert_false(dp_schedule_from_name(&kind, ""));
}

static void test_order(void **state) {
    enum { COUNT = 1000 };
    size_t a[COUNT], b[COUNT], moved = 0, other = 0;
    char seen[COUNT] = { 0 };
    dp_sampler_shuffle(a, COUNT, 5, 2);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(a[i] < COUNT && !seen[a[i]]);
        seen[a[i]] = 1;
        moved += a[i] != i;
    }
    assert_true(moved > COUNT * 9 / 10);
    dp_sampler_shuffle(b, COUNT, 5, 2);
    assert_memory_equal(a, b, sizeof a);
    for (uint64_t change = 0; change < 2; change++) {
        dp_sampler_shuffle(b, COUNT, 5 + change, 3 - change);
        other = 0;
        for (size_t i = 0; i < COUNT; i++)
            other += a[i] != b[i];
        assert_true(other > COUNT * 9 / 10);
    }
    dp_sampler_shuffle(a, 1, 5, 2);
    assert_int_equal(a[0], 0);
    dp_sampler_shuffle(a, 0, 5, 2);
}

/* Each of the six orders of three appears about as often: 6000 draws, 1000 each, deviation 29. */
static void test_order_is_fair(void **state) {
    int counts[3][3] = { { 0 } };
    for (uint64_t epoch = 0; epoch < 6000; epoch++) {
        size_t order[3];
        dp_sampler_shuffle(order, 3, 1, epoch);
        counts[order[0]][order[1]]++;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            if (i != j)
                assert_in_range(counts[i][j], 1000 - 6 * 29, 1000 + 6 * 29);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves),        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_ends),          cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
