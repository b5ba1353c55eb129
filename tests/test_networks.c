/* test_networks.c - LeNet-5, AlexNet, Network in Network and VGG-16: parameters and multiply-adds
 * against numbers that were published or follow from published widths by hand, layer by layer;
 * names and windows of the published weights; the sizes of picture that each takes. GoogLeNet's are
 * test_nets.c's. */
#include "graph/graph.h"
#include "nets/nets.h"

#include "helpers/nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dp_cost total(const test_net *net) {
    dp_cost sum = { 0 };
    for (int i = 0; i < net->graph->count; i++) {
        dp_cost cost = dp_node_cost(net->graph, i);
        sum.parameters += cost.parameters;
        sum.multiply_adds += cost.multiply_adds;
    }
    return sum;
}

/* --------------------------------------------------------------------------------------- totals */

/* Where each number of parameters comes from:
 *   alexnet  60,965,224 = 34,944 + 307,456 + 885,120 + 663,936 + 442,624 + 37,752,832 + 16,781,312
 *            + 4,097,000, the blobs of Caffe's bvlc_alexnet ("60 million parameters" in the paper).
 *            Merged, conv2, conv4 and conv5 have twice the weights. single 61,100,840, as
 *            torchvision states of its alexnet
 *   vgg16    138,357,544, as torchvision and Keras state; "138 million" in the paper's table 2.
 *            Multiply-adds 15.47 G.
 *   nin      7,595,176: the blobs of the authors' nin_imagenet.caffemodel, a file of 29 MB; cifar
 *            966,986 likewise
 *   lenet5   61,706 and 60,850: see lenet5.c for how they differ from the paper's 60,000 */
static const struct {
    const char *spec;
    int classes, size;
    uint64_t parameters, multiply_adds;
} totals[] = {
    { "alexnet", 1000, 227, 60965224, 724406816 },
    { "alexnet", 1000, 224, 60965224, 720608384 },
    { "alexnet:form=caffenet", 1000, 227, 60965224, 724406816 },
    { "alexnet:form=merged", 1000, 227, 60965224 + 307200 + 663552 + 442368, 1135256096 },
    { "alexnet:form=single", 1000, 224, 61100840, 714188480 },
    { "alexnet:norm=bn", 1000, 227, 60965224 + 3 * (96 + 256 + 384 + 384 + 256), 724406816 },
    { "vgg16", 1000, 224, 138357544, 15470264320 },
    { "vgg16:norm=bn", 1000, 224, 138357544 + 3 * 4224, 15470264320 },
    { "nin", 1000, 224, 7595176, 1100188800 },
    { "nin:form=cifar", 10, 32, 966986, 222486528 },
    { "lenet5", 10, 32, 61706, 416520 },
    { "lenet5", 10, 28, 61706, 416520 },
    { "lenet5:form=published", 10, 32, 60850, 328096 },
    { "lenet5:form=published", 10, 28, 60850, 328096 },
};

static void test_totals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        test_net net = test_net_build(totals[i].spec, totals[i].classes, totals[i].size);
        dp_cost sum = total(&net);
        if (sum.parameters != totals[i].parameters || sum.multiply_adds != totals[i].multiply_adds)
            fail_msg("%s: %llu parameters, %llu multiply-adds", totals[i].spec,
                     (unsigned long long)sum.parameters, (unsigned long long)sum.multiply_adds);
        const dp_node *prob = &net.graph->nodes[net.graph->count - 1];
        assert_string_equal(prob->name, "prob");
        assert_true(dp_shape_equal(prob->shape, (dp_shape){ 0, totals[i].classes, 1, 1 }));
        test_net_free(&net);
    }
}

/* --------------------------------------------------------------------------------------- layers */

/* A layer with parameters or a pool: output, window, stride, pad, groups; parameters with
 * biases. */
static const struct {
    const char *spec, *layer;
    int channels, side, window, stride, pad, groups;
    uint64_t parameters;
} layers[] = {
    { "alexnet", "conv1", 96, 55, 11, 4, 0, 1, 34944 },
    { "alexnet", "pool1", 96, 27, 3, 2, 0, 1, 0 },
    { "alexnet", "conv2", 256, 27, 5, 1, 2, 2, 307456 },
    { "alexnet", "pool2", 256, 13, 3, 2, 0, 1, 0 },
    { "alexnet", "conv3", 384, 13, 3, 1, 1, 1, 885120 },
    { "alexnet", "conv4", 384, 13, 3, 1, 1, 2, 663936 },
    { "alexnet", "conv5", 256, 13, 3, 1, 1, 2, 442624 },
    { "alexnet", "pool5", 256, 6, 3, 2, 0, 1, 0 },
    { "alexnet", "fc6", 4096, 1, 0, 0, 0, 0, 37752832 },
    { "alexnet", "fc7", 4096, 1, 0, 0, 0, 0, 16781312 },
    { "alexnet", "fc8", 1000, 1, 0, 0, 0, 0, 4097000 },
    { "alexnet:form=single", "conv1", 64, 56, 11, 4, 2, 1, 23296 },
    { "vgg16", "conv1_1", 64, 227, 3, 1, 1, 1, 1792 },
    { "vgg16", "conv5_3", 512, 15, 3, 1, 1, 1, 2359808 },
    { "vgg16", "fc6", 4096, 1, 0, 0, 0, 0, 102764544 },
    { "nin", "conv1", 96, 55, 11, 4, 0, 1, 34944 },
    { "nin", "cccp2", 96, 55, 1, 1, 0, 1, 9312 },
    { "nin", "pool0", 96, 27, 3, 2, 0, 1, 0 },
    { "nin", "conv2", 256, 27, 5, 1, 2, 1, 614656 },
    { "nin", "cccp4", 256, 27, 1, 1, 0, 1, 65792 },
    { "nin", "conv3", 384, 13, 3, 1, 1, 1, 885120 },
    { "nin", "pool3", 384, 6, 3, 2, 0, 1, 0 },
    { "nin", "conv4-1024", 1024, 6, 3, 1, 1, 1, 3539968 },
    { "nin", "cccp7-1024", 1024, 6, 1, 1, 0, 1, 1049600 },
    { "nin", "cccp8-1024", 1000, 6, 1, 1, 0, 1, 1025000 },
    { "nin:form=cifar", "conv1", 192, 227, 5, 1, 2, 1, 14592 },
};

static void test_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        test_net net = test_net_build(layers[i].spec, 1000, 227);
        int node = dp_graph_find(net.graph, layers[i].layer);
        assert_in_range(node, 0, net.graph->count - 1);
        const dp_node *layer = &net.graph->nodes[node];
        const dp_window *w = &layer->attributes.window;
        bool windowed = layers[i].window > 0;
        if (!dp_shape_equal(layer->shape,
                            (dp_shape){ 0, layers[i].channels, layers[i].side, layers[i].side })
            || dp_node_cost(net.graph, node).parameters != layers[i].parameters
            || (windowed
                && (w->height != layers[i].window || w->width != layers[i].window
                    || w->stride_x != layers[i].stride || w->pads.bottom != layers[i].pad
                    || w->groups != layers[i].groups)))
            fail_msg("%s: %s is of %dx%dx%d, %llu parameters", layers[i].spec, layers[i].layer,
                     layer->shape.c, layer->shape.h, layer->shape.w,
                     (unsigned long long)dp_node_cost(net.graph, node).parameters);
        test_net_free(&net);
    }
}

/* Sums over the layers whose names begin so; the paper counts these (section II.B). */
static void test_lenet_as_published(void **state) {
    static const struct {
        const char *beginning;
        uint64_t parameters;
    } parts[] = { { "C1", 156 },   { "S2", 12 },    { "C3", 1516 },   { "S4", 32 },
                  { "C5", 48120 }, { "F6", 10164 }, { "output", 850 } };
    (void)state;
    test_net net = test_net_build("lenet5:form=published", 10, 32);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t sum = 0;
        for (int node = 0; node < net.graph->count; node++)
            if (!strncmp(net.graph->nodes[node].name, parts[i].beginning,
                         strlen(parts[i].beginning)))
                sum += dp_node_cost(net.graph, node).parameters;
        if (sum != parts[i].parameters)
            fail_msg("%s: %llu parameters", parts[i].beginning, (unsigned long long)sum);
    }
    /* Column 7 of table I: C3's eighth map reads maps 1, 2, 3 and 4 of S2. */
    const dp_node *maps = &net.graph->nodes[dp_graph_find(net.graph, "C3/7/maps")];
    assert_int_equal(maps->input_count, 4);
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "S2/%d/relu", i + 1);
        assert_string_equal(net.graph->nodes[maps->inputs[i]].name, name);
    }
    assert_int_equal(net.graph->nodes[dp_graph_find(net.graph, "data")].shape.c, 1);
    test_net_free(&net);
}

/* What reads what, where forms differ in order alone. */
static void test_order(void **state) {
    static const char *const readers[][3] = {
        { "alexnet", "norm1", "relu1" },
        { "alexnet", "pool1", "norm1" },
        { "alexnet:form=caffenet", "pool1", "relu1" },
        { "alexnet:form=caffenet", "conv2", "norm1" },
        { "alexnet:norm=none", "pool1", "relu1" },
        { "alexnet", "fc7", "drop6" },
        { "nin", "conv4-1024", "drop" },
        { "nin", "pool4", "relu12" },
        { "nin", "prob", "pool4" },
        { "nin:norm=bn", "relu11", "cccp7-1024/bn" },
        { "nin:norm=bn", "relu12", "cccp8-1024" },
        { "vgg16", "fc6", "pool5" },
        { "vgg16:norm=bn", "relu1_1", "conv1_1/bn" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        test_net net = test_net_build(readers[i][0], 1000, 224);
        int node = dp_graph_find(net.graph, readers[i][1]);
        assert_in_range(node, 0, net.graph->count - 1);
        assert_string_equal(net.graph->nodes[net.graph->nodes[node].inputs[0]].name, readers[i][2]);
        test_net_free(&net);
    }
    test_net net = test_net_build("alexnet:dropout=0.25", 10, 224);
    assert_true(net.graph->nodes[dp_graph_find(net.graph, "drop7")].attributes.dropout.rate
                == 0.25F);
    assert_string_equal(net.options, "form=grouped,stem=full,norm=lrn,dropout=0.25");
    dp_lrn lrn = net.graph->nodes[dp_graph_find(net.graph, "norm2")].attributes.lrn;
    assert_true(lrn.size == 5 && lrn.alpha == 1e-4F && lrn.beta == 0.75F && lrn.k == 1.0F);
    assert_true(net.graph->nodes[dp_graph_find(net.graph, "pool1")].attributes.window.ceil);
    test_net_free(&net);
}

/* ------------------------------------------------------------------------- the paper's argument */

static uint64_t multiply_adds_of(const test_net *net, const char *name) {
    return dp_node_cost(net->graph, dp_graph_find(net->graph, name)).multiply_adds;
}

/* A 5x5 convolution of 192x28x28 to 32 channels, alone and with 16 channels of 1x1 before it: 3a's
 * third branch. */
static void test_worked_example(void **state) {
    (void)state;
    test_net naive = test_net_build("googlenet:module=naive", 1000, 224),
             reduced = test_net_build("googlenet", 1000, 224);
    assert_int_equal(multiply_adds_of(&naive, "inception_3a/5x5"), 120422400);
    assert_int_equal(multiply_adds_of(&reduced, "inception_3a/5x5_reduce")
                         + multiply_adds_of(&reduced, "inception_3a/5x5"),
                     12443648);
    test_net_free(&naive);
    test_net_free(&reduced);
}

/* ---------------------------------------------------------------------------------------- sizes */

/* Every size from the least to 320 builds; one less does not, and says what would do. */
static void test_sizes(void **state) {
    static const struct {
        const char *spec;
        int min_size;
        const char *refusal;
    } cases[] = {
        { "lenet5", 13,
          "lenet5: pictures of 12 pixels are too small, 28 and 32 pixels are what it is made for "
          "(C3: a window of 5x5 does not fit "
          "into a picture of 4x4)" },
        { "lenet5:form=published", 13,
          "lenet5: pictures of 12 pixels are too small, 28 and 32 pixels are what it is made for "
          "(C3/0: a window of 5x5 does not "
          "fit "
          "into a picture of 4x4)" },
        { "alexnet", 39,
          "alexnet: pictures of 38 pixels are too small, larger ones and stem=small do (pool5: a "
          "window of 3x3 does not fit into a "
          "picture of 1x1)" },
        { "alexnet:stem=small", 8,
          "alexnet: pictures of 7 pixels are too small, larger ones and stem=small do (pool5: a "
          "window of 3x3 does not fit into a "
          "picture of 1x1)" },
        { "nin", 39,
          "nin: pictures of 38 pixels are too small, larger ones and form=cifar do (pool3: a "
          "window of 3x3 does not fit into a "
          "picture of 1x1)" },
        { "nin:form=cifar", 4,
          "nin: pictures of 3 pixels are too small, larger ones and form=cifar do (pool2: a window "
          "of 3x3 does not fit into a "
          "picture "
          "of 1x1)" },
    };
    (void)state;
    for (int size = 1; size <= 320;
         size += size < 32 ? 1 : 16) { /* pools of 2x2 rounded up fit into anything */
        test_net net = test_net_build("vgg16", 10, size);
        test_net_free(&net);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_net net;
        deeper_error error = { 0 };
        assert_int_equal(test_net_try(&net, cases[i].spec, 10, cases[i].min_size - 1, &error),
                         DEEPER_ERROR_MISMATCH);
        assert_string_equal(error.message, cases[i].refusal);
        test_net_free(&net);
        for (int size = cases[i].min_size; size <= 320; size++) {
            net = test_net_build(cases[i].spec, 10, size);
            test_net_free(&net);
        }
    }
}

/* Pictures larger than those of the publication leave the linear layers as they are. */
static void test_linear_layers_keep_their_shape(void **state) {
    (void)state;
    for (int size = 224; size <= 320; size += 16) {
        test_net alexnet = test_net_build("alexnet", 1000, size),
                 vgg16 = test_net_build("vgg16", 1000, size);
        assert_int_equal(total(&alexnet).parameters, 60965224);
        assert_int_equal(total(&vgg16).parameters, 138357544);
        test_net_free(&alexnet);
        test_net_free(&vgg16);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_lenet_as_published),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_linear_layers_keep_their_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
