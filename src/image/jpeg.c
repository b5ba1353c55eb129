/* jpeg.c - JPEG through libjpeg-turbo: baseline and progressive; grey, YCbCr, RGB, CMYK and YCCK;
 * at full size or a fraction. Why not its defaults: libjpeg exits on errors, prints warnings, and
 * turns the missing half of a file grey. Here every error, and every warning that means lost
 * pixels, leaves through longjmp; what is harmless (stray bytes between markers) is ignored. It
 * does not apply colour profiles. */
#include "image/decoder.h"

#include "base/arithmetic.h"

#include <stdio.h> /* jpeglib.h needs FILE */

#include <jpeglib.h>
#include <setjmp.h>
#include <string.h>

#include <jerror.h> /* after jpeglib.h: its codes are numbered by what that was built with */

/* A sound progressive file has some 10 scans; each is a pass over the whole picture, so a small
 * hostile file could cost hours. */
enum { MAX_SCANS = 100, APP1 = JPEG_APP0 + 1 };

typedef struct reader {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const dp_source *source;
    deeper_status status;
    uint8_t *ink; /* one row of CMYK, or NULL */
} reader;

/* The codes of libjpeg that deserve more than "damaged". A code here that is only a warning to
 * libjpeg is an error to us. */
enum fault { DAMAGED, CUT_SHORT, NO_MEMORY, TOO_LARGE, REFUSED };
static const struct {
    int code;
    enum fault fault;
} faults[] = {
    { JWRN_JPEG_EOF, CUT_SHORT },           { JERR_INPUT_EOF, CUT_SHORT },
    { JERR_OUT_OF_MEMORY, NO_MEMORY },      { JERR_IMAGE_TOO_BIG, TOO_LARGE },
    { JERR_BAD_PRECISION, REFUSED },        { JERR_SOF_UNSUPPORTED, REFUSED },
    { JERR_ARITH_NOTIMPL, REFUSED },        { JERR_COMPONENT_COUNT, REFUSED },
    { JERR_CONVERSION_NOTIMPL, REFUSED },   { JERR_CCIR601_NOTIMPL, REFUSED },
    { JERR_FRACT_SAMPLE_NOTIMPL, REFUSED }, { JWRN_HIT_MARKER, DAMAGED },
    { JWRN_HUFF_BAD_CODE, DAMAGED },
#ifdef D_ARITH_CODING_SUPPORTED
    { JWRN_ARITH_BAD_CODE, DAMAGED },
#endif
    { JWRN_MUST_RESYNC, DAMAGED },
};

static const int fault_count = sizeof faults / sizeof *faults;

static int find_fault(int code) {
    int i = 0;
    while (i < fault_count && faults[i].code != code)
        i++;
    return i;
}

static void on_error(j_common_ptr codec) {
    reader *jpeg = codec->client_data;
    const dp_source *source = jpeg->source;
    char what[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, what);
    int i = find_fault(codec->err->msg_code);
    switch (i < fault_count ? faults[i].fault : DAMAGED) {
    case DAMAGED:
        jpeg->status = dp_source_damaged(source, "JPEG", what);
        break;
    case CUT_SHORT:
        jpeg->status = dp_source_cut_short(source, "JPEG");
        break;
    case NO_MEMORY:
        jpeg->status = dp_fail(source->error, DEEPER_ERROR_MEMORY,
                               "%s: out of memory in the JPEG decoder", source->name);
        break;
    case TOO_LARGE:
        jpeg->status = dp_fail(source->error, DEEPER_ERROR_LIMIT, "%s: %s; make it smaller",
                               source->name, what);
        break;
    case REFUSED:
        jpeg->status =
            dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                    "%s: a kind of JPEG that is not read (%s); save it as plain 8-bit JPEG or PNG",
                    source->name, what);
        break;
    }
    longjmp(jpeg->escape, 1);
}

/* level -1 is a warning, above it is tracing. */
static void on_message(j_common_ptr codec, int level) {
    if (level < 0 && find_fault(codec->err->msg_code) < fault_count)
        on_error(codec);
}

static void print_nothing(j_common_ptr codec) {
}

static void on_progress(j_common_ptr codec) {
    reader *jpeg = codec->client_data;
    if (jpeg->codec.input_scan_number <= MAX_SCANS)
        return;
    jpeg->status = dp_fail(jpeg->source->error, DEEPER_ERROR_LIMIT,
                           "%s: a JPEG of more than %d scans; save it again as plain JPEG",
                           jpeg->source->name, MAX_SCANS);
    longjmp(jpeg->escape, 1);
}

/* The largest of 8, 4, 2, 1 by which the short side may be divided (libjpeg rounds up) and still be
 * >= min_side. */
static unsigned reduction(unsigned width, unsigned height, int min_side) {
    unsigned shorter = width < height ? width : height, by = min_side > 0 ? 8 : 1;
    while (by > 1 && dp_ceil_div64(shorter, by) < min_side)
        by /= 2;
    return by;
}

/* R = (255 - C)(255 - K) / 255. Adobe's files store the inks inverted, 255 being none. */
static void ink_to_rgb(uint8_t *rgb, const uint8_t *ink, int width, bool inverted) {
    unsigned flip = inverted ? 0 : 255;
    for (int x = 0; x < width; x++, rgb += 3, ink += 4)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(((ink[c] ^ flip) * (ink[3] ^ flip) + 127) / 255);
}

static void read_rows(reader *jpeg, dp_image *image) {
    struct jpeg_decompress_struct *codec = &jpeg->codec;
    size_t stride = (size_t)image->width * 3;
    while (codec->output_scanline < codec->output_height) {
        uint8_t *pixels = image->pixels + codec->output_scanline * stride;
        JSAMPROW row = jpeg->ink ? jpeg->ink : pixels;
        jpeg_read_scanlines(codec, &row, 1);
        if (jpeg->ink)
            ink_to_rgb(pixels, jpeg->ink, image->width, codec->saw_Adobe_marker);
    }
}

/* The data of the first marker that begins with `signature`; NULL: there is none. */
static jpeg_saved_marker_ptr find_marker(jpeg_saved_marker_ptr marker, const char *signature,
                                         size_t length) {
    while (marker && (marker->data_length < length || memcmp(marker->data, signature, length) != 0))
        marker = marker->next;
    return marker;
}

static int find_orientation(jpeg_saved_marker_ptr markers) {
    static const char exif_signature[] = "Exif\0", xmp_signature[] = "http://ns.adobe.com/xap/1.0/";
    jpeg_saved_marker_ptr exif = find_marker(markers, exif_signature, sizeof exif_signature),
                          xmp = find_marker(markers, xmp_signature, sizeof xmp_signature);
    int orientation = exif ? dp_exif_orientation(exif->data, exif->data_length) : 0;
    if (!orientation && xmp)
        orientation = dp_xmp_orientation(xmp->data, xmp->data_length);
    return orientation ? orientation : 1;
}

/* A picture of several scans is held as coefficients of its whole size. */
static uint64_t coefficient_bytes(struct jpeg_decompress_struct *codec) {
    uint64_t samples =
        (uint64_t)codec->image_width * codec->image_height * (uint64_t)codec->num_components;
    return jpeg_has_multiple_scans(codec) ? samples * sizeof(JCOEF) : 0;
}

static deeper_status decode(reader *jpeg, dp_image *image, int *orientation) {
    struct jpeg_decompress_struct *codec = &jpeg->codec;
    const dp_source *source = jpeg->source;
    jpeg_create_decompress(codec);
    codec->progress = &jpeg->progress;
    jpeg_mem_src(codec, source->bytes, source->size);
    jpeg_save_markers(codec, APP1, 0xFFFF);
    jpeg_read_header(codec, TRUE);
    *orientation = find_orientation(codec->marker_list);
    DP_TRY(dp_source_check_size(source, codec->image_width, codec->image_height));
    codec->scale_num = 1;
    codec->scale_denom = reduction(codec->image_width, codec->image_height, source->min_side);
    codec->out_color_space = codec->num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_calc_output_dimensions(codec);
    DP_TRY(dp_source_start(source, image, codec->output_width, codec->output_height,
                           coefficient_bytes(codec)));
    if (codec->out_color_space == JCS_CMYK) {
        jpeg->ink = dp_alloc_raw(source->allocator, codec->output_width, 4);
        if (!jpeg->ink)
            return dp_fail_memory(source->error, "a row of a CMYK picture");
    }
    jpeg_start_decompress(codec);
    read_rows(jpeg, image);
    jpeg_finish_decompress(codec); /* reads on to the end marker: a file without one is cut short */
    return DEEPER_OK;
}

deeper_status dp_jpeg_decode(dp_image *image, int *orientation, const dp_source *source) {
    reader jpeg = { .source = source };
    jpeg.codec.err = jpeg_std_error(&jpeg.errors);
    jpeg.codec.client_data = &jpeg;
    jpeg.errors.error_exit = on_error;
    jpeg.errors.emit_message = on_message;
    jpeg.errors.output_message = print_nothing;
    jpeg.progress.progress_monitor = on_progress;
    if (setjmp(jpeg.escape) == 0)
        jpeg.status = decode(&jpeg, image, orientation);
    jpeg_destroy_decompress(&jpeg.codec);
    dp_free(source->allocator, jpeg.ink);
    return jpeg.status;
}
