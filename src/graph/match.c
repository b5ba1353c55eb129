/* match.c - two graphs side by side from the output towards the input. A node's inputs are earlier
 * nodes, so one pass from the last node to the first meets every node after all its readers. */
#include "graph/match.h"

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

static bool same_pads(const dp_pads *a, const dp_pads *b) {
    return a->top == b->top && a->left == b->left && a->bottom == b->bottom && a->right == b->right;
}

static bool same_window(const dp_window *a, const dp_window *b) {
    return a->height == b->height && a->width == b->width && a->stride_y == b->stride_y
           && a->stride_x == b->stride_x && same_pads(&a->pads, &b->pads);
}

static bool same_attributes(const dp_node *x, const dp_node *y) {
    const dp_attributes *a = &x->attributes, *b = &y->attributes;
    switch (x->op) {
    case DP_OP_CONV:
        return same_window(&a->window, &b->window) && a->window.groups == b->window.groups;
    case DP_OP_AVERAGE_POOL:
        return same_window(&a->window, &b->window)
               && a->window.count_padding == b->window.count_padding;
    case DP_OP_MAX_POOL: /* how a size was rounded shows in the shape */
        return same_window(&a->window, &b->window);
    case DP_OP_PAD:
        return same_pads(&a->pads, &b->pads);
    case DP_OP_LRN:
        return a->lrn.size == b->lrn.size && a->lrn.alpha == b->lrn.alpha
               && a->lrn.beta == b->lrn.beta && a->lrn.k == b->lrn.k;
    case DP_OP_BATCH_NORM:
        return a->epsilon == b->epsilon;
    case DP_OP_CLIP:
        return a->clip.low == b->clip.low && a->clip.high == b->clip.high;
    case DP_OP_SHUFFLE:
        return a->groups == b->groups;
    case DP_OP_SLICE:
        return a->slice.begin == b->slice.begin && a->slice.count == b->slice.count;
    default: /* all that there is to know is in the shape */
        return true;
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
    if (x->op != y->op || x->input_count != y->input_count || !same_attributes(x, y))
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
