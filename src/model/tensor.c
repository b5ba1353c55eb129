/* tensor.c - element types and their conversion to float. Plain loops: a model is converted once
 * when it is opened. Files are little-endian and so are the machines that deeper runs on; the
 * assertion below is where that is held on to. */
#include "model/tensor.h"

#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "model files are mapped, so the machine must be little-endian as they are");

/* Little-endian numbers to floats; from is of any alignment. */
typedef void converter(float *to, const unsigned char *from, size_t count);

static void from_f32(float *to, const unsigned char *from, size_t count) {
    if (count)
        memcpy(to, from, count * sizeof *to);
}

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* binary16: sign, 5 bits of exponent (bias 15), 10 of fraction. Subnormals are fraction x 2^-24,
 * which a float holds exactly. */
static void from_f16(float *to, const unsigned char *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t half = from[2 * i] | (uint32_t)from[2 * i + 1] << 8;
        uint32_t sign = (half & 0x8000U) << 16, exponent = half >> 10 & 0x1FU,
                 fraction = half & 0x3FFU;
        if (exponent == 0)
            to[i] = (sign ? -1.0F : 1.0F) * (float)fraction * 0x1p-24F;
        else
            to[i] = float_of_bits(sign | (exponent == 31 ? 0xFFU : exponent + (127 - 15)) << 23
                                  | fraction << 13);
    }
}

/* bfloat16: the upper half of a float. */
static void from_bf16(float *to, const unsigned char *from, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] = float_of_bits((uint32_t)from[2 * i] << 16 | (uint32_t)from[2 * i + 1] << 24);
}

static void from_f64(float *to, const unsigned char *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, from + i * sizeof value, sizeof value);
        to[i] = (float)value;
    }
}

static const struct {
    const char *name;
    size_t bytes;
    converter *convert; /* NULL: listed, but not a weight */
} types[DP_DTYPE_COUNT] = {
    [DP_DTYPE_F32] = { "F32", 4, from_f32 },     [DP_DTYPE_F16] = { "F16", 2, from_f16 },
    [DP_DTYPE_BF16] = { "BF16", 2, from_bf16 },  [DP_DTYPE_F64] = { "F64", 8, from_f64 },
    [DP_DTYPE_F8_E4M3] = { "F8_E4M3", 1, NULL }, [DP_DTYPE_F8_E5M2] = { "F8_E5M2", 1, NULL },
    [DP_DTYPE_BOOL] = { "BOOL", 1, NULL },       [DP_DTYPE_I8] = { "I8", 1, NULL },
    [DP_DTYPE_U8] = { "U8", 1, NULL },           [DP_DTYPE_I16] = { "I16", 2, NULL },
    [DP_DTYPE_U16] = { "U16", 2, NULL },         [DP_DTYPE_I32] = { "I32", 4, NULL },
    [DP_DTYPE_U32] = { "U32", 4, NULL },         [DP_DTYPE_I64] = { "I64", 8, NULL },
    [DP_DTYPE_U64] = { "U64", 8, NULL },
};

const char *dp_dtype_name(dp_dtype dtype) {
    return types[dtype].name;
}

bool dp_dtype_from_name(dp_dtype *dtype, const char *name) {
    for (int i = 0; i < DP_DTYPE_COUNT; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *dtype = (dp_dtype)i;
            return true;
        }
    }
    return false;
}

size_t dp_dtype_bytes(dp_dtype dtype) {
    return types[dtype].bytes;
}

bool dp_dtype_is_weight(dp_dtype dtype) {
    return types[dtype].convert != NULL;
}

bool dp_tensor_elements(const dp_tensor *tensor, size_t *elements) {
    *elements = 1;
    for (int i = 0; i < tensor->rank; i++)
        if (!dp_size_mul(*elements, tensor->shape[i], elements))
            return false;
    return true;
}

const char *dp_tensor_shape_text(const dp_tensor *tensor, char text[DP_TENSOR_SHAPE_TEXT]) {
    snprintf(text, DP_TENSOR_SHAPE_TEXT, "one number");
    for (int i = 0, length = 0; i < tensor->rank; i++)
        length += snprintf(text + length, DP_TENSOR_SHAPE_TEXT - (size_t)length, "%s%zu",
                           i ? "x" : "", tensor->shape[i]);
    return text;
}

void dp_tensor_read(const dp_tensor *tensor, float *values) {
    types[tensor->dtype].convert(values, tensor->data, tensor->bytes / types[tensor->dtype].bytes);
}

void dp_tensor_gather(void *to, const void *from, size_t element, int rank, const size_t *shape,
                      const size_t *strides) {
    size_t at[DP_TENSOR_RANK] = { 0 };
    unsigned char *next = to;
    for (int i = 0; i < rank; i++)
        if (shape[i] == 0)
            return;
    for (int i = 0; i >= 0;) {
        size_t place = 0;
        for (int d = 0; d < rank; d++)
            place += at[d] * strides[d];
        memcpy(next, (const unsigned char *)from + place * element, element);
        next += element;
        for (i = rank - 1; i >= 0 && ++at[i] == shape[i]; i--)
            at[i] = 0;
    }
}

const char *dp_text_find(const dp_text *texts, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i].key, key) == 0)
            return texts[i].text;
    return NULL;
}
