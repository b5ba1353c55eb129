/* test_find_rate.c - the learning-rate range test: what made-up losses suggest, and whole searches
 * of a tiny network: that they repeat to the bit, write nothing but their page, stop when told
 * to. */
#include "helpers/markup.h"
#include "helpers/runs.h"
#include "train/run/find_rate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* ------------------------------------------------------------------------------- made-up losses */

static const double GUESS = 2.3;

/* Noise of up to +-0.5, the same in every run. */
static double noise(size_t i) {
    uint32_t x = (uint32_t)i * 2654435761U + 12345;
    x = (x ^ (x >> 15)) * 2246822519U;
    return (double)(x >> 8) / (1 << 24) - 0.5;
}

/* A loss that begins at `first`, falls by one around the rate `falls` and explodes from `explodes`
 * on. */
static deeper_rate_search curve(double first, double falls, double explodes, double noisy) {
    deeper_rate_search s = { .count = DEEPER_RATE_POINTS };
    for (size_t i = 0; i < s.count; i++) {
        double rate = pow(10, -5 + 6.0 * (double)i / (DEEPER_RATE_POINTS - 1));
        double fallen = 1 / (1 + pow(falls / rate, 2)), blown = fmax(0, log10(rate / explodes));
        s.points[i] = (deeper_rate_point){ .rate = rate,
                                           .loss = first - fallen + 3 * blown + noisy * noise(i) };
    }
    return s;
}

static void expect_near(double got, double wanted, double factor) {
    if (!(got >= wanted / factor && got <= wanted * factor))
        fail_msg("%g is not within a factor of %g of %g", got, factor, wanted);
}

static void test_suggestion(void **state) {
    for (int noisy = 0; noisy <= 1; noisy++) {
        deeper_rate_search s = curve(GUESS, 0.003, 1, 0.2 * noisy);
        dp_suggest_rate(&s, GUESS);
        expect_near(s.steepest, 0.003, noisy ? 3 : 1.3);
        expect_near(s.tenth, 0.1 * pow(10, 0.5 / 3),
                    noisy ? 2 : 1.3); /* half of the fall is lost where blown is 1/6 */
        assert_true(fabs(s.rate / s.steepest - 1) < 0.06); /* two digits */
        s = curve(GUESS, 0.1, 0.5, 0.2 * noisy);
        dp_suggest_rate(&s, GUESS);
        assert_true(s.tenth < s.steepest);
        assert_true(fabs(s.rate / s.tenth - 1) < 0.06);
    }
}

/* A fall from above guessing down to it, at a low rate, is not what is looked for. */
static void test_calming_scores(void **state) {
    deeper_rate_search s = curve(GUESS, 0.02, 1, 0.05);
    for (size_t i = 0; i < s.count; i++)
        s.points[i].loss += 2 / (1 + pow(s.points[i].rate / 1e-4, 2));
    dp_suggest_rate(&s, GUESS);
    expect_near(s.steepest, 0.02, 2.5);
    dp_suggest_rate(&s, 0); /* guessing was never reached: then it is */
    expect_near(s.steepest, 1e-4, 2.5);
}

static void test_no_suggestion(void **state) {
    for (int growing = 0; growing <= 1; growing++) {
        deeper_rate_search s = curve(GUESS, 1e9, growing ? 1e-5 : 1e9, 0.2);
        dp_suggest_rate(&s, GUESS);
        assert_true(s.rate == 0 && s.steepest == 0 && s.tenth == 0);
    }
    deeper_rate_search none = { 0 }, one = curve(GUESS, 1, 1, 0);
    one.count = 1;
    dp_suggest_rate(&none, GUESS);
    dp_suggest_rate(&one, GUESS);
    assert_true(none.rate == 0 && one.rate == 0);
}

/* Points that end early end because the loss exploded. */
static void test_early_end(void **state) {
    deeper_rate_search s = curve(GUESS, 0.003, 1e9, 0);
    s.count = 70; /* the 71st would have had 0.17 */
    dp_suggest_rate(&s, GUESS);
    expect_near(s.tenth, 0.0175, 1.05);
}

/* ------------------------------------------------------------------------------------- searches */

typedef struct host {
    int steps, stop_at;
    double rate;
} host;

static void event(void *context, const deeper_train_event *e) {
    host *h = context;
    if (e->kind != DEEPER_TRAIN_STEP)
        return;
    h->steps++;
    assert_int_equal(e->step, h->steps);
    assert_int_equal(e->epoch_steps, DEEPER_RATE_POINTS);
    assert_true(e->rate > h->rate && isfinite(e->loss));
    h->rate = e->rate;
}

static deeper_control control(void *context) {
    const host *h = context;
    return h->stop_at && h->steps == h->stop_at ? DEEPER_STOP : DEEPER_GO_ON;
}

static deeper_status search(const deeper_train_options *options, const char *page, host *h,
                            deeper_rate_search *s, deeper_error *error) {
    const deeper_train_calls calls = { event, control, h };
    return deeper_train_find_rate(options, page, &calls, s, sizeof *s, error);
}

static void test_search(void **state) {
    deeper_rate_search first, s;
    deeper_error error;
    char page[TEST_PATH_SIZE], command[512];
    for (int threads = 1; threads <= 2; threads++) {
        deeper_train_options options = run_options("search");
        host h = { 0 };
        options.threads = threads;
        options.batch = 4;
        test_path(page, run_root, "rates.html");
        if (search(&options, threads == 1 ? page : NULL, &h, &s, &error) != DEEPER_OK)
            fail_msg("%s", error.message);
        assert_true(s.count >= 60);
        assert_int_equal(h.steps, s.count);
        assert_true(s.rate > 1e-4 && s.rate < 1);
        assert_true(!run_has(run_root, "search"));
        if (threads == 1)
            first = s;
        else if (memcmp(&first, &s, sizeof s) != 0)
            fail_msg("two threads find other bits");
    }
    size_t size;
    char *text = test_read(page, &size);
    assert_non_null(text);
    test_check_markup(text);
    assert_non_null(strstr(text, "suggested</text>"));
    deeper_train_options next = run_options("next run");
    next.rate = s.rate;
    next.schedule = "cosine"; /* the default */
    next.average = "polyak";
    size_t needed = deeper_train_command(&next, command, sizeof command);
    assert_int_equal(needed, strlen(command) + 1);
    assert_non_null(strstr(command, "--average polyak"));
    assert_null(strstr(command, "--schedule"));
    assert_non_null(strstr(command, "next run'"));
    assert_int_equal(deeper_train_command(&next, command, 7), needed);
    assert_string_equal(command, "deeper");
    free(text);
}

static void test_stop_and_errors(void **state) {
    deeper_rate_search s;
    deeper_error error;
    deeper_train_options options = run_options("stops");
    host h = { .stop_at = 3 };
    assert_int_equal(search(&options, NULL, &h, &s, &error), DEEPER_ERROR_STOPPED);
    assert_int_equal(h.steps, 3);
    options.architecture = "nosuch";
    assert_int_equal(search(&options, NULL, &h, &s, &error), DEEPER_ERROR_ARGUMENT);

    /* Not one picture can be read, and all of them may be missing. */
    char set[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    run_make_set(set, "unreadable", 2, 0, 2);
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 2; i++) {
            run_picture_path(path, set, run_classes[c], i);
            test_write(path, "no", 2);
        }
    options = run_options("stops");
    options.data = set;
    options.val = set;
    options.max_unreadable = 1;
    h = (host){ 0 };
    assert_int_equal(search(&options, NULL, &h, &s, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, set));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suggestion),    cmocka_unit_test(test_calming_scores),
        cmocka_unit_test(test_no_suggestion), cmocka_unit_test(test_early_end),
        cmocka_unit_test(test_search),        cmocka_unit_test(test_stop_and_errors),
    };
    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
