/* stream.c - a loader whose tensors are prepared pictures, and the loop that takes them.
 * A slot of the loader holds a segment for each kind of preprocessing among the classifiers. */
#include "eval/stream.h"

#include "data/loader.h"
#include "data/picture.h"

#include <string.h>

enum {
    AHEAD = 1 << 27
}; /* floats that may be read ahead; the 144 crops of GoogLeNet are 11 million a picture */

/* What the readers share, and what is being taken. */
typedef struct streaming {
    const dp_stream *stream;
    const deeper_allocator *allocator;
    dp_decode_options decode;
    size_t asked;     /* the next picture of the data set */
    size_t *segments; /* [classifier]: where its prepared picture begins in a slot */
    size_t floats;    /* of a slot */
    size_t most;      /* pictures that are taken together */
    dp_item *items;
    float *tensors;
    int (*sizes)[2];
    const float **softmaxes; /* [classifier], of one picture */
} streaming;

/* -------------------------------------------------------------------------------------- readers */

/* May return long after the stream has ended (loader.h): nothing of `context` is touched after the
 * call of the source. */
static int next_path(void *context, dp_job *job) {
    const deeper_source source = ((const streaming *)context)->stream->source;
    job->path = "";
    return source.next(source.context, &job->path, &job->label);
}

static int next_picture(void *context, dp_job *job) {
    streaming *it = context;
    const dp_dataset *dataset = it->stream->dataset;
    if (it->asked == it->stream->end)
        return 0;
    job->key = it->asked++;
    job->path = dp_dataset_name(dataset, job->key);
    job->label = (int64_t)it->stream->labels[dataset->images[job->key].class_index];
    return 1;
}

/* Whether classifier i is the first of those that share its segment. */
static bool is_first(const streaming *it, int i) {
    return i == 0 || it->segments[i] > it->segments[i - 1];
}

static deeper_status prepare(void *context, dp_item *item, float *tensor, deeper_error *error) {
    const streaming *it = context;
    const dp_stream *stream = it->stream;
    dp_image image;
    if (stream->dataset)
        DP_TRY(
            dp_dataset_read(&image, stream->dataset, item->key, &it->decode, it->allocator, error));
    else
        DP_TRY(dp_picture_read(&image, item->path, &it->decode, it->allocator, error));
    item->note = (uint64_t)image.width << 32 | (uint64_t)image.height;
    deeper_status status = DEEPER_OK;
    for (int i = 0; i < stream->classifier_count && status == DEEPER_OK; i++)
        if (is_first(it, i))
            status = dp_classifier_prepare(stream->classifiers[i], &image, tensor + it->segments[i],
                                           it->allocator, error);
    dp_image_free(&image);
    return status == DEEPER_OK ? status
                               : dp_fail(error, status, "%s: %s", item->path, error->message);
}

/* --------------------------------------------------------------------------------------- taking */

/* Gives the sink `count` items, of which the sound ones have their softmaxes in the classifiers, in
 * order. */
static deeper_status report(const streaming *it, size_t count, deeper_error *error) {
    const dp_stream *stream = it->stream;
    size_t sound = 0;
    for (size_t i = 0; i < count; i++) {
        const dp_item *item = &it->items[i];
        dp_answer answer = { .path = item->path,
                             .index = item->key,
                             .label = item->label,
                             .status = item->status,
                             .message = item->message };
        if (item->status == DEEPER_OK) {
            for (int c = 0; c < stream->classifier_count; c++) {
                const dp_classifier *classifier = stream->classifiers[c];
                it->softmaxes[c] =
                    classifier->softmaxes + sound * classifier->crops * classifier->classes;
            }
            answer.softmaxes = it->softmaxes;
            answer.message = "";
            answer.row = sound++;
        }
        if (stream->sink(stream->context, &answer) == DEEPER_STOP)
            return dp_fail(error, DEEPER_ERROR_STOPPED, "stopped by the caller at %s", item->path);
    }
    return DEEPER_OK;
}

/* Takes what is ready, computes and reports it. *count 0: the source has ended. */
static deeper_status step(streaming *it, dp_loader *loader, size_t *count, deeper_error *error) {
    const dp_stream *stream = it->stream;
    DP_TRY(dp_loader_take(loader, it->most, it->items, it->tensors, count, error));
    size_t sound = 0;
    for (size_t i = 0; i < *count; i++)
        if (it->items[i].status == DEEPER_OK) {
            it->sizes[sound][0] = (int)(it->items[i].note >> 32);
            it->sizes[sound++][1] = (int)(it->items[i].note & UINT32_MAX);
        }
    for (int c = 0; c < stream->classifier_count && sound > 0; c++)
        dp_classifier_run(stream->classifiers[c], it->tensors + it->segments[c], it->floats,
                          it->sizes, sound);
    deeper_status status = report(it, *count, error);
    for (size_t i = 0; i < *count; i++)
        dp_item_clear(&it->items[i]);
    return status;
}

/* Classifiers of one preprocessing must stand side by side to share a segment, as the members of an
 * ensemble do. */
static bool same_preprocess(const dp_classifier *a, const dp_classifier *b) {
    const dp_preprocess *x = &a->session->model->preprocess, *y = &b->session->model->preprocess;
    return x->size == y->size && x->channels == y->channels && x->bgr == y->bgr
           && memcmp(x->mean, y->mean, sizeof x->mean) == 0
           && memcmp(x->scale, y->scale, sizeof x->scale) == 0 && x->rule == y->rule
           && x->side == y->side && x->filter == y->filter;
}

/* Lays out the slots and takes the memory. */
static bool reserve(streaming *it) {
    const dp_stream *stream = it->stream;
    int count = stream->classifier_count;
    it->segments = dp_alloc(it->allocator, (size_t)count, sizeof *it->segments);
    it->softmaxes = dp_alloc(it->allocator, (size_t)count, sizeof *it->softmaxes);
    if (!it->segments || !it->softmaxes)
        return false;
    it->most = stream->classifiers[0]->images;
    for (int i = 0; i < count; i++) {
        const dp_classifier *classifier = stream->classifiers[i];
        const dp_preprocess *preprocess = &classifier->session->model->preprocess;
        int min_side = dp_crops_min_side(preprocess, classifier->last);
        if (i == 0 || (it->decode.min_side && (!min_side || min_side > it->decode.min_side)))
            it->decode.min_side = min_side;
        it->most = classifier->images < it->most ? classifier->images : it->most;
        if (i > 0 && same_preprocess(classifier, stream->classifiers[i - 1])) {
            it->segments[i] = it->segments[i - 1];
            continue;
        }
        it->segments[i] = it->floats;
        it->floats += classifier->picture_floats;
    }
    if (stream->exact)
        it->decode.min_side = 0;
    size_t all = 0;
    it->items = dp_alloc(it->allocator, it->most, sizeof *it->items);
    it->sizes = dp_alloc(it->allocator, it->most, sizeof *it->sizes);
    it->tensors = dp_size_mul(it->most, it->floats, &all)
                      ? dp_alloc_raw(it->allocator, all, sizeof *it->tensors)
                      : NULL;
    return it->items && it->sizes && it->tensors;
}

static deeper_status run(streaming *it, deeper_error *error) {
    const dp_stream *stream = it->stream;
    size_t readers = (size_t)stream->readers, room = AHEAD / it->floats;
    size_t slots = it->most + readers; /* a batch to come, and what is being decoded after it */
    slots = slots < room ? slots : room > 2 ? room : 2;
    const dp_loader_options options = {
        .next = stream->dataset ? next_picture : next_path,
        .prepare = prepare,
        .context = it,
        .floats = it->floats,
        .readers = (int)(readers < slots ? readers : slots),
        .slots = slots,
    };
    dp_loader *loader = NULL;
    DP_TRY(dp_loader_create(&loader, &options, it->allocator, error));
    deeper_status status = DEEPER_OK;
    size_t count = 1;
    while (status == DEEPER_OK && count > 0)
        status = step(it, loader, &count, error);
    dp_loader_free(loader);
    return status;
}

deeper_status dp_classify_stream(const dp_stream *stream, deeper_error *error) {
    const deeper_allocator *allocator = stream->classifiers[0]->session->allocator;
    streaming it = { .stream = stream, .allocator = allocator, .asked = stream->begin };
    deeper_status status =
        reserve(&it) ? run(&it, error) : dp_fail_memory(error, "the buffers of the stream");
    dp_free(allocator, it.segments);
    dp_free(allocator, it.softmaxes);
    dp_free(allocator, it.items);
    dp_free(allocator, it.sizes);
    dp_free(allocator, it.tensors);
    return status;
}
