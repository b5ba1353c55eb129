/* test_golden.c - BVLC GoogLeNet against tensors that another program (PyTorch, see the recorded
 * data's README) computed from the same weights and the same input, at every stage, on every
 * instruction set that this machine has. Tolerance: the norm of the difference over the norm of the
 * tensor is at most 1e-4, as the project states. Two fp32 programs that sum in different orders
 * differ by some sqrt(K) 2^-24 a layer, K up to 1728 terms: 2.5e-6, over 22 layers at most some
 * 1e-5. A wrong padding, rounding or LRN shows at 1e-2 and more. */
#include "base/cpu.h"
#include "helpers/helpers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double TOLERANCE = 1e-4;

/* File of the recorded data (with its shape), and the layer it is the output of. */
static const struct {
    const char *file, *layer;
} stages[] = {
    { "conv1_relu_pool_norm_1x64x56x56", "pool1/norm1" },
    { "norm2_pool2_1x192x28x28", "pool2/3x3_s2" },
    { "inception_3a_1x256x28x28", "inception_3a/output" },
    { "inception_3b_1x480x28x28", "inception_3b/output" },
    { "inception_4a_1x512x14x14", "inception_4a/output" },
    { "inception_4b_1x512x14x14", "inception_4b/output" },
    { "inception_4c_1x512x14x14", "inception_4c/output" },
    { "inception_4d_1x528x14x14", "inception_4d/output" },
    { "inception_4e_1x832x14x14", "inception_4e/output" },
    { "inception_5a_1x832x7x7", "inception_5a/output" },
    { "inception_5b_1x1024x7x7", "inception_5b/output" },
    { "pool5_1x1024x1x1", "pool5/7x7_s1" },
    { "logits_1x1000", "loss3/classifier" },
    { "prob_1x1000", "prob" },
};
enum { STAGES = sizeof stages / sizeof *stages, PROB = STAGES - 1 };

static float *read_floats(const char *name, size_t count) {
    char path[TEST_PATH_SIZE], file[TEST_PATH_SIZE];
    size_t size = 0;
    snprintf(file, sizeof file, "golden/bvlc_googlenet/%s.f32", name);
    assert_true(test_data(path, file));
    float *floats = (float *)(void *)test_read(path, &size);
    assert_int_equal(size, count * sizeof(float));
    return floats;
}

static double relative_error(const float *actual, const float *expected, size_t count) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)actual[i] - (double)expected[i];
        difference += d * d;
        norm += (double)expected[i] * (double)expected[i];
    }
    return sqrt(difference / norm);
}

static void assert_stage(int stage, const float *actual, size_t count, const char *isa) {
    float *expected = read_floats(stages[stage].file, count);
    double error = relative_error(actual, expected, count);
    if (!(error <= TOLERANCE)) /* also where it is not a number */
        fail_msg("%s on %s: relative error %g", stages[stage].layer, isa, error);
    free(expected);
}

/* Runs the recorded input with these outputs, into fresh memory. */
static void run(const deeper_model *model, const float *input, int count,
                const char *const *outputs, float **actual, dp_isa isa) {
    deeper_session *session = NULL;
    deeper_error error = { 0 };
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.outputs = outputs;
    options.output_count = (size_t)count;
    if (deeper_session_create(&session, model, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_string_equal(deeper_session_isa(session), dp_isa_name(isa));
    for (int i = 0; i < count; i++) {
        actual[i] = malloc(deeper_session_output_size(session, (size_t)i, NULL) * sizeof(float));
        assert_non_null(actual[i]);
    }
    assert_int_equal(deeper_session_run(session, input, 1, actual, &error), DEEPER_OK);
    for (int i = 0; i < count; i++) {
        int stage = count == 1 ? PROB : i;
        assert_stage(stage, actual[i], deeper_session_output_size(session, (size_t)i, NULL),
                     dp_isa_name(isa));
    }
    deeper_session_free(session);
}

static void check_isa(const deeper_model *model, const float *input, dp_isa isa) {
    const char *layers[STAGES];
    float *actual[STAGES], *alone[1];
    setenv("DEEPER_ISA", dp_isa_name(isa), 1);
    for (int i = 0; i < STAGES; i++)
        layers[i] = stages[i].layer;
    run(model, input, STAGES, layers, actual, isa);
    /* The plan of the probabilities alone may fuse across stages that the other one had to
     * write. */
    run(model, input, 1, &layers[PROB], alone, isa);
    int best = 0;
    for (int i = 1; i < 1000; i++)
        best = alone[0][i] > alone[0][best] ? i : best;
    assert_int_equal(best, 282); /* tiger cat */
    assert_true(fabsf(alone[0][282] - 0.377F) < 0.0005F);
    for (int i = 0; i < STAGES; i++)
        free(actual[i]);
    free(alone[0]);
    unsetenv("DEEPER_ISA");
}

static void test_every_stage_on_every_isa(void **state) {
    char path[TEST_PATH_SIZE];
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    if (!test_data(path, "golden/bvlc_googlenet/prob_1x1000.f32")
        || !test_data(path, "models/bvlc_googlenet.caffemodel"))
        skip();
    if (deeper_model_open(&model, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(deeper_model_parameters(model, 0), 6998552);
    assert_int_equal(deeper_model_multiply_adds(model, 0), 1582671872);
    float *input = read_floats("cat_input_1x3x224x224_bgr", 3 * 224 * 224);
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        if (dp_isa_supported((dp_isa)isa))
            check_isa(model, input, (dp_isa)isa);
    free(input);
    deeper_model_close(model);
}

/* The photo that the recorded input was made from, through our own decoder and resize. The pixels
 * may differ by a level or two (an inverse DCT is not specified to the bit), which moves the
 * probability in its third digit. */
static void test_the_photo_itself(void **state) {
    char path[TEST_PATH_SIZE], photo[TEST_PATH_SIZE];
    deeper_model *model = NULL;
    deeper_session *session = NULL;
    deeper_image *image = NULL;
    deeper_prediction top[2];
    size_t ranked = 0;
    if (!test_data(photo, "golden/bvlc_googlenet/cat.jpg")
        || !test_data(path, "models/bvlc_googlenet.caffemodel"))
        skip();
    assert_int_equal(deeper_model_open(&model, path, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_session_create(&session, model, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_image_open(&image, photo, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_classify(session, image, 1, top, 2, &ranked, NULL), DEEPER_OK);
    assert_int_equal(ranked, 2);
    assert_int_equal(top[0].index, 282);
    assert_string_equal(top[0].id, "n02123159");
    assert_string_equal(top[0].name, "tiger cat");
    assert_true(fabsf(top[0].probability - 0.377F) < 0.01F);
    deeper_image_close(image);
    deeper_session_free(session);
    deeper_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_stage_on_every_isa),
        cmocka_unit_test(test_the_photo_itself),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
