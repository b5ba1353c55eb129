/* pictures.h - pictures for tests, made on the spot: levels by formula, encoded with libjpeg and
 * libpng (never a stored photo). Why here: the decoder tests, the fuzz seeds and every test that
 * needs "some JPEG" draw from one place. */
#ifndef TESTS_HELPERS_PICTURES_H
#define TESTS_HELPERS_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An encoded file; bytes are freed with free(). */
typedef struct test_bytes {
    uint8_t *bytes;
    size_t size;
} test_bytes;

/* Sample c of pixel (x, y), 0..maxval: no two rows, columns or channels alike, and smooth (steps of
 * at most 1/16), so that a JPEG of quality 100 keeps it within a few levels. */
unsigned test_sample(int x, int y, int c, unsigned maxval);

/* The colour models that a JPEG may store. */
typedef enum test_jpeg_model {
    TEST_GREY,
    TEST_YCBCR,
    TEST_RGB,
    TEST_CMYK,
    TEST_YCCK,
    TEST_CMYK_PLAIN
} test_jpeg_model;

typedef struct test_jpeg {
    int width, height;
    test_jpeg_model
        model; /* ..._PLAIN: without Adobe's marker, so that the inks are not inverted */
    bool progressive;
    bool scans; /* progressive with 190 scans, one for each coefficient of each component (colour
                   models of three only) */
    bool subsampled; /* chroma at half size */
    int orientation; /* EXIF; 0: no EXIF block */
    bool big_endian; /* of the EXIF block */
} test_jpeg;

/* Quality 100; sample c of pixel (x, y) is test_sample(x, y, c, 255) in the order R G B, C M Y K as
 * stored, or grey. */
test_bytes test_make_jpeg(const test_jpeg *options);

typedef struct test_png {
    int width, height;
    int colour; /* PNG_COLOR_TYPE_... */
    int depth;
    bool interlaced, transparent; /* transparent: a tRNS chunk: the colour of pixel (0, 0), or
                                     palette entry i with alpha 16 i */
    int orientation;              /* eXIf; 0: none */
    bool comment;                 /* a tEXt chunk */
} test_png;

/* Sample c of pixel (x, y) is test_sample(x, y, c, 2^depth - 1); palette entry i is test_palette(i,
 * c). */
test_bytes test_make_png(const test_png *options);
uint8_t test_palette(int index, int c);

typedef struct test_bmp {
    int width, height;
    int header; /* bytes: 12, 40, 52, 56, 108 or 124 */
    int bits;
    int compression;   /* 0: plain, 3: bit fields, 6: bit fields with alpha */
    uint32_t masks[4]; /* R G B A of bit fields; for plain 16 and 32 bits what the format fixes must
                          be given */
    int colours;       /* palette entries; 0: all that the bits allow */
    bool top_down;
} test_bmp;

/* Palette indices are test_sample(x, y, 0, 2^bits - 1); samples of 24 bits and of fields
 * test_sample(x, y, c, largest). */
test_bytes test_make_bmp(const test_bmp *options);

/* WebP files as byte tables, so that no encoder is needed. They are 3x2 with levels R = 40 i, G =
 * 255 - 30 i, B = 7 i, A = 51 i of pixel i (lossless), 16x16 of R = 200, G = 100, B = 50, A = 128
 * (lossy) and 2x2 (animated, red and blue). */
typedef enum test_webp {
    TEST_WEBP_LOSSLESS,
    TEST_WEBP_EXIF, /* orientation 6 */
    TEST_WEBP_ALPHA,
    TEST_WEBP_LOSSY,
    TEST_WEBP_LOSSY_ALPHA,
    TEST_WEBP_ANIMATED,
    TEST_WEBPS
} test_webp;
test_bytes test_make_webp(test_webp which); /* a copy, freed with free() */

/* An EXIF block (TIFF form, without "Exif\0\0") of TEST_EXIF_SIZE bytes that holds the orientation
 * alone. */
enum { TEST_EXIF_SIZE = 26 };
void test_make_exif(uint8_t exif[TEST_EXIF_SIZE], int orientation, bool big_endian);

#endif
