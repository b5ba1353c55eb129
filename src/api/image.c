/* image.c - deeper_image, and pictures made into tensors. */
#include "api/handles.h"
#include "data/picture.h"
#include "image/crop_sheet.h"
#include "image/pixels.h"
#include "session/input.h"

void deeper_image_close(deeper_image *image) {
    if (!image)
        return;
    dp_image_free(&image->image);
    dp_handle_free(image);
}

/* A handle without pixels, and the options in the decoder's form. */
static deeper_status begin(deeper_image **image, dp_decode_options *decode,
                           const deeper_image_options *given, deeper_error *error) {
    void *handle = NULL;
    deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
    DP_TRY(dp_options_read(&options, sizeof options, given, "deeper_image_options", error));
    if (options.min_side < 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "min_side is %d; it is a number of pixels, or 0", options.min_side);
    if (options.borrow)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "borrow is for deeper_image_from_pixels: a decoded picture is new");
    DP_TRY(dp_handle_create(&handle, sizeof **image, options.allocator, error));
    *image = handle;
    *decode = (dp_decode_options){
        .limits = { options.max_pixels, options.max_memory },
        .min_side = options.min_side,
        .ignore_orientation = options.ignore_orientation != 0,
    };
    return DEEPER_OK;
}

static deeper_status finish(deeper_image **image, deeper_image *created, deeper_status status) {
    if (status == DEEPER_OK)
        *image = created;
    else
        deeper_image_close(created);
    return status;
}

deeper_status deeper_image_open(deeper_image **image, const char *path,
                                const deeper_image_options *options, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(image, "image", error));
    *image = NULL;
    DP_TRY(dp_need(path, "path", error));
    deeper_image *created = NULL;
    dp_decode_options decode;
    DP_TRY(begin(&created, &decode, options, error));
    return finish(image, created,
                  dp_picture_read(&created->image, path, &decode, created->owner.allocator, error));
}

deeper_status deeper_image_decode(deeper_image **image, const void *bytes, size_t size,
                                  const char *name, const deeper_image_options *options,
                                  deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(image, "image", error));
    *image = NULL;
    if (size > 0)
        DP_TRY(dp_need(bytes, "bytes", error));
    deeper_image *created = NULL;
    dp_decode_options decode;
    DP_TRY(begin(&created, &decode, options, error));
    return finish(image, created,
                  dp_image_decode(&created->image, size ? bytes : "", size, name ? name : "picture",
                                  &decode, created->owner.allocator, error));
}

deeper_status deeper_image_from_pixels(deeper_image **image, const uint8_t *pixels, int width,
                                       int height, ptrdiff_t stride, deeper_pixel_format format,
                                       const deeper_image_options *options, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(image, "image", error));
    *image = NULL;
    DP_TRY(dp_need(pixels, "pixels", error));
    void *handle = NULL;
    deeper_image_options taken = DEEPER_IMAGE_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_image_options", error));
    if (taken.min_side || taken.ignore_orientation)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "min_side and ignore_orientation are for files; leave them 0");
    const dp_pixels raw = { .bytes = pixels,
                            .width = width,
                            .height = height,
                            .stride = stride,
                            .format = format,
                            .borrow = taken.borrow != 0,
                            .max_pixels = taken.max_pixels };
    DP_TRY(dp_handle_create(&handle, sizeof **image, taken.allocator, error));
    deeper_image *created = handle;
    return finish(image, created,
                  dp_image_from_pixels(&created->image, &raw, created->owner.allocator, error));
}

int deeper_image_width(const deeper_image *image) {
    return image ? image->image.width : 0;
}

int deeper_image_height(const deeper_image *image) {
    return image ? image->image.height : 0;
}

const uint8_t *deeper_image_pixels(const deeper_image *image) {
    return image ? image->image.pixels : NULL;
}

ptrdiff_t deeper_image_stride(const deeper_image *image) {
    return image ? dp_image_stride(&image->image) : 0;
}

deeper_status deeper_prepare(const deeper_model *model, const deeper_image *image, int crops,
                             float *tensor, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(image, "image", error));
    DP_TRY(dp_need(tensor, "tensor", error));
    DP_TRY(dp_need_preprocess(model->model, error));
    return dp_preprocess_run(&model->model->preprocess, &image->image, crops, tensor,
                             model->owner.allocator, error);
}

deeper_status deeper_crop_sheet(const deeper_model *model, const deeper_image *image, int crops,
                                const char *path, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(image, "image", error));
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_need_preprocess(model->model, error));
    DP_TRY(dp_crops_check(crops, error));
    return dp_crop_sheet_write(path, &model->model->preprocess, &image->image, crops,
                               model->owner.allocator, error);
}
