/* tensor.h - one named array as a file holds it: element type, shape, bytes in place; and one named
 * text. What the readers find and models are filled from. It does no arithmetic and owns nothing:
 * names and bytes live with what was read. */
#ifndef DP_MODEL_TENSOR_H
#define DP_MODEL_TENSOR_H

#include "base/memory.h"

/* In the order of the table in tensor.c. */
typedef enum dp_dtype {
    DP_DTYPE_F32,
    DP_DTYPE_F16,
    DP_DTYPE_BF16,
    DP_DTYPE_F64,
    DP_DTYPE_F8_E4M3,
    DP_DTYPE_F8_E5M2,
    DP_DTYPE_BOOL,
    DP_DTYPE_I8,
    DP_DTYPE_U8,
    DP_DTYPE_I16,
    DP_DTYPE_U16,
    DP_DTYPE_I32,
    DP_DTYPE_U32,
    DP_DTYPE_I64,
    DP_DTYPE_U64,
    DP_DTYPE_COUNT
} dp_dtype;

enum { DP_TENSOR_RANK = 8, DP_TENSOR_SHAPE_TEXT = 192 };

typedef struct dp_tensor {
    const char *name;
    dp_dtype dtype;
    int rank; /* 0: one number */
    size_t shape[DP_TENSOR_RANK];
    const void *data; /* little-endian, of any alignment */
    size_t bytes;     /* elements x element size */
} dp_tensor;

typedef struct dp_text {
    const char *key, *text;
} dp_text;

/* All that a container holds; borrowed from what was read. */
typedef struct dp_contents {
    const dp_tensor *tensors;
    size_t count;
    const dp_text *texts;
    size_t text_count;
} dp_contents;

/* The text of a key, NULL if there is none. */
const char *dp_text_find(const dp_text *texts, size_t count, const char *key);

/* "F32", as safetensors has it. */
const char *dp_dtype_name(dp_dtype dtype);
bool dp_dtype_from_name(dp_dtype *dtype, const char *name); /* false: no such type */
size_t dp_dtype_bytes(dp_dtype dtype);

/* Whether dp_tensor_read can turn it into floats: F32, F16, BF16, F64. */
bool dp_dtype_is_weight(dp_dtype dtype);

/* *elements = product of the shape; false if it does not fit a size_t. */
bool dp_tensor_elements(const dp_tensor *tensor, size_t *elements);

/* "64x3x7x7"; "one number" for rank 0. Returns text. */
const char *dp_tensor_shape_text(const dp_tensor *tensor, char text[DP_TENSOR_SHAPE_TEXT]);

/* values[elements] = the tensor as floats: exact from F32, F16 and BF16, rounded to nearest from
 * F64. dp_dtype_is_weight must hold. */
void dp_tensor_read(const dp_tensor *tensor, float *values);

/* The elements of a strided array in C order: to[...][j][k] = from[... + j * strides[rank-2] + k *
 * strides[rank-1]], `element` bytes each; strides count elements. `from` must hold every element
 * that is so reached. */
void dp_tensor_gather(void *to, const void *from, size_t element, int rank, const size_t *shape,
                      const size_t *strides);

#endif
