/* test_schedule.c - the rate over a run against its formulas at points that can be worked out by
 * hand, and the order of an epoch. */
#include "train/core/length.h"
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
    dp_schedule schedule = { .rate = 0.4, .warmup = warmup, .warmup_share = 1 };
    assert_true(dp_schedule_from_name(&schedule.kind, name));
    return schedule;
}

/* In a run of 40 epochs. */
static double rate_at(const dp_schedule *schedule, double epoch) {
    return dp_schedule_rate(schedule, epoch, epoch / 40);
}

static void test_curves(void **state) {
    dp_schedule s = named("cosine", 0);
    same(rate_at(&s, 0), 0.4);
    same(rate_at(&s, 20), 0.2);
    same(rate_at(&s, 10), 0.2 * (1 + sqrt(0.5)));
    same(rate_at(&s, 40), 0);
    s = named("poly", 0);
    same(rate_at(&s, 0), 0.4);
    same(rate_at(&s, 30), 0.2);
    same(rate_at(&s, 40), 0);
    s = named("step", 0);
    same(rate_at(&s, 7.999), 0.4);
    same(rate_at(&s, 8), 0.4 * 0.96);
    same(rate_at(&s, 39), 0.4 * 0.96 * 0.96 * 0.96 * 0.96);
    s = named("constant", 0);
    same(rate_at(&s, 39.5), 0.4);
}

static void test_warmup(void **state) {
    dp_schedule s = named("constant", 2);
    same(rate_at(&s, 0), 0);
    same(rate_at(&s, 0.5), 0.1);
    same(rate_at(&s, 2), 0.4);
    same(rate_at(&s, 3), 0.4);
}

/* The warm-up of a short run is a share of it: 2 epochs of 40 are less than a tenth, of 4 more. */
static void test_warmup_share(void **state) {
    dp_schedule s = named("constant", 2);
    s.warmup_share = 0.1;
    same(rate_at(&s, 0.5), 0.1);
    same(dp_schedule_rate(&s, 0.1, 0.025), 0.1);
    same(dp_schedule_rate(&s, 0.4, 0.1), 0.4);
    s.warmup = 0;
    same(dp_schedule_rate(&s, 0.1, 0.025), 0.4);
}

/* ----------------------------------------------------------------------------------------- length
 */

static void test_length(void **state) {
    static const char *const bad[] = { "",          "x",         "0",     "5,",
                                       "5:6",       "5,3",       "5,0:6", "5,3:2",
                                       "9,4:9,4:8", "9,4:9,3:8", "-1",    "99999999999999999999",
                                       "9 " };
    dp_length l;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (dp_length_parse(&l, bad[i]))
            fail_msg("'%s' is a length", bad[i]);
    assert_true(dp_length_parse(&l, "100,20:60,40:50"));
    assert_int_equal(dp_length_steps(&l, 0), 100);
    assert_int_equal(dp_length_steps(&l, 19), 100);
    assert_int_equal(dp_length_steps(&l, 20), 60);
    assert_int_equal(dp_length_steps(&l, 41), 50);
    same(dp_length_progress(&l, 0), 0);
    same(dp_length_progress(&l, 10), 0.1);
    same(dp_length_progress(&l, 20), 0.2);
    same(dp_length_progress(&l, 30), 0.2 + 0.8 / 4);
    same(dp_length_progress(&l, 40), 0.6);
    same(dp_length_progress(&l, 45), 0.8);
    same(dp_length_progress(&l, 50), 1);
    same(dp_length_progress(&l, 60), 1);
    assert_true(dp_length_add(&l, 45, 45)); /* the end, now */
    same(dp_length_progress(&l, 45), 0.8);
    same(dp_length_progress(&l, 45.5), 1);
    assert_false(dp_length_add(&l, 44, 50));
    assert_true(dp_length_add(&l, 45, 46)); /* in its place */
    dp_buffer text;
    dp_buffer_init(&text, NULL, 4096);
    dp_length_print(&text, &l);
    assert_string_equal(text.data, "100,20:60,40:50,45:46");
    dp_buffer_free(&text);
    while (l.count < DP_LENGTH_STAGES)
        assert_true(dp_length_add(&l, (uint64_t)l.count + 100, 1000));
    assert_false(dp_length_add(&l, 900, 1000));
}

/* A moment past the end, as rounding may make, is the end. */
static void test_ends(void **state) {
    static const char *const names[] = { "cosine", "poly" };
    for (int i = 0; i < 2; i++) {
        dp_schedule s = named(names[i], 1);
        same(rate_at(&s, 40.001), 0);
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
        cmocka_unit_test(test_warmup_share),  cmocka_unit_test(test_length),
        cmocka_unit_test(test_ends),          cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
