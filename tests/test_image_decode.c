/* test_image_decode.c - decoding by content: WebP, the portable pixmaps, what is refused and in
 * which words, sizes, names. JPEG, PNG and BMP have programs of their own. */
#include "helpers/decoding.h"
#include "image/image.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define TEXT(text) text, sizeof text - 1

static deeper_status decode(dp_image *image, const void *bytes, size_t size, deeper_error *error) {
    uint8_t *copy = malloc(size ? size : 1); /* of its own, so that reading past its end is seen */
    if (size)
        memcpy(copy, bytes, size);
    deeper_status status = dp_image_decode(image, copy, size, "x", NULL, NULL, error);
    free(copy);
    return status;
}

static void assert_refused(const void *bytes, size_t size, deeper_status status,
                           const char *words) {
    deeper_error error = { 0 };
    dp_image image;
    deeper_status got = decode(&image, bytes, size, &error);
    if (got != status || !strstr(error.message, words) || strncmp(error.message, "x: ", 3) != 0)
        fail_msg("status %d, \"%s\"; wanted %d, \"%s\"", (int)got, error.message, (int)status,
                 words);
    assert_int_equal(error.status, status);
    assert_null(image.pixels);
}

static void assert_pixels(const void *bytes, size_t size, int width, int height,
                          const uint8_t *rgb) {
    deeper_error error = { 0 };
    dp_image image;
    if (decode(&image, bytes, size, &error))
        fail_msg("%s", error.message);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    assert_memory_equal(image.pixels, rgb, (size_t)width * (size_t)height * 3);
    dp_image_free(&image);
}

/* Builds without libwebp refuse every WebP in one line; the other WebP tests are then skipped by
 * name. */
static bool reads_webp(void) {
    test_bytes file = test_make_webp(TEST_WEBP_LOSSLESS);
    deeper_error error = { 0 };
    dp_image image;
    deeper_status status = decode(&image, file.bytes, file.size, &error);
    dp_image_free(&image);
    free(file.bytes);
    if (status == DEEPER_OK)
        return true;
    assert_int_equal(status, DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(
        strstr(error.message, "x: this build reads no WebP; convert it to JPEG or PNG"));
    return false;
}

static void webp_pixels(void **state) {
    if (!reads_webp())
        skip();
    uint8_t plain[6][3], white[6][3], turned[6][3];
    for (int i = 0; i < 6; i++) {
        const int levels[3] = { 40 * i, 255 - 30 * i, 7 * i };
        for (int c = 0; c < 3; c++) {
            plain[i][c] = (uint8_t)levels[c];
            white[i][c] = (uint8_t)((levels[c] * 51 * i + 255 * (255 - 51 * i) + 127) / 255);
            turned[i % 3 * 2 + (1 - i / 3)][c] =
                (uint8_t)levels[c]; /* pixel (x, y) goes to (1 - y, x) of 2x3 */
        }
    }
    const struct {
        test_webp file;
        int width, height;
        const uint8_t *rgb;
    } cases[] = { { TEST_WEBP_LOSSLESS, 3, 2, plain[0] },
                  { TEST_WEBP_ALPHA, 3, 2, white[0] },
                  { TEST_WEBP_EXIF, 2, 3, turned[0] } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_bytes file = test_make_webp(cases[i].file);
        assert_pixels(file.bytes, file.size, cases[i].width, cases[i].height, cases[i].rgb);
        free(file.bytes);
    }
}

/* A flat lossy picture: the colour transform of VP8 has 8 bits and a limited range, the quantiser
 * of quality 90 adds its step; the levels stay within 6 of what was stored. */
static void webp_lossy(void **state) {
    if (!reads_webp())
        skip();
    for (int alpha = 0; alpha < 2; alpha++) {
        test_bytes file = test_make_webp(alpha ? TEST_WEBP_LOSSY_ALPHA : TEST_WEBP_LOSSY);
        deeper_error error = { 0 };
        dp_image image;
        assert_int_equal(decode(&image, file.bytes, file.size, &error), DEEPER_OK);
        assert_int_equal(image.width, 16);
        assert_int_equal(image.height, 16);
        static const int levels[3] = { 200, 100, 50 };
        for (int i = 0; i < 16 * 16 * 3; i++) {
            int expected = alpha ? (levels[i % 3] * 128 + 255 * 127 + 127) / 255 : levels[i % 3];
            assert_true(abs(image.pixels[i] - expected) <= 6);
        }
        dp_image_free(&image);
        free(file.bytes);
    }
}

static void webp_not_whole(void **state) {
    if (!reads_webp())
        skip();
    for (int which = 0; which < TEST_WEBPS; which++) {
        test_bytes file = test_make_webp((test_webp)which);
        for (size_t size = 12; size < file.size; size++)
            assert_refused(file.bytes, size, DEEPER_ERROR_FORMAT, "cut short");
        free(file.bytes);
    }
    test_bytes file = test_make_webp(TEST_WEBP_ANIMATED);
    assert_refused(file.bytes, file.size, DEEPER_ERROR_UNSUPPORTED, "animated WebP");
    free(file.bytes);
    file = test_make_webp(TEST_WEBP_LOSSLESS);
    memset(file.bytes + 25, 0xFF, 20);
    assert_refused(file.bytes, file.size, DEEPER_ERROR_FORMAT, "damaged WebP");
    free(file.bytes);
}

static void pixmaps(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        int width, height;
        uint8_t rgb[4][3];
    } cases[] = {
        { TEXT("P1 2 2\n10\n0 1"),
          2,
          2,
          { { 0, 0, 0 }, { 255, 255, 255 }, { 255, 255, 255 }, { 0, 0, 0 } } },
        { TEXT("P1#c\n2 #\n1\n1#x\n0"), 2, 1, { { 0, 0, 0 }, { 255, 255, 255 } } },
        { TEXT("P2\n2 2 3\n0 1\n2 3\n"),
          2,
          2,
          { { 0, 0, 0 }, { 85, 85, 85 }, { 170, 170, 170 }, { 255, 255, 255 } } },
        { TEXT("P2 1 1 65535 32896"), 1, 1, { { 128, 128, 128 } } },
        { TEXT("P3 1 2 255 1 2 3 255 254 253"), 1, 2, { { 1, 2, 3 }, { 255, 254, 253 } } },
        { TEXT("P4 3 1 \x5F"), 3, 1, { { 255, 255, 255 }, { 0, 0, 0 }, { 255, 255, 255 } } },
        { TEXT("P4 1 2\n\x80\x7F"), 1, 2, { { 0, 0, 0 }, { 255, 255, 255 } } },
        { TEXT("P5 2 1 255\n\x0A\xFF"), 2, 1, { { 10, 10, 10 }, { 255, 255, 255 } } },
        { TEXT("P5 2 1 10\n\x01\x0A"),
          2,
          1,
          { { 26, 26, 26 }, { 255, 255, 255 } } }, /* 25.5, rounded up */
        { TEXT("P5 2 1 1000\n\x01\xF4\x03\xE8"),
          2,
          1,
          { { 128, 128, 128 }, { 255, 255, 255 } } }, /* 127.5 */
        { TEXT("P6\t1 1\r255 abcmore"), 1, 1, { { 'a', 'b', 'c' } } },
        { TEXT("P6 1 1 65535 \xFF\xFF\x80\x80\x00\x7F"), 1, 1, { { 255, 128, 0 } } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_pixels(cases[i].bytes, cases[i].size, cases[i].width, cases[i].height,
                      cases[i].rgb[0]);
}

static void bad_pixmaps(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        deeper_status status;
        const char *words;
    } cases[] = {
        { TEXT("P5"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P5 2"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P5 2 2 255"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P5 2 2 255\nabc"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P4 9 2\nabc"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P6 1 1 256\nabcde"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P2 2 2 255\n1 2 3"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P2 2 2 255\n1 2 3      "), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P1 2 2\n1 0 1"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P1 100000 1000\n1"), DEEPER_ERROR_FORMAT, "cut short" },
        { TEXT("P5 x 2 255\nabcd"), DEEPER_ERROR_FORMAT, "no number at byte 3" },
        { TEXT("P5 -2 2 255\nabcd"), DEEPER_ERROR_FORMAT, "no number at byte 3" },
        { TEXT("P5 2 2 0\nabcd"), DEEPER_ERROR_FORMAT, "a maxval of 0" },
        { TEXT("P5 2 2 65536\nabcdefgh"), DEEPER_ERROR_FORMAT, "too large a number" },
        { TEXT("P5 99999999999999999999 2 255\n"), DEEPER_ERROR_FORMAT, "too large a number" },
        { TEXT("P5 2 2 255x\nabcd"), DEEPER_ERROR_FORMAT, "no space after the header" },
        { TEXT("P5 2 1 9\n\x09\x0A"), DEEPER_ERROR_FORMAT, "a sample above the maxval" },
        { TEXT("P2 2 1 9\n9 10 "), DEEPER_ERROR_FORMAT, "too large a number" },
        { TEXT("P2 2 1 9\n9 x "), DEEPER_ERROR_FORMAT, "no number" },
        { TEXT("P1 2 1\n12"), DEEPER_ERROR_FORMAT, "neither 0 nor 1" },
        { TEXT("P5 0 2 255\nabcd"), DEEPER_ERROR_FORMAT, "no pixels (0x2)" },
        { TEXT("P6 60000 60000 255\n"), DEEPER_ERROR_LIMIT,
          "60000x60000 is more than the limit of 178956970 pixels (max_pixels)" },
        { TEXT("P6 4294967295 4294967295 255\n"), DEEPER_ERROR_LIMIT, "more than the limit" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].bytes, cases[i].size, cases[i].status, cases[i].words);
}

static void not_read(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        deeper_status status;
        const char *words;
    } cases[] = {
        { TEXT(""), DEEPER_ERROR_FORMAT, "empty file" },
        { TEXT("\0\0\0\x18"
               "ftypmp42\0\0\0\0"),
          DEEPER_ERROR_UNSUPPORTED, "video" },
        { TEXT("\xFF\x0A\x01"), DEEPER_ERROR_UNSUPPORTED, "JPEG XL" },
        { TEXT("\0\0\0\x0CJXL \r\n\x87\n"), DEEPER_ERROR_UNSUPPORTED, "JPEG XL" },
        { TEXT("%PDF-1.7\n"), DEEPER_ERROR_UNSUPPORTED, "PDF" },
        { TEXT("<?xml version=\"1.0\"?>\n<svg xmlns="), DEEPER_ERROR_UNSUPPORTED,
          "SVG is not read; export it as PNG" },
        { TEXT("P7\nWIDTH 2\n"), DEEPER_ERROR_UNSUPPORTED, "PAM" },
        { TEXT("PK\x03\x04"), DEEPER_ERROR_UNSUPPORTED, "zip archive is not read; unpack it" },
        { TEXT("\n<!DOCTYPE HTML><html>"), DEEPER_ERROR_FORMAT,
          "a web page (a failed download?); fetch it again" },
        { TEXT("<HTML><body>404"), DEEPER_ERROR_FORMAT, "a web page" },
        { TEXT("version https://git-lfs.github.com/spec/v1\n"), DEEPER_ERROR_FORMAT,
          "a Git LFS pointer" },
        { TEXT("a cat\n"), DEEPER_ERROR_FORMAT,
          "not a picture but text; JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, PNM and BMP are read" },
        { TEXT("\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4\n"), DEEPER_ERROR_FORMAT, "text" },
        { TEXT("\x01\x02\x03\x04"), DEEPER_ERROR_FORMAT,
          "not a picture that deeper reads; JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, PNM and BMP "
          "are" },
        { TEXT("\x89PNX\r\n\x1A\n"), DEEPER_ERROR_FORMAT, "not a picture that deeper reads" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].bytes, cases[i].size, cases[i].status, cases[i].words);
}

/* Names are bytes: they come back in messages as they are, whatever they are, and no format in them
 * is obeyed. */
static void names(void **state) {
    static const char *const odd[] = { "\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4.jpg", "100%s%n.png",
                                       "\xFF\xFE.bmp" };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        deeper_error error = { 0 };
        dp_image image;
        assert_int_equal(dp_image_decode(&image, "a cat", 5, odd[i], NULL, NULL, &error),
                         DEEPER_ERROR_FORMAT);
        assert_memory_equal(error.message, odd[i], strlen(odd[i]));
    }
    dp_image image = { .width = 7 };
    assert_int_equal(dp_image_decode(&image, "a cat", 5, NULL, NULL, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(image.width, 0);
    assert_int_equal(dp_image_decode(&image, NULL, 5, "x", NULL, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    dp_image_free(&image); /* nothing to free is fine */
}

static void limit_of_the_caller(void **state) {
    static const char file[] = "P2 2 3 9 1 2 3 4 5 6";
    dp_image image;
    deeper_error error = { 0 };
    dp_decode_options options = { .limits.max_pixels = 5 };
    assert_int_equal(dp_image_decode(&image, file, sizeof file - 1, "x", &options, NULL, &error),
                     DEEPER_ERROR_LIMIT);
    assert_string_equal(error.message,
                        "x: 2x3 is more than the limit of 5 pixels (max_pixels); make it smaller");
    options.limits.max_pixels = 6;
    assert_int_equal(dp_image_decode(&image, file, sizeof file - 1, "x", &options, NULL, &error),
                     DEEPER_OK);
    dp_image_free(&image);
}

static void failing_memory(void **state) {
    bool webp = reads_webp();
    test_bytes files[] = { test_make_webp(TEST_WEBP_ALPHA),
                           test_make_webp(TEST_WEBP_EXIF),
                           { (uint8_t *)"P2 1 1 9 5", 10 } };
    for (size_t i = webp ? 0 : 2; i < 3; i++)
        test_decode_without_memory(files[i], 0);
    free(files[0].bytes);
    free(files[1].bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(webp_pixels),    cmocka_unit_test(webp_lossy),
        cmocka_unit_test(webp_not_whole), cmocka_unit_test(pixmaps),
        cmocka_unit_test(bad_pixmaps),    cmocka_unit_test(not_read),
        cmocka_unit_test(names),          cmocka_unit_test(limit_of_the_caller),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
