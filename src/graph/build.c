/* build.c - one function a layer; see build.h. Shapes of parameters follow from the input and the
 * layer's attributes. */
#include "graph/build.h"

#include <stdio.h>

dp_window dp_window_square(int side, int stride, int pad) {
    return (dp_window){ .height = side,
                        .width = side,
                        .stride_y = stride,
                        .stride_x = stride,
                        .pads = { pad, pad, pad, pad },
                        .groups = 1 };
}

/* The shape of node x; after a failure any shape will do, since nothing is added any more. */
static dp_shape shape_of(const dp_graph *graph, int x) {
    return x >= 0 && x < graph->count ? graph->nodes[x].shape : (dp_shape){ 0, 1, 1, 1 };
}

int dp_add_input(dp_graph *graph, const char *name, int channels, int height, int width) {
    return dp_graph_add(graph, DP_OP_INPUT, name, NULL, 0,
                        &(dp_attributes){ .shape = { 0, channels, height, width } });
}

int dp_add_parameter(dp_graph *graph, const char *layer, const char *suffix, dp_shape shape) {
    char name[320];
    snprintf(name, sizeof name, "%s.%s", layer, suffix);
    return dp_graph_add(graph, DP_OP_PARAMETER, name, NULL, 0, &(dp_attributes){ .shape = shape });
}

/* A layer that multiplies x by `weight` and adds a bias: convolution or fully connected. */
static int add_product(dp_graph *graph, dp_op op, const char *name, int x, dp_shape weight,
                       bool bias, const dp_attributes *attributes) {
    int inputs[3] = { x, dp_add_parameter(graph, name, "weight", weight) };
    if (bias)
        inputs[2] = dp_add_parameter(graph, name, "bias", (dp_shape){ weight.n, 1, 1, 1 });
    return dp_graph_add(graph, op, name, inputs, bias ? 3 : 2, attributes);
}

int dp_add_conv(dp_graph *graph, const char *name, int x, int channels, dp_window window,
                bool bias) {
    int groups = window.groups > 0 ? window.groups : 1;
    dp_shape weight = { channels, shape_of(graph, x).c / groups, window.height, window.width };
    return add_product(graph, DP_OP_CONV, name, x, weight, bias,
                       &(dp_attributes){ .window = window });
}

int dp_add_fc(dp_graph *graph, const char *name, int x, int outputs) {
    dp_shape in = shape_of(graph, x);
    return add_product(graph, DP_OP_FC, name, x, (dp_shape){ outputs, in.c, in.h, in.w }, true,
                       NULL);
}

int dp_add_max_pool(dp_graph *graph, const char *name, int x, dp_window window) {
    return dp_graph_add(graph, DP_OP_MAX_POOL, name, &x, 1, &(dp_attributes){ .window = window });
}

int dp_add_average_pool(dp_graph *graph, const char *name, int x, dp_window window) {
    return dp_graph_add(graph, DP_OP_AVERAGE_POOL, name, &x, 1,
                        &(dp_attributes){ .window = window });
}

int dp_add_global_average(dp_graph *graph, const char *name, int x) {
    return dp_graph_add(graph, DP_OP_GLOBAL_AVERAGE, name, &x, 1, NULL);
}

int dp_add_adaptive_pool(dp_graph *graph, const char *name, int x, int height, int width) {
    return dp_graph_add(graph, DP_OP_ADAPTIVE_POOL, name, &x, 1,
                        &(dp_attributes){ .size = { height, width } });
}

int dp_add_lrn(dp_graph *graph, const char *name, int x, dp_lrn lrn) {
    return dp_graph_add(graph, DP_OP_LRN, name, &x, 1, &(dp_attributes){ .lrn = lrn });
}

int dp_add_relu(dp_graph *graph, const char *name, int x) {
    return dp_graph_add(graph, DP_OP_RELU, name, &x, 1, NULL);
}

int dp_add_batch_norm(dp_graph *graph, const char *name, int x, float epsilon) {
    static const char *const suffixes[] = { "weight", "bias", "running_mean", "running_var" };
    int inputs[5] = { x };
    for (int i = 0; i < 4; i++)
        inputs[i + 1] =
            dp_add_parameter(graph, name, suffixes[i], (dp_shape){ shape_of(graph, x).c, 1, 1, 1 });
    return dp_graph_add(graph, DP_OP_BATCH_NORM, name, inputs, 5,
                        &(dp_attributes){ .epsilon = epsilon });
}

int dp_add_concat(dp_graph *graph, const char *name, const int *inputs, int count) {
    return dp_graph_add(graph, DP_OP_CONCAT, name, inputs, count, NULL);
}

int dp_add_flatten(dp_graph *graph, const char *name, int x) {
    return dp_graph_add(graph, DP_OP_FLATTEN, name, &x, 1, NULL);
}

int dp_add_dropout(dp_graph *graph, const char *name, int x, float rate) {
    return dp_graph_add(graph, DP_OP_DROPOUT, name, &x, 1,
                        &(dp_attributes){ .dropout = { rate, graph->count } });
}

int dp_add_softmax(dp_graph *graph, const char *name, int x) {
    return dp_graph_add(graph, DP_OP_SOFTMAX, name, &x, 1, NULL);
}
