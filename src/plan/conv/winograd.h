/* winograd.h - how Winograd's algorithm (kernels/winograd.h) computes one convolution: chosen in
 * tiles.c, carried out by winograd.c. Internal to plan/. */
#ifndef DP_PLAN_CONV_WINOGRAD_H
#define DP_PLAN_CONV_WINOGRAD_H

#include "plan/conv/conv.h"

/* tiles.c: the cost of the cheapest tiles, which it chooses. */
dp_costs dp_cost_winograd;

/* winograd.c and winograd_gradient.c: the steps of a choice of tiles, over phases or not. */
dp_lower dp_lower_winograd, dp_lower_winograd_gradient;

/* What a tuning knows a shape by. */
dp_tuning_key dp_winograd_key(const dp_kernels *kernels, const dp_winograd_shape *shape);

/* phases.c: lowers the split into phases for such a convolution, or finds it where another has it
 * already: *out is a view of 4 C channels in which the windows of shape->taps begin at the first
 * pixel. */
deeper_status dp_lower_phases(dp_lowering *lowering, int node, const dp_winograd_shape *shape,
                              dp_view *out, deeper_error *error);

/* Whether the algorithm computes convolutions of such a window. */
bool dp_winograd_suits(const dp_window *window);

/* Vectors in all frequencies of `side`: the sum of the tiles' points. */
int dp_winograd_points(const dp_winograd_side *side);

/* The run of row of tiles `y` of a side, and the first row of its outputs. */
const dp_winograd_run *dp_winograd_row(const dp_winograd_side *side, int taps, int y, int *top);

/* having[i]: of the rows of tiles begin..end-1 those that have frequency i. */
void dp_winograd_rows_having(int having[DP_WINOGRAD_POINTS], const dp_winograd_cover *cover,
                             int begin, int end);

/* "winograd, N points, tiles ... by ..." */
void dp_winograd_describe(const dp_winograd_cover *cover, int taps, dp_buffer *text);

#endif
