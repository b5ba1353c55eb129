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
    dp_budget budget;
    size_t asked;        /* the next picture of the data set */
    size_t *segments;    /* [classifier]: where its prepared picture begins in a slot */
    size_t floats;       /* of a slot */
    size_t max_pictures; /* pictures that are taken together */
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
    streaming *stream = context;
    const dp_dataset *dataset = stream->stream->dataset;
    if (stream->asked == stream->stream->end)
        return 0;
    job->key = stream->asked++;
    job->path = dp_dataset_name(dataset, job->key);
    job->label = (int64_t)stream->stream->labels[dataset->images[job->key].class_index];
    return 1;
}

/* Whether classifier i is the first of those that share its segment. */
static bool is_first(const streaming *stream, int i) {
    return i == 0 || stream->segments[i] > stream->segments[i - 1];
}

static deeper_status prepare(void *context, dp_item *item, float *tensor, deeper_error *error) {
    streaming *state = context;
    const dp_stream *stream = state->stream;
    const dp_decode_options decode = { .limits = stream->limits, .budget = &state->budget };
    dp_image image;
    if (stream->dataset)
        DP_TRY(
            dp_dataset_read(&image, stream->dataset, item->key, &decode, state->allocator, error));
    else
        DP_TRY(dp_picture_read(&image, item->path, &decode, state->allocator, error));
    item->note = (uint64_t)image.width << 32 | (uint64_t)image.height;
    deeper_status status = DEEPER_OK;
    for (int i = 0; i < stream->classifier_count && status == DEEPER_OK; i++)
        if (is_first(state, i))
            status = dp_classifier_prepare(stream->classifiers[i], &image,
                                           tensor + state->segments[i], state->allocator, error);
    dp_image_free(&image);
    return status == DEEPER_OK ? status
                               : dp_fail(error, status, "%s: %s", item->path, error->message);
}

/* --------------------------------------------------------------------------------------- taking */

/* Gives the sink `count` items, of which the sound ones have their softmaxes in the classifiers, in
 * order. */
static deeper_status report(const streaming *state, size_t count, deeper_error *error) {
    const dp_stream *stream = state->stream;
    size_t sound = 0;
    for (size_t i = 0; i < count; i++) {
        const dp_item *item = &state->items[i];
        dp_answer answer = { .path = item->path,
                             .index = item->key,
                             .label = item->label,
                             .status = item->status,
                             .message = item->message };
        deeper_error trouble = { 0 };
        if (item->status == DEEPER_OK) {
            for (int c = 0; c < stream->classifier_count && answer.status == DEEPER_OK; c++)
                answer.status = dp_classifier_check(stream->classifiers[c], sound, &trouble);
            for (int c = 0; c < stream->classifier_count; c++) {
                const dp_classifier *classifier = stream->classifiers[c];
                state->softmaxes[c] =
                    classifier->softmaxes + sound * classifier->crops * classifier->classes;
            }
            answer.softmaxes = answer.status == DEEPER_OK ? state->softmaxes : NULL;
            answer.message = trouble.message;
            answer.row = sound++;
        }
        if (stream->sink(stream->context, &answer) == DEEPER_STOP)
            return dp_fail(error, DEEPER_ERROR_STOPPED, "stopped by the caller at %s", item->path);
    }
    return DEEPER_OK;
}

/* Takes what is ready, computes and reports it. *count 0: the source has ended. */
static deeper_status step(streaming *state, dp_loader *loader, size_t *count, deeper_error *error) {
    const dp_stream *stream = state->stream;
    DP_TRY(dp_loader_take(loader, state->max_pictures, state->items, state->tensors, count, error));
    size_t sound = 0;
    for (size_t i = 0; i < *count; i++)
        if (state->items[i].status == DEEPER_OK) {
            state->sizes[sound][0] = (int)(state->items[i].note >> 32);
            state->sizes[sound++][1] = (int)(state->items[i].note & UINT32_MAX);
        }
    for (int c = 0; c < stream->classifier_count && sound > 0; c++)
        dp_classifier_run(stream->classifiers[c], state->tensors + state->segments[c],
                          state->floats, state->sizes, sound);
    deeper_status status = report(state, *count, error);
    for (size_t i = 0; i < *count; i++)
        dp_item_clear(&state->items[i]);
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
static bool reserve(streaming *state) {
    const dp_stream *stream = state->stream;
    int count = stream->classifier_count;
    state->segments = dp_alloc(state->allocator, (size_t)count, sizeof *state->segments);
    state->softmaxes = dp_alloc(state->allocator, (size_t)count, sizeof *state->softmaxes);
    if (!state->segments || !state->softmaxes)
        return false;
    state->max_pictures = stream->classifiers[0]->images;
    for (int i = 0; i < count; i++) {
        const dp_classifier *classifier = stream->classifiers[i];
        state->max_pictures =
            classifier->images < state->max_pictures ? classifier->images : state->max_pictures;
        if (i > 0 && same_preprocess(classifier, stream->classifiers[i - 1])) {
            state->segments[i] = state->segments[i - 1];
            continue;
        }
        state->segments[i] = state->floats;
        state->floats += classifier->picture_floats;
    }
    size_t all = 0;
    state->items = dp_alloc(state->allocator, state->max_pictures, sizeof *state->items);
    state->sizes = dp_alloc(state->allocator, state->max_pictures, sizeof *state->sizes);
    state->tensors = dp_size_mul(state->max_pictures, state->floats, &all)
                         ? dp_alloc_raw(state->allocator, all, sizeof *state->tensors)
                         : NULL;
    return state->items && state->sizes && state->tensors;
}

static deeper_status run(streaming *state, deeper_error *error) {
    const dp_stream *stream = state->stream;
    size_t readers = (size_t)stream->readers, room = AHEAD / state->floats;
    size_t slots =
        state->max_pictures + readers; /* a batch to come, and what is being decoded after it */
    slots = slots < room ? slots : room > 2 ? room : 2;
    const dp_loader_options options = {
        .next = stream->dataset ? next_picture : next_path,
        .prepare = prepare,
        .context = state,
        .floats = state->floats,
        .readers = (int)(readers < slots ? readers : slots),
        .slots = slots,
    };
    dp_loader *loader = NULL;
    DP_TRY(dp_loader_create(&loader, &options, state->allocator, error));
    deeper_status status = DEEPER_OK;
    size_t count = 1;
    while (status == DEEPER_OK && count > 0)
        status = step(state, loader, &count, error);
    dp_loader_free(loader);
    return status;
}

deeper_status dp_classify_stream(const dp_stream *stream, deeper_error *error) {
    const deeper_allocator *allocator = stream->classifiers[0]->session->allocator;
    streaming state = { .stream = stream, .allocator = allocator, .asked = stream->begin };
    dp_picture_budget_begin(&state.budget, &stream->limits);
    deeper_status status =
        reserve(&state) ? run(&state, error) : dp_fail_memory(error, "the buffers of the stream");
    dp_budget_end(&state.budget);
    dp_free(allocator, state.segments);
    dp_free(allocator, state.softmaxes);
    dp_free(allocator, state.items);
    dp_free(allocator, state.sizes);
    dp_free(allocator, state.tensors);
    return status;
}
