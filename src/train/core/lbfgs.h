/* lbfgs.h - minimises a smooth convex function of many variables from its values and gradients:
 * limited memory BFGS (Liu and Nocedal, 1989), steps halved until they descend enough (Armijo).
 * Sums run in a fixed order, so that the bits follow from those of the function. */
#ifndef DP_TRAIN_LBFGS_H
#define DP_TRAIN_LBFGS_H

#include "base/memory.h"

typedef struct dp_function {
    void *context;
    double (*value)(void *context, const double *x, double *gradient); /* fills gradient[count] */
    size_t count;
} dp_function;

/* Moves x[count] to where the gradient's norm is below `tolerance`, or no step descends in the
 * precision of the function's values; at most `iterations` steps. Errors: MEMORY. */
deeper_status dp_lbfgs(double *x, const dp_function *function, double tolerance, int iterations,
                       const deeper_allocator *allocator, deeper_error *error);

#endif
