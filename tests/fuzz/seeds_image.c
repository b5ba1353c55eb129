/* seeds_image.c - seeds for fuzz_image: a few tiny pictures of each format and variant, and the
 * openings of formats that are refused.
 *
 *     seeds_image FOLDER        fills FOLDER/fuzz_image */
#include "helpers/pictures.h"
#include "helpers/seeds.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(text) text, sizeof text - 1

static void save_made(test_bytes file) {
    seeds_save(file.bytes, file.size);
    free(file.bytes);
}

static void jpegs(void) {
    for (int model = TEST_GREY; model <= TEST_CMYK_PLAIN; model++) {
        test_jpeg jpeg = { .width = 9, .height = 17, .orientation = model + 1 };
        jpeg.model = (test_jpeg_model)model;
        save_made(test_make_jpeg(&jpeg));
        jpeg.progressive = jpeg.big_endian = true;
        jpeg.subsampled = model != TEST_GREY;
        save_made(test_make_jpeg(&jpeg));
    }
    save_made(test_make_jpeg(
        &(test_jpeg){ .width = 8, .height = 8, .model = TEST_YCBCR, .scans = true }));
}

static void pngs(void) {
    static const struct {
        int colour, depth;
    } kinds[] = { { PNG_COLOR_TYPE_GRAY, 1 },       { PNG_COLOR_TYPE_GRAY, 16 },
                  { PNG_COLOR_TYPE_RGB, 8 },        { PNG_COLOR_TYPE_PALETTE, 4 },
                  { PNG_COLOR_TYPE_GRAY_ALPHA, 8 }, { PNG_COLOR_TYPE_RGB_ALPHA, 16 } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            test_png png = { .width = 9,
                             .height = 7,
                             .colour = kinds[i].colour,
                             .depth = kinds[i].depth,
                             .interlaced = interlaced };
            png.transparent = !(png.colour & PNG_COLOR_MASK_ALPHA);
            png.comment = interlaced;
            png.orientation = interlaced ? 5 : 0;
            save_made(test_make_png(&png));
        }
}

static void bmps(void) {
    static const test_bmp kinds[] = {
        { 9, 5, 12, 1, 0, { 0 }, 0, false },
        { 9, 5, 40, 4, 0, { 0 }, 9, true },
        { 9, 5, 12, 24, 0, { 0 }, 0, false },
        { 9, 5, 40, 16, 0, { 0x7C00, 0x03E0, 0x001F, 0 }, 0, false },
        { 9, 5, 40, 32, 6, { 0xFF, 0xFF00, 0xFF0000, 0xFF000000 }, 0, true },
        { 9, 5, 124, 32, 3, { 0xFF0000, 0xFF00, 0xFF, 0xFF000000 }, 0, false },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        save_made(test_make_bmp(&kinds[i]));
}

static void texts(void) {
    static const struct {
        const char *bytes;
        size_t size;
    } files[] = {
        { TEXT("P1 #c\n3 2\n101 0 1 0\n") },
        { TEXT("P2 2 2 3 0 1 2 3\n") },
        { TEXT("P3 1 2 255 1 2 3 255 254 253\n") },
        { TEXT("P4 9 2\n\x5F\x80\x7F\x00") },
        { TEXT("P5 2 2 10\n\x01\x02\x03\x0A") },
        { TEXT("P6 1 2 65535\n\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C") },
        { TEXT("GIF89a\x01\0\x01\0") },
        { TEXT("<?xml version=\"1.0\"?>\n<svg>") },
        { TEXT("<!doctype html><html>") },
        { TEXT("version https://git-lfs.github.com/spec/v1\n") },
        { TEXT("words\n") },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        seeds_save(files[i].bytes, files[i].size);
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_image");
    jpegs();
    pngs();
    bmps();
    for (int i = 0; i < TEST_WEBPS; i++)
        save_made(test_make_webp((test_webp)i));
    texts();
    return 0;
}
