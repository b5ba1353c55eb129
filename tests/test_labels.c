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
                  { "a\nb \xff\nc\n", DEEPER_ERROR_FORMAT, "label 2 is empty, not UTF-8" },
                  { "a1\nb1\n \nd1\n", DEEPER_ERROR_FORMAT, "label 3 is empty" },
                  { "n1 x\nn2 y\nn1 z\n", DEEPER_ERROR_FORMAT, "two classes have the id n1" },
                  { "a\na\na 1\n", DEEPER_ERROR_FORMAT, "two classes have the id a 1" } };
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

/* First words are ids only where all of them have one form; else a line is a name. */
static void ids_and_names(void **state) {
    static const struct {
        const char *text, *ids[3], *names[3];
    } cases[] = {
        { "n01440764 tench, Tinca tinca\nn02102040 spaniel\nn7 x y\n",
          { "n01440764", "n02102040", "n7" },
          { "tench, Tinca tinca", "spaniel", "x y" } },
        { "0 zero\n1\tone two\n10  ten", { "0", "1", "10" }, { "zero", "one two", "ten" } },
        { "tabby cat\nsports car\nhen\n",
          { "tabby cat", "sports car", "hen" },
          { "tabby cat", "sports car", "hen" } },
        { "n01 a\nhen\nn03 c\n", { "n01 a", "hen", "n03 c" }, { "n01 a", "hen", "n03 c" } },
        { "n01 a\nm02 b\nn03 c\n", { "n01 a", "m02 b", "n03 c" }, { "n01 a", "m02 b", "n03 c" } },
        { "African elephant\ncrane\ncrane\r\n",
          { "African elephant", "crane", "crane 2" },
          { "African elephant", "crane", "crane" } },
        { "\xEF\xBB\xBFn01 a\r\nn02 b\r\nn03 c\r\n", { "n01", "n02", "n03" }, { "a", "b", "c" } },
        { " a b \n\tc\nd\t\n", { "a b", "c", "d" }, { "a b", "c", "d" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_labels labels;
        deeper_error error = { 0 };
        if (dp_labels_from_text(&labels, cases[i].text, strlen(cases[i].text), "x", NULL, &error))
            fail_msg("case %zu: %s", i, error.message);
        assert_int_equal(labels.count, 3);
        for (int j = 0; j < 3; j++) {
            assert_string_equal(labels.items[j].id, cases[i].ids[j]);
            assert_string_equal(labels.items[j].name, cases[i].names[j]);
        }
        dp_labels_free(&labels, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_file),
        cmocka_unit_test(ids_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
