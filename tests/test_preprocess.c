/* test_preprocess.c - from picture to tensor: rules, crops and their order, channels, mean and
 * scale, and the words for them. The resampling itself is held to Pillow in test_image_resize.c;
 * here crops are compared with cutting the whole resized picture. */
#include "helpers/decoding.h"
#include "helpers/helpers.h"
#include "image/crops.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { SIZE = 6, PLANE = SIZE * SIZE };

static const dp_preprocess caffe = { .size = SIZE,
                                     .channels = 3,
                                     .bgr = true,
                                     .mean = { 104, 117, 123 },
                                     .scale = { 1, 1, 1 },
                                     .rule = DP_RESIZE_SQUASH,
                                     .side = 9,
                                     .filter = DP_FILTER_BILINEAR };

static void run(const dp_preprocess *preprocess, const dp_image *image, int crops, float *tensor) {
    deeper_error error = { 0 };
    if (dp_preprocess_run(preprocess, image, crops, tensor, NULL, &error))
        fail_msg("%s", error.message);
}

/* The whole picture resized as the rule says, for each of its three shapes of picture. */
static const struct {
    dp_resize_rule rule;
    int side, width, height; /* of the rule and the picture */
    int resized_width, resized_height;
} shapes[] = {
    { DP_RESIZE_SQUASH, 9, 31, 17, 9, 9 },
    { DP_RESIZE_SQUASH, 6, 4, 40, 6, 6 },
    { DP_RESIZE_SHORT, 9, 31, 17, 16, 9 }, /* 9 x 31 / 17 = 16.4 */
    { DP_RESIZE_SHORT, 9, 17, 31, 9, 16 },
    { DP_RESIZE_SHORT, 8, 3, 5, 8, 13 }, /* enlarged: 13.3 */
    { DP_RESIZE_SHORT, 7, 20, 20, 7, 7 },
    { DP_RESIZE_NONE, 0, 31, 17, 31, 17 },
    { DP_RESIZE_NONE, 0, 6, 7, 6, 7 },
    { DP_RESIZE_NONE, 0, 5, 11, 6, 13 }, /* smaller than the crop: 13.2 */
    { DP_RESIZE_NONE, 0, 1, 1, 6, 6 },
};

static void crops_are_parts_of_the_resized_picture(void **state) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int width = shapes[i].resized_width, height = shapes[i].resized_height;
        dp_preprocess preprocess = caffe;
        preprocess.rule = shapes[i].rule;
        preprocess.side = shapes[i].side;
        dp_image image = test_picture(shapes[i].width, shapes[i].height), whole;
        assert_int_equal(
            dp_image_resize(&whole, &image, NULL, width, height, preprocess.filter, NULL, NULL),
            DEEPER_OK);
        float ten[10 * 3 * PLANE], one[3 * PLANE];
        run(&preprocess, &image, 10, ten);
        run(&preprocess, &image, 1, one);
        assert_memory_equal(one, ten + 4 * 3 * PLANE, sizeof one);
        int right = width - SIZE, bottom = height - SIZE;
        const int corners[5][2] = { /* lrint: halves to the even */
                                    { 0, 0 },
                                    { right, 0 },
                                    { 0, bottom },
                                    { right, bottom },
                                    { (int)lrint(right / 2.0), (int)lrint(bottom / 2.0) }
        };
        for (int crop = 0; crop < 10; crop++)
            for (int c = 0; c < 3; c++)
                for (int y = 0; y < SIZE; y++)
                    for (int x = 0; x < SIZE; x++) {
                        int px = corners[crop % 5][0] + (crop < 5 ? x : SIZE - 1 - x),
                            py = corners[crop % 5][1] + y;
                        float expected =
                            (float)whole.pixels[(py * width + px) * 3 + 2 - c] - caffe.mean[c];
                        if (ten[((crop * 3 + c) * SIZE + y) * SIZE + x] != expected)
                            fail_msg("shape %zu crop %d channel %d at %d %d", i, crop, c, x, y);
                    }
        dp_image_free(&whole);
        dp_image_free(&image);
    }
}

/* A picture of exactly the network's size was prepared for it: one crop takes its pixels, ten crops
 * resize as the rule says. */
static void prepared_picture(void **state) {
    dp_image image = test_picture(SIZE, SIZE), whole;
    assert_int_equal(
        dp_image_resize(&whole, &image, NULL, caffe.side, caffe.side, caffe.filter, NULL, NULL),
        DEEPER_OK);
    float one[3 * PLANE], ten[10 * 3 * PLANE];
    run(&caffe, &image, 1, one);
    run(&caffe, &image, 10, ten);
    for (int i = 0; i < 3 * PLANE; i++) {
        int c = i / PLANE, y = i % PLANE / SIZE, x = i % SIZE;
        assert_true(one[i] == (float)image.pixels[(y * SIZE + x) * 3 + 2 - c] - caffe.mean[c]);
        assert_true(ten[i]
                    == (float)whole.pixels[(y * caffe.side + x) * 3 + 2 - c] - caffe.mean[c]);
    }
    dp_image_free(&whole);
    dp_image_free(&image);
}

static void channels_mean_and_scale(void **state) {
    dp_image image = test_picture(SIZE, SIZE);
    dp_preprocess rgb = { .size = SIZE,
                          .channels = 3,
                          .mean = { 123.675f, 116.28f, 103.53f },
                          .rule = DP_RESIZE_NONE,
                          .scale = { 1 / 58.395f, 1 / 57.12f, 1 / 57.375f },
                          .filter = DP_FILTER_BICUBIC };
    float tensor[3 * PLANE], grey[PLANE];
    run(&rgb, &image, 1, tensor);
    dp_preprocess luminance = {
        .size = SIZE, .channels = 1, .scale = { 1 / 255.0f }, .rule = DP_RESIZE_NONE
    };
    run(&luminance, &image, 1, grey);
    for (int i = 0; i < PLANE; i++) {
        const uint8_t *pixel = image.pixels + i * 3;
        for (int c = 0; c < 3; c++)
            assert_true(tensor[c * PLANE + i] == ((float)pixel[c] - rgb.mean[c]) * rgb.scale[c]);
        double level = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
        assert_true(fabs((double)grey[i] * 255 - level)
                    <= 0.51); /* half a level of rounding, and the coefficients' 16 bits */
    }
    dp_image_free(&image);
}

/* The golden input of the network (a photo, kept outside of the repository): Pillow's squash to
 * 256, centre 224, BGR, mean taken off. */
static void recorded_photo(void **state) {
    char path[TEST_PATH_SIZE];
    if (!test_data(path, "golden/bvlc_googlenet/cat.jpg"))
        skip();
    size_t size = 0, wanted_size = 0;
    char *file = test_read(path, &size);
    assert_true(test_data(path, "golden/bvlc_googlenet/cat_input_1x3x224x224_bgr.f32"));
    float *wanted = (float *)(void *)test_read(path, &wanted_size);
    size_t floats = 3 * 224 * 224;
    assert_int_equal(wanted_size, floats * sizeof(float));
    deeper_error error = { 0 };
    dp_image image;
    if (dp_image_decode(&image, file, size, "cat.jpg", NULL, NULL, &error))
        fail_msg("%s", error.message);
    dp_preprocess preprocess = caffe;
    preprocess.size = 224;
    preprocess.side = 256;
    float *tensor = malloc(floats * sizeof *tensor);
    run(&preprocess, &image, 1, tensor);
    /* Decoders of another version may round their transform differently by a level; resampling then
     * adds one at most. */
    for (size_t i = 0; i < floats; i++)
        assert_true(fabsf(tensor[i] - wanted[i]) <= 2);
    free(tensor);
    free(file);
    free(wanted);
    dp_image_free(&image);
}

static void descriptions(void **state) {
    static const struct {
        dp_preprocess preprocess;
        const char *text;
    } cases[] = {
        { { 224,
            3,
            true,
            { 104, 117, 123 },
            { 1, 1, 1 },
            DP_RESIZE_SQUASH,
            256,
            DP_FILTER_BILINEAR },
          "resize 256x256 (bilinear, aspect ignored), centre crop 224, BGR, minus 104 117 123" },
        { { 224,
            3,
            false,
            { 123.675f, 116.28f, 103.53f },
            { 1 / 58.395f, 1 / 57.12f, 1 / 57.375f },
            DP_RESIZE_SHORT,
            256,
            DP_FILTER_BICUBIC },
          "resize short side to 256 (bicubic), centre crop 224, RGB, minus 123.675 116.28 103.53, "
          "divided by 58.395 57.12 57.375" },
        { { 28, 1, false, { 0, 5, 5 }, { 1 / 255.0f, 1, 1 }, DP_RESIZE_NONE, 0, DP_FILTER_AREA },
          "no resize (area, only up to a short side of 28), centre crop 28, grey, divided by 255" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        dp_preprocess_describe(&cases[i].preprocess, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        for (size_t size = 1; size < 100; size++) { /* cut to fit, always ended */
            memset(text, '#', sizeof text);
            dp_preprocess_describe(&cases[i].preprocess, text, size);
            size_t length = strlen(cases[i].text) < size ? strlen(cases[i].text) : size - 1;
            assert_int_equal(strlen(text), length);
            assert_memory_equal(text, cases[i].text, length);
            assert_int_equal(text[size], '#');
        }
    }
    dp_preprocess_describe(&caffe, NULL, 0);
}

static void rule_names(void **state) {
    static const char *const known[] = { "short", "squash", "none" };
    dp_resize_rule rule = DP_RESIZE_NONE;
    for (int i = 0; i <= DP_RESIZE_NONE; i++) {
        assert_string_equal(dp_resize_rule_name((dp_resize_rule)i), known[i]);
        assert_true(dp_resize_rule_from_name(&rule, known[i]));
        assert_int_equal(rule, i);
    }
    assert_false(dp_resize_rule_from_name(&rule, "long"));
}

static void assert_refused(dp_preprocess preprocess, const char *word) {
    deeper_error error = { 0 };
    assert_int_equal(dp_preprocess_check(&preprocess, &error), DEEPER_ERROR_ARGUMENT);
    if (!strstr(error.message, word))
        fail_msg("\"%s\" does not name \"%s\"", error.message, word);
}

static void bad_arguments(void **state) {
    dp_preprocess p = caffe;
    assert_int_equal(dp_preprocess_check(&p, NULL), DEEPER_OK);
    p.size = 0, assert_refused(p, "size"), p = caffe;
    p.size = 1 << 20, assert_refused(p, "size"), p = caffe;
    p.channels = 4, assert_refused(p, "channels"), p = caffe;
    p.side = SIZE - 1, assert_refused(p, "side"), p = caffe;
    p.mean[1] = NAN, assert_refused(p, "mean"), p = caffe;
    p.scale[2] = 0, assert_refused(p, "scale"), p = caffe;
    p.scale[0] = INFINITY, assert_refused(p, "scale"), p = caffe;
    p.rule = (dp_resize_rule)3, assert_refused(p, "rule"), p = caffe;
    p.filter = (dp_filter)4, assert_refused(p, "filter"), p = caffe;

    float tensor[3 * PLANE];
    dp_image image = test_picture(8, 8), none = { 0 };
    deeper_error error = { 0 };
    assert_int_equal(dp_preprocess_run(&p, &image, 2, tensor, NULL, &error), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_preprocess_run(&p, &none, 1, tensor, NULL, &error), DEEPER_ERROR_ARGUMENT);
    dp_image_free(&image);
}

/* A hostile shape: its resized long side would not fit, and memory must not follow it. */
static void elongated(void **state) {
    dp_preprocess preprocess = caffe;
    preprocess.rule = DP_RESIZE_SHORT;
    float tensor[3 * PLANE];
    deeper_error error = { 0 };
    dp_image image = test_picture(120000, 1);
    assert_int_equal(dp_preprocess_run(&preprocess, &image, 1, tensor, NULL, &error),
                     DEEPER_ERROR_LIMIT);
    image.width = 100000; /* 900,000 x 9 resized, of which one crop is made */
    assert_int_equal(dp_preprocess_run(&preprocess, &image, 1, tensor, NULL, &error), DEEPER_OK);
    image.width = 120000;
    dp_image_free(&image);
}

static void failing_memory(void **state) {
    dp_image image = test_picture(20, 14);
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, n);
        deeper_error error = { 0 };
        float tensor[10 * 3 * PLANE];
        deeper_status status =
            dp_preprocess_run(&caffe, &image, 10, tensor, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
    }
    dp_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crops_are_parts_of_the_resized_picture),
        cmocka_unit_test(prepared_picture),
        cmocka_unit_test(channels_mean_and_scale),
        cmocka_unit_test(recorded_photo),
        cmocka_unit_test(descriptions),
        cmocka_unit_test(rule_names),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(elongated),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
