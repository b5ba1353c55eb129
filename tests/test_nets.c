/* test_nets.c - GoogLeNet as the paper's Table 1 and BVLC's Caffe model have it: names, shapes,
 * counts; every option; the sizes of picture that it takes; the text of options and its errors.
 * Expected numbers come from arithmetic outside the program: weights of a row from the widths of
 * the paper, multiply-adds as weights x pixels.
 * One file because every option changes the same table of counts. */
#include "graph/attributes.h"
#include "nets/nets.h"

#include "helpers/helpers.h"
#include "helpers/nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LATER ",classifier=average,dropout=0.4,depth=22,pool4=3x3,aux_pool=5x5"
static const char DEFAULTS[] = "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=1" LATER;

static const dp_node *node_of(const test_net *it, const char *name) {
    int node = dp_graph_find(it->graph, name);
    if (node < 0)
        fail_msg("no layer %s", name);
    return &it->graph->nodes[node];
}

static void assert_shape(const test_net *it, const char *name, int c, int h, int w) {
    dp_shape shape = node_of(it, name)->shape;
    if (!dp_shape_equal(shape, (dp_shape){ 0, c, h, w }))
        fail_msg("%s: %dx%dx%d, not %dx%dx%d", name, shape.c, shape.h, shape.w, c, h, w);
}

/* Sums over the layers whose name begins with `prefix`; "" is all. */
typedef struct sums {
    uint64_t weights, biases, multiply_adds, parameters;
} sums;

static sums sum(const test_net *it, const char *prefix, bool with_heads) {
    sums total = { 0 };
    for (int i = 0; i < it->graph->count; i++) {
        const dp_node *node = &it->graph->nodes[i];
        if (strncmp(node->name, prefix, strlen(prefix)) != 0
            || (node->head != DP_HEAD_MAIN && !with_heads))
            continue;
        dp_cost cost = dp_node_cost(it->graph, i);
        total.multiply_adds += cost.multiply_adds;
        total.parameters += cost.parameters;
        if (node->op == DP_OP_CONV || node->op == DP_OP_FC) {
            total.weights += dp_shape_floats(it->graph->nodes[node->inputs[1]].shape);
            total.biases += node->input_count == 3
                                ? dp_shape_floats(it->graph->nodes[node->inputs[2]].shape)
                                : 0;
        }
    }
    return total;
}

static int count_ops(const test_net *it, dp_op op) {
    int count = 0;
    for (int i = 0; i < it->graph->count; i++)
        count += it->graph->nodes[i].op == op;
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
    test_net it = test_net_build("googlenet", 1000, 224);
    assert_string_equal(it.architecture, "googlenet");
    assert_string_equal(it.options, DEFAULTS);
    assert_shape(&it, "data", 3, 224, 224);
    sums all = { 0 };
    for (size_t i = 0; i < ROWS; i++) {
        sums row = sum(&it, rows[i].prefix, false);
        assert_shape(&it, rows[i].last, rows[i].channels, rows[i].side, rows[i].side);
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
    assert_shape(&it, "prob", 1000, 1, 1);
    sums whole = sum(&it, "", false);
    assert_true(all.weights == 6990272 && all.biases == 8280);
    assert_true(whole.weights == 6990272 && whole.biases == 8280 && whole.parameters == 6998552);
    assert_true(whole.multiply_adds == 1582671872);
    test_net_free(&it);
}

typedef struct layer {
    const char *name;
    dp_op op;
    int window, stride, pad; /* 0 where there is no window */
} layer;

static void assert_layer(const test_net *it, const char *part, const layer *expected) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", part, expected->name);
    const dp_node *node = node_of(it, name);
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
    test_net it = test_net_build("googlenet", 1000, 224);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
            assert_layer(&it, modules[i], &parts[j]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_layer(&it, "", &others[i]);
    assert_int_equal(count_ops(&it, DP_OP_CONV), 57);
    assert_int_equal(count_ops(&it, DP_OP_RELU), 57);
    assert_int_equal(count_ops(&it, DP_OP_FC), 1);
    assert_int_equal(count_ops(&it, DP_OP_MAX_POOL), 13);
    assert_int_equal(count_ops(&it, DP_OP_LRN), 2);
    assert_int_equal(it.graph->parameters, 2 * 58);
    test_net_free(&it);
}

static const char *input_name(const test_net *it, const char *name, int input) {
    const dp_node *node = node_of(it, name);
    assert_in_range(input, 0, node->input_count - 1);
    return it->graph->nodes[node->inputs[input]].name;
}

/* Order of layers where it could be another, and the constants that Table 1 leaves open. */
static void test_order_and_constants(void **state) {
    static const char *const order[] = { "inception_4b/relu_1x1", "inception_4b/relu_3x3",
                                         "inception_4b/relu_5x5", "inception_4b/relu_pool_proj" };
    (void)state;
    test_net it = test_net_build("googlenet", 1000, 224);
    assert_int_equal(node_of(&it, "inception_4b/output")->input_count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(input_name(&it, "inception_4b/output", i), order[i]);
    assert_string_equal(input_name(&it, "inception_4b/pool", 0), "inception_4a/output");
    assert_string_equal(input_name(&it, "inception_4b/relu_5x5", 0), "inception_4b/5x5");
    assert_string_equal(input_name(&it, "pool1/norm1", 0), "pool1/3x3_s2");
    assert_string_equal(input_name(&it, "pool2/3x3_s2", 0), "conv2/norm2");
    assert_string_equal(input_name(&it, "loss3/classifier", 0), "pool5/drop_7x7_s1");
    assert_string_equal(input_name(&it, "prob", 0), "loss3/classifier");
    static const char *const norms[] = { "pool1/norm1", "conv2/norm2" };
    for (int i = 0; i < 2; i++) {
        dp_lrn lrn = node_of(&it, norms[i])->attributes.lrn;
        assert_true(lrn.size == 5 && lrn.alpha == 1e-4F && lrn.beta == 0.75F && lrn.k == 1.0F);
    }
    assert_true(node_of(&it, "pool1/3x3_s2")->attributes.window.ceil);
    assert_true(node_of(&it, "pool5/drop_7x7_s1")->attributes.dropout.rate == 0.4F);
    test_net_free(&it);
}

/* ------------------------------------------------------------------------------ auxiliary heads */

static void test_auxiliary_heads(void **state) {
    static const char *const names[] = { "ave_pool", "conv",    "relu_conv",  "fc",
                                         "relu_fc",  "drop_fc", "classifier", "prob" };
    (void)state;
    test_net it = test_net_build("googlenet:aux=1", 1000, 224);
    assert_int_equal(node_of(&it, "loss1/ave_pool")->inputs[0],
                     dp_graph_find(it.graph, "inception_4a/output"));
    assert_int_equal(node_of(&it, "loss2/ave_pool")->inputs[0],
                     dp_graph_find(it.graph, "inception_4d/output"));
    assert_shape(&it, "loss1/ave_pool", 512, 4, 4);
    assert_shape(&it, "loss2/ave_pool", 528, 4, 4);
    for (int head = 1; head <= 2; head++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char name[64];
            snprintf(name, sizeof name, "loss%d/%s", head, names[i]);
            assert_int_equal(node_of(&it, name)->head, head == 1 ? DP_HEAD_AUX1 : DP_HEAD_AUX2);
        }
    assert_shape(&it, "loss1/conv", 128, 4, 4);
    assert_shape(&it, "loss2/fc", 1024, 1, 1);
    assert_shape(&it, "loss2/prob", 1000, 1, 1);
    assert_true(node_of(&it, "loss1/drop_fc")->attributes.dropout.rate == 0.7F);
    /* 512 and 528 x 128 + 128, 2048 x 1024 + 1024, 1024 x 1000 + 1000. */
    assert_true(sum(&it, "loss1/", true).parameters == 3188840
                && sum(&it, "loss2/", true).parameters == 3190888);
    assert_true(sum(&it, "", true).parameters == 13378280
                && sum(&it, "", false).parameters == 6998552);
    assert_true(sum(&it, "", false).multiply_adds == 1582671872);
    assert_true(sum(&it, "", true).multiply_adds
                == 1582671872 + 2 * (2048 * 1024 + 1024 * 1000) + 16 * 128 * (512 + 528));

    /* The main output needs nothing of them; parameters of a head are marked as the head's. */
    int prob = dp_graph_find(it.graph, "prob");
    bool *needed = calloc((size_t)it.graph->count, sizeof *needed);
    assert_non_null(needed);
    dp_graph_needed(it.graph, &prob, 1, needed);
    for (int i = 0; i < it.graph->count; i++) {
        assert_int_equal(needed[i], it.graph->nodes[i].head == DP_HEAD_MAIN);
        assert_int_equal(it.graph->nodes[i].head != DP_HEAD_MAIN,
                         !strncmp(it.graph->nodes[i].name, "loss1/", 6)
                             || !strncmp(it.graph->nodes[i].name, "loss2/", 6));
    }
    free(needed);
    test_net_free(&it);
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
        test_net it = test_net_build(cases[i].spec, cases[i].classes, cases[i].size);
        sums all = sum(&it, "", false);
        if (all.parameters != cases[i].parameters || all.multiply_adds != cases[i].multiply_adds)
            fail_msg("%s: %llu parameters, %llu multiply-adds", cases[i].spec,
                     (unsigned long long)all.parameters, (unsigned long long)all.multiply_adds);
        assert_shape(&it, "prob", cases[i].classes, 1, 1); /* width does not touch the classes */
        test_net_free(&it);
    }
}

/* What each value changes in the graph. */
static void test_option_structure(void **state) {
    (void)state;
    test_net it = test_net_build("googlenet:norm=bn,aux=1", 1000, 224);
    assert_int_equal(count_ops(&it, DP_OP_LRN), 0);
    assert_int_equal(count_ops(&it, DP_OP_BATCH_NORM), 59);
    for (int i = 0; i < it.graph->count;
         i++) /* no bias beside a batch norm, but in the linear layers */
        if (it.graph->nodes[i].op == DP_OP_CONV || it.graph->nodes[i].op == DP_OP_FC)
            assert_int_equal(it.graph->nodes[i].input_count,
                             it.graph->nodes[i].op == DP_OP_FC ? 3 : 2);
    assert_string_equal(input_name(&it, "inception_3a/relu_3x3", 0), "inception_3a/3x3/bn");
    assert_string_equal(input_name(&it, "inception_3a/3x3/bn", 4),
                        "inception_3a/3x3/bn.running_var");
    assert_true(node_of(&it, "inception_3a/3x3/bn")->attributes.epsilon == 1e-3F);
    test_net_free(&it);

    it = test_net_build("googlenet:norm=none", 1000, 224);
    assert_int_equal(count_ops(&it, DP_OP_LRN) + count_ops(&it, DP_OP_BATCH_NORM), 0);
    test_net_free(&it);

    it = test_net_build("googlenet:stem=separable", 1000, 224);
    const dp_node *depthwise = node_of(&it, "conv1/7x7_s2_depthwise");
    assert_int_equal(depthwise->attributes.window.groups, 3);
    assert_int_equal(depthwise->input_count, 2); /* no bias, no ReLU before the 1x1 */
    assert_shape(&it, "conv1/7x7_s2_depthwise", 24, 112, 112);
    assert_string_equal(input_name(&it, "conv1/7x7_s2_pointwise", 0), "conv1/7x7_s2_depthwise");
    assert_shape(&it, "conv1/7x7_s2_pointwise", 64, 112, 112);
    assert_true(sum(&it, "conv1/", false).weights == 2712);
    test_net_free(&it);

    it = test_net_build("googlenet:stem=small", 10, 32);
    assert_layer(&it, "", &(layer){ "conv1/3x3_s1", DP_OP_CONV, 3, 1, 1 });
    assert_int_equal(dp_graph_find(it.graph, "pool1/3x3_s2"), -1);
    assert_shape(&it, "inception_3a/output", 256, 16, 16);
    assert_shape(&it, "inception_5b/output", 1024, 4, 4);
    test_net_free(&it);

    it = test_net_build("googlenet:module=naive", 1000, 224);
    assert_int_equal(dp_graph_find(it.graph, "inception_3a/3x3_reduce"), -1);
    assert_int_equal(dp_graph_find(it.graph, "inception_3a/pool_proj"), -1);
    assert_shape(&it, "inception_3a/output", 64 + 128 + 32 + 192, 28,
                 28); /* the pool keeps all channels */
    assert_string_equal(input_name(&it, "inception_3a/output", 3), "inception_3a/pool");
    test_net_free(&it);

    it = test_net_build("googlenet:branch5=3x3", 1000, 224);
    assert_int_equal(dp_graph_find(it.graph, "inception_3a/5x5"), -1);
    assert_layer(&it, "inception_3a/", &(layer){ "3x3_b", DP_OP_CONV, 3, 1, 1 });
    assert_string_equal(input_name(&it, "inception_3a/3x3_b", 0), "inception_3a/relu_5x5_reduce");
    test_net_free(&it);

    /* Multiples of 8, to the nearest, halves up, at least 8. */
    it = test_net_build("googlenet:width=0.25", 1000, 224);
    assert_shape(&it, "inception_3a/3x3_reduce", 24, 28, 28); /* 24 */
    assert_shape(&it, "inception_3a/5x5_reduce", 8, 28, 28);  /* 4 */
    assert_shape(&it, "inception_4a/5x5", 16, 14, 14);        /* 12 */
    assert_shape(&it, "inception_4b/3x3_reduce", 32, 14, 14); /* 28 */
    test_net_free(&it);
}

/* ---------------------------------------------------------------------------------------- sizes */

/* Sides: the 7x7/2 gives ceil(size / 2), every pool after it floor(side / 2). */
static void test_sizes(void **state) {
    (void)state;
    for (int size = 31; size <= 320; size++) {
        test_net it = test_net_build("googlenet", 10, size);
        int stem = (size + 1) / 2;
        assert_shape(&it, "conv1/7x7_s2", 64, stem, stem);
        assert_shape(&it, "pool1/3x3_s2", 64, stem / 2, stem / 2);
        assert_shape(&it, "inception_3b/output", 480, stem / 4, stem / 4);
        assert_shape(&it, "inception_4e/output", 832, stem / 8, stem / 8);
        assert_shape(&it, "inception_5b/output", 1024, stem / 16, stem / 16);
        assert_shape(&it, "pool5/7x7_s1", 1024, 1, 1);
        assert_true(sum(&it, "", false).parameters == 6998552 - 990 * 1025); /* whatever the size */
        test_net_free(&it);
    }
    for (int size = 8; size <= 64; size++) {
        test_net it = test_net_build("googlenet:stem=small", 10, size);
        assert_shape(&it, "inception_5b/output", 1024, size / 8, size / 8);
        test_net_free(&it);
    }
}

/* Auxiliary heads pool 5x5/3 from 14x14 on (pictures of 223 pixels); below, they average to the
 * smaller of 4 and the side. Their linear layers follow. */
static void test_sizes_with_heads(void **state) {
    (void)state;
    for (int size = 31; size <= 320; size++) {
        test_net it = test_net_build("googlenet:aux=1", 10, size);
        int input = node_of(&it, "inception_4a/output")->shape.h;
        int side = input >= 14 ? (input - 5) / 3 + 1 : input < 4 ? input : 4;
        assert_int_equal(node_of(&it, "loss1/ave_pool")->op,
                         input >= 14 ? DP_OP_AVERAGE_POOL : DP_OP_ADAPTIVE_POOL);
        assert_shape(&it, "loss1/ave_pool", 512, side, side);
        assert_shape(&it, "loss2/ave_pool", 528, side, side);
        assert_int_equal(dp_shape_floats(node_of(&it, "loss1/fc.weight")->shape),
                         1024 * 128 * side * side);
        test_net_free(&it);
    }
    test_net small = test_net_build("googlenet:aux=1,stem=small", 10, 56);
    assert_shape(&small, "loss1/ave_pool", 512, 4, 4);
    test_net_free(&small);
}

/* ------------------------------------------------------------------------------------- refusals */

static void assert_refused(const char *spec, int classes, int size, deeper_status status,
                           const char *message) {
    test_net it;
    deeper_error error = { 0 };
    assert_int_equal(test_net_try(&it, spec, classes, size, &error), status);
    assert_string_equal(error.message, message);
    assert_int_equal(error.status, status);
    assert_null(it.architecture);
    assert_null(it.options);
    test_net_free(&it);
}

/* All of them, in the order of the registry. */
#define NETS "googlenet, lenet5, alexnet, nin, vgg16"

static void test_unknown_names(void **state) {
    static const char *const cases[][2] = { { "googlnet", "googlnet" },
                                            { "", "" },
                                            { "googlenets:norm=bn", "googlenets" },
                                            { "GoogLeNet", "GoogLeNet" },
                                            { "a\nb", "a?b" } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[DEEPER_MESSAGE_SIZE];
        snprintf(message, sizeof message, "%s: no such architecture; there is " NETS, cases[i][1]);
        assert_refused(cases[i][0], 10, 224, DEEPER_ERROR_ARGUMENT, message);
    }
}

static void test_refused_specs(void **state) {
    static const char *const cases[][2] = {
        { "googlenet:height=3", "googlenet: no option 'height'; there are norm, stem, module, aux, "
                                "branch5, width, classifier, "
                                "dropout, depth, pool4, aux_pool" },
        { "googlenet:norm=bn,Aux=1", "googlenet: no option 'Aux'; there are norm, stem, module, "
                                     "aux, branch5, width, classifier, "
                                     "dropout, depth, pool4, aux_pool" },
        { "googlenet:norm", "googlenet: 'norm' is not OPTION=VALUE" },
        { "googlenet:,", "googlenet: '' is not OPTION=VALUE" },
        { "googlenet:norm=group", "googlenet: 'norm=group': norm is one of lrn|bn|none" },
        { "googlenet:norm=", "googlenet: 'norm=': norm is one of lrn|bn|none" },
        { "googlenet:norm=lr", "googlenet: 'norm=lr': norm is one of lrn|bn|none" },
        { "googlenet:norm=lrn|bn", "googlenet: 'norm=lrn|bn': norm is one of lrn|bn|none" },
        { "googlenet:stem=tiny", "googlenet: 'stem=tiny': stem is one of full|separable|small" },
        { "googlenet:module=v3", "googlenet: 'module=v3': module is one of reduced|naive" },
        { "googlenet:aux=2", "googlenet: 'aux=2': aux is one of 0|1" },
        { "googlenet:branch5=7x7", "googlenet: 'branch5=7x7': branch5 is one of 5x5|3x3" },
        { "googlenet:width=0.06", "googlenet: 'width=0.06': width is a number from 0.0625 to 4" },
        { "googlenet:width=4.01", "googlenet: 'width=4.01': width is a number from 0.0625 to 4" },
        { "googlenet:width=nan", "googlenet: 'width=nan': width is a number from 0.0625 to 4" },
        { "googlenet:width=1x", "googlenet: 'width=1x': width is a number from 0.0625 to 4" },
        { "googlenet:width=", "googlenet: 'width=': width is a number from 0.0625 to 4" },
        { "googlenet:width=0.5,width=1", "googlenet: 'width=1': width is set twice" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i][0], 10, 224, DEEPER_ERROR_ARGUMENT, cases[i][1]);
}

static void test_refused_sizes(void **state) {
    static const struct {
        const char *spec;
        int classes, size;
        deeper_status status;
        const char *message;
    } cases[] = {
        { "googlenet", 0, 224, DEEPER_ERROR_ARGUMENT,
          "googlenet: 0 classes; 1 to 1048576 are possible" },
        { "googlenet", 1048577, 224, DEEPER_ERROR_ARGUMENT,
          "googlenet: 1048577 classes; 1 to 1048576 are possible" },
        { "googlenet", 10, 0, DEEPER_ERROR_ARGUMENT,
          "googlenet: an image size of 0; 1 to 4096 are possible" },
        { "googlenet", 10, 4097, DEEPER_ERROR_ARGUMENT,
          "googlenet: an image size of 4097; 1 to 4096 are possible" },
        { "googlenet", 10, 30, DEEPER_ERROR_MISMATCH,
          "googlenet: pictures of 30 pixels are too small, larger ones and stem=small do "
          "(pool4/3x3_s2: a window of 3x3 does not "
          "fit into a picture of 1x1)" },
        { "googlenet:stem=small", 10, 7, DEEPER_ERROR_MISMATCH,
          "googlenet: pictures of 7 pixels are too small, larger ones and stem=small do "
          "(pool4/3x3_s2: a window of 3x3 does not "
          "fit into a picture of 1x1)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].spec, cases[i].classes, cases[i].size, cases[i].status,
                       cases[i].message);
}

/* A name of any length makes a message that ends. */
static void test_long_specs(void **state) {
    enum { LONG = 5000 };
    static char spec[LONG + 32];
    (void)state;
    for (int option = 0; option <= 2; option++) {
        const char *const begins[] = { "", "googlenet:", "googlenet:norm=" };
        snprintf(spec, sizeof spec, "%s", begins[option]);
        size_t begin = strlen(spec);
        memset(spec + begin, 'x', LONG);
        spec[begin + LONG] = '\0';
        test_net it;
        deeper_error error = { 0 };
        assert_int_equal(test_net_try(&it, spec, 10, 224, &error), DEEPER_ERROR_ARGUMENT);
        assert_in_range(strlen(error.message), 1, DEEPER_MESSAGE_SIZE - 1);
        test_net_free(&it);
    }
}

/* -------------------------------------------------------------------------- the text of options */

static void assert_same_graph(const test_net *a, const test_net *b, const char *spec) {
    bool same = a->graph->count == b->graph->count;
    for (int i = 0; same && i < a->graph->count; i++) {
        const dp_node *x = &a->graph->nodes[i], *y = &b->graph->nodes[i];
        same = !strcmp(x->name, y->name) && x->op == y->op && x->head == y->head
               && x->input_count == y->input_count && dp_shape_equal(x->shape, y->shape)
               && x->parameter == y->parameter
               && dp_attributes_equal(x->op, &x->attributes, &y->attributes)
               && (!x->input_count
                   || !memcmp(x->inputs, y->inputs, (size_t)x->input_count * sizeof(int)));
    }
    if (!same)
        fail_msg("%s and %s are not the same network", spec, a->options);
}

/* The canonical text of a spec builds the same network and is its own canonical text. */
static void assert_round_trip(const char *spec, int size) {
    char again[256];
    test_net it = test_net_build(spec, 10, size);
    snprintf(again, sizeof again, "%s:%s", it.architecture, it.options);
    test_net twin = test_net_build(again, 10, size);
    assert_same_graph(&it, &twin, spec);
    assert_string_equal(twin.options, it.options);
    test_net_free(&it);
    test_net_free(&twin);
}

/* The pools as torchvision has them: the same sides at 224 pixels, other windows. */
static void test_pools(void **state) {
    test_net it = test_net_build("googlenet:aux=1,pool4=2x2,aux_pool=adaptive", 10, 224);
    assert_shape(&it, "pool4/2x2_s2", 832, 7, 7);
    assert_shape(&it, "loss1/ave_pool", 512, 4, 4);
    assert_int_equal(node_of(&it, "loss1/ave_pool")->op, DP_OP_ADAPTIVE_POOL);
    test_net_free(&it);
}

/* All values with all others. */
static void test_every_combination(void **state) {
    static const char *const norms[] = { "lrn", "bn", "none" }, *const stems[] = { "full",
                                                                                   "separable",
                                                                                   "small" };
    static const char *const modules[] = { "reduced", "naive" }, *const branches[] = { "5x5",
                                                                                       "3x3" };
    static const char *const widths[] = { "1", "0.5" };
    (void)state;
    for (int i = 0; i < 3 * 3 * 2 * 2 * 2 * 2; i++) {
        char options[160], spec[192];
        snprintf(options, sizeof options,
                 "norm=%s,stem=%s,module=%s,aux=%d,branch5=%s,width=%s" LATER, norms[i % 3],
                 stems[i / 3 % 3], modules[i / 9 % 2], i / 18 % 2, branches[i / 36 % 2],
                 widths[i / 72]);
        snprintf(spec, sizeof spec, "googlenet:%s", options);
        test_net it = test_net_build(spec, 10, 224);
        assert_string_equal(it.options, options);
        assert_int_equal(it.graph->nodes[it.graph->count - 1].op, DP_OP_SOFTMAX);
        assert_shape(&it, "prob", 10, 1, 1);
        assert_int_equal(dp_graph_find(it.graph, "loss2/prob") >= 0, i / 18 % 2);
        test_net_free(&it);
        assert_round_trip(spec, 224);
    }
}

static void test_option_text(void **state) {
    static const struct {
        const char *spec, *options;
    } cases[] = {
        { "googlenet:", DEFAULTS },
        { "googlenet:width=0.50",
          "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=0.5" LATER },
        { "googlenet:width=2,norm=bn",
          "norm=bn,stem=full,module=reduced,aux=0,branch5=5x5,width=2" LATER },
        { "googlenet:width=0.1",
          "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=0.1" LATER },
        /* 208 channels x this width / 8 is just 2.5: a digit less and there were 16 channels,
           not 24. */
        { "googlenet:width=0.09615385",
          "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=0.09615385" LATER },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_net it = test_net_build(cases[i].spec, 10, 224);
        assert_string_equal(it.options, cases[i].options);
        test_net_free(&it);
        assert_round_trip(cases[i].spec, 224);
    }
    /* Widths (8n + 4) / c are where rounding turns, for every channel count c of the paper. */
    for (int c = 16; c <= 384; c += 16)
        for (int n = 0; n <= 20; n++) {
            char spec[64];
            double width = (8 * n + 4) / (double)c;
            snprintf(spec, sizeof spec, "googlenet:width=%.9g", width);
            if (width >= 0.0625 && width <= 4)
                assert_round_trip(spec, 64);
        }
}

static void test_list(void **state) {
    (void)state;
    const char *description = NULL;
    assert_string_equal(dp_net_name(0, &description), "googlenet");
    static const char *const said[] = { "norm=lrn|bn|none",      "stem=full|separable|small",
                                        "module=reduced|naive",  "aux=0|1",
                                        "branch5=5x5|3x3",       "width=0.0625..4",
                                        "classifier=average|fc", "dropout=0..0.95",
                                        "depth=22|16|10",        "pool4=3x3|2x2",
                                        "aux_pool=5x5|adaptive" };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        assert_non_null(strstr(description, said[i]));
    assert_string_equal(dp_net_name(0, NULL), "googlenet");
    char names[sizeof NETS + 64] = "";
    size_t length = 0, count = 0;
    for (const char *name; length < sizeof names && (name = dp_net_name(count, NULL)); count++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", count ? ", " : "",
                                   name);
    assert_string_equal(names, NETS);
    assert_null(dp_net_name(count, &description));
}

static void test_nth_allocation_fails(void **state) {
    (void)state;
    bool done = false;
    for (long n = 1; !done; n += n < 20 ? 1 : 7) {
        test_failing_allocator it;
        test_failing_allocator_init(&it, n);
        dp_graph *graph = NULL;
        char *architecture = NULL, *options = NULL;
        deeper_error error = { 0 };
        deeper_status status = dp_graph_create(&graph, &it.allocator, &error);
        if (status == DEEPER_OK)
            status = dp_net_build(graph, "googlenet", (dp_net_size){ 10, 64 }, &architecture,
                                  &options, &error);
        done = it.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_true(done == (architecture != NULL) && done == (options != NULL));
        dp_graph_free(graph);
        dp_free(&it.allocator, architecture);
        dp_free(&it.allocator, options);
        assert_int_equal(it.outstanding, 0);
    }
}

/* An option is added where the architecture has it and the spec does not set it. */
static void test_spec_with(void **state) {
    static const char *const cases[][2] = { { "googlenet", "googlenet:aux=1" },
                                            { "googlenet:norm=bn", "googlenet:norm=bn,aux=1" },
                                            { "googlenet:aux=0", "googlenet:aux=0" },
                                            { "googlenet:width=2,aux=1",
                                              "googlenet:width=2,aux=1" } };
    char text[64];
    deeper_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(dp_net_spec_with(text, sizeof text, cases[i][0], "aux", "1", &error),
                         DEEPER_OK);
        assert_string_equal(text, cases[i][1]);
    }
    assert_int_equal(dp_net_spec_with(text, sizeof text, "googlenet", "lasers", "1", &error),
                     DEEPER_OK);
    assert_string_equal(text, "googlenet");
    assert_int_equal(dp_net_spec_with(text, sizeof text, "googlenet:aux=7", "aux", "1", &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_net_spec_with(text, 12, "googlenet", "aux", "1", &error),
                     DEEPER_ERROR_LIMIT);
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
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_refused_specs),
        cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_long_specs),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_option_text),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_nth_allocation_fails),
        cmocka_unit_test(test_spec_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
