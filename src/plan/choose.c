/* choose.c - the pass that decides how each node is computed: of the algorithms of its operator the
 * cheapest that suits it, an earlier one where two cost the same. What a tuning says of its shape
 * goes before the costs. Nothing here depends on threads or batch. */
#include "plan/passes.h"

#include <math.h>

static dp_choice cheapest(const dp_lowering *l, int node, const dp_algorithm *const *list) {
    dp_choice best = { .cost = INFINITY };
    dp_chosen known = { .tuned = false };
    for (; *list; list++) {
        const dp_algorithm *row = *list;
        dp_choice choice = { .algorithm = row };
        if (row->precision != l->plan->precision || !row->suits(l, node, &choice))
            continue;
        const dp_tuning_choice *tuned = NULL;
        if (choice.chosen.key.channels) {
            tuned = dp_tuning_find(l->tuning, &choice.chosen.key);
            known = (dp_chosen){ .key = choice.chosen.key, .tuned = tuned != NULL };
        }
        choice.cost = row->cost(l->plan->kernels, tuned, &choice);
        if (choice.cost < best.cost)
            best = choice;
    }
    best.chosen.key = known.key; /* of the node, whichever algorithm it is */
    best.chosen.tuned = known.tuned;
    return best;
}

/* Pictures of few channels would fill a block with zeros: convolutions that alone read them read
 * them as planes. */
static void find_planes(dp_lowering *l) {
    const dp_graph *graph = l->graph;
    for (int i = 0; i < graph->count; i++)
        l->choices[i].planar =
            graph->nodes[i].op == DP_OP_INPUT && graph->nodes[i].shape.c <= DP_PLANAR_CHANNELS;
    for (int i = 0; i < graph->count; i++)
        for (int j = 0; l->needed[i] && l->root[i] == i && j < graph->nodes[i].input_count; j++)
            if (j > 0 || !(dp_plan_ops[graph->nodes[i].op].reads & DP_READS_WINDOW))
                l->choices[l->root[graph->nodes[i].inputs[j]]].planar = false;
    for (int i = 0; i < l->output_count; i++)
        l->choices[l->root[l->outputs[i]]].planar = false;
}

/* Whether all that reads an input are convolutions over its phases. */
static bool only_phases(const dp_lowering *l, int input) {
    int readers = 0;
    for (int i = input + 1; i < l->graph->count; i++)
        for (int j = 0; l->needed[i] && j < l->graph->nodes[i].input_count; j++) {
            if (l->graph->nodes[i].inputs[j] != input)
                continue;
            if (j > 0 || l->choices[i].winograd.phases < 2)
                return false;
            readers++;
        }
    return readers == l->uses[input];
}

deeper_status dp_pass_choose(dp_lowering *lowering, deeper_error *error) {
    const dp_graph *graph = lowering->graph;
    find_planes(lowering);
    for (int i = 0; i < graph->count; i++) {
        const dp_algorithm *const *list = dp_plan_ops[graph->nodes[i].op].algorithms;
        if (list && lowering->needed[i])
            lowering->choices[i] = cheapest(lowering, i, list);
    }
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == DP_OP_INPUT)
            lowering->choices[i].unplaced = only_phases(lowering, i);
    return DEEPER_OK;
}

static void print_choice(const dp_choice *choice, dp_buffer *text) {
    dp_buffer_printf(text, "%-22s %12.0f", choice->algorithm->name, choice->cost);
    if (choice->chosen.key.channels) {
        dp_buffer_printf(text, "  ");
        dp_tuning_describe(&choice->chosen.key, &choice->chosen.choice, text);
    }
    dp_buffer_printf(text, "%s\n", choice->chosen.tuned ? ", tuned" : "");
}

void dp_print_choose(const dp_lowering *lowering, dp_buffer *text) {
    dp_buffer_printf(text, "%-28s %-22s %-22s %12s  how\n", "layer", "operator", "algorithm",
                     "cost");
    for (int i = 0; i < lowering->graph->count; i++) {
        const dp_node *node = &lowering->graph->nodes[i];
        const dp_choice *choice = &lowering->choices[i];
        if (!choice->algorithm && (node->op != DP_OP_INPUT || !lowering->needed[i]))
            continue;
        dp_buffer_printf(text, "%-28s %-22s ", node->name, dp_op_name(node->op));
        if (choice->algorithm)
            print_choice(choice, text);
        else
            dp_buffer_printf(text, "%s\n",
                             choice->unplaced ? "stays with the caller"
                             : choice->planar ? "planar"
                                              : "blocked");
    }
}
