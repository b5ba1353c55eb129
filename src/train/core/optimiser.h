/* optimiser.h - SGD with momentum over flat arenas: value, velocity, average and gradient of all
 * parameters, one after another as they lie in the model's arena. Cut into pieces of fixed size, so
 * that the bits depend on the parameters alone, whatever threads share the work. What it does not
 * do: where gradients come from (learner.h), which rate a moment has (schedule.h). */
#ifndef DP_TRAIN_OPTIMISER_H
#define DP_TRAIN_OPTIMISER_H

#include "base/threads.h"
#include "kernels/gradient.h"

/* A stretch of the arena with its own factors. */
typedef struct dp_segment {
    size_t begin, count;
    float rate, decay; /* factors on the run's; Caffe's: weights 1 and 1, biases 2 and 0, scale and
                          shift of a batch norm 1 and 0 */
    bool learns;       /* false: running statistics of a batch norm, which are averaged but have no
                          gradient */
} dp_segment;          /* frozen parameters have none */

typedef struct dp_optimiser_options {
    const dp_gradient_kernels *kernels;
    dp_pool *pool; /* borrowed */
    float *value;  /* borrowed, floats of them, as gradient */
    const float *gradient;
    size_t floats;
    const dp_segment *segments; /* copied */
    size_t segment_count;
    bool averaged;
    float momentum, decay;
    double clip; /* 0: not */
} dp_optimiser_options;

/* Fields but `velocity`, `average`, `kept` are for reading. average is NULL if there is none. */
typedef struct dp_optimiser {
    const deeper_allocator *allocator;
    dp_optimiser_options options;
    float *velocity, *average;
    float *kept; /* the last good state: value, average */
    dp_segment *pieces;
    int piece_count;
    double *sums;             /* one a piece */
    const float *summed;      /* the arena whose squares they are */
    float scale, rate, blend; /* of the step under way */
} dp_optimiser;

/* The average begins as the value, the velocity at 0; that is also the first good state. Errors:
 * MEMORY, LIMIT. */
deeper_status dp_optimiser_create(dp_optimiser **optimiser, const dp_optimiser_options *options,
                                  const deeper_allocator *allocator, deeper_error *error);
void dp_optimiser_free(dp_optimiser *optimiser);

/* The same again, for values that were set since. */
void dp_optimiser_begin(dp_optimiser *optimiser);

/* scale * sqrt(sum of squares of the gradients of all that learns); not finite where one of them is
 * not. */
double dp_optimiser_norm(dp_optimiser *optimiser, double scale);

/* One step by gradient * scale, clipped to the options' norm (`norm` is dp_optimiser_norm's), and
 * average += (value - average) * blend; see dp_update. */
void dp_optimiser_step(dp_optimiser *optimiser, double scale, double norm, double rate,
                       double blend);

/* Whether the present state is one to go back to: its values have at most twice the norm of the
 * good state's. A run that diverges may show a small loss for a while, once all its units are
 * dead. */
bool dp_optimiser_sound(dp_optimiser *optimiser);

/* The present values and averages become the good state; it becomes the present one, at rest
 * (velocity 0). */
void dp_optimiser_keep(dp_optimiser *optimiser);
void dp_optimiser_restore(dp_optimiser *optimiser);

/* The weights to measure and to save: the average, or the values where there is none. */
float *dp_optimiser_result(const dp_optimiser *optimiser);

#endif
