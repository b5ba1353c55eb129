/* box_scores.h - all that is said of a set of detections: figures, classes, mistakes. */
#ifndef DP_DETECT_BOX_SCORES_H
#define DP_DETECT_BOX_SCORES_H

#include "detect/errors.h"

enum { DP_RESAMPLES = 10000 }; /* the most */

typedef struct dp_box_scores {
    const deeper_allocator *allocator;
    size_t classes;
    double *values;             /* figure * classes + class */
    double *means;              /* of each figure */
    double *intervals;          /* of each figure two; NULL: none */
    size_t *boxes, *detections; /* of each class; boxes: those that count */
    dp_errors errors;
} dp_box_scores;

/* deeper_box_scores_create, options read already. Errors: ARGUMENT, MEMORY; freed by
 * dp_box_scores_free in any case. */
deeper_status dp_box_scores_make(dp_box_scores *scores, const deeper_truth *truth,
                                 size_t truth_count, const deeper_detection *detections,
                                 size_t detection_count, const deeper_box_scores_options *options,
                                 const deeper_allocator *allocator, deeper_error *error);
void dp_box_scores_free(dp_box_scores *scores);

#endif
