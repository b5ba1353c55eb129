/* classify.c - deeper_classify and deeper_classify_stream. */
#include "api/handles.h"
#include "eval/metrics.h"

deeper_status dp_session_classifier(dp_classifier **classifier, deeper_session *session, int crops, deeper_error *error) {
    if (!session->classifier || session->classifier->crops != crops) {
        dp_classifier *made = NULL;
        DP_TRY(dp_classifier_create(&made, session->session, session->model->prob, crops, error));
        dp_classifier_free(session->classifier);
        session->classifier = made;
    }
    *classifier = session->classifier;
    return DEEPER_OK;
}

/* The `capacity` most probable classes, with their labels. */
static deeper_status choose(const deeper_model *model, const float *probabilities, deeper_prediction *top, size_t capacity,
                            size_t *found, deeper_error *error) {
    size_t *best = dp_alloc_raw(model->owner.allocator, capacity, sizeof *best);
    if (!best)
        return dp_fail_memory(error, "the predictions");
    size_t count = dp_top_k(probabilities, deeper_model_classes(model), capacity, best);
    for (size_t i = 0; i < count; i++)
        top[i] = (deeper_prediction){
            .index = best[i],
            .id = deeper_model_class_id(model, best[i]),
            .name = deeper_model_class_name(model, best[i]),
            .probability = probabilities[best[i]],
        };
    dp_free(model->owner.allocator, best);
    *found = count;
    return DEEPER_OK;
}

deeper_status deeper_classify(deeper_session *session, const deeper_image *image, int crops, deeper_prediction *top,
                              size_t capacity, size_t *found, deeper_error *error) {
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(image, "image", error));
    DP_TRY(dp_need(top, "top", error));
    DP_TRY(dp_need(found, "found", error));
    const deeper_model *model = session->model;
    size_t classes = deeper_model_classes(model);
    dp_classifier *classifier = NULL;
    DP_TRY(dp_session_classifier(&classifier, session, crops, error));
    DP_TRY(dp_preprocess_run(&model->model->preprocess, &image->image, crops, classifier->tensors, model->owner.allocator, error));
    dp_classifier_run(classifier, 1);
    return choose(model, classifier->probabilities, top, capacity < classes ? capacity : classes, found, error);
}

deeper_status deeper_classify_stream(deeper_session *session, const deeper_source *source, const deeper_stream_options *options,
                                     int (*sink)(void *context, const deeper_result *result), void *context, deeper_error *error) {
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(source, "source", error));
    if (!source->next || !sink)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is NULL", source->next ? "sink" : "source->next");
    deeper_stream_options mine = DEEPER_STREAM_OPTIONS_INIT;
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_stream_options", error));
    DP_TRY(dp_need_readers(mine.readers, error));
    const dp_stream stream = {
        .source = *source,
        .readers = mine.readers ? mine.readers : dp_processors(),
        .sink = sink,
        .context = context,
    };
    dp_classifier *classifier = NULL;
    DP_TRY(dp_session_classifier(&classifier, session, mine.crops, error));
    return dp_classify_stream(classifier, &stream, error);
}
