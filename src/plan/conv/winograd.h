/* winograd.h - how Winograd's algorithm (kernels/winograd.h) computes one convolution: chosen in
 * tiles.c, carried out by winograd.c. Internal to plan/. */
#ifndef DP_PLAN_CONV_WINOGRAD_H
#define DP_PLAN_CONV_WINOGRAD_H

#include "plan/conv/conv.h"

/* A stride-1 convolution: H x W outputs of r x r windows over C channels. */
typedef struct dp_winograd_shape {
    int channels, outputs, height, width, taps;
    int direct_depth; /* multiply-adds of an output of the direct product: C r r, or less where
                         channels are phases */
    bool batch;       /* of training: several images share a pass over the weights */
    int phases;       /* 2: the channels are phases of a picture; else 1 */
} dp_winograd_shape;

/* A choice (dp_tuning_choice), and the tiles that it means. */
typedef struct dp_winograd_cover {
    int points, panel;
    bool even, tuned; /* tuned: chosen by a tuning */
    dp_winograd_side down, across;
} dp_winograd_cover;

/* What a tuning knows a shape by. */
dp_tuning_key dp_winograd_key(const dp_kernels *kernels, const dp_winograd_shape *shape);

/* The choice that the tuning (may be NULL) has for the shape, else the one of least expected time:
 * from shape and instruction set alone, for it decides the bits of the result. */
void dp_winograd_choose(dp_winograd_cover *cover, const dp_kernels *kernels,
                        const dp_winograd_shape *shape, const dp_tuning *tuning);

/* phases.c: whether a convolution or the gradient of its weights is computed by Winograd's
 * algorithm over the phases of the picture it reads, and how. */
bool dp_winograd_phases(const dp_lowering *lowering, int node, dp_winograd_shape *shape,
                        dp_winograd_cover *cover);

/* Lowers the split into phases for such a convolution, or finds it where another has it already:
 * *out is a view of 4 C channels in which the windows of shape->taps begin at the first pixel. */
deeper_status dp_lower_phases(dp_lowering *lowering, int node, const dp_winograd_shape *shape,
                              dp_view *out, deeper_error *error);

/* Whether the algorithm computes convolutions of such a window. */
bool dp_winograd_suits(const dp_window *window);

/* winograd_gradient.c: lowers a weight gradient that the algorithm is expected to compute
 * faster; *taken says whether it was. outer: the step but for its kind; its input has the halo,
 * where dp_winograd_phases does not say otherwise. output: index into the call's outputs. */
deeper_status dp_lower_winograd_gradient(dp_lowering *lowering, int node, const dp_step *outer,
                                         int output, bool *taken, deeper_error *error);

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
