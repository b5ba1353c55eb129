/* onnx_layers.c - operators that become layers. Each function reads its node's attributes as their
 * operator set says, refuses what the graph cannot say, and adds a layer. A Conv without a bias, or
 * a Mul, takes the constant of the Add that alone reads it, and is called as that Add, whose value
 * it is. Letters: N images, C channels, H W rows and columns, K outputs, R S window. */
#include "formats/onnx/onnx_import.h"

#include "base/arithmetic.h"
#include "graph/attributes.h"

#include <limits.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- helpers */

/* Input 0 as a picture N x C x H x W. */
static deeper_status picture(dp_onnx_importer *importer, const Onnx__NodeProto *node, int *layer) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    if (x->rank != 4)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "%.100s has %d dimensions; only pictures, N x C x H x W, are supported",
                            x->name, x->rank);
    return dp_onnx_settle(importer, x, layer);
}

/* Whether the node's input is N x C x L, a picture of one row. */
static bool reads_row(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *x = dp_onnx_input(importer, node, 0);
    return x && x->rank == 3;
}

/* Two numbers, for rows and columns; of a row only the second. */
static deeper_status read_pair(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               const char *name, int min, int max, int values[2]) {
    const Onnx__AttributeProto *attribute = dp_onnx_attribute(node, name);
    if (!attribute || attribute->n_ints == 0)
        return DEEPER_OK;
    size_t wanted = reads_row(importer, node) ? 1 : 2;
    if (attribute->n_ints != wanted)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "%s has %zu numbers; %zu are needed", name, attribute->n_ints, wanted);
    for (size_t i = 0; i < wanted; i++) {
        if (attribute->ints[i] < min || attribute->ints[i] > max)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%s is %lld; %d to %d are possible",
                                name, (long long)attribute->ints[i], min, max);
        values[i + 2 - wanted] = (int)attribute->ints[i];
    }
    return DEEPER_OK;
}

/* Padding before and after one side so that the output has ceil(side / stride) windows. */
static void pad_same(int side, int window, int stride, bool upper, int *before, int *after) {
    int64_t count = dp_ceil_div64(side, stride), all = (count - 1) * stride + window - side;
    int pads = all > 0 ? (int)all : 0;
    *before = upper ? pads / 2 : pads - pads / 2;
    *after = pads - *before;
}

static deeper_status read_pads(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_shape in,
                               dp_window *w) {
    const Onnx__AttributeProto *pads = dp_onnx_attribute(node, "pads");
    bool upper = dp_onnx_text_is(node, "auto_pad", "SAME_UPPER"),
         lower = dp_onnx_text_is(node, "auto_pad", "SAME_LOWER");
    if (upper || lower) {
        pad_same(in.h, w->height, w->stride_y, upper, &w->pads.top, &w->pads.bottom);
        pad_same(in.w, w->width, w->stride_x, upper, &w->pads.left, &w->pads.right);
        return DEEPER_OK;
    }
    if (dp_onnx_text_is(node, "auto_pad", "VALID") || !pads || pads->n_ints == 0)
        return DEEPER_OK;
    if (dp_onnx_attribute(node, "auto_pad") && !dp_onnx_text_is(node, "auto_pad", "NOTSET"))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "an auto_pad that is none of NOTSET, VALID, SAME_UPPER and SAME_LOWER");
    size_t wanted = reads_row(importer, node) ? 2 : 4;
    if (pads->n_ints != wanted)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "pads has %zu numbers; %zu are needed", pads->n_ints, wanted);
    for (size_t i = 0; i < wanted; i++)
        if (pads->ints[i] < 0 || pads->ints[i] > DP_MAX_SIDE)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "a padding of %lld pixels; 0 to %d are supported",
                                (long long)pads->ints[i], DP_MAX_SIDE);
    w->pads.left = (int)pads->ints[wanted / 2 - 1];
    w->pads.right = (int)pads->ints[wanted - 1];
    if (wanted == 4) {
        w->pads.top = (int)pads->ints[0];
        w->pads.bottom = (int)pads->ints[2];
    }
    return DEEPER_OK;
}

/* Window (given, or the attribute kernel_shape), strides and pads. */
static deeper_status read_window(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 dp_shape in, dp_window *w) {
    int sides[2] = { w->height, w->width }, strides[2] = { 1, 1 };
    DP_TRY(read_pair(importer, node, "kernel_shape", 1, DP_MAX_SIDE, sides));
    DP_TRY(read_pair(importer, node, "strides", 1, DP_MAX_SIDE, strides));
    if (sides[0] == 0 || (w->height && (sides[0] != w->height || sides[1] != w->width)))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "kernel_shape is missing or not that of its weights");
    w->height = sides[0];
    w->width = sides[1];
    w->stride_y = strides[0];
    w->stride_x = strides[1];
    return DEEPER_OK;
}

/* values[count], each changed by `change` and c; file values are copied. */
static deeper_status transform(dp_onnx_importer *importer, dp_onnx_parameter *values, size_t count,
                               float (*change)(float, float), float c) {
    float *floats;
    if (!values->values) {
        values->fill = change(values->fill, c);
        return DEEPER_OK;
    }
    DP_TRY(dp_onnx_invent(importer, count, &floats));
    for (size_t i = 0; i < count; i++)
        floats[i] = change(values->values[i], c);
    values->values = floats;
    return DEEPER_OK;
}

static float times(float value, float c) {
    return value * c;
}

static float inverse(float value, float c) {
    return c / value;
}

deeper_status dp_onnx_operand(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const dp_onnx_value *constant, int rank, int channel_axis,
                              int channels, dp_onnx_parameter *values, bool *fits) {
    const dp_tensor *tensor = &constant->tensor;
    int64_t axis = rank - tensor->rank; /* of the constant's first side: aligned at the end */
    if (importer->file->opset < 7 && dp_onnx_int(node, "broadcast", 0))
        axis = dp_onnx_int(node, "axis", axis);
    size_t elements = dp_onnx_elements(constant);
    *fits = axis >= 0 && axis <= rank && tensor->rank <= rank;
    for (int i = 0; i < tensor->rank && *fits; i++)
        *fits = tensor->shape[i] == 1
                || (axis + i == channel_axis && tensor->shape[i] == (size_t)channels);
    if (!*fits)
        return DEEPER_OK;
    DP_TRY(dp_onnx_floats(importer, constant, values));
    if (elements == 1)
        *values = (dp_onnx_parameter){ .fill = dp_onnx_at(values, 0) };
    return DEEPER_OK;
}

/* -------------------------------------------------------- convolution and fully connected layer */

/* The Add that alone reads output 0 of `node`, if its other operand is a constant of `channels`
 * values; *add NULL: none. Its name then stands for the layer's output. */
static deeper_status following_bias(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                    int rank, int channel_axis, int channels,
                                    dp_onnx_parameter *bias, const Onnx__NodeProto **add) {
    const dp_onnx_value *output = dp_onnx_output(importer, node, 0);
    *add = NULL;
    if (!output || output->uses != 1 || output->reader < 0)
        return DEEPER_OK;
    const Onnx__NodeProto *next = importer->file->graph->node[output->reader];
    bool fits = false;
    if (strcmp(next->op_type, "Add") != 0 || next->n_input != 2)
        return DEEPER_OK;
    const dp_onnx_value *other =
        dp_onnx_input(importer, next, strcmp(next->input[0], output->name) == 0);
    if (!other || other->kind != DP_ONNX_CONSTANT || dp_onnx_elements(other) != (size_t)channels)
        return DEEPER_OK;
    DP_TRY(dp_onnx_operand(importer, next, other, rank, channel_axis, channels, bias, &fits));
    if (fits) {
        *add = next;
        importer->done[output->reader] = true;
    }
    return DEEPER_OK;
}

/* A CONV or FC on `layer` with these weights and this bias (NULL: none). */
static deeper_status add_product(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                                 int layer, dp_shape shape, dp_onnx_parameter weights,
                                 const dp_onnx_parameter *bias, const dp_window *window, int rank) {
    char name[DP_ONNX_NAME];
    dp_attributes attributes = { 0 };
    int inputs[3] = { layer };
    DP_TRY(dp_onnx_layer_name(importer, node, name));
    DP_TRY(dp_onnx_add_parameter(importer, name, "weight", shape, weights, &inputs[1]));
    if (bias)
        DP_TRY(dp_onnx_add_parameter(importer, name, "bias", (dp_shape){ shape.n, 1, 1, 1 }, *bias,
                                     &inputs[2]));
    if (window)
        attributes.window = *window;
    return dp_onnx_add(importer, node, op, inputs, bias ? 3 : 2, &attributes, rank);
}

/* Weights of a dilated window as those of a larger one with zeros between. */
static deeper_status dilate(dp_onnx_importer *importer, dp_onnx_parameter *weights, dp_shape *shape,
                            const int dilations[2]) {
    dp_shape wide = *shape;
    int64_t height = (int64_t)(shape->h - 1) * dilations[0] + 1,
            width = (int64_t)(shape->w - 1) * dilations[1] + 1;
    float *floats;
    if (height > DP_MAX_SIDE || width > DP_MAX_SIDE)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a window dilated to more than %d pixels",
                            DP_MAX_SIDE);
    wide.h = (int)height;
    wide.w = (int)width;
    DP_TRY(dp_onnx_invent(importer, dp_shape_floats(wide), &floats));
    size_t from = 0;
    for (size_t plane = 0; plane < (size_t)shape->n * (size_t)shape->c; plane++)
        for (int r = 0; r < shape->h; r++)
            for (int s = 0; s < shape->w; s++)
                floats[(plane * (size_t)wide.h + (size_t)(r * dilations[0])) * (size_t)wide.w
                       + (size_t)(s * dilations[1])] = dp_onnx_at(weights, from++);
    weights->values = floats;
    *shape = wide;
    return DEEPER_OK;
}

static deeper_status conv(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *w, *b = dp_onnx_input(importer, node, 2);
    dp_onnx_parameter weights, bias;
    int layer, dilations[2] = { 1, 1 }, rank = reads_row(importer, node) ? 3 : 4;
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(rank == 3 ? dp_onnx_settle(importer, x, &layer) : picture(importer, node, &layer));
    DP_TRY(dp_onnx_constant(importer, node, 1, &w));
    const size_t *sides = w->tensor.shape;
    if (w->tensor.rank != rank || dp_onnx_elements(w) == 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "its weights %.100s are not K x C x R x S", w->name);
    dp_shape shape = { (int)sides[0], (int)sides[1], rank == 4 ? (int)sides[2] : 1,
                       (int)sides[rank - 1] };
    int64_t groups = dp_onnx_int(node, "group", 1);
    dp_window window = { .height = shape.h,
                         .width = shape.w,
                         .groups = groups > 0 && groups <= INT_MAX ? (int)groups : 0 };
    DP_TRY(read_window(importer, node, importer->graph->nodes[layer].shape, &window));
    DP_TRY(read_pair(importer, node, "dilations", 1, DP_MAX_SIDE, dilations));
    DP_TRY(dp_onnx_floats(importer, w, &weights));
    if (dilations[0] != 1 || dilations[1] != 1)
        DP_TRY(dilate(importer, &weights, &shape, dilations));
    window.height = shape.h;
    window.width = shape.w;
    DP_TRY(read_pads(importer, node, importer->graph->nodes[layer].shape, &window));
    if (b) {
        DP_TRY(dp_onnx_constant(importer, node, 2, &w));
        DP_TRY(dp_onnx_floats(importer, w, &bias));
        if (dp_onnx_elements(w) != (size_t)shape.n)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                                "a bias of %zu values for %d outputs", dp_onnx_elements(w),
                                shape.n);
    }
    const Onnx__NodeProto *add = NULL, *named = node;
    if (!b) {
        DP_TRY(following_bias(importer, node, rank, 1, shape.n, &bias, &add));
        named = add ? add : node;
    }
    return add_product(importer, named, DP_OP_CONV, layer, shape, weights, b || add ? &bias : NULL,
                       &window, rank);
}

/* Input 1 as K rows of C: as it is if `rows`, else transposed from C x K. *outputs = K. */
static deeper_status read_matrix(dp_onnx_importer *importer, const Onnx__NodeProto *node, bool rows,
                                 size_t inputs, int *outputs, dp_onnx_parameter *weights) {
    const dp_onnx_value *w;
    float *floats;
    DP_TRY(dp_onnx_constant(importer, node, 1, &w));
    if (w->tensor.rank != 2 || w->tensor.shape[rows] != inputs || w->tensor.shape[!rows] == 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "its weights %.100s do not fit an input of %zu", w->name, inputs);
    size_t k = w->tensor.shape[!rows];
    *outputs = (int)k;
    DP_TRY(dp_onnx_floats(importer, w, weights));
    if (rows || !weights->values)
        return DEEPER_OK;
    DP_TRY(dp_onnx_invent(importer, k * inputs, &floats));
    for (size_t i = 0; i < inputs; i++)
        for (size_t j = 0; j < k; j++)
            floats[j * inputs + i] = weights->values[i * k + j];
    weights->values = floats;
    return DEEPER_OK;
}

/* Input 0 as N x C; a picture that was only flattened stays the picture that the fully connected
 * layer reads. */
static deeper_status flat(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                          dp_onnx_value **x, dp_shape *shape) {
    DP_TRY(dp_onnx_activation(importer, node, 0, x));
    if ((*x)->rank != 2)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "%.100s has %d dimensions; only N x C is supported", (*x)->name,
                            (*x)->rank);
    *shape = importer->graph->nodes[(*x)->node].shape;
    return DEEPER_OK;
}

static deeper_status gemm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    dp_shape shape;
    dp_onnx_parameter weights, bias;
    const dp_onnx_value *c = dp_onnx_input(importer, node, 2);
    float alpha = dp_onnx_float(node, "alpha", 1), beta = dp_onnx_float(node, "beta", 1);
    bool fits = false;
    DP_TRY(flat(importer, node, &x, &shape));
    if (dp_onnx_int(node, "transA", 0))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "transA, which mixes the images");
    DP_TRY(read_matrix(importer, node, dp_onnx_int(node, "transB", 0) != 0, dp_shape_floats(shape),
                       &shape.n, &weights));
    if (alpha != 1)
        DP_TRY(transform(importer, &weights, dp_shape_floats(shape), times, alpha));
    if (c) {
        DP_TRY(dp_onnx_constant(importer, node, 2, &c));
        int rank = c->tensor.rank;
        fits =
            rank <= 2 && (rank < 2 || c->tensor.shape[0] == 1)
            && (dp_onnx_elements(c) == 1 || (dp_onnx_elements(c) == (size_t)shape.n && rank > 0));
        if (!fits)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "a term %.100s that is not one value an output", c->name);
        DP_TRY(dp_onnx_floats(importer, c, &bias));
        if (dp_onnx_elements(c) == 1)
            bias = (dp_onnx_parameter){ .fill = dp_onnx_at(&bias, 0) };
        if (beta != 1)
            DP_TRY(transform(importer, &bias, (size_t)shape.n, times, beta));
    }
    return add_product(importer, node, DP_OP_FC, x->node, shape, weights, c ? &bias : NULL, NULL,
                       2);
}

/* Of the channels of each pixel, which come last: a convolution of one pixel. */
static deeper_status matmul_pixels(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   const dp_onnx_value *x) {
    static const dp_window pixel = {
        .height = 1, .width = 1, .stride_y = 1, .stride_x = 1, .groups = 1
    };
    dp_shape shape = { 0, importer->graph->nodes[x->node].shape.c, 1, 1 };
    dp_onnx_parameter weights;
    DP_TRY(read_matrix(importer, node, false, (size_t)shape.c, &shape.n, &weights));
    DP_TRY(add_product(importer, node, DP_OP_CONV, x->node, shape, weights, NULL, &pixel, 4));
    dp_onnx_value turned = *x;
    turned.dims[3] = shape.n;
    return dp_onnx_set_like(importer, node, dp_onnx_output(importer, node, 0)->node, &turned);
}

static deeper_status matmul(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    dp_shape shape;
    dp_onnx_parameter weights;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    if (x->last)
        return matmul_pixels(importer, node, x);
    DP_TRY(flat(importer, node, &x, &shape));
    DP_TRY(read_matrix(importer, node, false, dp_shape_floats(shape), &shape.n, &weights));
    return add_product(importer, node, DP_OP_FC, x->node, shape, weights, NULL, NULL, 2);
}

/* ---------------------------------------------------------------------------------------- pools */

static deeper_status pool(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int layer, dilations[2] = { 1, 1 };
    dp_window window = { .groups = 1,
                         .ceil = dp_onnx_int(node, "ceil_mode", 0) != 0,
                         .count_padding = dp_onnx_int(node, "count_include_pad", 0) != 0 };
    bool max = node->op_type[0] == 'M';
    DP_TRY(dp_onnx_one_output(importer, node));
    DP_TRY(picture(importer, node, &layer));
    DP_TRY(read_window(importer, node, importer->graph->nodes[layer].shape, &window));
    DP_TRY(read_pads(importer, node, importer->graph->nodes[layer].shape, &window));
    DP_TRY(read_pair(importer, node, "dilations", 1, DP_MAX_SIDE, dilations));
    if (dilations[0] != 1 || dilations[1] != 1)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a pool with dilations");
    return dp_onnx_add(importer, node, max ? DP_OP_MAX_POOL : DP_OP_AVERAGE_POOL, &layer, 1,
                       &(dp_attributes){ .window = window }, 4);
}

static deeper_status global_average(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int layer;
    DP_TRY(picture(importer, node, &layer));
    return dp_onnx_add(importer, node, DP_OP_GLOBAL_AVERAGE, &layer, 1, NULL, 4);
}

static deeper_status global_max(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int layer;
    DP_TRY(picture(importer, node, &layer));
    dp_shape in = importer->graph->nodes[layer].shape;
    dp_window window = { .height = in.h, .width = in.w, .stride_y = 1, .stride_x = 1, .groups = 1 };
    return dp_onnx_add(importer, node, DP_OP_MAX_POOL, &layer, 1,
                       &(dp_attributes){ .window = window }, 4);
}

/* A mean over rows and columns. */
static deeper_status reduce_mean(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int64_t axes[DP_ONNX_INTS];
    dp_onnx_value *x;
    int layer, count;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 1, axes, &count));
    for (int i = 0; i < count; i++)
        DP_TRY(dp_onnx_axis(importer, &axes[i], x->rank));
    int rows = x->last ? 1 : 2;
    if (x->rank != 4 || count != 2 || axes[0] + axes[1] != 2 * rows + 1
        || (axes[0] != rows && axes[1] != rows))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a mean over other axes than rows and columns");
    bool last = x->last, keep = dp_onnx_int(node, "keepdims", 1) != 0;
    DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
    DP_TRY(dp_onnx_add(importer, node, DP_OP_GLOBAL_AVERAGE, &layer, 1, NULL, keep ? 4 : 2));
    dp_onnx_value *output = dp_onnx_output(importer, node, 0);
    if (last && keep)
        return dp_onnx_set_like(
            importer, node, output->node,
            &(dp_onnx_value){ .rank = 4, .last = true, .dims = { x->dims[0], 1, 1, x->dims[3] } });
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------- normalisation */

static deeper_status lrn(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int layer;
    int64_t size = dp_onnx_int(node, "size", 0);
    dp_lrn attributes = { .size = size >= 0 && size <= DP_MAX_SIDE ? (int)size : 0,
                          .alpha = dp_onnx_float(node, "alpha", 1e-4F),
                          .beta = dp_onnx_float(node, "beta", 0.75F),
                          .k = dp_onnx_float(node, "bias", 1) };
    DP_TRY(picture(importer, node, &layer));
    return dp_onnx_add(importer, node, DP_OP_LRN, &layer, 1, &(dp_attributes){ .lrn = attributes },
                       4);
}

static deeper_status batch_norm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    static const char *const suffixes[] = { "weight", "bias", "running_mean", "running_var" };
    char name[DP_ONNX_NAME];
    dp_onnx_value *x;
    int inputs[5];
    if (dp_onnx_int(node, "training_mode", 0) || !dp_onnx_int(node, "spatial", 1)
        || (importer->file->opset < 7 && !dp_onnx_int(node, "is_test", 0)))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a batch norm in training mode, or with statistics a pixel");
    DP_TRY(dp_onnx_one_output(importer, node));
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_settle(importer, x, &inputs[0]));
    DP_TRY(dp_onnx_layer_name(importer, node, name));
    int channels = importer->graph->nodes[inputs[0]].shape.c;
    for (size_t i = 1; i < 5; i++) {
        const dp_onnx_value *value;
        dp_onnx_parameter floats;
        DP_TRY(dp_onnx_constant(importer, node, i, &value));
        if (dp_onnx_elements(value) != (size_t)channels)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                                "%.100s has %zu values for %d channels", value->name,
                                dp_onnx_elements(value), channels);
        DP_TRY(dp_onnx_floats(importer, value, &floats));
        DP_TRY(dp_onnx_add_parameter(importer, name, suffixes[i - 1],
                                     (dp_shape){ channels, 1, 1, 1 }, floats, &inputs[i]));
    }
    return dp_onnx_add(importer, node, DP_OP_BATCH_NORM, inputs, 5,
                       &(dp_attributes){ .epsilon = dp_onnx_float(node, "epsilon", 1e-5F) },
                       x->rank);
}

/* ----------------------------------------------------------------------------------- arithmetic */

/* An activation and a constant of one value, or one a channel. */
static deeper_status add_affine(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                size_t index) {
    static const dp_onnx_parameter zero = { .fill = 0 };
    char op = node->op_type[0], name[DP_ONNX_NAME];
    dp_onnx_value *x;
    const dp_onnx_value *constant;
    dp_onnx_parameter values;
    bool fits;
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, index, &x));
    DP_TRY(dp_onnx_constant(importer, node, !index, &constant));
    bool single = dp_onnx_elements(constant) == 1;
    if (single)
        layer = x->node;
    else
        DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
    int channels = importer->graph->nodes[layer].shape.c, axis = dp_onnx_channel_axis(x);
    DP_TRY(dp_onnx_operand(importer, node, constant, x->rank, axis, channels, &values, &fits));
    if (!fits || (op == 'D' && index == 1))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its constant %.100s is not one value a channel to add or multiply by",
                            constant->name);
    if (op == 'S' && index == 0)
        DP_TRY(transform(importer, &values, (size_t)channels, times, -1));
    if (op == 'D')
        DP_TRY(transform(importer, &values, (size_t)channels, inverse, 1));
    bool factor = op == 'M' || op == 'D';
    dp_onnx_parameter sign = { .fill = op == 'S' && index == 1 ? -1 : 1 },
                      term = factor ? zero : values;
    const Onnx__NodeProto *add = NULL;
    if (factor)
        DP_TRY(following_bias(importer, node, x->rank, axis, channels, &term, &add));
    const Onnx__NodeProto *named = add ? add : node;
    DP_TRY(dp_onnx_layer_name(importer, named, name));
    DP_TRY(dp_onnx_add_scaled(importer, name, layer, factor ? values : sign, term, &layer));
    return dp_onnx_set_like(importer, named, layer, x);
}

/* The layers of two values in the same order of axes. */
static deeper_status settle_both(dp_onnx_importer *importer, dp_onnx_value *x, dp_onnx_value *y,
                                 int inputs[2]) {
    bool same = x->last == y->last;
    DP_TRY(same ? dp_onnx_settle_channels(importer, x, &inputs[0])
                : dp_onnx_settle(importer, x, &inputs[0]));
    return same ? dp_onnx_settle_channels(importer, y, &inputs[1])
                : dp_onnx_settle(importer, y, &inputs[1]);
}

static deeper_status arithmetic(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *a = dp_onnx_input(importer, node, 0),
                        *b = dp_onnx_input(importer, node, 1);
    dp_onnx_value *x, *y;
    int inputs[2];
    if (!a || !b)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it needs two inputs");
    if (a->kind == DP_ONNX_CONSTANT || b->kind == DP_ONNX_CONSTANT)
        return add_affine(importer, node, a->kind == DP_ONNX_CONSTANT);
    bool product = node->op_type[0] == 'M';
    if (node->op_type[0] == 'D')
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a quotient of two values that both depend on the picture");
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_activation(importer, node, 1, &y));
    DP_TRY(settle_both(importer, x, y, inputs));
    if (x->rank != y->rank)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a %s of %d and %d dimensions",
                            product ? "product" : "sum", x->rank, y->rank);
    dp_shape first = importer->graph->nodes[inputs[0]].shape;
    if (product && first.h == 1 && first.w == 1) { /* the factor a channel may stand first */
        inputs[0] = y->node;
        inputs[1] = x->node;
        x = y;
    }
    if (node->op_type[0] == 'S') { /* the sum with what is turned negative */
        char name[DP_ONNX_NAME];
        DP_TRY(dp_onnx_part_name(importer, node, "negative", name));
        DP_TRY(dp_onnx_add_scaled(importer, name, inputs[1], (dp_onnx_parameter){ .fill = -1 },
                                  (dp_onnx_parameter){ .fill = 0 }, &inputs[1]));
    }
    return dp_onnx_add_like(importer, node, product ? DP_OP_MULTIPLY : DP_OP_ADD, inputs, 2, NULL,
                            x);
}

/* Any number of values of one shape, added from the left. */
static deeper_status sum(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int total = -1, layer;
    for (size_t i = 0; i < node->n_input; i++) {
        DP_TRY(dp_onnx_activation(importer, node, i, &x));
        DP_TRY(dp_onnx_settle(importer, x, &layer));
        const int terms[2] = { total, layer };
        total = layer;
        if (i > 0 && i + 1 == node->n_input)
            return dp_onnx_add(importer, node, DP_OP_ADD, terms, 2, NULL, x->rank);
        if (i > 0)
            DP_TRY(dp_onnx_add_part(importer, node, "sum", DP_OP_ADD, terms, 2, NULL, &total));
    }
    return node->n_input ? dp_onnx_alias(importer, node, 0, x)
                         : dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it has no inputs");
}

const dp_onnx_row dp_onnx_layer_operators[] = {
    { "Add", arithmetic },
    { "AveragePool", pool },
    { "BatchNormalization", batch_norm },
    { "Conv", conv },
    { "Div", arithmetic },
    { "Gemm", gemm },
    { "GlobalAveragePool", global_average },
    { "GlobalMaxPool", global_max },
    { "LRN", lrn },
    { "MatMul", matmul },
    { "MaxPool", pool },
    { "Mul", arithmetic },
    { "ReduceMean", reduce_mean },
    { "Sub", arithmetic },
    { "Sum", sum },
    { NULL, NULL },
};
