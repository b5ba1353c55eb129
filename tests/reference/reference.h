/* reference.h - every operator of inference in plain C and double precision, written to be read:
 * what the kernels' and the plans' tests compare with. Why here: an oracle that shares nothing with
 * the code it judges. Not fast, no blocking, no fusion.
 *
 * Arrays are canonical and dense: activations N x C x H x W, weights K x C/groups x R x S. `out`
 * never overlaps an input. Output sizes are given, not inferred, so rounding up or down is the
 * caller's matter; every pool window must hold a pixel of the picture. Letters: N images, C K input
 * and output channels, H W rows and columns, P Q those of the output, R S window rows and
 * columns. */
#ifndef DP_REFERENCE_REFERENCE_H
#define DP_REFERENCE_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct dp_reference_dims {
    int images, channels, height, width;
} dp_reference_dims;

/* N * C * H * W. */
size_t dp_reference_count(dp_reference_dims dims);

typedef struct dp_reference_window {
    int height, width, stride_y, stride_x, pad_top, pad_left, pad_bottom, pad_right;
} dp_reference_window;

/* out[n][k][p][q] = bias[k] + sum over c, r, s of in[n][g * C/groups + c][p * stride_y - pad_top +
 * r][q * stride_x - pad_left + s]
 * * weights[k][c][r][s], g = k / (K/groups); a pixel outside the picture is zero. bias: NULL or K
 *   values. */
void dp_reference_conv(double *out, dp_reference_dims out_dims, const double *in,
                       dp_reference_dims in_dims, const double *weights, const double *bias,
                       dp_reference_window window, int groups);

/* out[n][k] = bias[k] + sum over i of in[n][i] * weights[k][i]; bias: NULL or `outputs` values. */
void dp_reference_fc(double *out, int outputs, const double *in, int images, int inputs,
                     const double *weights, const double *bias);

/* The largest pixel of the window inside the picture. */
void dp_reference_max_pool(double *out, dp_reference_dims out_dims, const double *in,
                           dp_reference_dims in_dims, dp_reference_window window);

/* The sum of the window's pixels inside the picture, divided by their number, or with count_padding
 * by the number of positions inside the padded picture, -pad_top .. H + pad_bottom - 1 (Caffe). */
void dp_reference_average_pool(double *out, dp_reference_dims out_dims, const double *in,
                               dp_reference_dims in_dims, dp_reference_window window,
                               bool count_padding);

/* out[c] = in[c] * (k + alpha / size * sum over |d| <= size / 2 of in[c + d]^2) ^ -beta, channels
 * outside 0..C-1 being zero. */
void dp_reference_lrn(double *out, const double *in, dp_reference_dims dims, int size, double alpha,
                      double beta, double k);

/* out = (in - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + shift[c]. */
void dp_reference_batch_norm(double *out, const double *in, dp_reference_dims dims,
                             const double *mean, const double *variance, const double *scale,
                             const double *shift, double epsilon);

/* out = max(0, in). */
void dp_reference_relu(double *out, const double *in, size_t count);

/* out = a + b. */
void dp_reference_add(double *out, const double *a, const double *b, size_t count);

/* out[c] = exp(in[c]) / sum over channels of exp(in), at every pixel of every image. */
void dp_reference_softmax(double *out, const double *in, dp_reference_dims dims);

#endif
