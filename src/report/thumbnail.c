/* thumbnail.c - see thumbnail.h. */
#include "report/thumbnail.h"

#include "base/arithmetic.h"
#include "image/resize.h"

enum { SIDE = 128 };

void dp_thumbnail(dp_image *thumbnail, const dp_dataset *dataset, size_t index,
                  const deeper_allocator *allocator) {
    const dp_decode_options decode = { .min_side = SIDE };
    dp_image picture;
    *thumbnail = (dp_image){ 0 };
    if (dp_dataset_read(&picture, dataset, index, &decode, allocator, NULL) != DEEPER_OK)
        return;
    int longer = dp_max(picture.width, picture.height);
    int width = picture.width * SIDE / longer, height = picture.height * SIDE / longer;
    dp_image_resize(thumbnail, &picture, NULL, width > 0 ? width : 1, height > 0 ? height : 1,
                    DP_FILTER_AREA, allocator, NULL);
    dp_image_free(&picture);
}
