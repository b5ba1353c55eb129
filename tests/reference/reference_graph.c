/* reference_graph.c - see the header. Inputs and parameters are widened to double, then each
 * operator of reference.h in turn. */
#include "reference/reference_graph.h"

#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *doubles(size_t count) {
    double *zeros = calloc(count ? count : 1, sizeof *zeros);
    if (!zeros) {
        fprintf(stderr, "reference_graph: out of memory\n");
        exit(2);
    }
    return zeros;
}

static double *widen(const float *values, size_t count) {
    double *wide = doubles(count);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

static dp_reference_dims dims_of(const dp_node *node, int images) {
    return (dp_reference_dims){ images, node->shape.c, node->shape.h, node->shape.w };
}

static void concat(double *out, const dp_graph *graph, const dp_node *node, double **results,
                   int images) {
    size_t whole = dp_shape_floats(node->shape), begin = 0;
    for (int i = 0; i < node->input_count; i++) {
        size_t part = dp_shape_floats(graph->nodes[node->inputs[i]].shape);
        for (int n = 0; n < images; n++)
            memcpy(out + (size_t)n * whole + begin, results[node->inputs[i]] + (size_t)n * part,
                   part * sizeof *out);
        begin += part;
    }
}

/* Mean and variance of each channel over the batch, two rows of C. */
static double *moments(const double *x, dp_reference_dims dims) {
    size_t plane = (size_t)dims.height * (size_t)dims.width;
    double *out = doubles(2 * (size_t)dims.channels), count = (double)plane * dims.images;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < dp_reference_count(dims); i++) {
            size_t c = i / plane % (size_t)dims.channels;
            double deviation = x[i] - out[c]; /* of the finished mean, in the second pass */
            if (pass == 0)
                out[c] += x[i] / count;
            else
                out[(size_t)dims.channels + c] += deviation * deviation / count;
        }
    return out;
}

static void adaptive_pool(double *out, dp_reference_dims od, const double *in,
                          dp_reference_dims id) {
    for (int plane = 0; plane < id.images * id.channels; plane++)
        for (int p = 0; p < od.height; p++)
            for (int q = 0; q < od.width; q++) {
                int y0 = p * id.height / od.height,
                    y1 = ((p + 1) * id.height + od.height - 1) / od.height;
                int x0 = q * id.width / od.width,
                    x1 = ((q + 1) * id.width + od.width - 1) / od.width;
                double sum = 0;
                for (int y = y0; y < y1; y++)
                    for (int x = x0; x < x1; x++)
                        sum += in[(plane * id.height + y) * id.width + x];
                out[(plane * od.height + p) * od.width + q] = sum / ((y1 - y0) * (x1 - x0));
            }
}

static int mirror(int at, int side) {
    return at < 0 ? -at : at >= side ? 2 * (side - 1) - at : at;
}

/* Pixels of another picture: mirrored beyond `pads`, or the nearest. */
static void pick(double *out, dp_reference_dims od, const double *in, dp_reference_dims id,
                 const dp_pads *pads) {
    for (int plane = 0; plane < id.images * id.channels; plane++)
        for (int p = 0; p < od.height; p++)
            for (int q = 0; q < od.width; q++) {
                int y = pads ? mirror(p - pads->top, id.height) : p * id.height / od.height,
                    x = pads ? mirror(q - pads->left, id.width) : q * id.width / od.width;
                out[(plane * od.height + p) * od.width + q] =
                    in[(plane * id.height + y) * id.width + x];
            }
}

/* Values count x plane from `begin` on, `step` apart, normalised. */
static void normalize_part(double *out, const double *in, int count, int step, double epsilon) {
    double mean = 0, variance = 0;
    for (int i = 0; i < count; i++)
        mean += in[i * step] / count;
    for (int i = 0; i < count; i++)
        variance += (in[i * step] - mean) * (in[i * step] - mean) / count;
    for (int i = 0; i < count; i++)
        out[i * step] = (in[i * step] - mean) / sqrt(variance + epsilon);
}

static void normalize(double *out, const double *in, dp_reference_dims id, const dp_normalize *n) {
    int plane = id.height * id.width, share = id.channels / n->groups;
    for (int part = 0; part < id.images * n->groups; part++)
        for (int pixel = 0; pixel < (n->pixels ? plane : 1); pixel++) {
            int begin = part * share * plane + pixel;
            normalize_part(out + begin, in + begin, n->pixels ? share : share * plane,
                           n->pixels ? plane : 1, (double)n->epsilon);
        }
}

/* What only imported networks have; and flatten, unflatten, dropout: the same values in the same
 * order. scale, shift: of an affine. */
static void run_imported(double *out, const dp_node *node, dp_reference_dims od, const double *in,
                         dp_reference_dims id, const double *scale, const double *shift) {
    const dp_pads *pads = &node->attributes.pads;
    const int groups = node->attributes.groups;
    size_t count = dp_reference_count(od), plane = (size_t)id.height * (size_t)id.width;
    switch (node->op) {
    case DP_OP_AFFINE:
        for (size_t i = 0; i < count; i++)
            out[i] = in[i] * scale[i / plane % (size_t)id.channels]
                     + shift[i / plane % (size_t)id.channels];
        break;
    case DP_OP_CLIP:
        for (size_t i = 0; i < count; i++)
            out[i] = fmin(fmax(in[i], (double)node->attributes.clip.low),
                          (double)node->attributes.clip.high);
        break;
    case DP_OP_PAD:
        for (int p = 0; p < id.images * id.channels; p++)
            for (int y = 0; y < id.height; y++)
                memcpy(out + (p * od.height + y + pads->top) * od.width + pads->left,
                       in + (p * id.height + y) * id.width, (size_t)id.width * sizeof *out);
        break;
    case DP_OP_REFLECT:
        pick(out, od, in, id, pads);
        break;
    case DP_OP_RESIZE:
        pick(out, od, in, id, NULL);
        break;
    case DP_OP_ERF:
        for (size_t i = 0; i < count; i++)
            out[i] = erf(in[i]);
        break;
    case DP_OP_NORMALIZE:
        normalize(out, in, id, &node->attributes.normalize);
        break;
    case DP_OP_SHUFFLE:
        for (int n = 0; n < id.images; n++)
            for (int i = 0; i < groups; i++)
                for (int j = 0; j < id.channels / groups; j++)
                    memcpy(out + (size_t)(n * id.channels + j * groups + i) * plane,
                           in + (size_t)(n * id.channels + i * (id.channels / groups) + j) * plane,
                           plane * sizeof *out);
        break;
    case DP_OP_SLICE:
        for (int n = 0; n < id.images; n++)
            memcpy(out + (size_t)n * dp_shape_floats(node->shape),
                   in + ((size_t)(n * id.channels) + (size_t)node->attributes.slice.begin) * plane,
                   dp_shape_floats(node->shape) * sizeof *out);
        break;
    default:
        memcpy(out, in, count * sizeof *out);
    }
}

/* factors: as many as values, or one per channel. */
static void multiply(double *out, dp_reference_dims dims, const double *in, const double *factors,
                     size_t factor_count) {
    size_t pixels = (size_t)(dims.height * dims.width),
           planes = (size_t)(dims.images * dims.channels);
    for (size_t i = 0; i < planes * pixels; i++)
        out[i] = in[i] * factors[factor_count == planes ? i / pixels : i];
}

static double *run_node(const dp_graph *graph, const dp_node *node, const float *const *values,
                        double **results, int images) {
    size_t count = dp_shape_floats(node->shape) * (size_t)images;
    double *out = doubles(count), *p[5] = { NULL };
    const dp_node *x = &graph->nodes[node->inputs[0]];
    const double *in = results[node->inputs[0]];
    dp_reference_dims id = dims_of(x, images), od = dims_of(node, images);
    const dp_window *w = &node->attributes.window;
    dp_reference_window window = { w->height,   w->width,     w->stride_y,    w->stride_x,
                                   w->pads.top, w->pads.left, w->pads.bottom, w->pads.right };
    for (int i = 1; i < node->input_count && i < 5; i++) {
        const dp_node *parameter = &graph->nodes[node->inputs[i]];
        if (parameter->op == DP_OP_PARAMETER)
            p[i] = widen(values[parameter->parameter], dp_shape_floats(parameter->shape));
    }
    switch (node->op) {
    case DP_OP_CONV:
        dp_reference_conv(out, od, in, id, p[1], p[2], window, w->groups);
        break;
    case DP_OP_FC:
        dp_reference_fc(out, od.channels, in, images, (int)dp_shape_floats(x->shape), p[1], p[2]);
        break;
    case DP_OP_MAX_POOL:
        dp_reference_max_pool(out, od, in, id, window);
        break;
    case DP_OP_AVERAGE_POOL:
        dp_reference_average_pool(out, od, in, id, window, w->count_padding);
        break;
    case DP_OP_GLOBAL_AVERAGE:
        dp_reference_average_pool(
            out, od, in, id, (dp_reference_window){ id.height, id.width, 1, 1, 0, 0, 0, 0 }, false);
        break;
    case DP_OP_ADAPTIVE_POOL:
        adaptive_pool(out, od, in, id);
        break;
    case DP_OP_LRN:
        dp_reference_lrn(out, in, id, node->attributes.lrn.size, (double)node->attributes.lrn.alpha,
                         (double)node->attributes.lrn.beta, (double)node->attributes.lrn.k);
        break;
    case DP_OP_RELU:
        dp_reference_relu(out, in, count);
        break;
    case DP_OP_BATCH_NORM:
        if (node->input_count == 4) {
            p[3] = moments(in, id);
            dp_reference_batch_norm(out, in, id, p[3], p[3] + id.channels, p[1], p[2],
                                    (double)node->attributes.epsilon);
        } else {
            dp_reference_batch_norm(out, in, id, p[3], p[4], p[1], p[2],
                                    (double)node->attributes.epsilon);
        }
        break;
    case DP_OP_SIGMOID:
        for (size_t i = 0; i < count; i++)
            out[i] = 1 / (1 + exp(-in[i]));
        break;
    case DP_OP_MULTIPLY:
        multiply(out, od, in, results[node->inputs[1]],
                 dp_shape_floats(graph->nodes[node->inputs[1]].shape) * (size_t)images);
        break;
    case DP_OP_ADD:
        dp_reference_add(out, in, results[node->inputs[1]], count);
        break;
    case DP_OP_CONCAT:
        concat(out, graph, node, results, images);
        break;
    case DP_OP_SOFTMAX:
        dp_reference_softmax(out, in, id);
        break;
    default:
        run_imported(out, node, od, in, id, p[1], p[2]);
    }
    for (int i = 1; i < 5; i++)
        free(p[i]);
    return out;
}

double **dp_reference_graph(const dp_graph *graph, const float *const *values, const float *input,
                            int images) {
    double **results = calloc((size_t)graph->count, sizeof *results);
    for (int i = 0; results && i < graph->count; i++) {
        const dp_node *node = &graph->nodes[i];
        if (node->op == DP_OP_FILL) /* the first node of a backward graph */
            break;
        if (node->op == DP_OP_INPUT && input) {
            results[i] = widen(input, dp_shape_floats(node->shape) * (size_t)images);
            input = NULL;
        } else if (node->input_count && dp_op_is_inference(node->op)) {
            results[i] = run_node(graph, node, values, results, images);
        }
    }
    return results;
}

void dp_reference_graph_free(const dp_graph *graph, double **result) {
    for (int i = 0; result && i < graph->count; i++)
        free(result[i]);
    free(result);
}
