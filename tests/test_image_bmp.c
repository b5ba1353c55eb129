/* test_image_bmp.c - the BMP decoder: every depth, header and row order to the exact level; damaged
 * and refused bitmaps. */
#include "helpers/decoding.h"
#include "helpers/helpers.h"
#include "image/image.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const test_bmp kinds[] = {
    { .header = 12, .bits = 1 },
    { .header = 12, .bits = 8 },
    { .header = 12, .bits = 24 },
    { .header = 40, .bits = 1 },
    { .header = 40, .bits = 4 },
    { .header = 40, .bits = 8 },
    { .header = 40, .bits = 24, .top_down = true },
    { .header = 40, .bits = 16, .masks = { 0x7C00, 0x03E0, 0x001F } },
    { .header = 40, .bits = 32, .masks = { 0xFF0000, 0xFF00, 0xFF } },
    { .header = 40, .bits = 16, .compression = 3, .masks = { 0xF800, 0x07E0, 0x001F } },
    { .header = 40, .bits = 32, .compression = 6, .masks = { 0xFF, 0xFF00, 0xFF0000, 0xFF000000 } },
    { .header = 52, .bits = 32, .compression = 3, .masks = { 0x3FF00000, 0x000FFC00, 0x000003FF } },
    { .header = 56,
      .bits = 16,
      .compression = 3,
      .masks = { 0x0F00, 0x00F0, 0x000F, 0xF000 },
      .top_down = true },
    { .header = 108,
      .bits = 32,
      .compression = 3,
      .masks = { 0xFF0000, 0xFF00, 0xFF, 0xFF000000 } },
    { .header = 124, .bits = 32, .compression = 3, .masks = { 0xFF0000, 0xFF00, 0xFF } },
    { .header = 124, .bits = 4 },
};

static deeper_status decode(dp_image *image, test_bytes file, deeper_error *error) {
    return dp_image_decode(image, file.bytes, file.size, "x.bmp", NULL, NULL, error);
}

static unsigned true_level(const test_bmp *bmp, int x, int y, int c) {
    if (bmp->bits <= 8)
        return test_palette((int)test_sample(x, y, 0, (1u << bmp->bits) - 1), c);
    if (bmp->bits == 24)
        return test_sample(x, y, c, 255);
    unsigned largest = bmp->masks[c] >> __builtin_ctz(bmp->masks[c]), alpha = 255;
    unsigned level = (test_sample(x, y, c, largest) * 255 + largest / 2) / largest;
    if (bmp->masks[3]) {
        largest = bmp->masks[3] >> __builtin_ctz(bmp->masks[3]);
        alpha = (test_sample(x, y, 3, largest) * 255 + largest / 2) / largest;
    }
    return (level * alpha + 255 * (255 - alpha) + 127) / 255;
}

static void every_kind(void **state) {
    static const int sizes[][2] = { { 1, 1 }, { 2, 3 }, { 37, 11 } };
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (int i = 0; i < 3; i++) {
            test_bmp bmp = kinds[kind];
            bmp.width = sizes[i][0];
            bmp.height = sizes[i][1];
            test_bytes file = test_make_bmp(&bmp);
            deeper_error error = { 0 };
            dp_image image;
            if (decode(&image, file, &error))
                fail_msg("kind %zu: %s", kind, error.message);
            assert_int_equal(image.width, bmp.width);
            assert_int_equal(image.height, bmp.height);
            for (int p = 0; p < bmp.width * bmp.height * 3; p++) {
                unsigned expected = true_level(&bmp, p / 3 % bmp.width, p / 3 / bmp.width, p % 3);
                if (image.pixels[p] != expected)
                    fail_msg("kind %zu, level %d: %u, not %u", kind, p, (unsigned)image.pixels[p],
                             expected);
            }
            dp_image_free(&image);
            free(file.bytes);
        }
}

/* An alpha channel that is 0 everywhere is none. One value that is not makes it count. */
static void empty_alpha(void **state) {
    static const uint32_t masks[2][4] = { { 0xFF0000, 0xFF00, 0xFF, 0xFF000000 },
                                          { 0x7C00, 0x3E0, 0x1F, 0x8000 } };
    for (int kind = 0; kind < 2; kind++)
        for (int value = 0; value < 2; value++) {
            test_bmp bmp = {
                .width = 4, .height = 3, .header = 108, .bits = kind ? 16 : 32, .compression = 3
            };
            memcpy(bmp.masks, masks[kind], sizeof bmp.masks);
            test_bytes file = test_make_bmp(&bmp);
            size_t bytes = (size_t)bmp.bits / 8, begin = file.size - 12 * bytes;
            for (size_t at = begin + bytes - 1; at < file.size; at += bytes)
                file.bytes[at] &= kind ? 0x7F : 0;
            file.bytes[begin + bytes - 1] |= value ? 0x80 : 0; /* of the lowest row's first pixel */
            deeper_error error = { 0 };
            dp_image image;
            if (decode(&image, file, &error))
                fail_msg("%s", error.message);
            for (int p = 0; p < 12; p++)
                for (int c = 0; c < 3; c++) {
                    unsigned largest = kind ? 31 : 255, x = (unsigned)p % 4, y = (unsigned)p / 4;
                    unsigned level =
                        (test_sample((int)x, (int)y, c, largest) * 255 + largest / 2) / largest;
                    bool first = x == 0 && y == 2; /* where value is set: half or all there */
                    if (value && !first)
                        level = 255;
                    if (!value || !first)
                        assert_int_equal(image.pixels[p * 3 + c], level);
                }
            dp_image_free(&image);
            free(file.bytes);
        }
}

static void cut_short(void **state) {
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        test_bmp bmp = kinds[kind];
        bmp.width = 8; /* whole words, so that no padding may be missing */
        bmp.height = 2;
        test_bytes file = test_make_bmp(&bmp);
        size_t needed = file.size - (bmp.bits == 1 ? 3 : 0);
        test_cut_short(file, 2, needed, "x.bmp");
        free(file.bytes);
    }
}

/* One field of a sound file changed. */
static void damaged(void **state) {
    static const struct {
        int at, bytes;
        uint32_t value;
        deeper_status status;
        const char *words;
    } cases[] = {
        { 14, 4, 41 << 8, DEEPER_ERROR_FORMAT, "a header of unknown size" },
        { 14, 4, 20, DEEPER_ERROR_FORMAT, "a header of unknown size" },
        { 18, 4, 0xFFFFFFFF, DEEPER_ERROR_FORMAT, "a negative width" },
        { 18, 4, 0, DEEPER_ERROR_FORMAT, "no pixels" },
        { 18, 4, 60000, DEEPER_ERROR_FORMAT, "cut short" },
        { 18, 4, 0x7FFFFFFF, DEEPER_ERROR_LIMIT, "more than the limit" },
        { 22, 4, 0x80000000, DEEPER_ERROR_LIMIT, "more than the limit" },
        { 28, 2, 2, DEEPER_ERROR_FORMAT, "bits per pixel" },
        { 28, 2, 0, DEEPER_ERROR_FORMAT, "bits per pixel" },
        { 30, 4, 1, DEEPER_ERROR_UNSUPPORTED, "run-length coded" },
        { 30, 4, 2, DEEPER_ERROR_UNSUPPORTED, "run-length coded" },
        { 30, 4, 3, DEEPER_ERROR_FORMAT, "bits per pixel" },
        { 30, 4, 4, DEEPER_ERROR_UNSUPPORTED, "JPEG inside" },
        { 30, 4, 5, DEEPER_ERROR_UNSUPPORTED, "PNG inside" },
        { 30, 4, 7, DEEPER_ERROR_FORMAT, "unknown compression" },
        { 46, 4, 1, DEEPER_ERROR_FORMAT, "a colour that its palette does not have" },
        { 10, 4, 0xFFFFFFFF, DEEPER_ERROR_FORMAT, "cut short" },
    };
    test_bmp bmp = { .width = 9, .height = 4, .header = 40, .bits = 8 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_bytes file = test_make_bmp(&bmp);
        for (int byte = 0; byte < cases[i].bytes; byte++)
            file.bytes[cases[i].at + byte] = (uint8_t)(cases[i].value >> 8 * byte);
        deeper_error error = { 0 };
        dp_image image;
        deeper_status status = decode(&image, file, &error);
        if (status != cases[i].status || !strstr(error.message, cases[i].words))
            fail_msg("case %zu: status %d, \"%s\" does not say \"%s\"", i, (int)status,
                     error.message, cases[i].words);
        assert_null(image.pixels);
        free(file.bytes);
    }
    bmp = (test_bmp){ .width = 2,
                      .height = 2,
                      .header = 56,
                      .bits = 16,
                      .compression = 3,
                      .masks = { 0x0F0F, 0xF0, 0xF000, 0 } };
    test_bytes file = test_make_bmp(&bmp);
    deeper_error error = { 0 };
    dp_image image;
    assert_int_equal(decode(&image, file, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "a bit field with gaps"));
    free(file.bytes);
}

static void failing_memory(void **state) {
    test_bmp bmp = { .width = 9, .height = 4, .header = 40, .bits = 8 };
    test_bytes file = test_make_bmp(&bmp);
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 1);
    deeper_error error = { 0 };
    dp_image image;
    assert_int_equal(
        dp_image_decode(&image, file.bytes, file.size, "x", NULL, &failing.allocator, &error),
        DEEPER_ERROR_MEMORY);
    assert_int_equal(failing.outstanding, 0);
    free(file.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_kind), cmocka_unit_test(empty_alpha),
                                        cmocka_unit_test(cut_short), cmocka_unit_test(damaged),
                                        cmocka_unit_test(failing_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
