/* onnx_constants.c - operators whose inputs are all constants, computed while a file is read: the
 * arithmetic on shapes that exporters leave in a graph, weights that are reshaped, transposed,
 * filled or dequantized. Whole numbers stay 64-bit integers; all else is float. Arithmetic element
 * by element is for small tensors; what moves weights is charged to dp_onnx_invent. */
#include "formats/onnx/onnx_import.h"

#include "base/arithmetic.h"

#include <limits.h>
#include <math.h>
#include <string.h>

size_t dp_onnx_elements(const dp_onnx_value *value) {
    size_t elements = 0;
    dp_tensor_elements(&value->tensor, &elements); /* fitted when the tensor was made */
    return elements;
}

static bool is_int(const dp_tensor *tensor) {
    return !dp_dtype_is_weight(tensor->dtype);
}

/* Element of a tensor of whole numbers. U64 above the largest I64 wraps, which no shape has. */
static int64_t int_at(const dp_onnx_value *value, size_t index) {
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
    if (!is_int(&value->tensor) || elements > DP_ONNX_INTS)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "%.100s is not a list of up to %d whole numbers", value->name,
                            DP_ONNX_INTS);
    for (size_t i = 0; i < elements; i++)
        ints[i] = int_at(value, i);
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
    if (is_int(tensor))
        for (size_t i = 0; i < elements; i++)
            copy[i] = (float)int_at(value, i);
    else
        dp_tensor_read(tensor, copy);
    floats->values = copy;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- results */

/* Output 0 as a tensor of this type and shape with the bytes of `data`, which live with the
 * file. */
static deeper_status set(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_dtype dtype,
                         int rank, const size_t *shape, const void *data) {
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
    return set(importer, node, DP_DTYPE_I64, rank, shape, kept);
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
        return set(importer, node, DP_DTYPE_F32, 0, none, &value->f);
    if ((value = dp_onnx_attribute(node, "value_int")) != NULL)
        return set(importer, node, DP_DTYPE_I64, 0, none, &value->i);
    if ((value = dp_onnx_attribute(node, "value_floats")) != NULL) {
        shape[0] = value->n_floats;
        return set(importer, node, DP_DTYPE_F32, 1, shape, value->floats);
    }
    if ((value = dp_onnx_attribute(node, "value_ints")) != NULL) {
        shape[0] = value->n_ints;
        return set(importer, node, DP_DTYPE_I64, 1, shape, value->ints);
    }
    return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                        "a constant that is no tensor of numbers");
}

static deeper_status constant_of_shape(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    const Onnx__AttributeProto *value = dp_onnx_attribute(node, "value");
    int64_t sides[DP_ONNX_INTS];
    size_t shape[DP_TENSOR_RANK];
    int rank;
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
    DP_TRY(set(importer, node, one.tensor.dtype, rank, shape, NULL));
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

/* Between whole numbers and floats the values of shapes and factors do not change; only what
 * truncation would is refused. */
static deeper_status cast(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    dp_dtype to;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    if (!dp_onnx_dtype(&to, (int)dp_onnx_int(node, "to", 0)))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a cast to elements of type %lld",
                            (long long)dp_onnx_int(node, "to", 0));
    if (is_int(&input->tensor) == !dp_dtype_is_weight(to))
        return dp_onnx_alias(importer, node, 0, input);
    dp_onnx_parameter floats;
    size_t count = dp_onnx_elements(input);
    if (count > DP_ONNX_INTS)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT,
                            "a cast of %zu numbers; up to %d are computed", count, DP_ONNX_INTS);
    DP_TRY(dp_onnx_floats(importer, input, &floats));
    if (dp_dtype_is_weight(to)) {
        float *rounded;
        DP_TRY(dp_onnx_invent(importer, count, &rounded));
        for (size_t i = 0; i < count; i++)
            rounded[i] = dp_onnx_at(&floats, i);
        return set(importer, node, DP_DTYPE_F32, input->tensor.rank, input->tensor.shape, rounded);
    }
    int64_t ints[DP_ONNX_INTS];
    for (size_t i = 0; i < count; i++) {
        float value = dp_onnx_at(&floats, i);
        if (!(fabsf(value) < 0x1p62F))
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a cast of %g to whole numbers",
                                (double)value);
        ints[i] = (int64_t)value;
    }
    return dp_onnx_set_ints(importer, node, input->tensor.rank, input->tensor.shape, ints,
                            (int)count);
}

static deeper_status reshape(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t sides[DP_ONNX_INTS];
    size_t shape[DP_TENSOR_RANK], known = 1;
    int rank, open = -1;
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

static deeper_status transpose(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    dp_onnx_parameter floats;
    int64_t order[DP_ONNX_INTS];
    size_t shape[DP_TENSOR_RANK], strides[DP_TENSOR_RANK], step[DP_TENSOR_RANK],
        at[DP_TENSOR_RANK] = { 0 };
    bool seen[DP_TENSOR_RANK] = { false };
    int count;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "perm", SIZE_MAX, order, &count));
    int rank = input->tensor.rank;
    if (count >= 0 && count != rank)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "an order of %d axes for %d", count,
                            rank);
    for (int i = rank - 1; i >= 0; i--)
        strides[i] = i == rank - 1 ? 1 : strides[i + 1] * input->tensor.shape[i + 1];
    for (int i = 0; i < rank; i++) {
        int64_t axis = count < 0 ? rank - 1 - i : order[i];
        DP_TRY(dp_onnx_axis(importer, &axis, rank));
        if (seen[axis])
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "axis %lld twice", (long long)axis);
        seen[axis] = true;
        shape[i] = input->tensor.shape[axis];
        step[i] = strides[axis];
    }
    if (!input->tensor.data)
        return set_shape(importer, node, input, rank, shape);
    float *turned;
    size_t elements = dp_onnx_elements(input), from = 0;
    DP_TRY(dp_onnx_floats(importer, input, &floats));
    DP_TRY(dp_onnx_invent(importer, elements, &turned));
    for (size_t i = 0; i < elements; i++) {
        turned[i] = dp_onnx_at(&floats, from);
        for (int d = rank - 1; d >= 0; d--) {
            from += step[d];
            if (++at[d] < shape[d])
                break;
            from -= step[d] * shape[d];
            at[d] = 0;
        }
    }
    return set(importer, node, DP_DTYPE_F32, rank, shape, turned);
}

static deeper_status concat(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int64_t all[DP_ONNX_INTS], part[DP_ONNX_INTS];
    int count = 0, more;
    for (size_t i = 0; i < node->n_input; i++) {
        const dp_onnx_value *input;
        DP_TRY(dp_onnx_constant(importer, node, i, &input));
        if (input->tensor.rank != 1)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "constants are joined only where they are lists of whole numbers");
        DP_TRY(dp_onnx_read_ints(importer, input, part, &more));
        if (count + more > DP_ONNX_INTS)
            return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a list of more than %d numbers",
                                DP_ONNX_INTS);
        memcpy(all + count, part, (size_t)more * sizeof *all);
        count += more;
    }
    return dp_onnx_set_ints(importer, node, 1, &(size_t){ (size_t)count }, all, count);
}

static deeper_status gather(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input, *indices;
    int64_t from[DP_ONNX_INTS], at[DP_ONNX_INTS], gathered[DP_ONNX_INTS];
    int length, count;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_constant(importer, node, 1, &indices));
    DP_TRY(dp_onnx_read_ints(importer, input, from, &length));
    DP_TRY(dp_onnx_read_ints(importer, indices, at, &count));
    if (input->tensor.rank != 1)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "constants are gathered only from lists of whole numbers");
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &at[i], length));
        gathered[i] = from[at[i]];
    }
    return dp_onnx_set_ints(importer, node, indices->tensor.rank, indices->tensor.shape, gathered,
                            count);
}

static deeper_status slice(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t from[DP_ONNX_INTS], starts[DP_ONNX_INTS], ends[DP_ONNX_INTS], steps[DP_ONNX_INTS];
    int length, count, end_count, step_count;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_read_ints(importer, input, from, &length));
    DP_TRY(dp_onnx_ints_of(importer, node, "starts", 1, starts, &count));
    DP_TRY(dp_onnx_ints_of(importer, node, "ends", 2, ends, &end_count));
    DP_TRY(dp_onnx_ints_of(importer, node, "steps", 4, steps, &step_count));
    if (input->tensor.rank != 1 || count != 1 || end_count != 1
        || (step_count > 0 && steps[0] != 1))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "constants are sliced only where they are lists, with a step of 1");
    int64_t begin = dp_onnx_place(starts[0], length), end = dp_onnx_place(ends[0], length);
    int given = end > begin ? (int)(end - begin) : 0;
    return dp_onnx_set_ints(importer, node, 1, &(size_t){ (size_t)given }, from + begin, given);
}

static bool compute(const char *op, int64_t a, int64_t b, int64_t *result) {
    if (a == DP_ONNX_BATCH || b == DP_ONNX_BATCH)
        return false;
    if (strcmp(op, "Add") == 0)
        return !__builtin_add_overflow(a, b, result);
    if (strcmp(op, "Sub") == 0)
        return !__builtin_sub_overflow(a, b, result);
    if (strcmp(op, "Mul") == 0)
        return !__builtin_mul_overflow(a, b, result);
    if (b == 0)
        return false;
    *result = a / b; /* a is not the smallest number, which stands for the images */
    return true;
}

/* Add, Sub, Mul, Div of lists of whole numbers of one length, or with one number. */
static deeper_status arithmetic(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *x, *y;
    int64_t a[DP_ONNX_INTS], b[DP_ONNX_INTS], c[DP_ONNX_INTS];
    int m, n;
    DP_TRY(dp_onnx_constant(importer, node, 0, &x));
    DP_TRY(dp_onnx_constant(importer, node, 1, &y));
    DP_TRY(dp_onnx_read_ints(importer, x, a, &m));
    DP_TRY(dp_onnx_read_ints(importer, y, b, &n));
    if (m != n && m != 1 && n != 1)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%d and %d numbers", m, n);
    const dp_onnx_value *like = m > n || (m == n && x->tensor.rank >= y->tensor.rank) ? x : y;
    int count = dp_max(m, n);
    for (int i = 0; i < count; i++)
        if (!compute(node->op_type, a[m == 1 ? 0 : i], b[n == 1 ? 0 : i], &c[i]))
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "arithmetic with the number of images, by zero or out of range");
    return dp_onnx_set_ints(importer, node, like->tensor.rank, like->tensor.shape, c, count);
}

/* --------------------------------------------------------------------------------- quantization */

deeper_status dp_onnx_quantized_range(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                      const dp_onnx_value *zero, dp_dtype *dtype, float *min,
                                      float *max) {
    static const struct {
        dp_dtype dtype;
        float min, max;
    } ranges[] = { { DP_DTYPE_U8, 0, 255 },
                   { DP_DTYPE_I8, -128, 127 },
                   { DP_DTYPE_U16, 0, 65535 },
                   { DP_DTYPE_I16, -32768, 32767 } };
    int64_t stated = dp_onnx_int(node, "output_dtype", 0);
    bool known = true;
    *min = *max = 0;
    *dtype = zero ? zero->tensor.dtype : DP_DTYPE_U8;
    if (!zero && stated)
        known = dp_onnx_dtype(dtype, (int)stated);
    for (size_t i = 0; known && i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].dtype == *dtype) {
            *min = ranges[i].min;
            *max = ranges[i].max;
            return DEEPER_OK;
        }
    return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "another type than 8 or 16 bits");
}

/* The scale and the zero point of each element of input 0: one, or one along an axis. */
typedef struct scaling {
    const dp_onnx_value *input, *zero;
    dp_onnx_parameter values, scale, point;
    size_t elements, count, behind; /* scales, elements from one to the next */
} scaling;

static size_t scale_of(const scaling *s, size_t element) {
    return s->count == 1 ? 0 : element / s->behind % s->count;
}

static deeper_status read_scaling(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                  scaling *s) {
    const dp_onnx_value *scale;
    int64_t axis = dp_onnx_int(node, "axis", 1);
    *s = (scaling){ .zero = dp_onnx_input(importer, node, 2), .behind = 1 };
    DP_TRY(dp_onnx_constant(importer, node, 0, &s->input));
    DP_TRY(dp_onnx_constant(importer, node, 1, &scale));
    s->elements = dp_onnx_elements(s->input);
    s->count = dp_onnx_elements(scale);
    if (dp_onnx_int(node, "block_size", 0))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "scales in blocks");
    if (s->count != 1) {
        DP_TRY(dp_onnx_axis(importer, &axis, s->input->tensor.rank));
        for (int i = (int)axis + 1; i < s->input->tensor.rank; i++)
            s->behind *= s->input->tensor.shape[i];
        if (s->input->tensor.shape[axis] != s->count || s->count == 0)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%zu scales for %zu rows", s->count,
                                s->input->tensor.shape[axis]);
    }
    if (s->zero && (s->zero->kind != DP_ONNX_CONSTANT || dp_onnx_elements(s->zero) != s->count))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "its zero points do not match its scales");
    DP_TRY(dp_onnx_floats(importer, s->input, &s->values));
    DP_TRY(dp_onnx_floats(importer, scale, &s->scale));
    return s->zero ? dp_onnx_floats(importer, s->zero, &s->point) : DEEPER_OK;
}

/* (q - zero) * scale */
static deeper_status dequantize(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    scaling s;
    float *floats;
    DP_TRY(read_scaling(importer, node, &s));
    DP_TRY(dp_onnx_invent(importer, s.elements, &floats));
    for (size_t i = 0; i < s.elements; i++) {
        size_t row = scale_of(&s, i);
        floats[i] =
            (dp_onnx_at(&s.values, i) - dp_onnx_at(&s.point, row)) * dp_onnx_at(&s.scale, row);
    }
    return set(importer, node, DP_DTYPE_F32, s.input->tensor.rank, s.input->tensor.shape, floats);
}

/* x / scale, to the nearest (half to even), + zero, within the type. Whoever trains for 8 bits
 * leaves this with the weights. */
static deeper_status quantize(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    scaling s;
    dp_dtype dtype;
    float *room, min, max;
    DP_TRY(read_scaling(importer, node, &s));
    DP_TRY(dp_onnx_quantized_range(importer, node, s.zero, &dtype, &min, &max));
    DP_TRY(dp_onnx_invent(importer, s.elements, &room));
    unsigned char *bytes = (unsigned char *)room; /* an element takes at most half a float */
    size_t size = dp_dtype_bytes(dtype);
    for (size_t i = 0; i < s.elements; i++) {
        size_t row = scale_of(&s, i);
        float q = nearbyintf(dp_onnx_at(&s.values, i) / dp_onnx_at(&s.scale, row))
                  + dp_onnx_at(&s.point, row);
        uint32_t bits = (uint32_t)(int32_t)(q >= min ? q < max ? q : max : min);
        bytes[i * size] = (unsigned char)bits;
        if (size == 2)
            bytes[i * size + 1] = (unsigned char)(bits >> 8);
    }
    return set(importer, node, dtype, s.input->tensor.rank, s.input->tensor.shape, bytes);
}

/* ---------------------------------------------------------------------------------------- shape */

static deeper_status shape_of(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t sides[DP_TENSOR_RANK];
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    for (int i = 0; i < input->tensor.rank; i++)
        sides[i] = (int64_t)input->tensor.shape[i];
    return dp_onnx_set_ints(importer, node, 1, &(size_t){ (size_t)input->tensor.rank }, sides,
                            input->tensor.rank);
}

const dp_onnx_row dp_onnx_constant_operators[] = {
    { "Add", arithmetic },
    { "Cast", cast },
    { "Concat", concat },
    { "Constant", constant },
    { "ConstantOfShape", constant_of_shape },
    { "DequantizeLinear", dequantize },
    { "Div", arithmetic },
    { "Gather", gather },
    { "Identity", identity },
    { "Mul", arithmetic },
    { "QuantizeLinear", quantize },
    { "Reshape", reshape },
    { "Shape", shape_of },
    { "Slice", slice },
    { "Squeeze", squeeze },
    { "Sub", arithmetic },
    { "Transpose", transpose },
    { "Unsqueeze", unsqueeze },
    { NULL, NULL },
};
