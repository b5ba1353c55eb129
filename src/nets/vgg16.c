/* vgg16.c - the 16-layer network of Simonyan and Zisserman (2014), configuration D, layer names as
 * in Caffe's VGG_ILSVRC_16_layers: 138,357,544 parameters at 224 pixels and above.
 *
 * Options, each kept in the model file:
 *   norm     none (paper) | bn: batch norm after every convolution
 *   dropout  rate of both */
#include "graph/build.h"
#include "nets/chain.h"
#include "nets/net.h"

enum { OPTION_NORM, OPTION_DROPOUT };
enum { NORM_NONE, NORM_BN };

#define CONV(name, channels)                                                                       \
    { DP_OP_CONV, "conv" name, "relu" name, channels, 3, 1, 1, 1 }
#define POOL(name)                                                                                 \
    { DP_OP_MAX_POOL, "pool" name, NULL, 0, 2, 2, 0, 0 }

static const dp_link links[] = {
    CONV("1_1", 64),
    CONV("1_2", 64),
    POOL("1"),
    CONV("2_1", 128),
    CONV("2_2", 128),
    POOL("2"),
    CONV("3_1", 256),
    CONV("3_2", 256),
    CONV("3_3", 256),
    POOL("3"),
    CONV("4_1", 512),
    CONV("4_2", 512),
    CONV("4_3", 512),
    POOL("4"),
    CONV("5_1", 512),
    CONV("5_2", 512),
    CONV("5_3", 512),
    POOL("5"),
    { DP_OP_ADAPTIVE_POOL, "pool5/7x7", NULL, 0, 7, 0, 0, 0 },
    DP_CLASSIFIER_4096,
};

static void build(dp_graph *graph, const dp_net_values *values, dp_net_size size) {
    const dp_chain chain = { .classes = size.classes,
                             .batch_norm = values->choice[OPTION_NORM] == NORM_BN,
                             .dropout = values->number[OPTION_DROPOUT] };
    int x = dp_add_input(graph, "data", 3, size.image_size, size.image_size);
    x = dp_chain_add(graph, x, links, sizeof links / sizeof *links, &chain);
    dp_add_softmax(graph, "prob", x);
}

const dp_net dp_net_vgg16 = {
    .name = "vgg16",
    .description = "VGG-16 (2014, configuration D)",
    .remedy = "larger ones do",
    .options = { [OPTION_NORM] = { "norm", "none|bn", 0, 0, 0 },
                 [OPTION_DROPOUT] = { "dropout", NULL, 0.0F, 0.95F, 0.5F } },
    .build = build,
};
