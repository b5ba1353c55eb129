/* graph.c - nodes: added, named, found, marked, printed. Shapes and costs are in operators.c. */
#include "graph/graph.h"

#include "base/checksum.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NODES = 1 << 16, MAX_NAME = 256 };

size_t dp_shape_floats(dp_shape shape) {
    size_t floats = shape.n ? (size_t)shape.n : 1;
    const int rest[] = { shape.c, shape.h, shape.w };
    for (int i = 0; i < 3; i++)
        if (!dp_size_mul(floats, (size_t)rest[i], &floats))
            return SIZE_MAX;
    return floats;
}

bool dp_shape_equal(dp_shape a, dp_shape b) {
    return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

deeper_status dp_graph_create(dp_graph **graph, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_graph *created = dp_alloc(allocator, 1, sizeof *created);
    if (!created)
        return dp_fail_memory(error, "a graph");
    created->allocator = allocator;
    *graph = created;
    return DEEPER_OK;
}

void dp_graph_free(dp_graph *graph) {
    if (!graph)
        return;
    for (int i = 0; i < graph->count; i++) {
        dp_free(graph->allocator, graph->nodes[i].name);
        dp_free(graph->allocator, graph->nodes[i].inputs);
    }
    dp_free(graph->allocator, graph->nodes);
    dp_free(graph->allocator, graph);
}

deeper_status dp_graph_status(const dp_graph *graph, deeper_error *error) {
    if (graph->failure.status != DEEPER_OK && error)
        *error = graph->failure;
    return graph->failure.status;
}

int dp_graph_fail(dp_graph *graph, deeper_status status, const char *format, ...) {
    if (graph->failure.status != DEEPER_OK)
        return -1;
    char message[DEEPER_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    dp_fail(&graph->failure, status, "%s", message);
    return -1;
}

static uint64_t hash_name(const char *name) {
    return dp_hash(DP_HASH_START, name, strlen(name));
}

/* One after another: graphs are built once, and those of this field have hundreds of nodes. */
int dp_graph_find(const dp_graph *graph, const char *name) {
    uint64_t hash = hash_name(name);
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].hash == hash && strcmp(graph->nodes[i].name, name) == 0)
            return i;
    return -1;
}

static deeper_status infer_shape(const dp_graph *graph, dp_op op, const int *inputs, int count,
                                 const dp_attributes *attributes, dp_shape *shape,
                                 deeper_error *error) {
    dp_shape *shapes = dp_alloc(graph->allocator, (size_t)count, sizeof *shapes);
    if (!shapes)
        return dp_fail_memory(error, "the shapes of a node's inputs");
    deeper_status status = DEEPER_OK;
    for (int i = 0; i < count && status == DEEPER_OK; i++) {
        if (inputs[i] < 0 || inputs[i] >= graph->count)
            status = dp_fail(error, DEEPER_ERROR_ARGUMENT, "input %d does not exist", i);
        else
            shapes[i] = graph->nodes[inputs[i]].shape;
    }
    if (status == DEEPER_OK)
        status = dp_op_infer(op, shapes, count, attributes, shape, error);
    dp_free(graph->allocator, shapes);
    return status;
}

/* Whether a name can be given; if not, the failure is in the graph. */
static bool name_is_free(dp_graph *graph, const char *name) {
    if (!name[0] || strlen(name) > MAX_NAME)
        dp_graph_fail(graph, DEEPER_ERROR_ARGUMENT, "a layer's name must have 1 to %d bytes",
                      MAX_NAME);
    else if (dp_graph_find(graph, name) >= 0)
        dp_graph_fail(graph, DEEPER_ERROR_ARGUMENT, "%s: two layers of that name", name);
    return graph->failure.status == DEEPER_OK;
}

void dp_graph_rename(dp_graph *graph, int node, const char *name) {
    if (graph->failure.status != DEEPER_OK || !name_is_free(graph, name))
        return;
    char *copy = dp_strdup(graph->allocator, name);
    if (!copy) {
        dp_graph_fail(graph, DEEPER_ERROR_MEMORY, "out of memory: layer %s", name);
        return;
    }
    dp_free(graph->allocator, graph->nodes[node].name);
    graph->nodes[node].name = copy;
    graph->nodes[node].hash = hash_name(name);
}

int dp_graph_add(dp_graph *graph, dp_op op, const char *name, const int *inputs, int input_count,
                 const dp_attributes *attributes) {
    if (graph->failure.status != DEEPER_OK || !name_is_free(graph, name))
        return -1;
    if (graph->count == MAX_NODES)
        return dp_graph_fail(graph, DEEPER_ERROR_LIMIT, "%s: more than %d nodes", name, MAX_NODES);
    dp_shape shape;
    deeper_error why = { 0 };
    if (infer_shape(graph, op, inputs, input_count, attributes, &shape, &why) != DEEPER_OK)
        return dp_graph_fail(graph, why.status, "%s: %s", name, why.message);

    dp_node node = {
        .op = op, .head = graph->head, .input_count = input_count, .shape = shape, .parameter = -1
    };
    if (attributes)
        node.attributes = *attributes;
    node.name = dp_strdup(graph->allocator, name);
    node.hash = hash_name(name);
    node.inputs = dp_alloc(graph->allocator, (size_t)input_count, sizeof(int));
    void *nodes = graph->nodes;
    bool room = dp_reserve(graph->allocator, &nodes, &graph->capacity, (size_t)graph->count + 1,
                           sizeof *graph->nodes);
    graph->nodes = nodes;
    if (!node.name || !node.inputs || !room) {
        dp_free(graph->allocator, node.name);
        dp_free(graph->allocator, node.inputs);
        return dp_graph_fail(graph, DEEPER_ERROR_MEMORY, "out of memory: layer %s", name);
    }
    if (input_count)
        memcpy(node.inputs, inputs, (size_t)input_count * sizeof(int));
    if (op == DP_OP_PARAMETER)
        node.parameter = graph->parameters++;
    graph->nodes[graph->count] = node;
    return graph->count++;
}

void dp_graph_needed(const dp_graph *graph, const int *outputs, int output_count, bool *needed) {
    memset(needed, 0, (size_t)graph->count * sizeof *needed);
    for (int i = 0; i < output_count; i++)
        needed[outputs[i]] = true;
    for (int i = graph->count - 1; i >= 0; i--)
        for (int j = 0; needed[i] && j < graph->nodes[i].input_count; j++)
            needed[graph->nodes[i].inputs[j]] = true;
}
