/* onnx_maker.c - see the header. Texts that are passed in are borrowed, but for the names of
 * nodes. */
#include "helpers/onnx_maker.h"

#include "formats/onnx/onnx_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *pointer) {
    if (pointer)
        return pointer;
    fprintf(stderr, "onnx_maker: out of memory\n");
    exit(2);
}

static void add_end(maker *m, int i, const char *name, const int64_t *sides, size_t rank) {
    onnx__value_info_proto__init(&m->ends[i]);
    onnx__type_proto__init(&m->types[i]);
    onnx__type_proto__tensor__init(&m->tensor_types[i]);
    onnx__tensor_shape_proto__init(&m->shapes[i]);
    for (size_t d = 0; d < rank; d++) {
        onnx__tensor_shape_proto__dimension__init(&m->sides[i][d]);
        m->sides[i][d].has_dim_value = sides[d] != 0;
        m->sides[i][d].dim_value = sides[d];
        m->side_list[i][d] = &m->sides[i][d];
    }
    m->shapes[i].dim = m->side_list[i];
    m->shapes[i].n_dim = rank;
    m->tensor_types[i].has_elem_type = 1;
    m->tensor_types[i].elem_type = DP_ONNX_FLOAT;
    m->tensor_types[i].shape = &m->shapes[i];
    m->types[i].tensor_type = &m->tensor_types[i];
    m->ends[i].name = (char *)name;
    m->ends[i].type = &m->types[i];
    m->end_list[i] = &m->ends[i];
}

maker *maker_create(int opset, const int64_t *sides, size_t rank) {
    maker *m = must(calloc(1, sizeof *m));
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    onnx__operator_set_id_proto__init(&m->set);
    m->set.has_version = 1;
    m->set.version = opset;
    m->sets[0] = &m->set;
    m->model.has_ir_version = 1;
    m->model.ir_version = 8;
    m->model.graph = &m->graph;
    m->model.opset_import = m->sets;
    m->model.n_opset_import = 1;
    m->graph.node = m->node_list;
    m->graph.initializer = m->tensor_list;
    add_end(m, 0, "x", sides, rank);
    add_end(m, 1, "y", NULL, 0);
    m->graph.input = &m->end_list[0];
    m->graph.output = &m->end_list[1];
    m->graph.n_input = m->graph.n_output = 1;
    m->model.metadata_props = m->prop_list;
    return m;
}

void maker_free(maker *m) {
    for (size_t i = 0; i < m->graph.n_initializer; i++)
        free(m->values[i]);
    free(m);
}

/* Cuts a list between commas into names; returns how many. */
static size_t cut(char *text, char **names) {
    size_t count = 0;
    for (char *next = text; next && count < MAKER_NAMES;) {
        names[count++] = next;
        next = strchr(next, ',');
        if (next)
            *next++ = '\0';
    }
    return count;
}

Onnx__NodeProto *maker_node(maker *m, const char *type, const char *inputs, const char *outputs) {
    size_t i = m->graph.n_node++;
    Onnx__NodeProto *node = m->node_list[i] = &m->nodes[i];
    onnx__node_proto__init(node);
    snprintf(m->texts[i][0], sizeof m->texts[i][0], "%s", inputs);
    snprintf(m->texts[i][1], sizeof m->texts[i][1], "%s", outputs);
    node->op_type = (char *)type;
    node->input = m->names[i][0];
    node->output = m->names[i][1];
    node->n_input = *inputs ? cut(m->texts[i][0], node->input) : 0;
    node->n_output = cut(m->texts[i][1], node->output);
    node->attribute = m->attribute_list[i];
    return node;
}

static Onnx__AttributeProto *add_attribute(maker *m, Onnx__NodeProto *node, const char *name) {
    size_t i = (size_t)(node - m->nodes), j = node->n_attribute++;
    Onnx__AttributeProto *attribute = m->attribute_list[i][j] = &m->attributes[i][j];
    onnx__attribute_proto__init(attribute);
    attribute->name = (char *)name;
    return attribute;
}

void maker_int(maker *m, Onnx__NodeProto *node, const char *name, int64_t value) {
    Onnx__AttributeProto *attribute = add_attribute(m, node, name);
    attribute->has_i = 1;
    attribute->i = value;
}

void maker_float(maker *m, Onnx__NodeProto *node, const char *name, float value) {
    Onnx__AttributeProto *attribute = add_attribute(m, node, name);
    attribute->has_f = 1;
    attribute->f = value;
}

void maker_text(maker *m, Onnx__NodeProto *node, const char *name, const char *value) {
    Onnx__AttributeProto *attribute = add_attribute(m, node, name);
    attribute->has_s = 1;
    attribute->s.data = (uint8_t *)value;
    attribute->s.len = strlen(value);
}

void maker_ints(maker *m, Onnx__NodeProto *node, const char *name, const int64_t *values,
                size_t count) {
    size_t i = (size_t)(node - m->nodes), j = node->n_attribute;
    Onnx__AttributeProto *attribute = add_attribute(m, node, name);
    memcpy(m->ints[i][j], values, count * sizeof *values);
    attribute->ints = m->ints[i][j];
    attribute->n_ints = count;
}

static Onnx__TensorProto *add_tensor(maker *m, const char *name, const int64_t *dims, size_t rank,
                                     int type) {
    size_t i = m->graph.n_initializer++;
    Onnx__TensorProto *tensor = m->tensor_list[i] = &m->tensors[i];
    onnx__tensor_proto__init(tensor);
    tensor->name = (char *)name;
    tensor->has_data_type = 1;
    tensor->data_type = type;
    if (rank)
        memcpy(m->dims[i], dims, rank * sizeof *dims);
    tensor->dims = m->dims[i];
    tensor->n_dims = rank;
    return tensor;
}

Onnx__TensorProto *maker_floats(maker *m, const char *name, const int64_t *dims, size_t rank) {
    size_t count = 1;
    Onnx__TensorProto *tensor = add_tensor(m, name, dims, rank, DP_ONNX_FLOAT);
    for (size_t d = 0; d < rank; d++)
        count *= (size_t)dims[d];
    float *values = m->values[m->graph.n_initializer - 1] =
        must(malloc((count + 1) * sizeof *values));
    for (size_t i = 0; i < count; i++)
        values[i] = ((float)(i % 7) - 3) / 4;
    tensor->float_data = values;
    tensor->n_float_data = count;
    return tensor;
}

Onnx__TensorProto *maker_list(maker *m, const char *name, int64_t *values, size_t count) {
    Onnx__TensorProto *tensor = add_tensor(m, name, &(int64_t){ (int64_t)count }, 1, DP_ONNX_INT64);
    tensor->int64_data = values;
    tensor->n_int64_data = count;
    return tensor;
}

void maker_prop(maker *m, const char *key, const char *value) {
    size_t i = m->model.n_metadata_props++;
    onnx__string_string_entry_proto__init(&m->props[i]);
    m->props[i].key = (char *)key;
    m->props[i].value = (char *)value;
    m->prop_list[i] = &m->props[i];
}

void *maker_pack(maker *m, size_t *size) {
    *size = onnx__model_proto__get_packed_size(&m->model);
    void *bytes = must(malloc(*size + 1));
    onnx__model_proto__pack(&m->model, bytes);
    return bytes;
}

maker *maker_classifier(void) {
    maker *m = maker_create(13, (int64_t[]){ 0, 3, 8, 8 }, 4);
    maker_floats(m, "w", (int64_t[]){ 4, 3, 3, 3 }, 4);
    maker_floats(m, "b", (int64_t[]){ 4 }, 1);
    maker_floats(m, "w2", (int64_t[]){ 5, 64 }, 2);
    maker_floats(m, "b2", (int64_t[]){ 5 }, 1);
    Onnx__NodeProto *node = maker_node(m, "Conv", "x,w,b", "c");
    maker_ints(m, node, "pads", (int64_t[]){ 1, 1, 1, 1 }, 4);
    maker_node(m, "Relu", "c", "r");
    node = maker_node(m, "MaxPool", "r", "p");
    maker_ints(m, node, "kernel_shape", (int64_t[]){ 2, 2 }, 2);
    maker_ints(m, node, "strides", (int64_t[]){ 2, 2 }, 2);
    maker_int(m, maker_node(m, "Flatten", "p", "f"), "axis", 1);
    maker_int(m, maker_node(m, "Gemm", "f,w2,b2", "y"), "transB", 1);
    return m;
}
