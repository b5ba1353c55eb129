/* test_image_png.c - the PNG decoder: every colour type and depth, with and without interlace and
 * transparency, to the exact level; files that are not whole, and what else is in a PNG. */
#include "helpers/decoding.h"
#include "image/image.h"

#include <png.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct {
    int colour, depth;
} kinds[] = {
    { PNG_COLOR_TYPE_GRAY, 1 },        { PNG_COLOR_TYPE_GRAY, 2 },
    { PNG_COLOR_TYPE_GRAY, 4 },        { PNG_COLOR_TYPE_GRAY, 8 },
    { PNG_COLOR_TYPE_GRAY, 16 },       { PNG_COLOR_TYPE_RGB, 8 },
    { PNG_COLOR_TYPE_RGB, 16 },        { PNG_COLOR_TYPE_PALETTE, 1 },
    { PNG_COLOR_TYPE_PALETTE, 2 },     { PNG_COLOR_TYPE_PALETTE, 4 },
    { PNG_COLOR_TYPE_PALETTE, 8 },     { PNG_COLOR_TYPE_GRAY_ALPHA, 8 },
    { PNG_COLOR_TYPE_GRAY_ALPHA, 16 }, { PNG_COLOR_TYPE_RGB_ALPHA, 8 },
    { PNG_COLOR_TYPE_RGB_ALPHA, 16 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static deeper_status decode(dp_image *image, test_bytes file, deeper_error *error) {
    return dp_image_decode(image, file.bytes, file.size, "x.png", NULL, NULL, error);
}

/* The RGBA that pixel (x, y) stands for. */
static void true_pixel(const test_png *png, int x, int y, unsigned rgba[4]) {
    unsigned maxval = (1u << png->depth) - 1, samples[4], first[4];
    for (int c = 0; c < 4; c++) {
        samples[c] = test_sample(x, y, c, maxval);
        first[c] = test_sample(0, 0, c, maxval);
    }
    bool grey = !(png->colour & PNG_COLOR_MASK_COLOR);
    rgba[3] = 255;
    if (png->colour == PNG_COLOR_TYPE_PALETTE) {
        for (int c = 0; c < 3; c++)
            rgba[c] = test_palette((int)samples[0], c);
        if (png->transparent && samples[0] < 16)
            rgba[3] = 16 * samples[0];
        return;
    }
    for (int c = 0; c < 3; c++)
        rgba[c] = (samples[grey ? 0 : c] * 255 + maxval / 2) / maxval;
    if (png->colour & PNG_COLOR_MASK_ALPHA)
        rgba[3] = (samples[grey ? 1 : 3] * 255 + maxval / 2) / maxval;
    else if (png->transparent && samples[0] == first[0]
             && (grey || (samples[1] == first[1] && samples[2] == first[2])))
        rgba[3] = 0;
}

static void assert_picture(const dp_image *image, const test_png *png) {
    assert_int_equal(image->width, png->width);
    assert_int_equal(image->height, png->height);
    for (int y = 0; y < png->height; y++)
        for (int x = 0; x < png->width; x++) {
            unsigned rgba[4];
            true_pixel(png, x, y, rgba);
            for (int c = 0; c < 3; c++) {
                unsigned expected = (rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255;
                unsigned level = image->pixels[(y * png->width + x) * 3 + c];
                if (level != expected)
                    fail_msg("colour type %d, depth %d, interlaced %d, transparent %d, pixel %d %d "
                             "channel %d: %u, not %u",
                             png->colour, png->depth, png->interlaced, png->transparent, x, y, c,
                             level, expected);
            }
        }
}

static void every_kind(void **state) {
    static const int sizes[][2] = { { 1, 1 }, { 3, 2 }, { 37, 21 } };
    for (int i = 0; i < 3; i++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int variant = 0; variant < 4; variant++) {
                test_png png = { .width = sizes[i][0],
                                 .height = sizes[i][1],
                                 .colour = kinds[kind].colour,
                                 .depth = kinds[kind].depth };
                png.interlaced = variant & 1;
                png.transparent = (variant & 2) && !(png.colour & PNG_COLOR_MASK_ALPHA);
                test_bytes file = test_make_png(&png);
                deeper_error error = { 0 };
                dp_image image;
                if (decode(&image, file, &error))
                    fail_msg("%s", error.message);
                assert_picture(&image, &png);
                dp_image_free(&image);
                free(file.bytes);
            }
}

static void orientation(void **state) {
    test_png png = {
        .width = 5, .height = 3, .colour = PNG_COLOR_TYPE_RGB, .depth = 8, .orientation = 6
    };
    test_bytes file = test_make_png(&png);
    deeper_error error = { 0 };
    dp_image image;
    assert_int_equal(decode(&image, file, &error), DEEPER_OK);
    assert_int_equal(image.width, 3);
    assert_int_equal(image.height, 5);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 3; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(image.pixels[(y * 3 + x) * 3 + c], test_sample(y, 2 - x, c, 255));
    dp_image_free(&image);
    free(file.bytes);
}

static void cut_short(void **state) {
    for (int variant = 0; variant < 2; variant++) {
        test_png png = { .width = 20,
                         .height = 10,
                         .colour = PNG_COLOR_TYPE_RGB_ALPHA,
                         .depth = 8,
                         .interlaced = variant };
        test_bytes file = test_make_png(&png);
        test_cut_short(file, 8, file.size, "x.png");
        free(file.bytes);
    }
}

static uint8_t *find_chunk(test_bytes file, const char *type) {
    for (size_t at = 8; at + 12 <= file.size;) {
        if (memcmp(file.bytes + at + 4, type, 4) == 0)
            return file.bytes + at;
        at += 12 + ((size_t)file.bytes[at + 2] << 8 | file.bytes[at + 3]);
    }
    fail_msg("no %s chunk", type);
    return NULL;
}

/* A flipped bit in any chunk, needed or not, fails its checksum. */
static void checksums(void **state) {
    static const char *const types[] = { "IHDR", "PLTE", "tRNS", "tEXt", "IDAT", "IEND" };
    test_png png = { .width = 9,
                     .height = 7,
                     .colour = PNG_COLOR_TYPE_PALETTE,
                     .depth = 4,
                     .transparent = true,
                     .comment = true };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        test_bytes file = test_make_png(&png);
        uint8_t *chunk = find_chunk(file, types[i]);
        chunk[8 + chunk[3]] ^= 1; /* the first byte of the checksum */
        deeper_error error = { 0 };
        dp_image image;
        assert_int_equal(decode(&image, file, &error), DEEPER_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "x.png: damaged PNG ("));
        assert_null(image.pixels);
        free(file.bytes);
    }
}

/* CRC-32 by its definition, to make a changed header sound again. */
static uint32_t checksum(const uint8_t *bytes, size_t size) {
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static void set_header(test_bytes file, uint32_t width, uint32_t height) {
    uint8_t *header = find_chunk(file, "IHDR");
    for (int i = 0; i < 4; i++) {
        header[8 + i] = (uint8_t)(width >> (24 - 8 * i));
        header[12 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
    uint32_t crc = checksum(header + 4, 17);
    for (int i = 0; i < 4; i++)
        header[21 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void sizes(void **state) {
    static const struct {
        uint32_t width, height;
        deeper_status status;
        const char *words;
    } cases[] = {
        { 60000, 60000, DEEPER_ERROR_LIMIT,
          "60000x60000 is more than the limit of 178956970 pixels (max_pixels)" },
        { 0x7FFFFFFF, 0x7FFFFFFF, DEEPER_ERROR_LIMIT, "more than the limit" },
        { 178956971, 1, DEEPER_ERROR_LIMIT, "more than the limit" },
        { 0, 5, DEEPER_ERROR_FORMAT, "damaged PNG" },
        { 0xFFFFFFFF, 1, DEEPER_ERROR_FORMAT, "damaged PNG" },
        { 4, 400, DEEPER_ERROR_FORMAT, "damaged PNG" }, /* more rows than there is data for */
    };
    test_png png = { .width = 4, .height = 4, .colour = PNG_COLOR_TYPE_RGB, .depth = 8 };
    test_bytes file = test_make_png(&png);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_header(file, cases[i].width, cases[i].height);
        deeper_error error = { 0 };
        dp_image image;
        assert_int_equal(decode(&image, file, &error), cases[i].status);
        if (!strstr(error.message, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", error.message, cases[i].words);
    }
    free(file.bytes);
}

static void failing_memory(void **state) {
    test_png png = { .width = 9,
                     .height = 5,
                     .colour = PNG_COLOR_TYPE_GRAY_ALPHA,
                     .depth = 16,
                     .interlaced = true,
                     .orientation = 3 };
    test_bytes file = test_make_png(&png);
    test_decode_without_memory(file, 0);
    free(file.bytes);
}

static void silence(void **state) {
    static void (*const quiet[])(void **) = { cut_short, checksums, sizes };
    test_silence(quiet, sizeof quiet / sizeof *quiet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind), cmocka_unit_test(orientation),
        cmocka_unit_test(cut_short),  cmocka_unit_test(checksums),
        cmocka_unit_test(sizes),      cmocka_unit_test(failing_memory),
        cmocka_unit_test(silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
