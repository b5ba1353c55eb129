/* match.h - whether two graphs compute the same, node for node: how an imported network is known to
 * be one of ours. */
#ifndef DP_GRAPH_MATCH_H
#define DP_GRAPH_MATCH_H

#include "graph/graph.h"

/* Where to begin and to end: node `input` of a graph stands for the picture. */
typedef struct dp_graph_span {
    const dp_graph *graph;
    int input, output;
} dp_graph_span;

/* Whether the outputs depend on the inputs by the same operators with the same attributes, shapes
 * and order of inputs; names, the order of nodes, and what changes nothing at inference (dropout,
 * flattening one pixel) do not matter. pairs (one a node of a): the node of b that each node of a
 * is, -1 where the output does not depend on it. *same is the answer. Errors: MEMORY. */
deeper_status dp_graph_match(const dp_graph_span *a, const dp_graph_span *b, int *pairs, bool *same,
                             deeper_error *error);

#endif
