/* training.c - copies a network node by node, changing what training computes otherwise, then lets
 * gradient.c do the rest. */
#include "graph/training.h"

#include "graph/build.h"
#include "graph/gradient.h"

#include <stdio.h>
#include <string.h>

typedef struct rewriting {
    const dp_graph *network;
    dp_graph *graph;
    dp_training_nodes *nodes;
    int *copy; /* of each node of the network, its number in the training graph */
} rewriting;

/* A batch norm with the statistics of the batch in place of its running ones, which become results.
 * A frozen one is copied as it is. */
static int copy_batch_norm(rewriting *r, const dp_node *node, const int *inputs,
                           const bool *frozen) {
    char name[320];
    if (frozen && frozen[r->network->nodes[node->inputs[1]].parameter])
        return dp_graph_add(r->graph, DP_OP_BATCH_NORM, node->name, inputs, node->input_count,
                            &node->attributes);
    snprintf(name, sizeof name, "%s.moments", node->name);
    int moments = dp_graph_add(r->graph, DP_OP_MOMENTS, name, inputs, 1, NULL);
    int b = r->nodes->batch_norms++;
    r->nodes->moments[b] = moments;
    r->nodes->running_mean[b] = r->network->nodes[node->inputs[3]].parameter;
    int training[4] = { inputs[0], inputs[1], inputs[2], moments };
    return dp_graph_add(r->graph, DP_OP_BATCH_NORM, node->name, training, 4, &node->attributes);
}

static deeper_status copy_nodes(rewriting *r, const bool *frozen, deeper_error *error) {
    for (int i = 0; i < r->network->count; i++) {
        const dp_node *node = &r->network->nodes[i];
        int *inputs = dp_alloc(r->graph->allocator, (size_t)node->input_count, sizeof *inputs);
        if (!inputs)
            return dp_fail_memory(error, "the training graph");
        for (int j = 0; j < node->input_count; j++)
            inputs[j] = r->copy[node->inputs[j]];
        r->graph->head = node->head;
        r->copy[i] = node->op == DP_OP_BATCH_NORM
                         ? copy_batch_norm(r, node, inputs, frozen)
                         : dp_graph_add(r->graph, node->op, node->name, inputs, node->input_count,
                                        &node->attributes);
        dp_free(r->graph->allocator, inputs);
    }
    r->graph->head = DP_HEAD_MAIN;
    return dp_graph_status(r->graph, error);
}

/* A loss on the scores that each head's softmax reads, and the seed that weighs it. */
static deeper_status add_losses(rewriting *r, const dp_training_options *options, dp_seed *seeds,
                                deeper_error *error) {
    dp_training_nodes *nodes = r->nodes;
    dp_graph *graph = r->graph;
    nodes->labels = dp_add_input(graph, "labels", 2, 1, 1);
    for (int i = 0; i < r->network->count && nodes->heads < DP_HEADS; i++) {
        const dp_node *node = &r->network->nodes[i];
        if (node->op != DP_OP_SOFTMAX)
            continue;
        int logits = r->copy[node->inputs[0]], h = nodes->heads++;
        char name[320];
        snprintf(name, sizeof name, "%s.loss", node->name);
        nodes->head[h] = graph->head = node->head;
        nodes->loss[h] =
            dp_graph_add(graph, DP_OP_SOFTMAX_LOSS, name, (int[]){ logits, nodes->labels }, 2,
                         &(dp_attributes){ .smoothing = options->smoothing });
        snprintf(name, sizeof name, "%s.loss weight", node->name);
        seeds[h] = (dp_seed){
            nodes->loss[h],
            dp_graph_add(
                graph, DP_OP_FILL, name, NULL, 0,
                &(dp_attributes){ .fill = { { 0, 1, 1, 1 }, options->head_weights[node->head] } })
        };
        if (node->head == DP_HEAD_MAIN)
            nodes->logits = logits;
    }
    graph->head = DP_HEAD_MAIN;
    if (nodes->logits < 0)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "a network without a softmax over classes cannot be trained as a classifier");
    return dp_graph_status(graph, error);
}

static bool is_running_statistic(const dp_training_nodes *nodes, int parameter) {
    for (int i = 0; i < nodes->batch_norms; i++)
        if (parameter == nodes->running_mean[i] || parameter == nodes->running_mean[i] + 1)
            return true;
    return false;
}

static deeper_status add_gradients(rewriting *r, const dp_training_options *options,
                                   const dp_seed *seeds, deeper_error *error) {
    dp_training_nodes *nodes = r->nodes;
    size_t parameters = (size_t)r->network->parameters;
    int *wrt = dp_alloc(r->graph->allocator, parameters, sizeof *wrt);
    int *results = dp_alloc(r->graph->allocator, parameters, sizeof *results);
    int *which = dp_alloc(r->graph->allocator, parameters, sizeof *which), count = 0;
    deeper_status status =
        wrt && results && which ? DEEPER_OK : dp_fail_memory(error, "the list of parameters");
    for (int i = 0; i < r->network->count && status == DEEPER_OK; i++) {
        int parameter = r->network->nodes[i].parameter;
        if (parameter < 0 || (options->frozen && options->frozen[parameter])
            || is_running_statistic(nodes, parameter))
            continue;
        wrt[count] = r->copy[i];
        which[count++] = parameter;
    }
    if (status == DEEPER_OK)
        status = dp_graph_gradient(r->graph, seeds, nodes->heads, wrt, count, results, error);
    for (int i = 0; i < count && status == DEEPER_OK; i++)
        nodes->gradients[which[i]] = results[i];
    dp_free(r->graph->allocator, wrt);
    dp_free(r->graph->allocator, results);
    dp_free(r->graph->allocator, which);
    return status;
}

static deeper_status rewrite(rewriting *r, const dp_training_options *options,
                             deeper_error *error) {
    dp_seed seeds[DP_HEADS];
    DP_TRY(copy_nodes(r, options->frozen, error));
    DP_TRY(add_losses(r, options, seeds, error));
    return add_gradients(r, options, seeds, error);
}

deeper_status dp_graph_training(dp_graph **training, dp_training_nodes *nodes,
                                const dp_graph *network, const dp_training_options *options,
                                deeper_error *error) {
    const deeper_allocator *allocator = network->allocator;
    size_t parameters = (size_t)network->parameters;
    rewriting r = { .network = network,
                    .nodes = nodes,
                    .copy = dp_alloc(allocator, (size_t)network->count, sizeof(int)) };
    *nodes = (dp_training_nodes){ .labels = -1, .logits = -1 };
    nodes->gradients = dp_alloc(allocator, parameters, sizeof(int));
    nodes->moments =
        dp_alloc(allocator, parameters, sizeof(int)); /* a batch norm has four parameters */
    nodes->running_mean = dp_alloc(allocator, parameters, sizeof(int));
    deeper_status status = dp_graph_create(&r.graph, allocator, error);
    if (status == DEEPER_OK
        && (!r.copy || !nodes->gradients || !nodes->moments || !nodes->running_mean))
        status = dp_fail_memory(error, "the training graph");
    for (size_t i = 0; i < parameters && status == DEEPER_OK; i++)
        nodes->gradients[i] = -1;
    if (status == DEEPER_OK)
        status = rewrite(&r, options, error);
    dp_free(allocator, r.copy);
    if (status != DEEPER_OK) {
        dp_graph_free(r.graph);
        dp_training_nodes_free(nodes, allocator);
        return status;
    }
    *training = r.graph;
    return DEEPER_OK;
}

void dp_training_nodes_free(dp_training_nodes *nodes, const deeper_allocator *allocator) {
    dp_free(allocator, nodes->gradients);
    dp_free(allocator, nodes->moments);
    dp_free(allocator, nodes->running_mean);
    *nodes = (dp_training_nodes){ .labels = -1, .logits = -1 };
}
