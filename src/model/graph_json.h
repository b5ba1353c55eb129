/* graph_json.h - a network that is none of nets/ as the JSON text that model files keep under
 * deeper.graph:
 *
 *   {"nodes": [{"op": "input", "name": "data", "shape": [3, 224, 224]},
 *              {"op": "parameter", "name": "conv1.weight", "shape": [64, 3, 7, 7]},
 *              {"op": "conv", "name": "conv1", "inputs": [0, 1], "window": [7, 7],
 *               "stride": [2, 2], "pads": [3, 3, 3, 3], "groups": 1}, ...]}
 *
 * Inputs are numbers of earlier nodes; what else a node has are its operator's attributes
 * (graph/attributes.c). pads: top, left, bottom, right. The picture is the one node "input", the
 * class probabilities the node "prob". */
#ifndef DP_MODEL_GRAPH_JSON_H
#define DP_MODEL_GRAPH_JSON_H

#include "graph/graph.h"

/* *graph = the network of the text. `name` stands for the file in messages. Errors: FORMAT, with
 * the node at fault (also for what dp_graph_add refuses), UNSUPPORTED (an operator that is none of
 * inference), LIMIT, MEMORY; *graph is then NULL. */
deeper_status dp_graph_from_json(dp_graph **graph, const char *json, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error);

/* The JSON text of a graph of inference as a malloc'ed string (free() it); NULL if memory is out.
 * Numbers come back to the same bits. */
char *dp_graph_to_json(const dp_graph *graph);

#endif
