/* pictures.c - the encoders behind pictures.h. They exit on failure: only a broken test or codec
 * makes them fail. */
#include "helpers/pictures.h"

#include <stdio.h> /* jpeglib.h needs FILE */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

unsigned test_sample(int x, int y, int c, unsigned maxval) {
    /* A triangle wave along a slope of its own for each channel: period 64 up and 64 down, so a
     * step of (2 + c) / 64 at most. */
    int phase = (x * (2 + c % 2) + y * (1 + c) + 11 * c) % 128;
    unsigned level = (unsigned)(phase < 64 ? phase : 127 - phase);
    return (unsigned)(((uint64_t)level * maxval + 31) / 63);
}

uint8_t test_palette(int index, int c) {
    return (uint8_t)(index * (3 + 2 * c) + 40 * c);
}

void test_make_exif(uint8_t exif[TEST_EXIF_SIZE], int orientation, bool big_endian) {
    static const uint8_t little[TEST_EXIF_SIZE] = { 'I', 'I', 42,   0,    8, 0, 0, 0,
                                                    1,   0,   0x12, 0x01, 3, 0, 1 };
    static const uint8_t big[TEST_EXIF_SIZE] = { 'M', 'M',  0,    42, 0, 0, 0, 8, 0,
                                                 1,   0x01, 0x12, 0,  3, 0, 0, 0, 1 };
    memcpy(exif, big_endian ? big : little, TEST_EXIF_SIZE);
    exif[big_endian ? 19 : 18] = (uint8_t)orientation;
}

/* 190 scans: the DC of all components, then every AC coefficient of every component alone. */
static void set_many_scans(struct jpeg_compress_struct *codec, jpeg_scan_info scans[190]) {
    scans[0] = (jpeg_scan_info){ .comps_in_scan = 3, .component_index = { 0, 1, 2 } };
    for (int i = 1; i < 190; i++)
        scans[i] = (jpeg_scan_info){ .comps_in_scan = 1,
                                     .component_index = { (i - 1) / 63 },
                                     .Ss = 1 + (i - 1) % 63,
                                     .Se = 1 + (i - 1) % 63 };
    codec->scan_info = scans;
    codec->num_scans = 190;
}

test_bytes test_make_jpeg(const test_jpeg *options) {
    static const struct {
        int components;
        J_COLOR_SPACE in, stored;
    } models[] = { [TEST_GREY] = { 1, JCS_GRAYSCALE, JCS_GRAYSCALE },
                   [TEST_YCBCR] = { 3, JCS_RGB, JCS_YCbCr },
                   [TEST_RGB] = { 3, JCS_RGB, JCS_RGB },
                   [TEST_CMYK] = { 4, JCS_CMYK, JCS_CMYK },
                   [TEST_YCCK] = { 4, JCS_CMYK, JCS_YCCK },
                   [TEST_CMYK_PLAIN] = { 4, JCS_CMYK, JCS_CMYK } };
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    jpeg_scan_info scans[190];
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &bytes, &size);
    codec.image_width = (JDIMENSION)options->width;
    codec.image_height = (JDIMENSION)options->height;
    codec.input_components = models[options->model].components;
    codec.in_color_space = models[options->model].in;
    jpeg_set_defaults(&codec);
    jpeg_set_colorspace(&codec, models[options->model].stored);
    jpeg_set_quality(&codec, 100, TRUE);
    codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor =
        options->subsampled ? 2 : 1;
    if (options->model == TEST_YCCK)
        codec.comp_info[3].h_samp_factor = codec.comp_info[3].v_samp_factor =
            codec.comp_info[0].h_samp_factor;
    if (options->model == TEST_CMYK_PLAIN)
        codec.write_Adobe_marker = FALSE;
    if (options->progressive)
        jpeg_simple_progression(&codec);
    if (options->scans)
        set_many_scans(&codec, scans);
    jpeg_start_compress(&codec, TRUE);
    if (options->orientation) {
        uint8_t marker[6 + TEST_EXIF_SIZE] = "Exif";
        test_make_exif(marker + 6, options->orientation, options->big_endian);
        jpeg_write_marker(&codec, JPEG_APP0 + 1, marker, sizeof marker);
    }
    uint8_t *row = malloc((size_t)options->width * 4);
    for (int y = 0; y < options->height; y++) {
        for (int x = 0; x < options->width; x++)
            for (int c = 0; c < codec.input_components; c++)
                row[x * codec.input_components + c] = (uint8_t)test_sample(x, y, c, 255);
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    free(row);
    return (test_bytes){ bytes, size };
}

static void png_append(png_structp codec, png_bytep bytes, size_t size) {
    test_bytes *out = png_get_io_ptr(codec);
    out->bytes = realloc(out->bytes, out->size + size);
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void png_flush_nothing(png_structp codec) {
}

static void set_palette(png_structp codec, png_infop info, const test_png *options) {
    png_color palette[256];
    uint8_t alpha[16];
    int count = 1 << options->depth;
    for (int i = 0; i < count; i++)
        palette[i] = (png_color){ test_palette(i, 0), test_palette(i, 1), test_palette(i, 2) };
    for (int i = 0; i < 16; i++)
        alpha[i] = (uint8_t)(16 * i);
    png_set_PLTE(codec, info, palette, count);
    if (options->transparent)
        png_set_tRNS(codec, info, alpha, count < 16 ? count : 16, NULL);
}

test_bytes test_make_png(const test_png *options) {
    test_bytes out = { NULL, 0 };
    png_structp codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(codec);
    png_set_write_fn(codec, &out, png_append, png_flush_nothing);
    png_set_IHDR(codec, info, (png_uint_32)options->width, (png_uint_32)options->height,
                 options->depth, options->colour,
                 options->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    unsigned maxval = (1u << options->depth) - 1;
    png_color_16 key = { .red = (png_uint_16)test_sample(0, 0, 0, maxval),
                         .green = (png_uint_16)test_sample(0, 0, 1, maxval),
                         .blue = (png_uint_16)test_sample(0, 0, 2, maxval),
                         .gray = (png_uint_16)test_sample(0, 0, 0, maxval) };
    if (options->colour == PNG_COLOR_TYPE_PALETTE)
        set_palette(codec, info, options);
    else if (options->transparent)
        png_set_tRNS(codec, info, NULL, 0, &key);
    uint8_t exif[TEST_EXIF_SIZE];
    test_make_exif(exif, options->orientation, true);
    if (options->orientation)
        png_set_eXIf_1(codec, info, sizeof exif, exif);
    char keyword[] = "Comment", text[] = "made by a test";
    png_text comment = { .compression = PNG_TEXT_COMPRESSION_NONE, .key = keyword, .text = text };
    if (options->comment)
        png_set_text(codec, info, &comment, 1);
    png_write_info(codec, info);
    png_set_packing(codec); /* one sample a byte below 8 bits */

    int channels = png_get_channels(codec, info);
    size_t wide = options->depth == 16 ? 2 : 1,
           stride = (size_t)options->width * (size_t)channels * wide;
    uint8_t *rows = malloc(stride * (size_t)options->height);
    for (int y = 0; y < options->height; y++)
        for (int i = 0; i < options->width * channels; i++) {
            unsigned sample = test_sample(i / channels, y, i % channels, maxval);
            uint8_t *at = rows + (size_t)y * stride + (size_t)i * wide;
            at[0] = (uint8_t)(wide == 2 ? sample >> 8 : sample);
            at[wide - 1] = (uint8_t)sample;
        }
    for (int pass = options->interlaced ? png_set_interlace_handling(codec) : 1; pass > 0; pass--)
        for (int y = 0; y < options->height; y++)
            png_write_row(codec, rows + (size_t)y * stride);
    png_write_end(codec, NULL);
    png_destroy_write_struct(&codec, &info);
    free(rows);
    return out;
}
