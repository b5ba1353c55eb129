/* nets.c - see nets.h. */
#include "helpers/nets.h"

#include "graph/build.h"
#include "nets/nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

deeper_status test_net_try(test_net *net, const char *spec, int classes, int size,
                           deeper_error *error) {
    *net = (test_net){ 0 };
    assert_int_equal(dp_graph_create(&net->graph, NULL, NULL), DEEPER_OK);
    return dp_net_build(net->graph, spec, (dp_net_size){ classes, size }, &net->architecture,
                        &net->options, error);
}

test_net test_net_build(const char *spec, int classes, int size) {
    test_net net;
    deeper_error error = { 0 };
    if (test_net_try(&net, spec, classes, size, &error) != DEEPER_OK)
        fail_msg("%s, %d pixels: %s", spec, size, error.message);
    return net;
}

void test_net_free(test_net *net) {
    dp_graph_free(net->graph);
    dp_free(NULL, net->architecture);
    dp_free(NULL, net->options);
}

const dp_node *test_net_node(const test_net *net, const char *name) {
    int node = dp_graph_find(net->graph, name);
    if (node < 0)
        fail_msg("no layer %s", name);
    return &net->graph->nodes[node];
}

void test_net_shape(const test_net *net, const char *name, int c, int h, int w) {
    dp_shape shape = test_net_node(net, name)->shape;
    if (!dp_shape_equal(shape, (dp_shape){ 0, c, h, w }))
        fail_msg("%s: %dx%dx%d, not %dx%dx%d", name, shape.c, shape.h, shape.w, c, h, w);
}

int test_add_sum(dp_graph *graph, const char *name, int x, int y) {
    return dp_graph_add(graph, DP_OP_ADD, name, (int[]){ x, y }, 2, NULL);
}

int test_add_module(dp_graph *g, int x, int unit, int parts[4]) {
    parts[0] =
        dp_add_relu(g, "r1", dp_add_conv(g, "1x1", x, unit, dp_window_square(1, 1, 0), true));
    int r3 = dp_add_relu(
        g, "r3r", dp_add_conv(g, "3x3_reduce", x, unit + 5, dp_window_square(1, 1, 0), true));
    parts[1] =
        dp_add_relu(g, "r3", dp_add_conv(g, "3x3", r3, 2 * unit, dp_window_square(3, 1, 1), true));
    int r5 = dp_add_relu(
        g, "r5r", dp_add_conv(g, "5x5_reduce", x, unit / 2, dp_window_square(1, 1, 0), true));
    parts[2] =
        dp_add_relu(g, "r5", dp_add_conv(g, "5x5", r5, unit, dp_window_square(5, 1, 2), true));
    int pool = dp_add_max_pool(g, "pool", x, dp_window_square(3, 1, 1));
    parts[3] = dp_add_relu(
        g, "rp", dp_add_conv(g, "pool_proj", pool, unit + 3, dp_window_square(1, 1, 0), true));
    return dp_add_concat(g, "output", parts, 4);
}
