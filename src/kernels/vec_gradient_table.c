/* vec_gradient_table.c - the table of backward kernels of one instruction set, assembled from its
 * vec_*.c files. */
#include "kernels/gradient_tables.h"
#include "kernels/vec_gradient.h"

#define OUTER(rows, blocks) [blocks][rows] = DP_VEC_NAME(outer_##rows##x##blocks),

const dp_gradient_kernels DP_VEC_NAME(gradient_kernels) = {
    .isa = DP_VEC_ISA,
    .lanes = DP_VEC_LANES,
    .outer_rows = { 0, DP_VEC_LANES, DP_VEC_LANES, DP_VEC_LANES, 0 },
    .outer = { DP_VEC_OUTERS(OUTER) },
    .winograd_gradient = DP_VEC_NAME(winograd_gradient),
    .winograd_fold = DP_VEC_NAME(winograd_fold),
    .max_pool = DP_VEC_NAME(max_pool_gradient),
    .average_pool = DP_VEC_NAME(average_pool_gradient),
    .lrn_scratch = DP_VEC_NAME(lrn_gradient_scratch),
    .lrn = DP_VEC_NAME(lrn_gradient),
    .relu = DP_VEC_NAME(relu_gradient),
    .blend = DP_VEC_NAME(blend),
    .sums = DP_VEC_NAME(sums),
    .update = DP_VEC_NAME(update),
    .square_sum = DP_VEC_NAME(square_sum),
};
