/* test_labels.c - the file of labels that a model is given: what it may hold, and that a bad one
 * leaves the labels of before. Labels in model files are test_model_file.c's. */
#include "helpers/helpers.h"
#include "model/labels.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void label_file(void **state) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    char *folder = test_folder(), labels[TEST_PATH_SIZE];
    assert_int_equal(dp_model_create(&model, "lenet5", 3, 28, NULL, NULL), DEEPER_OK);
    test_path(labels, folder, "labels.txt");
    test_write(labels, "d1 daisy\r\nd2 red rose\r\nd3", 25);
    assert_int_equal(dp_model_read_labels(model, labels, &error), DEEPER_OK);
    assert_int_equal(model->labels.count, 3);
    assert_string_equal(model->labels.items[1].id, "d2");
    assert_string_equal(model->labels.items[1].name, "red rose");
    assert_string_equal(model->labels.items[2].name, "d3");

    static const struct {
        const char *text;
        deeper_status status;
        const char *words;
    } cases[] = { { "a b\nc d\n", DEEPER_ERROR_MISMATCH, "2 labels for a model of 3 classes" },
                  { "", DEEPER_ERROR_FORMAT, "without labels" },
                  { "a\n\nb\nc\n", DEEPER_ERROR_FORMAT, "label 2 is empty" },
                  { "a x\n y\nc z\n", DEEPER_ERROR_FORMAT, "label 2 is empty" },
                  { "a\nb \xff\nc\n", DEEPER_ERROR_FORMAT, "label 2 is empty, not UTF-8" },
                  { "a\nb\na\n", DEEPER_ERROR_FORMAT, "two classes have the id a" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_write(labels, cases[i].text, strlen(cases[i].text));
        assert_int_equal(dp_model_read_labels(model, labels, &error), cases[i].status);
        assert_memory_equal(error.message, labels, strlen(labels));
        assert_non_null(strstr(error.message, cases[i].words));
        assert_string_equal(model->labels.items[0].id, "d1"); /* the old table stays */
    }
    dp_model_free(model);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
