/* onnx_maker.h - small ONNX files for tests and seeds, sound or not: made node by node, then
 * packed. Inputs and outputs of a node are names between commas. Everything is in one structure,
 * which maker_free empties. */
#ifndef TEST_HELPERS_ONNX_MAKER_H
#define TEST_HELPERS_ONNX_MAKER_H

#include "onnx.pb-c.h"

#include <stddef.h>

enum {
    MAKER_NODES = 64,
    MAKER_NAMES = 8,
    MAKER_ATTRIBUTES = 8,
    MAKER_TENSORS = 24,
    MAKER_TEXTS = 4
};

typedef struct maker {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto set, *sets[1];
    Onnx__NodeProto nodes[MAKER_NODES], *node_list[MAKER_NODES];
    char texts[MAKER_NODES][2][128], *names[MAKER_NODES][2][MAKER_NAMES];
    Onnx__AttributeProto attributes[MAKER_NODES][MAKER_ATTRIBUTES],
        *attribute_list[MAKER_NODES][MAKER_ATTRIBUTES];
    int64_t ints[MAKER_NODES][MAKER_ATTRIBUTES][8];
    Onnx__TensorProto tensors[MAKER_TENSORS], *tensor_list[MAKER_TENSORS];
    int64_t dims[MAKER_TENSORS][8];
    float *values[MAKER_TENSORS];
    Onnx__ValueInfoProto ends[2], *end_list[2];
    Onnx__TypeProto types[2];
    Onnx__TypeProto__Tensor tensor_types[2];
    Onnx__TensorShapeProto shapes[2];
    Onnx__TensorShapeProto__Dimension sides[2][8], *side_list[2][8];
    Onnx__StringStringEntryProto props[MAKER_TEXTS], *prop_list[MAKER_TEXTS];
} maker;

/* An empty model of an operator set whose input "x" has these sides (0: any) and whose output is
 * "y". malloc'ed. */
maker *maker_create(int opset, const int64_t *sides, size_t rank);
void maker_free(maker *m);

Onnx__NodeProto *maker_node(maker *m, const char *type, const char *inputs, const char *outputs);
void maker_int(maker *m, Onnx__NodeProto *node, const char *name, int64_t value);
void maker_float(maker *m, Onnx__NodeProto *node, const char *name, float value);
void maker_text(maker *m, Onnx__NodeProto *node, const char *name, const char *value);
void maker_ints(maker *m, Onnx__NodeProto *node, const char *name, const int64_t *values,
                size_t count);

/* An initializer of floats, element i being (i % 7 - 3) / 4. */
Onnx__TensorProto *maker_floats(maker *m, const char *name, const int64_t *dims, size_t rank);
/* One of whole numbers, a list. values must live as long as the maker. */
Onnx__TensorProto *maker_list(maker *m, const char *name, int64_t *values, size_t count);

/* A text beside the model. */
void maker_prop(maker *m, const char *key, const char *value);

/* The file as bytes, malloc'ed. */
void *maker_pack(maker *m, size_t *size);

/* A classifier of 3 x 8 x 8 pictures: conv, relu, pool, flatten, gemm with 5 classes. */
maker *maker_classifier(void);

#endif
