/* test_metrics.c - running sums, and class folders against labels. All expected values are
 * worked out by hand. */
#include "eval/match.h"
#include "eval/metrics.h"
#include "helpers/helpers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void test_sums(void **state) {
    const float p[] = { 0.05f, 0.5f, 0.1f, 0.15f, 0.2f, 0.0f };
    dp_metrics m = { 0 };
    dp_metrics_add(&m, p, 6, 1); /* first */
    dp_metrics_add(&m, p, 6, 0); /* fifth */
    dp_metrics_add(&m, p, 6, 5); /* sixth, probability 0 */
    assert_int_equal(m.images, 3);
    assert_int_equal(m.top1, 1);
    assert_int_equal(m.top5, 2);
    /* -ln of the smallest normal float, 2^-126, is 126 ln 2. */
    double expected = -log(0.5) - log((double)0.05f) + 126 * log(2);
    assert_true(fabs(m.loss - expected) < 1e-12 * expected);
    assert_true(fabs(126 * log(2) - 87.3) < 0.05); /* as the header says */
    dp_metrics_add(&m, (const float[]){ NAN, NAN }, 2, 0);
    assert_true(isnan(m.loss));
    assert_int_equal(m.top1, 1);
    assert_int_equal(m.top5, 2);
}

/* ------------------------------------------------------------------------------------- matching */

static dp_label table[] = {
    { "n01", "tench, Tinca tinca" }, { "n02", "crane" }, { "n03", "crane" },
    { "n04", "tiger cat" },          { "n05", "n02" },
};

static dp_model model_of(size_t labels) {
    return (dp_model){ .classes = 5, .labels = { .items = table, .count = labels } };
}

/* A data set of these folders, each with a picture unless its name begins with '-'; matched with
 * the table. */
static deeper_status match(const char *const *names, size_t *outputs, size_t labels,
                           deeper_error *error) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], file[TEST_PATH_SIZE];
    for (; *names; names++) {
        test_path(path, folder, *names);
        assert_int_equal(mkdir(path, 0700), 0);
        test_path(file, path, "a.jpg");
        if (**names != '-')
            test_write(file, "x", 1);
    }
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, error), DEEPER_OK);
    dp_model model = model_of(labels);
    deeper_status status = dp_match_classes(outputs, dataset, &model, error);
    dp_dataset_free(dataset);
    test_folder_remove(folder);
    return status;
}

static void test_folders_match_by_id_or_name(void **state) {
    deeper_error error = { 0 };
    size_t outputs[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };
    /* In byte order: "-empty" (no pictures, not matched), "TINCA_tinca", "n02" (an id goes before
     * the name of n05), "tiger cat". */
    const char *const names[] = { "tiger cat", "n02", "-empty", "TINCA_tinca", NULL };
    const size_t expected[] = { 0, 0, 1, 3 };
    assert_int_equal(match(names, outputs, 5, &error), DEEPER_OK);
    assert_memory_equal(outputs, expected, sizeof expected);
}

static void test_folders_that_do_not_match_are_named(void **state) {
    deeper_error error = { 0 };
    size_t outputs[8];
    const char *const names[] = { "crane", "n01", "unicorn", "inca tinca", NULL };
    assert_int_equal(match(names, outputs, 5, &error), DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "3 of 4 classes"));
    assert_non_null(strstr(error.message, "\"crane\" (fits several: use the id)"));
    assert_non_null(strstr(error.message, "\"unicorn\""));
    assert_non_null(strstr(error.message, "\"inca tinca\""));
    assert_null(strstr(error.message, "n01"));
    const char *const many[] = { "a", "b", "c", "d", "e", "f", NULL };
    assert_int_equal(match(many, outputs, 5, &error), DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "\"e\", ..."));
    assert_int_equal(match(names, outputs, 0, &error), DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "no labels"));
}

static void test_numbers_of_a_list_are_classes(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    dp_dataset *dataset = NULL;
    size_t outputs[8];
    dp_model model = model_of(0);
    test_path(path, folder, "list.txt");
    test_write(path, "a.jpg 4\nb.jpg 0\n", 16);
    assert_int_equal(dp_dataset_open(&dataset, path, NULL, NULL, &error), DEEPER_OK);
    assert_int_equal(dp_match_classes(outputs, dataset, &model, &error), DEEPER_OK);
    assert_int_equal(outputs[4], 4);
    assert_int_equal(outputs[0], 0);
    model.classes = 4;
    assert_int_equal(dp_match_classes(outputs, dataset, &model, &error), DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "\"4\""));
    dp_dataset_free(dataset);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_folders_match_by_id_or_name),
        cmocka_unit_test(test_folders_that_do_not_match_are_named),
        cmocka_unit_test(test_numbers_of_a_list_are_classes),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
