/* test_onnx_write.c - ONNX out and back: our networks in their variants, networks that are none of
 * ours, preprocessing inside, and what cannot be said. That other programs read the files is shown
 * by tests/peers/onnx_out.py. */
#include "base/random.h"
#include "formats/formats.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/onnx_import.h"
#include "graph/build.h"
#include "graph/match.h"
#include "helpers/helpers.h"
#include "helpers/nets.h"
#include "model/fill.h"
#include "model/graph_json.h"
#include "model/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 4 };

static const dp_preprocess rule = {
    64, 3, true, { 104, 117, 123 }, { 1, 0.5F, 0.017F }, DP_RESIZE_SHORT, 72, DP_FILTER_BILINEAR
};

static void fill(dp_model *model) {
    dp_random random = dp_random_at(1, 2, 3);
    assert_int_equal(dp_model_allocate(model, NULL), DEEPER_OK);
    for (int p = 0; p < model->graph->parameters; p++) {
        size_t count = dp_shape_floats(dp_model_parameter(model, p)->shape);
        float *values = model->arena + (model->values[p] - model->arena);
        for (size_t i = 0; i < count; i++)
            values[i] = 0.05F * dp_random_normal(&random);
    }
}

static dp_model *network(const char *spec, int size) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    if (dp_model_create(&model, spec, CLASSES, size, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    fill(model);
    model->has_preprocess = dp_model_input(model).c == 3;
    model->preprocess = rule;
    model->preprocess.size = size;
    model->preprocess.side = size + 8;
    static const char labels[] =
        "[[\"n1\",\"one, the first\"],[\"n2\",\"two\"],[\"n3\",\"three\"],[\"n4\",\"four\"]]";
    assert_int_equal(dp_labels_from_json(&model->labels, labels, "labels", NULL, NULL), DEEPER_OK);
    model->source = dp_strdup(NULL, "a test");
    return model;
}

static void save(const dp_model *model, const char *path, bool inside) {
    deeper_error error = { 0 };
    const dp_save_options options = { .with_preprocessing = inside };
    if (dp_model_save(model, path, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

static dp_model *open(const char *path) {
    deeper_error error = { 0 };
    dp_model *model = NULL;
    if (dp_model_open(&model, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return model;
}

/* Parameters of `again` are those of the same names in `model`, bit for bit, and all of its main
 * network. */
static void assert_same_values(const dp_model *model, const dp_model *again) {
    int main_head = 0;
    for (int i = 0; i < model->graph->count; i++)
        main_head +=
            model->graph->nodes[i].parameter >= 0 && model->graph->nodes[i].head == DP_HEAD_MAIN;
    assert_int_equal(again->graph->parameters, main_head);
    for (int p = 0; p < again->graph->parameters; p++) {
        const dp_node *node = dp_model_parameter(again, p);
        int other = dp_graph_find(model->graph, node->name);
        assert_true(other >= 0);
        assert_memory_equal(again->values[p], model->values[model->graph->nodes[other].parameter],
                            dp_shape_floats(node->shape) * sizeof(float));
    }
}

static void test_our_networks(void **state) {
    static const struct {
        const char *spec, *options;
        int size;
    } cases[] = {
        { "googlenet:width=0.0625", "norm=lrn,stem=full,module=reduced,aux=0", 64 },
        { "googlenet:width=0.0625,norm=bn,stem=small", "norm=bn,stem=small,module=reduced,aux=0",
          48 },
        { "googlenet:width=0.0625,stem=separable,module=naive,branch5=3x3",
          "norm=lrn,stem=separable,module=naive,aux=0", 64 },
        { "googlenet:width=0.0625,aux=1", "norm=lrn,stem=full,module=reduced,aux=0", 224 },
        { "lenet5", "", 28 },
        { "nin", "", 64 },
        { "alexnet:stem=small,norm=bn", "", 32 },
    };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "m.onnx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_model *model = network(cases[i].spec, cases[i].size);
        for (int inside = 0; inside <= model->has_preprocess; inside++) {
            save(model, path, inside);
            dp_model *again = open(path);
            assert_string_equal(again->architecture, model->architecture);
            assert_non_null(strstr(again->options, cases[i].options));
            assert_same_values(model, again);
            assert_int_equal(again->has_preprocess, model->has_preprocess);
            if (model->has_preprocess)
                assert_memory_equal(again->preprocess.mean, model->preprocess.mean,
                                    sizeof rule.mean);
            assert_int_equal(again->labels.count, CLASSES);
            assert_string_equal(again->labels.items[0].name, "one, the first");
            assert_string_equal(again->source, "a test");
            dp_model_free(again);
        }
        dp_model_free(model);
    }
    test_folder_remove(folder);
}

/* Without the texts the graph alone says which of our networks it is, in its usual form. */
static void test_known_by_structure(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    size_t size;
    deeper_error error = { 0 };
    test_path(path, folder, "m.onnx");
    dp_model *model = network("lenet5", 28), *again = NULL;
    save(model, path, false);
    char *bytes = test_read(path, &size);
    Onnx__ModelProto *proto = onnx__model_proto__unpack(NULL, size, (uint8_t *)bytes);
    size_t texts = proto->n_metadata_props;
    proto->n_metadata_props = 0;
    char *bare = malloc(size);
    size = onnx__model_proto__pack(proto, (uint8_t *)bare);
    assert_int_equal(dp_model_open_bytes(&again, bare, size, "bare", NULL, NULL, NULL, &error),
                     DEEPER_OK);
    assert_string_equal(again->architecture, "lenet5");
    assert_same_values(model, again);
    assert_false(again->has_preprocess);
    assert_non_null(strstr(again->source, "from deeper"));
    proto->n_metadata_props = texts;
    onnx__model_proto__free_unpacked(proto, NULL);
    dp_model_free(again);
    dp_model_free(model);
    free(bare);
    free(bytes);
    test_folder_remove(folder);
}

/* A network of every operator, none of ours. */
static dp_model *every_operator(void) {
    dp_graph *g;
    dp_model *model = NULL;
    deeper_error error = { 0 };
    dp_window window = dp_window_square(3, 2, 1), grouped = dp_window_square(3, 1, 1),
              lopsided = dp_window_square(2, 1, 0);
    grouped.groups = 2;
    lopsided.ceil = true;
    lopsided.pads.bottom = 1;
    lopsided.stride_x = 2;
    assert_int_equal(dp_graph_create(&g, NULL, NULL), DEEPER_OK);
    int x = dp_add_input(g, "picture", 3, 16, 16);
    x = dp_add_batch_norm(g, "bn", dp_add_conv(g, "c1", x, 8, window, false), 1e-3F);
    int scale = dp_add_parameter(g, "affine", "weight", (dp_shape){ 8, 1, 1, 1 });
    int shift = dp_add_parameter(g, "affine", "bias", (dp_shape){ 8, 1, 1, 1 });
    x = dp_graph_add(g, DP_OP_AFFINE, "affine", (int[]){ x, scale, shift }, 3, NULL);
    x = dp_graph_add(g, DP_OP_CLIP, "relu6", &x, 1, &(dp_attributes){ .clip = { 0, 6 } });
    x = dp_add_lrn(g, "lrn", x, (dp_lrn){ 5, 1e-4F, 0.75F, 2 });
    x = dp_graph_add(g, DP_OP_PAD, "pad", &x, 1,
                     &(dp_attributes){ .pads = { .top = 1, .right = 2 } });
    x = dp_add_average_pool(g, "average", x, lopsided);
    x = dp_graph_add(g, DP_OP_REFLECT, "mirror", &x, 1,
                     &(dp_attributes){ .pads = { .bottom = 2, .left = 1 } });
    x = dp_graph_add(g, DP_OP_RESIZE, "nearest", &x, 1, &(dp_attributes){ .size = { 9, 7 } });
    x = dp_graph_add(g, DP_OP_ERF, "erf", &x, 1, NULL);
    int low = dp_graph_add(g, DP_OP_SLICE, "low", &x, 1, &(dp_attributes){ .slice = { 0, 4 } });
    int high = dp_graph_add(g, DP_OP_SLICE, "high", &x, 1, &(dp_attributes){ .slice = { 4, 4 } });
    x = dp_add_concat(g, "swapped", (int[]){ high, low }, 2);
    int gate = dp_graph_add(g, DP_OP_SIGMOID, "gate",
                            (int[]){ dp_add_global_average(g, "squeezed", x) }, 1, NULL);
    x = dp_graph_add(g, DP_OP_MULTIPLY, "gated", (int[]){ x, gate }, 2, NULL);
    x = dp_graph_add(g, DP_OP_SHUFFLE, "shuffled", &x, 1, &(dp_attributes){ .groups = 4 });
    x = test_add_sum(g, "sum", x,
                     dp_add_relu(g, "relu", dp_add_conv(g, "c2", x, 8, grouped, true)));
    int flat = dp_add_flatten(g, "flat", dp_add_global_average(g, "mean", x));
    int fc = dp_add_fc(g, "fc", dp_add_dropout(g, "drop", flat, 0.5F), 16);
    dp_attributes shape = { .shape = { 0, 4, 2, 2 } };
    x = dp_add_conv(g, "c3", dp_graph_add(g, DP_OP_UNFLATTEN, "square", &fc, 1, &shape), 4,
                    dp_window_square(2, 1, 0), true);
    dp_add_softmax(g, "prob", x);
    if (dp_graph_status(g, &error) != DEEPER_OK
        || dp_model_from_graph(&model, g, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    fill(model);
    return model;
}

static bool same_graph(const dp_model *a, const dp_model *b) {
    int pairs[64];
    bool same = false;
    dp_graph_span x = { a->graph, 0, dp_graph_find(a->graph, "prob") },
                  y = { b->graph, 0, dp_graph_find(b->graph, "prob") };
    assert_int_equal(dp_graph_match(&x, &y, pairs, &same, NULL), DEEPER_OK);
    return same;
}

/* As JSON in a model file and as ONNX, there and back. */
static void test_graphs(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_model *model = every_operator();
    static const char *const names[] = { "m.safetensors", "m.onnx" };
    for (size_t i = 0; i < 2; i++) {
        test_path(path, folder, names[i]);
        save(model, path, false);
        dp_model *again = open(path);
        assert_string_equal(again->architecture, "graph");
        assert_int_equal(again->graph->count, model->graph->count);
        assert_true(same_graph(model, again));
        assert_same_values(model, again);
        dp_model_free(again);
    }
    dp_model *again = open(path);
    dp_node *conv = &again->graph->nodes[dp_graph_find(again->graph, "c3")];
    conv->attributes.window.pads.top++; /* the comparison can tell */
    assert_false(same_graph(model, again));
    dp_model_free(again);
    dp_model_free(model);
    test_folder_remove(folder);
}

/* A layer that the answer does not depend on is not in the file: read back, the network is one
 * without it. */
static void test_unused_layer(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_graph *g;
    dp_model *model = NULL;
    assert_int_equal(dp_graph_create(&g, NULL, NULL), DEEPER_OK);
    int mean = dp_add_global_average(
        g, "mean",
        dp_add_conv(g, "c", dp_add_input(g, "data", 3, 8, 8), 4, dp_window_square(3, 1, 1), true));
    dp_add_fc(g, "unused", mean, 5);
    dp_add_softmax(g, "prob", mean);
    assert_int_equal(dp_model_from_graph(&model, g, NULL), DEEPER_OK);
    fill(model);
    test_path(path, folder, "m.onnx");
    save(model, path, false);
    dp_model *again = open(path);
    assert_int_equal(again->graph->parameters, 2);
    assert_memory_equal(again->values[0], model->values[0], 4 * 27 * sizeof(float));
    dp_model_free(again);
    dp_model_free(model);
    test_folder_remove(folder);
}

static void test_bad_graphs(void **state) {
    static const struct {
        const char *json, *text;
    } cases[] = {
        { "[]", "one input and a layer named prob" },
        { "{\"nodes\":[{}]}", "node 0: no op, or no name" },
        { "{\"nodes\":[{\"op\":\"fill\",\"name\":\"x\"}]}",
          "node 0: an operator that this deeper does not know" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\"}]}", "node 0: without a sound shape" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"shape\":[3,-1,4]}]}",
          "node 0: x: shape -1 is not in [1, 16777216]" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"shape\":[3,4,99999999]}]}",
          "node 0: x: shape 99999999 is not in [1, 16777216]" },
        { "{\"nodes\":[{\"op\":\"relu\",\"name\":\"x\",\"inputs\":[0]}]}",
          "input 0 does not exist" },
        { "{\"nodes\":[{\"op\":\"relu\",\"name\":\"x\",\"inputs\":[-1]}]}",
          "inputs that are no numbers" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"shape\":[3,4,4]},{\"op\":\"input\","
          "\"name\":\"x\",\"shape\":[3,4,4]}]}",
          "two layers of that name" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"shape\":[3,4,4]},{\"op\":\"clip\","
          "\"name\":\"y\",\"inputs\":[0],\"clip\":"
          "[1,2]}]}",
          "which leaves 0 out" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"shape\":[3,4,4]},{\"op\":\"pad\","
          "\"name\":\"y\",\"inputs\":[0]}]}",
          "node 1: without a sound pads" },
        { "{\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"shape\":[3,4,4]},{\"op\":\"lrn\","
          "\"name\":\"y\",\"inputs\":[0],\"lrn\":{}"
          "}]}",
          "node 1: without a sound lrn.size" },
        { "{\"nodes\":", "not sound JSON" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_graph *graph = NULL;
        deeper_error error = { 0 };
        assert_int_not_equal(dp_graph_from_json(&graph, cases[i].json, "made", NULL, &error),
                             DEEPER_OK);
        assert_null(graph);
        if (!strstr(error.message, cases[i].text)
            || strncmp(error.message, "made: deeper.graph", 18) != 0)
            fail_msg("'%s' and not '%s'", error.message, cases[i].text);
    }
}

static void test_refusals_and_memory(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    test_failing_allocator failing;
    const dp_save_options inside = { .with_preprocessing = true };
    dp_model *model = network("lenet5", 28);
    test_path(path, folder, "m.safetensors");
    model->has_preprocess = false;
    assert_int_equal(dp_model_save(model, path, &inside, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "only ONNX"));
    test_path(path, folder, "m.onnx");
    assert_int_equal(dp_model_save(model, path, &inside, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "does not say how a picture becomes its input"));
    for (long n = 1, complete = 0; !complete; n++) {
        test_failing_allocator_init(&failing, n);
        model->allocator = &failing.allocator;
        deeper_status status = dp_model_save(model, path, NULL, &error);
        complete = failing.calls < n;
        assert_int_equal(status, complete ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
        assert_int_equal(test_folder_count(folder), complete ? 1 : 0);
    }
    model->allocator = NULL;
    dp_model_free(model);

    dp_graph *g; /* parts of different sizes */
    assert_int_equal(dp_graph_create(&g, NULL, NULL), DEEPER_OK);
    int x = dp_add_adaptive_pool(g, "uneven", dp_add_input(g, "data", 3, 8, 8), 3, 3);
    dp_add_softmax(g, "prob", dp_add_global_average(g, "mean", x));
    assert_int_equal(dp_model_from_graph(&model, g, &error), DEEPER_OK);
    fill(model);
    assert_int_equal(dp_model_save(model, path, NULL, &error), DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(
        strstr(error.message, "not written: uneven: an average over parts of different sizes"));
    dp_model_free(model);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_networks), cmocka_unit_test(test_known_by_structure),
        cmocka_unit_test(test_graphs),       cmocka_unit_test(test_unused_layer),
        cmocka_unit_test(test_bad_graphs),   cmocka_unit_test(test_refusals_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
