/* match.c - two graphs side by side from the output towards the input. A node's inputs are earlier
 * nodes, so one pass from the last node to the first meets every node after all its readers. */
#include "graph/match.h"

#include "graph/attributes.h"

/* The node whose value node i has at inference. */
static int peel(const dp_graph *graph, int i) {
    for (;;) {
        const dp_node *node = &graph->nodes[i];
        if (node->op != DP_OP_DROPOUT && node->op != DP_OP_FLATTEN)
            return i;
        if (!dp_shape_equal(node->shape, graph->nodes[node->inputs[0]].shape))
            return i;
        i = node->inputs[0];
    }
}

/* Nodes i and j, and their inputs in pairs to be looked at later. used: nodes of b that have a
 * partner. */
static bool match_node(const dp_graph_span *a, const dp_graph_span *b, int i, int j, int *pairs,
                       bool *used) {
    const dp_node *x = &a->graph->nodes[i], *y = &b->graph->nodes[j];
    if ((i == a->input) != (j == b->input) || !dp_shape_equal(x->shape, y->shape))
        return false;
    if (i == a->input)
        return true;
    if (x->op != y->op || x->input_count != y->input_count
        || !dp_attributes_equal(x->op, &x->attributes, &y->attributes))
        return false;
    for (int k = 0; k < x->input_count; k++) {
        int from = peel(a->graph, x->inputs[k]), to = peel(b->graph, y->inputs[k]);
        if (pairs[from] < 0 && !used[to]) {
            pairs[from] = to;
            used[to] = true;
        }
        if (pairs[from] != to)
            return false;
    }
    return true;
}

deeper_status dp_graph_match(const dp_graph_span *a, const dp_graph_span *b, int *pairs, bool *same,
                             deeper_error *error) {
    bool *used = dp_alloc(b->graph->allocator, (size_t)b->graph->count, sizeof *used);
    if (!used)
        return dp_fail_memory(error, "the comparison of two graphs");
    for (int i = 0; i < a->graph->count; i++)
        pairs[i] = -1;
    int from = peel(a->graph, a->output), to = peel(b->graph, b->output);
    pairs[from] = to;
    used[to] = true;
    *same = true;
    for (int i = from; i >= 0 && *same; i--)
        if (pairs[i] >= 0)
            *same = match_node(a, b, i, pairs[i], pairs, used);
    dp_free(b->graph->allocator, used);
    return DEEPER_OK;
}
