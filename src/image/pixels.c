/* pixels.c - rows of any of the four formats to rows of RGB, or RGB as it lies. */
#include "image/pixels.h"

#include "image/decoder.h"

#include <string.h>

static void copy_rgb(uint8_t *rgb, const uint8_t *row, size_t width) {
    memcpy(rgb, row, width * 3);
}

static void copy_bgr(uint8_t *rgb, const uint8_t *row, size_t width) {
    for (size_t x = 0; x < width; x++, rgb += 3, row += 3) {
        rgb[0] = row[2];
        rgb[1] = row[1];
        rgb[2] = row[0];
    }
}

static void copy_grey(uint8_t *rgb, const uint8_t *row, size_t width) {
    for (size_t x = 0; x < width; x++, rgb += 3)
        memset(rgb, row[x], 3);
}

static const struct {
    int bytes; /* of a pixel */
    void (*copy)(uint8_t *rgb, const uint8_t *row, size_t width);
} formats[] = {
    [DEEPER_PIXELS_RGB] = { 3, copy_rgb },
    [DEEPER_PIXELS_BGR] = { 3, copy_bgr },
    [DEEPER_PIXELS_GREY] = { 1, copy_grey },
    [DEEPER_PIXELS_RGBA] = { 4, dp_over_white },
};

/* *stride: that of packed rows where the caller's is 0. */
static deeper_status check(const dp_pixels *pixels, ptrdiff_t *stride, deeper_error *error) {
    uint64_t limit = pixels->max_pixels ? pixels->max_pixels : DP_MAX_PIXELS;
    if ((unsigned)pixels->format >= sizeof formats / sizeof *formats)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "format is %d, which is none",
                       (int)pixels->format);
    if (pixels->width < 1 || pixels->height < 1)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "a picture of %dx%d pixels", pixels->width,
                       pixels->height);
    if ((uint64_t)pixels->width > limit / (uint64_t)pixels->height)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%dx%d is more than the limit of %llu pixels",
                       pixels->width, pixels->height, (unsigned long long)limit);
    int64_t row = (int64_t)pixels->width * formats[pixels->format].bytes;
    int64_t step = pixels->stride ? pixels->stride : row;
    /* The last row begins at height - 1 steps: within what an address can be away. */
    int64_t longest = PTRDIFF_MAX / pixels->height;
    if ((step > 0 ? step < row : step > -row) || step > longest || step < -longest)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "stride is %lld; a row of %d pixels has %lld bytes", (long long)step,
                       pixels->width, (long long)row);
    *stride = (ptrdiff_t)step;
    return DEEPER_OK;
}

deeper_status dp_image_from_pixels(dp_image *image, const dp_pixels *pixels,
                                   const deeper_allocator *allocator, deeper_error *error) {
    ptrdiff_t stride = 0;
    *image = (dp_image){ 0 };
    DP_TRY(check(pixels, &stride, error));
    size_t width = (size_t)pixels->width, height = (size_t)pixels->height;
    if (pixels->borrow && pixels->format == DEEPER_PIXELS_RGB) {
        *image = (dp_image){ .width = pixels->width,
                             .height = pixels->height,
                             .pixels = (uint8_t *)pixels->bytes,
                             .stride = stride,
                             .borrowed = true };
        return DEEPER_OK;
    }
    uint8_t *rgb = dp_alloc_raw(allocator, width * height, 3);
    if (!rgb)
        return dp_fail_memory(error, "a copy of the pixels");
    for (size_t y = 0; y < height; y++)
        formats[pixels->format].copy(rgb + y * width * 3, pixels->bytes + (ptrdiff_t)y * stride,
                                     width);
    *image = (dp_image){
        .width = pixels->width, .height = pixels->height, .pixels = rgb, .allocator = allocator
    };
    return DEEPER_OK;
}
