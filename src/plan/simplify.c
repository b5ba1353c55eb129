/* simplify.c - the first pass: which nodes count, which are computed along with the one before,
 * which are only another name. Nothing here depends on threads, batch or instruction set. */
#include "plan/passes.h"

#include <math.h>

static void count_uses(dp_lowering *l) {
    for (int i = 0; i < l->graph->count; i++) {
        l->uses[i] = 0;
        l->absorber[i] = -1;
    }
    for (int i = 0; i < l->graph->count; i++)
        for (int j = 0; l->needed[i] && j < l->graph->nodes[i].input_count; j++)
            l->uses[l->graph->nodes[i].inputs[j]]++;
    for (int i = 0; i < l->output_count; i++)
        l->uses[l->outputs[i]]++;
}

/* Whether a step for `op` can also apply a factor and a term a channel, or a ReLU, to what it
 * writes. In training the weights change from run to run and are packed as they are. */
static bool absorbs_affine(const dp_lowering *l, dp_op op) {
    return !l->plan->training && (op == DP_OP_CONV || op == DP_OP_FC);
}

static bool is_affine(dp_op op) {
    return op == DP_OP_BATCH_NORM || op == DP_OP_AFFINE;
}

static bool absorbs_relu(dp_op op) {
    return op == DP_OP_CONV || op == DP_OP_FC || op == DP_OP_ADD || is_affine(op);
}

/* What masks its output as it writes it. A convolution of one pixel takes images for pixels. */
static bool absorbs_relu_gradient(const dp_node *node) {
    return node->op == DP_OP_ADD || node->op == DP_OP_LRN_GRADIENT
           || node->op == DP_OP_MAX_POOL_GRADIENT
           || (node->op == DP_OP_CONV && node->shape.h * node->shape.w > 1);
}

/* What applies a clip to pixels that it has just written: the same, with what it absorbed
 * before. */
static bool absorbs_clip(const dp_lowering *l, int node) {
    const dp_node *it = &l->graph->nodes[node];
    if (is_affine(it->op))
        return l->absorber[it->inputs[0]] == node && absorbs_clip(l, it->inputs[0]);
    return it->op == DP_OP_CONV && it->shape.h * it->shape.w > 1;
}

static bool absorbs(const dp_lowering *l, int node, dp_op next) {
    const dp_node *it = &l->graph->nodes[node];
    if (next == DP_OP_CLIP)
        return absorbs_clip(l, node);
    if (next == DP_OP_RELU_GRADIENT)
        return absorbs_relu_gradient(it);
    return next == DP_OP_RELU ? absorbs_relu(it->op) : is_affine(next) && absorbs_affine(l, it->op);
}

/* The gradient of a max pool that nothing but a sum reads is added to the sum's other term in place
 * of zeros: by the sum's own step, when that term is there. */
static void absorb_into_sum(dp_lowering *l, int sum) {
    const dp_node *node = &l->graph->nodes[sum];
    for (int j = 0; j < node->input_count; j++) {
        int term = node->inputs[j], other = node->inputs[!j];
        if (l->graph->nodes[term].op != DP_OP_MAX_POOL_GRADIENT || l->uses[term] != 1
            || l->absorber[other] >= 0)
            continue;
        l->absorber[term] = sum;
        l->done[term] = true;
        return;
    }
}

static void absorb(dp_lowering *l) {
    for (int i = 0; i < l->graph->count; i++) {
        const dp_node *node = &l->graph->nodes[i];
        if (l->needed[i] && node->op == DP_OP_ADD)
            absorb_into_sum(l, i);
        if (l->needed[i] && node->input_count && l->uses[node->inputs[0]] == 1
            && absorbs(l, node->inputs[0], node->op))
            l->absorber[node->inputs[0]] = i;
    }
}

/* Dropout is the identity at inference; a flatten of 1x1 pictures changes nothing in memory. */
static bool renames(const dp_lowering *l, const dp_node *node) {
    if (node->op == DP_OP_DROPOUT)
        return !l->plan->training || node->attributes.dropout.rate == 0.0F;
    const dp_shape *in = node->input_count ? &l->graph->nodes[node->inputs[0]].shape : NULL;
    return node->op == DP_OP_FLATTEN && in->h == 1 && in->w == 1;
}

static void find_roots(dp_lowering *l) {
    for (int i = 0; i < l->graph->count; i++)
        l->root[i] = renames(l, &l->graph->nodes[i]) ? l->root[l->graph->nodes[i].inputs[0]] : i;
}

void dp_simplify(dp_lowering *lowering) {
    dp_graph_needed(lowering->graph, lowering->outputs, lowering->output_count, lowering->needed);
    count_uses(lowering);
    absorb(lowering);
    find_roots(lowering);
}

int dp_target(const dp_lowering *lowering, int node) {
    while (lowering->absorber[node] >= 0)
        node = lowering->absorber[node];
    return node;
}

float dp_target_low(const dp_lowering *lowering, int node) {
    const dp_node *target = &lowering->graph->nodes[dp_target(lowering, node)];
    if (target->op == DP_OP_CLIP)
        return target->attributes.clip.low;
    return target->op == DP_OP_RELU ? 0.0F : -INFINITY;
}

int dp_target_affine(const dp_lowering *lowering, int node) {
    int next = lowering->absorber[node];
    return next >= 0 && is_affine(lowering->graph->nodes[next].op) ? next : -1;
}

void dp_read_mask(const dp_lowering *lowering, int node, dp_step *step) {
    int target = dp_target(lowering, node);
    step->masked = target != node && lowering->graph->nodes[target].op == DP_OP_RELU_GRADIENT;
    if (step->masked)
        step->mask = *dp_input_view(lowering, target, 1);
    step->clipped = target != node && lowering->graph->nodes[target].op == DP_OP_CLIP;
    if (step->clipped)
        step->high = lowering->graph->nodes[target].attributes.clip.high;
}

void dp_describe_mask(const dp_step *step, dp_buffer *text) {
    if (step->masked)
        dp_buffer_printf(text, "with a ReLU's gradient");
    if (step->clipped)
        dp_buffer_printf(text, ", clipped at %g", (double)step->high);
}
