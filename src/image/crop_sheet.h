/* crop_sheet.h - what a network is shown of a picture, as a picture: its crops side by side. */
#ifndef DP_IMAGE_CROP_SHEET_H
#define DP_IMAGE_CROP_SHEET_H

#include "image/preprocess.h"

/* Writes the `crops` (a number that dp_crops_check takes) of a picture as a PNG, made back from the
 * tensors. Errors: those of dp_preprocess_run, of sheets (sheet.h) and of dp_png_write. */
deeper_status dp_crop_sheet_write(const char *path, const dp_preprocess *preprocess,
                                  const dp_image *image, int crops,
                                  const deeper_allocator *allocator, deeper_error *error);

#endif
