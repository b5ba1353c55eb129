/* onnx_write.h - an ONNX file in the making: nodes, attributes and tensors collected without a
 * check a call, then written in one pass that copies no weights. Between onnx_layout.c, which says
 * what a network becomes, and onnx_write.c. Internal to them. */
#ifndef DP_FORMATS_ONNX_WRITE_H
#define DP_FORMATS_ONNX_WRITE_H

#include "formats/onnx/onnx_file.h"
#include "graph/graph.h"
#include "model/description.h"

typedef struct dp_onnx_initializer {
    Onnx__TensorProto proto; /* without its values */
    int64_t dims[4];
    const void *data; /* borrowed, or kept */
    size_t bytes;
} dp_onnx_initializer;

typedef struct dp_onnx_made {
    dp_onnx_file memory; /* of everything below; only its allocator and what it keeps are used */
    Onnx__NodeProto **nodes;
    size_t node_count, node_capacity;
    dp_onnx_initializer *initializers;
    size_t initializer_count, initializer_capacity;
    Onnx__ValueInfoProto *input, *output;
    bool failed; /* memory is out: what follows does nothing */
} dp_onnx_made;

void dp_onnx_made_free(dp_onnx_made *built);

/* A node of these inputs (NULL or "": left out) whose name is that of its output. The texts are
 * borrowed. */
Onnx__NodeProto *dp_onnx_make_node(dp_onnx_made *built, const char *type, const char *output,
                                   const char *const *inputs, int count);

/* Its attributes; texts are borrowed. node may be NULL after a failure. */
void dp_onnx_make_int(dp_onnx_made *built, Onnx__NodeProto *node, const char *name, int64_t value);
void dp_onnx_make_float(dp_onnx_made *built, Onnx__NodeProto *node, const char *name, float value);
void dp_onnx_make_word(dp_onnx_made *built, Onnx__NodeProto *node, const char *name,
                       const char *value);
void dp_onnx_make_ints(dp_onnx_made *built, Onnx__NodeProto *node, const char *name,
                       const int *values, int count);

/* A constant tensor; data is borrowed. type: DP_ONNX_FLOAT or DP_ONNX_INT64. */
void dp_onnx_make_tensor(dp_onnx_made *built, const char *name, int type, const int64_t *dims,
                         int rank, const void *data, size_t bytes);

/* A copy of `size` bytes that lives with the file, NULL if memory is out. */
void *dp_onnx_make_copy(dp_onnx_made *built, const void *bytes, size_t size);

/* "LEFT" "RIGHT" as one text, likewise. */
const char *dp_onnx_make_text(dp_onnx_made *built, const char *left, const char *right);

/* N x the `rank` sides of an input or output. */
Onnx__ValueInfoProto *dp_onnx_make_value(dp_onnx_made *built, const char *name, const int *sides,
                                         int rank);

/* The network as nodes and tensors: prob and what it depends on. preprocess: the name of a layer
 * that does the model's preprocessing in front, NULL none. Errors: UNSUPPORTED, MEMORY. */
deeper_status dp_onnx_lay_out(dp_onnx_made *built, const dp_model *model, const char *preprocess,
                              deeper_error *error);

enum {
    DP_ONNX_WRITTEN = 13,
    DP_ONNX_WRITTEN_IR = 7
}; /* operator set and format version of our files */

#endif
