/* reference_gradient.h - the derivatives of every operator in plain C and double precision, written
 * to be read: what the backward kernels' and the training plans' tests compare with; itself held to
 * central finite differences by test_reference_gradient.c. Arrays, letters and windows as in
 * reference.h. `gradient` is dL / d out of the forward operator, N x K x P x Q; results are written
 * whole, and are sums over the batch where they have no images. A fully connected layer is a
 * convolution whose window is the whole picture. */
#ifndef DP_REFERENCE_REFERENCE_GRADIENT_H
#define DP_REFERENCE_REFERENCE_GRADIENT_H

#include "reference/reference.h"

/* Of dp_reference_conv, with respect to in, weights and bias; any result may be NULL, and then
 * `weights` (or `in`) where only the others need it. */
void dp_reference_conv_gradient(double *in_gradient, double *weight_gradient, double *bias_gradient,
                                const double *gradient, dp_reference_dims out_dims,
                                const double *in, dp_reference_dims in_dims, const double *weights,
                                dp_reference_window window, int groups);

/* Each output's gradient goes to the first maximum of its window in row order. */
void dp_reference_max_pool_gradient(double *in_gradient, const double *gradient,
                                    dp_reference_dims out_dims, const double *in,
                                    dp_reference_dims in_dims, dp_reference_window window);

void dp_reference_average_pool_gradient(double *in_gradient, const double *gradient,
                                        dp_reference_dims out_dims, dp_reference_dims in_dims,
                                        dp_reference_window window, bool count_padding);

void dp_reference_lrn_gradient(double *in_gradient, const double *gradient, const double *in,
                               dp_reference_dims dims, int size, double alpha, double beta,
                               double k);

/* in > 0 ? gradient : 0. */
void dp_reference_relu_gradient(double *in_gradient, const double *gradient, const double *in,
                                size_t count);

/* Batch norm as training runs it: mean and biased variance of each channel over the batch, which
 * are results too (C values each), then dp_reference_batch_norm. */
void dp_reference_batch_norm_training(double *out, double *mean, double *variance, const double *in,
                                      dp_reference_dims dims, const double *scale,
                                      const double *shift, double epsilon);

/* Of that, with respect to in (through mean and variance as well), scale and shift. */
void dp_reference_batch_norm_gradient(double *in_gradient, double *scale_gradient,
                                      double *shift_gradient, const double *gradient,
                                      const double *in, dp_reference_dims dims, const double *scale,
                                      double epsilon);

/* The loss of N images of C logits each, labels 0..C-1, smoothing e, and the share w of each image,
 * with target[c] = (1 - e) for the label + e / C for every c:
 *     losses[n] = -w[n] * sum over c of target[c] * log softmax(logits[n])[c]
 *     out[n][c] = gradient[n] * d losses[n] / d logits[n][c] */
void dp_reference_softmax_loss(double *losses, const double *logits, const int *labels,
                               const double *weights, int images, int classes, double smoothing);
void dp_reference_softmax_loss_gradient(double *out, const double *gradient, const double *logits,
                                        const int *labels, const double *weights, int images,
                                        int classes, double smoothing);

#endif
