/* evaluate.c - a data set as the source of a stream whose sink keeps score. */
#include "eval/evaluate.h"

#include "eval/combine.h"
#include "eval/match.h"
#include "eval/metrics.h"

typedef struct evaluation {
    const dp_dataset *dataset;
    const dp_evaluation_calls *calls;
    deeper_combine combine;
    size_t crops, classes;
    float *probabilities;
    dp_metrics metrics;
    uint64_t unreadable;
    deeper_error memory; /* why the evaluation stopped: figures may not depend on the memory that was free */
} evaluation;

static int score(void *context, const dp_answer *result) {
    evaluation *it = context;
    const dp_evaluation_calls *calls = it->calls;
    if (result->status == DEEPER_ERROR_MEMORY)
        return (int)dp_fail(&it->memory, DEEPER_ERROR_MEMORY, "%s", result->message);
    if (result->status == DEEPER_OK) {
        dp_combine(it->combine, result->softmaxes[0], it->crops, it->classes, it->probabilities);
        dp_metrics_add(&it->metrics, it->probabilities, it->classes, (size_t)result->label);
    } else {
        it->unreadable++;
        if (calls->problem)
            calls->problem(calls->context, result->path, result->message);
    }
    if (calls->progress)
        calls->progress(calls->context, it->metrics.images + it->unreadable, it->dataset->image_count);
    return 0;
}

deeper_status dp_evaluate(dp_classifier *classifier, const dp_dataset *dataset, deeper_combine combine, int readers,
                          const dp_evaluation_calls *calls, deeper_evaluation *result, deeper_error *error) {
    const dp_session *session = classifier->session;
    double begin = dp_now();
    evaluation it = {
        .dataset = dataset, .calls = calls, .combine = combine, .crops = classifier->crops, .classes = classifier->classes
    };
    size_t *outputs = dp_alloc(session->allocator, dataset->class_count, sizeof *outputs);
    it.probabilities = dp_alloc_raw(session->allocator, it.classes, sizeof *it.probabilities);
    const dp_stream stream = { .classifiers = &classifier,
                               .classifier_count = 1,
                               .dataset = dataset,
                               .end = dataset->image_count,
                               .labels = outputs,
                               .readers = readers,
                               .exact = true,
                               .sink = score,
                               .context = &it };
    deeper_status status = outputs && it.probabilities ? dp_match_classes(outputs, dataset, session->model, error)
                                                       : dp_fail_memory(error, "the classes of the data set");
    if (status == DEEPER_OK)
        status = dp_classify_stream(&stream, error);
    dp_free(session->allocator, outputs);
    dp_free(session->allocator, it.probabilities);
    if (status == DEEPER_ERROR_STOPPED)
        return dp_fail(error, it.memory.status, "%s", it.memory.message);
    if (status != DEEPER_OK)
        return status;
    if (it.metrics.images == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: none of its %zu pictures could be read", dataset->path,
                       dataset->image_count);
    *result = (deeper_evaluation){
        .images = it.metrics.images,
        .unreadable = it.unreadable,
        .top1 = it.metrics.top1,
        .top5 = it.metrics.top5,
        .loss = it.metrics.loss / (double)it.metrics.images,
        .seconds = dp_now() - begin,
    };
    return DEEPER_OK;
}
