/* build.h - the sentences that networks and importers are written in: a layer with its parameters
 * in one call. Each returns the number of the layer's node, -1 after a failure (see dp_graph_add).
 * Parameters are named after their layer: NAME.weight, NAME.bias; for batch norm NAME.weight,
 * NAME.bias, NAME.running_mean, NAME.running_var. */
#ifndef DP_GRAPH_BUILD_H
#define DP_GRAPH_BUILD_H

#include "graph/graph.h"

/* A square window with one stride and one padding on all sides; adapt the fields for anything
 * else. */
dp_window dp_window_square(int side, int stride, int pad);

int dp_add_input(dp_graph *graph, const char *name, int channels, int height, int width);
int dp_add_parameter(dp_graph *graph, const char *layer, const char *suffix, dp_shape shape);
int dp_add_conv(dp_graph *graph, const char *name, int x, int channels, dp_window window,
                bool bias);
int dp_add_fc(dp_graph *graph, const char *name, int x, int outputs);
int dp_add_max_pool(dp_graph *graph, const char *name, int x, dp_window window);
int dp_add_average_pool(dp_graph *graph, const char *name, int x, dp_window window);
int dp_add_global_average(dp_graph *graph, const char *name, int x);
int dp_add_adaptive_pool(dp_graph *graph, const char *name, int x, int height, int width);
int dp_add_lrn(dp_graph *graph, const char *name, int x, dp_lrn lrn);
int dp_add_relu(dp_graph *graph, const char *name, int x);
int dp_add_batch_norm(dp_graph *graph, const char *name, int x, float epsilon);
int dp_add_concat(dp_graph *graph, const char *name, const int *inputs, int count);
int dp_add_flatten(dp_graph *graph, const char *name, int x);
int dp_add_dropout(dp_graph *graph, const char *name, int x, float rate);
int dp_add_softmax(dp_graph *graph, const char *name, int x);

#endif
