/* decoder.h - what the decoders of one format share: the bytes they read, how pixels are had,
 * orientation, alpha. Why here: private to src/image. A decoder is one file, one row in image.c and
 * one line below; docs/ADDING.md has the steps. */
#ifndef DP_IMAGE_DECODER_H
#define DP_IMAGE_DECODER_H

#include "image/image.h"

/* The bytes of one picture and the terms of its decoding. */
typedef struct dp_source {
    const uint8_t *bytes;
    size_t size;
    const char *name;         /* starts every message */
    dp_picture_limits limits; /* none is 0 */
    dp_budget *budget;
    int min_side;
    bool as_stored; /* for what turns a picture itself: it shall not */
    const deeper_allocator *allocator;
    deeper_error *error;
} dp_source;

/* A decoder: the source's signature has been seen. Fills *image (zero on entry; what it holds on
 * failure is freed by the caller) and sets *orientation to the EXIF value 1..8 where the file has
 * one (1 on entry). */
typedef deeper_status dp_decoder(dp_image *image, int *orientation, const dp_source *source);
dp_decoder dp_jpeg_decode, dp_png_decode, dp_webp_decode, dp_pnm_decode, dp_bmp_decode,
    dp_gif_decode, dp_tiff_decode, dp_heif_decode;

/* The source begins with `pattern` of `length` bytes, in which '?' stands for any byte. */
bool dp_source_begins(const dp_source *source, const char *pattern, size_t length);

/* FORMAT or LIMIT unless width and height are >= 1 and width x height <= max_pixels (and each fits
 * an int). */
deeper_status dp_source_check_size(const dp_source *source, uint64_t width, uint64_t height);

/* Checks the size and takes memory for the pixels (not cleared). more: bytes that the
 * decoder takes besides, until it returns. Waits where others have the memory. */
deeper_status dp_source_start(const dp_source *source, dp_image *image, uint64_t width,
                              uint64_t height, uint64_t more);

/* The two commonest failures, worded alike for every format: the file ends too early; `what` is
 * wrong with it. */
deeper_status dp_source_cut_short(const dp_source *source, const char *format);
deeper_status dp_source_damaged(const dp_source *source, const char *format, const char *what);

/* Of a format whose library this build is without: UNSUPPORTED, with the package that has it. */
deeper_status dp_source_without(const dp_source *source, const char *format, const char *package);

/* Says what a source is that no decoder takes: a known format with its remedy (UNSUPPORTED), a web
 * page, text, unknown (FORMAT). */
deeper_status dp_source_refuse(const dp_source *source);

/* rgb[i] = rgba[i] composed over white with 8-bit alpha, rounded; `count` pixels. The rows may not
 * overlap. */
void dp_over_white(uint8_t *rgb, const uint8_t *rgba, size_t count);

/* The orientation (1..8; 1 also for a value that there is not) of EXIF data, with or without the
 * "Exif\0\0" in front, or of XMP text; 0 where it says none or is damaged. */
int dp_exif_orientation(const uint8_t *bytes, size_t size);
int dp_xmp_orientation(const uint8_t *bytes, size_t size);

/* png_orientation.c: the orientation (1..8) that a PNG says in any of its ways. Errors: MEMORY. */
deeper_status dp_png_orientation(int *orientation, const dp_source *source);

/* Turns and mirrors the picture so that EXIF orientation 1..8 becomes 1. Errors: MEMORY; the
 * picture is then unchanged. */
deeper_status dp_image_orient(dp_image *image, int orientation, deeper_error *error);

#endif
