/* siblings.c - which convolutions one direct product computes: 1x1 convolutions that read one input
 * and end alike are done together, as one with all their outputs. Letters: L lanes. */
#include "plan/conv/conv.h"

/* Weights that a convolution's node joins along its input channels. */
static int parts_of(const dp_lowering *l, int node) {
    const dp_node *weight = &l->graph->nodes[l->graph->nodes[node].inputs[1]];
    return weight->op == DP_OP_ROTATE ? weight->input_count : 1;
}

static void add_sources(dp_lowering *l, int node, dp_conv_weights *w) {
    const int lanes = l->plan->kernels->lanes, parts = parts_of(l, node);
    for (int part = 0, channel = 0; part < parts; part++) {
        dp_conv_source *source = &w->sources[w->source_count++];
        *source = (dp_conv_source){
            .node = node, .part = part, .first_output = w->blocks * lanes, .first_channel = channel
        };
        dp_conv_read_source(l, source);
        channel += source->channels;
    }
    w->blocks += dp_blocks(w->sources[w->source_count - 1].outputs, lanes);
    l->done[node] = true;
}

/* Whether a convolution can be one of several; masks and clips are for one output. */
static bool joins(const dp_lowering *l, int node) {
    if (!dp_is_point(&l->graph->nodes[node]))
        return false;
    const dp_epilogue epilogue = dp_epilogue_of(l, node);
    return !epilogue.masked && epilogue.high == INFINITY;
}

void dp_conv_collect(dp_lowering *l, int node, bool alone, dp_conv_weights *weights) {
    const int input = l->root[l->graph->nodes[node].inputs[0]];
    const float low = dp_epilogue_of(l, node).low;
    add_sources(l, node, weights);
    if (alone || !joins(l, node))
        return;
    for (int i = node + 1; i < l->graph->count; i++)
        if (l->needed[i] && joins(l, i) && l->root[l->graph->nodes[i].inputs[0]] == input
            && dp_epilogue_of(l, i).low == low
            && weights->source_count + parts_of(l, i) <= DP_CONV_SOURCES)
            add_sources(l, i, weights);
}
