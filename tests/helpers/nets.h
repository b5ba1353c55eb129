/* nets.h - a network of nets/ as a graph, for tests that look at its nodes. */
#ifndef TEST_HELPERS_NETS_H
#define TEST_HELPERS_NETS_H

#include "graph/graph.h"

typedef struct test_net {
    dp_graph *graph;
    char *architecture, *options;
} test_net;

/* Freed by test_net_free whatever the status is. */
deeper_status test_net_try(test_net *net, const char *spec, int classes, int size,
                           deeper_error *error);

/* The same; a failure fails the test. */
test_net test_net_build(const char *spec, int classes, int size);
void test_net_free(test_net *net);

/* A layer by its name; fails the test where there is none, or where its shape is another. */
const dp_node *test_net_node(const test_net *net, const char *name);
void test_net_shape(const test_net *net, const char *name, int c, int h, int w);

/* Adds x + y to a graph. */
int test_add_sum(dp_graph *graph, const char *name, int x, int y);

/* Adds a module as GoogLeNet has it, its parts `unit`, 2 unit, unit and unit + 3 channels deep;
 * each ends in a ReLU. Returns their concatenation, "output". */
int test_add_module(dp_graph *graph, int x, int unit, int parts[4]);

#endif
