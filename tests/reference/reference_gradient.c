/* reference_gradient.c - the derivative of each operator as its formula. Convolutions and pools
 * walk through outputs and windows as the forward operator does and hand each output's gradient on.
 * Letters as in reference.h. */
#include "reference/reference_gradient.h"

#include <math.h>

static size_t at(dp_reference_dims dims, int n, int c, int y, int x) {
    return (((size_t)n * (size_t)dims.channels + (size_t)c) * (size_t)dims.height + (size_t)y)
               * (size_t)dims.width
           + (size_t)x;
}

static void clear(double *values, size_t count) {
    for (size_t i = 0; values && i < count; i++)
        values[i] = 0;
}

/* Whether row (or column) `offset` of the window of output `position` lies inside; *place is
 * where. */
static bool inside(int *place, int position, int stride, int pad, int offset, int limit) {
    *place = position * stride - pad + offset;
    return *place >= 0 && *place < limit;
}

/* One output pixel of one channel hands g on to the pixels and weights that made it. */
static void conv_output(double *in_gradient, double *weight_gradient, double g,
                        dp_reference_dims dims, int n, int first_channel, int channels, int p,
                        int q, const double *in, const double *weights, size_t first_weight,
                        dp_reference_window window) {
    size_t weight = first_weight;
    for (int c = 0; c < channels; c++)
        for (int r = 0; r < window.height; r++)
            for (int s = 0; s < window.width; s++, weight++) {
                int y, x;
                if (!inside(&y, p, window.stride_y, window.pad_top, r, dims.height)
                    || !inside(&x, q, window.stride_x, window.pad_left, s, dims.width))
                    continue;
                size_t pixel = at(dims, n, first_channel + c, y, x);
                if (in_gradient)
                    in_gradient[pixel] += g * weights[weight];
                if (weight_gradient)
                    weight_gradient[weight] += g * in[pixel];
            }
}

void dp_reference_conv_gradient(double *in_gradient, double *weight_gradient, double *bias_gradient,
                                const double *gradient, dp_reference_dims out_dims,
                                const double *in, dp_reference_dims in_dims, const double *weights,
                                dp_reference_window window, int groups) {
    int group_inputs = in_dims.channels / groups;
    int group_outputs = out_dims.channels / groups;
    size_t taps = (size_t)group_inputs * (size_t)window.height * (size_t)window.width;
    clear(in_gradient, dp_reference_count(in_dims));
    clear(weight_gradient, (size_t)out_dims.channels * taps);
    clear(bias_gradient, (size_t)out_dims.channels);
    for (int n = 0; n < out_dims.images; n++)
        for (int k = 0; k < out_dims.channels; k++)
            for (int p = 0; p < out_dims.height; p++)
                for (int q = 0; q < out_dims.width; q++) {
                    double g = gradient[at(out_dims, n, k, p, q)];
                    conv_output(in_gradient, weight_gradient, g, in_dims, n,
                                k / group_outputs * group_inputs, group_inputs, p, q, in, weights,
                                (size_t)k * taps, window);
                    if (bias_gradient)
                        bias_gradient[k] += g;
                }
}

void dp_reference_max_pool_gradient(double *in_gradient, const double *gradient,
                                    dp_reference_dims out_dims, const double *in,
                                    dp_reference_dims in_dims, dp_reference_window window) {
    clear(in_gradient, dp_reference_count(in_dims));
    for (int n = 0; n < out_dims.images; n++)
        for (int c = 0; c < out_dims.channels; c++)
            for (int p = 0; p < out_dims.height; p++)
                for (int q = 0; q < out_dims.width; q++) {
                    size_t first = 0;
                    double largest = -INFINITY;
                    for (int r = 0; r < window.height; r++)
                        for (int s = 0; s < window.width; s++) {
                            int y, x;
                            if (inside(&y, p, window.stride_y, window.pad_top, r, in_dims.height)
                                && inside(&x, q, window.stride_x, window.pad_left, s, in_dims.width)
                                && in[at(in_dims, n, c, y, x)] > largest) {
                                first = at(in_dims, n, c, y, x);
                                largest = in[first];
                            }
                        }
                    in_gradient[first] += gradient[at(out_dims, n, c, p, q)];
                }
}

void dp_reference_average_pool_gradient(double *in_gradient, const double *gradient,
                                        dp_reference_dims out_dims, dp_reference_dims in_dims,
                                        dp_reference_window window, bool count_padding) {
    clear(in_gradient, dp_reference_count(in_dims));
    for (int n = 0; n < out_dims.images; n++)
        for (int c = 0; c < out_dims.channels; c++)
            for (int p = 0; p < out_dims.height; p++)
                for (int q = 0; q < out_dims.width; q++) {
                    int places = 0; /* first counted, then filled */
                    for (int pass = 0; pass < 2; pass++)
                        for (int r = 0; r < window.height; r++)
                            for (int s = 0; s < window.width; s++) {
                                int y, x;
                                bool row = inside(&y, p, window.stride_y, window.pad_top, r,
                                                  in_dims.height);
                                bool column = inside(&x, q, window.stride_x, window.pad_left, s,
                                                     in_dims.width);
                                bool padded = y < in_dims.height + window.pad_bottom
                                              && x < in_dims.width + window.pad_right;
                                if (pass == 0)
                                    places += count_padding ? padded : row && column;
                                else if (row && column)
                                    in_gradient[at(in_dims, n, c, y, x)] +=
                                        gradient[at(out_dims, n, c, p, q)] / places;
                            }
                }
}

/* k + alpha / size * sum of the squares around channel c. */
static double lrn_sum(const double *in, dp_reference_dims dims, int n, int c, int y, int x,
                      int size, double alpha, double k) {
    double sum = 0;
    for (int near = c - size / 2; near <= c + size / 2; near++)
        if (near >= 0 && near < dims.channels)
            sum += in[at(dims, n, near, y, x)] * in[at(dims, n, near, y, x)];
    return k + alpha / size * sum;
}

void dp_reference_lrn_gradient(double *in_gradient, const double *gradient, const double *in,
                               dp_reference_dims dims, int size, double alpha, double beta,
                               double k) {
    clear(in_gradient, dp_reference_count(dims));
    for (int n = 0; n < dims.images; n++)
        for (int c = 0; c < dims.channels; c++)
            for (int y = 0; y < dims.height; y++)
                for (int x = 0; x < dims.width; x++) {
                    /* out[c] = in[c] * s^-beta, where s depends on every channel near c */
                    double g = gradient[at(dims, n, c, y, x)];
                    double s = lrn_sum(in, dims, n, c, y, x, size, alpha, k);
                    in_gradient[at(dims, n, c, y, x)] += g * pow(s, -beta);
                    for (int near = c - size / 2; near <= c + size / 2; near++)
                        if (near >= 0 && near < dims.channels)
                            in_gradient[at(dims, n, near, y, x)] -=
                                g * in[at(dims, n, c, y, x)] * beta * pow(s, -beta - 1) * alpha
                                / size * 2 * in[at(dims, n, near, y, x)];
                }
}

void dp_reference_relu_gradient(double *in_gradient, const double *gradient, const double *in,
                                size_t count) {
    for (size_t i = 0; i < count; i++)
        in_gradient[i] = in[i] > 0 ? gradient[i] : 0;
}

/* Sum over the pixels of one channel of all images of a * b; b NULL: of a. */
static double channel_sum(const double *a, const double *b, dp_reference_dims dims, int c) {
    double sum = 0;
    for (int n = 0; n < dims.images; n++)
        for (size_t i = at(dims, n, c, 0, 0); i < at(dims, n, c + 1, 0, 0); i++)
            sum += b ? a[i] * b[i] : a[i];
    return sum;
}

static double channel_count(dp_reference_dims dims) {
    return (double)dims.images * dims.height * dims.width;
}

static void moments(double *mean, double *variance, const double *in, dp_reference_dims dims,
                    int c) {
    *mean = channel_sum(in, NULL, dims, c) / channel_count(dims);
    *variance = 0;
    for (int n = 0; n < dims.images; n++)
        for (size_t i = at(dims, n, c, 0, 0); i < at(dims, n, c + 1, 0, 0); i++)
            *variance += (in[i] - *mean) * (in[i] - *mean) / channel_count(dims);
}

void dp_reference_batch_norm_training(double *out, double *mean, double *variance, const double *in,
                                      dp_reference_dims dims, const double *scale,
                                      const double *shift, double epsilon) {
    for (int c = 0; c < dims.channels; c++)
        moments(&mean[c], &variance[c], in, dims, c);
    dp_reference_batch_norm(out, in, dims, mean, variance, scale, shift, epsilon);
}

void dp_reference_batch_norm_gradient(double *in_gradient, double *scale_gradient,
                                      double *shift_gradient, const double *gradient,
                                      const double *in, dp_reference_dims dims, const double *scale,
                                      double epsilon) {
    for (int c = 0; c < dims.channels; c++) {
        double mean, variance;
        moments(&mean, &variance, in, dims, c);
        double deviation = sqrt(variance + epsilon);
        double sum = channel_sum(gradient, NULL, dims, c);
        double product = (channel_sum(gradient, in, dims, c) - mean * sum)
                         / deviation; /* of gradient and normalised input */
        shift_gradient[c] = sum;
        scale_gradient[c] = product;
        for (int n = 0; n < dims.images; n++)
            for (size_t i = at(dims, n, c, 0, 0); i < at(dims, n, c + 1, 0, 0); i++) {
                double normalised = (in[i] - mean) / deviation;
                in_gradient[i] = scale[c] / deviation
                                 * (gradient[i] - sum / channel_count(dims)
                                    - normalised * product / channel_count(dims));
            }
    }
}

static double target(int label, int c, int classes, double smoothing) {
    return (c == label ? 1 - smoothing : 0) + smoothing / classes;
}

void dp_reference_softmax_loss(double *losses, const double *logits, const int *labels,
                               const double *weights, int images, int classes, double smoothing) {
    for (int n = 0; n < images; n++) {
        const double *x = logits + (size_t)n * (size_t)classes;
        double largest = -INFINITY, sum = 0;
        for (int c = 0; c < classes; c++)
            largest = fmax(largest, x[c]);
        for (int c = 0; c < classes; c++)
            sum += exp(x[c] - largest);
        losses[n] = 0;
        for (int c = 0; c < classes; c++)
            losses[n] -=
                weights[n] * target(labels[n], c, classes, smoothing) * (x[c] - largest - log(sum));
    }
}

void dp_reference_softmax_loss_gradient(double *out, const double *gradient, const double *logits,
                                        const int *labels, const double *weights, int images,
                                        int classes, double smoothing) {
    dp_reference_softmax(out, logits, (dp_reference_dims){ images, classes, 1, 1 });
    for (int n = 0; n < images; n++)
        for (int c = 0; c < classes; c++) {
            double *place = &out[(size_t)n * (size_t)classes + (size_t)c];
            *place = gradient[n] * weights[n] * (*place - target(labels[n], c, classes, smoothing));
        }
}
