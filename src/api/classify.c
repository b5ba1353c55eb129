/* classify.c - deeper_classify and deeper_classify_stream. */
#include "api/handles.h"
#include "base/top.h"
#include "eval/combine.h"
#include "eval/stream.h"

deeper_status dp_session_classifier(dp_classifier **classifier, deeper_session *session, int crops,
                                    bool smaller, deeper_error *error) {
    int last = dp_crop_set_find(crops), first = smaller ? 0 : last;
    DP_TRY(dp_crops_check(crops, error));
    if (!session->classifier || session->classifier->first != first
        || session->classifier->last != last) {
        dp_classifier *created = NULL;
        DP_TRY(dp_classifier_create(&created, session->session, session->model->model->prob, first,
                                    last, error));
        dp_classifier_free(session->classifier);
        session->classifier = created;
    }
    *classifier = session->classifier;
    return DEEPER_OK;
}

deeper_status dp_need_combine(deeper_combine combine, deeper_error *error) {
    return dp_combine_name(combine) ? DEEPER_OK
                                    : dp_fail(error, DEEPER_ERROR_ARGUMENT,
                                              "combine is %d, which is no rule", (int)combine);
}

size_t deeper_top(const float *values, size_t count, size_t k, size_t *indices, float *tops) {
    DP_ENTRY;
    if (!values || !indices)
        return 0;
    size_t ranked = dp_top_k(values, count, k, indices);
    for (size_t i = 0; tops && i < ranked; i++)
        tops[i] = values[indices[i]];
    return ranked;
}

/* The `capacity` most probable classes, with their labels. */
static deeper_status choose(const dp_model *model, const float *probabilities,
                            deeper_prediction *top, size_t capacity, size_t *chosen,
                            deeper_error *error) {
    size_t *best = dp_alloc_raw(model->allocator, capacity, sizeof *best);
    if (!best)
        return dp_fail_memory(error, "the predictions");
    size_t count = dp_top_k(probabilities, (size_t)model->classes, capacity, best);
    for (size_t i = 0; i < count; i++) {
        const dp_label label = dp_model_label(model, best[i]);
        top[i] = (deeper_prediction){ .index = best[i],
                                      .id = label.id,
                                      .name = label.name,
                                      .probability = probabilities[best[i]] };
    }
    dp_free(model->allocator, best);
    *chosen = count;
    return DEEPER_OK;
}

deeper_status deeper_classify(deeper_session *session, const deeper_image *image, int crops,
                              deeper_prediction *top, size_t capacity, size_t *count,
                              deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(image, "image", error));
    DP_TRY(dp_need(top, "top", error));
    DP_TRY(dp_need(count, "count", error));
    const dp_model *model = session->model->model;
    const size_t classes = (size_t)model->classes;
    dp_classifier *classifier = NULL;
    DP_TRY(dp_session_classifier(&classifier, session, crops, false, error));
    DP_TRY(dp_classifier_picture(classifier, &image->image, error));
    float *probabilities = dp_alloc_raw(model->allocator, classes, sizeof *probabilities);
    if (!probabilities)
        return dp_fail_memory(error, "the probabilities");
    dp_combine(DEEPER_COMBINE_MEAN, classifier->softmaxes, classifier->crops, classes,
               probabilities);
    deeper_status status =
        choose(model, probabilities, top, capacity < classes ? capacity : classes, count, error);
    dp_free(model->allocator, probabilities);
    return status;
}

/* The caller's sink of a stream, and what it is given. */
typedef struct streaming {
    const dp_classifier *classifier;
    deeper_combine combine;
    deeper_control (*sink)(void *context, const deeper_result *result);
    void *context;
    float *probabilities;
} streaming;

static deeper_control give(void *context, const dp_answer *answer) {
    const streaming *state = context;
    const dp_classifier *classifier = state->classifier;
    deeper_result result = { .path = answer->path,
                             .label = answer->label,
                             .status = answer->status,
                             .message = answer->message };
    if (answer->status == DEEPER_OK) {
        const float *crops = answer->softmaxes[0];
        dp_combine(state->combine, crops, classifier->crops, classifier->classes,
                   state->probabilities);
        result.probabilities = state->probabilities;
        result.classes = classifier->classes;
        result.crop_probabilities = crops;
        result.crops = (int)classifier->crops;
    }
    return state->sink(state->context, &result);
}

deeper_status deeper_classify_stream(deeper_session *session, const deeper_source *source,
                                     const deeper_stream_options *options,
                                     deeper_control (*sink)(void *context,
                                                            const deeper_result *result),
                                     void *context, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(source, "source", error));
    if (!source->next || !sink)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is NULL",
                       source->next ? "sink" : "source->next");
    deeper_stream_options taken = DEEPER_STREAM_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_stream_options", error));
    DP_TRY(dp_need_readers(taken.readers, error));
    DP_TRY(dp_need_combine(taken.combine, error));
    dp_classifier *classifier = NULL;
    DP_TRY(dp_session_classifier(&classifier, session, taken.crops, false, error));
    const deeper_allocator *allocator = session->model->owner.allocator;
    streaming state = {
        .classifier = classifier, .combine = taken.combine, .sink = sink, .context = context
    };
    const dp_stream stream = {
        .classifiers = &classifier,
        .classifier_count = 1,
        .source = *source,
        .readers = taken.readers ? taken.readers : dp_processors(),
        .limits = { taken.max_pixels, taken.max_memory },
        .sink = give,
        .context = &state,
    };
    state.probabilities = dp_alloc_raw(allocator, classifier->classes, sizeof *state.probabilities);
    deeper_status status = state.probabilities ? dp_classify_stream(&stream, error)
                                               : dp_fail_memory(error, "the probabilities");
    dp_free(allocator, state.probabilities);
    return status;
}
