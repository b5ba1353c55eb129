/* algorithms.c - the ways to compute a convolution, a linear layer and the gradient of their
 * weights. The planner takes the cheapest that suits a node (choose.c). */
#include "plan/conv/conv.h"

const dp_algorithm dp_conv_algorithms[] = {
    { "depthwise", DP_FP32, dp_suits_depthwise, dp_cost_direct, dp_lower_depthwise },
    { "winograd over phases", DP_FP32, dp_suits_phases, dp_cost_winograd, dp_lower_winograd },
    { "winograd", DP_FP32, dp_suits_winograd, dp_cost_winograd, dp_lower_winograd },
    { "images as pixels", DP_FP32, dp_suits_images, dp_cost_direct, dp_lower_images },
    { "direct", DP_FP32, dp_suits_all, dp_cost_direct, dp_lower_direct },
    { 0 }
};

const dp_algorithm dp_weight_gradient_algorithms[] = {
    { "winograd over phases", DP_FP32, dp_suits_phases_gradient, dp_cost_winograd,
      dp_lower_winograd_gradient },
    { "winograd", DP_FP32, dp_suits_winograd_gradient, dp_cost_winograd,
      dp_lower_winograd_gradient },
    { "outer product", DP_FP32, dp_suits_all_gradients, dp_cost_direct, dp_lower_outer },
    { 0 }
};
