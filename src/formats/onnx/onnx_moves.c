/* onnx_moves.c - operators that move the elements of constants while a file is read: transposed,
 * sliced, gathered, joined, repeated. Elements keep their bytes and type; what is made anew is
 * charged to dp_onnx_invent. */
#include "formats/onnx/onnx_import.h"

#include "base/arithmetic.h"

#include <limits.h>
#include <string.h>

/* Room for the elements of a new constant. */
static deeper_status make_room(dp_onnx_importer *importer, size_t elements, size_t size,
                               unsigned char **room) {
    size_t bytes;
    float *floats;
    if (!dp_size_mul(elements, size, &bytes))
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a tensor larger than memory can hold");
    DP_TRY(dp_onnx_invent(importer, bytes / sizeof *floats + 1, &floats));
    *room = (unsigned char *)floats;
    return DEEPER_OK;
}

static deeper_status count_elements(dp_onnx_importer *importer, int rank, const size_t *shape,
                                    size_t *elements) {
    dp_tensor probe = { .rank = rank };
    memcpy(probe.shape, shape, (size_t)rank * sizeof *shape);
    return dp_tensor_elements(&probe, elements)
               ? DEEPER_OK
               : dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a tensor larger than memory can hold");
}

/* Output 0 as elements of a constant: the first is number `from`, those along axis i of the new
 * shape are steps[i] apart. */
static deeper_status pick(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                          const dp_onnx_value *input, int rank, const size_t *shape, int64_t from,
                          const int64_t *steps) {
    const unsigned char *bytes = input->tensor.data;
    size_t elements, size = dp_dtype_bytes(input->tensor.dtype), at[DP_TENSOR_RANK] = { 0 };
    unsigned char *picked = NULL;
    DP_TRY(count_elements(importer, rank, shape, &elements));
    if (bytes)
        DP_TRY(make_room(importer, elements, size, &picked));
    for (size_t i = 0; i < elements && bytes; i++) {
        memcpy(picked + i * size, bytes + (size_t)from * size, size);
        for (int d = rank - 1; d >= 0; d--) {
            from += steps[d];
            if (++at[d] < shape[d])
                break;
            from -= steps[d] * (int64_t)shape[d];
            at[d] = 0;
        }
    }
    DP_TRY(dp_onnx_set_constant(importer, node, input->tensor.dtype, rank, shape, picked));
    dp_onnx_output(importer, node, 0)->fill = input->fill;
    return DEEPER_OK;
}

/* Elements from one to the next along each axis. */
static void strides_of(const dp_tensor *tensor, int64_t strides[DP_TENSOR_RANK]) {
    for (int i = tensor->rank - 1; i >= 0; i--)
        strides[i] = i == tensor->rank - 1 ? 1 : strides[i + 1] * (int64_t)tensor->shape[i + 1];
}

static deeper_status transpose(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t order[DP_ONNX_INTS], strides[DP_TENSOR_RANK], steps[DP_TENSOR_RANK];
    size_t shape[DP_TENSOR_RANK];
    bool seen[DP_TENSOR_RANK] = { false };
    int count;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "perm", SIZE_MAX, order, &count));
    int rank = input->tensor.rank;
    if (count >= 0 && count != rank)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "an order of %d axes for %d", count,
                            rank);
    strides_of(&input->tensor, strides);
    for (int i = 0; i < rank; i++) {
        int64_t axis = count < 0 ? rank - 1 - i : order[i];
        DP_TRY(dp_onnx_axis(importer, &axis, rank));
        if (seen[axis])
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "axis %lld twice", (long long)axis);
        seen[axis] = true;
        shape[i] = input->tensor.shape[axis];
        steps[i] = strides[axis];
    }
    return pick(importer, node, input, rank, shape, 0, steps);
}

/* How many indices `begin`, `begin` + step, ... lie before `end`; *begin and end are brought into
 * what is possible for `length`, as Slice has it. */
static int64_t slice_count(int64_t *begin, int64_t end, int64_t step, int64_t length) {
    if (step > 0) {
        *begin = dp_onnx_place(*begin, length);
        end = dp_onnx_place(end, length);
        return end > *begin ? (end - *begin - 1) / step + 1 : 0;
    }
    *begin += *begin < 0 ? length : 0;
    end += end < 0 ? length : 0;
    *begin = *begin < -1 ? -1 : *begin >= length ? length - 1 : *begin;
    end = end < -1 ? -1 : end >= length ? length - 1 : end;
    return *begin > end ? (*begin - end - 1) / -step + 1 : 0;
}

static deeper_status slice(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t starts[DP_ONNX_INTS], ends[DP_ONNX_INTS], axes[DP_ONNX_INTS], steps[DP_ONNX_INTS],
        strides[DP_TENSOR_RANK], from = 0;
    size_t shape[DP_TENSOR_RANK];
    int count, end_count, axis_count, step_count;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "starts", 1, starts, &count));
    DP_TRY(dp_onnx_ints_of(importer, node, "ends", 2, ends, &end_count));
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 3, axes, &axis_count));
    DP_TRY(dp_onnx_ints_of(importer, node, "steps", 4, steps, &step_count));
    int rank = input->tensor.rank;
    if (count < 0 || count > rank || end_count != count || (axis_count >= 0 && axis_count != count)
        || (step_count >= 0 && step_count != count))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "starts, ends, axes and steps of different lengths");
    strides_of(&input->tensor, strides);
    memcpy(shape, input->tensor.shape, sizeof shape);
    for (int i = 0; i < count; i++) {
        int64_t axis = axis_count < 0 ? i : axes[i], step = step_count < 0 ? 1 : steps[i];
        DP_TRY(dp_onnx_axis(importer, &axis, rank));
        if (step == 0 || step < -INT_MAX)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a step of %lld", (long long)step);
        int64_t length = (int64_t)input->tensor.shape[axis],
                taken = slice_count(&starts[i], ends[i], step, length);
        from += taken ? starts[i] * strides[axis] : 0;
        shape[axis] = (size_t)taken;
        strides[axis] *= taken > 1 ? step : 1;
    }
    return pick(importer, node, input, rank, shape, from, strides);
}

/* A number of times, where a side is 1; shapes are aligned at the end. */
static deeper_status expand(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    int64_t sides[DP_ONNX_INTS], strides[DP_TENSOR_RANK], steps[DP_TENSOR_RANK];
    size_t shape[DP_TENSOR_RANK];
    int count;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_ints_of(importer, node, "shape", 1, sides, &count));
    int rank = dp_max(count, input->tensor.rank);
    if (count < 0 || rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a shape of %d dimensions", count);
    strides_of(&input->tensor, strides);
    for (int i = 0; i < rank; i++) {
        int own = i - (rank - input->tensor.rank), asked = i - (rank - count);
        int64_t side = own < 0 ? 1 : (int64_t)input->tensor.shape[own],
                wanted = asked < 0 ? 1 : sides[asked];
        if (wanted < 0 || wanted > INT_MAX || (wanted != side && wanted != 1 && side != 1))
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a side of %lld for one of %lld",
                                (long long)wanted, (long long)side);
        shape[i] = (size_t)(wanted == 1 ? side : wanted);
        steps[i] = own < 0 || side == 1 ? 0 : strides[own];
    }
    return pick(importer, node, input, rank, shape, 0, steps);
}

/* Rows of the axis by their numbers; the axis becomes those of the indices. */
static deeper_status gather(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input, *indices;
    int64_t at[DP_ONNX_INTS], axis = dp_onnx_int(node, "axis", 0);
    size_t shape[2 * DP_TENSOR_RANK], outer = 1, inner = 1, elements;
    int count, rank = 0;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(dp_onnx_constant(importer, node, 1, &indices));
    DP_TRY(dp_onnx_read_ints(importer, indices, at, &count));
    DP_TRY(dp_onnx_axis(importer, &axis, input->tensor.rank));
    for (int i = 0; i < axis; i++)
        outer *= shape[rank++] = input->tensor.shape[i];
    for (int i = 0; i < indices->tensor.rank; i++)
        shape[rank++] = indices->tensor.shape[i];
    for (int i = (int)axis + 1; i < input->tensor.rank; i++)
        inner *= shape[rank++] = input->tensor.shape[i];
    if (rank > DP_TENSOR_RANK)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%d dimensions; %d are read", rank,
                            DP_TENSOR_RANK);
    for (int i = 0; i < count; i++)
        DP_TRY(dp_onnx_axis(importer, &at[i], (int)input->tensor.shape[axis]));
    DP_TRY(count_elements(importer, rank, shape, &elements));
    const unsigned char *bytes = input->tensor.data;
    size_t size = dp_dtype_bytes(input->tensor.dtype), row = inner * size;
    unsigned char *picked = NULL;
    if (bytes)
        DP_TRY(make_room(importer, elements, size, &picked));
    for (size_t i = 0; i < outer && bytes; i++)
        for (size_t j = 0; j < (size_t)count; j++)
            memcpy(picked + (i * (size_t)count + j) * row,
                   bytes + (i * input->tensor.shape[axis] + (size_t)at[j]) * row, row);
    DP_TRY(dp_onnx_set_constant(importer, node, input->tensor.dtype, rank, shape, picked));
    dp_onnx_output(importer, node, 0)->fill = input->fill;
    return DEEPER_OK;
}

/* ----------------------------------------------------------------------------------------- join */

/* Copies a part to its rows of the joined tensor, from element `begin` of each on. */
static deeper_status place_part(dp_onnx_importer *importer, const dp_onnx_value *part, bool whole,
                                size_t rows, size_t begin, size_t row, void *joined) {
    size_t own = rows ? dp_onnx_elements(part) / rows : 0;
    dp_onnx_parameter floats = { 0 };
    if (!whole)
        DP_TRY(dp_onnx_floats(importer, part, &floats));
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < own; j++)
            if (whole)
                ((int64_t *)joined)[i * row + begin + j] = dp_onnx_whole_at(part, i * own + j);
            else
                ((float *)joined)[i * row + begin + j] = dp_onnx_at(&floats, i * own + j);
    return DEEPER_OK;
}

/* The shape of the parts joined along an axis. *whole: all hold whole numbers. */
static deeper_status join_shapes(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 int64_t *axis, int *rank, size_t shape[DP_TENSOR_RANK],
                                 bool *whole) {
    *whole = true;
    for (size_t i = 0; i < node->n_input; i++) {
        const dp_onnx_value *part;
        DP_TRY(dp_onnx_constant(importer, node, i, &part));
        const dp_tensor *tensor = &part->tensor;
        *whole = *whole && dp_onnx_is_whole(tensor);
        if (i == 0) {
            *rank = tensor->rank;
            memcpy(shape, tensor->shape, sizeof tensor->shape);
            DP_TRY(dp_onnx_axis(importer, axis, *rank));
            continue;
        }
        bool fits = tensor->rank == *rank
                    && !__builtin_add_overflow(shape[*axis], tensor->shape[*axis], &shape[*axis]);
        for (int d = 0; d < *rank && fits; d++)
            fits = d == *axis || tensor->shape[d] == shape[d];
        if (!fits)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "%.100s has another shape",
                                part->name);
    }
    return node->n_input ? DEEPER_OK
                         : dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it has no inputs");
}

static deeper_status concat(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    int64_t axis = dp_onnx_int(node, "axis", 1);
    size_t shape[DP_TENSOR_RANK], elements, rows = 1, begin = 0;
    unsigned char *joined = NULL;
    bool whole;
    int rank = 0;
    DP_TRY(join_shapes(importer, node, &axis, &rank, shape, &whole));
    DP_TRY(count_elements(importer, rank, shape, &elements));
    DP_TRY(make_room(importer, elements, whole ? sizeof(int64_t) : sizeof(float), &joined));
    for (int i = 0; i < axis; i++)
        rows *= shape[i];
    size_t row = rows ? elements / rows : 0;
    for (size_t i = 0; i < node->n_input; i++) {
        const dp_onnx_value *part = dp_onnx_input(importer, node, i);
        DP_TRY(place_part(importer, part, whole, rows, begin, row, joined));
        begin += rows ? dp_onnx_elements(part) / rows : 0;
    }
    return dp_onnx_set_constant(importer, node, whole ? DP_DTYPE_I64 : DP_DTYPE_F32, rank, shape,
                                joined);
}

const dp_onnx_row dp_onnx_move_operators[] = {
    { "Concat", concat }, { "Expand", expand },       { "Gather", gather },
    { "Slice", slice },   { "Transpose", transpose }, { NULL, NULL },
};
