/* bmp.c - Windows and OS/2 bitmaps: 1, 4, 8 bits with a palette; 16, 24, 32 bits; bit fields, with
 * alpha over white; either row order. Run-length coded bitmaps and those that wrap a JPEG or PNG
 * are refused by name: hardly anything writes them. */
#include "image/decoder.h"

enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40, MASKS_AT = FILE_HEADER + INFO_HEADER };
enum { RGB = 0, RLE8 = 1, RLE4 = 2, FIELDS = 3, JPEG = 4, PNG = 5, ALPHA_FIELDS = 6 };

/* Where a colour sits in a 16- or 32-bit pixel. largest: its value when all its bits are set; 0:
 * there is none. */
typedef struct field {
    int shift;
    uint32_t largest;
} field;

typedef struct reader {
    const dp_source *source;
    uint64_t width, height;
    bool top_down;
    unsigned bits, compression;
    size_t header, pixels_at;
    uint8_t palette[256][3]; /* RGB */
    unsigned colours;
    field fields[4]; /* R G B A */
} reader;

static unsigned get16(const reader *bmp, size_t at) {
    return (unsigned)bmp->source->bytes[at] | (unsigned)bmp->source->bytes[at + 1] << 8;
}

static uint32_t get32(const reader *bmp, size_t at) {
    return (uint32_t)get16(bmp, at) | (uint32_t)get16(bmp, at + 2) << 16;
}

static deeper_status damaged(const reader *bmp, const char *what) {
    return dp_source_damaged(bmp->source, "BMP", what);
}

static deeper_status read_header(reader *bmp) {
    const dp_source *source = bmp->source;
    if (source->size < FILE_HEADER + CORE_HEADER)
        return dp_source_cut_short(source, "BMP");
    bmp->pixels_at = get32(bmp, 10);
    bmp->header = get32(bmp, 14);
    if (bmp->header != CORE_HEADER && (bmp->header < INFO_HEADER || bmp->header > 124))
        return damaged(bmp, "a header of unknown size");
    if (source->size < FILE_HEADER + bmp->header)
        return dp_source_cut_short(source, "BMP");
    if (bmp->header == CORE_HEADER) {
        bmp->width = get16(bmp, 18);
        bmp->height = get16(bmp, 20);
        bmp->bits = get16(bmp, 24);
        return DEEPER_OK;
    }
    int64_t width = (int32_t)get32(bmp, 18), height = (int32_t)get32(bmp, 22);
    if (width < 0)
        return damaged(bmp, "a negative width");
    bmp->top_down = height < 0;
    bmp->width = (uint64_t)width;
    bmp->height = (uint64_t)(height < 0 ? -height : height);
    bmp->bits = get16(bmp, 28);
    bmp->compression = get32(bmp, 30);
    bmp->colours = get32(bmp, 46);
    return DEEPER_OK;
}

static deeper_status check_kind(const reader *bmp) {
    static const char *const names[] = { [RLE8] = "run-length coded",
                                         [RLE4] = "run-length coded",
                                         [JPEG] = "JPEG inside",
                                         [PNG] = "PNG inside" };
    unsigned bits = bmp->bits, kind = bmp->compression;
    if (kind < sizeof names / sizeof *names && names[kind])
        return dp_fail(bmp->source->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: this kind of BMP (%s) is not read; convert it to PNG",
                       bmp->source->name, names[kind]);
    if (kind > ALPHA_FIELDS)
        return damaged(bmp, "an unknown compression");
    bool known = kind == RGB
                     ? bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32
                     : bits == 16 || bits == 32;
    return known ? DEEPER_OK : damaged(bmp, "a number of bits per pixel that there is not");
}

/* Entries of B, G, R (and a byte of no meaning unless the header is the old one) after the
 * header. */
static deeper_status read_palette(reader *bmp) {
    size_t entry = bmp->header == CORE_HEADER ? 3 : 4, at = FILE_HEADER + bmp->header;
    unsigned max = 1u << bmp->bits;
    if (bmp->colours == 0 || bmp->colours > max)
        bmp->colours = max;
    if (bmp->colours * entry > bmp->source->size - at)
        return dp_source_cut_short(bmp->source, "BMP");
    for (unsigned i = 0; i < bmp->colours; i++, at += entry)
        for (int c = 0; c < 3; c++)
            bmp->palette[i][c] = bmp->source->bytes[at + 2 - (size_t)c];
    return DEEPER_OK;
}

static deeper_status read_fields(reader *bmp) {
    static const uint32_t masks16[4] = { 0x7C00, 0x03E0, 0x001F, 0 },
                          masks32[4] = { 0xFF0000, 0x00FF00, 0x0000FF, 0 };
    /* The masks lie at the same place whether the header counts them in or they follow it. */
    int stored = bmp->compression == RGB                                 ? 0
                 : bmp->compression == ALPHA_FIELDS || bmp->header >= 56 ? 4
                                                                         : 3;
    if (bmp->source->size < MASKS_AT + 4 * (size_t)stored)
        return dp_source_cut_short(bmp->source, "BMP");
    for (int c = 0; c < 4; c++) {
        uint32_t mask = c < stored        ? get32(bmp, MASKS_AT + 4 * (size_t)c)
                        : stored          ? 0
                        : bmp->bits == 16 ? masks16[c]
                                          : masks32[c];
        if (mask == 0)
            continue;
        int shift = __builtin_ctz(mask);
        uint32_t largest = mask >> shift;
        if ((largest & (largest + 1)) != 0)
            return damaged(bmp, "a bit field with gaps");
        bmp->fields[c] = (field){ shift, largest };
    }
    return DEEPER_OK;
}

static bool palette_row(const reader *bmp, const uint8_t *row, uint8_t *out) {
    unsigned bits = bmp->bits, per_byte = 8 / bits, mask = (1u << bits) - 1;
    for (uint64_t x = 0; x < bmp->width; x++, out += 3) {
        unsigned index = row[x / per_byte] >> (8 - bits - x % per_byte * bits) & mask;
        if (index >= bmp->colours)
            return false;
        for (int c = 0; c < 3; c++)
            out[c] = bmp->palette[index][c];
    }
    return true;
}

static uint32_t read_pixel(const uint8_t *at, size_t bytes) {
    uint32_t pixel = (uint32_t)at[0] | (uint32_t)at[1] << 8;
    return bytes == 4 ? pixel | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24 : pixel;
}

static void field_row(const reader *bmp, const uint8_t *row, uint8_t *out) {
    size_t bytes = bmp->bits / 8;
    for (uint64_t x = 0; x < bmp->width; x++, out += 3, row += bytes) {
        uint32_t pixel = read_pixel(row, bytes);
        uint8_t rgba[4] = { 0, 0, 0, 255 };
        for (int c = 0; c < 4; c++) {
            uint64_t largest = bmp->fields[c].largest;
            if (largest)
                rgba[c] = (uint8_t)(((pixel >> bmp->fields[c].shift & largest) * 255 + largest / 2)
                                    / largest);
        }
        dp_over_white(out, rgba, 1);
    }
}

/* Some programs declare an alpha channel and leave it 0 everywhere: such a picture is opaque. */
static void drop_empty_alpha(reader *bmp, const uint8_t *pixels, uint64_t stride) {
    field *alpha = &bmp->fields[3];
    size_t bytes = bmp->bits / 8;
    uint32_t mask = (uint32_t)alpha->largest << alpha->shift, seen = 0;
    for (uint64_t y = 0; y < bmp->height && mask && !(seen & mask); y++)
        for (const uint8_t *at = pixels + y * stride, *end = at + bmp->width * bytes; at < end;
             at += bytes)
            seen |= read_pixel(at, bytes);
    if (!(seen & mask))
        *alpha = (field){ 0 };
}

static void plain_row(const reader *bmp, const uint8_t *row, uint8_t *out) {
    for (uint64_t x = 0; x < bmp->width; x++, out += 3, row += 3)
        for (int c = 0; c < 3; c++)
            out[c] = row[2 - c];
}

deeper_status dp_bmp_decode(dp_image *image, int *orientation, const dp_source *source) {
    reader bmp = { .source = source };
    DP_TRY(read_header(&bmp));
    DP_TRY(check_kind(&bmp));
    DP_TRY(dp_source_check_size(source, bmp.width, bmp.height));
    if (bmp.bits <= 8)
        DP_TRY(read_palette(&bmp));
    else if (bmp.bits != 24)
        DP_TRY(read_fields(&bmp));

    /* Rows are padded to 4 bytes; some writers leave the padding of the last one out. */
    uint64_t row_bytes = (bmp.width * bmp.bits + 7) / 8, stride = (row_bytes + 3) / 4 * 4;
    if (bmp.pixels_at > source->size
        || stride * (bmp.height - 1) + row_bytes > source->size - bmp.pixels_at)
        return dp_source_cut_short(source, "BMP");
    DP_TRY(dp_source_start(source, image, bmp.width, bmp.height, 0));
    if (bmp.bits == 16 || bmp.bits == 32)
        drop_empty_alpha(&bmp, source->bytes + bmp.pixels_at, stride);
    for (uint64_t y = 0; y < bmp.height; y++) {
        const uint8_t *row = source->bytes + bmp.pixels_at + stride * y;
        uint8_t *out = image->pixels + (bmp.top_down ? y : bmp.height - 1 - y) * bmp.width * 3;
        if (bmp.bits <= 8) {
            if (!palette_row(&bmp, row, out))
                return damaged(&bmp, "a colour that its palette does not have");
        } else if (bmp.bits == 24) {
            plain_row(&bmp, row, out);
        } else {
            field_row(&bmp, row, out);
        }
    }
    return DEEPER_OK;
}
