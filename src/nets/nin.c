/* nin.c - Network in Network (Lin, Chen, Yan 2013): convolutions with two 1x1 convolutions behind
 * each, and an average in place of linear layers. Both forms are those of its authors' Caffe
 * models, layer names and the ReLU before the last average included.
 *
 * Options, each kept in the model file:
 *   form     imagenet: nin_imagenet, 7,595,176 parameters | cifar: the CIFAR-10 model, 966,986
 *            parameters, for pictures of 28 to 64 pixels
 *   norm     none (as published) | bn: batch norm after every convolution but the classes'
 *   dropout  rate of each */
#include "graph/build.h"
#include "nets/chain.h"
#include "nets/net.h"

enum { OPTION_FORM, OPTION_NORM, OPTION_DROPOUT };
enum { NORM_NONE, NORM_BN };

#define CONV(name, relu, channels, window, stride, pad)                                            \
    { DP_OP_CONV, name, relu, channels, window, stride, pad, 1 }
#define POOL(op, name)                                                                             \
    { op, name, NULL, 0, 3, 2, 0, 0 }
#define DROP(name)                                                                                 \
    { DP_OP_DROPOUT, name, NULL, 0, 0, 0, 0, 0 }
#define AVERAGE(name)                                                                              \
    { DP_OP_GLOBAL_AVERAGE, name, NULL, 0, 0, 0, 0, 0 }

static const dp_link imagenet[] = {
    CONV("conv1", "relu0", 96, 11, 4, 0),
    CONV("cccp1", "relu1", 96, 1, 1, 0),
    CONV("cccp2", "relu2", 96, 1, 1, 0),
    POOL(DP_OP_MAX_POOL, "pool0"),
    CONV("conv2", "relu3", 256, 5, 1, 2),
    CONV("cccp3", "relu5", 256, 1, 1, 0),
    CONV("cccp4", "relu6", 256, 1, 1, 0),
    POOL(DP_OP_MAX_POOL, "pool2"),
    CONV("conv3", "relu7", 384, 3, 1, 1),
    CONV("cccp5", "relu8", 384, 1, 1, 0),
    CONV("cccp6", "relu9", 384, 1, 1, 0),
    POOL(DP_OP_MAX_POOL, "pool3"),
    DROP("drop"),
    CONV("conv4-1024", "relu10", 1024, 3, 1, 1),
    CONV("cccp7-1024", "relu11", 1024, 1, 1, 0),
    CONV("cccp8-1024", "relu12", 0, 1, 1, 0),
    AVERAGE("pool4"),
};

static const dp_link cifar[] = {
    CONV("conv1", "relu1", 192, 5, 1, 2),
    CONV("cccp1", "relu_cccp1", 160, 1, 1, 0),
    CONV("cccp2", "relu_cccp2", 96, 1, 1, 0),
    POOL(DP_OP_MAX_POOL, "pool1"),
    DROP("drop3"),
    CONV("conv2", "relu2", 192, 5, 1, 2),
    CONV("cccp3", "relu_cccp3", 192, 1, 1, 0),
    CONV("cccp4", "relu_cccp4", 192, 1, 1, 0),
    POOL(DP_OP_AVERAGE_POOL, "pool2"),
    DROP("drop6"),
    CONV("conv3", "relu3", 192, 3, 1, 1),
    CONV("cccp5", "relu_cccp5", 192, 1, 1, 0),
    CONV("cccp6", "relu_cccp6", 0, 1, 1, 0),
    AVERAGE("pool3"),
};

#define LINKS(table)                                                                               \
    { table, sizeof table / sizeof *(table) }
static const struct {
    const dp_link *links;
    size_t count;
} forms[] = { LINKS(imagenet), LINKS(cifar) };

static void build(dp_graph *graph, const dp_net_values *values, dp_net_size size) {
    const dp_chain chain = { .classes = size.classes,
                             .batch_norm = values->choice[OPTION_NORM] == NORM_BN,
                             .dropout = values->number[OPTION_DROPOUT] };
    int form = values->choice[OPTION_FORM];
    int x = dp_add_input(graph, "data", 3, size.image_size, size.image_size);
    x = dp_chain_add(graph, x, forms[form].links, forms[form].count, &chain);
    dp_add_softmax(graph, "prob", x);
}

const dp_net dp_net_nin = {
    .name = "nin",
    .description = "Network in Network (2013)",
    .remedy = "larger ones and form=cifar do",
    .options = { [OPTION_FORM] = { "form", "imagenet|cifar", 0, 0, 0 },
                 [OPTION_NORM] = { "norm", "none|bn", 0, 0, 0 },
                 [OPTION_DROPOUT] = { "dropout", NULL, 0.0F, 0.95F, 0.5F } },
    .build = build,
};
