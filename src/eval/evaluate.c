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

static void tell_progress(const evaluating *state) {
    const dp_evaluation *e = state->of;
    if (e->progress)
        e->progress(e->context, state->done, state->scores->end - state->scores->begin);
}

static deeper_status count_answer(evaluating *state, const dp_answer *answer) {
    const dp_evaluation *e = state->of;
    /* Figures may not depend on the memory that was free. */
    if (answer->status == DEEPER_ERROR_MEMORY)
        return dp_fail(&state->error, DEEPER_ERROR_MEMORY, "%s", answer->message);
    if (answer->status != DEEPER_OK && e->problem)
        e->problem(e->context, answer->path, answer->message);
    if (state->saved)
        DP_TRY(
            dp_probs_add(state->saved, (uint64_t)answer->label, answer->softmaxes, &state->error));
    dp_scores_add(state->scores, answer->index, (size_t)answer->label, answer->softmaxes);
    state->done++;
    tell_progress(state);
    return DEEPER_OK;
}

static deeper_status ask_host(evaluating *state) {
    const dp_evaluation *e = state->of;
    deeper_control wish = e->control ? e->control(e->context) : DEEPER_GO_ON;
    if (wish != DEEPER_GO_ON && state->saved)
        DP_TRY(dp_probs_sync(state->saved, &state->error));
    if (wish != DEEPER_STOP)
        return DEEPER_OK;
    return dp_fail(&state->error, DEEPER_ERROR_STOPPED, "stopped after %llu of %llu pictures%s",
                   (unsigned long long)state->done,
                   (unsigned long long)(state->scores->end - state->scores->begin),
                   state->saved ? "; resume goes on from here" : "");
}

static deeper_control take(void *context, const dp_answer *answer) {
    evaluating *state = context;
    deeper_status status = count_answer(state, answer);
    if (status == DEEPER_OK)
        status = ask_host(state);
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
static deeper_status replay(evaluating *state, deeper_error *error) {
    const dp_scores *s = state->scores;
    size_t floats = dp_crops_count(s->first, s->last) * s->about.classes;
    const float *softmaxes[DP_PROBS_MODELS];
    for (uint64_t i = 0; i < dp_probs_count(state->saved); i++) {
        dp_probs_record record = { 0 };
        DP_TRY(dp_probs_read(state->saved, i, &record, error));
        for (int m = 0; m < state->of->count; m++)
            softmaxes[m] = record.softmaxes + (size_t)m * floats;
        dp_scores_add(state->scores, record.picture, (size_t)record.label,
                      record.unreadable ? NULL : softmaxes);
        state->done++;
    }
    if (state->done > 0)
        tell_progress(state);
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------ run */

static deeper_status make_table(evaluating *state, deeper_error *error) {
    const dp_evaluation *e = state->of;
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
    DP_TRY(dp_scores_create(&state->scores, &about, labels, first->first, first->last, e->combine,
                            allocator, error));
    if (e->save)
        DP_TRY(dp_probs_create(&state->saved, e->save, &about, e->resume, allocator, error));
    return DEEPER_OK;
}

static deeper_status run(evaluating *state, deeper_error *error) {
    const dp_evaluation *e = state->of;
    const dp_classifier *first = e->classifiers[0];
    state->labels =
        dp_alloc(first->session->allocator, e->dataset->class_count, sizeof *state->labels);
    if (!state->labels)
        return dp_fail_memory(error, "the classes of the data set");
    DP_TRY(dp_match_classes(state->labels, e->dataset, first->session->model, error));
    DP_TRY(make_table(state, error));
    if (state->saved)
        DP_TRY(replay(state, error));
    const dp_stream stream = { .classifiers = e->classifiers,
                               .classifier_count = e->count,
                               .dataset = e->dataset,
                               .begin = (size_t)(state->scores->begin + state->done),
                               .end = (size_t)state->scores->end,
                               .labels = state->labels,
                               .readers = e->readers,
                               .limits = e->limits,
                               .sink = take,
                               .context = state };
    deeper_status status = dp_classify_stream(&stream, error);
    if (status == DEEPER_ERROR_STOPPED)
        return dp_fail(error, state->error.status, "%s", state->error.message);
    DP_TRY(status);
    if (state->scores->images == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: none of its %llu pictures could be read",
                       e->dataset->path,
                       (unsigned long long)(state->scores->end - state->scores->begin));
    return DEEPER_OK;
}

deeper_status dp_evaluate(dp_scores **scores, const dp_evaluation *evaluation,
                          deeper_error *error) {
    evaluating state = { .of = evaluation };
    double begin = dp_now();
    deeper_status status = run(&state, error);
    dp_probs_close(state.saved);
    dp_free(evaluation->classifiers[0]->session->allocator, state.labels);
    if (status != DEEPER_OK) {
        dp_scores_free(state.scores);
        return status;
    }
    state.scores->seconds = dp_now() - begin;
    *scores = state.scores;
    return DEEPER_OK;
}
