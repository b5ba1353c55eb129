/* evaluate.c - models measured: deeper_evaluate and deeper_scores. */
#include "eval/evaluate.h"
#include "api/handles.h"
#include "measure/scores_page.h"

/* A shard that is one of its number, and a rule. */
static deeper_status check(deeper_evaluate_options *taken, deeper_error *error) {
    if (taken->shard == 0 && taken->shards == 0)
        taken->shard = taken->shards = 1;
    if (taken->shard < 1 || taken->shard > taken->shards)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "shard %d of %d: there is none", taken->shard,
                       taken->shards);
    if (taken->resume && !taken->save)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "resume goes on with saved answers; name the file in save");
    return dp_need_combine(taken->combine, error);
}

static deeper_status evaluate(dp_scores **scores, deeper_session *const *sessions, size_t count,
                              const dp_dataset *dataset, const deeper_evaluate_options *taken,
                              deeper_error *error) {
    dp_classifier *classifiers[DP_PROBS_MODELS];
    for (size_t i = 0; i < count; i++) {
        DP_TRY(dp_need(sessions[i], "sessions: one", error));
        DP_TRY(dp_session_classifier(&classifiers[i], sessions[i], taken->crops,
                                     taken->smaller || taken->save, error));
    }
    if ((uint64_t)taken->shards > dataset->image_count)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: %zu pictures cannot be divided into %d shards", dataset->path,
                       dataset->image_count, taken->shards);
    const dp_evaluation evaluation = { .classifiers = classifiers,
                                       .names = taken->names,
                                       .count = (int)count,
                                       .dataset = dataset,
                                       .combine = taken->combine,
                                       .readers = dp_processors(),
                                       .limits = { taken->max_pixels, taken->max_memory },
                                       .shard = taken->shard,
                                       .shards = taken->shards,
                                       .save = taken->save,
                                       .resume = taken->resume != 0,
                                       .progress = taken->progress,
                                       .problem = taken->problem,
                                       .control = taken->control,
                                       .context = taken->context };
    return dp_evaluate(scores, &evaluation, error);
}

deeper_status deeper_evaluate(deeper_session *session, const deeper_dataset *dataset,
                              const deeper_evaluate_options *options, deeper_evaluation *result,
                              size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(dataset, "dataset", error));
    DP_TRY(dp_need_result(result, size, "result", error));
    deeper_evaluate_options taken = DEEPER_EVALUATE_OPTIONS_INIT;
    dp_scores *scores = NULL;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_evaluate_options", error));
    DP_TRY(check(&taken, error));
    DP_TRY(evaluate(&scores, &session, 1, dataset->dataset, &taken, error));
    const dp_metrics *metrics = &scores->rows[scores->row_count - 1].metrics;
    const deeper_evaluation evaluation = { .images = metrics->images,
                                           .unreadable = scores->unreadable,
                                           .top1 = metrics->top1,
                                           .top5 = metrics->top5,
                                           .loss = metrics->loss / (double)metrics->images,
                                           .seconds = scores->seconds };
    dp_scores_free(scores);
    dp_result_give(result, size, &evaluation, sizeof evaluation);
    return DEEPER_OK;
}

/* --------------------------------------------------------------------------------------- scores */

static deeper_status begin(deeper_scores **scores, const deeper_allocator *allocator,
                           deeper_error *error) {
    void *handle = NULL;
    DP_TRY(dp_handle_create(&handle, sizeof **scores, allocator, error));
    *scores = handle;
    return DEEPER_OK;
}

static deeper_status finish(deeper_scores **scores, deeper_scores *created, deeper_status status) {
    if (status == DEEPER_OK)
        *scores = created;
    else
        deeper_scores_close(created);
    return status;
}

void deeper_scores_close(deeper_scores *scores) {
    if (!scores)
        return;
    dp_scores_free(scores->scores);
    dp_handle_free(scores);
}

deeper_status deeper_evaluate_models(deeper_scores **scores, deeper_session *const *sessions,
                                     size_t count, const deeper_dataset *dataset,
                                     const deeper_evaluate_options *options, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(scores, "scores", error));
    *scores = NULL;
    DP_TRY(dp_need(sessions, "sessions", error));
    DP_TRY(dp_need(dataset, "dataset", error));
    if (count < 1 || count > DP_PROBS_MODELS)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "count is %zu; 1 to %d models are measured together", count,
                       DP_PROBS_MODELS);
    DP_TRY(dp_need(sessions[0], "sessions: one", error));
    deeper_evaluate_options taken = DEEPER_EVALUATE_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_evaluate_options", error));
    DP_TRY(check(&taken, error));
    deeper_scores *created = NULL;
    DP_TRY(begin(&created, sessions[0]->model->owner.allocator, error));
    deeper_status status =
        evaluate(&created->scores, sessions, count, dataset->dataset, &taken, error);
    if (status == DEEPER_OK)
        created->scores->allocator =
            created->owner.allocator; /* the same functions, which now live with the handle */
    return finish(scores, created, status);
}

deeper_status deeper_scores_open(deeper_scores **scores, const char *const *files, size_t count,
                                 int crops, deeper_combine combine,
                                 const deeper_allocator *allocator, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(scores, "scores", error));
    *scores = NULL;
    DP_TRY(dp_need(files, "files", error));
    for (size_t i = 0; i < count; i++)
        DP_TRY(dp_need(files[i], "files: one", error));
    DP_TRY(dp_need_combine(combine, error));
    if (crops != 0)
        DP_TRY(dp_crops_check(crops, error));
    deeper_scores *created = NULL;
    DP_TRY(begin(&created, allocator, error));
    return finish(scores, created,
                  dp_scores_open(&created->scores, files, count, crops, combine,
                                 created->owner.allocator, error));
}

deeper_status deeper_scores_merge(const char *path, const char *const *parts, size_t count,
                                  const deeper_allocator *allocator, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_need(parts, "parts", error));
    for (size_t i = 0; i < count; i++)
        DP_TRY(dp_need(parts[i], "parts: one", error));
    return dp_probs_merge(path, parts, count, allocator, error);
}

size_t deeper_scores_rows(const deeper_scores *scores) {
    return scores ? (size_t)scores->scores->row_count : 0;
}

uint64_t deeper_scores_unreadable(const deeper_scores *scores) {
    return scores ? scores->scores->unreadable : 0;
}

double deeper_scores_seconds(const deeper_scores *scores) {
    return scores ? scores->scores->seconds : 0;
}

const char *deeper_scores_data(const deeper_scores *scores) {
    return scores ? scores->scores->about.data : "";
}

size_t deeper_scores_classes(const deeper_scores *scores) {
    return scores ? scores->scores->about.classes : 0;
}

int deeper_scores_shard(const deeper_scores *scores, int *shards) {
    if (shards)
        *shards = scores ? scores->scores->about.shards : 0;
    return scores ? scores->scores->about.shard : 0;
}

deeper_status deeper_scores_row(const deeper_scores *scores, size_t index, deeper_score *row,
                                size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(scores, "scores", error));
    DP_TRY(dp_need_result(row, size, "row", error));
    if (index >= deeper_scores_rows(scores))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "row %zu of %zu: there is none", index,
                       deeper_scores_rows(scores));
    deeper_score filled;
    dp_scores_describe(scores->scores, (int)index, &filled);
    dp_result_give(row, size, &filled, sizeof filled);
    return DEEPER_OK;
}

deeper_status deeper_scores_report(const deeper_scores *scores, const deeper_dataset *dataset,
                                   const char *command, const char *path, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(scores, "scores", error));
    DP_TRY(dp_need(path, "path", error));
    return dp_scores_page(path, scores->scores, dataset ? dataset->dataset : NULL, command, error);
}
