/* verify_against.c - what a model is compared with, by its path; the inputs of two models; the
 * differences handed out. */
#include "eval/verify_against.h"

#include "base/files.h"
#include "data/picture.h"
#include "eval/verify.h"
#include "formats/formats.h"
#include "formats/tuning.h"
#include "image/crops.h"
#include "session/input.h"

typedef struct verify {
    const dp_model *model;
    dp_packs *packs;
    const deeper_verify_options *options;
    void (*difference)(void *context, const deeper_difference *difference);
    void *context;
    int *inputs;
} verify;

static void progress(void *context, uint64_t done, uint64_t total) {
    const verify *v = context;
    if (v->options->progress)
        v->options->progress(v->options->context, done, total);
}

/* Input `image` of two models: a picture, or the one fixed input. */
static deeper_status fill(void *context, int image, float *input, deeper_error *error) {
    const verify *v = context;
    const dp_model *model = v->model;
    const deeper_allocator *allocator = model->allocator;
    const dp_decode_options decode = { 0 };
    dp_image picture;
    if (!v->options->pictures) {
        dp_fixed_input(input, dp_shape_floats(dp_model_input(model)));
        return DEEPER_OK;
    }
    const char *path = v->options->pictures[image];
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
    void *bytes = NULL;
    size_t size = 0;
    *model = false;
    if (dp_is_folder(path) == 1)
        return DEEPER_OK;
    DP_TRY(dp_file_read(&bytes, &size, path, DP_MODEL_BYTES, allocator, error));
    deeper_status status = DEEPER_OK;
    if (dp_npz_sniff(bytes, size)) {
        dp_npz npz;
        status = dp_npz_parse(&npz, bytes, size, path, allocator, error);
        *model = status == DEEPER_OK && dp_text_find(npz.texts, npz.text_count, "deeper.version");
        if (status == DEEPER_OK)
            dp_npz_free(&npz);
    } else {
        *model = true;
    }
    dp_free(allocator, bytes);
    return status;
}

/* Hands the differences out, while the names in them live, and frees them. */
static void tell(const verify *v, dp_differences *differences) {
    for (size_t i = 0; i < differences->count; i++) {
        const dp_difference *d = &differences->items[i];
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
            .value = d->value,
            .reference = d->reference,
        };
        v->difference(v->context, &told);
    }
    if (v->inputs)
        *v->inputs = differences->images;
    dp_differences_free(differences);
}

static deeper_status with_model(const verify *v, const char *path, const dp_verify_options *options,
                                deeper_error *error) {
    dp_differences differences;
    dp_model *other = NULL;
    if (options->names)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "names: are for a recording; %s is a model",
                       path);
    if (v->options->pictures)
        DP_TRY(dp_need_preprocess(v->model, error));
    DP_TRY(dp_model_open(&other, path, v->model->allocator, error));
    deeper_status status =
        dp_verify_models(&differences, v->model, v->packs, other, options, error);
    if (status == DEEPER_OK)
        tell(v, &differences);
    dp_model_free(other);
    return status;
}

static deeper_status with_recording(const verify *v, const char *path,
                                    const dp_verify_options *options, deeper_error *error) {
    dp_differences differences;
    dp_recording recording;
    if (v->options->pictures)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "pictures: %s is a recording, which has its own input", path);
    DP_TRY(dp_recording_open(&recording, path, v->model->allocator, error));
    deeper_status status =
        dp_verify_recording(&differences, v->model, v->packs, &recording, options, error);
    if (status == DEEPER_OK)
        tell(v, &differences);
    dp_recording_free(&recording);
    return status;
}

deeper_status dp_verify_against(const dp_model *model, dp_packs *packs, const char *against,
                                const deeper_verify_options *options,
                                void (*difference)(void *context,
                                                   const deeper_difference *difference),
                                void *context, int *inputs, deeper_error *error) {
    verify v = { .model = model,
                 .packs = packs,
                 .options = options,
                 .difference = difference,
                 .context = context,
                 .inputs = inputs };
    dp_tuning tuning = { 0 };
    const dp_verify_options inner = {
        .names = options->names,
        .threads = options->threads,
        .images = options->pictures ? (int)options->picture_count : 1,
        .fill = fill,
        .progress = progress,
        .context = &v,
        .tuning = &tuning,
    };
    bool other = false;
    DP_TRY(is_model(&other, against, model->allocator, error));
    deeper_status status = options->tuning
                               ? dp_tuning_read(&tuning, options->tuning, model->allocator, error)
                               : DEEPER_OK;
    if (status == DEEPER_OK)
        status = (other ? with_model : with_recording)(&v, against, &inner, error);
    dp_tuning_free(&tuning);
    return status;
}
