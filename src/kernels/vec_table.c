/* vec_table.c - the table of one instruction set, assembled from its vec_*.c files. */
#include "kernels/tables.h"
#include "kernels/vec_families.h"

#define PANEL(rows, blocks) [blocks][rows] = DP_VEC_NAME(panel_##rows##x##blocks),

const dp_kernels DP_VEC_NAME(kernels) = {
    .isa = DP_VEC_ISA,
    .lanes = DP_VEC_LANES,
    .panel_rows = { DP_VEC_PANEL_ROWS },
    .panel = { DP_VEC_PANELS(PANEL) },
    .max_pool = DP_VEC_NAME(max_pool),
    .average_pool = DP_VEC_NAME(average_pool),
    .depthwise = DP_VEC_NAME(depthwise),
    .lrn_scratch = DP_VEC_NAME(lrn_scratch),
    .lrn = DP_VEC_NAME(lrn),
    .clamp = DP_VEC_NAME(clamp),
    .add = DP_VEC_NAME(add),
    .multiply = DP_VEC_NAME(multiply),
    .sigmoid = DP_VEC_NAME(sigmoid),
    .affine = DP_VEC_NAME(affine),
    .softmax = DP_VEC_NAME(softmax),
    .block_row = DP_VEC_NAME(block_row),
    .unblock_row = DP_VEC_NAME(unblock_row),
    .winograd_input = DP_VEC_NAME(winograd_input),
    .winograd_output = DP_VEC_NAME(winograd_output),
    .winograd_weights = DP_VEC_NAME(winograd_weights),
    .peak = DP_VEC_NAME(peak),
    .peak_flops = 2.0 * DP_VEC_PEAK_STEPS * DP_VEC_PEAK_SUMS * DP_VEC_LANES,
};
