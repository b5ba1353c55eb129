/* box_scores.c - deeper_box_scores. */
#include "detect/box_scores.h"
#include "api/handles.h"
#include "detect/average_precision.h"

#include <math.h>

struct deeper_box_scores {
    dp_owner owner;
    dp_box_scores scores;
};

static deeper_status read_options(deeper_box_scores_options *taken,
                                  const deeper_box_scores_options *options, deeper_error *error) {
    *taken = DEEPER_BOX_SCORES_OPTIONS_INIT;
    DP_TRY(dp_options_read(taken, sizeof *taken, options, "deeper_box_scores_options", error));
    if (taken->resamples >= 0 && taken->resamples <= DP_RESAMPLES)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "resamples is %d; 0 to %d are", taken->resamples,
                   DP_RESAMPLES);
}

deeper_status deeper_box_scores_create(deeper_box_scores **scores, const deeper_truth *truth,
                                       size_t truth_count, const deeper_detection *detections,
                                       size_t detection_count,
                                       const deeper_box_scores_options *options,
                                       deeper_error *error) {
    DP_ENTRY;
    void *handle = NULL;
    deeper_box_scores_options taken;
    DP_TRY(dp_need(scores, "scores", error));
    *scores = NULL;
    if (truth_count)
        DP_TRY(dp_need(truth, "truth", error));
    if (detection_count)
        DP_TRY(dp_need(detections, "detections", error));
    DP_TRY(read_options(&taken, options, error));
    DP_TRY(dp_handle_create(&handle, sizeof **scores, taken.allocator, error));
    deeper_box_scores *created = handle;
    const deeper_status status =
        dp_box_scores_make(&created->scores, truth, truth_count, detections, detection_count,
                           &taken, created->owner.allocator, error);
    if (status != DEEPER_OK) {
        deeper_box_scores_close(created);
        return status;
    }
    *scores = created;
    return DEEPER_OK;
}

void deeper_box_scores_close(deeper_box_scores *scores) {
    if (!scores)
        return;
    dp_box_scores_free(&scores->scores);
    dp_handle_free(scores);
}

size_t deeper_box_scores_figures(const deeper_box_scores *scores) {
    return scores ? dp_figure_count() : 0;
}

deeper_status deeper_box_scores_figure(const deeper_box_scores *scores, size_t index,
                                       deeper_box_score *figure, size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(scores, "scores", error));
    DP_TRY(dp_need_result(figure, size, "figure", error));
    const dp_figure *row = dp_figure_at(index);
    if (!row)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "figure %zu: there are %zu", index,
                       dp_figure_count());
    const double *intervals = scores->scores.intervals;
    const deeper_box_score score = {
        .protocol = row->protocol,
        .name = row->name,
        .rule = row->rule,
        .value = scores->scores.means[index],
        .interval = { intervals ? intervals[2 * index] : (double)NAN,
                      intervals ? intervals[2 * index + 1] : (double)NAN },
    };
    dp_result_give(figure, size, &score, sizeof score);
    return DEEPER_OK;
}

size_t deeper_box_scores_classes(const deeper_box_scores *scores) {
    return scores ? scores->scores.classes : 0;
}

double deeper_box_scores_of_class(const deeper_box_scores *scores, size_t figure,
                                  size_t class_index) {
    if (figure >= dp_figure_count() || class_index >= deeper_box_scores_classes(scores))
        return (double)NAN;
    return scores->scores.values[figure * scores->scores.classes + class_index];
}

size_t deeper_box_scores_boxes(const deeper_box_scores *scores, size_t class_index,
                               size_t *detections) {
    const int there = class_index < deeper_box_scores_classes(scores);
    if (detections)
        *detections = there ? scores->scores.detections[class_index] : 0;
    return there ? scores->scores.boxes[class_index] : 0;
}

deeper_status deeper_box_scores_mistake(const deeper_box_scores *scores, size_t index,
                                        deeper_box_mistake *mistake, size_t size,
                                        deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(scores, "scores", error));
    DP_TRY(dp_need_result(mistake, size, "mistake", error));
    if (index >= DP_FAULTS)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "mistake %zu: there are %d kinds", index,
                       DP_FAULTS);
    deeper_box_mistake given = { .count = scores->scores.errors.counts[index],
                                 .gain = scores->scores.errors.gains[index] };
    given.name = dp_fault_name((dp_fault)index, &given.description);
    dp_result_give(mistake, size, &given, sizeof given);
    return DEEPER_OK;
}
