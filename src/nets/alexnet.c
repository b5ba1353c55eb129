/* alexnet.c - AlexNet (Krizhevsky, Sutskever, Hinton 2012), layer names and constants as in Caffe's
 * bvlc_alexnet, whose pictures have 227 pixels. At 224 and 227 pool5 is 6x6, so the parameters are
 * those of the published weights: 60,965,224.
 *
 * Options, each kept in the model file:
 *   form     grouped: the two halves of the paper, which meet in conv3 and the linear layers |
 *            merged: one, every convolution sees all channels | caffenet: grouped, pools before
 *            norms, as in Caffe's bvlc_reference_caffenet | single: the one-column form of "One
 *            weird trick" (Krizhevsky 2014), whose weights torchvision has: 64, 192, 384, 256, 256
 *            channels, no norm
 *   stem     full: 11x11/4 | small: 3x3/1, for pictures of 28 to 64 pixels
 *   norm     lrn (paper) | bn: batch norm after every convolution | none
 *   dropout  rate of both */
#include "graph/build.h"
#include "nets/chain.h"
#include "nets/net.h"

enum { OPTION_FORM, OPTION_STEM, OPTION_NORM, OPTION_DROPOUT };
enum { FORM_GROUPED, FORM_MERGED, FORM_CAFFENET, FORM_SINGLE };
enum { NORM_LRN, NORM_BN };

#define CONV(name, channels, window, stride, pad, groups)                                          \
    { DP_OP_CONV, "conv" name, "relu" name, channels, window, stride, pad, groups }
#define POOL(name)                                                                                 \
    { DP_OP_MAX_POOL, "pool" name, NULL, 0, 3, 2, 0, 0 }
#define NORM(name)                                                                                 \
    { DP_OP_LRN, "norm" name, NULL, 0, 0, 0, 0, 0 }

/* Convolutions: channels, window, stride, pad, groups. The first one comes from `stems`. */
static const dp_link grouped[] = {
    NORM("1"),
    POOL("1"),
    CONV("2", 256, 5, 1, 2, 2),
    NORM("2"),
    POOL("2"),
    CONV("3", 384, 3, 1, 1, 1),
    CONV("4", 384, 3, 1, 1, 2),
    CONV("5", 256, 3, 1, 1, 2),
};
static const dp_link merged[] = {
    NORM("1"),
    POOL("1"),
    CONV("2", 256, 5, 1, 2, 1),
    NORM("2"),
    POOL("2"),
    CONV("3", 384, 3, 1, 1, 1),
    CONV("4", 384, 3, 1, 1, 1),
    CONV("5", 256, 3, 1, 1, 1),
};
static const dp_link caffenet[] = {
    POOL("1"),
    NORM("1"),
    CONV("2", 256, 5, 1, 2, 2),
    POOL("2"),
    NORM("2"),
    CONV("3", 384, 3, 1, 1, 1),
    CONV("4", 384, 3, 1, 1, 2),
    CONV("5", 256, 3, 1, 1, 2),
};
static const dp_link single[] = {
    POOL("1"),
    CONV("2", 192, 5, 1, 2, 1),
    POOL("2"),
    CONV("3", 384, 3, 1, 1, 1),
    CONV("4", 256, 3, 1, 1, 1),
    CONV("5", 256, 3, 1, 1, 1),
};

#define LINKS(table) table, sizeof table / sizeof *(table)
static const struct {
    dp_link stems[2]; /* full, small */
    const dp_link *links;
    size_t count;
} forms[] = {
    [FORM_GROUPED] = { { CONV("1", 96, 11, 4, 0, 1), CONV("1", 96, 3, 1, 1, 1) }, LINKS(grouped) },
    [FORM_MERGED] = { { CONV("1", 96, 11, 4, 0, 1), CONV("1", 96, 3, 1, 1, 1) }, LINKS(merged) },
    [FORM_CAFFENET] = { { CONV("1", 96, 11, 4, 0, 1), CONV("1", 96, 3, 1, 1, 1) },
                        LINKS(caffenet) },
    [FORM_SINGLE] = { { CONV("1", 64, 11, 4, 2, 1), CONV("1", 64, 3, 1, 1, 1) }, LINKS(single) },
};

static const dp_link head[] = {
    POOL("5"),
    { DP_OP_ADAPTIVE_POOL, "pool5/6x6", NULL, 0, 6, 0, 0, 0 },
    DP_CLASSIFIER_4096,
};

static void build(dp_graph *graph, const dp_net_values *values, dp_net_size size) {
    int form = values->choice[OPTION_FORM], norm = values->choice[OPTION_NORM];
    const dp_chain chain = { size.classes, norm == NORM_BN, norm == NORM_LRN,
                             values->number[OPTION_DROPOUT] };
    int x = dp_add_input(graph, "data", 3, size.image_size, size.image_size);
    x = dp_chain_add(graph, x, &forms[form].stems[values->choice[OPTION_STEM]], 1, &chain);
    x = dp_chain_add(graph, x, forms[form].links, forms[form].count, &chain);
    x = dp_chain_add(graph, x, LINKS(head), &chain);
    dp_add_softmax(graph, "prob", x);
}

const dp_net dp_net_alexnet = {
    .name = "alexnet",
    .description = "AlexNet (2012)",
    .remedy = "larger ones and stem=small do",
    .options = { [OPTION_FORM] = { "form", "grouped|merged|caffenet|single", 0, 0, 0 },
                 [OPTION_STEM] = { "stem", "full|small", 0, 0, 0 },
                 [OPTION_NORM] = { "norm", "lrn|bn|none", 0, 0, 0 },
                 [OPTION_DROPOUT] = { "dropout", NULL, 0.0F, 0.95F, 0.5F } },
    .build = build,
};
