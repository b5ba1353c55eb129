/* picture.h - a picture from a path: the one way in which deeper opens picture files. Why here: the
 * public deeper_image and the loader must give the same pixels and the same messages. */
#ifndef DP_DATA_PICTURE_H
#define DP_DATA_PICTURE_H

#include "image/image.h"

/* A file larger than this is refused before memory is taken for it. */
enum { DP_PICTURE_BYTES = 1 << 30 };

/* Reads and decodes the file at `path`; the file is closed before decoding begins. Errors: those of
 * dp_file_read and dp_image_decode, with the path in front. On failure *image is all zero. Freed by
 * dp_image_free. */
deeper_status dp_picture_read(dp_image *image, const char *path, const dp_decode_options *options,
                              const deeper_allocator *allocator, deeper_error *error);

#endif
