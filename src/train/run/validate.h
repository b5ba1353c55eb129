/* validate.h - how good the network of the moment is: all heads over the validation pictures, as
 * inference runs them. */
#ifndef DP_TRAIN_VALIDATE_H
#define DP_TRAIN_VALIDATE_H

#include "base/statistics.h"
#include "eval/mistakes.h"
#include "graph/training.h"
#include "train/core/pictures.h"

/* What the main head says of a picture first; not known: it could not be read. */
typedef struct dp_prediction {
    uint32_t class_index;
    float probability;
    bool known;
} dp_prediction;

typedef struct dp_validation {
    uint64_t images, unreadable;
    int heads;               /* main first, in the order of the network's softmaxes after it */
    double losses[DP_HEADS]; /* mean of -ln p(class); NaN if an answer is */
    double top1, top5;       /* of the main head */
    size_t classes;
    uint64_t *confusion;        /* classes x classes, row: true class */
    dp_prediction *predictions; /* of the first pictures of the set; those after are not known */
    size_t prediction_count;
    dp_mistakes mistakes;
    dp_calibration calibration;
    const deeper_allocator *allocator;
} dp_validation;

/* Measures `model` with the parameter values that lie in `arena` as the model's do in its own,
 * `batch` pictures at a time. Errors: FORMAT (no picture could be read), those of sessions and
 * batches. */
deeper_status dp_validate(dp_validation *validation, const dp_model *model, float *arena,
                          const dp_picture_set *set, int batch, int threads, int readers,
                          const deeper_train_calls *calls, deeper_error *error);

/* The same from answers that are there: of the only head, count x classes, and (class, weight) and
 * number of each picture. Errors: MEMORY. */
deeper_status dp_validation_of(dp_validation *validation, const float *answers, size_t classes,
                               const float *labels, const size_t *numbers, size_t count,
                               const deeper_allocator *allocator, deeper_error *error);
void dp_validation_free(dp_validation *validation);

#endif
