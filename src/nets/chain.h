/* chain.h - networks of one layer after the other, as a table of their layers: what LeNet-5,
 * AlexNet, NIN and VGG are. Internal to nets/. */
#ifndef DP_NETS_CHAIN_H
#define DP_NETS_CHAIN_H

#include "graph/graph.h"

/* A row: one layer, its name in the published weights, and the ReLU that follows it (NULL: none).
 *   CONV            channels, window, stride, pad, groups (0: 1); a batch norm follows where the
 *                   chain has them
 *   FC              channels
 *   MAX_POOL, AVERAGE_POOL   window, stride; rounded up, as Caffe pools
 *   ADAPTIVE_POOL   averages to window x window where the picture is larger, and is left out where
 *                   it is not: what makes a linear layer of one shape from larger pictures
 *   GLOBAL_AVERAGE
 *   LRN             5 channels, alpha 1e-4, beta 0.75, k 1; left out where the chain has none
 *   DROPOUT         of the chain's rate
 * channels 0: the classes; such a layer never has a batch norm, whose place would be the
 * classifier's. */
typedef struct dp_link {
    dp_op op;
    const char *name, *relu;
    int channels, window, stride, pad, groups;
} dp_link;

/* AlexNet's classifier, which VGG took over: two layers of 4096, then the classes. */
#define DP_CLASSIFIER_4096                                                                         \
    { DP_OP_FC, "fc6", "relu6", 4096, 0, 0, 0, 0 },                                                \
        { DP_OP_DROPOUT, "drop6", NULL, 0, 0, 0, 0, 0 },                                           \
        { DP_OP_FC, "fc7", "relu7", 4096, 0, 0, 0, 0 },                                            \
        { DP_OP_DROPOUT, "drop7", NULL, 0, 0, 0, 0, 0 }, {                                         \
        DP_OP_FC, "fc8", NULL, 0, 0, 0, 0, 0                                                       \
    }

typedef struct dp_chain {
    int classes;
    bool batch_norm, lrn;
    float dropout;
} dp_chain;

/* Adds the rows to x, one after the other; the number of the last node, -1 after a failure, which
 * stays in the graph. */
int dp_chain_add(dp_graph *graph, int x, const dp_link *links, size_t count, const dp_chain *chain);

/* A convolution, its batch norm NAME/bn if there is to be one (then without a bias), its ReLU if
 * `relu` is not NULL. */
int dp_chain_conv(dp_graph *graph, const char *name, const char *relu, int x, int channels,
                  dp_window window, bool batch_norm);

/* "inception_3a/3x3_reduce" from "inception_3a", "/" and "3x3_reduce". One that does not fit
 * becomes empty, which the graph refuses. */
typedef struct dp_layer_name {
    char text[64];
} dp_layer_name;
dp_layer_name dp_layer_join(const char *part, const char *separator, const char *rest);

#endif
