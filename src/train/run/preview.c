/* preview.c - a row per picture: as evaluation sees it, then as the first epochs of training would.
 * The tensors are turned back into levels, so that a mistake in preprocessing shows. */
#include "train/run/preview.h"

#include "data/augment.h"
#include "image/crops.h"
#include "image/sheet.h"
#include "train/core/network.h"
#include "train/options/options.h"

#include <string.h>

enum { MARGIN = 4 };

typedef struct previewing {
    const deeper_train_options *options;
    const deeper_allocator *allocator;
    const dp_dataset *data;
    dp_preprocess preprocess;
    dp_augment augment;
    dp_sheet sheet;
    float *tensor;
} previewing;

static deeper_status draw_cell(previewing *preview, int column, int row, size_t index,
                               const dp_image *image, deeper_error *error) {
    dp_image seen;
    if (column == 0)
        DP_TRY(dp_preprocess_run(&preview->preprocess, image, 1, preview->tensor,
                                 preview->allocator, error));
    else {
        dp_random random = dp_augment_random(preview->options->seed, (uint64_t)(column - 1), index);
        DP_TRY(dp_augment_run(&preview->augment, &preview->preprocess, image, &random,
                              preview->tensor, preview->allocator, error));
    }
    DP_TRY(dp_preprocess_picture(&seen, &preview->preprocess, preview->tensor, preview->allocator,
                                 error));
    dp_sheet_put(&preview->sheet, column, row, &seen);
    dp_image_free(&seen);
    return DEEPER_OK;
}

static deeper_status draw_row(previewing *preview, int row, deeper_error *error) {
    /* Spread over the set, whose pictures are in the order of their classes. */
    size_t rows = (size_t)preview->sheet.rows,
           index = preview->data->image_count / rows * (size_t)row
                   + preview->data->image_count % rows * (size_t)row / rows;
    const dp_decode_options decode = { .min_side = dp_augment_min_side(&preview->augment,
                                                                       &preview->preprocess) };
    dp_image image;
    DP_TRY(dp_dataset_read(&image, preview->data, index, &decode, preview->allocator, error));
    deeper_status status = DEEPER_OK;
    deeper_error why = { 0 };
    for (int column = 0; column < DP_PREVIEW_COLUMNS && status == DEEPER_OK; column++)
        status = draw_cell(preview, column, row, index, &image, &why);
    dp_image_free(&image);
    return status == DEEPER_OK ? status
                               : dp_fail(error, status, "%s: %s",
                                         dp_dataset_name(preview->data, index), why.message);
}

static deeper_status draw(previewing *preview, const char *path, int count, deeper_error *error) {
    size_t size = (size_t)preview->preprocess.size;
    int rows = (size_t)count < preview->data->image_count ? count : (int)preview->data->image_count;
    preview->tensor = dp_alloc_raw(preview->allocator, (size_t)preview->preprocess.channels * size,
                                   size * sizeof *preview->tensor);
    if (!preview->tensor)
        return dp_fail_memory(error, "a picture as the network takes it");
    deeper_status status =
        dp_sheet_create(&preview->sheet, DP_PREVIEW_COLUMNS, rows, preview->preprocess.size, MARGIN,
                        preview->allocator, error);
    for (int row = 0; row < rows && status == DEEPER_OK; row++)
        status = draw_row(preview, row, error);
    if (status == DEEPER_OK)
        status = dp_sheet_write(path, &preview->sheet, preview->allocator, error);
    dp_image_free(&preview->sheet.image);
    dp_free(preview->allocator, preview->tensor);
    return status;
}

deeper_status dp_train_preview(const deeper_train_options *options, const char *path, int count,
                               const deeper_allocator *allocator, deeper_error *error) {
    previewing preview = { .options = options, .allocator = allocator };
    dp_pictures pictures = { 0 };
    dp_network network = { 0 };
    DP_TRY(dp_train_options_check(options, error));
    DP_TRY(dp_augment_parse(&preview.augment, options->augment, error));
    deeper_status status = dp_pictures_open(&pictures, options, allocator, error);
    if (status == DEEPER_OK)
        status = dp_network_create(&network, options, &pictures, allocator, error);
    if (status == DEEPER_OK) {
        preview.data = pictures.train.dataset;
        preview.preprocess = network.model->preprocess;
        status = draw(&preview, path, count, error);
        dp_network_free(&network);
    }
    dp_pictures_close(&pictures);
    return status;
}
