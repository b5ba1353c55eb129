/* png_encode.h - a picture as a PNG file, in memory or on disk: for what a run leaves to look at
 * (preview sheets, thumbnails). What it does not do: transparency, other depths than 8-bit RGB,
 * other formats. */
#ifndef DP_IMAGE_PNG_ENCODE_H
#define DP_IMAGE_PNG_ENCODE_H

#include "image/image.h"

/* Appends to `buffer` a complete PNG file, 8-bit RGB, that decodes to the same pixels. Errors:
 * ARGUMENT (no picture), LIMIT (a side of more than a million pixels), MEMORY (the buffer's limit
 * included); the buffer then holds a part of the file, to be thrown away. */
deeper_status dp_png_encode(dp_buffer *buffer, const dp_image *image, deeper_error *error);

/* The same as the file `path`, written atomically. Scratch is from `allocator`. Errors: also IO. */
deeper_status dp_png_write(const char *path, const dp_image *image,
                           const deeper_allocator *allocator, deeper_error *error);

#endif
