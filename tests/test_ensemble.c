/* test_ensemble.c - the members of an ensemble: from one initialisation, with samples of their own,
 * stopped and gone on with. */
#include "helpers/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 3 };

static deeper_train_options ensemble_options(const char *name) {
    deeper_train_options options = run_options(name);
    options.ensemble = MEMBERS;
    options.epochs = 1;
    return options;
}

static const char *member_of(char path[TEST_PATH_SIZE], const char *out, int number) {
    char name[32];
    snprintf(name, sizeof name, "member%d", number);
    test_path(path, out, name);
    return path;
}

/* The largest difference between the weights that the last step left of two members. */
static double difference(const char *a, const char *b) {
    dp_model *x = run_open_model(a, "last.safetensors"), *y = run_open_model(b, "last.safetensors");
    double max = 0;
    for (int p = 0; p < x->graph->parameters; p++)
        for (size_t i = 0; i < dp_shape_floats(dp_model_parameter(x, p)->shape); i++)
            max = fmax(max, fabs((double)x->values[p][i] - (double)y->values[p][i]));
    dp_model_free(x);
    dp_model_free(y);
    return max;
}

/* Member 1 is the run without an ensemble; the others differ from it and from each other; each can
 * be trained alone. */
static void members_differ(void **state) {
    run_host h;
    char paths[MEMBERS][TEST_PATH_SIZE];
    deeper_train_options options = ensemble_options("together"), alone = run_options("alone"),
                         second = run_options("second");
    deeper_train_result result = run_well(&options, &h);
    assert_int_equal(result.epochs, MEMBERS);
    assert_int_equal(result.steps, MEMBERS * RUN_STEPS);
    assert_int_equal(h.epochs, MEMBERS);
    for (int m = 0; m < MEMBERS; m++)
        member_of(paths[m], options.out, m + 1);
    assert_true(difference(paths[0], paths[1]) > 0);
    assert_true(difference(paths[0], paths[2]) > 0);
    assert_true(difference(paths[1], paths[2]) > 0);
    alone.epochs = second.epochs = 1;
    run_well(&alone, &h);
    assert_true(difference(alone.out, paths[0]) == 0);
    second.member = 2;
    run_well(&second, &h);
    run_same_results(second.out, paths[1]);
}

/* A rate too small for any weight to move (but for biases, which are 0) leaves the first weights,
 * which all members share. */
static void one_initialisation(void **state) {
    run_host h;
    char first[TEST_PATH_SIZE], other[TEST_PATH_SIZE];
    deeper_train_options options = ensemble_options("still");
    options.rate = 1e-30;
    options.architecture =
        "googlenet:stem=small,width=0.0625,norm=none,aux=1"; /* no statistics of the batches */
    run_well(&options, &h);
    member_of(first, options.out, 1);
    for (int m = 2; m <= MEMBERS; m++)
        assert_true(difference(first, member_of(other, options.out, m)) < 1e-20);
}

static deeper_control save_and_stop(run_host *h) {
    return DEEPER_STOP;
}

/* Stopped in the middle of each member in turn and resumed: the same bits. */
static void resumed_members(void **state) {
    run_host h;
    deeper_error error = { 0 };
    deeper_train_result result;
    char a[TEST_PATH_SIZE], b[TEST_PATH_SIZE];
    deeper_train_options whole = ensemble_options("whole"), broken = ensemble_options("broken");
    run_well(&whole, &h);
    for (int stop = 0; stop < MEMBERS; stop++) {
        h = (run_host){ .at = stop == 0 ? 2 : RUN_STEPS, .act = save_and_stop };
        assert_int_equal(run_do(&broken, &h, &result, &error), DEEPER_ERROR_STOPPED);
        assert_true(result.steps > 0 && result.images > 0); /* of the members up to here */
        broken = DEEPER_TRAIN_OPTIONS_INIT;
        broken.out = run_options("broken").out;
        broken.resume = 1;
    }
    h = (run_host){ 0 };
    assert_int_equal(run_do(&broken, &h, &result, &error), DEEPER_OK);
    for (int m = 1; m <= MEMBERS; m++)
        run_same_results(member_of(a, whole.out, m), member_of(b, broken.out, m));
    h = (run_host){ 0 };
    assert_int_equal(run_do(&broken, &h, &result, &error), DEEPER_OK); /* all is done */
    assert_int_equal(h.steps, 0);
}

static void refusals(void **state) {
    run_host h = { 0 };
    deeper_error error = { 0 };
    deeper_train_result result;
    deeper_train_options options = ensemble_options("together"); /* is there */
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "not empty"));
    options = ensemble_options("both");
    options.member = 2;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "one of the two"));
    options.member = 0;
    options.ensemble = 65;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "ensemble is 65"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_differ),
        cmocka_unit_test(one_initialisation),
        cmocka_unit_test(resumed_members),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
