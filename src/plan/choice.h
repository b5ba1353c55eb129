/* choice.h - how a node is to be computed: what the pass choose decides, once per node, and keeps;
 * place and lower read it. An algorithm is a file in conv/ and a row of conv/conv.h. Internal to
 * plan/. */
#ifndef DP_PLAN_CHOICE_H
#define DP_PLAN_CHOICE_H

#include "plan/plan.h"

typedef struct dp_lowering dp_lowering;
typedef struct dp_choice dp_choice;

/* Emits the step of a node and of all that it absorbs. */
typedef deeper_status dp_lower(dp_lowering *lowering, int node, deeper_error *error);

/* Whether an algorithm computes a node at all; fills what its cost and its step need of the choice,
 * and the key if a tuning may know better. */
typedef bool dp_suits(const dp_lowering *lowering, int node, dp_choice *choice);

/* What it is expected to take, in vector multiply-adds about: from shape and instruction set alone,
 * for the choice decides the bits of the result. Fills the parameters that take least, or those of
 * `tuned` (NULL: nothing was measured), whose cost is 0; INFINITY where that says otherwise. */
typedef double dp_costs(const dp_kernels *kernels, const dp_tuning_choice *tuned,
                        dp_choice *choice);

/* One way to compute an operator in one precision. Lists of them (conv/conv.h) end in NULL. */
typedef struct dp_algorithm {
    const char *name;
    dp_precision precision;
    dp_suits *suits;
    dp_costs *cost;
    dp_lower *lower;
} dp_algorithm;
extern const dp_algorithm *const dp_conv_algorithms[], *const dp_weight_gradient_algorithms[];

/* A convolution as products see it: H x W outputs of K channels, each of `depth` multiply-adds. */
typedef struct dp_product_shape {
    int outputs, height, width;
    double depth;
} dp_product_shape;

/* A stride-1 convolution of r x r windows over C channels, as Winograd's algorithm takes it. */
typedef struct dp_winograd_shape {
    int channels, outputs, height, width, taps;
    bool batch; /* of training: several images share a pass over the weights */
    int phases; /* 2: the channels are phases of a picture; else 1 */
} dp_winograd_shape;

/* The tiles that a choice of points means. */
typedef struct dp_winograd_cover {
    int points, panel;
    dp_winograd_side down, across;
} dp_winograd_cover;

struct dp_choice {
    const dp_algorithm *algorithm; /* NULL: the operator has one way, or the node is not computed */
    double cost;
    dp_chosen chosen; /* what a tuning knows it by, the parameters, whether a tuning gave them */
    dp_product_shape product;
    dp_winograd_shape winograd;
    dp_winograd_cover cover;
    bool planar;   /* an INPUT: kept as planes, for convolutions alone read it */
    bool unplaced; /* an INPUT: read in the caller's memory, by splits into phases alone */
};

#endif
