/* pictures_bmp.c - writes the bitmaps of pictures.h, field by field as the format's description has
 * them. */
#include "helpers/pictures.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40 };

static void put(uint8_t *at, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t pixel(const test_bmp *options, int x, int y) {
    if (options->bits <= 8)
        return test_sample(x, y, 0, (1u << options->bits) - 1);
    if (options->bits == 24)
        return test_sample(x, y, 0, 255) << 16 | test_sample(x, y, 1, 255) << 8
               | test_sample(x, y, 2, 255);
    uint32_t value = 0;
    for (int c = 0; c < 4; c++)
        if (options->masks[c]) {
            int shift = __builtin_ctz(options->masks[c]);
            value |= test_sample(x, y, c, options->masks[c] >> shift) << shift;
        }
    return value;
}

/* Pixels below a byte start at its high bits. */
static void put_row(uint8_t *row, const test_bmp *options, int y) {
    for (int x = 0; x < options->width; x++) {
        if (options->bits >= 8)
            put(row + x * options->bits / 8, pixel(options, x, y), options->bits / 8);
        else
            row[x * options->bits / 8] |=
                (uint8_t)(pixel(options, x, y) << (8 - options->bits - x * options->bits % 8));
    }
}

static void put_header(uint8_t *at, const test_bmp *options, size_t size, size_t pixels_at) {
    memcpy(at, "BM", 2);
    put(at + 2, (uint32_t)size, 4);
    put(at + 10, (uint32_t)pixels_at, 4);
    put(at + 14, (uint32_t)options->header, 4);
    if (options->header == CORE_HEADER) {
        put(at + 18, (uint32_t)options->width, 2);
        put(at + 20, (uint32_t)options->height, 2);
        put(at + 22, 1, 2);
        put(at + 24, (uint32_t)options->bits, 2);
        return;
    }
    put(at + 18, (uint32_t)options->width, 4);
    put(at + 22, (uint32_t)(options->top_down ? -options->height : options->height), 4);
    put(at + 26, 1, 2);
    put(at + 28, (uint32_t)options->bits, 2);
    put(at + 30, (uint32_t)options->compression, 4);
    put(at + 46, (uint32_t)options->colours, 4);
    if (options->compression)
        for (int c = 0; c < (options->header == INFO_HEADER && options->compression == 3 ? 3 : 4);
             c++)
            put(at + FILE_HEADER + INFO_HEADER + 4 * c, options->masks[c], 4);
}

test_bytes test_make_bmp(const test_bmp *options) {
    size_t colours = options->bits > 8  ? 0
                     : options->colours ? (size_t)options->colours
                                        : (size_t)1 << options->bits;
    size_t entry = options->header == CORE_HEADER ? 3 : 4;
    size_t masks = options->header == INFO_HEADER ? (options->compression == 3   ? 12
                                                     : options->compression == 6 ? 16
                                                                                 : 0)
                                                  : 0;
    size_t palette_at = (size_t)(FILE_HEADER + options->header) + masks,
           pixels_at = palette_at + colours * entry;
    size_t stride = ((size_t)options->width * (size_t)options->bits + 31) / 32 * 4;
    size_t size = pixels_at + stride * (size_t)options->height;
    test_bytes out = { calloc(size, 1), size };
    put_header(out.bytes, options, size, pixels_at);
    for (size_t i = 0; i < colours; i++)
        for (int c = 0; c < 3; c++)
            out.bytes[palette_at + i * entry + 2 - (size_t)c] = test_palette((int)i, c);
    for (int y = 0; y < options->height; y++)
        put_row(out.bytes + pixels_at
                    + stride * (size_t)(options->top_down ? y : options->height - 1 - y),
                options, y);
    return out;
}
