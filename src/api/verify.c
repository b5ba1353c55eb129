/* verify.c - deeper_verify: what `against` is, its inputs, and the inner comparison's results
 * handed out. */
#include "eval/verify.h"
#include "api/handles.h"
#include "data/picture.h"
#include "formats/formats.h"
#include "formats/tuning.h"
#include "session/input.h"

typedef struct verify {
    const deeper_model *model;
    deeper_verify_options options;
    void (*difference)(void *context, const deeper_difference *difference);
    void *context;
    int *inputs;
} verify;

static void progress(void *context, uint64_t done, uint64_t total) {
    const verify *v = context;
    if (v->options.progress)
        v->options.progress(v->options.context, done, total);
}

/* Input `image` of two models: a picture, or the one fixed input. */
static deeper_status fill(void *context, int image, float *input, deeper_error *error) {
    const verify *v = context;
    const dp_model *model = v->model->model;
    const deeper_allocator *allocator = v->model->owner.allocator;
    const dp_decode_options decode = { 0 };
    dp_image picture;
    if (!v->options.pictures) {
        dp_fixed_input(input, dp_shape_floats(dp_model_input(model)));
        return DEEPER_OK;
    }
    const char *path = v->options.pictures[image];
    DP_TRY(dp_need(path, "pictures: a path", error));
    DP_TRY(dp_picture_read(&picture, path, &decode, allocator, error));
    deeper_status status =
        dp_preprocess_run(&model->preprocess, &picture, 1, input, allocator, error);
    dp_image_free(&picture);
    return status == DEEPER_OK || !error ? status
                                         : dp_fail(error, status, "%s: %s", path, error->message);
}

/* Whether a file is a model, not an npz of recorded arrays. An npz without the texts of a model is
 * a recording. */
static deeper_status is_model(bool *model, const char *path, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_map map;
    *model = false;
    if (dp_is_folder(path) == 1)
        return DEEPER_OK;
    DP_TRY(dp_map_open(&map, path, 0, error));
    deeper_status status = DEEPER_OK;
    if (dp_npz_sniff(map.data, map.size)) {
        dp_npz npz;
        status = dp_npz_parse(&npz, map.data, map.size, path, allocator, error);
        *model = status == DEEPER_OK && dp_text_find(npz.texts, npz.text_count, "deeper.version");
        if (status == DEEPER_OK)
            dp_npz_free(&npz);
    } else {
        *model = true;
    }
    dp_map_close(&map);
    return status;
}

/* Hands the differences out, while the names in them live, and frees them. */
static void tell(const verify *v, dp_differences *found) {
    for (size_t i = 0; i < found->count; i++) {
        const dp_difference *d = &found->items[i];
        size_t row = d->shape.w ? d->at / (size_t)d->shape.w : 0, h = (size_t)d->shape.h;
        const deeper_difference told = {
            .name = d->name,
            .other = d->other,
            .channels = d->shape.c,
            .height = d->shape.h,
            .width = d->shape.w,
            .relative = d->relative,
            .absolute = d->absolute,
            .image = d->image,
            .channel = h ? (int)(row / h) : 0,
            .row = h ? (int)(row % h) : 0,
            .column = d->shape.w ? (int)(d->at % (size_t)d->shape.w) : 0,
            .mine = d->mine,
            .theirs = d->theirs,
        };
        v->difference(v->context, &told);
    }
    if (v->inputs)
        *v->inputs = found->images;
    dp_differences_free(found);
}

static deeper_status with_model(const verify *v, const char *path, const dp_verify_options *options,
                                deeper_error *error) {
    dp_differences found;
    dp_model *other = NULL;
    if (options->names)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "names: are for a recording; %s is a model",
                       path);
    if (v->options.pictures)
        DP_TRY(dp_need_preprocess(v->model->model, error));
    DP_TRY(dp_model_open(&other, path, v->model->owner.allocator, error));
    deeper_status status =
        dp_verify_models(&found, v->model->model, v->model->packs, other, options, error);
    if (status == DEEPER_OK)
        tell(v, &found);
    dp_model_free(other);
    return status;
}

static deeper_status with_recording(const verify *v, const char *path,
                                    const dp_verify_options *options, deeper_error *error) {
    dp_differences found;
    dp_recording recording;
    if (v->options.pictures)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "pictures: %s is a recording, which has its own input", path);
    DP_TRY(dp_recording_open(&recording, path, v->model->owner.allocator, error));
    deeper_status status =
        dp_verify_recording(&found, v->model->model, v->model->packs, &recording, options, error);
    if (status == DEEPER_OK)
        tell(v, &found);
    dp_recording_free(&recording);
    return status;
}

deeper_status deeper_verify(const deeper_model *model, const char *against,
                            const deeper_verify_options *options,
                            void (*difference)(void *context, const deeper_difference *difference),
                            void *context, int *inputs, deeper_error *error) {
    bool other = false;
    dp_tuning tuning = { 0 };
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(against, "against", error));
    if (!difference)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "difference is NULL");
    verify v = { .model = model,
                 .options = DEEPER_VERIFY_OPTIONS_INIT,
                 .difference = difference,
                 .context = context,
                 .inputs = inputs };
    DP_TRY(dp_options_read(&v.options, sizeof v.options, options, "deeper_verify_options", error));
    if (v.options.pictures ? v.options.picture_count < 1 || v.options.picture_count > INT32_MAX
                           : v.options.picture_count != 0)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "picture_count is %zu; it is the number of paths in pictures, or 0 with NULL",
            v.options.picture_count);
    const dp_verify_options inner = {
        .names = v.options.names,
        .threads = v.options.threads,
        .images = v.options.pictures ? (int)v.options.picture_count : 1,
        .fill = fill,
        .progress = progress,
        .context = &v,
        .tuning = &tuning,
    };
    DP_TRY(is_model(&other, against, model->owner.allocator, error));
    deeper_status status =
        v.options.tuning ? dp_tuning_read(&tuning, v.options.tuning, model->owner.allocator, error)
                         : DEEPER_OK;
    if (status == DEEPER_OK)
        status = (other ? with_model : with_recording)(&v, against, &inner, error);
    dp_tuning_free(&tuning);
    return status;
}
