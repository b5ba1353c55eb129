/* onnx_constants.c - constants of a file, and operators that only give them another shape while it
 * is read. Their elements are moved by onnx_moves.c, computed with by onnx_arithmetic.c. */
#include "formats/onnx/onnx_import.h"

#include "base/arithmetic.h"

#include <limits.h>
#include <string.h>

size_t dp_onnx_elements(const dp_onnx_value *value) {
    size_t elements = 0;
    dp_tensor_elements(&value->tensor, &elements); /* fitted when the tensor was made */
    return elements;
}

bool dp_onnx_is_whole(const dp_tensor *tensor) {
    return !dp_dtype_is_weight(tensor->dtype);
}

/* U64 above the largest I64 wraps, which no shape has. */
int64_t dp_onnx_whole_at(const dp_onnx_value *value, size_t index) {
    const unsigned char *at =
        (const unsigned char *)value->tensor.data + index * dp_dtype_bytes(value->tensor.dtype);
    int64_t wide = 0;
    if (!value->tensor.data)
        return (int64_t)value->fill;
    switch (value->tensor.dtype) {
    case DP_DTYPE_I8:
        return (signed char)*at;
    case DP_DTYPE_U8:
    case DP_DTYPE_BOOL:
        return *at;
    case DP_DTYPE_I16:
        return (int16_t)(at[0] | at[1] << 8);
    case DP_DTYPE_U16:
        return at[0] | at[1] << 8;
    case DP_DTYPE_I32:
    case DP_DTYPE_U32:
        memcpy(&wide, at, 4);
        return value->tensor.dtype == DP_DTYPE_I32 ? (int32_t)wide : wide;
    default:
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
}

deeper_status dp_onnx_read_ints(dp_onnx_importer *importer, const dp_onnx_value *value,
                                int64_t ints[DP_ONNX_INTS], int *count) {
    size_t elements = dp_onnx_elements(value);
    if (!dp_onnx_is_whole(&value->tensor) || elements > DP_ONNX_INTS)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "%.100s is not a list of up to %d whole numbers", value->name,
                            DP_ONNX_INTS);
    for (size_t i = 0; i < elements; i++)
        ints[i] = dp_onnx_whole_at(value, i);
    *count = (int)elements;
    return DEEPER_OK;
}

deeper_status dp_onnx_floats(dp_onnx_importer *importer, const dp_onnx_value *value,
                             dp_onnx_parameter *floats) {
    const dp_tensor *tensor = &value->tensor;
    size_t elements = dp_onnx_elements(value);
    *floats = (dp_onnx_parameter){ .fill = (float)value->fill };
    if (!tensor->data && elements)
        return DEEPER_OK;
    if (tensor->dtype == DP_DTYPE_F32 && (uintptr_t)tensor->data % sizeof(float) == 0) {
        floats->values = tensor->data;
        return DEEPER_OK;
    }
    float *copy = dp_onnx_keep(importer->file, elements, sizeof *copy);
    if (!copy)
        return dp_fail_memory(importer->error, "the values of a tensor");
    if (dp_onnx_is_whole(tensor))
        for (size_t i = 0; i < elements; i++)
            copy[i] = (float)dp_onnx_whole_at(value, i);
    else
        dp_tensor_read(tensor, copy);
    floats->values = copy;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- results */

deeper_status dp_onnx_set_constant(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   dp_dtype dtype, int rank, const size_t *shape,
                                   const void *data) {
    dp_onnx_value *value = dp_onnx_output(importer, node, 0);
    size_t elements;
    if (!value)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it has no output");
    value->kind = DP_ONNX_CONSTANT;
    value->tensor = (dp_tensor){ .name = value->name, .dtype = dtype, .rank = rank, .data = data };
    for (int i = 0; i < rank; i++)
        value->tensor.shape[i] = shape[i];
    if (!dp_tensor_elements(&value->tensor, &elements)
        || !dp_size_mul(elements, dp_dtype_bytes(dtype), &value->tensor.bytes))
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a tensor larger than memory can hold");
    return DEEPER_OK;
}

deeper_status dp_onnx_set_ints(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                               const size_t *shape, const int64_t *ints, int count) {
    int64_t *kept = dp_onnx_keep(importer->file, (size_t)count, sizeof *kept);
    if (!kept)
        return dp_fail_memory(importer->error, "whole numbers of a graph");
    if (count)
        memcpy(kept, ints, (size_t)count * sizeof *kept);
    return dp_onnx_set_constant(importer, node, DP_DTYPE_I64, rank, shape, kept);
}

deeper_status dp_onnx_set_sides(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                                const int64_t *sides) {
    int64_t start = dp_onnx_int(node, "start", 0), end = dp_onnx_int(node, "end", rank);
    start += start < 0 ? rank : 0;
    end += end < 0 ? rank : 0;
    if (start < 0 || end > rank || start > end)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "axes %lld to %lld of %d",
                            (long long)start, (long long)end, rank);
    return dp_onnx_set_ints(importer, node, 1, &(size_t){ (size_t)(end - start) }, sides + start,
                            (int)(end - start));
}

/* Output 0 with the elements of a constant in another shape of as many. */
static deeper_status set_shape(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               const dp_onnx_value *from, int rank, const size_t *shape) {
    dp_tensor probe = { .rank = rank };
    size_t elements;
    memcpy(probe.shape, shape, (size_t)rank * sizeof *shape);
    if (!dp_tensor_elements(&probe, &elements) || elements != dp_onnx_elements(from))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "%.100s does not have as many elements as its new shape", from->name);
    DP_TRY(dp_onnx_alias(importer, node, 0, from));
    dp_onnx_value *value = dp_onnx_output(importer, node, 0);
    value->tensor.rank = rank;
    memcpy(value->tensor.shape, shape, (size_t)rank * sizeof *shape);
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------ operators */

static deeper_status constant(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    static const size_t none[1];
    const Onnx__AttributeProto *value;
    dp_onnx_value *output = dp_onnx_output(importer, node, 0);
    size_t shape[1];
    if (output && (value = dp_onnx_attribute(node, "value")) != NULL && value->t) {
        output->kind = DP_ONNX_CONSTANT;
        return dp_onnx_tensor(importer->file, value->t, &output->tensor, importer->error);
    }
    if ((value = dp_onnx_attribute(node, "value_float")) != NULL)
        return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, 0, none, &value->f);
    if ((value = dp_onnx_attribute(node, "value_int")) != NULL)
        return dp_onnx_set_constant(importer, node, DP_DTYPE_I64, 0, none, &value->i);
    if ((value = dp_onnx_attribute(node, "value_floats")) != NULL) {
        shape[0] = value->n_floats;
        return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, 1, shape, value->floats);
    }
    if ((value = dp_onnx_attribute(node, "value_ints")) != NULL) {
        shape[0] = value->n_ints;
        return dp_onnx_set_constant(importer, node, DP_DTYPE_I64, 1, shape, value->ints);
    }
    return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                        "a constant that is no tensor of numbers");
}

static deeper_status constant_of_shape(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    const Onnx__AttributeProto *value = dp_onnx_attribute(node, "value");
    int64_t sides[DP_ONNX_INTS];
    size_t shape[DP_TENSOR_RANK];
    int rank = 0;
    dp_onnx_value one = { .name = "value",
                          .tensor = { .dtype = DP_DTYPE_F32, .rank = 0, .bytes = 4 } };
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_read_ints(importer, input, sides, &rank));
    if (rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%d dimensions; %d are read", rank,
                            DP_TENSOR_RANK);
    for (int i = 0; i < rank; i++) {
        if (sides[i] < 0 || sides[i] > INT_MAX)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a side of %lld",
                                (long long)sides[i]);
        shape[i] = (size_t)sides[i];
    }
    if (value && value->t) {
        DP_TRY(dp_onnx_tensor(importer->file, value->t, &one.tensor, importer->error));
        if (dp_onnx_elements(&one) != 1)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its value is not one number");
    }
    DP_TRY(dp_onnx_set_constant(importer, node, one.tensor.dtype, rank, shape, NULL));
    dp_onnx_parameter floats = { 0 };
    if (one.tensor.data)
        DP_TRY(dp_onnx_floats(importer, &one, &floats));
    dp_onnx_output(importer, node, 0)->fill = (double)dp_onnx_at(&floats, 0);
    return DEEPER_OK;
}

static deeper_status identity(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    return dp_onnx_alias(importer, node, 0, input);
}

static deeper_status reshape(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t sides[DP_ONNX_INTS];
    size_t shape[DP_TENSOR_RANK], known = 1;
    int rank = 0, open = -1;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "shape", 1, sides, &rank));
    if (rank < 0 || rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a shape of %d dimensions", rank);
    for (int i = 0; i < rank; i++) {
        if (sides[i] == 0 && !dp_onnx_int(node, "allowzero", 0))
            sides[i] = i < input->tensor.rank ? (int64_t)input->tensor.shape[i] : 0;
        if (sides[i] < -1 || sides[i] > INT_MAX || (sides[i] == -1 && open >= 0))
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a side of %lld",
                                (long long)sides[i]);
        if (sides[i] == -1)
            open = i;
        else if (!dp_size_mul(known, (size_t)sides[i], &known))
            return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT,
                                "a shape larger than memory can hold");
        shape[i] = (size_t)sides[i];
    }
    if (open >= 0)
        shape[open] = known ? dp_onnx_elements(input) / known : 0;
    return set_shape(importer, node, input, rank, shape);
}

static deeper_status unsqueeze(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t axes[DP_ONNX_INTS];
    size_t shape[DP_TENSOR_RANK] = { 0 };
    int count, from = 0;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 1, axes, &count));
    int rank = input->tensor.rank + count;
    if (count < 0 || rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%d new axes", count);
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &axes[i], rank));
        if (shape[axes[i]])
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "axis %lld twice",
                                (long long)axes[i]);
        shape[axes[i]] = 1;
    }
    for (int i = 0; i < rank; i++)
        if (!shape[i])
            shape[i] = input->tensor.shape[from++];
    return set_shape(importer, node, input, rank, shape);
}

static deeper_status squeeze(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t axes[DP_ONNX_INTS];
    bool gone[DP_TENSOR_RANK] = { false };
    size_t shape[DP_TENSOR_RANK];
    int count, rank = 0;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 1, axes, &count));
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &axes[i], input->tensor.rank));
        gone[axes[i]] = true;
    }
    for (int i = 0; i < input->tensor.rank; i++)
        if (!(count < 0 ? input->tensor.shape[i] == 1 : gone[i]))
            shape[rank++] = input->tensor.shape[i];
    return set_shape(importer, node, input, rank, shape);
}

static deeper_status shape_of(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t sides[DP_TENSOR_RANK];
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    for (int i = 0; i < input->tensor.rank; i++)
        sides[i] = (int64_t)input->tensor.shape[i];
    return dp_onnx_set_sides(importer, node, input->tensor.rank, sides);
}

const dp_onnx_row dp_onnx_constant_operators[] = {
    { "Constant", constant },   { "ConstantOfShape", constant_of_shape },
    { "Identity", identity },   { "Reshape", reshape },
    { "Shape", shape_of },      { "Squeeze", squeeze },
    { "Unsqueeze", unsqueeze }, { NULL, NULL },
};
