/* test_image_pixels.c - pictures from pixels in memory: of every format and stride, copied and
 * borrowed, they are the same as a PNG of these pixels, to the bit of what a network says. */
#include "helpers/helpers.h"
#include "helpers/pictures.h"
#include "helpers/small.h"

#include <limits.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 71, HEIGHT = 60, PAD = 13, CROPS = 10 };

static const struct {
    int samples, colour;
} formats[] = {
    [DEEPER_PIXELS_RGB] = { 3, PNG_COLOR_TYPE_RGB },
    [DEEPER_PIXELS_BGR] = { 3, PNG_COLOR_TYPE_RGB },
    [DEEPER_PIXELS_GREY] = { 1, PNG_COLOR_TYPE_GRAY },
    [DEEPER_PIXELS_RGBA] = { 4, PNG_COLOR_TYPE_RGB_ALPHA },
};
enum { FORMATS = sizeof formats / sizeof *formats };

/* The pixels of test_make_png, `stride` bytes a row; freed by free(). *top: the top row, which is
 * the last in memory where the stride is negative. */
static uint8_t *make_pixels(deeper_pixel_format format, ptrdiff_t stride, const uint8_t **top) {
    int samples = formats[format].samples;
    size_t step = (size_t)(stride < 0 ? -stride : stride);
    uint8_t *bytes = malloc(step * HEIGHT);
    memset(bytes, 0x5A, step * HEIGHT);
    uint8_t *first = stride < 0 ? bytes + step * (HEIGHT - 1) : bytes;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < samples; c++)
                first[y * stride + x * samples + (format == DEEPER_PIXELS_BGR ? 2 - c : c)] =
                    (uint8_t)test_sample(x, y, c, 255);
    *top = first;
    return bytes;
}

static void assert_same_pixels(const deeper_image *a, const deeper_image *b) {
    assert_int_equal(deeper_image_width(a), deeper_image_width(b));
    assert_int_equal(deeper_image_height(a), deeper_image_height(b));
    for (int y = 0; y < deeper_image_height(a); y++)
        assert_memory_equal(deeper_image_pixels(a) + y * deeper_image_stride(a),
                            deeper_image_pixels(b) + y * deeper_image_stride(b), 3 * WIDTH);
}

/* Everything that a network makes of a picture. */
typedef struct answers {
    float tensors[CROPS * SMALL_FLOATS], probabilities[SMALL_CLASSES];
} answers;

static void ask(deeper_session *session, const deeper_model *model, const deeper_image *image,
                answers *a) {
    deeper_prediction top[SMALL_CLASSES];
    size_t ranked = 0;
    assert_int_equal(deeper_prepare(model, image, CROPS, a->tensors, NULL), DEEPER_OK);
    assert_int_equal(deeper_classify(session, image, CROPS, top, SMALL_CLASSES, &ranked, NULL),
                     DEEPER_OK);
    for (size_t i = 0; i < ranked; i++)
        a->probabilities[top[i].index] = top[i].probability;
}

static void test_same_as_png(void **state) {
    static answers expected, actual;
    deeper_model *model = small_model(3, NULL);
    deeper_session *session = NULL;
    assert_int_equal(deeper_session_create(&session, model, NULL, NULL), DEEPER_OK);
    for (int format = 0; format < FORMATS; format++) {
        test_bytes png = test_make_png(&(test_png){
            .width = WIDTH, .height = HEIGHT, .colour = formats[format].colour, .depth = 8 });
        deeper_image *decoded = NULL;
        assert_int_equal(deeper_image_decode(&decoded, png.bytes, png.size, "x", NULL, NULL),
                         DEEPER_OK);
        ask(session, model, decoded, &expected);
        const ptrdiff_t row = WIDTH * formats[format].samples;
        const ptrdiff_t strides[] = { row, row + PAD, -row, -row - PAD };
        for (int way = 0; way < 10; way++) {
            deeper_image *image = NULL;
            deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
            options.borrow = way % 2;
            ptrdiff_t stride = strides[way / 2 % 4];
            const uint8_t *top;
            uint8_t *bytes = make_pixels((deeper_pixel_format)format, stride, &top);
            assert_int_equal(deeper_image_from_pixels(&image, top, WIDTH, HEIGHT,
                                                      way < 8 ? stride : 0,
                                                      (deeper_pixel_format)format, &options, NULL),
                             DEEPER_OK);
            bool borrowed = options.borrow && format == DEEPER_PIXELS_RGB;
            assert_int_equal(deeper_image_pixels(image) == top, borrowed);
            assert_true(deeper_image_stride(image) == (borrowed ? stride : 3 * WIDTH));
            if (!options.borrow)
                memset(bytes, 0, (size_t)(stride < 0 ? -stride : stride) * HEIGHT);
            assert_same_pixels(image, decoded);
            ask(session, model, image, &actual);
            assert_memory_equal(&actual, &expected, sizeof actual);
            deeper_image_close(image);
            free(bytes);
        }
        deeper_image_close(decoded);
        free(png.bytes);
    }
    deeper_session_free(session);
    deeper_model_close(model);
}

static void test_refused(void **state) {
    static const uint8_t pixels[WIDTH * 4];
    static const struct {
        int width, height;
        ptrdiff_t stride;
        int format;
        deeper_status status;
        const char *words;
    } cases[] = {
        { 0, 1, 0, DEEPER_PIXELS_RGB, DEEPER_ERROR_ARGUMENT, "0x1 pixels" },
        { 1, -1, 0, DEEPER_PIXELS_RGB, DEEPER_ERROR_ARGUMENT, "1x-1 pixels" },
        { 9, 1, 26, DEEPER_PIXELS_RGB, DEEPER_ERROR_ARGUMENT, "stride is 26; a row of 9" },
        { 9, 1, -26, DEEPER_PIXELS_BGR, DEEPER_ERROR_ARGUMENT, "stride is -26" },
        { 9, 1, 8, DEEPER_PIXELS_GREY, DEEPER_ERROR_ARGUMENT, "9 bytes" },
        { 9, 1, 35, DEEPER_PIXELS_RGBA, DEEPER_ERROR_ARGUMENT, "36 bytes" },
        { 1, 3, PTRDIFF_MAX / 2, DEEPER_PIXELS_RGB, DEEPER_ERROR_ARGUMENT, "stride is" },
        { 1, 1, PTRDIFF_MIN, DEEPER_PIXELS_RGB, DEEPER_ERROR_ARGUMENT, "stride is" },
        { 1, 1, 0, DEEPER_PIXELS_RGBA + 1, DEEPER_ERROR_ARGUMENT, "format is 4" },
        { 1, 1, 0, -1, DEEPER_ERROR_ARGUMENT, "format is -1" },
        { INT_MAX, INT_MAX, 0, DEEPER_PIXELS_RGBA, DEEPER_ERROR_LIMIT, "178956970 pixels" },
    };
    deeper_error error = { 0 };
    deeper_image *image = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(deeper_image_from_pixels(
                             &image, pixels, cases[i].width, cases[i].height, cases[i].stride,
                             (deeper_pixel_format)cases[i].format, NULL, &error),
                         cases[i].status);
        assert_null(image);
        if (!strstr(error.message, cases[i].words))
            fail_msg("\"%s\" should say \"%s\"", error.message, cases[i].words);
    }
    deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
    options.max_pixels = 3;
    assert_int_equal(
        deeper_image_from_pixels(&image, pixels, 2, 2, 0, DEEPER_PIXELS_RGB, &options, &error),
        DEEPER_ERROR_LIMIT);
    options.min_side = 1;
    assert_int_equal(
        deeper_image_from_pixels(&image, pixels, 1, 1, 0, DEEPER_PIXELS_RGB, &options, &error),
        DEEPER_ERROR_ARGUMENT);
    assert_int_equal(
        deeper_image_from_pixels(NULL, pixels, 1, 1, 0, DEEPER_PIXELS_RGB, NULL, &error),
        DEEPER_ERROR_ARGUMENT);
    assert_int_equal(
        deeper_image_from_pixels(&image, NULL, 1, 1, 0, DEEPER_PIXELS_RGB, NULL, &error),
        DEEPER_ERROR_ARGUMENT);
    assert_string_equal(error.message, "pixels is NULL");
    options.min_side = 0;
    options.borrow = 1;
    assert_int_equal(deeper_image_decode(&image, "P5", 2, "x", &options, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "borrow"));
    assert_true(deeper_image_stride(NULL) == 0);
}

static void test_memory(void **state) {
    static const uint8_t pixels[WIDTH * 4];
    test_failing_allocator failing;
    for (long n = 1, complete = 0; !complete; n++) {
        deeper_image *image = NULL;
        deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
        test_failing_allocator_init(&failing, n);
        options.allocator = &failing.allocator;
        deeper_status status = deeper_image_from_pixels(&image, pixels, WIDTH, 1, 0,
                                                        DEEPER_PIXELS_RGBA, &options, NULL);
        complete = failing.calls < n;
        assert_int_equal(status, complete ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        deeper_image_close(image);
        assert_int_equal(failing.outstanding, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_png),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("image_pixels", tests, NULL, NULL);
}
