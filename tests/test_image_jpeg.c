/* test_image_jpeg.c - the JPEG decoder: every colour model, scaled decoding, orientation, and files
 * that are not whole. Pictures are made by helpers/pictures.c from a formula, so every pixel's true
 * level is known. */
#include "helpers/decoding.h"
#include "image/image.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

/* Quality 100 stores each of 64 orthonormal coefficients rounded to whole numbers, so a pixel is
 * off by the sum of 64 errors of deviation 0.29 / 8 each: 0.29. The colour transform, rounded both
 * ways, multiplies the error of the blue difference by 1.772. 4 levels are more than 5
 * deviations. */
enum { TOLERANCE = 4 };

/* (255 - C)(255 - K) / 255 moves with both: errors of up to TOLERANCE in each add up. */
enum { INK_TOLERANCE = 2 * TOLERANCE };

static const struct { int width, height; } sizes[] = { { 1, 1 }, { 8, 8 }, { 9, 17 }, { 61, 47 } };

static dp_image decode(test_bytes file, const dp_decode_options *options) {
    deeper_error error = { 0 };
    dp_image image;
    if (dp_image_decode(&image, file.bytes, file.size, "x.jpg", options, NULL, &error))
        fail_msg("%s", error.message);
    return image;
}

static int true_level(const test_jpeg *jpeg, int x, int y, int c) {
    int levels[4];
    for (int i = 0; i < 4; i++)
        levels[i] = (int)test_sample(x, y, i, 255);
    switch (jpeg->model) {
    case TEST_GREY:
        return levels[0];
    case TEST_CMYK: /* stored inverted: 255 is no ink */
    case TEST_YCCK:
        return (levels[c] * levels[3] + 127) / 255;
    case TEST_CMYK_PLAIN:
        return ((255 - levels[c]) * (255 - levels[3]) + 127) / 255;
    default:
        return levels[c];
    }
}

static void assert_picture(const dp_image *image, const test_jpeg *jpeg) {
    int tolerance = jpeg->model >= TEST_CMYK ? INK_TOLERANCE : TOLERANCE;
    assert_int_equal(image->width, jpeg->width);
    assert_int_equal(image->height, jpeg->height);
    for (int y = 0; y < jpeg->height; y++)
        for (int x = 0; x < jpeg->width; x++)
            for (int c = 0; c < 3; c++) {
                int level = image->pixels[(y * jpeg->width + x) * 3 + c],
                    expected = true_level(jpeg, x, y, c);
                if (abs(level - expected) > tolerance)
                    fail_msg("model %d, pixel %d %d channel %d: %d, not %d", (int)jpeg->model, x, y,
                             c, level, expected);
            }
}

static void colour_models(void **state) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int model = TEST_GREY; model <= TEST_CMYK_PLAIN; model++)
            for (int progressive = 0; progressive < 2; progressive++) {
                test_jpeg jpeg = { .width = sizes[i].width, .height = sizes[i].height };
                jpeg.model = (test_jpeg_model)model;
                jpeg.progressive = progressive;
                test_bytes file = test_make_jpeg(&jpeg);
                dp_image image = decode(file, NULL);
                assert_picture(&image, &jpeg);
                dp_image_free(&image);
                assert_null(image.pixels);
                free(file.bytes);
            }
}

/* A fraction of the size is taken only while the short side keeps min_side, rounding up as the
 * codec does. */
static void scaled_decoding(void **state) {
    static const struct {
        int min_side, width, height;
    } cases[] = {
        { 0, 121, 93 }, { 94, 121, 93 }, { 93, 121, 93 }, { 48, 121, 93 }, { 47, 61, 47 },
        { 25, 61, 47 }, { 24, 31, 24 },  { 13, 31, 24 },  { 12, 16, 12 },  { 1, 16, 12 }
    };
    test_jpeg jpeg = { .width = 121, .height = 93, .model = TEST_YCBCR };
    test_bytes file = test_make_jpeg(&jpeg);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_decode_options options = { .min_side = cases[i].min_side };
        dp_image image = decode(file, &options);
        assert_int_equal(image.width, cases[i].width);
        assert_int_equal(image.height, cases[i].height);
        dp_image_free(&image);
    }
    free(file.bytes);
}

/* Half-size pixels are the means of 2x2 pixels, up to the frequencies that the smaller transform
 * leaves out: in this picture a pixel differs from such a mean's neighbours by 16 levels at most,
 * and the whole picture's mean must agree closely. */
static void scaled_decoding_keeps_levels(void **state) {
    test_jpeg jpeg = { .width = 64, .height = 64, .model = TEST_GREY };
    test_bytes file = test_make_jpeg(&jpeg);
    dp_decode_options options = { .min_side = 32 };
    dp_image image = decode(file, &options);
    assert_int_equal(image.width, 32);
    int sum = 0;
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
            int mean = 0;
            for (int k = 0; k < 4; k++)
                mean += (int)test_sample(2 * x + k % 2, 2 * y + k / 2, 0, 255);
            int difference = image.pixels[(y * 32 + x) * 3] - (mean + 2) / 4;
            assert_in_range(difference + 16, 0, 32);
            sum += difference;
        }
    assert_in_range(sum + 1024, 0, 2048); /* a mean of at most one level over 1024 pixels */
    dp_image_free(&image);
    free(file.bytes);
}

/* Where pixel (x, y) of the upright picture lies in the stored one. */
static void stored_place(int orientation, int width, int height, int x, int y, int *sx, int *sy) {
    switch (orientation) {
    case 1:
        *sx = x, *sy = y;
        break;
    case 2:
        *sx = width - 1 - x, *sy = y;
        break;
    case 3:
        *sx = width - 1 - x, *sy = height - 1 - y;
        break;
    case 4:
        *sx = x, *sy = height - 1 - y;
        break;
    case 5:
        *sx = y, *sy = x;
        break;
    case 6:
        *sx = y, *sy = height - 1 - x;
        break;
    case 7:
        *sx = width - 1 - y, *sy = height - 1 - x;
        break;
    default:
        *sx = width - 1 - y, *sy = x;
        break;
    }
}

static void orientation(void **state) {
    for (int value = 1; value <= 9; value++) /* 9 is none of the eight and changes nothing */
        for (int big_endian = 0; big_endian < 2; big_endian++) {
            test_jpeg jpeg = { .width = 20,
                               .height = 13,
                               .model = TEST_YCBCR,
                               .orientation = value,
                               .big_endian = big_endian };
            test_bytes file = test_make_jpeg(&jpeg);
            dp_decode_options as_stored = { .ignore_orientation = true };
            dp_image stored = decode(file, &as_stored), upright = decode(file, NULL);
            assert_picture(&stored, &jpeg);
            bool turned = value >= 5 && value <= 8;
            assert_int_equal(upright.width, turned ? 13 : 20);
            assert_int_equal(upright.height, turned ? 20 : 13);
            for (int y = 0; y < upright.height; y++)
                for (int x = 0; x < upright.width; x++) {
                    int sx, sy;
                    stored_place(value == 9 ? 1 : value, 20, 13, x, y, &sx, &sy);
                    assert_memory_equal(upright.pixels + (y * upright.width + x) * 3,
                                        stored.pixels + (sy * 20 + sx) * 3, 3);
                }
            dp_image_free(&stored);
            dp_image_free(&upright);
            free(file.bytes);
        }
}

static void cut_short(void **state) {
    for (int progressive = 0; progressive < 2; progressive++) {
        test_jpeg jpeg = {
            .width = 40, .height = 24, .model = TEST_YCBCR, .progressive = progressive
        };
        test_bytes file = test_make_jpeg(&jpeg);
        test_cut_short(file, 2, file.size, "x.jpg");
        free(file.bytes);
    }
}

static void assert_refused(test_bytes file, deeper_status status, const char *words) {
    deeper_error error = { 0 };
    dp_image image;
    assert_int_equal(dp_image_decode(&image, file.bytes, file.size, "x.jpg", NULL, NULL, &error),
                     status);
    if (!strstr(error.message, words) || strncmp(error.message, "x.jpg: ", 7) != 0)
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
    assert_null(image.pixels);
}

/* Finds the frame header (FF C0 or FF C2) by walking the markers. */
static uint8_t *frame_header(test_bytes file) {
    size_t at = 2;
    while (file.bytes[at + 1] != 0xC0 && file.bytes[at + 1] != 0xC2)
        at += 2 + ((size_t)file.bytes[at + 2] << 8 | file.bytes[at + 3]);
    return file.bytes + at;
}

static void damaged(void **state) {
    test_jpeg jpeg = { .width = 64, .height = 64, .model = TEST_YCBCR };
    test_bytes file = test_make_jpeg(&jpeg);
    size_t middle = file.size * 3 / 4;
    file.bytes[middle] =
        0xFF; /* an end marker amid the data: the codec would fill up the rest with grey */
    file.bytes[middle + 1] = 0xD9;
    assert_refused(file, DEEPER_ERROR_FORMAT, "damaged JPEG");
    free(file.bytes);

    file = test_make_jpeg(&jpeg);
    frame_header(file)[3] = 3; /* its length */
    assert_refused(file, DEEPER_ERROR_FORMAT, "damaged JPEG");
    free(file.bytes);
}

static void refused_kinds(void **state) {
    test_jpeg jpeg = { .width = 16, .height = 16, .model = TEST_GREY };
    test_bytes file = test_make_jpeg(&jpeg);
    frame_header(file)[4] = 12; /* bits a sample */
    assert_refused(file, DEEPER_ERROR_UNSUPPORTED, "a kind of JPEG that is not read");
    frame_header(file)[4] = 8;
    frame_header(file)[1] = 0xC3; /* lossless */
    assert_refused(file, DEEPER_ERROR_UNSUPPORTED, "a kind of JPEG that is not read");
    free(file.bytes);
}

static void limits(void **state) {
    test_jpeg jpeg = { .width = 16, .height = 16, .model = TEST_YCBCR };
    test_bytes file = test_make_jpeg(&jpeg);
    static const uint8_t huge[4] = { 60000 >> 8, 60000 & 255, 60000 >> 8, 60000 & 255 };
    memcpy(frame_header(file) + 5, huge, 4);
    assert_refused(file, DEEPER_ERROR_LIMIT,
                   "60000x60000 is more than the limit of 178956970 pixels (max_pixels)");
    memset(frame_header(file) + 5, 0xFF, 4);
    assert_refused(file, DEEPER_ERROR_LIMIT,
                   "make it smaller"); /* above the codec's own limit of 65500 */
    free(file.bytes);

    /* The limit is on the stored size, whatever fraction is decoded. */
    file = test_make_jpeg(&jpeg);
    deeper_error error = { 0 };
    dp_image image;
    dp_decode_options options = { .limits.max_pixels = 255, .min_side = 1 };
    assert_int_equal(dp_image_decode(&image, file.bytes, file.size, "x", &options, NULL, &error),
                     DEEPER_ERROR_LIMIT);
    options.limits.max_pixels = 256;
    assert_int_equal(dp_image_decode(&image, file.bytes, file.size, "x", &options, NULL, &error),
                     DEEPER_OK);
    dp_image_free(&image);
    free(file.bytes);

    jpeg.scans = true;
    file = test_make_jpeg(&jpeg);
    assert_refused(file, DEEPER_ERROR_LIMIT, "more than 100 scans");
    free(file.bytes);
}

/* Stray bytes before the end marker, as some cameras leave them, cost no pixel and are no error;
 * nor is what follows the picture. */
static void stray_bytes(void **state) {
    test_jpeg jpeg = { .width = 33, .height = 20, .model = TEST_YCBCR };
    test_bytes file = test_make_jpeg(&jpeg);
    uint8_t *longer = malloc(file.size + 9);
    memcpy(longer, file.bytes, file.size - 2);
    memset(longer + file.size - 2, 0x55, 5);
    memcpy(longer + file.size + 3, "\xFF\xD9more", 6);
    test_bytes strayed = { longer, file.size + 9 };
    dp_image image = decode(strayed, NULL);
    assert_picture(&image, &jpeg);
    dp_image_free(&image);
    free(longer);
    free(file.bytes);
}

static void failing_memory(void **state) {
    test_jpeg jpeg = { .width = 16, .height = 9, .model = TEST_YCCK, .orientation = 6 };
    test_bytes file = test_make_jpeg(&jpeg);
    test_decode_without_memory(file, 3); /* pixels, a row of ink, the turned picture */
    free(file.bytes);
}

static void silence(void **state) {
    static void (*const quiet[])(void **) = { cut_short, damaged, stray_bytes };
    test_silence(quiet, sizeof quiet / sizeof *quiet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colour_models),
        cmocka_unit_test(scaled_decoding),
        cmocka_unit_test(scaled_decoding_keeps_levels),
        cmocka_unit_test(orientation),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(damaged),
        cmocka_unit_test(refused_kinds),
        cmocka_unit_test(limits),
        cmocka_unit_test(stray_bytes),
        cmocka_unit_test(failing_memory),
        cmocka_unit_test(silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
