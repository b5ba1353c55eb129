/* gradient.h - what training needs of an instruction set beyond kernels.h: the backward kernels and
 * the optimiser's pass, as one table. The gradient of a convolution with respect to its input is a
 * panel product (kernels.h) with rotated weights and stands there; here is the rest. Letters,
 * layouts and guarantees as in kernels.h; in particular lanes past C are zero in every input and
 * stay zero. `in`, `x` are forward values, `gradient` the derivative of the loss with respect to
 * the forward output, `out` that to the forward input. */
#ifndef DP_KERNELS_GRADIENT_H
#define DP_KERNELS_GRADIENT_H

#include "kernels/kernels.h"

/* The outer product that weight gradients are made of. For i < rows, j < blocks, l < L:
 *     out[(i * blocks + j) * L + l] = (add ? that : 0)
 *         + sum over y < height, x < width, in this order, of in[y * in_row_stride + x *
 * in_pixel_stride
 *           + i * in_stride] * gradient[j][y * gradient_row_stride + x * gradient_pixel_stride + l]
 * The weight gradient of a blocked convolution at window offset (r, s) has rows = channels
 * (in_stride 1, in_pixel_stride = stride * L); a planar one at (channel, r) has rows = window
 * columns (in_stride 1, in_pixel_stride = stride); a fully connected layer has images as x. The
 * order of the sum does not depend on rows and blocks. */
typedef struct dp_outer {
    const float *in;
    ptrdiff_t in_row_stride, in_pixel_stride, in_stride;
    const float *gradient[DP_PANEL_BLOCKS];
    ptrdiff_t gradient_row_stride, gradient_pixel_stride;
    int height, width;
    float *out;
    bool add;
    ptrdiff_t ahead; /* where the next call's input lies from this one's, so that it is in cache by
                        then; 0: not known */
} dp_outer;
typedef void dp_outer_kernel(const dp_outer *outer);

/* One channel block of a pool, whole picture. `pooling` describes the forward pool (its in,
 * in_row_stride, sizes, window; row_begin 0, row_end P; pooling->out holds the forward output, used
 * by the max pool only). gradient: dense or not, rows gradient_row_stride apart. out (H rows
 * out_row_stride apart) is written whole, zeros included. max: each output's gradient goes to the
 * first maximum of its window in row order (as Caffe and PyTorch do); average: spread evenly over
 * what the forward pool divided by. relu (max only): what was pooled came from a ReLU, whose
 * gradient is computed along: out is 0 where x is not above 0. base (max only): another gradient of
 * x, rows base_row_stride apart, to which this one is added; NULL: none. */
typedef struct dp_pooling_gradient {
    dp_pooling forward;
    const float *gradient;
    ptrdiff_t gradient_row_stride;
    float *out;
    ptrdiff_t out_row_stride;
    const float *base;
    ptrdiff_t base_row_stride;
    bool relu;
} dp_pooling_gradient;

/* With s[c] = k + alpha / size * sum over |d| <= size / 2 of x[c + d]^2:
 *     out[c] = gradient[c] * s[c]^-beta - 2 * alpha * beta / size * x[c]
 *              * sum over |d| <= size / 2 of gradient[c + d] * x[c + d] * s[c + d]^(-beta - 1)
 * forward: as for dp_kernels.lrn, its `in` is x, its `out` receives the result, its scratch has
 * lrn_gradient_scratch floats. relu: x came from a ReLU, whose gradient is computed along: out is 0
 * where x is not above 0. */
typedef struct dp_normalise_gradient {
    dp_normalise forward;
    const float *gradient;
    ptrdiff_t gradient_block_stride;
    bool relu;
} dp_normalise_gradient;

/* One step of SGD with momentum over a flat piece of the parameters, Caffe's form:
 *     g = gradient * scale + decay * value
 *     velocity = momentum * velocity + rate * g
 *     value -= velocity
 *     average += (value - average) * blend
 * the last where average is not NULL: blend 1 / (t + 1) is Polyak's mean, 1 - d an EMA. */
typedef struct dp_update {
    float *value, *velocity, *average;
    const float *gradient;
    size_t count;
    float scale, decay, momentum, rate, blend;
} dp_update;

typedef struct dp_gradient_kernels {
    dp_isa isa;
    int lanes;

    /* Most rows of an outer product of that many blocks (index 1..4; 0: none), and
     * outer[blocks][rows]. Every ISA has rows of L and of every smaller number for at least one and
     * two blocks. */
    int outer_rows[DP_PANEL_BLOCKS + 1];
    dp_outer_kernel *outer[DP_PANEL_BLOCKS + 1][DP_PANEL_ROWS + 1];

    /* Winograd's weight gradient (winograd.h). gradient: of the outputs of one row of tiles of one
     * channel block to frequencies, `gradient` at its first pixel, rows `row` floats apart. fold:
     * the sums over tiles of (input's frequency) x (gradient's frequency) of one input channel and
     * L output channels, points x points vectors `stride` floats apart, to the gradient of the
     * window, taps x taps x L floats in row order. matrix: dp_winograd_matrix. */
    void (*winograd_gradient)(const dp_winograd_tiles *tiles, const float *gradient,
                              ptrdiff_t row_stride);
    void (*winograd_fold)(float *out, const float *in, ptrdiff_t stride, const float *matrix,
                          int points, int taps);

    void (*max_pool)(const dp_pooling_gradient *pooling);
    void (*average_pool)(const dp_pooling_gradient *pooling);

    size_t (*lrn_scratch)(int blocks);
    void (*lrn)(const dp_normalise_gradient *normalise);

    /* out = value > 0 ? gradient : 0, over `pixels` pixels (out may be gradient). */
    void (*relu)(float *out, const float *gradient, const float *value, int pixels);
    /* out = a * p + b * q + r per lane: p, q, r hold L floats. The input gradient of a batch
     * norm. */
    void (*blend)(float *out, const float *a, const float *b, int pixels, const float *p,
                  const float *q, const float *r);
    /* sums[l] += sum over pixels of a[l]; products[l] += sum over pixels of a[l] * b[l]. Either of
     * sums, products may be NULL; double, so that a hundred thousand pixels add up to float
     * precision. The order depends on pixels alone. */
    void (*sums)(double *sums, double *products, const float *a, const float *b, int pixels);

    void (*update)(const dp_update *update);
    /* Sum of squares of a flat array (for norms); NaN and infinity pass through, which is how a run
     * finds that it has diverged. */
    double (*square_sum)(const float *values, size_t count);
} dp_gradient_kernels;

/* The table of an ISA that this build has, NULL otherwise. Constant; never freed. */
const dp_gradient_kernels *dp_gradient_kernels_for(dp_isa isa);

#endif
