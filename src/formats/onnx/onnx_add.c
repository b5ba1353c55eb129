/* onnx_add.c - layers added to the graph for the nodes of a file: how they are called, what becomes
 * of their outputs, and in which shape a value is read. */
#include "formats/onnx/onnx_import.h"

#include "base/text.h"
#include "graph/build.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TRIES = 1 << 14 }; /* of numbers behind a name: the nodes of the largest file */

static bool usable(const dp_onnx_importer *importer, const char *name) {
    return name && *name && dp_text_clean(name, strlen(name), false)
           && dp_graph_find(importer->graph, name) < 0;
}

/* name = `base`, with a number behind it where that is taken. */
static deeper_status free_name(dp_onnx_importer *importer, const char *base,
                               char name[DP_ONNX_NAME]) {
    if (strlen(base) >= DP_ONNX_NAME - 16)
        return dp_onnx_fail(importer, DEEPER_ERROR_LIMIT, "a name of %zu bytes", strlen(base));
    memcpy(name, base, strlen(base) + 1);
    for (int i = 2; !usable(importer, name) && i < MAX_TRIES; i++)
        snprintf(name, DP_ONNX_NAME, "%s.%d", base, i);
    return DEEPER_OK;
}

deeper_status dp_onnx_layer_name(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                 char name[DP_ONNX_NAME]) {
    return free_name(importer,
                     usable(importer, node->name) ? node->name
                     : node->n_output             ? node->output[0]
                                                  : "",
                     name);
}

deeper_status dp_onnx_part_name(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                                const char *part, char name[DP_ONNX_NAME]) {
    char whole[DP_ONNX_NAME], base[DP_ONNX_NAME + 32];
    DP_TRY(dp_onnx_layer_name(importer, node, whole));
    snprintf(base, sizeof base, "%s.%s", whole, part);
    return free_name(importer, base, name);
}

deeper_status dp_onnx_add_parameter(dp_onnx_importer *importer, const char *layer,
                                    const char *suffix, dp_shape shape, dp_onnx_parameter values,
                                    int *node) {
    dp_onnx_network *network = importer->network;
    void *parameters = network->parameters;
    bool room = dp_reserve(importer->file->allocator, &parameters, &network->capacity,
                           (size_t)importer->graph->parameters + 1, sizeof *network->parameters);
    network->parameters = parameters;
    if (!room)
        return dp_fail_memory(importer->error, "the parameters of a network");
    int number = importer->graph->parameters;
    *node = dp_add_parameter(importer->graph, layer, suffix, shape);
    DP_TRY(dp_onnx_check_graph(importer));
    network->parameters[number] = values;
    return values.values ? DEEPER_OK /* the model has to hold the others, too */
                         : dp_onnx_charge(importer, dp_shape_floats(shape));
}

deeper_status dp_onnx_set(dp_onnx_importer *importer, const Onnx__NodeProto *node, int layer,
                          int rank, const int64_t *dims) {
    dp_onnx_value *value = dp_onnx_output(importer, node, 0);
    if (!value)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it has no output");
    value->kind = DP_ONNX_ACTIVATION;
    value->node = layer;
    value->rank = rank;
    value->last = false;
    for (int i = 0; i < rank; i++)
        value->dims[i] = dims[i];
    return DEEPER_OK;
}

deeper_status dp_onnx_set_like(dp_onnx_importer *importer, const Onnx__NodeProto *node, int layer,
                               const dp_onnx_value *like) {
    DP_TRY(dp_onnx_set(importer, node, layer, like->rank, like->dims));
    dp_onnx_output(importer, node, 0)->last = like->last;
    return DEEPER_OK;
}

deeper_status dp_onnx_alias(dp_onnx_importer *importer, const Onnx__NodeProto *node, size_t index,
                            const dp_onnx_value *from) {
    dp_onnx_value *value = dp_onnx_output(importer, node, index);
    if (!value)
        return dp_onnx_fail(importer, DEEPER_ERROR_FORMAT, "it has no output");
    const dp_onnx_value kept = *value;
    *value = *from;
    value->name = kept.name;
    value->uses = kept.uses;
    value->reader = kept.reader;
    return DEEPER_OK;
}

deeper_status dp_onnx_add_named(dp_onnx_importer *importer, const char *name, dp_op op,
                                const int *inputs, int count, const dp_attributes *attributes,
                                int *layer) {
    *layer = dp_graph_add(importer->graph, op, name, inputs, count, attributes);
    return dp_onnx_check_graph(importer);
}

deeper_status dp_onnx_add_part(dp_onnx_importer *importer, const Onnx__NodeProto *node,
                               const char *part, dp_op op, const int *inputs, int count,
                               const dp_attributes *attributes, int *layer) {
    char name[DP_ONNX_NAME];
    DP_TRY(dp_onnx_part_name(importer, node, part, name));
    return dp_onnx_add_named(importer, name, op, inputs, count, attributes, layer);
}

deeper_status dp_onnx_add_scaled(dp_onnx_importer *importer, const char *name, int x,
                                 dp_onnx_parameter factor, dp_onnx_parameter term, int *layer) {
    int inputs[3] = { x };
    dp_shape shape = { importer->graph->nodes[x].shape.c, 1, 1, 1 };
    DP_TRY(dp_onnx_add_parameter(importer, name, "weight", shape, factor, &inputs[1]));
    DP_TRY(dp_onnx_add_parameter(importer, name, "bias", shape, term, &inputs[2]));
    return dp_onnx_add_named(importer, name, DP_OP_AFFINE, inputs, 3, NULL, layer);
}

deeper_status dp_onnx_add(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                          const int *inputs, int count, const dp_attributes *attributes, int rank) {
    char name[DP_ONNX_NAME];
    int layer;
    DP_TRY(dp_onnx_layer_name(importer, node, name));
    DP_TRY(dp_onnx_add_named(importer, name, op, inputs, count, attributes, &layer));
    dp_shape shape = importer->graph->nodes[layer].shape;
    int64_t dims[4] = { importer->network->batch, shape.c, rank == 3 ? shape.w : shape.h, shape.w };
    return dp_onnx_set(importer, node, layer, rank, dims);
}

deeper_status dp_onnx_add_like(dp_onnx_importer *importer, const Onnx__NodeProto *node, dp_op op,
                               const int *inputs, int count, const dp_attributes *attributes,
                               const dp_onnx_value *like) {
    DP_TRY(dp_onnx_add(importer, node, op, inputs, count, attributes, 4));
    return dp_onnx_set_like(importer, node, dp_onnx_output(importer, node, 0)->node, like);
}

dp_shape dp_onnx_layer_shape(const dp_onnx_value *value) {
    dp_shape shape = { 0, (int)value->dims[1], 1, 1 };
    if (value->rank == 4)
        shape.h = (int)value->dims[2];
    if (value->rank >= 3)
        shape.w = (int)value->dims[value->rank - 1];
    return shape;
}

/* Its values as they would lie if its layer were N x H x W x C, too. */
static deeper_status turn_around(dp_onnx_importer *importer, dp_onnx_value *value) {
    char name[DP_ONNX_NAME], base[DP_ONNX_NAME];
    dp_shape shape = importer->graph->nodes[value->node].shape;
    value->last = false;
    if (shape.h == 1 && shape.w == 1)
        return DEEPER_OK;
    snprintf(base, sizeof base, "%.200s.flat", value->name);
    DP_TRY(free_name(importer, base, name));
    int flat = dp_add_flatten(importer->graph, name, value->node);
    DP_TRY(dp_onnx_check_graph(importer));
    DP_TRY(free_name(importer, value->name, name));
    return dp_onnx_add_named(importer, name, DP_OP_SHUFFLE, &flat, 1,
                             &(dp_attributes){ .groups = shape.c }, &value->node);
}

deeper_status dp_onnx_settle_channels(dp_onnx_importer *importer, dp_onnx_value *value,
                                      int *layer) {
    *layer = value->node;
    return value->last ? DEEPER_OK : dp_onnx_settle(importer, value, layer);
}

deeper_status dp_onnx_settle(dp_onnx_importer *importer, dp_onnx_value *value, int *layer) {
    if (value->rank < 2 || value->rank > 4)
        return dp_onnx_fail(importer, DEEPER_ERROR_UNSUPPORTED,
                            "%.100s has %d dimensions; N x C x H x W and N x C are read",
                            value->name, value->rank);
    char name[DP_ONNX_NAME], base[DP_ONNX_NAME];
    if (value->last)
        DP_TRY(turn_around(importer, value));
    dp_shape wanted = dp_onnx_layer_shape(value),
             settled = importer->graph->nodes[value->node].shape;
    for (int step = 0; step < 2 && !dp_shape_equal(wanted, settled); step++) {
        bool flat = settled.h == 1 && settled.w == 1;
        snprintf(base, sizeof base, "%.200s.%s", value->name, flat ? "shape" : "flat");
        DP_TRY(free_name(importer, base, name));
        value->node = flat ? dp_graph_add(importer->graph, DP_OP_UNFLATTEN, name, &value->node, 1,
                                          &(dp_attributes){ .shape = wanted })
                           : dp_add_flatten(importer->graph, name, value->node);
        DP_TRY(dp_onnx_check_graph(importer));
        settled = importer->graph->nodes[value->node].shape;
    }
    *layer = value->node;
    return DEEPER_OK;
}
