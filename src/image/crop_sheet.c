/* crop_sheet.c - see crop_sheet.h. */
#include "image/crop_sheet.h"

#include "image/crops.h"
#include "image/sheet.h"

enum { MARGIN = 4 }; /* between the crops */

deeper_status dp_crop_sheet_write(const char *path, const dp_preprocess *preprocess,
                                  const dp_image *image, int crops,
                                  const deeper_allocator *allocator, deeper_error *error) {
    int columns = dp_crop_set_columns(dp_crop_set_find(crops));
    dp_sheet sheet;
    DP_TRY(dp_sheet_create(&sheet, columns, crops / columns, preprocess->size, MARGIN, allocator,
                           error));
    size_t floats = dp_preprocess_floats(preprocess);
    float *tensor = dp_alloc_raw(allocator, floats * (size_t)crops, sizeof *tensor);
    deeper_status status =
        tensor ? dp_preprocess_run(preprocess, image, crops, tensor, allocator, error)
               : dp_fail_memory(error, "the crops of a picture");
    for (int i = 0; i < crops && status == DEEPER_OK; i++) {
        dp_image crop;
        status =
            dp_preprocess_picture(&crop, preprocess, tensor + (size_t)i * floats, allocator, error);
        if (status == DEEPER_OK) {
            dp_sheet_put(&sheet, i % columns, i / columns, &crop);
            dp_image_free(&crop);
        }
    }
    if (status == DEEPER_OK)
        status = dp_sheet_write(path, &sheet, allocator, error);
    dp_image_free(&sheet.image);
    dp_free(allocator, tensor);
    return status;
}
