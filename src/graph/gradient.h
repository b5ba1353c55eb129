/* gradient.h - backward as a bigger graph: the nodes that compute derivatives, added to the graph
 * that they are derivatives of. */
#ifndef DP_GRAPH_GRADIENT_H
#define DP_GRAPH_GRADIENT_H

#include "graph/graph.h"

/* Where differentiation begins: `gradient` is a node of the shape of `node` that holds dL / d
 * node. */
typedef struct dp_seed {
    int node, gradient;
} dp_seed;

/* For each node wrt[i]: results[i] receives the node of dL / d wrt[i], -1 if no seed depends on it.
 * L is any function whose derivatives with respect to the seeds' nodes are the seeds' gradients: a
 * sum of losses, one logit. The derivative with respect to an activation is one value per image,
 * with respect to a parameter the sum over the batch. The graph must be in training form where it
 * has batch norms (dp_graph_training). Errors: an operator on the way without a rule is named
 * (UNSUPPORTED); those of dp_graph_add. */
deeper_status dp_graph_gradient(dp_graph *graph, const dp_seed *seeds, int seed_count,
                                const int *wrt, int wrt_count, int *results, deeper_error *error);

#endif
