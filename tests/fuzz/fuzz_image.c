/* fuzz_image.c - any bytes as a picture, decoded and made small. Checked by the sanitizers: what a
 * decoder reads, and that every pixel of a good answer is there. Small limits on pixels and time
 * keep a run of the fuzzer quick.
 *
 * covers: src/image/image.c src/image/foreign.c src/image/orient.c src/image/jpeg.c
 *   src/image/png.c src/image/webp.c src/image/pnm.c src/image/bmp.c */
#include "helpers/fuzz.h"
#include "image/resize.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_decode_options options = { .limits.max_pixels = 1 << 20, .min_side = size % 64 };
    deeper_error error = { 0 };
    dp_image image, small;
    deeper_status status = dp_image_decode(&image, data, size, "input", &options, NULL, &error);
    if (status != DEEPER_OK) {
        if (image.pixels || error.status != status || error.message[0] == '\0')
            abort();
        return 0;
    }
    dp_filter filter = (dp_filter)(size % (DP_FILTER_BICUBIC + 1));
    if (dp_image_resize(&small, &image, NULL, 9, 7, filter, NULL, &error) == DEEPER_OK)
        dp_image_free(&small);
    dp_image_free(&image);
    return 0;
}
