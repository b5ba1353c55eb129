/* onnx_elements.c - operators that keep the shape of their one input: functions of each value,
 * dropout, softmax over the channels, and what is kept of quantization. Arithmetic with two inputs
 * is onnx_layers.c's. */
#include "formats/onnx/onnx_import.h"

#include <float.h>
#include <math.h>
#include <string.h>

static deeper_status add_same(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                              const dp_attributes *attributes) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    return dp_onnx_add_like(importer, node, op, &x->node, 1, attributes, x);
}

static deeper_status relu(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    return add_same(importer, node, DP_OP_RELU, NULL);
}

/* A bound of Clip: an attribute in older sets, an input in newer ones. */
static deeper_status read_bound(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                const char *name, size_t index, float *bound) {
    const dp_onnx_value *value = dp_onnx_input(importer, node, index);
    dp_onnx_parameter floats;
    *bound = dp_onnx_float(node, name, *bound);
    if (!value)
        return DEEPER_OK;
    DP_TRY(dp_onnx_constant(importer, node, index, &value));
    if (dp_onnx_elements(value) != 1)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its bound %.100s is not one number",
                            value->name);
    DP_TRY(dp_onnx_floats(importer, value, &floats));
    *bound = dp_onnx_at(&floats, 0);
    return DEEPER_OK;
}

static deeper_status clip(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_clip bounds = { -INFINITY, INFINITY };
    DP_TRY(read_bound(importer, node, "min", 1, &bounds.low));
    DP_TRY(read_bound(importer, node, "max", 2, &bounds.high));
    if (bounds.low == 0 && bounds.high >= FLT_MAX)
        return add_same(importer, node, DP_OP_RELU, NULL);
    return add_same(importer, node, DP_OP_CLIP, &(dp_attributes){ .clip = bounds });
}

static deeper_status sigmoid(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    return add_same(importer, node, DP_OP_SIGMOID, NULL);
}

static const dp_attributes unit = { .clip = { 0, 1 } };

/* slope * x + offset as a part of the node. */
static deeper_status add_line(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const dp_onnx_value *x, float slope, float offset, int *layer) {
    char name[DP_ONNX_NAME];
    DP_TRY(dp_onnx_part_name(importer, node, "line", name));
    return dp_onnx_add_scaled(importer, name, x->node, (dp_onnx_parameter){ .fill = slope },
                              (dp_onnx_parameter){ .fill = offset }, layer);
}

/* min(1, max(0, alpha * x + beta)) */
static deeper_status hard_sigmoid(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int line;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(add_line(importer, node, x, dp_onnx_float(node, "alpha", 0.2F),
                    dp_onnx_float(node, "beta", 0.5F), &line));
    return dp_onnx_add_like(importer, node, DP_OP_CLIP, &line, 1, &unit, x);
}

/* x * min(1, max(0, x / 6 + 1 / 2)) */
static deeper_status hard_swish(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int line, ramp;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(add_line(importer, node, x, 1.0F / 6, 0.5F, &line));
    DP_TRY(dp_onnx_add_part(importer, node, "ramp", DP_OP_CLIP, &line, 1, &unit, &ramp));
    return dp_onnx_add_like(importer, node, DP_OP_MULTIPLY, (int[]){ x->node, ramp }, 2, NULL, x);
}

static deeper_status dropout(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *training = dp_onnx_input(importer, node, 2);
    int64_t ints[DP_ONNX_INTS];
    int count;
    float rate = 0.5F;
    DP_TRY(dp_onnx_one_output(importer, node));
    DP_TRY(read_bound(importer, node, "ratio", 1, &rate));
    if (training) {
        DP_TRY(dp_onnx_constant(importer, node, 2, &training));
        DP_TRY(dp_onnx_read_ints(importer, training, ints, &count));
        if (count != 1 || ints[0])
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a dropout in training mode");
    }
    return add_same(importer, node, DP_OP_DROPOUT,
                    &(dp_attributes){ .dropout = { rate, importer->graph->count } });
}

/* Output 0 as the logarithm of the softmax of `layer`, with the dims of x. */
static deeper_status set_logarithm(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   const dp_onnx_value *x, int layer) {
    DP_TRY(dp_onnx_set_like(importer, node, layer, x));
    dp_onnx_output(importer, node, 0)->logarithm = true;
    return DEEPER_OK;
}

static deeper_status softmax(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int layer;
    bool coerced = importer->file->opset < 13; /* N x (all else), and not one axis */
    int64_t axis = dp_onnx_int(node, "axis", coerced ? 1 : -1);
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(dp_onnx_axis(importer, &axis, x->rank));
    DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
    dp_shape shape = importer->graph->nodes[layer].shape;
    bool one = shape.h == 1 && shape.w == 1;
    if (axis != dp_onnx_channel_axis(x) || (coerced && !one))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a softmax over other axes than the channels");
    if (strcmp(node->op_type, "LogSoftmax") == 0)
        return set_logarithm(importer, node, x, layer);
    return dp_onnx_add_like(importer, node, DP_OP_SOFTMAX, &layer, 1, NULL, x);
}

/* Of a softmax: what the softmax reads, as its logarithm. */
static deeper_status logarithm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    const dp_node *layer = &importer->graph->nodes[x->node];
    if (layer->op != DP_OP_SOFTMAX)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a logarithm of anything but a softmax");
    return set_logarithm(importer, node, x, layer->inputs[0]);
}

/* Of a softmax's logarithm: the softmax. */
static deeper_status exponential(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_moved(importer, node, 0, &x));
    if (!x->logarithm)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "an exponential of anything but a softmax's logarithm");
    return dp_onnx_add_like(importer, node, DP_OP_SOFTMAX, &x->node, 1, NULL, x);
}

/* --------------------------------------------------------------------------------- quantization */

/* A clip that stands for the real values of the node's output. They are those of the
 * DequantizeLinear that reads it, and called so. */
static deeper_status add_quantized(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   dp_clip bounds) {
    const Onnx__NodeProto *reader = node;
    dp_onnx_value *x, *output = dp_onnx_output(importer, node, 0);
    char name[DP_ONNX_NAME];
    int layer;
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    if (output && output->reader >= 0)
        reader = importer->file->graph->node[output->reader];
    DP_TRY(dp_onnx_layer_name(importer, reader, name));
    DP_TRY(dp_onnx_add_named(importer, name, DP_OP_CLIP, &x->node, 1,
                             &(dp_attributes){ .clip = bounds }, &layer));
    DP_TRY(dp_onnx_set_like(importer, node, layer, x));
    output->quantized = true;
    return DEEPER_OK;
}

/* What 8 or 16 bits cannot say, QuantizeLinear clips: that much of it is kept, for quantizers leave
 * ReLUs to it. */
static deeper_status quantize(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *scale, *zero = dp_onnx_input(importer, node, 2);
    dp_onnx_parameter s, z = { 0 };
    dp_dtype dtype;
    float min, max;
    DP_TRY(dp_onnx_constant(importer, node, 1, &scale));
    DP_TRY(dp_onnx_floats(importer, scale, &s));
    if (zero) {
        DP_TRY(dp_onnx_constant(importer, node, 2, &zero));
        DP_TRY(dp_onnx_floats(importer, zero, &z));
    }
    if (dp_onnx_elements(scale) != 1 || (zero && dp_onnx_elements(zero) != 1)
        || !(dp_onnx_at(&s, 0) > 0))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "more than one scale for a picture");
    DP_TRY(dp_onnx_quantized_range(importer, node, zero, &dtype, &min, &max));
    dp_clip bounds = { (min - dp_onnx_at(&z, 0)) * dp_onnx_at(&s, 0),
                       (max - dp_onnx_at(&z, 0)) * dp_onnx_at(&s, 0) };
    return add_quantized(importer, node, bounds);
}

static deeper_status dequantize(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *x = dp_onnx_input(importer, node, 0);
    if (!x || x->kind != DP_ONNX_ACTIVATION || !x->quantized)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its input is no output of QuantizeLinear");
    DP_TRY(dp_onnx_alias(importer, node, 0, x));
    dp_onnx_output(importer, node, 0)->quantized = false;
    return DEEPER_OK;
}

const dp_onnx_row dp_onnx_element_operators[] = {
    { "Clip", clip },
    { "DequantizeLinear", dequantize },
    { "Dropout", dropout },
    { "Exp", exponential },
    { "HardSigmoid", hard_sigmoid },
    { "HardSwish", hard_swish },
    { "Log", logarithm },
    { "LogSoftmax", softmax },
    { "QuantizeLinear", quantize },
    { "Relu", relu },
    { "Sigmoid", sigmoid },
    { "Softmax", softmax },
    { NULL, NULL },
};
