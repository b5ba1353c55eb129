/* onnx_arithmetic.c - arithmetic on constants while a file is read: on the numbers of shapes, and
 * on weights that are computed from others (weight norm, standardised weights, 8-bit weights).
 * Where all operands are whole numbers the result is, in 64 bits; all else is float. What is made
 * anew is charged to dp_onnx_invent. */
#include "formats/onnx/onnx_import.h"

#include "base/arithmetic.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- two operands
 */

/* false: no result. */
typedef bool whole_function(int64_t a, int64_t b, int64_t *result);
typedef double real_function(double a, double b);

static bool add_whole(int64_t a, int64_t b, int64_t *result) {
    return !__builtin_add_overflow(a, b, result);
}
static bool subtract_whole(int64_t a, int64_t b, int64_t *result) {
    return !__builtin_sub_overflow(a, b, result);
}
static bool multiply_whole(int64_t a, int64_t b, int64_t *result) {
    return !__builtin_mul_overflow(a, b, result);
}
static bool divide_whole(int64_t a, int64_t b, int64_t *result) {
    if (b == 0)
        return false;
    *result = a / b; /* a is not the smallest number, which stands for the images */
    return true;
}
static bool modulo_whole(int64_t a, int64_t b, int64_t *result) {
    if (b == 0)
        return false;
    int64_t rest = a % b; /* of b's sign */
    *result = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    return true;
}
static bool max_whole(int64_t a, int64_t b, int64_t *result) {
    *result = a > b ? a : b;
    return true;
}
static bool min_whole(int64_t a, int64_t b, int64_t *result) {
    *result = a < b ? a : b;
    return true;
}

static double add_real(double a, double b) {
    return a + b;
}
static double subtract_real(double a, double b) {
    return a - b;
}
static double multiply_real(double a, double b) {
    return a * b;
}
static double divide_real(double a, double b) {
    return a / b;
}

static const struct {
    const char *name;
    whole_function *whole; /* NULL: of real numbers only */
    real_function *real;   /* NULL: of whole ones */
} binary_rows[] = {
    { "Add", add_whole, add_real },
    { "Sub", subtract_whole, subtract_real },
    { "Mul", multiply_whole, multiply_real },
    { "Div", divide_whole, divide_real },
    { "Mod", modulo_whole, NULL },
    { "Max", max_whole, fmax },
    { "Min", min_whole, fmin },
    { "Pow", NULL, pow },
};

/* Two shapes of which one is repeated along sides of 1, and where an element of the result has its
 * operands. */
typedef struct pairing {
    int rank;
    size_t shape[DP_TENSOR_RANK], at[DP_TENSOR_RANK], elements;
    size_t steps[2][DP_TENSOR_RANK], operand[2];
} pairing;

static deeper_status pair_up(dp_onnx_importer *importer, const dp_tensor *a, const dp_tensor *b,
                             pairing *p) {
    const dp_tensor *tensors[] = { a, b };
    *p = (pairing){ .rank = dp_max(a->rank, b->rank) };
    size_t strides[2] = { 1, 1 };
    bool fits = true;
    for (int i = p->rank - 1; i >= 0; i--) {
        size_t sides[2];
        for (int k = 0; k < 2; k++) {
            int own = i - (p->rank - tensors[k]->rank);
            sides[k] = own < 0 ? 1 : tensors[k]->shape[own];
            p->steps[k][i] = sides[k] == 1 ? 0 : strides[k];
            strides[k] *= sides[k];
        }
        fits = fits && (sides[0] == sides[1] || sides[0] == 1 || sides[1] == 1);
        p->shape[i] = sides[0] == 1 ? sides[1] : sides[0];
    }
    dp_tensor probe = { .rank = p->rank };
    memcpy(probe.shape, p->shape, sizeof p->shape);
    if (!fits)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "shapes that do not fit: %.80s, %.80s",
                            a->name, b->name);
    return dp_tensor_elements(&probe, &p->elements)
               ? DEEPER_OK
               : dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a tensor larger than memory can hold");
}

static void step_on(pairing *p) {
    for (int d = p->rank - 1; d >= 0; d--) {
        bool inside = ++p->at[d] < p->shape[d];
        for (int k = 0; k < 2; k++)
            p->operand[k] += inside ? p->steps[k][d] : 0;
        if (inside)
            return;
        for (int k = 0; k < 2; k++)
            p->operand[k] -= p->steps[k][d] * (p->shape[d] - 1);
        p->at[d] = 0;
    }
}

static deeper_status compute_whole(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                   const dp_onnx_value *a, const dp_onnx_value *b, pairing *p,
                                   whole_function *function) {
    float *room;
    if (p->elements > SIZE_MAX / 2)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a tensor larger than memory can hold");
    DP_TRY(dp_onnx_invent(importer, p->elements * 2, &room));
    int64_t *results = (int64_t *)(void *)room;
    for (size_t i = 0; i < p->elements; i++, step_on(p)) {
        int64_t x = dp_onnx_whole_at(a, p->operand[0]), y = dp_onnx_whole_at(b, p->operand[1]);
        if (x == DP_ONNX_BATCH || y == DP_ONNX_BATCH || !function(x, y, &results[i]))
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "arithmetic with the number of images, by zero or out of range");
    }
    return dp_onnx_set_constant(importer, node, DP_DTYPE_I64, p->rank, p->shape, results);
}

static deeper_status binary(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *a, *b;
    dp_onnx_parameter x, y;
    pairing p;
    float *results;
    size_t row = 0;
    while (strcmp(binary_rows[row].name, node->op_type) != 0)
        row++;
    DP_TRY(dp_onnx_constant(importer, node, 0, &a));
    if (node->n_input == 1) /* of Max and Min */
        return dp_onnx_alias(importer, node, 0, a);
    DP_TRY(dp_onnx_constant(importer, node, 1, &b));
    DP_TRY(pair_up(importer, &a->tensor, &b->tensor, &p));
    bool whole = dp_onnx_is_whole(&a->tensor) && dp_onnx_is_whole(&b->tensor);
    if (node->n_input != 2 || (whole ? !binary_rows[row].whole : !binary_rows[row].real))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "other operands than two %s numbers", whole ? "real" : "whole");
    if (whole)
        return compute_whole(importer, node, a, b, &p, binary_rows[row].whole);
    DP_TRY(dp_onnx_floats(importer, a, &x));
    DP_TRY(dp_onnx_floats(importer, b, &y));
    DP_TRY(dp_onnx_invent(importer, p.elements, &results));
    for (size_t i = 0; i < p.elements; i++, step_on(&p))
        results[i] = (float)binary_rows[row].real((double)dp_onnx_at(&x, p.operand[0]),
                                                  (double)dp_onnx_at(&y, p.operand[1]));
    return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, p.rank, p.shape, results);
}

/* ------------------------------------------------------------------------------------ one operand
 */

static double negative(double x) {
    return -x;
}
static double reciprocal(double x) {
    return 1 / x;
}
static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static const struct {
    const char *name;
    double (*function)(double x);
} unary_rows[] = {
    { "Abs", fabs },        { "Ceil", ceil },       { "Erf", erf },
    { "Exp", exp },         { "Floor", floor },     { "Log", log },
    { "Neg", negative },    { "Round", nearbyint }, { "Reciprocal", reciprocal },
    { "Sigmoid", sigmoid }, { "Sqrt", sqrt },       { "Tanh", tanh },
};

/* A function of each; whole numbers stay whole where the function leaves them so. */
static deeper_status unary(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    dp_onnx_parameter x;
    float *results;
    size_t row = 0;
    while (strcmp(unary_rows[row].name, node->op_type) != 0)
        row++;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    if (dp_onnx_is_whole(&input->tensor))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a function of whole numbers");
    DP_TRY(dp_onnx_floats(importer, input, &x));
    size_t elements = dp_onnx_elements(input);
    DP_TRY(dp_onnx_invent(importer, elements, &results));
    for (size_t i = 0; i < elements; i++)
        results[i] = (float)unary_rows[row].function((double)dp_onnx_at(&x, i));
    return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, input->tensor.rank,
                                input->tensor.shape, results);
}

/* A bound of Clip at input `index` or, in older sets, an attribute. */
static deeper_status read_bound(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                const char *name, size_t index, double otherwise, double *bound) {
    const dp_onnx_value *value = dp_onnx_input(importer, node, index);
    dp_onnx_parameter floats;
    *bound = dp_onnx_attribute(node, name) ? (double)dp_onnx_float(node, name, 0) : otherwise;
    if (!value)
        return DEEPER_OK;
    DP_TRY(dp_onnx_floats(importer, value, &floats));
    if (dp_onnx_elements(value) == 1)
        *bound = (double)dp_onnx_at(&floats, 0);
    return dp_onnx_elements(value) == 1
               ? DEEPER_OK
               : dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its bound %.100s is not one number",
                              value->name);
}

static deeper_status clip(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    dp_onnx_parameter x;
    double min, max;
    float *results;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(read_bound(importer, node, "min", 1, -HUGE_VAL, &min));
    DP_TRY(read_bound(importer, node, "max", 2, HUGE_VAL, &max));
    DP_TRY(dp_onnx_floats(importer, input, &x));
    size_t elements = dp_onnx_elements(input);
    bool whole = dp_onnx_is_whole(&input->tensor);
    int64_t ints[DP_ONNX_INTS];
    if (whole && elements > DP_ONNX_INTS)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%zu whole numbers; %d are computed",
                            elements, DP_ONNX_INTS);
    DP_TRY(dp_onnx_invent(importer, elements, &results));
    for (size_t i = 0; i < elements; i++) {
        double value = fmin(fmax((double)dp_onnx_at(&x, i), min), max);
        results[i] = (float)value;
        if (whole && dp_onnx_whole_at(input, i) == DP_ONNX_BATCH)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "arithmetic with the number of images");
        ints[whole ? i : 0] = whole ? (int64_t)value : 0;
    }
    return whole ? dp_onnx_set_ints(importer, node, input->tensor.rank, input->tensor.shape, ints,
                                    (int)elements)
                 : dp_onnx_set_constant(importer, node, DP_DTYPE_F32, input->tensor.rank,
                                        input->tensor.shape, results);
}

/* Mean and variance of each row along axis 1 of x, into moments[2 x rows]. */
static void find_moments(const dp_onnx_parameter *x, size_t elements, size_t rows, size_t behind,
                         double *moments) {
    double share = (double)rows / (double)elements;
    for (size_t i = 0; i < elements; i++)
        moments[i / behind % rows] += (double)dp_onnx_at(x, i) * share;
    for (size_t i = 0; i < elements; i++) {
        size_t row = i / behind % rows;
        double off = (double)dp_onnx_at(x, i) - moments[row];
        moments[rows + row] += off * off * share;
    }
}

/* Of weights: (x - mean) / sqrt(variance + epsilon) * factor + term for each side of axis 1, with
 * the statistics of inputs 3 and 4 or, in training mode, their own: so PyTorch standardises them.
 */
static deeper_status batch_norm(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *inputs[5];
    dp_onnx_parameter floats[5];
    float *results, *room;
    bool own = dp_onnx_int(node, "training_mode", 0) != 0;
    double epsilon = (double)dp_onnx_float(node, "epsilon", 1e-5F);
    for (size_t i = 0; i < 5; i++) {
        DP_TRY(dp_onnx_constant(importer, node, i, &inputs[i]));
        DP_TRY(dp_onnx_floats(importer, inputs[i], &floats[i]));
    }
    const dp_tensor *tensor = &inputs[0]->tensor;
    size_t elements = dp_onnx_elements(inputs[0]), rows = tensor->rank > 1 ? tensor->shape[1] : 0,
           behind = 1;
    bool fits = rows > 0 && elements > 0;
    for (size_t i = 1; i < 5 && fits; i++)
        fits = dp_onnx_elements(inputs[i]) == rows;
    if (!fits)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                            "its factors, terms and statistics are not one for each of axis 1");
    for (int i = 2; i < tensor->rank; i++)
        behind *= tensor->shape[i];
    DP_TRY(dp_onnx_invent(importer, elements, &results));
    DP_TRY(dp_onnx_invent(importer, rows * 4, &room));
    double *moments = (double *)(void *)room;
    if (own)
        find_moments(&floats[0], elements, rows, behind, moments);
    for (size_t i = 0; i < elements; i++) {
        size_t row = i / behind % rows;
        double mean = own ? moments[row] : (double)dp_onnx_at(&floats[3], row),
               variance = own ? moments[rows + row] : (double)dp_onnx_at(&floats[4], row);
        results[i] = (float)(((double)dp_onnx_at(&floats[0], i) - mean) / sqrt(variance + epsilon)
                                 * (double)dp_onnx_at(&floats[1], row)
                             + (double)dp_onnx_at(&floats[2], row));
    }
    return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, tensor->rank, tensor->shape, results);
}

/* To another type. Whole numbers take the width of the type that they are cast to, as its bits;
 * real ones are all floats. */
static deeper_status cast(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    dp_onnx_parameter floats;
    dp_dtype to;
    float *room;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    if (!dp_onnx_dtype(&to, (int)dp_onnx_int(node, "to", 0)))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a cast to elements of type %lld",
                            (long long)dp_onnx_int(node, "to", 0));
    bool whole = dp_onnx_is_whole(&input->tensor), real = dp_dtype_is_weight(to);
    if (whole != real || to == input->tensor.dtype)
        if (real || to == input->tensor.dtype || dp_dtype_bytes(to) >= sizeof(int32_t))
            return dp_onnx_alias(importer, node, 0, input);
    size_t count = dp_onnx_elements(input);
    DP_TRY(dp_onnx_floats(importer, input, &floats));
    if (count > SIZE_MAX / 2)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a tensor larger than memory can hold");
    DP_TRY(dp_onnx_invent(importer, real ? count : count * 2, &room));
    int64_t *ints = (int64_t *)(void *)room;
    unsigned char *bytes = (unsigned char *)room;
    size_t size = real ? sizeof *room : dp_dtype_bytes(to);
    for (size_t i = 0; i < count; i++) {
        float value = dp_onnx_at(&floats, i);
        int64_t bits = whole ? dp_onnx_whole_at(input, i) : 0;
        if (whole ? bits == DP_ONNX_BATCH && real : !(fabsf(value) < 0x1p62F))
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "a cast of %s",
                                whole ? "the number of images" : "what no whole number is");
        if (real) {
            room[i] = value;
            continue;
        }
        bits = whole ? bits : (int64_t)value;
        if (size > 2)
            ints[i] = bits;
        for (size_t b = 0; b < size && size <= 2; b++)
            bytes[i * size + b] = (unsigned char)((uint64_t)bits >> 8 * b);
    }
    if (!real && size > 2)
        to = DP_DTYPE_I64;
    return dp_onnx_set_constant(importer, node, real ? DP_DTYPE_F32 : to, input->tensor.rank,
                                input->tensor.shape, room);
}

/* ------------------------------------------------------------------------------------- reductions
 */

static double sum_square(double sum, double x) {
    return sum + x * x;
}

static const struct {
    const char *name;
    double first;
    double (*take)(double sum, double x);
    bool mean, root;
} reduce_rows[] = {
    { "ReduceMean", 0, add_real, true, false },
    { "ReduceSum", 0, add_real, false, false },
    { "ReduceMax", -HUGE_VAL, fmax, false, false },
    { "ReduceMin", HUGE_VAL, fmin, false, false },
    { "ReduceProd", 1, multiply_real, false, false },
    { "ReduceSumSquare", 0, sum_square, false, false },
    { "ReduceL2", 0, sum_square, false, true },
};

/* Which axes a reduction leaves out: those of the attribute or input 1, else all. */
static deeper_status read_reduced(dp_onnx_importer *importer, const Onnx__NodeProto *node, int rank,
                                  bool reduced[DP_TENSOR_RANK]) {
    int64_t axes[DP_ONNX_INTS];
    int count;
    DP_TRY(dp_onnx_ints_of(importer, node, "axes", 1, axes, &count));
    bool all = count < 0 || (count == 0 && !dp_onnx_int(node, "noop_with_empty_axes", 0));
    for (int i = 0; i < rank; i++)
        reduced[i] = all;
    for (int i = 0; i < count; i++) {
        DP_TRY(dp_onnx_axis(importer, &axes[i], rank));
        reduced[axes[i]] = true;
    }
    return DEEPER_OK;
}

/* The results in the order of the axes that stay: sums, a double each, of x's elements. */
static void accumulate(const dp_tensor *tensor, const bool *reduced, const dp_onnx_parameter *x,
                       size_t elements, size_t row, double *sums) {
    size_t at[DP_TENSOR_RANK] = { 0 }, steps[DP_TENSOR_RANK], step = 1, to = 0;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        steps[i] = reduced[i] ? 0 : step;
        step *= reduced[i] ? 1 : tensor->shape[i];
    }
    for (size_t i = 0; i < elements; i++) {
        sums[to] = reduce_rows[row].take(sums[to], (double)dp_onnx_at(x, i));
        for (int d = tensor->rank - 1; d >= 0; d--) {
            to += steps[d];
            if (++at[d] < tensor->shape[d])
                break;
            to -= steps[d] * tensor->shape[d];
            at[d] = 0;
        }
    }
}

static deeper_status reduce(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    const dp_onnx_value *input;
    dp_onnx_parameter x;
    bool reduced[DP_TENSOR_RANK], keep = dp_onnx_int(node, "keepdims", 1) != 0;
    size_t row = 0, shape[DP_TENSOR_RANK], results = 1, elements;
    float *room, *floats;
    int rank = 0;
    while (strcmp(reduce_rows[row].name, node->op_type) != 0)
        row++;
    DP_TRY(dp_onnx_constant(importer, node, 0, &input));
    DP_TRY(read_reduced(importer, node, input->tensor.rank, reduced));
    DP_TRY(dp_onnx_floats(importer, input, &x));
    for (int i = 0; i < input->tensor.rank; i++) {
        results *= reduced[i] ? 1 : input->tensor.shape[i];
        if (!reduced[i] || keep)
            shape[rank++] = reduced[i] ? 1 : input->tensor.shape[i];
    }
    elements = dp_onnx_elements(input);
    if (elements == 0 || dp_onnx_is_whole(&input->tensor))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "a reduction of nothing, or of whole numbers");
    DP_TRY(dp_onnx_invent(importer, results * 2, &room));
    DP_TRY(dp_onnx_invent(importer, results, &floats));
    double *sums = (double *)(void *)room;
    for (size_t i = 0; i < results; i++)
        sums[i] = reduce_rows[row].first;
    accumulate(&input->tensor, reduced, &x, elements, row, sums);
    for (size_t i = 0; i < results; i++) {
        double sum = reduce_rows[row].mean ? sums[i] / (double)(elements / results) : sums[i];
        floats[i] = (float)(reduce_rows[row].root ? sqrt(sum) : sum);
    }
    return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, rank, shape, floats);
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
    return dp_onnx_set_constant(importer, node, DP_DTYPE_F32, s.input->tensor.rank,
                                s.input->tensor.shape, floats);
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
    return dp_onnx_set_constant(importer, node, dtype, s.input->tensor.rank, s.input->tensor.shape,
                                bytes);
}

const dp_onnx_row dp_onnx_arithmetic_operators[] = {
    { "Abs", unary },
    { "Add", binary },
    { "BatchNormalization", batch_norm },
    { "Cast", cast },
    { "Ceil", unary },
    { "Clip", clip },
    { "DequantizeLinear", dequantize },
    { "Div", binary },
    { "Erf", unary },
    { "Exp", unary },
    { "Floor", unary },
    { "Log", unary },
    { "Max", binary },
    { "Min", binary },
    { "Mod", binary },
    { "Mul", binary },
    { "Neg", unary },
    { "Pow", binary },
    { "QuantizeLinear", quantize },
    { "Reciprocal", unary },
    { "ReduceL2", reduce },
    { "ReduceMax", reduce },
    { "ReduceMean", reduce },
    { "ReduceMin", reduce },
    { "ReduceProd", reduce },
    { "ReduceSum", reduce },
    { "ReduceSumSquare", reduce },
    { "Round", unary },
    { "Sigmoid", unary },
    { "Sqrt", unary },
    { "Sub", binary },
    { "Tanh", unary },
    { NULL, NULL },
};
