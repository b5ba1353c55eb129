/* test_locale.c - what the library writes for files, command lines and models, in a country that
 * writes 0,5: the same bytes, and the caller's locale is as it was. Pages and tables are in
 * test_report.c. */
#include "base/number.h"
#include "helpers/comma.h"
#include "helpers/helpers.h"

#include <deeper/deeper.h>

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Three texts of a network with fractions in its layers and its preprocessing; freed by
 * free_texts. */
typedef struct texts {
    char *preprocessing, *prototxt, *command;
} texts;

static texts write_texts(const char *folder) {
    char path[TEST_PATH_SIZE];
    size_t size;
    deeper_error error = { 0 };
    deeper_model *model = NULL;
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    options.preprocess = "vgg"; /* means with fractions */
    if (deeper_model_create(&model, "googlenet:stem=small,width=0.0625", 3, 32, &options, &error)
        || deeper_model_initialize(model, 1, &error))
        fail_msg("%s", error.message);
    test_path(path, folder, "m.caffemodel");
    if (deeper_model_save(model, path, &error))
        fail_msg("%s", error.message);
    test_path(path, folder, "m.prototxt");
    texts all = { .preprocessing = strdup(deeper_model_text(model, "preprocessing")),
                  .prototxt = test_read(path, &size) };
    deeper_model_close(model);
    deeper_train_options train = DEEPER_TRAIN_OPTIONS_INIT;
    train.data = "photos";
    train.rate = 0.025;
    train.minutes = 1.5;
    size = deeper_train_command(&train, NULL, 100);
    all.command = malloc(size);
    assert_non_null(all.command);
    assert_int_equal(deeper_train_command(&train, all.command, size), size);
    return all;
}

static void free_texts(texts *all) {
    free(all->preprocessing);
    free(all->prototxt);
    free(all->command);
}

static void test_texts(void **state) {
    test_comma_enter();
    char *folder = test_folder();
    texts comma = write_texts(folder);
    bool kept = strcmp(localeconv()->decimal_point, ",") == 0;
    test_comma_leave();
    texts point = write_texts(folder);
    assert_true(kept);
    assert_non_null(strstr(point.preprocessing, "123.68"));
    assert_non_null(strstr(point.prototxt, "beta: 0.75"));
    assert_non_null(strstr(point.command, "--rate 0.025"));
    assert_string_equal(comma.preprocessing, point.preprocessing);
    assert_string_equal(comma.prototxt, point.prototxt);
    assert_string_equal(comma.command, point.command);
    free_texts(&comma);
    free_texts(&point);
    test_folder_remove(folder);
}

static void test_numbers(void **state) {
    char text[32], caller[32];
    double value = 0;
    test_comma_enter();
    bool parsed = dp_number_parse("2.5e-1", 6, &value),
         refused = !dp_number_parse("0,25", 4, &value);
    dp_number_print(text, sizeof text, 0.1F);
    dp_c_locale outer = dp_c_locale_enter(), inner = dp_c_locale_enter();
    dp_c_locale_leave(inner);
    dp_c_locale_leave(outer);
    snprintf(caller, sizeof caller, "%.1f", 0.5);
    test_comma_leave();
    assert_true(parsed && refused);
    assert_true(value == 0.25);
    assert_string_equal(text, "0.1");
    assert_string_equal(caller, "0,5");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_texts),
                                        cmocka_unit_test(test_numbers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
