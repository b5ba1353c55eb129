/* preview.c - a row a picture: as evaluation sees it, then as the first epochs of training would.
 * The tensors are turned back into levels, so that a mistake in preprocessing shows. */
#include "train/run/preview.h"

#include "data/augment.h"
#include "image/crops.h"
#include "image/png_encode.h"
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

static deeper_status draw_cell(previewing *it, int column, int row, size_t index,
                               const dp_image *image, deeper_error *error) {
    dp_image seen;
    if (column == 0)
        DP_TRY(dp_preprocess_run(&it->preprocess, image, 1, it->tensor, it->allocator, error));
    else {
        dp_random random = dp_augment_random(it->options->seed, (uint64_t)(column - 1), index);
        DP_TRY(dp_augment_run(&it->augment, &it->preprocess, image, &random, it->tensor,
                              it->allocator, error));
    }
    DP_TRY(dp_preprocess_picture(&seen, &it->preprocess, it->tensor, it->allocator, error));
    dp_sheet_put(&it->sheet, column, row, &seen);
    dp_image_free(&seen);
    return DEEPER_OK;
}

static deeper_status draw_row(previewing *it, int row, deeper_error *error) {
    /* Spread over the set, whose pictures are in the order of their classes. */
    size_t rows = (size_t)it->sheet.rows,
           index = it->data->image_count / rows * (size_t)row
                   + it->data->image_count % rows * (size_t)row / rows;
    const dp_decode_options decode = { .min_side =
                                           dp_augment_min_side(&it->augment, &it->preprocess) };
    dp_image image;
    DP_TRY(dp_dataset_read(&image, it->data, index, &decode, it->allocator, error));
    deeper_status status = DEEPER_OK;
    deeper_error why = { 0 };
    for (int column = 0; column < DP_PREVIEW_COLUMNS && status == DEEPER_OK; column++)
        status = draw_cell(it, column, row, index, &image, &why);
    dp_image_free(&image);
    return status == DEEPER_OK
               ? status
               : dp_fail(error, status, "%s: %s", dp_dataset_name(it->data, index), why.message);
}

static deeper_status draw(previewing *it, const char *path, int count, deeper_error *error) {
    size_t size = (size_t)it->preprocess.size;
    int rows = (size_t)count < it->data->image_count ? count : (int)it->data->image_count;
    it->tensor = dp_alloc_raw(it->allocator, (size_t)it->preprocess.channels * size,
                              size * sizeof *it->tensor);
    if (!it->tensor)
        return dp_fail_memory(error, "a picture as the network takes it");
    deeper_status status = dp_sheet_create(&it->sheet, DP_PREVIEW_COLUMNS, rows,
                                           it->preprocess.size, MARGIN, it->allocator, error);
    for (int row = 0; row < rows && status == DEEPER_OK; row++)
        status = draw_row(it, row, error);
    if (status == DEEPER_OK)
        status = dp_png_write(path, &it->sheet.image, it->allocator, error);
    dp_image_free(&it->sheet.image);
    dp_free(it->allocator, it->tensor);
    return status;
}

deeper_status dp_train_preview(const deeper_train_options *options, const char *path, int count,
                               const deeper_allocator *allocator, deeper_error *error) {
    previewing it = { .options = options, .allocator = allocator };
    dp_pictures pictures = { 0 };
    dp_network network = { 0 };
    DP_TRY(dp_train_options_check(options, error));
    DP_TRY(dp_augment_parse(&it.augment, options->augment, error));
    deeper_status status = dp_pictures_open(&pictures, options, allocator, error);
    if (status == DEEPER_OK)
        status = dp_network_create(&network, options, &pictures, allocator, error);
    if (status == DEEPER_OK) {
        it.data = pictures.train.dataset;
        it.preprocess = network.model->preprocess;
        status = draw(&it, path, count, error);
        dp_network_free(&network);
    }
    dp_pictures_close(&pictures);
    return status;
}
