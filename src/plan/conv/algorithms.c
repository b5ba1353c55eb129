/* algorithms.c - the ways to compute a convolution, a linear layer and the gradient of their
 * weights, as lists: conv.h has their rows, choose.c takes the cheapest that suits a node. */
#include "plan/conv/conv.h"

#define ADDRESS(name) &dp_algorithm_##name,
const dp_algorithm *const dp_conv_algorithms[] = { DP_CONV_ALGORITHMS(ADDRESS) NULL };
const dp_algorithm *const dp_weight_gradient_algorithms[] = { DP_WEIGHT_GRADIENT_ALGORITHMS(ADDRESS)
                                                                  NULL };
