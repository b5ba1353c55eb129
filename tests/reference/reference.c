/* reference.c - the operators of inference, each as its formula. Performance and storage formats
 * are not a concern here; the letters are those of reference.h. */
#include "reference/reference.h"

#include <math.h>

/* Rows (or columns) of a window that lie inside the picture: those from begin to end - 1. */
typedef struct span {
    int begin, end;
} span;

static span inside(int position, int stride, int pad, int window, int limit) {
    int first = position * stride - pad;
    int last = first + window;
    return (span){ first < 0 ? 0 : first, last > limit ? limit : last };
}

static size_t at(dp_reference_dims dims, int n, int c, int y, int x) {
    return (((size_t)n * (size_t)dims.channels + (size_t)c) * (size_t)dims.height + (size_t)y)
               * (size_t)dims.width
           + (size_t)x;
}

size_t dp_reference_count(dp_reference_dims dims) {
    return at(dims, dims.images, 0, 0, 0);
}

/* One output pixel without its bias: the weights of one output channel over the channels of its
 * group. */
static double window_product(const double *in, dp_reference_dims dims, int n, int first_channel,
                             int channels, int p, int q, const double *weights,
                             dp_reference_window window) {
    span ys = inside(p, window.stride_y, window.pad_top, window.height, dims.height);
    span xs = inside(q, window.stride_x, window.pad_left, window.width, dims.width);
    int top = p * window.stride_y - window.pad_top;
    int left = q * window.stride_x - window.pad_left;
    double sum = 0;
    for (int c = 0; c < channels; c++)
        for (int y = ys.begin; y < ys.end; y++)
            for (int x = xs.begin; x < xs.end; x++) {
                size_t tap =
                    ((size_t)c * (size_t)window.height + (size_t)(y - top)) * (size_t)window.width
                    + (size_t)(x - left);
                sum += in[at(dims, n, first_channel + c, y, x)] * weights[tap];
            }
    return sum;
}

void dp_reference_conv(double *out, dp_reference_dims out_dims, const double *in,
                       dp_reference_dims in_dims, const double *weights, const double *bias,
                       dp_reference_window window, int groups) {
    int group_inputs = in_dims.channels / groups;
    int group_outputs = out_dims.channels / groups;
    size_t taps = (size_t)group_inputs * (size_t)window.height * (size_t)window.width;
    for (int n = 0; n < out_dims.images; n++)
        for (int k = 0; k < out_dims.channels; k++)
            for (int p = 0; p < out_dims.height; p++)
                for (int q = 0; q < out_dims.width; q++)
                    out[at(out_dims, n, k, p, q)] =
                        (bias ? bias[k] : 0)
                        + window_product(in, in_dims, n, k / group_outputs * group_inputs,
                                         group_inputs, p, q, weights + (size_t)k * taps, window);
}

void dp_reference_fc(double *out, int outputs, const double *in, int images, int inputs,
                     const double *weights, const double *bias) {
    for (int n = 0; n < images; n++)
        for (int k = 0; k < outputs; k++) {
            double sum = bias ? bias[k] : 0;
            for (int i = 0; i < inputs; i++)
                sum += in[(size_t)n * (size_t)inputs + (size_t)i]
                       * weights[(size_t)k * (size_t)inputs + (size_t)i];
            out[(size_t)n * (size_t)outputs + (size_t)k] = sum;
        }
}

void dp_reference_max_pool(double *out, dp_reference_dims out_dims, const double *in,
                           dp_reference_dims in_dims, dp_reference_window window) {
    for (int n = 0; n < out_dims.images; n++)
        for (int c = 0; c < out_dims.channels; c++)
            for (int p = 0; p < out_dims.height; p++)
                for (int q = 0; q < out_dims.width; q++) {
                    span ys =
                        inside(p, window.stride_y, window.pad_top, window.height, in_dims.height);
                    span xs =
                        inside(q, window.stride_x, window.pad_left, window.width, in_dims.width);
                    double largest = -INFINITY;
                    for (int y = ys.begin; y < ys.end; y++)
                        for (int x = xs.begin; x < xs.end; x++)
                            largest = fmax(largest, in[at(in_dims, n, c, y, x)]);
                    out[at(out_dims, n, c, p, q)] = largest;
                }
}

void dp_reference_average_pool(double *out, dp_reference_dims out_dims, const double *in,
                               dp_reference_dims in_dims, dp_reference_window window,
                               bool count_padding) {
    for (int n = 0; n < out_dims.images; n++)
        for (int c = 0; c < out_dims.channels; c++)
            for (int p = 0; p < out_dims.height; p++)
                for (int q = 0; q < out_dims.width; q++) {
                    span ys =
                        inside(p, window.stride_y, window.pad_top, window.height, in_dims.height);
                    span xs =
                        inside(q, window.stride_x, window.pad_left, window.width, in_dims.width);
                    double sum = 0;
                    for (int y = ys.begin; y < ys.end; y++)
                        for (int x = xs.begin; x < xs.end; x++)
                            sum += in[at(in_dims, n, c, y, x)];
                    double divisor = (double)(ys.end - ys.begin) * (xs.end - xs.begin);
                    if (count_padding) { /* the same window over a picture that has grown by its
                                            padding */
                        int tall = in_dims.height + window.pad_top + window.pad_bottom;
                        int wide = in_dims.width + window.pad_left + window.pad_right;
                        span padded_ys = inside(p, window.stride_y, 0, window.height, tall);
                        span padded_xs = inside(q, window.stride_x, 0, window.width, wide);
                        divisor = (double)(padded_ys.end - padded_ys.begin)
                                  * (padded_xs.end - padded_xs.begin);
                    }
                    out[at(out_dims, n, c, p, q)] = sum / divisor;
                }
}

void dp_reference_lrn(double *out, const double *in, dp_reference_dims dims, int size, double alpha,
                      double beta, double k) {
    for (int n = 0; n < dims.images; n++)
        for (int c = 0; c < dims.channels; c++)
            for (int y = 0; y < dims.height; y++)
                for (int x = 0; x < dims.width; x++) {
                    double sum = 0;
                    for (int near = c - size / 2; near <= c + size / 2; near++)
                        if (near >= 0 && near < dims.channels)
                            sum += in[at(dims, n, near, y, x)] * in[at(dims, n, near, y, x)];
                    out[at(dims, n, c, y, x)] =
                        in[at(dims, n, c, y, x)] * pow(k + alpha / size * sum, -beta);
                }
}

void dp_reference_batch_norm(double *out, const double *in, dp_reference_dims dims,
                             const double *mean, const double *variance, const double *scale,
                             const double *shift, double epsilon) {
    for (int n = 0; n < dims.images; n++)
        for (int c = 0; c < dims.channels; c++)
            for (size_t i = at(dims, n, c, 0, 0); i < at(dims, n, c + 1, 0, 0); i++)
                out[i] = (in[i] - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + shift[c];
}

void dp_reference_relu(double *out, const double *in, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = fmax(0, in[i]);
}

void dp_reference_add(double *out, const double *a, const double *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = a[i] + b[i];
}

void dp_reference_softmax(double *out, const double *in, dp_reference_dims dims) {
    for (int n = 0; n < dims.images; n++)
        for (int y = 0; y < dims.height; y++)
            for (int x = 0; x < dims.width; x++) {
                double largest = -INFINITY;
                double sum = 0;
                for (int c = 0; c < dims.channels; c++)
                    largest = fmax(largest, in[at(dims, n, c, y, x)]);
                for (int c = 0; c < dims.channels; c++)
                    sum += exp(in[at(dims, n, c, y, x)] - largest);
                for (int c = 0; c < dims.channels; c++)
                    out[at(dims, n, c, y, x)] = exp(in[at(dims, n, c, y, x)] - largest) / sum;
            }
}
