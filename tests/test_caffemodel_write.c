/* test_caffemodel_write.c - caffemodels written: every network that there is comes back with its
 * bits and with all that is known of it; what Caffe computes otherwise is cut or refused by name;
 * the deploy text; nothing is half-written. What other programs make of the files is
 * tests/peers/opencv_caffemodel.py's. */
#include "caffemodel.pb-c.h"
#include "formats/caffe/caffe_layers.h"
#include "formats/caffe/caffemodel.h"
#include "formats/formats.h"
#include "graph/build.h"
#include "helpers/helpers.h"
#include "model/labels.h"
#include "model/recipes.h"
#include "train/core/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char label_lines[] = "a A\nb B\nc C\nd D\ne E\nf \xc3\xa9\"\\\ng G\n";

/* A network with values; batch norms' statistics and scales are made to differ from one another and
 * from neutral ones. */
static dp_model *make(const char *spec, int classes, int size) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    if (dp_model_create(&model, spec, classes, size, NULL, &error) != DEEPER_OK
        || dp_model_allocate(model, &error) != DEEPER_OK)
        fail_msg("%s: %s", spec, error.message);
    dp_initialize(model, NULL, DP_INIT_XAVIER, 5);
    for (int p = 0; p < model->graph->parameters; p++)
        for (size_t i = 0; i < dp_shape_floats(dp_model_parameter(model, p)->shape); i += 3)
            model->arena[model->values[p] - model->arena + (ptrdiff_t)i] += (float)(p + 1) / 64;
    return model;
}

static void save(const dp_model *model, const char *path) {
    deeper_error error = { 0 };
    if (dp_model_save(model, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

static void assert_same_text(const char *a, const char *b) {
    assert_int_equal(!a, !b);
    if (a)
        assert_string_equal(a, b);
}

static void test_round_trip(void **state) {
    static const struct {
        const char *spec;
        int size;
    } cases[] = {
        { "googlenet:width=0.0625", 224 },
        { "googlenet:width=0.0625,aux=1", 224 },
        { "googlenet:width=0.0625,norm=bn,aux=1", 64 },
        { "googlenet:width=0.0625,stem=separable,module=naive", 224 },
        { "googlenet:width=0.0625,stem=small,norm=none,branch5=3x3", 32 },
        { "lenet5", 28 },
    };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    test_path(path, folder, "m.caffemodel");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_model *model = make(cases[i].spec, 7, cases[i].size), *again = NULL;
        if (i % 2) {
            const dp_shape input = dp_model_input(model);
            model->has_preprocess = true;
            assert_int_equal(dp_recipe_read(&model->preprocess, "inception", input, "x", &error),
                             DEEPER_OK);
            model->source = strdup("a source");
            assert_int_equal(dp_labels_from_text(&model->labels, label_lines,
                                                 sizeof label_lines - 1, "x", NULL, &error),
                             DEEPER_OK);
        }
        save(model, path);
        if (dp_model_open(&again, path, NULL, &error) != DEEPER_OK)
            fail_msg("%s: %s", cases[i].spec, error.message);
        assert_string_equal(again->format, "caffemodel");
        assert_string_equal(again->architecture, model->architecture);
        assert_string_equal(again->options, model->options);
        assert_int_equal(again->classes, 7);
        assert_int_equal(again->labels.count, model->labels.count);
        for (size_t k = 0; k < again->labels.count; k++)
            assert_string_equal(again->labels.items[k].name, model->labels.items[k].name);
        assert_same_text(again->source, model->source);
        assert_int_equal(again->has_preprocess, model->has_preprocess);
        assert_memory_equal(&again->preprocess.mean, &model->preprocess.mean,
                            model->has_preprocess ? 12 : 1);
        for (int p = 0; p < model->graph->parameters; p++)
            assert_memory_equal(again->values[p], model->values[p],
                                dp_shape_floats(dp_model_parameter(model, p)->shape)
                                    * sizeof(float));
        dp_model_free(again);
        dp_model_free(model);
    }
    test_folder_remove(folder);
}

/* Weights of one output, whose shapes begin with a one. */
static void test_one_output(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    dp_graph *graph = NULL;
    dp_model *model = NULL, *again = NULL;
    test_path(path, folder, "m.caffemodel");
    assert_int_equal(dp_graph_create(&graph, NULL, &error), DEEPER_OK);
    int x = dp_add_conv(graph, "c", dp_add_input(graph, "data", 3, 8, 8), 1,
                        dp_window_square(3, 1, 1), true);
    dp_add_softmax(graph, "prob", dp_add_fc(graph, "fc", x, 1));
    assert_int_equal(dp_model_from_graph(&model, graph, &error), DEEPER_OK);
    assert_int_equal(dp_model_allocate(model, &error), DEEPER_OK);
    for (int i = 0; i < 27 + 1 + 64 + 1; i++)
        model->arena[i] = (float)i;
    save(model, path);
    if (dp_model_open(&again, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_memory_equal(again->arena, model->arena, (27 + 1 + 64 + 1) * sizeof(float));
    dp_model_free(again);
    dp_model_free(model);
    test_folder_remove(folder);
}

static const char *text_of(const char *path) {
    static char *text;
    size_t size;
    free(text);
    text = test_read(path, &size);
    assert_non_null(text);
    return text;
}

/* Small pictures make the auxiliary heads average adaptively, 4 of 7 rows, which Caffe cannot: the
 * file is of the network without them. */
static void test_heads(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "m.caffemodel");
    for (int small = 0; small < 2; small++) {
        deeper_error error = { 0 };
        bool left_out = !small;
        const dp_save_options options = { .heads_left_out = &left_out };
        dp_model *model = make("googlenet:width=0.0625,aux=1", 7, small ? 112 : 224), *again = NULL;
        assert_int_equal(dp_model_save(model, path, &options, &error), DEEPER_OK);
        assert_int_equal(left_out, small);
        assert_int_equal(dp_model_open(&again, path, NULL, &error), DEEPER_OK);
        assert_int_equal(dp_model_has_heads(again), !small);
        assert_non_null(strstr(again->options, small ? "aux=0" : "aux=1"));
        for (int p = 0; p < again->graph->parameters; p++) {
            const dp_node *node = dp_model_parameter(again, p);
            int from = model->graph->nodes[dp_graph_find(model->graph, node->name)].parameter;
            assert_memory_equal(again->values[p], model->values[from],
                                dp_shape_floats(node->shape) * sizeof(float));
        }
        dp_model_free(again);
        dp_model_free(model);
    }
    test_folder_remove(folder);
}

/* The deploy form leaves out auxiliary heads, weights and what is not Caffe's; the binary has
 * them. */
static void test_deploy(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], beside[TEST_PATH_SIZE];
    test_path(path, folder, "a.b.caffemodel");
    test_path(beside, folder, "a.b.prototxt");
    dp_model *model = make("googlenet:width=0.0625,norm=bn,aux=1", 7, 224);
    save(model, path);
    assert_int_equal(test_folder_count(folder), 2);
    const char *text = text_of(beside);
    static const char *const has[] = {
        "# pictures: not known\n",
        "name: \"googlenet\"\n",
        "type: \"Input\"",
        "dim: 224",
        "name: \"conv1/7x7_s2/bn/statistics\"\n  type: \"BatchNorm\"",
        "use_global_stats: true\n    eps: 0.00100000005",
        "type: \"Scale\"\n  bottom: \"conv1/7x7_s2/bn/statistics\"\n  top: \"conv1/7x7_s2/bn\"",
        "global_pooling: true",
        "  type: \"Softmax\"\n  bottom: \"loss3/classifier\"\n  top: \"prob\""
    };
    static const char *const lacks[] = { "loss1/", "loss2/", "blobs", "deeper {", "data:" };
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        if (!strstr(text, has[i]))
            fail_msg("the prototxt lacks %s", has[i]);
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++)
        if (strstr(text, lacks[i]))
            fail_msg("the prototxt has %s", lacks[i]);
    dp_model_free(model);
    test_folder_remove(folder);
}

/* -------------------------------------------------------------------------------------- windows */

/* The layers of one pool or convolution on 2 channels of `side`; an error's text in *error. NULL:
 * refused. */
static bool layers_of(dp_caffe_net *net, dp_model **model, dp_op op, int side, dp_window window,
                      deeper_error *error) {
    static const float zeros[4096];
    static const float *values[2] = { zeros, zeros };
    dp_model *read_back = calloc(1, sizeof *read_back);
    *model = read_back;
    assert_int_equal(dp_graph_create(&read_back->graph, NULL, error), DEEPER_OK);
    int x = dp_add_input(read_back->graph, "data", 2, side, side);
    if (op == DP_OP_CONV)
        dp_add_conv(read_back->graph, "layer", x, 2, window, true);
    else if (op == DP_OP_MAX_POOL)
        dp_add_max_pool(read_back->graph, "layer", x, window);
    else if (op == DP_OP_AVERAGE_POOL)
        dp_add_average_pool(read_back->graph, "layer", x, window);
    else
        dp_add_adaptive_pool(read_back->graph, "layer", x, window.height, window.width);
    assert_int_equal(dp_graph_status(read_back->graph, error), DEEPER_OK);
    read_back->values = values;
    return dp_caffe_net_make(net, read_back, "file", error) == DEEPER_OK;
}

static void free_layers(dp_caffe_net *net, dp_model *model) {
    dp_caffe_net_free(net);
    dp_graph_free(model->graph);
    free(model);
}

static void test_windows(void **state) {
    static const struct {
        dp_op op;
        int side, window, stride, before, after;
        bool ceil, count_padding;
        int layers; /* besides the input; 0: refused */
    } cases[] = {
        { DP_OP_MAX_POOL, 8, 3, 2, 0, 0, true, false, 1 },    /* Caffe's own rounding */
        { DP_OP_MAX_POOL, 8, 3, 2, 0, 0, false, false, 3 },   /* 3 of Caffe's 4 */
        { DP_OP_MAX_POOL, 7, 3, 2, 0, 0, false, false, 1 },   /* divides exactly */
        { DP_OP_MAX_POOL, 112, 3, 2, 1, 1, false, false, 3 }, /* ResNet's */
        { DP_OP_MAX_POOL, 8, 3, 2, 0, 1, false, false, 1 },   /* TensorFlow's SAME */
        { DP_OP_MAX_POOL, 9, 2, 2, 0, 1, true, false, 1 }, /* what a border adds is clamped away */
        { DP_OP_AVERAGE_POOL, 14, 5, 3, 0, 0, false, false, 1 },
        { DP_OP_AVERAGE_POOL, 8, 3, 2, 0, 0, true, false,
          1 }, /* both divide by the pixels inside */
        { DP_OP_AVERAGE_POOL, 8, 3, 1, 1, 1, false, true, 1 },  /* both by nine */
        { DP_OP_AVERAGE_POOL, 8, 3, 1, 1, 1, false, false, 0 }, /* Caffe counts the padding */
        { DP_OP_AVERAGE_POOL, 8, 3, 2, 0, 0, true, true,
          0 }, /* Caffe does not count past the picture */
        { DP_OP_AVERAGE_POOL, 6, 7, 1, 0, 1, false, false,
          1 }, /* all of the picture, by its pixels: global */
        { DP_OP_AVERAGE_POOL, 6, 7, 1, 0, 1, false, true,
          0 }, /* all of it, by more than its pixels */
        { DP_OP_CONV, 8, 3, 1, 1, 1, false, false, 1 },
        { DP_OP_CONV, 8, 3, 2, 1, 0, false, false, 1 },
        { DP_OP_CONV, 8, 3, 1, 1, 0, false, false, 3 }, /* one row and column less than Caffe's */
        { DP_OP_CONV, 8, 3, 2, 0, 1, false, false, 0 }, /* cannot be said */
        { DP_OP_ADAPTIVE_POOL, 8, 4, 1, 0, 0, false, false, 1 },
        { DP_OP_ADAPTIVE_POOL, 8, 3, 1, 0, 0, false, false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_window window = dp_window_square(cases[i].window, cases[i].stride, cases[i].before);
        window.pads.bottom = window.pads.right = cases[i].after;
        window.ceil = cases[i].ceil;
        window.count_padding = cases[i].count_padding;
        dp_caffe_net net;
        dp_model *model;
        deeper_error error = { 0 };
        bool built = layers_of(&net, &model, cases[i].op, cases[i].side, window, &error);
        if (built != (cases[i].layers > 0) || (built && (int)net.count != 1 + cases[i].layers))
            fail_msg("case %zu: %zu layers, '%s'", i, net.count, error.message);
        if (built) {
            const Caffe__LayerParameter *last = net.layers[net.count - 1];
            assert_string_equal(last->top[0], "layer");
            for (size_t k = 1; k < net.count; k++) {
                assert_string_equal(net.layers[k]->bottom[0], net.layers[k - 1]->top[0]);
                if (net.layers[k]->n_top > 1)
                    assert_string_not_equal(net.layers[k]->top[0], net.layers[k]->top[1]);
            }
        } else {
            assert_int_equal(error.status, DEEPER_ERROR_UNSUPPORTED);
            assert_non_null(strstr(error.message, "layer"));
            assert_null(net.layers);
        }
        free_layers(&net, model);
    }
}

/* -------------------------------------------------------------------------------------- trouble */

static void test_refused(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], beside[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    /* A layer that no head has: the network does not go out. */
    test_path(path, folder, "m.caffemodel");
    test_path(beside, folder, "m.prototxt");
    dp_graph *graph = NULL;
    assert_int_equal(dp_graph_create(&graph, NULL, &error), DEEPER_OK);
    int x = dp_add_adaptive_pool(graph, "uneven", dp_add_input(graph, "data", 3, 7, 7), 4, 4);
    dp_add_softmax(graph, "prob", dp_add_fc(graph, "classes", x, 7));
    dp_model *model = NULL;
    assert_int_equal(dp_model_from_graph(&model, graph, &error), DEEPER_OK);
    assert_int_equal(dp_model_allocate(model, &error), DEEPER_OK);
    assert_int_equal(dp_model_save(model, path, NULL, &error), DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "uneven (adaptive_pool)"));
    assert_int_equal(test_folder_count(folder), 0);
    dp_model_free(model);

    /* A parameter that is not called after its layer: a blob has no name of its own. */
    assert_int_equal(dp_graph_create(&graph, NULL, &error), DEEPER_OK);
    const int inputs[] = { dp_add_input(graph, "data", 3, 7, 7),
                           dp_add_parameter(graph, "other", "weight", (dp_shape){ 7, 3, 7, 7 }) };
    dp_graph_add(graph, DP_OP_FC, "fc", inputs, 2, NULL);
    dp_add_softmax(graph, "prob", dp_graph_find(graph, "fc"));
    assert_int_equal(dp_model_from_graph(&model, graph, &error), DEEPER_OK);
    assert_int_equal(dp_model_allocate(model, &error), DEEPER_OK);
    assert_int_equal(dp_model_save(model, path, NULL, &error), DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "fc (fc): a parameter of it has another name"));
    assert_int_equal(test_folder_count(folder), 0);
    dp_model_free(model);

    /* A folder in the place of the second file: the first does not appear either. */
    model = make("googlenet:width=0.0625", 7, 64);
    test_write(path, "old", 3);
    assert_int_equal(mkdir(beside, 0700), 0);
    assert_int_equal(dp_model_save(model, path, NULL, &error), DEEPER_ERROR_IO);
    assert_int_equal(test_folder_count(folder), 2);
    assert_string_equal(text_of(path), "old");
    dp_model_free(model);
    test_folder_remove(folder);
}

static void test_allocations(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "m.caffemodel");
    dp_model *model = make("googlenet:width=0.0625,norm=bn", 7, 64);
    const deeper_allocator *own = model->allocator;
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator failing;
        deeper_error error = { 0 };
        test_failing_allocator_init(&failing, n);
        model->allocator = &failing.allocator;
        deeper_status status = dp_model_save(model, path, NULL, &error);
        model->allocator = own;
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
        assert_int_equal(test_folder_count(folder), done ? 2 : 0);
    }
    dp_model_free(model);
    test_folder_remove(folder);
}

/* A file of ours that was changed: texts that are not clean, a factor of the statistics that is
 * not 1. */
static void test_changed(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    test_path(path, folder, "m.caffemodel");
    dp_model *model = make("googlenet:width=0.0625,norm=bn", 7, 64), *again;
    save(model, path);
    size_t size;
    char *bytes = test_read(path, &size);
    Caffe__NetParameter *net = caffe__net_parameter__unpack(NULL, size, (const uint8_t *)bytes);
    assert_non_null(net);
    for (int i = 0; i < 3; i++) {
        Caffe__BlobProto *factor = net->layer[2]->blobs[2];
        char *first = net->deeper[0]->text, bad[] = "\xff";
        assert_int_equal(net->layer[2]->n_blobs, 3);
        factor->data[0] = i == 0 ? 2.0F : 1.0F;
        net->deeper[0]->text = i == 1 ? bad : first;
        size_t packed = caffe__net_parameter__get_packed_size(net);
        uint8_t *out = malloc(packed);
        caffe__net_parameter__pack(net, out);
        deeper_status status = dp_caffemodel_open(&again, out, packed, "x", NULL, &error);
        assert_int_equal(status, i == 2 ? DEEPER_OK : DEEPER_ERROR_FORMAT);
        if (i < 2)
            assert_non_null(strstr(error.message, i ? "clean" : "conv1/7x7_s2/bn have a factor"));
        dp_model_free(again);
        free(out);
        net->deeper[0]->text = first;
    }
    caffe__net_parameter__free_unpacked(net, NULL);
    free(bytes);
    dp_model_free(model);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_heads),
        cmocka_unit_test(test_one_output),  cmocka_unit_test(test_deploy),
        cmocka_unit_test(test_windows),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allocations), cmocka_unit_test(test_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
