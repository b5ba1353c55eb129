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

/* Whether the step of `node` can compute `next` along. */
static bool absorbs(const dp_lowering *l, int node, const dp_node *next) {
    const dp_node *layer = &l->graph->nodes[node];
    const dp_plan_op *row = &dp_plan_ops[layer->op];
    const unsigned along = dp_plan_ops[next->op].along;
    if (along == DP_ALONG_AFFINE
        && l->plan->training) /* weights change, and are packed as they are */
        return false;
    if (along == DP_ALONG_CLIP && row->along == DP_ALONG_AFFINE) /* clips what it has absorbed */
        return l->absorber[layer->inputs[0]] == node && absorbs(l, layer->inputs[0], next);
    return along & (row->absorbs | (layer->shape.h * layer->shape.w > 1 ? row->absorbs_rows : 0));
}

/* The gradient of a max pool that nothing but a sum reads is added to the sum's other term in place
 * of zeros: by the sum's own step, when that term is there. */
static void absorb_into_sum(dp_lowering *l, int sum) {
    const dp_node *node = &l->graph->nodes[sum];
    for (int j = 0; j < node->input_count; j++) {
        int term = node->inputs[j], other = node->inputs[!j];
        if (!(dp_plan_ops[l->graph->nodes[term].op].absorbs & DP_ALONG_SUM) || l->uses[term] != 1
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
            && absorbs(l, node->inputs[0], node))
            l->absorber[node->inputs[0]] = i;
    }
}

static void find_roots(dp_lowering *l) {
    for (int i = 0; i < l->graph->count; i++) {
        const dp_node *node = &l->graph->nodes[i];
        const dp_plan_op *row = &dp_plan_ops[node->op];
        l->root[i] = row->renames && row->renames(l, node) ? l->root[node->inputs[0]] : i;
    }
}

deeper_status dp_pass_simplify(dp_lowering *lowering, deeper_error *error) {
    dp_graph_needed(lowering->graph, lowering->outputs, lowering->output_count, lowering->needed);
    count_uses(lowering);
    absorb(lowering);
    find_roots(lowering);
    return DEEPER_OK;
}

int dp_target(const dp_lowering *lowering, int node) {
    while (lowering->absorber[node] >= 0)
        node = lowering->absorber[node];
    return node;
}

int dp_target_affine(const dp_lowering *lowering, int node) {
    int next = lowering->absorber[node];
    bool affine =
        next >= 0 && dp_plan_ops[lowering->graph->nodes[next].op].along == DP_ALONG_AFFINE;
    return affine ? next : -1;
}

dp_epilogue dp_epilogue_of(const dp_lowering *lowering, int node) {
    const int target = dp_target(lowering, node);
    const dp_node *last = &lowering->graph->nodes[target];
    dp_epilogue epilogue = { .low = -INFINITY, .high = INFINITY };
    if (last->op == DP_OP_RELU)
        epilogue.low = 0.0F;
    if (last->op == DP_OP_CLIP) {
        epilogue.low = last->attributes.clip.low;
        epilogue.high = last->attributes.clip.high;
    }
    epilogue.masked = last->op == DP_OP_RELU_GRADIENT && target != node;
    if (epilogue.masked)
        epilogue.mask = *dp_input_view(lowering, target, 1);
    return epilogue;
}

void dp_describe_epilogue(const dp_step *step, dp_buffer *text) {
    if (step->epilogue.masked)
        dp_buffer_printf(text, ", with a ReLU's gradient");
    if (step->epilogue.high < INFINITY)
        dp_buffer_printf(text, ", clipped at %g", (double)step->epilogue.high);
}

void dp_print_simplify(const dp_lowering *lowering, dp_buffer *text) {
    const dp_node *nodes = lowering->graph->nodes;
    dp_buffer_printf(text, "%-28s %-22s what becomes of it\n", "layer", "operator");
    for (int i = 0; i < lowering->graph->count; i++) {
        const int absorber = lowering->absorber[i], root = lowering->root[i];
        if (!lowering->needed[i] || nodes[i].op == DP_OP_PARAMETER)
            continue;
        dp_buffer_printf(text, "%-28s %-22s ", nodes[i].name, dp_op_name(nodes[i].op));
        if (root != i)
            dp_buffer_printf(text, "another name of %s\n", nodes[root].name);
        else if (absorber >= 0)
            dp_buffer_printf(text, "computes %s along\n", nodes[absorber].name);
        else
            dp_buffer_printf(text, "%d reader%s\n", lowering->uses[i],
                             lowering->uses[i] == 1 ? "" : "s");
    }
}
