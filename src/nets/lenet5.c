/* lenet5.c - LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998), layers named as in the paper's figure
 * 2. Grey pictures of 32x32; those of 28x28, as MNIST has them, get the margin of 2 that the paper
 * puts them in.
 *
 * The paper counts 60,000 parameters to train: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6
 * 10,164; its output layer compares F6 with 10 fixed pictures of letters. Here the output is linear
 * with a softmax, 850 parameters, and every squashing is a ReLU.
 *
 * Option, kept in the model file:
 *   form  dense: every map of C3 reads every map of S2, and S2 and S4 only average: 60,000 + 900 -
 *         44 + 850 = 61,706 parameters, the form in which the network is mostly built today |
 *         published: C3 reads as table I of the paper has it, S2 and S4 have a factor and a bias a
 *         map: 60,000 + 850 */
#include "graph/build.h"
#include "nets/chain.h"
#include "nets/net.h"

#include <stdio.h>

enum { OPTION_FORM };
enum { FORM_DENSE, FORM_PUBLISHED };
enum { C1_MAPS = 6, C3_MAPS = 16, MNIST_SIDE = 28, MNIST_MARGIN = 2 };

static const dp_link dense[] = {
    { DP_OP_AVERAGE_POOL, "S2", NULL, 0, 2, 2, 0, 0 },
    { DP_OP_CONV, "C3", "C3/relu", C3_MAPS, 5, 1, 0, 1 },
    { DP_OP_AVERAGE_POOL, "S4", NULL, 0, 2, 2, 0, 0 },
};

/* C5 is a convolution of 5x5 on maps of 5x5, so a linear layer; it stays one on pictures of other
 * sizes. */
static const dp_link head[] = {
    { DP_OP_FC, "C5", "C5/relu", 120, 0, 0, 0, 0 },
    { DP_OP_FC, "F6", "F6/relu", 84, 0, 0, 0, 0 },
    { DP_OP_FC, "output", NULL, 0, 0, 0, 0, 0 },
};

/* Table I: the maps of S2 that each map of C3 reads. */
static const char *const c3_reads[C3_MAPS] = { "012",  "123",  "234",  "345",   "045",  "015",
                                               "0123", "1234", "2345", "0345",  "0145", "0125",
                                               "0134", "1245", "0235", "012345" };

/* "C3/7". */
static dp_layer_name map_name(const char *layer, int map) {
    dp_layer_name name;
    snprintf(name.text, sizeof name.text, "%s/%d", layer, map);
    return name;
}

static int conv_relu(dp_graph *graph, const char *name, int x, int maps, int pad) {
    return dp_chain_conv(graph, name, dp_layer_join(name, "/", "relu").text, x, maps,
                         dp_window_square(5, 1, pad), false);
}

/* The mean of 2x2, times a factor, plus a bias, a map each: the factor is a 1x1 convolution with a
 * group a map. */
static int subsample(dp_graph *graph, const char *name, int x, int maps) {
    dp_window mean = dp_window_square(2, 2, 0), factor = dp_window_square(1, 1, 0);
    mean.ceil = true;
    factor.groups = maps;
    x = dp_add_average_pool(graph, dp_layer_join(name, "/", "mean").text, x, mean);
    return dp_chain_conv(graph, name, dp_layer_join(name, "/", "relu").text, x, maps, factor,
                         false);
}

/* C1 to S4 of the paper. The maps of C1 and S2 are layers of their own, so that each of C3 can read
 * those it is to read. */
static int build_published(dp_graph *graph, int x, int pad) {
    int s2[C1_MAPS], c3[C3_MAPS], read[C1_MAPS];
    for (int i = 0; i < C1_MAPS; i++) {
        int c1 = conv_relu(graph, map_name("C1", i).text, x, 1, pad);
        s2[i] = subsample(graph, map_name("S2", i).text, c1, 1);
    }
    for (int i = 0; i < C3_MAPS; i++) {
        int count = 0;
        for (const char *map = c3_reads[i]; *map; map++)
            read[count++] = s2[*map - '0'];
        dp_layer_name name = map_name("C3", i);
        c3[i] = conv_relu(
            graph, name.text,
            dp_add_concat(graph, dp_layer_join(name.text, "/", "maps").text, read, count), 1, 0);
    }
    return subsample(graph, "S4", dp_add_concat(graph, "C3", c3, C3_MAPS), C3_MAPS);
}

static void build(dp_graph *graph, const dp_net_values *values, dp_net_size size) {
    const dp_chain chain = { .classes = size.classes };
    int pad = size.image_size == MNIST_SIDE ? MNIST_MARGIN : 0;
    int x = dp_add_input(graph, "data", 1, size.image_size, size.image_size);
    if (values->choice[OPTION_FORM] == FORM_PUBLISHED) {
        x = build_published(graph, x, pad);
    } else {
        x = conv_relu(graph, "C1", x, C1_MAPS, pad);
        x = dp_chain_add(graph, x, dense, sizeof dense / sizeof *dense, &chain);
    }
    x = dp_chain_add(graph, x, head, sizeof head / sizeof *head, &chain);
    dp_add_softmax(graph, "prob", x);
}

const dp_net dp_net_lenet5 = {
    .name = "lenet5",
    .description = "LeNet-5 (1998), grey pictures of 28 or 32 pixels",
    .remedy = "28 and 32 pixels are what it is made for",
    .options = { [OPTION_FORM] = { "form", "dense|published", 0, 0, 0 } },
    .build = build,
};
