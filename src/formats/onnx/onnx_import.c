/* onnx_import.c - the walk over the nodes of an ONNX graph: names, values, errors, and what the
 * operators' files ask of it. Nodes stand in an order of computation, as the format wants it; a
 * value that is read before it is made, as in a loop, is refused. Nodes whose inputs are all
 * constants are computed at once; the others become layers. */
#include "formats/onnx/onnx_import.h"

#include "base/checksum.h"
#include "base/text.h"
#include "graph/build.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NODES = 1 << 14, MAX_NAMES = 1 << 17, MAX_INPUTS = 4096 };
static const size_t MAX_INVENTED = (size_t)192
                                   << 20; /* floats: VGG-19 without its values has 137 million */

/* --------------------------------------------------------------------------------------- errors */

deeper_status dp_onnx_fail(dp_onnx_importer *importer, deeper_status status, const char *format,
                           ...) {
    char message[DEEPER_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!importer->node)
        return dp_fail(importer->error, status, "%s: %s", importer->file->name, message);
    const char *name = importer->node->name && *importer->node->name ? importer->node->name
                       : importer->node->n_output                    ? importer->node->output[0]
                                                                     : "";
    return dp_fail(importer->error, status, "%s: node %.100s (%.40s): %s", importer->file->name,
                   name, importer->node->op_type, message);
}

static deeper_status fail_memory(dp_onnx_importer *importer, const char *what) {
    return dp_fail_memory(importer->error, what);
}

deeper_status dp_onnx_check_graph(dp_onnx_importer *importer) {
    deeper_error why = { 0 };
    if (dp_graph_status(importer->graph, &why) == DEEPER_OK)
        return DEEPER_OK;
    deeper_status status =
        why.status == DEEPER_ERROR_ARGUMENT || why.status == DEEPER_ERROR_MISMATCH
            ? DEEPER_ERROR_FORMAT
            : why.status;
    return dp_onnx_fail(importer, status, "%s", why.message);
}

/* ---------------------------------------------------------------------------------------- names */

/* The slot of a name: its value's, or the empty one where it belongs. */
static size_t slot_of(const dp_onnx_importer *importer, const char *name) {
    size_t slot = (size_t)dp_hash(DP_HASH_START, name, strlen(name)) & (importer->slot_count - 1);
    while (importer->slots[slot] >= 0
           && strcmp(importer->values[importer->slots[slot]].name, name) != 0)
        slot = (slot + 1) & (importer->slot_count - 1);
    return slot;
}

static dp_onnx_value *find(const dp_onnx_importer *importer, const char *name) {
    int at = importer->slots[slot_of(importer, name)];
    return at < 0 ? NULL : &importer->values[at];
}

/* A name that has not been seen: *value in state UNSET. There is room (see begin). */
static deeper_status add_name(dp_onnx_importer *importer, const char *name, dp_onnx_value **value) {
    size_t slot = slot_of(importer, name);
    if (importer->slots[slot] >= 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "two values are named %.100s", name);
    if (!dp_text_clean(name, strlen(name), false))
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "a name is not clean UTF-8: %.100s",
                            name);
    importer->slots[slot] = (int)importer->value_count;
    *value = &importer->values[importer->value_count++];
    (*value)->name = name;
    (*value)->reader = -1;
    return DEEPER_OK;
}

static deeper_status begin(dp_onnx_importer *importer) {
    const Onnx__GraphProto *graph = importer->file->graph;
    if (graph->n_node > MAX_NODES)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%zu nodes; %d are read", graph->n_node,
                            MAX_NODES);
    size_t names = graph->n_initializer + graph->n_input;
    for (size_t i = 0; i < graph->n_node; i++) {
        if (!graph->node[i]->op_type)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "node %zu names no operator", i);
        names += graph->node[i]->n_output;
    }
    if (names > MAX_NAMES)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%zu values; %d are read", names,
                            MAX_NAMES);
    for (importer->slot_count = 16; importer->slot_count < 2 * names;)
        importer->slot_count *= 2;
    importer->value_capacity = names;
    importer->values = dp_alloc(importer->file->allocator, names, sizeof *importer->values);
    importer->slots =
        dp_alloc_raw(importer->file->allocator, importer->slot_count, sizeof *importer->slots);
    importer->done = dp_alloc(importer->file->allocator, graph->n_node, sizeof *importer->done);
    if (!importer->values || !importer->slots || !importer->done)
        return fail_memory(importer, "the names of an ONNX graph");
    memset(importer->slots, 0xFF, importer->slot_count * sizeof *importer->slots); /* -1 */
    return DEEPER_OK;
}

/* ----------------------------------------------------------------------------------- attributes */

const Onnx__AttributeProto *dp_onnx_attribute(const Onnx__NodeProto *node, const char *name) {
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

int64_t dp_onnx_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *attribute = dp_onnx_attribute(node, name);
    return attribute && attribute->has_i ? attribute->i : otherwise;
}

float dp_onnx_float(const Onnx__NodeProto *node, const char *name, float otherwise) {
    const Onnx__AttributeProto *attribute = dp_onnx_attribute(node, name);
    return attribute && attribute->has_f ? attribute->f : otherwise;
}

bool dp_onnx_text_is(const Onnx__NodeProto *node, const char *name, const char *text) {
    const Onnx__AttributeProto *attribute = dp_onnx_attribute(node, name);
    return attribute && attribute->has_s && attribute->s.len == strlen(text)
           && memcmp(attribute->s.data, text, strlen(text)) == 0;
}

/* --------------------------------------------------------------------------------------- values */

dp_onnx_value *dp_onnx_input(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                             size_t index) {
    return index < node->n_input && *node->input[index] ? find(importer, node->input[index]) : NULL;
}

dp_onnx_value *dp_onnx_output(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              size_t index) {
    return index < node->n_output && *node->output[index] ? find(importer, node->output[index])
                                                          : NULL;
}

deeper_status dp_onnx_moved(dp_onnx_importer *importer, const Onnx__NodeProto *node, size_t index,
                            dp_onnx_value **value) {
    *value = dp_onnx_input(importer, node, index);
    if (!*value)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its input %zu is missing", index);
    if ((*value)->kind != DP_ONNX_ACTIVATION)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its input %.100s is a constant; it must depend on the picture",
                            (*value)->name);
    return DEEPER_OK;
}

deeper_status dp_onnx_activation(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 size_t index, dp_onnx_value **value) {
    DP_TRY(dp_onnx_moved(importer, node, index, value));
    if ((*value)->quantized)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its input %.100s is quantized; only DequantizeLinear reads such",
                            (*value)->name);
    if ((*value)->logarithm)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its input %.100s is the logarithm of a softmax, which only the output "
                            "may be",
                            (*value)->name);
    return DEEPER_OK;
}

deeper_status dp_onnx_constant(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               size_t index, const dp_onnx_value **value) {
    *value = dp_onnx_input(importer, node, index);
    if (!*value)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "its input %zu is missing", index);
    if ((*value)->kind != DP_ONNX_CONSTANT)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its input %.100s depends on the picture; it must be a constant",
                            (*value)->name);
    return DEEPER_OK;
}

deeper_status dp_onnx_one_output(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    for (size_t i = 1; i < node->n_output; i++) {
        const dp_onnx_value *value = dp_onnx_output(importer, node, i);
        if (value && value->uses > 0)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "its output %.100s is read; only the first output is supported",
                                value->name);
    }
    return DEEPER_OK;
}

deeper_status dp_onnx_axis(dp_onnx_importer *importer, int64_t *axis, int rank) {
    int64_t given = *axis;
    *axis += given < 0 ? rank : 0;
    if (given < -rank || given >= rank)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "an axis of %lld for %d dimensions",
                            (long long)given, rank);
    return DEEPER_OK;
}

deeper_status dp_onnx_ints_of(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                              const char *attribute, size_t index, int64_t ints[DP_ONNX_INTS],
                              int *count) {
    const Onnx__AttributeProto *named = dp_onnx_attribute(node, attribute);
    const dp_onnx_value *value = dp_onnx_input(importer, node, index);
    *count = -1;
    if (named && named->n_ints > DP_ONNX_INTS)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%s has %zu numbers", attribute,
                            named->n_ints);
    if (named) {
        *count = (int)named->n_ints;
        if (*count)
            memcpy(ints, named->ints, named->n_ints * sizeof *ints);
        return DEEPER_OK;
    }
    if (!value)
        return DEEPER_OK;
    DP_TRY(dp_onnx_constant(importer, node, index, (const dp_onnx_value **)&value));
    return dp_onnx_read_ints(importer, value, ints, count);
}

deeper_status dp_onnx_charge(dp_onnx_importer *importer, size_t count) {
    if (count > MAX_INVENTED - importer->invented)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT,
                            "values that the file does not hold would take more than %zu numbers",
                            MAX_INVENTED);
    importer->invented += count;
    return DEEPER_OK;
}

deeper_status dp_onnx_invent(dp_onnx_importer *importer, size_t count, float **floats) {
    DP_TRY(dp_onnx_charge(importer, count));
    *floats = dp_onnx_keep(importer->file, count, sizeof **floats);
    return *floats ? DEEPER_OK : fail_memory(importer, "the values of a parameter");
}

/* ------------------------------------------------------------------------------ inputs, outputs */

static deeper_status add_initializers(dp_onnx_importer *importer) {
    const Onnx__GraphProto *graph = importer->file->graph;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        dp_onnx_value *value;
        const Onnx__TensorProto *proto = graph->initializer[i];
        DP_TRY(add_name(importer, proto->name ? proto->name : "", &value));
        value->kind = DP_ONNX_CONSTANT;
        DP_TRY(dp_onnx_tensor(importer->file, proto, &value->tensor, importer->error));
    }
    return DEEPER_OK;
}

/* Sides after N, which must be known. */
static deeper_status read_input_dims(dp_onnx_importer *importer, const Onnx__ValueInfoProto *input,
                                     int64_t dims[4], int *rank) {
    const Onnx__TypeProto__Tensor *type = input->type ? input->type->tensor_type : NULL;
    dp_dtype dtype = DP_DTYPE_I8;
    if (!type || !dp_onnx_dtype(&dtype, type->elem_type) || !dp_dtype_is_weight(dtype))
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "input %.100s does not hold floating-point numbers", input->name);
    if (!type->shape || type->shape->n_dim < 2 || type->shape->n_dim > 4)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "input %.100s is not N x C x H x W",
                            input->name);
    *rank = (int)type->shape->n_dim;
    for (int i = 0; i < *rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = type->shape->dim[i];
        bool known = dim->has_dim_value && dim->dim_value >= 1 && dim->dim_value <= INT_MAX;
        dims[i] = known ? dim->dim_value : -1;
        if (!known
            && (i > 0 || (dim->has_dim_value && dim->dim_value != 0 && dim->dim_value != -1)))
            return dp_onnx_fail(
                importer, DEEPER_ERROR_UNSUPPORTED,
                "input %.100s: side %d is not fixed; export the model for pictures of one size",
                input->name, i);
    }
    return DEEPER_OK;
}

static deeper_status add_inputs(dp_onnx_importer *importer) {
    const Onnx__GraphProto *graph = importer->file->graph;
    const char *first = NULL;
    for (size_t i = 0; i < graph->n_input; i++) {
        Onnx__ValueInfoProto *input = graph->input[i];
        dp_onnx_value *value = input->name ? find(importer, input->name) : NULL;
        if (!input->name || !*input->name)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "an input without a name");
        if (value && value->kind == DP_ONNX_CONSTANT)
            continue; /* older files list their initializers among the inputs */
        if (first)
            return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                                "two inputs, %.100s and %.100s; networks have one", first,
                                input->name);
        first = input->name;
        DP_TRY(add_name(importer, input->name, &value));
        value->kind = DP_ONNX_ACTIVATION;
        DP_TRY(read_input_dims(importer, input, value->dims, &value->rank));
        importer->network->batch = (int)value->dims[0];
        value->last = value->rank == 4 && value->dims[1] > 4
                      && (value->dims[3] == 1 || value->dims[3] == 3); /* as Keras has them */
        dp_shape shape = dp_onnx_layer_shape(value);
        if (value->last)
            shape = (dp_shape){ 0, (int)value->dims[3], (int)value->dims[1], (int)value->dims[2] };
        value->node = dp_add_input(importer->graph, input->name, shape.c, shape.h, shape.w);
        DP_TRY(dp_onnx_check_graph(importer));
    }
    return first ? DEEPER_OK
                 : dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "no input; a network needs one");
}

/* Names of what nodes make, and who reads what. */
static deeper_status add_names(dp_onnx_importer *importer) {
    const Onnx__GraphProto *graph = importer->file->graph;
    dp_onnx_value *value;
    for (size_t i = 0; i < graph->n_node; i++) {
        importer->node = graph->node[i];
        if (importer->node->n_input > MAX_INPUTS)
            return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "%zu inputs; %d are read",
                                importer->node->n_input, MAX_INPUTS);
        for (size_t j = 0; j < importer->node->n_output; j++)
            if (*importer->node->output[j])
                DP_TRY(add_name(importer, importer->node->output[j], &value));
    }
    for (size_t i = 0; i < graph->n_node; i++) {
        importer->node = graph->node[i];
        for (size_t j = 0; j < importer->node->n_input; j++) {
            if (!*importer->node->input[j])
                continue;
            value = find(importer, importer->node->input[j]);
            if (!value)
                return dp_onnx_fail(
                    importer, DEEPER_ERROR_FORMAT,
                    "its input %.100s is nowhere: no initializer, no input, no node's output",
                    importer->node->input[j]);
            value->uses++;
            value->reader = (int)i;
        }
    }
    importer->node = NULL;
    for (size_t i = 0; i < graph->n_output; i++) {
        value = graph->output[i]->name ? find(importer, graph->output[i]->name) : NULL;
        if (!value)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "output %.100s is nowhere",
                                graph->output[i]->name ? graph->output[i]->name : "");
        value->uses++;
    }
    return graph->n_output ? DEEPER_OK : dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "no output");
}

/* ----------------------------------------------------------------------------------------- walk */

/* Every input must have been made; *constant: none of them depends on the picture. */
static deeper_status check_inputs(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                  bool *constant) {
    *constant = true;
    for (size_t i = 0; i < node->n_input; i++) {
        const dp_onnx_value *value = dp_onnx_input(importer, node, i);
        if (value && value->kind == DP_ONNX_UNSET)
            return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT,
                                "its input %.100s is not made by the nodes before it; a loop, or "
                                "nodes out of order",
                                value->name);
        *constant = *constant && (!value || value->kind == DP_ONNX_CONSTANT);
    }
    return DEEPER_OK;
}

/* NULL: none of that name. */
static dp_onnx_operator *find_operator(const char *name, bool constant) {
    static const dp_onnx_row *const on_constants[] = { dp_onnx_constant_operators,
                                                       dp_onnx_move_operators,
                                                       dp_onnx_arithmetic_operators },
                                    *const on_pictures[] = { dp_onnx_layer_operators,
                                                             dp_onnx_element_operators,
                                                             dp_onnx_composed_operators,
                                                             dp_onnx_shape_operators };
    for (size_t i = 0; i < (constant ? 3 : 4); i++)
        for (const dp_onnx_row *row = constant ? on_constants[i] : on_pictures[i]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row->run;
    return NULL;
}

static deeper_status import_node(dp_onnx_importer *importer, const Onnx__NodeProto *node) {
    bool constant;
    if (node->domain && *node->domain && strcmp(node->domain, "ai.onnx") != 0)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "an operator of the set %.60s; only those of ONNX itself are read",
                            node->domain);
    DP_TRY(check_inputs(importer, node, &constant));
    dp_onnx_operator *run = find_operator(node->op_type, constant);
    return run ? run(importer, node)
               : dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                              "an operator that is not supported%s",
                              constant ? " on constants" : "");
}

static deeper_status walk(dp_onnx_importer *importer) {
    const Onnx__GraphProto *graph = importer->file->graph;
    for (size_t i = 0; i < graph->n_node; i++) {
        importer->node = graph->node[i];
        if (!importer->done[i])
            DP_TRY(import_node(importer, graph->node[i]));
    }
    importer->node = NULL;
    dp_onnx_value *output = find(importer, graph->output[0]->name);
    if (output->kind != DP_ONNX_ACTIVATION)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "its output %.100s does not depend on the input", output->name);
    if (output->quantized)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED, "its output %.100s is quantized",
                            output->name);
    importer->network->logarithm = output->logarithm;
    return dp_onnx_settle(importer, output, &importer->network->output);
}

deeper_status dp_onnx_import(dp_onnx_network *network, dp_onnx_file *file, deeper_error *error) {
    *network = (dp_onnx_network){ .batch = -1 };
    dp_onnx_importer importer = { .file = file, .network = network, .error = error };
    deeper_status status = dp_graph_create(&network->graph, file->allocator, error);
    importer.graph = network->graph;
    if (status == DEEPER_OK)
        status = begin(&importer);
    if (status == DEEPER_OK)
        status = add_initializers(&importer);
    if (status == DEEPER_OK)
        status = add_inputs(&importer);
    if (status == DEEPER_OK)
        status = add_names(&importer);
    if (status == DEEPER_OK)
        status = walk(&importer);
    dp_free(file->allocator, importer.values);
    dp_free(file->allocator, importer.slots);
    dp_free(file->allocator, importer.done);
    if (status != DEEPER_OK)
        dp_onnx_network_free(network, file->allocator);
    return status;
}

void dp_onnx_network_free(dp_onnx_network *network, const deeper_allocator *allocator) {
    dp_graph_free(network->graph);
    dp_free(allocator, network->parameters);
    *network = (dp_onnx_network){ 0 };
}
