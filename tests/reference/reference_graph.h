/* reference_graph.h - a whole graph by the reference operators, node by node in double precision:
 * the oracle of plans. */
#ifndef DP_REFERENCE_GRAPH_H
#define DP_REFERENCE_GRAPH_H

#include "graph/graph.h"

/* The value of every node of inference for `images` images: result[node], malloc'ed, NULL for
 * parameters and for what only training adds. Batch norms of a training graph use the statistics of
 * these images. values: as dp_plan_create takes them; input: of the first INPUT node. Ends the test
 * program if memory is out. */
double **dp_reference_graph(const dp_graph *graph, const float *const *values, const float *input,
                            int images);
void dp_reference_graph_free(const dp_graph *graph, double **result);

#endif
