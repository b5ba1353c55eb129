/* onnx_shapes.c - operators that move values of a picture without computing: other shapes and
 * names, channels taken out and joined, zeros around. A reshape that keeps the images apart only
 * changes the dims of a value; a layer is added when somebody needs them (dp_onnx_settle). Letters:
 * N images, C channels. */
#include "formats/onnx/onnx_import.h"

#include "base/arithmetic.h"
#include "graph/attributes.h"

#include <string.h>

/* Output 0 as input 0 with other dims; all but the first must keep the product. */
static deeper_status rename_dims(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 dp_onnx_value *x, int rank, const int64_t *dims) {
    size_t floats = 1;
    int layer;
    if (x->last)
        DP_TRY(dp_onnx_settle(importer, x, &layer));
    for (int i = 1; i < rank; i++)
        if (dims[i] < 1 || !dp_size_mul(floats, (size_t)dims[i], &floats))
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a side of %lld",
                                (long long)dims[i]);
    if (rank < 1 || rank > DP_TENSOR_RANK
        || floats != dp_shape_floats(importer->graph->nodes[x->node].shape))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a shape that mixes the images, or does not fit its %zu values",
                            dp_shape_floats(importer->graph->nodes[x->node].shape));
    DP_TRY(dp_onnx_set(importer, node, x->node, rank, dims));
    dp_onnx_value *output = dp_onnx_output(importer, node, 0);
    output->quantized = x->quantized;
    output->logarithm = x->logarithm;
    return DEEPER_OK;
}

static deeper_status flatten(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t axis = dp_onnx_int(node, "axis", 1);
    DP_TRY(dp_onnx_moved(importer, node, 0, &x));
    if (axis < 0)
        axis += x->rank;
    if (axis != 1)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a flatten from another axis than 1");
    int64_t dims[2] = { x->dims[0],
                        (int64_t)dp_shape_floats(importer->graph->nodes[x->node].shape) };
    return rename_dims(importer, node, x, 2, dims);
}

/* Whether `side` as the first of a new shape stands for the images: what Shape gave, 0, or their
 * fixed number. */
static bool is_batch(const dp_onnx_importer *importer, int64_t side) {
    return side == DP_ONNX_BATCH
           || (importer->network->batch > 0 && side == importer->network->batch);
}

static deeper_status reshape(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t dims[DP_ONNX_INTS];
    int rank, open = -1;
    size_t known = 1;
    DP_TRY(dp_onnx_moved(importer, node, 0, &x));
    size_t floats = dp_shape_floats(importer->graph->nodes[x->node].shape);
    DP_TRY(dp_onnx_ints_of(importer, node, "shape", 1, dims, &rank));
    if (rank < 1 || rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a shape of %d dimensions", rank);
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0 && !dp_onnx_int(node, "allowzero", 0) && i < x->rank)
            dims[i] = i == 0 ? DP_ONNX_BATCH : x->dims[i];
        if (i > 0 && dims[i] == -1 && open < 0)
            open = i;
        else if (i > 0 && (dims[i] < 1 || !dp_size_mul(known, (size_t)dims[i], &known)))
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "a shape that mixes the images, or has a side of %lld",
                                (long long)dims[i]);
    }
    if (open >= 0)
        dims[open] = (int64_t)(floats / known);
    if (!is_batch(importer, dims[0]) && !(dims[0] == -1 && open < 0))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a shape that mixes the images, or fixes their number at %lld",
                            (long long)dims[0]);
    dims[0] = importer->network->batch;
    return rename_dims(importer, node, x, rank, dims);
}

static deeper_status unsqueeze(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t axes[DP_ONNX_INTS], dims[DP_TENSOR_RANK] = { 0 };
    int count, from = 0;
    DP_TRY(dp_onnx_moved(importer, node, 0, &x));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 1, axes, &count));
    int rank = x->rank + count;
    if (count < 0 || rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%d new axes", count);
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &axes[i], rank));
        if (axes[i] == 0 || dims[axes[i]])
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "a new axis before the images, or twice");
        dims[axes[i]] = 1;
    }
    for (int i = 0; i < rank; i++)
        if (!dims[i])
            dims[i] = x->dims[from++];
    return rename_dims(importer, node, x, rank, dims);
}

static deeper_status squeeze(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t axes[DP_ONNX_INTS], dims[DP_TENSOR_RANK];
    bool gone[DP_TENSOR_RANK] = { false };
    int count, rank = 0;
    DP_TRY(dp_onnx_moved(importer, node, 0, &x));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 1, axes, &count));
    if (count < 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a squeeze that does not say which axes");
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &axes[i], x->rank));
        if (axes[i] == 0 || x->dims[axes[i]] != 1)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "a squeeze of the images, or of a side that is not 1");
        gone[axes[i]] = true;
    }
    for (int i = 0; i < x->rank; i++)
        if (!gone[i])
            dims[rank++] = x->dims[i];
    return rename_dims(importer, node, x, rank, dims);
}

static deeper_status identity(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    DP_TRY(dp_onnx_moved(importer, node, 0, &x));
    return dp_onnx_alias(importer, node, 0, x);
}

/* Between floating-point types: all are computed as fp32. */
static deeper_status cast(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *x = dp_onnx_input(importer, node, 0);
    dp_dtype to;
    if (x && x->quantized)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a cast of quantized values");
    if (!dp_onnx_dtype(&to, (int)dp_onnx_int(node, "to", 0)) || !dp_dtype_is_weight(to))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a cast of a picture to whole numbers");
    return identity(importer, node);
}

static deeper_status shape_of(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *x = dp_onnx_input(importer, node, 0);
    int64_t dims[DP_TENSOR_RANK];
    if (!x)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its input is missing");
    for (int i = 0; i < x->rank; i++)
        dims[i] = i == 0 && importer->network->batch < 0 ? DP_ONNX_BATCH : x->dims[i];
    return dp_onnx_set_sides(importer, node, x->rank, dims);
}

/* ------------------------------------------------------------------------------------- channels */

/* A value with channels. */
static deeper_status channels_of(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 size_t index, dp_onnx_value **x, int *layer) {
    DP_TRY(dp_onnx_activation(importer, node, index, x));
    return dp_onnx_settle_channels(importer, *x, layer);
}

/* Output 0 as a layer of other channels than x, whose dims it has otherwise. */
static deeper_status add_channels(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                                  const int *inputs, int count, const dp_attributes *attributes,
                                  const dp_onnx_value *x) {
    DP_TRY(dp_onnx_add_like(importer, node, op, inputs, count, attributes, x));
    dp_onnx_value *output = dp_onnx_output(importer, node, 0);
    output->dims[dp_onnx_channel_axis(x)] = importer->graph->nodes[output->node].shape.c;
    return DEEPER_OK;
}

static deeper_status concat(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int *inputs = dp_onnx_keep(importer->file, node->n_input, sizeof *inputs);
    dp_onnx_value *first = NULL;
    if (!inputs)
        return dp_fail_memory(importer->error, "the parts of a concatenation");
    for (size_t i = 0; i < node->n_input; i++) {
        dp_onnx_value *x;
        DP_TRY(channels_of(importer, node, i, &x, &inputs[i]));
        int64_t axis = dp_onnx_int(node, "axis", 1);
        DP_TRY(dp_onnx_axis(importer, &axis, x->rank));
        first = first ? first : x;
        if (axis != dp_onnx_channel_axis(x) || first->rank != x->rank || first->last != x->last)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "values are joined along channels only");
    }
    if (!first)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it has no inputs");
    return add_channels(importer, node, DP_OP_CONCAT, inputs, (int)node->n_input, NULL, first);
}

/* The attribute perm, an order of all axes; missing: the last first. */
static deeper_status read_order(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                                int64_t perm[DP_ONNX_INTS]) {
    bool seen[DP_TENSOR_RANK] = { false };
    int count;
    DP_TRY(dp_onnx_ints_of(importer, node, "perm", SIZE_MAX, perm, &count));
    for (int i = 0; count < 0 && i < rank; i++)
        perm[i] = rank - 1 - i;
    bool whole = count < 0 || count == rank;
    for (int i = 0; i < rank && whole; i++) {
        whole = perm[i] >= 0 && perm[i] < rank && !seen[perm[i]];
        if (whole)
            seen[perm[i]] = true;
    }
    return whole ? DEEPER_OK
                 : dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "perm is no order of %d axes", rank);
}

/* Where N x A x B x rest become N x B x A x rest, channels are shuffled, in A groups: so ShuffleNet
 * does it, and so a picture turns from N x C x H x W to N x H x W x C. Where only axes of one value
 * move, nothing does. */
static deeper_status transpose(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t perm[DP_ONNX_INTS], dims[DP_TENSOR_RANK], product[2] = { 1, 1 };
    int moved = 0, axes[DP_TENSOR_RANK],
        place[DP_TENSOR_RANK]; /* those of more than one value as they come; which each is of
                                  them */
    DP_TRY(dp_onnx_activation(importer, node, 0, &x));
    DP_TRY(read_order(importer, node, x->rank, perm));
    if (perm[0] != 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "it moves the images to another axis");
    bool forward = x->rank == 4 && perm[1] == 3 && perm[2] == 1,
         back = x->rank == 4 && perm[1] == 2 && perm[2] == 3;
    for (int i = 0; i < x->rank; i++)
        dims[i] = x->dims[perm[i]];
    if (x->last ? forward : back) { /* between N x C x H x W and N x H x W x C */
        int layer;
        DP_TRY(dp_onnx_settle_channels(importer, x, &layer));
        DP_TRY(dp_onnx_set(importer, node, layer, 4, dims));
        dp_onnx_output(importer, node, 0)->last = back;
        return DEEPER_OK;
    }
    if (x->last)
        DP_TRY(dp_onnx_settle(importer, x, &place[0]));
    for (int i = 0; i < x->rank; i++) {
        if (i > 0 && dims[i] > 1)
            axes[moved++] = (int)perm[i];
    }
    for (int i = 0; i < moved; i++) {
        place[i] = 0;
        for (int j = 0; j < moved; j++)
            place[i] += axes[j] < axes[i];
    }
    while (moved > 0 && place[moved - 1] == moved - 1)
        moved--;
    if (moved == 0)
        return rename_dims(importer, node, x, x->rank, dims);
    for (int i = 0; i < moved; i++) {
        if (place[i] != (place[0] + i) % moved)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "an exchange of axes that is no shuffle of channels");
        product[place[i] >= place[0]] *= x->dims[axes[i]];
    }
    int64_t channels = product[0] * product[1];
    dp_onnx_value rows = *x; /* N x channels x rest */
    dp_shape shape = importer->graph->nodes[x->node].shape;
    if (shape.c != channels) {
        rows.rank = 3;
        rows.dims[1] = channels;
        rows.dims[2] = (int64_t)dp_shape_floats(shape) / channels;
        DP_TRY(dp_onnx_settle(importer, &rows, &rows.node));
    }
    dp_attributes attributes = { .groups = (int)product[0] };
    DP_TRY(dp_onnx_add(importer, node, DP_OP_SHUFFLE, &rows.node, 1, &attributes, 4));
    return dp_onnx_set(importer, node, dp_onnx_output(importer, node, 0)->node, x->rank, dims);
}

static dp_attributes channels_from(int64_t begin, int64_t count) {
    return (dp_attributes){ .slice = { (int)begin, (int)count } };
}

/* Channels by their numbers: one, which loses its axis, or a list. */
static deeper_status gather(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *indices;
    dp_onnx_value *x;
    int64_t at[DP_ONNX_INTS], axis = dp_onnx_int(node, "axis", 0);
    int count, layer, parts[DP_ONNX_INTS];
    DP_TRY(channels_of(importer, node, 0, &x, &layer));
    DP_TRY(dp_onnx_constant(importer, node, 1, &indices));
    DP_TRY(dp_onnx_read_ints(importer, indices, at, &count));
    DP_TRY(dp_onnx_axis(importer, &axis, x->rank));
    if (axis != dp_onnx_channel_axis(x) || indices->tensor.rank > 1 || count == 0
        || (indices->tensor.rank == 0 && x->last))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "values are taken along channels only");
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &at[i], (int)x->dims[axis]));
        dp_attributes attributes = channels_from(at[i], 1);
        DP_TRY(count == 1 ? add_channels(importer, node, DP_OP_SLICE, &layer, 1, &attributes, x)
                          : dp_onnx_add_part(importer, node, "channel", DP_OP_SLICE, &layer, 1,
                                             &attributes, &parts[i]));
    }
    if (count > 1)
        return add_channels(importer, node, DP_OP_CONCAT, parts, count, NULL, x);
    if (indices->tensor.rank == 1)
        return DEEPER_OK;
    int64_t dims[DP_TENSOR_RANK] = { x->dims[0] };
    for (int i = 2; i < x->rank; i++)
        dims[i - 1] = x->dims[i];
    return dp_onnx_set(importer, node, dp_onnx_output(importer, node, 0)->node, x->rank - 1, dims);
}

static deeper_status slice(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t starts[DP_ONNX_INTS], ends[DP_ONNX_INTS], axes[DP_ONNX_INTS], steps[DP_ONNX_INTS];
    int counts[4], layer;
    DP_TRY(channels_of(importer, node, 0, &x, &layer));
    DP_TRY(dp_onnx_ints_of(importer, node, "starts", 1, starts, &counts[0]));
    DP_TRY(dp_onnx_ints_of(importer, node, "ends", 2, ends, &counts[1]));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 3, axes, &counts[2]));
    DP_TRY(dp_onnx_ints_of(importer, node, "steps", 4, steps, &counts[3]));
    if (counts[0] != 1 || counts[1] != 1 || counts[2] != 1 || (counts[3] > 0 && steps[0] != 1))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "only channels are sliced, with a step of 1");
    DP_TRY(dp_onnx_axis(importer, &axes[0], x->rank));
    int64_t channels = x->dims[dp_onnx_channel_axis(x)], begin = dp_onnx_place(starts[0], channels),
            end = dp_onnx_place(ends[0], channels);
    if (axes[0] != dp_onnx_channel_axis(x) || end <= begin)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "only channels are sliced, at least one");
    dp_attributes attributes = channels_from(begin, end - begin);
    return add_channels(importer, node, DP_OP_SLICE, &layer, 1, &attributes, x);
}

/* Channels in parts, an output each, called as that: of the sizes that are given, or of one size,
 * the last perhaps smaller. */
static deeper_status split(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t sizes[DP_ONNX_INTS], axis = dp_onnx_int(node, "axis", 0), begin = 0; /* of the next */
    int count, layer, parts = (int)node->n_output;
    DP_TRY(channels_of(importer, node, 0, &x, &layer));
    DP_TRY(dp_onnx_axis(importer, &axis, x->rank));
    DP_TRY(dp_onnx_ints_of(importer, node, "split", 1, sizes, &count));
    if (axis != dp_onnx_channel_axis(x))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "values are split along channels only");
    int64_t channels = x->dims[axis], equal = parts ? dp_ceil_div64(channels, parts) : 0;
    int i = 0;
    for (; i < parts; i++) {
        int64_t size = count >= 0      ? (i < count ? sizes[i] : 0)
                       : i + 1 < parts ? equal
                                       : channels - begin;
        if (size < 1 || size > channels - begin)
            break;
        Onnx__NodeProto part = *node;
        part.name = NULL;
        part.output = &node->output[i];
        part.n_output = 1;
        dp_attributes attributes = channels_from(begin, size);
        if (dp_onnx_output(importer, &part, 0))
            DP_TRY(add_channels(importer, &part, DP_OP_SLICE, &layer, 1, &attributes, x));
        begin += size;
    }
    if (i < parts || begin != channels || (count >= 0 && count != parts))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "%lld channels are not what its %d parts have", (long long)channels,
                            parts);
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- padding */

/* The number of pads on each side of the picture out of a list for all axes, or for the axes of
 * input 3. */
static deeper_status spread_pads(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                                 int64_t pads[2 * DP_TENSOR_RANK]) {
    int64_t given[DP_ONNX_INTS], axes[DP_ONNX_INTS];
    int count, axis_count;
    DP_TRY(dp_onnx_ints_of(importer, node, "pads", 1, given, &count));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 3, axes, &axis_count));
    for (int i = 0; axis_count < 0 && i < rank; i++)
        axes[i] = i;
    axis_count = axis_count < 0 ? rank : axis_count;
    if (axis_count > rank || count != 2 * axis_count)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%d pads for %d axes", count,
                            axis_count);
    memset(pads, 0, 2 * DP_TENSOR_RANK * sizeof *pads);
    for (int i = 0; i < axis_count; i++) {
        DP_TRY(dp_onnx_axis(importer, &axes[i], rank));
        pads[axes[i]] = given[i];
        pads[rank + axes[i]] = given[axis_count + i];
    }
    return DEEPER_OK;
}

static deeper_status pad(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    dp_onnx_value *x;
    int64_t pads[2 * DP_TENSOR_RANK];
    dp_onnx_parameter fill = { .fill = dp_onnx_float(node, "value", 0) };
    int layer;
    DP_TRY(channels_of(importer, node, 0, &x, &layer));
    bool mirror = dp_onnx_text_is(node, "mode", "reflect");
    if (dp_onnx_attribute(node, "mode") && !mirror && !dp_onnx_text_is(node, "mode", "constant"))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a padding that is neither constant nor reflected");
    if (dp_onnx_input(importer, node, 2)) {
        const dp_onnx_value *value;
        DP_TRY(dp_onnx_constant(importer, node, 2, &value));
        if (dp_onnx_elements(value) != 1)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its value %.100s is not one number",
                                value->name);
        DP_TRY(dp_onnx_floats(importer, value, &fill));
    }
    DP_TRY(spread_pads(importer, node, x->rank, pads));
    if (x->rank != 4)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "only pictures are padded");
    for (int side = 0; side < 8 && x->last; side += 4) { /* N H W C as N C H W */
        int64_t channels = pads[side + 3];
        memmove(&pads[side + 2], &pads[side + 1], 2 * sizeof *pads);
        pads[side + 1] = channels;
    }
    if (pads[0] || pads[1] || pads[4] || pads[5])
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "only rows and columns are padded");
    for (int i = 2; i < 8; i++)
        if (pads[i] < 0 || pads[i] > DP_MAX_SIDE)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "a padding of %lld pixels; 0 to %d are supported",
                                (long long)pads[i], DP_MAX_SIDE);
    if (!pads[2] && !pads[3] && !pads[6] && !pads[7])
        return dp_onnx_alias(importer, node, 0, x);
    if (!mirror && dp_onnx_at(&fill, 0) != 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a padding with %g; only zeros are supported",
                            (double)dp_onnx_at(&fill, 0));
    dp_attributes attributes = { .pads = { .top = (int)pads[2],
                                           .left = (int)pads[3],
                                           .bottom = (int)pads[6],
                                           .right = (int)pads[7] } };
    DP_TRY(dp_onnx_add_like(importer, node, mirror ? DP_OP_REFLECT : DP_OP_PAD, &layer, 1,
                            &attributes, x));
    dp_onnx_value *output = dp_onnx_output(importer, node, 0);
    output->dims[x->last ? 1 : 2] += pads[2] + pads[6];
    output->dims[x->last ? 2 : 3] += pads[3] + pads[7];
    return DEEPER_OK;
}

const dp_onnx_row dp_onnx_shape_operators[] = {
    { "Cast", cast },           { "Concat", concat },     { "Flatten", flatten },
    { "Gather", gather },       { "Identity", identity }, { "Pad", pad },
    { "Reshape", reshape },     { "Shape", shape_of },    { "Slice", slice },
    { "Split", split },         { "Squeeze", squeeze },   { "Transpose", transpose },
    { "Unsqueeze", unsqueeze }, { NULL, NULL },
};
