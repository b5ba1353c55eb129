/* onnx_file.h - an ONNX file in memory: its message, checked as far as it can be without knowing
 * operators, and its tensors, whose values may lie in other files beside it. What of a file is read
 * is in onnx.proto. It knows nothing of networks. */
#ifndef DP_FORMATS_ONNX_FILE_H
#define DP_FORMATS_ONNX_FILE_H

#include "base/memory.h"
#include "model/tensor.h"
#include "onnx.pb-c.h"

enum { DP_ONNX_OLDEST = 1, DP_ONNX_NEWEST = 25 }; /* operator sets */

/* Element types by their numbers in the format. */
enum {
    DP_ONNX_FLOAT = 1,
    DP_ONNX_UINT8 = 2,
    DP_ONNX_INT8 = 3,
    DP_ONNX_UINT16 = 4,
    DP_ONNX_INT16 = 5,
    DP_ONNX_INT32 = 6,
    DP_ONNX_INT64 = 7,
    DP_ONNX_BOOL = 9,
    DP_ONNX_FLOAT16 = 10,
    DP_ONNX_DOUBLE = 11,
    DP_ONNX_UINT32 = 12,
    DP_ONNX_UINT64 = 13,
    DP_ONNX_BFLOAT16 = 16
};

/* Kinds of attributes. */
enum {
    DP_ONNX_ATTRIBUTE_FLOAT = 1,
    DP_ONNX_ATTRIBUTE_INT = 2,
    DP_ONNX_ATTRIBUTE_STRING = 3,
    DP_ONNX_ATTRIBUTE_INTS = 7
};

/* A file of external data, read whole. */
typedef struct dp_onnx_beside {
    char *name;
    unsigned char *bytes;
    size_t size;
} dp_onnx_beside;

typedef struct dp_onnx_file {
    const deeper_allocator *allocator;
    const char *name;   /* for messages */
    const char *folder; /* where external data may lie; NULL: nowhere */
    Onnx__ModelProto *model;
    const Onnx__GraphProto *graph; /* not NULL */
    int opset;
    dp_onnx_beside *beside; /* files of external data */
    size_t beside_count, beside_capacity;
    void **kept; /* memory that tensors point into */
    size_t kept_count, kept_capacity;
} dp_onnx_file;

/* Whether the bytes begin as such a file does; it may still be damaged, or something else. */
bool dp_onnx_sniff(const unsigned char *bytes, size_t size);

/* Reads a file in memory; nothing points into `bytes`, `name` and `folder` must outlive it.
 * protobuf-c takes at most 4 x size + 16 MB, with malloc. Errors: FORMAT, LIMIT, MEMORY,
 * UNSUPPORTED (an operator set out of range); *file is then empty. */
deeper_status dp_onnx_parse(dp_onnx_file *file, const void *bytes, size_t size, const char *name,
                            const char *folder, const deeper_allocator *allocator,
                            deeper_error *error);
void dp_onnx_free(dp_onnx_file *file);

/* *tensor = a tensor of the file, whatever field holds its values, in its own type (but for U32 in
 * its typed field, which comes as U64); they live with the file. Errors: FORMAT (sizes that do not
 * fit the shape; external data that leaves the folder or its file), UNSUPPORTED (strings, complex
 * numbers, 4 and 8 bit floats, sparse values), LIMIT, MEMORY, IO. */
deeper_status dp_onnx_tensor(dp_onnx_file *file, const Onnx__TensorProto *proto, dp_tensor *tensor,
                             deeper_error *error);

/* Zeroed memory that lives with the file; NULL if memory is out. */
void *dp_onnx_keep(dp_onnx_file *file, size_t count, size_t size);

/* *dtype = the element type of a number; false: none that is read. */
bool dp_onnx_dtype(dp_dtype *dtype, int number);

#endif
