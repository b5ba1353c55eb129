/* features.c - deeper_features. */
#include "eval/features.h"
#include "api/handles.h"

deeper_status deeper_features(deeper_session *session, const deeper_source *source,
                              const deeper_dataset *dataset, const char *path,
                              const deeper_features_options *options,
                              deeper_features_result *result, size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_need_result(result, size, "result", error));
    if (!source == !dataset)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "source and dataset are %s NULL; exactly one of them says what to read",
                       source ? "not" : "both");
    if (source && !source->next)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "source->next is NULL");
    deeper_features_options taken = DEEPER_FEATURES_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_features_options", error));
    DP_TRY(dp_need_readers(taken.readers, error));
    dp_classifier *classifier = NULL;
    DP_TRY(dp_classifier_create(&classifier, session->session, session->session->outputs[0], 0, 0,
                                error));
    const dp_features features = {
        .classifier = classifier,
        .source = source ? *source : (deeper_source){ 0 },
        .dataset = dataset ? dataset->dataset : NULL,
        .path = path,
        .readers = taken.readers ? taken.readers : dp_processors(),
        .limits = { taken.max_pixels, taken.max_memory },
        .calls = { taken.progress, taken.problem, taken.control, taken.context },
    };
    deeper_features_result written;
    deeper_status status = dp_features_write(&features, &written, error);
    if (status == DEEPER_OK)
        dp_result_give(result, size, &written, sizeof written);
    dp_classifier_free(classifier);
    return status;
}
