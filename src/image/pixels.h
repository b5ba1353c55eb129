/* pixels.h - a picture from pixels in memory, as a camera, a decoder of the caller's or an array
 * has them. */
#ifndef DP_IMAGE_PIXELS_H
#define DP_IMAGE_PIXELS_H

#include "image/image.h"

#include <deeper/deeper.h>

/* What deeper_image_from_pixels takes. */
typedef struct dp_pixels {
    const uint8_t *bytes; /* of the top row */
    int width, height;
    ptrdiff_t stride; /* 0: packed */
    deeper_pixel_format format;
    bool borrow;         /* RGB is not copied */
    uint64_t max_pixels; /* 0: DP_MAX_PIXELS */
} dp_pixels;

/* Errors: ARGUMENT (a size, stride or format that is none), LIMIT, MEMORY; *image is then zero.
 * Freed by dp_image_free. */
deeper_status dp_image_from_pixels(dp_image *image, const dp_pixels *pixels,
                                   const deeper_allocator *allocator, deeper_error *error);

#endif
