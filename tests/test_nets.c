/* test_nets.c - GoogLeNet as the paper's Table 1 and BVLC's Caffe model have it: names, shapes,
 * counts; every option; the sizes of picture that it takes. Expected numbers come from arithmetic
 * outside the program: weights of a row from the widths of the paper, multiply-adds as weights x
 * pixels. */
#include "nets/nets.h"

#include "helpers/helpers.h"
#include "helpers/nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char DEFAULTS[] = "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=1,"
                               "classifier=average,dropout=0.4,depth=22,pool4=3x3,aux_pool=5x5";

/* Sums over the layers whose name begins with `prefix`; "" is all. */
typedef struct sums {
    uint64_t weights, biases, multiply_adds, parameters;
} sums;

static sums sum(const test_net *net, const char *prefix, bool with_heads) {
    sums total = { 0 };
    for (int i = 0; i < net->graph->count; i++) {
        const dp_node *node = &net->graph->nodes[i];
        if (strncmp(node->name, prefix, strlen(prefix)) != 0
            || (node->head != DP_HEAD_MAIN && !with_heads))
            continue;
        dp_cost cost = dp_node_cost(net->graph, i);
        total.multiply_adds += cost.multiply_adds;
        total.parameters += cost.parameters;
        if (node->op == DP_OP_CONV || node->op == DP_OP_FC) {
            total.weights += dp_shape_floats(net->graph->nodes[node->inputs[1]].shape);
            total.biases += node->input_count == 3
                                ? dp_shape_floats(net->graph->nodes[node->inputs[2]].shape)
                                : 0;
        }
    }
    return total;
}

static int count_ops(const test_net *net, dp_op op) {
    int count = 0;
    for (int i = 0; i < net->graph->count; i++)
        count += net->graph->nodes[i].op == op;
    return count;
}

/* -------------------------------------------------------------------------------------- Table 1 */

/* A row: last layer and its output, weights without biases, multiply-adds in units of 100,000 as
 * Table 1 computed exactly has them, to one decimal of a million. */
static const struct {
    const char *prefix, *last;
    int channels, side;
    uint64_t weights, biases, tenths;
} rows[] = {
    { "conv1/", "conv1/7x7_s2", 64, 112, 9408, 64, 1180 },
    { "pool1/", "pool1/3x3_s2", 64, 56, 0, 0, 0 },
    { "conv2/", "conv2/3x3", 192, 56, 114688, 256, 3597 },
    { "pool2/", "pool2/3x3_s2", 192, 28, 0, 0, 0 },
    { "inception_3a/", "inception_3a/output", 256, 28, 163328, 368, 1280 },
    { "inception_3b/", "inception_3b/output", 480, 28, 388096, 640, 3043 },
    { "pool3/", "pool3/3x3_s2", 480, 14, 0, 0, 0 },
    { "inception_4a/", "inception_4a/output", 512, 14, 375552, 624, 736 },
    { "inception_4b/", "inception_4b/output", 512, 14, 448512, 648, 879 },
    { "inception_4c/", "inception_4c/output", 512, 14, 509440, 664, 999 },
    { "inception_4d/", "inception_4d/output", 528, 14, 604672, 704, 1185 },
    { "inception_4e/", "inception_4e/output", 832, 14, 867328, 1024, 1700 },
    { "pool4/", "pool4/3x3_s2", 832, 7, 0, 0, 0 },
    { "inception_5a/", "inception_5a/output", 832, 7, 1042432, 1024, 511 },
    { "inception_5b/", "inception_5b/output", 1024, 7, 1442816, 1264, 707 },
    { "pool5/", "pool5/7x7_s1", 1024, 1, 0, 0, 0 },
    { "loss3/", "loss3/classifier", 1000, 1, 1024000, 1000, 10 },
};
enum { ROWS = sizeof rows / sizeof *rows };

static void test_table_1(void **state) {
    (void)state;
    test_net net = test_net_build("googlenet", 1000, 224);
    assert_string_equal(net.architecture, "googlenet");
    assert_string_equal(net.options, DEFAULTS);
    test_net_shape(&net, "data", 3, 224, 224);
    sums all = { 0 };
    for (size_t i = 0; i < ROWS; i++) {
        sums row = sum(&net, rows[i].prefix, false);
        test_net_shape(&net, rows[i].last, rows[i].channels, rows[i].side, rows[i].side);
        if (row.weights != rows[i].weights || row.biases != rows[i].biases
            || (row.multiply_adds + 50000) / 100000 != rows[i].tenths)
            fail_msg("%s: %llu weights, %llu biases, %llu multiply-adds", rows[i].prefix,
                     (unsigned long long)row.weights, (unsigned long long)row.biases,
                     (unsigned long long)row.multiply_adds);
        assert_true(row.parameters == row.weights + row.biases);
        /* All layers of a row work on pictures of one size. */
        assert_true(row.multiply_adds == rows[i].weights * (uint64_t)(rows[i].side * rows[i].side));
        all.weights += row.weights;
        all.biases += row.biases;
    }
    test_net_shape(&net, "prob", 1000, 1, 1);
    sums whole = sum(&net, "", false);
    assert_true(all.weights == 6990272 && all.biases == 8280);
    assert_true(whole.weights == 6990272 && whole.biases == 8280 && whole.parameters == 6998552);
    assert_true(whole.multiply_adds == 1582671872);
    test_net_free(&net);
}

typedef struct layer {
    const char *name;
    dp_op op;
    int window, stride, pad; /* 0 where there is no window */
} layer;

static void assert_layer(const test_net *net, const char *part, const layer *expected) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", part, expected->name);
    const dp_node *node = test_net_node(net, name);
    const dp_window *w = &node->attributes.window;
    if (node->op != expected->op)
        fail_msg("%s is of operator %s", name, dp_op_name(node->op));
    if (!expected->window)
        return;
    int side = expected->window, stride = expected->stride, pad = expected->pad;
    if (w->height != side || w->width != side || w->stride_y != stride || w->stride_x != stride
        || w->pads.top != pad || w->pads.left != pad || w->pads.bottom != pad
        || w->pads.right != pad)
        fail_msg("%s: not %dx%d/%d with padding %d", name, side, side, stride, pad);
}

/* Layer names of BVLC's model: what its weights are found by, and its pools, norms and
 * concatenations. */
static void test_caffe_names(void **state) {
    static const char *const modules[] = { "inception_3a/", "inception_3b/", "inception_4a/",
                                           "inception_4b/", "inception_4c/", "inception_4d/",
                                           "inception_4e/", "inception_5a/", "inception_5b/" };
    static const layer parts[] = {
        { "1x1", DP_OP_CONV, 1, 1, 0 },        { "relu_1x1", DP_OP_RELU, 0, 0, 0 },
        { "3x3_reduce", DP_OP_CONV, 1, 1, 0 }, { "relu_3x3_reduce", DP_OP_RELU, 0, 0, 0 },
        { "3x3", DP_OP_CONV, 3, 1, 1 },        { "relu_3x3", DP_OP_RELU, 0, 0, 0 },
        { "5x5_reduce", DP_OP_CONV, 1, 1, 0 }, { "relu_5x5_reduce", DP_OP_RELU, 0, 0, 0 },
        { "5x5", DP_OP_CONV, 5, 1, 2 },        { "relu_5x5", DP_OP_RELU, 0, 0, 0 },
        { "pool", DP_OP_MAX_POOL, 3, 1, 1 },   { "pool_proj", DP_OP_CONV, 1, 1, 0 },
        { "output", DP_OP_CONCAT, 0, 0, 0 },   { "relu_pool_proj", DP_OP_RELU, 0, 0, 0 },
    };
    static const layer others[] = {
        { "data", DP_OP_INPUT, 0, 0, 0 },
        { "conv1/7x7_s2", DP_OP_CONV, 7, 2, 3 },
        { "pool1/3x3_s2", DP_OP_MAX_POOL, 3, 2, 0 },
        { "pool1/norm1", DP_OP_LRN, 0, 0, 0 },
        { "conv2/3x3_reduce", DP_OP_CONV, 1, 1, 0 },
        { "conv2/3x3", DP_OP_CONV, 3, 1, 1 },
        { "conv2/norm2", DP_OP_LRN, 0, 0, 0 },
        { "pool2/3x3_s2", DP_OP_MAX_POOL, 3, 2, 0 },
        { "pool3/3x3_s2", DP_OP_MAX_POOL, 3, 2, 0 },
        { "pool4/3x3_s2", DP_OP_MAX_POOL, 3, 2, 0 },
        { "pool5/7x7_s1", DP_OP_GLOBAL_AVERAGE, 0, 0, 0 },
        { "pool5/drop_7x7_s1", DP_OP_DROPOUT, 0, 0, 0 },
        { "loss3/classifier", DP_OP_FC, 0, 0, 0 },
        { "prob", DP_OP_SOFTMAX, 0, 0, 0 },
    };
    (void)state;
    test_net net = test_net_build("googlenet", 1000, 224);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
            assert_layer(&net, modules[i], &parts[j]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_layer(&net, "", &others[i]);
    assert_int_equal(count_ops(&net, DP_OP_CONV), 57);
    assert_int_equal(count_ops(&net, DP_OP_RELU), 57);
    assert_int_equal(count_ops(&net, DP_OP_FC), 1);
    assert_int_equal(count_ops(&net, DP_OP_MAX_POOL), 13);
    assert_int_equal(count_ops(&net, DP_OP_LRN), 2);
    assert_int_equal(net.graph->parameters, 2 * 58);
    test_net_free(&net);
}

static const char *input_name(const test_net *net, const char *name, int input) {
    const dp_node *node = test_net_node(net, name);
    assert_in_range(input, 0, node->input_count - 1);
    return net->graph->nodes[node->inputs[input]].name;
}

/* Order of layers where it could be another, and the constants that Table 1 leaves open. */
static void test_order_and_constants(void **state) {
    static const char *const order[] = { "inception_4b/relu_1x1", "inception_4b/relu_3x3",
                                         "inception_4b/relu_5x5", "inception_4b/relu_pool_proj" };
    (void)state;
    test_net net = test_net_build("googlenet", 1000, 224);
    assert_int_equal(test_net_node(&net, "inception_4b/output")->input_count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(input_name(&net, "inception_4b/output", i), order[i]);
    assert_string_equal(input_name(&net, "inception_4b/pool", 0), "inception_4a/output");
    assert_string_equal(input_name(&net, "inception_4b/relu_5x5", 0), "inception_4b/5x5");
    assert_string_equal(input_name(&net, "pool1/norm1", 0), "pool1/3x3_s2");
    assert_string_equal(input_name(&net, "pool2/3x3_s2", 0), "conv2/norm2");
    assert_string_equal(input_name(&net, "loss3/classifier", 0), "pool5/drop_7x7_s1");
    assert_string_equal(input_name(&net, "prob", 0), "loss3/classifier");
    static const char *const norms[] = { "pool1/norm1", "conv2/norm2" };
    for (int i = 0; i < 2; i++) {
        dp_lrn lrn = test_net_node(&net, norms[i])->attributes.lrn;
        assert_true(lrn.size == 5 && lrn.alpha == 1e-4F && lrn.beta == 0.75F && lrn.k == 1.0F);
    }
    assert_true(test_net_node(&net, "pool1/3x3_s2")->attributes.window.ceil);
    assert_true(test_net_node(&net, "pool5/drop_7x7_s1")->attributes.dropout.rate == 0.4F);
    test_net_free(&net);
}

/* ------------------------------------------------------------------------------ auxiliary heads */

static void test_auxiliary_heads(void **state) {
    static const char *const names[] = { "ave_pool", "conv",    "relu_conv",  "fc",
                                         "relu_fc",  "drop_fc", "classifier", "prob" };
    (void)state;
    test_net net = test_net_build("googlenet:aux=1", 1000, 224);
    assert_int_equal(test_net_node(&net, "loss1/ave_pool")->inputs[0],
                     dp_graph_find(net.graph, "inception_4a/output"));
    assert_int_equal(test_net_node(&net, "loss2/ave_pool")->inputs[0],
                     dp_graph_find(net.graph, "inception_4d/output"));
    test_net_shape(&net, "loss1/ave_pool", 512, 4, 4);
    test_net_shape(&net, "loss2/ave_pool", 528, 4, 4);
    for (int head = 1; head <= 2; head++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char name[64];
            snprintf(name, sizeof name, "loss%d/%s", head, names[i]);
            assert_int_equal(test_net_node(&net, name)->head,
                             head == 1 ? DP_HEAD_AUX1 : DP_HEAD_AUX2);
        }
    test_net_shape(&net, "loss1/conv", 128, 4, 4);
    test_net_shape(&net, "loss2/fc", 1024, 1, 1);
    test_net_shape(&net, "loss2/prob", 1000, 1, 1);
    assert_true(test_net_node(&net, "loss1/drop_fc")->attributes.dropout.rate == 0.7F);
    /* 512 and 528 x 128 + 128, 2048 x 1024 + 1024, 1024 x 1000 + 1000. */
    assert_true(sum(&net, "loss1/", true).parameters == 3188840
                && sum(&net, "loss2/", true).parameters == 3190888);
    assert_true(sum(&net, "", true).parameters == 13378280
                && sum(&net, "", false).parameters == 6998552);
    assert_true(sum(&net, "", false).multiply_adds == 1582671872);
    assert_true(sum(&net, "", true).multiply_adds
                == 1582671872 + 2 * (2048 * 1024 + 1024 * 1000) + 16 * 128 * (512 + 528));

    /* The main output needs nothing of them; parameters of a head are marked as the head's. */
    int prob = dp_graph_find(net.graph, "prob");
    bool *needed = calloc((size_t)net.graph->count, sizeof *needed);
    assert_non_null(needed);
    dp_graph_needed(net.graph, &prob, 1, needed);
    for (int i = 0; i < net.graph->count; i++) {
        assert_int_equal(needed[i], net.graph->nodes[i].head == DP_HEAD_MAIN);
        assert_int_equal(net.graph->nodes[i].head != DP_HEAD_MAIN,
                         !strncmp(net.graph->nodes[i].name, "loss1/", 6)
                             || !strncmp(net.graph->nodes[i].name, "loss2/", 6));
    }
    free(needed);
    test_net_free(&net);
}

/* -------------------------------------------------------------------------------------- options */

/* Each against a sum over Table 1's widths by hand. A batch norm has four parameters a channel in
 * place of a bias, 3 x 7,280 more. The separable stem is 7*7*3*8 + 24*64 = 2,712 weights, the 2.7K
 * that Table 1 prints, and makes 1,498.7 million multiply-adds, the paper's 1.5 billion. The 3x3
 * third branch has 16/25 of its weights less. */
static void test_option_counts(void **state) {
    static const struct {
        const char *spec;
        int classes, size;
        uint64_t parameters, multiply_adds;
    } cases[] = {
        { "googlenet:norm=bn", 1000, 224, 6998552 + 3 * 7280, 1582671872 },
        { "googlenet:norm=none", 1000, 224, 6998552, 1582671872 },
        { "googlenet:stem=separable", 1000, 224, 6998552 - 9408 + 2712, 1498677248 },
        { "googlenet:stem=small", 10, 32, 5976122, 479700992 },
        { "googlenet:module=naive", 1000, 224, 97526008, 12568061056 },
        { "googlenet:branch5=3x3", 1000, 224, 6998552 - 380928, 1498376192 },
        { "googlenet:width=0.0625", 1000, 224, 109848, 28611008 },
        { "googlenet:width=0.25", 1000, 224, 651480, 124748928 },
        { "googlenet:width=0.5", 1000, 224, 2019016, 427083264 },
        { "googlenet:width=2", 1000, 224, 25909832, 6092611584 },
        { "googlenet:width=4", 1000, 224, 99473576, 23894294528 },
        /* 7*7*1024 x 1024 + 1024 in place of the average; the multiply-adds grow by the same
           weights. */
        { "googlenet:classifier=fc", 1000, 224, 6998552 + 51381248, 1582671872 + 51380224 },
        { "googlenet:dropout=0", 1000, 224, 6998552, 1582671872 },
        /* Without 4b, 4c and 4d; the 1x1, the reductions and the projection of 4e then read 512
           channels and not 528. */
        { "googlenet:depth=16", 1000, 224, 6998552 - 449160 - 510104 - 605376 - 16 * 576,
          1274591232 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_net net = test_net_build(cases[i].spec, cases[i].classes, cases[i].size);
        sums all = sum(&net, "", false);
        if (all.parameters != cases[i].parameters || all.multiply_adds != cases[i].multiply_adds)
            fail_msg("%s: %llu parameters, %llu multiply-adds", cases[i].spec,
                     (unsigned long long)all.parameters, (unsigned long long)all.multiply_adds);
        test_net_shape(&net, "prob", cases[i].classes, 1, 1); /* width does not touch the classes */
        test_net_free(&net);
    }
}

/* What each value changes in the graph. */
static void test_option_structure(void **state) {
    (void)state;
    test_net net = test_net_build("googlenet:norm=bn,aux=1", 1000, 224);
    assert_int_equal(count_ops(&net, DP_OP_LRN), 0);
    assert_int_equal(count_ops(&net, DP_OP_BATCH_NORM), 59);
    for (int i = 0; i < net.graph->count;
         i++) /* no bias beside a batch norm, but in the linear layers */
        if (net.graph->nodes[i].op == DP_OP_CONV || net.graph->nodes[i].op == DP_OP_FC)
            assert_int_equal(net.graph->nodes[i].input_count,
                             net.graph->nodes[i].op == DP_OP_FC ? 3 : 2);
    assert_string_equal(input_name(&net, "inception_3a/relu_3x3", 0), "inception_3a/3x3/bn");
    assert_string_equal(input_name(&net, "inception_3a/3x3/bn", 4),
                        "inception_3a/3x3/bn.running_var");
    assert_true(test_net_node(&net, "inception_3a/3x3/bn")->attributes.epsilon == 1e-3F);
    test_net_free(&net);

    net = test_net_build("googlenet:norm=none", 1000, 224);
    assert_int_equal(count_ops(&net, DP_OP_LRN) + count_ops(&net, DP_OP_BATCH_NORM), 0);
    test_net_free(&net);

    net = test_net_build("googlenet:stem=separable", 1000, 224);
    const dp_node *depthwise = test_net_node(&net, "conv1/7x7_s2_depthwise");
    assert_int_equal(depthwise->attributes.window.groups, 3);
    assert_int_equal(depthwise->input_count, 2); /* no bias, no ReLU before the 1x1 */
    test_net_shape(&net, "conv1/7x7_s2_depthwise", 24, 112, 112);
    assert_string_equal(input_name(&net, "conv1/7x7_s2_pointwise", 0), "conv1/7x7_s2_depthwise");
    test_net_shape(&net, "conv1/7x7_s2_pointwise", 64, 112, 112);
    assert_true(sum(&net, "conv1/", false).weights == 2712);
    test_net_free(&net);

    net = test_net_build("googlenet:stem=small", 10, 32);
    assert_layer(&net, "", &(layer){ "conv1/3x3_s1", DP_OP_CONV, 3, 1, 1 });
    assert_int_equal(dp_graph_find(net.graph, "pool1/3x3_s2"), -1);
    test_net_shape(&net, "inception_3a/output", 256, 16, 16);
    test_net_shape(&net, "inception_5b/output", 1024, 4, 4);
    test_net_free(&net);

    net = test_net_build("googlenet:module=naive", 1000, 224);
    assert_int_equal(dp_graph_find(net.graph, "inception_3a/3x3_reduce"), -1);
    assert_int_equal(dp_graph_find(net.graph, "inception_3a/pool_proj"), -1);
    test_net_shape(&net, "inception_3a/output", 64 + 128 + 32 + 192, 28,
                   28); /* the pool keeps all channels */
    assert_string_equal(input_name(&net, "inception_3a/output", 3), "inception_3a/pool");
    test_net_free(&net);

    net = test_net_build("googlenet:branch5=3x3", 1000, 224);
    assert_int_equal(dp_graph_find(net.graph, "inception_3a/5x5"), -1);
    assert_layer(&net, "inception_3a/", &(layer){ "3x3_b", DP_OP_CONV, 3, 1, 1 });
    assert_string_equal(input_name(&net, "inception_3a/3x3_b", 0), "inception_3a/relu_5x5_reduce");
    test_net_free(&net);

    /* Multiples of 8, to the nearest, halves up, at least 8. */
    net = test_net_build("googlenet:width=0.25", 1000, 224);
    test_net_shape(&net, "inception_3a/3x3_reduce", 24, 28, 28); /* 24 */
    test_net_shape(&net, "inception_3a/5x5_reduce", 8, 28, 28);  /* 4 */
    test_net_shape(&net, "inception_4a/5x5", 16, 14, 14);        /* 12 */
    test_net_shape(&net, "inception_4b/3x3_reduce", 32, 14, 14); /* 28 */
    test_net_free(&net);
}

/* ---------------------------------------------------------------------------------------- sizes */

/* Sides: the 7x7/2 gives ceil(size / 2), every pool after it floor(side / 2). */
static void test_sizes(void **state) {
    (void)state;
    for (int size = 31; size <= 320; size++) {
        test_net net = test_net_build("googlenet", 10, size);
        int stem = (size + 1) / 2;
        test_net_shape(&net, "conv1/7x7_s2", 64, stem, stem);
        test_net_shape(&net, "pool1/3x3_s2", 64, stem / 2, stem / 2);
        test_net_shape(&net, "inception_3b/output", 480, stem / 4, stem / 4);
        test_net_shape(&net, "inception_4e/output", 832, stem / 8, stem / 8);
        test_net_shape(&net, "inception_5b/output", 1024, stem / 16, stem / 16);
        test_net_shape(&net, "pool5/7x7_s1", 1024, 1, 1);
        assert_true(sum(&net, "", false).parameters
                    == 6998552 - 990 * 1025); /* whatever the size */
        test_net_free(&net);
    }
    for (int size = 8; size <= 64; size++) {
        test_net net = test_net_build("googlenet:stem=small", 10, size);
        test_net_shape(&net, "inception_5b/output", 1024, size / 8, size / 8);
        test_net_free(&net);
    }
}

/* Auxiliary heads pool 5x5/3 from 14x14 on (pictures of 223 pixels); below, they average to the
 * smaller of 4 and the side. Their linear layers follow. */
static void test_sizes_with_heads(void **state) {
    (void)state;
    for (int size = 31; size <= 320; size++) {
        test_net net = test_net_build("googlenet:aux=1", 10, size);
        int input = test_net_node(&net, "inception_4a/output")->shape.h;
        int side = input >= 14 ? (input - 5) / 3 + 1 : input < 4 ? input : 4;
        assert_int_equal(test_net_node(&net, "loss1/ave_pool")->op,
                         input >= 14 ? DP_OP_AVERAGE_POOL : DP_OP_ADAPTIVE_POOL);
        test_net_shape(&net, "loss1/ave_pool", 512, side, side);
        test_net_shape(&net, "loss2/ave_pool", 528, side, side);
        assert_int_equal(dp_shape_floats(test_net_node(&net, "loss1/fc.weight")->shape),
                         1024 * 128 * side * side);
        test_net_free(&net);
    }
    test_net small = test_net_build("googlenet:aux=1,stem=small", 10, 56);
    test_net_shape(&small, "loss1/ave_pool", 512, 4, 4);
    test_net_free(&small);
}

/* The pools as torchvision has them: the same sides at 224 pixels, other windows. */
static void test_pools(void **state) {
    test_net net = test_net_build("googlenet:aux=1,pool4=2x2,aux_pool=adaptive", 10, 224);
    test_net_shape(&net, "pool4/2x2_s2", 832, 7, 7);
    test_net_shape(&net, "loss1/ave_pool", 512, 4, 4);
    assert_int_equal(test_net_node(&net, "loss1/ave_pool")->op, DP_OP_ADAPTIVE_POOL);
    test_net_free(&net);
}

static void test_nth_allocation_fails(void **state) {
    (void)state;
    bool done = false;
    for (long n = 1; !done; n += n < 20 ? 1 : 7) {
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, n);
        dp_graph *graph = NULL;
        char *architecture = NULL, *options = NULL;
        deeper_error error = { 0 };
        deeper_status status = dp_graph_create(&graph, &failing.allocator, &error);
        if (status == DEEPER_OK)
            status = dp_net_build(graph, "googlenet", (dp_net_size){ 10, 64 }, &architecture,
                                  &options, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_true(done == (architecture != NULL) && done == (options != NULL));
        dp_graph_free(graph);
        dp_free(&failing.allocator, architecture);
        dp_free(&failing.allocator, options);
        assert_int_equal(failing.outstanding, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_1),
        cmocka_unit_test(test_caffe_names),
        cmocka_unit_test(test_order_and_constants),
        cmocka_unit_test(test_auxiliary_heads),
        cmocka_unit_test(test_option_counts),
        cmocka_unit_test(test_option_structure),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sizes_with_heads),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_nth_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
