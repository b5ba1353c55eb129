/* test_api_layers.c - the layers of a model as a graph. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <deeper/deeper.h>

/* What layers read are earlier layers: none for the picture, the four branches in order for a
 * module. Only the first `capacity` indices are written. */
static void test_layer_inputs(void **state) {
    deeper_model *model = NULL;
    assert_int_equal(deeper_model_create(&model, "googlenet", 1000, 224, NULL, NULL), DEEPER_OK);
    static const char *const branches[] = { "inception_3a/relu_1x1", "inception_3a/relu_3x3",
                                            "inception_3a/relu_5x5",
                                            "inception_3a/relu_pool_proj" };
    size_t inputs[5] = { 99, 99, 99, 99, 99 }, layers = deeper_model_layers(model);
    deeper_layer layer, input;
    assert_int_equal(deeper_model_layer_inputs(model, 0, inputs, 5), 0);
    assert_int_equal(deeper_model_layer_inputs(model, layers, inputs, 5), 0);
    for (size_t i = 1; i < layers; i++) {
        assert_true(deeper_model_layer_inputs(model, i, inputs, 5) >= 1 && inputs[0] < i);
        assert_int_equal(deeper_model_layer(model, i, &layer, sizeof layer, NULL), DEEPER_OK);
        if (strcmp(layer.name, "inception_3a/output") != 0)
            continue;
        inputs[3] = 99;
        assert_int_equal(deeper_model_layer_inputs(model, i, inputs, 3), 4);
        assert_int_equal(inputs[3], 99);
        assert_int_equal(deeper_model_layer_inputs(model, i, inputs, 5), 4);
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(deeper_model_layer(model, inputs[k], &input, sizeof input, NULL),
                             DEEPER_OK);
            assert_string_equal(input.name, branches[k]);
        }
    }
    deeper_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
