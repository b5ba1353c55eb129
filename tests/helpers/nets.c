/* nets.c - see nets.h. */
#include "helpers/nets.h"

#include "nets/nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

deeper_status test_net_try(test_net *it, const char *spec, int classes, int size,
                           deeper_error *error) {
    *it = (test_net){ 0 };
    assert_int_equal(dp_graph_create(&it->graph, NULL, NULL), DEEPER_OK);
    return dp_net_build(it->graph, spec, (dp_net_size){ classes, size }, &it->architecture,
                        &it->options, error);
}

test_net test_net_build(const char *spec, int classes, int size) {
    test_net it;
    deeper_error error = { 0 };
    if (test_net_try(&it, spec, classes, size, &error) != DEEPER_OK)
        fail_msg("%s, %d pixels: %s", spec, size, error.message);
    return it;
}

void test_net_free(test_net *it) {
    dp_graph_free(it->graph);
    dp_free(NULL, it->architecture);
    dp_free(NULL, it->options);
}

int test_add_sum(dp_graph *graph, const char *name, int x, int y) {
    return dp_graph_add(graph, DP_OP_ADD, name, (int[]){ x, y }, 2, NULL);
}
