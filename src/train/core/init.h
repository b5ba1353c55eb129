/* init.h - the values that parameters begin with, drawn from (seed, parameter) alone. Why a choice:
 * GoogLeNet with LRN is known to stand still from a bad start (heads that stay at ln(classes));
 * He's keeps the variance of the signal through twenty-two layers of ReLU, xavier halves it at
 * each. */
#ifndef DP_TRAIN_INIT_H
#define DP_TRAIN_INIT_H

#include "model/model.h"

/* With fan_in = inputs of one output:
 *   he        weights normal, deviation sqrt(2 / fan_in), those of classifiers 0.01; biases 0
 *   xavier    weights uniform in +-sqrt(3 / fan_in), as Caffe has it; biases 0
 *   bvlc      xavier, with biases of 0.2 but for classifiers: BVLC's recipe
 *   gaussian  weights normal, deviation 0.01; biases 0
 * A classifier is a layer that a softmax reads. Batch norms begin as the identity. */
typedef enum dp_init { DP_INIT_HE, DP_INIT_XAVIER, DP_INIT_BVLC, DP_INIT_GAUSSIAN } dp_init;

bool dp_init_from_name(dp_init *init, const char *name); /* false: no such way */

/* Gives the parameters of the model that `which` marks (NULL: all) their first values. The model
 * has an arena. */
void dp_initialize(dp_model *model, const bool *which, dp_init init, uint64_t seed);

/* Marks in classifiers[parameters] those of the layers that a softmax reads, which depend on the
 * classes. */
void dp_find_classifiers(const dp_graph *graph, bool *classifiers);

#endif
