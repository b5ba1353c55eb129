/* googlenet.c - the paper's network (Table 1, Fig. 3, section 5), layer names as in BVLC's Caffe
 * model. docs/GOOGLENET.md is the specification in words; what the paper leaves open (LRN
 * constants, pooling round mode) follows BVLC, whose weights use it.
 *
 * Options, each kept in the model file:
 *   norm     lrn (paper) | bn: batch norm after every convolution, which then has no bias | none
 *   stem     full: 7x7/2 convolution | separable: the factored 7x7 whose counts Table 1 prints |
 *            small: 3x3/1 and no first pool, for pictures of 28 to 64 pixels
 *   module   reduced: Fig. 2b, 1x1 reductions | naive: Fig. 2a, none, the pool joined as it is
 *   aux      0 | 1: with the auxiliary heads on 4a and 4d, where the depth has these
 *   branch5  5x5 | 3x3: the window of the third branch (3x3 is what TensorFlow's and torchvision's
 *            versions have)
 *   width    factor on every channel count but the classifier's, results rounded to multiples of 8
 *   classifier  average: of each channel, then a linear layer (paper) | fc: a fully connected layer
 *               of 1024 in place of the average
 *   dropout  rate before the last linear layer, 0.4 in the paper
 *   depth    layers with parameters: 22 (paper) | 16: without 4b, 4c and 4d | 10: 3b, 4e and 5b
 *            alone
 *   pool4    3x3 | 2x2: the window of the pool before 5a (2x2 is torchvision's)
 *   aux_pool 5x5: the auxiliary heads' 5x5/3 average (paper) | adaptive: averages to 4x4 whatever
 *            the side (torchvision's) */
#include "base/arithmetic.h"
#include "graph/build.h"
#include "nets/chain.h"
#include "nets/net.h"

#include <math.h>
#include <string.h>

enum { NORM_LRN, NORM_BN, NORM_NONE };
enum { STEM_FULL, STEM_SEPARABLE, STEM_SMALL };
enum { MODULE_REDUCED, MODULE_NAIVE };
enum { CLASSIFIER_AVERAGE, CLASSIFIER_FC };
enum {
    OPTION_NORM,
    OPTION_STEM,
    OPTION_MODULE,
    OPTION_AUX,
    OPTION_BRANCH5,
    OPTION_WIDTH,
    OPTION_CLASSIFIER,
    OPTION_DROPOUT,
    OPTION_DEPTH,
    OPTION_POOL4,
    OPTION_AUX_POOL
};
enum { POOL4_3X3, POOL4_2X2 };
enum { AUX_POOL_5X5, AUX_POOL_ADAPTIVE };
enum { DEPTH_22, DEPTH_16, DEPTH_10 }; /* a row is there up to its own */

/* A row of Table 1. */
typedef struct inception_row {
    const char *name;
    int c1, reduce3, c3, reduce5, c5,
        pool;               /* #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj */
    const char *pool_after; /* the max pool of stride 2 that follows */
    dp_head aux;            /* the auxiliary head that hangs on it; DP_HEAD_MAIN: none */
    int depth;              /* the least depth that has it */
} inception_row;

static const inception_row inception_rows[] = {
    { "inception_3a", 64, 96, 128, 16, 32, 32, NULL, DP_HEAD_MAIN, DEPTH_16 },
    { "inception_3b", 128, 128, 192, 32, 96, 64, "pool3", DP_HEAD_MAIN, DEPTH_10 },
    { "inception_4a", 192, 96, 208, 16, 48, 64, NULL, DP_HEAD_AUX1, DEPTH_16 },
    { "inception_4b", 160, 112, 224, 24, 64, 64, NULL, DP_HEAD_MAIN, DEPTH_22 },
    { "inception_4c", 128, 128, 256, 24, 64, 64, NULL, DP_HEAD_MAIN, DEPTH_22 },
    { "inception_4d", 112, 144, 288, 32, 64, 64, NULL, DP_HEAD_AUX2, DEPTH_22 },
    { "inception_4e", 256, 160, 320, 32, 128, 128, "pool4", DP_HEAD_MAIN, DEPTH_10 },
    { "inception_5a", 256, 160, 320, 32, 128, 128, NULL, DP_HEAD_MAIN, DEPTH_16 },
    { "inception_5b", 384, 192, 384, 48, 128, 128, NULL, DP_HEAD_MAIN, DEPTH_10 },
};

/* The auxiliary heads begin with a 5x5/3 pool (section 5), made for this side of 4a and 4d; below
 * it, on small pictures, they average adaptively to AUX_POOLED squared, or to the side if that is
 * less. */
enum { AUX_SIDE = 14, AUX_POOLED = 4 };

typedef struct builder {
    dp_graph *graph;
    const dp_net_values *values;
    dp_net_size size;
} builder;

static int scaled(const builder *b, int channels) {
    float width = b->values->number[OPTION_WIDTH];
    if (width == 1.0F)
        return channels;
    int rounded = 8 * (int)lroundf((float)channels * width / 8.0F);
    return dp_max(rounded, 8);
}

/* Convolution, batch norm if asked for, ReLU: the paper's "all the convolutions use rectified
 * linear activation". */
static int conv_relu(const builder *b, const char *part, const char *layer, int x, int channels,
                     dp_window window) {
    dp_layer_name name = dp_layer_join(part, "/", layer),
                  relu = dp_layer_join(part, "/relu_", layer);
    char *stride = strstr(relu.text, "_s");
    if (stride) /* Caffe leaves it out: conv1/relu_7x7 after conv1/7x7_s2 */
        *stride = '\0';
    return dp_chain_conv(b->graph, name.text, relu.text, x, channels, window,
                         b->values->choice[OPTION_NORM] == NORM_BN);
}

static int lrn(const builder *b, const char *name, int x) {
    if (b->values->choice[OPTION_NORM] != NORM_LRN)
        return x;
    return dp_add_lrn(b->graph, name, x,
                      (dp_lrn){ .size = 5, .alpha = 1e-4F, .beta = 0.75F, .k = 1.0F });
}

/* "pool3/3x3_s2": without padding, rounded up: on the even sides of GoogLeNet the same as
 * TensorFlow's SAME. */
static int max_pool_half(const builder *b, const char *part, int side, int x) {
    dp_window window = dp_window_square(side, 2, 0);
    window.ceil = true;
    return dp_add_max_pool(b->graph, dp_layer_join(part, "/", side == 2 ? "2x2_s2" : "3x3_s2").text,
                           x, window);
}

static int stem(const builder *b, int x) {
    int kind = b->values->choice[OPTION_STEM];
    if (kind == STEM_SMALL) {
        x = conv_relu(b, "conv1", "3x3_s1", x, scaled(b, 64), dp_window_square(3, 1, 1));
    } else {
        if (kind == STEM_SEPARABLE) {
            dp_window depthwise = dp_window_square(7, 2, 3);
            depthwise.groups = 3;
            x = dp_add_conv(b->graph, "conv1/7x7_s2_depthwise", x, 3 * 8, depthwise, false);
            x = conv_relu(b, "conv1", "7x7_s2_pointwise", x, scaled(b, 64),
                          dp_window_square(1, 1, 0));
        } else {
            x = conv_relu(b, "conv1", "7x7_s2", x, scaled(b, 64), dp_window_square(7, 2, 3));
        }
        x = max_pool_half(b, "pool1", 3, x);
    }
    x = lrn(b, "pool1/norm1", x);
    x = conv_relu(b, "conv2", "3x3_reduce", x, scaled(b, 64), dp_window_square(1, 1, 0));
    x = conv_relu(b, "conv2", "3x3", x, scaled(b, 192), dp_window_square(3, 1, 1));
    x = lrn(b, "conv2/norm2", x);
    return max_pool_half(b, "pool2", 3, x);
}

static int inception(const builder *b, const inception_row *row, int x) {
    bool naive = b->values->choice[OPTION_MODULE] == MODULE_NAIVE;
    const char *layer5 = b->values->choice[OPTION_BRANCH5] ? "3x3_b" : "5x5";
    dp_window point = dp_window_square(1, 1, 0), window3 = dp_window_square(3, 1, 1);
    dp_window window5 = b->values->choice[OPTION_BRANCH5] ? window3 : dp_window_square(5, 1, 2);

    int c1 = conv_relu(b, row->name, "1x1", x, scaled(b, row->c1), point);
    int x3 = naive ? x : conv_relu(b, row->name, "3x3_reduce", x, scaled(b, row->reduce3), point);
    int c3 = conv_relu(b, row->name, "3x3", x3, scaled(b, row->c3), window3);
    int x5 = naive ? x : conv_relu(b, row->name, "5x5_reduce", x, scaled(b, row->reduce5), point);
    int c5 = conv_relu(b, row->name, layer5, x5, scaled(b, row->c5), window5);
    int pool = dp_add_max_pool(b->graph, dp_layer_join(row->name, "/", "pool").text, x, window3);
    if (!naive)
        pool = conv_relu(b, row->name, "pool_proj", pool, scaled(b, row->pool), point);
    return dp_add_concat(b->graph, dp_layer_join(row->name, "/", "output").text,
                         (int[]){ c1, c3, c5, pool }, 4);
}

/* Section 5's auxiliary classifier: 5x5/3 average pool, 1x1 with 128, fc 1024, dropout 70 %,
 * classifier, softmax. */
static void auxiliary_head(const builder *b, dp_head head, int x) {
    dp_graph *graph = b->graph;
    const char *loss = head == DP_HEAD_AUX1 ? "loss1" : "loss2";
    dp_layer_name pool = dp_layer_join(loss, "/", "ave_pool");
    int side = x >= 0 ? graph->nodes[x].shape.h : AUX_SIDE, pooled = dp_min(side, AUX_POOLED);
    graph->head = head;
    bool adaptive = side < AUX_SIDE || b->values->choice[OPTION_AUX_POOL] == AUX_POOL_ADAPTIVE;
    x = adaptive ? dp_add_adaptive_pool(graph, pool.text, x, pooled, pooled)
                 : dp_add_average_pool(graph, pool.text, x, dp_window_square(5, 3, 0));
    x = conv_relu(b, loss, "conv", x, scaled(b, 128), dp_window_square(1, 1, 0));
    x = dp_add_fc(graph, dp_layer_join(loss, "/", "fc").text, x, scaled(b, 1024));
    x = dp_add_relu(graph, dp_layer_join(loss, "/", "relu_fc").text, x);
    x = dp_add_dropout(graph, dp_layer_join(loss, "/", "drop_fc").text, x, 0.7F);
    x = dp_add_fc(graph, dp_layer_join(loss, "/", "classifier").text, x, b->size.classes);
    dp_add_softmax(graph, dp_layer_join(loss, "/", "prob").text, x);
    graph->head = DP_HEAD_MAIN;
}

/* The main head's scores. The fully connected layer is the auxiliary heads'. */
static int classifier(const builder *b, int x) {
    dp_graph *graph = b->graph;
    float rate = b->values->number[OPTION_DROPOUT];
    if (b->values->choice[OPTION_CLASSIFIER] == CLASSIFIER_FC) {
        x = dp_add_fc(graph, "loss3/fc", x, scaled(b, 1024));
        x = dp_add_relu(graph, "loss3/relu_fc", x);
        x = dp_add_dropout(graph, "loss3/drop_fc", x, rate);
    } else {
        x = dp_add_global_average(graph, "pool5/7x7_s1", x);
        x = dp_add_dropout(graph, "pool5/drop_7x7_s1", x, rate);
    }
    return dp_add_fc(graph, "loss3/classifier", x, b->size.classes);
}

static void build(dp_graph *graph, const dp_net_values *values, dp_net_size size) {
    const builder b = { graph, values, size };
    int x = dp_add_input(graph, "data", 3, size.image_size, size.image_size);
    x = stem(&b, x);
    for (size_t i = 0; i < sizeof inception_rows / sizeof *inception_rows; i++) {
        const inception_row *row = &inception_rows[i];
        if (row->depth < values->choice[OPTION_DEPTH])
            continue;
        x = inception(&b, row, x);
        if (row->aux != DP_HEAD_MAIN && values->choice[OPTION_AUX])
            auxiliary_head(&b, row->aux, x);
        bool two = values->choice[OPTION_POOL4] == POOL4_2X2 && row->pool_after
                   && strcmp(row->pool_after, "pool4") == 0;
        if (row->pool_after)
            x = max_pool_half(&b, row->pool_after, two ? 2 : 3, x);
    }
    dp_add_softmax(graph, "prob", classifier(&b, x));
}

const dp_net dp_net_googlenet = {
    .name = "googlenet",
    .description = "GoogLeNet (2014)",
    .remedy = "larger ones and stem=small do",
    .options = { [OPTION_NORM] = { "norm", "lrn|bn|none", 0, 0, 0 },
                 [OPTION_STEM] = { "stem", "full|separable|small", 0, 0, 0 },
                 [OPTION_MODULE] = { "module", "reduced|naive", 0, 0, 0 },
                 [OPTION_AUX] = { "aux", "0|1", 0, 0, 0 },
                 [OPTION_BRANCH5] = { "branch5", "5x5|3x3", 0, 0, 0 },
                 [OPTION_WIDTH] = { "width", NULL, 0.0625F, 4.0F, 1.0F },
                 [OPTION_CLASSIFIER] = { "classifier", "average|fc", 0, 0, 0 },
                 [OPTION_DROPOUT] = { "dropout", NULL, 0.0F, 0.95F, 0.4F },
                 [OPTION_DEPTH] = { "depth", "22|16|10", 0, 0, 0 },
                 [OPTION_POOL4] = { "pool4", "3x3|2x2", 0, 0, 0 },
                 [OPTION_AUX_POOL] = { "aux_pool", "5x5|adaptive", 0, 0, 0 } },
    .build = build,
};
