/* weight_gradient.c - what the gradients of a convolution's weights begin with, whichever algorithm
 * computes them: where they go in the caller's memory, what they read, and the gradient of the bias
 * that they sum along. */
#include "plan/conv/conv.h"

/* The outputs that are this gradient, or slices of it: at most DP_CONV_SOURCES are listed. */
static void find_targets(const dp_lowering *l, int node, dp_weight_targets *targets) {
    targets->count = 0;
    for (int i = 0; i < l->output_count && targets->count < DP_CONV_SOURCES; i++) {
        const dp_node *layer = &l->graph->nodes[l->outputs[i]];
        const dp_slice *slice = &layer->attributes.slice;
        if (l->outputs[i] == node)
            targets->items[targets->count++] = (dp_weight_target){ 0, layer->shape.n, i };
        else if (layer->op == DP_OP_SLICE && layer->inputs[0] == node)
            targets->items[targets->count++] = (dp_weight_target){ slice->begin, slice->count, i };
    }
}

deeper_status dp_begin_weight_gradient(dp_lowering *lowering, int node, dp_step *step,
                                       dp_weight_targets *targets, deeper_error *error) {
    const dp_node *layer = &lowering->graph->nodes[node];
    const dp_window *window = &layer->attributes.window;
    *step = (dp_step){ .name = layer->name,
                       .in = *dp_input_view(lowering, node, 0),
                       .in2 = *dp_input_view(lowering, node, 1),
                       .whole_batch = true,
                       .multiply_adds = dp_node_cost(lowering->graph, node).multiply_adds };
    step->work = step->multiply_adds * (uint64_t)lowering->plan->max_batch;
    find_targets(lowering, node, targets);
    if (targets->count < lowering->uses[node])
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: a weight gradient that is not an output", step->name);
    if (lowering->choices[node].winograd.phases < 2
        && !dp_has_halo(lowering->plan, &step->in, &window->pads))
        DP_TRY(dp_lower_copy(lowering, node, &step->in, &window->pads, &step->in, error));
    return dp_take_channel_sum(lowering, node, step, error);
}
