/* probe.h - a linear probe: softmax regression on what a network makes of pictures before its last
 * layer, by L2 to convergence. With features x of N pictures, their classes y and weights c of them
 *     min over W, b of  sum_n c_n * -ln softmax(W z_n + b)[y_n] / sum_n c_n + strength / 2 * |W|^2,
 * z = (x - mean) / scale, scale^2 the mean of |x - mean|^2. The strength is the one of a small grid
 * that is best on the validation pictures: by top-1, then by loss. What it does not do: make
 * features (run/probe_stage.c). */
#ifndef DP_TRAIN_PROBE_H
#define DP_TRAIN_PROBE_H

#include "model/model.h"

/* Features of some pictures: changed to z by dp_probe_fit. */
typedef struct dp_features_set {
    float *values;   /* count x floats */
    float *labels;   /* count x (class, weight) */
    size_t *numbers; /* of the pictures in their set */
    size_t count;
    uint64_t unreadable;
} dp_features_set;

typedef struct dp_probe {
    size_t floats; /* of a picture's features */
    size_t classes;
    float *weights, *biases;     /* classes x floats, and classes: of x, ready for the last layer */
    float *answers;              /* validation pictures x classes: probabilities */
    double strength, top1, loss; /* on the validation pictures */
} dp_probe;

/* Fits a probe to `train`. threads as a session takes it. Errors: MEMORY, those of learners and
 * sessions; NUMBER (features that are none). */
deeper_status dp_probe_fit(dp_probe *probe, size_t floats, size_t classes, dp_features_set *train,
                           dp_features_set *val, int threads, const deeper_allocator *allocator,
                           deeper_error *error);
void dp_probe_free(dp_probe *probe, const deeper_allocator *allocator);

#endif
