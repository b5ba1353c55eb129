/* test_graph.c - the graph of inference: the shape of every operator, costs, names, the first
 * failure that stays, what outputs depend on. Windows are compared with windows counted one by one.
 * Refusals are test_graph_refusals.c's. The operators that training adds are not here. */
#include "graph/build.h"

#include "helpers/helpers.h"
#include "helpers/nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGEST_SIDE = 1 << 16, LARGEST_CHANNELS = 1 << 24 }; /* limits of a shape */

static int make_graph(void **state) {
    dp_graph *graph = NULL;
    if (dp_graph_create(&graph, NULL, NULL) != DEEPER_OK)
        return -1;
    *state = graph;
    return 0;
}

static int free_graph(void **state) {
    dp_graph_free(*state);
    return 0;
}

static dp_shape picture(int channels, int height, int width) {
    return (dp_shape){ 0, channels, height, width };
}

static void assert_shape(dp_shape shape, int n, int c, int h, int w) {
    if (!dp_shape_equal(shape, (dp_shape){ n, c, h, w }))
        fail_msg("%dx%dx%dx%d, not %dx%dx%dx%d", shape.n, shape.c, shape.h, shape.w, n, c, h, w);
}

static void assert_node(const dp_graph *graph, int node, int c, int h, int w) {
    deeper_error error = { 0 };
    if (dp_graph_status(graph, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_in_range(node, 0, graph->count - 1);
    assert_shape(graph->nodes[node].shape, 0, c, h, w);
}

static void assert_failure(const dp_graph *graph, deeper_status status, const char *message) {
    deeper_error error = { 0 };
    assert_int_equal(dp_graph_status(graph, &error), status);
    assert_int_equal(dp_graph_status(graph, NULL), status);
    assert_int_equal(error.status, status);
    assert_int_equal(error.offset, -1);
    assert_string_equal(error.message, message);
    assert_null(strchr(error.message, '\n'));
}

/* -------------------------------------------------------------------------------------- windows */

/* Windows along a side, one at a time. Rounded down, a window lies in the padded picture whole.
 * Rounded up, one follows as long as the last did not reach the end of the padded picture, if it
 * begins inside the picture or the padding before it; the first may be larger than the padded
 * picture, but by less than a stride (as Caffe's and PyTorch's formulas have it). */
static int count_windows(int side, int window, int stride, int before, int after, bool ceil) {
    int padded = side + before + after, count = 0;
    if (!ceil) {
        while (count * stride + window <= padded)
            count++;
        return count;
    }
    if (window >= padded + stride)
        return 0;
    for (count = 1; (count - 1) * stride + window < padded && count * stride < side + before;)
        count++;
    return count;
}

/* Heights by one set of numbers, widths by a fixed other one, so that no field stands for
 * another. */
static void test_pool_windows(void **state) {
    (void)state;
    for (int side = 1; side <= 9; side++)
        for (int window = 1; window <= 5; window++)
            for (int stride = 1; stride <= 4; stride++)
                for (int before = 0; before < window; before++)
                    for (int after = 0; after < window; after++)
                        for (int ceil = 0; ceil <= 1; ceil++) {
                            dp_attributes a = { .window = { window,
                                                            2,
                                                            stride,
                                                            3,
                                                            { before, 1, after, 0 },
                                                            1,
                                                            ceil,
                                                            false } };
                            dp_shape in = picture(7, side, 11), out;
                            deeper_error error = { 0 };
                            int rows = count_windows(side, window, stride, before, after, ceil);
                            deeper_status status =
                                dp_op_infer(DP_OP_MAX_POOL, &in, 1, &a, &out, &error);
                            assert_int_equal(status, rows ? DEEPER_OK : DEEPER_ERROR_MISMATCH);
                            if (!rows)
                                continue;
                            assert_shape(out, 0, 7, rows, count_windows(11, 2, 3, 1, 0, ceil));
                            /* What kernels rely on: the last window holds a pixel. */
                            assert_true((rows - 1) * stride - before < side);
                        }
}

/* The pools of GoogLeNet and what other programs make of them, worked out by hand. */
static void test_pool_rounding(void **state) {
    static const struct {
        int side, window, stride, pad;
        int down, up; /* 0: does not fit */
    } cases[] = {
        { 112, 3, 2, 0, 55, 56 }, { 56, 3, 2, 0, 27, 28 },
        { 28, 3, 2, 0, 13, 14 },  { 14, 3, 2, 0, 6, 7 },
        { 113, 3, 2, 0, 56, 56 }, { 7, 3, 2, 0, 3, 3 },
        { 14, 5, 3, 0, 4, 4 },    { 15, 5, 3, 0, 4, 5 },
        { 28, 3, 1, 1, 28, 28 },  { 7, 7, 1, 0, 1, 1 },
        { 3, 3, 2, 0, 1, 1 },     { 2, 3, 2, 0, 0, 1 },
        { 1, 3, 2, 0, 0, 0 },     { 4, 2, 2, 1, 3, 3 },
        { 3, 2, 2, 1, 2, 2 }, /* up: the third would begin in the padding */
        { 5, 2, 2, 1, 3, 3 },     { 5, 3, 2, 1, 3, 3 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int ceil = 0; ceil <= 1; ceil++) {
            dp_window window = dp_window_square(cases[i].window, cases[i].stride, cases[i].pad);
            window.ceil = ceil;
            int expected = ceil ? cases[i].up : cases[i].down;
            dp_shape in = picture(3, cases[i].side, cases[i].side), out = { 0, 0, 0, 0 };
            dp_op_infer(DP_OP_AVERAGE_POOL, &in, 1, &(dp_attributes){ .window = window }, &out,
                        NULL);
            if (out.h != expected || out.w != expected)
                fail_msg("%d pixels, %dx%d/%d, padding %d, rounded %s: %d and %d, not %d",
                         cases[i].side, cases[i].window, cases[i].window, cases[i].stride,
                         cases[i].pad, ceil ? "up" : "down", out.h, out.w, expected);
        }
}

static void test_conv_shapes(void **state) {
    dp_graph *graph = *state;
    int x = dp_add_input(graph, "data", 12, 224, 62);
    assert_node(graph, x, 12, 224, 62);
    assert_node(graph, dp_add_conv(graph, "half", x, 64, dp_window_square(7, 2, 3), true), 64, 112,
                31);
    assert_node(graph, dp_add_conv(graph, "point", x, 5, dp_window_square(1, 1, 0), false), 5, 224,
                62);
    assert_node(graph, dp_add_conv(graph, "five", x, 5, dp_window_square(5, 1, 2), true), 5, 224,
                62);
    /* Wider than high, unlike strides, padding on one side (TensorFlow's SAME of the 7x7 is 2
     * before, 3 after). */
    dp_window w = { 3, 4, 1, 3, { 0, 2, 5, 3 }, 4, false, false };
    int grouped = dp_add_conv(graph, "grouped", x, 8, w, true);
    assert_node(graph, grouped, 8, 227, 22);
    assert_shape(graph->nodes[dp_graph_find(graph, "grouped.weight")].shape, 8, 3, 3, 4);
    assert_shape(graph->nodes[dp_graph_find(graph, "grouped.bias")].shape, 8, 1, 1, 1);
    assert_int_equal(dp_graph_find(graph, "point.bias"), -1);
    /* A convolution's padding may be wider than its window. */
    assert_node(graph, dp_add_conv(graph, "wide", x, 1, dp_window_square(1, 1, 4), false), 1, 232,
                70);
}

static void test_other_shapes(void **state) {
    dp_graph *graph = *state;
    int x = dp_add_input(graph, "data", 6, 9, 4);
    assert_node(graph, dp_add_fc(graph, "fc", x, 10), 10, 1, 1);
    assert_shape(graph->nodes[dp_graph_find(graph, "fc.weight")].shape, 10, 6, 9, 4);
    assert_shape(graph->nodes[dp_graph_find(graph, "fc.bias")].shape, 10, 1, 1, 1);
    assert_node(graph, dp_add_global_average(graph, "average", x), 6, 1, 1);
    assert_node(graph, dp_add_lrn(graph, "lrn", x, (dp_lrn){ 5, 1e-4F, 0.75F, 1 }), 6, 9, 4);
    assert_node(graph, dp_add_relu(graph, "relu", x), 6, 9, 4);
    int norm = dp_add_batch_norm(graph, "bn", x, 1e-3F);
    assert_node(graph, norm, 6, 9, 4);
    static const char *const parameters[] = { "bn.weight", "bn.bias", "bn.running_mean",
                                              "bn.running_var" };
    for (int i = 0; i < 4; i++) {
        int parameter = graph->nodes[norm].inputs[i + 1];
        assert_string_equal(graph->nodes[parameter].name, parameters[i]);
        assert_shape(graph->nodes[parameter].shape, 6, 1, 1, 1);
    }
    assert_node(graph, test_add_sum(graph, "sum", x, norm), 6, 9, 4);
    assert_node(graph, test_add_sum(graph, "twice", x, x), 6, 9, 4);
    int small = dp_add_max_pool(graph, "pool", x, dp_window_square(3, 1, 1));
    int narrow = dp_add_conv(graph, "narrow", x, 5, dp_window_square(1, 1, 0), false);
    assert_node(graph, dp_add_concat(graph, "concat", (int[]){ small, norm, narrow, x }, 4), 23, 9,
                4);
    assert_node(graph, dp_add_concat(graph, "alone", &x, 1), 6, 9, 4);
    assert_node(graph, dp_add_flatten(graph, "flat", x), 216, 1, 1);
    assert_node(graph, dp_add_dropout(graph, "drop", x, 0.4F), 6, 9, 4);
    assert_node(graph, dp_add_softmax(graph, "prob", x), 6, 9, 4);
}

/* The largest shapes that are allowed. */
static void test_limits_are_allowed(void **state) {
    dp_graph *graph = *state;
    assert_node(graph, dp_add_input(graph, "long", 1, LARGEST_SIDE, 1), 1, LARGEST_SIDE, 1);
    assert_node(graph, dp_add_input(graph, "deep", LARGEST_CHANNELS, 1, 1), LARGEST_CHANNELS, 1, 1);
    int large = dp_add_input(graph, "large", 32768, 256, 256); /* 2^31 floats */
    assert_node(graph, large, 32768, 256, 256);
    int flat = dp_add_flatten(graph, "flat", dp_add_input(graph, "square", 256, 256, 256));
    assert_node(graph, flat, LARGEST_CHANNELS, 1, 1);
    assert_true(dp_shape_floats((dp_shape){ 0, 3, 5, 7 }) == 105
                && dp_shape_floats((dp_shape){ 2, 3, 5, 7 }) == 210);
    assert_true(
        dp_shape_floats((dp_shape){ LARGEST_CHANNELS, LARGEST_CHANNELS, LARGEST_CHANNELS, 1 << 16 })
        == SIZE_MAX);
}

/* ----------------------------------------------------------------------------- the graph itself */

static void test_bad_inputs_and_names(void **state) {
    (void)state;
    char long_name[258];
    memset(long_name, 'n', 257);
    long_name[257] = '\0';
    const struct {
        const char *name;
        int input;
        const char *message;
    } cases[] = {
        { "", 0, "a layer's name must have 1 to 256 bytes" },
        { long_name, 0, "a layer's name must have 1 to 256 bytes" },
        { "data", 0, "data: two layers of that name" },
        { "later", 1, "later: input 0 does not exist" },
        { "before", -1, "before: input 0 does not exist" },
        { "two\nlines", 7, "two?lines: input 0 does not exist" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dp_graph *graph = NULL;
        assert_int_equal(dp_graph_create(&graph, NULL, NULL), DEEPER_OK);
        assert_int_equal(dp_add_input(graph, "data", 3, 8, 8), 0);
        assert_int_equal(dp_add_relu(graph, cases[i].name, cases[i].input), -1);
        assert_failure(graph, DEEPER_ERROR_ARGUMENT, cases[i].message);
        dp_graph_free(graph);
    }
    dp_graph *graph = NULL;
    assert_int_equal(dp_graph_create(&graph, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_add_input(graph, long_name + 1, 3, 8, 8), 0); /* 256 bytes */
    dp_graph_free(graph);
}

/* A parameter and a layer share one set of names. */
static void test_parameter_names_are_unique(void **state) {
    dp_graph *graph = *state;
    int x = dp_add_input(graph, "data", 3, 8, 8);
    dp_add_relu(graph, "c.weight", x);
    assert_int_equal(dp_add_conv(graph, "c", x, 4, dp_window_square(1, 1, 0), true), -1);
    assert_failure(graph, DEEPER_ERROR_ARGUMENT, "c.weight: two layers of that name");
}

static void test_first_failure_stays(void **state) {
    dp_graph *graph = *state;
    assert_int_equal(dp_graph_status(graph, NULL), DEEPER_OK);
    int x = dp_add_input(graph, "data", 3, 8, 8);
    int pool = dp_add_max_pool(graph, "pool", x, dp_window_square(9, 1, 0));
    assert_int_equal(pool, -1);
    /* Whatever is built on it does nothing and changes nothing. */
    int y =
        dp_add_fc(graph, "fc",
                  dp_add_relu(graph, "relu",
                              dp_add_conv(graph, "c", pool, 4, dp_window_square(3, 1, 1), true)),
                  10);
    assert_int_equal(y, -1);
    assert_int_equal(dp_add_batch_norm(graph, "bn", pool, 0), -1);
    assert_int_equal(dp_add_concat(graph, "concat", (int[]){ pool, x }, 2), -1);
    assert_int_equal(dp_add_relu(graph, "fine", x), -1);
    assert_int_equal(dp_graph_fail(graph, DEEPER_ERROR_UNSUPPORTED, "another"), -1);
    assert_int_equal(graph->count, 1);
    assert_int_equal(graph->parameters, 0);
    assert_failure(graph, DEEPER_ERROR_MISMATCH,
                   "pool: a window of 9x9 does not fit into a picture of 8x8");
}

static void test_failure_of_the_builder(void **state) {
    dp_graph *graph = *state;
    assert_int_equal(
        dp_graph_fail(graph, DEEPER_ERROR_UNSUPPORTED, "net: no option %d\n%s", 7, "here"), -1);
    assert_int_equal(dp_add_input(graph, "data", 3, 8, 8), -1);
    assert_failure(graph, DEEPER_ERROR_UNSUPPORTED, "net: no option 7?here");
}

/* Two heads on one trunk: what each output needs, parameters among it, and the numbers of
 * parameters. */
static void test_needed(void **state) {
    dp_graph *graph = *state;
    int x = dp_add_input(graph, "data", 3, 8, 8);
    int trunk = dp_add_conv(graph, "trunk", x, 8, dp_window_square(3, 1, 1), true);
    graph->head = DP_HEAD_AUX1;
    int side = dp_add_fc(graph, "side", trunk, 4);
    graph->head = DP_HEAD_MAIN;
    int main_head = dp_add_fc(graph, "main", trunk, 5);
    assert_int_equal(graph->parameters, 6);
    static const char *const order[] = { "trunk.weight", "trunk.bias",  "side.weight",
                                         "side.bias",    "main.weight", "main.bias" };
    for (int p = 0; p < 6; p++)
        assert_int_equal(graph->nodes[dp_graph_find(graph, order[p])].parameter, p);
    assert_int_equal(graph->nodes[trunk].parameter, -1);

    bool needed[16];
    assert_in_range(graph->count, 1, 16);
    dp_graph_needed(graph, &main_head, 1, needed);
    for (int i = 0; i < graph->count; i++)
        assert_int_equal(needed[i], graph->nodes[i].head == DP_HEAD_MAIN);
    assert_int_equal(graph->nodes[dp_graph_find(graph, "side.bias")].head, DP_HEAD_AUX1);
    dp_graph_needed(graph, &x, 1, needed);
    for (int i = 0; i < graph->count; i++)
        assert_int_equal(needed[i], i == x);
    dp_graph_needed(graph, (int[]){ side, main_head }, 2, needed);
    for (int i = 0; i < graph->count; i++)
        assert_true(needed[i]);
    dp_graph_needed(graph, NULL, 0, needed);
    for (int i = 0; i < graph->count; i++)
        assert_false(needed[i]);
}

static void assert_cost(const dp_graph *graph, int node, uint64_t parameters,
                        uint64_t multiply_adds, uint64_t floats) {
    dp_cost cost = dp_node_cost(graph, node);
    if (cost.parameters != parameters || cost.multiply_adds != multiply_adds
        || cost.output_bytes != 4 * floats)
        fail_msg("%s: %llu parameters, %llu multiply-adds, %llu bytes", graph->nodes[node].name,
                 (unsigned long long)cost.parameters, (unsigned long long)cost.multiply_adds,
                 (unsigned long long)cost.output_bytes);
}

/* Formulas: R*S*C/groups*K*P*Q multiply-adds; biases and pools cost none. */
static void test_costs(void **state) {
    dp_graph *graph = *state;
    int x = dp_add_input(graph, "data", 6, 10, 12);
    dp_window grouped = dp_window_square(3, 2, 1);
    grouped.groups = 3;
    assert_cost(graph, x, 0, 0, 720);
    assert_cost(graph, dp_add_conv(graph, "c", x, 8, dp_window_square(5, 1, 2), true),
                5 * 5 * 6 * 8 + 8, 5 * 5 * 6 * 8 * 120, 960);
    assert_cost(graph, dp_add_conv(graph, "g", x, 9, grouped, false), 3 * 3 * 2 * 9,
                3 * 3 * 2 * 9 * 30, 270);
    assert_cost(graph, dp_add_fc(graph, "f", x, 11), 720 * 11 + 11, 720 * 11, 11);
    assert_cost(graph, dp_add_batch_norm(graph, "bn", x, 1e-3F), 24, 0, 720);
    assert_cost(graph, dp_add_max_pool(graph, "p", x, dp_window_square(2, 2, 0)), 0, 0, 180);
    assert_cost(graph, dp_add_lrn(graph, "l", x, (dp_lrn){ 5, 1, 0.75F, 1 }), 0, 0, 720);
    assert_cost(graph, dp_add_softmax(graph, "s", x), 0, 0, 720);
    assert_cost(graph, dp_graph_find(graph, "g.weight"), 0, 0, 162); /* the reader has it */
}

static int build_some(dp_graph *graph) {
    int x = dp_add_input(graph, "data", 3, 8, 8);
    for (int i = 0; i < 12; i++) { /* past the first growth of the node array */
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        x = dp_add_relu(graph, name, x);
    }
    return dp_add_fc(graph, "fc", dp_add_concat(graph, "twice", (int[]){ x, x }, 2), 10);
}

static void test_nth_allocation_fails(void **state) {
    (void)state;
    bool done = false;
    for (long n = 1; !done; n++) {
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, n);
        dp_graph *graph = NULL;
        deeper_error error = { 0 };
        deeper_status status = dp_graph_create(&graph, &failing.allocator, &error);
        if (status == DEEPER_OK) {
            int last = build_some(graph);
            status = dp_graph_status(graph, &error);
            assert_int_equal(last >= 0, status == DEEPER_OK);
        } else
            assert_null(graph);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        if (!done)
            assert_non_null(strstr(error.message, "out of memory"));
        dp_graph_free(graph);
        assert_int_equal(failing.outstanding, 0);
    }
    dp_graph_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_windows),
        cmocka_unit_test(test_pool_rounding),
        cmocka_unit_test_setup_teardown(test_conv_shapes, make_graph, free_graph),
        cmocka_unit_test_setup_teardown(test_other_shapes, make_graph, free_graph),
        cmocka_unit_test_setup_teardown(test_limits_are_allowed, make_graph, free_graph),
        cmocka_unit_test(test_bad_inputs_and_names),
        cmocka_unit_test_setup_teardown(test_parameter_names_are_unique, make_graph, free_graph),
        cmocka_unit_test_setup_teardown(test_first_failure_stays, make_graph, free_graph),
        cmocka_unit_test_setup_teardown(test_failure_of_the_builder, make_graph, free_graph),
        cmocka_unit_test_setup_teardown(test_needed, make_graph, free_graph),
        cmocka_unit_test_setup_teardown(test_costs, make_graph, free_graph),
        cmocka_unit_test(test_nth_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
