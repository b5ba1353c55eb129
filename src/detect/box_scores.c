/* box_scores.c - what a caller gives, checked; then matches, figures, intervals and mistakes, one
 * after the other. */
#include "detect/box_scores.h"
#include "detect/average_precision.h"

#include <math.h>

/* A place beyond this is no place in a photo; areas of sizes below it are far from overflow. */
#define COORDINATE 1e9

static const char *wrong_with_box(const deeper_box *box) {
    if (!isfinite(box->x) || !isfinite(box->y) || !isfinite(box->width) || !isfinite(box->height))
        return "is no finite number";
    if (box->width < 0 || box->height < 0)
        return "has a size below 0";
    if (fabs(box->x) > COORDINATE || fabs(box->y) > COORDINATE || box->width > COORDINATE
        || box->height > COORDINATE)
        return "lies beyond 1e9 pixels";
    return NULL;
}

/* One more than the largest index, or the given number, which no index may reach. */
static deeper_status take_index(size_t *count, size_t given, size_t index, const char *array,
                                size_t at, const char *member, deeper_error *error) {
    const size_t limit = given ? given : UINT32_MAX;
    if (index >= limit)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s[%zu].%s is %zu; there are %zu", array, at,
                       member, index, limit);
    if (index >= *count)
        *count = index + 1;
    return DEEPER_OK;
}

static deeper_status check(size_t *images, size_t *classes, const deeper_truth *truth,
                           size_t truth_count, const deeper_detection *detections,
                           size_t detection_count, const deeper_box_scores_options *options,
                           deeper_error *error) {
    const size_t given_images = options->images, given_classes = options->classes;
    *images = given_images;
    *classes = given_classes;
    if (given_images > UINT32_MAX || given_classes > UINT32_MAX)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "images and classes must be below 2^32");
    for (size_t i = 0; i < truth_count; i++) {
        const char *wrong = wrong_with_box(&truth[i].box);
        if (wrong || !(truth[i].area >= 0))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "truth[%zu].%s %s", i,
                           wrong ? "box" : "area", wrong ? wrong : "is not 0 or more");
        DP_TRY(take_index(images, given_images, truth[i].image, "truth", i, "image", error));
        DP_TRY(take_index(classes, given_classes, truth[i].class_index, "truth", i, "class_index",
                          error));
    }
    for (size_t i = 0; i < detection_count; i++) {
        const deeper_detection *d = &detections[i];
        const char *wrong = wrong_with_box(&d->box);
        if (wrong || !isfinite(d->score))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "detections[%zu].%s %s", i,
                           wrong ? "box" : "score", wrong ? wrong : "is no finite number");
        DP_TRY(take_index(images, given_images, d->image, "detections", i, "image", error));
        DP_TRY(take_index(classes, given_classes, d->class_index, "detections", i, "class_index",
                          error));
    }
    return DEEPER_OK;
}

static deeper_status count(dp_box_scores *s, const dp_matches *m,
                           const deeper_box_scores_options *options, deeper_error *error) {
    const size_t figures = dp_figure_count();
    s->classes = m->classes;
    s->values = dp_alloc(s->allocator, m->classes, figures * sizeof *s->values);
    s->means = dp_alloc(s->allocator, figures, sizeof *s->means);
    s->boxes = dp_alloc(s->allocator, m->classes, sizeof *s->boxes);
    s->detections = dp_alloc(s->allocator, m->classes, sizeof *s->detections);
    if (!s->values || !s->means || !s->boxes || !s->detections)
        return dp_fail_memory(error, "the figures of every class");
    for (size_t c = 0; c < m->classes; c++) {
        s->boxes[c] = dp_matches_targets(m, c, DP_LIST_VOC);
        s->detections[c] = m->first_answer[c + 1] - m->first_answer[c];
    }
    DP_TRY(dp_average_precision(s->values, s->means, m, error));
    if (!options->resamples || !m->images)
        return DEEPER_OK;
    s->intervals = dp_alloc(s->allocator, figures, 2 * sizeof *s->intervals);
    if (!s->intervals)
        return dp_fail_memory(error, "the intervals");
    return dp_average_precision_intervals(s->intervals, m, (size_t)options->resamples,
                                          options->seed, error);
}

deeper_status dp_box_scores_make(dp_box_scores *scores, const deeper_truth *truth,
                                 size_t truth_count, const deeper_detection *detections,
                                 size_t detection_count, const deeper_box_scores_options *options,
                                 const deeper_allocator *allocator, deeper_error *error) {
    size_t images = 0, classes = 0;
    dp_matches matches = { 0 };
    *scores = (dp_box_scores){ .allocator = allocator };
    DP_TRY(
        check(&images, &classes, truth, truth_count, detections, detection_count, options, error));
    deeper_status status = dp_matches_make(&matches, truth, truth_count, detections,
                                           detection_count, images, classes, allocator, error);
    if (status == DEEPER_OK)
        status = count(scores, &matches, options, error);
    if (status == DEEPER_OK)
        status = dp_errors_find(&scores->errors, &matches, truth, detections, error);
    dp_matches_free(&matches);
    return status;
}

void dp_box_scores_free(dp_box_scores *scores) {
    dp_free(scores->allocator, scores->values);
    dp_free(scores->allocator, scores->means);
    dp_free(scores->allocator, scores->intervals);
    dp_free(scores->allocator, scores->boxes);
    dp_free(scores->allocator, scores->detections);
    *scores = (dp_box_scores){ 0 };
}
