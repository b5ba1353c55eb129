/* evaluate.c - a data set as the source of a stream whose sink fills the table and the file of
 * saved answers. */
#include "eval/evaluate.h"

#include "base/checksum.h"
#include "eval/match.h"

#include <string.h>

enum { DESCRIPTION = 256 };

typedef struct evaluating {
    const dp_evaluation *of;
    dp_scores *scores;
    dp_probs *saved;    /* NULL: nothing is saved */
    size_t *labels;     /* the first model's class of each of the data set */
    uint64_t done;      /* pictures, from scores->begin on */
    deeper_error error; /* why the sink stopped the stream */
} evaluating;

static const dp_model *model_of(const dp_evaluation *e, int model) {
    return e->classifiers[model]->session->model;
}

/* ----------------------------------------------------------------------------------------- sink */

static void tell_progress(const evaluating *it) {
    const dp_evaluation *e = it->of;
    if (e->progress)
        e->progress(e->context, it->done, it->scores->end - it->scores->begin);
}

static deeper_status count_answer(evaluating *it, const dp_answer *answer) {
    const dp_evaluation *e = it->of;
    /* Figures may not depend on the memory that was free. */
    if (answer->status == DEEPER_ERROR_MEMORY)
        return dp_fail(&it->error, DEEPER_ERROR_MEMORY, "%s", answer->message);
    if (answer->status != DEEPER_OK && e->problem)
        e->problem(e->context, answer->path, answer->message);
    if (it->saved)
        DP_TRY(dp_probs_add(it->saved, (uint64_t)answer->label, answer->softmaxes, &it->error));
    dp_scores_add(it->scores, answer->index, (size_t)answer->label, answer->softmaxes);
    it->done++;
    tell_progress(it);
    return DEEPER_OK;
}

static deeper_status ask_host(evaluating *it) {
    const dp_evaluation *e = it->of;
    deeper_control wish = e->control ? e->control(e->context) : DEEPER_GO_ON;
    if (wish != DEEPER_GO_ON && it->saved)
        DP_TRY(dp_probs_sync(it->saved, &it->error));
    if (wish != DEEPER_STOP)
        return DEEPER_OK;
    return dp_fail(&it->error, DEEPER_ERROR_STOPPED, "stopped after %llu of %llu pictures%s",
                   (unsigned long long)it->done,
                   (unsigned long long)(it->scores->end - it->scores->begin),
                   it->saved ? "; resume goes on from here" : "");
}

static deeper_control take(void *context, const dp_answer *answer) {
    evaluating *it = context;
    deeper_status status = count_answer(it, answer);
    if (status == DEEPER_OK)
        status = ask_host(it);
    return status == DEEPER_OK ? DEEPER_GO_ON : DEEPER_STOP;
}

/* ---------------------------------------------------------------------------------------- saved */

/* Stands for the values of the parameters and for what the model is shown. */
static uint64_t weights_checksum(const dp_model *model) {
    char text[DESCRIPTION];
    dp_preprocess_describe(&model->preprocess, text, sizeof text);
    uint64_t sum = dp_checksum(0, text, strlen(text));
    for (int p = 0; p < model->graph->parameters; p++)
        sum = dp_checksum(sum, model->values[p],
                          dp_shape_floats(dp_model_parameter(model, p)->shape) * sizeof(float));
    return sum;
}

/* Counts the answers that a resumed file holds already. */
static deeper_status replay(evaluating *it, deeper_error *error) {
    const dp_scores *s = it->scores;
    size_t floats = dp_crops_count(s->first, s->last) * s->about.classes;
    const float *softmaxes[DP_PROBS_MODELS];
    for (uint64_t i = 0; i < dp_probs_count(it->saved); i++) {
        dp_probs_record record = { 0 };
        DP_TRY(dp_probs_read(it->saved, i, &record, error));
        for (int m = 0; m < it->of->count; m++)
            softmaxes[m] = record.softmaxes + (size_t)m * floats;
        dp_scores_add(it->scores, record.picture, (size_t)record.label,
                      record.unreadable ? NULL : softmaxes);
        it->done++;
    }
    if (it->done > 0)
        tell_progress(it);
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------ run */

static deeper_status make_table(evaluating *it, deeper_error *error) {
    const dp_evaluation *e = it->of;
    const dp_classifier *first = e->classifiers[0];
    const dp_labels *labels[DP_PROBS_MODELS];
    dp_probs_about about = { .models = e->count,
                             .crops = dp_crop_set_size(first->last, NULL),
                             .classes = first->classes,
                             .labels = model_of(e, 0)->labels,
                             .data = e->dataset->path,
                             .pictures = e->dataset->image_count,
                             .shard = e->shard,
                             .shards = e->shards };
    for (int m = 0; m < e->count; m++) {
        about.names[m] = e->names ? e->names[m] : model_of(e, m)->architecture;
        labels[m] = &model_of(e, m)->labels;
        if (e->classifiers[m]->classes != first->classes)
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "%s has %zu classes and %s %zu; an ensemble's must be the same",
                           about.names[0], first->classes, about.names[m],
                           e->classifiers[m]->classes);
        if (e->save)
            about.weights[m] = weights_checksum(model_of(e, m));
    }
    about.fingerprint = e->save ? dp_dataset_fingerprint(e->dataset) : 0;
    const deeper_allocator *allocator = first->session->allocator;
    DP_TRY(dp_scores_create(&it->scores, &about, labels, first->first, first->last, e->combine,
                            allocator, error));
    if (e->save)
        DP_TRY(dp_probs_create(&it->saved, e->save, &about, e->resume, allocator, error));
    return DEEPER_OK;
}

static deeper_status run(evaluating *it, deeper_error *error) {
    const dp_evaluation *e = it->of;
    const dp_classifier *first = e->classifiers[0];
    it->labels = dp_alloc(first->session->allocator, e->dataset->class_count, sizeof *it->labels);
    if (!it->labels)
        return dp_fail_memory(error, "the classes of the data set");
    DP_TRY(dp_match_classes(it->labels, e->dataset, first->session->model, error));
    DP_TRY(make_table(it, error));
    if (it->saved)
        DP_TRY(replay(it, error));
    const dp_stream stream = { .classifiers = e->classifiers,
                               .classifier_count = e->count,
                               .dataset = e->dataset,
                               .begin = (size_t)(it->scores->begin + it->done),
                               .end = (size_t)it->scores->end,
                               .labels = it->labels,
                               .readers = e->readers,
                               .exact = true,
                               .sink = take,
                               .context = it };
    deeper_status status = dp_classify_stream(&stream, error);
    if (status == DEEPER_ERROR_STOPPED)
        return dp_fail(error, it->error.status, "%s", it->error.message);
    DP_TRY(status);
    if (it->scores->images == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: none of its %llu pictures could be read",
                       e->dataset->path, (unsigned long long)(it->scores->end - it->scores->begin));
    return DEEPER_OK;
}

deeper_status dp_evaluate(dp_scores **scores, const dp_evaluation *evaluation,
                          deeper_error *error) {
    evaluating it = { .of = evaluation };
    double begin = dp_now();
    deeper_status status = run(&it, error);
    dp_probs_close(it.saved);
    dp_free(evaluation->classifiers[0]->session->allocator, it.labels);
    if (status != DEEPER_OK) {
        dp_scores_free(it.scores);
        return status;
    }
    it.scores->seconds = dp_now() - begin;
    *scores = it.scores;
    return DEEPER_OK;
}
