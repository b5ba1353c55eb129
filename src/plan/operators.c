/* operators.c - what the planner needs to know of each operator: a row. What an operator computes
 * is the graph's matter (graph/operators.c). */
#include "plan/passes.h"

/* A flatten of one pixel changes nothing in memory. */
static bool is_of_one_pixel(const dp_lowering *l, const dp_node *node) {
    const dp_shape in = l->graph->nodes[node->inputs[0]].shape;
    return in.h == 1 && in.w == 1;
}

/* Dropout is the identity at inference. */
static bool drops_nothing(const dp_lowering *l, const dp_node *node) {
    return !l->plan->training || node->attributes.dropout.rate == 0.0F;
}

const dp_plan_op dp_plan_ops[DP_OP_COUNT] = {
    [DP_OP_INPUT] = { .lower = dp_lower_input },
    [DP_OP_PARAMETER] = { .value = DP_VALUE_PACKED },
    [DP_OP_CONV] = { .algorithms = dp_conv_algorithms,
                     .absorbs = DP_ALONG_AFFINE | DP_ALONG_RELU,
                     .absorbs_rows = DP_ALONG_CLIP | DP_ALONG_RELU_GRADIENT,
                     .reads = DP_READS_WINDOW | DP_READS_POINT_DENSE },
    [DP_OP_FC] = { .algorithms = dp_conv_algorithms,
                   .absorbs = DP_ALONG_AFFINE | DP_ALONG_RELU,
                   .reads = DP_READS_DENSE },
    [DP_OP_MAX_POOL] = { .lower = dp_lower_pool },
    [DP_OP_AVERAGE_POOL] = { .lower = dp_lower_pool },
    [DP_OP_GLOBAL_AVERAGE] = { .lower = dp_lower_pool },
    [DP_OP_ADAPTIVE_POOL] = { .lower = dp_lower_adaptive_pool },
    [DP_OP_LRN] = { .lower = dp_lower_lrn, .in_place = true },
    [DP_OP_RELU] = { .lower = dp_lower_relu, .along = DP_ALONG_RELU, .in_place = true },
    [DP_OP_BATCH_NORM] = { .lower = dp_lower_affine,
                           .along = DP_ALONG_AFFINE,
                           .absorbs = DP_ALONG_RELU },
    [DP_OP_AFFINE] = { .lower = dp_lower_affine,
                       .along = DP_ALONG_AFFINE,
                       .absorbs = DP_ALONG_RELU },
    [DP_OP_CLIP] = { .lower = dp_lower_clip, .along = DP_ALONG_CLIP },
    [DP_OP_PAD] = { .lower = dp_lower_pad },
    [DP_OP_REFLECT] = { .lower = dp_lower_reflect },
    [DP_OP_RESIZE] = { .lower = dp_lower_resize },
    [DP_OP_ERF] = { .lower = dp_lower_erf },
    [DP_OP_NORMALIZE] = { .lower = dp_lower_normalize },
    [DP_OP_SIGMOID] = { .lower = dp_lower_sigmoid },
    [DP_OP_MULTIPLY] = { .lower = dp_lower_multiply },
    [DP_OP_SHUFFLE] = { .lower = dp_lower_shuffle },
    [DP_OP_ADD] = { .lower = dp_lower_add, .absorbs = DP_ALONG_RELU | DP_ALONG_RELU_GRADIENT },
    [DP_OP_CONCAT] = { .lower = dp_lower_concat },
    [DP_OP_FLATTEN] = { .lower = dp_lower_flatten, .renames = is_of_one_pixel },
    [DP_OP_DROPOUT] = { .lower = dp_lower_dropout, .renames = drops_nothing },
    [DP_OP_SOFTMAX] = { .lower = dp_lower_softmax },
    [DP_OP_FILL] = { .lower = dp_lower_fill },
    [DP_OP_SOFTMAX_LOSS] = { .lower = dp_lower_loss },
    [DP_OP_SOFTMAX_LOSS_GRADIENT] = { .lower = dp_lower_loss_gradient },
    [DP_OP_ROTATE] = { .value = DP_VALUE_PACKED },
    [DP_OP_TRANSPOSE] = { .value = DP_VALUE_PACKED },
    [DP_OP_UNFLATTEN] = { .lower = dp_lower_unflatten },
    [DP_OP_DILATE] = { .lower = dp_lower_dilate },
    [DP_OP_CONV_WEIGHT_GRADIENT] = { .algorithms = dp_weight_gradient_algorithms,
                                     .value = DP_VALUE_CALLER,
                                     .reads = DP_READS_WINDOW },
    [DP_OP_CHANNEL_SUM] = { .lower = dp_lower_channel_sum },
    [DP_OP_RELU_GRADIENT] = { .lower = dp_lower_relu_gradient, .along = DP_ALONG_RELU_GRADIENT },
    [DP_OP_MAX_POOL_GRADIENT] = { .lower = dp_lower_pool_gradient,
                                  .absorbs = DP_ALONG_RELU_GRADIENT | DP_ALONG_SUM },
    [DP_OP_AVERAGE_POOL_GRADIENT] = { .lower = dp_lower_pool_gradient },
    [DP_OP_GLOBAL_AVERAGE_GRADIENT] = { .lower = dp_lower_pool_gradient },
    [DP_OP_ADAPTIVE_POOL_GRADIENT] = { .lower = dp_lower_adaptive_pool },
    [DP_OP_LRN_GRADIENT] = { .lower = dp_lower_lrn_gradient, .absorbs = DP_ALONG_RELU_GRADIENT },
    [DP_OP_SLICE] = { .lower = dp_lower_slice, .reads = DP_READS_DENSE },
    [DP_OP_MOMENTS] = { .lower = dp_lower_moments },
    [DP_OP_BATCH_NORM_SUMS] = { .lower = dp_lower_batch_norm_sums },
    [DP_OP_BATCH_NORM_GRADIENT] = { .lower = dp_lower_batch_norm_gradient },
    [DP_OP_FIXED_NORM_GRADIENT] = { .lower = dp_lower_fixed_norm_gradient },
};
