/* onnx_write.c - nodes and tensors to bytes. protobuf-c packs all but the weights; those go from
 * where they are to the file, each behind a head of a few bytes, for a model of half a gigabyte
 * shall not take another half to be written. */
#include "formats/onnx/onnx_write.h"
#include "base/files.h"
#include "formats/formats.h"

#include "formats/onnx/onnx.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- collecting */

void dp_onnx_made_free(dp_onnx_made *built) {
    dp_free(built->memory.allocator, built->nodes);
    dp_free(built->memory.allocator, built->initializers);
    dp_onnx_free(&built->memory);
}

static void *take(dp_onnx_made *built, size_t count, size_t size) {
    void *memory = built->failed ? NULL : dp_onnx_keep(&built->memory, count, size);
    built->failed |= memory == NULL;
    return memory;
}

void *dp_onnx_make_copy(dp_onnx_made *built, const void *bytes, size_t size) {
    void *copy = take(built, size, 1);
    if (copy && size)
        memcpy(copy, bytes, size);
    return copy;
}

const char *dp_onnx_make_text(dp_onnx_made *built, const char *left, const char *right) {
    size_t size = strlen(left) + strlen(right) + 1;
    char *text = take(built, size, 1);
    if (text)
        snprintf(text, size, "%s%s", left, right);
    return text ? text : "";
}

Onnx__NodeProto *dp_onnx_make_node(dp_onnx_made *built, const char *type, const char *output,
                                   const char *const *inputs, int count) {
    enum { ATTRIBUTES = 8 };
    Onnx__NodeProto *node = take(built, 1, sizeof *node);
    char **texts = take(built, (size_t)count + 1, sizeof *texts);
    Onnx__AttributeProto **attributes = take(built, ATTRIBUTES, sizeof *attributes);
    void *nodes = built->nodes;
    built->failed |= !dp_reserve(built->memory.allocator, &nodes, &built->node_capacity,
                                 built->node_count + 1, sizeof *built->nodes);
    built->nodes = nodes;
    if (built->failed)
        return NULL;
    onnx__node_proto__init(node);
    for (int i = 0; i < count; i++)
        texts[i] = (char *)(inputs[i] ? inputs[i] : "");
    texts[count] = (char *)output;
    node->name = (char *)output;
    node->op_type = (char *)type;
    node->input = texts;
    node->n_input = (size_t)count;
    node->output = texts + count;
    node->n_output = 1;
    node->attribute = attributes;
    built->nodes[built->node_count++] = node;
    return node;
}

static Onnx__AttributeProto *add_attribute(dp_onnx_made *built, Onnx__NodeProto *node,
                                           const char *name, int type) {
    Onnx__AttributeProto *attribute = node ? take(built, 1, sizeof *attribute) : NULL;
    if (!attribute)
        return NULL;
    onnx__attribute_proto__init(attribute);
    attribute->name = (char *)name;
    attribute->has_type = 1;
    attribute->type = type;
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

void dp_onnx_make_int(dp_onnx_made *built, Onnx__NodeProto *node, const char *name, int64_t value) {
    Onnx__AttributeProto *attribute = add_attribute(built, node, name, DP_ONNX_ATTRIBUTE_INT);
    if (!attribute)
        return;
    attribute->has_i = 1;
    attribute->i = value;
}

void dp_onnx_make_float(dp_onnx_made *built, Onnx__NodeProto *node, const char *name, float value) {
    Onnx__AttributeProto *attribute = add_attribute(built, node, name, DP_ONNX_ATTRIBUTE_FLOAT);
    if (!attribute)
        return;
    attribute->has_f = 1;
    attribute->f = value;
}

void dp_onnx_make_word(dp_onnx_made *built, Onnx__NodeProto *node, const char *name,
                       const char *value) {
    Onnx__AttributeProto *attribute = add_attribute(built, node, name, DP_ONNX_ATTRIBUTE_STRING);
    if (!attribute)
        return;
    attribute->has_s = 1;
    attribute->s.data = (uint8_t *)(uintptr_t)value;
    attribute->s.len = strlen(value);
}

void dp_onnx_make_ints(dp_onnx_made *built, Onnx__NodeProto *node, const char *name,
                       const int *values, int count) {
    Onnx__AttributeProto *attribute = add_attribute(built, node, name, DP_ONNX_ATTRIBUTE_INTS);
    int64_t *wide = take(built, (size_t)count, sizeof *wide);
    if (!attribute || !wide)
        return;
    for (int i = 0; i < count; i++)
        wide[i] = values[i];
    attribute->ints = wide;
    attribute->n_ints = (size_t)count;
}

void dp_onnx_make_tensor(dp_onnx_made *built, const char *name, int type, const int64_t *dims,
                         int rank, const void *data, size_t bytes) {
    void *list = built->initializers;
    built->failed |= !dp_reserve(built->memory.allocator, &list, &built->initializer_capacity,
                                 built->initializer_count + 1, sizeof *built->initializers);
    built->initializers = list;
    if (built->failed)
        return;
    dp_onnx_initializer *initializer = &built->initializers[built->initializer_count++];
    onnx__tensor_proto__init(&initializer->proto);
    initializer->proto.name = (char *)name;
    initializer->proto.has_data_type = 1;
    initializer->proto.data_type = type;
    initializer->proto.n_dims = (size_t)rank;
    if (rank)
        memcpy(initializer->dims, dims, (size_t)rank * sizeof *dims);
    initializer->data = data;
    initializer->bytes = bytes;
}

Onnx__ValueInfoProto *dp_onnx_make_value(dp_onnx_made *built, const char *name, const int *sides,
                                         int rank) {
    Onnx__ValueInfoProto *value = take(built, 1, sizeof *value);
    Onnx__TypeProto *type = take(built, 1, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = take(built, 1, sizeof *tensor);
    Onnx__TensorShapeProto *shape = take(built, 1, sizeof *shape);
    Onnx__TensorShapeProto__Dimension *dims = take(built, (size_t)rank + 1, sizeof *dims),
                                      **list = take(built, (size_t)rank + 1, sizeof *list);
    if (built->failed)
        return NULL;
    onnx__value_info_proto__init(value);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    for (int i = 0; i <= rank; i++) {
        onnx__tensor_shape_proto__dimension__init(&dims[i]);
        dims[i].has_dim_value = i > 0;
        dims[i].dim_value = i > 0 ? sides[i - 1] : 0;
        list[i] = &dims[i];
    }
    dims[0].dim_param = (char *)"N";
    shape->dim = list;
    shape->n_dim = (size_t)rank + 1;
    tensor->has_elem_type = 1;
    tensor->elem_type = DP_ONNX_FLOAT;
    tensor->shape = shape;
    type->tensor_type = tensor;
    value->name = (char *)name;
    value->type = type;
    return value;
}

/* -------------------------------------------------------------------------------------- writing */

/* Field numbers of what is written by hand. */
enum { FIELD_MODEL_GRAPH = 7, FIELD_GRAPH_INITIALIZER = 5, FIELD_TENSOR_RAW = 9, HEAD = 16 };

/* Tag of a field of bytes and their number; returns its own bytes. */
static size_t put_head(unsigned char head[HEAD], int field, uint64_t bytes) {
    size_t size = 0;
    head[size++] = (unsigned char)(field << 3 | 2);
    for (; bytes >= 0x80; bytes >>= 7)
        head[size++] = (unsigned char)(bytes | 0x80);
    head[size++] = (unsigned char)bytes;
    return size;
}

/* A tensor with its values, without the head before it. */
static size_t tensor_size(const dp_onnx_initializer *initializer) {
    unsigned char head[HEAD];
    return onnx__tensor_proto__get_packed_size(&initializer->proto)
           + put_head(head, FIELD_TENSOR_RAW, initializer->bytes) + initializer->bytes;
}

static size_t initializers_size(const dp_onnx_made *built) {
    unsigned char head[HEAD];
    size_t size = 0;
    for (size_t i = 0; i < built->initializer_count; i++) {
        size_t one = tensor_size(&built->initializers[i]);
        size += put_head(head, FIELD_GRAPH_INITIALIZER, one) + one;
    }
    return size;
}

/* Packs a message and writes it, with `head` of `head_size` bytes before it. */
static bool put_message(dp_onnx_made *built, dp_writer *writer, const ProtobufCMessage *message,
                        const unsigned char *head, size_t head_size) {
    size_t size = protobuf_c_message_get_packed_size(message);
    unsigned char *bytes = dp_alloc_raw(built->memory.allocator, size + 1, 1);
    if (!bytes)
        return false;
    protobuf_c_message_pack(message, bytes);
    dp_writer_put(writer, head, head_size);
    dp_writer_put(writer, bytes, size);
    dp_free(built->memory.allocator, bytes);
    return true;
}

static bool put_initializers(dp_onnx_made *built, dp_writer *writer) {
    unsigned char head[HEAD];
    for (size_t i = 0; i < built->initializer_count; i++) {
        const dp_onnx_initializer *initializer = &built->initializers[i];
        size_t size = put_head(head, FIELD_GRAPH_INITIALIZER, tensor_size(initializer));
        if (!put_message(built, writer, &initializer->proto.base, head, size))
            return false;
        size = put_head(head, FIELD_TENSOR_RAW, initializer->bytes);
        dp_writer_put(writer, head, size);
        dp_writer_put(writer, initializer->data, initializer->bytes);
    }
    return true;
}

static deeper_status put_file(dp_onnx_made *built, const Onnx__ModelProto *model,
                              const Onnx__GraphProto *graph, const char *path,
                              deeper_error *error) {
    unsigned char head[HEAD];
    size_t graph_size = onnx__graph_proto__get_packed_size(graph) + initializers_size(built);
    if (graph_size > INT_MAX - (16 << 20))
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: not written: an ONNX file holds at most 2 GB", path);
    dp_writer *writer;
    DP_TRY(dp_writer_open(&writer, path, built->memory.allocator, error));
    size_t head_size = put_head(head, FIELD_MODEL_GRAPH, graph_size);
    bool whole = put_message(built, writer, &model->base, NULL, 0)
                 && put_message(built, writer, &graph->base, head, head_size)
                 && put_initializers(built, writer);
    if (whole)
        return dp_writer_commit(writer, error);
    dp_writer_discard(writer);
    return dp_fail_memory(error, "an ONNX file");
}

/* ---------------------------------------------------------------------------------------- model */

/* The description as metadata_props; extra: one text more, key NULL none. */
static void add_texts(dp_onnx_made *built, Onnx__ModelProto *model,
                      const dp_description *description, dp_text extra) {
    Onnx__StringStringEntryProto *entries = take(built, DP_DESCRIPTION_TEXTS + 1, sizeof *entries),
                                 **list = take(built, DP_DESCRIPTION_TEXTS + 1, sizeof *list);
    if (built->failed)
        return;
    for (size_t i = 0; i <= description->count; i++) {
        dp_text text = i < description->count ? description->texts[i] : extra;
        if (!text.key)
            continue;
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = (char *)text.key;
        entries[i].value = (char *)text.text;
        list[model->n_metadata_props++] = &entries[i];
    }
    model->metadata_props = list;
}

/* The name of the preprocessing layer, which no layer of the network has. */
static const char *preprocess_name(dp_onnx_made *built, const dp_graph *graph) {
    const char *name = DP_ONNX_PREPROCESS_LAYER;
    while (dp_graph_find(graph, name) >= 0)
        name = dp_onnx_make_text(built, name, "_");
    return name;
}

static deeper_status write_model(dp_onnx_made *built, const dp_model *model,
                                 dp_description *description, const char *path,
                                 bool with_preprocessing, deeper_error *error) {
    const char *preprocess = with_preprocessing ? preprocess_name(built, model->graph) : NULL;
    DP_TRY(dp_onnx_lay_out(built, model, preprocess, error));
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets[] = { &set };
    Onnx__ModelProto proto = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    set.domain = (char *)"";
    set.has_version = 1;
    set.version = DP_ONNX_WRITTEN;
    proto.has_ir_version = 1;
    proto.ir_version = DP_ONNX_WRITTEN_IR;
    proto.producer_name = (char *)"deeper";
    proto.producer_version = (char *)DP_VERSION;
    proto.opset_import = sets;
    proto.n_opset_import = 1;
    DP_TRY(dp_description_drop_heads(description, error));
    add_texts(built, &proto, description,
              (dp_text){ preprocess ? DP_ONNX_PREPROCESS_TEXT : NULL, preprocess });
    if (built->failed)
        return dp_fail_memory(error, "an ONNX file");
    graph.name = model->architecture;
    graph.node = built->nodes;
    graph.n_node = built->node_count;
    graph.input = &built->input;
    graph.output = &built->output;
    graph.n_input = graph.n_output = 1;
    for (size_t i = 0; i < built->initializer_count; i++) /* now that the list stays where it is */
        built->initializers[i].proto.dims = built->initializers[i].dims;
    return put_file(built, &proto, &graph, path, error);
}

deeper_status dp_onnx_write(const dp_model *model, const char *path, const dp_save_options *options,
                            deeper_error *error) {
    dp_onnx_made built = { .memory.allocator = model->allocator };
    dp_description description;
    DP_TRY(dp_description_make(&description, model, error));
    deeper_error why = { 0 };
    deeper_status status =
        write_model(&built, model, &description, path, options->with_preprocessing, &why);
    if (status == DEEPER_ERROR_UNSUPPORTED)
        dp_fail(error, status, "%s: not written: %s", path, why.message);
    else if (status != DEEPER_OK && error)
        *error = why;
    dp_description_free(&description);
    dp_onnx_made_free(&built);
    if (options->heads_left_out)
        *options->heads_left_out = dp_model_has_heads(model);
    return status;
}
