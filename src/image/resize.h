/* resize.h - resampling of pictures, the same numbers as Pillow's resize. Why Pillow's: most
 * published weights were trained and measured on its pixels, so its anti-aliased filters are part
 * of the model. */
#ifndef DP_IMAGE_RESIZE_H
#define DP_IMAGE_RESIZE_H

#include "image/image.h"

typedef enum dp_filter {
    DP_FILTER_NEAREST,  /* the pixel under the centre of the output pixel */
    DP_FILTER_BILINEAR, /* triangle, support 1 */
    DP_FILTER_AREA,     /* box, support 1/2: Pillow's BOX, the plain mean when shrinking by a whole
                           number */
    DP_FILTER_BICUBIC   /* cubic convolution with a = -1/2, support 2 */
} dp_filter;

/* "nearest", "bilinear", "area", "bicubic", as the model file keeps them. */
const char *dp_filter_name(dp_filter filter);
bool dp_filter_from_name(dp_filter *filter, const char *name); /* false: no such filter */

/* A side of a resized picture may be at most this. */
enum { DP_RESIZE_MAX_SIDE = 1 << 20 };

/* *out (new memory from `allocator`, freed by dp_image_free) = the part box = {x0, y0, x1, y1} of
 * `in` (in pixels, fractions allowed, 0 <= x0 < x1 <= width; NULL: all of it), resampled to width x
 * height. With s = (x1 - x0) / width, output column i is
 *     sum_j in[j] * f((j + 1/2 - c) / max(s, 1)) / sum_j f(...),   c = x0 + (i + 1/2) s,
 * over the pixels j of the whole picture, so it is anti-aliased when it shrinks; rows likewise;
 * columns first, rounded to 8 bits after each; weights have 22 fractional bits. `out` may not be
 * `in`. Equal to resize(size, filter, box=box) of Pillow up to version 12. Version 13 takes rows
 * first where a picture loses much more height than width, which moves levels by 1 (by more only
 * where the cubic overshoots black or white). Errors: ARGUMENT (empty or outside box, size not in
 * 1..DP_RESIZE_MAX_SIDE), LIMIT (a side of `in` above it), MEMORY; *out is then zero. */
deeper_status dp_image_resize(dp_image *out, const dp_image *in, const double box[4], int width,
                              int height, dp_filter filter, const deeper_allocator *allocator,
                              deeper_error *error);

/* The same, but computes only the part region = {x, y, w, h} of the width x height result (the very
 * same bits): a crop costs and holds only its own pixels. Errors also: ARGUMENT if the region is
 * empty or not inside the result. */
deeper_status dp_image_resize_region(dp_image *out, const dp_image *in, const double box[4],
                                     int width, int height, const int region[4], dp_filter filter,
                                     const deeper_allocator *allocator, deeper_error *error);

#endif
