/* test_image_resize.c - resampling against numbers recorded from Pillow (vectors/resize_pillow.py),
 * regions against whole results, and what must hold of any filter. */
#include "helpers/helpers.h"
#include "image/resize.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { FILTERS = DP_FILTER_BICUBIC + 1 };

/* The formula of vectors/resize_pillow.py. */
static uint8_t noise(int x, int y, int c) {
    uint32_t value =
        (uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u ^ (uint32_t)(c + 1) * 83492791u;
    value = (value ^ value >> 13) * 1274126177u;
    value = value >> 16 & 0xFF;
    return (uint8_t)(x % 3 ? value : 255 * (value & 1));
}

static dp_image picture(int width, int height) {
    dp_image image = { .width = width,
                       .height = height,
                       .pixels = dp_alloc(NULL, (size_t)width * (size_t)height, 3) };
    assert_non_null(image.pixels);
    uint8_t *at = image.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *at++ = noise(x, y, c);
    return image;
}

static dp_image resized(const dp_image *in, const double *box, int width, int height,
                        dp_filter filter) {
    deeper_error error = { 0 };
    dp_image out;
    if (dp_image_resize(&out, in, box, width, height, filter, NULL, &error))
        fail_msg("%s", error.message);
    assert_int_equal(out.width, width);
    assert_int_equal(out.height, height);
    return out;
}

/* The contract allows one level. The arithmetic is meant to be the same to the bit and is held to
 * that, so that a change shows. */
static void as_pillow(void **state) {
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/resize_pillow.txt", "r");
    assert_non_null(file);
    char name[16];
    int in_width, in_height, width, height, cases = 0;
    double box[4];
    while (fscanf(file, "%15s %d %d %d %d %lf %lf %lf %lf ", name, &in_width, &in_height, &width,
                  &height, &box[0], &box[1], &box[2], &box[3])
           == 9) {
        dp_filter filter;
        assert_true(dp_filter_from_name(&filter, name));
        bool all = box[0] == 0 && box[1] == 0 && box[2] == in_width && box[3] == in_height;
        dp_image in = picture(in_width, in_height),
                 out = resized(&in, all ? NULL : box, width, height, filter);
        for (int i = 0; i < width * height * 3; i++) {
            unsigned expected = 0;
            assert_int_equal(fscanf(file, "%2x", &expected), 1);
            if (out.pixels[i] != expected)
                fail_msg("%s %dx%d to %dx%d, pixel %d %d channel %d: %u, not %u", name, in_width,
                         in_height, width, height, i / 3 % width, i / 3 / width, i % 3,
                         (unsigned)out.pixels[i], expected);
        }
        dp_image_free(&in);
        dp_image_free(&out);
        cases++;
    }
    assert_int_equal(cases, 18 * FILTERS);
    fclose(file);
}

static void regions_are_parts_of_the_whole(void **state) {
    static const int targets[][2] = { { 9, 7 }, { 60, 45 } };
    static const double boxes[][4] = { { 0, 0, 41, 29 }, { 3.25, 0.5, 40.5, 28 } };
    dp_image in = picture(41, 29);
    for (int filter = 0; filter < FILTERS; filter++)
        for (int t = 0; t < 2; t++)
            for (int b = 0; b < 2; b++) {
                int width = targets[t][0], height = targets[t][1];
                dp_image whole = resized(&in, boxes[b], width, height, (dp_filter)filter);
                const int regions[][4] = { { 0, 0, width, height },
                                           { 0, 0, 1, 1 },
                                           { width - 2, height - 3, 2, 3 },
                                           { width / 3, height / 2, width / 2, 2 } };
                for (size_t r = 0; r < sizeof regions / sizeof *regions; r++) {
                    deeper_error error = { 0 };
                    dp_image part;
                    assert_int_equal(dp_image_resize_region(&part, &in, boxes[b], width, height,
                                                            regions[r], (dp_filter)filter, NULL,
                                                            &error),
                                     DEEPER_OK);
                    assert_int_equal(part.width, regions[r][2]);
                    assert_int_equal(part.height, regions[r][3]);
                    for (int y = 0; y < part.height; y++)
                        assert_memory_equal(part.pixels + y * part.width * 3,
                                            whole.pixels
                                                + ((regions[r][1] + y) * width + regions[r][0]) * 3,
                                            (size_t)part.width * 3);
                    dp_image_free(&part);
                }
                dp_image_free(&whole);
            }
    dp_image_free(&in);
}

/* The weights add up to one: a flat picture stays as it is whatever happens to its size; and the
 * same size changes nothing. */
static void flat_and_same(void **state) {
    for (int filter = 0; filter < FILTERS; filter++)
        for (int level = 0; level < 256; level += 51) {
            dp_image in = picture(13, 11);
            dp_image same = resized(&in, NULL, 13, 11, (dp_filter)filter);
            assert_memory_equal(in.pixels, same.pixels, 13 * 11 * 3);
            memset(in.pixels, level, 13 * 11 * 3);
            static const int targets[][2] = { { 1, 1 }, { 5, 40 }, { 100, 3 }, { 29, 31 } };
            for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
                dp_image out = resized(&in, NULL, targets[t][0], targets[t][1], (dp_filter)filter);
                for (int i = 0; i < out.width * out.height * 3; i++)
                    assert_int_equal(out.pixels[i], level);
                dp_image_free(&out);
            }
            dp_image_free(&same);
            dp_image_free(&in);
        }
}

/* Shrinking by a whole number, area is the mean of the pixels, rounded once each way (at most one
 * level in all). */
static void area_is_the_mean(void **state) {
    dp_image in = picture(60, 45), out = resized(&in, NULL, 12, 9, DP_FILTER_AREA);
    for (int y = 0; y < 9; y++)
        for (int x = 0; x < 12; x++)
            for (int c = 0; c < 3; c++) {
                int sum = 0;
                for (int k = 0; k < 25; k++)
                    sum += in.pixels[((5 * y + k / 5) * 60 + 5 * x + k % 5) * 3 + c];
                assert_true(fabs(out.pixels[(y * 12 + x) * 3 + c] - sum / 25.0) <= 1);
            }
    dp_image_free(&in);
    dp_image_free(&out);
}

static void names(void **state) {
    static const char *const known[FILTERS] = { "nearest", "bilinear", "area", "bicubic" };
    dp_filter filter = DP_FILTER_AREA;
    for (int i = 0; i < FILTERS; i++) {
        assert_string_equal(dp_filter_name((dp_filter)i), known[i]);
        assert_true(dp_filter_from_name(&filter, known[i]));
        assert_int_equal(filter, i);
    }
    assert_false(dp_filter_from_name(&filter, "lanczos"));
    assert_false(dp_filter_from_name(&filter, ""));
}

static void bad_arguments(void **state) {
    dp_image in = picture(4, 3),
             long_one = { .width = DP_RESIZE_MAX_SIDE + 1, .height = 1, .pixels = in.pixels },
             none = { 0 };
    static const double boxes[][4] = { { -0.1, 0, 4, 3 }, { 0, 0, 4.1, 3 },     { 0, 0, 4, 3.5 },
                                       { 2, 0, 2, 3 },    { 0, 2, 4, 1 },       { NAN, 0, 4, 3 },
                                       { 0, 0, 4, NAN },  { 0, 0, INFINITY, 3 } };
    static const int regions[][4] = { { -1, 0, 2, 2 }, { 0, 0, 6, 1 },
                                      { 0, 3, 1, 3 },  { 0, 0, 0, 1 },
                                      { 0, 0, 1, -1 }, { 2147483647, 0, 2147483647, 1 } };
    static const int sides[][2] = { { 0, 1 }, { 1, 0 }, { -5, 5 }, { DP_RESIZE_MAX_SIDE + 1, 1 } };
    deeper_error error = { 0 };
    dp_image out;
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        assert_int_equal(dp_image_resize(&out, &in, boxes[i], 5, 5, DP_FILTER_AREA, NULL, &error),
                         DEEPER_ERROR_ARGUMENT);
        assert_null(out.pixels);
    }
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        assert_int_equal(
            dp_image_resize_region(&out, &in, NULL, 5, 5, regions[i], DP_FILTER_AREA, NULL, &error),
            DEEPER_ERROR_ARGUMENT);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        assert_int_equal(dp_image_resize(&out, &in, NULL, sides[i][0], sides[i][1], DP_FILTER_AREA,
                                         NULL, &error),
                         DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_image_resize(&out, &none, NULL, 5, 5, DP_FILTER_AREA, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_image_resize(&out, &in, NULL, 5, 5, (dp_filter)FILTERS, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_image_resize(&out, &long_one, NULL, 5, 5, DP_FILTER_AREA, NULL, &error),
                     DEEPER_ERROR_LIMIT);
    dp_image_free(&in);
}

static void failing_memory(void **state) {
    dp_image in = picture(9, 8);
    for (int filter = 0; filter < FILTERS; filter++)
        for (long n = 1, done = 0; !done; n++) {
            test_failing_allocator failing;
            test_failing_allocator_init(&failing, n);
            deeper_error error = { 0 };
            dp_image out;
            deeper_status status = dp_image_resize(&out, &in, NULL, 5, 12, (dp_filter)filter,
                                                   &failing.allocator, &error);
            done = failing.calls < n;
            assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
            dp_image_free(&out);
            assert_int_equal(failing.outstanding, 0);
        }
    dp_image_free(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pillow),      cmocka_unit_test(regions_are_parts_of_the_whole),
        cmocka_unit_test(flat_and_same),  cmocka_unit_test(area_is_the_mean),
        cmocka_unit_test(names),          cmocka_unit_test(bad_arguments),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
