/* test_recipes.c - published preprocessing: numbers, sizes in proportion, names and JSON, what is
 * refused; that a model opened with one is saved with it; that a model without stays without. */
#include "helpers/helpers.h"
#include "helpers/small.h"
#include "model/preprocess_json.h"
#include "model/recipes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const dp_shape colour = { .c = 3, .h = 224, .w = 224 }, grey = { .c = 1, .h = 28, .w = 28 };

static dp_preprocess read_well(const char *text, dp_shape input) {
    dp_preprocess rule;
    deeper_error error = { 0 };
    if (dp_recipe_read(&rule, text, input, "net", &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return rule;
}

/* What each makes of black and white, as their sources have it. 1e-6 relative: floats of three
 * operations each. */
static void test_numbers(void **state) {
    static const struct {
        const char *name;
        double black[3], white[3]; /* in the network's channel order */
        bool bgr;
    } wanted[] = {
        { "bvlc", { -104, -117, -123 }, { 151, 138, 132 }, true },
        { "caffe", { -104, -117, -123 }, { 151, 138, 132 }, true },
        { "vgg", { -103.939, -116.779, -123.68 }, { 151.061, 138.221, 131.32 }, true },
        { "torchvision",
          { -0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225 },
          { 0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225 },
          false },
        { "inception", { -1, -1, -1 }, { 1, 1, 1 }, false },
        { "unit", { 0, 0, 0 }, { 1, 1, 1 }, false },
        { "none", { 0, 0, 0 }, { 255, 255, 255 }, false },
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        dp_preprocess rule = read_well(wanted[i].name, colour);
        assert_int_equal(rule.bgr, wanted[i].bgr);
        for (int c = 0; c < 3; c++) {
            double black = -(double)rule.mean[c] * (double)rule.scale[c];
            double white = (255 - (double)rule.mean[c]) * (double)rule.scale[c];
            assert_true(fabs(black - wanted[i].black[c]) <= 1e-6 * (1 + fabs(wanted[i].black[c])));
            assert_true(fabs(white - wanted[i].white[c]) <= 1e-6 * (1 + fabs(wanted[i].white[c])));
        }
    }
}

/* Every row is a sound rule at several sizes, and is recognised as itself or as an earlier row of
 * the same numbers. */
static void test_rows(void **state) {
    static const int sizes[] = { 1, 28, 96, 224, 299 };
    const dp_recipe *recipe;
    for (size_t i = 0; (recipe = dp_recipe_at(i)) != NULL; i++) {
        assert_ptr_equal(dp_recipe_find(recipe->name), recipe);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            dp_preprocess rule;
            deeper_error error = { 0 };
            dp_recipe_apply(&rule, recipe, sizes[k], 3);
            if (dp_preprocess_check(&rule, &error) != DEEPER_OK)
                fail_msg("%s", error.message);
            assert_ptr_equal(dp_recipe_of(&rule),
                             recipe->side == 256 || sizes[k] > 7 ? recipe : dp_recipe_of(&rule));
        }
    }
    dp_preprocess rule = read_well("torchvision", (dp_shape){ .c = 3, .h = 96, .w = 96 });
    assert_int_equal(rule.side, 110); /* 96 * 256 / 224 = 109.7 */
    rule.mean[0] += 1;
    assert_null(dp_recipe_of(&rule));
    rule = read_well("unit", grey);
    assert_int_equal(rule.side, 28);
    assert_string_equal(dp_recipe_of(&rule)->name, "unit");
}

static void refused(const char *text, dp_shape input, const char *says) {
    dp_preprocess rule = { .size = 7 };
    deeper_error error = { 0 };
    assert_int_equal(dp_recipe_read(&rule, text, input, "net", &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "net: preprocess"));
    if (!strstr(error.message, says))
        fail_msg("'%s' does not say '%s'", error.message, says);
    assert_int_equal(rule.size, 7);
}

static void test_refused(void **state) {
    refused("nosuch", colour, "none of bvlc, vgg, torchvision");
    refused("", colour, "none of");
    refused("bvlc", grey, "in colour");
    refused("unit", (dp_shape){ .c = 3, .h = 32, .w = 48 }, "squares");
    refused("unit", (dp_shape){ .c = 4, .h = 32, .w = 32 }, "squares");
    refused("{", colour, "");
    refused("{\"size\":224,\"channels\":3}", colour, "alone");
    refused("{\"size\":224,\"channels\":3,\"order\":\"GBR\"}", colour, "BGR or RGB");
    dp_preprocess rule = read_well("unit", colour);
    rule.size = 112;
    char *json = dp_preprocess_to_json(&rule, true);
    refused(json, colour, "gives 3x112x112; the network takes 3x224x224");
    free(json);
}

static void test_json(void **state) {
    dp_preprocess rule = read_well("torchvision", colour);
    char *json = dp_preprocess_to_json(&rule, true);
    dp_preprocess again = read_well(json, colour);
    assert_ptr_equal(dp_recipe_of(&again), dp_recipe_find("imagenet"));
    free(json);
}

/* Unknown stays unknown through a file; what a caller names goes into the next file and replaces
 * what a file says. */
static void test_model(void **state) {
    char *folder = test_folder(), bare[TEST_PATH_SIZE], named[TEST_PATH_SIZE];
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    deeper_error error = { 0 };
    deeper_model *model = NULL;
    test_path(bare, folder, "bare.safetensors");
    test_path(named, folder, "named.safetensors");
    assert_int_equal(
        deeper_model_create(&model, SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE, NULL, &error),
        DEEPER_OK);
    assert_int_equal(deeper_model_initialize(model, 1, &error), DEEPER_OK);
    assert_int_equal(deeper_model_save(model, bare, &error), DEEPER_OK);
    deeper_model_close(model);

    assert_int_equal(deeper_model_open(&model, bare, NULL, &error), DEEPER_OK);
    assert_null(deeper_model_text(model, "preprocessing"));
    assert_null(deeper_model_text(model, "recipe"));
    assert_null(deeper_model_text(model, "preprocess"));
    deeper_model_close(model);

    options.preprocess = "nosuch";
    assert_int_equal(deeper_model_open(&model, bare, &options, &error), DEEPER_ERROR_ARGUMENT);
    assert_null(model);
    options.preprocess = "imagenet";
    assert_int_equal(deeper_model_open(&model, bare, &options, &error), DEEPER_OK);
    assert_int_equal(deeper_model_save(model, named, &error), DEEPER_OK);
    deeper_model_close(model);

    assert_int_equal(deeper_model_open(&model, named, NULL, &error), DEEPER_OK);
    assert_string_equal(deeper_model_text(model, "recipe"), "torchvision");
    deeper_model_close(model);
    options.preprocess = "caffe";
    assert_int_equal(deeper_model_open(&model, named, &options, &error), DEEPER_OK);
    assert_string_equal(deeper_model_text(model, "recipe"), "bvlc");
    assert_non_null(strstr(deeper_model_text(model, "preprocess"), "\"BGR\""));
    deeper_model_close(model);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_json),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
