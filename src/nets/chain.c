/* chain.c - see chain.h. */
#include "nets/chain.h"

#include "graph/build.h"

#include <stdio.h>

static const float BATCH_NORM_EPSILON = 1e-3F;

dp_layer_name dp_layer_join(const char *part, const char *separator, const char *rest) {
    dp_layer_name name;
    if (snprintf(name.text, sizeof name.text, "%s%s%s", part, separator, rest)
        >= (int)sizeof name.text)
        name.text[0] = '\0';
    return name;
}

int dp_chain_conv(dp_graph *graph, const char *name, const char *relu, int x, int channels,
                  dp_window window, bool batch_norm) {
    x = dp_add_conv(graph, name, x, channels, window, !batch_norm);
    if (batch_norm)
        x = dp_add_batch_norm(graph, dp_layer_join(name, "/", "bn").text, x, BATCH_NORM_EPSILON);
    return relu ? dp_add_relu(graph, relu, x) : x;
}

/* Averages to side x side, or leaves x as it is. */
static int shrink(dp_graph *graph, const char *name, int x, int side) {
    if (x < 0 || graph->nodes[x].shape.h <= side)
        return x;
    return dp_add_adaptive_pool(graph, name, x, side, side);
}

static int add_link(dp_graph *graph, int x, const dp_link *link, const dp_chain *chain) {
    int channels = link->channels ? link->channels : chain->classes;
    dp_window window = dp_window_square(link->window, link->stride, link->pad);
    switch (link->op) {
    case DP_OP_CONV:
        window.groups = link->groups ? link->groups : 1;
        return dp_chain_conv(graph, link->name, link->relu, x, channels, window,
                             chain->batch_norm && link->channels);
    case DP_OP_FC:
        x = dp_add_fc(graph, link->name, x, channels);
        return link->relu ? dp_add_relu(graph, link->relu, x) : x;
    case DP_OP_MAX_POOL:
        window.ceil = true;
        return dp_add_max_pool(graph, link->name, x, window);
    case DP_OP_AVERAGE_POOL:
        window.ceil = true;
        return dp_add_average_pool(graph, link->name, x, window);
    case DP_OP_ADAPTIVE_POOL:
        return shrink(graph, link->name, x, link->window);
    case DP_OP_GLOBAL_AVERAGE:
        return dp_add_global_average(graph, link->name, x);
    case DP_OP_LRN:
        return chain->lrn
                   ? dp_add_lrn(graph, link->name, x,
                                (dp_lrn){ .size = 5, .alpha = 1e-4F, .beta = 0.75F, .k = 1.0F })
                   : x;
    case DP_OP_DROPOUT:
        return dp_add_dropout(graph, link->name, x, chain->dropout);
    default:
        return dp_graph_fail(graph, DEEPER_ERROR_ARGUMENT, "%s: %s is no layer of a chain",
                             link->name, dp_op_name(link->op));
    }
}

int dp_chain_add(dp_graph *graph, int x, const dp_link *links, size_t count,
                 const dp_chain *chain) {
    for (size_t i = 0; i < count; i++)
        x = add_link(graph, x, &links[i], chain);
    return x;
}
