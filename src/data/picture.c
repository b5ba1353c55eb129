/* picture.c - a file's bytes handed to the decoder. The bytes are read, not mapped: a file that
 * shrinks while it is mapped would kill the process. */
#include "data/picture.h"

#include "base/files.h"

deeper_status dp_picture_read(dp_image *image, const char *path, const dp_decode_options *options,
                              const deeper_allocator *allocator, deeper_error *error) {
    void *bytes = NULL;
    size_t size = 0;
    *image = (dp_image){ 0 };
    DP_TRY(dp_file_read(&bytes, &size, path, DP_PICTURE_BYTES, allocator, error));
    deeper_status status = dp_image_decode(image, bytes, size, path, options, allocator, error);
    dp_free(allocator, bytes);
    return status;
}
