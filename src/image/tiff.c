/* tiff.c - the first page of a TIFF through libtiff: any depth and colour model that it makes 8-bit
 * RGBA of, transparency over white. Camera raw formats have the same first bytes and hold only a
 * thumbnail there: they are refused. Built without libtiff, every TIFF is refused with the
 * remedy. */
#include "image/decoder.h"

#ifdef DP_HAVE_TIFF

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

typedef struct reader {
    const dp_source *source;
    uint64_t at;
    char what[128]; /* the first complaint; empty: none */
} reader;

/* libtiff maps the whole "file"; the other callbacks are for what it reads before. */
static tmsize_t on_read(thandle_t handle, void *bytes, tmsize_t size) {
    reader *r = handle;
    uint64_t left = r->at < r->source->size ? r->source->size - r->at : 0;
    size_t taken = (uint64_t)size < left ? (size_t)size : (size_t)left;
    memcpy(bytes, r->source->bytes + (taken ? r->at : 0), taken);
    r->at += taken;
    return (tmsize_t)taken;
}

static tmsize_t on_write(thandle_t handle, void *bytes, tmsize_t size) {
    return -1;
}

static toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
    reader *r = handle;
    r->at = offset + (whence == SEEK_CUR ? r->at : whence == SEEK_END ? r->source->size : 0);
    return r->at;
}

static int on_close(thandle_t handle) {
    return 0;
}

static toff_t on_size(thandle_t handle) {
    return ((const reader *)handle)->source->size;
}

static int on_map(thandle_t handle, void **bytes, toff_t *size) {
    const reader *r = handle;
    *bytes = (void *)r->source->bytes; /* only read */
    *size = r->source->size;
    return 1;
}

static void on_unmap(thandle_t handle, void *bytes, toff_t size) {
}

static int on_error(TIFF *tiff, void *context, const char *module, const char *format,
                    va_list list) {
    reader *r = context;
    if (!r->what[0])
        vsnprintf(r->what, sizeof r->what, format, list);
    for (char *c = r->what; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    return 1;
}

static int on_warning(TIFF *tiff, void *context, const char *module, const char *format,
                      va_list list) {
    return 1;
}

static deeper_status fail(const reader *r) {
    return dp_source_damaged(r->source, "TIFF", r->what[0] ? r->what : "libtiff stopped");
}

/* libtiff's pixels: red in the low byte, colours multiplied by alpha. */
static void over_white(uint8_t *rgb, const uint32_t *rgba, size_t count) {
    for (size_t i = 0; i < count; i++, rgb += 3) {
        unsigned white = 255 - TIFFGetA(rgba[i]), red = TIFFGetR(rgba[i]) + white,
                 green = TIFFGetG(rgba[i]) + white, blue = TIFFGetB(rgba[i]) + white;
        rgb[0] = (uint8_t)(red < 255 ? red : 255);
        rgb[1] = (uint8_t)(green < 255 ? green : 255);
        rgb[2] = (uint8_t)(blue < 255 ? blue : 255);
    }
}

/* Rows come as they are stored, so that orientation is applied where that of all formats is. */
static deeper_status decode(reader *r, TIFF *tiff, dp_image *image, int *orientation) {
    const dp_source *source = r->source;
    uint32_t width = 0, height = 0, kind = 0;
    uint16_t stored = ORIENTATION_TOPLEFT;
    void *version = NULL;
    char why[1024];
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &stored);
    if (kind & FILETYPE_REDUCEDIMAGE || TIFFGetField(tiff, TIFFTAG_DNGVERSION, &version)
        || dp_source_begins(source, "\?\?\?\?\?\?\?\?CR", 10))
        return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: a camera's raw format is not read; convert it to JPEG or PNG",
                       source->name);
    if (!TIFFRGBAImageOK(tiff, why))
        return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: this kind of TIFF is not read (%.200s); convert it to JPEG or PNG",
                       source->name, why);
    DP_TRY(dp_source_start(source, image, width, height, 4 * (uint64_t)width * height));
    if (stored < ORIENTATION_TOPLEFT || stored > ORIENTATION_LEFTBOT)
        stored = ORIENTATION_TOPLEFT;
    size_t count = (size_t)width * height;
    uint32_t *rgba = dp_alloc_raw(source->allocator, count, sizeof *rgba);
    if (!rgba)
        return dp_fail(source->error, DEEPER_ERROR_MEMORY, "%s: out of memory in the TIFF decoder",
                       source->name);
    bool sound = TIFFReadRGBAImageOriented(tiff, width, height, rgba, stored, 1) && !r->what[0];
    if (sound)
        over_white(image->pixels, rgba, count);
    dp_free(source->allocator, rgba);
    *orientation = stored;
    return sound ? DEEPER_OK : fail(r);
}

deeper_status dp_tiff_decode(dp_image *image, int *orientation, const dp_source *source) {
    reader r = { .source = source };
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return dp_fail_memory(source->error, "the TIFF decoder");
    uint64_t bytes = source->limits.max_memory << 20;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options,
                                        (tmsize_t)(bytes < PTRDIFF_MAX ? bytes : PTRDIFF_MAX));
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, &r);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, &r);
    TIFF *tiff = TIFFClientOpenExt("", "r", &r, on_read, on_write, on_seek, on_close, on_size,
                                   on_map, on_unmap, options);
    TIFFOpenOptionsFree(options);
    if (!tiff)
        return fail(&r);
    deeper_status status = decode(&r, tiff, image, orientation);
    TIFFClose(tiff);
    return status;
}

#else

deeper_status dp_tiff_decode(dp_image *image, int *orientation, const dp_source *source) {
    return dp_source_without(source, "TIFF", "libtiff-dev");
}

#endif
