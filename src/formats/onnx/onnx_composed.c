/* onnx_composed.c - operators that become several layers, or one with a factor and a term behind
 * it: leaky ReLUs, GELU and its like, norms over other things than a batch, the nearest pixels of a
 * picture of another size. The last layer bears the node's name. */
#include "formats/onnx/onnx_import.h"

#include "graph/attributes.h"

#include <math.h>
#include <string.h>

static const dp_onnx_parameter zero = { .fill = 0 };

/* x * factor + term as a part of the node. */
static deeper_status add_line(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const char *part, int x, float factor, float term, int *layer) {
    char name[DP_ONNX_NAME];
    DP_TRY(dp_onnx_part_name(importer, node, part, name));
    return dp_onnx_add_scaled(importer, name, x, (dp_onnx_parameter){ .fill = factor },
                              (dp_onnx_parameter){ .fill = term }, layer);
}

/* The same as the node's output. */
static deeper_status set_line(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const dp_onnx_value *like, int x, dp_onnx_parameter factor,
                              dp_onnx_parameter term) {
    char name[DP_ONNX_NAME];
    int layer;
    DP_TRY(dp_onnx_layer_name(importer, node, name));
    DP_TRY(dp_onnx_add_scaled(importer, name, x, factor, term, &layer));
    return dp_onnx_set_like(importer, node, layer, like);
}

/* ------------------------------------------------------------------------------------- functions
 */

/* max(x, 0) + slope * min(x, 0) */
static deeper_status add_leaky(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               const dp_onnx_value *x, int layer, dp_onnx_parameter slope) {
    static const dp_attributes below_0 = { .clip = { -INFINITY, 0 } };
    char name[DP_ONNX_NAME];
    int parts[2], below;
    DP_TRY(dp_onnx_add_part(importer, node, "above", DP_OP_RELU, &layer, 1, NULL, &parts[0]));
    DP_TRY(dp_onnx_add_part(importer, node, "below", DP_OP_CLIP, &layer, 1, &below_0, &below));
    DP_TRY(dp_onnx_part_name(importer, node, "slope", name));
    DP_TRY(dp_onnx_add_scaled(importer, name, below, slope, zero, &parts[1]));
    return dp_onnx_add_like(importer, node, DP_OP_ADD, parts, 2, NULL, x);
}

static deeper_status leaky_relu(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    return add_leaky(importer, node, x, x->node,
                     (dp_onnx_parameter){ .fill = dp_onnx_float(node, "alpha", 0.01F) });
}

/* A slope for all, or one a channel. */
static deeper_status prelu(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    const dp_onnx_value *constant;
    dp_onnx_parameter slope;
    bool fits;
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_constant(importer, node, 1, &constant));
    DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
    DP_TRY(dp_onnx_operand(importer, node, constant, x->rank, dp_onnx_channel_axis(x),
                           importer->graph->nodes[layer].shape.c, &slope, &fits));
    return fits ? add_leaky(importer, node, x, layer, slope)
                : dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                               "its slope %.100s is not one value a channel", constant->name);
}

static deeper_status erf_of(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    return dp_onnx_add_like(importer, node, DP_OP_ERF, &x->node, 1, NULL, x);
}

/* 2 / (1 + e^-2x) - 1 */
static deeper_status tanh_of(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int twice, gate;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(add_line(importer, node, "twice", x->node, 2, 0, &twice));
    DP_TRY(dp_onnx_add_part(importer, node, "gate", DP_OP_SIGMOID, &twice, 1, NULL, &gate));
    return set_line(importer, node, x, gate, (dp_onnx_parameter){ .fill = 2 },
                    (dp_onnx_parameter){ .fill = -1 });
}

/* The gate of the GELU that a tanh comes near to: 1 / (1 + e^-2y), y = sqrt(2 / pi) * (x + 0.044715
 * x^3). */
static deeper_status add_tanh_gate(dp_onnx_importer *importer, const Onnx__NodeProto *node, int x,
                                   int *gate) {
    const float factor = 2 * 0.7978845608F;
    int square, line, cube;
    DP_TRY(dp_onnx_add_part(importer, node, "square", DP_OP_MULTIPLY, (int[]){ x, x }, 2, NULL,
                            &square));
    DP_TRY(add_line(importer, node, "line", square, factor * 0.044715F, factor, &line));
    DP_TRY(dp_onnx_add_part(importer, node, "cube", DP_OP_MULTIPLY, (int[]){ x, line }, 2, NULL,
                            &cube));
    return dp_onnx_add_part(importer, node, "gate", DP_OP_SIGMOID, &cube, 1, NULL, gate);
}

/* x * (1 + erf(x / sqrt(2))) / 2 */
static deeper_status gelu(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int line, erf, gate;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    if (dp_onnx_text_is(node, "approximate", "tanh")) {
        DP_TRY(add_tanh_gate(importer, node, x->node, &gate));
    } else {
        DP_TRY(add_line(importer, node, "line", x->node, 0.7071067812F, 0, &line));
        DP_TRY(dp_onnx_add_part(importer, node, "erf", DP_OP_ERF, &line, 1, NULL, &erf));
        DP_TRY(add_line(importer, node, "gate", erf, 0.5F, 0.5F, &gate));
    }
    return dp_onnx_add_like(importer, node, DP_OP_MULTIPLY, (int[]){ x->node, gate }, 2, NULL, x);
}

static deeper_status negative(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    return set_line(importer, node, x, x->node, (dp_onnx_parameter){ .fill = -1 }, zero);
}

/* To the power of 2. */
static deeper_status power(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    const dp_onnx_value *exponent;
    dp_onnx_parameter floats;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_constant(importer, node, 1, &exponent));
    DP_TRY(dp_onnx_floats(importer, exponent, &floats));
    if (dp_onnx_elements(exponent) != 1 || dp_onnx_at(&floats, 0) != 2)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "another power than 2");
    return dp_onnx_add_like(importer, node, DP_OP_MULTIPLY, (int[]){ x->node, x->node }, 2, NULL,
                            x);
}

/* ----------------------------------------------------------------------------------------- norms
 */

/* Input `index` as one value a channel; none: `otherwise`. */
static deeper_status read_channels(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   size_t index, int channels, float otherwise,
                                   dp_onnx_parameter *values) {
    const dp_onnx_value *constant;
    *values = (dp_onnx_parameter){ .fill = otherwise };
    if (!dp_onnx_input(importer, node, index))
        return DEEPER_OK;
    DP_TRY(dp_onnx_constant(importer, node, index, &constant));
    if (dp_onnx_elements(constant) != (size_t)channels)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "%.100s has %zu values for %d channels", constant->name,
                            dp_onnx_elements(constant), channels);
    return dp_onnx_floats(importer, constant, values);
}

/* The norm of `layer`, times input 1, plus input 2, of each of its channels. */
static deeper_status add_norm(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const dp_onnx_value *x, int layer, dp_normalize norm) {
    dp_onnx_parameter factor, term;
    int channels = importer->graph->nodes[layer].shape.c;
    DP_TRY(read_channels(importer, node, 1, channels, 1, &factor));
    DP_TRY(read_channels(importer, node, 2, channels, 0, &term));
    DP_TRY(dp_onnx_one_output(importer, node));
    DP_TRY(dp_onnx_add_part(importer, node, "norm", DP_OP_NORMALIZE, &layer, 1,
                            &(dp_attributes){ .normalize = norm }, &layer));
    return set_line(importer, node, x, layer, factor, term);
}

/* Over the channels of each pixel, which come last. */
static deeper_status layer_norm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t axis = dp_onnx_int(node, "axis", -1);
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_axis(importer, &axis, x->rank));
    DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
    if (axis != x->rank - 1 || axis != dp_onnx_channel_axis(x))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a norm over other values than the channels of each pixel");
    return add_norm(importer, node, x, layer,
                    (dp_normalize){ 1, dp_onnx_float(node, "epsilon", 1e-5F), true });
}

/* Each channel by itself. In three dimensions the second may be groups of the channels of a
 * picture, for so PyTorch writes a group norm: then the picture need not change its shape, but the
 * factors and terms must all be one. */
static deeper_status instance_norm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    dp_shape picture = importer->graph->nodes[x->node].shape;
    dp_normalize norm = { (int)x->dims[1], dp_onnx_float(node, "epsilon", 1e-5F), false };
    bool groups =
        x->rank == 3 && !x->last && picture.c != x->dims[1] && picture.c % x->dims[1] == 0;
    if (!groups) {
        DP_TRY(dp_onnx_settle(importer, x, &layer));
        return add_norm(importer, node, x, layer, norm);
    }
    dp_onnx_parameter factor, term;
    DP_TRY(read_channels(importer, node, 1, norm.groups, 1, &factor));
    DP_TRY(read_channels(importer, node, 2, norm.groups, 0, &term));
    for (size_t i = 0; i < (size_t)norm.groups; i++)
        if (dp_onnx_at(&factor, i) != 1 || dp_onnx_at(&term, i) != 0)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "factors and terms of groups of channels");
    return dp_onnx_add_like(importer, node, DP_OP_NORMALIZE, &x->node, 1,
                            &(dp_attributes){ .normalize = norm }, x);
}

static deeper_status group_norm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t groups = dp_onnx_int(node, "num_groups", 0);
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_settle(importer, x, &layer));
    if (groups < 1 || groups > importer->graph->nodes[layer].shape.c)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%lld groups of channels",
                            (long long)groups);
    return add_norm(importer, node, x, layer,
                    (dp_normalize){ (int)groups, dp_onnx_float(node, "epsilon", 1e-5F), false });
}

/* ----------------------------------------------------------------------------------------- sizes
 */

/* Rows and columns of the output of a Resize by its scales or sizes. */
static deeper_status read_size(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               const dp_onnx_value *x, int64_t sides[4]) {
    const dp_onnx_value *scales = dp_onnx_input(importer, node, importer->file->opset < 11 ? 1 : 2);
    int64_t sizes[DP_ONNX_INTS];
    int count;
    DP_TRY(dp_onnx_ints_of(importer, node, "sizes", 3, sizes, &count));
    if (count == 4) {
        memcpy(sides, sizes, 4 * sizeof *sides);
        return DEEPER_OK;
    }
    dp_onnx_parameter floats;
    if (!scales || scales->kind != DP_ONNX_CONSTANT || dp_onnx_elements(scales) != 4)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "other sizes or scales than four known ones");
    DP_TRY(dp_onnx_floats(importer, scales, &floats));
    for (size_t i = 0; i < 4; i++) {
        double side = floor((double)x->dims[i] * (double)dp_onnx_at(&floats, i));
        sides[i] = side >= 0 && side <= DP_MAX_SIDE ? (int64_t)side : -1;
        if (i == 0 && dp_onnx_at(&floats, 0) == 1)
            sides[i] = x->dims[0];
    }
    return DEEPER_OK;
}

/* Whether the nearest pixels are those of row floor(p H / P): a whole number of times as large, or
 * counted from the corner and rounded down. */
static bool is_nearest(const Onnx__NodeProto *node, int64_t from, int64_t to) {
    bool corner = dp_onnx_text_is(node, "coordinate_transformation_mode", "asymmetric"),
         down = dp_onnx_text_is(node, "nearest_mode", "floor"),
         half = !dp_onnx_attribute(node, "coordinate_transformation_mode")
                || dp_onnx_text_is(node, "coordinate_transformation_mode", "half_pixel")
                || dp_onnx_text_is(node, "coordinate_transformation_mode", "pytorch_half_pixel");
    bool prefers_down = !dp_onnx_attribute(node, "nearest_mode")
                        || dp_onnx_text_is(node, "nearest_mode", "round_prefer_floor")
                        || dp_onnx_text_is(node, "nearest_mode", "round_prefer_ceil");
    return from == to || (corner && down) || (half && prefers_down && to % from == 0);
}

static deeper_status resize(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t sides[4];
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
    if (x->rank != 4
        || (dp_onnx_attribute(node, "mode") && !dp_onnx_text_is(node, "mode", "nearest"))
        || dp_onnx_attribute(node, "axes"))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a picture of another size by other pixels than the nearest");
    DP_TRY(read_size(importer, node, x, sides));
    int rows = x->last ? 1 : 2, channels = dp_onnx_channel_axis(x);
    dp_onnx_value like = *x;
    for (int i = rows; i < rows + 2; i++) {
        like.dims[i] = sides[i];
        if (sides[i] < 1 || sides[i] > DP_MAX_SIDE || !is_nearest(node, x->dims[i], sides[i]))
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "%lld pixels out of %lld by this rule of the nearest",
                                (long long)sides[i], (long long)x->dims[i]);
    }
    if (sides[channels] != x->dims[channels])
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "another number of channels");
    dp_attributes size = { .size = { (int)sides[rows], (int)sides[rows + 1] } };
    return dp_onnx_add_like(importer, node, DP_OP_RESIZE, &layer, 1, &size, &like);
}

/* One pixel as many times as a picture has pixels. */
static deeper_status expand(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t sides[DP_ONNX_INTS];
    int count, layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_ints_of(importer, node, "shape", 1, sides, &count));
    bool fits = x->rank == 4 && !x->last && count == 4 && (sides[1] == 1 || sides[1] == x->dims[1])
                && (sides[0] == 1 || sides[0] == DP_ONNX_BATCH || sides[0] == x->dims[0]);
    dp_onnx_value like = *x;
    for (int i = 2; i < 4 && fits; i++) {
        fits = sides[i] == 1 || sides[i] == x->dims[i] || (x->dims[i] == 1 && sides[i] > 1);
        like.dims[i] = sides[i] == 1 ? x->dims[i] : sides[i];
        fits = fits && like.dims[i] <= DP_MAX_SIDE;
    }
    if (!fits)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "an expansion of other axes than rows and columns");
    DP_TRY(dp_onnx_settle(importer, x, &layer));
    dp_attributes size = { .size = { (int)like.dims[2], (int)like.dims[3] } };
    return dp_onnx_add_like(importer, node, DP_OP_RESIZE, &layer, 1, &size, &like);
}

const dp_onnx_row dp_onnx_composed_operators[] = {
    { "Erf", erf_of },
    { "Expand", expand },
    { "Gelu", gelu },
    { "GroupNormalization", group_norm },
    { "InstanceNormalization", instance_norm },
    { "LayerNormalization", layer_norm },
    { "LeakyRelu", leaky_relu },
    { "Neg", negative },
    { "PRelu", prelu },
    { "Pow", power },
    { "Resize", resize },
    { "Tanh", tanh_of },
    { NULL, NULL },
};
