/* classify.c - crops averaged, streams computed as they come. */
#include "eval/classify.h"

#include "data/loader.h"
#include "data/picture.h"
#include "formats/recipes.h"

#include <string.h>

/* -------------------------------------------------------------------------------------------------------- classifier */

void dp_classifier_free(dp_classifier *classifier) {
    if (!classifier)
        return;
    const deeper_allocator *allocator = classifier->session->allocator;
    for (int i = 0; classifier->outputs && i < classifier->session->output_count; i++)
        dp_free(allocator, classifier->outputs[i]);
    dp_free(allocator, classifier->outputs);
    dp_free(allocator, classifier->tensors);
    dp_free(allocator, classifier->probabilities);
    dp_free(allocator, classifier);
}

/* *floats = one image's floats x count, allocated; false: too large or out of memory. */
static bool take_floats(float **floats, const dp_session *session, size_t one, size_t count) {
    size_t all = 0;
    *floats = dp_size_mul(one, count, &all) ? dp_alloc_raw(session->allocator, all, sizeof **floats) : NULL;
    return *floats != NULL;
}

static bool reserve(dp_classifier *classifier) {
    const dp_session *session = classifier->session;
    classifier->outputs = dp_alloc(session->allocator, (size_t)session->output_count, sizeof *classifier->outputs);
    if (!classifier->outputs || !take_floats(&classifier->tensors, session, classifier->image_floats, classifier->images)
        || !take_floats(&classifier->probabilities, session, classifier->classes, classifier->images))
        return false;
    for (int i = 0; i < session->output_count; i++)
        if (!take_floats(&classifier->outputs[i], session, dp_shape_floats(dp_session_output(session, i)),
                         (size_t)session->max_batch))
            return false;
    return true;
}

deeper_status dp_need_preprocess(const dp_model *model, deeper_error *error) {
    if (model->has_preprocess)
        return DEEPER_OK;
    char names[DP_RECIPE_NAMES_SIZE];
    return dp_fail(
        error, DEEPER_ERROR_MISMATCH,
        "%s: the model does not say how a picture becomes its input; name what its weights were made with (--preprocess): "
        "%s, or JSON",
        model->architecture, dp_recipe_names(names));
}

deeper_status dp_classifier_create(dp_classifier **out, dp_session *session, int softmax, int crops, deeper_error *error) {
    const dp_model *model = session->model;
    int place = 0;
    while (place < session->output_count && session->outputs[place] != softmax)
        place++;
    if (place == session->output_count)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "outputs: the session does not return the class probabilities (\"%s\"); create it with them among its outputs",
            model->graph->nodes[softmax].name);
    if (crops != 1 && crops != 10)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "crops is %d; 1 and 10 are known", crops);
    DP_TRY(dp_need_preprocess(model, error));
    dp_classifier *classifier = dp_alloc(session->allocator, 1, sizeof *classifier);
    if (!classifier)
        return dp_fail_memory(error, "the buffers of classification");
    const dp_preprocess *preprocess = &model->preprocess;
    *classifier = (dp_classifier){
        .session = session,
        .crops = crops,
        .images = session->max_batch > crops ? (size_t)(session->max_batch / crops) : 1,
        .image_floats = (size_t)crops * (size_t)preprocess->channels * (size_t)preprocess->size * (size_t)preprocess->size,
        .classes = dp_shape_floats(dp_session_output(session, place)),
        .softmax = place,
    };
    if (!reserve(classifier)) {
        dp_classifier_free(classifier);
        return dp_fail_memory(error, "the buffers of classification; a smaller max_batch needs less");
    }
    *out = classifier;
    return DEEPER_OK;
}

/* Adds the softmax of one crop to its picture, or puts it there if it is the first. */
static void add_crop(float *sum, const float *softmax, size_t classes, bool first) {
    if (first)
        memcpy(sum, softmax, classes * sizeof *sum);
    else
        for (size_t c = 0; c < classes; c++)
            sum[c] += softmax[c];
}

void dp_classifier_run(dp_classifier *classifier, size_t images) {
    dp_session *session = classifier->session;
    size_t crops = (size_t)classifier->crops, classes = classifier->classes, all = images * crops;
    size_t most = (size_t)session->max_batch, input = classifier->image_floats / crops;
    for (size_t begin = 0; begin < all; begin += most) {
        size_t count = all - begin < most ? all - begin : most;
        dp_session_run(session, classifier->tensors + begin * input, (int)count, classifier->outputs);
        for (size_t i = begin; i < begin + count; i++)
            add_crop(classifier->probabilities + i / crops * classes,
                     classifier->outputs[classifier->softmax] + (i - begin) * classes, classes, i % crops == 0);
    }
    if (crops > 1)
        for (size_t i = 0; i < images * classes; i++)
            classifier->probabilities[i] /= (float)crops;
}

/* ------------------------------------------------------------------------------------------------------------ stream */

/* What the readers share. */
typedef struct reading {
    const dp_stream *stream;
    const dp_preprocess *preprocess;
    const deeper_allocator *allocator;
    dp_decode_options decode;
    int crops;
    size_t asked; /* pictures of the data set so far */
} reading;

/* May return long after the stream has ended (loader.h): nothing of `context` is touched after the call of the source. */
static int next_path(void *context, dp_job *job) {
    const deeper_source source = ((const reading *)context)->stream->source;
    job->path = "";
    return source.next(source.context, &job->path, &job->label);
}

static int next_picture(void *context, dp_job *job) {
    reading *it = context;
    const dp_dataset *dataset = it->stream->dataset;
    if (it->asked == dataset->image_count)
        return 0;
    job->key = it->asked++;
    job->path = dp_dataset_name(dataset, job->key);
    job->label = (int64_t)it->stream->labels[dataset->images[job->key].class_index];
    return 1;
}

static deeper_status prepare(void *context, const dp_item *item, float *tensor, deeper_error *error) {
    const reading *it = context;
    const dp_dataset *dataset = it->stream->dataset;
    dp_image image;
    if (dataset)
        DP_TRY(dp_dataset_read(&image, dataset, item->key, &it->decode, it->allocator, error));
    else
        DP_TRY(dp_picture_read(&image, item->path, &it->decode, it->allocator, error));
    deeper_status status = dp_preprocess_run(it->preprocess, &image, it->crops, tensor, it->allocator, error);
    dp_image_free(&image);
    return status == DEEPER_OK ? status : dp_fail(error, status, "%s: %s", item->path, error->message);
}

/* Gives the sink `count` items, of which the sound ones have their probabilities in the classifier, in order. */
static deeper_status report(const dp_classifier *classifier, const dp_stream *stream, const dp_item *items, size_t count,
                            deeper_error *error) {
    const float *probabilities = classifier->probabilities;
    for (size_t i = 0; i < count; i++) {
        const dp_item *item = &items[i];
        deeper_result result = { .path = item->path, .label = item->label, .status = item->status };
        if (item->status == DEEPER_OK) {
            result.message = "";
            result.probabilities = probabilities;
            result.classes = classifier->classes;
            probabilities += classifier->classes;
        } else
            result.message = item->message;
        if (stream->sink(stream->context, &result) != 0)
            return dp_fail(error, DEEPER_ERROR_STOPPED, "stopped by the caller at %s", item->path);
    }
    return DEEPER_OK;
}

/* Takes what is ready, computes and reports it. *count 0: the source has ended. */
static deeper_status step(dp_classifier *classifier, const dp_stream *stream, dp_loader *loader, dp_item *items, size_t *count,
                          deeper_error *error) {
    DP_TRY(dp_loader_take(loader, classifier->images, items, classifier->tensors, count, error));
    size_t sound = 0;
    for (size_t i = 0; i < *count; i++)
        sound += items[i].status == DEEPER_OK;
    if (sound > 0)
        dp_classifier_run(classifier, sound);
    deeper_status status = report(classifier, stream, items, *count, error);
    for (size_t i = 0; i < *count; i++)
        dp_item_clear(&items[i]);
    return status;
}

deeper_status dp_classify_stream(dp_classifier *classifier, const dp_stream *stream, deeper_error *error) {
    const dp_session *session = classifier->session;
    const dp_preprocess *preprocess = &session->model->preprocess;
    reading it = {
        .stream = stream,
        .preprocess = preprocess,
        .allocator = session->allocator,
        .decode.min_side = stream->exact ? 0 : dp_preprocess_min_side(preprocess),
        .crops = classifier->crops,
    };
    const dp_loader_options options = {
        .next = stream->dataset ? next_picture : next_path,
        .prepare = prepare,
        .context = &it,
        .floats = classifier->image_floats,
        .readers = stream->readers,
        .slots = classifier->images + (size_t)stream->readers, /* a batch to come, and what is being decoded after it */
    };
    dp_loader *loader = NULL;
    dp_item *items = dp_alloc(session->allocator, classifier->images, sizeof *items);
    if (!items)
        return dp_fail_memory(error, "the buffers of the stream");
    deeper_status status = dp_loader_create(&loader, &options, session->allocator, error);
    size_t count = 1;
    while (status == DEEPER_OK && count > 0)
        status = step(classifier, stream, loader, items, &count, error);
    dp_loader_free(loader);
    dp_free(session->allocator, items);
    return status;
}
